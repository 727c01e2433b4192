"""What 小伴 can do: a new skill is its file, its intents/*.toml and a line here."""

from __future__ import annotations

from assistant.skills import emergency, outbox
from assistant.skills.skill import Skill

SKILLS: tuple[Skill, ...] = (
    emergency.skill,
    outbox.skill,
)
"""In the order in which they are asked after a start."""
