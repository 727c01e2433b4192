"""The house on the telephone: a real call comes in, the ear lends its microphone, hears 挂了 through the line and has it back."""

from __future__ import annotations

import queue
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag
from time import monotonic

import pytest

from assistant.listen.frames import FRAME_BYTES, wav_frames
from assistant.listen.microphone import MicrophoneFrames
from assistant.messages import Call, Connected, Delivered, Heard, HungUp, Hypothesis, Rang
from assistant.notify.telephone import Settings, Telephone, installed
from assistant.places import VOSK, models_dir
from assistant.speak.speech import Speech
from tests.test_house import CLIPS, Living, Opened, family, opened, spoken  # noqa: F401
from tests.test_telephone import PATIENCE, RATE, Told, _file, _port, _wave

pytestmark = [
    pytest.mark.skipif(not installed(), reason="baresip is not installed (apt install baresip)"),
    pytest.mark.skipif(not (models_dir() / VOSK).exists(), reason="the recognition model is not fetched: xiaoban fetch"),
]


class Quiet:
    """A microphone in an empty room that remembers when it was open."""

    dropped = 0
    history: list[str] = []

    def __init__(self, _name: str | None) -> None:
        self.history.append("opened")

    def read(self, timeout: float) -> bytes | None:
        Flag().wait(0.03)
        return b"\0" * FRAME_BYTES

    def close(self) -> None:
        self.history.append("closed")


@pytest.fixture
def far(tmp_path: Path) -> Iterator[tuple[Telephone, queue.Queue[Told], int]]:
    """The daughter's telephone, and the port of the elder's."""
    there, port = _port(), _port()
    told: queue.Queue[Told] = queue.Queue()
    source = _file(tmp_path / "far.wav", _wave(440))
    one = Telephone(
        Settings("13800000001", "127.0.0.1", port=port, listen=f"127.0.0.1:{there}", source=f"aufile,{source}", player="aubridge,far"),
        lambda _text: Speech(_wave(700, 1.0), RATE), rung=told.put,
    )
    yield one, told, port
    one.close()


def test_the_daughter_rings_is_answered_by_voice_and_the_elder_hangs_up_by_voice(
    opened: Opened, family: Path, far: tuple[Telephone, queue.Queue[Told], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    daughter, told, port = far
    import numpy as np

    said = np.concatenate([np.frombuffer(frame, "<i2") for frame in wav_frames(CLIPS / "hang_up.flac")])[::2]
    quiet = np.zeros(2 * RATE, np.int16)
    elder = _file(tmp_path / "elder.wav", np.concatenate([quiet, said, quiet, quiet, quiet, quiet, quiet]).astype(np.int16))
    text = family.read_text(encoding="utf-8")
    address = f"sip:elder@127.0.0.1?listen=127.0.0.1:{port}&source=aufile,{elder}&player=aubridge,elder"
    family.write_text(text.replace("通知:\n  敏敏微信", f'通知:\n  电话: "{address}"\n  敏敏微信'), encoding="utf-8")
    Quiet.history.clear()
    opened_frames: list[MicrophoneFrames] = []

    def frames(post: object) -> MicrophoneFrames:
        opened_frames.append(MicrophoneFrames(backends=(Quiet,)))
        return opened_frames[0]

    living: Living = opened(frames=frames)
    try:
        end = monotonic() + PATIENCE
        while living.house._ear is None and monotonic() < end:
            Flag().wait(0.05)
        monkeypatch.setattr("assistant.notify.telephone.NUMBER", re.compile(r"\w+\Z"))
        daughter.ring(Call(7, "far", "小伴", "电话", "elder", "", ring=20.0), told.put)
        _, asked = living.until(lambda event, _: isinstance(event, Rang))
        living.house.post(Heard((Hypothesis("接"),), woken=False))
        living.until(lambda event, _: isinstance(event, Connected))
        daughter.talk("far")
        living.until(lambda event, _: isinstance(event, Heard))
        living.until(lambda event, _: isinstance(event, HungUp))
        while not isinstance(ended := told.get(timeout=PATIENCE), Delivered):
            pass
        end = monotonic() + PATIENCE
        while Quiet.history != ["opened", "closed", "opened"] and monotonic() < end:
            Flag().wait(0.05)
        assert (spoken(asked), ended, Quiet.history) == (
            "女儿刘敏来电话了，接不接？", Delivered(7, True, "talked"), ["opened", "closed", "opened"],
        )
    finally:
        for one in opened_frames:
            one.close()
