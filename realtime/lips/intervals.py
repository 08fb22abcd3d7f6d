"""Intervals: when each face's lips were active, or its mouth open."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..records import LipEvent
from .limits import Kind
from .ongoing_events import OngoingEvents


@dataclass(frozen=True, slots=True)
class Interval:
    """The time from a start to its stop.

    Attributes:
        face_id: the track; None for anyone.
        kind: of the event.
        start: seconds.
        end: seconds, after ``start``.
    """

    face_id: int | None
    kind: Kind
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """All intervals of one recording.

    Attributes:
        faces: every face that was seen; None alone for anyone.
        intervals: ordered by start; those of one face and kind do not overlap.
        duration: seconds from the media's zero to its end.
        media: the recording's path; empty for a camera.
        rate: its nominal frame rate, in frames/s.
        folder: the folder in which they are written; the current one for stdout.
    """

    faces: tuple[int | None, ...]
    intervals: tuple[Interval, ...]
    duration: float
    media: str = ""
    rate: float = 25.0
    folder: str = "."

    def of(self, face_id: int | None) -> list[Interval]:
        """Return the intervals of one face."""
        return [interval for interval in self.intervals if interval.face_id == face_id]


@dataclass(slots=True)
class IntervalCollector:
    """Pairs starts with stops as they come.

    Attributes:
        offset: seconds to add to each time. With the first frame's own time, intervals match the sound.
    """

    offset: float = 0.0
    _faces: set[int | None] = field(default_factory=set[int | None], init=False)
    _ongoing: OngoingEvents = field(default_factory=OngoingEvents, init=False)
    _done: list[Interval] = field(default_factory=list[Interval], init=False)

    def see(self, faces: Iterable[int | None]) -> None:
        """Add faces that are in sight, with or without events."""
        self._faces.update(faces)

    def take(self, event: LipEvent) -> None:
        """Take an event; an interval of no length is left out."""
        self._faces.add(event.face_id)
        start = self._ongoing.take(event)
        if start is not None and event.time > start.time:
            self._done.append(Interval(event.face_id, event.kind, start.time + self.offset, event.time + self.offset))

    def stop_all(self, time: float) -> None:
        """End all intervals that still go on, at a time in the source's seconds."""
        for event in self._ongoing.stops(time):
            self.take(event)

    def intervals(self, duration: float, media: str = "", rate: float = 25.0) -> Intervals:
        """Return all intervals that are complete.

        Args:
            duration: of the media, in seconds from its first frame.
            media: the recording's path; empty for a camera.
            rate: its nominal frame rate, in frames/s.
        """
        faces = sorted(self._faces, key=lambda face: -1 if face is None else face)
        done = sorted(self._done, key=lambda i: (i.start, -1 if i.face_id is None else i.face_id, i.kind))
        end = max([duration + self.offset, *(interval.end for interval in done)])
        return Intervals(tuple(faces), tuple(done), end, media, rate)
