"""Variations of a mouth as the pipeline will see it: key points a little off, another light, camera and distance.

The detector's key points move by a few per cent from frame to frame; a network that never saw that in training jitters.
The order is that of a camera: the mouth is turned and covered, the lens blurs, light and colour fall on the sensor with
its noise, the picture is compressed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..crop import CROP_SIZE
from .occlusion import cover
from .patches import PATCH_SIZE

SHIFT, ROLL, SCALE = 0.03, 5.0, 0.07
"""Standard deviations: shift in crop sides, roll in degrees, scale as a logarithm."""

GENTLY = 0.6  # of these: the key points that the patches were cut by are the detector's own, a little off already

COLOURED = 0.1  # share of the variations whose light varies that are lit by coloured lamps


@dataclass(frozen=True, slots=True, eq=False)
class Variations:
    """Variations of n patches.

    Attributes:
        crops: (n, 60, 60, 3) uint8, RGB.
        matrices: (n, 2, 3) float32, from points of a patch (x, y, 1) to points of its crop, both in pixels, pixel
            centres at whole numbers.
        mirrored: (n,) bool, left and right exchanged (``matrices`` do it already).
        covered: (n,) float32, share of the mouth that something was laid over, 0..1.
    """

    crops: NDArray[np.uint8]
    matrices: NDArray[np.float32]
    mirrored: NDArray[np.bool_]
    covered: NDArray[np.float32]


def plain(patches: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Crop the middle of the patches, as the pipeline would cut them: (n, 96, 96, 3) to (n, 60, 60, 3)."""
    edge = (PATCH_SIZE - CROP_SIZE) // 2
    return patches[:, edge:-edge, edge:-edge]


def vary(
    patches: NDArray[np.uint8] | Sequence[NDArray[np.uint8]],
    rng: np.random.Generator,
    occlusion: float = 0.0,
    calm: float = 0.0,
) -> Variations:
    """Make a variation of each patch, and record how it was made.

    Args:
        patches: n of (96, 96, 3) uint8, RGB.
        rng: the random generator; the same seed gives the same variations.
        occlusion: share of the crops over which something is laid.
        calm: share of the crops whose sharpness, light and colour stay as they are.
    """
    n = len(patches)
    crops = np.empty((n, CROP_SIZE, CROP_SIZE, 3), np.uint8)
    matrices = np.empty((n, 2, 3), np.float32)
    mirrored = rng.random(n) < 0.5
    covered = np.zeros(n, np.float32)
    for i in range(n):
        matrices[i] = _move(bool(mirrored[i]), rng)
        crop = _warped(patches[i], matrices[i], rng)
        if rng.random() < occlusion:
            crop, covered[i] = cover(crop, patches[int(rng.integers(n))], rng)
        crops[i] = crop if rng.random() < calm else _look(crop, rng)
    return Variations(crops, matrices, mirrored, covered)


def vary_gently(patches: Sequence[NDArray[np.uint8]], rng: np.random.Generator) -> Variations:
    """Make a variation of each patch that hardly differs from what the pipeline would cut; cover nothing.

    Args:
        patches: n of (96, 96, 3) uint8, RGB.
        rng: the random generator; the same seed gives the same variations.
    """
    n = len(patches)
    mirrored = rng.random(n) < 0.5
    matrices = np.stack([_move(bool(mirror), rng, GENTLY) for mirror in mirrored])
    crops = [_warped(patch, matrix, rng) for patch, matrix in zip(patches, matrices, strict=True)]
    crops = [_shaded(crop, rng) if rng.random() < 0.5 else crop for crop in crops]
    return Variations(np.stack(crops), matrices, mirrored, np.zeros(n, np.float32))


def varied(patches: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Make a variation of each patch; cover nothing.

    Args:
        patches: (n, 96, 96, 3) uint8, RGB.
        rng: the random generator; the same seed gives the same variations.

    Returns:
        (n, 60, 60, 3) uint8, RGB.
    """
    return vary(patches, rng).crops


def _move(mirror: bool, rng: np.random.Generator, much: float = 1.0) -> NDArray[np.float32]:
    """Draw the map from patch to crop: shifted, turned, scaled and perhaps mirrored."""
    middle = (PATCH_SIZE - 1) / 2
    roll, scale = rng.normal(0, much * ROLL), float(np.exp(rng.normal(0, much * SCALE)))
    matrix = cv2.getRotationMatrix2D((middle, middle), roll, scale)
    matrix[:, 2] += (CROP_SIZE - 1) / 2 - middle + rng.normal(0, much * SHIFT * CROP_SIZE, 2)
    if mirror:
        matrix[0] *= -1
        matrix[0, 2] += CROP_SIZE - 1
    return matrix.astype(np.float32)


def _warped(patch: NDArray[np.uint8], matrix: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut the crop of the matrix, more or less sharp."""
    way = cv2.INTER_CUBIC if rng.random() < 0.7 else cv2.INTER_LINEAR
    crop = cv2.warpAffine(patch, matrix, (CROP_SIZE, CROP_SIZE), flags=way, borderMode=cv2.BORDER_REPLICATE)
    return crop.astype(np.uint8, copy=False)


def _look(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Vary sharpness, light, colour and compression."""
    crop = _lit(_softened(crop, rng), rng)
    if rng.random() < 0.25:
        crop = _compressed(crop, rng)
    return crop


def _softened(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blur as of a distant face, out of focus, or moving; mostly not at all."""
    if rng.random() < 0.3:  # a distant face
        small = int(rng.integers(14, CROP_SIZE))
        fewer = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
        way = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR
        crop = cv2.resize(fewer, (CROP_SIZE, CROP_SIZE), interpolation=way).astype(np.uint8, copy=False)
    chance = rng.random()
    if chance < 0.1:
        crop = cv2.GaussianBlur(crop, (0, 0), float(rng.uniform(0.4, 2.0))).astype(np.uint8, copy=False)
    elif chance < 0.2:
        crop = cv2.filter2D(crop, -1, _streak(rng)).astype(np.uint8, copy=False)
    elif chance < 0.25:  # a camera's own sharpening
        soft = cv2.GaussianBlur(crop, (0, 0), 1.0)
        more = float(rng.uniform(0.3, 1.2))
        crop = cv2.addWeighted(crop, 1 + more, soft, -more, 0).astype(np.uint8, copy=False)
    return crop


def _streak(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the kernel of a movement: a line of 2 to 7 pixels in any direction."""
    kernel = np.zeros((9, 9), np.float32)
    half, angle = rng.uniform(1, 3.5), rng.uniform(0, np.pi)
    step = np.array([np.cos(angle), np.sin(angle)]) * half
    first, last = np.round((4 - step) * 16).astype(int), np.round((4 + step) * 16).astype(int)
    cv2.line(kernel, first.tolist(), last.tolist(), (1.0,), 1, cv2.LINE_8, 4)
    return kernel / kernel.sum()


def _lit(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Vary contrast, brightness, colour cast, light from one side and noise; make some grey."""
    light = crop.astype(np.float32)
    if rng.random() < 0.15:
        light = np.repeat(light.mean(axis=2, keepdims=True), 3, axis=2)
    dark = rng.random() < 0.12
    gain = np.exp(rng.normal(-1.0 if dark else 0, 0.25) + rng.normal(0, 0.08, 3)) * _lamp(rng)
    contrast = float(np.exp(rng.normal(0, 0.2)))
    light = (light - 128) * contrast + 128
    if rng.random() < 0.2:
        ramp = np.linspace(-1, 1, CROP_SIZE, dtype=np.float32) * float(rng.normal(0, 0.35))
        light *= 1 + (ramp[None, :, None] if rng.random() < 0.5 else ramp[:, None, None])
    light *= gain.astype(np.float32)
    if rng.random() < 0.3:
        light = 255 * (np.clip(light, 0, 255) / 255) ** np.float32(np.exp(rng.normal(0, 0.25)))
    if rng.random() < 0.6:
        noise = rng.standard_normal(light.shape, np.float32)
        if rng.random() < 0.3:  # as it comes out of a camera that scales or smooths
            noise = 2 * cv2.GaussianBlur(noise, (0, 0), 0.8).astype(np.float32, copy=False)
        light = light + noise * np.float32(rng.uniform(0, 12 if dark else 7))
    return np.clip(light, 0, 255).astype(np.uint8)


def _shaded(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Vary contrast, light and colour a little; make some grey."""
    light = crop.astype(np.float32)
    if rng.random() < 0.2:
        light = np.repeat(light.mean(axis=2, keepdims=True), 3, axis=2)
    gain = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.04, 3)) * _lamp(rng)
    contrast = np.float32(np.exp(rng.normal(0, 0.1)))
    return np.clip(((light - 128) * contrast + 128) * gain.astype(np.float32), 0, 255).astype(np.uint8)


def _lamp(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the share of red, green and blue in the light, (3,): mostly all, sometimes that of a coloured lamp."""
    if rng.random() >= COLOURED:
        return np.ones(3)
    hue = rng.uniform(0, 6) - np.array([0, 2, 4])
    pure = np.clip(2 - np.minimum(np.abs(hue), 6 - np.abs(hue)), 0, 1)
    return 1 - rng.uniform(0.2, 0.98) * (1 - pure)


def _compressed(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Compress as JPEG and video do, at the crop's own size or at that of a small face."""
    size = int(rng.integers(24, CROP_SIZE)) if rng.random() < 0.4 else CROP_SIZE
    small = crop if size == CROP_SIZE else cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    quality = int(rng.integers(15, 80))
    code = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    back = cv2.imdecode(code, cv2.IMREAD_COLOR)
    if back is None:
        return crop
    back = back if size == CROP_SIZE else cv2.resize(back, (CROP_SIZE, CROP_SIZE))
    return back.astype(np.uint8, copy=False)
