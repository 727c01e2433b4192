"""Text to sound: speakable words, levels, cache, player and mouth, with an output that remembers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from assistant import home
from assistant.errors import NoLoudspeaker, VoiceError
from assistant.speak import engines, player, sounds
from assistant.speak.cache import RenderAhead, SpeechCache, rendered, units
from assistant.speak.mouth import Mouth
from assistant.speak.player import NoOutput, Speaker, Track, WavSink
from assistant.speak.speakable import number, sentences, speakable
from assistant.speak.speech import Samples, Speech, level, louder, resample, stretch, trim

RATE = 24_000


def tone(seconds: float, hertz: float = 300.0, peak: float = 0.5, rate: int = RATE) -> Speech:
    at = np.arange(round(seconds * rate)) / rate
    return Speech(np.asarray(np.sin(2 * np.pi * hertz * at) * peak * 32767, dtype=np.int16), rate)


def pitch(speech: Speech) -> float:
    spectrum = np.abs(np.fft.rfft(speech.samples.astype(float)))
    return float(np.argmax(spectrum) * speech.sample_rate / len(speech.samples))


@dataclass
class Hummer:
    """A voice that hums a tenth of a second a character and remembers what it was asked."""

    name: str = "hummer"
    version: str = "1"
    asked: list[str] = field(default_factory=list)
    broken: bool = False
    gate: threading.Event | None = None

    def render(self, text: str, rate: float = 1.0) -> Speech:
        self.asked.append(text)
        if self.gate is not None:
            self.gate.wait(10)
        if self.broken:
            raise VoiceError("broken")
        return tone(0.1 * len(text) / rate)


@dataclass
class Tape:
    """An output that takes sound as fast as it comes, unless told to break or hang."""

    sample_rate: int = 48_000
    heard: list[Samples] = field(default_factory=list)
    aborted: int = 0
    breaks_after: int | None = None
    hold: threading.Event | None = None
    reached: threading.Event = field(default_factory=threading.Event)

    def write(self, samples: Samples) -> None:
        if self.breaks_after is not None and len(self.heard) >= self.breaks_after:
            self.breaks_after = None
            raise OSError("unplugged")
        self.heard.append(samples)
        if self.hold is not None and np.any(samples):
            self.reached.set()
            self.hold.wait(10)

    def drain(self) -> None: ...

    def abort(self) -> None:
        self.aborted += 1

    def close(self) -> None: ...

    @property
    def seconds(self) -> float:
        """Of sound that is not silence at the edges."""
        all_of_it = np.concatenate([np.zeros(1, dtype=np.int16), *self.heard])
        loud = np.flatnonzero(all_of_it)
        return float((loud[-1] - loud[0] + 1) / self.sample_rate) if len(loud) else 0.0


@pytest.fixture
def finished() -> threading.Event:
    return threading.Event()


@pytest.fixture
def speakers() -> Iterator[list[Speaker]]:
    made: list[Speaker] = []
    yield made
    for one in made:
        one.close()


# --- words --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("血压120/80", "血压一百二十，八十"),
        ("08:30吃药", "八点半吃药"),
        ("8:00", "八点"),
        ("2:05到14:15", "两点零五分到十四点一十五分".replace("一十五", "十五")),
        ("每天2次，每次2片", "每天两次，每次两片"),
        ("12片", "十二片"),
        ("3月2日", "三月二日"),
        ("第2次", "第二次"),
        ("3-4片", "三到四片"),
        ("1/2片", "二分之一片"),
        ("37.2℃", "三十七点二度"),
        ("血糖6.3mmol/L", "血糖六点三毫摩尔每升"),
        ("请打120", "请打幺二零"),
        ("打96110问问", "打九六幺幺零问问"),
        ("房子120平", "房子一百二十平"),
        ("电话13800000000", "电话幺三八零零零零零零零零"),
        ("密码锁2580", "密码锁二五八零"),
        ("110毫米汞柱", "一百一十毫米汞柱"),
        ("2026年11月22日15:00", "二零二六年十一月二十二日十五点"),
        ("20:30-21:00", "二十点半到二十一点"),
        ("Wi-Fi断了", "无线网断了"),
        ("做CT", "做西踢"),
        ("走了12,000步", "走了一万二千步"),
        ("85%，3.5kg", "百分之八十五，三点五公斤"),
        ("2026-11-22", "二零二六年十一月二十二号"),
        ("（饭后）“吃”", "饭后吃"),
        ("您吃了吗？", "您吃了吗？"),
    ],
)
def test_figures_become_words(written: str, spoken: str) -> None:
    assert speakable(written) == spoken


def test_speakable_text_stays_as_it_is() -> None:
    once = speakable("08:30血压145/95，吃2片，打120。")
    assert speakable(once) == once


@pytest.mark.parametrize(("value", "words"), [(0, "零"), (10, "十"), (19, "十九"), (110, "一百一十"), (205, "二百零五"), (1010, "一千零一十"), (9999, "九千九百九十九")])
def test_numbers_are_counted_as_people_do(value: int, words: str) -> None:
    assert number(value) == words


def test_a_very_short_sentence_is_spoken_with_the_next() -> None:
    assert sentences("好。我记下了。您还要别的吗？") == ["好。我记下了。", "您还要别的吗？"]


# --- sound --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("peak", [0.01, 0.2, 1.0])
def test_whatever_the_engine_gave_is_equally_loud_and_never_clips(peak: float) -> None:
    rng = np.random.default_rng(1)
    wave = np.asarray(rng.laplace(size=RATE) * np.sin(np.arange(RATE) / 900) ** 2, dtype=np.float32)
    out = level(wave / np.abs(wave).max() * np.float32(peak), RATE).astype(float) / 32768
    frames = np.square(out[: RATE // 1200 * 1200].reshape(-1, 1200)).mean(axis=1)
    spoken = 10 * np.log10(frames[frames > frames.max() / 316].mean())
    assert (np.abs(out).max() <= 10 ** (-1 / 20) + 1e-3, -19 < spoken < -16) == (True, True)


def test_silence_at_both_ends_is_cut_to_a_breath() -> None:
    wave = np.concatenate([np.zeros(RATE), tone(0.5).samples / 32768, np.zeros(RATE)]).astype(np.float32)
    assert len(trim(wave, RATE)) / RATE == pytest.approx(0.58, abs=0.02)


def test_slower_is_longer_at_the_same_pitch() -> None:
    slow = stretch(tone(1.0, 300), 0.8)
    assert (round(slow.seconds, 2), pitch(slow)) == (1.25, pytest.approx(300, abs=4))


def test_another_rate_is_the_same_tone() -> None:
    other = resample(tone(0.5, 440, rate=22_050), 48_000)
    assert (round(other.seconds, 3), pitch(other)) == (0.5, pytest.approx(440, abs=3))


def test_louder_is_louder_and_does_not_clip() -> None:
    up = louder(tone(0.5, peak=0.8), 6).samples
    assert (int(np.abs(up).max()) <= 29205, up.astype(float).std() > tone(0.5, peak=0.8).samples.std()) == (True, True)


@pytest.mark.parametrize("name", sorted(sounds.SOUNDS))
def test_every_sound_can_be_heard_and_begins_and_ends_softly(name: str) -> None:
    made = sounds.SOUNDS[name]().samples
    assert (int(np.abs(made).max()) > 8000, abs(int(made[0])) < 400, abs(int(made[-1])) < 400) == (True, True, True)


# --- cache --------------------------------------------------------------------------------------------------------------


def test_speech_is_rendered_once(tmp_path: Path) -> None:
    voice = Hummer()
    first = rendered(voice, SpeechCache(tmp_path), "您好")
    again = rendered(voice, SpeechCache(tmp_path), "您好")
    assert (voice.asked, again.samples.tolist()) == (["您好"], first.samples.tolist())


@pytest.mark.parametrize("other", [Hummer(name="another"), Hummer(version="2")])
def test_another_voice_or_version_is_another_entry(tmp_path: Path, other: Hummer) -> None:
    cache = SpeechCache(tmp_path)
    rendered(Hummer(), cache, "您好")
    assert cache.get(other, "您好") is None


@pytest.mark.parametrize("damage", [lambda data: data[:-3], lambda data: data[:9], lambda _data: b"", lambda data: data[:-1] + bytes([data[-1] ^ 1])])
def test_a_damaged_entry_is_rendered_again(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    voice, cache = Hummer(), SpeechCache(tmp_path)
    rendered(voice, cache, "您好")
    (path,) = tmp_path.glob("*.speech")
    path.write_bytes(damage(path.read_bytes()))
    rendered(voice, cache, "您好")
    assert (voice.asked, cache.get(voice, "您好") is not None) == (["您好", "您好"], True)


def test_the_cache_stays_within_its_bound(tmp_path: Path) -> None:
    voice, cache = Hummer(), SpeechCache(tmp_path, limit=100_000)
    for count in range(40):
        rendered(voice, cache, f"第{count}句")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 100_000


def test_a_cache_that_cannot_write_still_speaks(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert rendered(Hummer(), SpeechCache(tmp_path / "file" / "speech"), "您好").seconds > 0


def test_what_is_wanted_is_rendered_ahead_by_sentence(tmp_path: Path) -> None:
    voice, cache = Hummer(), SpeechCache(tmp_path)
    ahead = RenderAhead(voice, cache)
    ahead.want(["该吃降压药了，王奶奶。您吃了吗，现在？", "该吃降压药了，王奶奶。"])
    done = ahead.wait(5)
    ahead.close()
    assert (done, sorted(voice.asked)) == (True, sorted(["该吃降压药了，王奶奶。", "您吃了吗，现在？"]))


# --- choice -------------------------------------------------------------------------------------------------------------


def test_every_folder_is_a_voice_of_a_known_engine() -> None:
    cards = engines.voices()
    assert {card.engine for card in cards} == set(engines.ENGINES)
    assert [card.name for card in cards if card.engine == "kokoro"] == ["晓贝", "晓妮", "晓晓", "晓伊", "云健", "云希", "云夏", "云扬"]


def _models(folder: Path) -> Path:
    kokoro = folder / "kokoro"
    kokoro.mkdir()
    for name in ("kokoro-v1.0-int8.onnx", "vocab.json", "zf_xiaoxiao.bin"):
        (kokoro / name).write_bytes(b"x")
    return folder


@pytest.mark.parametrize(
    ("name", "memory", "engine", "because"),
    [
        ("晓晓", 4000, "kokoro", "晓晓"),
        ("xiaoxiao", 4000, "kokoro", "晓晓"),
        ("晓晓", 300, "espeak", "300 MB"),
        ("云扬", 4000, "espeak", "zm_yunyang.bin"),
        ("小明", 4000, "espeak", "小明"),
        ("机器声", 4000, "espeak", "机器声"),
    ],
)
def test_the_choice_says_why(tmp_path: Path, name: str, memory: int, engine: str, because: str) -> None:
    chosen, why = engines.choose(home.Voice(name), _models(tmp_path), memory)
    assert (chosen.name.split(":")[0], because in why) == (engine, True)


# --- player -------------------------------------------------------------------------------------------------------------


def test_what_is_played_is_heard_in_order(speakers: list[Speaker], finished: threading.Event) -> None:
    tape = Tape()
    speakers.append(Speaker(lambda: tape, on_finished=finished.set))
    speakers[0].play(tone(0.3))
    assert finished.wait(5)
    assert (tape.seconds, speakers[0].remaining) == (pytest.approx(0.3, abs=0.01), 0.0)


def test_a_cut_is_heard_within_a_tenth_of_a_second() -> None:
    assert player.BLOCK + player.LATENCY <= 0.1


def test_stop_cuts_what_sounds_and_forgets_what_waits(speakers: list[Speaker], finished: threading.Event) -> None:
    tape = Tape(hold=threading.Event())
    speakers.append(Speaker(lambda: tape, on_finished=finished.set))
    speakers[0].play(tone(5))
    speakers[0].play(tone(5))
    assert tape.reached.wait(5)
    speakers[0].stop()
    tape.hold.set()  # type: ignore[union-attr]
    assert finished.wait(5)
    assert (tape.aborted, tape.seconds <= 2 * player.BLOCK) == (1, True)


def test_urgent_is_heard_at_once_and_louder(speakers: list[Speaker], finished: threading.Event) -> None:
    tape = Tape(hold=threading.Event())
    speakers.append(Speaker(lambda: tape, on_finished=finished.set))
    speakers[0].play(tone(5, peak=0.3))
    assert tape.reached.wait(5)
    speakers[0].play(tone(0.2, peak=0.3), urgent=True)
    tape.hold.set()  # type: ignore[union-attr]
    assert finished.wait(5)
    last = np.abs(np.concatenate(tape.heard[-8:])).max() / 32767
    assert (tape.seconds < 1, last) == (True, pytest.approx(0.6, abs=0.02))


def test_a_device_that_is_unplugged_is_opened_again_and_the_rest_is_heard(
    speakers: list[Speaker], finished: threading.Event
) -> None:
    first, second = Tape(breaks_after=12), Tape()
    tapes = iter([first, second])
    said: list[str] = []
    speakers.append(Speaker(lambda: next(tapes), on_finished=finished.set, on_lost=lambda _why: said.append("lost"),
                            on_found=lambda: said.append("found")))
    speakers[0].play(tone(1.0))
    assert finished.wait(5)
    assert (said, first.seconds + second.seconds) == (["lost", "found"], pytest.approx(1.0, abs=0.03))


def test_a_device_that_hangs_is_replaced(
    speakers: list[Speaker], finished: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player, "STUCK", 0.2)  # the claim is the replacing, not the length of the wait
    hung, good = Tape(hold=threading.Event()), Tape()
    tapes = iter([hung, good])
    speakers.append(Speaker(lambda: next(tapes), on_finished=finished.set))
    speakers[0].play(tone(1.0))
    assert finished.wait(8)
    hung.hold.set()  # type: ignore[union-attr]
    assert (good.seconds > 0.9, speakers[0].problem) == (True, "")


def test_without_a_loudspeaker_it_says_why_and_keeps_time(speakers: list[Speaker], finished: threading.Event) -> None:
    why: list[str] = []

    def none() -> NoOutput:
        raise NoLoudspeaker("找不到喇叭")

    speakers.append(Speaker(none, on_finished=finished.set, on_lost=why.append))
    speakers[0].play(tone(0.1))
    assert finished.wait(5)
    assert (why, speakers[0].problem) == (["找不到喇叭"], "找不到喇叭")


def test_the_siren_sounds_between_sentences_until_it_is_stopped(
    speakers: list[Speaker], finished: threading.Event
) -> None:
    tape = Tape(hold=threading.Event())
    speakers.append(Speaker(lambda: tape, on_finished=finished.set))
    speakers[0].siren(True)
    assert tape.reached.wait(5)
    speakers[0].play(tone(0.2, 1000))
    speakers[0].siren(False)
    tape.hold.set()  # type: ignore[union-attr]
    assert finished.wait(5)
    assert pitch(Speech(np.concatenate(tape.heard[-8:]), 48_000)) == pytest.approx(1000, abs=10)


def test_a_sink_lays_everything_at_its_time(tmp_path: Path) -> None:
    now = [100.0]
    ended: list[float] = []
    sink = WavSink(lambda: now[0], on_finished=lambda: ended.append(now[0]))
    sink.play(tone(1.0))
    sink.play(tone(1.0))
    now[0] = 102.5
    sink.tick()
    now[0] = 105.0
    sink.play(tone(3.0))
    now[0] = 106.0
    sink.stop()
    sink.write(tmp_path / "all.wav")
    assert (sink.played, ended, round(sink.track.seconds, 2)) == (
        [(0.0, 1.0), (1.0, 1.0), (5.0, 3.0)], [102.5, 106.0], 6.0,
    )


def test_a_track_mixes_what_overlaps() -> None:
    track = Track()
    track.add(0.0, tone(1.0, peak=0.2))
    track.add(0.5, tone(1.0, peak=0.2))
    assert round(track.speech().seconds, 2) == 1.5


# --- mouth --------------------------------------------------------------------------------------------------------------


@dataclass
class House:
    """A mouth over a tape."""

    tmp: Path
    voice: Hummer = field(default_factory=Hummer)
    spare: Hummer = field(default_factory=lambda: Hummer(name="spare"))
    tape: Tape = field(default_factory=Tape)
    spoken: list[bool] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    patience: float = 5.0

    def __enter__(self) -> House:
        self.speaker = Speaker(lambda: self.tape)
        self.mouth = Mouth(self.voice, SpeechCache(self.tmp), self.speaker, self.spare, on_spoken=self._told,
                           patience=self.patience)
        return self

    def _told(self, cut: bool) -> None:
        self.spoken.append(cut)
        self.done.set()

    def __exit__(self, *_: object) -> None:
        if self.voice.gate:
            self.voice.gate.set()
        if self.tape.hold:
            self.tape.hold.set()
        self.mouth.close()
        self.speaker.close()


def test_everything_said_is_heard_and_told_once(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        house.mouth.say("早上好，王奶奶。今天天气很好，出太阳。")
        assert house.done.wait(5)
    assert (house.voice.asked, house.spoken) == (["早上好，王奶奶。", "今天天气很好，出太阳。"], [False])


def test_a_failing_voice_gives_way_to_the_spare(tmp_path: Path) -> None:
    with House(tmp_path, voice=Hummer(broken=True)) as house:
        house.mouth.say("该吃药了。")
        assert house.done.wait(5)
    assert (house.spare.asked, house.tape.seconds > 0.3) == (["该吃药了。"], True)


def test_a_slow_voice_gives_way_to_the_spare(tmp_path: Path) -> None:
    with House(tmp_path, voice=Hummer(gate=threading.Event()), patience=0.05) as house:
        house.mouth.say("该吃药了。")
        assert house.done.wait(5)
    assert house.spare.asked == ["该吃药了。"]


def test_when_no_voice_speaks_a_ring_is_heard(tmp_path: Path) -> None:
    with House(tmp_path, voice=Hummer(broken=True), spare=Hummer(name="spare", broken=True)) as house:
        house.mouth.say("该吃药了。")
        assert house.done.wait(5)
    assert house.tape.seconds == pytest.approx(1.0, abs=0.05)


def test_hush_is_told_as_cut(tmp_path: Path) -> None:
    with House(tmp_path, tape=Tape(hold=threading.Event())) as house:
        house.mouth.say("很长的一句话，一直说一直说。")
        assert house.tape.reached.wait(5)
        house.mouth.hush()
        assert house.done.wait(5)
        house.tape.hold.set()  # type: ignore[union-attr]
    assert house.spoken == [True]


def test_urgent_words_replace_what_was_being_said(tmp_path: Path) -> None:
    with House(tmp_path, tape=Tape(hold=threading.Event())) as house:
        house.mouth.say("很长的一句话，一直说一直说。")
        house.mouth.say("还有一句，也很长很长的话。")
        assert house.tape.reached.wait(5)
        house.mouth.say("我在叫人。", urgent=True)
        house.tape.hold.set()  # type: ignore[union-attr]
        assert house.done.wait(5)
    assert (house.spoken, house.tape.seconds < 1.0) == ([False], True)


def test_slower_needs_no_new_rendering(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        house.mouth.say("再说一遍这句话。")
        assert house.done.wait(5)
        usual = house.tape.seconds
        house.done.clear()
        house.tape.heard.clear()
        house.mouth.adjust(slower=1)
        house.mouth.say("再说一遍这句话。")
        assert house.done.wait(5)
    assert (len(house.voice.asked), house.tape.seconds / usual) == (1, pytest.approx(1 / 0.88, abs=0.03))


def test_volume_stays_where_it_can_be_heard(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        house.mouth.adjust(louder=-20)
        low = house.mouth.volume
        house.mouth.adjust(louder=20)
        assert (low, house.mouth.volume) == (player.SOFTEST, 100)


def test_units_are_whole_sentences_in_words() -> None:
    assert units("08:30该吃药了。您现在吃了吗？") == ["八点半该吃药了。", "您现在吃了吗？"]
