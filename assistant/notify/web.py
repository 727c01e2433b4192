"""A small HTTP client with one total deadline: a socket timeout is none (a dripping server held one for 18.5 s)."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from assistant.notify.channel import Outcome

MOST = 65536
"""Bytes of an answer that are read; more says nothing."""


class Unreached(Exception):
    """The peer certainly did not get it: no name, no connection, no trust."""


class Unsure(Exception):
    """The request went out and no whole answer came back."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a web server said."""

    status: int
    kind: str
    """Content type."""
    body: bytes


def fetch(
    method: str, url: str, *, seconds: float, headers: Mapping[str, str] | None = None, body: bytes = b"",
    trust: ssl.SSLContext | None = None,
) -> Answer:
    """One request, no redirects, verified TLS, everything within `seconds` but the name's resolution.

    A resolver that hangs cannot be interrupted from here: the caller abandons the thread at its own deadline.
    Raises Unreached or Unsure.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unreached("not a web address")
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=seconds, context=trust or ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    raw: list[socket.socket] = []

    def connect(address: tuple[str, int], timeout: float, source: tuple[str, int] | None = None) -> socket.socket:
        raw.append(socket.create_connection(address, timeout, source))
        return raw[0]

    def cut() -> None:
        for sock in raw:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    connection._create_connection = connect  # type: ignore[attr-defined]
    alarm = threading.Timer(seconds, cut)
    alarm.daemon = True
    alarm.start()
    try:
        try:
            connection.connect()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreached(_name(error)) from error
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.getheader("Content-Type", "") or "", response.read(MOST))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unsure(_name(error)) from error
    finally:
        alarm.cancel()
        with contextlib.suppress(OSError):
            connection.close()


def reach(host: str, port: int, *, tls: bool, seconds: float, trust: ssl.SSLContext | None = None) -> Outcome:
    """Whether there is somebody at the other end, trusted if `tls`; nothing is sent."""
    try:
        with socket.create_connection((host, port), seconds) as sock:
            if tls:
                with (trust or ssl.create_default_context()).wrap_socket(sock, server_hostname=host):
                    pass
    except (OSError, ValueError) as error:
        return Outcome(False, _name(error))
    return Outcome(True, "reached")


def listens(port: int) -> bool:
    """Whether one of our own little servers is behind a port of this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2.0)
    try:
        connection.request("GET", "/")
        return (connection.getresponse().getheader("Server") or "").startswith("xiaoban")
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def judge(answer: Answer) -> Outcome:
    """HTTP 200 is not success: a captive portal says it, and 钉钉 says it with an error code inside."""
    if not 200 <= answer.status < 300:
        return Outcome(False, f"HTTP {answer.status}")
    return judge_body(answer.kind, answer.body)


GOOD_CODES = frozenset({0, 200, 1000, "0", "200", "1000", "ok", "OK", "success", None, True})
"""What the services answer in `code` when all is well: 企业微信 钉钉 飞书 Server酱 0, Bark PushPlus 200, WxPusher 1000."""


def judge_body(kind: str, body: bytes) -> Outcome:
    """What the inside of a 2xx answer says."""
    text = body.strip()
    if "html" in kind.lower() or text[:1] == b"<":
        return Outcome(False, "a web page instead of an answer (captive portal?)")
    if text[:1] == b"{":
        try:
            said = json.loads(text)
        except ValueError:
            return Outcome(False, "half an answer", ambiguous=True)
        for name in ("errcode", "code", "StatusCode", "errno"):
            code = said.get(name)
            if isinstance(code, (int, str)) and code not in GOOD_CODES:
                return Outcome(False, f"{name} {code}")
        if said.get("ok") is False or said.get("success") is False:
            return Outcome(False, "refused")
    return Outcome(True, "accepted")


def _name(error: Exception) -> str:
    """The kind of failure, without addresses."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    return type(error).__name__ if not isinstance(error, OSError) or error.strerror is None else str(error.strerror)
