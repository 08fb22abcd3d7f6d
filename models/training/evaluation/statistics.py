"""Figures of error and agreement, each with a bootstrap interval over people.

Every figure is a function of the truth, the readings and weights: (draws, n) weights, one row a bootstrap draw, give
(draws,) figures; a single row of ones gives the figure itself. One person's faces are alike, so whole people are drawn,
never single faces.

Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap"; the cluster bootstrap, percentile intervals.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from ...scale import openness_from_gap_ratio

Floats = NDArray[np.float64]
Figured = Callable[[Floats, Floats, Floats], Floats]

DRAWS = 1000
CHUNK = 100  # draws at a time: bounds the memory with many faces
LEVEL = 0.95
SEED = 0

OPEN_FROM = openness_from_gap_ratio(0.035)
"""People call a mouth open from a gap ratio of 0.035 on."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval.

    Attributes:
        value: the figure on the faces as they are; NaN where it is not defined on them.
        low: lower end of the interval; NaN with fewer than two people.
        high: its upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Faces with a truth and a reading each.

    Attributes:
        truth: (n,) float64, openness 0..1.
        read: (n,) float64, 0..1; of a missed face the mean truth of all faces.
        group: (n,) int, whose face it is.
    """

    truth: Floats
    read: Floats
    group: NDArray[np.int64]

    def chosen(self, rows: NDArray[np.bool_]) -> "Sample":
        """Return those of the rows."""
        return Sample(self.truth[rows], self.read[rows], self.group[rows])


def mean_squared_error(truth: Floats, read: Floats, weights: Floats) -> Floats:
    """Return the mean squared error."""
    return _mean((read - truth) ** 2, weights)


def mean_absolute_error(truth: Floats, read: Floats, weights: Floats) -> Floats:
    """Return the mean absolute error."""
    return _mean(np.abs(read - truth), weights)


def bias(truth: Floats, read: Floats, weights: Floats) -> Floats:
    """Return the mean of reading minus truth: above 0 reads too open."""
    return _mean(read - truth, weights)


def ratio(truth: Floats, read: Floats, weights: Floats) -> Floats:
    """Return the variance of the truth over the squared error: 1 is no better than always answering the mean."""
    variance = _mean(truth**2, weights) - _mean(truth, weights) ** 2
    return variance / np.maximum(mean_squared_error(truth, read, weights), 1e-12)


def pearson(truth: Floats, read: Floats, weights: Floats) -> Floats:
    """Return the linear correlation; NaN where one of the two does not vary."""
    return _correlation(truth[None], read[None], weights)


def spearman(truth: Floats, read: Floats, weights: Floats) -> Floats:
    """Return the correlation of the ranks, ties at their mean rank; NaN where one of the two does not vary."""
    return _correlation(_ranks(truth, weights), _ranks(read, weights), weights)


def auc(truth: Floats, read: Floats, weights: Floats) -> Floats:
    """Return the chance that an open mouth reads higher than a closed one, ties count half; NaN without both kinds."""
    is_open = truth >= OPEN_FROM
    opened, closed = weights * is_open, weights * ~is_open
    below = _ranks(read, closed) - closed / 2  # the closed that read lower, and half of those that read the same
    pairs = opened.sum(axis=1) * closed.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, (opened * (below + closed / 2)).sum(axis=1) / pairs, nan)


def estimate(figured: Figured, sample: Sample) -> Figure:
    """Return a figure with its interval; all NaN for no face."""
    if not len(sample.truth):
        return Figure(nan, nan, nan)
    value = float(figured(sample.truth, sample.read, np.ones((1, len(sample.truth))))[0])
    drawn = [figured(sample.truth, sample.read, weights) for weights in resampled(sample.group)]
    return with_interval(value, np.concatenate(drawn) if drawn else np.zeros(0))


def with_interval(value: float, drawn: Floats) -> Figure:
    """Return the figure with the interval of its bootstrap draws; draws on which it is not defined are left out."""
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < DRAWS / 2:
        return Figure(value, nan, nan)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Figure(value, float(low), float(high))


def resampled(group: NDArray[np.int64]) -> Iterator[Floats]:
    """Yield the same weights of bootstrap draws each time, (CHUNK, n) at a time; none with fewer than two groups."""
    names, member = np.unique(group, return_inverse=True)
    if len(names) < 2:
        return
    rng = np.random.default_rng(SEED)
    for _ in range(DRAWS // CHUNK):
        counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=CHUNK)
        yield counts[:, member].astype(np.float64)


def group_numbers(names: Sequence[str]) -> NDArray[np.int64]:
    """Return (n,) int: the same number for the same name."""
    return np.unique(np.array(names, dtype=str), return_inverse=True)[1].astype(np.int64)


def _mean(values: Floats, weights: Floats) -> Floats:
    """Return the weighted mean of (n,) or (draws, n) values, (draws,); NaN where nothing has weight."""
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights * values).sum(axis=1) / np.where(total > 0, total, nan)


def _correlation(a: Floats, b: Floats, weights: Floats) -> Floats:
    a = a - _mean(a, weights)[:, None]
    b = b - _mean(b, weights)[:, None]
    spread = np.sqrt(_mean(a * a, weights) * _mean(b * b, weights))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 1e-12, _mean(a * b, weights) / np.where(spread > 1e-12, spread, 1), nan)


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Return (draws, n): the weight below each value plus half of the weight at it."""
    places, member = np.unique(values, return_inverse=True)
    order = np.argsort(member, kind="stable")
    starts = np.searchsorted(member[order], np.arange(len(places)))
    at = np.add.reduceat(weights[:, order], starts, axis=1)
    return (np.cumsum(at, axis=1) - at / 2)[:, member]
