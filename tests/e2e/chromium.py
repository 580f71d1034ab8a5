"""A headless Chromium, driven over its debugging pipe: one process for many pages, in any width and either theme."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-pings",
    "--disable-default-apps", "--disable-extensions", "--disable-features=OptimizationHints,MediaRouter",
    "--hide-scrollbars", "--proxy-server=http://127.0.0.1:9", "--proxy-bypass-list=<-loopback>", "--remote-debugging-pipe",
)  # fmt: skip


@dataclass
class Chromium:
    """One browser with one page.

    Attributes:
        to_browser: File descriptor that takes commands, each ended by a zero byte.
        from_browser: File descriptor that brings answers and events, likewise.
        events: What happened on the page and was not read yet.
    """

    to_browser: int
    from_browser: int
    events: list[dict[str, Any]] = field(default_factory=list)
    _session: str = ""
    _number: int = 0
    _rest: bytes = b""

    def open(self, page: Path, *, width: int = 1100, height: int = 900, dark: bool = False) -> None:
        """Load a page and wait until its scripts have drawn it, or have failed to."""
        self.resize(width, height)
        self.prefer(dark=dark)
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._receive()
        self.evaluate(_DRAWN)

    def resize(self, width: int, height: int = 900) -> None:
        """Give the page a screen of this many pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def prefer(self, *, dark: bool) -> None:
        """Let the reader prefer dark pages, or light ones."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def until(self, condition: str) -> None:
        """Wait until an expression in the page is true, for a minute."""
        met = self.evaluate(
            "new Promise((done) => { const end = Date.now() + 60000, look = () => "
            f"({condition}) ? done(true) : Date.now() > end ? done(false) : setTimeout(look, 20); look(); }})"
        )
        assert met, condition

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page; a promise is awaited. The page's own policy does not apply."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def dom(self) -> str:
        """The document as it is now."""
        return str(self.evaluate("document.documentElement.outerHTML"))

    def screenshot(self, target: Path) -> None:
        """The whole page as a PNG."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        target.write_bytes(b64decode(answer["data"]))

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            pass
        assert "error" not in answer, (method, answer)
        return dict(answer["result"])

    def attach(self) -> None:
        """Open the page that all later commands mean."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network"):
            self.call(f"{domain}.enable")

    def requests(self) -> list[str]:
        """Addresses that the page asked for, itself left out."""
        asked = [
            str(event["params"]["request"]["url"])
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self.from_browser, 1 << 20)
            assert more, "the browser has gone"
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        read: dict[str, Any] = json.loads(message)
        if "method" in read:
            self.events.append(read)
        return read


@contextmanager
def chromium() -> Iterator[Chromium]:
    """A browser that ends with the block; its way to the network leads nowhere."""
    assert CHROMIUM
    read_commands, write_commands = os.pipe()
    read_answers, write_answers = os.pipe()
    # The browser reads file descriptor 3 and writes 4; dup in the shell, for preexec_fn is unsafe beside threads.
    script = f'exec 3<&{read_commands} 4>&{write_answers}; exec "$@"'
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            ["bash", "-c", script, "browser", CHROMIUM, *_OPTIONS, f"--user-data-dir={profile}"],
            pass_fds=(read_commands, write_answers), stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(read_commands)
        os.close(write_answers)
        try:
            made = Chromium(write_commands, read_answers)
            made.attach()
            yield made
        finally:
            os.close(write_commands)
            os.close(read_answers)
            process.terminate()
            process.wait(timeout=30)


_DRAWN = """new Promise((done) => {
  const root = document.documentElement;
  setTimeout(done, 60000);
  const look = () => "drawn" in root.dataset || "failed" in root.dataset || !document.querySelector("#figures");
  if (look()) return done();
  new MutationObserver((_, observer) => { if (look()) { observer.disconnect(); done(); } })
    .observe(root, {attributes: true});
})"""
