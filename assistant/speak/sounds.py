"""Sounds that are no speech, made from sines: heard, wake, ring, siren.

Frequencies lie between 500 and 2,000 Hz: hearing loss of age begins above 2 kHz, and a low square-ish tone near 520 Hz wakes
sleeping older people best (Bruck and Thomas 2008, on smoke alarms).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assistant.speak.speech import Speech, Wave

SAMPLE_RATE = 24_000


def _tone(hertz: float, seconds: float, overtones: tuple[float, ...] = (1.0,), fade: float = 0.012) -> Wave:
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = sum(part * np.sin(2 * np.pi * hertz * (2 * order + 1) * at) for order, part in enumerate(overtones))
    edge = np.minimum(1.0, np.minimum(at, seconds - at) / fade)
    return np.asarray(wave * edge, dtype=np.float32)


def _rest(seconds: float) -> Wave:
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)


def _speech(parts: list[Wave], peak: float) -> Speech:
    wave = np.concatenate(parts)
    return Speech(np.asarray(np.round(wave / np.abs(wave).max() * peak * 32767), dtype=np.int16), SAMPLE_RATE)


def heard() -> Speech:
    """One short soft drop: I have heard you, wait."""
    return _speech([_tone(880, 0.09), _tone(660, 0.11)], 0.3)


def wake() -> Speech:
    """Two rising notes: go on, I am listening."""
    return _speech([_tone(660, 0.1), _tone(990, 0.16)], 0.35)


def ring() -> Speech:
    """One cycle of a telephone, 450 Hz as in China (YD/T 1 s on, shortened pause)."""
    return _speech([_tone(450, 1.0, (1.0, 0.2)), _rest(2.0)], 0.5)


def siren() -> Speech:
    """Four seconds of the temporal-three pattern at 520 Hz with overtones (ISO 8201: 0.5 s on, 0.5 s off, three times)."""
    beep = _tone(520, 0.5, (1.0, 1 / 3, 1 / 5, 1 / 7))
    return _speech([beep, _rest(0.5), beep, _rest(0.5), beep, _rest(1.5)], 0.89)


SOUNDS: dict[str, Callable[[], Speech]] = {"heard": heard, "wake": wake, "ring": ring, "siren": siren}
"""By the names of `messages.Sound`; siren is one cycle, repeated by the player."""
