"""Measure a person's own range: the mouth closed for some seconds, then wide open.

Medians stand for each part, so that a blink of the detector does not matter; and what cannot be a range is refused with
the reason, rather than kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from statistics import median, quantiles

from ..records import Reading
from .gates import Gates
from .profiles import SMALLEST_RANGE, Profile, ProfileError

SECONDS = 5.0  # of each part
REACTION = 0.3  # part of it at its beginning that is left out: people need time
LEAST_SEEN = 0.7  # part of the rest in which the face must be read well
MOST_SPREAD = 0.2  # of openness, between the quartiles of a part: more is no mouth held still


class Part(Enum):
    """What the person is asked to do."""

    CLOSED = "keep your mouth closed"
    WIDE = "open your mouth wide"
    DONE = "done"


@dataclass(slots=True)
class Calibration:
    """Collects one face's values through both parts.

    Attributes:
        name: the profile's.
        model: the name of the weights that read it.
        seconds: the length of each part.
    """

    name: str
    model: str
    seconds: float = SECONDS
    _begin: float | None = field(default=None, init=False)
    _values: dict[Part, list[float | None]] = field(
        default_factory=lambda: {Part.CLOSED: [], Part.WIDE: []}, init=False
    )
    _gates: Gates = field(default_factory=Gates, init=False)

    def take(self, reading: Reading | None, time: float) -> Part:
        """Take in the face of a frame, or None where it was not seen; what the person is to do then.

        Args:
            reading: its reading.
            time: the frame's, in seconds of the source, never decreasing. The first one begins.
        """
        if self._begin is None:
            self._begin = time
        past = (time - self._begin) / self.seconds
        if past >= 2:
            return Part.DONE
        part = Part.WIDE if past >= 1 else Part.CLOSED
        if past % 1 >= REACTION:
            trusted = reading is not None and self._gates.trust(reading.face, reading.reliability)
            self._values[part].append(reading.raw if reading is not None and trusted else None)
        return part

    def left(self, time: float) -> float:
        """Seconds until the part that is on ends."""
        past = 0.0 if self._begin is None else time - self._begin
        return max(0.0, self.seconds - past % self.seconds)

    def prompt(self, time: float) -> str:
        """What the person is to do now, in one line."""
        past = 0.0 if self._begin is None else (time - self._begin) / self.seconds
        part = Part.WIDE if past >= 1 else Part.CLOSED
        return f"{part.value}: {self.left(time):.0f} s"

    def profile(self) -> Profile:
        """What was measured.

        Raises:
            ProfileError: the face was not seen enough, did not hold still, or opened too little.
        """
        closed, wide = (_held(self._values[part], part) for part in (Part.CLOSED, Part.WIDE))
        if wide - closed < SMALLEST_RANGE:
            raise ProfileError(
                f"calibration: {closed:.2f} closed and {wide:.2f} wide open are too near to each other; "
                "open wider when asked, face the camera, and see to more light"
            )
        return Profile(self.name, round(closed, 4), round(wide, 4), self.model)


def _held(values: Sequence[float | None], part: Part) -> float:
    """The openness that was held through a part."""
    seen = [value for value in values if value is not None]
    if len(seen) < 2 or len(seen) < LEAST_SEEN * len(values):
        share = round(100 * len(seen) / len(values)) if values else 0
        raise ProfileError(
            f"calibration: the face was read well in {share} % of '{part.value}'; stay before the camera and face it, "
            "with nothing before the mouth"
        )
    low, _, high = quantiles(seen, n=4)
    if high - low > MOST_SPREAD:
        raise ProfileError(f"calibration: the mouth moved during '{part.value}' ({low:.2f} to {high:.2f}); hold still")
    return median(seen)
