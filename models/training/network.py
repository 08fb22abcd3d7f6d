"""The networks that can be trained, and how: the presets."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..crop import CROP_SIZE
from ..errors import DataError
from ..light import network_input
from . import extra_packages

SLOPE = 0.06  # of the leaky ReLU below zero
WEIGHT_DECAY = 0.001  # L2 on the dense kernels
DROPOUT = 0.25

NEUTRAL = np.float32(0.5)
"""Both numbers of the gender pair at run time."""


@dataclass(frozen=True, slots=True)
class ReferencePreset:
    """A network and its schedule.

    Attributes:
        name: what ``--preset`` calls it.
        batch: crops a step.
        epochs: at most this many.
        validation: share of the faces, by person, that decides when to stop.
        learning_rate: of Adam, at the start.
        slow_patience: epochs without a better validation until the learning rate falls to ``slow_factor`` of itself.
        slow_factor: that factor.
        stop_patience: epochs without a better validation until training ends.
        neutral_gender: share of the crops whose gender pair is (0.5, 0.5).
        bulk: share of the nearly closed mouths with a landmark model's label that takes part.
        model_label_weight: weight of such a label against one by people.
        wide_weight: how much more a fully open mouth counts than a closed one: they are rare.
    """

    name: str
    batch: int = 32
    epochs: int = 40
    validation: float = 0.1
    learning_rate: float = 1e-3
    slow_patience: int = 2
    slow_factor: float = 0.1
    stop_patience: int = 5
    neutral_gender: float = 0.5
    bulk: float = 0.35
    model_label_weight: float = 0.5
    wide_weight: float = 2.0


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the compact network's training: one rise, then a slow fall of the learning rate.

    Attributes:
        epochs: of 200 steps; faces are drawn at random, not in turn.
        learning_rate: the highest.
        gentle: share of the crops that are hardly varied: nearly as the program cuts them.
        auxiliary: weight of the auxiliary outputs in the loss, as a share of the highest.
    """

    epochs: int
    learning_rate: float
    gentle: float = 0.0
    auxiliary: float = 1.0


@dataclass(frozen=True, slots=True)
class CompactPreset:
    """The compact network and its schedule (AdamW): first geometry and hard pictures, then the value and good ones.

    A network this small cannot hold all of it at once: what it gives up in the second phase, the points and the worst
    pictures, is not needed at run time.

    Nothing is chosen by validation, so all faces but the test part can be trained on.

    Attributes:
        name: what ``--preset`` calls it.
        batch: crops a step.
        validation: share of the faces, by person, kept aside to be measured on.
        phases: one after the other.
        trunk_rate: what the pretrained trunk's learning rate is of that.
        weight_decay: of AdamW, times the learning rate.
        measured_trust: weight of a landmark model's label against one by people.
        taught_trust: weight of the teacher's value where people gave no label.
        taught_share: share of the teacher's value in the target where people gave a label: it evens out their slips.
    """

    name: str
    batch: int = 96
    validation: float = 0.0
    phases: tuple[Phase, ...] = (Phase(50, 2e-3), Phase(36, 1.2e-3, gentle=0.85, auxiliary=0.2))
    trunk_rate: float = 0.35
    weight_decay: float = 0.02
    measured_trust: float = 0.3
    taught_trust: float = 0.5
    taught_share: float = 0.35


@dataclass(frozen=True, slots=True)
class Cycle:
    """A part of the face check's training: the learning rate falls along half a cosine.

    Attributes:
        epochs: the crops are varied afresh in each.
        learning_rate: at the start.
    """

    epochs: int
    learning_rate: float


@dataclass(frozen=True, slots=True)
class FaceCheckPreset:
    """The face check and its schedule: Adam.

    Attributes:
        name: what ``--preset`` calls it.
        pictures: labelled pictures to collect faces and non-faces from, at most.
        turned_share: crops of turned heads in each epoch, per crop of a labelled face.
        held_out_pictures: pictures for measuring, of sets that training never sees.
        cycles: one after the other.
        batch: crops a step.
    """

    name: str = "face-check"
    pictures: int = 6000
    turned_share: float = 0.33
    held_out_pictures: int = 500
    cycles: tuple[Cycle, ...] = (Cycle(10, 2e-3), Cycle(4, 1e-3), Cycle(4, 1e-3))
    batch: int = 128


PRESETS: dict[str, ReferencePreset | CompactPreset] = {
    "compact": CompactPreset("compact"),
    "reference": ReferencePreset("reference"),
}
FACE_CHECK = FaceCheckPreset()
DEFAULT_PRESET = "compact"


def preset(name: str) -> ReferencePreset | CompactPreset:
    """Return an openness network's preset by its name.

    Raises:
        DataError: there is none; the message lists the known ones.
    """
    if name not in PRESETS:
        raise DataError(f"no preset named {name!r}; known: {', '.join([*PRESETS, FACE_CHECK.name])}")
    return PRESETS[name]


def reference_network() -> Any:  # noqa: ANN401
    """Make the reference network ``regression_mouth``: 1,446,497 parameters.

    Returns:
        A Keras model: crops (n, 60, 60, 3) float32 RGB 0..1 and gender pairs (n, 2) float32 in, openness (n, 1) out.
    """
    keras = extra_packages.keras()
    layers = keras.layers
    decay = keras.regularizers.L2(WEIGHT_DECAY)
    crop = keras.Input((CROP_SIZE, CROP_SIZE, 3), name="crop")
    gender = keras.Input((2,), name="gender")
    x = crop
    for filters, pool in ((32, False), (32, True), (64, True), (64, False), (64, False)):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.MaxPooling2D(2)(x) if pool else x
    x = layers.Dense(256, kernel_regularizer=decay)(layers.Flatten()(x))
    x = layers.Concatenate()([layers.LeakyReLU(SLOPE)(x), gender])
    x = layers.Dense(64, kernel_regularizer=decay)(layers.Dropout(DROPOUT)(x))
    x = layers.Dropout(DROPOUT)(layers.LeakyReLU(SLOPE)(x))
    x = layers.Dense(1, activation="sigmoid", kernel_regularizer=decay, name="openness")(x)
    return keras.Model([crop, gender], x, name="regression_mouth")


def gender_pairs(count: int, neutral: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw gender pairs for training, (count, 2) float32: a share neutral, the others (p, 1 - p) with p at random.

    The labelled faces carry no gender, so the pair holds nothing about the face: the network learns to do without it,
    and (0.5, 0.5), the only pair used at run time, is one that it knows.
    """
    p = np.where(rng.random(count) < neutral, NEUTRAL, rng.random(count))
    return np.stack([p, 1 - p], axis=1).astype(np.float32)


def read_crops(model: Any, crops: NDArray[np.uint8]) -> NDArray[np.float32]:  # noqa: ANN401
    """Read crops with a trained network in Keras, with the neutral gender pair where it takes one.

    Args:
        model: the reference or the compact network.
        crops: (n, 60, 60, 3) uint8, RGB.

    Returns:
        (n, 1) openness or (n, 2) openness and reliability.
    """
    pictures = network_input(crops)
    inputs = [pictures, np.full((len(crops), 2), NEUTRAL)] if len(model.inputs) == 2 else pictures
    return model.predict(inputs, verbose=0)
