"""Changes within a video stream that OpenCV hides, read from its packets without decoding them.

OpenCV scales frames of another size to the first size, whatever their shape, and reports nothing.
"""

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .capture import Capture
from .h264 import sequence_header
from .packet_size import H264_FOURCC, Size, stated_size

LEAD = 32  # packets read before the first frame is shown: decoders hold back fewer
PACKETS_PER_FRAME = 2  # at most: the two fields of an interlaced frame
SAME_TIME = 1e-3  # s


class PacketCapture(Capture):
    """A file's first video stream as encoded packets."""

    def __init__(self, path: Path) -> None:
        """Open the file."""
        super().__init__(str(path.absolute()), cv2.CAP_FFMPEG, 1, packets=True)

    def read_packet(self) -> NDArray[np.uint8] | None:
        """Return the bytes of the next packet; None at the end."""
        return self._read_native()

    @property
    def position(self) -> float:
        """The time of the last packet, in seconds since the stream's start."""
        return self.get(cv2.CAP_PROP_POS_MSEC) / 1000

    @property
    def is_key(self) -> bool:
        """Whether the last packet is a key frame."""
        return self.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME) == 1

    @property
    def fourcc(self) -> str:
        """The four letters of the codec."""
        return int(self.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=False).decode("ascii", "replace")


@dataclass(frozen=True, slots=True)
class _Change:
    """A key packet whose size differs from that before it.

    Attributes:
        run: how often the clock had started again before it.
        time: its time in seconds since the first packet, by the container's clock.
        mended_time: the same on a clock that goes on.
        size: the new size.
    """

    run: int
    time: float
    mended_time: float
    size: Size


class StreamChanges:
    """Tells the true size of each decoded frame. It reads packets a little before the frames that they contain.

    Attributes:
        first_size: the (width, height) that the stream's first header states; (0, 0) where it is not known.
        size: the size that the stream states for the last decoded frame.
        clock_restart: the time in seconds since the first packet at which the clock starts again; None where it does
            not.
    """

    def __init__(self, packets: PacketCapture, rate: float, *, mended: bool = False) -> None:
        """Read the first packets.

        Args:
            packets: the file's packets.
            rate: the nominal rate in frames/s.
            mended: whether the frames' times go on where the clock starts again.
        """
        self._packets, self._frame, self._mended = packets, 1 / rate, mended
        self._fourcc = packets.fourcc if packets.opened else ""
        self._waiting = deque[_Change]()
        self._key_packets, self._intra_frames = _Runs(), _Runs()
        self._first: float | None = None
        self._highest = self._shift = 0.0
        self.first_size = self.size = self._last_size = (0, 0)
        self.clock_restart: float | None = None
        self._read(LEAD)

    def advance(self, time: float, intra: bool) -> bool:
        """Go on to the next decoded frame, and return whether :attr:`size` changes there.

        Args:
            time: the frame's position in seconds since the first one.
            intra: whether it was decoded without others.
        """
        self._read(PACKETS_PER_FRAME)
        if intra:
            self._intra_frames.add(time)
        if not intra or not self._waiting or not self._is_due(self._waiting[0], time):
            return False
        self.size = self._waiting.popleft().size
        return True

    def _is_due(self, change: _Change, time: float) -> bool:
        if self._mended:
            return time > change.mended_time - self._frame / 2
        return self._intra_frames.count >= change.run and abs(time - change.time) < SAME_TIME

    def _read(self, count: int) -> None:
        for _ in range(count):
            packet = self._packets.read_packet() if self._packets.opened else None
            if packet is None:
                return
            position = self._packets.position
            self._first = position if self._first is None else self._first
            time = position - self._first
            is_key = self._packets.is_key
            if is_key and self._key_packets.add(time):
                self.clock_restart = self._highest + self._frame if self.clock_restart is None else self.clock_restart
                self._shift = self._highest + self._frame - time
            self._highest = max(self._highest, time + self._shift)
            if is_key:
                self._note_size(stated_size(packet.tobytes(), self._fourcc), time)

    def _note_size(self, size: Size | None, time: float) -> None:
        if size is None or size == self._last_size:
            return
        if self._last_size == (0, 0):
            self.first_size = self.size = size
        else:
            self._waiting.append(_Change(self._key_packets.count, time, time + self._shift, size))
        self._last_size = size


class _Runs:
    """Counts how often times start again; those of key frames rise until then.

    Attributes:
        count: how often.
    """

    def __init__(self) -> None:
        self.count = 0
        self._last = float("-inf")

    def add(self, time: float) -> bool:
        """Take the next time, and return whether times start again with it."""
        restart = time <= self._last
        self.count += restart
        self._last = time
        return restart


def stated_rate(path: Path) -> float | None:
    """Return the frame rate in frames/s that a raw H.264 stream states in its first packets; None where it does not."""
    packets = PacketCapture(path)
    try:
        if not packets.opened or packets.fourcc.lower() not in H264_FOURCC:
            return None
        for _ in range(LEAD):
            packet = packets.read_packet()
            header = None if packet is None else sequence_header(packet.tobytes())
            if header is not None:
                return header.rate
    except ValueError:  # the header is damaged
        return None
    finally:
        packets.close()
    return None
