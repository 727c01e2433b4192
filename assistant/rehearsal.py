"""Tomorrow's sentences, found by living tomorrow once on a virtual clock: what will be said can then be rendered ahead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from assistant.care.incident import will_say
from assistant.clock import VirtualClock
from assistant.furnish import dialogue, forgetful_store
from assistant.home import Household
from assistant.messages import Pressed, Started
from assistant.stage import Stage

DAY = timedelta(hours=25)
ALARM = timedelta(minutes=20)
NEXT = timedelta(hours=2)


def said(household: Household, now: datetime) -> list[str]:
    """Every sentence 小伴 would say by itself: an alarm first (never synthesised when it matters), then the coming day."""
    return list(dict.fromkeys([*_alarm(household, now), *_day(household, now)]))


def said_soon(household: Household, now: datetime) -> list[str]:
    """The same of the next two hours only: what must be rendered first."""
    return list(dict.fromkeys([*_alarm(household, now), *_day(household, now, NEXT)]))


def _alarm(household: Household, now: datetime) -> Iterator[str]:
    yield from will_say(household)
    for network, answers in ((True, {}), (False, {}), (True, {c.name: "coming" for c in household.ladder[:1]})):
        stage = Stage(dialogue(household, forgetful_store()), VirtualClock(now))
        stage.people.network = network
        stage.people.answers.update(answers)
        stage.tell(Started())
        stage.tell(Pressed("help"))
        stage.run(now + ALARM)
        yield from _spoken(stage)


def _day(household: Household, now: datetime, length: timedelta = DAY) -> Iterator[str]:
    stage = Stage(dialogue(household, forgetful_store()), VirtualClock(now))
    stage.tell(Started())
    stage.run(now + length)
    yield from _spoken(stage)


def _spoken(stage: Stage) -> Iterator[str]:
    yield from (h.text for h in stage.happened if h.who == "xiaoban" and h.kind in ("said", "asked"))
