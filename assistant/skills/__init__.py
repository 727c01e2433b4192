"""What 小伴 can do: a new skill is its file, its intents/*.toml and a line here."""

from __future__ import annotations

from assistant.skills import booking, chat, control, emergency, fraud, info, medication, outbox, privacy, reminders
from assistant.skills.skill import Skill

SKILLS: tuple[Skill, ...] = (
    outbox.skill,
    emergency.skill,
    medication.skill,
    reminders.skill,
    booking.skill,
    chat.skill,
    control.skill,
    fraud.skill,
    info.skill,
    privacy.skill,
)
"""In the order in which they are asked after a start."""
