"""Frames of a recording by their index, decoded as everything else decodes it."""

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .sources import open_video


def frames_at(path: Path, wanted: Collection[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Decode a video up to the last wanted frame.

    Args:
        path: a video file, a still picture, or a folder of pictures.
        wanted: indices of decoded frames, from 0.

    Yields:
        The index and the frame, (h, w, 3) uint8 BGR, in order. Frames that the video does not have are left out.

    Raises:
        SourceError: the video cannot be read.
    """
    last = max(wanted, default=-1)
    with open_video(path) as video:
        for frame in video:
            if frame.index in wanted:
                yield frame.index, frame.image
            if frame.index >= last:
                return
