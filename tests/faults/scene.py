"""A household, a stage and an understanding of a few whole sentences: emergencies and the outbox without any device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from assistant.care import SCHEMAS
from assistant.clock import VirtualClock
from assistant.converse import Dialogue
from assistant.home import Channel, Contact, Elder, Household
from assistant.messages import Action, Asking, Heard, Hypothesis, Judgement, Meaning, Notify, Started
from assistant.places import shipped
from assistant.replies import Replies
from assistant.stage import People, Stage
from assistant.store import Store

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

SENTENCES: dict[str, Meaning] = {
    "救命啊我摔倒了": Meaning("emergency.call", {"kind": "fall", "grade": "likely"}),
    "救命啊": Meaning("emergency.call", {"kind": "generic", "grade": "likely"}),
    "着火了": Meaning("emergency.call", {"kind": "fire", "grade": "likely"}),
    "心口闷": Meaning("emergency.call", {"kind": "chest_pain", "grade": "unsure"}),
    "我没事不用叫": Meaning("emergency.cancel"),
    "没事": Meaning("emergency.cancel"),
    "嗯": Meaning("dialogue.yes"),
    "咱们演习一回": Meaning("emergency.drill"),
    "跟敏敏视频": Meaning("call.video", {"person": "刘敏"}),
    "给强子打电话": Meaning("call.voice", {"person": "刘强"}),
    "跟小军视频": Meaning("call.video", {"person": "刘小军"}),
    "给敏敏捎个话": Meaning("message.send", {"person": "刘敏"}),
    "告诉敏敏我今天炖了排骨": Meaning("message.send", {"person": "刘敏", "message": "我今天炖了排骨"}),
    "打个电话": Meaning("call.voice"),
    "再打一遍": Meaning("call.voice", text="再打一遍"),
    "谁给我打的电话": Meaning("call.missed"),
    "敏敏来过电话没有": Meaning("call.missed", {"person": "刘敏"}),
    "强子来过电话没有": Meaning("call.missed", {"person": "刘强"}),
    "要": Meaning("dialogue.yes"),
    "不": Meaning("dialogue.no"),
    "接": Meaning("dialogue.yes"),
    "不接": Meaning("dialogue.no"),
    "挂了": Meaning("call.hang_up"),
}
"""What the scene's people can say. The real understanding has its own tests; here only the protocol counts."""


@dataclass
class Understands:
    """Understands the table above and nothing else."""

    household: Household
    sentences: dict[str, Meaning] = field(default_factory=lambda: SENTENCES)

    def judge(
        self, hypotheses: Sequence[Hypothesis], now: datetime, asking: Asking | None = None, options: tuple[str, ...] = ()
    ) -> Judgement:
        said = hypotheses[0].text
        if asking == "text" and said not in ("救命啊我摔倒了", "心口闷"):
            return Judgement(Meaning("dialogue.text", {"message": said}, text=said))
        if asking == "which" and said in options:
            return Judgement(Meaning("dialogue.which", {"person": said, "option": said}, text=said))
        meaning = self.sentences.get(said)
        return Judgement(replace(meaning, text=said) if meaning is not None else None)


def household(**changes: object) -> Household:
    """Four contacts, a messenger each, a telephone."""
    family = (
        Contact("刘敏", "女儿", ("敏敏",), "13800000001", ("敏敏微信",), 1),
        Contact("刘强", "儿子", ("强子",), "13800000002", ("强子微信", "强子邮件"), 2),
        Contact("王建国", "邻居", ("老王",), "13800000004", ("老王短信",), 3),
        Contact("刘小军", "孙子", ("小军",), "13800000003", ("小军微信",), 4),
    )
    names = ("敏敏微信", "强子微信", "强子邮件", "老王短信", "小军微信")
    channels = (*(Channel(name, f"console://{name}") for name in names), Channel("电话", "sip:xiaoban@127.0.0.1"))
    fields: dict[str, object] = {
        "elder": Elder("王秀珍", "王奶奶", address="幸福小区三号楼", access="密码锁二五八零", conditions=("高血压",)),
        "family": family, "channels": channels, "room": "https://meet.example/{code}",
    }
    return Household(**{**fields, **changes})  # type: ignore[arg-type]


@lru_cache(maxsize=1)
def _sentences() -> Mapping[tuple[str, str], tuple[str, ...]]:
    return Replies.load(shipped("intents")).sentences


def replies() -> Replies:
    """What is said, read from the files once: that takes longer than an emergency."""
    return Replies(_sentences())


def stage(home: Household | None = None, people: People | None = None, store: Store | None = None, at: datetime = NOON) -> Stage:
    """A house that has just started."""
    dialogue = Dialogue(store or Store.memory(SCHEMAS), home or household(), Understands, replies())
    scene = Stage(dialogue, VirtualClock(at), people or People())
    scene.tell(Started())
    return scene


def hear(scene: Stage, said: str, *, woken: bool = True, prompted: bool = False, around: float = 0.0) -> None:
    """Somebody says it now."""
    scene.tell(Heard((Hypothesis(said),), woken=woken, prompted=prompted, around=around))


def wait(scene: Stage, seconds: float) -> None:
    """Time passes."""
    scene.run(scene.clock.now + timedelta(seconds=seconds))


def lines(scene: Stage, *kinds: str) -> list[str]:
    """Texts of what happened, of these kinds."""
    return [one.text for one in scene.happened if one.kind in kinds]


@dataclass
class Sent:
    """Remembers every action with its moment: hand `see` to `Stage.perform`."""

    actions: list[tuple[datetime, Action]] = field(default_factory=list)

    def see(self, action: Action, now: datetime) -> None:
        self.actions.append((now, action))

    @property
    def notifies(self) -> list[tuple[datetime, Notify]]:
        return [(at, action) for at, action in self.actions if isinstance(action, Notify)]
