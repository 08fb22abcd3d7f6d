"""What fine-tuning must not spoil: how the shipped network's error on its own training faces answers to its last layer.

The pictures do not ship, so a summary of them does, ``NAME.keep.npz`` beside the weights: for a change ``d`` of the
last layer's weights and bias, the mean squared error on those faces changes by about ``2 g d + d H d``. With p the reading,
t the truth and f the last layer's input (and 1, for the bias), the reading moves by p (1 - p) f d, so that
g = mean of p (1 - p) (p - t) f  and  H = mean of (p (1 - p))^2 f f'  (Gauss-Newton).

To make it for weights: ``mouth-live export RUN -o NAME.tflite --keep FACES``.

Source: the quadratic penalty that keeps an old task while a new one is learnt is that of Kirkpatrick et al. 2017,
"Overcoming catastrophic forgetting in neural networks"; here with the whole matrix, which one layer allows.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, ModelError
from ..weights_file import WEIGHTS_FOLDER, Weights, load_weights
from . import extra_packages
from .augment import plain, varied
from .data import read_labels
from .network import NEUTRAL
from .patches import cut_patches

Floats = NDArray[np.float64]

HEAD = "openness"  # the name of the last layer, one unit with a sigmoid
MOST_FACES = 4000  # of the training faces so many are looked at, as they are and varied
BATCH = 128


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
        """By how much a change (k + 1,) of the last layer's weights and bias raises the squared error, about."""
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
        """(k + 1,) float64: the last layer's weights, then its bias."""
        kernel, bias = self.layer.get_weights()
        return np.concatenate([kernel[:, 0], bias]).astype(np.float64)

    def replace(self, weights: Floats) -> None:
        """Give the last layer other weights, as :attr:`weights` has them."""
        self.layer.set_weights([weights[:-1, None].astype(np.float32), weights[-1:].astype(np.float32)])

    def inputs_of(self, crops: NDArray[np.uint8]) -> Floats:
        """The last layer's inputs for crops (n, 60, 60, 3) uint8 RGB, and a 1 for its bias: (n, k + 1) float64."""
        arrays: list[NDArray[np.float32]] = []
        for tensor in self.model.inputs:
            if tuple(tensor.shape[1:]) == (2,):
                arrays.append(np.full((len(crops), 2), NEUTRAL))
            else:
                arrays.append(crops.astype(np.float32) / np.float32(255))
        values = self.features.predict(arrays if len(arrays) > 1 else arrays[0], batch_size=BATCH, verbose=0)
        return np.concatenate([values, np.ones((len(crops), 1))], axis=1).astype(np.float64)


def load_head(name_or_path: str | Path) -> tuple[Weights, Head]:
    """Weights that ship or were exported, as a Keras model whose last layer can be changed.

    Raises:
        ModelError: they cannot be read, or do not end in a layer named ``openness`` with one unit.
        MissingExtraError: TensorFlow is not installed.
    """
    weights = load_weights(name_or_path, "openness")
    path = _beside(name_or_path, ".keras")
    if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != weights.card.get("keras_sha256"):
        raise ModelError(f"{path}: missing, damaged or changed; export the model again or reinstall mouth-live")
    keras = extra_packages.keras()
    model = keras.models.load_model(path, compile=False)
    layer = next((layer for layer in model.layers if layer.name == HEAD), None)
    if layer is None or getattr(layer, "units", 0) != 1 or layer.activation is not keras.activations.sigmoid:
        raise ModelError(f"{path}: has no last layer named {HEAD!r} with one unit and a sigmoid, so it cannot be tuned")
    return weights, Head(model, keras.Model(model.inputs, layer.input), layer)


def write_keep(name_or_path: str | Path, data: Path, seed: int = 0) -> Keep:
    """Make ``NAME.keep.npz`` beside weights, from faces they were trained on; test faces take no part.

    Raises:
        ModelError: as for :func:`load_head`.
        DataError: the labels cannot be read, or the file cannot be written.
    """
    weights, head = load_head(name_or_path)
    keep = measure_keep(head, data, seed)
    path = _beside(name_or_path, ".keep.npz")
    part = path.with_suffix(".part.npz")
    digest = hashlib.sha256(weights.content).hexdigest()
    try:
        np.savez_compressed(
            part,
            sha256=digest,
            error=keep.error,
            faces=keep.faces,
            gradient=keep.gradient.astype(np.float32),
            curvature=keep.curvature.astype(np.float32),
        )
        part.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot write it ({error.strerror})") from None
    return keep


def measure_keep(head: Head, data: Path, seed: int = 0) -> Keep:
    """Take the summary from labelled faces, as they are and once varied.

    Args:
        head: the network.
        data: folder with ``labels.csv`` and the pictures; its test part is left out.
        seed: of the choice of faces and of the variations.

    Raises:
        DataError: the labels cannot be read, or none is for training.
    """
    labels = read_labels(data)
    tested = {label.group for label in labels if label.part == "test"}
    usable = [label for label in labels if label.group not in tested]
    if not usable:
        raise DataError(f"{data / 'labels.csv'}: all its faces are of the test part; --keep takes training faces")
    rng = np.random.default_rng(seed)
    order: list[int] = np.sort(rng.permutation(len(usable))[:MOST_FACES]).tolist()
    patches = cut_patches([usable[i] for i in order])
    crops = np.concatenate([plain(patches.images), varied(patches.images, rng)])
    return _summary(head, crops, np.tile(patches.openness.astype(np.float64), 2))


def read_keep(name_or_path: str | Path, weights: Weights) -> Keep | None:
    """The summary beside weights; None where there is none.

    Raises:
        ModelError: it is damaged, or belongs to other weights.
    """
    path = _beside(name_or_path, ".keep.npz")
    try:
        with np.load(path) as stored:
            digest, gradient, curvature = str(stored["sha256"]), stored["gradient"], stored["curvature"]
            error, faces = float(stored["error"]), int(stored["faces"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, BadZipFile):
        raise ModelError(f"{path}: damaged; export the model again with --keep, or reinstall mouth-live") from None
    if digest != hashlib.sha256(weights.content).hexdigest():
        raise ModelError(f"{path}: belongs to other weights; export the model again with --keep")
    return Keep(error, gradient.astype(np.float64), curvature.astype(np.float64), faces)


def _summary(head: Head, crops: NDArray[np.uint8], truth: Floats) -> Keep:
    inputs = head.inputs_of(crops)
    read = 1 / (1 + np.exp(-(inputs @ head.weights)))
    slopes = (read * (1 - read))[:, None] * inputs
    error = read - truth
    count = len(truth)
    return Keep(float(np.mean(error**2)), slopes.T @ error / count, slopes.T @ slopes / count, count // 2)


def _beside(name_or_path: str | Path, suffix: str) -> Path:
    path = Path(name_or_path)
    path = path if path.suffix == ".tflite" else WEIGHTS_FOLDER / f"{name_or_path}.tflite"
    return path.with_suffix(suffix)
