"""Help at home: 约, 问, 改, 取消, and the question afterwards how it was."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date, datetime, timedelta

from assistant import saying
from assistant.care import booking, message
from assistant.care.booking import Booking, State, Step
from assistant.home import Service
from assistant.messages import UNCLEAR, Acknowledged, Action, Ask, Conversation, Delivered, Meaning, Say
from assistant.skills.skill import LOW, Skill, Turn

skill = Skill("booking")

DAY_WORDS = ("天", "后", "儿", "星期", "礼拜", "周", "号", "日", "月")
"""What a spoken time has when it names a day."""

Chosen = Generator[Action, Meaning | None, datetime | None]
"""A part of a conversation that finds a time, or None if it was given up."""


@skill.on("booking.create")
def create(turn: Turn, meaning: Meaning) -> Conversation:
    """Service, day and time; what is missing is asked, all of it is read back, then it is sent."""
    if not turn.household.services:
        yield Say(turn.reply("no_services"))
        return
    service = yield from _service(turn, meaning)
    if service is None:
        yield Say(turn.reply("left"))
        return
    visit = yield from _time(turn, service, meaning.slots.get("when"))
    if visit is None:
        yield Say(turn.reply("left"))
        return
    same = [b for b in booking.coming(turn.store, turn.now, service.name) if b.visit.date() == visit.date()]
    if same:
        yield Say(turn.reply("already", service=service.name, when=_when(same[0].visit, turn), state=_state(turn, same[0])))
        return
    note = str(meaning.slots.get("note", ""))
    agreed = yield from _agreed(turn, service, visit, note)
    if agreed is None:
        yield Say(turn.reply("left"))
        return
    with turn.store.atomic():
        number = booking.create(turn.store, turn.now, service.name, agreed, note)
        _send(turn, number, "request")
    yield Say(turn.reply("noted", service=service.name, when=_when(agreed, turn)))


@skill.on("booking.list")
def tell(turn: Turn, meaning: Meaning) -> Conversation:
    """What is booked, with its true state."""
    named = str(meaning.slots.get("service", ""))
    found = booking.coming(turn.store, turn.now, named)
    if not found:
        yield Say(turn.reply("none_of", service=named) if named else turn.reply("none"))
        return
    for item in found[:5]:
        yield Say(turn.reply("item", service=item.service, when=_when(item.visit, turn), state=_state(turn, item)))


@skill.on("booking.change")
def change(turn: Turn, meaning: Meaning) -> Conversation:
    """Another time for something booked."""
    item = yield from _which(turn, meaning)
    if item is None:
        return
    service = turn.household.service(item.service) or Service(item.service)
    wanted = meaning.slots.get("when")
    visit = yield from _time(turn, service, _on_same_day(wanted, item))
    agreed = None if visit is None else (yield from _agreed(turn, service, visit, item.note))
    if agreed is None:
        yield Say(turn.reply("unchanged", service=item.service, when=_when(item.visit, turn)))
        return
    with turn.store.atomic():
        booking.step(turn.store, turn.now, item, Step.CHANGE, visit=agreed)
        _send(turn, item.id, "change")
    yield Say(turn.reply("changed", service=item.service, when=_when(agreed, turn)))


@skill.on("booking.cancel")
def cancel(turn: Turn, meaning: Meaning) -> Conversation:
    """Asked once more before it is undone."""
    item = yield from _which(turn, meaning)
    if item is None:
        return
    answer = yield Ask(turn.reply("cancel_sure", service=item.service, when=_when(item.visit, turn)), asking="yes_no")
    if answer is None or answer.intent != "dialogue.yes":
        yield Say(turn.reply("unchanged", service=item.service, when=_when(item.visit, turn)))
        return
    with turn.store.atomic():
        booking.step(turn.store, turn.now, item, Step.CANCEL)
        _send(turn, item.id, "cancel")
    yield Say(turn.reply("cancelled", service=item.service))


@skill.due("booking", priority=LOW)
def visit_near_or_over(turn: Turn, row: int) -> Conversation:
    """An hour before: they are coming. Two hours after: how was it."""
    item = booking.get(turn.store, row)
    if item is None or item.state not in booking.OPEN:
        turn.store.update("booking", row, wake_at=None)
        return
    local = turn.now.replace(tzinfo=None)
    if not item.announced and local < item.visit:
        booking.announced(turn.store, turn.now, item)
        key = "near" if item.state is State.CONFIRMED else "near_unconfirmed"
        yield Say(turn.reply(key, service=item.service, when=_when(item.visit, turn)))
        return
    if local < item.visit + booking.AFTER:
        booking.announced(turn.store, turn.now, item)
        return
    booking.asked(turn.store, turn.now, item)
    for _ in range(2):
        answer = yield Ask(turn.reply("how_was_it", service=item.service), asking="yes_no", seconds=15, repair=False)
        if answer is None:
            return
        came = answer.intent == "dialogue.yes" or _says_came(answer.text)
        if came or answer.intent == "dialogue.no" or "没" in answer.text:
            break
    else:
        return
    with turn.store.atomic():
        booking.step(turn.store, turn.now, item, Step.CAME if came else Step.STAYED_AWAY)
        if not came:
            message.tell_family(
                turn.store, turn.now, turn.household, purpose="note", title=turn.reply("no_show_title"),
                body=turn.reply("no_show_body", service=item.service, when=_when(item.visit, turn)),
            )
    yield Say(turn.reply("came" if came else "no_show", service=item.service))


@skill.delivered("booking")
def sent(turn: Turn, row: int, delivered: Delivered) -> Conversation:
    """Says that the provider has it once, and says so too when the first try fails."""
    posted = message.get(turn.store, row)
    item = booking.get(turn.store, posted.incident) if posted else None
    if posted is None or item is None:
        return
    if posted.state == message.State.SENT and booking.step(turn.store, turn.now, item, Step.DELIVER):
        yield Say(turn.reply("sent", service=item.service))
    elif not delivered.ok and posted.tries == 1 and item.state is State.DRAFT:
        yield Say(turn.reply("not_sent_yet", service=item.service))


@skill.acknowledged("booking")
def answered(turn: Turn, row: int, event: Acknowledged) -> Conversation:
    """The provider confirms, proposes another time, or declines."""
    posted = message.get(turn.store, row)
    item = booking.get(turn.store, posted.incident) if posted else None
    if item is None:
        return
    match event.answer:
        case "moved":
            try:
                visit = datetime.fromisoformat(event.detail).replace(tzinfo=None)
            except ValueError:
                turn.store.note_down(turn.now, "booking.unreadable", item.id, event.detail[:40])
                return
            booking.step(turn.store, turn.now, item, Step.MOVE, proposed=event.detail)
            answer = yield Ask(turn.reply("moved", service=item.service, when=_when(visit, turn)), asking="yes_no", seconds=15)
            item = booking.get(turn.store, item.id) or item
            if answer is not None and answer.intent == "dialogue.yes":
                with turn.store.atomic():
                    booking.step(turn.store, turn.now, item, Step.CHANGE, visit=visit)
                    _send(turn, item.id, "change")
                yield Say(turn.reply("changed", service=item.service, when=_when(visit, turn)))
            else:
                yield Say(turn.reply("moved_open", service=item.service))
        case "declined":
            booking.step(turn.store, turn.now, item, Step.CANCEL)
            yield Say(turn.reply("declined", service=item.service))
        case _:
            if booking.step(turn.store, turn.now, item, Step.CONFIRM):
                yield Say(turn.reply("confirmed", service=item.service, when=_when(item.visit, turn)))


# --- parts of conversations -------------------------------------------------------------------------------------------


def _service(turn: Turn, meaning: Meaning) -> Generator[Action, Meaning | None, Service | None]:
    named = turn.household.service(str(meaning.slots.get("service", "")))
    if named is not None:
        return named
    names = tuple(service.name for service in turn.household.services)
    answer = yield Ask(turn.reply("which_service", services=saying.listing(names[:4])), asking="which", options=names)
    return turn.household.service(str(answer.slots.get("which", ""))) if answer else None


def _which(turn: Turn, meaning: Meaning) -> Generator[Action, Meaning | None, Booking | None]:
    named = str(meaning.slots.get("service", ""))
    found = booking.coming(turn.store, turn.now, named)
    if not found:
        yield Say(turn.reply("none_of", service=named) if named else turn.reply("none"))
        return None
    if len(found) == 1 or len({item.service for item in found}) == 1:
        return found[0]
    names = tuple(dict.fromkeys(item.service for item in found))
    answer = yield Ask(turn.reply("which_booking", services=saying.listing(names)), asking="which", options=names)
    chosen = str(answer.slots.get("which", "")) if answer else ""
    return next((item for item in found if item.service == chosen), None)


def _time(turn: Turn, service: Service, wanted: object) -> Chosen:
    """A moment from what was said; a day alone or nothing at all is asked for, at most twice."""
    day: date | None = None
    for _ in range(3):
        if isinstance(wanted, datetime):
            return booking.at_clock(day, wanted.time()) if day and wanted.date() == turn.now.date() != day else wanted
        if isinstance(wanted, date):
            day = wanted
        if day is not None and not booking.open_on(service, day):
            return datetime.combine(day, datetime.min.time().replace(hour=9))  # the check that follows says why not
        key = "when_on" if day else "when"
        answer = yield Ask(
            turn.reply(key, service=service.name, day=saying.day(day, turn.now.date()) if day else ""), asking="when"
        )
        if answer is None:
            return None
        wanted = answer.slots.get("when")
    return None


def _agreed(turn: Turn, service: Service, visit: datetime, note: str) -> Chosen:
    """Checks hours and notice, offers the nearest possible time, reads all back; returns the time agreed on."""
    for _ in range(3):
        if not booking.open_at(service, visit) or not booking.early_enough(service, visit, turn.now):
            other = booking.nearest(service, visit, turn.now)
            if other is None:
                return None
            key = (
                "closed_day" if not booking.open_on(service, visit.date())
                else "closed_hour" if not booking.open_at(service, visit) else "too_soon"
            )
            asked = turn.reply(
                key, service=service.name, weekday="一二三四五六天"[visit.weekday()], when=_when(other, turn),
                notice=saying.length(service.notice),
            )
            visit = other
        else:
            asked = turn.reply("read_back", service=service.name, when=_when(visit, turn), note=f"，{note}" if note else "")
        answer = yield Ask(asked, asking="yes_no", seconds=12, repair=False)
        if answer is None:
            return None
        if answer.intent == "dialogue.yes":
            return visit
        said = _corrected(turn, answer, visit)
        if said is None and answer.intent == UNCLEAR:
            continue  # the same is read back once more
        again = said if isinstance(said, datetime) else (yield from _time(turn, service, said))
        if again is None:
            return None
        visit = again
    return None


def _corrected(turn: Turn, answer: Meaning, visit: datetime) -> datetime | date | None:
    """The time in 不对，十点 (the day stays) or 不行，星期二上午九点; None if there is none in it."""
    from assistant.understand import times  # a tenth of what a restart loads before an alarm goes on

    local = turn.now.replace(tzinfo=None)
    span = times.last_word(times.find(answer.text, local, turn.household.care), answer.text)
    if span is not None and isinstance(span.value, datetime) and not any(word in span.text for word in DAY_WORDS):
        morning = visit.replace(hour=6, minute=0)  # a bare clock time is that of the day spoken of
        span = times.last_word(times.find(answer.text, morning, turn.household.care), answer.text)
    return span.value if span is not None and isinstance(span.value, date) else None


def _says_came(text: str) -> bool:
    """How people say yes to 来过了吗 without saying yes."""
    return any(word in text for word in ("来过", "来了", "弄完", "打扫完", "干完")) and not any(word in text for word in "没不还")


def _send(turn: Turn, number: int, what: str) -> None:
    """Outbox rows for provider and family, in the caller's transaction."""
    item = booking.get(turn.store, number)
    assert item is not None
    service = turn.household.service(item.service) or Service(item.service)
    words = {"service": item.service, "when": f"{item.visit:%m月%d日 %H:%M}", "note": f"（{item.note}）" if item.note else "",
             "address": turn.household.elder.address, "elder_name": turn.household.elder.name}
    file = booking.calendar_file(item, turn.household, turn.now)
    if service.notify:
        message.post(
            turn.store, turn.now, purpose="booking", person=service.name, channels=service.notify,
            title=turn.reply(f"{what}_title", **words), body=turn.reply(f"{what}_body", **words), incident=number,
            attachment=file,
        )
    message.tell_family(
        turn.store, turn.now, turn.household, purpose="note", title=turn.reply(f"{what}_title", **words),
        body=turn.reply(
            "family_cancelled" if what == "cancel" else "family_body" if service.notify else "family_please", **words
        ),
    )


def _on_same_day(wanted: object, item: Booking) -> object:
    """改到四点 means four o'clock on the day already agreed, unless a day was said."""
    if isinstance(wanted, datetime) and wanted.date() < item.visit.date() and wanted - datetime.combine(
        wanted.date(), datetime.min.time()
    ) < timedelta(days=1):
        return datetime.combine(item.visit.date(), wanted.time())
    return wanted


def _when(visit: datetime, turn: Turn) -> str:
    return saying.day(visit.date(), turn.now.date()) + saying.clock(visit)


def _state(turn: Turn, item: Booking) -> str:
    return turn.reply(f"state_{item.state.value}")


