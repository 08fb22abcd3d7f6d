"""A Matroska stream of raw pictures with their presentation times, which ffmpeg reads from a pipe.

ffmpeg's raw video input has a constant frame rate only. Matroska is the simplest container that gives each picture a
time of its own. Source: RFC 8794 (EBML), RFC 9559 (Matroska).
"""

TICK = 1_000  # ns: times are accurate to the microsecond
UNKNOWN_SIZE = b"\x01\xff\xff\xff\xff\xff\xff\xff"  # of the segment, whose end is unknown when it begins


def stream_header(width: int, height: int, rate: float) -> bytes:
    """Return the bytes before the first picture of a track of raw (height, width, 3) uint8 BGR pictures.

    ``rate`` is the nominal frame rate in frames/s. It gives the last picture's duration, and the encoder derives the
    level of the video from it. Without it, the encoder assumes a million frames/s and a level that few players support.
    """
    ebml = _element(0x4286, 1) + _element(0x42F7, 1) + _element(0x42F2, 4) + _element(0x42F3, 8)
    ebml += _element(0x4282, b"matroska") + _element(0x4287, 4) + _element(0x4285, 2)
    info = _element(0x2AD7B1, TICK) + _element(0x4D80, b"mouth-live") + _element(0x5741, b"mouth-live")
    video = _element(0xB0, width) + _element(0xBA, height) + _element(0x2EB524, b"BGR\x18")  # 24 bits, as V4L names it
    track = (
        _element(0xD7, 1)
        + _element(0x73C5, 1)
        + _element(0x83, 1)
        + _element(0x9C, 0)
        + _element(0x23E383, round(1e9 / rate))
    )
    track += _element(0x86, b"V_UNCOMPRESSED") + _element(0xE0, video)
    segment = _identifier(0x18538067) + UNKNOWN_SIZE
    return (
        _element(0x1A45DFA3, ebml) + segment + _element(0x1549A966, info) + _element(0x1654AE6B, _element(0xAE, track))
    )


def picture_header(time: float, size: int) -> bytes:
    """Return the bytes before a picture of ``size`` bytes that is shown at ``time`` (seconds, not negative)."""
    stamp = _element(0xE7, round(time * 1e9 / TICK))
    block = b"\x81\x00\x00\x80"  # track 1, at the cluster's own time, a key frame
    start = _identifier(0xA3) + _size(len(block) + size) + block
    return _identifier(0x1F43B675) + _size(len(stamp) + len(start) + size) + stamp + start


def _element(identifier: int, content: int | bytes) -> bytes:
    if isinstance(content, int):
        content = content.to_bytes(max(1, (content.bit_length() + 7) // 8), "big")
    return _identifier(identifier) + _size(len(content)) + content


def _identifier(identifier: int) -> bytes:
    """Return the bytes of an identifier, which already contains its length marker."""
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big")


def _size(size: int) -> bytes:
    """Return a size in the eight-byte form, which any size fits into."""
    return (size | 1 << 56).to_bytes(8, "big")
