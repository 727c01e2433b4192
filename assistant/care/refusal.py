"""A save of the family's file that cannot be used, and one in use that breaks younger rules, are told to the family, once each."""

from __future__ import annotations

from datetime import datetime

from assistant.care import message
from assistant.home import Household
from assistant.store import Store

REFUSED = "household.refused"
"""Setting: digest of the file that was told of last; empty once the file is in force again."""
OUTGROWN = "household.outgrown"
"""Setting: digest of what the file in force breaks, told of last; empty once it breaks nothing."""


def tell(
    store: Store, now: datetime, household: Household, content: str, title: str, body: str, of: str = REFUSED
) -> list[int] | None:
    """Post one notice of the refused `content` to the family; returns the messages' ids, None where it has been told.

    `of`: the setting that remembers it.
    """
    if store.setting(of) == content:
        return None
    with store.atomic():
        store.remember(of, content)
        store.note_down(now, of, text=body)
        return message.tell_family(store, now, household, purpose="note", title=title, body=body)


def standing(store: Store, of: str = REFUSED) -> bool:
    """Whether the file was refused, or broke a younger rule, when it was last read."""
    return bool(store.setting(of))


def over(store: Store, of: str = REFUSED) -> None:
    """The file is in force again, or breaks nothing any more: the same mistakes would be news."""
    if standing(store, of):
        store.remember(of, "")
