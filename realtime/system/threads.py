"""The one place that makes threads."""

import threading
from collections.abc import Callable


def new_thread(name: str, run: Callable[..., None], *args: object) -> threading.Thread:
    """A thread that is not started yet and does not keep the program alive.

    Args:
        name: for debuggers, after ``mouth-live``.
        run: what it does; it keeps its own exceptions.
        args: given to ``run``.
    """
    return threading.Thread(target=run, args=args, name=f"mouth-live {name}", daemon=True)
