"""The labels of one video: the face to label next, the labels so far, and their table, saved after each label."""

import os
from collections.abc import Sequence
from pathlib import Path

from ....models.training.own_labels import OwnLabel, read_own_labels, write_own_labels
from .candidates import Candidate


class Labelling:
    """The labelling of one video's candidates. Each label is saved at once, so that the user may stop at any time.

    Attributes:
        candidates: the faces to label, in order.
        position: the index of the current one; ``len(candidates)`` when all are done.
    """

    def __init__(self, table: Path, video: Path, candidates: Sequence[Candidate]) -> None:
        """Start, or continue where an earlier run on the same table stopped.

        Args:
            table: the file to write; its rows of other videos stay unchanged.
            video: the labelled video.
            candidates: the faces to label; those that the table contains already are put first.

        Raises:
            DataError: the table exists and cannot be read.
        """
        self._table = table
        self._video = video_name(video, table)
        rows = read_own_labels(table) if table.exists() else []
        self._others = [row for row in rows if row.video != self._video]
        self._labels = {row.frame: row for row in rows if row.video == self._video}
        self.candidates = sorted(candidates, key=lambda c: c.frame not in self._labels)
        self.position = sum(c.frame in self._labels for c in self.candidates)

    @property
    def current(self) -> Candidate | None:
        """The face to label; None when all are done."""
        return self.candidates[self.position] if self.position < len(self.candidates) else None

    @property
    def labelled(self) -> int:
        """The number of faces of this video with a label."""
        return sum(label.openness is not None for label in self._labels.values())

    @property
    def skipped(self) -> int:
        """The number of faces of this video that were skipped."""
        return len(self._labels) - self.labelled

    def label_of(self, candidate: Candidate) -> OwnLabel | None:
        """Return the label of a face; None where it has none."""
        return self._labels.get(candidate.frame)

    def set_label(self, openness: float | None) -> None:
        """Label the current face, or skip it with None, save the table, and go on to the next face.

        Raises:
            DataError: the table cannot be written.
        """
        candidate = self.current
        if candidate is None:
            return
        label = OwnLabel(self._video, candidate.frame, candidate.time, candidate.box, openness)
        self._labels[candidate.frame] = label
        rows = sorted(self._labels.values(), key=lambda label: label.frame)
        write_own_labels(self._table, [*self._others, *rows])
        self.position += 1

    def go_back(self) -> None:
        """Go back to the previous face, to label it again."""
        self.position = max(0, self.position - 1)


def video_name(video: Path, table: Path) -> str:
    """Return the table's name for a video: its path relative to the table's folder, or absolute on another drive."""
    try:
        return Path(os.path.relpath(video.resolve(), table.resolve().parent)).as_posix()
    except ValueError:  # on another drive
        return video.resolve().as_posix()


def labelled_frames(table: Path, video: Path) -> list[int]:
    """Return the frames of the video that the table contains, skipped ones too; none where there is no table.

    Raises:
        DataError: the table exists and cannot be read.
    """
    if not table.exists():
        return []
    name = video_name(video, table)
    return [row.frame for row in read_own_labels(table) if row.video == name]
