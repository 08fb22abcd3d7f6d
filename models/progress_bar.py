"""The progress bars on stderr: none where it is no terminal, and visible on terminals that do not know their width."""

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tqdm import tqdm

Item = TypeVar("Item")

USUAL_WIDTH = 80  # columns


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

    return tqdm(items, title, total, leave, unit=f" {unit}", disable=None, ncols=_width())


def _width() -> int | None:
    """Return the columns for a bar; None: the terminal knows its width, and tqdm asks for it.

    In a container or a log a terminal may have 0 columns, in which tqdm shows nothing.
    """
    try:
        return None if os.get_terminal_size(sys.stderr.fileno()).columns else USUAL_WIDTH
    except (OSError, ValueError):  # no terminal
        return None
