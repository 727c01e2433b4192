"""Whose husband, mother or boy is meant, and which of a few is described."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from assistant.furnish import understander
from assistant.home import Contact, Household, Medicine, Service
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
    (("谭国强", "谭国富"), "大的那个", "谭国强"), (("谭国强", "谭国富"), "大的在出差，小的那个吧", "谭国富"), (("谭国强", "谭国富"), "不是大的", "谭国富"),
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


CHOOSING = replace(
    SAMPLE,
    family=tuple(Contact(name, relation, (nick,) if nick else (), notify=("家",)) for name, relation, nick in (
        ("周丽", "大女儿", "丽丽"), ("周倩", "小女儿", "倩倩"), ("刘强", "儿子", "强子"), ("刘小军", "孙子", "小军"), ("卢晓蓉", "养女", "蓉儿"), ("唐勇", "干儿子", "勇娃"),
        ("罗小川", "侄孙", "川川"), ("罗长山", "老战友", ""), ("秦小芹", "儿媳", "小芹"), ("乔文斌", "侄儿", "斌斌"), ("何向东", "外甥", ""),
    )),
    medicines=(
        *SAMPLE.medicines, Medicine("氧氟沙星滴耳液", ("耳药水", "滴耳朵的"), "白色软瓶", "五滴"), Medicine("沙丁胺醇", ("喷的药", "喷雾"), "蓝色喷雾罐", "一喷"),
        Medicine("沙美特罗替卡松", ("吸的粉",), "紫色圆盘", "一吸"), Medicine("川贝枇杷膏", ("枇杷膏", "咳嗽糖浆"), "棕色黏糖浆"), Medicine("氯吡格雷", ("波立维",), "粉色圆药片"),
    ),
    services=(
        *SAMPLE.services, Service("补漏", ("修屋顶", "捉漏")), Service("换灯泡", ("换灯管",)), Service("陪散步", ("推轮椅", "陪我荡荡")), Service("代办", ("跑腿", "代缴费")),
        Service("修脚", ("剪脚趾甲",)), Service("送水", ("桶装水",)), Service("缝补", ("改裤脚", "换拉链")),
    ),
)


@pytest.mark.parametrize(("options", "said", "which"), [
    (("刘强", "刘小军"), "爷俩里头我要那个小的，不是他老子", "刘小军"), (("刘强", "刘小军"), "年轻的那个", "刘小军"), (("刘强", "刘小军"), "老的那个，不是小的", "刘强"),
    (("刘强", "刘小军"), "不是小的那个", "刘强"), (("周丽", "周倩"), "丽丽上班呢，别磨叽她了，找她妹", "周倩"), (("周丽", "周倩"), "丽丽上班呢", ""),
    (("周丽", "刘强"), "强子开会，叫他姐", "周丽"), (("刘强", "秦小芹"), "强子开会，找他媳妇", "秦小芹"), (("刘强", "刘小军"), "强子忙，找他儿子吧", "刘小军"),
    (("周丽", "周倩"), "大的不急，小的那个", "周倩"), (("周丽", "周倩"), "倩倩今天值班，丽丽吧", "周丽"), (("周丽", "周倩"), "丽丽上班，倩倩也上班", ""),
    (("卢晓蓉", "唐勇"), "就是从小在我屋头长大的那个女娃儿嘛", "卢晓蓉"), (("刘强", "罗长山"), "跟我一个战壕里头滚出来的，你晓得的咧", "罗长山"),
    (("罗小川", "唐勇"), "我干儿子那边嘛，侄孙要上班", "唐勇"), (("刘强", "周倩"), "上回给我买棉鞋的，哦不，棉鞋是强子买的，我要的是倩倩", "周倩"),
    (("乔文斌", "周丽"), "我弟弟的儿子，不是那个姑娘伢", "乔文斌"), (("乔文斌", "何向东"), "不是我弟弟的儿子，是我姐姐的", "何向东"), (("刘强", "周丽"), "讨小芹做娘子的那个呀", "刘强"),
])
def test_a_person_is_chosen_by_what_is_said_of_him(options: tuple[str, ...], said: str, which: str) -> None:
    judged = understander(CHOOSING).judge((Hypothesis(said),), datetime(2026, 11, 22, 15, tzinfo=HOME.zone), "which", options)
    assert (judged.meaning.slots["which"] if judged.meaning else "") == which


EAR, INHALED, SPRAYED, SYRUP = "氧氟沙星滴耳液", "沙美特罗替卡松", "沙丁胺醇", "川贝枇杷膏"


@pytest.mark.parametrize(("options", "said", "which"), [
    ((SYRUP, INHALED), "不是喝的，是吸的那个", INHALED), ((SYRUP, INHALED), "不是吸的是喝的那个", SYRUP), ((SPRAYED, EAR), "往耳朵里滴的，不是往嘴里喷的", EAR),
    ((SPRAYED, EAR), "往嘴里喷的不是往耳朵里滴的", SPRAYED), ((SPRAYED, EAR), "不是喷的", EAR), (("二甲双胍", "氯吡格雷"), "装了支架以后大夫给加的，粉的那个圆片儿", "氯吡格雷"),
    (("缬沙坦", "二甲双胍"), "唔系血压嗰只，系另外嗰只", "二甲双胍"), (("缬沙坦", "二甲双胍", "布洛芬"), "唔系血压嗰只", ""), (("缬沙坦", "布洛芬"), "粉的不要了，橙的", "布洛芬"),
    (("二甲双胍", "阿司匹林"), "不是大的，小的那个", "阿司匹林"), (("二甲双胍", "阿司匹林"), "不是大的小的那个", "阿司匹林"), (("二甲双胍", "阿司匹林"), "不是小的那个，大的", "二甲双胍"),
    (("缬沙坦", "二甲双胍"), "隔壁阿婆血糖高住了院，脚上老大一个洞", ""), (("二甲双胍", "阿司匹林"), "大夫说要多晒太阳", ""),
    (("代办", "送水"), "就是帮我去缴气费的那个嘛", "代办"), (("保洁", "理发", "护工"), "腰弯不下去，地板好几天没抹了，喊抹地板那个", "保洁"),
    (("修脚", "理发"), "脚趾甲厚得跟铁板样，我自己剪不动，就要那个", "修脚"), (("换灯泡", "补漏", "保洁"), "屋顶漏水那桩呀，灯泡先不急", "补漏"),
    (("换灯泡", "补漏", "保洁"), "漏雨先不急，灯泡不亮了那桩", "换灯泡"), (("陪散步", "理发"), "推轮椅出去荡的那个", "陪散步"), (("缝补", "送水"), "裤脚太长了，要改短的那个", "缝补"),
    (("理发", "护工"), "不是剃头的", "护工"), (("保洁", "理发", "护工"), "不是剃头的，也不是搞卫生的", "护工"), (("理发", "修脚"), "剃头的那个老刘，前年就搬走了", ""),
])
def test_a_thing_is_chosen_by_all_that_is_known_of_it(options: tuple[str, ...], said: str, which: str) -> None:
    judged = understander(CHOOSING).judge((Hypothesis(said),), datetime(2026, 11, 22, 15, tzinfo=HOME.zone), "which", options)
    assert (judged.meaning.slots["which"] if judged.meaning else "") == which


@pytest.mark.parametrize("said", ["强子给他媳妇打电话呢", "老王跟他儿子视频呢莫吵", "小玲给她婆婆发了个信息"])
def test_who_speaks_to_his_own_is_not_called(said: str) -> None:
    assert _called(said) == set()


@pytest.mark.parametrize(("said", "asking", "intent"), [
    ("没忘吃过啦", "dose", "medication.taken"), ("没漏吃过了", "dose", "medication.taken"), ("一百四的血压算不算高嘛大夫", None, ""),
    ("吃药没得妈", None, ""), ("定个闹钟你不会啊手机上点一下", None, ""),
])
def test_what_is_not_forgotten_is_taken_and_what_is_said_to_others_theirs(said: str, asking: Asking | None, intent: str) -> None:
    meaning = _judged(said, asking).meaning
    assert (meaning.intent if meaning else "") == intent
