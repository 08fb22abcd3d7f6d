"""The one place that makes threads: read a source ahead in a thread of its own."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from .errors import SourceError
from .records import Frame
from .sources import VideoSource

log = logging.getLogger("mouth_live")

WAKE = 0.1  # s: waits are cut into these, because Python handles signals only between them
JOIN = 1.0  # s to wait at the end for a thread that may hang in a read
GIVE_UP = 10.0  # s without a frame until a live source that will not come back is an error


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
            stall: seconds without a frame from a live source until it is reported and, if it can be, opened again;
                None waits for ever.

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
        self._thread = threading.Thread(target=self._read, name="mouth-live reader", daemon=True)

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
            silent = time.monotonic() - since
            if self._stall is not None and silent > self._stall and not reported:
                reported = True
                log.warning("%s: no picture for %g s; waiting for it to come back", self._source.name, self._stall)
            if self._stall is not None and silent > max(GIVE_UP, self._stall):
                raise SourceError(
                    f"{self._source.name}: no picture for {silent:.0f} s; check its cable and start again"
                )

    def _read(self) -> None:
        """The thread: read until the end, an error, or the wish to stop."""
        try:
            for frame in self._source:
                if not self._hand_over(frame):
                    return
        except BaseException as error:  # noqa: BLE001  (kept, and raised again where the frames are used)
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _hand_over(self, frame: Frame) -> bool:
        """Put a frame into the queue; False when nobody wants more."""
        with self._changed:
            while not self._drop and self._is_full(frame) and not self._stopping:
                self._changed.wait()
            while self._drop and self._is_full(frame):
                self._waiting.popleft()
                self.dropped += 1
            if not self._stopping:
                self._waiting.append(frame)
                self._changed.notify_all()
            return not self._stopping

    def _is_full(self, frame: Frame) -> bool:
        if not self._waiting:
            return False
        held = sum(waiting.image.nbytes for waiting in self._waiting)
        return len(self._waiting) >= self._depth or held + frame.image.nbytes > self._max_bytes
