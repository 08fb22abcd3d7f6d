"""Crops on the GPU: affine warps of many pictures at once, averaged as :func:`mouth_live.models.crop.sample` does."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, hypot, log2

import numpy as np
from numpy.typing import NDArray

from ..crop import Region, aligned_square, to_square
from ..face import Face
from .backend import Tensor, compiled, ops

MOST_HALVINGS = 8
BATCHES = (8, 64, 256)  # faces: each new size is compiled


@dataclass(frozen=True, slots=True)
class Warp:
    """Where to take crops from.

    Attributes:
        frames: (n,) int32: of which picture.
        levels: (n,) int32: how many times that picture is halved before.
        matrices: (n, 2, 3) float32: from pixels (x, y, 1) of the crop to those of the halved picture; the middle of the
            first pixel is at (0, 0) in both.
    """

    frames: NDArray[np.int32]
    levels: NDArray[np.int32]
    matrices: NDArray[np.float32]


def halvings(height: int, width: int) -> int:
    """Return how many times pictures of this size are halved."""
    return min(min(height, width).bit_length() - 1, MOST_HALVINGS)


@compiled
def halved(pictures: Tensor) -> Tensor:
    """Return pictures halved again and again by averaging 2x2 pixels, as OpenCV rounds them.

    Args:
        pictures: (n, h, w, 3) uint8.

    Returns:
        (n, m, 3) uint8: the pixels of the first halving row by row, then those of the second, and so on.
    """
    k = ops()
    parts: list[Tensor] = []
    for _ in range(halvings(*pictures.shape[1:3])):
        means = k.average_pool(k.cast(pictures, "float32"), 2, 2, "valid", data_format="channels_last")
        pictures = k.cast(k.floor(means + 0.5), "uint8")
        parts.append(k.reshape(pictures, (pictures.shape[0], -1, 3)))
    if not parts:
        return k.zeros((pictures.shape[0], 1, 3), "uint8")
    return k.concatenate(parts, axis=1)


def warp_of(faces: Sequence[tuple[int, Face]], regions: Sequence[Region], size: int, height: int, width: int) -> Warp:
    """Return where the crops of faces are.

    Args:
        faces: (number of the picture, face).
        regions: which parts of each aligned face; all crops of the first region come first.
        size: side of the crops in pixels.
        height: the pictures'.
        width: the pictures'.
    """
    most = halvings(height, width)
    squares = [aligned_square(face.keypoints) for _, face in faces]
    matrices = np.empty((len(regions) * len(faces), 2, 3))
    levels = np.empty(len(matrices), np.int32)
    for i, matrix in enumerate(square @ to_square(region, (size, size)) for region in regions for square in squares):
        step = hypot(matrix[0, 0], matrix[1, 0])  # picture pixels per crop pixel
        levels[i] = max(0, min(ceil(log2(max(step, 1e-9) / 2)), most))
        matrices[i] = matrix / 2.0 ** levels[i]
    matrices[:, :, 2] -= 0.5
    frames = np.tile(np.array([frame for frame, _ in faces], np.int32), len(regions))
    return Warp(frames, levels, matrices.astype(np.float32))


@compiled
def warped(pictures: Tensor, small: Tensor, frames: Tensor, levels: Tensor, matrices: Tensor, size: int) -> Tensor:
    """Warp crops out of pictures, bilinearly; what lies outside a picture repeats its border.

    Args:
        pictures: (m, h, w, 3) uint8.
        small: from :func:`halved`.
        frames: as in :class:`Warp`; so are ``levels`` and ``matrices``.
        levels: see there.
        matrices: see there.
        size: side of the crops in pixels.

    Returns:
        (n, size, size, 3) uint8.
    """
    k = ops()
    count, height, width = pictures.shape[:3]
    steps = np.stack([*np.meshgrid(np.arange(size), np.arange(size)), np.ones((size, size))]).reshape(3, -1)
    points = k.matmul(matrices, k.convert_to_tensor(steps.astype(np.float32)))  # (n, 2, size * size)
    lows = k.floor(points)
    parts = points - lows
    starts, sizes = _layout(height, width)
    offset, limits = k.take(starts, levels)[:, None], k.take(sizes, levels, axis=0)
    low = k.cast(lows, "int32")
    columns = [k.clip(low[:, 0] + i, 0, limits[:, 1:]) for i in (0, 1)]
    rows = [k.clip(low[:, 1] + i, 0, limits[:, :1]) for i in (0, 1)]
    across, down = ((1 - parts[:, axis], parts[:, axis]) for axis in (0, 1))
    whole, flat = k.reshape(pictures, (count * height * width, 3)), k.reshape(small, (count * small.shape[1], 3))
    is_whole, stride = (levels == 0)[:, None], limits[:, 1:] + 1

    def pixels(row: Tensor, column: Tensor) -> Tensor:
        """Return the colours at these places, (n, size * size, 3) float32."""
        place = row * stride + column
        in_whole = k.take(whole, frames[:, None] * (height * width) + k.where(is_whole, place, 0), axis=0)
        in_small = k.take(flat, frames[:, None] * small.shape[1] + k.where(is_whole, 0, offset + place), axis=0)
        return k.cast(k.where(is_whole[..., None], in_whole, in_small), "float32")

    mixed = sum(pixels(rows[i], columns[j]) * (down[i] * across[j])[..., None] for i in (0, 1) for j in (0, 1))
    return k.cast(k.round(k.reshape(mixed, (-1, size, size, 3))), "uint8")


def _layout(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return where each halving begins in :func:`halved`, and its last (row, column); the whole picture's first."""
    starts, sizes, total = [0], [(height - 1, width - 1)], 0
    for _ in range(halvings(height, width)):
        height, width = height // 2, width // 2
        starts.append(total)
        sizes.append((height - 1, width - 1))
        total += height * width
    return ops().convert_to_tensor(starts, "int32"), ops().convert_to_tensor(sizes, "int32")


def padded_faces(faces: Sequence[tuple[int, Face]]) -> list[Sequence[tuple[int, Face]]]:
    """Return the faces in parts of fixed sizes, the last one filled up by repeating its last face."""
    parts: list[Sequence[tuple[int, Face]]] = []
    for start in range(0, len(faces), BATCHES[-1]):
        part = faces[start : start + BATCHES[-1]]
        size = next(size for size in BATCHES if size >= len(part))
        parts.append([*part, *[part[-1]] * (size - len(part))])
    return parts
