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
CLOCK_RESTART = 1.0  # s back; frames are decoded in another order than shown, but by less


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
        key_frames: the number of key packets before it.
        time: its time in seconds since the first packet.
        size: the new size.
    """

    key_frames: int
    time: float
    size: Size


class StreamChanges:
    """Tells the true size of each decoded frame. It reads packets a little before the frames that they contain.

    Attributes:
        first_size: the (width, height) that the stream's first header states; (0, 0) where it is not known.
        size: the size that the stream states for the last decoded frame.
        clock_restart: the time in seconds since the first packet at which the clock starts again; None where it does
            not.
    """

    def __init__(self, packets: PacketCapture) -> None:
        """Read the first packets."""
        self._packets = packets
        self._fourcc = packets.fourcc if packets.opened else ""
        self._waiting = deque[_Change]()
        self._key_packets = self._key_frames = 0
        self._first: float | None = None
        self._highest = 0.0
        self._last_size = self.first_size = self.size = (0, 0)
        self.clock_restart: float | None = None
        self._read(LEAD)

    def advance(self, time: float, intra: bool) -> bool:
        """Go on to the next decoded frame, and return whether :attr:`size` changes there.

        Args:
            time: the frame's position in seconds since the first one.
            intra: whether it was decoded without others.
        """
        self._read(PACKETS_PER_FRAME)
        number, self._key_frames = self._key_frames, self._key_frames + intra
        if not intra or not self._waiting:
            return False
        change = self._waiting[0]
        # With the clock of joined files a time occurs more than once: so many key frames must have come before.
        if number < change.key_frames or abs(time - change.time) > SAME_TIME:
            return False
        self.size = self._waiting.popleft().size
        return True

    def _read(self, count: int) -> None:
        for _ in range(count):
            packet = self._packets.read_packet() if self._packets.opened else None
            if packet is None:
                return
            position = self._packets.position
            self._first = position if self._first is None else self._first
            if position < self._highest - CLOCK_RESTART and self.clock_restart is None:
                self.clock_restart = self._highest - self._first
            self._highest = max(self._highest, position)
            if self._packets.is_key:
                self._note_size(stated_size(packet.tobytes(), self._fourcc), position - self._first)

    def _note_size(self, size: Size | None, time: float) -> None:
        if size is not None and self.first_size == (0, 0):
            self.first_size = self._last_size = self.size = size
        elif size is not None and size != self._last_size:
            self._waiting.append(_Change(self._key_packets, time, size))
            self._last_size = size
        self._key_packets += 1


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
