"""From sound to hypotheses: frames of any clip, the gate, both decoders, the grammar, the spotter, the ear."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from assistant import furnish
from assistant.errors import BadAudio, ModelMissing
from assistant.listen import gate as gates
from assistant.listen.ear import Around, Ear, hear
from assistant.listen.frames import FRAME_BYTES, FRAME_SAMPLES, RATE, loudness, pcm_frames, wav_frames
from assistant.listen.grammar import Missing, build, cut, homophone, missing_words
from assistant.listen.recognizer import NAME, Decoders, Model, Reading, Worker, hypotheses, with_beam
from assistant.listen.spotter import Spotter, alike
from assistant.listen.talk import of_a_home, sentences
from assistant.messages import Heard, Pressed
from assistant.places import models_dir

CLIPS = Path(__file__).parent / "hearing"
CORPUS = Path(__file__).parent.parent / "tools" / "corpus"
SAID = ("我吃过药了", "吃了吃了刚吃完", "二甲双胍我吃过了", "现在几点了", "我想约个保洁明天下午三点", "我摔倒了起不来了", "救命救命啊")
DISTRESS = ("救命", "救命啊", "来人啊", "我摔倒了", "起不来了", "快叫救护车", "着火了")
QUIET = [b"\0" * FRAME_BYTES] * 80


@pytest.fixture(scope="module")
def model() -> Model:
    path = models_dir() / NAME
    if not path.exists():
        pytest.skip("the recognition model is not fetched: xiaoban fetch")
    return Model(path)


@pytest.fixture(scope="module")
def decoders(model: Model) -> Iterator[Decoders]:
    with Decoders(model, build(SAID, model.knows).phrases) as both:
        yield both


def clip(name: str) -> list[bytes]:
    return list(wav_frames(CLIPS / f"{name}.flac"))


def noise(seconds: float, level: float = 1000.0) -> list[bytes]:
    sound = np.random.default_rng(7).normal(0, level, round(seconds * RATE))
    return list(pcm_frames([np.clip(sound, -32768, 32767).astype("<i2").tobytes()]))


def tone(rate: int, channels: int, seconds: float = 0.5) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)
    return np.repeat(wave[:, None], channels, axis=1)


# --- frames -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize(("suffix", "subtype", "channels"), [
    ("wav", "PCM_U8", 1), ("wav", "PCM_24", 2), ("wav", "FLOAT", 6), ("flac", "PCM_16", 2),
])
def test_any_clip_becomes_frames_of_one_shape_and_length(
    tmp_path: Path, rate: int, suffix: str, subtype: str, channels: int
) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, tone(rate, channels), rate, subtype=subtype)
    frames = list(wav_frames(path))
    assert ({len(frame) for frame in frames}, abs(len(frames) * FRAME_SAMPLES - 8_000) <= 2 * FRAME_SAMPLES,
            abs(loudness(frames[5]) - -9.0) < 0.5) == ({FRAME_BYTES}, True, True)


def test_opus_is_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.ogg", tone(48_000, 1), 48_000, format="OGG", subtype="OPUS")
    assert abs(len(list(wav_frames(tmp_path / "a.ogg"))) * FRAME_SAMPLES - 8_000) <= 2 * FRAME_SAMPLES


def test_channels_in_opposite_phase_do_not_cancel_out(tmp_path: Path) -> None:
    sound = tone(16_000, 2) * np.array([1.0, -1.0])
    soundfile.write(tmp_path / "a.wav", sound, 16_000)
    assert loudness(list(wav_frames(tmp_path / "a.wav"))[5]) > -10


def test_floats_on_the_scale_of_integers_are_brought_back(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(16_000, 1) * 32_767, 16_000, subtype="FLOAT")
    assert abs(loudness(list(wav_frames(tmp_path / "a.wav"))[5]) - -3.0) < 0.5


def _wav(samples: np.ndarray, rate: int = 16_000) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="WAV", subtype="FLOAT")
    return out.getvalue()


@pytest.mark.parametrize(("content", "says"), [
    (b"", "空的"),
    (b"this is a letter, not a sound" * 50, "读不懂"),
    (_wav(np.zeros(0)), "零个采样"),
    (_wav(np.array([0.1, np.nan, 0.1])), "NaN"),
    (_wav(np.array([0.1, np.inf, 0.1])), "NaN"),
    (_wav(np.zeros(16_000))[:20], "读不懂"),
])
def test_what_is_no_sound_is_refused_with_a_reason(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(BadAudio, match=says):
        wav_frames(tmp_path / "a.wav")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path, says in ((tmp_path / "no.wav", "找不到"), (tmp_path, "不是一个文件")):
        with pytest.raises(BadAudio, match=says):
            wav_frames(path)


def test_two_hours_are_refused_at_once(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "a.flac", "w", 8_000, 1, "PCM_16") as sound:
        for _ in range(120):
            sound.write(np.zeros(8_000 * 60))
    with pytest.raises(BadAudio, match="120 分钟"):
        wav_frames(tmp_path / "a.flac")


# --- gate ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sound", [QUIET, noise(3), noise(3, 8_000), [b"\xff\x7f\x00\x80" * 256] * 90])
def test_silence_and_noise_pass_nothing(sound: list[bytes]) -> None:
    assert list(gates.gate(sound)) == []


def test_a_pause_inside_a_sentence_ends_it_or_not_as_the_words_say() -> None:
    frames = clip("taken") + QUIET[:12] + clip("taken") + QUIET
    ends = {
        verdict: sum(isinstance(piece, gates.Ended) for piece in gates.gate(frames, finished=lambda v=verdict: v))
        for verdict in (True, None, False)
    }
    assert ends == {True: 2, None: 2, False: 1}


def test_a_complete_sentence_is_over_sooner_than_an_open_one() -> None:
    def silence(verdict: bool | None) -> float:
        pieces = gates.gate(clip("taken") + QUIET, finished=lambda: verdict)
        return round(next(piece.silence for piece in pieces if isinstance(piece, gates.Ended)), 1)

    assert (silence(True), silence(None), silence(False)) == (0.5, 0.7, 1.8)


def test_talk_without_a_pause_is_cut() -> None:
    endless = [frame for _ in range(4) for frame in clip("taken")[12:-12]]
    pieces = [p for p in gates.gate(endless, gates.Rules(longest=2.0)) if isinstance(p, gates.Ended)]
    assert pieces[0].cut


@pytest.mark.parametrize(("text", "finished"), [
    ("我吃过药了", True), ("救命", True), ("是的", True), ("没有", True),
    ("我想约个", False), ("药那个", False), ("明天", False), ("缬沙坦", False), ("给我女儿打视频", None), ("", None),
])
def test_open_sentences_are_told_from_complete_ones(text: str, finished: bool | None) -> None:
    assert gates.sentence_finished(text) is finished


# --- grammar ------------------------------------------------------------------------------------------------------

VOCABULARY = {"二甲", "双", "胍", "我", "吃", "过", "了", "来了", "来", "鞋", "沙", "坦", "小", "伴", "ok"}


def test_phrases_are_cut_into_the_fewest_known_words() -> None:
    assert cut("二甲双胍，我来了！", VOCABULARY.__contains__) == (("二甲", "双", "胍", "我", "来了"), ())


def test_a_character_the_model_lacks_is_heard_as_one_that_sounds_alike() -> None:
    grammar = build(["缬沙坦", "缬沙坦 ", "小伴"], VOCABULARY.__contains__)
    assert (grammar.phrases, grammar.missing) == (
        ("鞋 沙 坦", "小 伴"), (Missing("缬沙坦", "缬", "鞋沙坦"),))


def test_what_cannot_be_heard_leaves_no_hole_in_a_phrase() -> None:
    grammar = build(["吃3片", "我吃过WIFI了", "我吃过OK了"], VOCABULARY.__contains__)
    assert (grammar.phrases, [one.char for one in grammar.missing]) == (("我 吃 过 ok 了",), ["3", "片", "wifi"])


def test_a_grammar_has_a_largest_size_and_tells_what_it_left_out() -> None:
    grammar = build(["我来", "我吃", "我来", "我过"], VOCABULARY.__contains__, largest=2)
    assert (grammar.phrases, grammar.left_out) == (("我 来", "我 吃"), 1)


def test_nothing_sounds_like_what_is_no_character() -> None:
    assert homophone("", VOCABULARY.__contains__) == ""


def test_the_real_vocabulary_lacks_what_we_say_it_lacks(model: Model) -> None:
    assert [one.char for one in missing_words(["缬沙坦", "二甲双胍", "小伴", "刘敏"], model.knows)] == ["缬"]


# --- decoders -----------------------------------------------------------------------------------------------------


def test_a_missing_model_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="xiaoban fetch"):
        Model(tmp_path)


@pytest.mark.usefixtures("model")
def test_a_truncated_model_is_not_loaded(tmp_path: Path) -> None:
    whole = models_dir() / NAME
    for file in whole.rglob("*"):
        if file.is_file():
            copy = tmp_path / file.relative_to(whole)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(file.resolve())
    graph = tmp_path / "graph" / "HCLr.fst"
    graph.unlink()
    graph.write_bytes((whole / "graph" / "HCLr.fst").read_bytes()[:1_000_000])
    with pytest.raises(ModelMissing, match=r"HCLr\.fst 不完整"):
        Model(tmp_path)


@pytest.mark.usefixtures("model")
def test_the_search_is_narrower_and_the_models_own_files_are_left_alone() -> None:
    theirs = (models_dir() / NAME / "conf" / "model.conf").read_text("utf-8").splitlines()
    with with_beam(models_dir() / NAME, 10.0) as folder:
        ours = (folder / "conf" / "model.conf").read_text("utf-8").splitlines()
        assert sorted(ours) == sorted([*(line for line in theirs if not line.startswith("--beam=")), "--beam=10.0"])
        assert (folder / "graph" / "Gr.fst").samefile(models_dir() / NAME / "graph" / "Gr.fst")
    assert not folder.exists()
    assert (models_dir() / NAME / "conf" / "model.conf").read_text("utf-8").splitlines() == theirs


def test_without_room_for_its_settings_the_model_is_loaded_all_the_same(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "full"))
    assert Model(models_dir() / NAME).knows("吃药") == model.knows("吃药")


def test_both_decoders_hear_the_same_clip(decoders: Decoders, model: Model) -> None:
    decoders.hold_to("command", build(SAID, model.knows).phrases)
    [heard] = hear(clip("metformin"), decoders)
    best = {one.source: one for one in reversed(heard.hypotheses)}
    assert (best["grammar"].text, best["grammar"].whole, best["grammar"].score > 0.5, best["free"].text != "") == (
        "二甲双胍我吃过了", True, True, True)


def test_a_grammar_that_does_not_fit_scores_next_to_nothing(decoders: Decoders, model: Model) -> None:
    decoders.hold_to("distress", build(DISTRESS, model.knows).phrases)
    [heard] = hear(clip("appointment"), decoders)
    assert [one for one in heard.hypotheses if one.source == "grammar" and one.score > 0.05] == []


def test_a_decoder_forgets_the_last_utterance_and_changes_its_grammar_between_two(
    decoders: Decoders, model: Model
) -> None:
    def texts(name: str, sentences: tuple[str, ...]) -> list[str]:
        decoders.hold_to(name, build(sentences, model.knows).phrases)
        return [next((h.text for h in heard.hypotheses if h.source == "grammar" and h.score > 0.05), "")
                for heard in hear(clip("taken"), decoders)]

    assert (texts("command", SAID), texts("time", ("现在几点了",)), texts("command", SAID)) == (
        ["吃了吃了刚吃完"], [""], ["吃了吃了刚吃完"])


def test_without_a_grammar_only_the_free_decoder_answers(decoders: Decoders) -> None:
    decoders.hold_to("none", ())
    [heard] = hear(clip("fallen"), decoders)
    assert {one.source for one in heard.hypotheses} == {"free"}


@pytest.mark.parametrize("sound", [QUIET, noise(4)])
def test_a_clip_without_a_voice_gives_no_hypotheses(decoders: Decoders, sound: list[bytes]) -> None:
    assert list(hear(sound, decoders, clip="a")) == [Heard((), True, 0.0, "a")]


def test_a_clip_with_a_pause_is_one_utterance(decoders: Decoders, model: Model) -> None:
    decoders.hold_to("command", build(SAID, model.knows).phrases)
    heard = list(hear(clip("taken") + QUIET + clip("metformin"), decoders))
    held = next(one.text for one in heard[0].hypotheses if one.source == "grammar")
    assert (len(heard), held) == (1, "吃了吃了刚吃完二甲双胍我吃过了")


# --- talk of a home ----------------------------------------------------------------------------------------------


def test_talk_of_a_home_is_heard_from_the_next_utterance_on(model: Model) -> None:
    frames = clip("wake")
    with Decoders(model) as both_ways:
        for frame in frames[: len(frames) // 2]:
            both_ways.accept(frame)
        both_ways.expect(lambda: ["小 伴 小 伴"])  # in the middle of an utterance: the next
        for frame in frames[len(frames) // 2 :]:
            both_ways.accept(frame)
        before = {one.text for one in both_ways.finish()}
        [heard] = hear(frames, both_ways)
    after = {one.text for one in heard.hypotheses}
    assert (any("小伴小伴" in text for text in before), any("小伴小伴" in text for text in after)) == (False, True)


def test_the_free_decoder_rests_and_hears_afterwards_what_it_missed(model: Model) -> None:
    frames, other = clip("fallen"), clip("wake")
    with Decoders(model, talk=lambda: ["小 伴 小 伴"]) as decoders:
        decoders.hold_to("command", build(SAID, model.knows).phrases, freely=False)
        [heard] = hear(frames, decoders)
        again = decoders.again()
        decoders.hold_to("spot", build(["小伴小伴"], model.knows).phrases)
        list(hear(other, decoders))  # the second look at a wake word, in between
        later = again(b"".join(frames))
        decoders.hold_to("command", build(SAID, model.knows).phrases)
        [whole] = hear(frames, decoders)
    without, late, wanted = ({one.text for one in found if one.source == "free"} for found in (heard.hypotheses, later, whole.hypotheses))
    assert not any("摔" in text for text in without)
    assert any("摔" in text for text in late) and late & wanted


def test_without_talk_of_a_home_the_free_decoder_never_rests(model: Model) -> None:
    with Decoders(model) as decoders:
        decoders.hold_to("command", build(SAID, model.knows).phrases, freely=False)
        [heard] = hear(clip("fallen"), decoders)
    assert any("摔" in one.text for one in heard.hypotheses if one.source == "free")


def test_what_both_free_decoders_write_is_put_on_one_scale() -> None:
    free = [Reading(("小白", "帮", "我"), 100.0), Reading(("小白", "不", "我"), 99.0)]
    home = [Reading(("小伴", "帮", "我"), 104.0), Reading(("小白", "帮", "我"), 96.0)]
    found = hypotheses(free, (), home)
    assert found[0].text == "小伴帮我"
    assert {one.source for one in found} == {"free"}
    assert len({one.text for one in found}) == len(found) == 3  # what both wrote counts once, with the belief of both
    assert sum(one.score for one in found) == pytest.approx(1.0, abs=0.001)


def test_neither_language_shuts_the_other_out() -> None:
    far = hypotheses([Reading(("国务院", "发言人"), 100.0)], (), [Reading(("锅", "无", "缘"), 80.0)])
    assert [one.text for one in far] == ["国务院发言人", "锅无缘"]
    assert far[1].score > 0.005


def test_talk_is_written_in_words_the_model_knows(model: Model) -> None:
    lines = sentences()
    assert len(lines) > 50_000
    assert {word for line in lines for word in line.split() if not model.knows(word)} == set()


def test_talk_is_the_corpus(model: Model) -> None:
    written = set(sentences())
    corpus = sorted({line.strip() for path in CORPUS.glob("*.txt") for line in path.read_text("utf-8").splitlines() if line.strip()})
    sampled = [" ".join(cut(line, model.knows)[0]) for line in corpus[:: len(corpus) // 300]]
    assert {line for line in sampled if line} - written == set(), "the corpus changed: make learn"


def test_a_home_has_its_own_commands_and_is_called_by_its_own_name() -> None:
    said = of_a_home(("给 翠花 打电话",), ("小 福",))
    assert ("给 翠花 打电话" in said, "小 福" in said, "小 福 给 翠花 打电话" in said) == (True, True, True)
    assert 0.01 < sum(line.startswith("小 福 ") for line in said) / len(said) < 0.05


def test_unknown_words_are_dropped_but_remembered() -> None:
    found = hypotheses((), (Reading(("救命", "[unk]"), 5.0), Reading(("[unk]",), 1.0)))
    assert [(one.text, one.whole) for one in found] == [("救命", False)]


# --- spotter and ear ----------------------------------------------------------------------------------------------


@pytest.fixture
def spotter(model: Model, decoders: Decoders) -> Spotter:
    return Spotter(model, ("小伴小伴",), DISTRESS, decoders)


@pytest.mark.parametrize(("name", "spotted"), [
    ("wake", [("wake", "小伴小伴")]), ("wake_time", [("wake", "小伴小伴")]),
    ("help_twice", [("distress", "救命救命啊")]), ("fallen", [("distress", "我摔倒了起不来了")]),
    ("taken", []), ("appointment", []), ("open_booking", []),
])
def test_the_spotter_finds_what_is_meant_for_it_and_nothing_else(
    spotter: Spotter, name: str, spotted: list[tuple[str, str]]
) -> None:
    assert [(one.kind, one.text) for one in spotter.spot(clip(name))] == spotted


def test_a_wake_word_is_found_in_talk_that_never_pauses(spotter: Spotter) -> None:
    talk = [frame for _ in range(5) for frame in clip("appointment")[10:-14]]
    found = spotter.spot([*talk, *clip("wake")[10:], *QUIET], gates.Rules(longest=4.0, patience=0.5, complete=0.5))
    assert [one.kind for one in found] == ["wake"]


def test_likeness_is_in_sound_and_anywhere() -> None:
    assert (alike("救命", "他的认命书"), alike("小伴小伴", "一小班小曼现在"), alike("胸口疼", "忠诚") < 0.4) == (0.5, 0.875, True)


def post_all(model: Model, decoders: Decoders, spotter: Spotter, frames: list[bytes], **start: str) -> list[object]:
    posted: list[Heard | Pressed] = []
    ear = Ear(frames, decoders, spotter, {"command": build(SAID, model.knows).phrases}, posted.append)
    if "asking" in start:
        ear.open(start["asking"], 5.0)
    if "muted" in start:
        ear.mute()
    ear.listen()
    return [
        one if isinstance(one, Pressed)
        else (next((h.text for h in one.hypotheses if h.source == "grammar"), ""), one.woken)
        for one in posted
    ]


def test_the_ear_takes_commands_after_the_wake_word_and_cries_without(
    model: Model, decoders: Decoders, spotter: Spotter
) -> None:
    day = [*clip("taken"), *QUIET, *clip("wake"), *QUIET, *clip("wake_time"), *QUIET, *clip("fallen"), *QUIET]
    assert post_all(model, decoders, spotter, day) == [
        Pressed("wake"), ("现在几点了", True), ("我摔倒了起不来了", False)]


def test_how_much_is_talked_around_counts_two_minutes_and_forgets() -> None:
    around = Around()
    for begin in range(0, 100, 10):
        around.add(float(begin), 8.0)
    assert [round(around.share(now), 2) for now in (0.0, 60.0, 100.0, 160.0, 400.0)] == [0.0, 0.4, 0.67, 0.4, 0.0]


def test_a_cry_says_how_much_was_talked_around_it(model: Model, decoders: Decoders, spotter: Spotter) -> None:
    posted: list[Heard | Pressed] = []
    day = [*clip("fallen"), *QUIET, *(frame for _ in range(20) for frame in (*clip("appointment"), *QUIET)), *clip("fallen"), *QUIET]
    Ear(day, decoders, spotter, {"command": build(SAID, model.knows).phrases}, posted.append).listen()
    first, *_, last = (one for one in posted if isinstance(one, Heard))
    assert (first.around, last.around > 0.2) == (0.0, True)


def held_in(model: Model, decoders: Decoders, spotter: Spotter, frames: list[bytes], asking: str = "") -> tuple[list[float], list[tuple[str, bool]]]:
    """(seconds of each sound that was held, key and promptedness of each utterance)."""
    held: list[float] = []
    posted: list[Heard | Pressed] = []

    def hold(sound: bytes) -> str:
        held.append(len(sound) / 2 / 16_000)
        return f"s{len(held)}"

    ear = Ear(frames, decoders, spotter, {"command": build(SAID, model.knows).phrases}, posted.append, lambda found: True, hold)
    if asking:
        ear.open(asking, 5.0)
    ear.listen()
    return held, [(one.sound, one.prompted) for one in posted if isinstance(one, Heard)]


@pytest.mark.parametrize(("looks", "heard"), [((True, True), [False]), ((True, False), [True]), ((False, False), [])])
def test_what_the_second_look_denies_is_posted_as_such(
    model: Model, decoders: Decoders, spotter: Spotter, looks: tuple[bool, bool], heard: list[bool]
) -> None:
    looking = iter(looks)
    posted: list[Heard | Pressed] = []
    Ear([*clip("appointment"), *QUIET], decoders, spotter, {"command": build(SAID, model.knows).phrases}, posted.append, lambda found: next(looking)).listen()
    assert [one.denied for one in posted if isinstance(one, Heard)] == heard


def test_the_sound_of_what_is_said_to_us_can_be_held_and_of_nothing_else(model: Model, decoders: Decoders, spotter: Spotter) -> None:
    day = [*clip("taken"), *QUIET, *clip("fallen"), *QUIET, *clip("wake_time"), *QUIET]
    held, heard = held_in(model, decoders, spotter, day)
    assert (len(held), 0.3 < held[0] < 6.0, heard) == (1, True, [("", False), ("", False), ("s1", False)])


@pytest.mark.parametrize(("asking", "heard"), [("text", [("s1", True)]), ("talk", [("", True)])])
def test_an_answer_can_be_held_and_a_telephone_call_never(
    model: Model, decoders: Decoders, spotter: Spotter, asking: str, heard: list[tuple[str, bool]]
) -> None:
    assert held_in(model, decoders, spotter, [*clip("taken"), *QUIET], asking)[1] == heard


def test_an_open_window_needs_no_wake_word_and_closes_by_itself(
    model: Model, decoders: Decoders, spotter: Spotter
) -> None:
    frames = [*clip("taken"), *QUIET, *QUIET, *QUIET, *clip("taken"), *QUIET]
    assert post_all(model, decoders, spotter, frames, asking="dose") == [("吃了吃了刚吃完", True)]


def test_while_we_speak_only_a_cry_for_help_counts(model: Model, decoders: Decoders, spotter: Spotter) -> None:
    frames = [*clip("wake"), *QUIET, *clip("taken"), *QUIET, *clip("help_twice"), *QUIET]
    assert post_all(model, decoders, spotter, frames, asking="dose", muted="yes") == [("救命救命啊", False)]


@pytest.fixture(scope="module")
def blank_graph(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Path:
    """A models' folder whose graph has the right size and a blank page."""
    folder = tmp_path_factory.mktemp("models")
    for file in (models_dir() / NAME).rglob("*"):
        if file.is_file():
            copy = folder / NAME / file.relative_to(models_dir() / NAME)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(file.resolve())
    graph = folder / NAME / "graph" / "HCLr.fst"
    content = graph.read_bytes()
    graph.unlink()
    graph.write_bytes(content[:64] + bytes(4096) + content[4160:])
    return folder


def test_a_model_whose_graph_turns_out_blank_says_how_to_get_another(blank_graph: Path) -> None:
    broken = Model(blank_graph / NAME)
    with pytest.raises(ModelMissing, match="xiaoban fetch"):
        broken.free()  # with a grammar Vosk ends the process


def test_a_graph_of_the_right_size_and_another_content_is_refused_before_it_is_loaded(blank_graph: Path) -> None:
    with pytest.raises(ModelMissing, match=r"HCLr\.fst 缺失或损坏"):
        furnish.model(blank_graph)


class Failing:
    """A decoder that breaks."""

    def accept(self, frame: bytes) -> None:
        raise ValueError("broken")

    def finish(self) -> tuple[Reading, ...]:
        raise ValueError("broken")


def test_a_decoder_that_fails_tells_and_leaves_nobody_waiting() -> None:
    told: list[str] = []
    worker = Worker(Failing, "failing", warm=b"\0\0", failed=lambda error: told.append(str(error)))  # type: ignore[arg-type]
    wish = worker.finish()
    with pytest.raises(ValueError, match="broken"):
        wish.wait()
    worker.close()
    assert told[:1] == ["broken"]
