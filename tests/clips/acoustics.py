"""Rooms and noises for generated speech: no device, no voice, only arithmetic, so that whoever decodes may import it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
Wave = NDArray[np.float64]


def in_room(wave: Wave, seconds: float, chance: np.random.Generator) -> Wave:
    """As heard across a room of this reverberation time (RT60): an exponentially decaying noise tail behind the direct sound."""
    length = int(seconds * RATE)
    tail = chance.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    tail[: int(0.002 * RATE)] = 0
    tail *= 0.5 / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    size = 1 << (len(wave) + length).bit_length()
    heard = np.fft.irfft(np.fft.rfft(wave, size) * np.fft.rfft(tail, size), size)
    return np.asarray(heard[: len(wave) + length // 2])


def noise(kind: str, length: int, chance: np.random.Generator) -> Wave:
    """White, pink (a fan, traffic) or hum (a fridge) of unit power."""
    white = chance.standard_normal(length)
    match kind:
        case "white":
            wave = white
        case "pink":
            spectrum = np.fft.rfft(white)
            wave = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), length)
        case "hum":
            time = np.arange(length) / RATE
            wave = sum(np.sin(2 * np.pi * 50 * n * time + n) / n for n in (1, 2, 3, 5)) + 0.05 * white
        case _:
            raise SystemExit(f"unknown noise {kind}")
    return np.asarray(wave / np.sqrt(np.mean(wave**2)))


def with_noise(wave: Wave, kind: str, snr: float, chance: np.random.Generator) -> Wave:
    """Speech and noise at this ratio in dB, measured over the speech's louder half."""
    power = np.sort(wave**2)[len(wave) // 2 :].mean()
    return np.asarray(wave + noise(kind, len(wave), chance) * np.sqrt(power / 10 ** (snr / 10)))
