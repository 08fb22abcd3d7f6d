"""Train the face check, the small network that verifies what the detector takes for faces.

``mouth-live train --preset face-check --data FACES`` takes some 20 minutes on one core. The report has the rates
measured on sets and scenes that training never saw. Networks of this kind go through the same run folder and the same
exporter as the others.
"""

import logging
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..face_check import CHECK_SIZE
from ..light import network_input
from . import extra_packages
from .face_check_data import HELD_OUT_SETS, CheckData, collect
from .network import FACE_CHECK, FaceCheckPreset
from .run_folder import (
    begin_run,
    draw_history,
    finish_run,
    package_versions,
    refuse_used,
    save_weights,
    write_history,
)

log = logging.getLogger("mouth_live")


@dataclass(frozen=True, slots=True)
class Rates:
    """How right the check is in a single view of each crop; ``FaceFinder`` averages six views.

    Attributes:
        faces: how many crops of faces.
        kept: share of them that it takes for faces.
        non_faces: how many other crops.
        let_through: share of those that it takes for faces.
    """

    faces: int
    kept: float
    non_faces: int
    let_through: float


def train_face_check(
    data: Path, run: Path, chosen: FaceCheckPreset = FACE_CHECK, seed: int = 0, overwrite: bool = False
) -> Rates:
    """Train the face check and write a run folder that ``export`` takes.

    Args:
        data: folder with ``labels.csv`` and the pictures.
        run: folder to write; made with its parents.
        chosen: the preset.
        seed: of the choice of pictures, the variations and the first weights.
        overwrite: replace an earlier run there.

    Returns:
        The rates on sets and scenes that training never saw.

    Raises:
        DataError: the labels or a picture cannot be read, no face is found, or the folder is in use or cannot be
            written.
        MissingExtraError: Keras, scikit-image or matplotlib is not installed.
    """
    begin = time.monotonic()
    refuse_used(run, overwrite)
    extra_packages.keras()
    held_out = collect(data, chosen.held_out_pictures, seed + 1, held_out=True)
    training = collect(data, chosen.pictures, seed, held_out=False)
    begin_run(run)
    model, history = _fit(training, chosen, seed, run)
    rates = measure_rates(model, held_out)
    facts = {
        "task": "face-check",
        "preset": asdict(chosen),
        "seed": seed,
        "command": f"mouth-live train --data FACES --preset {chosen.name} --seed {seed}",
        "data": {"faces": len(training.faces), "non_faces": len(training.others)},
        "split": f"by set: {', '.join(HELD_OUT_SETS)} are held out; pictures of part 'test' take no part",
        "epochs": len(history),
        "seconds": round(time.monotonic() - begin),
        "versions": package_versions(),
        "held_out": asdict(rates),
    }
    save_weights(run, model)
    draw_history(history, run)
    finish_run(run, facts, _as_markdown(facts, rates))
    log.info("%s: %s", run, _in_words(rates))
    return rates


def network() -> Any:  # noqa: ANN401
    """Make the check: 48x48x3 in 0..1 to one probability; 73 thousand parameters, 2.6 million multiply-adds."""
    keras = extra_packages.keras()
    layers = keras.layers
    x = inputs = keras.Input((CHECK_SIZE, CHECK_SIZE, 3), name="crop")
    for filters, stride in ((16, 2), (32, 2), (48, 2), (64, 1)):
        x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
    x = layers.Flatten()(layers.MaxPooling2D(2)(x))
    x = layers.Dense(32, activation="relu")(layers.Dropout(0.3)(x))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="is_face")(x), name="face_check")


def _fit(data: CheckData, chosen: FaceCheckPreset, seed: int, run: Path) -> tuple[Any, list[dict[str, float]]]:
    """Train a fresh network on faces and others; vary light, blur and covers in each epoch afresh."""
    keras = extra_packages.keras()
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model = network()
    steps = chosen.epochs * max(1, 3 * len(data.faces) // chosen.batch)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(chosen.learning_rate, steps)),
        "binary_crossentropy",
    )
    history: list[dict[str, float]] = []
    begin = time.monotonic()
    for epoch in range(chosen.epochs):
        others = data.others[rng.permutation(len(data.others))[: 2 * len(data.faces)]]
        crops = np.concatenate([_varied(data.faces, rng, cover=True), _varied(others, rng, cover=False)])
        truth = np.repeat(np.array([1, 0], np.float32), [len(data.faces), len(others)])
        fitted = model.fit(network_input(crops), truth, batch_size=chosen.batch, epochs=1, verbose=0)
        loss = float(fitted.history["loss"][0])
        history.append({"epoch": epoch + 1.0, "loss": loss, "seconds": round(time.monotonic() - begin, 1)})
        write_history(history, run)
        log.info("epoch %d of %d: loss %.4f", epoch + 1, chosen.epochs, loss)
    return model, history


def measure_rates(model: Any, data: CheckData) -> Rates:  # noqa: ANN401
    """Measure a Keras model on crops of faces and non-faces."""
    kept, through = (model.predict(network_input(c), verbose=0) >= 0.5 for c in (data.faces, data.others))
    return Rates(len(kept), float(kept.mean()), len(through), float(through.mean()))


def _in_words(rates: Rates) -> str:
    return (
        f"keeps {rates.kept:.1%} of {rates.faces} held-out faces and lets {rates.let_through:.1%} of "
        f"{rates.non_faces} other crops through, in a single view"
    )


def _as_markdown(facts: dict[str, Any], rates: Rates) -> str:
    data = facts["data"]
    return (
        f"# Training run: preset {facts['preset']['name']}, seed {facts['seed']}\n\n"
        f"{data['faces']} crops of faces and {data['non_faces']} others trained on. Split {facts['split']}.\n"
        f"{facts['epochs']} epochs in {facts['seconds'] / 60:.0f} minutes. The network {_in_words(rates)}.\n"
    )


def _varied(crops: NDArray[np.uint8], rng: np.random.Generator, cover: bool) -> NDArray[np.uint8]:
    """Vary each crop in light, sharpness and colour; mirror some, and cover some faces as by a hand or microphone."""
    varied = np.empty_like(crops)
    for target, crop in zip(varied, crops, strict=True):
        x: NDArray[np.uint8] = crop[:, ::-1].copy() if rng.random() < 0.5 else crop.copy()
        if cover and rng.random() < 0.15:
            _mask(x, rng)
        if cover and rng.random() < 0.3:
            centre = (int(rng.integers(12, 36)), int(rng.integers(26, 48)))
            axes = (int(rng.integers(3, 11)), int(rng.integers(3, 9)))
            cv2.ellipse(
                x, centre, axes, float(rng.uniform(0, 180)), 0, 360, [int(c) for c in rng.integers(0, 256, 3)], -1
            )
        if rng.random() < 0.3:
            small = int(rng.integers(10, CHECK_SIZE))
            fewer = cv2.resize(x, (small, small), interpolation=cv2.INTER_AREA)
            x = cv2.resize(fewer, (CHECK_SIZE, CHECK_SIZE)).astype(np.uint8, copy=False)
        light: NDArray[np.float64] = x.astype(np.float32) * rng.uniform(0.35, 1.5) * rng.uniform(0.85, 1.15, 3)
        light = light + rng.uniform(-25, 25)
        if rng.random() < 0.2:
            light = light.mean(axis=2, keepdims=True)
        target[:] = np.clip(light + rng.normal(0, rng.uniform(0, 8), x.shape), 0, 255)
    return varied


def _mask(crop: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Draw a surgical mask: a plain or pleated shape from the nose over mouth and chin."""
    top, bottom, middle = rng.uniform(24, 31), rng.uniform(41, 48), CHECK_SIZE / 2 + rng.normal(0, 2)
    half, narrow = rng.uniform(9, 15), rng.uniform(0.4, 0.9)
    outline = [
        (middle - half, top + rng.uniform(0, 4)),
        (middle, top),
        (middle + half, top + rng.uniform(0, 4)),
        (middle + narrow * half, bottom),
        (middle - narrow * half, bottom),
    ]
    colour = rng.choice([rng.uniform(190, 255), rng.uniform(10, 60), rng.uniform(90, 190)]) + rng.normal(0, 25, 3)
    colours = [int(c) for c in np.clip(colour, 0, 255)]
    cv2.fillPoly(crop, [np.array(outline).round().astype(np.int32)], colours, cv2.LINE_AA)
    if rng.random() < 0.5:  # pleats
        for y in np.arange(top + 4, bottom - 2, 4):
            ends = [(int(middle + side * half * 0.7), int(y)) for side in (-1, 1)]
            cv2.line(crop, ends[0], ends[1], [int(c * 0.85) for c in colours], 1, cv2.LINE_AA)
