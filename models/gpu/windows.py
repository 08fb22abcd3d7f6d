"""The detector's input on the GPU: areas of many pictures, shrunk and letterboxed as on the CPU, and turned."""

from ..blazeface import INPUT_SIZE
from .backend import Tensor, ops
from .light import well_lit


def inputs(pictures: Tensor, frames: Tensor, geometry: Tensor, turned: Tensor, grey: Tensor, taps: int) -> Tensor:
    """Make the detector's input: shrunk, turned, well lit, in the middle, black around it.

    Args:
        pictures: (m, h, w, 3) uint8, RGB.
        frames: (n,) int32: which picture.
        geometry: from :func:`mouth_live.models.gpu.passes.axes`.
        turned: (n,) bool: whether the area is turned by an odd number of quarters.
        grey: (n,) bool: whether it is made grey.
        taps: at least :attr:`~mouth_live.models.gpu.passes.DetectorPass.taps` of all.

    Returns:
        (n, 192, 192, 3) float32, RGB, -1..1.
    """
    k = ops()
    small = shrunk(pictures, frames, geometry, taps)
    inside = _inside(geometry[:, 1])[:, :, None] * _inside(geometry[:, 0])[:, None, :]
    is_turned = turned[:, None, None, None]
    small = k.where(is_turned, small, k.transpose(small, (0, 2, 1, 3)))
    inside = k.where(is_turned, inside[..., None], k.transpose(inside, (0, 2, 1))[..., None])
    luma = k.sum(small * k.convert_to_tensor([0.299, 0.587, 0.114], "float32"), axis=-1, keepdims=True)
    small = k.round(k.where(grey[:, None, None, None], luma, small))
    return well_lit(small * inside, inside) / 127.5 - 1.0


def shrunk(pictures: Tensor, frames: Tensor, geometry: Tensor, taps: int) -> Tensor:
    """Shrink areas of pictures; arguments as for :func:`inputs`.

    Returns:
        (n, 192, 192, 3) float32 0..255, the columns first: as a turned picture needs it, but for the directions.
    """
    k = ops()
    count, height, width = pictures.shape[:3]
    n = frames.shape[0]
    rows = k.reshape(pictures, (count * height, width * 3))
    down = _averaged(rows, frames, height, geometry[:, 0], taps)  # (n, 192, width * 3)
    columns = k.transpose(k.reshape(down, (n, INPUT_SIZE, width, 3)), (0, 2, 1, 3))
    columns = k.reshape(columns, (n * width, INPUT_SIZE * 3))
    across = _averaged(columns, k.arange(n, dtype="int32"), width, geometry[:, 1], taps)
    return k.reshape(across, (n, INPUT_SIZE, INPUT_SIZE, 3))


def _averaged(lines: Tensor, numbers: Tensor, length: int, axis: Tensor, taps: int) -> Tensor:
    """Shrink along one axis: each line of the result is the mean of those that it covers, or between two of them.

    Args:
        lines: (m * length, k): the lines of m pictures.
        numbers: (n,) int32: which picture.
        length: lines in a picture.
        axis: (n, 5), one of :func:`mouth_live.models.gpu.passes.axes`.
        taps: the most lines to average.

    Returns:
        (n, 192, k) float32; no sense where the area is not.
    """
    k = ops()
    start, size, new, _, _ = (axis[:, i : i + 1] for i in range(5))
    step = size / new
    low = start + _places(axis) * step  # what the line covers: from here on, one step
    middle = k.clip(low + step / 2, start + 0.5, start + size - 0.5)
    is_mean = step > 1
    first = k.cast(k.floor(k.where(is_mean, low, middle - 0.5)), "int32")
    total = 0.0
    for tap in range(taps):
        line = first + tap
        at = k.cast(line, "float32")
        covered = k.clip(k.minimum(low + step, at + 1) - k.maximum(low, at), 0.0, 1.0) / step
        near = k.maximum(1 - k.abs(at + 0.5 - middle), 0.0)
        weight = k.where((line >= 0) & (line < length), k.where(is_mean, covered, near), 0.0)
        index = numbers[:, None] * length + k.clip(line, 0, length - 1)
        total += k.cast(k.take(lines, index, axis=0), "float32") * weight[..., None]
    return total


def _places(axis: Tensor) -> Tensor:
    """Return which line of the shrunk area each line of the input shows, (n, 192) float32."""
    _, _, new, margin, back = (axis[:, i : i + 1] for i in range(5))
    place = ops().arange(INPUT_SIZE, dtype="float32")[None] - margin
    return ops().where(back > 0, new - 1 - place, place)


def _inside(axis: Tensor) -> Tensor:
    """Return 1 for each line of the input that shows the area, else 0: (n, 192) float32."""
    place = _places(axis)
    return ops().cast((place >= 0) & (place < axis[:, 2:3]), "float32")
