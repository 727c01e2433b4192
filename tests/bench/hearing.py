"""How fast, how large and how good hearing is on the project's own clips: `python -m tests.bench.hearing [FOLDER]`.

Clips are generated speech; nothing here is a claim about real elders. Figures printed: real-time factor of both
decoders on two threads and of the spotter, resident memory, the spread of the grammar's advantage over the free decoder
for sentences inside and outside a grammar (the two numbers in `recognizer.explained`), and what automatic gain does to a
voice 34 dB too quiet.
"""

from __future__ import annotations

import os
import platform
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import numpy as np

from assistant.listen.ear import hear
from assistant.listen.frames import FRAME_SECONDS, levelled, wav_frames
from assistant.listen.grammar import build
from assistant.listen.recognizer import NAME, Model, TwoDecoders
from assistant.listen.spotter import Spotter
from assistant.places import models_dir

CLIPS = Path(__file__).parents[1] / "clips"
DISTRESS = ("救命", "救命啊", "来人啊", "我摔倒了", "起不来了", "我摔倒了起不来了", "快叫救护车", "着火了")


def memory() -> float:
    """Resident, MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def clips(folder: Path) -> Iterator[tuple[list[bytes], str]]:
    """Frames of each clip that was rendered, and what is said in it."""
    for row in tomllib.loads((folder / "clips.toml").read_text(encoding="utf-8"))["clips"]:
        if (path := folder / row["file"]).exists():
            yield list(wav_frames(path)), "".join(char for char in row["say"] if "\u3400" <= char <= "\u9fff")


def distance(said: str, heard: str) -> int:
    """Characters that are wrong."""
    row = list(range(len(heard) + 1))
    for i, one in enumerate(said, 1):
        above, row = row, [i]
        for j, other in enumerate(heard, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (one != other)))
    return row[-1]


def main(folder: Path) -> None:
    """Measure and print."""
    print(f"{platform.node()}, {platform.machine()}, {os.cpu_count()} cores; before the model {memory():.0f} MB")
    began = perf_counter()
    model = Model(models_dir() / NAME)
    print(f"model loaded in {perf_counter() - began:.2f} s, {memory():.0f} MB")
    found = list(clips(folder))
    length = sum(len(frames) for frames, _ in found) * FRAME_SECONDS
    began = perf_counter()
    half = [said for _, said in found][::2]
    grammar = build(half, model.knows)
    print(f"{len(found)} clips, {length:.0f} s; grammar of {len(grammar.phrases)} in {perf_counter() - began:.3f} s")

    inside: list[float] = []
    outside: list[float] = []
    errors = {"free": 0, "grammar": 0}
    total = {"free": 0, "grammar": 0}
    largest = 0.0
    with TwoDecoders(model, grammar.phrases) as decoders:
        began = perf_counter()
        for number, (frames, said) in enumerate(found):
            heard = [one for each in hear(frames, decoders) for one in each.hypotheses]
            held = [one for one in heard if one.source == "grammar"]
            score = held[0].score if held and held[0].whole else 0.0
            (outside if number % 2 else inside).append(score)
            if number % 2 and score >= 0.05:
                print(f"  outside, yet {score:.2f}: {said} -> {held[0].text}")
            for source in ("free", "grammar")[: 1 if number % 2 else 2]:
                best = next((one.text for one in heard if one.source == source), "")
                errors[source] += distance(said, best)
                total[source] += len(said)
            largest = max(largest, memory())
        print(f"both decoders: {(perf_counter() - began) / length:.3f} x real time, at most {largest:.0f} MB")
        for source, wrong in errors.items():
            print(f"characters wrong, {source}: {wrong / max(1, total[source]):.1%}")
        print(f"grammar score inside:  {spread(inside)}; below 0.05: {sum(s < 0.05 for s in inside)}/{len(inside)}")
        print(f"grammar score outside: {spread(outside)}; 0.05 and more: {sum(s >= 0.05 for s in outside)}/{len(outside)}")

        spotter = Spotter(model, ("小伴小伴",), DISTRESS, decoders)
        began = perf_counter()
        hits = misses = false = 0
        for frames, said in found:
            kinds = {one.kind for one in spotter.spot(frames)}
            wanted = {"wake"} if "小伴小伴" in said else {"distress"} if any(one in said for one in DISTRESS) else set()
            hits += bool(wanted) and wanted <= kinds
            misses += bool(wanted - kinds)
            false += bool(kinds) and not wanted
        print(f"spotter: {(perf_counter() - began) / length:.3f} x real time, {hits} found, {misses} missed, {false} false")

        for name, stage in QUIET.items():
            wrong = letters = silent = 0
            for frames, said in found[:24]:
                heard = [one for each in hear(stage(frames), decoders) for one in each.hypotheses if one.source == "free"]
                silent += not heard
                wrong += distance(said, heard[0].text if heard else "")
                letters += len(said)
            print(f"{name}: {wrong / max(1, letters):.1%} of characters wrong, {silent} clips not heard at all")


def far(frames: list[bytes]) -> list[bytes]:
    """34 dB quieter, with the noise of a cheap microphone (8 units RMS)."""
    chance = np.random.default_rng(5)
    return [
        (np.frombuffer(frame, "<i2") / 50 + chance.normal(0, 8, len(frame) // 2)).astype("<i2").tobytes()
        for frame in frames
    ]


QUIET: dict[str, Callable[[list[bytes]], Iterator[bytes]]] = {
    "as recorded": lambda frames: iter(frames),
    "as recorded, levelled": lambda frames: levelled(frames),
    "far": lambda frames: iter(far(frames)),
    "far, levelled": lambda frames: levelled(far(frames)),
    "far, gain only": lambda frames: levelled(far(frames), noise=0),
}


def spread(scores: list[float]) -> str:
    """Quartiles."""
    return " ".join(f"{value:.2f}" for value in np.quantile(scores or [0.0], [0, 0.1, 0.25, 0.5, 0.75, 1]))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else CLIPS)
