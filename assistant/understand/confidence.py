"""What a score is worth: the share of judgements with such a score that were right, measured by `tests/bench/calibrate.py`.

The understanding weighs readings by scores that order them; what it reports is this share. Its thresholds stay on the scores.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

_MEASURED = Path(__file__).with_name("confidence.toml")


def kind(acted: bool, intent: str) -> str:
    """Judgements that are counted together: what is asked back, alarms, small requests, answers, the rest."""
    if not acted:
        return "asked"
    skill = intent.split(".")[0]
    return {"emergency": "alarm", "control": "small", "info": "small", "chat": "small", "dialogue": "answer"}.get(skill, "request")


def share(acted: bool, intent: str, score: float) -> float:
    """How often a judgement of this score is right, 0…1; between measured points on a straight line."""
    points = _measured().get(kind(acted, intent))
    return between(points[0], points[1], score) if points else score


def between(scores: Sequence[float], shares: Sequence[float], score: float) -> float:
    """The piecewise linear function through the points, flat outside."""
    place = bisect_right(scores, score)
    if place == 0 or place == len(scores):
        return shares[max(0, place - 1)]
    low, high = scores[place - 1], scores[place]
    return shares[place - 1] + (shares[place] - shares[place - 1]) * (score - low) / (high - low)


@lru_cache(maxsize=1)
def _measured() -> dict[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    table = tomllib.loads(_MEASURED.read_text(encoding="utf-8"))
    return {name: (tuple(row["score"]), tuple(row["right"])) for name, row in table.items()}
