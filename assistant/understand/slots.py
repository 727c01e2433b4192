"""From a sentence's words to the values of its slots: who, which medicine, which service, when, how much, and the rest.

A slot is found on its own in the sentence, whatever line the intent came from; `SCHEMA` says which intent carries which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from assistant.home import Care, Household
from assistant.messages import Slot
from assistant.understand import contrast, emergencies, free_words, numbers, readings, times
from assistant.understand import kin as kinship
from assistant.understand.looks import Looks
from assistant.understand.matcher import Span, Utterance, Word
from assistant.understand.phrasebook import Phrasebook
from assistant.understand.services import Services
from assistant.when import Recurrence

SCHEMA: Mapping[str, tuple[str, ...]] = {
    "emergency.call": ("kind",),
    "medication.taken": ("medicine",),
    "medication.not_taken": ("medicine",),
    "medication.taking": ("medicine",),
    "medication.unsure": ("medicine",),
    "medication.snooze": ("duration",),
    "medication.skip": ("medicine", "reason"),
    "medication.query": ("medicine",),
    "medication.extra": ("medicine",),
    "medication.stock": ("medicine",),
    "medication.restock": ("medicine", "amount"),
    "reminder.add": ("when", "what", "medicine"),
    "reminder.list": ("day",),
    "reminder.cancel": ("when", "what"),
    "call.video": ("person",),
    "call.voice": ("person",),
    "call.missed": ("person",),
    "message.send": ("person", "message"),
    "booking.create": ("service", "when", "note"),
    "booking.list": ("service",),
    "booking.change": ("service", "when"),
    "booking.cancel": ("service",),
    "diary.record": ("kind", "systolic", "diastolic", "value"),
    "diary.query": ("kind",),
}
"""Slots by intent (DESIGN §4)."""

NEED = "NEED_SERVICE"
"""Concept of the words that ask for a service by its lack: 水管漏了."""
NAMES = ("person", "medicine", "service")
FAR = 0.2
"""A name that sounds so much worse than the best one in the sentence is none: 够不够 for 布洛芬 beside 降糖药."""
ANYBODY = frozenset({"师傅", "阿姨", "大姐", "工人", "人", "小哥"})
"""Who comes, whatever for: yields to a service that is named beside it (约个师傅剪头发)."""
LOOSE = frozenset({"message.send", "reminder.add"})
"""Intents whose sentence holds free words."""
ALSO_EXPLAINED: Mapping[str, frozenset[str]] = {
    "medication": frozenset({"{medicine}", "{when}", "{day}", "{duration}"}),
    "reminder": frozenset({"{when}", "{day}", "{duration}", "{medicine}", "{number}"}),
    "call": frozenset({"{person}", "{when}"}),
    "message": frozenset({"{person}", "{when}", "{day}"}),
    "booking": frozenset({"{service}", "{when}", "{day}"}),
    "diary": frozenset({"{when}", "{day}", "{number}"}),
    "info": frozenset({"{day}"}),
    "emergency": frozenset({"KIN"}),
}
"""Slots whose words are no surprise in sentences of a skill."""

KIN_TAILS = ("儿子", "女儿", "闺女", "姑娘", "孙子", "孙女", "外孙", "丫头")
FORM = re.compile(r"(?:滴丸|喷雾剂?|气雾剂|糖浆|口服液|冲剂|滴眼液|贴膏)$")
"""The end of a medicine's name that is said for it where no other in the home has it: 滴丸数了十粒."""
IN_LAWS = frozenset({kinship.Kin.DAUGHTER_IN_LAW, kinship.Kin.SON_IN_LAW})
SIBLINGS = "哥弟姐妹"
NEIGHBOUR = "邻居"
WHERES = ("楼上", "楼下", "隔壁", "对门")
"""Where neighbours live."""
ADOPTED = 0.08
"""Price of 女儿 for a stepdaughter: one of the elder's own is meant before her."""
COLOURS = "白红粉黄蓝绿橙黑棕紫灰"
PILLS = ("药", "药片", "药丸", "那个", "的", "的那个", "的药", "小药片", "那片", "那粒", "片", "小片", "药粒", "的小药片", "的那片", "的那种", "那种", "颗颗", "片片", "丸丸", "粒粒", "颗", "粒", "圆片", "圆粒", "小颗", "小粒", "小圆片", "药片子", "疙瘩", "片子", "那颗", "的小颗", "的圆片")


# --- household words ----------------------------------------------------------------------------------------------


def household_words(home: Household, book: Phrasebook) -> Iterator[Word]:
    """Every way the elder may name a contact, a medicine or a service of this home."""
    for kind, named in (("person", _people(home, book)), ("medicine", _medicines(home, book)), ("service", _services(home, book))):
        owners: dict[str, dict[str, None]] = {}
        prices: dict[tuple[str, str], float] = {}
        for word, owner, price in named:
            if len(word) > 1 or price == 0.0:
                owners.setdefault(word, {})[owner] = None
                prices[word, owner] = min(price, prices.get((word, owner), 9.0))
        for marked, who in owners.items():
            word = marked.removeprefix("=")
            for owner in who:
                yield Word(word, "{" + kind + "}", len(word) == 1 or word != marked, owner, prices[marked, owner])
                if word != marked:
                    continue  # in these very characters only: 囡儿 sounds like 哪儿
                if len(word) >= 5:
                    for gap in range(1, len(word) - 1):
                        yield Word(word[:gap] + word[gap + 1:], "{" + kind + "}", False, owner, prices[word, owner] + 0.4)
                for wrong in _misheard(word, book):
                    yield Word(wrong, "{" + kind + "}", False, owner, prices[word, owner] + 0.1)
        for _, words, needs in book.hints.get(kind, ()):
            for word in (*words, *needs):
                if word not in owners and len(word) > 1 and word[0] != "=":
                    yield Word(word, "{" + kind + "}", False, "", 0.04)  # known to everybody, but not in this home
            for need in needs:
                yield Word(need, NEED, False, "", 0.0)


def _misheard(word: str, book: Phrasebook) -> Iterator[str]:
    for right, wrongs in book.heard.items():
        if right in word:
            yield from (word.replace(right, wrong) for wrong in wrongs)


def _hints(kind: str, own: Iterable[str], book: Phrasebook) -> Iterator[str]:
    own = tuple(own)
    for names, words, needs in book.hints.get(kind, ()):
        if any(name == mine or (len(name) > 2 and name in mine) for name in names for mine in own):
            yield from words
            yield from needs


def _people(home: Household, book: Phrasebook) -> Iterator[tuple[str, str, float]]:
    bases = [_kin(contact.relation) for contact in home.family]
    for contact, (rank, base) in zip(home.family, bases, strict=True):
        yield contact.name, contact.name, 0.0
        if len(contact.name) == 3:
            yield contact.name[1:], contact.name, 0.02
        if len(contact.name) == 2:
            yield "小" + contact.name[0], contact.name, 0.1
        if not base.endswith(KIN_TAILS):
            yield f"姓{contact.name[0]}的", contact.name, 0.05
        for nick in contact.nicknames:
            yield nick, contact.name, 0.0
        if not base:
            continue
        alone = sum(other == base for _, other in bases) == 1
        kin = kinship.kin_of(base)[1]
        for word in {base, *_hints("person", (base, contact.relation), book), *(kinship.names_of(kin) if kin else ())}:
            if len(word) == 2 and word[0] == "我":
                yield "=" + word, contact.name, 0.0  # 我没接着 is no 我妹
                continue
            if word[-1] in SIBLINGS:
                yield "=我" + word if len(word) == 1 else "我" + word, contact.name, 0.0  # 我妹妹 is somebody else's name in most homes, not in this one
            if len(word) == 1:
                continue
            if not rank:
                yield word, contact.name, 0.0
                if alone and (word in KIN_TAILS or kin in IN_LAWS):
                    for other in "大小二老":
                        yield other + word, contact.name, 0.08
            else:
                yield rank + word, contact.name, 0.0
                yield word, contact.name, 0.0
        if base[-1] in SIBLINGS and base != "徒弟":
            yield "=我" + base[-1], contact.name, 0.0
            yield "老" + base[-1], contact.name, 0.05
            if rank:
                yield rank + base[-1], contact.name, 0.0
        if contact.relation != base:
            yield contact.relation, contact.name, 0.0
        if base != NEIGHBOUR and contact.relation.endswith(NEIGHBOUR):
            yield NEIGHBOUR, contact.name, 0.0
        if rank in "大二三" and rank and base in ("儿子", "女儿", "闺女"):
            yield "老" + rank, contact.name, 0.0
        if (same := kinship.like(kin) if kin else None) is not None:
            for word in {*kinship.names_of(same), *_hints("person", kinship.names_of(same), book)}:
                if len(word) > 1 and word[0] not in "=我个":
                    yield word, contact.name, ADOPTED




def kin_words(book: Phrasebook) -> Mapping[str, str]:
    """What everybody calls a relative, and the relation that is: 细佬 → 弟弟."""
    return {
        word.removeprefix("="): name for names, words, _ in book.hints.get("person", ()) for name in names
        if kinship.kin_of(name)[1] is not None for word in words
    }


def people_told(home: Household, book: Phrasebook) -> Iterator[tuple[re.Pattern[str], str, frozenset[str]]]:
    """How one speaks of the people of this home by what they are to the elder, or by where they live, and who that is and where."""
    for contact in home.family:
        wheres = frozenset(where for where in WHERES if where in contact.relation or any(nick.startswith(where) for nick in contact.nicknames))
        for names, patterns in book.told.get("person", ()):
            if contact.relation.endswith(names) or any(nick.startswith(names) for nick in contact.nicknames):
                yield from ((pattern, contact.name, wheres) for pattern in patterns)


def _kin(relation: str) -> tuple[str, str]:
    """Rank and kin of a relation: 大女儿 → (大, 女儿), 二妹 → (二, 妹妹), 大儿媳 → (大, 儿媳)."""
    rank, kin = kinship.kin_of(relation)
    if rank and kin is not None:
        base = relation[1:]
        return rank, base if len(base) > 1 else kinship.names_of(kin)[0]
    if len(relation) > 2 and relation[0] in kinship.RANKS and any(relation.endswith(tail) for tail in KIN_TAILS):
        return relation[0], relation[1:]
    return "", relation


def _medicines(home: Household, book: Phrasebook) -> Iterator[tuple[str, str, float]]:
    for medicine in home.medicines:
        own = (medicine.name, *medicine.aka)
        for word in own:
            yield word, medicine.name, 0.0
        for word in _hints("medicine", own, book):
            yield word, medicine.name, 0.12  # dearer than what the family calls it: its own 抗凝药 wins
        if (form := FORM.search(medicine.name)) and sum(other.name.endswith(form[0]) for other in home.medicines) == 1:
            yield form[0], medicine.name, 0.12
        name = re.sub(r"(片|胶囊|缓释片|肠溶片|滴丸|颗粒|注射液)$", "", medicine.name)
        if name != medicine.name and len(name) > 1:
            yield name, medicine.name, 0.02
        if len(name) >= 3:
            yield name[-2:], medicine.name, 0.15
            yield name[:2], medicine.name, 0.15
        if medicine.looks:
            yield medicine.looks, medicine.name, 0.0
            for colour in medicine.looks:
                if colour in COLOURS:
                    shape = re.sub(rf"[{COLOURS}色的]", "", medicine.looks)
                    for shade in (colour, colour + "色", colour + "颜色"):
                        if shape:
                            yield shade + shape, medicine.name, 0.02
                            yield shade + "的" + shape, medicine.name, 0.02
                        for pill in PILLS:
                            if "小" in pill and "大" in medicine.looks:
                                continue
                            short = len(shade + pill) == 2  # 吃得成|药 is no 橙药
                            yield ("=" if short else "") + shade + pill, medicine.name, 0.05


def looks(home: Household, book: Phrasebook) -> Looks:
    """What the medicines of this home look like and are for, to be named in free word order."""
    return Looks([
        (medicine.name, (medicine.looks, *(word for word in medicine.aka)), medicine.aka, tuple(_hints("medicine", (medicine.name, *medicine.aka), book)))
        for medicine in home.medicines
    ])


def known_by(home: Household, book: Phrasebook) -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Every medicine and service with what the family calls it and writes of it, and what everybody calls one like it."""
    medicines = {one.name: ((one.name, *one.aka, one.looks, one.dose, one.note), tuple(_hints("medicine", (one.name, *one.aka), book))) for one in home.medicines}
    return medicines | {one.name: ((one.name, *one.aka), tuple(_hints("service", (one.name, *one.aka), book))) for one in home.services}


def services(home: Household, book: Phrasebook) -> Services:
    """The services of this home by the characters of their words."""
    return Services([(one.name, (one.name, *one.aka), tuple(_hints("service", (one.name, *one.aka), book))) for one in home.services])


def _services(home: Household, book: Phrasebook) -> Iterator[tuple[str, str, float]]:
    for service in home.services:
        own = (service.name, *service.aka)
        for word in own:
            yield word, service.name, 0.0
        for word in _hints("service", own, book):
            yield word, service.name, 0.03


# --- times and numbers --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Measures:
    """Times and numbers of an utterance."""

    times: list[times.Span] = field(default_factory=list)
    numbers: list[numbers.NumberSpan] = field(default_factory=list)
    now: datetime | None = None


_RUN = re.compile(r"[零一二三四五六七八九十百点两]{3,}")
"""Numbers run together, as in 一百四九十."""


def measures(text: str, now: datetime, care: Care) -> Measures:
    """Find them all; naive local times."""
    return Measures(times.find(text, now, care), numbers.find(text), now)


def measure_spans(text: str, found: Measures) -> Iterator[Span]:
    """They as spans of the utterance, under the slots' names."""
    for span in found.times:
        kind = "{duration}" if span.kind == "duration" else "{day}" if span.kind == "date" else "{when}"
        yield Span(span.start, span.end, kind, span.text, 0.0, exact=True)
        if span.length is not None and span.length > timedelta(0) and kind != "{duration}":
            yield Span(span.start, span.end, "{duration}", span.text, 0.02, exact=True)
    for number in found.numbers:
        yield Span(number.start, number.end, "{number}", "", 0.0, exact=True)
    for run in _RUN.finditer(text):
        if not any(number.start <= run.start() and run.end() <= number.end for number in found.numbers):
            yield Span(run.start(), run.end(), "{number}", "", 0.02, exact=True)


# --- filling ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filled:
    """Slots of one reading; `doubts` are slots where two values fit equally well."""

    slots: Mapping[str, Slot]
    doubts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def fill(
    intent: str, said: Utterance, found: Measures, values: Mapping[str, str], used: Sequence[Span] = (),
    options: Sequence[str] = (),
) -> Filled:
    """Values of all slots of `intent` in the utterance. `values`: kinds already read off the frames."""
    slots: dict[str, Slot] = {}
    doubts: dict[str, tuple[str, ...]] = {}
    for slot in SCHEMA.get(intent, ()):
        if slot in NAMES:
            names = _named(slot, intent, said)
            if len(names) == 1:
                slots[slot] = names[0]
            elif len(names) > 1:
                doubts[slot] = names
        elif slot == "kind":
            kind = KIND_OF.get(intent, _as_told)(said, values.get(slot, ""))
            if kind:
                slots[slot] = kind
        elif slot in ("when", "day"):
            value = _when(intent, said, found)
            if value is not None:
                slots[slot] = value
        elif slot == "duration":
            length = _duration(said, found)
            if length is not None:
                slots[slot] = length
        elif slot in ("systolic", "diastolic", "value"):
            slots.update(_reading(slot, said, str(slots.get("kind", ""))))
        else:
            text = FREE_TEXT[slot, intent if slot == "what" else ""](said, found)
            if text:
                slots[slot] = text
    if _ABOUT_A_MEDICINE.match(str(slots.get("what", ""))):
        slots.pop("medicine", None)
        doubts.pop("medicine", None)
    return Filled(slots, doubts)


_ABOUT_A_MEDICINE = re.compile(r"(?:去|把|跟|给|先|再)?(?:问|带|买|拿|取|开|摆|数|收|找|告诉|说|退|还|送|配|装|摊|晒)|把(?!.{1,8}(?:吃|喝|服|打|贴|滴|喷|吸))|给.{1,4}(?:说|讲|打电话)")
"""What is to be done with a medicine besides taking it: 买降糖药, 问张护士小白片能不能停."""


def _leaves_open(between: str, intent: str) -> bool:
    """Whether what stands between two people leaves open which of them is meant: 给刘敏刘强打电话, 给强子，呃，给敏敏, 找强子还是敏敏."""
    if not between:
        return intent.startswith("call.")
    if between in ("还是", "或者", "或", "要么"):
        return True
    hesitates = times.HESITATION.fullmatch(between) or (len(between) <= HESITATING and times.HESITATION.match(between))
    return "不是" in between[-4:] or len(between) > HESITATING or bool(hesitates)


HESITATING = 4
"""Syllables between two people that may be hesitation; more may hide a correction (给女儿打视频|裤腿别|小军打视频 for 不对，给小军打视频)."""
_INTRODUCED = re.compile(r"[给跟和找叫诉对向同拨俾畀](?:[我俺咱阮](?:家|屋里|屋头)?的?|阿拉|伲)?$")
"""Before a name: it is who is asked for."""
_NOT_TO = re.compile(r"(?:(?:不要|别|莫|甭|勿要|勿)(?:打电话|打|发消息|发)?|不是|勿是|唔系|弗是)[给跟找拨俾畀]$|(?:不要|别|莫|甭|勿要|勿)(?:打|喊|叫|联系)$")
"""Before a name: this one is not asked for. 不 alone may be a correction (给强子，不，给敏敏打)."""
_NOT_CALLED = re.compile(r"(?:不是|勿是|唔系|弗是)[打捎发][给拨俾畀]$")
"""The same, where somebody else is named behind; last of all it is asked which: 打给闺女不是打给儿子."""
_ANOTHERS = re.compile(r"[他她](?:爸|[把巴](?=就是|[我俺]儿子)|妈|爹|娘|爷|奶|哥|姐|弟|妹|姑|舅|姨|叔|伯|婶|嫂|媳妇|爱人|对象|婆婆|丈母娘|老婆|老公|男人|屋里)")
"""Behind a name: somebody of hers is meant, 小军他爸."""
_BUT = re.compile(r"(?<!不)是$")
_WHAT_ABOUT = re.compile(r"[我俺咱](?:要|想|得|好)?(?:问|打听|说|讲|看|聊|听听|听)(?:一下|一哈|问|说|讲|看|聊)?$")
"""Before a name, behind the one who is asked for: what is to be talked about."""
"""不是张护士，|是|王建国."""
_TOLD_WHAT = re.compile(r"(?:[发捎带留写打回传](?:一?[个条封句]?)(?:微信|消息|短信|信息|信|话|口信|留言|语音)儿?|留言)?(?:过去|去)?(?:吧)?[就，]?(?:说(?!话)|讲|告诉)")
"""Right behind who is told: from here on it is what is told, and whoever is named there is not asked for."""
_TAKES_BACK = re.compile(r"不对|不是|[哦呃啊噢]不|算了|错了")
_INSTEAD = re.compile(r"(?:打(?:个?电话|个?视频)?|(?:开|通|来)?个?视频(?:一下|通话)?|[发捎带留写回传]一?[个条封句]?(?:(?:微信|消息|短信|信息|信|话|口信|语音)儿?)?)?[吧啊呀，]*(?:(?:呃|哎呀?|哦|啊|嗯|噢|唉)+不+(?:是|对)?|不不+(?:是|对)?|不(?=[给跟找打先])|算了|还是(?=[给跟找打先])|(?:(?:不是)?[说讲叫搞弄](?:岔|错|差)[了啦咯]?|不对))")
"""Right behind a name: another one is meant. 给强子打不是给敏敏 is left open."""
_NO_MORE = re.compile(r"(?:不+|不[行对是])$")
"""Before a name that is said again, to say why it is another one after all: 打给敏敏，不，敏敏这会儿在飞机上，打给小军."""
_REQUEST = re.compile(r"(?:打|拨|挂|开|来|通|连|发|说|讲)")


def _restated(said: Utterance, places: Sequence[tuple[int, int]], intent: str) -> int:
    """Which name is the first that counts after 不是: the one something is asked of where nothing was of the one before it, or what is told stands behind."""
    for at in range(len(places) - 1, 0, -1):
        (_, end), (start, after) = places[at - 1], places[at]
        if not free_words.OR_ELSE.search(said.text[:start]) or start - end > LONGEST_BETWEEN:
            continue
        asked = any(_REQUEST.match(said.text, end) and said.text[begin:end] in (said.text[start:after], "我" + said.text[start:after]) for begin, end in places[at:])
        told = intent == "message.send" and len(said.text) - after > LONGEST_BETWEEN // 2
        if asked and (told or not _REQUEST.match(said.text, end)):
            return at
    return 0


LONGEST_BETWEEN = 8
"""Syllables between a name and the one that replaces it."""


def _last_said(said: Utterance, people: Sequence[tuple[tuple[int, int], tuple[str, ...]]]) -> tuple[str, ...]:
    """Who is asked for after a name was taken back: 给小军|哎不他上课呢|给强子打个电话; nobody where none was."""
    for at, (place, names) in enumerate(people):
        between = said.text[place[1]:people[at + 1][0][0]] if at + 1 < len(people) else ""
        repeated = at + 2 < len(people) and people[at + 1][1] == names and _NO_MORE.search(between)
        if not names or not (repeated or _INSTEAD.match(between)):
            continue
        later = [(where, who) for where, who in people[at + 1 + bool(repeated):] if who and (_INTRODUCED.search(said.text[:where[0]]))]
        if not later:
            later = [(where, who) for where, who in people[at + 1:] if who]
        asked = [who for where, who in later if _REQUEST.match(said.text, where[1])]
        return (asked or [who for _, who in later] or [()])[-1]
    return ()


_Named = Sequence[tuple[tuple[int, int], tuple[str, ...]]]
"""Places of names, and whom each may mean; nobody of this home is ()."""


def _person(intent: str, said: Utterance, kept: _Named) -> tuple[str, ...]:
    """Who is asked for, or the several it may be."""
    text = said.text
    own = [(place, names) for place, names in kept if not _ANOTHERS.match(text, place[1])]
    kept = own if any(names for _, names in own) else [(place, ()) for place, _ in kept]
    if restated := _restated(said, [place for place, _ in kept], intent):
        kept = kept[restated:]
        if len(kept) == 1 and kept[0][1]:
            return kept[0][1]
    if (meant := free_words.replaced(text, [place for place, _ in kept])) >= 0 and kept[meant][1]:
        return kept[meant][1]
    if intent == "message.send" and (told := _told(text, kept)):
        return told
    denied = [at for at, (place, _) in enumerate(kept) if _NOT_CALLED.search(text[:place[0]])]
    if denied and denied[-1] == len(kept) - 1 > 0:
        return tuple(dict.fromkeys((*kept[0][1], *kept[-1][1])))
    wanted = [
        (place, names) for at, (place, names) in enumerate(kept) if at not in denied and not _NOT_TO.search(text[:place[0]])
        and not (text[:place[0]].endswith("不是") and any(_BUT.search(text[place[1]:other[0]]) for other, _ in kept[at + 1:]))
    ]
    kept = wanted or kept
    if chosen := _last_said(said, kept):
        return chosen
    surely = [names for place, names in kept if names and _surely_asked_of(said, place)]
    if len(surely) == 1:
        return surely[0]
    asked = [(place, names) for place, names in kept if names and _asked_of(said, place)]
    for (place, one), (following, other) in zip(kept, kept[1:], strict=False):
        if [where for where, _ in asked] == [place] and _WHAT_ABOUT.search(text[place[1]:following[0]]):
            continue  # 给敏敏打个电话，我要问强子到了没
        if any(later >= following for later, _ in asked) and not _INTRODUCED.search(text[:place[0]]):
            continue  # 强子屋里添了个丫头，给强子拨个视频
        if one and other and set(one).isdisjoint(other) and _leaves_open(text[place[1]:following[0]], intent):
            return (*one, *other)
    if len(asked) == 1:
        return asked[0][1]
    if len(kept) > 1:
        after = [names for place, names in kept if _INTRODUCED.search(text[:place[0]])]
        return after[0] if after else next((names for _, names in kept if names), ())
    return kept[0][1]


def _told(text: str, kept: _Named) -> tuple[str, ...]:
    """Who a message goes to: whoever is named behind 说 is in it, unless something was taken back."""
    for at, (place, names) in enumerate(kept):
        verb = _TOLD_WHAT.match(text, place[1]) if names and _INTRODUCED.search(text[:place[0]]) else None
        if verb and not any(_TAKES_BACK.search(text[verb.end():other[0]]) for other, _ in kept[at + 1:]):
            return names
    return ()


def _named(slot: str, intent: str, said: Utterance) -> tuple[str, ...]:
    """Canonical names in the sentence for one slot: one, or the several that fit equally well."""
    farthest = MENTIONED if slot == "medicine" and not intent.startswith("medication.") else 0.45
    spans = [span for span in said.concepts.get("{" + slot + "}", ()) if span.cost < farthest]
    if not spans:
        return ()
    surest = min(span.cost for span in spans)
    spans = [span for span in spans if span.cost <= surest + (FAR if slot != "service" else FAR / 2)]
    groups: dict[tuple[int, int], list[Span]] = {}
    for span in spans:
        groups.setdefault((span.start, span.end), []).append(span)
    best = sorted(groups.items(), key=lambda row: row[0][0])
    kept: list[tuple[tuple[int, int], list[Span]]] = []
    for place, group in sorted(best, key=lambda row: min(span.cost for span in row[1]) - 0.1 * (row[0][1] - row[0][0])):
        if all(place[1] <= other[0] or other[1] <= place[0] for other, _ in kept):
            kept.append((place, group))
    kept.sort(key=lambda row: row[0])
    sets = []
    for _, group in kept:
        cheapest = min(span.cost for span in group)
        owners = tuple(dict.fromkeys(span.value for span in group if span.cost <= cheapest + 0.06))
        sets.append(tuple(owner for owner in owners if owner) if any(owners) else ())
    if slot == "person":
        return _person(intent, said, [(place, names) for (place, _), names in zip(kept, sets, strict=True)])
    if slot == "medicine":
        about = contrast.spoken_of(intent, said.text, [(place, names) for (place, _), names in zip(kept, sets, strict=True) if names])
        sets = [names for _, names in about]
    sets_of_all, sets = sets, [names for names in sets if names]
    if not sets:
        return ()
    common = set(sets[0]).intersection(*sets[1:])
    if common:
        return tuple(name for name in sets[0] if name in common)
    if slot == "service":
        return _asked_service(said, [(place, names[0]) for (place, _), names in zip(kept, sets_of_all, strict=True) if names])
    return ()


MENTIONED = 0.2
"""Cost from which a medicine that a reminder only mentions is none: 拔插头 for 布洛芬."""
# Around a service: it is asked for, or it is not this one.
_WANTED_BEHIND = re.compile(r"(?:的?那个|的事|来|就|也|该|先|还是|给我|帮我|麻烦|得|要|可以|今天|明天|后天){0,3}(?:约|订|定|请|叫|退|取消|撤|改|挪|换|推|延)")
_WANTED_BEFORE = re.compile(r"(?:约|订|定|请|叫|找|要|把|改|退|取消|是|说的是.{0,4})(?:个|一个|位|一位|一下|一次|下)?(?:来)?$")
_UNWANTED_BEHIND = re.compile(r"(?:的|嘛|呢|啊)?.{0,3}(?:照旧|照来|留着|不动|不变|回头|再说|用不着|不用|不急|不要|免了|[哎呃哦]不是|[哎呃哦]不)")
_UNWANTED_BEFORE = re.compile(r"(?:还在|正在|刚|原想着叫|原来想叫|本来想叫|本来要|原想|不是要|不是|不要|不用|别|莫|不约|不请|不叫|不改|不退|除了)(?:约|请|叫|把|退|改|取消|撤|找|订|定|换|要|给我)?(?:那个|个|一下)?$")


_NOT_THAT = re.compile(r"不是(?:约|订|定|请|叫|找|要|取消|退|改)$")
"""Before a service, last of all: denied, or what is meant instead, as one pauses."""


def _asked_service(said: Utterance, named: Sequence[tuple[tuple[int, int], str]]) -> tuple[str, ...]:
    """Of several services the one something is asked of: 护工和保洁，护工留着，把保洁给我取消; the first where nothing tells."""
    text, (start, _) = said.text, named[-1][0]
    if len(named) == 2 and (mark := _NOT_THAT.search(text[:start])) and text[mark.start() - 2:mark.start() + 2] not in said.borders:
        return tuple(dict.fromkeys(name for _, name in named))
    weight: dict[str, float] = {}
    for (start, end), name in named:
        votes = 2.0 * bool(_WANTED_BEHIND.match(text, end)) + 2 * bool(_WANTED_BEFORE.search(text[:start]))
        votes -= 3 * bool(_UNWANTED_BEHIND.match(text, end)) + 3 * bool(_UNWANTED_BEFORE.search(text[:start])) + 2.5 * (text[start:end] in ANYBODY)
        votes -= 2.5 * any(day.end <= start and _HAD.fullmatch(text[day.end:start]) for kind in ("{day}", "{when}") for day in said.concepts.get(kind, ()))
        weight[name] = weight.get(name, 0) + votes
    return (max(weight, key=lambda name: weight[name]),) if weight else ()


_HAD = re.compile(r"[我俺咱还就也都]{0,2}[要得该有]去?")
"""Between a day and a service: that is had then, and another one is asked for, 礼拜四要抽血，前一天喊护工来."""


def _asked_of(said: Utterance, place: tuple[int, int]) -> bool:
    """Whether a name stands where one asks for a call or a message: 给|强子|拨."""
    return bool(_INTRODUCED.search(said.text[:place[0]]) and _REQUEST.match(said.text, place[1])) or _surely_asked_of(said, place)


def _surely_asked_of(said: Utterance, place: tuple[int, int]) -> bool:
    """Whether it can mean nobody else: 打|老王|的电话, 想看的是|小军, 打个电话给|老王."""
    before = said.text[:place[0]]
    return bool(_WANTED_IS.search(before) or (_DIALS.search(before) and _ONES_NUMBER.match(said.text, place[1])))


_DIALS, _ONES_NUMBER = re.compile(r"[打拨挂按]$"), re.compile(r"的?(?:电话|手机|号码|号|视频)")
_WANTED_IS = re.compile(r"[想要](?:看|打|找|叫|联系|见)的(?:人)?(?:就)?是$|(?:[打拨]|电话|视频)(?:给|拨|俾|畀)(?:[我俺咱阮](?:家)?的?|阿拉|伲)?$")
"""Before a name, around one: it is who is asked for."""


def _when(intent: str, said: Utterance, found: Measures) -> Slot | None:
    useful = [span for span in found.times if span.kind != "duration"]
    if intent == "reminder.list":
        useful = [span for span in useful if span.kind in ("date", "moment")]
    if intent == "reminder.cancel":
        useful = free_words.of_deletion(said, useful)
    if intent == "booking.change":
        useful = [span for span in useful if not _NOT_THEN.match(said.text, _past_the_service(said, span.end))] or useful
    if intent in AHEAD:
        useful = [times.next_after(span, found.now) if found.now else span for span in useful if not _GONE_BY.match(span.text)]
    chosen = times.last_word(useful, said.text)
    if chosen is None and intent == "reminder.add":
        return _in_a_while(said, found)
    if chosen is not None and intent == "reminder.add":
        chosen = times.completed(_asked_for(said, useful, chosen), useful)
    if chosen is not None and intent == "booking.create":
        chosen = _of_the_visit(useful, chosen)
    if chosen is not None and intent in ("booking.create", "booking.change"):
        chosen = times.with_hour(chosen, useful)
    if chosen is not None and intent in AHEAD:
        counted = _counted_from(said, found.times)
        chosen = counted if counted is not None else _on_its_day(said, chosen, useful)
    if chosen is not None and intent == "reminder.add" and chosen.length and found.now is not None:
        last = times.last_word([span for span in found.times if span.length], said.text)
        if last is not None and last.start > chosen.start and isinstance(last.value, timedelta):
            return found.now.replace(tzinfo=None) + last.value  # 二十分钟以后喊我，不不，二十分钟炖不烂，四十分钟
    if chosen is None or _TAKEN_BACK.match(said.text, chosen.end):
        return None
    if intent == "reminder.list" and isinstance(chosen.value, datetime):
        return chosen.value.date()
    if found.now is not None and intent in AHEAD:
        return times.still_ahead(chosen.value, chosen.text, found.now.date())
    return chosen.value


def _past_the_service(said: Utterance, at: int) -> int:
    """`at`, or behind the service that is named there: 明天|保洁|别来."""
    return max((span.end for span in said.concepts.get("{service}", ()) if span.start == at), default=at)


_NOT_THEN = re.compile(r"(?:那天|的|师傅|那个)?(?:就|先)?(?:别|不要|莫|甭|不用|不消|不必|勿要|覅|唔使|唔好|不(?=[剪理做洗修扫换送])|不能|来不了|没空|不行|不得空|不在家)(?:来|上门)?")
"""Behind a time: a visit is moved away from it, 礼拜三莫来，礼拜五再来."""
_EARLIER = re.compile(r"(?:提前|提早|早|往前提?|之前|以前)(?:了|个)?$")
_EARLIER_BEHIND = re.compile(r"(?:之前|以前|前)(?!天|年)")
"""Before a length and behind it: it is counted back from the time that was said before."""
_DAY_BEFORE = re.compile(r"(?:头一天|前一天|头天)的?$")


def _counted_from(said: Utterance, spans: Sequence[times.Span]) -> times.Span | None:
    """What is counted from another time that was said before it."""
    for place, span in enumerate(spans):
        for rule in (_so_long_before, _on_the_day_before, _on_that_day):
            if (found := rule(said.text, spans[:place], span, spans[place + 1:])) is not None:
                return found
    return None


def _so_long_before(text: str, before: Sequence[times.Span], span: times.Span, after: Sequence[times.Span]) -> times.Span | None:
    """九点半的车，比那个早一个钟头叫我; unless the time that comes of it is said, too (改早一个钟头，礼拜三下午两点)."""
    points = [one.value for one in before if isinstance(one.value, datetime) and not one.length and times.has_clock(one.text)]
    length = span.length or (span.value if span.kind == "duration" else None)
    back = span.text.endswith("前") or _EARLIER.search(text[:span.start]) or _EARLIER_BEHIND.match(text, span.end)
    if not points or not back or not isinstance(length, timedelta) or any(times.has_clock(one.text) and times.names_a_day(one.text) for one in after):
        return None
    return replace(span, value=points[-1] - abs(length), kind="moment", length=None)


def _on_the_day_before(text: str, before: Sequence[times.Span], span: times.Span, _after: Sequence[times.Span]) -> times.Span | None:
    """三号过生日，你头一天上午十点提醒我."""
    words = _DAY_BEFORE.search(text[:span.start])
    day = _day_named(before)
    if words is None or day is None or day.end > words.start() or not isinstance(span.value, datetime) or not isinstance(day.value, date):
        return None
    named = day.value.date() if isinstance(day.value, datetime) else day.value
    return replace(span, value=datetime.combine(named - timedelta(days=1), span.value.time()))


def _on_that_day(text: str, before: Sequence[times.Span], span: times.Span, _after: Sequence[times.Span]) -> times.Span | None:
    """星期三中午的火车，那天早上八点半约保洁."""
    day = _day_named(before)
    return times.on_the_day_of(day, span) if day is not None and times.has_clock(span.text) and _THAT_DAY.search(text[:span.start]) else None


def _day_named(spans: Sequence[times.Span]) -> times.Span | None:
    """The last that names a day."""
    return next((one for one in reversed(spans) if isinstance(one.value, date) and not one.length and times.names_a_day(one.text)), None)


def _on_its_day(said: Utterance, chosen: times.Span, spans: Sequence[times.Span]) -> times.Span:
    """An hour with the day that is said apart from it, a day with its hour.

    上午十点来就行，哪天呢，礼拜四吧; 从星期三改到星期四，还是上午九点; 星期六的戏票，那天下午五点半提醒我.
    """
    if chosen.kind == "recurrence" or chosen.length:
        return chosen
    dated = [span for span in spans if span.kind in ("date", "moment") and not span.length and times.names_a_day(span.text)]
    moved = [span for span in dated if _MOVED_TO.search(said.text[:span.start])]
    if moved and not times.names_a_day(chosen.text):
        return times.on_the_day_of(moved[-1], chosen)
    if moved and chosen.end <= moved[-1].start and times.has_clock(moved[-1].text):
        return moved[-1]
    if moved and chosen.end <= moved[-1].start:
        hours = [span for span in spans if span.start >= moved[-1].end and times.has_clock(span.text)]
        return times.on_the_day_of(moved[-1], hours[0]) if hours else chosen
    if times.names_a_day(chosen.text) or chosen.kind != "moment":
        hours = [span for span in spans if span.kind == "moment" and not span.length and times.has_clock(span.text) and not times.names_a_day(span.text)]
        last = times.last_word(hours, said.text) if chosen.kind == "date" and len(hours) > 1 else None
        return chosen if last is None else times.on_the_day_of(chosen, last)
    before = [span for span in dated if span.end <= chosen.start]
    if before and _THAT_DAY.search(said.text[:chosen.start]):
        return times.on_the_day_of(before[-1], chosen)
    full = [span for span in dated if span.start >= chosen.end and times.has_clock(span.text)]
    if len(full) == 1 and full[0] is spans[-1] and len(spans) == 2:
        return full[0]
    days = [span for span in dated if span.kind == "date" and span.start >= chosen.end and (said.text[span.end:span.end + 1] in ("吧", "的", "") or span.start == chosen.end)]
    return times.with_hour(days[0], [chosen]) if len(days) == 1 else chosen


_MOVED_TO = re.compile(r"(?:[改挪换推移调](?:到|成|在)|就约|就定|定在|那就)$")
_THAT_DAY = re.compile(r"(?:那天|当天|那一天)的?$")
"""Before the day that is settled on; before an hour of the day spoken of."""


_GONE_BY = re.compile(r"昨|大?前[天日儿]")
"""A time that begins so is yet to come for nobody."""
AHEAD = frozenset({"reminder.add", "booking.create", "booking.change"})
"""Intents whose time is yet to come."""


def _of_the_visit(spans: Sequence[times.Span], chosen: times.Span) -> times.Span:
    """A day with its hour rather than the day of the reason before it: 周末要吃喜酒，礼拜五下午三点约个理发."""
    if chosen is not spans[0] or chosen.kind != "date":
        return chosen
    full = [span for span in spans[1:] if span.kind == "moment" and not span.length and times.names_a_day(span.text)]
    return full[-1] if full else chosen


def _asked_for(said: Utterance, spans: Sequence[times.Span], chosen: times.Span) -> times.Span:
    """Of several times the one that stands beside the asking: 社区说三点停水|你两点提醒我接水."""
    if chosen is not spans[0]:
        return chosen
    for start, _ in reversed(free_words.askings(said)):
        for span in spans:
            if span is chosen and chosen.kind == "recurrence":
                continue
            if span.kind != "date" and start - 2 <= span.end <= start and not _TAKEN_BACK.match(said.text, span.end):
                return _before_it(chosen, span, said.text[chosen.end:span.start])
    return chosen


def _before_it(occasion: times.Span, span: times.Span, between: str) -> times.Span:
    """An hour on the day of what it is asked for: 明天十点去医院，|八点|叫我; today's where that day's would be too late: 明天早上的飞机，晚上十点提醒我."""
    if isinstance(occasion.value, Recurrence):
        return _each_time_before_it(occasion, occasion.value, span, between)
    if (earlier := _hours_before_it(occasion, span)) is not None:
        return earlier
    if span.length or span is occasion or times.names_a_day(span.text) or not isinstance(span.value, datetime) or not times.names_a_day(occasion.text):
        return span
    if occasion.length or not isinstance(occasion.value, date):
        return span
    if not isinstance(occasion.value, datetime):
        return times.with_hour(occasion, [span])
    that = times.on_the_day_of(occasion, span)
    late = isinstance(that.value, datetime) and that.value > occasion.value and span.value < occasion.value
    return span if late else that


def _each_time_before_it(occasion: times.Span, rule: Recurrence, span: times.Span, between: str) -> times.Span:
    """每天六点吃饭，|五点半|提醒我淘米: as often, at the hour that is asked for."""
    if len(rule.at) != 1 or len(between) < 2 or span.length or not isinstance(span.value, datetime) or times.names_a_day(span.text):
        return occasion
    had = datetime.combine(span.value.date(), time.fromisoformat(rule.at[0]))
    at = _nearest_before(had, span.value) if span.text[0] in times.DIAL else span.value
    return replace(occasion, value=replace(rule, at=(f"{at:%H:%M}",)))


def _hours_before_it(occasion: times.Span, span: times.Span) -> times.Span | None:
    """半夜两点有球赛，|一点五十|叫我: of the two hours on the dial the one before it, not twelve hours later."""
    when = occasion.value
    if not isinstance(when, datetime) or occasion.length or times.names_a_day(occasion.text) or not times.has_clock(occasion.text) or occasion.text[0] in times.DIAL:
        return None
    if not isinstance(span.value, datetime) or span.length or not times.has_clock(span.text) or span.text[0] not in times.DIAL:
        return None
    return replace(span, value=_nearest_before(when, span.value))


def _nearest_before(occasion: datetime, shown: datetime) -> datetime:
    """The last time before `occasion` at which a clock shows the hour of `shown`."""
    behind = (occasion - shown) % timedelta(hours=12)
    return occasion - (behind or timedelta(hours=12))


def _in_a_while(said: Utterance, found: Measures) -> datetime | None:
    """The moment meant by a length that stands first or before the asking: 半小时，提醒我翻身; not in 提醒我走半小时."""
    last = times.last_word([span for span in found.times if span.kind == "duration"], said.text)
    if last is None or found.now is None or not isinstance(last.value, timedelta):
        return None
    asks = _ASKS.match(said.text, last.end) or last.start == 0
    return found.now.replace(tzinfo=None) + last.value if asks else None


_ASKS = re.compile(r"(?:到了|到点|以?后|吧|啊|就|再|你|那|记得|，)*(?:给我|帮我)?(?:提醒|叫|喊|催|告诉|吱|招呼|闹)")
_TAKEN_BACK = re.compile(r".{0,1}(?:不对|错了)")
"""Behind a time with no other one after it: what replaces it was not understood, so nothing is known (九点不对时点)."""


_TOO_LONG = re.compile(r"太[久长晚]|那就|算了|用不了")


def _duration(said: Utterance, found: Measures) -> timedelta | None:
    lengths = [span for span in found.times if span.kind == "duration" or span.length]
    chosen = times.last_word(lengths, said.text)
    if chosen is None:
        return None
    vague = [span for span in lengths if "会儿" in span.text or "等下" in span.text or "等一下" in span.text]
    if vague and len(vague) < len(lengths):
        lengths = [span for span in lengths if span not in vague]
        chosen = times.last_word(lengths, said.text) or chosen  # 等会儿吃，一刻钟你再来催
    if lengths and lengths[-1] is not chosen and _TOO_LONG.search(said.text[chosen.end:lengths[-1].start]):
        chosen = lengths[-1]
    beside = [span for span in lengths if span.start > chosen.start and _ASKS.match(said.text, span.end)]
    if beside and len({span.length or span.value for span in lengths}) > 1:
        chosen = beside[-1]  # 晚半个钟头吃，啊不，一个半，你一个半钟头以后再喊我
    return chosen.value if isinstance(chosen.value, timedelta) else chosen.length


def _as_told(said: Utterance, kind: str) -> str:
    return kind


def _happened(said: Utterance, kind: str) -> str:
    return emergencies.kind(said.text) or kind


def _measured(said: Utterance, kind: str) -> str:
    return readings.kind(said.text, kind)


KIND_OF = {"emergency.call": _happened, "diary.record": _measured}
"""How the kind is found, given the one its frames tell or ""; elsewhere it is that one."""


def _reading(slot: str, said: Utterance, kind: str) -> Mapping[str, Slot]:
    """The value of one slot of a reading; nothing where none is plausible."""
    if kind == "blood_pressure":
        pair = readings.pressure(said.text)
        return {} if pair is None or slot == "value" else {slot: pair[0] if slot == "systolic" else pair[1]}
    value = readings.value(said.text, kind) if slot == "value" else None
    return {} if value is None else {slot: value}


# --- free words ---------------------------------------------------------------------------------------------------

_EDGE = re.compile(
    r"^(?:啊|呃|嗯|那个|这个|就是说|就是|哎呀|哎|的时候|的话|我说|呢|吧|呀|，|、|一下|一声|一哈|去|要|得|该|让他|让她|叫他|叫她|说(?!话|明)|我要|我得|我该|一句|个|下)+"
    r"|(?:啊|呀|吧|呢|哈|嘛|哦|噢|呗|啦|喽|的事|这事|这件事|行吗|好吗|好不好|行不行|可以吗|成吗|谢谢|谢谢你|谢谢啊|别忘了|的提醒|的闹钟|提醒|记得啊|千万|哟|哈哈)+$"
)
def clean(text: str) -> str:
    """Free words without what is said around them."""
    before = None
    while before != text:
        before, text = text, _EDGE.sub("", text)
    return text


_UNIT = r"(?:盒|瓶|板|袋|片|粒|颗|支|包|罐|个月|大盒|小盒|丸|盒子|天)"


def _amount(said: Utterance, found: Measures) -> str:
    """`两盒`: the number as said and its unit."""
    best = re.findall(rf"((?:[一二两三四五六七八九十百俩仨几\d]+|半){_UNIT})", said.text)
    return best[-1] if best else ""


_REASON = re.compile(
    r"((?:大夫|医生|医院|主任|护士|女儿|儿子|闺女|药店)(?:今天|昨天|上次|刚才)?(?:说|让|叫|讲|给|不让).{0,16}|"
    r"(?:因为|由于).{1,16}|(?:我)?(?:肚子|胃|头|身上|嗓子|牙)(?:有点|不|疼|难受|痛)[^吃]{0,6}|(?:恶心|难受|不舒服|拉肚子|过敏|吃了.{0,3}(?:难受|吐|恶心|头晕))|没药了|药没了|吃完了没药)"
)


def _reason(said: Utterance, found: Measures) -> str:
    """Why a dose is left out, in the elder's words."""
    told = _REASON.search(said.text)
    return clean(told[0]) if told else ""


def _note(said: Utterance, found: Measures) -> str:
    """What the provider should know: words after 说一下/记得/带…/要…的 at a booking."""
    told = re.search(r"(?:备注|跟他说|跟她说|告诉他|告诉她|让他|让她|叫他|叫她|记得|要|顺便|带上|带个|带|最好)(.{2,20})$", said.text)
    if not told:
        return ""
    text = told[0]
    spans = [(span.start, span.end) for span in (*said.concepts.get("{service}", ()), *said.concepts.get("{when}", ()), *said.concepts.get("{day}", ()))]
    if any(start < told.end() and told.start() < end for start, end in spans):
        return ""
    return clean(re.sub(r"^(?:备注|跟他说|跟她说|告诉他|告诉她|记得)", "", text))


FREE_TEXT: Mapping[tuple[str, str], Callable[[Utterance, Measures], str]] = {
    ("what", "reminder.add"): lambda said, found: free_words.task(said, found.times),
    ("what", "reminder.cancel"): lambda said, found: free_words.cancelled(said, found.times),
    ("message", ""): lambda said, _: free_words.message(said),
    ("amount", ""): _amount,
    ("reason", ""): _reason,
    ("note", ""): _note,
}
"""How the words of each free slot are cut out of the sentence; of `what` by intent."""
