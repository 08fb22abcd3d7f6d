"""The sink behind ``--merge-ids``: other sinks get the frames when the recording has ended, with joined ids."""

import pickle
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import IO, Self

import numpy as np

from ....models.errors import SinkError
from ...faces.people import Embedder, People
from ...records import Analysis
from ...sinks.sink import Sink

_NO_PICTURE = np.zeros((0, 0, 3), np.uint8)


class MergedIds(Sink):
    """Keep what sinks are to write in a temporary file, and give it to them at the end, each person with one id.

    The pictures are not kept, so it is for sinks that need none. After an exception the sinks have written nothing.

    Attributes:
        ids: the id for each track, when the ``with`` block has ended.
    """

    def __init__(self, sinks: Sequence[Sink], embedder: Embedder) -> None:
        """Take over the sinks.

        Args:
            sinks: tables and events.
            embedder: tells how alike faces are.
        """
        self.ids: Mapping[int, int] = {}
        self._sinks, self._people = sinks, People(embedder)
        self._open = ExitStack()
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Open the outputs and the temporary file.

        Raises:
            SinkError: one cannot be written.
        """
        with ExitStack() as stack:
            for sink in self._sinks:
                stack.enter_context(sink)
            with _named_errors():
                self._file = stack.enter_context(tempfile.TemporaryFile(prefix="mouth-live-"))
            self._open = stack.pop_all()
        return self

    def write(self, analysis: Analysis) -> None:
        """Keep one frame's readings and events.

        Raises:
            SinkError: the disk is full.
            ValueError: the sink is not open.
        """
        if self._file is None:
            raise ValueError("write inside the with block only")
        self._people.see(analysis)
        kept = replace(analysis, frame=replace(analysis.frame, image=_NO_PICTURE))
        with _named_errors():
            pickle.dump(kept, self._file)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write all frames into the outputs and complete them, or abandon them after an exception."""
        if kind is not None:
            self._open.__exit__(kind, error, trace)
            return
        with self._open:
            self.ids = self._people.joined()
            for analysis in self._kept():
                for sink in self._sinks:
                    sink.write(_with_ids(analysis, self.ids))
            for sink in self._sinks:
                sink.is_cut_off = self.is_cut_off

    def _kept(self) -> Iterator[Analysis]:
        assert self._file is not None
        with _named_errors():
            end = self._file.tell()
            self._file.seek(0)
        while self._file.tell() < end:
            yield pickle.load(self._file)


def _with_ids(analysis: Analysis, ids: Mapping[int, int]) -> Analysis:
    """Return an analysis whose tracks have other ids."""
    readings = [replace(reading, face_id=ids[reading.face_id]) for reading in analysis.readings]
    events = [
        event if event.face_id is None else replace(event, face_id=ids[event.face_id]) for event in analysis.events
    ]
    return replace(analysis, readings=tuple(sorted(readings, key=lambda r: r.face_id)), events=tuple(events))


@contextmanager
def _named_errors() -> Generator[None]:
    """Work on the temporary file.

    Raises:
        SinkError: the disk is full, or there is no folder for temporary files.
    """
    try:
        yield
    except OSError as error:
        raise SinkError(
            f"--merge-ids: cannot write a temporary file ({error.strerror or error}); "
            "free some space, or name another folder in TMPDIR"
        ) from None
