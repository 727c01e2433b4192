"""Which of several things is meant, where one of them is denied, excepted or something else is said of it."""

from __future__ import annotations

import pytest

from tests.test_slots import understood

MEDICATION = ("medication.taken", "medication.not_taken", "medication.skip", "medication.snooze")
BOOKING = ("booking.create", "booking.cancel", "booking.change")


@pytest.mark.parametrize(("say", "medicine"), [
    ("刚吃下去的不是小白片，是大白片", "二甲双胍"), ("刚吃的不是大白片，是小白片", "阿司匹林"), ("不是降压药，是降糖药我吃了", "二甲双胍"),
    ("除了止疼药，该吃的我今天全吃过了", ""), ("除开降糖药，别的都吃完了", ""),
    ("今晚血压药照吃，小白片大夫叫停一顿，我就不吃它了", "阿司匹林"), ("降压药照旧，降糖药今天不吃了", "二甲双胍"),
    ("别的都吃完了，就剩那片降糖的没吃", "二甲双胍"), ("降糖药我吃了，降压药忘了吃", "缬沙坦"),
    ("降压药吃了", "缬沙坦"), ("小白片吃了，大白片也吃了", ""),
])
def test_a_medicine_is_the_one_it_is_said_of(say: str, medicine: str) -> None:
    slots, doubt = understood(say, MEDICATION)
    assert slots.get("medicine", "") == medicine
    assert not doubt


@pytest.mark.parametrize(("say", "service"), [
    ("约理发，不是约洗澡，后天下午两点", "理发"), ("约洗澡，不是约理发，大后天上午十点", "护工"), ("约洗澡，不是，约理发，大后天上午十点", "理发"),
    ("听错了听错了，不是取消保洁，是取消理发", "理发"), ("我要取消的是保洁，不是理发", "保洁"),
    ("约理发，哦不是，约保洁，后天上午九点", "保洁"), ("不是约理发，是约保洁，后天上午九点", "保洁"), ("约理发不是约洗澡后天下午两点", "?"),
])
def test_a_service_is_the_one_that_is_not_denied(say: str, service: str) -> None:
    slots, doubt = understood(say, BOOKING)
    assert (slots.get("service", "?" if doubt or "service" not in slots else "")) == service


@pytest.mark.parametrize(("say", "when"), [
    ("理发的礼拜三莫来，礼拜五再来", "2026-11-27"), ("理发礼拜三不行，改礼拜五", "2026-11-27"), ("理发改到礼拜三", "2026-11-25"),
])
def test_a_visit_moves_away_from_the_day_that_is_denied(say: str, when: str) -> None:
    assert str(understood(say, ("booking.change",))[0]["when"]).startswith(when)


@pytest.mark.parametrize(("say", "person"), [
    ("先莫打强子的，先打敏敏的", "刘敏"), ("给敏敏打个电话，我要问强子到了没", "刘敏"), ("给敏敏打电话，别打强子的", "刘敏"), ("给强子打个电话，我想问问敏敏几时来", "刘强"),
])
def test_who_is_called_is_neither_denied_nor_asked_about(say: str, person: str) -> None:
    assert understood(say, ("call.voice", "call.video"))[0].get("person") == person


@pytest.mark.parametrize(("say", "medicine"), [
    ("明天上午十点提醒我去买降糖药", ""), ("星期三早上七点提醒我带上降糖药的盒子", ""), ("明天上午九点提醒我问张护士小白片能不能停", ""),
    ("每天晚上九点提醒我把第二天的血压药摆出来", ""), ("明早八点提醒我吃降压药", "缬沙坦"), ("明早八点提醒我把降压药吃了", "缬沙坦"), ("明天中午提醒我去吃降糖药", "二甲双胍"),
])
def test_a_reminder_is_of_a_medicine_only_where_it_is_to_be_taken(say: str, medicine: str) -> None:
    assert understood(say, ("reminder.add",))[0].get("medicine", "") == medicine
