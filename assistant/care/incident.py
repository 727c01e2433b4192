"""An emergency as a protocol: pre-alarm, messages to all, calls one by one, round after round, until a person takes it.

Two rows an incident. `incident` is what is talked about (question, countdown, "are you really fine", "has she
arrived"); `ladder` is what is done meanwhile without needing the floor (rounds of messages, calls, siren, status).
Both move in one transaction with the outbox rows they cause, so a power cut at any moment resumes in the same state.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeVar

from sqlite_utils import Database, Migrations

from assistant.care import message, request
from assistant.errors import StoreError
from assistant.home import Contact, Household, authority
from assistant.messages import TOGETHER, Meaning
from assistant.store import Row, Store, moment, stamp

Changed = TypeVar("Changed")

PURPOSE = "incident"
"""Purpose of an incident's messages and calls."""
RANG = "incident.rang"
"""Purpose of an answer that names no message but the incident itself: a key in a call that rang us."""


class State(StrEnum):
    """Where an incident stands; IDLE is the absence of one."""

    IDLE = "idle"
    DOUBT = "doubt"
    """A cry amid talk that goes on, the television's perhaps: asked before anything is believed."""
    QUESTION = "question"
    """Symptoms only: asked before anything is sent."""
    PREALARM = "prealarm"
    """Said aloud who will be called; can still be stopped."""
    ALERTING = "alerting"
    ACKED = "acked"
    """A live person took it."""
    CANCELLED = "cancelled"
    """Stopped in time; asked once more after a minute."""
    CLOSED = "closed"


class Step(StrEnum):
    """What can happen to an incident."""

    CERTAIN = "certain"
    LIKELY = "likely"
    UNSURE = "unsure"
    AMID = "amid"
    """A cry or a complaint, said to nobody, while somebody else has been talking for minutes."""
    FAINT = "faint"
    """What may have been a cry, and the same again within a minute, in a quiet house, not made out plainly both times."""
    AGAIN = "again"
    """Triggered once more: the same incident, at once, no new countdown."""
    WORSE = "worse"
    """A danger from outside that nobody knew of when help was called: who took the first has not taken this one."""
    YES = "yes"
    SILENCE = "silence"
    """The window ended, or what was said was no whole cancel phrase: both count as yes."""
    CANCEL = "cancel"
    """A whole cancel phrase after our prompt, or the button."""
    FINE = "fine"
    ACK = "ack"
    ARRIVED = "arrived"
    ALL_CLEAR = "all_clear"
    LATE = "late"
    """Nobody has arrived in time."""
    DONE = "done"
    """A drill has walked the whole ladder."""


TRANSITIONS: dict[tuple[State, Step], State] = {
    (State.IDLE, Step.CERTAIN): State.PREALARM,
    (State.IDLE, Step.LIKELY): State.PREALARM,
    (State.IDLE, Step.UNSURE): State.QUESTION,
    (State.IDLE, Step.AMID): State.DOUBT,
    (State.IDLE, Step.FAINT): State.DOUBT,
    (State.DOUBT, Step.AGAIN): State.PREALARM,
    (State.DOUBT, Step.YES): State.PREALARM,
    (State.DOUBT, Step.SILENCE): State.CLOSED,
    (State.DOUBT, Step.CANCEL): State.CLOSED,
    (State.QUESTION, Step.AGAIN): State.ALERTING,
    (State.QUESTION, Step.LIKELY): State.PREALARM,
    (State.QUESTION, Step.YES): State.ALERTING,
    (State.QUESTION, Step.SILENCE): State.PREALARM,
    (State.QUESTION, Step.CANCEL): State.CANCELLED,
    (State.PREALARM, Step.AGAIN): State.ALERTING,
    (State.PREALARM, Step.YES): State.ALERTING,
    (State.PREALARM, Step.SILENCE): State.ALERTING,
    (State.PREALARM, Step.CANCEL): State.CANCELLED,
    (State.CANCELLED, Step.FINE): State.CLOSED,
    (State.CANCELLED, Step.SILENCE): State.CLOSED,
    (State.CANCELLED, Step.YES): State.ALERTING,
    (State.CANCELLED, Step.AGAIN): State.PREALARM,
    (State.CANCELLED, Step.LIKELY): State.PREALARM,
    (State.ALERTING, Step.AGAIN): State.ALERTING,
    (State.ALERTING, Step.WORSE): State.ALERTING,
    (State.ALERTING, Step.ACK): State.ACKED,
    (State.ALERTING, Step.ARRIVED): State.CLOSED,
    (State.ALERTING, Step.ALL_CLEAR): State.CLOSED,
    (State.ALERTING, Step.DONE): State.CLOSED,
    (State.ACKED, Step.AGAIN): State.ACKED,
    (State.ACKED, Step.WORSE): State.ALERTING,
    (State.ACKED, Step.ACK): State.ACKED,
    (State.ACKED, Step.LATE): State.ALERTING,
    (State.ACKED, Step.ARRIVED): State.CLOSED,
    (State.ACKED, Step.ALL_CLEAR): State.CLOSED,
    (State.ACKED, Step.DONE): State.CLOSED,
}
"""Anything else leaves the incident as it is: nothing but these lines ends one."""

LIVE = (State.DOUBT, State.QUESTION, State.PREALARM, State.ALERTING, State.ACKED, State.CANCELLED)
"""States in which a new trigger belongs to the same incident."""

WINDOW: dict[Step, int] = {Step.CERTAIN: 1, Step.LIKELY: 2, Step.SILENCE: 2, Step.YES: 2, Step.AGAIN: 1}
"""Steps of `LOUDER` a pre-alarm waits: 10 s when certain, 20 s when likely (CARE 4)."""
LOUDER = 10.0
"""Seconds after which the pre-alarm is said again, louder."""
QUESTION_SECONDS = 15.0
"""CARE 4: one spoken question, 15 s, asked twice."""
STUCK = timedelta(seconds=15)
"""Longest a prompt may take to be spoken; after window and this the incident goes on without the mouth."""
CHECK_AFTER = timedelta(seconds=60)
"""A cancelled alarm is asked about once more."""
MISTRUST = timedelta(minutes=2)
"""Distress this soon after a cancelled alarm is certain."""
ARRIVAL = timedelta(minutes=15)
"""Somebody said they come and has not arrived: the ladder again (Climax; PagerDuty's ack expires)."""
ROUND = timedelta(seconds=30)
ROUNDS = 16
LATER_ROUND = timedelta(minutes=10)
"""Chiptech, UL-listed: rounds every 30 s × 16, then every 10 min."""
POLL = timedelta(seconds=5)
"""How often a ringing call is looked at in case its report is lost."""
SIREN = timedelta(seconds=240)
"""EN 50134-like local units sound at most four minutes, then pause, so that a voice can be heard."""
STATUS_FIRST = timedelta(seconds=12)
"""When the first word about what became of the messages is spoken: the first try has ended by then."""
STATUS_EVERY = timedelta(seconds=60)
CALM = timedelta(seconds=60)
"""While somebody is on the way a repeated cry is passed on at most this often."""


class Note(NamedTuple):
    """What the family is told of a doubt that nobody answered."""

    purpose: str
    seldom: timedelta
    """How long it is told only once."""
    heard: str


NOTED: dict[Step, Note] = {
    Step.AMID: Note("incident.doubt", timedelta(hours=12), "家里一直有人说话或开着电视，听见像是喊救命"),
    Step.FAINT: Note("incident.faint", timedelta(hours=1), "家里静，听见两声像是喊人，没听清"),
}
"""By the grade of the doubt: the television cries every day, a quiet house does not."""

AFTERMATH = timedelta(minutes=10)
"""So long after an alarm calls from the family's numbers are answered without asking."""

SYMPTOMS = frozenset({"unwell", "chest_pain", "stroke", "breath"})
"""Kinds that are a complaint, not a cry: asked about first."""

WORDS: Mapping[str, str] = {
    "fall": "摔倒了，起不来", "chest_pain": "心口不舒服", "stroke": "半边身子不对劲", "bleeding": "流血",
    "breath": "喘不上气", "fire": "着火了", "gas": "闻到煤气味", "intruder": "家里有陌生人", "unwell": "身体不舒服",
    "generic": "喊人帮忙", "button": "按了求助键", "sensor": "感应器报警", "checkin": "报平安没有应声",
}
"""What the family reads, by kind."""

OUTSIDE = ("fire", "gas", "intruder")
"""Kinds that are a danger to whoever is in the house, gravest first."""
INSIDE = ("breath", "chest_pain", "stroke", "bleeding", "fall")
"""Kinds that say what has happened to her."""
NAMELESS = ("unwell", "generic", "button", "checkin", "sensor")
"""Kinds that say less; any other takes their place, and none is named beside another."""
GRAVITY = (*OUTSIDE, *INSIDE, *NAMELESS)
"""All kinds of an incident, gravest first."""

REACHED = ("no answer", "busy", "declined", "answered without a key", "wrong key", "went quiet", "wrong number")
"""What the telephone says of a call that got as far as the other end; anything else is the line's fault, not the person's."""

PICKED_UP = "接通了，请您等一下。您来处理，请按一。已经没事了，请按九。"
"""What somebody hears who rings during an alarm, until the elder's microphone is open."""
KEYS = "您来处理，请按一。没听清，请按二。已经没事了，请按九。"
"""Said at the end of every call: nothing but a key counts, so that a voicemail or a child takes nothing over."""

STEP_OF: Mapping[str, Step] = {
    "coming": Step.ACK, "accepted": Step.ACK, "confirmed": Step.ACK, "arrived": Step.ARRIVED,
    "all_clear": Step.ALL_CLEAR,
}
"""What a person's answer does; `seen` and `declined` take nothing over."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One row."""

    id: int
    key: str
    kinds: tuple[str, ...]
    """fall, chest_pain, … as in the intents; `button`, `sensor`. Gravest first: a fall and smoke are one incident."""
    grade: Step
    """CERTAIN, LIKELY, UNSURE, AMID or FAINT."""
    state: State
    started: datetime
    until: datetime | None
    """End of the window, or of the wait."""
    asked: int
    """How often the present question was asked."""
    person: str
    """Who took it; empty if nobody did."""
    drill: bool
    ended: datetime | None

    @property
    def kind(self) -> str:
        """The gravest."""
        return self.kinds[0]


@dataclass(frozen=True, slots=True)
class Ladder:
    """What an alerting incident does by itself."""

    id: int
    incident: int
    round: int
    """Rounds of messages so far."""
    round_at: datetime | None
    lap: int
    """Laps of calls so far."""
    lap_at: datetime | None
    """When the present lap began."""
    place: int
    """Next rung of the present lap."""
    call_at: datetime | None
    status_at: datetime | None
    siren_at: datetime | None
    """When the siren starts; or stops, while `siren`."""
    siren: bool


incidents = Migrations("incident")


@incidents()
def incident_and_ladder(db: Database) -> None:
    db.execute(
        "CREATE TABLE incident (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, grade TEXT NOT NULL,"
        " state TEXT NOT NULL, started_at TEXT NOT NULL, until_at TEXT, asked INTEGER NOT NULL DEFAULT 0,"
        " person TEXT NOT NULL DEFAULT '', drill INTEGER NOT NULL DEFAULT 0, ended_at TEXT, wake_at TEXT,"
        " crc INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute(
        "CREATE TABLE ladder (id INTEGER PRIMARY KEY, incident INTEGER NOT NULL UNIQUE, round INTEGER NOT NULL DEFAULT 0,"
        " round_at TEXT, lap INTEGER NOT NULL DEFAULT 0, lap_at TEXT, place INTEGER NOT NULL DEFAULT 0, call_at TEXT,"
        " status_at TEXT, siren_at TEXT, siren INTEGER NOT NULL DEFAULT 0, wake_at TEXT, crc INTEGER NOT NULL DEFAULT 0)"
    )


# --- reading ------------------------------------------------------------------------------------------------------


def get(store: Store, number: int) -> Incident | None:
    """One incident, or None."""
    row = store.get("incident", number)
    return _incident(row) if row is not None else None


def live(store: Store) -> Incident | None:
    """The incident that is going on, if any: there is never more than one."""
    marks = ", ".join(f"'{state.value}'" for state in LIVE)
    rows = store.find("incident", f"state IN ({marks})", order="id DESC", limit=1)
    return _incident(rows[0]) if rows else None


def recent(store: Store, now: datetime) -> Incident | None:
    """The alarm that is going on or ended less than ten minutes ago; one that was stopped in time, or a drill, is none."""
    rows = store.find(
        "incident", "drill = 0 AND (state IN ('alerting', 'acked') OR state = 'closed' AND ended_at > ?)", now - AFTERMATH, order="id DESC",
    )
    return next((_incident(row) for row in rows if ladder_of(store, int(row["id"])) is not None), None)


def doubted(store: Store, since: datetime) -> bool:
    """Whether there was a cry amid other talk since then that nobody stood by."""
    return bool(store.find("incident", "grade = 'amid' AND state = 'closed' AND ended_at > ?", since, limit=1))


def ladder_of(store: Store, incident: int) -> Ladder | None:
    """The ladder of an incident that has alerted."""
    rows = store.find("ladder", "incident = ?", incident)
    return _ladder(rows[0]) if rows else None


def grade(meaning: Meaning) -> Step:
    """Certain: wake word and cry. Likely: a cry overheard. Unsure: symptoms, or what the phrase itself calls unsure. Amid: either of these
    two while the television talks, or visitors do. Faint: not made out, twice."""
    if meaning.slots.get("amid"):
        return Step.AMID
    if meaning.slots.get("faint"):
        return Step.FAINT
    said = meaning.slots.get("grade")
    if said == "unsure" or (said is None and meaning.slots.get("kind") in SYMPTOMS):
        return Step.UNSURE
    return Step.CERTAIN if meaning.slots.get("woken") else Step.LIKELY


def too_late(store: Store, key: str, person: str) -> str:
    """What somebody who answers this message now has to know: that the alarm is over, or who has taken it; empty for nothing."""
    sent = message.by_key(store, key)
    row = message.get(store, sent[0]) if sent is not None and sent[1] == PURPOSE else None
    one = get(store, row.incident) if row is not None else None
    if one is None:
        return ""
    if one.state is State.CLOSED:
        return "这次报警已经解除了，不用再处理。谢谢您。"
    if one.state is State.ACKED and one.person != person:
        return f"收到了，已经告诉小伴。{one.person} 先前也说来处理。谢谢您。"
    return ""


# --- triggers and answers -----------------------------------------------------------------------------------------


def trigger(store: Store, now: datetime, household: Household, kind: str, how: Step, *, sensed: bool = False) -> Incident:
    """Begin an incident, or drive the present one on. The row is committed before anything is said or sent.

    `sensed`: by a sensor, which repeats itself; only what is new hurries the present one.
    If the ledger cannot be written the incident goes on in memory: a full disk must not cost a life.
    """
    return _surely(store, lambda: _trigger(store, now, household, kind, how, sensed))


def join(store: Store, now: datetime, incident: Incident, kind: str) -> Incident:
    """Write down what else has happened, and nothing more."""

    def change() -> Incident:
        with store.atomic():
            _joined(store, now, incident, kind)
            return _known(store, incident.id)

    return _surely(store, change)


def suspect(store: Store, now: datetime, household: Household, kind: str) -> Incident | None:
    """Begin an incident that is asked about as soon as the floor is free; None while another one is going on, or with nobody to call."""
    if live(store) is not None or not (callable_contacts(household) or any(contact.notify for contact in household.ladder)):
        return None

    def change() -> Incident:
        with store.atomic():
            begun = _trigger(store, now, household, kind, Step.UNSURE, sensed=True)
            store.update("incident", begun.id, wake_at=now)
            return begun

    return _surely(store, change)


def step(store: Store, now: datetime, household: Household, incident: Incident, what: Step, person: str = "") -> Incident:
    """One transition with all it causes, in one transaction; the same incident back where the table has none."""
    return _surely(store, lambda: _step(store, now, household, incident, what, person))


def asking(store: Store, now: datetime, incident: Incident, seconds: float) -> Incident:
    """Count a question, and let the row wake should its answer, or the end of the speech, never be reported.

    `seconds`: to speak it and to wait for the answer.
    """

    def change() -> Incident:
        store.update("incident", incident.id, asked=incident.asked + 1, wake_at=now + timedelta(seconds=seconds) + STUCK)
        return _known(store, incident.id)

    return _surely(store, change)


def drill(store: Store, now: datetime, household: Household) -> Incident:
    """Begin a marked rehearsal: one round of messages, one lap of calls."""
    with store.atomic():
        number = store.insert(
            "incident", key=_key(store, now), kind="drill", grade=Step.CERTAIN.value, state=State.ALERTING.value,
            started_at=now, drill=1,
        )
        incident = _known(store, number)
        store.note_down(now, "incident.drill", number)
        _alert(store, now, household, incident)
    return incident


def resume(store: Store, now: datetime) -> Incident | None:
    """After a start: the same state, at once. Countdowns wake now; their conversation looks at `until`."""
    incident = live(store)
    if incident is None:
        return None
    with store.atomic():
        if incident.state in (State.DOUBT, State.QUESTION, State.PREALARM):
            store.update("incident", incident.id, wake_at=now)
        if (ladder := ladder_of(store, incident.id)) is not None and incident.state is State.ALERTING:
            cut = {"siren": 0, "siren_at": None} if ladder.siren else {}
            store.update("ladder", ladder.id, call_at=now, status_at=now, wake_at=now, **cut)
        store.note_down(now, "incident.resumed", incident.id, incident.state.value)
    return incident


def shift(store: Store, by: timedelta) -> None:
    """The wall clock jumped: all waits of incidents count elapsed time."""
    times = {"incident": ("until_at", "wake_at"), "ladder": ("round_at", "lap_at", "call_at", "status_at", "siren_at", "wake_at")}
    with store.atomic():
        for table, columns in times.items():
            for row in store.awake(table):
                moved = {c: moment(row[c]) + by for c in columns if row[c] is not None}
                store.update(table, int(row["id"]), **moved)


def free_the_line(store: Store, now: datetime) -> tuple[str, ...]:
    """Keys of the calls that must be hung up for the first one of an alarm (`request.free_the_line`)."""
    return _surely(store, lambda: request.free_the_line(store, now))


def ringing(store: Store, incident: Incident) -> tuple[str, ...]:
    """Keys of its calls that have been handed to the telephone."""
    return tuple(call.key for call in message.of_incident(store, PURPOSE, incident.id, "kind = 'call' AND state = 'sending'"))


# --- the ladder ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rungs:
    """What one turn of the ladder wants done aloud; messages and calls are already rows."""

    status: bool = False
    siren: bool | None = None
    """Start, stop, or leave it."""
    done: bool = False
    """A drill has reached its end."""
    truth: Status | None = None
    """What is known of messages and calls, where it was looked up."""


def climb(store: Store, now: datetime, household: Household, number: int) -> Rungs:
    """Do whatever of the ladder is due: a round of messages, the next call, siren, status."""
    return _surely(store, lambda: _climb(store, now, household, number))


def nudge(store: Store, now: datetime, incident: int) -> None:
    """A call has ended: the next one need not wait for the poll."""
    if (ladder := ladder_of(store, incident)) is not None and ladder.call_at is not None:
        store.update("ladder", ladder.id, call_at=now, wake_at=now)


def callable_contacts(household: Household) -> tuple[Contact, ...]:
    """Rungs of the ladder that can be rung."""
    if message.telephone(household) is None:
        return ()
    return tuple(contact for contact in household.ladder if contact.phone and not authority(contact.phone))


def card(household: Household) -> str:
    """The access card: read or sent only to whoever took the incident."""
    elder = household.elder
    medicines = "、".join(m.name for m in household.medicines if m.stopped is None)
    lines = (
        ("地址", elder.address), ("进门", elder.access), ("病史", "、".join(elder.conditions)), ("在吃的药", medicines),
    )
    return "".join(f"{name}：{text}。" for name, text in lines if text)


def words_of(household: Household, incident: Incident, now: datetime) -> str:
    """The message everybody gets: who, what, when; no address, no illness."""
    elder = household.elder
    local = incident.started.astimezone(now.tzinfo)
    if incident.drill:
        return f"这是演习，不是真的。{elder.call}家的小伴在试紧急通知，{local:%H:%M} 发出。收到请回一声。"
    day = "" if local.date() == now.date() else f"{local:%-m月%-d日}"
    return f"{elder.call}（{elder.name}）{day}{local:%H:%M} 求助：{what_of(incident)}。请马上打电话过去，或者去看看；您来处理的话请回应这条。"


def what_of(incident: Incident) -> str:
    """What has happened, gravest first."""
    return "；".join(dict.fromkeys(WORDS.get(kind, WORDS["generic"]) for kind in incident.kinds))


def call_text(household: Household, kind: str, *, drill: bool = False) -> str:
    """What a telephone says. No time of day in it, so that it can be rendered long before it is needed."""
    elder = household.elder
    if drill:
        return f"您好，这是演习，不是真的。{elder.call}家的小伴在试紧急电话。{KEYS}"
    return f"您好，我是{elder.call}家的小伴。{elder.call}刚才求助：{WORDS.get(kind, WORDS['generic'])}。{KEYS}"


def card_call(household: Household) -> str:
    """What a telephone says to whoever took the alarm on a channel that others read, before it reads the card."""
    return f"您好，我是{household.elder.call}家的小伴。您答应来处理，进门的办法和病史念给您听，请按一。"


def will_say(household: Household) -> list[str]:
    """Everything a telephone may have to say, for rendering ahead."""
    if not callable_contacts(household):
        return []
    shared = any(contact.notify and not message.private(household, contact) for contact in callable_contacts(household))
    cards = [card(household), *([card_call(household)] if shared else [])]
    return [PICKED_UP, call_text(household, "", drill=True), *cards, *(call_text(household, kind) for kind in WORDS)]


# --- what may be said ---------------------------------------------------------------------------------------------


class Texts(StrEnum):
    """What is known of the messages."""

    NONE = "none"
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class Calls(StrEnum):
    """What is known of the calls."""

    NONE = "none"
    PENDING = "pending"
    RINGING = "ringing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Status:
    """The truth about an incident, from rows alone."""

    texts: Texts
    calls: Calls
    told: tuple[str, ...] = ()
    """People one of whose channels took a message."""
    ringing: str = ""
    rung: tuple[str, ...] = ()
    """People who were called and did not take it."""
    unrung: tuple[str, ...] = ()
    """People whose calls have never got out of the house."""
    refused: bool = False
    """The provider does not let us telephone."""
    taken: str = ""
    """Who took it."""


def status(store: Store, household: Household, incident: Incident) -> Status:
    """What has really become of messages and calls."""
    texts, failed, refused = False, False, False
    told: dict[str, None] = {}
    ringing: dict[str, None] = {}
    rung: dict[str, None] = {}
    failing: dict[str, None] = {}
    # Calls are handed to the telephone at once, but it dials them one after the other: only the first rings.
    first = store.find("message", "kind = 'call' AND state = 'sending'", order="id", limit=1)
    held = bool(first) and (first[0]["purpose"], first[0]["incident"]) != (PURPOSE, incident.id)
    # An alarm that nobody takes has some hundred messages by the evening: they are walked through once.
    for one in message.fates(store, PURPOSE, incident.id):
        if one.kind == "text":
            texts = True
            if one.state in (message.State.SENT, message.State.ANSWERED):
                told |= dict.fromkeys(one.person.split(TOGETHER))
            failed = failed or (one.state in message.OPEN and one.failed)
        elif one.state is message.State.SENDING and not held:
            ringing[one.person] = None
        elif one.state is message.State.FAILED:
            failing[one.person] = None
            if one.detail in REACHED:
                rung[one.person] = None
            refused = refused or one.detail == "account refused"
    unrung = tuple(name for name in failing if name not in rung)
    return Status(
        texts=Texts.SENT if told else Texts.FAILED if failed else Texts.PENDING if texts else Texts.NONE,
        calls=Calls.RINGING if ringing else Calls.FAILED if rung or unrung else Calls.PENDING
        if callable_contacts(household) else Calls.NONE,
        told=tuple(told), ringing=next(iter(ringing), ""), rung=tuple(rung), unrung=unrung, taken=incident.person, refused=refused,
    )


def hopeless(known: Status) -> bool:
    """Whether nothing at all has got out so far."""
    return known.texts in (Texts.NONE, Texts.FAILED) and known.calls in (Calls.NONE, Calls.FAILED)


# --- inside -------------------------------------------------------------------------------------------------------


def _trigger(store: Store, now: datetime, household: Household, kind: str, how: Step, sensed: bool) -> Incident:
    present = live(store)
    if present is not None and not present.drill:
        with store.atomic():
            doubted = present.state is State.DOUBT
            news = "" if doubted else _joined(store, now, present, kind)
            if doubted:  # what began it was perhaps the television's
                store.update("incident", present.id, kind=kind)
            worse = news in OUTSIDE and present.state in (State.ALERTING, State.ACKED)
            what = Step.WORSE if worse else how if sensed and not doubted else Step.AGAIN
            return _step(store, now, household, present, what, news=news)
    with store.atomic():
        if present is not None:  # the real thing ends a rehearsal
            _step(store, now, household, present, Step.DONE)
        if how is not Step.UNSURE and _just_cancelled(store, now):
            how = Step.CERTAIN
        state = TRANSITIONS[State.IDLE, how]
        number = store.insert(
            "incident", key=_key(store, now), kind=kind, grade=how.value, state=State.IDLE.value, started_at=now
        )
        store.note_down(now, "incident.began", number, f"{kind} {how}")
        return _enter(store, now, household, _known(store, number), how, state)


def _joined(store: Store, now: datetime, incident: Incident, kind: str) -> str:
    """Write down what else has happened. Returns it, or nothing where that was known or says less than what is known."""
    if kind in incident.kinds or kind not in GRAVITY:
        return ""
    if kind in NAMELESS and GRAVITY.index(kind) > GRAVITY.index(incident.kind):
        return ""
    kinds = sorted({kind, *(one for one in incident.kinds if one not in NAMELESS)}, key=GRAVITY.index)
    store.update("incident", incident.id, kind=" ".join(kinds))
    store.note_down(now, "incident.joined", incident.id, kind)
    return kind


def _just_cancelled(store: Store, now: datetime) -> bool:
    where = "state = 'closed' AND person = '' AND ended_at > ? AND drill = 0 AND grade NOT IN ('amid', 'faint')"
    return bool(store.find("incident", where, now - MISTRUST))


def _step(
    store: Store, now: datetime, household: Household, incident: Incident, what: Step, person: str = "", news: str = ""
) -> Incident:
    incident = _known(store, incident.id)
    state = TRANSITIONS.get((incident.state, what))
    if state is None:
        return incident
    with store.atomic():
        store.note_down(now, f"incident.{what}", incident.id, person)
        return _enter(store, now, household, incident, what, state, person, news)


def _enter(
    store: Store, now: datetime, household: Household, incident: Incident, what: Step, state: State, person: str = "", news: str = ""
) -> Incident:
    """Write the new state and everything that follows from it. `news`: the kind that has joined it."""
    columns: dict[str, object] = {"state": state.value, "asked": 0}
    match state:
        case State.DOUBT | State.QUESTION:
            until = now + timedelta(seconds=2 * QUESTION_SECONDS) + STUCK
            columns |= {"until_at": until, "wake_at": now + timedelta(seconds=QUESTION_SECONDS) + STUCK}
        case State.PREALARM:
            window = timedelta(seconds=LOUDER * WINDOW.get(what, 2))
            if what is Step.AGAIN:
                columns["grade"] = Step.CERTAIN.value
            elif what in (Step.YES, Step.LIKELY):
                columns["grade"] = Step.LIKELY.value
            columns |= {"until_at": now + window + STUCK, "wake_at": now + timedelta(seconds=LOUDER) + STUCK}
        case State.CANCELLED:
            columns |= {"until_at": None, "wake_at": now + CHECK_AFTER}
        case State.ALERTING:
            columns |= {"until_at": None, "wake_at": None}
        case State.ACKED:
            columns |= {"until_at": now + ARRIVAL, "wake_at": now + ARRIVAL}
            if what is Step.ACK:
                columns["person"] = person or incident.person
        case State.CLOSED:
            columns |= {"until_at": None, "wake_at": None, "ended_at": now}
            if person:
                columns["person"] = person
    store.update("incident", incident.id, **columns)
    after = _known(store, incident.id)
    match state:
        case State.ALERTING:
            _alert(store, now, household, after, news)
        case State.ACKED if what is Step.ACK:
            _taken(store, now, household, incident, after)
        case State.ACKED:
            _still_crying(store, now, household, after, news)
        case State.CLOSED:
            _over(store, now, household, incident, after, what)
        case _:
            pass
    return after


def _alert(store: Store, now: datetime, household: Household, incident: Incident, news: str = "") -> None:
    """Messages to everybody at once, and the ladder begins (or begins again)."""
    if news:  # what is still unsent tells less than is known
        message.withdraw(store, now, PURPOSE, incident.id, kinds=("text",))
    known = ladder_of(store, incident.id)
    if known is None:
        store.insert("ladder", incident=incident.id, lap_at=now, call_at=now, status_at=now + STATUS_FIRST, wake_at=now)
    else:  # a call in the air goes on; if nobody is being rung the lap begins anew
        busy = bool(message.people_of(store, PURPOSE, incident.id, f"kind = 'call' AND {message.STILL}"))
        store.update(
            "ladder", known.id, lap_at=now, place=known.place if busy else 0, lap=known.lap if busy else known.lap + 1,
            call_at=now, status_at=now + STATUS_FIRST, wake_at=now,
        )
    ladder = ladder_of(store, incident.id)
    assert ladder is not None
    _round(store, now, household, incident, ladder, news)


def _round(store: Store, now: datetime, household: Household, incident: Incident, ladder: Ladder, news: str = "") -> None:
    """Every contact on every channel, one message a channel. What is still unsent keeps its key and tries on; what was sent is sent again."""
    unsent = {
        (m.person, m.channels)
        for m in message.of_incident(store, PURPOSE, incident.id, f"kind = 'text' AND {message.STILL}")
    }
    body = (f"新情况：{WORDS[news]}。" if news and ladder.round else "") + words_of(household, incident, now)
    title = "【演习】小伴紧急通知" if incident.drill else "【紧急】请马上联系老人"
    for channel, people in message.ways(household).items():
        person = _together(people)
        if (person, (channel,)) not in unsent:
            message.post(
                store, now, purpose=PURPOSE, person=person, channels=(channel,), title=title,
                body=body if ladder.round == 0 else f"{body}（第{ladder.round + 1}遍）", urgent=True,
                key=f"{incident.key}-m{ladder.round}-{people[0].name}-{channel}", incident=incident.id,
            )
    number = ladder.round + 1
    pause = ROUND if number < ROUNDS else LATER_ROUND
    _set(store, ladder.id, round=number, round_at=None if incident.drill else now + pause)


def _climb(store: Store, now: datetime, household: Household, number: int) -> Rungs:
    row = store.get("ladder", number)
    if row is None:
        return Rungs()
    ladder = _ladder(row)
    incident = _known(store, ladder.incident)
    if incident.state is not State.ALERTING:
        _set(store, number, round_at=None, call_at=None, status_at=None, siren_at=None, siren=0)
        return Rungs(siren=False if ladder.siren else None)
    done = False
    with store.atomic():
        if ladder.round_at is not None and ladder.round_at <= now:
            _round(store, now, household, incident, ladder)
        if ladder.call_at is not None and ladder.call_at <= now:
            done = _call(store, now, household, incident, ladder)
        spoken = ladder.status_at is not None and ladder.status_at <= now
        if spoken:
            _set(store, number, status_at=now + STATUS_EVERY)
        # Whether anything got out is one look; who got what is a walk through all messages, and asked for only if needed.
        quiet = incident.drill or message.any_sent(store, PURPOSE, incident.id)
        truth = status(store, household, incident) if spoken or not quiet else None
        siren = None if incident.drill else _siren(store, now, household, incident, number, truth)
    return Rungs(status=spoken, siren=siren, done=done, truth=truth)


def _call(store: Store, now: datetime, household: Household, incident: Incident, ladder: Ladder) -> bool:
    """The next call, unless one is in the air. True when a drill has reached the top."""
    people = callable_contacts(household)
    # Somebody who rang us and is talking to the elder has the line; nobody else need be rung meanwhile.
    if request.talking(store, now) or message.people_of(store, PURPOSE, incident.id, f"kind = 'call' AND {message.STILL}"):
        _set(store, ladder.id, call_at=now + POLL)
        return False
    if ladder.place >= len(people) and incident.drill:
        unknown = bool(message.people_of(store, PURPOSE, incident.id, f"laps = 0 AND {message.STILL}"))
        _set(store, ladder.id, call_at=now + POLL if unknown else None)
        return not unknown
    if not people:
        _set(store, ladder.id, call_at=None)
        return False
    if ladder.place >= len(people):
        laps = ladder.lap + int(_got_out(store, incident, len(people)))
        pause = ROUND if laps < ROUNDS else LATER_ROUND
        begins = max(now + timedelta(seconds=1), (ladder.lap_at or now) + pause)
        _set(store, ladder.id, lap=laps, lap_at=begins, place=0, call_at=begins)
        return False
    contact = people[ladder.place]
    line = message.telephone(household)
    assert line is not None
    message.post(
        store, now, purpose=PURPOSE, person=contact.name, channels=(line.name,), title="", kind="call", urgent=True,
        body=call_text(household, incident.kind, drill=incident.drill), number=contact.phone, card="" if incident.drill else card(household),
        key=f"{incident.key}-c{store.count('message', 'incident = ? AND purpose = ?', incident.id, PURPOSE)}-{contact.name}", incident=incident.id,
    )
    _set(store, ladder.id, place=ladder.place + 1, call_at=now + POLL)
    return False


def _got_out(store: Store, incident: Incident, last: int) -> bool:
    """Whether any of the last calls left the house: a lap of a dead line rang nobody, and is none of those after which the pauses grow."""
    calls = store.find("message", "incident = ? AND purpose = ? AND kind = 'call'", incident.id, PURPOSE, order="id DESC", limit=last)
    return any(row["detail"] in REACHED for row in calls)


def _siren(store: Store, now: datetime, household: Household, incident: Incident, number: int, known: Status | None) -> bool | None:
    """Four minutes of siren when no message got out and no call was taken, then a pause as long as a late round, and again.

    It does not stop for a call that rings: one that nobody takes would make it stutter. `known` is None where a message got out.
    """
    row = store.get("ladder", number)
    assert row is not None
    ladder = _ladder(row)
    stuck = False
    if known is not None and known.texts in (Texts.NONE, Texts.FAILED) and now - incident.started >= STATUS_FIRST:
        stuck = {contact.name for contact in callable_contacts(household)} <= {*known.rung, *known.unrung}
    if ladder.siren and (not stuck or (ladder.siren_at is not None and ladder.siren_at <= now)):
        _set(store, number, siren=0, siren_at=now + LATER_ROUND if stuck else None)
        return False
    if not ladder.siren and stuck and (ladder.siren_at is None or ladder.siren_at <= now):
        _set(store, number, siren=1, siren_at=now + SIREN)
        return True
    return None


def _taken(store: Store, now: datetime, household: Household, before: Incident, after: Incident) -> None:
    """Calls and messages stop; the others learn who took it; the card goes to that person alone."""
    message.withdraw(store, now, PURPOSE, after.id)
    _rest(store, now, after.id)
    if before.state is State.ACKED and before.person == after.person:
        return
    told = f"现在的情况：{what_of(after)}。" if len(after.kinds) > 1 else ""  # the call may have begun before the second
    for circle in message.circles(household, household.ladder):
        others = tuple(contact for contact in circle if contact.name != after.person)
        if others:
            message.post(
                store, now, purpose=f"{PURPOSE}.note", person=_together(others), channels=circle[0].notify, urgent=True,
                title=("【演习】" if after.drill else "") + "有人接手了",
                body=f"{after.person} 已经答应去处理。{household.elder.call}的情况等回音。",
                key=f"n-{after.key}-a-{after.person}-{others[0].name}-{stamp(now)}", incident=after.id,
            )
    taker = household.contact(after.person)
    if taker is not None and not after.drill:
        _tell_taker(store, now, household, after, taker, told)


def _tell_taker(store: Store, now: datetime, household: Household, incident: Incident, taker: Contact, told: str) -> None:
    """What has happened besides, and the access card to the taker alone: over the channels nobody else reads, or else by telephone; with
    neither the taker is told that it is not sent."""
    key = f"n-{incident.key}-a-{taker.name}-{taker.name}-{stamp(now)}"
    own = message.private(household, taker)
    if told and taker.notify and not (own and card(household)):
        message.post(
            store, now, purpose=f"{PURPOSE}.note", person=taker.name, channels=taker.notify, urgent=True, title="现在的情况", body=told,
            key=f"{key}-t", incident=incident.id,
        )
    if not card(household):
        return
    if own:
        message.post(
            store, now, purpose=f"{PURPOSE}.note", person=taker.name, channels=own, urgent=True,
            title="进门和病史（只发给您）", body=told + card(household), key=key, incident=incident.id,
        )
        return
    calls = message.of_incident(store, PURPOSE, incident.id, "kind = 'call' AND state = 'answered'")
    if any(call.person == taker.name for call in calls):
        return  # it is being read to whoever presses 1
    line = message.telephone(household)
    rung = line is not None and taker in callable_contacts(household)
    if line is not None and rung:
        message.post(
            store, now, purpose=f"{PURPOSE}.note", person=taker.name, channels=(line.name,), title="", kind="call", urgent=True,
            body=card_call(household), number=taker.phone, card=card(household), key=f"{key}-c", incident=incident.id,
        )
    if taker.notify:
        how = "小伴这就打电话念给您听，请接一下" if rung else f"请给{household.elder.call}或者知道的家里人打电话问"
        message.post(
            store, now, purpose=f"{PURPOSE}.note", person=taker.name, channels=taker.notify, urgent=True, title="进门和病史不发在这里",
            body=f"{taker.name}：别人也看得到这里，进门的办法和病史不发。{how}。", key=key, incident=incident.id,
        )


def _still_crying(store: Store, now: datetime, household: Household, incident: Incident, news: str) -> None:
    """Somebody is on the way and the elder calls again: that person and the others hear of it, at most once a minute, and at once if
    something else has happened."""
    last = [m for m in message.of_incident(store, f"{PURPOSE}.note", incident.id) if now - CALM < m.created <= now and "又" in m.title]
    if last and not news:
        return
    body = (f"新情况：{WORDS[news]}。" if news else "") + words_of(household, incident, now)
    for circle in message.circles(household, household.ladder):
        message.post(
            store, now, purpose=f"{PURPOSE}.note", person=_together(circle), channels=circle[0].notify, urgent=True,
            title="【紧急】老人又喊了一次", body=body, incident=incident.id,
        )


def _over(store: Store, now: datetime, household: Household, before: Incident, after: Incident, what: Step) -> None:
    """Everything stops; whoever was alarmed is told the end of it."""
    message.withdraw(store, now, PURPOSE, after.id)
    _rest(store, now, after.id)
    elder = household.elder.call
    if before.state is State.DOUBT:
        note = NOTED[before.grade]
        if what is Step.SILENCE and not message.posted(store, note.purpose, now - note.seldom):
            message.tell_family(
                store, now, household, purpose=note.purpose, title="像是有人喊，没有应声",
                body=f"{after.started.astimezone(now.tzinfo):%H:%M} {note.heard}；问了{elder}两遍，没有应声，没有报警。方便的话打个电话问问。",
            )
        return
    if before.state is State.CANCELLED:
        local = after.started.astimezone(now.tzinfo)
        said = "后来问过，说没事" if what is Step.FINE else "一分钟后又问了两遍，没有回答，请打个电话问问"
        message.tell_family(
            store, now, household, purpose=f"{PURPOSE}.note", title="刚才有一次报警，取消了",
            body=f"{elder} {local:%H:%M} 报警后自己取消了；{said}。",
        )
        return
    if after.drill:
        return
    who = after.person or elder
    reason = {Step.ARRIVED: f"{who} 已经到了", Step.ALL_CLEAR: f"{who} 说没事了"}.get(what, "已结束")
    for circle in message.circles(household, household.ladder):
        message.post(
            store, now, purpose=f"{PURPOSE}.note", person=_together(circle), channels=circle[0].notify, urgent=True,
            title="报警解除", body=f"{elder}：{reason}。", key=f"n-{after.key}-z-{circle[0].name}", incident=after.id,
        )


def _together(people: tuple[Contact, ...]) -> str:
    return TOGETHER.join(contact.name for contact in people)


def _rest(store: Store, now: datetime, incident: int) -> None:
    """The ladder stands still; if the siren sounds it wakes once more to stop it."""
    ladder = ladder_of(store, incident)
    if ladder is not None:
        store.update(
            "ladder", ladder.id, round_at=None, call_at=None, status_at=None,
            wake_at=now if ladder.siren else None,
        )


def _set(store: Store, number: int, **columns: object) -> None:
    """Change a ladder; it wakes at the first of its times."""
    row = store.get("ladder", number)
    assert row is not None
    times = [
        moment(at) if isinstance(at, str) else at
        for at in (columns.get(c, row[c]) for c in ("round_at", "call_at", "status_at", "siren_at")) if isinstance(at, str | datetime)
    ]
    store.update("ladder", number, **columns, wake_at=min(times) if times else None)


def _surely(store: Store, change: Callable[[], Changed]) -> Changed:
    """Do it in the ledger; if that cannot be written, in memory."""
    try:
        return change()
    except (StoreError, sqlite3.Error, OSError):
        store.into_memory()
        return change()


def _known(store: Store, number: int) -> Incident:
    incident = get(store, number)
    if incident is None:
        raise KeyError(("incident", number))
    return incident


def _key(store: Store, now: datetime) -> str:
    """Different also from incidents of an earlier ledger."""
    return f"i{now:%Y%m%d%H%M%S}-{store.count('incident') + 1}"


def _incident(row: Row) -> Incident:
    return Incident(
        id=int(row["id"]), key=row["key"], kinds=tuple(row["kind"].split()) or ("generic",), grade=Step(row["grade"]), state=State(row["state"]),
        started=moment(row["started_at"]), until=_maybe(row["until_at"]), asked=row["asked"], person=row["person"],
        drill=bool(row["drill"]), ended=_maybe(row["ended_at"]),
    )


def _ladder(row: Row) -> Ladder:
    return Ladder(
        id=int(row["id"]), incident=int(row["incident"]), round=row["round"], round_at=_maybe(row["round_at"]),
        lap=row["lap"], lap_at=_maybe(row["lap_at"]), place=row["place"], call_at=_maybe(row["call_at"]),
        status_at=_maybe(row["status_at"]), siren_at=_maybe(row["siren_at"]), siren=bool(row["siren"]),
    )


def _maybe(text: str | None) -> datetime | None:
    return moment(text) if text else None
