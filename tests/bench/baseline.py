"""The naive pipeline, what one writes first: free decoding, rapidfuzz over a list of phrases, pyttsx3. Only to be compared with.

It is given the same model and a phrase list of the size people write in an afternoon; the nearest phrase above the
threshold wins. It has no slots, no grammar, no guards and no sound model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import soundfile
import vosk
from rapidfuzz import fuzz, process

PHRASES: dict[str, tuple[str, ...]] = {
    "emergency.call": ("救命", "救命啊", "来人啊", "我摔倒了", "我摔倒了起不来", "快叫救护车", "我胸口疼", "我喘不上气", "着火了", "煤气漏了", "我头晕", "家里进贼了", "我流血了", "我心口疼", "我半边身子麻"),
    "emergency.cancel": ("我没事", "取消呼叫", "不用叫了", "按错了"),
    "medication.taken": ("我吃过药了", "药吃了", "降压药吃过了", "吃了", "刚吃完"),
    "medication.not_taken": ("我还没吃药", "没吃", "忘了吃药"),
    "medication.taking": ("我这就吃", "正在吃"),
    "medication.unsure": ("记不清吃没吃", "忘了吃没吃"),
    "medication.snooze": ("等会儿再吃", "十分钟以后提醒我吃药"),
    "medication.skip": ("今天不吃药了", "大夫说不吃了"),
    "medication.query": ("我吃药了没有", "我的药吃了吗", "降压药吃了没有"),
    "medication.extra": ("我能再吃一片吗", "我再吃一片药"),
    "medication.stock": ("药还剩多少", "降压药还够吃几天"),
    "medication.restock": ("新买了两盒药", "我买了一盒降压药"),
    "reminder.add": ("提醒我吃药", "明天早上八点提醒我", "十分钟后提醒我关火", "定个闹钟", "每天早上提醒我量血压"),
    "reminder.list": ("今天有什么提醒", "我有哪些闹钟"),
    "reminder.cancel": ("取消提醒", "把闹钟取消"),
    "call.video": ("给女儿打视频", "跟孙子视频", "我想看看孙子"),
    "call.voice": ("给儿子打电话", "打电话给女儿", "给老王打个电话"),
    "message.send": ("给女儿发消息", "告诉儿子", "给女儿发个微信说"),
    "booking.create": ("约个保洁", "帮我约理发", "明天上午叫人来打扫卫生", "水管漏了", "给我订饭", "约个护工"),
    "booking.list": ("我约了什么", "理发什么时候来"),
    "booking.change": ("把保洁改到后天", "改时间"),
    "booking.cancel": ("取消保洁", "不要护工了"),
    "diary.record": ("血压一百四九十", "血糖六点五", "体温三十六度五", "记一下血压"),
    "diary.query": ("我昨天血压多少", "最近血糖怎么样"),
    "info.time": ("现在几点了", "几点了"),
    "info.date": ("今天星期几", "今天几号"),
    "control.repeat": ("再说一遍", "你说什么"),
    "control.louder": ("大点声", "声音大一点"),
    "control.softer": ("小点声", "声音小一点"),
    "control.slower": ("说慢点",),
    "control.stop": ("别说了", "停"),
    "control.help": ("你会做什么", "你能干什么"),
    "privacy.list": ("你都记了我什么",), "privacy.forget": ("刚才的别记",), "privacy.pause": ("别听了",),
    "fraud.warn": ("有人叫我转钱", "我中奖了"),
    "chat.greet": ("你好", "早上好"), "chat.thanks": ("谢谢你",),
    "dialogue.yes": ("是的", "好的", "对"), "dialogue.no": ("不是", "不用了"),
}
THRESHOLD = 60.0
"""Percent; a usual choice. Higher misses more, lower acts on more that it must not."""


class Naive:
    """Load, hear, choose the nearest phrase."""

    def __init__(self, model: Path) -> None:
        vosk.SetLogLevel(-1)
        self._model = vosk.Model(str(model))
        self._choices = {phrase: intent for intent, phrases in PHRASES.items() for phrase in phrases}

    def text(self, clip: Path) -> str:
        """The free decoding of a clip."""
        recognizer: Any = vosk.KaldiRecognizer(self._model, 16_000)
        samples, _ = soundfile.read(clip, dtype="int16")
        heard = []
        for at in range(0, len(samples), 4000):
            if recognizer.AcceptWaveform(samples[at:at + 4000].tobytes()):
                heard.append(json.loads(recognizer.Result())["text"])
        heard.append(json.loads(recognizer.FinalResult())["text"])
        return "".join(heard).replace(" ", "")

    def intent(self, text: str) -> str:
        """The nearest phrase's, or empty."""
        found = process.extractOne(text, list(self._choices), scorer=fuzz.ratio, score_cutoff=THRESHOLD) if text else None
        return self._choices[found[0]] if found else ""
