"""Numbers of any length in bits, as the headers of video streams hold them."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bits:
    """Reads numbers from bytes, the most significant bit first.

    Attributes:
        data: the bytes.
        at: the position in bits.
    """

    data: bytes
    at: int = 0

    def take(self, count: int) -> int:
        """Return the next ``count`` bits as an unsigned number.

        Raises:
            ValueError: the data are too short.
        """
        end = self.at + count
        if end > 8 * len(self.data):
            raise ValueError("the header is cut off")
        first, last = self.at // 8, (end + 7) // 8
        self.at = end
        return int.from_bytes(self.data[first:last], "big") >> (8 * last - end) & ((1 << count) - 1)

    def take_ue(self) -> int:
        """Return the next Exp-Golomb number, unsigned. Source: ITU-T H.264, 9.1.

        Raises:
            ValueError: the data are too short, or this is no such number.
        """
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("no Exp-Golomb number")
        return (1 << zeros) - 1 + self.take(zeros)

    def take_se(self) -> int:
        """Return the next Exp-Golomb number, signed; raises as :meth:`take_ue`."""
        number = self.take_ue()
        return (number + 1) // 2 if number % 2 else -(number // 2)


def nal_payload(packet: bytes, kind: int, *, hevc: bool = False) -> bytes | None:
    """Return the payload of a packet's last NAL unit of a type, without emulation prevention; None if it has none.

    The last one counts: FFmpeg puts the header of the whole file before that of the packet.

    Args:
        packet: a packet with start codes (annex B).
        kind: the type of the NAL unit.
        hevc: whether its header is that of H.265 (2 bytes) rather than of H.264 (1 byte).
    """
    payload: bytes | None = None
    at = packet.find(b"\0\0\1")
    while 0 <= at < len(packet) - 4:
        head = packet[at + 3]
        end = packet.find(b"\0\0\1", at + 3)
        if (head >> 1 & 63 if hevc else head & 31) == kind:
            unit = packet[at + (5 if hevc else 4) : end if end >= 0 else None]
            payload = unit.replace(b"\0\0\3", b"\0\0")
        at = end
    return payload
