"""Hypotheses in, judgement out: what is acted on, what is asked back, what is left alone."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pytest

from assistant.home import Contact
from assistant.household import load
from assistant.messages import Hypothesis, Judgement, Meaning
from assistant.places import sample_household, shipped
from assistant.understand import confidence
from assistant.understand.judge import Understander
from assistant.understand.phrasebook import Phrasebook, PhrasebookError
from assistant.understand.reader import read
from assistant.understand.sound import accents

HOME = load(sample_household())
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=HOME.zone)


@lru_cache(maxsize=1)
def book() -> Phrasebook:
    return read(shipped("intents"))


@lru_cache(maxsize=16)
def mind(accent: str | None = None) -> Understander:
    home = HOME if accent is None else replace(HOME, elder=replace(HOME.elder, accent=accent))
    return Understander(home, book())


def judge(say: str, asking: str | None = None, options: tuple[str, ...] = ()) -> Judgement:
    return mind().judge([Hypothesis(say)], NOW, asking, options)  # type: ignore[arg-type]


def heard(free: str, grammar: str, asking: str | None = None) -> Judgement:
    return mind().judge([Hypothesis(free, "free"), Hypothesis(grammar, "grammar")], NOW, asking)  # type: ignore[arg-type]


def intent(judged: Judgement) -> str | None:
    return judged.meaning.intent if judged.meaning else None


def slots(judged: Judgement) -> dict[str, object]:
    return dict(judged.meaning.slots) if judged.meaning else {}


def family(*contacts: Contact) -> Understander:
    return Understander(replace(HOME, family=contacts), book())


# --- polarity -----------------------------------------------------------------------------------------------------

OPPOSITES = [
    ("我吃过药了", "我没吃药", "medication.taken"), ("我吃药了", "我还没吃药", "medication.taken"), ("药吃完了", "药没吃", "medication.taken"), ("降压药我吃了", "降压药我没吃", "medication.taken"),
    ("降压药吃过了", "降压药不吃了", "medication.taken"), ("给女儿打电话", "别给女儿打电话", "call.voice"), ("给女儿打电话", "不要给女儿打电话", "call.voice"),
    ("叫救护车", "别叫救护车", "emergency.call"), ("着火了", "没着火", "emergency.call"), ("我摔倒了", "我没摔倒", "emergency.call"), ("我头晕", "我头不晕", "emergency.call"), ("胸口疼", "胸口不疼", "emergency.call"),
    ("提醒我八点关火", "别提醒我关火", "reminder.add"), ("约个理发", "不约理发了", "booking.create"),
]


@pytest.mark.parametrize("accent", accents())
@pytest.mark.parametrize(("yes", "no", "meant"), OPPOSITES)
def test_no_accent_turns_a_sentence_round(accent: str, yes: str, no: str, meant: str) -> None:
    minds = mind(accent)
    assert [intent(minds.judge([Hypothesis(say)], NOW)) == meant for say in (yes, no)] == [True, False]


@pytest.mark.parametrize("free", ["没吃过药了", "我没吃过药", "没吃药"])
def test_decoders_of_opposite_polarity_are_asked_back(free: str) -> None:
    judged = heard(free, "我吃过药了")
    assert (judged.meaning, "medication.taken" in {near.intent for near in judged.nearest}) == (None, True) or intent(judged) == "medication.not_taken"


@pytest.mark.parametrize("wrong", ["每吃药", "美吃过药", "我每吃药了"])
def test_a_syllable_that_may_be_not_is_never_taken_as_yes(wrong: str) -> None:
    assert intent(judge(wrong)) != "medication.taken"


@pytest.mark.parametrize("asking", [None, "dose"])
@pytest.mark.parametrize("said", ["没吃过药了", "没有吃过药了", "没吃过了", "没服过药了"])
def test_an_impossible_not_is_asked_back_between_both(said: str, asking: str | None) -> None:
    judged = judge(said, asking)
    assert (judged.meaning, {near.intent for near in judged.nearest}) == (None, {"medication.taken", "medication.not_taken"})


def test_hypotheses_of_one_decoder_that_differ_in_not_are_asked_back() -> None:
    judged = mind().judge([Hypothesis("我吃药了", "free", 0.4), Hypothesis("没吃药", "free", 0.35)], NOW)
    assert (judged.meaning, {near.intent for near in judged.nearest}) == (None, {"medication.taken", "medication.not_taken"})


# --- sound --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "meant"), [
    ("给你儿打电话", "call.voice"), ("降鸭药我持过了", "medication.taken"), ("二甲声挂我吃过了", "medication.taken"), ("我帅到了起不来", "emergency.call"), ("提星我八点关火", "reminder.add"),
    ("给闺旅打电化", "call.voice"), ("约个里发", "booking.create"), ("再说一变", "control.repeat"), ("雪压一百四九十", "diary.record"),
])
def test_homophones_do_not_matter(said: str, meant: str) -> None:
    assert intent(judge(said)) == meant


def test_a_nickname_is_found_by_sound() -> None:
    assert slots(judge("给民民打电话"))["person"] == "刘敏"


# --- two decoders ---------------------------------------------------------------------------------------------------


def test_a_grammar_text_unlike_the_free_one_is_not_believed() -> None:
    assert heard("今天天气怎么样", "今天吃过药了") == Judgement(None)


def test_a_grammar_text_near_a_broken_free_one_is_believed() -> None:
    assert intent(heard("给女而打店话八", "给女儿打电话吧")) == "call.voice"


def test_a_short_cry_heard_by_the_grammar_alone_is_asked_and_not_sent() -> None:
    judged = heard("就名", "救命")
    assert intent(judged) != "emergency.call" or heard("任命", "救命").meaning is None


def test_a_cry_both_decoders_heard_is_acted_on() -> None:
    assert intent(heard("救命", "救命")) == "emergency.call"


CLEANING = [
    ("家里太脏了明天上午九点部队十点找个人来打扫卫生", "free", 0.3377), ("家里太脏了明天上午九点不对十点找个人来打扫卫生", "free", 0.3129),
    ("家里太脏了明天上午九点部队时点找个人来打扫卫生", "free", 0.1411), ("家里太脏了明天上午九点不对时点找个人来打扫卫生", "free", 0.1308),
    ("小李太脏了明天上午九点部队十点找个人来打扫卫生", "free", 0.0775), ("家里太脏了明天上午九点不对十点找个人来打扫卫生", "grammar", 0.6805),
    ("家里太脏了明天上午九点不对十点叫个人来打扫卫生", "grammar", 0.2517), ("家里太脏量明天上午九点不对十点找个人来打扫卫生", "grammar", 0.0674),
]
"""What both decoders heard of tests/clips/day/cleaning.opus."""
ENDS = [*CLEANING[:5], ("十点找个人来打扫卫生", "grammar", 0.68)]
"""The same where the grammar left the beginning unexplained."""


@pytest.mark.parametrize("hypotheses", [CLEANING, ENDS, CLEANING[:1], CLEANING[1:2], CLEANING[4:5], CLEANING[:2] + CLEANING[5:6]])
def test_a_corrected_time_keeps_the_day_said_before(hypotheses: list[tuple[str, str, float]]) -> None:
    judged = mind().judge([Hypothesis(*one) for one in hypotheses], NOW.replace(hour=11))  # type: ignore[arg-type]
    assert slots(judged) == {"service": "保洁", "when": datetime(2026, 11, 23, 10)}


@pytest.mark.parametrize("hypotheses", [CLEANING[2:3], CLEANING[3:4], CLEANING[2:4]])
def test_a_time_taken_back_for_one_not_understood_is_left_to_be_asked(hypotheses: list[tuple[str, str, float]]) -> None:
    judged = mind().judge([Hypothesis(*one) for one in hypotheses], NOW.replace(hour=11))  # type: ignore[arg-type]
    assert "when" not in slots(judged)


@pytest.mark.parametrize(("say", "when"), [
    ("我要洗澡星期二不得星期三上午九点叫护工", datetime(2026, 11, 25, 9)), ("星期二部队星期三上午九点叫护工来给我洗澡", datetime(2026, 11, 25, 9)),
    ("叫护工明天上午九点伴来给我洗澡", datetime(2026, 11, 23, 9, 30)),
])
def test_what_takes_back_or_halves_a_time_is_known_by_its_sound(say: str, when: datetime) -> None:
    assert slots(mind().judge([Hypothesis(say)], NOW))["when"] == when


@pytest.mark.parametrize("say", ["明天九点办护照提醒我", "星期二舍不得走星期三提醒我去银行", "九点班车来接我"])
def test_what_only_looks_so_is_left_alone(say: str) -> None:
    assert mind().explain([Hypothesis(say)], NOW).heard[0].said.text == say


@pytest.mark.parametrize("say", ["那就这样，我挂了啊", "行，先挂了吧，锅里饭要糊了", "好了好了挂了吧"])
def test_beside_a_call_one_hangs_up_and_does_nothing_else(say: str) -> None:
    assert intent(mind().judge([Hypothesis(say)], NOW, "talk")) == "call.hang_up"
    for other in ("药吃了，强子，你放心上班", "血压啊，早上量的一百三十八，八十二", "你先别挂，我还有话"):
        assert mind().judge([Hypothesis(other)], NOW, "talk").meaning is None
    assert intent(mind().judge([Hypothesis("我摔倒了起不来了")], NOW, "talk")) == "emergency.call"


@pytest.mark.parametrize("scores", [(0.5, 0.45), (0.4, 0.4)])
def test_hypotheses_that_hear_two_times_give_none(scores: tuple[float, float]) -> None:
    judged = mind().judge([Hypothesis("明天早上四点提醒我去医院", "free", scores[0]), Hypothesis("明天早上十点提醒我去医院", "free", scores[1])], NOW)
    assert (intent(judged), "when" in slots(judged)) == ("reminder.add", False)


def test_hypotheses_that_hear_two_people_are_asked_back() -> None:
    judged = mind().judge([Hypothesis("给女儿打电话", "free", 0.5), Hypothesis("给孙子打电话", "free", 0.45)], NOW)
    assert ("person" in slots(judged), {near.slots["person"] for near in judged.nearest}) == (False, {"刘敏", "刘小军"})


# --- shape of speech ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "slot", "value"), [
    ("给我儿子不对给我女儿打电话", "person", "刘敏"), ("提醒我八点不对九点关火", "when", datetime(2026, 11, 22, 21, 0)), ("降糖药哦不降压药我吃过了", "medicine", "缬沙坦"),
    ("约个保洁说错了约个理发", "service", "理发"), ("血压一百五不对一百四九十", "systolic", 140),
])
def test_the_word_after_a_correction_counts(said: str, slot: str, value: object) -> None:
    assert slots(judge(said))[slot] == value


def test_the_rest_of_the_sentence_is_what_to_remember() -> None:
    assert slots(judge("提醒我明天八点关火")) == {"when": datetime(2026, 11, 23, 8, 0), "what": "关火"}


def test_a_message_is_what_comes_after_the_person() -> None:
    assert slots(judge("跟我闺女说我今天不回去吃饭了")) == {"person": "刘敏", "message": "我今天不回去吃饭了"}


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "medicine"), [("粉色那个我吃过了", "缬沙坦"), ("管血压的药吃了", "缬沙坦"), ("治糖尿病的药我吃过了", "二甲双胍"), ("双胍我吃了", "二甲双胍"), ("血压药我吃过了", "缬沙坦")])
def test_a_medicine_goes_by_purpose_and_looks(said: str, medicine: str) -> None:
    assert slots(judge(said)).get("medicine") == medicine


def test_two_daughters_are_asked_about() -> None:
    judged = family(Contact("刘敏", "大女儿"), Contact("刘芳", "小女儿")).judge([Hypothesis("给女儿打电话")], NOW)
    assert (slots(judged), [near.slots["person"] for near in judged.nearest]) == ({}, ["刘敏", "刘芳"])


def test_a_rank_chooses_between_two_daughters() -> None:
    assert slots(family(Contact("刘敏", "大女儿"), Contact("刘芳", "小女儿")).judge([Hypothesis("给小闺女打电话")], NOW)) == {"person": "刘芳"}


def test_a_relation_nobody_here_has_leaves_the_slot_open() -> None:
    judged = judge("给我侄女打个电话")
    assert (intent(judged), slots(judged)) == ("call.voice", {})


def test_a_white_pill_is_one_of_two() -> None:
    judged = judge("白色那个我吃过了")
    assert {near.slots.get("medicine") for near in judged.nearest} == {"二甲双胍", "阿司匹林"}


# --- open questions ---------------------------------------------------------------------------------------------------

BOTH = ("刘敏", "刘强")


@pytest.mark.parametrize(("said", "asking", "options", "meant"), [
    ("嗯", "dose", (), ("dialogue.yes", {})), ("吃了", "dose", (), ("medication.taken", {})), ("还没", "dose", (), ("medication.not_taken", {})), ("等会儿", "dose", (), ("medication.snooze", {"duration": timedelta(minutes=10)})),
    ("第一个", "which", BOTH, ("dialogue.which", {"which": "刘敏"})), ("儿子那个", "which", BOTH, ("dialogue.which", {"which": "刘强"})), ("后面那个", "which", BOTH, ("dialogue.which", {"which": "刘强"})), ("敏敏", "which", BOTH, ("dialogue.which", {"which": "刘敏"})),
    ("明天下午三点", "when", (), ("dialogue.when", {"when": datetime(2026, 11, 23, 15, 0)})), ("后天吧", "when", (), ("dialogue.when", {"when": date(2026, 11, 24)})),
    ("空了", "evidence", (), ("dialogue.empty", {})), ("药还在呢", "evidence", (), ("dialogue.full", {})), ("没药了", "evidence", (), ("dialogue.empty", {})), ("还有药", "evidence", (), ("dialogue.full", {})),
    ("我今天不回去吃饭了", "text", (), ("dialogue.text", {"message": "我今天不回去吃饭了"})),
    ("嗯，我想想啊，你就写天冷了多穿点", "text", (), ("dialogue.text", {"message": "天冷了多穿点"})), ("就说饺子留着", "text", (), ("dialogue.text", {"message": "饺子留着"})),
    ("跟他就说好了的", "text", (), ("dialogue.text", {"message": "跟他就说好了的"})), ("算了，不写了", "text", (), ("dialogue.no", {})),
    ("她今天要上班，我不去吵她，还是强子吧", "which", BOTH, ("dialogue.which", {"which": "刘强"})), ("糖尿病那个", "which", ("缬沙坦", "二甲双胍"), ("dialogue.which", {"which": "二甲双胍"})),
    ("半个小时", "when", (), ("dialogue.when", {"duration": timedelta(minutes=30)})), ("那就一刻钟吧", "when", (), ("dialogue.when", {"duration": timedelta(minutes=15)})),
    ("早上我要去买菜，回来还得做饭，就今天晚上七点好了", "when", (), ("dialogue.when", {"when": datetime(2026, 11, 22, 19, 0)})),
])
def test_an_open_question_is_answered_in_its_own_grammar(said: str, asking: str, options: tuple[str, ...], meant: tuple[str, dict[str, object]]) -> None:
    judged = judge(said, asking, options)
    assert (intent(judged), slots(judged)) == meant


@pytest.mark.parametrize("said", ["不", "嗯", "啊", "不用", "好"])
def test_a_bare_word_is_no_cancel_of_an_alarm(said: str) -> None:
    assert intent(judge(said, "emergency")) != "emergency.cancel"


@pytest.mark.parametrize(("said", "meant"), [
    ("降压药是吧，吃过了", "medication.taken"), ("降压药吃过了吗", "medication.query"), ("好像吃了，记不清", "medication.unsure"), ("老头子吃过了", None),
])
def test_what_is_plainly_said_to_be_eaten_is_no_doubt(said: str, meant: str | None) -> None:
    assert intent(judge(said, "dose")) == meant


@pytest.mark.parametrize("said", ["应该是吃了", "记不清了，应该是吃过了", "我不知道，应该是吃了", "大概是吃了", "好像是吃了，哦不，应该是吃了"])
@pytest.mark.parametrize("asking", ["dose", None])
def test_what_should_have_been_eaten_is_not_written_down_as_eaten(said: str, asking: str | None) -> None:
    assert intent(judge(said, asking)) != "medication.taken"


@pytest.mark.parametrize(("said", "wanted"), [
    ("我晕得厉害，你喊他们来一个", True), ("本来不想惊动孩子，还是叫人来吧", True), ("你别喊他们来", False), ("不要叫人来", False), ("刚才是邻居叫人来修灯", False),
])
def test_who_says_that_somebody_shall_come_wants_the_help_that_is_asked_about(said: str, wanted: bool) -> None:
    assert (intent(judge(said, "emergency")) == "emergency.call") == wanted


@pytest.mark.parametrize("said", ["取消呼叫", "我没事不用叫", "按错了"])
def test_a_whole_phrase_cancels_an_alarm(said: str) -> None:
    assert intent(judge(said, "emergency")) == "emergency.cancel"


@pytest.mark.parametrize("asking", ["dose", "yes_no", "which", "when", "evidence", "text"])
def test_distress_gets_through_every_question(asking: str) -> None:
    assert intent(judge("救命啊我摔倒了起不来", asking, BOTH)) == "emergency.call"


def test_another_request_is_understood_while_a_question_is_open() -> None:
    assert intent(judge("给我女儿打个电话", "dose")) == "call.voice"


def test_yes_means_nothing_when_nothing_was_asked() -> None:
    assert judge("嗯是的") == Judgement(None)


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "   ", "hello world what is the time", "12345", "！？。，", "😀" * 50, "abc" * 4000, "的" * 5000, "\x00\ud7ff", "[unk]"])
def test_junk_means_nothing(text: str) -> None:
    assert judge(text).meaning is None


def test_ten_kilobytes_of_junk_take_no_longer_than_a_long_sentence() -> None:
    chance = random.Random(1)
    junk = "".join(chance.choice("我吃药没了给女儿打电话提醒明天八点救命房间天气abc 12") for _ in range(10_000))
    judge("暖一下")
    began = time.process_time()
    judge(junk)
    assert time.process_time() - began < 1.0


def test_no_hypotheses_mean_nothing() -> None:
    assert mind().judge([], NOW) == Judgement(None)


@pytest.mark.parametrize("text", ["提醒我明天8:30關火", "提醒我明天8点30分关火", "提醒我明天八点半关火"])
def test_digits_and_traditional_characters_are_read(text: str) -> None:
    assert slots(judge(text))["when"] == datetime(2026, 11, 23, 8, 30)


def test_two_hundred_nicknames_that_sound_alike_are_asked_back() -> None:
    sounds = "敏民闽皿泯悯珉岷"
    contacts = tuple(Contact(f"刘{sounds[n % 8]}{'一二三四五六七八九十百千万'[n // 16]}", "朋友", (sounds[n % 8] + sounds[n // 8 % 8],)) for n in range(200))
    judged = family(*contacts).judge([Hypothesis("给敏敏打电话")], NOW)
    assert (intent(judged), "person" in slots(judged)) in {("call.voice", False), (None, False)}


# --- the phrasebook ---------------------------------------------------------------------------------------------------


def test_all_mistakes_of_a_phrasebook_are_told_at_once_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[intents."x.y"]\nphrases = ["<nobody>好", "[可以]"]\nframes = ["UNKNOWN"]\n', encoding="utf-8")
    (tmp_path / "b.toml").write_text("[intents\n", encoding="utf-8")
    with pytest.raises(PhrasebookError) as error:
        read(tmp_path)
    assert [word in str(error.value) for word in ("a.toml", "<nobody>", "[可以]", "UNKNOWN", "b.toml", "line 1")] == [True] * 6


def test_a_question_nobody_asks_is_a_mistake_beside_a_guard_and_above_an_answer(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        '[words]\nBYE = ["先挂了"]\n[[guard]]\nname = "telephone"\nwhen = ["BYE"]\nnot_beside = ["talk", "tolk"]\n'
        '[intents."x.y".asked]\nyes_on = ["好"]\n', encoding="utf-8",
    )
    with pytest.raises(PhrasebookError) as error:
        read(tmp_path)
    assert [line.partition("（")[0] for line in str(error.value).splitlines()] == [
        "a.toml，telephone：没有“tolk”这样的提问", "a.toml，x.y：没有“yes_on”这样的提问",
    ]


def test_a_misspelt_key_and_a_slot_there_is_not_are_mistakes(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        'topic = {}\n[intents."x.y"]\nphrase = ["花浇了"]\nphrases = ["浇{flower}"]\nframes = ["{flower} 浇"]\n'
        '[[intents."x.y".examples]]\nsay = "浇花"\nslot = {}\n[[guard]]\nname = "g"\nwhen = ["浇"]\nstop = ["x.*"]\n', encoding="utf-8",
    )
    with pytest.raises(PhrasebookError) as error:
        read(tmp_path)
    assert [line.partition("（")[0] for line in str(error.value).splitlines()] == [
        "a.toml：不认识“topic”，是不是 topics", "a.toml，x.y：不认识“phrase”，是不是 phrases", "a.toml，x.y，例句“浇花”：不认识“slot”，是不是 slots",
        "a.toml，guard g：不认识“stop”，是不是 stops", "a.toml，x.y：“浇{flower}” 没有 {flower} 这样的空", "x.y：“{flower} 浇” 没有 {flower} 这样的空",
    ]


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(PhrasebookError, match="没有任何"):
        read(tmp_path)


@pytest.mark.parametrize("asking", [None, "dose", "yes_no", "emergency", "which", "when", "evidence", "text"])
def test_the_grammar_is_bounded_and_holds_the_cries(asking: str | None) -> None:
    phrases = mind().grammar(asking)  # type: ignore[arg-type]
    assert (len(phrases) <= 3000, set(mind().distress_phrases()) <= set(phrases), len(set(phrases)) == len(phrases)) == (True, True, True)


def test_what_the_grammar_offers_is_understood() -> None:
    phrases = [say for say in mind().grammar() if len(say) > 4][::23]
    silent = [say for say in phrases if judge(say) == Judgement(None)]
    assert len(silent) <= 0.05 * len(phrases)


def test_an_explanation_shows_sound_words_candidates_and_decision() -> None:
    shown = str(mind().explain([Hypothesis("降压药我吃过了")], NOW))
    assert [word in shown for word in ("jiang ya yao", "缬沙坦", "medication.taken", "决定")] == [True] * 4


def test_every_cry_of_the_phrasebook_is_an_emergency() -> None:
    assert [cry for cry in mind().distress_phrases() if intent(judge(cry)) != "emergency.call"] == []


def test_a_home_without_anybody_is_heard_too() -> None:
    alone = Understander(replace(HOME, family=(), medicines=(), services=()), book())
    assert alone.judge([Hypothesis("救命啊")], NOW).meaning is not None


def test_a_score_is_a_share() -> None:
    meaning = judge("给女儿打电话").meaning
    assert isinstance(meaning, Meaning)
    assert 0.9 <= meaning.score <= 1.0


# --- evidence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "meant"), [("没听着再讲一遍嘛", "control.repeat"), ("讲慢些我跟不上", "control.slower")])
def test_syllables_alone_speak_for_an_intent_no_line_fits(said: str, meant: str) -> None:
    assert intent(judge(said)) == meant


@pytest.mark.parametrize("said", ["眼镜找不着了", "阿莫西林找不着了", "我不是心脏疼是饿了", "没吃过我妈做的饭"])
def test_a_guess_or_a_denial_never_acts(said: str) -> None:
    assert judge(said).meaning is None


@pytest.mark.parametrize(("said", "meant", "slots"), [
    ("外头下着雨呢所以给我闺女打个电话", "call.voice", {"person": "刘敏"}),
    ("老头子又出去下棋了那三个小时以后提醒我翻被子", "reminder.add", {"what": "翻被子"}),
    ("昨天晚上没睡好你就给我约个保洁明天上午十点", "booking.create", {"service": "保洁"}),
    ("给我闺女打个视频我自己弄不了", "call.video", {"person": "刘敏"}),
])
def test_a_request_is_found_behind_or_before_its_explanation(said: str, meant: str, slots: dict[str, object]) -> None:
    meaning = judge(said).meaning
    assert meaning is not None
    assert (meaning.intent, {slot: meaning.slots.get(slot) for slot in slots}) == (meant, slots)


@pytest.mark.parametrize("said", ["我女儿给我打扫卫生了", "医生刚才说啥来着", "我不想给儿子打电话他忙", "他让我取消提醒了"])
def test_a_piece_of_a_sentence_is_no_request(said: str) -> None:
    assert judge(said).meaning is None


def test_who_has_eaten_a_meal_and_will_take_it_later_has_not_taken_it() -> None:
    judgement = judge("迟一个钟再吃啦我刚刚吃饱")
    assert [judgement.meaning.intent] if judgement.meaning else [] in ([], ["medication.snooze"])
    assert "medication.taken" not in [near.intent for near in judgement.nearest]


def test_a_character_without_a_reading_deafens_nobody() -> None:
    assert judge("㗎㗎药吃了没有㗎䝼").nearest is not None


@pytest.mark.parametrize(("said", "when"), [
    ("给我约保洁明天呃后天上午十点", datetime(2026, 11, 24, 10)), ("明天上午九点呃十点约保洁", datetime(2026, 11, 23, 10)),
])
def test_a_hesitation_between_two_times_takes_back_the_first(said: str, when: datetime) -> None:
    meaning = judge(said).meaning
    assert meaning is not None and meaning.slots["when"] == when


@pytest.mark.parametrize("said", ["给刘敏刘强打电话", "找强子还是敏敏打电话", "给强子打个电话不是打给敏敏"])
def test_two_people_named_in_one_breath_are_asked_about(said: str) -> None:
    judged = judge(said)
    assert {near.slots["person"] for near in judged.nearest} == {"刘敏", "刘强"}


@pytest.mark.parametrize(("said", "message"), [("给小军留个话周末回来吃饺子", "周末回来吃饺子"), ("给闺女捎句话", None), ("给闺女发个消息", None)])
def test_what_is_sent_is_not_what_it_says(said: str, message: str | None) -> None:
    meaning = judge(said).meaning
    assert meaning is not None and meaning.slots.get("message") == message


def test_what_is_reported_rises_with_the_score_and_stays_a_share() -> None:
    for acted, intent in ((True, "medication.taken"), (True, "emergency.call"), (True, "info.date"), (False, "call.video")):
        told = [confidence.share(acted, intent, score / 100) for score in range(0, 101)]
        assert told == sorted(told) and told[0] >= 0.0 and told[-1] <= 1.0


def test_a_weaker_reading_that_is_mended_to_another_length_is_looked_at_all_the_same() -> None:
    said = "我刚才在厕所里头摔倒了起不来了你快点叫人来{}"
    heard = [Hypothesis(said.format(end), "free", score) for end, score in (("我摔倒了", 0.6), ("水道理", 0.3), ("睡道理", 0.1))]
    assert intent(mind().judge(heard, NOW)) == "emergency.call"


@pytest.mark.parametrize(("chore", "said", "meant"), [
    ("倒垃圾", "倒了", "dialogue.yes"), ("倒垃圾", "刚刚倒掉了", "dialogue.yes"), ("倒垃圾", "我摔倒了", "emergency.call"), ("倒垃圾", "垃圾倒了我摔倒了", "emergency.call"),
    ("倒垃圾", "我谁到了", ""), ("关火", "火关了", "dialogue.yes"), ("关火", "没关", "dialogue.no"), ("关火", "忘了关", "dialogue.no"), ("关火", "火好大啊", "emergency.call"), ("关火", "炉火好着呢", ""), ("关火", "火上炖着汤", ""), ("关火", "锅还在火上", ""),
    ("关煤气", "煤气关了", "dialogue.yes"), ("关煤气", "煤气关好了你放心", "dialogue.yes"), ("关煤气", "煤气还没关", "dialogue.no"), ("关煤气", "闻到煤气味了", "emergency.call"), ("关火", "着火了", "emergency.call"),
    ("浇花", "叫了", "dialogue.yes"), ("浇花", "救命啊救命", "emergency.call"), ("喝水", "喝过了", "dialogue.yes"), ("量血压", "血压量过了", "dialogue.yes"), ("量血压", "我流血了", "emergency.call"), ("收衣服", "等会儿", "medication.snooze"), ("收衣服", "弄好了", "dialogue.yes"),
])
def test_a_chore_is_done_in_its_own_words_and_a_cry_stays_a_cry(chore: str, said: str, meant: str) -> None:
    assert intent(mind().judge([Hypothesis(said)], NOW, "chore", (chore,))) == (meant or None)


@pytest.mark.parametrize(("said", "cry"), [("快来家摔倒了", True), ("小伴不摔倒粒", True), ("人家摔倒了", False), ("快来扶摔倒的老人", False)])
def test_the_first_syllable_of_a_cry_may_be_lost(said: str, cry: bool) -> None:
    assert (intent(judge(said)) == "emergency.call") == cry


# --- said without a verb, to somebody, or of another day ------------------------------------------------------------

MOVED = [
    ("保洁明天别来，叫她后天再来", "保洁", date(2026, 11, 24)), ("保洁明天莫来，喊她后天来", "保洁", date(2026, 11, 24)), ("理发的明天不要来，让他礼拜四来", "理发", date(2026, 11, 26)),
    ("理发明天不剪了，礼拜六再剪", "理发", date(2026, 11, 28)), ("打扫卫生的明天不用来，叫她大后天来", "保洁", date(2026, 11, 25)), ("明天保洁别来，等后天上午九点再来", "保洁", datetime(2026, 11, 24, 9)),
]


@pytest.mark.parametrize(("say", "service", "when"), MOVED)
def test_a_visit_put_off_to_another_day_is_moved(say: str, service: str, when: date) -> None:
    judged = judge(say)
    assert (intent(judged), slots(judged)) == ("booking.change", {"service": service, "when": when})


@pytest.mark.parametrize("say", ["保洁昨天没来，后天再来", "闺女明天别来，后天再来", "你明天别来，后天再来", "保洁明天来，后天也来", "电视里说保洁明天别来后天来", "保洁明天不来了，说是后天来"])
def test_no_visit_is_moved_that_nobody_moves(say: str) -> None:
    assert intent(judge(say)) != "booking.change"


@pytest.mark.parametrize("say", ["别把闹钟取消了", "闹钟别关", "闹钟别取消", "闹钟莫删", "闹钟不要了，扔了吧", "这个旧闹钟不要了，卖废品"])
def test_an_alarm_clock_that_stays_or_is_thrown_out_is_not_deleted(say: str) -> None:
    assert intent(judge(say)) != "reminder.cancel"


def test_a_thing_that_is_done_deletes_nothing_unasked() -> None:
    judged = [judge(say) for say in ("那个事办完了", "你喊我的那个事办完了", "强子那个事办完了", "那个事还没办完", "等那个事办完了再说")]
    assert [(intent(one), "reminder.cancel" in {near.intent for near in one.nearest}) for one in judged] == [
        (None, True), (None, True), (None, False), (None, False), (None, False)]


@pytest.mark.parametrize(("say", "person"), [
    ("你搞错了，不是给强子打，是给老王打", "王建国"), ("你听岔了，我说给敏敏打，不是给强子", "刘敏"), ("你听岔了，我说的不是给强子，给敏敏打", "刘敏"), ("寻一下老王", "王建国"),
])
def test_who_is_meant_is_called_and_not_who_is_denied(say: str, person: str) -> None:
    judged = judge(say)
    assert (intent(judged), slots(judged)) == ("call.voice", {"person": person})


@pytest.mark.parametrize("say", ["我去找老王", "老王找一下钥匙", "找一下老王的帽子", "球拨过去", "把筷子拨过去", "拨过去一点", "敏敏，给你爸打个电话", "跟敏敏说过了", "把他打回去"])
def test_what_only_sounds_like_a_call_calls_nobody(say: str) -> None:
    assert intent(judge(say)) is None


@pytest.mark.parametrize("say", ["催催强子", "强子咋还没来，催催他", "强子怎么还不到，催一下", "催催我儿子，咋还不回来"])
def test_who_is_to_hurry_is_told_what_is_still_to_be_said(say: str) -> None:
    judged = judge(say)
    assert (intent(judged), slots(judged).get("person")) == ("message.send", "刘强")


@pytest.mark.parametrize(("say", "what"), [
    ("我怕忘了，礼拜三上午九点要去拿药", "去拿药"), ("下午四点要收衣服，我怕忘了", "收衣服"), ("明天上午十点要去复查，到时候提一句", "去复查"), ("晚上八点泡脚，到时候提我一句", "泡脚"),
    ("我怕忘了吃药，晚上八点提一句", "吃药"), ("老姐姐，你明早七点喊我", None), ("妹妹，明天早上六点叫我", None), ("娃儿，明早七点喊我起床", "起床"),
])
def test_neither_fear_nor_whom_one_speaks_to_is_to_be_reminded_of(say: str, what: str | None) -> None:
    judged = judge(say)
    assert (intent(judged), slots(judged).get("what")) == ("reminder.add", what)


def test_a_reading_is_no_hour_and_an_hour_no_reading() -> None:
    said = ["血糖今天十二点整", "血糖今朝十二点整", "血糖八点整", "血糖十二点整去测", "昨天血糖十二点整测的"]
    assert [slots(judge(say)).get("value") for say in said] == [12.0, 12.0, 8.0, None, None]


@pytest.mark.parametrize("say", ["礼拜四要抽血，第二天上午九点半", "礼拜四要抽血，约第二天上午九点半", "礼拜四抽血，转天上午九点半", "礼拜四要抽血，礼拜五上午九点半"])
def test_a_service_that_is_had_on_another_day_is_no_new_booking(say: str) -> None:
    judged = judge(say, "when")
    assert (intent(judged), slots(judged)) == ("dialogue.when", {"when": datetime(2026, 11, 27, 9, 30)})


def test_the_service_that_is_asked_for_is_booked_not_the_one_that_is_had() -> None:
    assert slots(judge("礼拜四要抽血，前一天下午三点喊护工来洗澡")) == {"service": "护工", "when": datetime(2026, 11, 25, 15)}


def test_a_robot_is_spoken_to() -> None:
    assert [intent(judge(say)) for say in ("小机器人，别说了", "机器人，现在几点了", "朵朵，把药给奶奶拿来")] == ["control.stop", "info.time", None]
