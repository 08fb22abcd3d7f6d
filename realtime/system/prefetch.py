"""Prefetching: a generator that runs in a thread of its own, with a bounded queue to its consumer."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from threading import Condition
from types import TracebackType
from typing import Generic, Self, TypeVar

from .threads import new_thread

WAKE_INTERVAL = 0.1  # s: the longest single wait, because Python handles signals only between waits
JOIN_TIMEOUT = 1.0  # s to wait at the end for a thread, which may hang

Item = TypeVar("Item")


def _never() -> bool:
    return False


class Prefetch(Generic[Item]):
    """The items of a generator, in order, made in a thread that waits while the queue is full.

    Attributes:
        dropped: the number of items that were dropped for a newer one.
    """

    def __init__(
        self,
        items: Generator[Item],
        size: Callable[[Item], int],
        depth: int = 4,
        max_bytes: int = 64 << 20,
        drop: bool = False,
        name: str = "worker",
        stop: Callable[[], bool] = _never,
    ) -> None:
        """Set the queue up; the thread starts with ``with``.

        Args:
            items: the generator. From now on only the thread uses it, and closes it at the end.
            size: returns the size of an item in bytes.
            depth: the most items in the queue.
            max_bytes: the most bytes in the queue; one item always fits.
            drop: drop the oldest item when the queue is full, instead of letting the thread wait.
            name: the thread's, for debuggers.
            stop: called at least every 0.1 s; once it returns True the iteration ends early, as by a ``break``.

        Raises:
            ValueError: depth is below 1.
        """
        if depth < 1:
            raise ValueError(f"depth: expected at least 1, got {depth}")
        self.dropped = 0
        self._items, self._size, self._depth, self._max_bytes, self._drop = items, size, depth, max_bytes, drop
        self._is_stop_requested = stop
        self._waiting: deque[tuple[Item, int]] = deque()
        self._changed = Condition()
        self._error: BaseException | None = None
        self._ended = self._stopping = False
        self._thread = new_thread(name, self._make)

    @property
    def waiting(self) -> int:
        """The number of items in the queue."""
        return len(self._waiting)

    @property
    def is_over(self) -> bool:
        """Whether no more items will come: all are taken, or the iteration was stopped."""
        if self._is_stop_requested():
            return True
        with self._changed:
            return self._stopping or (self._ended and not self._waiting)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._thread.join(JOIN_TIMEOUT)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the iteration; the thread ends as soon as its current item is made."""
        with self._changed:
            self._stopping = True
            self._waiting.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        """Yield the items; raise the generator's error, if any, after the items before it."""
        while not self.is_over:
            for item in self.take():
                yield item
                del item  # a large picture must not stay in memory during the wait for the next one
        self.raise_error()

    def take(self) -> Sequence[Item]:
        """Return the next item as a sequence of one, or an empty one where none comes within 0.1 s."""
        with self._changed:
            if not self._waiting and not self._ended:
                self._changed.wait(WAKE_INTERVAL)
            if not self._waiting:
                return ()
            item, _ = self._waiting.popleft()
            self._changed.notify_all()
            return (item,)

    def raise_error(self) -> None:
        """Raise the error that ended the generator, if there is one and all items are taken."""
        if self._error is not None and not self._waiting:
            raise self._error

    def _make(self) -> None:
        """Make items until the generator ends, fails, or the iteration is stopped; the thread runs this."""
        failure: BaseException | None = None
        try:
            with closing(self._items) as items:
                for item in items:
                    if not self._hand_over(item):
                        return
        except BaseException as error:  # noqa: BLE001
            failure = error
        finally:
            with self._changed:
                self._error, self._ended = failure, True
                self._changed.notify_all()

    def _hand_over(self, item: Item) -> bool:
        """Put an item into the queue; return False when the iteration was stopped."""
        size = self._size(item)
        with self._changed:
            while not self._drop and not self._stopping and self._is_full(size):
                self._changed.wait()
            while self._drop and self._is_full(size):
                self._waiting.popleft()
                self.dropped += 1
            if not self._stopping:
                self._waiting.append((item, size))
                self._changed.notify_all()
            return not self._stopping

    def _is_full(self, size: int) -> bool:
        if not self._waiting:
            return False
        return len(self._waiting) >= self._depth or sum(held for _, held in self._waiting) + size > self._max_bytes
