"""Free reminders, the diary, the daily round: held directly."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from assistant.care import digest, reading, reminder
from assistant.care.reminder import TRANSITIONS, Event, State
from assistant.errors import XiaobanError
from assistant.home import Care, StandingReminder
from assistant.skills import checkin, diary, medication, reminders
from assistant.when import Recurrence
from tests.talks import HOME, ZONE, Home, at, said

QUIET = replace(HOME, reminders=())


def home(now: str = "14:00") -> Home:
    begun = Home(reminders.skill, at(now), QUIET)
    begun.start()
    return begun


def add(h: Home, what: str, when: object, *answers: object) -> list[str]:
    return h.elder(said("reminder.add", what=what, when=when), *answers)  # type: ignore[arg-type]


def left(h: Home) -> list[str]:
    return [r.what for r in reminder.open_ones(h.store, ZONE)]


# --- the table ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", list(Event))
def test_a_reminder_moves_by_the_table_or_not_at_all(state: State, event: Event) -> None:
    h = home()
    r = replace(reminder.add(h.store, h.now, "拿快递", at("15:00"), ZONE), state=state)
    if (state, event) in TRANSITIONS:
        moved = reminder.move(h.store, h.now, r, event, None)
        assert (moved.state, h.store.find("reminder")[0]["state"]) == (TRANSITIONS[state, event],) * 2
    else:
        with pytest.raises(XiaobanError):
            reminder.move(h.store, h.now, r, event, None)


# --- setting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "spoken"),
    [
        (datetime(2026, 11, 22, 15, 0), "好，下午三点提醒您拿快递。"),
        (datetime(2026, 11, 23, 4, 0), "好，明天凌晨四点提醒您拿快递。"),
        (Recurrence("week", ("09:00",), ("MO", "WE", "FR")), "好，每周一、三、五上午九点，我都提醒您拿快递。"),
        (Recurrence("day", ("08:00", "20:30")), "好，每天早上八点和晚上八点半，我都提醒您拿快递。"),
    ],
)
def test_the_time_is_read_back(when: object, spoken: str) -> None:
    assert add(home(), "拿快递", when) == [spoken]


def test_what_is_missing_is_asked_for() -> None:
    h = home()
    spoken = h.elder(said("reminder.add"), said("dialogue.text", message="浇花"), said("dialogue.when", when=datetime(2026, 11, 22, 16, 0)))
    assert spoken == ["要提醒您做什么？", "什么时候提醒您？", "好，下午四点提醒您浇花。"]


def test_a_day_without_a_time_is_completed() -> None:
    h = home()
    spoken = add(h, "浇花", date(2026, 11, 23), said("dialogue.when", when=datetime(2026, 11, 22, 16, 0)))
    assert spoken == ["明天几点提醒您？", "好，明天下午四点提醒您浇花。"]


def test_a_time_that_is_over_is_asked_again_and_never_set() -> None:
    h = home()
    assert (add(h, "浇花", datetime(2026, 11, 22, 8, 0)), left(h)) == (
        ["什么时候提醒您？", "没听清，这次先不记。要记的时候再跟我说，比如：下午三点提醒我拿快递。"], []
    )


def test_there_is_an_end_to_how_many() -> None:
    h = home()
    for minute in range(reminder.MOST):
        reminder.add(h.store, h.now, "拿快递", at("15:00") + timedelta(minutes=minute), ZONE)
    assert add(h, "浇花", datetime(2026, 11, 22, 15, 0)) == ["提醒已经太多了，先删掉几个再记吧。"]


# --- saying it ----------------------------------------------------------------------------------------------------


def test_an_answered_reminder_is_said_once() -> None:
    h = home()
    add(h, "拿快递", datetime(2026, 11, 22, 15, 0))
    assert h.run(at("18:00"), said("dialogue.yes")) == ["王奶奶，下午三点了，该拿快递了。", "好嘞。"]


def test_an_unanswered_one_is_said_twice() -> None:
    h = home()
    add(h, "拿快递", datetime(2026, 11, 22, 15, 0))
    assert h.run(at("18:00")) == ["王奶奶，下午三点了，该拿快递了。", "王奶奶，再说一遍，该拿快递了。听见了就应我一声。"]


def test_a_snoozed_one_comes_back() -> None:
    h = home()
    add(h, "拿快递", datetime(2026, 11, 22, 15, 0))
    spoken = h.run(at("18:00"), said("snooze", duration=timedelta(minutes=20)))
    assert spoken[1] == "好，过二十分钟，下午三点二十分我再说一遍。"


def test_a_safety_reminder_insists_five_times_then_the_family_is_told() -> None:
    h = home()
    add(h, "关火", datetime(2026, 11, 22, 15, 0))
    spoken = h.run(at("18:00"))
    assert (len(spoken), spoken[-1], h.family_got) == (6, "关火的事，您一直没应我，我这就告诉家人。", ["她没有回应"] * 2)


def test_a_safety_reminder_is_quiet_once_answered() -> None:
    h = home()
    add(h, "关火", datetime(2026, 11, 22, 15, 0))
    assert (len(h.run(at("18:00"), None, said("dialogue.yes"))), h.family_got) == (3, [])


def test_a_recurring_one_is_set_for_its_next_day() -> None:
    h = home()
    add(h, "浇花", Recurrence("day", ("15:00",)))
    h.run(at("15:30"), said("dialogue.yes"))
    assert [(r.what, r.due) for r in reminder.open_ones(h.store, ZONE)] == [("浇花", at("2026-11-23 15:00"))]


def test_late_is_said_never_dropped() -> None:
    h = home()
    add(h, "拿快递", datetime(2026, 11, 22, 15, 0))
    h.restarts(timedelta(hours=3))
    assert h.wake() == ["王奶奶，晚了一点跟您说：下午三点的时候，您要拿快递。"]


@pytest.mark.parametrize("by", [timedelta(hours=-1), timedelta(minutes=50)])
def test_a_clock_step_moves_a_snooze_with_it(by: timedelta) -> None:
    h = home()
    add(h, "拿快递", datetime(2026, 11, 22, 15, 0))
    h.run(at("15:00"), said("snooze"))
    before = reminder.open_ones(h.store, ZONE)[0].wake
    h.steps(by)
    assert before
    assert reminder.open_ones(h.store, ZONE)[0].wake == before + by


# --- list and delete ----------------------------------------------------------------------------------------------


def three() -> Home:
    h = home()
    add(h, "拿快递", datetime(2026, 11, 22, 15, 0))
    add(h, "浇花", datetime(2026, 11, 22, 17, 0))
    add(h, "浇花", datetime(2026, 11, 23, 17, 0))
    return h


def test_the_list_is_by_number() -> None:
    assert three().elder(said("reminder.list")) == [
        "一共有三个提醒。第一个，下午三点，拿快递；第二个，下午五点，浇花；第三个，明天下午五点，浇花。"
    ]


@pytest.mark.parametrize(
    ("named", "rest"),
    [
        ({"what": "拿快递"}, ["浇花", "浇花"]),
        ({"when": datetime(2026, 11, 22, 17, 0)}, ["拿快递", "浇花"]),
        ({"number": 3}, ["拿快递", "浇花"]),
        ({"what": "浇花", "when": date(2026, 11, 23)}, ["拿快递", "浇花"]),
        ({"what": "买菜"}, ["拿快递", "浇花", "浇花"]),
    ],
)
def test_one_is_deleted_by_what_it_says_its_time_or_its_number(named: dict[str, object], rest: list[str]) -> None:
    h = three()
    h.elder(said("reminder.cancel", **named))
    assert left(h) == rest


def test_when_two_fit_it_is_asked_which() -> None:
    h = three()
    spoken = h.elder(said("reminder.cancel", what="浇花"), said("dialogue.which", option="明天下午五点浇花"))
    assert (spoken, [r.due for r in reminder.open_ones(h.store, ZONE)]) == (
        ["要删的是哪一个？下午五点浇花；明天下午五点浇花？", "好，明天下午五点浇花的提醒删掉了。"], [at("15:00"), at("17:00")]
    )


@pytest.mark.parametrize(("answer", "kept"), [("dialogue.yes", []), ("dialogue.no", ["拿快递"]), (None, ["拿快递"])])
def test_what_was_not_named_is_asked_about_before_it_is_deleted(answer: str | None, kept: list[str]) -> None:
    h = home()
    add(h, "拿快递", datetime(2026, 11, 22, 16, 0))
    spoken = h.elder(said("reminder.cancel"), said(answer) if answer else None)
    assert "拿快递的提醒，是要删掉吗" in spoken[0]
    assert left(h) == kept


def test_deleted_is_deleted_also_after_a_restart() -> None:
    h = three()
    h.elder(said("reminder.cancel", what="拿快递"))
    h.restarts(timedelta(minutes=1))
    assert "拿快递" not in "".join(h.run(at("16:00")))


def test_a_restart_keeps_all() -> None:
    h = three()
    h.restarts(timedelta(minutes=1))
    assert left(h) == ["拿快递", "浇花", "浇花"]


# --- what the family wrote ----------------------------------------------------------------------------------------


def test_the_familys_reminders_follow_its_file() -> None:
    h = home()
    h.edits(replace(QUIET, reminders=(StandingReminder("量血压", Recurrence("day", ("16:00",))),)))
    first = left(h)
    h.edits(QUIET)
    assert (first, left(h)) == (["量血压"], [])


def test_the_familys_reminder_is_not_deleted_by_voice() -> None:
    h = home()
    h.edits(replace(QUIET, reminders=(StandingReminder("量血压", Recurrence("day", ("16:00",))),)))
    h.elder(said("reminder.cancel", what="量血压"))
    assert left(h) == ["量血压"]


# --- the diary ----------------------------------------------------------------------------------------------------


def book() -> Home:
    return Home(diary.skill, at("09:00"))


@pytest.mark.parametrize(
    ("slots", "spoken"),
    [
        ({"kind": "blood_pressure", "systolic": 140, "diastolic": 90}, "血压高压一百四十，低压九十，记下了。"),
        ({"kind": "blood_glucose", "value": 6.3}, "血糖六点三，记下了。"),
        ({"kind": "temperature", "value": 37.2}, "体温三十七度二，记下了。"),
        ({"kind": "heart_rate", "value": 78}, "心率七十八，记下了。"),
        ({"kind": "weight", "value": 120}, "体重六十公斤，记下了。"),
    ],
)
def test_a_reading_is_read_back(slots: dict[str, object], spoken: str) -> None:
    assert book().elder(said("diary.record", **slots)) == [spoken]


def test_a_reading_outside_the_familys_range_reaches_the_family() -> None:
    h = book()
    spoken = h.elder(said("diary.record", kind="blood_pressure", systolic=182, diastolic=90), said("dialogue.yes"))
    assert (spoken[1:], h.family_got) == (
        ["血压高压一百八十二，低压九十，记下了。高压比家里人定的高了些。歇一会儿再量一次。我跟家人说一声。"], ["血压偏高"]
    )


def test_what_nobody_can_have_is_asked_again() -> None:
    h = book()
    spoken = h.elder(said("diary.record", kind="blood_glucose", value=63), said("dialogue.text", message="六点三"))
    assert (spoken[-1], [r.value for r in reading.since(h.store, ZONE, at("00:00"))]) == ("血糖六点三，记下了。", [6.3])


def test_a_great_jump_is_asked_before_it_is_written() -> None:
    h = book()
    h.elder(said("diary.record", kind="heart_rate", value=70))
    spoken = h.elder(said("diary.record", kind="heart_rate", value=170), said("dialogue.no"))
    assert (spoken, h.store.count("reading")) == (["心率一百七十，跟上次差得多，我没听错吧？", "好，那先不记。"], 1)


def test_the_trend_has_the_last_the_average_and_the_direction() -> None:
    h = book()
    for day, value in enumerate((130, 132, 140, 142)):
        h.goes_to(at(f"2026-11-{19 + day} 09:00"))
        h.elder(said("diary.record", kind="blood_pressure", systolic=value, diastolic=80))
    h.goes_to(at("10:00"))
    assert h.elder(said("diary.query", kind="blood_pressure")) == [
        "血压最近一次是上午九点，高压一百四十二，低压八十。这两个星期记了四次，平均高压一百三十六，低压八十。后面这几次比前面高了一些。"
    ]


# --- the daily round ----------------------------------------------------------------------------------------------

ROUND = replace(HOME, care=Care(checkin=time(9), digest=time(20, 30), names_medicines=True))


def morning() -> Home:
    h = Home(checkin.skill, at("08:00"), ROUND)
    h.start()
    return h


def test_a_word_is_enough() -> None:
    h = morning()
    assert (h.run(at("10:00"), said("dialogue.text", message="挺好的")), h.family_got) == (
        ["王奶奶，早上好，跟您报个平安。您今天怎么样？", "那就好，有事随时叫我。"], []
    )


def test_no_answer_twice_in_twenty_minutes_tells_the_family_where_they_want_a_notice_only() -> None:
    h = Home(checkin.skill, at("08:00"), replace(ROUND, care=replace(ROUND.care, checkin_alarm=False)))
    h.start()
    spoken = h.run(at("10:00"))
    posted = h.store.find("message")
    assert (len(spoken), h.family_got, digest.moment(posted[0]["created_at"]).astimezone(ZONE)) == (
        3, ["报平安没有回应"], at("09:20")
    )


def test_not_well_reaches_the_family_in_her_words() -> None:
    h = morning()
    h.run(at("10:00"), said("dialogue.text", message="头有点晕"))
    assert h.store.find("message")[0]["body"] == "报平安的时候她说：头有点晕。请打个电话问问。"


def test_much_too_late_there_is_no_good_morning() -> None:
    h = morning()
    h.restarts(timedelta(hours=8))
    assert h.wake() == []


def evening(care: Care) -> str:
    h = Home(medication.skill, at("07:00"), replace(ROUND, care=care))
    h.start()
    h.run(at("07:31"), said("taken"))
    h.run(at("19:00"))
    reading.add(h.store, h.now, "blood_pressure", 138, 85)
    h.skill = checkin.skill
    h.start()
    row = h.store.find("digest")[0]
    h.goes_to(at("20:30"))
    list(checkin.skill.instants["digest"](h.turn(), row["id"]))
    return str(h.store.find("message", order="id DESC")[0]["body"])


def test_the_digest_tells_the_day() -> None:
    assert evening(ROUND.care).splitlines() == [
        "11月22日", "药：该吃 3 次，吃了 1 次；1 次没有回音（12:30 二甲双胍）", "测量：19:00 血压 138/85",
    ]


@pytest.mark.parametrize(("named", "line"), [
    (True, "药：该吃 1 次，吃了 0 次；1 次没有回音（20:00 阿司匹林）"), (False, "药：该吃 1 次，吃了 0 次；1 次没有回音（20:00 两种里的一种）"),
])
def test_a_slot_with_two_medicines_is_one_time_in_the_digest(named: bool, line: str) -> None:
    h = Home(medication.skill, at("19:00"), replace(ROUND, care=replace(ROUND.care, names_medicines=named)))
    h.start()
    h.run(at("20:01"), said("taken", medicine="缬沙坦"))
    h.run(at("23:00"))
    assert digest.text(digest.of(h.store, h.household, h.now.date(), h.now), h.household).splitlines()[1] == line


def test_the_digest_names_no_medicine_unless_allowed() -> None:
    assert [m.name for m in HOME.medicines if m.name in evening(replace(ROUND.care, names_medicines=False))] == []


def test_the_next_digest_is_planned_when_one_is_posted() -> None:
    h = morning()
    h.goes_to(at("20:30"))
    list(checkin.skill.instants["digest"](h.turn(), h.store.find("digest")[0]["id"]))
    assert [row["day"] for row in h.store.find("digest", "wake_at IS NOT NULL")] == ["2026-11-23"]
