"""The event engine: when a mouth starts and stops being held open, or moving as in talking.

All limits are in seconds of the source, so recorded and live video give the same events. An event is reported as soon
as it is certain. Its time is when the movement visibly began or ended, which is slightly earlier.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import nan
from typing import cast

from ...models.checked import checked_type
from ..records import LipEvent
from .limits import DEFAULT_LIMITS, Kind, Limits
from .movement import LipMovement

FACE_LOSS_TIMEOUT = 0.3  # s without a trusted reading of the face until its events stop


@dataclass(frozen=True, slots=True)
class LipSample:
    """One face's mouth in one frame.

    Attributes:
        face_id: the track.
        raw: openness of this frame alone, 0..1: what movement is measured on.
        openness: smoothed, 0..1: what ``open`` is measured on.
        trusted: whether the reading may count; see :meth:`mouth_live.realtime.lips.gates.Gates.trust`.
    """

    face_id: int
    raw: float
    openness: float
    trusted: bool = True


@dataclass(slots=True)
class _Trigger:
    """The state of one kind of event of one face, with hysteresis and hold times."""

    limits: Limits
    is_on: bool = False
    since: float | None = None  # when the level crossed the limit beyond which it must now hold

    def update(self, level: float, time: float) -> float | None:
        """Take a level. Where the trigger changes state, return the time at which the level crossed the limit."""
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
    """The state of one face's mouth."""

    face_id: int
    triggers: dict[Kind, _Trigger]
    first: float  # the time of the first trusted reading: no event begins before
    seen: float  # the time of the last trusted reading
    movement: LipMovement
    moved: float = 0.0  # the time of the last movement while active
    ended: dict[Kind, float] = field(default_factory=dict[Kind, float])

    def update(self, sample: LipSample, time: float) -> list[LipEvent]:
        """Take a trusted sample and return the events that it starts or stops."""
        self.seen = time
        levels: dict[Kind, float] = {
            "activity": self.movement.update(sample.raw, time),
            "open": sample.openness,
        }
        events: list[LipEvent] = []
        for kind, trigger in self.triggers.items():
            since = trigger.update(levels[kind], time)
            if kind == "activity" and trigger.is_on and trigger.since is None:
                self.moved = self.movement.last
            if since is not None:
                events.append(self._start(kind, since, time) if trigger.is_on else self._stop(kind, since, time))
        return events

    def stops(self, time: float) -> list[LipEvent]:
        """Stop all triggers that are on, and return the events: the face or the picture is lost."""
        events: list[LipEvent] = []
        for kind, trigger in self.triggers.items():
            if trigger.is_on:
                stop = self._stop(kind, self.seen if trigger.since is None else trigger.since, time)
                events.append(replace(stop, time=min(stop.time, self.seen)))  # out of sight nothing goes on
        return events

    def _start(self, kind: Kind, since: float, time: float) -> LipEvent:
        seen = self.movement.begin if kind == "activity" else since
        began = max(self.first, self.ended.get(kind, 0.0), seen - self.triggers[kind].limits.pad)
        return LipEvent("start", kind, self.face_id, began, time)

    def _stop(self, kind: Kind, since: float, time: float) -> LipEvent:
        seen = self.moved if kind == "activity" else since
        self.ended[kind] = min(time, seen + self.triggers[kind].limits.pad)
        return LipEvent("stop", kind, self.face_id, self.ended[kind], time)


class LipActivity:
    """The event engine: openness in, events out."""

    def __init__(
        self, limits: Mapping[Kind, Limits] = DEFAULT_LIMITS, movement: Callable[[], LipMovement] = LipMovement
    ) -> None:
        """Begin without faces.

        Args:
            limits: the kinds to watch for, with their limits.
            movement: called for each new face; returns what measures its ``activity``.

        Raises:
            TypeError: ``limits`` is no mapping of limits.
            ValueError: there is no such kind.
        """
        self._movement = movement
        self._faces: dict[int, _Lips] = {}
        self._limits = self._wanted = limits_by_kind(limits)

    def use_limits(self, limits: Mapping[Kind, Limits]) -> None:
        """Use other limits from the next frame on; any thread may call this.

        Args:
            limits: of kinds that are watched for already; those of the other kinds stay.

        Raises:
            TypeError: ``limits`` is no mapping of limits.
            ValueError: a kind is not watched for.
        """
        changed = limits_by_kind(limits)
        if unknown := changed.keys() - self._limits.keys():
            raise ValueError(f"limits: expected the kinds {', '.join(self._limits)}, got {sorted(unknown)[0]!r}")
        self._wanted = self._wanted | changed

    def update(self, samples: Iterable[LipSample], time: float) -> list[LipEvent]:
        """Take the samples of one frame and return the events that they start or stop.

        Args:
            samples: one for each face of the frame.
            time: the frame's, in seconds of the source, never decreasing.
        """
        if self._limits is not self._wanted:
            self._limits = self._wanted
            for lips in self._faces.values():
                for kind, trigger in lips.triggers.items():
                    trigger.limits = self._limits[kind]
        events = self._drop_lost_faces(time)
        for sample in samples:
            if not sample.trusted:
                continue
            lips = self._faces.get(sample.face_id)
            if lips is None:
                triggers: dict[Kind, _Trigger] = {kind: _Trigger(limits) for kind, limits in self._limits.items()}
                lips = self._faces[sample.face_id] = _Lips(sample.face_id, triggers, time, time, self._movement())
            events += lips.update(sample, time)
        return events

    def is_active(self, face_id: int) -> bool:
        """Return whether this face's lips are active now."""
        lips = self._faces.get(face_id)
        return lips is not None and "activity" in lips.triggers and lips.triggers["activity"].is_on

    def movement(self, face_id: int) -> float:
        """Return how much this face's lips move now, the level of ``activity``; NaN for a face that is not watched."""
        lips = self._faces.get(face_id)
        return nan if lips is None else lips.movement.level

    def stop_all(self, time: float) -> list[LipEvent]:
        """Forget all faces and return a stop for each event that is on, at a time in seconds: the picture is lost."""
        events = [event for lips in self._faces.values() for event in lips.stops(time)]
        self._faces.clear()
        return events

    def _drop_lost_faces(self, time: float) -> list[LipEvent]:
        """Forget the faces without a recent trusted reading, and return their stops."""
        gone = [lips for lips in self._faces.values() if time - lips.seen > FACE_LOSS_TIMEOUT]
        for lips in gone:
            del self._faces[lips.face_id]
        return [event for lips in gone for event in lips.stops(time)]


def limits_by_kind(limits: Mapping[Kind, Limits]) -> dict[Kind, Limits]:
    """Return checked limits in a dict of their own.

    Raises:
        TypeError: ``limits`` is no mapping of limits.
        ValueError: there is no such kind.
    """
    checked_type(cast("object", limits), Mapping, "limits")
    for kind, limit in limits.items():
        if kind not in DEFAULT_LIMITS:
            raise ValueError(f"limits: expected the kinds {', '.join(DEFAULT_LIMITS)}, got {kind!r}")
        checked_type(limit, Limits, f"limits[{kind!r}]")
    return dict(limits)
