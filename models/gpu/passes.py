"""The passes of the detector over areas of pictures, as numbers for the GPU. Needs no Keras."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..blazeface import EXACT, INPUT_SIZE, steps
from ..rectangle import Rectangle

TAPS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96)  # lines that one averages: each new number is compiled


@dataclass(frozen=True, slots=True)
class DetectorPass:
    """One pass of the detector.

    Attributes:
        frame: number of the picture.
        area: what is searched, in pixels of the picture; it may reach over its edges and is black there.
        quarters: by how many quarters the area is turned clockwise before, 0 to 3.
        grey: whether it is searched without its colours.
        exact: whether it is shrunk in one exact step, as for :meth:`mouth_live.models.blazeface.BlazeFace.detect`.
    """

    frame: int
    area: Rectangle
    quarters: int = 0
    grey: bool = False
    exact: bool | None = None

    @property
    def scale(self) -> float:
        """Picture pixels per pixel of the detector's input."""
        return max(self.area.width, self.area.height) / INPUT_SIZE

    @property
    def shrunk(self) -> tuple[int, int]:
        """The area's (width, height) in the input, before it is turned."""
        width, height = (shrunk_length(length, self.scale) for length in (self.area.width, self.area.height))
        return width, height

    @property
    def corner(self) -> NDArray[np.float32]:
        """The (x, y), (2,) float32, of the input's top-left corner in pixels of the turned area."""
        sizes = self.shrunk[::-1] if self.quarters % 2 else self.shrunk
        return -np.array([(INPUT_SIZE - size) // 2 for size in sizes], np.float32) * np.float32(self.scale)


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Which lines of a picture, rows or columns, the mean of which makes each line of a shrunk one.

    Attributes:
        first: (192,) int32: the first of them.
        weights: (192, taps) float32: how much of it, and of those that follow, is taken; 0 outside the picture.
        inside: (192,) float32: 1 where the area is shown, else 0.
    """

    first: NDArray[np.int32]
    weights: NDArray[np.float32]
    inside: NDArray[np.float32]


def shrunk_length(length: int, scale: float) -> int:
    """Return the pixels of the input that a length of the picture takes."""
    return min(INPUT_SIZE, max(1, round(length / scale)))


def lines_of(one: DetectorPass, width: int, height: int) -> tuple[Lines, Lines]:
    """Return the rows and the columns that a pass over a picture of this size averages."""
    area, sizes = one.area, one.shrunk
    exact = area.width * area.height <= EXACT if one.exact is None else one.exact
    columns, rows = zip((area.width, area.height), *steps(area.width, area.height, *sizes, exact), strict=True)
    is_mean = columns[-2] > columns[-1]
    return (
        _lines(area.top, rows, is_mean, height, one.quarters in (1, 2)),
        _lines(area.left, columns, is_mean, width, one.quarters in (2, 3)),
    )


def thumbnail_lines(width: int, height: int) -> tuple[Lines, Lines]:
    """Return the rows and the columns that the thumbnail of a picture averages; one that is small is not enlarged."""
    scale = max(width, height, INPUT_SIZE) / INPUT_SIZE
    rows, columns = ((length, shrunk_length(length, scale)) for length in (height, width))
    return _lines(0, rows, True, height, False), _lines(0, columns, True, width, False)


@lru_cache(maxsize=256)
def _lines(start: int, lengths: tuple[int, ...], is_mean: bool, end: int, backwards: bool) -> Lines:
    """Return which lines are averaged along one axis.

    Args:
        start: the area's first line.
        lengths: the area's length, and that after each step in which it is resized.
        is_mean: whether the last step takes the mean of what it covers; all others are bilinear.
        end: lines of the picture.
        backwards: whether the last line is shown first.
    """
    first, weights = _resizing(lengths, is_mean)
    new, taps = weights.shape
    first = first + start
    place = first[:, None] + np.arange(taps, dtype=np.int64)
    weights = np.where((place >= 0) & (place < end), weights, 0)
    margin = (INPUT_SIZE - new) // 2
    around = (margin, INPUT_SIZE - new - margin)
    way = -1 if backwards else 1
    return Lines(
        np.pad(first[::way], around).astype(np.int32),
        np.pad(weights[::way], (around, (0, 0))).astype(np.float32),
        np.pad(np.ones(new, np.float32), around),
    )


@lru_cache(maxsize=64)
def _resizing(lengths: tuple[int, ...], is_mean: bool) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the first line (n,) that each line of a resized picture needs, and the weights (n, taps) from it on."""
    matrix = np.eye(lengths[0])
    for number, (old, new) in enumerate(pairwise(lengths), 2):
        step = mean_matrix(old, new) if is_mean and number == len(lengths) else bilinear_matrix(old, new)
        matrix = step if number == 2 else step @ matrix
    needed = matrix > 0
    first = needed.argmax(axis=1)
    most = int((matrix.shape[1] - needed[:, ::-1].argmax(axis=1) - first).max())
    taps = next((taps for taps in TAPS if taps >= most), most)
    padded = np.pad(matrix, ((0, 0), (0, taps)))
    return first, np.take_along_axis(padded, first[:, None] + np.arange(taps), axis=1)


def mean_matrix(old: int, new: int) -> NDArray[np.float64]:
    """Return the matrix (new, old) that shrinks along one axis: the mean of what each new line covers."""
    low = np.arange(new)[:, None] * (old / new)
    line = np.arange(old)
    covered = np.clip(np.minimum(low + old / new, line + 1) - np.maximum(low, line), 0, None)
    covered[covered < 1e-6] = 0
    return covered / covered.sum(axis=1, keepdims=True)


def bilinear_matrix(old: int, new: int) -> NDArray[np.float64]:
    """Return the matrix (new, old) that resizes along one axis, by half-pixel centres, its border repeated."""
    centres = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    return np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(old)))


def padded_lines(
    lines: Sequence[tuple[Lines, Lines]],
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Return :attr:`Lines.first` (n, 2, 192), ``weights`` (n, 2, 192, taps) and ``inside`` (n, 2, 192) of passes."""
    taps = max(axis.weights.shape[1] for axes in lines for axis in axes)
    weights = np.zeros((len(lines), 2, INPUT_SIZE, taps), np.float32)
    for row, axes in zip(weights, lines, strict=True):
        for part, axis in zip(row, axes, strict=True):
            part[:, : axis.weights.shape[1]] = axis.weights
    first = np.array([[axis.first for axis in axes] for axes in lines])
    return first, weights, np.array([[axis.inside for axis in axes] for axes in lines])
