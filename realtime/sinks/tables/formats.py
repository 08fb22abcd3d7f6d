"""The formats of the table of readings, and the one door to their sinks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ....models.errors import UsageError
from ..file_sink import FileSink
from .csv_sink import CsvSink
from .jsonl_sink import JsonlSink
from .parquet_sink import ParquetSink, load_pyarrow

CSV, PARQUET, JSONL = "csv", "parquet", "jsonl"
TABLE_FORMATS = (CSV, PARQUET, JSONL)  # each is its files' ending too


def chosen_format(output: str | None, given: str | None, formats: Sequence[str] = TABLE_FORMATS) -> str:
    """Return the format of an output: the one that was given, or that of the output's ending, or the first.

    Args:
        output: the file or folder to write, as on the command line; None or ``"-"`` tell no format.
        given: one of ``formats``; None for none.
        formats: the formats to choose from, each named as its files end.

    Raises:
        UsageError: the ending is that of another format.
    """
    ending = "" if output is None else Path(output).suffix[1:].lower()
    if ending not in formats:
        return given or formats[0]
    if given not in (None, ending):
        raise UsageError(f"{output}: ends in .{ending}, but --format is {given}; change one of them")
    return ending


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
