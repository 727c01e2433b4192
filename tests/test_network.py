"""Whether there is a way out of the house, and who is told when it is there again."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.messages import DeviceFound, DeviceLost
from assistant.notify.network import Network, way_out

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
DEFAULT = "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
HOME = "wlan0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0\n"
HALF = "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n"
DEAD = "wlan0\t00000000\t0101A8C0\t0203\t0\t0\t600\t00000000\t0\t0\t0\n"
NOTHING = f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200       lo\n"
SIX = f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 27}1 00000400 00000003 00000000 00000003    wlan0\n"


@pytest.mark.parametrize(("old", "new", "carrier", "there"), [
    (HEAD + HOME + DEFAULT, "", "1", True),
    (HEAD + HOME, NOTHING, "1", False),
    (HEAD, NOTHING + SIX, "1", True),
    (HEAD + DEFAULT, SIX, "0", False),
    (HEAD + DEFAULT, "", None, True),
    (HEAD + DEAD, NOTHING, "1", False),
    (HEAD + HALF, NOTHING, "1", False),
    ("", "", "1", False),
    (None, None, None, True),
])
def test_a_way_out_is_a_default_route_over_a_link_that_is_joined(
    tmp_path: Path, old: str | None, new: str | None, carrier: str | None, there: bool
) -> None:
    for name, text in (("route", old), ("ipv6_route", new)):
        if text is not None:
            (tmp_path / name).write_text(text, "ascii")
    if carrier is not None:
        (tmp_path / "wlan0").mkdir()
        (tmp_path / "wlan0" / "carrier").write_text(f"{carrier}\n", "ascii")
    assert way_out(tmp_path, tmp_path) is there


def test_only_a_change_is_told_and_what_it_is_at_the_start() -> None:
    said: queue.SimpleQueue[DeviceFound | DeviceLost] = queue.SimpleQueue()
    looks: Iterator[bool] = iter([False, False, True, True, True, False, True])
    network = Network(lambda: next(looks, True), said.put, every=0.0)
    heard = [said.get(timeout=20) for _ in range(4)]
    network.close()
    lost, found = DeviceLost("network"), DeviceFound("network")
    assert heard == [lost, found, lost, found]
