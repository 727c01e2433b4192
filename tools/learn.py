"""Learn the second opinion of the understanding from sentences: `tools/corpus/*.txt` → `assistant/understand/evidence.npz`.

    make learn                      or: python tools/learn.py     (some minutes; needs scikit-learn, `make learn` installs it)
    python tools/learn.py --folds 5 what it would say of sentences it has not learned, by intent; nothing is written

A file of the corpus is an intent (`nothing.txt`: said, but not to 小伴), a line is a sentence. All of them were written for this
project, in the manner of many elders; none is of the rounds or the sentences that `tests/bench` measures with. A new way of saying
something that phrases catch needs no line here; many ways that no phrase catches are what it is for.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "bench"), str(ROOT / "tests" / "clips")]

from evaluate import damaged  # noqa: E402

from assistant.household import load  # noqa: E402
from assistant.messages import YES_OR_NO, Hypothesis  # noqa: E402
from assistant.places import sample_household, shipped  # noqa: E402
from assistant.replies import Replies  # noqa: E402
from assistant.understand.evidence import LIMIT, WEIGHTS, Odds, log_odds, marks, places_of  # noqa: E402
from assistant.understand.judge import Understander  # noqa: E402
from assistant.understand.reader import read  # noqa: E402
from assistant.understand.sampling import fills_of, walks  # noqa: E402

CORPUS, HEARD = Path(__file__).with_name("corpus"), Path(__file__).with_name("heard")
NOTHING = ""
ANSWERS = YES_OR_NO
"""While nothing is asked they are nothing, too."""
CLOSED = {"dialogue.which": ({"dialogue.which"}, {NOTHING}), "dialogue.when": ({"dialogue.when"}, {NOTHING}),
          "dialogue.empty": ({"dialogue.empty", "dialogue.full"}, {NOTHING}), "dialogue.full": ({"dialogue.full"}, {"dialogue.empty"})}
"""Answers to questions that only a name, a time, the look of a box can answer, learned apart, and against what: beside another intent they
need not stand (给敏敏打 answers 给谁打, too). One regression hears that the box is spoken of, one whether it is full or empty."""
APART = frozenset(CLOSED)
WALKS = 6
"""Sentences from one template of the phrases."""
WEIGHT = {"corpus": 1.0, "misheard": 0.5, "heard": 0.5, "phrase": 0.3, "never": 1.0, "example": 1.0}
MISHEARD = 0.12
"""Share of syllables that are misheard in a second copy of each sentence."""
SELDOM = 3
"""What stands in fewer sentences says nothing."""
STRENGTH = 30.0
"""Inverse of the regularisation; 10, 30 and 100 differ by less than the folds do."""
PASSES = 30
"""Over all sentences; the exact solution agrees to 0.997 and takes five times as long."""
FAINT_FIT, UNLIKELY = 0.3, -3.0
"""Phrases that fit less, and log-odds below which an intent is not thought of, have no part in the weights of both."""
SAID, STOPS_IT = 6, "我没事"
"""Characters of a sentence of our own from which on it could be nobody else's, and what stops an alarm, which we say too."""
FAINT = 0.012
"""Weights below this share of an intent's largest are left out."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One sentence to learn from."""

    say: str
    intent: str
    source: str
    marks: NDArray[np.uint32]


def corpus() -> Iterator[tuple[str, str]]:
    """(sentence, intent) of every file."""
    for path in sorted(CORPUS.glob("*.txt")):
        intent = NOTHING if path.stem == "nothing" else path.stem
        yield from ((line, intent) for raw in path.read_text("utf-8").splitlines() if (line := raw.strip()))


def as_heard() -> Iterator[tuple[str, str]]:
    """(what a decoder wrote of a sentence, intent): see `heard.py`."""
    for path in sorted(HEARD.glob("*.txt")):
        intent = NOTHING if path.stem == "nothing" else path.stem
        yield from ((line.partition("\t")[2], intent) for line in path.read_text("utf-8").splitlines() if "\t" in line)


def misheard(say: str) -> str:
    """A sentence as a recogniser may write it; always the same for the same sentence."""
    return damaged(say, MISHEARD, random.Random(zlib.crc32(say.encode())))


def own_words() -> Iterator[str]:
    """What 小伴 says itself, sentence by sentence: it may hear itself, and none of that is meant by anybody."""
    for variants in Replies.load(shipped("intents")).sentences.values():
        for text in variants:
            for part in re.split("[。！？；：]", re.sub(r"\{[^}]*\}", "", text)):
                if len(part) >= SAID and STOPS_IT not in part:
                    yield part


def lessons() -> list[Lesson]:
    """Everything to learn from, read as the sample household would hear it."""
    book = read(shipped("intents"))
    home = load(sample_household())
    mind = Understander(home, book)
    now = datetime(2026, 11, 22, 15, tzinfo=home.zone)
    said: list[tuple[str, str, str]] = []
    for say, intent in corpus():
        said.append((say, intent, "corpus"))
        said.append((misheard(say), intent, "misheard"))
    said += [(say, intent, "heard") for say, intent in as_heard()]
    fills = fills_of(home, book)
    for template in book.templates:
        if not template.asking and not template.intent.startswith("dialogue."):
            said += [(say, template.intent, "phrase") for say in islice(walks(template, fills), WALKS)]
    said += [(cry, "emergency.call", "phrase") for cry in book.distress]
    said += [(say, NOTHING, "never") for _, say in book.must_not]
    said += [(say, NOTHING, "never") for say in own_words()]
    said += [(example.say, example.intent, "example") for example in book.examples if not example.asking or example.intent in ANSWERS]
    known = {intent for _, intent, source in said if source == "phrase"} | ANSWERS | APART
    found = []
    for say, intent, source in track(said, "reading"):
        heard = mind.read(say, now)
        if heard.text:
            found.append(Lesson(say, intent if intent in known else NOTHING, source, marks(heard)))
    return found


def vocabulary(rows: Sequence[Lesson]) -> NDArray[np.uint32]:
    """What stands in enough sentences, ascending."""
    counts = Counter(mark for row in rows for mark in row.marks.tolist())
    return np.array(sorted(mark for mark, count in counts.items() if count >= SELDOM), dtype=np.uint32)


def matrix(rows: Sequence[Lesson], words: NDArray[np.uint32]):  # type: ignore[no-untyped-def]  # scipy has no types here
    """Sentences × what stands in them, each row of Euclidean length about one."""
    from scipy.sparse import csr_matrix

    columns = [places_of(row.marks, words) for row in rows]
    sizes = [len(one) for one in columns]
    values = np.concatenate([np.full(size, 1 / np.sqrt(max(1, len(row.marks)))) for size, row in zip(sizes, rows, strict=True)])
    return csr_matrix((values, np.concatenate(columns), np.cumsum([0, *sizes])), shape=(len(rows), len(words)))


def one_intent(intent: str, table, meant: NDArray[np.str_], weight: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:  # type: ignore[no-untyped-def]
    """Weights and intercept of one logistic regression: this intent or any other."""
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(loss="log_loss", alpha=1 / (STRENGTH * len(meant)), max_iter=PASSES, tol=None, random_state=0)
    own, others = CLOSED.get(intent, ({NOTHING, *ANSWERS} if intent == NOTHING else {intent}, set[str]()))
    right = np.isin(meant, [*own])
    among = right | np.isin(meant, [*others]) if others else ~np.isin(meant, [*APART])
    model.fit(table[among], right[among], sample_weight=weight[among])
    return model.coef_[0], float(model.intercept_[0])


@dataclass(frozen=True, slots=True)
class Taught:
    """What was learned."""

    intents: list[str]
    words: NDArray[np.uint32]
    weights: NDArray[np.float64]
    """Words × intents."""
    base: NDArray[np.float64]

    def odds(self, rows: Sequence[Lesson]) -> NDArray[np.float64]:
        """Log-odds, sentences × intents."""
        return np.asarray(matrix(rows, self.words) @ self.weights + self.base)


def teach(rows: Sequence[Lesson]) -> Taught:
    """One regression for each intent."""
    words = vocabulary(rows)
    table = matrix(rows, words)
    meant = np.array([row.intent for row in rows])
    weight = np.array([WEIGHT[row.source] for row in rows])
    intents = sorted(set(meant.tolist()))
    work: Callable[[str], tuple[NDArray[np.float64], float]] = partial(one_intent, table=table, meant=meant, weight=weight)
    with Pool() as pool:
        fitted = list(track(pool.imap(work, intents), "learning", total=len(intents)))
    return Taught(intents, words, np.stack([weights for weights, _ in fitted], axis=1), np.array([base for _, base in fitted]))


def write(taught: Taught, path: Path = WEIGHTS) -> None:
    """The weights in 8 bits each, the faint ones left out."""
    largest = np.abs(taught.weights).max(axis=0)
    scale = largest / 127
    small = np.round(taught.weights / scale)
    small[np.abs(taught.weights) < FAINT * largest] = 0
    said = np.abs(small).max(axis=1) > 0
    np.savez_compressed(
        path, intents=np.array(taught.intents), marks=taught.words[said], weights=small[said].astype(np.int8),
        scale=scale.astype(np.float32), base=taught.base.astype(np.float32),
    )


Told = tuple[Lesson, dict[str, float]]


def folds(rows: Sequence[Lesson], number: int) -> list[Told]:
    """Every sentence of the corpus with its log-odds by intent, as given by what was learned without it."""
    told: list[Told] = []
    for fold in range(number):
        mine = [row for row in rows if row.source == "corpus" and zlib.crc32(row.say.encode()) % number == fold]
        held = {row.say for row in mine}
        held |= {misheard(say) for say in held}
        taught = teach([row for row in rows if row.source in ("phrase", "never", "example") or (row.source != "heard" and row.say not in held)])
        for row, odds in zip(mine, taught.odds(mine), strict=True):
            told.append((row, {intent: value for intent, value in zip(taught.intents, odds.tolist(), strict=True) if intent not in ANSWERS | APART}))
    return told


def shown(all_told: Sequence[Told]) -> Table:
    """Right and wrong by intent."""
    told = [(row, max(odds, key=odds.__getitem__), max(odds.values())) for row, odds in all_told if row.intent not in ANSWERS | APART]
    table = Table(title="not learned, judged")
    for column in ("intent", "n", "right %", "wrong and sure %", "mostly taken for"):
        table.add_column(column)
    for intent in sorted({row.intent for row, _, _ in told}):
        mine = [(got, odds) for row, got, odds in told if row.intent == intent]
        wrong = Counter(got or "nothing" for got, _ in mine if got != intent)
        sure = sum(got not in (intent, NOTHING) and odds > 0.5 for got, odds in mine)
        table.add_row(intent or "nothing", str(len(mine)), f"{100 * sum(got == intent for got, _ in mine) / len(mine):.1f}",
                      f"{100 * sure / len(mine):.1f}", ", ".join(f"{got} {count}" for got, count in wrong.most_common(3)))
    return table


def together(told: Sequence[Told]) -> Table:
    """The weights of `Odds.judged`: what phrases and the second opinion are worth beside each other, by logistic regression."""
    from sklearn.linear_model import LogisticRegression

    home = load(sample_household())
    mind = Understander(home, read(shipped("intents")), lambda said: Odds({}, ""))
    now = datetime(2026, 11, 22, 15, tzinfo=home.zone)
    both: list[tuple[tuple[float, ...], bool]] = []
    alone: list[tuple[tuple[float, ...], bool]] = []
    for row, values in track(told, "judging by phrases alone"):
        opinion = Odds({intent: min(LIMIT, max(-LIMIT, value)) for intent, value in values.items()}, "")
        scores = dict(mind.explain([Hypothesis(row.say)], now).scores)
        for intent in opinion.of.keys() - {NOTHING}:
            if (score := scores.get(intent, 0.0)) >= FAINT_FIT:
                both.append(((log_odds(score), opinion.lead(intent)), intent == row.intent))
            elif opinion.of[intent] > UNLIKELY:
                alone.append(((opinion.lead(intent),), intent == row.intent))
    table = Table(title="phrases and the second opinion together")
    for column in ("", "readings", "right %", "weights", "constant"):
        table.add_column(column)
    for name, readings in (("both", both), ("alone", alone)):
        right = [is_right for _, is_right in readings]
        fitted = LogisticRegression(C=1e3, max_iter=2000).fit([seen for seen, _ in readings], right)
        table.add_row(name, str(len(right)), f"{100 * sum(right) / len(right):.0f}", " ".join(f"{one:.2f}" for one in fitted.coef_[0]), f"{fitted.intercept_[0]:.2f}")
    return table


def main() -> None:
    """Teach, or judge by folds."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--folds", type=int, default=0, help="judge the corpus in so many parts and write nothing")
    chosen = options.parse_args()
    console = Console()
    rows = lessons()
    if chosen.folds:
        told = folds(rows, chosen.folds)
        console.print(shown(told))
        console.print(together(told))
        return
    taught = teach(rows)
    write(taught)
    console.print(f"{len(rows)} sentences, {len(taught.words)} marks, {len(taught.intents)} intents → {WEIGHTS.name}, {WEIGHTS.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
