"""The wake word and cries for help, found in everything that is said by a tiny grammar that always listens.

A grammar hears its few phrases everywhere (任命 → 救命 at confidence 1.0), so what it finds is only a suspicion. The
piece of sound it points at is decoded again, freely and by the grammar, and counts when (a) the grammar's words are
exactly something one can say, (b) they sound like what the free decoder wrote, and (c) the grammar explains the sound
nearly as well as the free decoder does. A grammar costs 0.03 × real time; the second look is rare.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from assistant.listen.frames import RATE
from assistant.listen.gate import Ended, Rules, Speech, gate
from assistant.listen.grammar import cut
from assistant.listen.recognizer import UNKNOWN, Decoder, Decoders, Model
from assistant.messages import Hypothesis
from assistant.understand.sound import syllables

IDLE: Final = Rules(patience=0.5, complete=0.5, unfinished=1.2, longest=8.0)
"""When nobody was asked anything: a wake word is answered half a second after it; television is cut into pieces."""

_OVERLAP: Final = 2.0
"""Seconds of a piece that was cut which the next begins with: a wake word (1.2 s) must be whole in one of them."""
_MARGIN: Final = 0.25
"""Seconds of sound left and right of the words that are looked at again."""
_SURE: Final = 0.05
"""Least grammar score at the second look; set by hand, see `recognizer.explained` for what it stands on."""
_BELIEVED: Final = 0.35
"""Least grammar score of a whole piece that is believed without a second look; less is judged with the readings it came with. Of short talk at home
three lines had 0.20 to 0.27, of cries heard at 0.5 at most one that was lost had 0.29, the others 0.36 and more (tests/bench/distress.py)."""
_ALIKE: Final = 0.5
"""Least likeness in sound for three syllables and more (0 false accepts in 3.1 h of speech and noise)."""
_ALIKE_SHORT: Final = 0.9
"""For one and two: practically the same."""
_EDGE: Final = 2
"""Characters the margins around a wake word may give. Set after 15 of 24 wake words followed by or run into a command
were missed with none allowed; the 24 of 24 since then are the same clips, so no proof."""
_ADDRESSED: Final = 0.75
"""Likeness of a wake word at the beginning of what is said to us anyway (小贝小贝 0.75, 小米小米 0.5)."""
_CALLABLE: Final = 3
"""Syllables a wake word must have to be taken off by likeness; a shorter one is like too much."""
_PARTICLES: Final = re.compile(r"[啊呀哪呢吧哦哎嗯了]")
_INITIAL: Final = re.compile(r"zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?")


@dataclass(frozen=True, slots=True)
class Spotted:
    """The wake word or a cry for help was said."""

    kind: Literal["wake", "distress"]
    text: str
    """Characters, as one can say them: 救命救命."""
    at: float
    """Where it begins, in seconds of sound since the spotter was made."""
    until: float
    """Where it ends."""
    sure: bool = True
    """False: a bare 救命 that only the grammar wrote. Ask; do not alarm."""
    rest: bytes = field(default=b"", repr=False, compare=False)
    """The sound after it, to the end of the piece: a command, perhaps."""


class Spotter:
    """Sound of one piece of speech after another → what of it was meant for us. Lives in one thread.

    `second` is the pair of decoders for the second look; it must be idle when `finish` is called.
    """

    def __init__(
        self, model: Model, wake_words: Sequence[str], distress: Sequence[str], second: Decoders
    ) -> None:
        self._kinds: dict[str, Literal["wake", "distress"]] = {}
        phrases: list[str] = []
        for words, kind in ((distress, "distress"), (wake_words, "wake")):
            for word in words:
                pieces, _ = cut(word, model.knows)
                if pieces:
                    # 小伴 is not in the vocabulary; as 小 伴 it was heard 24 times of 24, as 小半 小班 小曼 no better.
                    self._kinds["".join(pieces)] = "wake" if kind == "wake" else "distress"
                    phrases.append(" ".join(pieces))
        self._phrases = tuple(phrases)
        self.wake_words = tuple(wake_words)
        self._decoder: Decoder = model.held_to(phrases, timed=True)
        self._second = second
        self._sound = bytearray()
        self._carried = 0.0
        self._until = -1.0

    def spot(self, frames: Iterable[bytes], rules: Rules = IDLE) -> Iterator[Spotted]:
        """All that is spotted in a clip or a microphone; times count from its beginning."""
        self._until = -1.0
        for piece in gate(frames, rules, self.finished):
            match piece:
                case Speech(sound):
                    self.accept(sound)
                case Ended():
                    yield from self.finish(cut=piece.cut, at=piece.at - rules.padding)

    def accept(self, sound: bytes) -> None:
        """More of the piece that is being said."""
        self._sound += sound
        self._decoder.accept(sound)

    def finished(self) -> bool | None:
        """For the gate: a wake word with more after it is the beginning of a command, so wait for its end."""
        words = self._decoder.partial()
        found = self._runs(words)
        return not (found and found[-1][1] < len(words) and self._kind("".join(words[slice(*found[-1])])) == "wake")

    def finish(self, *, cut: bool = False, at: float = 0.0) -> tuple[Spotted, ...]:
        """The piece is over; with `cut` it is not, and the next begins with its last two seconds.

        `at` is where the sound given since the last `finish` begins.
        """
        sound = bytes(self._sound)
        at -= self._carried
        found: list[Spotted] = []
        readings = self._decoder.finish()
        if readings:
            best = readings[0]
            for start, stop in self._runs(best.words):
                text = "".join(best.words[start:stop])
                begin, end = best.spans[start][0], best.spans[stop - 1][1]
                verdict = self._look_again(_slice(sound, begin - _MARGIN, end + _MARGIN), text)
                if verdict is not None and at + begin > self._until:
                    rest = _slice(sound, end, len(sound))
                    found.append(
                        Spotted(self._kind(text), text, round(at + begin, 2), round(at + end, 2), verdict, rest)
                    )
                    self._until = at + end
        self._sound.clear()
        if cut:
            self.accept(_slice(sound, len(sound) / (2 * RATE) - _OVERLAP, len(sound)))
        self._carried = len(self._sound) / (2 * RATE)
        return tuple(found)

    @property
    def sound(self) -> bytes:
        """The piece so far."""
        return bytes(self._sound)

    def sifted(self, found: Sequence[Hypothesis]) -> tuple[Hypothesis, ...]:
        """Hypotheses of something said to nobody, with what the grammar made up taken out.

        A grammar of cries writes cries whatever is said (你是我的救命恩人… → 失火救命来人救…), at a score near 0. One it is
        good at, all of it sayable and like the free text, is believed as much as the free decoder and stands first.
        """
        free = [one for one in found if one.source == "free"]
        held = [one for one in found if one.source == "grammar" and one.score >= _SURE]
        cries = [
            replace(one, text=cry, source="free") for one in held
            if one.score >= _BELIEVED and one.whole and (cry := self._cry(one.text))
            and max((alike(one.text, other.text) for other in free), default=0.0) >= _ALIKE
        ]
        return (*cries[:1], *free, *held) if free else ()

    def _cry(self, text: str) -> str:
        """The cry that this text is, but for half a wake word before it (小伴，我摔倒了); empty if it is none."""
        rests = (text[before:] for before in range(_EDGE + 1))
        return next((r for r in rests if len(r) > 2 and self._sayable(r) and self._kind(r) == "distress"), "")

    def called(self, text: str) -> bool:
        """Whether the wake word is in it."""
        return any(kind == "wake" and word in text for word, kind in self._kinds.items())

    def forget(self) -> None:
        """Throw the piece away."""
        self._decoder.finish()
        self._sound.clear()
        self._carried = 0.0

    def _look_again(self, sound: bytes, text: str) -> bool | None:
        """None: it was not said. Otherwise whether it is sure."""
        self._second.hold_to("spot", self._phrases)
        self._second.accept(sound)
        heard = self._second.finish()
        held = next((one for one in heard if one.source == "grammar"), None)
        if held is None or held.score < _SURE or not self._same(held.text, text):
            return None
        free = [one for one in heard if one.source == "free"]
        near = max((alike(text, one.text) for one in free), default=0.0)
        if near < (_ALIKE_SHORT if len(text) <= 2 else _ALIKE):
            return None
        return len(text) > 2 or any(text in one.text for one in free)

    def _same(self, again: str, text: str) -> bool:
        """Whether the second look found it too. The margins may hold a bit of what was said before or after the wake
        word (a command); around a cry for help there may be nothing but breath."""
        before, found, after = again.partition(text)
        if not found:
            return self._sayable(again) and self._kind(again) == self._kind(text)
        if self._kind(text) == "wake":
            return len(before) + len(after) <= _EDGE
        return not _PARTICLES.sub("", before + after) or self._sayable(before + text + after)

    def _runs(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """Longest stretches of words that together are phrases one can say, one after another."""
        runs: list[tuple[int, int]] = []
        start = 0
        while start < len(words):
            stop = next(
                (end for end in range(len(words), start, -1) if self._sayable("".join(words[start:end]))), start
            )
            if stop > start:
                runs.append((start, stop))
            start = max(stop, start + 1)
        return runs

    def _sayable(self, text: str) -> bool:
        """Gate (a): phrases and nothing else."""
        if not text or UNKNOWN in text:
            return False
        reached = {0}
        for position in range(len(text)):
            if position in reached:
                reached |= {position + len(one) for one in self._kinds if text.startswith(one, position)}
        return len(text) in reached

    def _kind(self, text: str) -> Literal["wake", "distress"]:
        """A cry for help in it makes it one, whatever else is in it."""
        return "distress" if any(k == "distress" and one in text for one, k in self._kinds.items()) else "wake"


def addressed(found: Sequence[Hypothesis], wake_words: Sequence[str]) -> tuple[Hypothesis, ...]:
    """The hypotheses without a wake word they begin with, by sound; empty when that was all that was said.

    The free decoder does not know 小伴 and writes 小贝小贝, 小班小曼: each half sounds half like it.
    """
    rest = [_without(one, wake_words) for one in found]
    if any(one.source == "free" for one in found) and not any(
        one.text for one, whole in zip(rest, found, strict=True) if whole.source == "free"
    ):
        return ()
    return tuple(one for one in rest if one.text)


def _without(one: Hypothesis, wake_words: Sequence[str]) -> Hypothesis:
    for word in wake_words:
        size = len(syllables(word))
        if size >= _CALLABLE and alike(word, one.text[:size]) >= _ADDRESSED:
            return replace(one, text=one.text[size:])
    return one


def alike(said: str, heard: str) -> float:
    """Likeness in sound 0…1 of `said` to the best-fitting part of `heard`: gate (b).

    Edit distance over toneless syllables; half a step when only the initial or only the final differs (伴 ban, 曼 man).
    """
    wanted, found = syllables(said), syllables(heard)
    if not wanted:
        return 0.0
    # Row 0 is all zero and the best of the last row counts, so what stands around it in `heard` costs nothing.
    row = [0.0] * (len(found) + 1)
    for one in wanted:
        above, row = row, [row[0] + 1.0]
        for column, other in enumerate(found, 1):
            row.append(min(above[column - 1] + _step(one, other), above[column] + 1.0, row[-1] + 1.0))
    return max(0.0, 1.0 - min(row) / len(wanted))


def _step(one: str, other: str) -> float:
    if one == other:
        return 0.0
    (begin, rest), (begins, rests) = _parts(one), _parts(other)
    return 0.5 if begin == begins or rest == rests else 1.0


def _parts(syllable: str) -> tuple[str, str]:
    found = _INITIAL.match(syllable)
    length = found.end() if found else 0
    return syllable[:length], syllable[length:]


def _slice(sound: bytes, begin: float, end: float) -> bytes:
    return sound[max(0, round(begin * RATE)) * 2 : max(0, round(end * RATE)) * 2]
