"""Conversations about medicine, held directly: what is said, what is written, what the family gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from assistant.care import dose
from assistant.home import Care, Household
from assistant.skills import medication
from assistant.when import Recurrence
from tests.talks import ASPIRIN, HOME, IBUPROFEN, METFORMIN, VALSARTAN, ZONE, Home, at, said


def home(now: str = "07:00", household: Household = HOME) -> Home:
    begun = Home(medication.skill, at(now), household)
    begun.start()
    return begun


def states(h: Home, day: str = "2026-11-22") -> dict[str, str]:
    """`缬沙坦 07:30` → state, of one day."""
    return {f"{d.medicine} {d.slot}": d.state.value for d in dose.find(h.store, ZONE, "day = ?", day)}


MORNING = "王奶奶，早上七点半的药到点了：降压的粉色胶囊一粒，饭后。您吃了吗？"


# --- the question and its answers ---------------------------------------------------------------------------------


def test_the_reminder_is_a_question_and_the_answer_is_read_back() -> None:
    assert home().run(at("07:31"), said("taken")) == [MORNING, "好，早上七点半的降压药，我记下了：吃过了。"]


def test_all_medicines_of_a_slot_are_one_utterance() -> None:
    h = home("19:00")
    assert h.run(at("20:01"), said("taken")) == [
        "王奶奶，晚上八点的药到点了：降压的粉色胶囊一粒，还有白色小药片一片，饭后。您吃了吗？",
        "好，晚上八点的降压药和小白片，我记下了：吃过了。",
    ]


@pytest.mark.parametrize(
    ("answer", "state", "again"),
    [
        (said("taken"), "taken", None),
        (said("snooze"), "snoozed", "07:40"),
        (said("snooze", duration=timedelta(minutes=20)), "snoozed", "07:50"),
        (said("taking"), "pending", "07:35"),
        (said("dialogue.yes"), "heard", "07:40"),
        (said("not_taken"), "asked", "07:40"),
        (said("dialogue.no"), "asked", "07:40"),
        (said("skip", "大夫让停了"), "skipped", None),
        (None, "asked", "07:40"),
    ],
)
def test_each_answer_has_its_state_and_its_next_question(answer: object, state: str, again: str | None) -> None:
    h = home()
    h.run(at("07:30"), answer)  # type: ignore[arg-type]
    d = dose.find(h.store, ZONE, "medicine = '缬沙坦' AND slot = '07:30'")[0]
    wake = d.wake.replace(second=0) if d.wake else None
    assert (d.state.value, wake) == (state, at(again) if again else None)


def test_an_answer_about_one_of_two_asks_about_the_other() -> None:
    h = home("19:00")
    spoken = h.run(at("20:01"), said("taken", medicine="缬沙坦"), said("skip", "胃不舒服"))
    assert (spoken[1:], states(h)["缬沙坦 20:00"], states(h)["阿司匹林 20:00"]) == (
        ["好，晚上八点的降压药，我记下了：吃过了。", "白色小药片一片，这个吃了吗？", "好，晚上八点的小白片，这回不吃，我记下了。我跟家人说一声。"],
        "taken", "skipped",
    )


def test_a_skip_for_two_is_asked_one_by_one() -> None:
    h = home("19:00")
    h.run(at("20:01"), said("skip", "不想吃"), said("skip", "不想吃"), said("taken"))
    assert (states(h)["缬沙坦 20:00"], states(h)["阿司匹林 20:00"]) == ("skipped", "taken")


def test_a_skip_tells_the_family_the_reason() -> None:
    h = home()
    h.run(at("07:31"), said("skip", "大夫让停了"))
    assert h.store.find("message")[-1]["body"] == "11月22日 07:30 缬沙坦 的药，她说这次不吃。原话：大夫让停了"


@pytest.mark.parametrize(("look", "state"), [("dialogue.empty", "taken"), ("dialogue.full", "asked"), (None, "evidence")])
def test_the_pillbox_is_the_witness_of_who_cannot_remember(look: str | None, state: str) -> None:
    h = home()
    spoken = h.run(at("07:31"), said("unsure"), said(look) if look else None)
    assert (spoken[1], states(h)["缬沙坦 07:30"]) == ("早上七点半的降压药，拿不准就先别补吃。您看看药盒那一格，是空的，还是药还在？", state)


def test_without_a_witness_the_family_is_asked_and_the_end_is_unknown() -> None:
    h = home()
    h.run(at("09:31"), said("unsure"), None)
    assert (states(h)["缬沙坦 07:30"], h.family_got) == ("unknown", ["她记不清吃没吃药"])


# --- silence ------------------------------------------------------------------------------------------------------


def test_silence_is_asked_at_ten_and_twenty_minutes_then_the_family_then_missed() -> None:
    h = home()
    spoken = h.run(at("09:31"))
    questions = [text for text in spoken if text.endswith("？")]
    assert (len(questions), spoken[-1], states(h)["缬沙坦 07:30"], h.family_got) == (
        4, "早上七点半的降压药，已经过了时间，先别补吃。", "missed", ["药还没有回音"]
    )


@pytest.mark.parametrize(("medicine", "told"), [(ASPIRIN, "20:30"), (VALSARTAN, "21:00"), (METFORMIN, "14:30")])
def test_the_family_is_told_in_time_for_the_class_and_once(medicine: object, told: str) -> None:
    h = home("12:00", replace(HOME, medicines=(medicine,)))  # type: ignore[arg-type]
    h.run(at("23:30"))
    posts = [row["created_at"] for row in h.store.find("message")]
    assert [dose.moment(p).astimezone(ZONE).replace(second=0, microsecond=0) for p in posts] == [at(told)]


def test_two_medicines_of_a_slot_are_one_message_and_each_is_asked_again_at_its_own_moment() -> None:
    h = home("12:45", replace(HOME, medicines=(ASPIRIN, VALSARTAN), care=replace(HOME.care, names_medicines=False)))
    spoken = h.run(at("21:01"))
    asked = [text for text in spoken if text.endswith("？")]
    assert ([row["body"] for row in h.store.find("message")], len(asked)) == (
        ["11月22日 20:00 的药，还没听到她说吃了。我还会再问。"], 5  # 20:00, 20:10, 20:20, 20:30 the critical one, 21:00 the other
    )


def test_a_dose_put_off_because_the_one_before_was_late_puts_off_the_familys_moment() -> None:
    four = replace(VALSARTAN, schedule=Recurrence("day", ("12:00", "16:00", "20:00")), min_gap=timedelta(hours=4))
    h = home("11:59", replace(HOME, medicines=(four,)))
    h.run(at("13:15"))
    h.elder(said("taken"))  # the one of 16:00 waits until 17:00
    h.run(at("18:05"))
    told = [dose.moment(row["created_at"]).astimezone(ZONE) for row in h.store.find("message", "title LIKE '药还没有回音%' AND created_at > ?", at("14:00"))]
    assert (told, states(h)["缬沙坦 16:00"]) == ([], "unknown")


def test_what_is_missed_stays_in_the_digest_until_somebody_has_seen_it() -> None:
    h = home()
    h.run(at("09:31"))
    before = len(dose.unseen(h.store, ZONE, h.now))
    h.sees()
    assert (before, len(dose.unseen(h.store, ZONE, h.now))) == (1, 0)


def test_medicines_are_named_to_the_family_only_if_it_opted_in() -> None:
    h = home(household=replace(HOME, care=Care(names_medicines=False)))
    h.run(at("09:31"))
    h.elder(said("taken", medicine="布洛芬"))
    h.elder(said("extra", "多吃了一片", medicine="布洛芬"))
    told = "".join(row["title"] + row["body"] for row in h.store.find("message"))
    assert [m.name for m in HOME.medicines if m.name in told] == []


def test_the_neighbour_hears_nothing_of_the_medicine() -> None:
    h = home()
    h.run(at("09:31"))
    assert {row["person"] for row in h.store.find("message")} == {"刘敏"}


# --- said by herself ----------------------------------------------------------------------------------------------


def test_an_early_word_closes_the_planned_dose_and_it_is_never_asked() -> None:
    h = home()
    h.goes_to(at("07:10"))
    early = h.elder(said("taken"))
    assert (early, h.run(at("09:40"))) == (["好，早上七点半的降压药，您提前吃了，我记下了，到点就不再问了。"], [])


def test_a_bare_word_long_before_the_slot_is_asked_first() -> None:
    h = home("11:00")
    assert (h.elder(said("taken"), None), states(h)["二甲双胍 12:30"]) == (
        ["您说的是中午十二点半的降糖药，提前吃了，是吗？", "好，那我先不记。"], "planned"
    )


def test_a_second_word_makes_no_record_and_tells_the_family() -> None:
    h = home()
    h.run(at("07:31"), said("taken"))
    h.goes_to(at("07:50"))
    spoken = h.elder(said("taken", medicine="缬沙坦"))
    rows = dose.find(h.store, ZONE, "state = 'taken'")
    assert (spoken, len(rows), h.family_got) == (
        ["早上七点半已经记过降压药吃过了，这回不再记。先别再吃了。我跟家人说一声。"], 1, ["可能重复服药"]
    )


def test_the_same_breath_twice_is_no_double_dose() -> None:
    h = home()
    h.run(at("07:30"), said("taken"))
    h.goes_to(at("07:30:40"))
    h.elder(said("taken"))
    assert h.family_got == []


def test_i_did_not_say_so_undoes_the_record() -> None:
    h = home()
    h.run(at("07:30"), said("taken"))
    h.goes_to(at("07:32"))
    spoken = h.elder(said("not_taken", "我没说吃了"))
    assert (spoken, states(h)["缬沙坦 07:30"]) == (["好，降压药改回来了：没吃。过十分钟我再问您。"], "asked")


def test_later_it_is_asked_before_a_record_is_undone() -> None:
    h = home()
    h.run(at("07:30"), said("taken"))
    h.goes_to(at("08:00"))
    assert (h.elder(said("not_taken"), said("dialogue.no")), states(h)["缬沙坦 07:30"]) == (
        ["早上七点半记的是降压药吃过了，要改成没吃，是吗？", "好，那就不改。"], "taken"
    )


def test_undone_after_the_limit_it_is_missed_at_once() -> None:
    h = home()
    h.run(at("07:30"), said("taken"))
    h.goes_to(at("10:00"))
    h.elder(said("not_taken", medicine="缬沙坦"), said("dialogue.yes"))
    assert states(h)["缬沙坦 07:30"] == "missed"


def test_a_closed_dose_is_reopened_only_by_her_word_and_the_family_hears_it() -> None:
    h = home()
    h.run(at("10:00"))
    spoken = h.elder(said("taken", medicine="缬沙坦"), said("dialogue.yes"))
    assert (spoken[0], states(h)["缬沙坦 07:30"], h.family_got[-1]) == ("您说的是早上七点半的降压药，是吃过了吗？", "taken", "更正")


def test_a_snooze_works_without_a_question() -> None:
    h = home()
    h.run(at("07:35"))
    spoken = h.elder(said("snooze", duration=timedelta(minutes=30)))
    assert (spoken, states(h)["缬沙坦 07:30"]) == (["好，过半个小时，早上八点零五分我再叫您。"], "snoozed")


# --- questions to the ledger --------------------------------------------------------------------------------------


def test_did_i_take_it_is_answered_with_the_clock_time() -> None:
    h = home()
    h.run(at("07:40"), said("snooze", duration=timedelta(minutes=5)), said("taken"))
    h.goes_to(at("10:00"))
    assert h.elder(said("query")) == [
        "早上七点半的降压药，早上七点三十五分您跟我说吃过了。", "下一次是中午十二点半的降糖药。",
    ]


def test_what_the_ledger_does_not_know_is_said_with_its_limits() -> None:
    h = home()
    h.run(at("09:31"))
    assert h.elder(said("query", medicine="缬沙坦"))[0] == "早上七点半的降压药，没有记录，但您也可能吃了没说，拿不准先别补。"


def test_an_open_dose_is_asked_after_the_answer() -> None:
    h = home()
    h.run(at("07:31"))
    assert h.elder(said("query"), said("taken")) == [
        "早上七点半的降压药，还没听您说吃了，您也可能吃了没说，拿不准先别补。",
        "王奶奶，再问您一声，早上七点半的降压药，您吃了吗？",
        "好，早上七点半的降压药，我记下了：吃过了。",
    ]


def test_the_weeks_account() -> None:
    h = home()
    h.run(at("09:31"))
    h.run(at("12:31"), said("taken"))
    assert h.elder(said("query", "这个礼拜药吃得咋样")) == [
        "这七天一共该吃两次，记着吃过的有一次。有一次没有记录，最近的一次是早上七点半的降压药。"
    ]


def test_one_more_is_stopped_with_the_record() -> None:
    h = home()
    h.run(at("07:31"), said("taken"))
    assert h.elder(said("extra", "我再吃一片吧")) == ["早上七点半已经记过降压药吃过了，先别再吃。觉得哪儿不对，就跟我说。"]


def test_too_many_taken_reaches_the_family_at_once() -> None:
    h = home()
    h.elder(said("extra", "我多吃了一片药咋办"))
    assert h.family_got == ["可能多吃了药"]


# --- when needed --------------------------------------------------------------------------------------------------


def test_a_medicine_for_when_it_is_needed_has_its_gap_and_its_maximum() -> None:
    h = home("08:00", replace(HOME, medicines=(IBUPROFEN,)))
    said_at = {}
    for clock, word in (("08:00", "taken"), ("10:00", "extra"), ("14:30", "taken"), ("21:00", "extra")):
        h.goes_to(at(clock))
        said_at[clock] = h.elder(said(word, medicine="布洛芬"))
    assert said_at == {
        "08:00": ["好，早上八点吃了止疼药，今天第一次，我记下了。"],
        "10:00": ["止疼药早上八点刚吃过，家里人写的要隔六个小时，要到下午两点以后。"],
        "14:30": ["好，下午两点半吃了止疼药，今天第二次，我记下了。"],
        "21:00": ["止疼药今天已经吃了两次，家里人写的一天就这么多，先别吃了。要是还难受，我帮您问问家人。"],
    }


def test_a_word_too_soon_makes_no_record() -> None:
    h = home("08:00")
    h.elder(said("taken", medicine="布洛芬"))
    h.goes_to(at("09:00"))
    h.elder(said("taken", medicine="布洛芬"))
    assert (len(dose.taken_today(h.store, "布洛芬", h.now, ZONE)), h.family_got) == (1, ["可能重复服药"])


# --- stock --------------------------------------------------------------------------------------------------------


def test_days_left_and_boxes_bought() -> None:
    h = home()
    assert (h.elder(said("stock", medicine="缬沙坦")), h.elder(said("restock", "新买了两盒降压药", medicine="缬沙坦"))) == (
        ["降压药还剩二十八粒，够吃十四天。"], ["好，降压药加了二十八粒，现在一共五十六粒。"]
    )


def test_the_refill_is_announced_once_a_week_ahead() -> None:
    h = home("07:00", replace(HOME, medicines=(replace(VALSARTAN, stock=16),)))
    for day in range(22, 25):
        h.run(at(f"2026-11-{day} 07:31"), said("taken"))
        h.run(at(f"2026-11-{day} 20:01"), said("taken"))
    assert h.family_got == ["药快没有了"]


# --- outages and clocks -------------------------------------------------------------------------------------------


def test_inside_its_limit_a_slot_missed_while_off_is_one_question() -> None:
    h = home()
    h.restarts(timedelta(hours=1))
    assert h.wake(said("taken")) == [
        "王奶奶，刚才我没顾上问您。早上七点半的药：降压的粉色胶囊一粒，饭后。您吃了吗？",
        "好，早上七点半的降压药，我记下了：吃过了。",
    ]


def test_older_slots_are_unknown_with_one_summary() -> None:
    h = home()
    spoken = h.restarts(timedelta(hours=9))
    assert (spoken, states(h)["缬沙坦 07:30"], states(h)["二甲双胍 12:30"], h.family_got) == (
        ["王奶奶，我刚才停了一阵，有两次药没顾上问，最近的是中午十二点半的降糖药。吃没吃我不清楚，先别补，我请家人问问您。"],
        "unknown", "unknown", ["我停过一阵"],
    )


def test_after_more_than_a_day_only_the_next_dose_and_one_summary() -> None:
    h = home()
    h.restarts(timedelta(days=5, minutes=45))
    h.wake()
    closed = dose.find(h.store, ZONE, "due_at <= ?", h.now)
    assert ({d.state.value for d in closed}, len(closed), h.family_got) == ({"unknown"}, 21, ["我停过一阵"])


def test_a_restart_in_the_middle_of_a_question_asks_again_and_doubles_nothing() -> None:
    h = home()
    h.run(at("07:30"))
    h.restarts(timedelta(minutes=1))
    spoken = h.run(at("07:45"), said("taken"))
    assert (len(spoken), states(h)["缬沙坦 07:30"]) == (2, "taken")


def test_with_a_doubtful_clock_nothing_is_missed_and_the_doubt_is_said() -> None:
    h = home()
    h.trusted = False
    spoken = h.run(at("10:00"))
    assert (spoken[0], states(h)["缬沙坦 07:30"]) == (
        "王奶奶，我的表可能不准，先问问您。早上七点半的药：降压的粉色胶囊一粒，饭后。您吃了吗？", "doubt"
    )


def test_when_the_clock_is_believed_again_it_is_settled_once() -> None:
    h = home()
    h.trusted = False
    h.run(at("10:00"))
    h.steps(timedelta(0), trusted=True)
    assert (states(h)["缬沙坦 07:30"], h.family_got) == ("unknown", ["药还没有回音"])


@pytest.mark.parametrize("by", [timedelta(hours=-1), timedelta(minutes=-3), timedelta(seconds=30), timedelta(hours=1)])
def test_a_clock_step_neither_loses_nor_repeats_the_dose(by: timedelta) -> None:
    h = home()
    h.goes_to(at("07:29:50"))
    h.steps(by)
    spoken = h.run(at("09:00"), said("taken"))
    assert (sum(text.endswith("？") for text in spoken), states(h)["缬沙坦 07:30"]) == (1, "taken")


def test_a_step_back_after_the_answer_asks_nothing_again() -> None:
    h = home()
    h.run(at("07:31"), said("taken"))
    h.steps(timedelta(hours=-1))
    assert h.run(at("09:00")) == []


def test_a_medicine_that_is_stopped_is_asked_no_more() -> None:
    h = home()
    h.run(at("07:31"))
    h.edits(h.without("缬沙坦"))
    assert (h.run(at("11:00")), states(h)) == ([], {"缬沙坦 07:30": "skipped", "二甲双胍 12:30": "planned", "阿司匹林 20:00": "planned"})


def test_no_name_is_left_out_of_the_sample() -> None:
    assert [medication.described(m) for m in (VALSARTAN, METFORMIN, ASPIRIN, IBUPROFEN)] == [
        "降压的粉色胶囊一粒", "降糖的白色大药片一片", "白色小药片一片", "止疼的橙色胶囊一粒"
    ]
