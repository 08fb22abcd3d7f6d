"""What a measurement found: figures on all faces and by condition, reliability, comparisons; to and from JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from math import isnan, nan
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from . import statistics
from .compare import Versus
from .parts import parts_of
from .readings import FaceReading
from .statistics import Figure, Sample, estimate, group_numbers

FORMAT = "mouth-live evaluation 1"
DROPPED = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Shares of the least reliable faces that are left out."""


@dataclass(frozen=True, slots=True)
class Measures:
    """How far readings are from the truth on some faces; each figure with its interval over people.

    Attributes:
        name: which faces.
        faces: how many, missed ones included.
        people: how many people (photos, where a set does not distinguish people; stretches of one's own video).
        missed: faces that were not found; they count as read at the mean truth of all faces.
        mse: mean squared error.
        mae: mean absolute error.
        bias: mean of reading minus truth.
        ratio: variance of the truth over the squared error; 1 is no better than answering the mean.
        pearson: linear correlation.
        spearman: correlation of ranks.
        auc: chance that an open mouth (gap ratio from 0.035) reads higher than a closed one.
    """

    name: str
    faces: int
    people: int
    missed: int
    mse: Figure
    mae: Figure
    bias: Figure
    ratio: Figure
    pearson: Figure
    spearman: Figure
    auc: Figure


@dataclass(frozen=True, slots=True)
class Reliability:
    """How well the reliability shows which values to trust.

    Attributes:
        dropped: share of the found faces that is left out, the least reliable first.
        mse: squared error of the others, a figure each.
        best: the same if the faces with the largest errors were left out: no reliability can do better.
        seen: reliability of the found faces, sorted.
        covered: of faces whose mouth a mask covers, sorted; empty where there are none.
        hidden: of faces of the test part whose lips people marked as mostly hidden, sorted.
        auc: chance that a seen mouth has a higher reliability than a covered one; NaN without covered ones.
        hidden_auc: the same for hidden ones.
    """

    dropped: tuple[float, ...]
    mse: tuple[Figure, ...]
    best: tuple[float, ...]
    seen: tuple[float, ...]
    covered: tuple[float, ...]
    hidden: tuple[float, ...]
    auc: float
    hidden_auc: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A whole report.

    Attributes:
        model: the network's name, or the file that its values come from.
        title: from its card.
        sha256: of the network's file; empty where the values come from a table.
        data: the faces' folder or table.
        groups: what the intervals draw: people or photos, or stretches of video.
        warnings: what to know before believing the figures.
        overall: on all faces.
        by: condition or ``"source"``, and its bins.
        reliability: None where the network gives none.
        versus: comparisons with others.
        faces: every face.
    """

    model: str
    title: str
    sha256: str
    data: str
    groups: str
    warnings: tuple[str, ...]
    overall: Measures
    by: dict[str, tuple[Measures, ...]]
    reliability: Reliability | None
    versus: tuple[Versus, ...]
    faces: tuple[FaceReading, ...]

    def as_json(self) -> str:
        """Return the report as JSON; what is not known is null."""
        return json.dumps(_without_nan({"format": FORMAT, **asdict(self)}), indent=1) + "\n"


def summarise(rows: Sequence[FaceReading]) -> tuple[Measures, dict[str, tuple[Measures, ...]]]:
    """Return figures on all faces, and by source and condition.

    Args:
        rows: at least one.
    """
    truth = np.array([row.truth for row in rows])
    value = np.array([row.value for row in rows])
    missed = np.isnan(value)
    sample = Sample(truth, np.where(missed, truth.mean(), value), group_numbers([row.group for row in rows]))

    def on(name: str, chosen: NDArray[np.bool_]) -> Measures:
        """Measure some of the faces."""
        part = sample.chosen(chosen)
        figures = [estimate(figure, part) for figure in _FIGURES]
        return Measures(name, int(chosen.sum()), len(np.unique(part.group)), int(missed[chosen].sum()), *figures)

    by = {name: tuple(on(bin_, chosen) for bin_, chosen in parts) for name, parts in parts_of(rows).items()}
    return on("all", np.ones(len(rows), bool)), by


_FIGURES = (
    statistics.mean_squared_error,
    statistics.mean_absolute_error,
    statistics.bias,
    statistics.ratio,
    statistics.pearson,
    statistics.spearman,
    statistics.auc,
)


def judge_reliability(
    rows: Sequence[FaceReading], covered: NDArray[np.float64], hidden: NDArray[np.float64]
) -> Reliability | None:
    """Measure what is gained by leaving out the least reliable faces.

    Args:
        rows: the faces; missed ones take no part, for they have no value to leave out.
        covered: reliability of faces whose mouth a mask covers.
        hidden: reliability of faces of the test part whose lips are mostly hidden.

    Returns:
        None where the network gives no reliability.
    """
    rated = [row for row in rows if not isnan(row.value) and not isnan(row.reliability)]
    if len(rated) < 2:
        return None
    trust = np.array([row.reliability for row in rated])
    truth, value = np.array([row.truth for row in rated]), np.array([row.value for row in rated])
    sample = Sample(truth, value, group_numbers([row.group for row in rated]))
    error = (value - truth) ** 2
    kept = [len(rated) - int(share * len(rated)) for share in DROPPED]
    trusted, small = np.argsort(-trust, kind="stable"), np.sort(error)
    curve: list[Figure] = []
    for count in kept:
        chosen = np.zeros(len(rated), bool)
        chosen[trusted[:count]] = True
        curve.append(estimate(statistics.mean_squared_error, sample.chosen(chosen)))
    return Reliability(
        DROPPED,
        tuple(curve),
        tuple(float(small[:count].mean()) for count in kept),
        tuple(np.sort(trust).tolist()),
        tuple(np.sort(covered).tolist()),
        tuple(np.sort(hidden).tolist()),
        _separation(trust, covered),
        _separation(trust, hidden),
    )


def _separation(seen: NDArray[np.float64], unseen: NDArray[np.float64]) -> float:
    """Return the chance that a seen mouth has a higher reliability than one that is not to be seen."""
    both = np.concatenate([seen, unseen])
    is_seen = np.arange(len(both)) < len(seen)
    return float(statistics.auc(is_seen.astype(np.float64), both, np.ones((1, len(both))))[0])


def read_rows(path: Path) -> tuple[str, list[FaceReading]]:
    """Read the network's name and the faces of a report that was written as JSON.

    Raises:
        DataError: it cannot be read, or is no such report.
    """
    try:
        content = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
        if content["format"] != FORMAT:
            raise DataError(f"{path}: a report of another version of mouth-live; measure again")
        names = [field.name for field in fields(FaceReading)]
        values: list[dict[str, Any]] = [
            {n: nan if row[n] is None else row[n] for n in names} for row in content["faces"]
        ]
        rows = [FaceReading(**row) for row in values]
    except OSError as error:
        raise DataError(f"{path}: cannot read it ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path}: not a report of mouth-live evaluate --json ") from None
    if not rows:
        raise DataError(f"{path}: a report without faces")
    return str(content["model"]), rows


def _without_nan(value: Any) -> Any:  # noqa: ANN401
    """Return the value with None for NaN and numbers rounded to 7 decimals, through dicts, lists and tuples."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in cast("list[Any]", value)]
    if isinstance(value, float):
        return None if isnan(value) else round(value, 7)
    return value
