"""What several test modules need: the shared clips, the command line in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mouth_live import realtime

REPOSITORY = Path(__file__).parent.parent

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the real clips and the labelled faces."""
    folder = Path(os.environ.get("MOUTH_LIVE_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "clips").is_dir():
        pytest.skip("no real clips: neither MOUTH_LIVE_SHARED nor ../shared holds them")
    return folder


@pytest.fixture(scope="session")
def demo_clip() -> Path:
    """The clip that ships with the program: one real face."""
    return Path(str(realtime.__file__)).parent / "demo.mp4"


@pytest.fixture
def mouth_live(tmp_path: Path) -> Run:
    """Run the command line in a fresh process, in an empty folder, without a display."""

    def run(*args: object, **more: object) -> "subprocess.CompletedProcess[str]":
        environment = {k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY"}}
        command = [sys.executable, "-c", "from mouth_live.realtime.cli import main; main()", *map(str, args)]
        settings = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "timeout": 120} | more
        return subprocess.run(command, check=False, **settings)

    return run
