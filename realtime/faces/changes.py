"""Find what changed in the picture: where nothing did, there is no new face.

Pictures are compared as a mosaic of about a hundred cells along the longer side, each the average of 2x2 points, so
that a camera's noise hardly shows, and a face large enough to be found covers several cells.
"""

from collections.abc import Sequence
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.rectangle import Rectangle

CELLS = 96  # along the picture's longer side
POINTS = 2  # a side that are averaged in each cell
CHANGE = 8  # grey values of a colour channel by which a cell differs that has changed
MARGIN = 6  # cells around what changed that may belong to the same face

Mosaic = NDArray[np.uint8]
"""(rows, columns, 3) uint8, BGR."""


def mosaic(image: NDArray[np.uint8]) -> Mosaic:
    """Average an (h, w, 3) uint8 BGR picture to large cells."""
    height, width = image.shape[:2]
    cell = max(height, width) / CELLS
    size = (max(1, round(width / cell)), max(1, round(height / cell)))
    points = cv2.resize(image, (POINTS * size[0], POINTS * size[1]), interpolation=cv2.INTER_NEAREST)
    return cv2.resize(points, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def changed(
    before: Mosaic, now: Mosaic, size: tuple[int, int], known: Sequence[Rectangle] = (), within: Rectangle | None = None
) -> Rectangle | None:
    """Find where the picture has changed.

    Args:
        before: the picture as it was.
        now: the picture as it is.
        size: its (width, height) in pixels.
        known: areas in which a change does not matter; on their edges it does.
        within: the only area in which a change matters; None for all of the picture.

    Returns:
        The area that holds all changes, with a margin; None where nothing changed.
    """
    across, down = size[0] / now.shape[1], size[1] / now.shape[0]
    cells = cv2.absdiff(before, now) > CHANGE
    for area in known:
        left, top = max(0, ceil(area.left / across)), max(0, ceil(area.top / down))
        right, bottom = int((area.left + area.width) / across), int((area.top + area.height) / down)
        cells[top : max(top, bottom), left : max(left, right)] = False
    if within is not None:
        inside = _cells(within, now, size)
        cells, all_cells = np.zeros_like(cells), cells
        cells[inside] = all_cells[inside]
    if not cells.any():
        return None
    rows = np.flatnonzero(cells.reshape(len(cells), -1).any(axis=-1))
    columns = np.flatnonzero(cells.any(axis=0).any(axis=-1))
    left, right = max(0, int(columns[0]) - MARGIN), min(now.shape[1], int(columns[-1]) + 1 + MARGIN)
    top, bottom = max(0, int(rows[0]) - MARGIN), min(now.shape[0], int(rows[-1]) + 1 + MARGIN)
    return Rectangle(int(left * across), int(top * down), ceil((right - left) * across), ceil((bottom - top) * down))


def renewed(before: Mosaic, now: Mosaic, size: tuple[int, int], area: Rectangle) -> Mosaic:
    """Return the picture as it was, but as it is now in an area."""
    after, cells = before.copy(), _cells(area, now, size)
    after[cells] = now[cells]
    return after


def _cells(area: Rectangle, picture: Mosaic, size: tuple[int, int]) -> tuple[slice, slice]:
    """Return the cells that an area touches; ``size`` is the picture's (width, height) in pixels."""
    across, down = size[0] / picture.shape[1], size[1] / picture.shape[0]
    right, bottom = ceil((area.left + area.width) / across), ceil((area.top + area.height) / down)
    return slice(int(area.top / down), bottom), slice(int(area.left / across), right)
