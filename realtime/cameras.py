"""Cameras: which there are, which one is meant, and its frames."""

import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import SourceError
from .records import Frame
from .sources import VIDEO_SUFFIXES, Paced, VideoSource, open_video, quiet_decoder

log = logging.getLogger("mouth_live")

DEFAULT_SIZE = (1280, 720)
MJPG_FROM = 1280 * 720  # pixels: above it, raw pictures do not fit through USB 2 at full rate
FROZEN = 2.0  # s of one and the same picture, or of none, until the camera is opened again
GIVE_UP = 10.0  # s of trying until its loss is an error
RETRY = 0.5  # s between tries
_V4L = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera of this machine: OpenCV's index, its name, and its device path (empty where there is none)."""

    index: int
    name: str
    path: str


def list_cameras() -> list[Camera]:
    """The cameras that the system names, by index.

    With the extra ``cameras`` on every platform; without it on Linux alone.
    """
    try:
        import cv2_enumerate_cameras  # pyright: ignore[reportMissingImports]
    except ImportError:
        return _linux_cameras()
    found = cast("Any", cv2_enumerate_cameras).enumerate_cameras()
    return sorted((Camera(int(c.index) % 100, str(c.name), str(c.path or "")) for c in found), key=lambda c: c.index)


def _linux_cameras() -> list[Camera]:
    if not sys.platform.startswith("linux") or not _V4L.is_dir():
        return []
    nodes = [node for node in _V4L.iterdir() if node.name.removeprefix("video").isdigit()]
    cameras = [
        Camera(int(node.name.removeprefix("video")), (node / "name").read_text().strip(), f"/dev/{node.name}")
        for node in nodes
        if (node / "name").is_file()
    ]
    return sorted(cameras, key=lambda c: c.index)


def open_camera(source: int | str, size: tuple[int, int] | None = None, fps: float | None = None) -> VideoSource:
    """Open a live source.

    Args:
        source: digits, an index; contains ``://``, a URL; an existing path, a device or a video file played at its own
            pace; with a path separator or a video suffix, a missing file; else a part of a camera's name.
        size: (width, height) to ask the camera for; default 1280x720.
        fps: frames/s to ask the camera for.

    Raises:
        SourceError: it is not there, cannot be opened, or the name fits several.
    """
    text = str(source)
    if text.isdigit():
        return LiveCamera(int(text), f"camera {text}", size, fps)
    if "://" in text:
        return LiveCamera(text, text, size, fps)
    path = Path(text)
    if path.exists():
        if path.is_file():
            return Paced(open_video(path))
        return LiveCamera(text, text, size, fps) if not path.is_dir() else Paced(open_video(path))
    if "/" in text or "\\" in text or path.suffix.lower() in VIDEO_SUFFIXES:
        raise SourceError(f"{text}: no such file or device")
    return _by_name(text, size, fps)


def _by_name(part: str, size: tuple[int, int] | None, fps: float | None) -> "LiveCamera":
    fitting = [camera for camera in list_cameras() if part.lower() in camera.name.lower()]
    if not fitting:
        raise SourceError(f"no camera with {part!r} in its name; {_there_are()}")
    if len(fitting) > 1:
        names = ", ".join(f"{c.index} {c.name!r}" for c in fitting)
        raise SourceError(f"{part!r} fits several cameras: {names}; give an index")
    return LiveCamera(fitting[0].index, fitting[0].name, size, fps)


def _there_are() -> str:
    cameras = list_cameras()
    if not cameras:
        return "no camera was found on this machine"
    return "there are: " + ", ".join(f"{c.index} {c.name!r}" for c in cameras)


class LiveCamera:
    """A camera or a stream; the attributes are those of :class:`~mouth_live.realtime.sources.VideoSource`."""

    def __init__(self, device: int | str, name: str, size: tuple[int, int] | None, fps: float | None) -> None:
        """Open it and wait for its first picture.

        Raises:
            SourceError: it is not there, or busy.
        """
        quiet_decoder()
        self.name = name
        self.duration: float | None = None
        self.start = 0.0
        self._device, self._wanted, self._fps = device, size, fps
        first = self._open()
        if first is None:
            raise SourceError(f"{name}: cannot be opened or gives no picture; is it in use? {_there_are()}")
        self._first = first
        self.size = (first.shape[1], first.shape[0])
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.nominal_rate = rate if 0 < rate <= 1000 else 30.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        """Frames as they come; their times are the clock's after each read, counted from the first.

        Raises:
            SourceError: the camera stopped and did not come back within 10 s.
        """
        begin = fresh = time.monotonic()
        image, index = self._first, 0
        yield Frame(0, 0.0, image)
        while True:
            read = self._next()
            now = time.monotonic()
            if read is not None and not np.array_equal(read, image):
                fresh = now
            elif now - fresh > FROZEN:
                log.warning("%s: no new picture for %g s; opening it again", self.name, FROZEN)
                read, fresh = self._again(), time.monotonic()
                now = fresh
            if read is None:
                time.sleep(0.005)
                continue
            image, index = read, index + 1
            yield Frame(index, now - begin, image)

    def _open(self) -> NDArray[np.uint8] | None:
        """Open the device; its first picture, or None."""
        if isinstance(self._device, int) or "://" not in self._device:
            self._capture = cv2.VideoCapture(self._device)
            width, height = self._wanted or DEFAULT_SIZE
            if width * height >= MJPG_FROM:
                self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
            if self._fps:
                self._capture.set(cv2.CAP_PROP_FPS, self._fps)
        else:
            self._capture = cv2.VideoCapture(self._device, cv2.CAP_FFMPEG)
        return self._next()

    def _next(self) -> NDArray[np.uint8] | None:
        ok, image = self._capture.read()
        return image.astype(np.uint8, copy=False) if ok and image is not None else None

    def _again(self) -> NDArray[np.uint8]:
        """Open the camera anew until it gives a picture."""
        until = time.monotonic() + GIVE_UP
        while time.monotonic() < until:
            self._capture.release()
            image = self._open()
            if image is not None:
                log.warning("%s: is back", self.name)
                return image
            time.sleep(RETRY)
        raise SourceError(f"{self.name}: gone, and not back within {GIVE_UP:g} s; check its cable and start again")
