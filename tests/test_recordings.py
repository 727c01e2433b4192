"""Her voice with her words: only where both sides agreed, only as long as the message needs it, and never in the way of the words."""

from __future__ import annotations

import email
import io
import queue
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import Message
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from assistant.care import message, request
from assistant.clock import VirtualClock
from assistant.home import Contact, Household
from assistant.listen.frames import wav_frames
from assistant.listen.recordings import HELD, SECONDS, Recordings
from assistant.messages import (
    Action,
    Ask,
    Delivered,
    DeviceFound,
    Event,
    Heard,
    HouseholdChanged,
    Hypothesis,
    Keep,
    Listen,
    Notify,
    Pressed,
)
from assistant.notify.by_apprise import by_apprise
from assistant.notify.channel import Outcome
from assistant.notify.console import file
from assistant.places import RECORDINGS, VOSK, models_dir, sample_household
from assistant.skills import privacy
from assistant.stage import People, Stage
from tests.faults.peers import mail, web
from tests.faults.scene import NOON, Sent, household, lines, stage, wait
from tests.talks import HOME, Home, at, said
from tests.test_house import NOW, PATIENCE, QUIET, Instant, Living

TOLD = "告诉敏敏我今天炖了排骨"
SOUND = (np.sin(np.arange(16_000) * 0.2) * 8000).astype("<i2").tobytes()
"""One second."""


def agreed(*names: str) -> Household:
    """The family has written 录音: 是 for these."""
    home = household()
    return replace(home, family=tuple(replace(one, recordings=one.name in names) for one in home.family))


def tell(scene: Stage, text: str, sound: str = "s1") -> None:
    """Somebody says it, the ear holds its sound, and 小伴 answers."""
    scene.tell(Heard((Hypothesis(text),), sound=sound))
    wait(scene, 1)
    scene.until_quiet()


@pytest.fixture
def sent() -> Sent:
    return Sent()


def scene_of(home: Household, sent: Sent, people: People | None = None) -> Stage:
    scene = stage(home, people)
    scene.perform = sent.see
    return scene


def kept(sent: Sent) -> list[str]:
    return [action.sound for _, action in sent.actions if isinstance(action, Keep)]


# --- who agreed ---------------------------------------------------------------------------------------------------


def test_her_voice_goes_along_once_both_have_agreed_and_she_is_asked_once(sent: Sent) -> None:
    scene = scene_of(agreed("刘敏"), sent)
    for text in (TOLD, "要", "要", TOLD, "要"):
        tell(scene, text, sound=f"s{len(text)}")
    names = [action.recording for _, action in sent.notifies]
    assert (lines(scene, "asked", "said"), kept(sent), len(set(names)), all(name.endswith(".mp3") for name in names)) == ([
        "给女儿刘敏的话是：我今天炖了排骨。这样发，对吗？", "要不要把您说这句话的声音也发给女儿刘敏听？答应了，往后捎话都这样。",
        "好，我这就发给女儿刘敏，声音也一起。", "给女儿刘敏的话送出去了，声音也一起。",
        "给女儿刘敏的话是：我今天炖了排骨。连您的声音一起发，对吗？", "好，我这就发给女儿刘敏，声音也一起。", "给女儿刘敏的话送出去了，声音也一起。",
    ], [f"s{len(TOLD)}"] * 2, 2, True)


@pytest.mark.parametrize(("home", "sound", "answers"), [
    (household(), "s1", ("要",)),          # the family has not agreed
    (agreed("刘强"), "s1", ("要",)),        # for somebody else only
    (agreed("刘敏"), "", ("要",)),          # typed, or the ear held nothing
    (agreed("刘敏"), "s1", ("要", "不")),    # she has not agreed
])
def test_without_consent_only_words_go(home: Household, sound: str, answers: tuple[str, ...], sent: Sent) -> None:
    scene = scene_of(home, sent)
    for text in (TOLD, *answers):
        tell(scene, text, sound)
    assert (kept(sent), [action.recording for _, action in sent.notifies], lines(scene, "said")) == (
        [], [""], ["好，我这就发给女儿刘敏。", "给女儿刘敏的话送出去了。"],
    )


def test_silence_about_her_voice_sends_the_words_and_asks_again_the_next_time(sent: Sent) -> None:
    scene = scene_of(agreed("刘敏"), sent)
    for _ in range(2):
        for text in (TOLD, "要"):
            tell(scene, text)
        wait(scene, 60)
    asked = [text for text in lines(scene, "asked") if "声音" in text]
    assert (kept(sent), len(lines(scene, "sent")), len(asked)) == ([], 2, 2)


def test_a_no_is_remembered_until_the_family_changes_its_mind(sent: Sent) -> None:
    scene = scene_of(agreed("刘敏"), sent)
    for text in (TOLD, "要", "不", TOLD, "要"):
        tell(scene, text)
    no = len([text for text in lines(scene, "asked") if "声音" in text])
    for home in (household(), agreed("刘敏")):
        scene.tell(HouseholdChanged(home))
        scene.until_quiet()
    for text in (TOLD, "要", "要"):
        tell(scene, text)
    assert (no, len([text for text in lines(scene, "asked") if "声音" in text]), len(kept(sent))) == (1, 2, 1)


def test_the_sound_is_that_of_the_words_and_not_of_the_request(sent: Sent) -> None:
    scene = scene_of(agreed("刘敏"), sent)
    for text, sound in (("给敏敏捎个话", "request"), ("今天下雨了", "words"), ("要", "yes"), ("要", "yes")):
        tell(scene, text, sound)
    assert kept(sent) == ["words"]


def test_a_channel_without_sound_is_confessed(sent: Sent) -> None:
    scene = scene_of(agreed("刘敏"), sent, People(sound=False))
    for text in (TOLD, "要", "要"):
        tell(scene, text)
    assert lines(scene, "said")[-1] == "给女儿刘敏的话送出去了，只有字，声音没能一起送。"


def test_what_waits_keeps_its_recording_over_a_power_cut_and_lets_it_go_when_it_is_sent(sent: Sent) -> None:
    people = People(network=False)
    scene = scene_of(agreed("刘敏"), sent, people)
    for text in (TOLD, "要", "要"):
        tell(scene, text)
    wait(scene, 60)
    waiting = message.recordings(scene.dialogue.store)
    people.network = True
    again = stage(agreed("刘敏"), people, scene.dialogue.store, scene.clock.now + timedelta(minutes=5))
    again.perform = sent.see
    again.tell(DeviceFound("network"))
    wait(again, 60)
    assert (len(waiting), sent.notifies[-1][1].recording in waiting, message.recordings(again.dialogue.store)) == (1, True, frozenset())


def test_what_is_taken_back_takes_its_sound_along_and_so_does_a_family_that_no_longer_agrees(sent: Sent) -> None:
    scene = scene_of(agreed("刘敏", "刘强"), sent, People(network=False))
    for text in (TOLD, "要", "要"):
        tell(scene, text)
    wait(scene, 30)
    before = len(message.recordings(scene.dialogue.store))
    scene.tell(HouseholdChanged(agreed("刘强")))
    after = message.recordings(scene.dialogue.store)
    assert (before, after, request.recordable(scene.dialogue.store, agreed("刘敏"))) == (1, frozenset(), True)


def test_somebody_who_is_no_longer_in_the_file_gets_no_voice(sent: Sent) -> None:
    scene = scene_of(agreed("刘敏"), sent, People(network=False))
    for text in (TOLD, "要", "要"):
        tell(scene, text)
    home = household()
    scene.tell(HouseholdChanged(replace(home, family=home.family[1:])))
    assert message.recordings(scene.dialogue.store) == frozenset()


def test_a_line_too_slow_for_sound_gets_the_words_alone_in_the_end() -> None:
    store = stage().dialogue.store
    number = message.post(store, NOON, purpose="request", person="刘敏", channels=("敏敏邮箱",), title="一", body="二", recording="t-1.mp3")
    names = []
    for hours in range(message.SOUND_TRIES + 1):
        now = NOON + timedelta(hours=hours)
        action = message.attempt(store, now, number)
        assert isinstance(action, Notify)
        names.append(action.recording)
        message.settle(store, Delivered(number, False, "timed out", ambiguous=True), now)
    assert names == ["t-1.mp3"] * message.SOUND_TRIES + [""]


@pytest.mark.parametrize(("home", "answer", "held"), [(household(), "yes", False), (agreed("刘敏"), "", True), (agreed("刘敏"), "no", False), (agreed("刘敏"), "yes", True)])
def test_the_ear_remembers_sound_only_where_somebody_may_get_it(home: Household, answer: str, held: bool) -> None:
    scene = stage(home)
    contact: Contact = home.family[0]
    if answer:
        request.consented(scene.dialogue.store, contact, answer)  # type: ignore[arg-type]
    assert request.recordable(scene.dialogue.store, home) is held


def test_what_is_kept_is_told_and_forgetting_takes_the_sound_back_and_asks_again() -> None:
    home = Home(privacy.skill, at("15:00"), replace(HOME, family=(replace(HOME.family[0], recordings=True), *HOME.family[1:])))
    before = home.elder(said("privacy.list"))[0]
    request.consented(home.store, home.household.family[0], "yes")
    agreed_to = home.elder(said("privacy.list"))[0]
    for minutes in (30, 5):
        message.post(home.store, home.now - timedelta(minutes=minutes), purpose="request", person="刘敏", channels=("敏敏微信",), title="一",
                     body="二", recording=f"{minutes}.mp3")
    told = home.elder(said("privacy.forget"))
    assert ("声音不留" in before, "捎话的声音只发给您答应过的女儿" in agreed_to, message.recordings(home.store), told,
            request.consent(home.store, home.household.family[0])) == (
        True, True, frozenset({"30.mp3"}), ["好，刚才说的话我删了，没送走的录音也删了。往后要发您的声音，我先问您。吃药和报警的记录还留着。"], "")


# --- the files ----------------------------------------------------------------------------------------------------


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    made = Recordings(tmp_path / "r", Seconds())
    made.tend((), wanted=True)
    return made


def test_a_recording_is_small_private_and_can_be_played(recordings: Recordings) -> None:
    recordings.keep(recordings.hold(SOUND), "t-1.mp3")
    path = recordings.path("t-1.mp3")
    wave, rate = soundfile.read(path)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777, rate, abs(len(wave) / rate - 1.0) < 0.1, path.stat().st_size < 8000) == (
        0o600, 0o700, 16_000, True, True)


def test_nothing_is_held_where_nobody_agreed(tmp_path: Path) -> None:
    made = Recordings(tmp_path / "r", Seconds())
    assert (made.hold(SOUND), (tmp_path / "r").exists()) == ("", False)


def test_the_folder_holds_only_what_a_message_waits_for_also_after_a_power_cut(tmp_path: Path, recordings: Recordings) -> None:
    for name in ("t-1.mp3", "t-2.mp3"):
        recordings.keep(recordings.hold(SOUND), name)
    (tmp_path / "r" / "t-3.mp3.part").write_bytes(b"half")
    after = Recordings(tmp_path / "r", Seconds())
    after.tend(("t-2.mp3",), wanted=False)
    assert [path.name for path in (tmp_path / "r").iterdir()] == ["t-2.mp3"]


def test_memory_forgets_the_oldest_the_old_and_all_when_consent_ends(tmp_path: Path) -> None:
    clock = Seconds()
    made = Recordings(tmp_path / "r", clock)
    made.tend((), wanted=True)
    keys = [made.hold(SOUND) for _ in range(HELD + 1)]
    made.keep(keys[0], "oldest.mp3")
    clock.now = SECONDS + 1
    made.tend((), wanted=True)
    made.keep(keys[1], "old.mp3")
    fresh = made.hold(SOUND)
    made.tend((), wanted=False)
    made.tend((), wanted=True)
    made.keep(fresh, "withdrawn.mp3")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_leaves_the_message_without_its_sound(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("no folder", encoding="ascii")
    made = Recordings(tmp_path / "r" / "below", Seconds())
    made.tend((), wanted=True)
    made.keep(made.hold(SOUND), "t-1.mp3")
    made.tend((), wanted=True)
    assert not made.path("t-1.mp3").exists()


# --- the channels -------------------------------------------------------------------------------------------------

MAIL = "mailto://u:p@127.0.0.1:{}?from=a@example.org&to=b@example.org&mode=insecure"


def told(path: Path | str) -> Notify:
    return Notify(1, "t-1", "刘敏", "敏敏邮箱", "题目", "正文", recording=str(path))


def parts(text: str) -> list[Message]:
    return [part for part in email.message_from_string(text.strip().removesuffix(".")).walk() if not part.is_multipart()]


def test_a_mail_carries_the_recording(tmp_path: Path, recordings: Recordings) -> None:
    recordings.keep(recordings.hold(SOUND), "t-1.mp3")
    with mail("ok") as peer:
        outcome = by_apprise(MAIL.format(peer.port)).send(told(recordings.path("t-1.mp3")), 30.0)
    (got,) = peer.got
    voice = next(part for part in parts(got["body"]) if part.get_content_type() == "audio/mpeg")
    assert (outcome, voice.get_filename(), voice.get_payload(decode=True)) == (
        Outcome(True, "accepted", recording=True), "voice.mp3", recordings.path("t-1.mp3").read_bytes())


@pytest.mark.parametrize("content", [None, b"", b"no sound at all"])
def test_a_recording_that_is_gone_or_broken_does_not_hold_up_the_words(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "t-1.mp3").write_bytes(content)
    with mail("ok") as peer:
        outcome = by_apprise(MAIL.format(peer.port)).send(told(tmp_path / "t-1.mp3"), 8.0)
    text = "".join(str(part.get_payload(decode=True), "utf-8") for part in parts(peer.got[0]["body"]))  # type: ignore[call-overload]
    assert (outcome, len(peer.got), "正文" in text, "只有字" in text) == (Outcome(True, "accepted"), 1, True, True)


def test_a_server_that_refuses_the_sound_gets_the_words_alone(recordings: Recordings) -> None:
    recordings.keep(recordings.hold(SOUND), "t-1.mp3")
    with mail("no_sound") as peer:
        outcome = by_apprise(MAIL.format(peer.port)).send(told(recordings.path("t-1.mp3")), 30.0)
    kinds = [[part.get_content_type() for part in parts(one["body"])] for one in peer.got]
    assert (outcome, ["audio/mpeg" in kind for kind in kinds]) == (Outcome(True, "accepted"), [True, False])


@pytest.mark.parametrize("mode", ["no_sound", "no_sound_500"])
def test_a_web_service_that_finds_it_too_large_gets_the_words_alone(mode: str, recordings: Recordings) -> None:
    recordings.keep(recordings.hold(SOUND), "t-1.mp3")
    with web(mode) as peer:
        outcome = by_apprise(f"xml://127.0.0.1:{peer.port}/in").send(told(recordings.path("t-1.mp3")), 30.0)
    assert (outcome, ["audio/mpeg" in one["body"] for one in peer.got]) == (Outcome(True, "accepted"), [True, False])


def test_a_network_that_fails_keeps_the_sound_for_the_next_try(recordings: Recordings) -> None:
    recordings.keep(recordings.hold(SOUND), "t-1.mp3")
    with mail("drop_after_data") as peer:
        outcome = by_apprise(MAIL.format(peer.port)).send(told(recordings.path("t-1.mp3")), 30.0)
    assert (outcome.ok, outcome.ambiguous, len(peer.got)) == (False, True, 1)


def test_a_channel_for_words_says_that_the_sound_did_not_go(tmp_path: Path, recordings: Recordings) -> None:
    recordings.keep(recordings.hold(SOUND), "t-1.mp3")
    assert file(f"file://{tmp_path / 'out.jsonl'}").send(told(recordings.path("t-1.mp3")), 1.0) == Outcome(True, "written")


# --- the whole house ----------------------------------------------------------------------------------------------


def _family(folder: Path, address: str) -> Path:
    text = sample_household().read_text(encoding="utf-8").replace("声音: 晓晓", "声音: 机器声")
    text = text.replace("通知: [强子微信], 顺序: 2", "通知: [强子邮箱], 录音: 是, 顺序: 2").replace("强子微信: console://强子微信", f'强子邮箱: "{address}"')
    path = folder / "家庭.yaml"
    path.write_text("".join(line for line in text.splitlines(True) if "sip:" not in line), encoding="utf-8")
    return path


def test_a_message_said_to_the_house_arrives_as_a_mail_that_speaks(tmp_path: Path) -> None:
    if not (models_dir() / VOSK).exists():
        pytest.skip("the recognition model is not fetched: xiaoban fetch")
    folder = Path(__file__).parent
    words = list(wav_frames(folder / "clips" / "family" / "message_son.opus"))
    feed: queue.SimpleQueue[list[bytes]] = queue.SimpleQueue()

    def microphone(_: Callable[[Event], None]) -> Iterable[bytes]:
        return _fed(feed)

    def asks(_: Event, actions: list[Action]) -> bool:
        return any(isinstance(action, Ask) for action in actions)

    with mail("ok") as peer:
        family = _family(tmp_path, MAIL.format(peer.port))
        living = Living(family, tmp_path / "data", VirtualClock(NOW), microphone, Instant)
        try:
            feed.put([*QUIET[:20], *wav_frames(folder / "hearing" / "wake.flac"), *QUIET])
            living.until(lambda event, actions: Listen() in actions and isinstance(event, Pressed))
            feed.put([*words, *QUIET])
            heard, _ = living.until(lambda event, actions: isinstance(event, Heard) and asks(event, actions))
            living.house.post(Heard((Hypothesis("对"),)))
            living.until(asks)
            living.house.post(Heard((Hypothesis("好"),)))
            living.until(lambda event, actions: isinstance(event, Delivered) and event.recording)
        finally:
            feed.put([])
            living.stop()
    voice = next(part for part in parts(peer.got[0]["body"]) if part.get_content_type() == "audio/mpeg")
    wave, rate = soundfile.read(io.BytesIO(voice.get_payload(decode=True)), dtype="int16")  # type: ignore[arg-type]
    assert (isinstance(heard, Heard) and heard.sound != "", rate, list((tmp_path / "data" / RECORDINGS).iterdir())) == (True, 16_000, [])
    assert _same(np.frombuffer(b"".join(words), "<i2"), wave) > 0.95


def _same(one: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    """How much of one sound is the other, wherever in it: their greatest correlation, 1 for copies."""
    size = len(one) + len(other)
    first, second = (np.fft.rfft(wave.astype(np.float64), size) for wave in (one, other))
    power = np.sqrt(np.sum(one.astype(np.float64) ** 2) * np.sum(other.astype(np.float64) ** 2))
    return float(np.fft.irfft(first * np.conj(second), size).max() / power)


def _fed(feed: queue.SimpleQueue[list[bytes]]) -> Iterator[bytes]:
    """A microphone that hears what the test says, when it says it; an empty list closes it."""
    while frames := feed.get(timeout=PATIENCE):
        yield from frames

