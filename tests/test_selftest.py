"""The daily silent test: nobody is disturbed, and a dead channel does not stay unknown."""

from __future__ import annotations

from dataclasses import replace

from assistant.care import digest, selftest
from assistant.home import Contact
from assistant.messages import UNPROBED, Call, Delivered, Notify
from assistant.stage import People, Stage
from tests.faults.scene import Sent, hear, household, lines, stage, wait

DAY = 86400


def _dead(scene: Stage) -> list[tuple[str, int, str]]:
    return [(one.name, one.days, one.detail) for one in selftest.tested(scene.dialogue.store, household()) if not one.ok]


def test_every_channel_is_tried_once_a_day_with_nothing_to_read() -> None:
    scene, seen = stage(), Sent()
    scene.perform = seen.see
    wait(scene, 2 * DAY)
    tried = [(action.channel, action.title + action.body) for _, action in seen.notifies]
    assert sorted(tried) == sorted([(name, "") for name in ("敏敏微信", "强子微信", "强子邮件", "老王短信", "小军微信", "电话")] * 2)
    assert not [action for _, action in seen.actions if isinstance(action, Call)]


def test_a_telephone_that_can_ring_nobody_is_not_tried() -> None:
    scene, seen = stage(household(family=(Contact("刘敏", "女儿", (), "", ("敏敏微信",), 1),))), Sent()
    scene.perform = seen.see
    wait(scene, DAY)
    assert [action.channel for _, action in seen.notifies] == ["敏敏微信"]


def test_a_telephone_whose_account_is_refused_for_two_days_is_told() -> None:
    scene = stage(people=People(dead_channels={"电话"}))
    wait(scene, 3 * DAY)
    assert [text for text in lines(scene, "sent") if "“电话”已经两天试不通了" in text] == lines(scene, "sent") != []


def test_a_channel_that_cannot_be_tried_without_a_word_is_not_called_dead() -> None:
    class Mute(People):
        def deliver(self, notify: Notify) -> tuple[float, Delivered]:
            return (0.4, Delivered(notify.message, False, UNPROBED)) if notify.channel == "强子微信" else super().deliver(notify)

    scene = stage(people=Mute())
    wait(scene, 4 * DAY)
    assert (lines(scene, "sent"), _dead(scene), len(selftest.tested(scene.dialogue.store, household()))) == ([], [], 5)


def test_a_channel_dead_for_two_days_is_told_once_over_what_works() -> None:
    scene, seen = stage(people=People(dead_channels={"强子微信"})), Sent()
    scene.perform = seen.see
    wait(scene, 6 * DAY)
    told = [action for _, action in seen.notifies if action.body]
    assert [(n.person, n.channel, "“强子微信”已经两天试不通了" in n.body) for n in told] == [
        ("刘敏", "敏敏微信", True), ("刘强", "强子邮件", True), ("刘小军", "小军微信", True)
    ]
    assert (_dead(scene), lines(scene, "said")) == ([("强子微信", 6, "timed out")], [])


def test_a_channel_that_recovers_is_forgotten() -> None:
    people = People(dead_channels={"强子微信"})
    scene = stage(people=people)
    wait(scene, DAY)
    people.dead_channels.clear()
    wait(scene, DAY)
    assert _dead(scene) == []


def _evening(scene: Stage) -> list[str]:
    """What the family reads in the evening of this day."""
    home, now = scene.dialogue.household, scene.clock.now
    return digest.text(digest.of(scene.dialogue.store, home, now.date(), now), home).splitlines()


def test_the_evening_tells_of_a_dead_channel_from_the_first_day_and_no_longer_than_it_is_dead() -> None:
    people = People(dead_channels={"电话"})
    scene = stage(people=people)
    wait(scene, DAY)
    dead = _evening(scene)
    people.dead_channels.clear()
    wait(scene, DAY)
    assert (dead[1:], _evening(scene)[1:]) == (["试不通的：电话（1 天了），紧急的时候也会发不出去，请看看"], [])


def test_a_channel_the_family_took_out_is_no_longer_told_of() -> None:
    scene = stage(people=People(dead_channels={"强子邮件"}))
    wait(scene, DAY)
    left = replace(household(), channels=tuple(one for one in household().channels if one.name != "强子邮件"))
    assert [one.name for one in selftest.tested(scene.dialogue.store, left) if not one.ok] == []


def _drilled(people: People) -> Stage:
    scene = stage(people=people)
    hear(scene, "咱们演习一回")
    scene.until_quiet()
    hear(scene, "要")
    wait(scene, 600)
    return scene


def test_the_evening_tells_what_a_drill_has_shown_for_a_week() -> None:
    scene = _drilled(People(dead_channels={"老王短信"}))
    first = _evening(scene)[1:]
    scene.people.dead_channels.clear()
    wait(scene, 6 * DAY)
    sixth = _evening(scene)[1:]
    wait(scene, DAY)
    line = "11月22日 12:00 演习：消息发给了刘敏、刘强、刘小军；没发出去：王建国；电话打了没接手：刘敏、刘强、王建国、刘小军"
    assert (first, sixth, _evening(scene)[1:]) == ([line], [line], [])


def test_a_drill_that_somebody_took_says_who() -> None:
    drill = selftest.last_drill(_drilled(People(answers={"刘强": "coming"})).dialogue.store, household())
    assert drill is not None
    assert (drill.taken, drill.rung, drill.well) == ("刘强", ("刘敏",), True)


def test_a_drill_without_a_line_is_not_well() -> None:
    drill = selftest.last_drill(_drilled(People(dead_channels={"电话"})).dialogue.store, household())
    assert drill is not None
    assert (drill.unrung, drill.well) == (("刘敏", "刘强", "王建国", "刘小军"), False)


def test_a_real_alarm_is_no_drill() -> None:
    scene = stage(people=People(answers={"刘敏": "all_clear"}))
    hear(scene, "救命啊我摔倒了")
    wait(scene, 300)
    assert selftest.last_drill(scene.dialogue.store, household()) is None


def test_a_number_nobody_has_is_told_once_a_day() -> None:
    scene, seen = stage(), Sent()
    scene.perform = seen.see
    for _ in range(3):
        selftest.wrong_number(scene.dialogue.store, scene.clock.now, household(), "刘强")
    wait(scene, 5)
    assert [type(a) for _, a in seen.actions] == [Notify] * 3
    assert all("刘强" in action.body for _, action in seen.notifies)
