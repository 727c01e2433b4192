"""A voice engine in a process of its own: off our interpreter lock, at low priority, its memory given back when idle.

Measured on two x86 cores: Kokoro with its word list holds 350 MB at rest and up to 600 MB while it speaks, and rendering in
our own process competes with the ear for the interpreter. A child that leaves after `IDLE` seconds costs 2-3 s to start anew.
"""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np

from assistant.errors import VoiceError
from assistant.memory import thrifty
from assistant.speak.speech import Speech

log = logging.getLogger(__name__)

IDLE = 120.0
"""Seconds without work after which the child leaves."""
START = 60.0
"""Seconds the child may take to load; 2 s on a PC, 10 on a Pi 4 with a cold card."""
PATIENCE_A_CHARACTER = 2.0
"""Seconds a character may take: twice what a Pi 4 was seen to need."""
NICENESS = 5


class Workshop:
    """Renders through a child process. One sentence at a time; a child that hangs or dies is replaced at the next."""

    def __init__(self, name: str, version: str, folder: Path, speaker: str | Mapping[str, float], idle: float = IDLE) -> None:
        """`name` and `version` are the engine's; `folder` and `speaker` as `Kokoro` takes them."""
        self.name = name
        self.version = version
        self._order = json.dumps({"folder": str(folder), "speaker": speaker, "idle": idle})
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def render(self, text: str, rate: float = 1.0) -> Speech:
        """Speak the text. Raises VoiceError when the child cannot or takes far too long."""
        with self._lock:
            for attempt in (1, 2):
                child = self._running()
                try:
                    return self._ask(child, text, rate)
                except (OSError, EOFError) as error:
                    self._drop()
                    # an idle child may leave just as we ask; a second loss in a row is a fault
                    if attempt == 2:
                        raise VoiceError(f"说话的进程没有了（voice process lost）：{error}") from error
                except BaseException:
                    self._drop()
                    raise
        raise AssertionError("unreachable")

    def close(self) -> None:
        """End the child; a later `render` starts a new one. Safe from any thread: a render in progress fails."""
        self._drop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._drop()
            self._child = subprocess.Popen(
                [sys.executable, "-m", "assistant.speak.workshop", self._order],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, cwd=Path(__file__).parents[2],
            )
        return self._child

    def _ask(self, child: subprocess.Popen[bytes], text: str, rate: float) -> Speech:
        assert child.stdin is not None
        assert child.stdout is not None
        deadline = threading.Timer(START + PATIENCE_A_CHARACTER * len(text), child.kill)
        deadline.daemon = True
        deadline.start()
        try:
            child.stdin.write(json.dumps({"text": text, "rate": rate}).encode() + b"\n")
            answer = json.loads(_line(child.stdout))
            if "error" in answer:
                raise VoiceError(answer["error"])
            samples = np.frombuffer(_exactly(child.stdout, answer["bytes"]), dtype="<i2")
            return Speech(samples.astype(np.int16), answer["sample_rate"])
        except ValueError as error:
            raise EOFError(str(error)) from error
        finally:
            deadline.cancel()

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        child.wait()


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = pipe.read(size - len(parts))
        if not part:
            raise EOFError("voice process ended in mid-sentence")
        parts += part
    return bytes(parts)


def _line(pipe: IO[bytes]) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        part = pipe.read(1)
        if not part:
            raise EOFError("voice process ended")
        line += part
    return bytes(line)


def _serve(order: str) -> None:
    """The child: sentences in as JSON lines, sound out; leaves when idle or when the parent is gone."""
    from assistant.speak.kokoro import Kokoro

    thrifty()
    with suppress(OSError):
        os.nice(NICENESS)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the samples
    asked = json.loads(order)
    voice: Kokoro | None = None
    while select.select([0], [], [], asked["idle"])[0]:
        line = _line(os.fdopen(os.dup(0), "rb", buffering=0))
        job = json.loads(line)
        try:
            voice = voice or Kokoro(Path(asked["folder"]), asked["speaker"])
            speech = voice.render(job["text"], job["rate"])
        except Exception as error:  # edge of a process: the parent turns it into VoiceError
            out.write(json.dumps({"error": str(error) or type(error).__name__}).encode() + b"\n")
            out.flush()
            continue
        sound = speech.samples.astype("<i2").tobytes()
        out.write(json.dumps({"bytes": len(sound), "sample_rate": speech.sample_rate}).encode() + b"\n" + sound)
        out.flush()


if __name__ == "__main__":
    with suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        _serve(sys.argv[1])
