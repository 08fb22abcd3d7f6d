"""Two readings of the same faces: paired differences, with intervals over people."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isnan

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from .parts import parts_of
from .readings import FaceReading
from .statistics import (
    Figure,
    Floats,
    auc,
    group_numbers,
    mean_absolute_error,
    mean_squared_error,
    ratio,
    resampled,
    with_interval,
)

TINY = 1e-12
FIGURED = (mean_squared_error, mean_absolute_error, auc, ratio)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two readings of the same faces.

    Attributes:
        name: which faces.
        faces: how many.
        missed: of them, how many this one and the other missed.
        mse: mean squared error of this one and of the other.
        ratio: variance of the truth over the squared error, of this one and of the other.
        difference: squared error of this one minus the other's: below 0 this one is better.
        mae_difference: the same of the absolute error.
        auc_difference: of the AUC of open against closed; above 0 this one is better.
        error_ratio: squared error of the other over this one's: above 1 this one is better.
    """

    name: str
    faces: int
    missed: tuple[int, int]
    mse: tuple[Figure, Figure]
    ratio: tuple[Figure, Figure]
    difference: Figure
    mae_difference: Figure
    auc_difference: Figure
    error_ratio: Figure


@dataclass(frozen=True, slots=True)
class Versus:
    """This reading against another of the same faces.

    Attributes:
        other: the other's name.
        about: on which faces and how.
        overall: on all of them.
        by: the same by ``"source"`` and by condition, bin by bin.
        geometric: geometric mean over the sets of the error ratios.
    """

    other: str
    about: str
    overall: Pair
    by: dict[str, tuple[Pair, ...]]
    geometric: Figure


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """Squared errors of this and the other in each bootstrap draw, and the pair they are of."""

    pair: Pair
    error_ratios: Floats


def versus(rows: Sequence[FaceReading], others: Sequence[float], name: str, about: str) -> Versus:
    """Compare readings with another's of the same faces; a face that one missed counts as read at the mean.

    Args:
        rows: this one's.
        others: (n,) the other's values, NaN where it missed the face.
        name: the other's.
        about: which faces they are, for readers.

    Raises:
        DataError: no face.
    """
    if not rows:
        raise DataError(f"{name}: no face in common, so there is nothing to compare")
    truth = np.array([row.truth for row in rows])
    both = _Both(truth, _filled([row.value for row in rows], truth), _filled(others, truth), _groups(rows))
    missed = np.isnan([row.value for row in rows]), np.isnan(others)
    by = {
        name: [_paired(part, both.chosen(r), (missed[0][r], missed[1][r])) for part, r in parts]
        for name, parts in parts_of(rows).items()
    }
    logs = np.array([np.log(np.maximum(part.error_ratios, TINY)) for part in by["source"] if len(part.error_ratios)])
    value = exp(float(np.mean([np.log(max(part.pair.error_ratio.value, TINY)) for part in by["source"]])))
    drawn = np.exp(logs.mean(axis=0)) if len(logs) == len(by["source"]) else np.zeros(0)
    pairs = {name: tuple(part.pair for part in parts) for name, parts in by.items()}
    return Versus(name, about, _paired("all", both, missed).pair, pairs, with_interval(value, drawn))


def versus_rows(rows: Sequence[FaceReading], others: Sequence[FaceReading], name: str) -> Versus:
    """Compare two readings, face by face, on the faces that both have.

    Raises:
        DataError: they have no face in common, or differ in the truth of one.
    """
    known = {other.file: other for other in others}
    common = [row for row in rows if row.file in known]
    for row in common:
        if abs(known[row.file].truth - row.truth) > 1e-6:
            raise DataError(f"{row.file}: its label is {row.truth:.4f} here, {known[row.file].truth:.4f} in {name}")
    about = f"{len(common)} faces in common" + ("" if len(common) == len(rows) else f" of {len(rows)}")
    return versus(common, [known[row.file].value for row in common], name, about)


def versus_landmarker(rows: Sequence[FaceReading]) -> Versus | None:
    """Compare with the landmark model's values in the labels' table, on faces that people labelled; None without."""
    labelled = [row for row in rows if row.by_people]
    if all(isnan(row.landmarker) for row in labelled):
        return None
    missed = sum(isnan(row.landmarker) for row in labelled)
    about = f"{len(labelled)} faces labelled by people; the landmarker's values from the table ({missed} missing)"
    return versus(labelled, [row.landmarker for row in labelled], "landmarker (table)", about)


def _paired(name: str, both: "_Both", missed: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> _Draws:
    values = both.figures(np.ones((1, len(both.truth))))[:, :, 0]
    drawn = [both.figures(weights) for weights in resampled(both.group)]
    draws = np.concatenate(drawn, axis=2) if drawn else np.zeros((2, len(FIGURED), 0))
    mse, mae, told_apart, times = range(len(FIGURED))

    def each(k: int) -> tuple[Figure, Figure]:
        """Return a figure of both readings."""
        return with_interval(float(values[0, k]), draws[0, k]), with_interval(float(values[1, k]), draws[1, k])

    def difference(k: int) -> Figure:
        """Return a figure of this reading minus the other's."""
        return with_interval(float(values[0, k] - values[1, k]), draws[0, k] - draws[1, k])

    ratios = draws[1, mse] / np.maximum(draws[0, mse], TINY)
    pair = Pair(
        name,
        len(both.truth),
        (int(missed[0].sum()), int(missed[1].sum())),
        mse=each(mse),
        ratio=each(times),
        difference=difference(mse),
        mae_difference=difference(mae),
        auc_difference=difference(told_apart),
        error_ratio=with_interval(float(values[1, mse] / max(values[0, mse], TINY)), ratios),
    )
    return _Draws(pair, ratios)


@dataclass(frozen=True, slots=True, eq=False)
class _Both:
    """Two readings of n faces."""

    truth: Floats
    one: Floats
    two: Floats
    group: NDArray[np.int64]

    def chosen(self, rows: NDArray[np.bool_]) -> "_Both":
        """Return those of the rows."""
        return _Both(self.truth[rows], self.one[rows], self.two[rows], self.group[rows])

    def figures(self, weights: Floats) -> Floats:
        """Return :data:`FIGURED` of each reading, (2, 4, draws)."""
        return np.stack([[figure(self.truth, read, weights) for figure in FIGURED] for read in (self.one, self.two)])


def _filled(values: Sequence[float], truth: Floats) -> Floats:
    """Return the values with the mean truth for each missed face."""
    return np.where(np.isnan(values), truth.mean(), values)


def _groups(rows: Sequence[FaceReading]) -> NDArray[np.int64]:
    return group_numbers([row.group for row in rows])
