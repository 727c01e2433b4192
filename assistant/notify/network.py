"""Whether the house has a way out, read from the kernel's tables of routes, and word when that changes. Nothing is sent for it.

That there is a route says nothing of the internet behind the router: a first delivery after failures is the other sign
(`message.settle`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from assistant.messages import DeviceFound, DeviceLost

EVERY = 5.0
"""Seconds between two looks: reading two small files of the kernel costs some 50 µs."""
KERNEL = Path("/proc/net")
LINKS = Path("/sys/class/net")

UP, REJECT = 0x1, 0x200
"""Flags of a route (`linux/route.h`)."""


def way_out(kernel: Path = KERNEL, links: Path = LINKS) -> bool:
    """Whether there is a default route, of IPv4 or IPv6, over a link that is plugged in or joined.

    A system without these tables is no Linux: then nothing is known, and the way is taken to be there.
    """
    old, new = _lines(kernel / "route"), _lines(kernel / "ipv6_route")
    if old is None and new is None:
        return True
    # Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
    found = [(one[0], int(one[3], 16)) for one in (old or [])[1:] if len(one) > 7 and one[1] == one[7] == "0" * 8]
    # destination, its length, source, its length, next hop, metric, references, use, flags, device
    found += [(one[9], int(one[8], 16)) for one in new or [] if len(one) > 9 and one[0] == "0" * 32 and one[1] == "00"]
    return any(device != "lo" and flags & UP and not flags & REJECT and _joined(links / device) for device, flags in found)


def _lines(path: Path) -> list[list[str]] | None:
    try:
        return [line.split() for line in path.read_text("ascii", "replace").splitlines()]
    except OSError:
        return None


def _joined(link: Path) -> bool:
    """A route may outlive its cable or its Wi-Fi. A link that tells nothing is believed."""
    try:
        return (link / "carrier").read_text("ascii").strip() != "0"
    except FileNotFoundError:
        return True
    except OSError:  # EINVAL: the link is switched off
        return False


class Network:
    """Looks whether there is a way out, and tells when one is found or lost; also what it is at the start."""

    def __init__(
        self, there: Callable[[], bool], tell: Callable[[DeviceFound | DeviceLost], None], every: float = EVERY
    ) -> None:
        self._there, self._tell, self._every = there, tell, every
        self._known: bool | None = None
        self._stop = threading.Event()
        threading.Thread(target=self._run, name="network", daemon=True).start()

    def close(self) -> None:
        """Look no more."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            there = self._there()
            if there != self._known:
                self._known = there
                self._tell(DeviceFound("network") if there else DeviceLost("network"))
            self._stop.wait(self._every)
