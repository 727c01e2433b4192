"""Are cries for help heard, and is the television left alone? `python -m tests.bench.distress [render] [--snr 10,…]`.

`render` makes the clips with Kokoro (sixteen voices: eight speakers and eight blends, speeds 0.8 to 1.2) into the user's
cache folder, in a process that never loads the recogniser. Without it they are put into rooms and noise, run through the
whole ear, judged as `House` judges them, and counted: cries that raise an alarm at the first try and within two, and
sentences of television and talk that raise one without reason. Generated speech: no claim about real elders.
"""

from __future__ import annotations

import argparse
import sys
import wave
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter

import numpy as np
import platformdirs

from assistant import places
from tests.clips.acoustics import RATE, Wave, in_room, with_noise

CACHE = Path(platformdirs.user_cache_dir("xiaoban")) / "bench-distress"
SPEAKERS = ("zf_xiaobei", "zf_xiaoni", "zf_xiaoxiao", "zf_xiaoyi", "zm_yunjian", "zm_yunxi", "zm_yunxia", "zm_yunyang")
VOICES: tuple[dict[str, float], ...] = (
    *({name: 1.0} for name in SPEAKERS),
    *({one: 0.6, SPEAKERS[(at + 3) % 8]: 0.4} for at, one in enumerate(SPEAKERS)),
)
SPEEDS = (1.0, 0.85, 1.15, 0.8, 1.2, 0.95)
ROOMS = (0.0, 0.3, 0.5, 0.7)
"""Seconds of reverberation (RT60); 0 is close to the microphone."""
NOISES = ("pink", "white", "hum")

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
"""What somebody in need cries, out of the blue; one voice and speed each, in turn."""

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
"""Television and talk between people; none of it may raise an alarm."""
ALMOST = ("救命啊，快来人啊，有人落水了！", "护士，快来人，病人喘不上气了！", "快跑啊，着火了！")
"""Cries of a drama, alone: no ear can tell them from real ones. Counted apart; the alarm can be called off for 20 s."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One sentence by one voice."""

    say: str
    kind: str
    path: Path


def clips() -> Iterator[Clip]:
    """All sentences with the place of their sound."""
    for kind, sentences in (("cry", CRIES), ("talk", TALK), ("almost", ALMOST)):
        for number, say in enumerate(sentences):
            yield Clip(say, kind, CACHE / f"{kind}{number:02}.wav")


def render() -> None:
    """Make what is not there yet. Never in a process that also listens: see `engines`."""
    from assistant.speak.kokoro import Kokoro
    from assistant.speak.player import write_wav
    from assistant.speak.speech import resample

    CACHE.mkdir(parents=True, exist_ok=True)
    rows = list(clips())
    for at in sorted(range(len(rows)), key=lambda at: (at % 3, at)):
        clip = rows[at]
        note = clip.path.with_suffix(".txt")
        if clip.path.exists() and note.exists() and note.read_text(encoding="utf-8") == clip.say:
            continue
        voice = Kokoro(places.models_dir() / "kokoro", VOICES[at * 5 % len(VOICES)], SPEEDS[at % len(SPEEDS)])
        write_wav(clip.path, resample(voice.render(clip.say), RATE))
        note.write_text(clip.say, encoding="utf-8")
        print(clip.path.name, clip.say, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one clip in one room."""

    clip: Clip
    snr: float
    result: str
    """`alarm` at once, `asks` (the question of an unsure one), `near` (a reading that only a woken ear would offer), or nothing."""
    by: str
    """`spotter`, `understanding`, or nothing."""
    heard: tuple[Hypothesis, ...]


def sounds(clip: Clip, snr: float, seed: int) -> list[bytes]:
    """Frames of the clip in a room and a noise of its own, half a second before it and one and a half after it."""
    chance = np.random.default_rng(seed)
    with wave.open(str(clip.path)) as file:
        sound: Wave = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    room = ROOMS[seed % len(ROOMS)]
    sound = np.concatenate([np.zeros(RATE // 2), in_room(sound, room, chance) if room else sound, np.zeros(RATE * 3 // 2)])
    sound = with_noise(sound, NOISES[seed % len(NOISES)], snr, chance)
    sound *= 0.3 / np.abs(sound).max()
    return list(pcm_frames([(sound * 32767).astype("<i2").tobytes()]))


class Bench:
    """The ear of the house and its judgement, without the house."""

    def __init__(self) -> None:
        self.household = household_file.load(places.sample_household())
        self.model = Model(places.models_dir() / places.VOSK)
        self.decoders = TwoDecoders(self.model)
        self.brain = understander(self.household)
        self.grammars = grammars(self.household, self.model.knows, ("command", "distress"))
        self.spotter = Spotter(self.model, self.household.wake_words, self.brain.distress_phrases(), self.decoders)
        self.now = datetime(2026, 11, 22, 15, tzinfo=self.household.zone)

    def run(self, clip: Clip, snr: float, seed: int) -> Outcome:
        """One clip through the ear."""
        posted: list[Heard] = []
        asked: list[tuple[Hypothesis, ...]] = []

        def suspects(found: tuple[Hypothesis, ...]) -> bool:
            asked.append(found)
            return suspicious(self.brain, found, self.now)

        ear = Ear(sounds(clip, snr, seed), self.decoders, self.spotter, self.grammars,
                  lambda event: posted.append(event) if isinstance(event, Heard) else None, suspects)
        ear.listen()
        best = Outcome(clip, snr, "", "", tuple(one for found in asked for one in found))
        for heard in posted:
            by = "understanding" if heard.hypotheses in asked else "spotter"
            found = Outcome(clip, snr, result(self.brain.judge(heard.hypotheses, self.now)), by, heard.hypotheses)
            if ORDER.index(found.result) > ORDER.index(best.result):
                best = found
        return best


ORDER = ("", "near", "asks", "alarm")


def result(judged: Judgement) -> str:
    """What the dialogue makes of words that were said to nobody."""
    if judged.meaning is not None and judged.meaning.intent == "emergency.call":
        return "asks" if judged.meaning.slots.get("grade") == "unsure" else "alarm"
    return "near" if any(near.intent == "emergency.call" for near in judged.nearest) else ""


def report(rows: Iterable[Outcome], took: float, length: float) -> None:
    """Figures on stdout."""
    found = list(rows)
    for snr in sorted({row.snr for row in found}, reverse=True):
        for kind in ("cry", "talk", "almost"):
            here = [row for row in found if row.snr == snr and row.clip.kind == kind]
            if not here:
                continue
            acted = [row for row in here if row.result in ("alarm", "asks")]
            alarms = sum(row.result == "alarm" for row in here)
            spotted = sum(row.by == "spotter" for row in acted)
            sentences = {row.clip.say for row in here}
            either = {row.clip.say for row in acted}
            print(f"{snr:4.0f} dB {kind:6}: {len(acted)}/{len(here)} = {len(acted) / len(here):.1%} acted on ({alarms} alarms, {spotted} by the "
                  f"spotter), {sum(row.result == 'near' for row in here)} near; sentences in any try {len(either)}/{len(sentences)} = {len(either) / len(sentences):.1%}")
    print(f"ear: {took / length:.2f} x real time while somebody speaks")


def told(row: Outcome) -> str:
    """A line about one that went wrong."""
    return (f"  {row.snr:.0f} dB {row.result or '-'} {row.by or '-'} {row.clip.say} <- "
            + " | ".join(f"{one.source[0]} {one.score:.2f} {one.text}" for one in row.heard))


def main() -> None:
    """Measure."""
    wish = argparse.ArgumentParser(description=__doc__)
    wish.add_argument("--snr", default="20,10,5")
    wish.add_argument("--tries", type=int, default=2)
    wish.add_argument("--kinds", default="cry,talk,almost")
    wish.add_argument("--every", type=int, default=1, help="only each so-manyth sentence")
    wish.add_argument("--quiet", action="store_true", help="figures only")
    given = wish.parse_args()
    bench = Bench()
    rows: list[Outcome] = []
    length, took = 0.0, 0.0
    for at, clip in enumerate(clips()):
        if clip.kind not in given.kinds.split(",") or at % given.every or not clip.path.with_suffix(".txt").exists():
            continue
        with wave.open(str(clip.path)) as file:
            seconds = file.getnframes() / RATE
        for snr in map(float, given.snr.split(",")):
            for number in range(given.tries):
                began = perf_counter()
                rows.append(bench.run(clip, snr, at * 7 + number * 5 + round(snr)))
                took, length = took + perf_counter() - began, length + seconds
                if not given.quiet and (rows[-1].result in ("alarm", "asks")) != (clip.kind == "cry"):
                    print(told(rows[-1]), flush=True)
    report(rows, took, length)


if __name__ == "__main__":
    if "render" in sys.argv[1:]:
        render()
    else:
        from assistant import household as household_file
        from assistant.furnish import grammars, suspicious, understander
        from assistant.listen.ear import Ear
        from assistant.listen.frames import pcm_frames
        from assistant.listen.recognizer import Model, TwoDecoders
        from assistant.listen.spotter import Spotter
        from assistant.messages import Heard, Hypothesis, Judgement

        main()
