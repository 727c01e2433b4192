"""An alarm whose process is killed in the middle goes on with the next start, before any model is loaded."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic

from tests.faults.peers import web

PATIENCE = 60.0
"""Seconds a step may take on a busy machine before the test gives up."""
FAMILY = """
老人: {{名字: 王秀珍, 称呼: 王奶奶}}
家人: [{{名字: 刘敏, 关系: 女儿, 通知: [甲]}}]
通知: {{甲: "json://127.0.0.1:{port}/in"}}
"""


@contextlib.contextmanager
def _house(folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "run_assistant.py", "run", "--keyboard", "--household", str(folder / "家庭.yaml"), "--data", str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "XIAOBAN_MODELS": str(folder / "no-models")}, cwd=Path(__file__).parent.parent,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _until(true: Callable[[], object]) -> None:
    end = monotonic() + PATIENCE
    while not true():
        assert monotonic() < end, "nothing happened"
        Event().wait(0.05)


def _asked(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(f"file:{folder}/ledger.db?mode=ro", uri=True, timeout=1.0)) as db:
        return db.execute(sql).fetchall()
    return []


def test_a_killed_alarm_is_resumed_as_soon_as_the_ledger_is_open(tmp_path: Path) -> None:
    with web("ok") as peer:
        (tmp_path / "家庭.yaml").write_text(FAMILY.format(port=peer.port), "utf-8")
        with _house(tmp_path) as first:
            assert first.stdin is not None
            first.stdin.write("\n\n")  # the button, and once more
            first.stdin.flush()
            _until(lambda: _asked(tmp_path, "SELECT 1 FROM message WHERE state = 'sent'"))
            first.send_signal(signal.SIGKILL)
            first.wait()
        (before,) = _asked(tmp_path, "SELECT state, key FROM incident")
        with _house(tmp_path):
            _until(lambda: _asked(tmp_path, "SELECT 1 FROM log WHERE kind = 'incident.resumed'"))
            sent = len(_asked(tmp_path, "SELECT 1 FROM message WHERE state = 'sent'"))
            _until(lambda: len(_asked(tmp_path, "SELECT 1 FROM message WHERE state = 'sent'")) > sent)
        steps = [(str(at), kind) for at, kind in _asked(tmp_path, "SELECT at, kind FROM log WHERE kind LIKE 'incident.%' ORDER BY id")]
    assert (before[0], [kind for _, kind in steps], len(_asked(tmp_path, "SELECT 1 FROM incident"))) == (
        "alerting", ["incident.began", "incident.again", "incident.resumed"], 1
    )
