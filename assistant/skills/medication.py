"""Medicine: a question at each slot, six answers, and the ledger's word on what was taken and what was not.

小伴 gives no advice about drugs: it reads out the line the family wrote, and what is in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from assistant import saying
from assistant.care import dose, message
from assistant.care.dose import Dose, Event, State
from assistant.home import Household, Medicine
from assistant.messages import Acknowledged, Action, Ask, Conversation, Meaning, Say, Slot
from assistant.skills.skill import DOSE, Skill, Turn
from assistant.store import WHOLE
from assistant.understand import numbers

skill = Skill("medication")

PURPOSE = "dose"
"""Purpose of our messages in the outbox."""
ANSWER = 12.0
"""Seconds to wait for an answer to a dose question."""
TAKE_BACK = timedelta(minutes=5)
"""我没说吃了 within this undoes the last record without a question."""
ECHO = timedelta(seconds=90)
"""The same 吃了 said twice in one breath is no second dose; nobody is told."""
SURE_EARLY = timedelta(minutes=30)
"""A bare 吃药了 is taken for a slot this much ahead; further ahead it is asked."""
CLOSED_LATELY = timedelta(hours=12)
"""A closed dose this recent can still be what 我吃过药了 means; it is asked."""
REFILL_DAYS = 7
"""The family is told this many days before the last dose."""
LISTED = 4
"""Items in one answer; more is not remembered by ear."""

Answer = Callable[[Turn, list[Dose], Meaning], Conversation]
_Chosen = Generator[Action, Meaning | None, Medicine | None]
_Held = Generator[Action, Meaning | None, tuple[Dose, ...]]


# --- words --------------------------------------------------------------------------------------------------------


def called(medicine: Medicine) -> str:
    """What the elder calls it: 降压药 before 缬沙坦."""
    return medicine.aka[0] if medicine.aka else medicine.name


def described(medicine: Medicine) -> str:
    """What it is for, what it looks like, how much: 降压的粉色胶囊一粒."""
    name = called(medicine)
    if not medicine.looks:
        return name + medicine.dose
    for_what = f"{name[:-1]}的" if name.endswith("药") and len(name) > 1 else ""
    return f"{for_what}{medicine.looks}{medicine.dose}"


def _medicine(household: Household, d: Dose) -> Medicine:
    return household.medicine(d.medicine) or Medicine(d.medicine, dose="")


def _names(turn: Turn, doses: Iterable[Dose]) -> str:
    return saying.listing([called(_medicine(turn.household, d)) for d in doses])


def _slots(turn: Turn, doses: Sequence[Dose]) -> str:
    """早上七点半的降压药，还有中午十二点半的降糖药."""
    return "，还有".join(
        f"{_when(turn, group[0])}的{_names(turn, group)}" for group in dose.by_slot(doses)
    )


def _when(turn: Turn, d: Dose) -> str:
    return saying.moment(d.due, turn.now)


def _shown(turn: Turn, group: Sequence[Dose]) -> str:
    """All medicines of a slot as one looks at them, with the family's line: …一粒，还有白色小药片一片，饭后."""
    medicines = [_medicine(turn.household, d) for d in group]
    notes = {m.note for m in medicines}
    if len(notes) == 1:
        return saying.sentence(["，还有".join(described(m) for m in medicines), notes.pop()])
    return "，还有".join(saying.sentence([described(m), m.note]) for m in medicines)


def _for_family(turn: Turn, doses: Sequence[Dose]) -> str:
    """Which doses, as a message may say it: medicines by name only where the family opted in (CARE 7)."""
    named = turn.household.care.names_medicines
    return "；".join(
        f"{group[0].day.month}月{group[0].day.day}日 {group[0].slot}"
        + (" " + "、".join(d.medicine for d in group) if named else "")
        for group in dose.by_slot(doses)
    )


def _tell(turn: Turn, key: str, doses: Sequence[Dose] = (), **words: object) -> bool:
    """Post a note to the family. Returns whether there is anybody to tell. Call it inside a transaction."""
    title, _, body = turn.reply(f"family_{key}", doses=_for_family(turn, doses), **words).partition("：")
    return bool(message.tell_family(turn.store, turn.now, turn.household, purpose=PURPOSE, title=title, body=body))


def _family_said(turn: Turn, told: bool) -> str:
    return turn.reply("told_family" if told else "nobody_to_tell")


# --- what falls due -----------------------------------------------------------------------------------------------


@skill.due("dose", priority=DOSE)
def due(turn: Turn, row: int) -> Conversation:
    """Everything about medicine that is due now, in one talk: what is too late, then one question."""
    dose.plan_day(turn.store, turn.household, turn.now)
    held = yield from _settle(turn)
    doses, close = _askable(turn, held)
    for d in close:
        yield Say(turn.reply("too_close", what=_slots(turn, [d])))
    if doses:
        yield from _ask(turn, doses)


def _settle(turn: Turn) -> _Held:
    """What time alone has closed: the family is told in the same transaction, then the elder. Gives what woke and is not closed."""
    said: list[str] = []
    with turn.store.atomic():
        settled = dose.settle(turn.store, turn.now, turn.household.zone, turn.trusted)
        if news := settled.news(settled.missed):
            _tell(turn, "missed", news)
        if news := settled.news(settled.unknown):
            _tell(turn, "unknown", news)
        if settled.told:
            _tell(turn, "waiting", settled.told)
        if settled.missed:
            fresh = bool(message.audience(turn.household)) and bool(settled.news(settled.missed))
            key = "missed" if fresh else "missed_told" if _reached(turn, settled.missed) else "missed_alone"
            said.append(turn.reply(key, what=_slots(turn, settled.missed)))
        if settled.unknown:
            said.append(turn.reply("unknown", what=_slots(turn, settled.unknown)))
    for text in said:
        yield Say(text)
    return settled.held


def _reached(turn: Turn, doses: Sequence[Dose]) -> bool:
    """Whether a message about doses went out since the family was first told of these."""
    since = min((d.told for d in doses if d.told is not None), default=None)
    return since is not None and message.went_out(turn.store, PURPOSE, since)


def _askable(turn: Turn, held: Sequence[Dose]) -> tuple[list[Dose], list[Dose]]:
    """Of these the doses to ask about now, and those that may not be taken because the one before was so late."""
    doses: list[Dose] = []
    close: list[Dose] = []
    with turn.store.atomic():
        for d in dose.waiting(held, turn.now):
            medicine = _medicine(turn.household, d)
            free = dose.postpone(turn.store, turn.now, medicine, d, turn.household.zone)
            if free is None:
                close.append(dose.move(turn.store, turn.now, d, Event.TOO_CLOSE, reason="离上一次太近"))
            elif free > turn.now:
                dose.delayed(turn.store, d, free)
            else:
                doses.append(d)
        if close:
            _tell(turn, "too_close", close)
    return doses, close


def _ask(turn: Turn, doses: list[Dose]) -> Conversation:
    first = all(d.asks == 0 for d in doses)
    with turn.store.atomic():
        doses = [
            dose.asked(turn.store, turn.now, d, late=not turn.trusted or turn.now - d.due >= dose.LATE_QUESTION)
            for d in doses
        ]
        if not turn.trusted:
            turn.doubt()
    if not turn.trusted:
        key = "ask_clock"
    elif any(d.state is State.DOUBT for d in doses):
        key = "ask_late"
    elif first:
        key = "ask"
    else:
        key = "ask_again"
    groups = dose.by_slot(doses)
    what = "；".join(f"{_when(turn, group[0])}的药：{_shown(turn, group)}" for group in groups)
    if key == "ask" and len(groups) == 1:
        text = turn.reply("ask", time=_when(turn, doses[0]), what=_shown(turn, doses))
    elif key == "ask_again" and len(groups) == 1:
        text = turn.reply("ask_again", time=_when(turn, doses[0]), what=_names(turn, doses))
    elif key in ("ask", "ask_again"):
        text = turn.reply("ask_slots", what=what)
    else:
        text = turn.reply(key, what=what)
    answer = yield Ask(text, asking="dose", seconds=ANSWER)
    yield from _answered(turn, doses, answer)


def _answered(turn: Turn, doses: Sequence[Dose], answer: Meaning | None) -> Conversation:
    """One of the six answers, or silence, about some doses."""
    held = _still_open(turn, doses)
    if not held:
        return
    if answer is None:
        yield Say(turn.reply("silent" if any(d.asks < dose.ASKS for d in held) else "silent_last"))
        return
    named = str(answer.slots.get("medicine", ""))
    about = [d for d in held if d.medicine == named]
    if named and not about:
        # She speaks of another medicine than the one asked about: that is a word of its own.
        begin = SPONTANEOUS.get(answer.intent)
        if begin is not None:
            yield from begin(turn, answer)
        rest = held
    elif named or len(held) == 1 or answer.intent in FOR_ALL:
        about = about or held
        yield from ANSWERS[answer.intent](turn, about, answer)
        rest = [d for d in held if d not in about]
    else:
        rest = held
    if len(rest) < len(doses) or len(rest) > 1:
        yield from _one_by_one(turn, rest)


def _one_by_one(turn: Turn, doses: Sequence[Dose]) -> Conversation:
    for d in doses:
        answer = yield Ask(
            turn.reply("one", what=described(_medicine(turn.household, d))), asking="dose", seconds=ANSWER
        )
        held = _still_open(turn, [d])
        if answer is None:
            yield Say(turn.reply("silent"))
            return
        if held:
            plain = answer if answer.slots.get("medicine") in (None, d.medicine) else None
            yield from ANSWERS[answer.intent](turn, held, answer) if plain else SPONTANEOUS[answer.intent](turn, answer)


def _still_open(turn: Turn, doses: Sequence[Dose]) -> list[Dose]:
    """The same doses as they are now, without those closed meanwhile."""
    fresh = (dose.get(turn.store, d.id, turn.household.zone) for d in doses)
    return [d for d in fresh if d is not None and not d.final]


# --- the six answers ----------------------------------------------------------------------------------------------


def _taken(turn: Turn, doses: list[Dose], answer: Meaning) -> Conversation:
    yield from _record(turn, doses)


def _record(turn: Turn, doses: Sequence[Dose], evidence: str = "said") -> Conversation:
    """Write down TAKEN and read it back; a second one inside the medicine's gap is not written down."""
    done: list[Dose] = []
    twice: list[tuple[Dose, Dose]] = []
    told = False
    with turn.store.atomic():
        for d in doses:
            medicine = _medicine(turn.household, d)
            before = dose.too_soon(turn.store, medicine, turn.now, turn.household.zone, but=d.id)
            if before is not None:
                twice.append((d, before))
                continue
            how = "early" if evidence == "said" and turn.now < d.due else evidence
            done.append(dose.taken(turn.store, turn.now, d, how))
            _watch_stock(turn, medicine)
        if done and evidence == "late":
            _tell(turn, "late_taken", done)
        if twice:
            told = _tell(turn, "double", [d for d, _ in twice], time="、".join(f"{b.taken:%H:%M}" for _, b in twice if b.taken))
    if done:
        early = all(turn.now < d.due for d in done)
        key = {"pillbox": "taken_pillbox", "late": "taken_late"}.get(evidence, "taken_early" if early else "taken")
        yield Say(turn.reply(key, what=_slots(turn, done)))
    for _, before in twice:
        yield Say(_double(turn, before) + (_family_said(turn, told) if told else ""))


def _double(turn: Turn, before: Dose) -> str:
    at = before.taken or before.due
    return turn.reply("double", time=saying.moment(at, turn.now), medicine=called(_medicine(turn.household, before)))


def _said_again(turn: Turn, before: Dose) -> Conversation:
    """A second 吃了 inside the gap: the record is read out, the family hears of it unless it was one breath."""
    with turn.store.atomic():
        turn.store.note_down(turn.now, "dose.double", before.id, before.medicine)
        told = (
            before.taken is not None and turn.now - before.taken > ECHO
            and _tell(turn, "double", [before], time=f"{before.taken:%H:%M}")
        )
    yield Say(_double(turn, before) + (_family_said(turn, told) if told else ""))


def _not_yet(turn: Turn, doses: list[Dose], answer: Meaning) -> Conversation:
    with turn.store.atomic():
        for d in doses:
            dose.ask_again(turn.store, turn.now, d, Event.NOT_YET, dose.REASK)
    yield Say(turn.reply("not_yet", medicine=_names(turn, doses)))


def _taking(turn: Turn, doses: list[Dose], answer: Meaning) -> Conversation:
    with turn.store.atomic():
        for d in doses:
            dose.ask_again(turn.store, turn.now, d, Event.TAKING, dose.PENDING_ASK)
    yield Say(turn.reply("taking", length=saying.length(dose.PENDING_ASK)))


def _heard(turn: Turn, doses: list[Dose], answer: Meaning) -> Conversation:
    with turn.store.atomic():
        for d in doses:
            dose.ask_again(turn.store, turn.now, d, Event.HEARD, dose.HEARD_ASK)
    yield Say(turn.reply("heard", length=saying.length(dose.HEARD_ASK)))


def _snooze(turn: Turn, doses: list[Dose], answer: Meaning) -> Conversation:
    span = answer.slots.get("duration")
    wished = span if isinstance(span, timedelta) and span > timedelta(0) else None
    with turn.store.atomic():
        moved = [dose.snoozed(turn.store, turn.now, d, wished) for d in doses]
        refused = [d for d, m in zip(doses, moved, strict=True) if m is None]
        for d in refused:
            again = min(turn.now + dose.REASK, d.limit)
            dose.move(turn.store, turn.now, d, Event.HEARD, "no more snoozes", ask=again)
    granted = [m for m in moved if m is not None]
    if granted:
        at = min(m.ask for m in granted if m.ask is not None)
        yield Say(turn.reply("snoozed", length=saying.length(at - turn.now), time=saying.moment(at, turn.now)))
    else:
        latest = min(d.limit for d in refused)
        key = "snooze_full" if any(d.snoozes >= dose.SNOOZES for d in refused) else "snooze_too_long"
        yield Say(turn.reply(key, time=saying.moment(latest, turn.now)))


def _skip(turn: Turn, doses: list[Dose], answer: Meaning) -> Conversation:
    reason = str(answer.slots.get("reason", "")) or answer.text
    with turn.store.atomic():
        done = [dose.move(turn.store, turn.now, d, Event.SKIP, reason=reason[:200], told=turn.now) for d in doses]
        told = _tell(turn, "skipped", done, reason=reason[:80] or "没说原因")
    yield Say(turn.reply("skipped", what=_slots(turn, done)) + _family_said(turn, told))


def _unsure(turn: Turn, doses: list[Dose], answer: Meaning) -> Conversation:
    """先别补吃，看看药盒那一格: the pillbox is the witness, then the family."""
    with turn.store.atomic():
        doses = [dose.ask_again(turn.store, turn.now, d, Event.UNSURE, dose.REASK) for d in doses]
    look = yield Ask(turn.reply("unsure", what=_slots(turn, doses)), asking="evidence", seconds=45.0)
    doses = [d for d in _still_open(turn, doses) if d.state is State.EVIDENCE]
    if not doses:
        return
    if look is not None and look.intent == "dialogue.empty":
        yield from _record(turn, doses, "pillbox")
    elif look is not None and look.intent == "dialogue.full":
        with turn.store.atomic():
            for d in doses:
                dose.ask_again(turn.store, turn.now, d, Event.FULL, dose.REASK)
        yield Say(turn.reply("full", medicine=_names(turn, doses)))
    else:
        with turn.store.atomic():
            told = _tell(turn, "unsure", doses)
            for d in doses:
                # The family looks; nothing is asked again, at the limit it is UNKNOWN.
                dose.move(turn.store, turn.now, d, Event.UNSURE, ask=None, told=d.told or turn.now)
        yield Say(turn.reply("unsure_family" if told else "unsure_alone"))


ANSWERS: dict[str, Answer] = {
    "medication.taken": _taken,
    "medication.not_taken": _not_yet,
    "dialogue.no": _not_yet,
    "medication.taking": _taking,
    "dialogue.yes": _heard,
    "medication.snooze": _snooze,
    "medication.skip": _skip,
    "medication.unsure": _unsure,
}
"""What an answer to 您吃了吗 does. 嗯 and 好 are no 吃了."""

FOR_ALL = frozenset({
    "medication.taken", "medication.not_taken", "dialogue.no", "medication.taking", "dialogue.yes", "medication.snooze",
    "medication.unsure",
})
"""Answers that hold for all medicines asked about; the others are asked about one by one. What she cannot remember is
one look into the pillbox: a compartment holds the whole slot."""


# --- said by herself ----------------------------------------------------------------------------------------------


@skill.on("medication.taken")
def said_taken(turn: Turn, meaning: Meaning) -> Conversation:
    """吃了, without a question: the dose around now, else what she means is found out before anything is written."""
    yield from _settle(turn)
    name = str(meaning.slots.get("medicine", ""))
    medicine = turn.household.medicine(name)
    if medicine is not None and medicine.schedule is None:
        yield from _taken_when_needed(turn, medicine)
        return
    doses = dose.nearest(turn.store, turn.household, turn.now, name)
    groups = dose.by_slot(doses)
    if len(groups) > 1:
        yield from _one_by_one(turn, doses)
    elif doses and (name or doses[0].due - turn.now <= SURE_EARLY):
        yield from _record(turn, doses)
    elif doses:
        recent = _recent(turn, turn.household.medicines)
        if recent is not None and recent.taken and turn.now - recent.taken < SURE_EARLY:
            yield Say(_double(turn, recent))  # she repeats herself; the slot ahead is hours away
            return
        answer = yield Ask(turn.reply("early_question", what=_slots(turn, doses)), asking="yes_no")
        if answer is not None and answer.intent == "dialogue.yes":
            yield from _record(turn, _still_open(turn, doses))
        else:
            yield Say(turn.reply("not_recorded"))
    else:
        yield from _taken_out_of_time(turn, medicine)


def _recent(turn: Turn, medicines: Iterable[Medicine]) -> Dose | None:
    """The newest dose inside its medicine's gap."""
    found = [dose.too_soon(turn.store, m, turn.now, turn.household.zone) for m in medicines]
    return max((d for d in found if d is not None), key=lambda d: d.taken or d.due, default=None)


def _taken_out_of_time(turn: Turn, medicine: Medicine | None) -> Conversation:
    """吃了 when nothing is open: perhaps a second time, perhaps a closed dose, perhaps one too many."""
    zone = turn.household.zone
    scheduled = [m for m in turn.household.medicines if m.schedule is not None]
    before = _recent(turn, [medicine] if medicine else scheduled)
    if before is not None:
        yield from _said_again(turn, before)
        return
    closed = [
        d for d in dose.find(
            turn.store, zone, "state IN ('missed', 'unknown', 'skipped') AND due_at > ? AND due_at <= ?",
            turn.now - CLOSED_LATELY, turn.now,
        ) if medicine is None or d.medicine == medicine.name
    ]
    if closed:
        latest = dose.by_slot(closed)[-1]
        answer = yield Ask(turn.reply("closed_question", what=_slots(turn, latest)), asking="yes_no")
        if answer is not None and answer.intent == "dialogue.yes":
            fresh = [dose.get(turn.store, d.id, zone) for d in latest]
            yield from _record(turn, [d for d in fresh if d is not None and d.state is not State.TAKEN], "late")
        else:
            yield Say(turn.reply("not_recorded"))
        return
    if medicine is None:
        if len(scheduled) < 2:
            medicine = scheduled[0] if scheduled else None
        else:
            medicine = yield from _which(turn, scheduled, "which_taken")
            if medicine is not None:
                before = _recent(turn, [medicine])
                if before is not None:
                    yield Say(_double(turn, before))
                    return
    if medicine is None:
        yield Say(turn.reply("not_recorded"))
        return
    following = dose.next_due(medicine, turn.now)
    answer = yield Ask(
        turn.reply("extra_question", medicine=called(medicine),
                   time=saying.moment(following, turn.now) if following else "以后"),
        asking="yes_no",
    )
    if answer is not None and answer.intent == "dialogue.yes":
        with turn.store.atomic():
            dose.outside(turn.store, turn.now, medicine, zone)
            _watch_stock(turn, medicine)
            told = _tell(turn, "outside", name=_named(turn, medicine), time=f"{turn.now:%H:%M}")
        yield Say(turn.reply("outside", medicine=called(medicine)) + _family_said(turn, told))
    else:
        yield Say(turn.reply("not_recorded"))


def _named(turn: Turn, medicine: Medicine) -> str:
    return medicine.name if turn.household.care.names_medicines else "一种药"


def _which(turn: Turn, medicines: Sequence[Medicine], key: str) -> _Chosen:
    """Ask which of several medicines; None if it was not answered."""
    names = {called(m): m for m in medicines}
    answer = yield Ask(
        turn.reply(key, choices=saying.listing(list(names)[:LISTED])), asking="which", options=tuple(m.name for m in medicines)
    )
    if answer is None:
        return None
    return next((m for m in medicines if m.name in {str(v) for v in answer.slots.values()}), None)


def _when_needed(turn: Turn, medicine: Medicine) -> tuple[list[Dose], Dose | None, bool]:
    """(taken today, the one too recent, whether the day is full) of a medicine taken when needed."""
    today = dose.taken_today(turn.store, medicine.name, turn.now, turn.household.zone)
    before = dose.too_soon(turn.store, medicine, turn.now, turn.household.zone)
    return today, before, 0 < medicine.max_per_day <= len(today)


def _taken_when_needed(turn: Turn, medicine: Medicine) -> Conversation:
    today, before, full = _when_needed(turn, medicine)
    if before is not None and before.taken is not None:
        yield from _said_again(turn, before)
        return
    with turn.store.atomic():
        dose.outside(turn.store, turn.now, medicine, turn.household.zone)
        _watch_stock(turn, medicine)
        if full:
            _tell(turn, "too_many", name=_named(turn, medicine), count=len(today) + 1)
    key = "needed_over" if full else "needed_taken"
    yield Say(turn.reply(key, time=saying.clock(turn.now), medicine=called(medicine), count=saying.number(len(today) + 1)))


@skill.on("medication.not_taken")
def said_not_taken(turn: Turn, meaning: Meaning) -> Conversation:
    """我没说吃了 right after a record undoes it; later it is asked first."""
    zone = turn.household.zone
    name = str(meaning.slots.get("medicine", ""))
    newest = [
        d for d in dose.find(
            turn.store, zone, "state = 'taken' AND taken_at >= ? AND taken_at <= ?", turn.now - CLOSED_LATELY, turn.now,
            order="taken_at DESC, id",
        ) if not name or d.medicine == name
    ]
    if newest and newest[0].taken is not None:
        last = [d for d in newest if d.taken == newest[0].taken]
        if turn.now - newest[0].taken <= TAKE_BACK:
            yield from _take_back(turn, last)
            return
        if name or not dose.nearest(turn.store, turn.household, turn.now, name):
            answer = yield Ask(
                turn.reply("take_back_question", time=saying.moment(newest[0].taken, turn.now), what=_names(turn, last)),
                asking="yes_no",
            )
            if answer is not None and answer.intent == "dialogue.yes":
                yield from _take_back(turn, last)
            else:
                yield Say(turn.reply("kept"))
            return
    yield from _about_now(turn, meaning, _not_yet)


def _take_back(turn: Turn, doses: Sequence[Dose]) -> Conversation:
    with turn.store.atomic():
        opened = []
        for d in doses:
            if d.scheduled:
                opened.append(dose.reopened(turn.store, turn.now, d))
            else:
                turn.store.delete("dose", d.id)
                turn.store.note_down(turn.now, "dose.denied", d.id, d.medicine)
    yield Say(turn.reply("taken_back", what=_names(turn, doses)))
    if any(turn.now >= d.limit for d in opened):
        yield from _settle(turn)


def _about_now(turn: Turn, meaning: Meaning, answer: Answer) -> Conversation:
    """An answer without a question, about the doses around now."""
    yield from _settle(turn)
    name = str(meaning.slots.get("medicine", ""))
    doses = dose.nearest(turn.store, turn.household, turn.now, name)
    if not doses:
        yield from _nothing_now(turn)
        return
    with turn.store.atomic():
        doses = [dose.asked(turn.store, turn.now, d) if d.state is State.PLANNED else d for d in doses]
    yield from answer(turn, doses, meaning)


@skill.late("dialogue.yes", "dialogue.no")
def late(turn: Turn, meaning: Meaning) -> Conversation:
    """知道了, some minutes after nobody answered: the open doses were heard of, no more."""
    yield from _settle(turn)
    doses = [d for d in dose.nearest(turn.store, turn.household, turn.now) if d.state in dose.OPEN]
    if doses:
        yield from ANSWERS[meaning.intent](turn, doses, meaning)
    else:
        yield from _nothing_now(turn)


def _nothing_now(turn: Turn) -> Conversation:
    following = _next(turn)
    if following:
        yield Say(turn.reply("nothing_now", what=_slots(turn, following)))
    else:
        yield Say(turn.reply("nothing_planned"))


def _next(turn: Turn) -> list[Dose]:
    """The doses of the next slot that is planned."""
    return dose.next_planned(turn.store, turn.household.zone, turn.now)


@skill.on("medication.taking")
def said_taking(turn: Turn, meaning: Meaning) -> Conversation:
    """我这就去吃药."""
    yield from _about_now(turn, meaning, _taking)


@skill.on("medication.snooze")
def said_snooze(turn: Turn, meaning: Meaning) -> Conversation:
    """药等会儿再吃."""
    yield from _about_now(turn, meaning, _snooze)


@skill.on("medication.skip")
def said_skip(turn: Turn, meaning: Meaning) -> Conversation:
    """这个药今天不吃了. For several medicines it is asked which."""
    yield from _settle(turn)
    name = str(meaning.slots.get("medicine", ""))
    doses = dose.nearest(turn.store, turn.household, turn.now, name)
    if not doses and name:
        doses = [d for d in _ahead_today(turn, name)][:1]
    if not doses:
        yield from _nothing_now(turn)
    elif len(doses) == 1:
        yield from _skip(turn, doses, meaning)
    else:
        medicines = [_medicine(turn.household, d) for d in doses]
        chosen = yield from _which(turn, medicines, "which_skip")
        about = [d for d in _still_open(turn, doses) if chosen is not None and d.medicine == chosen.name]
        if about:
            yield from _skip(turn, about, meaning)
        else:
            yield Say(turn.reply("nothing_changed"))


def _ahead_today(turn: Turn, medicine: str) -> list[Dose]:
    today = dose.of_day(turn.store, turn.household.zone, turn.now.date(), medicine)
    return [d for d in today if d.state is State.PLANNED and d.due > turn.now]


@skill.on("medication.unsure")
def said_unsure(turn: Turn, meaning: Meaning) -> Conversation:
    """我记不清吃没吃: the ledger first; where it is silent, the pillbox."""
    yield from _settle(turn)
    name = str(meaning.slots.get("medicine", ""))
    doses = [d for d in dose.nearest(turn.store, turn.household, turn.now, name) if d.due <= turn.now]
    if doses:
        yield from _unsure(turn, doses, meaning)
    else:
        yield from said_query(turn, meaning)


# --- questions to the ledger --------------------------------------------------------------------------------------


@skill.on("medication.query")
def said_query(turn: Turn, meaning: Meaning) -> Conversation:
    """药我吃了没有啊: what is written, with the clock time, and what the ledger cannot know."""
    yield from _settle(turn)
    if any(word in meaning.text for word in ("礼拜", "星期", "这周", "这几天", "这个月", "这一向")):
        yield from _week(turn)
        return
    name = str(meaning.slots.get("medicine", ""))
    zone = turn.household.zone
    medicine = turn.household.medicine(name)
    if medicine is not None and medicine.schedule is None:
        yield Say(_needed_so_far(turn, medicine))
        return
    about_day = meaning.slots.get("day", meaning.slots.get("when"))
    day = _as_day(about_day, turn.now)
    todays = [d for d in dose.of_day(turn.store, zone, day, name) if d.due <= turn.now or d.state is State.TAKEN]
    if not todays:
        following = [d for d in _next(turn) if not name or d.medicine == name] or _ahead_today(turn, name)[:1]
        if following:
            yield Say(turn.reply("query_none", what=_slots(turn, following)))
        else:
            yield Say(turn.reply("nothing_planned"))
        return
    groups: list[list[Dose]] = []
    for slot in dose.by_slot(todays):
        by_state: dict[tuple[bool, State, datetime | None], list[Dose]] = {}
        for d in slot:
            by_state.setdefault((d.final, d.state if d.final else State.ASKED, d.taken), []).append(d)
        groups += by_state.values()
    yield Say("".join(_status(turn, group) for group in groups[-LISTED:]))
    if open_now := [d for d in todays if d.state in dose.OPEN and d.state is not State.EVIDENCE]:
        # Only where no dose question is open already: that one is asked again by itself.
        if not turn.asked:
            yield from _ask(turn, open_now)
    elif not any(not d.final for d in todays) and (following := _next(turn)):
        yield Say(turn.reply("next", what=_slots(turn, following)))


def _status(turn: Turn, group: Sequence[Dose]) -> str:
    """One sentence on doses of one slot that fared alike."""
    first = group[0]
    key = {
        State.TAKEN: "status_pillbox" if first.evidence == "pillbox" else "status_taken",
        State.SKIPPED: "status_skipped",
    }.get(first.state, "status_none" if first.final else "status_open")
    at = saying.moment(first.taken, turn.now) if first.taken else ""
    names = _names(turn, group)
    what = f"{names}" if not first.scheduled else f"{_when(turn, first)}的{names}"
    return turn.reply(key, what=what, at=at)


def _needed_so_far(turn: Turn, medicine: Medicine) -> str:
    today, _, _ = _when_needed(turn, medicine)
    if not today:
        return turn.reply("needed_none", medicine=called(medicine))
    times = saying.listing([saying.clock(d.taken) for d in today if d.taken])
    return turn.reply("needed_so_far", medicine=called(medicine), count=saying.counted(len(today)), times=times)


def _as_day(slot: Slot | None, now: datetime) -> date:
    if isinstance(slot, datetime):
        return slot.date()
    return slot if isinstance(slot, date) else now.date()


def _week(turn: Turn) -> Conversation:
    zone = turn.household.zone
    first = turn.now.date() - timedelta(days=6)
    doses = [
        d for d in dose.find(turn.store, zone, "day >= ? AND day <= ?", first.isoformat(), turn.now.date().isoformat())
        if d.final and d.scheduled
    ]
    if not doses:
        yield Say(turn.reply("week_none"))
        return
    slots = dose.by_slot(doses)
    taken = [slot for slot in slots if all(d.state is State.TAKEN for d in slot)]
    gaps = dose.by_slot([d for d in doses if d.state in (State.MISSED, State.UNKNOWN)])
    skipped = dose.by_slot([d for d in doses if d.state is State.SKIPPED])
    text = turn.reply("week", planned=saying.counted(len(slots)), taken=saying.counted(len(taken)))
    if gaps:
        text += turn.reply("week_gaps", count=saying.counted(len(gaps)), what=_slots(turn, gaps[-1]))
    if skipped:
        text += turn.reply("week_skipped", count=saying.counted(len(skipped)))
    yield Say(text if gaps or skipped else text + turn.reply("week_all"))


@skill.on("medication.extra")
def said_extra(turn: Turn, meaning: Meaning) -> Conversation:
    """我再吃一片吧: stopped with the record; the family hears of it where she has already taken too many."""
    yield from _settle(turn)
    name = str(meaning.slots.get("medicine", ""))
    medicine = turn.household.medicine(name)
    again = "又吃了" in meaning.text and not meaning.text.rstrip("啊呀呢").endswith(("吗", "吧", "没有", "没"))
    if again and medicine is not None and medicine.schedule is None:
        yield from _taken_when_needed(turn, medicine)  # 止疼药我又吃了一粒 tells, it does not ask
        return
    if again or any(word in meaning.text for word in ("多吃了", "吃多了", "吃重", "两遍", "两回", "双份了")):
        with turn.store.atomic():
            told = _tell(turn, "too_much", name=_named(turn, medicine) if medicine else "药", time=f"{turn.now:%H:%M}")
        yield Say(turn.reply("too_much") + _family_said(turn, told))
        return
    if medicine is not None and medicine.schedule is None:
        yield from _may_take(turn, medicine)
        return
    before = _recent(turn, [medicine] if medicine else [m for m in turn.household.medicines if m.schedule])
    doses = [d for d in dose.nearest(turn.store, turn.household, turn.now, name) if d.due <= turn.now]
    if before is not None:
        at = before.taken or before.due
        yield Say(turn.reply("extra_stopped", time=saying.moment(at, turn.now), medicine=called(_medicine(turn.household, before))))
    elif doses and not turn.asked:
        yield Say(turn.reply("extra_open"))
        yield from _ask(turn, doses)
    elif doses:
        yield Say(turn.reply("extra_open"))
    else:
        yield Say(turn.reply("extra_none"))
        following = _next(turn)
        if following:
            yield Say(turn.reply("next", what=_slots(turn, following)))


def _may_take(turn: Turn, medicine: Medicine) -> Conversation:
    """A medicine taken when needed, against the family's maximum and gap; no advice beyond these."""
    today, before, full = _when_needed(turn, medicine)
    if full:
        yield Say(turn.reply("needed_full", medicine=called(medicine), count=saying.counted(len(today))))
    elif before is not None and before.taken is not None:
        free = before.taken + medicine.min_gap
        yield Say(turn.reply("needed_wait", medicine=called(medicine), time=saying.moment(before.taken, turn.now),
                             gap=saying.length(medicine.min_gap), free=saying.moment(free, turn.now)))
    else:
        limit = turn.reply("needed_max", count=saying.counted(medicine.max_per_day)) if medicine.max_per_day else ""
        key = "needed_free" if today else "needed_first"
        yield Say(turn.reply(key, medicine=called(medicine), dose=medicine.dose, count=saying.counted(len(today)), limit=limit))


# --- stock --------------------------------------------------------------------------------------------------------


def _watch_stock(turn: Turn, medicine: Medicine) -> None:
    """Seven days before the last dose the family is told, once a refill. Call it inside a transaction."""
    left = dose.units_left(turn.store, medicine)
    if left is None:
        return
    days = dose.lasts(medicine, left, turn.now)
    low = days is not None and days <= REFILL_DAYS or (medicine.schedule is None and left <= 2 * medicine.units)
    key = f"refill.{medicine.name}"
    if low and not turn.store.setting(key):
        turn.store.remember(key, turn.now.date().isoformat())
        _tell(turn, "refill", name=_named(turn, medicine), days=days if days is not None else 0, units=f"{left:g}")
    elif not low and turn.store.setting(key):
        turn.store.remember(key, "")


def _measure(medicine: Medicine) -> str:
    """The measure word of a dose: 一粒 → 粒."""
    return medicine.dose[-1:] if medicine.dose and medicine.dose != "一份" else "份"


@skill.on("medication.stock")
def said_stock(turn: Turn, meaning: Meaning) -> Conversation:
    """药还能吃几天: the scarcest first."""
    dose.count_stock(turn.store, turn.household, turn.now)
    named = turn.household.medicine(str(meaning.slots.get("medicine", "")))
    counted = [
        (m, left, dose.lasts(m, left, turn.now))
        for m, left in dose.all_left(turn.store, [named] if named else turn.household.medicines)
    ]
    if not counted:
        yield Say(turn.reply("stock_unknown", medicine=called(named) if named else "药"))
        return
    counted.sort(key=lambda item: 9999 if item[2] is None else item[2])
    said = [
        turn.reply("stock_days" if days is not None else "stock_units", medicine=called(m), left=saying.counted(left),
                   unit=_measure(m), days=saying.counted(days or 0))
        for m, left, days in counted[:LISTED]
    ]
    low = [m for m, _, days in counted if days is not None and days <= REFILL_DAYS]
    yield Say("，".join(said) + "。" + (turn.reply("stock_low") if low else ""))


@skill.on("medication.restock")
def said_restock(turn: Turn, meaning: Meaning) -> Conversation:
    """新买了两盒: counted in the medicine's units, read back."""
    dose.count_stock(turn.store, turn.household, turn.now)
    medicine = turn.household.medicine(str(meaning.slots.get("medicine", "")))
    if medicine is None:
        medicine = yield from _which(turn, turn.household.medicines, "which_bought")
    if medicine is None:
        yield Say(turn.reply("nothing_changed"))
        return
    amount = _amount(meaning.slots.get("amount"), meaning.text)
    if amount is None:
        answer = yield Ask(turn.reply("how_many", medicine=called(medicine)), asking="text")
        amount = _amount(answer.slots.get("message"), answer.text) if answer else None
    if amount is None:
        yield Say(turn.reply("nothing_changed"))
        return
    count, boxes = amount
    if boxes and not medicine.pack:
        answer = yield Ask(turn.reply("how_many_in", medicine=called(medicine), unit=_measure(medicine)), asking="text")
        inside = _amount(answer.slots.get("message"), answer.text) if answer else None
        if inside is None:
            yield Say(turn.reply("nothing_changed"))
            return
        units = count * inside[0]
    else:
        units = count * medicine.pack if boxes else count
    with turn.store.atomic():
        if dose.units_left(turn.store, medicine) is None:
            turn.store.insert("stock", medicine=medicine.name, kind="counted", units=0.0, at=turn.now)
        dose.restock(turn.store, turn.now, medicine, units)
        _watch_stock(turn, medicine)
    left = dose.units_left(turn.store, medicine) or 0.0
    yield Say(turn.reply("restocked", medicine=called(medicine), units=saying.counted(units), unit=_measure(medicine),
                         left=saying.counted(left)))


_BOXES = ("盒", "瓶", "板", "包", "袋", "罐")


def _amount(slot: Slot | None, text: str) -> tuple[float, bool] | None:
    """(how many, whether boxes) of 两盒, 三十粒 or a bare number; None if no number is in it."""
    spoken = str(slot) if isinstance(slot, str) else text
    boxes = any(word in spoken for word in _BOXES)
    if isinstance(slot, int | float):
        return (float(slot), boxes) if 0 < slot <= 1000 else None
    digits = "".join(c for c in spoken if c in "0123456789.零一二三四五六七八九十百两俩仨半")
    value = numbers.number(digits) if digits else None
    return (value, boxes) if value is not None and 0 < value <= 1000 else None


SPONTANEOUS: dict[str, Callable[[Turn, Meaning], Conversation]] = dict(skill.meanings)
"""A word about another medicine than the one asked about is taken as said by herself."""


# --- the world changes --------------------------------------------------------------------------------------------


OFF_SINCE = "dose.off_since"
"""Setting: since when nobody could be asked, kept until the clock is trusted."""


@skill.started
def started(turn: Turn) -> Conversation:
    """After a start: what passed meanwhile is one summary, what is inside its limit one question."""
    since = turn.off_since
    if not turn.trusted:
        if since is not None and not turn.store.setting(OFF_SINCE):
            turn.store.remember(OFF_SINCE, since.isoformat())
        dose.plan(turn.store, turn.household, turn.now)
        dose.count_stock(turn.store, turn.household, turn.now)
        return
    unknown = _back(turn, since)
    dose.count_stock(turn.store, turn.household, turn.now)
    if unknown:
        yield Say(turn.reply("while_off", what=_slots(turn, dose.by_slot(unknown)[-1]), count=saying.counted(len(dose.by_slot(unknown)))))


@skill.asked
def asked_before(turn: Turn) -> Ask | None:
    """A dose was asked about and is still open: 都吃了, said before it is asked again, is about that."""
    asked = any(d.asks and turn.now < d.limit for d in dose.open_doses(turn.store, turn.household.zone))
    return Ask("", asking="dose", seconds=ANSWER) if asked else None


def _back(turn: Turn, since: datetime | None) -> tuple[Dose, ...]:
    """Close what nobody could ask about; one summary to the family."""
    with turn.store.atomic():
        unknown = dose.came_back(turn.store, turn.household, turn.now, since)
        if unknown:
            _tell(turn, "while_off", unknown[-12:], count=len(dose.by_slot(unknown)))
        if turn.store.setting(OFF_SINCE):
            turn.store.remember(OFF_SINCE, "")
    return unknown


@skill.stepped
def stepped(turn: Turn, by: timedelta) -> None:
    """Promised questions keep their distance; slots jumped over are asked or told, none twice, none lost."""
    dose.shift(turn.store, by, turn.household.zone)
    if not turn.trusted:
        return
    kept = turn.store.setting(OFF_SINCE)
    since = datetime.fromisoformat(kept) if kept else None
    if by > timedelta(0):
        since = min(turn.now - by, since) if since else turn.now - by
    _back(turn, since)


@skill.instant("quarantine")
def quarantined(turn: Turn, row: int) -> Iterator[Action]:
    """A row of the ledger was damaged beyond mending, or all of it: slots are asked again, and the family is told to compare."""
    with turn.store.atomic():
        harmed = turn.store.update("quarantine", row, wake_at=None)
        dose.plan(turn.store, turn.household, turn.now, turn.now - dose.LATE_LIMIT)
        if harmed["of"] == WHOLE:
            message.tell_family(
                turn.store, turn.now, turn.household, purpose=PURPOSE, title=turn.reply("family_ledger"), body=str(harmed["body"])
            )
        else:
            _tell(turn, "damaged")
    yield from ()


@skill.household_changed
def changed(turn: Turn, before: Household) -> Conversation:
    """The family's edits reach the ledger at once; the household skill says them aloud."""
    with turn.store.atomic():
        dose.plan(turn.store, turn.household, turn.now)
        dose.count_stock(turn.store, turn.household, turn.now)
    yield from ()


@skill.acknowledged(PURPOSE)
def acknowledged(turn: Turn, row: int, answer: Acknowledged) -> Conversation:
    """Somebody of the family has seen it: it leaves the daily digest."""
    note = message.get(turn.store, row)
    until = note.created if note is not None else turn.now
    dose.saw(turn.store, turn.now, [
        d for d in dose.unseen(turn.store, turn.household.zone, turn.now) if d.told is not None and d.told <= until
    ])
    yield from ()
