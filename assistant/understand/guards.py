"""What keeps still: other people, the past, television, suppositions, idioms. The rules are data in `intents/_guards.toml`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase

from assistant.understand.matcher import Utterance, certain, holds, rarest_needs
from assistant.understand.phrasebook import Frame, Guard


class Guards:
    """The guards of a phrasebook by what their `when` needs: most of them need words that are not in a sentence."""

    def __init__(self, guards: Iterable[Guard]) -> None:
        self._guards = tuple(guards)
        place_of = {id(frame): place for place, guard in enumerate(self._guards) for frame in guard.when}
        self._by_concept: dict[str, list[tuple[int, Frame]]] = defaultdict(list)
        for concept, frame in rarest_needs([frame for guard in self._guards for frame in guard.when]):
            self._by_concept[concept].append((place_of[id(frame)], frame))

    def fired(self, said: Utterance, asking: str = "") -> tuple[Guard, ...]:
        """The guards whose `when` holds and whose `unless` does not, beside this open question, in the book's order."""
        held: set[int] = set()
        for concept in said.concepts:
            for place, frame in self._by_concept.get(concept, ()):
                if place not in held and _certainly(frame, said):
                    held.add(place)
        found = (self._guards[place] for place in sorted(held))
        return tuple(guard for guard in found if asking not in guard.not_beside and not any(_certainly(frame, said) for frame in guard.unless))


def _certainly(frame: Frame, said: Utterance) -> bool:
    return holds(frame, said, accept=certain) is not None


def stopped(intent: str, guards: Iterable[Guard]) -> bool:
    """Whether one of these guards forbids the intent."""
    return any(fnmatchcase(intent, pattern) for guard in guards for pattern in guard.stops)


def weakened(intent: str, guards: Iterable[Guard]) -> bool:
    """Whether one of these guards lets the intent only ask back."""
    return any(fnmatchcase(intent, pattern) for guard in guards for pattern in guard.weakens)
