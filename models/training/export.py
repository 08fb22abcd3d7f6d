"""Make the files that the program runs from a training run: NAME.tflite, NAME.keras and the card NAME.json.

The weights go through ``keras.export`` and a SavedModel: converting a concrete function of a Keras 3 model writes a
file of 10 KB without the weights and no error.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..crop import CROP_SIZE
from ..errors import DataError, ModelError
from ..face_check import CHECK_SIZE
from ..light import network_input
from ..openness import litert_backend
from ..weights_file import LiteRtNetwork, Weights, load_weights
from ..whole_file import whole_file
from . import extra_packages
from .network import read_crops
from .run_folder import load_trained, read_report

TOLERANCE = 1e-4  # largest difference between Keras and LiteRT
SUFFIXES = (".keras", ".tflite", ".json")
METRICS = ("validation", "test", "held_out")  # keys of a run's report

_Reader = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Task:
    """What the exporter knows of a kind of network.

    Attributes:
        title: of the card, before preset and size.
        crop_size: side of its crops in pixels.
        crop: what they show.
        outputs: what it returns, by the number of columns.
        read_keras: reads crops with a Keras model.
        read_exported: makes a reader of crops from a ``.tflite`` file.
    """

    title: str
    crop_size: int
    crop: str
    outputs: dict[int, str]
    read_keras: Callable[[Any, NDArray[np.uint8]], NDArray[np.float32]]
    read_exported: Callable[[Weights], _Reader]


def _check_in_keras(model: Any, crops: NDArray[np.uint8]) -> NDArray[np.float32]:  # noqa: ANN401
    return model.predict(network_input(crops), verbose=0)


def _check_exported(weights: Weights) -> _Reader:
    network = LiteRtNetwork(weights)
    return lambda crops: network(network_input(crops))[0]


_TASKS = {
    "openness": _Task(
        "Mouth openness",
        CROP_SIZE,
        "RGB, 0..1",
        {
            1: "(n, 1) float32: openness, 0 closed, 0.5 slightly open, 1 fully open",
            2: "(n, 2) float32: openness, 0 closed, 0.5 slightly open, 1 fully open; reliability, 0 none to 1",
        },
        read_crops,
        litert_backend,
    ),
    "face-check": _Task(
        "Face check: is what the detector found a face?",
        CHECK_SIZE,
        "RGB, 0..1: the whole FFHQ-aligned face",
        {1: "(n, 1) float32: probability that it is a face"},
        _check_in_keras,
        _check_exported,
    ),
}


def export(run: Path, out: Path) -> str:
    """Write the run's weights for use, and check that they read the same.

    Args:
        run: a folder that ``mouth-live train`` wrote.
        out: the ``.tflite`` file to write; its ``.keras`` twin (to train on from it) and ``.json`` card go next to it.

    Returns:
        What the network is for: ``"openness"`` or ``"face-check"``.

    Raises:
        DataError: the folder holds no finished run, or ``out`` cannot be written.
        ModelError: the file does not hold the weights, or reads otherwise than Keras does.
        MissingExtraError: TensorFlow is not installed.
    """
    if out.suffix != ".tflite":
        raise DataError(f"{out}: expected a name that ends in .tflite")
    facts = read_report(run)
    task = str(facts.pop("task", "openness"))
    model = load_trained(run)
    content = to_tflite(model)
    files = [out.with_suffix(suffix) for suffix in SUFFIXES]
    with ExitStack() as stack:
        keras, tflite, card = (stack.enter_context(whole_file(file)) for file in files)
        model.save(keras)
        tflite.write_bytes(content)
        facts = _card(task, content, keras.read_bytes(), model, facts)
        card.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        check_export(model, tflite, task)
    return task


def to_tflite(model: Any) -> bytes:  # noqa: ANN401
    """Convert a Keras model of crops, perhaps with gender pairs, to a LiteRT file: float32, any batch."""
    keras, tensorflow = extra_packages.keras(), extra_packages.tensorflow()
    signature = [keras.InputSpec(shape=(None, *i.shape[1:]), dtype="float32") for i in model.inputs]

    def serve(*inputs: Any) -> Any:  # noqa: ANN401
        """Run the network as it runs after training."""
        one, *more = inputs
        return model([one, *more] if more else one, training=False)

    with tempfile.TemporaryDirectory() as folder:
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint("serve", serve, input_signature=signature)
        archive.write_out(folder, verbose=False)
        return tensorflow.lite.TFLiteConverter.from_saved_model(folder).convert()


def check_export(model: Any, path: Path, task: str = "openness") -> None:  # noqa: ANN401
    """Compare an exported file, as the program runs it, with its Keras model.

    Args:
        model: the Keras model.
        path: the ``.tflite`` file, its card next to it.
        task: what the network is for.

    Raises:
        ModelError: the file is too small to hold the weights, or reads otherwise than Keras does.
    """
    kernels = [tuple(int(n) for n in weight.shape) for weight in model.trainable_weights if len(weight.shape) > 1]
    size, needed = path.stat().st_size, 4 * sum(prod(shape) for shape in kernels)  # normalisation melts into them
    if size < needed:
        raise ModelError(f"{path}: the converter left weights out ({size} bytes, they alone take {needed})")
    side, known = _TASKS[task].crop_size, _TASKS[task]
    crops: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (16, side, side, 3), np.uint8)
    expected = known.read_keras(model, crops)
    got = known.read_exported(load_weights(path, task))(crops)
    difference = float(np.abs(got - expected).max())
    if difference > TOLERANCE:
        raise ModelError(
            f"{path}: reads up to {difference:.6f} otherwise than Keras (at most {TOLERANCE}); not written"
        )


def _card(
    task: str,
    content: bytes,
    keras_content: bytes,
    model: Any,  # noqa: ANN401
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Make the card: the file's hashes, inputs and output, then the run's report."""
    known, side = _TASKS[task], _TASKS[task].crop_size
    inputs: dict[tuple[int, ...], dict[str, str]] = {
        (side, side, 3): {"name": "crop", "shape": f"(n, {side}, {side}, 3) float32", "what": known.crop},
        (2,): {"name": "gender", "shape": "(n, 2) float32", "what": "pair; neutral (0.5, 0.5) is all that is used"},
    }
    parameters, columns = int(model.count_params()), int(model.outputs[0].shape[-1])
    metrics = {name: facts[name] for name in METRICS if name in facts}
    return {
        "task": task,
        "sha256": hashlib.sha256(content).hexdigest(),
        "keras_sha256": hashlib.sha256(keras_content).hexdigest(),
        "title": f"{known.title}, preset {facts['preset']['name']}, {parameters:,} parameters",
        "inputs": [inputs[shape] for shape in LiteRtNetwork(Weights(task, content, {})).input_shapes],
        "output": known.outputs[columns],
        "licence": "see LICENSE and NOTICE beside this file, and MODEL_CARD.md",
        **{name: value for name, value in facts.items() if name not in metrics},
        "metrics": metrics,
    }
