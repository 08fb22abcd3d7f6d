"""Presentation times from the positions that a decoder reports, where the container's clock has faults."""

import logging
from pathlib import Path

log = logging.getLogger("mouth_live")

RESTART = 0.1  # s: a longer step back is a clock that starts again; ffmpeg's limit is the same
RESTART_MESSAGE = "%s: its clock starts again at %.2f s, as in files that were joined; times go on from there"


class RecordingClock:
    """Turns positions into times in seconds since the first frame, which never decrease."""

    def __init__(self, path: Path, origin: float, rate: float) -> None:
        """Start at the first frame.

        Args:
            path: the recording, for the warning.
            origin: the position of the first frame, in seconds.
            rate: the nominal rate, in frames/s.
        """
        self._path, self._origin, self._frame = path, origin, 1 / rate
        self._time = 0.0
        self._untimed: float | None = None  # the time given to the last frame, which had none of its own
        self._reported = False

    def time(self, position: float) -> float:
        """Return the time of the next frame.

        Args:
            position: the frame's position in seconds; 0 where it has none, as the last frame of MPEG-1 and 2.
        """
        if position == 0 and self._time > 0:
            self._time += self._frame
            self._untimed = self._time
            return self._time
        if position - self._origin < self._time - RESTART:
            self._restart(position)
        else:
            self._time = max(self._time, position - self._origin)
        self._untimed = None
        return self._time

    def _restart(self, position: float) -> None:
        """Let the frame follow the one before it by one frame, and the frames after it follow on it."""
        self._time += self._frame
        self._origin = position - self._time
        if not self._reported:
            # A part that begins at position 0 has seemed to begin with a frame without a time.
            log.warning(RESTART_MESSAGE, self._path, self._time if self._untimed is None else self._untimed)
            self._reported = True
