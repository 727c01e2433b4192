"""Sentences the grammar decoder listens for: walks through the templates with this home's own words in the slots.

The walks are chosen by a counter, not by chance, so the same phrasebook and household always give the same list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from assistant.home import Household
from assistant.messages import Asking
from assistant.understand import slots
from assistant.understand.phrasebook import ANSWERED_LIKE, Phrasebook, Template

MOST = 3000
"""Phrases; vosk builds a bigram graph from them in about 60 ms, and more add words but hardly new pairs."""
WALKS = 10
"""Sentences from one template when no question is open; a question's own templates get four times as many."""
TIMES = ("八点", "早上八点", "下午三点", "晚上七点半", "明天上午十点", "明天早上九点", "后天下午两点", "每天早上八点", "十分钟后", "半个小时以后", "一会儿", "中午十二点", "睡觉前", "星期三上午九点", "每周一三五", "今天晚上", "周六下午四点", "晚饭后", "后天", "明天", "星期天")
DURATIONS = ("十分钟", "半个小时", "一刻钟", "二十分钟", "一个小时", "五分钟")
DAYS = ("今天", "明天", "后天", "这周", "星期天")
AMOUNTS = ("一盒", "两盒", "三盒", "一瓶", "两瓶", "三十片")
VALUES: Mapping[str, Sequence[str]] = {
    "{systolic}": ("一百二", "一百三十五", "一百四", "一百五", "一百四十八", "一百六"), "{diastolic}": ("八十", "八十五", "九十", "九十五", "七十八"),
    "{value}": ("六点三", "七点一", "七十八", "三十七度二", "五点八", "三十六度五", "一百二十斤"), "{number}": ("一", "两", "三", "十"),
}
WHATS = ("吃药", "量血压", "关火", "喝水", "取快递", "浇花", "起床", "交电费", "看电视", "买菜", "出门", "收衣服", "去医院", "打针")
MESSAGES = ("我今天不回去吃饭了", "晚上早点回来", "我没事", "给我买点菜", "到家给我打电话", "我想他了", "记得吃饭")
REASONS = ("大夫让停", "胃不舒服", "大夫说不用吃了")
NOTES = ("带上工具", "早点来")


def phrases(home: Household, book: Phrasebook, asking: Asking | None) -> list[str]:
    """At most MOST different phrases, distress first: nothing may crowd it out."""
    fills = fills_of(home, book)
    found: dict[str, None] = dict.fromkeys((*book.distress, *book.cancel) if asking in (None, "emergency") else book.distress)
    own = [template for template in book.templates if template.asking == ANSWERED_LIKE.get(asking, asking) and asking is not None]
    anywhere = [template for template in book.templates if not template.asking]
    for template in own:
        found.update(dict.fromkeys(islice(walks(template, fills), 4 * WALKS)))
    if asking == "chore":
        found.update(dict.fromkeys((*DONE, *(chore + done for chore in CHORES for done in ("了", "过了", "好了")))))
    if asking == "evidence":
        found.update(dict.fromkeys(EVIDENCE))
    if asking == "which":
        found.update(dict.fromkeys((*WHICH, *(word for name in slots.NAMES for word in fills["{" + name + "}"]))))
    if asking == "when":
        found.update(dict.fromkeys((*TIMES, *DURATIONS, *(part + clock for part in PARTS for clock in CLOCKS))))
    rounds = [walks(template, fills) for template in anywhere]
    for _ in range(WALKS if asking is None else 1):
        for walk in rounds:
            if len(found) >= MOST:
                return list(found)
            sentence = next(walk, "")
            if sentence:
                found[sentence] = None
    if asking is None:
        for word in fills["{person}"] + fills["{medicine}"] + fills["{service}"]:
            if len(found) < MOST:
                found[word] = None
    return list(found)[:MOST]


EVIDENCE = ("空了", "空的", "是空的", "没有了", "没药了", "格子空了", "药没了", "还在", "还在呢", "药还在", "有药", "还有药", "没空", "里面有药", "还有一片")
DONE = ("弄好了", "做好了", "办好了", "做完了", "搞好了", "火关了", "花浇了", "垃圾倒了", "门锁了", "衣服收了")
CHORES = ("关", "倒", "浇", "收", "锁", "拿", "量", "洗", "买", "交", "打", "喂", "晒", "充")
WHICH = ("第一个", "第二个", "第三个", "头一个", "前面那个", "后面那个", "最后一个", "都不是", "都要", "都不要")
PARTS = ("", "早上", "上午", "下午", "晚上", "明天早上", "明天下午", "后天上午", "星期六下午")
CLOCKS = ("六点", "七点", "七点半", "八点", "八点半", "九点", "十点", "十一点", "十二点", "一点", "两点", "三点", "四点", "五点", "五点半")


def fills_of(home: Household, book: Phrasebook) -> dict[str, list[str]]:
    fills: dict[str, list[str]] = {"{person}": [], "{medicine}": [], "{service}": []}
    for word in slots.household_words(home, book):
        if word.value and word.extra <= 0.05 and len(word.text) > 1 and word.text not in fills[word.concept]:
            fills[word.concept].append(word.text)
    fills |= {slot: list(words) for slot, words in VALUES.items()}
    fills |= {
        "{when}": list(TIMES), "{duration}": list(DURATIONS), "{day}": list(DAYS), "{amount}": list(AMOUNTS),
        "{what}": list(WHATS), "{message}": list(MESSAGES), "{reason}": list(REASONS), "{note}": list(NOTES),
    }
    return fills


def walks(template: Template, fills: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Sentences of one template, each taking other branches than the last."""
    seen: set[str] = set()
    barren = 0
    turn = 0
    while barren < 8:
        sentence = _walk(template, fills, turn)
        turn += 1
        if not sentence or sentence in seen:
            barren += 1
            continue
        barren = 0
        seen.add(sentence)
        yield sentence


def _walk(template: Template, fills: Mapping[str, Sequence[str]], turn: int) -> str:
    """Backwards from an end to the start; `turn` chooses the branches, as the digits of a number in mixed radix."""
    state = turn * 7919 + len(template.nodes)
    at = template.last[state % len(template.last)]
    said: list[str] = []
    while at >= 0:
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        token = template.nodes[at]
        if token[0] == "{":
            words = fills.get(token, ())
            if not words:
                return ""
            said.append(words[(state >> 8) % len(words)])
        else:
            said.append(token)
        before = template.before[at]
        at = before[(state >> 4) % len(before)]
    return "".join(reversed(said))
