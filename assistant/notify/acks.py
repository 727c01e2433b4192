"""Answers from a message: a signed link that opens a small page on the home network; each answer counts once.

Off by default (no listening port). Opening the link does nothing, since messengers open links to show a preview; only
the button on the page answers. The link carries who it was made for, so an answer is that person's.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import logging
import os
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from assistant.messages import TOGETHER, Acknowledged, Notify

log = logging.getLogger(__name__)

LIFE = timedelta(hours=24)
"""A link older than this is refused."""
LONGEST = 600
"""Characters of a token; longer ones are not looked at."""
REQUEST_SECONDS = 5.0
"""Longest a browser may take to say what it wants."""

ANSWERS: dict[str, tuple[tuple[str, str], ...]] = {
    "i": (("coming", "我来处理"), ("arrived", "我已经到了"), ("all_clear", "没事了，解除")),
    "r": (("accepted", "好，马上来"), ("declined", "现在不方便")),
}
"""Buttons by the first letter of the message's key: incident, request."""


class Refused(Exception):
    """The link is not one of ours, too old, or was already used; the message says which."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a link proves."""

    key: str
    """Of the message it came with."""
    person: str
    """Whom it was sent to."""
    until: int
    """Seconds since 1970 after which it is refused."""


def sign(secret: bytes, claim: Claim) -> str:
    """The token of a link."""
    body = urlsafe_b64encode(f"{claim.until}|{claim.key}|{claim.person}".encode()).decode().rstrip("=")
    return f"{body}.{_mac(secret, body)}"


def read(secret: bytes, token: str, now: datetime) -> Claim:
    """What the token proves. Raises Refused for forged and expired ones."""
    if len(token) > LONGEST or not token.isascii():
        raise Refused("forged")
    body, _, mac = token.partition(".")
    if not hmac.compare_digest(mac, _mac(secret, body)):
        raise Refused("forged")
    try:
        until, key, person = urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode().split("|", 2)
        claim = Claim(key, person, int(until))
    except (ValueError, Base64Error) as error:
        raise Refused("forged") from error
    if now.timestamp() > claim.until:
        raise Refused("expired")
    return claim


def _mac(secret: bytes, body: str) -> str:
    return urlsafe_b64encode(hmac.new(secret, body.encode(), hashlib.sha256).digest()).decode().rstrip("=")


def secret_of(folder: Path) -> bytes:
    """This device's signing key: made once, readable by its owner only."""
    path = folder / "answers.key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(32))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        pass
    key = path.read_bytes()
    if len(key) < 32:  # torn by a power cut: links of before die with it
        path.unlink()
        return secret_of(folder)
    return key


@dataclass(frozen=True, slots=True)
class Links:
    """Puts a line with a link below messages that want an answer, or one for each who shares the channel: `Notifier(household, link=Links(…))`."""

    base: str
    """Where the page is reached from the family's telephones: `http://192.168.1.20:8643`."""
    secret: bytes
    wall: Callable[[], datetime]

    def __call__(self, notify: Notify) -> str:
        """The lines, or nothing for a message that wants no answer."""
        if notify.key[:1] not in ANSWERS or "-" not in notify.key:
            return ""
        people, until = notify.person.split(TOGETHER), int((self.wall() + LIFE).timestamp())
        links = {person: f"{self.base.rstrip('/')}/{sign(self.secret, Claim(notify.key, person, until))}" for person in people}
        return "\n".join(f"{person + '的' if len(people) > 1 else ''}回应请点：{link}" for person, link in links.items())


class Used:
    """Answers that have counted, on disk before they count: a repetition is refused also after a power cut.

    On a disk that is full or broken they count all the same, and are remembered until then: help that comes matters more.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen = set(path.read_text(encoding="ascii").split()) if path.exists() else set()

    def take(self, claim: Claim, answer: str) -> bool:
        """True the first time."""
        mark = hashlib.sha256(f"{claim.key}|{claim.person}|{answer}".encode()).hexdigest()
        with self._lock:
            if mark in self._seen:
                return False
            self._seen.add(mark)
            try:
                with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="ascii") as file:
                    file.write(f"\n{mark}\n")  # a line of its own also after one that was torn
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                log.error("an answer could not be written down: %s", error)
            return True


TOLD = "收到了，已经告诉小伴。谢谢您。"
"""What the page says of an answer that counts."""
TELLING = "收到了，正在告诉小伴。谢谢您。"
"""The same, where nobody has said yet what came of it."""


class Page:
    """The page behind the links."""

    def __init__(
        self, address: tuple[str, int], secret: bytes, used: Used, wall: Callable[[], datetime],
        tell: Callable[[Acknowledged], str | None],
    ) -> None:
        """`tell` gives what the page is to say of the answer: empty for nothing in particular, None where it is not known yet."""
        self._server = ThreadingHTTPServer(address, _handler(secret, used, wall, tell))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="answers", daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


def answered(secret: bytes, used: Used, token: str, answer: str, now: datetime) -> Acknowledged:
    """The event an answer becomes. Raises Refused for forged, expired and repeated ones."""
    claim = read(secret, token, now)
    if answer not in {word for word, _ in ANSWERS.get(claim.key[:1], ())}:
        raise Refused("no such answer")
    if not used.take(claim, answer):
        raise Refused("repeated")
    return Acknowledged(claim.key, claim.person, answer)  # type: ignore[arg-type]


def _handler(
    secret: bytes, used: Used, wall: Callable[[], datetime], tell: Callable[[Acknowledged], str | None]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_SECONDS
        server_version, sys_version = "xiaoban", ""

        def do_GET(self) -> None:
            """The page with its buttons; answers nothing yet."""
            try:
                claim = read(secret, self.path.strip("/"), wall())
            except Refused as error:
                self._refuse(error)
                return
            buttons = "".join(
                f"<form method=post action='/{html.escape(self.path.strip('/'))}/{word}'><button>{text}</button></form>"
                for word, text in ANSWERS.get(claim.key[:1], ())
            )
            self._page(200, f"<p>{html.escape(claim.person)}，您好。请选一个：</p>{buttons}")

        def do_POST(self) -> None:
            """A button."""
            token, _, answer = self.path.strip("/").partition("/")
            try:
                event = answered(secret, used, token, answer, wall())
            except Refused as error:
                self._refuse(error)
                return
            told = tell(event)
            self._page(200, f"<p>{html.escape(TELLING if told is None else told or TOLD)}</p>")

        def _refuse(self, error: Refused) -> None:
            log.warning("answer refused: %s, from %s", error, self.client_address[0])
            words = {"expired": "这条链接过期了。", "repeated": "这个回应已经收到过了。"}
            self._page(403, f"<p>{words.get(str(error), '这条链接不对。')}</p>")

        def _page(self, status: int, body: str) -> None:
            text = (
                "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'><title>小伴</title>"
                f"<style>body{{font:24px sans-serif;margin:2em}}button{{font:inherit;width:100%;padding:1em;margin:.3em 0}}</style>{body}"
            ).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """The address line holds the token: never in a log."""

    return Handler
