"""Pictures turned by quarters, for faces that lie on a side or stand on their head: the detector knows upright ones."""

from math import atan2, degrees

import cv2
import numpy as np
from numpy.typing import NDArray

from .face import LEFT_EYE, RIGHT_EYE, Face

ROLLS = (1, 3, 2)
"""Quarters by which a picture is turned, besides none: the head to the left, to the right, upside down."""

_CODES = {1: cv2.ROTATE_90_CLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_COUNTERCLOCKWISE}


def roll(face: Face) -> float:
    """Return the angle of a face in degrees, -180 to 180: 0 is upright, 90 its head to the right of its chin."""
    across = face.keypoints[LEFT_EYE] - face.keypoints[RIGHT_EYE]
    return degrees(atan2(float(across[1]), float(across[0])))


def quarters_to_upright(face: Face) -> int:
    """Return by how many quarters clockwise, 0 to 3, a picture is turned to show this face about upright."""
    return -round(roll(face) / 90) % 4


def tilt(face: Face) -> float:
    """Return how far a face is from upright in the picture turned to show it best, in degrees, 0 to 45."""
    return abs((roll(face) + 45) % 90 - 45)


def turned(image: NDArray[np.uint8], quarters: int) -> NDArray[np.uint8]:
    """Return a picture (h, w, 3) uint8 turned clockwise by so many quarters, 0 to 3."""
    return image if not quarters else cv2.rotate(image, _CODES[quarters]).astype(np.uint8, copy=False)


def turned_back(face: Face, quarters: int, width: int, height: int) -> Face:
    """Return a face of a turned picture as it is in the picture itself.

    Args:
        face: in pixels of the picture turned by ``quarters``.
        quarters: as for :func:`turned`.
        width: the picture's, in pixels.
        height: the picture's.
    """
    if not quarters:
        return face
    x, y, w, h = face.box
    corners = _back(np.array([(x, y), (x + w, y + h)], np.float32), quarters, width, height)
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return Face((left, top, right - left, bottom - top), _back(face.keypoints, quarters, width, height), face.score)


def _back(points: NDArray[np.float32], quarters: int, width: int, height: int) -> NDArray[np.float32]:
    x, y = points[:, 0], points[:, 1]
    turned = {1: (y, height - x), 2: (width - x, height - y), 3: (width - y, x)}[quarters]
    return np.stack(turned, axis=1).astype(np.float32)
