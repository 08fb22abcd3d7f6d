"""The last layer of an openness network: separated from the rest, and fitted again without spoiling what it read well.

Fitted by Levenberg-Marquardt steps, for the sigmoid bends the error.
Source: Levenberg 1944; Marquardt 1963, "An algorithm for least-squares estimation of nonlinear parameters".
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..light import network_input
from ..weights_file import Weights, check_twin, companion, load_weights
from . import extra_packages
from .network import NEUTRAL

Floats = NDArray[np.float64]

HEAD = "openness"  # the name of the last layer, one unit with a sigmoid
BATCH = 128
STEPS = 60  # at most


@dataclass(frozen=True, slots=True, eq=False)
class Keep:
    """How the error on the training faces answers to a change of the last layer.

    Attributes:
        error: mean squared error on them as the weights are.
        gradient: (k + 1,) float64, g above; k is the number of inputs of the last layer.
        curvature: (k + 1, k + 1) float64, H above.
        faces: how many it was taken from.
    """

    error: float
    gradient: Floats
    curvature: Floats
    faces: int

    def rise(self, change: Floats) -> float:
        """Return about how much a change (k + 1,) of the last layer's weights and bias raises the squared error."""
        return float(2 * self.gradient @ change + change @ self.curvature @ change)


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A Keras model taken apart: all but its last layer, and that.

    Attributes:
        model: the whole model.
        features: a Keras model of the same inputs to the last layer's input, (n, k).
        layer: the last layer.
    """

    model: Any
    features: Any
    layer: Any

    @property
    def weights(self) -> Floats:
        """Return the last layer's weights, then its bias: (k + 1,) float64."""
        kernel, bias = self.layer.get_weights()
        return np.concatenate([kernel[:, 0], bias]).astype(np.float64)

    def replace(self, weights: Floats) -> None:
        """Give the last layer other weights, as :attr:`weights` has them."""
        self.layer.set_weights([weights[:-1, None].astype(np.float32), weights[-1:].astype(np.float32)])

    def inputs_of(self, crops: NDArray[np.uint8]) -> Floats:
        """Return the last layer's inputs for crops (n, 60, 60, 3) uint8 RGB, and 1 for its bias: (n, k + 1) float64."""
        arrays: list[NDArray[np.float32]] = []
        for tensor in self.model.inputs:
            if tuple(tensor.shape[1:]) == (2,):
                arrays.append(np.full((len(crops), 2), NEUTRAL))
            else:
                arrays.append(network_input(crops))
        values = self.features.predict(arrays if len(arrays) > 1 else arrays[0], batch_size=BATCH, verbose=0)
        return np.concatenate([values, np.ones((len(crops), 1))], axis=1).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Twin:
    """Openness weights that ship or were exported, and the same network in Keras."""

    weights: Weights
    model: Any


def load_twin(name_or_path: str | Path) -> Twin:
    """Read them.

    Raises:
        ModelError: they cannot be read.
        MissingExtraError: TensorFlow is not installed.
    """
    weights = load_weights(name_or_path, "openness")
    path = companion(name_or_path, ".keras")
    check_twin(path, weights)
    return Twin(weights, extra_packages.keras().models.load_model(path, compile=False))


def load_head(name_or_path: str | Path) -> tuple[Weights, Head]:
    """Load weights that ship or were exported, as a Keras model whose last layer can be changed.

    Raises:
        ModelError: they cannot be read, or do not end in a layer named ``openness`` with one unit.
        MissingExtraError: TensorFlow is not installed.
    """
    twin, keras = load_twin(name_or_path), extra_packages.keras()
    model = twin.model
    layer = next((layer for layer in model.layers if layer.name == HEAD), None)
    if layer is None or getattr(layer, "units", 0) != 1 or layer.activation is not keras.activations.sigmoid:
        raise ModelError(
            f"{name_or_path}: has no last layer named {HEAD!r} with one unit and a sigmoid, so it cannot be tuned"
        )
    return twin.weights, Head(model, keras.Model(model.inputs, layer.input), layer)


def solve(inputs: Floats, truth: Floats, start: Floats, keep: Keep, strength: float) -> Floats:
    """Find the change of the last layer that minimises own error + strength times the rise of the error elsewhere.

    Args:
        inputs: (n, k + 1) of the last layer, the last column 1.
        truth: (n,) openness 0..1.
        start: (k + 1,) the layer's weights and bias.
        keep: the error elsewhere.
        strength: above 0.

    Returns:
        (k + 1,) to add to ``start``.
    """
    curvature: Floats = keep.curvature + np.eye(len(start)) * 1e-4 * np.trace(keep.curvature) / len(start)
    change: Floats = np.zeros_like(start)
    damping = 1e-3

    def objective(change: Floats) -> float:
        """Return what is minimised, for a change of the last layer."""
        own = float(np.mean((sigmoid(inputs @ (start + change)) - truth) ** 2))
        return own + strength * float(2 * keep.gradient @ change + change @ curvature @ change)

    best = objective(change)
    for _ in range(STEPS):
        read = sigmoid(inputs @ (start + change))
        slopes = (read * (1 - read))[:, None] * inputs
        gradient: Floats = slopes.T @ (read - truth) / len(truth) + strength * (keep.gradient + curvature @ change)
        hessian: Floats = slopes.T @ slopes / len(truth) + strength * curvature
        damped: Floats = hessian + damping * np.diag(np.diag(hessian))
        step = np.linalg.solve(damped, gradient).astype(np.float64)
        tried = objective(change - step)
        if tried < best:
            done = best - tried < 1e-9
            change, best, damping = change - step, tried, damping / 3
            if done:
                break
        else:
            damping *= 5
    return change


def sigmoid(x: Floats) -> Floats:
    """Map any number to 0..1."""
    return 1 / (1 + np.exp(-np.clip(x, -60, 60)))
