"""The intents folder as values: templates as graphs of characters, frames of concepts, guards, word lists, replies' neighbours.

The format is described at the top of `intents/_common.toml`; `reader.py` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assistant.errors import XiaobanError
from assistant.messages import Asking

ANSWERED_LIKE: Mapping[Asking | None, Asking] = {"chore": "dose"}
"""Questions that are answered in the phrases of another one."""

DEFAULT_STRENGTH = 0.9
"""Score of a frame whose concepts are all there and which explains the whole sentence."""


class PhrasebookError(XiaobanError):
    """The intents folder has mistakes; the message lists all of them with file and phrase."""

    code = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """Concepts that make an intent, in any order unless `order` says so."""

    text: str
    """As written."""
    intent: str
    needs: tuple[frozenset[str], ...]
    """Each needs one of its concepts (or {slot}s)."""
    may: frozenset[str] = frozenset()
    """Concepts whose words count as explained."""
    bans: frozenset[str] = frozenset()
    """Concepts that must not be in the sentence."""
    order: tuple[tuple[int, int, bool], ...] = ()
    """(i, j, touching): need i is said before need j, with at most one syllable between if touching."""
    whole: bool = False
    """Nothing else of weight may be said."""
    strength: float = DEFAULT_STRENGTH
    asking: str = ""
    """Counts only while a question of this kind is open; empty: always."""
    polar: bool = False
    """A concept of negation is among the needs, so a NOT near its words is part of it."""


@dataclass(frozen=True, slots=True)
class Template:
    """One phrase as a graph: node k carries a character or a {slot}; its predecessors are earlier nodes, −1 the start."""

    text: str
    intent: str
    nodes: tuple[str, ...]
    before: tuple[tuple[int, ...], ...]
    last: tuple[int, ...]
    """Nodes a sentence may end with."""
    asking: str = ""


@dataclass(frozen=True, slots=True)
class Guard:
    """What forbids or weakens intents."""

    name: str
    when: tuple[Frame, ...]
    unless: tuple[Frame, ...] = ()
    stops: tuple[str, ...] = ()
    """Patterns of intents that may not act: `emergency.*`."""
    weakens: tuple[str, ...] = ()
    """Patterns of intents that only ask back."""
    of_clause: bool = False
    """It forbids nothing in a clause that can be heard to be another: 昨天没睡好|给我闺女打电话."""
    not_beside: tuple[str, ...] = ()
    """Open questions beside which it does not hold: 先挂了 is talk on the telephone, and how one hangs up on ours."""
    unyielding: bool = False
    """It yields to nothing: 要是我哪天摔倒了 is plainly of a fall, and of none."""


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence with its meaning: a test."""

    say: str
    intent: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    asking: str = ""
    now: str = "2026-11-22T15:00"
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """Everything the intents folder says about understanding."""

    templates: tuple[Template, ...] = ()
    frames: tuple[Frame, ...] = ()
    guards: tuple[Guard, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Concept → words, `=` before a word that counts only in these characters."""
    heard: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Word → what a recogniser writes for it."""
    values: Mapping[str, Mapping[str, tuple[tuple[str, tuple[Frame, ...]], ...]]] = field(default_factory=dict)
    """Intent → slot → (value, frames), in the order they are tried; no frames: the value when nothing else fits."""
    grades: Mapping[str, tuple[tuple[str, tuple[Frame, ...]], ...]] = field(default_factory=dict)
    """Intent → (grade, frames): how sure an alarm may be."""
    perhaps: Mapping[str, tuple[Frame, ...]] = field(default_factory=dict)
    """Intent → frames that may mean it whatever else is heard; alone they do nothing: see `Judgement.cry`."""
    hints: Mapping[str, tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...]] = field(default_factory=dict)
    """`person`, `medicine`, `service` → (names, words, needs): who carries one of the names is also called by the words,
    and meant by the needs (头发长了)."""
    needs: Mapping[str, tuple[tuple[tuple[str, ...], tuple[Frame, ...]], ...]] = field(default_factory=dict)
    """`service` → (names, frames): what is meant when no name is said and a frame fits (PIPE BROKEN), if the home has it."""
    told: Mapping[str, tuple[tuple[tuple[str, ...], tuple[re.Pattern[str], ...]], ...]] = field(default_factory=dict)
    """`person` → (names, patterns): how one speaks of him without his name (跟我一个班扛过枪的), if the home has him."""
    anchors: Mapping[str, tuple[Frame, ...]] = field(default_factory=dict)
    """Intent → frames; a phrase of the intent is only believed where the words of one are found."""
    must_not: tuple[tuple[str, str], ...] = ()
    """(intent, sentence that must not be taken for it)."""
    examples: tuple[Example, ...] = ()
    distress: tuple[str, ...] = ()
    cancel: tuple[str, ...] = ()
    through: frozenset[str] = frozenset()
    """Concepts that count inside a longer word, too: 心口 in 心口闷."""

    @property
    def intents(self) -> frozenset[str]:
        """Names of all intents with a phrase or frame."""
        return frozenset(line.intent for line in self.templates) | frozenset(line.intent for line in self.frames)
