"""Signals that end the program: raised once as an exception, or recorded and handled between two frames."""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic
from types import FrameType, TracebackType
from typing import Self

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # Ctrl-C, kill, the terminal closed, Ctrl-Break on Windows
REPEAT_AFTER = 2.0  # s after which another signal is raised too, because the first had no effect


class Terminated(BaseException):
    """The exception for SIGTERM: clean up and exit with 143. Like KeyboardInterrupt it is not an Exception."""


def _numbers() -> list[int]:
    return [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


def _exception(number: int) -> BaseException:
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated()


class RaiseOnce:
    """A handler for the signals that end a program. It raises only the first one, so clean-up is not interrupted."""

    def __init__(self) -> None:
        """Begin without a signal."""
        self._first: float | None = None  # the time of the first signal

    def install(self) -> None:
        """Handle the signals that are not ignored; under nohup SIGHUP is."""
        for number in _numbers():
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self)

    @staticmethod
    def ignore_all() -> None:
        """Ignore further signals: the exit code is decided, and only the interpreter's shutdown remains."""
        for number in _numbers():
            signal.signal(number, signal.SIG_IGN)

    def mark_raised(self) -> None:
        """Treat a signal as raised already, because other code has handled it."""
        self._first = monotonic()

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt or Terminated, unless one was raised within the last two seconds."""
        if self._first is not None and monotonic() - self._first < REPEAT_AFTER:
            return
        self._first = monotonic()
        raise _exception(number)


class StopSignals:
    """A record of Ctrl-C and SIGTERM within its ``with`` block, so that a loop can end between two frames.

    It replaces only handlers that would raise an exception: Python's own for SIGINT, and :class:`RaiseOnce`. A handler
    of the user's stays in place. Only the main thread handles signals; in other threads nothing is changed.

    Attributes:
        requested: KeyboardInterrupt or Terminated for the first signal; None before it.
    """

    def __init__(self) -> None:
        """Begin without a signal."""
        self.requested: BaseException | None = None
        self._first = 0.0
        self._in_loop = True
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _numbers():
                handler = signal.getsignal(number)
                if handler is signal.default_int_handler or isinstance(handler, RaiseOnce):
                    self._before[number] = handler
                    signal.signal(number, self._record)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            if self.requested is not None and isinstance(handler, RaiseOnce):
                handler.mark_raised()
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType]

    def is_requested(self) -> bool:
        """Return whether a signal came."""
        return self.requested is not None

    def loop_ended(self) -> None:
        """Ignore further signals from now on, so that clean-up is never interrupted."""
        self._in_loop = False

    def _record(self, number: int, _frame: FrameType | None) -> None:
        if self.requested is None:
            self.requested, self._first = _exception(number), monotonic()
        elif self._in_loop and monotonic() - self._first > REPEAT_AFTER:
            raise self.requested  # the loop hangs, for example in a pipe that nobody reads


@contextmanager
def held_signals() -> Generator[None]:
    """Hold back the signals that end the program until the ``with`` block ends; a second one of a kind is not held.

    Only the main thread handles signals; in other threads this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        """Hold the first signal of a kind; handle a second one at once."""
        if number in waiting:
            _pass_on(number, before[number], frame)
        waiting.append(number)

    before = {number: signal.getsignal(number) for number in _numbers()}
    before = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in waiting[:1]:
            _pass_on(number, before[number], None)


def _pass_on(number: int, handler: object, frame: FrameType | None) -> None:
    """Handle a signal as its previous handler would."""
    if callable(handler):
        handler(number, frame)
    else:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
