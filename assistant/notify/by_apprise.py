"""企业微信, 钉钉, 飞书, Server酱, Bark, ntfy, mail and a hundred more through Apprise, each try in a child that can be killed.

Apprise has no total deadline, hides why a send failed, and takes any HTTP 200 as success. So it runs in a child process
(`python -m assistant.notify.by_apprise`, one JSON line in, one out) where the answers of web servers are judged as ours
are, and the child is killed at the deadline, hung resolver and all. Children are kept warm: a cold one costs 0.9 s.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import IO, Any
from urllib.parse import urlsplit

from assistant.messages import UNPROBED, Notify
from assistant.notify.channel import Outcome, without_secrets

WARM = 2
"""Children kept waiting. Each holds about 45 MB."""


def _environment() -> dict[str, str]:
    """The child finds the same program, wherever we were started from."""
    root = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH", "")) if p)}


class Child:
    """One process that sends one message at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "assistant.notify.by_apprise"], env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )

    def ask(self, job: dict[str, Any], seconds: float) -> Outcome:
        """Hand over a job and wait; on the deadline the child dies and the outcome is ambiguous."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        end = monotonic() + seconds
        line = b""
        try:
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()
            while not line.endswith(b"\n"):
                ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, end - monotonic()))
                if not ready:
                    raise TimeoutError
                part = os.read(self._process.stdout.fileno(), 65536)
                if not part:
                    raise EOFError
                line += part
            said = json.loads(line)
            return Outcome(bool(said["ok"]), without_secrets(said["detail"]), bool(said["ambiguous"]), bool(said.get("recording")))
        except (TimeoutError, EOFError, OSError, ValueError) as error:
            self.kill()
            return Outcome(False, "timed out" if isinstance(error, TimeoutError) else "sender died", ambiguous=True)

    @property
    def alive(self) -> bool:
        """Whether it can take another job."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


@dataclass
class Children:
    """The warm children of all Apprise channels."""

    _idle: list[Child] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    def warm(self) -> None:
        """Start what is missing, so that an alarm need not wait for an interpreter."""
        while True:
            with self._lock:
                if self._closed or len(self._idle) >= WARM:
                    return
            child = Child()
            with self._lock:
                self._idle.append(child)

    def ask(self, job: dict[str, Any], seconds: float) -> Outcome:
        """Let an idle child do it, or a new one."""
        end = monotonic() + seconds
        with self._lock:
            child = self._idle.pop() if self._idle else None
        if child is None or not child.alive:
            child = Child()
        outcome = child.ask(job, max(0.1, end - monotonic()))
        with self._lock:
            keep = child.alive and not self._closed and len(self._idle) < WARM
            if keep:
                self._idle.append(child)
        if not keep:
            child.kill()
        return outcome

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for child in idle:
            child.kill()


CHILDREN = Children()

EXAMPLES: dict[str, str] = {
    "mailto": "mailto://账号:授权码@qq.com", "wecombot": "wecombot://密钥", "dingtalk": "dingtalk://密钥", "feishu": "feishu://密钥",
    "schan": "schan://密钥", "bark": "bark://密钥", "ntfy": "ntfy://频道名", "tgram": "tgram://机器人密钥/聊天号",
}
"""What an address that cannot be read should look like, by scheme."""


@dataclass(frozen=True, slots=True)
class Settings:
    """An Apprise address."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ByApprise:
    """One channel."""

    settings: Settings

    def send(self, notify: Notify, seconds: float) -> Outcome:
        """Through a child."""
        return CHILDREN.ask(
            {"url": self.settings.url, "key": notify.key, "title": notify.title, "body": notify.body,
             "urgent": notify.urgent, "attachment": notify.attachment, "recording": notify.recording, "seconds": seconds},
            seconds,
        )

    def probe(self, seconds: float) -> Outcome:
        """Let Apprise begin, catch where it wants to connect, and connect there without saying anything."""
        return CHILDREN.ask(
            {"url": self.settings.url, "probe": True, "key": "probe", "title": "", "body": "-", "urgent": False,
             "attachment": "", "seconds": seconds},
            seconds,
        )

    def check(self) -> str:
        """Whether Apprise can read the address at all."""
        outcome = CHILDREN.ask({"url": self.settings.url, "check": True, "seconds": 10.0}, 10.0)
        scheme = self.settings.url.partition(":")[0].lower().removesuffix("s")
        like = f"应该像 {EXAMPLES[scheme]}" if scheme in EXAMPLES else "请照《家庭文件》里“通知”那一节的写法再抄一遍"
        return "" if outcome.ok else f"地址读不懂，{like}"


def by_apprise(url: str) -> ByApprise:
    """The channel of one address."""
    return ByApprise(Settings(url))


# --- the child ----------------------------------------------------------------------------------------------------


def _serve(jobs: IO[str], answers: IO[str]) -> None:
    import apprise
    import apprise.plugins.email.base as mail

    from assistant.notify.web import reach

    seen = _watch()
    for line in jobs:
        job = json.loads(line)
        seen.update(ambiguous=False, detail="", good=None, refused=False, taken=0, probe=bool(job.get("probe")), place=None)
        vars(mail)["make_msgid"] = lambda *_, job=job, **__: f"<{job.get('key', '')}@xiaoban>"
        service = apprise.Apprise.instantiate(_bounded(job["url"], job["seconds"]), suppress_exceptions=True)
        if service is None:
            result = {"ok": False, "detail": "not an address", "ambiguous": False}
        elif job.get("check"):
            result = {"ok": True, "detail": "", "ambiguous": False}
        else:
            sender = apprise.Apprise()
            sender.add(service)
            from apprise.attachment.memory import AttachMemory

            def attached(content: str | bytes, name: str, kind: str) -> Any:
                files = apprise.AppriseAttachment()
                memory: Any = AttachMemory
                files.add(memory(content=content, name=name, mimetype=kind))
                return files

            attach = attached(job["attachment"], "invite.ics", "text/calendar") if job["attachment"] else None
            sound, body = b"", job["body"]
            if job.get("recording"):
                sound = _sound(job["recording"]) if service.attachment_support else b""
                attach = attached(sound, "voice.mp3", "audio/mpeg") if sound else None
                body = body if sound or not service.attachment_support else body + WITHOUT_SOUND
            kind = apprise.NotifyType.FAILURE if job["urgent"] else apprise.NotifyType.INFO

            def told(body: str = body, attach: Any = attach, sender: Any = sender, kind: Any = kind, title: str = job["title"]) -> bool:
                return bool(sender.notify(body=body, title=title, notify_type=kind, attach=attach)) and seen["good"] is not False

            ok = told()
            if sound and not ok and seen["refused"]:
                # They have the text and not the sound, or want neither together: the words must not wait for the voice.
                sound = b""
                ok = seen["taken"] > 0 or (seen.update(good=None, detail="", ambiguous=False) or told(job["body"] + WITHOUT_SOUND, None))
            if job.get("probe"):
                host, port, tls = seen["place"] or ("", 0, False)
                found = reach(host, port, tls=tls, seconds=job["seconds"] - 0.5) if host else Outcome(False, UNPROBED)
                ok, seen["detail"], seen["ambiguous"] = found.ok, found.detail, False
            result = {"ok": ok, "detail": seen["detail"] or ("accepted" if ok else "refused"), "ambiguous": not ok and seen["ambiguous"],
                      "recording": ok and bool(sound)}
        answers.write(json.dumps(result) + "\n")
        answers.flush()


WITHOUT_SOUND = "\n（说话的录音没能一起送来，只有字。）"


def _sound(path: str) -> bytes:
    """The file, whole; empty if it is gone, unreadable or no MP3 (ISO 11172-3: eleven bits of frame sync, or an ID3 tag before it)."""
    try:
        sound = Path(path).read_bytes()
    except OSError:
        return b""
    return sound if sound[:3] == b"ID3" or (sound[:1] == b"\xff" and sound[1:2] >= b"\xe0") else b""


def _bounded(url: str, seconds: float) -> str:
    """Timeouts of Apprise's own below ours; never without TLS verification; no redirects (a portal redirects)."""
    base, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and part.split("=")[0].lower() not in ("verify", "rto", "cto", "redirect")]
    limits = [f"rto={max(1.0, seconds - 1):.1f}", f"cto={max(1.0, seconds / 2):.1f}", "verify=yes", "redirect=no"]
    return base + "?" + "&".join([*kept, *limits])


def _watch() -> dict[str, Any]:
    """See what Apprise does not tell: whether data went out before a failure, and what is inside an HTTP 200."""
    import smtplib

    import requests

    from assistant.notify.web import judge_body

    seen: dict[str, Any] = {}
    real_send = requests.Session.send
    real_data = smtplib.SMTP.data
    real_connect = smtplib.SMTP.connect
    real_sendmail = smtplib.SMTP.sendmail

    def send(self: Any, request: Any, **how: Any) -> Any:
        if seen.get("probe"):
            parts = urlsplit(request.url)
            tls = parts.scheme == "https"
            seen["place"] = (parts.hostname, parts.port or (443 if tls else 80), tls)
            raise requests.exceptions.ConnectionError("probe")
        try:
            response = real_send(self, request, **how)
        except requests.exceptions.RequestException as error:
            refused = isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError)
            early = isinstance(error, requests.exceptions.ConnectionError) and any(
                word in str(error) for word in ("NewConnectionError", "NameResolution", "refused")
            )
            seen.update(detail=type(error).__name__, ambiguous=not (refused or early))
            raise
        if response.history or response.is_redirect:
            seen.update(good=False, detail="redirected")
        elif response.ok and request.method != "GET":
            outcome = judge_body(response.headers.get("Content-Type", ""), response.content[:65536])
            seen.update(good=outcome.ok if seen.get("good") is not False else False, detail=outcome.detail)
            seen.update(taken=seen.get("taken", 0) + outcome.ok, refused=seen.get("refused") or not outcome.ok)
        elif not response.ok:
            seen.update(detail=f"HTTP {response.status_code}", refused=True)
        return response

    def data(self: Any, content: Any) -> Any:
        try:
            return real_data(self, content)
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            seen.update(detail=type(error).__name__, ambiguous=True)
            raise

    def sendmail(self: Any, *mail: Any, **how: Any) -> Any:
        try:
            return real_sendmail(self, *mail, **how)
        except smtplib.SMTPResponseException as error:
            seen.update(detail=f"SMTP {error.smtp_code}", refused=True)
            raise

    def connect(self: Any, host: str = "localhost", port: int = 0, *more: Any, **how: Any) -> Any:
        if seen.get("probe"):
            seen["place"] = (host, port or 25, isinstance(self, smtplib.SMTP_SSL))
            raise OSError("probe")
        return real_connect(self, host, port, *more, **how)

    smtplib.SMTP.connect = connect  # type: ignore[method-assign]
    requests.Session.send = send  # type: ignore[method-assign]
    smtplib.SMTP.data = data  # type: ignore[method-assign,assignment]
    smtplib.SMTP.sendmail = sendmail  # type: ignore[method-assign]
    return seen


if __name__ == "__main__":
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a plugin prints must not be read as an answer
    _serve(sys.stdin, channel)
