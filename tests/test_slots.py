"""Slots of sentences whose intent is clear: what happened, which medicine, which reading, how long, when (tables/slots.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from assistant.household import load
from assistant.messages import Hypothesis, Meaning, Slot, to_json
from assistant.places import sample_household, shipped
from assistant.understand import emergencies, readings
from assistant.understand import slots as filling
from assistant.understand.judge import Understander
from assistant.understand.reader import read
from assistant.when import Recurrence

HERE = Path(__file__).parent
TABLE: dict[str, Any] = tomllib.loads((HERE / "tables" / "slots.toml").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 22, 15, 0)
DOSE = ("medication.taken", "medication.query", "medication.not_taken", "medication.stock")


@lru_cache
def mind(home: str) -> Understander:
    bench = HERE / "bench"
    places = (bench / "households" / f"{home}.yaml", bench / "sentences" / "rounds" / f"{home}.yaml")
    return Understander(load(next((place for place in places if home and place.exists()), sample_household())), read(shipped("intents")))


def understood(say: str, intents: tuple[str, ...], home: str = "") -> tuple[dict[str, Slot], bool]:
    """Slots for one of the intents, and whether two values fit; read off the sentence where the judge hears another intent."""
    explained = mind(home).explain([Hypothesis(say)], NOW.replace(tzinfo=mind(home).household.zone))
    near = explained.judgement.nearest
    meaning = explained.judgement.meaning or next((one for one in near if one.intent in intents), None)
    if isinstance(meaning, Meaning) and meaning.intent in intents:
        named = {one.slots.get("medicine") for one in near if one.intent == meaning.intent} - {None}
        return dict(meaning.slots), len(named) > 1
    heard = explained.heard[0]
    filled = filling.fill(intents[0], heard.said, heard.measures, {})
    return dict(filled.slots), bool(filled.doubts)


def rows(part: str) -> Iterator[tuple[str, str]]:
    """(expected, sentence) of a part of the table."""
    return ((expected, say) for expected, says in TABLE[part].items() for say in says)


@pytest.mark.parametrize("kind", TABLE["emergency"])
def test_what_happened_is_named_from_the_words(kind: str) -> None:
    wrong = {say: got for say in TABLE["emergency"][kind] if (got := understood(say, ("emergency.call",))[0].get("kind")) != kind}
    assert not wrong


@pytest.mark.parametrize("kind", [kind for kind in TABLE["emergency_again"] if kind not in ("unwell", "generic")])
def test_the_words_alone_tell_what_happened(kind: str) -> None:
    wrong = {say: got for say in TABLE["emergency_again"][kind] if (got := emergencies.kind(say.replace("，", ""))) != kind}
    assert not wrong


def test_where_the_words_do_not_tell_nothing_is_made_up() -> None:
    told = {say: got for kind in ("unwell", "generic") for say in TABLE["emergency_again"][kind] if (got := emergencies.kind(say.replace("，", "")))}
    assert not told


@pytest.mark.parametrize("block", TABLE["medicine"], ids=lambda block: block["home"])
def test_a_medicine_is_known_by_looks_and_purpose_in_any_order(block: dict[str, Any]) -> None:
    wrong = {}
    for name, says in block.items():
        for say in says if name != "home" else ():
            slots, doubt = understood(say, DOSE, block["home"])
            if (slots.get("medicine", ""), doubt) != (("", True) if name == "?" else (name, False)):
                wrong[say] = slots
    assert not wrong


@pytest.mark.parametrize("kind", TABLE["reading"])
def test_a_reading_is_found_in_natural_speech_and_an_implausible_one_is_not(kind: str) -> None:
    wrong = {}
    for say, *values in TABLE["reading"][kind]:
        slots, _ = understood(say, ("diary.record",))
        got = [slots[slot] for slot in ("systolic", "diastolic", "value") if slot in slots]
        if kind == "?":
            good = not got
        else:
            good = slots.get("kind") == kind and got == values
        if not good:
            wrong[say] = slots
    assert not wrong


def test_the_last_word_about_a_length_counts_and_a_bell_is_an_hour() -> None:
    wrong = {}
    for minutes, say in rows("duration"):
        slots, _ = understood(say, ("medication.snooze", "reminder.add"))
        length = slots.get("duration") or (slots["when"] - NOW if isinstance(slots.get("when"), datetime) else None)  # type: ignore[operator]
        if length != timedelta(minutes=int(minutes)):
            wrong[say] = length
    assert not wrong


def test_the_last_word_about_a_time_counts() -> None:
    wrong = {}
    for when, say in rows("when"):
        got = to_json(understood(say, ("reminder.add", "booking.create"))[0].get("when"))
        if got != when:
            wrong[say] = got
    assert not wrong


@pytest.mark.parametrize(("part", "intent", "slot"), [
    ("what", "reminder.add", "what"), ("deleted", "reminder.cancel", "what"), ("message", "message.send", "message"), ("person", "call.voice", "person"), ("told", "message.send", "person"), ("service", "booking.create", "service"),
])
def test_free_words_and_names_are_cut_out_of_reasons_and_corrections(part: str, intent: str, slot: str) -> None:
    wrong = {say: got for expected, say in rows(part) if (got := understood(say, (intent, "call.video", "booking.cancel", "booking.change"))[0].get(slot, "?")) != expected}
    assert not wrong


def test_a_service_is_guessed_only_from_words_that_are_its_own() -> None:
    guess = filling.services(mind("zhou").household, mind("zhou").book).likely
    assert (guess("窗户埋汰了找人擦擦"), guess("找个人来家里一趟"), guess("到站了下车")) == ("擦玻璃", "", "")


def test_a_sibling_of_this_home_is_no_stranger() -> None:
    assert understood("给我妹妹打电话", ("call.voice",), "zhou")[0]["person"] == "李桂芳"


def test_the_hour_and_how_often_may_stand_in_two_clauses() -> None:
    wrong = {}
    for expected, say in rows("often"):
        got = understood(say, ("reminder.add",))[0].get("when")
        days, at = expected.split()
        if not isinstance(got, Recurrence) or (got.days, got.at) != (() if days == "-" else (days,), tuple(at.split(","))):
            wrong[say] = got
    assert not wrong


@pytest.mark.parametrize(("say", "when"), [
    ("明天十点去医院，八点叫我", datetime(2026, 11, 23, 8)), ("后天上午九点的火车，六点半喊我起床", datetime(2026, 11, 24, 6, 30)),
    ("礼拜三下午三点开家长会，两点提醒我出门", datetime(2026, 11, 25, 14)), ("明天早上八点的飞机，晚上十点提醒我收拾行李", datetime(2026, 11, 22, 22)),
    ("明天中午孙子来，十点提醒我买菜", datetime(2026, 11, 23, 10)), ("后天下午有客，十点提醒我买菜", datetime(2026, 11, 24, 10)),
    ("半夜两点有球赛，一点五十叫我", datetime(2026, 11, 23, 1, 50)), ("今天晚上八点有球赛，七点五十提醒我", datetime(2026, 11, 22, 19, 50)),
    ("每天晚上八点吃药，七点半提醒我", Recurrence("day", ("19:30",))), ("每周三上午十点上课，九点叫我", Recurrence("week", ("09:00",), ("WE",))),
    ("后天早上六点六点半吧六点半叫我", datetime(2026, 11, 24, 6, 30)), ("明天九点体检，今天晚上八点提醒我别吃东西", datetime(2026, 11, 22, 20)),
])
def test_an_hour_is_of_the_day_of_what_it_is_asked_for(say: str, when: Slot) -> None:
    assert understood(say, ("reminder.add",))[0]["when"] == when


def test_a_time_in_the_reason_says_nothing_of_which_reminder_to_delete() -> None:
    says = ("那个饮茶的闹钟不要了明天下雨", "下午不去跳舞了把跳舞的那个提醒给我撤了")
    assert [understood(say, ("reminder.cancel",))[0].get("when") for say in says] == [None, None]


@pytest.mark.parametrize("text", ["", "零" * 300, "一百" * 200, "度" * 300, "气不" * 200, "从" * 300, "有人" * 200, "的那个" * 150])
def test_junk_costs_nothing_and_names_nothing_dangerous(text: str) -> None:
    assert emergencies.kind(text) == ""
    assert readings.pressure(text) is None


@pytest.mark.parametrize(("text", "kind", "value"), [
    ("血糖六点一记一下", "blood_glucose", 6.1), ("血糖七点一哦看错了是六点一帮我记一下", "blood_glucose", 6.1), ("体重六十一公斤一会儿再称", "weight", 61.0),
    ("心跳七十一下", "heart_rate", 71.0), ("体温三十七度一量了两次", "temperature", 37.1),
])
def test_a_one_that_counts_nothing_is_no_reading(text: str, kind: str, value: float) -> None:
    assert readings.value(text, kind) == value
    looks = filling.looks(mind("").household, mind("").book)
    assert not list(looks.find(text))


def test_free_words_are_those_the_decoder_is_surest_of() -> None:
    home = load(sample_household())
    heard = [Hypothesis("热点闺女捎个话就说我腿不疼了", "free", 0.6), Hypothesis("给闺女捎个话九十五推不疼了", "free", 0.4)]
    meaning = Understander(home, read(shipped("intents"))).judge(heard, datetime(2026, 11, 22, 15, tzinfo=home.zone)).meaning
    assert meaning is not None
    assert meaning.slots["person"] == "刘敏"
    assert meaning.slots["message"] == "我腿不疼了"


@pytest.mark.parametrize(("say", "slot", "value"), [
    ("约个剃头的，周二，周二上午十点", "when", "2026-11-24T10:00"), ("强子屋里添了个丫头，给强子拨个视频", "person", "刘强"),
    ("每天早上量血压的提醒，我自己记得了，你别叫了", "what", "量血压"), ("那个白色的小药片我是几点钟吃的呀", "medicine", "阿司匹林"),
])
def test_the_value_that_is_meant_is_taken(say: str, slot: str, value: str) -> None:
    got = to_json(understood(say, ("booking.create", "call.video", "reminder.cancel", "medication.query"))[0].get(slot))
    assert str(got).startswith(value)


def answered(say: str) -> str:
    """What is understood of an answer to 什么时候: its time, "" where it is none or is asked about."""
    meaning = mind("").judge([Hypothesis(say)], NOW.replace(tzinfo=mind("").household.zone), "when", ()).meaning
    return "" if meaning is None or meaning.intent != "dialogue.when" else shown(meaning.slots.get("when"))


def shown(value: Slot | None) -> str:
    """2026-11-25T10:00, or day 19:30, or week TU,TH 07:40."""
    if isinstance(value, Recurrence):
        return " ".join(part for part in (value.every, ",".join(str(day) for day in value.days), ",".join(value.at)) if part)
    return f"{value:%Y-%m-%dT%H:%M}" if isinstance(value, datetime) else str(value or "")


def test_an_answer_to_when_is_of_the_day_it_speaks_of() -> None:
    wrong = {say: (got, when) for when, say in rows("answer") if (got := answered(say)) != when}
    assert not wrong


def test_a_reminder_is_on_the_day_and_at_the_hour_that_is_meant() -> None:
    wrong = {say: (got, when) for when, say in rows("moment") if (got := shown(understood(say, ("reminder.add", "booking.create", "booking.change"))[0].get("when"))) != when}
    assert not wrong


def test_an_hour_of_the_thing_itself_stays_with_it() -> None:
    wrong = {}
    for expected, say in rows("its_hour"):
        slots, _ = understood(say, ("reminder.add",))
        when, what = expected.split(" ")
        if (shown(slots.get("when")), slots.get("what")) != (when, what):
            wrong[say] = slots
    assert not wrong


@pytest.mark.parametrize("say", [
    "敏敏昨天提醒我八点前到医院，我七点就到了", "昨天敏敏提醒我八点吃药", "上回护士提醒我早上八点空腹去", "闺女前天提醒我九点去量血压，我忘了",
])
def test_who_was_reminded_once_asks_for_no_reminder(say: str) -> None:
    judgement = mind("").judge([Hypothesis(say)], NOW.replace(tzinfo=mind("").household.zone))
    assert (judgement.meaning, judgement.nearest) == (None, ())


@pytest.mark.parametrize("say", ["敏敏昨天提醒我买米，明天早上九点你再提醒我一次", "敏敏昨天提醒我该买米了，你明天早上九点叫我去买米"])
def test_who_was_reminded_once_may_ask_for_another_one(say: str) -> None:
    assert shown(understood(say, ("reminder.add",))[0].get("when")) == "2026-11-23T09:00"


@pytest.mark.parametrize(("say", "what", "when"), [
    ("早上九点量血压那个，从今往后别叫我了", "量血压", "2026-11-23T09:00"), ("下午三点浇花那个，以后别提醒我了", "浇花", "2026-11-23T15:00"),
    ("收衣服那个提醒，今后不要再提醒我了", "收衣服", ""), ("不是六点那个，是今天下午五点那个提醒，给我取消", "", "2026-11-22T17:00"),
    ("取消提醒，不是早上七点的，是晚上七点的那个", "", "2026-11-22T19:00"), ("不是明天那个，是后天上午九点那个提醒，删了", "", "2026-11-24T09:00"),
])
def test_a_reminder_to_delete_is_named_by_the_last_word_and_not_by_from_now_on(say: str, what: str, when: str) -> None:
    slots, _ = understood(say, ("reminder.cancel",))
    assert (slots.get("what", "").strip("那个的"), shown(slots.get("when"))) == (what, when)  # type: ignore[union-attr]
