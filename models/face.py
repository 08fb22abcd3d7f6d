"""What a face is to the rest of the program: a box, six key points and a score."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

RIGHT_EYE, LEFT_EYE, NOSE_TIP, MOUTH, RIGHT_EAR, LEFT_EAR = range(6)
"""Rows of :attr:`Face.keypoints`; right and left are the person's own."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face in a picture.

    Attributes:
        box: (x, y, width, height) in pixels of the picture, top-left origin, not clipped to it.
        keypoints: (6, 2) float32, (x, y) in pixels: right eye, left eye, nose tip, mouth centre, right ear, left ear.
        score: the detector's score, 0..1.
    """

    box: tuple[float, float, float, float]
    keypoints: NDArray[np.float32]
    score: float

    def __repr__(self) -> str:
        """Show the box and the score, without the key points."""
        box = ", ".join(f"{value:.1f}" for value in self.box)
        return f"Face(box=({box}), score={self.score:.2f})"


class FaceDetector(Protocol):
    """Anything that finds faces in a picture in one look."""

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """Find the faces in an (h, w, 3) uint8 BGR picture, the best first."""
        ...


def iou(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Intersection over union of two boxes (x, y, width, height), 0..1."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    overlap = width * height
    return overlap / (a[2] * a[3] + b[2] * b[3] - overlap)
