"""Sound of any kind becomes frames: 16 kHz mono signed 16-bit, always `FRAME_BYTES` long.

Whatever listens takes an `Iterator[bytes]` of such frames and cannot tell a clip from a microphone. This is the only
file that knows soundfile and soxr.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from assistant.errors import BadAudio

RATE: Final = 16_000
"""Samples a second; a recogniser fed another rate gives garbage without an error."""
FRAME_SAMPLES: Final = 512
"""32 ms: the only length Silero's VAD (v5 and later) takes at 16 kHz, so nobody has to cut again."""
FRAME_BYTES: Final = FRAME_SAMPLES * 2
FRAME_SECONDS: Final = FRAME_SAMPLES / RATE
LONGEST: Final = 600.0
"""Seconds of a clip we accept: nobody tells a companion one thing for ten minutes."""

_BLOCK: Final = 1 << 16
"""Samples, over all channels, read at a time: a clip is never in memory as a whole."""
_RATES: Final = range(4_000, 768_001)
_CHANNELS: Final = 64

Samples = NDArray[np.float32]
"""Shape [n] (mono) or [n, channels], full scale ±1."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What one pass over a clip found."""

    gain: float
    """Brings float files written on an integer's scale back to ±1; never amplifies."""
    channel: int | None
    """None: the mean of all. A number: that one alone, because the mean cancels itself out."""


class Resampler:
    """Blocks of any rate and channel count go in, whole frames come out; `flush` gives the padded rest."""

    def __init__(self, rate: int, *, gain: float = 1.0, channel: int | None = None) -> None:
        self._stream = None if rate == RATE else soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")
        self._gain = gain
        self._channel = channel
        self._rest = b""

    def feed(self, block: Samples, *, last: bool = False) -> Iterator[bytes]:
        """Frames that are complete now."""
        mono: Samples = block if block.ndim == 1 else _mono(block, self._channel)
        if self._stream is not None:
            mono = self._stream.resample_chunk(np.ascontiguousarray(mono, dtype=np.float32), last=last)
        # 32767 and not 32768: +1.0 must not wrap to the most negative sample.
        pcm = np.clip(np.rint(mono * (self._gain * 32767.0)), -32768, 32767).astype("<i2").tobytes()
        self._rest += pcm
        whole = len(self._rest) - len(self._rest) % FRAME_BYTES
        for start in range(0, whole, FRAME_BYTES):
            yield self._rest[start : start + FRAME_BYTES]
        self._rest = self._rest[whole:]

    def flush(self) -> Iterator[bytes]:
        """The end: what the filter still holds, the last frame filled up with silence."""
        yield from self.feed(np.zeros(0, dtype=np.float32), last=True)
        if self._rest:
            yield self._rest.ljust(FRAME_BYTES, b"\0")
            self._rest = b""


def wav_frames(path: str | Path, longest: float = LONGEST) -> Iterator[bytes]:
    """Frames of a WAV, FLAC, OGG (Opus, Vorbis) or MP3 file of any rate, channel count and sample format.

    The file is read once before the first frame, so that everything wrong with it is said before anything acts.
    Raises BadAudio at the call: no such file, not sound, no samples, NaN or infinity, longer than `longest` seconds.
    """
    clip = Path(path)
    shape = _examine(clip, longest)
    return _read(clip, shape)


def pcm_frames(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Re-cut 16 kHz mono 16-bit PCM of any chunk length into frames; an odd byte waits for its other half."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        whole = len(rest) - len(rest) % FRAME_BYTES
        for start in range(0, whole, FRAME_BYTES):
            yield rest[start : start + FRAME_BYTES]
        rest = rest[whole:]
    if len(rest) > 1:
        yield rest[: len(rest) // 2 * 2].ljust(FRAME_BYTES, b"\0")


def loudness(frame: bytes) -> float:
    """Root mean square of a frame in dB below full scale; -96 is digital silence."""
    samples = np.frombuffer(frame, dtype="<i2").astype(np.float64)
    return float(20 * np.log10(max(float(np.sqrt(np.mean(samples**2))), 0.5) / 32768)) if len(samples) else -96.0


def seconds(frames: int) -> float:
    """Length of so many frames."""
    return frames * FRAME_SECONDS


def write_mp3(path: Path, sound: bytes) -> None:
    """Sound (16 kHz 16-bit mono) as a file that every telephone plays; about 5 kB a second (4 s of it in 0.05 s of processor).

    Raises BadAudio where the sound library writes none, OSError.
    """
    samples = np.frombuffer(sound, dtype="<i2")
    try:
        with path.open("wb") as file:
            soundfile.write(file, samples, RATE, format="MP3")
            file.flush()
            os.fsync(file.fileno())
    except soundfile.SoundFileError as error:
        raise BadAudio(f"录音 {path} 存不下来。（{error}）") from error


def _read(clip: Path, shape: _Shape) -> Iterator[bytes]:
    with _opened(clip) as sound:
        resampler = Resampler(sound.samplerate, gain=shape.gain, channel=shape.channel)
        for block in _blocks(clip, sound):
            yield from resampler.feed(block)
        yield from resampler.flush()


def _examine(clip: Path, longest: float) -> _Shape:
    with _opened(clip) as sound:
        rate, channels = sound.samplerate, sound.channels
        if rate not in _RATES or not 1 <= channels <= _CHANNELS:
            raise BadAudio(f"声音文件 {clip}：采样率 {rate}、声道数 {channels} 不像是录音。请另存为 WAV 再试。")
        if sound.frames > longest * rate:
            raise BadAudio(_too_long(clip, sound.frames / rate, longest))
        count, peak = 0, 0.0
        energy, mean_energy = np.zeros(channels), 0.0
        for block in _blocks(clip, sound):
            if not np.isfinite(block).all():
                raise BadAudio(f"声音文件 {clip}：里面有不是数的采样（NaN 或无穷大），文件坏了。请重新录一段。")
            count += len(block)
            if count > longest * rate:  # A header may lie about its length.
                raise BadAudio(_too_long(clip, count / rate, longest))
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            wide = block.astype(np.float64)
            energy += np.square(wide).sum(axis=0)
            mean_energy += float(np.square(wide.mean(axis=1)).sum())
    if count == 0:
        raise BadAudio(f"声音文件 {clip}：里面一点声音也没有（零个采样）。请重新录一段。")
    # Two copies in opposite phase have a mean of nothing: below a sixteenth (-12 dB) of the loudest take that one.
    cancelled = channels > 1 and mean_energy * 16 < float(energy.max())
    return _Shape(gain=1.0 / max(peak, 1.0), channel=int(energy.argmax()) if cancelled else None)


def _opened(clip: Path) -> Any:
    if not clip.exists():
        raise BadAudio(f"找不到声音文件 {clip}。请检查文件名。")
    if not clip.is_file():
        raise BadAudio(f"{clip} 不是一个文件，不能当录音听。")
    if clip.stat().st_size == 0:
        raise BadAudio(f"声音文件 {clip} 是空的（0 字节）。请重新录一段。")
    try:
        return soundfile.SoundFile(str(clip))
    except (soundfile.SoundFileError, TypeError, ValueError, OSError) as error:
        raise BadAudio(f"声音文件 {clip} 读不懂，不是 WAV、FLAC 或 OGG，或者坏了。请另存为 WAV 再试。（{error}）") from error


def _blocks(clip: Path, sound: Any) -> Iterator[Samples]:
    size = max(1, _BLOCK // sound.channels)
    while True:
        try:
            block: Samples = sound.read(size, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise BadAudio(f"声音文件 {clip} 读到一半坏了。请重新录一段或重新拷贝。（{error}）") from error
        if not len(block):
            return
        yield block


def _mono(block: Samples, channel: int | None) -> Samples:
    mono: Samples = block.mean(axis=1, dtype=np.float32) if channel is None else block[:, channel]
    return mono


def _too_long(clip: Path, length: float, longest: float) -> str:
    return f"声音文件 {clip} 有 {length / 60:.0f} 分钟长，最多只听 {longest / 60:.0f} 分钟。请剪短了再试。"
