"""Numbers as they are spoken, and the pairs of a blood-pressure reading."""

from __future__ import annotations

import pytest

from assistant.understand import numbers


@pytest.mark.parametrize(("text", "value"), [
    ("一百四十", 140), ("一百四", 140), ("一百二", 120), ("两百五", 250), ("一百零五", 105), ("一百一十八", 118), ("百二", 120),
    ("一千二", 1200), ("一万二", 12000), ("十", 10), ("十五", 15), ("二十", 20), ("七十八", 78), ("廿三", 23), ("两", 2), ("俩", 2),
    ("仨", 3), ("半", 0.5), ("一个半", 1.5), ("一片半", 1.5), ("六斤半", 6.5), ("一四零", 140), ("幺二零", 120), ("一三零", 130),
    ("六点三", 6.3), ("十一点二", 11.2), ("三十七度二", 37.2), ("三十七度", 37), ("三十七度半", 37.5), ("三十六度八", 36.8),
    ("三十七点二", 37.2), ("零点五", 0.5), ("140", 140), ("6.3", 6.3), ("37度2", 37.2),
])
def test_a_number_in_words_has_its_value(text: str, value: float) -> None:
    assert numbers.number(text) == value


@pytest.mark.parametrize(("text", "value"), [("六点散", 6.3), ("三是七度二", 37.2), ("七是八", 78), ("一百司", 140)])
def test_a_number_is_read_by_sound(text: str, value: float) -> None:
    assert numbers.number(text) == value


@pytest.mark.parametrize("text", ["", "药", "吃了", "三楼", "八8", "十九十", "点", "度", "三个苹果", "一" * 50, "十点十点"])
def test_what_is_no_number_has_no_value(text: str) -> None:
    assert numbers.number(text) is None


@pytest.mark.parametrize(("text", "values"), [
    ("我吃了两片药", [2]), ("新买了两盒和三瓶", [2, 3]), ("体温三十七度二", [37.2]), ("血糖六点三", [6.3]), ("脉搏78", [78]),
    ("一起吃饭", []), ("我一定去", []), ("十分高兴", []), ("万一不行", []), ("吃了半片", [0.5]), ("千万别忘", []), ("他俩来了", [2]),
    ("一片半", [1.5]), ("没有数", []),
])
def test_numbers_are_found_in_sentences(text: str, values: list[float]) -> None:
    assert [span.value for span in numbers.find(text)] == values


def test_a_found_number_knows_its_place() -> None:
    assert numbers.find("体温三十七度二了") == [numbers.NumberSpan(2, 7, 37.2)]


@pytest.mark.parametrize(("text", "pair"), [
    ("一百四九十", (140, 90)), ("一百四十九十", (140, 90)), ("一百四到九十", (140, 90)), ("一百三八十", (130, 80)),
    ("一百三十八十", (130, 80)), ("一百三十八八十", (138, 80)), ("一百二十八九十", (128, 90)), ("一百三十五八十五", (135, 85)),
    ("一百零五六十", (105, 60)), ("一百五一百", (150, 100)), ("一百一十八十", (110, 80)), ("九十六十", (90, 60)),
    ("一百六九十五", (160, 95)), ("一四零九零", (140, 90)), ("幺三零八零", (130, 80)), ("一三五八五", (135, 85)),
    ("14090", (140, 90)), ("130/80", (130, 80)), ("130／80", (130, 80)), ("130 80", (130, 80)), ("一百三，八十五", (130, 85)),
    ("高压一百四低压九十", (140, 90)), ("高压一百五十，低压是九十五", (150, 95)), ("低压八十高压一百二", (120, 80)),
    ("上压一百三下压七十", (130, 70)), ("收缩压一百四十舒张压八十八", (140, 88)), ("血压一百四九十", (140, 90)),
    ("今天血压量了一百三十五到八十", (135, 80)), ("血压医百四九是", (140, 90)), ("一百四比九十", (140, 90)),
])
def test_a_blood_pressure_is_two_numbers(text: str, pair: tuple[int, int]) -> None:
    assert numbers.blood_pressure(text) == pair


@pytest.mark.parametrize("text", [
    "", "血压一百四", "高压一百四", "一百二十平", "我九十岁了", "九十一百四", "三百九十", "一百四三", "电话幺三八零零幺三八零零零", "十三五八",
    "早上八点十分", "吃两片药", "一百四一百三十五",
])
def test_what_is_no_blood_pressure_gives_none(text: str) -> None:
    assert numbers.blood_pressure(text) is None


@pytest.mark.parametrize("text", ["一" * 10000, "一百四" * 3000, "1" * 10000, "高压" * 5000, "一到" * 5000, "\x00\ud800"])
def test_junk_breaks_nothing(text: str) -> None:
    numbers.find(text)
    assert numbers.number(text) is None
