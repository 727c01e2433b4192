"""How well sentences are understood that nobody tuned on, from text, from damaged text and from sound: tables, not impressions.

    python tests/bench/evaluate.py              every sentence as text (a minute)
    python tests/bench/evaluate.py --damaged    the same with a recogniser's mistakes in it, 10 % and 20 % of the syllables
    python tests/bench/evaluate.py --sound 150  150 sentences spoken by generated voices in rooms and noise, decoded, judged
    python tests/bench/evaluate.py --rounds twentyone twentytwo --sound 200   the same of rounds (rounds.py)

The sentences lie in `sentences/*.toml`, the homes they are said in in `households/`. Half of them, chosen by a hash of the
sentence, is held back: `--held` prints their figures and never the sentences, so that nobody can tune on them; without it
only the other half (dev) is used, and what failed is listed. Everything is seeded: the same command repeats its figures.
Speech is rendered once into the user's cache folder. Generated voices are no elders: no figure here is a claim about them.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import subprocess
import sys
import time
import tomllib
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from platformdirs import user_cache_dir
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent), str(HERE.parent / "clips")]

import acoustics  # noqa: E402
import meaning  # noqa: E402

from assistant.furnish import Hearing, understander  # noqa: E402
from assistant.home import Household  # noqa: E402
from assistant.household import load  # noqa: E402
from assistant.listen.frames import pcm_frames  # noqa: E402
from assistant.messages import Hypothesis, Judgement, to_json  # noqa: E402
from assistant.places import sample_household  # noqa: E402
from assistant.understand.sound import syllables  # noqa: E402

NOW = "2026-11-22T15:00"
"""A Sunday."""
SPEAKERS = (
    "zf_xiaobei", "zf_xiaoni", "zf_xiaoxiao", "zf_xiaoyi", "zm_yunjian", "zm_yunxi", "zm_yunxia", "zm_yunyang",
)
SPEEDS = (0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.1)
CONDITIONS: Mapping[str, tuple[float, str, float]] = {
    "clean": (0.0, "", 0.0), "room 0.3 s": (0.3, "", 0.0), "room 0.6 s": (0.6, "", 0.0), "pink 15 dB": (0.2, "pink", 15.0),
    "pink 10 dB": (0.2, "pink", 10.0), "hum 10 dB": (0.3, "hum", 10.0), "white 10 dB": (0.0, "white", 10.0),
}
"""Reverberation time in seconds, noise, its distance in dB."""


# --- the sentences --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence and what it means in its home."""

    say: str
    intent: str
    """Acceptable ones, divided by `|`; empty: must not act; `not:x`: anything but x."""
    slots: Mapping[str, Any]
    tags: tuple[str, ...]
    asking: str
    options: tuple[str, ...]
    household: str
    now: str

    @property
    def half(self) -> str:
        """`dev` or `held`."""
        return ("dev", "held")[zlib.crc32(self.say.encode()) % 2]

    @property
    def kind(self) -> str:
        """`nothing`, `distress` or `in domain`: the three things asked of us."""
        if self.intent == "" or self.intent.startswith(("not:", "|")):
            return "nothing"
        return "distress" if self.intent == "emergency.call" else "in domain"

    @property
    def name(self) -> str:
        """The intent for tables."""
        return "(must not act)" if self.intent.startswith("|") else self.intent or "(must not act)"


def rows(folder: Path = HERE / "sentences") -> list[Row]:
    """All sentences, each once."""
    found: dict[tuple[str, str, str], Row] = {}
    for path in sorted(folder.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for block in table["block"]:
            for say, *rest in block["rows"]:
                tags = (rest[0].split() if rest else []) or [block.get("tag", "plain")]
                slots = {**block.get("slots", {}), **(rest[1] if len(rest) > 1 else {})}
                row = Row(say, block["intent"], slots, tuple(tags), block.get("asking", ""), tuple(block.get("options", ())),
                          block.get("household", table.get("household", "sample")), block.get("now", NOW))
                found.setdefault((row.household, row.asking, row.say), row)
    return list(found.values())


ROUNDS = HERE / "sentences" / "rounds"


def of_rounds(names: Iterable[str]) -> list[Row]:
    """The sentences of rounds; those that may only be asked about are left to rounds.py."""
    return [
        Row(one["say"], one["intent"], one.get("slots", {}), (name,), one.get("asking", ""), tuple(one.get("options", ())),
            one.get("home", "sample"), one.get("now", NOW))
        for name in names for one in tomllib.loads((ROUNDS / f"{name}.toml").read_text(encoding="utf-8"))["s"] if one["intent"][:1] != "?"
    ]


@lru_cache
def home(name: str) -> Household:
    """`sample`, or a family's file in `households/` or beside the rounds."""
    files = (folder / f"{name}.yaml" for folder in (HERE / "households", ROUNDS))
    return load(next((file for file in files if file.exists()), sample_household()))


# --- right and wrong ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one sentence was judged."""

    row: Row
    heard: str
    got: str
    """Intent acted on, or empty."""
    slots: Mapping[str, Any]
    score: float
    nearest: tuple[str, ...]
    milliseconds: float
    voice: str = ""
    condition: str = ""
    speed: float = 0.0

    @property
    def intent(self) -> bool:
        """The right intent, or rightly still."""
        return meaning.right_intent(self.row.intent, self.got)

    @property
    def all(self) -> bool:
        """The right intent and every slot."""
        if not self.intent or not self.got or self.row.kind == "nothing":
            return self.intent
        return not self.wrong_slots

    @property
    def wrong_slots(self) -> tuple[str, ...]:
        """Slots missing, different, or named out of nothing."""
        return meaning.wrong_slots(self.row.slots, self.slots)

    @property
    def within_two(self) -> bool:
        """Right, or the question asked back offers the right intent."""
        return self.intent or any(one in self.row.intent.split("|") for one in self.nearest if not self.got)

    @property
    def danger(self) -> str:
        """What is never allowed, or empty."""
        return meaning.danger(self.row.intent, self.row.slots, self.got, self.slots)


def judged(row: Row, hypotheses: Sequence[Hypothesis], brain: Any, **how: Any) -> Verdict:
    """One sentence through the understanding."""
    now = datetime.fromisoformat(row.now).replace(tzinfo=home(row.household).zone)
    began = time.process_time()
    judgement: Judgement = brain.judge(hypotheses, now, row.asking or None, row.options)
    took = time.process_time() - began
    act = judgement.meaning
    return Verdict(
        row, " / ".join(one.text for one in (*hypotheses[:1], *[h for h in hypotheses[1:] if h.source == "grammar"][:1])),
        act.intent if act else "", {slot: to_json(value) for slot, value in act.slots.items()} if act else {},
        act.score if act else 0.0, tuple(near.intent for near in judgement.nearest), took * 1000, **how,
    )


# --- from text ------------------------------------------------------------------------------------------------------


def from_text(chosen: Sequence[Row]) -> list[Verdict]:
    """Every sentence as it is written."""
    return [judged(row, [Hypothesis(meaning.hanzi(row.say))], brain) for row, brain in with_brain(chosen)]


def with_brain(chosen: Sequence[Row]) -> Iterator[tuple[Row, Any]]:
    """Rows by home, each with its understanding."""
    for name in dict.fromkeys(row.household for row in chosen):
        brain = understander(home(name))
        for row in chosen:
            if row.household == name:
                yield row, brain


# --- from damaged text ----------------------------------------------------------------------------------------------

NEAR = (
    ("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("f", "h"), ("r", "l"), ("ang", "an"), ("eng", "en"), ("ing", "in"), ("q", "ch"), ("j", "zh"), ("x", "sh"),
    ("b", "p"), ("d", "t"), ("g", "k"), ("uo", "u"), ("ian", "an"), ("iao", "ao"), ("e", "a"), ("ü", "u"),
)
"""Parts of syllables that recognisers and accents exchange, both ways."""
KEPT = frozenset("没不别甭莫未有四十无两二三一五六七八九零百点半刻")
"""Never damaged: a wrong one is another sentence, and no one could know."""
DROPPED = frozenset("的了啊呀呢吧嘛呗哈哦哎呃个就那这")
"""Unstressed: recognisers lose them."""


@lru_cache(maxsize=1)
def by_sound() -> dict[str, list[str]]:
    """The 3,755 common characters (GB 2312, level 1) by toneless syllable."""
    found: dict[str, list[str]] = defaultdict(list)
    for code in range(16 * 94, 55 * 94 + 89):
        char = bytes((code // 94 + 0xA0, code % 94 + 0xA1)).decode("gb2312", "ignore")
        for sound in syllables(char) if char else ():
            found[sound].append(char)
    return found


def neighbours(sound: str) -> list[str]:
    """Syllables that are heard for this one."""
    swapped = {
        sound.replace(old, new, 1) for one, other in NEAR for old, new in ((one, other), (other, one))
        if (sound.startswith(old) or sound.endswith(old)) and old + "h" not in sound
    }
    return sorted(swapped & by_sound().keys() - {sound})


def damaged(text: str, share: float, chance: random.Random) -> str:
    """The sentence with about this share of its syllables misheard: half homophones, half neighbours, some particles lost."""
    said = []
    for char in text:
        sound = next(iter(syllables(char)), "")
        if char in KEPT or not sound or chance.random() >= share:
            said.append(char)
        elif char in DROPPED and chance.random() < 0.4:
            continue
        else:
            others = neighbours(sound)
            heard = sound if chance.random() < 0.5 or not others else chance.choice(others)
            said.append(chance.choice(by_sound().get(heard) or [char]))
    return "".join(said)


def from_damaged(chosen: Sequence[Row], share: float) -> list[Verdict]:
    """Every sentence as a free decoder might have written it three times; the grammar decoder has no part in this."""
    verdicts = []
    for row, brain in with_brain(chosen):
        chance = random.Random(zlib.crc32(f"{share}{row.say}".encode()))
        best = damaged(meaning.hanzi(row.say), share, chance)
        worse = [damaged(best, 0.06, chance) for _ in range(2)]
        verdicts.append(judged(row, [Hypothesis(text, "free") for text in (best, *worse)], brain, condition=f"{share:.0%} misheard"))
    return verdicts


# --- from sound -----------------------------------------------------------------------------------------------------


SPEECH = Path(user_cache_dir("xiaoban")) / "bench-speech"
"""Where rendered sentences lie."""


def spoken_at(text: str, voice: str, speed: float) -> Path:
    """The file of one sentence said by one voice."""
    return SPEECH / f"{zlib.crc32(f'{text}|{voice}|{speed}'.encode()):08x}.flac"


def render(wanted: Sequence[tuple[str, str, float]]) -> None:
    """Let a process of its own say what was not said before: the voice's memory is gone before anything is decoded."""
    SPEECH.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps([text, voice, speed, str(spoken_at(text, voice, speed))]) for text, voice, speed in wanted if not spoken_at(text, voice, speed).exists()]
    if lines:
        subprocess.run([sys.executable, str(HERE / "say.py")], input="\n".join(lines), text=True, check=True)


def voice_for(chance: random.Random) -> str:
    """A speaker, or a voice between two."""
    one, other = chance.sample(SPEAKERS, 2)
    if chance.random() < 0.45:
        return one
    share = chance.choice((0.3, 0.4, 0.5, 0.6, 0.7))
    return f"{one}*{share}+{other}*{round(1 - share, 1)}"


def heard_in(wave: np.ndarray[Any, Any], condition: str, seed: int) -> list[bytes]:
    """The sentence in a room with a noise: frames as a microphone gives them."""
    room, kind, snr = CONDITIONS[condition]
    chance = np.random.default_rng(seed)
    if room:
        wave = acoustics.in_room(wave, room, chance)
    if kind:
        wave = acoustics.with_noise(wave, kind, snr, chance)
    quiet = np.zeros(acoustics.RATE // 2)
    wave = np.concatenate([wave / (np.abs(wave).max() or 1.0) * 0.5, quiet])
    return list(pcm_frames([(wave * 32767).astype("<i2").tobytes()]))


def sample(chosen: Sequence[Row], size: int, seed: int) -> list[Row]:
    """`size` rows of all kinds: two thirds in domain evenly over the intents, a sixth distress, a sixth must not act."""
    chance = random.Random(seed)
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in chosen:
        groups[row.name].append(row)
    for group in groups.values():
        chance.shuffle(group)
    kinds = {name: group[0].kind for name, group in groups.items()}
    picked: list[Row] = []
    for kind, share in (("in domain", 0.6), ("distress", 0.15), ("nothing", 0.25)):
        names = [name for name in groups if kinds[name] == kind]
        chance.shuffle(names)
        wanted = min(round(size * share), sum(len(groups[name]) for name in names))
        turn = 0
        while wanted > 0:
            group = groups[names[turn % len(names)]]
            turn += 1
            if group:
                picked.append(group.pop())
                wanted -= 1
    return picked


def from_sound(
    chosen: Sequence[Row], seed: int, console: Console, keep: Callable[[tuple[Row, Sequence[Hypothesis], Any]], object] = bool,
) -> list[Verdict]:
    """Every row said by a voice drawn for it, under a condition drawn for it, decoded both ways and judged.

    `keep` is given each row with what was heard of it.
    """
    plans: list[tuple[Row, str, float, str, int]] = []
    for row in sorted(chosen, key=lambda row: (row.household, row.asking)):
        number = zlib.crc32(f"{seed}{row.household}{row.asking}{row.say}".encode())
        chance = random.Random(number)
        plans.append((row, voice_for(chance), chance.choice(SPEEDS), chance.choice(("clean", "clean", *CONDITIONS)), number))
    render([(row.say, voice, speed) for row, voice, speed, _, _ in plans])
    verdicts = []
    spoken = decoded = 0.0
    hearing, at_home = None, ""
    for row, voice, speed, condition, number in plans:
        if row.household != at_home:
            if hearing is not None:
                hearing.close()
            hearing, at_home = Hearing(home(row.household)), row.household
        assert hearing is not None
        frames = heard_in(np.asarray(soundfile.read(spoken_at(row.say, voice, speed), dtype="float64")[0]), condition, number)
        hearing.phrases(row.asking or None)  # type: ignore[arg-type]  # building the grammar is no part of decoding
        began = time.perf_counter()
        heard = hearing.listen(frames, row.asking or None)  # type: ignore[arg-type]
        decoded += time.perf_counter() - began
        spoken += len(frames) * len(frames[0]) / 32000
        keep((row, heard.hypotheses, hearing.brain))
        verdicts.append(judged(row, heard.hypotheses, hearing.brain, voice=voice, condition=condition, speed=speed))
    if hearing is not None:
        hearing.close()
    console.print(f"{len(plans)} sentences, {spoken:.0f} s of sound; decoded in {decoded / max(spoken, 1e-9):.2f} x real time")
    return verdicts


# --- tables ---------------------------------------------------------------------------------------------------------


def share(part: int, whole: int) -> str:
    """`93.1` with the 95 % interval of Wilson where there are few."""
    if not whole:
        return "–"
    p, z = part / whole, 1.96
    middle, width = p + z * z / (2 * whole), z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    low, high = (middle - width) / (1 + z * z / whole), (middle + width) / (1 + z * z / whole)
    return f"{100 * p:5.1f} [dim]({100 * low:.0f}–{100 * high:.0f})[/dim]"


def summary(verdicts: Sequence[Verdict], title: str) -> Table:
    """The figures asked of us."""
    table = Table(title=title)
    for column in ("%", "", "n"):
        table.add_column(column, justify="left" if not column else "right")
    domain = [v for v in verdicts if v.row.kind == "in domain"]
    distress = [v for v in verdicts if v.row.kind == "distress"]
    still = [v for v in verdicts if v.row.kind == "nothing"]
    for name, group, claim in (
        ("in domain: intent right", domain, lambda v: v.intent), ("in domain: intent and all slots right", domain, lambda v: v.all),
        ("in domain: right, or asked back with the right one offered", domain, lambda v: v.within_two),
        ("in domain: acted on a wrong intent", domain, lambda v: v.got and not v.intent),
        ("emergency recognised at first try", distress, lambda v: v.intent),
        ("emergency recognised, or asked about", distress, lambda v: v.within_two),
        ("emergency: right kind too", distress, lambda v: v.all),
        ("must not act: acted on", still, lambda v: not v.intent), ("must not act: asked back", still, lambda v: v.intent and bool(v.nearest)),
    ):
        table.add_row(share(sum(bool(claim(v)) for v in group), len(group)), name, str(len(group)))
    table.add_row(str(sum(bool(v.danger) for v in verdicts)), "dangerous errors (count)", str(len(verdicts)))
    times = sorted(v.milliseconds for v in verdicts)
    if times:
        table.add_row(f"{times[len(times) // 2]:.1f} / {times[int(0.95 * (len(times) - 1))]:.1f}", "ms a judgement: median / 95 %", str(len(times)))
    return table


def breakdown(verdicts: Sequence[Verdict], title: str, keys: Callable[[Verdict], Iterable[str]]) -> Table:
    """Intent, intent and slots, asked back, wrongly acted, by whatever is asked."""
    table = Table(title=title)
    for column in (title.split()[-1], "n", "intent %", "and slots %", "asked", "wrong", "dangerous"):
        table.add_column(column, justify="left" if column == title.split()[-1] else "right")
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        for key in keys(verdict):
            groups[key].append(verdict)
    for key, group in sorted(groups.items()):
        n = len(group)
        table.add_row(
            key, str(n), f"{100 * sum(v.intent for v in group) / n:.0f}", f"{100 * sum(v.all for v in group) / n:.0f}",
            str(sum(not v.got and bool(v.nearest) for v in group)), str(sum(bool(v.got) and not v.intent for v in group)),
            str(sum(bool(v.danger) for v in group) or ""),
        )
    return table


def show(verdicts: Sequence[Verdict], title: str, console: Console, sound: bool, details: bool) -> None:
    """All tables; with `details` the dangerous errors one by one."""
    console.print(summary(verdicts, title))
    active = [v for v in verdicts if v.row.kind != "nothing"]
    console.print(breakdown(active, "by intent", lambda v: [v.row.name]))
    console.print(breakdown(active, "by phenomenon", lambda v: v.row.tags))
    console.print(breakdown([v for v in verdicts if v.row.kind == "nothing"], "must not act, by phenomenon", lambda v: v.row.tags))
    console.print(breakdown(active, "by household", lambda v: [v.row.household]))
    if sound:
        console.print(breakdown(active, "by condition", lambda v: [v.condition]))
        console.print(breakdown(active, "by voice", lambda v: [v.voice if "*" not in v.voice else "a blend", "women" if "zm" not in v.voice else "men" if "zf" not in v.voice else "between"]))
        console.print(breakdown(active, "by speed", lambda v: [f"{v.speed:.2f}"]))
    counts = Counter(v.danger for v in verdicts if v.danger)
    for danger, count in counts.most_common():
        console.print(f"[bold red]{danger}[/]: {count}")
        for verdict in [v for v in verdicts if v.danger == danger] if details else ():
            console.print("   " + line(verdict), highlight=False, markup=False)


def line(v: Verdict) -> str:
    """One sentence that went wrong, for a person."""
    got = f"{v.got} {dict(v.slots)}" if v.got else ("asks " + " / ".join(v.nearest) if v.nearest else "nothing")
    wrong = f" [slots: {' '.join(v.wrong_slots)}]" if v.intent and not v.all else ""
    said = f"「{v.row.say}」" + (f" heard「{v.heard}」" if v.condition else "")
    where = " ".join(part for part in (v.row.household if v.row.household != "sample" else "", f"asking={v.row.asking}" if v.row.asking else "", v.condition, v.voice) if part)
    return f"{said} {where} want {v.row.name} {dict(v.row.slots)} got {got}{wrong}"


def failures(verdicts: Sequence[Verdict], title: str) -> str:
    """What failed, as a list to read."""
    parts = [f"## {title}: {sum(not v.all for v in verdicts)} of {len(verdicts)} wrong", ""]
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for v in verdicts:
        if v.all and not v.danger:
            continue
        groups["1 DANGEROUS" if v.danger else "2 distress missed" if v.row.kind == "distress" and not v.intent else "3 acted on, must not" if v.row.kind == "nothing"
               else "4 wrong intent acted on" if v.got and not v.intent else "5 right intent, wrong slots" if v.intent else "6 asked back" if v.nearest else "7 not understood"].append(v)
    for name, group in sorted(groups.items()):
        parts += [f"### {name} ({len(group)})", *(f"- {(v.danger + ': ') if v.danger else ''}{line(v)}" for v in group), ""]
    return "\n".join(parts)


# --- plots ----------------------------------------------------------------------------------------------------------


def confusion(verdicts: Sequence[Verdict]) -> str:
    """What was meant (rows) and what was understood (columns) as an SVG; only intents that were confused are named."""
    asked = "(asks)"
    pairs = Counter((v.row.name, v.row.name if v.intent else (v.got or (asked if v.nearest else "(nothing)"))) for v in verdicts)
    rows_ = sorted({want for want, _ in pairs})
    columns = [*sorted({got for _, got in pairs} - {asked, "(nothing)"}), asked, "(nothing)"]
    cell, left, top = 14, 190, 150
    body = []
    for y, want in enumerate(rows_):
        total = sum(n for (w, _), n in pairs.items() if w == want)
        body.append(f'<text x="{left - 6}" y="{top + y * cell + 11}" text-anchor="end">{want} · {total}</text>')
        for x, got in enumerate(columns):
            if n := pairs.get((want, got), 0):
                part = n / total
                colour = f"rgba(20,90,50,{0.2 + 0.8 * part:.2f})" if got == want else f"rgba(200,30,30,{0.25 + 0.75 * part:.2f})"
                body.append(f'<rect x="{left + x * cell}" y="{top + y * cell}" width="{cell - 1}" height="{cell - 1}" fill="{colour}"><title>{want} → {got}: {n}</title></rect>')
                if got != want:
                    body.append(f'<text x="{left + x * cell + 6.5}" y="{top + y * cell + 10}" text-anchor="middle" fill="#fff">{n}</text>')
    for x, got in enumerate(columns):
        body.append(f'<text transform="translate({left + x * cell + 10},{top - 6}) rotate(-60)">{got}</text>')
    width, height = left + len(columns) * cell + 110, top + len(rows_) * cell + 10
    return _svg(width, height, body)


def reliability(verdicts: Sequence[Verdict]) -> str:
    """How often a judgement of this score is right: an honest score lies on the diagonal. As an SVG."""
    acted = [v for v in verdicts if v.got]
    size, left, top = 260, 46, 14
    body = [f'<rect x="{left}" y="{top}" width="{size}" height="{size}" fill="none" stroke="#888"/>', f'<line x1="{left}" y1="{top + size}" x2="{left + size}" y2="{top}" stroke="#bbb" stroke-dasharray="4"/>']
    edges = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0001]
    for low, high in zip(edges, edges[1:], strict=False):
        group = [v for v in acted if low <= v.score < high]
        if group:
            x = left + size * (sum(v.score for v in group) / len(group) - 0.5) * 2
            y = top + size * (1 - (max(0.5, sum(v.intent for v in group) / len(group)) - 0.5) * 2)
            body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3 + math.sqrt(len(group)) / 2:.1f}" fill="rgba(20,90,150,.7)"/><text x="{x + 8:.1f}" y="{y + 14:.1f}">{len(group)}</text>')
    for value in (0.5, 0.75, 1.0):
        at = size * (value - 0.5) * 2
        body += [f'<text x="{left + at}" y="{top + size + 14}" text-anchor="middle">{value}</text>', f'<text x="{left - 6}" y="{top + size - at + 4}" text-anchor="end">{value}</text>']
    body += [f'<text x="{left + size / 2}" y="{top + size + 30}" text-anchor="middle">score of the judgement</text>', f'<text transform="translate(12,{top + size / 2}) rotate(-90)" text-anchor="middle">share that is right</text>']
    return _svg(left + size + 20, top + size + 40, body)


def _svg(width: int, height: int, body: Iterable[str]) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="sans-serif" font-size="9">\n<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(body) + "\n</svg>\n"


# --- command --------------------------------------------------------------------------------------------------------


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", action="store_true", help="text as it is written (the default)")
    parser.add_argument("--damaged", action="store_true", help="text as a recogniser damages it")
    parser.add_argument("--sound", type=int, metavar="N", default=0, help="N sentences spoken, decoded and judged")
    parser.add_argument("--seed", type=int, default=1, help="which sentences, voices and rooms are drawn (default 1)")
    parser.add_argument("--held", action="store_true", help="the held half: figures only")
    parser.add_argument("--rounds", nargs="+", metavar="NAME", default=[], help="sentences of these rounds instead of the halves")
    parser.add_argument("--failures", type=Path, metavar="FILE", help="write what failed (never of the held half), for those who mend it")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="write confusion.svg and reliability.svg there")
    options = parser.parse_args()
    console = Console(width=150 if not sys.stdout.isatty() else None)
    half = "rounds" if options.rounds else "held" if options.held else "dev"
    every = of_rounds(options.rounds) or rows()
    chosen = [row for row in every if half in ("rounds", row.half)]
    console.print(f"{platform.node()}, {platform.machine()}, {os.cpu_count()} cores; {len(every)} sentences, {len(chosen)} in the {half} half: {dict(Counter(row.kind for row in chosen))}")
    runs: list[tuple[str, list[Verdict]]] = []
    if options.text or not (options.damaged or options.sound):
        runs.append(("from text", from_text(chosen)))
    if options.damaged:
        runs += [(f"{part:.0%} of syllables misheard", from_damaged(chosen, part)) for part in (0.1, 0.2)]
    if options.sound:
        runs.append(("from sound", from_sound(sample(chosen, options.sound, options.seed), options.seed, console)))
    for title, verdicts in runs:
        show(verdicts, f"{half}: {title}", console, title == "from sound", details=not options.held)
    if options.failures and not options.held:
        options.failures.write_text("\n".join(failures(verdicts, title) for title, verdicts in runs), encoding="utf-8")
    if options.plots:
        together = [verdict for _, verdicts in runs for verdict in verdicts]
        options.plots.mkdir(parents=True, exist_ok=True)
        (options.plots / "confusion.svg").write_text(confusion(together), encoding="utf-8")
        (options.plots / "reliability.svg").write_text(reliability(together), encoding="utf-8")


if __name__ == "__main__":
    main()
