"""OpenCV's video capture made safe: without log output, closable from any thread, and always 8-bit BGR."""

import os
import threading
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from .plain_name import plain_name

_sharing = 1  # processes that share the cores
_NO_LIMIT = "1000000000"  # packets; OpenCV's own limits end a video early where its sound is longer, and at damage


def quiet_decoder() -> None:
    """Switch the decoders' log output off: this program reports what matters in one line of its own."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_FFMPEG_READ_ATTEMPTS", _NO_LIMIT)
    os.environ.setdefault("OPENCV_FFMPEG_DECODE_ATTEMPTS", _NO_LIMIT)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share_cores(processes: int) -> None:
    """Decode on this process's share of the cores from now on, because so many processes work at once."""
    global _sharing  # noqa: PLW0603 - a property of the process, like the decoder's log
    _sharing = processes


def spare_cores() -> int:
    """Return the number of cores to decode on, which leaves one for the analysis; at least 1."""
    return max(1, usable_cores() // _sharing - 1)


class Capture:
    """An OpenCV capture that any thread may close, even while another one hangs in :meth:`read`.

    OpenCV crashes when it is released during a read. So the reading thread releases it, when its read returns.

    Attributes:
        opened: whether OpenCV could open it.
    """

    def __init__(self, target: int | str, backend: int, threads: int | None = None, *, packets: bool = False) -> None:
        """Open a file, a URL or a device; see :attr:`opened`.

        Args:
            target: the path, the address, or the device's index.
            backend: OpenCV's number of the capture backend.
            threads: the threads for decoding; None leaves the choice to the decoder, which takes one more than there
                are cores.
            packets: whether to read packets without decoding them.

        Raises:
            SourceError: the file's name cannot be passed to OpenCV.
        """
        quiet_decoder()
        settings = [] if threads is None else [cv2.CAP_PROP_N_THREADS, threads]
        settings += [cv2.CAP_PROP_FORMAT, -1] if packets else []
        with plain_name(str(target)) as name:
            target = name if isinstance(target, str) else target
            self._native = cv2.VideoCapture(target, backend, *([settings] if settings else []))
        self._in_use = threading.Lock()
        self._closed = False
        self.opened = self._native.isOpened()

    def read(self) -> NDArray[np.uint8] | None:
        """Return the next picture, (h, w, 3) uint8 BGR; None where there is none."""
        image = self._read_native()
        return None if image is None else as_bgr(image)

    def _read_native(self) -> NDArray[np.uint8] | None:
        """Return what OpenCV reads next: a picture, or a packet's bytes; None where there is none."""
        with self._in_use:
            ok, image = (False, None) if self._closed else self._native.read()
        if self._closed:
            self.close()
        return cast("NDArray[np.uint8]", image) if ok and image is not None else None

    def get(self, key: int) -> float:
        """Return a property, by OpenCV's number."""
        return self._native.get(key)

    def request(self, key: int, value: float) -> None:
        """Request a setting from the device, which may ignore it."""
        self._native.set(key, value)

    @property
    def is_turned(self) -> bool:
        """Whether the file asks for a rotation by 90 or 270 degrees."""
        return self.get(cv2.CAP_PROP_ORIENTATION_META) % 180 == 90

    @property
    def closed(self) -> bool:
        """Whether a thread has closed it."""
        return self._closed

    def close(self) -> None:
        """Close it now, or as soon as the running read returns."""
        self._closed = True
        if self._in_use.acquire(blocking=False):
            self._native.release()
            self._in_use.release()


def stated_duration(path: Path) -> float:
    """Return the seconds that a file's first video lasts, as it states; 0 where it states none."""
    capture = Capture(str(path.absolute()), cv2.CAP_FFMPEG, 1)
    rate, frames = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    capture.close()
    return frames / rate if frames > 0 and rate > 0 else 0.0


def as_bgr(image: object) -> NDArray[np.uint8]:
    """Return a decoded picture, grey or colour and 8 or 16 bits deep, as (h, w, 3) uint8 BGR."""
    array = cast("NDArray[np.uint8] | NDArray[np.uint16]", image)
    narrow = (array >> 8).astype(np.uint8) if array.dtype == np.uint16 else cast("NDArray[np.uint8]", array)
    return np.dstack([narrow] * 3) if narrow.ndim == 2 else narrow
