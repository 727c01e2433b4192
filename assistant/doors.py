"""Ways into the house besides the ear, as the family's file opens them: the page for answers, sensors, a help key."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from assistant.home import Care, Household
from assistant.messages import Acknowledged, Notify, Pressed
from assistant.notify.acks import Links, Page, Used, secret_of
from assistant.sensors import Key, Port, Topic

log = logging.getLogger(__name__)


class Doors:
    """Closed by default: without a line in the family's file nothing listens."""

    def __init__(
        self, household: Household, data: Path, wall: Callable[[], datetime], post: Callable[[Acknowledged | Pressed], None],
        answer: Callable[[Acknowledged], str | None] | None = None,
    ) -> None:
        """`data`: the folder of the signing key and of the answers that have counted. `answer` posts one of these, and gives what the page
        is to say of it (`Page`)."""
        self._data, self._wall, self._post = data, wall, post
        self._answer = answer or post
        self._care = Care()
        self._links: Links | None = None
        self._open: list[Page | Port | Topic | Key] = []
        self.troubles: list[str] = []
        """What could not be opened, in Chinese."""
        self.household(household)

    def household(self, household: Household) -> None:
        """The family's file has changed (or is new)."""
        care = household.care
        if _doors(care) == _doors(self._care):
            return
        self.close()
        self._care, self.troubles = care, []
        for name, begin in (("回应网页", self._page), ("感应器", self._port), ("感应器主题", self._topic), ("求助键", self._key)):
            try:
                begin(care)
            except (OSError, ValueError) as error:
                log.error("a door could not be opened: %s", error)
                self.troubles.append(f"照护里的{name}打不开（{error}）。请换一个端口，或者看看是不是写错了。")

    def link(self, notify: Notify) -> str:
        """The line below a message that wants an answer; empty if there is no page."""
        return self._links(notify) if self._links is not None else ""

    def close(self) -> None:
        """Shut all."""
        for door in self._open:
            door.close()
        self._open, self._links = [], None

    def _page(self, care: Care) -> None:
        if not care.answers:
            return
        secret = secret_of(self._data)
        used = Used(self._data / "answers.used")
        self._open.append(Page(("0.0.0.0", urlsplit(care.answers).port or 80), secret, used, self._wall, self._answer))
        self._links = Links(care.answers, secret, self._wall)

    def _port(self, care: Care) -> None:
        if care.sensors:
            self._open.append(Port(care.sensors, self._post))

    def _topic(self, care: Care) -> None:
        if care.sensor_topic:
            self._open.append(Topic(care.sensor_topic, self._post))

    def _key(self, care: Care) -> None:
        if care.help_key:
            self._open.append(Key(Path(care.help_key), self._post))


def _doors(care: Care) -> tuple[object, ...]:
    return care.answers, care.sensors, care.sensor_topic, care.help_key
