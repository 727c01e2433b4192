"""What 小伴 can do: a new skill is its file, its intents/*.toml and a line here."""

from __future__ import annotations

from importlib import import_module

from assistant.skills.skill import Skill

NAMES = (
    "outbox",
    "emergency",
    "medication",
    "reminders",
    "selftest",
    "diary",
    "checkin",
    "booking",
    "calls",
    "chat",
    "control",
    "fraud",
    "household",
    "info",
    "privacy",
)
"""Files of this folder, in the order in which they are asked after a start."""

SKILLS: tuple[Skill, ...] = tuple(import_module(f"{__name__}.{name}").skill for name in NAMES)
