"""Sentences against phrases and frames, by sound: which intents fit, at what cost, and which words say so.

Three parts. `Lexicon`: a trie over syllables finds every known word of an utterance, near ones too, in time that does
not depend on how many words it holds. `Index`: an inverted index over pairs of syllables names the few templates worth
aligning. `align` and `fit`: one template, one frame against one utterance.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nlargest
from math import log
from typing import NamedTuple

from assistant.understand.graph import JOINT, START, Graph, small
from assistant.understand.phrasebook import Frame, Template
from assistant.understand.sound import Ear, syllables

BUDGET = (0.0, 0.06, 0.36, 0.7, 1.0, 1.25, 1.5)
"""How much sound may differ in a word of 1, 2, 3 … syllables. One syllable: only what the accent folds anyway."""
HOMOPHONE = (0.0, 0.08, 0.03)
"""Cost of a character that sounds the same but is another, in a word of one syllable, of two and more."""
REMEMBERED = 8192
"""Places of utterances whose words are remembered, about 2 MB."""
NEAR = 0.6
"""Syllables farther apart than this never stand for each other inside a word."""

SURE = 0.08
"""A word found at no more than this forbids: guards and `!CONCEPT` do not act on what only sounds alike."""
LIGHT = {"FILLER": 0.03, "SOFT": 0.12, "POLITE": 0.1, "SELF": 0.1, "NEUTRAL": 0.5, "ASPECT": 0.35, "ME": 0.1, "HOUSEHOLD_BOT": 0.02}
"""Weight of a syllable inside a word of these concepts, where everything else weighs 1."""
QUIET = frozenset({"NEUTRAL", "FILLER", "SOFT", "POLITE", "IDIOM"})
"""Words of these turn nothing round, though 不 or 没 may be in them."""
TURNING = "NOT"
"""The concept whose words turn a sentence round."""
OPENING = {"HELP": "HELP_FIRST", "DENIAL": "DENIAL_FIRST"}
"""Kinds of words that are another one, too, where the sentence begins with them, but for fillers: 救命哟，它咬着不松口 is a cry whatever it denies."""

FREE = frozenset({"{what}", "{message}", "{note}", "{reason}"})
"""Slots that any words fill."""
TIMES = frozenset({"{when}", "{day}", "{duration}"})
NUMBERS = frozenset({"{amount}", "{value}", "{systolic}", "{diastolic}", "{number}"})


@dataclass(frozen=True, slots=True)
class Word:
    """One entry of the lexicon."""

    text: str
    concept: str
    """A concept, or `{person}` `{medicine}` `{service}`."""
    exact: bool = False
    """Counts only in these characters."""
    value: str = ""
    """Canonical name, for a household word."""
    extra: float = 0.0
    """Cost it starts with (a shortened or misheard form)."""


@dataclass(frozen=True, slots=True)
class Span:
    """A word found in an utterance."""

    start: int
    end: int
    concept: str
    text: str
    """The word as the lexicon writes it."""
    cost: float
    value: str = ""
    exact: bool = False
    """Found in its own characters."""


@lru_cache(maxsize=16384)
def plain(char: str) -> str:
    """The usual reading of one character."""
    return next(iter(syllables(char)), "")


@dataclass(slots=True)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    words: tuple[Word, ...] = ()
    longest: int = 0
    """Syllables of the longest word that passes here."""
    budget: float = 0.0
    """How much its sound may differ."""


class Lexicon:
    """Words by sound."""

    def __init__(self, words: Iterable[Word], ear: Ear) -> None:
        self.ear = ear
        self._root = _Node()
        universe: set[str] = set()
        for word in words:
            readings = {syllables(word.text), tuple(plain(char) for char in word.text)}
            for reading in readings:
                if reading and len(reading) == len(word.text):  # what is no character is no sound
                    universe.update(reading)
                    self._add(reading, word)
        self._universe = tuple(sorted(universe))
        self._longest = self._root.longest
        self._begin = lru_cache(maxsize=REMEMBERED)(self._beginning)
        self._near: dict[str, tuple[tuple[str, float], ...]] = {}

    def _add(self, reading: Sequence[str], word: Word) -> None:
        node = self._root
        size = len(reading)
        for syllable in reading:
            node.longest = max(node.longest, size)
            if syllable not in node.children:
                node.children[syllable] = _Node()
            node = node.children[syllable]
            node.budget = max(node.budget, _budget(size))
        node.longest = max(node.longest, size)
        node.words = (*node.words, word)

    def near(self, syllable: str) -> tuple[tuple[str, float], ...]:
        """Syllables of the lexicon that `syllable` may stand for, with their distance."""
        known = self._near.get(syllable)
        if known is None:
            known = self._near[syllable] = tuple(self.ear.near(syllable, self._universe, NEAR))
        return known

    def find(self, text: str, sounds: Sequence[str]) -> list[Span]:
        """Every word that may stand somewhere in the utterance."""
        found: list[Span] = []
        for start in range(len(text)):
            end = start + self._longest
            here = self._begin(text[start:end], tuple(sounds[start:end]))
            found += here if start == 0 else [
                Span(start, start + one.end, one.concept, one.text, one.cost, one.value, one.exact) for one in here
            ]
        return found

    def _beginning(self, text: str, sounds: tuple[str, ...]) -> tuple[Span, ...]:
        """The words that may begin `text`. Remembered: hypotheses of one utterance are mostly the same words."""
        best: dict[tuple[int, int, str, str], Span] = {}
        stack = [(self._root, 0, 0.0)]
        while stack:
            node, at, cost = stack.pop()
            for word in node.words:
                self._take(best, word, text, 0, at, cost)
            if at == len(text):
                continue
            for syllable, far in self._choices(text[at], sounds[at]):
                child = node.children.get(syllable)
                if child is not None and cost + far <= child.budget:
                    stack.append((child, at + 1, cost + far))
        return tuple(best.values())

    def _choices(self, char: str, sound: str) -> tuple[tuple[str, float], ...]:
        usual = plain(char)
        return self.near(sound) if usual == sound else (*self.near(sound), *self.near(usual))

    def _take(
        self, best: dict[tuple[int, int, str, str], Span], word: Word, text: str, start: int, end: int, cost: float,
    ) -> None:
        size = end - start
        said = text[start:end]
        same = said == word.text
        if word.exact and not same:
            return
        if not same:
            if cost > BUDGET[min(size, len(BUDGET) - 1)]:
                return
            differ = sum(one != other for one, other in zip(said, word.text, strict=True))
            cost += differ * HOMOPHONE[min(size, 2)]
        else:
            cost = 0.0
        cost = (cost + word.extra) / (1.0 + 0.25 * (size - 1))
        key = (start, end, word.concept, word.value)
        if key not in best or best[key].cost > cost:
            best[key] = Span(start, end, word.concept, word.text, cost, word.value, same)


def _budget(size: int) -> float:
    return BUDGET[min(size, len(BUDGET) - 1)]


@dataclass(slots=True)
class Utterance:
    """What was said, with everything known found in it."""

    text: str
    """Characters only."""
    sounds: tuple[str, ...]
    spans: list[Span]
    concepts: dict[str, list[Span]] = field(default_factory=dict)
    weights: list[float] = field(default_factory=list)
    """How much each syllable says: 0 a filler … 1 a word of its own."""
    turning: list[Span] = field(default_factory=list)
    """Words that turn the sentence round."""
    taken_back: list[tuple[int, int]] = field(default_factory=list)
    """Places that were corrected and no longer count."""
    bare: frozenset[int] = frozenset()
    """Positions of 没 不 别 that are no part of a word like 没关系."""
    hidden: frozenset[int] = frozenset()
    """Positions that sound like a word that turns a sentence round, and are written as another."""
    borders: frozenset[str] = frozenset()
    """Where a comma was typed: the two characters before it and the two behind. Nobody says one."""

    @property
    def total(self) -> float:
        return sum(self.weights)


def survey(
    text: str, sounds: tuple[str, ...], found: Iterable[Span], polar: frozenset[str], through: frozenset[str] = frozenset(),
) -> Utterance:
    """An `Utterance` of the spans `found`: what a longer word contains does not count, each syllable gets its weight."""
    spans = _shadowed(list(found), through)
    concepts: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        concepts[span.concept].append(span)
    weights = [1.0] * len(text)
    known = [False] * len(text)
    light = [1.0] * len(text)
    for span in spans:
        weight = LIGHT.get(span.concept)
        for at in range(span.start, span.end):
            if weight is None:
                known[at] = known[at] or span.cost < 0.1
            elif span.cost < 0.1:
                light[at] = min(light[at], weight)
    for at in range(len(text)):
        weights[at] = light[at]
    turning = [span for span in concepts.get(TURNING, ()) if span.cost < 0.1]
    for span in turning:
        for at in range(span.start, span.end):
            weights[at] = 1.0
    shadow = {at for span in spans if span.end - span.start > 1 and span.exact for at in range(span.start, span.end)}
    hidden = frozenset(
        at for at, sound in enumerate(sounds)
        if sound in polar and at not in shadow and not any(span.start <= at < span.end for span in turning)
    )
    quiet = {at for span in spans if span.exact and span.end - span.start > 1 and span.concept in QUIET for at in range(span.start, span.end)}
    bare = frozenset(at for at, char in enumerate(text) if char in "没不别甭莫" and at not in quiet)
    for concept, opens in OPENING.items():
        first = [span for span in concepts.get(concept, ()) if span.exact and span.cost < 0.1 and max(weights[:span.start], default=0.0) <= LIGHT["SOFT"]]
        if first:
            concepts[opens] = first[:1]
    return Utterance(text, sounds, spans, dict(concepts), weights, turning, bare=bare, hidden=hidden)


def _shadowed(spans: list[Span], through: frozenset[str]) -> list[Span]:
    """Without the spans that lie inside a longer one found at least as surely, or that only sound alike and lie across
    words found in their own characters."""
    sure = [span for span in spans if span.exact and span.end - span.start > 1 and span.concept not in ("SOFT", "FILLER", "{number}")]
    spans = [
        span for span in spans
        if span.exact or not any(
            span.start < other.end and other.start < span.end
            and (not (span.start <= other.start and other.end <= span.end)
                 or (span.cost > 0.1 and (span.start, span.end) == (other.start, other.end)))
            for other in sure
        )
    ]
    begins = defaultdict(set)
    for span in sure:
        begins[span.start].add(span.end)
    spans = [span for span in spans if span.end - span.start != 2 or not _across(span, sure, begins)]
    by_size = sorted(spans, key=lambda span: span.start - span.end)
    kept: list[Span] = []
    cover: list[tuple[int, int, float, str, bool]] = []
    for span in by_size:
        size = span.end - span.start
        inside = any(
            start <= span.start and span.end <= end and end - start > size and cost <= span.cost + 0.04
            and concept != "SOFT" and not _transparent(concept, span.concept, frozenset() if turns else through)
            for start, end, cost, concept, turns in cover
        )
        if not inside:
            kept.append(span)
            turned = turns(span.text) and span.concept not in ("FILLER", "POLITE")
            cover.append((span.start, span.end, span.cost, span.concept, turned))
    return sorted(kept, key=lambda span: (span.start, span.end))


def _across(span: Span, sure: Sequence[Span], begins: Mapping[int, set[int]]) -> bool:
    """Whether a word of two lies across the seam of two others: 上回 in 晚上|回来."""
    if turns(span.text):
        return False
    seam = span.start + 1
    return any(end >= span.end for end in begins.get(seam, ())) and any(
        other.end == seam and other.start < span.start for other in sure
    )


def _transparent(outer: str, inner: str, through: frozenset[str]) -> bool:
    """Whether a word of `outer` lets words of `inner` inside it count."""
    return inner in ("FILLER", "SOFT", "ME", "SELF") or (inner in through and outer[0] != "{" and outer not in ("NEUTRAL", "IDIOM")) or (outer in ("FILLER", "POLITE") and inner not in ("QUESTION", TURNING))


# --- frames -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fit:
    """How well one frame or template fits."""

    intent: str
    score: float
    by: str
    """The line that fits, as written."""
    spans: tuple[Span, ...] = ()
    kind: str = "frame"
    bans: frozenset[str] = frozenset()
    """Concepts that a frame does not stand beside."""


def rarest_needs(frames: Sequence[Frame]) -> Iterator[tuple[str, Frame]]:
    """Each frame with every concept of the one of its needs that the fewest frames share."""
    uses = Counter(concept for frame in frames for need in frame.needs for concept in need)
    for frame in frames:
        rarest = min(frame.needs, key=lambda need: sum(uses[concept] for concept in need))
        yield from ((concept, frame) for concept in rarest)


class Frames:
    """Frames by the rarest thing they need."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._by_concept: dict[str, list[Frame]] = defaultdict(list)
        for concept, frame in rarest_needs(list(frames)):
            self._by_concept[concept].append(frame)

    def candidates(self, said: Utterance, asking: str) -> Iterator[Frame]:
        """Frames whose rarest need is there."""
        seen: set[int] = set()
        for concept in said.concepts:
            for frame in self._by_concept.get(concept, ()):
                if id(frame) not in seen and frame.asking in ("", asking):
                    seen.add(id(frame))
                    yield frame


def certain(span: Span) -> bool:
    """Whether a word stands there in its own characters, or is too long to sound so by chance."""
    return span.exact or (span.cost < SURE and span.end - span.start > 2)


def holds(
    frame: Frame, said: Utterance, dearest: float = 1.0, accept: Callable[[Span], bool] | None = None,
) -> tuple[Span, ...] | None:
    """The words that fill what the frame needs, cheapest first; None if it does not hold.

    `dearest`: words found at a higher cost do not count, nor those that `accept` refuses.
    """
    concepts = said.concepts
    for concept in frame.bans:
        if any(span.cost < SURE for span in concepts.get(concept, ())):
            return None
    choices: list[list[Span]] = []
    for need in frame.needs:
        spans = [span for concept in need for span in concepts.get(concept, ()) if span.cost <= dearest and (accept is None or accept(span))]
        if not frame.polar:
            spans = [span for span in spans if not _negated(span, said)]
        if not spans:
            return None
        spans.sort(key=lambda span: (span.cost, span.start - span.end, span.start))
        choices.append(spans[:6])
    return _assign(frame, choices)


def _assign(frame: Frame, choices: Sequence[Sequence[Span]]) -> tuple[Span, ...] | None:
    """One span for each need, no two on the same syllables, in the order the frame wants."""

    def step(taken: tuple[Span, ...]) -> tuple[Span, ...] | None:
        if len(taken) == len(choices):
            return taken
        for span in choices[len(taken)]:
            if any(span.start < other.end and other.start < span.end for other in taken):
                continue
            grown = (*taken, span)
            if all(_ordered(grown[i], grown[j], touching) for i, j, touching in frame.order if max(i, j) < len(grown)):
                done = step(grown)
                if done is not None:
                    return done
        return None

    return step(())


def _ordered(one: Span, other: Span, touching: bool) -> bool:
    return one.end <= other.start and (not touching or other.start - one.end <= 1)


COMPLEMENT_OF = frozenset(("", *"听看说走起洗动睡做记认找站坐爬抬喘跟赶买拿要差好对"))
COMPLEMENT = frozenset("听看说走起洗动睡做记认找站坐爬抬喘跟赶买拿")
"""After these verbs 不 belongs to the verb (听不清, 看不见) and turns nothing that follows."""


def turns(word: str) -> bool:
    """Whether a word may turn a sentence round."""
    return any(char in "没不别甭莫" for char in word)


REACHING = frozenset("没不有要用想能许必得是再肯愿意会过敢让别莫甭")
"""A longer word that turns a sentence round and ends otherwise (别催) holds its own verb and reaches no further."""


def _negated(span: Span, said: Utterance) -> bool:
    """Whether a word that turns the sentence round stands at `span`: before it with at most one syllable between."""
    before = span.start - 1
    if before >= 0 and said.text[before] in "没不别甭莫" and before in said.bare and not (said.text[before] == "不" and said.text[before - 1:before] in COMPLEMENT_OF):
        return True
    for turn in said.turning:
        if (turn.start >= span.start and turn.end <= span.end) or (len(turn.text) > 1 and turn.text[-1] not in REACHING):
            continue
        if turn.text == "不" and turn.start > 0 and said.text[turn.start - 1] in COMPLEMENT:
            continue
        gap = span.start - turn.end
        if 0 <= gap <= 1 or (gap == 2 and all(said.weights[at] < 0.2 for at in range(turn.end, span.start))):
            return True
    return False


SPREAD = {1: 0.68, 2: 0.48, 3: 0.36}
"""How much a frame of 1, 2, 3 and more needs loses when it explains nothing of the rest."""
RECALL = {"emergency.call": 0.6}
"""Intents that lose less: one in need rambles, and guards keep the rest out."""


def fit(frame: Frame, said: Utterance, explains: frozenset[str], loose: bool) -> Fit | None:
    """How well `frame` fits: its words' sound, and how much of the sentence it explains.

    `explains`: slots of the intent; their spans count as explained. `loose`: the intent has a free slot, so the rest
    of the sentence weighs little.
    """
    spans = holds(frame, said)
    if spans is None:
        return None
    explained = [False] * len(said.text)
    chosen = list(spans)
    for concept in (*frame.may, *explains):
        chosen += [span for span in said.concepts.get(concept, ()) if span.cost < 0.3]
    for need in frame.needs:
        for concept in need:
            chosen += [span for span in said.concepts.get(concept, ()) if span.cost < 0.2]
    for span in chosen:
        for at in range(span.start, span.end):
            explained[at] = True
    rest = sum(weight for weight, done in zip(said.weights, explained, strict=True) if not done)
    polar = frame.polar or any(turns(span.text) for span in spans)
    turned = sum(
        1.0 for span in said.turning if not polar and not all(explained[at] for at in range(span.start, span.end))
    )
    if frame.whole and rest > 0.6:
        return None
    if loose:
        rest *= 0.2
        turned = 0.0
    total = max(said.total, 1.0)
    cost = sum(span.cost for span in spans)
    share = min(1.0, (rest + 0.3 * turned) / max(total, 3.0))
    doubt = 0.9 * cost if cost <= 0.1 else 1.5 * cost
    score = frame.strength * max(0.0, 1.0 - doubt) * (1.0 - SPREAD[min(3, len(frame.needs))] * RECALL.get(frame.intent, 1.0) * share)
    return Fit(frame.intent, score, frame.text, spans, bans=frame.bans)


# --- templates ----------------------------------------------------------------------------------------------------

ENOUGH = 10
"""Templates aligned for one utterance; measured: the right one is among the first 6 in 99.6 % of the examples."""
FAINT = 0.3
"""Templates with less than this share of the best one's votes are not aligned."""
SKIP = 0.7
"""Cost of a syllable of the utterance that the template does not have, times its weight."""
DROP = 0.85
"""Cost of a syllable of the template that was not said."""
DROP_BESIDE_FREE = 1.5
"""The same in a template with a free slot: its own few syllables are all there is to know it by."""
BOUND = 2.2
"""Alignments dearer than this are given up."""
WORTH = 0.55
"""And those whose score would be less than 1 − this: they could not even ask back."""
STRANGE = 0.85
"""Cost of an unknown word where a medicine stands, beside 0.12 for each of its syllables."""
EASY = {**dict.fromkeys("的呢吧啊呀啦嘛个把给那这我你请儿哦嗯", 0.12), **dict.fromkeys("了都也一下去来得地过", 0.45)}
"""Characters of templates that may be missing for less."""
VOTES = 900
"""Entries of the inverted index read for one utterance, rarest pairs first: so ten times the phrases cost no more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the alignments of one utterance share."""

    scale: float
    """Cost that makes the score 0."""
    bound: float
    """Alignments from this cost on are given up."""
    skip: list[float]
    """Cost of leaving out each syllable of the utterance."""
    slots: Mapping[str, Mapping[int, Sequence[tuple[int, float]]]]
    near: tuple[int, ...]
    """Syllables of the index each syllable of the utterance may stand for, as bits."""
    rows: Mapping[str, Mapping[int, float]]
    """Syllable of the index → places of the utterance it may stand at, and at what cost."""
    present: frozenset[str]
    """Syllables and {slot}s that something in the utterance may stand for."""

    def score(self, cost: float) -> float:
        """What a cost means for a sentence of this length: the same mistake weighs less in a long one."""
        return max(0.0, 1.0 - cost / self.scale)


_NOWHERE: Mapping[int, float] = {}
ROUNDING = 1e-9
"""A way is given up early only where it is this much too dear: costs added up in another order differ in the last digits."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A template made ready to be aligned."""

    graph: Graph
    sounds: tuple[str, ...]
    """Syllable of each node, or its {slot}."""
    drops: tuple[float, ...]
    """What it costs when nothing said stands for the node; of a slot the least that other words in its place do."""
    syllables: frozenset[str]
    slots: frozenset[str]
    open: bool
    """Any words fit into one of its slots."""
    shortest: int
    """Syllables of the shortest sentence it makes."""

    def owed(self, present: frozenset[str]) -> tuple[float, list[float]]:
        """The least that leaving out costs where only the sounds and slots of `present` were said: in all, and behind each node.

        It knows nothing of their order and so costs a tenth of an alignment.
        """
        behind = [BOUND] * len(self.sounds)
        behind[-1] = 0.0
        whole = BOUND
        for node in range(len(self.sounds) - 1, -1, -1):
            owing = behind[node]
            if self.sounds[node] not in present:
                owing += self.drops[node]
            for earlier in self.graph.before[node]:
                if earlier == START:
                    whole = min(whole, owing)
                elif owing < behind[earlier]:
                    behind[earlier] = owing
        return whole, behind

    def pairs(self, fold: Callable[[str], str]) -> Iterator[tuple[str, str]]:
        """Folded sounds that may stand side by side in a sentence of it, ^ before the first and $ behind the last."""
        ways_out: list[frozenset[str]] = []
        for sound, before in zip(self.sounds, self.graph.before, strict=True):
            arriving = frozenset().union(*(_BEGIN if earlier == START else ways_out[earlier] for earlier in before))
            if sound == JOINT:
                ways_out.append(arriving)
                continue
            here = fold(sound)
            yield from ((earlier, here) for earlier in arriving)
            ways_out.append(frozenset((here,)))
        yield from ((last, "$") for last in ways_out[-1])


_BEGIN = frozenset("^")


def _line(template: Template, polar: frozenset[str]) -> _Line:
    graph = small(template)
    sounds = tuple(token if token == JOINT or token[0] == "{" else plain(token) for token in graph.tokens)
    slots = frozenset(token for token in graph.tokens if token[:1] == "{")
    drop = DROP if FREE.isdisjoint(slots) else DROP_BESIDE_FREE
    drops = tuple(_drop(token, sound, drop, polar) for token, sound in zip(graph.tokens, sounds, strict=True))
    return _Line(graph, sounds, drops, frozenset(sounds) - slots - {JOINT}, slots, not FREE.isdisjoint(slots), _shortest(graph))


def _drop(token: str, sound: str, usual: float, polar: frozenset[str]) -> float:
    """What a node costs that nothing stands for."""
    if token == JOINT or token in FREE:
        return 0.0
    if token == "{medicine}":
        return STRANGE
    if token[0] == "{" or (turns(token) and sound in polar):
        return BOUND
    return EASY.get(token, usual)


class _Row(NamedTuple):
    """Templates with one pair of syllables."""

    place: int
    """Among all rows, the rarest first."""
    weight: float
    """Vote for each of them."""
    numbers: tuple[int, ...]
    edge: frozenset[int]
    """The same of a pair with ^ or $, else nothing."""


class Index:
    """Pairs of syllables → templates."""

    def __init__(self, templates: Sequence[Template], ear: Ear) -> None:
        self.templates = templates
        self.ear = ear
        self.fold = _Fold(ear)
        self._lines = [_line(template, ear.polar) for template in templates]
        rows: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, line in enumerate(self._lines):
            for pair in set(line.pairs(self.fold)):
                rows[pair].append(number)
        self._bit = {sound: place for place, sound in enumerate(sorted({sound for line in self._lines for sound in line.syllables}))}
        self._masks = [_mask(self._bit[sound] for sound in line.syllables) for line in self._lines]
        self._near: dict[str, tuple[int, tuple[tuple[str, float], ...]]] = {}
        self._sizes = [4.0 + line.shortest for line in self._lines]
        self._asked = [template.asking for template in templates]
        self._rows = {
            pair: _Row(place, log(1 + len(templates) / len(numbers)), tuple(numbers), frozenset(numbers if "^" in pair or "$" in pair else ()))
            for place, (pair, numbers) in enumerate(sorted(rows.items(), key=lambda row: (len(row[1]), row[0])))
        }

    def candidates(self, said: Utterance, asking: str) -> list[int]:
        """Numbers of the templates most likely to fit."""
        fold = self.fold
        steps: list[dict[int, tuple[str, ...]]] = [{} for _ in range(len(said.text) + 1)]
        for at, sound in enumerate(said.sounds):
            steps[at].setdefault(at + 1, ())
            steps[at][at + 1] = (*steps[at][at + 1], fold(sound))
        for span in said.spans:
            if span.concept[0] == "{" and span.cost < 0.5:
                steps[span.start].setdefault(span.end, ())
                steps[span.start][span.end] = (*steps[span.start][span.end], span.concept)
                if span.concept in SAME_SLOT:
                    steps[span.start][span.end] += SAME_SLOT[span.concept]
        pairs: set[tuple[str, str]] = set()
        size = len(said.text)
        content = [at for at in range(size) if said.weights[at] > 0.05]
        for start in range(size):
            for end, tokens in steps[start].items():
                for token in tokens:
                    if not content or start <= content[0]:
                        pairs.add(("^", token))
                    if not content or end > content[-1]:
                        pairs.add((token, "$"))
                    after = end
                    while after < size:
                        for following in steps[after].values():
                            pairs.update((token, other) for other in following)
                        if said.weights[after] > 0.05:
                            break
                        after += 1
        votes: dict[int, float] = defaultdict(float)
        budget = VOTES
        for row in sorted(self._rows[pair] for pair in pairs if pair in self._rows):
            weight = row.weight
            for number in row.numbers:
                votes[number] += weight
            budget -= len(row.numbers)
            if budget < 0:
                break
        sizes, asked = self._sizes, self._asked
        worth = {number: vote / sizes[number] for number, vote in votes.items() if not asked[number] or asked[number] == asking}
        least = FAINT * max(worth.values(), default=0.0)
        return nlargest(ENOUGH, (number for number, value in worth.items() if value >= least), key=worth.__getitem__)

    def edges(self, said: Utterance) -> tuple[frozenset[int], frozenset[int]]:
        """Places where the next two syllables begin a phrase, and places where the last two end one."""
        tokens: list[list[tuple[int, str]]] = [[(at + 1, self.fold(sound))] for at, sound in enumerate(said.sounds)]
        for span in said.spans:
            if span.concept[0] == "{" and span.cost < 0.1:
                tokens[span.start] += [(span.end, name) for name in (span.concept, *SAME_SLOT.get(span.concept, ()))]
        size = len(said.text)
        begins, ends = set(), set()
        for start, here in enumerate(tokens):
            for middle, one in here:
                for end, other in tokens[middle] if middle < size else ():
                    row = self._rows.get((one, other))
                    if row is None:
                        continue
                    first, last = self._rows.get(("^", one)), self._rows.get((other, "$"))
                    if first is not None and not first.edge.isdisjoint(row.numbers):
                        begins.add(start)
                    if last is not None and not last.edge.isdisjoint(row.numbers):
                        ends.add(end)
        return frozenset(begins), frozenset(ends)

    def limits(self, said: Utterance) -> Limits:
        """What all alignments of one utterance share."""
        text = said.text
        scale = _scale(said)
        skip = [
            (SKIP * weight if weight > 0.05 else 0.01) for weight in said.weights
        ]
        for turn in said.turning:
            for at in range(turn.start, turn.end):
                skip[at] = BOUND
        for at, char in enumerate(text):
            if char in "没不别甭莫" and said.weights[at] >= 0.9:
                skip[at] = BOUND
        for at in said.hidden:
            skip[at] = BOUND
        rows: dict[str, dict[int, float]] = {}
        near = []
        for at, sound in enumerate(said.sounds):
            bits, others = self._near_to(sound)
            near.append(bits)
            for other, far in others:
                rows.setdefault(other, {})[at] = far
        slots = _slot_spans(said)
        present = frozenset((*rows, *slots, *(self.ear.polar if said.hidden else ())))
        return Limits(scale, min(BOUND, WORTH * scale), skip, slots, tuple(near), rows, present)

    def _near_to(self, sound: str) -> tuple[int, tuple[tuple[str, float], ...]]:
        """Syllables of the index that one may stand for: as bits, and with what another character of that sound costs."""
        known = self._near.get(sound)
        if known is None:
            others = tuple((other, far or 0.02) for other, far in self.ear.near(sound, self._bit, NEAR))
            known = self._near[sound] = (_mask(self._bit[other] for other, _ in others), others)
        return known

    def _unsaid(self, number: int, said: Utterance, limits: Limits, unknown: bool) -> list[int] | None:
        """Places of the utterance that nothing in the template can stand for, None where any word may.

        They are left out in every alignment, so what that costs is known beforehand.
        """
        slots = self._lines[number].slots
        if self._lines[number].open or (unknown and "{medicine}" in slots):
            return None
        mask = self._masks[number]
        places = [at for at, near in enumerate(limits.near) if not near & mask and at not in said.hidden]
        if places and slots:
            filled = {at for slot in slots for start, ends in limits.slots.get(slot, {}).items() for end, _ in ends for at in range(start, end)}
            places = [at for at in places if at not in filled]
        return places

    def align(self, number: int, said: Utterance, limits: Limits, bound: float, unknown: bool = True) -> float | None:
        """Cost of saying the utterance by template `number`, or None from `bound` on.

        `unknown`: a medicine this home does not know may stand for {medicine}.
        """
        line = self._lines[number]
        size = len(said.text)
        text, skip, slots, rows = said.text, limits.skip, limits.slots, limits.rows
        paid = 0.0
        unsaid = self._unsaid(number, said, limits, unknown)
        if unsaid:
            paid = sum(skip[at] for at in unsaid)
            if paid >= bound:
                return None
            skip = skip.copy()
            for at in unsaid:
                skip[at] = 0.0
            bound -= paid
        owed, behind = line.owed(limits.present)
        if owed >= bound:
            return None
        begin = _skipped({0: 0.0}, skip, size, bound)
        after: list[dict[int, float]] = []
        for token, sound, drop, before, owing in zip(line.graph.tokens, line.sounds, line.drops, line.graph.before, behind, strict=True):
            worth = bound - owing + ROUNDING
            if token == JOINT:
                after.append(_met([begin if earlier == START else after[earlier] for earlier in before], worth))
                continue
            entering = begin if before[0] == START else after[before[0]]
            if not entering or worth <= 0.0:
                after.append({})
                continue
            if token[0] == "{":
                leaving: dict[int, float] = {}
                self._slot(token, entering, leaving, slots, said, skip, worth, unknown)
            else:
                leaving = {at: total for at, cost in entering.items() if (total := cost + drop) < worth}
                row = self._turned(sound, said) if drop == BOUND else rows.get(sound, _NOWHERE)
                for at, far in row.items():
                    cost = entering.get(at, worth)
                    total = cost if text[at] == token else cost + far
                    if total < leaving.get(at + 1, worth):
                        leaving[at + 1] = total
            after.append(_skipped(leaving, skip, size, worth) if leaving else leaving)
        least = after[-1].get(size, bound)
        return least + paid if least < bound else None

    def _turned(self, sound: str, said: Utterance) -> Mapping[int, float]:
        """Where a 没 or 不 of a template may stand: at its own sound, or where one may be hidden."""
        return {**{at: 0.02 for at, other in enumerate(said.sounds) if other == sound}, **dict.fromkeys(said.hidden, 0.3)}

    def _slot(
        self, token: str, entering: Mapping[int, float], leaving: dict[int, float],
        slots: Mapping[str, Mapping[int, Sequence[tuple[int, float]]]], said: Utterance, skip: Sequence[float],
        bound: float, unknown: bool,
    ) -> None:
        size = len(said.text)
        spans = slots.get(token, {})
        for at, cost in entering.items():
            for end, extra in spans.get(at, ()):
                if cost + extra < leaving.get(end, bound):
                    leaving[end] = cost + extra
            if token in FREE:
                for end in range(at + 1, size + 1):
                    price = cost + (0.15 if end - at > 1 else 0.6) + 0.02 * (end - at)
                    if price < leaving.get(end, bound):
                        leaving[end] = price
            elif unknown and token == "{medicine}":
                # A medicine the household does not know: the intent is still meant. (Unknown people and services
                # are known words without an owner, see slots.py: any word at all would book and ring for a dog.)
                for end in range(at + 1, min(size, at + 5) + 1):
                    if any(step >= BOUND for step in skip[at:end]):
                        break
                    price = cost + STRANGE + 0.12 * (end - at)
                    if price < leaving.get(end, bound):
                        leaving[end] = price


SAME_SLOT = {"{when}": ("{day}",), "{day}": ("{when}",), "{number}": ("{amount}", "{value}", "{systolic}", "{diastolic}")}
"""A span found as one slot that templates may call by another name."""


def _slot_spans(said: Utterance) -> dict[str, dict[int, list[tuple[int, float]]]]:
    found: dict[str, dict[int, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    for span in said.spans:
        if span.concept[0] == "{":
            for name in (span.concept, *SAME_SLOT.get(span.concept, ())):
                found[name][span.start].append((span.end, span.cost))
    return found


def _skipped(row: dict[int, float], skip: Sequence[float], size: int, bound: float) -> dict[int, float]:
    """`row` and where one gets from it by leaving out syllables of the utterance."""
    for start in sorted(row):
        at, cost = start, row[start]
        while at < size:
            cost += skip[at]
            at += 1
            if cost >= row.get(at, bound):
                break
            row[at] = cost
    return row


def _shortest(graph: Graph) -> int:
    """Syllables of the shortest sentence the graph makes."""
    least: list[int] = []
    for token, before in zip(graph.tokens, graph.before, strict=True):
        least.append((token != JOINT) + min(0 if earlier == START else least[earlier] for earlier in before))
    return least[-1]


def _met(rows: Sequence[dict[int, float]], bound: float) -> dict[int, float]:
    """The cheapest way to each place of the utterance among `rows`."""
    met: dict[int, float] = {}
    for row in rows:
        for at, cost in row.items():
            if cost < met.get(at, bound):
                met[at] = cost
    return met


def _scale(said: Utterance) -> float:
    """A time or a number says one thing however many syllables it has."""
    measured = {at for name in ("{when}", "{day}", "{duration}", "{number}") for span in said.concepts.get(name, ())
                for at in range(span.start + 1, span.end)}
    return max(1.6, 0.55 * sum(weight for at, weight in enumerate(said.weights) if at not in measured) + 0.5)


def _mask(places: Iterable[int]) -> int:
    """Bits set at `places`."""
    mask = 0
    for place in places:
        mask |= 1 << place
    return mask


class _Fold:
    """Syllables the ear hardly tells apart under one name, for the index."""

    def __init__(self, ear: Ear) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, syllable: str) -> str:
        known = self._known.get(syllable)
        if known is None:
            known = syllable
            if syllable[:1] != "{" and syllable not in ("^", "$"):
                for old, new in (("zh", "z"), ("ch", "c"), ("sh", "s")):
                    if known.startswith(old):
                        known = new + known[2:]
                if known.startswith("n") and known not in ("n", "ng"):
                    known = "l" + known[1:]
                if known.endswith("ng"):
                    known = known[:-1]
            self._known[syllable] = known
        return known
