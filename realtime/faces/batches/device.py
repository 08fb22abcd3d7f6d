"""What does the work on a device: pictures that lie on it, a finder and a reader for many of them at once.

``models/gpu`` has them in Keras. The types stand here, so that nothing of Keras is imported where no GPU is used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ....models.face import Face
from ....models.face_check import MIN_EVIDENCE
from ....models.gpu.passes import DetectorPass
from ....models.openness import Estimates

MOST_BYTES = 128 << 20  # of the pictures of a chunk
MEMORY_A_BYTE = 16  # bytes of the GPU's memory for each of those: two chunks, smaller copies, what is made of them

Placed = Sequence[tuple[int, Face]]
"""Faces, each with the number of its picture in the batch."""


class PictureBatch(Protocol):
    """Pictures of one size on the device.

    Attributes:
        count: how many there are.
        width: theirs, in pixels.
        height: theirs.
    """

    count: int
    width: int
    height: int

    def thumbnails(self) -> NDArray[np.uint8]:
        """Return small copies, (n, h, w, 3) uint8 BGR, at most 192 pixels a side."""
        ...


class Finder(Protocol):
    """Detects and verifies faces."""

    def detect(self, batch: Any, passes: Sequence[DetectorPass]) -> list[list[Face]]:  # noqa: ANN401
        """Return the detections of each pass, best score first, in pixels of the picture."""
        ...

    def evidence(self, batch: Any, faces: Placed) -> NDArray[np.float32]:  # noqa: ANN401
        """Return log odds that each is a face, (n,) float32."""
        ...


class Reader(Protocol):
    """Reads openness."""

    def read(self, batch: Any, faces: Placed) -> Estimates:  # noqa: ANN401
        """Return the openness and the reliability of each face."""
        ...

    def crops(self, batch: Any, faces: Placed) -> NDArray[np.uint8]:  # noqa: ANN401
        """Return the crop of each face, (n, 60, 60, 3) uint8 RGB."""
        ...


@dataclass(frozen=True, slots=True)
class Colours:
    """How a video's colours are stored.

    Attributes:
        matrix: how red and blue were mixed with the brightness.
        full_range: whether the brightness takes 0..255, and not 16..235.
    """

    matrix: Any
    full_range: bool


@dataclass(frozen=True, slots=True, eq=False)
class Device:
    """A device that is ready.

    Attributes:
        finder: finds faces on it.
        reader: reads them on it.
        upload: puts pictures of one size, each (h, w, 3) uint8 BGR, on it.
        of_planes: takes pictures of a (width, height) that were decoded on it, as :class:`.DecodedPart` has them.
        min_face: the width in pixels of the smallest faces that must be found.
        most_bytes: of the pictures of a chunk; one picture always fits.
        min_evidence: log odds from which on a detection is verified as a face.
    """

    finder: Finder
    reader: Reader
    upload: Callable[[Sequence[NDArray[np.uint8]]], PictureBatch]
    of_planes: Callable[[Sequence[Any], tuple[int, int], Colours], PictureBatch]
    min_face: int
    most_bytes: int = MOST_BYTES
    min_evidence: float = MIN_EVIDENCE


def keras_device(model: str | Path, min_score: float, min_face: int, memory: int | None = None) -> Device:
    """Start the networks in Keras, on the GPU if it sees one.

    Args:
        model: the openness network's weights, by name or path.
        min_score: the lowest detection score of a face, between 0 and 1.
        min_face: the width in pixels of the smallest faces that must be found.
        memory: the bytes of the GPU that may be used; None: any number.

    Raises:
        ModelError: there are no such weights, or they are damaged.
        DeviceError: the GPU cannot be used.
    """
    from ....models.gpu import FrameBatch, GpuFinder, GpuReader

    most = min(MOST_BYTES, memory // MEMORY_A_BYTE) if memory else MOST_BYTES
    return Device(GpuFinder(min_score), GpuReader(model), FrameBatch.upload, _of_planes, min_face, most)


def _of_planes(planes: Sequence[Any], size: tuple[int, int], colours: Colours) -> PictureBatch:
    from ....models.gpu import FrameBatch
    from ....models.gpu.backend import device_errors, ops, to_device

    with device_errors():
        tensors = [to_device(plane) for plane in planes]
        stacked = ops().stack([ops().reshape(tensor, tensor.shape[:2]) for tensor in tensors])
    return FrameBatch.of_nv12(stacked, *size, colours.matrix, colours.full_range)
