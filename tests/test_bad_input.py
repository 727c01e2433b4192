"""What a family can write wrongly about medicine, one sentence each: refused with its line, or told and asked about."""

from __future__ import annotations

import pytest

from assistant.household import parse
from assistant.household_file import InvalidHousehold

SMALL = '老人: {名字: 王秀珍, 地址: 三号楼}\n家人:\n  - {名字: 刘敏, 电话: "13800000001", 通知: [微信]}\n通知: {微信: "console://a"}\n药:\n'


@pytest.mark.parametrize(("medicine", "told"), [
    ("药名: 甲, 剂量: 一片, 时间: [早上八点, 中午十二点], 间隔: 8小时", "甲：间隔比两次吃药之间的时间还长。请改短间隔，或者改时间。"),
    ('药名: 甲, 剂量: 一片, 时间: "25:00"', "甲：没有 25:00 这个时间。请写 00:00 到 23:59 之间的时间。"),
    ("药名: 甲, 剂量: 一片, 时间: 早上八点, 开始: 2026-12-01, 停药: 2026-11-01", "甲：停药的日子在开始的日子前面。请看看日期是不是写反了。"),
    (f"药名: 甲, 剂量: {'一' * 500}, 时间: 早上八点", "甲的「剂量」：太长了，有 500 个字，最多 100 个字。请写短一点。"),
    ("药名: 甲, 剂量: <b>一片</b>, 时间: 早上八点", "甲的「剂量」：里面有符号 <，念不出来。请去掉这个符号，只写平常的话。"),
    ("药名: 甲, 剂量: 一片, 时间: 早上八点, 说明: 饭后<script>", "甲的「说明」：里面有符号 <，念不出来。请去掉这个符号，只写平常的话。"),
])
def test_a_medicine_that_cannot_be_is_refused_in_one_sentence(medicine: str, told: str) -> None:
    with pytest.raises(InvalidHousehold) as caught:
        parse(f"{SMALL}  - {{{medicine}}}\n")
    assert str(caught.value) == f"家庭文件第 6 行：{told}"


def test_two_medicines_of_one_nickname_are_told_and_both_are_kept() -> None:
    lines = "".join(f"  - {{药名: {name}, 俗称: [降压药], 剂量: 一片, 时间: 早上八点}}\n" for name in "甲乙")
    read = parse(SMALL + lines)
    assert ([one.what for one in read.warnings], [m.name for m in read.household.medicines]) == (
        ["乙和甲都叫「降压药」，小伴每次都要问是哪一个"], ["甲", "乙"]
    )
