"""A telephone at the far end: answers, refuses, stays silent, presses keys, and keeps what it hears."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

REFUSALS = {
    "busy": "486 Busy Here", "decline": "603 Decline", "unavailable": "480 Temporarily Unavailable",
    "not_found": "404 Not Found", "unauthorized": "401 Unauthorized", "server": "503 Service Unavailable",
}


@dataclass
class Phone:
    """One number."""

    mode: str
    """answer, ring, silent, late200 (answers when the caller has just given up), or one of `REFUSALS`."""
    keys: Sequence[tuple[float, str, str]] = ()
    """(seconds after answering, key, `rfc4733` or `info`)."""
    hang_up_after: float = 0.0
    """Seconds after answering; 0 never."""
    register: str = "200 OK"
    """What a provider says to REGISTER."""
    port: int = 0
    log: list[str] = field(default_factory=list)
    """Methods received, in order."""
    heard: bytearray = field(default_factory=bytearray)
    """µ-law audio received, 8 kHz."""
    _stop: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def phone(mode: str, *keys: tuple[float, str, str], hang_up_after: float = 0.0) -> Iterator[Phone]:
    """A phone on the loopback."""
    far = Phone(mode, keys, hang_up_after)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp:
        for one in (sip, rtp):
            one.bind(("127.0.0.1", 0))
            one.settimeout(0.05)
        far.port = sip.getsockname()[1]
        threads = [threading.Thread(target=target, args=(far, sip, rtp), daemon=True) for target in (_signal, _listen)]
        for thread in threads:
            thread.start()
        try:
            yield far
        finally:
            far._stop.set()
            for thread in threads:
                thread.join(2)


def _listen(far: Phone, _sip: socket.socket, rtp: socket.socket) -> None:
    while not far._stop.is_set():
        with contextlib.suppress(OSError):
            packet = rtp.recv(2048)
            if len(packet) > 12 and packet[1] & 0x7F == 0:
                far.heard += packet[12:]


def _header(message: str, name: str) -> str:
    found = re.search(rf"(?mi)^{name}: *(.*?)\r?$", message)
    return found[1] if found else ""


def _signal(far: Phone, sip: socket.socket, rtp: socket.socket) -> None:
    answered: float | None = None
    keys = list(far.keys)
    invite, peer, media, taken = "", ("", 0), ("", 0), b""
    sequence = 1
    tag = ";tag=far"
    while not far._stop.is_set():
        now = monotonic()
        if answered is not None:
            while keys and now - answered >= keys[0][0]:
                _, key, how = keys.pop(0)
                if how == "info":
                    sequence += 1
                    body = f"Signal={key}\r\nDuration=160\r\n"
                    sip.sendto(_request(far, invite, "INFO", sequence, tag, "application/dtmf-relay", body), peer)
                else:
                    _press(rtp, media, key, invite)
            if far.hang_up_after and now - answered >= far.hang_up_after:
                sequence += 1
                sip.sendto(_request(far, invite, "BYE", sequence, tag), peer)
                answered = None
        try:
            data, peer_now = sip.recvfrom(8192)
        except OSError:
            continue
        message = data.decode("utf-8", "replace")
        method = message.split(" ")[0]
        far.log.append(method)
        if method == "INVITE":
            invite, peer = message, peer_now
            if far.mode == "silent":
                continue
            if far.mode in REFUSALS:
                more = 'WWW-Authenticate: Digest realm="x", nonce="1"\r\n' if far.mode == "unauthorized" else ""
                sip.sendto(_reply(message, REFUSALS[far.mode], tag, more), peer)
                continue
            sip.sendto(_reply(message, "180 Ringing", tag), peer)
            if far.mode in ("answer", "late200"):
                where = re.search(r"c=IN IP4 (\S+)", message)
                port = re.search(r"m=audio (\d+)", message)
                media = (where[1] if where else "127.0.0.1", int(port[1]) if port else 0)
                sdp = (
                    f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                    f"m=audio {rtp.getsockname()[1]} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
                    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
                )
                contact = f"Contact: <sip:far@127.0.0.1:{far.port}>\r\nContent-Type: application/sdp\r\n"
                taken = _reply(message, "200 OK", tag, contact, sdp)
                if far.mode == "answer":
                    sip.sendto(taken, peer)
        elif method == "ACK":
            if far.mode in ("answer", "late200") and answered is None:
                answered = monotonic()
        elif method in ("BYE", "CANCEL"):
            answered = None
            sip.sendto(_reply(message, "200 OK", tag), peer_now)
            if method == "CANCEL" and far.mode == "late200":
                sip.sendto(taken, peer)
            elif method == "CANCEL" and invite:
                sip.sendto(_reply(invite, "487 Request Terminated", tag), peer_now)
        elif not method.startswith("SIP/"):
            sip.sendto(_reply(message, far.register if method == "REGISTER" else "200 OK", tag), peer_now)


def _reply(request: str, status: str, tag: str, more: str = "", body: str = "") -> bytes:
    lines = [f"SIP/2.0 {status}"]
    lines += [f"Via: {via}" for via in re.findall(r"(?mi)^Via: *(.*?)\r?$", request)]
    for name in ("From", "To", "Call-ID", "CSeq"):
        value = _header(request, name)
        lines.append(f"{name}: {value}{tag if name == 'To' and 'tag=' not in value else ''}")
    return ("\r\n".join(lines) + f"\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}").encode()


def _request(far: Phone, invite: str, method: str, sequence: int, tag: str, kind: str = "", body: str = "") -> bytes:
    contact = re.search(r"<([^>]+)>", _header(invite, "Contact"))
    target = contact[1] if contact else "sip:x@127.0.0.1"
    lines = [
        f"{method} {target} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{far.port};branch=z9hG4bK{sequence}{far.port}",
        f"From: {_header(invite, 'To')}{tag}", f"To: {_header(invite, 'From')}", f"Call-ID: {_header(invite, 'Call-ID')}",
        f"CSeq: {sequence} {method}", "Max-Forwards: 70", f"Contact: <sip:far@127.0.0.1:{far.port}>",
    ]
    if kind:
        lines.append(f"Content-Type: {kind}")
    return ("\r\n".join(lines) + f"\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()


def _press(rtp: socket.socket, media: tuple[str, int], key: str, invite: str) -> None:
    """A key as RFC 4733 events: three packets while it is down, three with the end bit."""
    offered = re.search(r"a=rtpmap:(\d+) telephone-event", invite)
    kind = int(offered[1]) if offered else 101
    event = "0123456789*#".index(key)
    for number in range(6):
        head = struct.pack("!BBHII", 0x80, kind | (0x80 if number == 0 else 0), 1000 + number, 160, 0x1234)
        end = 0x80 if number >= 3 else 0
        rtp.sendto(head + struct.pack("!BBH", event, end | 10, 160 * (min(number, 3) + 1)), media)


def wave(heard: bytes) -> np.ndarray:
    """µ-law audio as 16-bit samples, 8 kHz (ITU-T G.711)."""
    code = ~np.frombuffer(bytes(heard), np.uint8)
    size = (((code & 0x0F).astype(np.int32) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


def loudest(heard: bytes, seconds: float = 0.0) -> float:
    """The strongest frequency, in Hz, of µ-law audio from `seconds` on."""
    wave_ = wave(heard)[int(seconds * 8000):].astype(float)
    spectrum = np.abs(np.fft.rfft(wave_ * np.hanning(len(wave_))))
    return float(np.argmax(spectrum) * 8000 / len(wave_))
