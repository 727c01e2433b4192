"""Recurrences: what `每天早晚八点` and `每周一三五` mean, as a value and as a row of moments."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal

Every = Literal["day", "week", "month", "hour", "lunar_month", "year", "lunar_year"]

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""RFC 5545 names, Monday first as date.weekday()."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """When something happens again and again, in local wall time."""

    every: Every = "day"
    """The unit that repeats."""
    at: tuple[str, ...] = ()
    """Local times of day, `HH:MM`, ascending."""
    days: tuple[str | int, ...] = ()
    """week: `MO`…`SU`; month and lunar_month: day numbers 1…31, −1 the last; year and lunar_year: `MM-DD`, lunar
    `12--1` the year's last day."""
    interval: int = 1
    """Every how many units."""
    start: date | None = None
    """First day it may happen; also the anchor that `interval` counts from."""
    until: date | None = None
    """Last day it may happen."""

    def to_json(self) -> dict[str, Any]:
        """The public form: `{"every": "week", "days": ["MO"], "at": ["08:00"]}`; only what is set."""
        shown: dict[str, Any] = {"every": self.every}
        if self.days:
            shown["days"] = list(self.days)
        if self.at:
            shown["at"] = list(self.at)
        if self.interval != 1:
            shown["interval"] = self.interval
        if self.start:
            shown["start"] = self.start.isoformat()
        if self.until:
            shown["until"] = self.until.isoformat()
        return shown

    @classmethod
    def from_json(cls, shown: Mapping[str, Any]) -> Recurrence:
        """The value that `to_json` showed."""
        return cls(
            every=shown["every"],
            at=tuple(shown.get("at", ())),
            days=tuple(shown.get("days", ())),
            interval=int(shown.get("interval", 1)),
            start=date.fromisoformat(shown["start"]) if "start" in shown else None,
            until=date.fromisoformat(shown["until"]) if "until" in shown else None,
        )

    def on(self, day: date) -> bool:
        """Whether it happens at all on the local date `day`."""
        if (self.start and day < self.start) or (self.until and day > self.until):
            return False
        anchor = self.start or date(2024, 1, 1)  # a Monday
        match self.every:
            case "day" | "hour":
                return self.every == "hour" or (day - anchor).days % self.interval == 0
            case "week":
                monday = day - timedelta(days=day.weekday())
                first = anchor - timedelta(days=anchor.weekday())
                weeks = (monday - first).days // 7
                return weeks % self.interval == 0 and (not self.days or WEEKDAYS[day.weekday()] in self.days)
            case "month":
                months = (day.year - anchor.year) * 12 + day.month - anchor.month
                last = calendar.monthrange(day.year, day.month)[1]
                return months % self.interval == 0 and (day.day in self.days or (day.day == last and -1 in self.days))
            case "year":
                return day.strftime("%m-%d") in self.days
            case "lunar_month" | "lunar_year":
                return _lunar_matches(self, day)

    def times(self) -> tuple[time, ...]:
        """The times of day."""
        if self.every == "hour" and self.at:
            first = time.fromisoformat(self.at[0])
            return tuple(
                time((first.hour + step) % 24, first.minute) for step in range(0, 24, max(1, self.interval))
            )
        return _clocks(self.at)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Moments in (after, until], ascending; both aware and in the household's zone.

        A local time that a DST change skips happens when that hour would have been (PEP 495, fold=0);
        one that exists twice happens once, at its first occurrence.
        """
        day, last = after.date(), until.date()
        first, end = after.timestamp(), until.timestamp()
        clocks = sorted(self.times())
        while day <= last:
            if self.on(day):
                for clock in clocks:
                    moment = datetime.combine(day, clock, tzinfo=after.tzinfo)
                    if first < moment.timestamp() <= end:
                        yield moment
            day += timedelta(days=1)

    def next(self, after: datetime, within_days: int = 800) -> datetime | None:
        """The first moment after `after`, or None if there is none within `within_days`."""
        return next(self.between(after, after + timedelta(days=within_days)), None)


@lru_cache(maxsize=512)
def _clocks(at: tuple[str, ...]) -> tuple[time, ...]:
    return tuple(time.fromisoformat(text) for text in at)


def lunar_day(day: date) -> str:
    """The traditional date, as said: `十月十四`."""
    from lunar_python import Solar

    lunar = Solar.fromYmd(day.year, day.month, day.day).getLunar()
    return f"{lunar.getMonthInChinese()}月{lunar.getDayInChinese()}"


@lru_cache(maxsize=64)
def moons(year: int) -> tuple[tuple[date, int, int, int], ...]:
    """The lunar months that touch a solar year: (first day, lunar year, month, days), ascending; leap months negative.

    One table a year: asking lunar_python day by day costs 18 ms each, and a schedule looks at 800 days.
    """
    from lunar_python import LunarYear, Solar  # loads 40 ms of tables; only lunar rules pay

    found = []
    for month in LunarYear.fromYear(year).getMonths():
        first = Solar.fromJulianDay(month.getFirstJulianDay())
        found.append((date(first.getYear(), first.getMonth(), first.getDay()), month.getYear(), month.getMonth(), month.getDayCount()))
    return tuple(found)


def _lunar_matches(rule: Recurrence, day: date) -> bool:
    first, _, month, days = next(moon for moon in reversed(moons(day.year)) if moon[0] <= day)
    number = (day - first).days + 1
    last = number == days
    if rule.every == "lunar_month":
        return number in rule.days or (last and -1 in rule.days)
    # a leap month repeats no feast; 12--1 is the eve, on the 29th or 30th
    return month > 0 and (f"{month:02d}-{number:02d}" in rule.days or (last and f"{month:02d}--1" in rule.days))
