"""Make the files that the program runs from a training run: NAME.tflite, NAME.keras and the card NAME.json.

The weights go through ``keras.export`` and a SavedModel: converting a concrete function of a Keras 3 model writes a
file of 10 KB without the weights and no error.
"""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..crop import CROP_SIZE
from ..errors import DataError, ModelError
from ..openness import load_openness_model

TOLERANCE = 1e-4  # largest difference between Keras and LiteRT


def export(run: Path, out: Path) -> None:
    """Write the run's weights for use, and check that they read the same.

    Args:
        run: a folder that :func:`mouth_live.models.training.train.train` wrote.
        out: the ``.tflite`` file to write; its ``.keras`` twin (for the GPU) and ``.json`` card go beside it.

    Raises:
        DataError: the folder holds no finished run, or ``out`` cannot be written.
        ModelError: the file does not hold the weights, or reads otherwise than Keras does.
    """
    import keras

    if out.suffix != ".tflite":
        raise DataError(f"{out}: expected a name that ends in .tflite")
    source = run / "weights.keras"
    try:
        facts = json.loads((run / "report.json").read_text(encoding="utf-8"))
        model = keras.models.load_model(source, compile=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{run}: holds no finished training run ({error})") from None
    content = to_tflite(model)
    if len(content) < 4 * model.count_params():
        raise ModelError(
            f"{out}: the converter left weights out ({len(content)} bytes for {model.count_params()} of them)"
        )
    keras_part, part, card_part = (out.with_suffix(suffix) for suffix in (".part.keras", ".part.tflite", ".part.json"))
    try:
        model.save(keras_part)
        part.write_bytes(content)
        card = {
            "task": "openness",
            "sha256": hashlib.sha256(content).hexdigest(),
            "keras_sha256": hashlib.sha256(keras_part.read_bytes()).hexdigest(),
            "title": f"Mouth openness, preset {facts['preset']['name']}, {model.count_params():,} parameters",
            "inputs": "crops (n, 60, 60, 3) float32 RGB 0..1; gender pair (n, 2) float32, neutral 0.5, 0.5",
            "output": "(n, 1) float32: openness 0..1",
            "licence": "see LICENSE and NOTICE beside this file, and MODEL_CARD.md",
            "training": facts,
        }
        card_part.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        _check(model, part)
        for made, suffix in ((keras_part, ".keras"), (part, ".tflite"), (card_part, ".json")):
            made.replace(out.with_suffix(suffix))
    except OSError as error:
        raise DataError(f"{out}: cannot write it ({error.strerror})") from None
    finally:
        for made in (keras_part, part, card_part):
            made.unlink(missing_ok=True)


def to_tflite(model: Any) -> bytes:  # noqa: ANN401  (keras has no types)
    """A Keras model of crops and gender pairs as a LiteRT file, float32, any batch."""
    import keras
    import tensorflow as tf

    signature = [
        keras.InputSpec(shape=(None, CROP_SIZE, CROP_SIZE, 3), dtype="float32"),
        keras.InputSpec(shape=(None, 2), dtype="float32"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint(
            "serve", lambda crop, gender: model([crop, gender], training=False), input_signature=signature
        )
        archive.write_out(folder, verbose=False)
        return cast("bytes", cast("Any", tf).lite.TFLiteConverter.from_saved_model(folder).convert())


def _check(model: Any, path: Path) -> None:  # noqa: ANN401  (keras has no types)
    """The file, through the program's own door, against Keras."""
    crops: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (16, CROP_SIZE, CROP_SIZE, 3)).astype(np.uint8)
    expected = model.predict((crops.astype(np.float32) / 255, np.full((16, 2), 0.5, np.float32)), verbose=0)[:, 0]
    difference = float(np.abs(load_openness_model(path, "cpu").predict(crops) - expected).max())
    if difference > TOLERANCE:
        raise ModelError(
            f"{path}: reads up to {difference:.6f} otherwise than Keras (at most {TOLERANCE}); not written"
        )
