"""Train the reference network until its schedule ends it."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from ..light import network_input
from ..whole_file import part_path
from . import extra_packages
from .augment import plain, varied
from .data import LabelledFace
from .network import NEUTRAL, ReferencePreset, gender_pairs, reference_network
from .patches import Patches
from .run_folder import WEIGHTS, write_history

log = logging.getLogger("mouth_live")


def fit_reference(training: Patches, validation: Patches, chosen: ReferencePreset, seed: int, run: Path) -> None:
    """Train; write the history and the weights of the best epoch to the run folder.

    Args:
        training: the faces.
        validation: the faces that decide when to stop.
        chosen: the preset.
        seed: of the variations and the order.
        run: the folder.

    Raises:
        DataError: the loss was never a number.
    """
    keras = extra_packages.keras()
    callbacks = keras.callbacks
    model = reference_network()
    model.compile(keras.optimizers.Adam(chosen.learning_rate), "mse")
    begin = time.monotonic()
    history: list[dict[str, float]] = []

    def note(epoch: int, logs: dict[str, float]) -> None:
        """Add one epoch's row to the history."""
        values = {name: float(value) for name, value in logs.items()}
        history.append({"epoch": epoch + 1, **values, "seconds": round(time.monotonic() - begin, 1)})
        write_history(history, run)
        log.info("epoch %d: loss %.5f, validation %.5f", epoch + 1, logs["loss"], logs["val_loss"])

    crops = network_input(plain(validation.images))
    part = part_path(run / WEIGHTS, keep_suffix=True)
    model.fit(
        _batches(training, chosen, seed),
        steps_per_epoch=len(training.faces) // chosen.batch,
        validation_data=((crops, np.full((len(crops), 2), NEUTRAL)), validation.openness),
        epochs=chosen.epochs,
        shuffle=False,  # the batches are
        verbose=0,
        callbacks=[
            callbacks.ReduceLROnPlateau(patience=chosen.slow_patience, factor=chosen.slow_factor),
            callbacks.EarlyStopping(patience=chosen.stop_patience),
            callbacks.ModelCheckpoint(part, save_best_only=True),
            callbacks.LambdaCallback(on_epoch_end=note),
        ],
    )
    if not part.exists():
        raise DataError(f"{run}: the loss was never a number; lower the learning rate")
    part.replace(run / WEIGHTS)


def _batches(patches: Patches, chosen: ReferencePreset, seed: int) -> Iterator[tuple[Any, Any, Any]]:
    """Yield endless batches of varied crops, gender pairs, openness and weights, every face once an epoch."""
    rng = np.random.default_rng(seed)
    truth, weights = patches.openness, np.array([_weight(face, chosen) for face in patches.faces], np.float32)
    while True:
        order = rng.permutation(len(truth))
        for start in range(0, len(order) - chosen.batch + 1, chosen.batch):
            rows = order[start : start + chosen.batch]
            crops = network_input(varied(patches.images[rows], rng))
            yield (crops, gender_pairs(len(rows), chosen.neutral_gender, rng)), truth[rows], weights[rows]


def _weight(face: LabelledFace, chosen: ReferencePreset) -> float:
    trust = 1.0 if face.by_people else chosen.model_label_weight
    return trust * (1 + (chosen.wide_weight - 1) * face.openness)
