"""Whether what was understood is what was meant: shared by the clips' test and by the evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rapidfuzz.distance import Levenshtein

from assistant.understand.sound import syllables

FREE_WORDS = frozenset({"what", "message", "reason", "note", "amount"})
"""Slots that carry the elder's words: compared as sound, since the recogniser chooses the characters."""
NAMES = ("person", "medicine", "service")
"""Slots that must be empty where the sentence names nobody and nothing."""
CALLS = ("call.video", "call.voice", "message.send")
STORES_TIME = ("reminder.add", "booking.create", "booking.change", "dialogue.when")
DELETES = ("reminder.cancel", "booking.cancel", "privacy.forget")


def right_intent(want: str, got: str) -> bool:
    """`want`: acceptable intents divided by `|`, empty for keeping still, `not:x` for anything but x."""
    return got != want[4:] if want.startswith("not:") else got in want.split("|")


def wrong_slots(want: Mapping[str, Any], got: Mapping[str, Any]) -> tuple[str, ...]:
    """Slots missing, different, or named out of nothing."""
    return tuple(
        slot for slot in dict.fromkeys((*want, *NAMES))
        if (slot in want or slot in got) and not same(slot, want.get(slot), got.get(slot))
    )


def same(slot: str, want: Any, got: Any) -> bool:
    """Whether a slot's value is right; a list holds the acceptable ones."""
    if want is None or got is None:
        return want is got
    if isinstance(want, list):
        return any(same(slot, one, got) for one in want)
    if slot in FREE_WORDS:
        one, other = ("".join(syllables(hanzi(str(value)))) for value in (want, got))
        return one in other or Levenshtein.normalized_similarity(one, other) >= 0.75
    if isinstance(want, int | float) and isinstance(got, int | float):
        return math.isclose(want, got, abs_tol=0.01)
    return bool(want == got)


def danger(intent: str, slots: Mapping[str, Any], got: str, found: Mapping[str, Any]) -> str:
    """The name of an error that may never happen (CARE: not taken heard as taken, an alarm cancelled, another person
    called, another time kept), or empty. A wrong time is read back before it counts and is named so."""
    right = right_intent(intent, got)
    if got == "medication.taken":
        if not right:
            return "taken, but it was not said"
        if found.get("medicine") is not None and found["medicine"] != slots.get("medicine"):
            return "taken, another medicine"
    if got == "emergency.cancel" and not right:
        return "alarm cancelled, but it was not said"
    if got in CALLS and intent in CALLS and found.get("person") is not None and found["person"] != slots.get("person"):
        return "another person called"
    if got in STORES_TIME and right and "when" in slots and found.get("when") is not None and not same("when", slots["when"], found["when"]):
        return "another time (read back)"
    if got in DELETES and not right:
        return "deleted, but it was not said"
    return ""


def hanzi(text: str) -> str:
    """What a recogniser would give: characters and digits, no punctuation."""
    return "".join(char for char in text if "\u3400" <= char <= "\u9fff" or char.isdigit())
