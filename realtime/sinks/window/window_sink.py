"""The live window: it shows each frame with its readings, and has keys."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Self

import cv2

from ....models.errors import SinkError
from ...records import Analysis
from ..drawing.overlay import Overlay
from ..drawing.primitives import Picture
from ..drawing.themes import DEFAULT_THEME, Theme
from ..sink import Sink
from .display import display_problem
from .keys import draw_keys, draw_pause
from .notice import draw_notice
from .snapshot import save_snapshot

log = logging.getLogger("mouth_live")

END_KEYS = frozenset({ord("q"), ord("Q"), 27})  # 27 is Esc
PAUSE_KEY = ord(" ")
CALIBRATE_KEYS = frozenset({ord("c"), ord("C")})
SAVE_KEYS = frozenset({ord("s"), ord("S")})
FULL_SCREEN_KEYS = frozenset({ord("f"), ord("F")})
HELP_KEYS = frozenset({ord("h"), ord("H"), ord("?")})
KEYS_SECONDS = 6.0  # s for which the keys are shown at the start
NOTICE_SECONDS = 4.0  # s for which the window says where it saved a picture
PAUSE_POLL_MS = 30  # ms between two checks of the keyboard while paused
DRAW_INTERVAL = 0.2  # s between two drawn frames, where frames arrive faster than they can be drawn
MIN_WINDOW, MAX_WINDOW = (640, 480), (1280, 720)  # pixels: the size at which a window opens, approximately


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


@dataclass(frozen=True, slots=True)
class _Layers:
    """What lies over the picture and its overlay, at one moment."""

    notices: tuple[str, ...]
    keys: bool
    paused: bool


class WindowSink(Sink):
    """Show each frame with its readings.

    Keys: q or Esc ends, space pauses, s saves the picture, f switches full screen, h shows the keys, and c calibrates
    if ``on_calibrate`` is given. Closing the window ends too. Use it in the main thread: the window systems require
    that.
    """

    def __init__(
        self,
        title: str = "mouth-live",
        mirror: bool = False,
        on_calibrate: Callable[[], object] | None = None,
        status: Callable[[], WindowStatus] = WindowStatus,
        theme: Theme = DEFAULT_THEME,
    ) -> None:
        """Set the window up; it is not opened yet.

        Args:
            title: the window's title.
            mirror: flip the picture left to right, but not the text.
            on_calibrate: called when key c is pressed.
            status: called for each frame; returns the status to show with it.
            theme: what the overlay shows.

        Raises:
            ValueError: there is no such theme.
        """
        self._on_calibrate, self._status = on_calibrate, status
        self._title, self._mirror = title, mirror
        self._overlay = Overlay(theme)
        self._open = self._finished = self._paused = self._full_screen = False
        self._drawn = 0.0
        self._picture: Picture | None = None  # with its overlay, without what lies over it
        self._notice = ""
        self._saved, self._saved_until = ("",), 0.0
        self._keys_until = 0.0
        self._shown: _Layers | None = None

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
        if self._open and self._is_open():
            cv2.destroyWindow(self._title)
            cv2.waitKey(1)  # the window disappears when its events are handled
        self._open = False

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
        height, width = analysis.frame.image.shape[:2]
        if not self._open:
            self._open_window(width, height)
        elif not self._is_open():
            self._finished = True
            return
        # A small picture is enlarged before it is drawn into, because the window would enlarge its text too.
        scale = max(1.0, window_size(width, height)[0] / width)
        self._picture = self._overlay.draw(
            analysis, rate=status.rate, dropped=status.dropped, mirror=self._mirror, scale=scale
        )
        self._notice = status.notice
        self._show(self._picture)
        self._press(_pressed_key(1))
        while self._paused and self._is_open():
            if self._layers() != self._shown:
                self._show(self._picture)
            self._press(_pressed_key(PAUSE_POLL_MS))
        self._finished = self._finished or not self._is_open()

    def _layers(self) -> _Layers:
        """Return what lies over the picture now."""
        now = monotonic()
        notices = (self._notice, *(self._saved if now < self._saved_until else ()))
        return _Layers(tuple(filter(None, notices)), now < self._keys_until, self._paused)

    def _show(self, picture: Picture) -> None:
        """Show a picture with what lies over it."""
        layers = self._shown = self._layers()
        if layers.notices or layers.keys or layers.paused:
            picture = picture.copy()
        raised = draw_keys(picture, self._on_calibrate is not None) if layers.keys else 0
        if layers.notices:
            draw_notice(picture, *layers.notices, raised=raised)
        if layers.paused:
            draw_pause(picture)
        cv2.imshow(self._title, picture)

    def _press(self, key: int) -> None:
        """Do what a key stands for; -1 is none."""
        if key in END_KEYS:
            self._finished, self._paused = True, False
        elif key == PAUSE_KEY:
            self._paused = not self._paused
        elif key in CALIBRATE_KEYS and self._on_calibrate and not self._paused:
            self._on_calibrate()
        elif key in SAVE_KEYS and self._picture is not None:
            self._save(self._picture)
        elif key in FULL_SCREEN_KEYS:
            self._full_screen = not self._full_screen
            mode = cv2.WINDOW_FULLSCREEN if self._full_screen else cv2.WINDOW_NORMAL
            cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, mode)
        elif key in HELP_KEYS:
            self._keys_until = 0.0 if monotonic() < self._keys_until else float("inf")

    def _save(self, picture: Picture) -> None:
        """Save the picture with its overlay, and say where, or why not."""
        try:
            path = save_snapshot(picture)
        except SinkError as error:
            log.warning("%s", error)
            self._saved = (str(error),)
        else:
            log.info("picture saved: %s", path)
            self._saved = (f"picture saved: {path.name}", f"in {path.parent}")
        self._saved_until = monotonic() + NOTICE_SECONDS

    def _open_window(self, width: int, height: int) -> None:
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow(self._title, *window_size(width, height))
        self._open, self._keys_until = True, monotonic() + KEYS_SECONDS

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


def _pressed_key(milliseconds: int) -> int:
    """Wait for a key for at most this time and return its code; -1 for none."""
    key = cv2.waitKey(milliseconds)
    return key if key < 0 else key & 0xFF
