"""Turn-taking: events come in, conversations go on, actions go out. Nothing here touches a thread, a file or a clock.

`Dialogue.handle(event, now)` is the whole interface, `deadline` says when it wants to be woken by `Silence`.
A conversation is a generator and may die at any moment (power cut, alarm): what must survive is a row of the store
whose `wake_at` brings it back.

Who has the floor, highest first:
    an alarm                    starts at once, ends whatever was being talked about
    the answer to a question    goes to the conversation that asked
    two people on the telephone are left alone: only 挂了, and a cry while no help is under way, is for us
    something else meanwhile    is answered, then the question is asked again
    rows that are due           wait until nobody talks, in order of priority
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from typing import Protocol

from assistant import saying
from assistant.care import incident, message, request
from assistant.errors import StoreError
from assistant.home import Household
from assistant.messages import (
    OVER,
    UNCLEAR,
    WAIT,
    YES_OR_NO,
    Acknowledged,
    Action,
    Adjust,
    Ask,
    Asking,
    Call,
    ClockStepped,
    Connected,
    Conversation,
    Delivered,
    DeviceFound,
    DeviceLost,
    Due,
    Event,
    HangUp,
    Heard,
    HouseholdChanged,
    HouseholdOutgrown,
    HouseholdRefused,
    HungUp,
    Hush,
    Hypothesis,
    Judgement,
    Keep,
    Listen,
    Meaning,
    Notify,
    Pause,
    PickUp,
    Pressed,
    Rang,
    Say,
    Show,
    Silence,
    Slot,
    Sound,
    Spoken,
    Started,
)
from assistant.replies import Replies
from assistant.skills import SKILLS
from assistant.skills.skill import ALARM, CALL, DOUBTED, NORMAL, Skill, Turn
from assistant.store import Store, stamp

log = logging.getLogger(__name__)

SECONDS_A_CHARACTER = 0.30
"""Slow Mandarin speech, for guessing when a sentence must have ended although nobody said so."""

SPEECH_GRACE = 15.0
"""Seconds after which `Spoken` is taken as lost and the talk goes on without it."""

LINGER = timedelta(minutes=15)
"""How long a question that is no longer open still explains a short sentence said after the wake word: 小伴小伴，吃了."""

FOLLOW_UP = 8.0
"""Seconds after an answer in which the elder may go on without the wake word."""

ANSWERS: dict[Asking, tuple[str, ...]] = {
    "dose": ("medication.taken", "medication.not_taken", "medication.taking", "medication.unsure",
             "medication.snooze", "medication.skip", "dialogue.yes", "dialogue.no"),
    "chore": ("dialogue.yes", "dialogue.no", "medication.snooze", "medication.taken", "medication.not_taken", "medication.taking", "medication.skip"),
    "yes_no": ("dialogue.yes", "dialogue.no"),
    "emergency": ("emergency.cancel", "emergency.call", "dialogue.yes", "dialogue.no"),
    "which": ("dialogue.which",),
    "when": ("dialogue.when",),
    "evidence": ("dialogue.empty", "dialogue.full", "medication.unsure"),
    "text": ("dialogue.text", "dialogue.no"),
    "ring": ("dialogue.yes", "dialogue.no"),
    "talk": ("call.hang_up",),
}
"""Intents that answer a question of a kind; anything else said meanwhile is a request of its own."""

UNPOLAR = frozenset(asking for asking, answers in ANSWERS.items() if not YES_OR_NO.issubset(answers))
"""Questions that yes and no do not answer; 算了，不发了 to what shall be written is the end of it."""

AT_ANY_MOMENT = "control."
"""再说一遍, 大点声, 别说了 are no dictated words and no answer in one's own words, whatever was asked."""

OWN = "我"
"""Who says this in a cry means herself: 救命啊我摔倒了, and not 救命啊 of a film."""

AMID = 0.3
"""Share of the last two minutes in which somebody talked, and not to us, from which on a cry may be one of the television: after some
half a minute of a programme that has just been switched on."""
SURELY = 0.9
"""Least share of right judgements from which on one cry amid other talk is asked about; 89 in 100 cries that were never seen before have it,
and 19 in 1,000 sentences of programmes full of falls and fires (tests/bench/overheard.py)."""
TWICE = timedelta(seconds=60)
"""Any other is asked about when there is a second one so soon: who needs help cries again."""
SAME_CRY = 0.45
"""Share of characters two sentences that may be cries have in common, in order, to be the same cry: 14 of 16 that were written twice for one
cry in noise have it."""
WEARY = timedelta(minutes=10)
"""So long after a doubt that nobody stood by, one cry alone is not asked about either."""

PATIENCE = 45.0
"""Seconds a question stays open after 等我想想."""

ALARMS = "emergency."
"""An alarm is begun and called off at any moment."""
OTHER_DANGER = "smoke"
"""What is told also to two people on the telephone while help is being called: it may not be what they speak of."""
ALWAYS = "emergency.call"
"""The one intent that needs no wake word and no turn."""


def overheard(judged: Judgement, event: Heard) -> Judgement:
    """Words that were said to nobody: of what only the first look made out a cry may be one, and nothing else is meant."""
    cry = judged.meaning if judged.meaning is not None and judged.meaning.intent == ALWAYS else None
    return Judgement(None, cry=cry) if event.denied else judged


class Understanding(Protocol):
    """What the dialogue asks of `understand`."""

    def judge(
        self, hypotheses: Sequence[Hypothesis], now: datetime, asking: Asking | None = None, options: tuple[str, ...] = ()
    ) -> Judgement:
        """What these hypotheses mean; in the light of an open question."""


@dataclass
class Talk:
    """One conversation that has begun."""

    conversation: Conversation
    turn: Turn
    priority: int
    cause: Due | None = None
    """The row that woke it."""
    ask: Ask | None = None
    """Its open question."""
    tries: int = 0
    """How often the open question was not understood."""
    begin: Callable[[Turn], Conversation] | None = None
    """How it began, as long as nothing has come of it: it can begin again, on a ledger that can be written."""
    offered: Meaning | None = None
    """What 您是说…，对吗？ offered; 对 then means this."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is open no longer."""

    ask: Ask
    until: datetime
    """When it was closed."""
    skill: str
    answered: bool


@dataclass
class Waiting:
    """A conversation that wants the floor."""

    begin: Callable[[Turn], Conversation]
    skill: str
    priority: int
    cause: Due | None = None


@dataclass
class Dialogue:
    """Who talks, who waits, and what is done at once."""

    store: Store
    household: Household
    understanding: Callable[[Household], Understanding]
    replies: Replies
    skills: tuple[Skill, ...] = ()
    trusted: bool = True
    deadline: datetime | None = None
    """When to send `Silence`, unless something is heard before."""
    _talks: list[Talk] = field(default_factory=list)
    _waiting: list[Waiting] = field(default_factory=list)
    _actions: list[Action] = field(default_factory=list)
    _speaking: bool = False
    _speech_until: datetime | None = None
    _said: str = ""
    _misses: int = 0
    _follow_until: datetime | None = None
    _off_since: datetime | None = None
    _recent: Asked | None = None
    _news: tuple[str, ...] = ()
    _lapsed: bool = False
    _cries: list[datetime] = field(default_factory=list)
    _almost: tuple[Meaning, datetime] | None = None
    """What last may have been a cry, and when."""

    def __post_init__(self) -> None:
        self.skills = self.skills or SKILLS
        self._judge = self.understanding(self.household)
        self._meanings = {name: (skill, begin) for skill in self.skills for name, begin in skill.meanings.items()}
        self._lates = {(skill.name, name): late for skill in self.skills for name, late in skill.lates.items()}
        self._dues = {table: (skill, *due) for skill in self.skills for table, due in skill.dues.items()}
        self._instants = {table: (skill, act) for skill in self.skills for table, act in skill.instants.items()}
        self._at_once = tuple(self._instants)

    # --- the interface ------------------------------------------------------------------------------------------------

    @property
    def asking(self) -> Ask | None:
        """The open question, if any: its grammar listens without a wake word."""
        return self._talks[-1].ask if self._talks else None

    @property
    def busy(self) -> bool:
        """Whether somebody has the floor."""
        return bool(self._talks)

    def listening(self, now: datetime) -> bool:
        """Whether speech needs no wake word now."""
        return self.asking is not None or (self._follow_until is not None and now < self._follow_until)

    @property
    def lapsed(self) -> bool:
        """Whether nobody answered the last question: the ear is open a moment longer, but for its answer alone."""
        return self._lapsed and self.asking is None

    def handle(self, event: Event, now: datetime) -> list[Action]:
        """What should be done about `event`. Never raises for anything a person says, nor for a disk that is full.

        Everything that comes of an event is one commit, and nothing is said or sent before it. What cannot be written
        goes on in memory: the elder is told, and the present conversation is not believed done.
        """
        self._actions = []
        try:
            with self.store.together():
                try:
                    self._take(event, now)
                except StoreError:
                    self._unwritable(now)
                    self._take(event, now)
                self._next(now)
                self._instantly(now)
        except StoreError:
            # All of it was done but the commit, and goes on in memory: she hears that before what was meant to be said.
            done, self._actions = self._actions, []
            self._unwritable(now)
            self._actions += done
            self._instantly(now)
        return self._actions

    def _unwritable(self, now: datetime) -> None:
        """The ledger's disk is full or broken: from now on it is kept in memory, and nobody is left to believe otherwise."""
        self.store.into_memory()
        self._emit(Say(self.replies.say("dialogue", "unwritable", elder=self.household.elder.call)), now)
        message.tell_family(
            self.store, now, self.household, purpose="note", title="小伴的账本写不进去了",
            body="机器的磁盘满了或者坏了，新的事现在只记在内存里，断电就没有了。请尽快来看看。",
        )

    def _take(self, event: Event, now: datetime) -> None:
        match event:
            case Heard():
                self._heard(event, now)
            case Silence():
                self._silence(now)
            case Spoken():
                self._spoken(now)
            case Due(table=table) if table not in self._instants:
                self._due(event, now)
            case Due():
                pass  # instants are driven below, after every event
            case Pressed():
                self._pressed(event, now)
            case Delivered():
                self._delivered(event, now)
            case Acknowledged():
                self._acknowledged(event, now)
            case HouseholdChanged(household=household, told=told):
                before, self.household = self.household, household
                self._news = told
                self._judge = self.understanding(household)
                for skill in self.skills:
                    for changed in skill.households:
                        self._wait(lambda turn, changed=changed: changed(turn, before), skill, NORMAL)  # type: ignore[misc]
            case HouseholdRefused():
                for skill in self.skills:
                    for refused in skill.refuseds:
                        self._wait(lambda turn, refused=refused: refused(turn, event), skill, NORMAL)  # type: ignore[misc]
            case HouseholdOutgrown():
                for skill in self.skills:
                    for outgrown in skill.outgrowns:
                        self._wait(lambda turn, outgrown=outgrown: outgrown(turn, event), skill, NORMAL)  # type: ignore[misc]
            case ClockStepped(by=by, trusted=trusted):
                self._stepped(by, trusted, now)
            case Started(trusted=trusted, off_since=off_since):
                self.trusted, self._off_since = trusted, off_since
                if trusted:
                    self._waiting.append(Waiting(_right_again, "dialogue", NORMAL))
                for skill in self.skills:
                    for started in skill.starteds:
                        self._wait(started, skill, NORMAL)
                    for asked in skill.askeds:
                        if (ask := asked(self._turn(skill.name, now))) is not None:
                            self._recent = Asked(ask, now, skill.name, answered=False)
            case Rang() | HungUp():
                for skill in self.skills:
                    for line in skill.lines:
                        line(self._turn(skill.name, now), event)
                if isinstance(event, HungUp):
                    self._over(event.key, now)
                for table, row in self.store.due(now, ("request",)):  # who rings does not wait for the clock's bell
                    self._due(Due(table, row), now)
            case Connected():
                for skill in self.skills:
                    for line in skill.lines:
                        line(self._turn(skill.name, now), event)
                    for connected in skill.connecteds:
                        self._connected(Waiting(lambda turn, connected=connected: connected(turn, event), skill.name, CALL), now)  # type: ignore[misc]
            case DeviceLost() | DeviceFound():
                self.store.note_down(now, f"device.{type(event).__name__}", text=event.device)
                if event == DeviceFound("network"):
                    message.hurry(self.store, now)
                elif event == DeviceLost("screen"):
                    request.unshown(self.store, now)

    # --- hearing --------------------------------------------------------------------------------------------------

    def _heard(self, event: Heard, now: datetime) -> None:
        talk = self._talks[-1] if self._talks else None
        ask = talk.ask if talk else None
        if not event.hypotheses:
            return  # noise: neither an answer nor a request; the deadline goes on
        if talk is not None and ask is not None and ask.asking == "talk":
            self._overheard(talk, event, now)
            return
        attended = event.woken or ask is not None or self.listening(now)
        judged = self._judged_beside(event, now, talk)
        if event.denied and attended:
            return
        if not attended:
            judged = overheard(judged, event)
        request = None
        if ask is not None and ask.asking == "text":
            request = self._judged(event, now).meaning
            if request is not None and request.intent.startswith(AT_ANY_MOMENT):
                judged, request = Judgement(request), None
            elif request is None or not ask.requests or request.intent not in self._meanings or not (
                request.slots or "药" in request.text  # 吃了一碗粥 is how she is, no word about a medicine
            ):
                request = None
        meaning = judged.meaning
        log.debug("heard %s, meant %s", event.hypotheses[0].text, meaning)
        if ask is None and meaning is not None and meaning.intent == ALWAYS and self._says_it_is_done(event, now):
            meaning = None  # 倒了, some minutes after she was reminded of the rubbish
        if meaning is not None and meaning.intent == ALWAYS and not (ask and ask.asking == "emergency"):
            # In answer to a question, or to none, a cry is one that nobody called us for: it may be a film's (CARE 4: likely).
            called = event.woken and not (event.prompted and (ask is not None or self.lapsed))
            amid = not attended and not event.prompted and event.around >= AMID and self.household.care.doubts and incident.live(self.store) is None
            if amid and not self._worth_asking(meaning, now):
                return
            self._begin_meaning(replace(meaning, slots={**meaning.slots, "woken": int(called), "amid": int(amid)}), now, ALARM)
        elif not attended and judged.cry is not None and (again := self._cries_again(judged.cry, event, now)) is not None:
            self._begin_meaning(again, now, ALARM)
        elif not attended or self._hears_the_television(event, meaning, ask) or self._hears_no_answer(event, judged, now):
            return
        else:
            self._attend(event, judged, talk, now)
            if request is not None:
                self._begin_meaning(request, now, ALARM if request.intent == ALWAYS else NORMAL)

    def _worth_asking(self, meaning: Meaning, now: datetime) -> bool:
        """Whether a cry amid other talk is plainly one, or the second within a minute."""
        before, self._cries = [at for at in self._cries if now - TWICE <= at <= now], [*self._cries[-9:], now]
        self.store.note_down(now, "cry.amid")
        return bool(before) or (meaning.score >= SURELY and not incident.doubted(self.store, now - WEARY))

    def _cries_again(self, cry: Meaning, event: Heard, now: datetime) -> Meaning | None:
        """What may have been a cry, in a quiet house, if it is the same again within a minute: who is not heard cries once more.

        Made out plainly both times it is hers; else it is asked whether it was, and silence is a no.
        """
        if event.around >= AMID or incident.live(self.store) is not None:
            return None
        before, self._almost = self._almost, (cry, now)
        if before is None or not timedelta(0) <= now - before[1] <= TWICE or not same_cry(before[0].text, cry.text):
            return None
        faint = self.household.care.doubts and not plainly_twice(before[0], cry)
        return replace(cry, slots={**cry.slots, "grade": "unsure", "woken": 0, "faint": int(faint)})

    def _hears_the_television(self, event: Heard, meaning: Meaning | None, ask: Ask | None) -> bool:
        """A cry while the prompt of an alarm is being spoken may be the film that began it, going on.

        It is the second cry (CARE 4: repeated *after* our prompt) only in the first person; any other is passed over without
        a word: the countdown goes on, and silence at its end sends as it would have.
        """
        crying = meaning is not None and meaning.intent == ALWAYS and ask is not None and ask.asking == "emergency"
        return crying and self._speaking and not event.woken and not any(OWN in one.text for one in event.hypotheses[:1])

    def _judged(self, event: Heard, now: datetime, ask: Ask | None = None) -> Judgement:
        """What it means in the light of a question, with the key of its sound."""
        judged = self._judge.judge(event.hypotheses, now, ask.asking if ask else None, ask.options if ask else ())
        if not event.sound:
            return judged
        meaning = replace(judged.meaning, sound=event.sound) if judged.meaning is not None else None
        return replace(judged, meaning=meaning, nearest=tuple(replace(near, sound=event.sound) for near in judged.nearest))

    def _judged_beside(self, event: Heard, now: datetime, talk: Talk | None) -> Judgement:
        """In the light of the open question; 对 to 您是说敏敏，对吗？ in the light of that."""
        ask = talk.ask if talk else None
        if talk is not None and ask is not None and talk.offered is not None and ask.asking in UNPOLAR:
            judged = self._judged(event, now, replace(ask, asking="yes_no"))
            if judged.meaning is not None and judged.meaning.intent in YES_OR_NO:
                return judged
        return self._judged(event, now, ask)

    def _hears_no_answer(self, event: Heard, judged: Judgement, now: datetime) -> bool:
        """Nobody answered, and the ear is still open: what is said without the wake word is that answer, 再说一遍, or the television."""
        if not (self.lapsed and event.prompted):
            return False
        recent = self._recent
        for meaning in (judged.meaning, self._late_answer(event, now)):
            if meaning is None:
                continue
            if meaning.intent.startswith((AT_ANY_MOMENT, ALARMS)):
                return False
            if recent is not None and meaning.intent in ANSWERS[recent.ask.asking] and (
                meaning.intent in self._meanings or (recent.skill, meaning.intent) in self._lates
            ):
                return False
        return True

    def _overheard(self, talk: Talk, event: Heard, now: datetime) -> None:
        """Two people are on the telephone: nothing of it is written down, and hardly anything is for us."""
        meaning = self._judge.judge(event.hypotheses, now, "talk").meaning
        if meaning is None:
            return
        if meaning.intent in ANSWERS["talk"]:
            self._resume(talk, meaning, now)
        elif meaning.intent == ALWAYS and incident.grade(meaning) is not incident.Step.UNSURE and not self._helped_on_the_line():
            # Complaints are what one tells a daughter on the telephone; a cry is a cry.
            self._begin_meaning(replace(meaning, slots={**meaning.slots, "woken": int(event.woken)}), now, ALARM)

    def _attend(self, event: Heard, judged: Judgement, talk: Talk | None, now: datetime) -> None:
        meaning, ask = judged.meaning, talk.ask if talk else None
        self.store.note_down(now, "heard", text=event.hypotheses[0].text)
        if talk is not None and ask is not None:
            self._answered(talk, ask, event, judged, now)
        elif (late := self._late_answer(event, now)) is not None and self._fits_late(late, meaning):
            self._misses = 0
            assert self._recent is not None
            recent, self._recent = self._recent, None
            begin = self._lates[recent.skill, late.intent]
            self._start(Waiting(lambda turn: begin(turn, late), recent.skill, NORMAL), now)
        elif (meaning := meaning or late) is not None:
            self._misses = 0
            self._begin_meaning(meaning, now, NORMAL)
        elif event.woken:
            self._not_understood(judged, now)

    def _late_answer(self, event: Heard, now: datetime) -> Meaning | None:
        """What it means as an answer to the last question, if a conversation takes that by itself or that late."""
        recent = self._recent
        if recent is None or now - recent.until > LINGER:
            return None
        meaning = self._judged(event, now, recent.ask).meaning
        if meaning is None or not (meaning.intent in self._meanings or (recent.skill, meaning.intent) in self._lates):
            return None
        return meaning

    def _says_it_is_done(self, event: Heard, now: datetime) -> bool:
        """Whether it says in so many words that what she was reminded of last is done."""
        return self._recent is not None and self._recent.ask.asking == "chore" and (late := self._late_answer(event, now)) is not None and "what" in late.slots

    def _fits_late(self, late: Meaning, meaning: Meaning | None) -> bool:
        """Whether nobody answered that question and what is said now is an answer to it and no request of its own."""
        return (
            self._recent is not None and not self._recent.answered and (self._recent.skill, late.intent) in self._lates
            and (meaning is None or meaning.intent == late.intent or meaning.intent not in self._meanings or "what" in late.slots)
        )

    def _answered(self, talk: Talk, ask: Ask, event: Heard, judged: Judgement, now: datetime) -> None:
        meaning, nearest = judged.meaning, judged.nearest
        if talk.offered is not None:
            if meaning is not None and meaning.intent in YES_OR_NO:
                meaning, nearest = (talk.offered if meaning.intent == "dialogue.yes" else None), ()
            talk.offered = None
        if meaning is not None and meaning.intent in ANSWERS[ask.asking]:
            self._misses = 0
            self._resume(talk, meaning, now)
        elif ask.patient and (event.prompted or not event.woken):
            return
        elif meaning is not None and meaning.intent == WAIT:
            self._emit(replace(ask, text=self.replies.say("dialogue", "no_hurry"), seconds=max(ask.seconds, PATIENCE)), now)
        elif meaning is not None and meaning.intent in self._meanings:
            if ask.passing:
                self._talks.remove(talk)
                talk.conversation.close()
            self._begin_meaning(meaning, now, talk.priority)  # on top; the question is asked again after it
        elif not ask.repair:
            self._resume(talk, Meaning(UNCLEAR, text=event.hypotheses[0].text), now)
        elif talk.tries < 2:
            talk.tries += 1
            nearest = tuple(m for m in nearest if m.intent not in (*YES_OR_NO, WAIT))
            if nearest:
                asked = self._nearest_question(nearest, now)
                talk.offered = nearest[0] if len(nearest) == 1 else None
            elif talk.tries == 1:
                asked = self.replies.say("dialogue", f"again_{ask.asking}", elder=self.household.elder.call, what="".join(ask.options[:1]))
            else:
                asked = self.replies.say("dialogue", "once_more", elder=self.household.elder.call) + ask.text
            self._emit(replace(ask, text=asked), now)
        else:
            self._resume(talk, None, now)

    def _nearest_question(self, nearest: tuple[Meaning, ...], now: datetime) -> str:
        names = [self._reading(m, now) for m in nearest[:2]]
        if len(names) == 1:
            return self.replies.say("dialogue", "did_you_mean", first=names[0])
        return self.replies.say("dialogue", "which_of_two", first=names[0], second=names[1])

    def _reading(self, meaning: Meaning, now: datetime) -> str:
        """降压药吃过了: what a meaning is called when the elder is asked whether it is hers; what was heard, where nothing is written."""
        key = f"as_{meaning.intent.replace('.', '_')}"
        own = self._meanings[meaning.intent][0].name if meaning.intent in self._meanings else "dialogue"
        skill = next((one for one in ("dialogue", own) if (one, key) in self.replies.sentences), None)
        return self.replies.say(skill, key, **_words(meaning, self.household, now)) if skill else meaning.text

    def _not_understood(self, judged: Judgement, now: datetime) -> None:
        self._misses += 1
        if judged.nearest:
            self._start(Waiting(lambda turn: self._clarify(turn, judged.nearest), "dialogue", NORMAL), now)
        else:
            key = "not_understood" if self._misses == 1 else "menu"
            self._start(Waiting(lambda turn: _say(turn.reply(key)), "dialogue", NORMAL), now)

    def _clarify(self, turn: Turn, nearest: tuple[Meaning, ...]) -> Conversation:
        """The nearest readings as yes/no questions, then a menu of one sentence."""
        for meaning in nearest[:2]:
            answer = yield Ask(turn.reply("did_you_mean", first=self._reading(meaning, turn.now)), repair=False, passing=True)
            if answer is None:
                return
            if answer.intent == "dialogue.yes":
                skill, begin = self._meanings[meaning.intent]
                inner = replace(turn, skill=skill.name)
                yield from _follow(begin(inner, meaning), turn, inner)
                return
        yield Say(turn.reply("menu"))

    # --- other events -----------------------------------------------------------------------------------------------

    def _silence(self, now: datetime) -> None:
        self.deadline = None
        if self._speaking:
            self._spoken(now)  # the mouth never reported: go on rather than hang
        elif self._talks and self._talks[-1].ask is not None:
            self._resume(self._talks[-1], None, now)
            if not self._talks:
                # She begins to answer just then, or answers what is said now about her silence.
                self._follow_until, self._lapsed = now + timedelta(seconds=FOLLOW_UP), True

    def _spoken(self, now: datetime) -> None:
        self._speaking, self._speech_until = False, None
        if ask := self.asking:
            self.deadline = now + timedelta(seconds=ask.seconds)
        else:
            self.deadline = None
            self._follow_until = now + timedelta(seconds=FOLLOW_UP) if self._follow_until else None

    def _due(self, event: Due, now: datetime) -> None:
        if event.table not in self._dues:
            raise LookupError(f"no skill drives table {event.table}")
        skill, begin, priority = self._dues[event.table]
        if priority == ALARM and self._between_people and self._with_a_contact():
            return  # 到了吗, 真的没事吗: whoever is on the telephone asks that too; the row stays due
        if any(talk.cause == event for talk in self._talks) or any(w.cause == event for w in self._waiting):
            return
        waiting = Waiting(lambda turn: begin(turn, event.row), skill.name, priority, event)
        if priority == ALARM:
            self._interrupt(waiting, now)
        else:
            self._waiting.append(waiting)

    def _pressed(self, event: Pressed, now: datetime) -> None:
        beside = self._between_people and (event.button == "wake" or self._helped_on_the_line())
        if beside and event.button != OTHER_DANGER:
            return
        if event.button == "wake":
            self._emit(Listen(), now)
            self._follow_until, self._lapsed = now + timedelta(seconds=FOLLOW_UP), False
            return
        for skill in self.skills:
            if begin := skill.presseds.get(event.button):
                waiting = Waiting(lambda turn, begin=begin: begin(turn, event), skill.name, ALARM)  # type: ignore[misc]
                self._start(waiting, now) if beside else self._interrupt(waiting, now)

    def _delivered(self, event: Delivered, now: datetime) -> None:
        purpose = message.settle(self.store, event, now)
        for skill in self.skills:
            if follow := skill.delivereds.get(purpose):
                self._wait(lambda turn, follow=follow: follow(turn, event.message, event), skill, NORMAL)  # type: ignore[misc]

    def _acknowledged(self, event: Acknowledged, now: datetime) -> None:
        found = message.by_key(self.store, event.key)
        if found is None and (rang := request.of_call(self.store, event.key)) is not None and rang.person:
            # A key pressed in a call that rang us means the alarm that is going on, whether or not it has reached that person yet.
            event = replace(event, person=rang.person)
            alarm = incident.live(self.store)
            found = (alarm.id, incident.RANG) if alarm is not None else None
        if found is None:
            self.store.note_down(now, "acknowledged.unknown", text=event.person)
            return
        row, purpose = found
        for skill in self.skills:
            if follow := skill.acknowledgeds.get(purpose):
                begin = Waiting(lambda turn, follow=follow: follow(turn, row, event), skill.name, ALARM)  # type: ignore[misc]
                if purpose not in (incident.PURPOSE, incident.RANG):
                    self._waiting.append(begin)
                elif self._between_people:
                    self._start(begin, now)  # it is only told, and may be told by the one on the telephone
                else:
                    self._interrupt(begin, now)

    def _connected(self, waiting: Waiting, now: datetime) -> None:
        """People who want to talk to each other come before everything but an alarm's question."""
        if any(talk.priority == ALARM for talk in self._talks):
            self._waiting.append(waiting)
        else:
            self._interrupt(waiting, now)

    def _over(self, key: str, now: datetime) -> None:
        """A call is over, and with it the question about it."""
        for talk in [talk for talk in self._talks if talk.ask is not None and talk.ask.call == key]:
            if talk is self._talks[-1]:
                self._resume(talk, Meaning(OVER), now)
            else:
                self._talks.remove(talk)
                talk.conversation.close()

    @property
    def _between_people(self) -> bool:
        """Whether two people are on the telephone."""
        ask = self.asking
        return ask is not None and ask.asking == "talk"

    def _with_a_contact(self) -> bool:
        """Whether one of the household's people is on the telephone; a stranger holds up no alarm."""
        ask = self.asking
        called = request.of_call(self.store, ask.call) if ask is not None else None
        return called is not None and bool(called.person)

    def _helped_on_the_line(self) -> bool:
        """Whether help is being called or under way, and one of those who help is on the telephone: they are left there."""
        known = incident.live(self.store)
        return known is not None and known.state in (incident.State.ALERTING, incident.State.ACKED) and self._with_a_contact()

    def _stepped(self, by: timedelta, trusted: bool, now: datetime) -> None:
        if trusted and not self.trusted:
            self._waiting.append(Waiting(_right_again, "dialogue", NORMAL))
        self.trusted = trusted
        if self.deadline is not None:
            self.deadline += by
        if self._follow_until is not None:
            self._follow_until += by
        with self.store.atomic():
            self.store.note_down(now, "clock.stepped", text=f"{by.total_seconds():+.0f} s, trusted {trusted}")
            for skill in self.skills:
                for shift in skill.steps:
                    shift(self._turn(skill.name, now), by)

    # --- the floor --------------------------------------------------------------------------------------------------

    def _turn(self, skill: str, now: datetime) -> Turn:
        return Turn(skill, now, self.household, self.store, self.replies, self.trusted, self._off_since,
                    said=self._said, news=self._news, asked=self.asking is not None)

    def _wait(self, begin: Callable[[Turn], Conversation], skill: Skill, priority: int) -> None:
        self._waiting.append(Waiting(begin, skill.name, priority))

    def _begin_meaning(self, meaning: Meaning, now: datetime, priority: int) -> None:
        if meaning.intent not in self._meanings:
            self._start(Waiting(lambda turn: _say(turn.reply("nothing_open")), "dialogue", priority), now)
            return
        skill, begin = self._meanings[meaning.intent]
        waiting = Waiting(lambda turn: begin(turn, meaning), skill.name, priority)
        if priority == ALARM:
            self._interrupt(waiting, now)
        else:
            self._follow_until = now + timedelta(seconds=FOLLOW_UP)
            self._start(waiting, now)

    def _interrupt(self, waiting: Waiting, now: datetime) -> None:
        while self._talks:
            talk = self._talks.pop()
            talk.conversation.close()
            if talk.ask is not None and talk.ask.asking == "talk":
                self._emit(HangUp(talk.ask.call), now)
        self._speaking, self._speech_until, self.deadline = False, None, None
        self._start(waiting, now)

    def _start(self, waiting: Waiting, now: datetime) -> None:
        self._lapsed = False
        turn = self._turn(waiting.skill, now)
        talk = Talk(waiting.begin(turn), turn, waiting.priority, waiting.cause, begin=waiting.begin)
        self._talks.append(talk)
        self._resume(talk, None, now)

    def _resume(self, talk: Talk, meaning: Meaning | None, now: datetime) -> None:
        """Let a conversation go on until it asks or ends."""
        talk.turn.now, talk.turn.household, talk.turn.trusted = now, self.household, self.trusted
        talk.turn.early = meaning is not None and self._speaking
        if talk.ask is not None and not talk.ask.call:
            self._recent = Asked(talk.ask, now, talk.turn.skill, meaning is not None)
        talk.ask, talk.tries = None, 0
        answer = meaning
        while True:
            try:
                action = talk.conversation.send(answer)
            except StopIteration:
                break
            except StoreError:
                log.exception("a conversation of %s could not be written down", talk.turn.skill)
                self._unwritable(now)
                if talk.begin is not None:
                    talk.conversation, talk.begin = talk.begin(talk.turn), None
                    continue
                if talk.cause is None:  # a row of its own is still due and is driven again, from memory
                    self._emit(Say(self.replies.say("dialogue", "say_it_again", elder=self.household.elder.call)), now)
                break
            except Exception:
                # A skill's fault must not silence the device: the elder hears that it went wrong, the row stays due.
                log.exception("a conversation of %s failed", talk.turn.skill)
                self._emit(Say(self.replies.say("dialogue", "failed", elder=self.household.elder.call)), now)
                if talk.cause is not None:
                    self.store.update(talk.cause.table, talk.cause.row, wake_at=now + timedelta(minutes=1))
                break
            answer, talk.begin = None, None
            if isinstance(action, Ask):
                talk.ask = action
                self._emit(action, now)
                return
            self._emit(action, now)
        if talk in self._talks:
            self._talks.remove(talk)
        if self._talks and (ask := self._talks[-1].ask):
            if self._actions and isinstance(self._actions[-1], Hush):
                self.deadline = now + timedelta(seconds=ask.seconds)  # 别说了: keep listening, do not ask aloud
            elif ask.asking == "talk":
                pass  # it was heard beside them; once it has been spoken their time goes on
            else:
                self._emit(ask, now)  # what was open before is asked again

    def _emit(self, action: Action, now: datetime) -> None:
        self._actions.append(action)
        match action:
            case Say(text=text) | Ask(text=text):
                self._said, self._speaking = text, True
                length = timedelta(seconds=SECONDS_A_CHARACTER * len(text))
                self._speech_until = max(now, self._speech_until or now) + length
                self.deadline = self._speech_until + timedelta(seconds=SPEECH_GRACE)
            case Listen(seconds=seconds):
                self._follow_until = now + timedelta(seconds=seconds)
            case Hush():
                self._speaking, self._speech_until = False, None
            case Notify() | Call() | PickUp() | HangUp() | Show() | Keep() | Sound() | Adjust() | Pause():
                pass

    def _next(self, now: datetime) -> None:
        """Give the floor to who waits, most urgent first, until one keeps it by asking."""
        while self._waiting and not self._talks:
            self._waiting.sort(key=lambda waiting: waiting.priority)
            waiting = self._waiting.pop(0)
            if waiting.cause is None or self._still_due(waiting.cause, now):
                self._start(waiting, now)

    def _still_due(self, cause: Due, now: datetime) -> bool:
        """Whether the row still wakes: the talk about another medicine of its slot was about this one too."""
        row = self.store.get(cause.table, cause.row)
        return row is None or (row["wake_at"] is not None and row["wake_at"] <= stamp(now))

    def _instantly(self, now: datetime) -> None:
        """Drive rows that need no floor; rows a handler leaves due are not driven twice at one moment."""
        done: set[tuple[str, int]] = set()
        while rows := [row for row in self.store.due(now, self._at_once) if row not in done]:
            for table, row in rows:
                done.add((table, row))
                skill, act = self._instants[table]
                try:
                    actions = list(act(self._turn(skill.name, now), row))
                except StoreError:
                    self._unwritable(now)
                    actions = list(act(self._turn(skill.name, now), row))
                for action in actions:
                    self._emit(action, now)

    @property
    def said(self) -> str:
        """The last sentence spoken, for 再说一遍."""
        return self._said


def same_cry(one: str, other: str) -> bool:
    """Whether two sentences that may be cries are the same one, as it was written down twice."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= SAME_CRY


def plainly_twice(one: Meaning, other: Meaning) -> bool:
    """Whether both of two that may be cries were made out as the words of one."""
    return bool(one.slots.get("plainly") and other.slots.get("plainly"))


def _say(text: str) -> Conversation:
    yield Say(text)


def _right_again(turn: Turn) -> Conversation:
    """Whoever was told that the clock may be wrong hears once that it is right."""
    if turn.store.setting(DOUBTED):
        turn.store.remember(DOUBTED, "")
        yield Say(turn.reply("clock_right", time=saying.moment(turn.now, turn.now)))


def _follow(conversation: Conversation, outer: Turn, inner: Turn) -> Conversation:
    """`yield from` that keeps the inner turn's time fresh."""
    answer: Meaning | None = None
    while True:
        inner.now = outer.now
        try:
            action = conversation.send(answer)
        except StopIteration:
            return
        answer = yield action


def _called(name: str, household: Household) -> str:
    """降压药, not 缬沙坦; 女儿刘敏."""
    medicine, contact = household.medicine(name), household.contact(name)
    if medicine is not None:
        return medicine.aka[0] if medicine.aka else medicine.name
    return f"{contact.relation}{contact.name}" if contact is not None else name


def _words(meaning: Meaning, household: Household, now: datetime) -> dict[str, object]:
    """Slots as the elder would say them: 降压药, not 缬沙坦; a slot nobody named is a general word."""
    medicine, person = str(meaning.slots.get("medicine", "")), str(meaning.slots.get("person", ""))
    words: Iterator[tuple[str, Slot]] = iter(meaning.slots.items())
    return {
        **{key: saying.value(value, now) for key, value in words},
        "which": _called(str(meaning.slots.get("which", "")), household),
        "medicine": _called(medicine, household) if household.medicine(medicine) else "药",
        "person": _called(person, household) if household.contact(person) else "家里人",
        "service": str(meaning.slots.get("service") or "人"),
    }
