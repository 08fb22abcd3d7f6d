"""The base class of the sinks that write text: to stdout, or to a file that gets its name when it is complete."""

import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from ...models.errors import SinkError
from ...models.whole_file import whole_file
from .sink import Sink

STDOUT = "-"


class TextSink(Sink):
    """A sink of a text file (UTF-8, line ends as given), written as ``OUT.part`` and renamed at the end; or of stdout.

    After an exception the file never gets its final name. A subclass calls :meth:`put`, and may write what comes last
    in :meth:`finish`.
    """

    def __init__(self, path: Path | str | None) -> None:
        """Set the output; nothing is opened yet.

        Args:
            path: the file; ``"-"`` or None for stdout.
        """
        self.path = None if path is None or str(path) == STDOUT else Path(path)
        self._file: TextIO | None = None
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        """Open the file.

        Raises:
            SinkError: it cannot be written.
        """
        if self.path is None:
            self._file = sys.stdout
            return self
        part = self._closing.enter_context(whole_file(self.path, keep_suffix=False, error=SinkError))
        try:
            self._file = self._closing.enter_context(part.open("w", encoding="utf-8", newline=""))
        except OSError as error:
            raise self._failure(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what comes last, and give the file its name. An error removes ``OUT.part``, an interruption leaves it.

        Raises:
            SinkError: the last lines cannot be written, or the file cannot be renamed.
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

    def put(self, text: str, flush: bool = False) -> None:
        """Write text unchanged.

        Args:
            text: whole lines.
            flush: flush the output, so that readers see the text at once.

        Raises:
            SinkError: the disk is full, or the file was removed.
            BrokenPipeError: the reader of stdout has closed it.
            ValueError: the output is not open.
        """
        if self._file is None:
            raise ValueError("write inside the with block only")
        try:
            self._file.write(text)
            if flush:
                self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failure(error) from None

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
            raise self._failure(failure) from None
        except SinkError:
            if kind is None:
                raise

    def _failure(self, error: OSError) -> SinkError:
        name = self.path or "stdout"
        return SinkError(f"{name}: cannot write it ({error.strerror or error}); give another -o or free some space")
