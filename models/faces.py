"""Find every face in a picture: a detector, a second look for faces that fill it, a check against inventions.

The detector alone misses faces that fill the picture (it was trained on people at a distance) and invents faces in
letters, bottles and clouds. So where it finds nothing it looks again at the padded, shrunken picture; and each face it
claims is aligned and shown to a second small network that was trained on faces and on the detector's inventions.
"""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .blazeface import BlazeFace
from .face import Face, FaceDetector
from .face_check import MIN_EVIDENCE, FaceCheck

Backend = Literal["litert", "mediapipe"]
BACKENDS: Sequence[Backend] = ("litert", "mediapipe")

MIN_SCORE = 0.5
SURROUNDINGS = 3.0  # face sizes a side of what is looked at around a known face
PADDING = 0.5  # of the picture's size, on each side, for the second look


class FaceFinder:
    """Finds faces, big and small, and leaves out what only looks like one.

    Not safe for use by several threads at once; make one for each.
    """

    def __init__(
        self, min_score: float = MIN_SCORE, backend: Backend = "litert", threads: int = 1, check: bool = True
    ) -> None:
        """Load the networks.

        Args:
            min_score: faces that the detector scores lower (0..1) are left out.
            backend: ``"litert"``, or ``"mediapipe"`` (extra ``mediapipe``; mediapipe reports its use over the network).
            threads: CPU threads for one look.
            check: leave out what the face check takes for an invention.

        Raises:
            ModelError: a weights file is missing or damaged.
            MissingExtraError: mediapipe is not installed.
            ValueError: min_score is not between 0 and 1.
        """
        if not 0 < min_score < 1:
            raise ValueError(f"min_score: expected a number between 0 and 1, got {min_score}")
        self._detector = _detector(backend, min_score, threads)
        self._check = FaceCheck(threads) if check else None
        self.min_evidence = MIN_EVIDENCE

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        """Find the faces in a picture.

        Args:
            image: (h, w, 3) uint8, BGR.

        Returns:
            The faces, the best score first; boxes and key points in pixels of ``image``.

        Raises:
            ValueError: ``image`` has another shape or dtype.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ValueError(f"image: expected (h, w, 3) uint8, got {image.shape} {image.dtype}")
        return self._real(image, self.claims(image)) or self._real(image, self.second_look(image))

    def claims(self, image: NDArray[np.uint8]) -> list[Face]:
        """What the detector takes for faces in one look at the whole (h, w, 3) uint8 BGR picture, the best first."""
        return self._detector.detect(image)

    def second_look(self, image: NDArray[np.uint8]) -> list[Face]:
        """Claims in the picture shrunk and padded, so that one which fills it appears at half its size."""
        height, width = image.shape[:2]
        down, right = round(height * PADDING), round(width * PADDING)
        padded = cv2.copyMakeBorder(image, down, down, right, right, cv2.BORDER_CONSTANT)
        return [_shifted(face, -right, -down) for face in self._detector.detect(padded.astype(np.uint8, copy=False))]

    def near(self, image: NDArray[np.uint8], face: Face) -> list[Face]:
        """Claims in one look at the surroundings of a face seen before, however small it is in the picture."""
        x, y, width, height = face.box
        reach = SURROUNDINGS * max(width, height) / 2
        left, top = (max(0, round(middle - reach)) for middle in (x + width / 2, y + height / 2))
        right, bottom = round(x + width / 2 + reach), round(y + height / 2 + reach)
        part = image[top : max(0, bottom), left : max(0, right)]
        return [_shifted(claim, left, top) for claim in self._detector.detect(part)] if part.size else []

    def evidence(self, image: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.float32]:
        """How much speaks for each claim, (n,) float32; it is a face from :attr:`min_evidence` on."""
        return np.full(len(faces), np.inf, np.float32) if self._check is None else self._check.evidence(image, faces)

    def _real(self, image: NDArray[np.uint8], claims: list[Face]) -> list[Face]:
        evidence = self.evidence(image, claims)
        return [face for face, enough in zip(claims, evidence >= self.min_evidence, strict=True) if enough]


def _shifted(face: Face, right: float, down: float) -> Face:
    """The face, so many pixels further to the right and down."""
    x, y, width, height = face.box
    return Face((x + right, y + down, width, height), face.keypoints + np.array([right, down], np.float32), face.score)


def _detector(backend: Backend, min_score: float, threads: int) -> FaceDetector:
    if backend == "litert":
        return BlazeFace(min_score, threads)
    if backend == "mediapipe":
        from .mediapipe_faces import MediaPipeFaces

        return MediaPipeFaces(min_score)
    raise ValueError(f"backend: expected one of {', '.join(BACKENDS)}, got {backend!r}")
