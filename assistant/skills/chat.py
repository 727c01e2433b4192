"""Greetings and thanks: short and warm, nothing invented."""

from __future__ import annotations

from assistant import saying
from assistant.messages import Conversation, Meaning, Say
from assistant.skills.skill import Skill, Turn

skill = Skill("chat")


@skill.on("chat.greet")
def greet(turn: Turn, meaning: Meaning) -> Conversation:
    """你好, 早上好."""
    part = next(word for before, word in saying.PARTS if turn.now.hour < before)
    yield Say(turn.reply("greet", part=part))


@skill.on("chat.thanks")
def thanks(turn: Turn, meaning: Meaning) -> Conversation:
    """谢谢你啊."""
    yield Say(turn.reply("thanks"))
