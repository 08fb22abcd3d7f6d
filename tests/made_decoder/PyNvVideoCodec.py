"""A made decoder with the interface of NVIDIA's package of this name: PyAV decodes, on the CPU.

A test sets :data:`CHANGES` to have it decode other frames than the real one would.
"""

from collections.abc import Callable, Iterator
from enum import Enum
from itertools import islice
from types import SimpleNamespace

import av
import numpy as np

CHANGES: dict[str, Callable[[Iterator[np.ndarray]], Iterator[np.ndarray]]] = {}
OPENED: list[str] = []


class OutputColorType(Enum):
    NATIVE = 0
    RGB = 1
    RGBP = 2


class DecodedFrame:
    """A frame in memory that the decoder uses again."""

    def __init__(self, planes: np.ndarray) -> None:
        self.planes, self.shape = _aligned(planes), planes.shape

    def __dlpack__(self, stream: object = 0) -> object:  # as in the package: none of DLPack's other options
        return self.planes.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.planes.__dlpack_device__()


class SimpleDecoder:
    def __init__(
        self, enc_file_path: str, gpu_id: int, use_device_memory: bool, output_color_type: OutputColorType
    ) -> None:
        assert use_device_memory
        assert output_color_type is OutputColorType.NATIVE
        OPENED.append(enc_file_path)
        self._container = av.open(enc_file_path)
        stream = self._container.streams.video[0]
        if not stream.frames:
            raise Exception("Elementary streams not supported by Simple Decoder.\nInvalid input stream.")  # noqa: TRY002
        self._about = SimpleNamespace(width=stream.width, height=stream.height, num_frames=stream.frames)
        frames = (frame.reformat(format="nv12").to_ndarray() for frame in self._container.decode(stream))
        self._frames = CHANGES.get("frames", iter)(frames)
        self._given: list[DecodedFrame] = []

    def get_stream_metadata(self) -> SimpleNamespace:
        return self._about

    def get_batch_frames(self, count: int) -> list[DecodedFrame]:
        for frame in self._given:
            frame.planes[:] = 0  # those given before are no longer valid
        self._given = [DecodedFrame(planes) for planes in islice(self._frames, count)]
        return self._given


def _aligned(planes: np.ndarray) -> np.ndarray:
    """The same at an address that 256 divides, as CUDA's memory is; TensorFlow aborts otherwise."""
    memory = np.empty(planes.nbytes + 256, np.uint8)
    start = -memory.ctypes.data % 256
    placed = memory[start : start + planes.nbytes].reshape(planes.shape)
    placed[:] = planes
    return placed
