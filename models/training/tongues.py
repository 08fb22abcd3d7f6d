"""Tongues put out: rare among labelled faces, and without them a network takes a tongue for the lower lip.

A tongue is drawn over the open mouth of a real face. It hides the lower lip and is no part of the opening's size: the
label, which is the gap between the lips, stays.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .lip_points import INNER_LIPS, OUTER_LIPS, OUTLINES

OPEN_FROM = 0.4
"""Openness from which on a tongue fits between the lips."""

FILLING = 0.65  # share of the tongues that fill the mouth, so that no dark is seen around them

_SHARP = 4  # drawn so many times larger, then averaged
_INNER = len(OUTER_LIPS)  # the inner lips' first point
_RIGHT, _LEFT = _INNER + INNER_LIPS.index(78), _INNER + INNER_LIPS.index(308)
_UPPER, _LOWER = _INNER + INNER_LIPS.index(13), _INNER + INNER_LIPS.index(14)
_UPPER_EDGE = [_RIGHT, *(_INNER + INNER_LIPS.index(k) for k in (191, 80, 81, 82, 13, 312, 311, 310, 415)), _LEFT]
_GREY = 4  # grey values by which the colours of a grey picture's skin may differ

Plane = NDArray[np.float32]
"""(h, w) float32."""


@dataclass(frozen=True, slots=True, eq=False)
class _Tongue:
    """Where a tongue lies, in pixels.

    Attributes:
        root: (2,) the middle of its visible beginning.
        across: (2,) about 1 long, towards the person's left.
        down: (2,) about 1 long, towards the tip.
        half: its half width.
        length: from root to tip.
        mouth: the mouth's width.
    """

    root: NDArray[np.float64]
    across: NDArray[np.float64]
    down: NDArray[np.float64]
    half: float
    length: float
    mouth: float


def put_out(patch: NDArray[np.uint8], points: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a tongue that is put out.

    Args:
        patch: (h, w, 3) uint8, RGB, a face with an open mouth.
        points: (48, 2) float32, its landmarks in pixels of the patch, in the order of :data:`lip_points.POINTS`.
        rng: the random generator.

    Returns:
        (h, w, 3) uint8, RGB.
    """
    shape = patch.shape[:2]
    tongue = _placed(points, rng)
    mask = _filled(_outline(tongue, rng), shape) * _below_upper_lip(points, shape)
    mask = _soft(mask, rng.uniform(0.4, 0.8))[:, :, None]
    shadow = _soft(np.roll(mask[:, :, 0], 2, axis=0), 1.5)[:, :, None] * rng.uniform(0, 0.5)
    surface = _colour(patch, points, rng) * _light(tongue, shape, rng)[:, :, None]
    picture = patch * (1 - shadow * (1 - mask)) * (1 - mask) + surface * mask
    return np.clip(picture, 0, 255).astype(np.uint8)


def _placed(points: NDArray[np.float32], rng: np.random.Generator) -> _Tongue:
    """Place a tongue between the lips, more or less straight, far out or hardly at all."""
    side = (points[_LEFT] - points[_RIGHT]).astype(np.float64)
    mouth = max(float(np.linalg.norm(side)), 1.0)
    side /= mouth
    straight = np.array([-side[1], side[0]])
    across, down = side + straight * rng.normal(0, 0.12), straight + side * rng.normal(0, 0.25)
    gap = float((points[_LOWER] - points[_UPPER]) @ down)
    if rng.random() < FILLING:
        start, half = rng.uniform(-0.1, 0.3), rng.uniform(0.4, 0.6)
    else:
        start, half = rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.45)
    root = points[_UPPER] + down * gap * start + across * mouth * rng.normal(0, 0.06)
    beyond = rng.uniform(-0.05, 0.15) if rng.random() < 0.5 else rng.uniform(0.05, 0.8)
    return _Tongue(root, across, down, half * mouth, max(gap * (1 - start) + mouth * beyond, 2.0), mouth)


def _outline(tongue: _Tongue, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the outline, (n, 2): from the root down to a tip that is more or less round."""
    square, taper, bend = rng.uniform(2.0, 4.0), rng.uniform(-0.1, 0.3), rng.normal(0, 0.15)
    angle = np.linspace(0, np.pi, 25)
    x, y = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / square), np.sin(angle) ** (2 / square)
    x = x * (1 - taper * y) + bend * y**2
    return tongue.root + np.outer(x * tongue.half, tongue.across) + np.outer(y * tongue.length, tongue.down)


def _filled(outline: NDArray[np.floating], shape: tuple[int, ...]) -> Plane:
    """Fill an outline: 1 inside, 0 outside, between on the edge."""
    big = np.zeros((shape[0] * _SHARP, shape[1] * _SHARP), np.uint8)
    cv2.fillPoly(big, [np.round((outline + 0.5) * _SHARP - 0.5).astype(np.int32)], (255,))
    small = cv2.resize(big, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / np.float32(255)


def _below_upper_lip(points: NDArray[np.float32], shape: tuple[int, ...]) -> Plane:
    """Return 1 below the upper lip's edge: a tongue comes out under it."""
    edge = points[_UPPER_EDGE]
    gap = points[_LOWER] - points[_UPPER]
    far = gap * np.float32(1000 / max(1.0, float(np.linalg.norm(gap))))
    return _filled(np.concatenate([edge, edge[::-1] + far]), shape)


def _soft(plane: Plane, sigma: float) -> Plane:
    return cv2.GaussianBlur(plane, (0, 0), sigma).astype(np.float32, copy=False)


def _light(tongue: _Tongue, shape: tuple[int, ...], rng: np.random.Generator) -> Plane:
    """Return the light, about 1: darker in the mouth and towards the sides, a groove along the middle, uneven."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    x, y = x - tongue.root[0], y - tongue.root[1]
    along = (x * tongue.down[0] + y * tongue.down[1]) / tongue.length
    aside = (x * tongue.across[0] + y * tongue.across[1]) / tongue.mouth
    light = 1 - rng.uniform(0, 0.6) * np.exp(-np.clip(along, 0, None) / rng.uniform(0.05, 0.3))
    light *= 1 - rng.uniform(-0.1, 0.2) * np.exp(-((aside / rng.uniform(0.03, 0.1)) ** 2))
    light *= 1 - rng.uniform(0, 0.8) * np.clip(np.abs(aside), 0, 0.5) ** 1.5
    uneven = cv2.resize(rng.normal(0, 0.06, (12, 12)).astype(np.float32), (shape[1], shape[0]))
    return (light + uneven).astype(np.float32)


def _colour(patch: NDArray[np.uint8], points: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the colour, (3,), as the picture's light would make it: between the lips' and the skin's, and pink."""
    lips = np.zeros(patch.shape[:2], np.uint8)
    cv2.fillPoly(lips, [np.round(points[OUTLINES[0]]).astype(np.int32)], (1,))
    skin = np.median(patch[8:40].reshape(-1, 3), axis=0)
    lip = np.median(patch[lips > 0], axis=0) if lips.any() else skin
    share = rng.uniform(0.2, 1)
    colour = share * lip + (1 - share) * skin
    if np.ptp(skin) >= _GREY:
        colour = 0.7 * colour + 0.3 * colour.mean() * np.array([1.25, 0.85, 0.9])
    return colour * rng.uniform(0.85, 1.4)
