"""Labelled faces: read them, cut their mouths out, split them by person.

The folder holds ``labels.csv`` and the pictures it names. Of its columns these are used: ``file``, ``set``, ``part``,
``person``, ``gap_ratio`` (people's label), ``landmarker_gap_ratio`` (a landmark model's), ``mouth_points_hidden`` and,
to know which face is meant, ``eye1_x`` ... ``eye2_y``.
"""

import csv
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..crop import CROP_SIZE, MOUTH_REGION, Region, crop_faces
from ..errors import DataError
from ..face import LEFT_EYE, RIGHT_EYE, Face
from ..faces import FaceFinder

log = logging.getLogger("mouth_live")

GAP_RATIOS, OPENNESSES = (0.03, 0.12, 0.45), (0.0, 0.5, 1.0)
"""Openness is piecewise linear in the gap ratio through these points, constant outside."""

PATCH_SIZE = 96
"""A patch is the crop with more around it, at the crop's own sharpness: its middle 60x60 is the crop."""

_grown = (PATCH_SIZE / CROP_SIZE - 1) / 2 * (MOUTH_REGION.right - MOUTH_REGION.left)
PATCH_REGION = Region(
    MOUTH_REGION.left - _grown, MOUTH_REGION.top - _grown, MOUTH_REGION.right + _grown, MOUTH_REGION.bottom + _grown
)

_COLUMNS = ("file", "set", "part", "person", "gap_ratio", "landmarker_gap_ratio", "mouth_points_hidden", "eye1_x")


@dataclass(frozen=True, slots=True)
class LabelledFace:
    """One picture with the openness of the face that is meant.

    Attributes:
        file: the picture.
        source: the set it comes from.
        part: ``"train"`` or ``"test"``; test faces are never trained or chosen on.
        group: set and person; one group stays on one side of every split.
        openness: 0..1.
        by_people: whether people labelled it; else a landmark model did.
        eyes: (x, y) of the middle between the eyes in pixels, where people marked them.
    """

    file: Path
    source: str
    part: str
    group: str
    openness: float
    by_people: bool
    eyes: tuple[float, float] | None


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """The mouths of labelled faces that were found, in the labels' order.

    Attributes:
        faces: the n labels.
        images: (n, 96, 96, 3) uint8, RGB.
        missed: labels whose face the finder did not find.
    """

    faces: list[LabelledFace]
    images: NDArray[np.uint8]
    missed: list[LabelledFace]

    def chosen(self, indices: Iterable[int]) -> "Patches":
        """Those at the indices; none of them missed."""
        picked = list(indices)
        return Patches([self.faces[i] for i in picked], self.images[picked], [])

    @property
    def openness(self) -> NDArray[np.float32]:
        """(n,) float32, 0..1."""
        return np.array([face.openness for face in self.faces], np.float32)


def openness_from_gap_ratio(gap_ratio: float) -> float:
    """Openness 0..1 of a gap between the inner lips, given in distances between the eye centres."""
    return float(np.interp(gap_ratio, GAP_RATIOS, OPENNESSES))


def read_labels(folder: Path) -> list[LabelledFace]:
    """Read the labels that tell an openness; covered mouths are left out.

    Raises:
        DataError: the folder, its table or a column is missing, a number is none, or no face is labelled.
    """
    table = folder / "labels.csv"
    try:
        with table.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or [])]
            if missing:
                raise DataError(f"{table}: no column {', '.join(missing)}; see the columns in models/training/data.py")
            faces = [_labelled(folder, row, f"{table}, line {reader.line_num}") for row in reader]
    except OSError as error:
        raise DataError(f"{table}: cannot read it ({error.strerror}); --data takes a folder with labels.csv") from None
    labelled = [face for face in faces if face is not None]
    if not labelled:
        raise DataError(f"{table}: no labelled face in it")
    return labelled


def balanced(labels: Sequence[LabelledFace], bulk: float, seed: int) -> list[LabelledFace]:
    """All that people labelled, all mouths open beyond half, and a share of the rest that a landmark model labelled.

    Args:
        labels: all labels.
        bulk: the share, 0..1: the many nearly closed mouths teach little more.
        seed: of the choice.
    """
    rng = np.random.default_rng(seed)
    chance = rng.random(len(labels))
    return [f for f, p in zip(labels, chance, strict=True) if f.by_people or f.openness > 0.5 or p < bulk]


def _labelled(folder: Path, row: dict[str, str], where: str) -> LabelledFace | None:
    try:
        covered = int(float(row["mouth_points_hidden"] or 0)) > 0
        by_people = bool(row["gap_ratio"]) and not covered
        gap = row["gap_ratio"] if by_people else row["landmarker_gap_ratio"]
        if covered or not gap:
            return None
        eyes = None
        if row["eye1_x"]:
            (x1, y1, x2, y2) = (float(row[name]) for name in ("eye1_x", "eye1_y", "eye2_x", "eye2_y"))
            eyes = ((x1 + x2) / 2, (y1 + y2) / 2)
        group = f"{row['set']}/{row['person'] or row['file']}"
        openness = openness_from_gap_ratio(float(gap))
    except ValueError as error:
        raise DataError(f"{where}: {error}") from None
    return LabelledFace(folder / row["file"], row["set"], row["part"], group, openness, by_people, eyes)


def cut_patches(faces: Sequence[LabelledFace]) -> Patches:
    """Find each face and cut its mouth out, with room around it for variations.

    Raises:
        DataError: a picture cannot be read, or no face was found at all.
    """
    from tqdm import tqdm

    finder = FaceFinder(check=False)
    found: list[LabelledFace] = []
    missed: list[LabelledFace] = []
    images: list[NDArray[np.uint8]] = []
    for label in tqdm(faces, desc="cutting mouths", unit=" faces", disable=None):
        image = cv2.imread(str(label.file), cv2.IMREAD_COLOR)
        if image is None:
            raise DataError(f"{label.file}: cannot read this picture; labels.csv names it")
        face = meant_face(finder.find(image.astype(np.uint8, copy=False)), label, image.shape[:2])
        if face is None:
            missed.append(label)
            continue
        found.append(label)
        images.append(crop_faces(image.astype(np.uint8, copy=False), [face], PATCH_REGION, PATCH_SIZE)[0])
    if not found:
        raise DataError(f"no face found in any of the {len(faces)} labelled pictures")
    return Patches(found, np.stack(images), missed)


def meant_face(faces: Sequence[Face], label: LabelledFace, shape: tuple[int, ...]) -> Face | None:
    """Of the faces found, the one that is labelled: nearest to the marked eyes, else the largest near the middle.

    Args:
        faces: found in the label's picture.
        label: the label.
        shape: (height, width) of the picture.
    """

    def distance(face: Face) -> float:
        middle = (face.keypoints[RIGHT_EYE] + face.keypoints[LEFT_EYE]) / 2
        target = label.eyes or (shape[1] / 2, shape[0] * 0.4)
        return float(np.linalg.norm(middle - target)) / max(face.box[2], 1.0)

    if label.eyes:
        near = [face for face in faces if distance(face) < 0.5]
        return min(near, key=distance, default=None)
    return max(faces, key=lambda face: face.box[2] - 0.5 * face.box[2] * distance(face), default=None)


def split(faces: Sequence[LabelledFace], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Indices for training and for validation: whole groups on one side, the test part on neither.

    Args:
        faces: the labels.
        share: of the faces that goes to validation, about.
        seed: of the choice of groups.
    """
    usable = [i for i, face in enumerate(faces) if face.part != "test"]
    groups = sorted({faces[i].group for i in usable})
    np.random.default_rng(seed).shuffle(groups)
    sizes = {group: 0 for group in groups}
    for i in usable:
        sizes[faces[i].group] += 1
    held: set[str] = set()
    count = 0
    for group in groups:
        if count + sizes[group] <= share * len(usable):
            held.add(group)
            count += sizes[group]
    return [i for i in usable if faces[i].group not in held], [i for i in usable if faces[i].group in held]


def load_patches(folder: Path, cache: Path, labels: Sequence[LabelledFace]) -> Patches:
    """The patches of the labels, from the cache file if it holds just these, else cut and kept there."""
    names = np.array([str(label.file.relative_to(folder)) for label in labels])
    if cache.exists():
        with np.load(cache) as stored:
            if np.array_equal(stored["names"], names):
                there = stored["found"]
                return Patches(
                    [label for label, ok in zip(labels, there, strict=True) if ok],
                    stored["images"],
                    [label for label, ok in zip(labels, there, strict=True) if not ok],
                )
    patches = cut_patches(labels)
    lost = {id(label) for label in patches.missed}
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.savez(cache, names=names, found=np.array([id(label) not in lost for label in labels]), images=patches.images)
    return patches
