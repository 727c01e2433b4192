"""An alarm whose process is killed in the middle goes on with the next start, before any model is loaded."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.faults.killed import FAMILY, asked, house, until
from tests.faults.peers import web


def test_a_killed_alarm_is_resumed_as_soon_as_the_ledger_is_open(tmp_path: Path) -> None:
    with web("hang") as peer:
        (tmp_path / "家庭.yaml").write_text(FAMILY.format(port=peer.port), "utf-8")
        with house(tmp_path) as first:
            assert first.stdin is not None
            first.stdin.write("\n\n")  # the button, and once more
            first.stdin.flush()
            until(lambda: asked(tmp_path, "SELECT 1 FROM message WHERE state = 'sending'"))
            first.send_signal(signal.SIGKILL)
            first.wait()
        (before,) = asked(tmp_path, "SELECT state, key FROM incident")
        peer.mode = "ok"  # what was in the air goes again at once, without waiting for the next round
        with house(tmp_path):
            until(lambda: asked(tmp_path, "SELECT 1 FROM log WHERE kind = 'incident.resumed'"))
            until(lambda: asked(tmp_path, "SELECT 1 FROM message WHERE state = 'sent'"))
        steps = [(str(at), kind) for at, kind in asked(tmp_path, "SELECT at, kind FROM log WHERE kind LIKE 'incident.%' ORDER BY id")]
    assert (before[0], [kind for _, kind in steps], len(asked(tmp_path, "SELECT 1 FROM incident"))) == (
        "alerting", ["incident.began", "incident.again", "incident.resumed"], 1
    )
