"""The outbox: every message and call is a row first, is sent until it is sent, and repeats itself with one key.

A row is one message to one person over that person's channels, best first. `attempt` marks it SENDING and gives the
action; `settle` takes the report. A report that never comes (power cut, hung peer) is met by `wake_at`, which is the
deadline of the attempt: the same row goes out again with the same idempotency key. So does one that may have arrived or
not: on the same channel a few times, then on the next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from sqlite_utils import Database, Migrations

from assistant.home import Channel, Contact, Household
from assistant.messages import TOGETHER, Call, Delivered, Notify
from assistant.store import Row, Store, moment, remembered, stamp


class State(StrEnum):
    """Where a message stands. SENT means the next hop took it, never that a person saw it."""

    QUEUED = "queued"
    SENDING = "sending"
    WAITING = "waiting"
    """Failed or unanswered so far; tried again at `wake_at`."""
    SENT = "sent"
    ANSWERED = "answered"
    """A live person answered it."""
    FAILED = "failed"
    """A call that was not taken: whoever asked for it decides what comes next."""
    MERGED = "merged"
    """Its text went into the digest `merged`."""
    WITHDRAWN = "withdrawn"
    GIVEN_UP = "given_up"
    """Too old to be useful and still not sent; the elder is told. Never an alarm."""


class Step(StrEnum):
    """What can happen to a message."""

    TRY = "try"
    OK = "ok"
    FAIL = "fail"
    MAYBE = "maybe"
    """The peer may have it or not."""
    ANSWER = "answer"
    MERGE = "merge"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    RING_OUT = "ring_out"
    """A call ended without being taken."""


OPEN = (State.QUEUED, State.SENDING, State.WAITING)
"""States from which it can still be sent."""

TRANSITIONS: dict[tuple[State, Step], State] = {
    (State.QUEUED, Step.TRY): State.SENDING,
    (State.WAITING, Step.TRY): State.SENDING,
    (State.SENDING, Step.TRY): State.SENDING,
    (State.SENDING, Step.OK): State.SENT,
    (State.QUEUED, Step.OK): State.SENT,
    (State.WAITING, Step.OK): State.SENT,
    (State.SENDING, Step.FAIL): State.WAITING,
    (State.SENDING, Step.MAYBE): State.WAITING,
    (State.SENDING, Step.RING_OUT): State.FAILED,
    (State.QUEUED, Step.MERGE): State.MERGED,
    (State.WAITING, Step.MERGE): State.MERGED,
    (State.MERGED, Step.OK): State.SENT,
    (State.QUEUED, Step.EXPIRE): State.GIVEN_UP,
    (State.SENDING, Step.EXPIRE): State.GIVEN_UP,
    (State.WAITING, Step.EXPIRE): State.GIVEN_UP,
    (State.MERGED, Step.EXPIRE): State.GIVEN_UP,
    **{(state, Step.WITHDRAW): State.WITHDRAWN for state in (*OPEN, State.MERGED)},
    **{(state, Step.ANSWER): State.ANSWERED for state in (*OPEN, State.SENT, State.FAILED, State.MERGED)},
}
"""Anything else leaves the row as it is: a report that comes late changes nothing that is final."""

ALARM_DEADLINE = timedelta(seconds=8)
"""CARE: per message try 8 s in total."""
DEADLINE = timedelta(seconds=20)
"""Total deadline of an ordinary try."""
GRACE = timedelta(seconds=2)
"""The sender reports at its deadline; the row waits this much longer, so a dead channel yields within 10 s."""
KEY_WAIT = timedelta(seconds=25)
"""An answered alarm call without a key press (voicemail, a child) is left after this, so that a live answer on the
fourth of four contacts comes within 4 min: 3 × (30 + 25) + 30 s."""
TALK = timedelta(minutes=60)
"""Longest conversation between people before the line is given back."""
ALARM_LAP = timedelta(seconds=10)
"""Pause of an alarm after all its channels failed: constant, no back-off."""
ALARM_REPEATS = 1
REPEATS = 2
"""How often in a row a try that may have arrived is repeated on the same channel with the same key, before the next channel."""
BACKOFF = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=8), timedelta(minutes=30))
"""Pause of a notice after the n-th lap over its channels, ± a quarter drawn from its key."""
PROMISED = "request"
"""Purpose of what the elder asked for and was told would be sent as soon as the network is back."""
PROMISED_PAUSE = timedelta(minutes=8)
"""Longest pause of these: where the router stands and the internet behind it fails, nothing but a try finds out that it is back."""
AFTER_PROMISED = timedelta(seconds=2)
"""Other notices follow these when the network is back."""
SOUND_TRIES = 3
"""After so many tries that ended in nothing known (a slow line, a peer that hangs up on so much) the words go without the sound."""
LIFE = timedelta(days=7)
"""A notice older than this is given up, and the elder is told."""
MINUTE = timedelta(seconds=60)
PER_MINUTE = 15
"""Tries on one channel in any 60 s; 钉钉 and 企业微信 bots block at 20."""
RESERVED = 5
"""Of these, kept free for alarms."""
DIGEST_AGE = timedelta(minutes=10)
"""Notices that have waited longer than this go out together."""
DIGEST_COUNT = 3
"""Fewer are sent one by one."""
LATE = timedelta(minutes=10)
"""A message sent later than this says when it was written."""
NOT_KIN = ("邻居", "护士", "医生", "大夫", "社区", "物业", "护工", "保姆", "志愿者", "网格员", "同事")
"""Relations that are called in an emergency but are not told the everyday things (CARE 7: messages carry the least)."""
CALLING = frozenset({"sip", "sips"})
"""URL schemes that are a telephone."""


@dataclass(frozen=True, slots=True)
class Message:
    """One row of the outbox."""

    id: int
    key: str
    """Idempotency key; also what an acknowledgement names."""
    purpose: str
    """Who cares about the result: `emergency`, `booking`, `note`…"""
    person: str
    """Whom it is for; names of those who share its channel are joined by `TOGETHER`."""
    kind: Literal["text", "call"]
    channels: tuple[str, ...]
    """Best first."""
    place: int
    """Index of the channel that is tried next, or now."""
    laps: int
    """How often all channels have failed, or one was tried again because it may have worked."""
    tries: int
    title: str
    body: str
    attachment: str
    number: str
    card: str
    urgent: bool
    incident: int
    """Id of the incident or request it belongs to, or 0."""
    state: State
    created: datetime
    sent: datetime | None
    """When the next hop took it."""
    expires: datetime | None
    answer: str
    detail: str
    """What the last try said."""
    merged: int
    """Digest that carries this text, or 0."""
    wake: datetime | None

    @property
    def channel(self) -> str:
        """The channel that is tried next, or now; empty if the person has none."""
        return self.channels[self.place % len(self.channels)] if self.channels else ""


outbox = Migrations("message")


@outbox()
def messages_and_tries(db: Database) -> None:
    db.execute(
        "CREATE TABLE message (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, purpose TEXT NOT NULL,"
        " person TEXT NOT NULL, kind TEXT NOT NULL, channels TEXT NOT NULL, place INTEGER NOT NULL DEFAULT 0,"
        " laps INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0, title TEXT NOT NULL, body TEXT NOT NULL,"
        " attachment TEXT NOT NULL DEFAULT '', number TEXT NOT NULL DEFAULT '', card TEXT NOT NULL DEFAULT '',"
        " urgent INTEGER NOT NULL DEFAULT 0, incident INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL,"
        " created_at TEXT NOT NULL, not_before TEXT, sent_at TEXT, expires_at TEXT, answer TEXT NOT NULL DEFAULT '',"
        " detail TEXT NOT NULL DEFAULT '', merged INTEGER NOT NULL DEFAULT 0, wake_at TEXT, crc INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute("CREATE INDEX message_by_incident ON message (incident, state)")
    db.execute("CREATE INDEX message_by_wake ON message (wake_at)")
    # One row a try: the rate limit counts them, and what is said aloud about a channel rests on them.
    db.execute(
        "CREATE TABLE try (id INTEGER PRIMARY KEY, message INTEGER NOT NULL, channel TEXT NOT NULL, at TEXT NOT NULL,"
        " outcome TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT '', crc INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute("CREATE INDEX try_by_channel ON try (channel, at)")
    db.execute("CREATE INDEX try_by_message ON try (message)")


@outbox()
def messages_by_what_is_looked_for(db: Database) -> None:
    # A year of messages was walked through at every delivery, to find those merged into this one.
    db.execute("CREATE INDEX message_by_merged ON message (merged, state)")
    db.execute("CREATE INDEX message_by_state ON message (state)")


@outbox()
def recordings_of_messages(db: Database) -> None:
    # A table of its own: a column more would change the checksum of every message there is.
    db.execute("CREATE TABLE recording (id INTEGER PRIMARY KEY, message INTEGER NOT NULL UNIQUE, name TEXT NOT NULL, crc INTEGER NOT NULL DEFAULT 0)")


@outbox()
def messages_that_wake_or_were_merged(db: Database) -> None:
    # Every step of a message changed four indexes; once it has been sent it need not be in these.
    db.execute("DROP INDEX message_by_wake")
    db.execute("CREATE INDEX message_by_wake ON message (wake_at) WHERE wake_at IS NOT NULL")
    db.execute("DROP INDEX message_by_merged")
    db.execute("CREATE INDEX message_by_merged ON message (merged) WHERE state = 'merged'")
    db.execute("DROP INDEX message_by_incident")
    db.execute("CREATE INDEX message_by_incident ON message (incident)")


# --- writing ------------------------------------------------------------------------------------------------------


def post(
    store: Store,
    now: datetime,
    *,
    purpose: str,
    person: str,
    channels: Sequence[str],
    title: str,
    body: str,
    urgent: bool = False,
    key: str | None = None,
    incident: int = 0,
    attachment: str = "",
    kind: Literal["text", "call"] = "text",
    number: str = "",
    card: str = "",
    not_before: datetime | None = None,
    life: timedelta = LIFE,
    recording: str = "",
) -> int:
    """Put a message or call in the outbox; it leaves at the next turn of the loop. Returns its id.

    Call it inside the transaction of whatever it tells of. The same `key` twice is the same message. `recording`: name of the
    sound that goes with it where it can; the message never waits for it.
    """
    if key is not None and (known := by_key(store, key)) is not None:
        return known[0]
    wake = max(now, not_before) if not_before is not None else now
    with store.atomic():
        number_of_row = store.insert(
            "message", key=key or _new_key(store, now, purpose, person, title, body), purpose=purpose, person=person,
            kind=kind, channels=_written(tuple(channels)), title=title, body=body,
            attachment=attachment, number=number, card=card, urgent=int(urgent), incident=incident,
            state=State.QUEUED.value, created_at=now, not_before=not_before,
            expires_at=None if urgent else wake + life, wake_at=wake,
        )
        if recording:
            store.insert("recording", message=number_of_row, name=recording)
    return number_of_row


def tell_family(
    store: Store,
    now: datetime,
    household: Household,
    *,
    purpose: str,
    title: str,
    body: str,
    urgent: bool = False,
    only: Collection[str] | None = None,
) -> list[int]:
    """Post a notice to everyone in the family with a channel, one row a person; returns their ids.

    People with the very same channels (a family group) get it once. Neighbours and nurses are told only what is
    urgent, unless there is nobody else or `only` names them.
    """
    with store.atomic():
        return [
            post(
                store, now, purpose=purpose, person=circle[0].name, channels=circle[0].notify, title=title, body=body, urgent=urgent
            )
            for circle in circles(household, audience(household, urgent=urgent, only=only))
        ]


def audience(household: Household, *, urgent: bool = False, only: Collection[str] | None = None) -> list[Contact]:
    """Who is told: contacts with a channel, in the order of the ladder."""
    reachable = [contact for contact in household.ladder if contact.notify]
    if only is not None:
        return [contact for contact in reachable if contact.name in only]
    kin = [contact for contact in reachable if not any(word in contact.relation for word in NOT_KIN)]
    return reachable if urgent or not kin else kin


def circles(household: Household, contacts: Iterable[Contact]) -> list[tuple[Contact, ...]]:
    """Contacts with a channel; those with the very same addresses together."""
    found: dict[tuple[str, ...], list[Contact]] = {}
    for contact in contacts:
        if contact.notify:
            found.setdefault(tuple(_address(household, name) for name in contact.notify), []).append(contact)
    return [tuple(circle) for circle in found.values()]


def ways(household: Household) -> dict[str, tuple[Contact, ...]]:
    """Every channel of the contacts, in the order of the ladder, with all whom it reaches; two names of one address are one channel."""
    names: dict[str, str] = {}
    found: dict[str, list[Contact]] = {}
    for contact in household.ladder:
        for name in contact.notify:
            people = found.setdefault(names.setdefault(_address(household, name), name), [])
            if contact not in people:
                people.append(contact)
    return {name: tuple(people) for name, people in found.items()}


def private(household: Household, contact: Contact) -> tuple[str, ...]:
    """The channels of a contact that reach nobody else, neither in the family nor of the services."""
    lists = [*(one.notify for one in household.family if one is not contact), *(one.notify for one in household.services)]
    others = {_address(household, name) for names in lists for name in names}
    return tuple(name for name in contact.notify if _address(household, name) not in others)


def _address(household: Household, name: str) -> str:
    channel = household.channel(name)
    return channel.url if channel is not None else name


def telephone(household: Household) -> Channel | None:
    """The channel that can ring people: the first `sip:` one, or one the family named 电话."""
    return next(
        (c for c in household.channels if c.url.partition(":")[0].lower() in CALLING or c.name == "电话"), None
    )


# --- reading ------------------------------------------------------------------------------------------------------


def get(store: Store, number: int) -> Message | None:
    """One message, or None if there is none or its row is damaged."""
    row = store.get("message", number)
    return _message(row) if row is not None else None


def by_key(store: Store, key: str) -> tuple[int, str] | None:
    """(id, purpose) of the message an acknowledgement names."""
    rows = store.find("message", "key = ?", key)
    return (int(rows[0]["id"]), str(rows[0]["purpose"])) if rows else None


def of_incident(store: Store, purpose: str, incident: int, where: str = "1") -> list[Message]:
    """Messages and calls of one incident or request that meet a further SQL condition, oldest first."""
    return [
        _message(row) for row in store.find("message", f"incident = ? AND purpose = ? AND {where}", incident, purpose)
    ]


def people_of(store: Store, purpose: str, incident: int, where: str) -> tuple[str, ...]:
    """Who has a message of this incident that meets an SQL condition, in order of the first."""
    rows = store.db.execute(
        f"SELECT person FROM message WHERE incident = ? AND purpose = ? AND {where} GROUP BY person ORDER BY min(id)",
        [incident, purpose],
    )
    return tuple(person for (person,) in rows)


@dataclass(frozen=True, slots=True)
class Fate:
    """What has become of one or more messages of a person."""

    person: str
    kind: str
    state: State
    detail: str
    failed: bool
    """Whether a channel has refused it already."""


def any_sent(store: Store, purpose: str, incident: int) -> bool:
    """Whether any message of an incident has left the house."""
    rows = store.db.conn.execute(
        "SELECT 1 FROM message WHERE incident = ? AND state IN ('sent', 'answered') AND purpose = ? AND kind = 'text' LIMIT 1",
        [incident, purpose],
    )
    return rows.fetchone() is not None


def fates(store: Store, purpose: str, incident: int) -> list[Fate]:
    """What has become of the messages and calls of an incident: each fate once, in order of the first that met it."""
    rows = store.db.execute(
        "SELECT person, kind, state, detail, laps > 0 OR detail <> '' FROM message WHERE incident = ? AND purpose = ?"
        " GROUP BY 1, 2, 3, 4, 5 ORDER BY min(id)",
        [incident, purpose],
    )
    return [Fate(person, kind, State(state), detail, bool(failed)) for person, kind, state, detail, failed in rows]


STILL = "state IN ('queued', 'sending', 'waiting')"
"""SQL for `OPEN`."""


def waiting(store: Store) -> list[Message]:
    """Everything not yet sent, oldest first."""
    return [_message(row) for row in store.find("message", "state IN ('queued', 'sending', 'waiting')")]


def recording(store: Store, number: int) -> str:
    """Name of the recording that belongs to a message, also when it has long gone; empty if none does."""
    rows = store.find("recording", "message = ?", number)
    return str(rows[0]["name"]) if rows else ""


def recordings(store: Store) -> frozenset[str]:
    """Names of the recordings that a message still waits for: no other sound is kept."""
    rows = store.find("recording", f"message IN (SELECT id FROM message WHERE {STILL})")
    return frozenset(str(row["name"]) for row in rows)


def drop_recordings(store: Store, since: datetime, person: str = "") -> int:
    """The messages written since then (to this person) go without their sound. Returns how many waited with one."""
    rows = store.find(
        "recording", f"message IN (SELECT id FROM message WHERE {STILL} AND created_at > ? AND (? = '' OR person = ?))", since, person, person
    )
    with store.atomic():
        for row in rows:
            store.delete("recording", int(row["id"]))
    return len(rows)


def sent(store: Store, number: int) -> bool:
    """Whether the next hop took it, alone or in a digest."""
    message = get(store, number)
    return message is not None and message.state in (State.SENT, State.ANSWERED)


def posted(store: Store, purpose: str, since: datetime) -> bool:
    """Whether anything of this purpose was written since then, whatever became of it."""
    return bool(store.find("message", "purpose = ? AND created_at >= ?", purpose, since, limit=1))


def went_out(store: Store, purpose: str, since: datetime) -> bool:
    """Whether anything of this purpose that was written since then was taken by the next hop."""
    # The + keeps SQLite from looking at all that was ever sent: nearly always it is among the newest.
    where = "purpose = ? AND +state IN ('sent', 'answered') AND created_at >= ?"
    return bool(store.find("message", where, purpose, since, order="id DESC", limit=1))


# --- sending ------------------------------------------------------------------------------------------------------


def attempt(store: Store, now: datetime, number: int) -> Notify | Call | None:
    """Mark the row SENDING and return the action; None if it must wait (rate limit, alarms first) or is done."""
    message = get(store, number)
    if message is None or message.state not in OPEN:
        if message is not None and message.wake is not None:
            store.update("message", number, wake_at=None)
        return None
    with store.atomic():
        if message.state is State.SENDING:
            message = _unreported(store, now, message)
        if message.expires is not None and now >= message.expires:
            _move(store, message, Step.EXPIRE, wake_at=None)
            for row in store.find("message", "merged = ? AND state = 'merged'", number):
                _move(store, _message(row), Step.EXPIRE, wake_at=None)
            store.note_down(now, "message.given_up", number, message.purpose)
            return None
        free = _free_at(store, now, message)
        if free > now:
            store.update("message", number, wake_at=free)
            return None
        message = _with_backlog(store, now, message)
        _move(store, message, Step.TRY, tries=message.tries + 1, wake_at=now + deadline(message) + GRACE)
        store.insert("try", message=number, channel=message.channel, at=now)
    sound = recording(store, number)
    if sound and store.count("try", "message = ? AND outcome = 'maybe'", number) >= SOUND_TRIES:
        sound = ""
    return _action(message, now, sound)


def deadline(message: Message) -> timedelta:
    """How long one try may take in all."""
    if message.kind == "call":
        return RING + (2 * KEY_WAIT if message.body else TALK) + CARD  # twice: key 2 asks for one more hearing
    return ALARM_DEADLINE if message.urgent else DEADLINE


RING = timedelta(seconds=30)
"""CARE: 30 s ring."""
CARD = timedelta(seconds=40)
"""Time to read the access card twice after an acknowledgement."""


def settle(store: Store, delivered: Delivered, now: datetime) -> str:
    """Take the report of one try; returns the message's purpose, empty if there is no such message."""
    message = get(store, delivered.message)
    if message is None:
        return ""
    outcome = "ok" if delivered.ok else "maybe" if delivered.ambiguous else "fail"
    with store.atomic():
        back = delivered.ok and _is_back(store, now, message)
        _close_try(store, message.id, outcome, delivered.detail)
        if back:
            hurry(store, now)
        if delivered.ok:
            if _move(store, message, Step.OK, sent_at=now, detail=delivered.detail, wake_at=None):
                store.note_down(now, "message.sent", message.id, f"{message.purpose} {message.channel}")
                for row in store.find("message", "merged = ? AND state = 'merged'", message.id):
                    _move(store, _message(row), Step.OK, sent_at=now)
        elif message.kind == "call":
            if _move(store, message, Step.RING_OUT, detail=delivered.detail, wake_at=None):
                store.note_down(now, "call.failed", message.id, delivered.detail)
        elif delivered.ambiguous and _repeats(store, message):
            # The same channel again with the same key: another channel would make it two messages for sure.
            _move(store, message, Step.MAYBE, detail=delivered.detail, wake_at=now + _again(message, once=True), laps=message.laps + 1)
        else:
            _failed(store, now, message, delivered.detail)
    return message.purpose


def answer(store: Store, now: datetime, number: int, person: str, said: str) -> bool:
    """A live person answered; False if that is already known or the row is withdrawn."""
    message = get(store, number)
    if message is None or not _move(store, message, Step.ANSWER, answer=said, wake_at=None):
        return False
    store.note_down(now, "message.answered", number, f"{person} {said}")
    return True


def withdraw(store: Store, now: datetime, purpose: str, incident: int, kinds: Collection[str] = ("text", "call")) -> list[Message]:
    """Take back everything of an incident that is still unsent or ringing. Returns what was taken back."""
    taken = [m for m in of_incident(store, purpose, incident, STILL) if m.kind in kinds]
    with store.atomic():
        for message in taken:
            _move(store, message, Step.WITHDRAW, wake_at=None)
        if taken:
            store.note_down(now, "message.withdrawn", incident, purpose)
    return taken


def withdraw_one(store: Store, number: int) -> None:
    """Take back one message that need not be tried again."""
    message = get(store, number)
    if message is not None:
        _move(store, message, Step.WITHDRAW, wake_at=None)


def resume(store: Store, now: datetime) -> int:
    """After a start nothing is being sent any more: what was in the air goes again, with the same key."""
    rows = store.find("message", "state = 'sending'")
    with store.atomic():
        for row in rows:
            _close_try(store, int(row["id"]), "maybe", "power cut")
            store.update("message", int(row["id"]), state=State.WAITING.value, wake_at=now)
    return len(rows)


def hurry(store: Store, now: datetime) -> int:
    """The network is back: everything that waits for a second chance goes now (notices still one minute's ration at a time).

    First what is urgent and what the elder was promised. Should it fail once more, for the router is there before the
    internet is, the pauses grow from the shortest again.
    """
    rows = store.find("message", "state = 'waiting'")
    with store.atomic():
        for row in rows:
            at = now if row["urgent"] or row["purpose"] == PROMISED else now + AFTER_PROMISED
            again = {} if row["urgent"] else {"laps": 0}
            store.update("message", int(row["id"]), wake_at=min(at, moment(row["wake_at"])) if row["wake_at"] else at, **again)
    return len(rows)


def shift(store: Store, now: datetime, by: timedelta) -> None:
    """The wall clock jumped by `by` to `now`: what counts elapsed time moves with it, chosen times of day do not.

    Elapsed time is what a wait, the life of a notice and the tries of the last minute count.
    """
    before = now - by
    with store.atomic():
        for row in store.awake("message"):
            if row["not_before"] is None or row["state"] != State.QUEUED.value:
                life = {"expires_at": moment(row["expires_at"]) + by} if row["expires_at"] is not None else {}
                store.update("message", int(row["id"]), wake_at=moment(row["wake_at"]) + by, **life)
        for row in store.find("try", "at > ? AND at <= ?", before - MINUTE, before):
            store.update("try", int(row["id"]), at=moment(row["at"]) + by)


def given_up(store: Store) -> list[Message]:
    """Messages that were given up and of which the elder has not been told."""
    return [_message(row) for row in store.find("message", "state = 'given_up' AND answer = ''")]


def confessed(store: Store, messages: Sequence[Message]) -> None:
    """The elder has been told that these were not sent."""
    with store.atomic():
        for message in messages:
            store.update("message", message.id, answer="told")


# --- inside -------------------------------------------------------------------------------------------------------


_STATES = {state.value: state for state in State}


@remembered
def _read(row: Row, zone: tzinfo) -> Message:
    return Message(
        id=int(row["id"]), key=row["key"], purpose=row["purpose"], person=row["person"], kind=row["kind"],
        channels=_channels(row["channels"]), place=row["place"], laps=row["laps"], tries=row["tries"],
        title=row["title"], body=row["body"], attachment=row["attachment"], number=row["number"], card=row["card"],
        urgent=bool(row["urgent"]), incident=row["incident"], state=_STATES[row["state"]],
        created=moment(row["created_at"]), sent=_maybe(row["sent_at"]), expires=_maybe(row["expires_at"]),
        answer=row["answer"], detail=row["detail"], merged=row["merged"], wake=_maybe(row["wake_at"]),
    )


@lru_cache(maxsize=256)
def _channels(text: str) -> tuple[str, ...]:
    """A house has a handful of lists of channels, and reads one with every message."""
    return tuple(json.loads(text))


@lru_cache(maxsize=256)
def _written(channels: tuple[str, ...]) -> str:
    return json.dumps(channels, ensure_ascii=False)


def _message(row: Row) -> Message:
    return _read(row, UTC)


def _maybe(text: str | None) -> datetime | None:
    return moment(text) if text else None


def _new_key(store: Store, now: datetime, *words: str) -> str:
    """A key no other message has had, here or before the ledger was begun anew: from the words, the time and the place."""
    text = "\0".join((*words, stamp(now), str(store.count("message"))))
    return "m-" + hashlib.sha256(text.encode()).hexdigest()[:20]


def _move(store: Store, message: Message, step: Step, **columns: object) -> bool:
    """One transition; False, and nothing changed, where the table has none."""
    state = TRANSITIONS.get((message.state, step))
    if state is None:
        return False
    store.update("message", message.id, state=state.value, **columns)
    return True


def _close_try(store: Store, number: int, outcome: str, detail: str) -> None:
    rows = store.find("try", "message = ? AND outcome = ''", number, order="id DESC", limit=1)
    if rows:
        store.update("try", int(rows[0]["id"]), outcome=outcome, detail=detail[:200])


def _unreported(store: Store, now: datetime, message: Message) -> Message:
    """Its deadline passed without a report: as if lost after the data, so the same key again, on the next channel if there is one."""
    _close_try(store, message.id, "maybe", "no report")
    if message.kind == "text" and len(message.channels) > 1:
        store.update("message", message.id, place=message.place + 1)
    store.note_down(now, "message.unreported", message.id, message.channel)
    return get(store, message.id) or message


def _repeats(store: Store, message: Message) -> bool:
    """Whether a try that may have arrived is made once more on its channel before it is the next one's turn."""
    if message.urgent and len(message.channels) > 1:
        return False  # two alarms are better than one that hangs: the next channel within 10 s (CARE 4)
    allowed = ALARM_REPEATS if message.urgent else REPEATS
    last = store.find("try", "message = ?", message.id, order="id DESC", limit=allowed + 1)
    return len(last) <= allowed or any((row["channel"], row["outcome"]) != (message.channel, "maybe") for row in last)


def _is_back(store: Store, now: datetime, message: Message) -> bool:
    """Whether a try that worked is the first after failures on its channel while others wait: the network may be back for all."""
    if message.kind == "call" or not store.count("message", "state = 'waiting'"):
        return False
    last = store.find("try", "channel = ? AND at <= ? AND outcome <> ''", message.channel, now, order="at DESC, id DESC", limit=1)
    return bool(last) and last[0]["outcome"] != "ok"


def _failed(store: Store, now: datetime, message: Message, detail: str) -> None:
    """The next channel at once; after the last one a pause, then from the first again."""
    place = message.place + 1
    lap = place >= len(message.channels)
    wait = _again(message, once=False) if lap else timedelta(0)
    _move(
        store, message, Step.FAIL, detail=detail, place=0 if lap else place, laps=message.laps + int(lap),
        wake_at=now + wait,
    )


def _again(message: Message, *, once: bool) -> timedelta:
    """The pause before the next lap. Jitter is drawn from the key: reproducible, and no two messages keep step."""
    if message.urgent:
        return timedelta(seconds=1) if once and message.laps == 0 else ALARM_LAP
    pause = min(BACKOFF[min(message.laps, len(BACKOFF) - 1)], PROMISED_PAUSE if message.purpose == PROMISED else BACKOFF[-1])
    draw = int.from_bytes(hashlib.sha256(f"{message.key} {message.laps}".encode()).digest()[:2], "big") / 65535
    return pause * (0.75 + 0.5 * draw)


def _free_at(store: Store, now: datetime, message: Message) -> datetime:
    """`now`, or the moment when this channel may be used again.

    A try of the future was made before the clock was set back, and so was every earlier one.
    """
    allowed = PER_MINUTE if message.urgent else PER_MINUTE - RESERVED
    since = "id > (SELECT coalesce(max(id), 0) FROM try WHERE channel = ? AND at > ?)"
    last_minute = (f"channel = ? AND at > ? AND {since}", message.channel, now - MINUTE, message.channel, now)
    if message.kind == "call" or store.count("try", *last_minute) < allowed:
        return now
    recent = store.find("try", *last_minute, order="at")
    if len(recent) < allowed:
        return now
    return moment(recent[len(recent) - allowed]["at"]) + MINUTE


def _with_backlog(store: Store, now: datetime, message: Message) -> Message:
    """If several notices for this person have waited long, they go together: no burst of twenty when the network is back."""
    if now - message.created < DIGEST_AGE or not _mergeable(store, message):
        return message
    others = [
        other
        for row in store.find("message", "person = ? AND state IN ('queued', 'waiting') AND id <> ?", message.person, message.id)
        if _mergeable(store, other := _message(row)) and now - other.created >= DIGEST_AGE
    ]
    if len(others) + 1 < DIGEST_COUNT:
        return message
    ordered = sorted([message, *others], key=lambda m: m.created)
    lines = [f"{m.created.astimezone(now.tzinfo):%-m月%-d日%H:%M} {m.body}" for m in ordered]
    for other in others:
        _move(store, other, Step.MERGE, merged=message.id, wake_at=None)
        for row in store.find("message", "merged = ? AND state = 'merged'", other.id):
            store.update("message", int(row["id"]), merged=message.id)
    store.update(
        "message", message.id, title=f"{len(ordered)} 条晚到的消息", body="\n".join(lines), created_at=now,
    )
    store.note_down(now, "message.digest", message.id, str(len(ordered)))
    return get(store, message.id) or message


def _mergeable(store: Store, message: Message) -> bool:
    """A plain notice that no peer can have seen: nothing that needs an answer of its own, no calendar file.

    One whose last try was ambiguous keeps its words: a peer that has its key would take the digest for a repetition.
    """
    if message.urgent or message.incident or message.attachment or message.kind == "call" or not message.body:
        return False
    return store.count("try", "message = ? AND outcome = 'maybe'", message.id) == 0


def _action(message: Message, now: datetime, recorded: str) -> Notify | Call:
    body = message.body
    if message.kind == "call":
        return Call(
            message=message.id, key=message.key, person=message.person, channel=message.channel, number=message.number,
            text=body, card=message.card, ring=RING.total_seconds(), urgent=message.urgent,
        )
    if now - message.created >= LATE and body:
        body = f"（{message.created.astimezone(now.tzinfo):%-m月%-d日%H:%M} 的消息，现在才送出）{body}"
    return Notify(
        message=message.id, key=message.key, person=message.person, channel=message.channel, title=message.title,
        body=body, urgent=message.urgent, attachment=message.attachment, recording=recorded,
    )


def last_key(store: Store, person: str, purposes: Collection[str] = ()) -> str | None:
    """Key of the newest message or call to this person (of these purposes, if named): what their answer most likely means."""
    wanted = "1" if not purposes else f"purpose IN ({', '.join('?' * len(purposes))})"
    named = f"instr('{TOGETHER}' || person || '{TOGETHER}', ?) > 0"
    rows = store.find("message", f"{named} AND {wanted}", f"{TOGETHER}{person}{TOGETHER}", *purposes, order="rowid DESC", limit=1)
    return str(rows[0]["key"]) if rows else None
