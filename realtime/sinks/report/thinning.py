"""A curve with few points that looks like all of them: the smallest and the largest value of each stretch."""

import numpy as np
from numpy.typing import NDArray

from .recording import MISSING, Recording, Track

Points = tuple[NDArray[np.float64], NDArray[np.float64]]


def thinned(recording: Recording, track: Track, columns: int) -> Points:
    """Return a face's smoothed curve with about two points for each column of a picture of the whole recording.

    Args:
        recording: the table.
        track: the face.
        columns: the picture's width in pixels or other steps.

    Returns:
        (m,) float64 each: times, and levels with NaN where the face was not read. A frame between two without the
        face has a second point, at its end, because a line needs two.
    """
    times = recording.times
    size = max(1, round(len(times) / columns))
    count = -(-len(track.smooth) // size)
    levels = np.full(count * size, np.nan)
    levels[: len(track.smooth)] = np.where(track.smooth == MISSING, np.nan, track.smooth)
    starts = times[track.first + np.arange(0, len(track.smooth), size)]
    if size == 1:
        here = np.concatenate([[False], ~np.isnan(levels), [False]])
        alone = np.flatnonzero(here[1:-1] & ~here[:-2] & ~here[2:])
        ends = np.append(times[1:], recording.end)[track.first + alone]
        return np.insert(starts, alone + 1, ends), np.insert(levels, alone + 1, levels[alone])
    blocks = levels.reshape(count, size)
    is_empty = np.isnan(blocks).all(axis=1)
    low, high = (
        np.where(np.isnan(blocks), np.inf, blocks).min(axis=1),
        np.where(np.isnan(blocks), -1, blocks).max(axis=1),
    )
    values = np.stack([low, high], axis=1)
    values[is_empty] = np.nan
    return np.repeat(starts, 2), values.ravel()
