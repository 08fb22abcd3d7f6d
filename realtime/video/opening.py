"""The one door to every source: a camera's index, a path, a URL, an open source, or pictures of the caller's own."""

import os
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any, cast

import numpy as np

from .arrays import ArraySource
from .cameras import open_camera
from .sources import VideoSource, open_video

Source = int | str | PathLike[str] | VideoSource | Iterable[object]
"""A camera's index, a path, a URL, an open source, or an iterable of pictures as :class:`.ArraySource` takes them."""


def checked_source(source: object) -> Source:
    """Return a source in the form that the program knows.

    Args:
        source: what :data:`Source` says; also a NumPy integer, and a path as bytes.

    Raises:
        TypeError: it is nothing that can be analysed.
    """
    if isinstance(source, np.integer):
        return int(cast("np.integer[Any]", source))
    if isinstance(source, bytes):
        return os.fsdecode(source)
    is_array = isinstance(source, np.ndarray)
    known = isinstance(source, int | str | PathLike | VideoSource | Iterable)
    if known and not is_array and not isinstance(source, bool):
        return cast("Source", source)
    hint = "; put a single picture into a list: [image]" if is_array else ""
    raise TypeError(
        "source: expected a camera's index, a path, a URL, or an iterable of (h, w, 3) uint8 BGR arrays, "
        f"got {type(cast('object', source)).__name__}{hint}"
    )


def is_live(source: Source) -> bool:
    """Return whether a source is a camera or a stream rather than a recording."""
    return isinstance(source, int) or (isinstance(source, str) and "://" in source)


def open_source(
    source: Source, live: bool, size: tuple[int, int] | None = None, fps: float | None = None
) -> VideoSource:
    """Open a source of any kind.

    Args:
        source: what to open; see :data:`Source`.
        live: open a path as a camera does: a device, or a video file that plays at its own pace.
        size: the (width, height) in pixels to request from a camera.
        fps: the frames per second to request from a camera.

    Raises:
        SourceError: the source cannot be read.
        TypeError: ``source`` is nothing that can be analysed.
    """
    source = checked_source(source)
    if isinstance(source, int):
        return open_camera(source, size, fps)
    if isinstance(source, str | PathLike):
        return open_camera(str(source), size, fps) if live else open_video(Path(source))
    if isinstance(source, VideoSource):
        return source
    return ArraySource(source)
