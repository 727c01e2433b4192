"""Sound that says something: 16-bit mono samples with their rate, trimmed, levelled, joined and stretched to no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
"""One channel, 16-bit."""
Wave = NDArray[np.float32]
"""One channel, -1…1; may overshoot until it has been through `level`."""

LOUDNESS = -17.0
"""dBFS of the spoken parts. EBU R 128 asks for -23 in broadcasting and leaves room for music; a small loudspeaker and an
old ear have none to spare, and podcasts are delivered at -16."""
CEILING = -1.0
"""dBFS no sample passes: a cheap DAC clips before full scale."""


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """A piece of sound, ready to be played."""

    samples: Samples
    """Mono, 16-bit."""
    sample_rate: int
    """Hz."""

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.sample_rate


class Voice(Protocol):
    """An engine that speaks. Slow and blocking: call it in a thread of its own."""

    name: str
    """Names engine and speaker; part of the cache's key."""
    version: str
    """Changes whenever the same text would sound different; part of the cache's key."""

    def render(self, text: str, rate: float = 1.0) -> Speech:
        """Speak the text, `rate` times as fast as usual. Raises VoiceError if it cannot."""
        ...


def silence(seconds: float, sample_rate: int) -> Wave:
    """Nothing, for so long."""
    return np.zeros(round(seconds * sample_rate), dtype=np.float32)


def trim(wave: Wave, sample_rate: int, keep: float = 0.04) -> Wave:
    """Cut silence off both ends, keeping `keep` seconds and fading into it, so that pauses are ours to set and nothing clicks.

    Silence is 10-ms frames 45 dB below the loudest frame: Kokoro's tail of breath lies at about -60.
    """
    frame = max(sample_rate // 100, 1)
    count = len(wave) // frame
    if not count:
        return wave
    power = np.square(wave[: count * frame].astype(np.float64)).reshape(count, frame).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10**-4.5)
    if not len(loud) or power.max() == 0:
        return wave[:0]
    margin = round(keep * sample_rate)
    start = max(int(loud[0]) * frame - margin, 0)
    end = min((int(loud[-1]) + 1) * frame + margin, len(wave))
    cut = wave[start:end].astype(np.float32)
    fade = min(sample_rate // 200, len(cut) // 2)
    if fade:
        ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
        cut[:fade] *= ramp
        cut[-fade:] *= ramp[::-1]
    return cut


def level(wave: Wave, sample_rate: int, loudness: float = LOUDNESS, ceiling: float = CEILING) -> Samples:
    """Bring the spoken parts to `loudness` dBFS and hold every peak under `ceiling` dBFS without clipping it.

    Spoken parts are 50-ms frames less than 25 dB below the loudest, so pauses do not make a sentence louder (the gate of
    ITU-R BS.1770 in small). Peaks are turned down by a gain that falls 5 ms before them and rises slowly after: a limiter
    that looks ahead, because clipping sounds like rattling to a hearing aid.
    """
    if not len(wave):
        return np.zeros(0, dtype=np.int16)
    wave = np.nan_to_num(wave.astype(np.float32))
    frame = max(min(sample_rate // 20, len(wave)), 1)
    count = len(wave) // frame
    power = np.square(wave[: count * frame].astype(np.float64)).reshape(count, frame).mean(axis=1)
    spoken = power[power > power.max() * 10**-2.5]
    if not len(spoken):
        return np.zeros(len(wave), dtype=np.int16)
    wave = wave * np.float32(10 ** (loudness / 20) / np.sqrt(spoken.mean()))
    top = 10 ** (ceiling / 20)
    return np.asarray(np.round(_limit(wave, sample_rate, top) * 32767), dtype=np.int16)


def _limit(wave: Wave, sample_rate: int, top: float) -> Wave:
    """Turn down what would pass `top`: 1-ms blocks, 5 ms of foresight, released over 60 ms."""
    block = max(sample_rate // 1000, 1)
    count = -(-len(wave) // block)
    padded = np.zeros(count * block, dtype=np.float32)
    padded[: len(wave)] = np.abs(wave)
    peaks = padded.reshape(count, block).max(axis=1)
    wanted = np.minimum(1.0, top / np.maximum(peaks, 1e-9))
    if wanted.min() >= 1.0:
        return wave
    held = wanted.copy()
    for ahead in range(1, 6):
        held[:-ahead] = np.minimum(held[:-ahead], wanted[ahead:])
        held[ahead:] = np.minimum(held[ahead:], wanted[:-ahead])
    release = 1 - np.exp(-1 / 60)
    gain = 1.0
    for index, floor in enumerate(held):
        gain = min(float(floor), gain + (1.0 - gain) * release)
        held[index] = gain
    curve = np.interp(np.arange(len(wave)), (np.arange(count) + 0.5) * block, held).astype(np.float32)
    held_down: Wave = np.clip(wave * curve, -top, top)
    return held_down


def join(parts: list[Wave], sample_rate: int, pause: float) -> Wave:
    """One after another with a pause between."""
    gap = silence(pause, sample_rate)
    pieces: list[Wave] = []
    for part in parts:
        pieces += [gap, part] if pieces else [part]
    return np.concatenate(pieces) if pieces else silence(0, sample_rate)
