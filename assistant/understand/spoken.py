"""What a recogniser or a keyboard wrote → characters as one says them."""

from __future__ import annotations

import re

from assistant.understand.sound import simplified

RAW = 2000
"""Characters looked at before anything is thrown away: 10 kB of junk must cost no more than a sentence."""

NUMBER = re.compile(r"\d+(?:[.:：]\d+)?")
_REPEATED = re.compile(r"([^零一二三四五六七八九十百千点两]{2,8}?)\1+")
_SAME_HOUR = re.compile(r"([零一二两三四五六七八九十]{1,3}点[零一二三四五六七八九十半]{1,3})\1")
"""三点五十，三点五十提醒我, which is no 三点五十三."""
_STUTTER = re.compile(r"([^零一二三四五六七八九十百千点两看听说试问聊])\1{2,}")


def hanzi(text: str) -> str:
    """The Chinese characters alone."""
    return "".join(char for char in text if "\u3400" <= char <= "\u9fff")


def spoken(text: str) -> str:
    """Characters only: simplified, numbers in words."""
    return hanzi(NUMBER.sub(lambda found: in_words(found[0]), simplified(text[:RAW]).translate(_TENS)))


_TENS = str.maketrans({"廿": "二十", "卅": "三十"})


def borders(text: str) -> frozenset[str]:
    """Where a typed sentence has a comma: the two characters before it and the two behind."""
    pieces = [spoken(piece) for piece in re.split(r"[，。；！？,;!?…]+", text[:RAW])]
    return frozenset(one[-2:] + other[:2] for one, other in zip(pieces, pieces[1:], strict=False) if len(one) > 1 and len(other) > 1)


def once(text: str) -> str:
    """Without what is said twice in a row; numbers stand as they are."""
    return _STUTTER.sub(r"\1", _REPEATED.sub(r"\1", _SAME_HOUR.sub(r"\1", text)))


def in_words(number: str) -> str:
    """Digits as one says them: 10:30 → 十点三十, 6.3 → 六点三, 140 → 一百四十."""
    head, mark, tail = re.match(r"(\d+)([.:：]?)(\d*)", number).groups()  # type: ignore[union-attr]
    if mark == ".":
        return _whole(head) + "点" + "".join(_DIGITS[int(digit)] for digit in tail)
    if mark:
        return _whole(head) + "点" + ("" if int(tail) == 0 else ("零" if int(tail) < 10 else "") + _whole(tail))
    return _whole(head)


_DIGITS = "零一二三四五六七八九"


def _whole(digits: str) -> str:
    value = int(digits)
    if len(digits) > 4 or (len(digits) > 1 and digits[0] == "0"):
        return "".join(_DIGITS[int(digit)] for digit in digits[:20])
    text, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit:
            text += ("零" if zero else "") + ("" if digit == 1 and unit == 10 and not text else _DIGITS[digit]) + name
            zero = False
        elif text:
            zero = True
    return text or "零"
