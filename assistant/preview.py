"""Tomorrow as the elder will hear it: printed, spoken, and kept as a WAV for a family that is far away."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TextIO

from assistant.check import preview
from assistant.demo import Recorder
from assistant.errors import NoLoudspeaker
from assistant.furnish import voice
from assistant.home import Household
from assistant.speak.cache import SpeechCache
from assistant.speak.player import DECIBELS_A_POINT, USUAL, Loudspeaker, Output
from assistant.speak.speech import Speech, louder, resample

PAUSE = 0.25
"""Seconds between two sentences."""
BETWEEN = 1.0
"""Seconds more between two times of the day."""


def aloud(home: Household, now: datetime, data: Path, out: TextIO, loudspeaker: str = "", output: Output | None = None) -> Path:
    """Print and speak what 小伴 will say by itself tomorrow; returns the WAV with all of it.

    `output` instead of the loudspeaker of that name. Without any the WAV alone is made, and the reason printed. Raises
    XiaobanError where the WAV cannot be written, after everything has been said.
    """
    choice = voice(home.voice)
    print(f"\n声音：{choice.why}\n明天小伴会说：", file=out)
    recorder = Recorder(choice, SpeechCache(data / "speech"))
    silent = ""
    try:
        output = output or Loudspeaker(loudspeaker)
    except NoLoudspeaker as error:
        silent = str(error)
    for line in preview(home, now):
        print(f"  {line.at:%H:%M}  {line.text}", file=out, flush=True)
        for piece in recorder.pieces(line.text):
            recorder.cursor = recorder.track.add(recorder.cursor, piece) + PAUSE
            if output is not None and not silent:
                silent = _played(output, louder(piece, (home.voice.volume - USUAL) * DECIBELS_A_POINT))
        recorder.cursor += BETWEEN
    if output is not None:
        output.close()
    if silent:
        print(f"（没有放出声音：{silent}）", file=out)
    path = data / "明天.wav"
    recorder.write(path)
    print(f"这些话的录音：{path}", file=out)
    return path


def _played(output: Output, piece: Speech) -> str:
    """Empty, or why it could not be heard."""
    try:
        output.write(resample(piece, output.sample_rate).samples)
        output.drain()
    except (OSError, NoLoudspeaker) as error:
        return str(error)
    return ""
