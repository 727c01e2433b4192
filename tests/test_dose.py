"""The dose ledger: each transition, the rules of time, and the three things that never happen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from assistant.care import SCHEMAS, dose
from assistant.care.dose import FINAL, FROM_A_PERSON, OPEN, TRANSITIONS, Dose, Event, State
from assistant.home import Household, Medicine
from assistant.skills import medication
from assistant.store import Store
from assistant.when import Recurrence
from tests.talks import ASPIRIN, HOME, IBUPROFEN, METFORMIN, VALSARTAN, ZONE, Home, at, said


def planned(household: Household = HOME, now: datetime | None = None) -> Store:
    store = Store.memory(SCHEMAS)
    dose.plan(store, household, now or at("07:00"))
    return store


def one(store: Store, medicine: str = "缬沙坦", slot: str = "07:30", day: str = "2026-11-22") -> Dose:
    return dose.find(store, ZONE, "medicine = ? AND slot = ? AND day = ?", medicine, slot, day)[0]


def in_state(store: Store, state: State) -> Dose:
    """The morning dose, put into a state by hand."""
    d = one(store)
    store.update("dose", d.id, state=state.value, wake_at=None if state in FINAL else d.due, ask_at=None)
    return one(store)


# --- the table ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "event", "to"), [(s, e, to) for (s, e), to in TRANSITIONS.items()])
def test_each_transition_changes_state_writes_the_log_and_sets_the_wake(state: State, event: Event, to: State) -> None:
    store = planned()
    d = in_state(store, state)
    lines = store.count("log")
    moved = dose.move(store, at("07:31"), d, event)
    assert (moved.state, one(store).state, store.count("log") - lines, one(store).wake is None) == (to, to, 1, to in FINAL)


@pytest.mark.parametrize(("state", "event"), [(s, e) for s in State for e in Event if (s, e) not in TRANSITIONS])
def test_what_is_not_in_the_table_is_refused_and_changes_nothing(state: State, event: Event) -> None:
    store = planned()
    d = in_state(store, state)
    with pytest.raises(dose.WrongMove):
        dose.move(store, at("07:31"), d, event)
    assert one(store) == d


def test_only_a_person_leaves_a_final_state_or_enters_taken() -> None:
    by_itself = [
        (s, e) for (s, e), to in TRANSITIONS.items() if (s in FINAL or to is State.TAKEN) and e not in FROM_A_PERSON
    ]
    assert by_itself == []


def test_every_open_state_can_be_answered_and_ends_by_itself() -> None:
    answers = {Event.TAKEN, Event.LATER, Event.TAKING, Event.HEARD, Event.UNSURE, Event.SKIP, Event.NOT_YET}
    assert all((s, e) in TRANSITIONS for s in OPEN for e in answers | {Event.LIMIT})


# --- planning -----------------------------------------------------------------------------------------------------


def test_two_days_are_planned_from_the_schedules_and_only_ahead() -> None:
    store = planned(now=at("12:45"))
    rows = [(d.medicine, f"{d.due:%d %H:%M}") for d in dose.find(store, ZONE)]
    assert rows == [
        ("缬沙坦", "22 20:00"), ("阿司匹林", "22 20:00"), ("缬沙坦", "23 07:30"), ("二甲双胍", "23 12:30"),
        ("缬沙坦", "23 20:00"), ("阿司匹林", "23 20:00"), ("缬沙坦", "24 07:30"), ("二甲双胍", "24 12:30"),
    ]


def test_planning_twice_changes_nothing() -> None:
    store = planned()
    before = store.find("dose")
    dose.plan(store, HOME, at("07:00"))
    assert store.find("dose") == before


def schedule(medicine: Medicine, rule: Recurrence, **more: object) -> Household:
    return replace(HOME, medicines=(replace(medicine, schedule=rule, **more),))


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        (Recurrence("day", ("08:00",)), ["22", "23"]),
        (Recurrence("day", ("08:00",), interval=2, start=date(2026, 11, 22)), ["22"]),
        (Recurrence("week", ("08:00",), ("MO", "WE")), ["23"]),
        (Recurrence("day", ("08:00",), until=date(2026, 11, 22)), ["22"]),
        (Recurrence("month", ("08:00",), (1,)), ["01"]),
        (Recurrence("month", ("08:00",), (-1,)), ["30"]),
        (Recurrence("lunar_month", ("08:00",), (15,)), ["23"]),
    ],
)
def test_schedules_become_rows_and_at_least_the_next_one_is_there(rule: Recurrence, days: list[str]) -> None:
    store = planned(schedule(METFORMIN, rule))
    assert [f"{d.due:%d}" for d in dose.find(store, ZONE)] == days


def test_a_course_begins_and_ends_on_its_days() -> None:
    home = schedule(METFORMIN, Recurrence("day", ("08:00",)), started=date(2026, 11, 23), stopped=date(2026, 11, 23))
    assert [d.day for d in dose.find(planned(home), ZONE)] == [date(2026, 11, 23)]


def test_a_stopped_medicine_leaves_the_plan_and_what_is_closed_stays() -> None:
    home = Home(medication.skill, at("07:00"))
    home.start()
    home.run(at("07:31"), said("taken"))
    home.edits(home.without("缬沙坦"))
    assert [(d.slot, d.state) for d in dose.find(home.store, ZONE, "medicine = '缬沙坦'")] == [("07:30", State.TAKEN)]


def test_a_moved_slot_moves_only_what_is_still_planned() -> None:
    store = planned()
    moved = replace(HOME, medicines=(replace(VALSARTAN, schedule=Recurrence("day", ("07:30", "21:00"))),))
    dose.plan(store, moved, at("07:00"))
    assert {d.slot for d in dose.find(store, ZONE)} == {"07:30", "21:00"}


def test_another_time_zone_keeps_the_wall_time() -> None:
    store = planned()
    away = replace(HOME, timezone="Asia/Urumqi")
    dose.plan(store, away, at("07:00").astimezone(ZoneInfo("Asia/Urumqi")))
    assert f"{one(store).due.astimezone(ZoneInfo('Asia/Urumqi')):%H:%M}" == "07:30"


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01"])
def test_a_dst_change_neither_loses_nor_doubles_a_dose(day: str) -> None:
    new_york = ZoneInfo("America/New_York")
    home = replace(schedule(METFORMIN, Recurrence("day", ("01:30", "02:30"))), timezone="America/New_York")
    store = Store.memory(SCHEMAS)
    dose.plan(store, home, datetime.fromisoformat(f"{day} 00:00").replace(tzinfo=new_york))
    rows = dose.find(store, UTC, "day = ?", day)
    assert ([d.slot for d in rows], len({d.due for d in rows})) == (["01:30", "02:30"], 2)


def test_leap_day_has_its_doses() -> None:
    store = Store.memory(SCHEMAS)
    dose.plan(store, schedule(METFORMIN, Recurrence("day", ("08:00",))), at("2028-02-28 09:00"))
    assert [d.day for d in dose.find(store, ZONE)] == [date(2028, 2, 29), date(2028, 3, 1)]


# --- limits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("medicine", "due", "limit", "tell"),
    [
        (VALSARTAN, "07:30", "09:30", "08:30"),
        (METFORMIN, "12:30", "14:30", "14:30"),
        (ASPIRIN, "20:00", "22:00", "20:30"),
        (replace(VALSARTAN, late_limit=timedelta(minutes=45)), "07:30", "08:15", "08:15"),
        (replace(VALSARTAN, schedule=Recurrence("day", ("08:00", "11:00"))), "08:00", "09:30", "09:00"),
        (replace(METFORMIN, late_limit=timedelta(hours=6)), "12:30", "14:30", "14:30"),
    ],
)
def test_limits_and_the_familys_moment(medicine: Medicine, due: str, limit: str, tell: str) -> None:
    assert (dose.limit(medicine, at(due)), dose.tell(medicine, at(due))) == (at(limit), at(tell))


def test_three_snoozes_and_never_past_the_limit() -> None:
    store = planned()
    now = at("07:30")
    d = dose.asked(store, now, one(store))
    for _ in range(3):
        granted = dose.snoozed(store, now, d)
        assert granted is not None
        now += timedelta(minutes=10)
        d = dose.asked(store, now, granted)
    late = dose.asked(store, at("09:25"), one(store, "缬沙坦", "07:30"))
    assert (dose.snoozed(store, now, d), dose.snoozed(store, at("09:25"), replace(late, snoozes=0))) == (None, None)


def test_a_late_dose_pushes_the_next_one_on_and_a_too_late_one_cancels_it() -> None:
    tight = replace(VALSARTAN, schedule=Recurrence("day", ("08:00", "12:00")), min_gap=timedelta(hours=4))
    home = replace(HOME, medicines=(tight,))
    store = planned(home)
    morning = dose.asked(store, at("08:00"), one(store, slot="08:00"))
    dose.taken(store, at("09:30"), morning)
    noon = one(store, slot="12:00")
    strict = replace(tight, min_gap=timedelta(hours=8))
    assert (
        dose.postpone(store, at("12:00"), tight, noon, ZONE), dose.postpone(store, at("12:00"), strict, noon, ZONE)
    ) == (at("13:15"), at("13:15"))


# --- stock --------------------------------------------------------------------------------------------------------


def test_stock_is_the_last_count_plus_bought_minus_taken() -> None:
    store = planned()
    dose.count_stock(store, HOME, at("07:00"))
    dose.taken(store, at("07:31"), dose.asked(store, at("07:30"), one(store)))
    dose.restock(store, at("08:00"), VALSARTAN, 28)
    assert (dose.units_left(store, VALSARTAN), dose.days_left(store, VALSARTAN, at("08:00"))) == (55.0, 27)


def test_a_new_count_by_the_family_replaces_the_old() -> None:
    store = planned()
    dose.count_stock(store, HOME, at("07:00"))
    dose.restock(store, at("08:00"), VALSARTAN, 28)
    dose.count_stock(store, replace(HOME, medicines=(replace(VALSARTAN, stock=10),)), at("09:00"))
    assert dose.units_left(store, VALSARTAN) == 10


def test_an_uncounted_medicine_has_no_stock() -> None:
    assert dose.units_left(planned(), IBUPROFEN) is None


# --- the three that never happen ----------------------------------------------------------------------------------


class Days(RuleBasedStateMachine):
    """Days with 小伴 as they come: answers, silence, words out of turn, outages, clock steps, family edits.

    Never: a dose lost, a second "take it" for a closed one, TAKEN without a person's word.
    """

    @initialize()
    def begin(self) -> None:
        self.home = Home(medication.skill, at("06:00"))
        self.home.start()
        self.words = 0
        self.first = self.home.now
        self.closed: dict[int, tuple[State, int]] = {}

    def _watch(self) -> None:
        """A closed dose is asked about no more."""
        self.closed = {
            d.id: (d.state, d.asks) for d in dose.find(self.home.store, ZONE, "state IN ('taken','skipped','missed','unknown')")
        }

    answers = st.lists(
        st.sampled_from([
            None, said("taken"), said("taken", medicine="缬沙坦"), said("not_taken"), said("taking"), said("snooze"),
            said("snooze", duration=timedelta(minutes=30)), said("skip", "不想吃"), said("unsure"), said("dialogue.empty"),
            said("dialogue.full"), said("dialogue.yes"), said("dialogue.no"),
        ]),
        max_size=6,
    )

    @rule(minutes=st.integers(1, 400), answers=answers)
    def time_passes(self, minutes: int, answers: list) -> None:
        self._watch()
        fitting = [a for a in answers if a is None or a.intent not in ("dialogue.empty", "dialogue.full")]
        until = self.home.now + timedelta(minutes=minutes)
        before = {i: asks for i, (_, asks) in self.closed.items()}
        self.home.run(until, *fitting)
        for d in dose.find(self.home.store, ZONE, "state IN ('taken','skipped','missed','unknown')"):
            assert d.id not in before or d.asks == before[d.id], "a closed dose was asked about again"

    @rule(what=st.sampled_from(["taken", "not_taken", "taking", "snooze", "query", "extra", "stock"]),
          medicine=st.sampled_from(["", "缬沙坦", "阿司匹林", "布洛芬"]), answer=st.sampled_from([None, said("dialogue.yes"), said("dialogue.no")]))
    def she_says(self, what: str, medicine: str, answer: object) -> None:
        self.home.elder(said(what, **({"medicine": medicine} if medicine else {})), answer)

    @rule(minutes=st.integers(0, 4000))
    def power_cut(self, minutes: int) -> None:
        self.home.restarts(timedelta(minutes=minutes))

    @rule(minutes=st.integers(-180, 600))
    def clock_steps(self, minutes: int) -> None:
        self.home.steps(timedelta(minutes=minutes))

    @rule()
    def clock_is_doubted_and_believed(self) -> None:
        self.home.steps(timedelta(0), trusted=not self.home.trusted)

    @precondition(lambda self: len(self.home.household.medicines) == len(HOME.medicines))
    @rule(slot=st.sampled_from(["06:15", "10:00", "20:00"]))
    def family_moves_a_slot(self, slot: str) -> None:
        moved = replace(METFORMIN, schedule=Recurrence("day", (slot,)))
        self.home.edits(replace(HOME, medicines=(VALSARTAN, moved, ASPIRIN, IBUPROFEN)))

    @invariant()
    def each_dose_once_and_taken_only_by_a_word(self) -> None:
        if not hasattr(self, "home"):
            return
        rows = dose.find(self.home.store, ZONE)
        assert len({(d.medicine, d.day, d.slot) for d in rows}) == len(rows)
        assert all((d.taken is not None and d.evidence != "") == (d.state is State.TAKEN) for d in rows)
        assert all((d.wake is None) == d.final for d in rows)

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every slot of the schedule since the start has its row."""
        if not hasattr(self, "home") or not self.home.trusted:
            return
        for d in dose.find(self.home.store, ZONE, "state IN ('missed', 'unknown')"):
            assert d.told is not None, "closed without the family being told"
        nothing_open = dose.find(self.home.store, ZONE, "wake_at IS NOT NULL AND wake_at < ?", self.home.now - timedelta(days=1))
        assert nothing_open == [] or not self.home.trusted

    def teardown(self) -> None:
        if not hasattr(self, "home"):
            return
        home = self.home
        if not home.trusted:
            home.steps(timedelta(0), trusted=True)
        end = home.now + timedelta(days=2)
        home.run(end)
        late = dose.find(home.store, ZONE, "wake_at IS NOT NULL AND due_at < ?", end - timedelta(hours=3))
        assert late == [], "a dose that never ended"


Days.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None,
                                  suppress_health_check=[HealthCheck.too_slow])
test_days_lose_double_and_invent_nothing = Days.TestCase
