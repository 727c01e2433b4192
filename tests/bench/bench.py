"""Speed and size, beside the naive pipeline of baseline.py in the same run: `make bench`, or `python tests/bench/bench.py`.

Each part runs in a process of its own, so that no part's memory or warm caches flatter another. A figure is stated as a
ratio to real time or to the naive pipeline; absolute milliseconds belong to this machine, which is named. Other work on the
machine makes everything slower: the load is printed too.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
CLIPS = HERE.parent / "clips"
sys.path[:0] = [str(HERE.parent.parent), str(HERE), str(CLIPS)]

NOW = "2026-11-22T15:00"
SAMPLE = 60
"""Clips decoded by both pipelines."""


def clips() -> list[dict[str, Any]]:
    """Spoken clips with a claim, evenly over the table."""
    table = [clip for clip in tomllib.loads((CLIPS / "clips.toml").read_text(encoding="utf-8"))["clips"] if clip["say"] and "intent" in clip]
    return table[:: max(1, len(table) // SAMPLE)]


def resident(process: int | str = "self") -> float:
    """MB."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def children(process: int) -> list[int]:
    """Processes started by it, and by those."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == process:
            child = int(path.parent.name)
            found += [child, *children(child)]
    return found


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


# --- parts, each in its own process ------------------------------------------------------------------------------------


def hearing() -> dict[str, Any]:
    """Both decoders and the understanding over the clips."""
    import meaning

    from assistant.furnish import Hearing
    from assistant.household import load
    from assistant.listen.frames import wav_frames
    from assistant.places import sample_household

    began = time.perf_counter()
    ear = Hearing(load(sample_household()))
    ear.listen(wav_frames(CLIPS / clips()[0]["file"]))
    ready = time.perf_counter() - began
    now = datetime.fromisoformat(NOW).replace(tzinfo=ear.brain.household.zone)
    audio = decode = 0.0
    right = 0
    judging = []
    for clip in sorted(clips(), key=lambda clip: clip.get("asking", "")):
        frames = list(wav_frames(CLIPS / clip["file"]))
        asking = clip.get("asking")
        ear.listen(frames[:1], asking)  # the question's grammar is built before anybody answers
        audio += sum(map(len, frames)) / 32000
        began = time.perf_counter()
        heard = ear.listen(frames, asking)
        decode += time.perf_counter() - began
        began = time.perf_counter()
        act = ear.brain.judge(heard.hypotheses, now, asking, tuple(clip.get("options", ()))).meaning
        judging.append((time.perf_counter() - began) * 1000)
        right += meaning.right_intent(clip["intent"], act.intent if act else "")
    memory = resident()
    ear.close()
    return {"ready": ready, "factor": decode / audio, "judge": statistics.median(judging), "right": right, "of": len(judging), "memory": memory}


def naive() -> dict[str, Any]:
    """The same clips through the naive pipeline."""
    began = time.perf_counter()
    import meaning
    import pyttsx3
    from baseline import Naive

    from assistant.places import VOSK, models_dir

    pipeline = Naive(models_dir() / VOSK)
    engine = pyttsx3.init()
    engine.setProperty("voice", "cmn")
    ready = time.perf_counter() - began
    audio = decode = 0.0
    right = 0
    choosing = []
    for clip in clips():
        import soundfile

        audio += soundfile.info(CLIPS / clip["file"]).duration
        began = time.perf_counter()
        text = pipeline.text(CLIPS / clip["file"])
        decode += time.perf_counter() - began
        began = time.perf_counter()
        intent = pipeline.intent(text)
        choosing.append((time.perf_counter() - began) * 1000)
        right += meaning.right_intent(clip["intent"], intent)
    return {"ready": ready, "factor": decode / audio, "judge": statistics.median(choosing), "right": right, "of": len(choosing), "memory": resident()}


def understanding() -> dict[str, Any]:
    """One judgement with a large household, and with ten times the phrases."""
    import evaluate
    import understanding as language

    from assistant.furnish import phrasebook
    from assistant.household import load
    from assistant.messages import Hypothesis
    from assistant.places import sample_household
    from assistant.understand.judge import Understander

    small = load(sample_household())
    large, book = language.large_home(small), phrasebook()
    tenfold = language.tenfold(book)
    now = datetime.fromisoformat(NOW).replace(tzinfo=small.zone)
    sentences = [row for row in evaluate.rows() if row.household == "sample" and not row.asking]
    random.Random(1).shuffle(sentences)
    shown: dict[str, Any] = {"n": 300}
    for name, home, lines in (("small", small, book), ("large", large, book), ("tenfold", large, tenfold)):
        brain = Understander(home, lines)
        times, worst = [], []
        for row in sentences[:300]:
            chance = random.Random(row.say)
            text = evaluate.meaning.hanzi(row.say)
            free = [Hypothesis(evaluate.damaged(text, 0.1, chance), "free") for _ in range(3)]
            for kept, hypotheses in ((times, [Hypothesis(text)]), (worst, [*free, Hypothesis(text, "grammar")])):
                began = time.process_time()
                brain.judge(hypotheses, now)
                kept.append((time.process_time() - began) * 1000)
        shown[name] = {"phrases": len(lines.templates), "text": statistics.median(times), "text95": percentile(times, 0.95), "both": statistics.median(worst), "both95": percentile(worst, 0.95)}
    return shown


def core() -> dict[str, Any]:
    """Dialogue.handle on a ledger on the disk, without what understanding takes."""
    import evaluate

    from assistant.care import SCHEMAS
    from assistant.clockwork import due_events
    from assistant.converse import Dialogue
    from assistant.furnish import understander
    from assistant.household import load
    from assistant.messages import (
        Ask,
        Call,
        Delivered,
        Event,
        Heard,
        Hypothesis,
        Notify,
        Say,
        Silence,
        Spoken,
        Started,
    )
    from assistant.places import sample_household, shipped
    from assistant.replies import Replies
    from assistant.store import Store

    judged = 0.0
    clock: Callable[[], float] = time.process_time

    def timed(home: Any) -> Any:
        brain = understander(home)

        class Timed:
            def judge(self, *given: Any, **named: Any) -> Any:
                nonlocal judged
                began = clock()
                try:
                    return brain.judge(*given, **named)
                finally:
                    judged += clock() - began

            def __getattr__(self, name: str) -> Any:
                return getattr(brain, name)

        return Timed()

    home = load(sample_household())
    sentences = [row for row in evaluate.rows() if row.household == "sample" and row.intent != "emergency.call"]
    random.Random(2).shuffle(sentences)

    def day(store: Store, many: int) -> dict[str, list[float]]:
        """So many sentences two minutes apart, with everything that falls due; milliseconds by event."""
        times: dict[str, list[float]] = {}
        talk = Dialogue(store, home, timed, Replies.load(shipped("intents")))
        now = datetime.fromisoformat("2026-11-22T06:00").replace(tzinfo=home.zone)

        def handle(event: Event) -> None:
            nonlocal judged
            judged, began = 0.0, clock()
            actions = talk.handle(event, now)
            times.setdefault(type(event).__name__, []).append((clock() - began - judged) * 1000)
            if not isinstance(event, Spoken) and any(isinstance(one, Say | Ask) for one in actions):
                handle(Spoken())
            for sent in [one for one in actions if isinstance(one, Notify | Call)]:
                handle(Delivered(sent.message, isinstance(sent, Notify)))

        handle(Started())
        for row in sentences[:many]:
            now += timedelta(minutes=2)
            for due in due_events(store, now):
                handle(due)
            handle(Heard((Hypothesis(evaluate.meaning.hanzi(row.say)),)))
            if talk.deadline is not None:
                now = max(now, talk.deadline)
                handle(Silence())
        return times

    shown: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=CLIPS.parent) as folder:
        for name, store, many in (("memory", Store.memory(SCHEMAS), 500), ("disk", Store.open(Path(folder) / "ledger.db", SCHEMAS), 100)):
            clock = time.process_time if name == "memory" else time.perf_counter  # a shared machine is no fault of the core; a slow disk is
            times = day(store, many)
            every = [one for some in times.values() for one in some]
            shown[name] = {"n": len(every), "median": statistics.median(every), "p99": percentile(every, 0.99), "most": max(every),
                           "by": {event: [len(some), round(percentile(some, 0.99), 2)] for event, some in sorted(times.items())}}
        shown["sync"] = synced(Path(folder) / "x")
    return shown


def synced(path: Path) -> float:
    """Milliseconds, median, to write 4 kB and have the disk swear it is there: what a commit costs at least twice."""
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(30):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def house(voice: str) -> dict[str, Any]:
    """The whole house on a microphone that plays a clip and then silence: start to listening, and memory.

    XIAOBAN_BENCH_HOME names its folder: the first start there works out what every further one only reads.
    """
    began = time.perf_counter()
    from assistant.house import House
    from assistant.listen.frames import wav_frames
    from assistant.places import sample_household

    clip = list(wav_frames(CLIPS / "day" / "did_i.opus"))

    def microphone(_: Any) -> Iterator[bytes]:
        for frame in itertools.chain(clip, itertools.repeat(bytes(len(clip[0])))):
            time.sleep(len(frame) / 32000)
            yield frame

    with contextlib.nullcontext(os.environ["XIAOBAN_BENCH_HOME"]) if "XIAOBAN_BENCH_HOME" in os.environ else tempfile.TemporaryDirectory() as folder:
        family = Path(folder) / "家庭.yaml"
        if not family.exists():
            family.write_text(re.sub(r"声音: \w+", f"声音: {voice}", sample_household().read_text(encoding="utf-8")), encoding="utf-8")
        one = House(family, Path(folder) / "data", frames=microphone)
        stood = time.perf_counter() - began
        seen: dict[str, float] = {}

        def watch() -> None:
            while one._ear is None:
                time.sleep(0.02)
            seen["ready"] = time.perf_counter() - began
            seen["ready_cpu"] = time.process_time()
            most, most_voice, end = 0.0, 0.0, time.monotonic() + 25
            while time.monotonic() < end:
                most = max(most, resident())
                most_voice = max(most_voice, sum(_resident_or_gone(child) for child in children(os.getpid())))
                time.sleep(0.1)
            seen.update(most=most, most_voice=most_voice, own=resident())
            seen["voice"] = sum(_resident_or_gone(child) for child in children(os.getpid()))
            one.stop()

        watching = threading.Thread(target=watch, daemon=True)
        watching.start()
        one.live()
        watching.join(10)
    return {"stood": stood, **seen}


def _resident_or_gone(process: int) -> float:
    try:
        return resident(process)
    except OSError:
        return 0.0


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "hearing": hearing, "naive": naive, "understanding": understanding, "core": core,
    "house-espeak": lambda: house("机器声"), "house-kokoro": lambda: house("晓晓"),
}


# --- the table -----------------------------------------------------------------------------------------------------------


def measured(part: str, console: Console, home: str = "") -> dict[str, Any]:
    """Run one part in a process of its own."""
    own = {"XIAOBAN_BENCH_HOME": home, "XDG_CACHE_HOME": f"{home}/cache"} if home else {}
    began = time.monotonic()
    with console.status(part):
        ran = subprocess.run([sys.executable, __file__, "--part", part], capture_output=True, text=True, env={**os.environ, **own})
    console.print(f"{part}: {time.monotonic() - began:.0f} s")
    try:
        return dict(json.loads(ran.stdout.splitlines()[-1]))
    except (IndexError, ValueError):
        raise SystemExit(f"{part} failed:\n{ran.stderr[-2000:]}") from None


def main() -> None:
    """Run every part and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, help="one part, as JSON")
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part]()), flush=True)
        os._exit(0)
    console = Console(width=140 if not sys.stdout.isatty() else None)
    load = os.getloadavg()
    console.print(f"{platform.node()}, {platform.machine()}, {processor()}, {os.cpu_count()} cores; load when started {load[0]:.1f}")
    found = {part: measured(part, console) for part in PARTS if not part.startswith("house")}
    for part in ("house-espeak", "house-kokoro"):
        with tempfile.TemporaryDirectory() as home:
            found[f"first-{part}"], found[part] = measured(part, console, home), measured(part, console, home)
    ours, theirs, mind, heart = found["hearing"], found["naive"], found["understanding"], found["core"]
    plain, natural = found["house-espeak"], found["house-kokoro"]
    first, first_natural = found["first-house-espeak"], found["first-house-kokoro"]
    table = Table(title=f"speed and size; naive: free decoding + rapidfuzz over {sum(map(len, _phrases()))} phrases + pyttsx3")
    for column in ("", "小伴", "naive", "ratio", "wanted"):
        table.add_column(column, justify="left" if not column else "right")
    rows = (
        ("decoding, both ways (naive: free only), × real time", f"{ours['factor']:.3f}", f"{theirs['factor']:.3f}", _ratio(ours["factor"], theirs["factor"]), "≤ 0.6"),
        ("intent right on the same clips", f"{ours['right']}/{ours['of']}", f"{theirs['right']}/{theirs['of']}", _ratio(ours["right"], theirs["right"]), ""),
        ("understanding a clip's hypotheses, ms, median", f"{ours['judge']:.1f}", f"{theirs['judge']:.1f}", _ratio(ours["judge"], theirs["judge"]), "≤ 20"),
        ("  a text, 50 medicines, 20 contacts, 20 services: median / 95 %", f"{mind['large']['text']:.1f} / {mind['large']['text95']:.1f}", "", _ratio(mind["large"]["text"], mind["small"]["text"]) + " sample's", "≤ 20"),
        ("  3 free + 1 grammar, the same household", f"{mind['large']['both']:.1f} / {mind['large']['both95']:.1f}", "", _ratio(mind["large"]["both"], mind["small"]["both"]) + " sample's", "≤ 20"),
        (f"  ten times the phrases ({mind['tenfold']['phrases']})", f"{mind['tenfold']['text']:.1f} / {mind['tenfold']['text95']:.1f}", "", _ratio(mind["tenfold"]["text"], mind["large"]["text"]) + " of once", "≤ 1.5 ×"),
        (f"core handle without understanding, ledger in memory, ms: median / 99 % / most ({heart['memory']['n']} events)", "{median:.2f} / {p99:.2f} / {most:.1f}".format(**heart["memory"]), "", "", "99 % ≤ 5"),
        (f"  ledger on this disk, which takes {heart['sync']:.1f} ms to sync 4 kB ({heart['disk']['n']} events)", "{median:.1f} / {p99:.1f} / {most:.0f}".format(**heart["disk"]), "", _ratio(heart["disk"]["p99"], heart["sync"]) + " a sync", ""),
        ("resident MB, the house with pyttsx3: at rest / most", f"{plain['own']:.0f} / {plain['most']:.0f} + {plain['most_voice']:.0f}", f"{theirs['memory']:.0f}", _ratio(plain["own"], theirs["memory"]), "≤ 250"),
        ("resident MB with Kokoro while it renders ahead: house + voice / most", f"{first_natural['own']:.0f} + {first_natural['voice']:.0f} / {first_natural['most']:.0f} + {first_natural['most_voice']:.0f}", "", _ratio(first_natural["own"] + first_natural["voice"], theirs["memory"]), "≤ 500"),
        ("start to listening, s (pyttsx3 / Kokoro)", f"{plain['ready']:.1f} / {natural['ready']:.1f}", f"{theirs['ready']:.1f}", _ratio(natural["ready"], theirs["ready"]), "≤ 8"),
        ("  seconds of processor of that", f"{plain['ready_cpu']:.1f} / {natural['ready_cpu']:.1f}", "", "", ""),
        ("  the very first start", f"{first['ready']:.1f} / {first_natural['ready']:.1f}", "", "", ""),
        ("start to reminding, s", f"{plain['stood']:.1f} / {natural['stood']:.1f}", "", "", ""),
        ("  the very first start", f"{first['stood']:.1f} / {first_natural['stood']:.1f}", "", "", ""),
    )
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(f"core by event, [number, 99 % in ms]: {heart['memory']['by']}", highlight=False)


def _phrases() -> list[tuple[str, ...]]:
    from baseline import PHRASES

    return list(PHRASES.values())


def _ratio(one: float, other: float) -> str:
    return f"{one / other:.2f} ×" if other else ""


def processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        return next(line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith(("model name", "Model")))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


if __name__ == "__main__":
    main()
