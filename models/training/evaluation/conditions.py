"""Conditions that make a face hard to read, measured on the picture: head turn, size, blur, light; and their bins."""

from dataclasses import dataclass
from math import atan, degrees, inf

import cv2
import numpy as np
from numpy.typing import NDArray

from ...face import Face, head_turn

NOSE_DEPTH = 0.6
"""How far the nose tip stands out before the eyes, in distances between the eye centres, of a mean head."""


@dataclass(frozen=True, slots=True)
class Bin:
    """A range of a condition, ``low`` included, ``high`` not."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition and the bins that a report shows.

    Attributes:
        name: its key in the JSON, and the field of :class:`.readings.FaceReading` that holds it.
        title: for readers.
        unit: of the bins' numbers, and how it was measured; empty where the bins' names have it.
        bins: in order.
    """

    name: str
    title: str
    unit: str
    bins: tuple[Bin, ...]


def _bins(*edges: tuple[str, float]) -> tuple[Bin, ...]:
    """Make bins from their names and lower edges; the last has no upper edge."""
    highs = [low for _, low in edges[1:]] + [inf]
    return tuple(Bin(name, low, high) for (name, low), high in zip(edges, highs, strict=True))


OPENNESS = Condition(
    "truth",
    "True openness",
    "",
    _bins(
        ("closed, below 0.05", -inf), ("slight, 0.05 to 0.4", 0.05), ("half, 0.4 to 0.7", 0.4), ("wide, from 0.7", 0.7)
    ),
)
TURN = Condition(
    "turn",
    "Head turn",
    "degrees to the side, estimated from eyes and nose",
    _bins(("below 10", -inf), ("10 to 20", 10), ("20 to 35", 20), ("35 and more", 35)),
)
SIZE = Condition(
    "size",
    "Face size",
    "side of the face box in pixels",
    _bins(("below 60", -inf), ("60 to 90", 60), ("90 to 120", 90), ("120 and more", 120)),
)
BLUR = Condition(
    "sharpness",
    "Sharpness",
    "variance of the Laplacian of the crop; low is blurred",
    _bins(("below 100", -inf), ("100 to 250", 100), ("250 to 500", 250), ("500 and more", 500)),
)
LIGHT = Condition(
    "brightness",
    "Brightness",
    "mean grey of the crop, 0 to 255",
    _bins(("below 80", -inf), ("80 to 120", 80), ("120 to 160", 120), ("160 and more", 160)),
)
CONDITIONS = (OPENNESS, TURN, SIZE, BLUR, LIGHT)


def yaw(face: Face) -> float:
    """Estimate how far the head is turned to the side, degrees 0..90, from eyes and nose.

    On a head turned by t the nose tip, ``NOSE_DEPTH`` in front of the eyes, moves by ``NOSE_DEPTH sin t`` along the
    line of the eyes, whose distance shrinks to ``cos t``. The error is about 10 degrees up to a yaw of 60. Beyond, the
    detector guesses the far eye: heads turned by 60 to 90 degrees are read as 50 to 53 in the median.
    """
    return degrees(atan(head_turn(face) / NOSE_DEPTH))


def face_size(face: Face) -> float:
    """Return the side of a square with the face box's area, in pixels of the picture."""
    return float(np.sqrt(max(face.box[2], 0.0) * max(face.box[3], 0.0)))


def sharpness(crop: NDArray[np.uint8]) -> float:
    """Return the variance of the Laplacian of the grey crop: low where it is blurred or was scaled up.

    Source: Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy: a comparative study".

    Args:
        crop: (60, 60, 3) uint8, RGB.
    """
    return float(cv2.Laplacian(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def brightness(crop: NDArray[np.uint8]) -> float:
    """Return the mean grey of a crop, (60, 60, 3) uint8 RGB, 0..255."""
    return float(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).mean())
