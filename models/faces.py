"""Find every face in a picture: a detector, a second pass for faces that fill it, a check of each detection.

The detector alone misses faces that fill the picture, for it was trained on people at a distance. So where it finds
nothing, a second pass runs it on the padded, shrunken picture. It also takes letters, bottles and clouds for faces. So
each detection is verified by the face check, a second small network that was trained on faces and on the detector's
false positives.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .blazeface import BlazeFace
from .checked import checked_image
from .face import SURE_SCORE, Face, FaceDetector
from .face_check import MIN_EVIDENCE, FaceCheck
from .rectangle import Rectangle
from .rolls import ROLLS, quarters_to_upright, tilt, turned, turned_back
from .tiles import is_cut, is_part_of, tiles

Backend = Literal["litert", "mediapipe"]
BACKENDS: Sequence[Backend] = ("litert", "mediapipe")

MIN_SCORE = 0.4
"""Of the detector, where the face check decides; without it, SURE_SCORE."""

MIN_FACE = 40  # pixels
SMALLEST_FACE = 12  # pixels; below there is no mouth to read
SURROUNDINGS = 3.0  # face sizes a side of what is searched around a known face
TILT_COST = 1 / 30  # log odds per degree: the points of a tilted face are less exact
PADDING = 0.5  # of the picture's size, on each side, for the second pass


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A verified face.

    Attributes:
        face: the detection.
        evidence: log odds that it is a face.
    """

    face: Face
    evidence: float


class FaceFinder:
    """Finds faces, large and small, and verifies each of them.

    Not safe for use by several threads at once; make one for each.

    Attributes:
        min_evidence: log odds from which on a detection is verified as a face.
    """

    def __init__(
        self,
        min_score: float | None = None,
        backend: Backend = "litert",
        threads: int = 1,
        check: bool = True,
        min_face: float | None = MIN_FACE,
    ) -> None:
        """Load the networks.

        Args:
            min_score: faces that the detector scores lower (0..1) are left out. None: :data:`MIN_SCORE`, or without the
                check 0.5.
            backend: ``"litert"``, or ``"mediapipe"`` (extra ``mediapipe``; mediapipe reports its use over the network).
            threads: CPU threads for one pass of a network.
            check: leave out detections that the face check rejects.
            min_face: width in pixels of the smallest faces to find. Where the picture is too large for them they are
                searched for tile by tile. None searches the whole only, in which faces are found from about a
                thirteenth of the longer side on.

        Raises:
            ModelError: a weights file is missing or damaged.
            MissingExtraError: mediapipe is not installed.
            ValueError: min_score is not between 0 and 1, or min_face is below :data:`SMALLEST_FACE`.
        """
        if min_score is None:
            min_score = MIN_SCORE if check else SURE_SCORE
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
            image: (h, w, 3) uint8, BGR; or (h, w), grey.

        Returns:
            The faces, the best score first; boxes and key points in pixels of ``image``.

        Raises:
            TypeError: ``image`` is no array.
            ValueError: ``image`` has another shape or dtype.
        """
        return sorted((found.face for found in self.search(checked_image(image))), key=lambda face: -face.score)

    def search(self, image: NDArray[np.uint8]) -> list[Found]:
        """Search a picture for all faces: whole, tile by tile for small ones, and turned for those that lie.

        Args:
            image: (h, w, 3) uint8, BGR.

        Returns:
            The verified faces, those found in the whole first.
        """
        found = self.verified(image, self.detect(image))
        areas = self.tiles(image)
        for area in areas:
            found += self.verified(
                image, self.detect_in_tile(image, area), [one.face for one in found], passes=len(areas)
            )
        for quarters in ROLLS:
            found = self.with_rolled(image, quarters, found)
        return found or self.verified(image, self.detect_padded(image))

    def with_rolled(self, image: NDArray[np.uint8], quarters: int, known: Sequence[Found]) -> list[Found]:
        """Return the known faces and those that show in the picture turned by so many quarters.

        Of two detections of one face the better one is kept, see :func:`joined`.
        """
        return joined(known, self.verified(image, self.detect_rolled(image, quarters), passes=1 + len(ROLLS)))

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """Detect faces in one pass over the whole (h, w, 3) uint8 BGR picture, best score first; verify none."""
        return self._detector.detect(image)

    def detect_in_part(self, image: NDArray[np.uint8], area: Rectangle) -> list[Face] | None:
        """Detect faces in a part of the picture, at the scale of :meth:`detect`, for a half to a quarter of its cost.

        It finds the same faces, but their key points are less exact.

        Returns:
            The detections; None where the part is too large, or the detector cannot do it.
        """
        return self._windowed.detect_in(image, area) if self._windowed else None

    def detect_padded(self, image: NDArray[np.uint8]) -> list[Face]:
        """Detect faces in the picture shrunk and padded, so that one which fills it appears at half its size.

        Where none is sure, a grey copy is searched too: painted and overexposed faces show in their brightness alone.
        """
        height, width = image.shape[:2]
        down, right = round(height * PADDING), round(width * PADDING)
        padded = cv2.copyMakeBorder(image, down, down, right, right, cv2.BORDER_CONSTANT).astype(np.uint8, copy=False)

        def grey() -> list[Face]:
            """Detect faces in the brightness alone."""
            copy = cv2.cvtColor(cv2.cvtColor(padded, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            return self._detector.detect(copy.astype(np.uint8, copy=False))

        detections = surer(self._detector.detect(padded), grey)
        return [_shifted(face, -right, -down) for face in detections]

    def detect_rolled(self, image: NDArray[np.uint8], quarters: int) -> list[Face]:
        """Detect faces in the picture turned clockwise by so many quarters, 1 to 3: those that lie on a side.

        Boxes and key points are in pixels of the picture itself.
        """
        height, width = image.shape[:2]
        return [turned_back(face, quarters, width, height) for face in self._detector.detect(turned(image, quarters))]

    def tiles(self, image: NDArray[np.uint8]) -> list[Rectangle]:
        """Return the areas to search for faces as small as ``min_face`` in a picture of this size."""
        return [] if self._min_face is None else tiles(image.shape[1], image.shape[0], self._min_face)

    def detect_in_tile(self, image: NDArray[np.uint8], area: Rectangle) -> list[Face]:
        """Detect faces in one pass over an area of the picture; one that its edge cuts is whole in another area."""
        part = image[area.top : area.top + area.height, area.left : area.left + area.width]
        found = self._windowed.detect(part, exact=False) if self._windowed else self._detector.detect(part)
        detections = [_shifted(face, area.left, area.top) for face in found]
        return [face for face in detections if not is_cut(face, area, image.shape[1], image.shape[0])]

    def detect_near(self, image: NDArray[np.uint8], face: Face) -> list[Face]:
        """Detect faces in the surroundings of a face seen before, however small it is in the picture."""
        x, y, width, height = face.box
        reach = SURROUNDINGS * max(width, height) / 2
        left, top = (max(0, round(middle - reach)) for middle in (x + width / 2, y + height / 2))
        right, bottom = round(x + width / 2 + reach), round(y + height / 2 + reach)
        part = image[top : max(0, bottom), left : max(0, right)]
        if not part.size:
            return []
        quarters = quarters_to_upright(face)
        detections = self._detector.detect(turned(part, quarters))
        height, width = part.shape[:2]
        return [_shifted(turned_back(found, quarters, width, height), left, top) for found in detections]

    def evidence(self, image: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.float32]:
        """Return the evidence for each detection, (n,) float32 log odds; from :attr:`min_evidence` on it is a face."""
        return np.full(len(faces), np.inf, np.float32) if self._check is None else self._check.evidence(image, faces)

    def verified(
        self, image: NDArray[np.uint8], detections: Sequence[Face], known: Sequence[Face] = (), passes: int = 1
    ) -> list[Found]:
        """Return the detections that are new and that the face check verifies.

        Args:
            image: (h, w, 3) uint8, BGR.
            detections: faces detected in it.
            known: faces that are known already.
            passes: how many passes of the detector they are the result of. Each may have false positives, so more
                evidence is needed after several.
        """
        new = [face for face in detections if not any(is_part_of(face, other) for other in known)]
        enough = self.min_evidence + log(passes)
        evidence = self.evidence(image, new)
        return [Found(face, float(sure)) for face, sure in zip(new, evidence, strict=True) if sure >= enough]


def joined(known: Sequence[Found], new: Sequence[Found]) -> list[Found]:
    """Return the known faces and those found in the picture turned by quarters, each face once.

    A known face with less evidence is replaced: it was detected at a wrong roll, with its points in wrong places. Of
    two that lie between quarters and have much the same evidence, the less tilted one has the better points.
    """
    faces = list(known)
    for one in new:
        same = [other for other in faces if is_part_of(one.face, other.face)]
        if all(_rank(one) > _rank(other) for other in same):
            faces = [other for other in faces if other not in same] + [one]
    return faces


def _rank(found: Found) -> float:
    """Return how good a detection is among those of the same face: its evidence, less the more it is tilted."""
    return found.evidence - TILT_COST * tilt(found.face)


def surer(detections: list[Face], grey: Callable[[], list[Face]]) -> list[Face]:
    """Return the detections, best first; where none is sure, those of a grey copy if one of these is."""
    if detections and detections[0].score >= SURE_SCORE:
        return detections
    others = grey()
    return others if others and others[0].score >= SURE_SCORE else detections


def _shifted(face: Face, right: float, down: float) -> Face:
    """Return the face moved by so many pixels to the right and down."""
    x, y, width, height = face.box
    return Face((x + right, y + down, width, height), face.keypoints + np.array([right, down], np.float32), face.score)


def _detector(backend: Backend, min_score: float, threads: int) -> FaceDetector:
    if backend == "litert":
        return BlazeFace(min_score, threads)
    if backend == "mediapipe":
        from .mediapipe_faces import MediaPipeFaces

        return MediaPipeFaces(min_score)
    raise ValueError(f"backend: expected one of {', '.join(BACKENDS)}, got {backend!r}")
