"""Find the faces of each frame: the detector looks every tenth of a second, in between each face is followed.

What is known of a face comes from past frames only, the same in live and recorded video. Between two looks its key
points move with its eyes and nose; a look then corrects them by a part of the difference, the larger the longer ago the
last one was. So the detector's own jitter, about 1 % of a face's width from frame to frame, is averaged away in the
face's own moving frame, without a lag behind its motion, and it hardly matters how often the detector looks.
"""

from dataclasses import dataclass, field
from math import exp

import cv2
import numpy as np
from numpy.typing import NDArray

from ..models.face import LEFT_EYE, MOUTH, RIGHT_EYE, Face, iou
from ..models.faces import FaceFinder
from .motion import Motion, motion, upper_face

LOOK_EVERY = (
    0.1  # s between the detector's looks at the whole frame: as long a new face waits for its first row at most
)
CALM = 0.15  # s over which the detector's corrections are averaged
JUMP = 0.08  # face widths of difference from which on a correction is no jitter: from there to twice it taken whole
SAME = 0.3  # intersection over union from which on a detected face is the one that was followed
CHECKS = 5  # looks at which a new face is checked to be one; after that ...
CHECK_EVERY = 2.0  # ... once in so many seconds
CUT = 20.0  # mean difference of grey values from which on it is another scene
THUMBNAIL = 24  # points a side that tell


@dataclass(slots=True)
class _Followed:
    """A face that is followed: ``patch`` shows it as of the last look, key points and box are where it is now."""

    keypoints: NDArray[np.float32]
    box: NDArray[np.float32]  # left, top, width, height
    score: float
    patch: NDArray[np.uint8]
    since: float
    seen: float
    evidence: float
    checks: int = 1
    checked: float = 0.0
    moved: bool = True  # whether its motion up to this frame is known

    def face(self) -> Face:
        x, y, width, height = (float(n) for n in self.box)
        return Face((x, y, width, height), self.keypoints, self.score)

    def move(self, by: Motion) -> None:
        self.keypoints = by.moved(self.keypoints)
        middle = complex(self.box[0] + self.box[2] / 2, self.box[1] + self.box[3] / 2)
        middle, size = by.factor * middle + by.shift, self.box[2:] * np.float32(abs(by.factor))
        self.box = np.array([middle.real - size[0] / 2, middle.imag - size[1] / 2, *size], np.float32)

    def correct(self, face: Face, time: float) -> None:
        """Take in what the detector says."""
        step, age = time - self.seen, time - self.since
        share = max(1 - exp(-step / CALM), step / max(age + step, 1e-9))
        three = [RIGHT_EYE, LEFT_EYE, MOUTH]
        apart = np.hypot(*(face.keypoints[three] - self.keypoints[three]).T).mean() / max(face.box[2], 1.0)
        share = min(1.0, max(share, apart / JUMP - 1)) if self.moved else 1.0
        self.keypoints = self.keypoints + np.float32(share) * (face.keypoints - self.keypoints)
        self.box = self.box + np.float32(share) * (np.array(face.box, np.float32) - self.box)
        self.score, self.seen, self.moved = face.score, time, True


@dataclass(slots=True)
class FaceFollower:
    """The faces of each frame of one source. Remembers them: one follower serves one source.

    Attributes:
        finder: what finds them.
        look_every: seconds between its looks at the whole frame; 0 looks at every frame.
    """

    finder: FaceFinder
    look_every: float = LOOK_EVERY
    _faces: list[_Followed] = field(default_factory=list["_Followed"], init=False)
    _looked: float | None = field(default=None, init=False)
    _thumbnail: NDArray[np.uint8] | None = field(default=None, init=False)

    def find(self, image: NDArray[np.uint8], time: float) -> list[Face]:
        """The faces of the next frame.

        Args:
            image: (h, w, 3) uint8, BGR.
            time: the frame's, in seconds.
        """
        cut = self._is_cut(image)
        if cut:
            self._faces = []
        for face in self._faces:
            by = motion(face.patch, image, face.keypoints) if face.moved else None
            face.moved = by is not None
            if by is not None:
                face.move(by)
        due = self._looked is None or time - self._looked >= self.look_every or time < self._looked
        if cut or due or not all(face.moved for face in self._faces):
            self._look(image, time)
        return [face.face() for face in self._faces]

    def _is_cut(self, image: NDArray[np.uint8]) -> bool:
        """Whether this frame shows another scene than the one before."""
        height, width = image.shape[:2]
        points = np.ascontiguousarray(image[:: -(-height // THUMBNAIL), :: -(-width // THUMBNAIL), 1])
        before, self._thumbnail = self._thumbnail, points
        return (
            before is None or before.shape != points.shape or cv2.norm(before, points, cv2.NORM_L1) > CUT * points.size
        )

    def _look(self, image: NDArray[np.uint8], time: float) -> None:
        """Let the detector look at the whole frame, and where it misses a known face, once more there."""
        self._looked = time
        claims = self.finder.claims(image)
        kept: list[_Followed] = []
        lost: list[_Followed] = []
        pairs = sorted(
            (
                (iou(claim.box, face.face().box), i, j)
                for i, face in enumerate(self._faces)
                for j, claim in enumerate(claims)
            ),
            reverse=True,
        )
        known, used = set[int](), set[int]()
        for overlap, i, j in pairs:
            if overlap >= SAME and i not in known and j not in used:
                known.add(i)
                used.add(j)
                self._faces[i].correct(claims[j], time)
        kept = [self._faces[i] for i in sorted(known)]
        lost = [face for i, face in enumerate(self._faces) if i not in known]
        for face in lost:
            again = [
                c for c in self.finder.near(image, face.face()) if all(iou(c.box, k.face().box) < SAME for k in kept)
            ]
            best = max(again, key=lambda c: iou(c.box, face.face().box), default=None)
            if best is not None and iou(best.box, face.face().box) >= SAME:
                face.correct(best, time)
                kept.append(face)
        self._check(image, kept, time)
        kept = [face for face in kept if face.evidence >= self.finder.min_evidence]
        new = [claim for j, claim in enumerate(claims) if j not in used]
        kept += self._real(image, new, time)
        if not kept:
            kept = self._real(image, self.finder.second_look(image), time)
        for face in kept:
            face.patch = upper_face(image, face.keypoints)
        self._faces = kept

    def _check(self, image: NDArray[np.uint8], faces: list[_Followed], time: float) -> None:
        due = [
            f
            for f in faces
            if f.checks < CHECKS or f.evidence < 2 * self.finder.min_evidence or time - f.checked >= CHECK_EVERY
        ]
        for face, evidence in zip(due, self.finder.evidence(image, [f.face() for f in due]), strict=True):
            face.checks, face.checked = face.checks + 1, time
            face.evidence += (float(evidence) - face.evidence) / min(face.checks, CHECKS)

    def _real(self, image: NDArray[np.uint8], claims: list[Face], time: float) -> list[_Followed]:
        evidence = self.finder.evidence(image, claims)
        return [
            _Followed(c.keypoints, np.array(c.box, np.float32), c.score, _NO_PATCH, time, time, float(e), 1, time)
            for c, e in zip(claims, evidence, strict=True)
            if e >= self.finder.min_evidence
        ]


_NO_PATCH = np.zeros((0, 0), np.uint8)
