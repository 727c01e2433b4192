"""The daily round: a good morning to the elder, and in the evening one message that tells the family how the day was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from sqlite_utils import Database, Migrations

from assistant import saying
from assistant.care import dose, reading, selftest
from assistant.care.dose import Dose
from assistant.care.dose import State as DoseState
from assistant.care.reading import Reading
from assistant.care.selftest import Drill, Tested
from assistant.errors import XiaobanError
from assistant.home import Household
from assistant.store import Row, Store, moment, stamp


class State(StrEnum):
    """Where the check-in of a day stands."""

    PLANNED = "planned"
    ASKED = "asked"
    FINE = "fine"
    UNWELL = "unwell"
    """She answered that something is wrong; the family knows."""
    UNANSWERED = "unanswered"
    """Asked twice in 20 min without an answer; the family knows."""
    SKIPPED = "skipped"
    """小伴 was off at the time and much too late for a good morning."""


class Event(StrEnum):
    """What can happen to a check-in."""

    ASK = "ask"
    FINE = "fine"
    UNWELL = "unwell"
    GIVE_UP = "give_up"
    LATE = "late"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.PLANNED, Event.ASK): State.ASKED,
    (State.ASKED, Event.ASK): State.ASKED,
    (State.PLANNED, Event.LATE): State.SKIPPED,
    (State.ASKED, Event.LATE): State.SKIPPED,
    **{(state, Event.FINE): State.FINE for state in (State.PLANNED, State.ASKED, State.UNANSWERED)},
    **{(state, Event.UNWELL): State.UNWELL for state in (State.PLANNED, State.ASKED, State.UNANSWERED)},
    (State.ASKED, Event.GIVE_UP): State.UNANSWERED,
}

ASKS = 2
AGAIN = timedelta(minutes=10)
"""Two questions in 20 minutes, then the family is told (CARE 6)."""
DRILL_TOLD = timedelta(days=7)
"""So long the result of a drill stands in the evening's message."""
TOO_LATE = timedelta(hours=4)
"""A good morning later than this is left out."""


@dataclass(frozen=True, slots=True)
class Checkin:
    """The check-in of one day."""

    id: int
    day: date
    due: datetime
    state: State
    asks: int = 0
    words: str = ""
    """What she answered."""
    at: datetime | None = None
    """When she answered."""
    wake: datetime | None = None


rounds = Migrations("round")


@rounds()
def checkin_and_digest(db: Database) -> None:
    db.execute(
        "CREATE TABLE checkin (id INTEGER PRIMARY KEY, day TEXT NOT NULL UNIQUE, due_at TEXT NOT NULL, state TEXT NOT NULL,"
        " asks INTEGER NOT NULL DEFAULT 0, words TEXT NOT NULL DEFAULT '', at TEXT, wake_at TEXT, crc INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute("CREATE INDEX checkin_by_wake ON checkin (wake_at)")
    db.execute(
        "CREATE TABLE digest (id INTEGER PRIMARY KEY, day TEXT NOT NULL UNIQUE, sent INTEGER NOT NULL DEFAULT 0,"
        " wake_at TEXT, crc INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute("CREATE INDEX digest_by_wake ON digest (wake_at)")


def read(row: Row, zone: tzinfo = UTC) -> Checkin:
    """A row as a value, times in `zone`."""

    def at(key: str) -> datetime | None:
        return moment(row[key]).astimezone(zone) if row[key] else None

    return Checkin(row["id"], date.fromisoformat(row["day"]), moment(row["due_at"]).astimezone(zone), State(row["state"]),
                   row["asks"], row["words"], at("at"), at("wake_at"))


def get(store: Store, number: int, zone: tzinfo = UTC) -> Checkin | None:
    """One check-in, or None if its row is gone or damaged."""
    row = store.get("checkin", number)
    return read(row, zone) if row is not None else None


def of_day(store: Store, day: date, zone: tzinfo) -> Checkin | None:
    """The check-in of a local day."""
    rows = store.find("checkin", "day = ?", day.isoformat())
    return read(rows[0], zone) if rows else None


def move(store: Store, now: datetime, checkin: Checkin, event: Event, wake: datetime | None = None, **changes: Any) -> Checkin:
    """One transition: row and log in one transaction. Raises XiaobanError for what the table does not have."""
    to = TRANSITIONS.get((checkin.state, event))
    if to is None:
        raise XiaobanError(f"报平安 {checkin.day}：{checkin.state} 时不能 {event}。")
    moved = replace(checkin, state=to, wake=wake, **changes)
    with store.atomic():
        store.update("checkin", checkin.id, state=to.value, wake_at=wake, asks=moved.asks, words=moved.words, at=moved.at)
        store.note_down(now, f"checkin.{event}", checkin.id)
    return moved


def plan(store: Store, household: Household, now: datetime) -> None:
    """The next check-in and the next digest have their rows, at the times the family's file says now."""
    zone = household.zone
    now = now.astimezone(zone)
    with store.atomic():
        _plan_one(store, "checkin", household.care.checkin, now, zone)
        _plan_one(store, "digest", household.care.digest, now, zone)


def _plan_one(store: Store, table: str, clock: time | None, now: datetime, zone: tzinfo) -> None:
    after = stamp(now)
    planned = {
        str(row["day"]): row
        for row in store.awake(table) if row["wake_at"] > after and row.get("state", State.PLANNED) == State.PLANNED
    }
    wanted: datetime | None = None
    for ahead in range(3 if clock is not None else 0):
        assert clock is not None
        due = datetime.combine(now.date() + timedelta(days=ahead), clock, tzinfo=zone)
        day = due.date().isoformat()
        if due > now and (day in planned or not store.count(table, "day = ?", day)):
            wanted = due
            break
    there = False
    for row in planned.values():
        if wanted is not None and row["wake_at"] == stamp(wanted):
            there = True
        else:
            store.delete(table, int(row["id"]))
    if wanted is not None and not there:
        more = {"due_at": wanted, "state": State.PLANNED.value} if table == "checkin" else {}
        store.insert(table, day=wanted.date().isoformat(), wake_at=wanted, **more)


def shift(store: Store, by: timedelta, zone: tzinfo) -> None:
    """The wall clock jumped: the second question keeps its distance."""
    for row in store.awake("checkin"):
        if row["state"] == State.ASKED:
            store.update("checkin", int(row["id"]), wake_at=moment(row["wake_at"]).astimezone(zone) + by)


# --- what the evening message says --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Day:
    """One day in figures."""

    day: date
    doses: tuple[Dose, ...]
    """Scheduled ones that were due."""
    readings: tuple[Reading, ...]
    checkin: Checkin | None
    unseen: tuple[Dose, ...]
    """Missed or unknown ones of the last week nobody has seen yet, without today's."""
    low: tuple[tuple[str, int], ...]
    """(medicine, days left) of what is running out."""
    dead: tuple[Tested, ...] = ()
    """Channels whose last silent test failed."""
    drill: Drill | None = None
    """The last drill, for a week."""


def of(store: Store, household: Household, day: date, now: datetime) -> Day:
    """Gather the figures of a local day as they are at `now`."""
    zone = household.zone
    start = datetime.combine(day, time(0), tzinfo=zone)
    doses = tuple(d for d in dose.of_day(store, zone, day) if d.scheduled and d.due <= now)
    found = tuple(r for r in reading.since(store, zone, start) if r.at.date() == day)
    older = tuple(d for d in dose.unseen(store, zone, now) if d.day < day)
    low = tuple(
        (m.name, days) for m, left in dose.all_left(store, household.medicines)
        if (days := dose.lasts(m, left, now.astimezone(zone))) is not None and days <= 7
    )
    dead = tuple(one for one in selftest.tested(store, household) if not one.ok)
    drill = selftest.last_drill(store, household)
    if drill is not None and not timedelta(0) <= day - drill.at.date() < DRILL_TOLD:
        drill = None
    return Day(day, doses, found, of_day(store, day, zone), older, low, dead, drill)


def text(day: Day, household: Household) -> str:
    """The message: what was taken, what was not, readings, the morning's answer; medicines by name only if allowed."""
    named = household.care.names_medicines
    lines = [f"{day.day.month}月{day.day.day}日"]
    slots = dose.by_slot(day.doses)
    if slots:
        taken = [slot for slot in slots if all(d.state is DoseState.TAKEN for d in slot)]
        lines.append(f"药：该吃 {len(slots)} 次，吃了 {len(taken)} 次" + _rest(slots, named))
    if day.unseen:
        lines.append(f"前几天还没人看过的：{_listed(dose.by_slot(day.unseen), named, with_day=True)}（看过请回复“看到了”）")
    if day.checkin is not None and day.checkin.state is not State.PLANNED:
        lines.append("报平安：" + {
            State.FINE: "早上问过，她说还好", State.UNWELL: "她说不太舒服", State.UNANSWERED: "问了两次没有回应",
            State.ASKED: "问了还没有回应", State.SKIPPED: "设备没开，没有问成",
        }[day.checkin.state])
    if day.readings:
        lines.append("测量：" + "，".join(shown(r) for r in day.readings[-6:]))
    if day.low:
        lines.append("快没有的药：" + "，".join(f"{name if named else '一种药'}还够 {days} 天" for name, days in day.low))
    if day.dead:
        lines.append("试不通的：" + "、".join(f"{one.name}（{one.days} 天了）" for one in day.dead[:8]) + "，紧急的时候也会发不出去，请看看")
    if day.drill is not None:
        lines.append(str(day.drill))
    return "\n".join(lines)


def shown(r: Reading) -> str:
    """`09:05 血压 138/85`."""
    name = "血压" if r.kind == "blood_pressure" else reading.KINDS[r.kind].name
    value = f"{r.value:g}/{r.second:g}" if r.second is not None else f"{r.value:g}"
    return f"{r.at:%H:%M} {name} {value}" + ("（超出范围）" if r.outside else "")


def _rest(slots: Sequence[Sequence[Dose]], named: bool) -> str:
    """What was not taken; of a slot with several medicines only those that were not."""
    said = ""
    for states, word in (
        ((DoseState.MISSED,), "没有回音"), ((DoseState.UNKNOWN,), "吃没吃不清楚"), ((DoseState.SKIPPED,), "她说不吃"),
        (dose.OPEN, "还在问"),
    ):
        if some := [part for slot in slots if (part := [d for d in slot if d.state in states])]:
            whole = {slot[0].due: len(slot) for slot in slots}
            said += f"；{len(some)} 次{word}（{_listed(some, named, whole=whole)}）"
    return said


def _listed(
    slots: Sequence[Sequence[Dose]], named: bool, with_day: bool = False, whole: Mapping[datetime, int] | None = None
) -> str:
    """`12:30 二甲双胍、20:00 缬沙坦和阿司匹林`; unnamed, a part of a slot is `20:00 两种里的一种`."""
    return "、".join(
        (f"{slot[0].day.month}月{slot[0].day.day}日 " if with_day else "") + slot[0].slot
        + (" " + saying.listing([d.medicine for d in slot]) if named else _part(len(slot), (whole or {}).get(slot[0].due, 0)))
        for slot in slots[:8]
    )


def _part(some: int, all_of_it: int) -> str:
    return f" {saying.counted(all_of_it)}种里的{saying.counted(some)}种" if some < all_of_it else ""
