"""The labels that ``mouth-live label`` makes: a table of frames of the user's own videos.

| column | meaning |
|---|---|
| ``video`` | the file, as it was named; looked for from this table's folder, the current one, and ``--videos`` |
| ``frame`` | index of the decoded frame, from 0 |
| ``timestamp`` | seconds since the first frame |
| ``x``, ``y``, ``width``, ``height`` | the face's box in pixels of the frame |
| ``openness`` | the label, 0..1; empty where the labeller skipped the frame |
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..face import Face, iou
from ..whole_file import whole_file

LABEL_COLUMNS = ("video", "frame", "timestamp", "x", "y", "width", "height", "openness")
SAME_FACE = 0.3  # overlap (IoU) from which a face found is the one that was labelled
BLOCK = 2.0  # s: frames of one person that lie closer are much alike


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
        """The frame's name for reports."""
        return f"{self.video}#{self.frame}"

    @property
    def block(self) -> str:
        """The stretch of the video that it lies in: frames of one stretch are alike and stay together."""
        return f"{self.video}/{int(self.timestamp // BLOCK)}"


def is_own_labels(data: Path) -> bool:
    """Whether ``--data`` names such a table, not a folder of pictures."""
    return data.suffix.lower() == ".csv"


def read_own_labels(table: Path) -> list[OwnLabel]:
    """Read a table of labels, skipped frames included.

    Raises:
        DataError: it cannot be read, a column is missing, or a row holds no label.
    """
    try:
        with table.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in LABEL_COLUMNS if name not in (reader.fieldnames or [])]
            if missing:
                raise DataError(f"{table}: no column {', '.join(missing)}; make it with mouth-live label")
            return [_label(row, f"{table}, line {reader.line_num}") for row in reader]
    except OSError as error:
        raise DataError(f"{table}: cannot read it ({error.strerror}); make it with mouth-live label") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{table}: not a table of comma-separated UTF-8 text ({error})") from None


def write_own_labels(table: Path, labels: Sequence[OwnLabel]) -> None:
    """Write the table anew, whole or not at all.

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
    """Of the faces found in the frame, the one that was labelled."""
    best = max(faces, key=lambda face: iou(face.box, label.box), default=None)
    return best if best is not None and iou(best.box, label.box) >= SAME_FACE else None


def frames_of(
    labels: Sequence[OwnLabel], table: Path, videos: Path | None = None
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The labelled frames, video by video.

    Args:
        labels: what to read.
        table: the file they come from.
        videos: a folder to look for the videos in.

    Yields:
        Index in ``labels``, and the frame, (h, w, 3) uint8 BGR.

    Raises:
        DataError: a video is not found, cannot be read, or has no such frame.
    """
    for video in dict.fromkeys(label.video for label in labels):
        wanted: dict[int, list[int]] = {}
        for index, label in enumerate(labels):
            if label.video == video:
                wanted.setdefault(label.frame, []).append(index)
        path = _found(video, table, videos)
        for number, image in _decoded(path, set(wanted)):
            for index in wanted.pop(number):
                yield index, image
        if wanted:
            raise DataError(
                f"{path}: has no frame {min(wanted)} that can be read, which {table} labels; is it the same video? "
                "AV1 must be converted first: ffmpeg -i IN OUT.mp4"
            )


def _found(video: str, table: Path, videos: Path | None) -> Path:
    places = [table.parent / video, Path(video)] + ([videos / video, videos / Path(video).name] if videos else [])
    for path in places:
        if path.is_file():
            return path
    raise DataError(f"{video}: not found beside {table} nor in the current folder; tell its folder with --videos")


def _decoded(path: Path, wanted: set[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The wanted frames by their index in decoding order, as ``mouth-live process`` counts them."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        for number in range(max(wanted) + 1):
            if not capture.grab():
                return
            if number in wanted:
                ok, image = capture.retrieve()
                if not ok:
                    raise DataError(f"{path}: frame {number} cannot be decoded")
                yield number, image.astype(np.uint8, copy=False)
    finally:
        capture.release()


def _label(row: dict[str, str], where: str) -> OwnLabel:
    try:
        x, y, width, height = (_number(row[name]) for name in ("x", "y", "width", "height"))
        openness = _number(row["openness"]) if row["openness"] else None
        label = OwnLabel(row["video"], int(row["frame"]), _number(row["timestamp"]), (x, y, width, height), openness)
    except ValueError as error:
        raise DataError(f"{where}: {error}") from None
    if not label.video or label.frame < 0 or (openness is not None and not 0 <= openness <= 1):
        raise DataError(
            f"{where}: expected a video, a frame from 0 and an openness 0..1, got {', '.join(row.values())}"
        )
    return label


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"expected a number, got {text!r}")
    return number
