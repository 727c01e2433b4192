"""有人叫我转钱: a fixed calm warning and an offer to call the family."""

from __future__ import annotations

from assistant.care import message
from assistant.messages import Ask, Conversation, Meaning, Say
from assistant.skills.skill import Skill, Turn

skill = Skill("fraud")


@skill.on("fraud.warn")
def warn(turn: Turn, meaning: Meaning) -> Conversation:
    """Never argues, never asks for numbers; the anti-fraud line 96110 is said aloud (CARE 5)."""
    first = turn.household.ladder[0]
    turn.store.note_down(turn.now, "fraud.warned")
    answer = yield Ask(turn.reply("warn", person=first.relation or first.name), asking="yes_no", seconds=15)
    if answer is None or answer.intent != "dialogue.yes":
        yield Say(turn.reply("stay_calm"))
        return
    with turn.store.atomic():
        posted = message.tell_family(
            turn.store, turn.now, turn.household, purpose="fraud", title=turn.reply("title"), body=turn.reply("body"),
            only=[first.name],
        )
    key = "asking_family" if posted else "no_channel" if _spoken(first.phone) else "no_number"
    yield Say(turn.reply(key, person=first.relation or first.name, phone=_spoken(first.phone)))


@skill.delivered("fraud")
def told(turn: Turn, row: int, delivered: object) -> Conversation:
    """Says how it went, once it is known."""
    sent = message.get(turn.store, row)
    if sent is None or sent.state != message.State.SENT:
        return
    contact = turn.household.contact(sent.person)
    yield Say(turn.reply("sent", person=(contact.relation or contact.name) if contact else sent.person))


def _spoken(phone: str) -> str:
    if "@" in phone:
        return ""  # an account on the internet telephone: nobody can dial it by hand
    return " ".join("零幺二三四五六七八九"[int(digit)] for digit in phone if digit.isdigit())
