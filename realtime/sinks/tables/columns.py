"""The columns of the table of readings: the one definition that all its formats share."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

from ...records import Analysis, Reading

Value = int | float | None
Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table.

    Attributes:
        name: its name in every format.
        dtype: the NumPy type that holds it: int64, float64, bool, or str. Every file holds a bool as 1 or 0.
        decimals: the decimals of a float; its value is the same in every format.
        unit: of its values; empty for a number without a unit.
        meaning: what it says, in one line.
        always: whether it has a value where no face was read.
        added_later: whether tables of an earlier version lack it; reading these, it has no value.
    """

    name: str
    dtype: str
    decimals: int
    unit: str
    meaning: str
    always: bool = False
    added_later: bool = False


COLUMNS = (
    Column("frame", "int64", 0, "", "index of the decoded frame, from 0", always=True),
    Column("timestamp", "float64", 6, "s", "time of the frame, never decreasing", always=True),
    Column("face_id", "int64", 0, "", "the track: it stays with one face"),
    Column("confidence", "float64", 4, "", "face detection score, 0..1"),
    Column("success", "bool", 0, "", "1: a face was read; 0: no face in this frame", always=True),
    Column("x", "float64", 1, "pixel", "left edge of the face box in the frame as displayed"),
    Column("y", "float64", 1, "pixel", "top edge of the face box in the frame as displayed"),
    Column("width", "float64", 1, "pixel", "width of the face box"),
    Column("height", "float64", 1, "pixel", "height of the face box"),
    Column("openness_raw", "float64", 4, "", "the network's openness for this frame, 0 closed to 1 fully open"),
    Column("openness", "float64", 4, "", "smoothed openness, 0 closed to 1 fully open"),
    Column("active", "bool", 0, "", "1 while the lips are active, else 0"),
    Column("reliability", "float64", 4, "", "how far to trust openness_raw, 0..1"),
    Column("activity", "float64", 4, "", "how much the lips move, 0..1; 0.5 is the default limit", added_later=True),
)
FILE = Column("file", "str", 0, "", "the recording, as it was given; only where it is asked for", always=True)
NAMES = tuple(column.name for column in COLUMNS)
TABLE_DTYPE = np.dtype([(column.name, column.dtype) for column in COLUMNS])
"""A row in NumPy, which has no missing values; :data:`STAND_INS` has what stands for them."""

_DECIMALS = tuple(column.decimals for column in COLUMNS)
STAND_INS = {"int64": -1, "float64": nan, "bool": False}  # by dtype
_MISSING = tuple(STAND_INS[column.dtype] for column in COLUMNS)
_AFTER_SUCCESS = (None,) * (len(COLUMNS) - NAMES.index("success") - 1)


def table_rows(analysis: Analysis, start_time: float = 0.0) -> Iterator[Row]:
    """Yield a frame's rows, ordered by face id, with values in full precision; see :func:`rounded`.

    A frame without a face has one row. A silent analysis has none.

    Args:
        analysis: one frame.
        start_time: the seconds to add to each time.
    """
    if analysis.silent:
        return
    index, time = analysis.frame.index, analysis.frame.time + start_time
    if not analysis.readings:
        yield index, time, None, None, 0, *_AFTER_SUCCESS
    for reading in sorted(analysis.readings, key=lambda r: r.face_id):
        yield index, time, *_values(reading)


def _values(reading: Reading) -> Row:
    """Return the values after the timestamp."""
    seen = reading.face_id, reading.face.score, 1, *reading.face.box
    openness, scores = (reading.raw, reading.openness), (reading.reliability, reading.activity)
    return *seen, *openness, int(reading.active), *(None if isnan(score) else score for score in scores)


def printable(file: str) -> str:
    """Return the name of a file as text that can be written: bytes that are no UTF-8 are escaped."""
    return file.encode("utf-8", "backslashreplace").decode("utf-8")


def rounded(row: Row) -> Row:
    """Return a row with each value as the CSV has it, so that a table has the same numbers in every format."""
    return tuple(
        round(float(value), decimals) if decimals and value is not None else value
        for value, decimals in zip(row, _DECIMALS, strict=True)
    )


def as_record(row: Row) -> tuple[float, ...]:
    """Return a rounded row whose missing values are those of :data:`TABLE_DTYPE`."""
    return tuple(missing if value is None else value for value, missing in zip(row, _MISSING, strict=True))


def is_missing(rows: NDArray[np.void], column: Column) -> NDArray[np.bool_]:
    """Return where a column has no value.

    Args:
        rows: (n,) of :data:`TABLE_DTYPE`.
        column: one of :data:`COLUMNS`.

    Returns:
        (n,) bool.
    """
    if column.always:
        return np.zeros(len(rows), np.bool_)
    no_face = ~rows["success"]
    return no_face | np.isnan(rows[column.name]) if column.dtype == "float64" else no_face
