"""What a report shows of one table: each face's curve on the grid of frames, its events, and the numbers."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....models.errors import TableError
from ...lips.gates import Gates
from ...lips.limits import ACTIVITY, ACTIVITY_LIMIT
from ..tables.intervals import TableIntervals
from ..tables.reading import read_table
from ..tables.summary import FaceSummary, TableSummary, summarize

LEVELS = 250  # steps of openness from 0 to 1: finer than a screen shows and than two decimals say
MISSING = 255  # no reading of this face in this frame
MOST_DIFFERING = 0.02  # of a face's rows: with more, its column `active` was made with other limits or with a profile
LEAST_FRAME = 0.04  # s that the frame of a table with one row lasts

Spans = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One face.

    Attributes:
        summary: its numbers.
        first: the index of its first frame in the recording's times.
        smooth: (n,) uint8, its smoothed openness in each frame from there on, in :data:`LEVELS`, or :data:`MISSING`.
        raw: (n,) uint8, the network's openness likewise.
        activity: (n,) uint8, how much its lips move, likewise; also missing where events ignored the face, and
            everywhere in a table of an earlier version.
        active: (n, 2) float64, start and end of each time in which its lips were active, in seconds: as ``events``
            finds them, where that agrees with the table's column ``active``; else as the column has them.
        opened: (n, 2) float64, the times in which its mouth was held open.
        doubtful: (n, 2) float64, the times in which its reliability was too low for events.
    """

    summary: FaceSummary
    first: int
    smooth: NDArray[np.uint8]
    raw: NDArray[np.uint8]
    activity: NDArray[np.uint8]
    active: Spans
    opened: Spans
    doubtful: Spans


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One table.

    Attributes:
        rows: (n,) of ``TABLE_DTYPE``.
        times: (n,) float64, the time of each frame in seconds.
        summary: its numbers.
        tracks: its faces, ordered by face id.
    """

    rows: NDArray[np.void]
    times: NDArray[np.float64]
    summary: TableSummary
    tracks: tuple[Track, ...]

    def longest(self, count: int) -> list[Track]:
        """Return the faces that were seen longest, at most so many, ordered by face id."""
        chosen = sorted(self.tracks, key=lambda track: -track.summary.seconds)[:count]
        return sorted(chosen, key=lambda track: track.summary.face_id)

    @property
    def end(self) -> float:
        """The end of its last frame, in seconds."""
        return float(self.times[0]) + max(self.summary.seconds, LEAST_FRAME)


def read_recording(path: Path, activity_limit: float = ACTIVITY_LIMIT) -> Recording:
    """Read a table of readings.

    Args:
        path: the table.
        activity_limit: the activity, 0..1, from which lips count as active for ``activity_share``.

    Raises:
        TableError: it is missing, damaged, empty, or no table of readings.
        MissingExtraError: it is Parquet, and pyarrow is not installed.
    """
    rows = np.asarray(read_table(path)).view(np.ndarray)
    if not len(rows):
        raise TableError(f"{path}: no rows in this table; was the recording empty?")
    summary = summarize(path, [rows], activity_limit)
    is_first = np.diff(rows["frame"], prepend=rows["frame"][0] - 1) != 0
    times, places = rows["timestamp"][is_first], np.cumsum(is_first) - 1
    step = summary.seconds / len(times) or LEAST_FRAME
    edges = np.append(times, times[-1] + step)
    order = np.flatnonzero(rows["success"])
    order = order[np.argsort(rows["face_id"][order], kind="stable")]
    faces, starts = np.unique(rows["face_id"][order], return_index=True)
    mine = dict(zip(faces.tolist(), np.split(order, starts)[1:], strict=True))
    active = _active(rows)
    tracks = tuple(
        _track(rows[mine[f.face_id]], places[mine[f.face_id]], edges, f, active.get(f.face_id)) for f in summary.faces
    )
    return Recording(rows, times, summary, tracks)


def _active(rows: NDArray[np.void]) -> dict[int, Spans]:
    """Return when the lips of each face were active, of those faces whose column ``active`` says the same."""
    found = TableIntervals({"activity": ACTIVITY})
    found.add(rows)
    spans = found.found("activity")
    faces, counts = np.unique(rows["face_id"][rows["success"]], return_counts=True)
    return {
        face: np.array(spans.get(face, ()), np.float64).reshape(-1, 2)
        for face, count in zip(faces.tolist(), counts.tolist(), strict=True)
        if found.differing[face] <= MOST_DIFFERING * count
    }


def _track(
    rows: NDArray[np.void],
    places: NDArray[np.int64],
    edges: NDArray[np.float64],
    summary: FaceSummary,
    active: Spans | None,
) -> Track:
    """Return a face from its rows and the frames that they are of; ``active`` is None where the column has to do."""
    first, count = int(places[0]), int(places[-1] - places[0]) + 1

    def levels(name: str) -> NDArray[np.uint8]:
        """Return a column in each frame, in LEVELS."""
        values, there = np.full(count, MISSING, np.uint8), ~np.isnan(rows[name])
        values[places[there] - first] = np.rint(np.clip(rows[name][there], 0, 1) * LEVELS)
        return values

    def spans(marked: NDArray[np.bool_]) -> Spans:
        """Return the start and end of each run of marked rows, in seconds."""
        flags = np.zeros(count + 2, np.int8)
        flags[places - first + 1] = marked
        turns = np.flatnonzero(np.diff(flags))
        return edges[turns + first].reshape(-1, 2)

    doubtful = rows["reliability"] < Gates().min_reliability  # NaN, where a network does not tell, is not
    opened = np.array(summary.opened, np.float64).reshape(-1, 2)
    smooth, raw, activity = levels("openness"), levels("openness_raw"), levels("activity")
    active = spans(rows["active"]) if active is None else active
    return Track(summary, first, smooth, raw, activity, active, opened, spans(doubtful))
