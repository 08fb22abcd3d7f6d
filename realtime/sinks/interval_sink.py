"""Lip events as intervals, in a file that people open, when the source has ended."""

from pathlib import Path
from types import TracebackType
from typing import Self

from ..lips.face_choice import FaceChoice
from ..lips.intervals import IntervalCollector
from ..lips.running_events import RunningEvents
from ..records import Analysis
from .interval_formats import FORMATS
from .sink import Sink
from .text_output import TextOutput


class IntervalSink(Sink):
    """Collects the intervals of a source and writes them at its end, in the media's own time.

    Left by an exception, nothing is written.
    """

    def __init__(
        self,
        path: Path | str | None,
        form: str,
        *,
        start: float = 0.0,
        rate: float = 25.0,
        media: str = "",
        face: str | None = None,
    ) -> None:
        """Name the output; nothing is opened yet.

        Args:
            path: the file; ``"-"`` or None for stdout.
            form: one of :data:`.FORMATS`.
            start: the first frame's time in the media, in seconds.
            rate: frames per second, about: the last frame lasts so long.
            media: path of the recording; empty for a camera.
            face: whose intervals, as :class:`.FaceChoice` takes it; None: everyone's, a tier for each.
        """
        self._output = TextOutput(path)
        self.path = self._output.path
        self._form, self._frame_length, self._media = FORMATS[form], 1 / rate, media
        self._choice = None if face is None else FaceChoice(face)
        self._collector, self._running, self._time = IntervalCollector(start), RunningEvents(), 0.0

    def __enter__(self) -> Self:
        """Open the output.

        Raises:
            SinkError: it cannot be written.
        """
        self._output.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the intervals and give the file its name; after an exception leave it empty as ``OUT.part``.

        Raises:
            SinkError: it cannot be written.
            BrokenPipeError: the reader of stdout has gone.
        """
        try:
            if kind is None:
                for event in self._running.stops(self._time):
                    self._collector.take(event)
                found = self._collector.intervals(self._time + self._frame_length, self._media)
                self._output.write(self._form(found))
        except BaseException as failure:
            self._output.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._output.__exit__(kind, error, trace)

    def write(self, analysis: Analysis) -> None:
        """Take one frame's events."""
        self._time = analysis.frame.time
        if self._choice is None:
            self._collector.see(reading.face_id for reading in analysis.readings)
        for event in analysis.events if self._choice is None else self._choice.events(analysis):
            self._running.take(event)
            self._collector.take(event)
