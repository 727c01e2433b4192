"""Emergencies as they are talked about: question, countdown, what became of the messages, who is coming, drill."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from assistant.care import incident, message, request, selftest
from assistant.care.incident import Calls, Incident, State, Status, Step, Texts
from assistant.home import Contact, Household
from assistant.messages import (
    Acknowledged,
    Action,
    Ask,
    Conversation,
    Delivered,
    HangUp,
    Hush,
    Meaning,
    Pressed,
    Say,
    Sound,
)
from assistant.skills.skill import ALARM, Skill, Turn

skill = Skill("emergency")

SECONDS_A_CHARACTER = 0.35
"""Slow speech, for guessing when a prompt must have been spoken."""

READ_AS: dict[str, Step] = {
    "emergency.cancel": Step.CANCEL,
    "emergency.call": Step.AGAIN,
    "dialogue.yes": Step.YES,
}
"""What an answer to an emergency question means. Everything else is no answer: a bare 不, a cough, the television."""


STAY: dict[str, str] = {"fire": "stay_fire", "gas": "stay_gas", "intruder": "stay_intruder"}
"""What the elder should do meanwhile, by kind: whoever fell stays down, whoever smells gas goes out."""

GRUNTS = frozenset({"嗯", "啊", "哦", "噢", "呃", "哎", "诶", "唉", "嗯嗯"})
"""Neither a yes nor a cancel during a countdown (CARE 4)."""

BARE = frozenset("没事儿了的嗯啊哦哎呀啦吧呢得莫啥什么真不用要别是")
"""没事, 真没事, 不用: with nothing but these syllables it is no whole cancel phrase (CARE 4). People say 没事 on the floor."""

HELP_WORDS = ("要", "叫", "来", "喊", "找")
"""您真的没事吗？要不要我找家里人？: a yes with one of these asks for help; 嗯, 对 or 是的 alone says nothing."""
HERS = (*HELP_WORDS, "我", "帮")
"""刚才是您在喊吗？: the same, and 是我."""

NOT_TAKEN: dict[str, str] = {
    "no answer": "not_answered", "busy": "was_busy", "declined": "was_declined", "answered without a key": "no_key",
    "wrong key": "wrong_key", "went quiet": "went_quiet", "wrong number": "was_wrong",
}
"""What is said of a call that got through and was not taken, by the telephone's word for it (`incident.REACHED`)."""

CAME = ("到了", "来了", "到家了", "进门了", "进来了", "在这儿", "在呢", "在了")
NOT_CAME = ("没", "不", "哪", "还")
"""How people answer 到了吗 without saying yes."""


# --- triggers -----------------------------------------------------------------------------------------------------


@skill.on("emergency.call")
def call(turn: Turn, meaning: Meaning) -> Conversation:
    """A cry or a complaint, from anywhere in speech."""
    yield from _trigger(turn, str(meaning.slots.get("kind", "generic")), incident.grade(meaning))


@skill.pressed("help")
def help_button(turn: Turn, event: Pressed) -> Conversation:
    """The button begins an alarm, and a second press sends it at once."""
    yield from _trigger(turn, "button", Step.CERTAIN)


@skill.pressed("fall")
def fall_sensor(turn: Turn, event: Pressed) -> Conversation:
    """A sensor believes that somebody fell: asked about, silence counts as yes."""
    yield from _trigger(turn, "sensor", Step.UNSURE, sensed=True)


@skill.pressed("bed")
def bed_sensor(turn: Turn, event: Pressed) -> Conversation:
    """Not up at the usual time, or out of bed for too long."""
    yield from _trigger(turn, "sensor", Step.UNSURE, sensed=True)


@skill.pressed("smoke")
def smoke_sensor(turn: Turn, event: Pressed) -> Conversation:
    """Smoke does not wait for two questions, but burnt toast can be called off: so she hears what it is about."""
    yield from _after(turn.reply("smoke"), _trigger(turn, "fire", Step.LIKELY, sensed=True))


@skill.pressed("cancel")
def cancel_button(turn: Turn, event: Pressed) -> Conversation:
    """The other button stops a countdown; a running alarm it stops only after a question."""
    yield from _cancel(turn)


@skill.on("emergency.cancel")
def cancel(turn: Turn, meaning: Meaning) -> Conversation:
    """A whole cancel phrase outside any of our questions."""
    yield from _cancel(turn)


@skill.due("incident", priority=ALARM)
def due(turn: Turn, row: int) -> Conversation:
    """A countdown that was cut by a power failure, a minute after a cancelled alarm, or a helper who should be there."""
    known = incident.get(turn.store, row)
    if known is None:
        return
    if known.state in (State.DOUBT, State.QUESTION, State.PREALARM) and known.until is not None and turn.now >= known.until:
        known = incident.step(turn.store, turn.now, turn.household, known, Step.SILENCE)
    yield from TALKS[known.state](turn, known)


@skill.started
def resume(turn: Turn) -> Conversation:
    """The power is back: whatever was going on goes on, and the elder hears that it does."""
    known = incident.resume(turn.store, turn.now)
    if known is not None and known.state in (State.ALERTING, State.ACKED):
        yield Say(turn.reply("resumed"), urgent=True)


@skill.stepped
def stepped(turn: Turn, by: timedelta) -> None:
    """Countdowns and rounds count elapsed time."""
    incident.shift(turn.store, by)


def _trigger(turn: Turn, kind: str, how: Step, *, sensed: bool = False) -> Conversation:
    """What is said of a trigger: it may have begun an incident, driven it on, or told of another danger.

    A sensor repeats itself, which says no more than the first time: it hurries no question that is already being asked, and says
    nothing while help is being called or under way.
    """
    before = incident.live(turn.store)
    rehearsed = incident.ringing(turn.store, before) if before is not None and before.drill else ()
    known = incident.trigger(turn.store, turn.now, turn.household, kind, how, sensed=sensed)
    for key in rehearsed:
        yield HangUp(key)
    if sensed and known == before and known.state in (State.ALERTING, State.ACKED):
        return
    if before is None or before.id != known.id or not before.state is known.state is State.ALERTING:
        yield from TALKS[known.state](turn, known)
    elif before.kinds != known.kinds:
        stay = turn.reply(STAY.get(known.kind, "stay"))
        yield Say(turn.reply("joined", people=_first_of(turn.household)) + stay, urgent=True)
    else:
        yield Say(turn.reply("again", status=_status(turn, known)), urgent=True)


def _after(words: str, talk: Conversation) -> Conversation:
    """The same talk, with these words before its first sentence."""
    answer = None
    while True:
        try:
            action = talk.send(answer)
        except StopIteration:
            return
        if words and isinstance(action, Say | Ask):
            action, words = replace(action, text=words + action.text), ""
        answer = yield action


# --- talks, one a state -------------------------------------------------------------------------------------------


def _doubt(turn: Turn, known: Incident) -> Conversation:
    """A cry amid the television, or one not made out: asked twice; only a cry again, or a yes in words of her own, makes it hers."""
    denied = False
    while known.state is State.DOUBT:
        if known.asked >= 2:
            known = incident.step(turn.store, turn.now, turn.household, known, Step.CANCEL if denied else Step.SILENCE)
            noted = message.posted(turn.store, incident.NOTED[known.grade].purpose, turn.now)
            yield Say(turn.reply("doubt_denied" if denied else "doubt_noted" if noted else "doubt_silent"))
            return
        text = turn.reply("doubt" if known.asked == 0 else "doubt_again")
        known = incident.asking(turn.store, turn.now, known, _seconds(text) + incident.QUESTION_SECONDS)
        answer = yield replace(_emergency(text, incident.QUESTION_SECONDS), patient=True)
        if answer is None:
            continue
        if answer.intent == "emergency.cancel" and not _half(turn, answer):
            known = incident.step(turn.store, turn.now, turn.household, known, Step.CANCEL)
            yield Say(turn.reply("doubt_denied"))
            return
        if answer.intent in ("emergency.cancel", "dialogue.no"):
            denied = True
        elif answer.intent == "emergency.call":
            known = _cried(turn, known, answer)
        elif any(word in answer.text for word in HERS):
            known = incident.step(turn.store, turn.now, turn.household, known, Step.YES)
    yield from TALKS[known.state](turn, known)


def _question(turn: Turn, known: Incident) -> Conversation:
    """Symptoms: asked twice, and silence counts as yes."""
    noes = 0
    while known.state is State.QUESTION:
        if known.asked >= 2:
            known = incident.step(turn.store, turn.now, turn.household, known, Step.SILENCE)
            break
        first = "question_sensor" if known.kind in ("sensor", "checkin") else "question"
        text = turn.reply(first if known.asked == 0 else "question_again")
        known = incident.asking(turn.store, turn.now, known, _seconds(text) + incident.QUESTION_SECONDS)
        answer = yield _emergency(text, incident.QUESTION_SECONDS)
        if answer is not None and (answer.intent == "dialogue.no" or _half(turn, answer)):
            noes += 1
            if noes == 2:
                known = incident.step(turn.store, turn.now, turn.household, known, Step.CANCEL)
        elif answer is not None and answer.intent in READ_AS:
            known = _answered(turn, known, answer)
    yield from TALKS[known.state](turn, known)


def _prealarm(turn: Turn, known: Incident) -> Conversation:
    """The countdown: who will be told and how to stop it, louder every ten seconds."""
    steps = incident.WINDOW.get(known.grade, 2)
    warned = False
    while known.state is State.PREALARM:
        if known.asked >= steps + int(warned):
            known = incident.step(turn.store, turn.now, turn.household, known, Step.SILENCE)
            break
        left = int(incident.LOUDER) * max(1, steps - known.asked)
        key = "say_it_whole" if warned else "prealarm" if known.asked == 0 else "prealarm_louder"
        text = turn.reply(key, seconds=_number(left), people=_first_of(turn.household))
        known = incident.asking(turn.store, turn.now, known, _seconds(text) + incident.LOUDER)
        answer = yield _emergency(text, incident.LOUDER)
        if answer is not None and answer.intent in READ_AS and answer.text not in GRUNTS and not _half(turn, answer):
            known = _answered(turn, known, answer)
        elif answer is not None:
            # A bare 不, 嗯 or noise is no cancel: once more with the whole phrase, then it is sent.
            if warned:
                known = incident.step(turn.store, turn.now, turn.household, known, Step.SILENCE)
            else:
                warned, steps = True, known.asked
    yield from TALKS[known.state](turn, known)


def _alerting(turn: Turn, known: Incident) -> Conversation:
    """What is being done now; never that it is done."""
    yield Hush()
    yield from _free_the_line(turn)
    texts = any(contact.notify for contact in turn.household.ladder)
    calls = bool(incident.callable_contacts(turn.household))
    key = {
        (True, True): "alerting", (True, False): "alerting_texts", (False, True): "alerting_calls",
        (False, False): "alerting_nobody",
    }[texts, calls]
    stay = turn.reply(STAY.get(known.kind, "stay"))
    yield Say(turn.reply(key, people=_first_of(turn.household)) + stay * (key != "alerting_nobody"), urgent=True)


def _free_the_line(turn: Turn) -> Conversation:
    """The first call of an alarm waits for none that still rings, nor for a stranger's."""
    for key in incident.free_the_line(turn.store, turn.now):
        yield HangUp(key)


def _on_the_way(turn: Turn, known: Incident) -> Conversation:
    """Taken: after a quarter of an hour asks whether the helper has come; a new cry hears who is coming."""
    if known.until is None or turn.now < known.until:
        passed_on = any(m.created == turn.now for m in message.of_incident(turn.store, f"{incident.PURPOSE}.note", known.id))
        key = "taken_and_told" if passed_on else "taken_already"
        yield Say(turn.reply(key, person=_called(turn.household, known.person)), urgent=True)
        return
    text = turn.reply("arrived", person=_called(turn.household, known.person))
    known = incident.asking(turn.store, turn.now, known, _seconds(text) + incident.LOUDER)
    answer = yield Ask(text, asking="yes_no", seconds=incident.LOUDER, urgent=True, repair=False)
    came = answer is not None and (answer.intent == "dialogue.yes" or _says_came(answer.text))
    known = incident.step(turn.store, turn.now, turn.household, known, Step.ARRIVED if came else Step.LATE)
    if not came:
        yield from _free_the_line(turn)
    yield Say(turn.reply("closed_arrived") + _told(turn) if came else turn.reply("not_arrived"), urgent=not came)


def _check(turn: Turn, known: Incident) -> Conversation:
    """Just cancelled: says so. A minute later: asks once more, twice."""
    if known.asked == 0 and not _is_due(turn, known):
        yield Say(turn.reply("cancelled"))
        return
    while known.state is State.CANCELLED:
        if known.asked >= 2:
            known = incident.step(turn.store, turn.now, turn.household, known, Step.SILENCE)
            yield Say(turn.reply("check_silent"))
            return
        text = turn.reply("check" if known.asked == 0 else "check_again")
        known = incident.asking(turn.store, turn.now, known, _seconds(text) + incident.QUESTION_SECONDS)
        answer = yield _emergency(text, incident.QUESTION_SECONDS)
        if answer is None:
            continue
        if answer.intent in ("emergency.cancel", "dialogue.no"):
            known = incident.step(turn.store, turn.now, turn.household, known, Step.FINE)
            yield Say(turn.reply("fine") + _told(turn))
        elif answer.intent == "emergency.call" or any(word in answer.text for word in HELP_WORDS):
            if answer.intent == "emergency.call":
                known = incident.join(turn.store, turn.now, known, _kind(answer))
            known = incident.step(turn.store, turn.now, turn.household, known, Step.YES)
            yield from TALKS[known.state](turn, known)


def _over(turn: Turn, known: Incident) -> Conversation:
    """Nothing is going on any more."""
    yield Say(turn.reply("nothing_live"))


TALKS = {
    State.DOUBT: _doubt, State.QUESTION: _question, State.PREALARM: _prealarm, State.ALERTING: _alerting, State.ACKED: _on_the_way,
    State.CANCELLED: _check, State.CLOSED: _over, State.IDLE: _over,
}
"""What is said in each state."""


def _cancel(turn: Turn) -> Conversation:
    known = incident.live(turn.store)
    if known is None:
        yield Say(turn.reply("nothing_live"))
    elif known.state is State.DOUBT:
        incident.step(turn.store, turn.now, turn.household, known, Step.CANCEL)
        yield Hush()
        yield Say(turn.reply("doubt_denied"))
    elif known.state in (State.QUESTION, State.PREALARM):
        known = incident.step(turn.store, turn.now, turn.household, known, Step.CANCEL)
        yield Hush()
        yield from TALKS[known.state](turn, known)
    elif known.state is State.CANCELLED:
        yield Say(turn.reply("cancelled"))
    elif known.drill:
        incident.step(turn.store, turn.now, turn.household, known, Step.DONE)
        yield HangUp()
        yield Say(turn.reply("drill_stopped"))
    else:
        answer = yield Ask(turn.reply("all_clear_sure"), asking="yes_no", seconds=incident.LOUDER, urgent=True, repair=False)
        if answer is not None and answer.intent == "dialogue.yes":
            known = incident.step(turn.store, turn.now, turn.household, known, Step.ALL_CLEAR)
            yield HangUp()
            yield Say(turn.reply("all_clear") + _told(turn))
        else:
            yield Say(turn.reply("going_on", status=_status(turn, known)), urgent=True)


# --- what goes on meanwhile ---------------------------------------------------------------------------------------


@skill.instant("ladder")
def climb(turn: Turn, row: int) -> Iterator[Action]:
    """Rounds, calls, siren and the truth about them, whoever is talking."""
    wants = incident.climb(turn.store, turn.now, turn.household, row)
    if wants.siren is not None:
        yield Sound("siren" if wants.siren else "siren_stop")
    ladder = turn.store.get("ladder", row)
    known = incident.get(turn.store, int(ladder["incident"])) if ladder is not None else None
    if known is None:
        return
    if wants.done:
        report = _drill_report(turn, known)
        incident.step(turn.store, turn.now, turn.household, known, Step.DONE)
        yield Say(report)
    elif wants.status and request.talking(turn.store, turn.now) is None:  # she is talking to somebody who knows
        yield Say(_status(turn, known) if wants.truth is None else spoken(turn, wants.truth), urgent=True)


@skill.delivered("incident")
def delivered(turn: Turn, row: int, event: Delivered) -> Conversation:
    """A call that nobody took is told, and the next one need not wait."""
    sent = message.get(turn.store, row)
    known = incident.get(turn.store, sent.incident) if sent is not None else None
    if sent is None or known is None or known.state is not State.ALERTING or sent.kind != "call":
        return
    if sent.state is message.State.FAILED:
        if event.detail == "wrong number":
            selftest.wrong_number(turn.store, turn.now, turn.household, sent.person)
        incident.nudge(turn.store, turn.now, known.id)
        # A line that is dead fails every two seconds: the status tells of it, once a minute.
        if sent.detail in incident.REACHED:
            yield Say(turn.reply(NOT_TAKEN[sent.detail], person=_called(turn.household, sent.person)), urgent=True)


@skill.acknowledged(incident.PURPOSE)
def acknowledged(turn: Turn, row: int, event: Acknowledged) -> Conversation:
    """A live person pressed a key, opened the link or answered."""
    answered = message.get(turn.store, row)
    known = incident.get(turn.store, answered.incident) if answered is not None else None
    if answered is None or known is None:
        return
    message.answer(turn.store, turn.now, row, event.person, event.answer)
    yield from _taken(turn, known, event)


@skill.acknowledged(incident.RANG)
def rang_us(turn: Turn, row: int, event: Acknowledged) -> Conversation:
    """Somebody who rang us pressed a key; `row` is the incident."""
    known = incident.get(turn.store, row)
    if known is not None:
        yield from _taken(turn, known, event)


def _taken(turn: Turn, known: Incident, event: Acknowledged) -> Conversation:
    """What an answer does, and what is said of it."""
    person = _called(turn.household, event.person)
    what = incident.STEP_OF.get(event.answer)
    if what is None:
        if event.answer == "declined" and known.state is State.ALERTING:
            yield Say(turn.reply("declined", person=person), urgent=True)
        return
    ringing = [key for key in incident.ringing(turn.store, known) if key != event.key]
    after = incident.step(turn.store, turn.now, turn.household, known, what, event.person)
    if after == known:
        return
    for key in ringing:
        yield HangUp(key)
    if known.drill:
        incident.step(turn.store, turn.now, turn.household, after, Step.DONE)
        yield Say(turn.reply("drill_taken", person=person))
    else:
        yield Say(turn.reply(f"taken_{what.value}", person=person), urgent=True)


# --- drill --------------------------------------------------------------------------------------------------------


@skill.on("emergency.drill")
def drill(turn: Turn, meaning: Meaning) -> Conversation:
    """咱们演习一回: one marked round of messages, one lap of calls, and the truth about each."""
    if incident.live(turn.store) is not None:
        yield Say(turn.reply("drill_busy"))
        return
    answer = yield Ask(turn.reply("drill_sure"), asking="yes_no")
    if answer is None or answer.intent != "dialogue.yes":
        yield Say(turn.reply("drill_not"))
        return
    incident.drill(turn.store, turn.now, turn.household)
    yield Say(turn.reply("drill_begun"))


def _drill_report(turn: Turn, known: Incident) -> str:
    """Who could be reached, who could not, from the rows alone."""
    truth = incident.status(turn.store, turn.household, known)
    everyone = [c.name for c in turn.household.ladder]
    silent = [name for name in everyone if name not in truth.told]
    parts = [turn.reply("drill_told", people=_names(turn.household, truth.told))] if truth.told else []
    if silent:
        parts.append(turn.reply("drill_silent", people=_names(turn.household, silent)))
    if truth.rung:
        parts.append(turn.reply("drill_rung", people=_names(turn.household, truth.rung)))
    if truth.unrung:
        parts.append(turn.reply("drill_unrung", people=_names(turn.household, truth.unrung)))
    turn.store.note_down(turn.now, "incident.drill_report", known.id, f"told {len(truth.told)} of {len(everyone)}")
    return "".join(parts) + turn.reply("drill_over")


# --- words --------------------------------------------------------------------------------------------------------


def spoken(turn: Turn, truth: Status) -> str:
    """The honest sentence for what is known: one half for the messages, one for the calls, and what to do if neither works."""
    words = {
        "people": _some(turn.household, truth.told), "person": _called(turn.household, truth.ringing),
        "rung": _some(turn.household, truth.rung), "taken": _called(turn.household, truth.taken),
    }
    texts = "reopened" if truth.taken and truth.texts is Texts.SENT else truth.texts.value
    calls = truth.calls.value
    if truth.calls is Calls.FAILED and not truth.rung:
        calls = "refused" if truth.refused else "no_line"
    if truth.texts is Texts.FAILED and (truth.rung or truth.calls is Calls.RINGING):
        texts = "stuck"  # the line works, so it is not the network
    halves = [
        turn.reply(f"{half}_{value}", **words)
        for half, value in (("texts", texts), ("calls", calls))
        if (half, value) not in (("texts", Texts.NONE.value), ("calls", Calls.NONE.value))
    ]
    if incident.hopeless(truth):
        halves.append(turn.reply("by_yourself"))
    return "".join(halves)


def _status(turn: Turn, known: Incident) -> str:
    return spoken(turn, incident.status(turn.store, turn.household, known))


def _answered(turn: Turn, known: Incident, answer: Meaning) -> Incident:
    """What an answer during question or countdown does; a cry may tell of something else than the first."""
    if answer.intent == "emergency.call":
        return _cried(turn, known, answer)
    return incident.step(turn.store, turn.now, turn.household, known, READ_AS[answer.intent])


def _cried(turn: Turn, known: Incident, answer: Meaning) -> Incident:
    return incident.trigger(turn.store, turn.now, turn.household, _kind(answer) or known.kind, Step.AGAIN)


def _kind(answer: Meaning) -> str:
    return str(answer.slots.get("kind", ""))


def _half(turn: Turn, answer: Meaning) -> bool:
    """Whether it would cancel, but is no whole phrase or began before our prompt had ended."""
    said = answer.text
    bare = bool(said) and (set(said) <= BARE or (len(said) <= 2 and not set(said) & set("叫消")))
    return answer.intent == "emergency.cancel" and (turn.early or bare)


def _told(turn: Turn) -> str:
    """That the others will hear of it, if there is anybody to hear."""
    return turn.reply("passing_on") if message.audience(turn.household) else ""


def _says_came(text: str) -> bool:
    return any(word in text for word in CAME) and not any(word in text for word in NOT_CAME)


def _emergency(text: str, seconds: float) -> Ask:
    return Ask(text, asking="emergency", seconds=seconds, urgent=True, repair=False)


def _is_due(turn: Turn, known: Incident) -> bool:
    row = turn.store.get("incident", known.id)
    return row is not None and row["wake_at"] is not None and ("incident", known.id) in turn.store.due(turn.now, ("incident",))


def _seconds(text: str) -> float:
    return SECONDS_A_CHARACTER * len(text)


def _number(seconds: int) -> str:
    return {10: "十", 20: "二十"}.get(seconds, str(seconds))


def _called(household: Household, name: str) -> str:
    """女儿刘敏: relation and name, as the elder would say it; never a number."""
    contact = household.contact(name)
    return f"{contact.relation}{contact.name}" if contact is not None else name


def _names(household: Household, names: Sequence[str]) -> str:
    return "、".join(_called(household, name) for name in names)


def _some(household: Household, names: Sequence[str]) -> str:
    """At most two names and how many they are in all: nobody on the floor wants a list of five."""
    if len(names) <= 2:
        return _names(household, names)
    return f"{_names(household, names[:2])}等{_count(len(names))}个人"


def _first_of(household: Household) -> str:
    """The first on the ladder, and how many more."""
    reachable: list[Contact] = [c for c in household.ladder if c.notify or c.phone]
    if not reachable:
        return ""
    more = len(reachable) - 1
    return _called(household, reachable[0].name) + (f"和另外{_count(more)}个人" if more else "")


def _count(number: int) -> str:
    return "零一两三四五六七八九十"[number] if number <= 10 else str(number)
