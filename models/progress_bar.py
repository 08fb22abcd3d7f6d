"""The progress bars on stderr: none where it is no terminal, and visible on terminals that do not know their size."""

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from .control_characters import escape_control_characters

if TYPE_CHECKING:
    from tqdm import tqdm

Item = TypeVar("Item")

USUAL_SIZE = (80, 24)  # columns, rows


def progress_bar(
    items: Iterable[Item], title: str | None, unit: str, total: int | None = None, leave: bool = True
) -> "tqdm[Item]":
    """Return a progress bar.

    Args:
        items: what is gone through by iterating the bar, or only counted where the caller calls its ``update``.
        title: the text before the bar; None for none.
        unit: what is counted.
        total: the number of items; None: that of ``items``, or unknown.
        leave: whether it stays on the terminal when it is complete.
    """
    from tqdm import tqdm

    columns, rows = _terminal_size()
    title = None if title is None else escape_control_characters(title)
    return tqdm(items, title, total, leave, unit=f" {unit}", disable=None, ncols=columns, nrows=rows)


def _terminal_size() -> tuple[int | None, int | None]:
    """Return the columns and rows for a bar; None: the terminal knows them, and tqdm asks for them.

    In a container or a log a terminal may have 0 of them, in which tqdm shows nothing.
    """
    try:
        known = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):  # no terminal
        return None, None
    return (None, None) if all(known) else USUAL_SIZE
