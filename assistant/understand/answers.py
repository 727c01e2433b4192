"""Answers to questions whose possible answers are known: which one, when, what the pillbox shows, free words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from assistant.home import Household
from assistant.messages import WAIT, Asking, Judgement, Meaning, Slot
from assistant.understand import slots as filling
from assistant.understand import times
from assistant.understand.among import described
from assistant.understand.corrections import CORRECTION
from assistant.understand.heard import Heard, Thought
from assistant.understand.kin import Kinship
from assistant.understand.levels import ACT, ASK
from assistant.understand.looks import Looks
from assistant.understand.sound import Ear, syllables
from assistant.understand.spoken import hanzi, spoken

_ORDINALS = (
    (re.compile(r"第一|头一|前一个|前面那|上面那"), 0), (re.compile(r"第二|后一个|后面那|下面那"), 1), (re.compile(r"第三"), 2),
    (re.compile(r"第四"), 3), (re.compile(r"第五"), 4), (re.compile(r"最后"), -1),
)
_DENIED = re.compile(r"(?:不是|不要|不找|不给|不叫|别给|别找|别叫|莫给|莫找|唔系|唔要|勿是|勿要)(?:那个|我的?|我们?家的?)?$")
"""Before a name: this one is not meant."""
_UNWANTED = re.compile(r"的?(?:那[个桩只位件样])?(?:就|先|暂时|也|都|倒){0,2}(?:不急|不忙|不要|不找|不用|不消|算了|免了|回头再|以后再|下回再|勿[急忙要]|唔[急使要]|莫[忙慌要])")
"""Behind a name: nor is this one, 灯泡|先不急."""
_REFUSED = re.compile(r"(?:[个种位样项粒片]|的)?(?:[啊呀嘛]?我?就?(?:不[要是行用找想对成好](?!.*[吗么]$)|算了|没空|唔|勿|莫)|[太忒](?![好棒]|合适))")
"""Behind 第一个: nor is this; but 第一个不是止疼的吗 and 第一个太好了 are no refusals."""
_NO_BUT = re.compile(r"[个种位样]?[啊呀]?(?:不是|唔系|勿是)")
"""Between 第一个 and 第二个: the first is taken back."""
_CHOOSING = re.compile(r"(?:[嗯哦呃啊那就是还给找叫打要我想让去先选揾搵寻喊]|还是|打给)*$")
_FOR = re.compile(r"(?:[嗯哦呃啊那就还是要想]*)(?:找|揾|搵|寻|打给|叫|喊|给|要|选)(?:[我俺咱阮]|我们?家|屋里)?的?")
"""Before a name that opens an answer: it is asked for."""
_CHOSEN = re.compile(r"(?:那[边头里])?[吧嘛呗哈噻嘞啦]")
"""Before and behind a name that is chosen: 就找|强子|吧，他离得近."""
_AFTER_ALL = re.compile(r"(?:还是|那就|就|我(?:说|要|找|讲|指|想找)的?是|当然是|肯定是|应该是|要不|给|找|揾|搵|寻|打给|叫|喊|选|要|改|定在?|约)[我俺咱的老小那]{0,2}$")
"""Before the last words of a longer answer: these are the answer. 人家今天上班忙，我不去烦她，|还是|强子吧."""
_DESCRIBED = re.compile(r"(?:[，了]|[那这]个|[的嘛呢])*(?:(?:跟|和|同)(?:我|饭).{1,8}|住.{1,8}|在.{1,8}|以前.{1,10}|姓.{1,3}|管.{1,5}|[早中晚睡饭].{0,6}[吃喝])的(?:[那这]个)?[啊嘛呀]?$")
"""Behind a name that stands first: what else is told of who or what is meant: 我那个老同事，|跟我一个车间的."""
_BUSY = re.compile(r"(?:今天|明天|今朝|今日|这会儿|现在|这几天|最近|白天|[正在要得还又都去也])*(?:上班|上课|上学|上夜班|开会|出差|值班|加班|忙|[没冇]空|[没不]得空|唔得闲|不得闲|不在家|出门|出远门|睡觉|补觉|带娃|开车|返工|跑车|住院)")
"""Behind a name: why it is not this one, 我干女儿那边嘛，侄孙|要上班."""
_POINTS = re.compile(r"(?:[的那嗰这][个种只桩样件位瓶盒]|[那嗰]?片)的?[大小长圆扁药片粒丸子儿]*[啊呀嘛呗咯呢吧哒咧的]*$")
"""The end of a clause that points at one of several: 粉的|那个圆片儿."""
_YOU_KNOW = re.compile(r"(?:那[个位])?(?:[啊嘛呀呗咯咧]|你?(?:晓得|知道|认得|懂)[的得啊嘛呀咧吧]*)*$")
_LAST_SAID = re.compile(r"(?:还是|那就|就|找|揾|搵|寻|打给|叫|喊|选|要|给)[他她伊佢渠].{1,4}?[吧嘛呀啊呗咯好了]*$")
"""Of the last words of an answer: 找她妹."""
_CLAUSES = re.compile(r"[，。；！？,;!?…、]+")
_MINE = re.compile(r"(?:[我俺咱阮嗯哦呃啊就是还要那这个的老说]|阿拉)*$")
DESCRIBING = 4
"""Syllables of a description: 大的那个, 晚上吃的."""
LAST = 3
"""Syllables that may follow the last words: 吧, 好了, 正好啊."""
_CLOCK = re.compile(r"[点时刻]")
_EVIDENCE = (
    (re.compile(r"看不(?:太|大)?[清见准]|瞅不[清见]|不(?:知道|晓得|记得).{0,4}[吃有没拿]|记不[得清起]|想不起|说不[准好清上]|拿不准|搞不清|弄不清"), "medication.unsure"),
    (re.compile(r"啥也没|什么也没|啥都没|什么都没"), "dialogue.empty"),
    (re.compile(r"(?:还|都|就)?在(?:里|那|呢|这|的|格|$)|(?<!没)有药|还有(?!没)|(?<!没)有一[片粒颗]|没有?空|不是?空|没动|满的|没少|有[呢啊的]*$|没吃|还没拿|一片没少|好好的|剩着"), "dialogue.full"),
    (re.compile(r"空了|空的|没药|没有了|没了|空|没有|吃掉了|不在了|光了|没得|啥也没|什么也没|少了一|没见着|没看[到见]|没瞧见|没见到"), "dialogue.empty"),
)


_OPPOSED = {"dialogue.empty": 1.0, "dialogue.full": -1.0}
"""Which sign of the odds of full speaks against it."""
_NOT_THAT = re.compile(r"(?:不要动?|别动|不动|不用动|留着|不是那个|不是它)(?:[的了吧啊]|那个)?(?:是|要|选|动)?")
"""交电费的那个不要动，是取快递的: what follows is chosen."""
FEW = 3
"""Syllables beside the answer itself that may be anything: 就给敏敏吧."""
PLAINLY, LIKELY = 2.0, 1.0
"""Log-odds of full and empty that are plain, and that are asked about."""
SURELY, PERHAPS = 0.0, -2.5
"""Log-odds of a longer sentence from which on it is an answer, and may be one: 第一场雪下得真早 answers nothing."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is open, and who hears."""

    options: tuple[str, ...]
    ear: Ear
    now: datetime
    """Naive local time."""
    looks: Looks
    kinship: Kinship
    known: Mapping[str, tuple[Sequence[str], Sequence[str]]]
    """Words of the medicines and services: the family's, and everybody's."""
    home: Household


def _judged(meaning: Meaning, kind: str, beside: int, one: Heard) -> Judgement | None:
    """`meaning`, done, asked about, or nothing: by how much is said beside it, and what the whole sentence is rather."""
    odds = one.opinion.answers.get(kind, SURELY)
    if beside <= FEW or odds >= SURELY:
        return Judgement(meaning)
    return Judgement(None, (meaning,)) if odds >= PERHAPS else None


def _which(thought: Thought, question: Question) -> Judgement | None:
    """第一个, a name of one of the options, or anything else."""
    for one in thought.believed:
        chosen, length = _option(one, question)
        if chosen:
            meaning = Meaning("dialogue.which", {"which": chosen}, 0.95, one.said.text)
            if thought.scores.get("booking.create", 0.0) >= ACT and not one.measures.times:
                return Judgement(meaning)  # 腿软，自己洗不动了，要能扶着我洗澡的: which service is asked for
            return _judged(meaning, "dialogue.which", _syllables(one) - length, one)
    return None


def _option(one: Heard, question: Question) -> tuple[str, int]:
    """The option that is named, and how many syllables name it; ("", 0) for none."""
    text, options = one.said.text, question.options
    if (ordinal := _ordinal(text, options)) is not None:
        return ordinal
    names = [span for kind in filling.NAMES for span in one.said.concepts.get("{" + kind + "}", ()) if span.value in options and span.cost < 0.45]
    denied = {span.value for span in names if _DENIED.search(text[:span.start])}
    unwanted = {span.value for span in names if _UNWANTED.match(text, span.end)}
    denied |= unwanted
    left = {span.value for span in names} - denied or (set(options) - denied if denied and len(set(options) - denied) == 1 else set())
    first = {span.value for span in names if span.value in left and _FOR.fullmatch(text[:span.start]) and _CHOSEN.match(text[span.end:])}
    if len(left) > 1 and len(first) == 1 and not CORRECTION.search(text):
        return first.pop(), len(text)  # 找新抱啦，个仔开会唔得闲
    hers = {name for name in question.kinship.referred(text, one.said.concepts.get("{person}", ())) if name in options}
    if len(hers) == 1 and _LAST_SAID.search(text):
        return hers.pop(), len(text)  # 丽丽上班呢，别磨叽她了，找她妹
    busy = {span.value for span in names if _BUSY.match(text, span.end)}
    if left & busy and not any(_AFTER_ALL.search(text[:span.start]) for span in names if span.value in busy):
        left -= busy
        if not left:
            return "", 0
    if len(left) == 1:
        chosen = any(
            (_CHOOSING.fullmatch(text[:span.start]) and _CHOSEN.match(text[span.end:]))
            or (_AFTER_ALL.search(text[:span.start]) and len(text) - span.end <= LAST)
            or (_MINE.match(text[:span.start]) and _DESCRIBED.match(text, span.end))
            or (_MINE.fullmatch(text[:span.start]) and span.end - span.start > DESCRIBING and _YOU_KNOW.match(text, span.end))
            or ((busy or unwanted) and len(text) - span.end <= LAST)
            or (span.concept != "{person}" and _points(one)) for span in names if span.value in left
        )
        return left.pop(), len(text) if chosen else sum(span.end - span.start for span in names)
    last = {span.value for span in names if span.value in left and _AFTER_ALL.search(text[:span.start]) and len(text) - span.end <= LAST}
    if len(last) == 1:
        return last.pop(), len(text)  # 强子，哦不，强子这会儿上班，找敏敏
    options = tuple(option for option in options if option not in denied)
    if told := described(_meant(_written(one)), options, question.home, question.looks, question.known):
        return told, len(text) if _points(one) else DESCRIBING
    near = [(question.ear.edit(syllables(option), _window(one.said.sounds, syllables(option), question.ear)) / max(1, len(hanzi(option))), option)
            for option in options if hanzi(option)]
    near.sort()
    if near and near[0][0] <= 0.34 and (len(near) == 1 or near[1][0] - near[0][0] > 0.1):
        return near[0][1], len(hanzi(near[0][1]))
    rest = _NOT_THAT.split(text)[-1]
    pieces = {option: _common(rest if len(rest) > 1 else text, hanzi(option)) for option in options}
    best = sorted(options, key=lambda option: -pieces[option])
    if best and pieces[best[0]] >= 2 and (len(best) == 1 or pieces[best[0]] > pieces[best[1]]):
        return best[0], pieces[best[0]]
    return "", 0


def _written(one: Heard) -> str:
    """The text with its commas, where it has any."""
    text = "，".join(filter(None, map(spoken, _CLAUSES.split(one.hypothesis.text))))
    return text if hanzi(text) == one.said.text else one.said.text


def _points(one: Heard) -> bool:
    """Whether a clause ends on 那个: 喊抹地板那个."""
    return any(_POINTS.search(clause) for clause in map(hanzi, _CLAUSES.split(one.hypothesis.text)))


def _meant(text: str) -> str:
    """What stands behind the last taking back: 寻大的，不对，|小的那个儿子; 不是 may deny what follows it."""
    return text[max((mark.end() for mark in CORRECTION.finditer(text) if mark.start() and mark[0] != "不是"), default=0):] or text


def _ordinal(text: str, options: Sequence[str]) -> tuple[str, int] | None:
    """第二个 of these; ("", 0) where it cannot be told which one of several is meant, None where none is counted."""
    named = sorted((found.start(), found.end(), options[place]) for pattern, place in _ORDINALS for found in pattern.finditer(text)
                   if -len(options) <= place < len(options))
    if not named:
        return None
    left = [
        one for at, one in enumerate(named) if not _REFUSED.match(text, one[1])
        and ((at > 0 and _NO_BUT.fullmatch(text[named[at - 1][1]:one[0]])) or not _DENIED.search(text[:one[0]]))
    ]
    mended = max((mark.end() for mark in CORRECTION.finditer(text)), default=0)
    left = [one for one in left if one[0] >= mended] or left
    meant = {option for _, _, option in left} or (set(options) - {option for _, _, option in named} if len(options) == 2 else set())
    if len(meant) != 1:
        return "", 0
    return meant.pop(), len(text) if len(named) > 1 or not left else left[0][1] - left[0][0]


_SUITS = re.compile(r"有空|得闲|没事|起得早|我.{0,4}在家|方便|正好|刚好|来得及|人少|凉快|清静|等我.{1,10}[完好]$")
"""Behind a time: why it is the right one."""


_THAT_HOUR = r"(?:那会儿?|那阵儿?|那歇|那个?点儿?|那个?时候|那个?时间|那个?钟点|那个?辰光|嗰阵时?|嗰个?时间|那个?时辰)"
_AT_THAT_HOUR = re.compile(rf"(?:就|还是|都|定|每回|在|是|照)(?:在|是|照)?{_THAT_HOUR}(?:[吧啊好行啦咯嘛哈呀了]|可以|要得|得了|正好){{0,3}}$")
"""The last words of an answer: the hour that was said is the one."""
_WHY_THEN = re.compile(
    rf"[吧嘛啊呀]?(?:{_THAT_HOUR}(?!.*(?:没|还|不|忙|开会|上课)).{{0,8}}(?:回来|回屋|在家|在屋|有空|得闲|到家|方便|正好|刚好|人少|凉快|暖和|清静|起来|醒|吃完|下班|放学)"
    r"|(?:其[他它余]|别的|另外的?)(?:日子|时间|辰光|时候|天))")
"""Behind a time: why it is the right one."""
_NOT_THEN = re.compile(rf"[吧嘛啊呀]?{_THAT_HOUR}.{{0,6}}(?:没空|睡(?!醒|好|够|起)|不在|开会|上课|忙|没起|没醒|还没|还在)|才(?:开|关|上班|下班|放学|散|营业)")
"""Behind a time: why it is none."""
_SAYS_WHICH = re.compile(r"(?:是|[我俺])(?:讲|说|指)的?(?:是)?$")
"""Before a day: the one of the hour that was said."""


def _when(thought: Thought, question: Question) -> Judgement | None:
    for one in thought.believed:
        points = [found for found in one.measures.times if found.kind != "duration"]
        text = one.said.text
        if times.refused(points, text) or times.undecided(points, text) or (len(points) == 1 and _NOT_THEN.match(text, points[0].end)):
            continue
        span = times.last_word(points, text)
        if span is not None and not _CLOCK.search(span.text) and not _completed(span, points):  # 吃完晚饭，晚上七点钟
            span = times.last_word([later for later in points if later.start >= span.end and _CLOCK.search(later.text)], text) or span
        if span is not None and span.kind == "moment" and not times.names_a_day(span.text):  # 就下午三点吧，星期四的
            days = [later for later in points if later.kind == "date" and later.start >= span.end]
            span = times.with_hour(days[0], [span]) if len(days) == 1 else times.on_the_one_day(span, points, text, question.now.date())
        if span is not None:
            span = times.each_time(span, points, text)
        length = None
        if span is None:
            span = times.last_word(one.measures.times, one.said.text)
            length = span.value if span else None
        if span is None or (_strong_other(thought, one) >= 0.93 and not _engaged(one, points, span)) or _is_over(span.value, question.now):
            continue
        slots: dict[str, Slot] = {"duration": length} if length is not None else {"when": span.value}
        told = len({at for found in one.measures.times for at in range(found.start, found.end)})
        if _AT_THAT_HOUR.search(text) and any(_CLOCK.search(point.text) for point in points):
            told = len(text)  # 大闺女礼拜六倒休，上午九点她准搁我这儿，就那会儿
        elif points and len(text) - points[-1].end <= LAST and _SAYS_WHICH.search(text[:points[-1].start]):
            told = len(text)  # 要睏了午觉才起得来，三点钟样子咯，是讲明天下午啊
        elif len(text) - span.end <= LAST and (_AFTER_ALL.search(text[:span.start]) or span not in points[:1]) and _CLOCK.search(span.text):
            told = len(text)  # 早了我起不来，晚了人家要下班，就十点半吧
        elif span.start <= LAST and (_CLOCK.search(span.text) or span.length) and (_SUITS.search(text, span.end) or _WHY_THEN.match(text, span.end)):
            told = len(text)  # 礼拜三上午十点，那天我有空
        return _judged(Meaning("dialogue.when", slots, 0.95, one.said.text), "dialogue.when", _syllables(one) - told, one)
    return None


_HAS = re.compile(r"[我俺咱还就也都][要得该去有]{0,2}|[要得该去有]{1,2}|")
"""Between a day and what is had on it."""


def _engaged(one: Heard, points: Sequence[times.Span], span: times.Span) -> bool:
    """Whether a service is named only as what is had on another day before the one that is told: 礼拜四要抽血，第二天上午九点半."""
    if _strongest_but(one) >= 0.93 or not times.names_a_day(span.text):
        return False
    days = [day.end for day in points if day.end < span.start and times.names_a_day(day.text)]
    had = [named for named in one.said.concepts.get("{service}", ()) if named.end <= span.start]
    return bool(had) and all(any(day <= named.start and _HAS.fullmatch(one.said.text[day:named.start]) for day in days) for named in had)


def _strongest_but(one: Heard, but: str = "booking.create") -> float:
    """How well anything else fits than an answer or what `but` is."""
    return max((fit.score for fit in one.fits if fit.intent != but and not fit.intent.startswith(("dialogue.", "medication.snooze"))), default=0.0)


def _completed(span: times.Span, points: Sequence[times.Span]) -> bool:
    """Whether the hour that is said later is in it already: 礼拜三啦，朝早十点."""
    value = span.value
    return isinstance(value, datetime) and any(
        isinstance(later.value, datetime) and _CLOCK.search(later.text) and later.value.time() == value.time() for later in points if later.start >= span.end
    )


def _is_over(value: Slot, now: datetime) -> bool:
    """Whether a time lies behind us: nobody answers 什么时候 with 昨天下午三点."""
    return value < now if isinstance(value, datetime) else value < now.date() if isinstance(value, date) else False


def _evidence(thought: Thought, question: Question) -> Judgement | None:
    """Words that say it first, then what the whole sentence sounds like; asked where the two say the opposite."""
    for one in thought.believed:
        full = one.opinion.answers.get("dialogue.full", 0.0)
        for pattern, intent in _EVIDENCE:
            if found := pattern.search(one.said.text):
                meaning = Meaning(intent, {}, 0.95, one.said.text)
                if intent in _OPPOSED and _OPPOSED[intent] * full >= PLAINLY:
                    return Judgement(None, (meaning,))
                return _judged(meaning, "dialogue.empty", _syllables(one) - len(found[0]), one)
    for one in thought.believed:
        full, spoken_of = (one.opinion.answers.get(kind, PERHAPS) for kind in ("dialogue.full", "dialogue.empty"))
        if spoken_of >= PERHAPS and abs(full) >= LIKELY:
            meaning = Meaning("dialogue.full" if full > 0 else "dialogue.empty", {}, 0.8, one.said.text)
            return Judgement(meaning) if spoken_of >= SURELY and abs(full) >= PLAINLY else Judgement(None, (meaning,))
    return None


def _syllables(one: Heard) -> int:
    """Syllables that say something."""
    return sum(weight > 0.1 for weight in one.said.weights)


_LEAVE_IT = re.compile(r"(?:[嗯哦呃啊唉哎呀那就还是我我看]*)(?:(?:算了|罢了|不发|不写|不说|不讲|不记|别发|别写|别记|莫发|不用发|不用写|不用记|不必发|不消发|不想发|不想说|拉倒)[了吧啊嘛哦罢算就先]*)+")
"""Instead of words to be written down: nothing shall be."""
_ENDS_LEFT = re.compile(r"(?:算[了哉哒喽]?[吧]?)?(?<![也都还红钱就])(?:不|勿要?|莫|别|甭|唔好?)(?:给[他她伊]|跟[他她伊])?(?:发|写|捎|带话)(?:了|咯|啦|哒|哉|喽|嘞)[吧啊罢哈]?$")
"""The same as the last words of a longer answer: 想来想去也没啥好说的，不发了."""
_MUSES = re.compile(r"想来想去|没啥|没什么|冇|讲点啥|说点啥|写点啥|说啥|写啥|讲啥|算[了哉哒]|忙|不?好意思|烦|打扰|添乱|麻烦|睡了|上班|开会|回头|见面|当面|没用|不知道|不晓得")
"""Why nothing shall be written: who only says 他说他不发了 dictates it."""
_LEFT = re.compile(r"(?:算了|罢了|拉倒|唉|哎|不说了|不写了).*(?:不|别|莫|甭|没必要)(?:给[他她]|跟[他她])?(?:发|捎|写|说|讲|留|带)(?:了|咯|啦)?[吧啊罢哈]?"
    r"|(?:[嗯哦呃啊唉哎呀]*)(?:算了|罢了|拉倒)[吧啊嘛]?(?:不|别|莫|甭)(?:给[他她]|跟[他她])?(?:发|捎|写|说|讲|留)(?:了|咯|啦)[吧啊嘛]?(?:等|我|还是|反正|免得|省得|回头|改天|过几?天|人家|[他她]).*")
"""The same with its reason in between or behind: 算了，也没啥要紧的，不发了; 算了，不发了，等她回来当面说."""
_DICTATES = re.compile(r"^(?:.{0,9}?(?:[你您](?:就|帮我|给我)?(?:写|说|讲)|就(?:写|说|讲)|对了就说)(?:上|道)?)(?![好话明不了啥什])(?=..)")
"""Before the words to be written down: 嗯，我想一想啊，你就写|天冷了把棉袄穿上."""


def _text(thought: Thought, question: Question) -> Judgement | None:
    if thought.scores.get("emergency.call", 0.0) >= 0.8 or thought.scores.get(WAIT, 0.0) >= ACT:
        return None
    free = [one for one in thought.heard if one.hypothesis.source != "grammar"]
    if not free:
        return None
    text = filling.clean(spoken(free[0].hypothesis.text)[:200])
    if _LEAVE_IT.fullmatch(text) or _LEFT.fullmatch(text) or (_ENDS_LEFT.search(text) and _MUSES.search(text)):
        return Judgement(Meaning("dialogue.no", {}, 0.9, text))
    text = filling.clean(_DICTATES.sub("", text))
    return Judgement(Meaning("dialogue.text", {"message": text}, 0.9, text)) if text else None


_DONE = re.compile(r"(?:好|完|掉|过|上|下|出去|起来|干净)*(?:了|啦|咯|喽|过|嘞|哒)|(?:好|完)[啊呀吧哈]*$")
_DONE_SOUNDS = frozenset({"le", "la", "lo", "luo", "lei", "guo"})
"""Behind the verb of what there was to do: it is done."""
_UNSURELY = re.compile(r"[别不甭莫吗么嘛]|等|一会|待会|马上|就[来去]|再|要不|什么|啥|谁|哪|疼|救|快来|来人|怎|摔|跌|晕|昏|绊|滑|栽|[着起失走冒]火|烟|气味|臭|闻|漏|[流出吐咳便]血|血[流止]|命")
"""Later, not surely, or something else has happened: the question's usual answers and the cries tell."""
_UNDONE = re.compile(r"(?:还?没(?:有|得|去)?|冇|未|忘了?|忘记了?).?$")
"""Before the verb: not yet."""
_ANY_CHORE = re.compile(r"[嗯哦啊呀好的行早都已经我]*(?:弄|做|办|搞|整|收拾|忙)(?:好|完|妥|停当|利索)(?:了|啦|咯|喽)[啊呀吧嘛哈]*")
_OF_NO_CHORE = frozenset("的一个把给我他她去来在有是和跟了药上下前后早晚中要记得点今明天家里出门看")
"""Characters of a reminder that say nothing of what is done."""
ALIKE = 0.25
"""Cost of one syllable for another up to which it may be the same one misheard."""


def _chore(thought: Thought, question: Question) -> Judgement | None:
    """The thing itself is said to be done or not, in its own words (关了, 垃圾倒了, 还没浇) or ones that sound like them; those never where it may be a cry."""
    chore = question.options[0] if question.options else ""
    words = [char for char in hanzi(chore) if char not in _OF_NO_CHORE]
    alike = [] if thought.scores.get("emergency.call", 0.0) >= ASK else [sound for char in words for sound in syllables(char)]
    for one in thought.believed:
        text, sounds = one.said.text, one.said.sounds
        if _UNSURELY.search(text):
            continue
        named = [at for at, char in enumerate(text) if char in words or any(question.ear.edit((sounds[at],), (known,)) <= ALIKE for known in alike)]
        beside = _syllables(one) - len(named)
        undone = [at for at in named if _UNDONE.search(text[:at])]
        acts = [at for at in named if at not in undone and not (text[at] == words[-1] and len(words) > 1)]  # 火好大 says nothing of 关
        done = [at for at in acts if _DONE.match(text, at + 1) or (alike and at + 1 < len(text) and sounds[at + 1] in _DONE_SOUNDS)]
        if beside <= FEW and (undone or done):
            return Judgement(Meaning("dialogue.no" if undone else "dialogue.yes", {"what": chore}, 0.95, text))
        if _ANY_CHORE.fullmatch(text):
            return Judgement(Meaning("dialogue.yes", {"what": chore}, 0.95, text))
    return None


_LEAVES_IT = re.compile(
    r"(?:不|别|莫|甭|勿要|唔|没空|懒得)(?:要|想|用|去|得|好)?接|(?:接|腾)不(?:了|出|起|来|成|到)|(?<![不别莫甭])(?:挂|摁|按|掐)(?:了|掉|断)|[让叫喊](?:他|她|它|佢|伊|人家|对方).{0,3}(?:[待等过一]?会|晚点|晚些|回头|改天|明天|下午|晚上).{0,4}打"
    r"|(?:别|莫|甭|不|勿要|唔好|懒得)(?:搭)?(?:理|睬)|(?:[待等过]?(?:一?会儿?|一?[下哈歇阵]儿?)|晚点|晚些|回头)[，]?(?:我|俺|咱)?(?:再|就)?(?:给|跟|同)?[他她伊佢]?(?:再|就)?(?:打|回|拨)(?:回去|过去|转去|回|电话)"
)
_TAKES_IT = re.compile(r"(?<![不别莫甭直间连迎要唔])接(?!不接|水|孩|娃|孙|人|客|触|待|力|你|他|她|住|头|口|班|完|过|吗)|(?<![沟交普])通(?:咯|上|起来|了吧|一下)|别挂|莫挂|不要挂")
"""What is said of a call that rings, within a longer sentence."""
_ANSWERS_IT = {"dialogue.yes": -3.0, "dialogue.no": -5.0}
"""Log-odds of a yes or a no below which what is said of a call is none; a call that is not taken can be made again."""


def _ring(thought: Thought, question: Question) -> Judgement | None:
    """What is said last of taking the call or leaving it, where no phrase knows the whole: 一手的面，腾不出来，先不接了，让他待会儿再打."""
    if any(fit.kind == "asked" and fit.score >= ACT for one in thought.believed for fit in one.fits) or _strongest(thought) >= ACT:
        return None
    for one in thought.believed:
        found = [(place.end(), intent) for pattern, intent in ((_LEAVES_IT, "dialogue.no"), (_TAKES_IT, "dialogue.yes")) for place in pattern.finditer(one.said.text)]
        if found and "接不接" not in one.said.text and one.opinion.answers.get(max(found)[1], 0.0) >= _ANSWERS_IT[max(found)[1]]:
            return Judgement(Meaning(max(found)[1], {}, 0.9, one.said.text))
    return None


def _strongest(thought: Thought) -> float:
    """How well anything that is no answer fits."""
    return max((score for intent, score in thought.scores.items() if not intent.startswith("dialogue.")), default=0.0)


CLOSED: Mapping[Asking, Callable[[Thought, Question], Judgement | None]] = {
    "which": _which, "when": _when, "evidence": _evidence, "text": _text, "ring": _ring,
}
"""(what was heard, the question) → the answer, or None where it is none."""
FIRST: Mapping[Asking, Callable[[Thought, Question], Judgement | None]] = {"chore": _chore}
"""The same, before any cry: 倒了, of the rubbish, is no fall."""


def _strong_other(thought: Thought, one: Heard) -> float:
    return max((f.score for f in one.fits if not f.intent.startswith(("dialogue.", "medication.snooze"))), default=0.0)


def _window(sounds: Sequence[str], want: Sequence[str], ear: Ear) -> Sequence[str]:
    """The stretch of the utterance most like `want`."""
    size = len(want)
    if len(sounds) <= size:
        return sounds
    return min((sounds[at:at + size] for at in range(len(sounds) - size + 1)), key=lambda part: ear.edit(part, want))


def _common(text: str, option: str) -> int:
    """Longest run of characters both have."""
    return max((size for size in range(1, len(option) + 1) for at in range(len(option) - size + 1) if option[at:at + size] in text), default=0)
