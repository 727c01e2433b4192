"""The microphone's whole path without a microphone: real PortAudio and arecord on an ALSA device that reads a file."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path

import pytest

from assistant.errors import NoMicrophone
from assistant.listen.frames import FRAME_BYTES, wav_frames
from assistant.listen.microphone import MicrophoneFrames, Patience
from assistant.messages import DeviceFound, DeviceLost

CLIPS = Path(__file__).parent / "hearing"
HURRY = Patience(ill_after=0.05, opened_within=0.2, again_after=0.01)

ALSA = """</usr/share/alsa/alsa.conf>
pcm.!default {{ type plug slave {{ pcm "clip" rate {rate} channels 1 format S16_LE }} }}
pcm.clip {{ type file slave.pcm "nothing" file "/dev/null" infile "{sound}" format "raw" }}
pcm.nothing {{ type null }}
"""

LISTENER = """
import sys
from itertools import islice
from assistant.listen.microphone import BACKENDS, MicrophoneFrames
frames = MicrophoneFrames(backends=(BACKENDS[int(sys.argv[1])],))
sys.stdout.buffer.write(b"".join(islice(frames, int(sys.argv[2]))))
sys.stdout.flush()
frames.close()
"""


def have_alsa() -> str:
    """What is missing on this machine, or nothing."""
    if not Path("/usr/share/alsa/alsa.conf").exists() or not ctypes.util.find_library("asound"):
        return "ALSA is not installed"
    if not ctypes.util.find_library("portaudio"):
        return "PortAudio is not installed"
    return "" if shutil.which("arecord") else "arecord (alsa-utils) is not installed"


@pytest.mark.skipif(bool(have_alsa()), reason=have_alsa())
@pytest.mark.parametrize("backend", [0, 1])
def test_a_microphone_gives_the_very_frames_a_clip_gives(tmp_path: Path, backend: int) -> None:
    frames = list(wav_frames(CLIPS / "wake_time.flac"))
    (tmp_path / "clip.raw").write_bytes(b"".join(frames))
    (tmp_path / "asound.conf").write_text(ALSA.format(sound=tmp_path / "clip.raw", rate=16_000))
    heard = subprocess.run(
        [sys.executable, "-c", LISTENER, str(backend), str(len(frames))],
        env={**os.environ, "ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")},
        stdout=subprocess.PIPE, check=True, timeout=60,
    ).stdout
    assert heard == b"".join(frames)


class Fake:
    """An input that gives so many blocks and then nothing, as a USB microphone that was pulled out."""

    def __init__(self, blocks: int) -> None:
        self._left = blocks
        self.dropped = 1
        self.closed = threading.Event()

    def read(self, timeout: float) -> bytes | None:
        self._left -= 1
        return b"\1\0" * 512 if self._left >= 0 else None

    def close(self) -> None:
        self.closed.set()


def test_a_microphone_that_falls_silent_is_opened_again_and_both_are_told() -> None:
    told: list[object] = []
    devices: list[Fake | None] = [Fake(3), None, Fake(100)]
    opened = [*devices]

    def plug(_: str | None) -> Fake:
        device = opened.pop(0)
        if device is None:
            raise NoMicrophone("gone")
        return device

    frames = MicrophoneFrames(told=told.append, backends=(plug,), patience=HURRY)
    heard = list(islice(frames, 10))
    first = devices[0]
    assert first is not None
    assert (len(heard), told, first.closed.wait(5), frames.dropped) == (
        10, [DeviceLost("microphone"), DeviceFound("microphone")], True, 2)


def test_a_device_that_hangs_when_opened_is_left_for_the_next_backend() -> None:
    release = threading.Event()

    def hang(_: str | None) -> Fake:
        release.wait(10)
        return late

    late = Fake(1)
    frames = MicrophoneFrames(backends=(hang, lambda _: Fake(5)), patience=HURRY)
    heard = next(iter(frames))
    release.set()
    assert (len(heard), late.closed.wait(5)) == (FRAME_BYTES, True)


def test_without_any_microphone_the_error_names_the_remedy() -> None:
    def none(_: str | None) -> Fake:
        raise NoMicrophone("没有能用的麦克风。请插上 USB 麦克风")

    with pytest.raises(NoMicrophone, match="插上"):
        MicrophoneFrames(backends=(none,), patience=HURRY)


@pytest.mark.skipif(bool(have_alsa()), reason=have_alsa())
def test_a_machine_without_a_sound_card_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "asound.conf").write_text("pcm.!default { type hw card 31 }\n")
    script = "from assistant.listen.microphone import MicrophoneFrames\nMicrophoneFrames()"
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")},
        stderr=subprocess.PIPE, text=True, timeout=60, check=False,
    )
    assert (done.returncode, "arecord -l" in done.stderr, "NoMicrophone" in done.stderr) == (1, True, True)
