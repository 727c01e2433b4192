"""What the sounds and words of a whole sentence say for each intent, learned from sentences: the second opinion beside the phrases.

For every intent one logistic regression over what stands in a sentence: syllables (folded mildly) and characters alone and in runs of
two and three, two syllables around a third, known kinds of words (`concepts` of the survey) alone and one before another; names,
times and numbers of this home are one token each, so that it holds for any household. `tools/learn.py` estimates the weights from
`tools/corpus/*.txt` (sentences in the manner of elders, and what is said to others), from walks through the phrases and from the
must_not sentences, and writes `evidence.npz`. It moves scores and offers what no phrase fits; it never acts by itself where that is
dear. An intent it was never taught is left as it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from heapq import nlargest
from math import exp, log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.messages import YES_OR_NO
from assistant.understand.levels import WARY
from assistant.understand.matcher import Utterance

WEIGHTS = Path(__file__).with_name("evidence.npz")
SAME_TOKEN = {
    "{day}": "{when}", "{amount}": "{number}", "{value}": "{number}", "{systolic}": "{number}", "{diastolic}": "{number}",
}
UNSAID = frozenset("呢吧啊呀嘛儿哦嗯呃")
"""Characters that say nothing for an intent."""
DONE = frozenset("啦喽咯哒咧")
"""Characters that are 了: 吃啦 is 吃了, and 吃 alone is not."""
EMPTY_KINDS = frozenset({"FILLER", "SOFT", "NEUTRAL"})
"""Kinds of words that say nothing either."""
AHEAD = 5
"""So many kinds of words that follow one are paired with it."""
LENGTH, LONGEST = 4, 8
"""Tokens in a step of length, and the last step."""

PHRASE, SENTENCE, BOTH = 0.5, 0.8, 0.5
"""Weights of the log-odds of the phrase and of the sentence, and the constant, when the two opinions are put together."""
SENTENCE_ALONE, WITHOUT = 0.8, 0.85
"""Weight and constant where no phrase speaks for it. All five: `tools/learn.py --folds 2`."""


PLAINLY = 3.5
"""Log-odds of a sentence that no guard stops."""


@dataclass(frozen=True, slots=True)
class Odds:
    """Evidence for every intent in one sentence: natural logarithm of the odds that it is meant."""

    of: Mapping[str, float]
    """By intent, -6…6; "" is what is not for 小伴."""
    top: str
    """The likeliest, or "" when that is nothing."""
    answers: Mapping[str, float] = field(default_factory=dict)
    """Log-odds of the answers (dialogue.*), which count only while something is asked: yes and no against everything else, full against
    empty, the others (empty: that the pillbox is spoken of at all) against what is not for 小伴."""

    def expecting(self, answers: Iterable[str]) -> Odds:
        """The same beside a question that makes these likelier, but for what is dear."""
        of = {intent: min(LIMIT, odds + EXPECTED["dose"]) if intent in answers and intent not in WARY else odds for intent, odds in self.of.items()}
        return replace(self, of=of, top=max(of, key=of.__getitem__)) if of else self

    def judged(self, intent: str, score: float) -> float:
        """`score` of a phrase, 0…1, in the light of the whole sentence; as it is for an intent that was never taught."""
        if intent not in self.of:
            return score
        return probability(BOTH + PHRASE * log_odds(score) + SENTENCE * self.lead(intent))

    def alone(self, intent: str) -> float:
        """The same where no phrase speaks for it."""
        return probability(WITHOUT + SENTENCE_ALONE * self.lead(intent))

    def answer(self, asking: str) -> tuple[str, float]:
        """The likelier of yes and no beside a question, and its share; "" where the sentence is rather neither or could be both."""
        prior, apart = (EXPECTED[asking], APART) if asking == "yes_no" else (0.0, 0.0)
        yes_or_no = sorted(((self.answers[intent], intent) for intent in YES_OR_NO & self.answers.keys()), reverse=True)
        if len(yes_or_no) < 2:
            return "", 0.0
        (own, first), (other, _) = yes_or_no
        clear = own >= CLEAR_ANSWER - prior and other <= min(-CLEAR_ANSWER, own - apart)
        return (first, probability(own + prior)) if clear else ("", 0.0)

    def lead(self, intent: str) -> float:
        """Log-odds of the intent against all others together; the least there are for one that was never taught."""
        if intent not in self.of:
            return -LIMIT
        return self.of[intent] - log(sum(exp(value) for other, value in self.of.items() if other != intent))

    def first(self, count: int) -> list[tuple[str, float]]:
        """The likeliest intents, answers among them, with their log-odds."""
        return nlargest(count, (*self.of.items(), *self.answers.items()), key=lambda one: one[1])

    def plainly(self, intent: str, odds: float = PLAINLY) -> bool:
        """Whether the whole sentence is so surely meant so that a single word that speaks of others or of television is none."""
        return self.of.get(intent, -LIMIT) >= odds and max(value for other, value in self.of.items() if other != intent) <= -odds / 2

    def against(self, intent: str) -> float:
        """By how much the sentence is rather not for 小伴 than meant so; 0 for an intent that was never taught."""
        own = self.of.get(intent)
        return 0.0 if own is None else self.of.get("", -LIMIT) - own

    def rather(self, intent: str) -> float:
        """By how much something else is meant rather, nothing among it; 0 for an intent that was never taught."""
        own = self.of.get(intent)
        return 0.0 if own is None else max(value for other, value in self.of.items() if other != intent) - own


NO_OPINION = Odds({}, "")
"""Of a sentence that nobody weighed."""
CLEAR_ANSWER, APART = 1.0, 2.5
"""Log-odds of a yes that is no no, and the other way; and between the two of them where one is expected."""
EXPECTED = {"yes_no": 3.0, "dose": 2.0}
"""Log-odds that a question gives to its answers before they are heard. Of 430 yes and no of the corpus before they were learned 170 had been
lost. Where an answer about a dose leads all other intents by 1.0, and lies at most 1.0 below what is not for 小伴, 119 of 131 sentences not
yet learned were it, and 3 were for nobody."""
LIMIT = 6.0
"""Log-odds beyond which nothing is surer."""


def probability(odds: float) -> float:
    """Of log-odds."""
    return 1.0 / (1.0 + exp(-odds))


def log_odds(share: float) -> float:
    """Of a probability, kept finite."""
    share = min(max(share, 0.02), 0.995)
    return log(share / (1.0 - share))


class _Sparse:
    """A table of small whole numbers, nine in ten of them 0, without those: 4 MB for 13."""

    def __init__(self, table: NDArray[np.int8]) -> None:
        """`table`: at most 256 columns."""
        kept = table != 0
        self._columns = np.broadcast_to(np.arange(table.shape[1], dtype=np.uint8), table.shape)[kept]
        self._values = table[kept]
        self._starts = np.zeros(len(table) + 1, dtype=np.int32)
        np.cumsum(kept.sum(axis=1), out=self._starts[1:])
        self._width = table.shape[1]

    def sums(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """The sum of each column over `rows`."""
        starts = self._starts[rows]
        sizes = self._starts[rows + 1] - starts
        behind = np.cumsum(sizes)
        places = np.repeat(starts - behind + sizes, sizes) + np.arange(sizes.sum())
        return np.bincount(self._columns[places], self._values[places], self._width).astype(np.float64)


class Evidence:
    """The learned weights."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        """Reads what `tools/learn.py` wrote; about 5 MB in memory."""
        with np.load(path) as file:
            self.intents: tuple[str, ...] = tuple(str(name) for name in file["intents"])
            self._marks: NDArray[np.uint32] = file["marks"]
            self._weights = _Sparse(file["weights"])
            self._scale: NDArray[np.float32] = file["scale"]
            self._base: NDArray[np.float32] = file["base"]

    def weigh(self, said: Utterance) -> Odds:
        """What the sentence says for every intent."""
        found = marks(said)
        sums = self._weights.sums(places_of(found, self._marks))
        values = self._base + sums * self._scale / np.sqrt(max(1, len(found)))
        values = np.clip(values, -LIMIT, LIMIT)
        of = dict(zip(self.intents, values.tolist(), strict=True))
        answers = {intent: of.pop(intent) for intent in self.intents if intent.startswith("dialogue.")}
        return Odds(of, max(of, key=of.__getitem__), answers)


@lru_cache(maxsize=1)
def learned() -> Evidence:
    """The one set of weights of this process."""
    return Evidence()


def marks(said: Utterance) -> NDArray[np.uint32]:
    """What stands in a sentence, each as a 32-bit number, ascending."""
    return np.array(sorted({zlib.crc32(mark.encode()) for mark in _marks(said)}), dtype=np.uint32)


def places_of(found: NDArray[np.uint32], known: NDArray[np.uint32]) -> NDArray[np.intp]:
    """Where the marks that are known stand in `known` (ascending); the others are left out."""
    places = np.searchsorted(known, found)
    places[places == len(known)] = 0
    kept: NDArray[np.intp] = places[known[places] == found]
    return kept


def _marks(said: Utterance) -> Iterator[str]:
    sounds, chars = _tokens(said)
    line = ("^", *sounds, "$")
    yield from (f"s{one}" for one in sounds)
    yield from (f"b{one}-{two}" for one, two in zip(line, line[1:], strict=False))
    yield from (f"t{one}-{two}-{three}" for one, two, three in zip(line, line[1:], line[2:], strict=False))
    yield from (f"k{one}-{three}" for one, three in zip(line, line[2:], strict=False))
    written = ("^", *chars, "$")
    yield from (f"c{one}" for one in chars)
    yield from (f"d{one}{two}" for one, two in zip(written, written[1:], strict=False))
    kinds = sorted({(span.start, span.concept) for span in said.spans if span.cost < 0.3 and span.concept not in EMPTY_KINDS})
    yield from (f"C{kind}" for _, kind in kinds)
    for place, (start, kind) in enumerate(kinds):
        yield from (f"D{kind}>{other}" for at, other in kinds[place + 1:place + 1 + AHEAD] if at != start)
    yield f"L{min(len(sounds) // LENGTH, LONGEST)}"


def _tokens(said: Utterance) -> tuple[Sequence[str], Sequence[str]]:
    """Syllables and characters, with names, times and numbers as one token."""
    longest: dict[int, tuple[int, str]] = {}
    for span in said.spans:
        if span.concept[0] == "{" and span.cost < 0.2 and longest.get(span.start, (0, ""))[0] < span.end:
            longest[span.start] = (span.end, SAME_TOKEN.get(span.concept, span.concept))
    sounds, chars, at = [], [], 0
    while at < len(said.text):
        if at in longest:
            at, token = longest[at]
            sounds.append(token)
            chars.append(token)
            continue
        if said.text[at] in DONE:
            sounds.append("le")
            chars.append("了")
        elif said.text[at] not in UNSAID:
            sounds.append(folded(said.sounds[at]))
            chars.append(said.text[at])
        at += 1
    return sounds, chars


@lru_cache(maxsize=2048)
def folded(syllable: str) -> str:
    """One syllable as most accents say it: zh, ch, sh as z, c, s; ang, eng, ing as an, en, in."""
    syllable = syllable.replace("zh", "z").replace("ch", "c").replace("sh", "s")
    return syllable[:-1] if syllable.endswith("ng") and syllable[-3:-2] in ("a", "e", "i") else syllable
