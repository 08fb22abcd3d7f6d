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
SILENCE = 0.5  # s without a picture until live video counts as silent
STALL = 2.0  # s without a picture until a camera is taken for dead and opened again
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
        silence: float | None = None,
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
            silence: seconds without a frame until None is given in its place, once, so that nothing that runs on
                pictures goes on without them; None never does.

        Raises:
            ValueError: depth below 1.
        """
        if depth < 1:
            raise ValueError(f"depth: expected at least 1, got {depth}")
        self.dropped = 0
        self._source, self._depth, self._drop, self._max_bytes, self._stall = source, depth, drop, max_bytes, stall
        self._silence = silence
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

    def __iter__(self) -> Iterator[Frame | None]:
        """The frames, and None where ``silence`` asks for it; an error of the source comes after the frames before it.

        Raises:
            SourceError: a live source delivers nothing and will not come back.
        """
        since, reported, silent = time.monotonic(), False, False
        while not self._is_over():
            frame = self._take()
            if frame is not None:
                yield frame
            if frame is not None or getattr(self._source, "pausing", False):
                since, reported, silent = time.monotonic(), False, False
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
        if self._error is not None:
            raise self._error

    def _is_over(self) -> bool:
        with self._changed:
            return self._stopping or (self._ended and not self._waiting)

    def _take(self) -> Frame | None:
        """The next frame, or None where none comes for a moment."""
        with self._changed:
            if not self._waiting and not self._ended:
                self._changed.wait(WAKE)
            if not self._waiting:
                return None
            frame = self._waiting.popleft()
            self._changed.notify_all()
            return frame

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
