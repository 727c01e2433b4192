"""Tomorrow's sentences, found by living tomorrow once on a virtual clock: what will be said can then be rendered ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


STEP = timedelta(minutes=1)


def said(household: Household, now: datetime, gone: Callable[[], bool] = lambda: False) -> Iterator[str]:
    """Every sentence 小伴 would say by itself, in the order in which it must be ready.

    An alarm first (never synthesised when it matters), then the next two hours, then the coming day. Ends early once
    `gone` says that nobody waits for it any more.
    """
    known: set[str] = set()
    for text in (*will_say(household), *_day(household, now, NEXT, gone), *_alarm(household, now, gone), *_day(household, now, DAY, gone)):
        if text not in known:
            known.add(text)
            yield text


def _alarm(household: Household, now: datetime, gone: Callable[[], bool]) -> Iterator[str]:
    for network, answers in ((True, {}), (False, {}), (True, {c.name: "coming" for c in household.ladder[:1]})):
        if gone():
            return
        stage = Stage(dialogue(household, forgetful_store()), VirtualClock(now))
        stage.people.network = network
        stage.people.answers.update(answers)
        stage.tell(Started())
        stage.tell(Pressed("help"))
        _live(stage, now + ALARM, gone)
        yield from _spoken(stage)


def _day(household: Household, now: datetime, length: timedelta, gone: Callable[[], bool]) -> Iterator[str]:
    stage = Stage(dialogue(household, forgetful_store()), VirtualClock(now))
    stage.tell(Started())
    _live(stage, now + length, gone)
    yield from _spoken(stage)


def _live(stage: Stage, end: datetime, gone: Callable[[], bool]) -> None:
    while stage.clock.now < end and not gone():
        stage.run(min(end, stage.clock.now + STEP))


def _spoken(stage: Stage) -> Iterator[str]:
    yield from (h.text for h in stage.happened if h.who == "xiaoban" and h.kind in ("said", "asked"))
