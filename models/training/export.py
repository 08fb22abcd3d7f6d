"""Make the files that the program runs from a training run: NAME.tflite, NAME.keras and the card NAME.json.

The weights go through ``keras.export`` and a SavedModel: converting a concrete function of a Keras 3 model writes a
file of 10 KB without the weights and no error.
"""

import hashlib
import json
import tempfile
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..crop import CROP_SIZE
from ..errors import DataError, ModelError
from ..openness import litert_backend
from ..weights_file import LiteRtNetwork, Weights, load_weights
from . import extra_packages
from .network import read_crops
from .run_folder import REPORT, load_trained

_OUTPUTS = {
    1: "(n, 1) float32: openness, 0 closed, 0.5 slightly open, 1 fully open",
    2: "(n, 2) float32: openness, 0 closed, 0.5 slightly open, 1 fully open; reliability, 0 none to 1",
}

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
        card = _card(content, parts[".keras"].read_bytes(), model, facts)
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
    """A Keras model of crops, perhaps with gender pairs, as a LiteRT file, float32, any batch."""
    keras, tensorflow = extra_packages.keras(), extra_packages.tensorflow()
    signature = [keras.InputSpec(shape=(None, *i.shape[1:]), dtype="float32") for i in model.inputs]

    def serve(*inputs: Any) -> Any:  # noqa: ANN401
        one, *more = inputs
        return model([one, *more] if more else one, training=False)

    with tempfile.TemporaryDirectory() as folder:
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint("serve", serve, input_signature=signature)
        archive.write_out(folder, verbose=False)
        return tensorflow.lite.TFLiteConverter.from_saved_model(folder).convert()


def check_export(model: Any, path: Path) -> None:  # noqa: ANN401
    """Compare an exported file, as the program runs it, with its Keras model.

    Args:
        model: the Keras model.
        path: the ``.tflite`` file, its card beside it.

    Raises:
        ModelError: the file is too small to hold the weights, or reads otherwise than Keras does.
    """
    kernels = [tuple(int(n) for n in weight.shape) for weight in model.trainable_weights if len(weight.shape) > 1]
    size, needed = path.stat().st_size, 4 * sum(prod(shape) for shape in kernels)  # normalisation melts into them
    if size < needed:
        raise ModelError(f"{path}: the converter left weights out ({size} bytes, they alone take {needed})")
    crops: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (16, CROP_SIZE, CROP_SIZE, 3), np.uint8)
    expected = read_crops(model, crops)
    got = litert_backend(load_weights(path, "openness"))(crops)
    difference = float(np.abs(got - expected).max())
    if difference > TOLERANCE:
        raise ModelError(
            f"{path}: reads up to {difference:.6f} otherwise than Keras (at most {TOLERANCE}); not written"
        )


def _card(content: bytes, keras_content: bytes, model: Any, facts: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """The card: the file's hashes and inputs, then all that the run's report says."""
    known: dict[tuple[int, ...], dict[str, str]] = {
        (CROP_SIZE, CROP_SIZE, 3): {"name": "crop", "shape": "(n, 60, 60, 3) float32", "what": "RGB, 0..1"},
        (2,): {"name": "gender", "shape": "(n, 2) float32", "what": "pair; neutral (0.5, 0.5) is all that is used"},
    }
    parameters, columns = int(model.count_params()), int(model.outputs[0].shape[-1])
    metrics = {name: facts[name] for name in ("validation", "test") if name in facts}
    return {
        "task": "openness",
        "sha256": hashlib.sha256(content).hexdigest(),
        "keras_sha256": hashlib.sha256(keras_content).hexdigest(),
        "title": f"Mouth openness, preset {facts['preset']['name']}, {parameters:,} parameters",
        "inputs": [known[shape] for shape in LiteRtNetwork(Weights("openness", content, {})).input_shapes],
        "output": _OUTPUTS[columns],
        "licence": "see LICENSE and NOTICE beside this file, and MODEL_CARD.md",
        **{name: value for name, value in facts.items() if name not in metrics},
        "metrics": metrics,
    }
