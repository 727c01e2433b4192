"""The real voices: Kokoro where its files are here, eSpeak NG where it is installed."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from assistant import places
from assistant.errors import ModelMissing, VoiceError
from assistant.speak.espeak import Espeak
from assistant.speak.kokoro import Frequencies, Kokoro, phonemes
from assistant.speak.workshop import Workshop

FOLDER = places.models_dir() / "kokoro"
here = pytest.mark.skipif(not (FOLDER / "kokoro-v1.0-int8.onnx").exists(), reason="run `xiaoban fetch`")
installed = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="sudo apt install espeak-ng")


@pytest.fixture(scope="module")
def kokoro() -> Kokoro:
    return Kokoro(FOLDER)


@here
def test_kokoro_speaks_at_its_rate_level_and_length(kokoro: Kokoro) -> None:
    speech = kokoro.render("该吃药了，王奶奶。")
    peak = np.abs(speech.samples.astype(int)).max() / 32768
    assert (speech.sample_rate, 1.0 < speech.seconds < 3.0, 0.3 < peak <= 0.9) == (24_000, True, True)


@here
def test_faster_is_shorter(kokoro: Kokoro) -> None:
    assert kokoro.render("该吃药了。", rate=1.3).seconds < kokoro.render("该吃药了。", rate=0.8).seconds


@here
def test_a_blend_is_a_voice_of_its_own() -> None:
    blend = Kokoro(FOLDER, {"zf_xiaobei": 1, "zm_yunxi": 3}, speed=1.1)
    assert (blend.name, blend.render("好。").seconds > 0.2) == ("kokoro:zf_xiaobei*0.250+zm_yunxi*0.750@1.10", True)


@here
@pytest.mark.parametrize("text", ["", "。。。", "？！", "（）"])
def test_nothing_to_say_is_no_sound(kokoro: Kokoro, text: str) -> None:
    assert kokoro.render(text).seconds == 0


@here
def test_a_sentence_longer_than_the_model_takes_is_cut_at_commas(kokoro: Kokoro) -> None:
    pieces = kokoro._tokens("，".join(["我给您女儿发了消息"] * 40))
    assert (len(pieces) > 3, max(map(len, pieces)) <= 200) == (True, True)


@here
@pytest.mark.parametrize("char", ["女", "绿", "儿", "嗯", "哎", "诶", "囡"])
def test_every_syllable_has_phonemes_the_model_knows(kokoro: Kokoro, char: str) -> None:
    assert kokoro._tokens(char)


@pytest.mark.parametrize(("text", "tones"), [("你好", "↓↓"), ("一粒", "→↘"), ("妈妈", "→→")])
def test_tones_are_the_dictionarys_as_in_the_models_training(text: str, tones: str) -> None:
    """misaki's ZHG2P, which made Kokoro 1.0's training text, writes no tone sandhi: the model has learned it by ear."""
    assert "".join(sign for sign in phonemes(text) if sign in "↗↘→↓") == tones


def test_frequencies_answer_as_the_table_they_were_made_from() -> None:
    table = {"药": 900, "吃药": 70, "吃": 0, "BP": 3, "偂": 47}
    small = Frequencies(table)
    assert ([small.get(word) for word in (*table, "饭")], "吃" in small, "饭" in small, small["吃药"], small.get("饭", 1)) == (
        [900, 70, 0, 3, 47, None], True, False, 70, 1)


@pytest.mark.parametrize("file", ["", "vocab.json"])
def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path, file: str) -> None:
    if file:
        (tmp_path / "kokoro-v1.0-int8.onnx").write_bytes(b"x")
    with pytest.raises(ModelMissing, match="xiaoban fetch"):
        Kokoro(tmp_path)


@here
def test_a_damaged_speaker_is_named_with_what_to_do(tmp_path: Path) -> None:
    for name in ("kokoro-v1.0-int8.onnx", "vocab.json"):
        (tmp_path / name).symlink_to(FOLDER / name)
    (tmp_path / "zf_xiaoxiao.bin").write_bytes(b"half")
    with pytest.raises(ModelMissing, match=r"zf_xiaoxiao.bin 不完整"):
        Kokoro(tmp_path)


@here
def test_the_workshop_speaks_the_same_and_survives_its_child() -> None:
    workshop = Workshop("kokoro:zf_xiaoxiao", "1", FOLDER, "zf_xiaoxiao")
    try:
        first = workshop.render("好的。")
        workshop._child.kill()  # type: ignore[union-attr]
        again = workshop.render("好的。")
    finally:
        workshop.close()
    assert first.samples.tolist() == again.samples.tolist()


def test_a_workshop_without_its_model_says_so(tmp_path: Path) -> None:
    workshop = Workshop("kokoro:x", "1", tmp_path, "x")
    try:
        with pytest.raises(VoiceError, match="xiaoban fetch"):
            workshop.render("好的。")
    finally:
        workshop.close()


@installed
def test_espeak_speaks_every_sentence() -> None:
    one, two = Espeak().render("该吃药了。"), Espeak().render("该吃药了。您现在吃了吗？")
    assert two.seconds > one.seconds + 0.8


@installed
@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no memory file system")
def test_espeak_speaks_where_the_disk_has_no_room_for_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "full"))
    assert Espeak().render("该吃药了。").seconds > 0


@installed
def test_espeak_slower_is_longer() -> None:
    assert Espeak().render("该吃降压药了。", rate=0.7).seconds > 1.2 * Espeak().render("该吃降压药了。").seconds


@installed
def test_espeak_with_a_voice_it_has_not_says_so() -> None:
    with pytest.raises(VoiceError, match="eSpeak failed"):
        Espeak("no-such-voice").render("好。")
