"""The event engine: when a mouth begins and ceases to be held open, or to move as in talking.

All limits are in seconds of the source, so recorded and live video give the same events. An event is told as soon as it
is sure, and carries the time at which it began or ended to the eye, which is a little before.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ..records import LipEvent
from .limits import DEFAULT, Kind, Limits
from .movement import LipMovement

FACE_LOSS = 0.3  # s without a trusted reading of the face until its events stop


@dataclass(frozen=True, slots=True)
class LipSample:
    """One face's mouth in one frame.

    Attributes:
        face_id: the track.
        raw: openness of this frame alone, 0..1: what movement is measured on.
        openness: smoothed, 0..1: what ``open`` is measured on.
        trusted: whether the reading may count, as :meth:`mouth_live.realtime.lips.gates.Gates.trust` tells.
    """

    face_id: int
    raw: float
    openness: float
    trusted: bool = True


@dataclass(slots=True)
class _Switch:
    """One kind of event of one face."""

    limits: Limits
    is_on: bool = False
    since: float | None = None  # when the level went past the limit that it has yet to hold

    def update(self, level: float, time: float) -> float | None:
        """Take a level in; if the switch turns over, since when the level has been past the limit."""
        past = level < self.limits.off if self.is_on else level >= self.limits.on
        if not past:
            self.since = None
            return None
        since = self.since = time if self.since is None else self.since
        if time - since < (self.limits.min_off if self.is_on else self.limits.min_on):
            return None
        self.is_on, self.since = not self.is_on, None
        return since


@dataclass(slots=True)
class _Lips:
    """What is known of one face's mouth."""

    face_id: int
    switches: dict[Kind, _Switch]
    seen: float  # when it was last read and trusted
    movement: LipMovement
    moved: float = 0.0  # when it last moved while active
    ended: dict[Kind, float] = field(default_factory=dict[Kind, float])

    def update(self, sample: LipSample, time: float) -> list[LipEvent]:
        """Take in a trusted sample; what began or ended."""
        self.seen = time
        levels: dict[Kind, float] = {
            "activity": self.movement.update(sample.raw, time),
            "open": sample.openness,
        }
        events: list[LipEvent] = []
        for kind, switch in self.switches.items():
            since = switch.update(levels[kind], time)
            if kind == "activity" and switch.is_on and switch.since is None:
                self.moved = self.movement.last
            if since is not None:
                events.append(self._start(kind, since, time) if switch.is_on else self._stop(kind, since, time))
        return events

    def lost(self, time: float) -> list[LipEvent]:
        """The stops of what is on: the face is gone, or no more pictures come."""
        events: list[LipEvent] = []
        for kind, switch in self.switches.items():
            if switch.is_on:
                events.append(self._stop(kind, self.seen if switch.since is None else switch.since, time))
                switch.is_on, switch.since = False, None
        return events

    def _start(self, kind: Kind, since: float, time: float) -> LipEvent:
        seen = self.movement.begin if kind == "activity" else since
        began = max(0.0, self.ended.get(kind, 0.0), seen - self.switches[kind].limits.pad)
        return LipEvent("start", kind, self.face_id, began, time)

    def _stop(self, kind: Kind, since: float, time: float) -> LipEvent:
        seen = self.moved if kind == "activity" else since
        self.ended[kind] = min(time, seen + self.switches[kind].limits.pad)
        return LipEvent("stop", kind, self.face_id, self.ended[kind], time)


class LipActivity:
    """The event engine: openness in, events out."""

    def __init__(
        self, limits: Mapping[Kind, Limits] = DEFAULT, movement: Callable[[], LipMovement] = LipMovement
    ) -> None:
        """Begin without faces.

        Args:
            limits: the kinds to watch for, with their limits.
            movement: makes the measure of ``activity`` for each new face.
        """
        self._movement = movement
        self._limits = dict(limits)
        self._faces: dict[int, _Lips] = {}

    def update(self, samples: Iterable[LipSample], time: float) -> list[LipEvent]:
        """Take in one frame's faces at a time in seconds, never decreasing; what began or ended."""
        events = self._lose(time)
        for sample in samples:
            if not sample.trusted:
                continue
            lips = self._faces.get(sample.face_id)
            if lips is None:
                switches: dict[Kind, _Switch] = {kind: _Switch(limits) for kind, limits in self._limits.items()}
                lips = self._faces[sample.face_id] = _Lips(sample.face_id, switches, time, self._movement())
            events += lips.update(sample, time)
        return events

    def active(self, face_id: int) -> bool:
        """Whether this face's lips are active now."""
        lips = self._faces.get(face_id)
        return lips is not None and "activity" in lips.switches and lips.switches["activity"].is_on

    def silence(self, time: float) -> list[LipEvent]:
        """No more pictures came: the stops of all that is on; every face begins anew."""
        events = [event for lips in self._faces.values() for event in lips.lost(time)]
        self._faces.clear()
        return events

    def _lose(self, time: float) -> list[LipEvent]:
        """Let go of the faces that were not read for a while."""
        gone = [lips for lips in self._faces.values() if time - lips.seen > FACE_LOSS]
        for lips in gone:
            del self._faces[lips.face_id]
        return [event for lips in gone for event in lips.lost(time)]
