"""Which of several medicines is spoken of: 血压药我先吃了，小白片缓半个钟头; 除了止疼药都吃了; 不是小白片，是大白片."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Named = Sequence[tuple[tuple[int, int], tuple[str, ...]]]
"""Places of names, and which each may mean."""

_COUNTER = r"(?:那|这|一)?(?:个|片|粒|颗|种|支|瓶|盒|把|味)?(?:治|管|叫|什么)?"
_DENIED = re.compile(rf"(?:(?<![是要对])不是|勿是|弗是|唔系|不要|别|莫)(?:吃|喝|服|打|说|讲|问|要)?(?:的)?(?:是)?{_COUNTER}$")
"""Before a name: it is not this one."""
_EXCEPT = re.compile(rf"(?:除了|除开|除脱|除去|除嘞|撇开|不算){_COUNTER}$")
"""The same: all the others are."""
_NONE = r"(?:没有?|冇|未|唔|么|勿曾|还没|没得|冒|莫)"
_DO = r"(?:吃|喝|服|打|贴|滴|喷|吸|抹|擦|咽|吞|食|恰|呷|动|碰|用|要|顾|轮|来得及)"
_STATES: Mapping[str, re.Pattern[str]] = {
    "not": re.compile(rf"{_NONE}(?:来得及|顾上|得空|舍得|敢|想起)?(?:去)?{_DO}|忘(?:记|了|脱|咗|哒)|漏(?:了|下)|落下|还剩|剩下|没下肚|没进嘴|(?:吃|喝|打|贴|滴).{{0,2}}没有?(?!了)"),
    "stopped": re.compile(rf"(?:不|勿|弗|唔|甭|别)(?:用|要|再|想|准|让|敢|能|肯)?(?:我)?{_DO}|停(?:了|一|掉|吃|用|几|两)|叫停|免了|省(?:了|一)|戒了"),
    "later": re.compile(r"(?:等|缓|晚|过|迟)(?:一?[会下阵]|.{0,6}(?:再|钟|以后|之后|饭))|再说|待会|回头再|呆会|先放"),
    "still": re.compile(r"照(?:吃|旧|常|打|喝|服)|接着吃|继续"),
    "done": re.compile(rf"{_DO}(?:完|好|掉|脱|罢|下去|进去|上|下)?(?:了|过|哒|咯|咗|哉|嘞|咧|喽|啦|得了|球了)|下肚|进肚|搞掂|搞定|{_DO}(?:完|好|掉|过|罢|下去)"),
}
"""What is said of a medicine, the stronger word first."""
_FITTING: Mapping[str, frozenset[str]] = {
    "medication.taken": frozenset({"done"}), "medication.not_taken": frozenset({"not"}), "medication.skip": frozenset({"stopped", "not"}),
}
"""Which of these an intent is."""


def spoken_of(intent: str, text: str, kept: Named) -> Named:
    """Those of `kept` that the intent is about: without what is denied or excepted, and what something else is said of."""
    left = [one for one in kept if not _EXCEPT.search(text[:one[0][0]])]
    undenied = [one for one in left if not _DENIED.search(text[:one[0][0]])]
    left = undenied or left
    fitting = _FITTING.get(intent)
    if fitting is None or len({names for _, names in left}) < 2:
        return left
    said = [(one, _said_of(text, kept, one[0])) for one in left]
    if any(not state for _, state in said):
        return left
    return [one for one, state in said if state in fitting] or left


def _said_of(text: str, kept: Named, place: tuple[int, int]) -> str:
    """What is said of the name at `place`: behind it, up to the next; else before it."""
    behind = min((start for (start, _), _ in kept if start >= place[1]), default=len(text))
    before = max((end for (_, end), _ in kept if end <= place[0]), default=0)
    return _first(text[place[1]:behind]) or _first(text[before:place[0]])


def _first(text: str) -> str:
    """The first state that is told; of two words in one place the stronger."""
    found = [(match.start(), rank, state) for rank, (state, words) in enumerate(_STATES.items()) if (match := words.search(text))]
    return min(found)[2] if found else ""
