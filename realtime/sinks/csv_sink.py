"""Where analyses go: the protocol that every sink keeps, and the CSV writer."""

import sys
from collections.abc import Iterator
from math import isnan
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TextIO

from ...models.errors import SinkError
from ..records import Analysis, Reading

STDOUT = "-"
COLUMNS = (
    "frame", "timestamp", "face_id", "confidence", "success", "x", "y", "width", "height",
    "openness_raw", "openness", "active", "reliability",
)  # fmt: skip


class Sink(Protocol):
    """Takes analyses until its ``with`` block ends; left by an exception, it leaves nothing under its final name."""

    def __enter__(self) -> Self:
        """Open the output."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the output, or after an exception give it up."""
        ...

    def write(self, analysis: Analysis) -> None:
        """Take one analysis."""
        ...


class CsvSink:
    """One row for each face of each frame; a frame without a face has one row with ``success`` 0.

    The file is written as ``OUT.part`` and gets its name when the ``with`` block ends without an exception. A caller
    that wants to keep what a cut-off source gave catches that error inside the block.
    """

    def __init__(self, path: Path | str, start: float = 0.0) -> None:
        """Say where the rows go; nothing is opened yet.

        Args:
            path: the file, or ``"-"`` for stdout.
            start: seconds to add to each time (the first frame's own time, for timestamps in media time).
        """
        self._path = None if path == STDOUT else Path(path)
        self._start = start
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """Open the output and write the header.

        Raises:
            SinkError: it cannot be written.
            BrokenPipeError: the reader of stdout has gone.
        """
        try:
            self._file = part_name(self._path).open("w", encoding="utf-8", newline="") if self._path else sys.stdout
        except OSError as error:
            raise self._failure(error) from None
        self._put(",".join(COLUMNS) + "\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the file its name; after an exception leave it as ``OUT.part``.

        Raises:
            SinkError: the last rows cannot be written, or the file cannot be renamed.
            BrokenPipeError: the reader of stdout has gone.
        """
        file, self._file = self._file, None
        if file is None:
            return
        try:
            if self._path is None:
                file.flush()
                return
            file.close()
            if kind is None:
                part_name(self._path).replace(self._path)
        except BrokenPipeError:
            if kind is None:
                raise
        except OSError as failure:
            if kind is None:  # else the first error is the one to tell
                raise self._failure(failure) from None

    def write(self, analysis: Analysis) -> None:
        """Write one frame's rows.

        Raises:
            SinkError: the disk is full, or the file was taken away.
            BrokenPipeError: the reader of stdout has gone.
            ValueError: the sink is not open.
        """
        self._put("".join(_rows(analysis, self._start)))

    def _put(self, text: str) -> None:
        if self._file is None:
            raise ValueError("CsvSink: write inside its with block only")
        try:
            self._file.write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failure(error) from None

    def _failure(self, error: OSError) -> SinkError:
        name = self._path or "stdout"
        return SinkError(f"{name}: cannot write the CSV ({error.strerror or error}); give another -o or make room")


def part_name(path: Path) -> Path:
    """The name a file has until it is whole, beside its final one: ``OUT.part``."""
    return path.with_name(path.name + ".part")


def _rows(analysis: Analysis, start: float) -> Iterator[str]:
    """The frame's rows, ordered by face id."""
    head = f"{analysis.frame.index},{analysis.frame.time + start:.6f},"
    if not analysis.readings:
        yield f"{head},,0" + "," * (len(COLUMNS) - 5) + "\n"
    for reading in sorted(analysis.readings, key=lambda r: r.face_id):
        yield f"{head}{_cells(reading)}\n"


def _cells(reading: Reading) -> str:
    """What follows the timestamp."""
    box = ",".join(f"{value:.1f}" for value in reading.face.box)
    values = f"{reading.raw:.4f},{reading.openness:.4f},{int(reading.active)}"
    reliability = "" if isnan(reading.reliability) else f"{reading.reliability:.4f}"
    return f"{reading.face_id},{reading.face.score:.4f},1,{box},{values},{reliability}"
