"""Train the face check, the small network behind ``FaceFinder`` that tells faces from the detector's inventions.

Run it: ``python -m mouth_live.models.training.face_check FACES OUT.tflite`` (some 20 minutes on one core). It writes
the network and its card with the rates measured on sets and scenes that training never saw.
"""

# pyright: basic
# (keras, OpenCV and Pillow hand out values without types all through this file)

import hashlib
import json
import logging
import sys
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..face_check import CHECK_SIZE
from ..light import network_input
from .face_check_data import CheckData, collect

log = logging.getLogger("mouth_live")

SEED = 0
PICTURES, HELD_OUT_PICTURES = 9000, 500
EPOCHS, BATCH, LEARNING_RATE = 16, 128, 2e-3


def network() -> Any:  # noqa: ANN401
    """The check: 48x48x3 in 0..1 to one probability; 73 thousand parameters, 2.6 million multiply-adds."""
    import keras

    layers = keras.layers
    x = inputs = keras.Input((CHECK_SIZE, CHECK_SIZE, 3), name="crop")
    for filters, stride in ((16, 2), (32, 2), (48, 2), (64, 1)):
        x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
    x = layers.Flatten()(layers.MaxPooling2D(2)(x))
    x = layers.Dense(32, activation="relu")(layers.Dropout(0.3)(x))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="is_face")(x), name="face_check")


def train(data: CheckData, seed: int = SEED) -> Any:  # noqa: ANN401
    """Train a fresh network on faces and others, lights, blur and covers drawn anew in each epoch."""
    import keras

    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model = network()
    steps = EPOCHS * (3 * len(data.faces) // BATCH)
    model.compile(
        keras.optimizers.Adam(cast("Any", keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps))),
        "binary_crossentropy",
    )
    for epoch in range(EPOCHS):
        others = data.others[rng.permutation(len(data.others))[: 2 * len(data.faces)]]
        crops = np.concatenate([_varied(data.faces, rng, cover=True), _varied(others, rng, cover=False)])
        truth = np.repeat(np.array([1, 0], np.float32), [len(data.faces), len(others)])
        history = model.fit(network_input(crops), truth, batch_size=BATCH, epochs=1, verbose=0)
        log.info("epoch %d of %d: loss %.4f", epoch + 1, EPOCHS, history.history["loss"][0])
    return model


def rates(model: Any, data: CheckData) -> dict[str, float]:  # noqa: ANN401
    """Share of faces and of non-faces that one look takes for a face (FaceFinder averages six)."""
    kept = model.predict(network_input(data.faces), verbose=0) >= 0.5
    through = model.predict(network_input(data.others), verbose=0) >= 0.5
    return {
        "faces": len(kept),
        "kept": float(kept.mean()),
        "non_faces": len(through),
        "let_through": float(through.mean()),
    }


def export(model: Any, out: Path, metrics: dict[str, float]) -> None:  # noqa: ANN401
    """Write the ``.tflite`` file and its card."""
    import tempfile

    import keras
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        archive: Any = keras.export.ExportArchive()
        archive.track(model)
        signature = [keras.InputSpec(shape=(None, CHECK_SIZE, CHECK_SIZE, 3), dtype="float32")]
        archive.add_endpoint("serve", model.call, input_signature=signature)
        archive.write_out(folder, verbose=False)
        content = cast("Any", tf).lite.TFLiteConverter.from_saved_model(folder).convert()
    card = {
        "task": "face-check",
        "sha256": hashlib.sha256(content).hexdigest(),
        "title": "Face check: is what the detector claims a face?",
        "input": f"(n, {CHECK_SIZE}, {CHECK_SIZE}, 3) float32, RGB, 0..1: the whole FFHQ-aligned face",
        "output": "(n, 1) float32: probability that it is a face",
        "data": "pictures of faces/ (see MODEL_CARD.md for sources and terms), scikit-image's pictures, drawings",
        "held_out": metrics,
        "command": "python -m mouth_live.models.training.face_check FACES OUT.tflite",
        "licence": "see LICENSE and NOTICE beside this file",
    }
    out.write_bytes(content)
    out.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _varied(crops: NDArray[np.uint8], rng: np.random.Generator, cover: bool) -> NDArray[np.uint8]:
    """Each crop in another light, sharpness and colour; some faces mirrored, or covered as by a hand or microphone."""
    varied = np.empty_like(crops)
    for target, crop in zip(varied, crops, strict=True):
        x = crop[:, ::-1].copy() if rng.random() < 0.5 else crop.copy()
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
            x = cv2.resize(cv2.resize(x, (small, small), interpolation=cv2.INTER_AREA), (CHECK_SIZE, CHECK_SIZE))
        light = x.astype(np.float32) * rng.uniform(0.35, 1.5) * rng.uniform(0.85, 1.15, 3) + rng.uniform(-25, 25)
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


def main() -> None:
    """Collect, train, measure, write."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    faces, out = Path(sys.argv[1]), Path(sys.argv[2])
    model = train(collect(faces, PICTURES, SEED, held_out=False))
    metrics = rates(model, collect(faces, HELD_OUT_PICTURES, SEED + 1, held_out=True))
    log.info("held out: %s", metrics)
    export(model, out, metrics)


if __name__ == "__main__":
    main()
