"""Looks at every part of the house and says in plain words what is wrong and what to do."""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TextIO
from urllib.parse import urlsplit

from assistant import places
from assistant.care import SCHEMAS, message, selftest
from assistant.catalogue import verify
from assistant.check import in_force, until
from assistant.clock import SystemClock
from assistant.errors import HouseholdError, NoLoudspeaker, NoMicrophone, XiaobanError
from assistant.furnish import voice
from assistant.home import Channel, Household
from assistant.household import load
from assistant.listen.frames import loudness
from assistant.listen.microphone import MicrophoneFrames
from assistant.messages import UNPROBED, Delivered, Notify
from assistant.notify.heartbeat import BEATS, GOOD, NOTED
from assistant.notify.notifier import Notifier, rings
from assistant.notify.telephone import logs_in, registered
from assistant.notify.web import listens, reach
from assistant.sensors import Topic
from assistant.speak.player import Loudspeaker
from assistant.store import Store, moment

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
    """Print a line a part, of the household in force. Returns 0 if all is well, 1 if something is not."""
    household, file = _file(path, data)
    print(file, file=out)
    sick = not file.well
    for look in LOOKS:
        for finding in look(household, data):
            print(finding, file=out, flush=True)
            sick = sick or not finding.well
    return int(sick)


def _file(path: Path, data: Path) -> tuple[Household | None, Finding]:
    """The household that is in force with this file, and how the file is."""
    try:
        return load(path), Finding("家庭文件", True, str(path))
    except HouseholdError as error:
        kept = in_force(path, data)
        return kept.household if kept is not None else None, Finding("家庭文件", False, f"{error}\n{until(kept)}")


def _models(household: Household | None, data: Path) -> Iterator[Finding]:
    faults = verify(places.models_dir(), deep=True)
    yield Finding("模型和声音", not faults, "；".join(faults) + "。" if faults else "都在，一个字节也不差")


def _voice(household: Household | None, data: Path) -> Iterator[Finding]:
    if household is not None:
        choice = voice(household.voice)
        whole = choice.card.engine == "espeak" or choice.engine is not choice.spare
        yield Finding("说话", whole, choice.why)


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
    if not here.is_dir():
        yield Finding("磁盘", False, f"{here} 不是一个目录，账本没有地方放。--data 后面要写一个目录。")
        return
    free = shutil.disk_usage(here).free // 2**20
    writable = os.access(here, os.W_OK)
    said = f"还有 {free} MB" if writable else f"{here} 写不进去，请检查权限"
    yield Finding("磁盘", writable and free >= ROOM, said + ("" if free >= ROOM else "，太少了，请清理"))


def _ledger(household: Household | None, data: Path) -> Iterator[Finding]:
    path = data / places.LEDGER
    try:
        store = Store.copied(path, SCHEMAS)
        broken = list(store.verify())
    except (XiaobanError, sqlite3.DatabaseError) as error:
        yield Finding("账本", False, str(error))
        return
    if not path.exists() and not store.note:
        yield Finding("账本", True, "还没有，第一次运行时会建")
        return
    said = store.note or (f"{len(broken)} 行坏了，小伴读到时会隔开不用，并告诉家人；用 {places.command('report')} 核对" if broken else "每一行都对得上")
    yield Finding("账本", not broken and not store.note, said)
    store.close()


WHY: tuple[tuple[str, str], ...] = (
    ("certificate has expired", "对方的证书过期了，请对方换新的"), ("not yet valid", "对方的证书还没有生效，也看看这台机器的时钟准不准"),
    ("certificate", "证书对不上，可能有人冒充对方，没有发"), ("ssl", "加密连不上，没有发"),
    ("captive portal", "网络要先登录（跳出来的是网页），请在路由器或网页上登录"), ("redirect", "被转到别的地址去了，可能网络要先登录"),
    ("refused", "对方不收，看看地址和密码"), ("reset", "对方把连接断了"), ("http 401", "密码或者密钥不对"), ("http 403", "密码或者密钥不对"),
    ("http 404", "地址不对"), ("http 5", "对方的机器有毛病，过会儿再试"), ("name", "找不到这个地址，看看网络通不通、地址对不对"),
    ("unreachable", "网络不通"), ("timed out", "等了很久没有回音"), ("not an address", "地址写错了，读不懂"),
    (UNPROBED, "只有真发一条才知道，咱们演习一回就行"), ("401", "账号或者密码不对"), ("403", "账号或者密码不对"), ("no answer", "对方没有回音"),
)
"""What a channel says of a try → what the family reads; the first part that is found counts."""

PROBE = 12.0
"""Seconds until every channel has answered its silent test, or never will."""


def plainly(detail: str) -> str:
    """Why it did not work, in plain Chinese."""
    return next((said for part, said in WHY if part in detail.lower()), f"没有成（{detail or '没有说为什么'}）")


def _channels(household: Household | None, data: Path) -> Iterator[Finding]:
    """Every channel as far as one can go without anybody noticing, all at once."""
    if household is None:
        return
    notifier = Notifier(household)
    troubles = dict(notifier.check())
    tried: queue.SimpleQueue[Delivered] = queue.SimpleQueue()
    silent = [one for one in household.channels if one.name not in troubles and not rings(one.url)]
    for number, one in enumerate(silent):
        notifier.send(Notify(number, f"doctor-{number}", "", one.name, "", "", urgent=True), lambda event: _keep(tried, event))
    results: dict[str, Delivered] = {}
    end = monotonic() + PROBE
    while len(results) < len(silent) and monotonic() < end:
        with contextlib.suppress(queue.Empty):
            delivered = tried.get(timeout=max(0.0, end - monotonic()))
            results[silent[delivered.message].name] = delivered
    for one in household.channels:
        yield _channel(one, troubles.get(one.name, ""), results.get(one.name))
    for contact in household.ladder:
        if not contact.notify and not contact.phone:
            yield Finding(f"家人 {contact.name}", False, "没有电话也没有通知，出了事找不到。请在家庭文件里补上。")
        elif not contact.notify and message.telephone(household) is None:
            yield Finding(f"家人 {contact.name}", False, "只有电话，可是没有网络电话账号，出了事打不出去。请在 通知 里加上 sip: 账号。")
    notifier.close()


def _channel(one: Channel, trouble: str, tried: Delivered | None) -> Finding:
    what = f"通知 {one.name}"
    if trouble:
        return Finding(what, False, trouble)
    if rings(one.url):
        if not logs_in(one.url):
            return _not_tried(what, one.url)
        said = registered(one.url)
        return Finding(what, not said, f"账号登不上：{plainly(said)}" if said else "电话装好了；号码对不对，咱们演习一回就知道")
    if tried is None:
        return Finding(what, False, plainly("timed out"))
    unknown = UNPROBED in tried.detail
    return Finding(what, tried.ok or unknown, "通" if tried.ok else plainly(tried.detail))


def _not_tried(what: str, url: str) -> Finding:
    """A telephone's account with which nobody logs in: nothing is known of it without ringing."""
    if "register=" in url:
        return Finding(what, True, "照您写的不登录（register=no），没有试过；打不打得通，咱们演习一回就知道")
    return Finding(what, False, "账号没有写密码，登录没有试过，多半打不出去。密码写在 秘密.yaml 里；不要密码的，在地址后面加上 ?register=no")


def _keep(tried: queue.SimpleQueue[Delivered], event: object) -> None:
    if isinstance(event, Delivered):
        tried.put(event)


DRILL_EVERY = timedelta(days=31)
"""CARE 4: a drill a month."""


def _history(household: Household | None, data: Path) -> Iterator[Finding]:
    """What the daily silent tests and the last drill have shown."""
    path = data / places.LEDGER
    if household is None or not path.exists():
        return
    try:
        store = Store.copied(path, SCHEMAS)
    except (XiaobanError, sqlite3.DatabaseError):
        return  # told with the ledger
    tested, drill = selftest.tested(store, household), selftest.last_drill(store, household)
    store.close()
    dead = [f"{one.name} {one.days} 天了，{plainly(one.detail)}" for one in tested if not one.ok]
    last = max((f"最近一次 {one.at:%Y-%m-%d %H:%M}" for one in tested), default="还没有做过，开着机每天上午自己会做")
    yield Finding("每天自检", not dead, last + (f"，试不通：{'；'.join(dead)}" if dead else "，都通" if tested else ""))
    again = "说一声“咱们演习一回”，看看叫不叫得到人。"
    if drill is None:
        yield Finding("演习", True, f"还没有演习过。{again}")
        return
    old = SystemClock(household.zone).wall() - drill.at > DRILL_EVERY
    yield Finding("演习", drill.well, str(drill) + (f"。一个多月了，{again}" if old else ""))


def _beats(household: Household | None, data: Path) -> Iterator[Finding]:
    """The beats to the family: what became of the last one, and whether it is too long ago. No beat is sent from here."""
    if household is None:
        return
    now = SystemClock(household.zone).wall()
    for name, every, address in BEATS:
        if url := address(household.care):
            yield _beat(name, url, every, _last_beat(data, name), now)


def _last_beat(data: Path, name: str) -> str:
    if not (data / places.LEDGER).exists():
        return ""
    try:
        with contextlib.closing(Store.copied(data / places.LEDGER, SCHEMAS)) as store:
            return store.setting(NOTED + name)
    except (XiaobanError, sqlite3.DatabaseError):
        return ""  # the ledger's own finding tells of it


def _beat(name: str, url: str, every: float, last: str, now: datetime) -> Finding:
    if not last:
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        reached = reach(parts.hostname or "", parts.port or (443 if tls else 80), tls=tls, seconds=JOIN)
        said = "连得上，小伴运行起来就报" if reached.ok else f"连不上：{plainly(reached.detail)}"
        return Finding(name, reached.ok, f"还没有报过平安；{said}")
    at, _, became = last.partition(" ")
    when = f"{moment(at).astimezone(now.tzinfo):%m月%d日 %H:%M}"
    if became != GOOD:
        return Finding(name, False, f"{when} 没报成：{plainly(became)}")
    if (now - moment(at)).total_seconds() > 2 * every:
        return Finding(name, False, f"{when} 以后再没有报过：小伴没有在运行，或者听不见了，请重新启动")
    return Finding(name, True, f"{when} 报过平安")


def _doors(household: Household | None, data: Path) -> Iterator[Finding]:
    """What the family opened besides the ear."""
    if household is None:
        return
    care = household.care
    if care.answers:
        yield _port("回应网页", urlsplit(care.answers).port or 80)
    if care.sensors:
        yield _port("感应器", care.sensors)
    if care.sensor_topic:
        yield _topic(care.sensor_topic)
    if care.help_key:
        yield _help_key(Path(care.help_key))


def _port(what: str, port: int) -> Finding:
    """Free, or ours already."""
    try:
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", port))
        return Finding(what, True, f"端口 {port} 可以用")
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return Finding(what, False, f"端口 {port} 打不开（{error.strerror}），请换一个 1024 以上的")
    ours = listens(port)
    return Finding(what, ours, f"小伴正在用端口 {port}" if ours else f"端口 {port} 被别的程序占了，请在家庭文件里换一个")


def _topic(url: str) -> Finding:
    try:
        topic = Topic(url, lambda _event: None)
    except ValueError:
        return Finding("感应器主题", False, "地址写错了，应该像 mqtt://192.168.1.5/home/xiaoban")
    joined = topic.subscriber.joined.wait(JOIN)
    topic.close()
    return Finding("感应器主题", joined, "听得到" if joined else "连不上 MQTT：看看地址、用户名和密码，还有对方开着没有")


def _help_key(device: Path) -> Finding:
    if not device.exists():
        return Finding("求助键", False, f"没有插着：{device}。插上再看；名字变了就改家庭文件。")
    if not os.access(device, os.R_OK):
        return Finding("求助键", False, "读不了。请运行 sudo usermod -aG input $USER，然后重新登录。")
    return Finding("求助键", True, "插着，读得到；请按一下听听有没有反应")


JOIN = 5.0
"""Seconds an MQTT broker is given."""

LOOKS: tuple[Callable[[Household | None, Path], Iterator[Finding]], ...] = (
    _models, _voice, _microphone, _loudspeaker, _clock, _disk, _ledger, _channels, _history, _beats, _doors,
)
"""A new part to look at is a function and a place here."""
