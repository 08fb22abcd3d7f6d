"""A source of frames that the caller has already: arrays from a loop of its own."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import isfinite
from numbers import Real
from types import TracebackType
from typing import Self, cast

from ...models.checked import checked_image
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
            frame = _as_frame(index, item)
            if index and frame.time < last:
                raise ValueError(f"time: expected at least {last:g} s, as the previous frame has, got {frame.time:g}")
            last = frame.time
            yield frame


def _as_frame(index: int, item: object) -> Frame:
    if isinstance(item, Frame):
        return replace(item, image=checked_image(item.image))
    if not isinstance(item, tuple):
        return Frame(index, index / ARRAY_RATE, checked_image(item))
    pair = cast("tuple[object, ...]", item)
    if len(pair) != 2 or not isinstance(pair[0], Real) or not isfinite(pair[0]):
        raise TypeError("source: expected pairs of a time in seconds and an image, got another tuple")
    return Frame(index, float(pair[0]), checked_image(pair[1]))
