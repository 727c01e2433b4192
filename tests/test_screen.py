"""The screen with a stand-in for the browser: a program that writes down what it was asked, and stays."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from time import monotonic

import pytest

from assistant.messages import Acknowledged, Show
from assistant.screen import Screen
from tests.faults.scene import hear, lines, stage, wait
from tests.test_calls import _key

ROOM = "https://meet.example/abc"


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    program = tmp_path / "bin" / "chromium"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked.part\nmv {tmp_path}/asked.part {tmp_path}/asked\nsleep 60 &\nwait\n')
    program.chmod(0o755)
    return program


def _asked(folder: Path) -> str:
    end = monotonic() + 10
    while not (folder / "asked").exists() and monotonic() < end:
        threading.Event().wait(0.02)
    return (folder / "asked").read_text()


def test_a_room_fills_the_screen_and_is_gone_with_all_it_knew(browser: Path, tmp_path: Path) -> None:
    screen = Screen({"PATH": f"{browser.parent}:/usr/bin:/bin", "WAYLAND_DISPLAY": "wayland-0"})
    shown = screen.show(ROOM)
    asked = _asked(tmp_path)
    folder = Path(asked.split("--user-data-dir=")[1].split()[0])
    open_then = (screen.showing, folder.is_dir())
    screen.close()
    assert (shown, "--kiosk" in asked, asked.strip().endswith(ROOM), open_then, (screen.showing, folder.exists())) == (
        True, True, True, (True, True), (False, False),
    )


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "javascript:alert(1)", "--remote-debugging-port=1", "https://"])
def test_only_web_addresses_are_shown(browser: Path, url: str) -> None:
    screen = Screen({"PATH": str(browser.parent), "DISPLAY": ":0"})
    assert (screen.show(url), screen.showing) == (False, False)


@pytest.mark.parametrize("environment", [{"PATH": "/nowhere", "DISPLAY": ":0"}, {"PATH": "{bin}"}])
def test_without_a_screen_or_a_browser_nothing_is_opened(browser: Path, environment: dict[str, str]) -> None:
    screen = Screen({name: value.replace("{bin}", str(browser.parent)) for name, value in environment.items()})
    assert (screen.there, screen.show(ROOM)) == (False, False)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_real_browser_opens_and_closes(tmp_path: Path) -> None:
    screen = Screen({"PATH": "/usr/bin:/bin", "DISPLAY": ":0", "HOME": str(tmp_path)}, ("--headless=new", "--no-sandbox"))
    shown = screen.show("http://127.0.0.1:9/")
    threading.Event().wait(1.0)
    alive = screen.showing
    screen.close()
    assert (shown, alive, screen.showing) == (True, True, False)


def test_an_accepted_video_call_is_shown_and_hanging_up_closes_it() -> None:
    scene = stage()
    shown: list[str] = []
    scene.perform = lambda action, _now: shown.append(action.url) if isinstance(action, Show) else None
    hear(scene, "跟敏敏视频")
    wait(scene, 5)
    scene.tell(Acknowledged(_key(scene), "刘敏", "accepted"))
    wait(scene, 30)
    hear(scene, "挂了")
    wait(scene, 5)
    assert (shown[0].startswith("https://meet.example/"), shown[1:], lines(scene, "said")[-1]) == (True, [""], "视频关了。")
