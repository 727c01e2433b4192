"""Rows of the store become Due events; the scheduler is only a doorbell and knows nothing else.

The truth about what is due is `wake_at` in the tables. A lost bell costs at most five seconds, because the store is
looked at that often anyway; a wrong bell costs nothing, because looking finds no row.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from assistant.clock import Clock
from assistant.messages import ClockStepped, Due
from assistant.store import Store

log = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=5)
"""Longest sleep. APScheduler sleeps on the old wall distance after a clock step, so it is woken this often; a row that
stays due because nobody has the floor is offered again this often, too."""
STEP = 2.0
"""Seconds by which wall and monotonic time may part before it is a step; slewing moves 0.5 ms a second at most."""
TRUST_LOOK_DOUBTED = 15.0
TRUST_LOOK = 300.0
"""Seconds between looks at whether the clock may be believed: asking systemd starts a process, so seldom once it is."""

Ring = Callable[[ClockStepped | None], None]
"""Called from a thread of the clockwork; puts the event, or a wish to look at the rows, into the inbox."""


def due_events(store: Store, now: datetime) -> list[Due]:
    """What is due at `now`, oldest first. A row stays due until a transition moves its `wake_at`."""
    return [Due(table, row) for table, row in store.due(now)]


@dataclass
class Watch:
    """Compares the wall clock with monotonic time and remembers whether it was believed. No threads, no rows."""

    clock: Clock
    trusted: bool = field(init=False)
    _apart: float = field(init=False)
    _looked: float = field(init=False)

    def __post_init__(self) -> None:
        self.trusted = self.clock.trusted()
        self._apart = self.clock.wall().timestamp() - self.clock.monotonic()
        self._looked = self.clock.monotonic()

    def look(self) -> ClockStepped | None:
        """What has happened to the clock since the last look; a suspend looks like a step forward, and is one."""
        monotonic = self.clock.monotonic()
        apart = self.clock.wall().timestamp() - monotonic
        by, self._apart = apart - self._apart, apart
        stepped = abs(by) > STEP
        trusted = self.trusted
        if stepped or monotonic - self._looked >= (TRUST_LOOK if trusted else TRUST_LOOK_DOUBTED):
            self._looked = monotonic
            trusted = self.clock.trusted()
        if not stepped and trusted == self.trusted:
            return None
        self.trusted = trusted
        return ClockStepped(timedelta(seconds=by) if stepped else timedelta(0), trusted)


@dataclass
class Clockwork:
    """The doorbell of the house: `wind` it with the next wake-up after every event, it rings then."""

    clock: Clock
    ring: Ring
    _watch: Watch = field(init=False)
    _scheduler: Any = field(init=False)
    _stop: threading.Event = field(default_factory=threading.Event)
    _pulse: threading.Thread | None = None
    _rung: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._watch = Watch(self.clock)
        begin: Any = BackgroundScheduler  # its package has no types
        self._scheduler = begin(
            timezone=self.clock.wall().tzinfo,
            # With APScheduler's default grace of 1 s a clock step of +30 s silently dropped the reminder.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 3},
        )

    @property
    def trusted(self) -> bool:
        """Whether the wall clock may be believed, as last seen."""
        return self._watch.trusted

    def start(self) -> None:
        """Begin to ring."""
        self._scheduler.start()
        self._pulse = threading.Thread(target=self._beat, name="clockwork", daemon=True)
        self._pulse.start()

    def stop(self) -> None:
        """Ring no more; returns when both threads have ended."""
        self._stop.set()
        if self._pulse is not None:
            self._pulse.join(timeout=2)
        if self._scheduler.running:
            # Stopped while it rings, APScheduler looks for the rung job among the pending ones and its thread dies of that.
            self._scheduler.pause()
            self._scheduler.remove_all_jobs()
            self._scheduler.shutdown(wait=False)

    def wind(self, next_wake: datetime | None) -> None:
        """Ring at `next_wake`, but not sooner than 5 s after the last ring for a row that is still due. Any thread."""
        if next_wake is None:
            with suppress(JobLookupError):  # none was wound, or it rings just now
                self._scheduler.remove_job("bell")
            return
        with self._lock:
            seen = self._rung is not None and next_wake <= self._rung
            at = self._rung + PATIENCE if seen and self._rung is not None else next_wake
        # Date jobs only: an interval job across a year's step grew to 869 MB.
        self._scheduler.add_job(self._bell, "date", run_date=at, id="bell", replace_existing=True)

    def _bell(self) -> None:
        with self._lock:
            self._rung = self.clock.wall()
        self.ring(None)

    def _beat(self) -> None:
        """Every 5 s: has the clock been moved, and has the scheduler overslept?"""
        while not self._stop.wait(PATIENCE.total_seconds()):
            self.beat()

    def beat(self) -> None:
        """One look at the clock; a step rings at once and the next wake-up must be wound anew."""
        stepped = self._watch.look()
        if stepped is not None:
            log.warning("clock stepped by %s, trusted %s", stepped.by, stepped.trusted)
            with self._lock:
                self._rung = None
            self.ring(stepped)
        if self._scheduler.running:
            self._scheduler.wakeup()
