"""Measure an openness network on faces that training never saw."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..openness import load_openness_model
from .augment import plain
from .data import LabelledFace, cut_patches, read_labels


@dataclass(frozen=True, slots=True)
class Report:
    """How far readings are from the truth.

    Attributes:
        faces: how many were measured, missed ones included.
        missed: of them, how many the finder did not find; they count as read at the mean.
        mse: mean squared error of the openness.
        mae: mean absolute error.
        ratio: mean squared error of predicting the mean, divided by ``mse``; 1 is no better than the mean.
        pearson: correlation with the truth.
        by_openness: mean absolute error and count for each range of the true openness.
    """

    faces: int
    missed: int
    mse: float
    mae: float
    ratio: float
    pearson: float
    by_openness: dict[str, tuple[float, int]]

    def as_text(self) -> str:
        """The report in a line or two."""
        ranges = ", ".join(f"{name} {error:.3f} (n={count})" for name, (error, count) in self.by_openness.items())
        return (
            f"{self.faces} faces ({self.missed} not found): squared error {self.mse:.5f}, {self.ratio:.2f} times smaller "
            f"than predicting the mean; absolute error {self.mae:.3f}; correlation {self.pearson:.3f}; by openness: {ranges}"
        )

    def as_json(self) -> str:
        """The report as JSON."""
        return json.dumps(asdict(self), indent=2) + "\n"


RANGES = {"closed": (0.0, 0.05), "slight": (0.05, 0.4), "half": (0.4, 0.7), "wide": (0.7, 1.01)}


def evaluate(name_or_path: str | Path, data: Path) -> Report:
    """Measure weights on the test part of labelled faces, by the same way that video takes.

    Args:
        name_or_path: shipped weights by name, or a ``.tflite`` file.
        data: folder with ``labels.csv`` and the pictures.

    Raises:
        ModelError: the weights cannot be read.
        DataError: the labels cannot be read, or no face is in their test part.
    """
    model = load_openness_model(name_or_path, "cpu")
    labels = [face for face in read_labels(data) if face.part == "test"]
    if not labels:
        raise DataError(f"{data / 'labels.csv'}: no face has part 'test', so there is nothing to measure on")
    patches = cut_patches(labels)
    return measure(patches.faces, model.predict(np.ascontiguousarray(plain(patches.images))), patches.missed)


def measure(faces: Sequence[LabelledFace], values: NDArray[np.float32], missed: Sequence[LabelledFace]) -> Report:
    """Compare readings with labels; a missed face counts as read at the mean of all labels.

    Args:
        faces: the labels that were read.
        values: (n,) their readings.
        missed: labels whose face was not found.
    """
    truth = np.array([face.openness for face in [*faces, *missed]])
    readings = np.concatenate([values, np.full(len(missed), truth.mean())])
    error = readings - truth
    inside = {name: (truth >= low) & (truth < high) for name, (low, high) in RANGES.items()}
    return Report(
        faces=len(truth),
        missed=len(missed),
        mse=float(np.mean(error**2)),
        mae=float(np.mean(np.abs(error))),
        ratio=float(np.var(truth) / np.mean(error**2)),
        pearson=float(np.corrcoef(truth, readings)[0, 1]),
        by_openness={
            name: (float(np.abs(error[rows]).mean()), int(rows.sum())) for name, rows in inside.items() if rows.any()
        },
    )
