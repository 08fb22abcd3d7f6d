"""What native libraries write to stderr as they start: discarded, because it is neither an error nor for the user."""

import importlib
import os
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from typing import Any

TENSORFLOW_LEVEL = "TF_CPP_MIN_LOG_LEVEL"  # the user's own wish about TensorFlow's lines
ERRORS_ONLY = "3"


@contextmanager
def native_talk_off() -> Generator[None]:
    """Discard what native code writes to stderr inside the block, where a library has no switch for it."""
    try:
        kept = os.dup(2)
    except OSError:  # no stderr, as in a windowed Python on Windows
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def import_quietly(name: str) -> Any:  # noqa: ANN401
    """Import Keras or one of its backends without TensorFlow's lines, unless the user has asked for them.

    TensorFlow heeds its own variable only after it has written the first of them.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    is_quiet = os.environ.setdefault(TENSORFLOW_LEVEL, ERRORS_ONLY) == ERRORS_ONLY
    with native_talk_off() if is_quiet else nullcontext():
        return importlib.import_module(name)
