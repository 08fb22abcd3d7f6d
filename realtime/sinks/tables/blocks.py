"""Read a table of readings block by block, so that memory does not grow with its length."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....models.errors import TableError
from .columns import COLUMNS, NAMES, STAND_INS, TABLE_DTYPE, as_record
from .formats import CSV, JSONL, PARQUET
from .parquet_sink import load_pyarrow

BLOCK_ROWS = 16_384  # 1.5 MB of rows; four times that for JSON lines
_FIRST_NAMES = tuple(column.name for column in COLUMNS if not column.added_later)
_ADDED_LATER = dict.fromkeys(NAMES[len(_FIRST_NAMES) :])
_PARQUET_MAGIC = b"PAR1"
_LONGEST_LINE = 65_536  # bytes of a first line; a table's has 500 at most


def is_table(path: Path) -> bool:
    """Return whether a file is a table of readings, by its first bytes and the names of its columns.

    Raises:
        MissingExtraError: it is Parquet, and pyarrow is not installed.
        OSError: it cannot be read.
    """
    return _format(path) is not None


def table_blocks(path: Path) -> Iterator[NDArray[np.void]]:
    """Yield the rows of a table in order, at most :data:`BLOCK_ROWS` at once.

    Columns that a later version added at the end are left out. Those that an earlier version lacks are NaN.

    Args:
        path: a CSV, Parquet or JSON lines table of readings; its content tells which, not its name.

    Yields:
        (n,) of :data:`.TABLE_DTYPE`.

    Raises:
        TableError: it is missing, damaged, or no table of readings.
        MissingExtraError: it is Parquet, and pyarrow is not installed.
    """
    try:
        name = _format(path)
        if name is None:
            raise TableError(f"{path}: no table of readings; give a file that mouth-live process or --csv wrote")
        yield from {CSV: _csv_blocks, JSONL: _jsonl_blocks, PARQUET: _parquet_blocks}[name](path)
    except OSError as error:
        raise TableError(f"{path}: cannot read it ({error.strerror or error}); is the name right?") from None


def _format(path: Path) -> str | None:
    """Return the format of a table of readings; None for any other file."""
    with path.open("rb") as file:
        first = file.readline(_LONGEST_LINE)
    if first.startswith(_PARQUET_MAGIC):
        return PARQUET if _is_our_parquet(path) else None
    try:
        text = first.decode("utf-8-sig")
        names: Any = json.loads(text) if text.startswith("{") else text.rstrip("\r\n").split(",")
    except ValueError:
        return None
    return (JSONL if isinstance(names, dict) else CSV) if _has_our_columns(names) else None


def _has_our_columns(names: Iterable[str]) -> bool:
    return tuple(islice(names, len(_FIRST_NAMES))) == _FIRST_NAMES


def _present(names: Iterable[str]) -> tuple[str, ...]:
    """Return those of our columns that a table begins with."""
    return tuple(ours for ours, name in zip(NAMES, names, strict=False) if ours == name)


def _is_our_parquet(path: Path) -> bool:
    """Return whether a Parquet file is a table of readings; one that is cut off may be, and reading it will tell."""
    pa, parquet = load_pyarrow(), load_pyarrow("pyarrow.parquet")
    try:
        return _has_our_columns(parquet.read_schema(path).names)
    except pa.ArrowException:
        return True


def _csv_blocks(path: Path) -> Iterator[NDArray[np.void]]:
    with path.open(encoding="utf-8-sig") as file:
        count = len(_present(file.readline().rstrip("\r\n").split(",")))
        for first, lines in _batches(file):
            # Two passes: neighbouring empty cells share a comma.
            text = "".join(lines).replace(",,", ",nan,").replace(",,", ",nan,").replace(",\n", ",nan\n")
            try:
                cells = np.loadtxt(text.splitlines(), delimiter=",", usecols=range(count), ndmin=2, comments=None)
            except ValueError:
                raise _damaged(path, first, len(lines)) from None
            yield _records(path, list(cells.T))


def _jsonl_blocks(path: Path) -> Iterator[NDArray[np.void]]:
    with path.open(encoding="utf-8") as file:
        for first, lines in _batches(file, first=1):
            try:
                rows = [_ADDED_LATER | json.loads(line) for line in lines]
                yield np.array([as_record(tuple(row[name] for name in NAMES)) for row in rows], TABLE_DTYPE)
            except (ValueError, TypeError, KeyError):
                raise _damaged(path, first, len(lines)) from None


def _batches(file: Iterable[str], first: int = 2) -> Iterator[tuple[int, list[str]]]:
    """Yield lines together, with the number of the first, from 1."""
    lines = iter(file)
    try:
        while batch := list(islice(lines, BLOCK_ROWS)):
            yield first, batch
            first += len(batch)
    except UnicodeDecodeError as error:
        raise OSError(f"not UTF-8 after line {first}: {error.reason}") from None


def _damaged(path: Path, first: int, count: int) -> TableError:
    return TableError(f"{path}: damaged between the lines {first} and {first + count - 1}; make it anew")


def _parquet_blocks(path: Path) -> Iterator[NDArray[np.void]]:
    pa, parquet = load_pyarrow(), load_pyarrow("pyarrow.parquet")
    try:
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            names = list(_present(file.schema_arrow.names))
            for batch in file.iter_batches(BLOCK_ROWS, columns=names, use_threads=False):
                yield _records(path, [_from_arrow(column) for column in batch.columns])
    except pa.ArrowException as error:
        raise TableError(f"{path}: damaged ({str(error).splitlines()[0]}); make it anew") from None


def _from_arrow(column: Any) -> NDArray[np.float64]:  # noqa: ANN401
    """Return an Arrow column as floats, with NaN for null. From its buffers: ``to_numpy`` would import pandas."""
    present, values = column.cast("float64").buffers()
    here = slice(column.offset, column.offset + len(column))
    numbers = np.frombuffer(values, np.float64)[here]
    if present is None:
        return numbers
    bits = np.unpackbits(np.frombuffer(present, np.uint8), bitorder="little")
    return np.where(bits[here], numbers, np.nan)


def _records(path: Path, columns: Sequence[NDArray[Any]]) -> NDArray[np.void]:
    """Return rows from the columns that a table has, in which NaN stands for a missing value."""
    rows = np.empty(len(columns[0]), TABLE_DTYPE)
    lacking = [np.full(len(rows), np.nan)] * (len(COLUMNS) - len(columns))
    for column, values in zip(COLUMNS, [*columns, *lacking], strict=True):
        missing = np.isnan(values)
        if column.always and missing.any():
            raise TableError(f"{path}: damaged, a row has no {column.name}; make it anew")
        rows[column.name] = np.where(missing, STAND_INS[column.dtype], values)
    return rows
