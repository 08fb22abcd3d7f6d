"""The sink that writes readings as a Parquet table, a row group at a time."""

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ....models.errors import MissingExtraError
from ....models.lazy_names import VERSION
from ...records import Analysis
from ..file_sink import FileSink
from .columns import COLUMNS, FILE, TABLE_DTYPE, as_record, is_missing, printable, rounded, table_rows

GROUP_ROWS = 65_536  # rows of a row group: 6 MB in memory; an hour of one face has two of them
METADATA_KEY = "mouth_live"  # in the schema's metadata; its value is JSON


def load_pyarrow(module: str = "pyarrow") -> ModuleType:
    """Import pyarrow or one of its modules, which takes a fifth of a second.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise MissingExtraError("Parquet (pyarrow)", "parquet") from None


class ParquetSink(FileSink):
    """Write the rows, columns and values of the CSV as Parquet; a missing value is null.

    The metadata of each field has its ``unit`` and ``meaning``. The schema's metadata has the key ``mouth_live``: JSON
    with the version and the settings. The file is written as ``OUT.part`` and gets its name when the ``with`` block
    ends without an exception. After an interruption the part is a Parquet file too.
    """

    binary = True

    def __init__(
        self,
        path: Path | str,
        start_time: float = 0.0,
        about: Mapping[str, Any] | None = None,
        file: str | None = None,
    ) -> None:
        """Set the output; nothing is opened yet.

        Args:
            path: the file, or ``"-"`` for stdout.
            start_time: the seconds to add to each time: the source's start time, for timestamps in media time.
            about: what the schema's metadata says besides the version, as data that JSON can hold.
            file: what a last column ``file`` holds in each row; None for no such column.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        super().__init__(path)
        self._parquet = load_pyarrow("pyarrow.parquet")
        self._start_time, self._about = start_time, dict(about or {})
        self._file_name = None if file is None else printable(file)
        self._group = np.empty(0, TABLE_DTYPE)
        self._filled = 0  # rows of the group that are not written yet
        self._writer: Any = None

    def __enter__(self) -> Self:
        """Open the output.

        Raises:
            SinkError: it cannot be written.
        """
        super().__enter__()
        schema = parquet_schema(self._about, with_file=self._file_name is not None)
        self._writer = self._parquet.ParquetWriter(self.file, schema, compression="zstd")
        self._group = np.empty(GROUP_ROWS, TABLE_DTYPE)
        return self

    def write(self, analysis: Analysis) -> None:
        """Take one frame's rows; a silent analysis has none.

        Raises:
            SinkError: the disk is full, or the file was removed.
            BrokenPipeError: the reader of stdout has closed it.
            ValueError: the sink is not open.
        """
        if self._writer is None:
            raise ValueError("write inside the with block only")
        for row in table_rows(analysis, self._start_time):
            self.rows += 1
            self._group[self._filled] = as_record(rounded(row))
            self._filled += 1
            if self._filled == GROUP_ROWS:
                self._write_group()

    def finish(self, failed: bool) -> None:
        """Write the rows that are left, and the end of the file."""
        if self._writer is not None:
            self._write_group()
            self._attempt(self._writer.close)
        self._writer, self._group = None, np.empty(0, TABLE_DTYPE)

    def _write_group(self) -> None:
        rows, self._filled = self._group[: self._filled], 0
        if len(rows):
            self._attempt(lambda: self._writer.write_table(as_arrow(rows, self._writer.schema, self._file_name)))

    def _attempt(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            self._writer.is_open = False  # or it tries again when it is collected
            self._writer = None
            if isinstance(error, BrokenPipeError):
                raise
            raise self.failure(error) from None


def parquet_schema(about: Mapping[str, Any], with_file: bool = False) -> Any:  # noqa: ANN401 - pyarrow is typed only where it is installed
    """Return the schema of the table: types, units, meanings, and ``about`` with this version."""
    pa = load_pyarrow()
    types = {"int64": pa.int64(), "float64": pa.float64(), "bool": pa.int8()}
    types["str"] = pa.string()
    columns = (*COLUMNS, FILE) if with_file else COLUMNS
    fields = [pa.field(c.name, types[c.dtype], not c.always, {"unit": c.unit, "meaning": c.meaning}) for c in columns]
    return pa.schema(fields, {METADATA_KEY: json.dumps({"version": VERSION, **about})})


def as_arrow(rows: NDArray[np.void], schema: Any, file: str | None = None) -> Any:  # noqa: ANN401
    """Return rows of :data:`.TABLE_DTYPE` as an Arrow table, with nulls for missing values."""
    pa = load_pyarrow()
    arrays: list[Any] = []
    for column, field in zip(
        COLUMNS, list(schema)[: len(COLUMNS)], strict=True
    ):  # from buffers: pa.array() would import pandas
        kind = np.int8 if column.dtype == "bool" else column.dtype
        present = None if column.always else np.packbits(~is_missing(rows, column), bitorder="little")
        buffers = [None if present is None else pa.py_buffer(present), pa.py_buffer(rows[column.name].astype(kind))]
        arrays.append(pa.Array.from_buffers(field.type, len(rows), buffers))
    if file is not None:
        arrays.append(pa.repeat(file, len(rows)))
    return pa.Table.from_arrays(arrays, schema=schema)
