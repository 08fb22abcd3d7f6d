"""Read the openness of faces in pictures that are on the GPU."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..crop import CROP_SIZE, MOUTH_REGION
from ..face import Face
from ..openness import DEFAULT_WEIGHTS, NEUTRAL_GENDER, UNSURE, Estimates
from ..weights_file import load_weights
from .backend import Tensor, to_host
from .crop_reader import CropReader
from .frames import FrameBatch
from .warp import padded_faces, warp_of


class GpuReader:
    """Crops faces and reads how open their mouths are.

    Not safe for use by several threads at once; make one for each.

    Attributes:
        name: the weights' name.
    """

    def __init__(self, name_or_path: str | Path = DEFAULT_WEIGHTS) -> None:
        """Load the openness network.

        Args:
            name_or_path: as for :func:`mouth_live.models.load_openness_model`.

        Raises:
            ModelError: no such weights, or they differ from the SHA-256 in their card.
        """
        weights = load_weights(name_or_path, "openness")
        self.name = weights.name
        self._reader = CropReader(weights, UNSURE, NEUTRAL_GENDER)

    def read(self, batch: FrameBatch, faces: Sequence[tuple[int, Face]]) -> Estimates:
        """Read the openness of faces, those of low reliability twice.

        Args:
            batch: the pictures.
            faces: (number of the picture, face).

        Raises:
            OutOfDeviceMemoryError: the GPU has too little memory.
        """
        if not faces:
            return Estimates(np.zeros(0, np.float32), np.zeros(0, np.float32))
        values = self._reader.values(_crops(batch, faces), len(faces))
        openness = np.ascontiguousarray(values[:, 0])
        if values.shape[1] == 1:
            return Estimates(openness, np.full(len(values), np.nan, np.float32))
        return Estimates(openness, np.ascontiguousarray(values[:, 1]))

    def crops(self, batch: FrameBatch, faces: Sequence[tuple[int, Face]]) -> NDArray[np.uint8]:
        """Return the crops of faces on the host, (n, 60, 60, 3) uint8 RGB; arguments as for :meth:`read`."""
        parts = [to_host(part) for part in _crops(batch, faces)]
        return np.concatenate([np.zeros((0, CROP_SIZE, CROP_SIZE, 3), np.uint8), *parts])[: len(faces)]


def _crops(batch: FrameBatch, faces: Sequence[tuple[int, Face]]) -> list[Tensor]:
    """Return crops on the GPU in parts of fixed sizes."""
    return [
        batch.crops(warp_of(part, [MOUTH_REGION], CROP_SIZE, batch.height, batch.width), CROP_SIZE)
        for part in padded_faces(faces)
    ]
