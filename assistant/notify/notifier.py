"""Hands messages and calls to their channels; every try ends in a report by its deadline, whatever the channel does.

Each try runs in a daemon thread that may be abandoned: a resolver or a socket that hangs holds up nothing else. A lane
a channel keeps a dead one from eating all threads, and alarms have places of their own in every lane.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from assistant.home import Channel, Household
from assistant.messages import Call, Delivered, Notify
from assistant.notify.by_apprise import CHILDREN
from assistant.notify.channel import Outcome, Ringer, Sender, Tell, without_secrets
from assistant.notify.channels import CHANNELS, TELEPHONES, channel
from assistant.notify.telephone import trouble

log = logging.getLogger(__name__)

ALARM_SECONDS = 8.0
"""CARE: total deadline of one try of an alarm."""
SECONDS = 20.0
"""Total deadline of an ordinary try."""
LANE = 2
"""Ordinary tries at once on one channel."""
ALARM_LANE = 6
"""Alarms at once on one channel, beside the ordinary ones."""
STUCK = 24
"""Abandoned threads on one channel after which it is not tried until one of them ends: a thread costs 8 MB of address space."""

@dataclass(eq=False)
class Job:
    """One try on its way."""

    notify: Notify
    tell: Tell
    sender: Sender
    reported: bool = False
    started: bool = False
    timer: threading.Timer | None = None


@dataclass
class Lane:
    """What is going on on one channel."""

    running: list[Job] = field(default_factory=list)
    waiting: list[Job] = field(default_factory=list)
    abandoned: int = 0


@dataclass(frozen=True, slots=True)
class Silently:
    """The telephone in the daily silent test; it takes no messages."""

    telephone: Ringer

    def send(self, notify: Notify, seconds: float) -> Outcome:
        """Never."""
        return Outcome(False, "a telephone takes no messages")

    def probe(self, seconds: float) -> Outcome:
        """Whether the provider knows us; rings nobody."""
        return self.telephone.probe(seconds)

    def check(self) -> str:
        """Its address is checked elsewhere (`trouble`)."""
        return ""


class Notifier:
    """All ways out of the house."""

    def __init__(
        self, household: Household, *, telephone: Ringer | None = None, link: Callable[[Notify], str] | None = None,
        seconds: float = SECONDS, alarm_seconds: float = ALARM_SECONDS,
        line: Callable[[Household], Ringer | None] | None = None,
    ) -> None:
        """`line` makes the telephone of a household, anew when the family changes its address."""
        self._telephone = telephone
        self._line = line
        self._line_url: str | None = None
        self._link = link
        """Gives a line to answer with, to be put below a message; empty for none."""
        self._seconds, self._alarm_seconds = seconds, alarm_seconds
        self._lock = threading.Lock()
        self._lanes: dict[str, Lane] = defaultdict(Lane)
        self._senders: dict[str, Sender] = {}
        self._urls: dict[str, str] = {}
        self.household(household)

    def household(self, household: Household) -> None:
        """The family's file has changed (or is new)."""
        urls = {one.name: one.url for one in household.channels}
        senders = {one.name: channel(one.url) for one in household.channels if not _rings(one)}
        with self._lock:
            self._urls, self._senders = urls, senders
        ringing = next((one.url for one in household.channels if _rings(one)), "")
        if self._line is not None and ringing != self._line_url:
            old, self._telephone, self._line_url = self._telephone, self._line(household), ringing
            if old is not None:
                # Its calls are reported as cancelled; hanging up and ending baresip may take seconds.
                threading.Thread(target=old.close, name="old-line", daemon=True).start()
        if any(_scheme(one) not in CHANNELS and not _rings(one) for one in household.channels):
            threading.Thread(target=CHILDREN.warm, name="notify-warm", daemon=True).start()

    def send(self, action: Notify | Call, tell: Tell) -> None:
        """Begin one try and return at once. `tell` gets one Delivered by the deadline, from another thread."""
        if isinstance(action, Call):
            if self._telephone is None:
                tell(Delivered(action.message, False, "no telephone"))
            else:
                self._telephone.ring(action, tell)
            return
        with self._lock:
            sender = self._senders.get(action.channel)
            if sender is None and self._telephone is not None and rings(self._urls.get(action.channel, "")):
                sender = Silently(self._telephone)
            lane = self._lanes[action.channel]
            stuck = lane.abandoned >= STUCK
        if sender is None or stuck:
            tell(Delivered(action.message, False, "channel stuck" if stuck else "no such channel"))
            return
        job = Job(self._with_link(action), tell, sender)
        seconds = self._alarm_seconds if action.urgent else self._seconds
        # The sender's own limit is the deadline; this one fires only if it does not keep it.
        job.timer = threading.Timer(seconds + 0.5, self._abandon, (job,))
        job.timer.daemon = True
        job.timer.start()
        with self._lock:
            lane.waiting.append(job)
        self._advance(action.channel)

    def hang_up(self, key: str = "") -> None:
        """End the call of this key, or all."""
        if self._telephone is not None:
            self._telephone.hang_up(key)

    def pick_up(self, key: str, text: str = "") -> None:
        """Answer a call that rings us."""
        if self._telephone is not None:
            self._telephone.pick_up(key, text)

    def talk(self, key: str) -> None:
        """Let the elder and the other end hear each other."""
        if self._telephone is not None:
            self._telephone.talk(key)

    @property
    def sound(self) -> Path | None:
        """Where what the elder says into the telephone is found."""
        return self._telephone.sound if self._telephone is not None else None

    def check(self) -> list[tuple[str, str]]:
        """(channel, what is wrong in Chinese) for every channel of which something can be seen without sending."""
        with self._lock:
            senders, urls = dict(self._senders), dict(self._urls)
        said = {name: sender.check() for name, sender in senders.items()}
        said |= {name: trouble(url) for name, url in urls.items() if name not in senders}
        return [(name, what) for name, what in said.items() if what]

    def close(self) -> None:
        """Let go of the telephone and all children; what is still on its way is sent again after the next start."""
        if self._telephone is not None:
            self._telephone.close()
        with self._lock:
            jobs = [job for lane in self._lanes.values() for job in (*lane.running, *lane.waiting)]
        for job in jobs:
            if job.timer is not None:
                job.timer.cancel()
        CHILDREN.close()

    def _with_link(self, notify: Notify) -> Notify:
        line = self._link(notify) if self._link is not None else ""
        if not line:
            return notify
        return replace(notify, body=f"{notify.body}\n{line}")

    def _advance(self, name: str) -> None:
        """Start what may run on this channel, alarms first."""
        with self._lock:
            lane = self._lanes[name]
            begun: list[Job] = []
            for job in sorted(lane.waiting, key=lambda job: not job.notify.urgent):
                alike = sum(1 for other in lane.running if other.notify.urgent == job.notify.urgent)
                if alike < (ALARM_LANE if job.notify.urgent else LANE):
                    lane.waiting.remove(job)
                    lane.running.append(job)
                    job.started = True
                    begun.append(job)
        for job in begun:
            threading.Thread(target=self._run, args=(name, job), name=f"notify-{name}", daemon=True).start()

    def _run(self, name: str, job: Job) -> None:
        seconds = self._alarm_seconds if job.notify.urgent else self._seconds
        try:
            # A message without words is the daily silent test: as far as one can go without anybody noticing.
            silent = not job.notify.title and not job.notify.body
            outcome = job.sender.probe(seconds) if silent else job.sender.send(job.notify, seconds)
        except Exception as error:  # the edge of a thread: a channel's fault becomes an event
            log.exception("channel %s failed", name)
            outcome = Outcome(False, without_secrets(f"{type(error).__name__}"), ambiguous=True)
        with self._lock:
            lane = self._lanes[name]
            if job in lane.running:
                lane.running.remove(job)
            else:
                lane.abandoned -= 1
        if job.timer is not None:
            job.timer.cancel()
        self._report(job, outcome)
        self._advance(name)

    def _abandon(self, job: Job) -> None:
        name = job.notify.channel
        with self._lock:
            lane = self._lanes[name]
            if job in lane.running:
                lane.running.remove(job)
                lane.abandoned += 1
            if job in lane.waiting:
                lane.waiting.remove(job)
        self._report(job, Outcome(False, "timed out" if job.started else "channel busy", ambiguous=job.started))
        self._advance(name)

    def _report(self, job: Job, outcome: Outcome) -> None:
        with self._lock:
            if job.reported:
                return
            job.reported = True
        log.info("%s over %s: %s %s", job.notify.key, job.notify.channel, "ok" if outcome.ok else "failed", outcome.detail)
        job.tell(Delivered(job.notify.message, outcome.ok, outcome.detail, outcome.ambiguous, outcome.recording))


def _scheme(one: Channel) -> str:
    return one.url.partition(":")[0].lower()


def _rings(one: Channel) -> bool:
    return rings(one.url)


def rings(url: str) -> bool:
    """Whether an address is a telephone's."""
    return url.partition(":")[0].lower() in TELEPHONES
