"""The commands as a person meets them: exit codes, one message on stderr, machine output alone on stdout."""

from __future__ import annotations

import argparse
import ast
import errno
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from assistant.cli import COMMANDS, Command, main, parser
from assistant.places import VOSK, called, models_dir, sample_household

SAMPLE = ["--household", str(sample_household()), "--now", "2026-11-22T15:00"]
needs_model = pytest.mark.skipif(not (models_dir() / VOSK).exists(), reason="the speech model is not here: run `make fetch`")


def test_understanding_prints_one_object_a_line_with_exactly_the_agreed_keys(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["understand", "--json", *SAMPLE, "药我吃了没有啊", "电视里喊救命"])
    asked, tv = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (code, set(asked), set(asked["seconds"])) == (
        0, {"clip", "heard", "intent", "slots", "score", "seconds"}, {"audio", "decode", "understand"},
    )
    assert (asked["intent"], tv["intent"]) == ("medication.query", None)


def test_times_and_lengths_are_shown_as_agreed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["understand", "--json", *SAMPLE, "十分钟后叫我关火", "每周一三五早上八点提醒我吃钙片"])
    once, weekly = (json.loads(line)["slots"]["when"] for line in capsys.readouterr().out.splitlines())
    assert (once, weekly) == ("2026-11-22T15:10", {"every": "week", "days": ["MO", "WE", "FR"], "at": ["08:00"]})


def test_an_open_question_changes_what_a_word_means(capsys: pytest.CaptureFixture[str]) -> None:
    main(["understand", "--json", *SAMPLE, "--asking", "dose", "吃了吃了"])
    assert json.loads(capsys.readouterr().out)["intent"] == "medication.taken"


def test_explain_shows_the_way_to_the_decision(capsys: pytest.CaptureFixture[str]) -> None:
    main(["understand", "--explain", *SAMPLE, "想看看孙子"])
    out = capsys.readouterr().out
    assert [word for word in ("读音", "决定", "call.video") if word not in out] == []


@needs_model
def test_every_step_is_shown_of_a_recording_too(capsys: pytest.CaptureFixture[str]) -> None:
    clip = str(Path(__file__).parent / "clips" / "day" / "grandson.opus")
    code = main(["understand", "--explain", *SAMPLE, clip])
    shown = capsys.readouterr().out
    assert (code, clip in shown, "听到（free" in shown, "听到（grammar" in shown, "决定：call.video" in shown) == (0, True, True, True, True)


@pytest.mark.parametrize("arguments", [["fly"], ["hear"], ["understand", "--asking", "weather", "好"]])
def test_a_wrong_command_line_exits_with_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_a_command_there_is_not_is_told_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["chek"])
    told = capsys.readouterr().err
    assert (told.splitlines()[0], [name for name in COMMANDS if f"\n  {name} " not in told]) == ("没有「chek」这个命令。是不是 check？有这些：", [])


def test_an_option_there_is_not_is_told_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "--frobnicate"])
    assert capsys.readouterr().err == "这条命令写得不对：unrecognized arguments: --frobnicate\n看看怎么写：xiaoban --help\n"


def test_an_unreadable_now_is_told_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["understand", "--household", str(sample_household()), "--now", "yesterday", "好"])
    assert (code, "看不懂 --now" in capsys.readouterr().err) == (1, True)


def test_run_without_a_family_file_says_how_to_begin(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = main(["run", "--household", str(tmp_path / "没有.yaml"), "--data", str(tmp_path)])
    assert (code, "check --new" in capsys.readouterr().err) == (1, True)


def test_a_family_file_with_mistakes_names_all_of_them_and_its_own_code(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    broken = tmp_path / "家庭.yaml"
    broken.write_text("老人: {名字: 王秀珍}\n家人:\n  - {名字: 刘敏, 电话: abc}\n药:\n  - {药名: 缬沙坦, 时间: 二十五点}\n", encoding="utf-8")
    code = main(["understand", "--household", str(broken), "好"])
    told = capsys.readouterr().err
    assert (code, "第 3 行" in told, "第 5 行" in told) == (3, True, True)


def test_without_models_hear_says_to_fetch_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XIAOBAN_MODELS", str(tmp_path))
    code = main(["hear", *SAMPLE, "nothing.wav"])
    assert (code, "xiaoban fetch" in capsys.readouterr().err) == (4, True)


@needs_model
def test_bad_clips_are_told_one_by_one_and_the_good_one_is_heard(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rate = 8000
    chance = np.random.default_rng(1)
    soundfile.write(tmp_path / "silence.wav", np.zeros(rate * 2), rate)
    soundfile.write(tmp_path / "noise.wav", chance.standard_normal(rate * 3) * 0.05, rate)
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), rate)
    soundfile.write(tmp_path / "long.wav", np.zeros(rate * 7200, dtype=np.int16), rate)
    (tmp_path / "text.wav").write_text("not sound")
    names = ["silence.wav", "noise.wav", "empty.wav", "long.wav", "text.wav", "none.wav"]
    good = Path(__file__).parent / "clips" / "day" / "grandson.opus"
    code = main(["hear", "--json", *SAMPLE, *[str(tmp_path / name) for name in names], str(good)])
    out, err = capsys.readouterr()
    heard = {Path(line["clip"]).name: line["intent"] for line in map(json.loads, out.splitlines())}
    assert heard == {"silence.wav": None, "noise.wav": None, "grandson.opus": "call.video"}
    assert (code, [name for name in ("empty", "long", "text", "none") if f"{name}.wav" not in err]) == (6, [])


def test_a_play_that_differs_exits_with_one_and_shows_where(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    play = tmp_path / "x.play"
    play.write_text("@ 2026-11-22 15:00\n奶奶：现在几点了\n小伴：现在是半夜。\n", encoding="utf-8")
    code = main(["play", "--household", str(sample_household()), str(play)])
    out, err = capsys.readouterr()
    assert (code, "下午三点" in out, "第 3 行" in err) == (1, True, True)


def test_a_play_as_json_is_one_event_a_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    play = tmp_path / "x.play"
    play.write_text("@ 2026-11-22 15:00\n奶奶：现在几点了\n", encoding="utf-8")
    main(["play", "--json", "--household", str(sample_household()), str(play)])
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(e["who"], e["kind"]) for e in events if e["kind"] == "said"] == [("elder", "said"), ("xiaoban", "said")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert (caught.value.code, "--household" in capsys.readouterr().out) == (0, True)


def test_a_new_file_and_one_left_alone_are_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "家庭.yaml"
    told = []
    for _ in range(2):
        main(["check", "--new", "--household", str(path), "--data", str(tmp_path / "data")])
        told.append(capsys.readouterr().out.splitlines()[0])
    assert told == [f"放了一份样例：{path}。改成自家的，再检查一遍。", f"已经有家庭文件了，没有动它：{path}"]


ROOT = Path(__file__).parent.parent
GUIDES = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def named_commands() -> list[tuple[str, str]]:
    """(where, what stands after the program's name) of every command that a guide or a message tells somebody to call."""
    found = []
    for guide in GUIDES:
        text = guide.read_text("utf-8")
        found += [(guide.name, one) for one in re.findall(r"(?:run_assistant\.py|`xiaoban) ([a-z][^`\n]*)", text)]
    for path in sorted((ROOT / "assistant").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("command", "places.command") and isinstance(node.args[0], ast.Constant) and node.args[0].value:
                found.append((path.name, str(node.args[0].value)))
    return found


@pytest.mark.parametrize(("where", "words"), named_commands())
def test_every_command_that_is_named_exists_with_its_options(where: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    name, *rest = words.split()
    assert name in COMMANDS
    with pytest.raises(SystemExit):
        parser().parse_args([name, "--help"])
    known = set(re.findall(r"--[a-z]+", capsys.readouterr().out))
    assert [option for option in re.findall(r"--[a-z]+", " ".join(rest)) if option not in known] == []


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {one for guide in GUIDES for one in re.findall(r"(?:`|^)make ([a-z-]+)", guide.read_text("utf-8"), re.MULTILINE)}
    assert (named - targets, {"demo", "check", "run", "doctor"} - named) == (set(), set())


def test_no_message_names_a_program_that_may_not_be_installed() -> None:
    written = re.compile(r"[\u3400-\u9fff：] ?xiaoban [a-z]")
    found = [
        (path.name, node.value)
        for path in sorted((ROOT / "assistant").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and written.search(node.value)
    ]
    guides = [guide.name for guide in (ROOT / "README.zh.md", ROOT / "docs" / "家庭文件.md") if "`xiaoban " in guide.read_text("utf-8")]
    assert (found, guides) == ([], [])


@pytest.mark.parametrize(("program", "python", "typed"), [
    ("run_assistant.py", "/home/li/xiaoban/.venv/bin/python", ".venv/bin/python run_assistant.py"),
    ("/opt/xiaoban/run_assistant.py", "/opt/xiaoban/.venv/bin/python", "/opt/xiaoban/.venv/bin/python /opt/xiaoban/run_assistant.py"),
    ("/home/li/xiaoban/.venv/bin/xiaoban", "/home/li/xiaoban/.venv/bin/python", "/home/li/xiaoban/.venv/bin/xiaoban"),
    ("/usr/lib/python3/pytest/__main__.py", "/usr/bin/python3", "xiaoban"),
])
def test_a_hint_names_the_command_as_it_was_called(program: str, python: str, typed: str) -> None:
    assert called(program, python, Path("/home/li/xiaoban")) == typed


def test_a_report_over_a_broken_ledger_says_so_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(b"broken" * 1000)
    household, page = ["--household", str(sample_household()), "--data", str(tmp_path)], tmp_path / "报告.html"
    codes = main(["report", *household]), main(["report", *household, "--html", str(page)])
    told = capsys.readouterr()
    assert (codes, "账本坏了" in told.out, "账本坏了" in told.err, "账本坏了" in page.read_text(encoding="utf-8")) == (
        (7, 7), True, True, True)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["ledger.db", "报告.html"]


@pytest.mark.parametrize("command", ["run", "report"])
def test_data_that_is_no_folder_is_said_in_one_sentence(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    code = main([command, "--household", str(sample_household()), "--data", str(tmp_path / "file")])
    assert (code, "不是一个目录" in capsys.readouterr().err) == (7, True)


def test_a_recording_that_cannot_be_written_is_said_before_the_day_is_played(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["demo", "--out", "/proc/x.wav"])
    told = capsys.readouterr()
    assert (code, told.out, told.err.count("\n"), "录音写不进去：/proc/x.wav" in told.err) == (1, "", 1, True)


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "磁盘满了"), (errno.EACCES, "没有权限"), (errno.ELOOP, "xiaoban doctor")])
def test_whatever_a_disk_refuses_is_one_sentence(
    number: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(_: argparse.Namespace) -> int:
        raise OSError(number, os.strerror(number), "/x/y")

    monkeypatch.setitem(COMMANDS, "try", Command("", lambda _: None, refused))
    code = main(["try"])
    told = capsys.readouterr().err
    assert (code, told.count("\n"), told.startswith("/x/y："), said in told) == (1, 1, True, True)
