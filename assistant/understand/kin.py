"""Whose husband, mother or boy is meant: 强子媳妇, 豪豪他妈, 我姐姐屋头那个娃儿. Somebody's husband is never that somebody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    BROTHERS_GRANDSON = auto()
    BROTHERS_GRANDDAUGHTER = auto()
    BROTHERS_SONS_WIFE = auto()
    BROTHERS_DAUGHTERS_HUSBAND = auto()
    SISTERS_SONS_WIFE = auto()
    SISTERS_DAUGHTERS_HUSBAND = auto()
    GRANDSONS_WIFE = auto()
    GRANDDAUGHTERS_HUSBAND = auto()
    STEPSON = auto()
    STEPDAUGHTER = auto()
    FOSTER_SON = auto()
    FOSTER_DAUGHTER = auto()
    GODSON = auto()
    GODDAUGHTER = auto()
    GODCHILDS_SON = auto()
    GODCHILDS_DAUGHTER = auto()
    SPOUSE = auto()
    SPOUSES_BROTHER = auto()
    SPOUSES_SISTER = auto()
    SPOUSES_SISTERS_HUSBAND = auto()
    CHILDS_FATHER_IN_LAW = auto()
    CHILDS_MOTHER_IN_LAW = auto()


class Of(Enum):
    """What somebody is to somebody else."""

    WIFE = auto()
    HUSBAND = auto()
    FATHER = auto()
    MOTHER = auto()
    SON = auto()
    DAUGHTER = auto()
    CHILD = auto()
    GRANDSON = auto()
    GRANDDAUGHTER = auto()
    FATHER_IN_LAW = auto()
    MOTHER_IN_LAW = auto()
    BROTHER = auto()
    SISTER = auto()
    FATHERS_SISTER = auto()
    MOTHERS_BROTHER = auto()
    STRANGER = auto()
    """A teacher, a colleague, an aunt: nobody the family's file tells of."""


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
    Kin.BROTHERS_GRANDSON: ("侄孙", "侄孙子"), Kin.BROTHERS_GRANDDAUGHTER: ("侄孙女", "侄孙女儿"),
    Kin.BROTHERS_SONS_WIFE: ("侄媳妇", "侄媳", "侄儿媳妇"), Kin.BROTHERS_DAUGHTERS_HUSBAND: ("侄女婿",),
    Kin.SISTERS_SONS_WIFE: ("外甥媳妇", "外甥媳"), Kin.SISTERS_DAUGHTERS_HUSBAND: ("外甥女婿",),
    Kin.GRANDSONS_WIFE: ("孙媳妇", "孙媳"), Kin.GRANDDAUGHTERS_HUSBAND: ("孙女婿",),
    Kin.STEPSON: ("继子",), Kin.STEPDAUGHTER: ("继女",), Kin.FOSTER_SON: ("养子",), Kin.FOSTER_DAUGHTER: ("养女",),
    Kin.GODSON: ("干儿子", "干崽"), Kin.GODDAUGHTER: ("干女儿", "干闺女"), Kin.GODCHILDS_SON: ("干孙子", "干孙"), Kin.GODCHILDS_DAUGHTER: ("干孙女",),
    Kin.SPOUSES_SISTERS_HUSBAND: ("连襟",), Kin.CHILDS_FATHER_IN_LAW: ("亲家公", "亲家翁"), Kin.CHILDS_MOTHER_IN_LAW: ("亲家母", "亲家婆"),
}
_SEVERAL: Mapping[Kin, tuple[str, ...]] = {
    Kin.SPOUSES_BROTHER: ("小舅子", "大舅子", "内弟", "内兄", "小叔子", "大伯子"), Kin.SPOUSES_SISTER: ("小姨子", "大姨子", "小姑子", "大姑子"),
}
"""The same for kins within which one word is not the other."""
_KIN = {word: kin for table in (_CALLED, _SEVERAL) for kin, words in table.items() for word in words}
_ADOPTED: Mapping[Kin, Kin] = {Kin.STEPSON: Kin.SON, Kin.FOSTER_SON: Kin.SON, Kin.STEPDAUGHTER: Kin.DAUGHTER, Kin.FOSTER_DAUGHTER: Kin.DAUGHTER}
"""Who is called like a child of one's own, where there is none."""
_SPOUSES = frozenset({"老伴", "老伴儿", "爱人", "妻子", "老婆", "太太", "丈夫", "老公"})

_WORDS: Mapping[Of, str] = {
    Of.WIFE: "媳妇儿?|老婆|堂客|婆姨|婆娘|妻子|太太|娘子|家主婆|屋里的|屋里人|爱人|那口子|老伴儿?",
    Of.HUSBAND: "男人|老公|丈夫|当家的|爱人|那口子|老伴儿?|老头子",
    Of.FATHER: "爸爸?|爹爹?|老爸|老汉儿?|老豆|父亲|阿爸|老子",
    Of.MOTHER: "妈妈?|娘|老妈|姆妈|母亲|阿妈|老娘",
    Of.SON: "大?儿子|小儿子|小子|崽崽?|男孩儿?|男娃儿?|伢子|仔|儿",
    Of.DAUGHTER: "大?女儿|小女儿|闺女|丫头|姑娘|囡囡?|女娃儿?|妹崽|妹陀|女孩儿?|女子|女仔|女(?![的人孩娃仔子婿友朋同伴老教医护学士警司主房邻工售服店])",
    Of.CHILD: "孩子|小孩儿?|娃娃?|娃儿|宝宝|细伢子?|细路|小囡",
    Of.GRANDSON: "大?孙子|孙儿|孙伢子|孙娃儿?", Of.GRANDDAUGHTER: "大?孙女儿?|孙囡囡?|孙妹子",
    Of.FATHER_IN_LAW: "公公|老丈人|丈人|岳父", Of.MOTHER_IN_LAW: "婆婆|丈母娘|岳母",
    Of.BROTHER: "哥哥?|弟弟?|兄弟|老弟|大哥", Of.SISTER: "姐姐?|妹妹?|妹子|姐妹",
    Of.FATHERS_SISTER: "[大小二]?姑姑?|姑妈|嬢嬢|孃孃", Of.MOTHERS_BROTHER: "[大小二]?舅舅?|娘舅|舅父",
    Of.STRANGER: "亲家|老师|班主任|同学|朋友|同事|领导|老板|对象|男朋友|女朋友|女同事|女同学|女婿|司机|秘书|徒弟|师傅|房东|单位|公司|办公室|表哥|表弟|表姐|表妹|堂哥|堂弟|侄子|侄女|外甥女?|外孙女?|重孙女?|干儿子|干女儿|邻居|亲戚|爷爷|奶奶|外公|外婆|姥姥|姥爷|爹爹|姨妈?|叔叔?|大伯|嫂子|弟媳|姐夫|妹夫|儿媳妇?",
}
_LINK = r"(?:[的得地](?:那个)?|(?:[他她它佢伊渠]们?)(?:的|(?:家|屋)(?:里|头|里头)?的?)?(?:那个)?|(?:家|屋)(?:里|头|里头|里厢)?的?(?:那个)?|带(?:过|进)?来的(?:那个)?)"
_END = r"(?![们子儿祖外婆爷奶夫])"
_NEXT = re.compile("|".join(
    rf"(?P<{of.name}>(?:{_LINK})(?:{words}){_END})" for of, words in _WORDS.items()
))
"""Behind a name, with a link: whose it is."""
_AT_ONCE = re.compile(rf"(?P<WIFE>(?:媳妇儿?|老婆|堂客|婆姨|家主婆|屋里的|老伴儿?){_END})|(?P<HUSBAND>(?:老公|男人){_END})|(?P<FATHER>(?:爸爸?|爹爹?|阿爸|老汉儿?|老豆){_END})|(?P<MOTHER>(?:妈妈?|阿妈|姆妈|娘){_END})|(?P<STRANGER>班主任|老师|单位|公司|办公室|学校|同学|婆婆|丈母娘)")
"""The same right behind a name: 强子媳妇; of a parent only behind a grandchild's."""
_THAT_CHILD = re.compile(rf"(?:那个|个)(?:(?P<SON>大?儿子{_END})|(?P<DAUGHTER>大?女儿|闺女)|(?P<WIFE>媳妇儿?|老婆|堂客)|(?P<HUSBAND>老公|丈夫))")
"""The same with 那个 alone: 强子那个小子 may be himself, 强子那个儿子 is not."""
_A_SIBLINGS = re.compile(rf"(?:那个|个)?(?:(?P<SON>大?儿子{_END})|(?P<DAUGHTER>大?女儿|闺女)|(?P<HUSBAND>老公{_END})|(?P<CHILD>孩子))|(?:那个|个)(?:(?P<BOY>{_WORDS[Of.SON]}){_END}|(?P<GIRL>{_WORDS[Of.DAUGHTER]}){_END}|(?P<ANY>{_WORDS[Of.CHILD]}|伢){_END})")
"""Behind a brother or a sister of the elder, who is no child: 我老弟那个女, 我姐儿子."""
_YOUNG = {"BOY": Of.SON, "GIRL": Of.DAUGHTER, "ANY": Of.CHILD}
_MINE = r"(?:[我额俺咱吾阮](?:们)?(?:家|屋里|屋头)?(?:的|个)?|(?:阿拉|伲)(?:屋里|家)?的?)"
_ASKED_OF = r"(?:(?<=[给跟和找叫喊让对同帮拨畀俾与替问向])|^)"
"""Before a relation: it is the elder's own, and nobody else's sister."""
_TELLS = re.compile(rf"(?:告诉|转告|通知|提醒|[给跟和对同][^，]{{0,3}}(?:说|讲|捎句话)){_MINE}?$")
"""Behind these 敏敏她儿子发烧了 is told to 敏敏, and 小军老师今天没来 to 小军."""
_INTRODUCED = re.compile(r"[给跟和找叫喊诉对向同拨俾畀]$")
"""Before a name; beside a relative one heard by its sound alone is none without: 我问问 is no 雯雯."""
_THAT_ONE = r"的(?:那个|那位|那只|人)?"
_DEEDS: Sequence[tuple[re.Pattern[str], re.Pattern[str], Of]] = (
    (re.compile(rf"[讨娶](?:了|到)?{_MINE}?$"), re.compile(rf"(?:[做当为])?(?:了)?(?:{_WORDS[Of.WIFE]}|新娘子?)?{_THAT_ONE}"), Of.HUSBAND),
    (re.compile(rf"嫁(?:[给把拨畀俾了])?{_MINE}?$"), re.compile(rf"(?:[做当为])?(?:了)?(?:{_WORDS[Of.WIFE]})?{_THAT_ONE}"), Of.WIFE),
    (re.compile(rf"生(?:了|下)?{_MINE}?$"), re.compile(_THAT_ONE), Of.MOTHER),
)
"""Around a name: what somebody did who is meant. 讨晓燕做娘子的那个."""
_HIS = re.compile("|".join(
    rf"(?P<{of.name}>[他她伊佢渠](?:的|家的?)?(?:{words}){_END})" for of, words in _WORDS.items()
))
"""Whose it is told by a word for somebody named before: 丽丽上班呢，找她妹."""

MALE = frozenset({
    Kin.SON, Kin.SON_IN_LAW, Kin.GRANDSON, Kin.DAUGHTERS_SON, Kin.ELDER_BROTHER, Kin.YOUNGER_BROTHER, Kin.ELDER_SISTERS_HUSBAND,
    Kin.YOUNGER_SISTERS_HUSBAND, Kin.BROTHERS_SON, Kin.SISTERS_SON, Kin.BROTHERS_GRANDSON, Kin.BROTHERS_DAUGHTERS_HUSBAND,
    Kin.SISTERS_DAUGHTERS_HUSBAND, Kin.GRANDDAUGHTERS_HUSBAND, Kin.STEPSON, Kin.FOSTER_SON, Kin.GODSON, Kin.GODCHILDS_SON, Kin.SPOUSES_BROTHER,
    Kin.SPOUSES_SISTERS_HUSBAND, Kin.CHILDS_FATHER_IN_LAW,
})
_SONS = (Kin.SON, Kin.DAUGHTER_IN_LAW, Kin.STEPSON, Kin.FOSTER_SON)
_DAUGHTERS = (Kin.DAUGHTER, Kin.SON_IN_LAW, Kin.STEPDAUGHTER, Kin.FOSTER_DAUGHTER)
_GRAND = (Kin.GRANDSON, Kin.GRANDDAUGHTER)
_DAUGHTERS_GRAND = (Kin.DAUGHTERS_SON, Kin.DAUGHTERS_DAUGHTER)
_BROTHERS = (Kin.ELDER_BROTHER, Kin.YOUNGER_BROTHER)
_BROTHERS_WIVES = (Kin.ELDER_BROTHERS_WIFE, Kin.YOUNGER_BROTHERS_WIFE)
_SISTERS = (Kin.ELDER_SISTER, Kin.YOUNGER_SISTER)
_SISTERS_HUSBANDS = (Kin.ELDER_SISTERS_HUSBAND, Kin.YOUNGER_SISTERS_HUSBAND)
_BROTHERS_OWN = (*_BROTHERS, *_BROTHERS_WIVES)
_SISTERS_OWN = (*_SISTERS, *_SISTERS_HUSBANDS)
_NEPHEWS = (Kin.BROTHERS_SON, Kin.BROTHERS_DAUGHTER)
_SISTERS_CHILDREN = (Kin.SISTERS_SON, Kin.SISTERS_DAUGHTER)
_GODCHILDREN = (Kin.GODSON, Kin.GODDAUGHTER)
_GOD_GRAND = (Kin.GODCHILDS_SON, Kin.GODCHILDS_DAUGHTER)
_COUPLES: Sequence[tuple[tuple[Kin, ...], tuple[Kin, ...]]] = (
    ((Kin.SON,), (Kin.DAUGHTER_IN_LAW,)), ((Kin.SON_IN_LAW,), (Kin.DAUGHTER,)), *(((one,), (other,)) for one, other in zip(_BROTHERS, _BROTHERS_WIVES, strict=True)),
    *(((one,), (other,)) for one, other in zip(_SISTERS_HUSBANDS, _SISTERS, strict=True)), ((Kin.GRANDSON,), (Kin.GRANDSONS_WIFE,)),
    ((Kin.GRANDDAUGHTERS_HUSBAND,), (Kin.GRANDDAUGHTER, Kin.DAUGHTERS_DAUGHTER)), ((Kin.BROTHERS_SON,), (Kin.BROTHERS_SONS_WIFE,)),
    ((Kin.BROTHERS_DAUGHTERS_HUSBAND,), (Kin.BROTHERS_DAUGHTER,)), ((Kin.SISTERS_SON,), (Kin.SISTERS_SONS_WIFE,)),
    ((Kin.SISTERS_DAUGHTERS_HUSBAND,), (Kin.SISTERS_DAUGHTER,)), ((Kin.SPOUSES_SISTERS_HUSBAND,), (Kin.SPOUSES_SISTER,)),
    ((Kin.CHILDS_FATHER_IN_LAW,), (Kin.CHILDS_MOTHER_IN_LAW,)), ((Kin.STEPSON,), (Kin.DAUGHTER_IN_LAW,)), ((Kin.FOSTER_SON,), (Kin.DAUGHTER_IN_LAW,)),
    ((Kin.SON_IN_LAW,), (Kin.STEPDAUGHTER,)), ((Kin.SON_IN_LAW,), (Kin.FOSTER_DAUGHTER,)),
)
"""Husbands and wives."""
_CHILDREN: Sequence[tuple[tuple[Kin, ...], tuple[Kin, ...]]] = (
    (_SONS, _GRAND), (_DAUGHTERS, _DAUGHTERS_GRAND), (_BROTHERS_OWN, _NEPHEWS), (_SISTERS_OWN, _SISTERS_CHILDREN), (_GODCHILDREN, _GOD_GRAND),
    ((Kin.BROTHERS_SON, Kin.BROTHERS_SONS_WIFE), (Kin.BROTHERS_GRANDSON, Kin.BROTHERS_GRANDDAUGHTER)), ((Kin.SPOUSE,), (Kin.STEPSON, Kin.STEPDAUGHTER)),
)
"""Parents, and what their sons and daughters are to the elder."""
_FATHERS: Mapping[tuple[Kin, ...], tuple[tuple[Kin, ...], tuple[Kin, ...]]] = {
    _GRAND: ((Kin.SON, Kin.STEPSON, Kin.FOSTER_SON), (Kin.DAUGHTER_IN_LAW,)), _DAUGHTERS_GRAND: ((Kin.SON_IN_LAW,), (Kin.DAUGHTER, Kin.STEPDAUGHTER, Kin.FOSTER_DAUGHTER)),
    _NEPHEWS: (_BROTHERS, _BROTHERS_WIVES), _SISTERS_CHILDREN: (_SISTERS_HUSBANDS, _SISTERS), _GOD_GRAND: ((Kin.GODSON,), (Kin.GODDAUGHTER,)),
    (Kin.BROTHERS_GRANDSON, Kin.BROTHERS_GRANDDAUGHTER): ((Kin.BROTHERS_SON,), (Kin.BROTHERS_SONS_WIFE,)),
}
"""Children, and what their father and mother are."""


def _table() -> Mapping[tuple[Kin, Of], tuple[Kin, ...]]:
    table: dict[tuple[Kin, Of], tuple[Kin, ...]] = {}
    for husbands, wives in _COUPLES:
        for one, of, others in (*((one, Of.WIFE, wives) for one in husbands), *((one, Of.HUSBAND, husbands) for one in wives)):
            table[one, of] = tuple(dict.fromkeys((*table.get((one, of), ()), *others)))
    for parents, (son, daughter) in _CHILDREN:
        table |= {(kin, Of.SON): (son,) for kin in parents} | {(kin, Of.DAUGHTER): (daughter,) for kin in parents} | {(kin, Of.CHILD): (son, daughter) for kin in parents}
    for children, (fathers, mothers) in _FATHERS.items():
        table |= {(kin, Of.FATHER): fathers for kin in children} | {(kin, Of.MOTHER): mothers for kin in children}
    for kin in (Kin.SON, Kin.DAUGHTER):
        table |= {(kin, Of.BROTHER): (Kin.SON,), (kin, Of.SISTER): (Kin.DAUGHTER,)}
        table |= {(kin, Of.FATHER_IN_LAW): (Kin.CHILDS_FATHER_IN_LAW,), (kin, Of.MOTHER_IN_LAW): (Kin.CHILDS_MOTHER_IN_LAW,)}
    for son, daughter in (_GRAND, _DAUGHTERS_GRAND):
        table |= {(kin, Of.BROTHER): (son,) for kin in (son, daughter)} | {(kin, Of.SISTER): (daughter,) for kin in (son, daughter)}
    for kin in _BROTHERS:
        table |= {(kin, Of.GRANDSON): (Kin.BROTHERS_GRANDSON,), (kin, Of.GRANDDAUGHTER): (Kin.BROTHERS_GRANDDAUGHTER,)}
    table |= {(kin, Of.FATHERS_SISTER): (Kin.DAUGHTER,) for kin in _GRAND} | {(kin, Of.MOTHERS_BROTHER): (Kin.SON,) for kin in _DAUGHTERS_GRAND}
    return table | {(Kin.SPOUSE, Of.BROTHER): (Kin.SPOUSES_BROTHER,), (Kin.SPOUSE, Of.SISTER): (Kin.SPOUSES_SISTER,)}


_RELATED = _table()
"""(what the owner is to the elder, what is wanted of the owner) → what that is to the elder."""


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    """Of the family's file; "" for one it does not know."""
    kin: Kin | None
    rank: str = ""


def kin_of(relation: str) -> tuple[str, Kin | None]:
    """Rank and kin of a relation: 大儿媳 → (大, DAUGHTER_IN_LAW); no kin for 邻居."""
    if relation in _KIN:
        return "", _KIN[relation]
    if relation[:1] in RANKS and relation[1:] in _KIN:
        return relation[0], _KIN[relation[1:]]
    return "", None


def names_of(kin: Kin) -> tuple[str, ...]:
    """What such a relative is called in the family's files."""
    return _CALLED.get(kin, ())


def like(kin: Kin) -> Kin | None:
    """Whose name such a relative is called by, too: a stepdaughter is 女儿 where there is none."""
    return _ADOPTED.get(kin)


_GENERATIONS: Mapping[int, tuple[Kin, ...]] = {
    0: (Kin.SPOUSE, Kin.SPOUSES_BROTHER, Kin.SPOUSES_SISTER, Kin.SPOUSES_SISTERS_HUSBAND, *_BROTHERS_OWN, *_SISTERS_OWN),
    1: (*_SONS, *_DAUGHTERS, *_NEPHEWS, *_SISTERS_CHILDREN, *_GODCHILDREN, Kin.BROTHERS_SONS_WIFE, Kin.BROTHERS_DAUGHTERS_HUSBAND, Kin.SISTERS_SONS_WIFE, Kin.SISTERS_DAUGHTERS_HUSBAND),
    2: (*_GRAND, *_DAUGHTERS_GRAND, *_GOD_GRAND, Kin.GRANDSONS_WIFE, Kin.GRANDDAUGHTERS_HUSBAND, Kin.BROTHERS_GRANDSON, Kin.BROTHERS_GRANDDAUGHTER),
}


def generation(kin: Kin) -> int | None:
    """How many generations below the elder; None where it cannot be told."""
    return next((depth for depth, kins in _GENERATIONS.items() if kin in kins), None)


class Kinship:
    """The family of a home."""

    def __init__(self, family: Iterable[Contact], words: Mapping[str, str] | None = None, told: Iterable[tuple[re.Pattern[str], str, frozenset[str]]] = ()) -> None:
        """`words`: what a relation is called besides, 细佬 → 弟弟. `told`: how one speaks of somebody without his name, who that is and where he lives."""
        self._people = tuple(
            _Person(contact.name, kin, rank) for contact in family
            for rank, kin in [("", Kin.SPOUSE) if contact.relation in _SPOUSES else kin_of(contact.relation)] if kin is not None
        )
        self._told = tuple(told)
        self._own = {**{word: kin for word, name in (words or {}).items() if (kin := _KIN.get(name)) is not None and word[0] not in "我他她个"}, **_KIN}
        called = "|".join(sorted(self._own, key=len, reverse=True))
        spouse = f"{_WORDS[Of.WIFE]}|{_WORDS[Of.HUSBAND]}|老太婆"
        self._relation = re.compile(rf"(?:{_MINE}|{_ASKED_OF})(?P<rank>[{RANKS}细])?(?:(?P<kin>{called})|(?P<spouse>{spouse}))")

    def composed(self, text: str, spans: Sequence[Span]) -> list[Span]:
        """`spans` with 强子的媳妇 as one person: her whom the family's file knows, or nobody known; never 强子."""
        found: dict[tuple[int, int], dict[str, Span]] = {}
        told: list[tuple[int, int]] = []
        people = [span for span in spans if span.concept == "{person}"]
        for start, end, owner, cost in self._owners(text, people):
            first = self._next(text, end, owner)
            if first is None:
                continue
            if text[end] not in "的得地家里屋" and _TELLS.search(text[:start]):
                told.append((end, first[1]))
                continue
            last, meant = self._walk(text, end, owner)
            for name in {person.name for person in meant} or {""}:
                found.setdefault((start, last), {})[name] = Span(start, last, "{person}", text[start:last], max(cost, 0.02), name, exact=True)
        for start, end, name in (*self._by_deed(text, people), *self._described(text)):
            found.setdefault((start, end), {})[name] = Span(start, end, "{person}", text[start:end], 0.02, name, exact=True)
        taken = [place for place in found if not any(a <= place[0] and place[1] <= b and (a, b) != place for a, b in found)]
        rest = [
            span for span in spans
            if not any(begin <= span.start < end for begin, end in taken)
            and not (span.concept == "{person}" and any(begin <= span.start < end for begin, end in told))
            and not (span.concept == "{person}" and taken and not span.exact and not _INTRODUCED.search(text[:span.start]))
        ]
        return [*rest, *(whole for place in taken for name, whole in found[place].items() if name or len(found[place]) == 1)]

    def referred(self, text: str, spans: Sequence[Span]) -> tuple[str, ...]:
        """Who is meant by 她妹 or 他老婆 of somebody named before; nobody where nobody was."""
        for found in reversed([*_HIS.finditer(text)]):
            named = [span for span in spans if span.concept == "{person}" and span.end <= found.start()]
            last = max((span.end for span in named), default=0)
            owners = {span.value for span in named if span.end == last}
            owner = self._known(owners.pop()) if len(owners) == 1 else None
            if owner is not None and found.lastgroup:
                return tuple(person.name for person in self._related(owner, Of[found.lastgroup]) if person.name)
        return ()

    def _owners(self, text: str, people: Sequence[Span]) -> Iterator[tuple[int, int, _Person, float]]:
        """Whoever may be the owner: people that are named, and relations of the elder's own whom nobody here carries."""
        named = {span.end for span in people if span.value and span.exact}
        mine = [own for own in self._relation.finditer(text) if own.end() not in named]
        ends = {own.end() for own in mine}
        for span in people:
            if (span.exact or span.end not in ends) and not any(other.start < span.start and span.end <= other.end for other in people):
                yield span.start, span.end, self._known(span.value) or _Person("", None), span.cost
        for own in mine:
            yield own.start(), own.end(), _Person("", self._own[own["kin"]] if own["kin"] else Kin.SPOUSE, own["rank"] or ""), 0.02

    def _next(self, text: str, at: int, owner: _Person) -> tuple[Of, int] | None:
        """What of this person is spoken of, and where that ends; None where the person is meant."""
        found = _NEXT.match(text, at)
        if found is None and owner.kin in (*_BROTHERS_OWN, *_SISTERS_OWN):
            found = _A_SIBLINGS.match(text, at)
        if found is None:
            found = _THAT_CHILD.match(text, at) or _AT_ONCE.match(text, at)
            grandchild = owner.kin in (*_GRAND, *_DAUGHTERS_GRAND, *_GOD_GRAND)
            if found and found.lastgroup in ("FATHER", "MOTHER") and not grandchild:
                return None
        if found is None or found.lastgroup is None:
            return None
        of = _YOUNG.get(found.lastgroup) or Of[found.lastgroup]
        if of is Of.WIFE and owner.kin is not None and owner.kin not in MALE:
            of = Of.HUSBAND  # 爱人, 那口子
        return of, found.end()

    def _walk(self, text: str, at: int, owner: _Person) -> tuple[int, tuple[_Person, ...]]:
        """Where 我弟弟的儿子的媳妇 ends, and who that may be."""
        people: tuple[_Person, ...] = (owner,)
        while (following := self._next(text, at, people[0] if people else _Person("", None))) is not None:
            of, at = following
            people = tuple(dict.fromkeys(one for person in people for one in self._related(person, of)))
        return at, people

    def _related(self, owner: _Person, of: Of) -> tuple[_Person, ...]:
        """Who that is, several where it cannot be told; whom the file does not know without a name."""
        wanted = _RELATED.get((owner.kin, of), ()) if owner.kin is not None else ()
        fitting = [person for person in self._people if person.kin in wanted and person.name != owner.name]
        same = [person for person in fitting if of in (Of.WIFE, Of.HUSBAND) and owner.rank and person.rank == owner.rank]
        return tuple(same or fitting) or tuple(_Person("", kin) for kin in wanted)

    def _by_deed(self, text: str, people: Sequence[Span]) -> Iterator[tuple[int, int, str]]:
        for span in people:
            for before, behind, of in _DEEDS:
                deed, rest = before.search(text[:span.start]), behind.match(text, span.end)
                owner = self._known(span.value)
                if deed and rest and owner is not None:
                    for name in {person.name for person in self._related(owner, of)} or {""}:
                        yield deed.start(), rest.end(), name

    def _described(self, text: str) -> Iterator[tuple[int, int, str]]:
        for pattern, name, wheres in self._told:
            for found in pattern.finditer(text):
                where = found.groupdict().get("where")
                if not where or wheres:
                    yield found.start(), found.end(), name if not where or where in wheres else ""

    def _known(self, name: str) -> _Person | None:
        return next((person for person in self._people if person.name == name), None)
