"""Help booked at home: a row from the elder's words to the visit and the question how it was.

States as people say them: 未送出 DRAFT, 已送出 SENT, 已确认 CONFIRMED, 改期 MOVED (the provider named another time and
the elder has not agreed yet), 取消 CANCELLED; after the visit DONE or NO_SHOW.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlite_utils import Database, Migrations

from assistant.home import Household, Service
from assistant.store import Row, Store
from assistant.when import WEEKDAYS


class State(StrEnum):
    """Where a booking stands."""

    DRAFT = "draft"
    SENT = "sent"
    CONFIRMED = "confirmed"
    MOVED = "moved"
    CANCELLED = "cancelled"
    DONE = "done"
    NO_SHOW = "no_show"


class Step(StrEnum):
    """What can happen to a booking."""

    DELIVER = "deliver"
    CONFIRM = "confirm"
    MOVE = "move"
    """The provider proposes another time."""
    CHANGE = "change"
    """The elder wants another time, or agrees to the provider's."""
    CANCEL = "cancel"
    CAME = "came"
    STAYED_AWAY = "stayed_away"


OPEN = (State.DRAFT, State.SENT, State.CONFIRMED, State.MOVED)
"""States in which somebody may still come."""

TRANSITIONS: dict[tuple[State, Step], State] = {
    (State.DRAFT, Step.DELIVER): State.SENT,
    (State.DRAFT, Step.CONFIRM): State.CONFIRMED,
    (State.SENT, Step.CONFIRM): State.CONFIRMED,
    (State.MOVED, Step.CONFIRM): State.CONFIRMED,
    **{(state, Step.MOVE): State.MOVED for state in (State.DRAFT, State.SENT, State.CONFIRMED, State.MOVED)},
    **{(state, Step.CHANGE): State.DRAFT for state in OPEN},
    **{(state, Step.CANCEL): State.CANCELLED for state in OPEN},
    **{(state, Step.CAME): State.DONE for state in OPEN},
    **{(state, Step.STAYED_AWAY): State.NO_SHOW for state in OPEN},
}

BEFORE = timedelta(hours=1)
"""How long before a visit the elder is told."""
AFTER = timedelta(hours=2)
"""How long after the agreed time 小伴 asks how it was."""

bookings = Migrations("booking")


@bookings()
def booking_table(db: Database) -> None:
    db.execute(
        "CREATE TABLE booking (id INTEGER PRIMARY KEY, service TEXT NOT NULL, visit_at TEXT NOT NULL,"
        " note TEXT NOT NULL DEFAULT '', state TEXT NOT NULL, created TEXT NOT NULL, proposed TEXT NOT NULL DEFAULT '',"
        " announced INTEGER NOT NULL DEFAULT 0, asked INTEGER NOT NULL DEFAULT 0, wake_at TEXT,"
        " crc INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute("CREATE INDEX booking_by_state ON booking (state, visit_at)")


@dataclass(frozen=True, slots=True)
class Booking:
    """One row."""

    id: int
    service: str
    visit: datetime
    """Local and naive, as agreed with a person."""
    note: str
    state: State
    proposed: str
    """The provider's other time, ISO local, or empty."""
    announced: bool
    """Whether the elder has been told that the visit is near."""
    asked: int
    """How often it was asked how the visit was."""


def create(store: Store, now: datetime, service: str, visit: datetime, note: str = "") -> int:
    """A new booking, not sent yet. `visit` is local and naive. Call it inside a transaction with its messages."""
    number = store.insert(
        "booking", service=service, visit_at=visit.isoformat(timespec="minutes"), note=note, state=State.DRAFT,
        created=now, wake_at=_wake(visit, now, announced=False),
    )
    store.note_down(now, "booking.created", number, f"{service} {visit:%Y-%m-%d %H:%M}")
    return number


def step(store: Store, now: datetime, booking: Booking, what: Step, visit: datetime | None = None, proposed: str = "") -> bool:
    """One transition and its log line. False if the state does not allow it: nothing is changed then."""
    state = TRANSITIONS.get((booking.state, what))
    if state is None:
        return False
    with store.atomic():
        when = visit or booking.visit
        announced = booking.announced and visit is None
        store.update(
            "booking", booking.id, state=state, visit_at=when.isoformat(timespec="minutes"), proposed=proposed,
            announced=int(announced), wake_at=_wake(when, now, announced) if state in OPEN else None,
        )
        store.note_down(now, f"booking.{what}", booking.id, f"{booking.service} {when:%Y-%m-%d %H:%M}")
    return True


def announced(store: Store, now: datetime, booking: Booking) -> None:
    """The elder knows that the visit is near; next, the question how it was."""
    with store.atomic():
        store.update("booking", booking.id, announced=1, wake_at=_local(booking.visit, now) + AFTER)
        store.note_down(now, "booking.announced", booking.id)


def asked(store: Store, now: datetime, booking: Booking) -> None:
    """The question how it was has been put; once more in an hour, then never."""
    with store.atomic():
        store.update("booking", booking.id, asked=booking.asked + 1, wake_at=now + timedelta(hours=1) if booking.asked < 1 else None)


def get(store: Store, number: int) -> Booking | None:
    """One booking."""
    row = store.get("booking", number)
    return _booking(row) if row else None


def coming(store: Store, now: datetime, service: str = "") -> list[Booking]:
    """Bookings that may still take place, earliest first."""
    since = (now - AFTER).replace(tzinfo=None).isoformat(timespec="minutes")
    rows = store.find(
        "booking", f"state IN ({', '.join('?' * len(OPEN))}) AND visit_at >= ? AND (? = '' OR service = ?)",
        *OPEN, since, service, service, order="visit_at",
    )
    return [_booking(row) for row in rows]


# --- when can they come -----------------------------------------------------------------------------------------------


def open_at(service: Service, visit: datetime) -> bool:
    """Whether the service works at this local time."""
    day = WEEKDAYS[visit.weekday()]
    return not service.hours or any(h.day == day and h.opens <= visit.time() < h.closes for h in service.hours)


def open_on(service: Service, day: date) -> bool:
    """Whether the service works at all on this day."""
    return not service.hours or any(h.day == WEEKDAYS[day.weekday()] for h in service.hours)


def early_enough(service: Service, visit: datetime, now: datetime) -> bool:
    """Whether there is enough notice; a day's notice means before the day begins, as a person counts days."""
    local = now.replace(tzinfo=None)
    if service.notice >= timedelta(days=1) and service.notice % timedelta(days=1) == timedelta(0):
        return visit.date() - local.date() >= service.notice
    return visit - local >= service.notice


def nearest(service: Service, wanted: datetime, now: datetime) -> datetime | None:
    """The possible time nearest to what was wanted, at the same clock time if that is open; None within 60 days."""
    local = now.replace(tzinfo=None)
    found = [t for t in _possible(service, wanted, now) if t > local]
    return min(found, key=lambda t: (abs(t - wanted), t < wanted), default=None)


def _possible(service: Service, wanted: datetime, now: datetime) -> Iterator[datetime]:
    for distance in range(-14, 60):
        day = wanted.date() + timedelta(days=distance)
        for hours in service.hours or ():
            if hours.day == WEEKDAYS[day.weekday()]:
                last = (datetime.combine(day, hours.closes) - timedelta(hours=1)).time()
                clock = min(max(wanted.time(), hours.opens), max(last, hours.opens))
                if early_enough(service, moment := datetime.combine(day, clock), now):
                    yield moment
        if not service.hours and early_enough(service, moment := datetime.combine(day, wanted.time()), now):
            yield moment


def at_clock(day: date, clock: time) -> datetime:
    """A day and a time of day together."""
    return datetime.combine(day, clock)


# --- what is sent ---------------------------------------------------------------------------------------------------


def calendar_file(booking: Booking, household: Household, now: datetime) -> str:
    """An RFC 5545 file for provider and family; the elder's name and the time, no illnesses and no door code."""
    from icalendar import Calendar, Event  # seldom needed, and a twentieth of what a start loads

    calendar = Calendar()
    calendar.add("prodid", "-//xiaoban//booking//ZH")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if booking.state is State.CANCELLED else "REQUEST")
    event = Event()
    event.add("uid", f"booking-{booking.id}-{booking.visit:%Y%m%dT%H%M}@xiaoban")
    event.add("dtstamp", now)
    start = _local(booking.visit, now)
    event.add("dtstart", start)
    event.add("dtend", start + timedelta(hours=1))
    event.add("summary", f"{booking.service}：{household.elder.call}家")
    if household.elder.address:
        event.add("location", household.elder.address)
    if booking.note:
        event.add("description", booking.note)
    event.add("status", "CANCELLED" if booking.state is State.CANCELLED else "TENTATIVE")
    calendar.add_component(event)
    return str(calendar.to_ical().decode())


def _booking(row: Row) -> Booking:
    return Booking(
        int(row["id"]), str(row["service"]), datetime.fromisoformat(row["visit_at"]), str(row["note"]),
        State(row["state"]), str(row["proposed"]), bool(row["announced"]), int(row["asked"]),
    )


def _local(visit: datetime, now: datetime) -> datetime:
    return visit.replace(tzinfo=now.tzinfo)


def _wake(visit: datetime, now: datetime, announced: bool) -> datetime:
    start = _local(visit, now)
    return start + AFTER if announced or start - BEFORE <= now else start - BEFORE
