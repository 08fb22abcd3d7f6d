"""The one rule for output files: an existing file is kept and the user is told, unless ``--overwrite`` is given."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ...models.errors import SinkError, UsageError
from ...models.whole_file import same_file
from .file_formats import STDOUT

NAMED_CLASHES = 3  # in a message; it says how many more there are


class OutputFile(click.Path):
    """An output file. Its name may hold the time, as in ``take-%Y%m%d-%H%M%S.csv``."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401
        """Return the path with the time filled in."""
        return dated(Path(os.fsdecode(super().convert(value, param, ctx))))


def dated(path: Path) -> Path:
    """Return a path with the time filled in."""
    return path.with_name(datetime.now().strftime(path.name)) if "%" in path.name else path


overwrite_option = click.option("--overwrite", is_flag=True, help="Replace output files that exist already.")


def refuse_input(paths: Iterable[Path | None], sources: Iterable[Path | str]) -> None:
    """Refuse output files that are the input.

    Args:
        paths: output files; None and ``-`` (stdout) are left out.
        sources: what is read.

    Raises:
        UsageError: one of them is a source.
    """
    read = [Path(source) for source in sources]
    for path in _files(paths):
        if any(same_file(path, source) for source in read):
            raise UsageError(f"{path}: the output would overwrite the input; give another name")


@dataclass(frozen=True, slots=True)
class Clash:
    """An output that is written twice.

    Attributes:
        both: what would be written to it, in words: two inputs, or two outputs of one.
        path: the output.
    """

    both: str
    path: Path


def refuse_clashes(clashes: Sequence[Clash], advice: str) -> None:
    """Refuse outputs that are written twice; count them, and name the first few.

    Args:
        clashes: one for each input whose output is another's already.
        advice: what to try, at the end of the message.

    Raises:
        UsageError: there are any.
    """
    if not clashes:
        return
    if len(clashes) == 1:
        raise UsageError(f"{clashes[0].both} would both be written to {clashes[0].path}; {advice}")
    named = ", ".join(f"{clash.both} to {clash.path}" for clash in clashes[:NAMED_CLASHES])
    more = f" and {len(clashes) - NAMED_CLASHES} more" if len(clashes) > NAMED_CLASHES else ""
    raise UsageError(f"{len(clashes)} inputs would be written to the output of another: {named}{more}; {advice}")


def keep_existing(paths: Iterable[Path | None], overwrite: bool) -> None:
    """Refuse to replace files of an earlier run, unless the user asked for it.

    Args:
        paths: output files; None and ``-`` (stdout) are left out.
        overwrite: whether the user asked for it.

    Raises:
        SinkError: one of them exists.
    """
    for path in _files(paths):
        if path.is_file() and not overwrite:
            name = f"{path.stem}-%Y%m%d-%H%M%S{path.suffix}"
            raise SinkError(f"{path}: exists already; --overwrite replaces it, a name such as {name} tells runs apart")


def _files(paths: Iterable[Path | None]) -> list[Path]:
    return [path for path in paths if path is not None and str(path) != STDOUT]
