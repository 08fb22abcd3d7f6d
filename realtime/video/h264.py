"""The sequence parameter set of H.264: the size of its pictures and the rate that a raw stream carries."""

from dataclasses import dataclass

from .bits import Bits, nal_payload

SPS = 7  # the type of its NAL unit
_WITH_CHROMA = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}  # profiles that state chroma and depth
_EXTENDED_SAR = 255


@dataclass(frozen=True, slots=True)
class SequenceHeader:
    """What a sequence parameter set states.

    Attributes:
        size: the (width, height) of the pictures in pixels, after cropping.
        rate: the frame rate in frames/s; None where it states none.
    """

    size: tuple[int, int]
    rate: float | None


def sequence_header(packet: bytes) -> SequenceHeader | None:
    """Return the first sequence parameter set of a packet; None where it has none. Source: ITU-T H.264, 7.3.2.1.1.

    Args:
        packet: a packet with start codes (annex B).

    Raises:
        ValueError: it is damaged.
    """
    payload = nal_payload(packet, SPS)
    if payload is None:
        return None
    bits = Bits(payload)
    profile = bits.take(8)
    bits.take(16)  # constraints, level
    bits.take_ue()  # the set's id
    chroma = _chroma(bits) if profile in _WITH_CHROMA else 1
    bits.take_ue()  # bits of frame numbers
    order = bits.take_ue()
    if order == 0:
        bits.take_ue()
    elif order == 1:
        bits.take(1)
        for _ in range(2):
            bits.take_se()
        for _ in range(bits.take_ue()):
            bits.take_se()
    bits.take_ue()  # reference frames
    bits.take(1)
    width, rows = 16 * (bits.take_ue() + 1), 16 * (bits.take_ue() + 1)
    fields = 1 - bits.take(1)
    bits.take(fields + 1)
    crop = [bits.take_ue() for _ in range(4)] if bits.take(1) else [0, 0, 0, 0]
    step_x, step_y = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1) * (1 + fields)
    size = (width - step_x * (crop[0] + crop[1]), rows * (1 + fields) - step_y * (crop[2] + crop[3]))
    return SequenceHeader(size, _rate(bits) if bits.take(1) else None)


def _chroma(bits: Bits) -> int:
    """Skip the depths and scaling matrices; return the chroma format."""
    chroma = bits.take_ue()
    if chroma == 3 and bits.take(1):  # planes coded apart crop as grey does
        chroma = 0
    bits.take_ue()
    bits.take_ue()
    bits.take(1)
    for index in range((8 if chroma != 3 else 12) if bits.take(1) else 0):
        last = following = 8
        for _ in range((16 if index < 6 else 64) if bits.take(1) else 0):
            if following:
                following = (last + bits.take_se()) % 256
                last = following or last
    return chroma


def _rate(bits: Bits) -> float | None:
    """Return the frame rate in the video usability information. Source: ITU-T H.264, E.1.1."""
    if bits.take(1) and bits.take(8) == _EXTENDED_SAR:
        bits.take(32)
    if bits.take(1):  # overscan
        bits.take(1)
    if bits.take(1):  # video signal type
        bits.take(4)
        if bits.take(1):
            bits.take(24)
    if bits.take(1):  # chroma location
        bits.take_ue()
        bits.take_ue()
    if not bits.take(1):
        return None
    units, scale = bits.take(32), bits.take(32)
    return scale / units / 2 if units else None  # a tick is a field
