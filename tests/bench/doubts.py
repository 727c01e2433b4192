"""How often would the house ask 刚才是您在喊吗 beside the television that `distress.py` has heard?

    python -m tests.bench.doubts

Reads what the newest run of `distress.py` kept, judges each doubtful sentence again from what was heard, and applies the dialogue's
rule: a lone cry is asked about only where it is plainly one and nobody just failed to stand by another, else two within a minute. Of a
scene the doubt that mattered most is known; cries of a drama, of which the words are not kept, count as plain.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from assistant import household as household_file
from assistant import places
from assistant.converse import SURELY, TWICE, WEARY
from assistant.furnish import understander
from assistant.messages import Hypothesis
from assistant.understand.judge import Understander
from tests.bench.distress import CACHE

SOURCES = {"f": "free", "g": "grammar"}
BEGAN = datetime(2026, 11, 22, 15)


def score(brain: Understander, told: str) -> float:
    """How plainly the sentence that was heard is a cry; 0 where it is none alone."""
    heard = []
    for part in told.rpartition(" <- ")[2].split(" | "):
        source, share, text = (*part.split(" ", 2), "", "")[:3]
        heard.append(Hypothesis(text, SOURCES.get(source, "text"), float(share)))  # type: ignore[arg-type]
    meaning = brain.judge(heard, BEGAN.replace(tzinfo=brain.household.zone)).meaning
    return meaning.score if meaning is not None and meaning.intent == "emergency.call" else 0.0


def asked(rows: list[dict[str, Any]], brain: Understander) -> tuple[int, float]:
    """How many questions, and hours of television."""
    now, questions, cries, wearied = timedelta(), 0, list[timedelta](), -WEARY
    for row in rows:
        now += timedelta(seconds=row["seconds"])
        own = [score(brain, row["text"])] if row["result"] == "doubt" else []
        for plain in [*own, *([1.0] if row["staged"] == "doubt" else [])]:
            again = any(now - at <= TWICE for at in cries)
            cries.append(now)
            if again or (plain >= SURELY and now - wearied >= WEARY):
                questions, wearied = questions + 1, now
    return questions, now.total_seconds() / 3600


def main() -> None:
    """Figures on stdout."""
    kept = max(CACHE.glob("results-????????????.jsonl"), key=lambda path: path.stat().st_mtime)
    rows = [row for row in map(json.loads, kept.read_text(encoding="utf-8").splitlines()) if row["key"].startswith("tv")]
    rows.sort(key=lambda row: (row["attempt"], int(row["key"][2:].partition("-")[0])))
    questions, hours = asked(rows, understander(household_file.load(places.sample_household())))
    doubts = sum(row["result"] == "doubt" for row in rows) + sum(row["staged"] == "doubt" for row in rows)
    print(f"{hours:.2f} h of television, {doubts} doubtful cries ({sum(row['staged'] == 'doubt' for row in rows)} of them a drama's), asked about {questions} = {questions / hours:.1f} an hour")


if __name__ == "__main__":
    main()
