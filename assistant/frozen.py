"""Frozen values as JSON and back: what took long to work out is kept and not worked out again at the next start."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from functools import lru_cache
from pathlib import Path
from sys import intern
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

log = logging.getLogger(__name__)

T = TypeVar("T")


def plain(value: Any) -> Any:
    """The value as JSON holds it: a dataclass is the list of its fields."""
    match value:
        case Mapping():
            return {key: plain(item) for key, item in value.items()}
        case tuple() | list() | frozenset():
            return [plain(item) for item in (sorted(value) if isinstance(value, frozenset) else value)]
        case timedelta():
            return [value.days, value.seconds, value.microseconds]
        case date() | time():
            return value.isoformat()
        case re.Pattern():
            return value.pattern
        case _ if dataclasses.is_dataclass(value):
            return [plain(getattr(value, one.name)) for one in dataclasses.fields(value)]
        case _:
            return value


def thawed(kind: Any, shown: Any) -> Any:
    """The value of type `kind` that `plain` showed. Raises ValueError, TypeError where it cannot have been one."""
    return _maker(kind)(shown)


@lru_cache(maxsize=256)
def _maker(kind: Any) -> Callable[[Any], Any]:
    """How a value of this type is made again; found out once for each type, for a phrasebook holds 100,000 values."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        some = [one for one in inside if one is not type(None)]
        make = _maker(some[0]) if len(some) == 1 else _same
        return lambda shown: None if shown is None else make(shown)
    if origin is Mapping:
        make = _maker(inside[1])
        return lambda shown: {intern(key): make(item) for key, item in shown.items()}
    if origin is frozenset or (origin is tuple and inside[-1] is Ellipsis):
        make = _maker(inside[0])
        return origin if make is _same else lambda shown: origin(map(make, shown))
    if origin is tuple:
        makers = [_maker(one) for one in inside]
        return lambda shown: tuple(make(item) for make, item in zip(makers, shown, strict=True))
    if origin is re.Pattern:
        return re.compile
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        fields = [_maker(hints[one.name]) for one in dataclasses.fields(kind)]
        return lambda shown: kind(*[make(item) for make, item in zip(fields, shown, strict=True)])
    return _MAKERS.get(kind, _same)


def _same(shown: Any) -> Any:
    return shown


_MAKERS: Mapping[Any, Callable[[Any], Any]] = {
    str: intern,  # the same few thousand characters and words again and again
    date: date.fromisoformat, time: time.fromisoformat, timedelta: lambda shown: timedelta(*shown),
}


def digest(*sources: Path) -> str:
    """Of the files of these folders (not of folders inside) and of this Python: what stands in them is worked out once."""
    found = hashlib.blake2b(sys.version.encode())
    for folder in sources:
        for path in sorted(folder.iterdir()):
            if path.suffix in (".py", ".toml", ".txt"):
                found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def recalled(path: Path, kind: type[T], of: str) -> T | None:
    """What `remember` put there for the same `of`; None where there is nothing or nothing whole."""
    try:
        stored = json.loads(path.read_text("utf-8"))
        if stored["of"] != of:
            return None
        if stored["sha256"] != _sha256(stored["value"]):
            raise ValueError("checksum")
        value: T = thawed(kind, json.loads(stored["value"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be used: %s", path.name, type(error).__name__)
        return None
    return value


def remember(path: Path, kind: type[T], of: str, value: T) -> None:
    """For the next start; whoever cannot write there works it out again. Readable by its owner alone."""
    try:
        text = json.dumps(plain(value), ensure_ascii=False)
        if thawed(kind, json.loads(text)) != value:
            raise ValueError("it would come back changed")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with open(part, "w", encoding="utf-8") as file:
                json.dump({"of": of, "sha256": _sha256(text), "value": text}, file, ensure_ascii=False)
            os.replace(name, path)
        except OSError:
            os.unlink(name)
            raise
    except (OSError, ValueError, TypeError) as error:
        log.info("%s is not kept: %s", path.name, error)


def kept(path: Path, kind: type[T], of: str, make: Callable[[], T]) -> T:
    """What is remembered, else made and remembered."""
    value = recalled(path, kind, of)
    if value is None:
        value = make()
        remember(path, kind, of, value)
    return value


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
