"""The family's file becomes frozen values: all mistakes at once, in Chinese, each with its line and what to do."""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from assistant import household_schema as schema
from assistant import saying
from assistant.care.message import CALLING
from assistant.home import (
    Care,
    Channel,
    Contact,
    Elder,
    Hours,
    Household,
    Medicine,
    Service,
    StandingReminder,
    Voice,
)
from assistant.household_file import SECRET_FILES, InvalidHousehold, Mistake, read_text
from assistant.household_text import (
    KEY,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    composed,
    mended,
    short,
    tidied,
)
from assistant.places import command, sample_household, shipped
from assistant.understand import times
from assistant.understand.sound import accents, syllables
from assistant.when import WEEKDAYS, Recurrence

MOST_ENTRIES = 200
"""Entries of one list; understanding is measured with 50 medicines, 20 contacts and 20 services."""
DEEPEST = 12
"""Levels of brackets; the shape needs five."""
YAML_TYPES = ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "map", "seq")
"""YAML 1.2's own; what a value is is decided by its key, whatever YAML takes it for."""
AS_NEEDED = ("需要时", "必要时", "按需", "需要的时候", "疼的时候", "不舒服时", "as needed", "prn")
"""A medicine without a fixed time."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file that can be used."""

    household: Household
    warnings: tuple[Mistake, ...] = ()
    """What works but is likely not meant."""
    retired: frozenset[tuple[str, str]] = frozenset()
    """(kind, name) of entries marked 停用: 是, which are not in `household`; kind is a field of Household."""
    lived_with: tuple[Mistake, ...] = ()
    """Mistakes by the rules of this program in a file that an earlier one took; each with what is done meanwhile."""


@dataclass(frozen=True, slots=True)
class Papers:
    """The family's file and its secrets as they stood at one moment."""

    text: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets_file: str = SECRET_FILES[0]
    mistakes: tuple[Mistake, ...] = ()
    """In the secrets file, whose values are then not known."""
    private: bool = True
    """Whether only its owner can read the family's file."""

    def loaded(self, *, known: bool = False) -> Loaded:
        """The household; `known` as for `parse`. Raises HouseholdError with every mistake of both files."""
        try:
            loaded = parse(self.text, _Whatever() if self.mistakes else self.secrets, self.secrets_file, known=known)
        except InvalidHousehold as error:
            raise InvalidHousehold([*error.mistakes, *self.mistakes]) from None
        if self.mistakes:
            raise InvalidHousehold(self.mistakes)
        if self.private or not schema.holds_secrets(self.text):
            return loaded
        hint = f"把密钥挪到 {self.secrets_file}，或者运行 chmod 600"
        return replace(loaded, warnings=(Mistake(0, "别的用户也能看到这个文件，通知地址里却有密钥", hint), *loaded.warnings))


class _Whatever(dict[str, str]):
    """Secrets that could not be read: every name is there, so that only the real mistakes are told."""

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, otherwise: Any = "") -> Any:
        return otherwise


def papers(path: Path, secrets: Path | None = None) -> Papers:
    """The files as they are. `secrets`: its file; None looks for one of SECRET_FILES beside `path`.

    Raises HouseholdError if the family's file cannot be read as text.
    """
    text = read_text(path)
    private = not stat.S_IMODE(path.stat().st_mode) & 0o077
    beside = secrets if secrets is not None else secrets_beside(path)
    if beside is None:
        return Papers(text, private=private)
    try:
        return Papers(text, read_secrets(beside), beside.name, private=private)
    except InvalidHousehold as error:
        return Papers(text, {}, beside.name, error.mistakes, private)


def load(path: Path, secrets: Path | None = None) -> Household:
    """The household of the file at `path`. Raises HouseholdError with every mistake."""
    return read(path, secrets).household


def read(path: Path, secrets: Path | None = None) -> Loaded:
    """The household, what is likely not meant, and what was retired. Raises HouseholdError with every mistake."""
    return papers(path, secrets).loaded()


def secrets_beside(path: Path) -> Path | None:
    """The secrets file that belongs to the family's file, if there is one."""
    return next((found for name in SECRET_FILES if (found := path.parent / name).exists()), None)


def read_secrets(path: Path) -> dict[str, str]:
    """Name → secret. Raises HouseholdError if others may read the file; no message ever shows a value."""
    called = path.name
    text = read_text(path, called)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise InvalidHousehold(
            [Mistake(0, "别的用户也能看到这个文件，里面是密钥", f"运行 chmod 600 {path.name}", called)]
        )
    return parse_secrets(text, called)


def parse_secrets(text: str, called: str = SECRET_FILES[0]) -> dict[str, str]:
    """The secrets of `text`, one `名字: 值` a line. Raises HouseholdError."""
    try:
        return _parse_secrets(text, called)
    except InvalidHousehold:
        tidy, mistakes = tidied(text.removeprefix("\ufeff"))
        if not mistakes:
            raise
    mistakes = [replace(one, file=called) for one in mistakes]
    try:
        _parse_secrets(tidy, called)
    except InvalidHousehold as error:
        mistakes += error.mistakes
    raise InvalidHousehold(mistakes)


def _parse_secrets(text: str, called: str) -> dict[str, str]:
    found: dict[str, str] = {}
    mistakes: list[Mistake] = []
    root = composed(text, called)
    if root is not None and not isinstance(root, MappingNode):
        raise InvalidHousehold([Mistake(1, "写得不对", "每行写一个：名字、冒号、空格、密钥", called)])
    for key, value in root.value if root is not None else ():
        line = key.start_mark.line + 1
        if not isinstance(key, ScalarNode) or not isinstance(value, ScalarNode) or key.anchor or value.anchor:
            mistakes.append(Mistake(line, "写得不对", "每行写一个：名字、冒号、空格、密钥", called))
        elif not value.value:
            mistakes.append(Mistake(line, "只有名字，没有密钥", "在冒号后面写上密钥", called))
        elif key.value in found:
            mistakes.append(Mistake(line, "同一个名字写了两次", "删掉一个", called))
        else:
            found[key.value] = value.value
    if mistakes:
        raise InvalidHousehold(mistakes)
    return found


def parse(text: str, secrets: Mapping[str, str] | None = None, secrets_file: str = SECRET_FILES[0], *, known: bool = False) -> Loaded:
    """The household that `text` describes. Raises HouseholdError with every mistake.

    `known`: a house has run with this text, so a rule that came later may not put an end to it. Where there is something to go
    on with, a mistake is `lived_with`; nobody is lost, and a medicine stays. What cannot be read is refused all the same.
    """
    tidy, mistakes = tidied(text.removeprefix("\ufeff"))
    if known and mistakes:
        tidy, mistakes = text.removeprefix("\ufeff"), [replace(one, meanwhile="照原样读") for one in mistakes]
    root, unreadable, torn = mended(tidy)
    mistakes += unreadable
    if root is None:
        raise InvalidHousehold(mistakes or [Mistake(0, "里面什么也没有", f"照着样例写，或者运行 {command('check --new')}")])
    if not isinstance(root, MappingNode):
        raise InvalidHousehold(mistakes or [Mistake(1, "看不懂", "照着样例写：第一行是 老人: ，下面缩进两格")])
    sheet = _Sheet()
    data = sheet.group(root, schema.HouseholdEntry, ())
    entry, faults = schema.shape(data)
    mistakes += sheet.mistakes
    # After a line that could not be read, what is missing may well stand on that line: only what is there is judged.
    mistakes += [sheet.said(fault, data) for fault in faults if fault.what or not torn]
    if entry is None:
        entry = schema.without(data, faults, known=known)
    if entry is None:
        raise InvalidHousehold(_plainly(mistakes))
    builder = _Builder(entry, sheet, secrets if secrets is not None else {}, secrets_file)
    household = builder.household()
    mistakes += builder.mistakes
    hidden = [fault.path for fault in faults]
    mistakes += [
        mistake
        for where, mistake in builder.absences
        if not torn and not any(path[: len(where)] == where for path in hidden)
    ]
    if mistakes and not (known and all(mistake.meanwhile for mistake in mistakes)):
        raise InvalidHousehold(_plainly(mistakes))
    warnings, lived_with = (tuple(sorted(dict.fromkeys(some), key=lambda found: found.line)) for some in (builder.warnings, mistakes))
    return Loaded(household, warnings, frozenset(builder.retired), lived_with)


def _plainly(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """What is refused is not lived with."""
    return [replace(mistake, meanwhile="", hers="") for mistake in mistakes]


# --- from nodes to fields -----------------------------------------------------------------------------------------


@dataclass
class _Sheet:
    """The file as field names and strings, and the line of each of them."""

    mistakes: list[Mistake] = field(default_factory=list)
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    blank: set[tuple[str | int, ...]] = field(default_factory=set)
    """Keys that stand there without a value."""

    def line(self, path: Sequence[str | int]) -> int:
        """Line of the value at `path`, or of the nearest thing around it that has one."""
        for end in range(len(path), -1, -1):
            if found := self.lines.get(tuple(path[:end])):
                return found
        return 0

    def mistake(self, node: Node, what: str, hint: str, meanwhile: str = "") -> None:
        self.mistakes.append(Mistake(node.start_mark.line + 1, what, hint, meanwhile=meanwhile))

    def odd(self, node: Node) -> bool:
        """Whether the node uses what YAML can and a family file must not: anchors, aliases, types."""
        if node.anchor:
            self.mistake(node, "符号 & 和 * 在这里有特别的意思，不能用", "给内容加上英文引号")
            return True
        if str(node.tag).removeprefix("tag:yaml.org,2002:") not in YAML_TYPES:
            self.mistake(node, "符号 ! 在这里有特别的意思，不能用", "给内容加上英文引号")
            return True
        return False

    def pairs(self, node: MappingNode) -> Iterator[tuple[str, Node, Node]]:
        """Key text, key and value of each pair; whatever cannot be a key is a mistake."""
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.mistake(key, "冒号前面应该是一个名字", "检查括号和冒号")
            elif not self.odd(key) and not self.odd(value):
                name = unicodedata.normalize("NFC", key.value).strip()
                if name in seen:
                    self.mistake(key, f"「{short(name)}」写了两次", "删掉一个，或者合成一个")
                    continue
                seen.add(name)
                yield name, key, value

    def group(self, node: MappingNode, shape: type[schema.Entry], path: tuple[str | int, ...]) -> dict[str, Any]:
        """The pairs of a group with field names for keys."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        spelled = schema.spellings(shape)
        read: dict[str, Any] = {}
        for written, key, value in self.pairs(node):
            name = spelled.get(written) or spelled.get(written.lower())
            if name is None:
                self.unknown(key, written, shape, bare=_is_blank(value))
                continue
            here = (*path, name)
            if name in read or here in self.blank:
                self.mistake(key, f"「{short(written)}」和前面的是同一项", "删掉一个，或者合成一个")
                continue
            self.lines[here] = key.start_mark.line + 1
            if _is_blank(value):
                self.blank.add(here)
                continue
            read[name] = self.value(value, schema.inside(shape, name), here)
        return read

    def value(self, node: Node, shape: type[schema.Entry] | None, path: tuple[str | int, ...]) -> Any:
        """A node as a string, list or dict; groups by the shape the file should have there."""
        if len(path) > DEEPEST:
            self.mistake(node, "括号套得太深", "照着样例写，不要一层套一层")
            return ""
        match node:
            case ScalarNode():
                return unicodedata.normalize("NFC", node.value)
            case SequenceNode():
                if len(node.value) > MOST_ENTRIES:
                    self.mistake(node, f"太多了，有 {len(node.value)} 项", f"最多写 {MOST_ENTRIES} 项")
                items: list[Any] = []
                for item in node.value[:MOST_ENTRIES]:
                    here = (*path, len(items))
                    if self.odd(item):
                        continue
                    self.lines[here] = item.start_mark.line + 1
                    if _is_blank(item):
                        self.mistake(item, "这里是空的", "删掉多出来的逗号或者减号", schema.UNWRITTEN)
                        continue
                    items.append(self.value(item, shape, here))
                return items
            case MappingNode() if shape is not None:
                return self.group(node, shape, path)
            case MappingNode():
                read = {}
                for written, key, value in self.pairs(node):
                    self.lines[(*path, written)] = key.start_mark.line + 1
                    if _is_blank(value):
                        self.mistake(key, f"「{short(written)}」后面是空的", "在冒号后面写上内容，或者删掉这一行", schema.UNWRITTEN)
                        continue
                    read[written] = self.value(value, None, (*path, written))
                return read
            case _:
                return ""

    def unknown(self, key: Node, written: str, shape: type[schema.Entry], bare: bool) -> None:
        spelled = schema.spellings(shape)
        if bare and (found := re.match(rf"({KEY})\s*[:：=]", written)):
            self.mistake(key, f"「{found[1]}」后面的冒号不对", f"写成 {found[1]}: 内容，英文冒号后面空一格", schema.UNWRITTEN)
            return
        if (sections := schema.sections_with(written)) and shape is schema.HouseholdEntry:
            self.mistake(key, f"「{short(written)}」是{'、'.join(sections)}里的一项，前面却没有空格", f"放到 {sections[0]}: 下面，前面空两格", schema.UNWRITTEN)
            return
        if written in (whole := schema.spellings(schema.HouseholdEntry)):
            self.mistake(key, f"「{short(written)}」是单独的一段，不在这里面", f"另起一行写 {schema.keys(schema.HouseholdEntry)[whole[written]].chinese}: ，前面不要空格", schema.UNWRITTEN)
            return
        if sections:
            self.mistake(key, f"「{short(written)}」不是这里的，是{'、'.join(sections)}里的一项", f"挪到 {sections[0]}: 下面，或者删掉", schema.UNWRITTEN)
            return
        meant = nearest(written, spelled)
        known = "、".join(item.chinese for item in schema.keys(shape).values())
        hint = f"看看是不是「{schema.keys(shape)[spelled[meant]].chinese}」" if meant else f"只用这些：{known}"
        self.mistake(key, f"不认识「{short(written)}」", hint, schema.UNWRITTEN)

    def said(self, fault: schema.Fault, data: Mapping[str, Any]) -> Mistake:
        """A fault with its line, and the words a family uses for its place."""
        who, key = place(fault.path, data)
        if fault.what:
            value = f"：{fault.what}" if who or key else fault.what
            about = f"{who}的「{key.chinese}」" if who and key else who or (f"「{key.chinese}」" if key else "")
            return Mistake(self.line(fault.path), f"{about}{value}", fault.hint, meanwhile=fault.meanwhile)
        assert key is not None
        example = f"{key.chinese}: {key.example}".rstrip()
        blank = tuple(fault.path) in self.blank
        if len(fault.path) == 1:
            hint = f"照着样例加上 {key.chinese}: 这一段"
            return Mistake(self.line(fault.path) if blank else 0, f"没有写{key.chinese}", hint)
        hint = f"在冒号后面写上{key.noun or key.chinese}，例如 {example}" if blank else f"{'在这一行' if isinstance(fault.path[-2], int) else '在它下面'}加上 {example}"
        return Mistake(self.line(fault.path), f"{who}没有填{key.noun or key.chinese}", hint)


def _is_blank(node: Node) -> bool:
    return isinstance(node, ScalarNode) and (not node.value.strip() or (not node.style and node.value in ("~", "null")))


_KINDS = {"family": "家人", "medicines": "药", "services": "服务", "reminders": "提醒"}


def place(path: Sequence[str | int], data: Mapping[str, Any]) -> tuple[str, schema.Key | None]:
    """Who or what a path is about (女儿, 缬沙坦, 第 2 个药), and the key it ends in, if it ends in one."""
    if path and path[0] == "channels" and len(path) > 1:
        return f"通知「{short(str(path[1]))}」", None
    shape: type[schema.Entry] | None = schema.HouseholdEntry
    key: schema.Key | None = None
    for step in path:
        if isinstance(step, str) and shape is not None:
            key = schema.keys(shape).get(step)
            shape = schema.inside(shape, step)
    if path and path[0] in _KINDS and len(path) > 1 and isinstance(path[1], int):
        entries = data.get(str(path[0]))
        entries = entries if isinstance(entries, list) else [entries]
        entry = entries[path[1]] if path[1] < len(entries) else None
        named = [entry.get(name) for name in ("relation", "name", "what")] if isinstance(entry, dict) else []
        who = next((short(name) for name in named if isinstance(name, str) and name), "")
        return who or f"第 {path[1] + 1} 个{_KINDS[str(path[0])]}", key if len(path) > 2 else None
    return "老人" if len(path) > 1 and path[0] == "elder" else "", key


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks or sounds most like `word`, or None if none is near."""

    def likeness(other: str) -> float:
        seen = difflib.SequenceMatcher(None, word.lower(), other.lower()).ratio()
        heard = difflib.SequenceMatcher(None, "".join(syllables(word)), "".join(syllables(other))).ratio()
        return max(seen, heard - 0.15 if syllables(word) and syllables(other) else 0.0)

    best = max(known, key=likeness, default=None)
    return best if best is not None and likeness(best) >= 0.6 else None


# --- from fields to the household ---------------------------------------------------------------------------------

_MONDAY = datetime(2026, 1, 5)
"""A midnight to read times from: what a file says must mean the same whenever it is read."""
_PART = re.compile("[早晨晚夜午晌黑昏饭睡起]")
_TWELVE = re.compile("(?<![零一二两三四五六七八九十百\\d])(?:十[一二]?|[一二两三四五六七八九]|1[012]|[1-9])点")
_DAYS = re.compile(
    "每?(?:周|星期|礼拜)(?:(?P<first>{d})[到至~–—-](?:周|星期|礼拜)?(?P<last>{d})"
    "|(?P<each>{d}(?:[、,和]?(?:周|星期|礼拜)?{d})*)|(?P<end>末))".format(d="[一二三四五六日天]")
)
_END = "(?:凌晨|清早|早上|早|上午|中午|下午|傍晚|晚上|晚)?(?:[零一二两三四五六七八九十]{1,3}|\\d{1,2})(?::\\d{2}|点钟?半?|时)?"
_SPAN = re.compile(rf"(?P<opens>{_END})[到至~–—-](?P<closes>{_END})")


def _bare(text: str) -> str:
    """Full-width forms made plain, spaces out: `０９：００` is 09:00."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def weekdays(text: str) -> tuple[str, ...] | None:
    """`周一到周六`, `周一三五`, `工作日`, `每天` as `MO`…`SU`; nothing said is every day; None if unclear."""
    if re.fullmatch("(?:每天|天天|全年|全年无休|全周)?", text):
        return WEEKDAYS
    if text == "工作日":
        return WEEKDAYS[:5]
    found: set[int] = set()
    while text:
        part = _DAYS.match(text)
        if not part:
            return None
        if part["first"]:
            first, last = _weekday(part["first"]), _weekday(part["last"])
            found |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
        elif part["each"]:
            found |= {_weekday(char) for char in re.sub("周|星期|礼拜|[、,和]", "", part["each"])}
        else:
            found |= {5, 6}
        text = text[part.end() :].lstrip("、,和")
    return tuple(WEEKDAYS[day] for day in sorted(found))


def _weekday(char: str) -> int:
    return 6 if char in "日天" else "一二三四五六".index(char)


class Unclear(ValueError):
    """A time that cannot be read; `what` and `hint` are Chinese."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


def hours(text: str) -> tuple[Hours, ...]:
    """`周一到周六 08:00-18:00`, `每天 8点到12点、14点到18点`. Raises Unclear."""
    text = _bare(text)
    hint = "写成 周一到周六 08:00-18:00 这样；几段用方括号和逗号隔开"
    first = _SPAN.search(text)
    days = weekdays(text[: first.start()].rstrip("、,的") if first else text)
    if days is None:
        raise Unclear(f"看不懂是星期几「{short(text[: first.start()] if first else text)}」", hint)
    if first is None:
        return tuple(Hours(day, time(0, 0), time(23, 59)) for day in days)
    read: list[Hours] = []
    rest = text[first.start() :]
    while rest:
        part = _SPAN.match(rest)
        if not part:
            raise Unclear(f"看不懂可约的时间「{short(rest)}」", hint)
        opens = clock(part["opens"])
        closes = time(23, 59) if re.fullmatch("24(?:点钟?|时|:00)?|二十四点", part["closes"]) else clock(part["closes"])
        if closes <= opens and closes.hour < 12 and "点" in part["closes"] and not _PART.search(part["closes"]):
            closes = closes.replace(hour=closes.hour + 12)  # 下午两点到五点
        if closes <= opens:
            raise Unclear(f"关门的时间 {closes:%H:%M} 不比开门的时间 {opens:%H:%M} 晚", "看看是不是写反了")
        read += [Hours(day, opens, closes) for day in days]
        rest = rest[part.end() :].lstrip("、,和;")
    return tuple(sorted(read, key=lambda found: (WEEKDAYS.index(found.day), found.opens)))


def clock(text: str, care: Care | None = None) -> time:
    """A time of day: `08:30`, `早上八点半`, `20点`, `早饭后`. Raises Unclear."""
    bare = _bare(text)
    if found := re.fullmatch(r"(\d{1,2})[:.](\d{1,2})", bare):
        if int(found[1]) > 23 or int(found[2]) > 59:
            raise Unclear(f"没有 {bare} 这个时间", "写 00:00 到 23:59 之间的时间")
        return time(int(found[1]), int(found[2]))
    if re.fullmatch(r"\d{1,2}", bare):
        bare += "点"
    span = times.parse(bare, _MONDAY, care)
    if span is None or not isinstance(span.value, datetime) or span.value.date() != _MONDAY.date():
        raise Unclear(f"看不懂时间「{short(text)}」", "写成 08:30 或者 早上八点半")
    return span.value.time()


_ENGLISH_LENGTHS = {"d": 1440, "day": 1440, "days": 1440, "h": 60, "hour": 60, "hours": 60, "m": 1, "min": 1, "minutes": 1}


def length(text: str) -> timedelta:
    """A length of time: `一天`, `两小时`, `半小时`, `90分钟`, `6h`. Raises Unclear."""
    bare = _bare(text).removeprefix("至少").removeprefix("提前").removesuffix("以上").removesuffix("前")
    if bare == "半天":
        return timedelta(hours=12)
    if (found := re.fullmatch(r"(\d{1,3})([a-z]+)", bare.lower())) and found[2] in _ENGLISH_LENGTHS:
        return timedelta(minutes=int(found[1]) * _ENGLISH_LENGTHS[found[2]])
    span = times.parse(bare, _MONDAY) or times.parse(bare + "钟", _MONDAY)
    if span is None or not isinstance(span.value, timedelta) or not timedelta(0) <= span.value <= timedelta(days=60):
        raise Unclear(f"看不懂多久「{short(text)}」", "写成 两小时、半小时 或者 一天 这样")
    return span.value


def schedule(texts: Sequence[str], care: Care, started: date | None = None) -> Recurrence:
    """`[早上七点半, 晚上八点]`, `每周一三五早上九点`, `三餐后`. `started` counts every other day. Raises Unclear."""
    found = [rule for text in texts for rule in _rules(text, care)]
    first = found[0]
    if any((rule.every, rule.days, rule.interval) != (first.every, first.days, first.interval) for rule in found):
        raise Unclear("几个时间不在同样的日子", "只写同样日子的时间；别的日子另外写一项，名字写得不一样")
    if first.interval != 1 and first.every != "hour" and started is None:
        raise Unclear("不是每天都有，却没有写从哪天开始算", "加上 开始: 和第一天的日期")
    at = tuple(sorted({clock for rule in found for clock in rule.at}))
    counts = first.interval != 1 and first.every != "hour"
    return Recurrence(first.every, at, first.days, first.interval, start=started if counts else None)


def _rules(text: str, care: Care) -> list[Recurrence]:
    bare = _bare(text).replace("，", "、").replace(",", "、").replace(";", "、")
    if impossible := next((hour for hour in re.findall(r"\d+:\d+", bare) if not re.fullmatch("(?:[01]?\\d|2[0-3]):[0-5]\\d", hour)), None):
        raise Unclear(f"没有 {impossible} 这个时间", "写 00:00 到 23:59 之间的时间")
    for said in (bare, f"每天{bare}", f"每{bare}"):
        span = times.parse(said, _MONDAY, care)
        if span is None or not isinstance(span.value, Recurrence):
            continue
        if span.value.until:
            raise Unclear(f"「{short(text)}」说的是几天，看不出哪天开始", "时间只写钟点，加上 开始: 和 停药: 的日期")
        if not span.value.at:
            raise Unclear(f"「{short(text)}」没有写几点", f"写成 {short(text)}早上八点 这样")
        return [span.value]
    if "、" in bare:
        return [rule for part in bare.split("、") if part for rule in _rules(part, care)]
    raise Unclear(f"看不懂时间「{short(text)}」", "写成 08:30、早上八点半 或者 每周一三五早上九点")


def halves(texts: Sequence[str]) -> bool:
    """Whether a time does not say which half of the day it means: 八点."""
    return any(_TWELVE.search(_bare(text)) and not _PART.search(text) for text in texts)


UNSENT = "这个通知先送不出去"
RECITED = "剂量照写的念"


class _Builder:
    """The entry with its times read, its references followed and its contradictions found."""

    def __init__(self, entry: schema.HouseholdEntry, sheet: _Sheet, secrets: Mapping[str, str], secrets_file: str) -> None:
        self.entry = entry
        self.sheet = sheet
        self.secrets = secrets
        self.secrets_file = secrets_file
        self.mistakes: list[Mistake] = []
        self.absences: list[tuple[tuple[str | int, ...], Mistake]] = []
        """Where something should be and is not, and the mistake; of no weight if other mistakes there hid it."""
        self.warnings: list[Mistake] = []
        self.retired: set[tuple[str, str]] = set()

    def wrong(self, path: tuple[str | int, ...], what: str, hint: str, meanwhile: str = "", hers: str = "") -> None:
        """A mistake; `meanwhile` as in Mistake: what the household then has, where it has been run with."""
        self.mistakes.append(Mistake(self.sheet.line(path), what, hint, meanwhile=meanwhile, hers=hers))

    def absent(
        self, path: tuple[str | int, ...], what: str, hint: str, meanwhile: str, where: tuple[str | int, ...] = ()
    ) -> None:
        self.absences.append((where or path, Mistake(self.sheet.line(path), what, hint, meanwhile=meanwhile)))

    def odd(self, path: tuple[str | int, ...], what: str, hint: str) -> None:
        self.warnings.append(Mistake(self.sheet.line(path), what, hint))

    def household(self) -> Household:
        """The household; of no use while there are mistakes that cannot be lived with."""
        care = self.care()
        home = Household(
            elder=self.elder(),
            channels=self.channels(),
            family=self.family(),
            care=care,
            medicines=self.medicines(care),
            services=self.services(),
            reminders=self.reminders(care),
            voice=self.voice(),
            wake_words=self.wake_words(),
            room=self.room(self.entry.room, ("room",), everybody=True),
            timezone=self.entry.timezone,
        )
        self.alike("family", "家人", [(one.name, *one.nicknames) for one in self.entry.family])
        self.alike("medicines", "药", [(one.name, *one.aka) for one in self.entry.medicines])
        self.alike("services", "服务", [(one.name, *one.aka) for one in self.entry.services])
        return home

    def elder(self) -> Elder:
        """The elder."""
        read = self.entry.elder
        if not read.address:
            self.odd(("elder",), "没有写老人的地址，出事时帮忙的人不知道去哪里", "加上 地址: …")
        if read.accent and read.accent not in accents():
            meant = nearest(read.accent, accents())
            hint = f"看看是不是「{meant}」" if meant else "从这些里挑一个，或者不写：" + "、".join(filter(None, accents()))
            self.odd(("elder", "accent"), f"不认识口音「{short(read.accent)}」，当没有写", hint)
        return Elder(read.name, read.call or read.name, read.accent, read.address, read.access, tuple(read.conditions))

    def voice(self) -> Voice:
        """Who speaks; a voice there is not is spoken by the machine's."""
        read = self.entry.voice
        if read.name not in (known := _voices()) and read.name not in known.values():
            meant = nearest(read.name, known)
            hint = f"看看是不是「{meant}」" if meant else "从这些里挑一个：" + "、".join(known)
            self.odd(("voice", "name"), f"没有叫「{short(read.name)}」的声音，会用机器声", hint)
        return Voice(read.name, int(read.volume))

    def wake_words(self) -> tuple[str, ...]:
        """What 小伴 is called by: nothing that is said all day long, and nothing that means something by itself."""
        usual, of_use = "小伴小伴", []
        for at, word in enumerate(self.entry.listen.wake):
            path, sound = ("listen", "wake", at), syllables(word)
            taken, cry = _taken_by(sound) if len(sound) > 1 else ("", False)
            if not sound or cry:  # what nobody can hear; what would make a cry for help a mere call
                what = f"和「{taken}」混在一起，那是有用的话" if cry else "不是汉字，小伴听不出来"
                called = f"叫它请说“{usual}”"
                self.wrong(path, f"唤醒词「{short(word)}」{what}", f"换一个平常不说的，例如 唤醒词: {usual}", called, f"往后叫我，请说“{usual}”。")
                continue
            of_use.append(word)
            if len(sound) < 2:
                self.wrong(path, f"唤醒词「{short(word)}」只有一个字，说什么话都会叫醒它", f"换成三四个字的，例如 唤醒词: {usual}", schema.AS_BEFORE)
            elif taken:
                self.wrong(path, f"唤醒词「{short(word)}」和「{taken}」混在一起，那是有用的话", f"换一个平常不说的，例如 唤醒词: {usual}", schema.AS_BEFORE)
            elif len(sound) == 2:
                self.odd(path, f"唤醒词「{short(word)}」只有两个字，容易听错", "说两遍就好认：" + short(word) * 2)
        return tuple(dict.fromkeys([*of_use, usual] if len(of_use) < len(self.entry.listen.wake) else of_use)) or (usual,)

    def filled(self, address: str, path: tuple[str | int, ...]) -> str:
        """An address with its secrets put in; what is missing is named, what is there never shown."""

        def put(found: re.Match[str]) -> str:
            if found[1] not in self.secrets:
                meant = nearest(found[1], self.secrets)
                hint = f"看看是不是「{meant}」" if meant else f"在 {self.secrets_file} 里加上 {short(found[1])}: …"
                self.wrong(path, f"{self.secrets_file} 里没有「{short(found[1])}」这个密钥", hint)
            return self.secrets.get(found[1], "")

        return schema.PLACEHOLDER.sub(put, address)

    def channels(self) -> tuple[Channel, ...]:
        """The ways out of the house."""
        read = []
        for name, address in self.entry.channels.items():
            scheme = address.partition(":")[0].lower()
            if scheme not in schema.SCHEMES:
                meant = nearest(scheme, schema.SCHEMES)
                hint = f"看看是不是 {meant}（{schema.SCHEMES[meant]}）" if meant else "从说明里的通知方式挑一种"
                host = re.match(r"https?://([^/:?]+)", address)
                if host and host[1] in schema.WEB_ADDRESSES:
                    hint = f"改成 {schema.WEB_ADDRESSES[host[1]]}，写在 {self.secrets_file} 里"
                self.wrong(("channels", name), f"通知「{short(name)}」：不认识 {short(scheme)} 这种通知方式", hint, UNSENT)
            if scheme in schema.EXPERIMENTAL:
                self.odd(("channels", name), f"通知「{short(name)}」：短信还在试验，没有在真的网卡上试过", "别只靠它，再写一种通知")
            full = self.filled(address, ("channels", name))
            if scheme in CALLING and not re.match(r"sips?:(//)?[^@\s]+@[^@\s]+", full):
                self.wrong(("channels", name), f"网络电话「{short(name)}」的地址写错了", '写成 "sip:账号@服务器"，例如 "sip:xiaoban@sip.example.com"', "电话先打不出去")
            read.append(Channel(name, full))
        return tuple(read)

    def line(self) -> bool:
        """Whether there is a telephone to ring people with."""
        return any(address.partition(":")[0].lower() in CALLING or name == "电话" for name, address in self.entry.channels.items())

    def room(self, address: str, path: tuple[str | int, ...], *, everybody: bool = False) -> str:
        """The address of a video room, which must name one; one for everybody should differ from call to call."""
        unknown = [word for word in re.findall(r"(?<!\$)\{[^{}]*\}", address) if word not in ("{code}", "{person}")]
        if address and not re.match(r"https?://[^/\s]+/\S+", address):
            self.wrong(path, "视频的网址里没有房间", "写到房间为止，例如 https://meet.example/{code}", "先不发视频的网址")
            return ""
        if unknown:
            self.wrong(path, f"视频的网址里有 {short(unknown[0])}，小伴不知道换成什么", "只写 {code}（每次不一样的房间）或者 {person}（家人的名字）", "先不发视频的网址")
            return ""
        if everybody and address and "{code}" not in address and "{person}" not in address:
            self.odd(path, "所有人的视频都在同一个房间，谁都可能撞进来", "在房间的位置写 {code}，每次就不一样")
        return self.filled(address, path)

    def known_channels(self, path: tuple[str | int, ...], who: str, names: Sequence[str]) -> tuple[str, ...]:
        """Those of `names` that are defined under 通知 and able to carry words."""
        of_use = []
        for at, name in enumerate(names):
            if self.entry.channels.get(name, "").partition(":")[0].lower() in CALLING:
                hint = "写微信、邮箱这样的通知；电话号码写在 电话 里，网络电话账号只要在最后的 通知: 下面有一行就会用"
                self.wrong((*path, "notify", at), f"{who}的通知「{short(name)}」是网络电话，送不了消息", hint, UNSENT)
            elif name in self.entry.channels:
                of_use.append(name)
            else:
                meant = nearest(name, self.entry.channels)
                hint = f"看看是不是「{meant}」" if meant else f"在最后的 通知: 下面加一行 {short(name)}: 地址"
                self.absent((*path, "notify", at), f"{who}的通知「{short(name)}」没有定义", hint, UNSENT, ("channels",))
        return tuple(of_use)

    def family(self) -> tuple[Contact, ...]:
        """The contacts that are not retired."""
        read: list[Contact] = []
        orders: dict[int, str] = {}
        for at, one in enumerate(self.entry.family):
            path = ("family", at)
            if one.retired:
                self.retired.add(("family", one.name))
                continue
            who = one.relation or one.name
            if not one.phone and (not one.notify or (*path, "phone") in self.sheet.blank):
                lost = "" if one.notify else "，也没有写通知，出了事找不到"
                until = "先只给他发消息" if one.notify else "出了事先找不到他"
                self.absent(path, f"{who}没有填电话号码{lost}", '在这一行加上 电话: "13800000001"', until)
            elif one.phone and not one.notify and not self.line():
                self.odd(path, f"{who}只有电话，可是没有网络电话账号，出了事打不出去", '在 通知 里加一行 家里电话: "sip:账号@服务器"，或者给这个人写上通知')
            elif not one.phone:
                self.odd(path, f"{who}没有填电话号码，紧急时只能发消息", '在这一行加上 电话: "13800000001"')
            ways = {self.entry.channels[name].partition(":")[0].lower() for name in one.notify if name in self.entry.channels}
            if one.recordings and not ways & schema.WITH_SOUND:
                self.odd((*path, "recordings"), f"{who}的录音写了 是，可是他的通知都只能发字", "加一种能发声音的：邮箱（mailto）、ntfy、Telegram")
            order = int(one.order)
            if order != 99 and order in orders:
                self.wrong((*path, "order"), f"{who}和{orders[order]}的顺序都是 {order}", "每个人写不同的数，1 最先", "先打给写在前面的")
            orders.setdefault(order, who)
            read.append(
                Contact(
                    one.name, one.relation, tuple(one.nicknames), one.phone,
                    self.known_channels(path, who, one.notify), order, one.recordings,
                    self.room(one.room, (*path, "room")),
                )  # fmt: skip
            )
        if not read:
            self.absent(("family",), "一个家人也没有", "至少写一个家人，有电话号码", "出了事没有人可以叫")
        elif not any(one.phone for one in read):
            self.odd(("family",), "没有一个人有电话，紧急时打不出去", "至少给一个人写上电话")
        elif not any(one.notify for one in read) and self.line():
            self.odd(("family",), "没有一个人有通知，紧急时发不出消息", "至少给一个人写上通知")
        return tuple(read)

    def time(self, text: str, path: tuple[str | int, ...], otherwise: time | None) -> time | None:
        """One time of day."""
        if not text or text in ("不要", "否", "不", "no"):
            return otherwise
        try:
            return clock(text)
        except Unclear as error:
            self.wrong(path, error.what, error.hint, schema.UNWRITTEN)
            return otherwise

    def care(self) -> Care:
        """Times of the daily round."""
        read, usual = self.entry.care, Care()
        def at(name: str, otherwise: time | None) -> Any:
            return self.time(getattr(read, name), ("care", name), otherwise) or otherwise

        return Care(
            checkin=at("checkin", None),
            checkin_alarm=read.checkin_alarm,
            digest=at("digest", None),
            breakfast=at("breakfast", usual.breakfast),
            lunch=at("lunch", usual.lunch),
            supper=at("supper", usual.supper),
            bedtime=at("bedtime", usual.bedtime),
            names_medicines=read.names_medicines,
            doubts=read.doubts,
            ranges=tuple((kind, low, high) for kind, (low, high) in read.ranges.items()),
            heartbeat=self.filled(read.heartbeat, ("care", "heartbeat")),
            daily_beat=self.filled(read.daily_beat, ("care", "daily_beat")),
            answers=read.answers,
            sensors=int(read.sensors),
            sensor_topic=self.filled(read.sensor_topic, ("care", "sensor_topic")),
            help_key=read.help_key,
        )

    def length(self, text: str, path: tuple[str | int, ...], otherwise: timedelta) -> timedelta:
        """A length of time."""
        if not text:
            return otherwise
        try:
            return length(text)
        except Unclear as error:
            self.wrong(path, error.what, error.hint, schema.UNWRITTEN)
            return otherwise

    def schedule(
        self, texts: Sequence[str], care: Care, path: tuple[str | int, ...], who: str, started: date | None, called: str = ""
    ) -> Recurrence | None:
        """When something happens again and again; None if it cannot be read. `called`: as she says it, where that is not `who`."""
        try:
            planned = schedule(texts, care, started)
        except Unclear as error:
            self.wrong(path, f"{who}：{error.what}", error.hint, "小伴先不提醒这一样", f"{called or who}的时间我看不懂了，先不提醒您，请您自己记着。")
            return None
        if halves(texts):
            meant = saying.recurrence(planned)
            self.odd(path, f"{who}的时间没有说是早上还是晚上，当作{meant}", "写清楚 早上八点 或者 晚上八点")
        return planned

    def medicines(self, care: Care) -> tuple[Medicine, ...]:
        """What is taken."""
        usual = Medicine("")
        read = []
        for at, one in enumerate(self.entry.medicines):
            path = ("medicines", at)
            needed = [text for text in one.times if text.lower() in AS_NEEDED]
            planned, called = None, one.aka[0] if one.aka else one.name
            if needed and len(needed) < len(one.times):
                self.wrong((*path, "times"), f"{one.name}：又写了 需要时，又写了钟点", "只留一种", "照写的钟点提醒")
                planned = self.schedule([text for text in one.times if text not in needed], care, (*path, "times"), one.name, one.started, called)
            elif not one.times:
                self.odd(path, f"{one.name}没有写时间，小伴不会提醒", "加上 时间: [早上八点]，不固定就写 时间: 需要时")
            elif not needed:
                planned = self.schedule(one.times, care, (*path, "times"), one.name, one.started, called)
            self.dose(path, one)
            gap = _smallest_gap(planned)
            if gap < CLOSE:
                guard = saying.length(min(usual.min_gap, gap / 2)) if not one.min_gap else ""
                self.odd(
                    (*path, "times"), f"{one.name}有两次只隔{saying.length(gap)}" + (f"，防止重复吃药的间隔也只剩{guard}" if guard else ""),
                    "看看时间是不是写错了",
                )
            min_gap = self.length(one.min_gap, (*path, "min_gap"), min(usual.min_gap, gap / 2))
            if one.min_gap and min_gap > gap:
                self.wrong((*path, "min_gap"), f"{one.name}：间隔比两次吃药之间的时间还长", "改短间隔，或者改时间", "这个间隔先当没写")
                min_gap = min(usual.min_gap, gap / 2)
            if one.started and one.stopped and one.stopped < one.started:
                self.wrong((*path, "stopped"), f"{one.name}：停药的日子在开始的日子前面", "看看日期是不是写反了", schema.AS_BEFORE)
            if planned and 0 < one.max_per_day < len(planned.times()):
                self.wrong((*path, "max_per_day"), f"{one.name}：每天最多 {one.max_per_day:g} 次，时间却有 {len(planned.times())} 个", "改一个", schema.AS_BEFORE)
            read.append(
                Medicine(
                    one.name, tuple(one.aka), one.looks, one.dose, one.units or units(one.dose), planned, one.note,
                    one.stock, one.pack, one.critical, min_gap,
                    self.length(one.late_limit, (*path, "late_limit"), usual.late_limit), int(one.max_per_day),
                    one.started, one.stopped,
                )  # fmt: skip
            )
        return tuple(read)

    def dose(self, path: tuple[str | int, ...], one: schema.MedicineEntry) -> None:
        """Whether what is to be taken at a time can be meant: it is read aloud as it stands."""
        here = (*path, "dose")
        if here in self.sheet.blank:
            self.odd(here, f"{one.name}的「剂量」后面是空的，小伴会说“一份”", "写上一次吃多少，例如 剂量: 一粒")
        if "dose" not in one.model_fields_set:
            return
        amount, of_what = measured(one.dose)
        counted = bool(of_what) and of_what in COUNTED and of_what != "滴"
        if _BELOW_NOTHING.search(_bare(one.dose)) or amount == 0:
            self.wrong(here, f"{one.name}：剂量「{short(one.dose)}」等于不吃", "写上一次吃多少，例如 剂量: 一粒；停了的药写 停药: 和日期", RECITED)
        elif amount is None and _LASTING.search(_bare(one.dose)):
            self.wrong(here, f"{one.name}：「{short(one.dose)}」不是一次吃多少", "写成 剂量: 一粒 这样；吃到哪天写 停药:，几点吃写 时间:", RECITED)
        elif amount is None or not of_what:
            self.odd(here, f"{one.name}的剂量「{short(one.dose)}」看不出是多少", "写成 一粒、半片、5毫升 这样")
        elif counted and amount > MANY:
            self.odd(here, f"{one.name}一次要吃{short(one.dose)}，比平常的多", "看看是不是多写了")
        elif not counted and of_what not in ("毫升", "单位", "滴") and one.stock is not None and one.units is None:
            self.odd(here, f"{one.name}的剂量「{short(one.dose)}」看不出用掉几个，库存每次只减一", "加上 每次: 1")
        if counted and amount and one.units is not None and one.units != amount:
            self.odd((*path, "units"), f"{one.name}的剂量是{short(one.dose)}，每次却是 {one.units:g}", "改成一样的")

    def services(self) -> tuple[Service, ...]:
        """What can be booked."""
        read = []
        for at, one in enumerate(self.entry.services):
            path = ("services", at)
            if one.retired:
                self.retired.add(("services", one.name))
                continue
            open_at: list[Hours] = []
            for place_, text in enumerate(one.hours):
                try:
                    open_at += hours(text)
                except Unclear as error:
                    self.wrong((*path, "hours", place_), f"{one.name}：{error.what}", error.hint, schema.UNWRITTEN)
            if not one.notify:
                self.odd(path, f"{one.name}没有写通知，约了也送不出去", "在这一行加上 通知: [...]")
            read.append(
                Service(
                    one.name, tuple(one.aka), tuple(open_at),
                    self.length(one.notice, (*path, "notice"), timedelta(0)),
                    self.known_channels(path, one.name, one.notify),
                )  # fmt: skip
            )
        return tuple(read)

    def reminders(self, care: Care) -> tuple[StandingReminder, ...]:
        """What the family wants said."""
        read = []
        for at, one in enumerate(self.entry.reminders):
            if one.retired:
                self.retired.add(("reminders", one.what))
                continue
            planned = self.schedule(one.when, care, ("reminders", at, "when"), one.what, one.started)
            if planned:
                read.append(StandingReminder(one.what, planned))
        return tuple(read)

    def alike(self, kind: str, called: str, named: Sequence[Sequence[str]]) -> None:
        """Two of a kind with one name are a mistake; with one nickname or one sound they are asked back each time."""
        first: dict[str, int] = {}
        sounds: dict[tuple[str, ...], tuple[int, str]] = {}
        for at, names in enumerate(named):
            if names[0] in first:
                self.wrong((kind, at), f"有两个{called}都叫「{short(names[0])}」", "改一个名字，或者删掉一个")
            first.setdefault(names[0], at)
            for name in names:
                sound = syllables(name)
                other, heard = sounds.setdefault(sound, (at, name)) if sound else (at, name)
                if other != at and names[0] != named[other][0]:
                    same = f"都叫「{short(name)}」" if heard == name else f"听起来一样：「{short(name)}」「{short(heard)}」"
                    self.odd((kind, at), f"{names[0]}和{named[other][0]}{same}，小伴每次都要问是哪一个", "给其中一个换个叫法")


@cache
def _voices() -> dict[str, str]:
    """Name of each voice that ships with us → its folder's, which is accepted too."""
    found = sorted(shipped("voices").glob("*/voice.toml"))
    return {str(tomllib.loads(path.read_text("utf-8"))["name"]): path.parent.name for path in found}


@cache
def _meant_already() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Cries for help and what calls them off; and the short sentences that answer or command at any moment."""
    read = {name: tomllib.loads((shipped("intents") / f"{name}.toml").read_text("utf-8")) for name in ("emergency", "control", "dialogue")}
    alarms = (*read["emergency"]["distress"], *read["emergency"]["cancel"])
    commands = (one["say"] for intent in read["control"]["intents"].values() for one in intent.get("examples", ()))
    return alarms, (*commands, *(word for name in ("YES", "NO") for word in read["dialogue"]["words"][name]))


def _taken_by(sound: tuple[str, ...]) -> tuple[str, bool]:
    """What a wake word of these syllables would be mixed up with, or nothing: part of a cry, a cry and more (True), or a whole command."""

    def within(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
        return any(other[at : at + len(one)] == one for at in range(len(other) - len(one) + 1))

    alarms, commands = _meant_already()
    for said in alarms:
        if within(sound, syllables(said)) or within(syllables(said), sound):
            return said, True
    return next((said for said in commands if syllables(said) == sound), ""), False


def _smallest_gap(planned: Recurrence | None) -> timedelta:
    """The shortest time between two doses of a schedule; a day for once a day or none."""
    if planned is None or planned.every not in ("day", "week", "hour"):
        return timedelta(days=1)
    minutes = sorted(at.hour * 60 + at.minute for at in planned.times())
    if not minutes:
        return timedelta(days=1)
    return timedelta(minutes=min(after - before for before, after in pairwise([*minutes, minutes[0] + 1440])))


_FIGURE = r"(?:\d+(?:\.\d+)?|[零一二两三四五六七八九十百]+|半)"
COUNTED = "粒片颗丸支袋包个瓶滴格枚"
"""What the stock is counted in, besides 毫升 and 单位."""
_AMOUNT = re.compile(
    rf"(?P<top>{_FIGURE})/(?P<bottom>{_FIGURE})(?P<a>[{COUNTED}])|(?P<of>{_FIGURE})分之(?P<part>{_FIGURE})(?P<b>[{COUNTED}])"
    rf"|(?P<whole>[零一二两三四五六七八九十]+)点(?P<after>[零一二三四五六七八九]+)(?P<c>[{COUNTED}]|毫升|单位)"
    rf"|(?P<figure>{_FIGURE})(?P<d>[{COUNTED}]|毫升|单位)(?P<half>半?)"
    rf"|(?P<else>{_FIGURE})(?P<e>份|勺|口|喷|吸|揿|贴|张|管|针|杯|毫克|微克|克|mg|g|ug|μg)"
)
_LASTING = re.compile(rf"{_FIGURE}个?半?(?:星期|礼拜|周|天|日|小时|钟头|分钟|月|年)|{_FIGURE}次(?!{_FIGURE})")
"""How long or how often, which is no dose."""
_BELOW_NOTHING = re.compile(r"(?<![\d零一二两三四五六七八九十半])[-−负]\s*[\d零一二两三四五六七八九十半]")
MANY = 10
"""Pieces of one medicine at a time beyond which a slip of the finger is likelier than a prescription."""
CLOSE = timedelta(hours=2)
"""Two doses of one medicine nearer than this are likelier a wrong hour; the guard against a second dose is half of it."""


def measured(dose: str) -> tuple[float | None, str]:
    """How much of what a dose is: (2, 片) of 两片, (0.25, 片) of 四分之一片, (500, 毫克), (2, "") of 2; (None, "") where nothing says how much."""
    bare = re.sub(r"(?<=\d)i?u(?![a-z])", "单位", _LASTING.sub("", _bare(dose).lower()).replace("ml", "毫升"))
    found = _AMOUNT.search(bare)
    if found is None:
        return schema.number(bare), ""

    def figure(name: str) -> float:
        return schema.number(found[name]) or 0.0

    of_what = next(filter(None, (found[name] for name in "abcde")))
    if found["a"] or found["b"]:
        top, bottom = ("top", "bottom") if found["a"] else ("part", "of")
        return (figure(top) / figure(bottom) if figure(bottom) else None), of_what
    if found["c"]:
        digits = "".join(f"{schema.number(char) or 0:g}" for char in found["after"])
        return figure("whole") + float(f"0.{digits}"), of_what
    return figure("figure" if found["d"] else "else") + (0.5 if found["half"] else 0.0), of_what


def units(dose: str) -> float:
    """How many units `一粒`, `两片`, `半片`, `一片半`, `5毫升`, `2` are; 1 where nothing that is counted is said (500毫克)."""
    amount, of_what = measured(dose)
    return amount if amount and (not of_what or of_what in ("毫升", "单位") or of_what in COUNTED) else 1.0


def new(path: Path) -> bool:
    """Put the sample at `path` as a file to start from, readable by its owner alone; False if there is a file already.

    Raises HouseholdError if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(sample_household().read_bytes())
    except FileExistsError:
        return False
    except OSError as error:
        raise InvalidHousehold([Mistake(0, f"写不了 {path}（{error.strerror}）", "换一个能写的地方")]) from None
    return True
