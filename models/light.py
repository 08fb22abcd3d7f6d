"""Correct pictures in coloured and in little light, as input for the networks.

Face detectors learn from skin in white or warm light, where red is its strongest channel. In a room lit by coloured
LEDs red may be the weakest, and they detect no face. So the channels that skin must have are filled up from the
strongest one, as far as the picture as a whole lacks them. To multiply them instead, as a white balance does, would
amplify the noise and blocks of a channel that is almost black. Light of a single colour gives a grey picture, in which
faces are detected as well.

No face is detected either in a picture of which even the bright parts are almost black. So it is brightened. A lit face
before a black wall is not such a picture.

Other pictures stay as they are. The crops for the face check and the openness network are corrected the same way.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST: Sequence[float] = (1.0, 0.6, 0.6)
"""Least mean of red, green and blue, as a share of the strongest channel's; of blue, only where that is not red."""

RED, BLUE = 0, 2

LITTLE, MUCH = 0.1, 0.3
"""Up to the first a missing share is not filled, as lawns and walls have it; from the second on all of it is."""

BRIGHT = 50.0
"""Grey value of the bright parts (two standard deviations above the mean) up to which a dark picture is lifted ..."""

MOST = 6.0  # ... by this factor, at most


def well_lit(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill the channels that coloured light left dark, and brighten a picture that is almost black.

    Args:
        picture: (h, w, 3) uint8, RGB.

    Returns:
        The same kind of picture; the very one where nothing is missing.
    """
    means = cv2.mean(picture)[:3]
    strongest = means.index(max(means))
    fill, lift = _fill(means, strongest), _lift(picture, means[strongest], strongest)
    if lift == 1 and not any(fill):
        return picture
    change = np.eye(3)
    change[:, strongest] += fill
    return cv2.transform(picture, lift * change).astype(np.uint8, copy=False)


def _fill(means: Sequence[float], strongest: int) -> list[float]:
    """Return how much of the strongest channel is added to each channel."""
    fill = [0.0, 0.0, 0.0]
    for channel, least in enumerate(LEAST):
        missing = least - means[channel] / max(means[strongest], 1.0)
        if missing > LITTLE and (channel, strongest) != (BLUE, RED):
            fill[channel] = missing * min((missing - LITTLE) / (MUCH - LITTLE), 1.0)
    return fill


def _lift(picture: NDArray[np.uint8], mean: float, strongest: int) -> float:
    """Return the factor by which to multiply the picture, whose strongest channel has this mean."""
    if mean >= BRIGHT:
        return 1.0
    bright = mean + 2 * float(cv2.meanStdDev(picture)[1][strongest, 0])
    return max(1.0, min(MOST, BRIGHT / max(bright, 1.0)))


def network_input(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Convert crops to the networks' input: well lit, as floats.

    Args:
        crops: (n, h, w, 3) uint8, RGB; at least one.

    Returns:
        (n, h, w, 3) float32, RGB, 0..1.
    """
    return np.stack([well_lit(crop) for crop in crops]).astype(np.float32) / np.float32(255)
