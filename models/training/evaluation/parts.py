"""The faces of a report, parted by set and by condition."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .conditions import CONDITIONS
from .readings import FaceReading

Parts = dict[str, list[tuple[str, NDArray[np.bool_]]]]


def parts_of(rows: Sequence[FaceReading]) -> Parts:
    """Return the bins of ``"source"`` and of each condition that hold a face: name and (n,) bool, which faces.

    A face that was not found is in a set and has a true openness, but no other condition.
    """
    sources = np.array([row.source for row in rows])
    parts: Parts = {"source": [(str(name), sources == name) for name in np.unique(sources)]}
    for condition in CONDITIONS:
        values = np.array([getattr(row, condition.name) for row in rows], np.float64)
        inside = [(b.name, (values >= b.low) & (values < b.high)) for b in condition.bins]
        parts[condition.name] = [(name, chosen) for name, chosen in inside if chosen.any()]
    return parts
