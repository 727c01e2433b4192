"""Every change the family makes in its file is told to the elder."""

from __future__ import annotations

from assistant.home import Household
from assistant.messages import Conversation, Say
from assistant.skills.skill import Skill, Turn

skill = Skill("household")


@skill.household_changed
def announce(turn: Turn, before: Household) -> Conversation:
    """One sentence a change, three at most: more nobody remembers; the rest stands in the log."""
    turn.store.note_down(turn.now, "household.changed", text="；".join(turn.news))
    if not turn.news:
        return
    yield Say(turn.reply("changed"))
    for sentence in turn.news[:3]:
        yield Say(turn.reply("change", sentence=sentence))
    if len(turn.news) > 3:
        yield Say(turn.reply("more"))
