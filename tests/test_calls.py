"""Calls and messages by voice: asked, sent, answered or not, and said as it is."""

from __future__ import annotations

import pytest

from assistant.care import message, request
from assistant.messages import Acknowledged
from assistant.stage import People, Stage
from tests.faults.scene import hear, household, lines, stage, wait


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
