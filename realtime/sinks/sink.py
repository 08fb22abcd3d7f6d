"""The base class of all sinks: a sink takes analyses until its ``with`` block ends."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from ..records import Analysis


class Sink(ABC):
    """A consumer of one source's analyses: a table, a video, intervals, event lines, the window.

    A sink opens its output in ``__enter__`` and completes it in ``__exit__``. After an exception it leaves no file
    under its final name.
    """

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
