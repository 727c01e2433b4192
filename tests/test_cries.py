"""What may be a cry for help: sound that only the grammar can place, and weak readings that are no reason to call anybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pytest

from assistant.converse import AMID, TWICE
from assistant.furnish import suspicious, understander
from assistant.home import Care, Household
from assistant.household import load
from assistant.listen.spotter import Spotter
from assistant.messages import Heard, Hypothesis, Judgement, Meaning, Slot
from assistant.places import sample_household
from assistant.understand.heard import Explanation
from tests.faults.scene import Stage, hear, household, lines, stage, wait
from tests.test_emergency import _state

HOME = load(sample_household())
NOW = datetime(2026, 11, 22, 15, tzinfo=HOME.zone)


def heard(*readings: tuple[str, float], grammar: tuple[tuple[str, float], ...] = ()) -> tuple[Hypothesis, ...]:
    return (*(Hypothesis(text, "free", share) for text, share in readings), *(Hypothesis(text, "grammar", share) for text, share in grammar))


def explain(hypotheses: tuple[Hypothesis, ...]) -> Explanation:
    return understander(HOME).explain(hypotheses, NOW)


UNPLACED = [
    heard(("那云好", 0.78), ("那云哈", 0.19), grammar=(("来人啊", 0.95),)),
    heard(("来奶奶员喊", 0.88), grammar=(("来来个人啊", 0.37), ("来个人啊", 0.34), ("来来人啊", 0.17))),
    heard(("慢点", 0.6), ("那种", 0.3), grammar=(("来人啊", 0.7),)),
]


@pytest.mark.parametrize("hypotheses", UNPLACED, ids=lambda one: one[0].text)
def test_what_the_grammar_explains_as_a_cry_and_nobody_else_hears_may_be_one(hypotheses: tuple[Hypothesis, ...]) -> None:
    judged = explain(hypotheses).judgement
    assert judged.meaning is None or judged.meaning.intent != "emergency.call"
    assert judged.cry is not None and judged.cry.slots["grade"] == "unsure"
    assert suspicious(understander(HOME), hypotheses, NOW)


@pytest.mark.parametrize("score", [0.05, 0.2, 0.35])
def test_a_grammar_that_explains_the_sound_badly_makes_no_cry(score: float) -> None:
    hypotheses = heard(("那云好", 0.78), ("那云哈", 0.19), grammar=(("来人啊", score),))
    assert explain(hypotheses).judgement == Judgement(None)
    assert not suspicious(understander(HOME), hypotheses, NOW)


@pytest.mark.parametrize("hypotheses", [
    heard(("就明天吧", 0.86), ("就名品吧", 0.07), ("救明天吧", 0.04), grammar=(("救命血打", 0.24), ("救命血哪", 0.11))),
    heard(("这坏人准坏", 0.47), ("这坏人诊换", 0.23), grammar=(("救坏人警快", 0.62), ("有坏人警快", 0.11))),
    heard(("国家统计局上前把他扶了起来", 0.61), ("国家统计局上前把她扶了起来", 0.39), ("着扶着起来", 0.003)),
    heard(("笑死我了", 0.72), ("吓死我了", 0.28), grammar=(("血要死我了", 0.12),)),
], ids=lambda one: one[0].text)
def test_a_cry_that_no_likely_reading_knows_calls_nobody(hypotheses: tuple[Hypothesis, ...]) -> None:
    meaning = explain(hypotheses).judgement.meaning
    assert meaning is None or meaning.intent != "emergency.call"


def test_one_that_a_likely_reading_knows_still_does() -> None:
    meaning = explain(heard(("我摔到了起不来", 0.5), ("我说到了起不来", 0.4))).judgement.meaning
    assert meaning is not None and meaning.intent == "emergency.call"


def test_a_grammar_that_explains_the_sound_as_well_outweighs_a_guard() -> None:
    guarded = (("如果喘不上气来了", 0.82), ("如果喘不上汽来了", 0.15))
    surely = heard(*guarded, grammar=(("我我喘不上气来了", 0.5), ("不我喘不上气来了", 0.3), ("了我喘不上气来了", 0.2)))
    badly = heard(*guarded, grammar=(("我我喘不上气来了", 0.2),))
    assert [suspicious(understander(HOME), one, NOW) for one in (surely, badly)] == [True, False]


SUMMONS = [
    heard(("老伴儿快来家水管还呀老伴儿快来扶非得", 0.41), ("老伴儿快来家水管还哑老伴儿快来扶非得", 0.29)),
    heard(("老伴儿快来午睡到老伴儿快来午睡倒地", 0.5), ("老伴儿快来家谁打的", 0.3)),
    heard(("小军快点来五十一咱们排演", 0.6)),
]


@pytest.mark.parametrize("hypotheses", SUMMONS, ids=lambda one: one[0].text)
def test_whoever_calls_somebody_to_come_and_is_not_understood_further_may_need_help(hypotheses: tuple[Hypothesis, ...]) -> None:
    judged = explain(hypotheses).judgement
    assert judged.meaning is None
    assert judged.cry is not None and judged.cry.text in hypotheses[0].text and "来" in judged.cry.text
    assert suspicious(understander(HOME), hypotheses, NOW)


@pytest.mark.parametrize("said", ["老伴儿快来吃饭", "老头子快来看电视", "敏敏快来了", "小军快来尝尝", "老伴儿一块儿来水管", "妈快来接电话"])
def test_whoever_is_called_to_see_or_eat_something_is_not(said: str) -> None:
    judged = explain(heard((said, 0.9))).judgement
    assert judged.meaning is None and judged.cry is None


class Knows:
    """A model that knows every word and hears nothing."""

    @staticmethod
    def knows(word: str) -> bool:
        return bool(word)

    @staticmethod
    def held_to(phrases: object, timed: bool) -> None:
        assert phrases and timed


@pytest.mark.parametrize(("score", "first"), [(0.27, "你有空来啊"), (0.4, "来人啊"), (0.7, "来人啊")])
def test_a_grammar_that_is_hardly_sure_puts_no_cry_first(score: float, first: str) -> None:
    spotter = Spotter(Knows(), (), ("来人啊",), None)  # type: ignore[arg-type]
    readings = heard(("你有空来啊", 0.5), ("你有困难是啊", 0.4), grammar=(("来人啊", score),))
    assert spotter.sifted(readings)[0].text == first


# --- what the house makes of it ---------------------------------------------------------------------------------------


@dataclass
class Wonders:
    """Hears what may be cries, and nothing else."""

    household: Household
    plainly: list[int] = field(default_factory=list)
    """Of each that follows, whether it is made out."""

    def judge(self, hypotheses: object, now: datetime, asking: object = None, options: tuple[str, ...] = ()) -> Judgement:
        said = hypotheses[0].text  # type: ignore[index]
        slots: dict[str, Slot] = {"kind": "generic", "grade": "unsure", "plainly": self.plainly.pop(0) if self.plainly else 0}
        return Judgement(None, cry=Meaning("emergency.call", slots, 0.5, said) if asking is None else None)


def wondering(home: Household | None = None) -> Stage:
    scene = stage(home)
    scene.dialogue._judge = Wonders(scene.dialogue.household)
    return scene


@pytest.mark.parametrize(("second", "pause", "around", "state"), [
    ("来个人啊", 20.0, 0.0, "doubt"), ("来人啊", TWICE.total_seconds() + 5, 0.0, "idle"), ("吃过了吃过了", 20.0, 0.0, "idle"),
    ("来人啊", 20.0, AMID + 0.1, "idle"),
])
def test_the_same_perhaps_again_within_a_minute_is_asked_about(second: str, pause: float, around: float, state: str) -> None:
    scene = wondering()
    hear(scene, "来人啊", woken=False)
    assert _state(scene) == "idle"
    wait(scene, pause)
    hear(scene, second, woken=False, around=around)
    assert _state(scene) == state


@pytest.mark.parametrize(("second", "state"), [("救命啊我摔倒了", "doubt"), ("外头下雨了", "idle")])
def test_a_cry_that_the_second_look_denies_is_asked_about_when_it_comes_again(second: str, state: str) -> None:
    scene = stage()
    scene.tell(Heard((Hypothesis("救命啊我摔倒了"),), woken=False, denied=True))
    assert _state(scene) == "idle"
    wait(scene, 20.0)
    scene.tell(Heard((Hypothesis(second),), woken=False, denied=True))
    assert _state(scene) == state


def test_who_does_not_answer_in_a_quiet_house_is_told_of_truly_and_again_the_next_hour() -> None:
    scene = wondering()
    told = []
    for _ in range(2):
        for _ in range(2):
            hear(scene, "来人啊", woken=False)
        wait(scene, 90)
        assert _state(scene) == "closed"
        told.append([text for text in lines(scene, "sent") if "像是有人喊" in text])
        wait(scene, 3600)
    assert len(told[1]) == 2 * len(told[0]) > 0
    assert all("家里静" in text and "电视" not in text for text in told[1])


@pytest.mark.parametrize(("first", "second", "state"), [(1, 1, "question"), (1, 0, "doubt"), (0, 1, "doubt")])
def test_what_was_made_out_plainly_twice_is_hers_and_silence_no_answer(first: int, second: int, state: str) -> None:
    scene = wondering()
    scene.dialogue._judge.plainly = [first, second]  # type: ignore[attr-defined]
    hear(scene, "来人啊", woken=False)
    assert _state(scene) == "idle"
    wait(scene, 20.0)
    hear(scene, "来个人啊", woken=False)
    assert _state(scene) == state
    wait(scene, 200)
    assert bool([text for text in lines(scene, "sent") if "像是有人喊" not in text]) == (state == "question")


@pytest.mark.parametrize(("readings", "plainly"), [
    (heard(("那云好", 0.67), ("那云哈", 0.17), grammar=(("来人啊", 0.94),)), True),
    (heard(("来改在雨吧", 0.34), ("雷盖在于吗", 0.23), grammar=(("来个人啊", 0.76),)), True),
    (heard(("那云好", 0.67), grammar=(("来人啊", 0.5),)), False),
    (heard(("如果摔倒了", 0.9), ("我摔倒了", 0.4), grammar=(("我我摔倒了", 0.6), ("漏我摔倒了", 0.35))), True),
    (heard(("如果摔倒了", 0.9), ("我摔倒了", 0.4), grammar=(("我我摔倒了", 0.6),)), False),
    (heard(("帮我穿个针", 0.9), grammar=(("帮我喘个人", 0.85),)), False),
    (heard(("拉练卡住了", 0.9), grammar=(("打零卡住了", 0.55), ("来零卡住了", 0.4))), False),
])
def test_a_cry_is_made_out_plainly_by_what_one_cries_and_not_by_words_like_it(readings: tuple[Hypothesis, ...], plainly: bool) -> None:
    cry = explain(readings).judgement.cry
    assert cry is not None and bool(cry.slots["plainly"]) == plainly


def test_a_family_that_wants_no_doubts_gets_the_question_whose_silence_is_a_yes() -> None:
    scene = wondering(household(care=Care(doubts=False)))
    for _ in range(2):
        hear(scene, "来人啊", woken=False)
    assert _state(scene) == "question"
