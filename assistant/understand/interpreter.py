"""Hypotheses → what is found in each: words by sound, times, the intents that fit, guards and the second opinion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from math import inf
from typing import get_args

from assistant.home import Household
from assistant.messages import WAIT, YES_OR_NO, Asking, Hypothesis
from assistant.understand import guards as guarding
from assistant.understand import slots as filling
from assistant.understand import times
from assistant.understand.clauses import CUTS, Clause, clauses, part
from assistant.understand.corrections import decided, mended, only_ponders, restarted, take_back
from assistant.understand.evidence import LIMIT, PLAINLY, Odds, learned
from assistant.understand.heard import Heard, strongest_of
from assistant.understand.kin import Kinship
from assistant.understand.levels import ACT, ASK, EASILY, STRICT, WARY, acts, asked_at_most
from assistant.understand.matcher import Fit, Frames, Index, Lexicon, Span, Utterance, Word, fit, holds, survey
from assistant.understand.phrasebook import Guard, Phrasebook, Template
from assistant.understand.sound import Ear, syllables
from assistant.understand.spoken import RAW, borders, hanzi, once, spoken

NEVER = 0.9
"""A must_not sentence that fits this well takes its intent out."""
LONGEST = 160
"""Syllables that are read; the slowest minute of an elder's speech has about as many. More is cut at both ends' cost."""
MOST = 9
"""Hypotheses that are read; two free decoders give six, the grammar three."""
RIVAL = 0.5
"""A hypothesis with this share of the best score of its decoder may be the right one."""
_TURNED_AFTER = re.compile(r".{0,2}[不没别甭莫](?!方便|然|好意思|错|舒服|得劲|会|懂|动|了)")
"""Behind a clause it takes back what the clause says: 送餐的明天那份|别送了."""
_OF_NO = re.compile(r"cancel|skip|taken|forget|pause|control|emergency\.call|info|query|list|unsure|fraud|snooze")
"""Intents that say no themselves, or that a 不 behind them leaves as they are."""
_WHETHER = re.compile(r"[几吗么谁哪]|没有|多少|是不是")

ANCHOR = 0.35
"""Words that anchor a phrase may sound this much otherwise."""
UNANCHORED = 0.75
"""What is left of a phrase that fits by its small words only; at best it is asked."""
_NOT_YET = re.compile(r"还[^是把就都说有]吃")
"""Whatever stands between, nothing was taken yet: 还没吃, 还要吃, and 还描吃, as a recogniser writes 还冇吃."""
LONG, PLAIN, CLAUSE = 7, 0.9, 0.7
"""From so many syllables on, and where the whole is not understood so well, clauses are judged; one counts from this score on."""
PARTED = 2
"""Hypotheses of a decoder whose clauses are judged; a grammar writes whole requests."""
CLEARLY, SURELY = 0.9, 0.93
"""And these where a false alarm is possible or the intent is easily fitted, and where a clause is cut less surely."""
NEVER_BY_CLAUSE = frozenset({"chat", "dialogue", "fraud"})
"""Skills whose few words are in every talk."""
HEARD_APART = 0.95
"""A clause whose border can be heard: a particle before it or a word that opens it."""
OF_A_CLAUSE: Mapping[str, tuple[str, ...]] = {
    "booking": ("{service}", filling.NEED), "call": ("{person}", "KIN"), "message": ("{person}", "KIN"), "diary": ("{number}", "QUESTION", "WHICH"),
}
"""What a clause must name to mean something of a skill."""
FAINT = 0.3
"""Below this score a phrase fits so little that the second opinion stands alone."""
AGAINST = 3.0
"""When by so much (log-odds) the whole sentence is rather not for 小伴 than meant so, no clause of it is, and an answer is asked about."""
CRIED, MUCH_AGAINST = 0.8, 6.0
"""A reading of a cry below this score, where something else is meant rather by so much (log-odds), is asked about: 她在上班呢 (绊了)."""
TRUSTED = 0.97
"""A phrase said word for word: the second opinion may doubt it, never stop it."""
CRY = 4.0
"""Lead (log-odds) of a cry that no guard stops: 老头子吃饺子噎住了，脸发紫 speaks of another. Of 50 guarded ones with it 2 were none."""
NOT_TAKEN, OPPOSITE = ("medication.not_taken", "medication.skip"), 1.5
"""Intents that say the opposite of a dose being taken, and how near (log-odds) they may come before it is asked about."""
RATHER = 0.7
"""That a dose is taken is asked about where something else is meant rather by so much (log-odds)."""
FAINTLY = 0.2
"""Cost of a word by sound from which on nothing dear rests on it."""
HOLLOW = 0.05
"""Weight of syllables that say nothing: 那个 alone answers no question, 嗯 does."""
EXACTLY = 0.88
"""An answer that fits a phrase of its question this well needs no second opinion."""
PLAIN_ANSWER = {"emergency.cancel": 2.0}
"""Log-odds of a plain sentence where a question has made it likely; PLAINLY for the others."""
OPEN = frozenset({"", "dose"})
"""Questions beside which everything else may be said; into the others nothing is read but their answers and a cry."""
LONE, LONE_ASKS = 0.7, {
    "emergency.cancel": inf, "medication.taken": 4.0, "emergency.call": 1.0, "call.hang_up": 1.7,
    "privacy.forget": 1.5, "reminder.cancel": 2.5, "message.send": 2.0, "booking.cancel": 1.0, "booking.change": 1.0, "reminder.add": 1.0,
}
"""Leads (log-odds) from which evidence alone acts, and those of intents that are dearer; below it asks. Set on 8,858 sentences of
the corpus before they were learned and on the rounds: of 4,200 that nothing may be done for, what the lower leads let act is one in two
hundred, and of 7,800 that are meant one in twelve. The skills ask once more before they cancel a visit, move one or send, and say the time
of a reminder, and which one is deleted."""
LONE_EASILY = 1.7
"""The same for skills whose few common words are in much that is said to others."""
LONE_ANSWERS = {("dose", "medication.taken"): 2.5, ("emergency", "emergency.cancel"): 3.0}
"""The same for what an open question has made likely."""
LONE_LEAST = -1.0
"""Log-odds below which evidence alone only asks, whatever the lead: of 103 that were right or wrong there 24 were wrong."""
LED = 3.0
"""The least lead of a phrase that acts although it fits by its small words only."""
TOLD = frozenset({"medication.taken", "medication.not_taken", "medication.skip", "medication.taking"})
"""What became of a dose: nobody tells it who asks 吃没吃."""
LIKELY, YIELDS = 1.0, 3.0
"""Leads (log-odds) with which a sentence that a guard stops is asked about after all, and with which a guard yields where it is neither dear
nor about medicine, or answers a question about a dose."""
ASKED_ANYWAY, SURELY = frozenset({"booking.cancel"}), 5.0
"""Dear intents whose skill asks before it does anything, and the lead with which a guard yields to them."""
CRY_BY_ALL = 6.0
"""Lead of a cry in which a 不 may be hidden and that no phrase speaks for."""
SURELY_MEDICINE = 5.5
"""Lead of what is said of medicine that no guard stops: 我大姐药吃没吃她自己都说不清 leads by 5.1."""

ANSWER, TAKEN_BACK = 2, 0.85
"""Syllables of an answer that takes another back, and its score."""
CLEAR = 0.93
"""When a hypothesis is understood this well, the less likely ones are looked at for numbers and negation only."""
WELL, SAME = 0.8, 0.85
"""So are those of this likeness to one understood this well."""
TRAILING = 0.4
"""A phrase so much worse than the best one decides nothing."""
LIKE_ENOUGH = 0.5
"""Gate (b) of the grammar decoder: likeness to a free hypothesis, three syllables and more (SPEECH.md)."""
LIKE_SHORT = 0.85
"""The same for one and two syllables: nearly the same sound."""
SAYABLE = 0.80
"""Gate (a): the grammar's text must itself be something one can say, at least with this score."""
PONDERED = frozenset({"dose", "yes_no", "ring"})
"""Questions one thinks aloud about and then answers."""
YES_OR_NO_ASKED = frozenset({"yes_no", "ring"})
_GOOD = re.compile(r"[你您唔呐我哦嗯]好[啊呀的嘞呢]?")
"""What the decoders write of 好, with a breath before it; in Cantonese the same is a no."""
_NUMERIC = frozenset("零一二三四五六七八九十百千两俩仨半刻点分秒号月周拜期天日明后昨今早晚上中下午夜每隔")

Reading = dict[str, Fit]
NOTHING = Fit("", 0.0, "")


class Interpreter:
    """The ear for what is meant, of one household; made anew when the family's file changes (about 0.3 s)."""

    def __init__(self, household: Household, phrasebook: Phrasebook, second: Callable[[Utterance], Odds] | None = None) -> None:
        """`second`: the second opinion of a sentence; the learned one where none is given."""
        self.household = household
        self.book = phrasebook
        self.ear = Ear(household.elder.accent)
        self._opinion = second or (lambda said: learned().weigh(said))
        words = [
            Word(word.lstrip("="), concept, word.startswith("="))
            for concept, known in phrasebook.words.items() for word in known
        ]
        words += [
            Word(wrong, concept, False, extra=0.08)
            for concept, known in phrasebook.words.items() for word in known
            for right, wrongs in phrasebook.heard.items() if right in word
            for wrong in (word.replace(right, wrong) for wrong in wrongs)
        ]
        words += filling.household_words(household, phrasebook)
        self.looks = filling.looks(household, phrasebook)
        self.kinship = Kinship(household.family, filling.kin_words(phrasebook), filling.people_told(household, phrasebook))
        self._lexicon = Lexicon(words, self.ear)
        self._frames = Frames(phrasebook.frames)
        never = [Template(say, "!" + intent, tuple(chars), tuple((n - 1,) for n in range(len(chars))), (len(chars) - 1,))
                 for intent, say in phrasebook.must_not if (chars := hanzi(say))]
        self._guards = guarding.Guards(phrasebook.guards)
        self._index = Index((*phrasebook.templates, *never), self.ear)
        self.wake = tuple(sorted({hanzi(word) for word in household.wake_words} | {"小伴小伴", "小伴"}, key=len, reverse=True))
        self._bans = {intent: frozenset().union(*(frame.bans for frame in phrasebook.frames if frame.intent == intent)) for intent in WARY}
        self.asked: Mapping[str, frozenset[str]] = {
            asking: frozenset(line.intent for line in phrasebook.templates if line.asking == asking)
            | frozenset(line.intent for line in phrasebook.frames if line.asking == asking)
            for asking in get_args(Asking)
        }
        """Intents that answer an open question."""

    def hear(self, hypotheses: Sequence[Hypothesis], now: datetime, asking: str) -> list[Heard]:
        """Each hypothesis that is worth reading, with the trust it deserves; `asking`: the open question, "" for none."""
        heard: list[Heard] = []
        surveyed: dict[str, Heard] = {}
        seen: set[tuple[str, str]] = set()
        strongest = strongest_of(hypotheses[:MOST])
        for hypothesis in hypotheses[:MOST]:
            rival = hypothesis.score >= RIVAL * strongest[hypothesis.source]
            text = self._prepare(hypothesis.text)
            if asking in YES_OR_NO_ASKED and hypothesis.source != "text" and self.household.elder.accent != "广东" and _GOOD.fullmatch(text):
                text = text[1:]
            if not text or (hypothesis.source, text) in seen:
                continue
            seen.add((hypothesis.source, text))
            if text in surveyed:
                heard.append(replace(surveyed[text], hypothesis=hypothesis))
                continue
            if hypothesis.source == "grammar" and not self._sounds_like_any(text, heard):
                continue
            said = None
            if (like := self._like(hypothesis, text, heard, rival)) is not None:
                if not rival and _numbers_of(like.said.text) == _numbers_of(text):
                    continue
                said = self._glance(hypothesis, text, like, now)
            if said is None:
                parted = hypothesis.source != "grammar" and sum(one.hypothesis.source == hypothesis.source for one in heard) < PARTED
                said = self._survey(hypothesis, text, now, asking, parted)
                surveyed[text] = said
            heard.append(said)
        free = [one for one in heard if one.hypothesis.source != "grammar"]
        gated: list[Heard] = []
        for one in heard:
            if one.hypothesis.source == "grammar":
                gated.append(replace(one, trusted=self._gate(one, free)))
            else:
                rank = sum(other.hypothesis.source == one.hypothesis.source for other in gated)
                gated.append(replace(one, trusted=0.97 ** rank))
        return gated

    def alone(self, hypothesis: Hypothesis, now: datetime) -> Heard:
        """One hypothesis by itself, without the gates of the grammar."""
        return self._survey(hypothesis, self._prepare(hypothesis.text), now, "", parted=False)

    def read(self, text: str, now: datetime) -> Utterance:
        """A sentence with everything known found in it, unjudged: what the second opinion learns from."""
        text = once(self._prepare(text))
        return self._read(text, syllables(text), now)[0]

    def _read(self, text: str, sounds: tuple[str, ...], now: datetime) -> tuple[Utterance, filling.Measures, list[Span]]:
        """The survey of prepared text, its measures, and all spans found."""
        found = filling.measures(text, now, self.household.care)
        spans = [*self._spans(text, sounds, found), *_alternatives(text)]
        said = survey(text, sounds, (span for span in spans if span.concept not in CUTS), self.ear.polar, self.book.through)
        return said, found, spans

    def _spans(self, text: str, sounds: tuple[str, ...], found: filling.Measures) -> list[Span]:
        """Words, times and numbers, relatives of relatives, and medicines by their looks."""
        words = self.kinship.composed(text, list(self._lexicon.find(text, sounds)))
        return [*words, *filling.measure_spans(text, found), *self.looks.find(text)]

    def _like(self, hypothesis: Hypothesis, text: str, heard: Sequence[Heard], rival: bool) -> Heard | None:
        """An earlier hypothesis of the same decoder, well understood, that says the same but for a number or a trifle."""
        sounds = syllables(text)
        polar = [sound for sound in sounds if sound in self.ear.polar]
        for one in heard:
            if one.hypothesis.source != hypothesis.source or not one.fits or one.fits[0].score < WELL:
                continue
            if [sound for sound in one.said.sounds if sound in self.ear.polar] != polar:
                continue
            if (one.fits[0].score >= CLEAR and not rival) or self.ear.likeness(one.said.sounds, sounds) >= SAME:
                return one
        return None

    def _glance(self, hypothesis: Hypothesis, text: str, like: Heard, now: datetime) -> Heard:
        """Numbers and times alone, for the vote about them; what is meant is taken from the hypothesis it is like."""
        sounds = syllables(text)
        found = filling.measures(text, now, self.household.care)
        spans = self._spans(text, sounds, found)
        if (better := mended(text, sounds, spans)) != text:
            text, sounds, found = better, syllables(better), filling.measures(better, now, self.household.care)
            spans = self._spans(text, sounds, found)
        said = survey(text, sounds, spans, self.ear.polar, self.book.through)
        take_back(said, found)
        return Heard(hypothesis, said, found, like.guards, tuple(replace(one, score=one.score * 0.98) for one in like.fits), opinion=like.opinion)

    def _prepare(self, text: str) -> str:
        """Characters only, without wake word, bounded."""
        text = spoken(text[:RAW].replace("[unk]", "").replace("<unk>", ""))
        if len(text) > LONGEST:
            text = text[:LONGEST // 2] + text[-LONGEST // 2:]
        for wake in self.wake:
            while text.startswith(wake) and len(text) > len(wake):
                text = text[len(wake):]
        return text

    def _survey(self, hypothesis: Hypothesis, text: str, now: datetime, asking: str, parted: bool = True) -> Heard:
        """The utterance without its repetitions; as it stands where that is understood better (行了行了, 谢谢谢谢)."""
        plain = once(text)
        short = self._survey_once(hypothesis, plain, now, asking, parted)
        if plain == text or (short.fits and short.fits[0].score >= 0.85):
            return short
        whole = self._survey_once(hypothesis, text, now, asking, parted)
        return max(short, whole, key=lambda one: one.fits[0].score if one.fits else 0.0)

    def _survey_once(self, hypothesis: Hypothesis, text: str, now: datetime, asking: str, parted: bool = True) -> Heard:
        said, found, spans = self._read(text, syllables(text), now)
        if (better := mended(text, said.sounds, spans)) != text:
            return self._survey_once(hypothesis, better, now, asking, parted)
        if hypothesis.source == "text":
            said.borders = borders(hypothesis.text)
        take_back(said, found)
        opinion = self._opinion(said)
        fits, fired, never = self._fits(said, opinion, asking)
        if asking in PONDERED and only_ponders(text):
            fits = [one for one in fits if one.intent in (WAIT, "medication.unsure")]
        whole = Heard(hypothesis, said, found, fired, tuple(fits), opinion=opinion)
        if asking in PONDERED and (answer := decided(text)):
            again = self._survey_once(hypothesis, answer, now, asking)
            if again.fits and again.fits[0].kind == "asked" and again.fits[0].score >= TAKEN_BACK and again.fits[0].intent != WAIT:
                return again  # 嗯，让我琢磨琢磨，成吧
        if asking and (answer := restarted(text, ANSWER)):
            again = self._survey_once(hypothesis, answer, now, asking)
            best = again.fits[0] if again.fits else NOTHING
            if fits and best.intent != fits[0].intent and best.kind == "asked" and best.score >= TAKEN_BACK:
                return again  # 还没，哦不对，吃了吃了
        if (restart := restarted(text)) and (not fits or fits[0].score < 0.9):
            again = self._survey_once(hypothesis, restart, now, asking)
            if again.fits and again.fits[0].score >= 0.8:
                return _again(whole, again)
        if parted and len(text) >= LONG and not restart and (not fits or fits[0].score < PLAIN):
            return self._by_clause(whole, spans, never, now, asking)
        return whole

    def _by_clause(self, whole: Heard, raw: Sequence[Span], never: Mapping[str, float], now: datetime, asking: str) -> Heard:
        """With what single clauses mean, where that is clearer than the whole: 外头下雨呢|给我闺女打个电话.

        The guards and the must_not of the whole hold for its clauses. Where the whole is understood, or holds free words
        (告诉他|…), clauses only make it clearer: what is to be told is no request.
        """
        best = {one.intent: one for one in whole.fits}
        known = {one.intent for one in whole.fits if one.score >= (ASK if one.intent in filling.LOOSE else ACT) or (one.kind == "asked" and one.score >= CLAUSE)}
        parts: dict[str, Heard] = {}
        for clause in clauses(whole.said, raw, self._index.edges(whole.said)):
            text = whole.said.text[clause.start:clause.end]
            spans = (span for span in part(raw, clause) if span.concept not in CUTS)
            said = survey(text, whole.said.sounds[clause.start:clause.end], spans, self.ear.polar, self.book.through)
            measured = whole.measures.times or whole.measures.numbers
            found = filling.measures(text, now, self.household.care) if measured else filling.Measures()
            found.times = times.in_the_whole(found.times, clause.start, whole.measures.times, whole.said.text)
            take_back(said, found)
            fits, fired, _ = self._fits(said, self._opinion(said), asking, CLAUSE - 0.1, frozenset(known))
            here = Heard(whole.hypothesis, said, found, fired, tuple(fits))
            for one in fits:
                if (known and one.intent not in known) or one.intent in never or not self._asks(one, here, clause, whole):
                    continue
                score = one.score * clause.belief
                if whole.opinion.against(one.intent) > AGAINST:
                    if one.intent != "emergency.call":
                        continue
                    score = min(score, asked_at_most(one.intent))
                if one.intent == "medication.taken" and not asking:
                    score = min(score, asked_at_most(one.intent))  # nobody asked, and the rest may say otherwise: it is asked
                if score > best.get(one.intent, NOTHING).score:
                    best[one.intent] = replace(one, score=score)
                    if one.intent != "emergency.call":  # what happened stands in the whole
                        parts[one.intent] = here
        return replace(whole, fits=tuple(sorted(best.values(), key=lambda one: -one.score)), parts=parts)

    def _asks(self, one: Fit, here: Heard, clause: Clause, whole: Heard) -> bool:
        """Whether a clause may mean this by itself."""
        skill = one.intent.split(".")[0]
        heard_apart = clause.belief >= HEARD_APART
        guards = [guard for guard in whole.guards if not (heard_apart and guard.of_clause and one.intent not in WARY) or guard in here.guards]
        if one.kind == "evidence" or skill in NEVER_BY_CLAUSE or (one.intent == "emergency.cancel" and one.kind != "asked") or guarding.stopped(one.intent, guards) or guarding.weakened(one.intent, guards):
            return False
        if (skill in EASILY and not clause.opened and clause.start == 0) or (one.intent in WARY and not heard_apart):
            return False
        bans = one.bans if one.kind == "frame" else self._bans.get(one.intent, frozenset())
        if one.intent in WARY and not bans.isdisjoint(whole.said.concepts.keys() - here.said.concepts.keys()):
            return False
        behind = whole.said.text[clause.end:]
        if _TURNED_AFTER.match(behind) and not _OF_NO.search(one.intent) or (one.intent == "medication.taken" and _WHETHER.search(behind + whole.said.text[:clause.start])):
            return False
        if (wants := OF_A_CLAUSE.get(skill)) and not any(
            span.cost < 0.2 and (span.value or want[0] != "{" or want == "{number}") for want in wants for span in here.said.concepts.get(want, ())
        ):
            return False
        if one.intent == "diary.record" and not {"value", "systolic"} & filling.fill(one.intent, here.said, here.measures, self.values(one.intent, here.said)).slots.keys():
            return False
        if skill in EASILY:
            return one.score * clause.belief >= CLEARLY
        return one.score >= (CLAUSE if heard_apart and one.intent != "emergency.call" else CLEARLY if heard_apart else SURELY)

    def _fits(
        self, said: Utterance, opinion: Odds, asking: str, floor: float = 0.0, only: frozenset[str] = frozenset(),
    ) -> tuple[list[Fit], tuple[Guard, ...], Mapping[str, float]]:
        """Best line of each intent, the guards that fire, and how near must_not sentences are.

        Phrases worth less than `floor` are not looked for, nor, where `only` names some, those of other intents.
        """
        if asking == "dose":
            opinion = opinion.expecting(self.asked[asking])
        by_frame = self._by_frame(said, asking)
        by_phrase, never, doubtful = self._by_phrase(said, asking, floor, only)
        fired = self._guards.fired(said, asking)
        hollow = max(said.weights, default=0.0) < HOLLOW
        answers = self.asked.get(asking, frozenset())
        fits = []
        for intent in dict.fromkeys((*by_frame, *by_phrase)):
            best = max((by_frame.get(intent, NOTHING), by_phrase.get(intent, NOTHING)), key=lambda one: one.score)
            other = min(by_frame.get(intent, NOTHING).score, by_phrase.get(intent, NOTHING).score)
            score = 1.0 - (1.0 - best.score) * (1.0 - 0.2 * other)
            if never.get(intent, 0.0) >= max(NEVER, best.score - 0.02) or (hollow and best.score < TRUSTED):
                continue
            exactly = best.kind == "asked" and by_phrase.get(intent, NOTHING).score >= EXACTLY
            ceiling = 1.0 if exactly else _ceiling(intent, fired, opinion, said, answers)
            if ceiling == 0.0:
                continue
            if best.kind == "phrase" and (best.by in doubtful or not (asking or self._anchored(intent, said) or _surely(intent, opinion))):
                score *= 1.0 if best.by in doubtful else UNANCHORED
                ceiling = min(ceiling, asked_at_most(intent))
            taken = intent == "medication.taken" and _doubtfully_taken(said, best, score, opinion, exactly)
            if taken or (intent == "emergency.call" and score < CRIED and opinion.rather(intent) > MUCH_AGAINST):
                ceiling = min(ceiling, asked_at_most(intent))
            if score >= FAINT:
                opposite = max(_opposite(intent, by_frame), _opposite(intent, by_phrase))
                score = self._second(intent, score, opinion, best.kind == "asked" or intent in answers, exactly, opposite, asking)
            fits.append(replace(best, score=min(1.0, score, ceiling)))
        lone = self._lone(opinion, said, fired, never, {one.intent for one in fits if one.score >= FAINT}, asking)
        if lone is not None and (asking in OPEN or lone.intent in answers or lone.intent == "emergency.call"):
            fits = [*(one for one in fits if one.intent != lone.intent), lone]
        answer, sure = opinion.answer(asking)
        if answer in answers and all(one.score < ASK for one in fits):
            fits.append(Fit(answer, sure, "整句像是", (), "evidence"))
        if asking == "dose" and any(one.intent in DOUBTS and one.score >= ACT for one in fits) and _plainly_told(said):
            fits = [replace(one, score=min(one.score, asked_at_most(one.intent))) if one.intent in DOUBTS else one for one in fits]
            if all(one.intent != "medication.taken" or one.score < ASK for one in fits):
                fits.append(Fit("medication.taken", ASK, "吃了", (), "asked"))
        fits.sort(key=lambda one: (-one.score, one.intent in DOUBTS))
        return fits, fired, never

    def _by_frame(self, said: Utterance, asking: str) -> Reading:
        """Best frame of each intent."""
        found: Reading = {}
        for frame in self._frames.candidates(said, asking):
            skill = frame.intent.split(".")[0]
            one = fit(frame, said, filling.ALSO_EXPLAINED.get(skill, frozenset()), frame.intent in filling.LOOSE)
            if one is not None and one.score > found.get(frame.intent, NOTHING).score:
                found[frame.intent] = replace(one, kind="asked" if frame.asking else "frame")
        return found

    def _by_phrase(
        self, said: Utterance, asking: str, floor: float, only: frozenset[str],
    ) -> tuple[Reading, Mapping[str, float], set[str]]:
        """Best phrase of each intent, how near must_not sentences are, and phrases that fit only with an unknown word as medicine."""
        found: Reading = {}
        never: dict[str, float] = {}
        doubtful: set[str] = set()
        limits = self._index.limits(said)
        top = floor + TRAILING
        strange = not any(span.cost < 0.5 for span in said.concepts.get("{medicine}", ()))
        for number in self._index.candidates(said, asking):
            template = self._index.templates[number]
            forbids = template.intent[0] == "!"
            if only and template.intent.lstrip("!") not in only:
                continue
            known = never.get(template.intent[1:], NEVER) if forbids else found.get(template.intent, NOTHING).score
            # Worth its cost is only what beats the intent's best so far and comes near the best of all; of what must not be,
            # what comes near enough to matter.
            bound = min(limits.bound, (1.0 - max(known, 0.0 if forbids else top - TRAILING)) * limits.scale + 1e-9)
            cost = self._index.align(number, said, limits, bound)
            if cost is None:
                continue
            score = limits.score(cost)
            if forbids:
                never[template.intent[1:]] = max(score, never.get(template.intent[1:], 0.0))
                continue
            if strange and score >= ACT and "{medicine}" in template.nodes:
                # An unknown word as medicine never acts by itself: 眼镜找不着了 is no medicine that cannot be found.
                plain = self._index.align(number, said, limits, min(bound, limits.bound), unknown=False)
                plainly = 0.0 if plain is None else limits.score(plain)
                score = max(min(score, ACT - 0.02), plainly)
                if plainly < ACT:
                    doubtful.add(template.text)
            top = max(top, score)
            if score > known:
                found[template.intent] = Fit(template.intent, score, template.text, (), "asked" if template.asking else "phrase")
        return found, never, doubtful

    @staticmethod
    def _second(intent: str, score: float, opinion: Odds, answers: bool, exactly: bool, opposite: float, asking: str) -> float:
        """The score after the second opinion.

        An answer to the open question is doubted only where it is plainly none (嗯，那个，哎), and a dear one helped only where it
        is plain, a yes or a no only where the opposite does not fit better (不对没错).
        """
        both = opinion.judged(intent, score)
        if answers:
            if intent in YES_OR_NO and not exactly:
                answer, sure = opinion.answer(asking)
                if answer == intent and score >= max(ASK, opposite):
                    return max(score, sure)
                if opinion.answers.get(intent, 0.0) < -AGAINST and not opinion.top and score < ACT:
                    return 0.0
            none = not exactly and intent != "emergency.call" and opinion.against(intent) > AGAINST
            refuses = intent == "dialogue.no" and exactly and score >= TRUSTED  # 不用改; 十点 that sounds like 是的 stays doubted
            if none or (not refuses and opinion.answers.get(intent, 0.0) < -AGAINST and not opinion.top):
                return min(score, asked_at_most(intent))
            surely = opinion.lead(intent) >= LONE_ANSWERS.get((asking, intent), inf)
            plainly = score >= ASK and opinion.plainly(intent, PLAIN_ANSWER.get(intent, PLAINLY))
            return max(score, both) if intent not in STRICT or plainly or surely else score
        if score >= TRUSTED:
            return max(both, acts(intent)[0])
        return max(both, ASK) if intent == "emergency.call" and score >= ACT else both

    def _lone(
        self, opinion: Odds, said: Utterance, fired: tuple[Guard, ...], never: Mapping[str, float], known: set[str], asking: str,
    ) -> Fit | None:
        """A reading that no phrase speaks for, only the second opinion: 没听着再讲一遍. Where it is dear it is asked about."""
        intent = opinion.top
        if not intent or intent in known or intent in never or said.taken_back:
            return None
        lead = opinion.lead(intent)
        score = min(opinion.alone(intent), _ceiling(intent, fired, opinion, said, self.asked.get(asking, frozenset())))
        hidden = said.hidden and not (intent == "emergency.call" and lead >= CRY_BY_ALL)  # half of me is 不好使了: no cry hangs on a 不
        wondered = intent in TOLD and "WHETHER" in said.concepts  # 那掉不吃没吃啊 tells nothing
        banned = intent == "emergency.cancel" and not self._bans[intent].isdisjoint(said.concepts)  # 不是按错，救我 cancels nothing
        if hidden or wondered or banned or opinion.of[intent] < LONE_LEAST or lead < _lone_lead(intent, asking):
            score = min(score, asked_at_most(intent))
        return Fit(intent, score, "整句像是", (), "evidence") if score >= ASK else None

    def _anchored(self, intent: str, said: Utterance) -> bool:
        """Whether words without which the intent is never said are there."""
        anchors = self.book.anchors.get(intent)
        return anchors is None or any(
            all(any(span.cost < ANCHOR for concept in need for span in said.concepts.get(concept, ())) for need in frame.needs)
            for frame in anchors
        )

    def _sounds_like_any(self, text: str, heard: Sequence[Heard]) -> bool:
        """Whether the second half of the gate can be passed: what it shuts out anyway need not be understood."""
        free = [one for one in heard if one.hypothesis.source != "grammar"]
        return not free or self._likeness(syllables(text), free) >= 0.9 * LIKE_ENOUGH

    def _likeness(self, sounds: Sequence[str], free: Sequence[Heard]) -> float:
        return max((self.ear.likeness(sounds, other.said.sounds) for other in free), default=0.0)

    def _gate(self, one: Heard, free: Sequence[Heard]) -> float:
        """How far a grammar hypothesis is believed: 0 unless it is sayable and sounds like what the free decoder heard."""
        if not one.fits or one.fits[0].score < SAYABLE:
            return 0.0
        size = len(one.said.sounds)
        best = self._likeness(one.said.sounds, free)
        if best < (LIKE_ENOUGH if size >= 3 else LIKE_SHORT):
            return 0.0
        return 0.55 + 0.45 * best

    def values(self, intent: str, said: Utterance) -> dict[str, str]:
        """Kinds read off their frames; the first value that holds, else the one without frames."""
        found: dict[str, str] = {}
        for slot, table in self.book.values.get(intent, {}).items():
            for value, frames in table:
                if not frames or any(holds(frame, said, 0.2) is not None for frame in frames):
                    if frames or slot not in found:
                        found[slot] = value
                    if frames:
                        break
        return found


def _ceiling(intent: str, fired: tuple[Guard, ...], opinion: Odds, said: Utterance, answers: frozenset[str]) -> float:
    """The score an intent may reach at most under the guards that fire; 0 where they silence it. `answers`: intents that answer the open question.

    They yield to a sentence that is plainly or surely meant so; about medicine that was not asked about only to a very plain one, for it is
    often another's (我大姐药吃没吃她自己都说不清). Where it is dear, never, but for a cry, of one's own or for another (老头子吃饺子噎住了，脸发紫). What is likely, or
    might be a cry of one's own (我不想麻烦孩子们，可是我喘不上气了), is asked about.
    """
    stopped, weakened = guarding.stopped(intent, fired), guarding.weakened(intent, fired)
    if not stopped and not weakened:
        return 1.0
    if any(guard.unyielding and guarding.stopped(intent, (guard,)) for guard in fired):
        return 0.0
    plainly, lead, likely = opinion.plainly(intent), opinion.lead(intent), LIKELY
    if intent == "emergency.call":
        yields = plainly and lead >= CRY
        likely = 0.0 if "ME" in said.concepts else LIKELY if plainly or "HELP" in said.concepts else inf  # 要是觉得半边身子发麻，一定要打一二零 is advice
    elif intent.startswith("medication."):
        yields = lead >= YIELDS if intent in answers else intent not in WARY and plainly and lead >= SURELY_MEDICINE
    else:
        yields = (intent not in WARY and (plainly or lead >= YIELDS)) or (intent in ASKED_ANYWAY and lead >= SURELY)
    if yields:
        return 1.0
    return asked_at_most(intent) if not stopped or lead >= likely else 0.0


def _opposite(intent: str, fits: Mapping[str, Fit]) -> float:
    """How well no fits where yes is meant, and the other way; 0 for all else."""
    other = next(iter(YES_OR_NO - {intent}), "") if intent in YES_OR_NO else ""
    return fits.get(other, NOTHING).score


def _surely(intent: str, opinion: Odds) -> bool:
    """Whether the sentence leads as far as evidence alone needs in order to act: 告诉我闺女，晚上回来吃饭 is told to her, not to me."""
    return opinion.lead(intent) >= max(LED, _lone_lead(intent))


def _lone_lead(intent: str, asking: str = "") -> float:
    """The lead from which evidence alone acts."""
    easily = LONE_EASILY if intent.split(".")[0] in EASILY else LONE
    return LONE_ANSWERS.get((asking, intent), LONE_ASKS.get(intent, easily))


DOUBTS = frozenset({"medication.unsure", "medication.query"})
"""What nobody means who says in answer to 吃了吗 that it is eaten, and nothing of a doubt."""
_IN_DOUBT = re.compile(r"记不|不记|(?<!还能)(?<!不会)(?<!没有)(?<!没)(?<!哪能)(?<!能)忘|不知|不晓|没印象|好像|可能|大概|也许|应该|恐怕|搞不|弄不|拿不|说不|想不|吃没|没吃|不吃|未吃|[吗么嘛没吧]$|没有$|是不是|几|哪|啥|什么|查|看看|不对|不是")


def _plainly_told(said: Utterance) -> bool:
    """Whether a dose is said to be eaten, in these very characters, with no word of doubt: 降压药是吧，吃过了."""
    eaten = any(span.exact and span.cost < FAINTLY for span in said.concepts.get("EATEN", ()))
    return eaten and not said.hidden and "NOT_EATEN" not in said.concepts and "WHETHER" not in said.concepts and _IN_DOUBT.search(said.text) is None


def _doubtfully_taken(said: Utterance, best: Fit, score: float, opinion: Odds, exactly: bool) -> bool:
    """Whether a dose is only perhaps said to be taken: it was taken back, 吃 is there by a sound alone, or rather something else is meant.

    Or it is nearly as likely that it was not: 药都冇拆封，你莫给我记成吃了的.
    """
    faintly = best.kind != "phrase" and not exactly and _faintly(said, "EATEN")
    own = opinion.of.get(best.intent, LIMIT)
    opposite = not exactly and score < TRUSTED and any(opinion.of.get(other, -LIMIT) > own - OPPOSITE for other in NOT_TAKEN)
    return bool(said.hidden) or faintly or opposite or _NOT_YET.search(said.text) is not None or opinion.rather(best.intent) > (AGAINST if exactly or score >= TRUSTED else RATHER)


def _faintly(said: Utterance, concept: str) -> bool:
    """Whether a word is only there by a sound that could be another: 吃的那 for 吃得了."""
    return min((span.cost for span in said.concepts.get(concept, ())), default=0.0) >= FAINTLY


def _again(whole: Heard, again: Heard) -> Heard:
    """The new start judged alone, but a part of a time said before still counts: 明天上午九点，不对，十点约保洁.

    Throwing 明天上午 away once booked today at ten in the evening.
    """
    best = again.fits[0]
    for place, one in enumerate(whole.fits):
        if one.intent == best.intent and one.score >= ASK:
            lifted = replace(one, score=max(one.score, 0.98 * best.score))
            rest = (*whole.fits[:place], *whole.fits[place + 1:])
            return replace(whole, fits=tuple(sorted((lifted, *rest), key=lambda fit: -fit.score)))
    gone = len(whole.said.text) - len(again.said.text)
    kept = times.last_word([span for span in whole.measures.times if span.kind != "duration"], whole.said.text)
    if kept is None or kept.start < gone or not whole.said.text.endswith(again.said.text):
        return again
    moved = replace(kept, start=kept.start - gone, end=kept.end - gone)
    others = [span for span in again.measures.times if span.end <= moved.start or moved.end <= span.start]
    return replace(again, measures=replace(again.measures, times=[moved, *others]))


def _numbers_of(text: str) -> str:
    """What of a text may be number or time."""
    return "".join(char for char in text if char in _NUMERIC)


def _alternatives(text: str) -> Iterator[Span]:
    """吃没吃, 约不约: a verb asked about, which turns nothing round."""
    for at in range(len(text) - 2):
        if text[at] == text[at + 2] and text[at + 1] in "没不" and text[at] not in "没不":
            yield Span(at, at + 3, "QUESTION", text[at:at + 3], 0.0, exact=True)
