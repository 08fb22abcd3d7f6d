"""The decoded pictures of one video track: by OpenCV or, where that cannot, by the ``ffmpeg`` program."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.errors import SourceError
from .capture import Capture, spare_cores
from .ffmpeg_capture import FfmpegCapture, FfmpegReading, is_interlaced, open_with_ffmpeg
from .picture_shape import Flip

log = logging.getLogger("mouth_live")

HEAD_FRAMES = 4  # first frames; if all have one time, the file has no times; if all are identical, see _is_garbage
COMPARE_STRIDE = 4  # pixels: pictures are compared at every fourth pixel of every fourth row
INTRA = ord("I")  # OpenCV's type of a frame that was decoded without others


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A decoded picture.

    Attributes:
        position: its time in seconds; 0 where it has none.
        intra: whether it was decoded without others.
        picture: (h, w, 3) uint8, BGR.
    """

    position: float
    intra: bool
    picture: NDArray[np.uint8]


class Decoder:
    """Decodes one video track; its rotation is applied, its mirroring is not.

    Attributes:
        opened: whether streams were found in the file.
        frame_count: the number of frames that the file states, about; 0 or less where unknown.
        stated_rate: the frame rate in frames/s that OpenCV reports; 0 where unknown.
        head: the first frames; :meth:`frames` yields them again.
        start_time: the container's time of the first frame, in seconds; 0 where unknown.
        is_turned: whether pictures are rotated by 90 or 270 degrees.
    """

    def __init__(self, path: Path, track: int, frame_count: float | None, flip: Flip | None) -> None:
        """Open the file and decode its first frames.

        Args:
            path: the file.
            track: the number of the video track, from 0.
            frame_count: the number of the track's frames, where it is known from elsewhere.
            flip: how the pictures are to be mirrored; then they are not rotated either.

        Raises:
            SourceError: the track needs ffmpeg, which is not installed.
        """
        self._path, self._track, self._flip = path, track, flip
        self._capture = self._opened_capture()
        self.opened, self.stated_rate = self._capture.opened, self._capture.get(cv2.CAP_PROP_FPS)
        self.is_turned = flip is None and self._capture.is_turned
        self.frame_count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT) if track == 0 else frame_count or 0.0
        self.start_time, self.head = self._read_head()
        if not self.head or self._is_garbage():
            self._decode_with_ffmpeg()

    @property
    def rate(self) -> float:
        """The frame rate in frames/s; 0 or absurd where unknown."""
        return self.stated_rate if 0 < self.stated_rate <= 1000 else self._capture.get(cv2.CAP_PROP_FPS)

    @property
    def closed(self) -> bool:
        """Whether a thread has closed it."""
        return self._capture.closed

    @property
    def is_plain(self) -> bool:
        """Whether OpenCV decodes it, the first track, to pictures as they are stored, neither turned nor mirrored."""
        is_opencv = not isinstance(self._capture, FfmpegCapture)
        return is_opencv and self._flip is None and self._capture.get(cv2.CAP_PROP_ORIENTATION_META) % 360 == 0

    @property
    def mends_clock(self) -> bool:
        """Whether times go on where the file's clock starts again."""
        return isinstance(self._capture, FfmpegCapture) and self._capture.mends_clock

    def close(self) -> None:
        """Close it now, or as soon as the running read returns."""
        self._capture.close()

    def frames(self) -> Iterator[Decoded]:
        """Return all frames, those of the head first."""
        head, self.head = self.head, []
        return chain(head, iter(self._read, None))

    def seek(self, position: float) -> bool:
        """Go on with a frame that is not shown after a time in seconds; return whether that can be asked for."""
        if isinstance(self._capture, FfmpegCapture):
            return False
        self.head = []
        self._capture.request(cv2.CAP_PROP_POS_MSEC, 1000 * position)
        return True

    def pixel_aspect(self) -> float:
        """Return the width of the decoded pictures' pixels divided by their height; 1 where the file states none."""
        above, below = self._capture.get(cv2.CAP_PROP_SAR_NUM), self._capture.get(cv2.CAP_PROP_SAR_DEN)
        if above <= 0 or below <= 0:
            return 1.0
        # The file states it for pictures before they are rotated. ffmpeg has changed it with the pictures.
        turned = self._flip.transposed if self._flip else self._capture.is_turned
        return below / above if turned else above / below

    def reopen_with_ffmpeg(self) -> bool:
        """Open the file with ffmpeg, which skips damage at which OpenCV stops; return whether it gives frames."""
        former = self._capture
        if isinstance(former, FfmpegCapture) or former.closed:
            return False
        reading = FfmpegReading(self._track, rotate=self._flip is None, keep_clock=False)
        capture = open_with_ffmpeg(self._path, reading)
        if capture is None:
            return False
        self._capture = capture
        if former.closed:  # by another thread, which did not know of the new capture
            capture.close()
        former.close()
        _, self.head = self._read_head()
        return bool(self.head)

    def _opened_capture(self) -> Capture:
        """Open the file's first track with OpenCV, another one with ffmpeg."""
        if self._track:
            capture = open_with_ffmpeg(self._path, FfmpegReading(self._track, rotate=self._flip is None))
            if capture is None:
                raise SourceError(f"{self._path}: track {self._track} cannot be read; only ffmpeg could, install it")
            return capture
        # An absolute path: in "talk:1.mp4" the decoder would take "talk" for a protocol.
        capture = Capture(str(self._path.absolute()), cv2.CAP_FFMPEG, spare_cores())
        if self._flip is not None:  # OpenCV knows rotations only
            capture.request(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        return capture

    def _decode_with_ffmpeg(self) -> None:
        """Open the file anew with ffmpeg, where that is installed, and read the first frames again."""
        known_start = bool(self.head)
        self._capture.close()
        reading = FfmpegReading(self._track, rotate=self._flip is None, keep_clock=not known_start)
        self._capture = open_with_ffmpeg(self._path, reading) or self._capture
        start_time, self.head = self._read_head()
        self.start_time = self.start_time if known_start else start_time

    def _read(self) -> Decoded | None:
        """Return the next frame; None at the end."""
        image = self._capture.read()
        if image is None:
            return None
        intra = self._capture.get(cv2.CAP_PROP_FRAME_TYPE) == INTRA
        return Decoded(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, intra, image)

    def _read_head(self) -> tuple[float, list[Decoded]]:
        """Return the container's time of the first frame, 0 where there is none, and the first frames."""
        first = self._read()
        if first is None:
            return 0.0, []
        start_time = _start_time(self._capture, first.position)
        rest = zip(range(HEAD_FRAMES - 1), iter(self._read, None), strict=False)
        return start_time, [first, *(frame for _, frame in rest)]

    def _is_garbage(self) -> bool:
        """Return whether OpenCV gave garbage: identical pictures of an interlaced video."""
        samples = [frame.picture[::COMPARE_STRIDE, ::COMPARE_STRIDE] for frame in self.head]
        if len(samples) < HEAD_FRAMES or not all(np.array_equal(samples[0], other) for other in samples[1:]):
            return False
        interlaced = is_interlaced(self._path)
        if interlaced is None:
            log.warning("%s: the first pictures are identical; if it is interlaced, install ffmpeg", self._path)
        return bool(interlaced)


def _start_time(capture: Capture, position: float) -> float:
    """Return the container's time of the first frame, in seconds.

    OpenCV counts positions from that time. It reports the time itself in frames, from version 4.11 on.
    """
    rate = capture.get(cv2.CAP_PROP_FPS)
    pts = capture.get(getattr(cv2, "CAP_PROP_PTS", -1))
    return max(0.0, pts / rate) if rate > 0 and abs(position) < 1e-6 and 0 < pts < 1e9 else max(0.0, position)
