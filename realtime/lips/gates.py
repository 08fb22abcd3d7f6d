"""When a face is not to be trusted: neither begins an event nor keeps one up."""

from dataclasses import dataclass
from math import hypot, isnan

from ...models.face import LEFT_EYE, NOSE_TIP, RIGHT_EYE, Face


@dataclass(frozen=True, slots=True)
class Gates:
    """When a reading is good enough to begin an event or keep one up.

    Attributes:
        min_score: the detector's least score, 0..1.
        min_reliability: the network's least trust in its value, 0..1; a network that tells none passes. Of
            18,057 labelled mouths in sight 99 % lie above 0.3, of 1,387 covered ones 98 % below it.
        max_turn: the most that the head may be turned to its side, as :func:`head_turn` tells it.
    """

    min_score: float = 0.55
    min_reliability: float = 0.3
    max_turn: float = 0.9

    def trust(self, face: Face, reliability: float) -> bool:
        """Whether a reading of this face may count; reliability is NaN where the network tells none."""
        reliable = isnan(reliability) or reliability >= self.min_reliability
        return reliable and face.score >= self.min_score and head_turn(face) <= self.max_turn


def head_turn(face: Face) -> float:
    """How far the head is turned to a side: the nose tip's distance from the eyes' middle, along their line, in eye
    distances. 0 is straight on; it goes as half the tangent of the angle, so 0.5 is about 45 and 0.9 about 60 degrees.
    """
    (right_x, right_y), (left_x, left_y), (nose_x, nose_y) = face.keypoints[[RIGHT_EYE, LEFT_EYE, NOSE_TIP]].tolist()
    across_x, across_y = left_x - right_x, left_y - right_y
    distance = hypot(across_x, across_y)
    if distance == 0:
        return 0.0 if (nose_x, nose_y) == (right_x, right_y) else float("inf")
    off_x, off_y = nose_x - (left_x + right_x) / 2, nose_y - (left_y + right_y) / 2
    return abs(off_x * across_x + off_y * across_y) / distance**2
