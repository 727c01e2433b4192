"""The family's file becomes frozen values: all mistakes at once, in Chinese, each with its line and what to do."""

from __future__ import annotations

import difflib
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from assistant import household_schema as schema
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
from assistant.household_text import (
    KEY,
    InvalidHousehold,
    MappingNode,
    Mistake,
    Node,
    ScalarNode,
    SequenceNode,
    composed,
    mended,
    read_text,
    short,
    tidied,
)
from assistant.places import sample_household
from assistant.understand.sound import accents, syllables
from assistant.when import WEEKDAYS, Recurrence

MOST_ENTRIES = 200
"""Entries of one list; understanding is measured with 50 medicines, 20 contacts and 20 services."""
DEEPEST = 12
"""Levels of brackets; the shape needs five."""
SECRET_FILES = ("秘密.yaml", "secrets.yaml")
"""Names looked for beside the family's file."""
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

    def loaded(self) -> Loaded:
        """The household. Raises HouseholdError with every mistake of both files."""
        try:
            loaded = parse(self.text, _Whatever() if self.mistakes else self.secrets, self.secrets_file)
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
    """The secrets of `text`, one `名字: 值` a line."""
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


def parse(text: str, secrets: Mapping[str, str] | None = None, secrets_file: str = SECRET_FILES[0]) -> Loaded:
    """The household that `text` describes. Raises HouseholdError with every mistake."""
    tidy, mistakes = tidied(text.removeprefix("\ufeff"))
    root, broken = mended(tidy)
    mistakes += broken
    if root is None:
        raise InvalidHousehold(mistakes or [Mistake(0, "里面什么也没有", "照着样例写，或者运行 xiaoban check --new")])
    if not isinstance(root, MappingNode):
        raise InvalidHousehold(mistakes or [Mistake(1, "看不懂", "照着样例写：第一行是 老人: ，下面缩进两格")])
    sheet = _Sheet()
    data = sheet.group(root, schema.HouseholdEntry, ())
    entry, faults = schema.shape(data)
    mistakes += sheet.mistakes
    # After a line that could not be read, what is missing may well stand on that line: only what is there is judged.
    mistakes += [sheet.said(fault, data) for fault in faults if fault.what or not broken]
    if entry is None:
        entry = schema.without(data, faults)
    if entry is None:
        raise InvalidHousehold(mistakes)
    builder = _Builder(entry, sheet, secrets or {}, secrets_file)
    household = builder.household()
    mistakes += builder.mistakes
    if not broken and not faults:
        mistakes += builder.absences
    if mistakes:
        raise InvalidHousehold(mistakes)
    return Loaded(household, tuple(sorted(builder.warnings, key=lambda found: found.line)), frozenset(builder.retired))


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

    def mistake(self, node: Node, what: str, hint: str) -> None:
        self.mistakes.append(Mistake(node.start_mark.line + 1, what, hint))

    def odd(self, node: Node) -> bool:
        """Whether the node uses what YAML can and a family file must not: anchors, aliases, types."""
        if node.anchor:
            self.mistake(node, "符号 & 和 * 在这里有特别的意思，不能用", "给内容加上英文引号")
            return True
        if not str(node.tag).startswith("tag:yaml.org,2002:"):
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
                        self.mistake(item, "这里是空的", "删掉多出来的逗号或者减号")
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
                        self.mistake(key, f"「{short(written)}」后面是空的", "在冒号后面写上内容，或者删掉这一行")
                        continue
                    read[written] = self.value(value, None, (*path, written))
                return read
            case _:
                return ""

    def unknown(self, key: Node, written: str, shape: type[schema.Entry], bare: bool) -> None:
        spelled = schema.spellings(shape)
        if bare and (found := re.match(rf"({KEY})\s*[:：=]", written)):
            self.mistake(key, f"「{found[1]}」后面的冒号不对", f"写成 {found[1]}: 内容，英文冒号后面空一格")
            return
        meant = nearest(written, spelled)
        known = "、".join(item.chinese for item in schema.keys(shape).values())
        hint = f"看看是不是「{schema.keys(shape)[spelled[meant]].chinese}」" if meant else f"只用这些：{known}"
        self.mistake(key, f"不认识「{short(written)}」", hint)

    def said(self, fault: schema.Fault, data: Mapping[str, Any]) -> Mistake:
        """A fault with its line, and the words a family uses for its place."""
        who, key = place(fault.path, data)
        if fault.what:
            value = f"：{fault.what}" if who or key else fault.what
            about = f"{who}的「{key.chinese}」" if who and key else who or (f"「{key.chinese}」" if key else "")
            return Mistake(self.line(fault.path), f"{about}{value}", fault.hint)
        assert key is not None
        example = f"{key.chinese}: {key.example}".rstrip()
        blank = tuple(fault.path) in self.blank
        hint = f"在冒号后面写上{key.noun or key.chinese}，例如 {example}" if blank else f"在这一行加上 {example}"
        if len(fault.path) == 1:
            hint = f"照着样例加上 {key.chinese}: 这一段"
            return Mistake(self.line(fault.path) if blank else 0, f"没有写{key.chinese}", hint)
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
        return max(seen, heard if syllables(word) and syllables(other) else 0.0)

    best = max(known, key=likeness, default=None)
    return best if best is not None and likeness(best) >= 0.6 else None


# --- from fields to the household ---------------------------------------------------------------------------------

_DAY = "[一二三四五六日天]"
_CLOCK = "(?:[零〇一二两三四五六七八九十]{1,3}|\\d{1,2})(?:[:：]\\d{2}|点钟?半?|时)?"
_SPAN = re.compile(rf"((?:凌晨|早上?|上午|中午|下午|晚上?)?{_CLOCK})\s*(?:-|~|～|–|—|－|到|至)\s*((?:凌晨|早上?|上午|中午|下午|晚上?)?{_CLOCK})")
_DAYS = re.compile(rf"(?:每|逢)?(?:周|星期|礼拜)(?:({_DAY})(?:到|至|-|~|～|–|—)(?:周|星期|礼拜)?({_DAY})|({_DAY}(?:[、，,和]?(?:周|星期|礼拜)?{_DAY})*)|(末))")
_EVERY_DAY = re.compile("每天|天天|全周|全年(?:无休)?|工作日|平时|周末")


def weekdays(text: str) -> tuple[str, ...] | None:
    """`周一到周六`, `周一三五`, `周一、周三`, `工作日`, `每天` as `MO`…`SU`; nothing said is every day; None if unclear."""
    if not text or re.fullmatch("每天|天天|全年|全年无休|全周", text):
        return WEEKDAYS
    if text == "工作日":
        return WEEKDAYS[:5]
    found: set[str] = set()
    rest = text
    while rest:
        part = _DAYS.match(rest)
        if not part:
            return None
        if part[1]:
            first, last = _weekday(part[1]), _weekday(part[2])
            found |= {WEEKDAYS[(first + step) % 7] for step in range((last - first) % 7 + 1)}
        elif part[3]:
            found |= {WEEKDAYS[_weekday(char)] for char in part[3] if re.fullmatch(_DAY, char)}
        else:
            found |= set(WEEKDAYS[5:])
        rest = rest[part.end() :].lstrip("、，,和 ")
    return tuple(day for day in WEEKDAYS if day in found)


def _weekday(char: str) -> int:
    return 6 if char in "日天" else "一二三四五六".index(char)


def hours(text: str) -> tuple[Hours, ...]:
    """`周一到周六 08:00-18:00`, `每天 8点到12点、14点到18点`. Raises ValueError with (what, hint) in Chinese."""
    text = unicodedata.normalize("NFKC", text).replace(" ", "")
    if not (first := _SPAN.search(text)):
        if (days := weekdays(text)) is not None:
            return tuple(Hours(day, time(0, 0), time(23, 59)) for day in days)
        raise ValueError("看不懂可约的时间", "写成 周一到周六 08:00-18:00 这样")
    days = weekdays(text[: first.start()].rstrip("、，,的"))
    if days is None:
        raise ValueError(f"看不懂是星期几：{short(text[: first.start()])}", "写成 周一到周六 08:00-18:00 这样")
    read: list[Hours] = []
    rest = text[first.start() :]
    while rest:
        part = _SPAN.match(rest)
        if not part:
            raise ValueError(f"看不懂可约的时间：{short(rest)}", "写成 周一到周六 08:00-18:00 这样；几段用方括号隔开")
        opens, closes = clock(part[1]), clock(part[2])
        if closes is not None and opens is not None and closes <= opens and closes.hour < 12 and "上" not in part[2] and "早" not in part[2] and "点" in part[2]:
            closes = closes.replace(hour=closes.hour + 12)
        if opens is None or closes is None:
            raise ValueError(f"没有这个时间：{short(part[1] if opens is None else part[2])}", "时间写成 08:00 到 23:59")
        if closes <= opens:
            raise ValueError(f"关门的时间 {closes:%H:%M} 不比开门的时间 {opens:%H:%M} 晚", "看看是不是写反了")
        read += [Hours(day, opens, closes) for day in days]
        rest = rest[part.end() :].lstrip("、，,和;；")
    return tuple(sorted(read, key=lambda found: (WEEKDAYS.index(found.day), found.opens)))


_PARTS = {"凌晨": 0, "清早": 0, "清晨": 0, "早上": 0, "早晨": 0, "早": 0, "上午": 0, "中午": 11, "下午": 12, "傍晚": 12, "晚上": 12, "晚": 12, "夜里": 12}


def clock(text: str) -> time | None:
    """A time of day: `08:30`, `8:30`, `早上八点半`, `20点`; None if it is none, or does not exist (25:00)."""
    found = re.fullmatch(
        rf"({'|'.join(_PARTS)})?的?(\d{{1,2}}|[零〇一二两三四五六七八九十]{{1,3}})(?:(?:点钟?|时|[:：])(半|一刻|三刻|整|\d{{1,2}}|[零〇一二两三四五六七八九十]{{1,3}})?分?)?",
        unicodedata.normalize("NFKC", text).replace(" ", ""),
    )
    if not found:
        return None
    hour = int(schema.number(found[2]) or 0)
    minute = {"半": 30, "一刻": 15, "三刻": 45, "整": 0}.get(found[3] or "整")
    minute = int(schema.number(found[3]) or 0) if minute is None else minute
    after = _PARTS.get(found[1] or "", 0)
    if after == 12 and hour < 12 or after == 11 and hour < 4:
        hour += 12
    return time(hour, minute) if hour < 24 and minute < 60 else None


_LENGTH = re.compile(r"(?:提前)?(\d+(?:\.\d)?|[零一二两三四五六七八九十半]+)个?(半)?(天|日|小时|钟头|分钟|分|周|星期|礼拜)(半)?")
_MINUTES = {"天": 1440, "日": 1440, "小时": 60, "钟头": 60, "分钟": 1, "分": 1, "周": 10080, "星期": 10080, "礼拜": 10080}


def length(text: str) -> timedelta | None:
    """A length of time: `一天`, `两小时`, `半个小时`, `一个半小时`, `90分钟`, `4` (hours); None if it is none."""
    text = unicodedata.normalize("NFKC", text).replace(" ", "")
    if (hours_only := schema.number(text)) is not None:
        return timedelta(hours=hours_only)
    found = _LENGTH.fullmatch(text)
    amount = schema.number(found[1]) if found else None
    if not found or amount is None:
        return None
    return timedelta(minutes=(amount + (0.5 if found[2] or found[4] else 0)) * _MINUTES[found[3]])


def schedule(texts: Sequence[str], care: Care) -> Recurrence:
    """`[早上七点半, 晚上八点]`, `每周一三五早上九点`. Raises ValueError with (what, hint) in Chinese."""
    found = [_recurrence(text) for text in texts]
    first = found[0]
    if any((other.every, other.days, other.interval) != (first.every, first.days, first.interval) for other in found):
        raise ValueError("几个时间不是同样的日子", "分成两项写")
    return Recurrence(first.every, tuple(sorted({at for one in found for at in one.at})), first.days, first.interval)


def _recurrence(text: str) -> Recurrence:
    bare = unicodedata.normalize("NFKC", text).replace(" ", "")
    found = re.fullmatch(rf"(每天|每日|天天|{_DAYS.pattern})?的?(.*)", bare)
    assert found is not None
    days = weekdays(found[1] or "")
    at = clock(found[found.re.groups])
    if days is None or at is None:
        raise ValueError(f"看不懂时间「{short(text)}」", "写成 08:30、早上八点半 或者 每周一三五早上九点")
    if days == WEEKDAYS:
        return Recurrence("day", (f"{at:%H:%M}",))
    return Recurrence("week", (f"{at:%H:%M}",), days)


class _Builder:
    """The entry with its times read, its references followed and its contradictions found."""

    def __init__(self, entry: schema.HouseholdEntry, sheet: _Sheet, secrets: Mapping[str, str], secrets_file: str) -> None:
        self.entry = entry
        self.sheet = sheet
        self.secrets = secrets
        self.secrets_file = secrets_file
        self.mistakes: list[Mistake] = []
        self.absences: list[Mistake] = []
        """Something is not there; of no weight where other mistakes may have hidden it."""
        self.warnings: list[Mistake] = []
        self.retired: set[tuple[str, str]] = set()

    def wrong(self, path: tuple[str | int, ...], what: str, hint: str) -> None:
        self.mistakes.append(Mistake(self.sheet.line(path), what, hint))

    def absent(self, path: tuple[str | int, ...], what: str, hint: str) -> None:
        self.absences.append(Mistake(self.sheet.line(path), what, hint))

    def odd(self, path: tuple[str | int, ...], what: str, hint: str) -> None:
        self.warnings.append(Mistake(self.sheet.line(path), what, hint))

    def household(self) -> Household:
        """The household; of no use while there are mistakes."""
        care = self.care()
        home = Household(
            elder=self.elder(),
            channels=self.channels(),
            family=self.family(),
            care=care,
            medicines=self.medicines(care),
            services=self.services(),
            reminders=self.reminders(care),
            voice=Voice(self.entry.voice.name, int(self.entry.voice.volume)),
            wake_words=tuple(self.entry.listen.wake) or ("小伴小伴",),
            room=self.filled(self.entry.room, ("room",)),
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
                self.wrong(("channels", name), f"通知「{short(name)}」：不认识 {short(scheme)} 这种通知方式", hint)
            read.append(Channel(name, self.filled(address, ("channels", name))))
        return tuple(read)

    def known_channels(self, path: tuple[str | int, ...], who: str, names: Sequence[str]) -> tuple[str, ...]:
        """`names`, each defined under 通知."""
        for at, name in enumerate(names):
            if name not in self.entry.channels:
                meant = nearest(name, self.entry.channels)
                hint = f"看看是不是「{meant}」" if meant else f"在最后的 通知: 下面加一行 {short(name)}: 地址"
                self.absent((*path, "notify", at), f"{who}的通知「{short(name)}」没有定义", hint)
        return tuple(names)

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
                self.absent(path, f"{who}没有填电话号码", '在这一行加上 电话: "13800000001"')
            elif not one.phone:
                self.odd(path, f"{who}没有填电话号码，紧急时只能发消息", '在这一行加上 电话: "13800000001"')
            order = int(one.order)
            if order != 99 and order in orders:
                self.wrong((*path, "order"), f"{who}和{orders[order]}的顺序都是 {order}", "每个人写不同的数，1 最先")
            orders.setdefault(order, who)
            read.append(
                Contact(
                    one.name, one.relation, tuple(one.nicknames), one.phone,
                    self.known_channels(path, who, one.notify), order, one.recordings,
                    self.filled(one.room, (*path, "room")),
                )  # fmt: skip
            )
        if not read:
            self.absent(("family",), "一个家人也没有", "至少写一个家人，有电话号码")
        elif not any(one.phone for one in read):
            self.odd(("family",), "没有一个人有电话，紧急时打不出去", "至少给一个人写上电话")
        elif not any(one.notify for one in read):
            self.odd(("family",), "没有一个人有通知，紧急时发不出消息", "至少给一个人写上通知")
        return tuple(read)

    def time(self, text: str, path: tuple[str | int, ...], otherwise: time | None) -> time | None:
        """One time of day."""
        if not text or text in ("不要", "否", "不", "no"):
            return otherwise
        found = clock(text)
        if found is None:
            self.wrong(path, f"看不懂时间「{short(text)}」", "写成 08:30 或者 早上八点半")
        return found

    def care(self) -> Care:
        """Times of the daily round."""
        read, usual = self.entry.care, Care()
        def at(name: str, otherwise: time | None) -> Any:
            return self.time(getattr(read, name), ("care", name), otherwise) or otherwise

        return Care(
            checkin=at("checkin", None),
            digest=at("digest", None),
            breakfast=at("breakfast", usual.breakfast),
            lunch=at("lunch", usual.lunch),
            supper=at("supper", usual.supper),
            bedtime=at("bedtime", usual.bedtime),
            names_medicines=read.names_medicines,
            ranges=tuple((kind, low, high) for kind, (low, high) in read.ranges.items()),
            heartbeat=self.filled(read.heartbeat, ("care", "heartbeat")),
        )

    def length(self, text: str, path: tuple[str | int, ...], otherwise: timedelta) -> timedelta:
        """A length of time."""
        if not text:
            return otherwise
        found = length(text)
        if found is None or not timedelta(0) <= found <= timedelta(days=60):
            self.wrong(path, f"看不懂多久「{short(text)}」", "写成 两小时、半小时 或者 一天")
            return otherwise
        return found

    def schedule(self, texts: Sequence[str], care: Care, path: tuple[str | int, ...], who: str) -> Recurrence | None:
        """When something happens again and again."""
        try:
            return schedule(texts, care)
        except ValueError as error:
            what, hint = error.args
            self.wrong(path, f"{who}：{what}", hint)
            return None

    def medicines(self, care: Care) -> tuple[Medicine, ...]:
        """What is taken."""
        usual = Medicine("")
        read = []
        for at, one in enumerate(self.entry.medicines):
            path = ("medicines", at)
            needed = [text for text in one.times if text.lower() in AS_NEEDED]
            planned = None
            if needed and len(needed) < len(one.times):
                self.wrong((*path, "times"), f"{one.name}：又写了 需要时，又写了钟点", "只留一种")
            elif not one.times:
                self.odd(path, f"{one.name}没有写时间，小伴不会提醒", "加上 时间: [早上八点]，不固定就写 时间: 需要时")
            elif not needed:
                planned = self.schedule(one.times, care, (*path, "times"), one.name)
            gap = _smallest_gap(planned)
            min_gap = self.length(one.min_gap, (*path, "min_gap"), min(usual.min_gap, gap / 2))
            if one.min_gap and min_gap > gap:
                self.wrong((*path, "min_gap"), f"{one.name}：间隔比两次吃药之间的时间还长", "改短间隔，或者改时间")
            if one.started and one.stopped and one.stopped < one.started:
                self.wrong((*path, "stopped"), f"{one.name}：停药的日子在开始的日子前面", "看看日期是不是写反了")
            if planned and 0 < one.max_per_day < len(planned.times()):
                self.wrong((*path, "max_per_day"), f"{one.name}：每天最多 {one.max_per_day:g} 次，时间却有 {len(planned.times())} 个", "改一个")
            read.append(
                Medicine(
                    one.name, tuple(one.aka), one.looks, one.dose, one.units or units(one.dose), planned, one.note,
                    one.stock, one.pack, one.critical, min_gap,
                    self.length(one.late_limit, (*path, "late_limit"), usual.late_limit), int(one.max_per_day),
                    one.started, one.stopped,
                )  # fmt: skip
            )
        return tuple(read)

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
                except ValueError as error:
                    what, hint = error.args
                    self.wrong((*path, "hours", place_), f"{one.name}：{what}", hint)
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
            planned = self.schedule(one.when, care, ("reminders", at, "when"), one.what)
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


def _smallest_gap(planned: Recurrence | None) -> timedelta:
    """The shortest time between two doses of a schedule; a day for once a day or none."""
    if planned is None or planned.every not in ("day", "week", "hour"):
        return timedelta(days=1)
    minutes = sorted(at.hour * 60 + at.minute for at in planned.times())
    if not minutes:
        return timedelta(days=1)
    return timedelta(minutes=min(after - before for before, after in pairwise([*minutes, minutes[0] + 1440])))


def units(dose: str) -> float:
    """How many units `一粒`, `两片`, `半片`, `一片半` are; 1 where no number is said."""
    found = re.match(r"(\d+(?:\.\d+)?|[零一二两三四五六七八九十]+|半)\s*[粒片颗丸支袋包个瓶滴格枚](半)?", unicodedata.normalize("NFKC", dose))
    amount = schema.number(found[1]) if found else None
    return (amount or 1.0) + (0.5 if found and found[2] else 0.0)


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
