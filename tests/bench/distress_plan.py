"""What is said in the bench of cries: the cries of people in need and hours of television, by number, always the same.

The first clips and scenes of a small plan are those of a large one, so that a measurement can grow.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SPEAKERS = ("zf_xiaobei", "zf_xiaoni", "zf_xiaoxiao", "zf_xiaoyi", "zm_yunjian", "zm_yunxi", "zm_yunxia", "zm_yunyang")
VOICES: tuple[dict[str, float], ...] = (
    *({name: 1.0} for name in SPEAKERS),
    *({one: 0.6, SPEAKERS[(at + 3) % 8]: 0.4} for at, one in enumerate(SPEAKERS)),
    *({one: 0.5, SPEAKERS[(at + 6) % 8]: 0.5} for at, one in enumerate(SPEAKERS[:4])),
)
"""Twenty: eight speakers and twelve blends."""
SPEEDS = (1.0, 0.85, 1.15, 0.8, 1.2, 0.95)
ROOMS = (0.0, 0.3, 0.5, 0.7)
"""Seconds of reverberation (RT60); 0 is close to the microphone."""
NOISES = ("pink", "white", "hum")
LOUDNESSES = (20.0, 15.0, 10.0, 5.0)
"""Signal over noise, dB."""

CRIES = (
    "哎哟，我摔倒了，起不来了。", "救命啊！救命啊！", "快来人啊！快来人！", "小伴，我摔倒了。", "小伴小伴，救命。",
    "哎呀，我起不来了，快来人。", "我摔了一跤，动不了了。", "来人啊，救命啊。", "快叫救护车。", "哎哟哎哟，我胸口疼得厉害。",
    "我喘不上气来了。", "着火了，着火了！", "救救我，我摔在厕所里了。", "我不行了，快叫人来。", "摔倒了，哎哟，疼死我了，起不来。",
    "哎呀妈呀，我摔了，站不起来了。", "谁来扶我一把，我起不来了。", "快来救我！", "厨房着火了，快来人啊。", "我心口突然疼起来了。",
    "救命，救命，救命！", "我从床上掉下来了，爬不起来。", "小伴啊，快帮我叫救护车。", "快打一二零。", "我晕倒了，快来人。",
    "有小偷进来了，救命啊。", "我的半边身子动不了了。", "煤气漏了，快来人。", "哎哟，我的腿摔断了。", "我在卫生间滑倒了，起不来了。",
    "我摔倒了。", "起不来了，起不来了。", "流了好多血，止不住了。", "我胸口闷，喘不过气来。", "来个人啊，我摔地上了。",
    "快告诉我女儿，我摔倒了起不来。", "救命啊！", "来人啊！", "我，我摔倒了，我起不来。", "哎哟，救命啊，我不行了。",
    "我被撞了，头上流血了，快叫救护车。", "快来人啊，我爬不起来了。", "呃，小伴，我，我喘不上气。", "老伴儿，快来，我摔倒了。",
    "快快快，叫救护车，我心脏疼。", "我躺在地上动不了了。", "屋里着火了，都是烟。", "帮帮我，我起不来了。",
)
"""What somebody in need cries, out of the blue."""

MANNERS = ("{say}", "{say}{say}", "哎哟，{say}", "呃，{say}", "{first}，{first}，{say}", "{say}哎呀，{say}")
"""Said once, repeated, after a groan, a beginning broken off. {first}: its first character."""

TALK = (
    "今天上午，省人民医院的医生成功救治了一名摔倒的老人。", "据报道，昨晚城东一处仓库着火，消防员很快赶到现场。",
    "各位观众晚上好，今天是十一月二十二号，欢迎收看新闻联播。", "中央气象台预计，明天北方大部分地区有小雪，气温下降六度。",
    "他抱着孩子冲了出来，大声喊着救命，可是街上没有一个人。", "你是我的救命恩人，这辈子我都报答不了你。",
    "将军，敌人从北门进来了，咱们怎么办？", "大夫说他胸口疼是老毛病了，不用担心。", "这款老人手机一键呼叫，声音大，待机长，现在只要九十九块。",
    "头晕失眠怎么办？快来试试这款安神口服液。", "买一送一，今天打电话还送您一台按摩仪。", "妈，我回来了，晚上吃什么呀？", "我孙子昨天在学校摔了一跤，膝盖都破了。",
    "老李前天在公园摔倒了，现在还在医院躺着呢。", "你吃了吗？我刚从菜市场回来，白菜两块钱一斤。", "把窗户关上吧，外面的风太大了。", "他起来了没有？都九点了还在睡。",
    "这个电视剧太好看了，我一口气看了五集。", "人来了没有？人来齐了就开饭。", "快来人看看，这花开得多好。", "我这几天睡得不错，腿也不怎么疼了。",
    "任命张建国同志为人民医院院长。", "我们要坚持改革开放，推动经济高质量发展。", "小班的小朋友今天都来了吗？", "球进了！这个球太精彩了！",
    "今天咱们说说红烧肉怎么做，先把肉切成小块。", "他忠诚地守在那里，三十年没有离开过。", "要是摔倒了，千万不要马上扶起来，先看看伤在哪里。",
    "别打一二零，我没事，歇一会儿就好了。", "我没摔倒，就是坐下来歇歇。", "喂，你好，快递到了，我放在门口了。", "煤气费这个月交了没有？", "笑死我了，这个人太逗了。",
    "累死我了，爬了六层楼。", "三缺一，快来快来，就等你了。", "和平年代，大家的日子越过越好。", "抢救了三天三夜，病人终于脱离了危险。", "下面请听京剧选段，空城计。",
    "那年冬天家里着了火，什么都烧光了。", "火锅店门口排了很长的队。", "你别叫人了，我自己来就行。", "股市今天低开高走，收盘上涨百分之一点二。",
)
"""Talk between people and sentences of television that come near a cry; none of it may raise an alarm."""
ALMOST = ("救命啊，快来人啊，有人落水了！", "护士，快来人，病人喘不上气了！", "快跑啊，着火了！", "救命啊！救命啊！", "快来人啊，她晕倒了！")
"""Cries of a drama, alone: no ear can tell them from real ones. Counted apart; the alarm can be called off for 20 s."""

WORDS: dict[str, tuple[str, ...]] = {
    "place": ("北京", "上海", "广州", "成都", "武汉", "西安", "哈尔滨", "昆明", "青岛", "长沙", "省城", "县里"),
    "day": ("今天上午", "昨天晚上", "本周三", "上个月", "今年以来", "日前", "前不久", "国庆期间"),
    "number": ("三", "十二", "四十五", "一百二十", "六千", "两万三千", "八成", "百分之七点五"),
    "thing": ("新地铁", "养老院", "高速公路", "医保新规", "社区食堂", "冬小麦", "新能源汽车", "文化节", "老旧小区改造", "免费体检"),
    "who": ("市民政局", "国家统计局", "省卫健委", "当地消防部门", "交警", "气象台", "一位退休教师", "社区志愿者", "外交部发言人"),
    "name": ("小芳", "建军", "大伟", "秀英", "张总", "李大夫", "王妈", "表哥", "师父", "皇上", "将军", "二嫂"),
    "feeling": ("放心不下", "气坏了", "高兴得睡不着", "心里难受", "后悔了", "想不明白", "松了一口气"),
    "goods": ("深海鱼油", "羊奶粉", "老人鞋", "颈椎按摩仪", "高钙片", "电热毯", "不粘锅", "洗衣液", "助听器", "足浴桶"),
    "price": ("九十九", "一百九十八", "三百六十五", "六十八", "一千二百"),
    "dish": ("红烧肉", "清蒸鲈鱼", "西红柿炒鸡蛋", "酸菜饺子", "小米粥", "羊肉泡馍", "萝卜炖牛腩"),
}

GENRES: dict[str, tuple[str, ...]] = {
    "news": (
        "{day}，{place}的{thing}正式启用，首日接待群众{number}人次。", "{who}表示，{thing}的工作将在年底以前完成。",
        "记者在{place}采访时了解到，参加的人比去年多了{number}。", "{day}，{place}一处居民楼发生火灾，{who}及时赶到，没有人员伤亡。",
        "{day}，{place}一名老人在路边摔倒，{who}上前把他扶了起来。", "专家提醒，天气变冷，心脑血管病人胸闷胸痛要及时就医。",
        "{place}警方抓获了一个专门骗老人钱的团伙，涉案金额{number}元。", "受冷空气影响，{place}气温将下降八到十度，请注意添衣。",
        "{who}提醒大家，冬季取暖要防止煤气中毒，出门要关好煤气。", "本次列车救助病人的医生说，她只是做了应该做的事。",
        "下面请看详细报道。", "感谢收看，明天同一时间再见。", "国际油价继续上涨，收盘涨了{number}。", "救护车在{number}分钟内赶到，病人已经脱离危险。",
    ),
    "drama": (
        "{name}，你听我解释，事情不是你想的那样。", "你走，我再也不想看见你。", "娘，您别哭了，{name}会回来的。", "大夫，我娘的病到底怎么样？",
        "{name}昨天夜里从楼梯上摔下来了，到现在还没醒。", "来人，把他给我拖下去！", "来人啊，传{name}！", "奴才该死，奴才该死！", "你要是敢动她，我跟你拼命！",
        "这一箭要是再偏一点，你的命就没了。", "我心口疼，都是被你气的。", "你救了我的命，我拿什么报答你？", "着火的那天晚上，我看见{name}从后门跑了。",
        "{name}，我真的{feeling}。", "你妈住院了，快给她打个电话吧。", "快去请大夫，{name}晕过去了！", "别怕，有我在。", "这孩子命苦，从小就没了爹。",
        "起来，别装了，地上凉。", "我叫你别叫了，没有人会来的。", "我没事，就是有点头晕，坐一会儿就好。", "咱们离婚吧，我受不了了。", "敌人上来了，给我打！",
    ),
    "advertising": (
        "{goods}，厂家直销，原价{price}，现在只要一半。", "头晕、胸闷、腿脚没劲？试试这款{goods}。", "今天打进电话的前{number}名，再送{goods}一份。",
        "爸妈的健康，从{goods}开始。", "心脏不好，晚上睡不着，{name}用了{goods}，{number}天就见效。", "还在为摔倒担心吗？{goods}，防滑又轻便。",
        "快来，快来，全场八折，最后三天！", "拨打屏幕下方的电话，马上就有人为您服务。", "{goods}，{price}块钱，买一送一。", "本品不能代替药物，请按说明使用。",
    ),
    "talk": (
        "今天咱们来做{dish}，先把锅烧热了。", "{name}，您这手艺跟谁学的？", "我跟你说，{place}那个{thing}，可热闹了。", "上了年纪，最怕的就是摔跤，一摔就起不来。",
        "我们请到了李大夫，给大家说说胸口疼是怎么回事。", "要是觉得半边身子发麻，一定要打一二零。", "哎哟，这{dish}太香了，香死我了。", "{name}，你说说你当年是怎么追的嫂子？",
        "这位大妈，您今年高寿啊？", "今天的中奖号码是三，十二，二十七。", "好，掌声有请下一位选手。", "我那老头子，天天{feeling}。", "咱们休息一会儿，广告以后马上回来。",
        "你吃了吗？上我家吃{dish}去。", "我这腿啊，一到下雨天就疼。", "来来来，都来人搭把手，把桌子抬过去。",
    ),
}
"""Sentences of television by kind of programme; words in braces are chosen anew each time."""

MUSIC: dict[str, float] = {"news": 25.0, "drama": 12.0, "advertising": 6.0, "talk": 20.0}
"""How far the voice stands above the music, dB: EBU R 128 s1 and broadcasters' own rules ask for 7 to 15 and more."""


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence by one voice."""

    say: str
    voice: int
    """Place in VOICES."""
    speed: float = 1.0

    @property
    def name(self) -> str:
        """Of its file, the same wherever the line comes up again."""
        return hashlib.sha256(f"{self.say} {sorted(VOICES[self.voice].items())} {self.speed}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Cry:
    """A person in need, or talk that is none, in a place."""

    number: int
    kind: str
    """cry, talk, almost, home, new."""
    line: Line
    snr: float
    room: float
    noise: str


@dataclass(frozen=True, slots=True)
class Scene:
    """About a minute of television."""

    number: int
    genre: str
    lines: tuple[Line, ...]
    cries: frozenset[int]
    """Places in `lines` of cries for help of a drama, which are counted apart."""


def written(name: str) -> tuple[str, ...]:
    """Sentences of a file: `home`, what is said in a home and is no cry; `cries`, what others than we cry for help."""
    lines = Path(__file__).with_name("sentences").joinpath(f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if not line.startswith("#"))


def cries(count: int, kind: str = "cry") -> Iterator[Cry]:
    """The first `count`: every sentence comes round with other voices, manners, speeds, rooms and noises."""
    sentences = {"cry": CRIES, "talk": TALK, "almost": ALMOST, "home": written("home"), "new": written("cries")}[kind]
    for number in range(count):
        dice = random.Random(f"{kind} {number}")
        say = sentences[number % len(sentences)]
        first_round = number < len(sentences)
        manner = MANNERS[0] if first_round or kind != "cry" else dice.choice(MANNERS)
        line = Line(manner.format(say=say, first=say.lstrip("哎呃")[0]), number * 7 % len(VOICES), dice.choice(SPEEDS))
        yield Cry(number, kind, line, LOUDNESSES[(number + number // len(sentences)) % 4], dice.choice(ROOMS), dice.choice(NOISES))


SENTENCES = 13
"""A scene; with its pauses about a minute."""


def television(count: int) -> Iterator[Scene]:
    """The first `count` scenes: news, drama, advertising and talk in turn; every second drama has a cry for help in it."""
    for number in range(count):
        dice = random.Random(f"television {number}")
        genre = tuple(GENRES)[number % len(GENRES)]
        cast = dice.sample(range(len(VOICES)), 2 if genre == "news" else 4)
        says = [dice.choice(GENRES[genre]).format(**{key: dice.choice(words) for key, words in WORDS.items()}) for _ in range(SENTENCES)]
        if genre == "news" or genre == "talk":
            says[dice.randrange(SENTENCES)] = dice.choice(TALK)
        cry = dice.randrange(SENTENCES) if genre == "drama" and number // len(GENRES) % 2 else None
        if cry is not None:
            says[cry] = dice.choice(ALMOST)
        speed = 1.2 if genre == "advertising" else 1.0
        yield Scene(number, genre, tuple(Line(say, dice.choice(cast), speed) for say in says), frozenset({cry} if cry is not None else ()))
