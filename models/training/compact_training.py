"""Train the compact network: a cycle on the labels, then others that also learn from what the last has understood.

Landmark models and people disagree systematically on hard faces. After the first cycle the network has seen 5,000 faces
that people labelled, so its own reading, averaged with the landmark model's, is a better label of the other 13,000 than
either; and so on.
Source of the idea: Hinton et al. 2015, "Distilling the Knowledge in a Neural Network"; Yalniz et al. 2019,
"Billion-scale semi-supervised learning for image classification".
"""

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import compact, extra_packages
from .augment import plain
from .compact_batches import Lessons, Pool, batches, lessons
from .landmarks import Landmarks
from .network import CompactPreset
from .patches import Patches
from .run_folder import CYCLE, WEIGHTS, History, write_history

log = logging.getLogger("mouth_live")

STEPS = 200
"""Steps in what the history calls an epoch: faces are drawn by chance, not in turn."""


def fit_compact(
    training: Patches, landmarks: Landmarks, chosen: CompactPreset, seed: int, run: Path, start: Path | None = None
) -> None:
    """Train all cycles; leaves the history and the weights in the run folder.

    Args:
        training: the faces, covered ones among them.
        landmarks: of the same faces.
        chosen: the preset.
        seed: of the variations and the order.
        run: the folder.
        start: weights (``.weights.h5``) of a training network that has been through the first cycle already, or more.
    """
    known = lessons(training, landmarks, chosen.measured_trust)
    model = compact.training_network()
    rng = np.random.default_rng(seed)
    notes = _Notes(run)
    if start:
        model.load_weights(start)
    for cycle, (epochs, rate) in enumerate(chosen.cycles):
        if start and not cycle:
            continue
        if cycle:
            known = understood(model, known, chosen.understood_trust)
        pool = Pool(training.images, seed + cycle)
        _cycle(model, known, pool, chosen, epochs, rate, rng, notes)
        model.save_weights(run / CYCLE)
    part = run / f"{Path(WEIGHTS).stem}.part.keras"
    compact.running_network(model).save(part)
    part.replace(run / WEIGHTS)


def understood(model: Any, known: Lessons, trust: float) -> Lessons:  # noqa: ANN401
    """The lessons with better labels where people gave none: the mean of the landmark model's and the network's own.

    Args:
        model: after a cycle.
        known: the lessons of that cycle or of one before it; the landmark model's label is taken from the faces.
        trust: what the better labels count.
    """
    crops = plain(known.patches.images)
    own = (_read(model, crops) + _read(model, crops[:, :, ::-1])) / 2
    unlabelled = np.array([not face.by_people and not face.covered for face in known.patches.faces])
    openness, weight = known.patches.openness, known.trust.copy()
    openness[unlabelled] = (openness[unlabelled] + own[unlabelled]) / 2
    weight[unlabelled] = trust
    return replace(known, openness=openness, trust=weight)


def _read(model: Any, crops: NDArray[np.uint8]) -> NDArray[np.float32]:  # noqa: ANN401
    parts = [crops[i : i + 512].astype(np.float32) / np.float32(255) for i in range(0, len(crops), 512)]
    return np.concatenate([model.predict_on_batch(part)[:, compact.OPENNESS] for part in parts])


def _cycle(
    model: Any,  # noqa: ANN401
    known: Lessons,
    pool: Pool,
    chosen: CompactPreset,
    epochs: int,
    learning_rate: float,
    rng: np.random.Generator,
    notes: "_Notes",
) -> None:
    """One rise and fall of the learning rate; the weights at its end are running means over the last 500 steps."""
    keras = extra_packages.keras()
    rise = min(STEPS, epochs * STEPS // 4)
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-5, epochs * STEPS - rise, alpha=0.01, warmup_target=learning_rate, warmup_steps=rise
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=chosen.weight_decay, clipnorm=2.0, use_ema=True, ema_momentum=0.998
    )
    model.compile(optimizer, compact.loss, jit_compile=False)
    model.fit(
        batches(known, pool, chosen.batch, rng),
        steps_per_epoch=STEPS,
        epochs=epochs,
        shuffle=False,  # the faces are drawn by chance
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=notes.note)],
    )


class _Notes:
    """Writes the history as it grows."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._begin = time.monotonic()
        self._history: History = []

    def note(self, epoch: int, logs: dict[str, float]) -> None:
        """One epoch's row; epochs count on over the cycles."""
        del epoch
        seconds = round(time.monotonic() - self._begin, 1)
        row = {"epoch": float(len(self._history) + 1), "loss": float(logs["loss"]), "seconds": seconds}
        self._history.append(row)
        write_history(self._history, self._run)
        log.info("epoch %d: loss %.5f", len(self._history), logs["loss"])
