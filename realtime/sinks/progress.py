"""How far a recording is analysed, on the terminal."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..records import Analysis
from .sink import Sink

if TYPE_CHECKING:
    from tqdm import tqdm


class Progress(Sink):
    """Counts frames and faces; on a terminal a bar shows how far, how fast, and how long still.

    Attributes:
        frames: frames so far.
    """

    def __init__(self, title: str, total: int | None) -> None:
        """Set the bar up.

        Args:
            title: what stands before the bar.
            total: frames to come, about; None where unknown.
        """
        self.frames = 0
        self._title, self._total = title, total
        self._ids = set[int]()
        self._bar: tqdm[Any] | None = None

    @property
    def faces(self) -> int:
        """The number of different faces so far."""
        return len(self._ids)

    def __enter__(self) -> Self:
        """Show the bar, where stderr is a terminal."""
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=self._total, desc=self._title, unit=" frames", leave=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def write(self, analysis: Analysis) -> None:
        """Count a frame."""
        self.frames += 1
        self._ids.update(reading.face_id for reading in analysis.readings)
        if self._bar is not None:
            self._bar.update()
