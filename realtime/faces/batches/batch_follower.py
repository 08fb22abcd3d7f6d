"""Find and read the faces of a recording chunk by chunk, as a GPU works best.

The faces of a chunk are found before those of the chunk before it are read, so that key points can be smoothed with
what comes after.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ....models.crop import CROP_SIZE
from ....models.face import Face
from ...records import Frame
from ..following import CUT, thumbnail
from ..stretches import Values
from .answers import Answers, in_parts
from .chunks import Chunk, Chunker
from .device import Device
from .key_points import REACH, smoothed
from .search import GAP, FrameSearch, State

MOST_ROUNDS = 16  # after which what was not found counts as not there


@dataclass(frozen=True, slots=True, eq=False)
class BatchFound:
    """A frame with its faces, found and read.

    Attributes:
        frame: the frame.
        faces: the faces in it.
        is_cut: whether the frame shows another scene than the one before.
        values: the openness and the reliability of each face.
        crops: (n, 60, 60, 3) uint8 RGB, of each face.
        picture: (h, w, 3) uint8 BGR: the frame's, or a small copy of it where it has none.
        scale: the size of that picture, as a share of the frame's.
    """

    frame: Frame
    faces: list[Face]
    is_cut: bool
    values: Values
    crops: NDArray[np.uint8]
    picture: NDArray[np.uint8]
    scale: float


@dataclass(slots=True)
class _Track:
    """The detections of one face: their times in seconds, and the faces."""

    times: list[float] = field(default_factory=list[float])
    faces: list[Face] = field(default_factory=list[Face])

    def faces_at(self, wanted: Sequence[float]) -> dict[float, Face]:
        """Return the face at those of the times at which it was there, its points smoothed."""
        known = np.array(self.times)
        after = np.searchsorted(known, wanted)
        inside = (after < len(known)) & (known[np.minimum(after, len(known) - 1)] == wanted)
        between = (after > 0) & (after < len(known))
        gaps = known[np.minimum(after, len(known) - 1)] - known[np.maximum(after - 1, 0)]
        chosen = [t for t, here in zip(wanted, inside | (between & (gaps <= GAP + 1e-6)), strict=True) if here]
        if not chosen:
            return {}
        values = np.array([[*face.box, *face.keypoints.ravel()] for face in self.faces], np.float64)
        scores = [self.faces[max(0, i - 1)].score for i in np.searchsorted(known, chosen, side="right")]
        made = smoothed(self.times, values, chosen)
        return {
            time: Face(tuple(row[:4].tolist()), row[4:].reshape(-1, 2).astype(np.float32), score)
            for time, row, score in zip(chosen, made, scores, strict=True)
        }

    def forget(self, before: float) -> None:
        """Forget the detections before a time."""
        first = int(np.searchsorted(self.times, before))
        del self.times[:first], self.faces[:first]


class BatchFollower:
    """Finds and reads the faces of one source, chunk by chunk. Remembers them: one follower serves one source."""

    def __init__(self, device: Device, chunker: Chunker) -> None:
        """Begin.

        Args:
            device: does the work.
            chunker: made the chunks; it makes them smaller where the device's memory is too small.
        """
        self._device, self._chunker = device, chunker
        self._state = State()
        self._thumbnail: NDArray[np.uint8] | None = None
        self._tracks: dict[int, _Track] = {}

    def run(self, chunks: Iterable[Chunk]) -> Generator[BatchFound]:
        """Yield the frames of the chunks, each with its faces."""
        waiting: list[tuple[Chunk, list[bool]]] = []
        for chunk in chunks:
            waiting.append((chunk, self._find(chunk)))
            while waiting and waiting[0][0].frames[-1].time + max(REACH, GAP) <= chunk.frames[-1].time:
                yield from self._read(*waiting.pop(0))
        for one in waiting:
            yield from self._read(*one)

    def _find(self, chunk: Chunk) -> list[bool]:
        """Find the faces of a chunk; return for each frame whether it begins another scene."""
        scenes = [self._is_new_scene(chunk, n) for n in range(len(chunk.frames))]
        answers = Answers(chunk, self._device.finder, self._chunker.halve)
        states: list[State] = []
        for rounds in range(MOST_ROUNDS + 1):
            answers.is_final = rounds == MOST_ROUNDS
            first_open: int | None = None
            for number in range(len(states), len(chunk.frames)):
                before = states[-1] if states else self._state
                search = FrameSearch(chunk, number, answers, self._device.min_evidence, self._device.min_face)
                states.append(search.begin_scene(before) if scenes[number] else search.go_on(before))
                if first_open is None and answers.is_waiting:
                    first_open = number
            if first_open is None:
                break
            del states[first_open:]
            answers.find()
        self._keep(states)
        return scenes

    def _keep(self, states: Sequence[State]) -> None:
        self._state = states[-1]
        for state in states:
            for one in state.faces:
                if one.seen == state.time:
                    track = self._tracks.setdefault(one.number, _Track())
                    track.times.append(state.time)
                    track.faces.append(one.face)

    def _is_new_scene(self, chunk: Chunk, number: int) -> bool:
        points = thumbnail(chunk.picture(number))
        before, self._thumbnail = self._thumbnail, points
        if before is None or before.shape != points.shape:
            return True
        return int(np.abs(points.astype(np.int16) - before).sum()) > CUT * points.size

    def _read(self, chunk: Chunk, scenes: Sequence[bool]) -> Generator[BatchFound]:
        """Read the faces of a chunk, and yield its frames."""
        times = [frame.time for frame in chunk.frames]
        tracks = [track.faces_at(times) for track in self._tracks.values()]
        faces = [[track[time] for track in tracks if time in track] for time in times]
        placed = [(number, face) for number, found in enumerate(faces) for face in found]
        values, crops = self._read_faces(chunk, placed)
        at = 0
        for number, frame in enumerate(chunk.frames):
            end = at + len(faces[number])
            is_cut = scenes[number] and frame.index > 0
            picture = chunk.picture(number)
            yield BatchFound(frame, faces[number], is_cut, values[at:end], crops[at:end], picture, chunk.scale)
            at = end
        self._forget(times[-1])

    def _read_faces(self, chunk: Chunk, placed: list[tuple[int, Face]]) -> tuple[Values, NDArray[np.uint8]]:
        """Return the openness and the reliability of each face, and its crop."""
        if not placed:
            return [], np.empty((0, CROP_SIZE, CROP_SIZE, 3), np.uint8)
        reader = self._device.reader

        def read(part: Sequence[tuple[int, Face]]) -> list[tuple[tuple[float, float], NDArray[np.uint8]]]:
            """Read a part of the faces."""
            found = reader.read(chunk.pictures, part)
            values = zip(found.openness.tolist(), found.reliability.tolist(), strict=True)
            return list(zip(values, reader.crops(chunk.pictures, part), strict=True))

        values, crops = zip(*in_parts(read, placed, self._chunker.halve), strict=True)
        return values, np.stack(crops)

    def _forget(self, time: float) -> None:
        """Forget what no frame after a time needs."""
        for track in self._tracks.values():
            track.forget(time - max(REACH, GAP))
        self._tracks = {number: track for number, track in self._tracks.items() if track.times}
