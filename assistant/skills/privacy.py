"""你都记了我啥, 刚才的别记, 别听了."""

from __future__ import annotations

from datetime import timedelta

from assistant import saying
from assistant.care import message, request
from assistant.messages import Conversation, Meaning, Pause, Say
from assistant.skills.skill import Skill, Turn

skill = Skill("privacy")

JUST_NOW = timedelta(minutes=10)
"""What 刚才 means when words are to be forgotten."""
PAUSE = timedelta(hours=1)
"""How long 别听了 lasts unless a time is said; distress words are heard all the same."""


@skill.on("privacy.list")
def what_is_kept(turn: Turn, meaning: Meaning) -> Conversation:
    """Counts of what lies in the ledger, in plain words, and where it is."""
    words = turn.store.count("log", "kind = 'heard'")
    voiced = [one.relation or one.name for one in turn.household.family if request.consent(turn.store, one) == "yes"]
    yield Say(turn.reply(
        "list_voice" if voiced else "list", **({"people": "、".join(voiced)} if voiced else {}), words=saying.number(words),
        doses=saying.number(turn.store.count("dose", "state IN ('taken', 'skipped', 'missed', 'unknown')")),
        reminders=saying.number(turn.store.count("reminder")),
    ))


@skill.on("privacy.forget")
def forget(turn: Turn, meaning: Meaning) -> Conversation:
    """Words of the last minutes go for good, and sound that has not left; medicine and alarms stay, because others rely on them.

    Whoever wants something forgotten is also asked again before her voice goes to anybody.
    """
    with turn.store.atomic():
        for row in turn.store.find("log", "kind = 'heard' AND at > ?", turn.now - JUST_NOW):
            turn.store.delete("log", int(row["id"]))
        waiting = message.drop_recordings(turn.store, turn.now - JUST_NOW)
        voiced = [one for one in turn.household.family if request.consent(turn.store, one) == "yes"]
        for one in voiced:
            request.consented(turn.store, one, "")
    yield Say(turn.reply("forgotten_voice" if waiting or voiced else "forgotten"))


@skill.on("privacy.pause")
def pause(turn: Turn, meaning: Meaning) -> Conversation:
    """Deaf to everything but cries for help, and says so."""
    length = meaning.slots.get("duration")
    span = min(length, timedelta(hours=12)) if isinstance(length, timedelta) else PAUSE
    turn.store.note_down(turn.now, "privacy.paused", text=str(span))
    yield Say(turn.reply("paused", length=saying.length(span)))
    yield Pause(span.total_seconds())
