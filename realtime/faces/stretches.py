"""A long recording in stretches, so that several processes can share it.

A follower remembers what it saw, so the faces of a frame depend on the frames before it. In a long recording a new
follower takes over every two minutes. It starts two seconds earlier, to know the faces by then. So a stretch can be
analysed by itself, and whoever does it gets the same faces. Ids, smoothed values and events are made of all stretches
in order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from math import ceil
from pathlib import Path
from typing import IO, Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ...models.errors import StretchError
from ...models.face import Face
from ..video.sources import VideoSource
from ..video.video_file import VideoFile
from .following import FaceFollower, thumbnail

LENGTH = 120.0  # s of a stretch
WARM_UP = 2.0  # s before it in which its follower learns the faces
SHORTEST = 600.0  # s of a recording that is done in stretches

Picture = NDArray[np.uint8]
Values = Sequence[tuple[float, float]]
"""The openness and the reliability of each face of a frame."""


def stretches_at(time: float) -> range:
    """Return the numbers of the stretches whose follower sees a frame: its own first, then one that warms up."""
    return range(int(time // LENGTH), int((time + WARM_UP) // LENGTH) + 1)


def is_long(source: VideoSource) -> bool:
    """Return whether a recording is so long that it is analysed in stretches."""
    return isinstance(source, VideoFile) and (source.duration or 0) >= SHORTEST


def stretch_count(duration: float) -> int:
    """Return the number of stretches of a recording that lasts about so many seconds."""
    return ceil(duration / LENGTH)


def start_of(number: int) -> float:
    """Return the time in seconds from which on a stretch's follower sees the frames."""
    return max(0.0, number * LENGTH - WARM_UP)


def fingerprint(image: Picture) -> int:
    """Return a number that tells whether two processes decoded the same picture, (h, w, 3) uint8 BGR."""
    return crc32(thumbnail(image).tobytes())


@dataclass(frozen=True, slots=True, eq=False)
class StretchRecord:
    """What was found in the n frames of a stretch, with m faces in all; those of a frame follow each other.

    Attributes:
        times: (n,) float64, in seconds.
        prints: (n,) uint32, the fingerprints of the pictures.
        cuts: (n,) bool, whether the frame shows another scene than the one before.
        counts: (n,) int64, the number of faces.
        boxes: (m, 4) float64.
        keypoints: (m, 6, 2) float32.
        scores: (m,) float64.
        values: (m, 2) float64, openness and reliability; 0 while the follower warms up.
    """

    times: NDArray[np.float64]
    prints: NDArray[np.uint32]
    cuts: NDArray[np.bool_]
    counts: NDArray[np.int64]
    boxes: NDArray[np.float64]
    keypoints: NDArray[np.float32]
    scores: NDArray[np.float64]
    values: NDArray[np.float64]

    def save(self, path: Path) -> None:
        """Write it to a file that ends in ``.npz``.

        Raises:
            OSError: it cannot be written.
        """
        np.savez(path, **{item.name: getattr(self, item.name) for item in fields(self)})

    @classmethod
    def load(cls, file: Path | IO[bytes]) -> Self:
        """Read it from a file.

        Raises:
            OSError: it cannot be read.
        """
        with np.load(file) as arrays:
            return cls(**{item.name: arrays[item.name] for item in fields(cls)})

    def begins_with(self, image: Picture, time: float) -> bool:
        """Return whether this frame is its first one."""
        return len(self.times) > 0 and self.times[0] == time and self.prints[0] == fingerprint(image)


class RecordBuilder:
    """Collects what is found in the frames of a stretch."""

    def __init__(self) -> None:
        self._frames: list[tuple[float, int, bool, int]] = []
        self._faces: list[tuple[Face, tuple[float, float]]] = []

    def add(self, image: Picture, time: float, is_cut: bool, faces: Sequence[Face], values: Values) -> None:
        """Take what was found in the next frame."""
        self._frames.append((time, fingerprint(image), is_cut, len(faces)))
        self._faces += zip(faces, values, strict=True)

    def record(self) -> StretchRecord:
        """Return the record."""
        times, prints, cuts, counts = zip(*self._frames, strict=True) if self._frames else ((),) * 4
        faces = [face for face, _ in self._faces]
        return StretchRecord(
            np.array(times, np.float64),
            np.array(prints, np.uint32),
            np.array(cuts, np.bool_),
            np.array(counts, np.int64),
            np.array([face.box for face in faces], np.float64).reshape(-1, 4),
            np.array([face.keypoints for face in faces], np.float32).reshape(-1, 6, 2),
            np.array([face.score for face in faces], np.float64),
            np.array([values for _, values in self._faces], np.float64).reshape(-1, 2),
        )


class Replay:
    """A record in place of a follower."""

    def __init__(self, record: StretchRecord) -> None:
        """Begin with its first frame."""
        self._record = record
        self._frame = self._face = 0
        self.is_cut = False
        self.values: Values | None = None

    def find(self, image: Picture, time: float) -> list[Face]:
        """Return the faces of the next frame.

        Raises:
            StretchError: the frame is another one than was recorded.
        """
        record, frame, first = self._record, self._frame, self._face
        if frame >= len(record.times) or record.times[frame] != time or record.prints[frame] != fingerprint(image):
            raise StretchError(f"the frame at {time:.3f} s is not the one that another process decoded")
        self._frame, self._face = frame + 1, first + int(record.counts[frame])
        self.is_cut = bool(record.cuts[frame])
        faces = slice(first, self._face)
        self.values = [(openness, reliability) for openness, reliability in record.values[faces].tolist()]
        rows = zip(record.boxes[faces].tolist(), record.keypoints[faces], record.scores[faces].tolist(), strict=True)
        return [Face(tuple(box), keypoints, score) for box, keypoints, score in rows]


class StretchFollower:
    """Finds the faces of a long recording: a follower for each stretch, or the record of one that worked elsewhere.

    Attributes:
        is_cut: whether the newest frame shows another scene than the one before.
        values: the openness and reliability of its faces, where they are recorded.
    """

    def __init__(
        self, new_follower: Callable[[], FaceFollower], record_of: Callable[[int], StretchRecord | None] | None = None
    ) -> None:
        """Begin.

        Args:
            new_follower: makes a follower.
            record_of: returns the record of a stretch, by its number; None where there is none.
        """
        self._new_follower, self._record_of = new_follower, record_of
        self._parts: dict[int, FaceFollower | Replay] = {}
        self.is_cut = False
        self.values: Values | None = None

    def find(self, image: Picture, time: float) -> list[Face]:
        """Find the faces of the next frame.

        Args:
            image: (h, w, 3) uint8, BGR.
            time: the frame's, in seconds.

        Raises:
            StretchError: a record is of other frames.
        """
        numbers = stretches_at(time)
        self._parts = {number: self._parts.get(number) or self._part(number, image, time) for number in numbers}
        found = [part.find(image, time) for part in self._parts.values()]
        part = self._parts[numbers[0]]
        self.is_cut = part.is_cut
        self.values = part.values if isinstance(part, Replay) else None
        return found[0]

    def _part(self, number: int, image: Picture, time: float) -> FaceFollower | Replay:
        """Return the part for a stretch that begins with this frame."""
        record = self._record_of(number) if self._record_of else None
        return Replay(record) if record and record.begins_with(image, time) else self._new_follower()
