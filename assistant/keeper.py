"""The last good family file stays in force: what changed is announced, what merely vanished is asked about."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchfiles import watch as watch_folder

from assistant import frozen, saying
from assistant.errors import HouseholdError
from assistant.home import Contact, Household, Medicine, Service
from assistant.household_file import LARGEST, SECRET_FILES, InvalidHousehold, Mistake

if TYPE_CHECKING:
    from assistant.household import Loaded, Papers

log = logging.getLogger(__name__)

LAST_GOOD = "household.last.json"
"""Name of the copy in the data folder."""
VALUES = "household.values.json"
"""Beside it: what the copy says, worked out. Reading the family's file and all that can read it is half of what a restart
takes until a running alarm goes on."""
SETTLE = 0.4
"""Seconds a file must stay the same before it is read: an upload or an editor that writes in pieces takes less."""
LOOK = 5.0
"""Seconds after which the file is compared even without a notice: network folders give none."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two households, as the elder is told."""

    kind: str
    """Field of Household: `medicines`, `family`, `care` …"""
    name: str
    """Canonical name of the entry, or the field's."""
    what: str
    """What was done, without who did it: 把降压药的时间改成了早上八点. Never a number, an address or a code."""
    vanished: bool = False
    """An entry is simply not there any more: never in force without a question."""

    def told(self, by: str = "家里人") -> str:
        """The whole sentence: 刘敏把降压药的时间改成了早上八点。"""
        return f"{by}{self.what}。"


VANISHING: Mapping[str, tuple[str, str]] = {
    "medicines": ("药", "停药: 和最后一天的日期"),
    "family": ("家人", "停用: 是"),
    "services": ("服务", "停用: 是"),
    "reminders": ("提醒", "停用: 是"),
}
"""Kinds whose entries never just vanish: what to call them, and how the family ends one."""


def changes(old: Household, new: Household, retired: Iterable[tuple[str, str]] = ()) -> list[Change]:
    """What is different in `new`; `retired` are its entries marked 停用: 是 (`Loaded.retired`)."""
    ended = frozenset(retired)
    found = [*_elder(old, new)]
    found += _entries("medicines", old.medicines, new.medicines, ended, called, _medicine)
    found += _entries("family", old.family, new.family, ended, _person, _contact)
    found += _entries("services", old.services, new.services, ended, lambda one: one.name, _service)
    found += _reminders(old, new, ended)
    found += _channels(old, new)
    found += _settings(old, new)
    return found


def called(medicine: Medicine) -> str:
    """A medicine as the elder calls it."""
    return medicine.aka[0] if medicine.aka else medicine.name


def _person(contact: Contact) -> str:
    return f"{contact.relation}{contact.name}"


def _entries(
    kind: str,
    old: Sequence[Any],
    new: Sequence[Any],
    ended: frozenset[tuple[str, str]],
    call: Callable[[Any], str],
    differences: Callable[[Any, Any], Iterator[str]],
) -> Iterator[Change]:
    before = {one.name: one for one in old}
    after = {one.name: one for one in new}
    noun = {"medicines": "药", "family": "联系人", "services": "可以约的服务"}[kind]
    for name, one in before.items():
        if name in after:
            yield from (Change(kind, name, what) for what in differences(one, after[name]))
        elif (kind, name) in ended:
            yield Change(kind, name, f"把{call(one)}从{noun}里去掉了")
        elif not (isinstance(one, Medicine) and one.stopped):
            yield Change(kind, name, f"从文件里删掉了{call(one)}", vanished=True)
    for name, one in after.items():
        if name not in before:
            extra = _taken(one) if isinstance(one, Medicine) else ""
            yield Change(kind, name, f"加了{noun}：{call(one)}{extra}")


def _taken(medicine: Medicine) -> str:
    when = saying.recurrence(medicine.schedule) if medicine.schedule else "需要时才吃"
    return f"，{when}，一次{medicine.dose.removeprefix('一次')}"


def _elder(old: Household, new: Household) -> Iterator[Change]:
    said = {
        "name": f"把老人的名字改成了{new.elder.name}", "call": f"让我叫您{new.elder.call}", "accent": "改了口音",
        "address": "改了家里的地址", "access": "改了进门的办法", "conditions": "改了病史",
    }  # fmt: skip
    for name, what in said.items():
        if getattr(old.elder, name) != getattr(new.elder, name):
            yield Change("elder", name, what)


def _medicine(old: Medicine, new: Medicine) -> Iterator[str]:
    name = called(new)
    if new.schedule != old.schedule:
        yield f"把{name}的时间改成了{saying.recurrence(new.schedule) if new.schedule else '需要时才吃'}"
    if new.dose != old.dose:
        yield f"把{name}的剂量从{old.dose}改成了{new.dose}"
    if new.note != old.note:
        yield f"把{name}的说明改成了{new.note}" if new.note else f"去掉了{name}的说明"
    if new.stopped != old.stopped:
        if new.stopped:
            yield f"把{name}停了，吃到{saying.number(new.stopped.month)}月{saying.number(new.stopped.day)}号为止"
        else:
            yield f"又让吃{name}了"
    if new.started != old.started:
        day = new.started
        yield f"让{name}从{saying.number(day.month)}月{saying.number(day.day)}号开始吃" if day else f"去掉了{name}开始的日子"
    if new.stock != old.stock:
        yield f"把{name}的库存改成了{saying.number(new.stock)}" if new.stock is not None else f"不再数{name}的库存"
    if new.critical != old.critical:
        yield f"把{name}{'标成' if new.critical else '改成不是'}一定要按时吃的药"
    if (new.aka, new.looks) != (old.aka, old.looks):
        yield f"改了{name}的叫法或者样子"
    rules = ["pack", "min_gap", "late_limit", "max_per_day"]
    if new.dose == old.dose and new.schedule == old.schedule:
        rules.append("units")
    else:
        rules.remove("min_gap")  # Both usually follow from the dose and the times, which have been told.
    if any(getattr(new, rule) != getattr(old, rule) for rule in rules):
        yield f"改了{name}怎么吃的规矩"


def _contact(old: Contact, new: Contact) -> Iterator[str]:
    who = _person(new)
    if new.phone != old.phone:
        yield f"改了{who}的电话" if new.phone else f"去掉了{who}的电话"
    if (new.relation, new.nicknames) != (old.relation, old.nicknames):
        yield f"改了{who}的叫法"
    if new.notify != old.notify:
        yield f"改了给{who}发消息的办法" if new.notify else f"不再给{who}发消息"
    if new.order != old.order:
        yield f"改了紧急时找{who}的顺序"
    if new.recordings != old.recordings:
        yield f"{'同意' if new.recordings else '不再'}把您的录音发给{who}"
    if new.room != old.room:
        yield f"改了和{who}视频的房间"


def _service(old: Service, new: Service) -> Iterator[str]:
    if new.hours != old.hours:
        yield f"改了{new.name}能约的时间"
    if new.notice != old.notice:
        yield f"把{new.name}改成要提前{saying.length(new.notice)}约" if new.notice else f"把{new.name}改成不用提前约"
    if new.notify != old.notify:
        yield f"改了通知{new.name}的办法"
    if new.aka != old.aka:
        yield f"改了{new.name}的叫法"


def _reminders(old: Household, new: Household, ended: frozenset[tuple[str, str]]) -> Iterator[Change]:
    """By what is to be done; one thing may have several times."""

    def by_what(home: Household) -> dict[str, list[str]]:
        grouped: dict[str, list[str]] = {}
        for one in home.reminders:
            grouped.setdefault(one.what, []).append(saying.recurrence(one.schedule))
        return grouped

    before, after = by_what(old), by_what(new)
    for what, times in before.items():
        if what not in after:
            gone = ("reminders", what) not in ended
            yield Change("reminders", what, f"{'从文件里删掉了' if gone else '去掉了'}{what}的提醒", vanished=gone)
        elif sorted(times) != sorted(after[what]):
            yield Change("reminders", what, f"把{what}的提醒改成了{saying.listing(after[what])}")
    for what, times in after.items():
        if what not in before:
            yield Change("reminders", what, f"加了提醒：{saying.listing(times)}，{what}")


def _channels(old: Household, new: Household) -> Iterator[Change]:
    before = {one.name: one.url for one in old.channels}
    after = {one.name: one.url for one in new.channels}
    for name in [*before, *(name for name in after if name not in before)]:
        if before.get(name) != after.get(name):
            did = "加了" if name not in before else "去掉了" if name not in after else "改了"
            yield Change("channels", name, f"{did}一个送消息的办法：{name}")


def _settings(old: Household, new: Household) -> Iterator[Change]:
    times = {
        "checkin": "报平安", "digest": "发小结", "breakfast": "早饭", "lunch": "午饭", "supper": "晚饭", "bedtime": "睡觉",
    }  # fmt: skip
    for name, noun in times.items():
        at = getattr(new.care, name)
        if at != getattr(old.care, name):
            yield Change("care", name, f"把{noun}的时间改成了{saying.clock(at)}" if at else f"去掉了每天的{noun}")
    if new.care.names_medicines != old.care.names_medicines:
        yield Change("care", "names_medicines", f"{'同意' if new.care.names_medicines else '不再'}在给家里的消息里写药名")
    if new.care.checkin_alarm != old.care.checkin_alarm:
        yield Change("care", "checkin_alarm", "改了报平安没人应的时候：" + ("问了您还不应，就叫人" if new.care.checkin_alarm else "只给家里留个话"))
    if new.care.doubts != old.care.doubts:
        yield Change("care", "doubts", "电视开着的时候听见喊救命，" + ("先问一声是不是您" if new.care.doubts else "马上就叫人"))
    if new.care.ranges != old.care.ranges:
        yield Change("care", "ranges", "改了血压血糖这些的正常范围")
    if (new.care.heartbeat, new.care.daily_beat) != (old.care.heartbeat, old.care.daily_beat):
        yield Change("care", "heartbeat", "改了报告机器正常的地址")
    if new.care.answers != old.care.answers:
        yield Change("care", "answers", "改了家里人点回应的网页")
    if (new.care.sensors, new.care.sensor_topic, new.care.help_key) != (old.care.sensors, old.care.sensor_topic, old.care.help_key):
        yield Change("care", "sensors", "改了求助键和感应器")
    if new.voice.name != old.voice.name:
        yield Change("voice", "name", f"把我的声音换成了{new.voice.name}")
    if new.voice.volume != old.voice.volume:
        yield Change("voice", "volume", f"把音量改成了{saying.number(new.voice.volume)}")
    if new.wake_words != old.wake_words:
        yield Change("wake_words", "wake_words", f"把叫我的话改成了{saying.listing(new.wake_words)}")
    if new.room != old.room:
        yield Change("room", "room", "改了视频房间")
    if new.timezone != old.timezone:
        yield Change("timezone", "timezone", "改了时区")


# --- keeping ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kept:
    """The household in force, and what must be said about the file."""

    household: Household
    changes: tuple[Change, ...] = ()
    """Since the last file that was kept; empty on the first."""
    mistakes: tuple[Mistake, ...] = ()
    """Why the file on disk is not the one in force; empty when it is."""
    warnings: tuple[Mistake, ...] = ()
    papers: Papers | None = field(default=None, repr=False)
    """What to keep as the last good file; None when the last good one is in force."""
    seen: Fingerprint | None = field(default=None, repr=False, compare=False)
    """What it was read from; None where that changed meanwhile."""
    lived_with: tuple[Mistake, ...] = ()
    """What the file in force breaks of rules that are younger than it; each with what is done meanwhile."""

    @property
    def stale(self) -> bool:
        """Whether an earlier file is in force because the one on disk has mistakes."""
        return bool(self.mistakes)


@dataclass(frozen=True, slots=True)
class _Values:
    """What a start needs of a file that has been read before."""

    household: Household
    warnings: tuple[Mistake, ...]
    lived_with: tuple[Mistake, ...]


class Keeper:
    """Reads the family's file, and falls back on the last good one, which it keeps under `data` (0600)."""

    def __init__(self, path: Path, data: Path, secrets: Path | None = None) -> None:
        self.path = path
        self.secrets = secrets
        self.copy = data / LAST_GOOD
        self._values = data / VALUES

    def load(self) -> Kept:
        """The file on disk if it is valid and nothing vanished from it, else the last good one with the mistakes.

        A text that was taken before is valid as far as it can be lived with: an update may not leave her without care.
        Call `keep` with the result once its changes are safely on their way to the elder. Raises HouseholdError if
        there is no good file at all.
        """
        seen = fingerprint(self.path)
        if (known := self._known(seen)) is not None:
            return known
        from assistant import household as files

        last = self.last()
        try:
            papers = files.papers(self.path, self.secrets)
            new = papers.loaded(known=last is not None and papers.text == last[0].text)
            same = seen if fingerprint(self.path) == seen else None
            if last is None:
                return Kept(new.household, (), (), new.warnings, papers, same, new.lived_with)
            before, old = last
            found = changes(old.household, new.household, new.retired)
            mistakes = tuple(refusals(before.text, papers.text, found))
        except InvalidHousehold as error:
            if last is None:
                raise
            return Kept(last[1].household, (), error.mistakes, lived_with=last[1].lived_with)
        if mistakes:
            return Kept(old.household, (), mistakes, lived_with=old.lived_with)
        return Kept(new.household, tuple(found), (), new.warnings, papers, same, new.lived_with)

    def last(self) -> tuple[Papers, Loaded] | None:
        """The last good file, or None if there is none that can still be used."""
        from assistant.household import Papers

        try:
            stored = json.loads(self.copy.read_text("utf-8"))
            papers = Papers(stored["text"], stored["secrets"], stored["secrets_file"])
            if stored["sha256"] != _digest(papers):
                raise ValueError("checksum")
            return papers, papers.loaded(known=True)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, HouseholdError) as error:
            log.warning("the last good household file cannot be used: %s", type(error).__name__)
            return None

    def keep(self, kept: Kept) -> None:
        """Remember the file of `kept` as the last good one: whole or not at all, readable by its owner alone.

        Raises OSError if it cannot be written; the household is good all the same.
        """
        if kept.papers is None:
            return
        papers = kept.papers
        stored = {
            "text": papers.text, "secrets": dict(papers.secrets), "secrets_file": papers.secrets_file,
            "sha256": _digest(papers),
        }  # fmt: skip
        self.copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        half = self.copy.with_suffix(".new")
        half.unlink(missing_ok=True)
        try:
            with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump(stored, file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            os.replace(half, self.copy)
        except OSError:
            half.unlink(missing_ok=True)
            raise
        folder = os.open(self.copy.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        if of := self._key(kept.seen):
            frozen.remember(self._values, _Values, of, _Values(kept.household, kept.warnings, kept.lived_with))

    def _known(self, seen: Fingerprint) -> Kept | None:
        """What the file says where nothing has changed since it was kept: neither it, nor the copy, nor the program."""
        of = self._key(seen)
        known = frozen.recalled(self._values, _Values, of) if of else None
        return Kept(known.household, warnings=known.warnings, lived_with=known.lived_with) if known else None

    def _key(self, seen: Fingerprint | None) -> str:
        """Of all that the values depend on; empty where they may not be kept."""
        if seen is None or seen[0] is None or self.secrets is not None:
            return ""
        read = [one and (hashlib.sha256(one[0]).hexdigest(), one[1]) for one in seen]
        try:
            copy = hashlib.sha256(self.copy.read_bytes()).hexdigest()
        except OSError:
            return ""
        here = Path(__file__).resolve().parent
        return _sha256(json.dumps([read, copy, frozen.digest(here, here / "understand")]))


def _digest(papers: Papers) -> str:
    whole = json.dumps([papers.text, dict(papers.secrets), papers.secrets_file], ensure_ascii=False, sort_keys=True)
    return _sha256(whole)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def refusals(old: str, new: str, found: Sequence[Change]) -> Iterator[Mistake]:
    """Why a valid new text is not taken: something merely vanished, or it is the old one cut off.

    A YAML file cut at a random byte is valid 4 times out of 10, with other data.
    """
    if found and len(new.rstrip()) < len(old.rstrip()) and old.startswith(new.rstrip()):
        yield Mistake(
            new.rstrip().count("\n") + 1,
            "文件好像只存了一半：和上次的一样，到这里就断了",
            "重新存一遍；如果后面的真是您删的，在最后另起一行写 # 完",
            least="文件好像只存了一半",
        )
    for change in found:
        if change.vanished:
            noun, ending = VANISHING[change.kind]
            yield Mistake(
                0,
                f"上次还有的{noun}「{change.name}」不见了，是不小心删掉的吗",
                f"把它补回来；如果真的不要了，那一项先留着，加上 {ending}",
                least="上次还有的一种药不见了，是不小心删掉的吗" if change.kind == "medicines" else "",
            )


# --- watching -----------------------------------------------------------------------------------------------------


def watch(
    path: Path,
    on_change: Callable[[], None],
    stop: threading.Event,
    settle: float = SETTLE,
    since: Fingerprint | None = None,
) -> None:
    """Call `on_change` in this thread after each save of the file or its secrets, until `stop` is set.

    The folder is watched, not the file, which is another file after every atomic save. Several saves in a row and a
    file written in pieces are one change: it is told when the bytes have stayed the same for `settle` seconds.
    `since`: the fingerprint taken before the file was loaded, so that a save in between is not missed.
    """
    told = since if since is not None else fingerprint(path)
    looks = watch_folder(
        path.parent, watch_filter=lambda _, name: Path(name).name in (path.name, *SECRET_FILES),
        debounce=200, step=50, rust_timeout=int(LOOK * 1000), yield_on_timeout=True, stop_event=stop,
        recursive=False, raise_interrupt=False,
    )  # fmt: skip
    for _ in chain([set()], looks):
        seen = fingerprint(path)
        while seen != told and not stop.wait(settle):
            before, seen = seen, fingerprint(path)
            if seen == before:
                told = seen
                on_change()


Fingerprint = tuple[tuple[bytes, int] | None, ...]


def fingerprint(path: Path) -> Fingerprint:
    """The bytes and modes of the file and its secrets; None where there is none."""
    found: list[tuple[bytes, int] | None] = []
    for one in (path, *(path.parent / name for name in SECRET_FILES)):
        try:
            found.append((one.read_bytes()[: LARGEST + 1], one.stat().st_mode))
        except OSError:
            found.append(None)
    return tuple(found)


def listed(mistakes: Iterable[Mistake]) -> str:
    """Tells one list of mistakes from another."""
    return _sha256("\n".join(map(str, mistakes)))


def digest(seen: Fingerprint) -> str:
    """Tells one content of the files from another."""
    return _sha256(repr([one and (hashlib.sha256(one[0]).hexdigest(), one[1]) for one in seen]))
