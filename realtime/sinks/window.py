"""The live window, and the check for a display to show it on."""

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
PAUSE_POLL_MS = 30  # ms between two checks of the keyboard while paused
DRAW_INTERVAL = 0.2  # s between two drawn frames, where frames arrive faster than they can be drawn
MIN_WINDOW, MAX_WINDOW = (640, 480), (1280, 720)  # pixels: the size at which a window opens, approximately
X11_SOCKETS = "/tmp/.X11-unix/X"  # the path where X servers listen by convention, without the display's number
CONNECT_TIMEOUT = 2.0  # s


@dataclass(frozen=True, slots=True)
class WindowStatus:
    """The status that the window shows with the frame.

    Attributes:
        rate: the analysed frames per second; None hides it.
        dropped: the number of frames dropped so far to keep up; None hides it.
        notice: a line for the person in front of the camera; empty for none.
        queued: the number of frames that wait for the window; above 0, only one frame in 0.2 s is drawn.
    """

    rate: float | None = None
    dropped: int | None = None
    notice: str = ""
    queued: int = 0


class WindowSink(Sink):
    """Show each frame with its readings.

    Keys: q or Esc ends, space pauses, c calibrates if ``on_calibrate`` is given. Closing the window ends too. Use it in
    the main thread: the window systems require that.
    """

    def __init__(
        self,
        title: str = "mouth-live",
        mirror: bool = False,
        on_calibrate: Callable[[], object] | None = None,
        status: Callable[[], WindowStatus] = WindowStatus,
    ) -> None:
        """Set the window up; it is not opened yet.

        Args:
            title: the window's title.
            mirror: flip the picture left to right, but not the text.
            on_calibrate: called when key c is pressed.
            status: called for each frame; returns the status to show with it.
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
            cv2.waitKey(1)  # the window disappears when its events are handled
        self._shown = False

    @property
    def is_finished(self) -> bool:
        """Whether the user has ended it: by q, Esc, or by closing the window."""
        return self._finished

    def write(self, analysis: Analysis) -> None:
        """Show one frame, and wait while paused."""
        if analysis.silent:
            return
        status, now = self._status(), monotonic()
        if status.queued and now - self._drawn < DRAW_INTERVAL:
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
        key = _pressed_key(1)
        if key in CALIBRATE_KEYS and self._on_calibrate:
            self._on_calibrate()
        if key == PAUSE_KEY:
            key = self._pause()
        self._finished = key in END_KEYS or not self._is_open()

    def _pause(self) -> int:
        """Wait until the user continues or ends, and return the key; -1 where the window was closed."""
        while self._is_open():
            key = _pressed_key(PAUSE_POLL_MS)
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
    """Return the (width, height) in pixels at which a window for a picture opens; the aspect ratio is kept."""
    scale = min(1.0, MAX_WINDOW[0] / width, MAX_WINDOW[1] / height)
    if width < MIN_WINDOW[0] and height < MIN_WINDOW[1]:
        scale = min(MIN_WINDOW[0] / width, MIN_WINDOW[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def display_problem(advice: str = "use --no-window, or mouth-live process for a recording") -> SinkError | None:
    """Return why no window can be shown; None if one can.

    Call it before a window is opened: OpenCV ends the whole process where it cannot open one.

    Args:
        advice: what the user can do instead, for the message.
    """
    if not sys.platform.startswith("linux"):
        return None
    display = os.environ.get("DISPLAY", "")
    if not display:
        # OpenCV's Linux package contains only the X11 part of Qt; a Wayland session sets DISPLAY through XWayland.
        where = "only Wayland, which needs XWayland" if os.environ.get("WAYLAND_DISPLAY") else "DISPLAY is not set"
        return SinkError(f"no display for the window ({where}); {advice}")
    if not _is_listening(display):
        return SinkError(f"no display for the window (nothing answers at DISPLAY={display}); {advice}")
    return None


def _is_listening(display: str) -> bool:
    """Return whether an X server listens at ``[host]:number[.screen]``."""
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not number.isdigit():
        return False
    if host in ("", "unix") or host.startswith("/"):
        path = display if host.startswith("/") and Path(display).is_socket() else X11_SOCKETS + number
        return any(_can_connect(socket.AF_UNIX, address) for address in (path, "\0" + path))
    return _can_connect(socket.AF_INET, (host.removeprefix("tcp/"), 6000 + int(number)))


def _can_connect(family: int, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_TIMEOUT)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


def _pressed_key(milliseconds: int) -> int:
    """Wait for a key for at most this time and return its code; -1 for none."""
    key = cv2.waitKey(milliseconds)
    return key if key < 0 else key & 0xFF
