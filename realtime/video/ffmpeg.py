"""Questions to the ``ffmpeg`` program: which version it is, and how a command of it ended."""

import re
import subprocess
from collections.abc import Sequence

PROBE_TIMEOUT = 20.0  # s for an answer


def keep_times(program: str) -> Sequence[str]:
    """The option that keeps ffmpeg from repeating and dropping frames; 5.1 gave it another name."""
    told = answer([program, "-version"])
    version = re.match(
        rb"ffmpeg version n?(\d+)\.(\d+)", told.stdout if told else b""
    )  # a build from git has no such number, and is newer
    old = version is not None and (int(version[1]), int(version[2])) < (5, 1)
    return ("-vsync", "passthrough") if old else ("-fps_mode", "passthrough")


def answer(command: Sequence[str]) -> "subprocess.CompletedProcess[bytes] | None":
    """How a program that ends by itself ended, and what it said; None where it cannot be started or hangs."""
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=PROBE_TIMEOUT)
    except (OSError, subprocess.TimeoutExpired):
        return None
