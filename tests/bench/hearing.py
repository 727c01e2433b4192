"""How fast, how large and how good hearing is on the project's own clips: `python -m tests.bench.hearing [--languages | --beams] [FOLDER]`.

Clips are generated speech; nothing here is a claim about real elders. Figures printed: real-time factor of both
decoders on two threads and of the spotter, resident memory, the spread of the grammar's advantage over the free decoder
for sentences inside and outside a grammar (the two numbers in `recognizer.explained`); with `--languages` how many syllables the
model's own language, the talk of a home and both together write wrong, clean and in noise, and at what work; with `--beams` the same for
narrower searches.
"""

from __future__ import annotations

import argparse
import os
import platform
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from assistant.furnish import grammars, talk
from assistant.household import load
from assistant.listen.ear import hear
from assistant.listen.frames import FRAME_SECONDS, wav_frames
from assistant.listen.grammar import build
from assistant.listen.recognizer import NAME, Decoder, Decoders, Model, Reading, hypotheses
from assistant.listen.spotter import Spotter
from assistant.places import models_dir, sample_household
from assistant.understand.sound import syllables
from tests.bench.evaluate import CONDITIONS, heard_in

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


def distance(said: Sequence[str], heard: Sequence[str]) -> int:
    """Characters, or syllables, that are wrong."""
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
    with Decoders(model, grammar.phrases) as decoders:
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



OWN, HOME, COMMANDS = "the model's own", "talk of a home", "commands"


def languages(folder: Path) -> None:
    """Syllables of every fourth clip written wrong by each of the free decoders and by both, and seconds of processor a second of sound."""
    found = list(clips(folder))[::4]
    decoders = all_decoders(Model(models_dir() / NAME))
    del decoders[COMMANDS]
    for condition in CONDITIONS:
        print(f"{condition}: {tried(found, condition, decoders)}")


def beams(folder: Path) -> None:
    """The same of other clips for some beams, with the decoder of the commands: what a narrower search costs and saves."""
    found = list(clips(folder))[1::4]
    for condition in ("clean", "room 0.6 s", "pink 10 dB", "white 10 dB"):
        for beam in (12.0, 10.0, 8.0):
            decoders = all_decoders(Model(models_dir() / NAME, beam))
            print(f"{condition}, beam {beam:g}: {tried(found, condition, decoders)}", flush=True)


def all_decoders(model: Model) -> dict[str, Decoder]:
    """Those of the house, each to be fed by itself."""
    home = load(sample_household())
    commands = grammars(home, model.knows, ("command",))["command"]
    return {OWN: model.free(), HOME: model.held_to(talk(home, model.knows, commands)), COMMANDS: model.held_to(commands)}


def tried(found: Sequence[tuple[list[bytes], str]], condition: str, decoders: Mapping[str, Decoder]) -> str:
    """What share of the syllables each decoder writes wrong, and both free ones together, and the processor each takes."""
    wrong: Counter[str] = Counter()
    work: Counter[str] = Counter()
    letters = length = 0
    for noisy, said in put_into(found, condition):
        length += len(noisy)
        letters += len(syllables(said))
        best: dict[str, list[Reading]] = {}
        for name, decoder in decoders.items():
            began = process_time()
            best[name] = decoded(decoder, noisy)
            work[name] += process_time() - began
        for name in (OWN, HOME):
            wrong[name] += mistaken(said, "".join(best[name][0].words) if best[name] else "")
        together = hypotheses(best[OWN], (), best[HOME])
        wrong["both"] += mistaken(said, together[0].text if together else "")
    rates = ", ".join(f"{name} {count / letters:.1%}" for name, count in wrong.items())
    times = ", ".join(f"{name} {spent / (length * FRAME_SECONDS):.2f}" for name, spent in work.items())
    return f"syllables wrong: {rates}; processor: {times} x real time"


def put_into(found: Sequence[tuple[list[bytes], str]], condition: str) -> Iterator[tuple[list[bytes], str]]:
    """Each clip in a room or a noise, and what is said in it."""
    for number, (frames, said) in enumerate(found):
        yield heard_in(np.frombuffer(b"".join(frames), "<i2") / 32768, condition, number), said


def decoded(decoder: Decoder, frames: list[bytes]) -> list[Reading]:
    """All readings of a clip."""
    for frame in frames:
        decoder.accept(frame)
    return list(decoder.finish())


def mistaken(said: str, heard: str) -> int:
    """Syllables that are wrong, whatever they are written as."""
    return distance(syllables(said), syllables(heard))


def spread(scores: list[float]) -> str:
    """Quartiles."""
    return " ".join(f"{value:.2f}" for value in np.quantile(scores or [0.0], [0, 0.1, 0.25, 0.5, 0.75, 1]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=CLIPS)
    parser.add_argument("--languages", action="store_true", help="only what the languages of the two free decoders are worth (ten minutes)")
    parser.add_argument("--beams", action="store_true", help="only what narrower searches cost and save (ten minutes)")
    options = parser.parse_args()
    (languages if options.languages else beams if options.beams else main)(options.folder)
