"""The sink that writes readings as a CSV table."""

from .columns import COLUMNS, FILE, NAMES, Row
from .text_table import TextTable

_CELLS = tuple(f"%.{column.decimals}f" if column.decimals else "%d" for column in COLUMNS)
_LINE = ",".join(_CELLS)


class CsvSink(TextTable):
    """Write one row for each face of each frame; a frame without a face has one row with ``success`` 0.

    The file is written as ``OUT.part`` and gets its name when the ``with`` block ends without an exception.
    """

    @staticmethod
    def header(file: str | None) -> str:
        """Return the names of the columns."""
        return ",".join(NAMES if file is None else (*NAMES, FILE.name)) + "\n"

    @staticmethod
    def line(row: Row, file: str | None = None) -> str:
        """Return one row's line; a missing value is an empty cell."""
        end = "\n" if file is None else f",{_quoted(file)}\n"
        if None not in row:
            return _LINE % row + end
        cells = ["" if value is None else cell % value for cell, value in zip(_CELLS, row, strict=True)]
        return ",".join(cells) + end


def _quoted(text: str) -> str:
    """Return a text cell, in quotes where it needs them. Source: RFC 4180."""
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text
