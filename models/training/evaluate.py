"""What a training run tells of its network: errors on faces that it never saw. ``evaluation`` measures in full."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from .data import LabelledFace

RANGES = {"closed": (0.0, 0.05), "slight": (0.05, 0.4), "half": (0.4, 0.7), "wide": (0.7, 1.01)}


@dataclass(frozen=True, slots=True)
class Measure:
    """How far readings are from the truth, on some faces.

    Attributes:
        faces: how many, missed ones included.
        missed: of them, how many the finder did not find; they count as read at the mean of all labels.
        mse: mean squared error of the openness.
        mae: mean absolute error.
        ratio: squared error of always answering these faces' mean, divided by ``mse``; 1 is no better than that.
        pearson: correlation with the truth; 0 where one of the two does not vary.
    """

    faces: int
    missed: int
    mse: float
    mae: float
    ratio: float
    pearson: float


@dataclass(frozen=True, slots=True)
class Report(Measure):
    """How far readings are from the truth: on all faces, and on parts of them.

    Attributes:
        by_source: the same for each set.
        by_openness: mean absolute error and count for each of :data:`RANGES` of the true openness.
    """

    by_source: dict[str, Measure]
    by_openness: dict[str, tuple[float, int]]

    def as_text(self) -> str:
        """The report in one line."""
        ranges = ", ".join(f"{name} {error:.3f} (n={count})" for name, (error, count) in self.by_openness.items())
        missed = ", ".join(f"{name} {measure.missed}" for name, measure in self.by_source.items() if measure.missed)
        return (
            f"{self.faces} faces ({self.missed} not found{': ' + missed if missed else ''}): "
            f"squared error {self.mse:.5f}, {self.ratio:.2f} times smaller than predicting the mean; "
            f"absolute error {self.mae:.3f}; correlation {self.pearson:.3f}; by openness: {ranges}"
        )

    def as_json(self) -> str:
        """The report as JSON."""
        return json.dumps(asdict(self), indent=2) + "\n"


def measure(faces: Sequence[LabelledFace], values: NDArray[np.float32], missed: Sequence[LabelledFace]) -> Report:
    """Compare readings with labels; a missed face counts as read at the mean of all labels.

    Args:
        faces: the labels that were read.
        values: (n,) float32, their readings.
        missed: labels whose face was not found.
    """
    everyone = [*faces, *missed]
    truth = np.array([face.openness for face in everyone])
    readings = np.concatenate([values, np.full(len(missed), truth.mean())])
    lost = np.arange(len(everyone)) >= len(faces)
    sources: NDArray[np.str_] = np.array([face.source for face in everyone])
    error = np.abs(readings - truth)
    inside = {name: (truth >= low) & (truth < high) for name, (low, high) in RANGES.items()}
    of = {name: sources == name for name in sorted({face.source for face in everyone})}
    return Report(
        *_values(truth, readings, lost),
        by_source={name: Measure(*_values(truth[r], readings[r], lost[r])) for name, r in of.items()},
        by_openness={name: (float(error[r].mean()), int(r.sum())) for name, r in inside.items() if r.any()},
    )


def _values(
    truth: NDArray[np.float64], readings: NDArray[np.float64], lost: NDArray[np.bool_]
) -> tuple[int, int, float, float, float, float]:
    """The fields of a Measure, in their order."""
    error = readings - truth
    mse = float(np.mean(error**2))
    spread = float(truth.std() * readings.std())
    together = float(np.dot(truth - truth.mean(), readings - readings.mean())) / len(truth)
    return (
        len(truth),
        int(lost.sum()),
        mse,
        float(np.mean(np.abs(error))),
        float(truth.var()) / max(mse, 1e-12),
        together / spread if spread > 1e-12 else 0.0,
    )
