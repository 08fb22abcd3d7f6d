"""The sink that writes readings as a CSV table."""

from collections.abc import Iterator
from math import isnan
from pathlib import Path
from typing import Self

from ..records import Analysis, Reading
from .text_sink import TextSink

CSV_COLUMNS = (
    "frame", "timestamp", "face_id", "confidence", "success", "x", "y", "width", "height",
    "openness_raw", "openness", "active", "reliability",
)  # fmt: skip


class CsvSink(TextSink):
    """Write one row for each face of each frame; a frame without a face has one row with ``success`` 0.

    The file is written as ``OUT.part`` and gets its name when the ``with`` block ends without an exception.
    """

    def __init__(self, path: Path | str, start_time: float = 0.0) -> None:
        """Set the output; nothing is opened yet.

        Args:
            path: the file, or ``"-"`` for stdout.
            start_time: the seconds to add to each time: the source's start time, for timestamps in media time.
        """
        super().__init__(path)
        self._start_time = start_time

    def __enter__(self) -> Self:
        """Open the output and write the header.

        Raises:
            SinkError: it cannot be written.
            BrokenPipeError: the reader of stdout has closed it.
        """
        super().__enter__()
        self.put(",".join(CSV_COLUMNS) + "\n")
        return self

    def write(self, analysis: Analysis) -> None:
        """Write one frame's rows; a silent analysis has none.

        Raises:
            SinkError: the disk is full, or the file was removed.
            BrokenPipeError: the reader of stdout has closed it.
            ValueError: the sink is not open.
        """
        if not analysis.silent:
            self.put("".join(csv_rows(analysis, self._start_time)))
            self.rows += max(1, len(analysis.readings))


def csv_rows(analysis: Analysis, start_time: float = 0.0) -> Iterator[str]:
    """Yield the frame's rows with their line ends, ordered by face id; ``start_time`` as for :class:`CsvSink`."""
    head = f"{analysis.frame.index},{analysis.frame.time + start_time:.6f},"
    if not analysis.readings:
        yield f"{head},,0" + "," * (len(CSV_COLUMNS) - 5) + "\n"
    for reading in sorted(analysis.readings, key=lambda r: r.face_id):
        yield f"{head}{_cells(reading)}\n"


def _cells(reading: Reading) -> str:
    """Return the cells after the timestamp."""
    box = ",".join(f"{value:.1f}" for value in reading.face.box)
    values = f"{reading.raw:.4f},{reading.openness:.4f},{int(reading.active)}"
    reliability = "" if isnan(reading.reliability) else f"{reading.reliability:.4f}"
    return f"{reading.face_id},{reading.face.score:.4f},1,{box},{values},{reliability}"
