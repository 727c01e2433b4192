"""From the start of the process to an alarm that goes on: how long, on this machine, again and again.

    python tests/bench/restart.py [--times 10]

A house is killed in the middle of an alarm and started again. The clock runs from the start of the interpreter to the
line `incident.resumed` in the ledger; CARE asks for 5 s, before anything that understands or hears is loaded.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.faults.killed import FAMILY, asked, house, until  # noqa: E402
from tests.faults.peers import web  # noqa: E402

LONGEST = 5.0
"""Seconds."""


def _resumed(folder: Path, times: int) -> bool:
    return len(asked(folder, "SELECT 1 FROM log WHERE kind = 'incident.resumed'")) >= times


def measure(folder: Path, times: int) -> list[float]:
    """Seconds of each restart."""
    seconds: list[float] = []
    with web("ok") as peer:
        (folder / "家庭.yaml").write_text(FAMILY.format(port=peer.port), "utf-8")
        with house(folder) as first:
            assert first.stdin is not None
            first.stdin.write("\n\n")  # the button, and once more
            first.stdin.flush()
            until(lambda: asked(folder, "SELECT 1 FROM message WHERE state = 'sent'"))
            first.send_signal(signal.SIGKILL)
        for number in range(1, times + 1):
            begin = monotonic()
            with house(folder):
                until(partial(_resumed, folder, number))
                seconds.append(monotonic() - begin)
    return seconds


def main() -> int:
    """Print the figures; exit code 1 if the middle one is longer than it may be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seconds = sorted(measure(Path(folder), options.times))
    middle = seconds[len(seconds) // 2]
    print(json.dumps({"restarts": len(seconds), "fastest s": round(seconds[0], 2), "middle s": round(middle, 2), "slowest s": round(seconds[-1], 2)}))
    return int(middle > LONGEST)


if __name__ == "__main__":
    sys.exit(main())
