"""What 小伴 can do: a new skill is its file, its intents/*.toml and a line here."""

from __future__ import annotations

from assistant.skills import (
    booking,
    calls,
    chat,
    checkin,
    control,
    diary,
    emergency,
    fraud,
    household,
    info,
    medication,
    outbox,
    privacy,
    reminders,
    selftest,
)
from assistant.skills.skill import Skill

SKILLS: tuple[Skill, ...] = (
    outbox.skill,
    emergency.skill,
    medication.skill,
    reminders.skill,
    selftest.skill,
    diary.skill,
    checkin.skill,
    booking.skill,
    calls.skill,
    chat.skill,
    control.skill,
    fraud.skill,
    household.skill,
    info.skill,
    privacy.skill,
)
"""In the order in which they are asked after a start."""
