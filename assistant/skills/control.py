"""再说一遍, 大点声, 慢点说, 别说了, 你会干啥: at any moment, also inside another conversation."""

from __future__ import annotations

from assistant.messages import Adjust, Conversation, Hush, Meaning, Say
from assistant.skills.skill import Skill, Turn

skill = Skill("control")

TIPS = 6
"""Sentences `tip_1`…: one thing at a time, each with an example (CARE 6)."""


@skill.on("control.repeat")
def repeat(turn: Turn, meaning: Meaning) -> Conversation:
    """The last sentence again; an open question is asked again by itself."""
    if turn.asked:
        return
    yield Say(turn.said or turn.reply("nothing_said"))


@skill.on("control.louder")
def louder(turn: Turn, meaning: Meaning) -> Conversation:
    """One step louder, and the same sentence again, because it was not heard."""
    yield Adjust(louder=1)
    yield Say(turn.reply("louder"))
    if turn.said and not turn.asked:
        yield Say(turn.said)


@skill.on("control.softer")
def softer(turn: Turn, meaning: Meaning) -> Conversation:
    """One step softer."""
    yield Adjust(louder=-1)
    yield Say(turn.reply("softer"))


@skill.on("control.slower")
def slower(turn: Turn, meaning: Meaning) -> Conversation:
    """One step slower, only because she asked (slower synthetic speech is understood worse by default)."""
    yield Adjust(slower=1)
    yield Say(turn.reply("slower"))
    if turn.said and not turn.asked:
        yield Say(turn.said)


@skill.on("control.stop")
def stop(turn: Turn, meaning: Meaning) -> Conversation:
    """Silence at once."""
    yield Hush()


@skill.on("control.help")
def tips(turn: Turn, meaning: Meaning) -> Conversation:
    """One thing it can do, with an example; the next one the next time."""
    number = int(turn.store.setting("control.tip", "0")) % TIPS + 1
    turn.store.remember("control.tip", str(number))
    yield Say(turn.reply(f"tip_{number}"))
