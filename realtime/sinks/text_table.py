"""The base class of the tables that are text: the CSV and JSON lines."""

from abc import abstractmethod
from pathlib import Path
from typing import Self

from ..records import Analysis
from .table_columns import Row, table_rows
from .text_sink import TextSink


class TextTable(TextSink):
    """Write one line for each face of each frame; a frame without a face has one line with ``success`` 0.

    The file is written as ``OUT.part`` and gets its name when the ``with`` block ends without an exception.
    """

    header = ""

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
        self.put(self.header)
        return self

    def write(self, analysis: Analysis) -> None:
        """Write one frame's lines; a silent analysis has none.

        Raises:
            SinkError: the disk is full, or the file was removed.
            BrokenPipeError: the reader of stdout has closed it.
            ValueError: the sink is not open.
        """
        lines = [self.line(row) for row in table_rows(analysis, self._start_time)]
        self.put("".join(lines))
        self.rows += len(lines)

    @staticmethod
    @abstractmethod
    def line(row: Row) -> str:
        """Return one row's line, with its line end."""
