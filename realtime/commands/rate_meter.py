"""The frames per second of a live session, for the window and for the terminal."""

import sys
from collections import deque
from time import monotonic
from types import TracebackType

from ..records import Analysis
from ..session import Session
from ..sinks.sink import Sink

STATUS_INTERVAL = 0.5  # s between two updates of the status line on the terminal


class RateMeter(Sink):
    """Measure the frames per second over the last second, and on request show them on the terminal.

    Attributes:
        rate: the frames per second.
    """

    def __init__(self, session: Session, show: bool) -> None:
        """Begin to count; ``show`` keeps a status line on the terminal, if there is one."""
        self.rate = 0.0
        self._session = session
        self._show = show and sys.stderr.isatty()
        self._arrivals = deque[float]()
        self._shown = 0.0

    def write(self, analysis: Analysis) -> None:
        """Count a frame."""
        if analysis.silent:
            return
        now = monotonic()
        self._arrivals.append(now)
        while now - self._arrivals[0] > 1:
            self._arrivals.popleft()
        span = now - self._arrivals[0]
        self.rate = (len(self._arrivals) - 1) / span if span > 0 else 0.0
        if self._show and now - self._shown > STATUS_INTERVAL:
            self._shown = now
            faces = "  ".join(f"face {r.face_id}: {r.openness:.2f}" for r in analysis.readings) or "no face"
            sys.stderr.write(f"\r\x1b[K{faces}   {self.rate:.0f} frames/s, {self._session.dropped} dropped")
            sys.stderr.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the status line."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
