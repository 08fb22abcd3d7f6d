"""Do a part of the work ahead, in a thread of its own."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from threading import Condition
from types import TracebackType
from typing import Generic, Self, TypeVar

from .threads import new_thread

WAKE = 0.1  # s: waits are cut into these, because Python handles signals only between them
JOIN = 1.0  # s to wait at the end for a thread that may hang

Item = TypeVar("Item")


class Ahead(Generic[Item]):
    """What a generator yields, made ahead: order kept, nothing lost; where too much waits, the thread waits."""

    def __init__(
        self, items: Generator[Item], size: Callable[[Item], int], depth: int = 4, max_bytes: int = 64 << 20
    ) -> None:
        """Say what to make; the thread starts with ``with``.

        Args:
            items: from now on only the thread touches it, and closes it at the end.
            size: bytes that an item holds.
            depth: items that may wait, at most.
            max_bytes: bytes that may wait, at most, but always one item.

        Raises:
            ValueError: depth below 1.
        """
        if depth < 1:
            raise ValueError(f"depth: expected at least 1, got {depth}")
        self._items, self._size, self._depth, self._max_bytes = items, size, depth, max_bytes
        self._waiting: deque[tuple[Item, int]] = deque()
        self._changed = Condition()
        self._error: BaseException | None = None
        self._ended = self._stopping = False
        self._thread = new_thread("worker", self._make)

    @property
    def waiting(self) -> int:
        """How many items are made and not yet taken."""
        return len(self._waiting)

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

    def __iter__(self) -> Iterator[Item]:
        """The items; an error of the generator is raised after the items before it."""
        while True:
            with self._changed:
                while not self._waiting and not self._ended:
                    self._changed.wait(WAKE)
                if not self._waiting:
                    break
                item, _ = self._waiting.popleft()
                self._changed.notify_all()
            yield item
            del item  # it may hold a picture, while the next one is waited for
        if self._error is not None:
            raise self._error

    def _make(self) -> None:
        """The thread: make items until the end, an error, or the wish to stop."""
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
        """Put an item into the queue; False when nobody wants more."""
        size = self._size(item)
        with self._changed:
            while not self._stopping and self._is_full(size):
                self._changed.wait()
            if not self._stopping:
                self._waiting.append((item, size))
                self._changed.notify_all()
            return not self._stopping

    def _is_full(self, size: int) -> bool:
        if not self._waiting:
            return False
        return len(self._waiting) >= self._depth or sum(held for _, held in self._waiting) + size > self._max_bytes
