"""The formats of the table of readings, and the one door to their sinks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..file_sink import FileSink
from .csv_sink import CsvSink
from .jsonl_sink import JsonlSink
from .parquet_sink import ParquetSink, load_pyarrow

CSV, PARQUET, JSONL = "csv", "parquet", "jsonl"
TABLE_FORMATS = (CSV, PARQUET, JSONL)  # each is its files' ending too


def check_format(name: str) -> None:
    """Check that tables of this format can be written here, before any work.

    Raises:
        MissingExtraError: a package that it needs is not installed.
    """
    if name == PARQUET:
        load_pyarrow()


def table_sink(
    path: Path | str,
    name: str = CSV,
    start_time: float = 0.0,
    about: Mapping[str, Any] | None = None,
    file: str | None = None,
) -> FileSink:
    """Return the sink that writes readings in a format.

    Args:
        path: the file, or ``"-"`` for stdout.
        name: one of :data:`TABLE_FORMATS`.
        start_time: the seconds to add to each time: the source's start time, for timestamps in media time.
        about: how the table was made, for the metadata of Parquet, as data that JSON can hold.
        file: what a last column ``file`` holds in each row; None for no such column.

    Raises:
        MissingExtraError: a package that it needs is not installed.
    """
    if name == PARQUET:
        return ParquetSink(path, start_time, about, file)
    return (JsonlSink if name == JSONL else CsvSink)(path, start_time, file)
