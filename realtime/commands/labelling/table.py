"""Labels of one video: which face is next, what was said of it, and the table on the disk, saved after each key."""

import os
from collections.abc import Sequence
from pathlib import Path

from ....models.training.own_labels import OwnLabel, read_own_labels, write_own_labels
from .candidates import Candidate


class Labelling:
    """Goes through the candidates of one video; what is labelled is on the disk at once, so that one may stop any time.

    Attributes:
        candidates: what is offered, in order.
        position: which of them is shown; ``len(candidates)`` when all are done.
    """

    def __init__(self, table: Path, video: Path, candidates: Sequence[Candidate]) -> None:
        """Begin, or go on where an earlier run on the same table stopped.

        Args:
            table: the file to write; rows of it that are of other videos stay as they are.
            video: the labelled video.
            candidates: the faces to offer; those that the table has already come first.

        Raises:
            DataError: the table is there and cannot be read.
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
        """How many faces of this video have a label."""
        return sum(label.openness is not None for label in self._labels.values())

    @property
    def skipped(self) -> int:
        """How many were skipped."""
        return len(self._labels) - self.labelled

    def said(self, candidate: Candidate) -> OwnLabel | None:
        """What was said of a face, if anything."""
        return self._labels.get(candidate.frame)

    def say(self, openness: float | None) -> None:
        """Label the current face, or skip it with None; save; go on.

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

    def back(self) -> None:
        """Show the face before, to label it anew."""
        self.position = max(0, self.position - 1)


def video_name(video: Path, table: Path) -> str:
    """How the table names the video: from the table's folder where that can be told."""
    try:
        return Path(os.path.relpath(video.resolve(), table.resolve().parent)).as_posix()
    except ValueError:  # on another drive
        return video.resolve().as_posix()


def labelled_frames(table: Path, video: Path) -> list[int]:
    """Frames of the video that the table has already, skipped ones too; none where there is no table.

    Raises:
        DataError: the table is there and cannot be read.
    """
    if not table.exists():
        return []
    name = video_name(video, table)
    return [row.frame for row in read_own_labels(table) if row.video == name]
