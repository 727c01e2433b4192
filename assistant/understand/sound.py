"""Chinese as sound: toneless pinyin syllables, and how alike two of them are to an ear that knows accents."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from sys import intern
from typing import Any

from rapidfuzz.distance import Levenshtein

_PINYIN = Path(__file__).with_name("pinyin.txt")
"""From pypinyin's tables by tools/generate_pinyin.py, which says why pypinyin itself is not asked."""


@lru_cache(maxsize=1)
def _read() -> tuple[dict[str, str], dict[str, str]]:
    """Character → its readings with spaces between; first two characters → lines of the phrases that begin so."""
    chars: dict[str, str] = {}
    phrases: dict[str, str] = {}
    with _PINYIN.open(encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            read, _, ways = line.rstrip("\n").partition("\t")
            if not read:
                break
            chars.update((char, ways) for char in read if char <= "\uffff")  # the rest is half of all, for `_rare`
        for line in lines:
            phrases[line[:2]] = phrases.get(line[:2], "") + line
    return chars, phrases


@lru_cache(maxsize=64)
def _rare(char: str) -> str:
    """Readings of a character beyond the basic plane; names have them now and then."""
    with _PINYIN.open(encoding="utf-8") as lines:
        found = (line for line in lines if char in line)
        return next(found, "").rstrip("\n").partition("\t")[2]


def _ways(char: str) -> list[str]:
    return (_read()[0].get(char, "") if char <= "\uffff" else _rare(char)).split()


@lru_cache(maxsize=16384)
def _alone(char: str) -> tuple[str, ...]:
    return tuple(_ways(char)[:1])


def _sounds(run: str) -> Iterator[str]:
    """Numbered pinyin of characters: the longest phrase at each place, else the character's commonest reading.

    A character nobody knows a reading of stands for itself; what is no character is left out.
    """
    phrases = _read()[1]
    at = 0
    while at < len(run):
        longest, ways, open_ended = "", "", False
        for line in phrases.get(run[at : at + 2], "").splitlines():
            phrase, _, readings = line.partition("\t")
            if len(phrase) > len(longest) and run.startswith(phrase, at):
                longest, ways = phrase, readings
            open_ended = open_ended or phrase.startswith(run[at:])
        if longest:
            yield from ways.split()
            at += len(longest)
            continue
        # pypinyin looks for no shorter phrase in what may be the beginning of a longer one
        end = len(run) if open_ended else at + 1
        for char in run[at:end]:
            yield from _alone(char) or ((char,) if "\u3400" <= char <= "\u9fff" else ())
        at = end


_ACCENTS = Path(__file__).with_name("accents.toml")

_INITIALS = ("zh", "ch", "sh", "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h", "j", "q", "x", "r", "z", "c", "s")

_GLIDES = {
    "yi": "i", "ya": "ia", "yo": "io", "ye": "ie", "yai": "iai", "yao": "iao", "you": "iu", "yan": "ian", "yin": "in",
    "yang": "iang", "ying": "ing", "yong": "iong", "yu": "v", "yue": "ve", "yuan": "van", "yun": "vn",
    "wu": "u", "wa": "ua", "wo": "uo", "wai": "uai", "wei": "ui", "wan": "uan", "wen": "un", "wang": "uang",
    "weng": "ong",
}
"""Syllables written with y and w have no initial; this is the final they are."""

_PART = 0.75
"""Weight of one part: two unlike parts are two different syllables, one unlike part still is more unlike than like."""

UNLIKE = 0.85
"""Distance of two parts the table does not name."""
_UNLIKE_PART = _PART * UNLIKE


@lru_cache(maxsize=1)
def _tables() -> dict[str, Any]:
    with _ACCENTS.open("rb") as file:
        return tomllib.load(file)


def accents() -> tuple[str, ...]:
    """Names of the accent profiles: `四川`, `湖南`, …; `无` is standard speech, "" folds mildly."""
    return ("", *(name for name in _tables() if name not in ("mild", "forbidden", "traditional")))


@lru_cache(maxsize=65536)
def syllables(text: str) -> tuple[str, ...]:
    """Toneless pinyin of `text`, one syllable a Chinese character (`?` where no reading is known); anything else is dropped.

    `女` is `nv`; digits and Latin letters are not read (say numbers in words first).
    """
    hanzi = "".join(char for char in text if "\u3400" <= char <= "\u9fff")
    return tuple("?" if sound >= "\u3400" else intern(sound.rstrip("12345")) for sound in _sounds(hanzi))


def numbered(text: str) -> str:
    """Numbered pinyin, syllables apart, neutral tone 5, all else as it stands: `ni3 hao3 ， wang2 nai3 nai5`.

    一 and 不 change their tone as the next syllable asks (yi2 ge4, bu2 yao4), but 一 in a number stays; the third tones
    are left to the voice.
    """
    runs = [run for run in re.split(r"([\u3400-\u9fff]+)", text) if run]
    return " ".join(sound for run in runs for sound in _changed(run))


def _changed(run: str) -> list[str]:
    sounds = list(_sounds(run))
    if len(sounds) != len(run):
        return [run] if len(run) == 1 else [run.strip()] if run.strip() else []
    for at, char in enumerate(run[:-1]):
        if char == run[at + 1] and char in _KIN:
            sounds[at + 1] = sounds[at + 1][:-1] + "5"
        tone = sounds[at + 1][-1]
        if char == "不" and tone == "4":
            sounds[at] = "bu2"
        elif char == "一":
            counted = run[at - 1:at] in _NUMERIC or run[at + 1] in _NUMERIC
            sounds[at] = "yi1" if counted else "yi2" if tone in "45" else "yi4"
    return sounds


_KIN = "奶爷妈爸姐哥弟妹叔婆公姑舅伯婶姥太"
_NUMERIC = tuple("第初周零一二三四五六七八九十百千点月号")


def readings(char: str) -> tuple[str, ...]:
    """All toned readings of one character, the commonest first: 了 is (`le5`, `liao3`)."""
    return tuple(_ways(char))


@lru_cache(maxsize=1)
def _simplify_table() -> dict[int, str]:
    table = _tables()["traditional"]
    return {ord(old): new for old, new in zip(str(table["from"]), str(table["to"]), strict=True)}


def simplified(text: str) -> str:
    """`text` with the common traditional characters in their simplified form.

    A table of what households say and not OpenCC: sound is the same in both scripts, only times, numbers and the
    words read back need it, and OpenCC's wheel is 1.7 MB for that.
    """
    return text.translate(_simplify_table())


@lru_cache(maxsize=2048)
def parts(syllable: str) -> tuple[str, str]:
    """Initial and final of a pinyin syllable: `shuang` → (`sh`, `uang`), `wo` → ("", `uo`), `zi` → (`z`, `-i`)."""
    if syllable in _GLIDES:
        return "", _GLIDES[syllable]
    initial = next((part for part in _INITIALS if syllable.startswith(part)), "")
    final = syllable[len(initial):]
    if final == "i" and initial in ("zh", "ch", "sh", "r", "z", "c", "s"):
        final = "-i"
    if initial in ("j", "q", "x") and final.startswith("u"):
        final = "v" + final[1:]
    return initial, {"ue": "ve", "uo": "uo", "er": "er"}.get(final, final)


_Distances = dict[frozenset[str], float]


def _both_ways(distances: _Distances) -> dict[str, dict[str, float]]:
    """What unlike parts add to a distance, to be looked up from either side."""
    table: dict[str, dict[str, float]] = {}
    for pair, far in distances.items():
        for one in pair:
            for other in pair - {one}:
                table.setdefault(one, {})[other] = _PART * far
    return table


def _part_far(table: dict[str, dict[str, float]], one: str, other: str) -> float:
    """What two unlike parts add to the distance of their syllables."""
    row = table.get(one)
    return _UNLIKE_PART if row is None else row.get(other, _UNLIKE_PART)


def _pairs(accent: str, part: str) -> _Distances:
    """Distances of the mild profile with those of `accent` over them."""
    merged: _Distances = {}
    for name in ("mild", accent):
        rows = _tables().get(name, {}).get(part, {})
        assert isinstance(rows, dict)
        merged |= {frozenset(key.split(" ")): float(value) for key, value in rows.items()}
    return merged


class Ear:
    """Distances between syllables for one accent."""

    def __init__(self, accent: str = "") -> None:
        """`accent`: a profile's name; an unknown one folds mildly, for a misspelt file must not deafen."""
        self.accent = accent if accent in accents() else ""
        self._initials = _both_ways(_pairs(self.accent, "initials"))
        self._finals = _both_ways(_pairs(self.accent, "finals"))
        self._syllables = _pairs(self.accent, "syllables")
        forbidden = _tables()["forbidden"]
        self.polar = frozenset(_strings(forbidden["polar"]))
        """Syllables that turn a sentence round; they match themselves only."""
        self._apart = {frozenset(pair.split()) for pair in _strings(forbidden["syllables"])}
        self._floor = float(str(forbidden["apart"]))
        self._odd = frozenset().union(*self._syllables, *self._apart)
        """Syllables with a pair of their own in the tables."""
        self._known: dict[tuple[str, str], float] = {}

    def distance(self, one: str, other: str) -> float:
        """0 the same sound … 1 unlike; 1 whenever exactly one of the two turns a sentence round."""
        if one == other:
            return 0.0
        key = (one, other)
        if (known := self._known.get(key)) is not None:
            return known
        far = self._measure(one, other)
        self._known[key] = self._known[other, one] = far
        return far

    def near(self, one: str, others: Iterable[str], limit: float) -> Iterator[tuple[str, float]]:
        """Those of `others` no farther from `one` than `limit`, with their distance; remembers none of them.

        Most have a part that no table likens to its own and are farther than any limit worth asking for.
        """
        initial, final = parts(one)
        initials, finals = {initial, *self._initials.get(initial, ())}, {final, *self._finals.get(final, ())}
        for other in others:
            if limit < _UNLIKE_PART and other not in self._odd:
                initial, final = parts(other)
                if initial not in initials or final not in finals:
                    continue
            far = 0.0 if one == other else self._measure(one, other)
            if far <= limit:
                yield other, far

    def _measure(self, one: str, other: str) -> float:
        if one in self.polar or other in self.polar:
            return 1.0
        (initial, final), (initial2, final2) = parts(one), parts(other)
        far = 0.0
        if initial != initial2:
            far += _part_far(self._initials, initial, initial2)
        if final != final2:
            far += _part_far(self._finals, final, final2)
        if one not in self._odd or other not in self._odd:
            return min(far, 1.0)
        pair = frozenset((one, other))
        far = min(far, self._syllables.get(pair, 1.0), 1.0)
        return max(far, self._floor) if pair in self._apart else far

    def likeness(self, one: Sequence[str], other: Sequence[str]) -> float:
        """0…1: share of syllables two utterances have in common, folded mildly (the second gate of the grammar)."""
        if not one or not other:
            return 0.0
        plain = float(Levenshtein.normalized_similarity(one, other))
        size = len(one) + len(other)
        return max(plain, 1.0 - 2.0 * self.edit(one, other) / size) if plain < 1.0 else 1.0

    def edit(self, one: Sequence[str], other: Sequence[str]) -> float:
        """Weighted edit distance in syllables; a substitution costs the syllables' distance."""
        row = [float(step) for step in range(len(other) + 1)]
        for index, left in enumerate(one, 1):
            before, row = row, [float(index)]
            for column, right in enumerate(other, 1):
                row.append(min(
                    before[column] + 1.0, row[column - 1] + 1.0,
                    before[column - 1] + (0.0 if left == right else self.distance(left, right)),
                ))
        return row[-1]


def forbidden_words() -> tuple[tuple[str, str], ...]:
    """Pairs of words that must never be taken for each other."""
    rows = _tables()["forbidden"]["words"]
    assert isinstance(rows, list)
    return tuple((str(one), str(other)) for one, other in rows)


def _strings(value: object) -> tuple[str, ...]:
    assert isinstance(value, list)
    return tuple(str(item) for item in value)
