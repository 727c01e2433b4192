"""What is wrong, odd or hard to hear in the family's file, and the day as it will be spoken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import combinations, product
from pathlib import Path
from typing import Literal, TextIO

from assistant import household as files
from assistant.care import incident, message
from assistant.clock import VirtualClock
from assistant.errors import HouseholdError, ModelMissing
from assistant.furnish import dialogue, forgetful_store, model
from assistant.home import Household
from assistant.household_file import InvalidHousehold, Mistake
from assistant.keeper import Keeper, Kept
from assistant.listen.grammar import Knows, missing_words
from assistant.messages import Action, Ask, Asking, Heard, Hypothesis, Say, Started
from assistant.notify.channels import TELEPHONES, channel
from assistant.stage import Stage, guess_seconds
from assistant.understand.sound import Ear, syllables

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
    found += confusable(loaded.household, papers.text)
    found += overread(loaded.household, papers.text)
    if knows is not None:
        found += unheard(loaded.household, papers.text, knows)
    return found


ALIKE = 0.85
"""Likeness from which names are asked back; 刘敏 and 刘明 are 0.9 to an ear that folds an accent's in and ing."""


def confusable(home: Household, text: str) -> Iterator[Finding]:
    """Names of different entries that this elder's accent brings close, though they are not the same sound."""
    ear = Ear(home.elder.accent)
    kinds: tuple[list[tuple[str, ...]], ...] = (
        [(one.name, *one.nicknames) for one in home.family],
        [(one.name, *one.aka) for one in home.medicines],
        [(one.name, *one.aka) for one in home.services],
    )
    for entries in kinds:
        for one, other in combinations(entries, 2):
            for left, right in product(one, other):
                heard, meant = syllables(left), syllables(right)
                if heard != meant and ear.likeness(heard, meant) >= ALIKE:
                    what = f"「{left}」和「{right}」听起来很像，小伴有时要问是哪一个"
                    yield Finding("note", Mistake(_line(text, right), what, "想少问几次就给其中一个换个叫法"))


def overread(home: Household, text: str) -> Iterator[Finding]:
    """Contacts all of whose channels others read too: what only the one who comes to help may know is not written there."""
    if not incident.card(home):
        return
    rings = incident.callable_contacts(home)
    for contact in home.ladder:
        if contact.notify and not message.private(home, contact):
            what = f"{contact.name}的通知别人也看得到，报警时进门的办法和病史不往那里发" + ("，打电话念" if contact in rings else "")
            hint = f"给{contact.name}加一个只有本人看得到的通知" + ("" if contact in rings else "，或者配上网络电话和电话号码")
            yield Finding("warning", Mistake(_line(text, contact.name), what, hint))


def _line(text: str, word: str) -> int:
    """The first line that has the word, in large or small letters; 0 if none has."""
    return next((at for at, row in enumerate(text.splitlines(), 1) if word.casefold() in row.casefold()), 0)


_UNSPOKEN = re.compile(r"[^\u3400-\u9fffa-z0-9]")
"""What falls away when a name is spoken."""


def unheard(home: Household, text: str, knows: Knows) -> Iterator[Finding]:
    """Names with characters the recogniser cannot write: heard by their sound, or not at all."""
    written = {_UNSPOKEN.sub("", name.casefold()): name for name in names(home)}
    for missing in missing_words(names(home), knows):
        word = written.get(missing.word.casefold(), missing.word)
        line = _line(text, word)
        if missing.suggestion:
            what = f"语音识别不认识「{missing.char}」字，「{word}」会按同音的「{missing.suggestion}」来听"
            yield Finding("note", Mistake(line, what))
        else:
            part = f"里的「{missing.char}」" if missing.char.casefold() != word.casefold() else ""
            what = f"语音识别听不出「{word}」{part}"
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


ANSWERS: dict[Asking, str] = {"dose": "吃了", "yes_no": "好", "text": "挺好的"}
"""What the elder of a preview says to a question: the day goes well."""
ANSWER_AFTER = 3.0
"""Seconds after a question."""


def preview(home: Household, now: datetime) -> list[Line]:
    """What 小伴 will say by itself tomorrow if all goes well, in order; `now` is aware.

    The real core lives through the day on a virtual clock and forgets it: doses, reminders, the check-in.
    """
    start = datetime.combine(now.astimezone(home.zone).date() + timedelta(days=1), time(0), tzinfo=home.zone)
    spoken: list[Line] = []
    answered: set[datetime] = set()

    def hear(action: Action, at: datetime) -> None:
        if at in answered:
            return  # A reply to the elder; only what is said unasked is shown.
        if isinstance(action, Say | Ask):
            spoken.append(Line(at, action.text))
        if isinstance(action, Ask):
            after = guess_seconds(action.text) + ANSWER_AFTER
            answered.add(at + timedelta(seconds=after))
            stage.later(after, Heard((Hypothesis(ANSWERS.get(action.asking, "好")),)))

    stage = Stage(dialogue(home, forgetful_store()), VirtualClock(start), perform=hear)
    stage.tell(Started())
    stage.run(start + timedelta(days=1, seconds=-1))
    return spoken


def unreadable(home: Household) -> Iterator[tuple[str, str]]:
    """(channel, what is wrong) as far as an address shows it; `doctor` also tries them, and the telephone's machine."""
    for one in home.channels:
        # console: is to try things out; that nobody gets them is what it is for.
        if one.url.partition(":")[0].lower() not in ("console", *TELEPHONES) and (what := channel(one.url).check()):
            yield one.name, what


def in_force(path: Path, data: Path) -> Kept | None:
    """What a house would go by with the file at `path` and what it keeps under `data`; None where it could not begin."""
    try:
        return Keeper(path, data).load()
    except InvalidHousehold:
        return None


def until(kept: Kept | None) -> str:
    """What a house does until the file at hand, which has mistakes, is mended."""
    if kept is None:
        return "改好以前，小伴没有文件可用，开始不了。"
    if kept.stale and not kept.lived_with:
        return "改好以前，小伴用的还是上一次没有错的文件。"
    which = "小伴用的还是上一次的文件，里面也有这一版不收的" if kept.stale else "小伴接着用这份，它早就用惯了"
    return "\n".join([f"改好以前，{which}。这几处先这样办：", *(one.lived_with() for one in kept.lived_with)])


def run_check(path: Path, models_dir: Path, out: TextIO, data: Path | None = None) -> int:
    """Print the findings; the exit code is 0, or HouseholdError's on any mistake.

    `data` is where a house keeps its last good file: what it would refuse beside that is a mistake too.
    """
    knows: Knows | None = None
    unlistened = ""
    try:
        knows = model(models_dir).knows  # 160 MB; only a check with a model pays
    except ModelMissing as error:
        unlistened = f"（没有检查哪些名字听不清：{error}）"
    found = check(path, knows)
    kept = in_force(path, data) if data is not None else None
    if kept is not None and all(finding.level != "mistake" for finding in found):
        found += [Finding("mistake", mistake) for mistake in kept.mistakes]
    for finding in found:
        print(finding, file=out)
    if unlistened:
        print(unlistened, file=out)
    mistakes = sum(finding.level == "mistake" for finding in found)
    if mistakes:
        print(f"\n{path}：{mistakes} 处要改。{until(kept)}", file=out)
        return HouseholdError.code
    home = files.load(path)
    print(f"{path}：可以用。{_counts(home)}", file=out)
    for change in kept.changes if kept is not None else ():
        print(f"小伴会告诉老人：{change.told()}", file=out)
    for name, what in unreadable(home):
        print(Finding("warning", Mistake(0, f"通知「{name}」：{what}")), file=out)
    if voiced := [contact.relation or contact.name for contact in home.family if contact.recordings]:
        print(f"捎话时老人的声音可以发给：{'、'.join(voiced)}（第一次会先问老人）。其他人只收到字。", file=out)
    return 0


def _counts(home: Household) -> str:
    return f"家人 {len(home.family)} 位，药 {len(home.medicines)} 种，服务 {len(home.services)} 项，提醒 {len(home.reminders)} 个。"
