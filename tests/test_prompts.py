"""Nothing 小伴 says may trigger or cancel anything: it hears itself through the loudspeaker (CARE 7)."""

from __future__ import annotations

import re
import string
from datetime import datetime

import pytest

from assistant.furnish import phrasebook, understander
from assistant.household import load
from assistant.messages import Hypothesis
from assistant.places import sample_household, shipped
from assistant.replies import Replies
from assistant.understand.sound import syllables

HOME = load(sample_household())
BRAIN = understander(HOME)
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=HOME.zone)

WORDS = {
    "elder": "王奶奶", "time": "早上七点半", "what": "降压的粉色胶囊一粒，饭后", "medicine": "降压药", "person": "女儿刘敏",
    "people": "女儿刘敏和另外四个人", "service": "保洁", "when": "明天下午三点", "seconds": "十", "length": "十分钟", "kind": "血压",
    "value": "高压一百四，低压九十", "count": "两", "text": "晚上回来吃饭", "sentence": "降压药改到早上八点", "at": "早上七点四十",
    "status": "消息正在发，还不知道到没到。", "taken": "儿子刘强", "rung": "儿子刘强", "greeting": "早上好", "part": "早上",
    "first": "药吃过了", "second": "问药吃了没有", "choices": "降压药、降糖药", "items": "第一个，下午三点，拿快递", "days": "三",
    "left": "十", "unit": "粒",
}
"""What may stand in the braces; a word not listed here is said as 两."""

WRITTEN = re.compile(r"^family_|_title$|_body|^title$|^body$")
"""Keys of sentences that are sent, never spoken."""

HOW_TO_STOP = {("emergency", "prealarm"), ("emergency", "prealarm_louder"), ("emergency", "say_it_whole")}
"""The prompts that say how to stop an alarm hold a cancel phrase; the microphone waits until they have ended."""

BY_YOURSELF = {("emergency", "alerting_nobody"), ("emergency", "by_yourself")}
"""Where nobody can be reached she is told to dial 120: the alarm runs already, hearing it again changes nothing."""


def spoken() -> list[tuple[str, str, str]]:
    """(skill, key, rendered sentence) of everything that can be said."""
    replies = Replies.load(shipped("intents"))
    found = []
    for (skill, key), variants in replies.sentences.items():
        if WRITTEN.search(key):
            continue
        for text in variants:
            names = [name for _, name, _, _ in string.Formatter().parse(text) if name]
            found.append((skill, key, text.format(**{name: WORDS.get(name, "两") for name in names})))
    return found


def parts(text: str) -> list[str]:
    """A prompt whole and sentence by sentence: an endpoint falls where the voice pauses."""
    return list(dict.fromkeys([text, *(part for part in re.split(r"[。！？；]", text) if part)]))


def holds(text: str, phrases: tuple[str, ...]) -> list[str]:
    """Those of `phrases` whose sound is in the sound of `text`."""
    said = f" {' '.join(syllables(text))} "
    return [phrase for phrase in phrases if f" {' '.join(syllables(phrase))} " in said]


@pytest.mark.parametrize("skill", sorted({skill for skill, _, _ in spoken()}))
def test_no_prompt_is_understood_as_a_cry_or_a_cancel(skill: str) -> None:
    wrong = []
    for owner, key, text in spoken():
        for part in parts(text) if owner == skill else ():
            meaning = BRAIN.judge((Hypothesis(part),), NOW).meaning
            allowed = {"emergency.cancel"} if (owner, key) in HOW_TO_STOP else {"emergency.call"} if (owner, key) in BY_YOURSELF else set()
            if meaning is not None and meaning.intent in {"emergency.call", "emergency.cancel"} - allowed:
                wrong.append((key, part, meaning.intent))
    assert wrong == []


def test_no_prompt_sounds_like_a_cry_a_cancel_or_the_wake_word() -> None:
    book, wrong = phrasebook(), []
    for skill, key, text in spoken():
        cries = () if (skill, key) in BY_YOURSELF else book.distress
        cancels = () if (skill, key) in HOW_TO_STOP else book.cancel
        wrong += [(skill, key, phrase) for phrase in holds(text, (*cries, *cancels, *HOME.wake_words))]
    assert wrong == []


def test_the_prompts_of_the_countdown_do_say_how_to_stop_it() -> None:
    cancels = phrasebook().cancel
    assert [key for skill, key, text in spoken() if (skill, key) in HOW_TO_STOP and not holds(text, cancels)] == []
