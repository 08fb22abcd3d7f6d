"""Signals that wait until a call is over, so that a key press or a line is never broken off in its middle."""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


class Terminated(BaseException):
    """SIGTERM came: clean up and end with 143. Not an Exception, as KeyboardInterrupt is none."""


_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


@contextmanager
def held_signals() -> Generator[None]:
    """Let what would end the program wait for the end of the ``with`` block; a second one of a kind does not wait.

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

    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
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
    """Handle it as it would have been."""
    if callable(handler):
        handler(number, frame)
    else:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
