"""The crop that the networks read: one affine warp from a face's key points, the same in training and at run time.

The face is aligned as in FFHQ; of the aligned square the mouth region x 80..176, y 128..224 (in 256ths) becomes the
60x60 crop: the lower face from under the eyes to the chin, the mouth's centre at about (0.5, 0.61).

Source: Karras et al. 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks", the alignment of
the FFHQ data set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, hypot, log2

import cv2
import numpy as np
from numpy.typing import NDArray

from .checked import checked_faces, checked_image
from .face import LEFT_EYE, MOUTH, RIGHT_EYE, Face

CROP_SIZE = 60
"""Side of a crop in pixels."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the aligned square, in parts of its side (0..1 across and down)."""

    left: float
    top: float
    right: float
    bottom: float


MOUTH_REGION = Region(80 / 256, 128 / 256, 176 / 256, 224 / 256)
WHOLE_FACE = Region(0.0, 0.0, 1.0, 1.0)


def aligned_square(keypoints: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the FFHQ-aligned square of a face.

    Args:
        keypoints: (6, 2) or more, pixels; rows 0, 1 and 3 are the person's right eye, left eye and mouth centre.

    Returns:
        (2, 3) float64: the affine map from (s, t, 1), s across and t down the square in 0..1, to pixels (x, y).
    """
    # Complex numbers for points, one by one: numpy takes ten times as long for two of them.
    (right_x, right_y), (left_x, left_y), (mouth_x, mouth_y) = keypoints[[RIGHT_EYE, LEFT_EYE, MOUTH]].tolist()
    e0, e1, mouth = complex(right_x, right_y), complex(left_x, left_y), complex(mouth_x, mouth_y)
    eye = (e0 + e1) / 2
    v, d = e1 - e0, mouth - eye
    x = v - 1j * d
    x *= max(2 * abs(v), 1.8 * abs(d)) / max(abs(x), 1e-9)
    y = 1j * x  # a quarter turn, x to the right towards y down
    corner = eye + 0.1 * d - x - y
    return np.array([[2 * x.real, 2 * y.real, corner.real], [2 * x.imag, 2 * y.imag, corner.imag]])


def crop_faces(
    image: NDArray[np.uint8], faces: Sequence[Face], region: Region = MOUTH_REGION, size: int = CROP_SIZE
) -> NDArray[np.uint8]:
    """Cut a region of each face out of a picture.

    Args:
        image: (h, w, 3) uint8, BGR; or (h, w), grey.
        faces: the faces in it.
        region: which part of the aligned face.
        size: side of the crops in pixels.

    Returns:
        (n, size, size, 3) uint8, RGB, in the order of ``faces``. What lies outside the picture repeats its border.

    Raises:
        TypeError: ``image`` is no array, or ``faces`` is no list of faces.
        ValueError: ``image`` has another shape or dtype, or ``size`` is below 1.
    """
    image, faces = checked_image(image), checked_faces(faces)
    if size < 1:
        raise ValueError(f"size: expected at least 1 pixel, got {size}")
    crops = np.empty((len(faces), size, size, 3), np.uint8)
    for crop, face in zip(crops, faces, strict=True):
        crop[...] = _warp(image, aligned_square(face.keypoints), region, size)[..., ::-1]
    return crops


def _warp(image: NDArray[np.uint8], square: NDArray[np.float64], region: Region, size: int) -> NDArray[np.uint8]:
    """Warp one crop, (size, size, 3) uint8, in the image's own colour order."""
    return sample(image, square @ to_square(region, (size, size)), (size, size))


def to_square(region: Region, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return the map (3, 3) from pixels of a region's picture, (width, height) in size, to the aligned square, 0..1."""
    # Pixel centres: pixel (i, j) shows the point ((i + 0.5) / width, (j + 0.5) / height) of the region.
    across, down = (region.right - region.left) / size[0], (region.bottom - region.top) / size[1]
    return np.array([[across, 0, region.left + 0.5 * across], [0, down, region.top + 0.5 * down], [0, 0, 1]])


def sample(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int], grey: bool = False
) -> NDArray[np.uint8]:
    """Warp a part of a picture, averaged where it is scaled down, so that nothing flickers as it moves.

    Args:
        image: (h, w, 3) or (h, w) uint8.
        matrix: (2, 3) float64, from pixels of the result to pixels of the image, which has the middle of its first
            pixel at (0.5, 0.5) and the result at (0, 0); a similarity.
        size: (width, height) of the result.
        grey: make grey of a BGR picture, before it is shrunk, which then costs a third.

    Returns:
        (height, width, 3) or (height, width) uint8. What lies outside the picture repeats its border.
    """
    step = hypot(matrix[0, 0], matrix[1, 0])  # image pixels per result pixel
    halvings = max(0, min(ceil(log2(max(step, 1e-9) / 2)), min(image.shape[:2]).bit_length() - 1))
    matrix = matrix.copy()
    if halvings:
        image, left, top = _shrunk(image, matrix, size, halvings, grey)
        matrix[:, 2] -= left, top
        matrix /= 2**halvings
    matrix[:, 2] -= 0.5  # OpenCV puts the centre of the first pixel at 0
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    is_done = warped.ndim == 2 or not grey
    return (warped if is_done else cv2.cvtColor(warped, cv2.COLOR_BGR2GRAY)).astype(np.uint8, copy=False)


def _shrunk(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int], halvings: int, grey: bool
) -> tuple[NDArray[np.uint8], int, int]:
    """Return the part of the picture that a warp needs, halved so many times, and its left and top in the picture.

    Halving by averaging 2x2 pixels is many times faster in OpenCV than any other factor. The blocks lie on a grid that
    is fixed in the picture, so that a face that stands still is averaged alike in each frame.
    """
    block = 2**halvings
    rows, columns = (n // block for n in image.shape[:2])
    (a, b, x), (c, d, y) = matrix.tolist()
    right, down = (a * size[0], b * size[1]), (c * size[0], d * size[1])
    left, last = _blocks(x, right, block, columns)
    top, bottom = _blocks(y, down, block, rows)
    part = image[top * block : bottom * block, left * block : last * block]
    part = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY) if grey else part
    for _ in range(halvings):
        part = cv2.resize(part, (part.shape[1] // 2, part.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return part.astype(np.uint8, copy=False), left * block, top * block


def _blocks(start: float, sides: tuple[float, float], block: int, count: int) -> tuple[int, int]:
    """Return the first block along an axis that a parallelogram from ``start`` on needs, and the one after the last."""
    low = start + min(0.0, sides[0]) + min(0.0, sides[1])
    high = start + max(0.0, sides[0]) + max(0.0, sides[1])
    first = min(max(floor(low / block) - 1, 0), count - 1)
    return first, min(max(ceil(high / block) + 2, first + 1), count)
