"""What to be reminded of, which reminder to delete, and what to tell somebody: free words, cut out of what is said around them.

An elder gives the reason first and asks then, and a recogniser writes no commas. So what follows the asking (提醒我…, 跟他讲一声…)
wins over what stands before it; of what stands before, what stands nearest. Times and what was taken back are seams: nothing
is read across them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from assistant.understand import times
from assistant.understand.matcher import Span, Utterance

SEAM = "|"
"""Stands for every character of a time or of what was taken back."""
NEAR = 0.2
"""Words that ask may sound this much otherwise: 提行我."""

_ME = "(?:我们|我|俺们|俺|咱们|咱|偶|阮)"
_ASK = re.compile(
    rf"(?:(?:那|就|所以)?[你您侬恁])?(?:到时候|到点了?|到时)?(?:再|可)?(?:千万|一定|务必)?要?(?:记得|记着|莫忘了|别忘了|千万)?(?:请|麻烦[你您]?|帮{_ME}|帮|给{_ME}|给|替{_ME}|让[你您])?"
    rf"(?:定个|定一个|设个|设一个|上个|加个|弄个|定|设|整个|做个)?"
    rf"(?:闹钟|(?:提醒|叫|喊|催|招呼|提示)(?:一下|一声|一哈|下|声|哈)?{_ME}(?:一下|一声|一哈|声|哈)?|提醒(?:一下|一声|一哈)?|告诉{_ME}(?:一声|一下)?|跟{_ME}说(?:一声|一下)?|"
    rf"[说讲]{_ME}一声|[吱喊叫说]一声|[提吱](?:{_ME})?一[句嘴声]|言语(?:{_ME})?一声|别让{_ME}忘了|[帮给替]{_ME}记[着到牢](?:点儿?)?|记着(?:点儿?)?|帮{_ME}记住|别忘了|莫忘了|提个醒)"
)
"""The asking itself."""
_AROUND = re.compile(
    rf"^(?:那个|这个|就是说?|哎呀|的(?!士|确)|(?:老是|总是|老|总)忘[了记]?|到时候|[啊呃嗯哎呀呢吧，、就再你您那]|的时候|的话|一下|一声|一哈|要|得|该|{_ME}(?:要|得|该)|{_ME}(?=.{{2}})|记得|到时候|所以|以后|说(?!话|明))+"
    rf"|(?:[啊呀吧呢哈嘛哦噢呗啦喽啰噻嘞咧咯哒哟的伐就]|到时候|以后|[那这]个|[那这]个事|的?[这那]件?事儿?|的事儿?|[行好中]吗|好不好|[行好中可]不[行好中可]|可以[吗不]|成吗|要得不|得不得行|谢谢[你您啊]?|(?:可|千万)?[别莫](?:又|再)?搞?忘(?:记|掉)?[了记哒咯啊]*|[别莫]像|(?<=...)过了|记得|[你您]|千万|一定|提前|提早|了?哈哈|{_ME})+$"
)
_GO = re.compile(r"^去(?=..)(?!.{1,4}(?:院|行|店|场|市|站|园|所|校|局|馆|厅|区|家|铺|课|班|公司|中心|那儿|那里|[唱歌舞乐]团|食堂|教堂|[寺庙观]$|楼下|河边|大学))")
"""Of a reminder that is named to be deleted: 去 before what is done there says nothing (去交水费); before a place it is what is done (去银行)."""
_NO_TASK = frozenset({"也", "所有", "全部", "一切", "所有的", "全部的", "到", "在", "要", "去", "把", "一趟", "一个", "过", "再过", "等", "是", "忘了", "事", "件事", "有件事", "有个事", "个", "提前", "提早"})
_BECAUSE = re.compile(
    rf"(?<=..)(?:省得|免得|要不然|不然|要不|因为|怕忘|怕{_ME}|{_ME}怕|{_ME}老?[容爱]?[易]?忘|{_ME}(?:这|那)?个?(?:人|记性|脑子|脑壳|脑袋|脑筋|岁数|年纪|耳朵|眼睛|一个人)|(?:人|年纪|岁数)[老大]|老忘|记性|(?:那个|这个)?上(?:个|一)?(?:礼拜|星期|周|回|次|趟)|(?:锅|炉子|灶)(?:里|上|头)(?=.*[着起](?!的))).*$"
)
"""A reason behind what was asked."""
_NEW_CLAUSE = re.compile(r"(?<=..)[了呢吧啊嘛呀哈啦](?=(?:我|俺|咱|那|就|要|得|该|去|把|你).{2})")
"""A particle behind which what is to be done begins: 记性不行了|我得去买米."""
_TOPIC = re.compile(r"^(?:(?:那个|这个|我那|俺那)(?P<that>.{2,4}?)(?:来|到|好)?[了啊呢嘛吧]*|(?P<thing>.{2,4}?)(?:[来到好]了|[啊呢嘛])[吧]?)$")


def cut(text: str, places: Iterable[tuple[int, int]]) -> str:
    """`text` with seams where `places` stood; as long as it was."""
    gone = {at for start, end in places for at in range(start, end)}
    return "".join(SEAM if at in gone else char for at, char in enumerate(text))


def _stripped(edges: re.Pattern[str], text: str) -> str:
    """`text` without `edges`, and without those that then stand at its ends."""
    before = ""
    while before != text:
        before, text = text, edges.sub("", text)
    return text


_NOT_THIS = re.compile(r"(?:[哎哦呃啊唉噢]?(?:(?<!对)不对|说错了|讲错了|搞错了)|[哎哦呃啊唉噢]不是)(?!劲)")
_BUT_THIS = re.compile(r"[了过的啊]是(?=..)")
"""交电费，哎不对，电费交过了，|是|交煤气费."""


def _corrected(piece: str) -> str:
    """What is to be done after what was said first is taken back; before it, where only the time is: 给花浇水，不对，|星期六."""
    marks = list(_NOT_THIS.finditer(piece))
    if not marks:
        return piece
    rest = _BUT_THIS.split(piece[marks[-1].end():])[-1].removeprefix("是")
    return rest if len(rest) > 1 else piece[:marks[0].start()]


_FEARS = re.compile(rf"^(?:就|也|又|{_ME})*(?:怕|担心|生怕)(?:到时候?|{_ME}|又|再|会|要|老|自己)*(?:搞|弄|给)?(?:忘|记不|想不)(?:记|掉|脱|干净|住|到|起来?|得|牢)*(?:了|咯|哒|咗|嘞|啦|喽)?(?:去)?[，]?")
"""Before what is to be done: why she asks, 我怕忘了，礼拜三要去拿药; 我怕忘了|吃药."""
_SPOKEN_TO = re.compile(
    r"(?:我的?|好|小|老|大|乖|阿|幺|细)*(?:姐姐?|妹妹?|妹[儿子崽]|哥哥?|弟弟?|姑娘|丫头|闺女|孩子|娃娃?儿?|囡囡|乖|宝贝儿?|孙[儿子女]?|朋友|家伙|伙计|机器人?|助手|心肝|师傅|同志|靓[女仔]|后生仔?|鬼|宝)[啊呀哎哟诶嘞哦喂，]*"
    r"|(?:[你您侬是]*[听搞弄说讲][错岔拧差][了咯啦]?|不是|不对|是)+"
)
"""Who is spoken to is nothing to be reminded of, nor is that one was misheard: 老姐姐，你明早七点喊我; 听错了，不是七点，是八点喊我."""


def _trimmed(piece: str) -> str:
    piece = _stripped(_AROUND, _FEARS.sub("", _corrected(piece)))
    return "" if piece in _NO_TASK or _SPOKEN_TO.fullmatch(piece) else piece


def askings(said: Utterance, text: str | None = None) -> list[tuple[int, int]]:
    """Where she asks to be reminded, in order; by sound where not in these words."""
    text = said.text if text is None else text
    found = [match.span() for match in _ASK.finditer(text)]
    for span in said.concepts.get("REMIND", ()):
        if span.cost < NEAR and all(span.end <= start or end <= span.start for start, end in found):
            found.append((span.start, span.end))
    return sorted(found)


_COUNTED = re.compile(r"[零一二两三四五六七八九十百半几每天日早晚午夜会下饭年月号周期拜晌朝末睡明今后前黑昼]")
"""A time found by sound alone that has none of these is none: 起来走."""


def _gone(said: Utterance, measured: Sequence[times.Span]) -> list[tuple[int, int]]:
    chosen = times.last_word([span for span in measured if span.kind != "duration" or span.length], said.text)
    bot = [(span.start, span.end) for span in said.concepts.get("HOUSEHOLD_BOT", ())]
    places = [
        (span.start, span.end) for span in measured
        if span is chosen or (span.kind != "duration" or span.length) and _COUNTED.search(span.text) and not (chosen and _of_the_thing(said.text, span, chosen))
    ]
    return [*places, *bot, *said.taken_back]


_ITS_HOUR = re.compile(r".{0,4}?的(?=.)|那[盘场趟班顿集局节]")
"""Behind an hour: it is that of a thing."""


def _of_the_thing(text: str, span: times.Span, chosen: times.Span) -> bool:
    """Whether an hour belongs to what is to be done, which is asked for at another: 七点半提醒我看|八点|的电视剧."""
    asking = _ASK.search(text, chosen.end)
    return (
        asking is not None and asking.end() < span.start and span.value != chosen.value and span.kind == "moment" and not span.length
        and times.has_clock(span.text) and not times.names_a_day(span.text) and _ITS_HOUR.match(text, span.end) is not None and not _ASK.search(text, span.end)
        and not _NOT_THIS.search(text, chosen.end)
    )


def task(said: Utterance, measured: Sequence[times.Span]) -> str:
    """What to be reminded of: 这人一睡就睡过头|下午五点钟|你提醒我|接孙子 → 接孙子."""
    text = cut(said.text, _gone(said, measured))
    found = askings(said, text)
    if not found:
        return max((_trimmed(_BECAUSE.sub("", piece)) for piece in text.split(SEAM)), key=len, default="")
    borders = [*found[1:], (len(text), len(text))]
    before = [what for piece in text[:found[-1][0]].split(SEAM) if (what := _trimmed(_BECAUSE.sub("", piece)))]
    for (_, end), (following, _) in reversed(list(zip(found, borders, strict=True))):
        for piece in text[end:following].split(SEAM):
            if what := _trimmed(_BECAUSE.sub("", piece)):
                return _with_topic(_until_a_comma(what, said.borders), text.partition(SEAM)[0])
    if not before:
        return ""
    ends = [match.end() for match in _NEW_CLAUSE.finditer(before[-1])]
    return (_trimmed(before[-1][ends[-1]:]) if ends else "") or before[-1]


_GOES_ON = re.compile(r"带|拿|别|莫|不要|不许|不能|要|得|记得|穿|顺便|顺路|还|再|先|空腹?|买|去|把|给|叫|让|跟|和")
"""Behind a comma this belongs to what is to be done: 去医院，带上医保卡."""


def _until_a_comma(what: str, borders: frozenset[str]) -> str:
    """Without the reason that is typed behind a comma: 赶集，去晚了没有好菜; who speaks says no comma."""
    for at in range(2, len(what) - 2):
        if what[at - 2:at + 2] in borders and not (_GOES_ON.match(what, at) and not _GONE_WRONG.search(what[at:])):
            return what[:at]
    return what


_GONE_WRONG = re.compile(r"了没|了就|晚了|迟了")
"""去晚了没有好菜 is a reason, whatever it begins with."""


def _with_topic(what: str, before: str) -> str:
    """那个快递啊下午五点提醒我|拿一下 → 拿快递: a bare verb takes what stands before it, where that is a thing."""
    verb = re.sub(r"^去|(?:一下|一哈|回来|一趟|下|了)$", "", what)
    topic = _TOPIC.match(before)
    return verb + (topic["that"] or topic["thing"]) if len(verb) == 1 and topic else what


# --- deleting -----------------------------------------------------------------------------------------------------

_NAMED = re.compile(rf"(?:(?<=的)提醒|(?:提醒|闹钟|闹铃)(?!{_ME}|一下|一声))")
_OFF = re.compile(
    rf"(?:(?:从今(?:天|儿)?|打今儿?)?(?:起|往后|以后|开始|今后)|今后|从此)?(?:都|就)?(?:[你您])?(?:(?:不用|不要|用不着|别|莫|甭|不必|不消|唔使|勿要)(?:再)?(?:提醒|提(?={_ME})|叫|喊|催)(?:{_ME})?|不(?:叫|喊|提醒)(?:{_ME})?(?=[了啦咯]))"
)
"""不用提醒我, 别叫我."""
_DELETE = re.compile(
    r"(?:给我|帮我|替我|给俺|帮俺|请)?(?:取消掉?|删掉|删了|删除|删脱|去掉|撤掉|撤了|撤销|关掉|关了|抹掉|划掉|作废|免了|不要(?=[了吧啦咯哒])|不用(?=[了吧啦咯哒]|响)|别响|不响|算了)(?:了|吧|啦|咯|哒)*"
)
_IN_FRONT = re.compile(r"^(?:[啊呃嗯哎呀呢吧，、你您]|那个|这个|那|把|就|给|帮|替|不[去来做]|(?:提醒|叫|喊|让)[我俺]|我的?|俺的?)+")
_NAMING = re.compile(r"(?<=.)(?:那个|这个|那只|个个|我的|俺的|把|给我|帮我|提醒[我俺]|[叫喊让要][我俺])(?=..)|(?<=...)[了呢吧啊嘛啦哈](?=..)")
"""Behind these within a clause the reminder itself is named: 衣服收进来了|那个|收衣服的提醒."""
_SAID_OF_IT = re.compile(r"(?:的|闹钟|提醒|[就都]|取消|不[去来做开要]|[那这]个|[那这]个事|[那这]件事|[那这]|的事|的那个|事|[啊呀呢嘛咯了])+$")
_WHY = re.compile(r"(?<!取消)(?<!不[去来做开])[了吧](?:那个|这个|那|这|就)?$")
"""Before 提醒 a whole clause that ends: why, not which one."""
_PAST_IT = re.compile(r"(?<=..)(?:了|啦|咯|哒|吧|啊|呢).*$")


_KEPT = re.compile(r"(?:的|那个|这个)*(?:提醒|闹钟|闹铃)?(?:就|先|还|给我)*(?:别动|莫动|不动|不要动|别取消|别删|留着|留到|照旧|照样|保留)[的吧啊呀哈]?(?=.*(?:取消|删|不要|不用|撤|免了))")
"""Behind a reminder that is not the one: 浇花那个提醒|留着|，交电费那个不要了."""


def _kept_until(text: str) -> int:
    """Where what is said of reminders that stay ends."""
    return max((match.end() for match in _KEPT.finditer(text)), default=0)


def cancelled(said: Utterance, measured: Sequence[times.Span]) -> str:
    """Which reminder is meant: 衣服我已经收进来了|那个|收衣服|的提醒就不用了 → 收衣服."""
    text = cut(said.text, _gone(said, measured))
    text = text[_kept_until(text):]
    off = next(iter(_OFF.finditer(text)), None)
    deletes = [match.span() for match in _DELETE.finditer(text)]
    if off is None and (named := next(iter(_NAMED.finditer(text)), None)):
        start = max((end for _, end in deletes if end <= named.start()), default=0)
        if what := _name_of(text[start:named.start()]):
            return what
        end = min((at for at, _ in deletes if at >= named.end()), default=named.end())
        return _name_of(text[named.end():end])
    if off is not None:
        named = _NAMED.search(text[:off.start()])
        if named and (what := _name_of(text[:named.start()])):
            return what
        after = text[off.end():]
        what = "" if after[:1] in "了啦咯哒" else _bare(_PAST_IT.sub("", after.split(SEAM)[0] or after.strip(SEAM).split(SEAM)[0]))
        return what or _name_of(text[:off.start()])
    if deletes:
        start, end = deletes[0]
        return _name_of(text[:start]) or _bare(_PAST_IT.sub("", text[end:].strip(SEAM).split(SEAM)[0]))
    return max((_bare(piece) for piece in text.split(SEAM)), key=len, default="")


def of_deletion(said: Utterance, measured: Sequence[times.Span]) -> list[times.Span]:
    """Times that say which reminder is meant, not why it is not wanted: 那个饮茶的闹钟不要了|明天下雨; 下午不去了|跳舞的提醒撤了."""
    text = cut(said.text, _gone(said, measured))
    measured = [span for span in measured if span.start >= _kept_until(text)]
    if not cancelled(said, measured):
        return list(measured)
    named = next(iter(_NAMED.finditer(text)), None) or next(iter(_OFF.finditer(text)), None)
    done = [match.end() for match in _DELETE.finditer(text) if match[0][-1] in "了吧啦咯哒"]
    return [
        span for span in measured
        if not (done and done[0] <= span.start and text[span.end:span.end + 1] not in ("的", "那"))
        and not (named and span.end <= named.start() and re.search(r".[了呢吧](?=..)", text[span.end:named.start()]))
    ]


def _name_of(before: str) -> str:
    """The thing itself at the end of what stands before 提醒."""
    if _WHY.search(before):
        return ""
    piece = _SAID_OF_IT.sub("", before.rstrip(SEAM + "嗯呃啊哦")).split(SEAM)[-1]
    marks = list(_NAMING.finditer(piece))
    return _bare(piece[marks[-1].end():] if marks else piece)


def _bare(piece: str) -> str:
    piece = _GO.sub("", _SAID_OF_IT.sub("", _IN_FRONT.sub("", piece)))
    return "" if piece in _NO_TASK else piece


# --- telling ------------------------------------------------------------------------------------------------------

_THEM = "(?:他们|她们|他|她|伊|佢|人家)"
_SEND = "(?:去[个封]口?信儿?|[发捎带传留写递](?:一)?[个条句封只]?(?:消息|微信|短信|信息|话|信|口信|留言|语音)儿?|留言)"
_SAY = "(?:说一声|说一下|说哈|讲一声|讲一下|讲声|说声|告诉一声|说道|说起|说(?!话)|讲|告诉|问问|问一下|问一声|问)"
_TELL = re.compile(rf"{_SEND}?(?:过去|去)?(?:吧)?(?:就)?(?:{_SAY}|让|叫|喊)")
_TELL_THEM = re.compile(
    rf"(?:那|就)?(?:[你您侬])?(?:帮{_ME}|替{_ME}|给{_ME}|麻烦[你您]?|去|就)*(?:"
    rf"[跟给和同对向]{_THEM}(?:{_SEND}(?:过去|去)?)?(?:就)?(?:{_SAY}|(?<=话|信|音|息)|让(?={_THEM}))(?:一声|一下)?|"
    rf"(?:告诉|通知|转告|回){_THEM}(?:一声|一下)?|{_SEND}(?:给{_THEM})?(?:过去|去)?(?:就)?(?:说|讲|问问?{_THEM}?|告诉{_THEM})|问问?{_THEM})"
)
"""The telling of somebody named before: 老王不是要借梯子吗|你跟他讲一声."""
_A_WORD = re.compile(rf"^(?:再|也)?{_SEND}(?:过去|去)?(?:吧|呗|啊|呀)?(?:，)?(?=就说|说|告诉|让|叫|问|.{{2}}|$)(?:就说|说是)?")
"""What is sent, and not what it says: 留个话, 捎句话, 发个消息."""
_BEHIND_A_NAME = re.compile(r"^(?:那个|呃|啊|去|，|们|[他她](?!的|家|儿子|女儿|闺女|妈|爸|爹|娘|孩子|老公|老婆|男人|媳妇|[要买寄托说借].{0,2}的)|儿|一声|一下)")
_TO = re.compile(rf"(?:[给跟和对向同让叫喊问]|告诉|转告|通知)(?:一声|一下)?(?:{_ME}(?:家|屋里|屋头)?的?|我家)?$")
"""Before a name: this is who is told."""
_TELLING = re.compile(rf"(?:请|麻烦)?(?:[你您])?(?:[帮替给]{_ME})?(?:告诉|转告|通知|跟|给|和|同|向|对|把|[得要该]?[让叫])(?:一声|一下)?(?:{_ME}的?|我家)?$")
_EDGE = re.compile(
    r"^(?:[啊呃嗯呢吧呀，、]|那个(?=..)(?!月|星期|礼拜|周)|这个(?=..)(?!月|星期|礼拜|周|时候|季|年)|就是说?|哎呀?|我说|一声|一下|一哈|一句|就说|就写|你写|说是|说(?!话|明|好))+"
    r"|(?:[啊呀吧呢哈嘛哦噢呗啦喽]|[行好]吗|[好行]不[好行]|可以吗|成吗|谢谢[你您啊]?|要得不)+$"
)


OR_ELSE = re.compile(r"(?:不是不是|不是)[给跟找]$")
"""Before a name: not this one, or, where nothing was asked of the one before, this one instead: 给儿子，不是，给小军打视频."""
_REFUSED = re.compile(
    r"^(?:打?个?(?:电话|视频)|[发捎带][个条句]?(?:消息|微信|短信|话)|说|讲)?[，。]?(?:[哎呃哦啊噢唉]?不行|[哎呃哦啊噢唉]?不(?=[他她])|[哎呃哦啊噢唉]不(?=这|那|算)|[哎呃哦啊噢唉]+[，。]?不是|不不(?:对|是)?|算了|[哎呃哦啊噢唉]*.{0,2}(?:[他她]|今天|这会儿)(?:今天|这会儿|正|那边)?(?:在|上班|上课|值班|夜班|忙|睡|开会|没空|不在|信号))"
)
"""Behind a name: this one after all not, with the reason: 给军军打电话，不行，他这会儿上课呢，打给我闺女."""


def replaced(text: str, places: Sequence[tuple[int, int]]) -> int:
    """Which of the names at `places` is meant after one before it was refused; -1 where none was."""
    asked = [at for at, (start, _) in enumerate(places) if _TO.search(text[:start])]
    for one, other in zip(asked, asked[1:], strict=False):
        between = text[places[one][1]:places[other][0]]
        if len(between) > 3 and _REFUSED.match(between):
            return asked[-1]
    return -1


_ONLY_WHY = re.compile(r"省得|免得|不然|要不然")
"""Behind the telling this is no message: what is to be told stood before it."""
_KNOWS = frozenset({"知道", "晓得", "知道一下", "知道一声"})


def _tidy(text: str) -> str:
    return _stripped(_EDGE, text)


_HURRY = re.compile(rf"(?:[你您侬]|去)?(?:[帮替给]{_ME})?(?:催催|催一[催下]|催下|催)(?:{_THEM})?(?:一下|一声|一哈|下子?)?[吧啊呀嘛哈噻咯]*$")
"""The last words: somebody is to hurry, and what is to be told is still to be said."""
_ASK_HIM = re.compile(rf"(?:[你您侬]|去)?(?:[帮替给]{_ME})?(?:问一[声下]|问问)(?:{_THEM})?[吧啊呀嘛哈噻咯]*$")
"""The same of a question that was said before: 敏敏还来不来，问一声."""


def message(said: Utterance) -> str:
    """What to tell: the words after the person and the telling; where she is named first, after the telling: 跟他讲一声|…."""
    text = said.text
    people = [span for span in said.concepts.get("{person}", ()) if span.cost < 0.45] or [span for span in said.concepts.get("KIN", ()) if span.cost < NEAR]
    if not people:
        return ""
    told = [span for span in people if _TO.search(text[:span.start])]
    ordered = sorted(told, key=lambda span: span.start)
    meant = replaced(text, [(span.start, span.end) for span in ordered])
    instead = [ordered[meant]] if meant >= 0 else [span for span in told if OR_ELSE.search(text[:span.start]) and _told(text, span) and len(text) - span.end > 3]
    head = instead[-1] if instead else next((span for span in told if _told(text, span)), told[0] if told else people[0])
    after = text[head.end:]
    if (head not in told or not _told(text, head)) and (retold := _TELL_THEM.search(after)) and (rest := _tidy(_whom(retold[0], after[retold.end():]))):
        return rest
    after = _BEHIND_A_NAME.sub("", _A_WORD.sub("", after))
    verb = _TELL.match(after)
    if verb and verb[0] in ("让", "叫", "喊") and any(span.start == len(text) - len(after) + 1 for span in people):
        verb = None  # 告诉强子，叫敏敏别买药了
    rest = _tidy(_said_again(_whom(verb[0], after[verb.end():]) if verb else _whom("", after)))
    before = _TELLING.sub("", text[:head.start])
    before = _tidy(before) if len(before) > 2 else ""
    if _ONLY_WHY.match(rest):
        return before + rest
    if _HURRY.search(rest):
        return ""
    return before if rest in _KNOWS or not (rest or verb) else _ASK_HIM.sub("", rest) or rest


_OR_RATHER = re.compile(r".{2,}?(?:[哎呃哦啊噢唉]呀?)*(?:不是|不对|[说讲]错了)(?:是)?(?:说|讲)(?!话)(?=..)")


def _said_again(rest: str) -> str:
    """What is told after what was told first is taken back: 我星期三在家，哎呀不是，说|我星期四在家."""
    again = _OR_RATHER.match(rest)
    return rest[again.end():] if again else rest


def _told(text: str, span: Span) -> bool:
    """Whether a verb of telling stands right behind a name."""
    after = text[span.end:]
    return bool(_A_WORD.match(after) or _TELL.match(_BEHIND_A_NAME.sub("", after)))


def _whom(verb: str, rest: str) -> str:
    """让|她下班过来喝, 说一声|让她别惦记: the pronoun is who is told."""
    rest = re.sub(rf"^(?:让|叫|喊|要){_THEM}(?=..)", "", rest)
    return re.sub(rf"^{_THEM}(?!的|家)(?=..)", "", rest) if verb.endswith(("让", "叫", "喊", "问", "问一下", "问一声")) else rest
