"""Looks at every part of the house and says in plain words what is wrong and what to do."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from assistant import fetch, places
from assistant.care import SCHEMAS
from assistant.clock import SystemClock
from assistant.errors import NoLoudspeaker, NoMicrophone, XiaobanError
from assistant.home import Household
from assistant.household import load
from assistant.listen.frames import loudness
from assistant.listen.microphone import MicrophoneFrames
from assistant.notify.notifier import Notifier
from assistant.speak.engines import choose
from assistant.speak.player import Loudspeaker
from assistant.store import Store

LISTENED = 50
"""Frames of microphone listened to: about a second and a half."""
ROOM = 500
"""MB of free disk below which the ledger and its backups are in danger."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    well: bool
    said: str
    """How it is, and what to do if it is not well."""

    def __str__(self) -> str:
        return f"{'✓' if self.well else '✗'} {self.what}：{self.said}"


def examine(path: Path, data: Path, out: TextIO) -> int:
    """Print a line a part. Returns 0 if all is well, 1 if something is not."""
    household: Household | None = None
    sick = False
    try:
        household = load(path)
        print(Finding("家庭文件", True, str(path)), file=out)
    except XiaobanError as error:
        print(Finding("家庭文件", False, str(error)), file=out)
        sick = True
    for look in LOOKS:
        for finding in look(household, data):
            print(finding, file=out, flush=True)
            sick = sick or not finding.well
    return int(sick)


def _models(household: Household | None, data: Path) -> Iterator[Finding]:
    missing = fetch.missing(places.models_dir())
    said = "都在" if not missing else f"缺 {'、'.join(str(m) for m in missing)}。请运行 xiaoban fetch。"
    yield Finding("模型和声音", not missing, said)


def _voice(household: Household | None, data: Path) -> Iterator[Finding]:
    if household is not None:
        yield Finding("说话", True, choose(household.voice, places.models_dir()).why)


def _microphone(household: Household | None, data: Path) -> Iterator[Finding]:
    try:
        ear = MicrophoneFrames()
    except NoMicrophone as error:
        yield Finding("麦克风", False, str(error))
        return
    loudest = max((loudness(frame) for _, frame in zip(range(LISTENED), ear, strict=False)), default=-120.0)
    ear.close()
    if loudest < -90:
        yield Finding("麦克风", False, "有麦克风，但一点声音也没有。看看是不是静音了（alsamixer，按 F4）。")
    else:
        yield Finding("麦克风", True, f"听得见，这一会儿最响 {loudest:.0f} dBFS")


def _loudspeaker(household: Household | None, data: Path) -> Iterator[Finding]:
    try:
        Loudspeaker().close()
        yield Finding("喇叭", True, "能打开")
    except NoLoudspeaker as error:
        yield Finding("喇叭", False, str(error))


def _clock(household: Household | None, data: Path) -> Iterator[Finding]:
    if household is None:
        return
    clock = SystemClock(household.zone)
    now = f"{clock.wall():%Y-%m-%d %H:%M}（{household.timezone}）"
    said = now if clock.trusted() else f"{now}，还没有对过时。接上网等几分钟，或者装一块时钟电池。"
    yield Finding("时钟", clock.trusted(), said)


def _disk(household: Household | None, data: Path) -> Iterator[Finding]:
    here = next(folder for folder in (data, *data.parents) if folder.exists())
    free = shutil.disk_usage(here).free // 2**20
    writable = os.access(here, os.W_OK)
    said = f"还有 {free} MB" if writable else f"{here} 写不进去，请检查权限"
    yield Finding("磁盘", writable and free >= ROOM, said + ("" if free >= ROOM else "，太少了，请清理"))


def _ledger(household: Household | None, data: Path) -> Iterator[Finding]:
    path = data / places.LEDGER
    if not path.exists():
        yield Finding("账本", True, "还没有，第一次运行时会建")
        return
    try:
        store = Store.open(path, SCHEMAS)
    except (XiaobanError, sqlite3.DatabaseError) as error:
        yield Finding("账本", False, str(error))
        return
    broken = list(store.verify())
    said = store.note or (f"{len(broken)} 行坏了，已经隔开不用；用 xiaoban report 核对" if broken else "每一行都对得上")
    yield Finding("账本", not broken and not store.note, said)
    store.close()


def _channels(household: Household | None, data: Path) -> Iterator[Finding]:
    if household is None:
        return
    notifier = Notifier(household)
    troubles = dict(notifier.check())
    for channel in household.channels:
        yield Finding(f"通知 {channel.name}", channel.name not in troubles, troubles.get(channel.name, "写法没问题"))
    for contact in household.ladder:
        if not contact.notify and not contact.phone:
            yield Finding(f"家人 {contact.name}", False, "没有电话也没有通知，出了事找不到。请在家庭文件里补上。")
    notifier.close()


LOOKS: tuple[Callable[[Household | None, Path], Iterator[Finding]], ...] = (
    _models, _voice, _microphone, _loudspeaker, _clock, _disk, _ledger, _channels,
)
"""A new part to look at is a function and a place here."""
