"""Times, lengths, numbers and lists as one says them aloud in Mandarin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise

from assistant.when import Recurrence

_DIGITS = "零一二三四五六七八九"

PARTS = (
    (5, "凌晨"), (9, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"),
)
"""(before this hour, the part of the day): the words people use with a clock time."""

WEEKDAYS = {"MO": "一", "TU": "二", "WE": "三", "TH": "四", "FR": "五", "SA": "六", "SU": "日"}


@lru_cache(maxsize=1024)
def number(value: float) -> str:
    """`28` → 二十八, `6.3` → 六点三, `140` → 一百四十; 0 … 99,999,999, at most two decimals."""
    if value < 0:
        return "负" + number(-value)
    whole = int(value)
    decimals = f"{value:.2f}".partition(".")[2].rstrip("0")
    spoken = _whole(whole)
    return spoken + ("点" + "".join(_DIGITS[int(d)] for d in decimals) if decimals else "")


def _whole(value: int) -> str:
    if value >= 10_000:
        head, rest = divmod(value, 10_000)
        return _whole(head) + "万" + (("零" if rest < 1000 else "") + _whole(rest) if rest else "")
    if value < 10:
        return _DIGITS[value]
    said = ""
    gap = False
    for unit, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit:
            said += ("零" if gap else "") + _DIGITS[digit] + word
            gap = False
        elif said and value:
            gap = True
    return said.removeprefix("一") if said.startswith("一十") else said


def counted(value: float) -> str:
    """A number before a measure word: 两 instead of 二."""
    return "两" if value == 2 else number(value)


def clock(moment: datetime | time) -> str:
    """`07:30` → 早上七点半, `12:00` → 中午十二点, `20:05` → 晚上八点零五分."""
    return _clock(moment.hour, moment.minute)


@lru_cache(maxsize=1440)
def _clock(hour: int, minute: int) -> str:
    part = next(word for before, word in PARTS if hour < before)
    hour = hour - 12 if hour > 12 else hour
    said = f"{part}{counted(hour)}点"
    if minute == 30:
        return said + "半"
    if minute:
        return said + ("零" if minute < 10 else "") + f"{number(minute)}分"
    return said


def day(when: date, today: date) -> str:
    """`今天`, `明天`, `昨天`, `星期三` within a week ahead, else `十二月三号`."""
    near = {-2: "前天", -1: "昨天", 0: "今天", 1: "明天", 2: "后天"}
    distance = (when - today).days
    if distance in near:
        return near[distance]
    if 0 < distance < 7:
        return "星期" + tuple(WEEKDAYS.values())[when.weekday()]
    return f"{number(when.month)}月{number(when.day)}号"


def moment(when: datetime, now: datetime) -> str:
    """Day and clock time; the day is left out when it is today: `明天早上八点`, `晚上八点`."""
    local = when.astimezone(now.tzinfo) if when.tzinfo and now.tzinfo else when
    said = day(local.date(), now.date())
    return clock(local) if said == "今天" else said + clock(local)


def length(span: timedelta) -> str:
    """`PT10M` → 十分钟, `PT1H30M` → 一个半小时, `P2D` → 两天; under a minute: seconds."""
    seconds = int(span.total_seconds())
    if seconds < 60:
        return f"{number(seconds)}秒"
    days, seconds = divmod(seconds, 86400)
    hours, seconds = divmod(seconds, 3600)
    minutes = seconds // 60
    said = f"{counted(days)}天" if days else ""
    if hours and minutes == 30:
        return said + f"{counted(hours)}个半小时"
    if hours:
        said += f"{counted(hours)}个小时"
    if minutes == 30 and not said:
        return "半个小时"
    return said + (f"{counted(minutes)}分钟" if minutes else "")


def listing(items: Sequence[str]) -> str:
    """`甲`, `甲和乙`, `甲、乙和丙`."""
    return "和".join(("、".join(items[:-1]), items[-1])) if len(items) > 1 else "".join(items)


def recurrence(rule: Recurrence) -> str:
    """`每天早上八点和晚上八点`, `每周一、三、五早上九点`, `每个月一号…`, `每两天…`."""
    often = "每" if rule.interval == 1 else f"每{counted(rule.interval)}"
    match rule.every:
        case "day":
            named = often + ("天" if rule.interval == 1 else "天")
        case "week":
            names = [WEEKDAYS[str(d)] for d in rule.days]
            whole = tuple(WEEKDAYS)
            run = [whole.index(str(d)) for d in rule.days]
            if len(run) > 2 and all(b == a + 1 for a, b in pairwise(run)):
                spoken = f"{names[0]}到周{names[-1]}"
            else:
                spoken = "、".join(names)
            named = ("每周" if rule.interval == 1 else f"每{counted(rule.interval)}个星期的周") + spoken
        case "month" | "lunar_month":
            days = "、".join("最后一天" if d == -1 else f"{number(int(d))}号" for d in rule.days)
            unit = "农历每个月" if rule.every == "lunar_month" else f"{often}个月"
            named = unit + (days.replace("号", "") if rule.every == "lunar_month" else days)
        case "year" | "lunar_year":
            spoken = "、".join(
                f"{number(int(m))}月{number(int(d))}" + ("" if rule.every == "lunar_year" else "号")
                for m, d in (str(text).split("-") for text in rule.days)
            )
            named = ("农历" if rule.every == "lunar_year" else "") + "每年" + spoken
        case "hour":
            return f"每{counted(rule.interval)}个小时" if rule.interval > 1 else "每个小时"
    return named + listing([clock(t) for t in rule.times()])


def value(one: object, now: datetime) -> str:
    """What a slot holds, times in words: 明天早上八点, 十分钟, 每天早上七点; anything else as it is."""
    match one:
        case datetime():
            return moment(one, now)
        case date():
            return day(one, now.date())
        case timedelta():
            return length(one)
        case Recurrence():
            return recurrence(one)
        case _:
            return str(one)


def sentence(parts: Iterable[str]) -> str:
    """Clauses joined by a comma, empty ones left out."""
    return "，".join(part for part in parts if part)
