"""Ways to call for help that make no sound: a key of a USB button, sensors that tell a port of this machine or a topic.

All are off by default. The port is open on the loopback address only, for home automation that runs on the same machine:
`curl -X POST http://127.0.0.1:8421/fall`. The topic is an MQTT broker's: `mosquitto_pub -t home/xiaoban/fall -m ''`.
"""

from __future__ import annotations

import json
import logging
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import BinaryIO, Literal, get_args

from assistant.messages import Pressed
from assistant.notify.mqtt import Subscriber

log = logging.getLogger(__name__)

Told = Literal["help", "cancel", "fall", "bed", "smoke"]
"""What a sensor may tell: a path of the port, and a `Pressed`."""

EVENT = struct.Struct("llHHi")
"""`struct input_event` of Linux: seconds, microseconds, type, code, value."""
EV_KEY, DOWN = 1, 1
"""A key went down; 0 is up, 2 the repetition of one that is held."""
BOUNCE = 0.3
"""Seconds within which the contacts of a cheap button close more than once; a second press sends an alarm at once."""
AGAIN = 5.0
"""Seconds after which a button that was unplugged is looked for again."""
SAME = 60.0
"""Seconds in which the same thing told again is the same event: sensors repeat themselves until they are quiet. Told for longer it counts
once a minute: smoke that was called off and goes on is smoke."""
REQUEST_SECONDS = 3.0
"""Longest a sensor may take to say what it wants."""


def presses(device: BinaryIO) -> Iterator[float]:
    """The time, in seconds, of each press of any key of an evdev device (`/dev/input/event3`), without bounces."""
    last = float("-inf")
    while len(raw := device.read(EVENT.size)) == EVENT.size:
        seconds, micros, kind, _code, value = EVENT.unpack(raw)
        at = seconds + micros / 1e6
        if kind == EV_KEY and value == DOWN and abs(at - last) > BOUNCE:
            last = at
            yield at


class Key:
    """Every key of one input device is the help button; it may be unplugged and come back."""

    def __init__(self, device: Path, post: Callable[[Pressed], None]) -> None:
        self._device = device
        self._post = post
        self._stop = threading.Event()
        self.trouble = ""
        """Why it cannot be read, for `doctor`."""
        threading.Thread(target=self._run, name="help-key", daemon=True).start()

    def close(self) -> None:
        """Post nothing more; the thread ends with the device's next event."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._device.open("rb", buffering=0) as device:
                    self.trouble = ""
                    for _ in presses(device):
                        if self._stop.is_set():
                            return
                        self._post(Pressed("help"))
            except OSError as error:
                if not self.trouble:
                    log.warning("the help key cannot be read: %s", error)
                self.trouble = error.strerror or type(error).__name__
            self._stop.wait(AGAIN)


class Repeats:
    """Lets an event through once a minute; buttons each time."""

    def __init__(self, post: Callable[[Pressed], None], clock: Callable[[], float] = monotonic) -> None:
        self._post = post
        self._clock = clock
        self._last: dict[str, float] = {}
        self._lock = threading.Lock()

    def tell(self, told: Told) -> None:
        """A sensor says so."""
        with self._lock:
            now = self._clock()
            repeated = told not in ("help", "cancel") and now - self._last.get(told, float("-inf")) < SAME
            if not repeated:
                self._last[told] = now
        if not repeated:
            self._post(Pressed(told))


class Topic:
    """A topic of an MQTT broker: `…/fall` with anything in it, or the topic itself with `fall` or `{"event": "fall"}`.

    An off-message of a switch (`OFF`, `false`, `0`) is the end of an event and no event. Raises ValueError.
    """

    def __init__(self, url: str, post: Callable[[Pressed], None]) -> None:
        self._repeats = Repeats(post)
        self.subscriber = Subscriber(url, self._heard)

    def close(self) -> None:
        """Listen no more."""
        self.subscriber.close()

    @property
    def trouble(self) -> str:
        """Why nothing is heard, for `doctor`."""
        return self.subscriber.trouble

    def _heard(self, below: str, payload: bytes) -> None:
        said = _word(payload)
        told = below if below else said
        if told in get_args(Told) and said not in OFF:
            self._repeats.tell(told)  # type: ignore[arg-type]
        elif told not in get_args(Told):
            log.warning("a sensor said something unknown on the topic")


OFF = frozenset({"off", "false", "0", "clear", "closed", "no"})
"""What binary sensors say when it is over, in lower case."""


def _word(payload: bytes) -> str:
    """`fall`, `"fall"`, `{"event": "fall"}` → fall."""
    text = payload[:200].decode("utf-8", "replace").strip()
    try:
        said = json.loads(text)
    except ValueError:
        said = text
    if isinstance(said, dict):
        said = said.get("event") or said.get("state") or ""
    return str(said).strip().lower()


class Port:
    """A loopback port that takes what sensors tell. Raises OSError if it is taken."""

    def __init__(self, port: int, post: Callable[[Pressed], None]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(post))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="sensors", daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


def _handler(post: Callable[[Pressed], None]) -> type[BaseHTTPRequestHandler]:
    repeats = Repeats(post)

    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_SECONDS
        server_version, sys_version = "xiaoban", ""

        def do_POST(self) -> None:
            """One event; its name is the path."""
            told = self.path.strip("/")
            # A page in a browser on this machine may post here too, but not without naming itself.
            local = (self.headers.get("Host") or "").rpartition(":")[0] in ("127.0.0.1", "localhost")
            if not local or self.headers.get("Origin") or told not in get_args(Told):
                log.warning("a sensor was refused")
                self._answer(404)
                return
            repeats.tell(told)  # type: ignore[arg-type]
            self._answer(204)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a log line a minute says nothing new."""

    return Handler
