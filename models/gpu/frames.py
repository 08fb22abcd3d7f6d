"""Pictures on the GPU, many of one size at a time."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..blazeface import INPUT_SIZE
from .backend import Tensor, compiled, device_errors, ops, to_device, to_host
from .nv12 import ColourMatrix, to_rgb
from .passes import padded_lines, shrunk_length, thumbnail_lines
from .warp import Warp, halved, warped
from .windows import shrunk

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)  # of batches: each new one is compiled


def padded_count(count: int) -> int:
    """Return the next fixed size of a batch; above the largest, the next multiple of it."""
    return next((size for size in SIZES if size >= count), -(-count // SIZES[-1]) * SIZES[-1])


class FrameBatch:
    """Pictures of one size on the GPU.

    Attributes:
        count: how many there are.
        width: theirs, in pixels.
        height: theirs.
    """

    def __init__(self, pictures: Tensor, count: int) -> None:
        """Keep the pictures.

        Args:
            pictures: (n, h, w, 3) uint8 RGB on the GPU; n may be more than count.
            count: how many of them are meant.
        """
        self.pictures = pictures
        self.count = count
        self.height, self.width = int(pictures.shape[1]), int(pictures.shape[2])
        self._small: Tensor = None

    @classmethod
    def upload(cls, images: Sequence[NDArray[np.uint8]]) -> Self:
        """Copy pictures to the GPU.

        Args:
            images: (h, w, 3) uint8 BGR, all of one size; at least one.

        Raises:
            OutOfDeviceMemoryError: the GPU has too little memory.
            ValueError: the sizes differ.
        """
        batch = np.zeros((padded_count(len(images)), *images[0].shape), np.uint8)
        np.stack(images, out=batch[: len(images)])
        return cls(_flipped(batch), len(images))

    @classmethod
    def of_rgb(cls, tensor: Tensor) -> Self:
        """Take (n, h, w, 3) uint8 RGB that is on the GPU: a tensor of Keras's library, or anything with DLPack."""
        tensor = to_device(tensor)
        return cls(_filled(tensor), int(tensor.shape[0]))

    @classmethod
    def of_nv12(
        cls, tensor: Tensor, width: int, height: int, matrix: ColourMatrix = "bt709", full_range: bool = False
    ) -> Self:
        """Convert NV12 that is on the GPU.

        Args:
            tensor: (n, rows, pitch) uint8, as for :func:`mouth_live.models.gpu.nv12.to_rgb`; of Keras's library, or
                anything with DLPack.
            width: the pictures', in pixels.
            height: the pictures'.
            matrix: how the colours were mixed.
            full_range: whether the brightness takes 0..255, and not 16..235.

        Raises:
            OutOfDeviceMemoryError: the GPU has too little memory.
        """
        tensor = to_device(tensor)
        pictures = to_rgb(_filled(tensor), width=width, height=height, matrix=matrix, full_range=full_range)
        return cls(pictures, int(tensor.shape[0]))

    def thumbnails(self) -> NDArray[np.uint8]:
        """Return small copies on the host, (n, h, w, 3) uint8 BGR, the longer side 192 pixels, or less if theirs is."""
        scale = max(self.width, self.height, INPUT_SIZE) / INPUT_SIZE
        height, width = shrunk_length(self.height, scale), shrunk_length(self.width, scale)
        first, weights, _ = padded_lines([thumbnail_lines(self.width, self.height)] * len(self.pictures))
        small = _thumbnails(self.pictures, np.arange(len(self.pictures), dtype=np.int32), first, weights)
        top, left = (INPUT_SIZE - height) // 2, (INPUT_SIZE - width) // 2
        return to_host(small)[: self.count, top : top + height, left : left + width]

    def crops(self, warp: Warp, size: int) -> Tensor:
        """Return crops (n, size, size, 3) uint8 RGB on the GPU.

        Raises:
            OutOfDeviceMemoryError: the GPU has too little memory.
        """
        if self._small is None:
            self._small = halved(self.pictures)
        return warped(self.pictures, self._small, warp.frames, warp.levels, warp.matrices, size=size)


def _filled(tensor: Tensor) -> Tensor:
    """Repeat the last picture up to the next fixed size of a batch."""
    count = int(tensor.shape[0])
    missing = padded_count(count) - count
    if not missing:
        return tensor
    with device_errors():
        return ops().concatenate([tensor, ops().repeat(tensor[-1:], missing, axis=0)], axis=0)


@compiled
def _flipped(pictures: Tensor) -> Tensor:
    """Return RGB for BGR."""
    return ops().flip(pictures, axis=-1)


@compiled
def _thumbnails(*arguments: Tensor) -> Tensor:
    """Return (n, 192, 192, 3) uint8 BGR, the thumbnail in the middle."""
    return ops().cast(ops().flip(ops().transpose(shrunk(*arguments), (0, 2, 1, 3)), axis=-1), "uint8")
