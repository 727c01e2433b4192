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


RELATIVES = _home(
    ("何向东", "外甥", "东娃"), ("梅春燕", "侄女", "燕子"), ("唐可欣", "侄孙女", "可可"), ("乔文斌", "侄儿", "斌斌"), ("白秀兰", "侄媳妇", "秀兰"),
    ("贾雯", "孙媳妇", "雯雯"), ("武鹏", "孙子", "鹏鹏"), ("邱雅琴", "继女", ""), ("葛福生", "连襟", ""), ("杨立新", "小舅子", ""), ("侯改梅", "亲家母", ""),
    ("唐勇", "干儿子", "勇娃"), ("唐果果", "干孙女", "果果"), ("冉启芬", "姐姐", ""), ("梁志刚", "儿子", "志刚"), ("秦小芹", "儿媳", "小芹"),
    ("罗长山", "老战友", ""), ("孟晓光", "学生", ""), ("周勇", "徒弟", ""), ("郭娟", "网格员", ""), ("汪志远", "楼上房客", "小汪"), ("彭素琴", "楼下邻居", "彭嬢"),
    ("杨素华", "老同事", "对门杨家"), ("曹桂花", "保姆", ""), ("范一鸣", "志愿者", ""),
)


@pytest.mark.parametrize(("whom", "person"), [
    ("我姐姐屋头那个娃儿", "何向东"), ("我大姐她儿子", "何向东"), ("我妹妹的儿子", "何向东"), ("家姐个仔", "何向东"), ("我妹子屋里的小子", "何向东"), ("我妹妹的女儿", ""),
    ("我老弟那个女", "梅春燕"), ("我弟弟的女儿", "梅春燕"), ("我弟弟女儿", "梅春燕"), ("额哥的那个女子", "梅春燕"), ("阿拉阿哥伊囡", "梅春燕"), ("我细佬个女", "梅春燕"),
    ("我弟弟的儿子", "乔文斌"), ("我哥屋里的小子", "乔文斌"), ("我老弟那个伢", ""), ("我弟弟儿子的媳妇", "白秀兰"), ("斌斌的老婆", "白秀兰"),
    ("我哥哥的孙囡", "唐可欣"), ("我弟弟的孙女", "唐可欣"), ("我哥哥的孙子", ""), ("鹏鹏媳妇", "贾雯"), ("雯雯她男人", "武鹏"), ("我孙子的堂客", "贾雯"),
    ("老太婆带过来的那个囡", "邱雅琴"), ("我女儿", "邱雅琴"), ("我小姨子的男人", "葛福生"), ("我老伴的弟弟", "杨立新"), ("额婆娘她弟", "杨立新"),
    ("志刚的丈母娘", "侯改梅"), ("志刚他老丈人", ""), ("果果她老汉儿", "唐勇"), ("果果阿爸", "唐勇"), ("我干儿子的女儿", "唐果果"), ("果果阿妈", ""),
    ("志刚伊家主婆", "秦小芹"), ("讨小芹做娘子的那个", "梁志刚"), ("嫁给我儿子的那个", "秦小芹"), ("嫁给志刚的那个", "秦小芹"), ("我姐姐", "冉启芬"),
    ("我弟弟的同学", ""), ("我弟弟的女同事", ""), ("我儿子那个小子", "梁志刚"), ("鹏鹏的爷爷", ""),
])
def test_a_relative_is_told_by_one_whom_the_file_does_not_know(whom: str, person: str) -> None:
    judged = understander(RELATIVES).judge((Hypothesis(f"给{whom}打个电话"),), datetime(2026, 11, 22, 15, tzinfo=HOME.zone))
    meanings = [judged.meaning] if judged.meaning else list(judged.nearest)
    assert {str(meaning.slots.get("person", "")) for meaning in meanings} == {person}


@pytest.mark.parametrize(("whom", "person"), [
    ("跟我一个班扛过枪的那个老伙计", "罗长山"), ("一个战壕里滚出来的那个", "罗长山"), ("当年一起当兵的老弟兄", "罗长山"), ("我教过的那个学生", "孟晓光"), ("我教过的那个徒弟", "周勇"),
    ("跟我学手艺的那个小伙子", "周勇"), ("以前我班上的那个班长", "孟晓光"), ("管我们楼的那个网格员", "郭娟"), ("管阿拉弄堂的那个小姑娘", "郭娟"), ("楼上租房子的小青年", "汪志远"),
    ("楼下租房子的小青年", ""), ("楼上的邻居", ""), ("楼下的邻居", "彭素琴"), ("住楼下的那个嬢嬢", "彭素琴"), ("住楼上的那个嬢嬢", ""), ("住对门的老姐妹", "杨素华"),
    ("以前跟我一个车间的老姐妹", "杨素华"), ("跟我一个班读过书的", ""), ("照顾我的那个阿姨", "曹桂花"), ("经常来陪我说话的那个大学生", "范一鸣"),
])
def test_others_are_told_by_what_they_were(whom: str, person: str) -> None:
    judged = understander(RELATIVES).judge((Hypothesis(f"给{whom}打个电话"),), datetime(2026, 11, 22, 15, tzinfo=HOME.zone))
    meanings = [judged.meaning] if judged.meaning else list(judged.nearest)
    assert {str(meaning.slots.get("person", "")) for meaning in meanings} == {person}


@pytest.mark.parametrize("text", ["晓晓刚打来我没接着，打回去", "我没听清，你再讲一遍", "我接了个电话"])
def test_what_only_sounds_like_a_sister_is_none(text: str) -> None:
    assert "谭秀" not in _called(text)


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
