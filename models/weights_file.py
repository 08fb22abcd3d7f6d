"""Weights files: find one by name or path, check it against its card, start it in LiteRT.

Next to every ``NAME.tflite`` lies its card ``NAME.json`` with its purpose, its source and its SHA-256.
A file that differs from its card is refused: a damaged or swapped network would give wrong numbers, silently.
"""

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .errors import ModelError
from .native_talk import native_talk_off

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
DETECTOR, FACE_CHECK = "face_detection_full_range_sparse", "face_check"  # names of shipped weights


@dataclass(frozen=True, slots=True)
class Weights:
    """A checked weights file.

    Attributes:
        name: the file's name without suffix.
        content: the ``.tflite`` file's bytes.
        card: the whole card as read from its JSON file.
    """

    name: str
    content: bytes
    card: dict[str, Any]


def shipped_names(task: str) -> list[str]:
    """Return the names of the shipped weights for ``task`` (the card's key ``task``), sorted."""
    cards = sorted(WEIGHTS_FOLDER.glob("*.json"))
    return [card.stem for card in cards if json.loads(card.read_text(encoding="utf-8")).get("task") == task]


def load_weights(name_or_path: str | Path, task: str) -> Weights:
    """Read a weights file and check it against its card.

    Args:
        name_or_path: a shipped name such as ``"openness_reference"``, or the path of a ``.tflite`` file with its card next to it.
        task: what the weights must be for: ``"detection"``, ``"face-check"`` or ``"openness"``.

    Raises:
        ModelError: no such name or file, no readable card, another SHA-256 than the card's, or another task.
    """  # noqa: E501
    path = companion(name_or_path, ".tflite")
    if Path(name_or_path).suffix != ".tflite" and (path.parent != WEIGHTS_FOLDER or not path.exists()):
        known = ", ".join(shipped_names(task))
        raise ModelError(f"no weights named {str(name_or_path)!r}; known: {known}; or give the path of a .tflite file")
    content, card = read_checked(path)
    if card.get("task") != task:
        raise ModelError(f"{path}: a model for {card.get('task')!r}, expected one for {task!r}")
    return Weights(path.stem, content, card)


def companion(name_or_path: str | Path, suffix: str) -> Path:
    """Return the file of that suffix that lies with weights, which ship by name or lie at a path."""
    path = Path(name_or_path)
    path = path if path.suffix == ".tflite" else WEIGHTS_FOLDER / f"{name_or_path}.tflite"
    return path.with_suffix(suffix)


def check_twin(path: Path, weights: Weights) -> None:
    """Check the ``.keras`` twin of weights against their card.

    Raises:
        ModelError: the file is missing or differs from the card's SHA-256.
    """
    if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != weights.card.get("keras_sha256"):
        raise ModelError(f"{path}: missing, damaged or changed; export the model again or reinstall mouth-live")


def read_checked(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Read a file and the card next to it: the bytes, and the card.

    Raises:
        ModelError: one of them cannot be read, or the file has another SHA-256 than the card says.
    """
    card_path = path.with_suffix(".json")
    try:
        content = path.read_bytes()
        card = cast("dict[str, Any]", json.loads(card_path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelError(
            f"{error.filename}: cannot read it ({error.strerror}); a model is NAME{path.suffix} with its NAME.json"
        ) from None
    except ValueError:
        raise ModelError(
            f"{card_path}: not a model card (JSON); export the model again or reinstall mouth-live"
        ) from None
    if hashlib.sha256(content).hexdigest() != card.get("sha256"):
        raise ModelError(
            f"{path}: damaged or changed (its SHA-256 is not its card's); export it again or reinstall mouth-live"
        )
    return content, card


class LiteRtNetwork:
    """A ``.tflite`` network in LiteRT on the CPU: arrays in, arrays out, any batch size.

    Not safe for use by several threads at once; make one for each.
    """

    def __init__(self, weights: Weights, threads: int = 1, size: tuple[int, int] | None = None) -> None:
        """Start the network.

        Args:
            weights: from :func:`load_weights`.
            threads: CPU threads LiteRT may use for one call.
            size: (height, width) in pixels that its pictures have, where they are not to have the file's own size. Its
                card must have under ``"maps_at"`` where the file holds the sizes of its maps: {byte: stride}, and the
                size be a multiple of all strides.

        Raises:
            ModelError: LiteRT cannot read the file.
        """
        # Imported here because it takes 0.2 s, which `mouth-live --help` should not pay.
        from ai_edge_litert import interpreter as litert  # pyright: ignore[reportMissingTypeStubs]

        try:
            with native_talk_off():  # LiteRT announces its CPU kernels
                self._interpreter: Any = cast("Any", litert).Interpreter(
                    model_content=_resized(weights, size) if size else weights.content, num_threads=threads
                )
                if size:
                    (picture,) = self._interpreter.get_input_details()
                    self._interpreter.resize_tensor_input(picture["index"], (1, *size, 3))
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{weights.name}: LiteRT cannot run this file ({str(error).splitlines()[0]})") from None
        self._inputs: list[dict[str, Any]] = self._interpreter.get_input_details()
        self._indices: list[int] = [detail["index"] for detail in self._inputs]
        self._outputs: list[int] = [detail["index"] for detail in self._interpreter.get_output_details()]

    @property
    def input_shapes(self) -> list[tuple[int, ...]]:
        """Return the shape of each input without its batch axis."""
        return [tuple(int(n) for n in detail["shape"][1:]) for detail in self._inputs]

    def __call__(self, *inputs: "NDArray[np.float32]") -> "list[NDArray[np.float32]]":
        """Run the network.

        Args:
            inputs: float32 arrays, the batch on axis 0, the same length in all, at least 1.

        Returns:
            The outputs, float32 copies, the batch on axis 0.
        """
        if len(inputs[0]) == 1:
            return self._run(inputs)
        # One by one: a batch is no faster on a CPU, and each new size of it would cost a new allocation.
        rows = [self._run([array[i : i + 1] for array in inputs]) for i in range(len(inputs[0]))]
        return [np.concatenate(output) for output in zip(*rows, strict=True)]

    def _run(self, inputs: "Sequence[NDArray[np.float32]]") -> "list[NDArray[np.float32]]":
        for index, array in zip(self._indices, inputs, strict=True):
            self._interpreter.set_tensor(index, array)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def _resized(weights: Weights, size: tuple[int, int]) -> bytes:
    """Return the file for pictures of another (height, width): enlarged maps hold their size, convolutions do not."""
    content = bytearray(weights.content)
    for place, stride in weights.card["maps_at"].items():
        struct.pack_into("<ii", content, int(place), *(length // stride for length in size))
    return bytes(content)
