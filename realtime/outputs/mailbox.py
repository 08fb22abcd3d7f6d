"""Between the capture loop and an output's worker: bounded, and the capture loop never waits."""

import threading
from collections import deque
from collections.abc import Callable

from .moments import Moment, merged

DEPTH = 64  # moments that may wait; two seconds at 30 frames a second


class Mailbox:
    """Moments on their way to one output. When it is full the oldest values go; events never do.

    Attributes:
        notify: called, in the capture loop's thread, when there is something to take; for an output that does not wait
            in :meth:`take`.
    """

    def __init__(self, newest_only: bool = False, depth: int = DEPTH) -> None:
        """Begin empty.

        Args:
            newest_only: hand out the newest values alone, leaving out older ones that wait.
            depth: moments that may wait.
        """
        self._newest_only, self._depth = newest_only, depth
        self._waiting: deque[Moment] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.notify: Callable[[], None] | None = None

    @property
    def closed(self) -> bool:
        """Whether no more will come; some may still wait."""
        return self._closed

    def put(self, moment: Moment) -> None:
        """Add the newest moment; after :meth:`close` it is not wanted."""
        with self._changed:
            if self._closed:
                return
            if len(self._waiting) >= self._depth:
                self._make_room()
            self._waiting.append(moment)
            self._changed.notify()
        if self.notify:
            self.notify()

    def take(self, timeout: float | None) -> Moment | None:
        """The next moment; None when none comes within ``timeout`` seconds, or when it is closed and empty."""
        with self._changed:
            if not self._waiting and not self._closed:
                self._changed.wait(timeout)
            if not self._waiting:
                return None
            moment = self._waiting.popleft()
            while self._newest_only and self._waiting and not moment.turns:
                moment = self._waiting.popleft()
            return moment

    def drain(self) -> list[Moment]:
        """All that waits."""
        with self._changed:
            moments = list(self._waiting)
            self._waiting.clear()
            return moments

    def wait_closed(self, timeout: float) -> bool:
        """Wait for the end, ``timeout`` seconds at most; whether it has come."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed, timeout)

    def close(self) -> None:
        """Say that no more will come."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self.notify:
            self.notify()

    def _make_room(self) -> None:
        """Leave out the oldest moment that only has values; where each has events, make one of the two oldest."""
        for index, moment in enumerate(self._waiting):
            if not moment.turns:
                del self._waiting[index]
                return
        oldest = self._waiting.popleft()
        self._waiting[0] = merged(oldest, self._waiting[0])
