"""The doorbell: rows become Due events, steps are seen, and nothing rests on the scheduler."""

from __future__ import annotations

import queue
import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from assistant.clock import SystemClock, VirtualClock
from assistant.clockwork import Clockwork, Watch, due_events
from assistant.messages import ClockStepped
from assistant.skills import medication
from tests.talks import Home, at


def test_rows_become_due_events_oldest_first() -> None:
    home = Home(medication.skill, at("07:00"))
    home.start()
    rows = {row["id"]: row for row in home.store.find("dose")}
    events = [e for e in due_events(home.store, at("12:31")) if e.table == "dose"]
    assert [(rows[e.row]["medicine"], rows[e.row]["slot"]) for e in events] == [("缬沙坦", "07:30"), ("二甲双胍", "12:30")]


def test_a_row_that_stays_due_is_offered_again() -> None:
    home = Home(medication.skill, at("07:00"))
    home.start()
    assert due_events(home.store, at("07:30")) == due_events(home.store, at("07:31")) != []


@pytest.mark.parametrize(
    ("seconds", "seen"),
    [(0.5, None), (-1.9, None), (30, ClockStepped(timedelta(seconds=30))), (-3600, ClockStepped(timedelta(hours=-1))),
     (86400 * 366, ClockStepped(timedelta(days=366)))],
)
def test_a_step_is_what_parts_wall_and_monotonic_time(seconds: float, seen: ClockStepped | None) -> None:
    clock = VirtualClock(at("08:00"))
    watch = Watch(clock)
    clock.advance(at("08:00:05"))
    clock.step(timedelta(seconds=seconds))
    assert watch.look() == seen


def test_slewing_is_no_step() -> None:
    clock = VirtualClock(at("08:00"))
    watch = Watch(clock)
    looks = []
    for _ in range(1000):
        clock.advance(clock.now + timedelta(seconds=5))
        clock.step(timedelta(microseconds=2500))
        looks.append(watch.look())
    assert set(looks) == {None}


def test_a_step_is_told_once() -> None:
    clock = VirtualClock(at("08:00"))
    watch = Watch(clock)
    clock.step(timedelta(minutes=5))
    assert (watch.look(), watch.look()) == (ClockStepped(timedelta(minutes=5)), None)


def test_becoming_trusted_is_told_without_a_step() -> None:
    clock = VirtualClock(at("08:00"), is_trusted=False)
    watch = Watch(clock)
    clock.is_trusted = True
    early = watch.look()
    clock.advance(at("08:00:20"))
    assert (early, watch.look()) == (None, ClockStepped(timedelta(0), trusted=True))


def test_the_bell_rings_on_the_real_clock() -> None:
    rung: queue.Queue[ClockStepped | None] = queue.Queue()
    clock = SystemClock(ZoneInfo("Asia/Shanghai"))
    bell = Clockwork(clock, rung.put)
    bell.start()
    try:
        bell.wind(clock.wall() + timedelta(milliseconds=50))
        assert rung.get(timeout=4) is None
    finally:
        bell.stop()


def test_a_bell_long_overdue_still_rings() -> None:
    rung: queue.Queue[ClockStepped | None] = queue.Queue()
    bell = Clockwork(SystemClock(ZoneInfo("Asia/Shanghai")), rung.put)
    bell.start()
    try:
        bell.wind(datetime(2020, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai")))
        assert rung.get(timeout=4) is None
    finally:
        bell.stop()


def test_it_may_be_stopped_and_unwound_while_it_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    clock = SystemClock(ZoneInfo("Asia/Shanghai"))
    for way in range(100):
        rung = threading.Event()
        bell = Clockwork(clock, lambda _, rung=rung: rung.set())
        bell.start()
        bell.wind(clock.wall())
        assert rung.wait(4)
        if way % 2:
            bell.wind(None)
        bell.stop()
    assert died == []


def test_a_row_that_stays_due_does_not_make_the_bell_ring_without_pause() -> None:
    rung: queue.Queue[ClockStepped | None] = queue.Queue()
    clock = SystemClock(ZoneInfo("Asia/Shanghai"))
    bell = Clockwork(clock, rung.put)
    bell.start()
    overdue = clock.wall() - timedelta(minutes=1)
    try:
        bell.wind(overdue)
        rung.get(timeout=4)
        bell.wind(overdue)
        with pytest.raises(queue.Empty):
            rung.get(timeout=0.3)
    finally:
        bell.stop()


def test_a_step_rings_and_carries_by_how_much() -> None:
    clock = VirtualClock(at("08:00"))
    rung: list[ClockStepped | None] = []
    bell = Clockwork(clock, rung.append)
    clock.step(timedelta(hours=1))
    bell.beat()
    assert rung == [ClockStepped(timedelta(hours=1))]


