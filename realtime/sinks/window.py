"""The live window, and whether there is a display for it at all."""

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

import cv2

from ...models.errors import SinkError
from ..records import Analysis
from .notice import draw_notice
from .overlay import draw
from .sink import Sink

END_KEYS = frozenset({ord("q"), ord("Q"), 27})  # 27 is Esc
PAUSE_KEY = ord(" ")
CALIBRATE_KEYS = frozenset({ord("c"), ord("C")})
PAUSE_POLL = 30  # ms between two looks at the keys while paused
DRAW_AT_LEAST_EVERY = 0.2  # s, where frames come faster than they can be drawn
SMALL, LARGE = (640, 480), (1280, 720)  # the window opens at least about this large, at most this large
X11_SOCKETS = "/tmp/.X11-unix/X"  # where X servers listen, by convention
CONNECT_TIMEOUT = 2.0  # s


@dataclass(frozen=True, slots=True)
class Status:
    """What the window shows besides the frame.

    Attributes:
        rate: frames per second that are analysed; None leaves it out.
        dropped: frames left out so far to keep up; None leaves it out.
        notice: a line for the person in front of the camera; empty for none.
        queued: frames that wait to be shown; while some do, only one now and then is drawn.
    """

    rate: float | None = None
    dropped: int | None = None
    notice: str = ""
    queued: int = 0


class WindowSink(Sink):
    """Shows each frame with what was read in it.

    Keys: q or Esc ends, space pauses, c calibrates where there is something to call for it. Closing the window ends
    too. Use it in the main thread: that is where the systems' windows live.
    """

    def __init__(
        self,
        title: str = "mouth-live",
        mirror: bool = False,
        on_calibrate: Callable[[], object] | None = None,
        status: Callable[[], Status] = Status,
    ) -> None:
        """Set up how to show; no window is opened yet.

        Args:
            title: the window's title.
            mirror: flip the picture left to right, not the text.
            on_calibrate: called when key c is pressed.
            status: called for each frame that is shown.
        """
        self._on_calibrate, self._status = on_calibrate, status
        self._title, self._mirror = title, mirror
        self._shown = self._finished = False
        self._drawn = 0.0

    def __enter__(self) -> Self:
        """Check that there is a display.

        Raises:
            SinkError: there is none.
        """
        problem = display_problem()
        if problem is not None:
            raise problem
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the window."""
        if self._shown and self._is_open():
            cv2.destroyWindow(self._title)
            cv2.waitKey(1)  # the window goes when its events are handled
        self._shown = False

    @property
    def is_finished(self) -> bool:
        """Whether the user has ended the show: by q, Esc or by closing the window."""
        return self._finished

    def write(self, analysis: Analysis) -> None:
        """Show one frame, and wait while paused."""
        if analysis.silent:
            return
        status, now = self._status(), monotonic()
        if status.queued and now - self._drawn < DRAW_AT_LEAST_EVERY:
            return
        self._drawn = now
        if not self._shown:
            self._open(analysis)
        elif not self._is_open():
            self._finished = True
            return
        picture = draw(analysis, rate=status.rate, dropped=status.dropped, mirror=self._mirror)
        if status.notice:
            draw_notice(picture, status.notice)
        cv2.imshow(self._title, picture)
        key = _key(1)
        if key in CALIBRATE_KEYS and self._on_calibrate:
            self._on_calibrate()
        if key == PAUSE_KEY:
            key = self._pause()
        self._finished = key in END_KEYS or not self._is_open()

    def _pause(self) -> int:
        """Wait for the key or the closing of the window that goes on or ends."""
        while self._is_open():
            key = _key(PAUSE_POLL)
            if key == PAUSE_KEY or key in END_KEYS:
                return key
        return -1

    def _open(self, analysis: Analysis) -> None:
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        height, width = analysis.frame.image.shape[:2]
        cv2.resizeWindow(self._title, *window_size(width, height))
        self._shown = True

    def _is_open(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # some backends raise where others return -1
            return False


def window_size(width: int, height: int) -> tuple[int, int]:
    """The (width, height) in pixels at which a window for such a picture opens; its shape is kept."""
    scale = min(1.0, LARGE[0] / width, LARGE[1] / height)
    if width < SMALL[0] and height < SMALL[1]:
        scale = min(SMALL[0] / width, SMALL[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def display_problem(advice: str = "use --no-window, or mouth-live process for a recording") -> SinkError | None:
    """Why no window can be shown, or None if one can.

    OpenCV ends the whole process where a window cannot be opened, so this must be asked before.

    Args:
        advice: what to tell the user to do instead.
    """
    if not sys.platform.startswith("linux"):
        return None
    display = os.environ.get("DISPLAY", "")
    if not display:
        # OpenCV's Linux package brings Qt's X11 part only; a Wayland session has DISPLAY too, through XWayland.
        where = "only Wayland, which needs XWayland" if os.environ.get("WAYLAND_DISPLAY") else "DISPLAY is not set"
        return SinkError(f"no display for the window ({where}); {advice}")
    if not _answers(display):
        return SinkError(f"no display for the window (nothing answers at DISPLAY={display}); {advice}")
    return None


def _answers(display: str) -> bool:
    """Whether an X server listens at ``[host]:number[.screen]``."""
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not number.isdigit():
        return False
    if host in ("", "unix") or host.startswith("/"):
        path = display if host.startswith("/") and Path(display).is_socket() else X11_SOCKETS + number
        return any(_connects(socket.AF_UNIX, address) for address in (path, "\0" + path))
    return _connects(socket.AF_INET, (host.removeprefix("tcp/"), 6000 + int(number)))


def _connects(family: int, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_TIMEOUT)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


def _key(milliseconds: int) -> int:
    """The key pressed within this time, or -1."""
    key = cv2.waitKey(milliseconds)
    return key if key < 0 else key & 0xFF
