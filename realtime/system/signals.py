"""Signals that end the program: raised once, or noted and acted on between two frames."""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic
from types import FrameType, TracebackType
from typing import Self

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # Ctrl-C, asked to end, the terminal closed, Windows' Ctrl-Break
AGAIN_AFTER = 2.0  # s after which a further signal is raised too, where the first had no effect


class Terminated(BaseException):
    """SIGTERM came: clean up and end with 143. Not an Exception, as KeyboardInterrupt is none."""


def _numbers() -> list[int]:
    return [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


def _exception(number: int) -> BaseException:
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated()


class RaiseOnce:
    """A handler of all the signals that end a program: the first one is raised, and the clean-up is not broken off."""

    def __init__(self) -> None:
        """Begin without a signal."""
        self._first: float | None = None

    def install(self) -> None:
        """Handle the signals that are not ignored (nohup has SIGHUP ignored)."""
        for number in _numbers():
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self)

    @staticmethod
    def ignore_all() -> None:
        """Ignore further signals: the exit code is decided, and only the interpreter's own end is left."""
        for number in _numbers():
            signal.signal(number, signal.SIG_IGN)

    def note(self) -> None:
        """Take a signal as raised; someone else acts on it."""
        self._first = monotonic()

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt or Terminated, unless one was raised within the last two seconds."""
        if self._first is not None and monotonic() - self._first < AGAIN_AFTER:
            return
        self._first = monotonic()
        raise _exception(number)


class StopSignals:
    """Notes Ctrl-C and SIGTERM within its ``with`` block, so that a loop can end between two frames.

    A signal is noted where it would have raised an exception: Python's own handler of SIGINT, and :class:`RaiseOnce`.
    A handler of the user's stays. Outside the main thread, which alone handles signals, nothing is changed.

    Attributes:
        requested: KeyboardInterrupt or Terminated for the first signal; None while there is none.
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
                    signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            if self.requested is not None and isinstance(handler, RaiseOnce):
                handler.note()
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType]

    def is_requested(self) -> bool:
        """Return whether a signal came."""
        return self.requested is not None

    def loop_ended(self) -> None:
        """From now on further signals change nothing: the clean-up is never broken off."""
        self._in_loop = False

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.requested is None:
            self.requested, self._first = _exception(number), monotonic()
        elif self._in_loop and monotonic() - self._first > AGAIN_AFTER:
            raise self.requested  # the loop hangs: in a pipe that nobody reads, say


@contextmanager
def held_signals() -> Generator[None]:
    """Hold back what would end the program until the ``with`` block ends; a second signal of a kind is not held.

    Python handles signals in the main thread alone: in another one this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if number in waiting:
            _pass_on(number, before[number], frame)
        waiting.append(number)

    before = {number: signal.getsignal(number) for number in _numbers()}
    before = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in waiting[:1]:
            _pass_on(number, before[number], None)


def _pass_on(number: int, handler: object, frame: FrameType | None) -> None:
    """Handle a signal as it would have been."""
    if callable(handler):
        handler(number, frame)
    else:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
