"""The report: the same figures as the ledger, in three forms, readable and safe to open."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from assistant.care import dose, reading
from assistant.errors import XiaobanError
from assistant.home import Household
from assistant.report import Report, as_csv, as_html, print_text, report, run_report
from assistant.skills import medication
from tests.talks import HOME, VALSARTAN, ZONE, Home, at, said


def weeks(household: Household = HOME) -> Home:
    """Two days: one taken and one missed each morning, readings, a skip with a reason."""
    h = Home(medication.skill, at("07:00"), household)
    h.start()
    h.run(at("07:45"), said("snooze"), said("taken"))
    h.run(at("15:00"))
    h.run(at("20:01"), said("skip", "=HYPERLINK(胃不舒服)"), said("skip", "胃不舒服"), said("taken"))
    h.run(at("2026-11-23 12:00"), said("taken"))
    for hour, value in ((8, 132), (9, 168), (11, 141)):
        high = value > 150
        reading.add(h.store, at(f"2026-11-23 {hour:02d}:00"), "blood_pressure", value, 84, high)
    h.goes_to(at("2026-11-23 12:00"))
    return h


def made(days: int = 7) -> Report:
    h = weeks()
    return report(h.store, h.household, h.now, days)


def month() -> Report:
    """Thirty days of everything, with more events than fit: the fullest sheet."""
    h = Home(medication.skill, at("2026-10-24 05:00"))
    for number in range(30):
        now = at("2026-10-24 05:00") + timedelta(days=number)
        dose.plan(h.store, HOME, now)
        for d in dose.find(h.store, ZONE, "state = 'planned' AND day = ?", now.date().isoformat()):
            asked = dose.asked(h.store, d.due, d)
            if d.id % 9:
                dose.taken(h.store, d.due + timedelta(minutes=9), asked)
            else:
                dose.move(h.store, d.due, asked, dose.Event.SKIP, reason="胃不舒服，早饭也没怎么吃，想歇一天再说")
        for kind, value, second in (("blood_pressure", 128 + number, 80.0), ("blood_glucose", 6.3, None), ("heart_rate", 72, None), ("weight", 61, None)):
            reading.add(h.store, now + timedelta(hours=4), kind, value, second)
    return report(h.store, HOME, at("2026-11-22 22:00"), 30)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed: apt install chromium")
def test_a_full_month_prints_on_one_sheet(tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text(as_html(month()), "utf-8")
    subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/p", "--no-pdf-header-footer",
         f"--print-to-pdf={tmp_path}/r.pdf", f"file://{tmp_path}/r.html"], check=True, capture_output=True, timeout=120,
    )
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "r.pdf").read_bytes())) == 1


class Tags(HTMLParser):
    """Whether every tag is closed, what is loaded from elsewhere, what stands in the cells."""

    void = frozenset({"meta", "rect", "circle", "polyline", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.void:
            self.open.append(tag)
        self.outside += [v for k, v in attrs if k in ("src", "href") and v]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [v for k, v in attrs if k in ("src", "href") and v]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_figures_are_those_of_the_ledger() -> None:
    assert [(c.medicine, c.planned, c.taken, c.missed, c.skipped) for c in made().courses] == [
        ("缬沙坦", 3, 2, 0, 1), ("二甲双胍", 1, 0, 1, 0), ("阿司匹林", 1, 1, 0, 0),
    ]


def test_the_median_delay_is_minutes_after_the_slot() -> None:
    assert [c.minutes_late for c in made().courses] == [pytest.approx(10.1, abs=0.3), None, pytest.approx(0.2, abs=0.2)]


def test_one_day_has_only_its_own_doses() -> None:
    assert {d.day for d in made(1).doses} == {at("2026-11-23 12:00").date()}


@pytest.mark.parametrize("days", [0, -3, 10_000])
def test_a_number_of_days_that_is_none_is_refused(days: int) -> None:
    with pytest.raises(XiaobanError, match="天数"):
        made(days)


def test_the_page_is_whole_and_loads_nothing_from_elsewhere() -> None:
    tags = Tags()
    tags.feed(as_html(made()))
    assert (tags.open, tags.outside) == ([], [])


def test_what_was_said_cannot_become_markup() -> None:
    odd = replace(VALSARTAN, name="<b>缬沙坦</b>&", dose="<script>alert(1)</script>")
    h = weeks(replace(HOME, medicines=(odd,)))
    page = as_html(report(h.store, h.household, h.now, 7))
    assert ("<script" in page, "<b>" in page, "&lt;script&gt;" in page) == (False, False, True)


def test_the_calendar_has_a_mark_for_each_dose() -> None:
    page = as_html(made())
    assert [len(re.findall(f'<td class="{kind}[ "]', page)) for kind in ("taken", "missed", "skipped", "unknown")] == [3, 1, 1, 0]


def test_a_reading_is_a_point_where_it_belongs() -> None:
    page = as_html(made())
    high = page.count('r="3" fill="#b91c1c"')
    assert (page.count("<circle"), page.count("<polyline"), high) == (6, 2, 2)


def test_the_page_fits_one_sheet() -> None:
    """A month of four medicines at these sizes: 273 mm of A4 are enough; lines are counted, not rendered."""
    h = weeks()
    page = as_html(report(h.store, h.household, h.now, 31))
    lines = page.count("<tr>") * 5.2 + page.count("<h2>") * 11 + page.count("<figure>") / 2 * 36 + 24
    assert lines < 273


def test_the_table_has_one_line_for_each_dose_and_reading() -> None:
    rows = list(csv.reader(io.StringIO(as_csv(made()).removeprefix("\ufeff"))))
    kinds = [row[0] for row in rows]
    assert (kinds.count("测量"), sum(row[0] == "药" and row[4] != "" for row in rows), {len(row) for row in rows}) == (3, 5, {7})


def test_a_cell_cannot_become_a_formula() -> None:
    cells = [cell for row in csv.reader(io.StringIO(as_csv(made()))) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@"))] == []


def test_the_terminal_shows_the_same_figures() -> None:
    out = io.StringIO()
    print_text(made(), Console(file=out, width=120))
    assert all(word in out.getvalue() for word in ("缬沙坦", "67%", "168/84", "超出范围"))


def test_files_are_for_the_household_alone(tmp_path: Path) -> None:
    h = weeks()
    page, table = tmp_path / "r.html", tmp_path / "r.csv"
    code = run_report(h.store, h.household, h.now, 7, page, table)
    assert (code, {oct(p.stat().st_mode & 0o777) for p in (page, table)}) == (0, {"0o600"})


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    h = weeks()
    with pytest.raises(XiaobanError, match="报告写不进去"):
        run_report(h.store, h.household, h.now, 7, tmp_path / "no" / "r.html")


def test_without_any_record_there_is_still_a_page() -> None:
    h = Home(medication.skill, at("07:00"))
    empty = report(h.store, h.household, h.now + timedelta(minutes=1), 7)
    tags = Tags()
    tags.feed(as_html(empty))
    assert (empty.courses, tags.open) == ((), [])
