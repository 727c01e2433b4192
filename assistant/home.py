"""The home as frozen values: who lives here, who cares, what is taken and what can be booked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from assistant.when import Recurrence

AUTHORITIES = frozenset({"110", "112", "119", "120", "122", "911", "999"})
"""Never dialled by us (CARE 4), even where the family wrote one of them as somebody's telephone."""
_BEFORE = r"(?:(?:\+|00)86(?:0?[1-9]\d{1,2})?|86|\+|0[1-9]\d{1,2})?"
"""What may stand before a number of a town: the country, with or without the town's own code, or that code alone. Without `+` or
`00` no town's code follows 86: 8628120 is somebody's telephone."""


def authority(phone: str) -> str:
    """Which of `AUTHORITIES` a telephone number or `sip:` account rings: 120 of `+86120`, `028-120`; empty for a person's."""
    user = re.sub(r"^sips?:", "", phone.strip()).partition("@")[0].partition(";")[0]
    found = re.fullmatch(f"{_BEFORE}({'|'.join(sorted(AUTHORITIES))})", re.sub(r"[\s().-]", "", user))
    return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Elder:
    """The person who lives here."""

    name: str
    """Full name, e.g. 王秀珍."""
    call: str
    """How 小伴 addresses her, e.g. 王奶奶."""
    accent: str = ""
    """Name of an accent profile, e.g. 四川; empty folds mildly."""
    address: str = ""
    """Where help must come; read only to whoever acknowledged."""
    access: str = ""
    """How to get in (door code, key); read only to whoever acknowledged."""
    conditions: tuple[str, ...] = ()
    """Illnesses and allergies for the access card."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person who is told things."""

    name: str
    relation: str = ""
    """As the elder would say it: 女儿, 孙子, 邻居."""
    nicknames: tuple[str, ...] = ()
    phone: str = ""
    notify: tuple[str, ...] = ()
    """Names of channels, best first."""
    order: int = 99
    """Place in the emergency ladder; 1 first."""
    recordings: bool = False
    """Whether the elder's recorded voice may be sent to this person."""
    room: str = ""
    """Link or template of a video room; empty takes the household's."""


@dataclass(frozen=True, slots=True)
class Medicine:
    """One medicine and its schedule."""

    name: str
    aka: tuple[str, ...] = ()
    """What the elder calls it: 降压药."""
    looks: str = ""
    """What it looks like: 粉色胶囊."""
    dose: str = "一份"
    """Amount of one dose in words: 一粒."""
    units: float = 1.0
    """Amount of one dose in units of `stock`."""
    schedule: Recurrence | None = None
    """None: taken when needed."""
    note: str = ""
    """The line the family wrote: 饭后. The only advice ever read out."""
    stock: float | None = None
    """Units left when the family wrote it; None is not counted."""
    pack: float = 0.0
    """Units in one box, for 新买了两盒; 0 unknown."""
    critical: bool = False
    """Time-critical (insulin, Parkinson's, anti-epileptic, anticoagulant): family told at +30 min (ISMP)."""
    min_gap: timedelta = timedelta(hours=4)
    """A second dose inside this is stopped."""
    late_limit: timedelta = timedelta(hours=2)
    """After this it is too late to take (never more than half the gap to the next dose)."""
    max_per_day: int = 0
    """For medicines taken when needed; 0 no limit known."""
    started: date | None = None
    stopped: date | None = None
    """Last day; a medicine is ended by writing this, never by vanishing."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours of one service on one weekday."""

    day: str
    """`MO`…`SU`."""
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Service:
    """Help that can be booked at home."""

    name: str
    aka: tuple[str, ...] = ()
    hours: tuple[Hours, ...] = ()
    """Empty: any time."""
    notice: timedelta = timedelta(0)
    """How long before it must be booked."""
    notify: tuple[str, ...] = ()
    """Channels of the provider, best first."""


@dataclass(frozen=True, slots=True)
class StandingReminder:
    """A reminder the family wrote."""

    what: str
    schedule: Recurrence


@dataclass(frozen=True, slots=True)
class Channel:
    """One way out of the house: a name the family chose and an address the program understands."""

    name: str
    url: str = field(repr=False)
    """`wecombot://…`, `mailto://…`, `sip:…`; may hold a secret, so it is never shown or logged."""


@dataclass(frozen=True, slots=True)
class Care:
    """Times of the daily round."""

    checkin: time | None = None
    """跟您报个平安 at this time."""
    checkin_alarm: bool = True
    """Whether a check-in that nobody answers becomes an alarm, asked about first; otherwise the family gets a notice."""
    digest: time | None = None
    """平安小结 to the family at this time."""
    breakfast: time = time(7, 30)
    lunch: time = time(12, 0)
    supper: time = time(18, 0)
    bedtime: time = time(21, 30)
    names_medicines: bool = False
    """Whether messages to the family may name medicines."""
    doubts: bool = True
    """Whether a cry to nobody is asked about first while the television or visitors talk; otherwise it is an alarm as in a quiet house."""
    ranges: tuple[tuple[str, float, float], ...] = ()
    """(kind, low, high) that are fine: systolic, diastolic, blood_glucose, heart_rate, temperature, weight."""
    heartbeat: str = field(default="", repr=False)
    """Address that is told every five minutes that this device lives."""
    daily_beat: str = field(default="", repr=False)
    """Address that is told the same once a day."""
    answers: str = ""
    """Where the family's telephones reach the page for answers, `http://192.168.1.20:8420`; empty: no page, no port."""
    sensors: int = 0
    """Port on the loopback address for sensors; 0: none."""
    sensor_topic: str = field(default="", repr=False)
    """Topic of an MQTT broker that sensors speak on, `mqtt://user:pass@host/home/xiaoban`; empty: none."""
    help_key: str = ""
    """Input device whose every key is the help button, `/dev/input/by-id/…-event-kbd`; empty: none."""


@dataclass(frozen=True, slots=True)
class Voice:
    """How 小伴 speaks."""

    name: str = "晓晓"
    volume: int = 80
    """0…100."""


@dataclass(frozen=True, slots=True)
class Household:
    """Everything the family's file says, checked."""

    elder: Elder
    family: tuple[Contact, ...]
    medicines: tuple[Medicine, ...] = ()
    services: tuple[Service, ...] = ()
    reminders: tuple[StandingReminder, ...] = ()
    channels: tuple[Channel, ...] = ()
    care: Care = Care()
    voice: Voice = Voice()
    wake_words: tuple[str, ...] = ("小伴小伴",)
    room: str = ""
    """Template of video-room links, `{person}` and `{code}` filled in; empty: no link, only the request."""
    timezone: str = "Asia/Shanghai"

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.timezone)

    @property
    def ladder(self) -> tuple[Contact, ...]:
        """Contacts in the order they are called in an emergency."""
        return tuple(sorted(self.family, key=lambda contact: contact.order))

    def contact(self, name: str) -> Contact | None:
        """The contact with this canonical name."""
        return next((contact for contact in self.family if contact.name == name), None)

    def medicine(self, name: str) -> Medicine | None:
        """The medicine with this canonical name."""
        for medicine in self.medicines:  # asked for with every dose: half the time of a generator
            if medicine.name == name:
                return medicine
        return None

    def service(self, name: str) -> Service | None:
        """The service with this canonical name."""
        return next((service for service in self.services if service.name == name), None)

    def channel(self, name: str) -> Channel | None:
        """The channel the family gave this name."""
        return next((channel for channel in self.channels if channel.name == name), None)
