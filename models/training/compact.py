"""The compact network: a third of the reference's time a face, more accurate, and it says how far to trust its value.

In training it answers more than it is asked at run time: beside the openness that people would mark it gives the one
that a landmark model would measure, and where that model sees 37 points of the lips and the face. People's labels are
few; the points teach the geometry that a single number teaches slowly. At export only two columns stay: openness and
reliability.
"""

from typing import Any

import numpy as np

from ..crop import CROP_SIZE
from . import extra_packages
from .landmarks import POINTS

OPENNESS, RELIABILITY, MEASURED, FIRST_POINT = 0, 1, 2, 3
"""Columns of the training network's output; the points follow as x, y in crop sides from the crop's middle."""

FIRST_POSE = FIRST_POINT + 2 * POINTS
POSE = 3  # jaw opening 0..1, turn and nod of the head in radians
COLUMNS = FIRST_POSE + POSE

WEIGHTS = 5
"""Columns after these in the truth: what openness, reliability, the measured openness and the points count, and whether
there is no mouth to be read."""

STEM = (16, 32)
STAGES = ((32, 1), (64, 2), (128, 1))
"""Filters and residual blocks at 15x15, 8x8 and 4x4."""

FEATURES = 128
DROPOUT = 0.1
BATCH_NORM_MOMENTUM = 0.98
CLOSE = 0.12
"""An error of this size leaves 1/e of the reliability."""


def training_network() -> Any:  # noqa: ANN401
    """The network with all that it answers in training.

    Returns:
        A Keras model: crops (n, 60, 60, 3) float32 RGB 0..1 in, (n, COLUMNS) out.
    """
    keras = extra_packages.keras()
    layers = keras.layers
    crop = keras.Input((CROP_SIZE, CROP_SIZE, 3), name="crop")
    x = crop
    for filters in STEM:
        x = _convolution(x, filters, stride=2)
    for stage, (filters, blocks) in enumerate(STAGES):
        for block in range(blocks):
            x = _residual(x, filters, stride=2 if stage and not block else 1)
    x = layers.Dropout(DROPOUT)(layers.Flatten()(x))
    # Without the normalisation nearly all of these units died: 3 of 128 were ever above zero after training.
    x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(layers.Dense(FEATURES, use_bias=False)(x))
    x = layers.ReLU(name="features")(x)
    answers = [layers.Dense(1, activation="sigmoid", name=n)(x) for n in ("openness", "reliability", "measured")]
    return keras.Model(crop, layers.Concatenate()([*answers, layers.Dense(COLUMNS - 3, name="points")(x)]))


def running_network(trained: Any) -> Any:  # noqa: ANN401
    """What the program runs: the same layers, crops in, (n, 2) out: openness and reliability."""
    keras = extra_packages.keras()
    answers = [trained.get_layer(name).output for name in ("openness", "reliability")]
    return keras.Model(trained.inputs[0], keras.layers.Concatenate(name="reading")(answers), name="compact")


def loss(truth: Any, answer: Any) -> Any:  # noqa: ANN401
    """What each crop's answer costs.

    Args:
        truth: (n, COLUMNS + WEIGHTS).
        answer: (n, COLUMNS).

    Returns:
        (n,).
    """
    ops = extra_packages.keras().ops
    openness, reliability, measured, points, no_mouth = (truth[:, COLUMNS + k] for k in range(WEIGHTS))
    error = answer[:, OPENNESS] - truth[:, OPENNESS]
    deserved = (1 - no_mouth) * ops.exp(-ops.square(ops.stop_gradient(error) / CLOSE))
    claimed = ops.clip(answer[:, RELIABILITY], 1e-4, 1 - 1e-4)
    surprise = -(deserved * ops.log(claimed) + (1 - deserved) * ops.log(1 - claimed))
    difference = answer - truth[:, :COLUMNS]
    return (
        openness * _huber(error, 0.3)
        + 0.03 * reliability * surprise
        + 0.5 * measured * _huber(difference[:, MEASURED], 0.3)
        + 8 * points * ops.mean(_huber(difference[:, FIRST_POINT:FIRST_POSE], 0.03), axis=1)
        + 0.05 * points * ops.mean(_huber(difference[:, FIRST_POSE:], 0.2), axis=1)
    )


def _huber(error: Any, bend: float) -> Any:  # noqa: ANN401
    """Squared error where it is small, growing as the error itself beyond ``bend``: wrong labels must not rule."""
    ops = extra_packages.keras().ops
    return 2 * np.float32(bend**2) * (ops.sqrt(1 + ops.square(error / bend)) - 1)


def _convolution(x: Any, filters: int, size: int = 3, stride: int = 1, active: bool = True) -> Any:  # noqa: ANN401
    layers = extra_packages.keras().layers
    x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x)
    return layers.ReLU()(x) if active else x


def _residual(x: Any, filters: int, stride: int) -> Any:  # noqa: ANN401
    """Two convolutions beside a shortcut."""
    layers = extra_packages.keras().layers
    y = _convolution(_convolution(x, filters, stride=stride), filters, active=False)
    if stride != 1:
        x = layers.AveragePooling2D(2, padding="same")(x)
    if x.shape[-1] != filters:
        x = _convolution(x, filters, size=1, active=False)
    return layers.ReLU()(layers.Add()([x, y]))
