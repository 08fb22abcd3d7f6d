"""The only place that makes threads."""

import threading
from collections.abc import Callable


def new_thread(name: str, run: Callable[..., None], *args: object) -> threading.Thread:
    """Return a thread that is not started yet and does not keep the program alive.

    Args:
        name: its name for debuggers, after ``mouth-live``.
        run: the function that it runs; it must handle its own exceptions.
        args: the arguments of ``run``.
    """
    return threading.Thread(target=run, args=args, name=f"mouth-live {name}", daemon=True)
