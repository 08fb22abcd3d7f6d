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
    means, deviations = (numbers[:, 0].tolist() for numbers in cv2.meanStdDev(picture))
    strongest = max(range(3), key=lambda channel: means[channel])
    change = np.eye(3)
    for channel, least in enumerate(LEAST):
        if channel != strongest and (channel, strongest) != (BLUE, RED):
            missing = least - means[channel] / max(means[strongest], 1.0)
            change[channel, strongest] = missing * min(max((missing - LITTLE) / (MUCH - LITTLE), 0.0), 1.0)
    bright = means[strongest] + 2 * deviations[strongest]
    change *= max(1.0, min(MOST, BRIGHT / max(bright, 1.0)))
    if change.sum() == len(LEAST):
        return picture
    return cv2.transform(picture, change).astype(np.uint8, copy=False)


def network_input(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Crops as the networks take them: in better light.

    Args:
        crops: (n, h, w, 3) uint8, RGB; at least one.

    Returns:
        (n, h, w, 3) float32, RGB, 0..1.
    """
    return np.stack([well_lit(crop) for crop in crops]).astype(np.float32) / np.float32(255)
