"""Occlusions of a mouth, and crops without one: they teach the network to give a low reliability.

Hands, microphones, cups are drawn as shapes and filled with skin, plain colour or a piece of another picture. A mouth
that is mostly covered has no openness.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..crop import CROP_SIZE

MOUTH_BOX = (14, 24, 46, 50)
"""Where the mouth is in a crop: left, top, right, bottom in pixels (its centre is at about (0.5, 0.61))."""


def cover(
    crop: NDArray[np.uint8], other: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], np.float32]:
    """Lay something over a crop.

    Args:
        crop: (60, 60, 3) uint8, RGB.
        other: (h, w, 3) uint8, RGB, another picture, h and w at least 60: perhaps its surface is used.
        rng: the random generator.

    Returns:
        The crop, and the share of its mouth that is covered now, 0..1.
    """
    mask = _shape(rng)
    soft = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.4, 1.5)))[:, :, None]
    mixed = crop * (1 - soft) + _surface(crop, other, rng) * soft
    left, top, right, bottom = MOUTH_BOX
    share = np.float32(np.mean(mask[top:bottom, left:right]))
    return np.clip(mixed, 0, 255).astype(np.uint8), share


def _shape(rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw where the thing is, (60, 60) float32: fingers, a ball or a cup from below, or a slanted edge."""
    mask = np.zeros((CROP_SIZE, CROP_SIZE), np.float32)
    kind = rng.random()
    if kind < 0.45:  # fingers or a stick: bars side by side from the edge
        count, width = int(rng.integers(1, 6)), int(rng.integers(5, 13))
        angle = rng.uniform(0, 2 * np.pi)
        along = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-along[1], along[0]])
        tip = np.array([30.0, 36.0]) + rng.normal(0, 12, 2)
        for k in range(count):
            end = tip + across * width * 1.05 * (k - (count - 1) / 2) + along * rng.normal(0, 4)
            start = end - along * 80
            cv2.line(mask, np.round(start).astype(int).tolist(), np.round(end).astype(int).tolist(), (1.0,), width)
    elif kind < 0.8:  # a ball, a fist, a cup
        centre = np.array([30.0, 40.0]) + rng.normal(0, 14, 2)
        axes = rng.uniform(6, 28, 2)
        cv2.ellipse(mask, (centre.tolist(), (2 * axes).tolist(), float(rng.uniform(0, 180))), (1.0,), -1)
    else:  # a scarf, a receiver, a sheet: everything beyond a line
        normal = rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[:CROP_SIZE, :CROP_SIZE].astype(np.float32)
        beyond = (x - 30) * np.cos(normal) + (y - 36) * np.sin(normal) > rng.uniform(-15, 22)
        mask[beyond] = 1
    return mask


def _surface(crop: NDArray[np.uint8], other: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a surface, (60, 60, 3) or (1, 1, 3) float32: the person's skin, a shaded colour, or the other picture."""
    kind = rng.random()
    if kind < 0.4:
        colour = np.median(crop[4:24].reshape(-1, 3), axis=0) * rng.uniform(0.7, 1.25) + rng.normal(0, 8, 3)
    elif kind < 0.65:
        colour = rng.uniform(0, 255, 3)
    else:
        top, left = (int(rng.random() * (len(side) - CROP_SIZE + 1)) for side in (other, other[0]))
        piece: NDArray[Any] = np.rot90(other[top : top + CROP_SIZE, left : left + CROP_SIZE], int(rng.integers(1, 4)))
        return piece.astype(np.float32)
    shade = cv2.resize(
        rng.normal(0, 12, (5, 5)).astype(np.float32), (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_CUBIC
    )
    return colour.astype(np.float32) + shade[:, :, None]


def no_mouth(patch: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Make a crop without a mouth: the wrong part of a face, a face lying or upside down, or noise.

    Args:
        patch: (96, 96, 3) uint8, RGB, a mouth with room around it.
        rng: the random generator.

    Returns:
        (60, 60, 3) uint8, RGB.
    """
    kind = rng.random()
    size = (CROP_SIZE, CROP_SIZE)
    edge = (len(patch) - CROP_SIZE) // 2
    crop: NDArray[Any]
    if kind < 0.3:
        crop = np.rot90(patch[edge:-edge, edge:-edge], int(rng.integers(1, 4)))
    elif kind < 0.6:  # a corner, closer or not
        side = len(patch) // 2 if rng.random() < 0.5 else CROP_SIZE
        top, left = rng.integers(0, 2, 2) * (len(patch) - side)
        crop = cv2.resize(np.ascontiguousarray(patch[top : top + side, left : left + side]), size)
    elif kind < 0.8:
        grain = int(rng.integers(2, CROP_SIZE))
        noise = rng.normal(rng.uniform(30, 220), 50, (grain, grain, 3)).astype(np.float32)
        crop = np.clip(cv2.resize(noise, size), 0, 255).astype(np.uint8)
    else:
        crop = cv2.resize(patch, size)[::-1]
    return np.ascontiguousarray(crop, np.uint8)
