"""Reaching people, and being reached: a video call is a request with an answer, a telephone call rings, a message is read back first."""

from __future__ import annotations

import re
from collections.abc import Generator
from datetime import timedelta

from assistant import saying
from assistant.care import incident, message, request, selftest
from assistant.care.request import Request, State, Step
from assistant.home import Contact, Household
from assistant.messages import (
    OVER,
    UNCLEAR,
    Acknowledged,
    Action,
    Ask,
    Connected,
    Conversation,
    Delivered,
    HangUp,
    HungUp,
    Keep,
    Meaning,
    PickUp,
    Rang,
    Say,
    Show,
    Sound,
)
from assistant.skills.skill import CALL, Skill, Turn

skill = Skill("calls")

LONGEST = 300
"""Characters of a message; speech of a minute has about 250."""

RING_SECONDS = 8.0
"""Seconds to answer 接不接; asked again as long as it rings."""
RINGS = 4
"""How often it is asked; a caller has long given up by then."""
OFFERS = 2
"""How often she is asked whether a video call suits that comes late."""
TALK = timedelta(hours=1)
"""Longest conversation: a telephone that nobody hung up gives the line back."""

HAPPENED: dict[str, str] = {
    "busy": "voice_busy", "declined": "voice_declined", "no answer": "voice_no_answer",
    "wrong number": "voice_wrong_number", "account refused": "voice_refused",
}
"""What is said about a telephone call that did not come about, by the telephone's word for it."""

TOLD = 3
"""Calls told of when she asks who rang; more nobody keeps in mind."""
RANG: dict[State, str] = {State.DONE: "rang_answered", State.ACCEPTED: "rang_answered", State.DECLINED: "rang_declined"}
"""What is said of a call that was not simply missed."""

_AGAIN = re.compile(r"[再又回重返]|还打|接着打")
"""The person is the one of before: 再打一遍, 打回去, 给他回一个."""


@skill.on("call.video")
def video(turn: Turn, meaning: Meaning) -> Conversation:
    """A request: the person gets a message with a room, the elder hears how it goes on."""
    contact = yield from _whom(turn, meaning)
    if contact is not None:
        yield from _ask_for_video(turn, contact)


@skill.on("call.voice")
def voice(turn: Turn, meaning: Meaning) -> Conversation:
    """The telephone if there is one, else a message that asks to be called."""
    before = request.last_call(turn.store, turn.now) if _AGAIN.search(meaning.text) else None
    contact = yield from _whom(turn, meaning, turn.household.contact(before.person) if before is not None else None)
    if contact is not None:
        yield from _dial(turn, contact)


@skill.on("call.missed")
def who_rang(turn: Turn, meaning: Meaning) -> Conversation:
    """谁给我打的电话, 敏敏来过电话没有: the calls of the last day, and whether to ring back whom nobody answered."""
    if message.telephone(turn.household) is None:
        yield Say(turn.reply("no_line"))
        return
    of = turn.household.contact(str(meaning.slots.get("person", "")))
    rang = [one for one in request.incoming(turn.store, turn.now) if of is None or one.person == of.name]
    if not rang:
        yield Say(turn.reply("not_rang", person=_called(of)) if of is not None else turn.reply("nobody_rang"))
        return
    told = "".join(
        turn.reply(RANG.get(one.state, "rang_missed"), time=saying.moment(one.asked, turn.now), person=_caller(turn, one))
        for one in reversed(rang[:TOLD])
    )
    contact = turn.household.contact(rang[0].person)
    if contact is None or not contact.phone or RANG.get(rang[0].state):
        yield Say(told)
        return
    answer = yield Ask(told + turn.reply("ring_back", person=_called(contact)), asking="yes_no")
    if answer is not None and answer.intent == "dialogue.yes":
        yield from _dial(turn, contact)
    else:
        yield Say(turn.reply("left_it"))


@skill.on("call.hang_up")
def hang_up(turn: Turn, meaning: Meaning) -> Conversation:
    """挂了, while the other telephone still rings or nobody is there; or the end of a video call."""
    if request.unshown(turn.store, turn.now):
        yield Show()
        yield Say(turn.reply("video_over"))
        return
    rows = turn.store.find("request", "kind = 'voice' AND state = 'noted'", order="id DESC", limit=1)
    if not rows:
        yield Say(turn.reply("no_call"))
        return
    one = request.known(turn.store, int(rows[0]["id"]))
    dialled = message.get(turn.store, one.message)
    request.step(turn.store, turn.now, one, Step.EXPIRE)
    message.withdraw_one(turn.store, one.message)
    if dialled is not None:
        yield HangUp(dialled.key)
    yield Say(turn.reply("hung_up"))


@skill.on("message.send")
def send(turn: Turn, meaning: Meaning) -> Conversation:
    """Person and words, read back before they leave."""
    contact = yield from _whom(turn, meaning)
    if contact is None:
        return
    if not contact.notify:
        yield Say(turn.reply("no_channel", person=_called(contact)))
        return
    text, sound = str(meaning.slots.get("message", "")), meaning.sound
    for _ in range(3):
        if not text:
            answer = yield Ask(turn.reply("what_words", person=_called(contact)), asking="text", seconds=15)
            if answer is None or answer.intent == "dialogue.no":
                break
            text, sound = _words(answer), answer.sound
        key = "read_back_voice" if sound and request.consent(turn.store, contact) == "yes" else "read_back"
        answer = yield Ask(turn.reply(key, person=_called(contact), text=text[:LONGEST]), asking="yes_no")
        if answer is None or answer.intent == UNCLEAR:
            break
        if answer.intent == "dialogue.yes":
            sound = sound if (yield from _voice_too(turn, contact, sound)) else ""
            one = request.begin(
                turn.store, turn.now, turn.household, "message", contact, text=text[:LONGEST],
                title=turn.reply("message_title"), body=turn.reply("message_body", text=text[:LONGEST]), recorded=bool(sound),
            )
            if sound:
                yield Keep(sound, message.recording(turn.store, one.message))
            yield Say(turn.reply("sending_voice" if sound else "sending", person=_called(contact)))
            return
        if _NOT_AT_ALL.search(answer.text):
            break
        text = ""
    yield Say(turn.reply("not_sent"))


_NOT_AT_ALL = re.compile(r"算了|罢了|拉倒|[不别莫甭](?:用|要|想)?[发说捎带]了?")
"""No, and no other words either: 算了不发了."""


def _voice_too(turn: Turn, contact: Contact, sound: str) -> Generator[Action, Meaning | None, bool]:
    """Whether her voice goes with the words: if the family wrote so, and she said so the one time she was asked."""
    if not sound or request.consent(turn.store, contact) == "no":
        return False
    if not request.consent(turn.store, contact):
        answer = yield Ask(turn.reply("voice_too", person=_called(contact)), asking="yes_no")
        if answer is None or answer.intent not in ("dialogue.yes", "dialogue.no"):
            return False  # asked again the next time
        request.consented(turn.store, contact, "yes" if answer.intent == "dialogue.yes" else "no")
    return request.consent(turn.store, contact) == "yes"


@skill.household_changed
def recordings_changed(turn: Turn, before: Household) -> Conversation:
    """What the family agreed to anew, or no longer, she is asked anew."""
    for old in before.family:
        contact = turn.household.contact(old.name)
        if contact is not None and old.recordings == contact.recordings:
            continue
        request.consented(turn.store, old, "")
        if contact is None or not contact.recordings:
            message.drop_recordings(turn.store, turn.now - message.LIFE, old.name)
    yield from ()


# --- somebody rings -----------------------------------------------------------------------------------------------


@skill.line
def noted(turn: Turn, event: Rang | Connected | HungUp) -> None:
    """The row of a call that rings us, and its end; from the moment it is answered the line is theirs, whatever is still being said here."""
    if isinstance(event, Rang):
        request.rang(turn.store, turn.now, turn.household, event.key, event.number)
        return
    one = request.of_call(turn.store, event.key)
    if isinstance(event, Connected) and one is not None:
        request.step(turn.store, turn.now, one, Step.ACCEPT)
        return
    if one is None or one.kind != "incoming":
        return  # the end of a call of ours is reported by its delivery
    if one.state is State.ACCEPTED:
        request.step(turn.store, turn.now, one, Step.FINISH)
    elif request.step(turn.store, turn.now, one, Step.TIMEOUT) is not None:
        request.postpone(turn.store, one.id, turn.now)  # a missed call is told


def _rings(turn: Turn, one: Request) -> Conversation:
    """刘敏来电话了，接不接？ During and just after an alarm the family's calls are answered without asking; strangers' never."""
    request.postpone(turn.store, one.id, None)
    contact = turn.household.contact(one.person)
    alarm = incident.recent(turn.store, turn.now)
    if contact is None and _calling_for_help(turn):
        request.postpone(turn.store, one.id, turn.now + incident.POLL)
        return
    if contact is not None and alarm is not None:
        yield from _picked_up(turn, one, incident.PICKED_UP if alarm.state is incident.State.ALERTING else "")
        return
    text = turn.reply("rings", person=_called(contact)) if contact is not None else turn.reply("rings_stranger")
    for _ in range(RINGS):
        yield Sound("ring")
        answer = yield Ask(text, asking="ring", seconds=RING_SECONDS, repair=False, call=one.link)
        if answer is None or answer.intent == UNCLEAR:
            continue
        if answer.intent == "dialogue.yes":
            yield Say(turn.reply("picking_up"))
            yield from _picked_up(turn, one, "")
        elif answer.intent == "dialogue.no":
            request.step(turn.store, turn.now, one, Step.DECLINE)
            yield HangUp(one.link)
            yield Say(turn.reply("not_picked_up"))
        return


def _picked_up(turn: Turn, one: Request, text: str) -> Conversation:
    if request.step(turn.store, turn.now, one, Step.ACCEPT) is not None:
        yield PickUp(one.link, text)


def _missed(turn: Turn, one: Request) -> Conversation:
    """A call that nobody answered is told, once; a stranger's not while help is being called."""
    contact = turn.household.contact(one.person)
    if contact is None and _calling_for_help(turn):
        request.postpone(turn.store, one.id, turn.now + incident.STATUS_EVERY)
        return
    request.postpone(turn.store, one.id, None)
    if contact is None:
        yield Say(turn.reply("missed_stranger"))
    else:
        yield Say(turn.reply("missed", person=_called(contact)))


def _calling_for_help(turn: Turn) -> bool:
    """Whether nobody has taken the alarm yet: a stranger must not stand in its way."""
    alarm = incident.live(turn.store)
    return alarm is not None and alarm.state is incident.State.ALERTING and not alarm.drill


@skill.connected
def talk(turn: Turn, event: Connected) -> Conversation:
    """Both are there: the ear gives its microphone to the telephone until one of them hangs up."""
    one = request.of_call(turn.store, event.key)
    if one is not None and one.state is not State.ACCEPTED:
        return  # it is over by now
    if one is None or (_calling_for_help(turn) and not one.person):
        yield HangUp(event.key)
        return
    alarm = incident.live(turn.store)
    untaken = alarm is not None and alarm.state is incident.State.ALERTING
    contact = turn.household.contact(one.person)
    text = turn.reply("connected_with", person=_called(contact)) if contact is not None else turn.reply("connected")
    longest = request.HELPING if untaken else TALK
    answer = yield Ask(text, asking="talk", seconds=longest.total_seconds(), urgent=untaken, repair=False, call=event.key)
    if answer is None or answer.intent != OVER:
        yield HangUp(event.key)
    yield Say(turn.reply("hung_up"))


@skill.started
def resumed(turn: Turn) -> Conversation:
    """Nobody is on the telephone after a power cut."""
    request.resume(turn.store, turn.now)
    yield from ()


# --- what becomes of it -------------------------------------------------------------------------------------------


@skill.delivered("request")
def delivered(turn: Turn, row: int, event: Delivered) -> Conversation:
    """Sent, or held up: said once each, and only what is so."""
    one = request.of_message(turn.store, row)
    contact = turn.household.contact(one.person) if one is not None else None
    if one is None or contact is None:
        return
    if one.kind == "voice":
        yield from _rang(turn, one, contact, event)
    elif event.ok:
        if request.step(turn.store, turn.now, one, Step.OK) is not None:
            recorded = ("_voice" if event.recording else "_words") if message.recording(turn.store, row) else ""
            yield Say(turn.reply(f"sent_{one.kind}{recorded}", person=_called(contact)))
        if one.kind == "message":
            request.step(turn.store, turn.now, one, Step.FINISH)
    elif request.step(turn.store, turn.now, one, Step.FAIL) is not None:
        yield Say(turn.reply("held_up", person=_called(contact)))


def _rang(turn: Turn, one: Request, contact: Contact, event: Delivered) -> Conversation:
    if event.ok:  # that it is over was said when it was
        request.step(turn.store, turn.now, one, Step.FINISH)
        return
    if request.step(turn.store, turn.now, one, Step.EXPIRE) is None:
        return  # hung up by the elder
    if event.detail == "wrong number":
        selftest.wrong_number(turn.store, turn.now, turn.household, one.person)
    said = turn.reply(HAPPENED.get(event.detail, "voice_failed"), person=_called(contact))
    if not contact.notify:
        yield Say(said)
        return
    answer = yield Ask(said + turn.reply("leave_word"), asking="yes_no")
    if answer is not None and answer.intent == "dialogue.yes":
        yield from _ask_to_call_back(turn, contact, "asking_back")
    else:
        yield Say(turn.reply("left_it"))


@skill.acknowledged("request")
def answered(turn: Turn, row: int, event: Acknowledged) -> Conversation:
    """Taken or not, in the words of who answered."""
    message.answer(turn.store, turn.now, row, event.person, event.answer)
    one = request.of_message(turn.store, row)
    contact = turn.household.contact(event.person) if one is not None else None
    if one is None or contact is None:
        return
    late = one.kind == "video" and one.link and not request.awaited(turn.store, turn.now, one)
    yes = Step.OFFER if late else Step.ACCEPT
    what = Step.DECLINE if event.answer == "declined" else yes if event.answer in ("accepted", "coming") else None
    if what is None or request.step(turn.store, turn.now, one, what) is None or what is Step.OFFER:
        return  # an offer is a question of its own, asked once the floor is free
    if what is Step.ACCEPT:
        yield Sound("ring")
    yield Say(turn.reply(f"{what.value}_{one.kind}", person=_called(contact)))
    if what is Step.ACCEPT and one.kind == "video" and one.link:
        yield Show(one.link)


@skill.due("request", priority=CALL)
def nobody(turn: Turn, row: int) -> Conversation:
    """Somebody rings, or rang; or nobody answered in time: said, with what can be done next."""
    rang = request.known(turn.store, row)
    if rang.kind == "incoming":
        yield from (_rings if rang.state is State.NOTED else _missed)(turn, rang)
        return
    if rang.state is State.OFFERED:
        yield from _offered(turn, rang)
        return
    one = request.step(turn.store, turn.now, rang, Step.TIMEOUT)
    contact = turn.household.contact(one.person) if one is not None else None
    if one is None or contact is None:
        return
    rings = message.telephone(turn.household) is not None and bool(contact.phone)
    if not rings:
        yield Say(turn.reply("nobody", person=_called(contact)))
        return
    answer = yield Ask(turn.reply("nobody_ring", person=_called(contact)), asking="yes_no")
    if answer is not None and answer.intent == "dialogue.yes":
        yield from _dial(turn, contact)
    else:
        yield Say(turn.reply("left_it"))


def _offered(turn: Turn, one: Request) -> Conversation:
    """女儿刘敏现在可以视频了，接不接？ A room is never shown to somebody who no longer waits for it."""
    contact, since = turn.household.contact(one.person), request.offered(turn.store, one)
    if contact is None or since is None or turn.now - since > request.PATIENCE["video"]:
        request.step(turn.store, turn.now, one, Step.TIMEOUT)
        if contact is not None:
            yield Say(turn.reply("offer_missed", person=_called(contact)))
        return
    for _ in range(OFFERS):
        yield Sound("ring")
        answer = yield Ask(turn.reply("offer", person=_called(contact)), asking="ring", seconds=RING_SECONDS, repair=False)
        if answer is None or answer.intent == UNCLEAR:
            continue
        yes = answer.intent == "dialogue.yes"
        if request.step(turn.store, turn.now, one, Step.ACCEPT if yes else Step.DECLINE) is None:
            break
        yield Say(turn.reply("accept_video", person=_called(contact)) if yes else turn.reply("not_picked_up"))
        if yes:
            yield Show(one.link)
        return
    request.step(turn.store, turn.now, one, Step.TIMEOUT)
    yield Say(turn.reply("offer_missed", person=_called(contact)))


@skill.stepped
def stepped(turn: Turn, by: timedelta) -> None:
    """Patience counts elapsed time."""
    request.shift(turn.store, by)


# --- pieces -------------------------------------------------------------------------------------------------------


def _ask_for_video(turn: Turn, contact: Contact) -> Conversation:
    if not contact.notify:
        yield Say(turn.reply("no_channel", person=_called(contact)))
        return
    linked = bool(contact.room or turn.household.room)
    body = turn.reply("video_body" if linked else "video_body_without_room", link="{link}")
    request.begin(turn.store, turn.now, turn.household, "video", contact, title=turn.reply("video_title"), body=body)
    yield Say(turn.reply("video_asked", person=_called(contact)))


def _ask_to_call_back(turn: Turn, contact: Contact, key: str) -> Conversation:
    if not contact.notify:
        yield Say(turn.reply("no_channel", person=_called(contact)))
        return
    request.begin(
        turn.store, turn.now, turn.household, "callback", contact,
        title=turn.reply("callback_title"), body=turn.reply("callback_body"),
    )
    yield Say(turn.reply(key, person=_called(contact)))


def _dial(turn: Turn, contact: Contact) -> Conversation:
    """The telephone if there is one, else a message that asks to be called."""
    if message.telephone(turn.household) is None or not contact.phone:
        yield from _ask_to_call_back(turn, contact, "no_telephone")
        return
    request.begin(turn.store, turn.now, turn.household, "voice", contact, title="", body="")
    yield Say(turn.reply("dialling", person=_called(contact)))


def _whom(turn: Turn, meaning: Meaning, before: Contact | None = None) -> Generator[Action, Meaning | None, Contact | None]:
    """The person meant; asked for if none was named, first whether it is the one of `before`."""
    named = turn.household.contact(str(meaning.slots.get("person", "")))
    if named is not None:
        return named
    if before is not None:
        answer = yield Ask(turn.reply("same_person", person=_called(before)), asking="yes_no")
        if answer is not None and answer.intent == "dialogue.yes":
            return before
        if answer is None or answer.intent != "dialogue.no":
            yield Say(turn.reply("nobody_named"))
            return None
    names = tuple(contact.name for contact in turn.household.ladder)
    spoken = "、".join(_called(contact) for contact in turn.household.ladder[:3])
    answer = yield Ask(turn.reply("whom", people=spoken), asking="which", options=names)
    chosen = turn.household.contact(_option(answer, names)) if answer is not None else None
    if chosen is None:
        yield Say(turn.reply("nobody_named"))
    return chosen


def _option(answer: Meaning, options: tuple[str, ...]) -> str:
    """Which of the options was said."""
    return next((str(value) for value in (*answer.slots.values(), answer.text) if value in options), "")


def _words(answer: Meaning) -> str:
    """Free words, however the understanding labels them."""
    return str(answer.slots.get("message") or answer.slots.get("text") or answer.text)


def _caller(turn: Turn, one: Request) -> str:
    contact = turn.household.contact(one.person)
    return _called(contact) if contact is not None else turn.reply("stranger")


def _called(contact: Contact) -> str:
    """女儿刘敏: the relation is said back, never the number."""
    return f"{contact.relation}{contact.name}"
