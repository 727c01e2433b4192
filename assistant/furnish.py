"""From the family's file and a ledger to a dialogue: the assembly that every command shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, cast

from assistant import frozen, home
from assistant.care import SCHEMAS
from assistant.catalogue import changed
from assistant.converse import Dialogue
from assistant.errors import ModelMissing
from assistant.home import Household
from assistant.messages import Asking, Heard, Hypothesis, Judgement
from assistant.places import VOSK, cache_dir, models_dir, shipped
from assistant.replies import Replies
from assistant.store import Store

if TYPE_CHECKING:
    from assistant.listen.grammar import Knows
    from assistant.listen.recognizer import Model
    from assistant.speak.engines import Choice
    from assistant.understand.judge import Understander
    from assistant.understand.phrasebook import Phrasebook

# What listens and understands is loaded where it is first needed: a dialogue that only reminds needs neither.


def model(folder: Path | None = None) -> Model:
    """The recognition model of the models' folder. Raises ModelMissing, also where a file is of the right size and not the right one:
    over such a graph Vosk may work for ever, or end the process."""
    from assistant.listen.recognizer import Model

    folder = folder or models_dir()
    if (folder / VOSK).is_dir() and (fault := changed(folder, (VOSK,))):
        raise ModelMissing(f"{fault}。")
    return Model(folder / VOSK)


def voice(wanted: home.Voice, folder: Path | None = None) -> Choice:
    """The voice the family asked for; the machine's, where a file of it is not the right one."""
    from assistant.speak.engines import choose, needs

    folder = folder or models_dir()
    choice = choose(wanted, folder)
    if choice.engine is not choice.spare and (fault := changed(folder, needs(choice.card))):
        return replace(choice, engine=choice.spare, why=f"{fault}；先用机器声。")
    return choice


@lru_cache(maxsize=1)
def phrasebook() -> Phrasebook:
    """All of `intents/`, read once for all starts until it changes."""
    from assistant.understand.phrasebook import Phrasebook

    folder = shipped("intents")

    def read() -> Phrasebook:
        from assistant.understand.reader import read  # hassil is half of reading, and what was read is kept

        return read(folder)

    of = frozen.digest(folder, Path(__file__).resolve().parent / "understand")
    return frozen.kept(cache_dir() / "phrasebook.json", Phrasebook, of, read)


_minds: list[tuple[Household, Understander]] = []
_making = Lock()


def understander(household: Household) -> Understander:
    """The understanding for one household, shared by all threads: once made it only reads, and remembers distances."""
    from assistant.understand.judge import Understander

    with _making:
        for known, mind in _minds:
            if known == household:
                return mind
        _minds.insert(0, (household, Understander(household, phrasebook())))
        del _minds[2:]
        return _minds[0][1]


@dataclass(frozen=True)
class Mind:
    """The same, made when somebody first speaks: an alarm that goes on after a restart needs no understanding."""

    household: Household

    def judge(
        self, hypotheses: Sequence[Hypothesis], now: datetime, asking: Asking | None = None, options: tuple[str, ...] = ()
    ) -> Judgement:
        """See `Understander.judge`."""
        return understander(self.household).judge(hypotheses, now, asking, options)


@dataclass(frozen=True)
class _Said:
    """What is said, as JSON can hold it."""

    rows: tuple[tuple[str, str, tuple[str, ...]], ...]


@lru_cache(maxsize=1)
def _sentences() -> Mapping[tuple[str, str], tuple[str, ...]]:
    folder = shipped("intents")
    said = frozen.kept(
        cache_dir() / "replies.json", _Said, frozen.digest(folder),
        lambda: _Said(tuple((skill, key, said) for (skill, key), said in Replies.load(folder).sentences.items())),
    )
    return {(skill, key): sentences for skill, key, sentences in said.rows}


def dialogue(household: Household, store: Store) -> Dialogue:
    """A dialogue over an open ledger."""
    return Dialogue(store, household, Mind, Replies(_sentences()))


def forgetful_store() -> Store:
    """A ledger in memory, for demo and plays."""
    return Store.memory(SCHEMAS)


def grammars(household: Household, knows: Knows, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What the grammar decoder may hear, cut into the model's words: by `command`, `distress` and the kinds of questions."""
    from assistant.listen.grammar import build

    known = lru_cache(maxsize=None)(knows)  # one sentence is in many grammars
    return {name: build(_sayable(household, name), known).phrases for name in names}


def talk(household: Household, knows: Knows, commands: Sequence[str]) -> tuple[str, ...]:
    """What is said in this home, cut into the model's words; `commands` as `grammars` gives them."""
    from assistant.listen.grammar import cut
    from assistant.listen.talk import of_a_home

    called = [" ".join(cut(word, knows)[0]) for word in household.wake_words]
    return of_a_home(commands, [word for word in called if word])


def _sayable(household: Household, name: str) -> Iterable[str]:
    from assistant.understand.sampling import phrases

    match name:
        case "command":
            return phrases(household, phrasebook(), None)
        case "distress":
            return (*household.wake_words, *phrasebook().distress)
        case _:
            return phrases(household, phrasebook(), cast(Asking, name))


def suspicious(brain: Understander, hypotheses: Sequence[Hypothesis], now: datetime) -> bool:
    """Whether words said to nobody may be a cry for help: it is one of the readings, not necessarily the best.

    What the decoder thinks likeliest has a veto: where a guard (talk of others, the past, idioms) holds there, a less
    likely writing without it (救命恩人 → 救命为人) is only a slip of the decoder; unless the grammar explains the sound by
    cries as well as that does (如果喘不上气来了 for 呃，我喘不上气来了).
    """
    from assistant.understand.judge import BY_SOUND_AGAINST

    explained = brain.explain(hypotheses, now)
    best = next((one for one in explained.heard if one.hypothesis.source == "free"), None)
    guarded = best is not None and best.guards and all(one.intent != "emergency.call" for one in best.fits)
    judged = explained.judgement
    if guarded and explained.cried < BY_SOUND_AGAINST:
        return judged.cry is not None and judged.cry not in judged.nearest  # somebody is called to come, whatever the rest is about
    return judged.cry is not None or (judged.meaning is not None and judged.meaning.intent == "emergency.call")


class Hearing:
    """Clips → `Heard` with all decoders, the grammar that of the open question."""

    def __init__(self, household: Household) -> None:
        from assistant.listen.recognizer import Decoders

        self.brain = understander(household)
        self._model = model()
        self._phrases: dict[Asking | None, tuple[str, ...]] = {}
        self._recognizer = Decoders(self._model, talk=lambda: talk(household, self._model.knows, self.phrases(None)))

    def hear(self, clip: Path, asking: Asking | None = None) -> Heard:
        """What was said in a clip. Raises BadAudio."""
        from assistant.listen.frames import wav_frames

        return self.listen(wav_frames(clip), asking, str(clip))

    def listen(self, frames: Iterable[bytes], asking: Asking | None = None, clip: str = "") -> Heard:
        """The longest utterance in the frames (16 kHz 16-bit mono)."""
        from assistant.listen.ear import hear

        self._recognizer.hold_to(asking or "command", self.phrases(asking))
        return max(hear(frames, self._recognizer, clip=clip), key=lambda heard: heard.seconds)

    def phrases(self, asking: Asking | None) -> tuple[str, ...]:
        """What the grammar decoder may hear, cut into the model's words."""
        if asking not in self._phrases:
            name = asking or "command"
            self._phrases[asking] = grammars(self.brain.household, self._model.knows, (name,))[name]
        return self._phrases[asking]

    def close(self) -> None:
        """End the decoders' threads."""
        self._recognizer.close()
