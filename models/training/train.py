"""Train an openness network and write a run folder.

The folder holds ``weights.keras`` (the best epoch), ``history.csv`` (a row an epoch), ``curve.png``, ``report.json``
and ``patches.npz`` (the mouths cut out, kept so that a repeat starts at once; delete it freely). With the reference
preset and the project's 20,000 labelled faces this takes about half an hour on two cores.
"""

import csv
import json
import logging
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, MissingExtraError
from .augment import plain, varied
from .data import LabelledFace, Patches, balanced, load_patches, read_labels, split
from .evaluate import Report, measure
from .network import Preset, preset, reference_network

log = logging.getLogger("mouth_live")

NEUTRAL = np.float32(0.5)


def train(data: Path, run: Path, preset_name: str = "reference", seed: int = 0, overwrite: bool = False) -> Report:
    """Train from labelled faces.

    Args:
        data: folder with ``labels.csv`` and the pictures.
        run: folder to write; made with its parents.
        preset_name: one of :data:`mouth_live.models.training.network.PRESETS`.
        seed: of the choice of faces, the split, the order, the variations and the first weights.
        overwrite: replace an earlier run there (its cut mouths are used again).

    Returns:
        The report on the test part, which training never saw.

    Raises:
        DataError: the labels cannot be read, the run folder is in use or cannot be written, or an unknown preset.
        MissingExtraError: TensorFlow or matplotlib is not installed.
    """
    chosen = preset(preset_name)
    labels = balanced(read_labels(data), chosen.bulk, seed)
    _check_extra()
    if (run / "weights.keras").exists() and not overwrite:
        raise DataError(f"{run}: holds a run already; give another --run or --overwrite")
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{run}: cannot make this folder ({error.strerror}); give another --run") from None
    return train_on(load_patches(data, run / "patches.npz", labels), run, chosen, seed)


def train_on(patches: Patches, run: Path, chosen: Preset, seed: int) -> Report:
    """Train on patches that are cut already; the rest as in :func:`train`."""
    import keras

    keras.utils.set_random_seed(seed)
    begin = time.monotonic()
    train_rows, validation_rows = split(patches.faces, chosen.validation, seed)
    if not train_rows or not validation_rows:
        raise DataError(f"{len(patches.faces)} faces are too few to train and validate on; label more people")
    training, validation = patches.chosen(train_rows), patches.chosen(validation_rows)
    model = reference_network()
    model.compile(keras.optimizers.Adam(chosen.learning_rate), "mse")
    history = _fit(model, training, validation, chosen, seed, run)
    model = keras.models.load_model(run / "weights.keras", compile=False)
    test_rows = [i for i, face in enumerate(patches.faces) if face.part == "test"]
    validated = _report(model, validation, [])
    missed = [face for face in patches.missed if face.part == "test"]
    report = _report(model, patches.chosen(test_rows), missed) if test_rows else validated
    _draw(history, run / "curve.png")
    counts = {"training": len(train_rows), "validation": len(validation_rows), "test": len(test_rows)}
    facts = {
        "preset": asdict(chosen),
        "seed": seed,
        "faces": {**counts, "not_found": len(patches.missed)},
        "labelled_by_people": sum(face.by_people for face in training.faces),
        "split": "by set and person (by photo where the set does not tell people apart); part 'test' never seen",
        "sets": sorted({face.source for face in training.faces}),
        "seconds": round(time.monotonic() - begin),
        "epochs": len(history),
        "versions": {"python": platform.python_version(), "keras": keras.version(), "backend": keras.backend.backend()},
        "validation": asdict(validated),
        "test": asdict(report) if test_rows else None,
    }
    (run / "report.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    log.info("%s: %s", run, report.as_text())
    return report


def _fit(
    model: Any, training: Patches, validation: Patches, chosen: Preset, seed: int, run: Path
) -> list[dict[str, float]]:  # noqa: ANN401
    import keras

    crops, neutral = plain(validation.images).astype(np.float32) / 255, np.full((len(validation.faces), 2), NEUTRAL)
    history: list[dict[str, float]] = []
    part = run / "weights.part.keras"

    def note(epoch: int, logs: dict[str, float]) -> None:
        history.append({"epoch": epoch + 1, **{name: float(value) for name, value in logs.items()}})
        _write_history(history, run / "history.csv")
        log.info("epoch %d: loss %.5f, validation %.5f", epoch + 1, logs["loss"], logs["val_loss"])

    on_epoch: Callable[..., Any] = keras.callbacks.LambdaCallback
    model.fit(
        _batches(training, chosen, seed),
        steps_per_epoch=max(1, len(training.faces) // chosen.batch),
        validation_data=((crops, neutral), validation.openness),
        epochs=chosen.epochs,
        verbose=0,
        callbacks=[
            keras.callbacks.ReduceLROnPlateau(patience=chosen.slow_patience, factor=chosen.slow_factor),
            keras.callbacks.EarlyStopping(patience=chosen.stop_patience),
            keras.callbacks.ModelCheckpoint(part, save_best_only=True),
            on_epoch(on_epoch_end=note),
        ],
    )
    shutil.move(part, run / "weights.keras")
    return history


def _batches(patches: Patches, chosen: Preset, seed: int) -> Iterator[tuple[Any, Any, Any]]:
    """Endless batches of varied crops, gender pairs, openness and weights, every face once an epoch."""
    rng = np.random.default_rng(seed)
    truth, weights = patches.openness, np.array([_weight(face, chosen) for face in patches.faces], np.float32)
    while True:
        order = rng.permutation(len(truth))
        for start in range(0, len(order) - chosen.batch + 1, chosen.batch):
            rows = order[start : start + chosen.batch]
            crops = varied(patches.images[rows], rng).astype(np.float32) / 255
            yield (crops, gender_pairs(len(rows), chosen.neutral_gender, rng)), truth[rows], weights[rows]


def gender_pairs(count: int, neutral: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Gender pairs for training, (count, 2) float32: a share neutral, the others drawn at random.

    The labelled faces carry no gender, so the pair says nothing about the face: the network learns to do without it,
    and (0.5, 0.5), the only pair used at run time, is one that it knows.
    """
    p = np.where(rng.random(count) < neutral, 0.5, rng.random(count))
    return np.stack([p, 1 - p], axis=1).astype(np.float32)


def _weight(face: LabelledFace, chosen: Preset) -> float:
    trust = 1.0 if face.by_people else chosen.model_label_weight
    return trust * (1 + (chosen.wide_weight - 1) * face.openness)


def _report(model: Any, patches: Patches, missed: list[LabelledFace]) -> Report:  # noqa: ANN401
    pair = np.full((len(patches.faces), 2), NEUTRAL)
    values = model.predict((plain(patches.images).astype(np.float32) / 255, pair), verbose=0)[:, 0]
    return measure(patches.faces, values, missed)


def _write_history(history: list[dict[str, float]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def _draw(history: list[dict[str, float]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes: Any = figure.subplots()
    epochs = [row["epoch"] for row in history]
    axes.plot(epochs, [row["loss"] for row in history], label="training (varied crops, weighted, with L2)")
    axes.plot(epochs, [row["val_loss"] for row in history], label="validation (people never trained on, with L2)")
    axes.set(xlabel="epoch", ylabel="squared error", yscale="log")
    axes.legend()
    figure.savefig(path)


def _check_extra() -> None:
    import importlib.util

    if any(importlib.util.find_spec(name) is None for name in ("tensorflow", "matplotlib")):
        raise MissingExtraError("training", "train")
