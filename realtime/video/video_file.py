"""Video files, decoded to frames with presentation times."""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ...models.errors import IncompleteVideoError, SourceError
from ..records import Frame
from .clock import RESTART_MESSAGE, RecordingClock
from .container import is_bare_jpegs, is_text, missing_bytes, unreadable_reason
from .decoder import Decoder
from .gaps import Gaps
from .iso_tracks import video_matrices
from .packets import UNKNOWN, PacketCapture, StreamChanges, stated_rate
from .picture_shape import Display, mirroring
from .tracks import choose_track, probed_rate

log = logging.getLogger("mouth_live")

FALLBACK_RATE = 25.0  # frames/s, where a file states none
CODING_BLOCK = 64  # pixels: some headers state a size in whole blocks
COVER_RATE = 90_000  # frames/s that FFmpeg reports for a picture attached to sound
# A file ended early if more seconds than these are missing and fewer than this share of its frames were decoded.
MAX_MISSING_SECONDS = 1.0
MIN_FRAME_SHARE = 0.95
SEEK_MARGIN = 1.0  # s: the first pictures after a seek may lack what they were predicted from


class VideoFile:
    """A video file as a player shows it, decoded by OpenCV; the attributes are those of ``sources.VideoSource``.

    The ``ffmpeg`` program, where it is installed, decodes what OpenCV cannot: some codecs, and any track but the first.
    Frames of another size than the first are fitted into it, with black bars.

    Attributes:
        damage: after the iteration, what was said where fewer frames were decoded than the file states; else empty.
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
        self.name, self.files, self.damage = path.name, (path,), ""
        if is_text(path):  # a playlist would make the decoder open other files and addresses
            raise SourceError(f"{path}: a text file, not a video; was something else saved under its name?")
        chosen = choose_track(path, track)
        self._track = chosen.number if chosen else 0
        matrices = video_matrices(path)
        flip = mirroring(matrices[self._track]) if self._track < len(matrices) else None
        self._packets: PacketCapture | None = None
        self._decoder = decoder = Decoder(path, self._track, chosen and chosen.frames, flip)
        if not decoder.head:
            decoder.close()
            raise SourceError(f"{path}: {unreadable_reason(path, decoder.opened)}")
        if len(decoder.head) == 1 < decoder.frame_count and decoder.stated_rate == COVER_RATE:
            decoder.close()
            raise SourceError(f"{path}: no video in it, only sound and a cover picture")
        self.start_time = decoder.start_time
        self.nominal_rate = decoder.rate if 0 < decoder.rate <= 1000 else FALLBACK_RATE
        self._untimed = self._has_no_times()
        height, width = decoder.head[0].picture.shape[:2]
        self._display = Display((width, height), decoder.pixel_aspect(), flip)
        self.size = self._display.size
        self.duration = decoder.frame_count / self.nominal_rate if 0 < decoder.frame_count < 1e9 else None

    @property
    def is_plain(self) -> bool:
        """Whether it is whole, and its pictures are shown as OpenCV decodes the first track, each at its own time."""
        height, width = self._decoder.head[0].picture.shape[:2]
        as_decoded = self._decoder.is_plain and self.size == (width, height)
        return as_decoded and not self._untimed and not missing_bytes(self._path)

    @property
    def head(self) -> list[NDArray[np.uint8]]:
        """The first pictures as shown, before the iteration."""
        return [self._display.show(decoded.picture, None) for decoded in self._decoder.head]

    @property
    def head_times(self) -> list[float]:
        """Their times in seconds since the first one."""
        return [decoded.position - self._decoder.head[0].position for decoded in self._decoder.head]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._decoder.close()
        if self._packets is not None:
            self._packets.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames.

        Raises:
            IncompleteVideoError: the file is cut off; raised after its last readable frame.
        """
        frames, last = 0, 0.0
        gaps = Gaps(self.nominal_rate)
        for last, image in self._timed_pictures():
            gaps.add(last)
            yield Frame(frames, last, image)
            frames += 1
        missing = missing_bytes(self._path)
        if not missing and self._ends_early(frames, last) and self._decoder.reopen_with_ffmpeg():
            for time, image in self._timed_pictures():
                if time > last:
                    gaps.add(time)
                    yield Frame(frames, time, image)
                    frames, last = frames + 1, time
        self._check_end(frames, last, missing, gaps)

    def pictures_since(self, start: float) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Yield (seconds since the first frame, picture as shown) from the first frame at ``start`` seconds on.

        In a video without faults they are those of the iteration; whoever uses both must check it. Nothing is yielded
        where the file cannot be entered in the middle.
        """
        origin, time = self._decoder.head[0].position, 0.0
        if self._untimed or (start > 0 and not self._decoder.seek(origin + start - SEEK_MARGIN)):
            return
        for decoded in self._decoder.frames():
            time = max(time, decoded.position - origin)
            if time >= start:
                yield time, self._display.show(decoded.picture, None)

    def _timed_pictures(self) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Yield (seconds since the first frame, picture as shown) for all frames of the capture."""
        origin = self._decoder.head[0].position
        clock = RecordingClock(self._path, origin, self.nominal_rate)
        changes = self._stream_changes()
        shape: tuple[int, int] | None = None
        for index, decoded in enumerate(self._decoder.frames()):
            time = index / self.nominal_rate if self._untimed else clock.time(decoded.position)
            if changes is not None and changes.advance(decoded.position - origin, decoded.intra):
                shape = self._changed_shape(changes, decoded.picture, time, first=shape is None)
            yield time, self._display.show(decoded.picture, shape)
        if self._packets is not None:
            self._packets.close()
        mended = self._decoder.mends_clock and not self._untimed
        if mended and changes is not None and changes.clock_restart is not None:
            log.warning(RESTART_MESSAGE, self._path, changes.clock_restart)

    def _has_no_times(self) -> bool:
        """Return whether the frames have no times; then set the rate, and report it."""
        positions = [frame.position for frame in self._decoder.head]
        bare_jpegs = is_bare_jpegs(self._path)
        if not (len(positions) > len(set(positions)) == 1 or bare_jpegs):
            return False
        stated = None if bare_jpegs else stated_rate(self._path) or probed_rate(self._path)
        self.nominal_rate = stated or self.nominal_rate
        how = "its stated" if stated else "an assumed"
        log.warning("%s: has no times of its own; read at %s %g frames/s", self._path, how, self.nominal_rate)
        return True

    def _stream_changes(self) -> StreamChanges | None:
        """Start to read the packets along with the frames."""
        if self._track:
            return None
        self._packets = PacketCapture(self._path)
        if self._decoder.closed:  # by another thread, which did not know of the packets
            self._packets.close()
        changes = StreamChanges(self._packets, self.nominal_rate, mended=self._decoder.mends_clock)
        height, width = self._decoder.head[0].picture.shape[:2]
        coded = (height, width) if self._decoder.is_turned else (width, height)
        fits = all(abs(one - other) < CODING_BLOCK for one, other in zip(changes.first_size, coded, strict=True))
        if fits or changes.first_size == UNKNOWN:
            return changes
        self._packets.close()  # their header was not understood
        return None

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
        if self._decoder.is_turned:
            across, down = down, across
        return (round(picture.shape[1] * across), round(picture.shape[0] * down))

    def _ends_early(self, frames: int, last: float) -> bool:
        """Return whether so many frames are far fewer than the file states; the last one is at ``last`` seconds."""
        if self.duration is None:
            return False
        end = self.start_time + last  # some containers count their duration from their own zero
        return self.duration > end + MAX_MISSING_SECONDS and self._decoder.frame_count * MIN_FRAME_SHARE > frames

    def is_damaged(self, frames: int, last: float, gaps: Gaps) -> bool:
        """Return whether frames are missing at the end or in gaps, of a whole file with times of its own."""
        return self._ends_early(frames, last) or bool(gaps.description(self._decoder.frame_count - frames))

    def _check_end(self, frames: int, last: float, missing: int, gaps: Gaps) -> None:
        """Raise an error where the file is cut off, by ``missing`` bytes; warn where it ended early or has gaps."""
        early = self._ends_early(frames, last)
        about = f" of about {self.duration:.1f} s" if early else ""
        kept = f"the {frames} frames up to {last:.1f} s{about} were read and kept"
        if missing:
            raise IncompleteVideoError(f"{self._path}: cut off, {missing:,} bytes are missing at its end; {kept}")
        lost = "" if self._untimed else gaps.description(self._decoder.frame_count - frames)
        if early:
            self.damage = f"{self._path}: {kept}, nothing after them could be; is it damaged, or its sound longer?"
        elif lost:
            self.damage = f"{self._path}: {lost}"
        if self.damage:
            log.warning("%s", self.damage)
