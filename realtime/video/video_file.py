"""Video files, decoded to frames with presentation times."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.errors import IncompleteVideoError, SourceError
from ..records import Frame
from .capture import Capture, spare_cores
from .clock import RESTART_MESSAGE, RecordingClock
from .container import is_bare_jpegs, is_text, missing_bytes, unreadable_reason
from .ffmpeg_capture import FfmpegCapture, FfmpegReading, is_interlaced, open_with_ffmpeg
from .iso_tracks import video_matrices
from .packets import PacketCapture, StreamChanges, stated_rate
from .picture_shape import Display, mirroring
from .tracks import choose_track, probed_rate

log = logging.getLogger("mouth_live")

FALLBACK_RATE = 25.0  # frames/s, where a file states none
HEAD_FRAMES = 4  # first frames; if all have one time, the file has no times; if all are identical, see _is_garbage
COMPARE_STRIDE = 4  # pixels: pictures are compared at every fourth pixel of every fourth row
INTRA = ord("I")  # OpenCV's type of a frame that was decoded without others
COVER_RATE = 90_000  # frames/s that FFmpeg reports for a picture attached to sound
# A file ended early if more seconds than these are missing and fewer than this share of its frames were decoded.
MAX_MISSING_SECONDS = 1.0
MIN_FRAME_SHARE = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    """A decoded picture.

    Attributes:
        position: its time in seconds; 0 where it has none.
        intra: whether it was decoded without others.
        picture: (h, w, 3) uint8, BGR.
    """

    position: float
    intra: bool
    picture: NDArray[np.uint8]


class VideoFile:
    """A video file as a player shows it, decoded by OpenCV; the attributes are those of ``sources.VideoSource``.

    The ``ffmpeg`` program, where it is installed, decodes what OpenCV cannot: some codecs, and any track but the first.
    Frames of another size than the first are fitted into it, with black bars.
    """

    def __init__(self, path: Path, track: int | None = None) -> None:
        """Open the file and decode its first frames.

        Args:
            path: the file.
            track: the number of the video track, from 0; None: the one that the file marks as default.

        Raises:
            SourceError: it is not a video, no frame of it can be decoded, or there is no such track.
        """
        self._path = path
        self.name, self.files = path.name, (path,)
        if is_text(path):  # a playlist would make the decoder open other files and addresses
            raise SourceError(f"{path}: a text file, not a video; was something else saved under its name?")
        chosen = choose_track(path, track)
        self._track = chosen.number if chosen else 0
        matrices = video_matrices(path)
        self._flip = mirroring(matrices[self._track]) if self._track < len(matrices) else None
        self._packets: PacketCapture | None = None
        self._capture = self._opened_capture()
        self._is_turned = self._flip is None and self._capture.is_turned
        opened, rate = self._capture.opened, self._capture.get(cv2.CAP_PROP_FPS)
        frames = self._capture.get(cv2.CAP_PROP_FRAME_COUNT) if self._track == 0 else chosen and chosen.frames
        self._count = count = frames or 0.0
        self.start_time, self._head = self._read_head()
        if not self._head or self._is_garbage():
            self._decode_with_ffmpeg()
        if not self._head:
            self._capture.close()
            raise SourceError(f"{path}: {unreadable_reason(path, opened)}")
        if len(self._head) == 1 < count and rate == COVER_RATE:
            self._capture.close()
            raise SourceError(f"{path}: no video in it, only sound and a cover picture")
        rate = rate if 0 < rate <= 1000 else self._capture.get(cv2.CAP_PROP_FPS)
        self.nominal_rate = rate if 0 < rate <= 1000 else FALLBACK_RATE
        self._untimed = self._has_no_times()
        height, width = self._head[0].picture.shape[:2]
        self._display = Display((width, height), self._pixel_aspect(), self._flip)
        self.size = self._display.size
        self.duration = count / self.nominal_rate if 0 < count < 1e9 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capture.close()
        if self._packets is not None:
            self._packets.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames.

        Raises:
            IncompleteVideoError: the file is cut off; raised after its last readable frame.
        """
        frames, last = 0, 0.0
        for last, image in self._timed_pictures():
            yield Frame(frames, last, image)
            frames += 1
        missing = missing_bytes(self._path)
        if not missing and self._ended_early(frames, last) and self._reopen_with_ffmpeg():
            for time, image in self._timed_pictures():
                if time > last:
                    yield Frame(frames, time, image)
                    frames, last = frames + 1, time
        self._check_end(frames, last, missing)

    def _timed_pictures(self) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Yield (seconds since the first frame, picture as shown) for all frames of the capture."""
        head, self._head = self._head, []
        clock = RecordingClock(self._path, head[0].position, self.nominal_rate)
        origin = head[0].position
        changes = self._stream_changes()
        shape: tuple[int, int] | None = None
        frames, head = chain(head, iter(self._read, None)), []
        for index, decoded in enumerate(frames):
            time = index / self.nominal_rate if self._untimed else clock.time(decoded.position)
            if changes is not None and changes.advance(decoded.position - origin, decoded.intra):
                shape = self._changed_shape(changes, decoded.picture, time, first=shape is None)
            yield time, self._display.show(decoded.picture, shape)
        if self._packets is not None:
            self._packets.close()
        mended = isinstance(self._capture, FfmpegCapture) and not self._untimed
        if mended and changes is not None and changes.clock_restart is not None:
            log.warning(RESTART_MESSAGE, self._path, changes.clock_restart)

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
        known_start = bool(self._head)
        self._capture.close()
        reading = FfmpegReading(self._track, rotate=self._flip is None, keep_clock=not known_start)
        self._capture = open_with_ffmpeg(self._path, reading) or self._capture
        start_time, self._head = self._read_head()
        self.start_time = self.start_time if known_start else start_time

    def _read(self) -> _Decoded | None:
        """Return the next frame; None at the end."""
        image = self._capture.read()
        if image is None:
            return None
        intra = self._capture.get(cv2.CAP_PROP_FRAME_TYPE) == INTRA
        return _Decoded(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, intra, image)

    def _read_head(self) -> tuple[float, list[_Decoded]]:
        """Return the container's time of the first frame, 0 where there is none, and the first frames."""
        first = self._read()
        if first is None:
            return 0.0, []
        start_time = _start_time(self._capture, first.position)
        rest = zip(range(HEAD_FRAMES - 1), iter(self._read, None), strict=False)
        return start_time, [first, *(frame for _, frame in rest)]

    def _has_no_times(self) -> bool:
        """Return whether the frames have no times; then set the rate, and report it."""
        positions = {frame.position for frame in self._head}
        if not (len(self._head) > len(positions) == 1 or is_bare_jpegs(self._path)):
            return False
        stated = None if is_bare_jpegs(self._path) else stated_rate(self._path) or probed_rate(self._path)
        self.nominal_rate = stated or self.nominal_rate
        how = "its stated" if stated else "an assumed"
        log.warning("%s: has no times of its own; read at %s %g frames/s", self._path, how, self.nominal_rate)
        return True

    def _pixel_aspect(self) -> float:
        """Return the width of the decoded pictures' pixels divided by their height; 1 where the file states none."""
        above, below = self._capture.get(cv2.CAP_PROP_SAR_NUM), self._capture.get(cv2.CAP_PROP_SAR_DEN)
        if above <= 0 or below <= 0:
            return 1.0
        # The file states it for pictures before they are rotated. ffmpeg has changed it with the pictures.
        turned = self._flip.transposed if self._flip else self._capture.is_turned
        return below / above if turned else above / below

    def _stream_changes(self) -> StreamChanges | None:
        """Start to read the packets along with the frames."""
        if self._track:
            return None
        self._packets = PacketCapture(self._path)
        if self._capture.closed:
            self._packets.close()
        mended = isinstance(self._capture, FfmpegCapture) and self._capture.mends_clock
        return StreamChanges(self._packets, self.nominal_rate, mended=mended)

    def _changed_shape(
        self, changes: StreamChanges, picture: NDArray[np.uint8], time: float, *, first: bool
    ) -> tuple[int, int]:
        """Return the shape of the pictures from a change of size on, in their decoded orientation."""
        (old_width, old_height), (width, height) = changes.first_size, changes.size
        if first:
            log.warning(
                "%s: the picture size changes from %dx%d to %dx%d at %.2f s; pictures are fitted into the first size",
                *(self._path, old_width, old_height, width, height, time),
            )
        across, down = width / old_width, height / old_height
        if self._is_turned:
            across, down = down, across
        return (round(picture.shape[1] * across), round(picture.shape[0] * down))

    def _is_garbage(self) -> bool:
        """Return whether OpenCV gave garbage: identical pictures of an interlaced video."""
        samples = [frame.picture[::COMPARE_STRIDE, ::COMPARE_STRIDE] for frame in self._head]
        if len(samples) < HEAD_FRAMES or not all(np.array_equal(samples[0], other) for other in samples[1:]):
            return False
        interlaced = is_interlaced(self._path)
        if interlaced is None:
            log.warning("%s: the first pictures are identical; if it is interlaced, install ffmpeg", self._path)
        return bool(interlaced)

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
        reading = FfmpegReading(self._track, rotate=self._flip is None, keep_clock=False)
        capture = open_with_ffmpeg(self._path, reading)
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
