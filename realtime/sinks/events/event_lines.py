"""The sink that writes lip events as JSON lines, at once."""

from collections.abc import Sequence
from pathlib import Path

from ...lips.event_json import event_json, value_json
from ...lips.face_choice import ANYONE, FaceChoice
from ...lips.ongoing_events import OngoingEvents
from ...records import Analysis, LipEvent, Reading
from ..text_sink import TextSink


class EventLines(TextSink):
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
        super().__init__(path)
        self._values, self._preset = values, preset
        self._choice = None if face is None else FaceChoice(face)
        self._ongoing, self._time = OngoingEvents(), 0.0
        self._count = 0

    @property
    def counts(self) -> str:
        """The number of events so far, in words."""
        return f"{self._count} event{'' if self._count == 1 else 's'}"

    def finish(self, failed: bool) -> None:
        """Write the stops of all events that are on, whatever ended the session."""
        self._write_events(self._ongoing.stops(self._time))

    def write(self, analysis: Analysis) -> None:
        """Write one frame's lines, and flush them.

        Raises:
            SinkError: the output cannot be written.
            BrokenPipeError: the reader of stdout has closed it.
        """
        self._time = analysis.frame.time
        if self._values:
            for reading in self._readings(analysis):
                self.put(self._value_line(reading, self._time), flush=True)
                self.rows += 1
        self._write_events(analysis.events if self._choice is None else self._choice.events(analysis))

    def _readings(self, analysis: Analysis) -> Sequence[Reading]:
        if self._choice is None:
            return analysis.readings
        chosen = self._choice.choose(analysis)
        return () if chosen is None else (chosen,)

    def _value_line(self, reading: Reading, time: float) -> str:
        anyone = self._choice is not None and self._choice.mode == ANYONE
        face_id = None if anyone else reading.face_id
        return value_json(face_id, time, reading.openness, reading.raw, reading.activity) + "\n"

    def _write_events(self, events: Sequence[LipEvent]) -> None:
        for event in events:
            self._ongoing.take(event)
            self._count += 1
            self.put(event_json(event, self._preset) + "\n", flush=True)
            self.rows += 1
