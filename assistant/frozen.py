"""Frozen values as JSON and back: what took long to work out is kept and not worked out again at the next start."""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from datetime import date, time, timedelta
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

_PACKAGE = Path(__file__).resolve().parent


def plain(value: Any) -> Any:
    """The value as JSON holds it: a dataclass is the list of its fields."""
    match value:
        case tuple() | list() | frozenset():
            return [plain(item) for item in (sorted(value) if isinstance(value, frozenset) else value)]
        case timedelta():
            return [value.days, value.seconds, value.microseconds]
        case date() | time():
            return value.isoformat()
        case _ if dataclasses.is_dataclass(value):
            return [plain(getattr(value, one.name)) for one in dataclasses.fields(value)]
        case _:
            return value


def thawed(kind: Any, shown: Any) -> Any:
    """The value of type `kind` that `plain` showed. Raises ValueError, TypeError where it cannot have been one."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        some = [one for one in get_args(kind) if one is not type(None)]
        return None if shown is None else thawed(some[0], shown) if len(some) == 1 else shown
    if origin in (tuple, frozenset):
        each = get_args(kind)
        if origin is frozenset or each[-1] is Ellipsis:
            return origin(thawed(each[0], item) for item in shown)
        return tuple(thawed(one, item) for one, item in zip(each, shown, strict=True))
    if kind is timedelta:
        return timedelta(*shown)
    if kind in (date, time):
        return kind.fromisoformat(shown)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return kind(*(thawed(one, item) for one, item in zip(_types(kind), shown, strict=True)))
    return shown


@lru_cache(maxsize=64)
def _types(kind: Any) -> tuple[Any, ...]:
    hints = get_type_hints(kind)
    return tuple(hints[one.name] for one in dataclasses.fields(kind))


def program(*folders: str) -> str:
    """A digest of the program's own files in these folders of it (`.` itself): what they worked out is only kept for the same files."""
    digest = hashlib.blake2b(sys.version.encode())
    for folder in folders:
        for path in sorted((_PACKAGE / folder).iterdir()):
            if path.suffix in (".py", ".toml", ".txt"):
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
