"""Free reminders by voice: set with the time read back, said until answered, listed by number, deleted for good."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from assistant import saying
from assistant.care import message, reminder
from assistant.care.reminder import Reminder
from assistant.home import Household
from assistant.messages import Action, Ask, Conversation, Meaning, Say, Slot
from assistant.skills.skill import DOSE, Skill, Turn
from assistant.understand import numbers
from assistant.when import Recurrence

skill = Skill("reminders")

PURPOSE = "reminder"
LISTED = 5
"""Reminders read out at once."""
SNOOZE = timedelta(minutes=10)
LONGEST_SNOOZE = timedelta(hours=12)
LATE = timedelta(minutes=10)
"""Said later than this, it is said that it is late."""

_When = Generator[Action, Meaning | None, datetime | Recurrence | None]


# --- setting ------------------------------------------------------------------------------------------------------


@skill.on("reminder.add")
def add(turn: Turn, meaning: Meaning) -> Conversation:
    """提醒我…: what is missing is asked for, the time is read back, because four and ten sound alike."""
    what = _what(meaning)
    if not what:
        answer = yield Ask(turn.reply("what"), asking="text", seconds=12.0)
        what = str(answer.slots.get("message", answer.text)).strip() if answer and answer.intent != "dialogue.no" else ""
    if not what:
        yield Say(turn.reply("not_set"))
        return
    when = yield from _moment(turn, meaning)
    if when is None:
        yield Say(turn.reply("not_set"))
        return
    try:
        new = reminder.add(turn.store, turn.now, what, when, turn.household.zone)
    except reminder.TooMany:
        yield Say(turn.reply("too_many"))
        return
    except ValueError:
        yield Say(turn.reply("never"))
        return
    key = "set_again" if new.schedule else "set_safety" if new.safety else "set"
    yield Say(turn.reply(key, when=_spoken(new, turn.now), what=new.what))


def _what(meaning: Meaning) -> str:
    what = str(meaning.slots.get("what", "")).strip()
    medicine = str(meaning.slots.get("medicine", ""))
    return what or (f"吃{medicine}" if medicine else "")


def _moment(turn: Turn, meaning: Meaning) -> _When:
    """The time she means, asked for at most twice."""
    slot = meaning.slots.get("when")
    for key in ("when", "when_again"):
        found = _as_moment(turn, slot, meaning.slots.get("duration"))
        if isinstance(found, datetime | Recurrence):
            return found
        text = turn.reply("at_what_time", day=saying.day(found, turn.now.date())) if found else turn.reply(key)
        answer = yield Ask(text, asking="when", seconds=12.0)
        if answer is None:
            return None
        meaning = answer
        slot = _join(found, answer.slots.get("when"))
    found = _as_moment(turn, slot, meaning.slots.get("duration"))
    return found if isinstance(found, datetime | Recurrence) else None


def _join(day: date | None, slot: Slot | None) -> Slot | None:
    """A day said first and a clock time said after it are one moment."""
    if day is not None and isinstance(slot, datetime):
        return slot.replace(year=day.year, month=day.month, day=day.day)
    return slot


def _as_moment(turn: Turn, slot: Slot | None, span: Slot | None) -> datetime | Recurrence | date | None:
    """A moment to come, a recurrence with a clock time, a bare date (its time is missing), or None."""
    zone = turn.household.zone
    match slot:
        case Recurrence():
            return slot if slot.at or slot.every == "hour" else replace(slot, at=(f"{turn.household.care.breakfast:%H:%M}",))
        case datetime():
            when = slot.replace(tzinfo=zone) if slot.tzinfo is None else slot.astimezone(zone)
            return when if when > turn.now else None
        case date():
            return slot
    if isinstance(span, timedelta) and span > timedelta(0):
        return turn.now + span
    return None


def _spoken(r: Reminder, now: datetime) -> str:
    return saying.recurrence(r.schedule) if r.schedule else saying.moment(r.due, now)


# --- list and delete ----------------------------------------------------------------------------------------------


@skill.on("reminder.list")
def listed(turn: Turn, meaning: Meaning) -> Conversation:
    """我都有啥提醒: by number, the next one first."""
    found = reminder.open_ones(turn.store, turn.household.zone)
    day = meaning.slots.get("day", meaning.slots.get("when"))
    if isinstance(day, date):
        on = day.date() if isinstance(day, datetime) else day
        found = [r for r in found if r.due.date() == on or (r.schedule is not None and r.schedule.on(on) and r.due.date() <= on)]
    if not found:
        yield Say(turn.reply("none"))
        return
    items = [
        turn.reply("item", number=saying.number(n), when=_spoken(r, turn.now), what=r.what) for n, r in enumerate(found[:LISTED], 1)
    ]
    more = turn.reply("more", count=saying.number(len(found) - LISTED)) if len(found) > LISTED else ""
    yield Say(turn.reply("list", count=saying.counted(len(found)), items="；".join(items)) + more)


@skill.on("reminder.cancel")
def cancel(turn: Turn, meaning: Meaning) -> Conversation:
    """那个…的提醒不要了: found by what it says, by its time or by its number, read back as deleted."""
    found = reminder.open_ones(turn.store, turn.household.zone)
    if not found:
        yield Say(turn.reply("none"))
        return
    fitting = _fitting(found, meaning)
    if not fitting and (meaning.slots.get("what") or meaning.slots.get("when")):
        yield Say(turn.reply("no_such"))
        return
    named, fitting = bool(fitting), fitting or found
    if len(fitting) > 1:
        options = tuple(f"{_spoken(r, turn.now)}{r.what}" for r in fitting[:LISTED])
        answer = yield Ask(turn.reply("which", choices="；".join(options)), asking="which", options=options)
        chosen = {str(value) for value in answer.slots.values()} if answer else set()
        fitting = [r for r, option in zip(fitting, options, strict=False) if option in chosen]
    elif not named and fitting[0].source != "family" and (fitting[0].schedule or fitting[0].state is not reminder.State.SAID):
        # 不用喊我了 names nothing, and may have been meant for somebody in the room.
        answer = yield Ask(turn.reply("sure", when=_spoken(fitting[0], turn.now), what=fitting[0].what), asking="yes_no")
        fitting = fitting if answer and answer.intent == "dialogue.yes" else []
    gone = next((r for r in fitting if reminder.get(turn.store, r.id) is not None), None)
    if gone is None:
        yield Say(turn.reply("nothing_deleted"))
        return
    if gone.source == "family":
        # What the family wrote comes back with its file: deleting it here would be a promise we cannot keep.
        with turn.store.atomic():
            if gone.state is not reminder.State.SET:
                reminder.answered(turn.store, turn.now, gone, turn.household.zone)
        yield Say(turn.reply("familys", when=_spoken(gone, turn.now), what=gone.what))
        return
    reminder.delete(turn.store, turn.now, gone)
    yield Say(turn.reply("deleted", when=_spoken(gone, turn.now), what=gone.what))


_ORDINAL = re.compile(r"第([一二两三四五六七八九十0-9]+)[个条]")
"""第二个: the number it had when they were read out."""


def _fitting(found: Sequence[Reminder], meaning: Meaning) -> list[Reminder]:
    """Reminders that have all of what she named: a number, a text, a time."""
    ordinal = _ORDINAL.search(meaning.text)
    place = int(numbers.number(ordinal[1]) or 0) if ordinal else None
    if place is not None:
        return [found[place - 1]] if 0 < place <= len(found) else []
    number = meaning.slots.get("number")
    if isinstance(number, int) and 0 < number <= len(found):
        return [found[number - 1]]
    what, when = str(meaning.slots.get("what", "")), meaning.slots.get("when")
    fitting = list(found)
    if what:
        fitting = [r for r in fitting if what in r.what or r.what in what]
    match when:
        case Recurrence():
            fitting = [r for r in fitting if r.schedule is not None and (not when.at or set(when.at) & set(r.schedule.at))]
        case datetime():
            clock = f"{when:%H:%M}"
            fitting = [
                r for r in fitting
                if f"{r.due:%H:%M}" == clock and (r.due.date() == when.date() or r.schedule is not None)
                or (r.schedule is not None and clock in r.schedule.at)
            ]
        case date():
            fitting = [r for r in fitting if r.due.date() == when]
    return fitting if what or when is not None else []


# --- saying it ----------------------------------------------------------------------------------------------------


@skill.due("reminder", priority=DOSE)
def due(turn: Turn, row: int) -> Conversation:
    """It is said; a safety reminder insists until somebody answers, then the family is told."""
    zone = turn.household.zone
    r = reminder.get(turn.store, row, zone)
    if r is None or r.wake is None or r.wake > turn.now:
        return
    if r.said >= r.times:
        yield from _give_up(turn, r)
        return
    late = turn.now - r.due > LATE and r.said == 0 and r.state is reminder.State.SET
    key = "late" if late else "due" if r.said == 0 else "due_again"
    r = reminder.saying(turn.store, turn.now, r)
    text = turn.reply(f"{key}_safety" if r.safety and not late else key, what=r.what, time=saying.moment(r.due, turn.now))
    answer = yield Ask(text, asking="chore", options=(r.what,), seconds=12.0 if r.safety else 8.0, repair=r.safety)
    r = reminder.get(turn.store, row, zone)
    if r is not None and r.state is reminder.State.SAID and answer is not None:
        yield from _answered(turn, r, answer)


def _answered(turn: Turn, r: Reminder, answer: Meaning) -> Conversation:
    if answer.intent == "medication.snooze":
        yield from _later(turn, r, answer.slots.get("duration"))
    elif answer.intent in ("dialogue.no", "medication.not_taken"):
        yield from _later(turn, r, reminder.SAFETY_REPEAT if r.safety else None)
    else:
        reminder.answered(turn.store, turn.now, r, turn.household.zone)
        yield Say(turn.reply("done"))


@skill.late("dialogue.yes", "dialogue.no", "medication.snooze")
def late(turn: Turn, meaning: Meaning) -> Conversation:
    """知道了, some minutes after it was said: the newest one that still waits for a word."""
    said = [r for r in reminder.open_ones(turn.store, turn.household.zone) if r.state is reminder.State.SAID]
    if said:
        yield from _answered(turn, max(said, key=lambda r: r.due), meaning)
    else:
        yield Say(turn.reply("done"))


def _later(turn: Turn, r: Reminder, wished: Slot | None) -> Conversation:
    span = wished if isinstance(wished, timedelta) and timedelta(0) < wished <= LONGEST_SNOOZE else SNOOZE
    moved = reminder.later(turn.store, turn.now, r, span)
    at = moved.wake or turn.now
    yield Say(turn.reply("later", length=saying.length(span), time=saying.moment(at, turn.now)))


def _give_up(turn: Turn, r: Reminder) -> Conversation:
    zone = turn.household.zone
    if not r.safety:
        reminder.unanswered(turn.store, turn.now, r, zone)
        return
    with turn.store.atomic():
        title, _, body = turn.reply("family_safety", what=r.what, count=r.said, time=f"{r.due:%H:%M}").partition("：")
        told = message.tell_family(
            turn.store, turn.now, turn.household, purpose=PURPOSE, title=title, body=body, urgent=True
        )
        reminder.unanswered(turn.store, turn.now, r, zone)
    yield Say(turn.reply("safety_told" if told else "safety_alone", what=r.what))


# --- the world changes --------------------------------------------------------------------------------------------


@skill.started
def started(turn: Turn) -> Conversation:
    """The family's reminders are rows too; late ones are said by themselves, because their rows are due."""
    reminder.standing(turn.store, turn.now, turn.household.reminders, turn.household.zone)
    yield from ()


@skill.household_changed
def changed(turn: Turn, before: Household) -> Conversation:
    """The family's edits reach the rows at once."""
    reminder.standing(turn.store, turn.now, turn.household.reminders, turn.household.zone)
    yield from ()


@skill.stepped
def stepped(turn: Turn, by: timedelta) -> None:
    """Repetitions and snoozes keep their distance."""
    reminder.shift(turn.store, by, turn.household.zone)
