"""Writing becomes words: figures, times, units and letters as a person would say them in Mandarin.

Rules of our own and no normaliser: wetext brings OpenFst (kaldifst) into the process, Vosk brings another, and the two
together abort it (`import vosk, wetext`: malloc corruption; the other way round it hangs).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from assistant import saying

SHORT = 5
"""Characters: a sentence shorter than this is spoken in one breath with the next, since Kokoro mumbles a lone syllable."""

_DIGITS = dict(zip("0123456789", "零幺二三四五六七八九", strict=True))
_LETTERS = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        ("诶", "必", "西", "弟", "伊", "艾弗", "记", "艾尺", "爱", "杰", "开", "艾勒", "艾姆", "恩", "欧", "批", "丘", "阿尔",
         "艾斯", "踢", "优", "维", "达不溜", "艾克斯", "歪", "贼"),
        strict=True,
    )
)
"""Letters as Mandarin speakers name them, in characters both engines can read."""


def _as(words: str) -> Callable[[re.Match[str]], str]:
    return lambda _found: words


def _clock(found: re.Match[str]) -> str:
    """08:30 as 八点半 is said, not 八点三十分; 08:05 with its 零, 08:00 bare."""
    hour, minute = int(found[1]), int(found[2])
    if minute == 0:
        return f"{_hour(hour)}点"
    if minute == 30:
        return f"{_hour(hour)}点半"
    return f"{_hour(hour)}点{'零' if minute < 10 else ''}{number(minute)}分"


def _hour(hour: int) -> str:
    return "两" if hour == 2 else number(hour)


def number(value: int) -> str:
    """A whole number under 10,000 in characters, for what the figures below would read otherwise: 2 → 二, 118 → 一百一十八."""
    if value < 10:
        return "零一二三四五六七八九"[value]
    if value < 20:
        return "十" + (number(value - 10) if value > 10 else "")
    for unit, name in ((1000, "千"), (100, "百"), (10, "十")):
        if value >= unit:
            head, rest = divmod(value, unit)
            gap = "零" if 0 < rest < unit // 10 else ""
            tail = gap + ("一" if 10 <= rest < 20 else "") + number(rest) if rest else ""
            return number(head) + name + tail
    raise AssertionError(value)


def _digits(text: str) -> str:
    return "".join(_DIGITS[digit] for digit in text)


COUNTED = "片|粒|颗|丸|袋|次|个|盒|瓶|天|位|种|支|滴|勺|平|元|块|分钟|小时|年|岁|米|公|斤|步|毫|克"
"""What follows a number that counts something."""
_PAIRS = "片粒颗丸袋次个盒瓶天位种支滴勺块年岁米步小公斤"
"""Of these there are 两, not 二."""


def _counted(found: re.Match[str]) -> str:
    following = found.string[found.end() :].lstrip()[:1]
    ordinal = found.string[: found.start()].endswith(("第", "-", "/", "~"))
    return "两" if found[1] == "2" and following in _PAIRS and not ordinal else number(int(found[1])) if not ordinal else found[1]


def _figure(digits: str) -> str:
    """A figure as a quantity: at most two decimals and eight figures are said as a number, anything longer one by one."""
    plain = digits.replace(",", "")
    whole, _, rest = plain.partition(".")
    if len(whole) > 8 or (len(whole) > 1 and whole[0] == "0"):
        return "点".join(_digits(part) for part in plain.split("."))
    if not rest:
        return saying.number(int(whole))
    return f"{saying.number(int(whole))}点{''.join('零一二三四五六七八九'[int(d)] for d in rest)}"


RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern), change)
    for pattern, change in (
        (r"https?://\S+", _as("链接")),
        (r"(?<![\d,])\d{1,3}(?:,\d{3})+(?!\d)", lambda found: _figure(found[0])),
        (r"(?i)wi-?fi|wlan", _as("无线网")),
        (r"(?i)(?<![a-z])app(?![a-z])", _as("应用")),
        # 15:00 and 8:05 but not the score 3:2 nor 120:80
        (r"(?<![\d:])([01]?\d|2[0-4])[:：]([0-5]\d)(?::[0-5]\d)?(?![\d:])", _clock),
        # blood pressure: 120/80 is no fraction
        (r"(?<![\d/.])(\d{2,3})/(\d{2,3})(?![\d/])", lambda found: f"{number(int(found[1]))}，{number(int(found[2]))}"),
        (r"(?i)毫?\s*mmol/L", _as("毫摩尔每升")),
        (r"(?i)\s*mmHg", _as("毫米汞柱")),
        (r"(?<!\d)(1[0-2]|0?[1-9])月(3[01]|[12]\d|0?[1-9])(?=[日号])", lambda found: f"{number(int(found[1]))}月{number(int(found[2]))}"),
        (r"(?<=[\d点半分])\s*[-~—至]\s*(?=[\d零一二三四五六七八九十两]+点)", _as("到")),
        # what is counted is a number, even if it looks like one to dial
        (rf"(?<![\d.])(\d{{1,3}})(?=\s*(?:{COUNTED}))", _counted),
        # door codes and room numbers are said digit by digit
        (r"(?<=[码锁号])(\s*(?:是|：|:)?\s*)(\d{3,8})(?![\d.])", lambda found: found[1] + _digits(found[2])),
        # numbers one dials
        (r"(?<![\d.])(1[12]\d|9[56]\d{3}|12\d{3})(?![\d.])", lambda found: _digits(found[1])),
    )
)
"""Applied in order, first."""


UNITS = {
    "℃": "度", "°C": "度", "°c": "度", "kg": "公斤", "KG": "公斤", "mg": "毫克", "MG": "毫克", "ug": "微克", "μg": "微克", "ml": "毫升",
    "mL": "毫升", "ML": "毫升", "cm": "厘米", "mm": "毫米", "km": "公里", "℉": "华氏度", "min": "分钟", "g": "克", "m": "米", "L": "升", "h": "小时",
}
"""Units as they are said; a letter is a unit only right after a figure."""

_UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))


FIGURES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern), change)
    for pattern, change in (
        (r"(?<![\d.])(\d{4})[-/.年](1[0-2]|0?[1-9])[-/.月](3[01]|[12]\d|0?[1-9])[日号]?(?!\d)",
         lambda f: f"{_year(f[1])}年{number(int(f[2]))}月{number(int(f[3]))}号"),
        (r"(?<!\d)(\d{4})(?=年)", lambda f: _year(f[1])),
        (rf"(\d(?:[\d,]*\d)?(?:\.\d+)?)\s*({_UNIT})(?![A-Za-z])", lambda f: _figure(f[1]) + UNITS[f[2]]),
        (r"(\d+(?:\.\d+)?)\s*[%％]", lambda f: f"百分之{_figure(f[1])}"),
        (r"[¥￥]\s*(\d[\d,]*(?:\.\d+)?)", lambda f: f"{_figure(f[1])}块"),
        (r"(?<=\d)\s*[-~—–至]\s*(?=\d)", _as("到")),
        (r"(?<![\d.])(\d{1,2})/(\d{1,2})(?![\d/])", lambda f: f"{number(int(f[2]))}分之{number(int(f[1]))}"),
        (r"(?<![\d.])[-−](?=\d)", _as("负")),
        (r"(?<!\d)(\d{7,})(?![\d.])", lambda f: _digits(f[1])),
        (r"\d(?:[\d,]*\d)?(?:\.\d+)?", lambda f: _figure(f[0])),
        (r"(?<=[\u4e00-\u9fff])\s*\+\s*(?=[\u4e00-\u9fff])", _as("加")),
        (r"(?<=[\u4e00-\u9fff])\s*=\s*(?=[\u4e00-\u9fff])", _as("等于")),
    )
)
"""Applied in order after `RULES`: what is left of figures."""


def _year(digits: str) -> str:
    return "".join("零一二三四五六七八九"[int(digit)] for digit in digits)


@functools.lru_cache(maxsize=512)
def speakable(text: str) -> str:
    """The text with nothing left in it but characters and punctuation one can speak."""
    for pattern, change in RULES:
        text = pattern.sub(change, text)
    if re.search(r"[0-9%℃°]", text):
        for pattern, change in FIGURES:
            text = pattern.sub(change, text)
    text = re.sub(r"[A-Za-z]", lambda found: _LETTERS[found[0].upper()], text)
    text = re.sub(r"[0-9]", lambda found: _DIGITS[found[0]], text)
    text = re.sub(r"[\s]*\n[\s]*", "。", text.strip())
    text = re.sub(r"[「」『』《》〈〉“”\"'‘’（）()【】\[\]{}<>*#_`~|]", "", text)
    text = re.sub(r"[·•]", "，", text)
    return re.sub(r"\s+", "", text)


def sentences(text: str) -> list[str]:
    """Cut after 。！？；… but keep a very short one with its neighbour."""
    pieces = [piece for piece in re.findall(r"[^。！？!?；;…]+[。！？!?；;…]*", text) if piece.strip("，、：:—。 ")]
    found: list[str] = []
    for piece in pieces:
        if found and len(found[-1]) <= SHORT:
            found[-1] += piece
        else:
            found.append(piece)
    return found
