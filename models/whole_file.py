"""The one way to write a file: under its final name it is whole.

A file is written as ``OUT.part`` and renamed when it is complete. A writer that takes the kind of file from its name
(video, pictures, weights) gets ``NAME.part.EXT`` instead. A link stays a link, and the file that it names is replaced;
a device or a pipe is written to as it is.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .errors import BusyError, DataError, MouthLiveError


def part_path(path: Path, keep_suffix: bool = False) -> Path:
    """Return the name that a file has until it is whole, in the folder of its final name.

    Args:
        path: the final name.
        keep_suffix: ``NAME.part.EXT`` in place of ``OUT.part``, for writers that tell the kind of file by its suffix.
    """
    return path.with_name(f"{path.stem}.part{path.suffix}" if keep_suffix else f"{path.name}.part")


def is_stream(path: Path) -> bool:
    """Return whether a path is there and is no plain file or folder: a device, a pipe, a socket."""
    return path.exists() and not path.is_file() and not path.is_dir()


def same_file(one: Path, other: Path) -> bool:
    """Return whether two paths name one file, through links and whatever else; a missing file is compared by name."""
    try:
        return one.samefile(other)
    except OSError:
        return one.resolve() == other.resolve()


@contextmanager
def whole_file(
    path: Path,
    advice: str = "",
    *,
    keep_suffix: bool = True,
    private: bool = False,
    error: type[MouthLiveError] = DataError,
) -> Generator[Path]:
    """Give a file its final name when the block ends well.

    After an error of this program or of the system nothing is left. What interrupts it (Ctrl-C, a signal, another
    exception) leaves the part, so that no work is lost. While one run writes, a second one on the same name is refused.

    Args:
        path: the final name.
        advice: what to try when it cannot be written, at the end of the message.
        keep_suffix: as for :func:`part_path`.
        private: let nobody but this user read it.
        error: what is raised when it cannot be written.

    Yields:
        The name to write to.

    Raises:
        BusyError: another run writes it.
        MouthLiveError: of the kind ``error``: the file cannot be written or renamed.
    """
    if is_stream(path):
        yield path
        return
    target = path.resolve() if path.is_symlink() else path
    part = part_path(target, keep_suffix)
    try:
        lock = _locked(part, 0o600 if private else 0o666)
        if lock is None:
            raise BusyError(f"{path}: is being written by another run; wait for its end or give another name")
        try:
            yield part
            part.replace(target)
        except (MouthLiveError, OSError):
            part.unlink(missing_ok=True)
            raise
        finally:
            os.close(lock)
    except BrokenPipeError:
        raise
    except OSError as failure:
        raise error(f"{path}: cannot write it ({failure.strerror or failure}){advice}") from None


def _locked(part: Path, mode: int) -> int | None:
    """Create the part and lock it against other runs; return its descriptor, or None where another run holds it."""
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT, mode)
    try:
        import fcntl
    except ImportError:  # Windows refuses to open and to rename a file that another program writes
        return descriptor
    if mode == 0o600:
        os.fchmod(descriptor, mode)  # it may be there already, from a run that was interrupted
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:  # a file system without locks
        return descriptor
    return descriptor
