"""The faces that were read worst, as pictures."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

import cv2
import numpy as np
from numpy.typing import NDArray

from ...crop import MOUTH_REGION, Region, crop_faces
from .readings import FaceReading, FoundSubject
from .subjects import Subjects

WORST = 40
PORTRAIT = 160  # pixels a side
SHOWN = Region(0.14, 0.22, 0.86, 0.94)
QUALITY = 82  # JPEG


@dataclass(frozen=True, slots=True)
class WorstFace:
    """One of the faces with the largest errors.

    Attributes:
        reading: its truth and value.
        error: value minus truth; of a face that was not found the mean truth minus its own.
        portrait: JPEG of the aligned face with the crop outlined, of the whole picture where it was not found; empty
            where the picture is not at hand.
    """

    reading: FaceReading
    error: float
    portrait: bytes

    @property
    def source(self) -> str:
        """Return the portrait as a ``data:`` address, which needs no other file."""
        return f"data:image/jpeg;base64,{base64.b64encode(self.portrait).decode('ascii')}"


def worst_faces(
    rows: Sequence[FaceReading], subjects: Subjects | None, found: Sequence[FoundSubject], count: int = WORST
) -> list[WorstFace]:
    """Return the faces with the largest errors, the worst first.

    Args:
        rows: all faces.
        subjects: their pictures; None: no portraits.
        found: the faces as found, in the order of ``subjects``.
        count: at most so many.

    Raises:
        DataError: a picture cannot be read.
    """
    mean = float(np.mean([row.truth for row in rows]))
    errors = [(mean if isnan(row.value) else row.value) - row.truth for row in rows]
    worst = sorted(range(len(rows)), key=lambda i: -abs(errors[i]))[:count]
    portraits: dict[str, bytes] = {}
    if subjects is not None:
        places = {one.subject.name: i for i, one in enumerate(found)}
        for index, image in subjects.pictures([places[rows[i].file] for i in worst]):
            portraits[found[index].subject.name] = _portrait(image, found[index])
    return [WorstFace(rows[i], errors[i], portraits.get(rows[i].file, b"")) for i in worst]


def _portrait(image: NDArray[np.uint8], one: FoundSubject) -> bytes:
    if one.face is None:
        side = max(image.shape[:2])
        size = image.shape[1] * PORTRAIT // side, image.shape[0] * PORTRAIT // side
        return _jpeg(cv2.resize(image, (max(size[0], 1), max(size[1], 1))).astype(np.uint8, copy=False))
    picture: NDArray[np.uint8] = np.ascontiguousarray(crop_faces(image, [one.face], SHOWN, PORTRAIT)[0][:, :, ::-1])
    corners = [
        (_across(x, SHOWN.left, SHOWN.right), _across(y, SHOWN.top, SHOWN.bottom))
        for x, y in ((MOUTH_REGION.left, MOUTH_REGION.top), (MOUTH_REGION.right, MOUTH_REGION.bottom))
    ]
    cv2.rectangle(picture, corners[0], corners[1], (255, 255, 255), 1)
    return _jpeg(picture)


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def _across(at: float, low: float, high: float) -> int:
    """Return the pixel of a portrait at which a place of the aligned square lies."""
    return round((at - low) / (high - low) * PORTRAIT)
