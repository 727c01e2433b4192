"""Plays: golden conversations as text. Lines, clips, clock and faults go in; what is said and sent is compared.

A play reads like one::

    # 早上的药
    @ 2026-11-22 07:29
    @ 07:30
    小伴：王奶奶，早上七点半的药到点了……您吃了吗？
    奶奶：吃了吃了，刚吃完
    小伴：……记下了……
    → 刘敏：……
    （没人说话）

`#` a comment · `@ 时间` time passes until then (a full date, a clock time, or `+20分钟`) · `名字：话` the elder speaks ·
`奶奶♪ clips/x.flac` she is heard · `小伴：…` what must be said next, in order · `→ 名字：…` what must have been sent
to this person · `× 名字：…` what must have been tried in vain · `→ 没别的` nothing else was sent or tried ·
`小伴不说话` · `…`, `……` or `*` stand for anything · `（…）` something happens, see `STAGE_DIRECTIONS`.
Between two inputs all that 小伴 says must be listed, unless the block has a line `……`.
A block that lists nothing is not compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from assistant import keeper
from assistant.care import SCHEMAS, message
from assistant.clock import VirtualClock
from assistant.errors import XiaobanError
from assistant.home import Household
from assistant.household import read
from assistant.messages import (
    Acknowledged,
    ClockStepped,
    DeviceFound,
    DeviceLost,
    Heard,
    HouseholdChanged,
    Hypothesis,
    Pressed,
    Started,
)
from assistant.places import LEDGER, command
from assistant.stage import Happened, Stage
from assistant.store import Store

ELDER = ("奶奶", "爷爷", "老人", "她", "他")
EXPECTATIONS = ("expect", "sent", "failed", "only", "quiet", "anything")
"""Kinds of lines that compare instead of doing something."""
PAUSE = timedelta(seconds=1.2)
"""How long after 小伴 has finished an elder starts to answer."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a play."""

    number: int
    kind: str
    """say, clip, expect, sent, failed, only, quiet, time, direction, anything."""
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A block where the play differs."""

    line: int
    expected: tuple[str, ...]
    happened: tuple[str, ...]

    def __str__(self) -> str:
        want = "\n".join(f"    - {text}" for text in self.expected)
        got = "\n".join(f"    + {text}" for text in self.happened)
        return f"第 {self.line} 行以后不一样：\n  剧本：\n{want}\n  实际：\n{got or '    + （什么也没有）'}"


def parse(text: str, name: str = "play") -> list[Line]:
    """The lines of a play. Raises XiaobanError naming the line that is none of these."""
    lines: list[Line] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("@"):
            lines.append(Line(number, "time", "", line[1:].strip()))
        elif line in ("……", "…", "*"):
            lines.append(Line(number, "anything", "", ""))
        elif line[0] in "（(" and line[-1] in "）)":
            lines.append(Line(number, "direction", "", line[1:-1].strip()))
        elif re.fullmatch(r"→\s*没别的", line):
            lines.append(Line(number, "only", "", ""))
        elif line == "小伴不说话":
            lines.append(Line(number, "quiet", "", ""))
        elif found := re.match(r"([→×])\s*(.+?)[：:](.*)$", line):
            kind = "sent" if found[1] == "→" else "failed"
            lines.append(Line(number, kind, found[2].strip(), found[3].strip()))
        elif found := re.match(r"小伴[：:](.*)$", line):
            lines.append(Line(number, "expect", "小伴", found[1].strip()))
        elif found := re.match(r"(\S+?)\s*♪\s*(.+)$", line):
            lines.append(Line(number, "clip", found[1], found[2].strip()))
        elif found := re.match(r"(\S+?)[：:](.*)$", line):
            lines.append(Line(number, "say", found[1], found[2].strip()))
        else:
            raise XiaobanError(f"{name} 第 {number} 行看不懂：{line}")
    return lines


@dataclass
class Player:
    """Plays the lines on a stage and compares."""

    stage: Stage
    folder: Path
    hear: Callable[[Path], Heard] | None = None
    restart: Callable[[Stage], None] | None = None
    """Gives the stage a new dialogue over the same store, as after a power cut."""
    differences: list[Difference] = field(default_factory=list)
    _seen: int = 0

    def start(self, at: datetime) -> None:
        """The house stands from this moment."""
        self.stage.clock.now = at
        self.stage.tell(Started())
        self.stage.until_quiet()

    def play(self, lines: list[Line], after_each: Callable[[], None] = lambda: None) -> list[Difference]:
        """All lines; returns where the play differs."""
        block: list[Line] = []
        begun = False
        for line in lines:
            if line.kind in EXPECTATIONS:
                block.append(line)
                continue
            self._compare(block)
            block = []
            if not begun:
                begun = True
                if line.kind == "time":
                    self.start(self._moment(line.text, line.number))
                    after_each()
                    continue
                self.start(self.stage.clock.now)
            self._do(line)
            after_each()
        self._compare(block)
        return self.differences

    def _do(self, line: Line) -> None:
        stage = self.stage
        match line.kind:
            case "time":
                stage.run(self._moment(line.text, line.number))
                stage.until_quiet()
            case "say":
                if line.who not in (*ELDER, stage.dialogue.household.elder.call):
                    raise XiaobanError(f"第 {line.number} 行：不认识说话的人 {line.who}。老人写作 奶奶。")
                self._elder(Heard((Hypothesis(line.text),), seconds=0.3 * len(line.text)), line.text)
            case "clip":
                self.stage.until_quiet()
                self.stage.run(self.stage.clock.now + PAUSE)
                path = clip_path(self.folder, line.text)
                if self.hear is None:
                    raise XiaobanError(f"第 {line.number} 行要听录音，需要语音模型：先运行 {command('fetch')}。")
                heard = self.hear(path)
                self._utter(heard, heard.hypotheses[0].text if heard.hypotheses else "")
            case _:
                self._direct(line)

    def _elder(self, heard: Heard, text: str) -> None:
        self.stage.until_quiet()
        self.stage.run(self.stage.clock.now + PAUSE)
        self._utter(heard, text)

    def _utter(self, heard: Heard, text: str) -> None:
        stage = self.stage
        stage.note("elder", "said", text, seconds=heard.seconds, detail=heard.clip)
        stage.clock.advance(stage.clock.now + timedelta(seconds=heard.seconds))
        stage.tell(heard)
        stage.until_quiet()

    def _direct(self, line: Line) -> None:
        for pattern, act in STAGE_DIRECTIONS:
            if found := re.fullmatch(pattern, line.text):
                self.stage.note("stage", "note", line.text)
                act(self, found)
                self.stage.until_quiet()
                return
        raise XiaobanError(f"第 {line.number} 行：不懂这个舞台说明（{line.text}）。")

    def _moment(self, text: str, number: int) -> datetime:
        now = self.stage.clock.now
        if found := re.fullmatch(r"(\d{4}-\d{2}-\d{2})[ T](\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)", text):
            return datetime.fromisoformat(f"{found[1]}T{found[2].zfill(5)}").replace(tzinfo=now.tzinfo)
        if found := re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text):
            moment = now.replace(hour=int(found[1]), minute=int(found[2]), second=int(found[3] or 0), microsecond=0)
            return moment if moment >= now else moment + timedelta(days=1)
        if length := duration(text.lstrip("+")):
            return now + length
        raise XiaobanError(f"第 {number} 行：看不懂时间 {text}。写 2026-11-22 07:30、07:30 或 +20分钟。")

    def _compare(self, block: list[Line]) -> None:
        new = self.stage.happened[self._seen:]
        self._seen = len(self.stage.happened)
        if not block:
            return
        said = [h for h in new if h.who == "xiaoban" and h.kind in ("said", "asked")]
        sent = [h for h in new if h.kind in ("sent", "called", "failed")]
        expected = [line for line in block if line.kind == "expect"]
        messages = [line for line in block if line.kind in ("sent", "failed")]
        loose = any(line.kind == "anything" for line in block)
        fits = _in_order(expected, said) if loose else (
            len(expected) == len(said) and all(_fits(e.text, h.text) for e, h in zip(expected, said, strict=True))
        )
        if not expected and not loose and not any(line.kind == "quiet" for line in block):
            fits = True
        posted = all(any(_is(line, h) for h in sent) for line in messages)
        stray = any(line.kind == "only" for line in block) and any(not any(_is(line, h) for line in messages) for h in sent)
        if stray or not (fits and posted):
            self.differences.append(Difference(block[0].number, tuple(_shown(b) for b in block), tuple(_told(new))))


def clip_path(folder: Path, name: str) -> Path:
    """A clip named in a play: beside it, or in the clips folder next door."""
    beside = (folder / name, folder.parent / "clips" / name, folder.parent / name)
    return next((path for path in beside if path.exists()), beside[0])


def _in_order(expected: list[Line], said: list[Happened]) -> bool:
    rest = iter(said)
    return all(any(_fits(line.text, h.text) for h in rest) for line in expected)


def _is(line: Line, happened: Happened) -> bool:
    """Whether this is the message a line of the play means."""
    kind = "failed" if happened.kind == "failed" else "sent"
    return kind == line.kind and happened.who == line.who and _fits(line.text, happened.text)


def _fits(pattern: str, text: str) -> bool:
    """Whether `text` is as written; `…` and `*` stand for anything, and punctuation at the end is free."""
    parts = [re.escape(part) for part in re.split(r"…+|\*", pattern.strip("。！？ "))]
    return re.fullmatch(".*".join(parts), text.strip("。！？ "), re.DOTALL) is not None


def _shown(line: Line) -> str:
    return {
        "expect": f"小伴：{line.text}", "sent": f"→ {line.who}：{line.text}", "failed": f"× {line.who}：{line.text}",
        "only": "→ 没别的", "quiet": "小伴不说话",
    }.get(line.kind, "……")


def _told(happened: list[Happened]) -> Iterator[str]:
    for h in happened:
        match h.kind:
            case "said" | "asked" if h.who == "xiaoban":
                yield f"小伴：{h.text}"
            case "sent" | "called":
                yield f"→ {h.who}：{h.text}"
            case "failed":
                yield f"× {h.who}：{h.text}"


def duration(text: str) -> timedelta | None:
    """`20分钟`, `3小时`, `90秒`, `2天` as a length of time."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(秒|分钟?|小时|天)", text.strip())
    if not found:
        return None
    unit = {"秒": 1, "分": 60, "分钟": 60, "小时": 3600, "天": 86400}[found[2]]
    return timedelta(seconds=float(found[1]) * unit)


def _length(text: str) -> timedelta:
    length = duration(text)
    if length is None:
        raise XiaobanError(f"看不懂多久：{text}")
    return length


def _power_cut(player: Player, found: re.Match[str]) -> None:
    if player.restart is None:
        raise XiaobanError("这里不能演断电。")
    stage = player.stage
    off = stage.clock.now
    stage.clock.advance(off + _length(found[1] or "1分钟"))
    player.restart(stage)
    stage.tell(Started(trusted=stage.clock.is_trusted, off_since=off))


def _step(player: Player, found: re.Match[str]) -> None:
    by = _length(found[2]) * (-1 if found[1] in "-拨回" else 1)
    player.stage.step(by)


def _trust(player: Player, found: re.Match[str]) -> None:
    player.stage.clock.is_trusted = found[1] == "准"
    player.stage.tell(ClockStepped(timedelta(0), player.stage.clock.is_trusted))


def _network(player: Player, found: re.Match[str]) -> None:
    player.stage.people.network = found[1] == "通"
    player.stage.tell(DeviceFound("network") if found[1] == "通" else DeviceLost("network"))


def _silence(player: Player, _: re.Match[str]) -> None:
    player.stage.until_quiet()
    deadline = player.stage.dialogue.deadline
    player.stage.run((deadline or player.stage.clock.now) + timedelta(milliseconds=1))


def _answers(player: Player, found: re.Match[str]) -> None:
    player.stage.people.answers[found[1]] = {
        "会接电话": "coming", "会接": "coming", "说没事了": "all_clear", "不接电话": "silent", "不接": "silent",
        "占线": "busy", "语音信箱": "voicemail", "看消息": "reads",
    }[found[2]]


def _acknowledge(player: Player, found: re.Match[str]) -> None:
    stage = player.stage
    asked = ("incident",) if found[2] in ("我来", "到了", "没事了") else ("request", "booking", "dose", "digest", "note")
    key = message.last_key(stage.dialogue.store, found[1], asked) or message.last_key(stage.dialogue.store, found[1])
    if key is None:
        raise XiaobanError(f"还没有给{found[1]}发过什么，谈不上回复。")
    answer = {"我来": "coming", "到了": "arrived", "没事了": "all_clear", "接": "accepted", "不接": "declined",
              "确认": "confirmed", "改期": "moved", "看到了": "seen"}[found[2]]
    stage.note(found[1], "acknowledged", answer)
    stage.tell(Acknowledged(key, found[1], answer, detail=(found[3] or "").strip()))  # type: ignore[arg-type]


def _rings(player: Player, found: re.Match[str]) -> None:
    contact = player.stage.dialogue.household.contact(found[1])
    if contact is None and found[1] != "陌生人":
        raise XiaobanError(f"家庭文件里没有{found[1]}，来不了电话。")
    player.stage.ring(contact.phone if contact is not None else "95000000000", _length(found[2] or "30秒").total_seconds())


def _press(player: Player, found: re.Match[str]) -> None:
    player.stage.tell(Pressed({"求助": "help", "取消": "cancel", "唤醒": "wake"}[found[1]]))  # type: ignore[arg-type]


def _overheard(player: Player, found: re.Match[str]) -> None:
    stage = player.stage
    stage.note("tv", "said", found[2])
    stage.tell(Heard((Hypothesis(found[2]),), woken=False, seconds=0.3 * len(found[2]), around=0.8 if found[1] == "电视一直开着，" else 0.0))


def _heard_now(player: Player, found: re.Match[str]) -> None:
    player.stage.note("elder", "said", found[1])
    player.stage.tell(Heard((Hypothesis(found[1]),), seconds=1.0))


def _family_edits(player: Player, found: re.Match[str]) -> None:
    path = player.folder / found[1].strip()
    old, new = player.stage.dialogue.household, read(path)
    told = tuple(change.told() for change in keeper.changes(old, new.household, new.retired))
    player.stage.tell(HouseholdChanged(new.household, told))


def _wait(player: Player, found: re.Match[str]) -> None:
    player.stage.run(player.stage.clock.now + _length(found[1]))


STAGE_DIRECTIONS: tuple[tuple[str, Callable[[Player, re.Match[str]], None]], ...] = (
    (r"断电\s*(\S*)", _power_cut),
    (r"时钟\s*([+\-]|拨快|拨回)\s*(.+)", _step),
    (r"时钟(准|不准)", _trust),
    (r"网络?(断|通)了?", _network),
    (r"没人说话|没人应|沉默", _silence),
    (r"过了?\s*(.+)", _wait),
    (r"(\S+?)回[复话]?[：:](我来|到了|没事了|接|不接|确认|改期|看到了)\s*(.*)", _acknowledge),
    (r"(\S+?)(会接电话|会接|说没事了|不接电话|不接|占线|语音信箱|看消息)", _answers),
    (r"(\S+?)来电话[，,]?(?:响)?(\d+\S+)?", _rings),
    (r"按(求助|取消|唤醒)", _press),
    (r"听见[：:](.+)", _heard_now),
    (r"(电视一直开着，)?旁边有人说[：:](.+)", _overheard),
    (r"家庭文件改成\s*(.+)", _family_edits),
)
"""What may stand in （…）: a pattern and what it does. A new fault is a line here."""


# --- a play from a file ----------------------------------------------------------------------------------------------


def play_file(path: Path, household: Household, data: Path | None = None) -> tuple[list[Happened], list[Difference]]:
    """Play one file on a fresh stage: over a ledger in memory, or over the one in `data` (which it continues).

    Raises XiaobanError for a line that is no play.
    """
    from assistant.furnish import Hearing, dialogue, forgetful_store

    try:
        lines = parse(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise XiaobanError(f"剧本读不了：{path}（{error}）") from error
    if data is None:
        store = forgetful_store()
    else:
        store = Store.open(data / LEDGER, SCHEMAS)
    start = datetime(2026, 11, 22, 6, 0, tzinfo=household.zone)
    stage = Stage(dialogue(household, store), VirtualClock(start))
    hearing = Hearing(household) if any(line.kind == "clip" for line in lines) else None

    def restart(stage: Stage) -> None:
        nonlocal store
        if data is not None:
            store.close()
            store = Store.open(data / LEDGER, SCHEMAS)
        stage.power_cut(dialogue(stage.dialogue.household, store))

    def hear(clip: Path) -> Heard:
        assert hearing is not None
        ask = stage.dialogue.asking
        return hearing.hear(clip, ask.asking if ask else None)

    player = Player(stage, path.parent, hear if hearing else None, restart)
    try:
        player.play(lines)
    finally:
        store.close()
        if hearing:
            hearing.close()
    return stage.happened, player.differences
