"""Pictures in coloured and in little light, nearer to how good light would show the same, for the networks to look at.

Face detectors learn from skin in white or warm light, where red is its strongest channel. In a room lit by coloured
LEDs it is the weakest, and they see no face in what anybody would call one. So the channels that skin must show are
filled up from the strongest one, as far as the picture as a whole lacks them. To multiply them instead, as a white
balance does, would show the noise and blocks of a channel that is all but black. Where the light has one colour only,
what comes out is grey, in which faces are found as well.

In a picture of which even the bright parts are almost black no face is found either: it is made brighter. A lit face
before a black wall is not such a picture.

Others stay as they are. The same goes for the crops that the face check and the openness network see.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST: Sequence[float] = (1.0, 0.6, 0.6)
"""Least mean of red, green and blue, as a share of the strongest channel's; of blue, only where that is not red."""

RED, BLUE = 0, 2

LITTLE, MUCH = 0.1, 0.3
"""What a channel may lack without a change, as lawns and walls are no lamps; from the other on all of it is filled."""

BRIGHT = 50.0
"""Grey value of the bright parts (two standard deviations above the mean) up to which a dark picture is lifted ..."""

MOST = 6.0  # ... by this factor, at most


def well_lit(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with the channels filled up that coloured light left dark, and brighter where it is almost black.

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
    """How much of the strongest channel each channel is given."""
    fill = [0.0, 0.0, 0.0]
    for channel, least in enumerate(LEAST):
        missing = least - means[channel] / max(means[strongest], 1.0)
        if missing > LITTLE and (channel, strongest) != (BLUE, RED):
            fill[channel] = missing * min((missing - LITTLE) / (MUCH - LITTLE), 1.0)
    return fill


def _lift(picture: NDArray[np.uint8], mean: float, strongest: int) -> float:
    """By how much to multiply the picture, whose strongest channel has this mean."""
    if mean >= BRIGHT:
        return 1.0
    bright = mean + 2 * float(cv2.meanStdDev(picture)[1][strongest, 0])
    return max(1.0, min(MOST, BRIGHT / max(bright, 1.0)))


def network_input(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Crops as the networks take them: in better light.

    Args:
        crops: (n, h, w, 3) uint8, RGB; at least one.

    Returns:
        (n, h, w, 3) float32, RGB, 0..1.
    """
    return np.stack([well_lit(crop) for crop in crops]).astype(np.float32) / np.float32(255)
