"""Text messages through a stand-in for mmcli that behaves, refuses, hangs or has no network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

from assistant.errors import HouseholdError
from assistant.household import parse
from assistant.messages import Notify
from assistant.notify.channel import Outcome
from assistant.notify.channels import channel
from assistant.notify.sms import Sms

MESSAGE = Notify(7, "k-1", "刘敏", "短信", "【紧急】", "王奶奶\"摔倒了\"'快来'", urgent=True)

MODES = {
    "ok": """case "$*" in *create-sms*) echo "Successfully created new SMS: /org/freedesktop/ModemManager1/SMS/5";; esac""",
    "no modem": """echo "error: couldn't find modem" >&2; exit 1""",
    "refuses": """case "$*" in *create-sms*) echo /org/freedesktop/ModemManager1/SMS/5;; *--send*) echo "error: couldn't send the SMS: no network" >&2; exit 1;; esac""",
    "hangs": """case "$*" in *create-sms*) echo /org/freedesktop/ModemManager1/SMS/5;; *) exec sleep 30;; esac""",
    "hangs first": "exec sleep 30",
    "silent": "true",
    "registered": "echo 'modem.generic.state : registered'",
    "searching": "echo 'modem.generic.state : searching'",
}


def _modem(folder: Path, mode: str) -> Sms:
    program = folder / "mmcli"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {folder}/asked\n{MODES[mode]}\n', encoding="utf-8")
    program.chmod(0o755)
    return Sms("+8613800000001", str(program))


@pytest.mark.parametrize(
    ("mode", "ok", "ambiguous"),
    [("ok", True, False), ("no modem", False, False), ("refuses", False, False), ("hangs", False, True), ("hangs first", False, False),
     ("silent", False, False)],
)
def test_each_end_of_a_message_is_told_as_it_is(tmp_path: Path, mode: str, ok: bool, ambiguous: bool) -> None:
    begun = monotonic()
    outcome = _modem(tmp_path, mode).send(MESSAGE, 1.0)
    assert (outcome.ok, outcome.ambiguous, monotonic() - begun < 2.5) == (ok, ambiguous, True)


def test_a_message_is_made_sent_and_taken_out_of_the_modem(tmp_path: Path) -> None:
    _modem(tmp_path, "ok").send(MESSAGE, 5.0)
    made, sent, deleted = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert (made, sent, deleted) == (
        '-m any --messaging-create-sms=text="【紧急】：王奶奶＂摔倒了＂＇快来＇",number="+8613800000001"',
        "-s /org/freedesktop/ModemManager1/SMS/5 --send", "-m any --messaging-delete-sms=/org/freedesktop/ModemManager1/SMS/5",
    )


@pytest.mark.parametrize(("mode", "outcome"), [("registered", Outcome(True, "reached")), ("searching", Outcome(False, "modem searching"))])
def test_a_silent_test_sends_nothing_and_knows_whether_there_is_a_network(tmp_path: Path, mode: str, outcome: Outcome) -> None:
    assert (_modem(tmp_path, mode).probe(3.0), "create" in (tmp_path / "asked").read_text()) == (outcome, False)


@pytest.mark.parametrize("number", ["", "abc", '1380",number="110', "1 2", "138\n00"])
def test_a_strange_number_is_never_given_to_the_modem(tmp_path: Path, number: str) -> None:
    modem = replace(_modem(tmp_path, "ok"), number=number)
    assert (modem.send(MESSAGE, 3.0), "写错" in modem.check(), (tmp_path / "asked").exists()) == (Outcome(False, "bad number"), True, False)


def test_a_machine_without_mmcli_says_so() -> None:
    modem = Sms("13800000001", "no-such-program")
    assert (modem.send(MESSAGE, 1.0), "apt install modemmanager" in modem.check()) == (Outcome(False, "mmcli is not installed"), True)


@pytest.mark.parametrize("address", ["sms:+86-138-0000-0001", "modem:+8613800000001"])
def test_both_addresses_are_text_messages(address: str) -> None:
    assert channel(address) == Sms("+8613800000001")


SMALL = "老人: {名字: 王秀珍}\n家人: [{名字: 刘敏, 关系: 女儿, 电话: '13800000001', 通知: [甲]}]\n通知: {甲: 'sms:13800000001'}\n"


def test_check_says_that_text_messages_are_an_experiment() -> None:
    assert [one for one in parse(SMALL).warnings if "短信还在试验" in one.what] != []


@pytest.mark.parametrize("room", ["https://meet.example", "https://meet.example/", "http://meet.example?x=1"])
def test_a_template_without_a_room_is_a_mistake(room: str) -> None:
    with pytest.raises(HouseholdError, match="房间"):
        parse(SMALL + f'视频: "{room}"\n')


def test_one_room_for_everybody_is_warned_of() -> None:
    assert [one for one in parse(SMALL + '视频: "https://meet.example/us"\n').warnings if "同一个房间" in one.what] != []
