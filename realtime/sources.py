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

from .capture import Capture, quiet_decoder, spare_cores
from .container import bytes_missing, is_text, why_unreadable
from .errors import SourceError
from .ffmpeg_capture import ffmpeg_capture, is_interlaced
from .records import Frame

log = logging.getLogger("mouth_live")

_VIDEO = ".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .mts .m2ts .ts .wmv .flv .3gp .ogv .h264 .h265 .hevc .mxf .vob .asf"
VIDEO_SUFFIXES = frozenset(_VIDEO.split())
PICTURE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"))
FOLDER_RATE = 25.0  # frames/s of a folder of pictures
FALLBACK_RATE = 25.0  # where a file tells no rate
LOOK_AHEAD = 4  # frames; all of them at one time: the file has no times; all the same: it may be interlaced
SAMPLE = 4  # pixels from one to the next in which pictures are compared
COVER_RATE = 90_000  # frames/s that FFmpeg tells of a picture attached to sound
MISSING = 1.0  # s by which the length that is told must differ from what was read to be worth telling


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


class VideoFile:
    """A video file through OpenCV's FFmpeg, its rotation applied; the attributes are those of :class:`VideoSource`.

    What that cannot read goes through the ``ffmpeg`` program, where it is installed. Every frame has the size of the
    first: one whose size differs is scaled to it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and decode its first frames.

        Raises:
            SourceError: it is no video, or no frame of it can be decoded.
        """
        self._path = path
        self.name = path.name
        if is_text(path):  # a playlist would even make the decoder open other files and addresses
            raise SourceError(f"{path}: a text file, not a video; was something else saved under its name?")
        # Absolute: in "talk:1.mp4" the decoder would take "talk" for a protocol.
        self._capture = Capture(str(path.absolute()), cv2.CAP_FFMPEG, spare_cores())
        opened, rate = self._capture.opened, self._capture.get(cv2.CAP_PROP_FPS)
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.start = 0.0
        self._head = self._read_head()
        if not self._head or self._is_rubbish():
            self._capture.close()
            self._capture = ffmpeg_capture(path) or self._capture
            self._head = self._read_head()
        if not self._head:
            self._capture.close()
            raise SourceError(f"{path}: {why_unreadable(path, opened)}")
        if len(self._head) == 1 < count and rate == COVER_RATE:
            self._capture.close()
            raise SourceError(f"{path}: no video in it, only sound and a cover picture")
        rate = rate if 0 < rate <= 1000 else self._capture.get(cv2.CAP_PROP_FPS)
        height, width = self._head[0][1].shape[:2]
        self.size = (width, height)
        self.nominal_rate = rate if 0 < rate <= 1000 else FALLBACK_RATE
        self.duration = count / self.nominal_rate if 0 < count < 1e9 else None

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
        head, self._head = self._head, []
        origin = head[0][0]
        untimed = len(head) > 1 and all(position == origin for position, _ in head)
        if untimed:
            log.warning("%s: has no times of its own; taken at %g frames/s", self._path, self.nominal_rate)
        frames, head = chain(head, iter(self._read, None)), []
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

    def _read(self) -> tuple[float, NDArray[np.uint8]] | None:
        """(position in seconds, picture) of the next frame; None at the end."""
        image = self._capture.read()
        return None if image is None else (self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, image)

    def _read_head(self) -> list[tuple[float, NDArray[np.uint8]]]:
        """The first frames."""
        first = self._read()
        if first is None:
            return []
        self.start = _start(self._capture, first[0])
        return [first, *(frame for _, frame in zip(range(LOOK_AHEAD - 1), iter(self._read, None), strict=False))]

    def _is_rubbish(self) -> bool:
        """Whether OpenCV cannot show what it decoded: then all pictures are one and the same."""
        few = [image[::SAMPLE, ::SAMPLE] for _, image in self._head]
        if len(few) < LOOK_AHEAD or not all(np.array_equal(few[0], other) for other in few[1:]):
            return False
        interlaced = is_interlaced(self._path)
        if interlaced is None:
            log.warning("%s: the first pictures are all the same; if it is interlaced, install ffmpeg", self._path)
        return bool(interlaced)

    def _fitted(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if (image.shape[1], image.shape[0]) == self.size:
            return image
        return cast("NDArray[np.uint8]", cv2.resize(image, self.size, interpolation=cv2.INTER_AREA))

    def _check_end(self, frames: int, last: float) -> None:
        """Tell whether the file was cut off."""
        missing = bytes_missing(self._path)
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


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts frame2 before frame10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name.lower())]
