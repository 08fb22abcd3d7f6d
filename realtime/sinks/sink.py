"""What every sink is: something that takes analyses until its ``with`` block ends."""

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from ..records import Analysis


class Sink(ABC):
    """Takes the analyses of one source: a table, a video, intervals, event lines, the window.

    A sink opens its output in ``__enter__`` and completes it in ``__exit__``. Left by an exception, it leaves nothing
    under the final name of a file.

    Attributes:
        path: the file that it writes; None for none, or for stdout.
    """

    path: Path | None = None

    def __enter__(self) -> Self:
        """Open the output."""
        return self

    def __exit__(  # noqa: B027 - a sink without a file has nothing to complete
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the output, or give it up after an exception."""

    @abstractmethod
    def write(self, analysis: Analysis) -> None:
        """Take one analysis. A silent one (``analysis.silent``) has events but no new picture."""

    @property
    def is_finished(self) -> bool:
        """Whether the sink wants no more: the session then ends, as when its window was closed."""
        return False
