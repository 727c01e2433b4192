"""What keeps still: other people, the past, television, suppositions, idioms. The rules are data in `intents/_guards.toml`."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from assistant.understand.matcher import Utterance, certain, holds
from assistant.understand.phrasebook import Guard


def fired(guards: Iterable[Guard], said: Utterance, asking: str = "") -> tuple[Guard, ...]:
    """The guards whose `when` holds and whose `unless` does not, beside this open question."""
    return tuple(
        guard for guard in guards
        if asking not in guard.not_beside
        and any(holds(frame, said, accept=certain) is not None for frame in guard.when)
        and not any(holds(frame, said, accept=certain) is not None for frame in guard.unless)
    )


def stopped(intent: str, guards: Iterable[Guard]) -> bool:
    """Whether one of these guards forbids the intent."""
    return any(fnmatchcase(intent, pattern) for guard in guards for pattern in guard.stops)


def weakened(intent: str, guards: Iterable[Guard]) -> bool:
    """Whether one of these guards lets the intent only ask back."""
    return any(fnmatchcase(intent, pattern) for guard in guards for pattern in guard.weakens)
