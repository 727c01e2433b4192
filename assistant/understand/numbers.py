"""Numbers as they are spoken: 一百四, 三十七度二, 俩, 幺二零, and blood pressures like 一百四九十."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from assistant.understand import sound

DIGITS = "零一二三四五六七八九"
SPOKEN = {"〇": "零", "○": "零", "幺": "一", "俩": "两", "仨": "三", "廿": "二十", "卅": "三十", "兩": "两", "點": "点", "萬": "万"}
"""Other ways to say or write what cn2an knows."""
WORDS = DIGITS + "十百千万两" + "".join(SPOKEN)
"""Characters a whole number is made of."""

_WORD = rf"[{WORDS}]"
_DIGIT = rf"[{DIGITS}〇○幺]"
_EXPRESSION = re.compile(
    rf"(?:(?:\d+(?:\.\d+)?)|{_WORD}+(?:[点點]{_DIGIT}+)?)"  # 6.3 · 一百四 · 六点三
    rf"(?:度(?:[零一二三四五六七八九\d]|半)(?!{_WORD}))?"  # 三十七度二 · 三十七度半
    rf"(?:[个片粒斤瓶盒块]半)?"  # 一个半 · 一片半
    r"|半(?=[个片粒斤瓶盒块包袋勺碗杯颗小钟分]|$)"
)
_IDIOM = re.compile(r"一(?=[起定下直样般些切共向旦边会点阵])|十分(?!钟|鐘|之)|万一|千万(?=别|要|不|记)|百般|(?<=[统专单唯万])一|(?<=第)[一二三]")
"""Words with a number in them that count nothing."""


@lru_cache(maxsize=1)
def _homophones() -> dict[str, str]:
    return {sound.syllables(char)[0]: char for char in DIGITS + "十百千两点"}


SYSTOLIC = range(60, 261)
DIASTOLIC = range(30, 161)
"""mmHg; what a home cuff can show (ISO 81060-2 devices: 60–260 over 30–160 covers all)."""


@dataclass(frozen=True, slots=True)
class NumberSpan:
    """A number in a sentence."""

    start: int
    end: int
    """Characters [start, end) of the sentence."""
    value: float


def number(text: str) -> float | None:
    """The value of a text that is one number expression, else None; homophones count (六点散 = 6.3).

    Digits said one by one are read as digits: 一四零 = 140, 幺二零 = 120. 一百四 = 140 and 两百五 = 250.
    """
    text = text.strip()
    value = _value(text)
    return value if value is not None else _value(_heard(text))


def find(text: str) -> list[NumberSpan]:
    """All number expressions, left to right; exact characters only, 一起 and 十分高兴 are none."""
    skipped = [found.span() for found in _IDIOM.finditer(text)]
    spans: list[NumberSpan] = []
    for found in _EXPRESSION.finditer(text):
        if any(start <= found.start() < end for start, end in skipped):
            continue
        value = _value(found[0])
        if value is not None:
            spans.append(NumberSpan(found.start(), found.end(), value))
    return spans


def whole(text: str) -> int | None:
    """A whole number in words or digits (no 半, no decimals), or None; the fast way for times."""
    if text.isascii():
        return int(text) if text.isdecimal() else None
    return _integer(text)


@lru_cache(maxsize=4096)
def _value(text: str) -> float | None:
    if not text or len(text) > 24:
        return None
    if text == "半":
        return 0.5
    halved = re.fullmatch(r"(.+?)(?:[个片粒斤瓶盒块度]|小时)半", text)
    if halved:
        count = _value(halved[1])
        return None if count is None else count + 0.5
    degrees = re.fullmatch(r"(.+?)度(.?)", text)
    if degrees:
        count, tenth = _value(degrees[1]), _value(degrees[2]) if degrees[2] else 0.0
        return None if count is None or tenth is None or tenth > 9 else count + tenth / 10
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return float(text)
    decimal = re.fullmatch(r"(.+?)[点點](.+)", text)
    if decimal:
        count = _integer(decimal[1])
        digits = "".join(str(DIGITS.find(SPOKEN.get(char, char))) for char in decimal[2])
        return float(f"{count}.{digits}") if count is not None and "-" not in digits else None
    count = _integer(text)
    return None if count is None else float(count)


@lru_cache(maxsize=4096)
def _integer(text: str) -> int | None:
    if text.isdecimal() and text.isascii():
        return int(text)
    words = "".join(SPOKEN.get(char, char) for char in text)
    if words == "两":
        return 2
    if words[:1] in ("百", "千") and len(words) > 1:
        words = "一" + words
    if not words or any(char not in WORDS for char in words):
        return None
    try:
        import cn2an  # loads a sixth of all that a start loads, and a clock in digits needs none of it

        return int(cn2an.cn2an(words, "smart"))
    except (ValueError, KeyError):  # 三十五八 is a KeyError inside cn2an 0.5.24
        return None


def _heard(text: str) -> str:
    """Every character that sounds like a number word as that word; others as they are."""
    return "".join(_homophone(char) for char in text)


@lru_cache(maxsize=8192)
def _homophone(char: str) -> str:
    if char in WORDS or char in "点度半个.":
        return char
    heard = sound.syllables(char)
    return _homophones().get(heard[0], char) if heard else char


# --- blood pressure -----------------------------------------------------------------------------------------------

_RUN = rf"(?:\d+|{_WORD}+)"
_LABELLED = re.compile(
    rf"(?:高压|上压|收缩压|高的|上面)(?:是|有|到|量了)?[,，:：]?({_RUN}).{{0,6}}?"
    rf"(?:低压|下压|舒张压|低的|下面|底压)(?:是|有|到)?[,，:：]?({_RUN})"
)
_LABELLED_BACK = re.compile(
    rf"(?:低压|下压|舒张压|低的)(?:是|有|到)?[,，:：]?({_RUN}).{{0,6}}?(?:高压|上压|收缩压|高的)(?:是|有|到)?[,，:：]?({_RUN})"
)
_JOINED = re.compile(rf"({_RUN})\s*(?:到|至|和|跟|比|杠|斜杠|、|，|,|/|／|-|—|\s|啊|呃|嗯)\s*({_RUN})")
_ALONE = re.compile(_RUN)
_COUNTING = "一二三四五六七八九十"
"""Who says a part of this counts, and has measured nothing."""


def blood_pressure(text: str) -> tuple[int, int] | None:
    """(systolic, diastolic) in mmHg said anywhere in `text`, or None.

    Run together (一百四九十, 一三零八零), joined (一百四到九十, 130/80) or labelled (高压一百四低压九十).
    A pair counts only inside SYSTOLIC and DIASTOLIC and with the higher value first.
    """
    for said in dict.fromkeys((text, _heard(text))):
        pair = next(_pairs(said), None)
        if pair:
            return pair
    return None


def _pairs(text: str) -> Iterator[tuple[int, int]]:
    for pattern, order in ((_LABELLED, 1), (_LABELLED_BACK, -1), (_JOINED, 1)):
        for found in pattern.finditer(text):
            high, low = found.groups()[::order]
            yield from _plausible(whole(high), whole(low))
    for found in _ALONE.finditer(text):
        run = found[0]
        if len(run) <= 12 and not (len(run) > 3 and run in _COUNTING):
            splits = [pair for cut in range(1, len(run)) for pair in _plausible(whole(run[:cut]), _rest(run, cut))]
            yield from sorted(splits, key=_strangeness)


def _rest(run: str, cut: int) -> int | None:
    """A diastolic value must be a number of its own kind: in 一百零五六十 it is not 零五六十, in 一百四三 not 四三."""
    low, counted = run[cut:], any(char in "十百" for char in run)
    digit_by_digit = len(low) > 1 and not any(char in "十百" for char in low)
    return None if low[0] in "零0百千" or (counted and digit_by_digit) else whole(low)


def _plausible(high: int | None, low: int | None) -> Iterator[tuple[int, int]]:
    if high is not None and low is not None and high in SYSTOLIC and low in DIASTOLIC and high - low >= 10:
        yield high, low


def _strangeness(pair: tuple[int, int]) -> int:
    """Distance of the pulse pressure from the usual 40…60 mmHg, to choose between two ways of cutting."""
    return abs(pair[0] - pair[1] - 50)
