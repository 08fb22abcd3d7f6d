"""Recorded sources: a video file, a still picture, or a folder of pictures, as frames with presentation times."""

import os
import re
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.errors import SourceError
from ..records import Frame
from .animation import AnimatedPicture, is_animated
from .capture import quiet_decoder
from .recording_files import PICTURE_SUFFIXES, is_hidden, is_video_name, refuse_special_file
from .video_file import VideoFile

FOLDER_RATE = 25.0  # frames/s of a folder of pictures


@runtime_checkable
class VideoSource(Protocol):
    """A source of frames. It is open from its construction to the end of its ``with`` block, and is iterated once.

    Attributes:
        name: the name for messages.
        size: the (width, height) in pixels, as displayed.
        nominal_rate: the frame rate in frames/s, for pace, progress and constant-rate writers only: each frame has its
            own time.
        duration: the duration in seconds, an estimate for progress; None where unknown.
        start_time: the first frame's presentation time in the container, in seconds; 0 where unknown. So
            ``frame.time + start_time`` is on the clock of the sound. It is accurate to half a frame of
            ``nominal_rate``; OpenCV reports no better.
    """

    name: str
    size: tuple[int, int]
    nominal_rate: float
    duration: float | None
    start_time: float

    def __enter__(self) -> Self:
        """Return the source itself."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the source now, or as soon as another thread's read returns."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order, their times never decreasing."""
        ...


def open_video(path: str | os.PathLike[str], track: int | None = None) -> "Recording":
    """Open a recording.

    Args:
        path: a video file, a still or animated picture, or a folder of pictures (in natural order, 25 frames/s). A
            still picture is one frame at time 0.
        track: the number of the video track, from 0; None: the one that the file marks as default.

    Raises:
        SourceError: it is missing, empty, unreadable or no file, or contains no picture or no such track.
    """
    path = Path(os.fsdecode(path))
    if path.is_dir():
        pictures = [p for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES and not is_hidden(p.name)]
        if not pictures:
            raise SourceError(f"{path}: no pictures in this folder; give a video or a folder of pictures")
        if any(is_video_name(p) and p not in pictures for p in path.iterdir() if not is_hidden(p.name)):
            raise SourceError(f"{path}: a folder with videos and pictures; open each video by itself")
        return Pictures(path, sorted(pictures, key=lambda p: _natural(p.name)))
    is_picture = path.suffix.lower() in PICTURE_SUFFIXES
    try:
        refuse_special_file(path)
        with path.open("rb") as file:
            content = file.read() if is_picture else file.read(1)
    except FileNotFoundError:
        what = f"a link to {path.readlink()}, which is not there" if path.is_symlink() else "no such file"
        raise SourceError(f"{path}: {what}") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot read it ({error.strerror}); check its permissions") from None
    if not content:
        raise SourceError(f"{path}: an empty file (0 bytes); was the recording or the copy interrupted?")
    if not is_picture:
        return VideoFile(path, track)
    if track:
        raise SourceError(f"{path}: a picture has one track, 0; there is no track {track}")
    return AnimatedPicture(path, content) if is_animated(content) else Pictures(path, [path])


class Pictures:
    """A source of one picture, or of several at a constant rate; the attributes are those of :class:`VideoSource`."""

    def __init__(self, path: Path, files: list[Path]) -> None:
        """Read the first picture.

        Raises:
            SourceError: it cannot be read.
        """
        quiet_decoder()
        self.name = path.name
        self.files = files
        self._first = _read_picture(files[0])
        self.size = (self._first.shape[1], self._first.shape[0])
        self.nominal_rate, self.start_time = FOLDER_RATE, 0.0
        self.duration: float | None = len(files) / FOLDER_RATE

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def __iter__(self) -> Iterator[Frame]:
        """Yield the pictures, each in its own size.

        Raises:
            SourceError: one of them cannot be read.
        """
        for index, file in enumerate(self.files):
            yield Frame(index, index / FOLDER_RATE, self._first if index == 0 else _read_picture(file))


class PacedVideo:
    """A recording that delivers its frames in real time, as a camera does; the attributes are the recording's."""

    def __init__(self, video: "Recording") -> None:
        """Take over an open recording."""
        self._video = video
        self.name, self.size, self.nominal_rate = video.name, video.size, video.nominal_rate
        self.duration, self.start_time = video.duration, video.start_time
        self.files: Sequence[Path] = video.files
        self.pausing = False  # whether the next frame is not due yet
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
        """Yield each frame when it is due by the wall clock."""
        begin: float | None = None
        for frame in self._video:
            begin = time.monotonic() if begin is None else begin
            self.pausing = True
            if self._closed.wait(max(0.0, begin + frame.time - time.monotonic())):
                return
            self.pausing = False
            yield frame


Recording = VideoFile | Pictures | AnimatedPicture
"""An open recording."""


def _read_picture(path: Path) -> NDArray[np.uint8]:
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise SourceError(f"{path}: cannot read it ({error.strerror}); check its permissions") from None
    # From memory: OpenCV crashes at a name that is not UTF-8. 8 bits, BGR, turned as its EXIF says.
    image = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if image is None:
        raise SourceError(f"{path}: not readable as a picture; is the file damaged?")
    return image.astype(np.uint8, copy=False)


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a sort key that puts frame2 before frame10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name.lower())]
