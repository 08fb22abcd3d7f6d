"""Tiles: overlapping squares of a large picture, in which the detector finds faces too small in the whole."""

from math import ceil

from .face import Face, overlap
from .rectangle import Rectangle

SEEN = 17 / 192  # smallest face that is found 9 times in 10, as a share of the longer side of the detector's picture
WORTH = 0.7  # of the picture's longer side: larger squares show little more than the whole picture does
RANGE = 2.0  # the next squares are so many times larger, for faces too large for the ones before
OVERLAP = (
    2.0  # smallest faces that neighbours share: a face on the edge of one is whole, with its surroundings, in another
)
INSIDE = 0.5  # share of a detection's box inside another face's from which on it is a part of that face


def tiles(width: int, height: int, min_face: float) -> list[Rectangle]:
    """Return the squares in which faces of this size are found.

    Args:
        width: the picture's, in pixels.
        height: the picture's.
        min_face: width of the smallest face to find, in pixels.

    Returns:
        Areas that cover the picture row by row, then larger ones for larger faces; none where the whole picture is
        small enough.
    """
    areas: list[Rectangle] = []
    while (side := ceil(min_face / SEEN)) < WORTH * max(width, height):
        lefts, tops = _starts(width, side, min_face), _starts(height, side, min_face)
        areas += [Rectangle(x, y, min(side, width - x), min(side, height - y)) for y in tops for x in lefts]
        min_face *= RANGE
    return areas


def _starts(length: int, side: int, min_face: float) -> list[int]:
    """Return where the tiles begin along one side of the picture."""
    if side >= length:
        return [0]
    count = ceil((length - side) / (side - OVERLAP * min_face)) + 1
    return [int(i * (length - side) / (count - 1)) for i in range(count)]


def is_cut(face: Face, area: Rectangle, width: int, height: int) -> bool:
    """Return whether a face found in an area of a picture reaches over an edge that is not the picture's.

    Args:
        face: in pixels of the picture.
        area: where it was found.
        width: the picture's, in pixels.
        height: the picture's.
    """
    x, y, w, h = face.box
    return (
        (x < area.left and area.left > 0)
        or (y < area.top and area.top > 0)
        or (x + w > area.right and area.right < width)
        or (y + h > area.bottom and area.bottom < height)
    )


def is_part_of(detection: Face, face: Face) -> bool:
    """Return whether a detection is the same face as another, or a part of it."""
    smaller = min(box[2] * box[3] for box in (detection.box, face.box))
    return (common := overlap(detection.box, face.box)) > 0 and common > INSIDE * smaller
