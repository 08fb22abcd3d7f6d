"""The operators of the ``.tflite`` files, in ``keras.ops``: pictures (n, h, w, c), the batch first.

Each function takes the schema's options and the inputs. Shapes that a file computes as it runs are numpy arrays here,
because a compiled function knows the shapes of its tensors.

Source: the reference kernels of TensorFlow Lite (tensorflow/lite/kernels), Apache-2.0.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backend import Tensor, ops
from .passes import bilinear_matrix

Options = Any

_SAME, _RELU, _RELU6 = 0, 1, 3  # of the schema's enumerations
_NO_ACTIVATION = 0


class UnknownOptionError(ValueError):
    """An operator has options that are not implemented here."""


def _activated(options: Options, x: Tensor) -> Tensor:
    kind = options.fusedActivationFunction
    if kind == _NO_ACTIVATION:
        return x
    if kind == _RELU:
        return ops().relu(x)
    if kind == _RELU6:
        return ops().relu6(x)
    raise UnknownOptionError(f"fused activation {kind}")


def _padding(options: Options) -> str:
    return "same" if options.padding == _SAME else "valid"


def _convolution(options: Options, x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Convolve; the kernel is (h, w, c_in, c_out)."""
    strides, dilation = (options.strideH, options.strideW), (options.dilationHFactor, options.dilationWFactor)
    y = ops().conv(x, kernel, strides, _padding(options), data_format="channels_last", dilation_rate=dilation)
    return _activated(options, y + bias)


def _depthwise(options: Options, x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Convolve each channel for itself; the kernel is (h, w, c, 1)."""
    if options.depthMultiplier != 1 or options.strideH != options.strideW:
        raise UnknownOptionError(f"depth multiplier {options.depthMultiplier}, or strides that differ")
    dilation = (options.dilationHFactor, options.dilationWFactor)
    y = ops().depthwise_conv(
        x, kernel, options.strideH, _padding(options), data_format="channels_last", dilation_rate=dilation
    )
    return _activated(options, y + bias)


def _dense(options: Options, x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply; the kernel is (n_in, n_out)."""
    y = ops().matmul(x, kernel)
    return _activated(options, y if bias is None else y + bias)


def _max_pool(options: Options, x: Tensor) -> Tensor:
    size, strides = (options.filterHeight, options.filterWidth), (options.strideH, options.strideW)
    return _activated(options, ops().max_pool(x, size, strides, _padding(options), data_format="channels_last"))


def _pad(_: Options, x: Tensor, widths: NDArray[np.int32]) -> Tensor:
    return ops().pad(x, [(int(a), int(b)) for a, b in widths])


def _resize(options: Options, x: Tensor, size: NDArray[np.int32]) -> Tensor:
    """Resize bilinearly, which is the same by two small matrices on every library."""
    if options.alignCorners or not options.halfPixelCenters:
        raise UnknownOptionError("resize without half-pixel centres")
    matrices = [bilinear_matrix(n, int(m)) for n, m in zip(x.shape[1:3], size, strict=True)]
    down, across = (ops().convert_to_tensor(matrix, "float32") for matrix in matrices)
    return ops().einsum("iy,nyxc,jx->nijc", down, x, across)


def _depth_to_space(options: Options, x: Tensor) -> Tensor:
    _, height, width, channels = x.shape
    block = options.blockSize
    depth = channels // block**2
    x = ops().reshape(x, (-1, height, width, block, block, depth))
    return ops().reshape(ops().transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height * block, width * block, depth))


def _strided_slice(
    options: Options, x: Tensor, begin: NDArray[np.int32], end: NDArray[np.int32], strides: NDArray[np.int32]
) -> Tensor:
    if options.ellipsisMask or options.newAxisMask or options.offset:
        raise UnknownOptionError("slice with an ellipsis, a new axis or an offset")
    index: list[int | slice] = []
    for i, (first, last, step) in enumerate(zip(begin.tolist(), end.tolist(), strides.tolist(), strict=True)):
        if options.shrinkAxisMask >> i & 1:
            index.append(first)
            continue
        begins, ends = options.beginMask >> i & 1, options.endMask >> i & 1
        index.append(slice(None if begins else first, None if ends else last, step))
    return x[tuple(index)]


def _reshape(_: Options, x: Tensor, shape: NDArray[np.int32]) -> Tensor:
    """Reshape all but the batch axis: files made for one picture at a time have a 1 there."""
    return ops().reshape(x, (x.shape[0], *(int(n) for n in shape[1:])))


def _prelu(_: Options, x: Tensor, alpha: Tensor) -> Tensor:
    return ops().maximum(x, 0) + alpha * ops().minimum(x, 0)


def _leaky_relu(options: Options, x: Tensor) -> Tensor:
    return ops().leaky_relu(x, options.alpha)


def _sigmoid(_: Options, x: Tensor) -> Tensor:
    return ops().sigmoid(x)


def _add(options: Options, a: Tensor, b: Tensor) -> Tensor:
    return _activated(options, a + b)


def _multiply(options: Options, a: Tensor, b: Tensor) -> Tensor:
    return _activated(options, a * b)


def _concatenate(options: Options, *parts: Tensor) -> Tensor:
    return _activated(options, ops().concatenate(parts, options.axis))


def _stack(options: Options, *parts: int) -> NDArray[np.int64]:
    return np.stack([np.asarray(part) for part in parts], options.axis)


def _shape(_: Options, x: Tensor) -> NDArray[np.int64]:
    return np.array([int(n) for n in x.shape])


KERNELS_TURNED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
"""Operators whose second input :func:`turned` turns once, for all calls."""


def turned(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a kernel of a file, whose first axis becomes its last one, as Keras has it."""
    return np.ascontiguousarray(np.moveaxis(kernel, 0, -1))


OPERATORS: Mapping[str, Callable[..., Any]] = {
    "ADD": _add,
    "CONCATENATION": _concatenate,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "DEPTH_TO_SPACE": _depth_to_space,
    "FULLY_CONNECTED": _dense,
    "LEAKY_RELU": _leaky_relu,
    "LOGISTIC": _sigmoid,
    "MAX_POOL_2D": _max_pool,
    "MUL": _multiply,
    "PACK": _stack,
    "PAD": _pad,
    "PRELU": _prelu,
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize,
    "SHAPE": _shape,
    "STRIDED_SLICE": _strided_slice,
}
"""What the shipped files use, and those that training exports; all others are refused."""
