"""Single frames of a recording, decoded as everything else decodes it."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .sources import open_video
from .video_file import VideoFile

_FEW = 500  # frames: up to there, decoding all is quicker than searching
_SAME_TIME = 0.3  # of a frame's length


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


def frames_near(path: Path, wanted: Mapping[int, float]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Search a recording for frames, which takes the same time wherever they are.

    A frame that is not found at its time is found by decoding all before it.

    Args:
        path: a video file, a still picture, or a folder of pictures.
        wanted: the time of each frame in seconds since the first one, by its index.

    Yields:
        The index and the frame, (h, w, 3) uint8 BGR. Frames that the video does not have are left out.

    Raises:
        SourceError: the video cannot be read.
    """
    found: set[int] = set()
    for index, time in wanted.items():
        image = _searched(path, time) if index > _FEW else None
        if image is not None:
            found.add(index)
            yield index, image
    yield from frames_at(path, wanted.keys() - found)


def _searched(path: Path, time: float) -> NDArray[np.uint8] | None:
    """Return the frame at a time, in seconds since the first one; None where it is not surely that one."""
    with open_video(path) as video:
        if not isinstance(video, VideoFile):
            return None
        slack = _SAME_TIME / video.nominal_rate
        at, image = next(video.pictures_since(time - slack), (-1.0, None))
        return image if abs(at - time) <= slack else None
