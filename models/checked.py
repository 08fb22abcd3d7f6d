"""Check what a caller passes in, once, at the public functions: a wrong picture would give wrong numbers, silently.

A check of what is right already takes under a microsecond.
"""

from collections.abc import Sequence
from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from .face import Face

IMAGE = "an image (h, w, 3) uint8 BGR"
_CHANNELS = 3


Kind = TypeVar("Kind")


def checked_type(value: object, kind: type[Kind], name: str, hint: str = "") -> Kind:
    """Return a value unchanged, after checking that it is of a kind.

    Args:
        value: what the caller passed.
        kind: what it must be an instance of.
        name: what the caller calls it.
        hint: what to do, at the end of the message.

    Raises:
        TypeError: it is not.
    """
    if isinstance(value, kind):
        return value
    article = "an" if kind.__name__[0] in "AEIOU" else "a"
    raise TypeError(f"{name}: expected {article} {kind.__name__}, got {type(value).__name__}{hint}")


def checked_image(image: object, name: str = "image") -> NDArray[np.uint8]:
    """Return a picture as the program needs it.

    Args:
        image: (h, w, 3) uint8, BGR, which is returned as it is; or (h, w) or (h, w, 1) uint8, grey.
        name: what the caller calls it.

    Returns:
        (h, w, 3) uint8, BGR.

    Raises:
        TypeError: it is not an array, such as the None that ``cv2.imread`` returns for a file it cannot read.
        ValueError: it has another shape or dtype.
    """
    if not isinstance(image, np.ndarray):
        raise TypeError(f"{name}: expected {IMAGE}, got {_named_image(image)}")
    array = cast("NDArray[np.uint8]", image)
    if array.dtype == np.uint8 and array.size:
        if array.ndim == 3 and array.shape[2] == _CHANNELS:
            return array
        if array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1):
            return cv2.cvtColor(array, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    raise ValueError(f"{name}: expected {IMAGE}, got {array.dtype} {array.shape}{_advice(array)}")


def checked_crops(crops: object, size: int) -> NDArray[np.uint8]:
    """Return crops as one batch.

    Args:
        crops: (n, size, size, 3) uint8 RGB, which is returned as it is; or a list of n crops.
        size: their side in pixels.

    Raises:
        TypeError: they are no arrays.
        ValueError: they have another shape or dtype.
    """
    expected = _expected_crops(size)
    batch = _stacked(cast("Sequence[object]", crops), size) if isinstance(crops, list | tuple) else crops
    if not isinstance(batch, np.ndarray):
        raise TypeError(f"crops: expected {expected}, got {type(batch).__name__}")
    array = cast("NDArray[np.uint8]", batch)
    if array.dtype == np.uint8 and array.ndim == 4 and array.shape[1:] == (size, size, _CHANNELS):
        return array
    advice = _dtype_advice(array, "crops")
    if array.shape == (size, size, _CHANNELS):
        advice = "; put a single crop into a list"
    raise ValueError(f"crops: expected {expected}, got {array.dtype} {array.shape}{advice}")


def _stacked(crops: Sequence[object], size: int) -> NDArray[np.uint8]:
    arrays: list[NDArray[np.uint8]] = []
    for crop in crops:
        if not isinstance(crop, np.ndarray):
            raise TypeError(f"crops: expected {_expected_crops(size)}, got a list with {type(crop).__name__}")
        arrays.append(cast("NDArray[np.uint8]", crop))
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise ValueError(f"crops: expected {_expected_crops(size)}, got a list of the shapes {shapes}")
    return np.stack(arrays) if arrays else np.empty((0, size, size, _CHANNELS), np.uint8)


def _expected_crops(size: int) -> str:
    return f"crops (n, {size}, {size}, 3) uint8 RGB, as crop_faces returns them"


def checked_faces(faces: object) -> Sequence[Face]:
    """Return faces unchanged, after checking them.

    Raises:
        TypeError: they are not a list of :class:`.Face`.
    """
    if isinstance(faces, Face):
        raise TypeError("faces: expected a list of Face, got a single Face; put it into a list")
    if not isinstance(faces, Sequence) or isinstance(faces, str | bytes):
        raise TypeError(f"faces: expected a list of Face, as FaceFinder.find returns it, got {type(faces).__name__}")
    for face in cast("Sequence[object]", faces):
        if not isinstance(face, Face):
            raise TypeError(
                f"faces: expected a list of Face, as FaceFinder.find returns it, got one of {type(face).__name__}"
            )
    return cast("Sequence[Face]", faces)


def _advice(array: NDArray[np.uint8]) -> str:
    if not array.size:
        return "; it is empty"
    if array.dtype != np.uint8:
        return _dtype_advice(array, "image")
    if array.ndim == 3 and array.shape[2] == 4:
        return "; use cv2.cvtColor(image, cv2.COLOR_BGRA2BGR)"
    if array.ndim == 3 and array.shape[0] == _CHANNELS:
        return "; move its channels to the end: image.transpose(1, 2, 0)"
    if array.ndim == 4:
        return "; pass one picture at a time"
    return ""


def _dtype_advice(array: NDArray[np.uint8], name: str) -> str:
    """Return what to call to make uint8 of an array's numbers."""
    if array.dtype == np.uint8 or not array.size:
        return ""
    if array.dtype == np.uint16:
        return f"; use ({name} // 257).astype(np.uint8)"
    if array.dtype.kind == "f" and float(array.max()) <= 1:
        return f"; use ({name} * 255).round().astype(np.uint8)"
    return f"; use {name}.astype(np.uint8) if its values are 0 to 255" if array.dtype.kind in "fiub" else ""


def _named_image(value: object) -> str:
    """Return what a value is that is no image, with a hint where it is a frequent mistake."""
    if value is None:
        return "None, which cv2.imread returns where it cannot read the file: check the path"
    if isinstance(value, str | bytes) or hasattr(value, "__fspath__"):
        return f"the {type(value).__name__} {value!r}; read the file with cv2.imread first"
    if hasattr(value, "__array__"):
        return f"{type(value).__name__}; use np.asarray(...), and cv2.cvtColor(..., cv2.COLOR_RGB2BGR) if it is RGB"
    return type(value).__name__
