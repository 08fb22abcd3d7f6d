"""Correct pictures in coloured and in little light on the GPU, by the rule of :mod:`mouth_live.models.light`."""

from ..light import BLUE, BRIGHT, LEAST, LITTLE, MOST, MUCH, RED
from .backend import Tensor, ops

FINE = 1024  # OpenCV rounds factors to so many parts


def well_lit(pictures: Tensor, inside: Tensor | None = None) -> Tensor:
    """Fill the channels that coloured light left dark, and brighten pictures that are almost black.

    Args:
        pictures: (n, h, w, 3) float32, RGB, whole numbers 0..255.
        inside: (n, h, w, 1) float32, 1 where a picture is, 0 around it, where ``pictures`` is 0; None: everywhere.

    Returns:
        The same kind of pictures.
    """
    k = ops()
    if inside is None:
        inside = k.ones_like(pictures[..., :1])
    count = k.sum(inside, axis=(1, 2))  # (n, 1)
    means = k.sum(pictures, axis=(1, 2)) / count
    channels = k.arange(3)
    which = k.cast(k.argmax(means, axis=-1)[:, None] == channels, "float32")  # the strongest channel, (n, 3)
    strongest = k.sum(means * which, axis=-1, keepdims=True)
    values = k.sum(pictures * which[:, None, None], axis=-1, keepdims=True)
    missing = k.convert_to_tensor(LEAST, "float32") - means / k.maximum(strongest, 1.0)
    fill = k.where(missing > LITTLE, missing * k.clip((missing - LITTLE) / (MUCH - LITTLE), 0.0, 1.0), 0.0)
    fill = k.where((channels == BLUE) & (which[:, RED : RED + 1] > 0), 0.0, fill)
    square = k.sum(k.square(values - strongest[:, None, None]) * inside, axis=(1, 2)) / count
    bright = strongest + 2 * k.sqrt(square)
    lift = k.where(strongest >= BRIGHT, 1.0, k.clip(BRIGHT / k.maximum(bright, 1.0), 1.0, MOST))
    own, added = (k.round(factor * FINE)[:, None, None] / FINE for factor in (lift, lift * fill))
    return k.clip(k.floor(pictures * own + values * added + 0.5), 0.0, 255.0)


def network_input(crops: Tensor) -> Tensor:
    """Convert crops (n, h, w, 3) uint8 RGB to the networks' input, float32 0..1: well lit."""
    return well_lit(ops().cast(crops, "float32")) / 255.0
