"""Lip events as JSON lines, as they come."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ..lips.event_json import event_json, value_json
from ..lips.face_choice import ANYONE, FaceChoice
from ..lips.running_events import RunningEvents
from ..records import Analysis, LipEvent, Reading
from .sink import Sink
from .text_output import TextOutput


class EventLines(Sink):
    """Writes one JSON line for each event, and with ``values`` for each reading; each start has its stop at the end.

    Left by an exception, a file stays ``OUT.part``, with its stops.
    """

    def __init__(
        self, path: Path | str | None, values: bool = False, face: str | None = None, preset: str = ""
    ) -> None:
        """Name the output; nothing is opened yet.

        Args:
            path: the file; ``"-"`` or None for stdout.
            values: write a line for each reading too.
            face: whose events, as :class:`.FaceChoice` takes it; None: everyone's, each under its own id.
            preset: the limits' name, given in each event's line; empty for none.
        """
        self._output = TextOutput(path)
        self.path = self._output.path
        self._values, self._preset = values, preset
        self._choice = None if face is None else FaceChoice(face)
        self._running, self._time = RunningEvents(), 0.0

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
        """Write the stops of all that is on, and give the file its name.

        Raises:
            SinkError: the last lines cannot be written, or the file cannot be renamed.
            BrokenPipeError: the reader of stdout has gone.
        """
        try:
            self._put_all(self._running.stops(self._time))
        except BaseException as failure:
            self._output.__exit__(type(failure), failure, failure.__traceback__)
            if kind is None:  # else the first error is the one to report
                raise
            return
        self._output.__exit__(kind, error, trace)

    def write(self, analysis: Analysis) -> None:
        """Write one frame's lines, and let readers see them at once.

        Raises:
            SinkError: the output cannot be written.
            BrokenPipeError: the reader of stdout has gone.
        """
        self._time = analysis.frame.time
        if self._values:
            for reading in self._readings(analysis):
                self._output.write(self._value_line(reading, self._time), flush=True)
        self._put_all(analysis.events if self._choice is None else self._choice.events(analysis))

    def _readings(self, analysis: Analysis) -> Sequence[Reading]:
        if self._choice is None:
            return analysis.readings
        chosen = self._choice.choose(analysis)
        return () if chosen is None else (chosen,)

    def _value_line(self, reading: Reading, time: float) -> str:
        anyone = self._choice is not None and self._choice.mode == ANYONE
        return value_json(None if anyone else reading.face_id, time, reading.openness, reading.raw) + "\n"

    def _put_all(self, events: Sequence[LipEvent]) -> None:
        for event in events:
            self._running.take(event)
            self._output.write(event_json(event, self._preset) + "\n", flush=True)
