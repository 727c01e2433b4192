"""A telephone through baresip: dials, plays the message in a loop, takes a key press as the acknowledgement; is rung.

baresip (BSD, in Debian) runs as a child with a private configuration and is driven over its ctrl_tcp socket: netstrings
of JSON, commands out, events in. Facts found by trying 1.0.0: it hangs up when a WAV ends, so ours are longer than any
call; `ausrc` changes the source of the call in progress, which is how a message is begun again and the card read;
SIP/TLS takes the port above the SIP port; aubridge is the only player that needs no sound card; `hangup` ends the call
that `line` chose last, whatever it is given (later versions take its id); sndfile writes down what the elder says into a
conversation, which is how our ear still hears 挂了 while the microphone is baresip's.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import wave
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from urllib.parse import parse_qsl, unquote

import numpy as np

from assistant.home import Household
from assistant.messages import UNPROBED, Acknowledged, Call, Connected, Delivered, HungUp, Rang
from assistant.notify.channel import Outcome, Tell
from assistant.notify.channels import TELEPHONES
from assistant.speak.speech import Speech, resample

log = logging.getLogger(__name__)

RATE = 8000
"""Hz of a G.711 telephone line."""
LONGEST_WAV = 150.0
"""Seconds of a looped message: longer than a call with a message ever lasts."""
KEY_WAIT = 25.0
"""Seconds an answered call waits for a key: the message once or twice, then the next person is rung."""
QUIET = 3.0
"""Seconds without a packet of sound at the end of a call that mean it went quiet."""
CARD_WAIT = 40.0
"""Longest reading of the access card."""
TALK = 3600.0
"""Longest conversation between people."""
READY = 6.0
"""Seconds baresip may take to start."""
AGAIN = 10.0
"""Seconds before a baresip that did not start is started again to be rung."""
LOGIN_AGAIN = 60.0
"""Seconds after which a provider that could not be reached is logged in to anew: baresip itself waits up to half an hour (`failwait` of its sipreg)."""
LOGIN_SELDOM = 600.0
"""The most, where it may as well have refused us: each time twice as long."""
REFUSED = ("401", "403", "404", "407")
"""Beginning of what a provider says that knows us and does not want us: asking more often helps nobody."""
UNTOLD = "refused"
"""It was not heard why it failed: baresip had been told before we listened."""
ASK_AGAIN = 2.0
"""Seconds after which baresip is asked again whether it is registered: while it logs in it says neither yes nor no."""
SILENT = "aubridge,nowhere"
"""A source and a player of nothing."""
IN_MEMORY = Path("/dev/shm")
"""Where tapes are kept if it is there: what people say to each other must not reach the card."""
MODULES = ("g711", "aufile", "aubridge", "alsa", "sndfile")
APPS = ("account", "menu", "ctrl_tcp")
FOLDERS = ("/usr/lib/baresip/modules", "/usr/lib/aarch64-linux-gnu/baresip/modules",
           "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/lib/arm-linux-gnueabihf/baresip/modules")

NUMBER = re.compile(r"\+?[0-9*#]{2,20}\Z")
"""What may be dialled: nothing that could end the line of a protocol."""
ADDRESS = re.compile(r"sips?:[A-Za-z0-9._+-]{1,60}@[A-Za-z0-9][A-Za-z0-9.-]{0,100}(:[0-9]{1,5})?\Z")
"""Or whoever has no number, only an account."""

ANSWER_OF: dict[str, str] = {"1": "coming", "9": "all_clear"}
"""What a key says; 2 plays the message again; every other key says nothing."""

SAID: tuple[tuple[str, str], ...] = (
    ("486", "busy"), ("600", "busy"), ("603", "declined"), ("404", "wrong number"), ("484", "wrong number"),
    ("604", "wrong number"), ("480", "no answer"), ("408", "no answer"), ("487", "no answer"), ("401", "account refused"),
    ("403", "account refused"), ("407", "account refused"), ("5", "line failed"),
)
"""Beginning of a SIP final answer → our word for it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Read from the address: `sip:user:password@host:port?transport=tcp&register=yes&listen=127.0.0.1:5070`."""

    user: str
    host: str
    password: str = field(default="", repr=False)
    port: int = 0
    transport: str = "udp"
    register: bool = False
    """Keep registered: a provider wants it, and rings us only then."""
    listen: str = ""
    """Address and port of our side; empty: any."""
    source: str = "alsa,default"
    """Where the elder speaks, for conversations."""
    player: str = "alsa,default"

    @classmethod
    def read(cls, url: str) -> Settings:
        """From the household's channel address. Raises ValueError if it is none."""
        scheme, _, rest = url.partition(":")
        place, _, query = rest.removeprefix("//").partition("?")
        account, _, host = place.rpartition("@")
        user, _, password = account.partition(":")
        more = dict(parse_qsl(query))
        name, _, port = host.partition(":")
        whole = (unquote(user), name, more.get("listen", ""), unquote(password))
        if not user or not name or any(re.search(r"[\s<>;\"]", part) for part in whole):
            raise ValueError("sip address")
        if more.get("transport", "udp") not in ("udp", "tcp", "tls"):
            raise ValueError("transport")
        return cls(
            user=unquote(user), host=name, password=unquote(password), port=int(port or 0),
            transport="tls" if scheme == "sips" else more.get("transport", "udp"),
            register=more.get("register", "yes" if password else "no") == "yes", listen=more.get("listen", ""),
            source=more.get("source", "alsa,default"), player=more.get("player", "alsa,default"),
        )

    def uri(self, number: str) -> str:
        """The address of a telephone number at this provider; an address is its own."""
        if ADDRESS.match(number):
            return number
        port = f":{self.port}" if self.port else ""
        transport = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{number}@{self.host}{port}{transport}"

    @property
    def rings(self) -> bool:
        """Whether anybody can ring us: the provider knows where we are, or the port is a fixed one."""
        return self.register or bool(self.listen)

    @property
    def account(self) -> str:
        """The line of baresip's accounts file. A password goes here and nowhere else."""
        port = f":{self.port}" if self.port else ""
        transport = "" if self.transport == "udp" else f";transport={self.transport}"
        secret = f";auth_pass={self.password}" if self.password else ""
        return f"<sip:{self.user}@{self.host}{port}{transport}>{secret};regint={600 if self.register else 0};answermode=manual"


def installed() -> bool:
    """Whether there is a baresip with the modules we need."""
    return shutil.which("baresip") is not None and _modules() is not None


def _modules() -> Path | None:
    return next((Path(f) for f in FOLDERS if (Path(f) / "ctrl_tcp.so").exists()), None)


@dataclass(eq=False)
class Job:
    """One call that was asked for."""

    call: Call
    tell: Tell
    cancelled: threading.Event = field(default_factory=threading.Event)
    talk: threading.Event = field(default_factory=threading.Event)
    """The devices are free for it."""
    connected: bool = False
    """Two people are talking."""


@dataclass(eq=False)
class Caller:
    """Somebody who rings us."""

    key: str
    id: str
    """baresip's name for the call."""
    place: int
    """baresip's line it is on: 1, or 2 beside a call of ours."""
    text: str = ""
    """Played until the devices are free."""
    pick_up: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    talk: threading.Event = field(default_factory=threading.Event)
    tape: Tape | None = None
    """Made when it is answered."""
    kept: list[Tape] = field(default_factory=list)
    """Of our call that was on the line when it rang: baresip opens that call's source for this one, and it must be there."""
    connected: bool = False
    plays: str = ""
    """What the caller hears now: a source of baresip's."""


class Telephone:
    """One line: calls wait for each other, alarms first."""

    def __init__(
        self, settings: Settings, render: Callable[[str], Speech | None], *, rung: Tell | None = None,
        key_wait: float = KEY_WAIT, binary: str = "baresip", known: Callable[[], None] = lambda: None,
    ) -> None:
        """`rung` is told when somebody rings us; None: nobody can. `known`: the provider has said yes or no (`trouble`)."""
        self._known_now = known
        self._settings = settings
        self._render = render
        """Text → speech, from the cache if possible; None if no voice can say it (then the call beeps)."""
        self._key_wait = key_wait
        self._binary = binary
        self._rung = rung if settings.rings else None
        self._folder = Path(tempfile.mkdtemp(prefix="xiaoban-phone-", dir=IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None))
        (self._folder / "sound").mkdir()
        self._caller: Caller | None = None
        self._current: Job | None = None
        self._started_at = float("-inf")
        self._pause = LOGIN_AGAIN
        """Seconds from a start of baresip after which it is started again if its provider could not be reached; it grows while nobody says why."""
        self._jobs: queue.PriorityQueue[tuple[int, int, Job | None]] = queue.PriorityQueue()
        self._count = 0
        self._lock = threading.Lock()
        self._known: list[Job] = []
        self._line: Line | None = None
        self.trouble = ""
        """Why the account is not registered, for `doctor`."""
        self._asked, self._told = threading.Event(), threading.Event()
        """Somebody wants to know whether it is; it has been found out."""
        self._thread = threading.Thread(target=self._run, name="telephone", daemon=True)
        self._thread.start()

    def ring(self, call: Call, tell: Tell) -> None:
        """Begin a call, or queue it behind the one in progress."""
        job = Job(call, tell)
        with self._lock:
            self._count += 1
            self._known.append(job)
            self._jobs.put((0 if call.urgent else 1, self._count, job))

    def hang_up(self, key: str = "") -> None:
        """End the call of this key, or all."""
        with self._lock:
            for job in self._known:
                if key in ("", job.call.key):
                    job.cancelled.set()
            if self._caller is not None and key in ("", self._caller.key):
                self._caller.cancelled.set()

    def pick_up(self, key: str, text: str = "") -> None:
        """Answer the call that rings; a call of ours that nobody has answered is given up for it."""
        caller = self._caller
        if caller is not None and caller.key == key:
            caller.text = text
            caller.pick_up.set()

    def talk(self, key: str) -> None:
        """The microphone and the loudspeaker are free for this conversation."""
        with self._lock:
            for job in self._known:
                if job.call.key == key:
                    job.talk.set()
        if (caller := self._caller) is not None and caller.key == key:
            caller.talk.set()

    def probe(self, seconds: float) -> Outcome:
        """Whether the provider knows the account, as the line that is kept open has it; rings nobody."""
        if shutil.which(self._binary) is None or _modules() is None:
            return Outcome(False, "no telephone")
        if not self._settings.register or self._rung is None:
            return Outcome(False, UNPROBED)
        self._told.clear()
        end = monotonic() + seconds - 0.5
        while not self._told.is_set() and monotonic() < end:
            if self._current is not None or self._caller is not None:
                break  # a line with a call on it is not asked: what was known last holds
            self._asked.set()
            self._told.wait(ASK_AGAIN)
        else:
            if not self._told.is_set():
                return Outcome(False, "no answer")
        return Outcome(not self.trouble, self.trouble or "registered")

    @property
    def sound(self) -> Path | None:
        """Where baresip writes what the elder says, in memory if there is a place, gone when the call is over."""
        return self._folder / "sound"

    def close(self) -> None:
        """Hang up, end baresip, forget the account."""
        self.hang_up()
        self._jobs.put((-1, 0, None))
        self._thread.join(READY)
        shutil.rmtree(self._folder, ignore_errors=True)

    # --- the thread of the line ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            job = self._next()
            if job is None:
                break
            self._current = job
            try:
                report = self._one(job)
            except Exception as error:  # the edge of a thread: becomes an event
                log.exception("telephone")
                self._drop()
                report = Delivered(job.call.message, False, f"telephone failed: {type(error).__name__}")
            self._current = None
            self._forget()
            with self._lock:
                self._known.remove(job)
            if job.connected:
                job.tell(HungUp(job.call.key))
            job.tell(report)
        self._drop()
        while not self._jobs.empty():  # whoever asked for them rings on another line
            left = self._jobs.get()[2]
            if left is not None:
                left.tell(Delivered(left.call.message, False, "cancelled"))

    def _next(self) -> Job | None:
        """The next call to make; until there is one, and while somebody who rang us is talking, we can be rung."""
        while True:
            busy = self._caller is not None and self._caller.pick_up.is_set()
            try:
                if not busy:
                    return self._jobs.get(timeout=0.02 if self._rung else None)[2]
                if self._jobs.queue[:1] and self._jobs.queue[0][2] is None:
                    return None
            except queue.Empty:
                pass
            try:
                self._look()
            except Exception:  # the edge of a thread
                log.exception("telephone")
                self._drop()

    def _look(self) -> None:
        """Whatever happens on the line while we ring nobody."""
        if (self._line is None or not self._line.alive) and monotonic() - self._started_at < AGAIN:
            threading.Event().wait(0.2)
            return
        if self._unheard() and self._caller is None:
            self._pause = min(2 * self._pause, LOGIN_SELDOM)
            self._drop()
        line = self._ready()
        if line is not None:
            if self._asked.is_set():
                self._asked.clear()
                line.command("reginfo")
            event = line.event(0.15)
            if event is not None and not self._is_callers(event, line):
                self._registered(event)
            self._tend(line)

    def _unheard(self) -> bool:
        """Whether the provider has not been reached for a while."""
        lost = bool(self.trouble) and not self.trouble.startswith(REFUSED)
        return self._settings.register and lost and monotonic() - self._started_at >= self._pause

    def _registered(self, event: dict[str, object]) -> None:
        if event.get("type") in ("REGISTER_FAIL", "REGISTER_OK"):
            self.trouble = (str(event.get("param", "")) or UNTOLD) if event["type"] == "REGISTER_FAIL" else ""
            if self.trouble != UNTOLD:
                self._pause = LOGIN_AGAIN
            self._told.set()
            self._known_now()

    def _is_callers(self, event: dict[str, object], line: Line) -> bool:
        """Take what happens to a call that rings us; False if it is about something else."""
        if event.get("direction") != "incoming":
            return False
        kind, name, caller = event.get("type"), str(event.get("id", "")), self._caller
        if kind == "CALL_INCOMING":
            if caller is not None or self._rung is None:
                line.hang_up(2 if caller is not None and caller.place == 1 else 1, name)
                if caller is not None:
                    line.command("line", str(caller.place))
                return True
            self._caller = Caller(f"in-{os.urandom(4).hex()}-{name}", name, 1 if self._current is None else 2)
            self._rung(Rang(self._caller.key, str(event.get("peeruri", "")).removeprefix("sip:").partition(";")[0]))
        elif caller is None or name != caller.id or self._rung is None:
            pass
        elif kind == "CALL_ESTABLISHED":
            caller.connected = True
            line.command("ausrc", SILENT)
            self._rung(Connected(caller.key))
        elif kind == "CALL_DTMF_START" and str(event.get("param", "")) in ANSWER_OF:
            self._rung(Acknowledged(caller.key, "", ANSWER_OF[str(event["param"])]))  # type: ignore[arg-type]
        elif kind == "CALL_CLOSED":
            self._gone()
        return True

    def _gone(self) -> None:
        """Whoever rang us is gone."""
        caller, self._caller = self._caller, None
        if caller is not None:
            for tape in (*caller.kept, *([caller.tape] if caller.tape else [])):
                tape.close()
            self._forget()
            if self._rung is not None:
                self._rung(HungUp(caller.key))

    def _tend(self, line: Line) -> None:
        """Do with whoever rings us what was asked for."""
        caller = self._caller
        if caller is None:
            return
        if caller.cancelled.is_set():
            line.hang_up(caller.place, caller.id)
            end, others = monotonic() + 2.0, list[dict[str, object]]()
            while self._caller is caller and line.alive and monotonic() < end:
                if (event := line.event(0.1)) is not None and not self._is_callers(event, line):
                    others.append(event)
            line.put_back(others)
            if self._caller is caller:
                self._drop()
        elif caller.pick_up.is_set() and caller.tape is None and self._current is None:
            caller.tape = Tape(self._folder, self._render, caller.text, "")
            line.command("line", str(caller.place))
            line.command("ausrc", SILENT)
            line.command("auplay", SILENT)
            line.command("accept", caller.id)
        elif caller.connected and caller.talk.is_set():
            if caller.plays != self._settings.source:
                caller.plays = self._settings.source
                self._open(line)
        elif caller.connected and caller.tape is not None and caller.tape.message is not None and not caller.plays:
            caller.plays = f"aufile,{caller.tape.message}"
            line.command("ausrc", caller.plays)

    def _open(self, line: Line) -> None:
        """The elder's microphone and loudspeaker to the call."""
        line.command("ausrc", self._settings.source)
        line.command("auplay", self._settings.player)

    def _forget(self) -> None:
        """What was said is nobody's any more."""
        for path in (self._folder / "sound").glob("*.wav"):
            path.unlink(missing_ok=True)

    def _one(self, job: Job) -> Delivered:
        call = job.call
        if job.cancelled.is_set():
            return Delivered(call.message, False, "cancelled")
        if not NUMBER.match(call.number) and not ADDRESS.match(call.number):
            return Delivered(call.message, False, "bad number")
        line = self._ready()
        if line is None:
            return Delivered(call.message, False, "no telephone")
        tape = Tape(self._folder, self._render, call.text, call.card)
        line.command("ausrc", f"aufile,{tape.beeps}" if call.text else SILENT)
        line.command("auplay", SILENT)
        line.closed, line.place = False, 1 if self._caller is None else 2
        line.command("dial", self._settings.uri(call.number))
        try:
            return self._follow(job, line, tape)
        finally:
            self._hang_up(line)
            if (caller := self._caller) is not None:
                caller.kept.append(tape)
            else:
                tape.close()

    def _follow(self, job: Job, line: Line, tape: Tape) -> Delivered:
        """From dialling to the end of the call."""
        call = job.call
        number = call.message
        end = monotonic() + call.ring
        answered = acknowledged = played = repeated = opened = pressed = rang = False
        size, grown = 0, monotonic()
        while monotonic() < end:
            self._tend(line)
            wanted = self._caller is not None and self._caller.pick_up.is_set()
            if job.cancelled.is_set() or wanted:
                if job.connected:
                    return Delivered(number, True, "talked")
                return Delivered(number, acknowledged, "acknowledged" if acknowledged else "cancelled")
            if job.connected and job.talk.is_set() and not opened:
                opened = True
                self._open(line)
            if answered and call.text and not played and tape.message is not None:
                line.command("ausrc", f"aufile,{tape.message}")
                played = True
            if answered and (now := self._received()) > size:
                size, grown = now, monotonic()
            event = line.event(0.2)
            if event is None or self._is_callers(event, line):
                continue
            match event.get("type"), str(event.get("param", "")):
                case ("CALL_RINGING" | "CALL_PROGRESS"), _:
                    rang = True
                case "CALL_ESTABLISHED", _:
                    answered = True
                    end = monotonic() + (self._key_wait if call.text else TALK)
                    if not call.text:
                        job.connected = True
                        job.tell(Connected(call.key))
                case "CALL_CLOSED", reason:
                    if acknowledged or (answered and not call.text):
                        return Delivered(number, True, "acknowledged" if acknowledged else "talked")
                    return Delivered(number, False, _unanswered(pressed, size > RATE and monotonic() - grown > QUIET) if answered else _said(reason))
                case "CALL_DTMF_START", key if answered and call.text and not acknowledged and key in ANSWER_OF:
                    acknowledged = True
                    job.tell(Acknowledged(call.key, call.person, ANSWER_OF[key]))  # type: ignore[arg-type]
                    if key != "1" or not call.card or tape.card is None:
                        return Delivered(number, True, "acknowledged")
                    line.command("ausrc", f"aufile,{tape.card}")
                    end = monotonic() + min(CARD_WAIT, 2 * tape.card_seconds + 2)
                case "CALL_DTMF_START", "2" if answered and played:
                    again = tape.card if acknowledged else tape.message
                    line.command("ausrc", f"aufile,{again}")
                    if not repeated:  # one more hearing, not an endless one: somebody else may be waiting to be rung
                        repeated = True
                        end = monotonic() + (min(CARD_WAIT, 2 * tape.card_seconds + 2) if acknowledged else self._key_wait)
                case "CALL_DTMF_START", _:
                    pressed = answered
                case "REFUSED", _:
                    return Delivered(number, False, "line failed")
                case "GONE", _:
                    self._drop()
                    ended = "acknowledged" if acknowledged else "talked" if job.connected else "telephone failed"
                    return Delivered(number, acknowledged or job.connected, ended)
                case _:
                    pass
        if acknowledged or job.connected:
            return Delivered(number, True, "acknowledged" if acknowledged else "talked")
        why = _unanswered(pressed, size > RATE and monotonic() - grown > QUIET) if answered else "no answer" if rang else "no reply"
        return Delivered(number, False, why)

    def _received(self) -> int:
        """Bytes of sound that have come from the other end."""
        return sum(path.stat().st_size for path in (self._folder / "sound").glob("*dec*.wav"))

    def _hang_up(self, line: Line) -> None:
        """End the call and see it end: its last event must not be taken for the next call's."""
        if line.closed or not line.alive:
            return
        line.hang_up(line.place)
        end = monotonic() + 2.0
        while not line.closed and line.alive and monotonic() < end:
            if (event := line.event(0.1)) is not None:
                self._is_callers(event, line)
        if not line.closed:
            self._drop()

    def _ready(self) -> Line | None:
        """A running baresip; started if there is none."""
        if self._line is not None and self._line.alive:
            while self._current is not None and (event := self._line.event(0.0)) is not None:
                if not self._is_callers(event, self._line):
                    self._registered(event)
            if self._line.alive:
                return self._line
        self._drop()
        modules = _modules()
        self._started_at = monotonic()
        if shutil.which(self._binary) is None or modules is None:
            return None
        try:
            self._line = Line(self._binary, self._folder, self._settings, modules)
        except OSError as error:
            log.warning("baresip did not start: %s", error)
            return None
        return self._line

    def _drop(self) -> None:
        self._gone()
        if self._line is not None:
            self._line.close()
            self._line = None


class Tape:
    """The WAV files of one call; speech is rendered while it rings."""

    def __init__(self, folder: Path, render: Callable[[str], Speech | None], text: str, card: str) -> None:
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        self.beeps = self._folder / "beeps.wav"
        self.message: Path | None = None
        self.card: Path | None = None
        self.card_seconds = 0.0
        self._closed = False
        write(self.beeps, _beeps())
        if text:
            threading.Thread(target=self._make, args=(render, text, card), name="tape", daemon=True).start()

    def _make(self, render: Callable[[str], Speech | None], message: str, card: str) -> None:
        for name, text in (("message", message), ("card", card)):
            speech = render(text) if text else None
            if speech is None or self._closed:
                continue
            path = self._folder / f"{name}.wav"
            with contextlib.suppress(OSError):  # the call is over and the folder gone
                write(path, speech)
                if name == "card":
                    self.card_seconds = speech.seconds + PAUSE
                setattr(self, name, path)

    def close(self) -> None:
        """Forget what was said."""
        self._closed = True
        shutil.rmtree(self._folder, ignore_errors=True)


PAUSE = 1.5
"""Seconds of silence between two hearings."""


def write(path: Path, speech: Speech) -> None:
    """A WAV for the line: 8 kHz, 0.7 s of silence first (the callee is still lifting the phone), then again and again."""
    once = np.concatenate([np.zeros(int(0.7 * RATE), np.int16), resample(speech, RATE).samples, np.zeros(int(PAUSE * RATE), np.int16)])
    again = np.concatenate([once[int(0.7 * RATE):]] * (int(LONGEST_WAV * RATE / max(len(once), 1)) + 1))
    with path.open("wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.concatenate([once, again]).astype("<i2").tobytes())


def _beeps() -> Speech:
    """Two short tones: somebody should listen, even where no voice could be rendered."""
    time = np.arange(int(0.3 * RATE)) / RATE
    tone = (0.2 * 32767 * np.sin(2 * np.pi * 620 * time)).astype(np.int16)
    return Speech(np.concatenate([tone, np.zeros(int(0.2 * RATE), np.int16), tone]), RATE)


class Line:
    """A running baresip and the socket to it."""

    def __init__(self, binary: str, folder: Path, settings: Settings, modules: Path) -> None:
        port = _free_port()
        home = Path(tempfile.mkdtemp(dir=folder))
        sip = settings.listen or f"0.0.0.0:{_free_port(pair=True)}"
        config = [
            f"module_path {modules}", f"sip_listen {sip}", f"ctrl_tcp_listen 127.0.0.1:{port}",
            f"audio_player {SILENT}", f"audio_source {SILENT}", f"audio_alert {SILENT}", f"snd_path {folder / 'sound'}",
            "ausrc_srate 8000", "auplay_srate 8000", "audio_channels 1", "call_max_calls 2", "call_local_timeout 120",
            *(f"module {name}.so" for name in MODULES if (modules / f"{name}.so").exists()),
            *(f"module_app {name}.so" for name in APPS),
        ]
        _private(home / "config", "\n".join(config) + "\n")
        _private(home / "accounts", settings.account + "\n")
        _private(home / "contacts", "")
        _private(home / "uuid", f"{os.urandom(16).hex()}\n")
        # A house that is killed takes its baresip along: an orphan would keep the account and the port.
        dies_with_us = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        self._process = subprocess.Popen(
            [*dies_with_us, binary, "-f", str(home)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.closed = True
        """Whether our last call is over."""
        self.place = 1
        """Which line of baresip's it is on."""
        self._rest = b""
        end = monotonic() + READY
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port), 1.0)
                break
            except OSError:
                if monotonic() > end or self._process.poll() is not None:
                    self._end()
                    raise OSError("no answer on its control port") from None
                threading.Event().wait(0.05)
        self._ready: list[dict[str, object]] = []
        self._gone = False
        self.command("reginfo")  # it may have logged in, or been refused, before we could listen

    @property
    def alive(self) -> bool:
        """Whether it still runs and listens."""
        return not self._gone and self._process.poll() is None

    def command(self, name: str, params: str = "") -> None:
        """Send a command; its result is not waited for, events tell."""
        text = json.dumps({"command": name, "params": params, "token": name}).encode()
        with contextlib.suppress(OSError):
            self._socket.sendall(b"%d:%s," % (len(text), text))

    def hang_up(self, place: int, name: str = "") -> None:
        """End one call: by its line, and where this baresip knows names, by its name."""
        self.command("line", str(place))
        self.command("hangup", name)

    def event(self, seconds: float) -> dict[str, object] | None:
        """The next event, or None; `{"type": "GONE"}` once baresip has died."""
        if not self._ready:
            self._read(seconds)
        return self._ready.pop(0) if self._ready else None

    def put_back(self, events: list[dict[str, object]]) -> None:
        """These come first again."""
        self._ready[:0] = events

    def _read(self, seconds: float) -> None:
        self._socket.settimeout(max(seconds, 0.001))
        try:
            part = self._socket.recv(65536)
        except TimeoutError:
            return
        except OSError:
            part = b""
        if not part:
            if not self._gone:
                self._ready.append({"type": "GONE"})
            self._gone = True
            return
        self._rest += part
        while b":" in self._rest:
            length, _, rest = self._rest.partition(b":")
            if not length.isdigit() or int(length) > 1 << 20:
                self._rest = b""
                return
            if len(rest) <= int(length):
                return
            with contextlib.suppress(ValueError):
                said = json.loads(rest[: int(length)])
                if said.get("event"):
                    self._ready.append(said)
                    mine = said.get("direction") != "incoming"
                    self.closed = self.closed or (mine and said.get("type") == "CALL_CLOSED")
                elif said.get("token") == "reginfo" and (found := re.search(r"(OK|ERR)\b.*Expires", str(said.get("data")))):
                    self._ready.append({"type": "REGISTER_OK" if found[1] == "OK" else "REGISTER_FAIL"})
                elif said.get("token") == "dial" and not said.get("ok"):
                    self._ready.append({"type": "REFUSED"})
                    self.closed = True
            self._rest = rest[int(length) + 1 :]

    def close(self) -> None:
        """End it: politely, then not."""
        self.command("quit")
        with contextlib.suppress(OSError):
            self._socket.close()
        self._end()

    def _end(self) -> None:
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def telephone(household: Household, render: Callable[[str], Speech | None], rung: Tell | None = None) -> Telephone | None:
    """The household's telephone; None if it has none, or its address makes no sense (`check` says so)."""
    for channel in household.channels:
        if channel.url.partition(":")[0].lower() in TELEPHONES:
            try:
                return Telephone(Settings.read(channel.url), render, rung=rung)
            except ValueError:
                log.warning("the telephone's address makes no sense: %s", channel.name)
    return None


def trouble(url: str) -> str:
    """What is wrong with a telephone's address or this machine, in Chinese; empty if nothing can be seen without dialling."""
    try:
        Settings.read(url)
    except ValueError:
        return "电话的地址写错了，应该像 sip:账号:密码@服务器"
    return "" if installed() else "没有装 baresip，打不了电话：sudo apt install baresip"


def logs_in(url: str) -> bool:
    """Whether there is anything `registered` could try. Raises ValueError for an address that makes no sense."""
    return Settings.read(url).register


def registered(url: str, seconds: float = READY) -> str:
    """Log in at the provider and out again: what it says against it, empty if it is content or nothing can be known without ringing.

    Raises ValueError for an address that makes no sense.
    """
    settings = replace(Settings.read(url), listen="")
    if not settings.register:
        return ""
    told = threading.Event()
    one = Telephone(settings, lambda _text: None, rung=lambda _event: None, known=told.set)
    told.wait(seconds)
    one.close()
    return one.trouble if told.is_set() else "no answer"


def _unanswered(pressed: bool, quiet: bool) -> str:
    """Our word for a call that was answered and not taken; quiet: the other end was heard, and then no more (the network was cut)."""
    return "wrong key" if pressed else "went quiet" if quiet else "answered without a key"


def _said(reason: str) -> str:
    """Our word for what the far end said."""
    return next((word for start, word in SAID if reason.startswith(start)), "no answer" if not reason else "line failed")


def _private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _free_port(*, pair: bool = False) -> int:
    """A port that is free now; with `pair` the next one too (baresip's SIP/TLS takes it)."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            if not pair:
                return port
            second = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                second.bind(("127.0.0.1", port + 1))
                return port
