"""Which voice speaks: the folders under `voices/`, the engines they name, and the choice between them with its reason."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assistant import home, places
from assistant.errors import ModelMissing
from assistant.speak.espeak import Espeak
from assistant.speak.speech import Voice
from assistant.speak.workshop import Workshop

KOKORO_MODEL = "kokoro-v1.0-int8.onnx"
KOKORO_NEEDS = 700
"""MB that must be free: 600 while it speaks (measured, sentences of 200 tokens) and something to breathe."""
KOKORO_VERSION = "1"
"""Raise it when `kokoro.py`, `speakable.py` or `speech.py` change how a sentence sounds: cached speech is then made anew."""


@dataclass(frozen=True, slots=True)
class VoiceCard:
    """One folder under `voices/`."""

    name: str
    """As the family writes it: 晓晓."""
    about: str
    """One line for the family."""
    engine: str
    """A key of ENGINES."""
    speaker: str | Mapping[str, float]
    """The engine's name for it, or weights of several speakers."""
    licence: str
    """SPDX identifier."""
    source: str
    """Where it comes from."""
    folder: Path
    """`voices/xiaoxiao`; its name is accepted in place of the Chinese one."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine that will speak."""

    engine: Voice
    why: str
    """One Chinese sentence for the family and the log."""
    card: VoiceCard
    spare: Voice
    """Speaks when `engine` fails or is too slow."""

    def __iter__(self):  # type: ignore[no-untyped-def]  # so that `engine, why = choose(...)` reads well
        return iter((self.engine, self.why))


def needs(card: VoiceCard) -> tuple[str, ...]:
    """What a voice is made of, as paths of the models' folder."""
    if card.engine != "kokoro":
        return ()
    speakers = [card.speaker] if isinstance(card.speaker, str) else list(card.speaker)
    return tuple(f"kokoro/{name}" for name in (KOKORO_MODEL, "vocab.json", *(f"{speaker}.bin" for speaker in speakers)))


def _kokoro(card: VoiceCard, models: Path) -> Voice:
    folder = models / "kokoro"
    for path in needs(card):
        if not (models / path).is_file():
            raise ModelMissing(f"还没有取来“{card.name}”的声音文件 {Path(path).name}：请运行 {places.command('fetch')}")
    size = (folder / KOKORO_MODEL).stat().st_size
    return Workshop(f"kokoro:{_spelled(card.speaker)}", f"{KOKORO_VERSION}-{size}", folder, card.speaker)


def _espeak(card: VoiceCard, _models: Path) -> Voice:
    return Espeak(card.speaker if isinstance(card.speaker, str) else "cmn-latn-pinyin")


ENGINES: dict[str, Callable[[VoiceCard, Path], Voice]] = {"kokoro": _kokoro, "espeak": _espeak}
"""A new engine is one file and one line here."""
NEEDS: dict[str, int] = {"kokoro": KOKORO_NEEDS}
"""MB of free memory an engine needs."""


def _spelled(speaker: str | Mapping[str, float]) -> str:
    return speaker if isinstance(speaker, str) else "+".join(f"{name}*{share}" for name, share in sorted(speaker.items()))


def voices(folder: Path | None = None) -> tuple[VoiceCard, ...]:
    """All voices that ship with us, by folder name."""
    found = []
    for path in sorted((folder or places.shipped("voices")).glob("*/voice.toml")):
        card = tomllib.loads(path.read_text(encoding="utf-8"))
        found.append(VoiceCard(folder=path.parent, **card))
    return tuple(found)


def free_memory() -> int | None:
    """MB the kernel would give us without swapping; None where it does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("MemAvailable")), None)


def choose(voice: home.Voice, models: Path, memory: int | None = None, folder: Path | None = None) -> Choice:
    """The voice the family asked for where it can speak here, else the one that always can, and why.

    `memory`: free memory in MB, None for what the kernel says. `folder`: where the voices lie.
    """
    cards = voices(folder)
    spare_card = next(card for card in cards if card.engine == "espeak")
    spare = ENGINES["espeak"](spare_card, models)
    wanted = next((card for card in cards if voice.name in (card.name, card.folder.name)), None)
    if wanted is None:
        offered = "、".join(card.name for card in cards)
        return Choice(spare, f"没有叫“{voice.name}”的声音，先用机器声；可以选：{offered}。", spare_card, spare)
    free = free_memory() if memory is None else memory
    needs = NEEDS.get(wanted.engine, 0)
    if free is not None and free < needs:
        return Choice(
            spare, f"内存只剩 {free} MB，“{wanted.name}”要 {needs} MB，先用机器声。", spare_card, spare
        )
    try:
        engine = ENGINES[wanted.engine](wanted, models)
    except ModelMissing as error:
        return Choice(spare, f"{error}；先用机器声。", spare_card, spare)
    return Choice(engine, f"用“{wanted.name}”说话（{wanted.about}）。", wanted, spare)
