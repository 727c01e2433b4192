"""Writes assistant/understand/pinyin.txt: how each character is read, and the phrases in which one is read otherwise.

    python tools/generate_pinyin.py

From pypinyin's tables (MIT), whose 47,000 phrases are thinned to the fifth that say something. Loading and asking pypinyin itself
took half of a start; a test compares the two.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pypinyin
from pypinyin.constants import PINYIN_DICT
from pypinyin.contrib.tone_convert import to_tone3

OUT = Path(__file__).resolve().parent.parent / "assistant" / "understand" / "pinyin.txt"
HEAD = "Readings of characters, the commonest first; after the empty line, phrases in which one is read otherwise. 5 is the neutral tone. By tools/generate_pinyin.py."


def numbered(reading: str) -> str:
    """`nǚ` → `nv3`, `le` → `le5`: what pypinyin calls TONE3."""
    return str(to_tone3(reading, v_to_u=False, neutral_tone_with_five=True))


def main() -> None:
    """Write the file."""
    chars: dict[str, list[str]] = defaultdict(list)
    for code, readings in sorted(PINYIN_DICT.items()):
        ways = list(dict.fromkeys(numbered(reading) for reading in readings.split(",")))
        chars[" ".join(way for way in ways if way)].append(chr(code))
    lines = [HEAD, *(f"{''.join(read)}\t{ways}" for ways, read in sorted(chars.items()))]
    lines.append("")
    listed = json.loads(Path(pypinyin.__file__).with_name("phrases_dict.json").read_text(encoding="utf-8"))
    for phrase, ways in sorted(listed.items()):
        readings = [way[0] for way in ways]
        alone = [PINYIN_DICT.get(ord(char), "").partition(",")[0] for char in phrase]
        if readings != alone and all(len(way) == 1 for way in ways):
            lines.append(f"{phrase}\t{' '.join(map(numbered, readings))}")
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
