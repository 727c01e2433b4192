"""Video calls, telephone calls and messages the elder asked for: each a row until somebody answered or nobody did."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from urllib.parse import quote

from sqlite_utils import Database, Migrations

from assistant.care import message
from assistant.home import Contact, Household
from assistant.store import Row, Store, moment

PURPOSE = message.PROMISED
"""Purpose of a request's messages and calls."""

Kind = Literal["video", "voice", "callback", "message", "incoming"]
"""voice rings; callback is a message that asks to be rung; incoming is somebody who rings us."""


class State(StrEnum):
    """Where a request stands."""

    NOTED = "noted"
    """Written down; not out of the house."""
    HELD_UP = "held_up"
    """Tried and not sent: no network. The elder knows."""
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    NOBODY = "nobody"
    """Nobody answered in time."""
    OFFERED = "offered"
    """The other said yes when it was no longer waited for: the elder is asked before her room is shown."""
    DONE = "done"
    GIVEN_UP = "given_up"


class Step(StrEnum):
    """What can happen to a request."""

    OK = "ok"
    FAIL = "fail"
    ACCEPT = "accept"
    OFFER = "offer"
    """Yes, too late to be expected."""
    DECLINE = "decline"
    TIMEOUT = "timeout"
    FINISH = "finish"
    EXPIRE = "expire"


TRANSITIONS: dict[tuple[State, Step], State] = {
    (State.NOTED, Step.OK): State.SENT,
    (State.NOTED, Step.FAIL): State.HELD_UP,
    (State.HELD_UP, Step.OK): State.SENT,
    (State.HELD_UP, Step.EXPIRE): State.GIVEN_UP,
    (State.NOTED, Step.EXPIRE): State.GIVEN_UP,
    (State.SENT, Step.TIMEOUT): State.NOBODY,
    (State.NOTED, Step.TIMEOUT): State.NOBODY,
    (State.SENT, Step.FINISH): State.DONE,
    **{(state, Step.ACCEPT): State.ACCEPTED for state in (State.NOTED, State.HELD_UP, State.SENT, State.NOBODY)},
    **{(state, Step.DECLINE): State.DECLINED for state in (State.NOTED, State.HELD_UP, State.SENT, State.NOBODY)},
    **{(state, Step.OFFER): State.OFFERED for state in (State.NOTED, State.HELD_UP, State.SENT, State.NOBODY)},
    (State.OFFERED, Step.ACCEPT): State.ACCEPTED,
    (State.OFFERED, Step.DECLINE): State.DECLINED,
    (State.OFFERED, Step.TIMEOUT): State.NOBODY,
    (State.NOTED, Step.FINISH): State.DONE,
    (State.ACCEPTED, Step.FINISH): State.DONE,
}

PATIENCE: Mapping[str, timedelta] = {"video": timedelta(minutes=5), "callback": timedelta(minutes=10)}
"""How long an answer is waited for before the elder is told that nobody answered, by kind."""

HELPING = timedelta(minutes=10)
"""Longest conversation during an alarm that nobody has taken yet: so long the ladder rings nobody else."""
REDIAL = timedelta(minutes=10)
"""A telephone call the elder asked for longer ago than this is not begun again after a power cut."""
REMEMBERED = timedelta(days=1)
"""打回去 and 谁给我打的电话 speak of calls no older than this."""
STALE = timedelta(hours=12)
"""A call request older than this is pointless; a message is not."""


@dataclass(frozen=True, slots=True)
class Request:
    """One row."""

    id: int
    kind: Kind
    person: str
    state: State
    message: int
    """Id in the outbox."""
    text: str
    """Words of a message; the number of an incoming call."""
    link: str
    """Room of a video call; key of an incoming call."""
    asked: datetime


requests = Migrations("request")


@requests()
def request(db: Database) -> None:
    db.execute(
        "CREATE TABLE request (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, person TEXT NOT NULL, state TEXT NOT NULL,"
        " message INTEGER NOT NULL DEFAULT 0, text TEXT NOT NULL DEFAULT '', link TEXT NOT NULL DEFAULT '',"
        " asked_at TEXT NOT NULL, wake_at TEXT, crc INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute("CREATE INDEX request_by_message ON request (message)")


def begin(
    store: Store, now: datetime, household: Household, kind: Kind, contact: Contact, *, title: str, body: str, text: str = "",
    recorded: bool = False,
) -> Request:
    """Write the request and its outbox row in one transaction. `{link}` in the body becomes the room.

    `recorded`: the elder's voice is to go with it (`message.recording` is the name it is to be kept under).
    """
    with store.atomic():
        number = store.insert("request", kind=kind, person=contact.name, state=State.NOTED.value, text=text, asked_at=now)
        code = hashlib.sha256(f"{number} {now.isoformat()} {contact.name} {household.elder.name}".encode()).hexdigest()[:12]
        link = room(household, contact, code) if kind == "video" else ""
        line = message.telephone(household)
        rings = kind == "voice" and line is not None
        key = f"{'t' if kind == 'message' else 'r'}-{code}"
        posted = message.post(
            store, now, purpose=PURPOSE, person=contact.name, incident=number, title=title,
            channels=(line.name,) if rings and line is not None else contact.notify, key=key,
            body="" if rings else body.replace("{link}", link), kind="call" if rings else "text",
            number=contact.phone if rings else "", life=message.LIFE if kind == "message" else STALE,
            recording=f"{key}.mp3" if recorded else "",
        )
        store.update("request", number, message=posted, link=link)
        store.note_down(now, "request.noted", number, kind)
    return known(store, number)


def rang(store: Store, now: datetime, household: Household, key: str, number: str) -> Request:
    """Somebody rings: who it is as far as the number says, empty for strangers. It is asked about once the floor is free."""
    caller = contact_of(household, number)
    with store.atomic():
        row = store.insert(
            "request", kind="incoming", person=caller.name if caller is not None else "", state=State.NOTED.value,
            text=number, link=key, asked_at=now, wake_at=now,
        )
        store.note_down(now, "request.rang", row, caller.name if caller is not None else "stranger")
    return known(store, row)


def contact_of(household: Household, number: str) -> Contact | None:
    """Whose number or address it is: +86 138… and 0086138… are 138…; a landline counts with its area code."""
    wanted = _line(number)
    return next((c for c in household.ladder if c.phone and _line(c.phone) == wanted), None) if wanted else None


def _line(number: str) -> str:
    """The number; or, of a caller without one, `name@host` in small letters (RFC 3261 tells names by case, families do not)."""
    address = re.sub(r"^sips?:", "", number.strip()).partition(";")[0].lower()
    return _bare(number) or (re.sub(r":\d+$", "", address) if re.fullmatch(r"[^@\s]+@[^@\s]+", address) else "")


def _bare(number: str) -> str:
    """`sip:+86-138…@host` → `138…`; empty for what is no telephone number."""
    user = re.sub(r"^sips?:", "", number.strip()).partition("@")[0].partition(";")[0]
    digits = re.sub(r"[\s().-]", "", user)
    bare = re.sub(r"^(\+86|0086|86(?=1[3-9]\d{9}$))", "", digits)
    return bare if re.fullmatch(r"\+?\d{5,15}", bare) else ""


VOICE = "voice."
"""Setting: whether the elder wants her voice sent to the person named after the dot, `yes` or `no`; empty until she was asked."""


def consent(store: Store, contact: Contact) -> str:
    """Her answer, where the family has agreed too: `yes`, `no`, or empty for not asked."""
    return store.setting(VOICE + contact.name) if contact.recordings else "no"


def consented(store: Store, contact: Contact, answer: Literal["yes", "no", ""]) -> None:
    """She has said it, or is to be asked again."""
    store.remember(VOICE + contact.name, answer)


def recordable(store: Store, household: Household) -> bool:
    """Whether there is anybody whom her voice may go to: only then does the ear remember sound at all."""
    return any(consent(store, contact) != "no" for contact in household.family)


def of_call(store: Store, key: str) -> Request | None:
    """The request of a telephone call: one that rang us, or one the elder asked for."""
    rows = store.find("request", "kind = 'incoming' AND link = ?", key, order="id DESC", limit=1)
    if rows:
        return _request(rows[0])
    sent = message.by_key(store, key)
    return of_message(store, sent[0]) if sent is not None else None


def incoming(store: Store, now: datetime) -> list[Request]:
    """Who rang in the last day and rings no longer, the newest first."""
    rows = store.find("request", "kind = 'incoming' AND state <> 'noted' AND asked_at > ?", now - REMEMBERED, order="id DESC")
    return [_request(row) for row in rows]


def last_call(store: Store, now: datetime) -> Request | None:
    """The last call of the day with somebody known, whoever of the two rang."""
    rows = store.find("request", "kind IN ('incoming', 'voice') AND person <> '' AND asked_at > ?", now - REMEMBERED, order="id DESC", limit=1)
    return _request(rows[0]) if rows else None


def talking(store: Store, now: datetime) -> Request | None:
    """The conversation with a contact that is going on, if one is; none is believed to last longer than `HELPING`. Strangers hold up nothing."""
    rows = store.find(
        "request", "kind IN ('incoming', 'voice') AND state = 'accepted' AND person <> '' AND asked_at > ?", now - HELPING,
        order="id DESC", limit=1,
    )
    return _request(rows[0]) if rows else None


def free_the_line(store: Store, now: datetime) -> tuple[str, ...]:
    """An alarm needs the telephone: calls of hers that still ring and strangers' are over, a contact she talks with stays. Returns their keys."""
    keys = []
    with store.atomic():
        for row in store.find("request", "kind = 'voice' AND state = 'noted' OR kind = 'incoming' AND person = '' AND state = 'accepted'"):
            one = _request(row)
            step(store, now, one, Step.FINISH if one.kind == "incoming" else Step.EXPIRE)
            dialled = message.get(store, one.message)
            message.withdraw_one(store, one.message)
            keys.append(dialled.key if dialled is not None else one.link)
    return tuple(keys)


def resume(store: Store, now: datetime) -> None:
    """After a start no call is in the air and no room on the screen; a call the elder asked for just now is rung again, an old one is not."""
    with store.atomic():
        unshown(store, now)
        for row in store.find("request", "kind = 'incoming' AND state IN ('noted', 'accepted')"):
            one = _request(row)
            step(store, now, one, Step.FINISH if one.state is State.ACCEPTED else Step.TIMEOUT)
        for row in store.find("request", "kind = 'voice' AND state IN ('noted', 'accepted') AND asked_at <= ?", now - REDIAL):
            one = _request(row)
            message.withdraw_one(store, one.message)
            step(store, now, one, Step.FINISH if one.state is State.ACCEPTED else Step.EXPIRE)


def awaited(store: Store, now: datetime, one: Request) -> bool:
    """Whether the elder still waits for an answer; a later one comes to her out of the blue."""
    if one.state is State.SENT:
        row = store.get("request", one.id)
        return row is None or row["wake_at"] is None or now < moment(row["wake_at"])
    return one.state in (State.NOTED, State.HELD_UP) and now - one.asked < PATIENCE.get(one.kind, STALE)


def offered(store: Store, one: Request) -> datetime | None:
    """When the other said yes, of a request that is OFFERED."""
    row = store.get("request", one.id)
    return moment(row["wake_at"]) if row is not None and row["wake_at"] is not None else None


def unshown(store: Store, now: datetime) -> bool:
    """No room is on the screen any more, however long ago it was opened; False if none was."""
    rows = store.find("request", "kind = 'video' AND state = 'accepted' AND link != ''")
    with store.atomic():
        for row in rows:
            step(store, now, _request(row), Step.FINISH)
    return bool(rows)


def room(household: Household, contact: Contact, code: str) -> str:
    """The link of a video room; empty if the family gave no template."""
    template = contact.room or household.room
    return template.replace("{person}", quote(contact.name)).replace("{code}", code)


def known(store: Store, number: int) -> Request:
    """One request. Raises KeyError if there is none."""
    row = store.get("request", number)
    if row is None:
        raise KeyError(("request", number))
    return _request(row)


def of_message(store: Store, number: int) -> Request | None:
    """The request an outbox row belongs to."""
    rows = store.find("request", "message = ?", number)
    return _request(rows[0]) if rows else None


def step(store: Store, now: datetime, one: Request, what: Step) -> Request | None:
    """One transition; None where the table has none, and nothing is changed."""
    present = known(store, one.id)
    state = TRANSITIONS.get((present.state, what))
    if state is None:
        return None
    patience = PATIENCE.get(present.kind)
    wake = now if state is State.OFFERED else now + patience if state is State.SENT and patience is not None else None
    with store.atomic():
        store.update("request", one.id, state=state.value, wake_at=wake)
        store.note_down(now, f"request.{state.value}", one.id, present.kind)
    return known(store, one.id)


def postpone(store: Store, number: int, wake: datetime | None) -> None:
    """Ask later, or not by itself."""
    store.update("request", number, wake_at=wake)


def shift(store: Store, by: timedelta) -> None:
    """The wall clock jumped: patience counts elapsed time."""
    with store.atomic():
        for row in store.awake("request"):
            store.update("request", int(row["id"]), wake_at=moment(row["wake_at"]) + by)


def _request(row: Row) -> Request:
    return Request(
        int(row["id"]), row["kind"], row["person"], State(row["state"]), row["message"], row["text"], row["link"],
        moment(row["asked_at"]),
    )
