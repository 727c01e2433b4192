"""`sms:` and `modem:`: a text message through a mobile modem of this machine (ModemManager's `mmcli`). Experimental.

Tried against a stand-in for mmcli only, on no modem yet. There is no key a peer could know a repetition by: a message whose
fate is unknown may arrive twice.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from dataclasses import dataclass
from time import monotonic

from assistant.messages import Notify
from assistant.notify.channel import Outcome, without_secrets

NUMBER = re.compile(r"\+?[0-9]{3,15}\Z")
LONGEST = 300
"""Characters: five parts of 70 in UCS-2 take a modem ten seconds already."""
READY = ("registered", "connected")
"""States of a modem that can send."""


class Failed(Exception):
    """mmcli said no, and what."""


class Hung(Exception):
    """mmcli did not end in time."""


@dataclass(frozen=True, slots=True)
class Sms:
    """One number."""

    number: str
    program: str = "mmcli"

    def send(self, notify: Notify, seconds: float) -> Outcome:
        """Write it into the modem, then send it; the network has taken it when mmcli says so."""
        if not NUMBER.match(self.number):
            return Outcome(False, "bad number")
        end = monotonic() + seconds
        # mmcli's own quoting knows no escapes: what would end the text is written in its full-width form.
        text = f"{notify.title}：{notify.body}"[:LONGEST].replace('"', "＂").replace("'", "＇").replace("\n", " ")
        try:
            made = self._mmcli(end, "-m", "any", f'--messaging-create-sms=text="{text}",number="{self.number}"')
        except (Failed, Hung, OSError) as error:
            return Outcome(False, str(error) or "timed out")
        place = re.search(r"/org/freedesktop/ModemManager1/SMS/\d+", made)
        if place is None:
            return Outcome(False, "the modem made no message")
        try:
            self._mmcli(end, "-s", place[0], "--send")
        except Hung:
            return Outcome(False, "timed out", ambiguous=True)
        except (Failed, OSError) as error:
            return Outcome(False, str(error))
        with contextlib.suppress(Failed, Hung, OSError):  # it is sent; a modem that is full says so the next time
            self._mmcli(end, "-m", "any", f"--messaging-delete-sms={place[0]}")
        return Outcome(True, "accepted")

    def probe(self, seconds: float) -> Outcome:
        """Whether there is a modem that the network knows."""
        try:
            said = self._mmcli(monotonic() + seconds, "-m", "any", "--output-keyvalue")
        except (Failed, Hung, OSError) as error:
            return Outcome(False, str(error) or "timed out")
        state = re.search(r"modem\.generic\.state\s*:\s*(\S+)", said)
        found = state[1] if state is not None else "unknown"
        return Outcome(found in READY, "reached" if found in READY else f"modem {found}")

    def check(self) -> str:
        """Whether the number is one and mmcli is there."""
        if not NUMBER.match(self.number):
            return "短信的号码写错了，应该像 sms:13800000001"
        return "" if shutil.which(self.program) else "没有装 ModemManager，发不了短信：sudo apt install modemmanager"

    def _mmcli(self, end: float, *words: str) -> str:
        try:
            done = subprocess.run(
                [self.program, *words], capture_output=True, text=True, timeout=max(0.05, end - monotonic()), check=False,
                stdin=subprocess.DEVNULL, errors="replace",
            )
        except subprocess.TimeoutExpired as error:
            raise Hung from error
        except FileNotFoundError as error:
            raise Failed("mmcli is not installed") from error
        if done.returncode != 0:
            raise Failed(without_secrets((done.stderr or done.stdout).strip() or f"mmcli ended with {done.returncode}"))
        return done.stdout


def sms(url: str) -> Sms:
    """The channel of one address: `sms:13800000001` (RFC 5724) or `modem:13800000001`."""
    return Sms(re.sub(r"[\s().-]", "", url.partition(":")[2].strip("/").partition("?")[0]))
