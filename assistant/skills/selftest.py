"""The daily silent test of every channel: nobody hears it, the digest and `doctor` tell of it."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.care import selftest
from assistant.messages import Action, Conversation, Delivered
from assistant.skills.skill import Skill, Turn

skill = Skill("selftest")


@skill.started
def plan(turn: Turn) -> Conversation:
    """Make sure the next test is planned."""
    selftest.plan(turn.store, turn.now)
    yield from ()


@skill.instant("selftest")
def begin(turn: Turn, row: int) -> Iterator[Action]:
    """Its messages are posted; the outbox does the rest."""
    selftest.begin(turn.store, turn.now, turn.household, row)
    yield from ()


@skill.delivered("selftest")
def result(turn: Turn, row: int, event: Delivered) -> Conversation:
    """Kept, and told if it stays so."""
    selftest.result(turn.store, turn.now, turn.household, row, event)
    yield from ()
