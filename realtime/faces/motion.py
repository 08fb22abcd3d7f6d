"""Find how a face moved since it was last detected: its eyes and nose, found again by optical flow.

Source: Lucas and Kanade 1981, "An Iterative Image Registration Technique with an Application to Stereo Vision", in
pyramids as Bouguet 2000 (OpenCV's ``calcOpticalFlowPyrLK``); the similarity is fitted by iteratively reweighted least
squares with Cauchy's weights.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.crop import Region, aligned_square, sample, to_square

PATCH = (64, 48)  # (width, height) in pixels of the patch in which the motion is measured ...
UPPER_FACE = Region(
    0.2, 0.25, 0.8, 0.7
)  # ... and what it shows of the aligned face: not the jaw, which moves by itself
WINDOW, LEVELS = 11, 2  # flow: pixels a side of what is compared, and how often the patch is halved
STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.02)
ROUNDS = 4  # of reweighting
SPREAD = 0.3  # patch pixels by which a point may stray from the common motion before it counts for little
STRAY = 1.2  # patch pixels from which on a point does not follow the common motion at all
MIN_FOLLOWING = 0.6  # share of the points that must follow it
LEAST_WEIGHT = 1e-6  # of all points together
MOST_SCALING = 1.25  # from one frame to the next
_ACROSS, _DOWN = np.linspace(8, 56, 7, dtype=np.float32), np.linspace(6, 42, 5, dtype=np.float32)
POINTS = np.stack(np.meshgrid(_ACROSS, _DOWN), axis=-1).reshape(-1, 1, 2)
_Z = (POINTS[:, 0, 0] + 1j * POINTS[:, 0, 1]).astype(np.complex128)
_ONE, _Z_CONJUGATE, _Z_SQUARED = np.ones_like(_Z), _Z.conj(), _Z * _Z.conj()
_TO_FACE = to_square(UPPER_FACE, PATCH)


@dataclass(frozen=True, slots=True)
class Motion:
    """A similarity of the picture's plane: a point x + iy in pixels goes to ``factor * (x + iy) + shift``."""

    factor: complex
    shift: complex

    def moved(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the (n, 2) points after the motion."""
        a, b, x, y = self.factor.real, self.factor.imag, self.shift.real, self.shift.imag
        turned = points.astype(np.float64).dot(np.array([[a, b], [-b, a]]))
        turned += x, y
        return turned.astype(np.float32)


def upper_face(image: NDArray[np.uint8], keypoints: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Cut out a face's eyes and nose.

    Args:
        image: (h, w, 3) uint8, BGR.
        keypoints: (6, 2) float32, the face's in it, in pixels.

    Returns:
        (48, 64) uint8, grey.
    """
    return _grey(image, _patch_matrix(keypoints))


def motion(seen: NDArray[np.uint8], image: NDArray[np.uint8], keypoints: NDArray[np.float32]) -> Motion | None:
    """Measure the motion of a face since the frame before.

    Args:
        seen: the face's :func:`upper_face` when it was last detected.
        image: the new frame, (h, w, 3) uint8 BGR.
        keypoints: (6, 2) float32, the face's in the frame before, moved there since its last detection by this
            function alone.

    Returns:
        The motion in the picture's plane; None where the points do not move as one, for the face turned, was covered
        or is gone.
    """
    matrix = _patch_matrix(keypoints)
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        seen,
        _grey(image, matrix),
        POINTS,
        np.empty_like(POINTS),
        winSize=(WINDOW, WINDOW),
        maxLevel=LEVELS,
        criteria=STOP,
    )
    fitted = _similarity(found.reshape(-1, 2).astype(np.float64).view(np.complex128)[:, 0], status[:, 0] == 1)
    if fitted is None:
        return None
    factor, shift = fitted
    # From the patch's pixels to the picture's, where the patch lies at m z + c.
    m, c = complex(matrix[0, 0], matrix[1, 0]), complex(matrix[0, 2], matrix[1, 2])
    return Motion(factor, m * shift + c - factor * c)


def _similarity(w: NDArray[np.complex128], ok: NDArray[np.bool_]) -> tuple[complex, complex] | None:
    """Return (factor, shift) of the common motion of the patch's points to ``w``; None where there is none."""
    weights = ok.astype(np.float64)
    factor, shift, strays = 1 + 0j, 0j, np.zeros(len(w))
    products = np.stack([_ONE, _Z, _Z_SQUARED, w, _Z_CONJUGATE * w], axis=1).view(np.float64)
    for _ in range(ROUNDS):
        total, z, z_squared, v, covariance = weights.dot(products).view(np.complex128).tolist()
        if total.real < LEAST_WEIGHT:
            return None
        z0, w0 = z / total, v / total
        spread = max(z_squared.real - total.real * abs(z0) ** 2, 1e-9)
        factor = (covariance - total * z0.conjugate() * w0) / spread
        shift = w0 - factor * z0
        strays = np.abs(w - factor * _Z - shift)
        weights = ok / (1 + (strays / SPREAD) ** 2)
    together = np.count_nonzero(ok & (strays < STRAY)) / len(w)
    if together < MIN_FOLLOWING or not 1 / MOST_SCALING < abs(factor) < MOST_SCALING:
        return None
    return factor, shift


def _patch_matrix(keypoints: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the affine map (2, 3) from the patch's pixels to the picture's."""
    return aligned_square(keypoints).dot(_TO_FACE)


def _grey(image: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    return sample(image, matrix, PATCH, grey=True)
