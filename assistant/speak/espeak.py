"""eSpeak NG through pyttsx3 in a child process that lives for one sentence: a poor voice that always works.

The child is there because pyttsx3 cannot be interrupted, repeats itself on a second `runAndWait` and falls mute after
`save_to_file`; a process that ends has none of these. eSpeak reads characters as English letter names (1.51), so it is given
numbered pinyin and its pinyin voice.
"""

from __future__ import annotations

import json
import os
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

WORDS_PER_MINUTE = 200
"""pyttsx3's unit; 3.5 syllables a second in Mandarin with its pauses, a little slower than Kokoro's 4.5 (measured)."""
PAUSE = 0.3
"""Seconds between sentences."""
DEADLINE = 6.0
"""Seconds one sentence may take; 0.15 is usual, about 1 on a Pi 4."""
TRIES = 2
IN_MEMORY = "/dev/shm"
"""What one process writes for the other lies in memory where there is such a place: a full card must not leave her without a voice."""
CHILD = Path(__file__).with_name("espeak_child.py")
_MARKS = str.maketrans("，、；。！？：—…", ",,;.!?:,,")


class Espeak:
    """The machine's own voice. Raises VoiceError at the first sentence where eSpeak NG is not installed."""

    version = "3"

    def __init__(self, speaker: str = "cmn-latn-pinyin") -> None:
        self._speaker = speaker
        self.name = f"espeak:{speaker}"

    def render(self, text: str, rate: float = 1.0) -> Speech:
        """Speak the text, `rate` times as fast as usual."""
        spoken = [numbered(sentence).translate(_MARKS) for sentence in sentences(speakable(text))]
        spoken = [pinyin for pinyin in spoken if any(char.isalpha() for char in pinyin)]
        if not spoken:
            return Speech(np.zeros(0, dtype=np.int16), 22_050)
        parts: list[Wave] = []
        rates = {22_050}
        try:
            with tempfile.TemporaryDirectory(prefix="xiaoban-", dir=IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None) as folder:
                for index, pinyin in enumerate(spoken):
                    sound, sample_rate = self._speak(pinyin, rate, Path(folder) / f"{index}.wav")
                    parts.append(trim(sound, sample_rate))
                    rates = {sample_rate}
        except OSError as error:
            raise VoiceError(f"机器声没能说出来：没有地方放声音，磁盘满了或者坏了（{error}）") from error
        (sample_rate,) = rates
        return Speech(level(join(parts, sample_rate, PAUSE / rate), sample_rate), sample_rate)

    def _speak(self, pinyin: str, rate: float, path: Path) -> tuple[Wave, int]:
        order = {
            "text": pinyin, "voice": self._speaker, "rate": round(WORDS_PER_MINUTE * rate), "path": str(path),
            "seconds": DEADLINE,
        }
        said = ""
        for _ in range(TRIES):
            try:
                done = subprocess.run(
                    [sys.executable, str(CHILD)],
                    input=json.dumps(order), capture_output=True, text=True, timeout=DEADLINE, check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                said = str(error)
                continue
            if done.returncode == 0 and path.exists():
                return _read(path)
            said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise VoiceError(f"机器声没能说出来：请装 espeak-ng（sudo apt install espeak-ng；eSpeak failed: {said}）")


def _read(path: Path) -> tuple[Wave, int]:
    try:
        with wave.open(str(path)) as file:
            frames, sample_rate = file.readframes(file.getnframes()), file.getframerate()
    except (wave.Error, EOFError) as error:
        raise VoiceError(f"机器声没能说出来（eSpeak wrote no sound）：{error}") from error
    return np.frombuffer(frames, dtype="<i2").astype(np.float32) / np.float32(32768), sample_rate
