"""Times as elders say them: text and now → moments, dates, lengths and recurrences, and back into plain words.

One grammar, written once in characters and read twice: as it stands, and as sound (every character replaced by one
that stands for its toneless syllable), so that 明天夏午三点 and 十分种 are understood. What only sounds like a time must
show more evidence than what is written as one; see `_believable`.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Literal

from assistant.home import Care
from assistant.understand import numbers, sound
from assistant.when import WEEKDAYS, Recurrence, moons

Kind = Literal["moment", "date", "duration", "recurrence"]
Value = datetime | date | timedelta | Recurrence

SOON = timedelta(minutes=10)
"""等会儿: the snooze of CARE.md section 3."""
AROUND_MEAL = timedelta(minutes=30)
"""早饭后 and 饭前 are this far from the meal."""
WAKING = range(6, 23)
"""Hours an unmarked clock time is looked for in: nobody means three in the morning by 三点."""
LONGEST = 400
"""Characters of a sentence that are read: 80 s of speech at 5 syllables a second; junk must not cost."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in a sentence."""

    start: int
    end: int
    """Characters [start, end) of the sentence."""
    text: str
    """Those characters."""
    value: Value
    """moment: naive local datetime; date: date; duration: timedelta; recurrence: Recurrence."""
    kind: Kind
    alternatives: tuple[Value, ...] = ()
    """Other plausible values, likeliest first: the other half of the day, 四 heard for 十, lunar for solar."""
    length: timedelta | None = None
    """How far from now, when the words said so (十分钟后, 等会儿, 三天后); None for 八点."""


# --- vocabulary ---------------------------------------------------------------------------------------------------

PARTS: Mapping[str, tuple[str, str]] = {
    "凌晨": ("dawn", "05:00"), "天亮": ("dawn", "06:00"), "清晨": ("morning", "06:30"), "大清早": ("morning", "06:30"),
    "清早": ("morning", "06:30"), "一大早": ("morning", "07:00"), "一早": ("morning", "07:00"),
    "早晨": ("morning", "08:00"), "早上": ("morning", "08:00"), "早起": ("morning", "08:00"), "早": ("morning", "08:00"),
    "上午": ("forenoon", "09:00"), "前半晌": ("forenoon", "09:00"), "前晌": ("forenoon", "09:00"), "头晌": ("forenoon", "09:00"),
    "中午": ("noon", "12:00"), "晌午": ("noon", "12:00"), "正午": ("noon", "12:00"), "中": ("noon", "12:00"),
    "下午": ("afternoon", "15:00"), "后半晌": ("afternoon", "15:00"), "后晌": ("afternoon", "15:00"),
    "过晌": ("afternoon", "15:00"), "午后": ("afternoon", "15:00"),
    "傍晚": ("dusk", "18:00"), "傍黑": ("dusk", "18:00"), "擦黑": ("dusk", "18:00"), "黄昏": ("dusk", "18:00"),
    "天黑": ("dusk", "18:00"), "晚上": ("evening", "20:00"), "晚间": ("evening", "20:00"), "夜晚": ("evening", "20:00"),
    "晚": ("evening", "20:00"), "前半夜": ("night", "22:00"), "夜里": ("night", "22:00"), "夜间": ("night", "22:00"),
    "深夜": ("night", "23:00"), "大半夜": ("night", "00:00"), "后半夜": ("night", "03:00"), "半夜": ("night", "00:00"),
    "午夜": ("night", "00:00"), "夜里厢": ("night", "22:00"), "晚黑": ("evening", "20:00"), "夜头": ("evening", "20:00"),
    "朝早": ("morning", "08:00"), "朝头": ("morning", "08:00"), "透早": ("morning", "06:30"), "早晨头": ("morning", "08:00"), "下黑": ("evening", "19:00"), "掌灯": ("dusk", "18:00"), "上半天": ("forenoon", "09:00"), "下半天": ("afternoon", "15:00"),
}
"""Part of the day → its kind and the time meant when no clock time is said."""

WINDOWS: Mapping[str, Mapping[int, int]] = {
    "dawn": {12: 0, **{hour: hour for hour in range(0, 8)}},
    "morning": {hour: hour for hour in range(3, 13)},
    "forenoon": {hour: hour for hour in range(5, 13)},
    "noon": {10: 10, 11: 11, 12: 12, 1: 13, 2: 14, 13: 13, 14: 14},
    "afternoon": {12: 12, **{hour: hour + 12 for hour in range(1, 8)}, **{hour: hour for hour in range(13, 20)}},
    "dusk": {**{hour: hour + 12 for hour in range(4, 9)}, **{hour: hour for hour in range(16, 21)}},
    "evening": {0: 24, 12: 24, 1: 25, 2: 26, 3: 27, **{hour: hour + 12 for hour in range(5, 12)},
                **{hour: hour for hour in range(17, 24)}, 24: 24},
    "night": {0: 24, 12: 24, 24: 24, **{hour: hour + 24 for hour in range(1, 6)},
              **{hour: hour + 12 for hour in range(6, 12)}, **{hour: hour for hour in range(18, 24)}},
}
"""Kind of part → hour said → hour meant; 24 and more belong to the night that follows the day named."""

MEALS: Mapping[str, str] = {
    "早饭": "breakfast", "早餐": "breakfast", "早点": "breakfast", "早起饭": "breakfast", "午饭": "lunch", "午餐": "lunch",
    "中午饭": "lunch", "中饭": "lunch", "晌午饭": "lunch", "晌饭": "lunch", "晚饭": "supper", "晚餐": "supper",
    "夜饭": "supper", "早": "breakfast", "中": "lunch", "午": "lunch", "晚": "supper",
}
MEAL_OF_PART = {"dawn": "breakfast", "morning": "breakfast", "forenoon": "breakfast", "noon": "lunch", "afternoon": "supper", "dusk": "supper",
                "evening": "supper", "night": "supper"}

NEAR_DAYS: Mapping[str, int] = {
    "大前天": -3, "前天": -2, "前儿个": -2, "前儿": -2, "昨天": -1, "昨儿个": -1, "昨儿": -1, "昨日": -1, "昨": -1,
    "今天": 0, "今儿个": 0, "今儿": 0, "今日": 0, "今": 0, "当天": 0, "明天": 1, "明儿个": 1, "明儿": 1, "明日": 1, "明": 1,
    "赶明儿个": 1, "赶明儿": 1, "赶明天": 1, "赶明个": 1, "赶明": 1, "后天": 2, "后儿个": 2, "后儿": 2, "后日": 2,
    "大后天": 3, "大后儿": 3, "大后日": 3,
    "今朝": 0, "明朝": 1, "后朝": 2, "听日": 1, "听朝": 1,
}

LUNAR_FESTIVALS: Mapping[str, tuple[int, int]] = {
    "春节": (1, 1), "大年初一": (1, 1), "年初一": (1, 1), "过年": (1, 1), "大年初二": (1, 2), "大年初三": (1, 3),
    "破五": (1, 5), "元宵节": (1, 15), "元宵": (1, 15), "龙抬头": (2, 2), "端午节": (5, 5), "端午": (5, 5),
    "端阳": (5, 5), "七夕": (7, 7), "中元节": (7, 15), "中秋节": (8, 15), "中秋": (8, 15), "八月节": (8, 15),
    "重阳节": (9, 9), "重阳": (9, 9), "腊八节": (12, 8), "腊八": (12, 8), "小年": (12, 23),
    "除夕": (12, -1), "年三十": (12, -1), "大年三十": (12, -1), "年根儿": (12, -1),
}
"""Name → (lunar month, day), −1 the last; 小年 as in the north."""
SOLAR_FESTIVALS: Mapping[str, tuple[int, int]] = {
    "元旦": (1, 1), "情人节": (2, 14), "妇女节": (3, 8), "三八节": (3, 8), "劳动节": (5, 1), "五一节": (5, 1),
    "五一": (5, 1), "青年节": (5, 4), "儿童节": (6, 1), "六一": (6, 1), "建军节": (8, 1), "八一": (8, 1),
    "教师节": (9, 10), "国庆节": (10, 1), "国庆": (10, 1), "十一国庆": (10, 1), "平安夜": (12, 24), "圣诞节": (12, 25),
    "圣诞": (12, 25),
}
FLOATING: Mapping[str, tuple[int, int]] = {"母亲节": (5, 2), "父亲节": (6, 3)}
"""Name → (month, which Sunday)."""
TERMS = ("立春", "雨水", "惊蛰", "春分", "清明", "谷雨", "立夏", "小满", "芒种", "夏至", "小暑", "大暑", "立秋", "处暑",
         "白露", "秋分", "寒露", "霜降", "立冬", "小雪", "大雪", "冬至", "小寒", "大寒")
WEATHER = ("雨水", "小暑", "大暑", "白露", "寒露", "霜降", "小雪", "大雪", "小寒", "大寒", "小满")
"""Solar terms that are also weather or ordinary words: they count only as 大雪那天 or 大雪节气."""

DAY_NUMBERS = "日一二三四五六"
WEEKDAY_OF = {**{char: index for index, char in enumerate("一二三四五六日")}, "天": 6}

ALIKE: Mapping[int, tuple[int, ...]] = {4: (10,), 10: (4,), 14: (10,), 40: (14,)}
"""四 and 十 sound alike in many mouths (CARE.md section 1): both are kept."""

CORRECTIONS = re.compile(r"不对|不是|唔系|勿是|弗是|哦不|噢不|错了|说错|应该是|改成|换成|改到|还是")
"""Words after which the time said before is taken back."""

TRADITIONAL = str.maketrans("點鐘後個兩號週禮飯過時間幾從開農曆陰臘節儿睡覺離國慶陽勞動婦", "点钟后个两号周礼饭过时间几从开农历阴腊节儿睡觉离国庆阳劳动妇")


# --- grammar ------------------------------------------------------------------------------------------------------
# Patterns are plain strings in characters; look-arounds hold no parentheses so that `_vocabulary` can leave them out.

_GAP = "(?:那个|这个|[啊呀呢嗯呃哦的吧是就在要都，,、 ]){0,2}"
_GAP_HEARD = "[啊呀呢嗯呃的，,、 ]?"


def _any(words: Mapping[str, object] | tuple[str, ...]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


def _patterns(gap: str, oclock: str) -> dict[str, str]:
    """The grammar. `oclock` is what may stand for 时 in 十五时: nothing when read as sound, where it is 十."""
    n = r"(?:[零一二两三四五六七八九十百俩仨]{1,7}|\d{1,5})"
    hour = (r"(?:(?<=[上下中晌正]午)|(?<![零一二两三四五六七八九十百第\d.]))"
            r"(?:二十[一二三四]?|十[一二三四五六七八九]?|[零一二两三四五六七八九]|2[0-4]|[01]?\d)")
    sixty = r"(?:[二三四五]?十[一二三四五六七八九]?|[一二三四五六七八九]|[0-5]?\d)"
    minute = r"(?:[二三四五]?十[一二三四五六七八九]?|[零过][一二三四五六七八九]|[一二三四五六七八九](?=分)|[0-5]\d|\d(?=分))"
    decimal = r"(?![零一二三四五六七八九\d]+$|[零一二三四五六七八九\d]+[了啊呀吧的呢哦,，。！!?？ 度毫斤公左多])"
    things = r"(?!建议|意见|要求|原因|内容|好处|注意|心得|共识)"
    clock = (
        rf"差(?P<to>{sixty}|[一三两]刻)分?钟?不?到?就?(?P<h1>{hour})点钟?"
        rf"|(?P<h2>{hour})点钟?还?[差欠](?P<to2>{sixty}分|[一三两]刻|十五|二十|十)钟?"
        rf"|(?P<h>{hour})(?:(?:点钟?{oclock})(?:(?P<half>半)|(?P<quarter>[一二两三]刻)|过?(?P<m>{minute})分?|整)?)"
        rf"{decimal}{things}(?:左右|来钟|前后|多)?"
        r"|(?P<h4>(?<!\d)(?:2[0-4]|[01]?\d))[:：](?P<m4>[0-5]\d)(?!\d)"
    )
    part = rf"(?:{_any({word: 0 for word in PARTS if len(word) > 1})})儿?|(?<=[今明昨后每])[早晚](?!饭|点)|[早晚](?=[二十零一两三四五六七八九\d]+点)(?!一点)"
    bell = r"(?:(?<=个)|(?<=个半))(?:钟(?![头点表楼摆])|点儿?(?=以后|之后|过后|后|$))"
    length = (
        rf"(?P<ln>{n}|[几])(?P<lmore>[来多])?个?[来多]?(?P<lhalf>半)?(?P<lu>小时|钟头|{bell})(?:零?(?P<lm>{n})分钟?|零(?P<lmq>[一三])刻钟?)?"
        rf"|(?<!个)半[个拉]?[来多]?(?P<hu>小时|钟头|{bell})|(?P<lq>[一两二三])刻钟|(?P<lsome>个把)(?:小时|钟头|钟)|(?P<lsomeq>刻把)钟"
        rf"|(?P<mn>{n}|几)[来多几]?(?P<mu>分)(?P<mhalf>半)?(?:钟|(?=以?之?后))|(?P<sn>{n})秒钟?"
    )
    days = (rf"(?<![第这那前头有好])(?P<dn>{n})[来多]?(?:个?(?P<du>天|(?:周|星期|礼拜)(?![一二三四五六日天](?![次回趟顿片粒颗遍])))|个(?P<dm>月))(?!生日|[里上])|半个月")
    month = r"(?:十[一二]?|[一二三四五六七八九]|1[0-2]|0?[1-9])"
    dayn = r"(?:[二]?十[一二三四五六七八九]?|三十一?|[一二三四五六七八九]|3[01]|[12]\d|0?[1-9])"
    first = r"初[一二三四五六七八九十]"
    year = r"(?:今年|明年|后年|去年|\d{4}年|[零一二三四五六七八九]{4}年)"
    places = r"(?![楼院门线床桌车厅房窗柜机馆店厂码井人])"
    week = r"(?:周|星期|礼拜)"
    feast = _any({**LUNAR_FESTIVALS, **SOLAR_FESTIVALS, **FLOATING, **{term: 0 for term in TERMS if term not in WEATHER}})
    named = rf"(?:(?:,|那个|是)?{week}[一二三四五六日天])?"
    lunar_date = (rf"(?:农历|阴历|旧历)的?(?P<lm1>正|冬|腊|{month})月(?P<ld1>{first}|{dayn})"
                  rf"|(?P<lm2>正|冬|腊)月(?P<ld2>{first}|{dayn})|(?P<lm3>{month})月份?(?P<ld3>{first})")
    solar_date = rf"(?:(?P<y>{year})的?)?(?P<mo>{month})月份?的?(?P<d>{dayn})(?P<unit>[号日])?(?!个|天|年|斤|块|岁|次)(?:,?{week}(?P<nwd>[一二三四五六日天]))?"
    far = "(?:以后|之后|过后|后)"
    day_rules = {
        "near": rf"(?:{_any({word: 0 for word in NEAR_DAYS if len(word) > 1})})|[今明昨](?=[早晚]|$)",
        "far": (rf"再?过(?P<fn>{n}|[几])个?(?P<fu>天|周|星期|礼拜)(?:{far})?|(?P<gn>{n}|[几])个?(?P<gu>天|周|星期|礼拜){far}"
                rf"|再?过(?P<fm>{n})个月(?:{far})?|(?P<gm>{n})个月{far}|再?过半个月(?:{far})?|半个月(?P<gh>{far})"
                rf"|(?P<bn>{n})天(?:以前|之前|前)"),
        "weekend": r"(?P<wkrel>下下|上上|这|本|下|上)?一?个?(?:周|星期|礼拜)末",
        "weekday": rf"(?P<wrel>下下|上上|这|本|下|上)?一?个?(?:(?<![一两三四五六七八九十几半])|(?<=一)(?={week}[一二三四五六日天][上下中早晚])){week}(?P<wd>[一二三四五六日天])(?!次|回(?![来家去屋乡老])|遍|趟|共|起|直|定)",
        "lunar": lunar_date,
        "solar": solar_date,
        "in_month": rf"(?P<mrel>这个月|本月|下下个月|下个月|下月|上个月|上月)(?P<md>{dayn})[号日]?{places}{named}",
        "number": rf"(?<![零一二三四五六七八九十百月第\d])(?P<dd>{dayn})号{places}{named}",
        "edge": rf"(?P<erel>这个|下下个|下个|下|上个|上|本|{month})?月(?P<edge>底|末|初|的?最后一天|的?[第头]一天)(?!五|[一二三四六七八九十])|年底",
        "feast": (rf"(?:(?P<fy>今年|明年|后年|去年)的?)?(?:(?P<feast>{feast})|(?P<term>{_any(WEATHER)})(?=那天|节气|这天))"
                  rf"节?(?:节气|那天|当天|这天)?(?:[的]?前(?P<fbefore>{n})天|(?P<feve>前夕|头一天))?"),
        "moon_day": rf"(?:农历|阴历|旧历)的?(?P<mday>{dayn})|(?<![上读念年])(?P<minit>{first})(?!中)",
        "week": rf"(?P<wk>下下|下)个?{week}(?![一二三四五六日天末])",
        "month": r"(?P<mk>下下个|下个|下)月(?![底末初一二三四五六七八九十\d])",
    }
    day = "|".join(f"(?:{_anonymous(rule)})" for rule in day_rules.values())
    since = day.replace("|起|", "|")  # 下周一起 is no 一起 here
    meal_names = _any({word: 0 for word in MEALS if len(word) > 1})
    side = "(?:以后|之后|后头|后|以前|之前|前头|前)"
    offset = rf"(?:半个?(?:小时|钟头)|{n}个?半?(?:小时|钟头)|{n}分钟|[一三]刻钟)"
    meal = (
        rf"(?:吃[完过了罢])?(?P<meal>{meal_names})(?:吃[完过罢])?(?:(?P<mside>{side})(?P<moff>{offset})?|(?P<mat>的?时候|那会儿|那顿))"
        rf"|吃[完过罢](?P<mdone>{meal_names})(?![了吗没])"
        rf"|(?<![早午晚中晌夜顿三餐])饭(?P<bside>{side})(?P<boff>{offset})?|吃完饭(?P<bdone>{far})|吃饭(?P<bwhile>前|以前|之前|的?时候)"
        rf"|(?:临睡觉?|睡觉?|上床)(?P<bed>以前|之前|前)(?P<bedoff>{offset})?|(?P<nod>临睡)|睡觉(?P<bedat>的?时候|时)"
        rf"|(?:起床|起来)(?P<up>以后|之后|后|的?时候|时)(?P<upoff>{offset})?"
    )
    item = rf"(?:(?:{part}){gap})?(?:{_anonymous(clock)})|(?:(?:{part}))?(?:{_anonymous(meal)})|(?:{part})"
    joint = r"(?:[和跟与及加、，, ]|还有|各|再)?"
    bare = r"早中晚|早午晚|早晚|中晚|早中"
    many = rf"(?!中午饭)(?:[早中午晚]、?)+饭(?:{side})|{n}顿饭?(?:{side})|一?日?三餐(?:{side})?|每[顿餐]饭?(?:{side})|顿顿饭?(?:{side})"
    after_meals = rf"饭{side}"
    ats = rf"(?:{many}|{bare}|{item}|起床|睡觉)(?:各?一[次片粒颗]|各)?(?:{joint}(?:{many}|{bare}|{item}))*"
    and_ = "(?:[和跟同与、,，]|还有)"
    week_days = rf"[一二三四五六日天](?:{and_}?(?:{week})?[一二三四五六日天])*"
    week_range = rf"[一二三四五六日天][到至]{week}?[一二三四五六日天]"
    no_count = r"(?!次|回(?![来家去屋乡老])|遍|趟)"
    rules = {
        "hours": rf"每隔?(?P<hn>{n})?个?(?P<hu2>小时|钟头)|每隔?(?P<hh>半)个?(?:小时|钟头)|隔(?P<hn2>{n})个?(?:小时|钟头)",
        "skip": rf"每?隔(?P<sk>{n})[天日]|每?隔[天日](?!天)|每(?P<ev>{n})[天日](?!早饭)",
        "weeks": rf"每?隔(?P<wsk>{n})?个?{week}(?P<wswd>[一二三四五六日天])?|每(?P<wev>[两二三四])个?{week}(?:的?(?:{week})?(?P<wewd>[一二三四五六日天]))?",
        "week": (rf"(?:每逢|每个?|逢){week}(?P<dl>{week_range}|{week_days}){no_count}"
                 rf"|(?<![天儿日朝是]){week}(?P<dl2>{week_range}|[一二三四五六日天](?:{and_}?(?:{week})?[一二三四五六日天])+){no_count}"),
        "workdays": r"工作日|平日里?|平常日子",
        "weekends": rf"(?:每逢|每个?|逢){week}末",
        "moon": (rf"(?:每个?月|每逢|逢)的?(?:农历|阴历)?的?(?P<ml>{first}(?:[和、跟,，]?(?:{first}|{dayn}))*)"
                 rf"|(?:农历|阴历)?初一[和、跟,，]?(?P<mf>十五)(?!号)|每个?月(?:农历|阴历)的?(?P<ml3>{dayn})"),
        "month": rf"每个?月的?(?:(?P<mdl>{dayn}[号日]?(?:[和、跟,，]?{dayn}[号日])*)(?<=[号日])|月?(?P<mlast>底|最后一天))",
        "year": rf"每年的?(?P<yday>(?:{_anonymous(lunar_date)})|(?:{_anonymous(solar_date)})|(?:{feast}))",
        "times": rf"(?:每天|每日|一天|一日|天天)(?:吃|服|喝|用)?(?P<tn>{n})(?:[次回遍趟]|顿(?!饭))",
        "day": r"(?:每天|天天|每日|日日|每一天)|每(?=[早晚]|中午|下午|上午|晌午|傍晚|夜里|半夜|凌晨|$)",
        "meals": rf"(?:每天|一天|一日|天天)?(?P<ms>(?!中午饭)(?:[早中午晚]、?){{2,}}饭{side}|{n}顿饭?{side}|三餐{side}|每[顿餐]饭?{side}|顿顿饭?{side})",
        "each": rf"(?P<ea>{bare})各",
    }
    recur = "|".join(f"(?:{_anonymous(rule)})" for rule in rules.values())
    course = (rf"(?:连着?|连续|一共|共)?[吃喝服用打]?(?P<cn>{n})个?(?P<cu>天|周|星期|礼拜|月)|半个月"
              rf"|(?:一直)?[吃喝服用打]?到(?P<cuntil>{day})(?:为止)?")
    tables = {f"day.{name}": rule for name, rule in day_rules.items()}
    tables |= {f"recur.{name}": rule for name, rule in rules.items()}
    soon = (r"(?:再?等|再?过|待|呆)一?小?会儿?|(?<![了坐歇躺睡站玩聊看说住走哭笑])一小?会儿|(?:再?等|稍等)一下儿?|等下儿?(?!次|周|个)"
            r"|等等(?!我|他)|晚一?点儿?(?=再|吃)|过一阵儿?")
    return tables | {
        "recur": (rf"(?:从?(?P<rstart>{since})(?:开始|起){gap})?(?P<rule>{recur})(?:{gap}从?(?P<ats>{ats})(?:开始|起)?)?(?:各?一[次回]|各)?"
                  rf"(?:{gap}(?:{course}))?|(?P<ats2>{item}){gap}(?P<rule2>每天|天天)"),
        "when": (rf"(?:(?P<day>{day}){gap})?(?:(?:(?P<mpart>{part}){gap})?(?P<mealtime>{meal})|(?:(?P<part>{part}){gap})?(?:{clock})"
                 rf"|(?P<only>{part}))|(?P<alone>{day})"),
        "later": (rf"(?:(?P<pre>再等|再?过|等)个?)?(?P<length>{_anonymous(length)})"
                  r"(?P<post>以后|之后|过后|后(?!天|儿)|以前|之前|前(?!天|儿))?"),
        "length": length,
        "days": rf"(?P<dlen>{_anonymous(days)})",
        "soon": soon,
        "item": rf"(?P<imany>{many})|(?P<ibare>{bare})|(?P<iup>起床)|(?P<ibed>睡觉)|(?:(?P<impart>{part}))?(?P<imeal>{meal})|(?:(?P<ipart>{part}){gap})?(?:{clock})|(?P<ionly>{part})",
        "meal": meal,
        "after_meals": after_meals,
        "count": days,
    }


def _anonymous(pattern: str) -> str:
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


_OCLOCK = "|时(?=半|整|[零一二三四五六七八九十0-9]+分)"


class _Language:
    """The grammar and its word lists, spelled in characters or in sounds."""

    def __init__(self, spell: Callable[[str], str], gap: str, oclock: str) -> None:
        self.spell = spell
        self.patterns = {name: re.compile(spell(rule)) for name, rule in _patterns(gap, oclock).items()}
        tables: tuple[Mapping[str, object], ...] = (
            PARTS, MEALS, NEAR_DAYS, LUNAR_FESTIVALS, SOLAR_FESTIVALS, FLOATING, WEEKDAY_OF, _TERM_NAMES)
        # where two words sound alike (上午, 晌午) the first of the table counts
        self.lists = {id(table): {spell(word): value for word, value in reversed(list(table.items()))} for table in tables}

    def look(self, table: Mapping[str, object], word: str) -> object:
        """The value of a word of one of the lists; None if it is not in it."""
        return self.lists[id(table)].get(word)


_TERM_NAMES: Mapping[str, str] = {term: term for term in TERMS}


def _plain(text: str) -> str:
    return text


def _vocabulary() -> tuple[str, frozenset[str]]:
    """Characters of the grammar, number words first, and the pairs of characters that stand side by side in it."""
    pieces = "|".join(_patterns("", _OCLOCK).values())
    pieces = re.sub(r"\(\?<?[!=][^()]*\)", "|", pieces)
    chars = dict.fromkeys("零一二三四五六七八九十百两半点分" + "".join(re.findall(r"[\u3400-\u9fff]", pieces)))
    runs = re.findall(r"[\u3400-\u9fff]{2,}", pieces.replace("?", ""))
    pairs = {run[index : index + 2] for run in runs for index in range(len(run) - 1)}
    return "".join(chars), frozenset(pairs)


_ALPHABET, _PAIRS = _vocabulary()
_KNOWN = frozenset(_ALPHABET)
_NUMERIC = frozenset("零一二三四五六七八九十百两半")

_MOUTHS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("z", "zh"), ("c", "ch"), ("s", "sh"), ("l", "n"), ("n", "l"), ("f", "h"),
           ("h", "f"), ("r", "l"))
_TAILS = (("ang", "an"), ("eng", "en"), ("ing", "in"), ("an", "ang"), ("en", "eng"), ("in", "ing"))
"""Initials and finals that accents exchange (CARE.md section 1); used only where the syllable itself is no time word."""


@cache
def _syllable(char: str) -> str:
    heard = sound.syllables(char)
    return heard[0] if heard else ""


@cache
def _standing_for() -> Mapping[str, str]:
    """Syllable → the character of the grammar that stands for it."""
    return {_syllable(char): char for char in reversed(_ALPHABET)}


@cache
def _shared() -> frozenset[str]:
    """Characters that stand for a sound several characters of the grammar have."""
    table = _standing_for()
    return frozenset(char for syllable, char in table.items() if sum(_syllable(other) == syllable for other in _ALPHABET) > 1)


@lru_cache(maxsize=16384)
def _fold(char: str) -> tuple[str, int]:
    """The character that stands for this one's sound, and how far it is: 0 itself, 1 homophone, 2 an accent away."""
    if not "\u3400" <= char <= "\u9fff":
        return char, 0
    table = _standing_for()
    syllable = _syllable(char)
    if syllable in table:
        return table[syllable], 0 if char in _KNOWN else 1
    for said in _accents(syllable):
        if said in table:
            return table[said], 2
    return "＿", 9


def _accents(syllable: str) -> Iterator[str]:
    heads = [syllable] + [new + syllable[len(old):] for old, new in _MOUTHS if syllable.startswith(old)]
    yield from heads
    for head in heads:
        for old, new in _TAILS:
            if head.endswith(old):
                yield head[: -len(old)] + new


def _folded(text: str) -> str:
    return "".join([_fold(char)[0] for char in text])


@cache
def _written() -> _Language:
    return _Language(_plain, _GAP, _OCLOCK)


@cache
def _heard() -> _Language:
    return _Language(_folded, _GAP_HEARD, "")


# --- reading ------------------------------------------------------------------------------------------------------

_TWO_OR_THREE = re.compile(r"一两|[两二]三|三[四五]|四五|五六|六七|七八|八九")
"""Two neighbouring numbers that mean one or the other."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A candidate before it is chosen: its span, and the pieces a correction may inherit."""

    span: Span
    day: date | None = None
    part: str = ""
    """Name of a part of the day as said, in the language's spelling; `PARTS` through `language`."""
    clock: tuple[int, int, bool] | None = None
    """(hour as said, minute, whether it is on the 24-hour clock)."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """One language at one moment in one household."""

    language: _Language
    now: datetime
    """Naive local."""
    care: Care
    whole: bool = field(default=False)
    """The text is nothing but a time: the answer to 几点, or a line of the family's file."""

    # numbers

    def count(self, text: str | None) -> int | None:
        """A number of things; 几 is three."""
        if text is None:
            return None
        if _TWO_OR_THREE.fullmatch(text):
            text = text[0]  # 两三个钟: the sooner
        return 3 if text == self.language.spell("几") else numbers.whole(text)

    # days

    def day(self, text: str) -> tuple[date, tuple[date, ...]] | None:
        """The date of a day expression and its alternatives."""
        for name, pattern in self.language.patterns.items():
            if name.startswith("day."):
                found = pattern.fullmatch(text)
                if found:
                    try:
                        days = _DAYS[name](self, found)
                    except (ValueError, OverflowError):
                        days = []
                    if days:
                        return days[0], tuple(days[1:])
        return None

    # clock times

    def meal(self, found: re.Match[str], part: str | None) -> time:
        """Wall time of 早饭后, 睡前, 起床以后."""
        say, group = self.language.spell, found.groupdict()
        before = say("前")
        if group.get("bed") or group.get("bedat") or group.get("nod"):
            return self.shift(self.care.bedtime, -1 if group.get("bedoff") else 0, group.get("bedoff"))
        if group.get("up"):
            return self.shift(self.care.breakfast, -1, None)
        name = group.get("meal") or group.get("mdone")
        kind = str(self.language.look(MEALS, name)) if name else self.meal_now(part)
        side = group.get("mside") or group.get("bside") or group.get("bwhile") or ""
        sign = -1 if side.endswith(before) or side.startswith(before) else 1
        if group.get("mat") or (group.get("bwhile") and not (side.endswith(before))):
            sign = 0
        base: time = getattr(self.care, kind)
        return self.shift(base, sign, group.get("moff") or group.get("boff"))

    def meal_now(self, part: str | None) -> str:
        """The meal that 饭后 means: of the named part of the day, else the next one."""
        if part:
            known = self.language.look(PARTS, part)
            if isinstance(known, tuple):
                return MEAL_OF_PART[known[0]]
        clock = self.now.time()
        for kind in ("breakfast", "lunch", "supper"):
            if clock < self.shift(getattr(self.care, kind), 1, None):
                return kind
        return "breakfast"

    def shift(self, base: time, sign: int, offset: str | None) -> time:
        by = self.length(offset) if offset else AROUND_MEAL
        return (datetime.combine(date(2000, 1, 2), base) + sign * (by or AROUND_MEAL)).time()

    def length(self, text: str) -> timedelta | None:
        """Hours, minutes and seconds in words."""
        pattern = self.language.patterns["length"]
        found = pattern.fullmatch(text) or pattern.fullmatch(text + self.language.spell("钟"))  # 20分 before 后
        if not found:
            return None
        group, say = found.groupdict(), self.language.spell
        half = timedelta(minutes=30)
        if group["lu"]:
            hours = self.count(group["ln"])
            minutes = self.count(group["lm"]) if group["lm"] else 15 * (self.count(group["lmq"]) or 0) if group["lmq"] else 0
            if hours is None or minutes is None or hours > 999:
                return None
            return timedelta(hours=hours, minutes=minutes) + (half if group["lhalf"] else timedelta())
        if group["hu"]:
            return half
        if group["lsome"] or group["lsomeq"]:
            return 2 * half if group["lsome"] else half / 2
        if group["lq"]:
            return timedelta(minutes=15 * (self.count(group["lq"]) or 1))
        if group["mu"]:
            minutes = 5 if group["mn"] == say("几") else numbers.whole(group["mn"])
            if minutes is None or minutes > 9999:
                return None
            return timedelta(minutes=minutes, seconds=30 if group["mhalf"] else 0)
        seconds = numbers.whole(group["sn"])
        return None if seconds is None or seconds > 99999 else timedelta(seconds=seconds)

    def clock(self, group: Mapping[str, str | None]) -> tuple[int, int, bool] | None:
        """(hour as said, minute, whether on the 24-hour clock) of a clock match."""
        say = self.language.spell
        hour_text = group.get("h") or group.get("h1") or group.get("h2") or group.get("h4")
        hour = numbers.whole(hour_text) if hour_text else None
        if hour is None or hour_text is None or hour > 24:
            return None
        exact = hour > 12 or hour == 0 or (group.get("h4") is not None and hour_text.startswith("0"))
        to = group.get("to") or group.get("to2")
        if to:
            to = to.removesuffix(say("分"))
            back = 15 * (self.count(to[0]) or 1) if to.endswith(say("刻")) else numbers.whole(to)
            if back is None or not 0 < back < 60:
                return None
            return (hour - 1) % 24 or (12 if not exact else 0), 60 - back, exact
        if group.get("half"):
            return hour, 30, exact
        if group.get("quarter"):
            quarters = self.count((group["quarter"] or "")[0]) or 1
            return (hour, 15 * quarters, exact) if quarters < 4 else None
        said = group.get("m") or group.get("m4")
        minute = numbers.whole(said.lstrip(say("过"))) if said else 0
        if minute is None or minute > 59 or (hour == 24 and minute):
            return None
        return hour, minute, exact

    def moment(
        self, day: date | None, part: str | None, clock: tuple[int, int, bool], days: tuple[date, ...] = ()
    ) -> tuple[datetime, tuple[datetime, ...]] | None:
        """The moment meant and its alternatives, from a day, a part of the day and a clock time (any may lack)."""
        hour, minute, exact = clock
        if part:
            kind = self.kind(part)
            hours = [WINDOWS[kind].get(said) for said in (hour, *ALIKE.get(hour, ()))]
            meant = [said for said in hours if said is not None]
            if not meant:
                return None
            found = [self.place(day, said, minute) for said in meant]
            if day and meant[0] >= 24:
                found.append(self.place(day, meant[0] - 24, minute))
        elif exact:
            found = [self.place(day, hour, minute)]
            found += [self.place(day, said, minute) for said in ALIKE.get(hour, ())]
        else:
            found = []
            for said in (hour, *ALIKE.get(hour, ())):
                found.extend(self.unmarked(day, said, minute))
        found += [datetime.combine(other, found[0].time()) for other in days]
        unique = tuple(dict.fromkeys(found))
        return unique[0], unique[1:]

    def kind(self, part: str) -> str:
        known = self.language.look(PARTS, part) or self.language.look(PARTS, part.removesuffix(self.language.spell("儿")))
        return str(known[0]) if isinstance(known, tuple) else ""

    def usual(self, part: str) -> tuple[int, int]:
        """Hour (24 and more: the night that follows) and minute meant by a part of the day alone."""
        known = self.language.look(PARTS, part) or self.language.look(PARTS, part.removesuffix(self.language.spell("儿")))
        kind, clock = known if isinstance(known, tuple) else ("morning", "08:00")
        at = time.fromisoformat(clock)
        return at.hour + (24 if kind == "night" and at.hour < 12 else 0), at.minute

    def place(self, day: date | None, hour: int, minute: int) -> datetime:
        """That hour on that day, or the next time it comes."""
        clock = time(hour % 24, minute)
        if day:
            return datetime.combine(day, clock) + timedelta(days=hour // 24)
        moment = datetime.combine(self.now.date(), clock)
        return moment if moment > self.now else moment + timedelta(days=1)

    def unmarked(self, day: date | None, hour: int, minute: int) -> list[datetime]:
        """Readings of a clock time without a part of the day, likeliest first."""
        halves = (12, 24) if hour in (0, 12) else (hour, hour + 12)
        if day and day != self.now.date():
            order = halves if hour >= 6 else halves[::-1]
            return [self.place(day, said, minute) for said in order]
        both = [self.place(self.now.date(), said, minute) for said in halves]
        if day:
            ahead = [moment for moment in both if moment > self.now]
            usual = [both[0 if hour >= 6 else 1]]
            return list(dict.fromkeys((ahead if ahead and ahead[0].hour in WAKING else usual) + both))
        ahead = sorted(moment if moment > self.now else moment + timedelta(days=1) for moment in both)
        awake = [moment for moment in ahead if moment.hour in WAKING]
        return list(dict.fromkeys(awake + ahead))

    def daily(self, part: str | None, clock: tuple[int, int, bool], after: time | None = None) -> time | None:
        """A clock time that comes again and again; `after` is the one named before it."""
        hour, minute, exact = clock
        if part:
            meant = [WINDOWS[self.kind(part)].get(said) for said in (hour, *ALIKE.get(hour, ()))]
            said = next((value for value in meant if value is not None), None)
            return None if said is None else time(said % 24, minute)
        if exact:
            return time(hour % 24, minute)
        said = 12 if hour == 12 else hour if hour >= 6 else hour + 12
        if after and time(said, minute) <= after and said < 12:
            said += 12
        return time(said, minute)


def _months_on(day: date, months: int) -> date:
    """The same day of the month later, or the month's last (一个月后)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


# --- days ---------------------------------------------------------------------------------------------------------


def _lunar(year: int, month: int, day: int) -> date | None:
    """The solar date of a lunar one; day −1 is the month's last; None where that month has no such day."""
    for first, of_year, number, days in moons(year + (month > 10)):
        if (of_year, number) == (year, month) and (day == -1 or 1 <= day <= days):
            return first + timedelta(days=(days if day == -1 else day) - 1)
    return None


@lru_cache(maxsize=64)
def _term(name: str, year: int) -> date:
    """The day of a solar term in a solar year."""
    from lunar_python import Solar  # loads 40 ms of tables; only the solar terms pay

    table = Solar.fromYmd(year, 6, 1).getLunar().getJieQiTable()
    found = table["DONG_ZHI" if name == "冬至" else name]
    return date(found.getYear(), found.getMonth(), found.getDay())


def _coming(today: date, dates: Iterator[date | None]) -> list[date]:
    """The first date that is not past, and the last one that is, if that is nearer."""
    past: list[date] = []
    for day in dates:
        if day and day >= today:
            return [day, *[gone for gone in past[-1:] if today - gone < day - today]]
        if day:
            past.append(day)
    return []


def _day_near(reader: _Reader, found: re.Match[str]) -> list[date]:
    ahead = reader.language.look(NEAR_DAYS, found[0])
    return [reader.now.date() + timedelta(days=ahead)] if isinstance(ahead, int) else []


def _day_far(reader: _Reader, found: re.Match[str]) -> list[date]:
    today, group = reader.now.date(), found.groupdict()
    if group["bn"]:
        back = reader.count(group["bn"])
        return [] if back is None else [today - timedelta(days=back)]
    months = group["fm"] or group["gm"]
    if months:
        count = reader.count(months)
        return [] if count is None or count > 120 else [_months_on(today, count)]
    number, unit = group["fn"] or group["gn"], group["fu"] or group["gu"]
    if not number or not unit:
        return [today + timedelta(days=15)]
    count = reader.count(number)
    days = 1 if unit == reader.language.spell("天") else 7
    return [] if count is None or count > 999 else [today + timedelta(days=count * days)]


_RELATIVE = {"上上": -2, "上": -1, "这": 0, "本": 0, "下": 1, "下下": 2}


def _relative(reader: _Reader, text: str | None) -> int | None:
    """Weeks or months away: 下 is 1, 下下 is 2; None where nothing is said."""
    spelled = {reader.language.spell(word): away for word, away in _RELATIVE.items()}
    return spelled.get((text or "").removesuffix(reader.language.spell("个")))


def _on_weekday(reader: _Reader, relative: int | None, weekday: int) -> list[date]:
    today = reader.now.date()
    monday = today - timedelta(days=today.weekday())
    if relative is not None:
        return [monday + timedelta(days=7 * relative + weekday)]
    coming = today + timedelta(days=(weekday - today.weekday()) % 7)
    return [coming, coming + timedelta(days=7)] if coming == today else [coming]


def _weekday(reader: _Reader, text: str) -> int:
    value = reader.language.look(WEEKDAY_OF, text)
    return value if isinstance(value, int) else 0


def _day_weekday(reader: _Reader, found: re.Match[str]) -> list[date]:
    return _on_weekday(reader, _relative(reader, found["wrel"]), _weekday(reader, found["wd"]))


def _day_weekend(reader: _Reader, found: re.Match[str]) -> list[date]:
    relative = _relative(reader, found["wkrel"])
    if relative is None and reader.now.weekday() == 6:
        return [reader.now.date()]
    saturday = _on_weekday(reader, relative, 5)[0]
    return [saturday, saturday + timedelta(days=1)]


def _year(reader: _Reader, text: str | None) -> int | None:
    if not text:
        return None
    spell, this = reader.language.spell, reader.now.year
    named = {spell("今年"): this, spell("明年"): this + 1, spell("后年"): this + 2, spell("去年"): this - 1}
    return named.get(text) or numbers.whole(text.removesuffix(spell("年")))


def _day_of_month(reader: _Reader, text: str) -> int:
    return numbers.whole(text.removeprefix(reader.language.spell("初"))) or 0


def _month_number(reader: _Reader, text: str) -> int:
    spell = reader.language.spell
    return {spell("正"): 1, spell("冬"): 11, spell("腊"): 12}.get(text) or numbers.whole(text) or 0


def _lunar_coming(reader: _Reader, month: int, day: int) -> list[date]:
    year = reader.now.year
    return _coming(reader.now.date(), (_lunar(at, month, day) for at in range(year - 1, year + 9)))


def _lunar_parts(reader: _Reader, found: re.Match[str]) -> tuple[int, int]:
    month = found["lm1"] or found["lm2"] or found["lm3"]
    return _month_number(reader, month), _day_of_month(reader, found["ld1"] or found["ld2"] or found["ld3"])


def _day_lunar(reader: _Reader, found: re.Match[str]) -> list[date]:
    month, day = _lunar_parts(reader, found)
    return _lunar_coming(reader, month, -1 if (month, day) == (12, 30) else day)[:1]  # 腊月三十 is the eve, also on a 29th


_LUNAR_HABIT = {(8, 15), (9, 9), (7, 7), (7, 15), (5, 5)}
"""Said without 号 these are feasts of the old calendar; 八月十五 is mid-autumn."""


def _day_solar(reader: _Reader, found: re.Match[str]) -> list[date]:
    month, day = _month_number(reader, found["mo"]), _day_of_month(reader, found["d"])
    year = _year(reader, found["y"])
    if year:
        return [date(year, month, day)]
    this = reader.now.year
    solar = _coming(reader.now.date(), (_date(at, month, day) for at in range(this - 1, this + 9)))
    if found["nwd"]:  # what 小伴 itself says: the weekday tells a day gone by from next year's
        solar.sort(key=lambda at: at.weekday() != _weekday(reader, found["nwd"]))
    if found["unit"]:
        return solar
    lunar = _lunar_coming(reader, month, day)[:1]
    return lunar + solar[:1] if (month, day) in _LUNAR_HABIT else solar[:1] + lunar


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _first_of_month(today: date, away: int) -> date:
    return _months_on(today.replace(day=1), away)


def _day_in_month(reader: _Reader, found: re.Match[str]) -> list[date]:
    first = _first_of_month(reader.now.date(), _relative(reader, _month_word(reader, found["mrel"])) or 0)
    return _with_alike(reader, found["md"], lambda day: _date(first.year, first.month, day))


def _month_word(reader: _Reader, text: str) -> str:
    return text.removesuffix(reader.language.spell("月"))


def _with_alike(reader: _Reader, text: str, dated: Callable[[int], date | None]) -> list[date]:
    day = _day_of_month(reader, text)
    return [found for found in (dated(said) for said in (day, *ALIKE.get(day, ()))) if found]


def _day_number(reader: _Reader, found: re.Match[str]) -> list[date]:
    today = reader.now.date()

    def next_one(day: int) -> date | None:
        months = (_first_of_month(today, away) for away in range(4))
        return next((at for at in (_date(first.year, first.month, day) for first in months) if at and at >= today), None)

    return _with_alike(reader, found["dd"], next_one)


def _day_edge(reader: _Reader, found: re.Match[str]) -> list[date]:
    today, spell = reader.now.date(), reader.language.spell
    if not found["edge"]:
        return [date(today.year, 12, 31)]
    word = found["erel"] or ""
    month = numbers.whole(word) if word else None
    if month:
        first = next(at for at in (date(today.year, month, 1), date(today.year + 1, month, 1)) if _last(at) >= today)
    else:
        first = _first_of_month(today, _relative(reader, word) or 0)
    if found["edge"] == spell("初") or found["edge"].endswith(spell("一天")) and not found["edge"].endswith(spell("最后一天")):
        return [first if word or first >= today else _first_of_month(today, 1)]
    return [_last(first)]


def _last(first: date) -> date:
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _day_feast(reader: _Reader, found: re.Match[str]) -> list[date]:
    name, year = found["feast"] or found["term"], _year(reader, found["fy"])
    days = _feast_days(reader, name, year)
    back = reader.count(found["fbefore"]) if found["fbefore"] else 1 if found["feve"] else 0
    return [] if back is None else [day - timedelta(days=back) for day in days[:1]]


def _feast_days(reader: _Reader, name: str, year: int | None) -> list[date]:
    look, this = reader.language.look, reader.now.year
    lunar, solar, floating, term = (look(table, name) for table in (LUNAR_FESTIVALS, SOLAR_FESTIVALS, FLOATING, _TERM_NAMES))

    def dated(at: int) -> date | None:
        if isinstance(lunar, tuple):
            return _lunar(at, lunar[0], lunar[1])
        if isinstance(solar, tuple):
            return date(at, solar[0], solar[1])
        if isinstance(floating, tuple):
            first = date(at, floating[0], 1)
            return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (floating[1] - 1))
        return _term(str(term), at)

    if year:
        if isinstance(lunar, tuple) and lunar[0] == 12:
            year -= 1  # 今年除夕 is the eve that falls in this solar year, or later in the winter
            days = [day for day in (_lunar(year, 12, lunar[1]), _lunar(year + 1, 12, lunar[1])) if day]
            return [day for day in days if day >= reader.now.date()][:1] or days[-1:]
        return [day for day in [dated(year)] if day]
    return _coming(reader.now.date(), (dated(at) for at in range(this - 1, this + 3)))


def _day_moon(reader: _Reader, found: re.Match[str]) -> list[date]:
    wanted, today = _day_of_month(reader, found["mday"] or found["minit"]), reader.now.date()
    months = (moon for year in (today.year, today.year + 1) for moon in moons(year))
    days = (first + timedelta(days=wanted - 1) for first, _, _, length in months if 1 <= wanted <= length)
    return [day for day in days if day >= today][:1]


def _day_week(reader: _Reader, found: re.Match[str]) -> list[date]:
    return _on_weekday(reader, _relative(reader, found["wk"]) or 0, 0)


def _day_month(reader: _Reader, found: re.Match[str]) -> list[date]:
    return [_first_of_month(reader.now.date(), _relative(reader, found["mk"]) or 0)]


_DAYS: Mapping[str, Callable[[_Reader, re.Match[str]], list[date]]] = {
    "day.near": _day_near, "day.far": _day_far, "day.weekend": _day_weekend, "day.weekday": _day_weekday,
    "day.lunar": _day_lunar, "day.solar": _day_solar, "day.in_month": _day_in_month, "day.number": _day_number,
    "day.edge": _day_edge, "day.feast": _day_feast, "day.moon_day": _day_moon, "day.week": _day_week,
    "day.month": _day_month,
}


# --- recurrences --------------------------------------------------------------------------------------------------

TIMES_A_DAY = {1: ("08:00",), 2: ("08:00", "20:00"), 3: ("08:00", "12:00", "20:00"), 4: ("08:00", "12:00", "16:00", "20:00"),
               5: ("08:00", "11:00", "14:00", "17:00", "20:00"), 6: ("08:00", "10:30", "13:00", "15:30", "18:00", "20:30")}
"""一天三次 without clock times: morning, noon, evening as PARTS has them; always read back."""


def _hhmm(clock: time) -> str:
    return clock.strftime("%H:%M")


def _weekday_names(reader: _Reader, text: str) -> tuple[str, ...]:
    """Names of the days in 一三五, 一和周四 or 一到五."""
    spell = reader.language.spell
    said = [_weekday(reader, char) for char in text if isinstance(reader.language.look(WEEKDAY_OF, char), int)]
    if len(said) == 2 and (spell("到") in text or spell("至") in text):
        days = [(said[0] + step) % 7 for step in range((said[1] - said[0]) % 7 + 1)]
    else:
        days = said
    return tuple(WEEKDAYS[index] for index in sorted(set(days)))


def _rec_hours(reader: _Reader, found: re.Match[str]) -> Recurrence | None:
    if found["hh"]:
        clocks = [time(hour, minute) for hour in WAKING for minute in (0, 30)]
        return Recurrence("day", at=tuple(map(_hhmm, clocks)))
    said = found["hn"] or found["hn2"]
    count = reader.count(said) if said else 1
    return Recurrence("hour", at=("08:00",), interval=count) if count and count <= 24 else None


def _rec_skip(reader: _Reader, found: re.Match[str]) -> Recurrence | None:
    every = reader.count(found["ev"]) if found["ev"] else None
    skipped = reader.count(found["sk"]) if found["sk"] else 1
    interval = every if found["ev"] else (skipped or 0) + 1
    if not interval or interval > 366:
        return None
    return Recurrence("day", interval=interval, start=reader.now.date() if interval > 1 else None)


def _rec_weeks(reader: _Reader, found: re.Match[str]) -> Recurrence | None:
    skipped = reader.count(found["wsk"]) if found["wsk"] else 1
    every = reader.count(found["wev"]) if found["wev"] else (skipped or 0) + 1
    said = found["wswd"] or found["wewd"]
    weekday = _weekday(reader, said) if said else reader.now.weekday()
    if not every or every > 52:
        return None
    return Recurrence("week", days=(WEEKDAYS[weekday],), interval=every, start=reader.now.date())


def _rec_week(reader: _Reader, found: re.Match[str]) -> Recurrence | None:
    days = _weekday_names(reader, found["dl"] or found["dl2"])
    return Recurrence("week", days=days) if found["dl"] or len(days) > 1 else None  # 周二，周二上午: said twice, meant once


def _rec_moon(reader: _Reader, found: re.Match[str]) -> Recurrence | None:
    if found["mf"]:
        return Recurrence("lunar_month", days=(1, 15))
    said = re.findall(r"[零一二三四五六七八九十]+|\d+", (found["ml"] or found["ml3"]).replace(reader.language.spell("初"), " "))
    days = _split_days(said)
    return Recurrence("lunar_month", days=days) if days else None


def _split_days(said: list[str]) -> tuple[int, ...]:
    """Days of the month; 初一十五 comes as one run 一十五 and is two of them."""
    days: list[int] = []
    for text in said:
        value = numbers.whole(text)
        if text.startswith("一十") and len(text) == 3:
            days += [1, numbers.whole(text[1:]) or 0]
        elif value:
            days.append(value)
    return tuple(sorted({day for day in days if 1 <= day <= 31}))


def _rec_month(_: _Reader, found: re.Match[str]) -> Recurrence | None:
    if found["mlast"]:
        return Recurrence("month", days=(-1,))
    days = _split_days(re.findall(r"[零一二三四五六七八九十]+|\d+", found["mdl"]))
    return Recurrence("month", days=days) if days else None


def _rec_year(reader: _Reader, found: re.Match[str]) -> Recurrence | None:
    patterns, said = reader.language.patterns, found["yday"]
    lunar = patterns["day.lunar"].fullmatch(said)
    if lunar:
        month, day = _lunar_parts(reader, lunar)
        return Recurrence("lunar_year", days=(f"{month:02d}-{day:02d}",))
    solar = patterns["day.solar"].fullmatch(said)
    if solar:
        month, day = _month_number(reader, solar["mo"]), _day_of_month(reader, solar["d"])
        every: Literal["lunar_year", "year"] = "lunar_year" if not solar["unit"] and (month, day) in _LUNAR_HABIT else "year"
        return Recurrence(every, days=(f"{month:02d}-{day:02d}",)) if 1 <= month <= 12 and 1 <= day <= 31 else None
    feast = reader.language.look(LUNAR_FESTIVALS, said)
    if isinstance(feast, tuple):
        return Recurrence("lunar_year", days=(f"{feast[0]:02d}-{feast[1]:02d}",))
    fixed = reader.language.look(SOLAR_FESTIVALS, said)
    if isinstance(fixed, tuple):
        return Recurrence("year", days=(f"{fixed[0]:02d}-{fixed[1]:02d}",))
    return None  # 每年冬至 moves by a day between years and 每年母亲节 by seven: no Recurrence can say that yet


def _rec_times(reader: _Reader, found: re.Match[str]) -> Recurrence | None:
    at = TIMES_A_DAY.get(reader.count(found["tn"]) or 0)
    return Recurrence("day", at=at) if at else None


def _rec_meals(reader: _Reader, found: re.Match[str]) -> Recurrence | None:
    return Recurrence("day", at=_clocks(reader, found["ms"]))


def _rec_each(reader: _Reader, found: re.Match[str]) -> Recurrence | None:
    return Recurrence("day", at=_clocks(reader, found["ea"]))


def _same(rule: Recurrence) -> Callable[[_Reader, re.Match[str]], Recurrence | None]:
    return lambda _reader, _found: rule


_RECURRENCES: Mapping[str, Callable[[_Reader, re.Match[str]], Recurrence | None]] = {
    "recur.hours": _rec_hours, "recur.skip": _rec_skip, "recur.weeks": _rec_weeks, "recur.week": _rec_week,
    "recur.workdays": _same(Recurrence("week", days=WEEKDAYS[:5])),
    "recur.weekends": _same(Recurrence("week", days=WEEKDAYS[5:])),
    "recur.moon": _rec_moon, "recur.month": _rec_month, "recur.year": _rec_year, "recur.times": _rec_times,
    "recur.day": _same(Recurrence("day")), "recur.meals": _rec_meals, "recur.each": _rec_each,
}


def _clocks(reader: _Reader, text: str) -> tuple[str, ...]:
    """All times of day named in a list: 早上八点和晚上八点, 早晚饭后, 早中晚."""
    clocks: list[time] = []
    parts: list[str] = []
    for found in reader.language.patterns["item"].finditer(text):
        clock = reader.clock(found.groupdict())
        if clock and parts and not found["ipart"]:  # 早晚八点: the hour belongs to each part
            each = [reader.daily(part, clock) for part in parts]
            clocks = clocks[: len(clocks) - len(parts)] + [at for at in each if at]
        else:
            clocks += _item(reader, found, clocks[-1] if clocks else None)
        parts = list(found["ibare"] or "")
    return tuple(sorted({_hhmm(clock) for clock in clocks}))


_MEALS_OF = {1: ("breakfast",), 2: ("breakfast", "supper"), 3: ("breakfast", "lunch", "supper")}
"""Meals meant by 一顿饭, 两顿饭, 三顿饭."""


def _item(reader: _Reader, found: re.Match[str], last: time | None) -> list[time]:
    group, spell = found.groupdict(), reader.language.spell
    if group["imany"]:
        text = group["imany"]
        sign = -1 if spell("前") in text else 1 if spell("后") in text else 0
        named = [str(reader.language.look(MEALS, char)) for char in text if reader.language.look(MEALS, char)]
        count = reader.count(text[0]) if not named else None
        kinds = named or _MEALS_OF.get(count or 3, _MEALS_OF[3])
        return [reader.shift(getattr(reader.care, kind), sign, None) for kind in kinds]
    if group["ibare"]:
        names = [spell("中") if char == spell("午") else char for char in group["ibare"]]
        return [time(hour % 24, minute) for hour, minute in (reader.usual(name) for name in names)]
    if group["iup"]:
        return [reader.shift(reader.care.breakfast, -1, None)]
    if group["ibed"]:
        return [reader.care.bedtime]
    if group["imeal"]:
        return [reader.meal(found, group["impart"])]
    if group["ionly"]:
        hour, minute = reader.usual(group["ionly"])
        return [time(hour % 24, minute)]
    clock = reader.clock(group)
    daily = reader.daily(group["ipart"], clock, last) if clock else None
    return [daily] if daily else []


# --- candidates ---------------------------------------------------------------------------------------------------


def _read_recurrence(reader: _Reader, found: re.Match[str], text: str) -> _Reading | None:
    rule_text = found["rule"] or found["rule2"]
    rule: Recurrence | None = None
    for name, resolve in _RECURRENCES.items():
        match = reader.language.patterns[name].fullmatch(rule_text)
        if match:
            rule = resolve(reader, match)
            if rule:
                break
    if rule is None:
        return None
    ats = found["ats"] or found["ats2"]
    if not ats and rule_text == reader.language.spell("每"):
        return None
    if ats:
        told = found["ats2"] and reader.language.patterns["item"].fullmatch(ats)
        at = reader.clock(told.groupdict()) if told and not told["ipart"] else None
        part = _part_told(reader, text[:found.start()], at) if at else None
        clocks = _after_meals(reader, ats, len(rule.at) or 3) or _clocks(reader, (part or "") + ats)
        if not clocks:
            return None
        rule = replace(rule, at=clocks[:1] if rule.every == "hour" else clocks)
    if found["rstart"]:
        day = reader.day(found["rstart"])
        if not day:
            return None
        rule = replace(rule, start=day[0])
    if found["cu"]:
        count, unit = reader.count(found["cn"]), found["cu"]
        if not count or count > 999:
            return None
        first = _first_day(rule, reader)
        spell = reader.language.spell
        last = (_months_on(first, count) if unit == spell("月")
                else first + timedelta(days=count * (1 if unit == spell("天") else 7))) - timedelta(days=1)
        rule = replace(rule, start=first, until=last)
    elif found["cuntil"]:
        day = reader.day(found["cuntil"])
        if not day:
            return None
        rule = replace(rule, until=day[0])
    return _Reading(_span(found, text, rule, "recurrence"))


def _after_meals(reader: _Reader, text: str, count: int) -> tuple[str, ...]:
    """The clock times of 饭后 in 一天两次饭后 and 每天饭后; nothing for any other text."""
    if not reader.language.patterns["after_meals"].fullmatch(text):
        return ()
    sign = -1 if reader.language.spell("前") in text else 1
    return tuple(_hhmm(reader.shift(getattr(reader.care, kind), sign, None)) for kind in _MEALS_OF[min(count, 3)])


def _first_day(rule: Recurrence, reader: _Reader) -> date:
    """The day a course begins: today, unless its last time of today is past; 吃七天 counts whole days."""
    today = reader.now.date()
    late = bool(rule.at) and rule.every != "hour" and max(rule.times()) <= reader.now.time()
    return rule.start or today + timedelta(days=1 if late else 0)


_WISHES = re.compile(r"好(?![了哉啦嘞的吗嘛点些]|不好)")
"""Behind a day: 过年好, and not 就礼拜二好了."""


_AFTER_A_MEAL: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?:[吃喝](?:了|完|罢|好|过|咗|哒)(?:夜饭|晚饭|晚餐)|天黑了?|黑了)[^点明后]{0,8}$"), "晚上"),
    (re.compile(r"[吃喝](?:了|完|罢|好|过|咗|哒)(?:早饭|早点|早餐)[^点明后]{0,8}$"), "早上"),
)
"""Before an hour that says no part of the day → the part it is in: 吃了夜饭，洗了脚，|八点钟."""


def _part_told(reader: _Reader, before: str, clock: tuple[int, int, bool]) -> str | None:
    if clock[2] or clock[0] not in range(5, 12):
        return None
    return next((reader.language.spell(part) for pattern, part in _AFTER_A_MEAL if pattern.search(before)), None)


def _read_when(reader: _Reader, found: re.Match[str], text: str) -> _Reading | None:
    group = found.groupdict()
    said_day = group["day"] or group["alone"]
    day: date | None = None
    others: tuple[date, ...] = ()
    if said_day:
        read = reader.day(said_day)
        if not read:
            return None
        day, others = read
        if group["alone"]:
            if len(said_day) == 1 or _WISHES.match(text, found.end()):  # 小明 · 过年好
                return None
            away = _away(reader, said_day)
            return _Reading(_span(found, text, day, "date", others, away), day=day)
    if group["mealtime"]:
        meal = reader.meal(found, group["mpart"])
        return _Reading(_span(found, text, reader.place(day, meal.hour, meal.minute), "moment"), day=day)
    if group["only"]:
        hour, minute = reader.usual(group["only"])
        moment = reader.place(day, hour if day else hour % 24, minute)
        if hour >= 24 and not day and moment.date() == reader.now.date() and reader.now.hour >= 6:
            moment += timedelta(days=1)
        return _Reading(_span(found, text, moment, "moment"), day, group["only"])
    clock = reader.clock(group)
    part = group["part"] or (_part_told(reader, text[:found.start()], clock) if clock and not said_day else None)
    if clock is None or (not said_day and not part and _just_a_little(reader, found, text)):
        return None
    moments = reader.moment(day, part, clock, others)
    if moments is None:
        return None
    return _Reading(_span(found, text, moments[0], "moment", moments[1]), day, part or "", clock)


_HOUR_BEFORE = "到在约改成我你您他她是就每于定，,。、 "
_LITTLE_AFTER = "儿点也都没不事小东心水饭盐钱油菜用关反劲药"


def _just_a_little(reader: _Reader, found: re.Match[str], text: str) -> bool:
    """Whether 一点 is a little of something and not one o'clock."""
    if found[0] != reader.language.spell("一点"):
        return False
    before, after = text[: found.start()][-1:], text[found.end() :][:1]
    return bool(before and before not in _HOUR_BEFORE) or bool(after and after in _LITTLE_AFTER)


def _away(reader: _Reader, said: str) -> timedelta | None:
    """The length in 三天后 or 过两个礼拜."""
    found = reader.language.patterns["day.far"].fullmatch(said)
    if not found or found["bn"]:
        return None
    read = reader.day(said)
    return read[0] - reader.now.date() if read else None


def _read_later(reader: _Reader, found: re.Match[str], text: str) -> _Reading | None:
    length = reader.length(found["length"])
    if length is None:
        return None
    post = found["post"] or ""
    if reader.language.spell("前") in post:
        if found["pre"]:
            return None
        return _Reading(_span(found, text, reader.now - length, "moment", length=-length))
    if found["pre"] or post:
        others = tuple(reader.now + other for other in _alike_lengths(length))
        return _Reading(_span(found, text, reader.now + length, "moment", others, length))
    return _Reading(_span(found, text, length, "duration", _alike_lengths(length), length))


def _alike_lengths(length: timedelta) -> tuple[timedelta, ...]:
    """四分钟 where 十分钟 was heard, and the other way round."""
    for unit in (timedelta(hours=1), timedelta(minutes=1)):
        count, rest = divmod(length, unit)
        if not rest and count in (4, 10, 14, 40):
            return tuple(unit * other for other in ALIKE[count])
    return ()


def _read_days(reader: _Reader, found: re.Match[str], text: str) -> _Reading | None:
    match = reader.language.patterns["count"].fullmatch(found["dlen"])
    if not match:
        return None
    if not match["dn"]:
        return _Reading(_span(found, text, timedelta(days=15), "duration", length=timedelta(days=15)))
    count = reader.count(match["dn"])
    if not count or count > 3660:
        return None
    unit = 30 if match["dm"] else 1 if match["du"] == reader.language.spell("天") else 7
    length = timedelta(days=count * unit)
    return _Reading(_span(found, text, length, "duration", length=length))


def _read_soon(_: _Reader, found: re.Match[str], text: str) -> _Reading | None:
    return _Reading(_span(found, text, SOON, "duration", length=SOON))


_KINDS: tuple[tuple[str, Callable[[_Reader, re.Match[str], str], _Reading | None]], ...] = (
    ("recur", _read_recurrence), ("when", _read_when), ("later", _read_later), ("soon", _read_soon), ("days", _read_days),
)
"""Patterns tried, the first wins where two read the same characters."""


def _span(
    found: re.Match[str], text: str, value: Value, kind: Kind, alternatives: tuple[Value, ...] = (),
    length: timedelta | None = None,
) -> Span:
    start, end = found.span()
    return Span(start, end, text[start:end], value, kind, tuple(other for other in alternatives if other != value), length)


_GREETINGS = re.compile(r"[早中下晚上]+[上午]?好(?=$|[啊呀吧,，。！!我你您小王奶爷大老])|早安|晚安|[早晚]上好")
_TOO_EARLY = re.compile(r"[太忒][早晚]")
"""八点太早，九点吧 names no morning."""
_MEASURES = re.compile(r"(?:血糖|体温|体重|度数|心率|脉搏|空腹|血压)(?:今天|今日|今朝|今儿个?|今早|今晚|刚才|刚刚|刚|早上|晚上|空腹|[饭餐][前后])*[是有量了才又的到测得]{0,3}$")
"""After these 六点五十 is a reading, not a time."""
_MEASURED_THEN = re.compile(r"[整正钟]?(?:[我俺咱你要得该再记叫喊]|提醒|去|来){0,4}(?:[测量查抽验扎]|提醒|叫我|喊我)(?![了出得])")
"""Behind an hour after such a word: it is when that is measured, 血糖十二点整去测."""


def measured(text: str, start: int, end: int) -> bool:
    """Whether what reads as an hour at this place is what was measured."""
    return _MEASURES.search(text, max(0, start - 8), start) is not None and _MEASURED_THEN.match(text, end) is None


def _candidates(reader: _Reader, said: str, text: str) -> Iterator[_Reading]:
    """Everything that reads as a time in one language; `said` is `text` in the language's spelling."""
    for name, read in _KINDS:
        pattern, position = reader.language.patterns[name], 0
        while position < len(said):
            found = pattern.search(said, position)
            if not found or found.end() == found.start():
                break
            try:
                reading = read(reader, found, text)
            except (ValueError, OverflowError):  # the thirtieth of February, the year 9999
                reading = None
            too = reading is not None and _TOO_EARLY.match(text, max(0, found.start() - 1)) is not None
            if reading is None or too or (reading.clock and measured(text, found.start(), found.end())):
                position = found.start() + 1
            else:
                yield reading
                position = found.end()


def _longest(readings: list[_Reading]) -> list[_Reading]:
    """Longest first, none overlapping, left to right."""
    chosen: list[_Reading] = []
    for reading in sorted(readings, key=lambda one: (one.span.start - one.span.end, one.span.start)):
        span = reading.span
        if all(span.end <= other.span.start or span.start >= other.span.end for other in chosen):
            chosen.append(reading)
    return sorted(chosen, key=lambda one: one.span.start)


# --- evidence -----------------------------------------------------------------------------------------------------

_FUNCTION = frozenset("着你我您咱是就吧把爸有以已要也儿而起在再地的事无我和不医气其去他她它到倒道得没久")
"""Words of their own: they stand for a number or time word only between two exact ones."""
_REAL_WORDS = ("酒店", "饭店", "书店", "商店", "出事", "小事", "有事", "商务", "网上", "往上", "出席", "出息", "出气", "造反",
               "网点", "师傅", "老师", "一是", "医生", "医院", "散步", "巴士", "爸爸", "时候", "事儿", "试试", "天气", "么久", "多久", "好久", "不久", "太久", "很久")
"""Words that only sound like a time."""
_UNITS = frozenset("点分号天小个月刻周日半礼星钟秒时")
_ALONE = frozenset("点号分半天月周个后前过再早晚初底末每逢隔刻秒年日从到差整零上下这本睡吃饭晚早")
"""Characters that are a time word by themselves."""
_AFTER_DIAN = frozenset("菜餐外头名歌火灯滴赞评击子心")
"""After these 点 is a verb or another word: 就点菜."""


_OF_ONE_WEEK = frozenset("这那上下一两二三四五六七八九十几半哪整头")
"""Before 个 of 个星期: which week, or how many, and no 隔 that is only heard."""


_AFTERNOON_24 = re.compile(r"十[三四五六七八九]点")


def _believable(text: str, span: Span, whole: bool) -> bool:
    """Whether what only sounds like a time shows enough of one.

    Half the characters and at least two must be a time as written (one, when the whole text should be a time); a
    homophone that is a word of its own must stand between exact ones and before a unit; a homophone of a number may not
    end the span. Each rule is there for sentences of the test table that became times without it.
    """
    start, end = span.start, span.end
    exact: list[bool] = []
    doubt = 0
    for index in range(start, end):
        char, (folded, distance) = text[index], _fold(text[index])
        if distance == 0 and folded in _shared() and char not in _NUMERIC and char not in _ALONE:
            pair = text[index - 1 : index + 1] if index > start else ""
            known = pair in _PAIRS or (index + 1 < end and text[index : index + 2] in _PAIRS)
            distance = 0 if known else 1  # 种 is written in 芒种 and only heard in 分种
        exact.append(distance == 0)
        doubt += distance
    sure = sum(exact)
    if all(exact) and sure < 4:
        return False
    if sure < (1 if whole else 2) or doubt > sure * (2 if whole else 1):
        return False
    if not exact[0] and _AFTERNOON_24.match(_fold(text[start])[0] + text[start + 1:end]):
        return False  # 开始|八点半, never eighteen o'clock
    if text[start] == "个" and text[max(0, start - 1):start] in _OF_ONE_WEEK:
        return False  # 这个星期, never 隔星期
    if whole:
        return True
    if any(word in text[max(0, start - 1) : end + 1] for word in _REAL_WORDS):
        return False
    for place, good in enumerate(exact):
        if good:
            continue
        index = start + place
        numeric = _fold(text[index])[0] in _NUMERIC
        after = text[index + 1 : index + 2]
        closed = index + 1 < end and exact[place + 1] and (after in _UNITS or after in _NUMERIC)
        opened = index > start and exact[place - 1]
        if text[index] in _FUNCTION and not (opened and index + 1 < end and exact[place + 1] and (not numeric or after in _UNITS
                                                                                or (after in _NUMERIC and text[index - 1] in _NUMERIC))):
            return False
        if numeric and index + 1 == end and not (end == len(text) and opened and text[index - 1] in "周期拜十点"):
            return False
        if index == start and (not closed if numeric else _fold(text[index])[1] > 1):
            return False
    return not (text[end - 1] == "点" and text[end : end + 1] in _AFTER_DIAN)


# --- the doors ----------------------------------------------------------------------------------------------------


def find(text: str, now: datetime, care: Care | None = None) -> list[Span]:
    """The times in a sentence, longest first where they overlap, given left to right; naive local values.

    `now` aware or naive. After a correction or a joining word a time takes over what it does not say from the one
    before: 明天下午三点，不对，四点 ends at four tomorrow afternoon; see `last_word` for which of them counts.
    """
    return _find(text, now, care or Care(), whole=False)


def parse(text: str, now: datetime, care: Care | None = None) -> Span | None:
    """A text that is nothing but one time (an answer to 几点, a line in the family's file), or None."""
    text = text.strip().rstrip("吧啊呀呢嘛哦了。！!,，")
    spans = _find(text, now, care or Care(), whole=True)
    if len(spans) > 1:
        kept = last_word(spans, text)
        return kept if CORRECTIONS.search(text) else None
    return spans[0] if spans and (spans[0].start, spans[0].end) == (0, len(text)) else None


def _find(text: str, now: datetime, care: Care, whole: bool) -> list[Span]:
    shown = _ELSEWHERE.sub(lambda found: HALF_DAYS[found[0]], text[:LONGEST].translate(TRADITIONAL))
    local = now.replace(tzinfo=None)
    written = _Reader(_written(), local, care, whole)
    greetings = [found.span() for found in _GREETINGS.finditer(shown)]
    readings = [
        reading for reading in _candidates(written, shown, shown)
        if not any(start <= reading.span.start < end for start, end in greetings)
    ]
    certain = _longest(readings)
    sound_of = _folded(shown)
    if not shown.isascii():
        heard = _Reader(_heard(), local, care, whole)
        for reading in _longest([
            reading for reading in _candidates(heard, sound_of, shown) if _believable(shown, reading.span, whole)
        ]):
            span = reading.span
            touched = [one for one in certain if one.span.start < span.end and span.start < one.span.end]
            if all(span.start <= one.span.start and one.span.end <= span.end for one in touched) and not any(
                one.span.end - one.span.start == span.end - span.start for one in touched
            ):
                certain = sorted([one for one in certain if one not in touched] + [reading], key=lambda one: one.span.start)
    certain = [
        replace(one, part=_written_part(one.part)) if one.part else one for one in certain
    ]
    certain = _on_the_day_spoken_of(_at_this_hour(_counted_on(certain, shown), shown, written), shown, written)
    spans = _inherited(_gathered(certain, shown, written), shown, written)
    return [replace(span, text=text[span.start : span.end]) for span in spans]


HALF_DAYS: Mapping[str, str] = {
    "下昼": "下午", "上昼": "上午", "晏昼": "下午", "下晡": "下午", "上半日": "上半天", "下半日": "下半天", "今夜": "今晚", "明夜": "明晚", "听晚": "明晚",
}
"""Parts of the day as they are said elsewhere → in as many characters of the grammar, whose sounds they would crowd (下昼 is 下周)."""
_ELSEWHERE = re.compile("|".join(HALF_DAYS))


def _written_part(part: str) -> str:
    """The name in characters of a part of the day read in either language."""
    if part in PARTS:
        return part
    return next((word for word in PARTS if _folded(word) == part), "早上")


_COURSE = re.compile(r"(?:连着?|连续|一共|共|先)?(?:[吃喝服用打量测]|吃药|用药)$|连着?$|连续$")
_UNTIL = re.compile(r"(?:一直)?[吃喝服用打量测]?(?:药)?到$")


_DAYS_ON = {
    1: re.compile(r"(?:的|再|又|往){0,3}(?:第二天|次日|下一天|隔天|过一天|(?:往后|后头?|后面)的?一天)"), 2: re.compile(r"(?:的|再|又|往){0,3}(?:第三天|过两天|(?:往后|后头?)的?两天)"),
    -1: re.compile(r"(?:的|往){0,2}(?:头一天|头天|上一天|(?:前头?|前面)的?一天)"), -2: re.compile(r"(?:的|往){0,2}(?:头两天|(?:前头?)的?两天)"),
}
"""Behind a day: another one is meant, so many days from it."""


def _counted_on(readings: list[_Reading], text: str) -> list[_Reading]:
    """星期六的前一天, 大后天再往后一天: the day that is counted to, in place of the one it is counted from."""
    found: list[_Reading] = []
    end = 0
    for one in readings:
        if one.span.start < end:
            continue  # 一天, which was counted already
        if one.day is not None and one.clock is None and one.span.kind == "date" and isinstance(one.span.value, date):
            for days, pattern in _DAYS_ON.items():
                if match := pattern.match(text, one.span.end):
                    end = match.end()
                    away = timedelta(days=days)
                    span = replace(one.span, end=end, text=text[one.span.start:end], value=one.span.value + away, alternatives=())
                    one = replace(one, span=span, day=one.day + away)
                    break
        found.append(one)
    return found


_THIS_HOUR = re.compile(r"的?(?:这个?时候|这会儿?|这个?点儿?(?!心)|这个?辰光|这时|呢个时候|个辰光)")
"""Behind a day: at the hour it is now."""


def _at_this_hour(readings: list[_Reading], text: str, reader: _Reader) -> list[_Reading]:
    """后天这个时候, 每天这会儿: the day with the hour it is now."""
    found: list[_Reading] = []
    for one in readings:
        words = _THIS_HOUR.match(text, one.span.end)
        value = one.span.value
        if words and isinstance(value, Recurrence) and not value.at and value.every != "hour":
            rule = replace(value, at=(_hhmm(reader.now.time()),))
            one = replace(one, span=replace(one.span, end=words.end(), text=text[one.span.start:words.end()], value=rule))
        elif words and one.span.kind == "date" and one.day is not None and one.day > reader.now.date():
            at = datetime.combine(one.day, reader.now.time().replace(second=0, microsecond=0))
            span = replace(one.span, end=words.end(), text=text[one.span.start:words.end()], value=at, kind="moment", alternatives=(), length=None)
            one = replace(one, span=span, clock=(at.hour, at.minute, True))
        found.append(one)
    return found


_OF_THAT_DAY = {
    0: re.compile(r"(?:就|在)?(?:那一?[天日]|嗰日|当[天日]|同一?天|伊天|哀天)"),
    -1: re.compile(r"(?:头一?[天日]|前一[天日]|上一天|先一天)(?![晚夜]?[里上]?[个夜]?(?:没|睡|就没))"),
    1: re.compile(r"(?:(?<![才都])第二[天日]|次日|转天|下一天|后一天|隔[天日])"),
}
"""A day told by the one that was named before it, and how many days from it."""
_TO_THE_HOUR = re.compile(r"[的嘛呢吧啊就在我你，]{0,2}")
"""Between such a day and its hour."""
_FROM_THEN_ON = re.compile(r"开始|起|以后|从")
"""Between a day and 隔天: every other day."""


def _on_the_day_spoken_of(readings: list[_Reading], text: str, reader: _Reader) -> list[_Reading]:
    """敏敏二十六号回来，头一天上午十点; 三十号发钱，就那天下午两点: a day that is told by one named before it, with its hour.

    Where no day is named 头天晚上 and 当天 mean what they mean alone.
    """
    found: list[_Reading] = list(readings)
    for away, pattern in _OF_THAT_DAY.items():
        for words in pattern.finditer(text):
            before = [one for one in found if one.span.end <= words.start() and one.day is not None]
            behind = [one for one in found if one.span.start >= words.end() and one.day is not None and one.span.kind == "date"]
            if away and not before and len(behind) == 1 and text[words.start() - 1:words.start()] == "的":
                before = behind  # 改到敏敏来的第二天，敏敏二十六号来
            over = [one for one in found if one.span.start < words.end() and words.start() < one.span.end]
            if not before or before[-1].day is None or any(not _stands_for(one, words, text, before[-1]) for one in over):
                continue
            day = before[-1].day + timedelta(days=away)
            gap = _TO_THE_HOUR.match(text, words.end())
            following = over[0] if over else next((one for one in found if gap and words.end() <= one.span.start <= gap.end()), None)
            start = words.start() + (words[0][0] in "就在")
            if following is not None and not (over and following.span.kind == "date") and (not following.day or over):
                value = following.span.value
                if isinstance(value, Recurrence):
                    placed = replace(following, day=day, span=replace(
                        following.span, value=datetime.combine(day, time.fromisoformat(value.at[0])) if value.at else day, kind="moment" if value.at else "date"))
                elif following.span.kind == "moment" and following.span.length is None:
                    placed = replace(_placed(following, day, reader), day=day)
                else:
                    continue
                span = placed.span
                found[found.index(following)] = replace(placed, span=replace(span, start=start, text=text[start:span.end]))
            elif over:
                found[found.index(over[0])] = replace(over[0], day=day, span=replace(over[0].span, value=day))
            elif away:
                found = sorted([*found, _Reading(Span(start, words.end(), text[start:words.end()], day, "date"), day=day)], key=lambda one: one.span.start)
    return found


def _stands_for(one: _Reading, words: re.Match[str], text: str, named: _Reading) -> bool:
    """Whether a reading that begins with 当天 or 隔天 may be of the day named before: 从礼拜三起隔天 is every other day."""
    if one.span.start not in (words.start(), words.end() - 2) or words[0][-2:] not in ("当天", "当日", "隔天", "隔日"):
        return False
    if isinstance(one.span.value, Recurrence):
        return len(one.span.value.at) < 2 and not _FROM_THEN_ON.search(text[max(0, named.span.start - 1):words.start()])
    return True


def _gathered(readings: list[_Reading], text: str, reader: _Reader) -> list[_Reading]:
    """Pieces of one time that stand apart: 明天提醒我八点吃药, 每天提醒我早上八点吃药, 每天早上八点吃药，吃七天.

    Both pieces then carry the whole value, so that it does not matter which of them is used.
    """
    if len(readings) < 2:
        return readings
    days = [one for one in readings if one.day and not one.clock and (one.span.kind == "date" or one.part)]
    rules = [one for one in readings if isinstance(one.span.value, Recurrence)]
    clocks = [one for one in readings if one.span.kind == "moment" and not one.day and one.span.length is None]
    if sum(bool(one.clock) for one in clocks) == 1 and not clocks[0].clock:
        clocks = [one for one in clocks if one.clock]  # 后天吃了晌午，下午一点半
    corrected = CORRECTIONS.search(text) is not None
    if not corrected and (of_part := _in_its_part(readings, clocks, text, reader)):
        return of_part
    if rules and not corrected and len({_how_often(one.span.value) for one in rules}) == 1:
        return _gathered_rule(readings, max(rules, key=lambda one: isinstance(one.span.value, Recurrence) and len(one.span.value.at)), clocks, text, reader)
    if len({one.day for one in days}) != 1 or not clocks or (len(clocks) > 1 and not corrected):
        return readings
    day, last = days[-1], days[-1].span.end == len(text)
    if (day.part and any(not one.clock or one.part for one in clocks)) or not last and (corrected or day.span.start > clocks[0].span.start):
        return readings
    placed = {id(one): _placed(replace(one, part=one.part or (day.part if _within(day.part, one) else "")), day.day, reader) for one in clocks}
    whole = placed[id(clocks[-1])].span
    placed[id(day)] = replace(day, span=replace(
        day.span, value=whole.value, kind="moment", alternatives=whole.alternatives, length=None))
    return [placed.get(id(one), one) for one in readings]


_MEAL_DONE = re.compile(r"[吃喝](?:了|完|罢|好|过)?(?:早饭|早点|早餐|中饭|午饭|晌午饭|晚饭|夜饭|晚餐)(?:以后|之后|后)?[，啊呀吧嘛]?")


def _in_its_part(readings: list[_Reading], clocks: list[_Reading], text: str, reader: _Reader) -> list[_Reading]:
    """晚上那个电视剧，|七点四十|的, 吃完晚饭|八点: the one hour in the one part of the day that is said before it; nothing where it does not lie there."""
    if len(readings) == 2 and _MEAL_DONE.fullmatch(text[readings[0].span.start:readings[1].span.start]) and readings[1].clock and not readings[0].day:
        return [replace(one, clock=readings[1].clock, span=replace(one.span, value=readings[1].span.value, alternatives=readings[1].span.alternatives)) for one in readings]
    parts = [one for one in readings if one.part and not one.clock and not one.day and one.span.kind == "moment"]
    if len(readings) != 2 or len(parts) != 1 or len(clocks) != 1 or not clocks[0].clock or clocks[0].part or clocks[0].span.start < parts[0].span.end:
        return []
    hour = WINDOWS.get(PARTS.get(parts[0].part, ("", ""))[0], {}).get(clocks[0].clock[0], 24)
    moments = reader.moment(None, parts[0].part, clocks[0].clock) if hour < 24 else None
    if moments is None:
        return []
    return [replace(one, clock=clocks[0].clock, part=parts[0].part, span=replace(one.span, value=moments[0], alternatives=moments[1])) for one in readings]


def _how_often(value: Value) -> tuple[object, ...]:
    """What a recurrence says but for its hours."""
    return (value.every, value.interval, value.days) if isinstance(value, Recurrence) else ()


def _within(part: str, reading: _Reading) -> bool:
    """Whether an hour may lie in a part of the day that was said apart from it: not ten in 后天下午有客，十点提醒我买菜."""
    kind = PARTS.get(part, ("", ""))[0]
    return reading.clock is None or reading.clock[0] in WINDOWS.get(kind, reading.clock)


def _placed(reading: _Reading, day: date | None, reader: _Reader) -> _Reading:
    """A moment on another day."""
    part = reading.part or None
    if reading.clock:
        moments = reader.moment(day, part, reading.clock) or reader.moment(day, None, reading.clock)  # 明天中午孙子来，九点提醒我
    elif part:
        moments = reader.place(day, *reader.usual(part)), ()
    else:
        assert isinstance(reading.span.value, datetime)
        moments = reader.place(day, reading.span.value.hour, reading.span.value.minute), ()
    if not moments:
        return reading
    return replace(reading, span=replace(reading.span, value=moments[0], alternatives=moments[1]), day=day)


def _gathered_rule(
    readings: list[_Reading], rule: _Reading, clocks: list[_Reading], text: str, reader: _Reader
) -> list[_Reading]:
    value = rule.span.value
    assert isinstance(value, Recurrence)
    part_of_it: list[_Reading] = [one for one in readings if _how_often(one.span.value) == _how_often(value)]
    if not value.at and clocks:
        at = {reader.daily(one.part or None, one.clock) if one.clock else _clock_of(one) for one in clocks}
        value = replace(value, at=tuple(sorted(_hhmm(clock) for clock in at if clock)))
        part_of_it += clocks
    elif beside := [one for one in clocks if one.clock and one.span.end == rule.span.start and _ALSO_AT.search(text[rule.span.start:rule.span.end])]:
        also = reader.daily(beside[0].part or None, beside[0].clock or (0, 0, False))  # 早上八点，晚上八点，天天提醒我
        value = replace(value, at=tuple(sorted({*value.at, *([_hhmm(also)] if also else [])})))
        part_of_it += beside
    for one in readings:
        if one.span.start < rule.span.end:
            continue
        before = text[: one.span.start]
        if isinstance(one.span.value, timedelta) and one.span.value >= timedelta(days=1) and _COURSE.search(before):
            first = _first_day(value, reader)
            value = replace(value, start=first, until=first + one.span.value - timedelta(days=1))
        elif one.span.kind == "date" and one.day and _UNTIL.search(before):
            value = replace(value, until=one.day)
    return [
        replace(one, span=replace(one.span, value=value, kind="recurrence", alternatives=())) if one in part_of_it else one
        for one in readings
    ]


_ALSO_AT = re.compile(r"点.{0,3}(?:天天|每天|每日|日日)$")
"""A recurrence that says its hour first: the hour right before it is one, too."""


def _clock_of(reading: _Reading) -> time | None:
    return reading.span.value.time() if isinstance(reading.span.value, datetime) else None


_JOINS = re.compile(r"^[,，、 ]*(?:到|至|和|或者?|还是|跟)[,，、 ]*$")


def _inherited(readings: list[_Reading], text: str, reader: _Reader) -> list[Span]:
    spans: list[Span] = []
    last: _Reading | None = None
    for reading in readings:
        if last:
            between = text[last.span.end : reading.span.start]
            corrects = _takes_back(between) or _gives_way(between)
            if corrects or _JOINS.match(between):
                reading = _completed(reading, last, reader, corrects)
        spans.append(reading.span)
        last = reading
    return spans


def _takes_back(between: str) -> bool:
    """Whether 不对 stands there: anywhere in a few characters, or last in more (每个星期天|提醒我给花浇水，不对，|星期六)."""
    marks = list(CORRECTIONS.finditer(between))
    return bool(marks) and (len(between) <= 8 or (len(between) <= 16 and len(between) - marks[-1].end() <= 1 and marks[-1][0] in ("不对", "错了")))


_WEEKDAY = re.compile(r"^(?:周|礼拜|星期|拜)[一二三四五六天日]")
"""A weekday of every week: 下周三 is one day alone."""


def _completed(reading: _Reading, last: _Reading, reader: _Reader, corrects: bool) -> _Reading:
    """`reading` with the day, part or clock time that only the one before it said."""
    span, old = reading.span, last.span
    if span.kind == "moment" and reading.clock and old.kind == "moment" and last.clock:
        day = reading.day or last.day
        part = reading.part or last.part
        moments = reader.moment(day, part or None, reading.clock) or reader.moment(day, None, reading.clock)
        if moments:
            return _Reading(replace(span, value=moments[0], alternatives=moments[1]), day, part, reading.clock)
    elif not corrects:
        return reading
    elif isinstance(old.value, Recurrence) and len(old.value.days) == 1 and reading.day and _WEEKDAY.match(span.text):
        at = (_hhmm(span.value.time()),) if reading.clock and isinstance(span.value, datetime) else old.value.at
        rule = replace(old.value, days=(WEEKDAYS[reading.day.weekday()],), at=at)  # 每个礼拜天，不对，礼拜六，下午三点
        return _Reading(replace(span, value=rule, kind="recurrence", alternatives=()))
    elif span.kind == "date" and reading.day and last.clock:
        moments = reader.moment(reading.day, last.part or None, last.clock)
        if moments:
            moved = replace(span, value=moments[0], alternatives=moments[1], kind="moment")
            return _Reading(moved, reading.day, last.part, last.clock)
    elif span.kind == "moment" and reading.clock and isinstance(old.value, Recurrence) and len(old.value.at) <= 1:
        had = time.fromisoformat(old.value.at[0]) if old.value.at else None
        clock = reader.daily(reading.part or None, reading.clock)
        if clock and not reading.part and had and had.hour >= 12 and clock.hour < 12 and not reading.clock[2]:
            clock = clock.replace(hour=clock.hour + 12)
        if clock:
            return _Reading(replace(span, value=replace(old.value, at=(_hhmm(clock),)), kind="recurrence", alternatives=()))
    elif span.kind == "duration" and isinstance(span.value, timedelta) and old.kind == "moment" and old.length:
        return _Reading(replace(span, value=reader.now + span.value, kind="moment", alternatives=()))
    return reading


_GIVES_WAY = re.compile(
    r"[吧啊呀呢嘛哦,，、 ]*(?:(?:不中|不成|不得行|要不得|不好|不行|不巧|不合适|唔得|唔好|唔啱|勿好|弗好|勿来三|弗来三|莫)+|不+|不要|算了|要不|干脆|[太忒](?:过)?[久长早晚慢短迟][了啦咯]?|有点[早晚迟]|来不及|赶不上|赶不及|不方便|没空|不用.{0,5})[吧啊呃了,，、 ]*(?:还是|要不|改|那就|就|那)?"
)
"""And this: 六点吧，不，六点半; 半小时，不用那么久，十分钟; 八点太早，九点吧."""


def _gives_way(between: str) -> bool:
    """Whether what stands between two times takes back the first."""
    return HESITATION.fullmatch(between) is not None or _GIVES_WAY.fullmatch(between) is not None


_SOFTLY = re.compile(r"[,，、… 吧嘛啊呢呀哈]*")
"""Between a day and a time: 明天吧，明天早上九点."""
HESITATION = re.compile(r"[,，、… ]*(?:呃|嗯|哎呀|哎|额|唉|那个|这个|就是说|就是|啊|哦|噢|欸|诶|不)+[,，、… ]*")
"""Between two times of one kind it stands for 不对: 明天…呃后天上午十点."""


def last_word(spans: list[Span], text: str) -> Span | None:
    """The span that counts after self-correction (八点，不对，九点 → 九点); the first where nothing is taken back.

    不是八点是九点 counts 九点, 明天呃后天 counts 后天, and so does 明天后天上午十点, where the hour is said with it only. `spans`
    are those `find` gave for `text`.
    """
    if len(spans) > 2 and _DENIED.search(text[:spans[-1].start]) and _MORE_EXACTLY.fullmatch(text[spans[0].end:spans[1].start]):
        spans = spans[:-1]  # 后天七点，我说的是晚上七点，不是早上
    spans = _from_the_one_told_by_another(spans, text)
    if not spans:
        return None
    for rule in (_refused_at_once, _refused_with_a_reason, _settled):
        if (rest := rule(spans, text)) is not None:
            return rest
    chosen = _along(spans, text)
    for correction in CORRECTIONS.finditer(text):
        after = [span for span in spans if span.start >= correction.end()]
        if not after:
            continue
        chosen = _along(after, text)
        if correction[0] == "不是" and len(after) > 1 and re.fullmatch(r"(?:的|[那这]个|那只|那次|那条)*[,，、 ]*(?:而?是|系|要)", text[after[0].end : after[1].start]):
            chosen = after[1]
        before = [span for span in spans if span.end <= correction.start() and has_clock(span.text) and names_a_day(span.text)]
        if before and not chosen.length and has_clock(chosen.text) and not names_a_day(chosen.text):
            chosen = on_the_day_of(before[-1], chosen)  # 明天下午四点，不对，幼儿园改时间了，三点五十
    return chosen


_TOLD_BY_ANOTHER = re.compile(r"^(?:那一?[天日]|嗰日|当[天日]|同一?天|伊天|哀天)|头一?[天日]|前一[天日]|上一天|先一天|第二[天日]|次日|转天|下一天|后一天|隔[天日]|前头?的?一天")
_NOT_FREE = re.compile(r"[我俺咱他她伊佢]?(?:都|还|也|正|就|又|们)?(?:没空|冇空|唔得闲|不得空|不得闲|有事|开会|有客|来客|来人|忙|不在|不行|不成|上班|上课|才)|[我俺咱](?:还|也)?(?:要(?!得)|得去|有(?!空))")
"""Behind a day that is told by another: it is given away to something else."""
_WISHED = re.compile(r"(?:就|还是|想|赶在.{0,5}|改[到成]?|放[到在]?|约[在到]?|定在?|安排在?|提前到?)$")
"""Before such a day it is the one that is meant."""


def _from_the_one_told_by_another(spans: list[Span], text: str) -> list[Span]:
    """Without the day that only tells which other one is meant: 二十八号做寿，|头一天下午三点."""
    for at in range(len(spans) - 1, -1, -1):
        span = spans[at]
        if span.length or not isinstance(span.value, date) or not _TOLD_BY_ANOTHER.search(span.text) or _NOT_FREE.match(text, span.end):
            continue
        clock = has_clock(span.text)
        later = any(has_clock(one.text) and not names_a_day(one.text) for one in spans[at + 1:])
        if at and (clock or (later and not any(has_clock(one.text) for one in spans[:at])) or _WISHED.search(text[:span.start])):
            return spans[at:]
    return spans


def _along(spans: list[Span], text: str) -> Span:
    """The first, or what replaces it right behind it, and so on."""
    chosen = spans[0]
    for one, other in zip(spans, spans[1:], strict=False):
        between = text[one.end:other.start]
        same = one.kind == other.kind or (one.kind, other.kind) == ("date", "moment")
        if one is chosen and between and one.length and other.length and _gives_way(between):
            chosen = other  # 半小时，不，二十分钟以后
        if one is chosen and not between and _betters(one, other):
            chosen = on_the_day_of(chosen, other)  # 后天早上六点六点半吧
        again = one is not chosen and one.kind == chosen.kind == "moment" and one.length == chosen.length and _at(one) == _at(chosen)
        if (again and same and _gives_way(between)) or (one is chosen and same and _MORE_EXACTLY.fullmatch(between)):
            chosen = on_the_day_of(chosen, other)  # 明天九点叫保洁，九点太早了，十点吧; 后天七点，我说的是晚上七点
        elif one is chosen and same and "duration" not in (one.kind, other.kind) and (
            _gives_way(between) or ((one.kind, other.kind) == ("date", "moment") and _SOFTLY.fullmatch(between))
        ):
            chosen = on_the_day_of(one, other) if one.kind == "date" else other
    return chosen


def _betters(one: Span, other: Span) -> bool:
    """Whether a time right behind another mends it: 六点|六点半; 六点七点 is about."""
    if one.kind != "moment" or other.kind != "moment" or one.length or other.length or names_a_day(other.text) or not has_clock(other.text):
        return False
    first, second = _at(one), _at(other)
    return first is not None and second is not None and first[0] == second[0]


_MORE_EXACTLY = re.compile(r"[吧啊呀呢嘛哦,，、 ]*我?(?:说的|讲的|指的)(?:就)?是[,，、 ]*")
"""Between two times: the second says the first again, better."""
_DENIED = re.compile(r"(?:不是|可?别是|不要|唔系|勿是)$")
"""Before a time that comes last: it is not this one."""


_REFUSED = re.compile(r"[吧啊呀呢嘛哦，,… ]*(?:[哎呃哦啊噢唉]+呀?)?(?:不行|不成|不中|不得行|要不得|不对|不好(?!意思)|不合适|唔系|唔得|唔好|唔啱|勿是|弗是|勿对|弗对|勿好|弗好|勿来三|弗来三)(?![吗么])")
"""Right behind a time: not this one."""


def _is_refused(span: Span, text: str) -> bool:
    """Whether a time is refused right behind it; 十点中不中 asks."""
    return text[span.end - 1:span.end] not in ("中", "行", "好", "成") and _REFUSED.match(text, span.end) is not None


_BACK = re.compile(r"[哦噢呃啊哎唉][呀哟]?不[对是行]?|不对|唔系|勿对|弗对|[说讲]错")


def _refused_at_once(spans: list[Span], text: str) -> Span | None:
    """What is chosen last of all after a time was refused, whatever hours the reason names: 七点半，不行，八点，今晚八点; 今晚七点半，不对，新闻七点就开始了，晚上六点五十五喊我."""
    if len(spans) < 3 or not (_is_refused(spans[0], text) or _BACK.search(text[spans[0].end:spans[1].start])) or any(span.length or not isinstance(span.value, date) for span in spans):
        return None
    last, before = spans[-1], spans[-2]
    between = text[before.end:last.start]
    if not has_clock(last.text) or len(text) - last.end > 3 and not _ASKED.match(text, last.end) or _DENIED.search(text[:last.start]):
        return None
    again = _at(before) == _at(last)
    if not again and (len(between) < 3 or _JOINED.search(between) or "不是" in between):
        return None
    return _with_what_it_lacks(last, [], spans[0])


_GIVEN_AWAY = re.compile(_NOT_FREE.pattern + r"|要(?!得)|得去")
"""Behind a time that is named as the reason."""


def refused(spans: Sequence[Span], text: str) -> bool:
    """Whether every time that is said is refused, or given away as the reason for it: 三点不行，我四点要接孙子."""
    first = next((at for at, span in enumerate(spans) if not _is_refused(span, text)), len(spans))
    return first > 0 and all(_GIVEN_AWAY.match(text, span.end) for span in spans[first:])


_GET_READY = re.compile(r"飞机|火车|高铁|动车|班车|赶车|体检|抽血|手术|空腹|开刀|做胃镜|出远门")
"""What is got ready for the evening before."""


def on_the_one_day(span: Span, spans: Sequence[Span], text: str, today: date) -> Span:
    """An hour of an answer on the one day that is spoken of beside it: 礼拜三上午我要去医院，下午嘛，下午四点要得."""
    days = [one for one in spans if isinstance(one.value, date) and names_a_day(one.text) and _day_of(one.value) >= today and not _is_refused(one, text)]
    if span.kind != "moment" or span.length or names_a_day(span.text) or len({_day_of(one.value) for one in days if isinstance(one.value, date)}) != 1:
        return span
    return span if _GET_READY.search(text) and span.text[0] not in DIAL else on_the_day_of(days[0], span)


def in_the_whole(spans: list[Span], start: int, whole: Sequence[Span], text: str) -> list[Span]:
    """Times of a part of a sentence, from `start` on, with what the whole of it says of them: 明天十点，不对，十点我在医院，|八点半叫我."""
    chosen = last_word(list(whole), text)
    if chosen is None or chosen.kind != "moment":
        return spans
    return [replace(span, value=chosen.value) if span.start + start == chosen.start and _at(span) == _at(chosen) else span for span in spans]


def undecided(spans: Sequence[Span], text: str) -> bool:
    """Whether an hour is chosen after what is done every day, so that it is open whether it is for once: 我天天早上六点起，那就七点吧."""
    last = spans[-1] if len(spans) > 1 else None
    usual = next((span.value for span in spans[:-1] if isinstance(span.value, Recurrence) and span.value.at), None)
    return (
        last is not None and usual is not None and isinstance(last.value, datetime) and has_clock(last.text) and not names_a_day(last.text)
        and _hhmm(last.value.time()) not in usual.at and _THEN.search(text[:last.start]) is not None
    )


def each_time(span: Span, spans: Sequence[Span], text: str) -> Span:
    """The recurrence an answer ends with: 眯到七点钟差不多醒，那就每天晚上七点一刻."""
    last = spans[-1] if spans else span
    whole = isinstance(last.value, Recurrence) and last.value.at and len(text) - last.end <= 3 and _THEN.search(text[:last.start])
    return last if whole else span


_ASKED = re.compile(r"[你您，]?(?:再|就|给我|帮我)*(?:提醒|叫|喊|催|提我|约|请|来|送)")


def _refused_with_a_reason(spans: list[Span], text: str) -> Span | None:
    """What is chosen after a time was named again to say why not: 五点，不不，五点天都黑了，四点半; 周三下午两点，哎呀周三强子要来，那就周四，还是下午两点."""
    for at, first in enumerate(spans):
        for place in range(at + 1, len(spans) - 1):
            if not _says_again(spans[place], first) or not (later := [span for span in spans[place + 1:] if not _says_again(span, first)]):
                continue
            picked = next((span for span in later if _is_chosen(span, text)), None)
            if picked is None or later[0].start - spans[place].end < 2 or bool(picked.length) != bool(first.length):
                continue
            return _with_what_it_lacks(picked, spans[spans.index(picked) + 1:], first, spans[:at])
    return None


def _settled(spans: list[Span], text: str) -> Span | None:
    """The hour that is settled on where several are spoken of (九点太早，十点我在打太极，上午十一点吧，后天), or the same one with its day (下午三点，后天的下午三点)."""
    hours = [span for span in spans if span.kind == "moment" and not span.length and has_clock(span.text)]
    chosen = [span for span in hours if text[span.end:span.end + 1] in ("吧", "呗")]
    if len(hours) > 2 and len(chosen) == 1 and _at(chosen[0]) == _at(hours[-1]):
        return _with_what_it_lacks(hours[-1], spans[spans.index(hours[-1]) + 1:], spans[0])
    if len(hours) == 2 and _at(hours[0]) == _at(hours[1]) and not names_a_day(hours[0].text) and names_a_day(hours[1].text):
        return hours[1]
    if len(hours) == 2 and text[hours[1].end:] in _ENDS_IT and hours[1].start - hours[0].end > 1 and not _JOINED.search(text[hours[0].end:hours[1].start]):
        return _with_what_it_lacks(hours[1], [], hours[0])  # 明早六点半叫我，哎，明天不用送娃儿，七点半吧
    days = [span for span in spans if span.kind in ("date", "moment") and not span.length and names_a_day(span.text)]
    if len(spans) == len(days) == 2 and text[days[1].end:] in _ENDS_IT and days[1].start - days[0].end > 1 and not _JOINED.search(text[days[0].end:days[1].start]):
        return days[1]  # 明天有事，后天上午吧
    return _free_then(spans, text)


_FREE = re.compile(r"[，,、 ]*(?:好哉|好了|好啦|吧|呗|啦|嘛|噻|行|得|可以|没事|有空|得闲)")
_THEN = re.compile(r"(?:那就|还是|就|要不|改(?:到|成|在)?|挪到|那)$")
"""Behind a time and before one: it is chosen."""
_OCCUPIED = re.compile(r"[我俺伊他她佢要去约有]|开会|看病|上课|吃酒|喝喜酒|打牌|体检|打针|复查|来人|客|忙")
"""Behind a time: it is given away to something else."""


def _free_then(spans: list[Span], text: str) -> Span | None:
    """The time that is chosen behind one that is given away to something else: 礼拜一要去吃喜酒，礼拜二好哉，下午两点钟; 二十五号，上午要开会，那就下午五点."""
    points = [span for span in spans if not span.length and isinstance(span.value, date)]
    if len(points) != len(spans):
        return None
    for at in range(len(points) - 1, 0, -1):
        picked, before = points[at], points[at - 1]
        between = text[before.end:picked.start]
        if len(between) < 3 or not _OCCUPIED.search(between) or _JOINED.search(between):
            continue
        if not (_THEN.search(between) or _FREE.match(text, picked.end)):
            continue
        return _with_what_it_lacks(picked, points[at + 1:], picked, points[:at])
    return None


_ENDS_IT = frozenset({"吧", "呗", "算了", "得了", "好了", "吧那就", "吧就"})
_JOINED = re.compile(r"(?:到|至|和|或者?|还是|跟|要么|不是|前|后|再)$")
"""Before a second hour: it does not replace the first."""


def _says_again(span: Span, first: Span) -> bool:
    """Whether a time says nothing but the day, the hour or the length of another one."""
    if span.length or first.length:
        return span.length == first.length
    if isinstance(first.value, Recurrence) and isinstance(span.value, date):
        return first.value.days == (WEEKDAYS[span.value.weekday()],) and not has_clock(span.text)
    if not isinstance(span.value, date) or not isinstance(first.value, date):
        return span.value == first.value
    clock = has_clock(span.text)
    if clock and _at(span) != _at(first):
        return False
    return not names_a_day(span.text) or (names_a_day(first.text) and _day_of(span.value) == _day_of(first.value))


def _day_of(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


_CHOSEN_BEHIND = re.compile(r"[吧呗哈噻]|好了|就行|可以|来|叫|喊|提醒|约|给|让|要得|行不|.{0,3}$")
_CHOSEN_BEFORE = re.compile(r"(?:就|还是|[改挪换推移](?:到|成|在)?|要不|那|定在?|放在?)$")
"""Around the time that is settled on."""


def _is_chosen(span: Span, text: str) -> bool:
    return bool(_CHOSEN_BEHIND.match(text, span.end) or _CHOSEN_BEFORE.search(text[:span.start]))


def _with_what_it_lacks(picked: Span, later: list[Span], first: Span, before: Sequence[Span] = ()) -> Span:
    """`picked` with the hour or the day that is said after it, or was said with the one it stands for."""
    if picked.length or not isinstance(picked.value, date):
        return picked
    clock, day = has_clock(picked.text), names_a_day(picked.text)
    if not clock:
        hour = next((span for span in (*later, first) if isinstance(span.value, datetime) and has_clock(span.text)), None)
        return replace(picked, value=datetime.combine(_day_of(picked.value), hour.value.time()), kind="moment") if hour and isinstance(hour.value, datetime) else picked
    named = next((span for span in (*later, first, *reversed(before)) if isinstance(span.value, date) and names_a_day(span.text)), None)
    if day or named is None or not isinstance(named.value, date) or not isinstance(picked.value, datetime):
        return picked
    return on_the_day_of(named, picked)


def _at(span: Span) -> tuple[int, int] | None:
    """Hour on the dial and minute."""
    return (span.value.hour % 12, span.value.minute) if isinstance(span.value, datetime) else None


def on_the_day_of(said: Span, other: Span) -> Span:
    """`other` on the day that `said` names, if it names none itself; its part of the day is that of `said` where it says none."""
    dial = _at(other)
    if dial is None or names_a_day(other.text) or not names_a_day(said.text) or not isinstance(said.value, date):
        return other
    if not isinstance(said.value, datetime):
        return replace(other, value=_on_the_dial(other, said.value)) if isinstance(other.value, datetime) else other
    half = 12 * (said.value.hour >= 12)
    near = min((hour for hour in (dial[0] + half, dial[0] + 12 - half) if hour >= EARLIEST), key=lambda hour: abs(hour - said.value.hour))  # type: ignore[union-attr]
    hour = near if other.text[0] in DIAL else other.value.hour if isinstance(other.value, datetime) else 0
    return replace(other, value=datetime.combine(said.value.date(), time(hour, dial[1])))


def _on_the_dial(hour: Span, day: date) -> datetime:
    """An hour said apart from its day as it would be meant beside it: 八点 of a day to come is in the morning, whatever the clock shows now."""
    assert isinstance(hour.value, datetime)
    at = hour.value.time()
    if hour.value.date() != day and hour.text[0] in DIAL and not _OF_24.match(hour.text):
        at = at.replace(hour=at.hour % 12 + 12 * (at.hour % 12 < 6))
    return datetime.combine(day, at)


_OF_24 = re.compile(r"零点?|十[三四五六七八九]点|二十[一二三四]?点")
EARLIEST = 5
"""Before this hour nobody means an hour said without its part of the day."""
DIAL = "零一二两三四五六七八九十"
"""What a time without a part of the day begins with."""


_DAY_SAID = re.compile(r"[今明后昨前号月]|周|星期|礼拜|天|日")


_CLOCK_SAID = re.compile(r"[点时刻分:：饭餐睡起]|以?[后前]$")


def has_clock(text: str) -> bool:
    """Whether a time says an hour: 下午三点, not 下午."""
    return _CLOCK_SAID.search(text) is not None


def names_a_day(text: str) -> bool:
    """Whether a time says its day: 礼拜五下午三点, not 三点."""
    return _DAY_SAID.search(text) is not None


def with_hour(chosen: Span, spans: Sequence[Span]) -> Span:
    """A day with the one hour that is said beside it: 改到后天来，早上九点 → the day after tomorrow at nine; 后天下午剪头发，两点半."""
    hours = [span for span in spans if span.kind == "moment" and not span.length and not names_a_day(span.text)]
    if chosen.kind == "moment" and names_a_day(chosen.text) and not has_clock(chosen.text) and len(hours) == 1 and hours[0].start >= chosen.end:
        return replace(chosen, value=on_the_day_of(chosen, hours[0]).value)
    if chosen.kind != "date" or len(hours) != 1 or not isinstance(chosen.value, date) or not isinstance(hours[0].value, datetime):
        return chosen
    return replace(chosen, value=_on_the_dial(hours[0], chosen.value), kind="moment")


def next_after(span: Span, now: datetime) -> Span:
    """An hour of what is yet to come that was taken for one of a day gone by, which is named beside it: 我昨天忘了浇花，|晚上七点|提醒我."""
    now = now.replace(tzinfo=None)
    if not isinstance(span.value, datetime) or span.length or span.value.date() >= now.date() or names_a_day(span.text):
        return span
    halves = (0, 12) if span.text[0] in DIAL and not _OF_24.match(span.text) else (0,)
    at = [datetime.combine(now.date(), span.value.time()) + timedelta(days=days, hours=hours) for days in (0, 1) for hours in halves]
    return replace(span, value=min(moment for moment in at if moment > now and (moment.hour in WAKING or len(halves) == 1)))


def still_ahead(value: Value, text: str, today: date) -> Value:
    """这个星期六 said on the Sunday after it, of what is yet to come: a week later."""
    if isinstance(value, Recurrence | timedelta) or not _A_WEEKDAY.search(text):
        return value
    day = value.date() if isinstance(value, datetime) else value
    return value + timedelta(days=7) if day < today else value


_A_WEEKDAY = re.compile(r"(?<!上)(?<!上个)(?:周|星期|礼拜)[一二三四五六日天]")


def completed(chosen: Span, spans: Sequence[Span]) -> Span:
    """`chosen` with the hour, or how often, where another clause says it: 每个礼拜五发鸡蛋，早上八点提醒我 → every Friday at eight."""
    often = [(span, span.value) for span in spans if isinstance(span.value, Recurrence)]
    full = [(span, value) for span, value in often if value.at]
    hours = [span for span in spans if span.kind == "moment" and not span.length and not _DAY_SAID.search(span.text)]
    value = chosen.value
    if chosen.kind == "date" and full:
        return full[0][0]
    if chosen.kind == "date" and hours and isinstance(value, date):
        return with_hour(chosen, spans)
    if chosen in hours and often:
        chosen, value = often[0]
    if not isinstance(value, Recurrence) or value.at:
        return chosen
    for span, other in full:
        if (other.every, other.days) == (value.every, value.days):
            return span
    if full and full[0][1].every == "day":
        return replace(chosen, value=replace(value, at=full[0][1].at))
    if hours and isinstance(hours[-1].value, datetime):
        return replace(chosen, value=replace(value, at=(_hhmm(hours[-1].value.time()),)))
    return chosen


# --- saying -------------------------------------------------------------------------------------------------------

_TENS = ("", "十", "二十", "三十", "四十", "五十")
_NEAR = {-2: "前天", -1: "昨天", 0: "今天", 1: "明天", 2: "后天"}
_PART_OF_HOUR = ((5, "凌晨"), (10, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
"""Until this hour it is called so; nine is still 早上 as elders say it."""


def words(number: int) -> str:
    """0…99 in words; 两 is the caller's business."""
    if number < 10:
        return "零一二三四五六七八九"[number]
    tens, ones = divmod(number, 10)
    return ("十" if tens == 1 else words(tens) + "十") + (words(ones) if ones else "")


def clock(moment: datetime | time) -> str:
    """早上七点半, 下午三点零五分, 中午十二点: a time of day in plain words."""
    part = next(name for until, name in _PART_OF_HOUR if moment.hour < until)
    hour = moment.hour - 12 if moment.hour > 12 else moment.hour
    said = "两" if hour == 2 else words(hour or 12)
    if moment.hour == 0:
        part = "半夜"
    tail = {0: "", 30: "半", 15: "一刻"}.get(moment.minute)
    if tail is None:
        tail = ("零" if moment.minute < 10 else "") + words(moment.minute) + "分"
    return f"{part}{said}点{tail}"


def day(value: date, now: datetime) -> str:
    """今天, 后天, else 十二月三号星期四, with the year where it is another."""
    away = (value - now.date()).days
    if away in _NEAR:
        return _NEAR[away]
    year = "" if value.year == now.year else "明年" if value.year == now.year + 1 else "".join(
        "零一二三四五六七八九"[int(digit)] for digit in str(value.year)) + "年"
    return f"{year}{words(value.month)}月{words(value.day)}号星期{DAY_NUMBERS[(value.weekday() + 1) % 7]}"


def length(value: timedelta) -> str:
    """十分钟, 一个半小时, 两小时二十分钟, 三天: a length in plain words."""
    seconds = int(abs(value).total_seconds())
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    said = f"{_count(days)}天" if days else ""
    if hours and minutes == 30 and not rest:
        return said + f"{_count(hours)}个半小时"
    if not hours and not days and minutes == 30 and not rest:
        return "半小时"
    said += f"{_count(hours)}小时" if hours else ""
    said += f"{_minutes(minutes)}分钟" if minutes else ""
    said += f"{words(rest)}秒" if rest else ""
    return said or "零分钟"


def _minutes(number: int) -> str:
    return "两" if number == 2 else words(number)


def _count(number: int) -> str:
    return "两" if number == 2 else words(number) if number < 100 else str(number)


def say(value: Value, now: datetime) -> str:
    """The read-back of a time in words an elder understands; `parse` of it gives the value again.

    明天下午三点 · 后天 · 十分钟后 (a timedelta; `length` says 十分钟) · 每天早上八点和晚上八点 · 每周一三五早上九点.
    """
    now = now.replace(tzinfo=None)
    match value:
        case datetime():
            if value.second and 0 < (value - now).total_seconds() < 3600:
                return f"{length(value - now)}后"
            # the first hour belongs to the night before: 今天半夜十二点 comes after 今天晚上十一点
            return day((value - timedelta(hours=1)).date(), now) + clock(value)
        case date():
            return day(value, now)
        case timedelta():
            return length(value) + ("后" if value >= timedelta() else "前")
        case Recurrence():
            return _say_recurrence(value, now)


def _say_recurrence(rule: Recurrence, now: datetime) -> str:
    said = _EVERY[rule.every](rule)
    if rule.at:
        said += ("从" if rule.every == "hour" else "") + "和".join(clock(time.fromisoformat(at)) for at in rule.at)
        said += "开始" if rule.every == "hour" else ""
    if rule.start and (rule.start > now.date() or rule.until):
        said = f"从{day(rule.start, now)}开始{said}"
    if rule.until:
        said += f"，到{day(rule.until, now)}为止"
    return said


def _every(rule: Recurrence, one: str, skip: str, many: str) -> str:
    if rule.interval == 1:
        return one
    return skip if rule.interval == 2 else many.format(_count(rule.interval))


def _say_week(rule: Recurrence) -> str:
    days = [WEEKDAYS.index(str(name)) for name in rule.days]
    first = _every(rule, "每周", "每两周的周", "每{}周的周")
    if rule.interval == 1 and days == [0, 1, 2, 3, 4]:
        return "周一到周五"
    if not days:
        return first.removesuffix("的周")
    return first + "".join("一二三四五六日"[index] for index in days)


def _say_month_days(rule: Recurrence) -> str:
    names = ["最后一天" if number == -1 else f"{words(int(number))}号" for number in rule.days]
    return _every(rule, "每月", "每两个月的", "每{}个月的") + "和".join(names)


def _say_moon(number: int) -> str:
    return f"初{words(number)}" if number <= 10 else "最后一天" if number == -1 else words(number)


def _say_year(rule: Recurrence) -> str:
    pairs = [str(item).split("-", 1) for item in rule.days]
    return "每年" + "和".join(f"{words(int(month))}月{words(int(number))}号" for month, number in pairs)


_MOONS = {1: "正月", 11: "冬月", 12: "腊月"}


def _say_lunar_year(rule: Recurrence) -> str:
    pairs = [str(item).split("-", 1) for item in rule.days]
    names = ["除夕" if (month, number) == ("12", "-1") else
             ("" if int(month) in _MOONS else "农历") + _MOONS.get(int(month), f"{words(int(month))}月") + _say_moon(int(number))
             for month, number in pairs]
    return "每年" + "和".join(names)


_EVERY: Mapping[str, Callable[[Recurrence], str]] = {
    "day": lambda rule: _every(rule, "每天", "隔一天", "每{}天"),
    "hour": lambda rule: "每小时" if rule.interval == 1 else f"每{_count(rule.interval)}小时",
    "week": _say_week,
    "month": _say_month_days,
    "lunar_month": lambda rule: "每月农历" + "和".join(_say_moon(int(number)) for number in rule.days),
    "year": _say_year,
    "lunar_year": _say_lunar_year,
}
