"""OpenCV's video capture, made safe: quiet, closable from any thread, always 8-bit BGR."""

import os
import threading
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray


def quiet_decoder() -> None:
    """Keep the decoders' own talk off the terminal: what matters is told in one line of ours."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def spare_cores() -> int:
    """Cores to decode on while another one analyses; at least 1."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable - 1)


class Capture:
    """An OpenCV capture that any thread may close, even while another one hangs in :meth:`read`.

    Released under a running read, OpenCV crashes: then the reader releases it, when it is back.
    """

    def __init__(self, target: int | str, backend: int, threads: int | None = None) -> None:
        """Open a file, a URL or a device; see :attr:`opened`.

        Args:
            target: its path or address, or the device's index.
            backend: OpenCV's number of it.
            threads: for decoding; None leaves it to the decoder, which takes one more than there are cores.
        """
        quiet_decoder()
        settings = () if threads is None else ([cv2.CAP_PROP_N_THREADS, threads],)
        self._native = cv2.VideoCapture(target, backend, *settings)
        self._in_use = threading.Lock()
        self._closed = False
        self.opened = self._native.isOpened()

    def read(self) -> NDArray[np.uint8] | None:
        """The next picture, (h, w, 3) uint8 BGR; None where there is none."""
        with self._in_use:
            ok, image = (False, None) if self._closed else self._native.read()
        if self._closed:
            self.close()
        return _colour(image) if ok and image is not None else None

    def get(self, key: int) -> float:
        """A property, by OpenCV's number."""
        return self._native.get(key)

    def ask(self, key: int, value: float) -> None:
        """Ask the device for a setting; it may do as it likes."""
        self._native.set(key, value)

    @property
    def closed(self) -> bool:
        """Whether somebody closed it."""
        return self._closed

    def close(self) -> None:
        """Close it, now or as soon as it is free."""
        self._closed = True
        if self._in_use.acquire(blocking=False):
            self._native.release()
            self._in_use.release()


def _colour(image: object) -> NDArray[np.uint8]:
    """A decoded picture as (h, w, 3) uint8 BGR, whatever it was."""
    array = cast("NDArray[np.uint8] | NDArray[np.uint16]", image)
    narrow = (array >> 8).astype(np.uint8) if array.dtype == np.uint16 else cast("NDArray[np.uint8]", array)
    return np.dstack([narrow] * 3) if narrow.ndim == 2 else narrow
