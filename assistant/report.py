"""A page a doctor reads in a minute: adherence as a calendar, readings as plots, what happened; text, HTML, CSV."""

from __future__ import annotations

import csv
import html
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table

from assistant.care import dose, reading
from assistant.care.dose import Dose, State
from assistant.care.reading import KINDS, PANEL, Reading
from assistant.errors import StoreError, XiaobanError
from assistant.fhir import as_fhir
from assistant.home import Household
from assistant.store import WHOLE, Store, moment

LONGEST = 366
"""Days in one report at most."""
CALENDAR = 31
"""Days whose calendar fits the width of one A4 sheet; a longer report shows the newest."""

MARKS: dict[State, tuple[str, str, str]] = {
    State.TAKEN: ("●", "taken", "吃了"),
    State.SKIPPED: ("–", "skipped", "没吃（说过）"),
    State.MISSED: ("×", "missed", "没有回音"),
    State.UNKNOWN: ("?", "unknown", "不清楚"),
}
"""Mark, class and word of each final state; the marks differ in shape, so that they survive a grey printer."""
OPEN_MARK = ("○", "open", "还没到 / 在问")

INCIDENTS = {
    "fall": "摔倒", "chest_pain": "胸口不舒服", "stroke": "像中风", "bleeding": "出血", "breath": "喘不上气", "fire": "着火",
    "gas": "煤气", "intruder": "有人闯入", "unwell": "不舒服", "generic": "求助",
}
BOOKINGS = {"draft": "未送出", "sent": "已送出", "confirmed": "已确认", "moved": "改期中", "cancelled": "已取消", "done": "来过了",
            "no_show": "没有来"}
NOTES = {"dose.double": "又说了一次吃了（可能重复服药，没有再记）", "dose.denied": "收回了“吃过了”"}
"""Lines of the log that a doctor wants to see."""


@dataclass(frozen=True, slots=True)
class Course:
    """How one medicine was taken."""

    medicine: str
    dose: str
    slots: tuple[str, ...]
    planned: int
    """Doses that came due and are closed."""
    taken: int
    missed: int
    unknown: int
    skipped: int
    minutes_late: float | None
    """Median of how long after its slot a dose was reported, in minutes."""

    @property
    def adherence(self) -> float | None:
        """Share taken of those that were to be taken, 0…1; skipped ones count as not taken."""
        return self.taken / self.planned if self.planned else None


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the events."""

    at: datetime
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the three forms show."""

    elder: str
    first: date
    last: date
    made: datetime
    courses: tuple[Course, ...]
    doses: tuple[Dose, ...]
    readings: tuple[Reading, ...]
    happenings: tuple[Happening, ...]
    ranges: tuple[tuple[str, float, float], ...]
    damaged: int
    """Rows of the ledger that could not be read."""
    note: str = ""
    """What is wrong with the ledger as a whole, in Chinese; empty if nothing."""

    @property
    def days(self) -> tuple[date, ...]:
        """The days it covers."""
        return tuple(self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))


def report(store: Store, household: Household, now: datetime, days: int) -> Report:
    """Gather the last `days` local days up to `now`. Raises XiaobanError for a number of days that is none."""
    if not 1 <= days <= LONGEST:
        raise XiaobanError(f"天数要在 1 到 {LONGEST} 之间，写的是 {days}。")
    zone = household.zone
    now = now.astimezone(zone)
    first = now.date() - timedelta(days=days - 1)
    start = datetime.combine(first, time(0), tzinfo=zone)
    doses = tuple(
        d for d in dose.find(store, zone, "day >= ? AND day <= ?", first.isoformat(), now.date().isoformat()) if d.due <= now or d.final
    )
    named = [m.name for m in household.medicines]
    names = [*named, *dict.fromkeys(d.medicine for d in doses if d.medicine not in named)]
    courses = tuple(
        _course(name, household, [d for d in doses if d.medicine == name]) for name in names if any(d.medicine == name for d in doses)
    )
    return Report(
        elder=household.elder.name, first=first, last=now.date(), made=now, courses=courses, doses=doses,
        readings=tuple(reading.since(store, zone, start)), happenings=tuple(_happenings(store, household, start, now)),
        ranges=household.care.ranges, damaged=store.count("quarantine", "of != ?", WHOLE), note=store.note,
    )


def _course(name: str, household: Household, doses: Sequence[Dose]) -> Course:
    medicine = household.medicine(name)
    scheduled = [d for d in doses if d.scheduled]
    closed = [d for d in scheduled if d.final]
    late = sorted((d.taken - d.due).total_seconds() / 60 for d in closed if d.taken and d.state is State.TAKEN)
    count = {state: sum(d.state is state for d in closed) for state in State}
    return Course(
        name, medicine.dose if medicine else "", tuple(sorted({d.slot for d in scheduled})) or ("需要时",), len(closed),
        count[State.TAKEN] if scheduled else sum(d.state is State.TAKEN for d in doses), count[State.MISSED],
        count[State.UNKNOWN], count[State.SKIPPED], late[len(late) // 2] if late else None,
    )


def _happenings(store: Store, household: Household, start: datetime, now: datetime) -> list[Happening]:
    zone = household.zone
    found: list[Happening] = []
    for d in dose.find(store, zone, "due_at >= ? AND due_at <= ? AND reason != ''", start, now):
        found.append(Happening(d.due, "药", f"{d.medicine}：{d.reason}"))
    for row in store.find("log", f"at >= ? AND kind IN ({', '.join(repr(kind) for kind in NOTES)})", start):
        found.append(Happening(moment(row["at"]).astimezone(zone), "药", f"{str(row['text']).split()[0]}：{NOTES[row['kind']]}"))
    for row in store.find("incident", "started_at >= ?", start):
        who = f"，{row['person']}应了" if row["person"] else ""
        kind = "演习" if row["drill"] else "、".join(dict.fromkeys(INCIDENTS.get(kind, "求助") for kind in row["kind"].split()))
        end = "取消了" if row["state"] == "cancelled" else "报警了"
        found.append(Happening(moment(row["started_at"]).astimezone(zone), "求助", f"{kind}，{end}{who}"))
    for row in store.find("booking", "visit_at >= ? AND visit_at <= ?", f"{start:%Y-%m-%dT%H:%M}", f"{now + timedelta(days=14):%Y-%m-%dT%H:%M}"):
        visit = datetime.fromisoformat(row["visit_at"]).replace(tzinfo=zone)
        note = f"（{row['note']}）" if row["note"] else ""
        found.append(Happening(visit, "预约", f"{row['service']}{note}：{BOOKINGS.get(row['state'], row['state'])}"))
    for row in store.find("checkin", "due_at >= ? AND state IN ('unwell', 'unanswered')", start):
        said = f"说：{row['words']}" if row["state"] == "unwell" else "两次没有回应"
        found.append(Happening(moment(row["due_at"]).astimezone(zone), "报平安", said))
    return sorted(found, key=lambda h: h.at)


# --- text ---------------------------------------------------------------------------------------------------------


def print_text(made: Report, console: Console) -> None:
    """Tables on a terminal."""
    console.print(f"{made.elder}  {made.first} 至 {made.last}", style="bold")
    table = Table("药", "时间", "该吃", "吃了", "没回音", "不清楚", "说不吃", "按时率", "晚几分钟")
    for course in made.courses:
        table.add_row(
            course.medicine, " ".join(course.slots), str(course.planned), str(course.taken), str(course.missed),
            str(course.unknown), str(course.skipped), _percent(course), _minutes(course),
        )
    console.print(table)
    if made.readings:
        table = Table("时间", "测量", "数值", "")
        for r in made.readings:
            table.add_row(f"{r.at:%m-%d %H:%M}", _kind(r.kind), _value(r), "超出范围" if r.outside else "")
        console.print(table)
    if made.happenings:
        table = Table("时间", "事情", "")
        for h in made.happenings:
            table.add_row(f"{h.at:%m-%d %H:%M}", h.kind, h.text)
        console.print(table)
    if made.note:
        console.print(made.note, style="bold")
    if made.damaged:
        console.print(f"账本里有 {made.damaged} 条记录坏了，没有算进来。", style="bold")


def _percent(course: Course) -> str:
    return f"{course.adherence:.0%}" if course.adherence is not None else ""


def _minutes(course: Course) -> str:
    return f"{course.minutes_late:.0f}" if course.minutes_late is not None else ""


def _kind(kind: str) -> str:
    return "血压" if kind in PANEL else KINDS[kind].name


def _value(r: Reading) -> str:
    return f"{r.value:g}/{r.second:g}" if r.second is not None else f"{r.value:g}"


# --- CSV ----------------------------------------------------------------------------------------------------------


def as_csv(made: Report) -> str:
    """One line a dose, reading or event; opens in a spreadsheet (UTF-8 with a mark, commas)."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["类别", "日期", "时间", "名称", "结果", "实际时间", "备注"])
    for d in made.doses:
        state = MARKS.get(d.state, OPEN_MARK)[2]
        at = f"{d.taken:%Y-%m-%d %H:%M}" if d.taken else ""
        rows.writerow(["药", d.day.isoformat(), d.slot.removeprefix("+")[:5], _safe(d.medicine), state, at, _safe(d.reason)])
    for r in made.readings:
        rows.writerow(["测量", r.at.date().isoformat(), f"{r.at:%H:%M}", _kind(r.kind), _value(r), "", "超出范围" if r.outside else ""])
    for h in made.happenings:
        rows.writerow([h.kind, h.at.date().isoformat(), f"{h.at:%H:%M}", _safe(h.text), "", "", ""])
    return "\ufeff" + text.getvalue()


def _safe(text: str) -> str:
    """A spreadsheet takes what begins with = + - @ for a formula (CWE-1236)."""
    return "'" + text if text[:1] in "=+-@\t\r" else text


# --- HTML ---------------------------------------------------------------------------------------------------------

STYLE = """
@page { size: A4; margin: 12mm } @media print { body { padding: 0 !important } } * { box-sizing: border-box }
body { font: 10.5pt/1.35 "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", sans-serif; color: #111;
  max-width: 186mm; margin: 0 auto; padding: 4mm 0 }
h1 { font-size: 15pt; margin: 0 0 1mm } h2 { font-size: 11.5pt; margin: 4mm 0 1.5mm; border-bottom: 1px solid #999 }
p.small, caption, figcaption { font-size: 8.5pt; color: #444; margin: 0; text-align: left }
table { border-collapse: collapse; width: 100% } th, td { border: 1px solid #bbb; padding: .6mm 1mm; text-align: center; font-size: 9pt }
th:first-child, td:first-child { text-align: left; white-space: nowrap } th { font-weight: 600; background: #f2f2f2 }
td.taken { color: #14532d } td.missed { background: #fbd5d5; font-weight: 700 } td.unknown { background: #fdeec4; font-weight: 700 }
td.skipped { background: #e8e8e8 } td.open { color: #777 } .plots { display: flex; flex-wrap: wrap; gap: 3mm }
p.sum { font-size: 12pt; font-weight: 600; margin: 2mm 0 }
table.days { table-layout: fixed } table.days th, table.days td { padding: .6mm 0 } table.days th:first-child, table.days td:first-child { width: 33mm; padding-left: 1mm }
table.days th.monday, table.days td.monday { border-left: 1.6px solid #777 }
table.events td { text-align: left; white-space: nowrap } table.events td:last-child { width: 99%; white-space: normal }
figure { margin: 0; width: 91mm; break-inside: avoid } svg { width: 100%; height: auto } section { break-inside: avoid }
"""


def as_html(made: Report) -> str:
    """One page that prints on one A4 sheet; nothing is loaded from elsewhere."""
    esc = html.escape
    gaps = sum(c.missed + c.unknown for c in made.courses)
    planned = sum(c.planned for c in made.courses)
    taken = sum(c.taken for c in made.courses if c.planned)
    summary = f"该吃 {planned} 次，记到吃了 {taken} 次" + (f"（{taken / planned:.0%}）" if planned else "") + f"，{gaps} 次没有回音或不清楚。"
    warned = f"<p class=small>账本里有 {made.damaged} 条记录坏了，没有算进来。</p>" if made.damaged else ""
    if made.note:
        warned += f"<p class=sum>{esc(made.note)}</p>"
    sections = [
        f"<h1>{esc(made.elder)} · 用药和健康记录</h1>",
        f"<p class=small>{made.first} 至 {made.last}，{made.made:%Y-%m-%d %H:%M} 打印。“吃了”是老人自己说的，或看过药盒；不是医疗器械的记录。</p>",
        f"<p class=sum>{esc(summary)}</p>{warned}", _calendar(made), _courses(made), _plots(made), _events(made),
    ]
    return (
        f'<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{esc(made.elder)} {made.first} 至 {made.last}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(s for s in sections if s) + "\n</body></html>\n"
    )


def _calendar(made: Report) -> str:
    days = made.days[-CALENDAR:]
    by_key = {(d.medicine, d.slot, d.day): d for d in made.doses if d.scheduled}
    head = "".join(f"<th{_week(day)}>{day.day}</th>" for day in days)
    months = "".join(f"<th colspan={len(list(some))}>{month}月</th>" for month, some in groupby(days, key=lambda day: day.month))
    rows: list[str] = []
    for course in made.courses:
        for slot in course.slots:
            if slot == "需要时":
                continue
            cells = "".join(_cell(by_key.get((course.medicine, slot, day)), day) for day in days)
            rows.append(f"<tr><td>{html.escape(course.medicine)} {slot}</td>{cells}</tr>")
        if extra := [d for d in made.doses if d.medicine == course.medicine and not d.scheduled]:
            counts = {day: sum(d.day == day for d in extra) for day in days}
            cells = "".join(f"<td{_week(day)}>{counts[day] or ''}</td>" for day in days)
            rows.append(f"<tr><td>{html.escape(course.medicine)} 另吃（次）</td>{cells}</tr>")
    legend = "　".join(f"{mark} {word}" for mark, _, word in (*MARKS.values(), OPEN_MARK))
    return f"<section><h2>吃药日历</h2><table class=days><caption>{legend}</caption><tr><th></th>{months}</tr><tr><th>药</th>{head}</tr>{''.join(rows)}</table></section>"


def _week(day: date, kind: str = "") -> str:
    """Classes of a cell: its kind, and where a week begins."""
    classes = " ".join(filter(None, (kind, "monday" if day.weekday() == 0 else "")))
    return f' class="{classes}"' if classes else ""


def _cell(d: Dose | None, day: date) -> str:
    if d is None:
        return f"<td{_week(day)}></td>"
    mark, kind, word = MARKS.get(d.state, OPEN_MARK)
    late = f" {d.taken:%H:%M}" if d.taken else ""
    return f'<td{_week(day, kind)} title="{word}{late}">{mark}</td>'


def _courses(made: Report) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(c.medicine)} {html.escape(c.dose)}</td><td>{'、'.join(c.slots)}</td><td>{c.planned or ''}</td>"
        f"<td>{c.taken}</td><td>{c.missed or ''}</td><td>{c.unknown or ''}</td><td>{c.skipped or ''}</td><td>{_percent(c)}</td>"
        f"<td>{_minutes(c)}</td></tr>"
        for c in made.courses
    )
    heads = "".join(f"<th>{h}</th>" for h in ("药", "时间", "该吃", "吃了", "没回音", "不清楚", "说不吃", "按时率", "晚几分钟"))
    return f"<section><h2>每种药</h2><table><tr>{heads}</tr>{rows}</table></section>" if rows else ""


def _plots(made: Report) -> str:
    kinds = dict.fromkeys(r.kind for r in made.readings)
    figures = "".join(_plot(kind, [r for r in made.readings if r.kind == kind], made) for kind in kinds)
    return f"<section><h2>测量</h2><div class=plots>{figures}</div></section>" if figures else ""


WIDE, HIGH, LEFT, FOOT, HEAD = 360.0, 120.0, 34.0, 16.0, 6.0
"""The drawing in SVG units: size and margins."""


def _plot(kind: str, found: Sequence[Reading], made: Report) -> str:
    written = {name: (low, high) for name, low, high in made.ranges}
    series = [
        (name, [(r.at, v) for r in found if (v := (r.value, r.second)[n]) is not None])
        for n, name in enumerate(PANEL.get(kind, (kind,)))
    ]
    values = [v for _, points in series for _, v in points]
    bands = [written.get(name, reading.FINE.get(name)) for name, _ in series]
    low = min([*values, *(b[0] for b in bands if b)])
    high = max([*values, *(b[1] for b in bands if b)])
    pad = (high - low or 1) * 0.08
    low, high = low - pad, high + pad
    begin = datetime.combine(made.first, time(0), tzinfo=made.made.tzinfo)
    span = max(1.0, (made.made - begin).total_seconds())

    def x(at: datetime) -> float:
        return LEFT + (WIDE - LEFT - 4) * (at - begin).total_seconds() / span

    def y(value: float) -> float:
        return HEAD + (HIGH - HEAD - FOOT) * (high - value) / (high - low)

    parts: list[str] = []
    for band in bands:
        if band:
            parts.append(
                f'<rect x="{LEFT}" width="{WIDE - LEFT - 4}" y="{y(band[1]):.1f}" height="{y(band[0]) - y(band[1]):.1f}" fill="#e6f2e6"/>'
            )
            parts += [_label(y(edge), f"{edge:g}") for edge in band]
    for (_, points), dash in zip(series, ("", "4 2"), strict=False):
        path = " ".join(f"{x(at):.1f},{y(v):.1f}" for at, v in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="#333" stroke-width="1.2" stroke-dasharray="{dash}"/>')
    for r in found:
        colour = "#b91c1c" if r.outside else "#333"
        for v in (r.value, r.second):
            if v is not None:
                parts.append(f'<circle cx="{x(r.at):.1f}" cy="{y(v):.1f}" r="{3 if r.outside else 2}" fill="{colour}"/>')
    parts.append(f'<text x="{LEFT}" y="{HIGH - 3}" font-size="9">{made.first:%m-%d}</text>')
    parts.append(f'<text x="{WIDE - 4}" y="{HIGH - 3}" font-size="9" text-anchor="end">{made.last:%m-%d}</text>')
    course = reading.trend(list(found))
    unit = KINDS[PANEL.get(kind, (kind,))[0]].unit
    caption = f"{_kind(kind)}（{unit}），{len(found)} 次"
    if course is not None:
        mean = f"{course.average:.0f}/{course.second:.0f}" if course.second is not None else f"{course.average:.1f}"
        caption += f"，平均 {mean}，最近 {_value(course.last)}"
    return (
        f'<figure><svg viewBox="0 0 {WIDE:g} {HIGH:g}" role="img" aria-label="{html.escape(caption)}">{"".join(parts)}</svg>'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def _label(y: float, text: str) -> str:
    return f'<text x="{LEFT - 3}" y="{y + 3:.1f}" font-size="9" text-anchor="end">{text}</text>'


LINES = 29
"""Lines of tables that fit the sheet beside its headings; two plots side by side are as high as seven. Events that do not
fit are left out, and the sheet says how many and where they are."""


def _room(made: Report) -> int:
    """Lines left for events."""
    plots = (len({r.kind for r in made.readings}) + 1) // 2
    return max(4, LINES - 7 * plots - sum(len(c.slots) for c in made.courses) - len(made.courses))


def _events(made: Report) -> str:
    shown = made.happenings[-_room(made):]
    rows = "".join(f"<tr><td>{h.at:%m-%d %H:%M}</td><td>{html.escape(h.kind)}</td><td>{html.escape(h.text)}</td></tr>" for h in shown)
    left_out = len(made.happenings) - len(shown)
    more = f"<p class=small>更早的 {left_out} 条在表格文件里（--csv）。</p>" if left_out else ""
    return f"<section><h2>发生的事</h2><table class=events>{rows}</table>{more}</section>" if rows else ""


# --- the command --------------------------------------------------------------------------------------------------


def run_report(
    store: Store, household: Household, now: datetime, days: int, to_html: Path | None = None, to_csv: Path | None = None,
    to_fhir: Path | None = None,
) -> int:
    """What `xiaoban report` does: tables on stdout, or the files that were asked for. Returns the exit code, StoreError's where
    the ledger itself is broken and this is what a backup holds."""
    made = report(store, household, now, days)
    written: list[tuple[Path | None, str]] = [
        (to_html, as_html(made) if to_html else ""), (to_csv, as_csv(made) if to_csv else ""),
        (to_fhir, as_fhir(household, made.doses, made.readings, now) if to_fhir else ""),
    ]
    for path, text in written:
        if path is not None:
            _write(path, text)
    if all(path is None for path, _ in written):
        print_text(made, Console(file=sys.stdout))
    elif made.note:
        Console(stderr=True, soft_wrap=True).print(made.note)
    return StoreError.code if made.note else 0


def _write(path: Path, text: str) -> None:
    try:
        path.touch(mode=0o600, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise XiaobanError(f"报告写不进去：{path}（{error.strerror}）。请换一个地方。") from error

