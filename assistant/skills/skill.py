"""How a skill is written: functions under `@skill.on("intent")` and `@skill.due("table")` that talk top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from assistant.home import Household
from assistant.messages import (
    Acknowledged,
    Action,
    Ask,
    Connected,
    Conversation,
    Delivered,
    HouseholdOutgrown,
    HouseholdRefused,
    HungUp,
    Meaning,
    Pressed,
    Rang,
)
from assistant.replies import Replies
from assistant.store import Store

ALARM, CALL, DOSE, NORMAL, LOW = range(5)
"""Who speaks first when several want to; ALARM also interrupts."""


DOUBTED = "clock.doubted"
"""Setting: since when she knows that the clock may be wrong; empty when she does not, or has heard that it is right again."""


@dataclass
class Turn:
    """All that a skill sees of the world; `now` is fresh each time the conversation goes on."""

    skill: str
    now: datetime
    household: Household
    store: Store
    replies: Replies
    trusted: bool = True
    """Whether the wall clock may be believed."""
    off_since: datetime | None = None
    """On start: the last moment known to have been alive."""
    said: str = ""
    """The last sentence 小伴 spoke."""
    news: tuple[str, ...] = ()
    """What the family changed in its file just now, in sentences."""
    asked: bool = False
    """Whether a question was open when this began; it is asked again afterwards."""
    early: bool = False
    """Whether the answer just given was heard before the question had been spoken to its end."""

    def doubt(self) -> None:
        """She is being told that the clock may be wrong, so she will be told when it is right again."""
        if not self.store.setting(DOUBTED):
            self.store.remember(DOUBTED, self.now.isoformat())

    def reply(self, key: str, **words: object) -> str:
        """One of this skill's sentences; {elder} is always known."""
        return self.replies.say(self.skill, key, elder=self.household.elder.call, **words)


OnMeaning = Callable[[Turn, Meaning], Conversation]
OnDue = Callable[[Turn, int], Conversation]
OnDelivered = Callable[[Turn, int, Delivered], Conversation]
OnAcknowledged = Callable[[Turn, int, Acknowledged], Conversation]
OnPressed = Callable[[Turn, Pressed], Conversation]
OnConnected = Callable[[Turn, Connected], Conversation]
OnLine = Callable[[Turn, Rang | Connected | HungUp], None]
OnMoment = Callable[[Turn], Conversation]
OpenQuestion = Callable[[Turn], Ask | None]
OnStep = Callable[[Turn, timedelta], None]
OnHousehold = Callable[[Turn, Household], Conversation]
OnRefused = Callable[[Turn, HouseholdRefused], Conversation]
OnOutgrown = Callable[[Turn, HouseholdOutgrown], Conversation]
Instant = Callable[[Turn, int], Iterator[Action]]


@dataclass
class Skill:
    """A named set of conversations. The name is that of its file in `intents/`."""

    name: str
    meanings: dict[str, OnMeaning] = field(default_factory=dict)
    dues: dict[str, tuple[OnDue, int]] = field(default_factory=dict)
    instants: dict[str, Instant] = field(default_factory=dict)
    delivereds: dict[str, OnDelivered] = field(default_factory=dict)
    acknowledgeds: dict[str, OnAcknowledged] = field(default_factory=dict)
    presseds: dict[str, OnPressed] = field(default_factory=dict)
    connecteds: list[OnConnected] = field(default_factory=list)
    lates: dict[str, OnMeaning] = field(default_factory=dict)
    lines: list[OnLine] = field(default_factory=list)
    starteds: list[OnMoment] = field(default_factory=list)
    askeds: list[OpenQuestion] = field(default_factory=list)
    steps: list[OnStep] = field(default_factory=list)
    households: list[OnHousehold] = field(default_factory=list)
    refuseds: list[OnRefused] = field(default_factory=list)
    outgrowns: list[OnOutgrown] = field(default_factory=list)

    def on(self, *intents: str) -> Callable[[OnMeaning], OnMeaning]:
        """The conversation that these intents begin."""

        def keep(function: OnMeaning) -> OnMeaning:
            self.meanings.update(dict.fromkeys(intents, function))
            return function

        return keep

    def late(self, *intents: str) -> Callable[[OnMeaning], OnMeaning]:
        """What these answers begin when they come minutes after a question of this skill that nobody answered."""

        def keep(function: OnMeaning) -> OnMeaning:
            self.lates.update(dict.fromkeys(intents, function))
            return function

        return keep

    def due(self, table: str, priority: int = NORMAL) -> Callable[[OnDue], OnDue]:
        """The conversation held when a row of `table` wakes and the floor is free (ALARM: at once).

        The row's `wake_at` must be moved, or cleared, by the time the conversation ends.
        """

        def keep(function: OnDue) -> OnDue:
            self.dues[table] = (function, priority)
            return function

        return keep

    def instant(self, table: str) -> Callable[[Instant], Instant]:
        """What is done at once, whoever is talking, when a row of `table` wakes; may not Ask."""

        def keep(function: Instant) -> Instant:
            self.instants[table] = function
            return function

        return keep

    def delivered(self, purpose: str) -> Callable[[OnDelivered], OnDelivered]:
        """Follows the result of an attempt to send an outbox row of this purpose (`row` is the message's id)."""

        def keep(function: OnDelivered) -> OnDelivered:
            self.delivereds[purpose] = function
            return function

        return keep

    def acknowledged(self, purpose: str) -> Callable[[OnAcknowledged], OnAcknowledged]:
        """Follows a person's answer to an outbox row of this purpose (`row` is the message's id)."""

        def keep(function: OnAcknowledged) -> OnAcknowledged:
            self.acknowledgeds[purpose] = function
            return function

        return keep

    def pressed(self, button: str) -> Callable[[OnPressed], OnPressed]:
        """The conversation a button begins, at once."""

        def keep(function: OnPressed) -> OnPressed:
            self.presseds[button] = function
            return function

        return keep

    def connected(self, function: OnConnected) -> OnConnected:
        """The conversation beside a call between people, begun when the other end is there."""
        self.connecteds.append(function)
        return function

    def line(self, function: OnLine) -> OnLine:
        """Told when somebody rings and when a call is over; writes it down and says nothing."""
        self.lines.append(function)
        return function

    def started(self, function: OnMoment) -> OnMoment:
        """Held once after every start, before anything else."""
        self.starteds.append(function)
        return function

    def asked(self, function: OpenQuestion) -> OpenQuestion:
        """After a start: the question that was open when the power went, as far as the rows know. It is not asked by this."""
        self.askeds.append(function)
        return function

    def stepped(self, function: OnStep) -> OnStep:
        """Called when the wall clock has jumped by so much; moves rows that count elapsed time. Says nothing."""
        self.steps.append(function)
        return function

    def household_changed(self, function: OnHousehold) -> OnHousehold:
        """Held when the family's file has changed; gets the household as it was before."""
        self.households.append(function)
        return function

    def household_refused(self, function: OnRefused) -> OnRefused:
        """Held when the family's file was saved and cannot be used."""
        self.refuseds.append(function)
        return function

    def household_outgrown(self, function: OnOutgrown) -> OnOutgrown:
        """Held when the family's file in force breaks rules that are younger than it."""
        self.outgrowns.append(function)
        return function
