"""What time and what day it is, also by the moon."""

from __future__ import annotations

from assistant import saying
from assistant.messages import Conversation, Meaning, Say
from assistant.skills.skill import Skill, Turn
from assistant.when import lunar_day

skill = Skill("info")


@skill.on("info.time")
def tell_time(turn: Turn, meaning: Meaning) -> Conversation:
    """现在几点了."""
    key = "time" if turn.trusted else "time_unsure"
    if not turn.trusted:
        turn.doubt()
    yield Say(turn.reply(key, time=saying.clock(turn.now)))


@skill.on("info.date")
def tell_date(turn: Turn, meaning: Meaning) -> Conversation:
    """今天几号，礼拜几；老人常按农历过日子."""
    today = turn.now.date()
    key = "date" if turn.trusted else "date_unsure"
    if not turn.trusted:
        turn.doubt()
    yield Say(turn.reply(
        key, month=saying.number(today.month), day=saying.number(today.day),
        weekday="一二三四五六日"[today.weekday()], lunar=lunar_day(today),
    ))
