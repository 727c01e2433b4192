"""Whose husband, mother or boy is meant: 强子媳妇, 豪豪他妈, 玲妹子家的小子. Somebody's husband is never that somebody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from assistant.home import Contact
from assistant.understand.matcher import Span

RANKS = "大二三四五六七八小老幺"
"""Before a relation: which of several, eldest first."""


class Kin(Enum):
    """What somebody is to the elder."""

    SON = auto()
    DAUGHTER = auto()
    SON_IN_LAW = auto()
    DAUGHTER_IN_LAW = auto()
    GRANDSON = auto()
    GRANDDAUGHTER = auto()
    DAUGHTERS_SON = auto()
    DAUGHTERS_DAUGHTER = auto()
    ELDER_BROTHER = auto()
    YOUNGER_BROTHER = auto()
    ELDER_SISTER = auto()
    YOUNGER_SISTER = auto()
    ELDER_BROTHERS_WIFE = auto()
    YOUNGER_BROTHERS_WIFE = auto()
    ELDER_SISTERS_HUSBAND = auto()
    YOUNGER_SISTERS_HUSBAND = auto()
    BROTHERS_SON = auto()
    BROTHERS_DAUGHTER = auto()
    SISTERS_SON = auto()
    SISTERS_DAUGHTER = auto()


class Of(Enum):
    """What somebody is to somebody else."""

    WIFE = auto()
    HUSBAND = auto()
    FATHER = auto()
    MOTHER = auto()
    SON = auto()
    DAUGHTER = auto()
    CHILD = auto()
    BROTHER = auto()
    SISTER = auto()
    FATHERS_SISTER = auto()
    MOTHERS_BROTHER = auto()
    STRANGER = auto()
    """A teacher, a colleague, a parent-in-law: nobody the family's file tells of."""


_CALLED: Mapping[Kin, tuple[str, ...]] = {
    Kin.SON: ("儿子", "儿", "仔", "崽"), Kin.DAUGHTER: ("女儿", "闺女", "姑娘", "丫头", "囡"),
    Kin.SON_IN_LAW: ("女婿",), Kin.DAUGHTER_IN_LAW: ("儿媳", "儿媳妇", "媳妇"),
    Kin.GRANDSON: ("孙子", "孙儿"), Kin.GRANDDAUGHTER: ("孙女", "孙女儿"),
    Kin.DAUGHTERS_SON: ("外孙", "外孙子"), Kin.DAUGHTERS_DAUGHTER: ("外孙女", "外孙女儿"),
    Kin.ELDER_BROTHER: ("哥哥", "哥", "兄长"), Kin.YOUNGER_BROTHER: ("弟弟", "弟", "兄弟"),
    Kin.ELDER_SISTER: ("姐姐", "姐"), Kin.YOUNGER_SISTER: ("妹妹", "妹", "妹子"),
    Kin.ELDER_BROTHERS_WIFE: ("嫂子", "嫂嫂", "嫂"), Kin.YOUNGER_BROTHERS_WIFE: ("弟媳", "弟媳妇", "弟妹"),
    Kin.ELDER_SISTERS_HUSBAND: ("姐夫",), Kin.YOUNGER_SISTERS_HUSBAND: ("妹夫",),
    Kin.BROTHERS_SON: ("侄子", "侄儿"), Kin.BROTHERS_DAUGHTER: ("侄女", "侄女儿"),
    Kin.SISTERS_SON: ("外甥",), Kin.SISTERS_DAUGHTER: ("外甥女",),
}
_KIN = {word: kin for kin, words in _CALLED.items() for word in words}

_WORDS: Mapping[Of, str] = {
    Of.WIFE: "媳妇儿?|老婆|堂客|婆姨|婆娘|妻子|太太|屋里的|屋里人|爱人|那口子|老伴儿?",
    Of.HUSBAND: "男人|老公|丈夫|当家的|爱人|那口子|老伴儿?|老头子",
    Of.FATHER: "爸爸?|爹爹?|老爸|老汉儿?|老豆|父亲|阿爸|老子",
    Of.MOTHER: "妈妈?|娘|老妈|姆妈|母亲|阿妈|老娘",
    Of.SON: "大?儿子|小儿子|小子|崽崽?|男孩儿?|男娃|伢子|儿", Of.DAUGHTER: "大?女儿|小女儿|闺女|丫头|姑娘|囡囡?|女娃|妹崽|女孩儿?",
    Of.CHILD: "孩子|小孩儿?|娃娃?|宝宝|细伢子",
    Of.BROTHER: "哥哥?|弟弟?|兄弟|老弟|大哥", Of.SISTER: "姐姐?|妹妹?|妹子|姐妹",
    Of.FATHERS_SISTER: "[大小二]?姑姑?|姑妈|嬢嬢|孃孃", Of.MOTHERS_BROTHER: "[大小二]?舅舅?|娘舅|舅父",
    Of.STRANGER: "婆婆|公公|丈母娘|老丈人|岳父|岳母|亲家|老师|班主任|同学|朋友|同事|领导|老板|对象|男朋友|女朋友|司机|秘书|徒弟|师傅|房东|单位|公司|办公室|表哥|表弟|表姐|表妹|堂哥|堂弟|侄子|侄女|外甥女?|姨妈?|叔叔?|大伯|嫂子|弟媳|姐夫|妹夫|女婿|儿媳妇?",
}
_LINK = r"(?:[的得地]那个|[的得地]|[他她它佢伊渠](?:的|家的?|们家的?)?|家里?的?|屋里的?)"
_END = r"(?![们子儿祖外婆爷奶夫])"
_NEXT = re.compile("|".join(
    rf"(?P<{of.name}>(?:{_LINK})(?:{words}){_END})" for of, words in _WORDS.items()
))
"""Behind a name, with a link: whose it is."""
_AT_ONCE = re.compile(rf"(?P<WIFE>(?:媳妇儿?|老婆|堂客|婆姨|屋里的|老伴儿?){_END})|(?P<HUSBAND>(?:老公|男人){_END})|(?P<FATHER>(?:爸爸?|爹){_END})|(?P<MOTHER>(?:妈妈?|娘){_END})|(?P<STRANGER>班主任|老师|单位|公司|办公室|学校|同学|婆婆|丈母娘)")
"""The same right behind a name: 强子媳妇; of a parent only behind a grandchild's."""
_TELLS = re.compile(r"(?:告诉|转告|通知|提醒|[给跟和对同][^，]{0,3}(?:说|讲|捎句话))$")
"""Behind these 敏敏她儿子发烧了 is told to 敏敏, and 小军老师今天没来 to 小军."""

MALE = frozenset({
    Kin.SON, Kin.SON_IN_LAW, Kin.GRANDSON, Kin.DAUGHTERS_SON, Kin.ELDER_BROTHER, Kin.YOUNGER_BROTHER, Kin.ELDER_SISTERS_HUSBAND,
    Kin.YOUNGER_SISTERS_HUSBAND, Kin.BROTHERS_SON, Kin.SISTERS_SON,
})
_SONS = (Kin.SON, Kin.DAUGHTER_IN_LAW)
_DAUGHTERS = (Kin.DAUGHTER, Kin.SON_IN_LAW)
_GRAND = (Kin.GRANDSON, Kin.GRANDDAUGHTER)
_DAUGHTERS_GRAND = (Kin.DAUGHTERS_SON, Kin.DAUGHTERS_DAUGHTER)
_RELATED: Mapping[tuple[Kin, Of], tuple[Kin, ...]] = {
    (Kin.SON, Of.WIFE): (Kin.DAUGHTER_IN_LAW,), (Kin.DAUGHTER, Of.HUSBAND): (Kin.SON_IN_LAW,),
    (Kin.SON_IN_LAW, Of.WIFE): (Kin.DAUGHTER,), (Kin.DAUGHTER_IN_LAW, Of.HUSBAND): (Kin.SON,),
    (Kin.ELDER_BROTHER, Of.WIFE): (Kin.ELDER_BROTHERS_WIFE,), (Kin.YOUNGER_BROTHER, Of.WIFE): (Kin.YOUNGER_BROTHERS_WIFE,),
    (Kin.ELDER_SISTER, Of.HUSBAND): (Kin.ELDER_SISTERS_HUSBAND,), (Kin.YOUNGER_SISTER, Of.HUSBAND): (Kin.YOUNGER_SISTERS_HUSBAND,),
    **{(kin, Of.SON): (Kin.GRANDSON,) for kin in _SONS}, **{(kin, Of.DAUGHTER): (Kin.GRANDDAUGHTER,) for kin in _SONS},
    **{(kin, Of.CHILD): _GRAND for kin in _SONS},
    **{(kin, Of.SON): (Kin.DAUGHTERS_SON,) for kin in _DAUGHTERS}, **{(kin, Of.DAUGHTER): (Kin.DAUGHTERS_DAUGHTER,) for kin in _DAUGHTERS},
    **{(kin, Of.CHILD): _DAUGHTERS_GRAND for kin in _DAUGHTERS},
    **{(kin, Of.FATHER): (Kin.SON,) for kin in _GRAND}, **{(kin, Of.MOTHER): (Kin.DAUGHTER_IN_LAW,) for kin in _GRAND},
    **{(kin, Of.FATHER): (Kin.SON_IN_LAW,) for kin in _DAUGHTERS_GRAND}, **{(kin, Of.MOTHER): (Kin.DAUGHTER,) for kin in _DAUGHTERS_GRAND},
    **{(kin, Of.BROTHER): (Kin.SON,) for kin in (Kin.SON, Kin.DAUGHTER)}, **{(kin, Of.SISTER): (Kin.DAUGHTER,) for kin in (Kin.SON, Kin.DAUGHTER)},
    **{(kin, Of.BROTHER): (Kin.GRANDSON,) for kin in _GRAND}, **{(kin, Of.SISTER): (Kin.GRANDDAUGHTER,) for kin in _GRAND},
    **{(kin, Of.BROTHER): (Kin.DAUGHTERS_SON,) for kin in _DAUGHTERS_GRAND}, **{(kin, Of.SISTER): (Kin.DAUGHTERS_DAUGHTER,) for kin in _DAUGHTERS_GRAND},
    **{(kin, Of.FATHERS_SISTER): (Kin.DAUGHTER,) for kin in _GRAND}, **{(kin, Of.MOTHERS_BROTHER): (Kin.SON,) for kin in _DAUGHTERS_GRAND},
    **{(kin, Of.SON): (Kin.BROTHERS_SON,) for kin in (Kin.ELDER_BROTHER, Kin.YOUNGER_BROTHER)},
    **{(kin, Of.DAUGHTER): (Kin.BROTHERS_DAUGHTER,) for kin in (Kin.ELDER_BROTHER, Kin.YOUNGER_BROTHER)},
    **{(kin, Of.SON): (Kin.SISTERS_SON,) for kin in (Kin.ELDER_SISTER, Kin.YOUNGER_SISTER)},
    **{(kin, Of.DAUGHTER): (Kin.SISTERS_DAUGHTER,) for kin in (Kin.ELDER_SISTER, Kin.YOUNGER_SISTER)},
}
"""(what the owner is to the elder, what is wanted of the owner) → what that is to the elder."""


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    kin: Kin
    rank: str


def kin_of(relation: str) -> tuple[str, Kin | None]:
    """Rank and kin of a relation: 大儿媳 → (大, DAUGHTER_IN_LAW); no kin for 邻居."""
    if relation in _KIN:
        return "", _KIN[relation]
    if relation[:1] in RANKS and relation[1:] in _KIN:
        return relation[0], _KIN[relation[1:]]
    return "", None


def names_of(kin: Kin) -> tuple[str, ...]:
    """What such a relative is called in the family's files."""
    return _CALLED[kin]


class Kinship:
    """The family of a home."""

    def __init__(self, family: Iterable[Contact]) -> None:
        known = ((contact.name, kin_of(contact.relation)) for contact in family)
        self._people = tuple(_Person(name, kin, rank) for name, (rank, kin) in known if kin is not None)

    def composed(self, text: str, spans: Sequence[Span]) -> list[Span]:
        """`spans` with 强子的媳妇 as one person: her whom the family's file knows, or nobody known; never 强子."""
        found: dict[tuple[int, int], dict[str, Span]] = {}
        told: list[tuple[int, int]] = []
        people = [span for span in spans if span.concept == "{person}"]
        for span in people:
            if any(other.start < span.start and span.end <= other.end for other in people) or (relative := self._next(text, span)) is None:
                continue
            of, end = relative
            if text[span.end] not in "的得地家里屋" and _TELLS.search(text[:span.start]):
                told.append((span.end, end))
                continue
            for name in self._related(span.value, of):
                whole = replace(span, end=end, text=text[span.start:end], value=name, cost=max(span.cost, 0.02))
                found.setdefault((span.start, end), {}).setdefault(name, whole)
        taken = [place for place in found if not any(a <= place[0] and place[1] <= b and (a, b) != place for a, b in found)]
        rest = [
            span for span in spans
            if not any(begin <= span.start < end for begin, end in taken)
            and not (span.concept == "{person}" and any(begin <= span.start < end for begin, end in told))
        ]
        return [*rest, *(whole for place in taken for name, whole in found[place].items() if name or len(found[place]) == 1)]

    def _next(self, text: str, span: Span) -> tuple[Of, int] | None:
        """What of this person is spoken of, and where that ends; None where the person is meant."""
        person = self._known(span.value)
        found = _NEXT.match(text, span.end)
        if found is None:
            found = _AT_ONCE.match(text, span.end)
            grandchild = person is not None and person.kin in (*_GRAND, *_DAUGHTERS_GRAND)
            if found and found.lastgroup in ("FATHER", "MOTHER") and not grandchild:
                return None
        if found is None or found.lastgroup is None:
            return None
        of = Of[found.lastgroup]
        if of is Of.WIFE and person is not None and person.kin not in MALE:
            of = Of.HUSBAND  # 爱人, 那口子
        return of, found.end()

    def _related(self, name: str, of: Of) -> tuple[str, ...]:
        """Who that is, several where it cannot be told; ("",) for nobody known."""
        owner = self._known(name)
        if owner is None:
            return ("",)
        wanted = _RELATED.get((owner.kin, of), ())
        fitting = [person for person in self._people if person.kin in wanted and person.name != name]
        same = [person for person in fitting if of in (Of.WIFE, Of.HUSBAND) and owner.rank and person.rank == owner.rank]
        return tuple(person.name for person in same or fitting) or ("",)

    def _known(self, name: str) -> _Person | None:
        return next((person for person in self._people if person.name == name), None)
