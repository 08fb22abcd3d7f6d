"""A face that is followed: where it is now, and the evidence that it is a face.

Between two detections its key points move with its eyes and nose. A detection then corrects them by a part of the
difference, a larger one the longer ago the last detection was. So the detector's jitter, about 1 % of a face's width
from frame to frame, is averaged away in the face's own moving frame. The key points do not lag behind the face's
motion, and it hardly matters how often the detector runs.
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
CHECKS = 5  # detections at which a new face is verified, and longer while there is little evidence; after that ...
CHECK_EVERY = 2.0  # ... once in so many seconds
CALM_EVERY = 0.2  # s between detections of a face that is sure and was found where it was expected ...
RESTLESS_EVERY = 0.1  # ... and of another
RESTLESS = 0.02  # face widths by which a detection may differ from what was expected until the face is not calm
SURE = 2.0  # times the evidence that is needed: from there on a face is verified rarely
KEPT = 0.5  # times the evidence that is needed at first: one in doubt shall not come and go
_CROP_POINTS = [RIGHT_EYE, LEFT_EYE, MOUTH]

Picture = NDArray[np.uint8]


@dataclass(slots=True, eq=False)
class Followed:
    """One face of one source.

    Attributes:
        keypoints: (6, 2) float32, pixels, in the newest frame.
        box: (4,) float32: left, top, width, height in pixels, in the newest frame.
        score: the detector's, at the last detection.
        patch: (48, 64) uint8, eyes and nose at the last detection.
        since: time of the first detection, in seconds.
        seen: time of the last detection.
        evidence: that it is a face: log odds, averaged over the last face checks.
        checks: number of face checks.
        checked: time of the last face check.
        moved: whether its motion up to the newest frame is known.
        calm: whether it was last detected where it was expected.
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
        """Return the face where it is now."""
        x, y, width, height = self.box.tolist()
        return Face((x, y, width, height), self.keypoints, self.score)

    def move(self, image: Picture) -> None:
        """Move it to where it is in the next frame."""
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
        """Correct it by a detection: a new face, or one whose motion is not known, by more than another."""
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

    def keep_patch(self, image: Picture) -> None:
        """Keep its eyes and nose as they are in this frame, to measure its motion in the next ones."""
        self.patch = upper_face(image, self.keypoints)

    def detection_interval(self, enough: float) -> float:
        """Return the seconds until it must be detected again; ``enough`` is the evidence that makes it a face."""
        is_sure = self.checks >= CHECKS and self.evidence >= SURE * enough
        return CALM_EVERY if is_sure and self.calm else RESTLESS_EVERY

    def needs_check(self, time: float, enough: float) -> bool:
        """Return whether to verify it again; ``enough`` is the evidence that makes it a face."""
        return self.checks < CHECKS or self.evidence < SURE * enough or time - self.checked >= CHECK_EVERY

    def add_evidence(self, evidence: float, time: float) -> None:
        """Average the result of a face check with those before."""
        self.checks, self.checked = self.checks + 1, time
        self.evidence += (evidence - self.evidence) / min(self.checks, CHECKS)


def matched(known: Sequence[Face], detections: Sequence[Face]) -> dict[int, int]:
    """Match detections to known faces by their overlap, the largest first.

    Returns:
        {index of the face: index of the detection}, of those that overlap by at least :data:`SAME`.
    """
    overlaps = [(iou(face.box, other.box), i, j) for i, face in enumerate(known) for j, other in enumerate(detections)]
    pairs: dict[int, int] = {}
    for overlap, i, j in sorted(overlaps, reverse=True):
        if overlap >= SAME and i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def _between(old: NDArray[np.float32], new: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    return (old + share * (new - old)).astype(np.float32)


def is_kept(evidence: float, enough: float) -> bool:
    """Return whether a followed face is still taken for one; ``enough`` is the evidence that makes a new one."""
    return evidence >= KEPT * enough
