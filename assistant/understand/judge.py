"""Hypotheses of one utterance → act on a meaning, ask back between two, or keep still."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from assistant.home import Household
from assistant.messages import YES_OR_NO, Asking, Hypothesis, Judgement, Meaning, Slot
from assistant.understand import confidence, emergencies, times
from assistant.understand import guards as guarding
from assistant.understand import slots as filling
from assistant.understand.answers import CLOSED, FIRST, Question
from assistant.understand.evidence import Odds
from assistant.understand.heard import Explanation, Heard, Thought, strongest_of
from assistant.understand.interpreter import MOST, RIVAL, SAYABLE, Interpreter
from assistant.understand.levels import ACT, ASK, MARGIN, STRICT, acts
from assistant.understand.matcher import Utterance, certain, holds
from assistant.understand.phrasebook import ANSWERED_LIKE, Phrasebook
from assistant.understand.spoken import hanzi

OPPOSITES = (
    frozenset({"medication.taken", "medication.not_taken"}), frozenset({"medication.taken", "medication.skip"}),
    frozenset({"medication.taken", "medication.taking"}), frozenset({"medication.taken", "medication.unsure"}),
    frozenset({"medication.taken", "medication.query"}), frozenset({"medication.taken", "medication.snooze"}),
    frozenset({"emergency.call", "emergency.cancel"}), frozenset({"dialogue.yes", "dialogue.no"}),
    frozenset({"reminder.add", "reminder.cancel"}), frozenset({"booking.create", "booking.cancel"}),
)
"""When the decoders hear the two of a pair, nothing is done: it is asked."""
BESIDE: Mapping[Asking, frozenset[str]] = {
    "emergency": frozenset({"emergency", "dialogue"}), "ring": frozenset({"emergency", "dialogue", "control"}),
    "talk": frozenset({"emergency"}),
}
"""Skills that are listened to beside these questions; beside the others all of them are."""
POLAR_PAIRS = frozenset(pair for pair in OPPOSITES if not pair & {"medication.unsure", "medication.query", "medication.taking", "medication.snooze"})
"""Those that one syllable divides."""
SAMPLED = 0.25
"""What a time or number of the grammar decoder weighs beside one of the free decoder: its grammar holds a sample of them, and it
writes the nearest (每周三下午两点 as 明天下午两点)."""
_DOUBTED = re.compile(r"没有?(?![忘落漏误])[^没不]{0,3}(?:吃|服|喝|打|咽)[^没不]{0,3}过[^没不吗]{0,3}[了啦来]$")
"""没吃过药了: nobody says so, and the recogniser writes it for 我吃过药了 (SPEECH.md)."""
_ABOUT_A_DOSE = ("medication.taken", "medication.not_taken", "medication.skip", "medication.query")
_NEGATION = re.compile(r"[不没别甭莫勿]")

FIRM = frozenset({"suppositions", "past days", "what was done on past days"})
"""Guards of the likeliest reading that hold for weaker ones, too, whatever is meant: 要是我哪天摔倒了 is heard as 药是我那片摔倒了. Others rest on a
syllable that is easily misheard (你家里水管漏了 for 呃，家里水管漏了); for a dose taken they all hold."""
AGREED = 0.6
"""Share of the votes a time, a number or a name needs where the hypotheses differ: nothing wrong is written down."""
COVERS = 0.7
"""Share of the longest hypothesis that one must cover to vote about a time or a number."""
FREE_WORDS = frozenset({"what", "message"})
"""Slots that any words may fill."""
VOTED = frozenset({"when", "day", "duration", "systolic", "diastolic", "value", *filling.NAMES})
"""Slots the hypotheses vote about."""
SHORT_CRIES = frozenset({"救命", "来人", "救我"})
"""Cries so short that noise makes them: they count when repeated, in a longer sentence, or the same in both decodes."""
BY_SOUND_ALONE, BY_SOUND_AGAINST = 0.4, 0.9
"""Share of the grammar's sentences, times how well they explain the sound, that must be cries for one to be believed of which the free decoder
heard nothing; and where a guard holds for what that heard. Of 184 lines of talk two reach 0.4, of 55 cries missed twice half; set on these
(tests/bench/distress.py)."""
PLAINLY = 0.75
"""The same of cries as a phrase or a frame says them, from which on the second one is hers without 是您在喊吗. Of 400 lines said at home six reach it
by words that only the second opinion takes for a cry (帮我喘个人, said 帮我穿个针), none by a phrase; of 23 cries not made out twice 12."""
BY_SOUND_SURE = 0.8
"""The same for one to be acted on that no likely free reading knows."""
UNLIKELY = 0.02
"""Share of the likeliest free reading below which another is no reason to call anybody."""
_SEND = re.compile(
    r"(?<![别不莫甭用要])(?:快[啲点些]?|还是|[你您]|就|帮我|给我|请|麻烦)(?:叫|喊|派|请|通知|找|打给)[个几]?"
    r"(?:人|他们|她们|伊拉|佢哋|医生|大夫|救护车|一二零|我?[家的]*(?:孩子|女儿|闺女|儿子|老伴))"
)
"""Who is asked whether help shall come says so: 还是叫人来吧."""
_HELP_TWICE = re.compile(r"(救命|来人|救我).{0,3}\1")


class Understander:
    """The understanding of one household; made anew when the family's file changes (about 0.3 s)."""

    def __init__(self, household: Household, phrasebook: Phrasebook, second: Callable[[Utterance], Odds] | None = None) -> None:
        """`second`: the second opinion of a sentence; the learned one where none is given."""
        self.household = household
        self.book = phrasebook
        self._interpreter = Interpreter(household, phrasebook, second)
        self.ear = self._interpreter.ear
        self._services = filling.services(household, phrasebook)
        self._known_by = filling.known_by(household, phrasebook)
        self._place = {intent: place for place, intent in enumerate(dict.fromkeys(
            (*(line.intent for line in phrasebook.templates), *(line.intent for line in phrasebook.frames))))}

    # --- doors ---

    def judge(
        self, hypotheses: Sequence[Hypothesis], now: datetime, asking: Asking | None = None,
        options: tuple[str, ...] = (),
    ) -> Judgement:
        """What the hypotheses mean, in the light of an open question; `now` aware in the household's zone."""
        return self.explain(hypotheses, now, asking, options).judgement

    def explain(
        self, hypotheses: Sequence[Hypothesis], now: datetime, asking: Asking | None = None,
        options: tuple[str, ...] = (),
    ) -> Explanation:
        """The same with every step."""
        like = ANSWERED_LIKE.get(asking, asking)
        thought = Thought(self._interpreter.hear(hypotheses, now, like or ""), now.replace(tzinfo=None))
        thought.cries = self._cries(hypotheses, thought, now)
        self._combine(thought, like)
        judgement = _told_honestly(self._decide(thought, now, asking, options))
        if asking is None:
            judgement = replace(judgement, cry=self._cry(judgement, thought))
        return Explanation(
            tuple(thought.heard), judgement,
            tuple(sorted(thought.scores.items(), key=lambda row: -row[1])), tuple(thought.reasons), thought.cried,
        )

    def distress_phrases(self) -> tuple[str, ...]:
        """Cries the always-on spotter listens for."""
        return self.book.distress

    def grammar(self, asking: Asking | None = None) -> list[str]:
        """Phrases for the grammar decoder, the question's own first; at most a few thousand."""
        from assistant.understand.sampling import phrases

        return phrases(self.household, self.book, asking)

    def read(self, text: str, now: datetime) -> Utterance:
        """A sentence with everything known found in it, unjudged: what the second opinion learns from."""
        return self._interpreter.read(text, now)

    # --- deciding ---

    def _combine(self, thought: Thought, asking: str | None) -> None:
        free: dict[str, float] = {}
        held: dict[str, float] = {}
        likeliest = max((one.hypothesis.score for one in thought.heard if one.hypothesis.source != "grammar"), default=0.0)
        for one in thought.heard:
            grammar = one.hypothesis.source == "grammar"
            table = held if grammar else free
            for candidate in one.fits:
                if candidate.kind == "evidence" and (grammar or one.hypothesis.score < RIVAL * likeliest):
                    continue  # what no phrase says must at least have been heard: a grammar writes what it knows
                score = candidate.score * one.trusted
                if score > table.get(candidate.intent, 0.0):
                    table[candidate.intent] = score
                    if score > thought.scores.get(candidate.intent, 0.0):
                        thought.source[candidate.intent] = one.where(candidate.intent)
                        thought.scores[candidate.intent] = score
        for intent in set(free) & set(held):
            high, low = max(free[intent], held[intent]), min(free[intent], held[intent])
            thought.scores[intent] = 1.0 - (1.0 - high) * (1.0 - 0.35 * low)
        self._veto(thought, free)
        self._hold_back(thought, likeliest)
        known = [one for one in thought.believed if one.fits]
        for one in thought.believed:
            if _DOUBTED.search(one.said.text) and (not one.fits or one.fits[0].intent in _ABOUT_A_DOSE):
                thought.reasons.append("没…过…了：没 也许是 我")
                thought.opposed = ("medication.taken", "medication.not_taken")
                for intent in thought.opposed:
                    thought.scores[intent] = max(thought.scores.get(intent, 0.0), ASK)
                    thought.source.setdefault(intent, one)
                return
        strongest = strongest_of(one.hypothesis for one in known)
        good = [one for one in known if one.hypothesis.score >= RIVAL * strongest[one.hypothesis.source] and one.fits[0].score * one.trusted >= ACT]
        if len(tops := {one.fits[0].intent for one in good}) == 1:
            thought.agreed = tops.pop()
        for one in good:
            for other in good:
                pair = (one.fits[0].intent, other.fits[0].intent)
                if frozenset(pair) in POLAR_PAIRS and not thought.opposed and not (frozenset(pair) == YES_OR_NO and _outvoted(pair, good)):
                    thought.reasons.append(f"听写相反：{pair[0]}、{pair[1]}")
                    thought.opposed = pair
        if free and held and not thought.opposed:
            top_free = max(free, key=lambda intent: free[intent])
            top_held = max(held, key=lambda intent: held[intent])
            if frozenset((top_free, top_held)) in OPPOSITES and min(free[top_free], held[top_held]) > 0.4:
                thought.reasons.append(f"两次听写相反：{top_free}、{top_held}")
                thought.opposed = (top_free, top_held)

    def _veto(self, thought: Thought, free: Mapping[str, float]) -> None:
        """The grammar decoder cannot write what is not in it: 别 before 给我女儿打电话, 以前, 恩人 after 救命.

        So what only it has understood is stopped by the guards of the likeliest free text, and a reading without any negation
        is at best asked back where that text has one.
        """
        top = max((one for one in thought.heard if one.hypothesis.source == "free"), key=lambda one: one.hypothesis.score, default=None)
        if top is None:
            return
        denied = _NEGATION.search(top.said.text) is not None
        for intent, source in list(thought.source.items()):
            firm = intent == "medication.taken" or any(guard.name in FIRM and guarding.stopped(intent, (guard,)) for guard in top.guards)
            if firm and guarding.stopped(intent, top.guards) and not any(fit.intent == intent for fit in top.fits):
                thought.reasons.append(f"最像的一句有护栏：{intent} 只能问")
                thought.scores[intent] = min(thought.scores[intent], ASK)
            if source.hypothesis.source != "grammar" or free.get(intent, 0.0) >= ASK:
                continue
            if guarding.stopped(intent, top.guards):
                thought.reasons.append(f"自由听写里的护栏不许：{intent}")
                thought.scores.pop(intent, None)
            elif denied and intent != "emergency.call" and not _NEGATION.search(source.said.text):
                thought.reasons.append(f"自由听写里有否定：{intent} 只能问")
                thought.scores[intent] = min(thought.scores.get(intent, 0.0), ASK)

    @staticmethod
    def _hold_back(thought: Thought, likeliest: float) -> None:
        """A cry that no likely free reading knows is asked about at best, unless the grammar explains the sound by cries: 就明天吧 is no 救命."""
        score = thought.scores.get("emergency.call", 0.0)
        if score <= ASK or not likeliest or thought.cried >= BY_SOUND_SURE:
            return
        strong = (one for one in thought.heard if one.hypothesis.source != "grammar" and one.hypothesis.score >= UNLIKELY * likeliest)
        if any(fit.intent == "emergency.call" and fit.score * one.trusted >= acts("emergency.call")[0] for one in strong for fit in one.fits):
            return
        thought.reasons.append("只有靠不住的听写是呼救：只能问")
        thought.scores["emergency.call"] = ASK

    def _decide(self, thought: Thought, now: datetime, asking: Asking | None, options: tuple[str, ...]) -> Judgement:
        if not thought.heard:
            return Judgement(None)
        scores = thought.scores
        if asking is None:
            for intent in [intent for intent in scores if intent.startswith("dialogue.")]:
                del scores[intent]
        elif (answer := self._answer(thought, now, asking, options)) is not None:
            return answer
        if thought.opposed and all(intent in scores for intent in thought.opposed):
            return Judgement(None, tuple(self._meaning(intent, thought)[0] for intent in thought.opposed))
        ranked = sorted(scores, key=lambda intent: (-scores[intent], self._place.get(intent, 0)))
        if not ranked:
            return Judgement(None)
        best = ranked[0]
        meanings = [self._meaning(intent, thought) for intent in ranked[:2] if scores[intent] >= ASK]
        act, margin = acts(best)
        if best.startswith("chat.") and any(hanzi(one.hypothesis.text[:12]).startswith(self._interpreter.wake) for one in thought.heard):
            act = ACT - 0.04  # who says the name means this house
        second = scores[ranked[1]] if len(ranked) > 1 else 0.0
        if best == "emergency.call" and self._lone_cry(thought):
            thought.reasons.append("一声短促的呼救，只有一次听写：先问")
            return Judgement(None, (meanings[0][0],) if meanings else ())
        if scores[best] >= 0.97:  # word for word: the next may be nearer than otherwise
            margin = min(margin, MARGIN) if best in STRICT else 0.0
            if thought.agreed == best and frozenset(ranked[:2]) not in POLAR_PAIRS:
                margin = 0.0  # 药吃了 and 要吃了 sound alike: the characters decide where all that was heard agrees on them
        if scores[best] >= act and scores[best] - second >= margin:
            meaning, doubts = meanings[0]
            return Judgement(meaning, doubts)
        if scores[best] >= act and len(ranked) > 1:
            thought.reasons.append(f"领先不够：{best} {scores[best]:.2f}，{ranked[1]} {second:.2f}")
        return Judgement(None, tuple(meaning for meaning, _ in meanings))

    def _answer(
        self, thought: Thought, now: datetime, asking: Asking, options: tuple[str, ...]
    ) -> Judgement | None:
        """The question's own grammar first; None: not an answer, judge it as anything else."""
        scores = thought.scores
        question = Question(options, self.ear, thought.now, self._interpreter.looks, self._interpreter.kinship, self._known_by, self.household)
        if asking in FIRST and (answer := FIRST[asking](thought, question)) is not None:
            return answer
        alarm = scores.get("emergency.call", 0.0)
        mine = [intent for intent in scores if intent in self._interpreter.asked[ANSWERED_LIKE.get(asking, asking)]]
        best = max(mine, key=lambda intent: scores[intent], default=None)
        other = max((scores[intent] for intent in scores if intent not in mine), default=0.0)
        if asking in BESIDE:
            for intent in [intent for intent in scores if intent not in mine and intent.split(".")[0] not in BESIDE[asking]]:
                del scores[intent]
        if asking != "emergency" and alarm >= 0.8 and (best is None or scores[best] < 0.97):
            return None
        if best is not None and best != "emergency.cancel":
            answered = any(f.intent == best and f.kind == "asked" for one in thought.heard for f in one.fits)
            if answered and scores[best] >= ACT and scores[best] + 0.2 >= other:
                for intent in [intent for intent in scores if intent not in mine and scores[intent] < scores[best] + 0.2]:
                    scores[intent] = min(scores[intent], scores[best] - 0.15)
        closed = CLOSED.get(asking)
        if closed is None:
            if asking == "emergency" and (wanted := self._sends_for_help(thought)) is not None:
                return Judgement(wanted)
            return None
        return closed(thought, question)

    def _sends_for_help(self, thought: Thought) -> Meaning | None:
        """我头晕得天旋地转，你喊他们来一个: with an alarm running who says so wants it, whatever else it sounds like; nothing that calls it off."""
        scores = thought.scores
        if max((scores.get(intent, 0.0) for intent in ("emergency.cancel", "dialogue.no")), default=0.0) >= ASK:
            return None
        asking = next((one for one in thought.heard if one.hypothesis.source != "grammar" and _SEND.search(one.said.text)), None)
        if asking is None or ("emergency.call" not in scores and "ME" not in asking.said.concepts):
            return None
        scores["emergency.call"] = max(scores.get("emergency.call", 0.0), ACT)
        thought.source["emergency.call"] = asking
        return self._meaning("emergency.call", thought)[0]

    def _lone_cry(self, thought: Thought) -> bool:
        """Whether all there is of an emergency is one short cry that only the grammar heard."""
        said = [one for one in thought.believed if any(f.intent == "emergency.call" for f in one.fits)]
        return bool(said) and all(
            one.hypothesis.source == "grammar" and one.said.text.rstrip("啊呀哪呐") in SHORT_CRIES for one in said
        ) and not any(_HELP_TWICE.search(hanzi(one.hypothesis.text)) for one in said)

    def _cries(self, hypotheses: Sequence[Hypothesis], thought: Thought, now: datetime) -> list[Heard]:
        """The grammar's sentences that are cries, those too that its gates shut out."""
        held = [one for one in hypotheses[:MOST] if one.source == "grammar"]
        known = {one.hypothesis: one for one in thought.heard}
        if sum(one.score for one in held) < BY_SOUND_ALONE:
            held = [one for one in held if one in known]
        read = [known.get(one) or self._interpreter.alone(one, now) for one in held]
        return [one for one in read if one.fits and one.fits[0].intent == "emergency.call" and one.fits[0].score >= SAYABLE]

    def _cry(self, judgement: Judgement, thought: Thought) -> Meaning | None:
        """What may be a cry although it is not acted on: a reading that is only near, or one that only the grammar's sound speaks for.

        来人啊 is written 那云好, 来奶奶员喊 by the free decoder: nothing like it in sound, so the gates shut the grammar out.
        """
        if judgement.meaning is not None and judgement.meaning.intent == "emergency.call":
            return None
        free = [one for one in thought.heard if one.hypothesis.source == "free"]
        guarded = bool(free) and bool(guarding.stopped("emergency.call", free[0].guards))
        plainly = sum(one.hypothesis.score for one in thought.cries if one.fits[0].kind != "evidence") >= (BY_SOUND_AGAINST if guarded else PLAINLY)
        for near in judgement.nearest:
            if near.intent == "emergency.call":
                return replace(near, slots={**near.slots, "plainly": int(plainly)})
        if not thought.cries or thought.cried < (BY_SOUND_AGAINST if guarded else BY_SOUND_ALONE):
            return self._called_to_come(free, thought)
        thought.reasons.append("受限听写听到呼救，自由听写写的是别的：再喊一声就" + ("当真" if plainly else "问"))
        text = thought.cries[0].said.text
        slots: dict[str, Slot] = {"kind": emergencies.kind(text) or "generic", "grade": "unsure", "plainly": int(plainly)}
        return Meaning("emergency.call", slots, ASK, text)

    def _called_to_come(self, free: Sequence[Heard], thought: Thought) -> Meaning | None:
        """老伴儿快来 with nothing understood behind it: whoever calls somebody so, twice, may need help."""
        for one in free:
            if one.hypothesis.score < RIVAL * free[0].hypothesis.score:
                continue
            for frame in self.book.perhaps.get("emergency.call", ()):
                if (spans := holds(frame, one.said, accept=certain)) is not None:
                    thought.reasons.append(f"喊人快来，没听出为什么：再喊一声就问（{frame.text}）")
                    text = "".join(span.text for span in sorted(spans, key=lambda span: span.start))
                    return Meaning("emergency.call", {"kind": "generic", "grade": "unsure"}, ASK, text)
        return None

    # --- slots ---

    def _meaning(self, intent: str, thought: Thought) -> tuple[Meaning, tuple[Meaning, ...]]:
        """The meaning with its slots; and, where two values of a slot fit, one meaning for each."""
        one = thought.source[intent]
        values = self._interpreter.values(intent, one.said)
        filled = filling.fill(intent, one.said, one.measures, values)
        slots = self._with_the_whole(intent, one, filled.slots, thought)
        likeliest = self._likeliest(intent, thought)
        if likeliest is not None and likeliest is not one and not FREE_WORDS.isdisjoint(slots):
            # No grammar holds free words, and who is understood best need not be who was heard best.
            heard = filling.fill(intent, likeliest.said, likeliest.measures, self._interpreter.values(intent, likeliest.said)).slots
            for slot, value in self._with_the_whole(intent, likeliest, heard, thought).items():
                if slot in FREE_WORDS and value:
                    slots[slot] = value
        missing = [slot for slot in filling.SCHEMA.get(intent, ()) if slot in filling.NAMES and slot not in slots and slot not in filled.doubts]
        for slot in missing:
            for other in thought.heard:
                if other is one or not other.trusted or (other.hypothesis.source == "grammar" and other.trusted < 0.8):
                    continue
                named = filling.fill(intent, other.said, other.measures, values).slots.get(slot)
                if named is not None:
                    slots[slot] = named
                    break
        if "service" in missing and "service" not in slots and intent != "booking.list":
            slots.update(self._needed(one.said))
        split = self._vote(intent, thought, slots)
        if intent == "emergency.call":
            self._agree_on_kind(slots, values, thought)
            slots["grade"] = self._grade(one.said)
        score = round(thought.scores[intent], 3)
        meaning = Meaning(intent, slots, score, one.said.text)
        doubts = tuple(
            Meaning(intent, {**slots, slot: name}, score, one.said.text)
            for slot, names in {**filled.doubts, **split}.items() for name in names[:2]
        )
        return meaning, doubts

    def _with_the_whole(self, intent: str, one: Heard, found: Mapping[str, Slot], thought: Thought) -> dict[str, Slot]:
        """`found` in a clause, with what the rest of the utterance adds."""
        slots = dict(found)
        whole = next((other for other in thought.heard if other.parts.get(intent) is one), None)
        if whole is None:
            return slots
        around = filling.fill(intent, whole.said, whole.measures, self._interpreter.values(intent, whole.said)).slots
        for slot, value in around.items():
            if slot not in slots and slot not in filling.NAMES and not (isinstance(value, datetime) and value < thought.now):
                slots[slot] = value
            elif slot == "service" and len({span.value for span in whole.said.concepts.get("{service}", ())}) > 1:
                slots[slot] = value  # 保洁跟护工，护工先|给我约周二，保洁回头再说
            elif slot == "when" and isinstance(value, datetime) and not isinstance(found.get(slot), datetime) and value.date() == found.get(slot):
                slots[slot] = value  # 上午十一点吧|后天，约个理发
            elif slot == "message" and str(value).startswith(str(slots.get(slot))):
                slots[slot] = value  # what is told goes on behind the clause: 我不去看了|腿疼
        return slots

    @staticmethod
    def _likeliest(intent: str, thought: Thought) -> Heard | None:
        """What the free decoder is surest of among what was understood so."""
        free = [one for one in thought.believed if one.hypothesis.source != "grammar" and any(f.intent == intent and f.score >= ASK for f in one.fits)]
        best = max(free, key=lambda one: one.hypothesis.score, default=None)
        return best.where(intent) if best is not None else None

    def _vote(self, intent: str, thought: Thought, slots: dict[str, Slot]) -> dict[str, tuple[str, ...]]:
        """Settles `slots` where the hypotheses differ: the value most of the belief stands behind, or none.

        A hypothesis weighs by its decoder's score, the trust in it, how well it is understood and how much of what was said it
        covers. Names without a majority are returned for asking; a time without one is left out, for the skill to ask.
        """
        if len(thought.believed) < 2:
            return {}
        best = strongest_of(one.hypothesis for one in thought.heard)
        longest = max(len(one.said.text) for one in thought.heard)
        votes: dict[str, list[tuple[Slot, float]]] = {}
        hours: set[datetime] = set()
        for one in thought.heard:
            fitting = max((fit.score for fit in one.fits if fit.intent == intent), default=0.0)
            if not one.trusted or fitting < ASK:
                continue
            covers = len(one.said.text) / longest * (1.0 if one.hypothesis.whole else 0.5)
            weight = max(0.0, one.hypothesis.score) / max(1e-6, best[one.hypothesis.source]) * one.trusted * fitting * covers
            read = one.where(intent)
            filled = filling.fill(intent, read.said, read.measures, self._interpreter.values(intent, read.said))
            if one.hypothesis.source != "grammar":
                hours |= {span.value for span in read.measures.times if isinstance(span.value, datetime) and times.has_clock(span.text)}
            sampled = one.hypothesis.source == "grammar" and any(other.hypothesis.source == "free" for other in thought.believed)
            for slot, value in filled.slots.items():
                # A decoder that caught only the end (十点找个人) knows nothing of 明天上午 before it.
                if slot in VOTED and (covers >= COVERS or slot in filling.NAMES or slot not in slots):
                    votes.setdefault(slot, []).append((value, weight * (SAMPLED if sampled and slot not in filling.NAMES else 1.0)))
        if intent == "medication.taken" and self._doubtful(intent, thought, slots.get("medicine")):
            slots.pop("medicine", None)  # which one is asked, or is the one that is due: never another one written down as taken
            votes.pop("medicine", None)
        split: dict[str, tuple[str, ...]] = {}
        for slot, given in votes.items():
            cast = [(_in_the_hour(value, hours) if slot == "when" else value, weight) for value, weight in given]
            values: list[Slot] = []
            for value, _ in cast:
                if value not in values:
                    values.append(value)
            if len(values) == 1:
                slots.setdefault(slot, values[0])
                continue
            share = {place: sum(weight for value, weight in cast if value == values[place]) for place in range(len(values))}
            order = sorted(share, key=lambda place: -share[place])
            if share[order[0]] >= AGREED * sum(share.values()):
                slots[slot] = values[order[0]]
                continue
            thought.reasons.append(f"听写在{slot}上不一致：" + "、".join(str(values[place]) for place in order))
            slots.pop(slot, None)
            if slot in filling.NAMES:
                split[slot] = tuple(str(values[place]) for place in order[:2])
        return split

    def _doubtful(self, intent: str, thought: Thought, value: Slot | None) -> bool:
        """Whether a likely free hypothesis that understood the same intent heard nothing of this medicine."""
        free = [one for one in thought.heard if one.hypothesis.source == "free" and any(f.intent == intent and f.score >= ASK for f in one.fits)]
        if not free and any(one.hypothesis.source == "free" for one in thought.heard):
            return value is not None  # the grammar alone named it, and it writes the nearest name it knows
        likely = [one for one in free if one.hypothesis.score >= RIVAL * max(other.hypothesis.score for other in free)]
        return value is not None and any(
            filling.fill(intent, one.said, one.measures, self._interpreter.values(intent, one.said)).slots.get("medicine") != value for one in likely
        )

    def _needed(self, said: Utterance) -> dict[str, Slot]:
        """The service of this home that a need stands for when nobody names one: 龙头关不严 → whoever repairs, 那份饭别送了."""
        for names, frames in self.book.needs.get("service", ()):
            if any(holds(frame, said, 0.2) is not None for frame in frames):
                for name in names:
                    for service in self.household.services:
                        if any(name in own for own in (service.name, *service.aka)):
                            return {"service": service.name}
        others = ("{person}", "{when}", "{day}", "{duration}")
        likely = self._services.likely(said.text, ((span.start, span.end) for concept in others for span in said.concepts.get(concept, ())))
        return {"service": likely} if likely else {}

    @staticmethod
    def _agree_on_kind(slots: dict[str, Slot], values: Mapping[str, str], thought: Thought) -> None:
        """What happened is read from characters; where those are misheard, the kind found by sound holds if any hypothesis writes it."""
        by_sound = values.get("kind", "")
        if by_sound and slots.get("kind") != by_sound and any(
            emergencies.kind(one.said.text) == by_sound for one in thought.believed if one.fits
        ):
            slots["kind"] = by_sound

    def _grade(self, said: Utterance) -> str:
        for grade, frames in self.book.grades.get("emergency.call", ()):
            if any(holds(frame, said) is not None for frame in frames):
                return grade
        return "unsure"


def _in_the_hour(value: Slot, hours: Collection[datetime]) -> Slot:
    """星期二上午 as the hour that another hypothesis heard in it: 星期二上午八点半; the value itself where that is none or two."""
    if not isinstance(value, datetime) or value in hours:
        return value
    within = {hour for hour in hours if hour.date() == value.date() and (hour.hour < NOON) == (value.hour < NOON)}
    return within.pop() if len(within) == 1 else value


NOON = 12


def _outvoted(pair: tuple[str, str], good: Sequence[Heard]) -> bool:
    """Whether all readings of the one weigh so much more than those of the other that it is no rival: 你要得, 要得 against 你要不得."""
    weights = [sum(one.hypothesis.score for one in good if one.fits[0].intent == intent) for intent in pair]
    return min(weights) < RIVAL * max(weights)


def _told_honestly(judgement: Judgement) -> Judgement:
    """The same with the share of such judgements that are right in place of the scores that led to it."""
    def told(meaning: Meaning, acted: bool) -> Meaning:
        return replace(meaning, score=round(confidence.share(acted, meaning.intent, meaning.score), 3))

    acted = judgement.meaning
    return Judgement(told(acted, True) if acted else None, tuple(told(near, False) for near in judgement.nearest))
