"""The table of tests/tables/times.toml read by our grammar and, where they can be imported, by jionlp and dateparser.

    python tests/bench/times_compare.py [--wrong]     # in an environment with any of them; --wrong lists what was missed

Prints one Markdown table. The table is ours, so conventions that are merely ours are not held against the others:
 - a moment counts at either half of the day and on any day of the week around it (they do not look for the next one);
   where a library answers with a span of hours (早上), it counts when our moment lies in it;
 - a date counts also a week away, or in another year (the last Friday instead of the next, last year's feast);
 - a recurrence counts when the unit, the interval and the first clock time (if one was said) are right, though jionlp cannot hold two
   times a day or two weekdays and so keeps only the first.
What remains is whether the words were understood. Sentences without a time go to each library's search function.
"""

from __future__ import annotations

import importlib
import sys
import time
import tomllib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
TABLE: dict[str, Any] = tomllib.loads((HERE.parent / "tables" / "times.toml").read_text(encoding="utf-8"))
NOW = datetime.fromisoformat(TABLE["now"])
KINDS = ("moments", "dates", "durations", "recurrences", "heard", "nothing")

Reader = Callable[[str], Any]
"""Text → a datetime, a timedelta, a (period, first time) pair, or None."""


def wanted(kind: str, value: Any) -> Any:
    """The table's value in the shape readers give."""
    if kind == "recurrences":
        return value["every"].removeprefix("lunar_"), value.get("interval", 1), value.get("at", [None])[0]
    if isinstance(value, str) and value.startswith("P"):
        parts = {"D": 86400, "H": 3600, "M": 60}
        number, total = "", 0
        for char in value[1:].replace("T", ""):
            if char.isdigit():
                number += char
            else:
                total, number = total + int(number) * parts[char], ""
        return timedelta(seconds=total)
    words = value.split() if isinstance(value, str) else []
    if words and not words[0][0].isdigit():
        return words[0].removeprefix("lunar_"), 1, next((word for word in words if ":" in word), None)
    return datetime.fromisoformat(value)


def same(kind: str, want: Any, got: Any) -> bool:
    if not isinstance(want, datetime):
        return bool(got == want)
    if isinstance(got, list):  # a span of hours
        first, last = got
        return any(first <= want + timedelta(days=away) <= last for away in range(-7, 8)) or same(kind, want, first)
    if not isinstance(got, datetime):
        return False
    if kind == "dates" or (kind == "heard" and want.hour == want.minute == 0):
        return abs((got.date() - want.date()).days) in (0, 7) or (got.month, got.day) == (want.month, want.day)
    away = abs(got - want)
    return away <= timedelta(days=7) and away % timedelta(hours=12) < timedelta(minutes=1)


def ours() -> Reader:
    times = importlib.import_module("assistant.understand.times")
    recurrence = importlib.import_module("assistant.when").Recurrence

    def read(text: str) -> Any:
        spans = times.find(text, NOW)
        if not spans:
            return None
        value = spans[0].value
        if isinstance(value, recurrence):
            return value.every.removeprefix("lunar_"), value.interval, value.at[0] if value.at else None
        if isinstance(value, timedelta | datetime):
            return value
        return datetime.combine(value, datetime.min.time())

    return read


def jionlp() -> Reader:
    library = importlib.import_module("jionlp")
    units = {"year": "year", "month": "month", "day": "day", "hour": "hour", "minute": "minute", "second": "second"}

    def length(delta: dict[str, float]) -> timedelta | None:
        days = {"day": 1, "month": 30, "year": 365, "workday": 1}
        try:
            return timedelta(days=sum(delta.get(unit, 0) * size for unit, size in days.items()), hours=delta.get("hour", 0),
                             minutes=delta.get("minute", 0), seconds=delta.get("second", 0))
        except TypeError:
            return None

    def read(text: str) -> Any:
        try:
            found = library.parse_time(text, time_base=NOW.timestamp())
        except Exception:
            return None
        kind, value = found["type"], found["time"]
        if kind in ("time_point", "time_span"):
            try:
                first, last = (datetime.fromisoformat(end) for end in value)
                return [first, last] if timedelta(minutes=1) < last - first < timedelta(hours=13) else first
            except (TypeError, ValueError):
                return None
        if kind == "time_delta":
            return length(value) if isinstance(value, dict) else None
        if kind == "time_period":
            every = {unit: count for unit, count in value["delta"].items() if unit in units and count}
            if len(every) != 1:
                return None
            unit, count = next(iter(every.items()))
            if unit == "day" and count % 7 == 0:
                unit, count = "week", count / 7
            point = value["point"]
            at = None
            if point and point["time"][0] and point["string"] and any(sign in text for sign in ("点", "时", ":")):
                at = point["time"][0][11:16]
            return unit, int(count), at
        return None

    return read


def dateparser() -> Reader:
    library = importlib.import_module("dateparser")
    settings = {"RELATIVE_BASE": NOW, "PREFER_DATES_FROM": "future"}

    def read(text: str) -> Any:
        return library.parse(text, languages=["zh"], settings=settings)

    return read


def finds_nothing(name: str, read: Reader) -> Reader:
    """For sentences without a time: what the library offers to search in a sentence."""
    if name == "jionlp":
        library = importlib.import_module("jionlp")
        return lambda text: library.ner.extract_time(text, time_base=NOW.timestamp()) or None
    if name == "dateparser":
        search = importlib.import_module("dateparser.search")
        return lambda text: search.search_dates(text, languages=["zh"], settings={"RELATIVE_BASE": NOW}) or None
    return read


def main() -> None:
    print("| | " + " | ".join(KINDS) + " | ms each |")
    print("| --- |" + " ---: |" * (len(KINDS) + 1))
    for name, make in (("ours", ours), ("jionlp", jionlp), ("dateparser", dateparser)):
        try:
            read = make()
        except ImportError as error:
            print(f"{name}: not here ({error})", file=sys.stderr)
            continue
        read("明天早上八点")
        cells, wrong, count, began = [], [], 0, time.process_time()
        for kind in KINDS:
            if kind == "nothing":
                search, sentences = finds_nothing(name, read), TABLE[kind]["sentences"]
                good = [text for text in sentences if not _safe(search, text)]
                wrong += [f"{kind} {text}" for text in sentences if text not in good]
                cells.append(f"{len(good)}/{len(sentences)}")
                count += len(sentences)
                continue
            rows = TABLE[kind]
            right = [text for text, value in rows.items() if _agrees(kind, text, value, read(text))]
            wrong += [f"{kind} {text} {value} {read(text)}" for text, value in rows.items() if text not in right]
            cells.append(f"{len(right)}/{len(rows)}")
            count += len(rows)
        spent = (time.process_time() - began) / count * 1000
        print(f"| {name} | " + " | ".join(cells) + f" | {spent:.2f} |")
        if "--wrong" in sys.argv:
            print("\n".join(f"  {name}: {line}" for line in wrong), file=sys.stderr)


def _safe(search: Reader, text: str) -> Any:
    try:
        return search(text)
    except Exception:
        return None


def _agrees(kind: str, text: str, value: Any, got: Any) -> bool:
    """`same`, with a recurrence's first time of day compared only where a clock time was said."""
    want = wanted(kind, value)
    if isinstance(want, tuple) and isinstance(got, tuple):
        clock = want[0] != "hour" and any(sign in text for sign in "点:")
        return (got[0], kind == "heard" or got[1], clock and got[2]) == (want[0], kind == "heard" or want[1], clock and want[2])
    return same(kind, want, got)


if __name__ == "__main__":
    main()
