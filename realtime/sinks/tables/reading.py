"""Read a table of readings as a NumPy record array, or as a data frame of pandas or polars."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from ....models.errors import MissingExtraError
from .blocks import table_blocks
from .columns import COLUMNS, TABLE_DTYPE, Column, is_missing

Library = Literal["numpy", "pandas", "polars"]


@overload
def read_table(path: Path | str, as_: Literal["numpy"] = "numpy") -> "np.recarray[Any, np.dtype[np.void]]": ...
@overload
def read_table(path: Path | str, as_: Literal["pandas", "polars"]) -> Any: ...  # noqa: ANN401
def read_table(path: Path | str, as_: Library = "numpy") -> Any:
    """Read a table that ``mouth-live process`` or ``--csv`` wrote: CSV, Parquet or JSON lines.

    The columns are those of the CSV; ``success`` and ``active`` are booleans. Columns that a later version added are
    left out. In NumPy a row without a face has ``face_id`` -1, NaN for each number and ``active`` False: arithmetic
    ignores what is missing with ``nanmean`` and the like, and a mask such as ``table[table.success]`` works. pandas and
    polars have true missing values: ``face_id`` is ``Int64``, ``active`` a nullable boolean.

    Args:
        path: the file; its content tells the format, not its name.
        as_: ``"numpy"``, or ``"pandas"`` or ``"polars"`` where that is installed; neither is imported otherwise.

    Returns:
        A (n,) ``numpy.recarray``: ``table.openness`` and ``table["openness"]`` are the same. Or a DataFrame.

    Raises:
        TableError: the file is missing, damaged, or no table of readings.
        MissingExtraError: a package that it needs is not installed.
        ValueError: ``as_`` is none of these.
    """
    if as_ not in ("numpy", "pandas", "polars"):
        raise ValueError(f"as_: expected 'numpy', 'pandas' or 'polars', got {as_!r}")
    library = None if as_ == "numpy" else _load(as_)
    rows = np.concatenate([np.empty(0, TABLE_DTYPE), *table_blocks(Path(path))])
    if library is None:
        return rows.view(np.recarray)
    return _pandas(rows, library) if as_ == "pandas" else _polars(rows, library)


def _load(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise MissingExtraError(f"as_={name!r}", package=name) from None


def _pandas(rows: NDArray[np.void], pd: ModuleType) -> Any:  # noqa: ANN401
    def series(column: Column) -> Any:  # noqa: ANN401
        """Return a column with pandas' own missing values where its type has none."""
        values = np.ascontiguousarray(rows[column.name])
        if column.always or column.dtype == "float64":
            return values
        kind = pd.arrays.IntegerArray if column.dtype == "int64" else pd.arrays.BooleanArray
        return kind(values, is_missing(rows, column))

    return pd.DataFrame({column.name: series(column) for column in COLUMNS})


def _polars(rows: NDArray[np.void], pl: ModuleType) -> Any:  # noqa: ANN401
    def series(column: Column) -> Any:  # noqa: ANN401
        """Return a column with nulls."""
        values = pl.Series(column.name, np.ascontiguousarray(rows[column.name]))
        return values if column.always else values.set(pl.Series(is_missing(rows, column)), None)

    return pl.DataFrame([series(column) for column in COLUMNS])
