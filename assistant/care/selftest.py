"""Once a day every way out of the house is tried silently; what stays dead for two days is told over what works.

What these tests and the last drill have shown is kept for the evening's digest and for `doctor`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlite_utils import Database, Migrations

from assistant.care import incident, message
from assistant.home import Contact, Household
from assistant.messages import UNPROBED, Delivered
from assistant.store import Store, moment

PURPOSE = "selftest"
AT = time(10, 15)
"""Local time: routers have been restarted by then, and somebody who is told is awake."""
PATIENCE = 2
"""Days in a row a channel must fail before the family is told: one evening without internet is no news."""

selftests = Migrations("selftest")


@selftests()
def selftest_and_channel(db: Database) -> None:
    db.execute("CREATE TABLE selftest (id INTEGER PRIMARY KEY, wake_at TEXT, crc INTEGER NOT NULL DEFAULT 0)")
    db.execute(
        "CREATE TABLE channel (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, ok INTEGER NOT NULL, days INTEGER NOT NULL,"
        " at TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '', crc INTEGER NOT NULL DEFAULT 0)"
    )


def plan(store: Store, now: datetime) -> None:
    """The next test, if none is planned."""
    if store.count("selftest") == 0:
        store.insert("selftest", wake_at=_next(now))


def begin(store: Store, now: datetime, household: Household, number: int) -> list[int]:
    """Post a silent message for every channel somebody is reached by, the telephone too; returns their ids."""
    line = message.telephone(household)
    rings = (line.name,) if line is not None and incident.callable_contacts(household) else ()
    names = dict.fromkeys(
        name
        for names in (*(c.notify for c in household.family), *(s.notify for s in household.services), rings)
        for name in names
        if household.channel(name) is not None
    )
    with store.atomic():
        store.update("selftest", number, wake_at=_next(now))
        return [
            message.post(
                store, now, purpose=PURPOSE, person="", channels=(name,), title="", body="",
                key=f"p-{now:%Y%m%d}-{name}", life=timedelta(minutes=10),
            )
            for name in names
        ]


def result(store: Store, now: datetime, household: Household, number: int, event: Delivered) -> None:
    """One channel has answered or not. Tells the family, once, of one that has been dead for `PATIENCE` days."""
    tested = message.get(store, number)
    if tested is None or not tested.channels:
        return
    name = tested.channels[0]
    with store.atomic():
        if not event.ok:
            message.withdraw_one(store, number)
        rows = store.find("channel", "name = ?", name)
        if UNPROBED in event.detail:
            for row in rows:
                store.delete("channel", int(row["id"]))
            return
        before = int(rows[0]["days"]) if rows and bool(rows[0]["ok"]) == event.ok else 0
        values = {"ok": int(event.ok), "days": before + 1, "at": now, "detail": event.detail[:120]}
        if rows:
            store.update("channel", int(rows[0]["id"]), **values)
        else:
            store.insert("channel", name=name, **values)
        store.note_down(now, "channel.ok" if event.ok else "channel.dead", number, name)
        # With nothing at all working it is the network, and there is nothing to tell it over.
        if not event.ok and before + 1 == PATIENCE and store.count("channel", "ok = 1") > 0:
            _tell(store, now, household, name)


@dataclass(frozen=True, slots=True)
class Tested:
    """What the daily test knows of one channel."""

    name: str
    ok: bool
    days: int
    """For so many days in a row."""
    at: datetime
    """Of the last test."""
    detail: str


def tested(store: Store, household: Household) -> list[Tested]:
    """Every channel the household still has and that could be tried."""
    return [
        Tested(row["name"], bool(row["ok"]), row["days"], moment(row["at"]).astimezone(household.zone), row["detail"])
        for row in store.find("channel") if household.channel(row["name"]) is not None
    ]


@dataclass(frozen=True, slots=True)
class Drill:
    """What the last drill has shown."""

    at: datetime
    taken: str
    """Who took it; empty if nobody did."""
    told: tuple[str, ...]
    """Whom a message got out to."""
    missed: tuple[str, ...]
    """Whom none did, although they have a channel."""
    rung: tuple[str, ...]
    """Who was rung and did not press a key."""
    unrung: tuple[str, ...]
    """Whose calls did not get out of the house."""

    @property
    def well(self) -> bool:
        """Whether every way that was tried got out of the house."""
        return not self.missed and not self.unrung

    def __str__(self) -> str:
        """`11月22日 15:30 演习：消息发给了刘敏、刘强；没发出去：王建国；刘敏接手了`."""
        parts = [f"消息发给了{'、'.join(self.told)}"] if self.told else []
        parts += [f"没发出去：{'、'.join(self.missed)}"] if self.missed else []
        parts += [f"{self.taken}接手了"] if self.taken else []
        parts += [f"电话打了没接手：{'、'.join(self.rung)}"] if self.rung else []
        parts += [f"电话打不出去：{'、'.join(self.unrung)}"] if self.unrung else []
        return f"{self.at.month}月{self.at.day}日 {self.at:%H:%M} 演习：{'；'.join(parts) or '一个人也没有叫'}"


def last_drill(store: Store, household: Household) -> Drill | None:
    """The last drill that has come to its end, if there was one, from the rows of its messages and calls."""
    rows = store.find("incident", "drill = 1 AND ended_at IS NOT NULL", order="id DESC", limit=1)
    known = incident.get(store, int(rows[0]["id"])) if rows else None
    if known is None:
        return None
    truth = incident.status(store, household, known)
    missed = tuple(c.name for c in household.ladder if c.notify and c.name not in truth.told)
    return Drill(
        known.started.astimezone(household.zone), known.person, truth.told, missed,
        tuple(name for name in truth.rung if name != known.person), truth.unrung,
    )


def wrong_number(store: Store, now: datetime, household: Household, person: str) -> None:
    """The telephone company does not know this number: the others are told, once a day."""
    contact = household.contact(person)
    if contact is None or store.setting(f"wrong_number {person}") == f"{now:%Y-%m-%d}":
        return
    store.remember(f"wrong_number {person}", f"{now:%Y-%m-%d}")
    message.tell_family(
        store, now, household, purpose="note", title="有个电话号码打不通",
        body=f"家庭文件里{contact.relation}{contact.name}的电话号码，电话局说是空号。请改一改。",
    )


def _tell(store: Store, now: datetime, household: Household, name: str) -> None:
    """Over the channels that work: those of people who have another one than the dead."""
    alive = [c for c in message.audience(household) if any(channel != name for channel in c.notify)]
    for contact in alive:
        _post(store, now, contact, tuple(c for c in contact.notify if c != name), name)


def _post(store: Store, now: datetime, contact: Contact, channels: tuple[str, ...], name: str) -> None:
    message.post(
        store, now, purpose="note", person=contact.name, channels=channels, title="有个通知发不通",
        body=f"“{name}”已经两天试不通了，紧急的时候也会发不出去。请看看它的设置。", key=f"m-dead-{name}-{contact.name}-{now:%Y%m%d}",
    )


def _next(now: datetime) -> datetime:
    today = now.replace(hour=AT.hour, minute=AT.minute, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)
