"""Which file sends to which address: a new channel is its file and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from assistant.messages import Notify
from assistant.notify.by_apprise import by_apprise
from assistant.notify.channel import Outcome, Sender
from assistant.notify.console import console, file
from assistant.notify.mqtt import mqtt
from assistant.notify.sms import sms
from assistant.notify.webhook import webhook

CHANNELS: dict[str, Callable[[str], Sender]] = {
    "console": console,
    "file": file,
    "json": webhook,
    "jsons": webhook,
    "mqtt": mqtt,
    "mqtts": mqtt,
    "sms": sms,
    "modem": sms,
}
"""By the scheme of the address; every other scheme is Apprise's."""

TELEPHONES = frozenset({"sip", "sips"})
"""Schemes that ring instead of writing."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An address nobody can make sense of: the household goes on without it."""

    def send(self, notify: Notify, seconds: float) -> Outcome:
        """Never."""
        return Outcome(False, "not an address")

    def probe(self, seconds: float) -> Outcome:
        """Never."""
        return Outcome(False, "not an address")

    def check(self) -> str:
        """The family can mend it."""
        return "地址写错了，读不懂"


def channel(url: str) -> Sender:
    """The sender for one address of the household file. Never raises: one bad address may not silence the others."""
    try:
        return CHANNELS.get(urlsplit(url).scheme.lower(), by_apprise)(url)
    except ValueError:
        return Unreadable()
