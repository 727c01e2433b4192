"""What doctor finds, against real peers: every channel's result and every door, in words a family can act on."""

from __future__ import annotations

import socket
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from assistant.care import SCHEMAS
from assistant.clock import SystemClock
from assistant.doctor import (
    LOOKS,
    Finding,
    _beats,
    _channels,
    _disk,
    _doors,
    _file,
    _history,
    _ledger,
    _models,
    plainly,
)
from assistant.home import Care, Channel, Contact, Household
from assistant.household import load, papers
from assistant.keeper import Keeper, Kept
from assistant.messages import UNPROBED
from assistant.notify.heartbeat import GOOD, NOTED
from assistant.notify.telephone import Settings, Telephone, installed
from assistant.places import LEDGER, sample_household
from assistant.sensors import Port
from assistant.stage import People
from assistant.store import Store, stamp
from tests.faults.peers import web
from tests.faults.scene import hear, household, stage, wait
from tests.faults.sip import phone


def _home(care: Care | None = None, **urls: str) -> Household:
    return household(channels=tuple(Channel(name, url) for name, url in urls.items()), care=care or Care())


def _said(found: list[Finding]) -> dict[str, tuple[bool, str]]:
    return {one.what: (one.well, one.said) for one in found}


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize(("saved", "known", "said"), [
    ("剂量: 0片", "剂量: 0片", "改好以前，小伴接着用这份，它早就用惯了。这几处先这样办：\n家庭文件第 17 行：剂量照写的念。"),
    ("剂量: [一, 二]", "剂量: 0片", "改好以前，小伴用的还是上一次的文件，里面也有这一版不收的。这几处先这样办：\n家庭文件第 17 行：剂量照写的念。"),
    ("剂量: [一, 二]", "剂量: 一粒", "改好以前，小伴用的还是上一次没有错的文件。"),
    ("剂量: 0片", "", "改好以前，小伴没有文件可用，开始不了。"),
])
def test_a_file_with_mistakes_is_told_with_what_is_done_until_it_is_mended(tmp_path: Path, saved: str, known: str, said: str) -> None:
    sample, path = sample_household().read_text("utf-8"), tmp_path / "家庭.yaml"
    if known:
        path.write_text(sample.replace("剂量: 一粒", known, 1), "utf-8")
        Keeper(path, tmp_path).keep(Kept(load(sample_household()), papers=papers(path)))
    path.write_text(sample.replace("剂量: 一粒", saved, 1), "utf-8")
    home, found = _file(path, tmp_path)
    assert (home is not None, found.well, "家庭文件第 17 行：缬沙坦" in found.said, found.said.endswith(said)) == (bool(known), False, True, True), found.said


def test_each_channel_is_tried_without_a_word_and_its_result_is_told(tmp_path: Path) -> None:
    with web("ok") as good:
        found = _said(list(_channels(_home(
            好=f"json://127.0.0.1:{good.port}/", 关=f"json://127.0.0.1:{_free()}/", 错="json://",
        ), tmp_path)))
        heard = [one for one in good.got if one.get("body")]
    assert (found["通知 好"], found["通知 关"], found["通知 错"][0], heard) == (
        (True, "通"), (False, "对方不收，看看地址和密码"), False, [],
    )


def test_a_number_that_nothing_can_ring_and_an_address_nobody_can_read_are_told(tmp_path: Path) -> None:
    home = replace(_home(信="mailto://nobody"), family=(Contact("刘敏", "女儿", phone="13800000001"),))
    found = _said(list(_channels(home, tmp_path)))
    assert found == {
        "通知 信": (False, "地址读不懂，应该像 mailto://账号:授权码@qq.com"),
        "家人 刘敏": (False, "只有电话，可是没有网络电话账号，出了事打不出去。请在 通知 里加上 sip: 账号。"),
    }


@pytest.mark.skipif(not installed(), reason="baresip is not installed (apt install baresip)")
def test_an_account_the_provider_refuses_is_said_as_that(tmp_path: Path) -> None:
    with phone("answer") as far:
        far.register = "403 Forbidden"
        refused = _said(list(_channels(_home(电话=f"sip:xiaoban:wrong@127.0.0.1:{far.port}"), tmp_path)))
        far.register = "200 OK"
        content = _said(list(_channels(_home(电话=f"sip:xiaoban:right@127.0.0.1:{far.port}"), tmp_path)))
    assert (refused["通知 电话"], content["通知 电话"][0]) == ((False, "账号登不上：对方不收，看看地址和密码"), True)


def _left_behind(data: Path, people: People, *, drill: bool) -> None:
    """What two days of a house leave behind."""
    with closing(Store.open(data / LEDGER, SCHEMAS)) as store:
        scene = stage(people=people, store=store)
        if drill:
            hear(scene, "咱们演习一回")
            scene.until_quiet()
            hear(scene, "要")
        wait(scene, 2 * 86400)


@pytest.mark.parametrize(("people", "drill", "test", "said"), [
    (People(), False, (True, "最近一次 2026-11-24 10:15，都通"), (True, "还没有演习过。说一声“咱们演习一回”，看看叫不叫得到人。")),
    (People(dead_channels={"电话", "老王短信"}), True, (False, "最近一次 2026-11-24 10:15，试不通：电话 2 天了，等了很久没有回音；老王短信 2 天了，等了很久没有回音"),
     (False, "11月22日 12:00 演习：消息发给了刘敏、刘强、刘小军；没发出去：王建国；电话打不出去：刘敏、刘强、王建国、刘小军")),
])
def test_the_daily_tests_and_the_last_drill_are_told(
    tmp_path: Path, people: People, drill: bool, test: tuple[bool, str], said: tuple[bool, str]
) -> None:
    _left_behind(tmp_path, people, drill=drill)
    found = _said(list(_history(household(), tmp_path)))
    assert (found["每天自检"][0], sorted(found["每天自检"][1]), found["演习"][0], found["演习"][1].partition("。一个多月")[0]) == (
        test[0], sorted(test[1]), *said
    )


def test_a_house_that_has_never_run_has_no_history(tmp_path: Path) -> None:
    assert list(_history(household(), tmp_path)) == []


@pytest.mark.skipif(not installed(), reason="baresip is not installed (apt install baresip)")
def test_the_silent_test_of_an_open_line_knows_whether_the_provider_wants_it() -> None:
    with phone("answer") as far:
        results = []
        for said in ("200 OK", "403 Forbidden"):
            far.register = said
            one = Telephone(Settings.read(f"sip:xiaoban:word@127.0.0.1:{far.port}"), lambda _text: None, rung=lambda _event: None)
            results.append(one.probe(15.0).ok)
            one.close()
        unknown = Telephone(Settings.read(f"sip:xiaoban@127.0.0.1:{far.port}"), lambda _text: None)
        results.append(unknown.probe(15.0).detail == UNPROBED)
        unknown.close()
    assert results == [True, False, True]


def test_doors_that_cannot_be_opened_are_told_with_what_to_do(tmp_path: Path) -> None:
    ours = Port(0, lambda _: None)
    care = Care(answers="http://192.168.1.20:1", sensors=ours.port, help_key=str(tmp_path / "button"), sensor_topic="mqtt://")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        first = _said(list(_doors(_home(care), tmp_path)))
        second = _said(list(_doors(_home(replace(care, sensors=taken, sensor_topic="", help_key="")), tmp_path)))
    ours.close()
    assert (first["感应器"], first["感应器主题"][0], first["求助键"][0], second["感应器"]) == (
        (True, f"小伴正在用端口 {ours.port}"), False, False, (False, f"端口 {taken} 被别的程序占了，请在家庭文件里换一个"),
    )


def test_a_closed_house_has_no_doors_to_look_at_and_a_lonely_contact_is_found(tmp_path: Path) -> None:
    lonely = household(channels=(), family=(Contact("刘敏", "女儿"),))
    assert (list(_doors(household(), tmp_path)), _said(list(_channels(lonely, tmp_path)))["家人 刘敏"][0]) == ([], False)


@pytest.mark.parametrize(
    ("detail", "said"),
    [("certificate: certificate has expired", "证书过期"), ("certificate: self-signed certificate", "冒充"), ("timed out", "没有回音"),
     ("Name or service not known", "找不到这个地址"), ("a web page instead of an answer (captive portal?)", "先登录"), ("HTTP 503", "有毛病"), ("zzz", "zzz")],
)
def test_every_result_has_plain_words(detail: str, said: str) -> None:
    assert said in plainly(detail)


@pytest.mark.parametrize(
    ("ago", "became", "well", "told"),
    [(4, GOOD, True, "报过平安"), (11, GOOD, False, "以后再没有报过"), (1, "HTTP 404", False, "没报成：地址不对"), (None, "", False, "还没有报过平安；连不上：对方不收")],
)
def test_the_last_beat_to_the_family_is_told(tmp_path: Path, ago: int | None, became: str, well: bool, told: str) -> None:
    home = _home(Care(heartbeat=f"http://127.0.0.1:{_free()}/"))
    store = Store.open(tmp_path / LEDGER, SCHEMAS)
    if ago is not None:
        store.remember(NOTED + "心跳", f"{stamp(SystemClock(home.zone).wall() - timedelta(minutes=ago))} {became}")
    store.close()
    found = _said(list(_beats(home, tmp_path)))
    assert (list(found), found["心跳"][0], told in found["心跳"][1]) == (["心跳"], well, True)


def test_an_address_of_beats_is_tried_without_a_beat(tmp_path: Path) -> None:
    with web("ok") as peer:
        found = _said(list(_beats(_home(Care(daily_beat=f"http://127.0.0.1:{peer.port}/")), tmp_path)))
    assert (found, peer.got) == ({"每日心跳": (True, "还没有报过平安；连得上，小伴运行起来就报")}, [])


def test_an_account_nobody_logs_in_to_is_not_called_well(tmp_path: Path) -> None:
    if not installed():
        pytest.skip("baresip is not installed (apt install baresip)")
    found = [
        _said(list(_channels(_home(电话=url), tmp_path)))["通知 电话"]
        for url in ("sip:xiaoban@sip.example.com", "sip:xiaoban@sip.example.com?register=no")
    ]
    assert [(well, "没有写密码" in said, "没有试过" in said) for well, said in found] == [(False, True, True), (True, False, True)]


def test_what_is_missing_and_what_is_no_folder_is_said_in_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XIAOBAN_MODELS", str(tmp_path))
    file = tmp_path / "file"
    file.write_text("no folder", encoding="utf-8")
    (models,) = _models(None, tmp_path)
    (disk,), (ledger,) = _disk(None, file), _ledger(None, file)
    assert (models.well, "Wanted(" in models.said, "xiaoban fetch" in models.said) == (False, False, True)
    assert [(one.well, "不是一个目录" in one.said) for one in (disk, ledger)] == [(False, True)] * 2


def test_a_broken_ledger_is_told_and_left_to_the_house(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"broken" * 1000)
    (found,) = _ledger(None, tmp_path)
    assert (found.well, "账本坏了" in found.said, [one.name for one in tmp_path.iterdir()]) == (False, True, ["ledger.db"])


def test_every_part_is_looked_at_once() -> None:
    assert len(LOOKS) == len(set(LOOKS)) == 11
