"""Durable state machines: transition tables over rows."""

from __future__ import annotations

from sqlite_utils import Migrations

from assistant.care.booking import bookings
from assistant.care.dose import doses
from assistant.care.incident import incidents
from assistant.care.message import outbox
from assistant.care.reminder import reminders

SCHEMAS: tuple[Migrations, ...] = (
    bookings,
    doses,
    incidents,
    outbox,
    reminders,
)
"""Tables of all machines; a new machine is its file and a line here."""
