"""Makes the test clips from clips.toml: the Kokoro speakers and blends of them, speeds, noise, rooms; nothing recorded.

Run `make clips` after adding an entry; a clip that exists is left alone unless `--all` is given. Every clip is
reproducible: noise and room are seeded by the file's name. Opus at about 32 kbit/s keeps 150 clips near 2 MB.
"""

from __future__ import annotations

import sys
import tomllib
import zlib
from pathlib import Path

import numpy as np
import soundfile
from rich.progress import track

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent), str(HERE)]

from acoustics import RATE, Wave, in_room, noise, with_noise  # noqa: E402

from assistant.places import models_dir  # noqa: E402
from assistant.speak.kokoro import Kokoro  # noqa: E402
from assistant.speak.speech import resample  # noqa: E402


def blend(name: str) -> str | dict[str, float]:
    """`zf_xiaoyi` is a speaker; `zf_xiaoyi*0.6+zm_yunjian*0.4` a voice between two, as `zf_xiaoyi+zm_yunjian` halves."""
    parts = [part.split("*") for part in name.split("+")]
    return parts[0][0] if len(parts) == 1 else {p[0]: float(p[1]) if len(p) > 1 else 1 / len(parts) for p in parts}


def spoken(text: str, voice: str, speed: float, engines: dict[str, Kokoro]) -> Wave:
    """The sentence at 16 kHz, −1…1; `…` in the text is a pause of 1.2 s, as people make in mid-sentence."""
    if voice not in engines:
        engines[voice] = Kokoro(models_dir() / "kokoro", blend(voice))
    parts = []
    for part in text.split("…"):
        if parts:
            parts.append(np.zeros(int(1.2 * RATE)))
        if part.strip():
            parts.append(resample(engines[voice].render(part, speed), RATE).samples.astype(np.float64) / 32768)
    pad = np.zeros(int(0.35 * RATE))
    return np.concatenate([pad, *parts, pad])


def make(clip: dict[str, object], engines: dict[str, Kokoro]) -> Wave:
    """One clip at 16 kHz."""
    chance = np.random.default_rng(zlib.crc32(str(clip["file"]).encode()))
    say = str(clip.get("say", ""))
    if say:
        wave = spoken(say, str(clip.get("voice", "zf_xiaoxiao")), float(str(clip.get("speed", 0.95))), engines)
    else:
        wave = np.zeros(int(float(str(clip.get("seconds", 2.0))) * RATE))
    if room := float(str(clip.get("room", 0.0))):
        wave = in_room(wave, room, chance)
    if "noise" in clip:
        kind = str(clip["noise"])
        wave = with_noise(wave, kind, float(str(clip.get("snr", 15))), chance) if say else wave + 0.02 * noise(kind, len(wave), chance)
    gain = float(str(clip.get("gain", 0.0)))
    peak = np.abs(wave).max() or 1.0
    return np.asarray(wave / peak * 0.6 * 10 ** (gain / 20))


def main() -> None:
    """Make what is missing, or everything."""
    clips = tomllib.loads((HERE / "clips.toml").read_text(encoding="utf-8"))["clips"]
    wanted = [clip for clip in clips if "--all" in sys.argv or not (HERE / clip["file"]).exists()]
    engines: dict[str, Kokoro] = {}
    for clip in track(sorted(wanted, key=lambda c: str(c.get("voice", ""))), "clips"):
        path = HERE / clip["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, make(clip, engines), RATE, format="OGG", subtype="OPUS", compression_level=0.88)


if __name__ == "__main__":
    main()
