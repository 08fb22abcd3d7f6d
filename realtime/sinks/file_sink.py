"""The base class of the sinks that write a file, which gets its name when it is complete, or to stdout."""

import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, ClassVar, Self

from ...models.errors import SinkError
from ...models.whole_file import whole_file
from .sink import Sink

STDOUT = "-"


class FileSink(Sink):
    """A sink of one file, written as ``OUT.part`` and renamed at the end; or of stdout.

    After an exception the file never gets its final name. A subclass writes to :attr:`file`, and may write what comes
    last in :meth:`finish`.
    """

    binary: ClassVar[bool] = False  # bytes; otherwise text: UTF-8, line ends as given

    def __init__(self, path: Path | str | None) -> None:
        """Set the output; nothing is opened yet.

        Args:
            path: the file; ``"-"`` or None for stdout.
        """
        self.path = None if path is None or str(path) == STDOUT else Path(path)
        self._file: IO[Any] | None = None
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        """Open the file.

        Raises:
            SinkError: it cannot be written.
        """
        if self.path is None:
            self._file = sys.stdout.buffer if self.binary else sys.stdout
            return self
        part = self._closing.enter_context(whole_file(self.path, keep_suffix=False, error=SinkError))
        try:
            opened = part.open("wb") if self.binary else part.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise self.failure(error) from None
        self._file = self._closing.enter_context(opened)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what comes last, and give the file its name. An error removes ``OUT.part``, an interruption leaves it.

        Raises:
            SinkError: what comes last cannot be written, or the file cannot be renamed.
            BrokenPipeError: the reader of stdout has closed it.
        """
        try:
            self.finish(failed=kind is not None)
        except BaseException as failure:
            self._close(type(failure), failure, failure.__traceback__)
            if kind is None:  # otherwise the first error is the one to report
                raise
            return
        self._close(kind, error, trace)

    def finish(self, failed: bool) -> None:
        """Write what comes last; ``failed``: an exception ended the session. Nothing, unless a subclass has more."""

    @property
    def file(self) -> IO[Any]:
        """The open file.

        Raises:
            ValueError: the output is not open.
        """
        if self._file is None:
            raise ValueError("write inside the with block only")
        return self._file

    def failure(self, error: OSError) -> SinkError:
        """Return the error to raise where the file cannot be written."""
        name = self.path or "stdout"
        return SinkError(f"{name}: cannot write it ({error.strerror or error}); give another -o or free some space")

    def _close(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        file, self._file = self._file, None
        try:
            if file is not None and self.path is None:
                file.flush()
            self._closing.__exit__(kind, error, trace)
        except OSError as failure:
            if kind is not None:  # the first error is the one to report
                return
            if isinstance(failure, BrokenPipeError):
                raise
            raise self.failure(failure) from None
        except SinkError:
            if kind is None:
                raise
