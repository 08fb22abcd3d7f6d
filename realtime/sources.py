"""Recorded video: a file, a still picture, or a folder of pictures, as frames with the times they are shown at."""

import logging
import os
import re
import threading
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import SourceError
from .records import Frame

log = logging.getLogger("mouth_live")

_VIDEO = ".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .mts .m2ts .ts .wmv .flv .3gp .ogv .h264 .h265 .hevc .mxf .vob .asf"
VIDEO_SUFFIXES = frozenset(_VIDEO.split())
PICTURE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"))
FOLDER_RATE = 25.0  # frames/s of a folder of pictures
FALLBACK_RATE = 25.0  # where a file tells no rate
LOOK_AHEAD = 4  # frames; all of them at one time: the file has no times
MISSING = 1.0  # s that may lack at the end before a video counts as cut off (sound is often a little longer)


_ISO_BOXES = (b"ftyp", b"mdat", b"moov", b"wide", b"free", b"skip")  # what an mp4 or mov begins with


class IncompleteVideoError(SourceError):
    """A video ended early; all frames before were delivered."""


class VideoSource(Protocol):
    """A source of frames, open from its making to the end of ``with``; iterated once.

    Attributes:
        name: for messages.
        size: (width, height) in pixels as displayed.
        nominal_rate: frames/s, only for pace, progress and constant-rate writers: times come from the frames.
        duration: seconds, an estimate for progress; None where unknown.
        start: the container's own time of the first frame in seconds, so that ``frame.time + start`` lies on its
            sound's clock; good to half a frame of ``nominal_rate`` (OpenCV tells no better), 0 where not known.
    """

    name: str
    size: tuple[int, int]
    nominal_rate: float
    duration: float | None
    start: float

    def __enter__(self) -> Self:
        """The source itself."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, at once or when a read that another thread is in comes back."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """The frames, in order, times never decreasing."""
        ...


def open_video(path: str | os.PathLike[str]) -> "VideoFile | Pictures":
    """Open a recording.

    Args:
        path: a video file, a still picture (one frame at time 0), or a folder of pictures (in natural order, 25/s).

    Raises:
        SourceError: it is missing, empty, unreadable, or holds no picture.
    """
    path = Path(path)
    if path.is_dir():
        pictures = [p for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES]
        if not pictures:
            raise SourceError(f"{path}: no pictures in this folder; give a video or a folder of pictures")
        return Pictures(path, sorted(pictures, key=lambda p: _natural(p.name)))
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot read it ({error.strerror}); check its permissions") from None
    if empty:
        raise SourceError(f"{path}: an empty file (0 bytes); was its recording or copy broken off?")
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return Pictures(path, [path])
    return VideoFile(path)


def find_videos(folder: Path) -> list[Path]:
    """The video files of a folder and of those in it, sorted."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in VIDEO_SUFFIXES and p.is_file())


def quiet_decoder() -> None:
    """Keep the decoders' own talk off the terminal: what matters is told in one line of ours."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


class Capture:
    """An OpenCV capture that any thread may close, even while another one hangs in :meth:`read`.

    Released under a running read, OpenCV crashes: then the reader releases it, when it is back.
    """

    def __init__(self, target: int | str, backend: int) -> None:
        """Open a file, a URL or a device; see :attr:`opened`."""
        quiet_decoder()
        self._native = cv2.VideoCapture(target, backend)
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

    def close(self) -> None:
        """Close it, now or as soon as it is free."""
        self._closed = True
        if self._in_use.acquire(blocking=False):
            self._native.release()
            self._in_use.release()


class VideoFile:
    """A video file through OpenCV's FFmpeg, its rotation applied; the attributes are those of :class:`VideoSource`.

    Every frame has the size of the first: one whose size differs is scaled to it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and decode its first frame.

        Raises:
            SourceError: it is no video, or no frame of it can be decoded.
        """
        self._path = path
        self.name = path.name
        if _is_text(path):  # a playlist would even make the decoder open other files and addresses
            raise SourceError(f"{path}: a text file, not a video; was something else saved under its name?")
        # Absolute: in "talk:1.mp4" the decoder would take "talk" for a protocol.
        self._capture = Capture(str(path.absolute()), cv2.CAP_FFMPEG)
        image = self._capture.read() if self._capture.opened else None
        if image is None:
            self._capture.close()
            raise SourceError(f"{path}: {_why_unreadable(path, self._capture.opened)}")
        self._first = image
        self._position = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        self.size = (self._first.shape[1], self._first.shape[0])
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.nominal_rate = rate if 0 < rate <= 1000 else FALLBACK_RATE
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.duration = count / self.nominal_rate if 0 < count < 1e9 else None
        self.start = _start(self._capture, self._position)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capture.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames.

        Raises:
            IncompleteVideoError: after the last readable frame, where the file is cut off.
        """
        decoded = self._decoded()
        head = [pair for _, pair in zip(range(LOOK_AHEAD), decoded, strict=False)]
        origin = head[0][0]
        untimed = len(head) > 1 and all(position == origin for position, _ in head)
        if untimed:
            log.warning("%s: has no times of its own; taken at %g frames/s", self._path, self.nominal_rate)
        frames, head = chain(head, decoded), []
        index, last = 0, 0.0
        for index, (position, image) in enumerate(frames):
            if untimed:
                last = index / self.nominal_rate
            elif position == 0 and last > 0:  # MPEG-1 and 2: the last frame comes without a time
                last += 1 / self.nominal_rate
            else:
                last = max(last, position - origin)
            yield Frame(index, last, self._fitted(image))
        self._check_end(index + 1, last)

    def _decoded(self) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """(position in seconds, picture) of every frame."""
        image: NDArray[np.uint8] | None = self._first
        position = self._position
        while image is not None:
            yield position, image
            image = self._capture.read()
            position = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000

    def _fitted(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if (image.shape[1], image.shape[0]) == self.size:
            return image
        return cast("NDArray[np.uint8]", cv2.resize(image, self.size, interpolation=cv2.INTER_AREA))

    def _check_end(self, frames: int, last: float) -> None:
        """Tell whether the file was cut off."""
        missing = _bytes_missing(self._path)
        if missing:
            about = f" of about {self.duration:.1f} s" if self.duration and self.duration > last + MISSING else ""
            raise IncompleteVideoError(
                f"{self._path}: cut off, {missing:,} bytes are missing at its end; "
                f"the {frames} frames up to {last:.1f} s{about} were read and kept"
            )


class Pictures:
    """One picture, or several at a constant rate; the attributes are those of :class:`VideoSource`."""

    def __init__(self, path: Path, files: list[Path]) -> None:
        """Read the first picture.

        Raises:
            SourceError: it cannot be read.
        """
        quiet_decoder()
        self.name = path.name
        self._files = files
        self._first = _read_picture(files[0])
        self.size = (self._first.shape[1], self._first.shape[0])
        self.nominal_rate, self.start = FOLDER_RATE, 0.0
        self.duration: float | None = len(files) / FOLDER_RATE

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def __iter__(self) -> Iterator[Frame]:
        """The pictures as they are, each in its own size.

        Raises:
            SourceError: one of them cannot be read.
        """
        for index, file in enumerate(self._files):
            yield Frame(index, index / FOLDER_RATE, self._first if index == 0 else _read_picture(file))


class Paced:
    """A recording that delivers its frames when they are due, as a camera would; attributes as its own."""

    def __init__(self, video: VideoFile | Pictures) -> None:
        """Take over an opened recording."""
        self._video = video
        self.name, self.size, self.nominal_rate = video.name, video.size, video.nominal_rate
        self.duration, self.start = video.duration, video.start
        self.pausing = False  # whether the next frame is just not due yet
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        self._video.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._video.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[Frame]:
        """The frames at their times by the clock on the wall."""
        begin: float | None = None
        for frame in self._video:
            begin = time.monotonic() if begin is None else begin
            self.pausing = True
            if self._closed.wait(max(0.0, begin + frame.time - time.monotonic())):
                return
            self.pausing = False
            yield frame


def _colour(image: object) -> NDArray[np.uint8]:
    """A decoded picture as (h, w, 3) uint8 BGR, whatever it was."""
    array = cast("NDArray[np.uint8] | NDArray[np.uint16]", image)
    narrow = (array >> 8).astype(np.uint8) if array.dtype == np.uint16 else cast("NDArray[np.uint8]", array)
    return np.dstack([narrow] * 3) if narrow.ndim == 2 else narrow


def _read_picture(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)  # 8 bits, BGR, turned as its EXIF says
    if image is None:
        raise SourceError(f"{path}: not readable as a picture; is the file damaged?")
    return image.astype(np.uint8, copy=False)


def _start(capture: Capture, position: float) -> float:
    """The container's time of the first frame: OpenCV counts positions from it, but tells it in frames (from 4.11)."""
    rate = capture.get(cv2.CAP_PROP_FPS)
    pts = capture.get(getattr(cv2, "CAP_PROP_PTS", -1))
    return max(0.0, pts / rate) if rate > 0 and abs(position) < 1e-6 and 0 < pts < 1e9 else max(0.0, position)


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(512)
    return not re.search(rb"[^\t\n\r -~\x80-\xff]", head)


def _why_unreadable(path: Path, opened: bool) -> str:
    with path.open("rb") as file:
        kind = file.read(8)[4:]
    if kind in _ISO_BOXES and b"moov" not in _top_boxes(path):
        return "its index is missing (moov); the recording was cut off before it ended, try to repair it with untrunc"
    missing = _bytes_missing(path)
    if missing:
        return f"cut off, {missing:,} bytes are missing at its end and nothing before is readable; copy it again"
    if opened:
        return "no picture in it could be decoded; is it damaged, or sound alone?"
    return (
        "no video in it that can be read; is it sound alone, or no video at all? Else convert it: ffmpeg -i IN OUT.mp4"
    )


def _top_boxes(path: Path) -> dict[bytes, tuple[int, int]]:
    """Top-level boxes of an ISO media file (mp4, mov): type to (offset, size). Source: ISO/IEC 14496-12."""
    boxes: dict[bytes, tuple[int, int]] = {}
    end, offset = path.stat().st_size, 0
    with path.open("rb") as file:
        while offset + 8 <= end:
            file.seek(offset)
            head = file.read(16)
            size, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if size == 1:
                size = int.from_bytes(head[8:16], "big")
            size = end - offset if size == 0 else size
            if size < 8 or not re.fullmatch(rb"[\w \xa9-]{4}", kind):
                break
            boxes[kind] = (offset, size)
            offset += size
    return boxes


def _bytes_missing(path: Path) -> int:
    """How many bytes the container promises beyond the file's end: mp4, mov, avi, mkv, webm; else 0."""
    end = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
    if head[:4] == b"RIFF":
        return max(0, int.from_bytes(head[4:8], "little") + 8 - end)
    if head[:4] == b"\x1aE\xdf\xa3":
        return _segment_missing(head, end)
    if head[4:8] in _ISO_BOXES:
        return max([0, *(offset + size - end for offset, size in _top_boxes(path).values())])
    return 0


def _segment_missing(head: bytes, end: int) -> int:
    """Bytes that a Matroska file's segment promises beyond its end. Source: RFC 8794."""
    at = head.find(b"\x18\x53\x80\x67")
    if at < 0 or len(head) < at + 12:
        return 0
    length = 9 - head[at + 4].bit_length()
    size = int.from_bytes(head[at + 4 : at + 4 + length], "big") & ((1 << 7 * length) - 1)
    unknown = size == (1 << 7 * length) - 1
    return 0 if unknown else max(0, at + 4 + length + size - end)


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts frame2 before frame10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name.lower())]
