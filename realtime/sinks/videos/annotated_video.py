"""The sink that writes an annotated video: each frame with its readings, at the source's times and with its sound.

The ``ffmpeg`` program writes it where it is installed. Elsewhere OpenCV does, which keeps neither times nor sound.
"""

import logging
import shutil
from contextlib import ExitStack
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from ....models.errors import SinkError
from ....models.whole_file import same_file, whole_file
from ...records import Analysis
from ...video.picture_shape import fit
from ...video.plain_name import plain_name
from ..drawing.overlay import Overlay
from ..drawing.themes import DEFAULT_THEME, Theme
from ..sink import Sink
from .ffmpeg_writer import FfmpegWriter

log = logging.getLogger("mouth_live")

OUTPUT_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")  # of containers for H.264, AAC and variable frame rates
DEFAULT_RATE = 25.0  # frames/s, for a source without a frame rate
MAX_KEPT_START = 10.0  # s: later starts, such as a broadcast's that counts from midnight, are moved to 0

Picture = NDArray[np.uint8]


class PictureWriter(Protocol):
    """A writer of pictures of one size, with their times, into a video file."""

    def write(self, picture: Picture, time: float) -> None:
        """Write the next (h, w, 3) uint8 BGR picture, shown from ``time`` (seconds) on."""
        ...

    def finish(self) -> None:
        """Complete the file."""
        ...

    def abandon(self) -> None:
        """Stop at once and leave the file as it is."""
        ...


class AnnotatedVideo(Sink):
    """Write each frame with its readings to an H.264 video (``.mp4``, ``.m4v``, ``.mov`` or ``.mkv``).

    The file is written as ``NAME.part.EXT`` and gets its name when the ``with`` block ends without an exception.
    """

    def __init__(
        self,
        path: Path,
        source_path: Path | None,
        size: tuple[int, int],
        nominal_rate: float,
        start_time: float,
        theme: Theme = DEFAULT_THEME,
    ) -> None:
        """Set the output; nothing is opened yet.

        Args:
            path: the video to write.
            source_path: the recording whose sound is copied; None for a camera.
            size: the (width, height) of the frames in pixels. A frame of another size is fitted into it.
            nominal_rate: the source's frame rate in frames/s, used where times cannot be kept.
            start_time: the first frame's presentation time in the source, in seconds. Frames are shown at
                ``frame.time + start_time``, in sync with the sound.
            theme: what the overlay shows.

        Raises:
            ValueError: there is no such theme.
        """
        self.path = self._path = path
        self._overlay = Overlay(theme)
        self._source = source_path
        self._size = size
        self._rate = nominal_rate if isfinite(nominal_rate) and nominal_rate > 0 else DEFAULT_RATE
        self._origin = start_time if start_time > MAX_KEPT_START or start_time < 0 else 0.0
        self._offset = start_time - self._origin
        self._writer: PictureWriter | None = None
        self._closing = ExitStack()
        self._frames = 0

    def __enter__(self) -> Self:
        """Open the output.

        Raises:
            SinkError: its suffix is unknown, it is the source itself, or it cannot be written.
        """
        path = self._path
        if path.suffix.lower() not in OUTPUT_SUFFIXES:
            raise SinkError(f"{path}: cannot write this kind of video; name it {', '.join(OUTPUT_SUFFIXES)}")
        if self._source is not None and same_file(path, self._source):
            raise SinkError(f"{path}: the annotated video would overwrite its own source; give another name")
        with ExitStack() as stack:
            part = stack.enter_context(whole_file(path, "; choose another folder", error=SinkError))
            self._writer = self._new_writer(part)
            self._closing = stack.pop_all()
        return self

    def _new_writer(self, part: Path) -> PictureWriter:
        width, height = self._size
        size = (width + width % 2, height + height % 2)  # H.264's 4:2:0 colour needs even sides
        program = shutil.which("ffmpeg")
        if program:
            return FfmpegWriter(program, part, size, self._rate, self._source, self._origin)
        log.warning(
            "%s: no ffmpeg program found, so the video has a constant %.6g frames/s (frames are repeated or left "
            "out) and no sound; install ffmpeg to keep both",
            self._path,
            self._rate,
        )
        return ConstantRateWriter(part, size, self._rate)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the video. An error removes ``NAME.part.EXT``, an interruption leaves it.

        Raises:
            SinkError: the last frames cannot be written, or the source gave no frame.
        """
        writer, self._writer = self._writer, None
        if writer is None:
            return
        with self._closing as closing:
            if kind is not None:
                writer.abandon()
                closing.__exit__(kind, error, trace)
            elif not self._frames:
                writer.abandon()
                raise SinkError(f"{self._path}: no video written, because the source gave no frame")
            else:
                try:
                    writer.finish()
                except BaseException:
                    writer.abandon()
                    raise

    def write(self, analysis: Analysis) -> None:
        """Draw and write one frame.

        Raises:
            SinkError: the disk is full, or ffmpeg failed.
            ValueError: the sink is not open.
        """
        if self._writer is None:
            raise ValueError("AnnotatedVideo: write inside its with block only")
        if analysis.silent:
            return
        picture = _fitted(self._overlay.draw(analysis), self._size)
        self._writer.write(picture, max(0.0, analysis.frame.time + self._offset))
        self._frames += 1


def _fitted(picture: Picture, size: tuple[int, int]) -> Picture:
    """Return the picture fitted into a (width, height), made even by repeating the last row and column."""
    width, height = size
    picture = fit(picture, (picture.shape[1], picture.shape[0]), size)  # a folder of pictures may have several sizes
    if width % 2 or height % 2:
        return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return picture


class ConstantRateWriter:
    """A writer of MPEG-4 through OpenCV, at a constant rate. Each picture starts at the slot nearest to its time.

    So no time is off by more than half a slot. A gap repeats the previous picture. Of several pictures in one slot, the
    last one is kept.
    """

    def __init__(self, path: Path, size: tuple[int, int], rate: float) -> None:
        """Open the file for pictures of ``size`` (width, height) at ``rate`` slots per second.

        Raises:
            SinkError: OpenCV cannot write it.
        """
        self._path, self._rate = path, rate
        fourcc = cv2.VideoWriter.fourcc(*"mp4v")
        with plain_name(str(path)) as name:
            self._video = cv2.VideoWriter(name, fourcc, rate, size)
        if not self._video.isOpened():
            raise SinkError(f"{path}: OpenCV cannot write this video; install ffmpeg or name it .mp4")
        self._start: float | None = None
        self._waiting: Picture | None = None
        self._slot = 0
        self._written = 0

    def write(self, picture: Picture, time: float) -> None:
        """Take the next picture, and write the previous one for all slots until this one's time."""
        if self._start is None:
            self._start = time
        slot = max(self._slot, int((time - self._start) * self._rate + 0.5))
        if self._waiting is not None:
            for _ in range(slot - self._slot):
                self._put(self._waiting)
        self._waiting, self._slot = picture, slot

    def finish(self) -> None:
        """Write the last picture and complete the file.

        Raises:
            SinkError: the file is incomplete; OpenCV gives no reason, a full disk is likely.
        """
        if self._waiting is not None:
            self._put(self._waiting)
        self._video.release()
        with plain_name(str(self._path)) as name:
            check = cv2.VideoCapture(name)
        whole = check.isOpened() and round(check.get(cv2.CAP_PROP_FRAME_COUNT)) >= self._written
        check.release()
        if not whole:
            raise SinkError(f"{self._path}: OpenCV could not complete the video; is the disk full?")

    def abandon(self) -> None:
        """Close the file as it is."""
        self._video.release()

    def _put(self, picture: Picture) -> None:
        self._video.write(picture)
        self._written += 1
