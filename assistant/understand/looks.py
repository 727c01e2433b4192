"""A medicine by what it looks like or is for, in any word order: 那个大白片, 白白的大片片, 粉红色那个胶囊, 管心跳那个药.

Lists of words cannot hold every order and doubling; so a run of words for colour, size, shape and form is found and compared with
what the family wrote. Two medicines that fit equally well are both given, to be asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.understand.matcher import Span

COLOURS = {
    "粉红": "粉", "桃红": "粉", "粉": "粉", "白": "白", "红": "红", "黄": "黄", "蓝": "蓝", "绿": "绿", "橙": "橙", "橘": "橙", "桔": "橙", "黑": "黑", "棕": "棕", "褐": "棕",
    "咖啡": "棕", "紫": "紫", "灰": "灰", "透明": "透明",
}
SHAPES = {"椭圆": "椭圆", "长圆": "椭圆", "橄榄": "椭圆", "八角": "八角", "三角": "三角", "心形": "心", "桃心": "心", "爱心": "心", "菱": "菱", "四方": "方", "圆": "圆", "长": "长", "扁": "扁", "方": "方"}
SIZES = {"大": "大", "小": "小"}
FORMS = {"胶囊": "胶囊", "药片": "片", "片": "片", "药丸": "丸", "丸": "丸", "颗粒": "颗粒", "圆筒": "筒", "筒": "筒", "瓶": "瓶", "笔": "笔"}
CONTAINERS = frozenset({"筒", "瓶", "笔"})
"""What a medicine is in: said of one that is not, it speaks against it; 白瓶子 may be anything, so no more than what the family wrote."""
_NO_SIZE = {"大": "大(?![夫家概约姐妈爷娘哥伯嫂])", "小": "小(?![时伴区姐孩])"}
"""小白片|大夫叫停了 says nothing of its size."""
_FEATURE = re.compile("|".join(_NO_SIZE.get(word, word) for word in sorted((*COLOURS, *SHAPES, *SIZES, *FORMS), key=len, reverse=True)))
_RUN = re.compile(
    rf"(?:{_FEATURE.pattern}|颜色|色|不拉几|不拉唧|不拉叽|拉吧唧|不唧|唧唧|乎乎|呼呼|不溜|不叽|生生|花花|不点|个儿|个头|的|[那这一]?[个种颗粒片支管瓶筒]|那|这|药|子|儿|老(?=大)|(?:形|状)的?)+"
)
_LEADING = re.compile(r"(?:[的子儿色]|[那这一][个种颗粒片]?|[个种颗粒片](?=[白红粉黄蓝绿橙橘桔黑棕褐紫灰大小圆长椭扁药])|药(?=的))+")
_TRAILING = re.compile(r"(?:的|那|这|一|儿)+$")
_THING = re.compile(r"胶囊|药|[片丸颗粒筒瓶笔]")
_SURE_THING = re.compile(r"胶囊|药[片丸粒]|丸|[颗粒]|[那这][片个]|片片|片子")
"""Where only size or shape is said a 片 alone may be anything, and the recogniser writes 大的药 for 那个药: 一大片."""
_COUNTED = re.compile(r"[那这][颗粒片]$")
"""Before 大的 or 圆的: a pill,"""
_GOES_ON = re.compile(r"$|[吃喝服噎咽吞送掉还没也都要药是呢啊吧嘛就给被今早晚中刚才已我你忘漏啥治管干]")
"""unless what follows is a thing: 那颗大的花生."""
_OTHERWISE = re.compile(r"[房店盒箱水膏瓶袋铺材酒费钱罐贴方师膏粉味渣壶柜架单]")
"""Behind 药 these are another thing."""
_TAIL = re.compile(r"(?P<link>的)?(?P<that>[那这一](?:个|种|颗|片|粒|味))?(?P<thing>[那这嗰]?半[片粒颗]|的?[小大]?(?:药水|水水|滴眼液|药片|药丸|药粒|药|片(?!刻)|丸|胶囊|颗|粒))?")
_PURPOSE = re.compile(r"^(?P<stem>.{2,6}?)(?:的药片?|药片?|药水|的|片)$")
_ACTS = "降止抗护补通养防助安治管调稳"
"""Stems that begin so say a purpose by themselves: 降压的."""
_VERB = r"(?:[管治调稳控护保压降]|降低|控制)"
SHORT = 3
"""Syllables of an answer in which 大 alone is no 大夫."""
FOR = 2
"""What the purpose weighs beside the looks."""
OWN, COMMON = 0.03, 0.12
"""Cost of a purpose the family wrote, and of one that everybody knows."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is said, or known, of a pill."""

    colours: frozenset[str]
    size: str
    shapes: frozenset[str]
    form: str


def _seen(text: str) -> _Seen:
    found = _FEATURE.findall(text)
    forms = [FORMS[word] for word in found if word in FORMS]
    sizes = [word for word in found if word in SIZES]
    colours = frozenset(COLOURS[word] for word in found if word in COLOURS)
    return _Seen(colours, sizes[0] if len({*sizes}) == 1 else "", frozenset(SHAPES[word] for word in found if word in SHAPES), forms[-1] if forms else "")


def _likeness(said: _Seen, known: _Seen) -> int:
    """How many features agree; 0 where one speaks against it."""
    if said.colours and not said.colours <= known.colours:
        return 0
    if said.size and known.size and said.size != known.size:
        return 0
    if said.form != known.form and (said.form in CONTAINERS or (said.form and known.form in CONTAINERS)):
        return 0
    if {said.form, known.form} in ({"胶囊", "片"}, {"胶囊", "丸"}, {"片", "颗粒"}, {"胶囊", "颗粒"}):
        return 0
    long = frozenset({"长", "椭圆"})
    if said.shapes and known.shapes and not said.shapes & known.shapes and not (said.shapes <= long and known.shapes <= long):
        return 0
    same_size, same_shape = bool(said.size) and said.size == known.size, bool(said.shapes & known.shapes)
    return 2 * bool(said.colours) + 2 * same_size + 2 * same_shape + bool(said.shapes and known.shapes and not same_shape)


class Looks:
    """The medicines of a home by looks and purpose."""

    def __init__(self, medicines: Sequence[tuple[str, Sequence[str], Sequence[str], Sequence[str]]]) -> None:
        """`medicines`: name, what it looks like, what the family calls it, what everybody calls one like it."""
        self._known = [(name, seen) for name, looks, _, _ in medicines for seen in map(_seen, looks) if seen.colours or seen.size or seen.shapes]
        self._for: dict[str, list[tuple[str, float]]] = {}
        for name, _, own, common in medicines:
            for words, cost in ((own, OWN), (common, COMMON)):
                for word in words:
                    if (purpose := _PURPOSE.match(word)) and not _FEATURE.match(word):
                        stem = purpose["stem"].removeprefix("管").removeprefix("治")
                        if len(stem) > 1 and name not in (known for known, _ in self._for.get(stem, ())):
                            self._for.setdefault(stem, []).append((name, cost))
        stems = "|".join(sorted(map(re.escape, self._for), key=len, reverse=True))
        self._purpose = re.compile(rf"(?P<verb>{_VERB})?(?P<stem>{stems})") if stems else None

    def find(self, text: str) -> Iterator[Span]:
        """Every medicine described in `text`, as spans of {medicine}."""
        yield from self._by_looks(text)
        yield from self._by_purpose(text)

    def likeness(self, text: str, among: Sequence[str]) -> Mapping[str, int]:
        """How well each of these is described, where a choice was asked for and 白的，大的 or 糖尿病那个 is enough."""
        runs = [run[0] for run in _RUN.finditer(text) if len(run[0]) > 1 or run[0] in COLOURS or len(text) <= SHORT]
        said = _seen("".join(runs))
        meant = {name for stem, known in self._for.items() if stem in text for name, _ in known if name in among}
        return {
            one: max((_likeness(said, known) for name, known in self._known if name == one), default=0) + FOR * (meant == {one})
            for one in among
        }

    def _by_looks(self, text: str) -> Iterator[Span]:
        for run in _RUN.finditer(text):
            lead = _LEADING.match(run[0])
            start = run.start() + (lead.end() if lead else 0)
            trail = _TRAILING.search(text[start:run.end()])
            end = start + trail.start() if trail else run.end()
            words, before = text[start:end], text[run.start():start]
            said = _seen(words)
            if not (said.colours or said.size or said.shapes):
                continue
            sure = bool(said.size or not said.colours) and _SURE_THING.search(before + words)
            if not sure and not (said.colours and _THING.search(before + words)):
                continue
            if len(words) < 2:
                if not (_COUNTED.search(before) and _GOES_ON.match(text, run.end())):
                    continue
                start, end, words = run.start(), run.end(), run[0]
            if words.endswith("药") and _OTHERWISE.match(text, end):
                continue
            scored = [(_likeness(said, known), name) for name, known in self._known]
            best = max((score for score, _ in scored), default=0)
            if best:
                for name in dict.fromkeys(name for score, name in scored if score == best):
                    yield Span(start, end, "{medicine}", words, 0.0, name, exact=True)

    def _by_purpose(self, text: str) -> Iterator[Span]:
        for found in self._purpose.finditer(text) if self._purpose else ():
            tail = _TAIL.match(text, found.end())
            assert tail is not None  # everything in it may lack
            says = found["verb"] or found["stem"][0] in _ACTS
            if not (tail["thing"] or (says and (tail["link"] or tail["that"]))) or _OTHERWISE.match(text, tail.end()):
                continue
            for name, cost in self._for[found["stem"]]:
                yield Span(found.start(), tail.end(), "{medicine}", text[found.start():tail.end()], cost, name, exact=True)
