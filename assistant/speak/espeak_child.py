"""One sentence into one WAV with pyttsx3, in a process of its own; the order comes as JSON on stdin.

Run by path, so that it loads nothing of ours and starts in 0.1 s. pyttsx3 2.99 queues the end of its loop before eSpeak has
begun, so `runAndWait` may return before anything is written (2 of 6 times as measured): the end is awaited here.
"""

from __future__ import annotations

import json
import os
import sys
import threading


def speak(text: str, voice: str, rate: int, path: str, seconds: float) -> bool:
    """`rate` in pyttsx3's words a minute. False if nothing was finished within `seconds`."""
    import pyttsx3

    engine = pyttsx3.init("espeak")  # type: ignore[no-untyped-call]
    offered = {one.id.rsplit("/", 1)[-1].lower(): one.id for one in engine.getProperty("voices")}
    engine.setProperty("voice", offered[voice.lower()])
    engine.setProperty("rate", rate)
    engine.setProperty("volume", 1.0)
    finished = threading.Event()
    engine.connect("finished-utterance", lambda name, completed: finished.set())
    engine.save_to_file(text, path)
    engine.runAndWait()
    return finished.wait(seconds)


if __name__ == "__main__":
    try:
        done = speak(**json.load(sys.stdin))
    except Exception as error:  # edge of a process: the parent reads the last line
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(1)
    os._exit(0 if done else 2)  # no farewell from eSpeak's own thread
