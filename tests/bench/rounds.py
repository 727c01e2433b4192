"""Sentences written in rounds, each round at first sight of the phrases: what is acted on, asked back, left alone.

    python tests/bench/rounds.py [name …]      every round, or the named ones: figures, and what failed

`sentences/rounds/*.toml`: [[s]] say, intent ("" = nothing may be done, "?x" = x may be asked,
not done, "x|y" = either), slots, asking,
options, home (a file beside or in `households`, else the sample household). `figures.md` beside them holds what each round gave
at its very first run, before anything was mended for it.
"""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROUNDS = HERE / "sentences" / "rounds"
HOUSEHOLDS = HERE / "households"
sys.path[:0] = [str(HERE.parent.parent), str(HERE)]

from assistant.household import load  # noqa: E402
from assistant.messages import Hypothesis, to_json  # noqa: E402
from assistant.places import sample_household, shipped  # noqa: E402
from assistant.understand.judge import Understander  # noqa: E402
from assistant.understand.phrasebook import Phrasebook  # noqa: E402
from assistant.understand.reader import read  # noqa: E402
from assistant.understand.spoken import hanzi  # noqa: E402

NOW = "2026-11-22T15:00"
NAMES = ("person", "medicine", "service")


@lru_cache
def book() -> Phrasebook:
    return read(shipped("intents"))


@lru_cache
def understander(home: str) -> Understander:
    files = (folder / f"{home}.yaml" for folder in (ROUNDS, HOUSEHOLDS))
    return Understander(load(next((file for file in files if file.exists()), sample_household())), book())


def outcome(row: dict[str, Any]) -> tuple[str, str]:
    """(kind, what was understood): right, slots, wrong, asked, lost for what is meant; kept, asked, acted for the rest."""
    mind = understander(row.get("home", ""))
    now = datetime.fromisoformat(row.get("now", NOW)).replace(tzinfo=mind.household.zone)
    judgement = mind.judge([Hypothesis(row["say"])], now, row.get("asking"), tuple(row.get("options", ())))
    meaning = judgement.meaning
    if meaning is None:
        shown = "ask " + " / ".join(near.intent for near in judgement.nearest) if judgement.nearest else "-"
    else:
        slots = {slot: to_json(value) for slot, value in meaning.slots.items()}
        shown = f"{meaning.intent} {meaning.score:.2f} {slots}"
    want, *others = row["intent"].split("|")
    if meaning is not None and meaning.intent in others:
        return ("right" if want else "kept"), shown
    if not want:  # 等我想想 only keeps the question open
        return ("acted" if meaning and meaning.intent != "dialogue.wait" else "asked" if judgement.nearest else "kept"), shown
    if want[0] == "?":
        return ("right" if meaning is None and any(near.intent == want[1:] for near in judgement.nearest) else "wrong"), shown
    if meaning is None:
        return ("asked" if judgement.nearest else "lost"), shown
    if meaning.intent != want:
        return "wrong", shown
    expected = row.get("slots", {})
    same = all(_same(value, slots.get(slot)) for slot, value in expected.items())
    extra = any(slots.get(name) and name not in expected for name in NAMES)
    return ("right" if same and not extra else "slots"), shown


def _same(want: Any, got: Any) -> bool:
    """Commas of what is written down count for nothing: who speaks says none."""
    if not isinstance(want, str) or not isinstance(got, str):
        return bool(want == got)
    return hanzi(want) == hanzi(got) if "T" not in want else got.startswith(want)


def main() -> None:
    """Figures a round, and its failures."""
    names = sys.argv[1:] or sorted(path.stem for path in ROUNDS.glob("*.toml"))
    for name in names:
        meant: Counter[str] = Counter()
        rest: Counter[str] = Counter()
        for row in tomllib.loads((ROUNDS / f"{name}.toml").read_text("utf-8"))["s"]:
            kind, shown = outcome(row)
            (meant if row["intent"] else rest)[kind] += 1
            if kind not in ("right", "kept"):
                print(f"  {kind:6} {row['say']}  [{row['intent']} {row.get('slots', '')} {row.get('asking', '')} {row.get('home', '')}] → {shown}")
        total, others = max(1, meant.total()), max(1, rest.total())
        print(f"{name}: intent {100 * (meant['right'] + meant['slots']) / total:.1f} %, with slots {100 * meant['right'] / total:.1f} % of {meant.total()} {dict(meant)}; "
              f"must not: acted on {100 * rest['acted'] / others:.1f} %, asked {100 * rest['asked'] / others:.1f} % of {rest.total()}")


if __name__ == "__main__":
    main()
