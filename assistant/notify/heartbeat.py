"""A dead man's switch: an address the family chose hears from this device every five minutes; its silence is the alarm."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from assistant.notify.web import Unreached, Unsure, fetch

log = logging.getLogger(__name__)

EVERY = 300.0
"""Seconds between beats (healthchecks-style services warn after one or two missed)."""
SECONDS = 10.0


class Heartbeat:
    """Beats as long as `alive` says the house works; a stuck core stops it, which is the point."""

    def __init__(
        self, url: str, alive: Callable[[], bool], every: float = EVERY, back: Callable[[], None] = lambda: None
    ) -> None:
        """`back` is called when a beat is heard after one that was not."""
        self._url, self._alive, self._every, self._back = url, alive, every, back
        self._stop = threading.Event()
        self.last = ""
        """What became of the last beat, for `doctor`."""
        threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def close(self) -> None:
        """Beat no more."""
        self._stop.set()

    def _run(self) -> None:
        while True:
            if self._alive():
                # A thread of its own a beat: a hanging resolver may not stop the next.
                threading.Thread(target=self._beat, name="beat", daemon=True).start()
            if self._stop.wait(self._every):
                return

    def _beat(self) -> None:
        before = self.last
        try:
            answer = fetch("GET", self._url, seconds=SECONDS)
            self.last = "ok" if 200 <= answer.status < 300 else f"HTTP {answer.status}"
        except (Unreached, Unsure) as error:
            self.last = str(error)
        if self.last != "ok":
            log.warning("heartbeat: %s", self.last)
        elif before not in ("", "ok"):
            self._back()
