"""From the family's file and a ledger to a dialogue: the assembly that every command shares."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from assistant.care import SCHEMAS
from assistant.converse import Dialogue
from assistant.home import Household
from assistant.listen.ear import hear
from assistant.listen.frames import wav_frames
from assistant.listen.recognizer import Model, TwoDecoders
from assistant.messages import Ask, Heard
from assistant.places import VOSK, models_dir, shipped
from assistant.replies import Replies
from assistant.store import Store
from assistant.understand.judge import Understander
from assistant.understand.phrasebook import Phrasebook


@lru_cache(maxsize=1)
def phrasebook() -> Phrasebook:
    """All of `intents/`, read once."""
    return Phrasebook.load(shipped("intents"))


def understander(household: Household) -> Understander:
    """The understanding for one household."""
    return Understander(household, phrasebook())


def dialogue(household: Household, store: Store) -> Dialogue:
    """A dialogue over an open ledger."""
    return Dialogue(store, household, understander, Replies.load(shipped("intents")))


def forgetful_store() -> Store:
    """A ledger in memory, for demo and plays."""
    return Store.memory(SCHEMAS)


class Hearing:
    """Clips → `Heard` with both decoders, the grammar that of the open question."""

    def __init__(self, household: Household) -> None:
        self._brain = understander(household)
        self._recognizer = TwoDecoders(Model(models_dir() / VOSK))

    def hear(self, clip: Path, asked: Ask | None = None) -> Heard:
        """What was said in a clip. Raises BadAudio."""
        asking = asked.asking if asked else None
        self._recognizer.hold_to(asking or "command", self._brain.grammar(asking))
        return max(hear(wav_frames(clip), self._recognizer, clip=str(clip)), key=lambda heard: heard.seconds)

    def close(self) -> None:
        """End the decoders' threads."""
        self._recognizer.close()
