"""What is said in each clip is understood, and what must not act does not: tests/clips/clips.toml through both decoders.

A clip with `known = "why"` is not understood yet; the mark is not strict, because
decoding differs in its last bits from processor to processor: `pytest -rX` lists the ones that are understood after all.
No clip, known or not, may make an error that CARE forbids (a wrong time is read back before it counts, so it is no such error).
"""

from __future__ import annotations

import functools
import sys
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from assistant.furnish import Hearing
from assistant.household import load
from assistant.messages import to_json
from assistant.places import sample_household

CLIPS = Path(__file__).with_name("clips")
sys.path.insert(0, str(CLIPS))

import meaning  # noqa: E402

NOW = "2026-11-22T15:00"
"""A Sunday."""
TABLE: list[dict[str, Any]] = [
    clip for clip in tomllib.loads((CLIPS / "clips.toml").read_text(encoding="utf-8"))["clips"] if "intent" in clip
]
BY_FILE = {clip["file"]: clip for clip in TABLE}


@pytest.fixture(scope="session")
def hearing() -> Iterator[Hearing]:
    one = Hearing(load(sample_household()))
    yield one
    one.close()


@functools.cache
def understood(hearing: Hearing, file: str) -> tuple[str, dict[str, Any]]:
    """Intent (empty: nothing) and slots as JSON values; each clip is heard once."""
    clip = BY_FILE[file]
    asking = clip.get("asking")
    heard = hearing.hear(CLIPS / file, asking)
    now = datetime.fromisoformat(clip.get("now", NOW)).replace(tzinfo=hearing.brain.household.zone)
    judged = hearing.brain.judge(heard.hypotheses, now, asking, tuple(clip.get("options", ()))).meaning
    return (judged.intent, {slot: to_json(value) for slot, value in judged.slots.items()}) if judged else ("", {})


def marked(clip: dict[str, Any]) -> Any:
    marks = [pytest.mark.xfail(reason=clip["known"], strict=False)] if "known" in clip else []
    return pytest.param(clip, id=clip["file"].removesuffix(".opus"), marks=marks)


def difference(clip: dict[str, Any], intent: str, slots: dict[str, Any]) -> str:
    """What is wrong with what was understood, or empty."""
    if not meaning.right_intent(clip["intent"], intent):
        return f"meant {clip['intent'] or 'nothing'}, understood {intent or 'nothing'} {slots}"
    loose = not intent or clip["intent"].startswith(("not:", "|")) or not clip["intent"]
    wrong = () if loose else meaning.wrong_slots(clip.get("slots", {}), slots)
    return " ".join(f"{slot}: {slots.get(slot)} for {clip.get('slots', {}).get(slot)}" for slot in wrong)


@pytest.mark.parametrize("clip", [marked(clip) for clip in TABLE])
def test_a_clip_is_understood_as_it_was_meant(clip: dict[str, Any], hearing: Hearing) -> None:
    assert difference(clip, *understood(hearing, clip["file"])) == ""


def test_no_clip_makes_an_error_that_may_never_happen(hearing: Hearing) -> None:
    dangerous = {
        clip["file"]: danger for clip in TABLE
        if (danger := meaning.danger(clip["intent"], clip.get("slots", {}), *understood(hearing, clip["file"])))
        and "read back" not in danger
    }
    assert dangerous == {}


def test_every_clip_of_the_table_lies_beside_it_and_no_other() -> None:
    table = tomllib.loads((CLIPS / "clips.toml").read_text(encoding="utf-8"))["clips"]
    assert sorted(clip["file"] for clip in table) == sorted(str(path.relative_to(CLIPS)) for path in CLIPS.rglob("*.opus"))


def test_the_clips_hold_every_intent() -> None:
    intents = {name.strip('"') for path in (CLIPS.parents[1] / "intents").glob("*.toml") for name in tomllib.loads(path.read_text(encoding="utf-8")).get("intents", {})}
    assert sorted(intents - {clip["intent"] for clip in TABLE} - {"nothing"}) == []
