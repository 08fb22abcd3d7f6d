"""The sink that writes readings as JSON lines."""

import json

from .table_columns import NAMES, Row, rounded
from .text_table import TextTable


class JsonlSink(TextTable):
    """Write one JSON object for each row of the table, with the CSV's columns as keys; a missing value is null."""

    @staticmethod
    def line(row: Row) -> str:
        """Return one row's line."""
        return json.dumps(dict(zip(NAMES, rounded(row), strict=True))) + "\n"
