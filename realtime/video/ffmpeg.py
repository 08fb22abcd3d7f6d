"""Short runs of the ``ffmpeg`` and ``ffprobe`` programs."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

PROBE_TIMEOUT = 20.0  # s for a short run


def passthrough_option(program: str) -> Sequence[str]:
    """Return the option that keeps ffmpeg from repeating and dropping frames; version 5.1 renamed it."""
    result = run_program([program, "-version"])
    # A build from git has no such number, and is newer.
    version = re.match(rb"ffmpeg version n?(\d+)\.(\d+)", result.stdout if result else b"")
    old = version is not None and (int(version[1]), int(version[2])) < (5, 1)
    return ("-vsync", "passthrough") if old else ("-fps_mode", "passthrough")


def run_program(command: Sequence[str]) -> "subprocess.CompletedProcess[bytes] | None":
    """Run a program to its end and return its result and output; None where it cannot be started or hangs."""
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=PROBE_TIMEOUT)
    except (OSError, subprocess.TimeoutExpired):
        return None


def probe(path: Path, *options: str) -> bytes | None:
    """Return what ``ffprobe`` prints about a file; None where it is not installed or fails to run.

    Args:
        path: the file. No other file and no address is opened.
        options: what to print, and how.
    """
    program = shutil.which("ffprobe")
    if program is None:
        return None
    command = [program, "-v", "quiet", "-protocol_whitelist", "file", *options, f"file:{path.absolute()}"]
    result = run_program(command)
    return None if result is None else result.stdout
