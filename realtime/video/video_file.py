"""A video file as frames with the times they are shown at."""

import logging
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.errors import IncompleteVideoError, SourceError
from ..records import Frame
from .capture import Capture, spare_cores
from .container import bytes_missing, is_text, why_unreadable
from .ffmpeg_capture import FfmpegCapture, ffmpeg_capture, is_interlaced

log = logging.getLogger("mouth_live")

FALLBACK_RATE = 25.0  # frames/s, where a file tells none
LOOK_AHEAD = 4  # frames; all of them at one time: the file has no times; all the same: it may be interlaced
SAMPLE = 4  # pixels from one to the next in which pictures are compared
COVER_RATE = 90_000  # frames/s that FFmpeg tells of a picture attached to sound
MISSING, ENOUGH = 1.0, 0.95  # a file ended early if so many seconds are missing and only such a share of frames came


class VideoFile:
    """A video file through OpenCV's FFmpeg, its rotation applied; the attributes are those of ``sources.VideoSource``.

    What that cannot read goes through the ``ffmpeg`` program, where it is installed. Every frame has the size of the
    first: one whose size differs is scaled to it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and decode its first frames.

        Raises:
            SourceError: it is no video, or no frame of it can be decoded.
        """
        self._path = path
        self.name, self.files = path.name, (path,)
        if is_text(path):  # a playlist would even make the decoder open other files and addresses
            raise SourceError(f"{path}: a text file, not a video; was something else saved under its name?")
        # Absolute: in "talk:1.mp4" the decoder would take "talk" for a protocol.
        self._capture = Capture(str(path.absolute()), cv2.CAP_FFMPEG, spare_cores())
        opened, rate = self._capture.opened, self._capture.get(cv2.CAP_PROP_FPS)
        self._count = count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.start, self._head = self._read_head()
        if not self._head or self._is_rubbish():
            self._capture.close()
            self._capture = ffmpeg_capture(path) or self._capture
            self.start, self._head = self._read_head()
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
        frames, last = 0, 0.0
        for last, image in self._timed():
            yield Frame(frames, last, self._fitted(image))
            frames += 1
        missing = bytes_missing(self._path)
        if not missing and self._ended_early(frames, last) and self._goes_on_in_ffmpeg():
            for time, image in self._timed():
                if time > last:
                    yield Frame(frames, time, self._fitted(image))
                    frames, last = frames + 1, time
        self._check_end(frames, last, missing)

    def _timed(self) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """(seconds since the first frame, picture) of all frames of the capture."""
        head, self._head = self._head, []
        origin = head[0][0]
        untimed = len(head) > 1 and all(position == origin for position, _ in head)
        if untimed:
            log.warning("%s: has no times of its own; taken at %g frames/s", self._path, self.nominal_rate)
        frames, head = chain(head, iter(self._read, None)), []
        last = 0.0
        for index, (position, image) in enumerate(frames):
            if untimed:
                last = index / self.nominal_rate
            elif position == 0 and last > 0:  # MPEG-1 and 2: the last frame comes without a time
                last += 1 / self.nominal_rate
            else:
                last = max(last, position - origin)
            yield last, image

    def _read(self) -> tuple[float, NDArray[np.uint8]] | None:
        """(position in seconds, picture) of the next frame; None at the end."""
        image = self._capture.read()
        return None if image is None else (self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, image)

    def _read_head(self) -> tuple[float, list[tuple[float, NDArray[np.uint8]]]]:
        """The container's time of the first frame, 0 where there is none, and the first frames."""
        first = self._read()
        if first is None:
            return 0.0, []
        start = _start(self._capture, first[0])
        few = zip(range(LOOK_AHEAD - 1), iter(self._read, None), strict=False)
        return start, [first, *(frame for _, frame in few)]

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

    def _ended_early(self, frames: int, last: float) -> bool:
        """Whether frames, the last of them at ``last`` seconds, are by far not all that the file tells of."""
        end = self.start + last  # some containers count their duration from their own zero
        return self.duration is not None and self.duration > end + MISSING and self._count * ENOUGH > frames

    def _goes_on_in_ffmpeg(self) -> bool:
        """Open the file anew where OpenCV gave up at damage: ffmpeg reads over it."""
        former = self._capture
        if isinstance(former, FfmpegCapture) or former.closed:
            return False
        capture = ffmpeg_capture(self._path)
        if capture is None:
            return False
        self._capture = capture
        if former.closed:  # meanwhile, by another thread that did not know of this one
            capture.close()
        former.close()
        _, self._head = self._read_head()
        return bool(self._head)

    def _check_end(self, frames: int, last: float, missing: int) -> None:
        """Tell whether the file was cut off, by ``missing`` bytes, or ended before its time."""
        early = self._ended_early(frames, last)
        about = f" of about {self.duration:.1f} s" if early else ""
        kept = f"the {frames} frames up to {last:.1f} s{about} were read and kept"
        if missing:
            raise IncompleteVideoError(f"{self._path}: cut off, {missing:,} bytes are missing at its end; {kept}")
        if early:
            log.warning("%s: %s, nothing after them could be; is it damaged, or its sound longer?", self._path, kept)


def _start(capture: Capture, position: float) -> float:
    """The container's time of the first frame: OpenCV counts positions from it, but tells it in frames (from 4.11)."""
    rate = capture.get(cv2.CAP_PROP_FPS)
    pts = capture.get(getattr(cv2, "CAP_PROP_PTS", -1))
    return max(0.0, pts / rate) if rate > 0 and abs(position) < 1e-6 and 0 < pts < 1e9 else max(0.0, position)
