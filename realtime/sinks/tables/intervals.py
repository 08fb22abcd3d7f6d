"""The intervals of a table: when each face's lips were active, or its mouth open, found by the event engine itself."""

from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ...lips.activity import LipActivity, LipSample
from ...lips.gates import Gates
from ...lips.intervals import IntervalCollector
from ...lips.limits import Kind, Limits
from ...lips.movement import LipMovement

Spans = dict[int, list[tuple[float, float]]]


class TableIntervals:
    """The intervals that ``events`` finds with the same limits, except for what no table has.

    That is the turn of the head, which does not count here, and the profile, which activity is measured with.

    Attributes:
        differing: the number of rows of each face in which its column ``active`` is not what these limits give; where
            ``activity`` is not looked for, none.
    """

    def __init__(self, limits: Mapping[Kind, Limits], movement: Callable[[], LipMovement] = LipMovement) -> None:
        """Begin without rows.

        Args:
            limits: the kinds to find, with their limits.
            movement: called for each face; returns what measures its ``activity``.
        """
        self._lips, self._found = LipActivity(limits, movement), IntervalCollector()
        self._time, self._gates, self._compares = 0.0, Gates(), "activity" in limits
        self.differing = Counter[int]()

    def add(self, rows: NDArray[np.void]) -> None:
        """Add rows, (n,) of ``TABLE_DTYPE``, that end with a frame."""
        if not len(rows):
            return
        self._time = float(rows["timestamp"][-1])
        reliable = np.isnan(rows["reliability"]) | (rows["reliability"] >= self._gates.min_reliability)
        trusted = reliable & (rows["confidence"] >= self._gates.min_score)
        names = ("frame", "timestamp", "success", "face_id", "openness_raw", "openness", "active")
        columns = (rows[name].tolist() for name in names)
        before, time = int(rows["frame"][0]), float(rows["timestamp"][0])
        samples, active = list[LipSample](), list[bool]()
        for frame, at, seen, face_id, raw, openness, is_active, counts in zip(*columns, trusted.tolist(), strict=True):
            if frame != before:
                self._take(samples, active, time)
                before, time, samples, active = frame, at, [], []
            if seen:  # a frame without a face ends what its faces did
                samples.append(LipSample(face_id, raw, openness, counts))
                active.append(is_active)
        self._take(samples, active, time)

    def _take(self, samples: list[LipSample], active: list[bool], time: float) -> None:
        for event in self._lips.update(samples, time):
            self._found.take(event)
        for sample, is_active in zip(samples, active, strict=True) if self._compares else ():
            self.differing[sample.face_id] += self._lips.is_active(sample.face_id) != is_active

    def found(self, kind: Kind) -> Spans:
        """Return start and end in seconds of each interval of a kind, by face. No rows can be added after it."""
        self._found.stop_all(self._time)
        spans: Spans = {}
        for interval in self._found.intervals(self._time).intervals:
            if interval.kind == kind and interval.face_id is not None:
                spans.setdefault(interval.face_id, []).append((interval.start, interval.end))
        return spans
