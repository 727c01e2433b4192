"""Where things lie: what ships with the program, what was fetched, what belongs to this home."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import platformdirs

LEDGER = "ledger.db"
"""Name of the ledger in the data folder."""

RECORDINGS = "recordings"
"""Folder in the data folder for the sound of messages that wait to be sent."""

VOSK = "vosk-model-small-cn-0.22"
"""Folder of the Mandarin model in the models folder."""

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """A folder that ships with us (`intents`, `voices`, `models`): inside an installed wheel or beside a checkout."""
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name


def sample_household() -> Path:
    """The sample family file."""
    return _PACKAGE / "sample.yaml"


def models_dir() -> Path:
    """Where fetched models and voices lie: XIAOBAN_MODELS, else `models/` of a checkout, else the user's data."""
    if named := os.environ.get("XIAOBAN_MODELS"):
        return Path(named)
    beside = _PACKAGE.parent / "models"
    if (beside / "models.toml").exists():
        return beside
    return data_dir() / "models"


def data_dir() -> Path:
    """The ledger, its backups and the speech cache."""
    return Path(platformdirs.user_data_dir("xiaoban"))


def cache_dir() -> Path:
    """What can be worked out again: the phrases as read."""
    return Path(platformdirs.user_cache_dir("xiaoban"))


def household_file() -> Path:
    """The family's file where none is named."""
    return Path(platformdirs.user_config_dir("xiaoban")) / "家庭.yaml"


def warming_clip() -> Path:
    """A short sentence that decoders hear before anybody speaks: one of the demo's day."""
    folder = _PACKAGE / "day" if (_PACKAGE / "day").exists() else _PACKAGE.parent / "tests" / "clips"
    return folder / "day" / "grandson.opus"


def day_script() -> Path:
    """The play of the demo's day: inside an installed wheel or in a checkout."""
    inside = _PACKAGE / "day" / "day.play"
    return inside if inside.exists() else _PACKAGE.parent / "tests" / "plays" / "day.play"


def command(rest: str) -> str:
    """One of our commands as it is to be typed here: `command("fetch")`, called the way this program was."""
    try:
        here = Path.cwd()
    except OSError:  # the folder it was called from is gone
        here = Path("/")
    return f"{called(sys.argv[0], sys.executable, here)} {rest}"


def called(program: str, python: str, here: Path) -> str:
    """How `program` (argv[0]) was called from the folder `here`: `.venv/bin/python run_assistant.py`, or `xiaoban` where it is installed."""
    if Path(program).name == "run_assistant.py":
        interpreter = Path(python)
        if interpreter.is_relative_to(here):
            return f"{interpreter.relative_to(here)} {program}"
        return f"{interpreter.name if shutil.which(interpreter.name) == python else python} {program}"
    return program if Path(program).name == "xiaoban" and shutil.which("xiaoban") != program else "xiaoban"
