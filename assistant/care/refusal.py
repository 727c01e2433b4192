"""A save of the family's file that cannot be used is told to the family, once for each content."""

from __future__ import annotations

from datetime import datetime

from assistant.care import message
from assistant.home import Household
from assistant.store import Store

REFUSED = "household.refused"
"""Setting: digest of the file that was told of last; empty once the file is in force again."""


def tell(store: Store, now: datetime, household: Household, content: str, title: str, body: str) -> list[int] | None:
    """Post one notice of the refused `content` to the family; returns the messages' ids, None where it has been told."""
    if store.setting(REFUSED) == content:
        return None
    with store.atomic():
        store.remember(REFUSED, content)
        store.note_down(now, REFUSED, text=body)
        return message.tell_family(store, now, household, purpose="note", title=title, body=body)


def standing(store: Store) -> bool:
    """Whether the file was refused when it was last read."""
    return bool(store.setting(REFUSED))


def over(store: Store) -> None:
    """The file is in force again: the same mistakes would be news."""
    if standing(store):
        store.remember(REFUSED, "")
