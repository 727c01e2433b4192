"""Hypotheses of one utterance → act on a meaning, ask back between two, or keep still."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import get_args

from assistant.home import Household
from assistant.messages import Asking, Hypothesis, Judgement, Meaning, Slot
from assistant.understand import confidence, emergencies, times
from assistant.understand import guards as guarding
from assistant.understand import slots as filling
from assistant.understand.clauses import CUTS, Clause, clauses, part
from assistant.understand.evidence import Odds, learned
from assistant.understand.matcher import (
    Fit,
    Frames,
    Index,
    Lexicon,
    Span,
    Utterance,
    Word,
    fit,
    holds,
    survey,
)
from assistant.understand.phrasebook import Guard, Phrasebook, Template
from assistant.understand.sound import Ear, simplified, syllables

NEVER = 0.9
"""A must_not sentence that fits this well takes its intent out."""
LONGEST = 160
"""Syllables that are read; the slowest minute of an elder's speech has about as many. More is cut at both ends' cost."""
RAW = 2000
"""Characters looked at before anything is thrown away: 10 kB of junk must cost no more than a sentence."""

ACT = 0.62
"""Act from this score on; set on the examples and the damaged sentences of tests/bench/understanding.py."""
ASK = 0.46
"""Between this and ACT the reading is offered as a question."""
MARGIN = 0.05
"""The best reading must lead the next by this much."""
STRICT: Mapping[str, tuple[float, float]] = {
    "medication.taken": (0.74, 0.10),
    "emergency.cancel": (0.77, 0.12),
    "reminder.cancel": (0.68, 0.06),
    "booking.cancel": (0.68, 0.06),
    "privacy.forget": (0.66, 0.06),
    "emergency.call": (0.56, 0.0),
    "call.voice": (0.66, 0.05),
    "call.video": (0.66, 0.05),
    "medication.restock": (0.60, 0.05),
}
"""(score, margin) where a wrong reading is dearer, or a missed one is (emergency.call)."""

EASILY = {"control": 0.66, "info": 0.66, "chat": 0.85}
"""ACT of skills whose few common words are in much that is said to others: thanks and greetings most of all."""

OPPOSITES = (
    frozenset({"medication.taken", "medication.not_taken"}), frozenset({"medication.taken", "medication.skip"}),
    frozenset({"medication.taken", "medication.taking"}), frozenset({"medication.taken", "medication.unsure"}),
    frozenset({"medication.taken", "medication.query"}), frozenset({"medication.taken", "medication.snooze"}),
    frozenset({"emergency.call", "emergency.cancel"}), frozenset({"dialogue.yes", "dialogue.no"}),
    frozenset({"reminder.add", "reminder.cancel"}), frozenset({"booking.create", "booking.cancel"}),
)
"""When the decoders hear the two of a pair, nothing is done: it is asked."""
POLAR_PAIRS = frozenset(pair for pair in OPPOSITES if not pair & {"medication.unsure", "medication.query", "medication.taking", "medication.snooze"})
"""Those that one syllable divides."""
SAMPLED = 0.25
"""What a time or number of the grammar decoder weighs beside one of the free decoder: its grammar holds a sample of them, and it
writes the nearest (每周三下午两点 as 明天下午两点)."""
RIVAL = 0.5
"""A hypothesis with this share of the best score of its decoder may be the right one."""
_DOUBTED = re.compile(r"没有?[^没不]{0,3}(?:吃|服|喝|打|咽)[^没不]{0,3}过[^没不吗]{0,3}[了啦来]$")
"""没吃过药了: nobody says so, and the recogniser writes it for 我吃过药了 (SPEECH.md)."""
_ABOUT_A_DOSE = ("medication.taken", "medication.not_taken", "medication.skip", "medication.query")

_TURNED_AFTER = re.compile(r".{0,2}[不没别甭莫](?!方便|然|好意思|错|舒服|得劲|会|懂|动|了)")
"""Behind a clause it takes back what the clause says: 送餐的明天那份|别送了."""
_OF_NO = re.compile(r"cancel|skip|taken|forget|pause|control|emergency\.call|info|query|list|unsure|fraud|snooze")
"""Intents that say no themselves, or that a 不 behind them leaves as they are."""
_WHETHER = re.compile(r"[几吗么谁哪]|没有|多少|是不是")
_NEGATION = re.compile(r"[不没别甭莫勿]")

ANCHOR = 0.35
"""Words that anchor a phrase may sound this much otherwise."""
UNANCHORED = 0.75
"""What is left of a phrase that fits by its small words only; at best it is asked."""
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
WARY = frozenset({"medication.taken", "emergency.call", "emergency.cancel", "booking.cancel", "reminder.cancel", "privacy.forget"})
"""Intents that need such a border, and that what is said around the clause must not forbid."""
OF_A_CLAUSE: Mapping[str, tuple[str, ...]] = {
    "booking": ("{service}", filling.NEED), "call": ("{person}", "KIN"), "message": ("{person}", "KIN"), "diary": ("{number}", "QUESTION", "WHICH"),
}
"""What a clause must name to mean something of a skill."""
FAINT = 0.3
"""Below this score a phrase fits so little that the second opinion stands alone."""
ALONE = 0.9
"""From here on the second opinion alone acts; below it asks."""
AGAINST = 3.0
"""When by so much (log-odds) the whole sentence is rather not for 小伴 than meant so, no clause of it is."""
TRUSTED = 0.97
"""A phrase said word for word: the second opinion may doubt it, never stop it."""
LONE_ASKS = frozenset({"emergency.cancel", "reminder.cancel", "booking.cancel", "booking.change", "privacy.forget", "medication.taken", "message.send", "reminder.add"})
"""What evidence alone may offer, never do: deletions, and what needs slots it cannot see."""

CLEAR = 0.93
"""When a hypothesis is understood this well, the less likely ones are looked at for numbers and negation only."""
WELL, SAME = 0.8, 0.85
"""So are those of this likeness to one understood this well."""
AGREED = 0.6
"""Share of the votes a time, a number or a name needs where the hypotheses differ: nothing wrong is written down."""
COVERS = 0.7
"""Share of the longest hypothesis that one must cover to vote about a time or a number."""
VOTED = frozenset({"when", "day", "duration", "systolic", "diastolic", "value", *filling.NAMES})
"""Slots the hypotheses vote about."""
TRAILING = 0.4
"""A phrase so much worse than the best one decides nothing."""
LIKE_ENOUGH = 0.5
"""Gate (b) of the grammar decoder: likeness to a free hypothesis, three syllables and more (SPEECH.md)."""
LIKE_SHORT = 0.85
"""The same for one and two syllables: nearly the same sound."""
SAYABLE = 0.80
"""Gate (a): the grammar's text must itself be something one can say, at least with this score."""

SHORT_CRIES = frozenset({"救命", "来人", "救我"})
"""Cries so short that noise makes them: they count when repeated, in a longer sentence, or the same in both decodes."""

CORRECTION = re.compile(r"(?<![是要对])(?:啊不对|哦不对|噢不对|啊不|哦不|噢不|呃不|不对不对|不对|不是不是|不是(?!我?吃|很|太|没|因为|说)|说错了|我说错了|讲错了|错了|应该是)(?![起劲付头路啊吗])")
"""Where an elder takes a word back."""

_JUNK = re.compile(r"[^\u3400-\u9fff0-9.:：/%％]+")
_NUMBER = re.compile(r"\d+(?:[.:：]\d+)?")
_REPEATED = re.compile(r"([^零一二三四五六七八九十百千点两]{2,8}?)\1+")
_STUTTER = re.compile(r"([^零一二三四五六七八九十百千点两看听说试问聊])\1{2,}")

Reading = dict[str, Fit]


@dataclass(frozen=True, slots=True)
class Heard:
    """One hypothesis and everything found in it, for `explain`."""

    hypothesis: Hypothesis
    said: Utterance
    measures: filling.Measures
    guards: tuple[Guard, ...]
    fits: tuple[Fit, ...]
    """Best line of each intent, best first, after the guards."""
    trusted: float = 1.0
    """Factor of the two gates; 0 shut out."""
    parts: Mapping[str, Heard] = field(default_factory=dict)
    """Intents understood from a clause alone, with that clause."""

    def where(self, intent: str) -> Heard:
        """The clause that an intent stands in, or the whole."""
        return self.parts.get(intent, self)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a sentence was judged as it was. `str()` is for a terminal."""

    heard: tuple[Heard, ...]
    judgement: Judgement
    scores: tuple[tuple[str, float], ...] = ()
    """Intents with their combined scores, best first."""
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = []
        for one in self.heard:
            lines.append(f"听到（{one.hypothesis.source} {one.hypothesis.score:.2f}，信 {one.trusted:.2f}）：{one.said.text}")
            lines.append("  读音：" + " ".join(one.said.sounds))
            words = [f"{span.text}={span.concept}{f'~{span.cost:.2f}' if span.cost else ''}{'→' + span.value if span.value else ''}"
                     for span in one.said.spans if span.concept not in ("FILLER", "SOFT", "NEUTRAL")]
            lines.append("  词：" + "，".join(words))
            if one.guards:
                lines.append("  护栏：" + "，".join(guard.name for guard in one.guards))
            for candidate in one.fits[:6]:
                lines.append(f"  {candidate.score:.2f} {candidate.intent} ← {candidate.kind} “{candidate.by[:90]}”")
        lines.append("合计：" + "，".join(f"{intent} {score:.2f}" for intent, score in self.scores[:6]))
        lines += [f"  {reason}" for reason in self.reasons]
        meaning = self.judgement.meaning
        if meaning is not None:
            lines.append(f"决定：{meaning.intent} {dict(meaning.slots)}（{meaning.score:.2f}）")
        elif self.judgement.nearest:
            lines.append("决定：问一问，" + " 还是 ".join(f"{near.intent} {dict(near.slots)}" for near in self.judgement.nearest))
        else:
            lines.append("决定：不动")
        return "\n".join(lines)


@dataclass(slots=True)
class _Thought:
    """What is known on the way to a judgement."""

    heard: list[Heard]
    now: datetime
    """Naive local time."""
    scores: dict[str, float] = field(default_factory=dict)
    source: dict[str, Heard] = field(default_factory=dict)
    """Which hypothesis an intent's slots are read from."""
    reasons: list[str] = field(default_factory=list)
    opposed: tuple[str, ...] = ()
    """The two opposites the decoders heard."""
    agreed: str = ""
    """The intent that every good hypothesis puts first."""


class Understander:
    """The understanding of one household; made anew when the family's file changes (about 0.3 s)."""

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
        self._looks = filling.looks(household, phrasebook)
        self._lexicon = Lexicon(words, self.ear)
        self._frames = Frames(phrasebook.frames)
        never = [Template(say, "!" + intent, tuple(hanzi), tuple((n - 1,) for n in range(len(hanzi))), (len(hanzi) - 1,))
                 for intent, say in phrasebook.must_not if (hanzi := _hanzi(say))]
        self._index = Index((*phrasebook.templates, *never), self.ear)
        self._wake = tuple(sorted({_hanzi(word) for word in household.wake_words} | {"小伴小伴", "小伴"}, key=len, reverse=True))
        self._bans = {intent: frozenset().union(*(frame.bans for frame in phrasebook.frames if frame.intent == intent)) for intent in WARY}
        self._place = {intent: place for place, intent in enumerate(dict.fromkeys(
            (*(line.intent for line in phrasebook.templates), *(line.intent for line in phrasebook.frames))))}
        self._asked_intents = {
            asking: frozenset(line.intent for line in phrasebook.templates if line.asking == asking)
            | frozenset(line.intent for line in phrasebook.frames if line.asking == asking)
            for asking in get_args(Asking)
        }

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
        thought = _Thought(self._hear(hypotheses, now, asking or ""), now.replace(tzinfo=None))
        self._combine(thought, asking)
        judgement = _told_honestly(self._decide(thought, now, asking, options))
        return Explanation(
            tuple(thought.heard), judgement,
            tuple(sorted(thought.scores.items(), key=lambda row: -row[1])), tuple(thought.reasons),
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
        text = _STUTTER.sub(r"\1", _REPEATED.sub(r"\1", self._prepare(text)))
        return self._read(text, syllables(text), now)[0]

    # --- hearing ---

    def _read(self, text: str, sounds: tuple[str, ...], now: datetime) -> tuple[Utterance, filling.Measures, list[Span]]:
        """The survey of prepared text, its measures, and all spans found."""
        found = filling.measures(text, now, self.household.care)
        spans = [*self._spans(text, sounds, found), *_alternatives(text)]
        said = survey(text, sounds, (span for span in spans if span.concept not in CUTS), self.ear.polar, self.book.through)
        return said, found, spans

    def _spans(self, text: str, sounds: tuple[str, ...], found: filling.Measures) -> list[Span]:
        """Words, times and numbers, and medicines by their looks."""
        return [*self._lexicon.find(text, sounds), *filling.measure_spans(text, found), *self._looks.find(text)]

    def _hear(self, hypotheses: Sequence[Hypothesis], now: datetime, asking: str) -> list[Heard]:
        heard: list[Heard] = []
        surveyed: dict[str, Heard] = {}
        seen: set[tuple[str, str]] = set()
        strongest: dict[str, float] = {}
        for hypothesis in hypotheses[:8]:
            strongest[hypothesis.source] = max(strongest.get(hypothesis.source, 0.0), hypothesis.score)
        for hypothesis in hypotheses[:8]:
            rival = hypothesis.score >= RIVAL * strongest[hypothesis.source]
            text = self._prepare(hypothesis.text)
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
        text = _mended(text, sounds, self._spans(text, sounds, found))
        found = filling.measures(text, now, self.household.care)
        said = survey(text, sounds, self._spans(text, sounds, found), self.ear.polar, self.book.through)
        _take_back(said, found)
        return Heard(hypothesis, said, found, like.guards, tuple(replace(one, score=one.score * 0.98) for one in like.fits))

    def _prepare(self, text: str) -> str:
        """Characters only: simplified, numbers in words, without wake word and repetition, bounded."""
        text = text[:RAW].replace("[unk]", "").replace("<unk>", "")
        text = _NUMBER.sub(lambda found: _in_words(found[0]), simplified(text))
        text = _hanzi(text)
        if len(text) > LONGEST:
            text = text[:LONGEST // 2] + text[-LONGEST // 2:]
        for wake in self._wake:
            while text.startswith(wake) and len(text) > len(wake):
                text = text[len(wake):]
        return text

    def _survey(self, hypothesis: Hypothesis, text: str, now: datetime, asking: str, parted: bool = True) -> Heard:
        """The utterance without its repetitions; as it stands where that is understood better (行了行了, 谢谢谢谢)."""
        once = _STUTTER.sub(r"\1", _REPEATED.sub(r"\1", text))
        short = self._survey_once(hypothesis, once, now, asking, parted)
        if once == text or (short.fits and short.fits[0].score >= 0.85):
            return short
        whole = self._survey_once(hypothesis, text, now, asking, parted)
        return max(short, whole, key=lambda one: one.fits[0].score if one.fits else 0.0)

    def _survey_once(self, hypothesis: Hypothesis, text: str, now: datetime, asking: str, parted: bool = True) -> Heard:
        said, found, spans = self._read(text, syllables(text), now)
        if (mended := _mended(text, said.sounds, spans)) != text:
            return self._survey_once(hypothesis, mended, now, asking, parted)
        _take_back(said, found)
        fits, fired, never = self._fits(said, asking)
        whole = Heard(hypothesis, said, found, fired, tuple(fits))
        if (restart := _restart(text)) and (not fits or fits[0].score < 0.9):
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
        opinion = self._opinion(whole.said)
        for clause in clauses(whole.said, raw, self._index.edges(whole.said)):
            text = whole.said.text[clause.start:clause.end]
            spans = (span for span in part(raw, clause) if span.concept not in CUTS)
            said = survey(text, whole.said.sounds[clause.start:clause.end], spans, self.ear.polar, self.book.through)
            measured = whole.measures.times or whole.measures.numbers
            found = filling.measures(text, now, self.household.care) if measured else filling.Measures()
            _take_back(said, found)
            fits, fired, _ = self._fits(said, asking, CLAUSE - 0.1, frozenset(known))
            here = Heard(whole.hypothesis, said, found, fired, tuple(fits))
            for one in fits:
                if (known and one.intent not in known) or one.intent in never or not self._asks(one, here, clause, whole):
                    continue
                score = one.score * clause.belief
                if opinion.against(one.intent) > AGAINST:
                    if one.intent != "emergency.call":
                        continue
                    score = min(score, STRICT[one.intent][0] - 0.02)
                if one.intent == "medication.taken" and not asking:
                    score = min(score, STRICT[one.intent][0] - 0.02)  # nobody asked, and the rest may say otherwise: it is asked
                if score > best.get(one.intent, _NOTHING).score:
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
        if one.intent == "diary.record" and not {"value", "systolic"} & filling.fill(one.intent, here.said, here.measures, self._values(one.intent, here.said)).slots.keys():
            return False
        if skill in EASILY:
            return one.score * clause.belief >= CLEARLY
        return one.score >= (CLAUSE if heard_apart and one.intent != "emergency.call" else CLEARLY if heard_apart else SURELY)

    def _fits(
        self, said: Utterance, asking: str, floor: float = 0.0, only: frozenset[str] = frozenset(),
    ) -> tuple[list[Fit], tuple[Guard, ...], Mapping[str, float]]:
        """Best line of each intent, the guards that fire, and how near must_not sentences are.

        Phrases worth less than `floor` are not looked for, nor, where `only` names some, those of other intents.
        """
        by_frame: Reading = {}
        for frame in self._frames.candidates(said, asking):
            skill = frame.intent.split(".")[0]
            one = fit(frame, said, filling.ALSO_EXPLAINED.get(skill, frozenset()), frame.intent in filling.LOOSE)
            if one is not None and one.score > by_frame.get(frame.intent, _NOTHING).score:
                by_frame[frame.intent] = replace(one, kind="asked" if frame.asking else "frame")
        by_phrase: Reading = {}
        never: dict[str, float] = {}
        opinion = self._opinion(said)
        doubtful: set[str] = set()
        limits = self._index.limits(said)
        top = floor + TRAILING
        strange = not any(span.cost < 0.5 for span in said.concepts.get("{medicine}", ()))
        for number in self._index.candidates(said, asking):
            template = self._index.templates[number]
            forbids = template.intent[0] == "!"
            if only and template.intent.lstrip("!") not in only:
                continue
            known = never.get(template.intent[1:], NEVER) if forbids else by_phrase.get(template.intent, _NOTHING).score
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
                by_phrase[template.intent] = Fit(template.intent, score, template.text, (), "asked" if template.asking else "phrase")
        fired = guarding.fired(self.book.guards, said)
        fits = []
        for intent in {*by_frame, *by_phrase}:
            best = max((by_frame.get(intent, _NOTHING), by_phrase.get(intent, _NOTHING)), key=lambda one: one.score)
            other = min(by_frame.get(intent, _NOTHING).score, by_phrase.get(intent, _NOTHING).score)
            score = 1.0 - (1.0 - best.score) * (1.0 - 0.2 * other)
            if never.get(intent, 0.0) >= max(NEVER, best.score - 0.02):
                continue
            answered = best.kind == "asked" and by_phrase.get(intent, _NOTHING).score >= 0.88
            plainly = answered or (intent not in WARY and opinion.plainly(intent))
            if guarding.stopped(intent, fired) and not plainly:
                continue
            ceiling = 1.0
            if guarding.weakened(intent, fired) and not plainly:
                ceiling = self._acts(intent)[0] - 0.02
            if best.kind == "phrase" and (best.by in doubtful or (not asking and not self._anchored(intent, said))):
                score *= 1.0 if best.by in doubtful else UNANCHORED
                ceiling = min(ceiling, self._acts(intent)[0] - 0.02)
            if intent == "medication.taken" and (said.hidden or (len(said.text) >= LONG and opinion.against(intent) > AGAINST)):
                ceiling = min(ceiling, STRICT[intent][0] - 0.02)
            if score >= FAINT:
                answers = best.kind == "asked" or intent in self._asked_intents.get(asking, ())
                score = self._second(intent, score, opinion.judged(intent, score), answers)
            fits.append(replace(best, score=min(1.0, score, ceiling)))
        lone = self._lone(opinion, said, fired, never, {one.intent for one in fits if one.score >= FAINT})
        if lone is not None and not asking:
            fits = [*(one for one in fits if one.intent != lone.intent), lone]
        answer, sure = opinion.answer()
        if answer in self._asked_intents.get(asking, frozenset()) and all(one.score < ASK for one in fits):
            fits.append(Fit(answer, sure, "整句像是", (), "evidence"))
        fits.sort(key=lambda one: -one.score)
        return fits, fired, never

    @staticmethod
    def _acts(intent: str) -> tuple[float, float]:
        """Score and lead from which an intent acts."""
        return STRICT.get(intent, (EASILY.get(intent.split(".")[0], ACT), MARGIN))

    @staticmethod
    def _second(intent: str, score: float, both: float, answers: bool) -> float:
        """The score after the second opinion: an answer to the open question is never doubted by it, and a dear one not helped."""
        if answers:
            return score if intent in STRICT else max(score, both)
        if score >= TRUSTED:
            return max(both, Understander._acts(intent)[0])
        return max(both, ASK) if intent == "emergency.call" and score >= ACT else both

    @staticmethod
    def _lone(
        opinion: Odds, said: Utterance, fired: tuple[Guard, ...], never: Mapping[str, float], known: set[str],
    ) -> Fit | None:
        """A reading that no phrase speaks for, only the second opinion: 没听着再讲一遍. Where it is dear it is asked about."""
        intent = opinion.top
        plainly = intent not in WARY and opinion.plainly(intent)
        if not intent or intent in known or (guarding.stopped(intent, fired) and not plainly) or intent in never or said.taken_back:
            return None
        score = opinion.alone(intent)
        if said.hidden or (guarding.weakened(intent, fired) and not plainly) or intent in LONE_ASKS or score < ALONE:
            score = min(score, STRICT.get(intent, (ACT,))[0] - 0.02)
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

    # --- deciding ---

    def _combine(self, thought: _Thought, asking: str | None) -> None:
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
        known = [one for one in thought.heard if one.trusted and one.fits]
        for one in thought.heard:
            if one.trusted and _DOUBTED.search(one.said.text) and (not one.fits or one.fits[0].intent in _ABOUT_A_DOSE):
                thought.reasons.append("没…过…了：没 也许是 我")
                thought.opposed = ("medication.taken", "medication.not_taken")
                for intent in thought.opposed:
                    thought.scores[intent] = max(thought.scores.get(intent, 0.0), ASK)
                    thought.source.setdefault(intent, one)
                return
        strongest: dict[str, float] = {}
        for one in known:
            strongest[one.hypothesis.source] = max(strongest.get(one.hypothesis.source, 1e-6), one.hypothesis.score)
        good = [one for one in known if one.hypothesis.score >= RIVAL * strongest[one.hypothesis.source] and one.fits[0].score * one.trusted >= ACT]
        if len(tops := {one.fits[0].intent for one in good}) == 1:
            thought.agreed = tops.pop()
        for one in good:
            for other in good:
                pair = (one.fits[0].intent, other.fits[0].intent)
                if frozenset(pair) in POLAR_PAIRS and not thought.opposed:
                    thought.reasons.append(f"听写相反：{pair[0]}、{pair[1]}")
                    thought.opposed = pair
        if free and held and not thought.opposed:
            top_free = max(free, key=lambda intent: free[intent])
            top_held = max(held, key=lambda intent: held[intent])
            if frozenset((top_free, top_held)) in OPPOSITES and min(free[top_free], held[top_held]) > 0.4:
                thought.reasons.append(f"两次听写相反：{top_free}、{top_held}")
                thought.opposed = (top_free, top_held)

    def _veto(self, thought: _Thought, free: Mapping[str, float]) -> None:
        """The grammar decoder cannot write what is not in it: 别 before 给我女儿打电话, 以前, 恩人 after 救命.

        So what only it has understood is stopped by the guards of the likeliest free text, and a reading without any negation
        is at best asked back where that text has one.
        """
        top = max((one for one in thought.heard if one.hypothesis.source == "free"), key=lambda one: one.hypothesis.score, default=None)
        if top is None:
            return
        denied = _NEGATION.search(top.said.text) is not None
        for intent, source in list(thought.source.items()):
            if source.hypothesis.source != "grammar" or free.get(intent, 0.0) >= ASK:
                continue
            if guarding.stopped(intent, top.guards):
                thought.reasons.append(f"自由听写里的护栏不许：{intent}")
                thought.scores.pop(intent, None)
            elif denied and intent != "emergency.call" and not _NEGATION.search(source.said.text):
                thought.reasons.append(f"自由听写里有否定：{intent} 只能问")
                thought.scores[intent] = min(thought.scores.get(intent, 0.0), ASK)

    def _decide(self, thought: _Thought, now: datetime, asking: Asking | None, options: tuple[str, ...]) -> Judgement:
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
        act, margin = self._acts(best)
        if best.startswith("chat.") and any(_hanzi(one.hypothesis.text[:12]).startswith(self._wake) for one in thought.heard):
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

    def _lone_cry(self, thought: _Thought) -> bool:
        """Whether all there is of an emergency is one short cry that only the grammar heard."""
        said = [one for one in thought.heard if one.trusted > 0 and any(f.intent == "emergency.call" for f in one.fits)]
        return bool(said) and all(
            one.hypothesis.source == "grammar" and one.said.text.rstrip("啊呀哪呐") in SHORT_CRIES for one in said
        ) and not any(_HELP_TWICE.search(_hanzi(one.hypothesis.text)) for one in said)

    def _meaning(self, intent: str, thought: _Thought) -> tuple[Meaning, tuple[Meaning, ...]]:
        """The meaning with its slots; and, where two values of a slot fit, one meaning for each."""
        one = thought.source[intent]
        values = self._values(intent, one.said)
        filled = filling.fill(intent, one.said, one.measures, values)
        slots: dict[str, Slot] = dict(filled.slots)
        if (whole := next((other for other in thought.heard if other.parts.get(intent) is one), None)) is not None:
            around = filling.fill(intent, whole.said, whole.measures, self._values(intent, whole.said)).slots
            for slot, value in around.items():
                if slot not in slots and slot not in filling.NAMES and not (isinstance(value, datetime) and value < thought.now):
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
        if "service" in missing and "service" not in slots and intent == "booking.create":
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

    def _vote(self, intent: str, thought: _Thought, slots: dict[str, Slot]) -> dict[str, tuple[str, ...]]:
        """Settles `slots` where the hypotheses differ: the value most of the belief stands behind, or none.

        A hypothesis weighs by its decoder's score, the trust in it, how well it is understood and how much of what was said it
        covers. Names without a majority are returned for asking; a time without one is left out, for the skill to ask.
        """
        if sum(one.trusted > 0 for one in thought.heard) < 2:
            return {}
        best: dict[str, float] = {}
        longest = max(len(one.said.text) for one in thought.heard)
        for one in thought.heard:
            best[one.hypothesis.source] = max(best.get(one.hypothesis.source, 1e-6), one.hypothesis.score)
        votes: dict[str, list[tuple[Slot, float]]] = {}
        for one in thought.heard:
            fitting = max((fit.score for fit in one.fits if fit.intent == intent), default=0.0)
            if not one.trusted or fitting < ASK:
                continue
            covers = len(one.said.text) / longest * (1.0 if one.hypothesis.whole else 0.5)
            weight = max(0.0, one.hypothesis.score) / best[one.hypothesis.source] * one.trusted * fitting * covers
            read = one.where(intent)
            filled = filling.fill(intent, read.said, read.measures, self._values(intent, read.said))
            sampled = one.hypothesis.source == "grammar" and any(other.hypothesis.source == "free" and other.trusted for other in thought.heard)
            for slot, value in filled.slots.items():
                # A decoder that caught only the end (十点找个人) knows nothing of 明天上午 before it.
                if slot in VOTED and (covers >= COVERS or slot in filling.NAMES or slot not in slots):
                    votes.setdefault(slot, []).append((value, weight * (SAMPLED if sampled and slot not in filling.NAMES else 1.0)))
        if intent == "medication.taken" and self._doubtful(intent, thought, slots.get("medicine")):
            slots.pop("medicine", None)  # which one is asked, or is the one that is due: never another one written down as taken
            votes.pop("medicine", None)
        split: dict[str, tuple[str, ...]] = {}
        for slot, cast in votes.items():
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

    def _doubtful(self, intent: str, thought: _Thought, value: Slot | None) -> bool:
        """Whether a likely free hypothesis that understood the same intent heard nothing of this medicine."""
        free = [one for one in thought.heard if one.hypothesis.source == "free" and any(f.intent == intent and f.score >= ASK for f in one.fits)]
        if not free and any(one.hypothesis.source == "free" for one in thought.heard):
            return value is not None  # the grammar alone named it, and it writes the nearest name it knows
        likely = [one for one in free if one.hypothesis.score >= RIVAL * max(other.hypothesis.score for other in free)]
        return value is not None and any(
            filling.fill(intent, one.said, one.measures, self._values(intent, one.said)).slots.get("medicine") != value for one in likely
        )

    def _values(self, intent: str, said: Utterance) -> dict[str, str]:
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

    def _needed(self, said: Utterance) -> dict[str, Slot]:
        """The service of this home that a need stands for when nobody names one: 龙头关不严 → whoever repairs."""
        for names, frames in self.book.needs.get("service", ()):
            if any(holds(frame, said, 0.2) is not None for frame in frames):
                for name in names:
                    for service in self.household.services:
                        if any(name in own for own in (service.name, *service.aka)):
                            return {"service": service.name}
        return {}

    @staticmethod
    def _agree_on_kind(slots: dict[str, Slot], values: Mapping[str, str], thought: _Thought) -> None:
        """What happened is read from characters; where those are misheard, the kind found by sound holds if any hypothesis writes it."""
        by_sound = values.get("kind", "")
        if by_sound and slots.get("kind") != by_sound and any(
            emergencies.kind(one.said.text) == by_sound for one in thought.heard if one.trusted and one.fits
        ):
            slots["kind"] = by_sound

    def _grade(self, said: Utterance) -> str:
        for grade, frames in self.book.grades.get("emergency.call", ()):
            if any(holds(frame, said) is not None for frame in frames):
                return grade
        return "unsure"

    # --- open questions ---

    def _answer(
        self, thought: _Thought, now: datetime, asking: Asking, options: tuple[str, ...]
    ) -> Judgement | None:
        """The question's own grammar first; None: not an answer, judge it as anything else."""
        scores = thought.scores
        alarm = scores.get("emergency.call", 0.0)
        mine = [intent for intent in scores if intent in self._asked_intents[asking]]
        best = max(mine, key=lambda intent: scores[intent], default=None)
        other = max((scores[intent] for intent in scores if intent not in mine), default=0.0)
        if asking == "emergency":
            for intent in [intent for intent in scores if intent not in mine and intent.split(".")[0] not in ("emergency", "dialogue")]:
                del scores[intent]
        if asking != "emergency" and alarm >= 0.8 and (best is None or scores[best] < 0.97):
            return None
        if best is not None and best != "emergency.cancel":
            answered = any(f.intent == best and f.kind == "asked" for one in thought.heard for f in one.fits)
            if answered and scores[best] >= ACT and scores[best] + 0.2 >= other:
                for intent in [intent for intent in scores if intent not in mine and scores[intent] < scores[best] + 0.2]:
                    scores[intent] = min(scores[intent], scores[best] - 0.15)
        closed = _CLOSED.get(asking)
        if closed is None:
            return None
        return closed(self, thought, now, options)

    def _which(self, thought: _Thought, now: datetime, options: tuple[str, ...]) -> Judgement | None:
        """第一个, a name of one of the options, or anything else."""
        for one in thought.heard:
            if one.trusted == 0:
                continue
            chosen = self._option(one, options)
            if chosen:
                return Judgement(Meaning("dialogue.which", {"which": chosen}, 0.95, one.said.text))
        return None

    def _option(self, one: Heard, options: tuple[str, ...]) -> str:
        text = one.said.text
        for pattern, place in _ORDINALS:
            if pattern.search(text) and -len(options) <= place < len(options):
                return options[place]
        names = [span for kind in filling.NAMES for span in one.said.concepts.get("{" + kind + "}", ()) if span.value in options]
        values = {span.value for span in names if span.cost < 0.45}
        if len(values) == 1:
            return values.pop()
        near = [(self.ear.edit(syllables(option), _window(one.said.sounds, syllables(option), self.ear)) / max(1, len(_hanzi(option))), option)
                for option in options if _hanzi(option)]
        near.sort()
        if near and near[0][0] <= 0.34 and (len(near) == 1 or near[1][0] - near[0][0] > 0.1):
            return near[0][1]
        pieces = {option: _common(text, _hanzi(option)) for option in options}
        best = sorted(options, key=lambda option: -pieces[option])
        if best and pieces[best[0]] >= 2 and (len(best) == 1 or pieces[best[0]] > pieces[best[1]]):
            return best[0]
        return ""

    def _when(self, thought: _Thought, now: datetime, options: tuple[str, ...]) -> Judgement | None:
        for one in thought.heard:
            if one.trusted == 0:
                continue
            span = times.last_word([found for found in one.measures.times if found.kind != "duration"], one.said.text)
            length = None
            if span is None:
                span = times.last_word(one.measures.times, one.said.text)
                length = span.value if span else None
            if span is not None and _strong_other(thought, one) < 0.93:
                slots: dict[str, Slot] = {"duration": length} if length is not None else {"when": span.value}
                return Judgement(Meaning("dialogue.when", slots, 0.95, one.said.text))
        return None

    def _evidence(self, thought: _Thought, now: datetime, options: tuple[str, ...]) -> Judgement | None:
        for one in thought.heard:
            if one.trusted == 0:
                continue
            for pattern, intent in _EVIDENCE:
                if pattern.search(one.said.text):
                    return Judgement(Meaning(intent, {}, 0.95, one.said.text))
        return None

    def _text(self, thought: _Thought, now: datetime, options: tuple[str, ...]) -> Judgement | None:
        if thought.scores.get("emergency.call", 0.0) >= 0.8:
            return None
        free = [one for one in thought.heard if one.hypothesis.source != "grammar"]
        if not free:
            return None
        text = _told(free[0].hypothesis.text)
        return Judgement(Meaning("dialogue.text", {"message": text}, 0.9, text)) if text else None


_NOTHING = Fit("", 0.0, "")
_HELP_TWICE = re.compile(r"(救命|来人|救我).{0,3}\1")
_ORDINALS = (
    (re.compile(r"第一|头一|前一个|前面那|上面那"), 0), (re.compile(r"第二|后一个|后面那|下面那"), 1), (re.compile(r"第三"), 2),
    (re.compile(r"第四"), 3), (re.compile(r"第五"), 4), (re.compile(r"最后"), -1),
)
_EVIDENCE = (
    (re.compile(r"啥也没|什么也没|啥都没|什么都没"), "dialogue.empty"),
    (re.compile(r"(?:还|都|就)?在(?:里|那|呢|这|的|格|$)|有药|还有(?!没)|(?<!没)有一[片粒颗]|没空|不空|没动|满的|没少|有[呢啊的]*$|没吃|还没拿|一片没少|好好的|剩着"), "dialogue.full"),
    (re.compile(r"空了|空的|没药|没有了|没了|空|没有|吃掉了|不在了|光了|没得|啥也没|什么也没|少了一|没见着|没看[到见]|没瞧见|没见到"), "dialogue.empty"),
)
_CLOSED = {
    "which": Understander._which, "when": Understander._when, "evidence": Understander._evidence, "text": Understander._text,
}


def _told_honestly(judgement: Judgement) -> Judgement:
    """The same with the share of such judgements that are right in place of the scores that led to it."""
    def told(meaning: Meaning, acted: bool) -> Meaning:
        return replace(meaning, score=round(confidence.share(acted, meaning.intent, meaning.score), 3))

    acted = judgement.meaning
    return Judgement(told(acted, True) if acted else None, tuple(told(near, False) for near in judgement.nearest))


def _hanzi(text: str) -> str:
    return "".join(char for char in text if "\u3400" <= char <= "\u9fff")


def _in_words(number: str) -> str:
    """Digits as one says them: 10:30 → 十点三十, 6.3 → 六点三, 140 → 一百四十."""
    head, mark, tail = re.match(r"(\d+)([.:：]?)(\d*)", number).groups()  # type: ignore[union-attr]
    if mark == ".":
        return _whole(head) + "点" + "".join(_DIGITS[int(digit)] for digit in tail)
    if mark:
        return _whole(head) + "点" + ("" if int(tail) == 0 else ("零" if int(tail) < 10 else "") + _whole(tail))
    return _whole(head)


_DIGITS = "零一二三四五六七八九"


def _whole(digits: str) -> str:
    value = int(digits)
    if len(digits) > 4 or (len(digits) > 1 and digits[0] == "0"):
        return "".join(_DIGITS[int(digit)] for digit in digits[:20])
    text, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit:
            text += ("零" if zero else "") + ("" if digit == 1 and unit == 10 and not text else _DIGITS[digit]) + name
            zero = False
        elif text:
            zero = True
    return text or "零"


def _take_back(said: Utterance, found: filling.Measures) -> None:
    """After 不对 and the like the earlier word of the same kind no longer counts: its syllables weigh nothing."""
    for mark in CORRECTION.finditer(said.text):
        after = [span for span in said.spans if mark.end() <= span.start <= mark.end() + 4 and span.concept[0] == "{"]
        for span in after:
            before = [old for old in said.spans if old.concept == span.concept and old.end <= mark.start()]
            if not before:
                continue
            if span.concept == "{person}" and mark[0] == "不是":
                break  # 给强子打不是给敏敏: taken back or denied, so slots.py asks
            last = max(before, key=lambda old: (old.end, old.end - old.start))
            measured = span.concept in ("{when}", "{day}", "{duration}", "{number}")
            places = [(mark.start(), span.start)] if measured else [(last.start, last.end), (mark.start(), span.start)]
            gone = [old for old in said.spans if any(start <= old.start and old.end <= end for start, end in places)]
            said.taken_back.append((last.start, span.start) if measured else (last.start, last.end))
            for old in gone:
                said.spans.remove(old)
                said.concepts[old.concept] = [kept for kept in said.concepts.get(old.concept, []) if kept is not old]
                if not said.concepts[old.concept]:
                    del said.concepts[old.concept]
                if old in said.turning:
                    said.turning.remove(old)
            dead = {at for start, end in (*places, *said.taken_back) for at in range(start, end)}
            for at in dead:
                said.weights[at] = 0.02
            said.hidden = said.hidden - dead
            break


def _restart(text: str) -> str:
    """What is said after the speaker takes back everything: at least four syllables. 我不是心疼 takes nothing back."""
    marks = [mark for mark in CORRECTION.finditer(text) if not (mark[0] == "不是" and text[:mark.start()][-1:] in _SUBJECTS)]
    return text[marks[-1].end():] if marks and len(text) - marks[-1].end() >= 4 else ""


_SUBJECTS = ("", *"我俺咱你您他她它这那也可又都就还并倒人")
"""Before 不是 these make it a denial, no correction."""


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


def _mended(text: str, sounds: Sequence[str], spans: Sequence[Span]) -> str:
    """不对 by sound: 九点部队十点 is a correction, for two values of one slot stand beside it."""
    for at in range(1, len(text) - 2):
        if sounds[at:at + 2] != ("bu", "dui") or text[at:at + 2] == "不对":
            continue
        before = {_VALUE_OF.get(span.concept, span.concept) for span in spans if span.concept[0] == "{" and at - 3 <= span.end <= at}
        after = {_VALUE_OF.get(span.concept, span.concept) for span in spans if span.concept[0] == "{" and at + 2 <= span.start <= at + 4}
        if before & after or ("{when}" in before and "dian" in sounds[at + 3:at + 5]):
            text = text[:at] + "不对" + text[at + 2:]
    return text


def _numbers_of(text: str) -> str:
    """What of a text may be number or time."""
    return "".join(char for char in text if char in _NUMERIC)


_NUMERIC = frozenset("零一二三四五六七八九十百千两俩仨半刻点分秒号月周拜期天日明后昨今早晚上中下午夜每隔")

_VALUE_OF = {"{day}": "{when}", "{duration}": "{when}"}


def _alternatives(text: str) -> Iterator[Span]:
    """吃没吃, 约不约: a verb asked about, which turns nothing round."""
    for at in range(len(text) - 2):
        if text[at] == text[at + 2] and text[at + 1] in "没不" and text[at] not in "没不":
            yield Span(at, at + 3, "QUESTION", text[at:at + 3], 0.0, exact=True)


def _strong_other(thought: _Thought, one: Heard) -> float:
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


def _told(text: str) -> str:
    """Free words as they were heard, without fillers at the ends; bounded."""
    return filling.clean(_hanzi(_NUMBER.sub(lambda found: _in_words(found[0]), simplified(text[:RAW])))[:200])


