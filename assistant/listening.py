"""What takes seconds to load, so that an alarm after a restart need not wait for it: the model, the phrases, the ear, the understanding."""

from __future__ import annotations

import gc
import logging
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import get_args

from assistant import places
from assistant.errors import BadAudio
from assistant.furnish import grammars, model, phrasebook, suspicious, talk, understander
from assistant.home import Household
from assistant.listen.ear import COMMAND, DISTRESS, Ear
from assistant.listen.frames import wav_frames
from assistant.listen.grammar import build
from assistant.listen.microphone import MicrophoneFrames
from assistant.listen.recognizer import Decoders
from assistant.listen.spotter import Spotter
from assistant.memory import give_back
from assistant.messages import Ask, Asking, Event, Heard, Pressed
from assistant.understand import sampling
from assistant.understand.phrasebook import Phrasebook

log = logging.getLogger(__name__)

Opened = Callable[[Callable[[Event], None]], Iterable[bytes]]
"""Opens what is listened to; is told when it goes and comes."""


def _sentence() -> bytes:
    """A recorded sentence to warm the free decoder with, so that the first that is said is not decoded four times as slowly."""
    try:
        return b"".join(wav_frames(places.warming_clip()))
    except BadAudio:
        return b""


class Listening:
    """The ear of a house. It listens as soon as there are a model and a microphone; `finish` makes the rest meanwhile."""

    def __init__(
        self, household: Household, opened: Opened, post: Callable[[Event], None], wall: Callable[[], datetime],
        hold: Callable[[bytes], str] = lambda _sound: "",
    ) -> None:
        """`hold` as the ear takes it. Raises ModelMissing, NoMicrophone, PhrasebookError."""
        self._decoders: Decoders | None = None
        self._ended: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._household = household
        self._post = post
        self._learning = threading.Lock()
        with ThreadPoolExecutor(1, "model") as loader:
            loading = loader.submit(model)
            book = phrasebook()  # meanwhile: a model is read outside the interpreter's lock
            self._model = loading.result()  # before the microphone, which nobody would close if this fails
        frames = opened(post)
        self.microphone = frames if isinstance(frames, MicrophoneFrames) else None
        try:
            self._begin(frames, book, wall, hold)
        except BaseException:
            self.close()  # nobody else knows of the microphone yet
            raise

    def _begin(self, frames: Iterable[bytes], book: Phrasebook, wall: Callable[[], datetime], hold: Callable[[bytes], str]) -> None:
        household = self._household
        self._decoders = decoders = Decoders(self._model, warm=_sentence(), failed=self._ended.put)
        spotter = Spotter(self._model, household.wake_words, book.distress, decoders)
        self.ear = Ear(
            frames, decoders, spotter, grammars(household, self._model.knows, (COMMAND, DISTRESS)), self._heard,
            lambda found: suspicious(understander(self._household), found, wall()), hold,
        )
        threading.Thread(target=self._listen, name="ear", daemon=True).start()

    def _listen(self) -> None:
        """The ear's thread."""
        try:
            self.ear.listen()
        except Exception as error:  # edge of a thread: a house must not live on deaf
            log.exception("the ear has ended")
            self._ended.put(error)
        else:
            self._ended.put(None)

    def last(self) -> None:
        """Until there is nothing more to listen to (a closed microphone). Raises what went wrong in the ear or a decoder."""
        error = self._ended.get()
        if error is not None:
            raise error

    def close(self) -> None:
        """Give the microphone back and end the decoders."""
        if self.microphone is not None:
            self.microphone.close()
        if self._decoders is not None:
            self._decoders.close()

    def _heard(self, event: Heard | Pressed) -> None:
        """In the ear's thread, so that what is said while the understanding is made waits there and not in the house's loop."""
        if isinstance(event, Heard):
            understander(self._household)
        self._post(event)

    def finish(self) -> None:
        """The understanding, the talk of this home and the grammars of the questions; till then a question has that of commands."""
        understander(self._household)
        self.learn(self._household)
        gc.collect()
        gc.freeze()  # it lives as long as the house: collections need not walk it again and again
        give_back()

    def learn(self, household: Household) -> None:
        """The words of this household from the next utterance on."""
        with self._learning:
            self._household = household
            known = grammars(household, self._model.knows, (COMMAND, DISTRESS, *get_args(Asking)))
            self.ear.learn(known)
            if self._decoders is not None:
                self._decoders.expect(lambda: talk(household, self._model.knows, known[COMMAND]))

    def options(self, ask: Ask) -> tuple[str, ...]:
        """The grammar of a `which`: its options as the elder may say them, on top of the usual ways to choose."""
        if ask.asking != "which":
            return ()
        return build((*ask.options, *sampling.phrases(self._household, phrasebook(), "which")), self._model.knows).phrases
