"""A day with 小伴 on a virtual clock: recorded clips through the real pipeline, and the whole conversation as one WAV.

Nothing is scripted but what the elder and her family do (tests/plays/day.play): change a clip or the household and
the answers, the messages and the ledger change with it.
"""

from __future__ import annotations

import sys
import wave
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from assistant import places
from assistant.clock import VirtualClock
from assistant.errors import VoiceError, XiaobanError
from assistant.furnish import Hearing, dialogue, forgetful_store
from assistant.furnish import voice as chosen
from assistant.home import Household, Voice
from assistant.listen.frames import wav_frames
from assistant.messages import Action, Ask, Heard, Hush, Say, Sound
from assistant.play import Player, parse
from assistant.report import print_text, report
from assistant.speak.cache import SpeechCache, rendered, units
from assistant.speak.engines import Choice
from assistant.speak.player import Track
from assistant.speak.sounds import SOUNDS
from assistant.speak.speech import Speech
from assistant.stage import Happened, Stage

PAUSE = 0.5
"""Seconds of silence between two turns on the track."""
SKIP = 1.6
"""Seconds of silence that stand for a longer time that has passed."""


@dataclass
class Recorder:
    """Lays everything that is said on a track, without the hours between."""

    choice: Choice
    cache: SpeechCache
    track: Track = field(default_factory=Track)
    cursor: float = 0.0
    last: datetime | None = None
    _spoken: dict[str, list[Speech]] = field(default_factory=dict)

    def pieces(self, text: str) -> list[Speech]:
        """A text as rendered sentences; the spare voice where the chosen one fails."""
        if text not in self._spoken:
            try:
                self._spoken[text] = [rendered(self.choice.engine, self.cache, unit) for unit in units(text)]
            except VoiceError:
                self._spoken[text] = [rendered(self.choice.spare, self.cache, unit) for unit in units(text)]
        return self._spoken[text]

    def seconds(self, text: str) -> float:
        """How long a text takes to speak."""
        return sum(piece.seconds + 0.25 for piece in self.pieces(text))

    def perform(self, action: Action, now: datetime) -> None:
        """Put what 小伴 does on the track."""
        match action:
            case Say(text=text) | Ask(text=text):
                self._pass(now)
                for piece in self.pieces(text):
                    self.cursor = self.track.add(self.cursor, piece) + 0.25
            case Sound(name="siren" | "siren_stop"):
                pass  # a siren of four minutes helps nobody who listens to a demo; the printed day tells of it
            case Sound(name=name):
                self._pass(now)
                self.cursor = self.track.add(self.cursor, SOUNDS[name]())
            case Hush():
                self.track.cut(self.cursor)
            case _:
                pass

    def elder(self, clip: Path, now: datetime) -> None:
        """Put a clip on the track."""
        self._pass(now)
        samples = np.frombuffer(b"".join(wav_frames(clip)), dtype=np.int16)
        self.cursor = self.track.add(self.cursor, Speech(samples, 16_000))

    def write(self, path: Path) -> None:
        """All of it as one WAV. Raises XiaobanError where it cannot be written."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.track.write(path)
        except (OSError, wave.Error) as error:
            raise unwritten(path, error) from error

    def _pass(self, now: datetime) -> None:
        long = self.last is not None and (now - self.last).total_seconds() > 45
        self.cursor += SKIP if long else PAUSE
        self.last = now


def day(household: Household, out: Path, voice: str = "", data: Path | None = None) -> int:
    """Play the day, print it as it happens, print the ledger and write the WAV. Returns the exit code.

    Raises XiaobanError where the WAV cannot be written: before the day where that can be known, else after all is printed.
    """
    writable(out)
    script = places.day_script()
    if not script.exists():
        raise XiaobanError(f"没有找到演示的录音：{script}。请在源代码目录里运行 make demo。")
    stdout, stderr = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False)
    wanted = Voice(voice or household.voice.name, household.voice.volume)
    choice = chosen(wanted)
    stderr.print(f"声音：{choice.why}")
    recorder = Recorder(choice, SpeechCache((data or places.data_dir()) / "speech"))
    lines = parse(script.read_text(encoding="utf-8"), script.name)
    stage = Stage(
        dialogue(household, forgetful_store()), VirtualClock(datetime(2026, 11, 22, 7, 0, tzinfo=household.zone)),
        speech_seconds=recorder.seconds, perform=recorder.perform,
    )
    hearing = Hearing(household)
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=stderr, transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task("听第一段录音……")

        def hear(clip: Path) -> Heard:
            progress.update(task, description=f"听 {clip.name}")
            recorder.elder(clip, stage.clock.now)
            ask = stage.dialogue.asking
            return hearing.hear(clip, ask.asking if ask else None)

        player = Player(stage, script.parent, hear)
        shown = 0

        def show() -> None:
            nonlocal shown
            for happened in stage.happened[shown:]:
                if text := happened.told():
                    stdout.print(_coloured(happened, text))
            shown = len(stage.happened)

        try:
            player.play(lines, after_each=show)
        finally:
            hearing.close()
        show()
    stdout.print()
    print_text(report(stage.dialogue.store, stage.dialogue.household, stage.clock.now, days=1), stdout)
    recorder.write(out)
    stdout.print(f"整段对话：{out}（{recorder.track.seconds / 60:.1f} 分钟）")
    if player.differences:
        stderr.print(f"[yellow]和样例的一天有 {len(player.differences)} 处不同[/]（换了家庭文件或录音就会这样）")
    return 0


def unwritten(path: Path, error: Exception) -> XiaobanError:
    """What to tell whoever wanted a recording there."""
    return XiaobanError(f"录音写不进去：{path}（{getattr(error, 'strerror', None) or error}）。请换一个地方。")


def writable(path: Path) -> None:
    """Raises XiaobanError where no file can be made at `path`; what is there stays."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        there = path.exists()
        with path.open("ab"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise unwritten(path, error) from error


def _coloured(happened: Happened, text: str) -> str:
    text = text.replace("[", "\\[")
    match happened.who, happened.kind:
        case "xiaoban", "said" | "asked":
            return f"[cyan]{text}[/]"
        case "elder", _:
            return f"[bold]{text}[/]"
        case _, "sent" | "called" | "acknowledged" | "failed":
            return f"[green]{text}[/]"
        case _:
            return f"[dim]{text}[/]"
