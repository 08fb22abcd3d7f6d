"""Cameras and streams: find the one that a name means, and read its frames."""

import logging
import time
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.errors import SourceError
from ..records import Frame
from .camera_list import CAPTURE_BACKEND, Camera, available_cameras, list_cameras, no_camera
from .capture import Capture
from .recording_files import VIDEO_SUFFIXES, recording_path, refuse_special_file
from .sources import PacedVideo, VideoSource, open_video

log = logging.getLogger("mouth_live")

DEFAULT_SIZE = (1280, 720)
MJPG_MIN_PIXELS = 1280 * 720  # from this size on, uncompressed pictures exceed the bandwidth of USB 2
FROZEN_TIMEOUT = 2.0  # s with an identical picture, or with none, until the camera is opened again
REOPEN_TIMEOUT = 10.0  # s of attempts to open it again
RETRY_INTERVAL = 0.5  # s between the attempts
IDLE_INTERVAL = 0.005  # s between reads that give nothing


def open_camera(
    source: int | str | PathLike[str], size: tuple[int, int] | None = None, fps: float | None = None
) -> VideoSource:
    """Open a live source.

    Args:
        source: in this order: digits are an index; text with ``://`` is a URL; an existing path is a device or a video
            file, played at its own pace; text with a path separator or a video suffix is a missing file; anything else
            is a part of a camera's name, ignoring case.
        size: the (width, height) in pixels to request from the camera; default 1280x720.
        fps: the frames/s to request from the camera.

    Raises:
        TypeError: ``source`` is of another kind.
        SourceError: there is no such source, it cannot be opened, or the name matches several cameras.
    """
    if isinstance(source, bool) or not isinstance(source, int | str | PathLike):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"source: expected a camera's index, a path or a URL, got {type(source).__name__}")
    found = find_source(str(source))
    if isinstance(found, Path):
        return PacedVideo(open_video(found))
    if isinstance(found, Camera):
        return LiveCamera(found.index, found.name, size, fps)
    return LiveCamera(found, f"camera {found}" if isinstance(found, int) else address_name(found), size, fps)


def find_source(source: int | str) -> "int | str | Camera | Path":
    """Find out what a live source is, in the order of :func:`open_camera`, without opening it.

    Returns:
        A camera's index; a URL or a device; the camera of that name; or the path of a video file.

    Raises:
        SourceError: there is no such source, or the name matches several cameras.
    """
    text = str(source)
    if text.isdecimal():
        return int(text)
    if "://" in text and not text.lower().startswith("file://"):
        return text
    path = recording_path(text)
    if path.exists():
        if not path.is_char_device():
            refuse_special_file(path)
        if path.is_dir():
            raise SourceError(f"{text}: a folder, not a camera or a video; name one of the videos in it")
        return path if path.is_file() else text
    if "/" in text or "\\" in text or path.suffix.lower() in VIDEO_SUFFIXES:
        raise SourceError(f"{text}: no such file or device; {available_cameras()}")
    return _named(text)


def address_name(address: str) -> str:
    """Return a URL without what may be secret, its user, password and query; a device as it is."""
    try:
        parts = urlsplit(address if "://" in address else "")
    except ValueError:  # no address at all; opening it will say so
        return address
    if not parts.netloc:
        return address
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _named(part: str) -> Camera:
    matching = [camera for camera in list_cameras() if part.lower() in camera.name.lower()]
    if not matching:
        raise SourceError(f"no camera with {part!r} in its name; {available_cameras()}")
    if len(matching) > 1:
        names = ", ".join(f"{c.index} {c.name!r}" for c in matching)
        raise SourceError(f"{part!r} matches several cameras: {names}; give an index")
    return matching[0]


class LiveCamera:
    """A camera or a stream; the attributes are those of :class:`~mouth_live.realtime.video.sources.VideoSource`.

    A camera that stops, or repeats one picture for 2 s, is opened again, while the clock of its frames runs on. If it
    then still gives that picture, it films a still scene and is left alone.

    Attributes:
        patience: the seconds of attempts to open it again, after which its loss is an error.
    """

    def __init__(self, device: int | str, name: str, size: tuple[int, int] | None, fps: float | None) -> None:
        """Open it and wait for its first picture.

        Raises:
            SourceError: it does not exist, or another program uses it.
        """
        self.name = name
        self.duration: float | None = None
        self.start_time = 0.0
        self.patience = REOPEN_TIMEOUT
        self._device, self._requested_size, self._fps = device, size, fps
        self._is_url = isinstance(device, str) and "://" in device
        self._capture, first = self._connect()
        if first is None:
            self._capture.close()
            raise SourceError(self._cannot_open())
        self._first = first
        self.size = (first.shape[1], first.shape[0])
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.nominal_rate = rate if 0 < rate <= 1000 else 30.0
        self._ends = self._is_url and 0 < self._capture.get(cv2.CAP_PROP_FRAME_COUNT) < 1e9
        self._count, self._begin = 0, -1.0
        self._attempts = 0  # to open it again; only the newest one counts
        self._closed = False
        self._reopening_until = 0.0

    @property
    def pausing(self) -> bool:
        """Whether no picture comes because the camera is being opened again."""
        return time.monotonic() < self._reopening_until

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._capture.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames as they arrive; their times are the clock's after each read, counted from the first.

        Raises:
            SourceError: the camera stopped and could not be opened again.
        """
        capture, image = self._capture, self._first
        shown, fresh, still = image, time.monotonic(), False
        yield self._frame(image)
        while not self._closed:
            read = capture.read()
            if capture is not self._capture or (read is None and self._ends):
                return  # another thread opened it again while this one hung, or a recording at a URL has ended
            now = time.monotonic()
            if read is not None and not np.array_equal(read, shown):
                fresh, still = now, False
            elif now - fresh > FROZEN_TIMEOUT and not (still and read is not None):
                log.warning("%s: no new picture for %g s; opening it again", self.name, FROZEN_TIMEOUT)
                self.reopen()
                capture, read, fresh = self._capture, self._first, time.monotonic()
                still = np.array_equal(read, shown)
            if read is None:
                time.sleep(IDLE_INTERVAL)
                continue
            shown = read
            yield self._frame(read)

    def reopen(self) -> None:
        """Open the camera again and again until it gives a picture; an iteration that hangs in the old one ends.

        Raises:
            SourceError: it gives none in time, or another thread has closed it or opened it again.
        """
        self._attempts += 1
        attempt = self._attempts
        until = time.monotonic() + self.patience
        self._reopening_until = until + RETRY_INTERVAL
        self._capture.close()
        while time.monotonic() < until and attempt == self._attempts and not self._closed:
            capture, image = self._connect()
            if image is not None and attempt == self._attempts and not self._closed:
                self._capture, self._first, self._reopening_until = capture, image, 0.0
                log.warning("%s: is back", self.name)
                return
            capture.close()
            time.sleep(RETRY_INTERVAL)
        raise SourceError(
            f"{self.name}: gone, and not back within {self.patience:g} s; check its cable and start again"
        )

    def _frame(self, image: NDArray[np.uint8]) -> Frame:
        now = time.monotonic()
        self._begin = now if self._count == 0 else self._begin
        self._count += 1
        return Frame(self._count - 1, now - self._begin, image)

    def _connect(self) -> tuple[Capture, NDArray[np.uint8] | None]:
        """Open the device, and return it with its first picture; None where it gives none."""
        capture = Capture(self._device, cv2.CAP_FFMPEG if self._is_url else CAPTURE_BACKEND)
        if capture.opened and not self._is_url:
            width, height = self._requested_size or DEFAULT_SIZE
            if width * height >= MJPG_MIN_PIXELS:
                capture.request(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.request(cv2.CAP_PROP_FRAME_WIDTH, width)
            capture.request(cv2.CAP_PROP_FRAME_HEIGHT, height)
            if self._fps:
                capture.request(cv2.CAP_PROP_FPS, self._fps)
        return capture, capture.read() if capture.opened else None

    def _cannot_open(self) -> str:
        if self._is_url:
            return f"{self.name}: no readable stream at this address; check the address and that its sender runs"
        if isinstance(self._device, int) and self._device not in [camera.index for camera in list_cameras()]:
            return no_camera(self._device)
        return f"{self.name}: cannot be opened or gives no picture; is another program using it?"
