"""Find the faces of each frame: the detector runs at times, in between each face is followed.

What is known of a face comes from past frames only, the same in live and recorded video. One pass of the detector costs
as much as the rest of a frame together; to follow a face costs a twentieth of it. So the detector runs only

- for known faces: every 0.2 s, or 0.1 s while one is new or moves otherwise than expected; at once if one is lost;
- for new faces: within 0.1 s after the frame has changed anywhere but in the known faces' boxes, and only on the
  changed part where that is small. A frame that does not change is searched every 0.5 s while there is no face in it;
- for small faces: on each tile every 2 s, or 10 s while the tile does not change.

Where the whole picture moves, as from a camera in the hand, the whole frame is searched every tenth of a second.

The follower does not decide which person a face is. Two people whose paths cross may exchange their entries in it.
``tracking.py`` gives each face its id, and says why that is a step of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log

import numpy as np
from numpy.typing import NDArray

from ...models.face import Face
from ...models.faces import FaceFinder
from ...models.rectangle import Rectangle
from ...models.tiles import is_part_of
from .changes import Mosaic, changed, mosaic, renewed
from .followed import Followed, matched

DETECT_INTERVAL = 0.1  # s that a new face waits for its first row, at most
TILES_EVERY = 2.0  # s in which each tile of the frame is searched once, where small faces are wanted
WHOLE_EVERY = 0.5  # s between searches of the whole frame where there is no face, even if nothing changes
JITTER = 1e-3  # s by which frames' times may be off
TILES_AGAIN = 10.0  # s after which a tile is searched again, even where nothing changed in it
MOST_NEAR = 2  # searches around faces too small for the whole frame that are not urgent, in one frame
CUT = 20.0  # mean difference of grey values from which on it is another scene
THUMBNAIL = 24  # points a side that are compared to find a cut

Picture = NDArray[np.uint8]


@dataclass(slots=True)
class FaceFollower:
    """The faces of each frame of one source. Remembers them: one follower serves one source.

    Attributes:
        finder: detects and verifies them.
        detect_interval: seconds until a new face is detected, at most; 0 runs the detector on every frame.
    """

    finder: FaceFinder
    detect_interval: float = DETECT_INTERVAL
    _faces: list[Followed] = field(default_factory=list[Followed], init=False)
    _searched: float | None = field(default=None, init=False)
    _tile: int = field(default=0, init=False)
    _tile_turned: float = field(default=0.0, init=False)
    _tile_seen: dict[int, tuple[float, Mosaic]] = field(default_factory=dict[int, tuple[float, Mosaic]], init=False)
    _thumbnail: NDArray[np.uint8] | None = field(default=None, init=False)
    _whole_searched: float | None = field(default=None, init=False)
    _as_searched: Mosaic | None = field(default=None, init=False)  # each part as it was when it was searched
    _doubtful: bool = field(default=False, init=False)  # whether a detection was not verified

    def find(self, image: Picture, time: float) -> list[Face]:
        """Find the faces of the next frame.

        Args:
            image: (h, w, 3) uint8, BGR.
            time: the frame's, in seconds.
        """
        cut = self._is_cut(image)
        if cut:
            self._faces, self._searched, self._whole_searched = [], None, None
            self._tile_seen.clear()
        for face in self._faces:
            face.move(image)
        lost = not all(face.moved for face in self._faces)
        whole = lost or self.detect_interval == 0 or self._is_whole_due(time)
        # The next frame would be too late for a face that came with the frame after the last search.
        if whole or _is_over(self._searched, time, self.detect_interval):
            self._search(image, time, whole)
        else:
            self._search_next_tile(image, time)
        return [followed.face() for followed in self._faces]

    def _is_cut(self, image: Picture) -> bool:
        """Return whether this frame shows another scene, or has another size, than the one before."""
        height, width = image.shape[:2]
        points = np.ascontiguousarray(image[:: -(-height // THUMBNAIL), :: -(-width // THUMBNAIL), 1])
        before, self._thumbnail = self._thumbnail, points
        if before is None or before.shape != points.shape:
            return True
        # Numpy, here and where else little is to be done: each call of OpenCV hands Python's lock to another thread.
        return int(np.abs(points.astype(np.int16) - before).sum()) > CUT * points.size

    def _search(self, image: Picture, time: float, whole: bool) -> None:
        """Search the whole frame where that is due; else search for new faces only, where they can be."""
        self._searched, now = time, mosaic(image)
        if whole or self._doubtful or self._has_new(image, now):
            self._search_whole(image, time)
            self._as_searched, self._whole_searched = now, time

    def _is_whole_due(self, time: float) -> bool:
        """Return whether the whole frame must be searched, where it changed and where it did not."""
        intervals = [face.detection_interval(self.finder.min_evidence) for face in self._faces if face.moved]
        return _is_over(self._whole_searched, time, min(intervals, default=WHOLE_EVERY) - JITTER)

    def _has_new(self, image: Picture, now: Mosaic) -> bool:
        """Return whether there may be a new face: a detection where the frame changed since it was searched."""
        size, known = image.shape[1::-1], [face.face() for face in self._faces]
        if self._as_searched is None:
            return True
        area = changed(self._as_searched, now, size, [_area(face) for face in known])
        if area is None or not known:
            return area is not None
        detections = self.finder.detect_in_part(image, area)
        self._as_searched = renewed(self._as_searched, now, size, area)
        return detections is None or any(not _belongs(detection, known) for detection in detections)

    def _search_whole(self, image: Picture, time: float) -> None:
        """Search the whole frame, and once more around each known face that is missing."""
        detections = self.finder.detect(image)
        pairs = matched([face.face() for face in self._faces], detections)
        for i, j in pairs.items():
            self._faces[i].correct(detections[j], time)
        kept = [self._faces[i] for i in sorted(pairs)]
        missing = [face for i, face in enumerate(self._faces) if i not in pairs]
        kept += self._recovered(image, missing, kept, time)
        kept = self._verified(image, kept, time)
        new = [detection for j, detection in enumerate(detections) if j not in pairs.values()]
        kept += self._new_faces(image, new, kept, time)
        if not kept:
            kept = self._new_faces(image, self.finder.detect_padded(image), [], time)
        for face in kept:
            if face.seen == time:
                face.keep_patch(image)
        self._faces, known = kept, [face.face() for face in kept]
        self._doubtful = any(not _belongs(detection, known) for detection in detections)

    def _recovered(self, image: Picture, missing: list[Followed], kept: list[Followed], time: float) -> list[Followed]:
        """Return the missing faces that are detected in their surroundings, and those whose turn it is not yet."""
        found: list[Followed] = []
        turns = MOST_NEAR
        for face in sorted(missing, key=lambda face: (face.moved, face.seen)):
            if face.moved and not turns:
                found.append(face)
                continue
            turns -= face.moved
            others = [other.face() for other in kept + found]
            detections = [d for d in self.finder.detect_near(image, face.face()) if not _belongs(d, others)]
            if pairs := matched([face.face()], detections):
                face.correct(detections[pairs[0]], time)
                found.append(face)
        return found

    def _verified(self, image: Picture, faces: list[Followed], time: float) -> list[Followed]:
        """Return the faces that are still verified, after a face check of those that are due for it."""
        due = [face for face in faces if face.needs_check(time, self.finder.min_evidence)]
        for face, evidence in zip(due, self.finder.evidence(image, [f.face() for f in due]), strict=True):
            face.add_evidence(float(evidence), time)
        return [face for face in faces if face.evidence >= self.finder.min_evidence]

    def _new_faces(
        self, image: Picture, detections: Sequence[Face], known: list[Followed], time: float, passes: int = 1
    ) -> list[Followed]:
        """Begin to follow the detections that are verified; they come from one of so many passes over the frame."""
        detections = [face for face in detections if not _belongs(face, [other.face() for other in known])]
        evidence = self.finder.evidence(image, detections)
        return [
            Followed.begin(face, image, float(enough), time)
            for face, enough in zip(detections, evidence, strict=True)
            if enough >= self.finder.min_evidence + log(passes)
        ]

    def _search_next_tile(self, image: Picture, time: float) -> None:
        """Search the next tile for new faces, where small ones are wanted and the tile's turn has come."""
        tiles = self.finder.tiles(image)
        if not tiles or 0 <= time - self._tile_turned < TILES_EVERY / len(tiles):
            return
        self._tile, self._tile_turned = (self._tile + 1) % len(tiles), time
        size, known, tile = image.shape[1::-1], [_area(face.face()) for face in self._faces], tiles[self._tile]
        then, before = self._tile_seen.get(self._tile, (0.0, None))
        now = mosaic(image)
        if before is not None and 0 <= time - then < TILES_AGAIN and not changed(before, now, size, known, tile):
            return
        detections = self.finder.detect_in_tile(image, tile)
        self._faces += self._new_faces(image, detections, self._faces, time, passes=len(tiles))
        if all(_belongs(detection, [face.face() for face in self._faces]) for detection in detections):
            self._tile_seen[self._tile] = time, now


def _is_over(since: float | None, time: float, length: float) -> bool:
    """Return whether more than so many seconds have passed, or there was no beginning, or the clock went back."""
    return since is None or time < since or time - since > length + 1e-6


def _belongs(detection: Face, faces: Sequence[Face]) -> bool:
    return any(is_part_of(detection, face) for face in faces)


def _area(face: Face) -> Rectangle:
    """Return the face's box in whole pixels."""
    left, top, width, height = (round(n) for n in face.box)
    return Rectangle(left, top, width, height)
