"""What fine-tuning must not spoil: how the shipped network's error on its own training faces answers to its last layer.

The pictures do not ship, so a summary of them does, ``NAME.keep.npz`` next to the weights: for a change ``d`` of the
last layer's weights and bias, the mean squared error on those faces changes by about ``2 g d + d H d``. With p the
reading, t the truth and f the last layer's input (and 1, for the bias), the reading moves by p (1 - p) f d, so that
g = mean of p (1 - p) (p - t) f  and  H = mean of (p (1 - p))^2 f f'  (Gauss-Newton).

Make it for weights with ``mouth-live export RUN -o NAME.tflite --keep FACES``.

Source: the quadratic penalty that keeps an old task while a new one is learnt is that of Kirkpatrick et al. 2017,
"Overcoming catastrophic forgetting in neural networks"; here with the whole matrix, which one layer allows.
"""

import hashlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, ModelError
from ..weights_file import Weights, companion
from ..whole_file import whole_file
from .augment import plain, varied
from .data import read_labels
from .last_layer import Floats, Head, Keep, load_head, sigmoid
from .patches import cut_patches

MOST_FACES = 4000  # training faces that are used at most, as they are and varied


def write_keep(name_or_path: str | Path, data: Path, seed: int = 0) -> Keep:
    """Make ``NAME.keep.npz`` next to weights, from faces they were trained on; test faces take no part.

    Raises:
        ModelError: as for :func:`load_head`.
        DataError: the labels cannot be read, or the file cannot be written.
    """
    weights, head = load_head(name_or_path)
    keep = measure_keep(head, data, seed)
    path = companion(name_or_path, ".keep.npz")
    digest = hashlib.sha256(weights.content).hexdigest()
    with whole_file(path) as part:
        np.savez_compressed(
            part,
            sha256=digest,
            error=keep.error,
            faces=keep.faces,
            gradient=keep.gradient.astype(np.float32),
            curvature=keep.curvature.astype(np.float32),
        )
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
    return summarise_keep(head, crops, np.tile(patches.openness.astype(np.float64), 2))


def read_keep(name_or_path: str | Path, weights: Weights) -> Keep | None:
    """Read the summary that lies with weights; None where there is none.

    Raises:
        ModelError: it is damaged, or belongs to other weights.
    """
    path = companion(name_or_path, ".keep.npz")
    try:
        with path.open("rb") as file, np.load(file) as stored:
            digest, gradient, curvature = str(stored["sha256"]), stored["gradient"], stored["curvature"]
            error, faces = float(stored["error"]), int(stored["faces"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, BadZipFile):
        raise ModelError(f"{path}: damaged; export the model again with --keep, or reinstall mouth-live") from None
    if digest != hashlib.sha256(weights.content).hexdigest():
        raise ModelError(f"{path}: belongs to other weights; export the model again with --keep")
    return Keep(error, gradient.astype(np.float64), curvature.astype(np.float64), faces)


def summarise_keep(head: Head, crops: NDArray[np.uint8], truth: Floats) -> Keep:
    """Summarise crops (n, 60, 60, 3) uint8 RGB, each face's twice, and their openness (n,)."""
    inputs = head.inputs_of(crops)
    read = sigmoid(inputs @ head.weights)
    slopes = (read * (1 - read))[:, None] * inputs
    error = read - truth
    count = len(truth)
    return Keep(float(np.mean(error**2)), slopes.T @ error / count, slopes.T @ slopes / count, count // 2)
