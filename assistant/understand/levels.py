"""From which score on an intent acts or is asked about."""

from __future__ import annotations

from collections.abc import Mapping

ACT = 0.62
"""Act from this score on; set on the examples and the damaged sentences of tests/bench/understanding.py."""
ASK = 0.46
"""Between this and ACT the reading is offered as a question."""
MARGIN = 0.05
"""The best reading must lead the next by this much."""
STRICT: Mapping[str, tuple[float, float]] = {
    "medication.taken": (0.74, 0.10),
    "emergency.cancel": (0.77, 0.12),
    "reminder.cancel": (0.68, 0.06),
    "booking.cancel": (0.68, 0.06),
    "privacy.forget": (0.66, 0.06),
    "emergency.call": (0.56, 0.0),
    "call.voice": (0.66, 0.05),
    "call.missed": (0.73, 0.05),
    "call.video": (0.66, 0.05),
    "medication.restock": (0.60, 0.05),
}
"""(score, margin) where a wrong reading is dearer, or a missed one is (emergency.call)."""

EASILY = {"control": 0.66, "info": 0.66, "chat": 0.85}
"""ACT of skills whose few common words are in much that is said to others: thanks and greetings most of all."""

WARY = frozenset({"medication.taken", "emergency.call", "emergency.cancel", "booking.cancel", "reminder.cancel", "privacy.forget"})
"""Intents dearest when wrong: no opinion alone acts on them, and a clause means them only where its borders can be heard."""


def acts(intent: str) -> tuple[float, float]:
    """Score and lead from which an intent acts."""
    return STRICT.get(intent, (EASILY.get(intent.split(".")[0], ACT), MARGIN))


def asked_at_most(intent: str) -> float:
    """The highest score with which an intent is only asked about."""
    return acts(intent)[0] - 0.02
