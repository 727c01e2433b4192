"""A big home: 50 medicines, 200 slots a day, a million lines of log. How long an answer takes, and a tick; does memory grow?

    python tests/bench/load.py [--rows 1000000] [--hours 72]

The ledger lies on the real disk with its real settings. An answer is the core's own time, without ear and mouth: from
the text that was heard to the actions, with the commit that comes before them; a tick is a look at what is due and when to
look next. Beside the time on the wall stands the processor's own: on a busy machine only that one says what the code costs.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter, thread_time

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from assistant.care import SCHEMAS  # noqa: E402
from assistant.clock import VirtualClock  # noqa: E402
from assistant.converse import Dialogue  # noqa: E402
from assistant.home import Household, Medicine  # noqa: E402
from assistant.household import load  # noqa: E402
from assistant.messages import Action, Event, Heard, Hypothesis, Judgement, Meaning, Started  # noqa: E402
from assistant.places import sample_household, shipped  # noqa: E402
from assistant.replies import Replies  # noqa: E402
from assistant.stage import Stage  # noqa: E402
from assistant.store import Store, checksum, stamp  # noqa: E402
from assistant.when import Recurrence  # noqa: E402

MEDICINES = 50
SLOTS = ("06:30", "11:30", "16:30", "21:00")
"""Times 50 medicines: 200 slots a day."""
LONGEST_ANSWER = 10.0
LONGEST_TICK = 50.0
"""Milliseconds; the answer's is for the 99th of a hundred."""
LONGEST_GROWTH = 5.0
"""Megabytes between the first day's end and the last: what a day keeps grows the ledger, not the process."""
SAID = ("medication.taken", "medication.query", "medication.stock", "medication.snooze", "medication.unsure", "info.time")


class Told:
    """Understands what it is told to: understanding has its own bench."""

    def __init__(self) -> None:
        self.meaning = Meaning("info.time")

    def judge(self, hypotheses: object, now: datetime, asking: object = None, options: object = ()) -> Judgement:
        return Judgement(self.meaning)


def home() -> Household:
    """The sample household with fifty medicines, five minutes apart."""
    begin = load(sample_household())
    medicines = tuple(
        Medicine(f"药{n:02d}", (f"第{n}种药",), "白色药片", "一片", stock=200.0,
                 schedule=Recurrence("day", tuple(_later(at, n % 10 * 5) for at in SLOTS)))
        for n in range(MEDICINES)
    )
    return replace(begin, medicines=medicines)


def _later(at: str, minutes: int) -> str:
    hour, minute = map(int, at.split(":"))
    return f"{hour + (minute + minutes) // 60:02d}:{(minute + minutes) % 60:02d}"


def fill(store: Store, now: datetime, rows: int) -> None:
    """A log of so many lines, sealed as the store seals them."""
    columns = ("id", "at", "kind", "row", "text")

    def lines() -> list[Sequence[object]]:
        found: list[Sequence[object]] = []
        for n in range(1, rows + 1):
            values = (n, stamp(now - timedelta(seconds=20 * (rows - n))), ("heard", "dose.asked", "dose.taken", "tick")[n % 4], n % 5000, "缬沙坦 2026-11-22 07:30")
            found.append((*values, checksum(dict(zip(columns, values, strict=True)))))
        return found

    with store.atomic():
        store.db.conn.executemany("INSERT INTO log (id, at, kind, row, text, crc) VALUES (?, ?, ?, ?, ?, ?)", lines())


def _memory() -> float:
    """Resident megabytes now (Linux), else the most there ever was."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def measure(folder: Path, rows: int, hours: int, say: Callable[[str], None]) -> dict[str, object]:
    """Live through `hours`, an answer every few minutes. Figures in milliseconds and megabytes."""
    household = home()
    store = Store.open(folder / "ledger.db", SCHEMAS, alone=True)
    begin = datetime(2026, 11, 22, 5, 0, tzinfo=household.zone)
    fill(store, begin, rows)
    say(f"{rows} lines of log, {(folder / 'ledger.db').stat().st_size / 1e6:.0f} MB")
    told = Told()
    dialogue = Dialogue(store, household, lambda _: told, Replies.load(shipped("intents")))
    answers: list[float] = []
    worked: list[float] = []
    ticks: list[float] = []
    others: list[float] = []
    plain = dialogue.handle

    def timed(event: Event, now: datetime) -> list[Action]:
        begin, start = thread_time(), perf_counter()
        done = plain(event, now)
        (answers if isinstance(event, Heard) else others).append((perf_counter() - start) * 1e3)
        if isinstance(event, Heard):
            worked.append((thread_time() - begin) * 1e3)
        return done

    dialogue.handle = timed  # type: ignore[method-assign]
    stage = Stage(dialogue, VirtualClock(begin))
    start = perf_counter()
    stage.tell(Started())
    armed = perf_counter() - start
    memory: list[float] = []
    number = 0

    while stage.clock.now < begin + timedelta(hours=hours):
        stage.run(stage.clock.now + timedelta(minutes=7))
        stage.until_quiet()
        before = perf_counter()
        store.due(stage.clock.now)
        store.next_wake()
        ticks.append((perf_counter() - before) * 1e3)
        ask = dialogue.asking
        told.meaning = Meaning({"yes_no": "dialogue.yes", "evidence": "dialogue.full"}.get(ask.asking, "medication.taken") if ask else SAID[number % len(SAID)])
        stage.tell(Heard((Hypothesis("……"),), woken=True))
        stage.until_quiet()
        number += 1
        stage.happened.clear()
        if number % 60 == 0:
            memory.append(_memory())
    store.close()
    return {
        "rows": rows, "hours": hours, "doses": MEDICINES * len(SLOTS) * hours // 24, "start s": round(armed, 2), "answers": len(answers),
        **_spread("answer", answers), **_spread("answer, processor", worked), **_spread("tick", ticks), **_spread("event", others),
        "memory MB": [round(m) for m in memory], "memory grew MB": round(memory[-1] - memory[len(memory) // 3], 1) if memory else 0.0,
    }


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    return {f"{name} {label} ms": _share(values, share) for label, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))}


def _share(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2) if ordered else 0.0


def main() -> int:
    """Print the figures; exit code 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--folder", type=Path, help="where the ledger lies; the disk decides how long a commit takes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = measure(Path(folder), options.rows, options.hours, lambda text: print(text, file=sys.stderr))
    print(json.dumps(figures, ensure_ascii=False, indent=1))
    bounds = {"answer p99 ms": LONGEST_ANSWER, "tick max ms": LONGEST_TICK, "memory grew MB": LONGEST_GROWTH}
    return int(any(figures[name] > most for name, most in bounds.items()))  # type: ignore[operator]


if __name__ == "__main__":
    sys.exit(main())
