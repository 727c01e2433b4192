"""The ledger: SQLite rows with a checksum each, one connection, one thread, nothing acknowledged ever lost."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import shutil
import sqlite3
import struct
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from sqlite_utils import Database, Migrations

from assistant.errors import DiskRefuses, StoreError

log = logging.getLogger(__name__)

Value = TypeVar("Value")
Row = Mapping[str, Any]
"""A row as it lies in the table; a care module turns it into its own frozen value at the door."""

BACKUPS = 7
"""Daily copies kept."""
AT_A_TIME = 500
"""Rows of one table that are due at once at most."""
STATEMENTS = 512
"""Prepared statements kept: a day uses some two hundred, the default of 128 prepares the rest each time."""
NEW_AT_ONCE = 64
"""Rows that are read by their numbers at most; more are read with the condition that finds them."""
READ = 1024
"""Rows of one table whose meaning is remembered."""
KEPT = 1024
"""Rows of one table that are remembered: two months of what a house looks at again and again, about 1 MB."""


REFUSALS = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG))
"""What a full or broken disk answers."""
WHOLE = "ledger"
"""In `quarantine` in the place of a table: not one row came to harm but all of it, and `body` is what the family is told."""
UNHEARD = "ledger.unheard"
"""Setting: replies of the household skill that the elder has yet to hear, spaces between."""


def stamp(moment: datetime) -> str:
    """A moment as text that sorts: ISO 8601 UTC with microseconds."""
    return _stamp(moment, moment.fold)


@lru_cache(maxsize=256)
def _stamp(moment: datetime, fold: int) -> str:
    """One event writes the same `now` a dozen times. The fold is part of the key: two moments that differ only in it are equal."""
    utc = moment.astimezone(UTC)
    # What isoformat(timespec="microseconds") gives, in a third of its time.
    return f"{_date(utc.year, utc.month, utc.day)}T{_TWO[utc.hour]}:{_TWO[utc.minute]}:{_TWO[utc.second]}.{utc.microsecond:06d}+00:00"


_TWO = tuple(f"{number:02d}" for number in range(60))


@lru_cache(maxsize=64)
def _date(year: int, month: int, day: int) -> str:
    return f"{year:04d}-{month:02d}-{day:02d}"


def moment(text: str) -> datetime:
    """The aware UTC moment that `stamp` wrote."""
    return datetime.fromisoformat(text)


AT_ONCE = "1970-01-01T00:00:00.000000+00:00"
"""A `wake_at` for rows written by whoever does not know what time it is."""


def checksum(row: Row) -> int:
    """CRC-32 over all columns but `crc`. SQLite noticed 14 % of single bit flips, this all of them.

    Numbers and texts count by how they are written, so that it is the same before a row is stored and after.
    """
    return _sum(row, _form(tuple(row)))


@dataclass(frozen=True, slots=True)
class Form:
    """How a row of certain columns is written for its checksum."""

    values: Callable[[Row], tuple[Any, ...]]
    """Those of all columns but `crc`, in the order of their names."""
    text: str
    """The names, with a %s for each value."""


def _sum(row: Row, form: Form) -> int:
    # Filled in all at once: label by label it took a fifth longer.
    return zlib.crc32((form.text % tuple([
        "\x00" if value is None else value if value.__class__ is str or value.__class__ is int else _written(value)
        for value in form.values(row)
    ])).encode("utf-8", "surrogateescape"))


@lru_cache(maxsize=256)
def _form(keys: tuple[str, ...]) -> Form:
    """There are as many as tables."""
    summed = sorted(key for key in keys if key != "crc")
    return Form(
        itemgetter(*summed) if len(summed) > 1 else lambda row: tuple(row[key] for key in summed),
        "\x1f".join(f"{key.replace('%', '%%')}\x1e%s" for key in summed),
    )


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))  # 28.0 in a REAL column may have been given as 28
    return str(value)


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


@ledger()
def quarantine(db: Database) -> None:
    """Damaged rows are put here, out of the way of whoever acts on rows, and wake whoever can tell a person."""
    db.execute(
        "CREATE TABLE quarantine (id INTEGER PRIMARY KEY, of TEXT NOT NULL, row INTEGER NOT NULL, body TEXT NOT NULL,"
        " wake_at TEXT, crc INTEGER NOT NULL DEFAULT 0)"
    )


@dataclass(frozen=True, slots=True)
class Column:
    """What a table says about one of its columns."""

    name: str
    type: str
    default: str | int | float | None
    key: bool
    """Whether it is the INTEGER PRIMARY KEY, the row's number."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a table, asked once."""

    names: tuple[str, ...]
    """Of the columns, in the table's order."""
    defaults: Row
    texts: frozenset[str]
    """Columns that turn a number into its text."""
    reals: frozenset[str]
    """Columns that turn a whole number into a broken one."""
    key: str | None
    """The INTEGER PRIMARY KEY."""
    counted: bool
    """AUTOINCREMENT: never again the number of a deleted row."""
    insert: str
    """SQL of a new row: its number, then all columns."""
    form: Form
    """What its checksum is over."""
    wakes: bool
    """Whether its rows have a `wake_at`."""

    def stored(self, values: Row) -> dict[str, Any]:
        """Values as their columns will hold them."""
        held: dict[str, Any] = {}
        for key, value in values.items():
            if value.__class__ is str or value is None:
                pass
            elif isinstance(value, datetime):
                value = stamp(value)
            elif isinstance(value, (int, float)):
                if key in self.texts:
                    value = str(value)
                elif key in self.reals:
                    value = float(value)
                elif isinstance(value, bool):
                    value = int(value)
            held[key] = value
        return held


class Store:
    """Rows of all care machines. All times are given; every write belongs to a transaction."""

    def __init__(self, db: Database, schemas: Sequence[Migrations] = (), note: str = "") -> None:
        self.db = db
        self.note = note
        """What had to be mended at opening, in Chinese; empty if nothing."""
        self.volatile = False
        """Whether it went on in memory because the disk can no longer be written."""
        self.damaged: list[tuple[str, int]] = []
        """(table, id) of rows whose checksum was wrong when they were read; they are never acted on."""
        self.mended: list[tuple[str, int]] = []
        """(table, id) of rows in which a single flipped bit was found by the checksum and put right."""
        self._shapes: dict[str, Shape] = {}
        self._awake: dict[str, Awake] = {}
        """Table → its rows that wake: they are asked for after every event."""
        self._earliest: str | None = None
        """The first `wake_at` of them all; None: to be looked up."""
        self._rows: defaultdict[str, dict[int, Row]] = defaultdict(dict)
        """Table → number → a row as it is since it was read, its checksum right, or written; `_make_sure` forgets them once
        somebody else has written."""
        self._settings: dict[str, str | None] = {}
        """Settings that were asked for, None where there is none; likewise."""
        self._changes = 0
        """Rows our connection has changed in all (SQLite's count) when we last wrote: more means that somebody wrote past us."""
        self._shared = any(file for _, _, file in db.execute("PRAGMA database_list").fetchall())
        """Whether others could write, be it against the lock: it lies on a disk."""
        self._version = 0
        """SQLite's `data_version` at the last look at a shared one: another one means that somebody else has written."""
        self._numbers: dict[str, int] = {}
        """Highest number of a table, while nobody else can add to it."""
        self._written: list[tuple[str, Sequence[Any]]] = []
        """What this transaction has written, so that it can be written again: elsewhere if the disk refuses the commit, or
        without the part that failed. That costs nothing while nothing fails, as savepoints would."""
        self._earlier = 0
        """Of what the open levels have written, how much is no longer in `_written`: it is in the copy in memory."""
        self._together = False
        self._depth = 0
        self._lock: int | None = None
        self._ours = False
        """Whether nobody else should write: it lies in memory, or the lock beside it is held."""
        self._schemas = (ledger, *schemas)
        _not_newer(db, self._schemas)
        for schema in self._schemas:
            schema.apply(db)
        self._changes = db.conn.total_changes
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        self._waking = tuple(
            sorted(n for n in names if "wake_at" in self.columns(n))
        )

    # --- opening ------------------------------------------------------------------------------------------------

    @classmethod
    def memory(cls, schemas: Sequence[Migrations] = ()) -> Store:
        """A ledger that forgets: for tests and for a device whose disk has failed."""
        store = cls(Database(sqlite3.connect(":memory:", isolation_level=None, cached_statements=STATEMENTS)), schemas)
        store._ours = True
        return store

    @classmethod
    def open(cls, path: Path, schemas: Sequence[Migrations] = (), *, alone: bool = False) -> Store:
        """Open or create the ledger at `path`; a broken one is put aside and the newest good backup takes its place.

        `alone`: no other process may open it alone meanwhile; two houses over one ledger would ask everything twice.
        Raises StoreError if the folder cannot be written, another process holds the ledger, or a newer version of
        the program wrote it; DiskRefuses where only the disk stands in the way.
        """
        note = ""
        lock: int | None = None
        begun = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = _alone(path) if alone else None
            whole = path.exists() and _sound(path)
            if not whole and lock is None:
                lock = _alone(path)  # what stands at `path` is changed only by whoever nobody else writes beside
                whole = path.exists() and _sound(path)
            if lock is not None:
                for half in path.parent.glob(f"{path.name}.*.half"):
                    half.unlink()  # a backup that power cut short
            if not whole:
                if path.exists() or _backups(path):
                    note = _restore(path, schemas)
                else:
                    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
                    begun = True
            connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, cached_statements=STATEMENTS)
            # TRUNCATE + FULL: the only pair that lost no acknowledged commit in 1,025 simulated power-loss states
            # (DELETE + FULL lost the last one in 586 of them, WAL + NORMAL up to all).
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA locking_mode = NORMAL")
            store = cls(Database(connection), schemas, note)
            if alone:
                store._ours, store._lock, lock = True, lock, None
            begun = False
            return store
        except (FileExistsError, NotADirectoryError) as error:
            raise StoreError(f"账本打不开：{path.parent} 不是一个目录。--data 后面要写一个目录。") from error
        except PermissionError as error:
            raise StoreError(f"账本打不开：{path}（{error.strerror}）。请检查这个目录的权限。") from error
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise StoreError(f"账本正被另一个小伴占用：{path}。请先停掉另一个（systemctl stop xiaoban）。") from error
            raise DiskRefuses(f"账本打不开：{path}（{error}）。请检查磁盘是不是满了或者坏了。") from error
        except sqlite3.DatabaseError as error:
            raise StoreError(f"账本打不开：{path}（{error}）。请检查磁盘是不是满了或者坏了。") from error
        except OSError as error:
            kind = DiskRefuses if error.errno in REFUSALS else StoreError
            raise kind(f"账本打不开：{path}（{error.strerror}）。请检查磁盘是不是满了或者坏了。") from error
        finally:
            if begun:
                _away(path)  # an empty file would be taken for a loss
            if lock is not None:
                os.close(lock)

    @classmethod
    def copied(cls, path: Path, schemas: Sequence[Migrations] = (), *, alone: bool = False) -> Store:
        """A copy in memory of what the ledger at `path` holds, for whoever only reads: neither it nor its folder is changed.

        Of a broken one it is the newest good backup, and `note` says so; where there is none, nothing. `alone` as for `open`, where
        the disk allows it. Raises StoreError where it cannot be read, or a newer version of the program wrote it; DiskRefuses if
        that is the disk's fault.
        """
        note = ""
        lock: int | None = None
        try:
            if alone:
                with contextlib.suppress(OSError):
                    lock = _alone(path)
            if path.parent.exists() and not path.parent.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            connection = _copy(path) if path.exists() else None
            if connection is None and (path.exists() or _backups(path)):
                what = "账本坏了" if path.exists() else "账本不见了"
                connection, note = None, f"{what}，也没有好的备份，什么也读不出来。"
                for backup in _backups(path):
                    if (connection := _copy(backup)) is not None:
                        note = f"{what}，这里是备份 {backup.name} 里的，之后的记录没有算进来。"
                        break
                note += "重新启动小伴（sudo systemctl restart xiaoban），它会从备份恢复，并告诉家人。"
            if connection is None:
                connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=STATEMENTS)
            store = cls(Database(connection), schemas, note)
            store._ours, store._lock, lock = True, lock, None
            return store
        except sqlite3.DatabaseError as error:
            raise DiskRefuses(f"账本读不出来：{path}（{error}）。请检查权限，磁盘是不是坏了。") from error
        except NotADirectoryError as error:
            raise StoreError(f"账本打不开：{path.parent} 不是一个目录。--data 后面要写一个目录。") from error
        except OSError as error:
            kind = DiskRefuses if error.errno in REFUSALS else StoreError
            raise kind(f"账本读不出来：{path}（{error.strerror}）。请检查权限，磁盘是不是坏了。") from error
        finally:
            if lock is not None:
                os.close(lock)

    def close(self) -> None:
        """Give the file back."""
        self.db.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def into_memory(self) -> None:
        """Go on from a copy in memory: the disk can no longer be written, and an alarm may not wait for it.

        What the transaction in progress has written so far comes along. What follows is lost at the next power cut,
        so `note` says so until then.
        """
        rescued = sqlite3.connect(":memory:", isolation_level=None, cached_statements=STATEMENTS)
        with contextlib.suppress(sqlite3.Error):
            if self.db.conn.in_transaction:
                self.db.conn.execute("ROLLBACK")  # a copy of half a transaction may be half a page
        with contextlib.suppress(sqlite3.Error):
            self.db.conn.backup(rescued)
        self.db, self._ours, self._shared = Database(rescued), True, False
        written = self._written
        self._forget()
        for schema in self._schemas:
            schema.apply(self.db)  # of a disk that cannot even be read, at least the tables
        for sql, values in written:
            with contextlib.suppress(sqlite3.Error):  # a change of a row that could not be read
                rescued.execute(sql, values)
        self._earlier += len(written)
        if self._depth:  # in the middle of a transaction: it goes on here
            rescued.execute("BEGIN IMMEDIATE")
        self.note = f"账本写不进去了（磁盘满了或者坏了），现在只记在内存里，断电就没有了。请尽快检查磁盘。{self.note}"
        self.volatile = True
        log.critical("the ledger cannot be written; going on in memory")

    def backup(self, path: Path, today: str) -> Path:
        """A verified copy of the ledger beside `path`, one a day, the last `BACKUPS` kept. Returns the copy. Raises StoreError."""
        copy = path.with_name(f"{path.name}.{today}.bak")
        half = copy.with_suffix(".half")
        try:
            with contextlib.closing(sqlite3.connect(half)) as target:
                self.db.conn.backup(target)
            if not _sound(half):
                raise StoreError(f"账本备份没有写好：{copy}。请检查磁盘。")
            os.chmod(half, 0o600)
            with open(half, "rb+") as file:
                os.fsync(file.fileno())
            half.replace(copy)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"账本备份没有写好：{copy}（{error}）。请检查磁盘。") from error
        finally:
            _away(half)
        for old in _backups(path)[BACKUPS:]:
            old.unlink()
        return copy

    # --- transactions -------------------------------------------------------------------------------------------

    def together(self) -> Together:
        """All transactions inside become one, with one commit at the end: what came about before an error stays.

        Raises StoreError if the commit is refused; `into_memory` then still has everything that was written inside.
        """
        return Together(self)

    def atomic(self) -> Atomic:
        """One transaction: all of it or none, also across power loss; nests. Raises StoreError if the disk will not."""
        return Atomic(self)

    def _undo(self, mark: int, whole: bool) -> None:
        """Take back what was written since `mark`: give the transaction up and write again what came before."""
        kept = self._written[:max(0, mark - self._earlier)]
        if self.db.conn.in_transaction:  # a full disk may have rolled back everything by itself; then there is nothing to keep
            self.db.conn.execute("ROLLBACK")
            if not whole:
                try:
                    self.db.conn.execute("BEGIN IMMEDIATE")
                    for sql, values in kept:
                        self.db.conn.execute(sql, values)
                except sqlite3.Error:
                    log.error("what came before the part that failed could not be written again")
                    if self.db.conn.in_transaction:  # `_written` without a transaction: the next one raises
                        self.db.conn.execute("ROLLBACK")
        self._forget(kept)

    def _begin(self) -> None:
        if self._written:
            # SQLite gave the whole transaction up by itself; going on would lose what it had written before.
            raise StoreError("账本写不进去：磁盘满了或者坏了。请检查磁盘。")
        try:
            self.db.conn.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise _refused(error) from error
        self._look()  # from here on nobody else can write: what is written rests on what the tables hold

    def _commit(self) -> None:
        """Raises StoreError, and keeps `_written`, if the disk refuses."""
        try:
            if self.db.conn.in_transaction:
                self.db.conn.execute("COMMIT")
            elif self._written:
                raise StoreError("账本写不进去：磁盘满了或者坏了。请检查磁盘。")
        except sqlite3.OperationalError as error:
            raise _refused(error) from error
        self._written.clear()
        self._earlier = 0

    def _look(self) -> None:
        """Forget what was known of rows if somebody else has written since: another process, or somebody past us."""
        version = self._data_version() if self._shared else 0
        if version < 0 or version != self._version or self._changes != self.db.conn.total_changes:
            self._version = version
            self._forget(self._written)

    def _data_version(self) -> int:
        """A number of SQLite's that another connection's commit changes, and none of ours; -1 if it cannot be read."""
        try:
            (version,) = self.db.conn.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return -1  # whoever reads or writes next hears why
        return int(version)

    def _forget(self, written: Sequence[tuple[str, Sequence[Any]]] = ()) -> None:
        """What was known of rows is no longer so; of this transaction only `written` remains."""
        self._rows.clear()
        self._settings.clear()
        self._numbers.clear()
        self._awake.clear()
        self._earliest = None
        self._changes = self.db.conn.total_changes
        self._written = list(written)

    # --- rows ---------------------------------------------------------------------------------------------------

    def columns(self, table: str) -> tuple[str, ...]:
        """Names of a table's columns."""
        return self._shape(table).names

    def _shape(self, table: str) -> Shape:
        shape = self._shapes.get(table)
        if shape is None:
            columns = [
                Column(name, type_.upper(), _literal(default), bool(key) and type_.upper() == "INTEGER")
                for _, name, type_, _, default, key in self.db.execute(f"PRAGMA table_info([{table}])").fetchall()
            ]
            (sql,) = self.db.execute("SELECT sql FROM sqlite_master WHERE name = ?", [table]).fetchone() or ("",)
            names = ", ".join(f"[{column.name}]" for column in columns)
            shape = self._shapes[table] = Shape(
                names=tuple(column.name for column in columns),
                defaults={column.name: column.default for column in columns},
                texts=frozenset(column.name for column in columns if column.type == "TEXT"),
                reals=frozenset(column.name for column in columns if column.type == "REAL"),
                key=next((column.name for column in columns if column.key), None),
                counted="AUTOINCREMENT" in sql.upper(),
                insert=f"INSERT INTO [{table}] (rowid, {names}) VALUES (?{', ?' * len(columns)})",
                form=_form(tuple(column.name for column in columns)),
                wakes=any(column.name == "wake_at" for column in columns),
            )
        return shape

    def insert(self, table: str, **values: Any) -> int:
        """A new row; datetimes become stamps. Returns its id. Raises sqlite3.IntegrityError if it exists already."""
        shape = self._shape(table)
        row: dict[str, Any] = {**shape.defaults, **shape.stored(values)}
        if len(row) > len(shape.names):
            raise KeyError((table, *sorted(set(row) - set(shape.names))))
        if not self.db.conn.in_transaction:
            with self.atomic():
                return self._insert(table, shape, row)
        return self._insert(table, shape, row)  # a statement that fails undoes itself

    def _insert(self, table: str, shape: Shape, row: dict[str, Any]) -> int:
        if shape.key is None or row[shape.key] is None:
            number = self._next_number(table, shape)
            if shape.key is not None:
                row[shape.key] = number
        else:
            number = int(row[shape.key])
        row["crc"] = _sum(row, shape.form)
        # The number is ours, so that the checksum can be over the whole row in the same statement.
        awake = self._run(table, shape.insert, (number, *row.values()))
        self._numbers[table] = max(number, self._numbers.get(table, 0))
        self._now_is(table, number, row, awake)
        return number

    def _next_number(self, table: str, shape: Shape) -> int:
        last = self._numbers.get(table)
        if last is None:
            (last,) = self.db.conn.execute(f"SELECT max(rowid) FROM [{table}]").fetchone()
            if shape.counted:
                # Never again the number of a deleted row.
                (ever,) = self.db.conn.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = ?", [table]).fetchone()
                last = max(last or 0, ever or 0)
        return int(last or 0) + 1

    def update(self, table: str, number: int, **values: Any) -> Row:
        """Change columns of one row; gives the row as it is then. Raises KeyError if there is no such row, or it is damaged."""
        shape = self._shape(table)
        changed = shape.stored(values)
        if self.db.conn.in_transaction:
            return self._update(table, shape, number, changed)
        with self.atomic():
            return self._update(table, shape, number, changed)

    def _update(self, table: str, shape: Shape, number: int, changed: dict[str, Any]) -> Row:
        before = self.get(table, number)
        if before is None:
            raise KeyError((table, number))
        row = {**before, **changed}
        row["crc"] = changed["crc"] = _sum(row, shape.form)
        awake = self._run(table, _update_sql(table, tuple(changed)), [*changed.values(), number])
        self._now_is(table, number, row, awake)
        return row

    def _now_is(self, table: str, number: int, row: Row, awake: Awake | None) -> None:
        """A row that was just written; `awake` is what was known of its table."""
        self._keep(table, number, row)
        if awake is not None:
            self._awake[table] = awake
            was, wake, earliest = awake.now_is(number, row), row["wake_at"], self._earliest
            if earliest is None or was == wake:
                return
            if wake is not None and (not earliest or wake <= earliest):
                self._earliest = wake
            elif was == earliest:
                self._earliest = None

    def _keep(self, table: str, number: int, row: Row) -> None:
        rows = self._rows[table]
        if len(rows) >= KEPT:
            rows.clear()
        rows[number] = row

    def _run(self, table: str, sql: str, values: Sequence[Any]) -> Awake | None:
        """A statement that changes rows of `table`; every change goes through here, inside a transaction.

        Returns what was known of its rows that wake, which holds no longer.
        """
        connection = self.db.conn
        if self._changes != connection.total_changes:
            self._forget(self._written)
        awake = self._awake.pop(table, None)
        if table == "setting":
            self._settings.clear()
        try:
            connection.execute(sql, values)
        except sqlite3.OperationalError as error:
            self._forget(self._written)
            raise _refused(error) from error
        except BaseException:
            self._forget(self._written)
            raise
        self._changes = connection.total_changes
        self._written.append((sql, values))
        return awake

    def delete(self, table: str, number: int) -> None:
        """Remove one row for good."""
        self._remove(table, "rowid = ?", number)

    def _remove(self, table: str, where: str, *values: Any) -> None:
        with self.atomic():
            self._run(table, f"DELETE FROM [{table}] WHERE {where}", values)
            self._rows[table].clear()
            self._numbers.pop(table, None)
            self._earliest = None

    def get(self, table: str, number: int) -> Row | None:
        """One row, or None if there is none or it is damaged."""
        self._make_sure()
        row = self._rows[table].get(number)
        if row is not None:
            return row
        return next((row for _, row in self._read(table, f"FROM [{table}] WHERE rowid = ?", [number])), None)

    def _make_sure(self) -> None:
        """Nothing is remembered that is no longer so. Before each use of what is; in a transaction nobody else can write.

        All that is done together in a ledger of ours looks once, when it begins, and again before it writes.
        """
        connection = self.db.conn
        if not (self._together and self._ours) and not connection.in_transaction:
            self._look()
        elif self._changes != connection.total_changes:
            self._forget(self._written)

    def find(self, table: str, where: str = "1", *args: Any, order: str = "rowid", limit: int = -1) -> list[Row]:
        """Rows that meet an SQL condition. A damaged one is mended, or put into quarantine and left out."""
        return [row for _, row in self._find(table, where, *args, order=order, limit=limit)]

    def _find(self, table: str, where: str, *args: Any, order: str, limit: int) -> list[tuple[int, Row]]:
        condition = f"FROM [{table}] WHERE {where} ORDER BY {order} LIMIT {limit}"
        values = [stamp(a) if isinstance(a, datetime) else a for a in args]
        self._make_sure()
        # Most rows that are looked for are remembered: their numbers are enough, a whole row costs ten times as much.
        numbers = [number for (number,) in self._fetched(f"SELECT rowid {condition}", values)]
        known = self._rows[table]
        new = [number for number in numbers if number not in known]
        if len(new) > NEW_AT_ONCE:
            return self._read(table, condition, values)
        if not new:
            return [(number, known[number]) for number in numbers]
        rows = {number: known[number] for number in numbers if number in known}
        rows |= self._read(table, f"FROM [{table}] WHERE rowid IN ({', '.join('?' * len(new))})", new)
        return [(number, rows[number]) for number in numbers if number in rows]

    def _fetched(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return self.db.conn.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise _refused(error) from error

    def _read(self, table: str, condition: str, values: Sequence[Any]) -> list[tuple[int, Row]]:
        """Whole rows, their checksums compared. A damaged one is mended, or put into quarantine and left out."""
        shape = self._shape(table)
        sql = f"SELECT rowid, * {condition}"
        try:
            found = self.db.conn.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            if "decode" not in str(error):
                raise _refused(error) from error
            # A flipped bit left a text that is no UTF-8: it must come back as it is, to be mended.
            self.db.conn.text_factory = _text
            try:
                found = self.db.conn.execute(sql, values).fetchall()
            finally:
                self.db.conn.text_factory = str
        known = self._rows[table]
        few = len(found) <= KEPT // 2
        rows: list[tuple[int, Row]] = []
        for fetched in found:
            number = fetched[0]
            before = known.get(number)
            if before is not None and tuple(before.values()) == fetched[1:]:
                rows.append((number, before))  # the same still: it is not summed again
                continue
            row: Row = dict(zip(shape.names, fetched[1:], strict=True))
            if row["crc"] != _sum(row, shape.form):
                mended = self._mend(table, number, row)
                if mended is None:
                    continue
                row = mended
            rows.append((number, row))
            if few:
                self._keep(table, number, row)
        return rows

    def _mend(self, table: str, number: int, row: Row) -> Row | None:
        """Put a damaged row right if one flipped bit explains it, else put it into quarantine.

        The CRC-32 of Ethernet has Hamming distance 4 up to 91,607 bits (Koopman 2002): a row that fits after one
        flip is the row that was written, unless three bits or more went.
        """
        mended = _unflip(row)
        try:
            with self.atomic():
                if mended is not None:
                    sets = ", ".join(f"[{key}] = ?" for key in mended)
                    self._run(table, f"UPDATE [{table}] SET {sets} WHERE rowid = ?", [*mended.values(), number])
                    self._rows[table].pop(number, None)
                    self._earliest = None
                    self.mended.append((table, number))
                    log.warning("mended row: %s %s", table, number)
                else:
                    log.error("damaged row: %s %s", table, number)
                    self.damaged.append((table, number))
                    body = json.dumps(row, ensure_ascii=True, default=repr)
                    self.insert("quarantine", of=table, row=number, body=body, wake_at=AT_ONCE)
                    self._remove(table, "rowid = ?", number)
        except StoreError:
            log.error("a damaged row could not be written: %s %s", table, number)
        return mended

    def count(self, table: str, where: str = "1", *args: Any) -> int:
        """How many rows meet a condition."""
        values = [stamp(a) if isinstance(a, datetime) else a for a in args]
        (number,) = self.db.conn.execute(f"SELECT count(*) FROM [{table}] WHERE {where}", values).fetchone()
        return int(number)

    def must_tell(self, note: str, said: str) -> None:
        """The machine itself came to harm: a row that wakes tells the family `note`, the elder hears `said`, a reply of the household
        skill, at the next start (empty: nothing)."""
        with self.atomic():
            self.insert("quarantine", of=WHOLE, row=0, body=note, wake_at=AT_ONCE)
            if said and said not in (unheard := self.setting(UNHEARD).split()):
                self.remember(UNHEARD, " ".join([*unheard, said]))

    # --- log and settings -----------------------------------------------------------------------------------------

    def note_down(self, now: datetime, kind: str, row: int = 0, text: str = "") -> None:
        """A line in the log, in the same transaction as what it tells of."""
        if not self.db.conn.in_transaction:
            self.insert("log", at=now, kind=kind, row=row, text=text)
            return
        shape = self._shape("log")
        number = self._next_number("log", shape)
        line = {"id": number, "at": stamp(now), "kind": kind, "row": row, "text": text}
        self._run("log", shape.insert, (number, *line.values(), _sum(line, shape.form)))
        self._numbers["log"] = number

    def forget_log(self, before: datetime, kind: str = "") -> None:
        """Log lines older than `before` go for good: retention (CARE 7)."""
        self._remove("log", "at < ? AND (? = '' OR kind = ?)", stamp(before), kind, kind)

    def setting(self, key: str, default: str = "") -> str:
        """A remembered value."""
        self._make_sure()
        if key in self._settings:
            value = self._settings[key]
        else:
            rows = self.find("setting", "key = ?", key)
            value = self._settings[key] = str(rows[0]["value"]) if rows else None
        return default if value is None else value

    def remember(self, key: str, value: str) -> None:
        """Keep a value under a key."""
        with self.atomic():
            self._remove("setting", "key = ?", key)
            self.insert("setting", key=key, value=value)

    # --- what wakes -----------------------------------------------------------------------------------------------

    def awake(self, table: str) -> list[Row]:
        """The rows of a table that will wake, in the order of their numbers.

        They are few (final states wake nobody), and are asked for again and again.
        """
        return self._those_awake(table).in_order()

    def due(self, now: datetime, tables: Sequence[str] | None = None) -> list[tuple[str, int]]:
        """(table, id) of rows whose `wake_at` has come, oldest first."""
        until = stamp(now)
        earliest = self._earliest_of_all()
        if not earliest or earliest > until:
            return []
        found: list[tuple[str, str, int]] = []
        for table in self._waking if tables is None else tables:
            awake = self._awake.get(table) or self._those_awake(table)
            if (first := awake.first) and first <= until:
                found += [(wake, table, number) for wake, number in awake.until(until)[:AT_A_TIME]]
        return [(table, number) for _, table, number in sorted(found)]

    def next_wake(self, tables: Sequence[str] | None = None) -> datetime | None:
        """The earliest `wake_at` of all rows."""
        earliest = self._earliest_of_all() if tables is None else self._earliest_of(tables)
        return moment(earliest) if earliest else None

    def _earliest_of_all(self) -> str:
        """The first `wake_at` of all, empty if nothing wakes: kept until a row that wakes, or did, is written."""
        self._make_sure()
        if self._earliest is None:
            self._earliest = self._earliest_of(self._waking)
        return self._earliest

    def _earliest_of(self, tables: Sequence[str]) -> str:
        self._make_sure()
        known = self._awake
        return min([
            first for table in tables if (first := (known.get(table) or self._those_awake(table)).first)
        ], default="")

    def _those_awake(self, table: str) -> Awake:
        self._make_sure()
        awake = self._awake.get(table)
        if awake is None:
            # Read whole, checksum and all: a damaged row that only wakes and is never read would ring for ever.
            awake = self._awake[table] = Awake(dict(self._find(table, "wake_at IS NOT NULL", order="rowid", limit=-1)))
        return awake

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


def remembered(make: Callable[[Row, tzinfo], Value]) -> Callable[[Row, tzinfo], Value]:
    """Remembers what `make` reads from a row: one that has not changed is given out as the same object again and again."""
    known: dict[int, tuple[Row, tzinfo, Value]] = {}

    def read(row: Row, zone: tzinfo) -> Value:
        before = known.get(id(row))
        if before is not None and before[0] is row and before[1] is zone:
            return before[2]
        value = make(row, zone)
        if len(known) >= READ:
            known.clear()
        known[id(row)] = row, zone, value
        return value

    return read


class Awake:
    """The rows of one table that wake, and when the first of them does."""

    __slots__ = ("_first", "_rows")

    def __init__(self, rows: dict[int, Row]) -> None:
        self._rows = rows
        self._first: str | None = None
        """The earliest `wake_at`, empty where nothing wakes; None: to be looked up."""

    def now_is(self, number: int, row: Row) -> str | None:
        """A row was written. Returns its `wake_at` before that."""
        before, wake = self._rows.get(number), row["wake_at"]
        was = before["wake_at"] if before is not None else None
        if wake is not None:
            self._rows[number] = row
        elif before is not None:
            del self._rows[number]
        if self._first is not None and was != wake:
            if wake is not None and (not self._first or wake <= self._first):
                self._first = wake
            elif was == self._first:
                self._first = None  # it was the first, and is so no longer
        return was

    @property
    def first(self) -> str:
        """The earliest `wake_at`; empty if nothing wakes."""
        if self._first is None:
            self._first = min([row["wake_at"] for row in self._rows.values()], default="")
        return self._first

    def until(self, moment: str) -> list[tuple[str, int]]:
        """(`wake_at`, number) of the rows that wake by then, the earliest first."""
        return sorted([(row["wake_at"], number) for number, row in self._rows.items() if row["wake_at"] <= moment])

    def in_order(self) -> list[Row]:
        """The rows in the order of their numbers."""
        return [self._rows[number] for number in sorted(self._rows)]


class Atomic:
    """`with store.atomic():`; a level of a transaction."""

    __slots__ = ("_level", "_mark", "_store", "_whole")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._level = self._mark = 0
        self._whole = False
        """Whether it is the outermost: its end is the commit."""

    def __enter__(self) -> None:
        store = self._store
        self._level, self._mark = store._depth, store._earlier + len(store._written)
        self._whole = not store._depth and not store._together
        if not store.db.conn.in_transaction:
            store._begin()
        store._depth += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        store = self._store
        try:
            if error is None and self._whole:
                try:
                    store._commit()
                except BaseException:
                    store._undo(self._mark, self._whole)
                    raise
            elif error is not None:
                store._undo(self._mark, self._whole)
                if isinstance(error, sqlite3.OperationalError):
                    raise _refused(error) from error
        finally:
            store._depth = self._level


class Together:
    """`with store.together():`; inside another one, or inside a transaction, it is nothing."""

    __slots__ = ("_first", "_store")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._first = not store._together and not store._depth

    def __enter__(self) -> None:
        if self._first:
            self._store._look()
            self._store._together = True

    def __exit__(self, *_: object) -> None:
        if self._first:
            self._store._together = False
            self._store._commit()


@lru_cache(maxsize=512)
def _update_sql(table: str, columns: tuple[str, ...]) -> str:
    return f"UPDATE [{table}] SET {', '.join([f'[{column}] = ?' for column in columns])} WHERE rowid = ?"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _literal(default: str | None) -> str | int | float | None:
    """The value of a DEFAULT clause; only numbers, strings and NULL are used in our schemas."""
    if default is None or default.upper() == "NULL":
        return None
    if default.startswith("'"):
        return default[1:-1].replace("''", "'")
    return float(default) if "." in default else int(default)


def _unflip(row: Row) -> dict[str, Any] | None:
    """The row with the one bit put back whose flip explains its checksum; None if no single flip does."""
    for key, value in row.items():
        if isinstance(value, str):
            raw = value.encode("utf-8", "surrogateescape")
            options: Iterator[Any] = (
                (raw[:i] + bytes([raw[i] ^ 1 << bit]) + raw[i + 1:]).decode("utf-8", "surrogateescape")
                for i in range(len(raw)) for bit in range(8)
            )
        elif isinstance(value, int):
            options = (value ^ 1 << bit for bit in range(63))
        elif isinstance(value, float):
            (whole,) = struct.unpack(">q", struct.pack(">d", value))
            options = (struct.unpack(">d", struct.pack(">Q", (whole ^ 1 << bit) & 0xFFFFFFFFFFFFFFFF))[0] for bit in range(64))
        else:
            continue
        for option in options:
            changed = {**row, key: option}
            if changed["crc"] == checksum(changed):
                return changed
    return None


def _refused(error: sqlite3.DatabaseError) -> StoreError:
    """What a refusal of SQLite means to whoever must mend it."""
    text = str(error)
    for sign, means in (
        ("full", "磁盘满了。请删掉一些东西，腾出地方。"), ("locked", "账本正被另一个小伴占用。请先停掉另一个。"),
        ("readonly", "账本只能读不能写。请检查磁盘和权限。"), ("I/O", "磁盘读写出错，可能坏了。请换一张卡，从备份恢复。"),
        ("malformed", "账本坏了。重新启动会从备份恢复。"),
    ):
        if sign in text:
            kind = DiskRefuses if sign in ("full", "readonly", "I/O") else StoreError
            return kind(f"账本写不进去：{means}（{text}）")
    return StoreError(f"账本出错：{text}。请重新启动小伴；还不行就从备份恢复。")


def _alone(path: Path) -> int:
    """Hold the lock beside the ledger as long as this process lives. Raises StoreError if another one does."""
    lock = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise StoreError(f"账本正被另一个小伴占用：{path}。请先停掉另一个（systemctl stop xiaoban）。") from None
    return lock


def _not_newer(db: Database, schemas: Sequence[Migrations]) -> None:
    """Raises StoreError if the ledger knows migrations that this version does not: it would misread the rows."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}
    if "_sqlite_migrations" not in tables:
        return
    ours = {(schema.name, migration.name) for schema in schemas for migration in schema._migrations}
    sets = {schema.name for schema in schemas}
    theirs = db.execute("SELECT migration_set, name FROM _sqlite_migrations").fetchall()
    if newer := [name for group, name in theirs if group in sets and (group, name) not in ours]:
        raise StoreError(f"账本是更新版本的小伴写的（{'、'.join(newer)}）。请装回新版本，或者另用一个数据目录。")


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


def _copy(path: Path) -> sqlite3.Connection | None:
    """What the file holds, in memory; None if SQLite does not find it whole. Raises OperationalError where it cannot be read."""
    copy = sqlite3.connect(":memory:", isolation_level=None, cached_statements=STATEMENTS)
    try:
        if path.stat().st_size:
            # mode=rw makes no file; only with it SQLite may take back what power cut short.
            with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=5.0)) as file:
                file.backup(copy)
            if copy.execute("PRAGMA quick_check").fetchone()[0] == "ok":
                return copy
    except sqlite3.OperationalError:
        copy.close()
        raise
    except sqlite3.DatabaseError:
        pass
    copy.close()
    return None


def _restore(path: Path, schemas: Sequence[Migrations]) -> str:
    """Put a broken ledger aside, bring the newest good backup. Returns what to tell the family, in Chinese.

    The ledger that takes the place is made first, and carries in itself that there is something to tell: a full disk leaves all as it
    was, a power cut later loses no word of it.
    """
    half = path.with_name(f"{path.name}.restored.half")
    copy = next((copy for copy in _backups(path) if _sound(copy)), None)
    aside = _aside(path) if path.exists() else None
    left = f"坏的那份留在 {aside.name}。" if aside else ""
    if copy is not None:
        note = f"账本坏了，已经用 {copy.name} 恢复。{left}这之后的记录要请家人核对。"
    else:
        note = f"账本坏了，也没有好的备份，只能从头记起。{left}今天的药吃没吃，要请家人核对。"
    try:
        os.close(os.open(half, os.O_CREAT | os.O_RDWR | os.O_EXCL, 0o600))
        if copy is not None:
            shutil.copyfile(copy, half)
        with contextlib.closing(sqlite3.connect(half, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            Store(Database(connection), schemas).must_tell(note, "ledger_restored")
        with open(half, "rb+") as file:
            os.fsync(file.fileno())
    except BaseException:
        _away(half)
        raise
    journal, target = path.with_name(path.name + "-journal"), aside or _aside(path)
    if path.exists():
        path.replace(target)
    if journal.exists():
        journal.replace(target.with_name(target.name + "-journal"))  # it must not be taken for the new one's
    half.replace(path)
    _settled(path.parent)
    return note


def _aside(path: Path) -> Path:
    """Where a broken file goes: `ledger.db.broken1`, or the next number that is free."""
    number = 1
    while (target := path.with_name(f"{path.name}.broken{number}")).exists():
        number += 1
    return target


def _away(begun: Path) -> None:
    """A file that could not be brought to its end."""
    for name in (begun.name, f"{begun.name}-journal"):
        with contextlib.suppress(OSError):
            begun.with_name(name).unlink(missing_ok=True)


def _settled(folder: Path) -> None:
    """What was renamed in it stays so over a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
