"""From events to intervals: when each face's lips were active, or its mouth open."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..records import LipEvent
from .limits import Kind


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time of one face.

    Attributes:
        face_id: the track; None for anyone.
        kind: what went on.
        start: seconds.
        end: seconds, after ``start``.
    """

    face_id: int | None
    kind: Kind
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """All that went on in one recording.

    Attributes:
        faces: every face that was seen, or None alone for anyone.
        intervals: ordered by start; those of one face and kind do not overlap.
        duration: seconds from the media's zero to its end.
        media: the recording's path; empty for a camera.
    """

    faces: tuple[int | None, ...]
    intervals: tuple[Interval, ...]
    duration: float
    media: str = ""

    def of(self, face_id: int | None) -> list[Interval]:
        """The intervals of one face."""
        return [interval for interval in self.intervals if interval.face_id == face_id]


@dataclass(slots=True)
class IntervalCollector:
    """Pairs starts with stops as they come.

    Attributes:
        offset: seconds to add to each time: the first frame's own time, for intervals that lie on the sound.
    """

    offset: float = 0.0
    _faces: set[int | None] = field(default_factory=set[int | None], init=False)
    _starts: dict[tuple[int | None, Kind], float] = field(
        default_factory=dict[tuple[int | None, Kind], float], init=False
    )
    _done: list[Interval] = field(default_factory=list[Interval], init=False)

    def see(self, faces: Iterable[int | None]) -> None:
        """Note faces that are there, whatever they do."""
        self._faces.update(faces)

    def take(self, event: LipEvent) -> None:
        """Take an event in; an interval of no length is left out."""
        self._faces.add(event.face_id)
        key = event.face_id, event.kind
        if event.type == "start":
            self._starts[key] = event.time
            return
        start = self._starts.pop(key, None)
        if start is not None and event.time > start:
            self._done.append(Interval(event.face_id, event.kind, start + self.offset, event.time + self.offset))

    def intervals(self, duration: float, media: str = "") -> Intervals:
        """All that is complete, of media that last ``duration`` seconds from its first frame."""
        faces = sorted(self._faces, key=lambda face: -1 if face is None else face)
        done = sorted(self._done, key=lambda i: (i.start, -1 if i.face_id is None else i.face_id, i.kind))
        end = max([duration + self.offset, *(interval.end for interval in done)])
        return Intervals(tuple(faces), tuple(done), end, media)
