"""Web and mail servers on the loopback that misbehave as asked, and remember what they were sent."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

WEB_MODES = (
    "ok", "500", "503", "503-retry-after", "429", "401", "404", "hang", "drip", "reset", "half", "drop", "html200", "errcode200", "redirect",
    "huge", "garbage", "flaky3",
)
"""Everything a web server has been seen to do to a webhook."""

MAIL_MODES = ("ok", "421", "450", "550", "hang", "drip", "drop_after_data", "no_250", "auth_535", "starttls_lie", "no_sound")
"""Everything a mail server has been seen to do."""


@dataclass
class Peer:
    """A server in one mode."""

    mode: str
    port: int = 0
    got: list[dict[str, str]] = field(default_factory=list)
    """One entry a request or mail that came whole, in order."""
    said: list[str] = field(default_factory=list)
    """Lines a mail server was told before a mail came, in capitals."""

    @property
    def keys(self) -> list[str]:
        """Idempotency keys, in order."""
        return [one["key"] for one in self.got]


Handler = Callable[[Peer, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.contextmanager
def _serving(peer: Peer, handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(Exception):
            await handler(peer, reader, writer)
        with contextlib.suppress(Exception):
            writer.close()

    async def begin() -> asyncio.Server:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
        peer.port = server.sockets[0].getsockname()[1]
        return server

    def run() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(begin())
        loop.call_soon(ready.set)
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop), return_exceptions=True))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(5)
    try:
        yield peer
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


def web(mode: str, tls: ssl.SSLContext | None = None) -> contextlib.AbstractContextManager[Peer]:
    """A web server; `with web("hang") as peer: … peer.port`."""
    return _serving(Peer(mode), _web, tls)


def mail(mode: str) -> contextlib.AbstractContextManager[Peer]:
    """A mail server that asks for a password and takes any, unless told otherwise."""
    return _serving(Peer(mode), _mail)


async def _web(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.I)
    body = await reader.readexactly(int(length[1])) if length else b""
    key = re.search(rb"idempotency-key: *(\S+)", head, re.I)
    signed = re.search(rb"x-xiaoban-signature: *(\S+)", head, re.I)
    peer.got.append({
        "line": head.split(b"\r\n")[0].decode(), "key": key[1].decode() if key else "", "body": body.decode("utf-8", "replace"),
        "signature": signed[1].decode() if signed else "",
    })

    def answer(status: int, text: bytes = b"{}", more: str = "") -> None:
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\nConnection: close\r\n{more}\r\n".encode() + text)

    match peer.mode:
        case "ok":
            answer(200, b'{"errcode":0,"errmsg":"ok"}')
        case "503-retry-after":
            answer(503, b"", "Retry-After: 3600\r\n")
        case "flaky3":
            answer(200 if len(peer.got) % 3 == 0 else 500)
        case "hang":
            await asyncio.sleep(3600)
        case "drip":
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.3)
        case "reset":
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        case "half":
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"ok":')
        case "drop":
            return
        case "html200":
            answer(200, b"<html>please log in to this wifi</html>", "Content-Type: text/html\r\n")
        case "errcode200":
            answer(200, b'{"errcode":310000,"errmsg":"sign not match"}')
        case "redirect":
            answer(302, b"", "Location: /again\r\n")
        case "garbage":
            writer.write(b"\x00\xff\xfenot http at all\r\n\r\n")
        case "no_sound" | "no_sound_500":
            answer((500 if "500" in peer.mode else 413) if b"audio/mpeg" in body else 200)
        case "huge":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(500):
                writer.write(b"x" * 65536)
                await writer.drain()
        case status:
            answer(int(status))
    await writer.drain()


async def _mail(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    async def say(text: str) -> None:
        writer.write(text.encode() + b"\r\n")
        await writer.drain()

    match peer.mode:
        case "hang":
            await asyncio.sleep(3600)
        case "drip":
            for letter in "220 slow\r\n" * 40:
                writer.write(letter.encode())
                await writer.drain()
                await asyncio.sleep(0.4)
        case "421":
            await say("421 try later")
            return
    await say("220 bad ESMTP")
    while line := await reader.readline():
        command = line.decode("latin1").strip().upper()
        peer.said.append(command)
        if command.startswith("EHLO"):
            await say("250-bad\r\n250-STARTTLS\r\n250 AUTH LOGIN PLAIN" if peer.mode == "starttls_lie" else "250-bad\r\n250 AUTH LOGIN PLAIN")
        elif command == "STARTTLS":
            await say("220 go")
            await say("this is not tls")
        elif command.startswith("AUTH"):
            await say("535 no" if peer.mode == "auth_535" else "235 ok")
        elif command.startswith("RCPT") and peer.mode in ("450", "550"):
            await say(f"{peer.mode} nope")
        elif command == "DATA":
            await say("354 go")
            text = await reader.readuntil(b"\r\n.\r\n")
            number = re.search(rb"message-id: *(\S+)", text, re.I)
            peer.got.append({"key": number[1].decode() if number else "", "body": text.decode("utf-8", "replace")})
            if peer.mode == "drop_after_data":
                writer.transport.abort()
                return
            if peer.mode == "no_250":
                await asyncio.sleep(3600)
            await say("552 too large" if peer.mode == "no_sound" and b"audio/mpeg" in text else "250 queued")
        elif command == "QUIT":
            await say("221 bye")
            return
        else:
            await say("250 ok")
