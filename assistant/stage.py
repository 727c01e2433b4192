"""A house without threads or devices: the real core on a virtual clock, with people and networks that act as told.

Demo, plays and simulation stand on it. Everything that happens is kept in `happened`, in order.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from assistant.clock import VirtualClock
from assistant.converse import SECONDS_A_CHARACTER, Dialogue
from assistant.messages import (
    TOGETHER,
    Acknowledged,
    Action,
    Ask,
    Call,
    ClockStepped,
    Connected,
    Delivered,
    Due,
    Event,
    HangUp,
    HungUp,
    Hush,
    Notify,
    PickUp,
    Rang,
    Say,
    Silence,
    Spoken,
)

DOORBELL = timedelta(seconds=5)
"""How often rows that are due are offered again."""

ANSWERS = {"coming": "我来", "arrived": "到了", "all_clear": "没事了", "accepted": "接", "declined": "不接",
           "confirmed": "确认", "moved": "改期", "seen": "看到了"}
"""What a person's answer is called in a printed play."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that was said, sent or done."""

    at: datetime
    who: str
    """`elder`, `xiaoban`, or the name of who got or sent something."""
    kind: str
    """said, asked, sent, called, acknowledged, sound, clock, power, network, note…"""
    text: str = ""
    seconds: float = 0.0
    """Length, where it is speech."""
    detail: str = ""

    def told(self) -> str:
        """One line of the printed play; empty for what nobody wants to read."""
        clock = self.at.strftime("%H:%M:%S")
        match self.kind:
            case "said" | "asked" if self.who == "xiaoban":
                return f"{clock}  小伴：{self.text}"
            case "said":
                return f"{clock}  {'老人' if self.who == 'elder' else '旁人'}：{self.text}"
            case "sent":
                return f"{clock}      → {self.who}（{self.detail}）：{self.text}"
            case "failed":
                return f"{clock}      × 没发出去：{self.who}（{self.detail}）"
            case "called":
                return f"{clock}      ☎ {self.who} {self.detail}"
            case "acknowledged":
                return f"{clock}      ✓ {self.who}：{ANSWERS.get(self.text, self.text)}"
            case "note":
                return f"{clock}  （{self.text}）"
            case "sound":
                return f"{clock}  ♪ {self.text}"
            case _:
                return ""

    def to_json(self) -> dict[str, Any]:
        """One line of `play --json`."""
        return {"at": self.at.isoformat(timespec="seconds"), "who": self.who, "kind": self.kind, "text": self.text,
                **({"detail": self.detail} if self.detail else {})}


@dataclass
class People:
    """How the world beyond the house answers: which channels work and who picks up which call.

    A person in `answers` takes a call after so many rings and presses a key; all others let it ring out.
    """

    network: bool = True
    dead_channels: set[str] = field(default_factory=set)
    answers: dict[str, str] = field(default_factory=dict)
    """name → what they do with a call or alarm: coming, all_clear, voicemail, busy."""
    talk: float = 20.0
    """Seconds after which somebody who talks with the elder hangs up."""
    latency: float = 0.4
    """Seconds one delivery takes."""
    sound: bool = True
    """Whether their channels take a recording."""

    def deliver(self, notify: Notify) -> tuple[float, Delivered]:
        """(seconds until the result is known, the result)."""
        if not self.network:
            return 2.0, Delivered(notify.message, False, "network unreachable")
        if notify.channel in self.dead_channels:
            return 8.0, Delivered(notify.message, False, "timed out")
        return self.latency, Delivered(notify.message, True, "accepted", recording=self.sound and bool(notify.recording))

    def pick_up(self, call: Call) -> Iterator[tuple[float, Event]]:
        """What follows a call: (seconds from now, event)."""
        if not self.network or call.channel in self.dead_channels:
            yield 2.0, Delivered(call.message, False, "no line")
            return
        match self.answers.get(call.person, "silent"):
            case "coming" | "all_clear" | "accepted" if not call.text:
                yield 9.0, Connected(call.key)
                yield 9.0 + self.talk, HungUp(call.key)
                yield 9.0 + self.talk, Delivered(call.message, True, "talked")
            case "coming" | "all_clear" | "accepted" as answer:
                yield 9.0, Acknowledged(call.key, call.person, answer)
                yield 12.0, Delivered(call.message, True, "answered")
            case "busy":
                yield 3.0, Delivered(call.message, False, "busy")
            case "voicemail":
                yield 25.0, Delivered(call.message, False, "answered without a key")
            case _:
                yield call.ring, Delivered(call.message, False, "no answer")


def guess_seconds(text: str) -> float:
    """How long a sentence takes to speak when nobody renders it."""
    return 0.4 + SECONDS_A_CHARACTER * len(text)


@dataclass
class Stage:
    """Runs a dialogue through time."""

    dialogue: Dialogue
    clock: VirtualClock
    people: People = field(default_factory=People)
    speech_seconds: Callable[[str], float] = guess_seconds
    happened: list[Happened] = field(default_factory=list)
    perform: Callable[[Action, datetime], None] | None = None
    """Sees every action too: the demo's mouth."""
    _queue: list[tuple[datetime, int, Event]] = field(default_factory=list)
    _count: Iterator[int] = field(default_factory=itertools.count)
    _mouth_until: datetime | None = None
    _calls: dict[str, list[int]] = field(default_factory=dict)
    _looked: datetime | None = None

    def tell(self, event: Event) -> None:
        """Something happens now."""
        for action in self.dialogue.handle(event, self.clock.now):
            self._do(action)

    def later(self, seconds: float, event: Event) -> int:
        """Something will happen. Returns its number."""
        number = next(self._count)
        heapq.heappush(self._queue, (self.clock.now + timedelta(seconds=seconds), number, event))
        return number

    def ring(self, number: str, seconds: float = 30.0, key: str = "in-1") -> None:
        """Somebody rings the house now, for so long."""
        self._calls[key] = [self.later(seconds, HungUp(key))]
        self.tell(Rang(key, number))

    def step(self, by: timedelta) -> None:
        """The wall clock is set forward or back; what is under way takes as long as it would have."""
        self.clock.step(by)
        self._queue = [(at + by, number, event) for at, number, event in self._queue]
        self._mouth_until = self._mouth_until + by if self._mouth_until is not None else None
        self._looked = None
        self.tell(ClockStepped(by, self.clock.is_trusted))

    def power_cut(self, dialogue: Dialogue) -> None:
        """Everything that was in memory is gone: talk, mouth, calls under way. `dialogue` is the one after the start."""
        self._queue.clear()
        self._calls.clear()
        self._mouth_until = self._looked = None
        self.dialogue = dialogue

    def note(self, who: str, kind: str, text: str = "", **more: Any) -> None:
        """Write down something that happened now."""
        self.happened.append(Happened(self.clock.now, who, kind, text, **more))

    @property
    def speaking(self) -> bool:
        """Whether the mouth is still busy."""
        return self._mouth_until is not None and self._mouth_until > self.clock.now

    def until_quiet(self, at_most: float = 120.0) -> None:
        """Go on until 小伴 has finished speaking."""
        end = self.clock.now + timedelta(seconds=at_most)
        while self.speaking and self.clock.now < end:
            self.run(min(end, self._mouth_until or end))

    def run(self, until: datetime) -> None:
        """Let time pass; everything falls due by itself."""
        while (moment := self._next_moment()) is not None and moment <= until:
            self.clock.advance(moment)
            now = self.clock.now
            if self._queue and self._queue[0][0] <= now:
                _, _, event = heapq.heappop(self._queue)
                if isinstance(event, Spoken):
                    self._mouth_until = None
                if isinstance(event, Acknowledged):
                    self.note(event.person, "acknowledged", event.answer)
                self.tell(event)
            elif self.dialogue.deadline is not None and self.dialogue.deadline <= now:
                self.tell(Silence())
            else:
                self._looked = now
                for row in self.dialogue.store.due(now):
                    self.tell(Due(*row))
        self.clock.advance(until)

    def _next_moment(self) -> datetime | None:
        now, first = self.clock.now, self.dialogue.deadline
        if self._queue and (first is None or self._queue[0][0] < first):
            first = self._queue[0][0]
        if wake := self.dialogue.store.next_wake():
            wake = wake.astimezone(now.tzinfo)
            if self._looked is not None and wake <= self._looked:
                # A row that stays due waits for the floor: as in the house, it is offered again every 5 s.
                wake = self._looked + DOORBELL
            if first is None or wake < first:
                first = wake
        return first if first is None or first > now else now

    def _do(self, action: Action) -> None:
        now = self.clock.now
        if self.perform is not None:
            self.perform(action, now)
        match action:
            case Say(text=text, urgent=urgent) | Ask(text=text, urgent=urgent):
                seconds = self.speech_seconds(text)
                begin = now if urgent or self._mouth_until is None else max(now, self._mouth_until)
                self._mouth_until = begin + timedelta(seconds=seconds)
                self._unspoken()
                heapq.heappush(self._queue, (self._mouth_until, next(self._count), Spoken()))
                kind = "asked" if isinstance(action, Ask) else "said"
                self.happened.append(Happened(begin, "xiaoban", kind, text, seconds))
            case Hush():
                self._mouth_until = None
                self._unspoken()
            case Notify():
                seconds, delivered = self.people.deliver(action)
                if action.person:  # a silent self-test of a channel is no message to anybody
                    kind = "sent" if delivered.ok else "failed"
                    self.note(action.person, kind, f"{action.title}：{action.body}", detail=action.channel)
                self.later(seconds, delivered)
                reader = next((name for name in action.person.split(TOGETHER) if self.people.answers.get(name) == "reads"), "")
                if delivered.ok and action.urgent and reader:
                    self.later(20.0, Acknowledged(action.key, reader, "coming"))
            case Call():
                self.note(action.person, "called", action.text, detail=action.number)
                self._calls[action.key] = [self.later(after, event) for after, event in self.people.pick_up(action)]
            case PickUp(key=key, text=text):
                self.note("xiaoban", "picked_up", text)
                self._forget(key)
                self._calls[key] = [self.later(0.3, Connected(key)), self.later(self.people.talk, HungUp(key))]
            case HangUp(key=key):
                self.note("xiaoban", "hung_up", key)
                for event in self._forget(key):
                    self.later(0.1, event)
            case _:
                self.note("xiaoban", type(action).__name__.lower(), getattr(action, "name", ""))

    def _unspoken(self) -> None:
        """The mouth has more to say, or nothing: that it has finished is no longer true."""
        if any(isinstance(item[2], Spoken) for item in self._queue):
            self._queue = [item for item in self._queue if not isinstance(item[2], Spoken)]
            heapq.heapify(self._queue)

    def _forget(self, key: str) -> list[Event]:
        """Nothing more comes of the call of this key, or of all; gives what ends those between people."""
        numbers = {n for k, ns in self._calls.items() if key in ("", k) for n in ns}
        gone = [item[2] for item in self._queue if item[1] in numbers]
        self._queue = [item for item in self._queue if item[1] not in numbers]
        heapq.heapify(self._queue)
        return [event for event in gone if isinstance(event, HungUp) or (isinstance(event, Delivered) and event.detail == "talked")]
