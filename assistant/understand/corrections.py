"""Where a speaker takes a word back: 给强子，不对，给敏敏打电话."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.understand.matcher import Span, Utterance
from assistant.understand.slots import Measures

CORRECTION = re.compile(r"(?<![是要对])(?:啊不对|哦不对|噢不对|[哦噢呃啊]不行(?!了)|[啊哦噢呃]不(?![要用好成必想能会接])|不对不对|不对|不是不是|不是(?!我?吃|很|太|没|因为|说)|说错了|我说错了|讲错了|(?<![按摁碰拿吃走认坐])错了|不是?[哦噢](?=[是对好行要可])|唔系(?=[，,听我系今后下])|应该是(?![吃服喝打咽没忘])|算了(?=(?:还是|就)?[一二三四五六七八九十两]{1,2}点))(?![起劲付头路啊吗])")
"""Where an elder takes a word back."""

_RATHER = re.compile(r"是[给要让叫找打约]|我[要想]|我说的?是|我是说")
"""Behind 不是 that opens an utterance: what is meant instead."""
_THIS = re.compile(r"(?:我?(?:说|讲|要|找|指)的?|就)是[^不]{1,6}$")
"""Before 不是: it says what is not meant, 我说的是剪头发，不是修灯."""
_NOT_BUT = re.compile(r"([给跟同找叫让打约])[^不]{1,7}(?<![不说])(是)\1")
"""Behind 不是: what is denied, and what is meant instead, 不是给强子打，是给老王打."""
_SUBJECTS = ("", *"我俺咱你您他她它这那也可又都就还并倒人")
"""Before 不是 these make it a denial, no correction."""

NEAR = 4
"""Syllables between the mark and what is meant instead."""
_SIGH = re.compile(r"(?:[瞧看你]*我?这?(?:个|张)?(?:嘴|记性|脑子|脑壳|脑筋)(?:[啊呀哟])?|[你我]?(?:看|瞧)我[都又]?(?:糊涂|说错|搞错)了?|我?(?:又|都)?(?:糊涂|老糊涂)了)")
"""What may stand behind the mark besides: 不是不是，瞧我这嘴，约个打扫卫生的."""

_ASKED = re.compile(r"提醒|[叫喊让记]我|我[要去]")
"""Between a time and the mark: what is asked for stands there, and stays."""

_VALUE_OF = {"{day}": "{when}", "{duration}": "{when}"}


def take_back(said: Utterance, found: Measures) -> None:
    """After 不对 and the like the earlier word of the same kind no longer counts: its syllables weigh nothing."""
    for mark in CORRECTION.finditer(said.text):
        sigh = _SIGH.match(said.text, mark.end())
        begin = sigh.end() if sigh else mark.end()
        after = [span for span in said.spans if begin <= span.start <= begin + NEAR and span.concept[0] == "{"]
        for span in after:
            before = [old for old in said.spans if old.concept == span.concept and old.end <= mark.start()]
            if not before:
                continue
            if span.concept == "{person}" and mark[0] == "不是":
                break  # 给强子打不是给敏敏: taken back or denied, so slots.py asks
            if mark[0] == "不是" and said.text[:before[-1].start].endswith("是"):
                break  # 我说的是剪头发，不是修灯
            last = max(before, key=lambda old: (old.end, old.end - old.start))
            if mark[0] == "不是" and span.concept == "{service}" and denies(said, mark.end(), last.start, span.start):
                break
            measured = span.concept in ("{when}", "{day}", "{duration}", "{number}")
            places = [(mark.start(), span.start)] if measured else [(last.start, last.end), (mark.start(), span.start)]
            if span.concept == "{person}" and said.text[span.start:span.end] == said.text[last.start:last.end] and any(
                other.concept == "{person}" and other.start >= span.end and other.value != span.value for other in said.spans
            ):
                places.append((span.start, span.end))  # 跟强子视频，哦不，强子今天值班，跟小军视频
            gone = [old for old in said.spans if any(start <= old.start and old.end <= end for start, end in places)]
            if measured and _ASKED.search(said.text[last.end:mark.start()]):
                said.taken_back += [(last.start, last.end), (mark.start(), span.start)]  # 八点提醒我量血压，不对，九点
            else:
                said.taken_back.append((last.start, span.start) if measured else (last.start, last.end))
            for old in gone:
                said.spans.remove(old)
                said.concepts[old.concept] = [kept for kept in said.concepts.get(old.concept, []) if kept is not old]
                if not said.concepts[old.concept]:
                    del said.concepts[old.concept]
                if old in said.turning:
                    said.turning.remove(old)
            dead = {at for start, end in (*places, *said.taken_back) for at in range(start, end)}
            for at in dead:
                said.weights[at] = 0.02
            said.hidden = said.hidden - dead
            break


def denies(said: Utterance, after: int, first: int, second: int) -> bool:
    """Whether 不是, ending at `after`, may deny the second of two things asked for in one way: 约理发，不是约洗澡."""
    asked = said.text[after:second]
    return bool(asked) and said.text[:first].endswith(asked) and said.text[after - 2:after + 2] not in said.borders


def restarted(text: str, least: int = 4) -> str:
    """What is said after the speaker takes back everything: at least so many syllables. 我不是心疼 takes nothing back."""
    marks = [
        mark for mark in CORRECTION.finditer(text)
        if not (mark[0] == "不是" and text[:mark.start()][-1:] in _SUBJECTS and not (mark.start() == 0 and _RATHER.match(text[mark.end():])))
        and not (mark[0] == "不是" and _THIS.search(text[:mark.start()]))
    ]
    if not marks:
        return ""
    instead = _NOT_BUT.match(text, marks[-1].end())
    begin = instead.end(2) if instead else marks[-1].end()
    return text[begin:] if len(text) - begin >= least else ""


_PONDERS = re.compile(
    r"(?:(?:[让容等叫]?[我俺咱])?(?:再|先|好好)*(?:(?:琢磨|考虑|合计|寻思|思量|盘算|掂量){1,2}(?:一下)?|想想看?|想一[想下])|[让容等叫][我俺咱](?:再|先|好好)*想)着?[啊嘛吧呢哈哦哎嗯呀]*"
)
_ONLY_PONDERS = re.compile(rf"(?:[嗯呃啊哦唉哎额]|那个|这个|就是)*(?:{_PONDERS.pattern})+")


def decided(text: str) -> str:
    """What is said after thinking aloud: 嗯，让我琢磨琢磨，|成吧."""
    marks = list(_PONDERS.finditer(text))
    rest = text[marks[-1].end():] if marks else ""
    return "" if rest.startswith(("再", "一会", "等会")) else rest


def only_ponders(text: str) -> bool:
    """Whether nothing is said but that one thinks: 那个……嗯……我寻思着吧."""
    return _ONLY_PONDERS.fullmatch(text) is not None


def mended(text: str, sounds: Sequence[str], spans: Sequence[Span]) -> str:
    """What stands beside times and values and sounds like 不对 or 半 (九点部队十点, 星期二不得星期三, 九点伴), and 了 written as a number: 我摔到零."""
    values = [(span.start, span.end, _VALUE_OF.get(span.concept, span.concept)) for span in spans if span.concept[0] == "{"]
    for at in range(1, len(text) - 2):
        if sounds[at] != "bu" or text[at:at + 2] == "不对" or sounds[at + 1] not in _LIKE_RIGHT:
            continue
        far = _LIKE_RIGHT[sounds[at + 1]]
        before = {kind for _, end, kind in values if at - far <= end <= at}
        after = {kind for start, _, kind in values if at + 2 <= start <= at + 2 + far}
        if before & after or (far and "{when}" in before and "dian" in sounds[at + 3:at + 5]):
            text = text[:at] + "不对" + text[at + 2:]
    text = _I_FELL.sub("我摔倒了", _MINE.sub("我", _days(text, sounds)))
    return _SLURRED.sub("我摔倒了", _FALLEN.sub("了", _HALF.sub("半", text)))


def _days(text: str, sounds: Sequence[str]) -> str:
    """Days of the week and near days that are written as what they sound like, before a part of the day or an hour: 辛期三早上, 喉儿早起六点."""
    for at in range(len(text) - 2):
        if text[at + 2] in "一二三四五六日天" and (at + 3 == len(text) or _BEHIND_A_DAY.match(text, at + 3)):
            for word, first, second in _WEEK:
                if sounds[at] in first and sounds[at + 1] in second and text[at:at + 2] != word:
                    text = text[:at] + word + text[at + 2:]
        if text[at + 1] in "天儿而" and _BEHIND_A_DAY.match(text, at + 2):
            near = next((word for word, like in _NEAR_DAY.items() if sounds[at] in like), "")
            if near and (text[at] != near or text[at + 1] == "而"):
                text = text[:at] + near + text[at + 1].replace("而", "儿") + text[at + 2:]
    return _YESTERDAY.sub("昨天", text)


_YESTERDAY = re.compile(r"[足祖租阻卒组走奏凑佐作坐座左做]天(?=[的晚早上下夜吃])")
_BEHIND_A_DAY = re.compile(r"(?:大?清?早|上午|下午|晚上|夜里|中午|晌午|傍晚|凌晨|后晌|[零一二两三四五六七八九十]{1,3}点)")
"""Behind a day; 点 alone is none: 心急三点."""
_WEEK = (
    ("星期", frozenset({"xing", "xin", "qing", "xiang"}), frozenset({"qi", "ji", "xi", "chi", "qu"})),
    ("礼拜", frozenset({"li", "ni", "lei"}), frozenset({"bai", "pai", "bei", "ban"})),
)
"""Sounds a recogniser writes for the two syllables."""
_NEAR_DAY = {"后": frozenset({"hou", "fou", "gou"}), "明": frozenset({"ming", "min"}), "今": frozenset({"jin", "jing"})}
_LIKE_RIGHT = {"dui": 3, "de": 0, "dei": 0}
"""What is heard for 对 in 不对, and how far from the two values it may stand: what sounds otherwise must stand between them."""
_HALF = re.compile(r"(?<=[一二两三四五六七八九十]点)(?:[伴绊扮瓣]|办(?=[吧啊了呢嘛]?$))")
"""九点伴 is no other word; 九点办吧 may be one, but not as likely."""
_FALLEN = re.compile(r"(?<=[摔跌滑晕绊栽][到倒])(?:[零〇]|[粒练裂列咧](?=$|[哎呀老小快起站爬动])|那(?=$|哎|呀|啊))")
"""Nobody falls to zero; a grammar that holds numbers writes 了 so in a noise, and the free decoder 粒, 练, 裂, 那."""
_MINE = re.compile(r"我国(?=的(?:腿|手|头|胸口|心口|腰|脚|胳膊))")
"""No country has a leg: 我的腿."""
_I_FELL = re.compile(r"(?:(?<=[来快呀啊哟伴哎])|^)[家补骨许幅符估腹扶不]摔倒(?:[了零粒练裂列]|$)")
"""我 is the least of the syllables a recogniser hears of 我摔倒了: 快来家摔倒了, 小伴不摔倒粒. 人家摔倒了 and 扶摔倒的老人 say something else."""
_SLURRED = re.compile(r"[我午五勿误污物湖护户腹附唔吴墨不]?[谁水睡](?:道理|[到倒][理粒里练裂列咧])(?=$|[,，。]|[起站爬动疼小哎])")
"""我摔倒了 of a voice that slurs it, as the small model writes it: 午睡到粒, 湖水道理. Nobody says any of that."""
