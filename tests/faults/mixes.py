"""Random mixes of two to five faults in one emergency, each replayable by its seed: is somebody reached, and how soon?

    python -m tests.faults.mixes                 ten thousand, on all cores, with progress
    python -m tests.faults.mixes --seed 4711     one, with everything that happened
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from assistant.care.incident import State
from assistant.clock import VirtualClock
from assistant.converse import Dialogue
from assistant.messages import Started
from assistant.stage import People, Stage
from assistant.store import moment
from tests.faults.scene import Understands, hear, replies, stage, wait

CRY = "救命啊我摔倒了"
NAMES = ("刘敏", "刘强", "王建国", "刘小军")
CHANNELS = {"刘敏": ("敏敏微信",), "刘强": ("强子微信", "强子邮件"), "王建国": ("老王短信",), "刘小军": ("小军微信",)}
NUMBERS = ("13800000001", "13800000002", "13800000004", "13800000003", "01066668888")
FIRST, SECOND = 2.0, 10.0
"""Seconds from the end of the window to the first try, and to the first try on every other channel (CARE 4)."""
LONGEST = 420.0
"""Seconds after the last fault in which somebody must have been reached."""

OUTAGE = 300.0
"""Seconds without a network before the clock is set back: an alarm has then tried each channel more than fifteen times."""
LOOK = 15.0
"""Seconds between two looks at whether somebody was: what follows is no concern of this bench."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What goes wrong, and the one thing that does not."""

    people: People
    faults: tuple[str, ...]


def mix(seed: int) -> Mix:
    """Two to five faults of people and channels, up to three of the house; a message somebody reads or a call somebody takes works."""
    dice = random.Random(seed)
    saviour = dice.choice(NAMES)
    people = People(latency=dice.choice((0.2, 1.0, 5.0)), talk=dice.choice((2.0, 20.0, 90.0)))
    everything = [name for names in CHANNELS.values() for name in names]
    for _ in range(dice.randint(2, 5)):
        people.dead_channels.add(dice.choice(everything))
        people.answers[dice.choice(NAMES)] = dice.choice(("busy", "voicemail", "silent"))
    if dice.random() < 0.5:
        people.dead_channels.update(everything)
        people.answers[saviour] = "coming"
    else:
        people.dead_channels.add("电话")
        people.dead_channels.discard(dice.choice(CHANNELS[saviour]))
        people.answers[saviour] = "reads"
    faults = tuple(dice.choice(("power", "network", "cry", "step", "back", "rung")) for _ in range(dice.randint(0, 3)))
    return Mix(people, faults)


def run(seed: int) -> tuple[Stage, str]:
    """(the house afterwards, what was wrong; empty if somebody was reached in time)."""
    what = mix(seed)
    dice = random.Random(seed + 1)
    scene = stage(people=what.people)
    if seed % 5:
        hear(scene, CRY, woken=bool(seed % 2))
    else:  # while the television is on: asked, and she cries again
        hear(scene, CRY, woken=False, around=0.8)
        scene.until_quiet()
        hear(scene, CRY, prompted=True)
    for number, fault in enumerate(what.faults):
        wait(scene, 20 + 17 * number)
        match fault:
            case "power":
                store, happened = scene.dialogue.store, scene.happened
                dialogue = Dialogue(store, scene.dialogue.household, Understands, replies())
                scene = Stage(dialogue, VirtualClock(scene.clock.now + timedelta(seconds=30)), what.people, happened=happened)
                scene.tell(Started())
            case "network":
                what.people.network = False
                wait(scene, 40)
                what.people.network = True
            case "cry":
                hear(scene, CRY)
            case "step":
                scene.step(timedelta(hours=1))
            case "back":  # the network was away so long that every channel has had its share of tries; with it comes the right time
                what.people.network = False
                wait(scene, OUTAGE)
                scene.step(timedelta(hours=-1))
                what.people.network = True
            case "rung":
                scene.ring(dice.choice(NUMBERS), dice.choice((5.0, 30.0)), f"in-{number}")
    end = scene.clock.now + timedelta(seconds=LONGEST)
    while not _reached(scene) and scene.clock.now < end:
        wait(scene, LOOK)
    return scene, _wrong(scene, what)


def _reached(scene: Stage) -> bool:
    rows = scene.dialogue.store.find("incident", order="id DESC", limit=1)
    return State(rows[0]["state"]) in (State.ACKED, State.CLOSED)


def _wrong(scene: Stage, what: Mix) -> str:
    store = scene.dialogue.store
    if not _reached(scene):
        return "nobody was reached"
    if {"step", "back"} & set(what.faults):
        return ""  # times of before and after a step cannot be compared
    waits = []
    for row in store.find("message", "key LIKE '%-m0-%'"):
        tries = store.find("try", "message = ?", row["id"], order="id", limit=1)
        waits.append((moment(tries[0]["at"]) - moment(row["created_at"])).total_seconds() if tries else LONGEST)
    if min(waits) > FIRST:
        return f"the first try came {min(waits):.1f} s after the window"
    return f"a channel was first tried after {max(waits):.1f} s" if max(waits) > SECOND else ""


def _many(seeds: range) -> list[tuple[int, str]]:
    return [(seed, wrong) for seed in seeds if (wrong := run(seed)[1])]


def lost(seeds: range, jobs: int = 1, size: int = 25) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """(how many are done, what was wrong in these), a slice of `size` at a time."""
    slices = [range(start, min(start + size, seeds.stop)) for start in range(seeds.start, seeds.stop, size)]
    if jobs == 1:
        found = map(_many, slices)
        yield from ((one.stop - seeds.start, wrong) for one, wrong in zip(slices, found, strict=True))
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from ((one.stop - seeds.start, wrong) for one, wrong in zip(slices, pool.map(_many, slices), strict=True))


def main() -> int:
    """The exit code is 1 if anybody was lost."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mixes", type=int, default=10_000)
    options.add_argument("--first", type=int, default=0, help="seed of the first one")
    options.add_argument("--seed", type=int, help="only this one, told line by line")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = options.parse_args()
    if chosen.seed is not None:
        print(mix(chosen.seed))
        scene, wrong = run(chosen.seed)
        for one in scene.happened:
            if line := one.told():
                print(line)
        print(wrong or "somebody was reached in time")
        return int(bool(wrong))
    bad: list[tuple[int, str]] = []
    for done, wrong in lost(range(chosen.first, chosen.first + chosen.mixes), chosen.jobs):
        bad += wrong
        print(f"\r{done} of {chosen.mixes}, {len(bad)} lost", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for seed, why in bad:
        print(f"--seed {seed}: {why}")
    print(f"{chosen.mixes} mixes of faults, somebody reached in time in {chosen.mixes - len(bad)}")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
