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

from ...models.errors import SourceError
from ..records import Frame
from .capture import Capture
from .sources import VIDEO_SUFFIXES, Paced, VideoSource, open_video

log = logging.getLogger("mouth_live")

DEFAULT_SIZE = (1280, 720)
MJPG_FROM = 1280 * 720  # pixels: above it, raw pictures do not fit through USB 2 at full rate
FROZEN = 2.0  # s of one and the same picture, or of none, until the camera is opened again
GIVE_UP = 10.0  # s of trying until its loss is an error
RETRY = 0.5  # s between tries
IDLE = 0.005  # s between reads that give nothing
# One backend for listing and for opening, so that both mean the same camera by an index.
_BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}
BACKEND = _BACKENDS.get(sys.platform, cv2.CAP_ANY)
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
    found = cast("Any", cv2_enumerate_cameras).enumerate_cameras(BACKEND)
    return sorted((Camera(int(c.index), str(c.name), str(c.path or "")) for c in found), key=lambda c: c.index)


def _linux_cameras() -> list[Camera]:
    if not sys.platform.startswith("linux") or not _V4L.is_dir():
        return []
    nodes = [node for node in _V4L.iterdir() if node.name.removeprefix("video").isdigit() and _gives_pictures(node)]
    cameras = [
        Camera(int(node.name.removeprefix("video")), (node / "name").read_text().strip(), f"/dev/{node.name}")
        for node in nodes
        if (node / "name").is_file()
    ]
    return sorted(cameras, key=lambda c: c.index)


def _gives_pictures(node: Path) -> bool:
    """Whether it is a camera's first node; the others carry metadata or the same pictures."""
    index = node / "index"
    return not index.is_file() or index.read_text().strip() == "0"


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
        if path.is_dir():
            raise SourceError(f"{text}: a folder, not a camera or a video; name one of the videos in it")
        return Paced(open_video(path)) if path.is_file() else LiveCamera(text, text, size, fps)
    if "/" in text or "\\" in text or path.suffix.lower() in VIDEO_SUFFIXES:
        raise SourceError(f"{text}: no such file or device; {_there_are()}")
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
    """A camera or a stream; the attributes are those of :class:`~mouth_live.realtime.video.sources.VideoSource`.

    One that stops, or repeats one picture for 2 s, is opened again while its clock runs on. One that still shows that
    picture then shows a still, and is left alone.
    """

    def __init__(self, device: int | str, name: str, size: tuple[int, int] | None, fps: float | None) -> None:
        """Open it and wait for its first picture.

        Raises:
            SourceError: it is not there, or busy.
        """
        self.name = name
        self.duration: float | None = None
        self.start = 0.0
        self._device, self._wanted, self._fps = device, size, fps
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
        self._tries = 0  # of opening it; only the newest one counts
        self._closed = False
        self._busy_until = 0.0

    @property
    def pausing(self) -> bool:
        """Whether no picture comes because the camera is just being opened again."""
        return time.monotonic() < self._busy_until

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._capture.close()

    def __iter__(self) -> Iterator[Frame]:
        """Frames as they come; their times are the clock's after each read, counted from the first.

        Raises:
            SourceError: the camera stopped and did not come back within 10 s.
        """
        capture, image = self._capture, self._first
        shown, fresh, still = image, time.monotonic(), False
        yield self._frame(image)
        while not self._closed:
            read = capture.read()
            if capture is not self._capture or (read is None and self._ends):
                return  # opened again by another thread while this one hung; or a recording at a URL is over
            now = time.monotonic()
            if read is not None and not np.array_equal(read, shown):
                fresh, still = now, False
            elif now - fresh > FROZEN and not (still and read is not None):
                log.warning("%s: no new picture for %g s; opening it again", self.name, FROZEN)
                self.reopen()
                capture, read, fresh = self._capture, self._first, time.monotonic()
                still = np.array_equal(read, shown)
            if read is None:
                time.sleep(IDLE)
                continue
            shown = read
            yield self._frame(read)

    def reopen(self) -> None:
        """Open the camera anew until it gives a picture; an iteration that hangs in the old one ends.

        Raises:
            SourceError: it gives none within 10 s, or was closed or opened again by another thread meanwhile.
        """
        self._tries += 1
        mine = self._tries
        until = time.monotonic() + GIVE_UP
        self._busy_until = until + RETRY
        self._capture.close()
        while time.monotonic() < until and mine == self._tries and not self._closed:
            capture, image = self._connect()
            if image is not None and mine == self._tries and not self._closed:
                self._capture, self._first, self._busy_until = capture, image, 0.0
                log.warning("%s: is back", self.name)
                return
            capture.close()
            time.sleep(RETRY)
        raise SourceError(f"{self.name}: gone, and not back within {GIVE_UP:g} s; check its cable and start again")

    def _frame(self, image: NDArray[np.uint8]) -> Frame:
        now = time.monotonic()
        self._begin = now if self._count == 0 else self._begin
        self._count += 1
        return Frame(self._count - 1, now - self._begin, image)

    def _connect(self) -> tuple[Capture, NDArray[np.uint8] | None]:
        """Open the device; with its first picture, or None."""
        capture = Capture(self._device, cv2.CAP_FFMPEG if self._is_url else BACKEND)
        if capture.opened and not self._is_url:
            width, height = self._wanted or DEFAULT_SIZE
            if width * height >= MJPG_FROM:
                capture.ask(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.ask(cv2.CAP_PROP_FRAME_WIDTH, width)
            capture.ask(cv2.CAP_PROP_FRAME_HEIGHT, height)
            if self._fps:
                capture.ask(cv2.CAP_PROP_FPS, self._fps)
        return capture, capture.read() if capture.opened else None

    def _cannot_open(self) -> str:
        if self._is_url:
            return f"{self.name}: no stream that can be read there; check the address and that its sender runs"
        if isinstance(self._device, int) and self._device not in [camera.index for camera in list_cameras()]:
            return f"no {self.name}; {_there_are()}"
        return f"{self.name}: cannot be opened or gives no picture; is another program using it?"
