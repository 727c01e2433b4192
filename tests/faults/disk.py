"""A disk that is full: a connection that takes every statement and refuses every commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any


class Full:
    """Most refusals come with the commit: until then SQLite only writes to its own memory."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, *values: Sequence[Any]) -> sqlite3.Cursor:
        if sql == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)
