"""Which file sends to which address: a new channel is its file and a line here."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from assistant.notify.by_apprise import by_apprise
from assistant.notify.channel import Sender
from assistant.notify.console import console, file
from assistant.notify.mqtt import mqtt
from assistant.notify.webhook import webhook

CHANNELS: dict[str, Callable[[str], Sender]] = {
    "console": console,
    "file": file,
    "json": webhook,
    "jsons": webhook,
    "mqtt": mqtt,
    "mqtts": mqtt,
}
"""By the scheme of the address; every other scheme is Apprise's."""

TELEPHONES = frozenset({"sip", "sips"})
"""Schemes that ring instead of writing."""


def channel(url: str) -> Sender:
    """The sender for one address of the household file."""
    return CHANNELS.get(urlsplit(url).scheme.lower(), by_apprise)(url)
