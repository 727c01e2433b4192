"""Write down what our own decoders make of sentences of the corpus: `tools/corpus/*.txt` → `tools/heard/<intent>.txt`.

    python tools/heard.py render [--budget MINUTES]   makes the speech with Kokoro into the user's cache folder, once
    python tools/heard.py                             decodes it in rooms and noise and writes what was heard, beside the true sentence

`learn.py` learns from these, too: a small recogniser slurs 我摔倒了 to 湖水道理 in its own way, which no table of alike syllables
foresees. Chosen are the newest sentences of each intent (so many as in `WANTED`); they are taken out of the talk of a home before it is
decoded, so that they are heard as unheard ones. The voices are other blends than those of the benchmarks. Generated speech: no elders.
"""

from __future__ import annotations

import argparse
import random
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
import platformdirs
import soundfile
from rich.progress import track

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from assistant import household as household_file  # noqa: E402
from assistant import places  # noqa: E402
from tests.clips.acoustics import RATE, in_room, with_noise  # noqa: E402

CORPUS, HEARD = Path(__file__).with_name("corpus"), Path(__file__).with_name("heard")
CACHE = Path(platformdirs.user_cache_dir("xiaoban")) / "heard"
WANTED = {
    "emergency.call": 900, "nothing": 500, "emergency.cancel": 80, "medication.taken": 80, "medication.not_taken": 80, "medication.taking": 60,
    "medication.snooze": 60, "medication.skip": 50, "medication.unsure": 50, "medication.query": 40, "medication.extra": 40, "dialogue.yes": 50,
    "dialogue.no": 50, "dialogue.empty": 40, "dialogue.full": 40,
}
"""Sentences of each intent."""
SPEAKERS = ("zf_xiaobei", "zf_xiaoni", "zf_xiaoxiao", "zf_xiaoyi", "zm_yunjian", "zm_yunxi", "zm_yunxia", "zm_yunyang")
SHARES = (0.75, 0.25)
"""Of two speakers in a voice: the benchmarks have 1, 0.6 and 0.5."""
SPEEDS = (0.85, 0.95, 1.05, 1.15)
ROOMS = (0.0, 0.3, 0.6)
NOISES = ("pink", "white", "hum")
LOUDNESSES = (25.0, 15.0, 10.0, 7.0)
TRIES = 2
"""Rooms and noises each sentence is heard in."""
KEPT, LEAST = 2, 0.15
"""Readings kept of each, and the least share of one."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence in a voice."""

    say: str
    intent: str
    voice: dict[str, float]
    speed: float

    @property
    def path(self) -> Path:
        """Where its sound is."""
        return CACHE / f"{zlib.crc32(f'{self.say}{self.voice}{self.speed}'.encode()):08x}.flac"


def chosen() -> Iterator[Said]:
    """The sentences, always the same ones of the same corpus, those of all intents in turn."""
    found: list[tuple[float, Said]] = []
    for intent, count in WANTED.items():
        lines = [line for raw in (CORPUS / f"{intent}.txt").read_text(encoding="utf-8").splitlines() if len(line := raw.strip()) > 1]
        newest = lines[-3 * count:]
        for place, say in enumerate(random.Random(intent).sample(newest, min(count, len(newest)))):
            dice = random.Random(say)
            one, other = dice.sample(SPEAKERS, 2)
            found.append((place / count, Said(say, intent, {one: SHARES[0], other: SHARES[1]}, dice.choice(SPEEDS))))
    yield from (said for _, said in sorted(found, key=lambda row: row[0]))


def render(budget: float) -> None:
    """Make what is not there yet. Never in a process that also listens."""
    from assistant.speak.kokoro import Kokoro
    from assistant.speak.speech import resample

    CACHE.mkdir(parents=True, exist_ok=True)
    for said in track([one for one in chosen() if not one.path.exists()], "rendering"):
        if process_time() > budget * 60:
            break
        sound = resample(Kokoro(places.models_dir() / "kokoro", said.voice, said.speed).render(said.say), RATE)
        part = said.path.with_suffix(".part")
        soundfile.write(part, sound.samples, RATE, format="FLAC")
        part.replace(said.path)


def decode() -> None:
    """Hear it, and write down what was heard: `what was said<TAB>reading`, by intent."""
    from assistant.furnish import grammars, talk
    from assistant.listen.frames import pcm_frames
    from assistant.listen.recognizer import Decoders, Model

    there = [one for one in chosen() if one.path.exists()]
    unheard = {one.say.translate(_SIGNS) for one in there}
    household = household_file.load(places.sample_household())
    model = Model(places.models_dir() / places.VOSK)
    phrases = grammars(household, model.knows, ("command",))["command"]
    wrote: dict[str, list[str]] = {}
    with Decoders(model, talk=lambda: [one for one in talk(household, model.knows, phrases) if one.replace(" ", "") not in unheard]) as decoders:
        for said in track(there, "hearing"):
            clean, _ = soundfile.read(said.path, dtype="float64")
            for attempt in range(TRIES):
                chance = np.random.default_rng([zlib.crc32(said.say.encode()), attempt])
                room = float(chance.choice(ROOMS))
                sound = np.concatenate([np.zeros(RATE // 3), in_room(clean, room, chance) if room else clean, np.zeros(RATE // 2)])
                sound = with_noise(sound, str(chance.choice(NOISES)), float(chance.choice(LOUDNESSES)), chance)
                for frame in pcm_frames([(sound * (0.3 * 32767 / np.abs(sound).max())).astype("<i2").tobytes()]):
                    decoders.accept(frame)
                free = [one for one in decoders.finish() if one.source == "free" and one.score >= LEAST]
                wrote.setdefault(said.intent, []).extend(f"{said.say}\t{one.text}" for one in free[:KEPT])
    HEARD.mkdir(exist_ok=True)
    for intent, lines in wrote.items():
        (HEARD / f"{intent}.txt").write_text("\n".join(dict.fromkeys(lines)) + "\n", encoding="utf-8")
        print(f"{intent}: {len(lines)}")


_SIGNS = str.maketrans("", "", "，。！？、；：…,.!?;: ")


def main() -> None:
    """Render or decode."""
    wish = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wish.add_argument("what", nargs="?", choices=("render", "decode"), default="decode")
    wish.add_argument("--budget", type=float, default=1e6, help="minutes of processor, then stop; it goes on there next time")
    given = wish.parse_args()
    if given.what == "render":
        render(given.budget)
    else:
        decode()


if __name__ == "__main__":
    main()
