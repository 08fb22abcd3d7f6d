"""Fixtures of several test modules: the shared clips, the command line in a process of its own."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from mouth_live import realtime
from mouth_live.models import FaceFinder, OpennessModel, load_openness_model
from mouth_live.realtime.video.capture import quiet_decoder

REPOSITORY = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "mouth_live.realtime"]
CI = os.environ.get("MOUTH_LIVE_CI")  # set in .ci/run; "mediapipe" where that is installed

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail skipped tests in CI, where everything that a test needs is installed, but for JAX and PyTorch."""
    report = yield
    may_skip = item.get_closest_marker("backends") or (CI != "mediapipe" and item.get_closest_marker("mediapipe"))
    if CI and report.skipped and not may_skip:
        report.outcome = "failed"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in the last lines how many tests were left out, and why."""
    skipped: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped if report.longrepr)
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"left out: {count} test{'' if count == 1 else 's'}: {reason}")


@pytest.fixture(scope="session", autouse=True)
def _quiet_decoder() -> None:
    """Switch FFmpeg's log off before the first video of the process, because tests also open videos directly."""
    quiet_decoder()


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Restore Ctrl-C, which a shell's background job and the processes that its tests start would ignore."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def program_threads() -> Generator[Callable[[], list[str]]]:
    """Return a function that lists the program's running threads; they must end within two seconds after the test."""

    def running() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name.startswith("mouth-live")]

    yield running
    until = time.monotonic() + 2
    while running() and time.monotonic() < until:
        time.sleep(0.01)
    assert not running()


@pytest.fixture(scope="session")
def short_clip(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first second of the demo."""
    path = tmp_path_factory.mktemp("short") / "short.mp4"
    ffmpeg = ["ffmpeg", "-v", "error", "-i", demo_clip, "-t", "1", "-c:v", "libx264", path]
    subprocess.run(list(map(str, ffmpeg)), check=True)
    return path


@pytest.fixture(scope="session")
def long_clip(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo repeated many times, for tests that interrupt the work."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    ffmpeg = ["ffmpeg", "-v", "error", "-stream_loop", "20", "-i", demo_clip, "-c", "copy", path]
    subprocess.run(list(map(str, ffmpeg)), check=True)
    return path


@pytest.fixture(scope="session")
def ten_minutes(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A long recording of a frame every two seconds, with cuts and times without a face."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    scenes = "[0]scale=320:-2,setsar=1,split=3[a][b][c];[b]hflip,eq=brightness=0.1[b];[c]boxblur=40[c]"
    filters = f"{scenes};[a][b][c]concat=n=3,loop=-1:size=32767,setpts=N*2/TB,fps=0.5"
    command = ["ffmpeg", "-v", "error", "-i", str(demo_clip), "-an", "-filter_complex", filters, "-t", "610"]
    subprocess.run([*command, "-c:v", "libx264", "-preset", "ultrafast", "-g", "30", str(path)], check=True)
    return path


@pytest.fixture
def cut_short(demo_clip: Path, tmp_path: Path) -> Callable[[float], Path]:
    """Return a function that makes ``cut.mp4``, the demo cut off after a share (0..1) of its bytes."""

    def make(share: float) -> Path:
        path = tmp_path / "cut.mp4"
        fast = ["ffmpeg", "-v", "error", "-i", demo_clip, "-c", "copy", "-movflags", "+faststart", path]
        subprocess.run(list(map(str, fast)), check=True)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        return path

    return make


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
    return Path(str(realtime.__file__)).parent / "commands" / "demo.mp4"


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    """The face detector."""
    return FaceFinder()


@pytest.fixture(scope="module")
def model() -> OpennessModel:
    """The shipped network on the CPU."""
    return load_openness_model()


@pytest.fixture
def mouth_live(tmp_path: Path) -> Run:
    """Run the command line in a fresh process, in an empty folder, without a display."""

    def run(*args: object, **more: object) -> "subprocess.CompletedProcess[str]":
        environment = {k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY"}}
        command = [*COMMAND, *map(str, args)]
        settings = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "timeout": 120} | more
        return subprocess.run(command, check=False, **settings)

    return run


@pytest.fixture
def screen() -> Generator[str]:
    """The DISPLAY of a virtual screen."""
    missing = [name for name in ("Xvfb", "xdotool", "xev") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    ours, theirs = os.pipe()
    command = ["Xvfb", "-displayfd", str(theirs), "-screen", "0", "1024x768x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[theirs], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(theirs)
    with os.fdopen(ours) as report:
        number = report.readline().strip()  # Xvfb itself finds a free number
    yield f":{number}"
    server.terminate()
    server.wait(10)
