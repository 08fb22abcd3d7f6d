"""The key points of a face over time, without the detector's jitter of about 1 % of the face's width.

Around each time a parabola is fitted to the detections, the nearest weighing most. It uses what comes after as well as
what came before, so that the points do not lag behind the face's motion.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

REACH = 0.3  # s before and after a time from which detections are used; half the weight lies within a quarter of it
DEGREE = 2
RIDGE = 1e-4  # keeps the fit to few detections, or on one side of the time only, from being steep

Values = NDArray[np.float64]


def smoothed(times: Sequence[float], values: Values, wanted: Sequence[float]) -> Values:
    """Return values as they were at some times.

    Args:
        times: of the detections, (m,) seconds, rising.
        values: (m, k), of each detection.
        wanted: (n,) seconds, the times to fit around. Each is that of a detection, or between two.

    Returns:
        (n, k) float64.
    """
    apart = (np.asarray(times)[None] - np.asarray(wanted)[:, None]) / _reaches(times, wanted)[:, None]
    weights = np.clip(1 - np.abs(apart) ** 3, 0, None) ** 3
    powers = apart[..., None] ** np.arange(DEGREE + 1)
    weighted = weights[..., None] * powers
    normal = np.einsum("nmi,nmj->nij", weighted, powers)
    normal[:, range(1, DEGREE + 1), range(1, DEGREE + 1)] += RIDGE
    middle = values.mean(axis=0)  # the fit is pulled towards it where there is nothing else
    right = np.einsum("nmi,mk->nik", weighted, values - middle)
    fitted = cast("Values", np.linalg.solve(normal, right))
    return fitted[:, 0] + middle


def _reaches(times: Sequence[float], wanted: Sequence[float]) -> Values:
    """Return how far to reach around each time: farther where the nearest detections lie farther away."""
    known, at = np.asarray(times), np.asarray(wanted)
    after = np.minimum(np.searchsorted(known, at), len(known) - 1)
    before = np.maximum(np.searchsorted(known, at, side="right") - 1, 0)
    nearest = np.maximum(known[after] - at, at - known[before])
    return np.maximum(REACH, 1.5 * nearest) + 1e-3
