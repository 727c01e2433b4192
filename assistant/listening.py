"""What takes seconds to load, so that an alarm after a restart need not wait for it: the model, the phrases, the ear, the understanding."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import get_args

from assistant import places
from assistant.errors import BadAudio
from assistant.furnish import grammars, phrasebook, suspicious, talk, understander
from assistant.home import Household
from assistant.listen.ear import COMMAND, DISTRESS, Ear
from assistant.listen.frames import wav_frames
from assistant.listen.grammar import build
from assistant.listen.microphone import MicrophoneFrames
from assistant.listen.recognizer import Decoders, Model
from assistant.listen.spotter import Spotter
from assistant.memory import give_back
from assistant.messages import Ask, Asking, Event, Heard, Pressed
from assistant.understand import sampling

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
        self._household = household
        self._post = post
        self._learning = threading.Lock()
        with ThreadPoolExecutor(1, "model") as loader:
            loading = loader.submit(Model, places.models_dir() / places.VOSK)
            book = phrasebook()  # meanwhile: a model is read outside the interpreter's lock
            self._model = loading.result()  # before the microphone, which nobody would close if this fails
        frames = opened(post)
        self.microphone = frames if isinstance(frames, MicrophoneFrames) else None
        self._decoders = decoders = Decoders(self._model, warm=_sentence())
        spotter = Spotter(self._model, household.wake_words, book.distress, decoders)
        self.ear = Ear(
            frames, decoders, spotter, grammars(household, self._model.knows, (COMMAND, DISTRESS)), self._heard,
            lambda found: suspicious(understander(self._household), found, wall()), hold,
        )
        self.ear.start()

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
            self._decoders.expect(lambda: talk(household, self._model.knows, known[COMMAND]))

    def options(self, ask: Ask) -> tuple[str, ...]:
        """The grammar of a `which`: its options as the elder may say them, on top of the usual ways to choose."""
        if ask.asking != "which":
            return ()
        return build((*ask.options, *sampling.phrases(self._household, phrasebook(), "which")), self._model.knows).phrases
