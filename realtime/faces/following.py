"""Find the faces of each frame: the detector looks at times, in between each face is followed.

What is known of a face comes from past frames only, the same in live and recorded video. A look costs as much as the
rest of a frame together, following a face a twentieth of it. So the detector looks only

- at known faces: every 0.2 s, or 0.1 s while one is new or moves otherwise than was foreseen; at once if one is lost;
- for new ones: within 0.1 s after the frame has changed anywhere but in the known faces' boxes, and only at the changed
  part where that is small. A frame that does not change is looked at every 0.5 s where there is no face in it;
- for small ones: at each tile every 2 s, or 10 s while it does not change.

Where the whole picture moves, as from a camera in the hand, that is a look at the whole frame every tenth of a second.
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

LOOK_EVERY = 0.1  # s that a new face waits for its first row, at most
TILES_EVERY = 2.0  # s in which each tile of the frame is looked at once, where small faces are wanted
LOOK_AT_ALL_EVERY = 0.5  # s from look to look at the whole frame where there is no face, even if nothing changes
JITTER = 1e-3  # s by which frames' times may be off
TILES_AGAIN = 10.0  # s after which a tile is looked at again, even where nothing changed in it
MOST_NEAR = 2  # looks at the surroundings of faces too small for the whole frame that are not urgent, in one frame
CUT = 20.0  # mean difference of grey values from which on it is another scene
THUMBNAIL = 24  # points a side that tell

Picture = NDArray[np.uint8]


@dataclass(slots=True)
class FaceFollower:
    """The faces of each frame of one source. Remembers them: one follower serves one source.

    Attributes:
        finder: what finds them.
        look_every: seconds that a new face waits for its first look, at most; 0 looks at every frame.
    """

    finder: FaceFinder
    look_every: float = LOOK_EVERY
    _faces: list[Followed] = field(default_factory=list[Followed], init=False)
    _looked: float | None = field(default=None, init=False)
    _tile: int = field(default=0, init=False)
    _tiled: float = field(default=0.0, init=False)
    _tile_seen: dict[int, tuple[float, Mosaic]] = field(default_factory=dict[int, tuple[float, Mosaic]], init=False)
    _thumbnail: NDArray[np.uint8] | None = field(default=None, init=False)
    _looked_at_all: float | None = field(default=None, init=False)
    _picture: Mosaic | None = field(default=None, init=False)  # each part as it was when it was looked at
    _doubtful: bool = field(default=False, init=False)  # whether something was claimed that was not taken for a face

    def find(self, image: Picture, time: float) -> list[Face]:
        """The faces of the next frame.

        Args:
            image: (h, w, 3) uint8, BGR.
            time: the frame's, in seconds.
        """
        cut = self._is_cut(image)
        if cut:
            self._faces, self._looked, self._looked_at_all = [], None, None
            self._tile_seen.clear()
        for face in self._faces:
            face.move(image)
        lost = not all(face.moved for face in self._faces)
        whole = lost or self.look_every == 0 or self._is_whole_due(time)
        # The next frame would be too late for a face that came with the frame after the last look.
        if whole or _is_over(self._looked, time, self.look_every):
            self._look(image, time, whole)
        else:
            self._look_at_next_tile(image, time)
        return [followed.face() for followed in self._faces]

    def _is_cut(self, image: Picture) -> bool:
        """Whether this frame shows another scene, or has another size, than the one before."""
        height, width = image.shape[:2]
        points = np.ascontiguousarray(image[:: -(-height // THUMBNAIL), :: -(-width // THUMBNAIL), 1])
        before, self._thumbnail = self._thumbnail, points
        if before is None or before.shape != points.shape:
            return True
        # Numpy, here and where else little is to be done: each call of OpenCV hands Python's lock to another thread.
        return int(np.abs(points.astype(np.int16) - before).sum()) > CUT * points.size

    def _look(self, image: Picture, time: float, whole: bool) -> None:
        """Look at the whole frame where that is due; else for new faces only, where they can be."""
        self._looked, now = time, mosaic(image)
        if whole or self._doubtful or self._has_new(image, now):
            self._look_at_all(image, time)
            self._picture, self._looked_at_all = now, time

    def _is_whole_due(self, time: float) -> bool:
        """Whether the whole frame must be looked at, where it changed and where it did not."""
        patience = [face.patience(self.finder.min_evidence) for face in self._faces if face.moved]
        return _is_over(self._looked_at_all, time, min(patience, default=LOOK_AT_ALL_EVERY) - JITTER)

    def _has_new(self, image: Picture, now: Mosaic) -> bool:
        """Whether there may be a new face: one that is in sight where the frame changed since it was looked at."""
        size, known = image.shape[1::-1], [face.face() for face in self._faces]
        if self._picture is None:
            return True
        area = changed(self._picture, now, size, [_area(face) for face in known])
        if area is None or not known:
            return area is not None
        claims = self.finder.claims_where(image, area)
        self._picture = renewed(self._picture, now, size, area)
        return claims is None or any(not _belongs(claim, known) for claim in claims)

    def _look_at_all(self, image: Picture, time: float) -> None:
        """Look at the whole frame, and where a known face is missing, once more there."""
        claims = self.finder.claims(image)
        pairs = matched([face.face() for face in self._faces], claims)
        for i, j in pairs.items():
            self._faces[i].correct(claims[j], time)
        kept = [self._faces[i] for i in sorted(pairs)]
        missing = [face for i, face in enumerate(self._faces) if i not in pairs]
        kept += self._looked_for(image, missing, kept, time)
        kept = self._checked(image, kept, time)
        new = [claim for j, claim in enumerate(claims) if j not in pairs.values()]
        kept += self._begun(image, new, kept, time)
        if not kept:
            kept = self._begun(image, self.finder.second_look(image), [], time)
        for face in kept:
            if face.seen == time:
                face.remember(image)
        self._faces, known = kept, [face.face() for face in kept]
        self._doubtful = any(not _belongs(claim, known) for claim in claims)

    def _looked_for(self, image: Picture, missing: list[Followed], kept: list[Followed], time: float) -> list[Followed]:
        """Those of the missing faces that a closer look finds, and those whose turn it is not yet."""
        found: list[Followed] = []
        turns = MOST_NEAR
        for face in sorted(missing, key=lambda face: (face.moved, face.seen)):
            if face.moved and not turns:
                found.append(face)
                continue
            turns -= face.moved
            others = [other.face() for other in kept + found]
            claims = [c for c in self.finder.claims_near(image, face.face()) if not _belongs(c, others)]
            if matched([face.face()], claims):
                face.correct(claims[matched([face.face()], claims)[0]], time)
                found.append(face)
        return found

    def _checked(self, image: Picture, faces: list[Followed], time: float) -> list[Followed]:
        """The faces that are still taken for ones, after a check of those that are due for it."""
        due = [face for face in faces if face.needs_check(time, self.finder.min_evidence)]
        for face, evidence in zip(due, self.finder.evidence(image, [f.face() for f in due]), strict=True):
            face.take_evidence(float(evidence), time)
        return [face for face in faces if face.evidence >= self.finder.min_evidence]

    def _begun(
        self, image: Picture, claims: Sequence[Face], known: list[Followed], time: float, looks: int = 1
    ) -> list[Followed]:
        """The claims that are faces, followed from now on; from one of so many looks at parts of the frame."""
        claims = [claim for claim in claims if not _belongs(claim, [face.face() for face in known])]
        evidence = self.finder.evidence(image, claims)
        return [
            Followed.begin(claim, image, float(enough), time)
            for claim, enough in zip(claims, evidence, strict=True)
            if enough >= self.finder.min_evidence + log(looks)
        ]

    def _look_at_next_tile(self, image: Picture, time: float) -> None:
        """Where small faces are wanted: look for new ones in the next tile, if its turn has come."""
        tiles = self.finder.tiles(image)
        if not tiles or 0 <= time - self._tiled < TILES_EVERY / len(tiles):
            return
        self._tile, self._tiled = (self._tile + 1) % len(tiles), time
        size, known, tile = image.shape[1::-1], [_area(face.face()) for face in self._faces], tiles[self._tile]
        then, before = self._tile_seen.get(self._tile, (0.0, None))
        now = mosaic(image)
        if before is not None and 0 <= time - then < TILES_AGAIN and not changed(before, now, size, known, tile):
            return
        claims = self.finder.claims_in(image, tile)
        self._faces += self._begun(image, claims, self._faces, time, looks=len(tiles))
        if all(_belongs(claim, [face.face() for face in self._faces]) for claim in claims):
            self._tile_seen[self._tile] = time, now


def _is_over(since: float | None, time: float, length: float) -> bool:
    """Whether more than so many seconds have passed, or there was no beginning, or the clock went back."""
    return since is None or time < since or time - since > length + 1e-6


def _belongs(claim: Face, faces: Sequence[Face]) -> bool:
    return any(is_part_of(claim, face) for face in faces)


def _area(face: Face) -> Rectangle:
    """The face's box in whole pixels."""
    left, top, width, height = (round(n) for n in face.box)
    return Rectangle(left, top, width, height)
