"""What 小伴 can do: a new skill is its file, its intents/*.toml and a line here."""

from __future__ import annotations

from assistant.skills.skill import Skill

SKILLS: tuple[Skill, ...] = ()
"""In the order in which they are asked after a start."""
