"""The overlay's colours of faces, for dark pages and, darker, for light ones and for paper."""

from collections.abc import Sequence

from ..drawing.primitives import PALETTE

_MIN_CONTRAST = 3.0  # of a curve against white; WCAG 2.2, 1.4.11
_WHITE, _INK = 245, "#30343b"

RGB = tuple[float, float, float]


def on_dark() -> Sequence[str]:
    """Return the colours on a dark background, as ``#rrggbb``."""
    return [_hex((red, green, blue)) for blue, green, red in PALETTE]


def on_light() -> Sequence[str]:
    """Return the colours on a light background: darkened until a thin line can be seen, and ink for white."""
    return [_INK if min(colour) >= _WHITE else _darkened((colour[2], colour[1], colour[0])) for colour in PALETTE]


def _darkened(colour: RGB) -> str:
    while 1.05 / (_luminance(colour) + 0.05) < _MIN_CONTRAST:
        red, green, blue = (0.97 * value for value in colour)
        colour = red, green, blue
    return _hex(colour)


def _luminance(colour: RGB) -> float:
    """Return the relative luminance of an sRGB colour, 0..1. Source: WCAG 2.2."""
    shares = [value / 255 for value in colour]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _hex(colour: RGB) -> str:
    return "#" + "".join(f"{round(value):02x}" for value in colour)
