"""The detector's input on the GPU: areas of many pictures, shrunk and letterboxed as on the CPU, and turned."""

from ..blazeface import INPUT_SIZE
from .backend import Tensor, compiled, ops
from .light import well_lit

_LUMA = (0.299, 0.587, 0.114)


@compiled
def inputs(
    pictures: Tensor, frames: Tensor, first: Tensor, weights: Tensor, inside: Tensor, turned: Tensor, grey: Tensor
) -> Tensor:
    """Make the detector's input: shrunk, turned, well lit, in the middle, black around it.

    Args:
        pictures: (m, h, w, 3) uint8, RGB.
        frames: (n,) int32: which picture.
        first: from :func:`mouth_live.models.gpu.passes.padded_lines`; so are ``weights`` and ``inside``.
        weights: see there.
        inside: see there.
        turned: (n,) bool: whether the area is turned by an odd number of quarters.
        grey: (n,) bool: whether it is made grey.

    Returns:
        (n, 192, 192, 3) float32, RGB, -1..1.
    """
    k = ops()
    columns_first = shrunk(pictures, frames, first, weights)
    shown = (inside[:, 1, :, None] * inside[:, 0, None, :])[..., None]
    # A picture that is turned has its columns first; its lines run backwards already where they must.
    is_turned = turned[:, None, None, None]
    small = k.where(is_turned, columns_first, k.transpose(columns_first, (0, 2, 1, 3)))
    shown = k.where(is_turned, shown, k.transpose(shown, (0, 2, 1, 3)))
    luma = k.sum(small * k.convert_to_tensor(_LUMA, "float32"), axis=-1, keepdims=True)
    small = k.where(grey[:, None, None, None], k.round(luma), small)
    return well_lit(small, shown) / 127.5 - 1.0


def shrunk(pictures: Tensor, frames: Tensor, first: Tensor, weights: Tensor) -> Tensor:
    """Shrink areas of pictures; arguments as for :func:`inputs`.

    Returns:
        (n, 192, 192, 3) float32, whole numbers 0..255, the columns first; black where the area is not.
    """
    k = ops()
    count, height, width = pictures.shape[:3]
    n = frames.shape[0]
    rows = k.reshape(pictures, (count * height, width * 3))
    down = _averaged(rows, frames, height, first[:, 0], weights[:, 0])  # (n, 192, width * 3)
    columns = k.transpose(k.reshape(down, (n, INPUT_SIZE, width, 3)), (0, 2, 1, 3))
    columns = k.reshape(columns, (n * width, INPUT_SIZE * 3))
    across = _averaged(columns, k.arange(n, dtype="int32"), width, first[:, 1], weights[:, 1])
    return k.clip(k.round(k.reshape(across, (n, INPUT_SIZE, INPUT_SIZE, 3))), 0.0, 255.0)


def _averaged(lines: Tensor, numbers: Tensor, length: int, first: Tensor, weights: Tensor) -> Tensor:
    """Average lines along one axis.

    Args:
        lines: (m * length, k): the lines of m pictures.
        numbers: (n,) int32: which picture.
        length: lines in a picture.
        first: (n, 192) int32: the first line that is taken.
        weights: (n, 192, taps) float32: of that one and those that follow.

    Returns:
        (n, 192, k) float32.
    """
    k = ops()
    total = 0.0
    for tap in range(weights.shape[2]):
        index = numbers[:, None] * length + k.clip(first + tap, 0, length - 1)
        total += k.cast(k.take(lines, index, axis=0), "float32") * weights[:, :, tap, None]
    return total
