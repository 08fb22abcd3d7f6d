"""Recorded video: a file, a still picture, or a folder of pictures, as frames with the times they are shown at."""

import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import SourceError
from .records import Frame

log = logging.getLogger("mouth_live")

VIDEO_SUFFIXES = frozenset(
    ".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .mts .m2ts .ts .wmv .flv .3gp .ogv .h264 .h265 .hevc .mxf .vob .asf".split()
)
PICTURE_SUFFIXES = frozenset(".jpg .jpeg .png .bmp .tif .tiff .webp".split())
FOLDER_RATE = 25.0  # frames/s of a folder of pictures
FALLBACK_RATE = 25.0  # where a file tells no rate
MISSING = 1.0  # s that may lack at the end before a video counts as cut off (sound is often a little longer)


class IncompleteVideoError(SourceError):
    """A video ended early; all frames before were delivered."""


class VideoSource(Protocol):
    """A source of frames, open from ``with`` on.

    Attributes:
        name: for messages.
        size: (width, height) in pixels as displayed.
        nominal_rate: frames/s, only for pace, progress and constant-rate writers: times come from the frames.
        duration: seconds, an estimate for progress; None where unknown.
        start: the container's own time of the first frame in seconds, so that ``frame.time + start`` lies on its
            sound's clock; 0 where the container does not tell.
    """

    name: str
    size: tuple[int, int]
    nominal_rate: float
    duration: float | None
    start: float

    def __enter__(self) -> Self:
        """Open it."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
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


class VideoFile:
    """A video file through OpenCV's FFmpeg, its rotation applied; the attributes are those of :class:`VideoSource`.

    Every frame has the size of the first: one whose size differs is scaled to it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and decode its first frame.

        Raises:
            SourceError: it is no video, or no frame of it can be decoded.
        """
        quiet_decoder()
        self._path = path
        self.name = path.name
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        opened = self._capture.isOpened()
        ok, image = self._capture.read() if opened else (False, None)
        if not ok or image is None:
            self._capture.release()
            raise SourceError(f"{path}: {_why_unreadable(path, opened)}")
        self._first = _colour(image)
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
        self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        """The frames.

        Raises:
            IncompleteVideoError: after the last readable frame, where the file is cut off.
        """
        origin, last, untimed = self._position, 0.0, False
        index, image = 0, self._first
        yield Frame(0, 0.0, image)
        while True:
            ok, read = self._capture.read()
            if not ok:
                break
            index += 1
            position = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if index == 1 and position <= origin:
                untimed = True
                log.warning("%s: has no times of its own; taken at %g frames/s", self._path, self.nominal_rate)
            now = index / self.nominal_rate if untimed else position - origin
            last = max(last, now)
            yield Frame(index, last, self._fitted(_colour(read)))
        self._check_end(index + 1, last)

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

    def __enter__(self) -> Self:
        self._video.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._video.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[Frame]:
        """The frames at their times by the clock on the wall."""
        begin: float | None = None
        for frame in self._video:
            begin = time.monotonic() if begin is None else begin
            time.sleep(max(0.0, begin + frame.time - time.monotonic()))
            yield frame


def _colour(image: object) -> NDArray[np.uint8]:
    """A decoded picture as (h, w, 3) uint8 BGR, whatever it was."""
    array = cast("NDArray[np.generic]", image)
    if array.dtype == np.uint16:
        array = (array // np.uint16(257)).astype(np.uint8)
    if array.ndim == 2:
        array = np.dstack([array] * 3)
    return cast("NDArray[np.uint8]", array)


def _read_picture(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)  # 8 bits, BGR, turned as its EXIF says
    if image is None:
        raise SourceError(f"{path}: not readable as a picture; is the file damaged?")
    return image.astype(np.uint8, copy=False)


def _start(capture: cv2.VideoCapture, position: float) -> float:
    """The container's time of the first frame: OpenCV counts positions from it, but tells its PTS in frames."""
    rate = capture.get(cv2.CAP_PROP_FPS)
    pts = capture.get(cv2.CAP_PROP_PTS)
    return max(0.0, pts / rate) if rate > 0 and abs(position) < 1e-6 and 0 < pts < 1e9 else max(0.0, position)


def _why_unreadable(path: Path, opened: bool) -> str:
    if opened:
        return "no picture in it could be decoded; is it damaged, or sound alone?"
    with path.open("rb") as file:
        head = file.read(4096)
    if head[4:8] in (b"ftyp", b"mdat", b"moov", b"wide", b"free") and b"moov" not in _top_boxes(path):
        return "its index is missing (moov); the recording was cut off before it ended, try to repair it with untrunc"
    return "not readable as video; is it a video with a picture, undamaged?"


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
    if head[4:8] == b"ftyp":
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
