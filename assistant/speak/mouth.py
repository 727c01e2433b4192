"""What is to be said becomes sound, in order, with the first sentence heard while the next is being rendered."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np

from assistant.errors import VoiceError
from assistant.speak.cache import RenderAhead, SpeechCache, rendered, units
from assistant.speak.player import SOFTEST, STEP, Player
from assistant.speak.sounds import SOUNDS
from assistant.speak.speech import Speech, Voice, after, stretch

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds to wait for the chosen voice before the spare one says it: beyond 3 s older people think it is broken (IJHCI 2024),
and a "heard" sound has bought a little."""
URGENT = 1.0
"""The same when it is urgent."""
GLANCE = 0.1
"""Seconds after which who waits for a sentence looks whether an alarm has overtaken it."""
PAUSE = 0.28
"""Seconds between sentences."""
SLOWER = 0.88
"""Rate of one step of 慢点说. Two steps are as slow as speech stays natural; slower was understood worse (CARE)."""
SLOWEST, FASTEST = 0.7, 1.3


@dataclass(slots=True)
class _Job:
    text: str
    urgent: bool


class Mouth:
    """Says texts with one voice, with another when that fails, and never with silence."""

    def __init__(
        self,
        engine: Voice,
        cache: SpeechCache,
        player: Player,
        spare: Voice | None = None,
        ahead: RenderAhead | None = None,
        on_spoken: Callable[[bool], None] = lambda _cut: None,
        patience: float = PATIENCE,
    ) -> None:
        """`on_spoken(cut)` is called from threads of ours once everything given has been heard, or was cut off."""
        self._engine = engine
        self._spare = spare
        self._cache = cache
        self._player = player
        self._ahead = ahead
        self._on_spoken = on_spoken
        self._patience = patience
        self._rate = 1.0
        self._jobs: deque[_Job] = deque()
        self._reign = 0
        self._working = False
        self._owed = False
        self._closed = False
        self._lock = threading.Condition()
        self._orders: SimpleQueue[tuple[str, Future[Speech]] | None] = SimpleQueue()
        player.on_finished = self._settled
        self._kiln = threading.Thread(target=self._fire, name="mouth-kiln", daemon=True)
        self._kiln.start()
        self._thread = threading.Thread(target=self._run, name="mouth", daemon=True)
        self._thread.start()

    # any thread ----------------------------------------------------------------------------------------------------------

    def say(self, text: str, urgent: bool = False) -> None:
        """After what is waiting; `urgent` cuts it off and forgets it."""
        with self._lock:
            if urgent:
                self._forget()
            self._jobs.append(_Job(text, urgent))
            self._owed = True
            self._lock.notify_all()

    def sound(self, name: str) -> None:
        """A sound of `messages.Sound`."""
        match name:
            case "siren" | "siren_stop":
                self._player.siren(name == "siren")
            case _:
                with self._lock:
                    self._owed = True
                self._player.play(SOUNDS[name]())

    def hush(self) -> None:
        """Be quiet at once and forget what was still to be said."""
        with self._lock:
            was = self._owed
            self._forget()
        if was:
            self._on_spoken(True)

    def adjust(self, louder: int = 0, slower: int = 0) -> None:
        """Steps of volume and rate from now on, negative is softer and faster."""
        self._player.volume = min(max(self._player.volume + louder * STEP, SOFTEST), 100)
        self._rate = min(max(self._rate * SLOWER**slower, SLOWEST), FASTEST)

    @property
    def volume(self) -> int:
        """0…100."""
        return self._player.volume

    @property
    def speaking(self) -> bool:
        """Whether anything is still to be heard."""
        with self._lock:
            return self._owed

    def close(self) -> None:
        """Be quiet and end the threads."""
        with self._lock:
            self._closed = True
            self._forget()
            self._lock.notify_all()
        self._orders.put(None)
        self._thread.join(timeout=1.0)

    def _forget(self) -> None:
        self._reign += 1
        self._jobs.clear()
        self._owed = False
        self._player.stop()

    # the mouth's thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._jobs and not self._closed:
                    self._lock.wait()
                if self._closed:
                    return
                job = self._jobs.popleft()
                reign = self._reign
                self._working = True
            try:
                self._speak(job, reign)
            except Exception:  # edge of a thread: the next sentence may be fine, and somebody waits for on_spoken
                log.exception("could not say a sentence")
            with self._lock:
                self._working = False
            self._settled()

    def _speak(self, job: _Job, reign: int) -> None:
        pieces = units(job.text)
        if self._ahead is not None:
            self._ahead.hold(True)
        try:
            fires = [self._ordered(piece) for piece in pieces]
            for index, (piece, fire) in enumerate(zip(pieces, fires, strict=True)):
                speech = stretch(self._got(piece, fire, job.urgent, reign), self._rate)
                with self._lock:
                    if self._reign != reign:
                        for other in fires:
                            other.cancel()
                        return
                    gap = PAUSE / self._rate if index or self._player.remaining else 0.0
                    self._player.play(after(gap, speech), loud=job.urgent)
        finally:
            if self._ahead is not None:
                self._ahead.hold(False)

    def _ordered(self, piece: str) -> Future[Speech]:
        """What is cached is there at once; the rest is rendered in order by the kiln."""
        future: Future[Speech] = Future()
        found = self._cache.get(self._engine, piece)
        if found is not None:
            future.set_result(found)
        else:
            self._orders.put((piece, future))
        return future

    def _got(self, piece: str, fire: Future[Speech], urgent: bool, reign: int) -> Speech:
        """The piece, by whichever voice has it first; nothing worth hearing once something urgent has overtaken it."""
        wait = (URGENT if urgent else self._patience) + self._player.remaining
        try:
            return self._awaited(fire, wait, reign)
        except TookTooLong:
            if self._reign != reign:
                return Speech(np.zeros(0, dtype=np.int16), 24_000)
            log.warning("%s takes more than %.1f s; the spare voice says it", self._engine.name, wait)
        except VoiceError as error:
            log.warning("%s failed, the spare voice says it: %s", self._engine.name, error)
        if self._spare is None:
            return fire.result()
        try:
            return rendered(self._spare, self._cache, piece)
        except VoiceError as error:
            log.error("the spare voice failed too, waiting for the first: %s", error)
        try:
            return fire.result()
        except VoiceError:
            return SOUNDS["ring"]()  # neither voice speaks: a sound at least says that something is wanted

    def _awaited(self, fire: Future[Speech], wait: float, reign: int) -> Speech:
        """Raises TookTooLong after `wait` seconds, or when what is waited for has been overtaken."""
        for _ in range(max(1, math.ceil(wait / GLANCE))):
            with suppress(TookTooLong):
                return fire.result(timeout=min(GLANCE, wait))
            if self._reign != reign:
                break
        raise TookTooLong

    def _fire(self) -> None:
        while (order := self._orders.get()) is not None:
            piece, future = order
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(rendered(self._engine, self._cache, piece))
            except VoiceError as error:
                future.set_exception(error)
            except Exception as error:  # edge of a thread: whoever waits turns to the spare voice
                log.exception("rendering failed")
                future.set_exception(VoiceError(str(error)))

    def _settled(self) -> None:
        """Whoever finishes last, player or mouth, tells it, once."""
        with self._lock:
            if not self._owed or self._jobs or self._working or self._player.remaining > 0:
                return
            self._owed = False
        self._on_spoken(False)

