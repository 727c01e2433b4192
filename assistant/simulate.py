"""Years in minutes: seeded worlds over the real core, ledger and outbox, and what must never happen in them.

A world is an elder with habits, forgetfulness, illness and silence, a family that edits its file, power cuts, clock
steps and a network that fails. All chance comes from its seed, so every run can be repeated; a world that breaks a
rule is made smaller and its last days are written out as a play.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import multiprocessing
import random
import resource
import sys
import time as stopwatch
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from assistant.care import SCHEMAS, dose, message
from assistant.care.dose import Dose, State
from assistant.clock import VirtualClock
from assistant.converse import Dialogue
from assistant.furnish import phrasebook, understander
from assistant.home import Care, Channel, Contact, Elder, Household, Medicine, StandingReminder
from assistant.messages import (
    Acknowledged,
    Action,
    Ask,
    Asking,
    Call,
    ClockStepped,
    Delivered,
    DeviceFound,
    DeviceLost,
    Due,
    Event,
    Heard,
    HouseholdChanged,
    Hypothesis,
    Judgement,
    Notify,
    Silence,
    Spoken,
    Started,
)
from assistant.places import shipped
from assistant.replies import Replies
from assistant.stage import ANSWERS, People, Stage
from assistant.store import Store, moment
from assistant.when import Recurrence

ZONE = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 1, 5, 5, 0, tzinfo=ZONE)
TOLERANCE = timedelta(minutes=3)
"""How much later than its moment the family may be told: another talk has the floor that long at most."""
WORD = timedelta(minutes=2)
"""TAKEN rests on something said so shortly before."""
WORDS = frozenset({"medication.taken", "dialogue.yes", "dialogue.empty"})
"""What must have been meant by it."""

FINAL = frozenset(state.value for state in dose.FINAL)
"""What a dose ends in, as the log writes it."""

READ = ("request", "booking", "dose", "digest", "note")
"""Purposes of messages that the family answers with 看到了, as in a play."""

CONFUSIONS = (
    ("吃", "去"), ("吃", "持"), ("了", "来"), ("过", "个"), ("药", "要"), ("刚", "港"), ("完", "玩"), ("等", "灯"), ("会儿", "会"),
    ("没", "么"), ("不", "部"), ("记", "计"), ("清", "轻"), ("片", "骗"), ("呀", ""), ("啊", ""), ("嘛", ""), ("呢", ""),
)
"""What the recogniser makes of such words; the homophones it is known for, and particles it swallows."""

FAULTS = ("steps", "cuts", "network", "edits", "errors", "doubt")
"""What can be left out of a world to make a failing one smaller."""

MEDICINES = (
    Medicine("缬沙坦", ("降压药",), "粉色胶囊", "一粒", stock=60, pack=28),
    Medicine("二甲双胍", ("降糖药",), "白色大药片", "一片", note="跟饭一起"),
    Medicine("阿司匹林", ("小白片",), "白色小药片", "一片", critical=True, stock=30, pack=30),
    Medicine("阿托伐他汀", ("降脂药",), "椭圆药片", "一片"),
    Medicine("左旋多巴", ("抖药",), "黄色药片", "半片", critical=True, min_gap=timedelta(hours=3)),
    Medicine("碳酸钙", ("钙片",), "大圆片", "一片", note="嚼着吃"),
    Medicine("美托洛尔", ("护心药",), "蓝色药片", "半片"),
)
TIMES = (
    ("07:30", "20:00"), ("07:00", "12:30", "18:30"), ("20:00",), ("21:30",), ("08:00", "12:00", "16:00", "20:00"), ("07:30", "12:30"),
    ("07:00", "20:00"),
)


# --- understanding ------------------------------------------------------------------------------------------------


class Remembering:
    """The real understanding, asked once for each thing that can be said: the same words mean the same every day."""

    def __init__(self, household: Household) -> None:
        self._real = understander(household)
        self._known: dict[tuple[str, Asking | None, tuple[str, ...]], Judgement] = {}

    def judge(
        self, hypotheses: Sequence[Hypothesis], now: datetime, asking: Asking | None = None, options: tuple[str, ...] = (),
        recent: object = None,
    ) -> Judgement:
        """What these hypotheses mean."""
        key = (hypotheses[0].text, asking, options)
        if key not in self._known:
            self._known[key] = self._real.judge(hypotheses, now, asking, options)
        return self._known[key]


@lru_cache(maxsize=1)
def _understanding() -> Remembering:
    mind = Remembering(_household(MEDICINES))
    gc.collect()
    gc.freeze()  # it lives as long as the process: walking it in every collection was a fifth of the time
    gc.set_threshold(10_000, 20, 20)  # a day's rows are remembered, not garbage: looking through them every 700 objects found none
    return mind


@lru_cache(maxsize=1)
def _replies() -> Replies:
    return Replies.load(shipped("intents"))


@lru_cache(maxsize=1)
def sayings() -> dict[str, tuple[str, ...]]:
    """Intent → what elders say for it when a dose is asked about, and without a question: the examples of `intents/`."""
    found: dict[str, list[str]] = {}
    for example in phrasebook().examples:
        if example.asking == "dose" and "medicine" not in example.slots:
            found.setdefault(example.intent, []).append(example.say)
    return {intent: tuple(texts) for intent, texts in found.items()}


def _household(medicines: tuple[Medicine, ...], named: bool = True) -> Household:
    return Household(
        elder=Elder("王秀珍", "王奶奶"),
        family=(
            Contact("刘敏", "女儿", ("敏敏",), "13800000001", ("敏敏微信", "敏敏短信"), 1),
            Contact("刘强", "儿子", ("强子",), "13800000002", ("强子微信",), 2),
            Contact("王建国", "邻居", ("老王",), "13800000004", ("老王短信",), 3),
        ),
        medicines=medicines,
        reminders=(StandingReminder("量血压", Recurrence("day", ("09:00",))),),
        channels=tuple(Channel(name, f"console://{name}") for name in ("敏敏微信", "敏敏短信", "强子微信", "老王短信")),
        care=Care(checkin=datetime(2026, 1, 1, 9, 30).time(), digest=datetime(2026, 1, 1, 20, 30).time(), names_medicines=named),
    )


# --- the world ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides a world."""

    seed: int
    days: int = 365
    faults: frozenset[str] = frozenset(FAULTS)
    first: int = 0
    """Day on which it begins. Each day draws its own chance, so that a day is the same without those before it."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a world broke."""

    rule: str
    day: date
    detail: str


@dataclass
class Result:
    """What a world was like."""

    plan: Plan
    doses: int = 0
    states: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    talks: int = 0
    cuts: int = 0
    steps: int = 0
    broken: list[Broken] = field(default_factory=list)
    seconds: float = 0.0
    """Processor time it took."""
    memory: float = 0.0
    """Most megabytes its process ever held; it lives many worlds, so growth from world to world would be a leak."""
    digest: str = ""
    """Hash of the whole log: the same seed gives the same."""
    script: str = ""
    """Everything that went in, as a play, where a rule was broken: `xiaoban play` lives it again."""
    households: tuple[str, ...] = ()
    """The family's files for it: the first, then one for each edit."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How likely she does what, drawn once a world and worse when ill."""

    answers: float
    prompt: float
    """Of her answers, how many are 吃了 at the first question."""
    spontaneous: float
    doubles: float
    forgets: float


ASKED = ("medication.taken", "medication.snooze", "medication.taking", "dialogue.yes", "medication.not_taken",
         "medication.unsure", "medication.skip")
"""What she may answer, the first much more often."""


class Witnessed(Stage):
    """A stage that shows what happens to the home, before it does."""

    witness: Callable[[Event], None] = staticmethod(lambda event: None)

    def tell(self, event: Event) -> None:
        self.witness(event)
        super().tell(event)


def paper(household: Household) -> str:
    """A household of these worlds as the family would write it: JSON is YAML too."""
    return json.dumps({
        "老人": {"名字": household.elder.name, "称呼": household.elder.call},
        "家人": [
            {"名字": c.name, "关系": c.relation, "小名": list(c.nicknames), "电话": c.phone, "通知": list(c.notify), "顺序": c.order}
            for c in household.family
        ],
        "药": [
            {"药名": m.name, "俗称": list(m.aka), "样子": m.looks, "剂量": m.dose, "每次": m.units, "说明": m.note, "每盒": m.pack,
             "时间": list(m.schedule.at) if m.schedule else ["需要时"], "重要": "是" if m.critical else "否",
             "间隔": f"{m.min_gap.total_seconds() / 60:g}分钟", "最晚": f"{m.late_limit.total_seconds() / 60:g}分钟",
             **({} if m.stock is None else {"库存": m.stock}), **({"停药": m.stopped.isoformat()} if m.stopped else {})}
            for m in household.medicines
        ],
        "提醒": [{"内容": r.what, "时间": [f"每天{at}" for at in r.schedule.at]} for r in household.reminders],
        "通知": {c.name: c.url for c in household.channels},
        "照护": {"报平安": f"{household.care.checkin:%H:%M}", "小结": f"{household.care.digest:%H:%M}",
                "报药名": "是" if household.care.names_medicines else "否"},
    }, ensure_ascii=False, indent=1) + "\n"


class World:
    """One home through some days."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.chance = random.Random(plan.seed)
        chance = self.chance
        count = chance.randint(6, 7)
        self.household = _household(tuple(
            replace(m, schedule=Recurrence("day", times)) for m, times in list(zip(MEDICINES, TIMES, strict=True))[:count]
        ), named=chance.random() < 0.5)
        self.habits = Habits(chance.uniform(0.6, 0.98), chance.uniform(0.5, 0.95), chance.uniform(0.0, 0.3),
                             chance.uniform(0.0, 0.05), chance.uniform(0.0, 0.15))
        self.replies = Replies(_replies().sentences)  # its own: which variant is next decides how long she waits
        self.store = Store.memory(SCHEMAS)
        self.begin = BEGIN + timedelta(days=plan.first)
        self.clock = VirtualClock(self.begin)
        self.stage = Witnessed(self._dialogue(), self.clock, People(), perform=self._performed)
        self.stage.witness = self._witnessed
        self.result = Result(plan)
        self.ill = 0
        self.words: list[tuple[datetime, str]] = []
        """(wall time, true intent) of what she meant."""
        self.away: list[tuple[datetime, datetime]] = []
        """Times of the wall clock at which nobody could be asked: outages, what a step jumped over, doubt."""
        self.checked = 0
        self.edited: set[date] = set()
        self.denied: set[int] = set()
        """Doses whose 吃了 was taken back: the family's moment may have been over by then."""
        self.script: list[tuple[datetime, str]] = []
        """(wall time, stage direction) of all that went in."""
        self.papers = [paper(self.household)]

    def _dialogue(self) -> Dialogue:
        return Dialogue(self.store, self.household, lambda _: _understanding(), self.replies)

    # --- what the elder does ----------------------------------------------------------------------------------------

    def _performed(self, action: Action, now: datetime) -> None:
        match action:
            case Ask():
                self.result.talks += 1
                self._react(action)
            case Notify(person=person, channel=channel):
                self.result.messages += 1
                if action.urgent and self.stage.people.network:
                    # A household where nobody ever looks would ring on for the rest of the year.
                    self.stage.later(90.0, Acknowledged(action.key, person, "all_clear"))
                contact = self.household.contact(person)
                if not person and self.household.channel(channel) is not None:
                    pass  # the channels' own test: to nobody, with nothing in it
                elif contact is None or channel not in contact.notify:
                    self._break("message outside the allowed list", f"{person} {channel}")
                elif contact.relation in message.NOT_KIN and not action.urgent:
                    self._break("everyday message to a neighbour", f"{person} {action.title}")
                elif not self.household.care.names_medicines and any(m.name in action.body for m in self.household.medicines):
                    self._break("medicine named without leave", action.body)
            case Call(person=person):
                if self.household.contact(person) is None:
                    self._break("call outside the allowed list", person)
            case _:
                pass

    def _react(self, ask: Ask) -> None:
        chance, habits = self.chance, self.habits
        if chance.random() > habits.answers * (0.4 if self.ill else 1.0):
            return
        delay = len(ask.text) * 0.3 + 1.0 + chance.random() * 4
        match ask.asking:
            case "dose":
                if chance.random() < habits.prompt:
                    intent = ASKED[0]
                else:
                    intent = chance.choices(ASKED[1:], (5, 4, 4, 3, 1 + 20 * habits.forgets, 1))[0]
                self._say(intent, delay)
            case "yes_no":
                self._say_text("dialogue.yes" if chance.random() < 0.6 else "dialogue.no", chance.choice(("对", "是的"))
                               if chance.random() < 0.6 else "不是", delay)
            case "evidence":
                empty = chance.random() < 0.5
                self._say_text("dialogue.empty" if empty else "dialogue.full", "空了" if empty else "药还在", delay)
            case "text":
                self._say_text("dialogue.text", "挺好的" if chance.random() < 0.95 else "有点不舒服", delay)
            case _:
                pass

    def _say(self, intent: str, delay: float) -> None:
        texts = sayings().get(intent) or ("嗯",)
        self._say_text(intent, self.chance.choice(texts), delay)

    def _say_text(self, intent: str, text: str, delay: float) -> None:
        if "errors" in self.plan.faults and self.chance.random() < 0.1:
            heard, made = self.chance.choice(CONFUSIONS)
            text = text.replace(heard, made, 1) or text
        self.words.append((self.clock.now + timedelta(seconds=delay), intent))
        self.stage.later(delay, Heard((Hypothesis(text),), seconds=1.0))

    # --- what happens to the home ------------------------------------------------------------------------------------

    def run(self) -> Result:
        """All days; stops at the first broken rule."""
        self.stage.tell(Started())
        for number in range(self.plan.first, self.plan.days):
            # A day of its own chance: it can be lived again without the days before it.
            self.chance = random.Random(f"{self.plan.seed}/{number}")
            midnight = self.clock.now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            for at, act in sorted(self._todays(number), key=lambda item: item[0]):
                if at > self.clock.now:
                    self._go(at)
                act()
            self._go(midnight + timedelta(hours=5) if midnight > self.clock.now else self.clock.now)
            self._check()
            if self.result.broken:
                break
            self.stage.happened.clear()
            self.words = self.words[-60:]
            self.away = self.away[-20:]
        self._finish()
        return self.result

    def _go(self, until: datetime) -> None:
        self.stage.run(until)

    def _witnessed(self, event: Event) -> None:
        """Write down what goes in, as `xiaoban play` reads it."""
        now = self.clock.now
        match event:
            case Spoken() | Due() | Silence() | Delivered():
                pass  # what comes of it by itself
            case Heard():
                self.script.append((now, f"听见：{event.hypotheses[0].text}"))
            case Started(off_since=since) if since is not None:
                self.script.append((since, f"断电 {(now - since).total_seconds()}秒"))
            case ClockStepped(by=by) if by:
                self.script.append((now - by, f"时钟 {'+' if by > timedelta(0) else '-'} {abs(by.total_seconds())}秒"))
            case ClockStepped(trusted=trusted):
                self.script.append((now, "时钟准" if trusted else "时钟不准"))
            case DeviceFound() | DeviceLost():
                self.script.append((now, "网通了" if isinstance(event, DeviceFound) else "网断了"))
            case Acknowledged(person=person, answer=answer):
                self.script.append((now, f"{person}回：{ANSWERS[answer]}"))
            case HouseholdChanged(household=household):
                self.papers.append(paper(household))
                self.script.append((now, f"家庭文件改成 {self.paper_name(len(self.papers) - 1)}"))
            case _:
                pass

    def paper_name(self, number: int) -> str:
        """File name of the family's file after so many edits."""
        return f"seed-{self.plan.seed}-{number}.yaml"

    def _todays(self, number: int) -> Iterable[tuple[datetime, Callable[[], None]]]:
        """(when, what) of this day, drawn from the seed."""
        chance, faults = self.chance, self.plan.faults
        start = self.clock.now
        self.ill = max(0, self.ill - 1) or (chance.randint(2, 6) if chance.random() < 0.01 else 0)

        def at(first: float = 1.0, last: float = 17.5) -> datetime:
            return start + timedelta(hours=chance.uniform(first, last))

        if chance.random() < self.habits.spontaneous:
            yield at(), lambda: self._say_text("medication.taken", "我药吃过了", 0.1)
        if chance.random() < self.habits.doubles:
            yield at(), lambda: self._say_text("medication.extra", "我再吃一片吧", 0.1)
        if chance.random() < 0.1:
            yield at(), lambda: self._say_text("medication.query", "药我吃了没有啊", 0.1)
        if chance.random() < 0.05:
            yield at(), lambda: self._say_text("medication.not_taken", "我没说吃了", 0.1)
        if "cuts" in faults and chance.random() < 0.05:
            hours = chance.choice((0.02, 0.1, 0.5, 2.0, 6.0, 30.0))
            yield at(), lambda: self._cut(timedelta(hours=hours * chance.uniform(0.5, 1.5)))
        if "steps" in faults and chance.random() < 0.03:
            by = chance.choice((-3600.0, -60.0, -3.0, 30.0, 600.0, 3600.0, 7200.0))
            yield at(), lambda: self._step(timedelta(seconds=by))
        if "doubt" in faults and chance.random() < 0.01:
            when = at(1, 12)
            yield when, lambda: self._trust(False)
            yield when + timedelta(hours=chance.uniform(0.2, 4)), lambda: self._trust(True)
        if "network" in faults and chance.random() < 0.08:
            when = at(1, 12)
            yield when, lambda: self._network(False)
            yield when + timedelta(hours=chance.uniform(0.1, 9)), lambda: self._network(True)
        if "edits" in faults and number > 3 and chance.random() < 0.03:
            yield at(), self._edit
        if chance.random() < 0.3:
            yield at(17.0, 18.0), self._family_reads

    def _quiet(self) -> None:
        self.stage.run(self.clock.now + timedelta(minutes=2))

    def _cut(self, length: timedelta) -> None:
        off = self.clock.now
        self.result.cuts += 1
        self.clock.advance(off + length)
        self.away.append((off, self.clock.now))
        self.stage.power_cut(self._dialogue())
        self.stage.tell(Started(trusted=self.clock.is_trusted, off_since=off))

    def _step(self, by: timedelta) -> None:
        self._quiet()
        self.result.steps += 1
        before = self.clock.now
        # What was jumped over could not be asked; what is lived through twice was asked the first time.
        self.away.append((min(before, before + by), max(before, before + by)))
        self.stage.step(by)

    def _trust(self, trusted: bool) -> None:
        if not trusted:
            self.away.append((self.clock.now, self.clock.now + timedelta(hours=5)))
        self.clock.is_trusted = trusted
        self.stage.tell(ClockStepped(timedelta(0), trusted))

    def _network(self, there: bool) -> None:
        self.stage.people.network = there
        self.stage.tell(DeviceFound("network") if there else DeviceLost("network"))

    def _edit(self) -> None:
        """The family moves a slot, stops a medicine, or starts it again."""
        chance = self.chance
        which = chance.randrange(len(self.household.medicines))
        old = self.household.medicines[which]
        today = self.clock.now.date()
        if old.stopped is not None:
            new = replace(old, stopped=None)
        elif chance.random() < 0.3:
            new = replace(old, stopped=today)
        else:
            new = replace(old, schedule=Recurrence("day", chance.choice(TIMES)))
        # A long outage can end in this edit: yesterday was lived under the old file and is checked under the new.
        self.edited |= {today - timedelta(days=1), today, today + timedelta(days=1)}
        self.household = replace(self.household, medicines=tuple(new if m is old else m for m in self.household.medicines))
        self.stage.tell(HouseholdChanged(self.household))

    def _family_reads(self) -> None:
        key = message.last_key(self.store, "刘敏", READ) or message.last_key(self.store, "刘敏")
        if key is not None:
            self.stage.tell(Acknowledged(key, "刘敏", "seen"))

    # --- what must hold ---------------------------------------------------------------------------------------------

    def _break(self, rule: str, detail: str) -> None:
        self.result.broken.append(Broken(rule, self.clock.now.date(), detail))

    def _check(self) -> None:
        """The rules, over what the last day wrote."""
        lines = self.store.db.conn.execute(
            "SELECT id, at, kind, row, text FROM log WHERE id > ? AND kind GLOB 'dose.*' ORDER BY id", [self.checked]
        ).fetchall()
        final: dict[int, str] = {}
        self.checked = lines[-1][0] if lines else self.checked
        for _, at, kind, number, text in lines:
            event = kind.removeprefix("dose.")
            if event == "denied":
                self.denied.add(number)
            to = text.partition("→")[2].split(" ")[0]
            if event == "asked" and number in final:
                self._break("asked about a closed dose", f"{final[number]}; {text}")
            if to in FINAL:
                final[number] = text
            elif to:
                final.pop(number, None)
            if to == State.TAKEN.value:
                self._check_word(moment(at), text)
        today = self.clock.now.date() - timedelta(days=1)
        rows = [d for day in (today,) for d in dose.of_day(self.store, ZONE, day)]
        self._check_complete(today, rows)
        for d in rows:
            self._check_family(d)

    def _check_word(self, at: datetime, text: str) -> None:
        """TAKEN rests on a person's word or the pillbox."""
        if not any(intent in WORDS and timedelta(0) <= at - said <= WORD for said, intent in reversed(self.words)):
            recent = [intent for said, intent in self.words if abs(at - said) <= WORD]
            self._break("taken without a word", f"{at.astimezone(ZONE):%m-%d %H:%M:%S} {text} {recent}")

    def _check_complete(self, day: date, rows: Sequence[Dose]) -> None:
        """Each slot of the day has its row, in a final state once its limit has passed."""
        if day in self.edited or not self.clock.is_trusted:
            return
        have = {(d.medicine, d.slot) for d in rows}
        if day > self.begin.date():
            for m in self.household.medicines:
                if m.schedule is not None and not (m.stopped and day > m.stopped):
                    for slot in m.schedule.at:
                        if (m.name, slot) not in have:
                            self._break("a dose was lost", f"{m.name} {day} {slot}")
        for d in rows:
            if not d.final and d.limit + TOLERANCE < self.clock.now:
                self._break("a dose never ended", f"{d.medicine} {d.day} {d.slot} {d.state}")

    def _check_family(self, d: Dose) -> None:
        """Whoever had to be told was told in time, once, and it left the house whenever the network was there."""
        if d.state not in (State.MISSED, State.UNKNOWN) or d.id in self.denied or any(a - timedelta(hours=3) <= d.tell <= b + TOLERANCE for a, b in self.away):
            return
        if d.told is None:
            self._break("the family was not told", f"{d.medicine} {d.day} {d.slot}")
        elif d.told - d.tell > TOLERANCE:
            self._break("the family was told late", f"{d.medicine} {d.day} {d.slot}: {d.told - d.tell}")

    def _finish(self) -> None:
        result = self.result
        if not result.broken and self.stage.people.network:
            stuck = [m for m in message.waiting(self.store) if self.clock.now - m.created > timedelta(hours=12)]
            for m in stuck[:3]:
                self._break("a message did not leave", f"{m.person} {m.title} {m.created}")
        for row in self.store.find("dose"):
            result.states[str(row["state"])] += 1
        result.doses = sum(n for state, n in result.states.items() if state in FINAL)
        twice = self.store.db.execute("SELECT count(*) - count(DISTINCT medicine || day || slot) FROM dose").fetchone()[0]
        if twice:
            self._break("a dose was doubled", str(twice))
        log = self.store.db.execute("SELECT at, kind, row, text FROM log ORDER BY id").fetchall()
        result.digest = hashlib.sha256(json.dumps(log, ensure_ascii=False).encode()).hexdigest()[:16]
        if result.broken:
            result.script = self._play()
            result.households = tuple(self.papers)

    def _play(self) -> str:
        """All that went in, in the language of plays, with the seed that repeats it and what was said last."""
        plan = self.plan
        why = "\n".join(f"# {b.rule}: {b.day} {b.detail}" for b in result_first(self.result.broken))
        head = (
            f"# python -m assistant.simulate --seed {plan.seed} --first-day {plan.first} --days {plan.days}"
            f" --faults {','.join(sorted(plan.faults))}\n# xiaoban play --household {self.paper_name(0)} seed-{plan.seed}.play\n{why}\n"
        )
        lines = [f"@ {self.begin:%Y-%m-%d %H:%M}"]
        for at, direction in self.script:
            lines += [f"@ {at:%Y-%m-%d %H:%M:%S.%f}", f"（{direction}）"]
        lines.append(f"@ {self.clock.now:%Y-%m-%d %H:%M:%S.%f}")
        said = [f"# {h.at:%m-%d %H:%M:%S} {h.who} {h.kind} {h.text}" for h in self.stage.happened[-60:]]
        return head + "\n".join([*lines, *said]) + "\n"


def result_first(broken: Sequence[Broken]) -> Sequence[Broken]:
    """The rules broken first: what follows is often only their consequence."""
    return broken[:5]


# --- many worlds --------------------------------------------------------------------------------------------------


def live(plan: Plan) -> Result:
    """One world from its plan."""
    begin = stopwatch.process_time()
    result = World(plan).run()
    gc.collect()  # a world refers to itself: left to the collector, one in three stayed for good, 15 MB with its ledger
    result.seconds = stopwatch.process_time() - begin
    result.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return result


def smaller(plan: Plan) -> Plan:
    """A smaller world that still breaks the same rule: fewer kinds of faults, no more days than needed."""
    first = live(plan)
    if not first.broken:
        return plan
    rule = first.broken[0].rule
    for fault in FAULTS:
        tried = replace(plan, faults=plan.faults - {fault})
        found = live(tried)
        if found.broken and found.broken[0].rule == rule:
            plan, first = tried, found
    # It breaks on the last day it lived; what is left is how many days before that are needed.
    last = (first.broken[0].day - BEGIN.date()).days + 1
    for before in (0, 1, 2, 4, 8, 16, 32, 64, 128):
        begin = max(0, last - 1 - before)
        tried = replace(plan, first=begin, days=min(plan.days, last + 1))
        found = live(tried)
        if found.broken and found.broken[0].rule == rule:
            return tried
        if not begin:
            break
    return replace(plan, days=min(plan.days, last + 1))


def years(
    seeds: Iterable[int], days: int, processes: int = 1, faults: frozenset[str] = frozenset(FAULTS), first: int = 0,
    each: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Worlds of these seeds, in parallel; `each` sees one as soon as it has been lived."""
    results: list[Result] = []

    def keep(found: Iterable[Result]) -> None:
        for result in found:
            results.append(result)
            each(result)

    plans = [Plan(seed, days, faults, first) for seed in seeds]
    if processes <= 1:
        keep(map(live, plans))
    else:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            keep(pool.imap_unordered(live, plans, chunksize=1))
    return sorted(results, key=lambda result: result.plan.seed)


@dataclass
class Progress:
    """A line on the terminal for every world that has been lived, in a file for every tenth; what was broken at once."""

    of: int
    """Worlds in all."""
    begin: float
    """Seconds of `time.monotonic`."""
    lived: int = 0
    doses: int = 0
    broken: int = 0

    def __call__(self, result: Result) -> None:
        self.lived += 1
        self.doses += result.doses
        self.broken += bool(result.broken)
        seconds = stopwatch.monotonic() - self.begin
        left = seconds / self.lived * (self.of - self.lived)
        terminal = sys.stderr.isatty()
        for first in result.broken[:1]:
            sys.stderr.write("\r\x1b[K" if terminal else "")
            sys.stderr.write(f"seed {result.plan.seed}: {first.rule}: {first.day} {first.detail}\n")
        if terminal or self.lived % 10 == 0 or self.lived == self.of:
            line = f"{self.lived} of {self.of} worlds, {self.doses} doses, {self.broken} broken, {seconds:.0f} s, about {left:.0f} s left"
            sys.stderr.write(f"\r{line}\x1b[K" if terminal else f"{line}\n")
            if terminal and self.lived == self.of:
                sys.stderr.write("\n")
        sys.stderr.flush()


def write(result: Result, folder: Path) -> Path:
    """A broken world as a play and the family's files it needs. Returns the play."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(result.households):
        (folder / f"seed-{result.plan.seed}-{number}.yaml").write_text(text, encoding="utf-8")
    path = folder / f"seed-{result.plan.seed}.play"
    path.write_text(result.script, encoding="utf-8")
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """`make simulate`. Exit code 1 if a rule was broken; failing worlds are written as plays."""
    parser = argparse.ArgumentParser(prog="simulate", description="seeded years over the real core")
    parser.add_argument("--years", type=int, default=100, help="worlds of one year each")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, help="only this world")
    parser.add_argument("--first", type=int, default=1, help="first seed")
    parser.add_argument("--first-day", type=int, default=0, help="day on which the world begins")
    parser.add_argument("--faults", default=",".join(FAULTS))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--plays", type=Path, default=Path("simulate-failed"))
    options = parser.parse_args(arguments)
    seeds: Sequence[int] = [options.seed] if options.seed is not None else range(options.first, options.first + options.years)
    faults = frozenset(f for f in options.faults.split(",") if f)
    begin = stopwatch.monotonic()
    results = years(seeds, options.days, options.processes, faults, options.first_day, Progress(len(seeds), begin))
    seconds = stopwatch.monotonic() - begin
    states: Counter[str] = sum((r.states for r in results), Counter())
    total = {
        "worlds": len(results), "years": round(sum(r.plan.days for r in results) / 365, 1), "doses": sum(r.doses for r in results),
        "states": dict(states), "questions": sum(r.talks for r in results), "messages": sum(r.messages for r in results),
        "power cuts": sum(r.cuts for r in results), "clock steps": sum(r.steps for r in results),
        "broken": sum(len(r.broken) for r in results), "seconds": round(seconds, 1),
        "processor seconds a world": round(sum(r.seconds for r in results) / max(1, len(results)), 1),
        "memory MB": [round(r.memory) for r in (results[0], results[-1])] if results else [],
    }
    sys.stdout.write(json.dumps(total, ensure_ascii=False) + "\n")
    sys.stdout.flush()
    failed = [r for r in results if r.broken]
    for rule, r in {r.broken[0].rule: r for r in reversed(failed)}.items():  # the first world of each rule: to make it smaller takes a while
        small = live(smaller(r.plan))
        path = write(small if small.broken else r, options.plays)
        sys.stderr.write(f"seed {r.plan.seed}: {rule} → {path}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
