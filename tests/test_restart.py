"""The power goes between any two steps of a day; the ledger that is left carries on: nothing lost, nothing doubled."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

DAY = Path(__file__).parent / "faults" / "day.py"
STATEMENTS = 1200
"""SQL statements of the undisturbed day, roughly; the test spreads its power cuts over them."""
CUTS = [7 + STATEMENTS * n // 11 for n in range(11)]


def run(data: Path, begin: int, kill_after: int) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, str(DAY), str(data), str(begin), str(kill_after)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode, done.stdout.splitlines()


def last_step(lines: list[str]) -> int:
    return max((int(line.split()[1]) for line in lines if line.startswith("STEP")), default=0)


def ledger(data: Path) -> sqlite3.Connection:
    return sqlite3.connect(data / "ledger.db")


@pytest.mark.parametrize("cut", CUTS)
def test_a_power_cut_anywhere_in_a_day_loses_and_doubles_nothing(tmp_path: Path, cut: int) -> None:
    code, before = run(tmp_path, 0, cut)
    again, after = run(tmp_path, last_step(before), 0)
    db = ledger(tmp_path)
    said = "\n".join(before)
    doses = dict(db.execute("SELECT medicine || slot, state FROM dose WHERE day = '2026-11-23'").fetchall())
    # An answer that the power took along is asked for again; the play is over before the evening's limit.
    overdue = dict(db.execute("SELECT medicine || slot, state FROM dose WHERE day = '2026-11-23' AND limit_at < '2026-11-23T13:20'").fetchall())
    acknowledged = {
        "缬沙坦07:30": "早上七点半的降压药，我记下了" in said, "缬沙坦20:00": "晚上八点的降压药和小白片，您吃过了" in said,
    }
    facts = {
        "ended": again == 0 and after[-1:] == ["END"],
        "lost": [dose for dose, heard in acknowledged.items() if heard and doses.get(dose) != "taken"],
        "open": [dose for dose, state in overdue.items() if state not in ("taken", "skipped", "missed", "unknown")],
        "count": len(doses),
        "doubled doses": db.execute("SELECT count(*) FROM (SELECT 1 FROM dose GROUP BY medicine, day, slot HAVING count(*) > 1)").fetchone()[0],
        "doubled keys": db.execute("SELECT count(*) FROM (SELECT 1 FROM message GROUP BY key HAVING count(*) > 1)").fetchone()[0],
        "bookings": db.execute("SELECT count(*) FROM booking").fetchone()[0] <= 1,
        "booking lost": "的保洁，记下了" in said and db.execute("SELECT count(*) FROM booking").fetchone()[0] != 1,
        "incident": db.execute("SELECT count(*) FROM incident").fetchone()[0],
        "asked again": _asked_for_closed(before, after),
    }
    assert facts == {
        "ended": True, "lost": [], "open": [], "count": 4, "doubled doses": 0, "doubled keys": 0, "bookings": True,
        "booking lost": False, "incident": 1, "asked again": [],
    }
    assert code == -signal.SIGKILL, f"the day takes fewer statements than {STATEMENTS}: no power cut happened"


def _asked_for_closed(before: list[str], after: list[str]) -> list[str]:
    """Questions after the restart about doses that were acknowledged before it."""
    closed = [m[1] for line in before for m in [re.search(r"SAID .*?(早上七点半|晚上八点)的.*(?:吃过了)", line)] if m]
    return [line for line in after for slot in closed if slot in line and "您吃了" in line]
