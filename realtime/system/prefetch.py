"""Do a part of the work ahead, in a thread of its own."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from threading import Condition
from types import TracebackType
from typing import Generic, Self, TypeVar

from .threads import new_thread

WAKE = 0.1  # s: waits are cut into these, because Python handles signals only between them
JOIN = 1.0  # s to wait at the end for a thread that may hang

Item = TypeVar("Item")


class Ahead(Generic[Item]):
    """What a generator yields, made ahead: order kept, nothing lost; where too much waits, the thread waits.

    Attributes:
        dropped: items thrown away because a newer one was there.
    """

    def __init__(
        self,
        items: Generator[Item],
        size: Callable[[Item], int],
        depth: int = 4,
        max_bytes: int = 64 << 20,
        drop: bool = False,
        name: str = "worker",
    ) -> None:
        """Say what to make; the thread starts with ``with``.

        Args:
            items: from now on only the thread touches it, and closes it at the end.
            size: bytes that an item holds.
            depth: items that may wait, at most.
            max_bytes: bytes that may wait, at most, but always one item.
            drop: throw the oldest away instead of letting the thread wait.
            name: the thread's.

        Raises:
            ValueError: depth below 1.
        """
        if depth < 1:
            raise ValueError(f"depth: expected at least 1, got {depth}")
        self.dropped = 0
        self._items, self._size, self._depth, self._max_bytes, self._drop = items, size, depth, max_bytes, drop
        self._waiting: deque[tuple[Item, int]] = deque()
        self._changed = Condition()
        self._error: BaseException | None = None
        self._ended = self._stopping = False
        self._thread = new_thread(name, self._make)

    @property
    def waiting(self) -> int:
        """How many items are made and not yet taken."""
        return len(self._waiting)

    @property
    def is_over(self) -> bool:
        """Whether no more items will come: all are taken, or nobody wants them."""
        with self._changed:
            return self._stopping or (self._ended and not self._waiting)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._thread.join(JOIN)

    def start(self) -> None:
        """Let the thread begin."""
        self._thread.start()

    def stop(self) -> None:
        """Want no more; the thread ends by itself as soon as the item it is at is made."""
        with self._changed:
            self._stopping = True
            self._waiting.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        """The items; an error of the generator is raised after the items before it."""
        while not self.is_over:
            for item in self.take():
                yield item
                del item  # it may hold a picture, while the next one is waited for
        self.raise_error()

    def take(self) -> Sequence[Item]:
        """The next item alone, or nothing where none comes for a moment."""
        with self._changed:
            if not self._waiting and not self._ended:
                self._changed.wait(WAKE)
            if not self._waiting:
                return ()
            item, _ = self._waiting.popleft()
            self._changed.notify_all()
            return (item,)

    def raise_error(self) -> None:
        """Raise the error that ended the generator, if one did."""
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
