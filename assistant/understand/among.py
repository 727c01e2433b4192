"""Which of a few people, medicines or reminders is described rather than named: 大的那个, 晚上吃的, 后半晌那个."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assistant.home import Contact, Household, Medicine
from assistant.understand.kin import MALE, RANKS, kin_of

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
_NOT_THIS = re.compile(r"(?:不是|不要|不找|别找|别叫|莫找|唔系|唔要|勿是|勿要|不(?:跟|同|和)).{0,6}$")
"""Before a description: it is denied."""
_IS_CHOSEN = re.compile(r"(?:的|个)?(?:那个|这个)?(?:儿子|女儿|闺女|姑娘|孙子|孙女)?[吧啊呀嘛啦]?$|(?:的)?[那这]个")
"""Behind one: this is the choice and no reason."""


def described(text: str, options: Sequence[str], home: Household) -> str:
    """The option that is told of by its place among the others; "" where none is, or more than one may be meant."""
    for told in (_by_rank, _by_sex, _by_hour):
        if chosen := told(text, options, home):
            return chosen
    return ""


def _by_rank(text: str, options: Sequence[str], home: Household) -> str:
    people = [contact for contact in home.family if contact.name in options]
    kin = [kin_of(contact.relation) for contact in people]
    if len(people) != len(options) or len({one for _, one in kin}) != 1 or any(not rank for rank, _ in kin):
        return ""
    names = [person.name for person, _ in sorted(zip(people, kin, strict=True), key=lambda one: RANKS.index(one[1][0]))]
    return _only(text, [(pattern, names[place]) for pattern, place in _RANKED if -len(names) <= place < len(names)])


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
    """The one option that is described and not denied; of several the one that is not only given a reason."""
    seen = [(place, name) for pattern, name in ways for place in pattern.finditer(text) if not _NOT_THIS.search(text[:place.start()])]
    if len({name for _, name in seen}) > 1:
        seen = [(place, name) for place, name in seen if _IS_CHOSEN.match(text, place.end())]
    names = {name for _, name in seen}
    return names.pop() if len(names) == 1 else ""
