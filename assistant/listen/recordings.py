"""What the elder said, as sound: for minutes in memory, and as a file only while a message she left waits to be sent.

Nothing is held unless she and the family agreed (`wanted`). The folder holds just what an open row of the outbox names; all
else is deleted at the next look, also what a power cut left.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from assistant.errors import BadAudio
from assistant.listen.frames import write_mp3

log = logging.getLogger(__name__)

HELD: Final = 6
"""Utterances held at once: the message, the readings back and what comes between."""
SECONDS: Final = 180.0
"""How long an utterance is held in memory: a message is settled sooner, or it goes without."""


class Recordings:
    """`hold` is called by the ear's thread, the rest by the house's."""

    def __init__(self, folder: Path, monotonic: Callable[[], float]) -> None:
        """`folder` need not be there yet; `monotonic` gives seconds."""
        self._folder = folder
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._numbers = itertools.count(1)
        self._kept = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        self.wanted = False

    def hold(self, sound: bytes) -> str:
        """Remember an utterance (16 kHz 16-bit mono) for a while; its key, or nothing where nobody agreed."""
        if not self.wanted:
            return ""
        with self._lock:
            key = f"s{next(self._numbers)}"
            self._held[key] = (self._monotonic(), sound)
            while len(self._held) > HELD:
                self._held.popitem(last=False)
        return key

    def keep(self, key: str, name: str) -> None:
        """Write an utterance that is held to the disk; where that fails the message finds no file and goes without."""
        with self._lock:
            _, sound = self._held.pop(key, (0.0, b""))
        if not sound:
            log.warning("the sound of a message is gone: it goes as text")
            return
        part = self.path(f"{name}.part")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._kept.update((name, part.name))
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT, 0o600))
            write_mp3(part, sound)
            part.replace(self.path(name))
        except (BadAudio, OSError) as error:
            log.warning("the sound of a message could not be written: %s", error)

    def path(self, name: str) -> Path:
        """Where a recording of this name is, if it is."""
        return self._folder / Path(name).name

    def tend(self, named: Collection[str], wanted: bool) -> None:
        """Delete every file but these, and forget what was held too long."""
        self.wanted = wanted
        now = self._monotonic()
        with self._lock:
            old = [key for key, (since, _) in self._held.items() if not wanted or now - since > SECONDS]
            for key in old:
                del self._held[key]
        for name in self._kept - set(named):
            try:
                self.path(name).unlink(missing_ok=True)
                self._kept.discard(name)
            except OSError as error:
                log.error("a recording could not be deleted: %s", error)
