"""A headless Chromium that is driven over its DevTools protocol."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page:
    """One tab. What it asks for and what it complains of is kept."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection, self._number = connection, 0
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._loaded = False

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol and return its result."""
        self._number += 1
        number = self._number
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._connection.recv(timeout=30))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        method, of = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(of["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(of["exceptionDetails"])[:2000])
        elif method == "Runtime.consoleAPICalled" and of["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(of["args"])[:2000])
        elif method == "Log.entryAdded" and of["entry"]["level"] in ("error", "warning"):
            self.complaints.append(json.dumps(of["entry"])[:2000])
        elif method == "Page.loadEventFired":
            self._loaded = True

    def open(self, path: Path, ready: str) -> float:
        """Open a file, wait until an expression is true, and return the seconds that took."""
        return self.go(path.resolve().as_uri(), ready)

    def go(self, url: str, ready: str) -> float:
        """Open an address, wait until an expression is true, and return the seconds that took."""
        self._loaded = False
        start = time.monotonic()
        self.call("Page.navigate", url=url)
        while not self._loaded:
            self._take(json.loads(self._connection.recv(timeout=60)))
        self.wait(ready)
        return time.monotonic() - start

    def value(self, expression: str) -> Any:
        """Return the value of an expression, awaited where it is a promise."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, expression: str, seconds: float = 20) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + seconds
        while not self.value(expression):
            assert time.monotonic() < until, expression
            time.sleep(0.02)

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """Send a mouse event: ``mouseMoved``, ``mousePressed``, ``mouseReleased`` or ``mouseWheel``."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x: float, y: float) -> None:
        """Click at a place of the window, in CSS pixels."""
        self.mouse("mouseMoved", x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def key(self, key: str, text: str = "") -> None:
        """Press a key, by its name in the DOM."""
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write what is on the screen, or the whole page, as a PNG."""
        content = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(content["data"]))


@contextmanager
def browser(width: int = 1280, height: int = 900, *more: str) -> Generator[Page]:
    """Start a Chromium with an empty tab and a profile of its own; ``more`` are further options of its command."""
    assert PROGRAM
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        sandbox = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
        quiet = ["--headless=new", "--no-first-run", "--disable-gpu", "--mute-audio", "--disable-dev-shm-usage"]
        where = ["--remote-debugging-port=0", f"--user-data-dir={profile}", f"--window-size={width},{height}", *more]
        command = [PROGRAM, *quiet, *sandbox, *where, "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield from _tab(Path(profile))
        finally:
            process.terminate()
            process.wait(10)


def _tab(profile: Path) -> Generator[Page]:
    from urllib.request import urlopen

    port_file, until = profile / "DevToolsActivePort", time.monotonic() + 30
    while not (port_file.is_file() and port_file.read_text().count("\n")):
        assert time.monotonic() < until, "Chromium did not start"
        time.sleep(0.05)
    port = port_file.read_text().splitlines()[0]
    with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
        address = next(tab["webSocketDebuggerUrl"] for tab in json.load(answer) if tab["type"] == "page")
    with connect(address, max_size=None, compression=None, proxy=None) as connection:
        page = Page(connection)
        for domain in ("Page", "Network", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        yield page
