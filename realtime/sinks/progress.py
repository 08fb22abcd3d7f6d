"""The sink that shows on the terminal how much of a recording is analysed."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..records import Analysis
from .sink import Sink

if TYPE_CHECKING:
    from tqdm import tqdm


class Progress(Sink):
    """Count frames and faces, and show a progress bar where stderr is a terminal.

    Attributes:
        frames: the number of frames so far.
        time: the time of the last frame in seconds.
    """

    def __init__(self, title: str | None, total: int | None) -> None:
        """Set the bar up; nothing is shown yet.

        Args:
            title: the text before the bar; None: show no bar.
            total: the approximate number of frames to come; None where unknown.
        """
        self.frames, self.time = 0, 0.0
        self._title, self._total = title, total
        self._ids = set[int]()
        self._bar: tqdm[Any] | None = None

    @property
    def faces(self) -> int:
        """The number of different faces so far."""
        return len(self._ids)

    def __enter__(self) -> Self:
        """Show the bar, where stderr is a terminal."""
        if self._title is not None and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=self._total, desc=self._title, unit=" frames", leave=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()

    def write(self, analysis: Analysis) -> None:
        """Count a frame and its faces."""
        self.frames, self.time = self.frames + 1, analysis.frame.time
        self._ids.update(reading.face_id for reading in analysis.readings)
        if self._bar is not None:
            self._bar.update()
