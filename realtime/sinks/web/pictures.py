"""The newest frame as a JPEG, made in a thread of its own and only where a page wants it."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition

import cv2
import numpy as np
from numpy.typing import NDArray

from ...records import Frame
from ...system.threads import new_thread
from .messages import picture_message

MAX_WIDTH = 1280  # px; a larger picture is halved until it fits
JPEG_QUALITY = 80
JOIN_TIMEOUT = 1.0  # s


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame's picture, ready to be sent.

    Attributes:
        index: the frame's.
        message: what is sent.
    """

    index: int
    message: bytes


class PictureMaker:
    """Encodes the newest frame whenever it is asked for one that it has not encoded yet."""

    def __init__(self, on_picture: Callable[[Picture], object]) -> None:
        """Set it up; :meth:`start` starts the thread.

        Args:
            on_picture: called in the thread with each picture.
        """
        self._on_picture = on_picture
        self._changed = Condition()
        self._newest: Frame | None = None
        self._wanted = self._ended = False
        self._thread = new_thread("pictures", self._run)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(JOIN_TIMEOUT)

    def put(self, frame: Frame) -> None:
        """Take the newest frame, in place of one that nobody wanted."""
        with self._changed:
            self._newest = frame
            if self._wanted:
                self._changed.notify()

    def want(self) -> None:
        """Ask for the next picture."""
        with self._changed:
            self._wanted = True
            self._changed.notify()

    def _run(self) -> None:
        while (frame := self._next()) is not None:
            message = picture_message(frame.index, frame.time, encoded(frame.image))
            self._on_picture(Picture(frame.index, message))

    def _next(self) -> Frame | None:
        """Wait for a frame that is wanted and return it; None at the end."""
        with self._changed:
            while not self._ended:
                if self._wanted and self._newest is not None:
                    frame, self._newest, self._wanted = self._newest, None, False
                    return frame
                self._changed.wait()
        return None


def encoded(image: NDArray[np.uint8]) -> bytes:
    """Return a (h, w, 3) uint8 BGR picture as a JPEG, halved until it is at most 1280 pixels wide."""
    while image.shape[1] > MAX_WIDTH:
        half = (image.shape[1] // 2, max(1, image.shape[0] // 2))
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return jpeg.tobytes()
