"""Are cries for help heard, and is the television left alone?

    python -m tests.bench.distress render [--clips 2000] [--hours 6] [--budget MINUTES]     makes the speech, once
    python -m tests.bench.distress [--clips 2000] [--hours 6] [--snr 10] [--budget MINUTES] measures what was made

`render` makes the sentences of distress_plan.py with Kokoro (twenty voices, six speeds) into the user's cache folder, in a
process that never loads the recogniser; about one and a half seconds of processor a second of speech. Without it clips and
scenes are put into rooms, noise and music, run through the whole ear and judged as `House` judges them. Both stop when the
budget (minutes of processor) is used up and go on from there the next time: results are kept beside the sound, by a
fingerprint of everything that hears and understands. Generated speech: no claim about real elders.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time

import numpy as np
import platformdirs
import soundfile

from assistant import places
from tests.bench.distress_plan import MUSIC, ROOMS, VOICES, Cry, Line, Scene, cries, television, written
from tests.clips.acoustics import RATE, Wave, in_room, noise, with_noise

CACHE = Path(platformdirs.user_cache_dir("xiaoban")) / "bench-distress"
EVENING = 30
"""Scenes that follow one another."""
SCENE_SECONDS = 52.0
"""Length of a scene, on average: how many make an hour."""


NEW = len(written("cries"))
"""Cries that others have written, each once."""


def path(line: Line) -> Path:
    """Where its sound is."""
    return CACHE / f"{line.name}.flac"


def scenes(hours: float) -> list[Scene]:
    """So much television."""
    return list(television(round(hours * 3600 / SCENE_SECONDS)))


def talks(clips: int) -> list[Cry]:
    """Cries, and beside them talk that is none, on television and at home, and cries that others have written."""
    return [*cries(clips), *cries(clips // 10, "talk"), *cries(clips // 40, "almost"), *cries(clips // 5, "home"), *cries(min(NEW, clips), "new")]


# --- making -------------------------------------------------------------------------------------------------------


def render(clips: int, hours: float, budget: float) -> None:
    """Make what is not there yet, clips and scenes in equal shares. Never in a process that also listens: see `engines`."""
    from assistant.speak.kokoro import Kokoro
    from assistant.speak.speech import resample

    CACHE.mkdir(parents=True, exist_ok=True)
    said = [one.line for one in talks(clips)]
    shown = [line for scene in scenes(hours) for line in scene.lines]
    longest = max(len(said), len(shown))
    both = sorted([(at * longest / len(said), line) for at, line in enumerate(said)]
                  + [(at * longest / max(1, len(shown)), line) for at, line in enumerate(shown)], key=lambda one: one[0])
    wanted = list(dict.fromkeys(line for _, line in both))
    missing = [line for line in wanted if not path(line).exists()]
    for done, line in enumerate(missing, len(wanted) - len(missing)):
        if process_time() > budget * 60:
            break
        sound = resample(Kokoro(places.models_dir() / "kokoro", VOICES[line.voice], line.speed).render(line.say), RATE)
        part = path(line).with_suffix(".part")
        soundfile.write(part, sound.samples, RATE, format="FLAC")
        part.replace(path(line))
        print(f"\r{done + 1} of {len(wanted)}, {process_time() / 60:.1f} min", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def _wave(line: Line, pitch: float = 1.0) -> Wave:
    sound, _ = soundfile.read(path(line), dtype="float64")
    wave: Wave = np.interp(np.arange(0, len(sound) - 1, pitch), np.arange(len(sound)), sound) if pitch != 1.0 else sound
    return wave


def _frames(sound: Wave) -> list[bytes]:
    sound = sound * (0.3 / np.abs(sound).max())
    return list(pcm_frames([(sound * 32767).astype("<i2").tobytes()]))


def cried(one: Cry, snr: float, attempt: int) -> list[bytes]:
    """A clip in its room and noise, half a second before it and one and a half after it; another moment of both each try."""
    chance = np.random.default_rng([one.number, attempt, round(snr), len(one.kind)])
    sound = _wave(one.line)
    sound = in_room(sound, one.room, chance) if one.room else sound
    sound = np.concatenate([np.zeros(RATE // 2), sound, np.zeros(RATE * 3 // 2)])
    return _frames(with_noise(sound, one.noise, snr, chance))


def shown(scene: Scene, take: int) -> tuple[list[bytes], list[tuple[float, float]]]:
    """A scene across a room, and from when to when, in seconds, each line is said.

    The first take is as rendered; others are played faster or slower, which makes other voices of them, in another room.
    """
    chance = np.random.default_rng([scene.number, take])
    pitch = 1.0 if take == 0 else float(chance.uniform(0.9, 1.12))
    pieces: list[Wave] = [np.zeros(RATE // 2)]
    spans: list[tuple[float, float]] = []
    at = 0.5
    for line in scene.lines:
        wave = _wave(line, pitch) * 10 ** (chance.uniform(-4, 2) / 20)
        gap = float(chance.uniform(0.1, 0.9))
        pieces += [wave, np.zeros(round(gap * RATE))]
        spans.append((at, at + len(wave) / RATE))
        at += len(wave) / RATE + gap
    voice = np.concatenate([*pieces, np.zeros(RATE * 2)])
    power = np.sort(voice**2)[len(voice) // 2 :].mean()
    sound = voice + music(len(voice), chance) * np.sqrt(power / 10 ** (MUSIC[scene.genre] / 10))
    room = ROOMS[1:][int(chance.integers(len(ROOMS) - 1))]
    return _frames(with_noise(in_room(sound, room, chance), "pink", 30.0, chance)), spans


def music(length: int, chance: np.random.Generator) -> Wave:
    """Chords of a few voices with a beat, of unit power: enough to be no noise, and never words."""
    time = np.arange(length) / RATE
    wave: Wave = np.zeros(length)
    bar = float(chance.uniform(1.6, 3.2))
    for number in range(int(time[-1] / bar) + 1):
        begin, end = round(number * bar * RATE), min(length, round((number + 1) * bar * RATE))
        here = time[begin:end] - number * bar
        root = 110 * 2 ** (int(chance.integers(0, 12)) / 12)
        for step in (0, 4 if chance.random() < 0.5 else 3, 7, 12):
            tone = root * 2 ** (step / 12)
            for harmonic in (1, 2, 3, 4):
                wave[begin:end] += np.sin(2 * np.pi * tone * harmonic * here) / harmonic**1.5 * np.exp(-here / bar)
        for beat in np.arange(0, bar, bar / 4):
            hit = round((number * bar + float(beat)) * RATE)
            stop = min(length, hit + RATE // 20)
            if stop > hit:
                wave[hit:stop] += noise("white", stop - hit, chance) * np.exp(-np.arange(stop - hit) / 200)
    return np.asarray(wave / np.sqrt(np.mean(wave**2)))


# --- hearing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one clip, or of one scene."""

    key: str
    """Names what was played, and how."""
    kind: str
    """cry, talk, almost, home, new, or the genre of a scene."""
    snr: float
    attempt: int
    result: str
    """`alarm` at once, `asks` (the question of an unsure one), `doubt` (other talk has gone on for a while: 是您在喊吗, and silence is a no),
    `near` (it may have been a cry), `again` (the same perhaps in a quiet house within a minute: asked about, and silence is a note to the family), or nothing."""
    staged: str
    """The same for what was heard while a cry of a drama was on."""
    seconds: float
    """Length of the sound."""
    cpu: float
    """Seconds of processor the ear took."""
    text: str
    """What was said, and what was heard of it if it mattered."""
    called: int = 0
    """How often the ear believed that its wake word was said."""
    perhaps: str = ""
    """The sentence that is `near`."""
    plainly: bool = False
    """Whether that one was made out as words of a cry: the same again is hers."""


class Bench:
    """The ear of the house and its judgement, without the house."""

    def __init__(self, evening: int = EVENING) -> None:
        self.evening = evening
        self.household = household_file.load(places.sample_household())
        self.model = Model(places.models_dir() / places.VOSK)
        self.brain = understander(self.household)
        self.grammars = grammars(self.household, self.model.knows, ("command", "distress"))
        self.decoders = Decoders(self.model, talk=lambda: talk(self.household, self.model.knows, self.grammars["command"]))
        self.spotter = Spotter(self.model, self.household.wake_words, self.brain.distress_phrases(), self.decoders)
        self.overheard = ""
        """What of the last sound was put to the judgement as said to nobody."""
        self.around = Around()
        """How much was talked before the scene that comes."""
        self.called = 0
        """Wake words heard in the last sound."""
        self.almost: tuple[Meaning, float] | None = None
        """What was last near, and when, in seconds of the sound that comes."""
        self.now = datetime(2026, 11, 22, 15, tzinfo=self.household.zone)

    def heard(self, frames: list[bytes]) -> Iterator[tuple[float, str, str]]:
        """(seconds from the beginning, result, what was heard) of everything the ear reports."""
        at = 0
        found: list[tuple[float, Heard]] = []
        self.overheard, self.called = "", 0

        def counted() -> Iterator[bytes]:
            nonlocal at
            for frame in frames:
                at += 1
                yield frame

        def posted(event: object) -> None:
            self.called += event == Pressed("wake") or (isinstance(event, Heard) and event.woken)
            if isinstance(event, Heard):
                found.append((at * FRAME_SECONDS, event))

        def suspects(hypotheses: tuple[Hypothesis, ...]) -> bool:
            self.overheard += told(hypotheses)
            return suspicious(self.brain, hypotheses, self.now)

        ear = Ear(counted(), self.decoders, self.spotter, self.grammars, posted, suspects)
        ear.around = self.around
        ear.listen()
        length = len(frames) * FRAME_SECONDS
        self.around = Around(deque((begin - length, seconds) for begin, seconds in ear.around.pieces))
        for when, heard in found:
            judged = overheard(self.brain.judge(heard.hypotheses, self.now), heard)
            now = result(judged, heard)
            if judged.cry is not None and heard.around < AMID:
                before, self.almost = self.almost, (judged.cry, when)
                if before is not None and when - before[1] <= TWICE.total_seconds() and same_cry(before[0].text, judged.cry.text):
                    now = "asks" if plainly_twice(before[0], judged.cry) else "again"
            yield when, now, told(heard.hypotheses)
        if self.almost is not None:
            self.almost = (self.almost[0], self.almost[1] - length)

    def clip(self, one: Cry, snr: float, attempt: int) -> Outcome:
        """One clip through the ear, in a quiet house that is not the one of the television."""
        evening, self.around, self.almost = (self.around, self.almost), Around(), None
        frames, began = cried(one, snr, attempt), process_time()
        best, why = "", ""
        for _, now, text in self.heard(frames):
            if ORDER.index(now) > ORDER.index(best):
                best, why = now, text
        cry = self.almost[0] if self.almost is not None and best == "near" else None
        heard = Outcome(f"{one.kind}{one.number}-{snr:.0f}-{attempt}", one.kind, snr, attempt, best, "", len(frames) * FRAME_SECONDS,
                        process_time() - began, f"{one.line.say} <- {why or self.overheard}", perhaps=cry.text if cry else "",
                        plainly=cry is not None and plainly_twice(cry, cry))
        self.around, self.almost = evening  # between two clips the television goes on
        return heard

    def scene(self, scene: Scene, take: int) -> Outcome:
        """One scene through the ear, after the one before it: at most one alarm comes of it, the rest is the same one going on.

        The television is switched on anew every `evening` scenes.
        """
        if scene.number % self.evening == 0:
            self.around, self.almost = Around(), None
        (frames, spans), began = shown(scene, take), process_time()
        best, staged, why = "", "", ""
        for when, now, text in self.heard(frames):
            cry = any(spans[at][0] < when < spans[at][1] + AFTER for at in scene.cries)
            if cry:
                staged = max(staged, now, key=ORDER.index)
            elif ORDER.index(now) > ORDER.index(best):
                best, why = now, f"{'/'.join(line.say for line, span in zip(scene.lines, spans, strict=True) if span[0] < when < span[1] + AFTER)} <- {text}"
        return Outcome(f"tv{scene.number}-{take}", scene.genre, 0.0, take, best, staged, len(frames) * FRAME_SECONDS,
                       process_time() - began, why, self.called)


def told(hypotheses: tuple[Hypothesis, ...]) -> str:
    """The decoders' readings in one line."""
    return " | ".join(f"{one.source[0]} {one.score:.2f} {one.text}" for one in hypotheses)


AFTER = 2.5
"""Seconds after its end within which the ear reports a sentence: the gate's patience, and decoding."""
ORDER = ("", "near", "again", "doubt", "asks", "alarm")
ACTED = ("asks", "alarm")


def result(judged: Judgement, heard: Heard) -> str:
    """What the dialogue makes of words that were said to nobody."""
    if judged.meaning is not None and judged.meaning.intent == "emergency.call":
        if not heard.woken and heard.around >= AMID:
            return "doubt"
        return "asks" if judged.meaning.slots.get("grade") == "unsure" else "alarm"
    return "near" if judged.cry is not None else ""


# --- telling ------------------------------------------------------------------------------------------------------


def report(rows: Iterable[Outcome]) -> None:
    """Figures on stdout."""
    found = list(rows)
    for snr in sorted({row.snr for row in found if row.snr}, reverse=True):
        for kind in ("cry", "new", "talk", "almost", "home"):
            here = [row for row in found if row.snr == snr and row.kind == kind]
            first = [row for row in here if row.attempt == 0]
            if not first:
                continue
            acted = {row.key.rpartition("-")[0] for row in here if row.result in ACTED}
            again = {row.key.rpartition("-")[0] for row in here if row.result == "again"} - acted
            same = {clip: tries[:2] for clip, tries in perhaps(here).items() if clip not in acted and len(tries) > 1 and same_cry(tries[0].perhaps, tries[1].perhaps)}
            plain = {clip for clip, tries in same.items() if all(one.plainly for one in tries)}
            acted, again = acted | plain, again | set(same) - plain
            alarms = sum(row.result == "alarm" for row in first)
            asked = sum(row.result == "asks" for row in first)
            both = len(acted | again)
            within = f", within two {both} = {both / len(first):.1%} ({len(again)} of them asked whether it was she)" if len(here) > len(first) else ""
            print(f"{snr:.0f} dB {kind}: {alarms + asked} of {len(first)} = {(alarms + asked) / len(first):.1%} at the first try "
                  f"({alarms} alarms, {asked} questions){within}")
    scenes_heard = [row for row in found if not row.snr]
    if scenes_heard:
        hours = sum(row.seconds for row in scenes_heard) / 3600
        distinct = sum(row.seconds for row in scenes_heard if row.attempt == 0) / 3600
        print(f"television: {hours:.2f} h ({distinct:.2f} h of it different sentences)")
        for genre in MUSIC:
            here = [row for row in scenes_heard if row.kind == genre]
            length = sum(row.seconds for row in here) / 3600
            if length:
                print(f"  {genre}: {length:.2f} h, {sum(row.result == 'alarm' for row in here)} alarms, "
                      f"{sum(row.result == 'asks' for row in here)} questions, {sum(row.result == 'doubt' for row in here)} doubts")
        alarms, asked, doubts, again = (sum(row.result == name for row in scenes_heard) for name in ("alarm", "asks", "doubt", "again"))
        print(f"  without a cry: pre-alarms {alarms / hours:.2f} an hour, questions {asked / hours:.2f}, doubts {doubts / hours:.2f}, asked about the same perhaps again {again / hours:.2f}")
        print(f"  the wake word was heard {sum(row.called for row in scenes_heard)} times")
        staged = [row.staged for row in scenes_heard if row.staged]
        print(f"  cries of a drama: {sum(one in ACTED for one in staged)} raised an alarm or a question, {staged.count('doubt')} a doubt")
    print(f"ear: {sum(row.cpu for row in found) / max(1.0, sum(row.seconds for row in found)):.2f} s of processor a second of sound")


def perhaps(rows: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """By clip, each time that it may have been a cry."""
    found: dict[str, list[Outcome]] = {}
    for row in rows:
        if row.perhaps:
            found.setdefault(row.key.rpartition("-")[0], []).append(row)
    return found


def fingerprint() -> str:
    """Of everything that hears and understands: results of other code count no longer."""
    here = Path(places.__file__).parent
    files = [*places.shipped("intents").glob("*.toml"), *(here / "listen").glob("*.py"), *(here / "understand").glob("*.py"),
             *here.glob("listen/*.xz"), *here.glob("understand/*.npz"),
             here / "furnish.py", here / "sample.yaml", Path(__file__), Path(__file__).with_name("distress_plan.py")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()[:12]


def jobs(given: argparse.Namespace) -> Iterator[tuple[str, Cry | Scene, float, int]]:
    """(key, what, SNR, which try or take) of all that is rendered; clips and scenes in turn, so that a part is a fair part."""
    heard = [one for one in talks(given.clips) if path(one.line).exists()]
    seen = [one for one in scenes(given.hours) if all(path(line).exists() for line in one.lines)]
    rows: list[tuple[float, str, Cry | Scene, float, int]] = []
    for at, clip in enumerate(heard):
        snr = given.snr or clip.snr
        rows += [(at / len(heard), f"{clip.kind}{clip.number}-{snr:.0f}-{n}", clip, snr, n) for n in range(given.tries)]
    count = len(seen) * given.takes
    rows += [((take * len(seen) + at) / count, f"tv{scene.number}-{take}", scene, 0.0, take) for take in range(given.takes) for at, scene in enumerate(seen)]
    print(f"rendered: {len(heard)} of {len(talks(given.clips))} clips, {len(seen)} of {len(scenes(given.hours))} scenes", file=sys.stderr)
    for _, key, what, snr, number in sorted(rows, key=lambda row: row[0]):
        yield key, what, snr, number


def helped(known: Mapping[str, Outcome], key: str, attempt: int) -> bool:
    """Whether an earlier try of the clip was acted on already: nobody cries again then. A scene has no tries, only takes."""
    clip, _, _ = key.rpartition("-")
    return not clip.startswith("tv") and any(known[f"{clip}-{n}"].result in ACTED for n in range(attempt) if f"{clip}-{n}" in known)


def measure(given: argparse.Namespace) -> None:
    """Hear what was not heard before, within the budget, and report on all of it."""
    often = "" if given.evening == EVENING else f"-{given.evening}"
    kept = CACHE / f"results-{fingerprint()}{often}.jsonl"
    known = {row["key"]: Outcome(**row) for row in map(json.loads, kept.read_text(encoding="utf-8").splitlines())} if kept.exists() else {}
    wanted = list(jobs(given))
    bench = Bench(given.evening) if any(key not in known for key, *_ in wanted) else None
    began = process_time()
    with kept.open("a", encoding="utf-8") as file:
        for done, (key, what, snr, number) in enumerate(wanted):
            if key in known or bench is None or process_time() - began > given.budget * 60 or helped(known, key, number):
                continue
            row = bench.clip(what, snr, number) if isinstance(what, Cry) else bench.scene(what, number)
            known[key] = row
            file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
            file.flush()
            if not given.quiet and (row.result in ACTED) != (row.kind in ("cry", "new")):
                print(f"\n  {key} {row.result or '-'} {row.text}", file=sys.stderr, flush=True)
            print(f"\r{done + 1} of {len(wanted)}, {(process_time() - began) / 60:.1f} min", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    report(known[key] for key, *_ in wanted if key in known)


def main() -> None:
    """Render or measure."""
    wish = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wish.add_argument("what", nargs="?", choices=("render", "measure"), default="measure")
    wish.add_argument("--clips", type=int, default=2000, help="cries in the plan; talk and cries of a drama come on top")
    wish.add_argument("--hours", type=float, default=6.0, help="television in the plan")
    wish.add_argument("--snr", type=float, default=0.0, help="all clips at this ratio instead of each at its own (20, 15, 10, 5 dB)")
    wish.add_argument("--tries", type=int, default=2, help="how often each clip is cried, until it is acted on")
    wish.add_argument("--takes", type=int, default=1, help="how often each scene is shown, with other voices, music and rooms")
    wish.add_argument("--evening", type=int, default=EVENING, help="scenes after which the television is switched on anew: 1 is hardest")
    wish.add_argument("--budget", type=float, default=1e6, help="minutes of processor, then stop; it goes on there next time")
    wish.add_argument("--quiet", action="store_true", help="figures only")
    given = wish.parse_args()
    if given.what == "render":
        render(given.clips, given.hours, given.budget)
    else:
        measure(given)


if __name__ == "__main__":
    if "render" not in sys.argv[1:]:
        from datetime import datetime

        from assistant import household as household_file
        from assistant.converse import AMID, TWICE, overheard, plainly_twice, same_cry
        from assistant.furnish import grammars, suspicious, talk, understander
        from assistant.listen.ear import Around, Ear
        from assistant.listen.frames import FRAME_SECONDS, pcm_frames
        from assistant.listen.recognizer import Decoders, Model
        from assistant.listen.spotter import Spotter
        from assistant.messages import Heard, Hypothesis, Judgement, Meaning, Pressed

    main()
