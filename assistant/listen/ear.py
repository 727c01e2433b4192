"""Sound in, `Heard` out: the gate cuts utterances, the decoders write them down; the ear does it all day."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from assistant.listen.frames import FRAME_SECONDS, RATE, pcm_frames
from assistant.listen.gate import CLIP, LIVE, Ended, Finished, Rules, Speech, gate, sentence_finished
from assistant.listen.recognizer import Decoders, Recognizer
from assistant.listen.spotter import IDLE, Spotted, Spotter, addressed
from assistant.messages import Heard, Hypothesis, Pressed

log = logging.getLogger(__name__)

COMMAND: Final = "command"
"""Name of the grammar for what may be said when nothing was asked."""
DISTRESS: Final = "distress"
"""Name of the grammar for what is said to nobody: cries for help."""
TALK: Final = "talk"
"""Name of the grammar for the telephone: two people talk, and their sound is nobody's but theirs."""
_REST: Final = 0.35
"""Seconds of sound after a wake word that make a command; less is its own echo."""
_BEGINNING: Final = 1.0
"""Seconds from the beginning of an answer within which a wake word is an address and not part of the answer."""
_AROUND: Final = 120.0
"""Seconds over which it is counted how much is talked that is not for us."""


def hear(
    frames: Iterable[bytes],
    recognizer: Recognizer,
    rules: Rules = CLIP,
    *,
    finished: Finished = lambda: None,
    woken: bool = True,
    clip: str = "",
) -> Iterator[Heard]:
    """Every utterance of a clip or a microphone: `hear(wav_frames(path), recognizer)`.

    With the rules of a clip that is one `Heard`, two-second pauses and all, and more only beyond 30 s of talk. A clip
    without a voice (silence, noise) gives one `Heard` without hypotheses. Raises BadAudio while reading `frames`.
    """
    anything = False
    for piece in gate(frames, rules, finished):
        match piece:
            case Speech(sound):
                recognizer.accept(sound)
            case Ended(seconds=length):
                anything = True
                yield Heard(recognizer.finish(), woken, round(length, 3), clip)
    if not anything:
        yield Heard((), woken, 0.0, clip)


@dataclass(frozen=True, slots=True)
class _Window:
    """A question is open: everything said is an answer."""

    name: str
    phrases: tuple[str, ...]
    frames: int
    """How many frames without a voice it stays open."""


@dataclass(slots=True)
class Around:
    """How much was talked in the last two minutes, and not to us: by the television, by visitors."""

    pieces: deque[tuple[float, float]] = field(default_factory=deque)
    """Beginning and length of each, in seconds of sound."""

    def add(self, begin: float, seconds: float) -> None:
        """So long a piece was overheard, beginning there, in seconds of sound."""
        self.pieces.append((begin, seconds))

    def share(self, now: float) -> float:
        """Of the two minutes before `now`, 0…1; the time before the first sound counts as quiet."""
        while self.pieces and sum(self.pieces[0]) < now - _AROUND:
            self.pieces.popleft()
        spoken = sum(max(0.0, min(begin + seconds, now) - max(begin, now - _AROUND)) for begin, seconds in self.pieces)
        return min(1.0, spoken / _AROUND)


class Ear:
    """Listens in a thread of its own: always for the wake word and cries for help, to all else only when asked to.

    `post` gets, in that thread, `Pressed("wake")` for a wake word alone, `Heard(woken=True)` for a command after one
    and for whatever is said while a window is open, `Heard(woken=False)` for a cry for help out of the blue.
    `grammars`: phrases in words of the model by name, `command`, `distress` and those of `messages.Asking`.
    `suspects`: whether hypotheses may be a cry for help. What is said to nobody is written down as talk of a home and put to
    it, and forgotten at once if it is not; if it may be one, the free decoder is heard as well and it is put once more
    (tests/bench/distress.py: how many a short list of phrases finds, and how many this).
    `hold` gets the sound (16 kHz 16-bit mono) of what was said to us, never of anything else, and gives its key, or nothing.
    """

    def __init__(
        self,
        frames: Iterable[bytes],
        decoders: Decoders,
        spotter: Spotter,
        grammars: Mapping[str, Sequence[str]],
        post: Callable[[Heard | Pressed], None],
        suspects: Callable[[tuple[Hypothesis, ...]], bool] | None = None,
        hold: Callable[[bytes], str] = lambda _sound: "",
    ) -> None:
        self._frames = frames
        self._decoders = decoders
        self._spotter = spotter
        self._grammars = {name: tuple(phrases) for name, phrases in grammars.items()}
        self._post = post
        self._suspects = suspects
        self._hold = hold
        self._window: _Window | None = None
        self._turning = threading.Lock()
        self._muted = False
        self._speaking: _Window | None = None
        self._anything = False
        self._decoding = False
        self.around = Around()
        self.taken = 0
        """Frames it has listened to so far: it grows as long as it can hear."""
        self._thread = threading.Thread(target=self.listen, name="ear", daemon=True)

    def start(self) -> None:
        """Begin; ends when `frames` end (close the microphone)."""
        self._thread.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the frames have ended."""
        self._thread.join(timeout)

    @property
    def hearing(self) -> bool:
        """Somebody is in the middle of an answer: not yet the time to say that nobody answered."""
        return self._speaking is not None and self._anything

    def open(self, asking: str = COMMAND, seconds: float = 8.0, phrases: Sequence[str] = ()) -> None:
        """Take whatever is said in the next `seconds` (of listening, not counting what is muted) without a wake word.

        `phrases` instead of the grammar called `asking`: the options of a `which`.
        """
        held = tuple(phrases) or self._grammars.get(asking) or self._grammars.get(COMMAND, ())
        with self._turning:
            self._window = _Window(asking, held, round(seconds / FRAME_SECONDS))

    def close(self) -> None:
        """Only the wake word and cries for help from now on."""
        with self._turning:
            self._window = None

    def mute(self) -> None:
        """小伴 speaks: nothing counts but cries for help, and the window waits."""
        self._muted = True

    def unmute(self) -> None:
        """小伴 has spoken."""
        self._muted = False

    def learn(self, grammars: Mapping[str, Sequence[str]]) -> None:
        """The household changed: other words from the next utterance on."""
        self._grammars = {name: tuple(phrases) for name, phrases in grammars.items()}

    def listen(self) -> None:
        """Until the frames end. `start` runs this in a thread; tests run it in theirs."""
        for piece in gate(self._counted(), self._rules, self._finished):
            try:
                match piece:
                    case Speech(sound):
                        self._hear(sound)
                    case Ended():
                        self._end(piece)
            except Exception:  # edge of a thread: the next sentence must be heard
                log.exception("could not hear a sentence")

    def _counted(self) -> Iterator[bytes]:
        """Frames, and the window's time with them."""
        for frame in self._frames:
            self.taken += 1
            with self._turning:
                window = self._window
                if window is not None and not self._muted and not self._anything:
                    self._window = replace(window, frames=window.frames - 1) if window.frames > 0 else None
            yield frame

    def _rules(self) -> Rules:
        return LIVE if (self._speaking if self._anything else self._window) is not None else IDLE

    def _finished(self) -> bool | None:
        return sentence_finished(self._decoders.partial()) if self._speaking is not None else self._spotter.finished()

    def _hear(self, sound: bytes) -> None:
        if not self._anything:
            self._anything = True
            self._speaking = None if self._muted else self._window
            if self._speaking is not None:
                self._decoders.hold_to(self._speaking.name, self._speaking.phrases)
            else:
                self._decoders.hold_to(DISTRESS, self._grammars.get(DISTRESS, ()), freely=False)
            # While we speak ourselves the decoders would only write down what we say.
            self._decoding = self._speaking is not None or (self._suspects is not None and not self._muted)
        if self._decoding:
            self._decoders.accept(sound)
        self._spotter.accept(sound)

    def _end(self, ended: Ended) -> None:
        window, self._speaking, self._anything = self._speaking, None, False
        found = self._decoders.finish() if self._decoding else ()
        again = self._decoders.again()  # before the spotter's second look, which is made by the same decoders
        sound, length = self._spotter.sound, round(ended.seconds, 3)
        spotted = self._spotter.finish(cut=ended.cut, at=ended.at - IDLE.padding)
        around = self.around.share(ended.at)
        wake = next((one for one in spotted if one.kind == "wake"), None)
        cry = next((one for one in spotted if one.kind == "distress"), None)
        if window is not None:
            if wake is not None and wake.at <= ended.at + _BEGINNING:
                self._woken(wake.rest, window)
            else:
                held = self._hold(sound) if found and window.name != TALK else ""
                self._commanded(_with(found, cry), length, held, prompted=True)
        elif cry is not None:
            # Wake word and cry in one breath is certain (CARE 4); while we speak we may have heard ourselves.
            woken = not self._muted and (wake is not None or self._spotter.called(cry.text))
            whole = again(sound) if found else self._decoded(sound)
            self._post(Heard(_with(whole, cry), woken, length, around=around))
        elif wake is not None and not self._muted:
            self._woken(wake.rest)
        elif not self._muted and self._suspects is not None and self._suspected(found):
            overheard = again(sound)
            borne_out = self._suspected(overheard)
            self._post(Heard(self._spotter.sifted(overheard if borne_out else found), False, length, around=around, denied=not borne_out))
        if window is None and wake is None and not self._muted:
            self.around.add(ended.at, ended.seconds)

    def _suspected(self, found: tuple[Hypothesis, ...]) -> bool:
        overheard = self._spotter.sifted(found)
        return bool(overheard) and self._suspects is not None and self._suspects(overheard)

    def _decoded(self, sound: bytes) -> tuple[Hypothesis, ...]:
        self._decoders.hold_to(COMMAND, self._grammars.get(COMMAND, ()))
        self._decoders.accept(sound)
        return self._decoders.finish()

    def _woken(self, rest: bytes, window: _Window | None = None) -> None:
        """A wake word, and perhaps a command after it: in an open window also the answer to its question."""
        name, phrases = (window.name, window.phrases) if window else (COMMAND, self._grammars.get(COMMAND, ()))
        self._decoders.hold_to(name, phrases)
        heard = next(iter(hear(pcm_frames([rest]), self._decoders))) if len(rest) > _REST * RATE * 2 else None
        if heard is None or not heard.hypotheses:
            self._post(Pressed("wake"))
        else:
            held = self._hold(rest) if name != TALK else ""
            self._commanded(heard.hypotheses, heard.seconds, held)

    def _commanded(self, found: tuple[Hypothesis, ...], length: float, held: str, *, prompted: bool = False) -> None:
        """Said to us: without the wake word, which the free decoder writes as 小贝小贝."""
        rest = addressed(found, self._spotter.wake_words)
        self._post(Heard(rest, True, length, sound=held, prompted=prompted) if rest or not found else Pressed("wake"))


def _with(found: tuple[Hypothesis, ...], cry: Spotted | None) -> tuple[Hypothesis, ...]:
    """What the whole piece says; what was spotted stands first of the grammar's, it has had its second look."""
    if cry is None or not cry.sure:
        return found
    return (*(one for one in found if one.source == "free"), Hypothesis(cry.text, "grammar"),
            *(one for one in found if one.source == "grammar" and one.text != cry.text))
