"""Read a source ahead in a thread of its own."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from .errors import SourceError
from .records import Frame
from .sources import VideoSource
from .threads import new_thread

log = logging.getLogger("mouth_live")

WAKE = 0.1  # s: waits are cut into these, because Python handles signals only between them
JOIN = 1.0  # s to wait at the end for a thread that may hang in a read


@runtime_checkable
class Reopenable(Protocol):
    """A live source that can be opened again while a thread hangs in its read."""

    def reopen(self) -> None:
        """Open it again, while the clock of its frames runs on; an iteration from before ends.

        Raises:
            SourceError: it did not come back.
        """
        ...


class Relay:
    """Frames of a source, read ahead.

    Recorded: order kept, nothing lost, the reader waits. Live (``drop``): the newest frame wins.

    Attributes:
        dropped: frames thrown away because a newer one was there.
    """

    def __init__(
        self,
        source: VideoSource,
        depth: int = 4,
        drop: bool = False,
        max_bytes: int = 64 << 20,
        stall: float | None = None,
    ) -> None:
        """Say how to read; the thread starts with ``with``.

        Args:
            source: an open source; from now on only the thread touches it.
            depth: frames that may wait, at most.
            drop: throw the oldest away instead of letting the reader wait.
            max_bytes: pictures' bytes that may wait, at most, but always one frame.
            stall: seconds without a frame from a live source until it is reported and, where it is
                :class:`Reopenable`, left to its hanging thread and opened again in a new one; None waits for ever.
                A source whose ``pausing`` is true is not stalled.

        Raises:
            ValueError: depth below 1.
        """
        if depth < 1:
            raise ValueError(f"depth: expected at least 1, got {depth}")
        self.dropped = 0
        self._source, self._depth, self._drop, self._max_bytes, self._stall = source, depth, drop, max_bytes, stall
        self._waiting: deque[Frame] = deque()
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._ended = self._stopping = False
        self._turn = 0  # of the threads: only the newest one's frames count
        self._thread = self._new_thread(reopen=None)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._stopping = True
            self._waiting.clear()
            self._changed.notify_all()
        self._thread.join(JOIN)

    def __iter__(self) -> Iterator[Frame]:
        """The frames; an error of the source is raised after the frames before it.

        Raises:
            SourceError: a live source delivers nothing and will not come back.
        """
        while (frame := self._next()) is not None:
            yield frame
        if self._error is not None:
            raise self._error

    def _next(self) -> Frame | None:
        """The next frame; None at the end."""
        since, reported = time.monotonic(), False
        while True:
            with self._changed:
                if not self._waiting and not self._ended:
                    self._changed.wait(WAKE)
                if self._waiting:
                    frame = self._waiting.popleft()
                    self._changed.notify_all()
                    return frame
                if self._ended:
                    return None
            if self._stall is None or getattr(self._source, "pausing", False):
                since = time.monotonic()
            elif not reported and time.monotonic() - since > self._stall:
                reported, since = True, time.monotonic()
                self._recover(self._stall)
            elif reported and isinstance(self._source, Reopenable) and time.monotonic() - since > self._stall:
                raise SourceError(f"{self._source.name}: gives no picture any more; check its cable and start again")

    def _recover(self, stall: float) -> None:
        """Report a silent source; leave the thread that hangs in it and open it again in a new one."""
        if not isinstance(self._source, Reopenable):
            log.warning("%s: no picture for %g s; waiting for it to come back", self._source.name, stall)
            return
        log.warning("%s: no picture for %g s; opening it again", self._source.name, stall)
        with self._changed:
            self._turn += 1
            self._thread = self._new_thread(reopen=self._source)
        self._thread.start()

    def _new_thread(self, reopen: Reopenable | None) -> threading.Thread:
        return new_thread("reader", self._read, self._turn, reopen)

    def _read(self, turn: int, reopen: Reopenable | None) -> None:
        """The thread: read until the end, an error, or the wish to stop."""
        failure: BaseException | None = None
        try:
            if reopen is not None:
                reopen.reopen()
            for frame in self._source:
                if not self._hand_over(frame, turn):
                    return
        except BaseException as error:  # noqa: BLE001
            failure = error
        finally:
            with self._changed:
                if turn == self._turn:
                    self._error, self._ended = failure, True
                    self._changed.notify_all()

    def _hand_over(self, frame: Frame, turn: int) -> bool:
        """Put a frame into the queue; False when nobody wants more of this thread."""
        with self._changed:
            while not self._drop and self._is_full(frame) and self._is_wanted(turn):
                self._changed.wait()
            if not self._is_wanted(turn):
                return False
            while self._drop and self._is_full(frame):
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(frame)
            self._changed.notify_all()
            return True

    def _is_wanted(self, turn: int) -> bool:
        return turn == self._turn and not self._stopping

    def _is_full(self, frame: Frame) -> bool:
        if not self._waiting:
            return False
        held = sum(waiting.image.nbytes for waiting in self._waiting)
        return len(self._waiting) >= self._depth or held + frame.image.nbytes > self._max_bytes
