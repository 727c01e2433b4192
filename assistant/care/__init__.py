"""Durable state machines: transition tables over rows."""

from __future__ import annotations

from sqlite_utils import Migrations

SCHEMAS: tuple[Migrations, ...] = ()
"""Tables of all machines; a new machine is its file and a line here."""
