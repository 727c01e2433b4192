"""From the family's file and a ledger to a dialogue: the assembly that every command shares."""

from __future__ import annotations

from functools import lru_cache

from assistant.care import SCHEMAS
from assistant.converse import Dialogue
from assistant.home import Household
from assistant.places import shipped
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
