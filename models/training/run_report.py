"""The report of a training run: errors on faces that the network never saw. ``evaluation`` measures in full."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .data import LabelledFace
from .evaluation.conditions import OPENNESS
from .evaluation.statistics import Figured, Floats, mean_absolute_error, mean_squared_error, pearson, ratio

RANGES = {bin_.name.partition(",")[0]: (bin_.low, bin_.high) for bin_ in OPENNESS.bins}
"""Ranges of the true openness by name: lower edge, included, and upper edge, not included."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How far readings are from the truth, on some faces.

    Attributes:
        faces: how many, missed ones included.
        missed: how many of them the finder did not find; they count as read at the mean of all labels.
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
        """Return the report in one line."""
        ranges = ", ".join(f"{name} {error:.3f} (n={count})" for name, (error, count) in self.by_openness.items())
        missed = ", ".join(f"{name} {measure.missed}" for name, measure in self.by_source.items() if measure.missed)
        return (
            f"{self.faces} faces ({self.missed} not found{': ' + missed if missed else ''}): "
            f"squared error {self.mse:.5f}, {self.ratio:.2f} times smaller than predicting the mean; "
            f"absolute error {self.mae:.3f}; correlation {self.pearson:.3f}; by openness: {ranges}"
        )

    def as_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(asdict(self), indent=2) + "\n"


def measure(faces: Sequence[LabelledFace], values: NDArray[np.float32], missed: Sequence[LabelledFace]) -> Report:
    """Compare readings with labels; a missed face counts as read at the mean of all labels.

    Args:
        faces: the labels that were read.
        values: (n,) float32, their readings.
        missed: labels whose face was not found.
    """
    everyone = [*faces, *missed]
    truth = np.array([face.openness for face in everyone], np.float64)
    read = np.concatenate([values, np.full(len(missed), truth.mean())]).astype(np.float64)
    lost = np.arange(len(everyone)) >= len(faces)
    sources: NDArray[np.str_] = np.array([face.source for face in everyone])
    by_source = {name: sources == name for name in sorted({face.source for face in everyone})}
    by_openness = {name: (truth >= low) & (truth < high) for name, (low, high) in RANGES.items()}
    return Report(
        **asdict(_measure_on(truth, read, lost)),
        by_source={name: _measure_on(truth[r], read[r], lost[r]) for name, r in by_source.items()},
        by_openness={
            name: (_value(mean_absolute_error, truth[r], read[r]), int(r.sum()))
            for name, r in by_openness.items()
            if r.any()
        },
    )


def _measure_on(truth: Floats, read: Floats, lost: NDArray[np.bool_]) -> Measure:
    correlation = _value(pearson, truth, read)
    return Measure(
        faces=len(truth),
        missed=int(lost.sum()),
        mse=_value(mean_squared_error, truth, read),
        mae=_value(mean_absolute_error, truth, read),
        ratio=_value(ratio, truth, read),
        pearson=0.0 if isnan(correlation) else correlation,
    )


def _value(figured: Figured, truth: Floats, read: Floats) -> float:
    """Return a figure of all faces, each of the same weight."""
    return float(figured(truth, read, np.ones((1, len(truth))))[0])


def as_markdown(facts: dict[str, Any], reports: dict[str, Report]) -> str:
    """Return a run's report as Markdown.

    Args:
        facts: the report as it goes into ``report.json``.
        reports: the errors on validation, left-out and test faces, where there are any.
    """
    data = facts["data"]
    lines = [
        f"# Training run: preset {facts['preset']['name']}, seed {facts['seed']}",
        "",
        f"{sum(data['training'].values())} faces trained on, {data['training_labelled_by_people']} of them labelled by "
        f"people; {sum(data['not_found'].values())} not found. Split {facts['split']}.",
        f"{facts['epochs']} epochs in {facts['seconds'] / 60:.0f} minutes; the weights are those of epoch "
        f"{facts['best_epoch']}.",
        "`times` is the squared error of always answering the mean of the same faces, divided by the network's: "
        "higher is better, 1 is worthless.",
        "",
        "| faces | n | not found | squared error | absolute error | times | correlation |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, report in reports.items():
        lines.append(_row(f"**{name}**", report))
        lines += [_row(f"{name}: {source}", measured) for source, measured in report.by_source.items()]
    for name, report in reports.items():
        ranges = ", ".join(f"{label} {error:.3f} (n={count})" for label, (error, count) in report.by_openness.items())
        lines += ["", f"Absolute error by true openness, {name}: {ranges}."]
    return "\n".join(lines) + "\n"


def _row(name: str, m: Measure) -> str:
    return f"| {name} | {m.faces} | {m.missed} | {m.mse:.5f} | {m.mae:.3f} | {m.ratio:.2f} | {m.pearson:.3f} |"
