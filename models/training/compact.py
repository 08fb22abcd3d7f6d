"""The compact network: a third of the reference's time a face, more accurate, and with a reliability for each value.

Its trunk is that of a face landmark network (``trunk.py``), fine-tuned in training. In training it has auxiliary
outputs next to openness and reliability: the openness that the teacher (``teacher.py``) reads from landmark models'
points, 48 points of the lips and the face, the gaps between the lips, and masks of the lips and of the mouth's opening.
People's labels are few, and a single number teaches geometry slowly; the points and masks teach it faster. The exported
network has two outputs: openness and reliability.
"""

from typing import Any

import numpy as np

from ..crop import CROP_SIZE
from ..errors import ModelError
from . import extra_packages
from .lip_points import CELLS, GAPS, IN_CELL, NETWORK_BOX, POINTS
from .trunk import load_pretrained, trunk

OPENNESS, RELIABILITY, TAUGHT, FIRST_POINT = 0, 1, 2, 3
"""Columns of the training network's output; the points follow as x, y in crop sides from the crop's middle."""

FIRST_GAP = FIRST_POINT + 2 * POINTS  # in thirds of the crop's side
FIRST_CELL = FIRST_GAP + GAPS  # logits of the lips' masks
OUTPUTS = FIRST_CELL + CELLS

LOSS_WEIGHTS = 5
"""Columns after these in the truth: the loss weights of openness, reliability, the teacher's value and all of the
points, and whether there is no mouth to read."""

GAP_UNIT = CROP_SIZE / 3  # pixels

SCALED = (80, 64)
"""Height and width of the view as the trunk sees it: a mouth as large as in a whole face at 256x256."""

FEATURES = 128
DROPOUT = 0.2
BATCH_NORM = {"momentum": 0.98, "epsilon": 1e-5}
CLOSE = 0.12
"""An error of this size leaves 1/e of the reliability."""


def training_network() -> Any:  # noqa: ANN401
    """Make the network with all outputs of training; its trunk pretrained, the rest random.

    Returns:
        A Keras model: crops (n, 60, 60, 3) float32 RGB 0..1 in, (n, OUTPUTS) out.

    Raises:
        ModelError: the pretrained weights are damaged.
    """
    keras = extra_packages.keras()
    layers = keras.layers
    crop = keras.Input((CROP_SIZE, CROP_SIZE, 3), name="crop")
    left, top, right, bottom = NETWORK_BOX
    x = layers.Cropping2D(((top, CROP_SIZE - bottom), (left, CROP_SIZE - right)))(crop)
    # Not the layer Resizing: in Keras 3 it puts a model that is called without `training` into training mode.
    eighth, x = trunk(keras.ops.image.resize(x, SCALED, interpolation="bilinear"))
    x = layers.Flatten()(layers.BatchNormalization(name="levelled", **BATCH_NORM)(x))
    x = layers.Dense(FEATURES, use_bias=False, name="mixed")(layers.Dropout(DROPOUT)(x))
    # Without the normalisation units of this layer die.
    x = layers.BatchNormalization(name="mixed_levelled", **BATCH_NORM)(x)
    x = layers.ReLU(name="features")(x)
    answers = [layers.Dense(1, activation="sigmoid", name=n)(x) for n in ("openness", "reliability", "taught")]
    points = layers.Dense(FIRST_CELL - FIRST_POINT, name="points")(x)
    cells = layers.Flatten()(layers.Conv2D(IN_CELL, 1, name="cells")(eighth))
    model = keras.Model(crop, layers.Concatenate()([*answers, points, cells]))
    load_pretrained(model)
    return model


def running_network(trained: Any) -> Any:  # noqa: ANN401
    """Make the network that runs: the same layers, crops in, (n, 2) openness and reliability out."""
    keras = extra_packages.keras()
    answers = [trained.get_layer(name).output for name in ("openness", "reliability")]
    return keras.Model(trained.inputs[0], keras.layers.Concatenate(name="reading")(answers), name="compact")


def begin_with(model: Any, trained: Any) -> None:  # noqa: ANN401
    """Give the training network what a trained one learned; the auxiliary outputs stay random.

    Args:
        model: made by :func:`training_network`.
        trained: made by :func:`running_network`, and trained.

    Raises:
        ModelError: it is another network.
    """
    known, own = ({layer.name: layer for layer in m.layers if layer.weights} for m in (trained, running_network(model)))
    if known.keys() != own.keys() or any(_shapes(known[name]) != _shapes(own[name]) for name in own):
        raise ModelError("these weights are not of the compact network, so its training cannot begin with them")
    for name, layer in own.items():
        layer.set_weights(known[name].get_weights())


def _shapes(layer: Any) -> list[tuple[int, ...]]:  # noqa: ANN401
    return [tuple(weights.shape) for weights in layer.weights]


def loss(truth: Any, answer: Any) -> Any:  # noqa: ANN401
    """Return the loss of each crop.

    Args:
        truth: (n, OUTPUTS + LOSS_WEIGHTS).
        answer: (n, OUTPUTS).

    Returns:
        (n,).
    """
    ops = extra_packages.keras().ops
    openness, reliability, taught, points, no_mouth = (truth[:, OUTPUTS + k] for k in range(LOSS_WEIGHTS))
    error = answer[:, OPENNESS] - truth[:, OPENNESS]
    deserved = (1 - no_mouth) * ops.exp(-ops.square(ops.stop_gradient(error) / CLOSE))
    given = ops.clip(answer[:, RELIABILITY], 1e-4, 1 - 1e-4)
    surprise = -(deserved * ops.log(given) + (1 - deserved) * ops.log(1 - given))
    difference = answer[:, :FIRST_CELL] - truth[:, :FIRST_CELL]
    inside, logits = truth[:, FIRST_CELL:OUTPUTS], answer[:, FIRST_CELL:]
    shapes = ops.mean(ops.softplus(logits) - inside * logits, axis=1)  # cross entropy
    return (
        openness * _huber(error, 0.3)
        + 0.03 * reliability * surprise
        + 0.5 * taught * _huber(difference[:, TAUGHT], 0.3)
        + 8 * points * ops.mean(_huber(difference[:, FIRST_POINT:FIRST_GAP], 0.03), axis=1)
        + 4 * points * ops.mean(_huber(difference[:, FIRST_GAP:], 0.05), axis=1)
        + 0.3 * points * shapes
    )


def _huber(error: Any, bend: float) -> Any:  # noqa: ANN401
    """Return the squared error, growing as the error itself beyond ``bend``: wrong labels must not dominate."""
    ops = extra_packages.keras().ops
    return 2 * np.float32(bend**2) * (ops.sqrt(1 + ops.square(error / bend)) - 1)
