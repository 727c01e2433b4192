"""eSpeak NG through pyttsx3 in a child process that lives for one sentence: a poor voice that always works.

The child is there because pyttsx3 cannot be interrupted, repeats itself on a second `runAndWait` and falls mute after
`save_to_file`; a process that ends has none of these. eSpeak reads characters as English letter names (1.51), so it is given
numbered pinyin and its pinyin voice.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np

from assistant.errors import VoiceError
from assistant.speak.speakable import sentences, speakable
from assistant.speak.speech import Speech, Wave, join, level, trim
from assistant.understand.sound import numbered

WORDS_PER_MINUTE = 160
"""pyttsx3's unit; about 3.5 syllables a second in Mandarin. Its default of 200 is too fast to follow."""
PAUSE = 0.3
"""Seconds between sentences."""
DEADLINE = 20.0
"""Seconds one sentence may take; 0.1 is usual, 1.0 on a Pi 4."""
_MARKS = str.maketrans("，、；。！？：—…", ",,;.!?:,,")


class Espeak:
    """The machine's own voice. Raises VoiceError at the first sentence where eSpeak NG is not installed."""

    version = "1"

    def __init__(self, speaker: str = "cmn-latn-pinyin") -> None:
        self._speaker = speaker
        self.name = f"espeak:{speaker}"

    def render(self, text: str, rate: float = 1.0) -> Speech:
        """Speak the text, `rate` times as fast as usual."""
        spoken = [numbered(sentence).translate(_MARKS) for sentence in sentences(speakable(text))]
        spoken = [pinyin for pinyin in spoken if any(char.isalpha() for char in pinyin)]
        if not spoken:
            return Speech(np.zeros(0, dtype=np.int16), 22_050)
        with tempfile.TemporaryDirectory(prefix="xiaoban-") as folder:
            parts: list[Wave] = []
            rates = {22_050}
            for index, pinyin in enumerate(spoken):
                sound, sample_rate = self._speak(pinyin, rate, Path(folder) / f"{index}.wav")
                parts.append(trim(sound, sample_rate))
                rates = {sample_rate}
        (sample_rate,) = rates
        return Speech(level(join(parts, sample_rate, PAUSE / rate), sample_rate), sample_rate)

    def _speak(self, pinyin: str, rate: float, path: Path) -> tuple[Wave, int]:
        order = {"text": pinyin, "voice": self._speaker, "rate": round(WORDS_PER_MINUTE * rate), "path": str(path)}
        try:
            done = subprocess.run(
                [sys.executable, "-m", "assistant.speak.espeak"],
                input=json.dumps(order), capture_output=True, text=True, timeout=DEADLINE, check=False,
                cwd=Path(__file__).parents[2],
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise VoiceError(f"机器声没能说出来（eSpeak did not finish）：{error}") from error
        if done.returncode or not path.exists():
            raise VoiceError(
                "机器声没能说出来：请装 espeak-ng（sudo apt install espeak-ng；eSpeak failed: "
                f"{done.stderr.strip().splitlines()[-1:]}）"
            )
        try:
            with wave.open(str(path)) as file:
                frames, sample_rate = file.readframes(file.getnframes()), file.getframerate()
        except (wave.Error, EOFError) as error:
            raise VoiceError(f"机器声没能说出来（eSpeak wrote no sound）：{error}") from error
        return np.frombuffer(frames, dtype="<i2").astype(np.float32) / np.float32(32768), sample_rate


def _child(order: dict[str, str | int]) -> None:
    """One sentence into one file; runs in a process of its own."""
    import pyttsx3

    engine = pyttsx3.init("espeak")  # type: ignore[no-untyped-call]
    offered = {voice.id.rsplit("/", 1)[-1].lower(): voice.id for voice in engine.getProperty("voices")}
    engine.setProperty("voice", offered[str(order["voice"]).lower()])
    engine.setProperty("rate", order["rate"])
    engine.setProperty("volume", 1.0)
    engine.save_to_file(order["text"], order["path"])
    engine.runAndWait()


if __name__ == "__main__":
    _child(json.load(sys.stdin))
