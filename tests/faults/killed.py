"""A house in a process of its own, to be killed: started on a family of one, asked through its ledger."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic

PATIENCE = 60.0
"""Seconds a step may take on a busy machine before the test gives up."""
FAMILY = """
老人: {{名字: 王秀珍, 称呼: 王奶奶}}
家人: [{{名字: 刘敏, 关系: 女儿, 通知: [甲]}}]
通知: {{甲: "json://127.0.0.1:{port}/in"}}
"""


@contextlib.contextmanager
def house(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`run --keyboard` without models; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "run_assistant.py", "run", "--keyboard", "--household", str(folder / "家庭.yaml"), "--data", str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "XIAOBAN_MODELS": str(folder / "no-models")}, cwd=Path(__file__).parent.parent.parent,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(true: Callable[[], object]) -> None:
    """Wait for it."""
    end = monotonic() + PATIENCE
    while not true():
        assert monotonic() < end, "nothing happened"
        Event().wait(0.05)


def asked(folder: Path, sql: str) -> list[tuple[object, ...]]:
    """What its ledger says, from outside; nothing as long as there is none."""
    with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(f"file:{folder}/ledger.db?mode=ro", uri=True, timeout=1.0)) as db:
        return db.execute(sql).fetchall()
    return []
