"""Video decoded on an NVIDIA GPU, by the package PyNvVideoCodec; the times are those of our own packets.

Only what needs no more than that is decoded there: a file's first track, its pictures shown as they are, neither turned
nor stretched, and with times of their own. All else is decoded on the CPU.

No card was at hand when this was written: it was tested with another decoder behind the same interface.
"""

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from heapq import heappop, heappush
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ...models.errors import DecodingError
from ..records import Frame
from .gaps import Gaps
from .packets import PacketCapture
from .video_file import VideoFile

log = logging.getLogger("mouth_live")

PACKAGE = "PyNvVideoCodec"
LEAD = 32  # packets that are read ahead to sort their times: a codec shows a picture no more than 16 later
SAME_TIME = 1e-6  # s


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPart:
    """Frames that follow each other.

    Attributes:
        frames: the frames, with times, without pixels.
        planes: their pictures on the GPU, each (rows, width) or (rows, width, 1) uint8 NV12, with ``__dlpack__``. They
            are valid until the next part is asked for.
    """

    frames: list[Frame]
    planes: list[Any]


def is_installed() -> bool:
    """Return whether the package is installed."""
    return find_spec(PACKAGE) is not None


class NvDecoder:
    """A video file that is decoded on the GPU."""

    def __init__(self, video: VideoFile) -> None:
        """Open the file once more, on the GPU.

        Args:
            video: the open file; it is not read.

        Raises:
            DecodingError: the GPU cannot decode the file as the CPU does, or the package cannot be used.
        """
        if not video.is_plain:
            raise DecodingError("its pictures must be turned, stretched or timed, or some are missing")
        self._video, self._path, self.size = video, video.files[0], video.size
        try:
            module: Any = import_module(PACKAGE)
            self._decoder = module.SimpleDecoder(
                str(self._path), gpu_id=0, use_device_memory=True, output_color_type=module.OutputColorType.NATIVE
            )
            about = self._decoder.get_stream_metadata()
        except Exception as error:  # noqa: BLE001 - the package raises plain exceptions, and its import may fail anyhow
            raise DecodingError(_first_line(error)) from None
        if (about.width, about.height) != self.size:
            raise DecodingError(f"its pictures would be {about.width}x{about.height}")
        times = PacketTimes(self._path)
        with closing(times):
            first = list(islice(times, len(video.head_times)))
        if len(first) < len(video.head_times) or not np.allclose(first, video.head_times, atol=SAME_TIME):
            raise DecodingError("its packets have other times than its frames")

    def parts(self, count: Callable[[], int]) -> Generator[DecodedPart]:
        """Yield the frames, so many at a time.

        Args:
            count: returns the most frames of the next part.

        Raises:
            DecodingError: the GPU gives more or fewer frames than there are packets, or fails.
        """
        width, height = self.size
        nothing = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), (height, width, 3))
        index, last, shapes, gaps = 0, 0.0, set[tuple[int, ...]](), Gaps(self._video.nominal_rate)
        with closing(PacketTimes(self._path)) as packets:
            times = iter(packets)
            ahead = list(islice(times, 1))
            while planes := self._next(count(), is_over=not ahead):
                part = ahead + list(islice(times, len(planes) - len(ahead)))
                if sorted([last, *part]) != [last, *part]:
                    raise DecodingError(f"{self._path}: its clock starts again")
                if len(part) < len(planes):
                    raise DecodingError(f"{self._path}: the GPU decodes more frames than there are")
                shapes |= {tuple(plane.shape[:2]) for plane in planes}
                if len(shapes) > 1:
                    raise DecodingError(f"{self._path}: the size of its pictures changes")
                frames = [Frame(index + i, time, nothing) for i, time in enumerate(part)]
                yield DecodedPart(frames, planes)
                index, last = index + len(frames), part[-1]
                for time in part:
                    gaps.add(time)
                ahead = list(islice(times, 1))
            if ahead or self._video.is_damaged(index, last, gaps):
                raise DecodingError(f"{self._path}: the GPU decodes only {index} frames")

    def _next(self, count: int, *, is_over: bool) -> list[Any]:
        """Return the next frames; none at the end, where the decoder may fail too."""
        try:
            return list(self._decoder.get_batch_frames(count))
        except Exception as error:  # noqa: BLE001 - plain exceptions again
            if is_over:
                return []
            raise DecodingError(f"{self._path}: {_first_line(error)}") from None


class PacketTimes:
    """The times of a file's frames in seconds since the first, in order, from its packets."""

    def __init__(self, path: Path) -> None:
        """Open the file."""
        self._packets = PacketCapture(path)

    def close(self) -> None:
        """Close it."""
        self._packets.close()

    def __iter__(self) -> Iterator[float]:
        """Yield the times."""
        waiting: list[float] = []
        first: float | None = None
        while (is_more := self._packets.read_packet() is not None) or waiting:
            if is_more:
                heappush(waiting, self._packets.position)
            if not is_more or len(waiting) > LEAD:
                time = heappop(waiting)
                first = time if first is None else first
                yield time - first


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
