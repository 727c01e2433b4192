"""Every state of an alarm × every fault of the network × every place in the family's order: somebody is reached, and in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from assistant.care import incident
from assistant.care.incident import State
from assistant.messages import Acknowledged
from assistant.stage import People, Stage
from assistant.store import moment
from tests.faults.mixes import CHANNELS, CRY, FIRST, NAMES, SECOND
from tests.faults.scene import hear, stage, wait

LIVE_ANSWER = 240.0
"""Seconds from the end of the window, or of the fault, to the last person's acknowledgement (CARE 4: four minutes)."""
MESSENGERS = frozenset(name for names in CHANNELS.values() for name in names)


def _doubt(scene: Stage) -> None:
    hear(scene, CRY, woken=False, around=0.8)
    scene.until_quiet()


def _question(scene: Stage) -> None:
    hear(scene, "心口闷")
    scene.until_quiet()


def _prealarm(scene: Stage) -> None:
    hear(scene, CRY)
    wait(scene, 2)


def _alerting(scene: Stage) -> None:
    hear(scene, CRY)
    wait(scene, 60)


def _acked(scene: Stage) -> None:
    _alerting(scene)
    key = scene.dialogue.store.find("message", "key LIKE '%-m0-%'", order="id DESC", limit=1)[0]["key"]
    scene.tell(Acknowledged(key, "刘小军", "coming"))
    wait(scene, incident.ARRIVAL.total_seconds() - 10)  # and does not arrive


def _cancelled(scene: Stage) -> None:
    hear(scene, CRY)
    scene.until_quiet()
    hear(scene, "我没事不用叫")
    scene.until_quiet()


def _nothing(scene: Stage) -> None:
    """The house goes on by itself."""


def _cry(scene: Stage) -> None:
    hear(scene, CRY, prompted=True)


STATES: dict[State, tuple[Callable[[Stage], None], Callable[[Stage], None]]] = {
    State.IDLE: (_nothing, _prealarm), State.DOUBT: (_doubt, _cry), State.QUESTION: (_question, _nothing),
    State.PREALARM: (_prealarm, _nothing), State.ALERTING: (_alerting, _nothing), State.ACKED: (_acked, _nothing),
    State.CANCELLED: (_cancelled, _cry),
}
"""How an alarm comes to where the fault begins, and what is done in it then."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the ways out of the house while one person would answer."""

    offline: tuple[tuple[float, float], ...] = ()
    """Seconds after the fault began between which there is no network at all."""
    dead: Callable[[str], frozenset[str]] = lambda _person: frozenset()
    """Channels that swallow everything, when this person is the one who answers."""
    by: str = "coming"
    """How they answer: a call, or a message that they read."""
    latency: float = 0.4


FAULTS: dict[str, Fault] = {
    "none": Fault(),
    "offline at first": Fault(offline=((0.0, 90.0),)),
    "offline on and off": Fault(offline=((0.0, 25.0), (40.0, 65.0), (80.0, 105.0)), by="reads"),
    "slow": Fault(latency=5.0),
    "no message gets out": Fault(dead=lambda _: MESSENGERS),
    "no telephone": Fault(dead=lambda _: frozenset({"电话"}), by="reads"),
    "one channel alone": Fault(dead=lambda person: MESSENGERS - {CHANNELS[person][-1]} | {"电话"}, by="reads"),
}


def _run(state: State, fault: Fault, person: str) -> tuple[Stage, datetime]:
    """The house after somebody was reached or ten minutes of the alarm were over, and when the fault began."""
    come, go_on = STATES[state]
    people = People()
    scene = stage(people=people)
    come(scene)
    begun = scene.clock.now
    assert _state(scene) is state
    people.answers[person], people.latency = fault.by, fault.latency
    people.dead_channels |= fault.dead(person)
    people.network = not fault.offline
    go_on(scene)
    for seconds, network in sorted([(end, True) for _, end in fault.offline] + [(start, False) for start, _ in fault.offline]):
        scene.run(begun + timedelta(seconds=seconds))
        people.network = network
    end = scene.clock.now + incident.ARRIVAL + timedelta(minutes=10)
    while not any(one.kind == "acknowledged" and one.at > begun for one in scene.happened) and scene.clock.now < end:
        wait(scene, 10)
    return scene, begun


def _state(scene: Stage) -> State:
    rows = scene.dialogue.store.find("incident", order="id DESC", limit=1)
    return State(rows[0]["state"]) if rows else State.IDLE


def _alarm(scene: Stage) -> datetime:
    """When messages were last to begin going out to everybody: the window had ended, or nobody had arrived."""
    (last,) = scene.dialogue.store.find("log", "kind IN ('incident.silence', 'incident.yes', 'incident.again', 'incident.late')",
                                        order="id DESC", limit=1)
    return moment(last["at"]).astimezone(scene.clock.now.tzinfo)


def _firsts(scene: Stage, since: datetime) -> Iterator[float]:
    """Seconds from `since` to the first try on each channel."""
    for channel in MESSENGERS:
        yield min(((one.at - since).total_seconds() for one in scene.happened
                   if one.kind in ("sent", "failed") and one.detail == channel and one.at >= since), default=float("inf"))


@pytest.mark.parametrize("place", range(1, len(NAMES) + 1))
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("state", STATES, ids=str)
def test_somebody_is_reached_in_time_whatever_is_wrong_and_whoever_it_is(state: State, fault: str, place: int) -> None:
    person = NAMES[place - 1]
    scene, begun = _run(state, FAULTS[fault], person)
    alarm = _alarm(scene)
    taken = [one for one in scene.happened if one.kind == "acknowledged" and one.at > begun]
    whole = begun + timedelta(seconds=max((end for _, end in FAULTS[fault].offline), default=0.0))
    firsts = sorted(_firsts(scene, alarm))
    waited = (taken[0].at - max(alarm, whole, begun)).total_seconds() if taken else float("inf")
    assert (firsts[0] <= FIRST, firsts[-1] <= SECOND, waited <= LIVE_ANSWER, [one.who for one in taken][:1], _state(scene)) == (
        True, True, True, [person], State.ACKED), (firsts, waited)


def test_the_table_has_every_state_a_trigger_belongs_to() -> None:
    assert set(STATES) == {State.IDLE, *incident.LIVE}


@pytest.mark.parametrize("minutes", [9, 30, 180])
def test_calls_go_out_at_once_however_long_the_line_was_dead(minutes: int) -> None:
    people = People(network=False, dead_channels=set(MESSENGERS), answers={NAMES[-1]: "coming"})
    scene = stage(people=people)
    hear(scene, CRY)
    wait(scene, 60.0 * minutes)
    people.network = True
    wait(scene, 30.0 * (len(NAMES) + 1))
    assert _state(scene) in (State.ACKED, State.CLOSED)
