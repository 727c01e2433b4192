"""Turn-taking, seen from outside: events in, actions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from assistant.care import SCHEMAS, message
from assistant.converse import Dialogue
from assistant.home import Contact, Elder, Household
from assistant.messages import (
    Action,
    Ask,
    Asking,
    Conversation,
    Due,
    Heard,
    HouseholdChanged,
    HouseholdOutgrown,
    HouseholdRefused,
    Hush,
    Hypothesis,
    Judgement,
    Meaning,
    Say,
    Silence,
    Spoken,
)
from assistant.places import shipped
from assistant.replies import Replies
from assistant.skills.skill import ALARM, Skill, Turn
from assistant.store import Store

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
HOME = Household(Elder("王秀珍", "王奶奶"), (Contact("刘敏", "女儿", phone="13800000001"),))

WORDS = {
    "几点了": Meaning("info.time"), "是": Meaning("dialogue.yes"), "救命": Meaning("emergency.call", {"kind": "generic"}),
    "闭嘴": Meaning("control.stop"), "约": Meaning("booking.create"), "吃了": Meaning("medication.taken"),
    "别叫了": Meaning("emergency.cancel"),
}


class Known:
    """An understanding of seven sentences; 吃了 means something only while a dose is asked about."""

    def __init__(self, household: Household) -> None:
        self.household = household

    def judge(
        self, hypotheses: Sequence[Hypothesis], now: datetime, asking: Asking | None = None, options: tuple[str, ...] = ()
    ) -> Judgement:
        meaning = WORDS.get(hypotheses[0].text)
        if meaning is not None and meaning.intent == "medication.taken" and asking != "dose":
            return Judgement(None, (meaning,))
        return Judgement(meaning)


@dataclass
class Heads:
    """Skills for the tests, and what their conversations were told."""

    told: list[str] = field(default_factory=list)

    def skills(self) -> tuple[Skill, ...]:
        info, booking, emergency, medication, control = (
            Skill(name) for name in ("info", "booking", "emergency", "medication", "control")
        )

        @info.on("info.time")
        def time(turn: Turn, meaning: Meaning) -> Conversation:
            yield Say("三点")

        @booking.on("booking.create")
        def book(turn: Turn, meaning: Meaning) -> Conversation:
            try:
                answer = yield Ask("约，对吗？", asking="yes_no")
                self.told.append(answer.intent if answer else "nobody")
                yield Say("约好了" if answer else "不约了")
            except GeneratorExit:
                self.told.append("closed")
                raise

        @emergency.on("emergency.call")
        def alarm(turn: Turn, meaning: Meaning) -> Conversation:
            self.told.append(f"woken {meaning.slots['woken']}")
            yield Ask("要叫人吗？", asking="emergency", repair=False, urgent=True)

        @emergency.on("emergency.cancel")
        def cancel(turn: Turn, meaning: Meaning) -> Conversation:
            yield Say("停了")

        @medication.on("medication.taken")
        def taken(turn: Turn, meaning: Meaning) -> Conversation:
            yield Say("记下了")

        @medication.due("dose")
        def dose(turn: Turn, row: int) -> Conversation:
            answer = yield Ask(f"药{row}吃了吗？", asking="dose")
            self.told.append(answer.intent if answer else "nobody")

        @medication.due("incident", priority=ALARM)
        def rung(turn: Turn, row: int) -> Conversation:
            yield Say("我再打一遍", urgent=True)

        @control.on("control.stop")
        def stop(turn: Turn, meaning: Meaning) -> Conversation:
            yield Hush()

        return info, booking, emergency, medication, control


@pytest.fixture
def heads() -> Heads:
    return Heads()


@pytest.fixture
def dialogue(heads: Heads) -> Dialogue:
    return Dialogue(Store.memory(SCHEMAS), HOME, Known, Replies.load(shipped("intents")), heads.skills())


def hear(dialogue: Dialogue, text: str, *, woken: bool = True, at: datetime = NOW) -> list[Action]:
    return dialogue.handle(Heard((Hypothesis(text),), woken), at)


def test_a_request_is_answered(dialogue: Dialogue) -> None:
    assert hear(dialogue, "几点了") == [Say("三点")]


def test_without_the_wake_word_nothing_but_distress_is_answered(dialogue: Dialogue) -> None:
    assert hear(dialogue, "几点了", woken=False) == []
    assert hear(dialogue, "救命", woken=False) == [Ask("要叫人吗？", asking="emergency", repair=False, urgent=True)]


def test_an_open_question_needs_no_wake_word(dialogue: Dialogue, heads: Heads) -> None:
    hear(dialogue, "约")
    dialogue.handle(Spoken(), NOW)
    assert (hear(dialogue, "是", woken=False), heads.told) == ([Say("约好了")], ["dialogue.yes"])


def test_something_else_meanwhile_is_answered_and_the_question_asked_again(dialogue: Dialogue) -> None:
    hear(dialogue, "约")
    dialogue.handle(Spoken(), NOW)
    assert hear(dialogue, "几点了") == [Say("三点"), Ask("约，对吗？", asking="yes_no")]


def test_be_quiet_leaves_the_question_open_without_asking_it_aloud(dialogue: Dialogue, heads: Heads) -> None:
    hear(dialogue, "约")
    assert hear(dialogue, "闭嘴") == [Hush()]
    hear(dialogue, "是")
    assert heads.told == ["dialogue.yes"]


def test_an_alarm_ends_whatever_was_talked_about(dialogue: Dialogue, heads: Heads) -> None:
    hear(dialogue, "约")
    hear(dialogue, "救命")
    asked = dialogue.asking
    assert (heads.told, asked and asked.asking) == (["closed", "woken 1"], "emergency")


def test_silence_counts_from_the_end_of_the_question(dialogue: Dialogue, heads: Heads) -> None:
    hear(dialogue, "约")
    spoken = NOW + timedelta(seconds=4)
    dialogue.handle(Spoken(), spoken)
    assert dialogue.deadline == spoken + timedelta(seconds=10)
    assert (dialogue.handle(Silence(), dialogue.deadline), heads.told) == ([Say("不约了")], ["nobody"])


def test_a_mouth_that_never_reports_does_not_hang_the_house(dialogue: Dialogue, heads: Heads) -> None:
    hear(dialogue, "约")
    for _ in range(2):
        assert dialogue.deadline is not None
        dialogue.handle(Silence(), dialogue.deadline)
    assert heads.told == ["nobody"]


def test_an_unclear_answer_is_asked_again_in_other_words_then_given_up(dialogue: Dialogue, heads: Heads) -> None:
    hear(dialogue, "约")
    said = [hear(dialogue, "咕噜咕噜") for _ in range(3)]
    texts = [action.text for actions in said for action in actions if isinstance(action, Say | Ask)]
    assert (len(set(texts)), texts[-1], heads.told) == (3, "不约了", ["nobody"])


def test_not_understanding_is_never_said_twice_the_same_way(dialogue: Dialogue) -> None:
    said = [action.text for _ in range(3) for action in hear(dialogue, "咕噜咕噜") if isinstance(action, Say)]
    assert len(set(said)) == 3


def test_noise_is_neither_an_answer_nor_a_request(dialogue: Dialogue, heads: Heads) -> None:
    hear(dialogue, "约")
    assert (dialogue.handle(Heard(()), NOW), heads.told) == ([], [])


def test_rows_wait_until_nobody_talks_and_none_is_lost(dialogue: Dialogue, heads: Heads) -> None:
    hear(dialogue, "约")
    assert dialogue.handle(Due("dose", 1), NOW) == dialogue.handle(Due("dose", 1), NOW) == []
    after = hear(dialogue, "是")
    assert after == [Say("约好了"), Ask("药1吃了吗？", asking="dose")]


def test_a_row_that_was_dealt_with_meanwhile_is_not_driven_again(dialogue: Dialogue, heads: Heads) -> None:
    dose = {"due_at": NOW, "limit_at": NOW, "tell_at": NOW, "day": "2026-11-22", "slot": "07:30", "state": "due", "wake_at": NOW}
    first, second = (dialogue.store.insert("dose", medicine=name, **dose) for name in ("缬沙坦", "阿司匹林"))
    hear(dialogue, "约")
    dialogue.handle(Due("dose", first), NOW)
    dialogue.handle(Due("dose", second), NOW)
    dialogue.store.update("dose", first, wake_at=NOW + timedelta(minutes=10))
    assert hear(dialogue, "是") == [Say("约好了"), Ask(f"药{second}吃了吗？", asking="dose")]


def test_a_rung_of_an_alarm_does_not_wait(dialogue: Dialogue) -> None:
    hear(dialogue, "约")
    assert dialogue.handle(Due("incident", 1), NOW) == [Say("我再打一遍", urgent=True)]


def test_a_short_answer_that_comes_late_is_still_understood(dialogue: Dialogue) -> None:
    dialogue.handle(Due("dose", 1), NOW)
    dialogue.handle(Spoken(), NOW)
    dialogue.handle(Silence(), NOW + timedelta(seconds=20))
    assert hear(dialogue, "吃了", at=NOW + timedelta(minutes=5)) == [Say("记下了")]
    assert hear(dialogue, "吃了", at=NOW + timedelta(minutes=40)) != [Say("记下了")]


def test_what_follows_a_silence_needs_no_wake_word(dialogue: Dialogue) -> None:
    dialogue.handle(Due("dose", 1), NOW)
    dialogue.handle(Spoken(), NOW)
    dialogue.handle(Silence(), NOW + timedelta(seconds=20))
    assert [dialogue.listening(NOW + timedelta(seconds=s)) for s in (21, 60)] == [True, False]


ALARMED = Ask("要叫人吗？", asking="emergency", repair=False, urgent=True)


@pytest.mark.parametrize(("text", "prompted", "done"), [
    ("吃了", True, [Say("记下了")]), ("几点了", True, []), ("咕噜咕噜", True, []), ("是", True, []), ("约", True, []),
    ("闭嘴", True, [Hush()]), ("别叫了", True, [Say("停了")]), ("救命", True, [ALARMED]), ("几点了", False, [Say("三点")]),
])
def test_after_a_silence_only_the_answer_a_cry_and_the_wake_word_count(dialogue: Dialogue, text: str, prompted: bool, done: list[Action]) -> None:
    dialogue.handle(Due("dose", 1), NOW)
    dialogue.handle(Spoken(), NOW)
    dialogue.handle(Silence(), NOW + timedelta(seconds=20))
    heard = Heard((Hypothesis(text),), prompted=prompted)
    assert dialogue.handle(heard, NOW + timedelta(seconds=24)) == done


def test_what_was_passed_over_after_a_silence_is_not_written_down(dialogue: Dialogue) -> None:
    dialogue.handle(Due("dose", 1), NOW)
    dialogue.handle(Spoken(), NOW)
    dialogue.handle(Silence(), NOW + timedelta(seconds=20))
    dialogue.handle(Heard((Hypothesis("咕噜咕噜"),), prompted=True), NOW + timedelta(seconds=24))
    assert dialogue.store.find("log", "kind = 'heard'") == []


def test_a_talk_the_elder_begins_is_listened_to_as_before(dialogue: Dialogue) -> None:
    dialogue.handle(Due("dose", 1), NOW)
    dialogue.handle(Spoken(), NOW)
    dialogue.handle(Silence(), NOW + timedelta(seconds=20))
    hear(dialogue, "几点了", at=NOW + timedelta(seconds=40))
    assert dialogue.handle(Heard((Hypothesis("约"),), prompted=True), NOW + timedelta(seconds=44)) == [Ask("约，对吗？", asking="yes_no")]


@pytest.mark.parametrize(("prompted", "certain"), [(True, 0), (False, 1)])
def test_a_cry_in_answer_to_a_question_is_certain_only_with_the_wake_word(dialogue: Dialogue, heads: Heads, prompted: bool, certain: int) -> None:
    hear(dialogue, "约")
    dialogue.handle(Spoken(), NOW)
    dialogue.handle(Heard((Hypothesis("救命"),), prompted=prompted), NOW)
    assert heads.told[-1] == f"woken {certain}"


def test_a_skill_that_fails_is_no_silence_and_its_row_comes_back(heads: Heads) -> None:
    broken = Skill("medication")

    @broken.due("message")
    def fails(turn: Turn, row: int) -> Conversation:
        raise RuntimeError("fault")
        yield

    store = Store.memory(SCHEMAS)
    dialogue = Dialogue(store, HOME, Known, Replies.load(shipped("intents")), (broken,))
    row = message.post(store, NOW, purpose="note", person="刘敏", channels=("敏敏微信",), title="一", body="二")
    said = dialogue.handle(Due("message", row), NOW)
    assert [type(action) for action in said] == [Say]
    assert store.due(NOW + timedelta(minutes=1)) == [("message", row)]


def test_every_reading_can_be_asked_back() -> None:
    from tests.test_structure import intents

    replies = Replies.load(Path(shipped("intents")))
    lacking = [name for name in intents() if ("dialogue", f"as_{name.replace('.', '_')}") not in replies.sentences]
    assert lacking == []


def test_a_file_nobody_can_be_written_about_is_told_to_the_elder_once() -> None:
    house = Dialogue(Store.memory(SCHEMAS), HOME, Known, Replies.load(shipped("intents")))
    refused = HouseholdRefused("a", ("家庭文件第 3 行写得不对。",))
    first = house.handle(refused, NOW)
    house.handle(Spoken(), NOW)
    again = house.handle(refused, NOW + timedelta(minutes=1))
    assert ([one.text for one in first if isinstance(one, Say)], again) == (
        ["王奶奶，家里人改了安排，可是我看不懂，还照原来的办。请他们再看看。"], [])


@pytest.mark.parametrize(("hers", "said"), [((), []), (("往后叫我，请说“小伴小伴”。",), ["往后叫我，请说“小伴小伴”。"])])
def test_a_file_that_is_older_than_the_rules_is_told_to_her_where_nobody_can_be_written_and_once(hers: tuple[str, ...], said: list[str]) -> None:
    house = Dialogue(Store.memory(SCHEMAS), HOME, Known, Replies.load(shipped("intents")))
    event = HouseholdOutgrown("a", ("家庭文件第 3 行写得不对。改好以前，照旧用它。",), hers)
    told = [one.text for one in house.handle(event, NOW) if isinstance(one, Say)]
    told += [one.text for one in house.handle(Spoken(), NOW) if isinstance(one, Say)]
    again = house.handle(event, NOW + timedelta(minutes=1))
    assert (told, again) == (["王奶奶，跟您说一声，家里写的安排，有的我现在用不了。别的我都照着办，请家里人来看看。", *said], [])


def test_a_change_is_announced_as_a_sentence_with_one_end() -> None:
    house = Dialogue(Store.memory(SCHEMAS), HOME, Known, Replies.load(shipped("intents")))
    said = [one.text for one in house.handle(HouseholdChanged(HOME, ("家里人改了口音。",)), NOW) if isinstance(one, Say)]
    said += [one.text for one in house.handle(Spoken(), NOW) if isinstance(one, Say)]
    assert said == ["王奶奶，跟您说一声，家里的安排改了。", "家里人改了口音。"]


@pytest.mark.parametrize(("written", "asked"), [
    ({("plants", "as_plants_watered"): ("花浇过了",)}, "您是说，花浇过了，对吗？"), ({}, "您是说，花儿浇咯，对吗？"),
])
def test_a_new_skill_is_asked_back_with_its_own_words_or_with_those_heard(written: dict[tuple[str, str], tuple[str, ...]], asked: str) -> None:
    plants = Skill("plants")

    @plants.on("plants.watered")
    def watered(turn: Turn, meaning: Meaning) -> Conversation:
        yield Say("好。")

    class Unsure(Known):
        def judge(self, hypotheses: Sequence[Hypothesis], *_: object) -> Judgement:  # type: ignore[override]
            return Judgement(None, (Meaning("plants.watered", text=hypotheses[0].text),))

    replies = Replies({**Replies.load(shipped("intents")).sentences, **written})
    house = Dialogue(Store.memory(SCHEMAS), HOME, Unsure, replies, (plants,))
    done = house.handle(Heard((Hypothesis("花儿浇咯"),), woken=True), NOW)
    assert [one.text for one in done if isinstance(one, Ask)] == [asked]
