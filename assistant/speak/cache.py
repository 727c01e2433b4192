"""Rendered speech on disk, found by what was said and who said it; and a thread that renders ahead of time."""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import struct
import threading
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from queue import PriorityQueue

import numpy as np

from assistant.errors import VoiceError
from assistant.speak.speakable import sentences, speakable
from assistant.speak.speech import Speech, Voice

log = logging.getLogger(__name__)

LIMIT = 300_000_000
"""Bytes on disk: 100 minutes of speech, some 2,000 sentences; a card of 16 GB does not notice."""
KEPT = 0.8
"""Share of the limit left after clearing up, so that it is not done at every sentence."""
FRESH = 86_400.0
"""Seconds a time stamp is good for: touching a file at every use would wear the card."""
_HEAD = struct.Struct("<4sIII")
_MAGIC = b"XBS1"
_LONGEST = 120 * 48_000
"""Samples; a header that says more is not ours."""


class SpeechCache:
    """One file a sentence. Reading and writing from any thread; nothing in it is worth more than rendering it again."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        """`folder` is made if it can be; a cache that cannot write still works, and forgets."""
        self._folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        self._size = 0
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for path in folder.glob("*.part"):
                path.unlink()
            self._size = sum(path.stat().st_size for path in folder.glob("*.speech"))

    def get(self, voice: Voice, text: str, rate: float = 1.0) -> Speech | None:
        """What this voice once made of this text, if it is still there and whole."""
        path = self._path(voice, text, rate)
        try:
            found = path.read_bytes()
            status = path.stat()
        except OSError:
            return None
        speech = _unpack(found)
        if speech is None:
            log.warning("cached speech %s is damaged; rendering it again", path.name)
            with suppress(OSError):
                path.unlink()
            return None
        self._touch(path, status)
        return speech

    def has(self, voice: Voice, text: str, rate: float = 1.0) -> bool:
        """Whether a file is there; it is not read."""
        return self._path(voice, text, rate).is_file()

    def put(self, voice: Voice, text: str, speech: Speech, rate: float = 1.0) -> None:
        """Keep it. Written beside and renamed, so that a power cut leaves the whole or nothing."""
        path = self._path(voice, text, rate)
        part = path.with_name(f"{path.stem}.{os.getpid()}-{threading.get_ident()}.part")
        packed = _pack(speech)
        try:
            part.write_bytes(packed)
            os.replace(part, path)
        except OSError as error:  # a full or read-only card costs time, never speech
            log.warning("cannot keep rendered speech: %s", error)
            with suppress(OSError):
                part.unlink()
            return
        with self._lock:
            self._size += len(packed)
            if self._size > self._limit:
                self._clear_up()

    def _path(self, voice: Voice, text: str, rate: float) -> Path:
        key = "\0".join((voice.name, voice.version, f"{rate:.2f}", text))
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.speech"

    def _touch(self, path: Path, status: os.stat_result) -> None:
        """Mark as used, at most once a day. The newest file's time stands for now: the wall clock may be wrong."""
        with suppress(OSError):
            newest = self._folder.stat().st_mtime
            if newest - status.st_mtime > FRESH:
                os.utime(path, (newest, newest))

    def _clear_up(self) -> None:
        """Throw away what was used longest ago."""
        kept = []
        for path in self._folder.glob("*.speech"):
            with suppress(OSError):
                status = path.stat()
                kept.append((status.st_mtime_ns, status.st_size, path))
        self._size = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if self._size <= self._limit * KEPT:
                break
            with suppress(OSError):
                path.unlink()
                self._size -= size


def _pack(speech: Speech) -> bytes:
    sound = speech.samples.astype("<i2").tobytes()
    return _HEAD.pack(_MAGIC, speech.sample_rate, len(speech.samples), zlib.crc32(sound)) + sound


def _unpack(found: bytes) -> Speech | None:
    if len(found) < _HEAD.size:
        return None
    magic, sample_rate, count, crc = _HEAD.unpack_from(found)
    sound = found[_HEAD.size :]
    if magic != _MAGIC or count > _LONGEST or len(sound) != 2 * count or zlib.crc32(sound) != crc or not sample_rate:
        return None
    return Speech(np.frombuffer(sound, dtype="<i2").astype(np.int16), sample_rate)


def units(text: str) -> list[str]:
    """The pieces that are rendered, cached and played one after the other: whole sentences in speakable words.

    Sentences rather than whole replies: the first is heard while the second is rendered, and a sentence shared by
    many replies is rendered once.
    """
    return sentences(speakable(text))


def rendered(voice: Voice, cache: SpeechCache, sentence: str, rate: float = 1.0) -> Speech:
    """From the cache, or rendered and kept. Raises VoiceError."""
    found = cache.get(voice, sentence, rate)
    if found is None:
        found = voice.render(sentence, rate)
        cache.put(voice, sentence, found, rate)
    return found


class RenderAhead:
    """A thread that renders what will be said, so that nothing has to be synthesised when it matters."""

    def __init__(self, voice: Voice, cache: SpeechCache) -> None:
        self._voice = voice
        self._cache = cache
        self._wanted: PriorityQueue[tuple[int, int, str, float]] = PriorityQueue()
        self._count = itertools.count()
        self._known: set[tuple[str, float]] = set()
        self._idle = threading.Event()
        self._idle.set()
        self._free = threading.Event()
        self._free.set()
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="render-ahead", daemon=True)
        self._thread.start()

    def want(self, texts: Iterable[str], rate: float = 1.0, soon: bool = False) -> None:
        """Render these when there is time; `soon` before the others. Returns at once."""
        with self._lock:
            for text in texts:
                for sentence in units(text):
                    if (sentence, rate) not in self._known and not self._cache.has(self._voice, sentence, rate):
                        self._known.add((sentence, rate))
                        self._idle.clear()
                        self._wanted.put((0 if soon else 1, next(self._count), sentence, rate))

    def hold(self, busy: bool) -> None:
        """Stand aside (True) while somebody is waiting for the same engine."""
        self._free.clear() if busy else self._free.set()

    def wait(self, seconds: float) -> bool:
        """Until everything wanted is there; False if it took longer."""
        return self._idle.wait(seconds)

    def close(self) -> None:
        """Finish the sentence at hand and stop."""
        self._closed = True
        self._free.set()
        self._wanted.put((-1, next(self._count), "", 1.0))
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not self._closed:
            _, _, sentence, rate = self._wanted.get()
            self._free.wait()
            if self._closed:
                return
            try:
                if not self._cache.has(self._voice, sentence, rate):
                    self._cache.put(self._voice, sentence, self._voice.render(sentence, rate), rate)
            except VoiceError as error:
                log.warning("cannot render ahead: %s", error)
            except Exception:  # edge of a thread: the next sentence may be fine
                log.exception("rendering ahead failed")
            with self._lock:
                self._known.discard((sentence, rate))
                if not self._known:
                    self._idle.set()
