"""Bad light, for tests and benchmarks: what each lamp lets through of blue, green and red."""

import numpy as np
from numpy.typing import NDArray

LAMPS = {
    "blue": (1.0, 0.25, 0.08),
    "violet": (0.9, 0.08, 0.02),
    "magenta": (0.8, 0.02, 0.9),
    "green": (0.05, 0.8, 0.05),
    "cyan": (0.9, 0.9, 0.05),
    "red": (0.03, 0.06, 1.0),
    "amber": (0.02, 0.5, 1.0),
    "pale green": (0.5, 0.95, 0.5),
    "pale blue": (1.0, 0.5, 0.28),
    "dusk": (0.08, 0.08, 0.08),
    "night": (0.04, 0.04, 0.04),
    "blue night": (0.08, 0.03, 0.015),
}


def lit(picture: NDArray[np.uint8], lamp: str) -> NDArray[np.uint8]:
    """A picture, (h, w, 3) uint8 BGR, in the light of one of them."""
    return (picture * np.array(LAMPS[lamp])).astype(np.uint8)
