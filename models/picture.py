"""A picture as a video's decoder hands it out: brightness for each pixel, colour for each four of them.

To make BGR of a whole frame takes a third of the time that its decoding takes, and little of it is looked at: a
shrunken copy at times, and the faces. So frames stay as they are decoded, and BGR is made of what is looked at.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
"""(h, w) uint8."""


class Yuv420:
    """A picture in planes, in place of an (h, w, 3) uint8 BGR array: ``picture[top:bottom, left:right]`` is such a one.

    Its colours are taken for ITU-R BT.601's in limited range (brightness 16..235), as OpenCV takes those of all videos.

    Attributes:
        planes: uint8: y (h, w), brightness, h and w even; u and v (h/2, w/2), blueness and redness, 128 is none.
        shape: (h, w, 3).
        nbytes: bytes that the planes hold.
    """

    def __init__(self, y: Plane, u: Plane, v: Plane) -> None:
        """Take over the planes.

        Raises:
            ValueError: their sizes do not fit.
        """
        height, width = y.shape
        if height % 2 or width % 2 or u.shape != (height // 2, width // 2) or v.shape != u.shape:
            raise ValueError(f"planes: expected (h, w) and twice (h/2, w/2), got {y.shape}, {u.shape}, {v.shape}")
        self.planes = (y, u, v)
        self.shape: tuple[int, int, int] = (height, width, 3)
        self.nbytes = y.nbytes + u.nbytes + v.nbytes
        self._bgr: NDArray[np.uint8] | None = None

    @property
    def bgr(self) -> NDArray[np.uint8]:
        """(h, w, 3) uint8: all of it; made once."""
        if self._bgr is None:
            self._bgr = self[:, :]
        return self._bgr

    def __getitem__(self, part: tuple[slice, slice]) -> NDArray[np.uint8]:
        """BGR of some rows and columns; steps are not heeded."""
        (top, bottom, _), (left, right, _) = part[0].indices(self.shape[0]), part[1].indices(self.shape[1])
        if bottom <= top or right <= left:
            return np.empty((max(0, bottom - top), max(0, right - left), 3), np.uint8)
        rows, columns = slice(top // 2, (bottom + 1) // 2), slice(left // 2, (right + 1) // 2)
        y, u, v = self.planes
        y = y[2 * rows.start : 2 * rows.stop, 2 * columns.start : 2 * columns.stop]
        packed = np.empty((len(y) * 3 // 2, y.shape[1]), np.uint8)  # as OpenCV wants them: one plane behind the other
        packed[: len(y)] = y
        packed[len(y) :].reshape(2, len(y) // 2, -1)[:] = u[rows, columns], v[rows, columns]
        bgr = cv2.cvtColor(packed, cv2.COLOR_YUV2BGR_I420).astype(np.uint8, copy=False)
        return bgr[top % 2 : top % 2 + bottom - top, left % 2 : left % 2 + right - left]

    def resized(self, resize: Callable[[Plane], Plane]) -> NDArray[np.uint8]:
        """BGR of another size, (h, w, 3) uint8, to which ``resize`` brings each plane."""
        return cv2.transform(cv2.merge([resize(plane) for plane in self.planes]), _TO_BGR).astype(np.uint8, copy=False)


Picture = NDArray[np.uint8] | Yuv420
"""(h, w, 3): a BGR array, or what stands for one."""

# From (y, u, v, 1). Source: ITU-R BT.601-7, 8 bits.
_RED, _BLUE, _Y = 2 * (1 - 0.299) * 255 / 224, 2 * (1 - 0.114) * 255 / 224, 255 / 219
_GREEN_U, _GREEN_V = -_BLUE * 0.114 / 0.587, -_RED * 0.299 / 0.587
_TO_BGR = np.array(
    [
        [_Y, _BLUE, 0, -16 * _Y - 128 * _BLUE],
        [_Y, _GREEN_U, _GREEN_V, -16 * _Y - 128 * (_GREEN_U + _GREEN_V)],
        [_Y, 0, _RED, -16 * _Y - 128 * _RED],
    ]
)
_FULL_RANGE = np.clip(np.rint((np.arange(256) - 16) * _Y), 0, 255).astype(np.uint8)


def as_bgr(picture: Picture) -> NDArray[np.uint8]:
    """(h, w, 3) uint8, BGR."""
    return picture.bgr if isinstance(picture, Yuv420) else picture


def brightness(picture: Picture) -> Plane:
    """A view of what tells most of how bright each pixel is: y, or green."""
    return picture.planes[0] if isinstance(picture, Yuv420) else picture[..., 1]


def full_range(y: Plane) -> Plane:
    """Grey values 0..255 of the brightness in a :class:`Yuv420`, or in a part of it."""
    return _FULL_RANGE[y]
