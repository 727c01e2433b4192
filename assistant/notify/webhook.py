"""`json://` and `jsons://`: a signed POST with an idempotency key, for a relay or home automation of the family's own."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from assistant.messages import Notify
from assistant.notify.channel import Outcome
from assistant.notify.web import Unreached, Unsure, fetch, judge, reach


@dataclass(frozen=True, slots=True)
class Settings:
    """Read from the address: `jsons://user:pass@host:port/path?secret=…`."""

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    """Signs the body (HMAC-SHA256); empty sends it unsigned."""
    basic: str = field(default="", repr=False)

    @classmethod
    def read(cls, url: str) -> Settings:
        """From the household's channel address. `secret` never goes over the wire."""
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        secret = next((value for name, value in query if name == "secret"), "")
        rest = urlencode([(name, value) for name, value in query if name != "secret"])
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        place = host + (f":{parts.port}" if parts.port else "")
        scheme = "https" if parts.scheme == "jsons" else "http"
        basic = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
        return cls(f"{scheme}://{place}{parts.path or '/'}" + (f"?{rest}" if rest else ""), secret, basic)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One address that takes JSON."""

    settings: Settings
    trust: ssl.SSLContext | None = None
    """Only for tests with an authority of their own; None is the system's."""

    def send(self, notify: Notify, seconds: float) -> Outcome:
        """POST it; only a 2xx answer that is no page and no error counts."""
        body = json.dumps(
            {"key": notify.key, "person": notify.person, "title": notify.title, "body": notify.body,
             "urgent": notify.urgent, "attachment": notify.attachment},
            ensure_ascii=False,
        ).encode()
        # A key holds the person's name, and a header holds no Chinese.
        headers = {"Content-Type": "application/json", "Idempotency-Key": quote(notify.key, safe=""), "User-Agent": "xiaoban"}
        if self.settings.secret:
            headers["X-Xiaoban-Signature"] = signature(self.settings.secret, body)
        if self.settings.basic:
            headers["Authorization"] = "Basic " + b64encode(self.settings.basic.encode()).decode()
        try:
            return judge(fetch("POST", self.settings.url, seconds=seconds, headers=headers, body=body, trust=self.trust))
        except Unreached as error:
            return Outcome(False, str(error))
        except Unsure as error:
            return Outcome(False, str(error), ambiguous=True)

    def probe(self, seconds: float) -> Outcome:
        """Connect and, with TLS, check whom we are talking to."""
        parts = urlsplit(self.settings.url)
        tls = parts.scheme == "https"
        return reach(parts.hostname or "", parts.port or (443 if tls else 80), tls=tls, seconds=seconds, trust=self.trust)

    def check(self) -> str:
        """Whether the address is one."""
        return "" if urlsplit(self.settings.url).hostname else "地址里没有主机名"


def signature(secret: str, body: bytes) -> str:
    """`sha256=<hex>` over the body, whose `key` makes each one different."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def webhook(url: str) -> Webhook:
    """The channel of one address."""
    return Webhook(Settings.read(url))
