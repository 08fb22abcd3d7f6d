"""Who drives an output that has room for one face: one reading and one stream of events out of many.

A choice is kept while its face is in sight or gone for less than a second, so that an avatar does not jump between
people. Where it passes on while the lips are active, the one face's stop comes before the other's start.
"""

from dataclasses import replace
from math import hypot

from ..records import Analysis, LipEvent, Reading
from .limits import Kind

KEPT = 1.0  # s out of sight until another face is chosen
ANYONE, LARGEST, CENTRE = "anyone", "largest", "centre"


class FaceChoice:
    """Chooses one face of each frame. One choice serves one source: it remembers whom it chose.

    Attributes:
        mode: ``"largest"``, ``"centre"``, ``"anyone"``, or a face id in digits.
    """

    def __init__(self, mode: str = LARGEST) -> None:
        """Begin without a face.

        Args:
            mode: ``"largest"`` (the largest box), ``"centre"`` (nearest to the picture's centre), a face id in digits,
                or ``"anyone"`` (no one face: the widest open mouth, active if any is).

        Raises:
            ValueError: another mode.
        """
        if mode not in (LARGEST, CENTRE, ANYONE) and not (mode.isascii() and mode.isdigit()):
            raise ValueError(f"face: expected largest, centre, anyone or a face id such as 0, got {mode!r}")
        self.mode = mode
        self._chosen: int | None = int(mode) if mode.isdigit() else None
        self._seen = 0.0  # when the chosen face was last in sight
        self._on: dict[tuple[Kind, int | None], LipEvent] = {}  # the starts of all faces that run
        self._told: dict[Kind, LipEvent] = {}  # the starts that were passed on and run

    @property
    def face_id(self) -> int | None:
        """The chosen face's id; None for anyone, or while there is none."""
        return self._chosen

    def choose(self, analysis: Analysis) -> Reading | None:
        """The reading that drives the output at this frame; asked again for the same frame it answers the same.

        Returns:
            None while the chosen face is out of sight, or no face is there.
        """
        if self.mode == ANYONE:
            return _anyone(analysis)
        time = analysis.frame.time
        found = next((r for r in analysis.readings if r.face_id == self._chosen), None)
        if found is None and not self.mode.isdigit():
            if self._chosen is not None and time - self._seen < KEPT:
                return None
            found = self._best(analysis)
            self._chosen = None if found is None else found.face_id
        if found is not None:
            self._seen = time
        return found

    def events(self, analysis: Analysis) -> list[LipEvent]:
        """What begins and ends for the chosen face at this frame; for ``"anyone"`` the events' face id is None.

        Call it once for each frame. What it starts it also stops, when the choice passes to another face too.
        """
        self.choose(analysis)
        ended: dict[Kind, LipEvent] = {}
        for event in analysis.events:
            if event.type == "start":
                self._on[event.kind, event.face_id] = event
            else:
                self._on.pop((event.kind, event.face_id), None)
                if self._is_chosen(event.face_id):
                    ended[event.kind] = event
        return self._changes(analysis.frame.time, ended)

    def stops(self, time: float) -> list[LipEvent]:
        """The stops of all that is still on: for the end of the source, at a time in its seconds."""
        self._on.clear()
        return self._changes(time, {})

    def _is_chosen(self, face_id: int | None) -> bool:
        return self.mode == ANYONE or face_id == self._chosen

    def _changes(self, time: float, ended: dict[Kind, LipEvent]) -> list[LipEvent]:
        """From what was told to what is; ``ended`` are the chosen face's own stops at this frame."""
        wanted: dict[Kind, LipEvent] = {
            kind: start for (kind, face_id), start in self._on.items() if self._is_chosen(face_id)
        }
        if self.mode == ANYONE:
            wanted = {kind: replace(start, face_id=None) for kind, start in wanted.items()}
        events: list[LipEvent] = []
        for kind, told in list(self._told.items()):
            if kind not in wanted or wanted[kind].face_id != told.face_id:
                own = ended.get(kind)
                at = time if own is None else max(told.time, own.time)
                events.append(replace(told, type="stop", time=at, decided=time))
                del self._told[kind]
        for kind, start in wanted.items():
            if kind in self._told:
                continue
            decided = start.time if start.decided is None else start.decided
            begun = start.time if decided == time else time  # a face chosen in mid-talk begins now
            self._told[kind] = replace(start, time=begun, decided=time)
            events.append(self._told[kind])
        return events

    def _best(self, analysis: Analysis) -> Reading | None:
        """The face to turn to where none is chosen."""
        if self.mode == LARGEST:
            return max(analysis.readings, key=lambda r: r.face.box[2] * r.face.box[3], default=None)
        height, width = analysis.frame.image.shape[:2]

        def off_centre(reading: Reading) -> float:
            x, y, w, h = reading.face.box
            return hypot(x + w / 2 - width / 2, y + h / 2 - height / 2)

        return min(analysis.readings, key=off_centre, default=None)


def _anyone(analysis: Analysis) -> Reading | None:
    """The widest open mouth, active if any is."""
    widest = max(analysis.readings, key=lambda r: r.openness, default=None)
    return None if widest is None else replace(widest, active=any(r.active for r in analysis.readings))
