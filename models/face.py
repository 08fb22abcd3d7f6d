"""What a face is to the rest of the program: a box, six key points and a score."""

from dataclasses import dataclass
from math import hypot
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

RIGHT_EYE, LEFT_EYE, NOSE_TIP, MOUTH, RIGHT_EAR, LEFT_EAR = range(6)
"""Rows of :attr:`Face.keypoints`; right and left are the person's own."""

SURE_SCORE = 0.5
"""Of a detection: from here on most are faces."""

Box = tuple[float, float, float, float]
"""(x, y, width, height) in pixels of a picture, top-left origin."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face in a picture.

    Attributes:
        box: (x, y, width, height) in pixels of the picture, top-left origin, not clipped to the picture.
        keypoints: (6, 2) float32, (x, y) in pixels: right eye, left eye, nose tip, mouth centre, right ear, left ear.
        score: the detector's score, 0..1.
    """

    box: Box
    keypoints: NDArray[np.float32]
    score: float

    def __repr__(self) -> str:
        """Show the box and the score, without the key points."""
        box = ", ".join(f"{value:.1f}" for value in self.box)
        return f"Face(box=({box}), score={self.score:.2f})"


class FaceDetector(Protocol):
    """Anything that detects faces in a picture in one pass."""

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """Detect the faces in an (h, w, 3) uint8 BGR picture, best score first."""
        ...


def overlap(a: Box, b: Box) -> float:
    """Return the area in square pixels that two boxes share."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0


def iou(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes, 0..1."""
    common = overlap(a, b)
    return common / (a[2] * a[3] + b[2] * b[3] - common) if common else 0.0


def head_turn(face: Face) -> float:
    """Return how far the head seems turned to a side: the offset of the nose tip over the distance between the eyes.

    The offset is that from the middle between the eyes, along the line through them. 0 is straight on. It is infinite
    where the eyes are one point. The ratio is no angle, and profiles are read as less turned than they are: with
    the true points it would grow as the tangent of the yaw, but the detector guesses the eye that it does not see.
    Medians of 519 photos with a measured yaw (AFLW2000, tests/benchmarks/turned_mouths.py)::

        yaw, degrees   0-15   15-30   30-45   45-60   60-75   75-90
        head_turn      0.06    0.23    0.41    0.57    0.72    0.79
    """
    (right_x, right_y), (left_x, left_y), (nose_x, nose_y) = face.keypoints[[RIGHT_EYE, LEFT_EYE, NOSE_TIP]].tolist()
    across_x, across_y = left_x - right_x, left_y - right_y
    distance = hypot(across_x, across_y)
    if distance == 0:
        return 0.0 if (nose_x, nose_y) == (right_x, right_y) else float("inf")
    off_x, off_y = nose_x - (left_x + right_x) / 2, nose_y - (left_y + right_y) / 2
    return abs(off_x * across_x + off_y * across_y) / distance**2
