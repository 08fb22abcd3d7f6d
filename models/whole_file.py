"""The one way to write a file: under its final name it is whole.

A file is written as ``OUT.part`` and renamed when it is complete. A writer that takes the kind of file from its name
(video, pictures, weights) gets ``NAME.part.EXT`` instead.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .errors import DataError, MouthLiveError


def part_path(path: Path, keep_suffix: bool = False) -> Path:
    """Return the name that a file has until it is whole, in the folder of its final name.

    Args:
        path: the final name.
        keep_suffix: ``NAME.part.EXT`` in place of ``OUT.part``, for writers that tell the kind of file by its suffix.
    """
    return path.with_name(f"{path.stem}.part{path.suffix}" if keep_suffix else f"{path.name}.part")


@contextmanager
def whole_file(
    path: Path, advice: str = "", *, keep_suffix: bool = True, error: type[MouthLiveError] = DataError
) -> Generator[Path]:
    """Give a file its final name when the block ends well; left by an exception it stays a part.

    Args:
        path: the final name.
        advice: what to try when it cannot be written, at the end of the message.
        keep_suffix: as for :func:`part_path`.
        error: what is raised when it cannot be written.

    Yields:
        The name to write to.

    Raises:
        MouthLiveError: of the kind ``error``: the file cannot be written or renamed.
    """
    part = part_path(path, keep_suffix)
    try:
        yield part
        part.replace(path)
    except BrokenPipeError:
        raise
    except OSError as failure:
        raise error(f"{path}: cannot write it ({failure.strerror or failure}){advice}") from None
