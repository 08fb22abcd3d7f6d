"""Variations of the crops that the face check learns from: light, sharpness, noise, and things before the face."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..face_check import CHECK_SIZE

AT_ONCE = 32  # crops whose light is varied at a time: they stay in the cache


def varied(crops: NDArray[np.uint8], rng: np.random.Generator, cover: bool) -> NDArray[np.uint8]:
    """Vary each crop in place, light, sharpness and colour; mirror some, and hide a part of some faces.

    Args:
        crops: (n, 48, 48, 3) uint8 RGB.
        rng: the random generator.
        cover: whether they are faces, which a mask, a hand or a microphone may hide in part.

    Returns:
        (n, 48, 48, 3) uint8 RGB.
    """
    results = np.empty_like(crops)
    for target, crop in zip(results, crops, strict=True):
        x = _moved(crop[:, ::-1] if rng.random() < 0.5 else crop, rng)
        if cover:
            _cover(x, rng)
        if rng.random() < 0.1:
            _shade(x, rng)
        if rng.random() < 0.3:
            small = int(rng.integers(10, CHECK_SIZE))
            fewer = cv2.resize(x, (small, small), interpolation=cv2.INTER_AREA)
            x = cv2.resize(fewer, (CHECK_SIZE, CHECK_SIZE)).astype(np.uint8, copy=False)
        target[:] = x
    for start in range(0, len(results), AT_ONCE):
        part = results[start : start + AT_ONCE]
        part[:] = _in_other_light(part, rng)
    return results


def _moved(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Zoom, tilt and move a crop a little: the key points of a face with much hair or a hat are less exact."""
    middle = (CHECK_SIZE - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), rng.normal(0, 4), float(np.exp(rng.normal(-0.05, 0.12))))
    matrix[:, 2] += rng.normal(0, 0.03 * CHECK_SIZE, 2)
    moved = cv2.warpAffine(
        np.ascontiguousarray(crop), matrix, (CHECK_SIZE, CHECK_SIZE), borderMode=cv2.BORDER_REPLICATE
    )
    return moved.astype(np.uint8, copy=False)


def _in_other_light(crops: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Brighten or darken and tint each crop, make some grey, and add noise; 0..255."""
    each = (len(crops), 1, 1, 1)
    factors = rng.uniform(0.35, 1.5, each) * rng.uniform(0.85, 1.15, (len(crops), 1, 1, 3))
    light = crops * factors.astype(np.float32) + rng.uniform(-25, 25, each).astype(np.float32)
    grey = rng.random(len(crops)) < 0.2
    light[grey] = light[grey].mean(axis=3, keepdims=True)
    noise = rng.standard_normal(crops.shape, np.float32)
    noise *= rng.uniform(0, 8, each).astype(np.float32)
    light += noise
    return np.clip(light, 0, 255, out=light)


def _cover(crop: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Draw a mask, or a thing before the lower half, on some faces."""
    if rng.random() < 0.15:
        _mask(crop, rng)
    if rng.random() < 0.3:
        centre = (int(rng.integers(12, 36)), int(rng.integers(26, 48)))
        axes = (int(rng.integers(3, 11)), int(rng.integers(3, 9)))
        cv2.ellipse(
            crop, centre, axes, float(rng.uniform(0, 180)), 0, 360, [int(c) for c in rng.integers(0, 256, 3)], -1
        )


def _shade(crop: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Darken a crop on one side of a line through it, as light from the other side does."""
    angle, edge, soft = rng.uniform(0, 2 * np.pi), rng.uniform(-0.2, 0.25), rng.uniform(0.05, 0.4)
    down, across = np.mgrid[:CHECK_SIZE, :CHECK_SIZE] / CHECK_SIZE - 0.5
    lit = np.clip((across * np.cos(angle) + down * np.sin(angle) + edge) / soft + 0.5, rng.uniform(0.02, 0.4), 1)
    crop[:] = crop * lit[..., None]


def _mask(crop: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Draw a surgical mask: a plain or pleated shape from the nose over mouth and chin."""
    top, bottom, middle = rng.uniform(24, 31), rng.uniform(41, 48), CHECK_SIZE / 2 + rng.normal(0, 2)
    half, narrow = rng.uniform(9, 15), rng.uniform(0.4, 0.9)
    outline = [
        (middle - half, top + rng.uniform(0, 4)),
        (middle, top),
        (middle + half, top + rng.uniform(0, 4)),
        (middle + narrow * half, bottom),
        (middle - narrow * half, bottom),
    ]
    colour = rng.choice([rng.uniform(190, 255), rng.uniform(10, 60), rng.uniform(90, 190)]) + rng.normal(0, 25, 3)
    colours = [int(c) for c in np.clip(colour, 0, 255)]
    cv2.fillPoly(crop, [np.array(outline).round().astype(np.int32)], colours, cv2.LINE_AA)
    if rng.random() < 0.5:  # pleats
        for y in np.arange(top + 4, bottom - 2, 4):
            ends = [(int(middle + side * half * 0.7), int(y)) for side in (-1, 1)]
            cv2.line(crop, ends[0], ends[1], [int(c * 0.85) for c in colours], 1, cv2.LINE_AA)
