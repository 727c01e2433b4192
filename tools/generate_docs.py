"""Writes what is generated: the state diagrams in docs/states.md and "what one can say" in both READMEs.

`--check` writes nothing and fails where a file is out of date (a test runs it).
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from assistant.care import booking, dose, incident, message  # noqa: E402

MACHINES = (
    ("dose", "Dose / 一次药", dose.TRANSITIONS),
    ("incident", "Incident / 一次呼救", incident.TRANSITIONS),
    ("booking", "Booking / 一次预约", booking.TRANSITIONS),
    ("message", "Message / 一条消息", message.TRANSITIONS),
)

UNSPOKEN = ("dialogue",)
"""Kinds of intents that only answer a question: nobody need be told to say them."""


def diagrams() -> str:
    """docs/states.md."""
    out = ["# State diagrams", "", "Generated from the transition tables by `make docs`; do not edit.", ""]
    for _, title, table in MACHINES:
        out += [f"## {title}", "", "```mermaid", "stateDiagram-v2"]
        arrows: dict[tuple[str, str], list[str]] = {}
        for (state, step), to in table.items():
            arrows.setdefault((state.value, to.value), []).append(step.value)
        out += [f"    {a} --> {b}: {', '.join(steps)}" for (a, b), steps in arrows.items()]
        out += ["```", ""]
    return "\n".join(out)


def sayings(chinese: bool) -> str:
    """The list of what one can say, two examples an intent, under the `[topics]` of their files in the order of their `place`."""
    found: dict[str, list[str]] = {}
    topics: dict[str, dict[str, Any]] = {}
    for path in sorted((ROOT / "intents").glob("[a-z]*.toml")):
        read = tomllib.loads(path.read_text(encoding="utf-8"))
        topics.update(read.get("topics", {}))
        for intent, entry in read.get("intents", {}).items():
            says = [example["say"] for example in entry.get("examples", ()) if "asking" not in example][:2]
            topic = intent.split(".")[0]
            if says and topic not in (*topics, *UNSPOKEN):
                raise SystemExit(f'{path.name}: say what {topic}.* is called: [topics] {topic} = {{ english = "…", chinese = "…" }}')
            if says and topic in topics:
                found.setdefault(topic, []).append(f"{' · '.join(says)} (`{intent}`)")
    lines = []
    for topic, named in sorted(topics.items(), key=lambda one: one[1].get("place", len(topics) + 1)):
        lines += [f"- **{named['chinese' if chinese else 'english']}**", *(f"  - {line}" for line in found.get(topic, ()))]
    return "\n".join(lines)


def between(text: str, name: str, new: str) -> str:
    """The text with what stands between `<!-- name -->` and `<!-- /name -->` replaced."""
    return re.sub(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m: f"{m[1]}{new}\n{m[2]}", text, flags=re.DOTALL)


def main() -> int:
    """Write, or check."""
    files = {ROOT / "docs" / "states.md": diagrams()}
    for name, chinese in (("README.md", False), ("README.zh.md", True)):
        path = ROOT / name
        files[path] = between(path.read_text(encoding="utf-8"), "sayings", sayings(chinese))
    stale = [p for p, text in files.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run `make docs`", file=sys.stderr)
        return bool(stale)
    for path in stale:
        path.write_text(files[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
