"""The labels that ``mouth-live label`` makes: a table of frames of the user's own videos.

| column | meaning |
|---|---|
| ``video`` | the file, as it was named; searched from this table's folder, the current one, and ``--videos`` |
| ``frame`` | index of the decoded frame, from 0 |
| ``timestamp`` | seconds since the first frame |
| ``x``, ``y``, ``width``, ``height`` | the face's box in pixels of the frame |
| ``openness`` | the label, 0..1; empty where the labeller skipped the frame |
"""

import csv
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..face import Face, iou
from ..whole_file import whole_file
from .data import finite_number, read_rows

LABEL_COLUMNS = ("video", "frame", "timestamp", "x", "y", "width", "height", "openness")
SAME_FACE = 0.3  # overlap (IoU) from which a face found is the one that was labelled
BLOCK = 2.0  # s: frames of one person that lie closer are much alike


FrameReader = Callable[[Path, Collection[int]], Iterator[tuple[int, NDArray[np.uint8]]]]
"""Reads frames of a video. It takes the path and the wanted indices, counted from 0 in decoding order, and yields pairs
of index and frame, (h, w, 3) uint8 BGR, in that order. Frames that the video does not have are left out."""


@dataclass(frozen=True, slots=True)
class OwnLabel:
    """A labelled face of a frame.

    Attributes:
        video: as the table names it.
        frame: index of the decoded frame.
        timestamp: seconds since the first frame.
        box: (x, y, width, height) in pixels of the frame.
        openness: 0..1; None where it was skipped.
    """

    video: str
    frame: int
    timestamp: float
    box: tuple[float, float, float, float]
    openness: float | None

    @property
    def name(self) -> str:
        """Return the frame's name for reports."""
        return f"{self.video}#{self.frame}"

    @property
    def block(self) -> str:
        """Return the stretch of the video that it lies in: frames of one stretch are alike and stay together."""
        return f"{self.video}/{int(self.timestamp // BLOCK)}"


def is_own_labels(data: Path) -> bool:
    """Return whether ``--data`` names such a table, not a folder of pictures."""
    return data.suffix.lower() == ".csv"


def read_own_labels(table: Path) -> list[OwnLabel]:
    """Read a table of labels, skipped frames included.

    Raises:
        DataError: it cannot be read, a column is missing, or a row holds no label.
    """
    return [_label(row, where) for row, where in read_rows(table, LABEL_COLUMNS, "make it with mouth-live label")]


def write_own_labels(table: Path, labels: Sequence[OwnLabel]) -> None:
    """Write the table, whole or not at all.

    Raises:
        DataError: it cannot be written.
    """
    with whole_file(table, "; give another -o") as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(LABEL_COLUMNS)
        for label in labels:
            box = [f"{number:.1f}" for number in label.box]
            openness = "" if label.openness is None else f"{label.openness:g}"
            writer.writerow([label.video, label.frame, f"{label.timestamp:.6f}", *box, openness])


def labelled_face(faces: Sequence[Face], label: OwnLabel) -> Face | None:
    """Return the labelled face of those found in the frame."""
    best = max(faces, key=lambda face: iou(face.box, label.box), default=None)
    return best if best is not None and iou(best.box, label.box) >= SAME_FACE else None


def frames_of(
    labels: Sequence[OwnLabel], table: Path, read_frames: FrameReader, videos: Path | None = None
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Read the labelled frames, video by video.

    Args:
        labels: what to read.
        table: the file they come from.
        read_frames: decodes the videos, as ``mouth-live process`` and ``label`` do.
        videos: a folder to search for the videos.

    Yields:
        Index in ``labels``, and the frame, (h, w, 3) uint8 BGR.

    Raises:
        DataError: a video is not found, or has no such frame.
        MouthLiveError: a video cannot be read; of the kind that ``read_frames`` raises.
    """
    for video in dict.fromkeys(label.video for label in labels):
        wanted: dict[int, list[int]] = {}
        for index, label in enumerate(labels):
            if label.video == video:
                wanted.setdefault(label.frame, []).append(index)
        path = _found(video, table, videos)
        for number, image in read_frames(path, set(wanted)):
            for index in wanted.pop(number):
                yield index, image
        if wanted:
            raise DataError(f"{path}: has no frame {min(wanted)}, which {table} labels; is it the same video?")


def _found(video: str, table: Path, videos: Path | None) -> Path:
    places = [table.parent / video, Path(video)] + ([videos / video, videos / Path(video).name] if videos else [])
    for path in places:
        if path.is_file():
            return path
    raise DataError(f"{video}: not found beside {table} nor in the current folder; give its folder with --videos")


def _label(row: dict[str, str], where: str) -> OwnLabel:
    try:
        x, y, width, height = (finite_number(row[name]) for name in ("x", "y", "width", "height"))
        openness = finite_number(row["openness"]) if row["openness"] else None
        label = OwnLabel(
            row["video"], int(row["frame"]), finite_number(row["timestamp"]), (x, y, width, height), openness
        )
    except ValueError as error:
        raise DataError(f"{where}: {error}") from None
    if not label.video or label.frame < 0 or (openness is not None and not 0 <= openness <= 1):
        raise DataError(
            f"{where}: expected a video, a frame from 0 and an openness 0..1, got {', '.join(row.values())}"
        )
    return label
