"""The face that drives an output with room for one: one reading and one stream of events out of many.

The choice stays with its face until the face has been out of sight for a second, so that an avatar does not jump
between people. When the choice passes to another face while the lips are active, the first face's stop comes before the
second face's start.
"""

from dataclasses import replace
from math import hypot

from ...models.checked import checked_type
from ..records import Analysis, LipEvent, Reading
from .limits import Kind
from .ongoing_events import OngoingEvents

CHOICE_TIMEOUT = 1.0  # s out of sight until another face is chosen
ANYONE, LARGEST, CENTRE = "anyone", "largest", "centre"


class FaceChoice:
    """Chooses one face of each frame. Use one choice for one source only: it has state.

    Attributes:
        mode: ``"largest"``, ``"centre"``, ``"anyone"``, or a face id in digits.
    """

    def __init__(self, mode: str | int = LARGEST) -> None:
        """Begin without a face.

        Args:
            mode: ``"largest"`` (the largest box), ``"centre"`` (nearest to the picture's centre), a face id, or
                ``"anyone"`` (all faces as one: the widest open mouth, active if any is).

        Raises:
            ValueError: another mode.
        """
        mode = str(mode)
        if mode not in (LARGEST, CENTRE, ANYONE) and not (mode.isascii() and mode.isdecimal()):
            raise ValueError(f"face: expected largest, centre, anyone or a face id such as 0, got {mode!r}")
        self.mode = mode
        self._chosen: int | None = int(mode) if mode.isdecimal() else None
        self._seen = 0.0  # when the chosen face was last in sight
        self._ongoing = OngoingEvents()  # of all faces
        self._reported = OngoingEvents()  # those whose start :meth:`events` has returned, without their stop

    @property
    def face_id(self) -> int | None:
        """Return the chosen face's id; None for anyone, or while there is none."""
        return self._chosen

    @property
    def ongoing_kinds(self) -> frozenset[Kind]:
        """Return the kinds of event that are on for the chosen face, as :meth:`events` has returned them."""
        return self._reported.kinds(self._chosen)

    def choose(self, analysis: Analysis) -> Reading | None:
        """Return the reading that drives the output at this frame.

        A second call for the same frame returns the same reading.

        Returns:
            The reading; None while the chosen face is out of sight, or no face is there.
        """
        checked_type(analysis, Analysis, "analysis")
        if self.mode == ANYONE:
            return _anyone(analysis)
        time = analysis.frame.time
        found = next((r for r in analysis.readings if r.face_id == self._chosen), None)
        if found is None and not self.mode.isdecimal():
            if self._chosen is not None and time - self._seen < CHOICE_TIMEOUT:
                return None
            found = self._best(analysis)
            self._chosen = None if found is None else found.face_id
        if found is not None:
            self._seen = time
        return found

    def events(self, analysis: Analysis) -> list[LipEvent]:
        """Return the chosen face's events at this frame; for ``"anyone"`` their face id is None.

        Call it once for each frame. Each start has its stop, also when the choice passes to another face.
        """
        self.choose(analysis)
        own_stops: dict[Kind, LipEvent] = {}
        for event in analysis.events:
            self._ongoing.take(event)
            if event.type == "stop" and self._is_chosen(event.face_id):
                own_stops[event.kind] = event
        return self._changes(analysis.frame.time, own_stops)

    def stops(self, time: float) -> list[LipEvent]:
        """End all that is on and return its stops: for the end of the source, at a time in its seconds."""
        self._ongoing.clear()
        return self._changes(time, {})

    def _is_chosen(self, face_id: int | None) -> bool:
        return self.mode == ANYONE or face_id == self._chosen

    def _changes(self, time: float, own_stops: dict[Kind, LipEvent]) -> list[LipEvent]:
        """Return the events that lead from what was reported to what is on.

        Args:
            time: of the frame, in seconds.
            own_stops: the chosen face's own stops at this frame.
        """
        chosen = [start for start in self._ongoing if self._is_chosen(start.face_id)]
        wanted = OngoingEvents(replace(start, face_id=None) if self.mode == ANYONE else start for start in chosen)
        events: list[LipEvent] = []
        for start in self._reported:
            if start not in wanted:
                own = own_stops.get(start.kind)
                end = time if own is None else max(start.time, own.time)
                events.append(replace(start, type="stop", time=end, decided=time))
        for start in wanted:
            if start in self._reported:
                continue
            decided = start.time if start.decided is None else start.decided
            begin = start.time if decided == time else time  # a face that is chosen while it talks begins now
            events.append(replace(start, time=begin, decided=time))
        for event in events:
            self._reported.take(event)
        return events

    def _best(self, analysis: Analysis) -> Reading | None:
        """Return the face to choose where none is chosen."""
        if self.mode == LARGEST:
            return max(analysis.readings, key=lambda r: r.face.box[2] * r.face.box[3], default=None)
        height, width = analysis.frame.image.shape[:2]

        def off_centre(reading: Reading) -> float:
            """Return the distance of a face from the middle of the frame, in pixels."""
            x, y, w, h = reading.face.box
            return hypot(x + w / 2 - width / 2, y + h / 2 - height / 2)

        return min(analysis.readings, key=off_centre, default=None)


def _anyone(analysis: Analysis) -> Reading | None:
    """Return the widest open mouth, active if any is."""
    widest = max(analysis.readings, key=lambda r: r.openness, default=None)
    return None if widest is None else replace(widest, active=any(r.active for r in analysis.readings))
