"""NV12, as video decoders on the GPU give it, to RGB."""

from collections.abc import Mapping
from typing import Literal

from .backend import Tensor, compiled, ops

ColourMatrix = Literal["bt601", "bt709"]

_LUMA: Mapping[ColourMatrix, tuple[float, float]] = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}
"""The shares of red and blue in the brightness: ITU-R BT.601 and BT.709."""


@compiled
def to_rgb(planes: Tensor, width: int, height: int, matrix: ColourMatrix, full_range: bool) -> Tensor:
    """Convert NV12 pictures.

    Args:
        planes: (n, rows, pitch) uint8: the brightness, then at two thirds of the rows the colours (blue, red, blue,
            ...), each for 2x2 pixels. Rows and pitch may be larger than the picture.
        width: the picture's, in pixels.
        height: the picture's.
        matrix: how the colours were mixed.
        full_range: whether the brightness takes 0..255, as in JPEG, and not 16..235.

    Returns:
        (n, height, width, 3) uint8 RGB. The colours are repeated over their 2x2 pixels, as FFmpeg does by default.
    """
    k = ops()
    chroma = planes.shape[1] * 2 // 3
    bottom, right = chroma + (height + 1) // 2, (width + 1) // 2 * 2
    luma = k.cast(planes[:, :height, :width], "float32")
    colour = k.cast(k.reshape(planes[:, chroma:bottom, :right], (-1, (height + 1) // 2, right // 2, 2)), "float32")
    colour = k.repeat(k.repeat(colour - 128, 2, axis=1), 2, axis=2)[:, :height, :width]
    black, luma_range, colour_range = (0, 255, 255) if full_range else (16, 219, 224)
    red, blue = _LUMA[matrix]
    y = (luma - black) * (255 / luma_range)
    u, v = colour[..., 0] * (255 / colour_range), colour[..., 1] * (255 / colour_range)
    from_red, from_blue = 2 * (1 - red) * v, 2 * (1 - blue) * u
    green = y - (red * from_red + blue * from_blue) / (1 - red - blue)
    rgb = k.stack([y + from_red, green, y + from_blue], axis=-1)
    return k.cast(k.clip(k.round(rgb), 0, 255), "uint8")
