"""The ear: what accents fold, and what nothing may fold."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pypinyin
import pytest

from assistant.understand.sound import Ear, accents, forbidden_words, numbered, parts, readings, simplified, syllables

PROFILES = accents()


def like(ear: Ear, one: str, other: str) -> float:
    """Weighted edits between two words."""
    return ear.edit(syllables(one), syllables(other))


def test_a_character_is_one_syllable_and_everything_else_is_dropped() -> None:
    assert syllables("吃yao了 3！") == ("chi", "le")


def test_a_character_has_the_readings_of_the_table_they_were_made_from() -> None:
    style = pypinyin.Style.TONE3
    chars = [chr(code) for code in (0x3007, *range(0x3400, 0x4DC0, 7), *range(0x4E00, 0xA000), 0x2003E)]
    theirs = {char: pypinyin.pinyin(char, style=style, heteronym=True, errors="ignore", neutral_tone_with_five=True) for char in chars}
    assert {char: readings(char) for char in chars} == {char: tuple(found[0]) if found else () for char, found in theirs.items()}


def test_a_phrase_read_otherwise_than_its_characters_is_read_as_the_table_says() -> None:
    listed = json.loads(Path(pypinyin.__file__).with_name("phrases_dict.json").read_text(encoding="utf-8"))
    certain = {phrase: pypinyin.lazy_pinyin(phrase) for phrase, ways in sorted(listed.items())[::5] if all(len(way) == 1 for way in ways)}
    otherwise = {phrase: sounds for phrase, sounds in certain.items() if sounds != [readings(char)[0].rstrip("12345") for char in phrase]}
    assert len(otherwise) > 500
    assert {phrase: syllables(phrase) for phrase in otherwise} == {phrase: tuple(sounds) for phrase, sounds in otherwise.items()}


@pytest.mark.parametrize(("syllable", "expected"), [
    ("shuang", ("sh", "uang")), ("wo", ("", "uo")), ("zi", ("z", "-i")), ("yu", ("", "v")), ("quan", ("q", "van")),
    ("nv", ("n", "v")), ("ji", ("j", "i")), ("you", ("", "iu")),
])
def test_a_syllable_has_an_initial_and_a_final(syllable: str, expected: tuple[str, str]) -> None:
    assert parts(syllable) == expected


@pytest.mark.parametrize(("accent", "one", "other"), [
    ("四川", "ni", "li"), ("四川", "zhi", "zi"), ("四川", "xin", "xing"), ("湖南", "fu", "hu"), ("湖南", "nan", "lan"),
    ("广东", "shi", "xi"), ("广东", "zhi", "ji"), ("东北", "re", "ye"), ("东北", "shui", "sui"), ("江浙", "fan", "fang"),
    ("江浙", "en", "eng"), ("", "zhao", "zao"), ("", "lan", "lang"),
])
def test_an_accent_brings_its_pairs_near(accent: str, one: str, other: str) -> None:
    assert Ear(accent).distance(one, other) <= 0.2


def test_standard_speech_keeps_apart_what_an_accent_folds() -> None:
    plain, sichuan = Ear("无"), Ear("四川")
    assert [ear.distance("nan", "lan") > 0.25 for ear in (plain, sichuan)] == [True, False]


@pytest.mark.parametrize("accent", PROFILES)
@pytest.mark.parametrize(("one", "other"), forbidden_words())
def test_opposites_are_never_near_in_any_accent(accent: str, one: str, other: str) -> None:
    assert like(Ear(accent), one, other) >= 0.5


@pytest.mark.parametrize("accent", PROFILES)
def test_syllables_that_turn_a_sentence_round_match_only_themselves(accent: str) -> None:
    ear = Ear(accent)
    others = {syllable for pair in ear._syllables for syllable in pair} | set(
        syllables("我他你要有是吃药了叫打好行对在每美妹步部补别憋捏内北未没不甭蹦")
    )
    near = [(polar, other) for polar in ear.polar for other in others if polar != other and ear.distance(polar, other) < 1.0]
    assert near == []


@pytest.mark.parametrize("accent", PROFILES)
def test_four_and_ten_stay_half_a_syllable_apart(accent: str) -> None:
    assert Ear(accent).distance("si", "shi") >= 0.5


@pytest.mark.parametrize("accent", PROFILES)
def test_distance_is_symmetric_and_bounded(accent: str) -> None:
    ear = Ear(accent)
    sounds = syllables("女儿你吃去持双胍声挂摔倒岛链了来呢四十发花热月银行心星")
    assert all(0.0 <= ear.distance(a, b) == ear.distance(b, a) <= 1.0 for a, b in itertools.product(sounds, repeat=2))


@pytest.mark.parametrize(("heard", "said"), [("吃", "持"), ("吃", "次"), ("吃", "去"), ("了", "啦"), ("了", "来"), ("双", "声")])
def test_what_the_recogniser_mixes_up_is_nearer_than_any_other_syllable(heard: str, said: str) -> None:
    ear = Ear()
    assert ear.distance(syllables(heard)[0], syllables(said)[0]) <= 0.4 < ear.distance(syllables(heard)[0], "mao")


def test_an_unknown_accent_folds_mildly_instead_of_failing() -> None:
    assert Ear("火星").distance("zhi", "zi") == Ear("").distance("zhi", "zi")


def test_likeness_tells_the_right_sentence_from_a_forced_one() -> None:
    ear = Ear()
    near = ear.likeness(syllables("降鸭药我吃果了"), syllables("降压药我吃过了"))
    far = ear.likeness(syllables("今天天气怎么样"), syllables("今天下午没药"))
    assert (near > 0.9, far < 0.5) == (True, True)


def test_traditional_characters_become_simplified() -> None:
    assert simplified("提醒我八點鐘吃藥") == "提醒我八点钟吃药"


@pytest.mark.parametrize(
    ("text", "sounds"),
    [
        ("一个月不要忘了", "yi2 ge4 yue4 bu2 yao4 wang4 le5"),
        ("一起，不吃", "yi4 qi3 ， bu4 chi1"),
        ("下午一点，第一个，一百一十", "xia4 wu3 yi1 dian3 ， di4 yi1 ge4 ， yi1 bai3 yi1 shi2"),
        ("王奶奶", "wang2 nai3 nai5"),
        ("银行，行不行", "yin2 hang2 ， xing2 bu4 xing2"),
        ("OK 3", "OK 3"),
    ],
)
def test_tones_change_as_they_are_spoken(text: str, sounds: str) -> None:
    assert numbered(text) == sounds
