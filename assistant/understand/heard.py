"""What is known of one utterance on the way to a judgement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from assistant.messages import Hypothesis, Judgement
from assistant.understand.evidence import NO_OPINION, Odds
from assistant.understand.matcher import Fit, Utterance
from assistant.understand.phrasebook import Guard
from assistant.understand.slots import Measures


@dataclass(frozen=True, slots=True)
class Heard:
    """One hypothesis and everything found in it, for `explain`."""

    hypothesis: Hypothesis
    said: Utterance
    measures: Measures
    guards: tuple[Guard, ...]
    fits: tuple[Fit, ...]
    """Best line of each intent, best first, after the guards."""
    trusted: float = 1.0
    """Factor of the two gates; 0 shut out."""
    opinion: Odds = NO_OPINION
    """What the whole sentence says for each intent."""
    parts: Mapping[str, Heard] = field(default_factory=dict)
    """Intents understood from a clause alone, with that clause."""

    @property
    def believed(self) -> bool:
        """Whether the gates let it through at all."""
        return self.trusted > 0.0

    def where(self, intent: str) -> Heard:
        """The clause that an intent stands in, or the whole."""
        return self.parts.get(intent, self)


def strongest_of(hypotheses: Iterable[Hypothesis]) -> dict[str, float]:
    """The best score by decoder."""
    best: dict[str, float] = {}
    for one in hypotheses:
        best[one.source] = max(best.get(one.source, 0.0), one.score)
    return best


@dataclass(slots=True)
class Thought:
    """What is known on the way to a judgement."""

    heard: list[Heard]
    now: datetime
    """Naive local time."""
    scores: dict[str, float] = field(default_factory=dict)
    source: dict[str, Heard] = field(default_factory=dict)
    """Which hypothesis an intent's slots are read from."""
    reasons: list[str] = field(default_factory=list)
    opposed: tuple[str, ...] = ()
    """The two opposites the decoders heard."""
    agreed: str = ""
    """The intent that every good hypothesis puts first."""
    cries: list[Heard] = field(default_factory=list)
    """The grammar's sentences that are cries for help, also those that its gates shut out."""

    @property
    def cried(self) -> float:
        """See `Explanation`."""
        return sum(one.hypothesis.score for one in self.cries)

    @property
    def believed(self) -> list[Heard]:
        """The hypotheses the gates let through."""
        return [one for one in self.heard if one.believed]


SHOWN = 3
"""Opinions of the whole sentence that are shown."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a sentence was judged as it was. `str()` is for a terminal."""

    heard: tuple[Heard, ...]
    judgement: Judgement
    scores: tuple[tuple[str, float], ...] = ()
    """Intents with their combined scores, best first."""
    reasons: tuple[str, ...] = ()
    cried: float = 0.0
    """Share of the grammar's sentences, times how well they explain the sound, that are cries for help."""

    def __str__(self) -> str:
        lines = []
        for one in self.heard:
            lines.append(f"听到（{one.hypothesis.source} {one.hypothesis.score:.2f}，信 {one.trusted:.2f}）：{one.said.text}")
            lines.append("  读音：" + " ".join(one.said.sounds))
            words = [f"{span.text}={span.concept}{f'~{span.cost:.2f}' if span.cost else ''}{'→' + span.value if span.value else ''}"
                     for span in one.said.spans if span.concept not in ("FILLER", "SOFT", "NEUTRAL")]
            lines.append("  词：" + "，".join(words))
            if one.opinion.of:
                lines.append("  整句：" + "，".join(f"{intent or '不是给小伴的'} {odds:+.1f}" for intent, odds in one.opinion.first(SHOWN)))
            if one.guards:
                lines.append("  护栏：" + "，".join(guard.name for guard in one.guards))
            for candidate in one.fits[:6]:
                lines.append(f"  {candidate.score:.2f} {candidate.intent} ← {candidate.kind} “{candidate.by[:90]}”")
        lines.append("合计：" + "，".join(f"{intent} {score:.2f}" for intent, score in self.scores[:6]))
        lines += [f"  {reason}" for reason in self.reasons]
        meaning = self.judgement.meaning
        if meaning is not None:
            lines.append(f"决定：{meaning.intent} {dict(meaning.slots)}（{meaning.score:.2f}）")
        elif self.judgement.nearest:
            lines.append("决定：问一问，" + " 还是 ".join(f"{near.intent} {dict(near.slots)}" for near in self.judgement.nearest))
        else:
            lines.append("决定：不动")
        return "\n".join(lines)
