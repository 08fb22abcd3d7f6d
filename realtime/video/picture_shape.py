"""Changes from decoded pictures to those that a player shows: mirrored, with square pixels, all of one size."""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from .iso_tracks import Matrix

MOST_ASPECT = 8.0  # of a pixel; a file that states more is wrong
SAME_ASPECT = 0.01  # pixels that are square within 1 % stay as they are: encoders round

Picture = NDArray[np.uint8]
"""(h, w, 3) uint8, BGR."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A change of orientation that mirrors.

    Attributes:
        transposed: rows become columns, before the flips.
        left_right: the picture is flipped from left to right.
        up_down: the picture is flipped upside down.
    """

    transposed: bool = False
    left_right: bool = False
    up_down: bool = False

    def apply(self, picture: Picture) -> Picture:
        """Return the picture as it is to be shown."""
        picture = np.swapaxes(picture, 0, 1) if self.transposed else picture
        return np.ascontiguousarray(picture[:: -1 if self.up_down else 1, :: -1 if self.left_right else 1])


def mirroring(matrix: Matrix) -> Flip | None:
    """Return what a display matrix does, where it mirrors; None for rotations, which the decoder applies.

    Args:
        matrix: (a, b, c, d): a pixel at (x, y) is shown at (a x + c y, b x + d y).
    """
    a, b, c, d = matrix
    if a * d - b * c >= 0:
        return None
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Flip(transposed=True, left_right=c < 0, up_down=b < 0)
    return Flip(left_right=a < 0, up_down=d < 0)


def square_size(size: tuple[int, int], aspect: float) -> tuple[int, int]:
    """Return the (width, height) of a picture with square pixels; as in players, no side gets smaller.

    Args:
        size: the (width, height) in pixels as decoded.
        aspect: the width of a pixel divided by its height.
    """
    width, height = size
    if not 1 / MOST_ASPECT <= aspect <= MOST_ASPECT or abs(aspect - 1) < SAME_ASPECT:
        return size
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


def fit(picture: Picture, shape: tuple[int, int], size: tuple[int, int]) -> Picture:
    """Return the picture in a frame of a size, with black bars where its shape differs.

    Args:
        picture: the picture; its own size does not matter.
        shape: the (width, height) that it is to be shown with, up to a factor.
        size: the (width, height) of the frame in pixels.
    """
    width, height = size
    scale = min(width / shape[0], height / shape[1])
    inner = (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale)))
    if (picture.shape[1], picture.shape[0]) != inner:
        smaller = inner[0] < picture.shape[1] or inner[1] < picture.shape[0]
        how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        picture = cast("Picture", cv2.resize(picture, inner, interpolation=how))
    if inner == size:
        return picture
    framed = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    framed[top : top + inner[1], left : left + inner[0]] = picture
    return framed


class Display:
    """The way from the decoded pictures of one video to those that a player shows.

    Attributes:
        size: the (width, height) in pixels of all pictures shown.
    """

    def __init__(self, decoded: tuple[int, int], aspect: float, flip: Flip | None) -> None:
        """Take the first picture's shape for all.

        Args:
            decoded: the (width, height) of the first decoded picture.
            aspect: the width of its pixels divided by their height.
            flip: how decoded pictures are mirrored; None: not.
        """
        self._aspect, self._flip = aspect, flip
        self.size = self._shown_shape(decoded)

    def show(self, picture: Picture, shape: tuple[int, int] | None = None) -> Picture:
        """Return a decoded picture as it is to be shown.

        Args:
            picture: the decoded picture.
            shape: the (width, height) that it had before the decoder scaled it; None: its own.
        """
        shown = self._shown_shape(shape or (picture.shape[1], picture.shape[0]))
        picture = self._flip.apply(picture) if self._flip else picture
        if shown == self.size == (picture.shape[1], picture.shape[0]):
            return picture
        return fit(picture, shown, self.size)

    def _shown_shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        width, height = shape
        turned = self._flip is not None and self._flip.transposed
        return square_size((height, width) if turned else shape, self._aspect)
