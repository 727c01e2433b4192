"""Doses asked about and taken over a real ledger: `doses.py DATA DAYS [SKIP]`. Prints `SAID` once a dose is on disk.

It begins SKIP days after 2026-11-22, plans as after a restart, and goes on until it is killed or the days are over.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from assistant.care import SCHEMAS, dose
from assistant.home import Elder, Household, Medicine
from assistant.places import LEDGER
from assistant.store import Store
from assistant.when import Recurrence

ZONE = ZoneInfo("Asia/Shanghai")
HOME = Household(Elder("王秀珍", "王奶奶"), (), medicines=(
    Medicine("缬沙坦", schedule=Recurrence("day", ("07:30", "20:00"))),
    Medicine("阿司匹林", schedule=Recurrence("day", ("20:00",)), critical=True),
    Medicine("二甲双胍", schedule=Recurrence("day", ("12:30",))),
))
"""Its own: whoever is killed a thousand times must start quickly."""


def main(data: Path, days: int, skip: int) -> None:
    """Plan, ask, take, say so."""
    store = Store.open(data / LEDGER, SCHEMAS)
    for number in range(days):
        now = datetime(2026, 11, 22, 5, tzinfo=ZONE) + timedelta(days=skip + number)
        dose.plan(store, HOME, now)
        for d in dose.find(store, ZONE, "state IN ('planned', 'asked') AND day = ?", now.date().isoformat()):
            asked = dose.asked(store, d.due, d)
            done = dose.taken(store, d.due + timedelta(minutes=1), asked)
            # One write, so that it is said whole or not at all.
            sys.stdout.write("\t".join(("SAID", done.medicine, done.day.isoformat(), done.slot, done.state.value)) + "\n")
            sys.stdout.flush()
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
