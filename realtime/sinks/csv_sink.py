"""The sink that writes readings as a CSV table."""

from .table_columns import COLUMNS, NAMES, Row
from .text_table import TextTable

_CELLS = tuple(f"%.{column.decimals}f" if column.decimals else "%d" for column in COLUMNS)
_LINE = ",".join(_CELLS) + "\n"


class CsvSink(TextTable):
    """Write one row for each face of each frame; a frame without a face has one row with ``success`` 0.

    The file is written as ``OUT.part`` and gets its name when the ``with`` block ends without an exception.
    """

    header = ",".join(NAMES) + "\n"

    @staticmethod
    def line(row: Row) -> str:
        """Return one row's line; a missing value is an empty cell."""
        if None not in row:
            return _LINE % row
        cells = ["" if value is None else cell % value for cell, value in zip(_CELLS, row, strict=True)]
        return ",".join(cells) + "\n"
