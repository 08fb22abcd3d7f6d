"""The size of the pictures that a key packet of a video stream states in its header."""

import re

from .bits import Bits, nal_payload
from .h264 import sequence_header

HEVC_SPS = 33  # the type of its NAL unit
H264_FOURCC = {"h264", "avc1", "avc3", "x264", "davc"}
_JPEG_SIZE = re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]..\x08(....)", re.DOTALL)

Size = tuple[int, int]
"""(width, height) in pixels."""


def stated_size(packet: bytes, fourcc: str) -> Size | None:
    """Return the picture size in a key packet; None where it states none, or in a way that is not known here.

    Args:
        packet: a packet of the stream; H.264 and H.265 with start codes (annex B).
        fourcc: FFmpeg's four letters of the codec.
    """
    try:
        if fourcc.lower() in H264_FOURCC:
            header = sequence_header(packet)
            return header.size if header else None
        parse = _PARSERS.get(fourcc.lower(), _by_start)
        return parse(packet)
    except ValueError:  # damaged
        return None


def _by_start(packet: bytes) -> Size | None:
    """Return the size in a packet of MPEG-1 and 2 or Motion JPEG."""
    # A sequence header. MPEG-4 begins its groups with the same four bytes, but their next start code follows at once.
    if packet[:4] == b"\0\0\1\xb3" and b"\0\0\1" not in packet[4:12]:
        pair = int.from_bytes(packet[4:7], "big")
        return (pair >> 12, pair & 0xFFF)
    if packet[:2] == b"\xff\xd8" and (found := _JPEG_SIZE.search(packet)):
        return (int.from_bytes(found[1][2:], "big"), int.from_bytes(found[1][:2], "big"))
    return None


def _hevc(packet: bytes) -> Size | None:
    """Return the coded size in the sequence parameter set, before cropping. Source: ITU-T H.265, 7.3.2.2.1."""
    payload = nal_payload(packet, HEVC_SPS, hevc=True)
    if payload is None:
        return None
    bits = Bits(payload)
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 88 + 8)  # nesting; general profile and level
    flags = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    bits.take(2 * (8 - layers) if layers else 0)
    for profile, level in flags:
        bits.take(88 * profile + 8 * level)
    bits.take_ue()  # the set's id
    if bits.take_ue() == 3:  # chroma format
        bits.take(1)
    return (bits.take_ue(), bits.take_ue())


def _vp8(packet: bytes) -> Size | None:
    """Return the size in a key frame's header. Source: RFC 6386, 9.1."""
    if packet[3:6] != b"\x9d\x01\x2a":
        return None
    return (int.from_bytes(packet[6:8], "little") & 0x3FFF, int.from_bytes(packet[8:10], "little") & 0x3FFF)


def _vp9(packet: bytes) -> Size | None:
    """Return the size in a key frame's header. Source: VP9 bitstream specification, 6.2."""
    bits = Bits(packet[:32])
    bits.take(2)
    profile = bits.take(1) | bits.take(1) << 1
    if profile == 3:
        bits.take(1)
    bits.take(4)  # shows an existing frame, frame type, shown, error resilient
    if bits.take(24) != 0x498342:
        return None
    if profile >= 2:
        bits.take(1)  # depth
    if bits.take(3) != 7:  # colour space; 7 is RGB
        bits.take(1 + (3 if profile in (1, 3) else 0))
    elif profile in (1, 3):
        bits.take(1)
    return (bits.take(16) + 1, bits.take(16) + 1)


_PARSERS = {"vp80": _vp8, "vp90": _vp9, "vp09": _vp9} | dict.fromkeys(("hevc", "hvc1", "hev1", "h265"), _hevc)
