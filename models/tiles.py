"""Where to look closer for faces too small in the whole picture: overlapping squares, each seen by itself."""

from dataclasses import dataclass
from math import ceil

from .face import Face

SEEN = 17 / 192  # smallest face, in parts of the longer side of what the detector looks at, that it finds 9 times in 10
WORTH = 0.7  # of the picture's longer side: larger squares show little more than the whole picture does
RANGE = 3.0  # the largest face found well in such a square is some 4 times the smallest: then larger squares go on
OVERLAP = (
    2.0  # smallest faces that neighbours share: a face on the edge of one is whole, with its surroundings, in another
)
INSIDE = 0.5  # share of a claim's box inside another face's from which on it is a part of that face


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a picture, in whole pixels."""

    left: int
    top: int
    width: int
    height: int


def tiles(width: int, height: int, min_face: float) -> list[Area]:
    """The squares in which faces of this size are found.

    Args:
        width: the picture's, in pixels.
        height: the picture's.
        min_face: width of the smallest face looked for, in pixels.

    Returns:
        Areas that cover the picture row by row, then larger ones for larger faces; none where the whole picture is
        small enough.
    """
    areas: list[Area] = []
    while (side := ceil(min_face / SEEN)) < WORTH * max(width, height):
        lefts, tops = _starts(width, side, min_face), _starts(height, side, min_face)
        areas += [Area(x, y, min(side, width - x), min(side, height - y)) for y in tops for x in lefts]
        min_face *= RANGE
    return areas


def _starts(length: int, side: int, min_face: float) -> list[int]:
    """Where the tiles begin along one side of the picture."""
    if side >= length:
        return [0]
    count = ceil((length - side) / (side - OVERLAP * min_face)) + 1
    return [int(i * (length - side) / (count - 1)) for i in range(count)]


def is_cut(face: Face, area: Area, width: int, height: int) -> bool:
    """Whether a face found in an area of a picture of this size reaches over an edge that is not the picture's."""
    x, y, w, h = face.box
    right, bottom = area.left + area.width, area.top + area.height
    return (
        (x < area.left and area.left > 0)
        or (y < area.top and area.top > 0)
        or (x + w > right and right < width)
        or (y + h > bottom and bottom < height)
    )


def is_part_of(claim: Face, face: Face) -> bool:
    """Whether a claim is the same face as another, or a part of it."""
    (x, y, w, h), (u, v, s, t) = claim.box, face.box
    across, down = min(x + w, u + s) - max(x, u), min(y + h, v + t) - max(y, v)
    return across > 0 and down > 0 and across * down > INSIDE * min(w * h, s * t)
