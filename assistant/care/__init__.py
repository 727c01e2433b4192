"""Durable state machines: transition tables over rows."""

from __future__ import annotations

from sqlite_utils import Migrations

from assistant.care.incident import incidents
from assistant.care.message import outbox

SCHEMAS: tuple[Migrations, ...] = (
    incidents,
    outbox,
)
"""Tables of all machines; a new machine is its file and a line here."""
