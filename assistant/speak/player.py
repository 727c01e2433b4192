"""Sound leaves the house here, and nowhere else: one thread owns one stream, reads a queue, and can be cut off."""

from __future__ import annotations

import logging
import threading
import time
import wave
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from assistant.errors import NoLoudspeaker
from assistant.places import command
from assistant.speak.sounds import SOUNDS
from assistant.speak.speech import Samples, Speech, louder, resample

log = logging.getLogger(__name__)

BLOCK = 0.02
"""Seconds written at once; with LATENCY it bounds how late a cut is heard."""
LATENCY = 0.06
"""Seconds of sound the device may hold: short enough to be cut within 100 ms, long enough for a busy Pi."""
LEAD = 0.15
"""Seconds of silence before sound after a rest: USB and Bluetooth loudspeakers swallow the first syllable as they wake."""
STUCK = 5.0
"""Seconds without progress after which the stream is given up: an unplugged USB device can block PortAudio for ever.
With 1.5 a PulseAudio stream on a busy two-core machine was reopened four times in 20 s: its first write starts the
stream, and its drain waits for a server that is short of time itself. Counted in the guard's own turns, of which a
machine too busy for the stream has fewer."""
TURN = 0.25
"""Seconds between two looks of the guard."""
GIVEN_UP = 2
"""Streams one sentence may hang before it counts as said: who waits for its end must not wait for ever."""
OPENING = 5.0
"""Seconds a device may take to open."""
RETRY = 5.0
"""Seconds between tries to find a loudspeaker again."""
DECIBELS_A_POINT = 0.3
"""Of volume: 80 is as rendered, 100 is 6 dB more, one step of 大点声 is 10 points and 3 dB, clearly audible."""
USUAL = 80
STEP = 10
SOFTEST = 40
"""Volume never falls lower by voice: 小点声 five times must not make a reminder inaudible."""
SIREN = 240.0
"""Seconds a siren sounds without being asked for again."""


class Player(Protocol):
    """Something that plays what it is given, one after the other. All methods return at once, from any thread."""

    on_finished: Callable[[], None]
    """Called in the player's thread each time everything has been played or cut off."""
    volume: int
    """0…100."""

    def play(self, speech: Speech, urgent: bool = False, loud: bool = False) -> None:
        """After what is waiting. `loud`: as loud as possible. `urgent`: that, and instead of what is waiting."""

    def stop(self) -> None:
        """Cut off what sounds and forget what waits; the siren is no speech and goes on."""

    def siren(self, on: bool) -> None:
        """Sound the siren whenever nothing else does."""

    @property
    def remaining(self) -> float:
        """Seconds of speech still to be heard; 0 when idle."""

    def close(self) -> None:
        """Cut off and let the device go."""


class Output(Protocol):
    """An opened device. Used by one thread."""

    sample_rate: int

    def write(self, samples: Samples) -> None:
        """Blocks until there is room. Raises OSError when the device is gone."""

    def drain(self) -> None:
        """Blocks until all has been heard."""

    def abort(self) -> None:
        """Forget what has not been heard."""

    def close(self) -> None:
        """Let the device go."""


# --- devices ------------------------------------------------------------------------------------------------------------


class Loudspeaker:
    """A PortAudio output, chosen by a part of its name (numbers change at every boot)."""

    def __init__(self, name: str = "") -> None:
        """Empty `name`: the system's default. Raises NoLoudspeaker."""
        try:
            import sounddevice
        except OSError as error:
            raise NoLoudspeaker("没有装声音库：请运行 sudo apt install libportaudio2（PortAudio missing）") from error
        self._error: type[Exception] = sounddevice.PortAudioError
        try:
            devices = [one for one in sounddevice.query_devices() if one["max_output_channels"] > 0]
        except sounddevice.PortAudioError as error:
            raise NoLoudspeaker(f"声音系统没有回应（sound system does not answer）：{error}") from error
        fitting = [one for one in devices if name.lower() in one["name"].lower()]
        if not fitting:
            there = "、".join(one["name"] for one in devices) or "一个也没有"
            raise NoLoudspeaker(
                f"找不到喇叭{f'“{name}”' if name else ''}（no loudspeaker）。现有：{there}。"
                f"请插上喇叭，用 speaker-test -c1 -twav 试一下，再运行 {command('doctor')}"
            )
        device = fitting[0]["index"] if name else None
        problem: Exception | None = None
        # 48 kHz is what sound cards do themselves; a raw `hw:` device refuses what it cannot do, so others are tried
        for sample_rate, channels in ((48_000, 1), (48_000, 2), (44_100, 2), (24_000, 1)):
            try:
                self._stream: Any = sounddevice.RawOutputStream(  # type: ignore[no-untyped-call]
                    samplerate=sample_rate, channels=channels, dtype="int16", device=device, latency=LATENCY
                )
            except (sounddevice.PortAudioError, ValueError) as error:
                problem = error
                continue
            self.sample_rate = sample_rate
            self._channels = channels
            return
        raise NoLoudspeaker(f"喇叭打不开（cannot open）：{problem}。是不是别的程序占着它？")

    def write(self, samples: Samples) -> None:
        try:
            if self._stream.stopped:
                self._stream.start()
            self._stream.write(np.repeat(samples, self._channels).tobytes())
        except self._error as error:
            raise OSError(str(error)) from error

    def drain(self) -> None:
        try:
            if self._stream.active:
                self._stream.stop()
        except self._error as error:
            raise OSError(str(error)) from error

    def abort(self) -> None:
        try:
            self._stream.abort()
        except self._error as error:
            raise OSError(str(error)) from error

    def close(self) -> None:
        try:
            self._stream.close()
        except self._error as error:
            raise OSError(str(error)) from error


class NoOutput:
    """Takes as long as sound would and is not heard: the dialogue keeps its rhythm on a machine without a loudspeaker."""

    sample_rate = 24_000

    def write(self, samples: Samples) -> None:
        threading.Event().wait(len(samples) / self.sample_rate)

    def drain(self) -> None:
        """Nothing is held back."""

    def abort(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing to let go."""


# --- the player ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Item:
    samples: Samples
    is_siren: bool = False
    at: int = 0
    cut: bool = False
    hung: int = 0
    """Streams that hung on it."""


class Speaker:
    """Plays through an output that may be absent, vanish or hang; says so and goes on without it."""

    def __init__(
        self,
        open_output: Callable[[], Output] = Loudspeaker,
        volume: int = USUAL,
        on_finished: Callable[[], None] = lambda: None,
        on_lost: Callable[[str], None] = lambda _why: None,
        on_found: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """The device is opened by the player's own thread, here waited for at most OPENING seconds.

        `on_lost(why)` and `on_found()` are called from threads of ours when the loudspeaker goes and comes back.
        """
        self.volume = volume
        self.on_finished = on_finished
        self.on_lost = on_lost
        self.on_found = on_found
        self._open_output = open_output
        self._monotonic = monotonic
        self._queue: deque[_Item] = deque()
        self._now: _Item | None = None
        self._lock = threading.Condition()
        self._siren_until = 0.0
        self._closed = False
        self._reign = 0
        self._busy_since: float | None = None
        self._output: Output | None = None
        self._lost: str | None = None
        self._retry_at = 0.0
        self._rate = 48_000
        self._bell = threading.Event()
        self.problem = ""
        """Why nothing can be heard; empty when all is well. For `doctor` and the service's watchdog."""
        self._start()
        self._watch = threading.Thread(target=self._guard, name="player-guard", daemon=True)
        self._watch.start()

    # any thread ----------------------------------------------------------------------------------------------------------

    def play(self, speech: Speech, urgent: bool = False, loud: bool = False) -> None:
        sound = louder(speech, ((100 if urgent or loud else self.volume) - USUAL) * DECIBELS_A_POINT)
        with self._lock:
            if urgent:
                self._cut()
            self._queue.append(_Item(resample(sound, self._rate).samples))
            if self._now is not None and self._now.is_siren:
                self._now.cut = True
            self._lock.notify_all()

    def stop(self) -> None:
        with self._lock:
            self._cut()

    def siren(self, on: bool) -> None:
        with self._lock:
            self._siren_until = self._monotonic() + SIREN if on else 0.0
            if not on and self._now is not None and self._now.is_siren:
                self._now.cut = True
            self._lock.notify_all()

    @property
    def remaining(self) -> float:
        with self._lock:
            waiting = [*self._queue, *([self._now] if self._now and not self._now.is_siren else [])]
            return sum(max(len(item.samples) - item.at, 1) for item in waiting if not item.cut) / self._rate

    def rest(self) -> None:
        """Let the device go until there is something to say again: a conversation by telephone needs it."""
        with self._lock:
            if self._now is None and not self._queue and not self._closed:
                self._start()  # the thread of before closes its output and ends
                self._lock.notify_all()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._siren_until = 0.0
            self._cut()
            self._lock.notify_all()
        self._bell.set()
        self._thread.join(timeout=1.0)

    def _cut(self) -> None:
        self._queue.clear()
        if self._now is not None and not self._now.is_siren:
            self._now.cut = True

    # the output thread ---------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._reign += 1
        self._thread = threading.Thread(target=self._run, args=(self._reign,), name="player", daemon=True)
        self._thread.start()

    def _run(self, reign: int) -> None:
        output: Output | None = None
        rested = True
        while (item := self._next(reign)) is not None:
            try:
                output = output or self._opened(reign)
                if output is None:
                    return
                if rested:
                    self._written(output, np.zeros(round(LEAD * output.sample_rate), dtype=np.int16))
                rested = self._played(output, item, reign)
            except OSError as error:
                _let_go(output)
                if self._reign != reign:
                    return
                self._gone(f"喇叭断开了（loudspeaker lost）：{error}")
                output, rested = None, True
            with self._lock:
                if self._reign != reign:
                    break
                self._busy_since = None
                if item.cut or item.at >= len(item.samples):
                    self._now = None
                    finished = not item.is_siren and not self._queue
                else:
                    finished = False  # the device went away in the middle: the rest is played when it is back
            if finished:
                self.on_finished()
        _let_go(output)

    def _next(self, reign: int) -> _Item | None:
        with self._lock:
            while not self._closed and self._reign == reign:
                if self._now is not None:
                    return self._now
                if self._queue:
                    self._now = self._queue.popleft()
                    return self._now
                left = self._siren_until - self._monotonic()
                if left > 0:
                    self._now = _Item(resample(SOUNDS["siren"](), self._rate).samples, is_siren=True)
                    return self._now
                self._lock.wait()
            return None

    def _played(self, output: Output, item: _Item, reign: int) -> bool:
        """True if the output has come to rest."""
        size = round(BLOCK * output.sample_rate)
        while item.at < len(item.samples) and not item.cut and self._reign == reign:
            self._written(output, item.samples[item.at : item.at + size])
            item.at += size
        if self._reign != reign:
            return True
        if item.cut:
            output.abort()
            return True
        with self._lock:
            more = bool(self._queue)
        if more or item.is_siren:
            return False
        self._busy_since = self._monotonic()
        output.drain()
        return True

    def _written(self, output: Output, samples: Samples) -> None:
        self._busy_since = self._monotonic()
        output.write(samples)
        self._busy_since = None

    # health --------------------------------------------------------------------------------------------------------------

    def _opened(self, reign: int) -> Output | None:
        """An output, real or not; None if we have been replaced meanwhile. A device that hangs in opening is left behind."""
        found: list[Output] = []
        failed: list[str] = []
        done = threading.Event()

        def opening() -> None:
            try:
                found.append(self._open_output())
            except (NoLoudspeaker, OSError) as error:
                failed.append(str(error))
            except Exception as error:  # edge of a thread: whatever PortAudio says, we go on without sound
                failed.append(f"{type(error).__name__}: {error}")
            done.set()

        threading.Thread(target=opening, name="player-opening", daemon=True).start()
        if not done.wait(OPENING):
            failed.append("喇叭一直打不开（opening hangs）")
        if self._reign != reign:
            return None
        if not found:
            self._gone(failed[0])
            output: Output = NoOutput()
            self._retry_at = self._monotonic() + RETRY
        else:
            output = found[0]
            if self._lost is not None:
                log.info("loudspeaker is back")
                self._lost, self.problem = None, ""
                self.on_found()
        self._adapt(output.sample_rate)
        return output

    def _adapt(self, sample_rate: int) -> None:
        """What waits was made for another rate."""
        with self._lock:
            if sample_rate == self._rate:
                return
            for item in {id(one): one for one in (*self._queue, self._now) if one is not None}.values():
                at = round(item.at * sample_rate / self._rate)
                item.samples = resample(Speech(item.samples, self._rate), sample_rate).samples
                item.at = at
            self._rate = sample_rate

    def _gone(self, why: str) -> None:
        if self._lost is None:
            log.error("no sound: %s", why)
            self._lost = self.problem = why
            self.on_lost(why)

    def _guard(self) -> None:
        """Replaces an output thread that makes no progress, and looks for a loudspeaker that was gone."""
        turns, watched = 0, None
        while not self._bell.wait(min(TURN, STUCK)):
            since = self._busy_since
            turns, watched = (turns + 1 if since is not None and since == watched else 0), since
            stuck = turns * TURN >= STUCK
            back = self._lost is not None and self._retry_at and self._monotonic() > self._retry_at
            if not (stuck or back):
                continue
            over = False
            if stuck:
                turns = 0
                self._gone("喇叭没有反应，重新打开（no progress, reopening）")
            with self._lock:
                item = self._now
                if stuck and item is not None:
                    item.hung += 1
                    if item.hung >= GIVEN_UP or item.at >= len(item.samples):  # all was written: only its end was not told
                        self._now = None
                        over = not item.is_siren and not self._queue
                self._busy_since = None
                self._retry_at = 0.0
                self._start()
                self._lock.notify_all()
            if over:
                self.on_finished()


def _let_go(output: Output | None) -> None:
    """Close what may be broken; if that hangs too, it hangs a thread that has been replaced."""
    if output is not None:
        with suppress(OSError):
            output.close()


# --- without a device ---------------------------------------------------------------------------------------------------


class Track:
    """A WAV in the making: speech laid at its second, cut where it was cut, mixed where it overlaps."""

    def __init__(self, sample_rate: int = 24_000) -> None:
        self.sample_rate = sample_rate
        self._parts: list[tuple[float, Samples]] = []

    def add(self, at: float, speech: Speech) -> float:
        """Lay the speech at this second. Returns the second at which it ends."""
        samples = resample(speech, self.sample_rate).samples
        self._parts.append((at, samples))
        return at + len(samples) / self.sample_rate

    def cut(self, at: float) -> None:
        """Nothing laid so far is heard after this second."""
        kept = [(begin, part[: max(round((at - begin) * self.sample_rate), 0)]) for begin, part in self._parts]
        self._parts = [(begin, part) for begin, part in kept if len(part)]

    @property
    def seconds(self) -> float:
        """Length so far."""
        return max((begin + len(part) / self.sample_rate for begin, part in self._parts), default=0.0)

    def speech(self) -> Speech:
        """All of it as one piece."""
        mixed = np.zeros(round(self.seconds * self.sample_rate) + 1, dtype=np.int32)
        for begin, part in self._parts:
            at = round(begin * self.sample_rate)
            mixed[at : at + len(part)] += part[: len(mixed) - at]
        return Speech(np.asarray(np.clip(mixed, -32768, 32767), dtype=np.int16), self.sample_rate)

    def write(self, path: Path) -> None:
        """One mono 16-bit WAV."""
        write_wav(path, self.speech())


@dataclass
class WavSink:
    """A player for machines without sound and for virtual clocks: everything lands on a track at its time.

    Time is the given `monotonic`; nothing happens by itself: call `tick()` when time has passed, and `on_finished` is called
    once what was laid has ended.
    """

    monotonic: Callable[[], float]
    on_finished: Callable[[], None] = lambda: None
    volume: int = USUAL
    track: Track = field(default_factory=Track)
    played: list[tuple[float, float]] = field(default_factory=list)
    """(begin, seconds) of everything laid, in order."""
    _origin: float | None = None
    _until: float = 0.0
    _busy: bool = False

    def __post_init__(self) -> None:
        self._origin = self.monotonic()

    def _at(self) -> float:
        return self.monotonic() - (self._origin or 0.0)

    def play(self, speech: Speech, urgent: bool = False, loud: bool = False) -> None:
        if urgent and self._busy:
            self.track.cut(self._at())
            self._until = self._at()
        begin = max(self._at(), self._until)
        sound = louder(speech, ((100 if urgent or loud else self.volume) - USUAL) * DECIBELS_A_POINT)
        self._until = self.track.add(begin, sound)
        self._busy = True
        self.played.append((begin, self._until - begin))

    def stop(self) -> None:
        if self._busy:
            self.track.cut(self._at())
            self._until = self._at()
            self.tick()

    def siren(self, on: bool) -> None:
        if on:
            self.track.add(self._at(), SOUNDS["siren"]())

    def tick(self) -> None:
        """Time has passed."""
        if self._busy and self._at() >= self._until:
            self._busy = False
            self.on_finished()

    @property
    def remaining(self) -> float:
        return max(self._until - self._at(), 0.0) if self._busy else 0.0

    def close(self) -> None:
        self.stop()

    def write(self, path: Path) -> None:
        """One WAV of everything."""
        self.track.write(path)


def write_wav(path: Path, speech: Speech) -> None:
    """Mono 16-bit WAV. Raises OSError where it cannot be written."""
    with path.open("wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(speech.sample_rate)
        file.writeframes(speech.samples.astype("<i2").tobytes())
