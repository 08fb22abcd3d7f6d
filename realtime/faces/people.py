"""Which tracks of a recording are one person: told by appearance when the recording has ended.

The tracker (``tracking.py``) numbers a face anew after a cut or a second out of sight. Here each track gets the mean
embedding of some of its frames. In the order in which they appeared, each track joins the earlier person who is most
alike, unless both were in one frame, or none is alike enough. Two people who are taken for one spoil more than one
person who counts as two, so a doubtful track stays a person of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...models.face import Face, head_turn
from ..records import Analysis, Reading

SAME_PERSON = 0.4  # distance of mean embeddings up to which two tracks are one person
FIRST_STEP = 0.4  # s from a track's first embedding to its second; each step is twice as long as the one before
MOST_TURN = 0.4  # as head_turn reads it, a yaw of 30 to 45 degrees; beyond, faces of two people look more alike
SMALLEST = 40.0  # width in pixels of a face that is embedded


class Embedder(Protocol):
    """Anything that tells how alike faces are."""

    def embed(self, image: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.float32]:
        """Return an embedding of each face of an (h, w, 3) uint8 BGR picture, (n, 128) float32."""
        ...


@dataclass(slots=True)
class _Appearance:
    """What a track looks like: the sum of its embeddings, and when the next one is due."""

    due: float
    step: float = FIRST_STEP
    total: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    count: int = 0

    def add(self, embedding: NDArray[np.float32], time: float) -> None:
        """Add the embedding of a frame."""
        self.total = embedding.astype(np.float64) + (self.total if self.count else 0.0)
        self.count += 1
        self.due, self.step = time + self.step, 2 * self.step


@dataclass(slots=True)
class _Person:
    """Tracks that were joined."""

    tracks: set[int]
    total: NDArray[np.float64]
    count: int

    def distance(self, other: _Appearance) -> float:
        """Return the distance of the mean embeddings; inf where one has none."""
        if not self.count or not other.count:
            return float("inf")
        return float(np.linalg.norm(self.total / self.count - other.total / other.count))


class People:
    """Collects what the tracks of one recording look like, and joins them at its end.

    Its memory grows with the number of tracks only: a track has one sum of embeddings, and the numbers of those that it
    was seen with.
    """

    def __init__(self, embedder: Embedder) -> None:
        """Begin without tracks."""
        self._embedder = embedder
        self._tracks: dict[int, _Appearance] = {}  # in the order in which they appeared
        self._together: set[tuple[int, int]] = set()  # pairs that were there at the same time, the lower number first
        self._events: set[tuple[int | None, str]] = set()  # that are on: face and kind
        self._last: frozenset[int] = frozenset()

    def see(self, analysis: Analysis) -> None:
        """Look at the faces of the next frame."""
        for event in analysis.events:
            (self._events.add if event.type == "start" else self._events.discard)((event.face_id, event.kind))
        time = analysis.frame.time
        for reading in analysis.readings:
            self._tracks.setdefault(reading.face_id, _Appearance(time))
        due = [r for r in analysis.readings if self._tracks[r.face_id].due <= time and _is_plain(r)]
        if due:
            embeddings = self._embedder.embed(analysis.frame.image, [reading.face for reading in due])
            for reading, embedding in zip(due, embeddings, strict=True):
                self._tracks[reading.face_id].add(embedding, time)
        # A track whose event goes on counts as there: under one number an event must stop before the next can start.
        ids = {reading.face_id for reading in analysis.readings} | {i for i, _ in self._events if i is not None}
        if (present := frozenset(ids)) != self._last:
            self._last = present
            self._together.update(combinations(sorted(present), 2))

    def joined(self) -> dict[int, int]:
        """Return the person's number for each track: from 0, in the order in which people appeared."""
        people: list[_Person] = []
        numbers: dict[int, int] = {}
        for track, appearance in self._tracks.items():
            free = [(p.distance(appearance), n) for n, p in enumerate(people) if not self._was_beside(track, p)]
            distance, number = min(free, default=(float("inf"), 0))
            if distance <= SAME_PERSON:
                person = people[number]
                person.tracks.add(track)
                person.total, person.count = person.total + appearance.total, person.count + appearance.count
            else:
                number = len(people)
                people.append(_Person({track}, appearance.total, appearance.count))
            numbers[track] = number
        return numbers

    def _was_beside(self, track: int, person: _Person) -> bool:
        return any((min(track, other), max(track, other)) in self._together for other in person.tracks)


def _is_plain(reading: Reading) -> bool:
    """Return whether a face is large and frontal enough to be told from others."""
    return reading.face.box[2] >= SMALLEST and head_turn(reading.face) <= MOST_TURN
