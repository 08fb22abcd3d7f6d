"""The queue between the capture loop and an output's worker: bounded, and the capture loop never waits."""

import threading
from collections import deque
from collections.abc import Callable

from .update import Update, merge

MAILBOX_CAPACITY = 64  # updates; two seconds at 30 frames/s


class Mailbox:
    """A queue of updates for one output. When it is full, the oldest values are dropped; events never are.

    Attributes:
        notify: called, in the thread of the capture loop, when there is something to take. It serves an output that
            does not wait in :meth:`take`.
    """

    def __init__(self, newest_only: bool = False, capacity: int = MAILBOX_CAPACITY) -> None:
        """Begin empty.

        Args:
            newest_only: drop older values as soon as newer ones wait.
            capacity: the most updates that may wait.
        """
        self._newest_only, self._capacity = newest_only, capacity
        self._waiting: deque[Update] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.notify: Callable[[], None] | None = None

    @property
    def closed(self) -> bool:
        """Return whether no more updates will come; some may still wait."""
        return self._closed

    def put(self, update: Update) -> None:
        """Add the newest update; after :meth:`close` do nothing."""
        with self._changed:
            if self._closed:
                return
            if len(self._waiting) >= self._capacity:
                self._make_room()
            self._waiting.append(update)
            self._changed.notify()
        if self.notify:
            self.notify()

    def take(self, timeout: float | None) -> Update | None:
        """Return the next update; None if none comes within ``timeout`` seconds, or if it is closed and empty."""
        with self._changed:
            if not self._waiting and not self._closed:
                self._changed.wait(timeout)
            if not self._waiting:
                return None
            update = self._waiting.popleft()
            while self._newest_only and self._waiting and not update.has_changes:
                update = self._waiting.popleft()
            return update

    def drain(self) -> list[Update]:
        """Return all updates that wait, and empty the queue."""
        with self._changed:
            updates = list(self._waiting)
            self._waiting.clear()
            return updates

    def wait_closed(self, timeout: float) -> bool:
        """Wait until it is closed, ``timeout`` seconds at most; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed, timeout)

    def close(self) -> None:
        """Take no more updates."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self.notify:
            self.notify()

    def _make_room(self) -> None:
        """Drop the oldest update without changes; if all have changes, merge the two oldest."""
        for index, update in enumerate(self._waiting):
            if not update.has_changes:
                del self._waiting[index]
                return
        oldest = self._waiting.popleft()
        self._waiting[0] = merge(oldest, self._waiting[0])
