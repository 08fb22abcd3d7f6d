"""Which readings are good enough for events. A reading that is not neither starts an event nor sustains one."""

from dataclasses import dataclass
from math import hypot, isnan

from ...models.face import LEFT_EYE, NOSE_TIP, RIGHT_EYE, Face


@dataclass(frozen=True, slots=True)
class Gates:
    """The limits within which a reading may start or sustain an event.

    Attributes:
        min_score: the lowest detection score, 0..1.
        min_reliability: the lowest reliability, 0..1. A network without reliability passes. Of 18,057 labelled
            visible mouths 99 % lie above 0.3; of 1,387 covered mouths 98 % lie below it.
        max_turn: the largest turn of the head to a side, on the scale of :func:`head_turn`.
    """

    min_score: float = 0.55
    min_reliability: float = 0.3
    max_turn: float = 0.9

    def trust(self, face: Face, reliability: float) -> bool:
        """Return whether a reading of this face may count; reliability is NaN where the network reports none."""
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
