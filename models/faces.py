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
from .face_check import FaceCheck

Backend = Literal["litert", "mediapipe"]
BACKENDS: Sequence[Backend] = ("litert", "mediapipe")

MIN_SCORE = 0.5
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
        return self._real(image, self._detector.detect(image)) or self._real(image, self._second_look(image))

    def _real(self, image: NDArray[np.uint8], faces: list[Face]) -> list[Face]:
        if self._check is None:
            return faces
        return [face for face, real in zip(faces, self._check.are_faces(image, faces), strict=True) if real]

    def _second_look(self, image: NDArray[np.uint8]) -> list[Face]:
        """Faces in the picture shrunk and padded, so that one which fills it appears at half its size."""
        height, width = image.shape[:2]
        down, right = round(height * PADDING), round(width * PADDING)
        padded = cv2.copyMakeBorder(image, down, down, right, right, cv2.BORDER_CONSTANT)
        shift = np.array([right, down], np.float32)
        return [
            Face((face.box[0] - right, face.box[1] - down, *face.box[2:]), face.keypoints - shift, face.score)
            for face in self._detector.detect(padded.astype(np.uint8, copy=False))
        ]


def _detector(backend: Backend, min_score: float, threads: int) -> FaceDetector:
    if backend == "litert":
        return BlazeFace(min_score, threads)
    if backend == "mediapipe":
        from .mediapipe_faces import MediaPipeFaces

        return MediaPipeFaces(min_score)
    raise ValueError(f"backend: expected one of {', '.join(BACKENDS)}, got {backend!r}")
