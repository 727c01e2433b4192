"""The TOML files of the intents folder become a phrasebook; hassil parses the templates (only this file knows hassil)."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    Sentence,
    TextChunk,
)
from hassil.parse_expression import parse_sentence

from assistant.messages import Asking
from assistant.understand.matcher import FREE, NUMBERS, OPENING, TIMES
from assistant.understand.phrasebook import (
    DEFAULT_STRENGTH,
    Example,
    Frame,
    Guard,
    Phrasebook,
    PhrasebookError,
    Template,
)
from assistant.understand.slots import NAMES

QUESTIONS: tuple[str, ...] = get_args(Asking)
"""What may be asked and stand open."""
MAX_DEPTH = 12
"""Rules inside rules; deeper is a circle."""
MAX_NODES = 4000
"""Characters of one template with its rules filled in; more is a mistake that would cost every sentence time."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "文件": ("intents", "replies", "topics", "words", "rules", "hints", "heard", "anchors", "guard", "distress", "cancel", "seen_through"),
    "意图": ("phrases", "frames", "examples", "must_not", "asked", "asked_frames", "values", "grades", "perhaps"),
    "例句": ("say", "slots", "asking", "now", "options"),
    "guard": ("name", "when", "unless", "stops", "weakens", "of_clause", "not_beside", "unyielding"),
    "hints": ("names", "words", "needs", "frames", "told"),
    "topics": ("english", "chinese", "place"),
}
"""Every key there is, by where it stands: a misspelt one would be passed over."""
SLOTS = frozenset({f"{{{name}}}" for name in NAMES}) | FREE | TIMES | NUMBERS
"""What may stand in braces in a phrase or frame."""

_ITEM = re.compile(r"[?!]?[^\s]+")
_NAME = re.compile(r"[A-Z][A-Z0-9_]*|\{[a-z_]+\}|[\u3400-\u9fff]+")


def read(folder: Path) -> Phrasebook:
    """Every `*.toml` in `folder` as a phrasebook.

    Raises PhrasebookError with all mistakes, each with its file and line or phrase.
    """
    return Reader(folder).book()


class Reader:
    """One pass over the folder; mistakes are collected."""

    def __init__(self, folder: Path) -> None:
        self.mistakes: list[str] = []
        self.files: dict[str, dict[str, Any]] = {}
        for path in sorted(folder.glob("*.toml")):
            try:
                self.files[path.name] = tomllib.loads(path.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                self.mistakes.append(f"{path.name}：{error}")
        if not self.files and not self.mistakes:
            self.mistakes.append(f"{folder} 里没有任何 .toml 文件")
        self.shared: dict[str, Sentence] = {}
        self.local: dict[str, dict[str, Sentence]] = {}
        self.literal: set[str] = set()
        self.words: dict[str, list[str]] = {}

    def book(self) -> Phrasebook:
        for name, data in self.files.items():
            self.local[name] = self._rules(name, data.get("rules", {}))
            for concept, words in data.get("words", {}).items():
                self.words.setdefault(concept, []).extend(self._sentences(words, name, f"[words] {concept}"))
        self.shared = {key: rule for name in self.files if name.startswith("_") for key, rule in self.local[name].items()}
        templates: list[Template] = []
        frames: list[Frame] = []
        guards: list[Guard] = []
        must_not: list[tuple[str, str]] = []
        examples: list[Example] = []
        values: dict[str, dict[str, tuple[tuple[str, tuple[Frame, ...]], ...]]] = {}
        grades: dict[str, tuple[tuple[str, tuple[Frame, ...]], ...]] = {}
        perhaps: dict[str, tuple[Frame, ...]] = {}
        heard: dict[str, list[str]] = {}
        hints: dict[str, list[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]] = {}
        needs: dict[str, list[tuple[tuple[str, ...], tuple[Frame, ...]]]] = {}
        told: dict[str, list[tuple[tuple[str, ...], tuple[re.Pattern[str], ...]]]] = {}
        anchors: dict[str, tuple[Frame, ...]] = {}
        distress: list[str] = []
        cancel: list[str] = []
        through: set[str] = set()
        for name, data in self.files.items():
            self._check_keys(name, data)
            distress += self._sentences(data.get("distress", []), name, "distress")
            cancel += self._sentences(data.get("cancel", []), name, "cancel")
            through.update(data.get("seen_through", ()))
            anchors.update((intent, tuple(self._frames(name, intent, lines, ""))) for intent, lines in data.get("anchors", {}).items())
            for word, wrong in data.get("heard", {}).items():
                heard.setdefault(word, []).extend(wrong)
            for kind, rows in data.get("hints", {}).items():
                hints.setdefault(kind, []).extend((tuple(row["names"]), tuple(row["words"]), tuple(row.get("needs", ()))) for row in rows)
                needs.setdefault(kind, []).extend((tuple(row["names"]), tuple(self._frames(name, kind, row["frames"], ""))) for row in rows if "frames" in row)
                told.setdefault(kind, []).extend((tuple(row["names"]), tuple(self._patterns(name, row["told"]))) for row in rows if "told" in row)
            for row in data.get("guard", []):
                guards.append(self._guard(name, row))
            for intent, body in data.get("intents", {}).items():
                templates += self._templates(name, intent, body.get("phrases", []), "")
                frames += self._frames(name, intent, body.get("frames", []), "")
                self._check_questions(name, intent, {**body.get("asked", {}), **body.get("asked_frames", {})})
                for asking, lines in body.get("asked", {}).items():
                    templates += self._templates(name, intent, lines, asking)
                for asking, lines in body.get("asked_frames", {}).items():
                    frames += self._frames(name, intent, lines, asking)
                for slot, table in body.get("values", {}).items():
                    values.setdefault(intent, {})[slot] = self._table(name, intent, table)
                if "grades" in body:
                    grades[intent] = self._table(name, intent, body["grades"])
                if "perhaps" in body:
                    perhaps[intent] = tuple(self._frames(name, intent, body["perhaps"], ""))
                must_not += [(intent, say) for say in self._sentences(body.get("must_not", []), name, intent)]
                examples += self._examples(name, intent, body.get("examples", []))
        self._check_names((*frames, *(frame for rows in needs.values() for _, lines in rows for frame in lines), *(frame for lines in (*anchors.values(), *perhaps.values()) for frame in lines), *(frame for guard in guards for frame in (*guard.when, *guard.unless))))
        if self.mistakes:
            raise PhrasebookError("\n".join(self.mistakes))
        for word in self.literal:
            self.words.setdefault(word, []).append(word)
        return Phrasebook(
            tuple(templates), tuple(frames), tuple(guards),
            {concept: tuple(dict.fromkeys(words)) for concept, words in self.words.items()},
            {word: tuple(wrong) for word, wrong in heard.items()},
            values, grades, perhaps, {kind: tuple(rows) for kind, rows in hints.items()}, {kind: tuple(rows) for kind, rows in needs.items()},
            {kind: tuple(rows) for kind, rows in told.items()}, anchors,
            tuple(must_not), tuple(examples), tuple(dict.fromkeys(distress)), tuple(dict.fromkeys(cancel)),
            frozenset(through),
        )

    # --- pieces ---

    def _patterns(self, name: str, written: Sequence[str]) -> Iterator[re.Pattern[str]]:
        for text in written:
            try:
                yield re.compile(text)
            except re.error as error:
                self.mistakes.append(f"{name}，told“{text}”：不是正则表达式（{error}）")

    def _check_keys(self, name: str, data: Mapping[str, Any]) -> None:
        self._known(name, "文件", data)
        for intent, body in data.get("intents", {}).items():
            self._known(f"{name}，{intent}", "意图", body)
            for row in body.get("examples", ()):
                self._known(f"{name}，{intent}，例句“{row.get('say', '')}”", "例句", row)
        for row in data.get("guard", ()):
            self._known(f"{name}，guard {row.get('name', '')}", "guard", row)
        for kind, rows in data.get("hints", {}).items():
            for row in rows:
                self._known(f"{name}，hints.{kind}", "hints", row)
        for topic, row in data.get("topics", {}).items():
            self._known(f"{name}，topics.{topic}", "topics", row)

    def _known(self, where: str, kind: str, row: Mapping[str, Any]) -> None:
        for key in row:
            if key not in KEYS[kind]:
                near = difflib.get_close_matches(key, KEYS[kind], 1)
                self.mistakes.append(f"{where}：不认识“{key}”，" + (f"是不是 {near[0]}" if near else f"有 {'、'.join(KEYS[kind])}"))

    def _sentences(self, lines: object, name: str, where: str) -> list[str]:
        if isinstance(lines, list) and all(isinstance(line, str) for line in lines):
            return [str(line) for line in lines]
        self.mistakes.append(f"{name}，{where}：要写成一列带引号的句子")
        return []

    def _rules(self, name: str, rules: Mapping[str, str]) -> dict[str, Sentence]:
        parsed = {}
        for key, text in rules.items():
            sentence = self._parse(text, name, f"<{key}>")
            if sentence is not None:
                parsed[key] = sentence
        return parsed

    def _parse(self, text: str, name: str, where: str) -> Sentence | None:
        try:
            return parse_sentence(text)
        except Exception as error:  # hassil raises several kinds; all mean: this phrase is not a template
            self.mistakes.append(f"{name}，{where}：“{text}” 读不懂（{error}）")
            return None

    def _templates(self, name: str, intent: str, lines: object, asking: str) -> Iterator[Template]:
        for line in self._sentences(lines, name, intent):
            sentence = self._parse(line, name, intent)
            if sentence is None:
                continue
            graph = _Graph({**self.shared, **self.local[name]})
            try:
                ends = graph.add(sentence.expression, (-1,), 0)
            except _Unknown as error:
                self.mistakes.append(f"{name}，{intent}：“{line}” {error}")
                continue
            if -1 not in ends:
                yield Template(line, intent, tuple(graph.nodes), tuple(graph.before), ends, asking)
            else:
                self.mistakes.append(f"{name}，{intent}：“{line}” 可以是空的，什么都会算是它")

    def _frames(self, name: str, intent: str, lines: object, asking: str) -> Iterator[Frame]:
        for line in self._sentences(lines, name, intent):
            frame = self._frame(line, intent, asking)
            if frame is None:
                self.mistakes.append(f"{name}，{intent}：“{line}” 不是一个框架（要有至少一个概念）")
            else:
                yield frame

    def _frame(self, line: str, intent: str, asking: str = "") -> Frame | None:
        needs: list[frozenset[str]] = []
        may: set[str] = set()
        bans: set[str] = set()
        order: list[tuple[int, int, bool]] = []
        whole, strength = False, DEFAULT_STRENGTH
        for item in _ITEM.findall(line):
            if item == "WHOLE":
                whole = True
            elif item.startswith("@"):
                strength = float(item[1:])
            elif item[0] in "?!":
                (may if item[0] == "?" else bans).update(self._names(item[1:]))
            else:
                links = re.split(r"([<+])", item)
                for index, part in enumerate(links):
                    if index % 2 == 0:
                        needs.append(self._names(part))
                    else:
                        order.append((len(needs) - 1, len(needs), part == "+"))
        if not all(needs) or not needs:
            return None
        polar = any(self._turns(concept) for need in needs for concept in need)
        return Frame(line, intent, tuple(needs), frozenset(may), frozenset(bans), tuple(order), whole, strength, asking, polar)

    def _turns(self, concept: str) -> bool:
        """Whether most words of a concept turn a sentence round: then a NOT near them is part of it."""
        words = self.words.get(concept, [concept])
        return sum(any(char in "没不别甭莫取错" for char in word) for word in words) >= 0.55 * len(words)

    def _names(self, text: str) -> frozenset[str]:
        found = [part for part in text.split("|") if _NAME.fullmatch(part)]
        self.literal.update(part for part in found if not part[0].isascii())
        return frozenset(found) if len(found) == len(text.split("|")) else frozenset()

    def _table(self, name: str, intent: str, table: Mapping[str, Any]) -> tuple[tuple[str, tuple[Frame, ...]], ...]:
        return tuple((value, tuple(self._frames(name, intent, lines, ""))) for value, lines in table.items())

    def _guard(self, name: str, row: Mapping[str, Any]) -> Guard:
        title = str(row.get("name", "?"))
        self._check_questions(name, title, row.get("not_beside", ()))
        return Guard(
            title, tuple(self._frames(name, title, row.get("when", []), "")),
            tuple(self._frames(name, title, row.get("unless", []), "")),
            tuple(row.get("stops", ())), tuple(row.get("weakens", ())), row.get("of_clause") is True, tuple(row.get("not_beside", ())), row.get("unyielding") is True,
        )

    def _check_questions(self, name: str, where: str, questions: Iterable[str]) -> None:
        for question in questions:
            if question not in QUESTIONS:
                self.mistakes.append(f"{name}，{where}：没有“{question}”这样的提问（有 {'、'.join(QUESTIONS)}）")

    def _examples(self, name: str, intent: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Example]:
        for row in rows:
            try:
                yield Example(row["say"], intent, row.get("slots", {}), row.get("asking", ""),
                              str(row.get("now", "2026-11-22T15:00")), tuple(row.get("options", ())))
            except KeyError as error:
                self.mistakes.append(f"{name}，{intent}：例句 {dict(row)} 少了 {error}")

    def _check_names(self, frames: Iterable[Frame]) -> None:
        known = {*self.words, *self.literal, *OPENING.values(), "NUMBER"}
        for frame in frames:
            for concept in frozenset().union(*frame.needs, frame.may, frame.bans):
                if concept.startswith("{"):
                    if concept not in SLOTS:
                        self.mistakes.append(f"{frame.intent}：“{frame.text}” {_no_slot(concept)}")
                elif concept not in known:
                    self.mistakes.append(f"{frame.intent}：“{frame.text}” 用到没有定义的概念 {concept}（写进 [words]）")


class _Unknown(Exception):
    pass


def _no_slot(slot: str) -> str:
    return f"没有 {slot} 这样的空（有 {' '.join(sorted(SLOTS))}）"


class _Graph:
    """A template's expression unrolled into nodes with predecessors, rules filled in."""

    def __init__(self, rules: Mapping[str, Sentence]) -> None:
        self.rules = rules
        self.nodes: list[str] = []
        self.before: list[tuple[int, ...]] = []

    def add(self, expression: Expression, before: tuple[int, ...], depth: int) -> tuple[int, ...]:
        """Append `expression` after the nodes `before`; the nodes it may end with."""
        if depth > MAX_DEPTH or len(self.nodes) > MAX_NODES:
            raise _Unknown("规则套得太深或者太长")
        match expression:
            case TextChunk():
                for char in expression.original_text:
                    if "\u3400" <= char <= "\u9fff":
                        before = self._node(char, before)
                return before
            case ListReference():
                slot = "{" + expression.slot_name + "}"
                if slot not in SLOTS:
                    raise _Unknown(_no_slot(slot))
                return self._node(slot, before)
            case RuleReference():
                rule = self.rules.get(expression.rule_name)
                if rule is None:
                    raise _Unknown(f"用到没有定义的规则 <{expression.rule_name}>")
                return self.add(rule.expression, before, depth + 1)
            case Alternative():
                ends: list[int] = []
                for item in expression.items:
                    ends += self.add(item, before, depth + 1)
                return tuple(dict.fromkeys(ends))
            case Permutation():
                raise _Unknown("不支持 ; 排列，用 frames")
            case Group():
                for item in expression.items:
                    before = self.add(item, before, depth + 1)
                return before
        raise _Unknown(f"不认识 {expression!r}")

    def _node(self, token: str, before: tuple[int, ...]) -> tuple[int, ...]:
        self.nodes.append(token)
        self.before.append(before)
        return (len(self.nodes) - 1,)
