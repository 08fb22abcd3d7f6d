"""Train the compact network: people's labels where there are any, else the teacher's, and all that teaches geometry.

A step of 96 crops takes about 0.2 s on one free core, varying the faces before the first one two to three minutes.
Source of the running mean of the weights: Polyak and Juditsky 1992, "Acceleration of stochastic approximation by
averaging".
"""

import logging
import time
from collections.abc import Sequence
from math import cos, pi
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import compact, extra_packages
from .augment import plain
from .compact_batches import Batch, Batches, Pool, Targets, make_targets
from .landmarks import Landmarks
from .network import CompactPreset, Phase, read_crops
from .patches import Patches
from .run_folder import save_weights, write_history
from .trunk import PREFIX

log = logging.getLogger("mouth_live")

STEPS = 200
"""Steps in what the history calls an epoch."""

MEMORY = 0.998  # of the running mean of the weights: the last 500 steps


def fit_compact(
    training: Patches,
    landmarks: Landmarks,
    chosen: CompactPreset,
    seed: int,
    run: Path,
    trained: Any = None,  # noqa: ANN401
) -> None:
    """Train; write the history and the weights, running means over the last 500 steps, to the run folder.

    Args:
        training: the faces, covered ones among them.
        landmarks: of the same faces.
        chosen: the preset.
        seed: of the variations and the order.
        run: the folder.
        trained: a compact network in Keras to begin with; its values are also targets where people gave no label.

    Raises:
        ModelError: ``trained`` is another network.
    """
    keras = extra_packages.keras()
    model, second = compact.training_network(), None
    if trained is not None:
        compact.begin_with(model, trained)
        second = _second_values(trained, plain(training.images))
    known = make_targets(training, landmarks, chosen, seed, second)
    model.compile(_optimizer(chosen), compact.loss, jit_compile="auto" if keras.backend.backend() == "jax" else False)
    model.fit(
        _batches(known, chosen, seed),
        steps_per_epoch=STEPS,
        epochs=sum(phase.epochs for phase in chosen.phases),
        shuffle=False,  # the faces are drawn at random
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=_Notes(run).note)],
    )
    save_weights(run, compact.running_network(model))


def _second_values(trained: Any, crops: NDArray[np.uint8]) -> NDArray[np.float32]:  # noqa: ANN401
    """Read crops with a trained network, (n,): the mean of each and its mirror image."""
    both = [read_crops(trained, np.ascontiguousarray(seen))[:, 0] for seen in (crops, crops[:, :, ::-1])]
    return np.mean(both, axis=0).astype(np.float32)


def _optimizer(chosen: CompactPreset) -> Any:  # noqa: ANN401
    """Make an AdamW whose steps are smaller in the trunk, which is pretrained."""
    keras = extra_packages.keras()

    steps = STEPS * sum(phase.epochs for phase in chosen.phases)
    rates = np.array([learning_rate(step, chosen.phases) for step in range(steps)], np.float32)

    class TwoRates(keras.optimizers.AdamW):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:  # noqa: ANN401
            """Scale the learning rate of the trunk's variables."""
            path = str(getattr(variable, "path", variable.name))
            rate = chosen.trunk_rate if path.startswith(PREFIX) else 1.0
            keras.optimizers.AdamW.update_step(self, gradient, variable, learning_rate * rate)

    class FromTable(keras.optimizers.schedules.LearningRateSchedule):
        """A table of rates: TensorFlow traces a schedule for each of 170 variables, which takes half a minute else."""

        def __call__(self, step: Any) -> Any:  # noqa: ANN401
            return keras.ops.take(rates, keras.ops.cast(step, "int32"))

    return TwoRates(FromTable(), weight_decay=chosen.weight_decay, clipnorm=2.0, use_ema=True, ema_momentum=MEMORY)


def _batches(known: Targets, chosen: CompactPreset, seed: int) -> Any:  # noqa: ANN401
    """Return the batches of all phases as Keras takes them: made in threads while it computes."""
    made = Batches(known, Pool(known, seed), chosen.batch, seed)

    class Steps(extra_packages.keras().utils.PyDataset):
        """Endless, for Keras asks for some steps ahead."""

        num_batches = None

        def __getitem__(self, step: int) -> Batch:
            return made.make(step, phase_at(step, chosen.phases)[0])

    return Steps(workers=2)


def phase_at(step: int, phases: Sequence[Phase]) -> tuple[Phase, int]:
    """Return the phase that a step belongs to, the last one also after its end, and the step's number in it."""
    phase, *later = phases
    steps = phase.epochs * STEPS
    return phase_at(step - steps, later) if later and step >= steps else (phase, step)


def learning_rate(step: int, phases: Sequence[Phase]) -> float:
    """Return the learning rate of a step."""
    phase, step = phase_at(step, phases)
    steps = phase.epochs * STEPS
    rise = min(STEPS, steps // 4)
    if step < rise:
        return phase.learning_rate * (step + 1) / rise
    return phase.learning_rate * (0.01 + 0.99 * (1 + cos(pi * (step - rise) / (steps - rise))) / 2)


class _Notes:
    """Writes the history as it grows."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._begin = time.monotonic()
        self._history: list[dict[str, float]] = []

    def note(self, epoch: int, logs: dict[str, float]) -> None:
        """Add one epoch's row."""
        seconds = round(time.monotonic() - self._begin, 1)
        self._history.append({"epoch": epoch + 1.0, "loss": float(logs["loss"]), "seconds": seconds})
        write_history(self._history, self._run)
        log.info("epoch %d: loss %.5f", epoch + 1, logs["loss"])
