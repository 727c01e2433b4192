"""The disk as it would be if the power failed after each system call of a dose day, opened by the real store.

A real run is recorded with strace; its writes, cuts, syncs and unlinks to the ledger's folder are replayed one by one.
After each, three disks are built: all that was not synced is lost; the same, but an unlink has not arrived; a random
half of the unsynced writes arrived. In the spirit of ALICE (Pillai et al., OSDI 2014).
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CALLS = "openat,pwrite64,write,ftruncate,unlink,fsync,fdatasync"
LEDGER_FILES = ("ledger.db", "ledger.db-journal")


@dataclass(frozen=True, slots=True)
class Call:
    """One system call that changes the folder, or `said`: something was acknowledged to a person."""

    kind: str
    """write, truncate, unlink, sync, said."""
    path: str = ""
    at: int = 0
    data: bytes = b""


def record(command: list[str], folder: Path, trace: Path, timeout: float = 120.0) -> list[Call]:
    """Run `command` under strace; what it did to `folder`, and the lines it printed that begin with SAID."""
    subprocess.run(
        ["strace", "-f", "-y", "-xx", "-s", "2000000", "-e", f"trace={CALLS}", "-o", str(trace), *command],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=timeout, check=True,
    )
    return list(_calls(trace, folder))


def _plain(hexed: str) -> bytes:
    return bytes.fromhex(hexed.replace("\\x", ""))


def _calls(trace: Path, folder: Path) -> Iterator[Call]:
    with trace.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            found = re.match(r"\d+\s+(\w+)\((.*)\)\s+= (-?\d+)", line)
            if not found or int(found[3]) < 0:
                continue
            name, arguments = found[1], found[2]
            texts = [_plain(t) for t in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', arguments)]
            fd = re.match(r"(\d+)<((?:\\x[0-9a-f]{2})*|[^>]*)>", arguments)
            path = (_plain(fd[2]).decode() if fd and fd[2].startswith("\\x") else fd[2]) if fd else ""
            if name == "write" and fd and fd[1] == "1" and texts:
                for told in texts[0].decode("utf-8", "replace").splitlines():
                    if told.startswith("SAID"):
                        yield Call("said", data=told.encode())
            elif name == "unlink" and texts and texts[0].decode().startswith(str(folder)):
                yield Call("unlink", texts[0].decode())
            elif not path.startswith(str(folder)):
                continue
            elif name == "pwrite64":
                yield Call("write", path, int(arguments.rsplit(",", 1)[1]), texts[0])
            elif name == "ftruncate":
                yield Call("truncate", path, int(arguments.rsplit(",", 1)[1]))
            elif name in ("fsync", "fdatasync"):
                yield Call("sync", path)


@dataclass
class Disk:
    """What is in memory, what is safe, what is on its way."""

    memory: dict[str, bytearray] = field(default_factory=dict)
    safe: dict[str, bytes] = field(default_factory=dict)
    pending: dict[str, list[Call]] = field(default_factory=dict)
    unlinked: dict[str, bytes] = field(default_factory=dict)

    def do(self, call: Call) -> None:
        """One call happens."""
        if call.kind in ("write", "truncate"):
            _apply(self.memory.setdefault(call.path, bytearray()), call)
            self.pending.setdefault(call.path, []).append(call)
        elif call.kind == "unlink":
            self.memory.pop(call.path, None)
            self.pending.pop(call.path, None)
            if (was := self.safe.pop(call.path, None)) is not None:
                self.unlinked[call.path] = was
        elif call.kind == "sync" and call.path in self.memory:
            self.safe[call.path] = bytes(self.memory[call.path])
            self.pending.pop(call.path, None)
            self.unlinked.pop(call.path, None)
        elif call.kind == "sync":
            self.unlinked.clear()  # the folder itself

    def after_power_loss(self, chance: random.Random) -> Iterator[tuple[str, dict[str, bytes]]]:
        """(how it failed, path → content) of each disk that may be found."""
        yield "lose unsynced", dict(self.safe)
        if self.unlinked:
            yield "unlink late", {**self.unlinked, **self.safe}
        if self.pending:
            half = {path: bytearray(content) for path, content in self.safe.items()}
            for path, calls in self.pending.items():
                for call in calls:
                    if chance.random() < 0.5:
                        _apply(half.setdefault(path, bytearray()), call)
            yield "random half", {path: bytes(content) for path, content in half.items()}


def _apply(content: bytearray, call: Call) -> None:
    if call.kind == "truncate":
        del content[call.at:]
        return
    if len(content) < call.at:
        content.extend(b"\0" * (call.at - len(content)))
    content[call.at:call.at + len(call.data)] = call.data


def build(files: dict[str, bytes], folder: Path) -> Path:
    """Write such a disk into an empty folder. Returns the ledger."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, content in files.items():
        (folder / Path(path).name).write_bytes(content)
    return folder / LEDGER_FILES[0]


def strace_works() -> bool:
    """Whether processes may be traced here; containers often forbid it."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", sys.executable, "-c", ""], capture_output=True, check=False).returncode == 0
