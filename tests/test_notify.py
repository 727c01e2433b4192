"""Channels against real servers that behave and misbehave: truthful, in time, never in each other's way."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import shutil
import socket
import ssl
import subprocess
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
from paho.mqtt import client as mqtt_client
from paho.mqtt.enums import CallbackAPIVersion

from assistant.doctor import plainly
from assistant.home import Channel, Household
from assistant.messages import Acknowledged, Call, Delivered, Notify
from assistant.notify import Notifier
from assistant.notify.by_apprise import CHILDREN, by_apprise
from assistant.notify.channel import Outcome, Sender, Tell, without_secrets
from assistant.notify.channels import channel
from assistant.notify.console import file
from assistant.notify.heartbeat import GOOD, Heartbeat
from assistant.notify.webhook import Settings, Webhook, webhook
from tests.faults.peers import mail, web
from tests.faults.scene import household

MESSAGE = Notify(7, "k-1", "刘敏", "敏敏微信", "题目", "正文", urgent=True)


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A child that has loaded everything: how long that takes is the machine's business and not the channel's."""
    monkeypatch.setattr(CHILDREN, "_closed", False)
    by_apprise("xml://127.0.0.1/").check()
    yield
    CHILDREN.close()


@pytest.mark.parametrize(
    ("mode", "ok", "ambiguous"),
    [
        ("ok", True, False), ("500", False, False), ("503", False, False), ("503-retry-after", False, False), ("429", False, False),
        ("401", False, False), ("flaky3", False, False),
        ("404", False, False), ("html200", False, False), ("errcode200", False, False), ("redirect", False, False),
        ("hang", False, True), ("drip", False, True), ("reset", False, True), ("drop", False, True), ("half", False, True),
        ("garbage", False, True),
    ],
)
def test_webhook_tells_apart_taken_refused_and_unknown(mode: str, ok: bool, ambiguous: bool) -> None:
    with web(mode) as peer:
        begun = monotonic()
        outcome = webhook(f"json://127.0.0.1:{peer.port}/in").send(MESSAGE, 1.0)
    assert (outcome.ok, outcome.ambiguous, monotonic() - begun < 2.0) == (ok, ambiguous, True)


def test_a_key_with_a_chinese_name_in_it_goes_out() -> None:
    with web("ok") as peer:
        outcome = webhook(f"json://127.0.0.1:{peer.port}/in").send(replace(MESSAGE, key="i20261122-1-m0-刘敏-微信"), 2.0)
    assert outcome.ok


def test_huge_answer_is_not_swallowed() -> None:
    with web("huge") as peer:
        outcome = webhook(f"json://127.0.0.1:{peer.port}/").send(MESSAGE, 2.0)
    assert outcome.ok  # 2xx and no page: taken; the 32 MB after it are left alone


def test_nobody_listening_is_certainly_not_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert webhook(f"json://127.0.0.1:{port}/").send(MESSAGE, 1.0) == Outcome(False, "Connection refused", False)


def test_webhook_is_signed_and_carries_the_key() -> None:
    with web("ok") as peer:
        webhook(f"json://127.0.0.1:{peer.port}/in?secret=geheim&x=1").send(MESSAGE, 2.0)
    (got,) = peer.got
    expected = "sha256=" + hmac.new(b"geheim", got["body"].encode(), hashlib.sha256).hexdigest()
    assert (got["signature"], got["key"], json.loads(got["body"])["body"], "geheim" in str(got)) == (expected, "k-1", "正文", False)


@pytest.mark.parametrize(
    ("mode", "ok", "ambiguous"),
    [("ok", True, False), ("500", False, False), ("503-retry-after", False, False), ("html200", False, False),
     ("errcode200", False, False), ("redirect", False, False), ("hang", False, True), ("drop", False, True)],
)
@pytest.mark.usefixtures("ready")
def test_apprise_channels_are_judged_like_ours(mode: str, ok: bool, ambiguous: bool) -> None:
    with web(mode) as peer:
        begun = monotonic()
        outcome = by_apprise(f"xml://127.0.0.1:{peer.port}/in").send(MESSAGE, 3.0)
    assert (outcome.ok, outcome.ambiguous, monotonic() - begun < 4.5) == (ok, ambiguous, True)


@pytest.mark.parametrize(
    ("mode", "ok", "ambiguous"),
    [("ok", True, False), ("421", False, False), ("450", False, False), ("550", False, False), ("auth_535", False, False),
     ("hang", False, False), ("drip", False, True), ("drop_after_data", False, True), ("no_250", False, True)],
)
@pytest.mark.usefixtures("ready")
def test_mail_servers_are_told_apart(mode: str, ok: bool, ambiguous: bool) -> None:
    with mail(mode) as peer:
        outcome = by_apprise(f"mailto://user:pass@127.0.0.1:{peer.port}?from=a@example.org&to=b@example.org&mode=insecure").send(
            MESSAGE, 3.0)
    assert (outcome.ok, outcome.ambiguous) == (ok, ambiguous)


@pytest.mark.usefixtures("ready")
def test_a_mail_server_that_lies_about_its_encryption_gets_neither_password_nor_mail() -> None:
    with mail("starttls_lie") as peer:
        outcome = by_apprise(f"mailto://user:geheim@127.0.0.1:{peer.port}?from=a@example.org&to=b@example.org&mode=starttls").send(
            MESSAGE, 3.0)
    told = [word for word in ("EHLO", "STARTTLS", "AUTH", "MAIL", "DATA") if any(one.startswith(word) for one in peer.said)]
    assert (outcome.ok, told, peer.got) == (False, ["EHLO", "STARTTLS"], [])


@pytest.mark.parametrize("make", [webhook, channel])
def test_what_is_repeated_until_it_is_taken_keeps_its_key(make: Callable[[str], Sender]) -> None:
    with web("flaky3") as peer:
        sender = make(f"json://127.0.0.1:{peer.port}/in")
        tries = [sender.send(MESSAGE, 2.0).ok for _ in range(3)]
    assert (tries, peer.keys) == ([False, False, True], ["k-1"] * 3)


def test_a_mail_repeated_has_the_same_message_id() -> None:
    with mail("ok") as peer:
        sender = by_apprise(f"mailto://u:p@127.0.0.1:{peer.port}?from=a@example.org&to=b@example.org&mode=insecure")
        assert [sender.send(MESSAGE, 5.0).ok, sender.send(MESSAGE, 5.0).ok] == [True, True]
    assert peer.keys == ["<k-1@xiaoban>"] * 2


def test_a_calendar_file_goes_with_a_mail() -> None:
    with mail("ok") as peer:
        sent = Notify(1, "k", "p", "c", "预约", "正文", attachment="BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
        by_apprise(f"mailto://u:p@127.0.0.1:{peer.port}?from=a@example.org&to=b@example.org&mode=insecure").send(sent, 5.0)
    (got,) = peer.got
    assert "invite.ics" in got["body"]


def _authority(folder: Path, days: int, host: str) -> ssl.SSLContext:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "k.pem", "-out", folder / "c.pem",
         "-days", str(days), "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host},IP:{host if host[0].isdigit() else '127.0.0.9'}"],
        check=True, capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "c.pem", folder / "k.pem")
    return context


@pytest.mark.parametrize(
    ("host", "trusted", "ok"), [("127.0.0.1", True, True), ("127.0.0.1", False, False), ("127.0.0.7", True, False)]
)
def test_tls_is_verified(tmp_path: Path, host: str, trusted: bool, ok: bool) -> None:
    server = _authority(tmp_path, 2, host)
    client = ssl.create_default_context(cafile=str(tmp_path / "c.pem")) if trusted else None
    with web("ok", server) as peer:
        outcome = Webhook(Settings.read(f"jsons://127.0.0.1:{peer.port}/"), client).send(MESSAGE, 3.0)
    assert (outcome.ok, outcome.ambiguous, len(peer.got)) == (ok, False, int(ok))


def _dated(folder: Path, begins: str, ends: str) -> ssl.SSLContext:
    """A certificate of our own for 127.0.0.1 that holds from one day (YYYYMMDD) to another."""
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=a\n[a]\ndatabase=index\nnew_certs_dir=.\nserial=serial\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n"
        "[p]\ncommonName=supplied\n[x]\nsubjectAltName=IP:127.0.0.1\nbasicConstraints=CA:TRUE\n", encoding="ascii",
    )
    (folder / "index").touch()
    (folder / "serial").write_text("01\n", encoding="ascii")
    for command in (
        ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out", "r.pem", "-subj", "/CN=127.0.0.1"],
        ["ca", "-batch", "-selfsign", "-config", "ca.cnf", "-keyfile", "k.pem", "-in", "r.pem", "-out", "c.pem", "-notext",
         "-startdate", f"{begins}000000Z", "-enddate", f"{ends}000000Z"],
    ):
        subprocess.run(["openssl", *command], check=True, capture_output=True, cwd=folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "c.pem", folder / "k.pem")
    return context


@pytest.mark.parametrize(
    ("begins", "ends", "why"),
    [("20200101", "20210101", "certificate: certificate has expired"), ("20990101", "20991231", "certificate: certificate is not yet valid"),
     ("20200101", "20991231", "accepted")],
)
def test_a_certificate_out_of_its_time_is_refused_and_said_as_that(tmp_path: Path, begins: str, ends: str, why: str) -> None:
    server = _dated(tmp_path, begins, ends)
    client = ssl.create_default_context(cafile=str(tmp_path / "c.pem"))
    with web("ok", server) as peer:
        address = Webhook(Settings.read(f"jsons://127.0.0.1:{peer.port}/"), client)
        begun = monotonic()
        sent, probed = address.send(MESSAGE, 3.0), address.probe(3.0)
        seconds = monotonic() - begun
    good = why == "accepted"
    assert (sent, probed.ok, len(peer.got) > 0, seconds < 3.0) == (Outcome(good, why), good, good, True)


@pytest.mark.parametrize("address", ["xmls://127.0.0.1:{}/", "mailtos://u:p@127.0.0.1:{}?from=a@example.org&to=b@example.org", "mqtts://127.0.0.1:{}/t"])
def test_no_channel_speaks_to_a_peer_nobody_vouches_for(tmp_path: Path, address: str) -> None:
    with web("ok", _authority(tmp_path, 2, "127.0.0.1")) as peer:
        begun = monotonic()
        outcome = channel(address.format(peer.port)).send(MESSAGE, 6.0)
    assert (outcome.ok, peer.got, monotonic() - begun < 8.0) == (False, [], True)


@pytest.mark.parametrize("address", ["json://slow.example/", "mqtt://slow.example/t"])
def test_a_name_that_is_never_resolved_ends_with_the_deadline(
    address: str, reports: queue.Queue[Delivered | Acknowledged], monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    real = socket.getaddrinfo

    def resolve(host: str, *more: object, **how: object) -> object:
        if host == "slow.example":
            over.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return real(host, *more, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    notifier = Notifier(_home(a=address), alarm_seconds=0.8)
    begun = monotonic()
    notifier.send(_send("a", 1, urgent=True), reports.put)
    report = reports.get(timeout=10)
    seconds = monotonic() - begun
    over.set()
    notifier.close()
    assert (report, seconds < 3.0) == (Delivered(1, False, "timed out", True), True)


@pytest.mark.parametrize("address", ["json://gone.example/", "mqtt://gone.example/t"])
@pytest.mark.parametrize(
    ("number", "word"), [(socket.EAI_NONAME, "Name or service not known"), (socket.EAI_AGAIN, "Temporary failure in name resolution")],
    ids=["nxdomain", "servfail"],
)
def test_a_name_that_cannot_be_resolved_is_certainly_not_sent_and_said_as_that(
    address: str, number: int, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def resolve(host: str, *more: object, **how: object) -> object:
        if host == "gone.example":
            raise socket.gaierror(number, word)
        return real(host, *more, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    begun = monotonic()
    outcome = channel(address).send(MESSAGE, 2.0)
    assert (outcome.ok, outcome.ambiguous, plainly(outcome.detail), monotonic() - begun < 1.0) == (
        False, False, "找不到这个地址，看看网络通不通、地址对不对", True)


def test_apprise_cannot_be_told_to_skip_verification(tmp_path: Path) -> None:
    with web("ok", _authority(tmp_path, 2, "127.0.0.1")) as peer:
        outcome = by_apprise(f"xmls://127.0.0.1:{peer.port}/?verify=no").send(MESSAGE, 5.0)
    assert (outcome.ok, peer.got) == (False, [])


def test_file_channel_is_private(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    assert file(f"file://{path}").send(MESSAGE, 1.0).ok
    assert (path.stat().st_mode & 0o777, json.loads(path.read_text())["key"]) == (0o600, "k-1")


def test_no_secret_reaches_the_log() -> None:
    assert without_secrets("failed: wecombot://abcdef/x\nwith token=xyz") == "failed: wecombot://… with …"


@pytest.mark.parametrize("address", ["json://127.0.0.1:{}/in", "xml://127.0.0.1:{}/in", "mailto://u:p@127.0.0.1:{}?from=a@x.org&to=b@x.org&mode=insecure"])
@pytest.mark.parametrize("there", [True, False])
def test_a_silent_test_finds_out_without_sending_anything(address: str, there: bool) -> None:
    with web("ok") as peer:
        url = address.format(peer.port)
        if there:
            assert (channel(url).probe(4.0).ok, peer.got) == (True, [])
    if not there:
        assert not channel(url).probe(4.0).ok


# --- the notifier -------------------------------------------------------------------------------------------------


@pytest.fixture
def reports() -> queue.Queue[Delivered | Acknowledged]:
    return queue.Queue()


def _home(**urls: str) -> Household:
    return household(channels=tuple(Channel(name, url) for name, url in urls.items()))


def _send(name: str, number: int, *, urgent: bool = False) -> Notify:
    return Notify(number, f"k{number}", "刘敏", name, "t", "b", urgent)


def test_a_hanging_channel_does_not_hold_up_the_others(reports: queue.Queue[Delivered | Acknowledged]) -> None:
    with web("hang") as bad, web("ok") as good:
        notifier = Notifier(_home(a=f"json://127.0.0.1:{bad.port}/", b=f"json://127.0.0.1:{good.port}/"), seconds=1.0, alarm_seconds=1.0)
        notifier.send(_send("b", 98), reports.put)  # what is loaded at the first message counts for nothing
        reports.get(timeout=20)
        for number in range(30):
            notifier.send(_send("a", number), reports.put)
        begun = monotonic()
        notifier.send(_send("b", 99), reports.put)
        first = reports.get(timeout=2)
        quick = monotonic() - begun < 0.7
        rest = [reports.get(timeout=5) for _ in range(30)]
        notifier.close()
    assert (first, quick) == (Delivered(99, True, "accepted"), True)
    assert sorted(r.message for r in rest if isinstance(r, Delivered) and not r.ok) == list(range(30))


def test_an_alarm_has_its_own_lane_on_a_blocked_channel(reports: queue.Queue[Delivered | Acknowledged]) -> None:
    with web("hang") as peer:
        notifier = Notifier(_home(a=f"json://127.0.0.1:{peer.port}/"), seconds=3.0, alarm_seconds=0.5)
        for number in range(5):
            notifier.send(_send("a", number), reports.put)
        notifier.send(_send("a", 99, urgent=True), reports.put)
        first = reports.get(timeout=2)
        notifier.close()
    assert first == Delivered(99, False, first.detail, True)  # type: ignore[union-attr]


def test_every_try_is_reported_exactly_once(reports: queue.Queue[Delivered | Acknowledged]) -> None:
    with web("flaky3") as peer:
        notifier = Notifier(_home(a=f"json://127.0.0.1:{peer.port}/"))
        for number in range(12):
            notifier.send(_send("a", number), reports.put)
        got = [reports.get(timeout=5) for _ in range(12)]
        notifier.close()
    assert (sorted(r.message for r in got if isinstance(r, Delivered)), reports.empty()) == (list(range(12)), True)


def test_a_channel_that_is_gone_from_the_file_says_so(reports: queue.Queue[Delivered | Acknowledged]) -> None:
    notifier = Notifier(_home())
    notifier.send(_send("没有", 1), reports.put)
    notifier.send(Call(2, "k2", "刘敏", "电话", "13800000001"), reports.put)
    assert [reports.get(timeout=1), reports.get(timeout=1)] == [
        Delivered(1, False, "no such channel"), Delivered(2, False, "no telephone")
    ]


@pytest.mark.parametrize("url", ["json://[::1", "json://h:port/", "nosuchscheme://x", "", "json://", "mqtt://"])
def test_a_bad_address_is_a_failure_and_not_a_crash(url: str, reports: queue.Queue[Delivered | Acknowledged]) -> None:
    notifier = Notifier(_home(a=url))
    notifier.send(_send("a", 1), reports.put)
    report = reports.get(timeout=5)
    notifier.close()
    assert (isinstance(report, Delivered), getattr(report, "ok", None)) == (True, False)


def test_schemes_choose_their_file() -> None:
    assert [type(channel(u)).__name__ for u in ("console://x", "file:///x", "json://h", "jsons://h", "mqtt://h", "bark://h/k")] == [
        "Console", "File", "Webhook", "Webhook", "Mqtt", "ByApprise"
    ]


def test_the_heart_beats_only_while_the_core_lives() -> None:
    alive = threading.Event()
    with web("ok") as peer:
        heart = Heartbeat(f"http://127.0.0.1:{peer.port}/beat", alive.is_set, every=0.05)
        threading.Event().wait(0.3)
        before = len(peer.got)
        alive.set()
        end = monotonic() + 5
        while not peer.got and monotonic() < end:
            threading.Event().wait(0.02)
        heart.close()
    assert (before, peer.got[0]["line"]) == (0, "GET /beat HTTP/1.1")


def test_a_daily_beat_that_did_not_get_through_is_tried_again_and_one_that_did_is_not() -> None:
    told: queue.Queue[str] = queue.Queue()
    with web("503") as peer:
        heart = Heartbeat(f"http://127.0.0.1:{peer.port}/", lambda: True, every=100.0, told=told.put, again=0.05)
        refused = [told.get(timeout=5), told.get(timeout=5)]
        peer.mode = "ok"
        while told.get(timeout=5) != GOOD:
            pass
        reached = len(peer.got)
        threading.Event().wait(0.3)
        heart.close()
    assert (refused, len(peer.got)) == (["HTTP 503", "HTTP 503"], reached)


def test_basic_password_goes_as_a_header() -> None:
    settings = Settings.read("jsons://u:p%40ss@host/x?secret=s&a=1")
    assert (settings.url, settings.basic, settings.secret, "p@ss" in repr(settings), b64decode("dTpwQHNz")) == (
        "https://host/x?a=1", "u:p@ss", "s", False, b"u:p@ss"
    )


# --- MQTT ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """A real mosquitto on a free port, or a skip with the reason."""
    program = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
    if program is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    (tmp_path / "m.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([program, "-c", tmp_path / "m.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = monotonic() + 5
    while monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            break
        except OSError:
            threading.Event().wait(0.05)
    yield port
    process.kill()
    process.wait()


def test_an_alarm_reaches_a_subscriber_of_the_topic(broker: int) -> None:
    got: queue.Queue[bytes] = queue.Queue()
    joined = threading.Event()
    client = mqtt_client.Client(CallbackAPIVersion.VERSION2)
    client.on_subscribe = lambda *_: joined.set()
    client.on_message = lambda _c, _u, message: got.put(message.payload)
    client.connect("127.0.0.1", broker)
    client.loop_start()
    client.subscribe("home/alarm", 1)
    joined.wait(5)
    outcome = channel(f"mqtt://127.0.0.1:{broker}/home/alarm").send(MESSAGE, 4.0)
    body = json.loads(got.get(timeout=5))
    client.loop_stop()
    assert (outcome, body["key"], body["urgent"]) == (Outcome(True, "published"), "k-1", True)


def test_a_broker_that_is_away_is_certainly_not_sent(broker: int) -> None:
    assert channel(f"mqtt://127.0.0.1:{broker}/t").probe(3.0).ok
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outcome = channel(f"mqtt://127.0.0.1:{port}/t").send(MESSAGE, 3.0)
    assert (outcome.ok, outcome.ambiguous) == (False, False)


def test_a_broker_that_hangs_is_left_at_the_deadline() -> None:
    with web("hang") as peer:
        begun = monotonic()
        outcome = channel(f"mqtt://127.0.0.1:{peer.port}/t").send(MESSAGE, 1.5)
    assert (outcome.ok, monotonic() - begun < 3.0) == (False, True)


class Line:
    """A telephone that remembers."""

    def __init__(self, household: Household) -> None:
        self.url = next((one.url for one in household.channels if one.name == "电话"), "")
        self.closed = threading.Event()

    def ring(self, call: Call, tell: Tell) -> None:
        tell(Delivered(call.message, False, self.url))

    def hang_up(self, key: str = "") -> None:
        """Nothing to end."""

    def probe(self, seconds: float) -> Outcome:
        return Outcome(False, f"asked {self.url}")

    def close(self) -> None:
        self.closed.set()


def _with_line(url: str) -> Household:
    home = household()
    return household(channels=(*(one for one in home.channels if one.name != "电话"), Channel("电话", url)))


def test_the_silent_test_of_a_telephone_asks_it_and_a_message_is_refused() -> None:
    notifier = Notifier(_with_line("sip:a@one.example"), line=Line)
    told: queue.Queue[Delivered | Acknowledged] = queue.Queue()
    notifier.send(Notify(1, "k", "", "电话", "", ""), told.put)  # type: ignore[arg-type]
    asked = told.get(timeout=5)
    notifier.send(Notify(2, "k", "刘敏", "电话", "题", "文"), told.put)  # type: ignore[arg-type]
    assert (asked, told.get(timeout=5)) == (Delivered(1, False, "asked sip:a@one.example"), Delivered(2, False, "a telephone takes no messages"))


def test_a_new_telephone_address_is_used_from_the_next_call_on_and_only_then() -> None:
    lines: list[Line] = []

    def line(home: Household) -> Line:
        lines.append(Line(home))
        return lines[-1]

    notifier = Notifier(_with_line("sip:a@one.example"), line=line)
    notifier.household(_with_line("sip:a@one.example"))
    notifier.household(_with_line("sip:a@two.example"))
    told: queue.Queue[Delivered | Acknowledged] = queue.Queue()
    notifier.send(Call(1, "k", "刘敏", "电话", "13800000001"), told.put)
    assert (told.get(timeout=5), lines[0].closed.wait(5), lines[1].closed.is_set(), len(lines)) == (
        Delivered(1, False, "sip:a@two.example"), True, False, 2
    )
    notifier.close()
