"""The outbox: nothing lost, nothing doubled, alarms first, old things told."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.care import SCHEMAS, message
from assistant.care.message import PER_MINUTE, RESERVED, TRANSITIONS, State, Step
from assistant.messages import Acknowledged, Call, Delivered, DeviceFound, Notify
from assistant.stage import People, Stage
from assistant.store import Store
from tests.faults.disk import Full
from tests.faults.scene import NOON, Sent, hear, household, lines, stage, wait


def _post(store: Store, now: datetime = NOON, **more: object) -> int:
    fields: dict[str, object] = {"purpose": "note", "person": "刘敏", "channels": ("a", "b"), "title": "题", "body": "文"}
    return message.post(store, now, **{**fields, **more})  # type: ignore[arg-type]


@pytest.fixture
def store() -> Store:
    return Store.memory(SCHEMAS)


def _fail(store: Store, number: int, at: datetime, *, ambiguous: bool = False) -> None:
    message.settle(store, Delivered(number, False, "x", ambiguous), at)


def test_a_failed_channel_yields_to_the_next_at_once(store: Store) -> None:
    number = _post(store)
    first = message.attempt(store, NOON, number)
    _fail(store, number, NOON)
    second = message.attempt(store, NOON, number)
    assert [first, second] == [
        Notify(number, first.key, "刘敏", "a", "题", "文"), Notify(number, first.key, "刘敏", "b", "题", "文"),  # type: ignore[union-attr]
    ]


def test_an_ambiguous_try_is_repeated_on_the_same_channel_with_the_same_key(store: Store) -> None:
    number = _post(store)
    first = message.attempt(store, NOON, number)
    _fail(store, number, NOON, ambiguous=True)
    wake = message.get(store, number).wake  # type: ignore[union-attr]
    assert message.attempt(store, wake, number) == first  # type: ignore[arg-type]


def _hung(channels: set[str]) -> type[People]:
    """People whose channels of these names take everything and never say so."""

    class Hanging(People):
        def deliver(self, notify: Notify) -> tuple[float, Delivered]:
            if notify.channel in channels:
                return 8.0, Delivered(notify.message, False, "timed out", ambiguous=True)
            return super().deliver(notify)

    return Hanging


def test_a_notice_leaves_a_channel_that_hangs_after_three_tries_and_keeps_its_key() -> None:
    scene, seen = stage(people=_hung({"强子微信"})()), Sent()
    scene.perform = seen.see
    _post(scene.dialogue.store, person="刘强", channels=("强子微信", "强子邮件"))
    wait(scene, 600)
    tries = [(action.channel, action.key == seen.notifies[0][1].key) for _, action in seen.notifies]
    assert (tries, seen.notifies[-1][0] - NOON < timedelta(minutes=5)) == ([*[("强子微信", True)] * 3, ("强子邮件", True)], True)


def test_what_is_urgent_leaves_a_channel_that_hangs_within_ten_seconds() -> None:
    scene, seen = stage(people=_hung({"强子微信"})()), Sent()
    scene.perform = seen.see
    _post(scene.dialogue.store, person="刘强", channels=("强子微信", "强子邮件"), urgent=True)
    wait(scene, 60)
    assert [(action.channel, (at - NOON).total_seconds() <= 10) for at, action in seen.notifies] == [("强子微信", True), ("强子邮件", True)]


@pytest.mark.parametrize("urgent", [False, True])
def test_where_all_channels_hang_each_has_its_turn_again_and_again(urgent: bool) -> None:
    scene, seen = stage(people=_hung({"强子微信", "强子邮件"})()), Sent()
    scene.perform = seen.see
    _post(scene.dialogue.store, person="刘强", channels=("强子微信", "强子邮件"), urgent=urgent)
    wait(scene, 4 * 3600)
    tried = [action.channel for _, action in seen.notifies]
    assert (len({action.key for _, action in seen.notifies}), min(tried.count("强子微信"), tried.count("强子邮件")) >= 3) == (1, True)


def test_a_try_that_is_never_reported_is_repeated_after_its_deadline(store: Store) -> None:
    number = _post(store, urgent=True, channels=("a",))
    first = message.attempt(store, NOON, number)
    assert store.due(NOON + timedelta(seconds=9)) == []
    assert store.due(NOON + timedelta(seconds=10)) == [("message", number)]
    assert message.attempt(store, NOON + timedelta(seconds=10), number) == first


def test_power_cut_in_mid_air_sends_again_with_the_same_key(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "ledger.db", SCHEMAS)
    number = _post(store)
    first = message.attempt(store, NOON, number)
    store.close()
    store = Store.open(tmp_path / "ledger.db", SCHEMAS)
    message.resume(store, NOON)
    assert message.attempt(store, NOON, number) == first


def test_backoff_grows_and_keeps_no_step(store: Store) -> None:
    pauses: list[list[float]] = []
    for n in range(2):
        number = _post(store, channels=(f"c{n}",), body=f"文{n}")
        now, waits = NOON, []
        for _ in range(5):
            assert message.attempt(store, now, number) is not None
            _fail(store, number, now)
            wake = message.get(store, number).wake  # type: ignore[union-attr]
            waits.append((wake - now).total_seconds())  # type: ignore[operator]
            now = wake  # type: ignore[assignment]
        pauses.append(waits)
    for low, first, second in zip((30, 120, 480, 1800, 1800), *pauses, strict=True):
        assert low * 0.75 <= first <= low * 1.25
        assert low * 0.75 <= second <= low * 1.25
    assert pauses[0] != pauses[1]


def test_alarms_have_no_backoff_and_are_never_given_up(store: Store) -> None:
    number = _post(store, urgent=True, channels=("a",))
    now = NOON
    for _ in range(500):
        now = message.get(store, number).wake or now  # type: ignore[union-attr]
        before = now
        if message.attempt(store, now, number) is not None:
            _fail(store, number, now)
        assert message.get(store, number).wake - before <= timedelta(seconds=60)  # type: ignore[union-attr, operator]
    assert message.get(store, number).state is State.WAITING  # type: ignore[union-attr]


def test_one_channel_takes_fifteen_a_minute_and_five_are_kept_for_alarms(store: Store) -> None:
    went = {False: 0, True: 0}
    for urgent in (False, True):
        for _ in range(30):
            number = _post(store, urgent=urgent, channels=("a",), body=f"{_}")
            went[urgent] += message.attempt(store, NOON, number) is not None
    assert went == {False: PER_MINUTE - RESERVED, True: RESERVED}


def test_what_the_limit_holds_back_goes_within_the_next_minute(store: Store) -> None:
    numbers = [_post(store, channels=("a",), body=str(n)) for n in range(12)]
    sent = [n for n in numbers if message.attempt(store, NOON, n)]
    later = [n for n in numbers if n not in sent and message.attempt(store, NOON + timedelta(seconds=61), n)]
    assert (len(sent), len(later)) == (10, 2)


def test_seven_days_of_notices_go_out_as_one_digest(store: Store) -> None:
    numbers = [_post(store, NOON + timedelta(days=n), channels=("a",), body=f"第{n}天") for n in range(6)]
    now = NOON + timedelta(days=6)
    action = message.attempt(store, now, numbers[0])
    assert isinstance(action, Notify)
    assert action.title == "6 条晚到的消息"
    assert action.body.splitlines() == [f"11月{22 + n}日12:00 第{n}天" for n in range(6)]
    message.settle(store, Delivered(numbers[0], True), now)
    assert [message.sent(store, n) for n in numbers] == [True] * 6


def test_a_notice_that_may_have_arrived_keeps_its_words(store: Store) -> None:
    numbers = [_post(store, channels=("a",), body=f"{n}") for n in range(4)]
    message.attempt(store, NOON, numbers[0])
    _fail(store, numbers[0], NOON, ambiguous=True)
    action = message.attempt(store, NOON + timedelta(hours=1), numbers[0])
    assert isinstance(action, Notify)
    assert action.body.endswith("）0")


def test_a_late_message_says_when_it_was_written(store: Store) -> None:
    number = _post(store, urgent=True)
    action = message.attempt(store, NOON + timedelta(hours=2), number)
    assert isinstance(action, Notify)
    assert action.body == "（11月22日12:00 的消息，现在才送出）文"


def test_the_same_key_twice_is_one_message(store: Store) -> None:
    assert _post(store, key="x") == _post(store, key="x")
    assert store.count("message") == 1


def test_keys_differ_even_after_the_ledger_was_begun_anew() -> None:
    keys = set()
    for second in range(3):
        fresh = Store.memory(SCHEMAS)
        number = _post(fresh, NOON + timedelta(seconds=second))
        keys.add(message.get(fresh, number).key)  # type: ignore[union-attr]
    assert len(keys) == 3


def test_an_old_notice_is_confessed_and_not_dropped() -> None:
    scene = stage(people=People(network=False))
    _post(scene.dialogue.store, channels=("敏敏微信",))
    wait(scene, 8 * 86400)
    assert lines(scene, "said") == ["王奶奶，跟您说一声：给刘敏的1条旧消息，网一直不通，没送出去，我不再试了。"]


def test_family_is_told_once_a_group_and_neighbours_only_in_need(store: Store) -> None:
    home = household()
    ordinary = message.tell_family(store, NOON, home, purpose="note", title="t", body="b")
    urgent = message.tell_family(store, NOON, home, purpose="note", title="t", body="b", urgent=True)
    names = [[message.get(store, n).person for n in ids] for ids in (ordinary, urgent)]  # type: ignore[union-attr]
    assert names == [["刘敏", "刘强", "刘小军"], ["刘敏", "刘强", "王建国", "刘小军"]]


def test_a_clock_step_neither_hurries_nor_delays_a_retry(store: Store) -> None:
    number = _post(store, channels=("a",))
    chosen = _post(store, channels=("a",), not_before=NOON + timedelta(hours=3))
    message.attempt(store, NOON, number)
    _fail(store, number, NOON)
    before = [message.get(store, n).wake for n in (number, chosen)]  # type: ignore[union-attr]
    message.shift(store, NOON + timedelta(hours=5), timedelta(hours=5))
    after = [message.get(store, n).wake for n in (number, chosen)]  # type: ignore[union-attr]
    assert [b - a for a, b in zip(before, after, strict=True)] == [timedelta(hours=5), timedelta(0)]  # type: ignore[operator]


@pytest.mark.parametrize("by", [timedelta(hours=-1), timedelta(hours=1), timedelta(days=-365)])
def test_a_clock_step_neither_forgets_the_tries_of_the_last_minute_nor_counts_older_ones(store: Store, by: timedelta) -> None:
    for second in (*range(-3600, -100, 5), *range(0, 45, 3)):
        message.attempt(store, NOON + timedelta(seconds=second), _post(store, urgent=True, channels=("a",), body=f"{second}"))
    now = NOON + timedelta(seconds=45)
    message.shift(store, now + by, by)
    held = _post(store, now + by, urgent=True, channels=("a",))
    waits = [message.attempt(store, now + by, held), message.get(store, held).wake - now - by]  # type: ignore[union-attr, operator]
    assert waits == [None, timedelta(seconds=15)]


def test_tries_of_a_clock_that_was_ahead_hold_nothing_back(store: Store) -> None:
    """Set back while the power was off: nobody could move them."""
    for second in range(0, 600, 4):
        message.attempt(store, NOON + timedelta(seconds=second), _post(store, urgent=True, channels=("a",), body=f"{second}"))
    before = NOON - timedelta(hours=1)
    assert message.attempt(store, before, _post(store, before, urgent=True, channels=("a",))) is not None


def test_a_notice_written_by_a_clock_of_long_ago_is_not_too_old_once_it_is_right(store: Store) -> None:
    by = timedelta(days=20000)
    number = _post(store, NOON - by, channels=("a",))
    message.shift(store, NOON, by)
    assert message.attempt(store, NOON, number) is not None


def test_a_call_is_not_rung_twice_by_the_outbox(store: Store) -> None:
    number = _post(store, kind="call", number="138", channels=("电话",), urgent=True)
    call = message.attempt(store, NOON, number)
    assert isinstance(call, Call)
    message.settle(store, Delivered(number, False, "no answer"), NOON)
    assert (message.get(store, number).state, store.due(NOON + timedelta(days=1))) == (State.FAILED, [])  # type: ignore[union-attr]


def test_answers_count_once(store: Store) -> None:
    number = _post(store)
    assert [message.answer(store, NOON, number, "刘敏", "seen") for _ in range(2)] == [True, False]


def test_final_states_are_final() -> None:
    final = {State.WITHDRAWN, State.GIVEN_UP, State.ANSWERED}
    assert not [before for before, _ in TRANSITIONS if before in final]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["ok", "fail", "maybe", "lost", "cut", "wait"])), max_size=40))
def test_whatever_happens_each_notice_ends_sent_or_is_still_tried(steps: list[tuple[int, str]]) -> None:
    """No order of failures, lost reports and power cuts leaves a message that is neither sent nor waking."""
    store, now = Store.memory(SCHEMAS), NOON
    numbers = [_post(store, body=f"{n}", urgent=n == 0) for n in range(5)]
    keys = {n: message.get(store, n).key for n in numbers}  # type: ignore[union-attr]
    for which, what in steps:
        number = numbers[which]
        action = message.attempt(store, now, number)
        assert action is None or action.key == keys[number]
        match what:
            case "ok" | "fail" | "maybe":
                message.settle(store, Delivered(number, what == "ok", "", what == "maybe"), now)
            case "cut":
                message.resume(store, now)
            case "wait":
                now += timedelta(minutes=7)
    for number in numbers:
        kept = message.get(store, number)
        assert kept is not None
        assert message.sent(store, number) or kept.wake is not None or kept.state is State.MERGED


def test_a_digest_that_fails_keeps_all_its_parts(store: Store) -> None:
    numbers = [_post(store, channels=("a",), body=str(n)) for n in range(4)]
    later = NOON + timedelta(hours=1)
    message.attempt(store, later, numbers[0])
    _fail(store, numbers[0], later)
    assert [message.get(store, n).state for n in numbers] == [State.WAITING] + [State.MERGED] * 3  # type: ignore[union-attr]
    assert (State.MERGED, Step.OK) in TRANSITIONS


def test_everything_due_goes_out_in_one_turn_of_the_loop() -> None:
    scene, seen = stage(), Sent()
    scene.perform = seen.see
    for n in range(3):
        _post(scene.dialogue.store, channels=("敏敏微信",), body=str(n))
    wait(scene, 1)
    assert [action.body for _, action in seen.notifies] == ["0", "1", "2"]


# --- the network is back -------------------------------------------------------------------------------------------


def _outage(hours: float) -> Stage:
    """A notice, and a message of the elder's, written while there is no network."""
    scene = stage(people=People(network=False))
    _post(scene.dialogue.store, person="刘强", channels=("强子微信",))
    hear(scene, "告诉敏敏我今天炖了排骨")
    scene.until_quiet()
    hear(scene, "要")
    wait(scene, hours * 3600)
    scene.people.network = True
    scene.happened.clear()
    return scene


def _sent(scene: Stage) -> list[str]:
    return [one.who for one in scene.happened if one.kind == "sent" and one.who]


def test_what_the_elder_was_promised_goes_first_when_the_network_is_back() -> None:
    scene = _outage(3.1)
    scene.tell(DeviceFound("network"))
    wait(scene, 1)
    first = _sent(scene)
    wait(scene, 4)
    assert (first, _sent(scene)) == (["刘敏"], ["刘敏", "刘强"])


@pytest.mark.parametrize("hours", [0.7, 1.5, 3.1, 5.05, 7.2])
def test_behind_a_router_that_stands_the_first_message_that_gets_out_takes_the_others_along(hours: float) -> None:
    scene = _outage(hours)
    wait(scene, 11 * 60)
    assert sorted(_sent(scene)) == ["刘强", "刘敏"]


def test_a_network_that_was_back_too_soon_is_tried_again_soon() -> None:
    scene = _outage(3.1)
    scene.people.network = False
    scene.tell(DeviceFound("network"))
    wait(scene, 60)
    scene.people.network = True
    wait(scene, 180)
    assert sorted(_sent(scene)) == ["刘强", "刘敏"]


def test_a_dead_channel_beside_good_ones_is_not_tried_with_every_message(store: Store) -> None:
    dead = _post(store, channels=("dead",))
    tries = 0
    for minute in range(60):
        now = NOON + timedelta(minutes=minute)
        good = _post(store, now, channels=("good",), body=f"{minute}")
        message.attempt(store, now, good)
        message.settle(store, Delivered(good, True), now)
        if ("message", dead) in store.due(now):
            tries += message.attempt(store, now, dead) is not None
            _fail(store, dead, now)
    assert tries <= 6


# --- the disk ------------------------------------------------------------------------------------------------------


def _full(scene: Stage) -> None:
    """The disk takes no more: SQLite refuses every write."""
    scene.dialogue.store.db.execute("PRAGMA query_only = 1")


def test_a_request_on_a_full_disk_goes_on_in_memory_and_the_elder_knows() -> None:
    scene = stage()
    _full(scene)
    hear(scene, "跟敏敏视频")
    wait(scene, 30)
    assert lines(scene, "said")[:3] == [
        "王奶奶，我的账本写不进去了，新的事只记在脑子里，一断电就忘了。请家里人来看看。", "好，我这就给女儿刘敏发消息，请来视频。",
        "给女儿刘敏的消息送出去了，等着回话呢。",
    ]


def test_a_refused_commit_is_said_before_what_was_meant_to_be_said() -> None:
    scene = stage()
    scene.dialogue.store.db.conn = Full(scene.dialogue.store.db.conn)  # type: ignore[assignment]
    hear(scene, "跟敏敏视频")
    wait(scene, 30)
    assert ([text[:12] for text in lines(scene, "said")], [to.partition("：")[0] for to in lines(scene, "sent")]) == (
        ["王奶奶，我的账本写不进去", "好，我这就给女儿刘敏发消", "给女儿刘敏的消息送出去了"], ["想跟您视频", *["小伴的账本写不进去了"] * 3]
    )


def test_the_family_hears_of_a_full_disk() -> None:
    scene = stage()
    _full(scene)
    hear(scene, "跟敏敏视频")
    wait(scene, 30)
    assert sum("账本写不进去了" in text for text in lines(scene, "sent")) == 3


def test_an_answer_of_a_live_person_counts_on_a_disk_that_fills_up_in_an_alarm() -> None:
    scene, seen = stage(), Sent()
    scene.perform = seen.see
    hear(scene, "救命啊我摔倒了")
    wait(scene, 30)
    _full(scene)
    scene.tell(Acknowledged(seen.notifies[0][1].key, "刘敏", "coming"))
    wait(scene, 20)
    assert (lines(scene, "said")[-1], scene.dialogue.store.find("incident")[-1]["state"]) == (
        "王奶奶，女儿刘敏回话了，说来处理，您安心等着。", "acked"
    )


def test_what_was_due_is_sent_from_memory() -> None:
    scene = stage()
    _post(scene.dialogue.store, channels=("敏敏微信",))
    _full(scene)
    wait(scene, 20)
    assert "题：文" in lines(scene, "sent")
