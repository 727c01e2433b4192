"""How well sentences are understood that nobody tuned on: clean and damaged as a recogniser damages them, and how fast.

Run: `python tests/bench/understanding.py`. Prints one table. Damage is drawn from a seeded generator: the figures repeat.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from assistant.home import Contact, Household, Medicine, Service
from assistant.household import load
from assistant.messages import Hypothesis, Judgement, to_json
from assistant.places import sample_household, shipped
from assistant.understand.judge import Understander
from assistant.understand.phrasebook import Phrasebook, Template
from assistant.understand.reader import read
from assistant.understand.sound import syllables

SENTENCES = Path(__file__).with_name("sentences.toml")
NOW = "2026-11-22T15:00"

HOMOPHONES = {
    "吃": "持迟池", "了": "啦勒", "药": "要耀", "我": "握窝", "给": "给", "打": "大", "电": "店", "话": "画", "疼": "腾", "胸": "凶", "口": "扣", "提": "题", "醒": "星", "血": "学", "压": "鸭",
    "摔": "衰", "倒": "道", "约": "月", "理": "李", "发": "法", "视": "市", "频": "品", "闺": "归", "女": "旅", "儿": "而", "孙": "松", "子": "紫", "降": "将", "糖": "堂", "救": "就", "命": "名",
}
"""Other characters of the same or nearly the same sound."""
SOUNDS = (("n", "l"), ("l", "n"), ("zh", "z"), ("z", "zh"), ("ch", "c"), ("sh", "s"), ("s", "sh"), ("f", "h"), ("an", "ang"), ("ang", "an"), ("en", "eng"), ("in", "ing"), ("ing", "in"))
"""What accents do to a syllable."""
HEARD = {"吃了": "去了", "双胍": "声挂", "摔倒": "帅到", "女儿": "你儿", "过了": "过来", "药了": "药啦"}
"""What the recogniser did to words (SPEECH.md)."""
POLAR = frozenset("没不别甭莫未有四十")
"""Never damaged: a wrong one is another sentence."""


@dataclass(frozen=True)
class Row:
    """One sentence and its meaning."""

    phenomenon: str
    say: str
    intent: str
    slots: dict[str, Any]
    asking: str = ""


def rows() -> list[Row]:
    """All sentences."""
    with SENTENCES.open("rb") as file:
        table = tomllib.load(file)
    return [Row(name, *row) for name, part in table.items() for row in part["rows"]]


def by_sound() -> dict[str, list[str]]:
    """Characters of the phrasebook by syllable, to write a changed syllable with."""
    found: dict[str, list[str]] = {}
    for char in sorted({char for words in read(shipped("intents")).words.values() for word in words for char in word}):
        for sound in syllables(char):
            found.setdefault(sound, []).append(char)
    return found


def damaged(text: str, chance: random.Random, chars: dict[str, list[str]], share: float) -> str:
    """`text` with about `share` of its characters heard wrongly."""
    for right, wrong in HEARD.items():
        if right in text and chance.random() < share:
            text = text.replace(right, wrong)
    said = []
    for char in text:
        if char in POLAR or chance.random() >= share:
            said.append(char)
            continue
        if char in HOMOPHONES and chance.random() < 0.6:
            said.append(chance.choice(HOMOPHONES[char]))
            continue
        sound = next(iter(syllables(char)), "")
        others = [other for old, new in SOUNDS if (other := _changed(sound, old, new)) in chars and other != sound]
        said.append(chance.choice(chars[chance.choice(others)]) if others else char)
    return "".join(said)


def _changed(sound: str, old: str, new: str) -> str:
    if old in ("an", "ang", "en", "eng", "in", "ing"):
        return sound[: -len(old)] + new if sound.endswith(old) else sound
    if old in ("z", "s") and sound.startswith(old + "h"):
        return sound
    return new + sound[len(old):] if sound.startswith(old) else sound


def right(row: Row, judged: Judgement) -> tuple[bool, bool]:
    """(intent right, slots right as well)."""
    meaning = judged.meaning
    intent = meaning.intent if meaning else ""
    if intent != row.intent or meaning is None:
        return intent == row.intent, intent == row.intent
    got = {slot: to_json(value) for slot, value in meaning.slots.items()}
    return True, all(got.get(slot) == value for slot, value in row.slots.items())


DANGEROUS = {("medication.not_taken", "medication.taken"), ("medication.unsure", "medication.taken"), ("emergency.call", "emergency.cancel"), ("", "medication.taken"),
             ("medication.query", "medication.taken"), ("medication.snooze", "medication.taken"), ("medication.skip", "medication.taken"), ("medication.taking", "medication.taken")}


def measure(mind: Understander, say: dict[str, str] | None, show: bool) -> dict[str, Any]:
    """Accuracy over all rows; `say` gives another text for a row's sentence."""
    now = datetime.fromisoformat(NOW).replace(tzinfo=mind.household.zone)
    by: dict[str, Counter[str]] = {}
    times = []
    for row in rows():
        text = (say or {}).get(row.say, row.say)
        began = time.process_time()
        judged = mind.judge([Hypothesis(text)], now, row.asking or None)  # type: ignore[arg-type]
        times.append(time.process_time() - began)
        count = by.setdefault(row.phenomenon, Counter())
        intent, slots = right(row, judged)
        count["n"] += 1
        count["intent"] += intent
        count["slots"] += slots
        count["asked"] += not intent and judged.meaning is None and bool(judged.nearest)
        count["acted"] += not intent and judged.meaning is not None
        got = judged.meaning.intent if judged.meaning else ""
        count["dangerous"] += (row.intent, got) in DANGEROUS
        if show and not (intent and slots):
            nearest = [near.intent for near in judged.nearest]
            print(f"  {row.phenomenon}: {text} want {row.intent} {row.slots} got {got or nearest} {dict(judged.meaning.slots) if judged.meaning else ''}")
    return {"by": by, "ms": statistics.mean(times) * 1000, "p95": sorted(times)[int(0.95 * len(times))] * 1000}


def large_home(home: Household) -> Household:
    """50 medicines, 20 contacts, 20 services."""
    medicines = [*home.medicines]
    names = ["沙坦", "地平", "洛尔", "普利", "他汀", "拉唑", "西林", "沙星", "替丁", "格列"]
    heads = ["缬", "氨氯", "美托", "依那", "瑞舒"]
    medicines += [Medicine(head + name + "片", (name + head,), "白色药片") for head in heads for name in names][:46]
    family = [*home.family, *(Contact("李" + char, "朋友", ("老" + char, "小" + char)) for char in "明华芳军丽勇杰娟涛敏强磊")]
    services = [*home.services, *(Service(name) for name in ("按摩", "修脚", "开锁", "买菜", "陪诊", "体检", "洗车", "磨刀", "收废品", "搬家", "擦玻璃", "修空调", "修电视", "换锁"))]
    return replace(home, medicines=tuple(medicines[:50]), family=tuple(family[:20]), services=tuple(services[:20]))


def tenfold(book: Phrasebook) -> Phrasebook:
    """Ten times the templates: the others with their characters moved round, so that they are phrases of their own."""
    chance = random.Random(10)
    every = sorted({char for template in book.templates for char in template.nodes if char[0] != "{"})

    def other(template: Template) -> Template:
        return replace(template, nodes=tuple(node if node[0] == "{" else chance.choice(every) for node in template.nodes))

    return replace(book, templates=(*book.templates, *(other(template) for _ in range(9) for template in book.templates)))


def speed(mind: Understander, several: bool) -> tuple[float, float]:
    """Mean and 95th percentile of one judgement, in milliseconds; `several`: three free hypotheses and one of the grammar."""
    now = datetime.fromisoformat(NOW).replace(tzinfo=mind.household.zone)
    chance, chars = random.Random(3), by_sound()
    times = []
    for row in rows():
        hypotheses = [Hypothesis(row.say)]
        if several:
            hypotheses = [Hypothesis(damaged(row.say, chance, chars, 0.2), "free") for _ in range(3)] + [Hypothesis(row.say, "grammar")]
        began = time.process_time()
        mind.judge(hypotheses, now)
        times.append(time.process_time() - began)
    return statistics.median(times) * 1000, sorted(times)[int(0.95 * len(times))] * 1000


def table(results: Sequence[tuple[str, dict[str, Any]]]) -> Table:
    """One line a phenomenon, one pair of columns a condition."""
    shown = Table(title="understanding: intent / intent and slots / asked back / acted wrongly / dangerous, in %")
    shown.add_column("phenomenon")
    shown.add_column("n", justify="right")
    for name, _ in results:
        shown.add_column(name, justify="right")
    for phenomenon in [*results[0][1]["by"], "in domain"]:
        cells = []
        for _, result in results:
            count = _total(result) if phenomenon == "in domain" else result["by"][phenomenon]
            n = count["n"]
            cells.append(" / ".join(f"{100 * count[key] / n:.1f}" for key in ("intent", "slots", "asked", "acted", "dangerous")))
        shown.add_row(phenomenon, str(n), *cells)
    return shown


def _total(result: dict[str, Any]) -> Counter[str]:
    total: Counter[str] = Counter()
    for name, count in result["by"].items():
        if name != "nothing":
            total += count
    return total


def conditions(mind: Understander, show: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Clean, and three depths of damage."""
    chars = by_sound()
    yield "clean", measure(mind, None, show)
    for share in (0.1, 0.2, 0.3):
        chance = random.Random(int(share * 100))
        yield f"{share:.0%} of syllables wrong", measure(mind, {row.say: damaged(row.say, chance, chars, share) for row in rows()}, False)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wrong", action="store_true", help="list what was not understood")
    parser.add_argument("--no-speed", action="store_true")
    options = parser.parse_args()
    home, book = load(sample_household()), read(shipped("intents"))
    console = Console(width=200)
    console.print(table(list(conditions(Understander(home, book), options.wrong))))
    if options.no_speed:
        return
    clock = Table(title="milliseconds a judgement: median / 95 %")
    for column in ("household", "phrases", "one text", "3 free + 1 grammar"):
        clock.add_column(column)
    for name, house, lines in (("sample", home, book), ("sample", home, tenfold(book)), ("50 medicines, 20 contacts, 20 services", large_home(home), book)):
        mind = Understander(house, lines)
        cells = [" / ".join(f"{value:.1f}" for value in speed(mind, several)) for several in (False, True)]
        clock.add_row(name, str(len(lines.templates)), *cells)
    console.print(clock)


if __name__ == "__main__":
    main()
