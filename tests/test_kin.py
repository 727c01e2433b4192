"""Whose husband, mother or boy is meant, and which of a few is described."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from assistant.furnish import understander
from assistant.home import Contact, Household
from assistant.household import load
from assistant.messages import Asking, Hypothesis, Judgement
from assistant.places import sample_household
from assistant.understand.among import described
from assistant.understand.kin import Kin, kin_of

SAMPLE = load(sample_household())


def _home(*people: tuple[str, str, str]) -> Household:
    return replace(SAMPLE, family=tuple(Contact(name, relation, (nick,) if nick else (), notify=("家",)) for name, relation, nick in people))


HOME = _home(
    ("谭小玲", "女儿", "玲妹子"), ("周建平", "女婿", ""), ("谭国强", "大儿子", "强子"), ("谭国富", "二儿子", "富子"), ("秦小芹", "大儿媳", ""),
    ("林芳", "二儿媳", ""), ("周子豪", "外孙", "豪豪"), ("谭晓", "孙女", "晓晓"), ("谭秀", "二妹", ""), ("郑大海", "妹夫", ""), ("王建国", "邻居", "老王"),
)


def _judged(text: str, asking: Asking | None = None, options: tuple[str, ...] = ()) -> Judgement:
    return understander(HOME).judge((Hypothesis(text),), datetime(2026, 11, 22, 15, tzinfo=HOME.zone), asking, options)


def _called(text: str) -> set[str]:
    """Whom it would call, or offers to."""
    judged = _judged(text)
    meanings = [judged.meaning] if judged.meaning else list(judged.nearest)
    return {str(meaning.slots["person"]) for meaning in meanings if "person" in meaning.slots}


@pytest.mark.parametrize(("relation", "rank", "kin"), [
    ("大儿媳", "大", Kin.DAUGHTER_IN_LAW), ("二妹", "二", Kin.YOUNGER_SISTER), ("外孙女", "", Kin.DAUGHTERS_DAUGHTER), ("邻居", "", None), ("大夫", "", None),
])
def test_a_relation_is_a_rank_and_a_kin(relation: str, rank: str, kin: Kin | None) -> None:
    assert kin_of(relation) == (rank, kin)


@pytest.mark.parametrize(("whom", "person"), [
    ("玲妹子的男人", "周建平"), ("小玲她老公", "周建平"), ("豪豪他爸", "周建平"), ("豪豪的妈妈", "谭小玲"), ("强子媳妇", "秦小芹"), ("富子的老婆", "林芳"),
    ("小玲的儿子", "周子豪"), ("玲妹子家的小子", "周子豪"), ("二妹家那口子", "郑大海"), ("大儿媳妇", "秦小芹"), ("妹妹", "谭秀"),
    ("晓晓的姑姑", "谭小玲"), ("强子", "谭国强"), ("豪豪", "周子豪"),
])
def test_relatives_of_relatives_are_called(whom: str, person: str) -> None:
    assert _called(f"给{whom}打个电话") == {person}


@pytest.mark.parametrize("whom", ["豪豪的老师", "强子的同学", "老王的儿子", "老王家媳妇", "王建国老伴", "豪豪老师", "小玲她婆婆", "晓晓的男朋友", "豪豪的妹妹"])
def test_whom_the_file_does_not_know_is_never_somebody_else(whom: str) -> None:
    assert _called(f"给{whom}打个电话") == set()


def test_whom_it_cannot_tell_it_asks() -> None:
    assert _called("给晓晓的爸爸打个电话") <= {"谭国强", "谭国富"}
    assert _judged("给晓晓的爸爸打个电话").meaning is None or "person" not in _judged("给晓晓的爸爸打个电话").meaning.slots  # type: ignore[union-attr]


def test_what_is_told_of_her_son_is_told_to_her() -> None:
    meaning = _judged("告诉玲妹子她儿子发烧了").meaning
    assert meaning is not None
    assert (meaning.intent, meaning.slots.get("person")) == ("message.send", "谭小玲")


REMINDERS = ("明天早上八点取牛奶", "明天下午四点接朵朵")
MEDICINES = ("二甲双胍", "阿司匹林")  # at half past twelve, at eight in the evening


@pytest.mark.parametrize(("options", "said", "which"), [
    (("谭国强", "谭国富"), "大的那个", "谭国强"), (("谭国强", "谭国富"), "大的在出差，小的那个吧", "谭国富"), (("谭国强", "谭国富"), "不是大的", ""),
    (("谭国强", "谭国富"), "大的小的都行", ""), (("谭小玲", "谭国强"), "男的那个", "谭国强"), (("谭小玲", "王建国"), "男的那个", ""),
    (REMINDERS, "后半晌那个", REMINDERS[1]), (REMINDERS, "早上那个", REMINDERS[0]), (REMINDERS, "明天那个", ""),
    (MEDICINES, "晚上吃的那个，不是跟午饭吃的", "阿司匹林"), (MEDICINES, "中午吃的", "二甲双胍"), (MEDICINES, "早上吃的", ""),
])
def test_one_of_a_few_is_described(options: tuple[str, ...], said: str, which: str) -> None:
    assert described(said, options, HOME) == which


@pytest.mark.parametrize(("options", "said", "which"), [
    (("谭国强", "秦小芹"), "找强子媳妇", "秦小芹"), (("谭国强", "谭国富"), "找大的，不对，小的那个", "谭国富"),
    (("谭小玲", "周建平"), "找玲妹子她男人吧", "周建平"),
])
def test_an_answer_may_describe(options: tuple[str, ...], said: str, which: str) -> None:
    judged = _judged(said, "which", options)
    assert [meaning.slots["which"] for meaning in ([judged.meaning] if judged.meaning else judged.nearest)] == [which]
