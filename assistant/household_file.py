"""The family's file as it lies there: its names and size, its text, and what a person should mend in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import HouseholdError

LARGEST = 64_000
"""Bytes of a family file; the sample has 4,000, 50 medicines and 40 people 25,000 (64 kB of keys take 3 s to read)."""
SECRET_FILES = ("秘密.yaml", "secrets.yaml")
"""Names looked for beside the family's file."""
MOST_MISTAKES = 60
"""More are counted, not shown: nobody mends from a longer list."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing a person should mend in the file."""

    line: int
    """From 1; 0: the file as a whole."""
    what: str
    hint: str = ""
    file: str = "家庭文件"
    least: str = ""
    """`what` without the name of a medicine, where it has one and no line."""
    meanwhile: str = ""
    """What is done until it is mended, where a house that has run with the file lives with it; quotes nothing of the file."""
    hers: str = ""
    """What she herself must know of that: a sentence."""

    def __str__(self) -> str:
        return f"{self._where}：{self.what}。" + (f"请{self.hint}。" if self.hint else "") + self._until

    def told(self, names_medicines: bool) -> str:
        """A sentence for a message, which may name a medicine only where the family allows it (CARE 7): a line may have one."""
        if names_medicines or not (self.line or self.least):
            return f"{self._where}：{self.what}。{self._until}"
        return (f"{self._where}：{self.least}。" if self.least else f"{self._where}写得不对。") + self._until

    def lived_with(self) -> str:
        """Only where it is and what is done meanwhile."""
        return f"{self._where}：{self.meanwhile}。"

    @property
    def _until(self) -> str:
        return f"改好以前，{self.meanwhile}。" if self.meanwhile else ""

    @property
    def _where(self) -> str:
        return f"{self.file}第 {self.line} 行" if self.line else self.file


class InvalidHousehold(HouseholdError):
    """The file cannot be used as it is; `mistakes` has each one."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.line))
        shown = [str(mistake) for mistake in self.mistakes[:MOST_MISTAKES]]
        if (more := len(self.mistakes) - MOST_MISTAKES) > 0:
            shown.append(f"还有 {more} 处没有列出来，先改上面这些。")
        super().__init__("\n".join(shown))


# --- from bytes to text ------------------------------------------------------------------------------------------


def read_text(path: Path, called: str = "家庭文件") -> str:
    """What the file says. Raises HouseholdError if it cannot be opened, is too large or is not UTF-8."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise InvalidHousehold([Mistake(0, f"找不到 {path}", "先建一个，或者用 --household 指明文件在哪里", called)]) from None
    except IsADirectoryError:
        raise InvalidHousehold([Mistake(0, f"{path} 是一个文件夹，不是文件", f"写到文件为止，例如 {path / '家庭.yaml'}", called)]) from None
    except OSError as error:
        raise InvalidHousehold([Mistake(0, f"打不开 {path}（{error.strerror}）", "检查文件的权限", called)]) from None
    return decoded(raw, called)


def decoded(raw: bytes, called: str = "家庭文件") -> str:
    """`raw` as text. Raises HouseholdError where it is too large or not UTF-8."""
    if len(raw) > LARGEST:
        raise InvalidHousehold([Mistake(0, f"太大了，超过 {LARGEST // 1000} kB", "只留家庭文件里该有的内容", called)])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or not _reads_as_gbk(raw):
            what = "这里开始不是 UTF-8 文字，文件可能没存完整"
        else:
            what = "文件是 GBK 编码，不是 UTF-8"
        raise InvalidHousehold([Mistake(line, what, "在编辑器里选“另存为”，编码选 UTF-8", called)]) from None


def _reads_as_gbk(raw: bytes) -> bool:
    try:
        raw.decode("gbk")
    except UnicodeDecodeError:
        return False
    return True
