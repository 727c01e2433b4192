"""Time as a parameter: the real clock for the house, a virtual one for demo, plays and simulation."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

TRUST_FLOOR = datetime(2026, 1, 1).timestamp()
"""A wall clock before this program was written is a machine without a battery clock."""


class Clock(Protocol):
    """The three things one may ask of time. The core never asks; it is told."""

    def wall(self) -> datetime:
        """Now, aware, in the household's zone."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never steps."""

    def trusted(self) -> bool:
        """Whether the wall clock has been set by something that knows the time."""


@dataclass
class SystemClock:
    """The machine's clock in the household's zone."""

    zone: tzinfo

    def wall(self) -> datetime:
        return datetime.now(self.zone)

    def monotonic(self) -> float:
        return time.monotonic()

    def trusted(self) -> bool:
        """True if systemd says NTP has set the clock, or there is a battery clock and the year is sane."""
        if time.time() < TRUST_FLOOR:
            return False
        try:
            said = subprocess.run(
                ["timedatectl", "show", "--property=NTPSynchronized", "--value"],
                capture_output=True, text=True, timeout=2, check=False,
            ).stdout.strip()
        except (OSError, subprocess.TimeoutExpired):
            said = ""
        if said == "yes":
            return True
        return _has_rtc()


def _has_rtc() -> bool:
    try:
        with open("/sys/class/rtc/rtc0/since_epoch", encoding="ascii") as file:
            return float(file.read()) > TRUST_FLOOR
    except (OSError, ValueError):
        # A container or PC without /sys: no Pi, so its host keeps the time.
        try:
            with open("/proc/device-tree/model", encoding="ascii", errors="replace") as file:
                return "Raspberry" not in file.read()
        except OSError:
            return True


@dataclass
class VirtualClock:
    """A clock that moves only when told."""

    now: datetime
    is_trusted: bool = True
    elapsed: float = field(default=0.0)

    def wall(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.elapsed

    def trusted(self) -> bool:
        return self.is_trusted

    def advance(self, to: datetime) -> None:
        """Move forward to `to`; time never runs back by itself."""
        if to > self.now:
            self.elapsed += (to - self.now).total_seconds()
            self.now = to

    def step(self, by: timedelta) -> None:
        """What NTP does: the wall clock jumps, monotonic time does not."""
        self.now += by
