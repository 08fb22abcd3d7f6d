"""A shell in a terminal of its own, for tests that press its keys."""

import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path

ESCAPES = re.compile(r"\x1b\[[0-9;?=><]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>78]|\r|\x07")


class Shell:
    """An interactive shell that runs until :meth:`close`."""

    def __init__(self, words: list[str], folder: Path, environment: dict[str, str]) -> None:
        ours, theirs = pty.openpty()
        self._terminal = ours
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *words],  # fish wants the terminal to be its own
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=environment | {"TERM": "xterm", "COLUMNS": "200", "LINES": "50"},
        )
        os.close(theirs)
        self._seen = ""

    def type(self, text: str) -> None:
        """Type text; ``\\t`` is the Tab key."""
        self._seen = ""
        os.write(self._terminal, text.encode())

    def wait_for(self, pattern: str, seconds: float = 20) -> str:
        """Wait until what was written since the last keys matches, and return it.

        Raises:
            AssertionError: it does not come.
        """
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert time.monotonic() < end, f"no {pattern!r} in {self.text!r}"
            if select.select([self._terminal], [], [], 0.05)[0]:
                data = os.read(self._terminal, 65536)
                self._seen += data.decode(errors="replace")
                if b"\x1b[c" in data or b"\x1b[0c" in data:  # fish asks what kind of terminal this is
                    os.write(self._terminal, b"\x1b[?6c")
        return self.text

    @property
    def text(self) -> str:
        """What was written since the last keys, without control sequences."""
        return ESCAPES.sub("", self._seen)

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        os.close(self._terminal)
