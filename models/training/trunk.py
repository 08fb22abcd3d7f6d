"""The trunk of the compact network: the first stages of mediapipe's face landmark network, pretrained.

That network has learned from far more faces than a collection of labelled mouths holds, so its stages down to a
sixteenth of the picture's size start the training here, and go on learning in it. Blocks of 1x1, depthwise 3x3 and 1x1
convolutions with a shortcut, as plain Keras layers.

The weights ship as ``face_trunk.npz``, float16 as in the original. To make that file from mediapipe's model file:

    python -m mouth_live.models.training.trunk face_landmarker.task -o face_trunk.npz

Source: Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs"; the blocks are
those of Bazarevsky et al. 2019, "BlazeFace".
"""

import argparse
import hashlib
import importlib
import io
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, ModelError
from ..weights_file import WEIGHTS_FOLDER, read_checked
from ..whole_file import whole_file
from . import extra_packages

FILTERS = (16, 32, 64, 128)
"""Of the stages at a half, a quarter, an eighth and a sixteenth of the picture's size."""

BLOCKS = 4  # of each stage, after the one that halves the size
PREFIX = "trunk"
PRETRAINED = WEIGHTS_FOLDER / "face_trunk.npz"
NETWORK = "face_landmarks_detector.tflite"  # inside face_landmarker.task

_CONVOLUTION, _DEPTHWISE, _PRELU = 3, 4, 54  # operators' numbers in a .tflite file


def trunk(picture: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Make the trunk's layers on a picture, with random weights.

    Args:
        picture: a Keras tensor (n, h, w, 3) float32 RGB 0..1, h and w multiples of 16. The original's input is a
            whole face in 256x256.

    Returns:
        Keras tensors at an eighth, (n, h / 8, w / 8, 64), and at a sixteenth of the size, (n, h / 16, w / 16, 128).
    """
    name = _names()
    layers = extra_packages.keras().layers
    x = layers.Conv2D(FILTERS[0], 3, strides=2, padding="same", name=next(name))(picture)
    x = _prelu(x, next(name))
    levels: list[Any] = []
    for stage, filters in enumerate(FILTERS):
        for block in range(BLOCKS + bool(stage)):
            x = _block(x, filters, name, halve=bool(stage) and not block)
        levels.append(x)
    return levels[-2], levels[-1]


def load_pretrained(model: Any, path: Path = PRETRAINED) -> None:  # noqa: ANN401
    """Give the trunk in a Keras model the pretrained weights.

    Args:
        model: holds the layers that :func:`trunk` made.
        path: the ``.npz`` file, with its card (``.json``) next to it.

    Raises:
        ModelError: the file is missing, not as its card says, or of another network.
    """
    content, _ = read_checked(path)
    with np.load(io.BytesIO(content)) as stored:
        arrays = {name: stored[name].astype(np.float32) for name in stored.files}
    for layer in model.layers:
        if layer.name.startswith(f"{PREFIX}_") and layer.weights:
            values = [arrays.get(_key(layer.name, i), np.zeros(0)) for i in range(len(layer.weights))]
            if [v.shape for v in values] != [tuple(w.shape) for w in layer.weights]:
                raise ModelError(f"{path}: does not fit the layer {layer.name}; it belongs to another version")
            layer.set_weights(values)


def read_original(task_file: Path) -> dict[str, NDArray[np.float16]]:
    """Read the trunk's weights from mediapipe's model file, shaped as Keras has them, by layer and place in it.

    Raises:
        DataError: no such file, or it does not hold the network.
        MissingExtraError: TensorFlow is not installed.
    """
    try:
        with ZipFile(task_file) as archive:
            content = archive.read(NETWORK)
    except (OSError, KeyError, BadZipFile) as error:
        raise DataError(f"{task_file}: not mediapipe's face_landmarker.task ({error})") from None
    extra_packages.tensorflow()
    schema: Any = importlib.import_module("tensorflow.lite.python.schema_py_generated")
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    expanded: dict[int, int] = {}  # from a float32 tensor to the stored float16 one

    def array(tensor: int) -> NDArray[np.float16]:
        """Return the stored weights of a tensor."""
        stored = graph.tensors[expanded.get(tensor, tensor)]
        return np.frombuffer(bytes(model.buffers[stored.buffer].data), np.float16).reshape(stored.shape)

    found: dict[str, NDArray[np.float16]] = {}
    name = _names()
    wanted = 2 + sum(5 * (BLOCKS + bool(stage)) for stage in range(len(FILTERS)))  # layers with weights
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        if kind == schema.BuiltinOperator.DEQUANTIZE:
            expanded[operator.outputs[0]] = operator.inputs[0]
        if kind not in {_CONVOLUTION, _DEPTHWISE, _PRELU} or wanted == 0:
            continue
        layer, wanted = next(name), wanted - 1
        values = [array(tensor) for tensor in operator.inputs[1:]]
        if kind != _PRELU:  # from (out, height, width, in), or (1, height, width, filters)
            values[0] = values[0].transpose(1, 2, 3, 0)
        found |= {_key(layer, i): value for i, value in enumerate(values)}
    return found


def write_pretrained(task_file: Path, out: Path) -> None:
    """Write the trunk's weights, taken from mediapipe's model file, and their card.

    Args:
        task_file: ``face_landmarker.task``.
        out: the ``.npz`` file to write; its card goes next to it.

    Raises:
        DataError: the model file cannot be read or does not hold the network, or ``out`` cannot be written.
        MissingExtraError: TensorFlow is not installed.
    """
    arrays: dict[str, Any] = dict(read_original(task_file))
    card = {
        "task": "trunk",
        "title": "First stages of mediapipe's face landmark network, where training the compact network starts",
        "source": f"face_landmarker.task, {NETWORK}",
        "source_sha256": hashlib.sha256(task_file.read_bytes()).hexdigest(),
        "licence": "Apache-2.0",
        "command": "python -m mouth_live.models.training.trunk face_landmarker.task -o face_trunk.npz",
    }
    with whole_file(out) as part:
        np.savez_compressed(part, **arrays)
        card = {"sha256": hashlib.sha256(part.read_bytes()).hexdigest()} | card
        out.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _block(x: Any, filters: int, name: Iterator[str], halve: bool) -> Any:  # noqa: ANN401
    """Make a 1x1 (2x2 where it halves the size), a depthwise 3x3 and a 1x1 convolution with a shortcut."""
    keras = extra_packages.keras()
    layers, size = keras.layers, 2 if halve else 1
    y = layers.Conv2D(filters // 2, size, strides=size, name=next(name))(x)
    y = _prelu(y, next(name))
    y = layers.DepthwiseConv2D(3, padding="same", name=next(name))(y)
    y = layers.Conv2D(filters, 1, name=next(name))(y)
    if halve:
        x = layers.MaxPooling2D(2)(x)
        x = keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, filters - x.shape[-1])))
    return _prelu(layers.Add()([x, y]), next(name))


def _prelu(x: Any, name: str) -> Any:  # noqa: ANN401
    return extra_packages.keras().layers.PReLU(shared_axes=[1, 2], name=name)(x)


def _names() -> Iterator[str]:
    """Yield the names of the layers with weights, in the order of the original."""
    return (f"{PREFIX}_{i:02d}" for i in count())


def _key(layer: str, weight: int) -> str:
    return f"{layer}_{weight}"


def _main() -> None:
    parser = argparse.ArgumentParser(description="Take the compact network's trunk from mediapipe's model file.")
    parser.add_argument("model", type=Path, help="mediapipe's face_landmarker.task")
    parser.add_argument("-o", "--output", type=Path, default=Path(PRETRAINED.name))
    options = parser.parse_args()
    write_pretrained(options.model, options.output)


if __name__ == "__main__":
    _main()
