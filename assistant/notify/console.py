"""`console://` and `file://`: messages as JSON lines, for trying a household out and for other programs on the machine."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from assistant.messages import Notify
from assistant.notify.channel import Outcome


@dataclass(frozen=True, slots=True)
class Console:
    """Writes to standard error, since standard output belongs to machine-readable results."""

    def send(self, notify: Notify, seconds: float) -> Outcome:
        """One line."""
        sys.stderr.write(_line(notify) + "\n")
        sys.stderr.flush()
        return Outcome(True, "shown")

    def probe(self, seconds: float) -> Outcome:
        """Always there."""
        return Outcome(True, "there")

    def check(self) -> str:
        """Nothing can be wrong, but nobody is told either."""
        return "只显示在屏幕上，没有人会收到"


@dataclass(frozen=True, slots=True)
class File:
    """Appends to a file that only its owner may read."""

    path: Path

    def send(self, notify: Notify, seconds: float) -> Outcome:
        """One line, on the disk before it counts as sent."""
        try:
            number = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            with os.fdopen(number, "ab") as file:
                file.write(_line(notify).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return Outcome(False, error.strerror or "cannot write")
        return Outcome(True, "written")

    def probe(self, seconds: float) -> Outcome:
        """Whether it could be written."""
        place = self.path if self.path.exists() else self.path.parent
        return Outcome(os.access(place, os.W_OK), "" if os.access(place, os.W_OK) else "cannot write")

    def check(self) -> str:
        """Whether there is a folder to write in."""
        return "" if self.path.parent.is_dir() else f"没有这个目录：{self.path.parent}"


def _line(notify: Notify) -> str:
    return json.dumps(
        {"key": notify.key, "channel": notify.channel, "person": notify.person, "title": notify.title,
         "body": notify.body, "urgent": notify.urgent, "attachment": notify.attachment},
        ensure_ascii=False,
    )


def console(_url: str) -> Console:
    """The channel of one address; what follows `console://` is only a name."""
    return Console()


def file(url: str) -> File:
    """The channel of one address: `file:///home/pi/messages.jsonl`."""
    parts = urlsplit(url)
    return File(Path(unquote(parts.netloc + parts.path)))
