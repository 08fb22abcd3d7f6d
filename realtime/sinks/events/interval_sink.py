"""The sink that writes lip events as intervals, when the source has ended."""

from dataclasses import replace
from pathlib import Path

from ...lips.face_choice import FaceChoice
from ...lips.intervals import IntervalCollector
from ...lips.limits import Kind
from ...records import Analysis
from ..text_sink import TextSink
from .interval_formats import FORMATS


class IntervalSink(TextSink):
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
        folder: str = ".",
        face: str | None = None,
        kind: Kind | None = None,
    ) -> None:
        """Set the output; nothing is opened yet.

        Args:
            path: the file; ``"-"`` or None for stdout.
            format_name: one of :data:`.FORMATS`.
            start_time: the source's start time, the first frame's presentation time in the media, in seconds.
            rate: the nominal frame rate in frames/s, which gives the last frame's duration too.
            media: the path of the recording; empty for a camera.
            folder: the folder from which the file links to the recording.
            face: whose intervals to write, as :class:`.FaceChoice` takes it; None: everyone's, a tier for each face.
            kind: the kind of events to write; None: all.
        """
        super().__init__(path)
        self._format, self._rate, self._media, self._folder = FORMATS[format_name], rate, media, folder
        self._choice = None if face is None else FaceChoice(face)
        self._kind = kind
        self._collector, self._time = IntervalCollector(start_time), 0.0

    @property
    def counts(self) -> str:
        """The number of intervals written, in words."""
        return f"{self.rows} interval{'' if self.rows == 1 else 's'}"

    def finish(self, failed: bool) -> None:
        """Write the intervals; after an exception write nothing, nor to stdout where there are none before an error."""
        if failed:
            return
        self._collector.stop_all(self._time)
        found = self._collector.intervals(self._time + 1 / self._rate, self._media, self._rate)
        found = replace(found, folder=self._folder)
        self.rows = len(found.intervals)
        if found.intervals or self.path or not self.is_cut_off:
            self.put(self._format(found))

    def write(self, analysis: Analysis) -> None:
        """Collect one frame's events."""
        self._time = analysis.frame.time
        if self._choice is None:
            self._collector.see(reading.face_id for reading in analysis.readings)
        for event in analysis.events if self._choice is None else self._choice.events(analysis):
            if self._kind in (None, event.kind):
                self._collector.take(event)
