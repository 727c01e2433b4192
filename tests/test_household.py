"""The family's file: what it means, what is said about its mistakes, and that a torn one never comes into force."""

from __future__ import annotations

import os
import sys
import threading
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import apprise
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant import household, keeper
from assistant import household_schema as schema
from assistant.check import Line, check, preview, run_check
from assistant.errors import HouseholdError
from assistant.home import Hours, Household, Medicine, authority
from assistant.household import load, parse, read
from assistant.household_file import InvalidHousehold, Mistake, decoded
from assistant.keeper import VALUES, Keeper, Kept, changes
from assistant.notify.channels import CHANNELS, TELEPHONES
from assistant.places import sample_household
from assistant.when import Recurrence

SAMPLE = sample_household().read_text("utf-8")
TABLE = tomllib.loads((Path(__file__).parent / "tables" / "household_mistakes.toml").read_text("utf-8"))
SMALL = '老人: {名字: 王秀珍, 地址: 三号楼}\n家人:\n  - {名字: 刘敏, 电话: "13800000001", 通知: [微信]}\n通知: {微信: "console://a"}\n'


def changed(row: dict[str, str]) -> str:
    """The text of a row of the table."""
    if "text" in row:
        return row["text"]
    assert SAMPLE.count(row["from"]) >= 1, row["from"]
    return SAMPLE.replace(row["from"], row["to"], 1)


def with_medicine(rest: str) -> Medicine:
    return parse(f"{SMALL}药:\n  - {{药名: 某药, {rest}}}\n").household.medicines[0]


# --- what it means ------------------------------------------------------------------------------------------------


def test_the_sample_has_neither_mistakes_nor_oddities() -> None:
    assert read(sample_household()).warnings == ()


def test_times_said_in_words_become_a_recurrence() -> None:
    assert load(sample_household()).medicine("缬沙坦").schedule == Recurrence("day", at=("07:30", "20:00"))


def test_the_sample_means_what_it_says() -> None:
    home = load(sample_household())
    taken = home.medicine("布洛芬")
    assert taken is not None
    cleaning = home.service("保洁")
    assert cleaning is not None
    assert (taken.schedule, taken.max_per_day, taken.min_gap) == (None, 2, timedelta(hours=6))
    assert (cleaning.notice, cleaning.hours[0], len(cleaning.hours)) == (timedelta(days=1), Hours("MO", time(8), time(18)), 6)
    assert [contact.name for contact in home.ladder] == ["刘敏", "刘强", "王建国", "刘小军", "张护士"]
    assert home.reminders[0].schedule == Recurrence("day", at=("09:00",))
    assert (home.care.checkin, home.care.bedtime, home.wake_words) == (time(9, 30), time(21, 30), ("小伴小伴",))


def test_english_keys_mean_the_same() -> None:
    english = (
        'elder: {name: 王秀珍, address: 三号楼}\nfamily:\n  - {name: 刘敏, phone: "13800000001", notify: [微信]}\n'
        'channels: {微信: "console://a"}\n'
    )
    assert parse(english).household == parse(SMALL).household


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("08:30", Recurrence("day", at=("08:30",))),
        ("8:30", Recurrence("day", at=("08:30",))),
        ("早上八点半", Recurrence("day", at=("08:30",))),
        ("[08:30, 晚上八点]", Recurrence("day", at=("08:30", "20:00"))),
        ("早上八点、晚上八点", Recurrence("day", at=("08:00", "20:00"))),
        ("每天早上九点", Recurrence("day", at=("09:00",))),
        ("每天 09:00", Recurrence("day", at=("09:00",))),
        ("每天早晚八点", Recurrence("day", at=("08:00", "20:00"))),
        ("每周一三五早上九点", Recurrence("week", at=("09:00",), days=("MO", "WE", "FR"))),
        ("每周一、周四 20:00", Recurrence("week", at=("20:00",), days=("MO", "TH"))),
        ("早饭后", Recurrence("day", at=("08:00",))),
        ("三餐后", Recurrence("day", at=("08:00", "12:30", "18:30"))),
        ("每两天早上八点, 开始: 2026-11-22", Recurrence("day", at=("08:00",), interval=2, start=date(2026, 11, 22))),
        ("周末上午十点", Recurrence("week", at=("10:00",), days=("SA", "SU"))),
        ("早中晚", Recurrence("day", at=("08:00", "12:00", "20:00"))),
        ("每月一号和十五号早上八点", Recurrence("month", at=("08:00",), days=(1, 15))),
        ("初一十五早上八点", Recurrence("lunar_month", at=("08:00",), days=(1, 15))),
        ("睡前", Recurrence("day", at=("21:30",))),
        ("需要时", None),
    ],
)
def test_a_medicine_is_taken_when_the_family_says(written: str, meant: Recurrence | None) -> None:
    assert with_medicine(f"时间: {written}").schedule == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [("一天", 1440), ("两小时", 120), ("半小时", 30), ("半个小时", 30), ("一个半小时", 90), ("90分钟", 90), ("6小时", 360)],
)
def test_a_length_is_read_as_people_say_it(written: str, meant: int) -> None:
    assert with_medicine(f"时间: 需要时, 间隔: {written}").min_gap == timedelta(minutes=meant)


@pytest.mark.parametrize(
    ("written", "days", "spans"),
    [
        ("周一到周六 08:00-18:00", "MO TU WE TH FR SA", [(8, 18)]),
        ("每天 10:00-19:00", "MO TU WE TH FR SA SU", [(10, 19)]),
        ("08:00-12:00", "MO TU WE TH FR SA SU", [(8, 12)]),
        ("周一三五 8点到12点、14点到18点", "MO WE FR", [(8, 12), (14, 18)]),
        ("工作日 早上八点到晚上六点", "MO TU WE TH FR", [(8, 18)]),
        ("[周六 09:00-12:00, 周日 10:00-12:00]", "SA SU", None),
        ("周五到周一 09：00～12：00", "MO FR SA SU", [(9, 12)]),
        ("周末 9:00-17:00", "SA SU", [(9, 17)]),
    ],
)
def test_opening_hours_are_read_as_people_write_them(written: str, days: str, spans: list[tuple[int, int]] | None) -> None:
    service = parse(f"{SMALL}服务:\n  - {{名字: 保洁, 可约: {written}, 通知: 微信}}\n").household.services[0]
    if spans is None:
        assert service.hours == (Hours("SA", time(9), time(12)), Hours("SU", time(10), time(12)))
    else:
        assert service.hours == tuple(Hours(day, time(a), time(b)) for day in days.split() for a, b in spans)


@pytest.mark.parametrize(("dose", "units"), [("一粒", 1), ("两片", 2), ("半片", 0.5), ("一片半", 1.5), ("5毫升", 5), ("500毫克", 1), ("一次两片", 2), ("10滴", 10),
    ("四分之一片", 0.25), ("1/2片", 0.5), ("零点五片", 0.5), ("2", 2), ("一天一粒", 1), ("20U", 20), ("10ml", 10)])
def test_a_dose_in_words_takes_that_much_of_the_stock(dose: str, units: float) -> None:
    assert with_medicine(f"剂量: {dose}, 时间: 需要时").units == units


@pytest.mark.parametrize("written", ["剂量: 一粒", "剂量: 半片", "剂量: 5毫升", "剂量: 20单位", "剂量: 30滴", "剂量: 一次两片", "剂量: 500毫克", "剂量: 两喷", "剂量: 8丸", "剂量: 两粒, 每次: 2"])
def test_a_dose_as_doctors_write_it_is_nothing_odd(written: str) -> None:
    assert parse(f"{SMALL}药:\n  - {{药名: 某药, 时间: [08:00, 20:00], {written}}}\n").warnings == ()


def test_a_second_dose_is_never_stopped_by_the_usual_gap_when_doses_are_planned_closer() -> None:
    assert with_medicine("时间: [08:00, 11:00, 14:00, 17:00]").min_gap == timedelta(hours=1, minutes=30)


def test_a_telephone_keeps_its_zeros_without_quotes() -> None:
    assert parse(SMALL.replace('"13800000001"', "010-6234 5678")).household.family[0].phone == "01062345678"


@pytest.mark.parametrize(
    ("number", "service"),
    [("120", "120"), ("+86120", "120"), ("0086120", "120"), ("86120", "120"), ("028120", "120"), ("0755-110", "110"), ("+8628120", "120"),
     ("+86 028 119", "119"), ("sip:120@a.example;user=phone", "120"), ("+112", "112"),
     ("13800000120", ""), ("8628120", ""), ("02861200120", ""), ("+8613800000110", ""), ("12349", ""), ("66120", ""), ("sip:liu120@a.example", ""), ("", "")],
)
def test_an_emergency_service_is_known_however_it_is_written_and_no_person_is_taken_for_one(number: str, service: str) -> None:
    assert authority(number) == service


@pytest.mark.parametrize("number", ["12349", "118114", "+8613800000001", "+14155550100", "4001234567", "65432100"])
def test_other_numbers_than_mobile_ones_may_be_shorter_or_longer(number: str) -> None:
    assert parse(SMALL.replace("13800000001", number)).household.family[0].phone == number


@pytest.mark.parametrize("words", ["[小伴小伴, 你好小伴]", "老伙计", "小爱同学"])
def test_a_wake_word_of_three_syllables_and_more_is_free(words: str) -> None:
    assert parse(f"{SMALL}听: {{唤醒词: {words}}}\n").warnings == ()


@pytest.mark.parametrize("voice", ["云健", "机器声", "xiaoyi"])
def test_every_voice_that_ships_with_us_may_be_chosen(voice: str) -> None:
    assert parse(f"{SMALL}说: {{声音: {voice}}}\n").warnings == ()


def test_a_telephone_may_be_an_account_of_the_internet_telephone() -> None:
    assert parse(SMALL.replace("13800000001", "sip:liumin@sip.example.com")).household.family[0].phone == "sip:liumin@sip.example.com"


def test_check_names_an_address_nobody_can_read_and_who_may_get_her_voice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "家庭.yaml").write_text(SMALL.replace("console://a", "mailto://nobody").replace("通知: [微信]", "录音: 是, 通知: [微信]"), "utf-8")
    code = run_check(tmp_path / "家庭.yaml", tmp_path, sys.stdout)
    said = capsys.readouterr().out.splitlines()
    assert (code, [line for line in said if "读不懂" in line or "声音" in line]) == (0, [
        "！ 家庭文件：通知「微信」：地址读不懂，应该像 mailto://账号:授权码@qq.com。",
        "捎话时老人的声音可以发给：刘敏（第一次会先问老人）。其他人只收到字。",
    ])


def test_a_recording_that_no_channel_carries_is_told() -> None:
    loaded = parse(SMALL.replace("通知: [微信]", "录音: 是, 通知: [微信]"))
    assert [one.what for one in loaded.warnings] == ["刘敏的录音写了 是，可是他的通知都只能发字"]


@pytest.mark.parametrize("scheme", sorted(set(schema.SCHEMES) - {"console", "file", "mqtt", "mqtts", "json", "jsons", *schema.OPEN_SCHEMES}))
def test_what_carries_sound_is_what_apprise_says(scheme: str) -> None:
    assert (scheme in schema.WITH_SOUND) == apprise.manager_plugins.NotificationManager()[scheme].attachment_support


def test_a_retired_contact_is_in_nobodys_way() -> None:
    loaded = parse(SMALL.replace("通知:\n", "通知:\n").replace("- {名字", "- {名字: 老张, 停用: 是}\n  - {名字", 1))
    assert ([one.name for one in loaded.household.family], loaded.retired) == (["刘敏"], {("family", "老张")})


# --- mistakes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", TABLE["mistakes"], ids=lambda row: row["claim"])
def test_a_mistake_is_told_with_its_line_and_what_to_do(row: dict[str, str]) -> None:
    with pytest.raises(InvalidHousehold) as caught:
        parse(changed(row))
    where = f"第 {row['line']} 行" if row["line"] else "家庭文件："
    told = str(caught.value).splitlines()
    assert [line for line in told if where in line and row["what"] in line and row["do"] in line], told


@pytest.mark.parametrize(
    "row", [row for row in TABLE["mistakes"] if "from" in row], ids=lambda row: row["claim"]
)
def test_one_mistake_is_told_once(row: dict[str, str]) -> None:
    """A family that made one mistake must not be sent looking for three."""
    with pytest.raises(InvalidHousehold) as caught:
        parse(changed(row))
    assert len(caught.value.mistakes) == 1, str(caught.value)


@pytest.mark.parametrize("row", TABLE["mistakes"], ids=lambda row: row["claim"])
def test_a_house_that_has_run_with_a_mistake_goes_on_with_all_that_can_be_read(row: dict[str, str]) -> None:
    try:
        loaded = parse(changed(row), known=True)
    except InvalidHousehold as error:
        assert ("meanwhile" in row, "改好以前" in str(error)) == (False, False)
        return
    everybody = [one.name for one in (*loaded.household.medicines, *loaded.household.family, *loaded.household.services)]
    sample = parse(SAMPLE).household
    of_the_sample = [one.name for one in (*sample.medicines, *sample.family, *sample.services)]
    assert "；".join(one.meanwhile for one in loaded.lived_with) == row["meanwhile"]
    assert "text" in row or everybody == of_the_sample


@pytest.mark.parametrize("row", TABLE["warnings"], ids=lambda row: row["claim"])
def test_an_oddity_is_told_and_the_file_used(row: dict[str, str]) -> None:
    told = [(one.line, one.what) for one in parse(changed(row)).warnings]
    assert [what for line, what in told if line == row["line"] and row["what"] in what], told


def test_all_mistakes_are_told_at_once() -> None:
    text = SAMPLE
    for old, new in [
        ("  称呼: ", "  称呼："),
        ('"13800000002"', '"138"'),
        ("样子: 粉色胶囊", "样纸: 粉色胶囊"),
        ("中午十二点半", "25:00"),
        ("08:00-18:00", "18:00-08:00"),
        ("console://物业", "consol://物业"),
        ("音量: 80", "音量: 响"),
    ]:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(InvalidHousehold) as caught:
        parse(text)
    assert [mistake.line for mistake in caught.value.mistakes] == [5, 12, 17, 18, 22, 40, 44]


def test_an_open_bracket_does_not_hide_the_other_mistakes_of_its_line() -> None:
    text = SAMPLE.replace("通知: [敏敏微信], 顺序: 1}", "通知: [闵敏微信], 顺序: 一一一", 1)
    with pytest.raises(InvalidHousehold) as caught:
        parse(text)
    assert [(one.line, one.what[:4]) for one in caught.value.mistakes] == [(11, "花括号 "), (11, "女儿的「"), (11, "女儿的通")]


def test_every_channel_offered_is_one_somebody_sends() -> None:
    sends: set[str] = set(CHANNELS) | TELEPHONES
    for plugin in apprise.Apprise().details()["schemas"]:
        sends |= {*(plugin["protocols"] or ()), *(plugin["secure_protocols"] or ())}
    assert set(schema.SCHEMES) - sends == set()


def test_a_file_of_another_encoding_is_named() -> None:
    with pytest.raises(HouseholdError, match="GBK"):
        decoded("老人: {名字: 王秀珍}".encode("gbk"))


def test_a_missing_file_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(HouseholdError, match="找不到 .*家庭.yaml.*--household"):
        load(tmp_path / "家庭.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(HouseholdError, match="是一个文件夹，不是文件.*家庭.yaml"):
        load(tmp_path)


def test_every_key_can_be_found_in_the_guide() -> None:
    guide = (Path(__file__).parent.parent / "docs" / "家庭文件.md").read_text("utf-8")
    lacking = [
        f"{section}.{key.chinese}"
        for section, shape in schema.sections()
        for key in schema.keys(shape).values()
        if f"| {key.chinese} |" not in guide
    ]
    assert lacking == []


def test_the_guides_example_is_a_household() -> None:
    guide = (Path(__file__).parent.parent / "docs" / "家庭文件.md").read_text("utf-8")
    examples = [part.split("```")[0] for part in guide.split("```yaml\n")[1:]]
    assert parse(examples[0]).warnings == ()


# --- secrets ------------------------------------------------------------------------------------------------------


@pytest.fixture
def home_folder(tmp_path: Path) -> Path:
    (tmp_path / "家庭.yaml").write_text(SMALL.replace("console://a", "wecombot://${机器人}"), "utf-8")
    (tmp_path / "秘密.yaml").write_text("机器人: s3cr3t\n", "utf-8")
    os.chmod(tmp_path / "秘密.yaml", 0o600)
    return tmp_path


def test_a_secret_is_put_where_the_file_names_it_and_never_shown(home_folder: Path) -> None:
    home = load(home_folder / "家庭.yaml")
    assert (home.channels[0].url, "s3cr3t" in repr(home)) == ("wecombot://s3cr3t", False)


def test_secrets_that_others_can_read_are_refused(home_folder: Path) -> None:
    os.chmod(home_folder / "秘密.yaml", 0o644)
    with pytest.raises(InvalidHousehold) as caught:
        load(home_folder / "家庭.yaml")
    assert str(caught.value) == "秘密.yaml：别的用户也能看到这个文件，里面是密钥。请运行 chmod 600 秘密.yaml。"


def test_a_broken_secrets_file_tells_the_line_and_nothing_of_it(home_folder: Path) -> None:
    (home_folder / "秘密.yaml").write_text('机器人: s3cr3t\n钥匙: "t0psecret\n', "utf-8")
    with pytest.raises(InvalidHousehold) as caught:
        load(home_folder / "家庭.yaml")
    told = str(caught.value)
    assert ("秘密.yaml第 2 行" in told, "s3cr3t" in told, "t0psecret" in told) == (True, False, False)


def test_a_chinese_colon_among_the_secrets_is_named(home_folder: Path) -> None:
    (home_folder / "秘密.yaml").write_text("机器人：s3cr3t\n钥匙：t0p\n邮箱:\n", "utf-8")
    with pytest.raises(InvalidHousehold) as caught:
        load(home_folder / "家庭.yaml")
    assert [(one.file, one.line, one.what) for one in caught.value.mistakes] == [
        ("秘密.yaml", 1, "用了中文的冒号"), ("秘密.yaml", 2, "用了中文的冒号"), ("秘密.yaml", 3, "只有名字，没有密钥"),
    ]


def test_an_address_is_never_repeated_in_a_message() -> None:
    with pytest.raises(InvalidHousehold) as caught:
        parse(SMALL.replace("console://a", "htps://qyapi.example/send?key=s3cr3t"))
    assert "s3cr3t" not in str(caught.value)


# --- what changed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[早上七点半, 晚上八点]", "早上八点", "刘敏把降压药的时间改成了每天早上八点。"),
        ("剂量: 一粒, 时间: [早上", "剂量: 两粒, 时间: [早上", "刘敏把降压药的剂量从一粒改成了两粒。"),
        ("每盒: 14}", "每盒: 14, 停药: 2026-12-31}", "刘敏把降压药停了，吃到十二月三十一号为止。"),
        ('"13800000001"', '"13900000001"', "刘敏改了女儿刘敏的电话。"),
        ("顺序: 4}", "顺序: 4, 停用: 是}", "刘敏把孙子刘小军从联系人里去掉了。"),
        ("报平安: 09:30", "报平安: 10:00", "刘敏把报平安的时间改成了上午十点。"),
        ("报平安: 09:30", "报平安: 09:30, 没应就叫人: 否", "刘敏改了报平安没人应的时候：只给家里留个话。"),
        ("每天早上九点", "每天早上八点", "刘敏把量血压的提醒改成了每天早上八点。"),
        ("console://物业", "console://新物业", "刘敏改了一个送消息的办法：物业。"),
    ],
)
def test_a_change_is_told_in_plain_words(old: str, new: str, told: str) -> None:
    before, after = parse(SAMPLE), parse(SAMPLE.replace(old, new, 1))
    assert [one.told("刘敏") for one in changes(before.household, after.household, after.retired)] == [told]


def test_the_same_file_is_no_change() -> None:
    assert changes(parse(SAMPLE).household, parse(SAMPLE).household) == []


def test_no_change_tells_a_number_an_address_or_a_code() -> None:
    after = SAMPLE.replace("密码锁二五八零", "密码锁九九九九").replace("三号楼", "九号楼").replace("13800000001", "13999999999")
    told = "".join(one.told() for one in changes(parse(SAMPLE).household, parse(after).household))
    assert [word for word in ("九九", "九号楼", "139") if word in told] == []


# --- the last good file -------------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path) -> Keeper:
    """A keeper that has kept the sample."""
    (tmp_path / "家庭.yaml").write_text(SAMPLE, "utf-8")
    keeps = Keeper(tmp_path / "家庭.yaml", tmp_path / "data")
    keeps.keep(keeps.load())
    return keeps


def lines_without(word: str) -> str:
    return "".join(line for line in SAMPLE.splitlines(keepends=True) if word not in line)


@pytest.mark.parametrize(
    ("word", "question"),
    [
        ("药名: 阿司匹林", "上次还有的药「阿司匹林」不见了，是不小心删掉的吗。请把它补回来；如果真的不要了，那一项先留着，加上 停药: 和最后一天的日期"),
        ("名字: 张护士", "上次还有的家人「张护士」不见了，是不小心删掉的吗。请把它补回来；如果真的不要了，那一项先留着，加上 停用: 是"),
        ("名字: 理发", "上次还有的服务「理发」不见了"),
        ("内容: 量血压", "上次还有的提醒「量血压」不见了"),
    ],
)
def test_what_merely_vanished_is_asked_about_and_stays_in_force(kept: Keeper, word: str, question: str) -> None:
    text = lines_without(word).replace("提醒:\n", "" if "量血压" in word else "提醒:\n")
    kept.path.write_text(text, "utf-8")
    now = kept.load()
    assert now.stale
    assert now.household == parse(SAMPLE).household
    assert [one for one in now.mistakes if question in str(one)], now.mistakes


def test_a_contact_marked_retired_may_go_and_then_be_deleted(kept: Keeper) -> None:
    kept.path.write_text(SAMPLE.replace("顺序: 5}", "顺序: 5, 停用: 是}"), "utf-8")
    marked = kept.load()
    kept.keep(marked)
    kept.path.write_text(lines_without("名字: 张护士"), "utf-8")
    deleted = kept.load()
    assert [one.what for one in marked.changes] == ["把社区护士张护士从联系人里去掉了"]
    assert (deleted.mistakes, deleted.changes) == ((), ())


def test_a_medicine_with_a_last_day_may_be_deleted_later(kept: Keeper) -> None:
    kept.path.write_text(SAMPLE.replace("每盒: 30, 重要: 是}", "停药: 2026-11-01}"), "utf-8")
    kept.keep(kept.load())
    kept.path.write_text(lines_without("药名: 阿司匹林"), "utf-8")
    assert kept.load().mistakes == ()


def test_a_file_with_mistakes_leaves_the_last_good_one_in_force_after_a_restart(kept: Keeper) -> None:
    kept.path.write_text(SAMPLE.replace("音量: 80", "音量: 响"), "utf-8")
    again = Keeper(kept.path, kept.copy.parent).load()
    assert (again.household, [one.line for one in again.mistakes]) == (parse(SAMPLE).household, [44])


def test_a_deleted_file_leaves_the_last_good_one_in_force(kept: Keeper) -> None:
    kept.path.unlink()
    assert (kept.load().household, kept.load().stale) == (parse(SAMPLE).household, True)


def test_broken_secrets_leave_the_last_good_file_in_force(home_folder: Path) -> None:
    keeps = Keeper(home_folder / "家庭.yaml", home_folder / "data")
    keeps.keep(keeps.load())
    (home_folder / "秘密.yaml").unlink()
    assert (keeps.load().household.channels[0].url, keeps.load().stale) == ("wecombot://s3cr3t", True)


def test_the_copy_is_for_its_owner_alone(kept: Keeper) -> None:
    assert kept.copy.stat().st_mode & 0o777 == 0o600


def test_a_damaged_copy_is_never_used(kept: Keeper) -> None:
    kept.copy.write_text(kept.copy.read_text("utf-8").replace("一粒", "两粒"), "utf-8")
    kept.path.unlink()
    with pytest.raises(HouseholdError):
        kept.load()


def test_what_was_kept_is_not_worked_out_again(kept: Keeper) -> None:
    again = Keeper(kept.path, kept.copy.parent).load()
    assert (again, again.papers) == (Kept(parse(SAMPLE).household, warnings=read(kept.path).warnings), None)


def test_values_of_a_damaged_file_are_worked_out_again(kept: Keeper) -> None:
    values = kept.copy.with_name(VALUES)
    values.write_text(values.read_text("utf-8").replace("一粒", "两粒"), "utf-8")
    assert (kept.load().household, values.stat().st_mode & 0o777) == (parse(SAMPLE).household, 0o600)


def test_values_are_not_believed_where_the_copy_they_belong_to_is_gone(kept: Keeper) -> None:
    kept.copy.unlink()
    assert kept.load().papers is not None


def test_who_may_read_the_file_counts_also_where_its_text_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "家庭.yaml"
    path.write_text(SMALL.replace("console://a", "wecombot://s3cr3t"), "utf-8")
    path.chmod(0o600)
    keeps = Keeper(path, tmp_path / "data")
    keeps.keep(keeps.load())
    before = keeps.load().warnings
    path.chmod(0o644)
    assert (before, [one.what for one in keeps.load().warnings]) == ((), ["别的用户也能看到这个文件，通知地址里却有密钥"])


def test_another_secret_is_another_household(home_folder: Path) -> None:
    keeps = Keeper(home_folder / "家庭.yaml", home_folder / "data")
    keeps.keep(keeps.load())
    (home_folder / "秘密.yaml").write_text("机器人: other\n", "utf-8")
    assert keeps.load().household.channels[0].url == "wecombot://other"


def test_a_change_is_told_until_it_is_kept(kept: Keeper) -> None:
    kept.path.write_text(SAMPLE.replace("音量: 80", "音量: 70"), "utf-8")
    first = kept.load()
    again = kept.load()
    kept.keep(again)
    told = [[one.what for one in changes_] for changes_ in (first.changes, again.changes, kept.load().changes)]
    assert told == [["把音量改成了七十"], ["把音量改成了七十"], []]


def test_a_file_cut_off_anywhere_never_comes_into_force(kept: Keeper) -> None:
    """Every sixty-first byte here; any byte in the property below."""
    whole = SAMPLE.encode()
    good = parse(SAMPLE).household
    end = len(whole.rstrip())
    for at in range(0, end - 1, 61):
        kept.path.write_bytes(whole[:at])
        now = kept.load()
        assert now.household == good, at


# --- a file that is older than the rules --------------------------------------------------------------------------


YOUNGER = (
    ("剂量: 一粒, 时间: [早上七点半, 晚上八点]", "剂量: 0片, 时间: [早上七点半, 晚上八点]", 17, "剂量照写的念"),
    ('"13800000002"', '"1380000000"', 12, "照旧打这个号码"),
    ("小名: [敏敏, 闺女]", "小明: [敏敏, 闺女]", 11, "这一项先当没写"),
    ("听: {唤醒词: 小伴小伴}", "听: {唤醒词: 伴}", 43, "照旧用它"),
    ("剂量: 一粒, 时间: 需要时", "剂量: 一个星期, 时间: 需要时", 20, "剂量照写的念"),
    ("通知: [老王短信]", "通知: [家里电话, 老王短信]", 14, "这个通知先送不出去"),
    ('"13800000005"', '"+86120"', 15, "先不打这个号码"),
)
"""What was taken once and is refused now, its line, and what is done about it meanwhile."""
MEANWHILE = sorted((line, meanwhile) for _, _, line, meanwhile in YOUNGER)


def lax() -> str:
    text = SAMPLE
    for old, new, _, _ in YOUNGER:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def updated(folder: Path, text: str) -> Keeper:
    """What an earlier program that took `text` leaves to this one: the file, and its copy."""
    (folder / "家庭.yaml").write_text(text, "utf-8")
    earlier = Keeper(folder / "家庭.yaml", folder / "data")
    earlier.keep(Kept(parse(SAMPLE).household, papers=household.papers(earlier.path)))
    return Keeper(earlier.path, folder / "data")


@pytest.fixture
def outgrown(tmp_path: Path) -> Keeper:
    """The keeper of a house that ran with `lax()` before its program was updated."""
    return updated(tmp_path, lax())


def test_a_house_goes_on_with_a_file_that_is_older_than_the_rules(outgrown: Keeper) -> None:
    now, good = outgrown.load(), parse(SAMPLE).household
    daughter, son, grandson, neighbour, nurse = good.family
    planned, *others, needed = good.medicines
    assert (now.stale, [(one.line, one.meanwhile) for one in now.lived_with]) == (False, MEANWHILE)
    assert now.household == replace(
        good, wake_words=("伴",), medicines=(replace(planned, dose="0片"), *others, replace(needed, dose="一个星期")),
        family=(replace(daughter, nicknames=()), replace(son, phone="1380000000"), grandson, neighbour, replace(nurse, phone="")),
    )


def test_the_same_file_is_refused_in_a_house_that_has_not_run_with_it(outgrown: Keeper, tmp_path: Path) -> None:
    with pytest.raises(InvalidHousehold) as caught:
        Keeper(outgrown.path, tmp_path / "another house").load()
    assert ([one.line for one in caught.value.mistakes], "改好以前" in str(caught.value)) == ([line for line, _ in MEANWHILE], False)


def test_an_edit_that_leaves_the_old_mistakes_is_refused_and_the_old_file_gone_on_with(outgrown: Keeper) -> None:
    before = outgrown.load().household
    outgrown.path.write_text(lax().replace("音量: 80", "音量: 70"), "utf-8")
    now = outgrown.load()
    assert (now.household, len(now.mistakes), len(now.lived_with)) == (before, len(YOUNGER), len(YOUNGER))


def test_a_file_put_right_comes_into_force_and_its_changes_are_told(outgrown: Keeper) -> None:
    outgrown.path.write_text(SAMPLE, "utf-8")
    now = outgrown.load()
    assert (now.household, now.mistakes, now.lived_with) == (parse(SAMPLE).household, (), ())
    assert "把叫我的话改成了小伴小伴" in [one.what for one in now.changes]


def test_what_is_lived_with_is_kept_with_the_values(outgrown: Keeper) -> None:
    first = outgrown.load()
    outgrown.keep(first)
    again = outgrown.load()
    assert (again.papers, again.household, again.lived_with) == (None, first.household, first.lived_with)


def test_a_new_secret_of_a_file_that_is_older_than_the_rules_counts(tmp_path: Path) -> None:
    (tmp_path / "秘密.yaml").write_text("机器人: s3cr3t\n", "utf-8")
    (tmp_path / "秘密.yaml").chmod(0o600)
    keeps = updated(tmp_path, SMALL.replace("console://a", "wecombot://${机器人}") + "听: {唤醒词: 伴}\n")
    (tmp_path / "秘密.yaml").write_text("机器人: other\n", "utf-8")
    now = keeps.load()
    assert (now.household.channels[0].url, [one.line for one in now.lived_with], now.stale) == ("wecombot://other", [5], False)


def test_a_medicine_whose_time_is_not_understood_any_more_stays_and_she_is_told(tmp_path: Path) -> None:
    now = updated(tmp_path, SAMPLE.replace("[早上七点半, 晚上八点]", "[鸡叫, 晚上八点]")).load()
    assert ([one.name for one in now.household.medicines], now.household.medicines[0].schedule, [one.hers for one in now.lived_with]) == (
        [one.name for one in parse(SAMPLE).household.medicines], None, ["降压药的时间我看不懂了，先不提醒您，请您自己记着。"])


def test_a_file_that_cannot_be_read_at_all_is_refused_also_where_it_was_read_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidHousehold):
        updated(tmp_path, SAMPLE.replace("重要: 是", "重要: 大概")).load()


def test_the_check_refuses_a_file_that_is_older_than_the_rules_and_says_what_is_done_meanwhile(
    outgrown: Keeper, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_check(outgrown.path, tmp_path, sys.stdout, outgrown.copy.parent)
    said = capsys.readouterr().out
    assert (code, said.count("✗")) == (HouseholdError.code, len(YOUNGER))
    assert said.splitlines()[-1 - len(YOUNGER) :] == [
        f"{outgrown.path}：{len(YOUNGER)} 处要改。改好以前，小伴接着用这份，它早就用惯了。这几处先这样办：",
        *(f"家庭文件第 {line} 行：{meanwhile}。" for line, meanwhile in MEANWHILE),
    ]


def test_the_check_of_an_edit_says_what_the_file_in_force_is_not_taken_for_either(
    outgrown: Keeper, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outgrown.path.write_text(lax().replace("音量: 80", "音量: 响"), "utf-8")
    run_check(outgrown.path, tmp_path, sys.stdout, outgrown.copy.parent)
    assert f"{len(YOUNGER) + 1} 处要改。改好以前，小伴用的还是上一次的文件，里面也有这一版不收的。这几处先这样办：\n家庭文件第 11 行：" in capsys.readouterr().out


# --- any bytes ----------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(at=st.integers(0, len(SAMPLE.encode())))
def test_a_file_cut_off_anywhere_is_refused_or_its_loss_is_seen(at: int) -> None:
    good = parse(SAMPLE).household
    try:
        loaded = parse(decoded(SAMPLE.encode()[:at]))
    except HouseholdError:
        return
    found = changes(good, loaded.household, loaded.retired)
    assert loaded.household == good or found


@settings(max_examples=150, deadline=None)
@given(junk=st.binary(max_size=300))
def test_random_bytes_are_refused_and_nothing_else(junk: bytes) -> None:
    try:
        parse(decoded(junk))
    except HouseholdError:
        return
    raise AssertionError("random bytes made a household")


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_sample_with_anything_typed_into_it_is_read_or_refused(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(SAMPLE)))
    until = data.draw(st.integers(at, min(len(SAMPLE), at + 40)))
    junk = data.draw(st.text(st.characters(codec="utf-8") | st.sampled_from("{}[]:：-，,\"'“”#&*!|>%@`\t \n　"), max_size=12))
    try:
        household_ = parse(SAMPLE[:at] + junk + SAMPLE[until:]).household
    except HouseholdError:
        return
    assert isinstance(household_, Household)


@pytest.mark.parametrize("junk", ["[" * 50_000, "{a: " * 20_000, "- " * 40_000, "a:\n" * 3_000, "a" * 70_000, "&a [*a, *a]", "%YAML 1", "? ? ?", "!<"])
def test_junk_is_refused_quickly(junk: str) -> None:
    with pytest.raises(HouseholdError):
        parse(junk)


# --- watching -----------------------------------------------------------------------------------------------------


def test_saves_are_told_once_each_even_when_the_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "家庭.yaml"
    path.write_text(SMALL, "utf-8")
    stop, told = threading.Event(), threading.Semaphore(0)
    seen: list[str] = []

    def note() -> None:
        seen.append(path.read_text("utf-8"))
        told.release()

    thread = threading.Thread(target=keeper.watch, args=(path, note, stop, 0.05, keeper.fingerprint(path)))
    thread.start()
    try:
        for number in (1, 2):
            fresh = tmp_path / f"draft{number}"
            fresh.write_text(SMALL + f"# {number}\n", "utf-8")
            os.replace(fresh, path)
            assert told.acquire(timeout=20)
    finally:
        stop.set()
        thread.join(20)
    assert [text[-4:] for text in seen] == ["# 1\n", "# 2\n"]


# --- check --------------------------------------------------------------------------------------------------------


def test_the_check_says_which_names_are_hard_to_hear() -> None:
    found = check(sample_household(), lambda word: "缬" not in word and len(word) == 1)
    assert [(one.level, one.mistake.line) for one in found] == [("note", 17)]


def test_a_name_in_latin_letters_is_told_as_it_is_written_and_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "家庭.yaml"
    path.write_text(SAMPLE.replace("药名: 布洛芬", "药名: Ibuprofen"), "utf-8")
    found = check(path, lambda word: not word.isascii() and len(word) == 1)
    assert [(one.mistake.line, one.mistake.what) for one in found] == [(20, "语音识别听不出「Ibuprofen」")]


def test_names_that_an_accent_brings_close_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "家庭.yaml"
    path.write_text(SAMPLE.replace("名字: 刘强", "名字: 刘明", 1), "utf-8")
    assert [one.mistake.what for one in check(path)] == ["「刘敏」和「刘明」听起来很像，小伴有时要问是哪一个"]


@pytest.mark.parametrize(("old", "new", "said"), [
    ("通知: [强子微信]", "通知: [敏敏微信]", ["刘敏的通知别人也看得到，报警时进门的办法和病史不往那里发，打电话念",
                                   "刘强的通知别人也看得到，报警时进门的办法和病史不往那里发，打电话念"]),
    ("强子微信: console://强子微信", "强子微信: console://敏敏微信", ["刘敏的通知别人也看得到，报警时进门的办法和病史不往那里发，打电话念",
                                                   "刘强的通知别人也看得到，报警时进门的办法和病史不往那里发，打电话念"]),
    ('电话: "13800000002", 通知: [强子微信]', "通知: [物业]", 
     ["儿子没有填电话号码，紧急时只能发消息", "刘强的通知别人也看得到，报警时进门的办法和病史不往那里发"]),
    ("通知: [强子微信]", "通知: [敏敏微信, 强子微信]", ["刘敏的通知别人也看得到，报警时进门的办法和病史不往那里发，打电话念"]),
])
def test_the_check_warns_of_who_has_no_channel_of_their_own(tmp_path: Path, old: str, new: str, said: list[str]) -> None:
    path = tmp_path / "家庭.yaml"
    path.write_text(SAMPLE.replace(old, new), "utf-8")
    assert [one.mistake.what for one in check(path) if one.level == "warning"] == said


def test_the_preview_is_tomorrow_in_order() -> None:
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    home = parse(SMALL + "药: [{药名: 某药, 俗称: 白片, 剂量: 一片, 时间: [08:00, 20:00], 停药: 2026-11-23}]\n照护: {报平安: 09:30}\n").household
    assert [(line.at.day, f"{line.at:%H:%M}") for line in preview(home, now)] == [(23, "08:00"), (23, "09:30"), (23, "20:00")]
    assert isinstance(preview(home, now)[0], Line)


def test_a_stopped_medicine_is_not_in_the_preview() -> None:
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    home = parse(SMALL + "药: [{药名: 某药, 时间: 08:00, 停药: 2026-11-23}]\n").household
    assert (home.medicines[0].stopped, preview(home, now)) == (date(2026, 11, 23), [])


def test_the_check_of_a_broken_file_exits_with_its_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "家庭.yaml"
    path.write_text(SAMPLE.replace("音量: 80", "音量: 响"), "utf-8")
    assert run_check(path, tmp_path, sys.stdout) == HouseholdError.code
    assert "家庭文件第 44 行：「音量」" in capsys.readouterr().out


def test_the_check_refuses_what_the_house_would_refuse(kept: Keeper, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept.path.write_text(lines_without("药名: 阿司匹林"), "utf-8")
    code = run_check(kept.path, tmp_path, sys.stdout, kept.copy.parent)
    said = capsys.readouterr().out
    assert (code, "上次还有的药「阿司匹林」不见了" in said, "可以用" in said, "还是上一次没有错的文件" in said) == (3, True, False, True)


def test_the_check_says_what_the_house_will_tell(kept: Keeper, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept.path.write_text(SAMPLE.replace("音量: 80", "音量: 70"), "utf-8")
    code = run_check(kept.path, tmp_path, sys.stdout, kept.copy.parent)
    assert (code, "小伴会告诉老人：家里人把音量改成了七十。" in capsys.readouterr().out) == (0, True)


def test_no_earlier_file_is_promised_where_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "家庭.yaml").write_text(SAMPLE.replace("音量: 80", "音量: 响"), "utf-8")
    run_check(tmp_path / "家庭.yaml", tmp_path, sys.stdout, tmp_path / "data")
    assert capsys.readouterr().out.splitlines()[-1].endswith("1 处要改。改好以前，小伴没有文件可用，开始不了。")


@pytest.mark.parametrize(("named", "told"), [
    (False, ["家庭文件第 17 行写得不对。", "家庭文件：上次还有的一种药不见了，是不小心删掉的吗。", "家庭文件：没有写家人。"]),
    (True, ["家庭文件第 17 行：缬沙坦：没有 25:00 这个时间。", "家庭文件：上次还有的药「阿司匹林」不见了，是不小心删掉的吗。", "家庭文件：没有写家人。"]),
])
def test_a_message_about_mistakes_names_a_medicine_only_where_the_family_allows_it(named: bool, told: list[str]) -> None:
    gone = keeper.Change("medicines", "阿司匹林", "从文件里删掉了阿司匹林", vanished=True)
    found = [Mistake(17, "缬沙坦：没有 25:00 这个时间"), *keeper.refusals("", "", [gone]), Mistake(0, "没有写家人")]
    assert [one.told(named) for one in found] == told


def test_a_newcomer_gets_the_sample_and_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "新家" / "家庭.yaml"
    first = household.new(path)
    path.write_text(SMALL, "utf-8")
    assert (first, household.new(path), path.read_text("utf-8")) == (True, False, SMALL)


def test_the_newcomers_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    household.new(tmp_path / "家庭.yaml")
    assert (tmp_path / "家庭.yaml").stat().st_mode & 0o777 == 0o600
