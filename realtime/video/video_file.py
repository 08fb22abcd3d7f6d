"""Video files, decoded to frames with presentation times."""

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
from .container import is_text, missing_bytes, unreadable_reason
from .ffmpeg_capture import FfmpegCapture, is_interlaced, open_with_ffmpeg

log = logging.getLogger("mouth_live")

FALLBACK_RATE = 25.0  # frames/s, where a file states none
HEAD_FRAMES = 4  # first frames; if all have one time, the file has no times; if all are identical, see _is_garbage
COMPARE_STRIDE = 4  # pixels: pictures are compared at every fourth pixel of every fourth row
COVER_RATE = 90_000  # frames/s that FFmpeg reports for a picture attached to sound
# A file ended early if more seconds than these are missing and fewer than this share of its frames were decoded.
MAX_MISSING_SECONDS = 1.0
MIN_FRAME_SHARE = 0.95


class VideoFile:
    """A video file decoded by OpenCV, its rotation applied; the attributes are those of ``sources.VideoSource``.

    The ``ffmpeg`` program, where it is installed, decodes what OpenCV cannot. Frames of another size than the first are
    scaled to it.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and decode its first frames.

        Raises:
            SourceError: it is not a video, or no frame of it can be decoded.
        """
        self._path = path
        self.name, self.files = path.name, (path,)
        if is_text(path):  # a playlist would make the decoder open other files and addresses
            raise SourceError(f"{path}: a text file, not a video; was something else saved under its name?")
        # An absolute path: in "talk:1.mp4" the decoder would take "talk" for a protocol.
        self._capture = Capture(str(path.absolute()), cv2.CAP_FFMPEG, spare_cores())
        opened, rate = self._capture.opened, self._capture.get(cv2.CAP_PROP_FPS)
        self._count = count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.start_time, self._head = self._read_head()
        if not self._head or self._is_garbage():
            self._capture.close()
            self._capture = open_with_ffmpeg(path) or self._capture
            self.start_time, self._head = self._read_head()
        if not self._head:
            self._capture.close()
            raise SourceError(f"{path}: {unreadable_reason(path, opened)}")
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
        """Yield the frames.

        Raises:
            IncompleteVideoError: the file is cut off; raised after its last readable frame.
        """
        frames, last = 0, 0.0
        for last, image in self._timed_pictures():
            yield Frame(frames, last, self._resized(image))
            frames += 1
        missing = missing_bytes(self._path)
        if not missing and self._ended_early(frames, last) and self._reopen_with_ffmpeg():
            for time, image in self._timed_pictures():
                if time > last:
                    yield Frame(frames, time, self._resized(image))
                    frames, last = frames + 1, time
        self._check_end(frames, last, missing)

    def _timed_pictures(self) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Yield (seconds since the first frame, picture) for all frames of the capture."""
        head, self._head = self._head, []
        origin = head[0][0]
        untimed = len(head) > 1 and all(position == origin for position, _ in head)
        if untimed:
            log.warning("%s: has no times of its own; read as %g frames/s", self._path, self.nominal_rate)
        frames, head = chain(head, iter(self._read, None)), []
        last = 0.0
        for index, (position, image) in enumerate(frames):
            if untimed:
                last = index / self.nominal_rate
            elif position == 0 and last > 0:  # in MPEG-1 and 2 the last frame has no time
                last += 1 / self.nominal_rate
            else:
                last = max(last, position - origin)
            yield last, image

    def _read(self) -> tuple[float, NDArray[np.uint8]] | None:
        """Return (position in seconds, picture) of the next frame; None at the end."""
        image = self._capture.read()
        return None if image is None else (self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, image)

    def _read_head(self) -> tuple[float, list[tuple[float, NDArray[np.uint8]]]]:
        """Return the container's time of the first frame, 0 where there is none, and the first frames."""
        first = self._read()
        if first is None:
            return 0.0, []
        start_time = _start_time(self._capture, first[0])
        rest = zip(range(HEAD_FRAMES - 1), iter(self._read, None), strict=False)
        return start_time, [first, *(frame for _, frame in rest)]

    def _is_garbage(self) -> bool:
        """Return whether OpenCV gave garbage: identical pictures of an interlaced video."""
        samples = [image[::COMPARE_STRIDE, ::COMPARE_STRIDE] for _, image in self._head]
        if len(samples) < HEAD_FRAMES or not all(np.array_equal(samples[0], other) for other in samples[1:]):
            return False
        interlaced = is_interlaced(self._path)
        if interlaced is None:
            log.warning("%s: the first pictures are identical; if it is interlaced, install ffmpeg", self._path)
        return bool(interlaced)

    def _resized(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if (image.shape[1], image.shape[0]) == self.size:
            return image
        return cast("NDArray[np.uint8]", cv2.resize(image, self.size, interpolation=cv2.INTER_AREA))

    def _ended_early(self, frames: int, last: float) -> bool:
        """Return whether far fewer frames were decoded than the file states; the last one is at ``last`` seconds."""
        if self.duration is None:
            return False
        end = self.start_time + last  # some containers count their duration from their own zero
        return self.duration > end + MAX_MISSING_SECONDS and self._count * MIN_FRAME_SHARE > frames

    def _reopen_with_ffmpeg(self) -> bool:
        """Open the file with ffmpeg, which skips damage at which OpenCV stops; return whether it gives frames."""
        former = self._capture
        if isinstance(former, FfmpegCapture) or former.closed:
            return False
        capture = open_with_ffmpeg(self._path)
        if capture is None:
            return False
        self._capture = capture
        if former.closed:  # by another thread, which did not know of the new capture
            capture.close()
        former.close()
        _, self._head = self._read_head()
        return bool(self._head)

    def _check_end(self, frames: int, last: float, missing: int) -> None:
        """Raise an error where the file is cut off, by ``missing`` bytes; warn where it ended early."""
        early = self._ended_early(frames, last)
        about = f" of about {self.duration:.1f} s" if early else ""
        kept = f"the {frames} frames up to {last:.1f} s{about} were read and kept"
        if missing:
            raise IncompleteVideoError(f"{self._path}: cut off, {missing:,} bytes are missing at its end; {kept}")
        if early:
            log.warning("%s: %s, nothing after them could be; is it damaged, or its sound longer?", self._path, kept)


def _start_time(capture: Capture, position: float) -> float:
    """Return the container's time of the first frame, in seconds.

    OpenCV counts positions from that time. It reports the time itself in frames, from version 4.11 on.
    """
    rate = capture.get(cv2.CAP_PROP_FPS)
    pts = capture.get(getattr(cv2, "CAP_PROP_PTS", -1))
    return max(0.0, pts / rate) if rate > 0 and abs(position) < 1e-6 and 0 < pts < 1e9 else max(0.0, position)
