"""Read the faces: find each, cut it, measure its conditions; then a network's values, or values from a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...crop import CROP_SIZE, crop_faces
from ...errors import DataError
from ...face import Face
from ...faces import FaceFinder
from ...openness import Estimates, OpennessModel
from ...progress_bar import progress_bar
from ..data import read_picture, read_rows
from . import conditions
from .subjects import Subject, Subjects

BATCH = 64
COVERED = 300  # of the covered mouths so many are read, evenly spread
PREDICTIONS = ("file", "openness")
NOWHERE = Estimates(np.zeros(0, np.float32), np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class FaceReading:
    """One labelled face as it was read: a row of the report.

    Attributes:
        file: the picture's name; of a video's frame ``VIDEO#FRAME``.
        source: the set it comes from.
        group: whose face it is.
        by_people: whether people labelled it; else a landmark model did.
        truth: the labelled openness, 0..1.
        value: as it was read, 0..1; NaN where the face was not found.
        reliability: as the network gave it, 0..1; NaN where it did not.
        landmarker: what a landmark model read, 0..1; NaN where there is none.
        turn: head turn to the side in degrees; this and the following NaN where the face was not found.
        size: side of the face box in pixels.
        sharpness: variance of the Laplacian of the crop.
        brightness: mean grey of the crop, 0..255.
    """

    file: str
    source: str
    group: str
    by_people: bool
    truth: float
    value: float
    reliability: float
    landmarker: float
    turn: float
    size: float
    sharpness: float
    brightness: float


@dataclass(frozen=True, slots=True, eq=False)
class FoundSubject:
    """A subject as it was found in its picture.

    Attributes:
        subject: the labelled face.
        face: as found; None where it was missed.
        crop: (60, 60, 3) uint8 RGB, all black where it was missed.
    """

    subject: Subject
    face: Face | None
    crop: NDArray[np.uint8]


def find_subjects(subjects: Subjects) -> list[FoundSubject]:
    """Find each subject's face, by the way that video takes: detector, padded pass, face check.

    Raises:
        DataError: a picture or a video cannot be read.
    """
    finder = FaceFinder()
    found: dict[int, FoundSubject] = {}
    pictures = subjects.pictures(range(len(subjects.chosen)))
    for index, image in progress_bar(pictures, "finding faces", "faces", len(subjects.chosen)):
        subject = subjects.chosen[index]
        face = subject.pick(finder.find(image), image.shape[:2])
        crop = crop_faces(image, [face])[0] if face else np.zeros((CROP_SIZE, CROP_SIZE, 3), np.uint8)
        found[index] = FoundSubject(subject, face, crop)
    return [found[i] for i in sorted(found)]


def read_with(model: OpennessModel, found: Sequence[FoundSubject]) -> list[FaceReading]:
    """Read the faces with a network."""
    estimates = _in_batches(model, [one.crop for one in found])
    return [
        _reading(one, float(value) if one.face else nan, float(trust) if one.face else nan)
        for one, value, trust in zip(found, estimates.openness, estimates.reliability, strict=True)
    ]


def read_covered(model: OpennessModel, pictures: Sequence[Path]) -> NDArray[np.float64]:
    """Read the reliability of faces whose mouth is covered; empty where the network gives none.

    Raises:
        DataError: a picture cannot be read.
    """
    if not pictures or np.isnan(model.read(np.zeros((1, CROP_SIZE, CROP_SIZE, 3), np.uint8)).reliability[0]):
        return np.zeros(0)
    finder = FaceFinder()
    crops: list[NDArray[np.uint8]] = []
    for path in progress_bar(pictures[:: -(-len(pictures) // COVERED)], "finding covered faces", "faces"):
        image = read_picture(path)
        face = max(finder.find(image), key=lambda found: found.box[2], default=None)
        if face is not None:
            crops.append(crop_faces(image, [face])[0])
    return _in_batches(model, crops).reliability.astype(np.float64)


def read_from(table: Path, found: Sequence[FoundSubject]) -> list[FaceReading]:
    """Read values from a table, such as out-of-fold predictions; leave out faces that it does not name.

    Args:
        table: columns ``file``, ``openness`` (empty: not found) and perhaps ``reliability``.
        found: the faces.

    Raises:
        DataError: the table cannot be read, or holds another thing than numbers 0..1.
    """
    values = read_predictions(table)
    return [_reading(one, *values[one.subject.name]) for one in found if one.subject.name in values]


def read_predictions(table: Path) -> dict[str, tuple[float, float]]:
    """Read openness and reliability by file; NaN where the table leaves one empty.

    Raises:
        DataError: as for :func:`read_from`.
    """
    values: dict[str, tuple[float, float]] = {}
    for row, where in read_rows(table, PREDICTIONS, "expected the columns file, openness and perhaps reliability"):
        if row["file"] in values:
            raise DataError(f"{where}: {row['file']} is there twice")
        values[row["file"]] = _share(row["openness"], where), _share(row.get("reliability", ""), where)
    return values


def _share(text: str, where: str) -> float:
    try:
        number = float(text) if text else nan
    except ValueError:
        number = -1.0
    if text and not (isfinite(number) and 0 <= number <= 1):
        raise DataError(f"{where}: expected a number 0..1, got {text!r}")
    return number


def _in_batches(model: OpennessModel, crops: Sequence[NDArray[np.uint8]]) -> Estimates:
    parts = [model.read(np.stack(crops[start : start + BATCH])) for start in range(0, len(crops), BATCH)] or [NOWHERE]
    return Estimates(np.concatenate([p.openness for p in parts]), np.concatenate([p.reliability for p in parts]))


def _reading(one: FoundSubject, value: float, reliability: float) -> FaceReading:
    label, face = one.subject.label, one.face
    return FaceReading(
        one.subject.name,
        label.source,
        label.group,
        label.by_people,
        label.openness,
        value,
        reliability,
        one.subject.landmarker,
        conditions.yaw(face) if face else nan,
        conditions.face_size(face) if face else nan,
        conditions.sharpness(one.crop) if face else nan,
        conditions.brightness(one.crop) if face else nan,
    )
