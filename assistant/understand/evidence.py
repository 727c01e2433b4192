"""What the sounds of a sentence say for each intent when no phrase and no frame fits closely: log-odds of short runs of syllables.

A naive Bayes model (multinomial, smoothed) over runs of one, two and three syllables, with this home's names, times and
numbers as one token each. It is estimated at load from sentences walked out of the templates and from the must_not sentences
(the class of no intent), never from examples. It ranks and lifts what is in the grey zone; it sees no negation and no syntax.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import exp, log, tanh

from assistant.understand.matcher import FREE, Utterance, plain
from assistant.understand.phrasebook import Phrasebook
from assistant.understand.sampling import walks

WALKS = 12
"""Sentences from one template; 16 gave the same ranking on the dev sentences."""
SMOOTH = 1e-4
"""Share of a run a class has never seen."""
PAIR = 0.7
"""Weight of a run of two or three, which repeats what its syllables said."""
SAME_TOKEN = {
    "{day}": "{when}", "{amount}": "{number}", "{value}": "{number}", "{systolic}": "{number}", "{diastolic}": "{number}",
}
SLOTS = ("{person}", "{medicine}", "{service}", "{when}", "{duration}", "{number}", *SAME_TOKEN, *sorted(FREE))
UNSAID = frozenset("的呢吧啊呀啦嘛个把给那这请儿哦嗯了就都")
"""Characters that say nothing for an intent."""


@dataclass(frozen=True, slots=True)
class Odds:
    """Evidence for every intent in one sentence, natural logarithm, against the average sentence."""

    of: Mapping[str, float]
    top: str
    """The intent with most, or "" when the sentence is most like one that must not act."""
    margin: float
    """By how much it leads."""

    def support(self, intent: str) -> float:
        """Evidence for an intent, less by half of what another has more, and by all that speaks for none at all."""
        own = self.of.get(intent, 0.0)
        return own - max(0.0, self.of.get("", 0.0)) - 0.5 * max(0.0, self.of[self.top] - own)

    def alone(self) -> float:
        """Score of a reading that nothing else speaks for, 0…0.7: 0.46 (asks) at 12.8, 0.62 (acts) at 26."""
        return 0.7 * (1.0 - exp(-max(0.0, min(self.of[self.top], self.margin)) / 12.0)) if self.top else 0.0


def moved(score: float, support: float, strength: float, middle: float) -> float:
    """`score` after evidence: its logit goes up or down by at most `strength`."""
    score = min(max(score, 0.01), 0.999)
    return 1.0 / (1.0 + exp(-(log(score / (1.0 - score)) + strength * tanh((support - middle) / 8.0))))


class Evidence:
    """Runs of syllables → log-odds."""

    def __init__(self, book: Phrasebook, fold: Callable[[str], str]) -> None:
        self._fold = fold
        seen: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
        stand_in = {slot: chr(0xE000 + place) for place, slot in enumerate(SLOTS)}
        slot_of = {char: slot for slot, char in stand_in.items()}
        fills = {slot: (char,) for slot, char in stand_in.items()}

        def learn(intent: str, sentence: str) -> None:
            tokens = []
            for char in sentence:
                if (slot := slot_of.get(char)) is not None:
                    if slot not in FREE:
                        tokens.append(SAME_TOKEN.get(slot, slot))
                elif char not in UNSAID and "\u3400" <= char <= "\u9fff":
                    tokens.append(fold(plain(char)))
            seen[intent].update(_runs(tokens))

        for template in book.templates:
            if not template.asking and not template.intent.startswith("dialogue."):
                for sentence in islice(walks(template, fills), WALKS):
                    learn(template.intent, sentence)
        for cry in book.distress:
            learn("emergency.call", cry)
        for _, sentence in book.must_not:
            learn("", sentence)
        seen.setdefault("", Counter())
        everywhere: Counter[tuple[str, ...]] = Counter()
        for counts in seen.values():
            everywhere.update(counts)
        size = {intent: max(1, counts.total()) for intent, counts in seen.items()}
        total = max(1, everywhere.total())
        rows: dict[tuple[str, ...], tuple[float, list[tuple[str, float]]]] = {}
        for run, count in everywhere.items():
            weight = 1.0 if len(run) == 1 else PAIR
            average = count / total + SMOOTH
            absent = weight * log(SMOOTH / average)
            rows[run] = (absent, [])
            for intent, counts in seen.items():
                if run in counts:
                    rows[run][1].append((intent, weight * log((counts[run] / size[intent] + SMOOTH) / average) - absent))
        self._rows = rows
        self._intents = tuple(seen)

    def weigh(self, said: Utterance) -> Odds:
        """What the utterance's syllables say."""
        odds = dict.fromkeys(self._intents, 0.0)
        base = 0.0
        for run in _runs(self._tokens(said)):
            row = self._rows.get(run)
            if row is not None:
                base += row[0]
                for intent, more in row[1]:
                    odds[intent] += more
        odds = {intent: value + base for intent, value in odds.items()}
        order = sorted(odds, key=lambda intent: -odds[intent])
        margin = odds[order[0]] - odds[order[1]] if len(order) > 1 else 0.0
        return Odds(odds, order[0], margin)

    def _tokens(self, said: Utterance) -> list[str]:
        longest: dict[int, tuple[int, str]] = {}
        for span in said.spans:
            if span.concept[0] == "{" and span.cost < 0.2 and longest.get(span.start, (0, ""))[0] < span.end:
                longest[span.start] = (span.end, SAME_TOKEN.get(span.concept, span.concept))
        tokens = []
        at = 0
        while at < len(said.text):
            if at in longest:
                at, token = longest[at]
                tokens.append(token)
                continue
            if said.weights[at] > 0.05 and said.text[at] not in UNSAID:
                tokens.append(self._fold(said.sounds[at]))
            at += 1
        return tokens


def _runs(tokens: Sequence[str]) -> set[tuple[str, ...]]:
    """Runs of one, two and three, the ends of the sentence among them."""
    line = ("^", *tokens, "$")
    return {*((token,) for token in tokens), *zip(line, line[1:], strict=False), *zip(line, line[1:], line[2:], strict=False)}
