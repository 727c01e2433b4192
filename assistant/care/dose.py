"""The dose ledger: one row for one medicine at one slot of one day, which ends in exactly one final state.

`plan` lays rows out ahead from the household's schedules, `settle` does what time alone does (too late, tell the
family), `move` does what the elder or the family says. A row wakes at the earliest of: the next question, the moment
the family is told, the late limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlite_utils import Database, Migrations

from assistant.errors import XiaobanError
from assistant.home import Household, Medicine
from assistant.store import Row, Store, moment, remembered, stamp
from assistant.when import Recurrence


class State(StrEnum):
    """Where a dose stands."""

    PLANNED = "planned"
    DUE = "due"
    ASKED = "asked"
    SNOOZED = "snoozed"
    PENDING = "pending"
    """She says she is taking it; not taken."""
    HEARD = "heard"
    """She said 嗯 or 知道了; not taken."""
    EVIDENCE = "evidence"
    """She cannot remember: the pillbox is asked, then the family."""
    DOUBT = "doubt"
    """小伴 was off, or its clock wrong, when it was due: a question about the past, never an order."""
    TAKEN = "taken"
    SKIPPED = "skipped"
    MISSED = "missed"
    UNKNOWN = "unknown"


class Event(StrEnum):
    """What can happen to a dose."""

    DUE = "due"
    ASKED = "asked"
    TAKEN = "taken"
    LATER = "later"
    TAKING = "taking"
    HEARD = "heard"
    UNSURE = "unsure"
    EMPTY = "empty"
    """The compartment of the pillbox is empty."""
    FULL = "full"
    """The tablet is still there."""
    NOT_YET = "not_yet"
    SKIP = "skip"
    LIMIT = "limit"
    """The late limit has passed."""
    OFF = "off"
    """It came due while 小伴 was off or its clock could not be believed."""
    LOST = "lost"
    """The limit passed while 小伴 was off, so nobody could have told it."""
    WITHDRAWN = "withdrawn"
    """The family stopped the medicine."""
    TOO_CLOSE = "too_close"
    """The dose before was taken so late that this one would come too soon after it."""
    DENIED = "denied"
    """我没说吃了: she takes her word back."""


FINAL = frozenset({State.TAKEN, State.SKIPPED, State.MISSED, State.UNKNOWN})
OPEN = (State.DUE, State.ASKED, State.SNOOZED, State.PENDING, State.HEARD, State.EVIDENCE, State.DOUBT)
"""Asked, or about to be, and not closed."""
FROM_A_PERSON = frozenset({
    Event.TAKEN, Event.LATER, Event.TAKING, Event.HEARD, Event.UNSURE, Event.EMPTY, Event.FULL, Event.NOT_YET,
    Event.SKIP, Event.DENIED,
})
"""What only a person can say; nothing else may leave a final state or enter TAKEN."""

_ANSWERS = {
    Event.TAKEN: State.TAKEN, Event.LATER: State.SNOOZED, Event.TAKING: State.PENDING, Event.HEARD: State.HEARD,
    Event.UNSURE: State.EVIDENCE, Event.NOT_YET: State.ASKED, Event.SKIP: State.SKIPPED,
}

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.PLANNED, Event.DUE): State.DUE,
    (State.PLANNED, Event.TAKEN): State.TAKEN,
    (State.PLANNED, Event.SKIP): State.SKIPPED,
    (State.PLANNED, Event.OFF): State.DOUBT,
    (State.PLANNED, Event.LOST): State.UNKNOWN,
    (State.PLANNED, Event.TOO_CLOSE): State.SKIPPED,
    (State.DUE, Event.OFF): State.DOUBT,
    **{(state, event): to for state in OPEN for event, to in _ANSWERS.items()},
    **{(state, Event.ASKED): State.ASKED for state in OPEN},
    (State.DOUBT, Event.ASKED): State.DOUBT,
    (State.EVIDENCE, Event.ASKED): State.EVIDENCE,
    (State.EVIDENCE, Event.EMPTY): State.TAKEN,
    (State.EVIDENCE, Event.FULL): State.ASKED,
    (State.EVIDENCE, Event.HEARD): State.EVIDENCE,
    **{(state, Event.LIMIT): State.MISSED for state in OPEN},
    (State.EVIDENCE, Event.LIMIT): State.UNKNOWN,
    (State.DOUBT, Event.LIMIT): State.UNKNOWN,
    (State.DUE, Event.LIMIT): State.UNKNOWN,
    **{(state, Event.LOST): State.UNKNOWN for state in OPEN},
    **{(state, Event.WITHDRAWN): State.SKIPPED for state in OPEN},
    **{(state, Event.TOO_CLOSE): State.SKIPPED for state in OPEN},
    # Only a person re-opens what is closed.
    (State.MISSED, Event.TAKEN): State.TAKEN,
    (State.UNKNOWN, Event.TAKEN): State.TAKEN,
    (State.SKIPPED, Event.TAKEN): State.TAKEN,
    (State.TAKEN, Event.DENIED): State.ASKED,
    (State.SKIPPED, Event.DENIED): State.ASKED,
}
"""Anything else raises WrongMove: it is a fault of ours, and the row stays as it was."""

REASK = timedelta(minutes=10)
"""Silence is asked again at +10 and +20 min."""
ASKS = 3
"""Questions before only the family's and the limit's moments are left."""
SNOOZE = timedelta(minutes=10)
SNOOZES = 3
PENDING_ASK = timedelta(minutes=5)
HEARD_ASK = timedelta(minutes=10)
LATE_LIMIT = timedelta(hours=2)
"""No dose is taken later than this, whatever the family wrote (CARE 3)."""
EARLY = timedelta(hours=2)
"""A word about taking it counts for a planned dose this long before (at most half the gap to the one before)."""
TELL_CRITICAL = timedelta(minutes=30)
TELL_SEVERAL = timedelta(minutes=60)
TELL_ONCE = timedelta(minutes=120)
"""When the family is told: ISMP's classes of timely administration."""
AHEAD = timedelta(days=2)
LONG_OFF = timedelta(hours=24)
"""After an outage longer than this only future doses are asked; the rest is one summary."""
JUST_NOW = timedelta(minutes=1)
"""A slot that passed less than this ago is simply due."""
LATE_QUESTION = timedelta(minutes=15)
"""Asked later than this, it is a question about the past."""
UNTRUSTED_WAIT = timedelta(minutes=10)
"""With a clock that cannot be believed nothing becomes MISSED; the limit is looked at again after this."""
BACK_CATALOGUE = timedelta(days=14)
"""How far back slots of an outage are written down as UNKNOWN."""
MANY = 400
"""Slots of one medicine planned at once at most."""


class WrongMove(XiaobanError):
    """This event cannot happen to a dose in this state; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Dose:
    """One row."""

    id: int
    medicine: str
    """Canonical name."""
    day: date
    """Local date of the slot."""
    slot: str
    """Local time `HH:MM`; for a dose taken outside the schedule `+HH:MM:SS`, when it was said."""
    state: State
    due: datetime
    limit: datetime
    tell: datetime
    """When the family is told if it is still open."""
    asks: int = 0
    snoozes: int = 0
    ask: datetime | None = None
    """When it is asked next."""
    told: datetime | None = None
    seen: datetime | None = None
    """When somebody of the family saw that."""
    taken: datetime | None = None
    evidence: str = ""
    """said, early, pillbox, late: on what TAKEN rests."""
    reason: str = ""
    """Why skipped or missed, in the elder's words."""
    wake: datetime | None = None

    @property
    def final(self) -> bool:
        return self.state in FINAL

    @property
    def scheduled(self) -> bool:
        """Whether the schedule asked for it."""
        return not self.slot.startswith("+")

    @property
    def clock(self) -> time:
        """The slot's local time."""
        return time.fromisoformat(self.slot.removeprefix("+"))


doses = Migrations("dose")


@doses()
def doses_and_stock(db: Database) -> None:
    db.execute(
        "CREATE TABLE dose (id INTEGER PRIMARY KEY, medicine TEXT NOT NULL, day TEXT NOT NULL, slot TEXT NOT NULL,"
        " state TEXT NOT NULL, due_at TEXT NOT NULL, limit_at TEXT NOT NULL, tell_at TEXT NOT NULL,"
        " asks INTEGER NOT NULL DEFAULT 0, snoozes INTEGER NOT NULL DEFAULT 0, ask_at TEXT, told_at TEXT, seen_at TEXT,"
        " taken_at TEXT, evidence TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', wake_at TEXT,"
        " crc INTEGER NOT NULL DEFAULT 0, UNIQUE (medicine, day, slot))"
    )
    db.execute("CREATE INDEX dose_by_wake ON dose (wake_at)")
    db.execute("CREATE INDEX dose_by_due ON dose (due_at)")
    db.execute("CREATE INDEX dose_by_taken ON dose (medicine, taken_at)")
    db.execute(
        "CREATE TABLE stock (id INTEGER PRIMARY KEY, medicine TEXT NOT NULL, kind TEXT NOT NULL, units REAL NOT NULL,"
        " at TEXT NOT NULL, crc INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute("CREATE INDEX stock_by_medicine ON stock (medicine, at)")


@doses()
def doses_by_day(db: Database) -> None:
    db.execute("CREATE INDEX dose_by_day ON dose (day)")


@doses()
def doses_that_were_taken(db: Database) -> None:
    # The stock counts a year of them at every 吃了: from the index alone, without a look at each row.
    db.execute("DROP INDEX dose_by_taken")
    db.execute("CREATE INDEX dose_by_taken ON dose (medicine, taken_at) WHERE state = 'taken'")


# --- reading ------------------------------------------------------------------------------------------------------


def read(row: Row, zone: tzinfo = UTC) -> Dose:
    """A row as a value, times in `zone`."""
    return _read(row, zone)


_STATES = {state.value: state for state in State}


@remembered
def _read(row: Row, zone: tzinfo) -> Dose:
    ask, told, seen, taken, wakes = row["ask_at"], row["told_at"], row["seen_at"], row["taken_at"], row["wake_at"]
    return Dose(
        row["id"], row["medicine"], date.fromisoformat(row["day"]), row["slot"], _STATES[row["state"]],
        _local(row["due_at"], zone), _local(row["limit_at"], zone), _local(row["tell_at"], zone), row["asks"], row["snoozes"],
        _local(ask, zone) if ask else None, _local(told, zone) if told else None, _local(seen, zone) if seen else None,
        _local(taken, zone) if taken else None, row["evidence"], row["reason"], _local(wakes, zone) if wakes else None,
    )


@lru_cache(maxsize=4096)
def _local(text: str, zone: tzinfo) -> datetime:
    """A stored moment in `zone`: a slot's are those of all its medicines, and are read again with every answer of its day."""
    return moment(text).astimezone(zone)


def find(store: Store, zone: tzinfo, where: str = "1", *args: Any, order: str = "+due_at, id") -> list[Dose]:
    """Doses that meet an SQL condition, by due time.

    The + keeps SQLite from walking all of history in the order of `dose_by_due` to save the sorting of ten rows.
    """
    return [read(row, zone) for row in store.find("dose", where, *args, order=order)]


def get(store: Store, number: int, zone: tzinfo = UTC) -> Dose | None:
    """One dose, or None if there is none or its row is damaged."""
    row = store.get("dose", number)
    return read(row, zone) if row is not None else None


def of_day(store: Store, zone: tzinfo, day: date, medicine: str = "") -> list[Dose]:
    """Everything of one local day, by due time."""
    found = find(store, zone, "day = ?", day.isoformat())
    return [d for d in found if not medicine or d.medicine == medicine]


_OPEN = frozenset(state.value for state in OPEN)
_HELD = _OPEN | {State.PLANNED.value}
_BY_DUE = itemgetter("due_at", "id")


def held(store: Store, zone: tzinfo, wanted: Callable[[Row], bool] = lambda _: True) -> list[Dose]:
    """Doses that are not closed, planned ones too, whose rows are wanted, by due time."""
    rows = [row for row in store.awake("dose") if row["state"] in _HELD and wanted(row)]
    return [read(row, zone) for row in sorted(rows, key=_BY_DUE)]


def open_doses(store: Store, zone: tzinfo) -> list[Dose]:
    """Doses that were asked, or are about to be, and are not closed."""
    return held(store, zone, lambda row: row["state"] in _OPEN)


def last_taken(store: Store, zone: tzinfo, medicine: str, since: datetime) -> Dose | None:
    """The newest dose of a medicine taken at or after `since`."""
    rows = store.find("dose", "medicine = ? AND taken_at >= ? AND state = 'taken'", medicine, since, order="taken_at DESC", limit=1)
    return read(rows[0], zone) if rows else None


def next_planned(store: Store, zone: tzinfo, now: datetime) -> list[Dose]:
    """The doses of the next slot that is planned."""
    after = stamp(now)
    planned = held(store, zone, lambda row: row["state"] == State.PLANNED and row["due_at"] > after)
    return [d for d in planned if d.due == planned[0].due]


def waiting(held: Iterable[Dose], now: datetime) -> list[Dose]:
    """Of doses that are not closed, those to be asked about now: planned ones that are due, open ones whose next question has come."""
    return [
        d for d in held
        if d.wake is not None and d.wake <= now < d.limit and (d.state is State.PLANNED or (d.ask is not None and d.ask <= now))
    ]


# --- the rules of time --------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _gap(rule: Recurrence, due: datetime) -> timedelta:
    """Elapsed time to the next moment of a schedule; four days where there is none."""
    following = rule.next(due, within_days=4)
    return timedelta(seconds=following.timestamp() - due.timestamp()) if following else timedelta(days=4)


def _later(when: datetime, by: timedelta, zone: tzinfo) -> datetime:
    """Elapsed time, also across a DST change."""
    return (when.astimezone(UTC) + by).astimezone(zone)


def limit(medicine: Medicine, due: datetime) -> datetime:
    """Late limit: the smallest of what the family wrote, half the gap to the next dose, and 2 h."""
    span = min(medicine.late_limit, LATE_LIMIT)
    if medicine.schedule is not None:
        span = min(span, _gap(medicine.schedule, due) / 2)
    return _later(due, span, due.tzinfo or UTC)


def tell(medicine: Medicine, due: datetime, until: datetime | None = None) -> datetime:
    """When the family is told (ISMP): time-critical +30 min, several a day +60, once a day +120; never past the limit `until`."""
    if medicine.critical:
        after = TELL_CRITICAL
    elif medicine.schedule is not None and len(medicine.schedule.times()) > 1:
        after = TELL_SEVERAL
    else:
        after = TELL_ONCE
    return min(_later(due, after, due.tzinfo or UTC), until or limit(medicine, due))


def spoken_gap(medicine: Medicine) -> timedelta:
    """How close two 吃了 may be: `min_gap`, but never more than three quarters of the schedule's own interval."""
    times = sorted(t.hour * 60 + t.minute for t in medicine.schedule.times()) if medicine.schedule else []
    if len(times) < 2:
        return medicine.min_gap
    gaps = [b - a for a, b in zip(times, [*times[1:], times[0] + 1440], strict=True)]
    return min(medicine.min_gap, timedelta(minutes=min(gaps) * 0.75))


def wake(dose: Dose) -> datetime | None:
    """When the row is looked at next."""
    return _wake(dose, {})


def _wake(dose: Dose, changes: Mapping[str, Any]) -> datetime | None:
    """The same once these fields have changed."""
    state, ask = changes.get("state", dose.state), changes.get("ask", dose.ask)
    if state in FINAL:
        return None
    if state is State.PLANNED:
        due: datetime = changes.get("due", dose.due)
        return max(due, ask) if ask else due
    first: datetime = changes.get("limit", dose.limit)
    if ask is not None and ask < first:
        first = ask
    if not changes.get("told", dose.told) and (tell := changes.get("tell", dose.tell)) < first:
        first = tell
    return first


# --- changing -----------------------------------------------------------------------------------------------------


def move(store: Store, now: datetime, dose: Dose, event: Event, text: str = "", **changes: Any) -> Dose:
    """One transition: row and log in one transaction. `changes` are fields of Dose. Raises WrongMove."""
    return _moves(store, now, dose, (event,), text, changes)


def _moves(store: Store, now: datetime, dose: Dose, events: Sequence[Event], text: str, changes: dict[str, Any]) -> Dose:
    """Transitions that come one right after the other: a line each in the log, and the row written once."""
    slot = f"{dose.medicine} {dose.day} {dose.slot}"
    state, lines = dose.state, []
    for event in events:
        to = TRANSITIONS.get((state, event))
        if to is None:
            raise WrongMove(f"{slot}：{state} 时不能 {event}。")
        lines.append((f"dose.{event}", f"{slot} {state}→{to} {text}".rstrip()))
        state = to
    changes["state"] = state
    if state in FINAL:
        changes["ask"] = None
    with store.atomic():
        row = store.update("dose", dose.id, **{**_columns(dose, changes), "state": state.value})
        for kind, line in lines:
            store.note_down(now, kind, dose.id, line)
    return read(row, dose.due.tzinfo or UTC)


_COLUMNS = {"ask": "ask_at", "told": "told_at", "seen": "seen_at", "taken": "taken_at", "wake": "wake_at",
            "due": "due_at", "limit": "limit_at", "tell": "tell_at", "asks": "asks", "snoozes": "snoozes",
            "evidence": "evidence", "reason": "reason", "state": "state"}
"""Field of a dose → its column."""


def _columns(dose: Dose, changes: dict[str, Any]) -> dict[str, Any]:
    """The columns that differ once the dose has these fields, and wakes when they say."""
    changes["wake"] = _wake(dose, changes)
    return {_COLUMNS[name]: value for name, value in changes.items() if value != getattr(dose, name)}


def asked(store: Store, now: datetime, dose: Dose, late: bool = False) -> Dose:
    """The question is about to be spoken; silence is met 10 min from now, three times in all."""
    events: tuple[Event, ...] = (Event.ASKED,)
    if dose.state is State.PLANNED:
        events = (Event.OFF if late else Event.DUE, *events)
    elif dose.state is State.DUE and late:
        events = (Event.OFF, *events)
    asks = dose.asks + 1
    return _moves(store, now, dose, events, "", {"asks": asks, "ask": now + REASK if asks < ASKS else None})


def taken(store: Store, now: datetime, dose: Dose, evidence: str = "said", at: datetime | None = None) -> Dose:
    """A person's word or the pillbox: it is in."""
    event = Event.EMPTY if evidence == "pillbox" and dose.state is State.EVIDENCE else Event.TAKEN
    return move(store, now, dose, event, evidence, taken=at or now, evidence=evidence, reason="")


def snoozed(store: Store, now: datetime, dose: Dose, span: timedelta | None = None) -> Dose | None:
    """等会儿: asked again after `span`, at most three times and never past the late limit. None if it is not granted."""
    if dose.snoozes >= SNOOZES:
        return None
    again = now + min(max(span or SNOOZE, timedelta(minutes=1)), LATE_LIMIT)
    if again >= dose.limit:
        return None
    return move(store, now, dose, Event.LATER, snoozes=dose.snoozes + 1, ask=again)


def delayed(store: Store, dose: Dose, until: datetime) -> None:
    """Nothing is asked about it before `until`; the family's moment moves along, else it would hear of a silence that is ours."""
    told = min(until + (dose.tell - dose.due), dose.limit)
    store.update("dose", dose.id, ask_at=until, tell_at=told, wake_at=_wake(dose, {"ask": until, "tell": told}))


def ask_again(store: Store, now: datetime, dose: Dose, event: Event, after: timedelta) -> Dose:
    """TAKING, HEARD, NOT_YET, FULL or UNSURE: open, and asked again after a while."""
    return move(store, now, dose, event, ask=now + after)


def reopened(store: Store, now: datetime, dose: Dose) -> Dose:
    """She takes her word back: open again; if it is too late already, `settle` closes it as missed."""
    return move(store, now, dose, Event.DENIED, taken=None, evidence="", reason="", ask=now + REASK, told=None)


def outside(store: Store, now: datetime, medicine: Medicine, zone: tzinfo, evidence: str = "said") -> Dose:
    """A dose taken outside the schedule (when needed, or one too many), by her own word."""
    local = now.astimezone(zone)
    slot = f"+{local:%H:%M:%S}"
    with store.atomic():
        found = find(store, zone, "medicine = ? AND day = ? AND slot = ?", medicine.name, local.date().isoformat(), slot)
        if found:
            return found[0]
        number = store.insert(
            "dose", medicine=medicine.name, day=local.date().isoformat(), slot=slot, state=State.TAKEN.value,
            due_at=now, limit_at=now, tell_at=now, taken_at=now, evidence=evidence,
        )
        store.note_down(now, "dose.outside", number, medicine.name)
    return find(store, zone, "id = ?", number)[0]


# --- what time alone does -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settled:
    """What passed by itself; whoever calls tells the family and the elder."""

    missed: tuple[Dose, ...] = ()
    unknown: tuple[Dose, ...] = ()
    told: tuple[Dose, ...] = ()
    """Still open, and the moment to tell the family has come."""
    old: frozenset[int] = frozenset()
    """Ids of those the family was told of before: it is told once, then by the digest."""
    held: tuple[Dose, ...] = ()
    """What woke and is not closed, as it is now."""

    def news(self, doses: Sequence[Dose]) -> list[Dose]:
        """Those of `doses` the family does not know of yet."""
        return [d for d in doses if d.id not in self.old]


def settle(store: Store, now: datetime, zone: tzinfo, trusted: bool = True) -> Settled:
    """Close what is past its limit, mark what the family must be told of (set here, so once only)."""
    missed: list[Dose] = []
    unknown: list[Dose] = []
    told: list[Dose] = []
    old: set[int] = set()
    left: list[Dose] = []
    until = stamp(now)
    for dose in held(store, zone, lambda row: row["wake_at"] <= until):
        if now >= dose.limit and not trusted:
            store.update("dose", dose.id, wake_at=now + UNTRUSTED_WAIT)
        elif now >= dose.limit:
            if dose.told is not None:
                old.add(dose.id)
            # A planned row this late was never asked about: the loop stood still. Nobody can say it was missed.
            event = Event.LOST if dose.state is State.PLANNED else Event.LIMIT
            closed = move(store, now, dose, event, told=dose.told or now)
            (missed if closed.state is State.MISSED else unknown).append(closed)
        elif dose.state is not State.PLANNED and dose.told is None and now >= dose.tell:
            # Told, and asked once more, unless she has just said that she is about to take it.
            ask = now if dose.state is State.ASKED and dose.ask is None else dose.ask
            told.append(_told(store, now, dose, ask))
            left.append(told[-1])
        else:
            left.append(dose)
    told += [
        # One message a slot: the others of it are asked again at their own moment, but the family hears of them now.
        _told(store, now, mate, mate.ask or (mate.tell if mate.state is State.ASKED and mate.tell > now else None))
        for due in sorted({dose.due for dose in told})
        for mate in open_doses(store, zone) if mate.due == due and mate.told is None
    ]
    marked = {dose.id: dose for dose in told}
    return Settled(
        tuple(missed), tuple(unknown), tuple(told), frozenset(old), tuple(marked.get(dose.id, dose) for dose in left)
    )


def _told(store: Store, now: datetime, dose: Dose, ask: datetime | None) -> Dose:
    """The family is told of it now, once."""
    row = store.update("dose", dose.id, **_columns(dose, {"told": now, "ask": ask}))
    store.note_down(now, "dose.told", dose.id)
    return read(row, dose.due.tzinfo or UTC)


def came_back(
    store: Store, household: Household, now: datetime, since: datetime | None, trusted: bool = True
) -> tuple[Dose, ...]:
    """After an outage or a step forward: what nobody could ask about is UNKNOWN, what is inside its limit is asked.

    Returns those the family does not know of yet, now marked as told: the caller sends one summary. The others were
    asked about and told of before; they stand in the digest.
    """
    zone = household.zone
    long_off = since is not None and now - since > LONG_OFF
    unknown: list[Dose] = []
    with store.atomic():
        plan(store, household, now, since)
        if not trusted:
            return ()
        until = stamp(now)
        for dose in held(store, zone, lambda row: row["due_at"] <= until):
            if now >= dose.limit or long_off:
                # Told before the outage and unanswered until the limit while we still lived: that was missed.
                alive = since is not None and dose.state is not State.PLANNED and dose.limit <= since
                event = Event.LIMIT if alive else Event.LOST
                closed = move(store, now, dose, event, told=dose.told or now)
                if dose.told is None:
                    unknown.append(closed)
            elif dose.state in (State.PLANNED, State.DUE) and now - dose.due >= JUST_NOW:
                move(store, now, dose, Event.OFF, ask=now)
    return tuple(unknown)


def shift(store: Store, by: timedelta, zone: tzinfo) -> None:
    """The wall clock jumped by `by`: questions promised in so many minutes keep their distance."""
    for dose in open_doses(store, zone):
        changes = {"ask": max(dose.ask + by, dose.due) if dose.ask else None}
        store.update("dose", dose.id, **(_columns(dose, changes) or {"wake_at": dose.wake}))


# --- planning -----------------------------------------------------------------------------------------------------


def _runs(medicine: Medicine, day: date) -> bool:
    return not (medicine.started and day < medicine.started) and not (medicine.stopped and day > medicine.stopped)


def occurrences(medicine: Medicine, after: datetime, until: datetime) -> list[datetime]:
    """Moments in (after, until] at which the medicine is due."""
    if medicine.schedule is None:
        return []
    found: list[datetime] = []
    for due in medicine.schedule.between(after, until):
        if _runs(medicine, due.date()):
            found.append(due)
            if len(found) >= MANY:
                break
    return found


def next_due(medicine: Medicine, after: datetime) -> datetime | None:
    """The next moment at which the medicine is due, within two years."""
    due = medicine.schedule.next(after) if medicine.schedule else None
    while due is not None and not _runs(medicine, due.date()):
        if medicine.stopped and due.date() > medicine.stopped:
            return None
        start = datetime.combine(medicine.started or due.date(), time(0), tzinfo=after.tzinfo) - timedelta(seconds=1)
        due = medicine.schedule.next(max(due, start)) if medicine.schedule else None
    return due


def plan(store: Store, household: Household, now: datetime, since: datetime | None = None, ahead: timedelta = AHEAD) -> None:
    """Lay out the rows of the next two days, and at least the next one of each medicine.

    Slots of an outage (`since` before `now`) are laid out too, so that they can be closed as UNKNOWN. Changes by the
    family are applied: future rows that are no longer on the schedule are removed, open ones of a stopped medicine
    are closed as skipped, closed ones are never touched. Doing it twice changes nothing.
    """
    zone = household.zone
    now = now.astimezone(zone)
    with store.atomic():
        known = held(store, zone)
        begin: dict[str, datetime] = {}
        if since is not None and since < now:
            back = max(since.astimezone(zone), now - BACK_CATALOGUE)
            begin = {str(name): back for (name,) in store.db.execute("SELECT DISTINCT medicine FROM dose")}
        wanted = _wanted(household, now, ahead, begin)
        for dose in known:
            _edit(store, household, now, dose, wanted)
        _lay_out(store, now, wanted)


def plan_day(store: Store, household: Household, now: datetime) -> bool:
    """Lay out what a new local day adds; returns whether it has begun since the last time.

    The rows there are already follow the family's file: every start, edit and step of the clock goes through `plan`.
    """
    now = now.astimezone(household.zone)
    if store.setting("dose.planned") == now.date().isoformat():
        return False
    with store.atomic():
        _lay_out(store, now, _wanted(household, now, AHEAD, {}))
    return True


_Slots = dict[tuple[str, str, str], tuple[Medicine, datetime]]
"""(medicine, local day, slot) → what is due then."""


def _wanted(household: Household, now: datetime, ahead: timedelta, begin: Mapping[str, datetime]) -> _Slots:
    """The slots of the time ahead, and at least the next one of each medicine; of some medicines from an earlier moment on."""
    wanted: _Slots = {}
    for medicine in household.medicines:
        dues = occurrences(medicine, begin.get(medicine.name, now), now + ahead)
        if not any(due > now for due in dues) and (following := next_due(medicine, now)):
            dues.append(following)
        for due in dues:
            wanted[medicine.name, due.date().isoformat(), f"{due.hour:02d}:{due.minute:02d}"] = (medicine, due)
    return wanted


def _lay_out(store: Store, now: datetime, wanted: _Slots) -> None:
    """A row for each slot that has none."""
    first = min((day for _, day, _ in wanted), default="")
    existing = set(store.db.conn.execute("SELECT medicine, day, slot FROM dose WHERE day >= ?", [first]).fetchall()) if wanted else set()
    for (name, day, slot), (medicine, due) in wanted.items():
        if (name, day, slot) not in existing:
            until = limit(medicine, due)
            store.insert(
                "dose", medicine=name, day=day, slot=slot, state=State.PLANNED.value, due_at=due,
                limit_at=until, tell_at=tell(medicine, due, until), wake_at=due,
            )
    store.remember("dose.planned", now.date().isoformat())


def _edit(store: Store, household: Household, now: datetime, dose: Dose, wanted: _Slots) -> None:
    """Apply what the family's file says to a row that is not closed."""
    medicine = household.medicine(dose.medicine)
    goes_on = medicine is not None and medicine.schedule is not None and _runs(medicine, dose.day)
    if dose.state is not State.PLANNED:
        if not goes_on:
            move(store, now, dose, Event.WITHDRAWN, reason="家人停了这个药")
        return
    here = wanted.get((dose.medicine, dose.day.isoformat(), dose.slot))
    if here is None and medicine is not None and goes_on and medicine.schedule is not None and medicine.schedule.on(dose.day):
        due = datetime.combine(dose.day, dose.clock, tzinfo=household.zone)
        if dose.clock in medicine.schedule.times():
            here = (medicine, due)  # on the schedule, only outside the window
    if here is None:
        with store.atomic():
            store.delete("dose", dose.id)
            store.note_down(now, "dose.withdrawn", dose.id, f"{dose.medicine} {dose.day} {dose.slot}")
        return
    medicine, due = here
    until = limit(medicine, due)
    told = tell(medicine, due, until)
    changes = {"due": due, "limit": until, "tell": min(max(told, dose.tell), until) if dose.ask else told}
    if columns := _columns(dose, changes):
        store.update("dose", dose.id, **columns)


# --- guards -------------------------------------------------------------------------------------------------------


def too_soon(store: Store, medicine: Medicine, now: datetime, zone: tzinfo, but: int = 0) -> Dose | None:
    """A dose of the medicine taken so short a time ago that a second 吃了 is not recorded; None if there is none."""
    found = last_taken(store, zone, medicine.name, _later(now, -spoken_gap(medicine), zone))
    return found if found is not None and found.id != but and found.taken is not None and found.taken <= now + EARLY else None


def postpone(store: Store, now: datetime, medicine: Medicine, dose: Dose, zone: tzinfo) -> datetime | None:
    """When a due dose may be asked, given the one before: a late one pushes it on. None: not before its limit.

    Returns `now` if nothing stands against it.
    """
    before = last_taken(store, zone, medicine.name, _later(now, -medicine.min_gap, zone))
    if before is None or before.taken is None or before.id == dose.id or before.taken > now:
        return now
    free = _later(before.taken, min(medicine.min_gap, _cap(medicine)), zone)
    if free <= now:
        return now
    return free if free < dose.limit else None


def _cap(medicine: Medicine) -> timedelta:
    """With a schedule tighter than its `min_gap` the schedule's own interval counts, less a quarter of an hour."""
    if medicine.schedule is None:
        return medicine.min_gap
    times = sorted(t.hour * 60 + t.minute for t in medicine.schedule.times())
    gaps = [b - a for a, b in zip(times, [*times[1:], times[0] + 1440], strict=True)] if times else [1440]
    return timedelta(minutes=min(gaps)) - timedelta(minutes=15)


def taken_today(store: Store, medicine: str, now: datetime, zone: tzinfo) -> list[Dose]:
    """All doses of a medicine taken on the local day of `now`, oldest first."""
    midnight = datetime.combine(now.astimezone(zone).date(), time(0), tzinfo=zone)
    return find(store, zone, "medicine = ? AND taken_at >= ? AND taken_at <= ? AND state = 'taken'", medicine, midnight, now,
                order="taken_at")


def nearest(store: Store, household: Household, now: datetime, medicine: str = "") -> list[Dose]:
    """The doses that 我吃药了 can mean: open ones, else the planned ones of the nearest slot that may be taken early."""
    zone = household.zone
    until = stamp(_later(now, EARLY, zone))
    near = [
        d for d in held(store, zone, lambda row: row["due_at"] <= until)
        if (not medicine or d.medicine == medicine) and now < d.limit
    ]
    already_due = [d for d in near if d.due <= now or d.state is not State.PLANNED]
    if already_due:
        return already_due
    early = [d for d in near if now >= _early_from(household, d)]
    return [d for d in early if d.due == early[0].due]


def _early_from(household: Household, dose: Dose) -> datetime:
    medicine = household.medicine(dose.medicine)
    if medicine is None or medicine.schedule is None:
        return dose.due
    before = list(medicine.schedule.between(dose.due - timedelta(days=1), _later(dose.due, timedelta(seconds=-1), household.zone)))
    span = min(EARLY, timedelta(seconds=dose.due.timestamp() - before[-1].timestamp()) / 2) if before else EARLY
    return _later(dose.due, -span, household.zone)


# --- stock --------------------------------------------------------------------------------------------------------


def count_stock(store: Store, household: Household, now: datetime) -> None:
    """Take over the family's count where it is new or has changed since it was last read."""
    known = {row["key"]: row["value"] for row in store.find("setting", "key GLOB 'stock.*'")}
    for medicine in household.medicines:
        key = f"stock.{medicine.name}"
        written = "" if medicine.stock is None else str(medicine.stock)
        if known.get(key, "") != written:
            with store.atomic():
                store.remember(key, written)
                if medicine.stock is not None:
                    store.insert("stock", medicine=medicine.name, kind="counted", units=medicine.stock, at=now)


def restock(store: Store, now: datetime, medicine: Medicine, units: float) -> None:
    """新买了两盒."""
    with store.atomic():
        store.insert("stock", medicine=medicine.name, kind="bought", units=units, at=now)
        store.note_down(now, "stock.bought", text=f"{medicine.name} +{units:g}")


def units_left(store: Store, medicine: Medicine) -> float | None:
    """Units left: the last count, plus what was bought, minus what was taken since. None if nobody ever counted."""
    return _left(store, medicine, store.find("stock", "medicine = ?", medicine.name, order="at, rowid"))


def all_left(store: Store, medicines: Iterable[Medicine]) -> list[tuple[Medicine, float]]:
    """Units left of those of these that anybody has counted; the shelf is looked at once, not once for each."""
    rows: dict[str, list[Row]] = {}
    for row in store.find("stock", order="at, rowid"):
        rows.setdefault(row["medicine"], []).append(row)
    return [(m, left) for m in medicines if (left := _left(store, m, rows.get(m.name, ()))) is not None]


def _left(store: Store, medicine: Medicine, rows: Sequence[Row]) -> float | None:
    """From all that was counted and bought of a medicine, oldest first."""
    counts = [row for row in rows if row["kind"] == "counted"]
    if not counts:
        return None
    since = counts[-1]["at"]
    bought = sum(row["units"] for row in rows if row["kind"] == "bought" and row["at"] >= since)
    used = store.count("dose", "medicine = ? AND state = 'taken' AND taken_at >= ?", medicine.name, since) * medicine.units
    return float(max(0.0, counts[-1]["units"] + bought - used))


def days_left(store: Store, medicine: Medicine, now: datetime) -> int | None:
    """Whole days the stock lasts on the schedule; None if not counted, not scheduled, or longer than a year."""
    return lasts(medicine, units_left(store, medicine), now)


def lasts(medicine: Medicine, left: float | None, now: datetime) -> int | None:
    """The same of so many units."""
    if left is None or medicine.schedule is None or medicine.units <= 0:
        return None
    doses = int(left / medicine.units + 1e-9)
    clocks = medicine.schedule.times()
    today = sum(datetime.combine(now.date(), clock, tzinfo=now.tzinfo) > now for clock in clocks)
    out = _runs_out(medicine.schedule, doses, now.date(), today)
    return max(0, (out.replace(tzinfo=now.tzinfo) - now).days) if out is not None else None


@lru_cache(maxsize=1024)
def _runs_out(rule: Recurrence, doses: int, today: date, left_today: int) -> datetime | None:
    """Local time of the first dose there is none for, within a year."""
    clocks = sorted(rule.times())
    for number in range(361):
        day = today + timedelta(days=number)
        if rule.on(day):
            count = len(clocks) if number else left_today
            if doses < count:
                return datetime.combine(day, clocks[len(clocks) - count + doses])
            doses -= count
    return None


# --- counting -----------------------------------------------------------------------------------------------------


def unseen(store: Store, zone: tzinfo, now: datetime, days: int = 7) -> list[Dose]:
    """Missed and unknown doses the family was told of and nobody has seen yet: they stand in the daily digest."""
    return find(
        store, zone, "state IN ('missed', 'unknown') AND told_at IS NOT NULL AND seen_at IS NULL AND due_at >= ?",
        _later(now, timedelta(days=-days), zone),
    )


def saw(store: Store, now: datetime, doses: Iterable[Dose]) -> None:
    """Somebody of the family has seen it."""
    with store.atomic():
        for d in doses:
            store.update("dose", d.id, seen_at=now)


def by_slot(doses: Sequence[Dose]) -> list[list[Dose]]:
    """Doses of one moment together, in order."""
    groups: dict[datetime, list[Dose]] = {}
    for d in sorted(doses, key=lambda d: d.due):
        groups.setdefault(d.due, []).append(d)
    return list(groups.values())
