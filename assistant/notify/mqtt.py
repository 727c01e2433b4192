"""`mqtt://` and `mqtts://`: alarms and notices as JSON on a topic, for Home Assistant and the like; and what a topic tells us."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from assistant.messages import Notify
from assistant.notify.channel import Outcome


@dataclass(frozen=True, slots=True)
class Settings:
    """Read from the address: `mqtt://user:pass@host:1883/topic`."""

    host: str
    port: int
    topic: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False

    @classmethod
    def read(cls, url: str) -> Settings:
        """From the household's channel address."""
        parts = urlsplit(url)
        tls = parts.scheme == "mqtts"
        return cls(
            parts.hostname or "", parts.port or (8883 if tls else 1883), parts.path.strip("/") or "xiaoban/message",
            unquote(parts.username or ""), unquote(parts.password or ""), tls,
        )


AGAIN = 30
"""Longest pause, in seconds, before a broker that is away is asked again."""


class Subscriber:
    """Listens to a topic and everything below it, for as long as there is a broker and again when there is one."""

    def __init__(self, url: str, told: Callable[[str, bytes], None]) -> None:
        """`told(below, payload)`: the rest of the topic, and what it says; from a thread of ours. Raises ValueError."""
        self._settings = Settings.read(url)
        if not self._settings.host:
            raise ValueError("no host")
        self._told = told
        self.joined = threading.Event()
        """Whether the broker is there and knows what we want to hear."""
        self.trouble = ""
        """What the broker said last, for `doctor`; empty when all is well."""
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._left
        self._client.on_subscribe = lambda *_: self.joined.set()
        self._client.on_message = self._heard
        if self._settings.user:
            self._client.username_pw_set(self._settings.user, self._settings.password)
        if self._settings.tls:
            self._client.tls_set()
        self._client.reconnect_delay_set(1, AGAIN)
        self._client.connect_async(self._settings.host, self._settings.port, keepalive=60)
        self._client.loop_start()

    def close(self) -> None:
        """Hear nothing more."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: Client, _u: object, _f: ConnectFlags, reason: ReasonCode, _p: Properties | None) -> None:
        self.trouble = str(reason) if reason.is_failure else ""
        if not reason.is_failure:
            client.subscribe([(self._settings.topic, 1), (f"{self._settings.topic}/#", 1)])

    def _left(self, _c: Client, _u: object, _f: object, reason: ReasonCode, _p: Properties | None) -> None:
        self.joined.clear()
        self.trouble = str(reason)

    def _heard(self, _c: Client, _u: object, message: MQTTMessage) -> None:
        if not message.retain:  # what a broker kept is no event: nobody falls anew at every start of ours
            self._told(message.topic.removeprefix(self._settings.topic).strip("/"), bytes(message.payload))


@dataclass(frozen=True, slots=True)
class Mqtt:
    """One topic of one broker."""

    settings: Settings

    def probe(self, seconds: float) -> Outcome:
        """Log in at the broker and leave."""
        return self._talk(None, seconds)

    def send(self, notify: Notify, seconds: float) -> Outcome:
        """Publish with QoS 1; accepted when the broker has acknowledged it."""
        return self._talk(notify, seconds)

    def _talk(self, notify: Notify | None, seconds: float) -> Outcome:
        end = monotonic() + seconds
        joined = threading.Event()
        refused: list[str] = []
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"xiaoban-{notify.key if notify else 'probe'}"[:60])

        def on_connect(_c: Client, _u: object, _f: object, reason: ReasonCode, _p: Properties | None) -> None:
            if reason.is_failure:
                refused.append(str(reason))
            joined.set()

        client.on_connect = on_connect
        if self.settings.user:
            client.username_pw_set(self.settings.user, self.settings.password)
        if self.settings.tls:
            client.tls_set()
        client.connect_timeout = max(0.5, seconds / 2)
        try:
            client.connect(self.settings.host, self.settings.port, keepalive=30)
        except (OSError, ValueError) as error:
            return Outcome(False, getattr(error, "strerror", None) or type(error).__name__)
        client.loop_start()
        published: MQTTMessageInfo | None = None
        try:
            if not joined.wait(max(0.0, end - monotonic())):
                return Outcome(False, "the broker does not answer")
            if refused:
                return Outcome(False, refused[0])
            if notify is None:
                return Outcome(True, "reached")
            body = {"key": notify.key, "person": notify.person, "title": notify.title, "body": notify.body, "urgent": notify.urgent}
            published = client.publish(self.settings.topic, json.dumps(body, ensure_ascii=False), qos=1)
            published.wait_for_publish(max(0.0, end - monotonic()))
            if published.is_published():
                return Outcome(True, "published")
            return Outcome(False, "not acknowledged", ambiguous=True)
        except (RuntimeError, ValueError) as error:
            return Outcome(False, type(error).__name__, ambiguous=published is not None)
        finally:
            client.disconnect()
            client.loop_stop()

    def check(self) -> str:
        """Whether there is a host to talk to."""
        return "" if self.settings.host else "地址里没有主机名"


def mqtt(url: str) -> Mqtt:
    """The channel of one address."""
    return Mqtt(Settings.read(url))
