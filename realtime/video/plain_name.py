"""Names of files in a form that libraries written in C can take."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ...models.errors import SourceError


@contextmanager
def plain_name(path: str) -> Generator[str]:
    """Yield a name for an existing file that OpenCV can open; one that is not UTF-8 crashes it.

    Args:
        path: the file's path. Bytes in it that are not UTF-8 are surrogates, as :func:`os.fsdecode` gives.

    Yields:
        The path itself, or that of a temporary link to it. The link is gone after the ``with`` block; a file that was
        opened through it stays open.

    Raises:
        SourceError: the link cannot be made.
    """
    if is_utf8(path):
        yield path
        return
    shown = path.encode("utf-8", "backslashreplace").decode()
    try:
        folder = tempfile.TemporaryDirectory(prefix="mouth-live-")
    except OSError as error:
        raise SourceError(
            f"{shown}: its name is not UTF-8 and cannot be linked ({error.strerror}); rename it"
        ) from None
    with folder as place:
        suffix = Path(path).suffix
        link = Path(place, "video" + (suffix if suffix.isascii() else ""))
        try:
            link.symlink_to(Path(path).absolute())
        except OSError as error:
            reason = error.strerror
            raise SourceError(f"{shown}: its name is not UTF-8 and cannot be linked ({reason}); rename it") from None
        yield str(link)


def is_utf8(path: str) -> bool:
    """Return whether a path is UTF-8, and so can be written into a text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
