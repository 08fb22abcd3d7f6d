"""Labelled faces: read their table, split them by person.

The folder holds ``labels.csv`` and the pictures it names. Of its columns these are used: ``file``, ``set``, ``part``,
``person``, ``gap_ratio`` (people's label), ``landmarker_gap_ratio`` (a landmark model's), ``mouth_points_hidden``,
``note`` where there is one (``masked``: the mouth is covered) and, to know which face is meant, ``eye1_x`` ...
``eye2_y``.
"""

import csv
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..scale import openness_from_gap_ratio

_EYES = ("eye1_x", "eye1_y", "eye2_x", "eye2_y")
_NEEDED_COLUMNS = ("file", "set", "part", "person", "gap_ratio", "landmarker_gap_ratio", "mouth_points_hidden", *_EYES)
PARTS = ("train", "test")
COVERED_POINTS = 6
"""From so many hidden lip points on a mouth counts as covered."""

PERMISSIVE = ("deepface_tests", "mask_chandrika", "mux_emotion", "mux_web", "nomask_chandrika", "yawn_roboflow")
"""Sets whose stated terms allow more than research (CC BY 4.0, Apache-2.0, MIT); MODEL_CARD.md has them all."""

DROPPED = Path(__file__).with_name("dropped.csv")
"""Pictures that are never used, with the reason: their label is wrong. Each was checked by eye."""


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
        eyes: (x, y) in pixels of the person's right and left eye, where people marked them.
        measured: a landmark model's openness, 0..1, where that is known.
        covered: the mouth is not to be seen; then ``openness`` means nothing.
    """

    file: Path
    source: str
    part: str
    group: str
    openness: float
    by_people: bool
    eyes: tuple[tuple[float, float], tuple[float, float]] | None
    measured: float | None = None
    covered: bool = False


def read_labels(folder: Path, exclude: Collection[str] = ()) -> list[LabelledFace]:
    """Read the labels that give an openness; covered mouths and the pictures in :data:`DROPPED` are left out.

    People's label is taken where they saw the whole mouth, else the landmark model's; a mouth of which people marked
    points as hidden has none.

    Args:
        folder: with ``labels.csv`` and the pictures.
        exclude: sets to leave out, as their terms may ask.

    Raises:
        DataError: the folder, its table or a column is missing, a number or a part is none, an excluded set is not in
            it, or no face is labelled.
    """
    labelled = [face for face in _read(folder, exclude) if not face.covered]
    if not labelled:
        raise DataError(f"{folder / 'labels.csv'}: no labelled face in it")
    return labelled


def read_covered(folder: Path, exclude: Collection[str] = ()) -> list[LabelledFace]:
    """Read the training faces whose mouth is covered: by a mask, or with most points marked as hidden by people.

    Args and errors are those of :func:`read_labels`, but there may be none.
    """
    return [face for face in _read(folder, exclude) if face.covered and face.part == "train"]


def read_rows(table: Path, columns: Collection[str], advice: str) -> list[tuple[dict[str, str], str]]:
    """Read a table.

    Args:
        table: a CSV file with a header, UTF-8.
        columns: those that it must have.
        advice: what to try where it cannot be read, for the message.

    Returns:
        Each row by column, and where it stands, for messages.

    Raises:
        DataError: the table cannot be read, or a column is missing.
    """
    try:
        with table.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in columns if name not in (reader.fieldnames or [])]
            if missing:
                raise DataError(f"{table}: no column {', '.join(missing)}; {advice}")
            return [(row, f"{table}, line {reader.line_num}") for row in reader]
    except OSError as error:
        raise DataError(f"{table}: cannot read it ({error.strerror}); {advice}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{table}: not a table of comma-separated UTF-8 text ({error})") from None


def read_label_rows(folder: Path) -> list[tuple[dict[str, str], str]]:
    """Read the rows of a folder's ``labels.csv``, as :func:`read_rows` does.

    Raises:
        DataError: the table cannot be read, a column is missing, or a part is neither train nor test.
    """
    rows = read_rows(
        folder / "labels.csv",
        _NEEDED_COLUMNS,
        "--data takes a folder with pictures and labels.csv, whose columns models/training/data.py lists",
    )
    for row, where in rows:
        if row["part"] not in PARTS:  # a misspelt "test" must not be trained on
            raise DataError(f"{where}: part is {row['part']!r}, expected one of {', '.join(PARTS)}")
    return rows


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a labelled picture.

    Returns:
        (h, w, 3) uint8, BGR.

    Raises:
        DataError: it cannot be read.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f"{path}: cannot read this picture; labels.csv names it")
    return image.astype(np.uint8, copy=False)


def _read(folder: Path, exclude: Collection[str]) -> list[LabelledFace]:
    table, rows = folder / "labels.csv", read_label_rows(folder)
    sets = {row["set"] for row, _ in rows}
    if unknown := sorted(set(exclude) - sets):
        raise DataError(f"{table}: no set named {', '.join(unknown)}; it has {', '.join(sorted(sets))}")
    dropped = dropped_files()
    faces = [
        _labelled(folder, row, where)
        for row, where in rows
        if row["set"] not in exclude and (row["part"] == "test" or row["file"] not in dropped)
    ]
    return [face for face in faces if face is not None]


def is_masked(row: dict[str, str]) -> bool:
    """Return whether a row's note says that the mouth is covered."""
    return row.get("note") == "masked"


def dropped_files() -> dict[str, str]:
    """Return the reason by file of the pictures in :data:`DROPPED`."""
    with DROPPED.open(newline="", encoding="utf-8") as file:
        return {row["file"]: row["reason"] for row in csv.DictReader(file)}


def not_permissive(folder: Path) -> list[str]:
    """Return the sets of a folder whose terms are research only or not stated."""
    return sorted({face.source for face in _read(folder, ())} - set(PERMISSIVE))


def balanced(labels: Sequence[LabelledFace], bulk: float, seed: int) -> list[LabelledFace]:
    """Return all that people labelled, all mouths open beyond half, and a share of the rest.

    Args:
        labels: all labels.
        bulk: the share, 0..1: the many nearly closed mouths teach little more.
        seed: of the choice.
    """
    rng = np.random.default_rng(seed)
    chance = rng.random(len(labels))
    return [f for f, p in zip(labels, chance, strict=True) if f.by_people or f.openness > 0.5 or p < bulk]


def _labelled(folder: Path, row: dict[str, str], where: str) -> LabelledFace | None:
    """Return the row's face, or None where its openness is not known."""
    try:
        hidden = float(row["mouth_points_hidden"] or 0)
        covered = hidden >= COVERED_POINTS or is_masked(row)
        by_people = bool(row["gap_ratio"])
        gap = row["gap_ratio"] or row["landmarker_gap_ratio"]
        if not covered and (hidden > 0 or not gap):
            return None
        eyes = None
        if row["eye1_x"]:
            x1, y1, x2, y2 = (finite_number(row[name]) for name in _EYES)
            eyes = (x1, y1), (x2, y2)
        openness = openness_from_gap_ratio(finite_number(gap)) if not covered else 0.0
        read = row["landmarker_gap_ratio"]
        measured = openness_from_gap_ratio(finite_number(read)) if read and not covered else None
    except ValueError as error:
        raise DataError(f"{where}: {error}") from None
    group = f"{row['set']}/{row['person'] or row['file']}"
    file = folder / row["file"]
    return LabelledFace(file, row["set"], row["part"], group, openness, by_people, eyes, measured, covered)


def finite_number(text: str) -> float:
    """Return the number that a text holds.

    Raises:
        ValueError: it holds none, or one that is not finite.
    """
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"expected a number, got {text!r}")
    return number


def split(faces: Sequence[LabelledFace], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Split indices into training and validation: whole groups on one side, groups with a test face on neither.

    Args:
        faces: the labels.
        share: of the faces that goes to validation, about.
        seed: of the choice of groups.
    """
    tested = {face.group for face in faces if face.part == "test"}
    usable = [i for i, face in enumerate(faces) if face.group not in tested]
    groups = sorted({faces[i].group for i in usable})
    np.random.default_rng(seed).shuffle(groups)
    sizes = dict.fromkeys(groups, 0)
    for i in usable:
        sizes[faces[i].group] += 1
    held: set[str] = set()
    count = 0
    for group in groups:
        if count + sizes[group] <= share * len(usable):
            held.add(group)
            count += sizes[group]
    return [i for i in usable if faces[i].group not in held], [i for i in usable if faces[i].group in held]


def fold_of(group: str, folds: int) -> int:
    """Return the fold, from 0, of a person or photo: the same in every run, whatever other faces there are."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") % folds
