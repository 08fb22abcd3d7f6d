"""Find the faces of each frame: the detector runs at times, in between each face is followed.

What is known of a face comes from past frames only, the same in live and recorded video. One pass of the detector costs
as much as the rest of a frame together; to follow a face costs a twentieth of it. So the detector runs only

- for known faces: every 0.2 s, or 0.1 s while one is new or moves otherwise than expected; at once if one is lost;
- for new faces: within 0.1 s after the frame has changed anywhere but in the known faces' boxes, and only on the
  changed part where that is small. A frame that does not change is searched every 0.5 s while there is no face in it;
- for small faces: on each tile every 2 s, or 10 s while the tile does not change;
- for faces that lie on a side or upside down: on the whole frame turned by quarters, one after the other, while there
  is no face or something large moves that is none.

At the start and after a cut it looks for all of them: in recorded video in that very frame, in live video by one pass
more in each of the next frames, so that none is late.

Where the whole picture moves, as from a camera in the hand, the whole frame is searched every tenth of a second.

The follower does not decide which person a face is. Two people whose paths cross may exchange their entries in it.
``tracking.py`` gives each face its id, and says why that is a step of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from ...models.face import Face
from ...models.faces import FaceFinder, Found
from ...models.rectangle import Rectangle
from ...models.rolls import ROLLS, quarters_to_upright
from ...models.tiles import is_part_of
from .changes import Mosaic, changed, mosaic, renewed
from .followed import Followed, is_kept, matched

DETECT_INTERVAL = 0.1  # s that a new face waits for its first row, at most
TILES_EVERY = 2.0  # s in which each tile of the frame is searched once, where small faces are wanted
WHOLE_EVERY = 0.5  # s between searches of the whole frame where there is no face, even if nothing changes
JITTER = 1e-3  # s by which frames' times may be off
TILES_AGAIN = 10.0  # s after which a tile is searched again, even where nothing changed in it
MOST_NEAR = 2  # searches around faces too small for the whole frame that are not urgent, in one frame
SLOW = 0.07  # s between frames from which on each frame has time for a search and a pass over a part
ROLL_EVERY = 0.7  # s between searches of the frame turned, while something large is unexplained
LARGE = 0.4  # of the frame's height: a part that changes and is as high is something large
CUT = 20.0  # mean difference of grey values from which on it is another scene
THUMBNAIL = 24  # points a side that are compared to find a cut

Picture = NDArray[np.uint8]


def thumbnail(image: Picture) -> NDArray[np.uint8]:
    """Return points of an (h, w, 3) uint8 BGR picture, at most 24 a side: (rows, columns) uint8, their green."""
    height, width = image.shape[:2]
    return np.ascontiguousarray(image[:: -(-height // THUMBNAIL), :: -(-width // THUMBNAIL), 1])


@dataclass(slots=True)
class FaceFollower:
    """The faces of each frame of one source. Remembers them: one follower serves one source.

    Attributes:
        finder: detects and verifies them.
        detect_interval: seconds until a new face is detected, at most; 0 runs the detector on every frame.
        live: spread the search at the start and after a cut over the next frames.
        is_cut: whether the newest frame shows another scene than the one before.
    """

    finder: FaceFinder
    detect_interval: float = DETECT_INTERVAL
    live: bool = False
    is_cut: bool = field(default=False, init=False)
    _faces: list[Followed] = field(default_factory=list[Followed], init=False)
    _searched: float | None = field(default=None, init=False)
    _tile: int = field(default=0, init=False)
    _tile_turned: float = field(default=0.0, init=False)
    _tile_seen: dict[int, tuple[float, Mosaic]] = field(default_factory=dict[int, tuple[float, Mosaic]], init=False)
    _thumbnail: NDArray[np.uint8] | None = field(default=None, init=False)
    _whole_searched: float | None = field(default=None, init=False)
    _as_searched: Mosaic | None = field(default=None, init=False)  # each part as it was when it was searched
    _doubtful: bool = field(default=False, init=False)  # whether a detection was not verified
    _unexplained: bool = field(default=False, init=False)  # whether something large moves that is no known face
    _pending: list[int | Rectangle] = field(default_factory=list[int | Rectangle], init=False)  # rolls and tiles
    _rolls: Iterator[int] = field(default_factory=lambda: cycle(ROLLS), init=False)
    _time: float = field(default=0.0, init=False)  # of the newest frame
    _rolled: float = field(default=0.0, init=False)  # when the frame was last searched turned

    def find(self, image: Picture, time: float) -> list[Face]:
        """Find the faces of the next frame.

        Args:
            image: (h, w, 3) uint8, BGR.
            time: the frame's, in seconds.
        """
        is_first = self._thumbnail is None
        if cut := self._is_new_scene(image):
            self._forget()
        self.is_cut = cut and not is_first
        for face in self._faces:
            face.move(image)
        step, self._time = time - self._time, time
        lost = not all(face.moved for face in self._faces)
        whole = lost or self.detect_interval == 0 or self._is_whole_due(time)
        if cut:
            self._begin_scene(image, time)
            return [followed.face() for followed in self._faces]
        # The next frame would be too late for a face that came with the frame after the last search.
        is_due = whole or _is_over(self._searched, time, self.detect_interval)
        if is_due:
            self._search(image, time, whole)
        if not is_due or step > SLOW:
            if self._pending:
                self._search_pending(image, time)
            else:
                self._search_next_tile(image, time)
        return [followed.face() for followed in self._faces]

    def _forget(self) -> None:
        self._faces, self._searched, self._whole_searched = [], None, None
        self._tile_seen.clear()
        self._pending.clear()

    def _begin_scene(self, image: Picture, time: float) -> None:
        """Search the first frame of a scene: for all faces, or of live video for the large ones, the others soon."""
        if self.live:
            self._search(image, time, whole=True)
            self._pending = [*ROLLS, *self.finder.tiles(image)]
            return
        self._faces = _begun(self.finder.search(image), image, time)
        now = mosaic(image)
        self._searched = self._whole_searched = self._rolled = self._tile_turned = time
        self._as_searched, self._doubtful = now, False
        self._tile_seen = dict.fromkeys(range(len(self.finder.tiles(image))), (time, now))

    def _search_pending(self, image: Picture, time: float) -> None:
        """Do the next of the passes that a new scene still needs."""
        part = self._pending.pop(0)
        if isinstance(part, int):
            self._search_rolled(image, time, part)
        else:
            passes = len(self.finder.tiles(image))
            self._faces += self._new_faces(image, self.finder.detect_in_tile(image, part), self._faces, time, passes)

    def _search_rolled(self, image: Picture, time: float, quarters: int) -> None:
        """Search the frame turned by so many quarters."""
        self._rolled = time
        before = [Found(face.face(), face.evidence) for face in self._faces]
        found = self.finder.with_rolled(image, quarters, before)
        kept = [face for face, one in zip(self._faces, before, strict=True) if one in found]
        self._faces = kept + _begun([one for one in found if one not in before], image, time)

    def _is_new_scene(self, image: Picture) -> bool:
        """Return whether this frame shows another scene, or has another size, than the one before."""
        points = thumbnail(image)
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
        elif self._unexplained and _is_over(self._rolled, time, ROLL_EVERY):
            self._search_rolled(image, time, next(self._rolls))

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
        self._unexplained = not detections and area.height > LARGE * image.shape[0]
        self._as_searched = renewed(self._as_searched, now, size, area)
        return detections is None or any(not _belongs(detection, known) for detection in detections)

    def _search_whole(self, image: Picture, time: float) -> None:
        """Search the whole frame, and once more around each known face that is missing."""
        detections = self.finder.detect(image)
        # Of a face that lies, the upright pass detects the points in wrong places, if any.
        upright = [face for face in self._faces if not quarters_to_upright(face.face())]
        pairs = matched([face.face() for face in upright], detections)
        for i, j in pairs.items():
            upright[i].correct(detections[j], time)
        kept = [upright[i] for i in sorted(pairs)]
        missing = [face for face in self._faces if face not in kept]
        kept += self._recovered(image, missing, kept, time)
        kept = self._verified(image, kept, time)
        new = [detection for j, detection in enumerate(detections) if j not in pairs.values()]
        kept += self._new_faces(image, new, kept, time)
        if not kept:
            kept = self._new_faces(image, self.finder.detect_padded(image), [], time)
        for face in kept:
            if face.seen == time:
                face.keep_patch(image)
        self._faces = kept
        if not kept:
            self._search_rolled(image, time, next(self._rolls))
        known = [face.face() for face in self._faces]
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
        return [face for face in faces if is_kept(face.evidence, self.finder.min_evidence)]

    def _new_faces(
        self, image: Picture, detections: Sequence[Face], known: list[Followed], time: float, passes: int = 1
    ) -> list[Followed]:
        """Begin to follow the detections that are verified; they come from one of so many passes over the frame."""
        found = self.finder.verified(image, detections, [other.face() for other in known], passes)
        return _begun(found, image, time)

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


def _begun(found: Sequence[Found], image: Picture, time: float) -> list[Followed]:
    """Follow these faces from this frame on."""
    return [Followed.begin(one.face, image, one.evidence, time) for one in found]


def _belongs(detection: Face, faces: Sequence[Face]) -> bool:
    return any(is_part_of(detection, face) for face in faces)


def _area(face: Face) -> Rectangle:
    """Return the face's box in whole pixels."""
    left, top, width, height = (round(n) for n in face.box)
    return Rectangle(left, top, width, height)
