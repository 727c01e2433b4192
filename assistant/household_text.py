"""Text a family wrote becomes YAML nodes; what a Chinese keyboard or a torn file broke becomes mistakes with lines."""

from __future__ import annotations

import re
from collections.abc import Callable

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from assistant import household_schema as schema
from assistant.household_file import InvalidHousehold, Mistake

__all__ = ["MappingNode", "Node", "ScalarNode", "SequenceNode"]

_DEEP = re.compile(r"(?:[\[{]\s*){12}|(?:[-?:] ){12}")
"""More levels than any key has; YAML's reader gets slow on thousands."""
MOST_ROUNDS = 20
"""Lines left out of a broken file before giving up."""
MISALIGNED = "这一行没有对齐"

_SYNTAX: tuple[tuple[str, str, str], ...] = (
    ("quoted scalar", "引号没有配对", "在这一行补上另一个引号"),
    ("cannot start any token", "有一个符号不能放在开头", "给冒号后面的内容加上英文引号"),
    ("mapping values are not allowed", MISALIGNED, "和同一组的上一行对齐；如果内容里有冒号，就加上英文引号"),
    ("could not find expected ':'", "少了冒号，或者冒号后面没有空一格", "写成 名字: 内容 这样"),
    ("while parsing a flow mapping", "花括号 { } 没有配对，或者少了逗号", "检查这一行的 { } 和逗号"),
    ("while parsing a flow sequence", "方括号 [ ] 没有配对，或者少了逗号", "检查这一行的 [ ] 和逗号"),
    ("while parsing a block", MISALIGNED, "和同一组的上一行对齐，缩进用空格"),
    ("alias", "符号 * 在这里有特别的意思", "给内容加上英文引号"),
    ("anchor", "符号 & 在这里有特别的意思", "给内容加上英文引号"),
    ("tag", "符号 ! 在这里有特别的意思", "给内容加上英文引号"),
    ("directive", "符号 % 在这里有特别的意思", "给内容加上英文引号"),
    ("single document", "文件里有两段（--- 或 ... 后面还有内容）", "删掉 --- 或 ... 这一行"),
)
"""Piece of ruamel.yaml's own complaint → what it means to the family. Its text is never shown: it quotes the file."""


def composed(text: str, called: str = "家庭文件") -> Node | None:
    """The tree of YAML nodes, None for an empty text. Raises HouseholdError with one mistake."""
    if deep := _DEEP.search(text):
        line = text[: deep.start()].count("\n") + 1
        raise InvalidHousehold([Mistake(line, "括号套得太深", "照着样例写，不要一层套一层", called)])
    yaml = YAML(typ="safe", pure=True)
    try:
        return yaml.compose(text)  # type: ignore[no-any-return]
    except MarkedYAMLError as error:
        raise InvalidHousehold([_syntax(error, text, called)]) from None
    except ReaderError as error:
        line = text[: error.position].count("\n") + 1 if isinstance(error.position, int) else 0
        raise InvalidHousehold([Mistake(line, "有看不见的控制字符", "删掉这一行重新打一遍", called)]) from None
    except RecursionError:
        raise InvalidHousehold([Mistake(0, "括号套得太深", "照着样例写，不要一层套一层", called)]) from None
    except (YAMLError, ValueError, IndexError, AttributeError, TypeError, AssertionError, KeyError) as error:
        # ruamel.yaml lets some of its own slips through on garbage (an AttributeError on b"%YAML 1" is one).
        del error
        raise InvalidHousehold([Mistake(0, "看不懂这个文件", "照着样例重新写", called)]) from None


def _syntax(error: MarkedYAMLError, text: str, called: str) -> Mistake:
    said = f"{error.context or ''} {error.problem or ''}"
    opened = error.context_mark if "quoted" in said or "flow" in said or "expected ':'" in said else None
    mark = opened or error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    if no_dash := _without_dash(text.split("\n"), *(one.line for one in (error.context_mark, error.problem_mark) if one)):
        return Mistake(no_dash, "这一行前面少了减号", "和它上下的那几行一样，开头写减号和空格", called)
    source = text.split("\n")[line - 1] if 0 < line <= text.count("\n") + 1 else ""
    if "flow" in said and (source.count('"') % 2 or source.count("'") % 2):
        return Mistake(line, "引号没有配对", "在这一行补上另一个引号", called)
    for piece, what, hint in _SYNTAX:
        if piece in said:
            return Mistake(line, what, hint, called)
    return Mistake(line, "这一行的写法不对", "照着样例改一改", called)


def _without_dash(lines: list[str], *places: int) -> int:
    """The line (from 1), at or just above one of `places` (from 0), that stands among lines with a list mark and has none; 0 if there is none."""

    def marked(at: int | None, margin: int) -> bool:
        return at is not None and lines[at].lstrip().startswith("-") and _margin(lines[at]) == margin

    written = [at for at, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    for place in places:
        for at in [one for one in written if one <= place][-1:-3:-1]:
            here = written.index(at)
            margin = _margin(lines[at])
            above, below = (written[near] if 0 <= near < len(written) else None for near in (here - 1, here + 1))
            if margin and not marked(at, margin) and (marked(above, margin) or marked(below, margin)):
                return at + 1
    return 0


def _not_indented(lines: list[str], at: int) -> int | None:
    """The line above the misaligned one where a key of a group begins at the margin: it is that one which is out of line."""
    above = next((one for one in range(at - 1, -1, -1) if lines[one].strip()), None)
    if above is None or _margin(lines[above]) or not _margin(lines[at]):
        return None
    key = re.match(rf"({KEY})\s*:", lines[above])
    return above if key and key[1] not in schema.spellings(schema.HouseholdEntry) else None


def mended(text: str) -> tuple[Node | None, list[Mistake], bool]:
    """The tree, leaving out lines that cannot be read; each is a mistake. The last: whether any line was left out."""
    mistakes: list[Mistake] = []
    lines = text.split("\n")
    left_out: set[int] = set()
    for _ in range(MOST_ROUNDS):
        try:
            return composed("\n".join(lines)), mistakes, bool(left_out)
        except InvalidHousehold as error:
            mistake = error.mistakes[0]
        if mistake.what == MISALIGNED and 0 < mistake.line <= len(lines) and (above := _not_indented(lines, mistake.line - 1)) is not None:
            word = lines[above].partition(":")[0].strip()
            mistakes.append(Mistake(above + 1, f"「{word}」前面没有空格", "前面空两格，和下面一行对齐"))
            lines[above] = " " * _margin(lines[mistake.line - 1]) + lines[above]
            continue
        if not (mistake.what == MISALIGNED and mistake.line - 1 in left_out):
            mistakes.append(mistake)  # A line is often only misaligned because the one above was left out.
        at = mistake.line - 1
        if not 0 <= at < len(lines) or mistake.line in left_out:
            break
        below = next((line for line in lines[at + 1 :] if line.strip()), "")
        ends_here = _margin(below) <= _margin(lines[at])
        if ends_here and (closed := _closed(lines[at])) != lines[at]:
            lines[at] = closed  # Only to see what else is wrong on this line.
            continue
        left_out.add(mistake.line)
        lines[at] = ""
    return None, mistakes, True


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


_PAIRS = {"{": "}", "[": "]"}


def _closed(line: str) -> str:
    """The line with the brackets that it opens closed, innermost first, before its comment; itself if a quote is open."""
    body, comment = _uncommented(line)
    bare = _QUOTED.sub("", body)
    open_: list[str] = []
    for char in bare:
        if char in _PAIRS:
            open_.append(_PAIRS[char])
        elif open_ and char == open_[-1]:
            open_.pop()
        elif char in "}]" and len(open_) > 1 and char == open_[-2]:
            return line  # [敏敏, 闺女, …}: which place the bracket belongs to nobody knows.
    return line if '"' in bare else body.rstrip().rstrip(",") + "".join(reversed(open_)) + ("  " + comment if comment else "")


def _known_keys() -> str:
    words = {"老人"}
    for shape in (schema.HouseholdEntry, *(shape for _, shape in schema.sections())):
        words |= set(schema.spellings(shape))
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


KEY = _known_keys()
"""Every key there is, as a regular expression."""
_BRACKETS = str.maketrans("｛｝［］【】", "{}[][]")


def _quoted(found: re.Match[str]) -> str:
    return '"' + next(group for group in found.groups() if group is not None) + '"'


_FULLWIDTH: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str], str, str], ...] = (
    (re.compile(rf"(^\s*(?:-\s*)?[^\s:：\"'{{\[#]{{1,20}}|(?<=[\s{{,，])(?:{KEY}))\s*：\s*"), r"\1: ", "用了中文的冒号", "改成英文冒号，后面空一格"),
    (re.compile(rf"(^\s*(?:-\s*)?|[{{,，]\s*)({KEY}):(?=[^\s/,，}}\]])"), r"\1\2: ", "冒号后面没有空格", "在冒号后面空一格"),
    (re.compile(rf"(^\s*(?:-\s*)?|[{{,，]\s*)({KEY}):(?=[,，}}\]])"), r"\1\2: ", "冒号后面是空的", "在冒号后面写上内容，或者删掉这一项"),
    (re.compile(rf"，\s*(?=(?:{KEY})\s*[:：])"), ", ", "用了中文的逗号", "改成英文逗号，后面空一格"),
    (re.compile(r"[｛｝［］]|(?<=[:,\[-] )【|】(?=\s*(?:[,}\]]|$))"), lambda found: found[0].translate(_BRACKETS), "用了中文的括号", "改成英文的 { } 或 [ ]"),
    (re.compile(r"(?<=[:,\[{] )[“”＂]([^“”＂\"]*)[“”＂]|(?<=\[)[“”＂]([^“”＂\"]*)[“”＂]"), _quoted, "用了中文的引号", "改成英文引号"),
    (re.compile(r"^(\s*)[－—–•·]\s*(?=\S)"), r"\1- ", "开头的减号不是英文减号", "改成英文减号，后面空一格"),
    (re.compile(r"^(\s*)-(?=[{\[\u3400-\u9fff])"), r"\1- ", "减号后面没有空格", "在减号后面空一格"),
)  # fmt: skip
"""What an input method for Chinese puts into YAML: pattern, what it should be, what to say, what to do."""


def tidied(text: str) -> tuple[str, list[Mistake]]:
    """`text` with what a Chinese input method broke put right (same number of lines), and each place as a mistake.

    The file is refused all the same; putting it right only lets the other mistakes be found in the same round.
    """
    mistakes: list[Mistake] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for at, line in enumerate(lines):
        margin = line[: len(line) - len(line.lstrip())]
        if "\t" in margin:
            mistakes.append(Mistake(at + 1, "开头用了 Tab 键", "改成空格"))
        if margin.strip(" \t"):
            mistakes.append(Mistake(at + 1, "开头用了中文空格", "改成英文空格"))
        line = re.sub(r"[^ ]", "  ", margin) + line[len(margin) :]
        body, comment = _uncommented(line)
        for pattern, right, what, hint in _FULLWIDTH:
            put_right = _outside_quotes(pattern, right, body)
            if put_right != body:
                mistakes.append(Mistake(at + 1, what, hint))
                body = put_right
        lines[at] = body + comment
    return "\n".join(lines), mistakes


def _uncommented(line: str) -> tuple[str, str]:
    """The line before its comment, and the comment."""
    quote = ""
    for at, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'" and (at == 0 or line[at - 1] in " [{,"):
            quote = char
        elif char == "#" and (at == 0 or line[at - 1] in " \t"):
            return line[:at], line[at:]
    return line, ""


_HIDDEN = "\ue000"
"""Stands for a quoted piece; a private character nobody types."""
_QUOTED = re.compile(r"(?<![^\s\[{,])(\"(?:[^\"\\]|\\.)*\"|'[^']*')")


def _outside_quotes(pattern: re.Pattern[str], right: str | Callable[[re.Match[str]], str], line: str) -> str:
    """`line` with `pattern` replaced, quoted pieces left alone."""
    if _HIDDEN in line:
        return line
    quoted = _QUOTED.findall(line)
    replaced = pattern.sub(right, _QUOTED.sub(_HIDDEN, line))
    return re.sub(_HIDDEN, lambda _: quoted.pop(0), replaced)


def short(text: str) -> str:
    """A piece of the file in a message: never long, never with control characters, never something like a secret."""
    seen = "".join(char if char.isprintable() else "�" for char in text)
    return seen if len(seen) <= 16 else seen[:8] + "…"
