"""The openness network on the GPU: crops in, openness and reliability out, the unsure ones read twice in one call."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..crop import CROP_SIZE
from ..errors import ModelError
from ..weights_file import Weights
from .backend import Tensor, compiled, ops, to_host
from .light import network_input
from .network import GpuNetwork

BATCHES = (8, 64, 256)  # crops: each new size is compiled
_CROP, _PAIR = (CROP_SIZE, CROP_SIZE, 3), (2,)


class CropReader:
    """Reads crops, on the host or on the GPU."""

    def __init__(self, weights: Weights, unsure: float, pair: tuple[float, float]) -> None:
        """Read the network; each size of batch is compiled when it is first needed.

        Args:
            weights: the ``.tflite`` file's.
            unsure: below this reliability the mean with the mirrored crop counts.
            pair: what a network that takes a pair of numbers beside the crop is given.

        Raises:
            ModelError: it cannot run on the GPU, or it is another kind of network.
        """
        self._network = GpuNetwork(weights)
        shapes = self._network.input_shapes
        if sorted(shapes) not in ([_CROP], [_PAIR, _CROP]):
            raise ModelError(f"{weights.name}: inputs {shapes}, expected crops {_CROP}, perhaps with a pair {_PAIR}")
        self._unsure, self._pair = unsure, pair
        self._run = compiled(self._values)

    def read(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Read crops (n, 60, 60, 3) uint8 RGB, at least one: (n, 1 or 2) float32, openness and perhaps reliability."""
        parts = [crops[start : start + BATCHES[-1]] for start in range(0, len(crops), BATCHES[-1])]
        return self.values([_filled(part) for part in parts], len(crops))

    def values(self, parts: Sequence[Tensor], count: int) -> NDArray[np.float32]:
        """Read parts of crops, each of a fixed size; return the first ``count`` values, (count, 1 or 2) float32."""
        started = [self._run(part) for part in parts]
        return np.concatenate([to_host(values) for values in started])[:count]

    def _values(self, crops: Tensor) -> Tensor:
        k, count = ops(), crops.shape[0]
        pictures = network_input(crops)
        if self._network.output_shapes != [(2,)]:
            return self._outputs(pictures)
        # To read all of them mirrored takes less time than to wait for the first values and to choose.
        values = self._outputs(k.concatenate([pictures, k.flip(pictures, axis=2)], axis=0))
        once, mirrored = values[:count], values[count:]
        return k.where(once[:, 1:] < self._unsure, (once + mirrored) / 2, once)

    def _outputs(self, pictures: Tensor) -> Tensor:
        pairs = ops().ones_like(pictures[:, 0, 0, :2]) * ops().convert_to_tensor(self._pair, "float32")
        (values,) = self._network(*(pictures if shape == _CROP else pairs for shape in self._network.input_shapes))
        return values


def _filled(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pad crops with zeros to the next fixed size."""
    size = next(size for size in BATCHES if size >= len(crops))
    return np.pad(crops, [(0, size - len(crops))] + [(0, 0)] * 3)
