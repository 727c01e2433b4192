"""Every play in tests/plays runs as written."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.household import load
from assistant.places import VOSK, models_dir, sample_household
from assistant.play import play_file

PLAYS = sorted((Path(__file__).parent / "plays").glob("*.play"))


@pytest.mark.parametrize("path", PLAYS, ids=lambda p: p.stem)
def test_play_runs_as_written(path: Path) -> None:
    if "♪" in path.read_text(encoding="utf-8") and not (models_dir() / VOSK).exists():
        pytest.skip("the speech model is not here: run `make fetch`")
    _, differences = play_file(path, load(sample_household()))
    assert "\n".join(str(d) for d in differences) == ""
