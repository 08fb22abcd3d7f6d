"""The sink that writes lip events as intervals, when the source has ended."""

from pathlib import Path
from types import TracebackType
from typing import Self

from ..lips.face_choice import FaceChoice
from ..lips.intervals import IntervalCollector
from ..lips.ongoing_events import OngoingEvents
from ..records import Analysis
from .interval_formats import FORMATS
from .sink import Sink
from .text_output import TextOutput


class IntervalSink(Sink):
    """Collect the intervals of a source and write them at its end, in the media's own time.

    After an exception nothing is written.
    """

    def __init__(
        self,
        path: Path | str | None,
        format_name: str,
        *,
        start_time: float = 0.0,
        rate: float = 25.0,
        media: str = "",
        face: str | None = None,
    ) -> None:
        """Set the output; nothing is opened yet.

        Args:
            path: the file; ``"-"`` or None for stdout.
            format_name: one of :data:`.FORMATS`.
            start_time: the source's start time, the first frame's presentation time in the media, in seconds.
            rate: the nominal frame rate in frames/s, which gives the last frame's duration.
            media: the path of the recording; empty for a camera.
            face: whose intervals to write, as :class:`.FaceChoice` takes it; None: everyone's, a tier for each face.
        """
        self._output = TextOutput(path)
        self.path = self._output.path
        self._format, self._frame_duration, self._media = FORMATS[format_name], 1 / rate, media
        self._choice = None if face is None else FaceChoice(face)
        self._collector, self._ongoing, self._time = IntervalCollector(start_time), OngoingEvents(), 0.0

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
        """Write the intervals and give the file its name; after an exception write nothing.

        Raises:
            SinkError: it cannot be written.
            BrokenPipeError: the reader of stdout has closed it.
        """
        try:
            if kind is None:
                for event in self._ongoing.stops(self._time):
                    self._collector.take(event)
                found = self._collector.intervals(self._time + self._frame_duration, self._media)
                self._output.write(self._format(found))
        except BaseException as failure:
            self._output.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._output.__exit__(kind, error, trace)

    def write(self, analysis: Analysis) -> None:
        """Collect one frame's events."""
        self._time = analysis.frame.time
        if self._choice is None:
            self._collector.see(reading.face_id for reading in analysis.readings)
        for event in analysis.events if self._choice is None else self._choice.events(analysis):
            self._ongoing.take(event)
            self._collector.take(event)
