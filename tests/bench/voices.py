"""How well each voice is understood: 20 sentences rendered, decoded freely by our own recogniser, characters compared.

    python tests/bench/voices.py [VOICE…]        by default 晓晓 and 机器声; figures on stdout

A recogniser is no old ear, but what it cannot make out is seldom clear speech: eSpeak's Mandarin shows that. Prints for each
voice the character error rate (CER), toneless-syllable error rate (homophones are no fault of the voice), seconds of speech
and the real-time factor of rendering.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from assistant import home, places
from assistant.listen.frames import pcm_frames
from assistant.listen.recognizer import Model
from assistant.speak.engines import choose
from assistant.speak.speakable import speakable
from assistant.speak.speech import Voice, resample
from assistant.understand.sound import syllables

SENTENCES = (
    "王奶奶，早上好，今天天气很好。",
    "早饭后的降压药，您吃了吗？",
    "好，我记下了，八点半吃过了。",
    "已经过了时间，先别补吃，我告诉您女儿了。",
    "您的孙子小军说，他下午三点给您打视频。",
    "短信发出去了，还没有人回。",
    "明天上午九点，保洁阿姨来打扫卫生，对吗？",
    "我没听清楚，您是要打电话，还是要吃药？",
    "您刚才量的血压是一百四十五，九十。",
    "十分钟以后，我再提醒您。",
    "星期天他们不上门，星期一上午行吗？",
    "药盒里今天早上那一格是空的吗？",
    "现在是下午两点一刻。",
    "网络不通，我会一直试。",
    "您女儿已经知道了，她马上就过来。",
    "家里的水管漏了，我帮您约师傅。",
    "关火，您厨房里的火关了吗？",
    "今天是十一月二十二日，星期天。",
    "您还有什么要我做的吗？",
    "别担心，我一直在这儿陪着您。",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """One voice."""

    cer: float
    syllable_errors: float
    speech: float
    """Seconds of speech."""
    factor: float
    """Seconds of rendering a second of speech."""


def hanzi(text: str) -> str:
    return "".join(char for char in text if "\u4e00" <= char <= "\u9fff")


def measure(voice: Voice, model: Model, show: bool = False) -> Figures:
    """Render and decode all sentences."""
    wrong = wrong_syllables = total = total_syllables = 0
    speech = took = 0.0
    voice.render("准备好了。")  # loading is not rendering
    for sentence in SENTENCES:
        began = time.perf_counter()
        sound = voice.render(sentence)
        took += time.perf_counter() - began
        speech += sound.seconds
        decoder = model.free()
        samples = resample(sound, 16_000).samples
        for frame in pcm_frames([samples.tobytes(), bytes(16_000)]):
            decoder.accept(frame)
        heard = hanzi("".join(word for reading in decoder.finish()[:1] for word in reading.words))
        said = hanzi(speakable(sentence))
        wrong += Levenshtein.distance(said, heard)
        total += len(said)
        wrong_syllables += Levenshtein.distance(syllables(said), syllables(heard))
        total_syllables += len(syllables(said))
        if show:
            sys.stderr.write(f"{said}\n    {heard}\n")
    return Figures(wrong / total, wrong_syllables / total_syllables, speech, took / speech)


def main(names: list[str]) -> None:
    model = Model(places.models_dir() / "vosk-model-small-cn-0.22")
    out = sys.stdout
    out.write(f"{platform.node()} {platform.machine()}, {os.cpu_count()} cores\n")
    out.write("voice\tCER\tsyllables\tseconds\treal-time factor\n")
    for name in names or ["晓晓", "机器声"]:
        choice = choose(home.Voice(name), places.models_dir())
        figures = measure(choice.engine, model, show="-v" in sys.argv)
        out.write(f"{choice.card.name}\t{figures.cer:.1%}\t{figures.syllable_errors:.1%}\t{figures.speech:.0f}\t{figures.factor:.2f}\n")
        out.flush()


if __name__ == "__main__":
    main([name for name in sys.argv[1:] if not name.startswith("-")])
