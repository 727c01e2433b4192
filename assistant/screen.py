"""A screen, where one is attached: the room of a video call in a browser that fills it, closed when the call is over."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""The first on PATH is taken: all of them know the same words."""
WORDS = ("--kiosk", "--no-first-run", "--noerrdialogs", "--disable-session-crashed-bubble", "--use-fake-ui-for-media-stream",
         "--autoplay-policy=no-user-gesture-required")
"""`--use-fake-ui-for-media-stream` gives camera and microphone without a question nobody can answer."""
PATIENCE = 2.0
"""Seconds a browser is given to end."""


class Screen:
    """One browser at a time. Without a screen or a browser it does nothing, and says so."""

    def __init__(self, environment: Mapping[str, str] = os.environ, more: tuple[str, ...] = ()) -> None:
        """`more`: further words for the browser."""
        self._environment = environment
        self._more = more
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = ""

    @property
    def there(self) -> bool:
        """Whether something can be shown."""
        return self._browser() is not None and any(self._environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))

    @property
    def showing(self) -> bool:
        """Whether a browser is open."""
        return self._process is not None and self._process.poll() is None

    def show(self, url: str) -> bool:
        """Open this page instead of what is open; False where there is nothing to show it on, or it is no web address."""
        self.close()
        browser = self._browser()
        if browser is None or not self.there or urlsplit(url).scheme not in ("https", "http") or not urlsplit(url).hostname:
            return False
        self._folder = tempfile.mkdtemp(prefix="xiaoban-screen-")
        try:
            self._process = subprocess.Popen(
                [browser, *WORDS, *self._more, f"--user-data-dir={self._folder}", url], env=dict(self._environment),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )
        except OSError as error:
            log.warning("the browser did not start: %s", error)
            return False
        return True

    def close(self) -> None:
        """End the browser with all its children, and forget what it knew."""
        process, self._process = self._process, None
        if process is not None:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with suppress(OSError):
                    os.killpg(process.pid, number)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(PATIENCE)
                    break
        if self._folder:
            shutil.rmtree(Path(self._folder), ignore_errors=True)
            self._folder = ""

    def _browser(self) -> str | None:
        path = self._environment.get("PATH")
        return next((found for name in BROWSERS if (found := shutil.which(name, path=path))), None)
