"""Every change the family makes in its file is told to the elder; a file that cannot be used, or not all of it, to the family."""

from __future__ import annotations

from assistant.care import refusal
from assistant.home import Household
from assistant.messages import Conversation, HouseholdOutgrown, HouseholdRefused, Say
from assistant.skills.skill import Skill, Turn
from assistant.store import UNHEARD

skill = Skill("household")

SHOWN = 3
"""Sentences that a message or an announcement has of them."""
MOST_TOLD = 12
"""The same of what is not done any more until it is mended: none of that may go unsaid."""


@skill.household_changed
def announce(turn: Turn, before: Household) -> Conversation:
    """One sentence a change, three at most: more nobody remembers; the rest stands in the log."""
    turn.store.note_down(turn.now, "household.changed", text="；".join(turn.news))
    if not turn.news:
        return
    yield Say(turn.reply("changed"))
    for sentence in turn.news[:SHOWN]:
        yield Say(turn.reply("change", sentence=sentence))
    if len(turn.news) > SHOWN:
        yield Say(turn.reply("more"))


@skill.household_refused
def refuse(turn: Turn, event: HouseholdRefused) -> Conversation:
    """The family gets a message; she hears of it only where nobody can get one."""
    more = len(event.why) - SHOWN
    why = "".join(event.why[:SHOWN]) + (turn.reply("refused_body_more", count=more) if more > 0 else "")
    title, body = turn.reply("refused_title"), turn.reply("refused_body", why=why)
    if refusal.tell(turn.store, turn.now, turn.household, event.content, title, body) == []:
        yield Say(turn.reply("refused"))


@skill.household_outgrown
def outgrown(turn: Turn, event: HouseholdOutgrown) -> Conversation:
    """The family gets a message with all of it; she hears what she must do otherwise, and of the rest where nobody can get one."""
    more = len(event.why) - MOST_TOLD
    why = "".join(event.why[:MOST_TOLD]) + (turn.reply("refused_body_more", count=more) if more > 0 else "")
    title, body = turn.reply("outgrown_title"), turn.reply("outgrown_body", why=why)
    told = refusal.tell(turn.store, turn.now, turn.household, event.content, title, body, refusal.OUTGROWN)
    if told is None or (told and not event.hers):
        return
    yield Say(turn.reply("outgrown"))
    for sentence in event.hers[:MOST_TOLD]:
        yield Say(turn.reply("change", sentence=sentence))


@skill.started
def harmed(turn: Turn) -> Conversation:
    """What came to harm in the machine is said at the next start, and once."""
    for what in turn.store.setting(UNHEARD).split():
        yield Say(turn.reply(what))
    if turn.store.setting(UNHEARD):
        turn.store.remember(UNHEARD, "")
