"""A day over a real ledger in a process that kills itself: `day.py DATA FROM KILL_AFTER` (0: lives to the end).

Prints `STEP n` before each step and `SAID …` for everything said, so that the parent knows what was acknowledged.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from assistant.care import SCHEMAS
from assistant.clock import VirtualClock
from assistant.furnish import dialogue
from assistant.household import load
from assistant.messages import Heard, Hypothesis, Started
from assistant.places import LEDGER, sample_household
from assistant.stage import Stage
from assistant.store import Store

STEPS = (
    ("07:29", ""), ("07:30", "吃了"), ("08:10", "十点提醒我浇花"), ("09:00", "知道了"), ("09:30", "挺好的"), ("10:00", "知道了"),
    ("11:00", "明天上午十点找人来打扫卫生"), ("11:00", "对"), ("12:30", "等会儿"), ("12:40", "吃了"), ("15:00", "血压一百三八十"),
    ("16:00", "想看看孙子"), ("20:00", "都吃了"), ("20:40", ""), ("21:00", "我摔倒了起不来了"), ("21:03", ""), ("21:20", ""),
)


def main(data: Path, begin: int, kill_after: int) -> None:
    """Run the steps from `begin`; after `kill_after` SQL statements the power goes."""
    household = load(sample_household())
    store = Store.open(data / LEDGER, SCHEMAS)
    if kill_after:
        left = kill_after

        def count(_: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        store.db.conn.set_trace_callback(count)
    day = datetime(2026, 11, 23, tzinfo=household.zone)
    clock = VirtualClock(day + timedelta(hours=7) if begin == 0 else _at(day, STEPS[begin][0]))
    stage = Stage(dialogue(household, store), clock)
    stage.people.answers["刘强"] = "reads"
    told = 0

    def tell() -> None:
        nonlocal told
        for happened in stage.happened[told:]:
            if happened.who == "xiaoban" and happened.kind in ("said", "asked"):
                print("SAID", happened.text, flush=True)
            elif happened.kind == "sent":
                print("SENT", happened.who, happened.text.replace("\n", " "), flush=True)
        told = len(stage.happened)

    stage.tell(Started(off_since=None if begin == 0 else clock.now - timedelta(minutes=2)))
    for number in range(begin, len(STEPS)):
        at, text = STEPS[number]
        print("STEP", number, flush=True)
        stage.run(max(_at(day, at), stage.clock.now))
        stage.until_quiet()
        tell()
        if text:
            stage.run(stage.clock.now + timedelta(seconds=1))
            stage.tell(Heard((Hypothesis(text),)))
            stage.until_quiet()
            tell()
    print("END", flush=True)
    store.close()


def _at(day: datetime, clock: str) -> datetime:
    hour, minute = clock.split(":")
    return day + timedelta(hours=int(hour), minutes=int(minute))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
