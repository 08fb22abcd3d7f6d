"""The sink that writes lip events as JSON lines, at once."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ..lips.event_json import event_json, value_json
from ..lips.face_choice import ANYONE, FaceChoice
from ..lips.ongoing_events import OngoingEvents
from ..records import Analysis, LipEvent, Reading
from .sink import Sink
from .text_output import TextOutput


class EventLines(Sink):
    """Write one JSON line for each event, and with ``values`` one for each reading.

    Every start gets its stop, at the latest when the ``with`` block ends. After an interruption the file keeps the name
    ``OUT.part`` and contains the stops too.
    """

    def __init__(
        self, path: Path | str | None, values: bool = False, face: str | None = None, preset: str = ""
    ) -> None:
        """Set the output; nothing is opened yet.

        Args:
            path: the file; ``"-"`` or None for stdout.
            values: write a line for each reading too.
            face: whose events to write, as :class:`.FaceChoice` takes it; None: everyone's, each under its own id.
            preset: the preset's name, written into each event's line; empty for none.
        """
        self._output = TextOutput(path)
        self.path = self._output.path
        self._values, self._preset = values, preset
        self._choice = None if face is None else FaceChoice(face)
        self._ongoing, self._time = OngoingEvents(), 0.0

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
        """Write the stops of all events that are on, and give the file its name.

        Raises:
            SinkError: the last lines cannot be written, or the file cannot be renamed.
            BrokenPipeError: the reader of stdout has closed it.
        """
        try:
            self._write_events(self._ongoing.stops(self._time))
        except BaseException as failure:
            self._output.__exit__(type(failure), failure, failure.__traceback__)
            if kind is None:  # otherwise the first error is the one to report
                raise
            return
        self._output.__exit__(kind, error, trace)

    def write(self, analysis: Analysis) -> None:
        """Write one frame's lines, and flush them.

        Raises:
            SinkError: the output cannot be written.
            BrokenPipeError: the reader of stdout has closed it.
        """
        self._time = analysis.frame.time
        if self._values:
            for reading in self._readings(analysis):
                self._output.write(self._value_line(reading, self._time), flush=True)
        self._write_events(analysis.events if self._choice is None else self._choice.events(analysis))

    def _readings(self, analysis: Analysis) -> Sequence[Reading]:
        if self._choice is None:
            return analysis.readings
        chosen = self._choice.choose(analysis)
        return () if chosen is None else (chosen,)

    def _value_line(self, reading: Reading, time: float) -> str:
        anyone = self._choice is not None and self._choice.mode == ANYONE
        return value_json(None if anyone else reading.face_id, time, reading.openness, reading.raw) + "\n"

    def _write_events(self, events: Sequence[LipEvent]) -> None:
        for event in events:
            self._ongoing.take(event)
            self._output.write(event_json(event, self._preset) + "\n", flush=True)
