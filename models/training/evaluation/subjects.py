"""The faces to measure on: labelled pictures of a folder, or labelled frames of the user's own videos."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ...face import Face
from ...scale import openness_from_gap_ratio
from ..data import COVERED_POINTS, LabelledFace, is_masked, read_label_rows, read_labels, read_picture
from ..own_labels import FrameReader, OwnLabel, frames_of, is_own_labels, labelled_face, read_own_labels
from ..patches import meant_face

ALL = "all"


@dataclass(frozen=True, slots=True)
class Subject:
    """A labelled face to measure on.

    Attributes:
        name: the picture's file as the table names it; of a video's frame ``VIDEO#FRAME``.
        label: its truth.
        landmarker: openness 0..1 that a landmark model read, from the table; NaN where there is none.
        own: the row of the user's own table that it comes from; None for a picture of a folder.
    """

    name: str
    label: LabelledFace
    landmarker: float = nan
    own: OwnLabel | None = None

    def pick(self, faces: Sequence[Face], shape: tuple[int, ...]) -> Face | None:
        """Return the labelled face of those found in the picture of this (height, width)."""
        return labelled_face(faces, self.own) if self.own else meant_face(faces, self.label, shape)


@dataclass(frozen=True, slots=True)
class Subjects:
    """The faces of one measurement.

    Attributes:
        data: folder, or table of own labels.
        chosen: the labelled faces.
        covered: pictures of faces whose mouth a mask covers: a good network gives them a low reliability.
        hidden: pictures of the test part in which people marked most lip points as hidden; training never saw them.
        videos: folder to search for own videos.
        read_frames: decodes them; None for a folder of pictures.
        known: names of all faces that the data list, labelled or not, chosen or not.
        warnings: what to know of the choice.
    """

    data: Path
    chosen: list[Subject]
    covered: list[Path] = field(default_factory=list[Path])
    hidden: list[Path] = field(default_factory=list[Path])
    videos: Path | None = None
    read_frames: FrameReader | None = None
    known: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()

    def pictures(self, which: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Read the pictures of some faces: index in ``chosen``, and (h, w, 3) uint8 BGR.

        Raises:
            DataError: a picture or a video cannot be read.
        """
        owned = [own for i in which if (own := self.chosen[i].own) is not None]
        if self.read_frames is not None and owned:
            for index, image in frames_of(owned, self.data, self.read_frames, self.videos):
                yield which[index], image
            return
        for index in which:
            yield index, read_picture(self.chosen[index].label.file)


def choose(
    data: Path,
    sets: Sequence[str] = (),
    part: str | None = None,
    videos: Path | None = None,
    read_frames: FrameReader | None = None,
) -> Subjects:
    """Choose the faces to measure on.

    Args:
        data: folder with ``labels.csv`` and pictures, or a table of own labels.
        sets: only these; none: all.
        part: ``"train"``, ``"test"`` or ``"all"``; None: the test part, but all of a set named in ``sets`` that has none.
        videos: a folder to search for the videos of own labels.
        read_frames: decodes the videos of own labels.

    Raises:
        DataError: the labels cannot be read, an unknown set, or no face is left.
        ValueError: own labels without ``read_frames``.
    """  # noqa: E501
    if is_own_labels(data):
        if read_frames is None:
            raise ValueError("read_frames: needed to measure on own labels, which name frames of videos")
        own = [label for label in read_own_labels(data) if label.openness is not None]
        if not own:
            raise DataError(f"{data}: no labelled frame in it")
        subjects = [Subject(label.name, _as_label(label, data), own=label) for label in own]
        return Subjects(
            data, subjects, videos=videos, read_frames=read_frames, known=frozenset(s.name for s in subjects)
        )
    labels = read_labels(data)
    landmarks, covered, hidden = _more_of_the_table(data)
    present = {label.source for label in labels}
    unknown = [name for name in sets if name not in present]
    if unknown:
        raise DataError(f"{data / 'labels.csv'}: no set {', '.join(unknown)}; known: {', '.join(sorted(present))}")
    tested = {label.source for label in labels if label.part == "test"}

    def wanted(label: LabelledFace) -> bool:
        """Return whether a face is of the sets and the part."""
        if sets and label.source not in sets:
            return False
        if part is None:
            return label.part == "test" or (bool(sets) and label.source not in tested)
        return part in (ALL, label.part)

    names = {label.file: label.file.relative_to(data).as_posix() for label in labels}
    chosen = [Subject(names[x.file], x, landmarks.get(names[x.file], nan)) for x in labels if wanted(x)]
    if not chosen:
        which = f"part {part or 'test'!r}" + (f" in {', '.join(sets)}" if sets else "")
        raise DataError(
            f"{data / 'labels.csv'}: no face has {which}, so there is nothing to measure on; try --part all"
        )
    return Subjects(data, chosen, covered, hidden, known=frozenset(landmarks))


def _more_of_the_table(data: Path) -> tuple[dict[str, float], list[Path], list[Path]]:
    """Read the landmark model's openness of every file, and the pictures that are masked, or hidden."""
    landmarks: dict[str, float] = {}
    covered: list[Path] = []
    hidden: list[Path] = []
    for row, _ in read_label_rows(data):
        gap = row["landmarker_gap_ratio"]
        landmarks[Path(row["file"]).as_posix()] = openness_from_gap_ratio(float(gap)) if gap else nan
        if is_masked(row):
            covered.append(data / row["file"])
        elif row["part"] == "test" and float(row["mouth_points_hidden"] or 0) >= COVERED_POINTS:
            hidden.append(data / row["file"])
    return landmarks, covered, hidden


def _as_label(label: OwnLabel, table: Path) -> LabelledFace:
    source = Path(label.video).stem
    return LabelledFace(table.parent / label.video, source, "test", label.block, label.openness or 0.0, True, None)
