"""The incident's table itself: nothing ends an alarm but what may, and everything that is going on can go on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from assistant.care import SCHEMAS, incident, message
from assistant.care.incident import TRANSITIONS, State, Step
from assistant.store import Store
from tests.faults.scene import NOON, household


@pytest.fixture
def store() -> Store:
    return Store.memory(SCHEMAS)


def test_only_a_person_or_a_drill_closes_a_running_alarm() -> None:
    closing = {what for (state, what), after in TRANSITIONS.items() if state in (State.ALERTING, State.ACKED) and after is State.CLOSED}
    assert closing == {Step.ARRIVED, Step.ALL_CLEAR, Step.DONE}


def test_a_running_alarm_cannot_be_cancelled_by_voice_alone() -> None:
    assert {s for s, w in TRANSITIONS if w is Step.CANCEL} == {State.DOUBT, State.QUESTION, State.PREALARM}


def test_silence_never_ends_what_may_be_an_emergency() -> None:
    assert {s: a for (s, w), a in TRANSITIONS.items() if w is Step.SILENCE} == {
        State.QUESTION: State.PREALARM, State.PREALARM: State.ALERTING, State.CANCELLED: State.CLOSED,
        State.DOUBT: State.CLOSED,  # a cry amid the television that nobody stands by: the family is told, not called
    }


def test_every_live_state_can_be_reached_and_left() -> None:
    reached = {after for after in TRANSITIONS.values()}
    left = {before for before, _ in TRANSITIONS}
    assert (reached, left) == (set(State) - {State.IDLE}, set(State) - {State.CLOSED})


@pytest.mark.parametrize("state", [s for s in incident.LIVE if s is not State.ACKED])
def test_another_cry_never_leads_back_to_a_question(state: State) -> None:
    assert TRANSITIONS[state, Step.AGAIN] in (State.PREALARM, State.ALERTING)


@pytest.mark.parametrize(("state", "what"), [(s, w) for s in State for w in Step if (s, w) not in TRANSITIONS and s is not State.IDLE])
def test_what_is_not_in_the_table_changes_nothing(store: Store, state: State, what: Step) -> None:
    one = incident.trigger(store, NOON, household(), "fall", Step.CERTAIN)
    store.update("incident", one.id, state=state.value)
    before = store.get("incident", one.id)
    incident.step(store, NOON, household(), one, what, "刘敏")
    assert store.get("incident", one.id) == before


def test_the_state_and_its_messages_are_one_commit(tmp_path: Path) -> None:
    """A transaction torn in the middle leaves neither a silent alarm nor messages without one."""
    store = Store.open(tmp_path / "ledger.db", SCHEMAS)
    one = incident.trigger(store, NOON, household(), "fall", Step.CERTAIN)

    def torn() -> None:
        with store.atomic():
            incident.step(store, NOON, household(), one, Step.SILENCE)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        torn()
    assert (incident.get(store, one.id).state, message.waiting(store), store.count("ladder")) == (State.PREALARM, [], 0)  # type: ignore[union-attr]


def test_an_incident_is_on_the_disk_before_anything_is_done(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "ledger.db", SCHEMAS)
    incident.trigger(store, NOON, household(), "fall", Step.CERTAIN)
    other = Store.open(tmp_path / "ledger.db", SCHEMAS)
    assert incident.live(other).state is State.PREALARM  # type: ignore[union-attr]


def test_every_live_incident_wakes_by_itself(store: Store) -> None:
    home = household()
    one = incident.trigger(store, NOON, home, "chest_pain", Step.UNSURE)
    for what in (None, Step.SILENCE, Step.SILENCE, Step.ACK):
        if what is not None:
            one = incident.step(store, NOON, home, one, what, "刘敏")
        assert store.next_wake(("incident", "ladder")) is not None, one.state


def test_all_waits_move_with_the_clock(store: Store) -> None:
    one = incident.trigger(store, NOON, household(), "fall", Step.CERTAIN)
    incident.step(store, NOON, household(), one, Step.SILENCE)
    before = incident.ladder_of(store, one.id)
    incident.shift(store, timedelta(hours=3))
    after = incident.ladder_of(store, one.id)
    assert before is not None
    assert after is not None
    assert (after.round_at - before.round_at, after.call_at - before.call_at) == (timedelta(hours=3),) * 2  # type: ignore[operator]


def test_every_kind_has_words_for_the_family_and_for_the_telephone() -> None:
    home = household()
    assert len(incident.will_say(home)) == len(incident.WORDS) + 3
    assert all("请按一" in text for text in incident.will_say(home) if "地址" not in text)


def test_a_damaged_row_does_not_stop_a_new_alarm(store: Store) -> None:
    one = incident.trigger(store, NOON, household(), "fall", Step.CERTAIN)
    store.db.execute("UPDATE incident SET kind = 'zzzz', key = 'qqqq' WHERE id = ?", [one.id])
    again = incident.trigger(store, NOON, household(), "fall", Step.CERTAIN)
    assert (again.state, again.kind, incident.live(store)) == (State.PREALARM, "fall", again)
