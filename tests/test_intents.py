"""Every example of `intents/*.toml` is understood, and no must-not sentence is taken for its intent."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

import pytest

from assistant.household import load
from assistant.messages import Hypothesis, to_json
from assistant.places import sample_household, shipped
from assistant.understand.judge import Understander
from assistant.understand.phrasebook import Example
from assistant.understand.reader import read

BOOK = read(shipped("intents"))
NOW = datetime.fromisoformat("2026-11-22T15:00")


@lru_cache(maxsize=1)
def understander() -> Understander:
    return Understander(load(sample_household()), BOOK)


def judged(say: str, now: datetime, asking: str = "", options: tuple[str, ...] = ()) -> tuple[str | None, dict[str, Any]]:
    mind = understander()
    local = now.replace(tzinfo=mind.household.zone)
    meaning = mind.judge([Hypothesis(say)], local, asking or None, options).meaning  # type: ignore[arg-type]
    return (None, {}) if meaning is None else (meaning.intent, {slot: to_json(value) for slot, value in meaning.slots.items()})


@pytest.mark.parametrize("example", BOOK.examples, ids=lambda example: f"{example.intent}-{example.say}")
def test_an_example_means_what_it_says(example: Example) -> None:
    intent, slots = judged(example.say, datetime.fromisoformat(example.now), example.asking, example.options)
    assert (intent, {slot: slots.get(slot) for slot in example.slots}) == (example.intent, dict(example.slots))


@pytest.mark.parametrize(("intent", "say"), BOOK.must_not, ids=lambda value: str(value))
def test_a_sentence_near_an_intent_is_not_it(intent: str, say: str) -> None:
    assert judged(say, NOW)[0] != intent


@pytest.mark.parametrize("intent", sorted({example.intent for example in BOOK.examples}))
def test_an_intent_with_examples_has_lines_that_make_it(intent: str) -> None:
    assert intent in BOOK.intents or intent.startswith("dialogue.")
