"""When a face is not to be trusted: neither begins an event nor keeps one up."""

from dataclasses import dataclass
from math import isnan

from ...models.face import Face, head_turn


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
