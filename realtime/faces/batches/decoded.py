"""Chunks of a video that is decoded on the device itself."""

import logging
from collections.abc import Generator
from contextlib import closing
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from ....models.errors import DecodingError, DeviceError, OutOfDeviceMemoryError
from ...video.nvdec import DecodedPart, NvDecoder, is_installed
from ...video.sources import VideoSource
from ...video.video_file import VideoFile
from .chunks import Chunk, Chunker
from .device import Colours, Device

log = logging.getLogger("mouth_live")

COLOURS = [Colours(matrix, full) for matrix, full in product(("bt601", "bt709"), (False, True))]  # OpenCV's first
MOST_APART = 2.0  # grey values by which a small copy of a picture may differ from the CPU's, on average


class DecodedVideo:
    """A video whose pictures are decoded on the device and never leave it."""

    def __init__(self, video: VideoFile, device: Device) -> None:
        """Open it, and compare its first pictures with those that the CPU decoded.

        Args:
            video: the open file; it is not read.
            device: decodes it.

        Raises:
            DecodingError: the device cannot decode it, or decodes other pictures.
        """
        self._device, self._size = device, video.size
        head = [_small(picture) for picture in video.head]
        self._head_count = len(head)
        self._chunker: Chunker | None = None
        self._parts = NvDecoder(video).parts(self._next_count)
        first = next(self._parts, None)
        if first is None:
            raise DecodingError("there is nothing")
        try:
            self._first, self._colours = self._compared(first, head)
        except DeviceError as error:
            reason = str(error).partition(";")[0]
            raise DecodingError(f"its pictures cannot be used: {reason}") from None

    def _next_count(self) -> int:
        """Return the number of frames to decode next."""
        width, height = self._size
        return self._head_count if self._chunker is None else self._chunker.count(3 * width * height)

    def _compared(self, part: DecodedPart, head: list[NDArray[np.uint8]]) -> tuple[Chunk, Colours]:
        """Return the first pictures, in the colours in which they are those of the CPU.

        Raises:
            DecodingError: they are others.
        """
        for colours in COLOURS:
            chunk = self._chunk(part, colours)
            pairs = zip(chunk.small if chunk.small is not None else (), head, strict=True)
            apart = [np.abs(one.astype(np.int16) - other).mean() for one, other in pairs]
            if np.mean(apart) <= MOST_APART:
                return chunk, colours
        raise DecodingError("its pictures are others than on the CPU")

    def _chunk(self, part: DecodedPart, colours: Colours) -> Chunk:
        """Return frames as a chunk, whose pictures are no longer the decoder's own.

        Raises:
            DecodingError: there is too little memory for it.
        """
        try:
            pictures = self._device.of_planes(part.planes, self._size, colours)
            small = pictures.thumbnails()  # also waits until the planes were read, which the decoder uses again
        except OutOfDeviceMemoryError:
            raise DecodingError("the GPU's memory is too small to decode there") from None
        return Chunk(part.frames, pictures, small)

    def chunks(self, chunker: Chunker) -> Generator[Chunk]:
        """Yield the frames in chunks, once.

        Raises:
            DecodingError: the device decodes other frames than there are, or has too little memory for them.
        """
        self._chunker = chunker
        with closing(self._parts):
            yield self._first
            for part in self._parts:
                yield self._chunk(part, self._colours)


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture as small as the device's copies."""
    height, width = picture.shape[:2]
    scale = 192 / max(height, width, 192)
    size = (round(width * scale), round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def decoded_video(source: VideoSource, device: Device | None) -> DecodedVideo | None:
    """Return a source that a device decodes; None where there is no device, or it cannot."""
    if device is None or not isinstance(source, VideoFile) or not is_installed():
        return None
    try:
        return DecodedVideo(source, device)
    except DecodingError as error:
        log.info("%s: decoded on the CPU, for on the GPU %s", source.name, error)
        return None
