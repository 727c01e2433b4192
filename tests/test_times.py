"""Times as elders say them, as a recogniser hears them, and sentences that hold none."""

from __future__ import annotations

import time
import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from assistant.home import Care
from assistant.messages import iso_duration
from assistant.understand import times
from assistant.when import WEEKDAYS, Recurrence

TABLE: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent / "tables" / "times.toml").read_text(encoding="utf-8"))
NOW = datetime.fromisoformat(TABLE["now"])


def shown(value: times.Value) -> Any:
    """A value as the table writes it."""
    match value:
        case datetime():
            return value.isoformat(timespec="seconds" if value.second else "minutes")
        case date():
            return value.isoformat()
        case timedelta():
            return iso_duration(value)
        case Recurrence():
            return value.to_json()


def brief(value: times.Value) -> str:
    """A value as one string: a recurrence as its unit, days and times."""
    if isinstance(value, Recurrence):
        return " ".join([value.every, *map(str, value.days), *value.at])
    return str(shown(value))


@pytest.mark.parametrize("kind", ["moments", "dates", "durations", "recurrences"])
def test_every_expression_of_the_table_is_read(kind: str) -> None:
    read = {text: times.parse(text, NOW) for text in TABLE[kind]}
    assert {text: span and (span.kind, shown(span.value)) for text, span in read.items()} == {
        text: (kind[:-1], value) for text, value in TABLE[kind].items()}


def test_the_table_holds_three_hundred_expressions() -> None:
    assert sum(len(TABLE[kind]) for kind in ("moments", "dates", "durations", "recurrences")) >= 300


@pytest.mark.parametrize("kind", ["moments", "dates", "durations", "recurrences"])
def test_an_expression_is_found_inside_a_sentence(kind: str) -> None:
    found = {text: [span.text for span in times.find(f"小伴你{text}提醒我吃药", NOW)] for text in TABLE[kind]}
    assert {text: spans for text, spans in found.items() if spans != [text]} == {}


def test_damaged_expressions_are_read_by_sound() -> None:
    found = {text: [brief(span.value) for span in times.find(text, NOW)] for text in TABLE["heard"]}
    assert found == {text: [value] for text, value in TABLE["heard"].items()}


def test_sentences_keep_their_times_and_the_last_word_counts() -> None:
    found = {}
    for text in TABLE["within"]:
        spans = times.find(text, NOW)
        counted = times.last_word(spans, text)
        found[text] = ["|".join(span.text for span in spans), brief(counted.value) if counted else ""]
    assert found == TABLE["within"]


def test_sentences_without_a_time_give_none() -> None:
    found = {text: [span.text for span in times.find(text, NOW)] for text in TABLE["nothing"]["sentences"]}
    assert {text: spans for text, spans in found.items() if spans} == {}


def test_a_time_that_is_said_back_is_read_the_same() -> None:
    said = {}
    for kind in ("moments", "dates", "durations", "recurrences"):
        for text in TABLE[kind]:
            span = times.parse(text, NOW)
            assert span
            back = times.say(span.value, NOW)
            again = times.parse(back, NOW)
            value = again and (again.length if isinstance(span.value, timedelta) else again.value)
            if value != span.value:
                said[text] = (back, value)
    assert said == {}


@given(some.datetimes(datetime(2026, 11, 20), datetime(2028, 12, 31)), some.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 20)))
@settings(max_examples=300, deadline=None)
def test_any_minute_said_back_is_read_the_same(moment: datetime, now: datetime) -> None:
    moment = moment.replace(second=0, microsecond=0)
    span = times.parse(times.say(moment, now), now)
    assert span is not None
    assert span.value == moment


_CLOCKS = some.lists(some.times(), min_size=1, max_size=3, unique=True).map(
    lambda clocks: tuple(sorted({clock.strftime("%H:%M") for clock in clocks})))


@given(some.one_of(
    some.builds(Recurrence, some.just("day"), at=_CLOCKS),
    some.builds(Recurrence, some.just("week"), at=_CLOCKS, days=some.sets(some.sampled_from(WEEKDAYS), min_size=1).map(
        lambda names: tuple(sorted(names, key=WEEKDAYS.index)))),
    some.builds(Recurrence, some.just("month"), at=_CLOCKS, days=some.sets(some.integers(1, 31), min_size=1, max_size=3).map(
        lambda days: tuple(sorted(days)))),
))
@settings(max_examples=300, deadline=None)
def test_any_recurrence_said_back_is_read_the_same(rule: Recurrence) -> None:
    span = times.parse(times.say(rule, NOW), NOW)
    assert span is not None
    assert span.value == rule


@pytest.mark.parametrize(("text", "now", "expected"), [
    ("八点", "2026-11-22T15:00", "2026-11-22T20:00"),
    ("八点", "2026-11-22T07:00", "2026-11-22T08:00"),
    ("八点", "2026-11-22T22:30", "2026-11-23T08:00"),
    ("三点半", "2026-11-22T15:00", "2026-11-22T15:30"),
    ("三点", "2026-11-22T01:00", "2026-11-22T15:00"),
    ("早上八点", "2026-11-22T15:00", "2026-11-23T08:00"),
    ("早上八点", "2026-11-22T06:00", "2026-11-22T08:00"),
    ("五点", "2026-11-22T20:00", "2026-11-23T17:00"),
    ("半夜两点", "2026-11-22T01:00", "2026-11-22T02:00"),
    ("今天八点", "2026-11-22T21:00", "2026-11-22T08:00"),
    ("月底", "2028-02-03T09:00", "2028-02-29"),
    ("三十一号", "2026-02-03T09:00", "2026-03-31"),
    ("二月二十九号", "2026-11-22T15:00", "2028-02-29"),
    ("一个月后", "2026-01-31T09:00", "2026-02-28"),
    ("周三", "2026-11-25T09:00", "2026-11-25"),
    ("下周一", "2026-12-31T09:00", "2027-01-04"),
    ("明天", "2026-12-31T23:59", "2027-01-01"),
    ("饭后", "2026-11-22T09:00", "2026-11-22T12:30"),
])
def test_a_time_depends_on_now(text: str, now: str, expected: str) -> None:
    span = times.parse(text, datetime.fromisoformat(now))
    assert span
    assert shown(span.value) == expected


def test_meals_are_the_households() -> None:
    care = Care(breakfast=datetime(2026, 1, 1, 6, 30).time(), supper=datetime(2026, 1, 1, 17, 0).time())
    span = times.parse("每天早晚饭后", NOW, care)
    assert span
    assert span.value == Recurrence("day", at=("07:00", "17:30"))


def test_an_aware_now_gives_naive_local_values() -> None:
    span = times.parse("十分钟后", NOW.replace(tzinfo=ZoneInfo("Asia/Shanghai")))
    assert span
    assert span.value == datetime(2026, 11, 22, 15, 10)


@pytest.mark.parametrize(("text", "other"), [
    ("八点", "2026-11-23T08:00"),
    ("四点", "2026-11-22T22:00"),
    ("十点", "2026-11-22T16:00"),
    ("明天下午四点", None),
    ("明天早上四点", "2026-11-23T10:00"),
    ("明天上午十点", None),
    ("八月十五", "2027-08-15"),
    ("四号", "2026-12-10"),
    ("十分钟后", "2026-11-22T15:04"),
    ("十天后", None),
])
def test_what_may_have_been_meant_instead_is_kept(text: str, other: str | None) -> None:
    span = times.parse(text, NOW)
    assert span is not None
    kept = [shown(value) for value in span.alternatives]
    assert (other in kept) if other else kept == []


def test_a_relative_time_keeps_its_length() -> None:
    lengths = {text: span and span.length for text in ("十分钟后", "等会儿", "三天后", "八点")
               for span in [times.parse(text, NOW)]}
    assert lengths == {"十分钟后": timedelta(minutes=10), "等会儿": timedelta(minutes=10), "三天后": timedelta(days=3),
                       "八点": None}


@pytest.mark.parametrize(("moment", "said"), [
    (datetime(2026, 11, 22, 7, 30), "早上七点半"),
    (datetime(2026, 11, 22, 12, 0), "中午十二点"),
    (datetime(2026, 11, 22, 14, 5), "下午两点零五分"),
    (datetime(2026, 11, 22, 20, 15), "晚上八点一刻"),
    (datetime(2026, 11, 22, 0, 0), "半夜十二点"),
    (datetime(2026, 11, 22, 3, 0), "凌晨三点"),
    (datetime(2026, 11, 22, 11, 20), "上午十一点二十分"),
])
def test_a_clock_is_said_plainly(moment: datetime, said: str) -> None:
    assert times.clock(moment) == said


@pytest.mark.parametrize(("value", "said"), [
    (datetime(2026, 11, 23, 15, 0), "明天下午三点"),
    (datetime(2026, 11, 25, 9, 0), "十一月二十五号星期三早上九点"),
    (datetime(2027, 1, 1, 8, 0), "明年一月一号星期五早上八点"),
    (date(2026, 11, 24), "后天"),
    (timedelta(minutes=10), "十分钟后"),
    (timedelta(minutes=90), "一个半小时后"),
    (Recurrence("day", at=("08:00", "20:00")), "每天早上八点和晚上八点"),
    (Recurrence("week", days=("MO", "WE", "FR"), at=("09:00",)), "每周一三五早上九点"),
    (Recurrence("lunar_year", days=("12-23",)), "每年腊月二十三"),
    (Recurrence("day", at=("08:00",), until=date(2026, 11, 30)), "每天早上八点，到十一月三十号星期一为止"),
])
def test_a_value_is_read_back_in_words(value: times.Value, said: str) -> None:
    assert times.say(value, NOW) == said


@pytest.mark.parametrize("text", ["", " ", "八" * 5000, "每周一和" * 2500, "十" * 10000, "1" * 10000, "\x00\ud800", "🙂八点🙂" * 9,
                                  "三十月五十号", "二月三十号", "25:61", "九九九九年一月一号", "99999999999999天后", "每零天", "每零小时"])
def test_junk_is_bounded_and_breaks_nothing(text: str) -> None:
    began = time.process_time()
    spans = times.find(text, NOW)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert time.process_time() - began < 2.0  # ten times what it takes; the figures are in docs/times.md


@given(some.text(alphabet="零一二三四五六七八九十百两半点分号天小时个月刻周日礼拜星期钟每隔早中午晚上下饭前后初年从到过再等会儿0123456789：:不对，。是吧啊x", max_size=24))
@settings(max_examples=400, deadline=None)
def test_spans_never_overlap_and_carry_their_text(text: str) -> None:
    spans = times.find(text, NOW)
    ends = [0, *(span.end for span in spans)]
    assert all(span.start >= end and span.text == text[span.start:span.end] for span, end in zip(spans, ends, strict=False))
