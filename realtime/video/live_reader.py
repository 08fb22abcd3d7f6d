"""The newest frames of a live source, which may be exchanged for another while they are read."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Self

from ...models.errors import SourceError
from ..records import Frame
from .reader import SILENCE_TIMEOUT, STALL_TIMEOUT, FrameReader
from .sources import VideoSource


class LiveReader:
    """Reads a live source, then another, and so on. Indexes and times of the frames run on from one to the next."""

    def __init__(
        self,
        source: VideoSource,
        stop: Callable[[], bool] = lambda: False,
        on_switch: Callable[[VideoSource], object] = lambda _source: None,
    ) -> None:
        """Set it up; a thread starts with the iteration.

        Args:
            source: an open source, which its owner closes.
            stop: called at least every 0.1 s; once it returns True the iteration ends.
            on_switch: called in the consumer's thread with each further source, which is then the owner's to close.
        """
        self._source, self._stop, self._on_switch = source, stop, on_switch
        self._next: VideoSource | None = None
        self._ended = False
        self._lock = Lock()
        self._reader: FrameReader | None = None
        self._dropped_before = 0  # of the sources before this one
        self._last: Frame | None = None
        self._last_came = 0.0  # by the clock

    @property
    def dropped(self) -> int:
        """The number of frames that were dropped for a newer one."""
        return self._dropped_before + (self._reader.dropped if self._reader else 0)

    def switch(self, source: VideoSource) -> None:
        """Go on with another open source, and close the one before; any thread may call this."""
        with self._lock:
            unused, self._next = (source, None) if self._ended else (self._next, source)
        if unused is not None:
            unused.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close a source that was still to come."""
        with self._lock:
            self._ended, unused, self._next = True, self._next, None
        if unused is not None:
            unused.__exit__(None, None, None)

    def __iter__(self) -> Iterator[Frame | None]:
        """Yield the frames, and None where no picture comes, or before those of another source.

        Raises:
            SourceError: the source fails, and none is to come after it.
        """
        while True:
            yield from self._frames()
            with self._lock:
                source, self._next = self._next, None
            if source is None or self._stop():
                return
            yield None  # what depends on the former picture ends
            self._use(source)

    def _frames(self) -> Generator[Frame | None]:
        """Yield the frames of the present source until another is to come."""
        stall, silence = STALL_TIMEOUT, SILENCE_TIMEOUT
        shift: tuple[int, float] | None = None  # of index and time, from the source's to those that are yielded
        with FrameReader(self._source, 1, drop=True, stall=stall, silence=silence, stop=self._is_over) as self._reader:
            try:
                for frame in self._reader:
                    if frame is None:
                        yield None
                        continue
                    shift = shift or self._shift(frame)
                    self._last = replace(frame, index=frame.index + shift[0], time=frame.time + shift[1])
                    self._last_came = monotonic()
                    yield self._last
            except SourceError:
                if self._next is None:
                    raise
        self._dropped_before, self._reader = self.dropped, None

    def _shift(self, first: Frame) -> tuple[int, float]:
        """Return what is added to a source's indexes and times, given its first frame."""
        if self._last is None:
            return 0, 0.0
        now = self._last.time + monotonic() - self._last_came
        return self._last.index + 1 - first.index, now - first.time

    def _is_over(self) -> bool:
        return self._next is not None or self._stop()

    def _use(self, source: VideoSource) -> None:
        """Close the present source and go on with another."""
        former, self._source = self._source, source.__enter__()
        self._on_switch(source)
        former.__exit__(None, None, None)
