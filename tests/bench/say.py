"""Says sentences for evaluate.py in a process of its own: one JSON list a line on stdin, [text, voice, speed, file]."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import soundfile

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1] / "clips")]

import make_clips  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import track  # noqa: E402


def main() -> None:
    """Render every line; a file appears whole or not at all."""
    engines: dict[str, make_clips.Kokoro] = {}
    wanted = sorted((json.loads(line) for line in sys.stdin if line.strip()), key=lambda one: str(one[1]))
    for text, voice, speed, file in track(wanted, "speaking", console=Console(stderr=True)):
        part = Path(file).with_suffix(".part")
        soundfile.write(part, make_clips.spoken(text, voice, speed, engines), make_clips.RATE, format="FLAC")
        part.replace(file)
        if len(engines) > 2:  # a blend is used once; its session would stay in memory
            engines.clear()


if __name__ == "__main__":
    main()
