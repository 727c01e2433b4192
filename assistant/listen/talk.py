"""What is said in a home: sentences from which a decoder learns how elders and their households talk.

Vosk makes a bigram language model of whatever phrases a grammar is given. Given tens of thousands of sentences instead of the
three thousand one may command with, it is no grammar any more but a second free decoder that expects this kind of talk: in noise
it writes a fifth to two fifths fewer wrong syllables than the model's own language, at half of the work (`tests/bench/hearing.py`).
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

SENTENCES: Final = Path(__file__).with_name("talk.txt.xz")
"""Sentences in words of the model's vocabulary with spaces between, one a line; `tools/talk.py` makes it from the corpus."""
CALLED: Final = 40
"""Every so many sentences one is also said behind a wake word: 小伴 is in no model, and written as 小半, 小白, 翘板 it hides what follows."""


def sentences() -> tuple[str, ...]:
    """All of them, without those of this household."""
    return tuple(lzma.decompress(SENTENCES.read_bytes()).decode("utf-8").splitlines())


def of_a_home(commands: Sequence[str], wake_words: Sequence[str]) -> tuple[str, ...]:
    """What this household may say, in words of the vocabulary: its own commands, talk, and talk behind its wake words."""
    return tuple(_all(commands, wake_words, sentences()))


def _all(commands: Sequence[str], wake_words: Sequence[str], talk: Sequence[str]) -> Iterator[str]:
    yield from commands
    yield from talk
    for place, word in enumerate(wake_words):
        yield word
        yield from (f"{word} {one}" for one in (*commands[place::CALLED], *talk[place::CALLED]))
