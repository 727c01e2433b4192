"""`mqtt://` and `mqtts://`: alarms and notices as JSON on a topic, for Home Assistant and the like."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessageInfo
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
