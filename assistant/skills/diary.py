"""The health diary by voice: a number is read back, judged by the family's range, and a trend can be asked for."""

from __future__ import annotations

from datetime import timedelta

from assistant import saying
from assistant.care import message, reading
from assistant.care.reading import KINDS, Reading
from assistant.messages import Ask, Conversation, Meaning, Say
from assistant.skills.skill import Skill, Turn
from assistant.understand import numbers

skill = Skill("diary")

PURPOSE = "reading"
NAMES = {"blood_pressure": "血压", **{key: kind.name for key, kind in KINDS.items()}}
UNSURE_STEP = {"blood_pressure": 60.0, "systolic": 60.0, "blood_glucose": 8.0, "heart_rate": 50.0, "temperature": 2.0, "weight": 8.0}
"""A jump this large against the last one is asked about before it is written: it may be misheard."""
JIN_ABOVE = 90.0
"""A weight above this without a unit is in 斤 (500 g)."""
STEADY = {"blood_pressure": 5.0, "blood_glucose": 0.5, "heart_rate": 5.0, "temperature": 0.3, "weight": 0.8}
"""A smaller change between the halves of a trend is called steady."""


def spoken(kind: str, value: float, second: float | None = None) -> str:
    """`高压一百四，低压九十`, `六点三`, `三十七度二`."""
    if kind == "blood_pressure" and second is not None:
        return f"高压{saying.number(value)}，低压{saying.number(second)}"
    if kind == "temperature":
        whole, _, tenth = f"{value:.1f}".partition(".")
        return f"{saying.number(int(whole))}度" + (saying.number(int(tenth)) if tenth != "0" else "")
    unit = {"weight": "公斤"}.get(kind, "")
    return saying.number(round(value, KINDS[kind].decimals)) + unit


@skill.on("diary.record")
def record(turn: Turn, meaning: Meaning) -> Conversation:
    """血压一百四九十: read back, because a number misheard is worse than none."""
    kind = str(meaning.slots.get("kind", ""))
    value, second = _values(kind, meaning)
    if not kind:
        yield Say(turn.reply("what_kind"))
        return
    name = NAMES.get(kind, kind)
    if value is None or not reading.plausible(kind, value, second):
        key = "how_much_pressure" if kind == "blood_pressure" else "how_much"
        strange = turn.reply("implausible", kind=name) if value is not None else ""
        answer = yield Ask(strange + turn.reply(key, kind=name), asking="text", seconds=12.0)
        value, second = _values(kind, answer) if answer and answer.intent != "dialogue.no" else (None, None)
    if value is None or not reading.plausible(kind, value, second):
        yield Say(turn.reply("not_written"))
        return
    confirmed = True
    while question := _doubt(turn, kind, value, second):
        answer = yield Ask(turn.reply(question, kind=name, value=spoken(kind, value, second)), asking="yes_no", passing=True)
        confirmed = answer is not None and answer.intent == "dialogue.yes"
        if confirmed or (answer is None and reading.outside(turn.household.care, kind, value, second)):
            break
        mended, other = _values(kind, answer) if answer else (None, None)  # 不对，三十六度七
        if mended is None or (mended, other) == (value, second) or not reading.plausible(kind, mended, other):
            yield Say(turn.reply("not_written"))
            return
        value, second, confirmed = mended, other, True
    out = reading.outside(turn.household.care, kind, value, second)
    # Who is in danger and says nothing more is not left alone with a number: it is told as one that nobody confirmed.
    with turn.store.atomic():
        reading.add(turn.store, turn.now, kind, value, second, bool(out))
        told = bool(out) and _tell(turn, kind, value, second, out, "family_outside" if confirmed else "family_unconfirmed")
    said = turn.reply("written", kind=name, value=spoken(kind, value, second))
    if out:
        which = saying.listing([NAMES[part] for part, _ in out])
        said += turn.reply("high" if out[0][1] else "low", which=which) + (turn.reply("told") if told else "")
    yield Say(said)


def _doubt(turn: Turn, kind: str, value: float, second: float | None) -> str:
    """The question before a number is written that may be misheard: a great jump, or one that would alarm the family; "" for none.

    Who has been as high lately is not asked every morning.
    """
    before = reading.since(turn.store, turn.household.zone, turn.now - reading.ADVANCE, kind)
    step, last = UNSURE_STEP.get(kind, 1e9), before[-1] if before else None
    if last is not None and abs(last.value - value) >= step:
        return "sure"
    usual = last is not None and last.outside and abs(last.value - value) < step / 2
    return "sure_outside" if not usual and reading.outside(turn.household.care, kind, value, second) else ""


def _values(kind: str, meaning: Meaning) -> tuple[float | None, float | None]:
    """The numbers she said: slots first, else found in her words."""
    slots = meaning.slots
    if kind == "blood_pressure":
        if "systolic" in slots and "diastolic" in slots:
            return _float(slots["systolic"]), _float(slots["diastolic"])
        pair = numbers.blood_pressure(str(slots.get("message", meaning.text)))
        return (float(pair[0]), float(pair[1])) if pair else (None, None)
    words = str(slots.get("message", meaning.text))
    if "value" in slots:
        value = _float(slots["value"])
    else:
        spans = numbers.find(words)
        value = spans[0].value if spans else None
    if kind == "weight" and value is not None and "公斤" not in words and "千克" not in words and ("斤" in words or value > JIN_ABOVE):
        value /= 2  # 斤, the unit of most bathroom talk
    return value, None


def _float(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _tell(turn: Turn, kind: str, value: float, second: float | None, out: list[tuple[str, bool]], key: str) -> bool:
    shown = f"{value:g}/{second:g}" if second is not None else f"{value:g}"
    high = "偏高" if out[0][1] else "偏低"
    title, _, body = turn.reply(key, kind=NAMES[kind], value=shown, high=high, time=f"{turn.now:%H:%M}").partition("：")
    return bool(message.tell_family(turn.store, turn.now, turn.household, purpose=PURPOSE, title=title, body=body))


@skill.on("diary.query")
def query(turn: Turn, meaning: Meaning) -> Conversation:
    """我血压最近咋样: the last one, the average, and whether it goes up or down."""
    kind = str(meaning.slots.get("kind", ""))
    found = reading.since(turn.store, turn.household.zone, turn.now - reading.ADVANCE, kind)
    if not kind and found:
        kind = found[-1].kind
        found = [r for r in found if r.kind == kind]
    name = NAMES.get(kind, "这些")
    course = reading.trend(found)
    if course is None:
        yield Say(turn.reply("nothing", kind=name))
        return
    text = turn.reply("last", kind=name, when=_when(turn, course.last), value=spoken(kind, course.last.value, course.last.second))
    if course.count > 1:
        average = spoken(kind, round(course.average, 1 if kind in ("blood_glucose", "temperature", "weight") else 0),
                         round(course.second) if course.second is not None else None)
        text += turn.reply("average", count=saying.counted(course.count), value=average)
        if course.count >= 4:
            steady = abs(course.change) < STEADY.get(kind, 1.0)
            text += turn.reply("steady" if steady else "rising" if course.change > 0 else "falling", kind=name)
    yield Say(text)


def _when(turn: Turn, r: Reading) -> str:
    return saying.moment(r.at, turn.now) if turn.now - r.at > timedelta(minutes=1) else "刚才"
