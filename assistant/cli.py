"""Arguments → household → house: the commands. What a machine reads goes to stdout, all else to stderr."""

from __future__ import annotations

import argparse
import difflib
import errno
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from assistant import __version__, places
from assistant.clock import SystemClock
from assistant.errors import XiaobanError
from assistant.home import Household
from assistant.messages import Asking, Hypothesis, Judgement, Meaning, Slot, to_json

if TYPE_CHECKING:
    from assistant.understand.judge import Understander

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit code; errors a person can mend are one message on stderr, never a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] not in COMMANDS and not given[0].startswith("-"):
        print(_no_such_command(given[0]), file=sys.stderr)
        raise SystemExit(WRONG_USAGE)
    options = parser().parse_args(_with_default(given))
    logging.basicConfig(
        level=logging.DEBUG if options.debug else logging.WARNING, format="%(asctime)s %(name)s: %(message)s"
    )
    try:
        return int(COMMANDS[options.command].run(options))
    except XiaobanError as error:
        print(error, file=sys.stderr)
        return error.code
    except BrokenPipeError:
        sys.stderr.close()  # the reader has enough (| head); nothing to tell anyone
        return 0
    except OSError as error:
        log.debug("%s", options.command, exc_info=True)
        print(_refusal(error), file=sys.stderr)
        return XiaobanError.code
    except KeyboardInterrupt:
        print("再见。", file=sys.stderr)
        return 130


WRONG_USAGE = 2
"""Exit code of a command line that means nothing, argparse's own too."""


def _no_such_command(name: str) -> str:
    """What there is instead, and what may have been meant."""
    near = difflib.get_close_matches(name, COMMANDS, 1)
    meant = f"是不是 {near[0]}？" if near else ""
    listed = "\n".join(f"  {command:<12}{about.help}" for command, about in COMMANDS.items())
    return f"没有「{name}」这个命令。{meant}有这些：\n{listed}"


class Parser(argparse.ArgumentParser):
    """Says in Chinese that a command line is wrong, before what argparse has to say about it."""

    def error(self, message: str) -> NoReturn:
        """Exit code 2."""
        self.exit(WRONG_USAGE, f"这条命令写得不对：{message}\n看看怎么写：{self.prog} --help\n")


def _refusal(error: OSError) -> str:
    """What a file, a folder or a disk refused, and what to do."""
    means = {
        errno.ENOSPC: "磁盘满了。请删掉一些东西，腾出地方", errno.EDQUOT: "磁盘满了。请删掉一些东西，腾出地方",
        errno.EROFS: "磁盘只能读不能写。请检查磁盘", errno.EACCES: "没有权限。请检查权限，或者换一个地方",
        errno.EPERM: "没有权限。请检查权限，或者换一个地方", errno.EIO: "磁盘读写出错，可能坏了。请换一张卡",
        errno.ENOENT: "没有这个文件或者目录。请看看写对没有", errno.ENOTDIR: "不是一个目录。请看看写对没有",
        errno.EEXIST: "不是一个目录。请看看写对没有", errno.EISDIR: "是一个目录，不是文件。请看看写对没有",
    }.get(error.errno or 0, f"读不了或者写不了。请运行 {places.command('doctor')} 看看")
    return f"{error.filename or '文件'}：{means}（{error.strerror or error}）。"


def _with_default(arguments: Sequence[str]) -> list[str]:
    """`run` is meant where no command is named."""
    given = list(arguments)
    return given if given and (given[0] in COMMANDS or given[0] in ("-h", "--help", "--version")) else ["run", *given]


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = Parser(
        prog=places.command("").rstrip(), description="小伴：听得懂老人说话的居家语音伙伴 / an offline voice companion for older people",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"xiaoban {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="命令")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.help, description=command.help)
        sub.add_argument("--household", type=Path, metavar="FILE", help="家庭文件")
        sub.add_argument("--data", type=Path, metavar="DIR", help="账本和缓存放在哪里", default=None)
        sub.add_argument("--debug", action="store_true", help="把听到和说出的都写进日志（默认不写）")
        command.arguments(sub)
    return top


# --- hear and understand --------------------------------------------------------------------------------------------


def _meaning_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--json", action="store_true", help="一行一个 JSON")
    sub.add_argument("--explain", action="store_true", help="写出每一步：读音、候选、代价、护栏、决定")
    sub.add_argument("--now", metavar="T", help="当作现在是这个时刻，如 2026-11-22T15:00")
    sub.add_argument("--asking", choices=get_args(Asking), help="当作小伴正在问这一类问题")
    sub.add_argument("--options", metavar="A,B", default="", help="与 --asking which 合用：可选的名字")


def _hear_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("clips", nargs="+", metavar="CLIP", help="录音（WAV、FLAC、OGG）")
    _meaning_arguments(sub)


def _understand_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("texts", nargs="+", metavar="TEXT", help="一句话；也可以是录音文件")
    _meaning_arguments(sub)


def hear(options: argparse.Namespace) -> int:
    """Audio → meaning, one JSON object a line."""
    from assistant.furnish import Hearing
    from assistant.listen.frames import wav_frames

    household = _household(options)
    now = _now(options, household)
    hearing = Hearing(household)
    worst = 0
    for clip in options.clips:
        try:
            frames = Counted(wav_frames(clip))
            hearing.phrases(options.asking)
            began = time.perf_counter()
            hypotheses = hearing.listen(frames, options.asking, clip).hypotheses
            seconds = {"audio": round(frames.seconds, 3), "decode": round(time.perf_counter() - began, 3)}
            _judge(options, hearing.brain, now, clip, hypotheses, seconds)
        except XiaobanError as error:
            print(f"{clip}: {error}", file=sys.stderr)
            worst = error.code
    hearing.close()
    return worst


def understand(options: argparse.Namespace) -> int:
    """Text → meaning, the same object; what names a recording is heard."""
    from assistant.furnish import understander

    options.clips = [text for text in options.texts if _is_file(text)]
    worst = hear(options) if options.clips else 0
    household = _household(options)
    now = _now(options, household)
    brain = understander(household)
    for text in options.texts:
        if text not in options.clips:
            _judge(options, brain, now, None, (Hypothesis(text),), {"audio": 0.0, "decode": 0.0})
    return worst


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a name, or a null byte: a sentence
        return False


def _judge(
    options: argparse.Namespace, brain: Understander, now: datetime, clip: str | None, hypotheses: Sequence[Hypothesis],
    seconds: Mapping[str, float],
) -> None:
    """What it means: in a line, as JSON or step by step, as `options` ask."""
    began = time.perf_counter()
    explained = brain.explain(hypotheses, now, options.asking, _options(options))
    spent = {**seconds, "understand": round(time.perf_counter() - began, 4)}
    if options.explain:
        print(f"{clip}\n{explained}" if clip else explained)
    else:
        _show(options, clip, hypotheses, explained.judgement, spent)


class Counted:
    """Frames that remember how many have passed."""

    def __init__(self, frames: Iterator[bytes]) -> None:
        self._frames = frames
        self.seconds = 0.0

    def __iter__(self) -> Iterator[bytes]:
        for frame in self._frames:
            self.seconds += len(frame) / 32000  # 16 kHz, two bytes
            yield frame


def _show(
    options: argparse.Namespace, clip: str | None, hypotheses: Sequence[Hypothesis], judged: Judgement,
    seconds: dict[str, float],
) -> None:
    meaning = judged.meaning
    best = meaning or (judged.nearest[0] if judged.nearest else None)
    heard = (meaning.text if meaning else "") or (hypotheses[0].text if hypotheses else "")
    if options.json:
        print(json.dumps({
            "clip": clip, "heard": heard, "intent": meaning.intent if meaning else None,
            "slots": to_json(_public(meaning)) if meaning else {}, "score": round(best.score, 3) if best else 0.0,
            "seconds": seconds,
        }, ensure_ascii=False), flush=True)
        return
    name = f"{clip}  " if clip else ""
    if meaning:
        slots = "  ".join(f"{key}={to_json(value)}" for key, value in _public(meaning).items())
        print(f"{name}「{heard}」 → {meaning.intent}  {slots}  ({meaning.score:.2f})", flush=True)
    elif judged.nearest:
        print(f"{name}「{heard}」 → 拿不准，会问：{' 还是 '.join(m.intent for m in judged.nearest)}", flush=True)
    else:
        print(f"{name}「{heard}」 → 不理会", flush=True)


def _public(meaning: Meaning) -> dict[str, Slot]:
    """The slots of the contract; `grade` is between understanding and the emergency skill."""
    return {key: value for key, value in meaning.slots.items() if key != "grade"}


# --- play and demo ----------------------------------------------------------------------------------------------------


def _play_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("files", nargs="+", type=Path, metavar="FILE", help="剧本")
    sub.add_argument("--json", action="store_true", help="一行一个事件")


def play(options: argparse.Namespace) -> int:
    """Plays files; exit 1 where one differs."""
    from assistant.play import play_file

    worst = 0
    for path in options.files:
        happened, differences = play_file(path, _household(options), options.data)
        for line in happened:
            if options.json:
                print(json.dumps(line.to_json(), ensure_ascii=False), flush=True)
            elif text := line.told():
                print(text, flush=True)
        for difference in differences:
            print(f"{path} {difference}", file=sys.stderr)
            worst = 1
    return worst


def _demo_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--out", type=Path, default=Path("demo/day.wav"), metavar="WAV", help="整天对话写到哪里")
    sub.add_argument("--voice", default="", help="用哪个声音（默认按家庭文件）")


def demo(options: argparse.Namespace) -> int:
    """The sample household's day from recorded clips."""
    from assistant.demo import day

    return day(_household(options), options.out, options.voice)


# --- house --------------------------------------------------------------------------------------------------------------


def _run_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--microphone", default="", metavar="NAME", help="用名字里有这几个字的麦克风")
    sub.add_argument("--loudspeaker", default="", metavar="NAME", help="用名字里有这几个字的喇叭")
    sub.add_argument("--keyboard", action="store_true", help="回车键当求助按钮，c 取消，w 当唤醒词（测试用）")


def run(options: argparse.Namespace) -> int:
    """Listens and answers."""
    from assistant.house import live

    return live(options.household or places.household_file(), _data(options), options.microphone, options.loudspeaker,
                options.keyboard)


def _check_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--preview", action="store_true", help="把明天要说的话念一遍，也存成录音")
    sub.add_argument("--loudspeaker", default="", metavar="NAME", help="从名字里有这几个字的喇叭念")
    sub.add_argument("--new", action="store_true", help="没有家庭文件就放一份样例")


def check(options: argparse.Namespace) -> int:
    """Checks the household file."""
    from assistant.check import run_check
    from assistant.household import new

    path = options.household or places.household_file()
    if options.new:
        made = new(path)
        print(f"放了一份样例：{path}。改成自家的，再检查一遍。" if made else f"已经有家庭文件了，没有动它：{path}")
    code = run_check(path, places.models_dir(), sys.stdout, _data(options))
    if code == 0 and options.preview:
        from assistant.clock import SystemClock
        from assistant.household import load
        from assistant.preview import aloud

        home = load(path)
        aloud(home, SystemClock(home.zone).wall(), _data(options), sys.stdout, options.loudspeaker)
    return code


def doctor(options: argparse.Namespace) -> int:
    """Looks at every part and says what to do."""
    from assistant.doctor import examine

    return examine(options.household or places.household_file(), _data(options), sys.stdout)


def _fetch_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("names", nargs="*", metavar="NAME", help="只取这些（默认全部）")


def fetch(options: argparse.Namespace) -> int:
    """Models and voices, verified."""
    from assistant.fetch import run_fetch

    return run_fetch(tuple(options.names), places.models_dir())


def _report_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--days", type=int, default=7, metavar="N", help="最近几天（默认 7）")
    sub.add_argument("--html", type=Path, metavar="FILE", help="写一页能打印的网页")
    sub.add_argument("--csv", type=Path, metavar="FILE", help="写成表格")
    sub.add_argument("--fhir", type=Path, metavar="FILE", help="写成医院系统能读的 FHIR R4")


def report(options: argparse.Namespace) -> int:
    """Doses, readings, incidents, bookings."""
    from assistant.care import SCHEMAS
    from assistant.report import run_report
    from assistant.store import Store

    household = _household(options)
    store = Store.copied(_data(options) / places.LEDGER, SCHEMAS)
    now = SystemClock(household.zone).wall()
    return run_report(store, household, now, options.days, options.html, options.csv, options.fhir)


# --- shared -----------------------------------------------------------------------------------------------------------


def _household(options: argparse.Namespace) -> Household:
    from assistant.household import load

    if options.household is not None:
        return load(options.household)
    own = places.household_file()
    if own.exists() and options.command != "demo":
        return load(own)
    if options.command in ("run", "report"):
        raise XiaobanError(f"还没有家庭文件：{own}\n先运行 {places.command('check --new')} 放一份样例，改成自家的。")
    return load(places.sample_household())


def _options(options: argparse.Namespace) -> tuple[str, ...]:
    return tuple(name for name in options.options.split(",") if name)


def _data(options: argparse.Namespace) -> Path:
    return options.data or places.data_dir()


def _now(options: argparse.Namespace, household: Household) -> datetime:
    if not options.now:
        return SystemClock(household.zone).wall()
    try:
        moment = datetime.fromisoformat(options.now)
    except ValueError:
        raise XiaobanError(f"看不懂 --now {options.now}；写成 2026-11-22T15:00。") from None
    return moment.astimezone(household.zone) if moment.tzinfo else moment.replace(tzinfo=household.zone)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what it is for, its options, what it does."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], Any]
    run: Callable[[argparse.Namespace], int]


COMMANDS: dict[str, Command] = {
    "run": Command("听和答（默认）/ listen and answer", _run_arguments, run),
    "demo": Command("听一天的演示，不用麦克风 / a day from recorded clips", _demo_arguments, demo),
    "hear": Command("录音 → 意思 / audio to meaning", _hear_arguments, hear),
    "understand": Command("文字 → 意思 / text to meaning", _understand_arguments, understand),
    "play": Command("演剧本并核对 / play a conversation and compare", _play_arguments, play),
    "check": Command("检查家庭文件 / check the household file", _check_arguments, check),
    "doctor": Command("检查麦克风、喇叭、模型、时钟、通知 / examine every part", lambda _: None, doctor),
    "fetch": Command("取模型和声音 / fetch models and voices", _fetch_arguments, fetch),
    "report": Command("给家人和医生的报告 / report for family and doctor", _report_arguments, report),
}
"""A new command is a line here."""
