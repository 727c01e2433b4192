"""The screen with a stand-in for the browser: a program that writes down what it was asked, and stays."""

from __future__ import annotations

import shutil
import threading
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest

from assistant.messages import Acknowledged, DeviceLost, Show
from assistant.screen import Screen
from assistant.stage import People, Stage
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


def _asked_for_video() -> tuple[Stage, list[str]]:
    scene = stage()
    shown: list[str] = []
    scene.perform = lambda action, _now: shown.append(action.url) if isinstance(action, Show) else None
    hear(scene, "跟敏敏视频")
    wait(scene, 5)
    return scene, shown


OFFER = "女儿刘敏回话了，说现在能视频。接不接？"
MISSED = "女儿刘敏刚才回话说能视频，没有接上。想视频再跟我说。"


@pytest.mark.parametrize(
    ("answer", "opened", "told", "state"),
    [("接", 1, "女儿刘敏说好，马上就来视频。", "accepted"), ("不接", 0, "好，不接。", "declined"), ("", 0, MISSED, "nobody")],
)
def test_a_late_yes_opens_no_camera_unless_she_says_so_too(answer: str, opened: int, told: str, state: str) -> None:
    scene, shown = _asked_for_video()
    wait(scene, 10 * 3600)
    scene.tell(Acknowledged(_key(scene), "刘敏", "accepted"))
    wait(scene, 6)
    before = list(shown)
    if answer:
        hear(scene, answer, woken=False)
    wait(scene, 60)
    row = scene.dialogue.store.find("request")[0]
    assert (before, len(shown), OFFER in lines(scene, "asked"), lines(scene, "said")[-1], row["state"], row["wake_at"]) == (
        [], opened, True, told, state, None)


def test_a_late_yes_survives_a_power_cut_and_is_only_told_once_it_is_old() -> None:
    told = []
    for seconds in (30, 3600):
        scene, _ = _asked_for_video()
        wait(scene, 3600)
        scene.dialogue.handle(Acknowledged(_key(scene), "刘敏", "accepted"), scene.clock.now)
        again = stage(store=scene.dialogue.store, at=scene.clock.now + timedelta(seconds=seconds))
        wait(again, 60)
        told.append((lines(again, "asked"), lines(again, "said")))
    assert told == [([OFFER, OFFER], [MISSED]), ([], [MISSED])]


def test_a_second_click_opens_nothing_either() -> None:
    scene, shown = _asked_for_video()
    wait(scene, 3600)
    for _ in range(2):
        scene.tell(Acknowledged(_key(scene), "刘敏", "accepted"))
        wait(scene, 6)
    wait(scene, 60)
    assert (shown, scene.dialogue.store.find("request")[0]["state"]) == ([], "nobody")


def test_a_yes_to_a_message_that_seemed_held_up_hours_ago_is_late_too() -> None:
    scene = stage(people=People(network=False))
    shown: list[str] = []
    scene.perform = lambda action, _now: shown.append(action.url) if isinstance(action, Show) else None
    hear(scene, "跟敏敏视频")
    wait(scene, 3600)
    scene.tell(Acknowledged(_key(scene), "刘敏", "accepted"))
    wait(scene, 10)
    assert (shown, OFFER in lines(scene, "asked")) == ([], True)


@pytest.mark.parametrize("minutes", [1, 65, 60 * 30])
def test_a_room_is_closed_by_voice_however_long_it_was_open(minutes: int) -> None:
    scene, shown = _asked_for_video()
    scene.tell(Acknowledged(_key(scene), "刘敏", "accepted"))
    wait(scene, minutes * 60)
    hear(scene, "挂了")
    wait(scene, 5)
    hear(scene, "挂了")
    wait(scene, 5)
    assert (shown[1:], lines(scene, "said")[-2:]) == ([""], ["视频关了。", "现在没有在打电话。"])


@pytest.mark.parametrize("gone", ["screen", "power"])
def test_a_room_that_is_not_on_the_screen_is_not_closed(gone: str) -> None:
    scene, _ = _asked_for_video()
    scene.tell(Acknowledged(_key(scene), "刘敏", "accepted"))
    wait(scene, 20)
    if gone == "screen":
        scene.tell(DeviceLost("screen"))
    else:
        scene = stage(store=scene.dialogue.store, at=scene.clock.now)
    wait(scene, 20)
    hear(scene, "挂了")
    wait(scene, 5)
    assert lines(scene, "said")[-1] == "现在没有在打电话。"


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
