"""Which face of this frame is which face of the frames before: a number that stays with one face.

A face is expected where its motion carries it, at about its size and with about its appearance. Everything is measured
in seconds and in face widths, so that 10 and 60 frames/s give the same numbers.

The follower (``following.py``) keeps faces too, but it does not replace the tracker:

- The follower drops a face at once when it is lost, for a face out of sight must have no row. The tracker remembers it
  for a second. A face that returns after it was hidden, or after a cut and back, keeps its id.
- The follower matches by overlap alone, which is enough to correct positions. Where two faces cross it may exchange
  them. The tracker matches by motion, size and appearance, so each id stays with its person.
- The tracker needs only pictures, boxes, crops and times. So it works, and is tested, with any detector, and without a
  follower.

From frame to frame light and pose hardly change. So where a face changes suddenly, or the scene does, the aligned face
itself tells whether it is the same person, by its correlation with that of the frame before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, hypot, inf, log, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.crop import WHOLE_FACE, crop_faces
from ...models.face import Box, Face

MEMORY = 1.0  # s out of sight until a face is forgotten and, back again, counts as a new one
REACH = 0.6  # face widths a face may be from where it is expected ...
REACH_SPEED = 3.0  # ... and as many more for each second since it was last seen
MOST_GROWTH = log(2.5)  # a face so many times larger or smaller than before is another
APPEARANCE_WEIGHT = 6.0  # face widths that a full difference in appearance counts for
GROWTH_WEIGHT = 0.5  # face widths that a size e times as large counts for
MOST_DIFFERENCE = 0.18  # of appearance (0..1): after a gap, more is another face; in plain sight light may change
GAP = 0.25  # s from which on it is a gap
SUDDEN = 0.05  # of appearance from one frame to the next: more is seen once in a thousand frames of one face
SAME_FACE = 0.6  # correlation below which a sudden change is another person; 95 % of pairs of people lie below
SAME_SHOT = 0.9  # the same at a cut: in one shot it is at least that from frame to frame, whatever the light does
PORTRAIT_SIZE = 16  # pixels a side
VELOCITY_MEMORY = 0.12  # s over which a velocity is averaged
COASTING = 0.4  # s for which an unseen face's motion is taken to go on, fading
DESCRIPTOR_SIZE = 6  # the appearance descriptor is the crop averaged to 6x6 pixels


@dataclass(slots=True)
class _Track:
    """A face that is tracked.

    ``picture`` is that of the frame in which it was last seen, until the portrait is made of it.
    """

    face_id: int
    time: float
    face: Face
    appearance: NDArray[np.float32]
    picture: NDArray[np.uint8] | None
    before_cut: bool = False
    velocity: tuple[float, float] = (0.0, 0.0)
    _looks: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def looks(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return its portrait, and what its box contained; made when first needed."""
        if self._looks is None:
            assert self.picture is not None
            self._looks = _portrait(self.picture, self.face), _content(self.picture, self.face.box)
            self.picture = None
        return self._looks

    def likeness(self, seen: "_Seen") -> float:
        """Return how much it is like a face of the newest frame, -1 to 1.

        That is the correlation of the aligned faces, or that of what the box contains if it is larger: detections may
        be misaligned, and where a face hardly moves, its picture tells as much.
        """
        portrait, content = self.looks()
        there = _content(seen.picture, self.face.box)
        return max(float((portrait * seen.portrait).sum()), float((content * there).sum()))

    def expected(self, time: float) -> tuple[float, float]:
        """Return where the face should be by now, in pixels."""
        coast = COASTING * (1 - exp(-(time - self.time) / COASTING))
        x, y = _centre(self.face)
        return x + coast * self.velocity[0], y + coast * self.velocity[1]

    def update(self, picture: NDArray[np.uint8], face: Face, appearance: NDArray[np.float32], time: float) -> None:
        """Update it with its face in the newest frame."""
        step, centre = time - self.time, _centre(face)
        if step > 0:
            keep = exp(-step / VELOCITY_MEMORY)
            self.velocity = tuple(  # type: ignore[assignment]
                keep * v + (1 - keep) * (new - old) / step
                for v, new, old in zip(self.velocity, centre, _centre(self.face), strict=True)
            )
        self.time, self.face, self.appearance, self.before_cut = time, face, appearance, False
        self.picture, self._looks = picture, None


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

    def update(
        self,
        picture: NDArray[np.uint8],
        faces: Sequence[Face],
        crops: NDArray[np.uint8],
        time: float,
        is_cut: bool = False,
    ) -> list[int]:
        """Give the faces of the next frame their ids. Of new faces the leftmost has the lowest.

        Args:
            picture: (h, w, 3) uint8 BGR, the frame. It must not change afterwards.
            faces: the faces in it.
            crops: (n, 60, 60, 3) uint8, their crops: their appearance distinguishes two faces whose paths cross.
            time: the frame's, in seconds.
            is_cut: whether the frame shows another scene than the one before: then a face keeps its id only if its
                portrait is the same.

        Returns:
            An id for each face, in their order.
        """
        self._tracks = [track for track in self._tracks if time - track.time <= MEMORY]
        for track in self._tracks:
            track.before_cut |= is_cut
        seen = [_Seen(picture, face, _appearance(crop)) for face, crop in zip(faces, crops, strict=True)]
        costs = [
            (cost, i, track)
            for track in self._tracks
            for i, one in enumerate(seen)
            if (cost := _cost(track, one, time)) < inf
        ]
        ids: dict[int, int] = {}
        taken: set[int] = set()
        for _, i, track in sorted(costs, key=lambda c: c[0]):
            if i not in ids and track.face_id not in taken:
                ids[i] = track.face_id
                taken.add(track.face_id)
                track.update(picture, faces[i], seen[i].appearance, time)
        for track in self._tracks:
            if track.time != time:
                track.looks()  # so that its picture is not kept for the second that it is remembered
        for i in sorted(set(range(len(faces))) - ids.keys(), key=lambda i: _centre(faces[i])):
            ids[i] = self._next_id
            self._tracks.append(_Track(self._next_id, time, faces[i], seen[i].appearance, picture))
            self._next_id += 1
        return [ids[i] for i in range(len(faces))]


class _Seen:
    """A face of the newest frame, with a portrait that is made when it is first needed."""

    def __init__(self, picture: NDArray[np.uint8], face: Face, appearance: NDArray[np.float32]) -> None:
        self.face, self.appearance, self.picture = face, appearance, picture

    @cached_property
    def portrait(self) -> NDArray[np.float32]:
        """Return its portrait."""
        return _portrait(self.picture, self.face)


def _cost(track: _Track, seen: _Seen, time: float) -> float:
    """Return the cost of matching a face to a track, in face widths; inf where they cannot match."""
    gap, box = time - track.time, seen.face.box
    expected, centre = track.expected(time), _centre(seen.face)
    width = max(1.0, (track.face.box[2] + box[2]) / 2)
    distance = hypot(centre[0] - expected[0], centre[1] - expected[1]) / width
    growth = abs(log(max(box[2], 1.0) / max(track.face.box[2], 1.0)))
    apart = (seen.appearance - track.appearance).ravel()
    difference = sqrt(float(apart.dot(apart)) / len(apart))
    if distance > REACH + REACH_SPEED * gap or growth > MOST_GROWTH or (gap > GAP and difference > MOST_DIFFERENCE):
        return inf
    is_sudden = gap <= GAP and difference > SUDDEN
    if (track.before_cut or is_sudden) and track.likeness(seen) < (SAME_SHOT if track.before_cut else SAME_FACE):
        return inf
    return distance + GROWTH_WEIGHT * growth + APPEARANCE_WEIGHT * difference


def _portrait(picture: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
    """Return the aligned whole face, (16, 16) float32, grey, as :func:`_normalised` returns it."""
    (crop,) = crop_faces(picture, [face], WHOLE_FACE, PORTRAIT_SIZE)
    return _normalised(crop)


def _content(picture: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
    """Return what a box contains, (16, 16) float32, grey, as :func:`_normalised` returns it; zeros outside."""
    left, top, right, bottom = (max(0, round(n)) for n in (box[0], box[1], box[0] + box[2], box[1] + box[3]))
    part = picture[top:bottom, left:right]
    if not part.size:
        return np.zeros((PORTRAIT_SIZE, PORTRAIT_SIZE), np.float32)
    size = (PORTRAIT_SIZE, PORTRAIT_SIZE)
    return _normalised(cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False))


def _normalised(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the greys of a picture without its brightness and contrast: the product of two sums to the correlation."""
    grey = picture.astype(np.float32).mean(axis=2)
    grey -= grey.mean()
    return grey / np.float32(max(float(np.sqrt((grey * grey).sum())), 1e-3))


def _centre(face: Face) -> tuple[float, float]:
    x, y, width, height = face.box
    return x + width / 2, y + height / 2


def _appearance(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the appearance descriptor of a crop, (6, 6, 3) float32, 0..1."""
    small = cv2.resize(crop, (DESCRIPTOR_SIZE, DESCRIPTOR_SIZE), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / np.float32(255)
