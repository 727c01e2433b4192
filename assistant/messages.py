"""What can happen and what can be done: the words the floors use with each other.

Events are past (`Heard`), actions are imperative (`Say`). All are frozen values; none knows a thread or a device.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from assistant.home import Household
from assistant.when import Recurrence

Asking = Literal["dose", "chore", "yes_no", "emergency", "which", "when", "evidence", "text", "ring", "talk"]
"""What kind of answer an open question expects; each is a closed grammar of its own.

dose: the six answers to 您吃了吗. chore: the same of what she was reminded of, whose words are the option: 关了, 倒过了. yes_no: 是/不是 in every manner. emergency: 您还好吗 and the cancel window.
which: one of the question's options. when: a time. evidence: the pillbox is empty or full. text: free words (a message).
ring: 接 or 不接. talk: two people are on the telephone, and nothing is for us but 挂了.
"""

Slot = str | int | float | date | datetime | timedelta | Recurrence
"""A slot's value. `when`: datetime (local, naive), date (day without a time), or Recurrence."""


# --- values -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One thing a decoder believes was said."""

    text: str
    """Characters without spaces or punctuation."""
    source: Literal["free", "grammar", "text"] = "text"
    """Which decoder; `text` was typed."""
    score: float = 1.0
    """Confidence 0…1, comparable only within one source."""
    whole: bool = True
    """False: a grammar left part of the sound unexplained (`[unk]`), which `text` does not show."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What was meant."""

    intent: str
    """One of the public names, e.g. `medication.taken`."""
    slots: Mapping[str, Slot] = field(default_factory=dict)
    score: float = 1.0
    """0…1, calibrated: the share of such judgements that are right."""
    text: str = ""
    """What was heard, in characters, for reading back."""
    sound: str = ""
    """Key of the sound it was made of, as in `Heard`."""


YES_OR_NO = frozenset({"dialogue.yes", "dialogue.no"})
WAIT = "dialogue.wait"
"""等我想想: the question stays open, and nothing is held against her."""
UNCLEAR = "dialogue.unclear"
"""Intent given to a question asked with `repair=False` when something was said that is no answer to it."""


OVER = "call.over"
"""Intent given to a question about a telephone call once that call is over."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Act on `meaning`; or, when it is None, ask back between `nearest` (may be empty: keep still)."""

    meaning: Meaning | None
    nearest: tuple[Meaning, ...] = ()
    """The two likeliest readings when neither is sure."""
    cry: Meaning | None = None
    """What may have been a cry for help although it is not acted on: asked about when it comes again and was said to nobody."""


# --- events -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heard:
    """An utterance ended."""

    hypotheses: tuple[Hypothesis, ...]
    """Free n-best first, then grammar; empty if nothing was made of it."""
    woken: bool = True
    """Said to 小伴: the wake word came before it, or it was typed. An open question needs no wake word."""
    seconds: float = 0.0
    """Length of the utterance."""
    clip: str = ""
    """Where the sound came from, for the log; never a recording kept."""
    sound: str = ""
    """Key under which the ear still has its sound, in memory and for minutes; empty where nobody agreed to recordings."""
    prompted: bool = False
    """Said without the wake word, while the ear was open for an answer."""
    around: float = 0.0
    """Share of the two minutes before it, 0…1, in which somebody talked, and not to 小伴: television, or visitors."""
    denied: bool = False
    """Said to nobody, and a cry only at the first look, which the second one, with all decoders, does not bear out: it may be one, no more."""


@dataclass(frozen=True, slots=True)
class Silence:
    """The time to answer has passed and nobody spoke."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The mouth has finished everything it was given, or was cut off."""

    cut: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """A row's `wake_at` has come. The row stays due until a transition moves it."""

    table: str
    row: int


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key or button: `help` starts or confirms an alarm, `cancel` ends one, `wake` is the wake word."""

    button: Literal["help", "cancel", "wake", "fall", "bed", "smoke"]
    """The last three are sensors: the first two of them ask 您还好吗, smoke is an alarm."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One attempt to send one outbox row over one channel has ended."""

    message: int
    """Id of the outbox row."""
    ok: bool
    """Accepted by the next hop; never that a person saw it."""
    detail: str = ""
    """For the log: what the channel said, without secrets."""
    ambiguous: bool = False
    """The peer may have it or not (lost after the data): repeat with the same key."""
    recording: bool = False
    """The recording that belongs to it went with it."""


UNPROBED = "cannot be probed"
"""In the detail of a silent test: this channel has nothing that could be tried without somebody noticing. No fault."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A live person took an incident or answered a request."""

    key: str
    """Idempotency key of the message or call that was answered."""
    person: str
    """Canonical name of the contact."""
    answer: Literal["coming", "arrived", "all_clear", "accepted", "declined", "confirmed", "moved", "seen"] = "coming"
    detail: str = ""
    """For `moved`: the new time, ISO local."""


@dataclass(frozen=True, slots=True)
class Rang:
    """Somebody rings the house and waits for us to answer."""

    key: str
    """Names this call; HungUp brings it again."""
    number: str
    """Who it says it is: a telephone number, or `name@host`. Whoever runs the line vouches for it, we cannot."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The other end of a call between people is there, ours or theirs; the elder's microphone is still shut."""

    key: str
    """Of the Rang, or the idempotency key of the Call."""


@dataclass(frozen=True, slots=True)
class HungUp:
    """A call that rang us, or a conversation that was Connected, is over, whoever ended it."""

    key: str


@dataclass(frozen=True, slots=True)
class HouseholdChanged:
    """The family's file was saved and is valid."""

    household: Household
    told: tuple[str, ...] = ()
    """What changed, in sentences for the elder; every change by the family is announced (CARE 7)."""


@dataclass(frozen=True, slots=True)
class HouseholdRefused:
    """The family's file was saved and cannot be used: the earlier one stays in force."""

    content: str
    """Digest of what was saved, which is told of once."""
    why: tuple[str, ...]
    """In sentences for the family."""


@dataclass(frozen=True, slots=True)
class HouseholdOutgrown:
    """The file in force breaks rules that are younger than it: it is gone on with, as far as it can be."""

    content: str
    """Digest of what it breaks, which is told of once."""
    why: tuple[str, ...]
    """What it breaks and what is done meanwhile, in sentences for the family."""
    hers: tuple[str, ...] = ()
    """What she herself must know, in sentences."""


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """The wall clock jumped against monotonic time, or became trusted or untrusted."""

    by: timedelta = timedelta(0)
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """Microphone, loudspeaker or network went away, or there is no screen to show a room on."""

    device: Literal["microphone", "loudspeaker", "network", "screen"]


@dataclass(frozen=True, slots=True)
class DeviceFound:
    """It is back."""

    device: Literal["microphone", "loudspeaker", "network"]


@dataclass(frozen=True, slots=True)
class Started:
    """The house stands; rows that are not final are driven again."""

    trusted: bool = True
    off_since: datetime | None = None
    """Last moment known to have been alive before this start; None on the first."""


Event = (
    Heard | Silence | Spoken | Due | Pressed | Delivered | Acknowledged | HouseholdChanged | HouseholdRefused | HouseholdOutgrown | ClockStepped
    | DeviceLost | DeviceFound | Started | Rang | Connected | HungUp
)


# --- actions ------------------------------------------------------------------------------------------------------


TOGETHER = "、"
"""Between the names of people who read one channel together, where one message is for all of them."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak one or more whole sentences."""

    text: str
    urgent: bool = False
    """Cuts off whatever is being said and is as loud as the device can."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Speak, then listen for an answer without a wake word."""

    text: str
    asking: Asking = "yes_no"
    seconds: float = 10.0
    """How long to wait for an answer after the question has been spoken."""
    options: tuple[str, ...] = ()
    """For `which`: the canonical names to choose from; for `chore`: what there is to do."""
    urgent: bool = False
    repair: bool = True
    """Whether an unclear answer is asked again by the dialogue (once) before the skill gets None; with False the
    skill gets a Meaning of intent UNCLEAR at once."""
    passing: bool = False
    """Whether the question is let go, not asked again, once something else is said instead."""
    requests: bool = False
    """For `text`: whether words that are also a request are carried out after the skill has had them."""
    call: str = ""
    """Key of the telephone call it is about: once that is over the skill gets a Meaning of intent OVER."""
    patient: bool = False
    """Whether what is no answer is passed over, and the question stays open to its end: somebody else talks meanwhile."""


@dataclass(frozen=True, slots=True)
class Notify:
    """Send one outbox row over one channel now."""

    message: int
    """Id of the outbox row; comes back in Delivered."""
    key: str
    """Idempotency key: the same for every repetition of the same message."""
    person: str
    """Canonical name of the recipient (contact or service); of several who share the channel, joined by `TOGETHER`."""
    channel: str
    """Name of the channel in the household file."""
    title: str
    body: str
    urgent: bool = False
    attachment: str = ""
    """Text of a calendar file (RFC 5545) to go with it, or empty."""
    recording: str = ""
    """Name of the recording to go with it where the channel takes sound (for a channel: its path), or empty."""


@dataclass(frozen=True, slots=True)
class Call:
    """Ring one person over one channel and play the text until a key acknowledges it, or let the elder talk."""

    message: int
    key: str
    person: str
    channel: str
    """Name of the channel in the household file; empty: the default telephone."""
    number: str
    text: str = ""
    """Spoken in a loop at the far end; empty: a conversation between people."""
    card: str = ""
    """Read after an acknowledgement: address, door code, conditions."""
    ring: float = 30.0
    """Seconds to let it ring."""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class PickUp:
    """Answer a call that rings; the caller hears `text` again and again until the elder can be heard."""

    key: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the calls of this key, or all; one that still rings us is refused."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class Show:
    """Fill the screen, if there is one, with this page; empty closes what is open."""

    url: str = ""


@dataclass(frozen=True, slots=True)
class Keep:
    """Write the sound of an utterance down under this name; it goes as soon as no message waits for it any more."""

    sound: str
    """Key, as in `Heard`."""
    name: str


@dataclass(frozen=True, slots=True)
class Listen:
    """Open the ear without a question (after a wake word alone)."""

    seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class Sound:
    """Play a sound that is no speech."""

    name: Literal["heard", "wake", "siren", "siren_stop", "ring"]


@dataclass(frozen=True, slots=True)
class Hush:
    """Stop speaking at once and forget what was still to be said."""


@dataclass(frozen=True, slots=True)
class Adjust:
    """Change how 小伴 speaks from now on."""

    louder: int = 0
    """Steps of volume, negative is softer."""
    slower: int = 0
    """Steps of rate, negative is faster."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop listening for anything but distress for this long; zero ends the pause."""

    seconds: float


Action = Say | Ask | Notify | Call | PickUp | HangUp | Show | Keep | Listen | Sound | Hush | Adjust | Pause

Conversation = Generator[Action, Meaning | None, None]
"""A skill talks top to bottom: `answer = yield Ask(...)`; None means nobody answered."""


def to_json(value: Any) -> Any:
    """A slot, event or action as plain JSON values: times local to the minute, durations ISO 8601."""
    match value:
        case Recurrence():
            return value.to_json()
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M")
        case date():
            return value.isoformat()
        case timedelta():
            return iso_duration(value)
        case Mapping():
            return {key: to_json(item) for key, item in value.items()}
        case list() | tuple():
            return [to_json(item) for item in value]
        case _:
            return value


def iso_duration(length: timedelta) -> str:
    """`PT10M`, `PT1H30M`, `P2D`: ISO 8601 without weeks, months or years."""
    seconds = int(length.total_seconds())
    days, seconds = divmod(seconds, 86400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    clock = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    return "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "") if days or clock else "PT0S"
