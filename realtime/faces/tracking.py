"""Which face of this frame is which face of the frames before: a number that stays with one face.

A face is expected where its motion carries it, at about its size and with about its appearance. Everything is measured
in seconds and in face widths, so that 10 and 60 frames/s give the same numbers.

The follower (``following.py``) keeps faces too, but it does not replace the tracker:

- The follower drops a face at once when it is lost, for a face out of sight must have no row. The tracker remembers it
  for a second. A face that returns after it was hidden, or after a cut and back, keeps its id.
- The follower matches by overlap alone, which is enough to correct positions. Where two faces cross it may exchange
  them. The tracker matches by motion, size and appearance, so each id stays with its person.
- The tracker needs only boxes, crops and times. So it works, and is tested, with any detector, and without a follower.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, hypot, inf, log, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.face import Face

MEMORY = 1.0  # s out of sight until a face is forgotten and, back again, counts as a new one
REACH = 0.6  # face widths a face may be from where it is expected ...
REACH_SPEED = 3.0  # ... and as many more for each second since it was last seen
MOST_GROWTH = log(2.5)  # a face so many times larger or smaller than before is another
APPEARANCE_WEIGHT = 6.0  # face widths that a full difference in appearance counts for
GROWTH_WEIGHT = 0.5  # face widths that a size e times as large counts for
MOST_DIFFERENCE = 0.18  # of appearance (0..1): after a gap, more is another face; in plain sight light may change
GAP = 0.25  # s from which on it is a gap
VELOCITY_MEMORY = 0.12  # s over which a velocity is averaged
COASTING = 0.4  # s for which an unseen face's motion is taken to go on, fading
DESCRIPTOR_SIZE = 6  # the appearance descriptor is the crop averaged to 6x6 pixels


@dataclass(slots=True)
class _Track:
    face_id: int
    time: float
    centre: tuple[float, float]
    width: float
    appearance: NDArray[np.float32]
    velocity: tuple[float, float] = (0.0, 0.0)

    def expected(self, time: float) -> tuple[float, float]:
        """Return where the face should be by now, in pixels."""
        coast = COASTING * (1 - exp(-(time - self.time) / COASTING))
        return self.centre[0] + coast * self.velocity[0], self.centre[1] + coast * self.velocity[1]

    def update(self, face: Face, appearance: NDArray[np.float32], time: float) -> None:
        """Update it with its face in the newest frame."""
        step, centre = time - self.time, _centre(face)
        if step > 0:
            keep = exp(-step / VELOCITY_MEMORY)
            self.velocity = tuple(  # type: ignore[assignment]
                keep * v + (1 - keep) * (new - old) / step
                for v, new, old in zip(self.velocity, centre, self.centre, strict=True)
            )
        self.time, self.centre, self.width = time, centre, face.box[2]
        self.appearance = appearance


class Tracker:
    """Gives each face of each frame its id."""

    def __init__(self) -> None:
        """Begin without faces; the first one gets id 0."""
        self._tracks: list[_Track] = []
        self._next_id = 0

    @property
    def known(self) -> set[int]:
        """Return the ids of the faces in sight, or out of it for no more than a second."""
        return {track.face_id for track in self._tracks}

    def update(self, faces: Sequence[Face], crops: NDArray[np.uint8], time: float) -> list[int]:
        """Give the faces of the next frame their ids.

        Args:
            faces: the faces of one frame.
            crops: (n, 60, 60, 3) uint8, their crops: their appearance distinguishes two faces whose paths cross.
            time: the frame's, in seconds.

        Returns:
            An id for each face, in their order.
        """
        self._tracks = [track for track in self._tracks if time - track.time <= MEMORY]
        appearances = [_appearance(crop) for crop in crops]
        costs = [
            (cost, i, track)
            for track in self._tracks
            for i, face in enumerate(faces)
            if (cost := _cost(track, face, appearances[i], time)) < inf
        ]
        ids: dict[int, int] = {}
        taken: set[int] = set()
        for _, i, track in sorted(costs, key=lambda c: c[0]):
            if i not in ids and track.face_id not in taken:
                ids[i] = track.face_id
                taken.add(track.face_id)
                track.update(faces[i], appearances[i], time)
        for i, face in enumerate(faces):
            if i not in ids:
                ids[i] = self._next_id
                self._tracks.append(_Track(self._next_id, time, _centre(face), face.box[2], appearances[i]))
                self._next_id += 1
        return [ids[i] for i in range(len(faces))]


def _cost(track: _Track, face: Face, appearance: NDArray[np.float32], time: float) -> float:
    """Return the cost of matching a face to a track, in face widths; inf where they cannot match."""
    gap = time - track.time
    expected, centre = track.expected(time), _centre(face)
    width = max(1.0, (track.width + face.box[2]) / 2)
    distance = hypot(centre[0] - expected[0], centre[1] - expected[1]) / width
    growth = abs(log(max(face.box[2], 1.0) / max(track.width, 1.0)))
    apart = (appearance - track.appearance).ravel()
    difference = sqrt(float(apart.dot(apart)) / len(apart))
    if distance > REACH + REACH_SPEED * gap or growth > MOST_GROWTH or (gap > GAP and difference > MOST_DIFFERENCE):
        return inf
    return distance + GROWTH_WEIGHT * growth + APPEARANCE_WEIGHT * difference


def _centre(face: Face) -> tuple[float, float]:
    x, y, width, height = face.box
    return x + width / 2, y + height / 2


def _appearance(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the appearance descriptor of a crop, (6, 6, 3) float32, 0..1."""
    small = cv2.resize(crop, (DESCRIPTOR_SIZE, DESCRIPTOR_SIZE), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / np.float32(255)
