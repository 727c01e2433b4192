"""The health diary: one row for one measurement the elder said, with the family's ranges to judge it by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from sqlite_utils import Database, Migrations

from assistant.home import Care
from assistant.store import Row, Store, moment


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can be measured at home."""

    name: str
    """As one says it."""
    unit: str
    low: float
    """Lowest value a living person can have; anything outside was misheard."""
    high: float
    decimals: int = 0
    ucum: str = ""
    """Unit for FHIR, http://unitsofmeasure.org."""
    loinc: str = ""


KINDS: Mapping[str, Kind] = {
    "systolic": Kind("高压", "毫米汞柱", 50, 280, 0, "mm[Hg]", "8480-6"),
    "diastolic": Kind("低压", "毫米汞柱", 25, 180, 0, "mm[Hg]", "8462-4"),
    "blood_glucose": Kind("血糖", "毫摩尔每升", 0.8, 45, 1, "mmol/L", "15074-8"),
    "heart_rate": Kind("心率", "次每分", 25, 250, 0, "/min", "8867-4"),
    "temperature": Kind("体温", "度", 33, 43, 1, "Cel", "8310-5"),
    "weight": Kind("体重", "公斤", 25, 200, 1, "kg", "29463-7"),
}
"""Bounds of the plausible: what lies outside is asked again instead of written down. LOINC codes of the usual panel."""

PANEL: Mapping[str, tuple[str, ...]] = {"blood_pressure": ("systolic", "diastolic")}
"""Kinds said together."""

FINE: Mapping[str, tuple[float, float]] = {
    "systolic": (90, 160), "diastolic": (50, 100), "blood_glucose": (3.9, 13.9), "heart_rate": (50, 110),
    "temperature": (35.5, 37.5),
}
"""Ranges used where the family wrote none: ISH 2020 for pressure, 3.9 mmol/L hypoglycaemia (ADA); only to tell the
family, never as advice."""

ADVANCE = timedelta(days=14)
"""How far back a trend looks."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement."""

    id: int
    kind: str
    """A key of KINDS, or `blood_pressure`."""
    value: float
    """For blood pressure the systolic one."""
    second: float | None
    """The diastolic one."""
    at: datetime
    outside: bool = False
    """Outside the range when it was written."""


readings = Migrations("reading")


@readings()
def reading_table(db: Database) -> None:
    db.execute(
        "CREATE TABLE reading (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, value REAL NOT NULL, second REAL,"
        " at TEXT NOT NULL, outside INTEGER NOT NULL DEFAULT 0, crc INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute("CREATE INDEX reading_by_kind ON reading (kind, at)")


def read(row: Row, zone: tzinfo = UTC) -> Reading:
    """A row as a value, times in `zone`."""
    return Reading(row["id"], row["kind"], row["value"], row["second"], moment(row["at"]).astimezone(zone), bool(row["outside"]))


def parts(kind: str, value: float, second: float | None) -> list[tuple[str, float]]:
    """(kind of KINDS, value) of a measurement: blood pressure has two."""
    names = PANEL.get(kind, (kind,))
    return [(name, v) for name, v in zip(names, (value, second), strict=False) if v is not None]


def plausible(kind: str, value: float, second: float | None = None) -> bool:
    """Whether a living person can have this; the higher pressure is above the lower by at least 10."""
    if kind not in PANEL and kind not in KINDS:
        return False
    if not all(KINDS[name].low <= v <= KINDS[name].high for name, v in parts(kind, value, second)):
        return False
    return kind not in PANEL or (second is not None and value >= second + 10)


def outside(care: Care, kind: str, value: float, second: float | None = None) -> list[tuple[str, bool]]:
    """(kind, whether it is too high) for each part outside its range."""
    written = {name: (low, high) for name, low, high in care.ranges}
    found: list[tuple[str, bool]] = []
    for name, v in parts(kind, value, second):
        fine = written.get(name, FINE.get(name))
        if fine is not None and not fine[0] <= v <= fine[1]:
            found.append((name, v > fine[1]))
    return found


def add(store: Store, now: datetime, kind: str, value: float, second: float | None = None, is_outside: bool = False) -> Reading:
    """Write one down. Raises ValueError for what no living person has."""
    if not plausible(kind, value, second):
        raise ValueError((kind, value, second))
    with store.atomic():
        number = store.insert("reading", kind=kind, value=float(value), second=second if second is None else float(second),
                              at=now, outside=int(is_outside))
        store.note_down(now, "reading.written", number, kind)
    return Reading(number, kind, value, second, now, is_outside)


def since(store: Store, zone: tzinfo, after: datetime, kind: str = "") -> list[Reading]:
    """Measurements at or after a moment, oldest first."""
    rows = store.find("reading", "at >= ?" + (" AND kind = ?" if kind else ""), after, *([kind] if kind else []), order="at, id")
    return [read(row, zone) for row in rows]


def remove(store: Store, now: datetime, reading: Reading) -> None:
    """Misheard: it is gone."""
    with store.atomic():
        store.delete("reading", reading.id)
        store.note_down(now, "reading.removed", reading.id, reading.kind)


@dataclass(frozen=True, slots=True)
class Trend:
    """How one kind went over some days."""

    count: int
    average: float
    second: float | None
    """Average of the lower pressure."""
    lowest: float
    highest: float
    last: Reading
    change: float
    """Average of the later half minus that of the earlier half; 0 with fewer than four."""


def trend(found: list[Reading]) -> Trend | None:
    """The course of measurements of one kind, oldest first; None without any."""
    if not found:
        return None
    values = [r.value for r in found]
    seconds = [r.second for r in found if r.second is not None]
    half = len(values) // 2
    change = sum(values[half:]) / len(values[half:]) - sum(values[:half]) / half if len(values) >= 4 else 0.0
    return Trend(
        len(values), sum(values) / len(values), sum(seconds) / len(seconds) if seconds else None,
        min(values), max(values), found[-1], change,
    )
