"""The outbox at work: whatever is due is handed to its channel, whoever is talking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from assistant.care import message
from assistant.messages import Action, Conversation, Say
from assistant.skills.skill import Skill, Turn

skill = Skill("outbox")


@skill.instant("message")
def send(turn: Turn, row: int) -> Iterator[Action]:
    """One try of one row; a notice that grew too old is confessed aloud instead of being dropped."""
    action = message.attempt(turn.store, turn.now, row)
    if action is not None:
        yield action
    elif old := message.given_up(turn.store):
        message.confessed(turn.store, old)
        people = "、".join(dict.fromkeys(m.person for m in old))
        yield Say(turn.reply("given_up", people=people, count=len(old)))


@skill.started
def resume(turn: Turn) -> Conversation:
    """What was in the air when the power went is sent again with the same key."""
    message.resume(turn.store, turn.now)
    yield from ()


@skill.stepped
def stepped(turn: Turn, by: timedelta) -> None:
    """Waits count elapsed time, so they move with the wall clock."""
    message.shift(turn.store, turn.now, by)
