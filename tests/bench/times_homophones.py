"""One character of each expression of tests/tables/times.toml replaced by a random homophone: how much is still read the same.

    python tests/bench/times_homophones.py [SEED]
"""

from __future__ import annotations

import random
import sys
import tomllib
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from assistant.understand import times  # noqa: E402
from assistant.understand.sound import syllables  # noqa: E402


def main(seed: int) -> None:
    """Print three counts."""
    table = tomllib.loads((HERE.parent / "tables" / "times.toml").read_text(encoding="utf-8"))
    now = datetime.fromisoformat(table["now"])
    chance = random.Random(seed)
    alike: dict[str, list[str]] = defaultdict(list)
    for code in range(0x4E00, 0x9FA0):
        if chr(code).encode("gb2312", "ignore"):  # characters a recogniser's vocabulary has
            alike[syllables(chr(code))[0]].append(chr(code))
    counts: Counter[str] = Counter()
    for kind in ("moments", "dates", "durations", "recurrences"):
        for text in table[kind]:
            want = times.parse(text, now)
            places = [n for n, char in enumerate(text) if syllables(char) and len(alike[syllables(char)[0]]) > 1]
            if want is None or not places:
                continue
            at = chance.choice(places)
            other = chance.choice([c for c in alike[syllables(text[at])[0]] if c != text[at]])
            spans = times.find(text[:at] + other + text[at + 1 :], now)
            counts["none" if not spans else "same" if spans[0].value == want.value else "another"] += 1
    total = sum(counts.values())
    print(f"{counts['same']} of {total} read to the same value, {counts['another']} to another, {counts['none']} to none (seed {seed})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
