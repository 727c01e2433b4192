"""Kokoro-82M speaks Mandarin naturally: text to phonemes to samples through ONNX Runtime."""

from __future__ import annotations

import functools
import json
import logging
import os
import threading
import warnings
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import onnxruntime as ort

from assistant.errors import ModelMissing, VoiceError
from assistant.memory import give_back
from assistant.places import command
from assistant.speak.speakable import sentences, speakable
from assistant.speak.speech import Speech, Wave, join, level, trim

if TYPE_CHECKING:
    from kokorog2p.base import G2PBase

log = logging.getLogger(__name__)

MODEL = "kokoro-v1.0-int8.onnx"
SAMPLE_RATE = 24_000
"""Hz; fixed by the model."""
ROWS = 510
"""Rows of a speaker file: the model's context of 512 less the two zeros at the ends (kokoro `KModel`)."""
MOST_TOKENS = 200
"""Tokens spoken at once, about 12 s. The model takes 510, but its memory grows with them: 200 MB at 50, 1 GB at 510."""
PAUSE = 0.28
"""Seconds between sentences. Older listeners follow better with pauses at clause ends than with slower speech."""
DEFAULT = "zf_xiaoxiao"


class _Model(Protocol):
    """What we use of an ONNX Runtime session."""

    def run(self, outputs: list[str], feeds: dict[str, Any], options: Any) -> list[Any]: ...


Speaker = str | Mapping[str, float]
"""A speaker's file name without `.bin`, or weights of several to be blended."""


class Kokoro:
    """One speaker of the Kokoro model. Loading takes about a second and 200 MB; instances share the loaded model."""

    def __init__(self, folder: Path, speaker: Speaker = DEFAULT, speed: float = 1.0) -> None:
        """`folder` holds the model, `vocab.json` and the speakers' files. Raises ModelMissing."""
        weights = {speaker: 1.0} if isinstance(speaker, str) else dict(speaker)
        if not weights or sum(weights.values()) <= 0:
            raise ValueError(f"weights of a blend must add up to more than nothing: {weights}")
        for name in (MODEL, "vocab.json", *(f"{part}.bin" for part in weights)):
            if not (folder / name).is_file():
                raise ModelMissing(f"找不到语音文件 {folder / name}：请运行 {command('fetch')} 下载（voice file missing）")
        total = sum(weights.values())
        self._style = np.sum(
            [np.float32(weight / total) * _style(folder / f"{part}.bin") for part, weight in weights.items()], axis=0
        )
        self._speed = speed
        self._vocab = _vocab(folder / "vocab.json")
        self._session = _session(folder / MODEL)
        self.name = "kokoro:" + "+".join(
            part if len(weights) == 1 else f"{part}*{weight / total:.3f}" for part, weight in sorted(weights.items())
        ) + ("" if speed == 1.0 else f"@{speed:.2f}")
        self.version = f"1-{(folder / MODEL).stat().st_size}"

    def render(self, text: str, rate: float = 1.0) -> Speech:
        """Speak the text, `rate` times as fast as usual (0.5…2)."""
        speed = min(max(self._speed * rate, 0.5), 2.0)
        parts = [
            trim(self._speak(tokens, speed), SAMPLE_RATE)
            for sentence in sentences(speakable(text))
            for tokens in self._tokens(sentence)
        ]
        return Speech(level(join(parts, SAMPLE_RATE, PAUSE / speed), SAMPLE_RATE), SAMPLE_RATE)

    def _speak(self, tokens: list[int], speed: float) -> Wave:
        try:
            (wave,) = self._session.run(
                ["audio"],
                {
                    "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
                    "style": self._style[len(tokens) - 1],
                    "speed": np.array([speed], dtype=np.float32),
                },
                _shrinking(),
            )
        except Exception as error:  # ONNX Runtime raises bare classes of its own, one a status code
            raise VoiceError(f"Kokoro 没能说出来（could not speak）：{error}") from error
        return np.asarray(wave, dtype=np.float32).reshape(-1)

    def _tokens(self, sentence: str) -> list[list[int]]:
        """Token lists of at most MOST_TOKENS; a sentence longer than that is cut at commas, then anywhere."""
        tokens = [self._vocab[sign] for sign in phonemes(sentence) if sign in self._vocab]
        if not any(token > _LAST_MARK for token in tokens):
            return []  # only punctuation: the model would breathe
        if len(tokens) <= MOST_TOKENS:
            return [tokens]
        middle = len(sentence) // 2
        commas = [at + 1 for at, sign in enumerate(sentence[:-1]) if sign in "，、,：:—… "]
        cut = min(commas, key=lambda at: abs(at - middle), default=middle)
        return self._tokens(sentence[:cut]) + self._tokens(sentence[cut:])


_LAST_MARK = 16
"""Tokens 1…16 of the vocabulary are punctuation and the space."""


class Frequencies:
    """Word → how often it is said, as jieba asks for it, for 500,000 words and their beginnings in 6 MB instead of 64.

    By the words' 64-bit hashes: that any two of so many are the same happens once in 150 million starts.
    """

    def __init__(self, table: Mapping[str, int]) -> None:
        hashes = np.fromiter(map(_hash, table), dtype=np.int64, count=len(table))
        order = np.argsort(hashes)
        self._hashes = array("q", hashes[order].tobytes())
        self._counts = array("i", np.fromiter(table.values(), dtype=np.int32, count=len(table))[order].tobytes())

    def get(self, word: str, otherwise: int | None = None) -> int | None:
        """As of a dict."""
        sought = _hash(word)
        at = bisect_left(self._hashes, sought)
        return self._counts[at] if at < len(self._hashes) and self._hashes[at] == sought else otherwise

    def __contains__(self, word: str) -> bool:
        return self.get(word) is not None

    def __getitem__(self, word: str) -> int:
        found = self.get(word)
        if found is None:
            raise KeyError(word)
        return found


def _hash(word: str) -> int:
    """Of its UTF-8: Python hashes BP and 偂, which lie in memory as the same two bytes, alike."""
    return hash(word.encode())


@functools.lru_cache(maxsize=1)
def _g2p() -> G2PBase:
    """Loading the word list of jieba takes about a second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba  # type: ignore[import-untyped]  # only to keep it from writing its progress to stderr
        from kokorog2p import get_g2p
        from pypinyin.constants import PHRASES_DICT

        jieba.setLogLevel(logging.WARNING)
        jieba.initialize()
        jieba.dt.FREQ = Frequencies(jieba.dt.FREQ)
        same: dict[tuple[str, ...], list[str]] = {}
        for phrase, ways in PHRASES_DICT.items():  # 130,000 lists of 1,600 different readings; pypinyin copies before it writes
            PHRASES_DICT[phrase] = [same.setdefault(tuple(way), way) for way in ways]
        give_back()
        return get_g2p("zh")


_g2p_lock = threading.Lock()


def phonemes(text: str) -> str:
    """The model's phonemes for speakable Mandarin."""
    with _g2p_lock:
        return str(_g2p().phonemize(text))


@functools.lru_cache(maxsize=2)
def _session(path: Path) -> _Model:
    options = ort.SessionOptions()  # type: ignore[attr-defined]
    options.intra_op_num_threads = min(os.cpu_count() or 1, 4)
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # sentences differ in length: plans of memory for each are kept and of no use
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not eat a core
    options.log_severity_level = 3
    try:
        return cast(
            _Model,
            ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]),  # type: ignore[attr-defined]
        )
    except Exception as error:  # ONNX Runtime raises bare classes of its own
        raise ModelMissing(f"语音文件 {path} 打不开：请运行 {command('fetch')} 重新下载（cannot load: {error}）") from error


@functools.lru_cache(maxsize=1)
def _shrinking() -> Any:
    """Give the arena's memory back after each sentence: 450 MB resident become 370, at no measurable cost."""
    options = ort.RunOptions()  # type: ignore[attr-defined]
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


@functools.lru_cache(maxsize=2)
def _vocab(path: Path) -> dict[str, int]:
    try:
        table: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))["vocab"]
    except (ValueError, KeyError) as error:
        raise ModelMissing(f"语音文件 {path} 坏了：请运行 {command('fetch')} 重新下载（not a vocabulary: {error}）") from error
    return table


def _style(path: Path) -> Wave:
    """510 × 1 × 256: one row for each number of tokens."""
    values = np.fromfile(path, dtype="<f4")
    if values.size != ROWS * 256:
        raise ModelMissing(f"语音文件 {path} 不完整：请运行 {command('fetch')} 重新下载（{values.size} of {ROWS * 256} values）")
    return values.reshape(ROWS, 1, 256)
