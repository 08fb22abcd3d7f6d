"""The openness network: crops in, one number each: 0 closed, 0.5 slightly open, 1 fully open.

Its file ``NAME.tflite`` runs on the CPU in LiteRT, and on the GPU in Keras, by TensorFlow, JAX or PyTorch: what the
environment variable ``KERAS_BACKEND`` names.
"""

import importlib.util
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .checked import checked_crops
from .crop import CROP_SIZE
from .errors import DeviceError, ModelError
from .light import network_input
from .weights_file import LiteRtNetwork, Weights, load_weights

Device = Literal["auto", "cpu", "gpu"]
DEVICES: Sequence[Device] = ("auto", "cpu", "gpu")

DEFAULT_WEIGHTS = "openness_compact"
NEUTRAL_GENDER = (0.5, 0.5)
"""The reference network's gender pair at run time: it is trained to do without it, nothing here guesses a gender."""

_CROP, _PAIR = (CROP_SIZE, CROP_SIZE, 3), (2,)

UNSURE = 0.78
"""Below this reliability a mouth is read a second time, mirrored: one face in six, with two fifths of the error."""

Crops = NDArray[np.uint8] | Sequence[NDArray[np.uint8]]
"""Crops (n, 60, 60, 3) uint8 RGB, or a list of n crops (60, 60, 3)."""

_Backend = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Crops (n, 60, 60, 3) uint8 RGB to (n, 1) openness or (n, 2) openness and reliability."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """What the network reads from a batch of crops.

    Attributes:
        openness: (n,) float32, 0 closed, 0.5 slightly open, 1 fully open.
        reliability: (n,) float32, how far to trust each value, 0..1: about the chance that it lies close to what people
            would say (full credit for no difference, half of it at 0.1, hardly any beyond 0.2). Near 0 where the mouth
            is covered or there is none. NaN where the network has no such output (the reference network).
    """

    openness: NDArray[np.float32]
    reliability: NDArray[np.float32]

    def __repr__(self) -> str:
        """Show the values to three decimals; of a large batch the first and the last three."""
        openness, reliability = (
            np.array2string(values, precision=3, separator=", ", threshold=8, max_line_width=999, suppress_small=True)
            for values in (self.openness, self.reliability)
        )
        return f"Estimates(openness={openness}, reliability={reliability})"


class OpennessModel:
    """Reads how open mouths are. Made by :func:`load_openness_model`.

    Not safe for use by several threads at once; make one for each.

    Attributes:
        name: the weights' name.
        device: ``"cpu"`` or ``"gpu"``, where it runs.
    """

    def __init__(self, name: str, device: Literal["cpu", "gpu"], backend: _Backend) -> None:
        self.name = name
        self.device = device
        self._backend = backend

    def predict(self, crops: Crops) -> NDArray[np.float32]:
        """Read the openness of each crop, all in one batch.

        Args:
            crops: (n, 60, 60, 3) uint8, RGB, from :func:`mouth_live.models.crop_faces`; of one frame or of many;
                or a list of single crops.

        Returns:
            (n,) float32, 0..1.

        Raises:
            TypeError: ``crops`` is no array, nor a list of arrays.
            ValueError: ``crops`` has another shape or dtype.
        """
        return self.read(crops).openness

    def read(self, crops: Crops) -> Estimates:
        """Read the openness of each crop and how far to trust it, all in one batch.

        Args:
            crops: as for :meth:`predict`.

        Raises:
            TypeError: ``crops`` is no array, nor a list of arrays.
            ValueError: ``crops`` has another shape or dtype.
        """
        batch = checked_crops(crops, CROP_SIZE)
        if not len(batch):
            return Estimates(np.zeros(0, np.float32), np.zeros(0, np.float32))
        values = self._backend(batch)
        openness = np.ascontiguousarray(values[:, 0])
        if values.shape[1] == 1:
            return Estimates(openness, np.full(len(values), np.nan, np.float32))
        return Estimates(openness, np.ascontiguousarray(values[:, 1]))


def load_openness_model(
    name_or_path: str | Path = DEFAULT_WEIGHTS, device: Device = "cpu", threads: int = 1
) -> OpennessModel:
    """Load the openness network.

    Args:
        name_or_path: shipped weights by name, or the path of an exported ``.tflite`` file with its card next to it.
        device: ``"cpu"``; ``"gpu"``, which needs Keras and a GPU that it sees, and reads many crops at a time sooner
            but a few later; or ``"auto"``: the GPU when Keras is installed and sees one, else the CPU.
        threads: CPU threads for one batch.

    Raises:
        ModelError: no such weights, or they differ from the SHA-256 in their card.
        DeviceError: ``"gpu"`` is given and there is none.
        ValueError: an unknown device.
    """
    if device not in DEVICES:
        raise ValueError(f"device: expected one of {', '.join(DEVICES)}, got {device!r}")
    weights = load_weights(name_or_path, "openness")
    if usable_device(device) == "cpu":
        return OpennessModel(weights.name, "cpu", twice_if_unsure(litert_backend(weights, threads)))
    return OpennessModel(weights.name, "gpu", gpu_backend(weights))


def usable_device(device: Device) -> Literal["cpu", "gpu"]:
    """Return where to work: for ``"auto"`` on the GPU if Keras sees one, which takes seconds to find out.

    Raises:
        DeviceError: ``"gpu"`` is given and there is none.
    """
    problem = "" if device == "cpu" else _gpu_problem()
    if device == "gpu" and problem:
        raise DeviceError(f"--device gpu: {problem}; use --device cpu")
    return "cpu" if device == "cpu" or problem else "gpu"


def twice_if_unsure(read: _Backend) -> _Backend:
    """Read a mouth of low reliability a second time, mirrored, and take the mean of both.

    The two err differently, so their mean errs less; most mouths are read well enough once.

    Args:
        read: crops to openness and perhaps reliability; without reliability it stays as it is.
    """

    def run(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Read crops, the unreliable ones twice."""
        values = read(crops)
        if values.shape[1] == 2:
            unsure = np.flatnonzero(values[:, 1] < UNSURE)
            if len(unsure):
                values = values.copy()
                values[unsure] = (values[unsure] + read(np.ascontiguousarray(crops[unsure, :, ::-1]))) / 2
        return values

    return run


def litert_backend(weights: Weights, threads: int = 1) -> _Backend:
    """Start the network in LiteRT, on the CPU.

    Args:
        weights: the ``.tflite`` file's.
        threads: for one batch.

    Raises:
        ModelError: LiteRT cannot run it, or it is another kind of network.
    """
    network = LiteRtNetwork(weights, threads)
    shapes = network.input_shapes
    # The converter may swap the two inputs of a network that takes a gender pair, so they are recognised by shape.
    if sorted(shapes) not in ([_CROP], [_PAIR, _CROP]):
        raise ModelError(f"{weights.name}: inputs {shapes}, expected crops {_CROP}, perhaps with a gender pair {_PAIR}")

    def run(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Read crops in LiteRT."""
        pictures = network_input(crops)
        (values,) = network(*(pictures if shape == _CROP else neutral_pairs(len(crops)) for shape in shapes))
        return values

    return run


def gpu_backend(weights: Weights) -> _Backend:
    """Start the network in Keras, on the GPU if it sees one, and read as :func:`twice_if_unsure` does.

    Args:
        weights: the ``.tflite`` file's.

    Raises:
        ModelError: it cannot run there, or it is another kind of network.
        DeviceError: the GPU failed.
    """
    from .gpu.crop_reader import CropReader

    reader = CropReader(weights, UNSURE, NEUTRAL_GENDER)
    reader.read(np.zeros((1, *_CROP), np.uint8))  # compile it, so that the first frame does not wait
    return reader.read


def neutral_pairs(count: int) -> NDArray[np.float32]:
    """Return the neutral gender pair for each of ``count`` crops: (count, 2) float32."""
    return np.tile(np.array(NEUTRAL_GENDER, np.float32), (count, 1))


def missing_for_gpu() -> str:
    """Return what the use of a GPU lacks here, as far as that shows without importing anything; empty for nothing.

    An import costs 5 s and 550 MB. On a laptop without a GPU that happens to have Keras installed, ``auto`` must start
    at once. The driver comes first: Keras alone does not help those who have no GPU.
    """
    if not has_gpu_driver():
        return "no GPU driver was found that Keras can use"
    if importlib.util.find_spec("keras") is None:
        return "Keras is not installed (pip install 'mouth-live[gpu]')"
    return ""


def has_gpu_driver() -> bool:
    """Return whether the driver of a GPU is installed here."""
    devices = (Path(device) for device in ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd"))
    return any(device.exists() for device in devices) or shutil.which("nvidia-smi") is not None


def _gpu_problem() -> str:
    """Return why Keras cannot use a GPU here; empty if it can."""
    if missing := missing_for_gpu():
        return missing
    from .gpu.backend import keras, sees_gpu

    try:
        backend = str(keras().backend.backend())
    except ModuleNotFoundError as error:
        return f"Keras lacks its backend ({error.name} is not installed; pip install 'mouth-live[gpu]')"
    except ValueError as error:  # Keras knows no backend of that name
        return f"Keras does not start ({error}); set KERAS_BACKEND to tensorflow, jax or torch"
    return "" if sees_gpu() else f"{backend}, which Keras runs on, sees no GPU"
