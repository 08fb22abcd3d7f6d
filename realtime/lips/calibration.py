"""Calibration: a person's own range, from some seconds with the mouth closed and some with it wide open.

Each phase is summarised by its median, so that single wrong readings do not matter. A measurement that cannot be a
range is refused with the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from statistics import median, quantiles

from ..records import Reading
from .gates import Gates
from .profiles import MIN_RANGE, Profile, ProfileError

PHASE_SECONDS = 5.0
REACTION_SHARE = 0.3  # of a phase, at its beginning, that does not count: people need time to react
MIN_TRUSTED_SHARE = 0.7  # of the frames of the rest in which the reading must be trusted
MAX_SPREAD = 0.2  # of openness, between a phase's quartiles; with more the mouth was not held still


class CalibrationPhase(Enum):
    """The phases of a calibration; each value is the instruction to the person."""

    CLOSED = "keep your mouth closed"
    WIDE = "open your mouth wide"
    DONE = "done"


@dataclass(slots=True)
class Calibration:
    """The measurement of one person's range, through both phases.

    Attributes:
        name: the profile's.
        model: the name of the weights that read the person.
        seconds: the length of each phase.
    """

    name: str
    model: str
    seconds: float = PHASE_SECONDS
    _begin: float | None = field(default=None, init=False)
    _values: dict[CalibrationPhase, list[float | None]] = field(
        default_factory=lambda: {CalibrationPhase.CLOSED: [], CalibrationPhase.WIDE: []}, init=False
    )
    _gates: Gates = field(default_factory=Gates, init=False)

    def take(self, reading: Reading | None, time: float) -> CalibrationPhase:
        """Take the reading of one frame and return the phase that is running.

        Args:
            reading: the person's; None where the face was not found.
            time: the frame's, in seconds of the source, never decreasing. The first one starts the calibration.
        """
        if self._begin is None:
            self._begin = time
        past = (time - self._begin) / self.seconds
        if past >= 2:
            return CalibrationPhase.DONE
        phase = CalibrationPhase.WIDE if past >= 1 else CalibrationPhase.CLOSED
        if past % 1 >= REACTION_SHARE:
            trusted = reading is not None and self._gates.trust(reading.face, reading.reliability)
            self._values[phase].append(reading.raw if reading is not None and trusted else None)
        return phase

    def seconds_left(self, time: float) -> float:
        """Return the seconds until the running phase ends."""
        past = 0.0 if self._begin is None else time - self._begin
        return max(0.0, self.seconds - past % self.seconds)

    def prompt(self, time: float) -> str:
        """Return what the person is asked to do now, in one line."""
        past = 0.0 if self._begin is None else (time - self._begin) / self.seconds
        phase = CalibrationPhase.WIDE if past >= 1 else CalibrationPhase.CLOSED
        return f"{phase.value}: {self.seconds_left(time):.0f} s"

    def profile(self) -> Profile:
        """Return the measured range.

        Raises:
            ProfileError: the face was not seen enough, the mouth was not held still, or it opened too little.
        """
        phases = (CalibrationPhase.CLOSED, CalibrationPhase.WIDE)
        closed, wide = (_held_openness(self._values[phase], phase) for phase in phases)
        if wide - closed < MIN_RANGE:
            raise ProfileError(
                f"calibration: {closed:.2f} closed and {wide:.2f} wide open are too close together; "
                "open wider when asked, face the camera, and add light"
            )
        return Profile(self.name, round(closed, 4), round(wide, 4), self.model)


def _held_openness(values: Sequence[float | None], phase: CalibrationPhase) -> float:
    """Return the openness that was held through a phase."""
    seen = [value for value in values if value is not None]
    if len(seen) < 2 or len(seen) < MIN_TRUSTED_SHARE * len(values):
        share = round(100 * len(seen) / len(values)) if values else 0
        raise ProfileError(
            f"calibration: the face was read well in {share} % of '{phase.value}'; stay in front of the camera, face "
            "it, and keep the mouth uncovered"
        )
    low, _, high = quantiles(seen, n=4)
    if high - low > MAX_SPREAD:
        raise ProfileError(f"calibration: the mouth moved during '{phase.value}' ({low:.2f} to {high:.2f}); hold still")
    return median(seen)
