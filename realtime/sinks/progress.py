"""The sink that shows on the terminal how much of a recording is analysed."""

import sys
from collections.abc import Mapping
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

    def __init__(self, title: str, total: int | None, shown: bool = True) -> None:
        """Set the bar up; nothing is shown yet.

        Args:
            title: the text before the bar.
            total: the approximate number of frames to come; None where unknown.
            shown: whether to show the bar; False only counts.
        """
        self.frames, self.time = 0, 0.0
        self._title, self._total, self._is_shown = title, total, shown
        self._ids = set[int]()
        self._bar: tqdm[Any] | None = None

    @property
    def faces(self) -> int:
        """The number of different faces so far."""
        return len(self._ids)

    @property
    def counts(self) -> str:
        """The frames and faces so far, in words."""
        return f"{self.frames} frames, {self.faces} face{'' if self.faces == 1 else 's'}"

    def join(self, ids: Mapping[int, int]) -> None:
        """Count the faces again, by the id that each has got."""
        self._ids = {ids[face_id] for face_id in self._ids}

    def __enter__(self) -> Self:
        """Show the bar, where stderr is a terminal."""
        if self._is_shown and sys.stderr.isatty():  # elsewhere it shows nothing and takes 4 ms to import
            from ...models.progress_bar import progress_bar

            self._bar = progress_bar(iter(()), self._title, "frames", self._total, leave=False)
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
