"""Free reminders: a row is the reminder; it is said until somebody answers, and deleting it really deletes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from operator import itemgetter
from typing import Any, Literal

from sqlite_utils import Database, Migrations

from assistant.errors import XiaobanError
from assistant.home import StandingReminder
from assistant.store import Row, Store, moment
from assistant.when import Recurrence


class State(StrEnum):
    """Where a reminder stands."""

    SET = "set"
    SAID = "said"
    """Said, and nobody has answered yet."""
    SNOOZED = "snoozed"
    DONE = "done"
    """Answered, or said as often as it is said; a recurring one is SET again instead."""
    UNANSWERED = "unanswered"
    """A safety reminder nobody answered: the family knows."""


class Event(StrEnum):
    """What can happen to a reminder."""

    SAY = "say"
    ANSWERED = "answered"
    LATER = "later"
    GIVE_UP = "give_up"
    AGAIN = "again"
    """The next occurrence of a recurring one."""


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.SET, Event.SAY): State.SAID,
    (State.SAID, Event.SAY): State.SAID,
    (State.SNOOZED, Event.SAY): State.SAID,
    **{(state, Event.ANSWERED): State.DONE for state in (State.SET, State.SAID, State.SNOOZED, State.UNANSWERED)},
    (State.SAID, Event.LATER): State.SNOOZED,
    (State.SAID, Event.GIVE_UP): State.UNANSWERED,
    (State.DONE, Event.AGAIN): State.SET,
    (State.UNANSWERED, Event.AGAIN): State.SET,
}

REPEAT = timedelta(minutes=5)
SAID_TIMES = 2
"""An ordinary reminder nobody answers is said once more after five minutes."""
SAFETY_REPEAT = timedelta(minutes=2)
SAFETY_TIMES = 5
"""关火 is said every two minutes, five times, then the family is told."""
SAFETY_WORDS = ("关火", "火", "锅", "灶", "煤气", "天然气", "关水", "水龙头", "水管", "烧水", "炉", "电热毯", "熨斗", "蜡烛", "香火", "炖", "煮", "蒸")
"""What makes a reminder insist; compared inside its text."""
MOST = 200
"""Reminders of her own that can be open at once."""
LONGEST = 80
"""Characters of what is to be done."""


class TooMany(XiaobanError):
    """So many reminders are open that one more would only be noise."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """One row."""

    id: int
    what: str
    due: datetime
    """The occurrence it is about."""
    state: State
    schedule: Recurrence | None = None
    """None: once."""
    source: Literal["elder", "family"] = "elder"
    safety: bool = False
    said: int = 0
    """How often this occurrence has been said."""
    wake: datetime | None = None

    @property
    def times(self) -> int:
        """How often an unanswered one is said."""
        return SAFETY_TIMES if self.safety else SAID_TIMES

    @property
    def gap(self) -> timedelta:
        """Until it is said again."""
        return SAFETY_REPEAT if self.safety else REPEAT


reminders = Migrations("reminder")


@reminders()
def reminder_table(db: Database) -> None:
    db.execute(
        "CREATE TABLE reminder (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT NOT NULL, due_at TEXT NOT NULL,"
        " state TEXT NOT NULL, schedule TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT 'elder',"
        " safety INTEGER NOT NULL DEFAULT 0, said INTEGER NOT NULL DEFAULT 0, wake_at TEXT, crc INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute("CREATE INDEX reminder_by_wake ON reminder (wake_at)")


def read(row: Row, zone: tzinfo = UTC) -> Reminder:
    """A row as a value, times in `zone`."""
    return Reminder(
        id=row["id"], what=row["what"], due=moment(row["due_at"]).astimezone(zone), state=State(row["state"]),
        schedule=Recurrence.from_json(json.loads(row["schedule"])) if row["schedule"] else None,
        source=row["source"], safety=bool(row["safety"]), said=row["said"],
        wake=moment(row["wake_at"]).astimezone(zone) if row["wake_at"] else None,
    )


def get(store: Store, number: int, zone: tzinfo = UTC) -> Reminder | None:
    """One reminder, or None if it was deleted or its row is damaged."""
    row = store.get("reminder", number)
    return read(row, zone) if row is not None else None


def open_ones(store: Store, zone: tzinfo) -> list[Reminder]:
    """All that will still be said, the next one first."""
    return [read(row, zone) for row in sorted(store.awake("reminder"), key=itemgetter("due_at", "id"))]


def dangerous(what: str) -> bool:
    """Whether forgetting it is a danger: it then insists until answered."""
    return any(word in what for word in SAFETY_WORDS)


def add(
    store: Store, now: datetime, what: str, when: datetime | Recurrence, zone: tzinfo,
    source: Literal["elder", "family"] = "elder",
) -> Reminder:
    """Set a reminder. Raises TooMany, or ValueError for a recurrence that never comes."""
    what = what.strip()[:LONGEST]
    due = when if isinstance(when, datetime) else when.next(now.astimezone(zone))
    if due is None:
        raise ValueError(when)
    if source == "elder" and len(store.awake("reminder")) >= MOST:
        raise TooMany("提醒太多了，先删掉几个。")
    schedule = json.dumps(when.to_json(), ensure_ascii=False) if isinstance(when, Recurrence) else ""
    with store.atomic():
        number = store.insert(
            "reminder", what=what, due_at=due, state=State.SET.value, schedule=schedule, source=source,
            safety=int(dangerous(what)), wake_at=due,
        )
        store.note_down(now, "reminder.set", number, what)
    return read(store.find("reminder", "id = ?", number)[0], zone)


def move(store: Store, now: datetime, reminder: Reminder, event: Event, wake: datetime | None, **changes: Any) -> Reminder:
    """One transition: row and log in one transaction. Raises XiaobanError for what the table does not have."""
    to = TRANSITIONS.get((reminder.state, event))
    if to is None:
        raise XiaobanError(f"提醒 {reminder.what}：{reminder.state} 时不能 {event}。")
    moved = replace(reminder, state=to, wake=wake, **changes)
    with store.atomic():
        store.update("reminder", reminder.id, state=to.value, wake_at=wake, said=moved.said, due_at=moved.due)
        store.note_down(now, f"reminder.{event}", reminder.id, reminder.what)
    return moved


def saying(store: Store, now: datetime, reminder: Reminder) -> Reminder:
    """It is about to be spoken: if nobody answers it is spoken again."""
    return move(store, now, reminder, Event.SAY, now + reminder.gap, said=reminder.said + 1)


def answered(store: Store, now: datetime, reminder: Reminder, zone: tzinfo) -> Reminder:
    """Done for now; a recurring one is set for its next occurrence in the same transaction."""
    with store.atomic():
        return _again(store, now, move(store, now, reminder, Event.ANSWERED, None), zone)


def later(store: Store, now: datetime, reminder: Reminder, span: timedelta) -> Reminder:
    """等会儿: said again after `span`, from the beginning."""
    return move(store, now, reminder, Event.LATER, now + span, said=0)


def unanswered(store: Store, now: datetime, reminder: Reminder, zone: tzinfo) -> Reminder:
    """Said as often as it is said and nobody answered."""
    with store.atomic():
        return _again(store, now, move(store, now, reminder, Event.GIVE_UP, None), zone)


def _again(store: Store, now: datetime, reminder: Reminder, zone: tzinfo) -> Reminder:
    following = reminder.schedule.next(max(now, reminder.due).astimezone(zone)) if reminder.schedule else None
    if following is None:
        return reminder
    return move(store, now, reminder, Event.AGAIN, following, due=following, said=0)


def delete(store: Store, now: datetime, reminder: Reminder) -> None:
    """Gone for good; only the log knows that it was."""
    with store.atomic():
        store.delete("reminder", reminder.id)
        store.note_down(now, "reminder.deleted", reminder.id, reminder.what)


def shift(store: Store, by: timedelta, zone: tzinfo) -> None:
    """The wall clock jumped: what was promised in so many minutes keeps its distance."""
    for r in open_ones(store, zone):
        if r.state in (State.SAID, State.SNOOZED) and r.wake is not None:
            store.update("reminder", r.id, wake_at=r.wake + by)


def standing(store: Store, now: datetime, wanted: Iterable[StandingReminder], zone: tzinfo) -> None:
    """Bring the rows of the family's reminders in line with its file."""
    have = {(r.what, json.dumps(r.schedule.to_json()) if r.schedule else ""): r for r in (
        read(row, zone) for row in store.find("reminder", "source = 'family'")
    )}
    keep = {(s.what.strip()[:LONGEST], json.dumps(s.schedule.to_json())): s for s in wanted}
    with store.atomic():
        for key, old in have.items():
            if key not in keep:
                delete(store, now, old)
        for key, new in keep.items():
            if key not in have and new.schedule.next(now.astimezone(zone)) is not None:
                add(store, now, new.what, new.schedule, zone, source="family")
            elif key in have and have[key].state is State.SET:
                # The household may have moved to another time zone: the wall time stays.
                due = new.schedule.next(now.astimezone(zone))
                if due is not None and have[key].due > now and due != have[key].due:
                    store.update("reminder", have[key].id, due_at=due, wake_at=due)
