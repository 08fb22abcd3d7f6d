"""The sink that writes readings as JSON lines."""

import json

from .columns import FILE, NAMES, Row, rounded
from .text_table import TextTable


class JsonlSink(TextTable):
    """Write one JSON object for each row of the table, with the CSV's columns as keys; a missing value is null."""

    @staticmethod
    def line(row: Row, file: str | None = None) -> str:
        """Return one row's line."""
        values: dict[str, object] = dict(zip(NAMES, rounded(row), strict=True))
        return json.dumps(values if file is None else values | {FILE.name: file}) + "\n"
