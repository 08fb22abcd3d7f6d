"""A face that is followed: where it is now, and how sure it is that it is one.

Between two looks its key points move with its eyes and nose; a look then corrects them by a part of the difference, the
larger the longer ago the last one was. So the detector's own jitter, about 1 % of a face's width from frame to frame,
is averaged away in the face's own moving frame, without a lag behind its motion, and it hardly matters how often the
detector looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ...models.face import LEFT_EYE, MOUTH, RIGHT_EYE, Face, iou
from .motion import motion, upper_face

CALM = 0.15  # s over which the detector's corrections are averaged
JUMP = 0.08  # face widths of difference up to which it may be jitter; from there to twice it, it is taken whole
SAME = 0.3  # intersection over union from which on a detected face is the one that was followed
CHECKS = 5  # looks at which a new face is checked to be one, and longer while little speaks for it; after that ...
CHECK_EVERY = 2.0  # ... once in so many seconds
CALM_EVERY = 0.2  # s from look to look at a face that is sure and is found where it was expected ...
RESTLESS_EVERY = 0.1  # ... and at another
RESTLESS = 0.02  # face widths by which a look may differ from what was expected until the face is not calm
SURE = 2.0  # times the evidence that is needed: from there on a face is checked rarely
_CROP_POINTS = [RIGHT_EYE, LEFT_EYE, MOUTH]

Picture = NDArray[np.uint8]


@dataclass(slots=True)
class Followed:
    """One face of one source.

    Attributes:
        keypoints: (6, 2) float32, pixels, in the newest frame.
        box: (4,) float32: left, top, width, height in pixels, in the newest frame.
        score: the detector's at its last look.
        patch: (48, 64) uint8, eyes and nose at the last look.
        since: when it was first seen, in seconds.
        seen: when the detector saw it last.
        evidence: how much speaks for its being a face, averaged over the last checks.
        checks: how many checks there were.
        checked: when the last one was.
        moved: whether its motion up to the newest frame is known.
        calm: whether the last look found it where it was expected.
    """

    keypoints: NDArray[np.float32]
    box: NDArray[np.float32]
    score: float
    patch: Picture
    since: float
    seen: float
    evidence: float
    checks: int
    checked: float
    moved: bool = True
    calm: bool = True

    @classmethod
    def begin(cls, face: Face, image: Picture, evidence: float, time: float) -> Self:
        """Follow a face from this frame on."""
        box, patch = np.array(face.box, np.float32), upper_face(image, face.keypoints)
        return cls(face.keypoints, box, face.score, patch, time, time, evidence, 1, time)

    def face(self) -> Face:
        """Where it is now."""
        x, y, width, height = self.box.tolist()
        return Face((x, y, width, height), self.keypoints, self.score)

    def move(self, image: Picture) -> None:
        """Find it again in the next frame."""
        by = motion(self.patch, image, self.keypoints) if self.moved else None
        self.moved = by is not None
        if by is None:
            return
        left, top, width, height = self.box.tolist()
        middle, larger = by.factor * complex(left + width / 2, top + height / 2) + by.shift, abs(by.factor)
        width, height = width * larger, height * larger
        self.keypoints = by.moved(self.keypoints)
        self.box = np.array((middle.real - width / 2, middle.imag - height / 2, width, height), np.float32)

    def correct(self, face: Face, time: float) -> None:
        """Take in what the detector says: of a young face, or after a motion not known, more than of another."""
        step, age = time - self.seen, time - self.since
        share = max(1 - exp(-step / CALM), step / max(age + step, 1e-9))
        apart = np.hypot(*(face.keypoints[_CROP_POINTS] - self.keypoints[_CROP_POINTS]).T).mean() / max(
            face.box[2], 1.0
        )
        share = min(1.0, max(share, float(apart) / JUMP - 1)) if self.moved else 1.0
        self.calm = bool(self.moved and apart < RESTLESS)
        # New arrays: the faces given out for the frames before hold the old ones.
        self.keypoints = _between(self.keypoints, face.keypoints, share)
        self.box = _between(self.box, np.array(face.box, np.float32), share)
        self.score, self.seen, self.moved = face.score, time, True

    def remember(self, image: Picture) -> None:
        """Keep its looks in this frame, to find it by in the next ones."""
        self.patch = upper_face(image, self.keypoints)

    def patience(self, enough: float) -> float:
        """Seconds until the detector is to look at it again; ``enough`` is the evidence that makes it a face."""
        is_sure = self.checks >= CHECKS and self.evidence >= SURE * enough
        return CALM_EVERY if is_sure and self.calm else RESTLESS_EVERY

    def needs_check(self, time: float, enough: float) -> bool:
        """Whether to check again that it is a face; ``enough`` is the evidence that makes it one."""
        return self.checks < CHECKS or self.evidence < SURE * enough or time - self.checked >= CHECK_EVERY

    def take_evidence(self, evidence: float, time: float) -> None:
        """Average a check's outcome with those before."""
        self.checks, self.checked = self.checks + 1, time
        self.evidence += (evidence - self.evidence) / min(self.checks, CHECKS)


def matched(known: Sequence[Face], claims: Sequence[Face]) -> dict[int, int]:
    """Which claim is which known face, by their overlap, the largest first: {index of the face: index of the claim}."""
    overlaps = [(iou(face.box, claim.box), i, j) for i, face in enumerate(known) for j, claim in enumerate(claims)]
    pairs: dict[int, int] = {}
    for overlap, i, j in sorted(overlaps, reverse=True):
        if overlap >= SAME and i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def _between(old: NDArray[np.float32], new: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    return (old + share * (new - old)).astype(np.float32)
