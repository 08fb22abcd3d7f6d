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
from ..weights_file import LiteRtNetwork, Weights
from . import extra_packages
from .network import NEUTRAL
from .run_folder import REPORT, load_trained

TOLERANCE = 1e-4  # largest difference between Keras and LiteRT


def export(run: Path, out: Path) -> None:
    """Write the run's weights for use, and check that they read the same.

    Args:
        run: a folder that :func:`mouth_live.models.training.train.train` wrote.
        out: the ``.tflite`` file to write; its ``.keras`` twin (for the GPU) and ``.json`` card go beside it.

    Raises:
        DataError: the folder holds no finished run, or ``out`` cannot be written.
        ModelError: the file does not hold the weights, or reads otherwise than Keras does.
        MissingExtraError: TensorFlow is not installed.
    """
    if out.suffix != ".tflite":
        raise DataError(f"{out}: expected a name that ends in .tflite")
    try:
        facts = cast("dict[str, Any]", json.loads((run / REPORT).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(f"{run}: holds no finished training run ({error})") from None
    model = load_trained(run)
    content = to_tflite(model)
    parts = {suffix: out.with_suffix(f".part{suffix}") for suffix in (".keras", ".tflite", ".json")}
    try:
        model.save(parts[".keras"])
        parts[".tflite"].write_bytes(content)
        card = _card(content, parts[".keras"].read_bytes(), model.count_params(), facts)
        parts[".json"].write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        check_export(model, parts[".tflite"])
        for suffix, part in parts.items():
            part.replace(out.with_suffix(suffix))
    except OSError as error:
        raise DataError(f"{out}: cannot write it ({error.strerror})") from None
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def to_tflite(model: Any) -> bytes:  # noqa: ANN401
    """A Keras model of crops and gender pairs as a LiteRT file, float32, any batch."""
    keras, tensorflow = extra_packages.keras(), extra_packages.tensorflow()
    signature = [
        keras.InputSpec(shape=(None, CROP_SIZE, CROP_SIZE, 3), dtype="float32"),
        keras.InputSpec(shape=(None, 2), dtype="float32"),
    ]

    def serve(crop: Any, gender: Any) -> Any:  # noqa: ANN401
        return model([crop, gender], training=False)

    with tempfile.TemporaryDirectory() as folder:
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint("serve", serve, input_signature=signature)
        archive.write_out(folder, verbose=False)
        return tensorflow.lite.TFLiteConverter.from_saved_model(folder).convert()


def check_export(model: Any, path: Path) -> None:  # noqa: ANN401
    """Compare an exported file, through the program's own door, with its Keras model.

    Args:
        model: the Keras model.
        path: the ``.tflite`` file, its card beside it.

    Raises:
        ModelError: the file is too small to hold the weights, or reads otherwise than Keras does.
    """
    size, needed = path.stat().st_size, 4 * int(model.count_params())
    if size < needed:
        raise ModelError(f"{path}: the converter left weights out ({size} bytes, they alone take {needed})")
    crops: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (16, CROP_SIZE, CROP_SIZE, 3), np.uint8)
    inputs = [crops.astype(np.float32) / np.float32(255), np.full((16, 2), NEUTRAL)]
    expected = model.predict(inputs, verbose=0)[:, 0]
    difference = float(np.abs(load_openness_model(path, "cpu").predict(crops) - expected).max())
    if difference > TOLERANCE:
        raise ModelError(
            f"{path}: reads up to {difference:.6f} otherwise than Keras (at most {TOLERANCE}); not written"
        )


def _card(content: bytes, keras_content: bytes, parameters: int, facts: dict[str, Any]) -> dict[str, Any]:
    """The card: the file's hashes and inputs, then all that the run's report says."""
    known: dict[tuple[int, ...], dict[str, str]] = {
        (CROP_SIZE, CROP_SIZE, 3): {"name": "crop", "shape": "(n, 60, 60, 3) float32", "what": "RGB, 0..1"},
        (2,): {"name": "gender", "shape": "(n, 2) float32", "what": "pair; neutral (0.5, 0.5) is all that is used"},
    }
    metrics = {name: facts[name] for name in ("validation", "test") if name in facts}
    return {
        "task": "openness",
        "sha256": hashlib.sha256(content).hexdigest(),
        "keras_sha256": hashlib.sha256(keras_content).hexdigest(),
        "title": f"Mouth openness, preset {facts['preset']['name']}, {parameters:,} parameters",
        "inputs": [known[shape] for shape in LiteRtNetwork(Weights("openness", content, {})).input_shapes],
        "output": "(n, 1) float32: openness, 0 closed, 0.5 slightly open, 1 fully open",
        "licence": "see LICENSE and NOTICE beside this file, and MODEL_CARD.md",
        **{name: value for name, value in facts.items() if name not in metrics},
        "metrics": metrics,
    }
