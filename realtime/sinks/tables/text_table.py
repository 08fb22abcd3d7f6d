"""The base class of the tables that are text: the CSV and JSON lines."""

from abc import abstractmethod
from pathlib import Path
from time import monotonic
from typing import Self

from ...records import Analysis
from ..text_sink import TextSink
from .columns import Row, printable, table_rows

FLUSH_EVERY = 1.0  # s: so many seconds of live video are lost where the program is killed


class TextTable(TextSink):
    """Write one line for each face of each frame; a frame without a face has one line with ``success`` 0.

    The file is written as ``OUT.part`` and gets its name when the ``with`` block ends without an exception.
    """

    def __init__(self, path: Path | str, start_time: float = 0.0, file: str | None = None) -> None:
        """Set the output; nothing is opened yet.

        Args:
            path: the file, or ``"-"`` for stdout.
            start_time: the seconds to add to each time: the source's start time, for timestamps in media time.
            file: what a last column ``file`` holds in each row; None for no such column.
        """
        super().__init__(path)
        self._start_time, self._file_name = start_time, None if file is None else printable(file)
        self._flushed = monotonic()

    def __enter__(self) -> Self:
        """Open the output and write the header.

        Raises:
            SinkError: it cannot be written.
            BrokenPipeError: the reader of stdout has closed it.
        """
        super().__enter__()
        self.put(self.header(self._file_name))
        return self

    def write(self, analysis: Analysis) -> None:
        """Write one frame's lines; a silent analysis has none.

        Raises:
            SinkError: the disk is full, or the file was removed.
            BrokenPipeError: the reader of stdout has closed it.
            ValueError: the sink is not open.
        """
        lines = [self.line(row, self._file_name) for row in table_rows(analysis, self._start_time)]
        now = monotonic()
        is_due = now - self._flushed >= FLUSH_EVERY
        self._flushed = now if is_due else self._flushed
        self.put("".join(lines), flush=is_due)
        self.rows += len(lines)

    @staticmethod
    def header(file: str | None) -> str:
        """Return the line before the rows, with its line end; empty for none."""
        return ""

    @staticmethod
    @abstractmethod
    def line(row: Row, file: str | None) -> str:
        """Return one row's line, with its line end."""
