"""A recording in numbers: one line for each face of its table, computed in one pass with bounded memory."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import ceil, floor, nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...lips.limits import ACTIVITY_LIMIT, OPEN
from ...lips.movement import LipMovement
from .blocks import table_blocks
from .columns import TABLE_DTYPE
from .intervals import TableIntervals

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_LEVELS = 10_001  # the table's openness has 4 decimals, so that counts of its values give exact quantiles


@dataclass(frozen=True, slots=True)
class FaceSummary:
    """One face of a recording.

    Attributes:
        face_id: the track.
        seconds: how long it was seen. A frame lasts until the next one.
        share: the frames with this face as a share of all, 0..1.
        talking: the seconds in which its lips were active.
        opened: start and end in seconds of each time its mouth was held open, as ``events --kind open`` with the
            default limits finds it, except that the turn of the head, which no table has, does not count.
        openness: its quantiles at :data:`QUANTILES`, 0..1.
        reliability: its mean, 0..1; NaN where the network does not report it.
        activity: its mean over the time in which it was measured, 0..1; NaN where that is none: events ignored the
            face, or the table is of an earlier version.
        activity_share: the share of that time with an activity at the limit or above, 0..1; NaN likewise.
    """

    face_id: int
    seconds: float
    share: float
    talking: float
    opened: tuple[tuple[float, float], ...]
    openness: tuple[float, ...]
    reliability: float
    activity: float
    activity_share: float

    @property
    def openings(self) -> int:
        """How many times its mouth was held open."""
        return len(self.opened)

    @property
    def opening_seconds(self) -> float:
        """The mean length of these times; NaN without one."""
        return sum(end - start for start, end in self.opened) / len(self.opened) if self.opened else nan


@dataclass(frozen=True, slots=True)
class TableSummary:
    """One recording.

    Attributes:
        path: of its table.
        frames: the number of frames.
        seconds: its length.
        crowded: the number of frames with several faces.
        faces: ordered by face id.
        activity_limit: the limit of their ``activity_share``.
        whole: whether the recording was read to its end; None where nothing beside the table says so.
        reason: why it was not; empty otherwise.
    """

    path: Path
    frames: int
    seconds: float
    crowded: int
    faces: tuple[FaceSummary, ...]
    activity_limit: float
    whole: bool | None
    reason: str


def summarize(
    path: Path, blocks: Iterable[NDArray[np.void]] | None = None, activity_limit: float = ACTIVITY_LIMIT
) -> TableSummary:
    """Sum up one table of readings, of any length and format.

    Args:
        path: the table.
        blocks: its rows in order, each (n,) of ``TABLE_DTYPE``, where they are read already.
        activity_limit: the activity, 0..1, from which lips count as active for ``activity_share``.

    Raises:
        TableError: it is missing, damaged, or no table of readings.
        MissingExtraError: it is Parquet, and pyarrow is not installed.
    """
    counts, openings = _Counts(activity_limit), TableIntervals({"open": OPEN}, _Still)
    for rows, seconds in _timed(table_blocks(path) if blocks is None else blocks):
        counts.add(rows, seconds)
        openings.add(rows)
    opened = openings.found("open")
    faces = tuple(
        face.summary(number, counts.frames, opened.get(number, ())) for number, face in sorted(counts.faces.items())
    )
    whole, reason = _wholeness(path)
    return TableSummary(path, counts.frames, counts.seconds, counts.crowded, faces, activity_limit, whole, reason)


def _timed(blocks: Iterable[NDArray[np.void]]) -> Iterator[tuple[NDArray[np.void], NDArray[np.float64]]]:
    """Yield rows in blocks that end with a frame, and for each row the seconds until the next frame.

    The last frame of a table lasts as long as the mean one.
    """
    held, frames, first, last = np.empty(0, TABLE_DTYPE), 0, nan, nan
    for block in blocks:
        rows = np.concatenate([held, block])
        if not len(rows):
            continue
        starts = np.flatnonzero(np.diff(rows["frame"], prepend=rows["frame"][0] - 1))
        times = rows["timestamp"][starts]
        first = times[0] if np.isnan(first) else first
        last, frames = times[-1], frames + len(starts) - 1
        seconds = np.repeat(np.diff(times), np.diff(starts))
        yield rows[: starts[-1]], seconds
        held = rows[starts[-1] :]
    if len(held):
        yield held, np.full(len(held), (last - first) / frames if frames else 0.0)


@dataclass(slots=True)
class _FaceCounts:
    """The sums of one face."""

    activity_limit: float
    frames: int = 0
    seconds: float = 0.0
    talking: float = 0.0
    reliability: float = 0.0
    reliable: int = 0  # the number of rows with a reliability
    measured: float = 0.0  # the seconds in which activity was measured
    activity: float = 0.0  # its sum, each value times its seconds
    reached: float = 0.0  # the seconds in which it was at the limit or above
    levels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_LEVELS, np.int64))

    def add(self, rows: NDArray[np.void], seconds: NDArray[np.float64]) -> None:
        """Add rows of this face."""
        self.frames += len(rows)
        self.seconds += float(seconds.sum())
        self.talking += float(seconds[rows["active"]].sum())
        reliability = rows["reliability"][~np.isnan(rows["reliability"])]
        self.reliability += float(reliability.sum())
        self.reliable += len(reliability)
        activity = rows["activity"]  # NaN compares as below every limit
        self.measured += float(seconds[~np.isnan(activity)].sum())
        self.activity += float(np.nansum(activity * seconds))
        self.reached += float(seconds[activity >= self.activity_limit].sum())
        levels = np.clip(np.rint(rows["openness"] * (_LEVELS - 1)), 0, _LEVELS - 1)
        self.levels += np.bincount(levels.astype(np.int64), minlength=_LEVELS)

    def summary(self, face_id: int, frames: int, opened: Iterable[tuple[float, float]]) -> FaceSummary:
        """Return the numbers of this face."""
        reliability = self.reliability / self.reliable if self.reliable else nan
        activity, reached = (total / self.measured if self.measured else nan for total in (self.activity, self.reached))
        share, quantiles = self.frames / frames, _quantiles(self.levels)
        times = self.seconds, share, self.talking, tuple(opened)
        return FaceSummary(face_id, *times, quantiles, reliability, activity, reached)


class _Counts:
    """The sums of one table, and of each of its faces.

    Attributes:
        frames: the number of frames.
        seconds: their time together.
        crowded: the number of frames with several faces.
        faces: the sums of each face.
    """

    def __init__(self, activity_limit: float) -> None:
        self._activity_limit = activity_limit
        self.frames = self.crowded = 0
        self.seconds = 0.0
        self.faces: dict[int, _FaceCounts] = {}

    def add(self, rows: NDArray[np.void], seconds: NDArray[np.float64]) -> None:
        """Add rows that end with a frame, and the seconds that each one's frame lasts."""
        starts = np.flatnonzero(np.diff(rows["frame"], prepend=-1))
        self.frames += len(starts)
        self.seconds += float(seconds[starts].sum())
        self.crowded += int(np.count_nonzero(np.diff(starts, append=len(rows)) > 1))
        for number in np.unique(rows["face_id"][rows["success"]]).tolist():
            mine = rows["success"] & (rows["face_id"] == number)
            self.faces.setdefault(number, _FaceCounts(self._activity_limit)).add(rows[mine], seconds[mine])


class _Still(LipMovement):
    """No movement: openings do not need it."""

    def update(self, value: float, time: float) -> float:
        """Return 0."""
        del value, time
        return 0.0


def _quantiles(counts: NDArray[np.int64]) -> tuple[float, ...]:
    """Return the quantiles of counted values as ``numpy.quantile`` does: between two values in proportion."""
    until = np.cumsum(counts)
    values: list[float] = []
    for share in QUANTILES:
        place = share * (int(until[-1]) - 1)
        low, high = (int(np.searchsorted(until, whole, "right")) for whole in (floor(place), ceil(place)))
        values.append((low + (high - low) * (place % 1)) / (_LEVELS - 1))
    return tuple(values)


def _wholeness(path: Path) -> tuple[bool | None, str]:
    """Return whether the table's recording was whole, and why not, from the manifest beside it."""
    try:
        manifest = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
        whole, reason = manifest.get("whole"), manifest.get("reason")
    except (OSError, ValueError, AttributeError):
        return None, ""
    return (whole if isinstance(whole, bool) else None), str(reason or "")
