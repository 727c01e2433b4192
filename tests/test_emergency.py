"""An emergency from the first cry to the end, on a virtual clock, with people and networks that fail."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from datetime import time, timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.care import incident, message
from assistant.care.incident import Calls, State, Status, Texts
from assistant.clock import VirtualClock
from assistant.converse import SURELY, Dialogue
from assistant.home import AUTHORITIES, Care, Channel, Contact, Elder
from assistant.messages import (
    Acknowledged,
    Ask,
    Call,
    Delivered,
    HangUp,
    Meaning,
    Notify,
    Pressed,
    Sound,
    Started,
)
from assistant.notify.acks import Links
from assistant.places import shipped
from assistant.replies import Replies
from assistant.skills import emergency
from assistant.skills.skill import Turn
from assistant.stage import People, Stage
from assistant.store import Store
from tests.faults import mixes
from tests.faults.scene import NOON, SENTENCES, Sent, Understands, hear, household, lines, stage, wait

CRY, SYMPTOM, CANCEL = "救命啊我摔倒了", "心口闷", "我没事不用叫"


def _state(scene: Stage) -> State:
    rows = scene.dialogue.store.find("incident", order="id DESC", limit=1)
    return State(rows[0]["state"]) if rows else State.IDLE


def _alerting(people: People | None = None, **changes: object) -> Stage:
    scene = stage(household(**changes), people)
    hear(scene, CRY)
    wait(scene, 30)
    return scene


def _first(scene: Stage, kind: str) -> float:
    return next((one.at - NOON).total_seconds() for one in scene.happened if one.kind == kind)


# --- before anything is sent --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("woken", "prompts", "window"), [(True, 1, 10), (False, 2, 20)])
def test_silence_counts_as_yes_after_the_window(woken: bool, prompts: int, window: int) -> None:
    scene = stage()
    hear(scene, CRY, woken=woken)
    wait(scene, 90)
    asked = [one for one in scene.happened if one.kind == "asked"]
    silent = _first(scene, "sent") - sum(one.seconds for one in asked)
    assert (len(asked), window <= silent <= window + 2) == (prompts, True)


def test_symptoms_are_asked_about_twice_before_the_countdown() -> None:
    scene = stage()
    hear(scene, SYMPTOM)
    wait(scene, 150)
    asked = lines(scene, "asked")
    assert [text.split("，")[1][:4] for text in asked] == ["您怎么了", "我再问一", "我听见了", asked[3].split("，")[1][:4]]
    assert _state(scene) is State.ALERTING


@pytest.mark.parametrize(
    ("said", "state"),
    [(CANCEL, State.CANCELLED), (CRY, State.ALERTING), ("要", State.ALERTING), ("不", State.PREALARM), ("嗯呃", State.PREALARM),
     ("没事", State.PREALARM), ("嗯", State.PREALARM)],
)
def test_only_a_whole_phrase_stops_the_countdown(said: str, state: State) -> None:
    scene = stage()
    hear(scene, CRY)
    scene.until_quiet()
    hear(scene, said)
    assert _state(scene) is state


# --- while the television is on -----------------------------------------------------------------------------------


def _amid(said: str = CRY) -> Stage:
    scene = stage()
    hear(scene, said, woken=False, around=0.8)
    return scene


@pytest.mark.parametrize(("woken", "prompted", "around", "state"), [
    (False, False, 0.8, State.DOUBT), (False, False, 0.1, State.PREALARM), (True, False, 0.8, State.PREALARM), (True, True, 0.8, State.PREALARM),
])
def test_only_a_cry_to_nobody_amid_other_talk_is_doubted(woken: bool, prompted: bool, around: float, state: State) -> None:
    scene = stage()
    hear(scene, CRY, woken=woken, prompted=prompted, around=around)
    assert _state(scene) is state


@pytest.mark.parametrize(("said", "state"), [(CRY, State.PREALARM), ("要", State.PREALARM), (CANCEL, State.CLOSED), ("不", State.DOUBT), ("嗯", State.DOUBT)])
def test_a_doubted_cry_is_hers_when_she_cries_again_or_says_so(said: str, state: State) -> None:
    scene = _amid()
    scene.until_quiet()
    hear(scene, said, prompted=True)
    assert _state(scene) is state


def test_a_family_that_wants_no_doubts_gets_none() -> None:
    scene = stage(household(care=Care(doubts=False)))
    hear(scene, CRY, woken=False, around=0.8)
    assert _state(scene) is State.PREALARM


def test_a_cry_after_the_doubt_reaches_the_family_in_ten_seconds() -> None:
    scene = _amid()
    scene.until_quiet()
    hear(scene, CRY, prompted=True)
    wait(scene, 30)
    assert (_state(scene), len(lines(scene, "sent")) >= 4) == (State.ALERTING, True)


def test_what_the_television_goes_on_saying_leaves_the_doubt_open_and_makes_no_request() -> None:
    scene = _amid()
    scene.until_quiet()
    for said in ("将军城外没有粮草了", "打电话给刘敏", "嗯呃"):
        hear(scene, said, prompted=True)
    assert (_state(scene), len(lines(scene, "asked"))) == (State.DOUBT, 1)


def test_a_doubt_nobody_stands_by_calls_nobody_and_is_noted_twice_a_day_at_most() -> None:
    scene = _amid()
    wait(scene, 90)
    first = _state(scene), lines(scene, "asked")[0][:11], len(lines(scene, "sent")), len(lines(scene, "rang"))
    wait(scene, 700)
    hear(scene, CRY, woken=False, around=0.8)
    wait(scene, 90)
    assert (first, _state(scene), len(lines(scene, "sent"))) == ((State.CLOSED, "王奶奶，刚才是您在喊吗", 3, 0), State.CLOSED, 3)


def test_after_a_doubt_nobody_stood_by_it_takes_two_cries_in_a_minute() -> None:
    scene = _amid()
    wait(scene, 90)
    states = []
    for pause in (90, 30, 0):
        hear(scene, CRY, woken=False, around=0.8)
        states.append(_state(scene))
        wait(scene, pause)
    assert states == [State.CLOSED, State.CLOSED, State.DOUBT]


def test_a_doubtful_cry_amid_other_talk_is_asked_about_when_there_is_a_second_one() -> None:
    scene = stage()
    doubtful = {CRY: replace(SENTENCES[CRY], score=SURELY - 0.1)}
    scene.dialogue._judge = Understands(scene.dialogue.household, doubtful)
    hear(scene, CRY, woken=False, around=0.8)
    once = _state(scene)
    wait(scene, 20)
    hear(scene, CRY, woken=False, around=0.8)
    assert (once, _state(scene)) == (State.IDLE, State.DOUBT)


def test_complaints_of_a_play_are_doubted_too() -> None:
    assert _state(_amid(SYMPTOM)) is State.DOUBT


@pytest.mark.parametrize("button", ["help", "smoke", "fall"])
def test_a_button_or_a_sensor_ends_the_doubt(button: Literal["help", "smoke", "fall"]) -> None:
    scene = _amid()
    scene.until_quiet()
    scene.tell(Pressed(button))
    wait(scene, 60)
    assert _state(scene) is State.ALERTING


@pytest.mark.parametrize("again", ["smoke", CRY])
def test_the_family_reads_what_she_stood_by_and_not_what_the_television_cried(again: str) -> None:
    scene = _amid(SYMPTOM)
    scene.until_quiet()
    if again == "smoke":
        scene.tell(Pressed("smoke"))
    else:
        hear(scene, again, prompted=True)
    wait(scene, 60)
    told = "".join(lines(scene, "sent"))
    assert (incident.WORDS["fire" if again == "smoke" else "fall"] in told, incident.WORDS["chest_pain"] in told) == (True, False)


def test_a_power_cut_in_a_doubt_asks_again() -> None:
    scene = _amid()
    scene.until_quiet()
    store = scene.dialogue.store
    dialogue = Dialogue(store, scene.dialogue.household, Understands, scene.dialogue.replies)
    again = Stage(dialogue, VirtualClock(scene.clock.now + timedelta(seconds=5)), scene.people)
    again.tell(Started())
    wait(again, 1)
    asked = lines(again, "asked")
    hear(again, CRY, prompted=True)
    assert (len(asked), _state(again)) == (1, State.PREALARM)


@pytest.mark.parametrize("word", ["不", "没事"])
def test_two_bare_words_do_not_stop_it(word: str) -> None:
    scene = stage()
    hear(scene, CRY)
    for _ in range(2):
        scene.until_quiet()
        hear(scene, word)
    assert _state(scene) is State.ALERTING


def test_a_cancel_that_began_before_the_prompt_had_ended_is_asked_for_once_more() -> None:
    scene = stage()
    hear(scene, CRY)
    wait(scene, 2)
    hear(scene, CANCEL)
    early = _state(scene), lines(scene, "asked")[-1]
    scene.until_quiet()
    hear(scene, CANCEL)
    assert (*early, _state(scene)) == (
        State.PREALARM, "王奶奶，我没听准。不用的话，请说整句：我没事不用叫。不说我就通知女儿刘敏和另外三个人了。", State.CANCELLED,
    )


def test_one_bare_word_ends_no_question_about_symptoms_but_two_do() -> None:
    scene = stage()
    hear(scene, SYMPTOM)
    states = []
    for _ in range(2):
        scene.until_quiet()
        hear(scene, "没事")
        states.append(_state(scene))
    assert states == [State.QUESTION, State.CANCELLED]


@pytest.mark.parametrize(("said", "state"), [("嗯", State.CANCELLED), ("要", State.ALERTING), ("没事", State.CLOSED), (CRY, State.ALERTING)])
def test_a_grunt_a_minute_after_a_cancel_is_asked_again(said: str, state: State) -> None:
    scene = stage()
    hear(scene, CRY)
    scene.until_quiet()
    hear(scene, CANCEL)
    wait(scene, 65)
    scene.until_quiet()
    hear(scene, said)
    assert _state(scene) is state


def test_a_cancelled_alarm_asks_again_after_a_minute_and_leaves_a_note() -> None:
    scene = stage()
    hear(scene, CRY)
    scene.until_quiet()
    hear(scene, CANCEL)
    scene.until_quiet()
    wait(scene, 70)
    asked = lines(scene, "asked")[-1]
    hear(scene, CANCEL)
    wait(scene, 20)
    assert (asked, _state(scene), lines(scene, "sent")[0]) == (
        "王奶奶，您真的没事吗？要不要我找家里人？", State.CLOSED,
        "刚才有一次报警，取消了：王奶奶 12:00 报警后自己取消了；后来问过，说没事。",
    )


def test_no_answer_after_a_cancel_is_told_and_not_dropped() -> None:
    scene = stage()
    hear(scene, CRY)
    scene.until_quiet()
    hear(scene, CANCEL)
    wait(scene, 200)
    assert (_state(scene), "没有回答，请打个电话问问" in lines(scene, "sent")[0]) == (State.CLOSED, True)


def test_distress_soon_after_a_cancel_is_certain() -> None:
    scene = stage()
    hear(scene, CRY)
    scene.until_quiet()
    hear(scene, CANCEL)
    scene.until_quiet()
    wait(scene, 20)
    hear(scene, CRY, woken=False)
    row = scene.dialogue.store.find("incident")[-1]
    assert (row["state"], row["grade"]) == ("prealarm", "certain")


@pytest.mark.parametrize(
    ("cry", "spoken", "woken", "state"),
    [("救命啊", False, False, State.PREALARM), (CRY, False, False, State.ALERTING), ("救命啊", True, False, State.ALERTING),
     ("救命啊", False, True, State.ALERTING)],
)
def test_a_second_cry_during_the_prompt_counts_only_in_the_first_person_or_to_us(cry: str, spoken: bool, woken: bool, state: State) -> None:
    scene = stage()
    hear(scene, "救命啊", woken=False)
    scene.until_quiet() if spoken else wait(scene, 2)
    hear(scene, cry, woken=woken)
    assert _state(scene) is state


def test_a_film_that_goes_on_crying_during_the_prompt_neither_sends_sooner_nor_holds_it_up() -> None:
    sent = []
    for film in (False, True):
        scene = stage()
        hear(scene, "救命啊", woken=False)
        for _ in range(5):
            wait(scene, 1)
            if film:
                hear(scene, "救命啊", woken=False)
        wait(scene, 70)
        sent.append(_first(scene, "sent"))
    assert sent[0] == sent[1]


# --- nobody answers the check-in ----------------------------------------------------------------------------------


def _unanswered(seconds: float, **care: bool) -> Stage:
    """Asked at one minute past noon and ten minutes later, in vain; then so many seconds more."""
    scene = stage(household(care=Care(checkin=time(12, 1), **care)))
    wait(scene, 60 + 20 * 60 + seconds)
    return scene


def test_a_check_in_nobody_answers_is_asked_about_and_silence_sends_for_help() -> None:
    scene = _unanswered(150)
    asked = [text for text in lines(scene, "asked")][2:]
    assert ([text[:12] for text in asked[:2]], _state(scene), all("求助：报平安没有应声" in text for text in lines(scene, "sent"))) == (
        ["王奶奶，您还好吗？要不要", "王奶奶，我再问一遍：要不"], State.ALERTING, True,
    )


def test_whoever_is_well_after_an_unanswered_check_in_says_so_and_nobody_is_called() -> None:
    scene = _unanswered(8)
    scene.until_quiet()
    hear(scene, CANCEL)
    wait(scene, 3)
    assert (_state(scene), lines(scene, "sent", "called")) == (State.CANCELLED, [])


def test_a_family_that_wants_a_notice_only_gets_no_alarm() -> None:
    scene = _unanswered(150, checkin_alarm=False)
    assert (_state(scene), ["报平安没有回应" in text for text in lines(scene, "sent")]) == (State.IDLE, [True, True, True])


def test_an_unanswered_check_in_survives_a_power_cut() -> None:
    scene = _unanswered(8)
    again = stage(household(care=Care(checkin=time(12, 1))), store=scene.dialogue.store, at=scene.clock.now + timedelta(seconds=5))
    wait(again, 1)
    assert (lines(again, "asked")[0][:8], _state(again)) == ("王奶奶，我再问一", State.QUESTION)


# --- another danger -----------------------------------------------------------------------------------------------


def _told(scene: Stage, since: float = 0.0) -> list[str]:
    """What the family has read from this many seconds after noon on, each text once."""
    return list(dict.fromkeys(one.text for one in scene.happened if one.kind == "sent" and one.at >= NOON + timedelta(seconds=since)))


def test_a_fire_cried_during_the_countdown_is_what_the_family_reads_and_she_is_sent_out_of_the_house() -> None:
    scene = stage()
    hear(scene, "救命啊", woken=False)
    scene.until_quiet()
    hear(scene, "着火了", woken=False)
    assert (["求助：着火了。" in text for text in _told(scene)], "出门" in lines(scene, "said")[-1]) == ([True], True)


def test_smoke_while_a_fall_is_asked_about_begins_its_own_countdown_and_is_named() -> None:
    scene = stage()
    scene.tell(Pressed("fall"))
    wait(scene, 8)
    scene.tell(Pressed("smoke"))
    asked = lines(scene, "asked")[-1]
    wait(scene, 60)
    assert (asked[:15], _first(scene, "sent") < 60, "求助：着火了。" in _told(scene)[0]) == ("烟雾感应器响了。王奶奶，我听见", True, True)


def test_smoke_during_a_countdown_makes_it_no_longer() -> None:
    sent = []
    for smoke in (False, True):
        scene = stage()
        hear(scene, CRY, woken=False)
        wait(scene, 8)
        if smoke:
            scene.tell(Pressed("smoke"))
        wait(scene, 60)
        sent.append(_first(scene, "sent"))
    assert (sent[1] <= sent[0], "求助：着火了；摔倒了，起不来。" in _told(scene)[0]) == (True, True)


def test_smoke_during_an_alarm_is_a_round_at_once_that_says_what_is_new() -> None:
    scene = _alerting()
    before = scene.clock.now
    scene.tell(Pressed("smoke"))
    wait(scene, 1)
    after = [one for one in scene.happened if one.kind == "sent" and one.at >= before]
    assert (len(after), all("新情况：着火了。王奶奶（王秀珍）12:00 求助：着火了；摔倒了，起不来。" in one.text for one in after), lines(scene, "said")[-1]) == (
        5, True, "烟雾感应器响了。王奶奶，我听见了，这就再告诉女儿刘敏和另外三个人。能走就先出门去，别回头拿东西。",
    )


def test_smoke_that_goes_on_during_an_alarm_is_said_once() -> None:
    scene = _alerting()
    for _ in range(3):
        scene.tell(Pressed("smoke"))
    assert len([text for text in lines(scene, "said") if "烟雾" in text]) == 1


def test_the_old_words_go_out_no_more_when_the_network_comes_back() -> None:
    scene = _alerting(People(network=False))
    scene.tell(Pressed("smoke"))
    scene.people.network = True
    wait(scene, 15)
    assert (len(_told(scene)), all("着火了" in text for text in _told(scene))) == (1, True)


@pytest.mark.parametrize("how", ["smoke", "着火了"])
def test_whoever_took_a_fall_has_not_taken_a_fire(how: str) -> None:
    scene = _alerting(People(answers={"刘敏": "coming"}))
    wait(scene, 60)
    taken, before = _state(scene), scene.clock.now - NOON
    scene.people.answers.clear()
    scene.tell(Pressed("smoke")) if how == "smoke" else hear(scene, how)
    wait(scene, 5)
    assert (taken, _state(scene), any("新情况：着火了" in text for text in _told(scene, before.total_seconds())), "出门" in lines(scene, "said")[-1]) == (
        State.ACKED, State.ALERTING, True, True,
    )


def test_whoever_is_on_the_way_to_a_cry_hears_at_once_that_she_fell() -> None:
    scene = stage(people=People(answers={"刘敏": "coming"}))
    hear(scene, "救命啊")
    wait(scene, 60)
    hear(scene, "救命啊")
    before = scene.clock.now - NOON
    wait(scene, 5)
    hear(scene, CRY)
    wait(scene, 2)
    assert (_state(scene), any("新情况：摔倒了" in text for text in _told(scene, before.total_seconds()))) == (State.ACKED, True)


def test_a_cry_without_a_name_takes_nothing_from_what_is_known() -> None:
    scene = _alerting()
    scene.tell(Pressed("help"))
    wait(scene, 1)
    assert scene.dialogue.store.find("incident")[0]["kind"] == "fall"


def test_smoke_is_told_to_the_family_also_while_a_helper_is_on_the_telephone() -> None:
    scene = _alerting(People(talk=90))
    scene.ring("13800000001")
    wait(scene, 10)
    scene.tell(Pressed("smoke"))
    wait(scene, 2)
    assert (any("新情况：着火了" in text for text in _told(scene)), lines(scene, "hung_up")) == (True, [])


def test_smoke_that_goes_on_after_it_was_called_off_is_an_alarm_again() -> None:
    scene = stage()
    scene.tell(Pressed("smoke"))
    scene.until_quiet()
    hear(scene, CANCEL)
    called_off = _state(scene)
    wait(scene, 40)
    scene.tell(Pressed("smoke"))
    again = _state(scene)
    wait(scene, 60)
    assert (called_off, again, _state(scene)) == (State.CANCELLED, State.PREALARM, State.ALERTING)


def test_a_power_cut_keeps_both_dangers() -> None:
    scene = stage()
    scene.tell(Pressed("fall"))
    hear(scene, CRY)
    scene.tell(Pressed("smoke"))
    again = stage(store=scene.dialogue.store, people=scene.people, at=scene.clock.now + timedelta(seconds=60))
    wait(again, 60)
    assert all("着火了；摔倒了，起不来" in text for text in _told(again))


def test_the_button_twice_sends_at_once() -> None:
    scene = stage()
    scene.tell(Pressed("help"))
    wait(scene, 2)
    scene.tell(Pressed("help"))
    wait(scene, 1)
    assert (_first(scene, "sent") <= 3, _state(scene)) == (True, State.ALERTING)


def test_the_cancel_button_stops_a_countdown_but_asks_about_a_running_alarm() -> None:
    scene = stage()
    scene.tell(Pressed("help"))
    scene.tell(Pressed("cancel"))
    first = _state(scene)
    scene = _alerting()
    scene.tell(Pressed("cancel"))
    assert (first, _state(scene), lines(scene, "asked")[-1]) == (
        State.CANCELLED, State.ALERTING, "王奶奶，真的没事了，可以让大家都停下来吗？"
    )


def test_a_cry_interrupts_any_conversation() -> None:
    scene = stage()
    hear(scene, "跟敏敏视频")
    hear(scene, "给敏敏捎个话")
    hear(scene, CRY, woken=False)
    assert _state(scene) is State.PREALARM


# --- the ladder ---------------------------------------------------------------------------------------------------


def test_messages_to_everybody_leave_within_two_seconds_of_the_window() -> None:
    scene, seen = stage(), Sent()
    scene.perform = seen.see
    hear(scene, CRY)
    scene.until_quiet()
    quiet = scene.clock.now
    wait(scene, 12)
    first = [(at - quiet).total_seconds() for at, _ in seen.notifies]
    assert (len(first), all(10 <= one <= 12 for one in first)) == (5, True)


def test_rounds_come_every_half_minute_sixteen_times_and_then_every_ten_minutes() -> None:
    scene = _alerting()
    wait(scene, 3600)
    rounds = [one.at for one in scene.happened if one.kind == "sent" and one.detail == "敏敏微信"]
    pauses = [round((b - a).total_seconds()) for a, b in itertools.pairwise(rounds)]
    assert (pauses[:15], pauses[15:]) == ([30] * 15, [600] * len(pauses[15:]))
    assert len(pauses[15:]) >= 4


def test_calls_follow_the_order_of_the_ladder_and_go_round() -> None:
    scene = _alerting()
    wait(scene, 240)
    assert [one.who for one in scene.happened if one.kind == "called"][:6] == ["刘敏", "刘强", "王建国", "刘小军", "刘敏", "刘强"]


@pytest.mark.parametrize("others", ["silent", "busy", "voicemail"])
def test_a_live_answer_on_the_fourth_contact_comes_within_four_minutes(others: str) -> None:
    scene = stage(people=People(answers={"刘敏": others, "刘强": others, "王建国": others, "刘小军": "coming"}))
    hear(scene, CRY)
    wait(scene, 300)
    assert (_first(scene, "acknowledged") <= 240, _state(scene)) == (True, State.ACKED)


def test_an_acknowledgement_stops_calls_and_tells_everybody_and_the_card_goes_to_one() -> None:
    scene = _alerting(People(answers={"刘强": "coming"}))
    wait(scene, 120)
    sent = [one for one in scene.happened if one.kind == "sent" and ("接手" in one.text or "密码锁" in one.text)]
    assert sorted((one.who, "密码锁二五八零" in one.text) for one in sent) == [
        ("刘小军", False), ("刘强", True), ("刘敏", False), ("王建国", False)
    ]
    assert [one.who for one in scene.happened if one.kind == "called"] == ["刘敏", "刘强"]
    assert lines(scene, "said")[-1] == "王奶奶，儿子刘强回话了，说来处理，您安心等着。"


def _group(*, line: bool = True, own: bool = False) -> dict[str, object]:
    """Three contacts in one group, which one of them knows by another name; 刘敏 has a channel of her own besides if `own`."""
    family = (
        Contact("刘敏", "女儿", (), "13800000001", ("家人群", *(["敏敏微信"] if own else [])), 1),
        Contact("刘强", "儿子", (), "13800000002", ("家人群",), 2), Contact("王建国", "邻居", (), "13800000004", ("邻居群",), 3),
    )
    channels = (Channel("家人群", "console://g"), Channel("邻居群", "console://g"), Channel("敏敏微信", "console://m"))
    return {"family": family, "channels": (*channels, Channel("电话", "sip:xiaoban@127.0.0.1")) if line else channels}


def test_a_group_gets_one_message_a_round_with_a_link_for_each_by_name() -> None:
    seen = Sent()
    scene = stage(household(**_group()))
    scene.perform = seen.see
    hear(scene, CRY)
    wait(scene, 60)
    first = [(action.person, action.channel) for _, action in seen.notifies if "遍" not in action.body]
    line = Links("http://h", b"s" * 32, lambda: NOON)(seen.notifies[0][1])
    told = incident.status(scene.dialogue.store, scene.dialogue.household, incident.live(scene.dialogue.store)).told  # type: ignore[arg-type]
    assert (first, [row.partition("：")[0] for row in line.splitlines()], told) == (
        [("刘敏、刘强、王建国", "家人群")], ["刘敏的回应请点", "刘强的回应请点", "王建国的回应请点"], ("刘敏", "刘强", "王建国")
    )


@pytest.mark.parametrize(("own", "line"), list(itertools.product([True, False], repeat=2)))
def test_the_card_is_never_written_where_others_read_it(own: bool, line: bool) -> None:
    scene, seen = stage(household(**_group(own=own, line=line))), Sent()
    scene.perform = seen.see
    hear(scene, CRY)
    wait(scene, 30)
    scene.tell(Acknowledged(seen.notifies[0][1].key, "刘敏", "coming"))
    wait(scene, 30)
    texts = [action.channel for _, action in seen.notifies if "密码锁二五八零" in action.body]
    calls = [action.person for _, action in seen.actions if isinstance(action, Call) and "进门的办法和病史念给您听" in action.text and "密码锁二五八零" in action.card]
    said = [text for text in lines(scene, "sent") if "进门的办法和病史不发" in text]
    taken = [text for text in lines(scene, "sent") if "有人接手了" in text]
    assert (texts, calls, len(said), len(taken)) == (
        (["敏敏微信"], [], 0, 1) if own else ([], ["刘敏"], 1, 1) if line else ([], [], 1, 1)
    )


def test_what_is_said_before_the_card_is_rendered_ahead_where_somebody_will_be_rung_for_it() -> None:
    said = [incident.card_call(home) in incident.will_say(home) for home in (household(), household(**_group()))]
    assert said == [False, True]


def test_who_pressed_a_key_has_heard_the_card_and_is_not_rung_again() -> None:
    scene, seen = stage(household(**_group()), People(answers={"刘敏": "coming"})), Sent()
    scene.perform = seen.see
    hear(scene, CRY)
    wait(scene, 120)
    calls = [action for _, action in seen.actions if isinstance(action, Call)]
    assert ([(call.person, "密码锁二五八零" in call.card) for call in calls], _state(scene)) == ([("刘敏", True)], State.ACKED)


def test_a_group_is_told_once_that_it_is_over() -> None:
    scene = stage(household(**_group()), People(answers={"刘敏": "all_clear"}))
    hear(scene, CRY)
    wait(scene, 120)
    assert sum("报警解除" in text for text in lines(scene, "sent")) == 1


def test_the_card_does_not_wait_for_a_channel_that_hangs() -> None:
    class Hanging(People):
        def deliver(self, notify: Notify) -> tuple[float, Delivered]:
            return (8.0, Delivered(notify.message, False, "timed out", ambiguous=True)) if notify.channel == "强子微信" else super().deliver(notify)

    scene = _alerting(Hanging())
    taken = scene.clock.now
    scene.tell(Acknowledged(str(message.last_key(scene.dialogue.store, "刘强")), "刘强", "coming"))
    wait(scene, 30)
    card = [one for one in scene.happened if one.kind == "sent" and "密码锁二五八零" in one.text]
    assert [(one.who, one.detail, one.at - taken < timedelta(seconds=10)) for one in card] == [("刘强", "强子邮件", True)]


def test_the_card_is_never_in_a_message_before_an_acknowledgement() -> None:
    scene = _alerting()
    wait(scene, 600)
    sent = "".join(lines(scene, "sent", "called"))
    assert [word for word in ("密码锁", "幸福小区", "高血压") if word in sent] == []


def test_an_answer_by_message_hangs_up_the_call_in_the_air() -> None:
    scene, seen = stage(), Sent()
    scene.perform = seen.see
    hear(scene, CRY)
    wait(scene, 30)
    (at, first), *_ = seen.notifies
    call = next(action for _, action in seen.actions if isinstance(action, Call))
    scene.tell(Acknowledged(first.key, "王建国", "coming"))
    assert HangUp(call.key) in [action for _, action in seen.actions]


def test_whoever_answers_late_is_told_that_it_is_taken_or_over() -> None:
    scene = _alerting()
    store = scene.dialogue.store
    hers, his = (str(message.last_key(store, name, ("incident",))) for name in ("刘敏", "刘强"))
    said = [incident.too_late(store, his, "刘强")]
    scene.tell(Acknowledged(hers, "刘敏", "coming"))
    said += [incident.too_late(store, hers, "刘敏"), incident.too_late(store, his, "刘强")]
    scene.tell(Acknowledged(hers, "刘敏", "all_clear"))
    said += [incident.too_late(store, his, "刘强")]
    assert said == ["", "", "收到了，已经告诉小伴。刘敏 先前也说来处理。谢谢您。", "这次报警已经解除了，不用再处理。谢谢您。"]


def test_nobody_arrived_in_a_quarter_of_an_hour_means_the_ladder_again() -> None:
    scene = _alerting(People(answers={"刘敏": "coming"}))
    before = len(lines(scene, "called"))
    wait(scene, 17 * 60)
    assert (before, len(lines(scene, "called")) > before, "还没到，那我再挨个叫一遍。" in lines(scene, "said")) == (1, True, True)


def test_arrival_ends_it_and_everybody_hears_the_end() -> None:
    scene = _alerting(People(answers={"刘敏": "coming"}))
    wait(scene, 15 * 60 + 10)
    hear(scene, "要")
    wait(scene, 10)
    assert (_state(scene), sum("报警解除" in text for text in lines(scene, "sent"))) == (State.CLOSED, 4)


@pytest.mark.parametrize(("said", "state"), [("到了到了", State.CLOSED), ("来了", State.CLOSED), ("还没到呢", State.ALERTING), ("不知道", State.ALERTING)])
def test_arrival_is_heard_in_the_words_people_use(said: str, state: State) -> None:
    scene = _alerting(People(answers={"刘敏": "coming"}))
    wait(scene, 15 * 60 + 10)
    hear(scene, said)
    assert _state(scene) is state


def test_all_clear_by_key_nine_ends_it() -> None:
    scene = _alerting(People(answers={"刘敏": "all_clear"}))
    wait(scene, 60)
    assert _state(scene) is State.CLOSED


@pytest.mark.parametrize("answer", ["seen", "declined", "moved"])
def test_only_taking_it_over_counts(answer: str) -> None:
    scene = _alerting()
    row = scene.dialogue.store.find("message", "purpose = 'incident'")[0]
    scene.tell(Acknowledged(row["key"], row["person"], answer))  # type: ignore[arg-type]
    assert _state(scene) is State.ALERTING


def test_a_second_cry_is_the_same_incident_without_a_new_countdown() -> None:
    scene = _alerting()
    hear(scene, CRY)
    assert (scene.dialogue.store.count("incident"), lines(scene, "said")[-1].startswith("王奶奶，我听见了，一直在办。")) == (1, True)


def test_a_cry_after_the_acknowledgement_reaches_the_helper_once_a_minute() -> None:
    scene = _alerting(People(answers={"刘敏": "coming"}))
    for _ in range(5):
        hear(scene, CRY)
        wait(scene, 5)
    assert sum("又喊了一次" in text for text in lines(scene, "sent")) == 4


# --- nothing works ------------------------------------------------------------------------------------------------


def test_without_a_network_the_siren_sounds_four_minutes_and_pauses() -> None:
    scene, seen = stage(people=People(network=False)), Sent()
    scene.perform = seen.see
    hear(scene, CRY)
    wait(scene, 900)
    sounds = [(at, action.name) for at, action in seen.actions if isinstance(action, Sound)]
    assert [name for _, name in sounds][:2] == ["siren", "siren_stop"]
    assert 235 <= (sounds[1][0] - sounds[0][0]).total_seconds() <= 245


def test_the_siren_does_not_stutter_between_calls_that_nobody_takes() -> None:
    scene, seen = stage(people=People(dead_channels={"敏敏微信", "强子微信", "强子邮件", "老王短信", "小军微信"})), Sent()
    scene.perform = seen.see
    hear(scene, CRY)
    wait(scene, 420)
    sounds = [(at, action.name) for at, action in seen.actions if isinstance(action, Sound)]
    assert [name for _, name in sounds] == ["siren", "siren_stop"]
    assert 235 <= (sounds[1][0] - sounds[0][0]).total_seconds() <= 245


def test_the_siren_goes_on_after_a_power_cut() -> None:
    scene = _alerting(People(network=False))
    wait(scene, 30)
    dialogue = Dialogue(scene.dialogue.store, scene.dialogue.household, Understands, Replies.load(shipped("intents")))
    again, seen = Stage(dialogue, VirtualClock(scene.clock.now + timedelta(seconds=5)), scene.people), Sent()
    again.perform = seen.see
    again.tell(Started())
    wait(again, 1)
    assert [action.name for _, action in seen.actions if isinstance(action, Sound)] == ["siren"]


def test_every_end_of_a_call_has_a_sentence_of_its_own() -> None:
    said = []
    for detail in incident.REACHED:
        scene = _alerting()
        call = next(m for m in message.of_incident(scene.dialogue.store, incident.PURPOSE, 1) if m.kind == "call" and m.state is message.State.SENDING)
        scene.tell(Delivered(call.id, False, detail))
        said.append(lines(scene, "said")[-1])
    assert (len(set(said)), {one.startswith("女儿刘敏") or one.startswith("儿子刘强") for one in said}) == (len(incident.REACHED), {True})


def test_an_account_that_is_refused_is_said_as_that() -> None:
    truth = Status(Texts.FAILED, Calls.FAILED, unrung=("刘敏",), refused=True)
    assert "账号登不上" in emergency.spoken(_turn(), truth)


def test_a_status_names_two_people_at_most() -> None:
    truth = Status(Texts.SENT, Calls.NONE, told=("刘敏", "刘强", "王建国", "刘小军"))
    assert emergency.spoken(_turn(), truth) == "发给女儿刘敏、儿子刘强等四个人的消息送出去了，还没有人回。"


def test_a_dead_line_is_not_blamed_on_people_and_a_dead_messenger_not_on_the_network() -> None:
    without, dead = _alerting(People(network=False)), _alerting(People(dead_channels={"敏敏微信", "强子微信", "强子邮件", "老王短信", "小军微信"}))
    for scene in (without, dead):
        wait(scene, 120)
    said = ["".join(lines(scene, "said")) for scene in (without, dead)]
    assert [("没有接" in one, "没有人来接手" in one, "网络不通" in one) for one in said] == [(False, False, True), (True, False, False)]


@pytest.mark.parametrize(("kind", "word"), [("fire", "出门"), ("gas", "别打火"), ("intruder", "躲好"), ("fall", "别着急起身")])
def test_what_to_do_meanwhile_fits_the_danger(kind: str, word: str) -> None:
    scene = stage()
    scene.dialogue._begin_meaning(Meaning("emergency.call", {"kind": kind, "grade": "likely", "woken": 1}), NOON, 0)
    wait(scene, 1)
    scene.tell(Pressed("help"))
    assert word in lines(scene, "said")[-1]


@pytest.mark.parametrize("number", [*sorted(AUTHORITIES), "+86120", "0086110", "028119", "sip:+86120@sip.example.com"])
def test_the_authorities_are_never_dialled(number: str) -> None:
    home = household()
    scene = _alerting(family=tuple(replace(contact, phone=number) for contact in home.family))
    wait(scene, 600)
    assert lines(scene, "called") == []


def test_an_alarm_of_yesterday_says_its_day() -> None:
    scene = stage(people=People(network=False), at=NOON.replace(hour=23, minute=45))
    hear(scene, CRY)
    wait(scene, 1200)
    scene.people.network = True
    wait(scene, 700)
    late, again = lines(scene, "sent")[0], lines(scene, "sent")[-1]
    assert ("11月22日23:45 的消息，现在才送出" in late, "11月22日23:45 求助" in again) == (True, True)


def test_without_a_network_the_elder_hears_what_she_can_do_herself() -> None:
    scene = _alerting(People(network=False))
    wait(scene, 60)
    said = "".join(lines(scene, "said"))
    assert ("消息发不出去，网络不通，我会一直试。" in said, "够得着电话请打一二零，或者大声叫邻居。" in said, "送出去了" in said) == (True, True, False)


def test_the_network_comes_back_and_the_alarm_goes_out_with_its_true_time() -> None:
    people = People(network=False)
    scene = _alerting(people)
    wait(scene, 1800)
    people.network = True
    wait(scene, 60)
    first = next(one for one in scene.happened if one.kind == "sent")
    assert ("12:00 求助" in first.text, "现在才送出" in first.text) == (True, True)


def test_nobody_in_the_file_is_said_and_not_hidden() -> None:
    scene = _alerting(family=(), channels=())
    wait(scene, 60)
    assert lines(scene, "said")[0] == "王奶奶，家里人的电话和消息都没有设好，我叫不到人。够得着电话请打一二零，或者大声叫邻居。"


def test_a_disk_that_cannot_be_written_does_not_stop_the_alarm() -> None:
    scene = stage(people=People(answers={"刘小军": "coming"}))
    scene.dialogue.store.db.execute("PRAGMA query_only = 1")
    hear(scene, CRY)
    wait(scene, 240)
    assert (_state(scene), bool(scene.dialogue.store.note)) == (State.ACKED, True)


# --- power --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 3, 12, 22, 24, 40, 70, 130, 200])
def test_after_a_power_cut_it_goes_on_in_the_same_state(seconds: int) -> None:
    people = People(answers={"刘小军": "coming"})
    scene = stage(people=people)
    hear(scene, CRY)
    wait(scene, seconds)
    before = _state(scene)
    dialogue = Dialogue(scene.dialogue.store, scene.dialogue.household, Understands, Replies.load(shipped("intents")))
    again = Stage(dialogue, VirtualClock(scene.clock.now + timedelta(seconds=5)), people)
    again.tell(Started())
    same = _state(again)
    again.run(again.clock.now + timedelta(seconds=300))
    assert (same, _state(again)) == (before, State.ACKED)


def test_a_countdown_that_ended_while_the_power_was_off_is_sent_at_once() -> None:
    scene = stage()
    hear(scene, CRY)
    dialogue = Dialogue(scene.dialogue.store, scene.dialogue.household, Understands, Replies.load(shipped("intents")))
    again = Stage(dialogue, VirtualClock(NOON + timedelta(hours=1)))
    again.tell(Started())
    again.run(again.clock.now + timedelta(seconds=2))
    assert (_state(again), len(lines(again, "sent"))) == (State.ALERTING, 5)


@pytest.mark.parametrize("by", [timedelta(days=365), timedelta(hours=-5), timedelta(seconds=30)])
def test_a_clock_step_changes_nothing_about_the_rounds(by: timedelta) -> None:
    scene = _alerting()
    wait(scene, 10)
    rounds = len(lines(scene, "sent"))
    scene.step(by)
    wait(scene, 31)
    assert len(lines(scene, "sent")) == rounds + 5


@pytest.mark.parametrize("by", [timedelta(hours=1), timedelta(hours=-1)])
def test_an_alarm_after_a_long_one_and_a_clock_step_goes_out_at_once(by: timedelta) -> None:
    scene = _alerting()
    wait(scene, 600)
    scene.tell(Pressed("cancel"))
    scene.until_quiet()
    hear(scene, "要")
    wait(scene, 30)
    scene.step(by)
    sent = len(lines(scene, "sent"))
    hear(scene, CRY)
    wait(scene, 60)
    assert len([text for text in lines(scene, "sent")[sent:] if "请马上联系老人" in text]) >= 5


def test_who_cries_again_after_the_clock_was_set_back_is_passed_on() -> None:
    scene = _alerting()
    scene.tell(Acknowledged(str(message.last_key(scene.dialogue.store, "刘敏")), "刘敏", "coming"))
    hear(scene, CRY)
    wait(scene, 10)
    scene.step(timedelta(hours=-1))
    wait(scene, 100)
    hear(scene, CRY)
    wait(scene, 10)
    assert sum("又喊了一次" in text for text in lines(scene, "sent")) == 2 * 4


# --- truth --------------------------------------------------------------------------------------------------------


def _turn() -> Turn:
    scene = stage()
    return Turn("emergency", NOON, household(), scene.dialogue.store, Replies.load(shipped("intents")))


@pytest.mark.parametrize(("texts", "calls"), list(itertools.product(Texts, Calls)))
def test_every_combination_of_results_has_an_honest_sentence(texts: Texts, calls: Calls) -> None:
    told = ("刘敏",) if texts is Texts.SENT else ()
    said = emergency.spoken(_turn(), Status(texts, calls, told, "刘强" if calls is Calls.RINGING else "", ("王建国",) if calls is Calls.FAILED else ()))
    assert ("送出去了" in said) == (texts is Texts.SENT)
    assert ("正在打给儿子刘强" in said) == (calls is Calls.RINGING)
    assert ("一二零" in said) == (texts in (Texts.NONE, Texts.FAILED) and calls in (Calls.NONE, Calls.FAILED))
    assert said


def _ended(store: Store, how: str) -> bool:
    return any(m["kind"] == "call" and m["detail"] == how for m in store.find("message"))


CLAIMS = {
    "送出去了": lambda s: any(m["state"] in ("sent", "answered") for m in s.find("message")),
    "回话了，说来处理": lambda s: any(m["answer"] == "coming" for m in s.find("message")),
    "答应来处理": lambda s: any(i["person"] for i in s.find("incident")),
    "正在打给": lambda s: any(m["kind"] == "call" for m in s.find("message")),
    "没有接，我打": lambda s: _ended(s, "no answer"),
    "占线": lambda s: _ended(s, "busy"),
    "按掉了": lambda s: _ended(s, "declined"),
    "没有人按键": lambda s: _ended(s, "answered without a key"),
    "没有按一": lambda s: _ended(s, "wrong key"),
    "没有人来接手": lambda s: any(m["kind"] == "call" and m["state"] == "failed" for m in s.find("message")),
    "说没事了": lambda s: any(m["answer"] == "all_clear" for m in s.find("message")),
    "发不出去": lambda s: any(t["outcome"] in ("fail", "maybe") for t in s.find("try")),
}
"""Words that claim something, and the rows that must exist when they are said."""

NEVER = ("已经通知", "已经叫了", "打通", "有人来了", "正在赶来", "马上就到")
"""Words for which no row could ever be proof."""


@settings(max_examples=40, deadline=None)
@given(
    network=st.lists(st.booleans(), min_size=1, max_size=6),
    dead=st.sets(st.sampled_from(["敏敏微信", "强子微信", "强子邮件", "老王短信", "小军微信", "电话"])),
    answers=st.dictionaries(st.sampled_from(["刘敏", "刘强", "王建国", "刘小军"]), st.sampled_from(["coming", "all_clear", "busy", "voicemail", "silent"])),
    said=st.lists(st.sampled_from([CRY, SYMPTOM, CANCEL, "要", "不", "嗯"]), max_size=5),
)
def test_nothing_is_claimed_without_the_row_that_makes_it_true(
    network: list[bool], dead: set[str], answers: dict[str, str], said: list[str]
) -> None:
    people = People(dead_channels=dead, answers=answers)
    scene = stage(people=people)
    lies: list[str] = []

    def listen(action: object, _now: object) -> None:
        text = getattr(action, "text", "") if type(action).__name__ in ("Say", "Ask") else ""
        lies.extend(word for word, true in CLAIMS.items() if word in text and not true(scene.dialogue.store))
        lies.extend(word for word in NEVER if word in text)

    scene.perform = listen
    hear(scene, CRY, woken=False)
    for number, up in enumerate(network):
        people.network = up
        wait(scene, 25)
        if number < len(said):
            hear(scene, said[number])
    wait(scene, 100)
    assert lies == []


# --- reachability -------------------------------------------------------------------------------------------------


MIXES = int(os.environ.get("XIAOBAN_MIXES", "60"))
"""How many seeds are tried here; `make bench-faults` tries ten thousand."""


def test_a_person_is_reached_in_time_whenever_one_channel_works() -> None:
    assert [wrong for _, found in mixes.lost(range(MIXES)) for wrong in found] == []


def test_a_mix_of_faults_is_the_same_each_time() -> None:
    assert mixes.run(4)[0].happened == mixes.run(4)[0].happened


# --- drill --------------------------------------------------------------------------------------------------------


def test_a_drill_walks_the_ladder_marked_and_tells_the_truth() -> None:
    scene = stage(people=People(dead_channels={"老王短信"}))
    hear(scene, "咱们演习一回")
    scene.until_quiet()
    hear(scene, "要")
    wait(scene, 300)
    sent = lines(scene, "sent")
    assert (all("演习" in text for text in sent), len(sent), _state(scene)) == (True, 4, State.CLOSED)
    assert lines(scene, "said")[-1] == (
        "演习的消息送到了：女儿刘敏、儿子刘强、孙子刘小军。没有送到：邻居王建国，请家里人看看他们的通知设得对不对。"
        "电话没有人应：女儿刘敏、儿子刘强、邻居王建国、孙子刘小军。演习完了。"
    )


def test_a_drill_that_is_taken_ends_and_gives_away_no_card() -> None:
    scene = stage(people=People(answers={"刘敏": "coming"}))
    hear(scene, "咱们演习一回")
    scene.until_quiet()
    hear(scene, "要")
    wait(scene, 100)
    assert (_state(scene), lines(scene, "said")[-1], any("密码锁" in text for text in lines(scene, "sent", "called"))) == (
        State.CLOSED, "女儿刘敏应了演习。演习完了。", False
    )


def test_the_real_thing_ends_a_drill() -> None:
    scene = stage()
    hear(scene, "咱们演习一回")
    scene.until_quiet()
    hear(scene, "要")
    wait(scene, 10)
    hear(scene, CRY)
    wait(scene, 30)
    assert [row["state"] for row in scene.dialogue.store.find("incident")] == ["closed", "alerting"]


def test_the_real_thing_hangs_up_a_drill_before_it_calls_anybody() -> None:
    scene = stage()
    hear(scene, "咱们演习一回")
    scene.until_quiet()
    hear(scene, "要")
    wait(scene, 3)
    drilled = [row["key"] for row in scene.dialogue.store.find("message", "kind = 'call'")]
    scene.tell(Pressed("help"))
    assert (len(drilled), lines(scene, "hung_up")) == (1, drilled)


def test_nobody_is_said_to_be_rung_while_another_call_has_the_line() -> None:
    people = People(answers=dict.fromkeys(("刘敏", "刘强", "王建国", "刘小军"), "busy"))
    scene = _alerting(people)
    wait(scene, 10)
    people.answers.clear()
    hear(scene, "给强子打电话")
    wait(scene, 20)
    known = incident.live(scene.dialogue.store)
    assert known is not None
    called, truth = len(lines(scene, "called")), incident.status(scene.dialogue.store, scene.dialogue.household, known)
    wait(scene, 12)
    later = incident.status(scene.dialogue.store, scene.dialogue.household, known)
    assert (called, truth.ringing, later.ringing) == (6, "", "刘敏")


# --- words --------------------------------------------------------------------------------------------------------


def test_the_prompt_is_short_enough_to_be_heard() -> None:
    scene = stage()
    hear(scene, CRY)
    (asked,) = lines(scene, "asked")
    assert len(asked) <= 50


def test_only_the_prealarm_may_hold_a_cancel_phrase() -> None:
    replies = Replies.load(shipped("intents"))
    holding = {key for (skill, key), texts in replies.sentences.items() if skill == "emergency" and any(CANCEL in t for t in texts)}
    assert holding == {"prealarm", "prealarm_louder", "say_it_whole"}


def test_a_name_with_strange_characters_is_only_a_name() -> None:
    scene = _alerting(elder=Elder("{王}'; DROP TABLE incident;--\r\n", "王{0}奶奶%s"))
    assert _state(scene) is State.ALERTING


def test_messages_name_no_illness_and_are_short() -> None:
    scene = _alerting()
    body = message.get(scene.dialogue.store, 1)
    assert body is not None
    assert len(body.body) <= 80


def test_the_ladder_can_ask_only_at_its_own_time() -> None:
    scene, seen = stage(), Sent()
    scene.perform = seen.see
    hear(scene, CRY)
    wait(scene, 400)
    assert [type(a) for _, a in seen.actions if isinstance(a, Ask)] == [Ask]


def test_grades_follow_the_phrase_and_the_wake_word() -> None:
    table = [
        ({"kind": "fall", "woken": 1}, "certain"), ({"kind": "fall", "woken": 0}, "likely"), ({"kind": "generic"}, "likely"),
        ({"kind": "chest_pain", "woken": 1}, "unsure"), ({"kind": "chest_pain", "grade": "likely", "woken": 1}, "certain"),
        ({"kind": "generic", "grade": "unsure", "woken": 1}, "unsure"),
    ]
    assert [incident.grade(Meaning("emergency.call", slots)).value for slots, _ in table] == [grade for _, grade in table]
