"""What 小伴 says: whole sentences from `intents/*.toml`, chosen without chance and filled with words."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assistant.errors import XiaobanError


@dataclass
class Replies:
    """Sentences by (skill, key). A key with several variants gives them in turn, so nothing is said the same way twice."""

    sentences: Mapping[tuple[str, str], tuple[str, ...]]
    _turn: dict[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Replies:
        """All `[replies]` tables; the skill is the file's name."""
        sentences: dict[tuple[str, str], tuple[str, ...]] = {}
        for path in sorted(folder.glob("*.toml")):
            with path.open("rb") as file:
                table = tomllib.load(file).get("replies", {})
            for key, value in table.items():
                sentences[path.stem, key] = (value,) if isinstance(value, str) else tuple(value)
        return cls(sentences)

    def say(self, skill: str, key: str, **words: object) -> str:
        """The next variant of a sentence with its words filled in. Raises XiaobanError if it or a word is missing."""
        try:
            variants = self.sentences[skill, key]
        except KeyError:
            raise XiaobanError(f"intents/{skill}.toml 的 [replies] 里没有 {key} 这句话。") from None
        turn = self._turn.get((skill, key), 0)
        self._turn[skill, key] = turn + 1
        try:
            return variants[turn % len(variants)].format(**words)
        except KeyError as error:
            raise XiaobanError(f"intents/{skill}.toml 的 {key} 要用 {error}，技能没有给。") from None

    def words_of(self, skill: str, key: str) -> frozenset[str]:
        """Names in braces that any variant of a sentence needs."""
        return frozenset(
            name for text in self.sentences[skill, key] for _, name, _, _ in string.Formatter().parse(text) if name
        )

    def fixed(self) -> Iterator[str]:
        """Sentences without any word to fill: these can be rendered ahead."""
        for (skill, key), variants in self.sentences.items():
            if not self.words_of(skill, key):
                yield from variants
