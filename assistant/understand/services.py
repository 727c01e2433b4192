"""Which service of this home is meant when nobody names one: 地板脏了，叫个人来擦 → 保洁.

The words the family gave a service, and those everybody knows for one like it, share characters with what is said; a character that
belongs to one service of this home alone speaks for it. What is guessed so is read back before a visit is booked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

OWN, COMMON = 1.0, 0.4
"""What a character of the family's words speaks, and one of everybody's words."""
ENOUGH, AHEAD = 1.0, 1.5
"""What must speak for a service, and how many times as much as for the next one."""
_SAYS_NOTHING = frozenset(
    "的了吧啊呢吗嘛呀着过得地我你他她它们咱俺这那哪个一二三四五六七八九十两半点分刻上中下午早晚天今明后大小日周星期礼拜号月年人家来去到给叫让请找约订预帮把不没别有是在要想能会可就还也都又再才"
    "门师傅阿姨员工服务东西事情什么怎么时候多少好坏用不子儿头里外面前老太很做弄搞看说话打电修送"
)
"""Characters of half of all requests."""


class Services:
    """The services of a home by the characters of their words."""

    def __init__(self, services: Iterable[tuple[str, Sequence[str], Sequence[str]]]) -> None:
        """`services`: name, what the family calls it, what everybody calls one like it."""
        table: dict[str, dict[str, float]] = defaultdict(dict)
        for name, own, common in services:
            for words, weight in ((common, COMMON), (own, OWN)):
                for piece in {piece for word in words for piece in _pieces(word)}:
                    table[piece][name] = max(weight, table[piece].get(name, 0.0))
        self._of: Mapping[str, tuple[str, float]] = {
            piece: max(owners.items(), key=lambda owner: owner[1]) for piece, owners in table.items()
            if len({name for name, weight in owners.items() if weight == max(owners.values())}) == 1
        }

    def votes(self, text: str) -> Mapping[str, float]:
        """How much speaks for each service of which anything is said."""
        votes: dict[str, float] = defaultdict(float)
        for piece in set(_pieces(text)):
            if piece in self._of:
                name, weight = self._of[piece]
                votes[name] += weight
        return votes

    def likely(self, text: str, known: Iterable[tuple[int, int]] = ()) -> str:
        """The service that is meant; "" where none is, or two are as well. `known`: places that say something else."""
        gone = {at for start, end in known for at in range(start, end)}
        votes = self.votes("".join("|" if at in gone else char for at, char in enumerate(text)))
        ranked = sorted(votes, key=lambda name: -votes[name])
        if not ranked or votes[ranked[0]] < ENOUGH or (len(ranked) > 1 and votes[ranked[0]] < AHEAD * votes[ranked[1]]):
            return ""
        return ranked[0]


def _pieces(text: str) -> Iterator[str]:
    """Characters that say something, and pairs of them."""
    for at, char in enumerate(text):
        if char in "|，" or char in _SAYS_NOTHING:
            continue
        yield char
        if text[at + 1:at + 2] and text[at + 1] not in "|，":
            yield text[at:at + 2]
