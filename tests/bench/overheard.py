"""What an old person's living room says all day, as text: cries must raise an alarm, the television and visitors none.

    python -m tests.bench.overheard              as written
    python -m tests.bench.overheard --damaged    with a recogniser's mistakes in it, 10 % and 20 % of the syllables
    python -m tests.bench.overheard --told       what went wrong, line by line

The sentences of `sentences/overheard.txt` were written for this by somebody who had not seen the program. They are judged one by one as
words said to nobody in a quiet house; what talk that goes on changes is measured from sound (`distress.py`).
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from assistant import household as household_file
from assistant import places
from assistant.furnish import suspicious, understander
from assistant.messages import Hypothesis
from tests.bench.evaluate import damaged

SENTENCES = Path(__file__).with_name("sentences") / "overheard.txt"
CRIES = ("cry", "staged")
"""Sections of cries; those of `staged` are of a play, and nobody could tell."""


def sections() -> Iterator[tuple[str, list[str]]]:
    """(name, its lines) of each."""
    name, lines = "", list[str]()
    for line in SENTENCES.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            if name:
                yield name, lines
            name, lines = line[2:], []
        elif line.strip():
            lines.append(line.strip())
    yield name, lines


def main() -> None:
    """A table on stdout."""
    wish = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wish.add_argument("--damaged", action="store_true")
    wish.add_argument("--told", action="store_true")
    given = wish.parse_args()
    household = household_file.load(places.sample_household())
    brain = understander(household)
    now = datetime(2026, 11, 22, 15, tzinfo=household.zone)
    for share in (0.1, 0.2) if given.damaged else (0.0,):
        print(f"of each, alarms / questions / nothing, %; {share:.0%} of the syllables misheard")
        for name, lines in sections():
            found: dict[str, list[str]] = {"alarm": [], "asks": [], "": []}
            for line in lines:
                heard = (Hypothesis(damaged(line, share, random.Random(line)) if share else line, "free"),)
                meaning = brain.judge(heard, now).meaning if suspicious(brain, heard, now) else None
                cry = meaning is not None and meaning.intent == "emergency.call"
                found["" if not cry else "asks" if meaning and meaning.slots.get("grade") == "unsure" else "alarm"].append(line)
            print(f"{name:12} {len(lines):4}  " + " / ".join(f"{100 * len(some) / len(lines):5.1f}" for some in found.values()))
            if given.told:
                for result, some in found.items():
                    if (name == "cry") == (result == ""):
                        print(*(f"    {result or '-'} {one}" for one in some), sep="\n")


if __name__ == "__main__":
    main()
