"""Two real telephones on the loopback: somebody rings us, people talk, and the line is free again afterwards."""

from __future__ import annotations

import queue
import re
import socket
import subprocess
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import which
from threading import Event as Flag
from time import monotonic

import numpy as np
import pytest

from assistant.listen.tap import Tap
from assistant.messages import Acknowledged, Call, Connected, Delivered, HungUp, Rang
from assistant.notify.telephone import RATE, Settings, Telephone, installed
from assistant.speak.speech import Samples, Speech
from tests.faults.sip import phone

pytestmark = pytest.mark.skipif(not installed(), reason="baresip is not installed (apt install baresip)")

PATIENCE = 20.0
Told = Delivered | Acknowledged | Rang | Connected | HungUp
ELDER_HZ, FAR_HZ, TAPE_HZ = 1000, 440, 700


def _wave(hertz: float, seconds: float = 30.0) -> Samples:
    return (9000 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.int16)


def _file(path: Path, samples: Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def _port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Phone:
    """A telephone and everything it told."""

    telephone: Telephone
    told: queue.Queue[Told] = field(default_factory=queue.Queue)
    seen: list[Told] = field(default_factory=list)

    def until(self, kind: type[Told]) -> Told:
        """The next of this kind."""
        while True:
            event = self.told.get(timeout=PATIENCE)
            self.seen.append(event)
            if isinstance(event, kind):
                return event

    def hears(self, hertz: float) -> bool:
        """Whether its other end says this tone, by now or soon."""
        end = monotonic() + PATIENCE
        while monotonic() < end:
            for path in (self.telephone.sound or Path()).glob("*dec*.wav"):
                sound = np.frombuffer(path.read_bytes()[44:][-RATE & ~1:], "<i2").astype(float)
                if len(sound) >= RATE // 2 and abs(_loudest(sound) - hertz) < 15:
                    return True
            Flag().wait(0.05)
        return False


def _loudest(sound: np.ndarray) -> float:  # type: ignore[type-arg]
    if not sound.any():
        return 0.0
    return float(np.argmax(np.abs(np.fft.rfft(sound * np.hanning(len(sound))))) * RATE / len(sound))


@dataclass
class Pair:
    elder: Phone
    far: Phone
    port: int

    def ring(self, seconds: float = 10.0) -> Rang:
        """The far one rings the elder's."""
        self.far.telephone.ring(Call(7, "far", "小伴", "电话", "elder", "", ring=seconds), self.far.told.put)
        rang = self.elder.until(Rang)
        assert isinstance(rang, Rang)
        return rang


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setattr("assistant.notify.telephone.NUMBER", re.compile(r"\w+\Z"))  # the far one dials a name
    port, there = _port(), _port()
    tone = lambda _text: Speech(_wave(TAPE_HZ, 2.0), RATE)  # noqa: E731
    phones = []
    for name, hertz, mine, other in (("elder", ELDER_HZ, port, there), ("13800000001", FAR_HZ, there, port)):
        source = _file(tmp_path / f"{name}.wav", _wave(hertz))
        told: queue.Queue[Told] = queue.Queue()
        settings = Settings(name, "127.0.0.1", port=other, listen=f"127.0.0.1:{mine}", source=f"aufile,{source}", player=f"aubridge,{name}")
        phones.append(Phone(Telephone(settings, tone, rung=told.put, key_wait=3.0), told))
    end = monotonic() + PATIENCE
    while monotonic() < end and not all(one.telephone._line for one in phones):
        Flag().wait(0.05)
    yield Pair(phones[0], phones[1], port)
    for one in phones:
        one.telephone.close()


def test_somebody_rings_is_answered_and_both_hear_each_other_until_one_hangs_up(pair: Pair) -> None:
    rang = pair.ring()
    pair.elder.telephone.pick_up(rang.key, "请您等一下")
    pair.far.until(Connected)
    waiting = pair.far.hears(TAPE_HZ)
    pair.elder.until(Connected)
    pair.far.telephone.talk("far")
    pair.elder.telephone.talk(rang.key)
    talk = (pair.far.hears(ELDER_HZ), pair.elder.hears(FAR_HZ))
    pair.elder.telephone.hang_up(rang.key)
    ended = (pair.elder.until(HungUp), pair.far.until(Delivered))
    assert (rang.number.partition("@")[0], waiting, talk, ended) == (
        "13800000001", True, (True, True), (HungUp(rang.key), Delivered(7, True, "talked")),
    )
    assert list((pair.elder.telephone.sound or Path()).iterdir()) == []


def test_a_call_that_is_refused_is_over_at_once_and_the_next_one_rings_again(pair: Pair) -> None:
    rang = pair.ring()
    pair.elder.telephone.hang_up(rang.key)
    ended = (pair.elder.until(HungUp), pair.far.until(Delivered))
    again = pair.ring()
    assert (ended, again.key != rang.key) == ((HungUp(rang.key), Delivered(7, False, "busy")), True)


def test_somebody_who_has_an_account_and_no_number_is_rung_at_it(pair: Pair) -> None:
    account = f"sip:13800000001@{pair.far.telephone._settings.listen}"
    pair.elder.telephone.ring(Call(9, "out", "刘敏", "电话", account, "", ring=10.0), pair.elder.told.put)
    rang = pair.far.until(Rang)
    assert isinstance(rang, Rang)
    assert rang.number.startswith("elder@127.0.0.1")


def test_a_caller_who_gives_up_is_told(pair: Pair) -> None:
    rang = pair.ring(1.0)
    assert (pair.elder.until(HungUp), pair.far.until(Delivered)) == (HungUp(rang.key), Delivered(7, False, "no answer"))


def test_a_helper_who_rings_while_another_is_being_rung_gets_the_line(pair: Pair) -> None:
    with phone("ring") as other:
        settings = pair.elder.telephone._settings
        pair.elder.telephone._settings = replace(settings, port=other.port)
        pair.elder.telephone.ring(Call(1, "k", "刘强", "电话", "13800000002", "老人求助", urgent=True), pair.elder.told.put)
        end = monotonic() + PATIENCE
        while "INVITE" not in other.log and monotonic() < end:
            Flag().wait(0.02)
        rang = pair.ring()
        pair.elder.telephone.pick_up(rang.key)
        given_up = pair.elder.until(Delivered)
        connected = pair.elder.until(Connected)
    assert (given_up, connected) == (Delivered(1, False, "cancelled"), Connected(rang.key))


def test_a_line_that_dies_in_mid_conversation_is_over_and_can_be_rung_again(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.notify.telephone.AGAIN", 0.5)
    rang = pair.ring()
    pair.elder.telephone.pick_up(rang.key)
    pair.elder.until(Connected)
    pair.elder.telephone._line._process.kill()  # type: ignore[union-attr]
    over = pair.elder.until(HungUp)
    pair.far.telephone.hang_up("far")
    pair.far.until(Delivered)
    Flag().wait(1.5)
    assert (over, isinstance(pair.ring(), Rang)) == (HungUp(rang.key), True)


def test_a_network_cut_in_the_middle_of_an_alarm_call_is_told_apart_from_a_voicemail(pair: Pair) -> None:
    pair.elder.telephone._key_wait = 6.0
    pair.elder.telephone.ring(Call(1, "k", "刘敏", "电话", "13800000001", "老人求助", urgent=True), pair.elder.told.put)
    rang = pair.far.until(Rang)
    pair.far.telephone.pick_up(rang.key)  # type: ignore[union-attr]
    pair.far.until(Connected)
    pair.far.telephone.talk(rang.key)  # type: ignore[union-attr]
    heard = pair.elder.hears(FAR_HZ)
    pair.far.telephone._line._process.kill()  # type: ignore[union-attr]
    assert (heard, pair.elder.until(Delivered)) == (True, Delivered(1, False, "went quiet"))


@pytest.mark.skipif(which("sipp") is None, reason="sipp is not installed (apt install sip-tester)")
def test_a_key_pressed_in_a_call_that_rang_us_is_told(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "keys.xml").write_text(KEYS, encoding="ascii")
    with subprocess.Popen(
        ["sipp", f"127.0.0.1:{pair.port}", "-sf", "keys.xml", "-m", "1", "-i", "127.0.0.1", "-s", "elder", "-nostdin", "-timeout", "15"],
        cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as sipp:
        rang = pair.elder.until(Rang)
        pair.elder.telephone.pick_up(rang.key)  # type: ignore[union-attr]
        key, over = pair.elder.until(Acknowledged), pair.elder.until(HungUp)
        sipp.wait(PATIENCE)
    assert (key, over, sipp.returncode) == (
        Acknowledged(rang.key, "", "coming"), HungUp(rang.key), 0,  # type: ignore[union-attr]
    )


def test_the_ear_reads_what_the_elder_says_into_the_telephone_and_gives_the_memory_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.listen.tap._CUT", 4 * RATE)
    tap = Tap(tmp_path)
    before = tap.read(0.05)
    enc, dec = tmp_path / "dump-enc.wav", tmp_path / "dump-dec.wav"
    sizes, heard = [], bytearray()
    with enc.open("wb", buffering=0) as said, dec.open("wb", buffering=0) as other:
        for file in (said, other):
            file.write(b"\0" * 44)
        tap.read(0.05)
        for _ in range(20):
            for file in (said, other):
                file.write(_wave(500, 0.5).tobytes())
            heard += tap.read(0.3) or b""
            sizes.append(sum(path.stat().st_blocks * 512 for path in (enc, dec)))
    tap.close()
    sound = np.frombuffer(bytes(heard), "<i2").astype(float)
    loudest = float(np.argmax(np.abs(np.fft.rfft(sound))) * 16000 / len(sound))
    assert (before, round(len(sound) / 16000) in (9, 10), round(loudest, -1), max(sizes) < 10 * RATE * 2) == (None, True, 500.0, True)


KEYS = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="keys">
  <send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:13800000001@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="200" rrs="true"/>
  <send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:13800000001@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

  ]]></send>
  <pause milliseconds="400"/>
  <send retrans="500"><![CDATA[
INFO sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:13800000001@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 INFO
Max-Forwards: 70
Content-Type: application/dtmf-relay
Content-Length: [len]

Signal=1
Duration=160
  ]]></send>
  <recv response="200"/>
  <pause milliseconds="400"/>
  <send retrans="500"><![CDATA[
BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:13800000001@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 3 BYE
Max-Forwards: 70
Content-Length: 0

  ]]></send>
  <recv response="200"/>
</scenario>
"""


def _lives(register: str, seconds: float) -> tuple[int, int, bool]:
    """(logins in the first seconds, logins in as many more, whether it is logged in once the provider is back)."""
    asked: queue.Queue[Told] = queue.Queue()
    with phone("answer") as far:
        far.register = register
        telephone = Telephone(Settings("xiaoban", "127.0.0.1", port=far.port, register=True), lambda _: None, rung=asked.put)
        try:
            counts = []
            for _ in range(2):
                before = far.log.count("REGISTER")
                Flag().wait(seconds)
                counts.append(far.log.count("REGISTER") - before)
            assert telephone.trouble
            far.register = "200 OK"
            end = monotonic() + PATIENCE
            while monotonic() < end and telephone.trouble:
                Flag().wait(0.05)
            return counts[0], counts[1], telephone.trouble == ""
        finally:
            telephone.close()


def test_a_provider_that_could_not_be_reached_is_logged_in_to_soon_and_ever_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.notify.telephone.LOGIN_AGAIN", 1.0)
    monkeypatch.setattr("assistant.notify.telephone.LOGIN_SELDOM", 3.0)
    first, more, back = _lives("503 Service Unavailable", 6.0)
    assert 2 <= first <= 5
    assert 1 <= more <= first
    assert back
