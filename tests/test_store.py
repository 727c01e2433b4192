"""The ledger on a real disk: what is written stays, what is broken is found, mended or put aside, and said plainly."""

from __future__ import annotations

import contextlib
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlite_utils import Database

from assistant.care import SCHEMAS, dose
from assistant.errors import StoreError
from assistant.skills import household, medication
from assistant.store import Store, checksum, moment, stamp
from tests.faults.disk import Full
from tests.talks import Home, at, said

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "ledger.db"


def opened(path: Path, **more: bool) -> Store:
    return Store.open(path, SCHEMAS, **more)


def with_a_day(path: Path) -> Store:
    """A ledger after the morning dose was taken."""
    store = opened(path)
    home = Home(medication.skill, at("07:00"), store=store)
    home.start()
    home.run(at("07:31"), said("taken"))
    return store


def states(store: Store) -> list[tuple[str, str, str]]:
    return [(r["medicine"], r["slot"], r["state"]) for r in store.find("dose")]


# --- rows ---------------------------------------------------------------------------------------------------------


def test_what_is_written_is_there_after_reopening(path: Path) -> None:
    store = with_a_day(path)
    before = states(store)
    store.close()
    assert states(opened(path)) == before


@pytest.mark.parametrize("value", [0, 7, 28.0, 6.3, -1.5, "药", "", "0", "1.0", None, True])
def test_a_row_has_the_same_checksum_given_and_stored(value: object) -> None:
    store = Store.memory()
    store.db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b REAL, c INTEGER DEFAULT 5, crc INTEGER NOT NULL DEFAULT 0)")
    number = store.insert("t", a=value, b=value if not isinstance(value, str) else 1.0)
    assert (len(store.find("t", "id = ?", number)), store.damaged) == (1, [])


def test_a_transaction_is_all_or_nothing_also_inside_another() -> None:
    store = Store.memory()
    with store.atomic():
        store.remember("a", "1")
        with contextlib.suppress(RuntimeError), store.atomic():
            store.remember("b", "2")
            raise RuntimeError
    assert (store.setting("a"), store.setting("b")) == ("1", "")


def test_what_is_done_together_is_one_commit(path: Path) -> None:
    store = opened(path)
    seen: list[str] = []
    store.db.conn.set_trace_callback(lambda sql: seen.append(sql.split(" ")[0]))
    with store.together():
        store.remember("a", "1")
        with store.atomic():
            store.remember("b", "2")
        store.note_down(at("08:00"), "x")
    store.db.conn.set_trace_callback(None)
    assert ([word for word in seen if word in ("BEGIN", "COMMIT")], opened(path).setting("b")) == (["BEGIN", "COMMIT"], "2")


def test_a_part_that_fails_leaves_the_rest_of_what_is_done_together(path: Path) -> None:
    store = opened(path)
    with store.together():
        store.remember("a", "1")
        with contextlib.suppress(RuntimeError), store.atomic():
            store.remember("b", "2")
            raise RuntimeError
        store.remember("c", "3")
    assert [opened(path).setting(key) for key in "abc"] == ["1", "", "3"]


def test_what_was_written_before_a_refused_commit_goes_on_in_memory(path: Path) -> None:
    store = opened(path)
    store.remember("before", "1")
    number = store.insert("reminder", what="浇花", due_at=at("15:00"), state="set")
    store.db.conn = Full(store.db.conn)  # type: ignore[assignment]
    with pytest.raises(StoreError, match="磁盘满了"), store.together():
        store.remember("a", "2")
        store.update("reminder", number, state="done")
        with contextlib.suppress(RuntimeError), store.atomic():
            store.remember("never", "3")
            raise RuntimeError
    store.into_memory()
    assert ([store.setting(key) for key in ("before", "a", "never")], store.find("reminder")[0]["state"], store.damaged) == (
        ["1", "2", ""], "done", []
    )


def test_going_on_in_memory_in_the_middle_of_a_transaction_keeps_its_parts_apart() -> None:
    store = Store.memory()
    with store.atomic():
        store.remember("a", "1")
        store.into_memory()
        with contextlib.suppress(RuntimeError), store.atomic():
            store.remember("b", "2")
            raise RuntimeError
        store.remember("c", "3")
    assert [store.setting(key) for key in "abc"] == ["1", "", "3"]


def test_a_row_changed_by_another_process_is_read_anew(path: Path) -> None:
    house, other = opened(path), opened(path)
    number = house.insert("reminder", what="浇花", due_at=at("15:00"), state="set")
    other.update("reminder", number, what="浇树")
    house.update("reminder", number, state="done")
    assert [(r["what"], r["state"]) for r in (house.get("reminder", number), other.get("reminder", number)) if r] == [("浇树", "done")] * 2


def test_what_is_remembered_is_forgotten_once_another_process_has_written(path: Path) -> None:
    """The lock keeps other houses out, not somebody who opens the file with a tool of his own."""
    house = opened(path, alone=True)
    number = house.insert("reminder", what="浇花", due_at=at("15:00"), state="set", wake_at=at("15:00"))
    house.remember("a", "1")
    before = (house.get("reminder", number), house.setting("a"), house.next_wake())
    opened(path).update("reminder", number, what="浇树", wake_at=at("16:00"))
    opened(path).remember("a", "2")
    with house.together():
        row = house.get("reminder", number)
        now = (row["what"] if row else "", house.setting("a"), house.awake("reminder")[0]["what"])
    assert (before[1:], now, house.next_wake()) == (("1", at("15:00")), ("浇树", "2", "浇树"), at("16:00"))


def test_what_another_process_writes_while_something_is_done_is_not_overwritten(path: Path) -> None:
    house = opened(path, alone=True)
    number = house.insert("reminder", what="浇花", due_at=at("15:00"), state="set")
    with house.together():
        house.get("reminder", number)
        opened(path).update("reminder", number, what="浇树")
        house.update("reminder", number, state="done")
    assert [(row["what"], row["state"]) for row in opened(path).find("reminder")] == [("浇树", "done")]


def test_what_is_remembered_is_forgotten_once_something_was_written_past_the_store() -> None:
    store = Store.memory(SCHEMAS)
    number = store.insert("reminder", what="浇花", due_at=at("15:00"), state="set", wake_at=at("15:00"))
    before = store.next_wake()
    store.db.execute("DELETE FROM reminder")
    assert (before, store.get("reminder", number), store.next_wake(), store.awake("reminder")) == (at("15:00"), None, None, [])


@pytest.mark.parametrize("seed", range(5))
def test_what_is_remembered_is_what_is_in_the_tables_whatever_was_written(seed: int) -> None:
    """Rows, those awake and settings: changed, deleted, taken back in part or as a whole, through a move into memory."""
    chance, store = random.Random(seed), Store.memory(SCHEMAS)

    def change() -> None:
        numbers = [number for (number,) in store.db.execute("SELECT id FROM reminder").fetchall()]
        wake = chance.choice([None, at(f"{chance.randint(8, 12):02d}:00")])
        match chance.choice(["insert", "update", "delete", "remember", "into memory"]) if numbers else "insert":
            case "insert":
                store.insert("reminder", what="浇花", due_at=at("15:00"), state="set", wake_at=wake)
            case "update":
                store.update("reminder", chance.choice(numbers), wake_at=wake, said=chance.randint(0, 9))
            case "delete":
                store.delete("reminder", chance.choice(numbers))
            case "remember":
                store.remember(chance.choice("ab"), str(chance.random()))
            case _ if chance.random() < 0.2:
                store.into_memory()

    def remembered() -> object:
        numbers = [number for (number,) in store.db.execute("SELECT id FROM reminder").fetchall()]
        return ([store.get("reminder", number) for number in numbers], store.find("reminder", "wake_at IS NOT NULL"),
                store.awake("reminder"), store.next_wake(), store.setting("a"), store.setting("b", "none"))

    for _ in range(60):
        with contextlib.suppress(RuntimeError), store.together():
            change()
            remembered()
            with contextlib.suppress(RuntimeError), store.atomic():
                change()
                remembered()
                if chance.random() < 0.3:
                    raise RuntimeError
            change()
            if chance.random() < 0.2:
                raise RuntimeError
        kept = remembered()
        store._forget()
        assert (kept, store.damaged) == (remembered(), [])


@pytest.mark.parametrize("seed", range(5))
def test_the_first_row_to_wake_is_known_whatever_was_written(seed: int) -> None:
    """Set earlier and later, cleared, deleted, taken back: kept in memory, it is what a look at the table finds."""
    chance, store = random.Random(seed), Store.memory(SCHEMAS)
    numbers: list[int] = []

    def change() -> None:
        wake = chance.choice([None, at(f"{chance.randint(8, 12):02d}:00")])
        if not numbers or chance.random() < 0.3:
            numbers.append(store.insert("reminder", what="浇花", due_at=at("15:00"), state="set", wake_at=wake))
        elif chance.random() < 0.2:
            store.delete("reminder", numbers.pop(chance.randrange(len(numbers))))
        else:
            store.update("reminder", chance.choice(numbers), wake_at=wake)

    for _ in range(60):
        before = list(numbers)
        with contextlib.suppress(RuntimeError), store.together(), store.atomic():
            change()
            store.next_wake()
            change()
            if chance.random() < 0.2:
                numbers = before
                raise RuntimeError
        (first,) = store.db.execute("SELECT min(wake_at) FROM reminder").fetchone()
        assert store.next_wake() == (moment(first) if first else None)


def test_what_came_before_a_part_that_fails_is_written_again_without_it(path: Path) -> None:
    """Rows changed, made and deleted before; the part that fails changes the same rows."""
    store = opened(path)
    kept, gone = (store.insert("reminder", what=what, due_at=at("15:00"), state="set") for what in ("浇花", "关火"))
    with store.together():
        store.update("reminder", kept, state="done")
        store.delete("reminder", gone)
        with contextlib.suppress(RuntimeError), store.atomic():
            store.update("reminder", kept, what="浇树")
            store.insert("reminder", what="喂猫", due_at=at("15:00"), state="set")
            raise RuntimeError
        assert [(r["what"], r["state"]) for r in store.find("reminder")] == [("浇花", "done")]
        store.note_down(at("08:00"), "x")
    again = opened(path)
    assert ([(r["what"], r["state"]) for r in again.find("reminder")], again.count("log", "kind = 'x'"), again.damaged) == (
        [("浇花", "done")], 1, []
    )


def test_the_two_half_past_twos_of_an_autumn_night_have_different_stamps() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert [stamp(first), stamp(first.replace(fold=1))] == ["2026-10-25T00:30:00.000000+00:00", "2026-10-25T01:30:00.000000+00:00"]


def test_the_number_of_a_deleted_reminder_is_never_given_again() -> None:
    store = Store.memory(SCHEMAS)
    first = store.insert("reminder", what="浇花", due_at=at("15:00"), state="set")
    store.delete("reminder", first)
    assert store.insert("reminder", what="浇花", due_at=at("15:00"), state="set") == first + 1


def test_a_row_that_is_not_there_is_not_changed() -> None:
    with pytest.raises(KeyError):
        Store.memory(SCHEMAS).update("dose", 99, state="taken")


# --- flipped bits -------------------------------------------------------------------------------------------------


def flipped(store: Store, table: str, number: int, column: str, bit: int) -> None:
    (value,) = store.db.execute(f"SELECT CAST([{column}] AS BLOB) FROM [{table}] WHERE rowid = ?", [number]).fetchone()
    raw = bytearray(value)
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    store.db.execute(f"UPDATE [{table}] SET [{column}] = CAST(? AS TEXT) WHERE rowid = ?", [bytes(raw), number])


@pytest.mark.parametrize("column", ["medicine", "state", "due_at", "day", "evidence"])
def test_a_flipped_bit_is_found_and_put_right(column: str) -> None:
    store = Store.memory(SCHEMAS)
    home = Home(medication.skill, at("07:00"), store=store)
    home.start()
    home.run(at("07:31"), said("taken"))
    number = store.find("dose", "state = 'taken'")[0]["id"]
    good = store.get("dose", number)
    lost = []
    for bit in range(24):
        flipped(store, "dose", number, column, bit)
        if store.get("dose", number) != good:
            lost.append(bit)
    assert (lost, len(store.mended), store.damaged) == ([], 24, [])


def test_a_row_damaged_beyond_that_is_put_aside_and_the_rest_goes_on() -> None:
    store = Store.memory(SCHEMAS)
    home = Home(medication.skill, at("07:00"), store=store)
    home.start()
    store.db.execute("UPDATE dose SET state = 'taken', taken_at = due_at WHERE medicine = '缬沙坦' AND slot = '07:30'")
    home.run(at("12:31"), said("taken"))
    assert ([r["medicine"] for r in store.find("dose", "state = 'taken'")], store.count("quarantine")) == (["二甲双胍"], 2)


def test_a_damaged_row_wakes_nobody_for_ever() -> None:
    store = Store.memory(SCHEMAS)
    home = Home(medication.skill, at("07:00"), store=store)
    home.start()
    store.db.execute("UPDATE dose SET slot = '09:99', reason = 'xyz' WHERE medicine = '缬沙坦' AND slot = '07:30' AND day = '2026-11-22'")
    home.run(at("08:00"))
    assert [table for table, _ in store.due(at("08:00"))] == ["quarantine"]


def test_a_dose_whose_row_was_damaged_is_asked_all_the_same_and_the_family_compares() -> None:
    store = Store.memory(SCHEMAS)
    home = Home(medication.skill, at("07:00"), store=store)
    home.start()
    store.db.execute("UPDATE dose SET slot = '09:99', reason = 'xyz' WHERE id = 1")
    home.run(at("07:40"))
    list(medication.skill.instants["quarantine"](home.turn(), store.due(home.now, ("quarantine",))[0][1]))
    assert (home.run(at("08:00"), said("taken"))[-1], home.family_got) == (
        "好，早上七点半的降压药，我记下了：吃过了。", ["账本有一处坏了"]
    )


def test_random_flips_in_the_file_never_pass_as_truth(path: Path) -> None:
    """200 single-bit flips anywhere in the file: each row read is the row written, or not given at all."""
    store = with_a_day(path)
    good = {r["id"]: r for r in store.find("dose")}
    store.close()
    whole = path.read_bytes()
    chance = random.Random(7)
    lies = 0
    copy = path.with_name("flipped.db")
    for _ in range(200):
        raw = bytearray(whole)
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        copy.write_bytes(raw)
        with contextlib.suppress(sqlite3.DatabaseError, StoreError, Exception):
            flipped_store = Store(Database(sqlite3.connect(copy, isolation_level=None)), SCHEMAS)
            lies += sum(good.get(r["id"]) != r for r in flipped_store.find("dose"))
            flipped_store.close()
    assert lies == 0


# --- the file -----------------------------------------------------------------------------------------------------


def damaged_in_every_way() -> Iterator[tuple[str, bytes]]:
    yield "zero length", b""
    yield "no database", b"hello" * 1000
    yield "cut in half", b"half"


@pytest.mark.parametrize(("how", "content"), list(damaged_in_every_way()))
def test_a_broken_file_is_put_aside_and_the_backup_takes_its_place(path: Path, how: str, content: bytes) -> None:
    store = with_a_day(path)
    before = states(store)
    store.backup(path, "2026-11-22")
    store.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if how == "cut in half" else content)
    mended = opened(path)
    assert (states(mended), "恢复" in mended.note, path.with_name("ledger.db.broken1").exists()) == (before, True, True)


def test_without_a_backup_it_begins_anew_and_says_so(path: Path) -> None:
    with_a_day(path).close()
    path.write_bytes(b"")
    store = opened(path)
    assert (store.count("dose"), "从头记起" in store.note) == (0, True)


def test_a_broken_backup_is_passed_over(path: Path) -> None:
    store = with_a_day(path)
    store.backup(path, "2026-11-21")
    newest = store.backup(path, "2026-11-22")
    before = states(store)
    store.close()
    newest.write_bytes(b"broken")
    path.write_bytes(b"")
    assert states(opened(path)) == before


def test_seven_backups_are_kept_and_a_half_written_one_is_cleared_away(path: Path) -> None:
    store = with_a_day(path)
    for day in range(1, 11):
        store.backup(path, f"2026-11-{day:02d}")
    store.close()
    path.with_name("ledger.db.2026-11-11.half").write_bytes(b"half")
    opened(path, alone=True).close()
    names = sorted(p.name for p in path.parent.iterdir() if p.suffix in (".bak", ".half"))
    assert names == [f"ledger.db.2026-11-{day:02d}.bak" for day in range(4, 11)]


def test_the_files_belong_to_the_household_alone(path: Path) -> None:
    store = with_a_day(path)
    copy = store.backup(path, "2026-11-22")
    assert {oct(p.stat().st_mode & 0o777) for p in (path, copy)} == {"0o600"}


def test_a_ledger_of_a_newer_version_is_refused(path: Path) -> None:
    store = with_a_day(path)
    store.db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('dose', 'far_future', '2030')")
    store.close()
    with pytest.raises(StoreError, match="更新版本"):
        opened(path)


def test_two_houses_do_not_share_a_ledger(path: Path) -> None:
    first = opened(path, alone=True)
    with pytest.raises(StoreError, match="另一个小伴"):
        opened(path, alone=True)
    first.close()
    opened(path, alone=True).close()


def test_a_report_may_be_read_while_the_house_runs(path: Path) -> None:
    house = Store.open(path, SCHEMAS, alone=True)
    assert opened(path).count("dose") == house.count("dose")


def test_a_locked_ledger_is_refused_with_what_to_do(path: Path) -> None:
    with_a_day(path).close()
    store = opened(path)
    store.db.conn.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="占用"):
        store.remember("a", "1")
    other.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match="账本打不开"):
        opened(tmp_path / "file" / "ledger.db")


def fill(store: Store) -> None:
    with store.atomic():
        store.update("dose", 1, reason="x")
        for n in range(5000):
            store.note_down(at("08:00"), "filling", n, "x" * 200)


def test_a_full_disk_is_said_plainly_and_nothing_is_half_written(path: Path) -> None:
    store = with_a_day(path)
    before = states(store)
    (pages,) = store.db.execute("PRAGMA page_count").fetchone()
    store.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="磁盘满了"):
        fill(store)
    assert (states(store), store.count("log", "kind = 'filling'")) == (before, 0)


def test_the_next_write_after_a_full_disk_works_again(path: Path) -> None:
    store = with_a_day(path)
    (pages,) = store.db.execute("PRAGMA page_count").fetchone()
    store.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError):
        fill(store)
    store.db.execute("PRAGMA max_page_count = 1000000")
    store.remember("a", "1")
    assert store.setting("a") == "1"


# --- power ---------------------------------------------------------------------------------------------------------

WORK = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from datetime import timedelta
from tests.talks import Home, at, said
from assistant.care import SCHEMAS
from assistant.skills import household, medication
from assistant.store import Store
store = Store.open(Path(sys.argv[1]), SCHEMAS)
home = Home(medication.skill, at("07:00"), store=store)
home.now = at(store.setting("now", "2026-11-22 07:00"))
home.start()
limit = int(sys.argv[2])
written = 0
def count(sql):
    global written
    if sql.startswith(("INSERT", "UPDATE", "DELETE", "COMMIT", "BEGIN", "SAVEPOINT", "RELEASE")):
        written += 1
        if written == limit:
            import os, signal
            os.kill(os.getpid(), signal.SIGKILL)
store.db.conn.set_trace_callback(count)
for _ in range(2):
    for clock in ("07:31", "12:31", "20:01"):
        day = home.now.date().isoformat()
        home.run(at(f"{{day}} {{clock}}"), said("taken"))
        print("taken", day, clock, len(store.find("dose", "state = 'taken'")), flush=True)
        store.remember("now", f"{{day}} {{clock}}")
    home.run(home.now.replace(hour=23, minute=0))
    store.remember("now", (home.now + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M"))
    home.now = home.now + timedelta(hours=8)
print("end", written, flush=True)
"""


def _work(path: Path, limit: int) -> tuple[int, list[str]]:
    code = WORK.format(root=str(ROOT), tests=str(ROOT / "tests"))
    done = subprocess.run([sys.executable, "-c", code, str(path), str(limit)], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout.split("\n")


@pytest.mark.parametrize("limit", [3, 25, 37, 61, 95])
def test_killed_at_any_statement_nothing_acknowledged_is_lost_or_doubled(path: Path, limit: int) -> None:
    code, lines = _work(path, limit)
    acknowledged = int(lines[-2].split()[3]) if len(lines) > 1 and lines[-2].startswith("taken") else 0
    store = opened(path)
    rows = dose.find(store, at("07:00").tzinfo, "state = 'taken'")  # type: ignore[arg-type]
    keys = {(d.medicine, d.day, d.slot) for d in rows}
    logged = store.count("log", "kind = 'dose.taken'")
    # Row and log line are one transaction: neither without the other, and none that was said to be done is missing.
    assert (code, len(rows) >= acknowledged, len(keys), logged) == (-signal.SIGKILL, True, len(rows), len(rows))


def test_a_disk_that_is_really_full_is_said_plainly(tmp_path: Path) -> None:
    """RLIMIT_FSIZE makes the kernel refuse the write as a full disk would."""
    code = f"""
import resource, signal, sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]
from pathlib import Path
from tests.talks import at
from assistant.care import SCHEMAS
from assistant.errors import StoreError
from assistant.store import Store
path = Path(sys.argv[1])
store = Store.open(path, SCHEMAS)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 4096, path.stat().st_size + 4096))
try:
    for n in range(2000):
        store.note_down(at("08:00"), "filling", n, "x" * 500)
except StoreError as error:
    print(error)
"""
    assert resource.RLIMIT_FSIZE is not None
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "l.db")], capture_output=True, text=True, timeout=60, check=False)
    assert "账本写不进去" in done.stdout
    assert opened(tmp_path / "l.db").count("log") > 0


def test_going_on_in_memory_keeps_what_was_there(path: Path) -> None:
    store = with_a_day(path)
    before = states(store)
    store.into_memory()
    shutil.rmtree(path.parent)
    store.remember("a", "1")
    assert (states(store), store.setting("a"), "内存" in store.note) == (before, "1", True)


def test_the_checksum_sees_every_single_bit() -> None:
    row = {"id": 7, "medicine": "缬沙坦", "at": "2026-11-22T07:30", "value": 6.3, "crc": 0}
    seen = {checksum({**row, "medicine": bytes(b).decode("utf-8", "surrogateescape")}) for b in _each_bit("缬沙坦".encode())}
    assert (len(seen), checksum(row) in seen) == (72, False)


def _each_bit(raw: bytes) -> Iterator[bytearray]:
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        yield changed




# --- whoever only reads -------------------------------------------------------------------------------------------


def spoil(path: Path) -> None:
    """A page in the middle goes, as on a worn card."""
    with path.open("rb+") as file:
        file.seek(4096 * (path.stat().st_size // 4096 - 3))
        file.write(b"\xff" * 4096)


def files(path: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in path.parent.iterdir()}


def test_reading_a_broken_ledger_changes_no_file_and_says_what_it_is_read_from(path: Path) -> None:
    store = with_a_day(path)
    before = states(store)
    store.backup(path, "2026-11-22")
    store.close()
    spoil(path)
    left = files(path)
    read = Store.copied(path, SCHEMAS)
    assert (states(read), "ledger.db.2026-11-22.bak" in read.note, files(path) == left) == (before, True, True)


def test_reading_beside_a_running_house_leaves_it_its_ledger(path: Path) -> None:
    with_a_day(path).close()
    house = opened(path, alone=True)
    house.backup(path, "2026-11-22")
    spoil(path)
    Store.copied(path, SCHEMAS).close()
    house.remember("after", "1")
    assert (house.setting("after"), [name for name in files(path) if "broken" in name]) == ("1", [])


def test_a_broken_ledger_is_not_replaced_under_a_running_house(path: Path) -> None:
    with_a_day(path).close()
    house = opened(path, alone=True)
    spoil(path)
    with pytest.raises(StoreError, match="另一个小伴"):
        opened(path)
    house.close()
    assert opened(path, alone=True).note != ""


def test_a_row_that_is_damaged_is_left_out_of_what_is_read_and_left_to_the_house(path: Path) -> None:
    store = with_a_day(path)
    store.db.execute("UPDATE dose SET reason = 'xyz', slot = '09:99' WHERE id = 1")
    store.close()
    left = files(path)
    read = Store.copied(path, SCHEMAS)
    assert (list(read.verify()), files(path) == left) == ([("dose", 1)], True)


def test_that_a_ledger_was_restored_is_told_also_after_a_power_cut(path: Path) -> None:
    store = with_a_day(path)
    store.backup(path, "2026-11-22")
    store.close()
    path.write_bytes(b"broken")
    first = opened(path, alone=True)
    note = first.note
    first.close()  # the power goes before anybody was told
    home = Home(medication.skill, at("07:00"), store=opened(path, alone=True))
    home.start()
    ((_, row),) = home.store.due(home.now, ("quarantine",))
    list(medication.skill.instants["quarantine"](home.turn(), row))
    told = [Home(household.skill, at("07:00"), store=home.store).start() for _ in range(2)]
    assert (home.family_got, home.store.due(home.now, ("quarantine",)), ["本子坏过" in "".join(said) for said in told], note != "") == (
        ["小伴的机器出了毛病"], [], [True, False], True)


LITTLE_ROOM = """
import resource, sys
from pathlib import Path
from assistant.care import SCHEMAS
from assistant.errors import DiskRefuses
from assistant.store import Store
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
try:
    Store.open(Path(sys.argv[1]), SCHEMAS, alone=True)
except DiskRefuses as error:
    print("refused")
"""


def no_room(path: Path) -> str:
    """What becomes of opening it where no file can grow beyond two pages."""
    return subprocess.run([sys.executable, "-c", LITTLE_ROOM, str(path)], capture_output=True, text=True, check=True).stdout


def test_a_full_disk_leaves_no_empty_ledger_and_is_no_loss_afterwards(path: Path) -> None:
    tries = [no_room(path), no_room(path)]
    left = sorted(one.name for one in path.parent.iterdir())
    assert (tries, left, opened(path).note) == (["refused\n"] * 2, ["ledger.db.lock"], "")


def test_a_full_disk_leaves_a_broken_ledger_and_its_backup_as_they_are(path: Path) -> None:
    store = with_a_day(path)
    store.backup(path, "2026-11-22")
    before = states(store)
    store.close()
    path.write_bytes(b"broken")
    left = files(path)
    tried = no_room(path)
    assert (tried, files(path) == left, states(opened(path))) == ("refused\n", True, before)
