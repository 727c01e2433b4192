"""What the understanding's scores are worth: fits `assistant/understand/confidence.toml` and draws `docs/reliability.svg`.

    python tests/bench/calibrate.py             dev sentences and rounds, as text and with 10, 20 and 30 % of the syllables misheard
    python tests/bench/calibrate.py --sound 100 and as many of them spoken, in rooms and noise
    python tests/bench/calibrate.py --write     keep the fit and the plot (otherwise only the figures are printed)

For each kind of judgement (`confidence.kind`) the share that was right is counted in steps of the score and made monotone by
pooling neighbours (isotonic regression, Ayer 1955). The figure is the expected calibration error, of a fit made on one half of
the sentences (by a hash) and measured on the other, both ways. The held half of `evaluate.py` has no part in this.
"""

from __future__ import annotations

import argparse
import random
import tomllib
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import evaluate
import meaning
import rounds
from rich.console import Console

from assistant.messages import Hypothesis
from assistant.understand import confidence

STEPS = (0.46, 0.55, 0.62, 0.68, 0.74, 0.80, 0.85, 0.90, 0.94, 0.97, 1.001)
PRIOR = 4.0
"""Judgements of the kind's own share that are added to each step: a step of two says little by itself."""
OUT = evaluate.HERE.parent.parent / "assistant" / "understand" / "confidence.toml"
PLOT = evaluate.HERE.parent.parent / "docs" / "reliability.svg"


@dataclass(frozen=True, slots=True)
class Point:
    """One judgement that acted or asked."""

    kind: str
    score: float
    right: bool
    half: int


def point(say: str, intent: str, hypotheses: Sequence[Hypothesis], brain: Any, now: str, asking: str, options: tuple[str, ...]) -> Iterator[Point]:
    """The judgement with the score it was made by."""
    moment = datetime.fromisoformat(now).replace(tzinfo=brain.household.zone)
    explained = brain.explain(hypotheses, moment, asking or None, options)
    scores = dict(explained.scores)
    acted = explained.judgement.meaning
    half = zlib.crc32(say.encode()) // 2 % 2
    for one in (acted,) if acted else explained.judgement.nearest[:1]:
        right = meaning.right_intent(intent, one.intent) and bool(intent)
        yield Point(confidence.kind(acted is not None, one.intent), scores.get(one.intent, 0.95), right, half)


def judged(sound: int, console: Console) -> list[Point]:
    """All judgements of the dev half, damaged too, of the rounds, and of what is spoken."""
    points: list[Point] = []
    dev = [row for row in evaluate.rows() if row.half == "dev"]
    for row, brain in evaluate.with_brain(dev):
        text = meaning.hanzi(row.say)
        for part in (0.0, 0.1, 0.2, 0.3):
            chance = random.Random(zlib.crc32(f"calibrate{part}{row.say}".encode()))
            best = evaluate.damaged(text, part, chance)
            said = [Hypothesis(best, "free", 0.6), *(Hypothesis(evaluate.damaged(best, 0.06, chance), "free", 0.4) for _ in range(2))] if part else [Hypothesis(text)]
            points += point(row.say, row.intent, said, brain, row.now, row.asking, row.options)
    for path in sorted(rounds.ROUNDS.glob("*.toml")):
        for one in tomllib.loads(path.read_text(encoding="utf-8"))["s"]:
            if not one["intent"].startswith("?"):
                points += point(one["say"], one["intent"], [Hypothesis(meaning.hanzi(one["say"]))], rounds.understander(one.get("home", "")),
                                one.get("now", rounds.NOW), one.get("asking", ""), tuple(one.get("options", ())))
    if sound:
        heard: list[tuple[evaluate.Row, Sequence[Hypothesis], Any]] = []
        evaluate.from_sound(evaluate.sample(dev, sound, 1), 1, console, heard.append)
        for row, hypotheses, brain in heard:
            points += point(row.say, row.intent, hypotheses, brain, row.now, row.asking, row.options)
    return points


def fit(points: Sequence[Point]) -> dict[str, tuple[list[float], list[float]]]:
    """Kind → scores and shares, rising."""
    kinds: dict[str, list[Point]] = defaultdict(list)
    for one in points:
        kinds[one.kind].append(one)
    curves = {}
    for name, group in sorted(kinds.items()):
        overall = sum(one.right for one in group) / len(group)
        pools: list[list[float]] = []
        for low, high in zip(STEPS, STEPS[1:], strict=False):
            inside = [one for one in group if low <= one.score < high]
            if inside:
                pools.append([sum(one.score for one in inside), sum(one.right for one in inside) + PRIOR * overall, len(inside) + PRIOR, len(inside)])
                while len(pools) > 1 and pools[-2][1] / pools[-2][2] >= pools[-1][1] / pools[-1][2]:
                    last = pools.pop()
                    pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
        curves[name] = ([round(pool[0] / pool[3], 3) for pool in pools], [round(pool[1] / pool[2], 3) for pool in pools])
    return curves


def error(points: Sequence[Point], curves: dict[str, tuple[list[float], list[float]]]) -> float:
    """Expected calibration error over ten steps of the reported share."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for one in points:
        told = confidence.between(*curves[one.kind], one.score) if one.kind in curves else one.score
        bins[min(9, int(told * 10))].append((told, one.right))
    return sum(abs(sum(told for told, _ in group) - sum(right for _, right in group)) for group in bins.values()) / max(1, len(points))


def plot(points: Sequence[Point], curves: dict[str, tuple[list[float], list[float]]]) -> str:
    """Reported share against the share that was right; each point of a half told by the other half's fit. As an SVG."""
    size, left, top = 300, 46, 14
    body = [f'<rect x="{left}" y="{top}" width="{size}" height="{size}" fill="none" stroke="#888"/>',
            f'<line x1="{left}" y1="{top + size}" x2="{left + size}" y2="{top}" stroke="#bbb" stroke-dasharray="4"/>']
    for label, colour, raw in (("score as it was", "rgba(190,90,30,.6)", True), ("as reported", "rgba(20,90,150,.75)", False)):
        bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
        for one in points:
            told = one.score if raw else confidence.between(*curves[one.kind], one.score)
            bins[min(9, int(told * 10))].append((told, one.right))
        for group in bins.values():
            x, y = sum(told for told, _ in group) / len(group), sum(right for _, right in group) / len(group)
            body.append(f'<circle cx="{left + size * x:.1f}" cy="{top + size * (1 - y):.1f}" r="{2 + len(group) ** 0.5 / 8:.1f}" fill="{colour}"><title>{label}: {len(group)}</title></circle>')
        place = 12 if raw else 26
        body.append(f'<circle cx="{left + 10}" cy="{top + place - 3}" r="4" fill="{colour}"/><text x="{left + 18}" y="{top + place}">{label}</text>')
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        body += [f'<text x="{left + size * value}" y="{top + size + 14}" text-anchor="middle">{value}</text>',
                 f'<text x="{left - 6}" y="{top + size * (1 - value) + 4}" text-anchor="end">{value}</text>']
    body += [f'<text x="{left + size / 2}" y="{top + size + 30}" text-anchor="middle">what the judgement says of itself</text>',
             f'<text transform="translate(12,{top + size / 2}) rotate(-90)" text-anchor="middle">share that is right</text>']
    return evaluate._svg(left + size + 20, top + size + 40, body)


def main() -> None:
    """Measure, print, and keep if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sound", type=int, metavar="N", default=0)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    console = Console(width=120)
    points = judged(options.sound, console)
    halves = [[one for one in points if one.half == half] for half in (0, 1)]
    raw = error(points, {})
    crossed = sum(error(halves[1 - half], fit(halves[half])) * len(halves[1 - half]) for half in (0, 1)) / len(points)
    console.print(f"{len(points)} judgements; expected calibration error: score as it is {100 * raw:.1f} %, fitted on the other half {100 * crossed:.1f} %")
    curves = fit(points)
    for name, (scores, shares) in curves.items():
        console.print(f"{name:8} {sum(one.kind == name for one in points):5} " + "  ".join(f"{score:.2f}→{share:.2f}" for score, share in zip(scores, shares, strict=True)))
    if options.write:
        lines = ["# Written by `python tests/bench/calibrate.py --write`: share of judgements with such a score that were right."]
        lines += [f"[{name}]\nscore = {scores}\nright = {shares}" for name, (scores, shares) in curves.items()]
        Path(OUT).write_text("\n".join(lines) + "\n", encoding="utf-8")
        PLOT.write_text(plot(points, curves), encoding="utf-8")


if __name__ == "__main__":
    main()
