"""Chunks of frames, whose pictures lie on the device."""

import logging
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ....models.errors import OutOfDeviceMemoryError
from ...records import Frame
from ..changes import Mosaic, mosaic
from .device import Device, PictureBatch

log = logging.getLogger("mouth_live")

MOST_FRAMES = 64


@dataclass(slots=True, eq=False)
class Chunk:
    """Frames that follow each other, all of one size.

    Attributes:
        frames: the frames. Where they were decoded on the device, their pictures are empty.
        pictures: the same on the device.
        small: (n, h, w, 3) uint8, BGR, small copies of pictures that were decoded on the device; None where the frames
            have pictures.
    """

    frames: Sequence[Frame]
    pictures: PictureBatch
    small: NDArray[np.uint8] | None = None
    _mosaics: dict[int, Mosaic] = field(default_factory=dict[int, Mosaic], init=False)

    @property
    def size(self) -> tuple[int, int]:
        """The pictures' (width, height) in pixels."""
        return self.pictures.width, self.pictures.height

    @property
    def scale(self) -> float:
        """The size of what :meth:`picture` returns, as a share of the frame's."""
        return 1.0 if self.small is None else self.small.shape[2] / self.pictures.width

    def picture(self, number: int) -> NDArray[np.uint8]:
        """Return a frame's picture (h, w, 3) uint8 BGR, or its small copy."""
        return self.frames[number].image if self.small is None else self.small[number]

    def mosaic(self, number: int) -> Mosaic:
        """Return a frame's mosaic."""
        if number not in self._mosaics:
            self._mosaics[number] = mosaic(self.picture(number))
        return self._mosaics[number]


class Chunker:
    """Collects frames and puts them on the device, as many at a time as fit."""

    def __init__(self, device: Device) -> None:
        """Begin with as many as the device takes."""
        self._upload, self._most_bytes, self._most_frames = device.upload, device.most_bytes, MOST_FRAMES

    def halve(self) -> None:
        """Make chunks of half the size from now on, because the device's memory is too small."""
        if self._most_frames > 1:
            self._most_frames //= 2
            log.info("the GPU's memory is full; going on with %d frames at a time", self._most_frames)

    def count(self, picture_bytes: int) -> int:
        """Return the number of frames in a chunk, by the bytes of a picture."""
        return max(1, min(self._most_frames, self._most_bytes // picture_bytes))

    def chunks(self, frames: Iterable[Frame]) -> Generator[Chunk]:
        """Yield the frames in chunks.

        Raises:
            DeviceError: there is too little memory for one frame.
        """
        waiting: list[Frame] = []
        for frame in frames:
            is_other = waiting and waiting[0].image.shape != frame.image.shape
            if is_other or len(waiting) >= self.count(frame.image.nbytes):
                yield from self._uploaded(waiting)
                waiting = []
            waiting.append(frame)
        yield from self._uploaded(waiting)

    def _uploaded(self, frames: Sequence[Frame]) -> Generator[Chunk]:
        """Put frames on the device, in parts where they do not fit together."""
        while frames:
            part = frames[: self._most_frames]
            try:
                pictures = self._upload([frame.image for frame in part])
            except OutOfDeviceMemoryError:
                if len(part) == 1:
                    raise
                self._most_frames = len(part)
                self.halve()
                continue
            yield Chunk(part, pictures)
            frames = frames[len(part) :]
