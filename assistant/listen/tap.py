"""What the elder says into the telephone, from the file baresip writes it to: the ear's microphone while that is lent.

baresip (module sndfile) writes an 8 kHz 16-bit mono WAV whose header is finished at the end of the call. We read behind it
and cut off what has been read: the file keeps its place and gives its memory back, however long the two talk.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import Final

import numpy as np

from assistant.listen.frames import Resampler

RATE: Final = 8000
_HEADER: Final = 44
_LOOK: Final = 0.04
"""Seconds between two looks at a file that has not grown: two packets of sound."""
_CUT: Final = 1 << 20
"""Bytes after which what was read is given back."""


class Tap:
    """A microphone (`listen.microphone.Source`) made of a growing file in `folder`, which need not be there yet."""

    dropped = 0

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None
        self._at = _HEADER
        self._cut_at = _HEADER
        self._resampler = Resampler(RATE)
        self._wait = threading.Event()

    def read(self, timeout: float) -> bytes | None:
        """16 kHz mono 16-bit sound; None when the file has not grown in time."""
        for _ in range(max(1, round(timeout / _LOOK))):
            if raw := self._more():
                sound = np.frombuffer(raw, dtype="<i2").astype(np.float32) / 32768.0
                return b"".join(self._resampler.feed(sound))
            if self._wait.wait(_LOOK):
                break
        return None

    def close(self) -> None:
        """Read no more."""
        self._wait.set()
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None

    def _more(self) -> bytes:
        try:
            if self._file is None:
                # The newest: a call before this one may have left its file for a moment.
                path = max(self._folder.glob("*enc*.wav"), key=lambda one: one.stat().st_mtime_ns, default=None)
                if path is None:
                    return b""
                self._file = os.open(path, os.O_RDWR)
                self._at = max(_HEADER, os.fstat(self._file).st_size & ~1)  # what was played before the elder could speak is ours
                return b""
            raw = os.pread(self._file, 1 << 16, self._at)
            raw = raw[: len(raw) & ~1]
            self._at += len(raw)
            if self._at - self._cut_at > _CUT:
                self._cut_at = self._at
                for path in self._folder.glob("*.wav"):  # also the file of what the other end says
                    os.truncate(path, 0)
            return raw
        except OSError:
            return b""
