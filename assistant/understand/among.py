"""Which of a few people, medicines, services or reminders is described rather than named: 大的那个, 晚上吃的, 腰弯不下去，喊抹地板那个.

What is denied is taken apart from what is said first (不是喝的，|是吸的那个). All that is known of each option speaks for it, and what a denial
describes is never chosen.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from assistant.home import Contact, Household, Medicine
from assistant.understand.kin import MALE, RANKS, generation, kin_of
from assistant.understand.looks import Looks
from assistant.understand.services import Services

_PARTS: Mapping[str, str] = {
    "morning": "早|清晨|天亮|起床|上午|前晌|前半晌|上半日", "noon": "中午|晌午|晏昼|午饭|午觉前|中饭|中饭后",
    "afternoon": "下午|后半晌|后晌|下昼|下半日|午睡起", "evening": "晚|夜|睡前|临睡|困觉前|擦黑|天黑",
}
"""Parts of the day as one says them."""
_HOURS: Mapping[str, tuple[int, int]] = {"morning": (4, 11), "noon": (11, 14), "afternoon": (14, 17), "evening": (17, 24)}
"""Hours [from, to) at which a medicine is one of that part."""
_RANKED = (
    (re.compile(r"(?:年纪|岁数)?(?:最)?大的|老大(?!爷|妈)|大那个|年长的"), 0),
    (re.compile(r"(?:年纪|岁数)?(?:最)?小的|老[幺小满](?!伴)|小那个|幺的|细的"), -1),
    (re.compile(r"老二|二的那个|中间那个"), 1), (re.compile(r"老三"), 2),
)
"""How one of several is told by rank, and its place among them from the eldest."""
_SEXES = (
    (re.compile(r"男的|男娃|男孩|小伙子|男人|后生|伢子"), True), (re.compile(r"女的|女娃|女孩|姑娘家|女人家"), False),
)
"""The same by sex; whether it is a man."""
_GENERATIONS = (
    (re.compile(r"(?:年纪|岁数)?(?:最)?小的|小那个|年轻的|小辈|晚辈|细的|嫩的"), -1),
    (re.compile(r"(?:年纪|岁数)?(?:最)?(?:大|老)的|[大老]那个|年长的|老辈|长辈|[他她伊](?:老子|爸|爹|妈|娘|老汉)|当(?:爹|爸|妈|娘|老子)的"), 0),
)
"""The same by generation, and the place among them from the eldest."""
_DENIED = re.compile(
    r"(?:不是(?!.*[吗么]$)|不要|不找|不叫|不喊|不请|不约|别找|别叫|别喊|莫找|莫叫|莫喊|莫要|唔系|唔要|唔好揾|勿是|勿要|弗是|不(?:跟|同|和))(?:要|找|叫|喊|说|讲|请)?"
    r"(?P<what>(?P<short>[^的，]{1,8}的(?:[那嗰][个只种])?)?.*?)(?=，|(?:而|就)?[是系](?!不)|我?[要找喊叫](?!的)|另外|换|$)"
)
"""A denial, and what it denies: to where something else is said, or where what may be something else begins: 不是大的|小的那个."""
_PUT_OFF = re.compile(
    r"(?P<what>[^的那呀啊嘛呢吧，]{1,5}的?(?:那[个桩只位件样])?)(?:就|先|暂时|也|都|倒){0,2}"
    r"(?:不急|不忙|不用|不要|不消|不找|算了|免了|回头再|以后再|下回再|过几天再|慢点再|勿急|勿忙|勿用|唔急|唔使|莫忙|莫慌)"
)
"""The same behind it: 灯泡|先不急."""
TELLING = 3.0
"""What a place among the others, a sex or an hour weighs: more than a colour."""
ENOUGH, AHEAD = 1.0, 1.0
"""What must speak for an option, and by how much more than for the next."""
_IS_CHOSEN = re.compile(r"(?:的|个)?(?:那个|这个)?(?:儿子|女儿|闺女|姑娘|孙子|孙女)?[吧啊呀嘛啦]?$|(?:的)?[那这]个")
"""Behind one: this is the choice and no reason."""


def described(text: str, options: Sequence[str], home: Household, looks: Looks | None = None, known: Mapping[str, tuple[Sequence[str], Sequence[str]]] | None = None) -> str:
    """The option that is told of; "" where none is, or more than one may be meant.

    `known`: what the family calls a medicine or a service and writes of it, and what everybody calls one like it.
    """
    words = Services((option, *known[option]) for option in options if option in known) if known else None
    told = {chosen for part in ("what", "short") if (chosen := _told(*parted(text, part), options, home, looks, words))}
    return told.pop() if len(told) == 1 else ""


def _told(said: str, denied: Sequence[str], options: Sequence[str], home: Household, looks: Looks | None, words: Services | None) -> str:
    """The option that is best described by what is said, and not by what is denied."""
    gone = {option for part in denied for option in _meant(_scores(part, options, home, looks, words))}
    left = tuple(option for option in options if option not in gone)
    if len(left) == 1 and gone:
        return left[0]
    scores = _scores(said, options, home, looks, words)
    ranked = sorted(left, key=lambda option: -scores[option])
    if not ranked or scores[ranked[0]] < ENOUGH or (len(ranked) > 1 and scores[ranked[0]] - scores[ranked[1]] < AHEAD):
        return ""
    return ranked[0]


def parted(text: str, part: str = "what") -> tuple[str, tuple[str, ...]]:
    """What is said and what is denied: 往耳朵里滴的，不是往嘴里喷的 → 往耳朵里滴的, (往嘴里喷的,). `part`: how far a denial reaches."""
    denied: list[str] = []

    def taken(found: re.Match[str]) -> str:
        name = part if part in found.re.groupindex and found[part] else "what"
        denied.append(found[name])
        return "，" + found["what"][len(found[name]):]

    return _PUT_OFF.sub(taken, _DENIED.sub(taken, text)), tuple(denied)


def _meant(scores: Mapping[str, float]) -> list[str]:
    """Whom a denial describes, all who are described as well."""
    best = max(scores.values(), default=0.0)
    return [option for option, score in scores.items() if score == best >= ENOUGH]


def _scores(text: str, options: Sequence[str], home: Household, looks: Looks | None, words: Services | None) -> Mapping[str, float]:
    """What speaks for each option."""
    scores: dict[str, float] = defaultdict(float)
    for told in (_by_rank, _by_generation, _by_sex, _by_hour):
        if chosen := told(text, options, home):
            scores[chosen] += TELLING
    for found in (looks.likeness(text, options) if looks else {}, words.votes(text) if words else {}):
        for option, score in found.items():
            scores[option] += score
    return scores


def _by_rank(text: str, options: Sequence[str], home: Household) -> str:
    people = [contact for contact in home.family if contact.name in options]
    kin = [kin_of(contact.relation) for contact in people]
    if len(people) != len(options) or len({one for _, one in kin}) != 1 or any(not rank for rank, _ in kin):
        return ""
    names = [person.name for person, _ in sorted(zip(people, kin, strict=True), key=lambda one: RANKS.index(one[1][0]))]
    return _only(text, [(pattern, names[place]) for pattern, place in _RANKED if -len(names) <= place < len(names)])


def _by_generation(text: str, options: Sequence[str], home: Household) -> str:
    kin = {contact.name: kin_of(contact.relation)[1] for contact in home.family if contact.name in options}
    depths = {name: depth for name, one in kin.items() if one is not None and (depth := generation(one)) is not None}
    if len(depths) != len(options) or len({*depths.values()}) < 2:
        return ""
    ends = {place: [name for name, depth in depths.items() if depth == end] for place, end in ((0, min(depths.values())), (-1, max(depths.values())))}
    return _only(text, [(pattern, ends[place][0]) for pattern, place in _GENERATIONS if len(ends[place]) == 1])


def _by_sex(text: str, options: Sequence[str], home: Household) -> str:
    sexes = {contact.name: _is_male(contact) for contact in home.family if contact.name in options}
    if len(sexes) != len(options) or None in sexes.values():
        return ""
    return _only(text, [
        (pattern, next(iter(alike))) for pattern, male in _SEXES
        if len(alike := [name for name, sex in sexes.items() if sex is male]) == 1
    ])


def _is_male(contact: Contact) -> bool | None:
    kin = kin_of(contact.relation)[1]
    return kin in MALE if kin is not None else None


def _by_hour(text: str, options: Sequence[str], home: Household) -> str:
    """By a part of the day that only one of them belongs to: medicines by their hours, reminders by what is said of them."""
    medicines = {medicine.name: medicine for medicine in home.medicines}
    days = {option: _parts_of(medicines[option]) if option in medicines else _parts_in(option) for option in options}
    return _only(text, [
        (re.compile(words), next(iter(fitting))) for part, words in _PARTS.items()
        if len(fitting := [option for option, parts in days.items() if part in parts]) == 1
    ])


def _parts_of(medicine: Medicine) -> frozenset[str]:
    at = [int(clock[:2]) for clock in medicine.schedule.at] if medicine.schedule else []
    return frozenset(part for part, (begin, end) in _HOURS.items() if any(begin <= hour < end for hour in at))


def _parts_in(text: str) -> frozenset[str]:
    return frozenset(part for part, words in _PARTS.items() if re.search(words, text))


def _only(text: str, ways: Sequence[tuple[re.Pattern[str], str]]) -> str:
    """The one option that is described; of several the one that is not only given a reason."""
    seen = [(place, name) for pattern, name in ways for place in pattern.finditer(text)]
    if len({name for _, name in seen}) > 1:
        seen = [(place, name) for place, name in seen if _IS_CHOSEN.match(text, place.end())]
    names = {name for _, name in seen}
    return names.pop() if len(names) == 1 else ""
