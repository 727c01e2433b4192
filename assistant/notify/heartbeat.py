"""A dead man's switch: addresses the family chose hear from this device every five minutes or once a day; silence is the alarm."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from functools import partial
from time import monotonic

from assistant.home import Care
from assistant.notify.web import Unreached, Unsure, fetch

log = logging.getLogger(__name__)

EVERY = 300.0
"""Seconds between beats (healthchecks-style services warn after one or two missed)."""
DAILY = 86_400.0
"""Seconds between the beats of the slow address; one that did not get through is tried again every `EVERY`."""
SECONDS = 10.0
NOTED = "beat "
"""Begins the name of the setting in which the ledger keeps what became of the last beat: `moment said`."""
GOOD = "ok"
"""What is told of a beat that arrived."""


class Heartbeat:
    """Beats as long as `alive` says the house works; a stuck core or a deaf ear stops it, which is the point."""

    def __init__(
        self, url: str, alive: Callable[[], bool], every: float = EVERY, told: Callable[[str], None] = lambda _said: None,
        again: float = EVERY,
    ) -> None:
        """`again`: seconds after which a beat that did not arrive is repeated, where that is sooner. `told` gets, in a thread of a beat, what became of it: `GOOD`, or why not."""
        self._url, self._alive, self._every, self._told = url, alive, every, told
        self._look = min(every, again)
        self._stop = threading.Event()
        self._arrived = -math.inf
        threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def close(self) -> None:
        """Beat no more."""
        self._stop.set()

    def _run(self) -> None:
        while True:
            # Half a look early rather than a whole one late: a beat takes its time.
            if monotonic() - self._arrived >= self._every - self._look / 2 and self._alive():
                # A thread of its own a beat: a hanging resolver may not stop the next.
                threading.Thread(target=self._beat, args=(monotonic(),), name="beat", daemon=True).start()
            if self._stop.wait(self._look):
                return

    def _beat(self, begun: float) -> None:
        try:
            answer = fetch("GET", self._url, seconds=SECONDS)
            said = GOOD if 200 <= answer.status < 300 else f"HTTP {answer.status}"
        except (Unreached, Unsure) as error:
            said = str(error)
        if said == GOOD:
            self._arrived = begun
        else:
            log.warning("heartbeat: %s", said)
        if not self._stop.is_set():
            self._told(said)


BEATS: tuple[tuple[str, float, Callable[[Care], str]], ...] = (
    ("心跳", EVERY, lambda care: care.heartbeat),
    ("每日心跳", DAILY, lambda care: care.daily_beat),
)
"""What the family's file calls it, the seconds between two, and its address."""


class Hearts:
    """The beats the family's file asks for, made anew where it changes."""

    def __init__(self, care: Care, alive: Callable[[], bool], told: Callable[[str, str], None]) -> None:
        """`told` gets the name of a beat (`BEATS`) and what became of it."""
        self._alive, self._told = alive, told
        self._beating: dict[str, tuple[str, Heartbeat]] = {}
        self.care(care)

    def care(self, care: Care) -> None:
        """The family's file has changed (or is new)."""
        for name, every, address in BEATS:
            url, (old, heart) = address(care), self._beating.get(name, ("", None))
            if url == old:
                continue
            if heart is not None:
                heart.close()
                del self._beating[name]
            if url:
                self._beating[name] = url, Heartbeat(url, self._alive, every, partial(self._told, name))

    def close(self) -> None:
        """Beat no more."""
        for _, heart in self._beating.values():
            heart.close()
        self._beating.clear()
