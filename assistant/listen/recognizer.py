"""Vosk decodes frames to hypotheses: freely, as talk of a home, and held to a grammar, all at once on one model.

This is the only file that knows vosk. A model is shared by threads, a recogniser is not: each decoder here has its own
thread and is reused, because a fresh one costs 130 ms and decodes four times slower than a warm one (measured).
"""

from __future__ import annotations

import json
import logging
import math
import queue
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Final, Protocol, Self

import vosk as _vosk

from assistant.errors import ModelMissing
from assistant.listen.frames import RATE
from assistant.memory import give_back
from assistant.messages import Hypothesis
from assistant.places import command

log = logging.getLogger(__name__)

vosk: Any = _vosk
"""It has no types."""

NAME: Final = "vosk-model-small-cn-0.22"
"""Folder of the model under `places.models_dir()`."""
UNKNOWN: Final = "[unk]"
"""What a grammar says for sound it cannot place."""

_FILES: Final = {
    "am/final.mdl": 15_901_896,
    "conf/mfcc.conf": 1,
    "conf/model.conf": 1,
    "graph/Gr.fst": 26_082_259,
    "graph/HCLr.fst": 16_158_762,
    "graph/disambig_tid.int": 1,
    "graph/phones/word_boundary.int": 1,
    "ivector/final.dubm": 168_048,
    "ivector/final.ie": 9_927_287,
    "ivector/final.mat": 44_975,
    "ivector/global_cmvn.stats": 1,
    "ivector/splice.conf": 1,
}
"""What the small Mandarin model consists of, bytes at least. Vosk itself ends the process or crashes on a short file."""

_BEAM: Final = 10.0
"""How much less likely than the best a path may be and still be followed. The model brings 12; at 10 every fourth clip, clean and in
noise, was written with as many wrong syllables, in a reverberant room with four of 500 more, at 0.6 to 0.7 of the work (`tests/bench/hearing.py
--beams`). 8 differs little again; elders who are harder to hear than those voices are left a margin."""
_ALTERNATIVES: Final = 5
"""Sentences of the free decoder. A choice, not a measurement: nobody has counted yet where the right one stands."""
_GRAMMAR_ALTERNATIVES: Final = 3
_KEPT: Final = 8
"""Warm grammar decoders kept at once; 1-2 MB each, and they do not grow."""
_RENEWED_AFTER: Final = 15.0
"""Seconds of sound after which the free decoder is replaced while nobody speaks: its graph grew by 51 MB in the first
sentence, 79 in 15 s, 102 in 30 s and by 107 MB more in the next two and a half minutes. Why 15 s: a middle, not an optimum."""
_TALK_RENEWED_AFTER: Final = 120.0
"""The same for the talk of a home: its graph grew by 47 MB in 10 s, 63 in a minute, 72 in two, and takes two seconds to make."""
_AT_HOME: Final = 6.0
"""Added to the logarithm of the likelihood of what is said as talk of a home: how much likelier that is than anything else one can say.
Set by hand, as the next two: 3 to 9, and counting a half to a fifth, understood 260 sentences from sound alike."""
_COUNTS: Final = 1 / 3
"""How much of a decoder's lead counts: see `both`."""
_FREELY: Final = 6
"""Sentences kept of both free decoders."""
_WARMING: Final = 3.0
"""Seconds of the last sentence a new free decoder hears before the next: the first sentence of a cold one takes 1.1 × real
time, after this 0.6, and a warm one 0.25. More warms it little more and takes as long as it warms."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One sentence of one decoder."""

    words: tuple[str, ...]
    likelihood: float
    """Logarithm, of the whole utterance: comparable between decoders that heard the same frames."""
    spans: tuple[tuple[float, float], ...] = ()
    """Where each word begins and ends, in seconds of the utterance; only from a decoder that was made `timed`."""


class Recognizer(Protocol):
    """Whatever turns the frames of one utterance into hypotheses, and is then ready for the next."""

    def accept(self, frame: bytes) -> None:
        """Take 16 kHz mono 16-bit sound; returns before it is decoded."""

    def finish(self) -> tuple[Hypothesis, ...]:
        """The utterance is over: what was said. Free sentences first, then the grammar's, each best first."""


class Model:
    """The acoustic model and its vocabulary. Raises ModelMissing when a file is missing or too short."""

    def __init__(self, path: Path, beam: float = _BEAM) -> None:
        for name, size in _FILES.items():
            found = path / name
            if not found.is_file():
                raise ModelMissing(f"语音识别模型不全：缺 {found}。请运行 {command('fetch')} 下载。")
            if found.stat().st_size < size:
                raise ModelMissing(f"语音识别模型坏了：{found} 不完整。请运行 {command('fetch')} 重新下载。")
        vosk.SetLogLevel(-1)  # Kaldi's chatter would spoil stderr, and JSON lines on a terminal.
        try:
            with with_beam(path.resolve(), beam) as ours:
                self._model = vosk.Model(str(ours))
        except Exception as error:  # vosk raises bare Exception; the sizes were right, so the content is wrong.
            raise _damaged(path) from error
        self._path = path

    def knows(self, word: str) -> bool:
        """Whether the vocabulary has this word exactly."""
        return bool(self._model.vosk_model_find_word(word) >= 0)

    def free(self) -> Decoder:
        """A decoder that may write anything. Raises ModelMissing where the model turns out to be damaged."""
        return Decoder(self._made(), _ALTERNATIVES)

    def held_to(self, phrases: Sequence[str], *, timed: bool = False) -> Decoder:
        """A decoder that may only write word sequences like these (words of the vocabulary, spaces between). Raises ModelMissing."""
        # An empty list or a bare string ends the process inside vosk, and escaped Chinese is unknown to it.
        listed = [*dict.fromkeys(phrase for phrase in phrases if phrase.strip() and phrase != UNKNOWN), UNKNOWN]
        kaldi = self._made(json.dumps(listed, ensure_ascii=False))
        return Decoder(kaldi, _GRAMMAR_ALTERNATIVES, timed=timed)

    def _made(self, *grammar: str) -> Any:
        try:
            return vosk.KaldiRecognizer(self._model, RATE, *grammar)
        except Exception as error:  # bare again: a graph that was only looked at now
            raise _damaged(self._path) from error


def _damaged(path: Path) -> ModelMissing:
    return ModelMissing(f"语音识别模型打不开，里面坏了：{path}。请运行 {command('fetch')} 重新下载。")


@contextmanager
def with_beam(path: Path, beam: float) -> Iterator[Path]:
    """A folder that is the model with this beam in its configuration: Vosk takes one from nowhere else. Gone when it is loaded.

    Where no folder can be made (a full disk) it is the model with its own beam: slower, and no worse.
    """
    with ExitStack() as kept:
        try:
            ours = Path(kept.enter_context(TemporaryDirectory(prefix="xiaoban-model-")))
            for part in path.iterdir():
                if part.name != "conf":
                    (ours / part.name).symlink_to(part)
            shutil.copytree(path / "conf", ours / "conf")
            settings = (path / "conf" / "model.conf").read_text(encoding="utf-8").splitlines()
            others = [line for line in settings if not line.startswith("--beam=")]
            (ours / "conf" / "model.conf").write_text("\n".join([*others, f"--beam={beam}", ""]), encoding="utf-8")
        except OSError as error:
            log.warning("no room for the settings of the model, its own are used: %s", error)
            ours = path
        yield ours


class Decoder:
    """One Vosk recogniser: sound in, sentences out, for one utterance after another. Not for two threads."""

    def __init__(self, kaldi: Any, alternatives: int, *, timed: bool = False) -> None:
        self._kaldi = kaldi
        self._kaldi.SetMaxAlternatives(alternatives)
        self._kaldi.SetWords(timed)
        self._fed = 0
        self._began = 0.0

    def accept(self, frame: bytes) -> None:
        """Decode so far. Vosk's own endpointing is ignored: the gate knows, and a pause must not cut a sentence."""
        self._kaldi.AcceptWaveform(frame)
        self._fed += len(frame)

    def partial(self) -> tuple[str, ...]:
        """Words so far; they change, so nothing may act on them."""
        return tuple(json.loads(self._kaldi.PartialResult()).get("partial", "").split())

    def finish(self) -> tuple[Reading, ...]:
        """Best first; one with no words means the decoder thinks nothing was said."""
        result = json.loads(self._kaldi.FinalResult())
        self._kaldi.Reset()
        # Vosk counts time over all utterances of a recogniser, `Reset` or not.
        began, self._began = self._began, self._fed / (2 * RATE)
        return tuple(
            Reading(
                tuple(found["text"].split()),
                float(found["confidence"]),
                tuple((word["start"] - began, word["end"] - began) for word in found.get("result", ())),
            )
            for found in result.get("alternatives", ())
        )


Failed = Callable[[Exception], None]
"""Is told why a decoder could not go on."""


def _unheeded(_error: Exception) -> None:
    pass


class Worker:
    """A decoder in its own thread, so that two use two cores and nobody waits for either.

    `make` is called again between two utterances once `renewed_after` seconds of sound have been decoded. `warm`: sound a
    new decoder hears first and forgets. `failed` is told in that thread of each fault.
    """

    def __init__(
        self, make: Callable[[], Decoder], name: str, renewed_after: float = math.inf, warm: bytes = b"", failed: Failed = _unheeded,
    ) -> None:
        self._make = make
        self._failed = failed
        self._decoder = make()
        self._warm = bytearray(warm)
        self._renewed_after = renewed_after
        self._decoded = 0.0
        self._inbox: queue.SimpleQueue[bytes | _Finish | None] = queue.SimpleQueue()
        self._partial: tuple[str, ...] = ()
        self._watched = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def accept(self, frame: bytes) -> None:
        self._inbox.put(frame)

    def finish(self) -> _Finish:
        """Ask for the result; the answer is in what this returns."""
        wish = _Finish()
        self._inbox.put(wish)
        return wish

    def partial(self) -> str:
        """Characters so far, from the first call on kept up to date by the thread."""
        self._watched = True
        return "".join(self._partial)

    def close(self) -> None:
        """End the thread when it has done what it was given."""
        self._inbox.put(None)

    def _work(self) -> None:
        try:
            self._warmed()
        except Exception as error:
            log.exception("a decoder could not be warmed")
            self._failed(error)
        while (item := self._inbox.get()) is not None:
            try:
                if isinstance(item, bytes):
                    self._decoder.accept(item)
                    self._keep(item)
                    self._decoded += len(item) / (2 * RATE)
                    if self._watched and self._inbox.empty():
                        self._partial = self._decoder.partial()
                else:
                    self._partial = ()
                    item.readings = self._decoder.finish()
                    item.ready.set()
                    if self._decoded > self._renewed_after:
                        self._renew()
            except Exception as error:  # Edge of a thread: whoever waits gets the error.
                log.exception("decoder failed")
                if isinstance(item, _Finish):
                    item.error = error
                    item.ready.set()
                self._failed(error)

    def _renew(self) -> None:
        del self._decoder  # Before the next is made: never two at once.
        self._decoder = self._make()
        self._decoded = 0.0
        self._warmed()
        give_back()

    def _keep(self, sound: bytes) -> None:
        """The last of what was said, for a decoder that is renewed; nobody else ever gets it."""
        if self._renewed_after < math.inf:
            self._warm += sound
            del self._warm[: max(0, len(self._warm) - round(_WARMING * RATE) * 2)]

    def _warmed(self) -> None:
        """A cold decoder takes four times as long; let it not be while somebody waits."""
        if self._warm:
            self._decoder.accept(bytes(self._warm))
            self._decoder.finish()
            self._warm.clear()


class _Finish:
    """A result that is on its way."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.readings: tuple[Reading, ...] = ()
        self.error: Exception | None = None

    def wait(self) -> tuple[Reading, ...]:
        self.ready.wait()
        if self.error is not None:
            raise self.error
        return self.readings


@dataclass(frozen=True, slots=True)
class _Heard:
    """What each decoder wrote of one utterance; nothing where it did not hear it."""

    free: tuple[Reading, ...] = ()
    held: tuple[Reading, ...] = ()
    home: tuple[Reading, ...] = ()

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """As one list."""
        return hypotheses(self.free, self.held, self.home)


Talk = Callable[[], Sequence[str]]
"""Makes what is said in a home, in words of the model: asked each time its decoder is made anew, so that nobody keeps it."""


class Decoders:
    """The Recognizer we use: free decoder, talk of this home and one grammar at a time hear the same frames on threads of their own.

    `hold_to(name, phrases)` chooses the grammar for the next utterance; warm decoders are kept by name. `expect(talk)` gives
    the talk of a home; without it there are two decoders. The free one costs more than the others together, so it need not
    hear what was probably said to nobody (`hold_to(..., freely=False)`), and hears it afterwards where it matters (`again`).
    `failed` is told of each fault of a decoder, in any thread: whoever lives by hearing must not go on deaf.
    """

    def __init__(
        self, model: Model, phrases: Sequence[str] = (), warm: bytes = b"", talk: Talk | None = None, failed: Failed = _unheeded,
    ) -> None:
        self._model = model
        self._failed = failed
        self._free = Worker(model.free, "decode-free", _RENEWED_AFTER, warm, failed)
        self._home: Worker | None = None
        self._expected: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._warm: OrderedDict[tuple[str, tuple[str, ...]], Worker] = OrderedDict()
        self._grammar: Worker | None = None
        self._next: tuple[str, tuple[str, ...]] | None = ("command", tuple(phrases)) if phrases else None
        self._freely = True
        self._begun = False
        self._resting = False
        self._heard = _Heard()
        if talk is not None:
            self.expect(talk)

    def hold_to(self, name: str, phrases: Sequence[str], *, freely: bool = True) -> None:
        """From the next utterance on; never in the middle of one (Vosk aborts the process there). No phrases: no grammar.

        Not `freely`: the free decoder rests, if there is talk of a home to hear it instead.
        """
        self._next = (name, tuple(phrases)) if phrases else None
        self._freely = freely

    def expect(self, talk: Talk) -> None:
        """From the next utterance on hear it also as talk like this (see `talk.py`). Takes a second; from any thread."""
        self._expected.put(Worker(lambda: self._model.held_to(talk()), "decode-home", _TALK_RENEWED_AFTER, failed=self._failed))

    def accept(self, frame: bytes) -> None:
        if not self._begun:
            self._begun = True
            self._grammar = self._chosen()
            self._take_what_is_expected()
            self._resting = not self._freely and self._home is not None
        for worker in self._all():
            worker.accept(frame)

    def finish(self) -> tuple[Hypothesis, ...]:
        if not self._begun:
            return ()
        self._begun = False
        free = None if self._resting else self._free
        wishes = [worker.finish() if worker is not None else None for worker in (free, self._grammar, self._home)]
        self._heard = _Heard(*(wish.wait() if wish is not None else () for wish in wishes))
        return self._heard.hypotheses()

    def again(self) -> Callable[[bytes], tuple[Hypothesis, ...]]:
        """For the utterance that has just ended: gives of its sound what `finish` gave, with the free decoder's where that rested.

        Others may be heard before it is called, but none be under way.
        """
        return partial(self._freely_too, self._heard, self._resting)

    def _freely_too(self, heard: _Heard, rested: bool, sound: bytes) -> tuple[Hypothesis, ...]:
        if rested:
            self._free.accept(sound)
            heard = replace(heard, free=self._free.finish().wait())
        return heard.hypotheses()

    def partial(self) -> str:
        """What the free decoder has so far; only for the question whether a sentence is complete."""
        return self._free.partial() if self._begun and not self._resting else ""

    def close(self) -> None:
        """End the threads."""
        self._take_what_is_expected()
        for worker in (self._free, self._home, *self._warm.values()):
            if worker is not None:
                worker.close()
        self._warm.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _all(self) -> Iterator[Worker]:
        return (worker for worker in (None if self._resting else self._free, self._home, self._grammar) if worker is not None)

    def _take_what_is_expected(self) -> None:
        while not self._expected.empty():
            if self._home is not None:
                self._home.close()
            self._home = self._expected.get()

    def _chosen(self) -> Worker | None:
        if self._next is None:
            return None
        worker = self._warm.get(self._next)
        if worker is None:
            name, phrases = self._next
            try:
                worker = Worker(lambda: self._model.held_to(phrases), f"decode-{name}", failed=self._failed)
            except ModelMissing as error:
                self._failed(error)
                raise
            self._warm[self._next] = worker
            if len(self._warm) > _KEPT:
                self._warm.popitem(last=False)[1].close()
        self._warm.move_to_end(self._next)
        return worker


def hypotheses(free: Sequence[Reading], held: Sequence[Reading], home: Sequence[Reading] = ()) -> tuple[Hypothesis, ...]:
    """Scores 0…1 from likelihoods.

    Free: the sentence's share among the alternatives of both free decoders. Grammar: the share among its own, times how well
    the grammar explains the sound against the free decoder (the talk of a home where that rested), because the grammar's own
    confidence is 1.0 for unrelated words too (任命 → 救命).
    """
    freely = _shared(both(free, home), "free")
    closed = _shared(held, "grammar")
    beside = free or home
    if beside and held:
        fit = explained(held[0].likelihood - beside[0].likelihood)
        closed = [replace(one, score=round(one.score * fit, 4)) for one in closed]
    return (*freely, *closed)


def both(free: Sequence[Reading], home: Sequence[Reading]) -> list[Reading]:
    """The readings of the free decoder and of the talk of a home, on one scale, likeliest first; at most `_FREELY`.

    Only a part of what one decoder's best is likelier than the other's counts: a long sentence gives a lead of e^10 to the
    better of two languages, and would shut out what the other wrote.
    """
    if not free or not home:
        return [*free, *home]
    lead = home[0].likelihood + _AT_HOME - free[0].likelihood
    level = free[0].likelihood + lead * _COUNTS - home[0].likelihood
    raised = [replace(one, likelihood=one.likelihood + level) for one in home]
    return sorted((*free, *raised), key=lambda one: -one.likelihood)[:_FREELY]


def explained(advantage: float) -> float:
    """0…1: whether the grammar's words are what was said, from its log-likelihood over the free decoder's.

    Logistic. Its two numbers were guessed from a dozen clips and then checked, not fitted: of 136 generated sentences
    inside the grammar none scored below 0.05; of 136 outside 17 scored more, the ones looked at being sentences that the
    grammar's words can really make (救命啊, 是的). Not tried on recorded people: tests/bench/hearing.py repeats it.
    """
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, (advantage + 8.0) / 2.5))))


def _shared(readings: Iterable[Reading], source: str) -> list[Hypothesis]:
    """Softmax over likelihoods; alternatives of equal text are one; those without a word keep their share."""
    found = list(readings)
    if not found:
        return []
    best = max(one.likelihood for one in found)
    total = sum(math.exp(one.likelihood - best) for one in found)
    shares: dict[tuple[str, bool], float] = {}
    for one in found:
        words = [word for word in one.words if word not in (UNKNOWN, "<unk>", "<UNK>")]
        key = ("".join(words), len(words) == len(one.words))
        shares[key] = shares.get(key, 0.0) + math.exp(one.likelihood - best) / total
    return [
        Hypothesis(text, "free" if source == "free" else "grammar", round(share, 4), whole)
        for (text, whole), share in sorted(shares.items(), key=lambda item: -item[1])
        if text
    ]
