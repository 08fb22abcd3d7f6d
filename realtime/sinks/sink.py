"""The base class of all sinks: a sink takes analyses until its ``with`` block ends."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from ...models.errors import MouthLiveError, UsageError
from ...models.whole_file import is_stream, same_file
from ..records import Analysis


class Sink(ABC):
    """A consumer of one source's analyses: a table, a video, intervals, event lines, the window.

    A sink opens its output in ``__enter__`` and completes it in ``__exit__``. After an exception it leaves no file
    under its final name.

    Attributes:
        path: the file that it writes; None for none, or for stdout.
        rows: the number of rows, lines or intervals that it has written so far.
        is_cut_off: whether the source failed before its end; the output is completed all the same.
    """

    path: Path | None = None
    rows: int = 0
    is_cut_off: bool = False

    @property
    def counts(self) -> str:
        """What it has written so far, in words; empty where the frames say it all."""
        return ""

    def __enter__(self) -> Self:
        """Open the output."""
        return self

    def __exit__(  # noqa: B027 - a sink without a file has nothing to complete
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the output, or abandon it after an exception."""

    @abstractmethod
    def write(self, analysis: Analysis) -> None:
        """Write one analysis. A silent one (``analysis.silent``) has events but no new picture."""

    @property
    def is_finished(self) -> bool:
        """Whether the sink wants no more analyses; the session then ends, as after its window is closed."""
        return False


def mark_cut_off(sinks: Iterable[Sink], error: MouthLiveError) -> MouthLiveError:
    """Tell the sinks that the source has failed with an error, and return the error."""
    for sink in sinks:
        sink.is_cut_off = True
    return error


def refuse_shared_files(sinks: Iterable[Sink], source_files: Collection[Path]) -> None:
    """Raise an error where a sink would overwrite the source, or two sinks would write one file.

    Args:
        sinks: the sinks of one source.
        source_files: the files that the source reads.

    Raises:
        UsageError: with the path of the output.
    """
    paths = [sink.path for sink in sinks if sink.path is not None]
    for index, path in enumerate(paths):
        if any(same_file(path, file) for file in source_files):
            raise UsageError(f"{path}: the output would overwrite the input; give another name")
        if any(same_file(path, other) for other in paths[:index]) and not is_stream(path):
            raise UsageError(f"{path}: two outputs cannot share one file; give them different names")
