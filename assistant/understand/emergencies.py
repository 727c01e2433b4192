"""What has happened, from the words of a cry for help: a fall, a stroke, a pain in the chest …

The frames of `intents/emergency.toml` (`values.kind`) know the words of each kind by sound; here stands what several kinds of words
in one sentence mean together: who fell and cannot lift the arm has fallen, whose half body went numb before the fall has a stroke.
"""

from __future__ import annotations

import re

_WHO = r"(?:有个?人|外头|外面|门口|窗户|陌生|生人|男的|女的|坏人|贼|小偷|醉汉|酒鬼|疯子|那个?人|谁)"
INTRUDER = re.compile(
    rf"{_WHO}.{{0,10}}(?:[撬捅拧砸踹踢撞擂捶拨].{{0,8}}(?:门|锁|窗)|(?:爬|翻|闯|挤|钻|溜|冲)(?:了)?(?:进|到|往|窗)|往里[爬挤闯冲钻]|要进来|拿着?刀)"
    r"|(?:撬|砸|踹).{0,4}(?:门|锁|窗)|(?:门|锁).{0,3}(?:撬|砸|踹)(?:开|坏)|闯(?:进|到)|进了?.{0,1}(?:小偷|贼)|硬往里|入室|抢劫|赖着?不走|不肯走"
)
FIRE = re.compile(
    r"(?<![打点])着(?:了)?火|[起失走](?:火|水)了|烧(?:起来|着了?)|燃起来|点着了(?!火)|火苗|火星|火光|[黑浓]烟|冒烟|(?:都|全|满.{0,2})是?.{0,1}烟|(?:油|锅|床|被子?|褥|帘|衣服|沙发|电线|插座|毯).{0,4}着了|火.{0,2}[蹿窜]"
)
GAS = re.compile(
    r"(?:煤气|燃气|天然气|瓦斯|液化气|气罐|气瓶|管子)[^没].{0,7}(?:味|漏|臭|呲|嘶|还开着|没关|报警器|响|冲鼻|熏|中毒)|(?:煤气|燃气|天然气|瓦斯|液化气)(?:味|漏|中毒|没关|泄|还开着|忘)"
    r"|臭鸡蛋|闻.{0,3}(?:煤气|燃气|天然气|瓦斯)|一氧化碳|炉子倒烟|漏(?:煤|燃)?气|泄漏"
)
FACE = re.compile(
    r"嘴(?:巴|角|皮)?[^疼痛]{0,6}(?:歪|斜|瓢|耷拉|不听使唤|往外漏|漏水|说不利索)|歪嘴|[脸口]眼?[^疼痛红]{0,6}(?:歪|耷拉|垮|往下掉|不会动|不动|木了|麻了|没知觉)|口水.{0,2}(?:直|往下)?[流淌]"
    r"|舌头.{0,6}(?:硬|结|捋|大了|不听|不转|弯)|(?:说话|讲话|话).{0,4}(?:不清|不利索|不囫囵|不全|含糊|含混|不转|不出来)|咬不(?:清|准)字|大舌头|说不(?:出|清|利索)话?"
    r"|中风|脑梗|脑溢血|脑出血|偏瘫|半身不遂|(?:突然|忽然|一下).{0,8}看不[见清到]"
)
"""Signs of a stroke in face and speech: one of them outweighs everything but danger from outside."""
_LIMP = r"(?:木|麻|没.{0,2}知觉|不听|动不|不会?动|不能动|不得动|使不上|没.{0,1}劲|没.{0,1}力|软|拖着|不好使|不得行|不像|不是自己|往下|歪|耷拉|抬不|抬都|举不|迈不|不起来|沉|瘫|不管用|不随)"
HALF = re.compile(
    rf"(?:半边|半拉|半个|半截|半扇|一边|一侧|[左右](?:半|边|侧|面|手|腿|胳膊|膀子|臂)|[这那]半?边).{{0,10}}{_LIMP}"
    rf"|(?:手|胳膊|腿|手脚|手臂|膀子)[^疼痛]{{0,6}}(?:麻|木了|没.{{0,2}}知觉|不听.{{0,3}}(?:使唤|话|我)|不好使|没.{{0,1}}劲|抬不|动不|拿不住|举不)|(?:拿|端|握|攥|夹)不[住稳]"
)
"""Signs in limbs: they may as well come of a fall, so what is said first counts."""
FALL = re.compile(
    r"(?<![没别会怕])摔(?!炮|碗|盘|杯|门|东西)|(?<!下)跌(?!价)|栽(?!花|树|种|秧)|绊|跟头|马趴|狗吃屎|四仰八叉|仰八叉|仰面|一跤|扑(?:出去|倒|地|在地|到地|爬|了)|[踩踏]空|没[踩站]稳"
    r"|(?:滑|溜|骨碌|轱辘|滚|翻|跶|扳)(?:了)?(?:一跤|一下|倒|坐|趴|下[来去地床楼炕沟]?|到?地|到底|到.{0,3}(?:地|下|里))|从.{1,8}(?:掉|摔|滚|栽|翻|溜|骨碌|跌|滑)|(?:我|人)就?掉下?[来去]|掉(?:下|到)(?:床|坑|沟|楼)|(?:倒|躺|趴|瘫|坐|栽|歪|滑|掉)(?:在|到|了)?地[上下]|地上爬不"
)
CHOKED = re.compile(r"噎|卡.{0,4}(?:嗓子|喉|脖子|气管)|(?:嗓子|喉咙|喉|气管).{0,5}[卡堵掐肿]|呛(?:到|着|住|进)|哮喘|鱼刺|吞不下去?吐不出")
CHEST = re.compile(
    r"(?:胸|心口|心窝|心脏|心坎|心门)[^不没]{0,9}(?:疼|痛|闷|堵|压|憋|紧|揪|绞|攥|勒|扎|石头|酸|难受|火烧|刀割|麻|不舒服|不得劲)|(?:疼|痛|闷|堵|压|憋|紧|勒)[^不没]{0,3}(?:胸|心口|心窝)|心绞痛|心梗|心肌梗|心脏病(?:犯|发)|心头.{0,3}(?:痛|绞|揪|压|闷)"
)
BREATH = re.compile(
    r"气.{0,3}(?:不赢|不来|不匀|不够|短|不上|不转|不过|不进|不出|没了)|[喘透出上吸呼倒换接缓].{0,1}不(?:过|上|来|出|进|了|动|赢|匀|转|到)?.{0,2}气|上气不接|(?<!气)喘(?!口气)|[吸呼出]不[进出来]|呼吸.{0,4}[难不急促]|憋死|憋得(?:慌|难受|透|喘|脸)|脸.{0,2}憋|不过来气|倒不过来|嘴唇.{0,3}[紫青乌]"
)
POUNDING = re.compile(r"心(?:里头?)?[发很好]?慌|心(?:跳|头|里|都).{0,5}(?:快|厉害|跳出|慌|乱)|胳膊疼.{0,4}后背")
BLEED = re.compile(
    r"(?:流|吐|咳|便|拉|出|冒|淌|喷|飙|渗|是|满.{0,2}|多|口|滩|地)了?血(?!压|糖|脂)|血(?!压|糖|脂).{0,6}(?:止不|往外|直|流|冒|哗|不停|塞不)|大口子|(?:划|割|切|砍|剁)(?:破|了|到|开|伤|着)"
)
STIFF = re.compile(r"(?:腰|胯|髋|屁股|尾巴骨|膝盖|波棱盖|骨头|脚脖|脚踝|大腿根).{0,6}(?:动不|动弹|不能动|不敢动|起不来|直不起|站不|走不|断)")
"""What hurts after a fall, said without the fall."""

_EARLIEST = (("stroke", HALF), ("fall", FALL), ("chest_pain", CHEST))


def kind(text: str) -> str:
    """One of the kinds of `emergency.call`, or "" where the words alone do not tell."""
    for name, pattern in (("intruder", INTRUDER), ("fire", FIRE), ("gas", GAS), ("stroke", FACE)):
        if pattern.search(text):
            return name
    if CHOKED.search(text) and not FALL.search(text):
        return "breath"
    found = {name: place.start() for name, pattern in _EARLIEST if (place := pattern.search(text))}
    if "chest_pain" in found and "stroke" in found and not re.search("半|腿", text):
        del found["stroke"]  # an arm that goes numb with the chest belongs to the heart
    if found:
        return min(found, key=lambda name: found[name])
    for name, pattern in (("breath", BREATH), ("chest_pain", POUNDING), ("bleeding", BLEED), ("fall", STIFF)):
        if pattern.search(text):
            return name
    return ""
