"""Photos of turned heads, from which the face check learns profiles.

Beside ``labels.csv`` a folder of faces may hold ``turned.csv``, with the columns ``file``, ``yaw`` (degrees, signed)
and ``x``, ``y``, ``width``, ``height`` (the box of the face's 68 points, in pixels). Without it, no profile is learned.
"""

from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from ..blazeface import BlazeFace
from ..errors import DataError
from ..face import Box, Face, iou
from .data import dropped_files, read_picture, read_rows

Image = NDArray[np.uint8]

FOLDS = 5
"""Parts of the photos, by a hash of their names; training leaves one out, to measure on."""

TURNED_FROM, TURNED_TO = 30.0, 90.0
"""Degrees of yaw between which the face check learns from a photo: less is plentiful in ``labels.csv``."""

MIN_OVERLAP = 0.25  # intersection over union of a detection with the box of the points, from which on it is the face
MIN_SCORE = 0.2  # of a detection: some profiles score low

_COLUMNS = ("file", "yaw", "x", "y", "width", "height")


@dataclass(frozen=True, slots=True)
class TurnedFace:
    """One photo of a head whose turn was measured.

    Attributes:
        file: the picture.
        yaw: degrees, signed; 0 is straight on.
        box: of the 68 points (brow to chin), smaller than a detector's.
        fold: the part of the photos that it belongs to, 0 to 4.
    """

    file: Path
    yaw: float
    box: Box
    fold: int

    @property
    def is_turned(self) -> bool:
        """Whether it is turned so far that the face check learns from it, or is measured on it."""
        return TURNED_FROM <= abs(self.yaw) <= TURNED_TO


def read_turned(folder: Path) -> list[TurnedFace]:
    """Read ``turned.csv``, without the photos in ``dropped.csv``; nothing where there is none.

    Raises:
        DataError: it cannot be read, a column is missing, or a number is none.
    """
    table = folder / "turned.csv"
    if not table.exists():
        return []
    dropped = dropped_files()
    faces: list[TurnedFace] = []
    for row, where in read_rows(table, _COLUMNS, "models/training/turned_faces.py lists its columns"):
        try:
            yaw, x, y, width, height = (float(row[name]) for name in _COLUMNS[1:])
        except ValueError as error:
            raise DataError(f"{where}: {error}") from None
        if row["file"] not in dropped:
            fold = crc32(Path(row["file"]).name.encode()) % FOLDS
            faces.append(TurnedFace(folder / row["file"], yaw, (x, y, width, height), fold))
    return faces


def detected_views(
    face: TurnedFace, detector: BlazeFace, count: int, rng: np.random.Generator
) -> list[tuple[Image, Face]]:
    """Detect the face in its photo and in variations of it: tilted, smaller or larger, mirrored, moved.

    The detector places the key points anew in each, with the errors that it makes on profiles.

    Args:
        face: the photo.
        detector: finds faces in it.
        count: of the variations, with the photo itself.
        rng: the random generator.

    Returns:
        The pictures, (h, w, 3) uint8 BGR, in which it is detected, each with the detection.

    Raises:
        DataError: the picture cannot be read.
    """
    image = read_picture(face.file)
    found: list[tuple[Image, Face]] = []
    for n in range(count):
        view, box = (image, face.box) if n == 0 else _varied(image, face.box, rng)
        same = [detection for detection in detector.detect(view) if iou(detection.box, box) > MIN_OVERLAP]
        found += [(view, detection) for detection in same[:1]]
    return found


def _varied(image: Image, box: Box, rng: np.random.Generator) -> tuple[Image, Box]:
    """Return a picture of the same size with the face tilted, scaled and moved, and its box there."""
    height, width = image.shape[:2]
    middle, scale = (box[0] + box[2] / 2, box[1] + box[3] / 2), exp(rng.uniform(log(0.35), log(1.3)))
    matrix = cv2.getRotationMatrix2D(middle, rng.normal(0, 20), scale)
    matrix[:, 2] += rng.uniform(-0.06, 0.06, 2) * width
    border = cv2.BORDER_CONSTANT if rng.random() < 0.5 else cv2.BORDER_REFLECT
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    view = cv2.warpAffine(image, matrix, (width, height), flags=method, borderMode=border).astype(np.uint8, copy=False)
    centre: list[float] = (matrix @ np.array((*middle, 1.0))).tolist()
    x, y = centre
    if rng.random() < 0.5:
        view, x = np.ascontiguousarray(view[:, ::-1]), width - x
    w, h = box[2] * scale, box[3] * scale
    return view, (x - w / 2, y - h / 2, w, h)
