"""Gaps in a recording: stretches of time whose frames were lost, by damage in the middle of the file."""

REGULAR = 0.25  # of the nominal time between frames, by which a regular step may differ from it
GAP = 1.75  # nominal times between frames from which on a step is a gap
MIN_REGULAR_SHARE = 0.9  # of the steps; a recording with fewer has no rate by which frames can be missed
MIN_LOST = 2  # frames


class Gaps:
    """Collects the gaps between the frames of a recording with a regular rate.

    Attributes:
        lost: the number of frames that would fill the gaps.
    """

    def __init__(self, rate: float) -> None:
        """Begin.

        Args:
            rate: the nominal rate in frames/s.
        """
        self._frame = 1 / rate
        self._last: float | None = None
        self._steps = self._regular = self.lost = 0
        self._longest = (0.0, 0.0)

    def add(self, time: float) -> None:
        """Take the time of the next frame in seconds."""
        last, self._last = self._last, time
        if last is None:
            return
        frames = (time - last) / self._frame
        self._steps += 1
        self._regular += abs(frames - 1) <= REGULAR
        if frames >= GAP:
            self.lost += round(frames) - 1
            self._longest = max(self._longest, (time - last, last))

    def description(self, missing: float) -> str:
        """Return what is missing, for a message; empty where nothing is known to be.

        Args:
            missing: by how many frames fewer were decoded than the file states. Where none are missing, the gaps were
                recorded.
        """
        if self.lost < MIN_LOST or missing < self.lost / 2 or self._regular < MIN_REGULAR_SHARE * self._steps:
            return ""
        length, start = self._longest
        where = f"the longest gap is from {start:.2f} to {start + length:.2f} s"
        return f"about {self.lost} frames are missing in it; {where}; is it damaged, or was it recorded with gaps?"
