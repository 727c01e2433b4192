"""Answers by link: the right person's, once, and nobody else's."""

from __future__ import annotations

import queue
import socket
import string
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.messages import Acknowledged, Notify
from assistant.notify.acks import LIFE, Claim, Links, Page, Refused, Used, answered, read, secret_of, sign
from assistant.notify.web import fetch
from tests.faults.scene import NOON

SECRET = b"s" * 32
CLAIM = Claim("i2026-1-m0-刘敏-微信", "刘敏", int((NOON + LIFE).timestamp()))


@pytest.fixture
def events() -> queue.Queue[Acknowledged]:
    return queue.Queue()


@pytest.fixture
def page(tmp_path: Path, events: queue.Queue[Acknowledged]) -> Iterator[Page]:
    server = Page(("127.0.0.1", 0), SECRET, Used(tmp_path / "used"), lambda: NOON, events.put)
    yield server
    server.close()


def _ask(page: Page, method: str, path: str) -> int:
    return fetch(method, f"http://127.0.0.1:{page.port}/{path}", seconds=5.0).status


def test_the_link_of_a_message_answers_in_the_name_of_its_reader(page: Page, events: queue.Queue[Acknowledged]) -> None:
    notify = Notify(1, "i2026-1-m0-刘敏-微信", "刘敏", "微信", "t", "b", True)
    line = Links(f"http://127.0.0.1:{page.port}", SECRET, lambda: NOON)(notify)
    token = line.rsplit("/", 1)[1]
    assert (_ask(page, "GET", token), events.empty()) == (200, True)  # a preview answers nothing
    assert _ask(page, "POST", f"{token}/coming") == 200
    assert events.get_nowait() == Acknowledged("i2026-1-m0-刘敏-微信", "刘敏", "coming")


def test_each_answer_counts_once_and_survives_a_restart(tmp_path: Path) -> None:
    token = sign(SECRET, CLAIM)
    assert answered(SECRET, Used(tmp_path / "used"), token, "coming", NOON).answer == "coming"
    with pytest.raises(Refused, match="repeated"):
        answered(SECRET, Used(tmp_path / "used"), token, "coming", NOON)
    assert answered(SECRET, Used(tmp_path / "used"), token, "arrived", NOON).answer == "arrived"


def test_an_answer_counts_once_also_on_a_full_disk(tmp_path: Path) -> None:
    used, token = Used(tmp_path / "used"), sign(SECRET, CLAIM)
    (tmp_path / "used").symlink_to("/dev/full")
    assert answered(SECRET, used, token, "coming", NOON).answer == "coming"
    with pytest.raises(Refused, match="repeated"):
        answered(SECRET, used, token, "coming", NOON)


def test_an_answer_after_one_that_was_torn_is_still_remembered(tmp_path: Path) -> None:
    (tmp_path / "used").write_text("0123abc", encoding="ascii")
    answered(SECRET, Used(tmp_path / "used"), sign(SECRET, CLAIM), "coming", NOON)
    with pytest.raises(Refused, match="repeated"):
        answered(SECRET, Used(tmp_path / "used"), sign(SECRET, CLAIM), "coming", NOON)


@pytest.mark.parametrize(("told", "shown"), [("", "收到了，已经告诉小伴"), ("这次报警已经解除了", "这次报警已经解除了"), (None, "收到了，正在告诉小伴")])
def test_the_page_says_what_came_of_the_answer(tmp_path: Path, told: str | None, shown: str) -> None:
    page = Page(("127.0.0.1", 0), SECRET, Used(tmp_path / "used"), lambda: NOON, lambda _event: told)
    body = fetch("POST", f"http://127.0.0.1:{page.port}/{sign(SECRET, CLAIM)}/coming", seconds=5.0).body
    page.close()
    assert shown in body.decode()


def test_an_old_link_is_refused() -> None:
    with pytest.raises(Refused, match="expired"):
        read(SECRET, sign(SECRET, CLAIM), NOON + LIFE + timedelta(seconds=1))


def test_a_link_of_another_device_is_refused() -> None:
    with pytest.raises(Refused, match="forged"):
        read(SECRET, sign(b"t" * 32, CLAIM), NOON)


@given(st.text(alphabet=string.ascii_letters + string.digits + "-_.|%/", max_size=80))
def test_nothing_made_up_is_accepted(token: str) -> None:
    with pytest.raises(Refused):
        read(SECRET, token, NOON)


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_no_letter_of_a_link_can_be_changed(place: int, letter: str) -> None:
    token = sign(SECRET, CLAIM)
    place %= len(token)
    if token[place] == letter:
        return
    changed = token[:place] + letter + token[place + 1 :]
    with pytest.raises(Refused):
        read(SECRET, changed, NOON)


@pytest.mark.parametrize("path", ["", "x", "../etc/passwd", "a.b/coming", "%00", "x" * 5000])
def test_strange_addresses_are_refused_and_harm_nothing(page: Page, events: queue.Queue[Acknowledged], path: str) -> None:
    assert (_ask(page, "GET", path), _ask(page, "POST", path), events.empty()) == (403, 403, True)


def test_an_answer_that_is_no_button_is_refused(page: Page, events: queue.Queue[Acknowledged]) -> None:
    assert (_ask(page, "POST", f"{sign(SECRET, CLAIM)}/confirmed"), events.empty()) == (403, True)


def test_one_who_connects_and_says_nothing_blocks_nobody(page: Page) -> None:
    silent = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(20)]
    assert _ask(page, "GET", sign(SECRET, CLAIM)) == 200
    for one in silent:
        one.close()


def test_the_key_is_private_and_stays(tmp_path: Path) -> None:
    first = secret_of(tmp_path)
    assert (secret_of(tmp_path), (tmp_path / "answers.key").stat().st_mode & 0o777, len(first)) == (first, 0o600, 32)


def test_ordinary_notices_carry_no_link() -> None:
    assert Links("http://h", SECRET, lambda: NOON)(Notify(1, "m-1", "刘敏", "c", "t", "b")) == ""
