"""The teacher: openness as people would mark it, from a landmark model's points in several views of a face.

One reading of a landmark model errs as much as the network that is to learn from it. The mean of several errs less, and
a regression on these readings and people's labels less still: it learns where the model is wrong, so that
its values are better labels for the faces that people did not label.

A face that people labelled is read by a regression that has not seen its person, which gives an independent value.
Source of that: Wolpert 1992, "Stacked generalization".
"""

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingExtraError
from ..scale import GAP_RATIOS, OPENNESSES
from .data import LabelledFace
from .landmarks import Landmarks
from .lip_points import INNER_GAPS, MESH, eye_centres, gap_ratio

Floats = NDArray[np.float32]

FOLDS = 5
FEWEST = 200
"""Faces labelled by people that a regression needs; with fewer the teacher is the mean of the readings."""

TREES = 300
SHARE_OF_TREES = 0.7  # in the mean with the linear regression

_HEIGHTS = (*INNER_GAPS, (0, 17), (0, 13), (14, 17), (37, 82), (267, 312), (84, 87), (314, 317), (1, 152))
_WIDTHS = ((61, 291), (78, 308))


def teach(faces: Sequence[LabelledFace], landmarks: Landmarks, seed: int) -> Floats:
    """Return the teacher's openness of faces.

    Args:
        faces: the labels, of which those by people of uncovered mouths teach the teacher.
        landmarks: of the same faces.
        seed: of the folds and the trees.

    Returns:
        (n,) float32, 0..1; NaN where there are no landmarks.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    known = landmarks.known
    shown = [face for face, there in zip(faces, known, strict=True) if there]
    features, value = _features(landmarks.readings[known], landmarks.shapes[known])
    people = np.array([face.by_people and not face.covered for face in shown], bool)
    if people.sum() >= FEWEST:
        truth = np.array([face.openness for face in shown], np.float32)
        person = np.unique([face.group for face in shown], return_inverse=True)[1]
        fold = np.random.default_rng(seed).integers(0, FOLDS, len(shown))[person]
        value = _fitted(features[people], truth[people], features, seed)
        for k in range(FOLDS):
            seen, unseen = people & (fold != k), people & (fold == k)
            if seen.any() and unseen.any():
                value[unseen] = _fitted(features[seen], truth[seen], features[unseen], seed)
    taught = np.full(len(faces), np.nan, np.float32)
    taught[known] = value
    return taught


def _features(readings: Floats, shapes: Floats) -> tuple[Floats, Floats]:
    """Return what the regression sees, (n, k), and the mean openness of the views, (n,)."""
    views = [_of_view(readings[:, i]) for i in range(readings.shape[1])]
    values = np.stack([view[:, 0] for view in views], axis=1)
    lengths = np.concatenate([view[:, : 2 + len(_HEIGHTS) + len(_WIDTHS)] for view in views], axis=1)
    spread = values.std(axis=1, keepdims=True)
    mean = values.mean(axis=1)
    all_of = [_of_view(readings.mean(axis=1)), lengths, shapes, mean[:, None], spread]
    return np.concatenate(all_of, axis=1).astype(np.float32), mean


def _of_view(mesh: Floats) -> Floats:
    """Return openness, gap ratio, lengths, then all points of (n, len(MESH), 3), upright, in distances of the eyes."""
    eyes = eye_centres(mesh)[..., :2]
    along = eyes[:, 1] - eyes[:, 0]
    distance = np.linalg.norm(along, axis=1)[:, None]
    along = along / distance
    from_eyes = (mesh[:, :, :2] - eyes.mean(axis=1)[:, None]) / distance[:, :, None]
    x = np.einsum("nij,nj->ni", from_eyes, along)
    y = from_eyes[:, :, 1] * along[:, :1] - from_eyes[:, :, 0] * along[:, 1:]
    heights = [y[:, MESH.index(b)] - y[:, MESH.index(a)] for a, b in _HEIGHTS]
    widths = [x[:, MESH.index(b)] - x[:, MESH.index(a)] for a, b in _WIDTHS]
    gap = gap_ratio(mesh)
    lengths = np.stack([np.interp(gap, GAP_RATIOS, OPENNESSES), gap, *heights, *widths], axis=1)
    return np.concatenate([lengths, x, y, mesh[:, :, 2] / distance], axis=1).astype(np.float32)


def _fitted(features: Floats, truth: Floats, others: Floats, seed: int) -> Floats:
    """Fit a regression to features (n, k) and truth (n,), and return what it predicts for others, (m,) 0..1."""
    try:
        ensemble, linear = (importlib.import_module(f"sklearn.{name}") for name in ("ensemble", "linear_model"))
    except ModuleNotFoundError:
        raise MissingExtraError("training", "train") from None
    trees: Any = ensemble.HistGradientBoostingRegressor(
        learning_rate=0.05,
        max_iter=TREES,
        max_leaf_nodes=15,
        min_samples_leaf=20,
        max_features=0.15,
        early_stopping=False,
        random_state=seed,
    )
    ridge: Any = linear.RidgeCV(np.logspace(1, 6, 11))
    middle, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    by_trees = trees.fit(features, truth).predict(others)
    by_ridge = ridge.fit((features - middle) / scale, truth).predict((others - middle) / scale)
    value = SHARE_OF_TREES * np.clip(by_trees, 0, 1) + (1 - SHARE_OF_TREES) * np.clip(by_ridge, 0, 1)
    return value.astype(np.float32)
