"""Once a day 跟您报个平安, and in the evening the family's 平安小结."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta

from assistant.care import digest, dose, incident, message
from assistant.care.digest import Event, State
from assistant.home import Household
from assistant.messages import Acknowledged, Action, Ask, Conversation, Say
from assistant.skills.skill import NORMAL, Skill, Turn

skill = Skill("checkin")

CHECKIN = "checkin"
DIGEST = "digest"
"""Purposes of our messages in the outbox."""
UNWELL = (
    "不舒服", "难受", "疼", "痛", "晕", "闷", "没劲", "没力", "不好", "不行", "不咋", "不太", "摔", "喘", "恶心", "吐", "发烧", "咳", "睡不着", "没睡",
    "吃不下", "慌", "麻", "肿", "恼火", "造孽", "遭罪",
)
"""Words of not being well; heard wrongly they only bring a message too many, never one too few."""

_DENIED = re.compile(f"(没有|没啥|没什么|没得|没哪儿|没|不|不太|也不)({'|'.join(UNWELL)})")


def is_unwell(words: str) -> bool:
    """Whether an answer to 您今天怎么样 tells of not being well; 没啥不舒服 and 不疼 do not."""
    rest = _DENIED.sub("", words)
    return any(word in rest for word in UNWELL)


@skill.due("checkin", priority=NORMAL)
def due(turn: Turn, row: int) -> Conversation:
    """您今天怎么样: asked twice in twenty minutes, then the emergency asks 您还好吗 and calls for help; or the family is only told."""
    zone = turn.household.zone
    checkin = digest.get(turn.store, row, zone)
    if checkin is None or checkin.wake is None or checkin.wake > turn.now:
        return
    if turn.now - checkin.due >= digest.TOO_LATE and checkin.asks < digest.ASKS:
        with turn.store.atomic():
            digest.move(turn.store, turn.now, checkin, Event.LATE)
            digest.plan(turn.store, turn.household, turn.now)
        return
    if checkin.asks >= digest.ASKS:
        with turn.store.atomic():
            digest.move(turn.store, turn.now, checkin, Event.GIVE_UP)
            digest.plan(turn.store, turn.household, turn.now)
        if turn.household.care.checkin_alarm and incident.suspect(turn.store, turn.now, turn.household, CHECKIN) is not None:
            return  # 您还好吗 is asked by the incident's own row
        told = _tell(turn, CHECKIN, "family_silent", time=f"{checkin.due:%H:%M}")
        yield Say(turn.reply("silent_told" if told else "silent_alone"))
        return
    checkin = digest.move(turn.store, turn.now, checkin, Event.ASK, turn.now + digest.AGAIN, asks=checkin.asks + 1)
    # Any word is a sign of life; what is said in distress goes to the emergency skill by itself.
    answer = yield Ask(turn.reply("ask" if checkin.asks == 1 else "ask_again", greeting=_greeting(turn.now)),
                       asking="text", seconds=15.0, requests=True)
    if answer is None:
        return
    fresh = digest.get(turn.store, row, zone)
    if fresh is None or fresh.state is not State.ASKED:
        return
    words = str(answer.slots.get("message", answer.text))[:200]
    unwell = is_unwell(words)
    with turn.store.atomic():
        digest.move(turn.store, turn.now, fresh, Event.UNWELL if unwell else Event.FINE, words=words, at=turn.now)
        digest.plan(turn.store, turn.household, turn.now)
        told = unwell and _tell(turn, CHECKIN, "family_unwell", words=words[:60])
    yield Say(turn.reply("fine" if not unwell else "unwell_told" if told else "unwell"))


def _greeting(now: datetime) -> str:
    return "早上好" if now.time() < time(11) else "下午好" if now.time() < time(18) else "晚上好"


@skill.instant("digest")
def send(turn: Turn, row: int) -> Iterator[Action]:
    """One message to the family about the day; the next one is planned in the same transaction."""
    rows = turn.store.find("digest", "id = ?", row)
    with turn.store.atomic():
        if rows:
            day = datetime.fromisoformat(rows[0]["day"]).date()
            body = digest.text(digest.of(turn.store, turn.household, day, turn.now), turn.household)
            ids = message.tell_family(turn.store, turn.now, turn.household, purpose=DIGEST, title=turn.reply("digest_title"), body=body)
            turn.store.update("digest", row, wake_at=None, sent=len(ids))
            turn.store.note_down(turn.now, "digest.posted", row)
        digest.plan(turn.store, turn.household, turn.now)
    yield from ()


def _tell(turn: Turn, purpose: str, key: str, **words: object) -> bool:
    title, _, body = turn.reply(key, **words).partition("：")
    return bool(message.tell_family(turn.store, turn.now, turn.household, purpose=purpose, title=title, body=body))


@skill.acknowledged(DIGEST)
def seen(turn: Turn, row: int, answer: Acknowledged) -> Conversation:
    """The digest was read: what it told of need not be told again."""
    note = message.get(turn.store, row)
    until = note.created if note is not None else turn.now
    dose.saw(turn.store, turn.now, [
        d for d in dose.unseen(turn.store, turn.household.zone, turn.now) if d.told is not None and d.told <= until
    ])
    yield from ()


@skill.started
def started(turn: Turn) -> Conversation:
    """The next check-in and digest have their rows; one that is overdue is due by itself."""
    digest.plan(turn.store, turn.household, turn.now)
    yield from ()


@skill.household_changed
def changed(turn: Turn, before: Household) -> Conversation:
    """New times hold from now on."""
    digest.plan(turn.store, turn.household, turn.now)
    yield from ()


@skill.stepped
def stepped(turn: Turn, by: timedelta) -> None:
    """The second question keeps its distance; the next rows follow the new clock."""
    digest.shift(turn.store, by, turn.household.zone)
    digest.plan(turn.store, turn.household, turn.now)
