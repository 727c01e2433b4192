"""Tomorrow spoken for the family: every line is heard, and nothing is lost without a loudspeaker."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from assistant.check import preview
from assistant.errors import XiaobanError
from assistant.home import Household
from assistant.household import load
from assistant.places import sample_household
from assistant.preview import aloud
from assistant.speak.speech import Samples


@dataclass
class Remembering:
    """A loudspeaker that keeps what it plays; with `fails` it is gone after the first piece."""

    fails: bool = False
    played: list[Samples] = field(default_factory=list)
    sample_rate: int = 48_000

    def write(self, samples: Samples) -> None:
        if self.fails and self.played:
            raise OSError("gone")
        self.played.append(samples)

    def drain(self) -> None: ...

    def abort(self) -> None: ...

    def close(self) -> None: ...


def _home() -> Household:
    home = load(sample_household())
    return replace(home, voice=replace(home.voice, name="机器声"), medicines=home.medicines[:1], reminders=())


def _tomorrow(folder: Path, output: Remembering) -> tuple[str, float]:
    home, out = _home(), io.StringIO()
    path = aloud(home, datetime(2026, 11, 22, 12, tzinfo=home.zone), folder, out, output=output)
    return out.getvalue(), soundfile.info(path).duration


def test_every_line_of_tomorrow_is_printed_played_and_recorded(tmp_path: Path) -> None:
    output = Remembering()
    said, seconds = _tomorrow(tmp_path, output)
    home = _home()
    lines = [line.text for line in preview(home, datetime(2026, 11, 22, 12, tzinfo=home.zone))]
    played = sum(len(piece) for piece in output.played) / output.sample_rate
    assert lines
    assert [line for line in lines if line not in said] == []
    assert np.abs(np.concatenate(output.played)).max() > 3000
    assert 0.5 * seconds < played < seconds


def test_a_loudspeaker_that_goes_away_costs_no_line_of_the_recording(tmp_path: Path) -> None:
    _, whole = _tomorrow(tmp_path / "one", Remembering())
    said, seconds = _tomorrow(tmp_path / "other", Remembering(fails=True))
    assert (seconds, "没有放出声音" in said) == (whole, True)


def test_a_recording_that_cannot_be_written_costs_no_line_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "明天.wav").mkdir()
    home, out, output = _home(), io.StringIO(), Remembering()
    now = datetime(2026, 11, 22, 12, tzinfo=home.zone)
    with pytest.raises(XiaobanError, match="录音写不进去"):
        aloud(home, now, tmp_path, out, output=output)
    assert ([line.text for line in preview(home, now) if line.text not in out.getvalue()], output.played != []) == ([], True)
