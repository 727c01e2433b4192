"""The one file with threads: everything that happens goes into one inbox, one loop asks the core and does what it says.

Order of start: ledger, core, outbox, clock, mouth (armed from here on: an alarm that was running goes on), then, in a thread of
their own, the understanding, the microphone and the ear, which take seconds. Order of stop: the other way round.
"""

from __future__ import annotations

import logging
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import sdnotify

from assistant import places
from assistant.care import SCHEMAS, incident, message, refusal, request
from assistant.clock import Clock, SystemClock
from assistant.clockwork import Clockwork, due_events
from assistant.converse import FOLLOW_UP
from assistant.doors import Doors
from assistant.errors import DiskRefuses, EarFailed, ModelMissing, NoMicrophone, StoreError, VoiceError, XiaobanError
from assistant.furnish import dialogue, voice
from assistant.home import Household
from assistant.household_file import InvalidHousehold
from assistant.keeper import Keeper, Kept, digest, fingerprint, listed, watch
from assistant.listen.recordings import Recordings
from assistant.memory import give_back, thrifty
from assistant.messages import (
    Acknowledged,
    Action,
    Adjust,
    Ask,
    Call,
    ClockStepped,
    DeviceFound,
    DeviceLost,
    Event,
    HangUp,
    Heard,
    HouseholdChanged,
    HouseholdOutgrown,
    HouseholdRefused,
    Hush,
    Keep,
    Listen,
    Notify,
    Pause,
    PickUp,
    Pressed,
    Say,
    Show,
    Silence,
    Sound,
    Spoken,
    Started,
)
from assistant.notify.heartbeat import GOOD, NOTED, Hearts
from assistant.notify.network import Network, way_out
from assistant.notify.notifier import Notifier
from assistant.notify.telephone import telephone
from assistant.rehearsal import said
from assistant.screen import Screen
from assistant.speak.cache import RenderAhead, SpeechCache, rendered, units
from assistant.speak.mouth import Mouth
from assistant.speak.player import Loudspeaker, Output, Speaker
from assistant.speak.speech import Speech, joined
from assistant.store import Store, moment, stamp

if TYPE_CHECKING:
    from assistant.listen.ear import Ear
    from assistant.listen.microphone import MicrophoneFrames
    from assistant.listening import Listening

log = logging.getLogger(__name__)

LONGEST_WAIT = 5.0
"""Seconds the loop sleeps at most, so that the watchdog is fed and a deadline is never far off."""
ALIVE_EVERY = timedelta(minutes=1)
"""How often the ledger is told that we live: how exactly 断电多久 is known afterwards."""
MUTED_A_CHARACTER = 0.4
MUTED_AT_LEAST = 20.0
"""Seconds after a sentence was given to the mouth, for each character and for a slow voice, after which the ear listens again
whatever the loudspeaker says: a deaf house is worse than one that hears itself."""
MICROPHONE_AGAIN = 10.0
"""Seconds between two tries to open a microphone at the start while an alarm is running."""
STUCK = 60.0
"""Seconds without a turn of the loop after which the beats to the family stop; a turn takes five at most, with nothing to do."""
DEAF = 120.0
"""Seconds without sound after which they stop too: a model is loaded in half of that, and a device that was lost is tried again
every twelve."""
HEARING_FIRST = 30.0
"""Seconds the rehearsal waits at most for the ear to be loaded."""
TOLD = "ear.told"
"""Setting: the day the family was last told that nothing can be heard with."""
KEEP_WORDS = timedelta(days=30)
KEEP_LOG = timedelta(days=365)
"""Retention (CARE 7)."""


class Look:
    """Not an event of the world: rows may be due."""


class Reload:
    """Not an event of the world: the family's file was saved."""


@dataclass(frozen=True, slots=True)
class Beaten:
    """Not an event of the world: what became of a beat to the family."""

    name: str
    said: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Not an event of the world: the service is to end, because of `error` where there is one."""

    error: XiaobanError | None = None


@dataclass(frozen=True, slots=True)
class Replied:
    """Somebody answered on the page, and waits to read what came of it."""

    event: Acknowledged
    told: queue.SimpleQueue[str]


PAGE_SECONDS = 3.0
"""Longest a page waits for it."""


class House:
    """The core, its senses and its hands."""

    def __init__(
        self,
        household_file: Path,
        data: Path,
        clock: Callable[[Household], Clock] = lambda household: SystemClock(household.zone),
        frames: Callable[[Callable[[Event], None]], Iterable[bytes]] | None = None,
        loudspeaker: str = "",
        deaf: bool = False,
        output: Callable[[], Output] | None = None,
        happened: Callable[[Event, list[Action]], None] = lambda _event, _actions: None,
        network: Callable[[], bool] = way_out,
    ) -> None:
        """Raises HouseholdError, StoreError. `frames` opens what the ear listens to; None is a house without an ear.

        `deaf`: it lives on where nothing can be heard with. `output` instead of the loudspeaker of that name. `happened` is
        told, in the loop's thread, each event and what was done about it. `network` says whether there is a way out of the house.
        """
        thrifty()
        self._inbox: queue.SimpleQueue[Event | Look | Reload | Beaten | Stop | Replied] = queue.SimpleQueue()
        self._data = data
        seen = fingerprint(household_file)
        self._keeper = Keeper(household_file, data)
        kept = self._keeper.load()
        for trouble in (*kept.mistakes, *kept.lived_with, *kept.warnings):
            print(trouble, file=sys.stderr)
        self._clock = clock(kept.household)
        self._store = ledger(data / places.LEDGER)
        if self._store.note:
            print(self._store.note, file=sys.stderr)
        if not kept.changes:
            self._keep(kept, "file_unkept")
        alive = self._store.setting("alive")
        self._core = dialogue(kept.household, self._store)
        self._clockwork = Clockwork(self._clock, self._rung)
        self._systemd: Any = cast(Any, sdnotify).SystemdNotifier()
        self._stopping = threading.Event()
        self._listening: Listening | None = None
        self._ear: Ear | None = None
        self._recordings = Recordings(data / places.RECORDINGS, self._clock.monotonic)
        self._frames, self._deaf = frames, deaf
        self._happened = happened
        self._deaf_until: datetime | None = None
        self._muted_until: float | None = None
        self._microphone: MicrophoneFrames | None = None
        self._lent = False
        self._screen = Screen()
        self._kept_alive: datetime | None = None
        self._tended = ""
        self._rehearsed = self._clock.wall().date().isoformat()
        self._failed: XiaobanError | None = None
        self._ear_tried = threading.Event()
        choice = voice(kept.household.voice)
        print(f"声音：{choice.why}", file=sys.stderr)
        self._voice, self._cache = choice.engine, SpeechCache(data / "speech")
        self._ahead = RenderAhead(choice.engine, self._cache)
        self._doors = Doors(kept.household, data, self._clock.wall, self.post, self.answer)
        for problem in self._doors.troubles:
            print(problem, file=sys.stderr)
        self._notifier = Notifier(
            kept.household, line=lambda household: telephone(household, self._for_the_telephone, self.post), link=self._doors.link
        )
        self._speaker = Speaker(
            output or (lambda: Loudspeaker(loudspeaker)), kept.household.voice.volume,
            on_lost=lambda _: self.post(DeviceLost("loudspeaker")), on_found=lambda: self.post(DeviceFound("loudspeaker")),
        )
        self._mouth = Mouth(
            choice.engine, self._cache, self._speaker, choice.spare, self._ahead,
            on_spoken=lambda cut: self.post(Spoken(cut)),
        )
        self._turned = self._listened = self._clock.monotonic()
        self._taken = 0
        self._hearts = Hearts(kept.household.care, self.alive, lambda name, said: self._inbox.put(Beaten(name, said)))
        self._network: Network | None = None
        self._way_out = network
        self._threads = [
            threading.Thread(target=watch, args=(household_file, lambda: self._inbox.put(Reload()), self._stopping),
                             kwargs={"since": seen}, name="family-file", daemon=True),
            threading.Thread(target=self._listen, name="ear-loader", daemon=True),
            threading.Thread(target=self._rehearse, args=(kept.household,), name="rehearsal", daemon=True),
        ]
        self.post(Started(self._clockwork.trusted, moment(alive) if alive else None))
        if kept.changes or kept.stale or kept.lived_with or refusal.standing(self._store):
            self._inbox.put(Reload())  # Saved while we were off: told like any other save.

    # --- any thread -----------------------------------------------------------------------------------------------------

    def post(self, event: Event) -> None:
        """Something happened."""
        self._inbox.put(event)

    def answer(self, event: Acknowledged) -> str | None:
        """Somebody answered on the page. What the page is to say of it (`notify.acks.Page`)."""
        told: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._inbox.put(Replied(event, told))
        try:
            return told.get(timeout=PAGE_SECONDS)
        except queue.Empty:
            return None

    def stop(self) -> None:
        """End the loop."""
        self._inbox.put(Stop())

    def alive(self) -> bool:
        """Whether the loop turns and, where there should be an ear, it hears: what the beats to the family go by."""
        now = self._clock.monotonic()
        deaf = self._frames is not None and not self._deaf and now - self._listened >= DEAF
        return not self._stopping.is_set() and now - self._turned < STUCK and not deaf

    def _rung(self, stepped: ClockStepped | None) -> None:
        self._inbox.put(stepped or Look())

    # --- the loop -------------------------------------------------------------------------------------------------------

    def live(self) -> None:
        """Until `stop`. This thread is the only one that asks the core or touches the ledger.

        Raises NoMicrophone, ModelMissing when there is nothing to hear with at the start and no alarm is running.
        """
        self._clockwork.start()
        self._network = Network(self._way_out, self.post)
        for thread in self._threads:
            thread.start()
        self._systemd.notify("READY=1")
        try:
            while not self._stopping.is_set():
                self._turn()
        finally:
            self._close()
        if self._failed is not None:
            raise self._failed

    def _turn(self) -> None:
        now = self._clock.wall()
        wait = LONGEST_WAIT
        if self._core.deadline is not None:
            wait = min(wait, max(0.0, (self._core.deadline - now).total_seconds()))
        try:
            event = self._inbox.get(timeout=wait)
        except queue.Empty:
            event = None
        self._systemd.notify("WATCHDOG=1")
        try:
            self._handle(event)
            self._turned = self._clock.monotonic()
        except Exception:
            # The last edge: a fault in one event must not end the care of all others.
            log.exception("could not handle %s", type(event).__name__)
        self._clockwork.wind(self._store.next_wake())

    def _handle(self, event: Event | Look | Reload | Beaten | Stop | Replied | None) -> None:
        now = self._clock.wall()
        match event:
            case None:
                pass
            case Stop(error=error):
                self._stop(error)
            case Look():
                for due in due_events(self._store, now):
                    self._do(due)
            case Reload():
                self._reload()
            case Replied():
                self._reply(event)
            case Beaten(name=name, said=said):
                before = self._store.setting(NOTED + name).partition(" ")[2]
                self._remember(NOTED + name, f"{stamp(now)} {said}")
                if said == GOOD and before not in ("", GOOD):
                    self._do(DeviceFound("network"))  # heard after one that was not
            case Heard(woken=True) if self._deaf_until is not None and now < self._deaf_until and not self._core.asking:
                self._do(replace(event, woken=False))  # 别听了: only cries for help count
            case _:
                self._do(event)
        late = self._core.deadline
        if late is not None and self._clock.wall() >= late and not (self._ear and self._ear.hearing):
            self._do(Silence())
        if self._muted_until is not None and self._clock.monotonic() >= self._muted_until:
            log.warning("the mouth has not reported; listening again")
            self._do(Spoken())
        self._tend(now)

    def _reply(self, replied: Replied) -> None:
        late = ""
        try:
            late = incident.too_late(self._store, replied.event.key, replied.event.person)
        except StoreError as error:  # what the page says must not cost the answer
            log.error("%s", error)
        self._do(replied.event)
        replied.told.put(late)

    def _stop(self, error: XiaobanError | None) -> None:
        """A house that cannot hear ends with its reason, but never in the middle of an alarm."""
        if isinstance(error, (EarFailed, ModelMissing)):
            self._tell_once_a_day(str(error))
        if error is not None and (self._deaf or incident.live(self._store) is not None):
            print(error, file=sys.stderr)
            self._do(DeviceLost("microphone"))
            return
        self._failed = error
        self._stopping.set()

    def _tell_once_a_day(self, trouble: str) -> None:
        """To the family; a house that is started again and again must not write each time."""
        today = self._clock.wall().date().isoformat()
        try:
            with self._store.atomic():
                if self._store.setting(TOLD) != today:
                    self._store.remember(TOLD, today)
                    self._store.must_tell(trouble, "")
        except StoreError as error:
            log.error("%s", error)

    def _do(self, event: Event) -> None:
        now = self._clock.wall()
        if isinstance(event, Heard) and event.hypotheses:
            self._mouth_busy_sound(event)
        actions = self._core.handle(event, now)
        for action in actions:
            self._perform(action)
        self._happened(event, actions)
        if isinstance(event, Spoken) or any(isinstance(a, Hush) for a in actions):
            self._open_ear(now)
        if self._lent and not self._between_people:
            self._lent = False
            if self._microphone:
                self._microphone.back()

    def _perform(self, action: Action) -> None:
        match action:
            case Say(text=text, urgent=urgent) | Ask(text=text, urgent=urgent):
                self._mute(text)
                self._mouth.say(text, urgent)
            case Sound(name=name):
                self._mouth.sound(name)
            case Hush():
                self._mouth.hush()
            case Notify(recording=name) if name:
                self._notifier.send(replace(action, recording=str(self._recordings.path(name))), self.post)
            case Notify() | Call():
                self._notifier.send(action, self.post)
            case Keep(sound=key, name=name):
                self._recordings.keep(key, name)
            case PickUp(key=key, text=text):
                self._notifier.pick_up(key, text)
            case HangUp(key=key):
                self._notifier.hang_up(key)
            case Show(url=url):
                if not url:
                    self._screen.close()
                elif not self._screen.show(url):
                    self.post(DeviceLost("screen"))
            case Adjust(louder=louder, slower=slower):
                self._mouth.adjust(louder, slower)
            case Pause(seconds=seconds):
                self._deaf_until = self._clock.wall() + timedelta(seconds=seconds)
            case Listen(seconds=seconds):
                self._mouth.sound("wake")
                if self._ear:
                    self._ear.open(seconds=seconds)

    def _mouth_busy_sound(self, event: Heard) -> None:
        """The sound that says "I heard you": at once, because a rendered answer may take a second (IJHCI 2024)."""
        ask = self._core.asking
        others = event.prompted and (self._core.lapsed or (ask is not None and ask.patient))  # the television need not hear that it was heard
        if (event.woken or ask) and not others and not self._mouth.speaking and not self._between_people:
            self._mouth.sound("heard")

    def _mute(self, text: str) -> None:
        begin = self._clock.monotonic()
        if self._muted_until is not None:
            begin = max(begin, self._muted_until - MUTED_AT_LEAST)
        self._muted_until = begin + MUTED_AT_LEAST + MUTED_A_CHARACTER * len(text)
        if self._ear:
            self._ear.mute()

    @property
    def _between_people(self) -> bool:
        """Whether the elder is on the telephone."""
        ask = self._core.asking
        return ask is not None and ask.asking == "talk"

    def _lend(self, key: str) -> None:
        """Microphone and loudspeaker to the telephone; the ear goes on with what the elder says into it."""
        self._lent = True
        self._speaker.rest()
        from assistant.listen.tap import Tap

        if self._microphone is not None and (sound := self._notifier.sound) is not None:
            self._microphone.lend(Tap(sound), lambda: self._notifier.talk(key))
        else:
            self._notifier.talk(key)

    def _open_ear(self, now: datetime) -> None:
        self._muted_until = None
        if self._between_people and not self._lent and self._core.asking is not None:
            self._lend(self._core.asking.call)
        if self._ear is None:
            return
        self._ear.unmute()
        ask = self._core.asking
        if ask is not None:
            self._ear.open(ask.asking, ask.seconds, self._listening.options(ask) if self._listening else ())
        elif self._core.listening(now):
            self._ear.open(seconds=FOLLOW_UP)
        else:
            self._ear.close()

    # --- now and then -----------------------------------------------------------------------------------------------------

    def _tend(self, now: datetime) -> None:
        """What is done at every turn, once a minute and once a day."""
        if self._lent or (self._ear is not None and self._ear.taken != self._taken):
            self._listened = self._clock.monotonic()
            self._taken = self._ear.taken if self._ear is not None else 0
        try:
            self._recordings.tend(message.recordings(self._store), request.recordable(self._store, self._core.household))
        except StoreError as error:
            log.error("%s", error)
        if self._kept_alive is None or abs(now - self._kept_alive) >= ALIVE_EVERY:
            self._kept_alive = now
            self._remember("alive", stamp(now))
        today = now.date().isoformat()
        if today != self._tended and self._clockwork.trusted:
            self._tended = today
            try:
                with self._store.atomic():
                    self._store.forget_log(now - KEEP_WORDS, kind="heard")
                    self._store.forget_log(now - KEEP_LOG)
                self._store.backup(self._data / places.LEDGER, today)
            except (XiaobanError, OSError) as error:
                log.error("no backup today: %s", error)
            if today != self._rehearsed:
                self._rehearsed = today
                threading.Thread(target=self._rehearse, args=(self._core.household,), name="rehearsal", daemon=True).start()

    def _remember(self, key: str, value: str) -> None:
        """For 断电多久 and `doctor`; a disk that refuses it is told of by the dialogue, with the next thing that must not be lost."""
        try:
            self._store.remember(key, value)
        except StoreError as error:
            log.error("%s", error)

    def _reload(self) -> None:
        content = digest(fingerprint(self._keeper.path))
        try:
            kept = self._keeper.load()
        except InvalidHousehold as error:  # not even the copy is left of the file in force
            kept = Kept(self._core.household, mistakes=error.mistakes)
        for trouble in (*kept.mistakes, *kept.lived_with, *kept.warnings):
            print(trouble, file=sys.stderr)
        named = self._core.household.care.names_medicines
        if kept.lived_with:
            why = tuple(one.told(named) for one in kept.lived_with)
            hers = tuple(dict.fromkeys(one.hers for one in kept.lived_with if one.hers))
            self._do(HouseholdOutgrown(listed(kept.lived_with), why, hers))
        elif refusal.standing(self._store, refusal.OUTGROWN):
            if not kept.changes:
                self._keep(kept, "file_unkept")  # else the copy is of the text that is mended
            refusal.over(self._store, refusal.OUTGROWN)
        if kept.stale:
            self._do(HouseholdRefused(content, tuple(mistake.told(named) for mistake in kept.mistakes)))
            return
        if kept.changes:
            self._take_over(kept)
        refusal.over(self._store)

    def _take_over(self, kept: Kept) -> None:
        """The saved file comes into force; it is kept once its changes are on their way to her ear."""
        self._doors.household(kept.household)
        self._notifier.household(kept.household)
        self._hearts.care(kept.household.care)
        self._do(HouseholdChanged(kept.household, tuple(change.told() for change in kept.changes)))
        self._keep(kept, "file_unkept")
        if self._listening:
            threading.Thread(target=self._listening.learn, args=(kept.household,), name="ear-learns", daemon=True).start()
        threading.Thread(target=self._rehearse, args=(kept.household,), name="rehearsal", daemon=True).start()

    def _keep(self, kept: Kept, said: str = "") -> None:
        """The household is in force also where no copy of it can be kept; then the family hears of it, the elder `said`."""
        try:
            self._keeper.keep(kept)
        except OSError as error:
            trouble = "家庭文件的底稿存不下来。这份安排照样用，可要是文件以后改坏了，没有底稿可用。磁盘满了或者坏了，请检查。"
            print(f"{trouble}（{self._keeper.copy}：{error.strerror}）", file=sys.stderr)
            if self._store.volatile:
                return  # whoever hears that the ledger cannot be written need not hear this
            try:
                self._store.must_tell(trouble, said)
            except StoreError:
                self._store.into_memory()
                self._store.must_tell(self._store.note, "ledger_unwritable")

    # --- threads of their own -----------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Load what understands and hears. With nothing to hear with the house ends, or goes on deaf while an alarm runs."""
        try:
            self._load()
        finally:
            self._ear_tried.set()

    def _load(self) -> None:
        """Until there is nothing more to listen to, or no hope of an ear."""
        if self._frames is None:
            return
        while not self._stopping.is_set():
            try:
                self._open_the_ear(self._frames)
                return
            except (NoMicrophone, ModelMissing) as error:
                self._inbox.put(Stop(error))
                if self._deaf:
                    return
            except XiaobanError as error:
                print(error, file=sys.stderr)
                self.post(DeviceLost("microphone"))
                return
            except Exception as error:  # edge of a thread: nobody may live on with a house that is deaf and does not know it
                log.exception("the ear has failed")
                failed = EarFailed(f"听的部分出了错，听不见了（{error}）。请运行 {places.command('doctor')} 看看模型坏没坏。")
                self._inbox.put(Stop(failed))
                if self._deaf:
                    return
            self._stopping.wait(MICROPHONE_AGAIN)

    def _open_the_ear(self, opened: Callable[[Callable[[Event], None]], Iterable[bytes]]) -> None:
        from assistant.listening import Listening  # a second of loading that no alarm should wait for

        household = self._core.household
        self._listening = listening = Listening(household, opened, self.post, self._clock.wall, self._recordings.hold)
        self._microphone, self._ear = listening.microphone, listening.ear
        print(f"我在听。叫一声“{household.wake_words[0]}”，再说事。", file=sys.stderr)
        try:
            listening.finish()
            self._ear_tried.set()
            listening.last()
        except BaseException:
            listening.close()
            raise

    def _for_the_telephone(self, text: str) -> Speech | None:
        """The voice at the far end of a call; None, and the call beeps, if no voice can say it."""
        try:
            pieces = [rendered(self._voice, self._cache, unit) for unit in units(text)]
        except VoiceError as error:
            log.error("no voice for the telephone: %s", error)
            return None
        return joined(pieces)

    def _rehearse(self, household: Household) -> None:
        """Render what will be said in the next day before it is said; hearing comes first, both want the processor."""
        self._ear_tried.wait(HEARING_FIRST)
        try:
            for text in chain(said(household, self._clock.wall(), self._stopping.is_set), self._core.replies.fixed()):
                self._ahead.want((text,))
        except Exception:
            log.exception("rehearsal failed")
        give_back()

    def _close(self) -> None:
        self._systemd.notify("STOPPING=1")
        self._stopping.set()
        self._hearts.close()
        if self._network:
            self._network.close()
        self._clockwork.stop()
        if self._microphone:
            self._microphone.close()
        self._ahead.close()
        self._screen.close()
        self._mouth.close()
        self._speaker.close()
        self._notifier.close()
        self._doors.close()
        self._remember("alive", stamp(self._clock.wall()))
        self._store.close()


def ledger(path: Path) -> Store:
    """The ledger of a house. Where the disk refuses it, what it holds, in memory: she is cared for all the same, and the family told.

    Raises StoreError where anything else stands in the way.
    """
    try:
        return Store.open(path, SCHEMAS, alone=True)
    except DiskRefuses as error:
        print(error, file=sys.stderr)
    try:
        store = Store.copied(path, SCHEMAS, alone=True)
    except DiskRefuses:
        store = Store.memory(SCHEMAS)
    store.into_memory()
    store.must_tell(store.note, "ledger_unwritable")
    return store


def live(household_file: Path, data: Path, microphone: str = "", loudspeaker: str = "", keyboard: bool = False) -> int:
    """The command `run`. Raises NoMicrophone, ModelMissing where there is nothing to hear with (and no keyboard stands for it)."""
    if not household_file.exists():
        raise XiaobanError(f"还没有家庭文件：{household_file}\n先运行 {places.command('check --new')} 放一份样例，改成自家的。")

    def microphone_frames(post: Callable[[Event], None]) -> Iterable[bytes]:
        from assistant.listen.microphone import MicrophoneFrames

        return MicrophoneFrames(microphone or None, told=post)

    house = House(
        household_file, data, frames=microphone_frames, loudspeaker=loudspeaker, deaf=keyboard,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: house.stop())
    if keyboard:
        threading.Thread(target=_keys, args=(house,), name="keyboard", daemon=True).start()
    house.live()
    return 0


def _keys(house: House) -> None:
    """Lines typed: empty is the help button, c cancels, w is the wake word, anything else is heard as if said."""
    from assistant.messages import Hypothesis

    for line in sys.stdin:
        text = line.strip()
        match text:
            case "":
                house.post(Pressed("help"))
            case "c":
                house.post(Pressed("cancel"))
            case "w":
                house.post(Pressed("wake"))
            case _:
                house.post(Heard((Hypothesis(text),)))
