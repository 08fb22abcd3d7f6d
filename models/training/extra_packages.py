"""The packages of the extra ``train``: imported when first needed, and typed as Any because they bring no types."""

from typing import Any

from ..errors import MissingExtraError
from ..native_talk import import_quietly


def keras() -> Any:  # noqa: ANN401
    """Import Keras, on TensorFlow unless ``KERAS_BACKEND`` names another.

    Raises:
        MissingExtraError: not installed.
    """
    return _imported("keras")


def tensorflow() -> Any:  # noqa: ANN401
    """Import TensorFlow, for its converter and its files' schema.

    Raises:
        MissingExtraError: not installed.
    """
    return _imported("tensorflow")


def matplotlib() -> Any:  # noqa: ANN401
    """Import matplotlib, for the fonts that it brings.

    Raises:
        MissingExtraError: not installed.
    """
    return _imported("matplotlib")


def skimage() -> Any:  # noqa: ANN401
    """Import scikit-image, for the pictures that it brings.

    Raises:
        MissingExtraError: not installed.
    """
    return _imported("skimage")


def new_figure(width: float, height: float) -> Any:  # noqa: ANN401
    """Make an empty matplotlib figure that needs no display.

    Args:
        width: inches.
        height: inches.

    Raises:
        MissingExtraError: not installed.
    """
    return _imported("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")


def _imported(name: str) -> Any:  # noqa: ANN401
    try:
        return import_quietly(name)
    except ModuleNotFoundError:
        raise MissingExtraError("training", "train") from None
