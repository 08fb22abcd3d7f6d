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

import numpy as np
from numpy.typing import NDArray

from ..face_check import CHECK_SIZE
from ..light import network_input
from . import extra_packages
from .face_check_data import HELD_OUT_SETS, CheckData, collect
from .face_check_variations import varied
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
        turned: how many crops of faces turned by 30 to 90 degrees.
        turned_kept: share of those that it takes for faces; 0 where there are none.
        non_faces: how many other crops.
        let_through: share of those that it takes for faces.
    """

    faces: int
    kept: float
    turned: int
    turned_kept: float
    non_faces: int
    let_through: float


def train_face_check(
    data: Path, run: Path, chosen: FaceCheckPreset = FACE_CHECK, seed: int = 0, overwrite: bool = False
) -> Rates:
    """Train the face check and write a run folder that ``export`` takes.

    Args:
        data: folder with ``labels.csv``, the pictures and, for turned heads, ``turned.csv``.
        run: folder to write; made with its parents.
        chosen: the preset.
        seed: of the choice of pictures, the variations and the first weights.
        overwrite: replace an earlier run there.

    Returns:
        The rates on sets, scenes and turned photos that training never saw.

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
    if not len(training.turned):
        log.warning("%s: no photos of turned heads, so profiles may be rejected", data / "turned.csv")
    begin_run(run)
    model, history = _fit(training, chosen, seed, run)
    rates = measure_rates(model, held_out)
    facts = {
        "task": "face-check",
        "preset": asdict(chosen),
        "seed": seed,
        "command": f"mouth-live train --data FACES --preset {chosen.name} --seed {seed}",
        "data": {"faces": len(training.faces), "turned": len(training.turned), "non_faces": len(training.others)},
        "split": f"by set: {', '.join(HELD_OUT_SETS)} are held out, and a fifth of the turned photos; pictures of part "
        "'test' take no part",
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
    turned = round(chosen.turned_share * len(data.faces)) if len(data.turned) else 0
    count = len(data.faces) + turned
    history: list[dict[str, float]] = []
    begin = time.monotonic()
    for cycle in chosen.cycles:
        steps = cycle.epochs * max(1, 3 * count // chosen.batch)
        falling = keras.optimizers.schedules.CosineDecay(cycle.learning_rate, steps)
        model.compile(keras.optimizers.Adam(falling), "binary_crossentropy")
        for _ in range(cycle.epochs):
            faces = np.concatenate([data.faces, _drawn(data.turned, turned, rng)])
            others = _drawn(data.others, min(2 * count, len(data.others)), rng)
            crops = np.concatenate([varied(faces, rng, cover=True), varied(others, rng, cover=False)])
            truth = np.repeat(np.array([1, 0], np.float32), [len(faces), len(others)])
            fitted = model.fit(network_input(crops), truth, batch_size=chosen.batch, epochs=1, verbose=0)
            loss = float(fitted.history["loss"][0])
            epoch = len(history) + 1
            history.append({"epoch": float(epoch), "loss": loss, "seconds": round(time.monotonic() - begin, 1)})
            write_history(history, run)
            log.info("epoch %d of %d: loss %.4f", epoch, sum(c.epochs for c in chosen.cycles), loss)
    return model, history


def _drawn(crops: NDArray[np.uint8], count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw so many crops at random, each about as often as any other."""
    return crops[np.resize(rng.permutation(len(crops)), count)]


def measure_rates(model: Any, data: CheckData) -> Rates:  # noqa: ANN401
    """Measure a Keras model on crops of faces, turned faces and non-faces."""
    kept, turned, through = (_positive(model, crops) for crops in (data.faces, data.turned, data.others))
    return Rates(len(data.faces), kept, len(data.turned), turned, len(data.others), through)


def _positive(model: Any, crops: NDArray[np.uint8]) -> float:  # noqa: ANN401
    """Return the share of the crops that the network takes for faces."""
    return float((model.predict(network_input(crops), verbose=0) >= 0.5).mean()) if len(crops) else 0.0


def _in_words(rates: Rates) -> str:
    return (
        f"keeps {rates.kept:.1%} of {rates.faces} held-out faces and {rates.turned_kept:.1%} of {rates.turned} turned "
        f"ones, and lets {rates.let_through:.1%} of {rates.non_faces} other crops through, in a single view"
    )


def _as_markdown(facts: dict[str, Any], rates: Rates) -> str:
    data = facts["data"]
    return (
        f"# Training run: preset {facts['preset']['name']}, seed {facts['seed']}\n\n"
        f"{data['faces']} crops of faces, {data['turned']} of turned ones and {data['non_faces']} others trained on. "
        f"Split {facts['split']}.\n"
        f"{facts['epochs']} epochs in {facts['seconds'] / 60:.0f} minutes. The network {_in_words(rates)}.\n"
    )
