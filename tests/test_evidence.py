"""The second opinion: what it was taught, and what it may and may not do to the judgement of the phrases."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from assistant.furnish import understander
from assistant.household import load
from assistant.messages import Asking, Hypothesis, Judgement
from assistant.places import sample_household, shipped
from assistant.understand.evidence import Odds, learned
from assistant.understand.judge import Understander
from assistant.understand.reader import read

HERE = Path(__file__).resolve().parent
CORPUS = HERE.parent / "tools" / "corpus"
HOME = load(sample_household())
NOW = datetime(2026, 11, 22, 15, tzinfo=HOME.zone)


def judge(say: str, free: float = 1.0, grammar: str = "") -> Judgement:
    heard = [Hypothesis(say, "free", free), *([Hypothesis(grammar, "grammar", 0.9)] if grammar else [])]
    return understander(HOME).judge(heard, NOW)


def hanzi(text: str) -> str:
    return "".join(char for char in text if "\u3400" <= char <= "\u9fff")


def test_every_file_of_the_corpus_is_an_intent_and_was_learned() -> None:
    names = {path.stem for path in CORPUS.glob("*.txt")}
    book = read(shipped("intents"))
    known = {line.intent for line in book.templates} | {line.intent for line in book.frames}
    assert names - {"nothing", "dialogue.which", "dialogue.when"} <= known  # names and times, which no phrase lists
    assert {name for name in names if not name.startswith("dialogue.")} - {"nothing"} <= set(learned().intents)
    assert "" in learned().intents


def test_no_sentence_that_measures_was_learned() -> None:
    measured = {hanzi(row[0]) for path in (HERE / "bench" / "sentences").glob("*.toml")
                for block in tomllib.loads(path.read_text("utf-8"))["block"] for row in block["rows"]}
    measured |= {hanzi(row["say"]) for path in (HERE / "bench" / "sentences" / "rounds").glob("*.toml")
                 for row in tomllib.loads(path.read_text("utf-8"))["s"]}
    measured |= {hanzi(line) for name in ("home", "cries") for line in (HERE / "bench" / "sentences" / f"{name}.txt").read_text("utf-8").splitlines()}
    taught = {hanzi(line) for path in CORPUS.glob("*.txt") for line in path.read_text("utf-8").splitlines()}
    assert {say for say in measured & taught if len(say) > 8} == set()


@pytest.mark.parametrize(("say", "meant"), [
    ("好久没跟楼下老王聊天了给他拨个电话吧", "call.voice"), ("药先放一放等我看完这一集再说", "medication.snooze"),
    ("我把自己反锁在屋里了火上还坐着锅出不去啊", "emergency.call"), ("小伴这会儿到啥时辰了", "info.time"),
])
def test_what_no_phrase_catches_is_understood_as_a_whole(say: str, meant: str) -> None:
    meaning = judge(say).meaning
    assert meaning is not None
    assert meaning.intent == meant


@pytest.mark.parametrize("say", ["活够了药我都攒好了今晚上一块儿吃了算了", "没事没事我缓过劲了叫他们别跑这一趟"])
def test_what_is_dear_is_asked_and_never_done_by_it_alone(say: str) -> None:
    meaning = judge(say).meaning
    assert meaning is None or meaning.intent == "emergency.call"


@pytest.mark.parametrize(("say", "meant"), [
    ("小白片夜饭吃好就吃脱了呀", "medication.taken"), ("我前头讲的那些个体己话侬揩揩脱", "privacy.forget"), ("明儿那顿饭不用送了俺儿接俺去他家", "booking.cancel"), ("女儿搬回来跟我住了护工那边就给人家退了吧", "booking.cancel"),
])
def test_what_is_dear_is_done_where_the_whole_is_sure(say: str, meant: str) -> None:
    meaning = judge(say).meaning
    assert meaning is not None
    assert meaning.intent == meant


def test_no_cry_hangs_on_a_negation_that_may_be_hidden() -> None:
    meaning = judge("哎哟我这半边胳膊突然不听使唤了嘴也歪了话都讲不清").meaning
    assert meaning is not None
    assert meaning.intent == "emergency.call"


@pytest.mark.parametrize("slurred", ["湖水道理", "午睡到粒", "老头子湖水道理起不来"])
def test_a_slurred_fall_is_one(slurred: str) -> None:
    meaning = judge(slurred).meaning
    assert meaning is not None and (meaning.intent, meaning.slots.get("kind")) == ("emergency.call", "fall")


@pytest.mark.parametrize("say", ["他这人不懂道理", "我午睡到两点才起", "水倒在杯里", "这是谁的道理"])
def test_reason_and_a_nap_are_no_fall(say: str) -> None:
    meaning = judge(say).meaning
    assert meaning is None or meaning.intent != "emergency.call"


@pytest.mark.parametrize("grammar", ["我摔到零", "我摔到零起不来"])
def test_nobody_falls_to_zero(grammar: str) -> None:
    meaning = judge(grammar).meaning
    assert meaning is not None
    assert meaning.intent == "emergency.call"


@pytest.mark.parametrize(("say", "never"), [("那个晚上的药不吃没吃啊", "medication.skip"), ("也不知道大的那片吃没吃啊", "medication.taken")])
def test_who_wonders_whether_tells_nothing(say: str, never: str) -> None:
    meaning = judge(say).meaning
    assert meaning is None or meaning.intent != never


def test_a_no_that_only_sounds_like_one_is_not_lifted_above_the_yes_that_was_said() -> None:
    heard = [Hypothesis("你对没错", "free", 0.75), Hypothesis("一对没错", "free", 0.15), Hypothesis("不对没错", "grammar", 0.73), Hypothesis("你对没错", "grammar", 0.04)]
    meaning = understander(HOME).judge(heard, NOW, "yes_no").meaning
    assert meaning is not None
    assert meaning.intent == "dialogue.yes"


def test_what_only_the_grammar_writes_is_no_opinion_of_the_sentence() -> None:
    assert judge("外面好像下雨了", 0.9, "外面好像下去了").meaning is None


def test_an_intent_that_was_never_taught_is_left_as_it_is() -> None:
    assert Odds({"": 6.0, "info.time": -6.0}, "").judged("garden.water", 0.9) == 0.9


def test_without_a_second_opinion_the_phrases_still_judge() -> None:
    alone = Understander(HOME, read(shipped("intents")), lambda said: Odds({}, ""))
    meaning = alone.judge([Hypothesis("给我女儿打个电话")], NOW).meaning
    assert meaning is not None
    assert meaning.intent == "call.voice"


@pytest.mark.parametrize("of_another", ["我大姐药还没吃", "隔壁那孩子药都没吃"])
def test_a_guard_holds_for_an_intent_that_was_never_taught(of_another: str) -> None:
    alone = Understander(HOME, read(shipped("intents")), lambda said: Odds({}, ""))
    assert alone.judge([Hypothesis(of_another)], NOW).meaning is None


@pytest.mark.parametrize(("to_us", "to_her"), [("喂给敏敏打个电话", "喂敏敏啊我听着呢你慢慢讲"), ("喂跟我儿子视频一下", "喂强子啊我药吃了你放心")])
def test_who_greets_somebody_on_the_telephone_is_not_talking_to_us(to_us: str, to_her: str) -> None:
    meaning = judge(to_us).meaning
    assert meaning is not None
    assert meaning.intent.startswith("call.")
    assert judge(to_her).meaning is None


def beside(question: Asking, say: str) -> Judgement:
    return understander(HOME).judge([Hypothesis(say)], NOW, question)


@pytest.mark.parametrize(("question", "cry"), [
    ("dose", "哎哟我这半边身子一下没劲了嘴也歪了"), ("dose", "灶上起火苗了窗帘都烧着了"), ("when", "我摔在厕所里爬不起来"),
    ("yes_no", "我喘不上气来了快来人"), ("text", "心口跟石头压着似的出不来气"),
])
def test_a_cry_is_heard_beside_any_question(question: Asking, cry: str) -> None:
    meaning = beside(question, cry).meaning
    assert meaning is not None
    assert meaning.intent == "emergency.call"


@pytest.mark.parametrize("murmur", ["呃那个", "就是说呢那个", "那个这个呃"])
def test_fillers_alone_answer_nothing(murmur: str) -> None:
    questions: tuple[Asking, ...] = ("dose", "yes_no", "emergency")
    for question in questions:
        assert beside(question, murmur).meaning is None, question


def test_a_dose_does_not_rest_on_a_word_that_only_sounds_a_little_like_eaten() -> None:
    assert beside("dose", "药嘛吃的那").meaning is None
    meaning = beside("dose", "药嘛吃了").meaning
    assert meaning is not None
    assert meaning.intent == "medication.taken"


@pytest.mark.parametrize(("own", "of_others"), [
    ("我不想麻烦孩子们可我胸口闷得要死人了", "电视里那个老头说胸口闷得要死人了"),
    ("邻居摔了我也摔了起不来了", "邻居昨天摔了说是起不来了"),
])
def test_who_speaks_of_others_may_still_cry_for_himself(own: str, of_others: str) -> None:
    meaning = judge(own).meaning
    assert meaning is not None
    assert meaning.intent == "emergency.call"
    assert judge(of_others).meaning is None


BOTH = ("刘敏", "刘强")


@pytest.mark.parametrize(("question", "options", "say", "meant"), [
    ("which", BOTH, "就找强子吧他离得近些", {"which": "刘强"}), ("which", BOTH, "不是敏敏是我儿子", {"which": "刘强"}),
    ("which", (*BOTH, "刘小军"), "不是敏敏", None), ("which", BOTH, "敏敏上个月给我织了条围巾可暖和了", None), ("which", BOTH, "第一锅馒头蒸出来都是给你们留的", None),
    ("which", BOTH, "第一个，哦不，第二个", {"which": "刘强"}), ("which", BOTH, "不是第一个，是第二个", {"which": "刘强"}),
    ("which", BOTH, "头一个，不是，第二个", {"which": "刘强"}), ("which", BOTH, "第二个吧，第一个太远", {"which": "刘强"}), ("which", BOTH, "不要第一个", {"which": "刘强"}),
    ("which", BOTH, "第一个太好了就他", {"which": "刘敏"}), ("which", BOTH, "第一个不是我闺女吗", {"which": "刘敏"}), ("which", (*BOTH, "刘小军"), "不要第一个", None), ("which", BOTH, "第一个第二个都行", None),
    ("when", (), "那就下午四点钟吧", {"when": datetime(2026, 11, 22, 16)}), ("when", (), "那年我五点就下地割麦子去了", None),
    ("when", (), "昨天晚上八点我都躺下了", None), ("evidence", (), "对门那屋子空了好些年没人住咯", None),
])
def test_only_an_answer_answers(question: Asking, options: tuple[str, ...], say: str, meant: dict[str, object] | None) -> None:
    judged = understander(HOME).judge([Hypothesis(say)], NOW, question, options)
    if meant is None:
        assert judged.meaning is None
    else:
        assert judged.meaning is not None
        assert dict(judged.meaning.slots) == meant


@pytest.mark.parametrize(("question", "say"), [("text", "让我想想怎么讲合适"), ("yes_no", "我得合计合计"), ("which", "容我想一下是哪个")])
def test_thinking_aloud_keeps_the_question_open(question: Asking, say: str) -> None:
    meaning = understander(HOME).judge([Hypothesis(say)], NOW, question, BOTH).meaning
    assert meaning is not None
    assert meaning.intent == "dialogue.wait"


@pytest.mark.parametrize(("asking", "say", "meant"), [
    ("dose", "没吃，不对，吃了", "medication.taken"), ("dose", "吃了，哦不，还没吃呢", "medication.not_taken"),
    ("dose", "谁说我没吃，吃了", "medication.taken"), ("dose", "刚才喝粥那会儿，我顺嘴就送下去了", "medication.taken"),
    ("dose", "吃啦", "medication.taken"), ("dose", "喝啦", "medication.taken"), ("dose", "咽啦", "medication.taken"), ("dose", "吃咯", "medication.taken"),
    ("dose", "等我把这集看完再说", "medication.snooze"), ("yes_no", "先不要，等我问过闺女再说", "dialogue.no"),
    ("evidence", "就剩个盖子", "dialogue.empty"), ("evidence", "药压着药，好几颗", "dialogue.full"), ("evidence", "没有空呀，你看", "dialogue.full"),
])
def test_a_question_makes_its_answers_likelier(asking: Asking, say: str, meant: str) -> None:
    meaning = understander(HOME).judge([Hypothesis(say)], NOW, asking).meaning
    assert meaning is not None
    assert meaning.intent == meant


@pytest.mark.parametrize(("asking", "say", "never"), [
    (None, "早上咯药我还描吃咧", "medication.taken"), (None, "药都冇拆封，你莫给我记成吃了的", "medication.taken"), (None, "胰岛素忘打了", "medication.taken"),
    ("dose", "今朝药覅吃了", "medication.taken"), ("dose", "刚吃了柿子，药得隔一个钟头吃", "medication.taken"),
    ("emergency", "不是按错，是我按的，救我", "emergency.cancel"), (None, "求救", "emergency.drill"),
])
def test_what_is_dear_is_not_done_by_half_a_word(asking: Asking | None, say: str, never: str) -> None:
    meaning = understander(HOME).judge([Hypothesis(say)], NOW, asking).meaning
    assert meaning is None or meaning.intent != never


@pytest.mark.parametrize("say", ["老头子吃饺子噎住了，脸发紫", "邻居老李倒在楼道里，没反应，快叫人", "紧急呼叫"])
def test_a_cry_for_another_is_one(say: str) -> None:
    meaning = judge(say).meaning
    assert meaning is not None
    assert meaning.intent == "emergency.call"


@pytest.mark.parametrize(("asking", "say", "meant"), [
    ("yes_no", "嗯，让我琢磨琢磨，行吧", "dialogue.yes"), ("yes_no", "容我想一想啊，不要了", "dialogue.no"), ("dose", "我想想看，哦，吃了", "medication.taken"),
    ("text", "算了，也没啥要紧的，不捎了", "dialogue.no"), ("yes_no", "我再想想", "dialogue.wait"),
])
def test_what_is_decided_after_thinking_aloud_counts(asking: Asking, say: str, meant: str) -> None:
    meaning = understander(HOME).judge([Hypothesis(say, "free")], NOW, asking).meaning
    assert meaning is not None and meaning.intent == meant


@pytest.mark.parametrize("breath", ["你", "唔", "呐"])
def test_good_with_a_breath_before_it_is_a_yes_but_not_in_cantonese(breath: str) -> None:
    heard = [Hypothesis(f"{breath}好", "free", 0.6), Hypothesis("唔好", "free", 0.4)]
    meaning = understander(HOME).judge(heard, NOW, "yes_no").meaning
    cantonese = replace(HOME, elder=replace(HOME.elder, accent="广东"))
    refused = understander(cantonese).judge([Hypothesis("唔好", "free")], NOW, "yes_no").meaning
    assert (meaning and meaning.intent, refused and refused.intent) == ("dialogue.yes", "dialogue.no")


@pytest.mark.parametrize("say", ["大冬天的，被窝里真起不来", "我早上起不来，那么早干啥"])
def test_who_sleeps_late_has_not_fallen(say: str) -> None:
    meaning = judge(say).meaning
    assert meaning is None or meaning.intent != "emergency.call"


def test_a_guard_lets_ask_what_is_likely() -> None:
    judgement = judge("老姐妹约我听戏，我怕误点，出门前就把粉色胶囊吃了")
    assert judgement.meaning is None
    assert [near.intent for near in judgement.nearest] == ["medication.taken"]


@pytest.mark.parametrize("say", ["要是觉得半边身子发麻，一定要打一二零", "要是胸口闷得慌，记得赶紧打一二零", "要是我哪天摔倒了起不来，这屋里可没人晓得"])
def test_advice_is_no_cry(say: str) -> None:
    judgement = judge(say)
    assert judgement.meaning is None
    assert not judgement.nearest
