"""The overlay on a frame: what was read of each face, drawn in one of several themes."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from ....models.checked import checked_type
from ....models.rectangle import Rectangle
from ...records import Analysis, Reading
from .broadcast_theme import draw_broadcast
from .debug_theme import DebugTheme
from .minimal_theme import draw_minimal
from .primitives import Picture, text_size
from .scene import Scene
from .standard_theme import draw_standard
from .themes import DEFAULT_THEME, THEMES, Theme

_NEW: Mapping[Theme, Callable[[], Callable[[Scene], None]]] = {
    "standard": lambda: draw_standard,
    "minimal": lambda: draw_minimal,
    "broadcast": lambda: draw_broadcast,
    "debug": DebugTheme,
}


class Overlay:
    """Draws the readings of one source, frame after frame: the theme ``debug`` shows the last seconds too."""

    def __init__(self, theme: Theme = DEFAULT_THEME) -> None:
        """Choose the theme.

        Raises:
            ValueError: there is no such theme.
        """
        if theme not in _NEW:
            raise ValueError(f"theme: expected one of {', '.join(THEMES)}, got {theme!r}")
        self._draw = _NEW[theme]()

    def draw(
        self,
        analysis: Analysis,
        *,
        rate: float | None = None,
        dropped: int | None = None,
        mirror: bool = False,
        scale: float = 1.0,
    ) -> Picture:
        """Draw the readings into a copy of the frame.

        Args:
            analysis: the frame and its readings.
            rate: the analysed frames per second; None hides it (recorded video).
            dropped: the number of frames dropped so far to keep up; None hides it.
            mirror: flip the picture left to right, with its boxes, but not the text.
            scale: enlarge the picture before drawing, so that text on a small one is sharp.

        Returns:
            (h, w, 3) uint8, BGR, a new picture of the frame's size times ``scale``.

        Raises:
            TypeError: ``analysis`` is none.
        """
        checked_type(analysis, Analysis, "analysis")
        picture = _copy(analysis.frame.image, mirror, scale)
        boxes = [_box(reading, picture.shape[1], mirror, scale) for reading in analysis.readings]
        self._draw(Scene(picture, analysis, boxes, text_size(picture), scale, mirror, rate, dropped))
        return picture


def draw(
    analysis: Analysis,
    *,
    rate: float | None = None,
    dropped: int | None = None,
    mirror: bool = False,
    theme: Theme = DEFAULT_THEME,
) -> Picture:
    """Draw the readings of a single frame into a copy of it: :class:`Overlay` without a memory.

    Args:
        analysis: the frame and its readings.
        rate: the analysed frames per second; None hides it (recorded video).
        dropped: the number of frames dropped so far to keep up; None hides it.
        mirror: flip the picture left to right, with its boxes, but not the text.
        theme: what is drawn: ``standard``, ``minimal``, ``broadcast`` or ``debug``.

    Returns:
        (h, w, 3) uint8, BGR, a new picture of the frame's size.

    Raises:
        TypeError: ``analysis`` is none.
        ValueError: there is no such theme.
    """
    return Overlay(theme).draw(analysis, rate=rate, dropped=dropped, mirror=mirror)


def _copy(image: Picture, mirror: bool, scale: float) -> Picture:
    """Return a copy of the image, flipped and enlarged as asked for."""
    picture = np.ascontiguousarray(image[:, ::-1] if mirror else image)
    if scale != 1:
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return image.copy() if picture is image else picture


def _box(reading: Reading, width: int, mirror: bool, scale: float) -> Rectangle:
    x, y, w, h = (value * scale for value in reading.face.box)
    return Rectangle(round(width - x - w if mirror else x), round(y), round(w), round(h))
