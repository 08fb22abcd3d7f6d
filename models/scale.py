"""The scale of openness: what gap between the lips it stands for."""

import numpy as np

GAP_RATIOS, OPENNESSES = (0.03, 0.12, 0.45), (0.0, 0.5, 1.0)
"""Openness is piecewise linear in the gap ratio through these points, constant outside."""


def openness_from_gap_ratio(gap_ratio: float) -> float:
    """Return the openness 0..1 of a gap between the inner lips, given in distances between the eye centres."""
    return float(np.interp(gap_ratio, GAP_RATIOS, OPENNESSES))


def gap_ratio_from_openness(openness: float) -> float:
    """Return the gap between the inner lips, in distances between the eye centres, of an openness 0..1."""
    return float(np.interp(openness, OPENNESSES, GAP_RATIOS))
