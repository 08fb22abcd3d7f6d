"""Find every face in a picture: a detector, a second look for faces that fill it, a check against inventions.

The detector alone misses faces that fill the picture (it was trained on people at a distance) and invents faces in
letters, bottles and clouds. So where it finds nothing it looks again at the padded, shrunken picture; and each face it
claims is aligned and shown to a second small network that was trained on faces and on the detector's inventions.
"""

from collections.abc import Sequence
from math import log
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .blazeface import BlazeFace
from .face import Face, FaceDetector
from .face_check import MIN_EVIDENCE, FaceCheck
from .rectangle import Rectangle
from .tiles import is_cut, is_part_of, tiles

Backend = Literal["litert", "mediapipe"]
BACKENDS: Sequence[Backend] = ("litert", "mediapipe")

MIN_SCORE = 0.5
MIN_FACE = 40  # pixels
SMALLEST_FACE = 12  # pixels; below there is no mouth to read
SURROUNDINGS = 3.0  # face sizes a side of what is looked at around a known face
PADDING = 0.5  # of the picture's size, on each side, for the second look


class FaceFinder:
    """Finds faces, big and small, and leaves out what only looks like one.

    Not safe for use by several threads at once; make one for each.

    Attributes:
        min_evidence: log odds from which on a claim is a face.
    """

    def __init__(
        self,
        min_score: float = MIN_SCORE,
        backend: Backend = "litert",
        threads: int = 1,
        check: bool = True,
        min_face: float | None = MIN_FACE,
    ) -> None:
        """Load the networks.

        Args:
            min_score: faces that the detector scores lower (0..1) are left out.
            backend: ``"litert"``, or ``"mediapipe"`` (extra ``mediapipe``; mediapipe reports its use over the network).
            threads: CPU threads for one look.
            check: leave out what the face check takes for an invention.
            min_face: width in pixels of the smallest faces to look for, tile by tile where the picture is so large
                that they are lost in it as a whole; None looks at the whole only, where faces from about a thirteenth
                of its longer side on are found.

        Raises:
            ModelError: a weights file is missing or damaged.
            MissingExtraError: mediapipe is not installed.
            ValueError: min_score is not between 0 and 1, or min_face is below :data:`SMALLEST_FACE`.
        """
        if not 0 < min_score < 1:
            raise ValueError(f"min_score: expected a number between 0 and 1, got {min_score}")
        if min_face is not None and not min_face >= SMALLEST_FACE:
            raise ValueError(f"min_face: expected at least {SMALLEST_FACE} pixels, got {min_face}")
        self._detector = _detector(backend, min_score, threads)
        self._windowed = self._detector if isinstance(self._detector, BlazeFace) else None
        self._check = FaceCheck(threads) if check else None
        self._min_face = min_face
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
        faces = self.real(image, self.claims(image))
        areas = self.tiles(image)
        for area in areas:
            claims = self.claims_in(image, area)
            new = [claim for claim in claims if not any(is_part_of(claim, face) for face in faces)]
            faces += self.real(image, new, looks=len(areas))
        faces = faces or self.real(image, self.second_look(image))
        return sorted(faces, key=lambda face: -face.score)

    def claims(self, image: NDArray[np.uint8]) -> list[Face]:
        """What the detector takes for faces in one look at the whole (h, w, 3) uint8 BGR picture, the best first."""
        return self._detector.detect(image)

    def claims_where(self, image: NDArray[np.uint8], area: Rectangle) -> list[Face] | None:
        """Claims in a part of the picture, at the scale of a look at the whole; for a half to a quarter of its cost.

        Good to find faces, less exact in their points. None where the part is too large, or the detector cannot do it.
        """
        return self._windowed.detect_in(image, area) if self._windowed else None

    def second_look(self, image: NDArray[np.uint8]) -> list[Face]:
        """Claims in the picture shrunk and padded, so that one which fills it appears at half its size.

        Where there is none, in grey: painted and overexposed faces look like ones in their brightness alone.
        """
        height, width = image.shape[:2]
        down, right = round(height * PADDING), round(width * PADDING)
        padded = cv2.copyMakeBorder(image, down, down, right, right, cv2.BORDER_CONSTANT).astype(np.uint8, copy=False)
        claims = self._detector.detect(padded)
        if not claims:
            grey = cv2.cvtColor(cv2.cvtColor(padded, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            claims = self._detector.detect(grey.astype(np.uint8, copy=False))
        return [_shifted(face, -right, -down) for face in claims]

    def tiles(self, image: NDArray[np.uint8]) -> list[Rectangle]:
        """Where faces as small as ``min_face`` are looked for in a picture of this size."""
        return [] if self._min_face is None else tiles(image.shape[1], image.shape[0], self._min_face)

    def claims_in(self, image: NDArray[np.uint8], area: Rectangle) -> list[Face]:
        """Claims in one look at an area of the picture; one that its edge cuts is whole in another area."""
        part = image[area.top : area.top + area.height, area.left : area.left + area.width]
        found = self._windowed.detect(part, exact=False) if self._windowed else self._detector.detect(part)
        claims = [_shifted(claim, area.left, area.top) for claim in found]
        return [claim for claim in claims if not is_cut(claim, area, image.shape[1], image.shape[0])]

    def claims_near(self, image: NDArray[np.uint8], face: Face) -> list[Face]:
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

    def real(self, image: NDArray[np.uint8], claims: Sequence[Face], looks: int = 1) -> list[Face]:
        """The claims that are faces; of several looks each may invent some, so more must speak for one."""
        enough = self.evidence(image, claims) >= self.min_evidence + log(looks)
        return [face for face, is_one in zip(claims, enough, strict=True) if is_one]


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
