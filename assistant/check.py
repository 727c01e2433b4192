"""What is wrong, odd or hard to hear in the family's file, and the day as it will be spoken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Literal, TextIO

from assistant import household as files
from assistant import saying
from assistant.clock import SystemClock
from assistant.errors import HouseholdError, ModelMissing
from assistant.home import Household, Medicine
from assistant.household_text import InvalidHousehold, Mistake
from assistant.listen.grammar import Knows, missing_words

Level = Literal["mistake", "warning", "note"]
"""A mistake stops the file from being used; a warning is likely not meant; a note is good to know."""

SIGNS = {"mistake": "✗", "warning": "！", "note": "·"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in the file."""

    level: Level
    mistake: Mistake

    def __str__(self) -> str:
        return f"{SIGNS[self.level]} {self.mistake}"


@dataclass(frozen=True, slots=True)
class Line:
    """Something that will be said."""

    at: datetime
    text: str


def check(path: Path, knows: Knows | None = None) -> list[Finding]:
    """Everything to say about the file at `path`; `knows` tells which words the recogniser has, None skips that."""
    try:
        papers = files.papers(path)
        loaded = papers.loaded()
    except InvalidHousehold as error:
        return [Finding("mistake", mistake) for mistake in error.mistakes]
    found = [Finding("warning", warning) for warning in loaded.warnings]
    if knows is not None:
        found += unheard(loaded.household, papers.text, knows)
    return found


def unheard(home: Household, text: str, knows: Knows) -> Iterator[Finding]:
    """Names with characters the recogniser cannot write: heard by their sound, or not at all."""
    for missing in missing_words(names(home), knows):
        line = next((at for at, row in enumerate(text.splitlines(), 1) if missing.word in row), 0)
        if missing.suggestion:
            what = f"语音识别不认识「{missing.char}」字，「{missing.word}」会按同音的「{missing.suggestion}」来听"
            yield Finding("note", Mistake(line, what))
        else:
            what = f"语音识别听不出「{missing.word}」里的「{missing.char}」"
            yield Finding("warning", Mistake(line, what, "给它加一个好念的叫法"))


def names(home: Household) -> Iterator[str]:
    """Every name the elder may say."""
    for contact in home.family:
        yield from (contact.name, contact.relation, *contact.nicknames)
    for medicine in home.medicines:
        yield from (medicine.name, *medicine.aka, medicine.looks)
    for service in home.services:
        yield from (service.name, *service.aka)
    yield from home.wake_words


def preview(home: Household, now: datetime) -> list[Line]:
    """What 小伴 will say by itself tomorrow, in order; `now` is aware and in the household's zone."""
    midnight = datetime.combine(now.date() + timedelta(days=1), time(0), tzinfo=now.tzinfo)
    before, end = midnight - timedelta(seconds=1), midnight + timedelta(days=1, seconds=-1)
    doses: dict[datetime, list[Medicine]] = {}
    for medicine in home.medicines:
        if medicine.schedule is None or _ended(medicine, midnight):
            continue
        for at in medicine.schedule.between(before, end):
            doses.setdefault(at, []).append(medicine)
    spoken = [Line(at, _dose(home, at, due)) for at, due in doses.items()]
    for reminder in home.reminders:
        spoken += [Line(at, f"{home.elder.call}，{saying.clock(at)}了，{reminder.what}。") for at in reminder.schedule.between(before, end)]
    if home.care.checkin:
        at = datetime.combine(midnight.date(), home.care.checkin, tzinfo=now.tzinfo)
        spoken.append(Line(at, f"{home.elder.call}，跟您报个平安，您今天好吗？"))
    return sorted(spoken, key=lambda line: line.at)


def _ended(medicine: Medicine, day: datetime) -> bool:
    started, stopped = medicine.started, medicine.stopped
    return bool((started and day.date() < started) or (stopped and day.date() > stopped))


def _dose(home: Household, at: datetime, due: list[Medicine]) -> str:
    each = [saying.sentence((m.note, f"{m.aka[0] if m.aka else m.name}{m.dose}", m.looks)) for m in due]
    return f"{home.elder.call}，{saying.clock(at)}了。{'；'.join(each)}，您吃了吗？"


def run_check(path: Path, models_dir: Path, preview_day: bool, out: TextIO, now: datetime | None = None) -> int:
    """Print the findings, and the spoken day if asked; the exit code is 0, or HouseholdError's on any mistake."""
    knows: Knows | None = None
    unlistened = ""
    try:
        from assistant.listen.recognizer import Model  # loads 160 MB; only a check with a model pays

        knows = Model(models_dir / MODEL).knows
    except ModelMissing as error:
        unlistened = f"（没有检查哪些名字听不清：{error}）"
    found = check(path, knows)
    for finding in found:
        print(finding, file=out)
    if unlistened:
        print(unlistened, file=out)
    mistakes = sum(finding.level == "mistake" for finding in found)
    if mistakes:
        print(f"\n{path}：{mistakes} 处要改。改好以前，小伴用的还是上一次没有错的文件。", file=out)
        return HouseholdError.code
    home = files.load(path)
    print(f"{path}：可以用。{_counts(home)}", file=out)
    if preview_day:
        moment = now or SystemClock(home.zone).wall()
        print("\n明天小伴会说：", file=out)
        for line in preview(home, moment):
            print(f"  {line.at:%H:%M}  {line.text}", file=out)
    return 0


MODEL = "vosk-model-small-cn-0.22"


def _counts(home: Household) -> str:
    return f"家人 {len(home.family)} 位，药 {len(home.medicines)} 种，服务 {len(home.services)} 项，提醒 {len(home.reminders)} 个。"
