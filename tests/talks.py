"""A home, a ledger and a voice for tests of conversations: what is said goes in as meanings, what 小伴 says comes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from assistant.care import SCHEMAS
from assistant.home import Care, Channel, Contact, Elder, Household, Medicine, StandingReminder
from assistant.messages import Acknowledged, Ask, Conversation, Meaning, Say
from assistant.places import shipped
from assistant.replies import Replies
from assistant.skills.skill import Skill, Turn
from assistant.store import Store
from assistant.when import Recurrence

ZONE = ZoneInfo("Asia/Shanghai")
REPLIES = Replies.load(shipped("intents"))

VALSARTAN = Medicine(
    "缬沙坦", ("降压药",), "粉色胶囊", "一粒", schedule=Recurrence("day", ("07:30", "20:00")), note="饭后", stock=28, pack=14
)
ASPIRIN = Medicine("阿司匹林", ("小白片",), "白色小药片", "一片", schedule=Recurrence("day", ("20:00",)), note="饭后", critical=True)
METFORMIN = Medicine("二甲双胍", ("降糖药",), "白色大药片", "一片", schedule=Recurrence("day", ("12:30",)), note="跟饭一起")
IBUPROFEN = Medicine("布洛芬", ("止疼药",), "橙色胶囊", "一粒", max_per_day=2, min_gap=timedelta(hours=6))

HOME = Household(
    elder=Elder("王秀珍", "王奶奶"),
    family=(
        Contact("刘敏", "女儿", ("敏敏",), notify=("敏敏微信",), order=1),
        Contact("王建国", "邻居", notify=("老王短信",), order=2),
    ),
    medicines=(VALSARTAN, METFORMIN, ASPIRIN, IBUPROFEN),
    reminders=(StandingReminder("量血压", Recurrence("day", ("09:00",))),),
    channels=(Channel("敏敏微信", "console://敏敏微信"), Channel("老王短信", "console://老王短信")),
    care=Care(names_medicines=True, ranges=(("systolic", 90, 150), ("diastolic", 60, 95), ("blood_glucose", 4, 10))),
)


def at(text: str, day: str = "2026-11-22") -> datetime:
    """`07:30` on the day of the tests, or `2026-11-23 07:30`."""
    return datetime.fromisoformat(text if "-" in text else f"{day} {text}").replace(tzinfo=ZONE)


def said(intent: str, text: str = "", **slots: object) -> Meaning:
    """What the elder meant."""
    return Meaning(intent if "." in intent else f"medication.{intent}", slots, text=text)  # type: ignore[arg-type]


@dataclass
class Home:
    """One skill's world at a moment."""

    skill: Skill
    now: datetime
    household: Household = HOME
    store: Store = field(default_factory=lambda: Store.memory(SCHEMAS))
    trusted: bool = True
    off_since: datetime | None = None
    replies: Replies = field(default_factory=lambda: Replies(REPLIES.sentences))

    def turn(self) -> Turn:
        return Turn(self.skill.name, self.now, self.household, self.store, self.replies, self.trusted, self.off_since)

    def hold(self, conversation: Conversation, turn: Turn, answers: Iterable[Meaning | None] = ()) -> list[str]:
        """A whole conversation; answers are given in order, then nobody speaks."""
        rest: Iterator[Meaning | None] = iter(answers)
        spoken: list[str] = []
        answer: Meaning | None = None
        try:
            while True:
                action = conversation.send(answer)
                answer = None
                assert isinstance(action, Say | Ask), action
                spoken.append(action.text)
                if isinstance(action, Ask):
                    answer = next(rest, None)
                    self.now = self.now + timedelta(seconds=6)
                    turn.now = self.now
        except StopIteration:
            return spoken

    def start(self) -> list[str]:
        turn = self.turn()
        return [text for begin in self.skill.starteds for text in self.hold(begin(turn), turn)]

    def elder(self, meaning: Meaning, *answers: Meaning | None) -> list[str]:
        """She says something by herself."""
        turn = self.turn()
        return self.hold(self.skill.meanings[meaning.intent](turn, meaning), turn, answers)

    def wake(self, *answers: Meaning | None) -> list[str]:
        """All rows that are due now are driven, as the dialogue does."""
        return self._drive(iter(answers))

    def _drive(self, rest: Iterator[Meaning | None]) -> list[str]:
        spoken: list[str] = []
        driven: set[tuple[str, int]] = set()
        while rows := [row for row in self.store.due(self.now, tuple(self.skill.dues)) if row not in driven]:
            table, row = rows[0]
            driven.add(rows[0])
            turn = self.turn()
            begin, _ = self.skill.dues[table]
            spoken += self.hold(begin(turn, row), turn, rest)
        return spoken

    def goes_to(self, time: datetime) -> None:
        """The clock moves on, nothing is driven."""
        self.now = time

    def run(self, until: datetime, *answers: Meaning | None) -> list[str]:
        """Time passes; rows are driven as they wake."""
        rest = iter(answers)
        spoken: list[str] = []
        while (wake := self.store.next_wake(tuple(self.skill.dues))) is not None and wake <= until:
            self.now = max(self.now, wake.astimezone(ZONE))
            before = self.store.next_wake(tuple(self.skill.dues))
            spoken += self._drive(rest)
            assert self.store.next_wake(tuple(self.skill.dues)) != before, "a row stayed due"
        self.now = until
        return spoken

    def steps(self, by: timedelta, trusted: bool = True) -> None:
        """The wall clock jumps."""
        self.now += by
        self.trusted = trusted
        for shift in self.skill.steps:
            shift(self.turn(), by)

    def restarts(self, after: timedelta) -> list[str]:
        """A power cut of this length."""
        self.off_since, self.now = self.now, self.now + after
        return self.start()

    def edits(self, household: Household) -> list[str]:
        """The family saves its file."""
        before, self.household = self.household, household
        turn = self.turn()
        return [text for begin in self.skill.households for text in self.hold(begin(turn, before), turn)]

    def sees(self) -> None:
        """刘敏 says that she has seen the last message."""
        row = self.store.find("message", order="id DESC", limit=1)[0]
        turn = self.turn()
        self.hold(self.skill.acknowledgeds[row["purpose"]](turn, row["id"], Acknowledged(row["key"], "刘敏", "seen")), turn)

    @property
    def family_got(self) -> list[str]:
        """Titles of what was posted, one for each message, oldest first."""
        return [str(row["title"]) for row in self.store.find("message")]

    def without(self, name: str) -> Household:
        """The family stopped a medicine yesterday."""
        day = (self.now - timedelta(days=1)).date()
        return replace(self.household, medicines=tuple(
            replace(m, stopped=day) if m.name == name else m for m in self.household.medicines
        ))
