"""Train an openness network and write a run folder (see ``run_folder.py`` for what is in it).

With the reference preset and the project's 20,000 labelled faces, of which 11,000 are trained on, an epoch takes half a
minute on two free cores, and 34 of them were enough.
"""

import logging
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from ..light import network_input
from . import extra_packages
from .augment import plain, varied
from .compact import begin_with, training_network
from .compact_training import fit_compact
from .data import LabelledFace, balanced, read_covered, read_labels, split
from .evaluate import Report
from .landmarks import Landmarks, load_landmarks, no_landmarks
from .last_layer import Twin, load_twin
from .network import DEFAULT_PRESET, NEUTRAL, CompactPreset, Preset, gender_pairs, preset, reference_network
from .patches import Patches, load_patches
from .run_folder import PATCHES, REPORT, WEIGHTS, History, count_by_set, report_run, write_history

log = logging.getLogger("mouth_live")


def train(
    data: Path,
    run: Path,
    preset_name: str = DEFAULT_PRESET,
    seed: int = 0,
    overwrite: bool = False,
    exclude: Collection[str] = (),
    landmarks: Path | None = None,
    base: str | Path | None = None,
) -> Report:
    """Train from labelled faces.

    Args:
        data: folder with ``labels.csv`` and the pictures.
        run: folder to write; made with its parents.
        preset_name: one of :data:`mouth_live.models.training.network.PRESETS`.
        seed: of the choice of faces, the split, the order, the variations and the first weights.
        overwrite: replace an earlier run there (its cut mouths are used again).
        exclude: sets to leave out.
        landmarks: for the compact network, a file that the module ``landmarks`` wrote; it does better with it.
        base: compact weights, shipped by name or an exported ``.tflite`` file, to go on from: the last phase only.

    Returns:
        The report on the test part, which training never saw (on validation where the labels have no test part).

    Raises:
        DataError: the labels cannot be read, the run folder is in use or cannot be written, an unknown preset,
            or one that cannot go on from weights.
        ModelError: the weights to begin with cannot be read, or are not of the compact network.
        MissingExtraError: TensorFlow or matplotlib is not installed.
    """
    chosen = preset(preset_name)
    if base and isinstance(chosen, Preset):
        raise DataError(f"the preset {preset_name} cannot go on from weights; leave --from away, or use compact")
    if (run / WEIGHTS).exists() and not overwrite:
        raise DataError(f"{run}: holds a run already; give another --run or --overwrite")
    labels = read_labels(data, exclude)
    if isinstance(chosen, Preset):
        labels = balanced(labels, chosen.bulk, seed)
    else:
        labels += read_covered(data, exclude)
    # What is missing or does not fit is told before minutes of cutting mouths.
    extra_packages.tensorflow()
    extra_packages.new_figure(1, 1)
    twin = load_twin(base) if base else None
    if twin:
        begin_with(training_network(), twin.model)
    try:
        run.mkdir(parents=True, exist_ok=True)
        for old in (REPORT, WEIGHTS):
            (run / old).unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{run}: cannot write to this folder ({error.strerror}); give another --run") from None
    patches = load_patches(data, run / PATCHES, labels)
    if patches.missed:
        by_set = ", ".join(f"{name} {count}" for name, count in count_by_set(patches.missed).items())
        log.warning("%d of %d faces not found, left out: %s", len(patches.missed), len(labels), by_set)
    points = load_landmarks(landmarks, data, patches.faces) if landmarks else no_landmarks(len(patches.faces))
    return train_on(patches, run, chosen, seed, points, twin)


def train_on(
    patches: Patches,
    run: Path,
    chosen: Preset | CompactPreset,
    seed: int,
    landmarks: Landmarks | None = None,
    base: Twin | None = None,
) -> Report:
    """Train on mouths that are cut already, into a folder that is there; the rest as in :func:`train`.

    Args:
        patches: the mouths.
        run: the folder.
        chosen: the preset.
        seed: as in :func:`train`.
        landmarks: of the same faces; for the compact network.
        base: the compact network to begin with.
    """
    keras = extra_packages.keras()
    keras.utils.set_random_seed(seed)
    rows = split(patches.faces, chosen.validation, seed)
    training, validation = (patches.chosen(side) for side in rows)
    enough = validation.faces or isinstance(chosen, CompactPreset)
    if len(training.faces) < chosen.batch or not enough:
        raise DataError(
            f"{len(training.faces)} faces to train on and {len(validation.faces)} to validate on are too few "
            f"(at least {chosen.batch} and 1); label more people"
        )
    known = 0
    if isinstance(chosen, CompactPreset):
        points = (landmarks or no_landmarks(len(patches.faces))).chosen(rows[0])
        known = int(points.known.sum())
        if base:
            chosen = replace(chosen, phases=chosen.phases[-1:])
        fit_compact(training, points, chosen, seed, run, base and base.model)
    else:
        model = reference_network()
        model.compile(keras.optimizers.Adam(chosen.learning_rate), "mse")
        _fit(model, training, validation, chosen, seed, run)
    report = report_run(run, patches, chosen, seed, known, base and base.weights)
    log.info("%s: %s", run, report.as_text())
    return report


def _fit(
    model: Any,  # noqa: ANN401
    training: Patches,
    validation: Patches,
    chosen: Preset,
    seed: int,
    run: Path,
) -> None:
    """Train until the schedule ends it; leaves the history and the weights of the best epoch in the run folder."""
    callbacks = extra_packages.keras().callbacks
    begin = time.monotonic()
    history: History = []

    def note(epoch: int, logs: dict[str, float]) -> None:
        values = {name: float(value) for name, value in logs.items()}
        history.append({"epoch": epoch + 1, **values, "seconds": round(time.monotonic() - begin, 1)})
        write_history(history, run)
        log.info("epoch %d: loss %.5f, validation %.5f", epoch + 1, logs["loss"], logs["val_loss"])

    crops = network_input(plain(validation.images))
    part = run / f"{Path(WEIGHTS).stem}.part.keras"
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


def _batches(patches: Patches, chosen: Preset, seed: int) -> Iterator[tuple[Any, Any, Any]]:
    """Endless batches of varied crops, gender pairs, openness and weights, every face once an epoch."""
    rng = np.random.default_rng(seed)
    truth, weights = patches.openness, np.array([_weight(face, chosen) for face in patches.faces], np.float32)
    while True:
        order = rng.permutation(len(truth))
        for start in range(0, len(order) - chosen.batch + 1, chosen.batch):
            rows = order[start : start + chosen.batch]
            crops = network_input(varied(patches.images[rows], rng))
            yield (crops, gender_pairs(len(rows), chosen.neutral_gender, rng)), truth[rows], weights[rows]


def _weight(face: LabelledFace, chosen: Preset) -> float:
    trust = 1.0 if face.by_people else chosen.model_label_weight
    return trust * (1 + (chosen.wide_weight - 1) * face.openness)
