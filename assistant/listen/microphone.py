"""The microphone as frames: the same iterator a clip is, for as long as somebody listens.

PortAudio through sounddevice first, an `arecord` or `pw-record` child process where that fails. The callback only
copies into a bounded queue. A device that gives no block for 1.5 s is ill: it is opened again in a helper thread,
because PortAudio may hang for ever when a USB microphone is pulled out. Only this file opens an input.
"""

from __future__ import annotations

import logging
import queue
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

import numpy as np

from assistant import places
from assistant.errors import NoMicrophone
from assistant.listen.frames import FRAME_BYTES, RATE, Resampler, pcm_frames
from assistant.messages import DeviceFound, DeviceLost

log = logging.getLogger(__name__)

ILL_AFTER: Final = 1.5
"""Seconds without a block after which a device is opened again; a USB microphone delivers every 10 to 60 ms."""
OPENED_WITHIN: Final = 5.0
"""Seconds an open may take before its helper thread is left behind."""
AGAIN_AFTER: Final = 2.0
"""Seconds between two tries to open."""
_QUEUED: Final = 256
"""Blocks that may wait, about 8 s of 32 ms: more is a stuck listener, and old sound is no use to anybody."""

_HINT: Final = (
    "没有能用的麦克风。请插上 USB 麦克风；用 arecord -l 看系统认不认得它；"
    "还不行就把当前用户加进 audio 组（sudo usermod -aG audio $USER，然后重新登录）。"
    f"没有麦克风也可以用 {places.command('hear')} 录音文件 或 {places.command('demo')}。"
)


class Source(Protocol):
    """An open input."""

    def read(self, timeout: float) -> bytes | None:
        """16 kHz mono 16-bit sound, any length; None when nothing came within `timeout` seconds."""

    def close(self) -> None:
        """Let it go; may hang with a device that was pulled out, so it is called in a helper thread."""

    @property
    def dropped(self) -> int:
        """Blocks lost because nobody took them."""


Opener = Callable[[str | None], Source]
"""Opens the named device, or the default one. Raises NoMicrophone."""
Told = Callable[[DeviceLost | DeviceFound], None]
"""Is told when the device went away and when it came back."""


class PortAudio:
    """sounddevice: 16 kHz where the device can, else its own rate resampled (raw `hw:` refuses 16 kHz)."""

    def __init__(self, device: str | None) -> None:
        try:
            import sounddevice  # Loading it starts PortAudio, whose list of devices is then frozen.
        except OSError as error:
            raise NoMicrophone(f"{_HINT}（PortAudio 没装好：{error}）") from error
        self._lost = 0
        self._blocks: queue.Queue[bytes] = queue.Queue(_QUEUED)
        try:
            number = _numbered(sounddevice, device)
            native = int(sounddevice.query_devices(number, "input")["default_samplerate"])
            self._stream, rate = self._opened(sounddevice, number, (RATE, native, 48_000, 44_100))
        except (sounddevice.PortAudioError, ValueError) as error:
            raise NoMicrophone(f"{_HINT}（{error}）") from error
        self._resampler = None if rate == RATE else Resampler(rate)

    def read(self, timeout: float) -> bytes | None:
        try:
            block: bytes = self._blocks.get(timeout=timeout)
        except queue.Empty:
            return None
        if self._resampler is None:
            return block
        # Never empty: a block of 32 ms is a frame, give or take the resampler's delay, and b"" is not None.
        return b"".join(self._resampler.feed(np.frombuffer(block, dtype="<i2").astype(np.float32) / 32768.0))

    def close(self) -> None:
        self._stream.close(ignore_errors=True)

    @property
    def dropped(self) -> int:
        return self._lost

    def _opened(self, sounddevice: Any, number: int | None, rates: tuple[int, ...]) -> tuple[Any, int]:
        refused: Exception | None = None
        for rate in dict.fromkeys(rates):
            try:
                stream = sounddevice.RawInputStream(
                    rate, rate * 32 // 1000, number, channels=1, dtype="int16", callback=self._take
                )
                stream.start()
            except sounddevice.PortAudioError as error:
                refused = error
                continue
            return stream, rate
        raise refused or ValueError("no rate")

    def _take(self, block: Any, count: int, when: Any, status: Any) -> None:
        try:
            self._blocks.put_nowait(bytes(block))
        except queue.Full:
            self._lost += 1


class Child:
    """`arecord` (ALSA) or `pw-record` (PipeWire) writing raw sound into a pipe: a hang there is a process to kill."""

    def __init__(self, device: str | None) -> None:
        command = _command(device)
        try:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        except OSError as error:
            raise NoMicrophone(f"{_HINT}（{command[0]}：{error}）") from error
        self._lost = 0
        self._blocks: queue.Queue[bytes] = queue.Queue(_QUEUED)
        threading.Thread(target=self._pump, name=f"microphone-{command[0]}", daemon=True).start()
        self._first: bytes | None = None
        self._first = self.read(ILL_AFTER)
        if self._first is None:  # It starts even without a device, and then says so and ends.
            self.close()
            raise NoMicrophone(f"{_HINT}（{command[0]} 没有录到声音）")

    def read(self, timeout: float) -> bytes | None:
        if self._first:
            first, self._first = self._first, None
            return first
        try:
            return self._blocks.get(timeout=timeout) or None
        except queue.Empty:
            return None

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def dropped(self) -> int:
        return self._lost

    def _pump(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        with pipe:
            while block := pipe.read(FRAME_BYTES):
                try:
                    self._blocks.put_nowait(block)
                except queue.Full:
                    self._lost += 1


BACKENDS: Final[tuple[Opener, ...]] = (PortAudio, Child)
"""Tried in this order."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in seconds; tests are in more of a hurry."""

    ill_after: float = ILL_AFTER
    opened_within: float = OPENED_WITHIN
    again_after: float = AGAIN_AFTER


class MicrophoneFrames:
    """Frames of the microphone, for ever, until `close`. Raises NoMicrophone when there is none at the start.

    Later losses are no error: `told` gets DeviceLost, the device is tried again and again, and DeviceFound follows.
    """

    def __init__(
        self,
        device_name: str | None = None,
        *,
        told: Told = lambda _: None,
        backends: tuple[Opener, ...] = BACKENDS,
        patience: Patience = Patience(),
    ) -> None:
        self._device = device_name
        self._told = told
        self._backends = backends
        self._patience = patience
        self._closed = threading.Event()
        self._dropped = 0
        self._lent: tuple[Source, Callable[[], None]] | None = None
        source = self._open()
        if isinstance(source, NoMicrophone):
            raise source
        self._source: Source = source

    @property
    def dropped(self) -> int:
        """Blocks lost so far because nobody took them in time."""
        return self._dropped + self._source.dropped

    def close(self) -> None:
        """End the iterator, from any thread."""
        self._closed.set()

    def lend(self, instead: Source, then: Callable[[], None]) -> None:
        """Somebody else needs the device until `back`: `then` is called once it is free, and `instead` is listened to."""
        self._lent = (instead, then)

    def back(self) -> None:
        """The device is ours again; it is opened as soon as it can be."""
        self._lent = None

    def __iter__(self) -> Iterator[bytes]:
        return pcm_frames(self._sound())

    def _sound(self) -> Iterator[bytes]:
        try:
            quiet = 0.0
            instead: Source | None = None
            step = min(0.25, self._patience.ill_after)
            while not self._closed.is_set():
                if (self._lent[0] if self._lent else None) is not instead:
                    instead = self._handed_over(instead)
                    quiet = 0.0
                sound = self._source.read(step)
                if sound is not None:
                    quiet = 0.0
                    yield sound
                    continue
                quiet += step
                if quiet >= self._patience.ill_after and instead is None:
                    self._recover()
                    quiet = 0.0
        finally:
            _aside(self._source.close)

    def _handed_over(self, instead: Source | None) -> Source | None:
        """Lend the device or take it back; gives what is listened to instead of it from now on."""
        lent = self._lent
        if lent is None:
            self._recover(told=False)
            return None
        self._dropped += self._source.dropped
        closing = threading.Thread(target=self._source.close, name="microphone-helper", daemon=True)
        closing.start()
        closing.join(self._patience.ill_after)  # a device that hangs in closing hangs nobody
        self._source = lent[0]
        lent[1]()
        return lent[0]

    def _recover(self, *, told: bool = True) -> None:
        if told:
            log.warning("microphone gives no sound, opening it again")
            self._told(DeviceLost("microphone"))
        self._dropped += self._source.dropped
        _aside(self._source.close)
        while not self._closed.is_set():
            source = self._open()
            if not isinstance(source, NoMicrophone):
                self._source = source
                if told:
                    self._told(DeviceFound("microphone"))
                return
            self._closed.wait(self._patience.again_after)

    def _open(self) -> Source | NoMicrophone:
        """The first backend that opens in time; a helper thread that hangs is left behind."""
        refused = NoMicrophone(_HINT)
        for backend in self._backends:
            answer: queue.SimpleQueue[Source | NoMicrophone] = queue.SimpleQueue()
            late = threading.Event()
            _aside(partial(self._try, backend, answer, late))
            try:
                opened = answer.get(timeout=self._patience.opened_within)
            except queue.Empty:
                late.set()
                continue
            if not isinstance(opened, NoMicrophone):
                return opened
            refused = opened
        return refused

    def _try(self, backend: Opener, answer: queue.SimpleQueue[Source | NoMicrophone], late: threading.Event) -> None:
        try:
            source = backend(self._device)
        except NoMicrophone as error:
            answer.put(error)
            return
        if late.is_set():
            source.close()
        else:
            answer.put(source)


def _aside(work: Callable[[], None]) -> None:
    """In a thread nobody waits for."""
    threading.Thread(target=work, name="microphone-helper", daemon=True).start()


def _numbered(sounddevice: Any, device: str | None) -> int | None:
    """PortAudio's number of the first input whose name contains `device`; numbers change at every start."""
    inputs = [(number, one) for number, one in enumerate(sounddevice.query_devices()) if one["max_input_channels"] > 0]
    if not inputs:
        raise ValueError("系统里一个录音设备也没有")
    if device is None:
        return None
    wanted = device.casefold()
    for number, one in inputs:
        if wanted in one["name"].casefold():
            return number
    raise ValueError(f"没有叫“{device}”的录音设备，有：" + "、".join(one["name"] for _, one in inputs))


def _command(device: str | None) -> list[str]:
    if shutil.which("arecord"):
        named = ["-D", device] if device else []
        return ["arecord", "-q", "-t", "raw", "-f", "S16_LE", "-r", str(RATE), "-c", "1", *named]
    if shutil.which("pw-record"):
        named = ["--target", device] if device else []
        return ["pw-record", "--rate", str(RATE), "--channels", "1", "--format", "s16", *named, "-"]
    raise NoMicrophone(f"{_HINT}（也没有 arecord 和 pw-record：sudo apt install alsa-utils）")
