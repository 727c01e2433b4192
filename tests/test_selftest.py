"""The daily silent test: nobody is disturbed, and a dead channel does not stay unknown."""

from __future__ import annotations

from assistant.care import selftest
from assistant.messages import Notify
from assistant.stage import People
from tests.faults.scene import Sent, household, lines, stage, wait

DAY = 86400


def test_every_channel_is_tried_once_a_day_with_nothing_to_read() -> None:
    scene, seen = stage(), Sent()
    scene.perform = seen.see
    wait(scene, 2 * DAY)
    tried = [(action.channel, action.title + action.body) for _, action in seen.notifies]
    assert sorted(tried) == sorted([(name, "") for name in ("敏敏微信", "强子微信", "强子邮件", "老王短信", "小军微信")] * 2)


def test_a_channel_dead_for_two_days_is_told_once_over_what_works() -> None:
    scene, seen = stage(people=People(dead_channels={"强子微信"})), Sent()
    scene.perform = seen.see
    wait(scene, 6 * DAY)
    told = [action for _, action in seen.notifies if action.body]
    assert [(n.person, n.channel, "“强子微信”已经两天试不通了" in n.body) for n in told] == [
        ("刘敏", "敏敏微信", True), ("刘强", "强子邮件", True), ("刘小军", "小军微信", True)
    ]
    assert (selftest.dead(scene.dialogue.store), lines(scene, "said")) == ([("强子微信", "timed out")], [])


def test_a_channel_that_recovers_is_forgotten() -> None:
    people = People(dead_channels={"强子微信"})
    scene = stage(people=people)
    wait(scene, DAY)
    people.dead_channels.clear()
    wait(scene, DAY)
    assert selftest.dead(scene.dialogue.store) == []


def test_a_number_nobody_has_is_told_once_a_day() -> None:
    scene, seen = stage(), Sent()
    scene.perform = seen.see
    for _ in range(3):
        selftest.wrong_number(scene.dialogue.store, scene.clock.now, household(), "刘强")
    wait(scene, 5)
    assert [type(a) for _, a in seen.actions] == [Notify] * 3
    assert all("刘强" in action.body for _, action in seen.notifies)
