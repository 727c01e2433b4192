"""A short simulation in every test run; `make simulate` lives a hundred years."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from assistant.care import SCHEMAS
from assistant.household import read
from assistant.places import LEDGER
from assistant.play import play_file
from assistant.simulate import FAULTS, Plan, World, live, write
from assistant.store import Store


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_some_weeks_with_every_fault_break_no_rule(seed: int) -> None:
    assert live(Plan(seed, 20)).broken == []


def test_a_world_is_repeated_by_its_seed() -> None:
    assert live(Plan(7, 4)).digest == live(Plan(7, 4)).digest


def test_nothing_is_left_of_a_world_that_is_over() -> None:
    """Fifty of them live in one process one after the other, each with a ledger in memory."""
    live(Plan(1, 2))
    assert [thing for thing in gc.get_objects() if type(thing) is World] == []


def test_a_fault_that_is_left_out_does_not_happen() -> None:
    quiet = live(Plan(1, 10, frozenset(FAULTS) - {"cuts", "steps"}))
    assert (quiet.cuts, quiet.steps, quiet.broken) == (0, 0, [])


def test_the_rules_can_fail() -> None:
    """A world in which 小伴 believes a word nobody said is found out."""
    from assistant.care import dose
    from assistant.simulate import World

    world = World(Plan(1, 3))

    def lie() -> None:
        d = dose.open_doses(world.store, world.clock.now.tzinfo)  # type: ignore[arg-type]
        for each in d[:1] or dose.find(world.store, world.clock.now.tzinfo, "state = 'planned'")[:1]:  # type: ignore[arg-type]
            dose.taken(world.store, world.clock.now, each)

    plain = world._todays
    world._todays = lambda number: [*plain(number), (world.clock.now.replace(hour=14), lie)]  # type: ignore[method-assign]
    assert {b.rule for b in world.run().broken} >= {"taken without a word"}


@pytest.mark.parametrize("seed", [7, 11])
def test_a_world_written_as_a_play_is_lived_again(tmp_path: Path, seed: int) -> None:
    """With cuts, steps and edits in it: the same doses end the same."""
    plan = Plan(seed, 9)
    world = World(plan)
    world.run()
    world.result.script, world.result.households = world._play(), tuple(world.papers)
    played = tmp_path / "data"
    path = write(world.result, tmp_path)
    play_file(path, read(tmp_path / world.paper_name(0)).household, played)
    store = Store.open(played / LEDGER, SCHEMAS)
    assert _ends(store) == _ends(world.store)


def _ends(store: Store) -> list[tuple[str, str, str, str]]:
    return [(r["medicine"], r["day"], r["slot"], r["state"]) for r in store.find("dose", order="day, slot, medicine")]
