"""Durable state machines: transition tables over rows."""

from __future__ import annotations

from sqlite_utils import Migrations

from assistant.care.booking import bookings
from assistant.care.digest import rounds
from assistant.care.dose import doses
from assistant.care.incident import incidents
from assistant.care.message import outbox
from assistant.care.reading import readings
from assistant.care.reminder import reminders
from assistant.care.request import requests
from assistant.care.selftest import selftests

SCHEMAS: tuple[Migrations, ...] = (
    bookings,
    doses,
    incidents,
    outbox,
    requests,
    readings,
    reminders,
    rounds,
    selftests,
)
"""Tables of all machines; a new machine is its file and a line here."""
