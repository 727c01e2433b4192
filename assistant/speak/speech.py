"""Sound that says something: 16-bit mono samples with their rate; cut, levelled, joined, stretched, resampled."""

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


def joined(pieces: list[Speech], pause: float = 0.35) -> Speech | None:
    """Rendered sentences one after another, at the rate of the first; None if there are none."""
    if not pieces:
        return None
    rate = pieces[0].sample_rate
    gap = np.zeros(round(pause * rate), dtype=np.int16)
    parts = [part for piece in pieces for part in (resample(piece, rate).samples, gap)]
    return Speech(np.concatenate(parts[:-1]), rate)


def louder(speech: Speech, decibels: float) -> Speech:
    """Turned up or down; peaks that would clip are held by the limiter."""
    if decibels == 0 or not len(speech.samples):
        return speech
    wave = speech.samples.astype(np.float32) * np.float32(10 ** (decibels / 20) / 32768)
    held = _limit(wave, speech.sample_rate, 10 ** (CEILING / 20)) if decibels > 0 else wave
    return Speech(np.asarray(np.round(held * 32767), dtype=np.int16), speech.sample_rate)


def resample(speech: Speech, sample_rate: int) -> Speech:
    """The same sound at another rate, exactly band-limited (one Fourier transform over the whole; a sentence takes 5 ms)."""
    count = len(speech.samples)
    if speech.sample_rate == sample_rate or not count:
        return Speech(speech.samples, sample_rate)
    pad = speech.sample_rate // 50
    wave = np.pad(speech.samples.astype(np.float64), (0, pad))
    wanted = round(len(wave) * sample_rate / speech.sample_rate)
    spectrum = np.fft.rfft(wave)
    kept = np.zeros(wanted // 2 + 1, dtype=np.complex128)
    both = min(len(spectrum), len(kept))
    kept[:both] = spectrum[:both]
    out = np.fft.irfft(kept, wanted) * (wanted / len(wave))
    out = out[: round(count * sample_rate / speech.sample_rate)]
    return Speech(np.asarray(np.clip(np.round(out), -32768, 32767), dtype=np.int16), sample_rate)


def stretch(speech: Speech, rate: float) -> Speech:
    """The same voice, `rate` times as fast, at the same pitch: WSOLA (Verhelst and Roelands 1993), 25-ms frames.

    So that 慢点说 answers at once from what is cached at the usual rate, instead of rendering everything again.
    """
    if abs(rate - 1.0) < 0.01 or speech.seconds < 0.1:
        return speech
    frame = speech.sample_rate // 40 * 2
    hop = frame // 2
    reach = hop // 2
    wave = np.pad(speech.samples.astype(np.float32), (reach, frame + hop + reach))
    window = np.hanning(frame + 1)[:frame].astype(np.float32)
    count = int(len(speech.samples) / rate / hop)
    out = np.zeros((count + 1) * hop + frame, dtype=np.float32)
    weight = np.full_like(out, 1e-3)
    at = reach
    for index in range(count):
        ideal = min(reach + round(index * hop * rate), len(wave) - frame - reach - 1)
        if index:
            expected = wave[min(at + hop, len(wave) - frame) :][:frame]
            around = wave[ideal - reach : ideal + reach + frame]
            at = ideal - reach + int(np.argmax(np.correlate(around, expected, "valid")))
        else:
            at = ideal
        out[index * hop : index * hop + frame] += wave[at : at + frame] * window
        weight[index * hop : index * hop + frame] += window
    body = (out / np.maximum(weight, 1e-3))[: round(len(speech.samples) / rate)]
    return Speech(np.asarray(np.clip(np.round(body), -32768, 32767), dtype=np.int16), speech.sample_rate)


def after(pause: float, speech: Speech) -> Speech:
    """The speech with silence before it, in seconds."""
    gap = np.zeros(round(pause * speech.sample_rate), dtype=np.int16)
    return Speech(np.concatenate([gap, speech.samples]), speech.sample_rate)
