"""Sentences one may say become the word lists a grammar decoder takes, cut into words the model knows.

Vosk drops a word it does not know and says so only in a log, so nothing unknown may reach it: 二甲双胍 goes in as
二 甲 双 胍, and a character without an entry (缬) as one that sounds the same (鞋), to be understood by its sound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from assistant.understand.sound import readings

Knows = Callable[[str], bool]
"""Whether the model's vocabulary has a word."""

LARGEST: Final = 20_000
"""Phrases in one grammar. Build time grows with them; see tests/bench/hearing.py."""
_LONGEST_WORD: Final = 6
"""Characters tried as one word. Only a bound on the work: a longer word of the vocabulary would be cut in two."""
_UNKNOWN_COST: Final = 1000
"""More words than a sentence has."""
_UNITS: Final = re.compile(r"[\u3400-\u9fff]|[a-z]+|[0-9]+", re.IGNORECASE)
"""What is said, one unit each; punctuation falls away. A phrase with digits is left out: write numbers in words."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something the model cannot write, and so cannot be held to."""

    word: str
    """As the family wrote it: 缬沙坦."""
    char: str
    """The character the vocabulary lacks: 缬."""
    suggestion: str
    """The word as it is listened for instead: 鞋沙坦; empty when nothing sounds like it."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """A closed set of things to hear."""

    phrases: tuple[str, ...]
    """Words of the vocabulary with spaces between, no two alike."""
    missing: tuple[Missing, ...] = ()
    left_out: int = 0
    """Phrases beyond `LARGEST`."""


def build(sentences: Iterable[str], knows: Knows, largest: int = LARGEST) -> Grammar:
    """A grammar of these sentences; they may repeat, and hold spaces and punctuation."""
    phrases: dict[str, None] = {}
    missing: dict[Missing, None] = {}
    left_out = 0
    for sentence in sentences:
        words, lacking = cut(sentence, knows)
        missing.update(dict.fromkeys(lacking))
        phrase = " ".join(words)
        if not phrase or phrase in phrases:
            continue
        if len(phrases) >= largest:
            left_out += 1
            continue
        phrases[phrase] = None
    return Grammar(tuple(phrases), tuple(missing), left_out)


def cut(sentence: str, knows: Knows) -> tuple[tuple[str, ...], tuple[Missing, ...]]:
    """The fewest known words that read like the sentence; of two ways, the one whose longer words come first.

    Fewest, because each border is a place where the bigram grammar may wander off into another sentence.
    """
    units = tuple(unit if knows(unit) else unit.lower() for unit in _UNITS.findall(sentence))
    name = "".join(units)
    lacking: list[Missing] = []
    words: list[str] = []
    for word in _fewest(units, knows):
        if knows(word):
            words.append(word)
            continue
        alike = "" if word.isascii() else homophone(word, knows)
        lacking.append(Missing(name, word, name.replace(word, alike) if alike else ""))
        words.append(alike)
    # A hole in a phrase would make another phrase of it.
    return tuple(words) if all(words) else (), tuple(lacking)


def missing_words(words: Iterable[str], knows: Knows) -> tuple[Missing, ...]:
    """Which names of the household hold characters the model lacks, with what is listened for instead."""
    return build(words, knows).missing


def homophone(char: str, knows: Knows) -> str:
    """A common character the vocabulary has that sounds like `char`: same tone if there is one; empty if none."""
    wanted = readings(char)
    if not wanted:
        return ""
    sound = wanted[0]
    table = _common_by_sound()
    for candidates in (table.get(sound, ()), *(table.get(sound[:-1] + tone, ()) for tone in "12345")):
        for candidate in candidates:
            if knows(candidate):
                return candidate
    return ""


@lru_cache(maxsize=1)
def _common_by_sound() -> dict[str, tuple[str, ...]]:
    """Toned syllable → characters of GB 2312's first level (the 3,755 common ones), those with one reading first."""
    table: dict[str, list[tuple[int, str]]] = {}
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            try:
                char = bytes((high, low)).decode("gb2312")
            except UnicodeDecodeError:
                continue
            ways = readings(char)
            if ways:
                table.setdefault(ways[0], []).append((len(ways), char))
    return {sound: tuple(char for _, char in sorted(found, key=lambda one: one[0])) for sound, found in table.items()}


def _fewest(units: tuple[str, ...], knows: Knows) -> list[str]:
    """Dynamic programming from the end: `best[i]` is the cheapest cut of `units[i:]` and its cost.

    A single character may be unknown (some live only inside words), but only where nothing else will do.
    """
    best: list[tuple[int, list[str]]] = [(0, []) for _ in range(len(units) + 1)]
    for start in range(len(units) - 1, -1, -1):
        choices: list[tuple[int, list[str]]] = []
        for end in range(min(len(units), start + _LONGEST_WORD), start, -1):
            word = "".join(units[start:end])
            known = knows(word) and (end - start == 1 or not any(unit.isascii() for unit in units[start:end]))
            if known or end - start == 1:
                cost, rest = best[end]
                choices.append((cost + (1 if known else _UNKNOWN_COST), [word, *rest]))
        best[start] = min(choices, key=lambda choice: choice[0])  # The first of equals: the longest first word.
    return best[0][1]
