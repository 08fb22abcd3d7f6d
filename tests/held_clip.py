"""Clips of a real face that holds its mouth as open as asked for."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from make_demo import portrait, with_mouth


def write_clip(
    path: Path,
    *openness: float | None,
    seconds: float | Sequence[float] = 1.2,
    rate: float = 10,
    grid: tuple[int, int] = (1, 1),
) -> Path:
    """A clip (mp4v, 480x480) that holds each openness (0..1) for some seconds, or for each its own.

    None is a grey picture without a face. ``grid`` repeats the picture in so many rows and columns.
    """
    photo = portrait()
    times = [seconds] * len(openness) if isinstance(seconds, int | float) else seconds
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (480 * grid[1], 480 * grid[0]))
    for value, time in zip(openness, times, strict=True):
        picture = np.full_like(photo, 128) if value is None else with_mouth(photo, value)
        picture = cv2.resize(picture, (480, 480), interpolation=cv2.INTER_AREA)
        picture = np.tile(picture, (*grid, 1))
        for _ in range(round(time * rate)):
            writer.write(picture)
    writer.release()
    return path
