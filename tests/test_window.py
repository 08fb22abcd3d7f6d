"""Tests of the live window, in a process of its own under a virtual screen: a failing window ends its whole process."""

import ctypes
import ctypes.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from mouth_live.realtime.sinks.window.display import display_problem
from mouth_live.realtime.sinks.window.window_sink import WindowSink, window_size

SHOW = """
import sys, time, numpy as np
from mouth_live.models.face import Face
from mouth_live.realtime.records import Analysis, Frame, Reading
from mouth_live.realtime.sinks.window.window_sink import WindowStatus, WindowSink
reading = Reading(0, Face((80, 60, 90, 90), np.zeros((6, 2), np.float32), 0.9), 0.4, 0.4, True, 0.9)
status = WindowStatus(29.9, 1, "keep your mouth closed: 5 s")
key_c = lambda: print("calibrate", flush=True)
with WindowSink(title="mouth-live", on_calibrate=key_c, status=lambda: status) as window:
    for i in range(2000):
        image = np.full((240, 320, 3), 90, np.uint8)
        window.write(Analysis(Frame(i, i / 50, image), (reading,)))
        if window.is_finished:
            print("ended", flush=True)
            break
        print("frame", flush=True)
        time.sleep(0.02)
"""


class Show:
    """A window shown in a process of its own."""

    def __init__(self, display: str, output: Path) -> None:
        self.environment = os.environ | {"DISPLAY": display}
        self.output = output
        with output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SHOW], env=self.environment, cwd=output.parent, stdout=file, stderr=file
            )
        self.window = self.xdotool("search", "--sync", "--onlyvisible", "--name", "^mouth-live$").split()[0]
        self.wait_for(5)

    def lines(self) -> list[str]:
        """Return the output of the process, errors too."""
        return self.output.read_text().splitlines()

    def wait_for(self, count: int) -> None:
        """Wait until the output has this many lines."""
        end = time.monotonic() + 20
        while len(self.lines()) < count:
            assert time.monotonic() < end, self.lines()
            time.sleep(0.02)

    def xdotool(self, *args: str) -> str:
        output = subprocess.run(
            ["xdotool", *args], env=self.environment, check=True, capture_output=True, text=True, timeout=20
        )
        return output.stdout

    def press(self, key: str) -> None:
        self.xdotool("windowfocus", "--sync", self.window, "key", key)

    def wait_for_end(self) -> tuple[int, str]:
        """Wait for the end and return the exit status and the last line of output."""
        status = self.process.wait(20)
        assert set(self.lines()) == {"frame", "ended"}  # and no output of Qt
        return status, self.lines()[-1]


@pytest.fixture
def show(screen: str, tmp_path: Path) -> Iterator[Show]:
    shown = Show(screen, tmp_path / "output.txt")
    yield shown
    shown.process.kill()
    shown.process.wait()


@pytest.mark.display
@pytest.mark.parametrize("key", ["q", "Escape", "shift+q"])
def test_keys_end_the_window(show: Show, key: str) -> None:
    show.press(key)
    assert show.wait_for_end() == (0, "ended")


@pytest.mark.display
def test_closing_the_window_ends_the_loop(show: Show) -> None:
    # What a window manager does when the X is clicked; there is none here, so the message is sent by hand.
    close_politely(show)
    assert show.wait_for_end() == (0, "ended")


def close_politely(show: Show) -> None:
    """Send WM_DELETE_WINDOW to the window."""
    found = ctypes.util.find_library("X11")
    if found is None:
        pytest.skip("libX11 is not installed")
    x11 = ctypes.CDLL(found)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(show.environment["DISPLAY"].encode()))
    protocols, delete = (x11.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    client_message = 33
    # XClientMessageEvent in an XEvent of 24 longs: type, serial, sent, display, window, message, format, data
    event = (ctypes.c_long * 24)(client_message, 0, 1, 0, int(show.window), protocols, 32, delete, 0)
    x11.XSendEvent(display, ctypes.c_ulong(int(show.window)), 0, ctypes.c_long(0), event)
    x11.XCloseDisplay(display)  # sends what is waiting


@pytest.mark.display
def test_c_starts_a_calibration_and_the_window_stays_open(show: Show) -> None:
    show.press("c")
    end = time.monotonic() + 20
    while "calibrate" not in show.lines():
        assert time.monotonic() < end, show.lines()
        time.sleep(0.02)
    show.wait_for(len(show.lines()) + 3)
    assert show.lines()[-1] == "frame"
    show.press("q")
    assert show.process.wait(20) == 0


@pytest.mark.display
def test_space_pauses_and_continues(show: Show) -> None:
    show.press("space")
    time.sleep(0.4)
    paused = show.lines()
    show.press("c")  # no other key ends the pause
    time.sleep(0.4)
    assert show.lines() == paused
    show.press("space")
    show.wait_for(len(paused) + 5)
    show.press("q")
    assert show.wait_for_end() == (0, "ended")


@pytest.mark.display
def test_a_paused_window_can_be_ended(show: Show) -> None:
    show.press("space")
    time.sleep(0.3)
    show.press("q")
    assert show.wait_for_end() == (0, "ended")


@pytest.mark.display
def test_s_saves_a_picture_in_the_current_folder(show: Show, tmp_path: Path) -> None:
    show.press("s")
    end = time.monotonic() + 20
    while not list(tmp_path.glob("mouth-live-*.png")):
        assert time.monotonic() < end, show.lines()
        time.sleep(0.02)
    show.press("q")
    assert show.wait_for_end() == (0, "ended")
    (path,) = tmp_path.glob("mouth-live-*.png")
    assert cv2.imread(str(path)).shape == (480, 640, 3)


@pytest.mark.display
def test_f_asks_the_window_manager_for_the_full_screen(show: Show, tmp_path: Path) -> None:
    # There is no window manager here, so what is sent to it is listened to.
    heard = tmp_path / "heard.txt"
    with heard.open("w") as file:
        listener = subprocess.Popen(
            ["stdbuf", "-oL", "xev", "-root", "-event", "structure"], env=show.environment, stdout=file
        )
    try:
        time.sleep(0.5)
        show.press("f")
        end = time.monotonic() + 20
        while "_NET_WM_STATE" not in heard.read_text():
            assert time.monotonic() < end, heard.read_text()
            time.sleep(0.05)
        show.press("q")
        assert show.wait_for_end() == (0, "ended")
    finally:
        listener.kill()
        listener.wait()


@pytest.mark.display
def test_an_existing_screen_is_not_a_problem(screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", screen)
    assert display_problem() is None
    monkeypatch.setenv("DISPLAY", screen + ".0")
    assert display_problem() is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
@pytest.mark.parametrize(
    ("display", "wayland", "message"),
    [
        (None, None, "DISPLAY is not set"),
        (None, "wayland-0", "XWayland"),
        (":4711", None, "nothing answers at DISPLAY=:4711"),
        ("nonsense", None, "nothing answers at DISPLAY=nonsense"),
        ("localhost:4711", None, "nothing answers"),
    ],
)
def test_no_display_is_one_line_and_no_crash(
    display: str | None, wayland: str | None, message: str, tmp_path: Path
) -> None:
    code = "from mouth_live.realtime.sinks.window.window_sink import WindowSink\n"
    code += "from mouth_live.models.errors import SinkError\n"
    code += "try:\n    WindowSink().__enter__()\nexcept SinkError as error:\n    print(error)"
    environment = {k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    environment |= {"DISPLAY": display} if display else {}
    environment |= {"WAYLAND_DISPLAY": wayland} if wayland else {}
    output = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert (output.returncode, output.stderr) == (0, "")
    assert output.stdout.startswith("no display for the window (")
    assert message in output.stdout
    assert "--no-window" in output.stdout
    assert output.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("picture", "window"),
    [
        ((320, 240), (640, 480)),
        ((640, 480), (640, 480)),
        ((1280, 720), (1280, 720)),
        ((3840, 2160), (1280, 720)),
        ((1080, 1920), (405, 720)),
        ((160, 640), (160, 640)),
        ((360, 288), (600, 480)),
    ],
)
def test_a_window_opens_at_a_readable_size(picture: tuple[int, int], window: tuple[int, int]) -> None:
    assert window_size(*picture) == window


def test_leaving_a_window_that_was_never_shown_is_harmless() -> None:
    WindowSink().__exit__(None, None, None)
