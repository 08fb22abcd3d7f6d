"""Run a generator ahead of its consumer, in a thread of its own, with a bounded queue between them."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from threading import Condition
from types import TracebackType
from typing import Generic, Self, TypeVar

from .threads import new_thread

WAKE_INTERVAL = 0.1  # s: waits are cut into these, because Python handles signals only between them
JOIN_TIMEOUT = 1.0  # s to wait at the end for a thread that may hang

Item = TypeVar("Item")


def _never() -> bool:
    return False


class Prefetch(Generic[Item]):
    """The items of a generator, made in a thread: in order, none lost; when the queue is full, the thread waits.

    Attributes:
        dropped: how many items were thrown away because a newer one was there.
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
            items: the generator. From now on only the thread touches it, and closes it at the end.
            size: returns the number of bytes that an item holds.
            depth: the most items in the queue.
            max_bytes: the most bytes in the queue; one item always fits.
            drop: throw the oldest item away when the queue is full, instead of letting the thread wait.
            name: of the thread, for debuggers.
            stop: asked at least every 0.1 s; once it returns True the iteration ends early, as if by a ``break``.

        Raises:
            ValueError: depth is below 1.
        """
        if depth < 1:
            raise ValueError(f"depth: expected at least 1, got {depth}")
        self.dropped = 0
        self._items, self._size, self._depth, self._max_bytes, self._drop = items, size, depth, max_bytes, drop
        self._stop_asked = stop
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
        """Whether no more items will come: all are taken, or nobody wants them."""
        if self._stop_asked():
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
        """Ask for no more; the thread ends by itself as soon as its current item is made."""
        with self._changed:
            self._stopping = True
            self._waiting.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        """Yield the items; an error of the generator is raised after the items before it."""
        while not self.is_over:
            for item in self.take():
                yield item
                del item  # it may hold a picture, while the next one is waited for
        self.raise_error()

    def take(self) -> Sequence[Item]:
        """Return the next item alone, or nothing where none comes within 0.1 s."""
        with self._changed:
            if not self._waiting and not self._ended:
                self._changed.wait(WAKE_INTERVAL)
            if not self._waiting:
                return ()
            item, _ = self._waiting.popleft()
            self._changed.notify_all()
            return (item,)

    def raise_error(self) -> None:
        """Raise the error that ended the generator, if one did and its items are all taken."""
        if self._error is not None and not self._waiting:
            raise self._error

    def _make(self) -> None:
        """Make items until the end, an error, or the wish to stop: what the thread does."""
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
        """Put an item into the queue; return False when nobody wants more."""
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
