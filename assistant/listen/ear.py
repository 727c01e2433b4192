"""Sound in, `Heard` out: the gate cuts utterances, the decoders write them down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assistant.listen.gate import CLIP, Ended, Finished, Rules, Speech, gate
from assistant.listen.recognizer import Recognizer
from assistant.messages import Heard


def hear(
    frames: Iterable[bytes],
    recognizer: Recognizer,
    rules: Rules = CLIP,
    *,
    finished: Finished = lambda: None,
    woken: bool = True,
    clip: str = "",
) -> Iterator[Heard]:
    """Every utterance of a clip or a microphone: `hear(wav_frames(path), recognizer)`.

    With the rules of a clip that is one `Heard`, two-second pauses and all, and more only beyond 30 s of talk. A clip
    without a voice (silence, noise) gives one `Heard` without hypotheses. Raises BadAudio while reading `frames`.
    """
    anything = False
    for piece in gate(frames, rules, finished):
        match piece:
            case Speech(sound):
                recognizer.accept(sound)
            case Ended(seconds=length):
                anything = True
                yield Heard(recognizer.finish(), woken, round(length, 3), clip)
    if not anything:
        yield Heard((), woken, 0.0, clip)
