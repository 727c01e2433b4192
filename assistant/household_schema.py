"""The shape of the family's file: every key it may have, what it means, and what its value must look like.

Values arrive as the characters that stand in the file (`"08:30"`, `"是"`, `"一粒"`): YAML's own guesses about types are
not used, so a telephone number keeps its zeros and 否 is not a string that counts as true.
"""

from __future__ import annotations

import copy
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Annotated, Any, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

from assistant.home import authority


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the file."""

    chinese: str
    english: tuple[str, ...]
    """Aliases; the first is the one the developer docs use."""
    means: str
    """One Chinese line for the family."""
    example: str
    """A value as one would write it after the colon."""
    noun: str = ""
    """What to call it in a sentence, where the key alone is too short: 电话号码."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One value that will not do, before it has a line."""

    path: tuple[str | int, ...]
    """Field names and list places from the top: `("family", 0, "phone")`."""
    what: str
    """Empty when the key is missing or has no value."""
    hint: str
    meanwhile: str = ""
    """How a house that has run with the value lives with it; empty: it cannot."""


def wrong(what: str, hint: str, meanwhile: str = "") -> PydanticCustomError:
    """What a reader of values raises: Chinese sentences of what, of what to do, and of how it is lived with (`Fault.meanwhile`)."""
    return PydanticCustomError("family", "{what}", {"what": what, "hint": hint, "meanwhile": meanwhile})


UNWRITTEN = "这一项先当没写"
"""The value is left out."""
AS_BEFORE = "照旧用它"
"""The value can be read, so a house that has run with it keeps it."""


# --- readers of one value -----------------------------------------------------------------------------------------


def _one(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        raise wrong("这里应该只写一个值，却写成了好几项", "把这一项写在冒号后面的同一行里")
    raise wrong("这里应该只写一个值，却写成了一串", "去掉方括号，只留一个")


def plain(text: str, limit: int, *, known: bool = False) -> str:
    """`text` if it can be spoken and sent as it is: no control characters, no markup, at most `limit` characters.

    What is `known` has been spoken and sent: another name would be another medicine, whose dose is asked for again.
    """
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in text):
        raise wrong("里面有换行或者看不见的控制字符", "写成一行，删掉看不见的字符再重新打一遍")
    if known:
        return text
    if any(unicodedata.category(char) == "Cf" for char in text):
        raise wrong("里面有看不见的排版字符（常见于从网页复制）", "删掉，自己重新打一遍", AS_BEFORE)
    if found := re.search(r"[<>{}]", text):
        raise wrong(f"里面有符号 {found.group()}，念不出来", "去掉这个符号，只写平常的话", AS_BEFORE)
    if len(text) > limit:
        raise wrong(f"太长了，有 {len(text)} 个字，最多 {limit} 个字", "写短一点", AS_BEFORE)
    return text


def _words(limit: int) -> Any:
    def read(value: Any, info: ValidationInfo) -> str:
        return plain(_one(value), limit, known=bool(info.context))

    return BeforeValidator(read)


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        # 小名: 敏敏、闺女 and [敏敏，闺女]: nobody means a comma to be part of a name.
        return [part.strip() for part in re.split(r"[、，,；;]", value) if part.strip()]
    if isinstance(value, list):
        return [part for item in value for part in (_listed(item) if isinstance(item, str) else [item])]
    raise wrong("这里应该写一个或几个名字", "写成 [甲, 乙] 这样")


def _either(value: Any) -> list[Any]:
    if isinstance(value, dict):
        raise wrong("这里应该写一个或几个值", "写成 [甲, 乙] 这样")
    return value if isinstance(value, list) else [value]


def _entries(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return value
    raise wrong("下面应该一行一项", "每一项前面写减号和空格，例如 - {名字: 刘敏}")


FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("是", "对", "要", "可以", "有", "开", "yes", "true", "on", "y", "1"), True),
    **dict.fromkeys(("否", "不", "不是", "不要", "不可以", "没有", "关", "no", "false", "off", "n", "0"), False),
}
"""How a family says yes and no in a file."""


def _flag(value: Any) -> bool:
    text = _one(value)
    if text.lower() not in FLAGS:
        raise wrong("这里只能写 是 或者 否", "改成 是 或者 否")
    return FLAGS[text.lower()]


DIGITS = str.maketrans("零〇一二两三四五六七八九", "001223456789")


def number(text: str) -> float | None:
    """`28`, `２８`, `2.5`, `半`, `一`, `十二`, `两百`, `二十八`; None if it is no number. Never negative."""
    text = unicodedata.normalize("NFKC", text).strip().lstrip("+")
    if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text):
        return float(text)
    if text == "半":
        return 0.5
    total, digit = 0, 0
    if not text or not re.fullmatch("[零〇一二两三四五六七八九十百]+", text):
        return None
    for char in text:
        if unit := {"十": 10, "百": 100}.get(char):
            total, digit = total + (digit or 1) * unit, 0
        else:
            digit = digit * 10 + int(char.translate(DIGITS))
    return float(total + digit)


def _number(low: float, high: float, unit: str = "") -> Any:
    def read(value: Any) -> float:
        text = _one(value)
        found = number(re.sub(r"(?<=.)[粒片颗盒支袋次个%]$", "", text))
        if found is None:
            raise wrong(f"这里应该是一个数{unit}", f"写成 {low:g} 到 {high:g} 之间的数", UNWRITTEN)
        if not low <= found <= high:
            raise wrong(f"{found:g} 不行，应该在 {low:g} 到 {high:g} 之间", f"改成 {low:g} 到 {high:g} 之间的数", UNWRITTEN)
        return found

    return BeforeValidator(read)


def _whole(value: float) -> float:
    if value != int(value):
        raise wrong("这里应该是整数", "去掉小数点", UNWRITTEN)
    return value


UNDIALLED = "先不打这个号码"
DIALLED = "照旧打这个号码"


def phone(text: str, *, known: bool = False) -> str:
    """A telephone number as it is dialled: digits, perhaps + in front; 5 (12349) to 15 digits (ITU-T E.164); or a `sip:` address.

    What is `known` is dialled also where it has too many digits or too few.
    """
    if re.search(r"[\x00-\x1f\x7f\x85\u2028\u2029]", text):
        raise wrong("电话号码里有换行或者看不见的字符", '删掉重新打一遍，例如 电话: "13800000001"', UNDIALLED)
    if "@" in text:
        return _sip(unicodedata.normalize("NFKC", text).strip())
    bare = re.sub(r"[\s()\-‐–—·.]", "", unicodedata.normalize("NFKC", text))
    if bad := re.search(r"[^0-9+]", bare):
        raise wrong(f"电话号码里有不是数字的字：{bad.group()}", '只写数字，例如 电话: "13800000001"', UNDIALLED)
    if not re.fullmatch(r"\+?\d+", bare):
        raise wrong("电话号码写得不对", '加号只能在最前面，例如 电话: "+8613800000001"', UNDIALLED)
    digits = bare.lstrip("+")
    if rung := authority(bare):
        raise wrong(f"{rung} 不能当家人的电话", "小伴不会自己打急救或者报警电话，请写真人的号码", UNDIALLED)
    if known:
        return bare
    if len(digits) < 5:
        raise wrong(f"电话号码太短，只有 {len(digits)} 位", "写完整的号码，座机要带区号", DIALLED)
    if len(digits) > 15:
        raise wrong(f"电话号码太长，有 {len(digits)} 位", "只写一个号码", DIALLED)
    local = re.sub(r"^(\+86|0086|86(?=1[3-9]\d{9}$))", "", bare)
    if re.match(r"1[3-9]", local) and len(local) != 11:
        raise wrong(f"手机号码应该是 11 位，这里是 {len(local)} 位", "数一数，看看多了还是少了", DIALLED)
    if re.match(r"1[0-2]", local) and 6 < len(local) != 11:  # short numbers of services have at most six: 12349, 118114
        raise wrong(f"1 开头的号码应该是 11 位，这里是 {len(local)} 位", "数一数，看看多了还是少了；座机前面写区号，例如 010", DIALLED)
    return bare


def _sip(text: str) -> str:
    """An address on the internet telephone (RFC 3261): a name, a host, perhaps a port, and nothing that a line could be ended with."""
    if not re.match(r"sips?:", text):
        raise wrong("电话里有 @，像是网络电话账号或者邮箱", "网络电话写成 电话: \"sip:liumin@sip.example.com\"；邮箱写到 通知 里", UNDIALLED)
    found = re.fullmatch(r"sips?:([A-Za-z0-9._+-]{1,60})@[A-Za-z0-9][A-Za-z0-9.-]{0,100}(:[0-9]{1,5})?", text)
    if not found:
        raise wrong("网络电话账号写得不对", "写成 电话: \"sip:liumin@sip.example.com\"，没有空格，也不带密码", UNDIALLED)
    if rung := authority(text):
        raise wrong(f"{rung} 不能当家人的电话", "小伴不会自己打急救或者报警电话，请写真人的号码", UNDIALLED)
    return text


def _phone(value: Any, info: ValidationInfo) -> str:
    return phone(_one(value), known=bool(info.context))


def day(text: str) -> date | None:
    """`2026-11-22`, `2026年11月22日`, `2026/11/22`, `2026.11.22`; None if it is no date."""
    found = re.fullmatch(
        r"(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?", unicodedata.normalize("NFKC", text).strip()
    )
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _date(value: Any) -> date:
    if isinstance(value, date):
        return value
    found = day(_one(value))
    if found is None:
        raise wrong("这里应该是一个日期", "写成 2026-11-22 这样")
    return found


def _zone(value: Any) -> str:
    text = _one(value)
    try:
        ZoneInfo(text)
    except (ValueError, OSError, LookupError):
        raise wrong("没有这个时区", "在中国写 Asia/Shanghai，或者删掉这一行") from None
    return text


SCHEMES: Mapping[str, str] = {
    "console": "打印在屏幕上（试用）", "file": "写进文件", "wecombot": "企业微信群机器人", "wecom": "企业微信应用", "dingtalk": "钉钉机器人",
    "feishu": "飞书机器人", "lark": "飞书国际版", "schan": "Server酱", "pushplus": "PushPlus", "wxpusher": "WxPusher",
    "pushdeer": "PushDeer", "pushdeers": "PushDeer（加密）", "pushme": "PushMe", "wpush": "WPush",
    "bark": "Bark", "barks": "Bark（加密）", "ntfy": "ntfy", "ntfys": "ntfy（加密）", "gotify": "Gotify",
    "gotifys": "Gotify（加密）", "mailto": "电子邮件", "mailtos": "电子邮件（加密）", "mqtt": "MQTT",
    "mqtts": "MQTT（加密）", "json": "自己的网址", "jsons": "自己的网址（加密）", "form": "自己的网址（表单）",
    "forms": "自己的网址（表单，加密）", "xml": "自己的网址（XML）", "xmls": "自己的网址（XML，加密）",
    "tgram": "Telegram", "slack": "Slack", "discord": "Discord", "signal": "Signal", "signals": "Signal（加密）",
    "sip": "网络电话", "sips": "网络电话（加密）", "sms": "手机短信（本机的移动网卡，试验）", "modem": "手机短信（本机的移动网卡，试验）",
}  # fmt: skip
"""First word of a channel's address → what it is; the addresses themselves are Apprise's, sip: is RFC 3261."""

WEB_ADDRESSES: Mapping[str, str] = {
    "qyapi.weixin.qq.com": "wecombot://${名字}，密钥是 key= 后面的那一串",
    "oapi.dingtalk.com": "dingtalk://${名字}，密钥是 access_token= 后面的那一串",
    "open.feishu.cn": "feishu://${名字}，密钥是 hook/ 后面的那一串",
    "sctapi.ftqq.com": "schan://${名字}，密钥是 .send 前面的那一串",
}
"""Host of an address copied from a web page → how it is written here."""
EXPERIMENTAL = ("sms", "modem")
"""Ways that have not been tried on a real device yet."""
WITH_SOUND = frozenset({
    "mailto", "mailtos", "ntfy", "ntfys", "tgram", "slack", "discord", "signal", "signals", "form", "forms", "xml", "xmls",
})
"""Ways a recording can go (Apprise's `attachment_support`); all others carry the words alone."""
OPEN_SCHEMES = ("console", "file", "sip", "sips", "sms", "modem")
"""Addresses that hold nothing worth stealing."""


def holds_secrets(text: str) -> bool:
    """Whether a channel's address in the file's text holds what others could use: it is no placeholder but itself."""
    found = re.findall(rf"\b({'|'.join(set(SCHEMES) - set(OPEN_SCHEMES))})://([^\s,}}\]]+)", text)
    return any(PLACEHOLDER.sub("", rest).strip("/?&=:@\"'") == rest.strip("/\"'") for _, rest in found)


PLACEHOLDER = re.compile(r"\$\{([^{}$\n]{1,60})\}")
"""`${敏敏机器人}`: a name from the secrets file."""


UNUSED = "这个地址先不用"


def _address(value: Any) -> str:
    """A channel's address with its placeholders; never repeated in a message, since it may hold a secret."""
    text = _one(value)
    if re.search(r"[\x00-\x20\x7f\u2028\u2029\u3000]", text):
        raise wrong("通知地址里有空格或者换行", "把地址写在一行里，中间不要有空格", UNUSED)
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]{0,20}):(//)?(.*)", text)
    if not found:
        raise wrong("通知地址写得不对，前面没有说明是哪一种", "写成 wecombot://… 或者 mailto://… 这样", UNUSED)
    if not found[3].strip("/"):
        raise wrong("通知地址不完整，冒号后面是空的", "把整个地址复制过来", UNUSED)
    if not found[2] and found[1].lower() not in ("sip", "sips", "sms", "modem", "mailto"):
        raise wrong("通知地址写得不对，冒号后面少了 //", f"写成 {found[1].lower()}://…", UNUSED)
    if len(text) > 2000:
        raise wrong("通知地址太长", "看看是不是多复制了一段", UNUSED)
    return text


def _either_text(value: Any) -> list[str]:
    return [_one(item) for item in _either(value)]


Name = Annotated[str, _words(30)]
Names = Annotated[list[Name], BeforeValidator(_listed)]
Line = Annotated[str, _words(100)]
LongLine = Annotated[str, _words(200)]
When = Annotated[list[Line], BeforeValidator(_either)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Address = Annotated[str, BeforeValidator(_address)]


# --- the sections -------------------------------------------------------------------------------------------------


class Entry(BaseModel):
    """A group of keys; the field's `Key` says how the family writes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ElderEntry(Entry):
    name: Annotated[Name, Key("名字", ("name", "姓名"), "老人的姓名", "王秀珍")]
    call: Annotated[Name, Key("称呼", ("call",), "小伴怎么叫老人；不写就叫名字", "王奶奶")] = ""
    accent: Annotated[Name, Key("口音", ("accent",), "四川 湖南 广东 东北 江浙，或者不写", "四川")] = ""
    address: Annotated[LongLine, Key("地址", ("address",), "有人答应来帮忙时才告诉他", "幸福小区三号楼")] = ""
    access: Annotated[LongLine, Key("进门", ("access",), "怎么进门，只告诉答应来帮忙的人", "密码锁二五八零")] = ""
    conditions: Annotated[Names, Key("病史", ("conditions",), "病和过敏，急救时告诉帮忙的人", "[高血压, 青霉素过敏]")] = []


class PersonEntry(Entry):
    name: Annotated[Name, Key("名字", ("name", "姓名"), "姓名", "刘敏")]
    relation: Annotated[Name, Key("关系", ("relation",), "老人怎么说这个人：女儿、孙子、邻居", "女儿")] = ""
    nicknames: Annotated[Names, Key("小名", ("nicknames", "昵称"), "老人平时怎么叫，可以写几个", "[敏敏, 闺女]")] = []
    phone: Annotated[str, BeforeValidator(_phone), Key("电话", ("phone", "手机"), "电话号码，或者网络电话账号 sip:…", '"13800000001"', "电话号码")] = ""
    notify: Annotated[Names, Key("通知", ("notify",), "用哪个通知，名字写在下面的 通知 里", "[敏敏微信]")] = []
    order: Annotated[float, _number(1, 99), AfterValidator(_whole), Key("顺序", ("order",), "紧急时第几个打给他，1 最先", "1")] = 99
    recordings: Annotated[Flag, Key("录音", ("recordings",), "捎话时可不可以把老人说话的声音也发给他；写 是，还要老人自己答应一次", "否")] = False
    room: Annotated[Address, Key("视频", ("room",), "他自己的视频房间网址", "https://meet.example/刘敏")] = ""
    retired: Annotated[Flag, Key("停用", ("retired",), "不再联系这个人时写 是，不要直接删掉", "是")] = False


class MedicineEntry(Entry):
    name: Annotated[Name, Key("药名", ("name", "名字"), "药盒上的名字", "缬沙坦")]
    aka: Annotated[Names, Key("俗称", ("aka",), "老人怎么叫这个药", "[降压药, 血压药]")] = []
    looks: Annotated[Name, Key("样子", ("looks",), "什么颜色、什么样子", "粉色胶囊")] = ""
    dose: Annotated[Line, Key("剂量", ("dose",), "一次吃多少", "一粒")] = "一份"
    units: Annotated[float | None, _number(0.01, 1000), Key("每次", ("units",), "一次用掉几个；不写就从剂量里看", "1")] = None
    times: Annotated[When, Key("时间", ("times", "when"), "几点吃；不固定就写 需要时", "[早上七点半, 晚上八点]")] = []
    note: Annotated[Line, Key("说明", ("note",), "饭前饭后之类，小伴只会照着念", "饭后")] = ""
    stock: Annotated[float | None, _number(0, 100000), Key("库存", ("stock",), "家里现在还有多少", "28")] = None
    pack: Annotated[float, _number(0, 10000), Key("每盒", ("pack",), "一盒有多少", "14")] = 0.0
    critical: Annotated[Flag, Key("重要", ("critical",), "胰岛素、抗凝药这类一定要按时的药写 是", "是")] = False
    min_gap: Annotated[Line, Key("间隔", ("min_gap",), "两次之间至少隔多久", "六小时")] = ""
    late_limit: Annotated[Line, Key("最晚", ("late_limit",), "过了时间多久就不要再补吃", "两小时")] = ""
    max_per_day: Annotated[float, _number(0, 24), AfterValidator(_whole), Key("每天最多", ("max_per_day",), "需要时才吃的药，一天最多几次", "2")] = 0
    started: Annotated[date | None, BeforeValidator(_date), Key("开始", ("started",), "从哪天开始吃", "2026-11-22")] = None
    stopped: Annotated[date | None, BeforeValidator(_date), Key("停药", ("stopped",), "吃到哪天为止；停一个药写这个，不要直接删掉", "2026-12-31")] = None


class ServiceEntry(Entry):
    name: Annotated[Name, Key("名字", ("name",), "服务的名字", "保洁")]
    aka: Annotated[Names, Key("俗称", ("aka",), "老人怎么说", "[打扫卫生, 搞卫生]")] = []
    hours: Annotated[When, Key("可约", ("hours",), "什么时候可以约，可以写几段", "周一到周六 08:00-18:00")] = []
    notice: Annotated[Line, Key("提前", ("notice",), "要提前多久约", "一天")] = ""
    notify: Annotated[Names, Key("通知", ("notify",), "用哪个通知告诉他们", "[家政热线]")] = []
    retired: Annotated[Flag, Key("停用", ("retired",), "不再用这个服务时写 是，不要直接删掉", "是")] = False


class ReminderEntry(Entry):
    what: Annotated[Name, Key("内容", ("what",), "提醒做什么", "量血压")]
    when: Annotated[When, Key("时间", ("when", "times"), "什么时候提醒", "每天早上九点")]
    started: Annotated[date | None, BeforeValidator(_date), Key("开始", ("started",), "隔几天一次的，从哪天算起", "2026-11-22")] = None
    retired: Annotated[Flag, Key("停用", ("retired",), "不再提醒时写 是，不要直接删掉", "是")] = False


RANGES: Mapping[str, str] = {
    "高压": "systolic", "收缩压": "systolic", "低压": "diastolic", "舒张压": "diastolic", "血糖": "blood_glucose",
    "心率": "heart_rate", "脉搏": "heart_rate", "体温": "temperature", "体重": "weight",
    **{name: name for name in ("systolic", "diastolic", "blood_glucose", "heart_rate", "temperature", "weight")},
}  # fmt: skip
"""How a family names a reading → the kind's public name."""


def _ranges(value: Any) -> dict[str, tuple[float, float]]:
    if not isinstance(value, dict):
        raise wrong("范围写得不对", "写成 {高压: 90-140, 血糖: 3.9-7.8} 这样", UNWRITTEN)
    read: dict[str, tuple[float, float]] = {}
    for name, span in value.items():
        if name not in RANGES:
            raise wrong(f"范围里没有「{name}」这一种", "可以写：高压 低压 血糖 心率 体温 体重", UNWRITTEN)
        text = "-".join(map(_one, span)) if isinstance(span, list) else _one(span)
        ends = [number(part) for part in re.split(r"\s*(?:-|~|～|–|—|到|至)\s*", text)]
        if len(ends) != 2 or ends[0] is None or ends[1] is None:
            raise wrong(f"「{name}」的范围写得不对", f"写成 {name}: 90-140 这样，先小后大", UNWRITTEN)
        if ends[0] >= ends[1]:
            raise wrong(f"「{name}」的范围前面的数应该比后面的小", f"写成 {name}: 90-140 这样，先小后大", UNWRITTEN)
        read[RANGES[name]] = (ends[0], ends[1])
    return read


def _page(value: str) -> str:
    parts = urlsplit(value)
    try:
        port = parts.port
    except ValueError:
        port = None
    if value and (parts.scheme not in ("http", "https") or not parts.hostname or port is None or port < 1024):
        raise wrong("回应网页的网址写得不对", "写成 http://这台机器的地址:8420，端口用 1024 以上的", UNWRITTEN)
    return value


def _device(value: str) -> str:
    if value and not re.fullmatch(r"/dev/input/[\w./:@+-]+", value):
        raise wrong("求助键应该是一个按键设备", "写成 /dev/input/by-id/…-event-kbd", UNWRITTEN)
    return value


def _beat(text: str) -> str:
    """A web address; placeholders are filled in later."""
    if text and not re.match(r"https?://[^/]+", text):
        raise wrong("心跳应该是一个网址", "例如 心跳: https://hc.example/abc", UNWRITTEN)
    return text


def _topic(text: str) -> str:
    """Where an MQTT broker is; placeholders for its password are filled in later."""
    if text and not re.match(r"mqtts?://[^/]+", text):
        raise wrong("感应器主题应该是 MQTT 的地址", "例如 感应器主题: mqtt://192.168.1.5/home/xiaoban", UNWRITTEN)
    return text


class CareEntry(Entry):
    checkin: Annotated[Line, Key("报平安", ("checkin",), "每天什么时候问一声好", "09:30")] = ""
    checkin_alarm: Annotated[Flag, Key("没应就叫人", ("checkin_alarm",), "报平安问了两回都没应，再问两声您还好吗，还没应就报警；写 否 只给家里留个话", "是")] = True
    digest: Annotated[Line, Key("小结", ("digest",), "每天什么时候给家里发一天的小结", "20:30")] = ""
    breakfast: Annotated[Line, Key("早饭", ("breakfast",), "几点吃早饭", "07:00")] = ""
    lunch: Annotated[Line, Key("午饭", ("lunch", "中饭"), "几点吃午饭", "12:00")] = ""
    supper: Annotated[Line, Key("晚饭", ("supper",), "几点吃晚饭", "18:00")] = ""
    bedtime: Annotated[Line, Key("睡觉", ("bedtime",), "几点睡觉", "21:30")] = ""
    names_medicines: Annotated[Flag, Key("报药名", ("names_medicines",), "发给家里的消息里可不可以写药名", "否")] = False
    doubts: Annotated[Flag, Key("电视先问", ("doubts",), "电视开着时听见喊救命，先问一声是不是老人；写 否 就马上报警", "是")] = True
    ranges: Annotated[dict[str, tuple[float, float]], BeforeValidator(_ranges), Key("范围", ("ranges",), "血压血糖在什么范围内算正常，听大夫的", "{高压: 90-140, 血糖: 3.9-7.8}")] = {}
    heartbeat: Annotated[Address, AfterValidator(_beat), Key("心跳", ("heartbeat",), "每五分钟报一次平安的网址", "https://hc.example/abc")] = ""
    daily_beat: Annotated[Address, AfterValidator(_beat), Key("每日心跳", ("daily_beat",), "每天报一次平安的网址", "https://hc.example/day")] = ""
    answers: Annotated[Line, AfterValidator(_page), Key("回应网页", ("answers",), "家里人的手机从哪个网址点“我来处理”；不写就不开", "http://192.168.1.20:8420")] = ""
    sensors: Annotated[float, _number(1024, 65535), AfterValidator(_whole), Key("感应器", ("sensors",), "本机的感应器往哪个端口报；不写就不开", "8421")] = 0
    sensor_topic: Annotated[Address, AfterValidator(_topic), Key("感应器主题", ("sensor_topic",), "感应器在哪个 MQTT 主题上报；不写就不听", "mqtt://192.168.1.5/home/xiaoban")] = ""
    help_key: Annotated[Line, AfterValidator(_device), Key("求助键", ("help_key",), "哪个按键设备当求助按钮；不写就没有", "/dev/input/by-id/usb-button-event-kbd")] = ""


class ListenEntry(Entry):
    wake: Annotated[Names, Key("唤醒词", ("wake",), "叫小伴用的话", "小伴小伴")] = []


class VoiceEntry(Entry):
    name: Annotated[Name, Key("声音", ("name",), "用谁的声音", "晓晓")] = "晓晓"
    volume: Annotated[float, _number(0, 100), AfterValidator(_whole), Key("音量", ("volume",), "0 到 100", "80")] = 80


def _channels(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong("通知写得不对", "每行一个：名字、冒号、空格、地址，例如 敏敏微信: wecombot://…")
    return value


class HouseholdEntry(Entry):
    elder: Annotated[ElderEntry, Key("老人", ("elder",), "住在这里的老人", "")]
    family: Annotated[list[PersonEntry], BeforeValidator(_entries), Key("家人", ("family",), "家人、邻居、社区的人", "")]
    medicines: Annotated[list[MedicineEntry], BeforeValidator(_entries), Key("药", ("medicines",), "要吃的药", "")] = []
    services: Annotated[list[ServiceEntry], BeforeValidator(_entries), Key("服务", ("services",), "可以约上门的服务", "")] = []
    reminders: Annotated[list[ReminderEntry], BeforeValidator(_entries), Key("提醒", ("reminders",), "固定的提醒", "")] = []
    channels: Annotated[dict[Name, Address], BeforeValidator(_channels), Key("通知", ("channels",), "怎么把消息送出去", "")] = {}
    care: Annotated[CareEntry, Key("照护", ("care",), "一天里的时间", "")] = CareEntry()
    listen: Annotated[ListenEntry, Key("听", ("listen",), "怎么叫小伴", "")] = ListenEntry()
    voice: Annotated[VoiceEntry, Key("说", ("voice",), "小伴怎么说话", "")] = VoiceEntry()
    room: Annotated[Address, Key("视频", ("room",), "视频通话的网址", "https://meet.example/{code}")] = ""
    timezone: Annotated[str, BeforeValidator(_zone), Key("时区", ("timezone",), "所在时区，不写就是北京时间", "Asia/Shanghai")] = "Asia/Shanghai"


# --- reading the shape --------------------------------------------------------------------------------------------


@cache
def keys(entry: type[Entry]) -> Mapping[str, Key]:
    """Field name → key, in the order of the file."""
    return {
        name: next(item for item in field.metadata if isinstance(item, Key))
        for name, field in entry.model_fields.items()
    }


@cache
def spellings(entry: type[Entry]) -> Mapping[str, str]:
    """Every way to write a key → field name."""
    return {
        spelling: name
        for name, key in keys(entry).items()
        for spelling in (key.chinese, name, *key.english)
    }


def inside(entry: type[Entry], name: str) -> type[Entry] | None:
    """The shape of what stands under a field: of the group itself, or of each item of the list."""
    annotation = entry.model_fields[name].annotation
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Entry):
            return candidate
    return None


def sections() -> Iterator[tuple[str, type[Entry]]]:
    """Each group of keys with the path of Chinese words to it: `药`, `照护` …"""
    for name, key in keys(HouseholdEntry).items():
        if shape := inside(HouseholdEntry, name):
            yield key.chinese, shape


def sections_with(key: str) -> list[str]:
    """The Chinese words of the sections that have this key: `称呼` is in 老人."""
    return [name for name, shape in sections() if key in spellings(shape) or key.lower() in spellings(shape)]


_TYPES: Mapping[str, tuple[str, str]] = {
    "model_type": ("下面应该有几项内容", "写成 {名字: …} 这样，或者另起一行缩进两格再写"),
    "model_attributes_type": ("下面应该有几项内容", "写成 {名字: …} 这样，或者另起一行缩进两格再写"),
    "list_type": ("下面应该一行一项", "每一项前面写减号和空格"),
    "dict_type": ("下面应该有几项内容", "每行一个：名字、冒号、空格、内容"),
}
"""pydantic's own complaints that can still arise → what to say."""


def shape(data: Mapping[str, Any], *, known: bool = False) -> tuple[HouseholdEntry | None, list[Fault]]:
    """The file's data (field names as keys, strings as leaves) as an entry, or every fault in it.

    `known`: a house has run with it, so that a value which can be read is not judged.
    """
    try:
        return HouseholdEntry.model_validate(data, context=known), []
    except ValidationError as error:
        faults = []
        for found in error.errors(include_url=False, include_input=False):
            path = tuple(found["loc"])
            if found["type"] == "family":
                faults.append(Fault(path, found["ctx"]["what"], found["ctx"]["hint"], found["ctx"]["meanwhile"]))
            elif found["type"] == "missing":
                faults.append(Fault(path, "", ""))
            else:
                faults.append(Fault(path, *_TYPES.get(found["type"], ("写得不对", "照着样例改一改"))))
        return None, faults


def without(data: Mapping[str, Any], faults: Sequence[Fault], *, known: bool = False) -> HouseholdEntry | None:
    """The data with the faulty values left out, to look for contradictions in the rest; None if too little is left.

    Of what is `known` only what cannot be read is left out.
    """
    rest = copy.deepcopy(dict(data))
    if known:
        entry, faults = shape(rest, known=True)
        if entry is not None:
            return entry
    for round_ in range(4):
        for number_, fault in enumerate(faults):
            _leave_out(rest, fault, f"{round_}-{number_}")
        entry, faults = shape(rest, known=known)
        if entry is not None:
            return entry
    return None


_STAND_INS: Mapping[str, Any] = {"elder": {"name": "-"}, "family": [], "when": ["09:00"]}
"""For what must be there and is not; a name gets one that no other has."""


def _leave_out(data: Any, fault: Fault, unique: str) -> None:
    *way, last = fault.path or ("",)
    for step in way:
        if isinstance(data, dict) and isinstance(data.get(str(step)), dict | list):
            data = data[str(step)]
        elif isinstance(data, list) and isinstance(step, int) and isinstance(data[step], dict | list):
            data = data[step]
        elif not isinstance(data, list):  # A single value where a list may stand: its only place is 0.
            data.pop(str(step), None)
            return
    if isinstance(data, list) and isinstance(last, int) and last >= len(data):
        data.clear()  # One item of the file was several: 敏敏、闺女.
    elif isinstance(data, list) and isinstance(last, int):
        data[last] = {"name": unique, "what": unique} if isinstance(data[last], dict) else unique
    elif isinstance(data, dict) and not fault.what:
        data[str(last)] = copy.deepcopy(_STAND_INS.get(str(last), unique))
    elif isinstance(data, dict):
        data.pop(str(last), None)
