"""Values that are kept between starts come back as they were, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

from assistant.frozen import digest, kept, plain, recalled, remember, thawed
from assistant.home import Household
from assistant.household import load
from assistant.places import sample_household, shipped
from assistant.understand.phrasebook import Phrasebook
from assistant.understand.reader import read


@dataclass(frozen=True)
class Day:
    """A bit of everything."""

    day: date
    clocks: tuple[time, ...]
    length: timedelta | None
    words: frozenset[str] = frozenset()
    pair: tuple[str, float] = ("", 0.0)
    other: Any = None


DAY = Day(date(2026, 11, 22), (time(7, 30), time(20)), timedelta(days=1, microseconds=3), frozenset({"药", "饭"}), ("糖", 6.3), {"a": [1]})


def test_a_value_comes_back_as_it_was() -> None:
    assert thawed(Day, plain(DAY)) == DAY


def test_the_sample_family_and_the_whole_phrasebook_come_back(tmp_path: Path) -> None:
    home, book = load(sample_household()), read(shipped("intents"))
    remember(tmp_path / "home", Household, "1", home)
    remember(tmp_path / "book", Phrasebook, "1", book)
    assert (recalled(tmp_path / "home", Household, "1"), recalled(tmp_path / "book", Phrasebook, "1")) == (home, book)


def test_what_belongs_to_another_program_or_is_damaged_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "day.json"
    remember(path, Day, "old", DAY)
    of_another = recalled(path, Day, "new")
    path.write_text(path.read_text("utf-8").replace("6.3", "3.6"), "utf-8")
    assert (of_another, recalled(path, Day, "old"), kept(path, Day, "old", lambda: DAY), recalled(path, Day, "old")) == (None, None, DAY, DAY)


def test_a_value_that_would_come_back_changed_is_not_kept(tmp_path: Path) -> None:
    odd = Day(date(2026, 11, 22), (), None, other=(1, 2))
    assert (kept(tmp_path / "odd", Day, "1", lambda: odd), (tmp_path / "odd").exists()) == (odd, False)


def test_a_folder_nobody_can_write_to_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert kept(tmp_path / "file" / "day", Day, "1", lambda: DAY) == DAY


def test_a_changed_file_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("a")
    before = digest(tmp_path)
    (tmp_path / "a.toml").write_text("b")
    assert digest(tmp_path) != before
