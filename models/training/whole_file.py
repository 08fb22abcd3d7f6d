"""Files that are there whole or not at all."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import DataError


@contextmanager
def whole_file(path: Path, advice: str = "") -> Generator[Path]:
    """Where to write a file; it gets its own name when the block ends well.

    Args:
        path: its own name.
        advice: what to try when it cannot be written.

    Yields:
        The name until then, with the same suffix: what writes it tells its kind by that.

    Raises:
        DataError: it cannot be written.
    """
    part = path.with_suffix(f".part{path.suffix}")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot write it ({error.strerror}){advice}") from None
