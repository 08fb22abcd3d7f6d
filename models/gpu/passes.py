"""The passes of the detector over areas of pictures, as numbers for the GPU. Needs no Keras."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ..blazeface import INPUT_SIZE
from ..rectangle import Rectangle


@dataclass(frozen=True, slots=True)
class DetectorPass:
    """One pass of the detector.

    Attributes:
        frame: number of the picture.
        area: what is searched, in pixels of the picture; it may reach over its edges and is black there.
        quarters: by how many quarters the area is turned clockwise before, 0 to 3.
        grey: whether it is searched without its colours.
    """

    frame: int
    area: Rectangle
    quarters: int = 0
    grey: bool = False

    @property
    def scale(self) -> float:
        """Picture pixels per pixel of the detector's input."""
        return max(self.area.width, self.area.height) / INPUT_SIZE

    @property
    def taps(self) -> int:
        """The most pixels along one axis that a pixel of the input averages."""
        return max(taps(length, shrunk_length(length, self.scale)) for length in (self.area.width, self.area.height))


def taps(old: int, new: int) -> int:
    """Return the most lines that one averages where ``old`` of them are shrunk to ``new``."""
    return max(2, ceil(old / new) + 1)


def shrunk_length(length: int, scale: float) -> int:
    """Return the pixels of the input that a length of the picture takes."""
    return min(INPUT_SIZE, max(1, round(length / scale)))


def corner(one: DetectorPass) -> NDArray[np.float32]:
    """Return the (x, y), (2,) float32, of the input's top-left corner in pixels of the turned area."""
    across, down = one.area.width, one.area.height
    if one.quarters % 2:
        across, down = down, across
    margins = [(INPUT_SIZE - shrunk_length(length, one.scale)) // 2 for length in (across, down)]
    return -np.array(margins, np.float32) * np.float32(one.scale)


def axes(passes: Sequence[DetectorPass]) -> NDArray[np.float32]:
    """Return the geometry of passes for :func:`inputs`.

    Returns:
        (n, 2, 5) float32: down and across, each with the area's start, its length, its length in the input, the margin
        before it there, and 1 where it runs backwards.
    """
    rows = np.empty((len(passes), 2, 5), np.float32)
    for row, one in zip(rows, passes, strict=True):
        for axis, start, length, back in (
            (0, one.area.top, one.area.height, one.quarters in (1, 2)),
            (1, one.area.left, one.area.width, one.quarters in (2, 3)),
        ):
            new = shrunk_length(length, one.scale)
            row[axis] = start, length, new, (INPUT_SIZE - new) // 2, back
    return rows
