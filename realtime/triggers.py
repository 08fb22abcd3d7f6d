"""Lip events: when a mouth begins and ceases to be held open, or to move as in talking.

Each start has its stop. All limits are in seconds of the source, so recorded and live video give the same events.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import sqrt
from typing import Literal

from .records import Analysis, LipEvent

Kind = Literal["open", "activity"]

MOVEMENT_WINDOW = 0.5  # s of openness whose standard deviation is the movement
FACE_LOSS = 0.3  # s without the face until its events stop


@dataclass(frozen=True, slots=True)
class Limits:
    """When a level counts as on.

    Attributes:
        on: from this level on it may start ...
        off: ... and below this it may stop, never above ``on``.
        min_on: seconds at or above ``on`` until it starts.
        min_off: seconds below ``off`` until it stops.
    """

    on: float
    off: float
    min_on: float
    min_off: float

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            ValueError: off above on, or a negative time.
        """
        if self.off > self.on:
            raise ValueError(f"off: expected at most on ({self.on}), got {self.off}")
        if self.min_on < 0 or self.min_off < 0:
            raise ValueError(f"min_on, min_off: expected seconds from 0 up, got {self.min_on}, {self.min_off}")


OPEN = Limits(on=0.5, off=0.35, min_on=0.25, min_off=0.1)
ACTIVITY = Limits(on=0.05, off=0.03, min_on=0.08, min_off=0.35)


@dataclass(slots=True)
class _Switch:
    """One kind of event of one face."""

    limits: Limits
    is_on: bool = False
    since: float | None = None  # when the level went past the limit that it has yet to hold

    def update(self, level: float, time: float) -> bool:
        """Take a level in; whether the switch turned over."""
        past = level < self.limits.off if self.is_on else level >= self.limits.on
        if not past:
            self.since = None
            return False
        if self.since is None:
            self.since = time
        if time - self.since < (self.limits.min_off if self.is_on else self.limits.min_on):
            return False
        self.is_on, self.since = not self.is_on, None
        return True


@dataclass(slots=True)
class _Lips:
    """What is known of one face's mouth."""

    switches: dict[Kind, _Switch]
    last: float = 0.0
    past: deque[tuple[float, float]] = field(default_factory=deque[tuple[float, float]])

    def movement(self, openness: float, time: float) -> float:
        """Standard deviation of the openness over the last half second, 0..0.5."""
        self.past.append((time, openness))
        while time - self.past[0][0] > MOVEMENT_WINDOW:
            self.past.popleft()
        mean = sum(value for _, value in self.past) / len(self.past)
        return sqrt(sum((value - mean) ** 2 for _, value in self.past) / len(self.past))


class LipActivity:
    """The event engine: openness in, events out."""

    def __init__(self, opened: Limits = OPEN, activity: Limits = ACTIVITY) -> None:
        """Begin without faces.

        Args:
            opened: limits on the openness, for ``open``.
            activity: limits on its movement, for ``activity``.
        """
        self._limits: dict[Kind, Limits] = {"activity": activity, "open": opened}
        self._faces: dict[int, _Lips] = {}

    def update(self, values: Iterable[tuple[int, float]], time: float) -> list[LipEvent]:
        """Take in one frame's (face id, openness 0..1) pairs at a time in seconds; what began or ended there."""
        events: list[LipEvent] = []
        for face_id, openness in values:
            lips = self._faces.get(face_id)
            if lips is None:
                switches: dict[Kind, _Switch] = {kind: _Switch(limits) for kind, limits in self._limits.items()}
                lips = self._faces[face_id] = _Lips(switches)
            lips.last = time
            levels: dict[Kind, float] = {"activity": lips.movement(openness, time), "open": openness}
            for kind, switch in lips.switches.items():
                if switch.update(levels[kind], time):
                    events.append(LipEvent("start" if switch.is_on else "stop", kind, face_id, time))
        for face_id in [i for i, lips in self._faces.items() if time - lips.last > FACE_LOSS]:
            events += self._stops(face_id, time)
            del self._faces[face_id]
        return events

    def active(self, face_id: int) -> bool:
        """Whether this face's lips are active now."""
        return self._faces[face_id].switches["activity"].is_on

    def _stops(self, face_id: int, time: float) -> list[LipEvent]:
        switches = self._faces[face_id].switches
        return [LipEvent("stop", kind, face_id, time) for kind, switch in switches.items() if switch.is_on]


def lip_events(analyses: Iterable[Analysis]) -> Iterator[LipEvent]:
    """The lip events of analysed frames; what is still on when they end, or when they fail, is stopped first.

    Args:
        analyses: from :func:`mouth_live.realtime.analyze`.

    Yields:
        Events in order of time.
    """
    running: dict[tuple[Kind, int | None], None] = {}
    time = 0.0
    failure: BaseException | None = None
    try:
        for analysis in analyses:
            time = analysis.frame.time
            for event in analysis.events:
                if event.type == "start":
                    running[event.kind, event.face_id] = None
                else:
                    running.pop((event.kind, event.face_id), None)
                yield event
    except GeneratorExit:
        raise
    except BaseException as error:  # noqa: BLE001
        failure = error
    for kind, face_id in running:
        yield LipEvent("stop", kind, face_id, time)
    if failure is not None:
        raise failure
