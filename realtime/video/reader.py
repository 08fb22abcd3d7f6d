"""The reader: reads a source in a thread of its own, and notices when no pictures arrive."""

import logging
import time
from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from ...models.errors import SourceError
from ..records import Frame
from ..system.prefetch import Prefetch
from .sources import VideoSource

log = logging.getLogger("mouth_live")

SILENCE_TIMEOUT = 0.5  # s without a picture after which live video counts as silent
STALL_TIMEOUT = 2.0  # s without a picture after which a camera is opened again


@runtime_checkable
class Reopenable(Protocol):
    """A live source that can be opened again while a thread hangs in its read."""

    def reopen(self) -> None:
        """Open the source again, while the clock of its frames runs on; an earlier iteration ends.

        Raises:
            SourceError: it cannot be opened again.
        """
        ...


class FrameReader:
    """The frames of a source, prefetched by a thread.

    Recorded video: all frames, in order; the thread waits while the queue is full. Live video (``drop``): the newest
    frame wins. A source that stalls is reported, and opened again if it can be.
    """

    def __init__(
        self,
        source: VideoSource,
        depth: int = 4,
        drop: bool = False,
        max_bytes: int = 64 << 20,
        stall: float | None = None,
        silence: float | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Set the reader up; the thread starts with ``with``.

        Args:
            source: an open source. From now on only the thread uses it.
            depth: the most frames in the queue.
            drop: drop the oldest frame when the queue is full, instead of letting the thread wait.
            max_bytes: the most bytes of pictures in the queue; one frame always fits.
            stall: the seconds without a frame after which a live source is reported as stalled. One that is
                :class:`Reopenable` is then opened again in a new thread, and the hanging thread is abandoned. None
                waits for ever. A source whose ``pausing`` is true is not stalled.
            silence: the seconds without a frame after which one None is yielded instead, so that the consumer can end
                what depends on pictures. None never yields it.
            stop: called at least every 0.1 s; once it returns True the iteration ends.

        Raises:
            ValueError: depth is below 1.
        """
        self._source, self._depth, self._drop, self._max_bytes = source, depth, drop, max_bytes
        self._stall, self._silence, self._stop = stall, silence, stop
        self._dropped_before = 0  # by the threads that were abandoned
        self._prefetch = self._new_prefetch()

    @property
    def dropped(self) -> int:
        """The number of frames that were dropped for a newer one."""
        return self._dropped_before + self._prefetch.dropped

    def __enter__(self) -> Self:
        self._prefetch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._prefetch.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[Frame | None]:
        """Yield the frames, and None where ``silence`` requests it; an error of the source is raised after its frames.

        Raises:
            SourceError: a live source delivers nothing, even after it was opened again.
        """
        since, reported, silent = time.monotonic(), False, False
        while not self._prefetch.is_over:
            frames = self._prefetch.take()
            yield from frames
            if frames or getattr(self._source, "pausing", False):
                since, reported, silent = time.monotonic(), False, False
            del frames
            waited = time.monotonic() - since
            if self._silence is not None and not silent and waited > self._silence:
                silent = True
                yield None
            if self._stall is None or waited <= self._stall:
                continue
            if not reported:
                reported, since = True, time.monotonic()
                self._recover(self._stall)
            elif isinstance(self._source, Reopenable):
                raise SourceError(f"{self._source.name}: gives no picture any more; check its cable and start again")
        self._prefetch.raise_error()

    def _recover(self, stall: float) -> None:
        """Report a stalled source; where it can be opened again, do so in a new thread and abandon the hanging one."""
        if not isinstance(self._source, Reopenable):
            log.warning("%s: no picture for %g s; waiting for it to come back", self._source.name, stall)
            return
        log.warning("%s: no picture for %g s; opening it again", self._source.name, stall)
        self._prefetch.stop()
        self._dropped_before += self._prefetch.dropped
        self._prefetch = self._new_prefetch(reopen=self._source)
        self._prefetch.start()

    def _new_prefetch(self, reopen: Reopenable | None = None) -> Prefetch[Frame]:
        return Prefetch(
            _frames(self._source, reopen),
            size=lambda frame: frame.image.nbytes,
            depth=self._depth,
            max_bytes=self._max_bytes,
            drop=self._drop,
            name="reader",
            stop=self._stop,
        )


def _frames(source: VideoSource, reopen: Reopenable | None) -> Generator[Frame]:
    """Yield the source's frames, after opening it again where that is requested."""
    if reopen is not None:
        reopen.reopen()
    yield from source
