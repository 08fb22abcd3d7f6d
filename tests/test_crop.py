"""The crop, against a warp computed another way, at every roll."""

import numpy as np
import pytest

from mouth_live.models import Face, crop_faces

KEYPOINTS = np.array([[-40, -30], [40, -32], [2, 10], [1, 45], [-80, -20], [80, -22]], np.float32)


def face(keypoints):
    low, high = keypoints.min(axis=0), keypoints.max(axis=0)
    return Face((*low, *(high - low)), keypoints.astype(np.float32), 0.9)


def smooth_picture(x, y):
    """Colour at a point, defined everywhere, so that it can be drawn or sampled exactly."""
    return np.stack([128 + 100 * np.sin(x / 31 + c) * np.cos(y / (23 + 5 * c)) for c in range(3)], axis=-1)


def sample_points(keypoints, size=60):
    """CROP.md's formula, written out anew with complex numbers: (size, size) points x + iy."""
    e0, e1, m = (complex(*keypoints[i]) for i in (0, 1, 3))
    eye, v = (e0 + e1) / 2, e1 - e0
    d = m - eye
    x = v - 1j * d  # rot(a, b) = (-b, a) is a multiplication by i
    x = x / abs(x) * max(2 * abs(v), 1.8 * abs(d))
    y, c = 1j * x, eye + 0.1 * d
    s = (80 + 96 * (np.arange(size) + 0.5) / size) / 256
    t = (128 + 96 * (np.arange(size) + 0.5) / size) / 256
    return c + (2 * s[None, :] - 1) * x + (2 * t[:, None] - 1) * y


def turned(keypoints, degrees, centre, scale=1.0):
    a = np.deg2rad(degrees)
    return keypoints @ (scale * np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])) + centre


@pytest.mark.parametrize("degrees", range(0, 360, 15))
def test_matches_an_independent_warp_at_every_roll(degrees):
    points = turned(KEYPOINTS, degrees, (320, 240))
    yy, xx = np.mgrid[:480, :640] + 0.5  # the colour of a pixel is that of its middle
    image = np.round(smooth_picture(xx, yy)).astype(np.uint8)
    crop = crop_faces(image, [face(points)])[0].astype(float)
    where = sample_points(points)
    expected = smooth_picture(where.real, where.imag)[..., ::-1]  # RGB
    assert np.abs(crop - expected).max() < 3


@pytest.mark.parametrize("degrees", range(0, 360, 15))
def test_the_crop_does_not_change_with_roll(degrees):
    def drawn(points):
        e = (points[0] + points[1]) / 2
        along = (points[1] - points[0]) / np.linalg.norm(points[1] - points[0])
        yy, xx = np.mgrid[:480, :640] + 0.5
        dx, dy = xx - e[0], yy - e[1]
        return np.round(smooth_picture(dx * along[0] + dy * along[1], -dx * along[1] + dy * along[0])).astype(np.uint8)

    upright, rolled = turned(KEYPOINTS, 0, (320, 240)), turned(KEYPOINTS, degrees, (320, 240))
    a = crop_faces(drawn(upright), [face(upright)])[0].astype(float)
    b = crop_faces(drawn(rolled), [face(rolled)])[0].astype(float)
    assert np.abs(a - b).max() < 4


def test_scaling_far_down_averages_instead_of_aliasing():
    # Fine stripes, far finer than a crop pixel, must come out as their mean, whatever their phase.
    image = np.zeros((2160, 3840, 3), np.uint8)
    image[:, ::2] = 255
    points = turned(KEYPOINTS, 7, (1900, 1000), scale=9)
    crop = crop_faces(image, [face(points)])[0].astype(float)
    assert np.abs(crop - 127.5).max() < 25
    shifted = crop_faces(np.roll(image, 1, axis=1), [face(points)])[0].astype(float)
    assert np.abs(crop - shifted).mean() < 4


def test_repeats_the_border_outside_the_picture():
    image = np.full((100, 100, 3), (10, 20, 30), np.uint8)
    crop = crop_faces(image, [face(turned(KEYPOINTS, 0, (50, 90)))])[0]
    assert np.unique(crop.reshape(-1, 3), axis=0).tolist() == [[30, 20, 10]]


def test_no_faces_give_no_crops():
    crops = crop_faces(np.zeros((50, 50, 3), np.uint8), [])
    assert crops.shape == (0, 60, 60, 3)
    assert crops.dtype == np.uint8


def test_never_sorts_the_eyes():
    # Upside down, the person's right eye is on the right of the picture; the crop turns with it.
    points = turned(KEYPOINTS, 180, (320, 240))
    image = np.zeros((480, 640, 3), np.uint8)
    image[:240] = 255  # above the eyes in the picture is below them for the person
    crop = crop_faces(image, [face(points)])[0]
    assert crop[30:].mean() > 250
