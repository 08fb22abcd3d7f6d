"""Variations of a mouth as the pipeline will see it: key points a little off, another light, camera and distance.

The detector's key points move by a few per cent from frame to frame; a network that never saw that in training jitters.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..crop import CROP_SIZE
from .patches import PATCH_SIZE

SHIFT, ROLL, SCALE = 0.035, 5.0, 0.07
"""Standard deviations: shift in crop sides, roll in degrees, scale as a logarithm."""


def plain(patches: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The crops in the middle of the patches, as the pipeline would cut them: (n, 96, 96, 3) to (n, 60, 60, 3)."""
    edge = (PATCH_SIZE - CROP_SIZE) // 2
    return patches[:, edge:-edge, edge:-edge]


def varied(patches: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A variation of each patch.

    Args:
        patches: (n, 96, 96, 3) uint8, RGB.
        rng: the chance; the same seed gives the same variations.

    Returns:
        (n, 60, 60, 3) uint8, RGB.
    """
    return np.stack([_look(_moved(patch, rng), rng) for patch in patches])


def _moved(patch: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Shifted, turned, scaled and perhaps mirrored."""
    middle = (PATCH_SIZE - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), rng.normal(0, ROLL), float(np.exp(rng.normal(0, SCALE))))
    matrix[:, 2] += (CROP_SIZE - 1) / 2 - middle + rng.normal(0, SHIFT * CROP_SIZE, 2)
    crop = cv2.warpAffine(patch, matrix, (CROP_SIZE, CROP_SIZE), borderMode=cv2.BORDER_REPLICATE)
    return (crop[:, ::-1] if rng.random() < 0.5 else crop).astype(np.uint8)


def _look(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """In another sharpness, light and colour."""
    if rng.random() < 0.25:  # a distant face
        small = int(rng.integers(14, CROP_SIZE))
        crop = cv2.resize(cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA), (CROP_SIZE, CROP_SIZE))  # type: ignore[assignment]
    if rng.random() < 0.15:
        crop = cv2.blur(crop, (int(rng.integers(1, 6)), int(rng.integers(1, 4))))  # type: ignore[assignment]
    if rng.random() < 0.2:
        quality = int(rng.integers(20, 80))
        crop = cv2.imdecode(cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)  # type: ignore[assignment]
    light = crop.astype(np.float32)
    if rng.random() < 0.15:
        light = np.repeat(light.mean(axis=2, keepdims=True), 3, axis=2)
    gain = float(np.exp(rng.normal(0, 0.25))) * np.exp(rng.normal(0, 0.06, 3))
    light = (light - 128) * float(np.exp(rng.normal(0, 0.15))) + 128
    light = light * gain + rng.normal(0, rng.uniform(0, 7), light.shape)
    return np.clip(light, 0, 255).astype(np.uint8)
