"""Calls and messages by voice: asked, sent, answered or not, and said as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from assistant.care import message, request
from assistant.messages import Acknowledged, Pressed
from assistant.skills import fraud
from assistant.stage import People, Stage
from tests.faults.scene import hear, household, lines, stage, wait
from tests.talks import HOME, Home, at, said


def _key(scene: Stage, number: int = 1) -> str:
    found = message.get(scene.dialogue.store, request.known(scene.dialogue.store, number).message)
    assert found is not None
    return found.key


def test_a_video_call_goes_from_asked_to_sent_to_accepted() -> None:
    scene = stage()
    hear(scene, "跟敏敏视频")
    wait(scene, 20)
    scene.tell(Acknowledged(_key(scene), "刘敏", "accepted"))
    assert lines(scene, "said", "asked") == [
        "好，我这就给女儿刘敏发消息，请来视频。", "给女儿刘敏的消息送出去了，等着回话呢。", "女儿刘敏说好，马上就来视频。"
    ]


def test_the_message_carries_a_room_of_its_own() -> None:
    scene = stage()
    hear(scene, "跟敏敏视频")
    wait(scene, 30)
    hear(scene, "跟小军视频")
    wait(scene, 30)
    rooms = [request.known(scene.dialogue.store, n).link for n in (1, 2)]
    sent = lines(scene, "sent")
    assert (all(r in s for r, s in zip(rooms, sent, strict=True)), rooms[0] != rooms[1], rooms[0].startswith("https://meet.example/")) == (True, True, True)


def test_offline_a_request_is_noted_and_sent_when_the_network_is_back() -> None:
    people = People(network=False)
    scene = stage(people=people)
    hear(scene, "跟敏敏视频")
    wait(scene, 120)
    people.network = True
    wait(scene, 1800)
    said = lines(scene, "said")
    assert said[:3] == [
        "好，我这就给女儿刘敏发消息，请来视频。", "网络不通，给女儿刘敏的消息还没送出去。我记下了，网一通就先送它。",
        "给女儿刘敏的消息送出去了，等着回话呢。",
    ]


def test_nobody_answers_and_the_telephone_is_offered() -> None:
    scene = stage(people=People(answers={"刘敏": "busy"}))
    hear(scene, "跟敏敏视频")
    wait(scene, 310)
    hear(scene, "要")
    wait(scene, 30)
    assert lines(scene, "said", "asked")[2:] == [
        "女儿刘敏还没有回话。要不要我打电话试试？", "好，我拨女儿刘敏的电话，通了您就说话。",
        "女儿刘敏的电话占线。要不要我发消息，请回个电话？", "好，那先不打扰。您想找人再喊我。",
    ]


def test_declined_is_said_kindly() -> None:
    scene = stage()
    hear(scene, "跟敏敏视频")
    wait(scene, 20)
    scene.tell(Acknowledged(_key(scene), "刘敏", "declined"))
    assert lines(scene, "said")[-1] == "女儿刘敏说现在不方便，晚点再联系您。"


def test_without_a_telephone_a_message_asks_to_be_called() -> None:
    home = household()
    scene = stage(household(channels=tuple(c for c in home.channels if c.name != "电话")))
    hear(scene, "给强子打电话")
    wait(scene, 30)
    assert lines(scene, "said", "sent", "called") == [
        "我这儿没有设电话，打不了。我给儿子刘强发消息，请打给您。", "请回个电话：王奶奶想跟您说说话，方便的时候请打个电话过来。",
        "消息送出去了，儿子刘强看见了会打给您。",
    ]


def test_a_message_is_read_back_before_it_leaves() -> None:
    scene = stage()
    hear(scene, "告诉敏敏我今天炖了排骨")
    scene.until_quiet()
    before = lines(scene, "sent")
    hear(scene, "要")
    wait(scene, 20)
    assert (before, lines(scene, "asked", "said", "sent")) == ([], [
        "给女儿刘敏的话是：我今天炖了排骨。这样发，对吗？", "好，我这就发给女儿刘敏。",
        "王奶奶捎来一句话：王奶奶说：我今天炖了排骨", "给女儿刘敏的话送出去了。",
    ])


def test_missing_words_are_asked_for_and_a_no_asks_again() -> None:
    scene = stage()
    hear(scene, "给敏敏捎个话")
    scene.until_quiet()
    hear(scene, "今天下雨了")
    scene.until_quiet()
    hear(scene, "不")
    scene.until_quiet()
    hear(scene, "今天出太阳了")
    scene.until_quiet()
    hear(scene, "要")
    wait(scene, 20)
    assert lines(scene, "sent") == ["王奶奶捎来一句话：王奶奶说：今天出太阳了"]


def test_silence_after_the_reading_back_sends_nothing() -> None:
    scene = stage()
    hear(scene, "告诉敏敏我今天炖了排骨")
    wait(scene, 60)
    assert (lines(scene, "sent"), lines(scene, "said")) == ([], ["那这条先不发。想说了再喊我。"])


def test_who_is_asked_when_nobody_was_named() -> None:
    scene = stage(people=People(answers={"刘强": "busy"}))
    hear(scene, "打个电话")
    scene.until_quiet()
    hear(scene, "刘强")
    wait(scene, 5)
    assert lines(scene, "called") == [""]


@pytest.mark.parametrize("state", list(request.State))
def test_every_state_but_the_last_ones_can_be_left(state: request.State) -> None:
    final = {request.State.DECLINED, request.State.DONE, request.State.GIVEN_UP}
    assert any(before is state for before, _ in request.TRANSITIONS) == (state not in final)


# --- somebody rings -----------------------------------------------------------------------------------------------

DAUGHTER, STRANGER = "+8613800000001", "01012345678"


def _rows(scene: Stage) -> list[tuple[str, str, str]]:
    return [(row["kind"], row["person"], row["state"]) for row in scene.dialogue.store.find("request")]


def _rung(scene: Stage, number: str) -> None:
    """The telephone rings, and who it is has been said."""
    scene.ring(number)
    wait(scene, 0.5)
    scene.until_quiet()


def test_a_call_is_announced_by_name_and_answered_by_voice() -> None:
    scene = stage()
    _rung(scene, DAUGHTER)
    hear(scene, "接", woken=False)
    wait(scene, 60)
    assert lines(scene, "asked", "said", "picked_up") == [
        "女儿刘敏来电话了，接不接？", "好，这就接。", "", "女儿刘敏的电话通了，您说话。", "电话挂了。",
    ]
    assert _rows(scene) == [("incoming", "刘敏", "done")]


def test_a_call_can_be_refused_and_a_stranger_is_called_one() -> None:
    scene = stage()
    _rung(scene, STRANGER)
    hear(scene, "不接", woken=False)
    wait(scene, 5)
    assert (lines(scene, "asked", "said"), lines(scene, "hung_up"), _rows(scene)) == (
        ["有个不认识的号码来电话，接不接？", "好，不接。"], ["in-1"], [("incoming", "", "declined")],
    )


def test_a_call_nobody_answers_is_told_once_and_never_picked_up() -> None:
    scene = stage()
    scene.ring(DAUGHTER, 25)
    wait(scene, 120)
    assert (lines(scene, "said"), lines(scene, "picked_up"), _rows(scene)) == (
        ["刚才女儿刘敏来过电话，没有接上。"], [], [("incoming", "刘敏", "nobody")],
    )


@pytest.mark.parametrize(("number", "picked"), [(DAUGHTER, 1), (STRANGER, 0)])
def test_during_an_alarm_the_familys_calls_are_answered_at_once_and_strangers_never(number: str, picked: int) -> None:
    scene = stage()
    hear(scene, "救命啊我摔倒了")
    wait(scene, 40)
    scene.ring(number)
    wait(scene, 3)
    assert len(lines(scene, "picked_up")) == picked


@pytest.mark.parametrize(("minutes", "picked"), [(9, 1), (11, 0)])
def test_ten_minutes_after_an_alarm_too(minutes: int, picked: int) -> None:
    scene = stage(people=People(answers={"刘敏": "all_clear"}))
    hear(scene, "救命啊我摔倒了")
    wait(scene, 60)
    wait(scene, minutes * 60)
    scene.ring(DAUGHTER)
    wait(scene, 3)
    assert len(lines(scene, "picked_up")) == picked


def test_a_cancelled_alarm_opens_no_microphone() -> None:
    scene = stage()
    hear(scene, "救命啊我摔倒了")
    scene.until_quiet()
    hear(scene, "我没事不用叫")
    wait(scene, 100)
    scene.ring(DAUGHTER)
    wait(scene, 3)
    assert lines(scene, "picked_up") == []


def test_a_countdown_is_never_held_up_by_a_call() -> None:
    alone, rung = stage(), stage()
    for scene in (alone, rung):
        hear(scene, "救命啊我摔倒了", woken=False)
    rung.ring(DAUGHTER, 90)
    first = []
    for scene in (alone, rung):
        wait(scene, 70)
        first.append(next(one.at for one in scene.happened if one.kind == "sent"))
    picked = next(one.at for one in rung.happened if one.kind == "picked_up")
    assert (first[0] == first[1], picked >= first[1]) == (True, True)


def test_while_a_contact_talks_to_the_elder_the_ladder_rings_nobody_and_then_goes_on() -> None:
    scene = stage(people=People(talk=90))
    hear(scene, "救命啊我摔倒了")
    wait(scene, 40)
    scene.ring(DAUGHTER)
    wait(scene, 31)
    before = len(lines(scene, "called"))
    wait(scene, 55)
    during = len(lines(scene, "called"))
    wait(scene, 60)
    assert (during - before, len(lines(scene, "called")) > during) == (0, True)


def test_a_cry_during_a_call_in_an_alarm_does_not_hang_up_on_the_helper() -> None:
    scene = stage(people=People(talk=90))
    hear(scene, "救命啊我摔倒了")
    wait(scene, 40)
    scene.ring(DAUGHTER)
    wait(scene, 10)
    hear(scene, "救命啊我摔倒了", woken=False)
    scene.tell(Pressed("help"))
    wait(scene, 5)
    assert lines(scene, "hung_up") == []


def test_a_cry_during_any_other_call_hangs_up_and_begins_an_alarm() -> None:
    scene = stage(people=People(talk=300))
    _rung(scene, STRANGER)
    hear(scene, "接", woken=False)
    wait(scene, 8)
    hear(scene, "救命啊我摔倒了", woken=False)
    wait(scene, 1)
    assert (lines(scene, "hung_up"), _rows(scene)[0], len(scene.dialogue.store.find("incident"))) == (
        ["in-1"], ("incoming", "", "done"), 1,
    )


def test_a_key_in_a_call_that_rang_us_takes_the_alarm() -> None:
    scene = stage(people=People(talk=90))
    hear(scene, "救命啊我摔倒了")
    wait(scene, 40)
    scene.ring(DAUGHTER)
    wait(scene, 10)
    scene.tell(Acknowledged("in-1", "", "coming"))
    wait(scene, 2)
    rows = scene.dialogue.store.find("incident")
    assert (rows[0]["state"], rows[0]["person"], "in-1" in lines(scene, "hung_up")) == ("acked", "刘敏", False)


def test_a_key_of_somebody_the_alarm_has_not_reached_yet_takes_it_too() -> None:
    home = household()
    grandson = replace(home.family[3], notify=())
    scene = stage(replace(home, family=(*home.family[:3], grandson)), People(talk=90))
    hear(scene, "救命啊我摔倒了")
    wait(scene, 25)
    told = scene.dialogue.store.find("message", "person = ?", grandson.name)
    scene.ring(grandson.phone)
    wait(scene, 6)
    scene.tell(Acknowledged("in-1", "", "coming"))
    wait(scene, 2)
    row = scene.dialogue.store.find("incident")[0]
    assert (told, row["state"], row["person"], "刘小军回话了" in lines(scene, "said")[-1]) == ([], "acked", "刘小军", True)


def test_a_key_means_the_alarm_that_is_going_on_and_not_an_older_one() -> None:
    scene = stage(people=People(answers={"刘小军": "all_clear"}, talk=90))
    hear(scene, "救命啊我摔倒了")
    wait(scene, 200)
    scene.people.answers.clear()
    wait(scene, 700)
    scene.people.dead_channels = {"小军微信"}
    hear(scene, "救命啊我摔倒了")
    wait(scene, 25)
    scene.ring("13800000003")
    wait(scene, 6)
    scene.tell(Acknowledged("in-1", "", "coming"))
    wait(scene, 2)
    assert [row["state"] for row in scene.dialogue.store.find("incident")] == ["closed", "acked"]


def test_a_stranger_who_presses_a_key_takes_nothing_over() -> None:
    scene = stage(people=People(talk=90))
    hear(scene, "救命啊我摔倒了")
    wait(scene, 40)
    scene.ring(STRANGER)
    wait(scene, 3)
    scene.tell(Acknowledged("in-1", "", "coming"))
    assert scene.dialogue.store.find("incident")[0]["state"] == "alerting"


def test_a_stranger_is_not_announced_while_help_is_called_and_holds_up_nobody() -> None:
    alone, rung = stage(), stage(people=People(talk=500))
    for scene in (alone, rung):
        hear(scene, "救命啊我摔倒了")
        wait(scene, 30)
    rung.ring(STRANGER, 60)
    wait(rung, 8)
    rung.until_quiet()
    hear(rung, "接")
    for scene in (alone, rung):
        scene.run(alone.clock.now.replace(minute=12))
    calls = [[one.at for one in scene.happened if one.kind == "called"] for scene in (alone, rung)]
    assert (calls[0] == calls[1], lines(rung, "asked", "picked_up")) == (True, lines(alone, "asked", "picked_up"))


def test_a_stranger_who_rang_during_an_alarm_is_told_of_once_it_is_taken() -> None:
    scene = stage()
    hear(scene, "救命啊我摔倒了")
    wait(scene, 30)
    scene.ring(STRANGER, 20)
    wait(scene, 120)
    during = [text for text in lines(scene, "said") if "不认识的号码" in text]
    scene.people.answers["刘敏"] = "coming"
    wait(scene, 300)
    assert (during, [text for text in lines(scene, "said") if "不认识的号码" in text]) == ([], ["刚才有个不认识的号码来过电话，没有接。"])


def test_a_stranger_who_was_picked_up_just_before_is_hung_up_for_the_alarm() -> None:
    scene = stage(people=People(talk=500))
    _rung(scene, STRANGER)
    hear(scene, "接", woken=False)
    hear(scene, "救命啊我摔倒了")
    wait(scene, 60)
    assert (lines(scene, "hung_up"), len(lines(scene, "called")) > 0) == (["in-1"], True)


def test_a_stranger_on_the_telephone_does_not_keep_us_from_asking_whether_help_has_come() -> None:
    scene = stage(people=People(answers={"刘敏": "coming"}, talk=3000))
    hear(scene, "救命啊我摔倒了")
    wait(scene, 700)
    _rung(scene, STRANGER)
    hear(scene, "接", woken=False)
    wait(scene, 500)
    assert ("王奶奶，女儿刘敏到了吗？" in lines(scene, "asked"), lines(scene, "hung_up")) == (True, ["in-1"])


def test_an_alarm_hangs_up_a_call_that_still_rings_and_begins_its_own_at_once() -> None:
    scene = stage()
    hear(scene, "给强子打电话")
    wait(scene, 3)
    key = scene.dialogue.store.find("message")[0]["key"]
    scene.tell(Pressed("help"))
    wait(scene, 1)
    scene.tell(Pressed("help"))
    kinds = [(one.kind, one.text if one.kind == "hung_up" else one.who) for one in scene.happened if one.kind in ("hung_up", "called")]
    wait(scene, 60)
    assert (kinds, _rows(scene), [text for text in lines(scene, "asked") if "捎" in text or "留" in text]) == (
        [("called", "刘强"), ("hung_up", key), ("called", "刘敏")], [("voice", "刘强", "given_up")], [],
    )


def test_a_son_who_answers_during_the_countdown_is_not_hung_up_for_the_alarm() -> None:
    scene = stage(people=People(answers={"刘强": "accepted"}, talk=120))
    hear(scene, "给强子打电话")
    wait(scene, 3)
    hear(scene, "救命啊我摔倒了")
    wait(scene, 40)
    assert (lines(scene, "hung_up"), lines(scene, "asked", "said")[-1], [one.who for one in scene.happened if one.kind == "called"]) == (
        [], "儿子刘强的电话通了，您说话。", ["刘强"],
    )


def test_what_is_said_on_the_telephone_is_not_written_down_and_only_hanging_up_is_obeyed() -> None:
    scene = stage(people=People(answers={"刘强": "accepted"}, talk=300))
    hear(scene, "给强子打电话")
    wait(scene, 20)
    hear(scene, "跟敏敏视频")
    wait(scene, 2)
    requests = len(_rows(scene))
    hear(scene, "挂了", woken=False)
    wait(scene, 5)
    heard = [row["text"] for row in scene.dialogue.store.find("log", "kind = 'heard'")]
    assert (requests, heard, lines(scene, "said")[-1], _rows(scene)) == (
        1, ["给强子打电话"], "电话挂了。", [("voice", "刘强", "done")],
    )


def test_the_elder_can_take_back_a_call_that_still_rings() -> None:
    scene = stage()
    hear(scene, "给强子打电话")
    wait(scene, 5)
    hear(scene, "挂了")
    wait(scene, 60)
    assert (lines(scene, "said")[-1], len(lines(scene, "called")), _rows(scene)) == (
        "电话挂了。", 1, [("voice", "刘强", "given_up")],
    )


@pytest.mark.parametrize(
    ("number", "who"),
    [("13800000001", "刘敏"), ("+8613800000001", "刘敏"), ("008613800000001", "刘敏"), ("8613800000001", "刘敏"),
     ("sip:13800000001@provider.example;user=phone", "刘敏"), ("138-0000-0001", "刘敏"), ("1380000000", ""), ("", ""),
     ("anonymous@anonymous.invalid", ""), ("0013800000001", ""), ("138000000011", "")],
)
def test_a_number_is_known_however_it_is_written(number: str, who: str) -> None:
    found = request.contact_of(household(), number)
    assert (found.name if found else "") == who


@pytest.mark.parametrize(
    ("address", "who"),
    [("liumin@sip.example.com", "刘敏"), ("sip:LiuMin@SIP.example.com:5060;transport=udp", "刘敏"), ("sips:liumin@sip.example.com", "刘敏"),
     ("liumin@sip.example.org", ""), ("liumin", ""), ("xliumin@sip.example.com", ""), ("@sip.example.com", ""), ("a@liumin@sip.example.com", "")],
)
def test_somebody_with_an_account_and_no_number_is_known_by_it(address: str, who: str) -> None:
    home = household()
    home = replace(home, family=(replace(home.family[0], phone="sip:liumin@sip.example.com"), *home.family[1:]))
    found = request.contact_of(home, address)
    assert (found.name if found else "") == who


@pytest.mark.parametrize(("phone", "told"), [
    ("13800000001", "请您自己打个电话：幺 三 八 零 零 零 零 零 零 零 幺"), ("sip:liumin@sip.example.com", "您先等等，见了女儿商量好再说"), ("", "您先等等"),
])
def test_a_warned_elder_is_given_a_number_only_where_there_is_one_to_dial(phone: str, told: str) -> None:
    daughter = replace(HOME.family[0], phone=phone, notify=())
    home = Home(fraud.skill, at("15:00"), replace(HOME, family=(daughter,)))
    assert told in home.elder(said("fraud.warn"), said("dialogue.yes"))[-1]


def test_a_call_from_an_account_is_announced_by_name() -> None:
    home = household()
    scene = stage(replace(home, family=(replace(home.family[0], phone="sip:liumin@sip.example.com"), *home.family[1:])))
    _rung(scene, "liumin@sip.example.com")
    assert lines(scene, "asked") == ["女儿刘敏来电话了，接不接？"]


def test_after_a_power_cut_nobody_is_on_the_telephone_and_old_calls_are_not_rung_again() -> None:
    scene = stage(people=People(talk=3000))
    _rung(scene, DAUGHTER)
    hear(scene, "接", woken=False)
    wait(scene, 8)
    again = stage(store=scene.dialogue.store, at=scene.clock.now)
    wait(again, 30)
    assert (_rows(again), lines(again, "called")) == ([("incoming", "刘敏", "done")], [])


def test_a_call_asked_for_before_a_long_power_cut_is_not_made() -> None:
    scene = stage()
    hear(scene, "给强子打电话")
    wait(scene, 2)
    again = stage(store=scene.dialogue.store, at=scene.clock.now + timedelta(hours=3))
    wait(again, 60)
    assert (lines(again, "called"), _rows(again)) == ([], [("voice", "刘强", "given_up")])


# --- who rang, and the same once more -----------------------------------------------------------------------------


def test_who_rang_is_told_and_rung_back_when_wanted() -> None:
    scene = stage()
    scene.ring(DAUGHTER, 25)
    wait(scene, 60)
    hear(scene, "谁给我打的电话")
    scene.until_quiet()
    hear(scene, "要")
    wait(scene, 20)
    assert (lines(scene, "asked")[-1], lines(scene, "said")[-1], len(lines(scene, "called"))) == (
        "中午十二点，女儿刘敏来过电话，没有接上。要不要给女儿刘敏打回去？", "好，我拨女儿刘敏的电话，通了您就说话。", 1,
    )


@pytest.mark.parametrize("answer", ["不", ""])
def test_who_rang_is_not_rung_back_unasked(answer: str) -> None:
    scene = stage()
    scene.ring(DAUGHTER, 25)
    wait(scene, 60)
    hear(scene, "谁给我打的电话")
    scene.until_quiet()
    if answer:
        hear(scene, answer)
    wait(scene, 60)
    assert (lines(scene, "said")[-1], lines(scene, "called")) == ("好，那先不打扰。您想找人再喊我。", [])


def test_a_number_nobody_knows_is_told_of_and_never_rung() -> None:
    scene = stage()
    scene.ring(STRANGER, 20)
    wait(scene, 60)
    hear(scene, "谁给我打的电话")
    wait(scene, 40)
    hear(scene, "再打一遍")
    wait(scene, 40)
    assert ("一个不认识的号码来过电话" in lines(scene, "said")[-2], lines(scene, "asked")[-1][:4], lines(scene, "called")) == (True, "您想找谁", [])


def test_whether_one_of_them_rang() -> None:
    scene = stage()
    scene.ring(DAUGHTER, 25)
    wait(scene, 60)
    hear(scene, "强子来过电话没有")
    wait(scene, 40)
    hear(scene, "敏敏来过电话没有")
    scene.until_quiet()
    assert (lines(scene, "said")[-1], "女儿刘敏来过电话，没有接上。" in lines(scene, "asked")[-1]) == ("这一天里儿子刘强没有打到我这儿来过。", True)


def test_a_call_of_the_day_before_yesterday_is_told_no_more() -> None:
    scene = stage()
    scene.ring(DAUGHTER, 25)
    wait(scene, 86400 + 120)
    hear(scene, "谁给我打的电话")
    wait(scene, 20)
    assert lines(scene, "said")[-1] == "这一天里没有电话打到我这儿来。"


def test_without_a_telephone_nobody_knows_who_rang() -> None:
    home = household()
    scene = stage(household(channels=tuple(c for c in home.channels if c.name != "电话")))
    hear(scene, "谁给我打的电话")
    wait(scene, 20)
    assert lines(scene, "said") == ["我这儿没有设电话，谁打过电话来，我不知道。"]


@pytest.mark.parametrize(("answer", "rung"), [("要", 2), ("不", 1), ("", 1)])
def test_once_more_means_the_one_of_before_if_she_says_so(answer: str, rung: int) -> None:
    scene = stage(people=People(answers={"刘强": "busy"}))
    hear(scene, "给强子打电话")
    wait(scene, 30)
    hear(scene, "不")
    wait(scene, 120)
    hear(scene, "再打一遍")
    scene.until_quiet()
    asked = lines(scene, "asked")[-1]
    if answer:
        hear(scene, answer)
    wait(scene, 90)
    assert (asked, len(lines(scene, "called"))) == ("是给儿子刘强打吗？", rung)
