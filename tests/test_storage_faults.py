"""Power loss at every system call of a dose day, a disk that refuses, kills at random moments: nothing said is lost.

`XIAOBAN_LONG=1` (`make faults`) looks at every state and a thousand kills; otherwise at a sample that fits a test run.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from assistant.care import SCHEMAS, dose
from assistant.care.dose import State
from assistant.errors import StoreError
from assistant.store import Store
from tests.faults import powerloss
from tests.talks import HOME, ZONE, at

LONG = bool(os.environ.get("XIAOBAN_LONG"))
WRITER = Path(__file__).parent / "faults" / "doses.py"
FINAL = {s.value for s in dose.FINAL}


def _said(calls: list[powerloss.Call]) -> list[tuple[int, set[tuple[str, ...]]]]:
    """(index, doses acknowledged so far) after each call."""
    found: set[tuple[str, ...]] = set()
    states = []
    for number, call in enumerate(calls):
        if call.kind == "said":
            found = {*found, tuple(call.data.decode().split("\t")[1:])}
        states.append((number, found))
    return states


def _closed(store: Store) -> set[tuple[str, ...]]:
    return {(r["medicine"], r["day"], r["slot"], r["state"]) for r in store.find("dose") if r["state"] in FINAL}


@pytest.mark.skipif(not powerloss.strace_works(), reason="strace is missing or not allowed here: apt install strace")
def test_power_loss_after_any_system_call_loses_no_dose_that_was_acknowledged(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    calls = powerloss.record([sys.executable, str(WRITER), str(data), "3" if LONG else "1"], data, tmp_path / "trace")
    said = _said(calls)
    assert said[-1][1], "nothing was acknowledged: the recording is empty"
    disk, chance = powerloss.Disk(), random.Random(1)
    # A disk without the first commit is a first run: from there on every state counts.
    states: list[tuple[str, dict[str, bytes], set[tuple[str, ...]]]] = []
    for call, (_, known) in zip(calls, said, strict=True):
        disk.do(call)
        if known:
            states += [(how, files, known) for how, files in disk.after_power_loss(chance)]
    sample = states if LONG else states[:: max(1, len(states) // 60)]
    lost = []
    for how, files, known in sample:
        store = Store.open(powerloss.build(files, tmp_path / "disk"), SCHEMAS)
        if store.note or missing(store, known):
            lost.append((how, store.note, missing(store, known)))
        store.close()
    assert (lost, len(sample) >= 60) == ([], True)


def missing(store: Store, known: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """What was acknowledged and is not there."""
    return known - _closed(store)


class Refusing:
    """A connection whose n-th statement that writes is refused, as a full or broken disk does."""

    def __init__(self, connection: sqlite3.Connection, after: int, why: str) -> None:
        self._connection, self.left, self._why = connection, after, why

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        if sql.split(" ", 1)[0] in ("INSERT", "UPDATE", "DELETE", "COMMIT", "BEGIN"):
            self.left -= 1
            if self.left == 0:
                raise sqlite3.OperationalError(self._why)
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


def _day(store: Store) -> Iterator[tuple[str, ...]]:
    """A day of doses; yields what is acknowledged."""
    now = at("07:00")
    dose.plan(store, HOME, now)
    for d in dose.find(store, ZONE, "state = 'planned'", order="due_at, id"):
        asked = dose.asked(store, d.due, d)
        done = dose.taken(store, d.due + timedelta(minutes=1), asked)
        yield (done.medicine, done.day.isoformat(), done.slot, State.TAKEN.value)


@pytest.mark.parametrize("why", ["database or disk is full", "disk I/O error"])
def test_a_disk_that_refuses_any_write_leaves_whole_transactions(why: str) -> None:
    """ENOSPC and EIO at every statement that writes: refused aloud, nothing half done, what was said stays."""
    wrong: list[object] = []
    for after in range(1, 400, 1 if LONG else 7):
        store = Store.memory(SCHEMAS)
        real = store.db.conn
        store.db.conn = Refusing(real, after, why)  # type: ignore[assignment]
        said: set[tuple[str, ...]] = set()
        refused = False
        try:
            for one in _day(store):
                said.add(one)
        except StoreError:
            refused = True
        store.db.conn = real
        if not refused:
            break
        if said - _closed(store) or len(_closed(store)) > len(said) + 1 or real.in_transaction or list(store.verify()):
            wrong.append((after, said - _closed(store), real.in_transaction))
        # When there is room again, the same day ends as it would have.
        again = set(_day(store)) | said
        if again != _closed(store):
            wrong.append((after, "not the same day", again ^ _closed(store)))
    else:
        wrong.append("the day never ended")
    assert wrong == []


def test_kills_at_random_moments_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """SIGKILL of a process that writes doses, again and again over one ledger."""
    kills = 1000 if LONG else 4
    chance = random.Random(3)
    known: set[tuple[str, ...]] = set()
    for number in range(kills):
        with subprocess.Popen([sys.executable, str(WRITER), str(tmp_path), "9", str(number)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(chance.randint(1, 12)):
                line = process.stdout.readline()
                if line.startswith("SAID"):
                    known.add(tuple(line.rstrip("\n").split("\t")[1:]))
            process.kill()
            # What it managed to say before it died counts too, if the line is whole.
            known |= {tuple(line.rstrip("\n").split("\t")[1:]) for line in process.stdout if line.startswith("SAID") and line.endswith("\n")}
    store = Store.open(tmp_path / "ledger.db", SCHEMAS)
    rows = store.find("dose")
    twice = len(rows) - len({(r["medicine"], r["day"], r["slot"]) for r in rows})
    assert (missing(store, known), twice, list(store.verify()), store.note, len(known) > kills) == (set(), 0, [], "", True)
