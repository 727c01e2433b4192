"""Readings of home meters as they are told: 高的一百六低的九十五, 体温表上三十七度九, 五十三公斤半, repeated and corrected numbers.

The recogniser writes no commas, so numbers stand run together and what is taken back is told by its words only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from assistant.understand import numbers

PLAUSIBLE: Mapping[str, tuple[float, float]] = {
    "blood_glucose": (1.0, 40.0), "heart_rate": (30.0, 220.0), "temperature": (34.0, 43.0), "weight": (25.0, 200.0),
}
"""What a home meter can show: mmol/L, beats a minute, °C, kg."""

LABELS: Mapping[str, re.Pattern[str]] = {
    "blood_pressure": re.compile(r"血压|[高低上下底]压|收缩压|舒张压"),
    "blood_glucose": re.compile(r"血糖|空腹|(?:餐|饭)[前后].{0,5}[测扎糖]|(?<![买吃喝红白放])糖(?!尿病|果|浆|衣|块|水|醋|葫芦)|扎.{0,2}手指"),
    "heart_rate": re.compile(r"心率|心跳|脉搏|脉|一分钟|跳了|(?:(?<=十)|(?<=十[一二三四五六七八九]))下(?![面头压边来去午个])"),
    "temperature": re.compile(r"体温|热度|发烧|烧到|低烧|高烧|温度计|耳温|额温|度数"),
    "weight": re.compile(r"体重|公斤|千克|斤|[称秤磅]|[胖瘦]了|多重"),
}
"""Words that name what was measured."""

_NUMBER = re.compile(
    r"(?:[一二两三四五六七八九]?百(?:零[一二三四五六七八九]|[一二三四五六七八九]十[一二三四五六七八九]?|[一二三四五六七八九](?![十百]))?"
    r"|[一二三四五六七八九]?十[一二三四五六七八九]?|[零〇一二两三四五六七八九幺]+|\d+(?:\.\d+)?)"
    r"(?:[点度](?:半|[零一二三四五六七八九]{1,2}(?![十百]))|个(?:半|[零一二三四五六七八九](?![十百千点月号]))|度|(?P<unit>公斤|千克|斤)(?:半|[一二三四五六七八九]两)?)?"
)
_NO_NUMBER = re.compile(r"下|会儿|[次遍声起样定直共些片粒颗回阵边]")
"""Behind 一 or 两 these make no reading of it: 血糖六点一记一下."""
_LENGTH = re.compile(r"个?半?个?(?:小时|钟头|分钟|礼拜|星期|月(?!亮))|个钟")
"""Behind a number these make a length of it: 血糖七个八，饭后两小时测的."""
_HOUR = re.compile(r"点(?:[整正钟半]|[零一二三四五六七八九十]+分?|)(?:[我俺咱你要得该再]|提醒|去|来|记得){0,4}(?:[测量查抽验扎](?![了出得]|的[是有])|送|提醒|叫我|喊我)")
"""Behind a number these make an hour of it: 血糖十二点整去测, 血糖十二点整测的."""
_RUN = re.compile(r"[零〇一二两三四五六七八九幺十百]+|\d+")
_TAKEN_BACK = re.compile(r"不对|不是|错了|哦不|噢不|啊不|呃不|哎不|不不|不,|应该是|看错|说错|重新|第二[遍次回]|再量")
_HIGH = re.compile(r"(?:[高上]压|收缩压|高的|上面|上头|上边|大的|大数|最高|头一个)[^低下小]{0,6}$")
_LOW = re.compile(r"(?:[低下底]压|舒张压|低的|下面|下头|下边|底下|小的|小数|最低|后一个)[^高上大]{0,8}$")


@dataclass(frozen=True, slots=True)
class _Said:
    """A number of the sentence."""

    start: int
    end: int
    value: float
    unit: str = ""


def kind(text: str, told: str) -> str:
    """What was measured: as its frames tell, as named, by unit or by what the numbers can be; "" where that is open."""
    pair = pressure(text)
    if pair and (told in ("", "blood_pressure", "heart_rate", "weight", "temperature")) and not _of_two_others(text):
        return "blood_pressure"
    named = [name for name, pattern in LABELS.items() if pattern.search(text)]
    if told and (not named or told in named):
        return told
    if named:
        return named[0]
    for one in _numbers(text):
        if "度" in text[one.start:one.end] and _within("temperature", one.value):
            return "temperature"
    return ""


def _of_two_others(text: str) -> bool:
    """Whether both numbers belong to something else than a pressure: 心跳七十八体重五十六."""
    return not LABELS["blood_pressure"].search(text) and sum(bool(LABELS[name].search(text)) for name in ("weight", "blood_glucose", "temperature")) > 0


def value(text: str, kind: str) -> float | None:
    """The number of a reading of `kind`, or None where none is plausible; the one after a correction, else the one beside its name."""
    if kind not in PLAUSIBLE:
        return None
    said = [one for one in map(_kilos if kind == "weight" else _as_said, _numbers(text)) if _within(kind, one.value)]
    if kind == "weight" and any(one.unit for one in said):
        said = [one for one in said if one.unit]
    if kind == "temperature" and any("度" in text[one.start:one.end] for one in said):
        said = [one for one in said if "度" in text[one.start:one.end]]
    if not said:
        return None
    named = [one for one in said if any(one.start - 8 <= found.end() <= one.start for found in LABELS[kind].finditer(text))]
    if kind == "heart_rate" and named and len(said) > len(named):
        said = named
    return said[-1].value


def _within(kind: str, value: float) -> bool:
    low, high = PLAUSIBLE[kind]
    return low <= value <= high


def _as_said(one: _Said) -> _Said:
    return one


def _kilos(one: _Said) -> _Said:
    """斤 is half a kilogram."""
    return replace(one, value=one.value / 2) if one.unit == "斤" else one


def _numbers(text: str) -> Iterator[_Said]:
    """All numbers, those run together apart: 五十八五十八公斤 is 58 and 58."""
    for found in _NUMBER.finditer(text):
        said, unit = found[0], found["unit"] or ""
        if (said in ("一", "两") and _NO_NUMBER.match(text, found.end())) or _LENGTH.match(text, found.end()):
            continue
        if _HOUR.match(text, found.start() + len(found[0].partition("点")[0])):
            continue
        before, _, after = said.partition(unit) if unit else (said, "", "")
        tenths = re.fullmatch(r"(.+)个(.)", before)
        if tenths:
            ones, tenth = numbers.number(tenths[1]), 5.0 if tenths[2] == "半" else numbers.number(tenths[2])
            number = None if ones is None or tenth is None else ones + tenth / 10
        else:
            number = numbers.number(before.replace("点半", "度半") if before.endswith("点半") else before)
        if number is None:
            continue
        if after == "半":
            number += 0.5
        elif after:
            number += (numbers.number(after[0]) or 0.0) / 10
        yield _Said(found.start(), found.end(), number, unit)


def pressure(text: str) -> tuple[int, int] | None:
    """(systolic, diastolic) in mmHg: labelled, joined, run together, repeated or corrected; None where one of them is missing."""
    text = _before_the_beats(text)
    said = [one for one in _in_pairs(text) if not one.unit]
    kept: list[tuple[float, str]] = []
    end = 0
    for place, one in enumerate(said):
        between, end = text[end:one.start], one.end
        side = "high" if _HIGH.search(between) else "low" if _LOW.search(between) else ""
        again = _TAKEN_BACK.search(between) is not None
        if again and len(kept) > 1 and place + 1 < len(said) and _pair(one.value, said[place + 1].value):
            kept = []  # both anew
        elif kept and (again or (one.value == kept[-1][0] and not side)):
            kept, side = _without_nearest(kept, one.value, side)
        kept.append((one.value, side))
    return _sides([value for value, side in kept if side == "high"], [value for value, side in kept if side == "low"],
                  [value for value, side in kept if not side])


def _without_nearest(kept: list[tuple[float, str]], value: float, side: str) -> tuple[list[tuple[float, str]], str]:
    """`kept` without the number that `value` corrects, the nearest one, and the side it then stands for."""
    places = [place for place, (_, other) in enumerate(kept) if not side or other in ("", side)]
    if not places:
        return kept, side
    gone = min(places, key=lambda place: (abs(kept[place][0] - value), -place))
    return [*kept[:gone], *kept[gone + 1:]], side or kept[gone][1]


def _sides(high: list[float], low: list[float], unnamed: list[float]) -> tuple[int, int] | None:
    """The last pressure told, from the numbers named high, named low and not named."""
    if not high and not low:
        pairs = (_pair(one, other) for one, other in zip(reversed(unnamed[:-1]), reversed(unnamed), strict=False))
        return next((pair for pair in pairs if pair), None)
    if not low:
        low = [value for value in unnamed if value < high[-1]][:1]
    elif not high:
        high = [value for value in unnamed if value > low[-1]][-1:]
    return _pair(high[-1], low[-1]) if high and low else None


def _pair(high: float, low: float) -> tuple[int, int] | None:
    if high == int(high) and low == int(low) and int(high) in numbers.SYSTOLIC and int(low) in numbers.DIASTOLIC and high - low >= 10:
        return int(high), int(low)
    return None


def _before_the_beats(text: str) -> str:
    """Without the heart rate a cuff shows last: 一百三十八，七十六，心跳六十八."""
    found = LABELS["heart_rate"].search(text)
    return text[:found.start()] if found and any(one.end <= found.start() for one in _numbers(text)) else text


def _in_pairs(text: str) -> Iterator[_Said]:
    """The numbers, and those said without a seam (一百四九十, 一三零八零) cut where a pressure would be."""
    for run in _RUN.finditer(text):
        inside = [one for one in _numbers(text) if one.start < run.end() and run.start() < one.end]
        if len(inside) == 1 and inside[0].start == run.start() and any(char in run[0] for char in "十百") or len(run[0]) < 3:
            yield from inside
            continue
        if len(inside) > 1 and all(_likely(one.value) for one in inside):
            yield from inside
            continue
        pair = numbers.blood_pressure(run[0])
        if pair is None:
            yield from inside
            continue
        middle = (run.start() + run.end()) // 2
        yield _Said(run.start(), middle, float(pair[0]))
        yield _Said(middle, run.end(), float(pair[1]))


def _likely(value: float) -> bool:
    return value in numbers.DIASTOLIC or value in numbers.SYSTOLIC
