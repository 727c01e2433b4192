"""Once a day every way out of the house is tried silently; what stays dead for two days is told over what works."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlite_utils import Database, Migrations

from assistant.care import message
from assistant.home import Contact, Household
from assistant.messages import Delivered
from assistant.store import Store

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
    """Post a silent message for every channel somebody is reached by; returns their ids."""
    names = dict.fromkeys(
        name
        for names in (*(c.notify for c in household.family), *(s.notify for s in household.services))
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


def dead(store: Store) -> list[tuple[str, str]]:
    """(channel, detail) of every channel whose last test failed: for the digest and for `doctor`."""
    return [(row["name"], row["detail"]) for row in store.find("channel", "ok = 0")]


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
