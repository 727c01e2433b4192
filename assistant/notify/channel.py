"""What a channel is: something that takes one message under one total deadline and says truthfully how it went."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from assistant.messages import Acknowledged, Call, Connected, Delivered, HungUp, Notify, Rang


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended."""

    ok: bool
    """The next hop took it."""
    detail: str = ""
    """For the log, without secrets."""
    ambiguous: bool = False
    """The peer may have it or not."""
    recording: bool = False
    """The recording that was to go with it went."""


class Sender(Protocol):
    """One channel of the household."""

    def send(self, notify: Notify, seconds: float) -> Outcome:
        """Send within `seconds` in all. May be abandoned in mid-work; runs in a thread of its own."""

    def probe(self, seconds: float) -> Outcome:
        """Go as far as one can without anybody getting anything: the daily silent test."""

    def check(self) -> str:
        """What is wrong with its settings, in Chinese for the family; empty if nothing can be seen without sending."""


Tell = Callable[[Delivered | Acknowledged | Rang | Connected | HungUp], None]
"""Takes events, from any thread: the inbox."""


class Ringer(Protocol):
    """A telephone."""

    def ring(self, call: Call, tell: Tell) -> None:
        """Begin a call and return; ends with exactly one Delivered, an Acknowledged before it if a key was pressed.

        A conversation (no text) tells Connected when the other end is there, and HungUp before the Delivered.
        """

    def pick_up(self, key: str, text: str = "") -> None:
        """Answer a call that rings us; the text is played in a loop until `talk`."""

    def talk(self, key: str) -> None:
        """The microphone and the loudspeaker are free: let the two hear each other."""

    @property
    def sound(self) -> Path | None:
        """Folder in which what the elder says into the telephone is found while she talks; None if nowhere."""

    def hang_up(self, key: str = "") -> None:
        """End the call of this key, or all."""

    def probe(self, seconds: float) -> Outcome:
        """Whether calls could be made, as far as one can know without ringing anybody."""

    def close(self) -> None:
        """End everything."""


SECRET = re.compile(r"://[^\s\"']*|(?i:key|token|secret|password|access_token)=[^\s&\"']+")


def without_secrets(text: str) -> str:
    """What may go into a log: addresses and keys cut out, one line, 160 characters."""
    return " ".join(SECRET.sub(lambda m: "://…" if m[0].startswith("://") else "…", text).split())[:160]
