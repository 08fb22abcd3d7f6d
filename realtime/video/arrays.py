"""A source of frames that the caller has already: arrays from a loop of its own."""

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

from ..records import Frame

ARRAY_RATE = 25.0  # frames/s of arrays without times


class ArraySource:
    """The pictures of an iterable; the attributes are those of :class:`~.sources.VideoSource`.

    They are taken in the caller's own thread, each when it is needed.
    """

    def __init__(self, items: Iterable[object]) -> None:
        """Take over the iterable; nothing is read yet.

        Args:
            items: (h, w, 3) uint8 BGR arrays, taken as 25 frames/s; or pairs of such an array's time in seconds, never
                decreasing, and the array; or :class:`~mouth_live.realtime.Frame` objects.
        """
        self.name, self.size, self.nominal_rate = "arrays", (0, 0), ARRAY_RATE
        self.duration: float | None = None
        self.start_time = 0.0
        self._items = items

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames.

        Raises:
            TypeError: an item is not a picture.
            ValueError: a picture has another shape or dtype, or a time is earlier than the previous one.
        """
        last = 0.0
        for index, item in enumerate(self._items):
            if isinstance(item, Frame):
                frame = item
            elif isinstance(item, tuple):
                time, image = cast("tuple[float, object]", item)
                frame = Frame(index, float(time), checked_picture(image))
            else:
                frame = Frame(index, index / ARRAY_RATE, checked_picture(item))
            if index and frame.time < last:
                raise ValueError(f"time: expected at least {last:g} s, as the previous frame has, got {frame.time:g}")
            last = frame.time
            yield frame


def checked_picture(image: object) -> NDArray[np.uint8]:
    """Return the picture unchanged, after checking it.

    Args:
        image: (h, w, 3) uint8, BGR.

    Raises:
        TypeError: it is not an array, such as the None that ``cv2.imread`` returns for an unreadable file.
        ValueError: it has another shape or dtype.
    """
    expected = "expected an (h, w, 3) uint8 array in BGR order, as cv2.imread gives"
    if not isinstance(image, np.ndarray):
        raise TypeError(f"image: {expected}, got {type(image).__name__}")
    array = cast("NDArray[np.uint8]", image)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8:
        raise ValueError(f"image: {expected}, got shape {array.shape}, {array.dtype}")
    return array
