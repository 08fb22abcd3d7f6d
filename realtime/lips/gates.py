"""Which readings are good enough for events. A reading that is not neither starts an event nor sustains one."""

from dataclasses import dataclass
from math import isnan

from ...models.face import Face, head_turn


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
