"""Where within what was said a request may begin or end: elders explain first and ask then, or ask and give the reason.

A recogniser writes no commas. A clause begins at a word that opens a request (`BEGINS` in `intents/_frames.toml`), behind 所以 or 那你就 (`LINK`), behind a
particle that ends a sentence, or where a name, a time or a service stands at the seam of two words; it ends before a word
that gives a reason (`REASON`) or behind a particle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.understand.matcher import QUIET, Span, Utterance, turns

CUTS = frozenset({"BEGINS", "LINK", "REASON"})
"""Concepts that say where to cut; they hide no other words."""
SHORTEST = 3
"""Syllables of a clause worth judging."""
MOST = 4
"""Clauses judged of one utterance: each costs as much as a short sentence."""
PARTICLES = frozenset("了啊呢吧吗呀嘛哈啦呗哦咯喽哩嘞")
"""They end a clause, where they are not part of a longer word."""
DEPENDENT = frozenset("给跟和找叫让的约请是把对同向帮替为喊问陪要想到在从比被")
"""Behind these nothing begins anew: 给|我闺女, 让|他."""
PEOPLE = frozenset({"{person}", "KIN", "OTHER", "PRONOUN", "YOU", "CARER"})
"""Behind these stands what they do: 女儿|给我打扫卫生了 asks nothing of anybody."""
OPENED, ENDED, NAMED, SEAM = 0.97, 0.96, 0.93, 0.88
"""How far a boundary is believed: a word that opens, a particle before it, a name, only the seam of two words."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of what was said."""

    start: int
    end: int
    belief: float
    """How far its borders are believed, 0…1."""
    opened: bool
    """A word that opens a request stands at its beginning, or one that opens a reason behind its end."""


def clauses(said: Utterance, raw: Sequence[Span], edges: tuple[frozenset[int], frozenset[int]]) -> list[Clause]:
    """The likeliest parts of the utterance, most believed first; never the whole.

    `edges`: where phrases may begin and end.
    """
    size = len(said.text)
    inside = [False] * (size + 1)
    for span in raw:
        if span.exact and span.end - span.start > 1 and span.concept not in CUTS:
            for at in range(span.start + 1, span.end):
                inside[at] = True
    begins, ends = edges
    after_people = {at for span in raw if span.concept in PEOPLE and span.exact for at in (span.end, span.end + 1)}
    turned = {at for span in raw if span.exact and span.concept not in QUIET and turns(span.text) for at in range(span.start, span.end + 2)} | said.hidden
    opens = {span.start for span in raw if span.concept == "BEGINS" and span.exact}
    linked = {span.end for span in raw if span.concept == "LINK" and span.exact}
    reasons = {span.start for span in raw if span.concept == "REASON" and span.exact}
    named = {span.start for span in said.spans if span.concept[0] == "{" and span.concept != "{number}" and span.cost < 0.1 and span.end - span.start > 1}
    starts: dict[int, float] = {}
    stops: dict[int, float] = {}
    for at in range(2, size):
        behind = said.text[at - 1]
        if size - at >= SHORTEST and behind not in DEPENDENT and at not in turned and (at not in after_people or at in linked or behind in PARTICLES):
            if (at in opens and not inside[at]) or at in linked:
                starts[at] = OPENED
            elif behind in PARTICLES and not inside[at]:
                starts[at] = ENDED
            elif at in named and not inside[at]:
                starts[at] = NAMED
            elif at in begins and not inside[at]:
                starts[at] = SEAM
        if at >= SHORTEST and not inside[at]:
            if at in reasons:
                stops[at] = OPENED
            elif behind in PARTICLES:
                stops[at] = ENDED
            elif at in ends:
                stops[at] = SEAM
    found = [Clause(at, size, belief, at in opens or at in linked) for at, belief in starts.items()]
    found += [Clause(0, at, belief, at in reasons) for at, belief in stops.items()]
    # First where a phrase may begin or end too, then the surest border, then the longest.
    found.sort(key=lambda one: (one.start not in begins if one.start else one.end not in ends, -one.belief, one.start - one.end))
    return found[:MOST]


def part(raw: Sequence[Span], clause: Clause) -> list[Span]:
    """The words of the utterance that lie in the clause, at their places in it."""
    return [
        Span(span.start - clause.start, span.end - clause.start, span.concept, span.text, span.cost, span.value, span.exact)
        for span in raw if clause.start <= span.start and span.end <= clause.end
    ]
