"""What every overlay is drawn with: colours, text, plates and bars.

Each text is white on a dark plate, so that it is readable on any picture. Sizes follow the picture's shorter side.
Source of the colours of faces: Okabe and Ito 2008, "Color Universal Design"; people with any colour vision can
distinguish them.
"""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ....models.rectangle import Rectangle

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]  # BGR

PALETTE: Sequence[Colour] = (
    (233, 180, 86),  # sky blue
    (0, 159, 230),  # orange
    (115, 158, 0),  # bluish green
    (167, 121, 204),  # reddish purple
    (66, 228, 240),  # yellow
    (0, 94, 213),  # vermilion
    (178, 114, 0),  # blue
    (245, 245, 245),  # white
)
PLATE: Colour = (28, 22, 20)
PLATE_OPACITY = 0.8  # gives white text a contrast of 9:1 even on a white picture
TEXT: Colour = (255, 255, 255)
GROOVE: Colour = (96, 88, 84)  # the empty part of a bar
HALO: Colour = (20, 16, 14)  # the dark rim of the box lines, for bright pictures
MIN_TEXT_SIZE = 12  # px
TEXT_SHARE = 1 / 36  # of the picture's shorter side
WEIGHT = 550  # between regular (400) and bold (700)

_FONT = cv2.FontFace("sans")


def text_size(picture: Picture) -> int:
    """Return the height of the text for a picture (h, w, 3), in pixels."""
    return max(MIN_TEXT_SIZE, round(min(picture.shape[:2]) * TEXT_SHARE))


@lru_cache(maxsize=512)
def text_width(text: str, size: int) -> int:
    """Return the width of a line of text of this height, in pixels."""
    _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), _FONT, size, WEIGHT)
    return int(width)


def draw_text(picture: Picture, text: str, x: int, baseline: int, size: int, colour: Colour = TEXT) -> None:
    """Draw a line of text into the picture; ``baseline`` is the row on which its letters stand."""
    cv2.putText(picture, text, (x, baseline), colour, _FONT, size, WEIGHT)


@lru_cache(maxsize=64)
def _plate_mask(width: int, height: int, radius: int, opacity: float) -> NDArray[np.float32]:
    """Return the coverage of each pixel by a plate with smooth round corners, (h, w, 1) float32, 0..1."""
    zoom = 4
    mask = np.zeros((height * zoom, width * zoom), np.uint8)
    _fill_round(mask, width * zoom, height * zoom, radius * zoom)
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)[..., None] * np.float32(opacity / 255)


def _fill_round(mask: Picture, width: int, height: int, radius: int) -> None:
    radius = max(0, min(radius, (width - 1) // 2, (height - 1) // 2))
    cv2.rectangle(mask, (radius, 0), (width - 1 - radius, height - 1), (255,), -1)
    cv2.rectangle(mask, (0, radius), (width - 1, height - 1 - radius), (255,), -1)
    for x in (radius, width - 1 - radius):
        for y in (radius, height - 1 - radius):
            cv2.circle(mask, (x, y), radius, (255,), -1)


def fill(picture: Picture, area: Rectangle, colour: Colour, radius: int, opacity: float = 1.0) -> None:
    """Draw a filled, rounded rectangle into the picture, clipped at its edges."""
    left, top = max(0, -area.left), max(0, -area.top)
    part = picture[area.top + top : max(0, area.bottom), area.left + left : max(0, area.right)]
    if not part.size:
        return
    cover = _plate_mask(area.width, area.height, radius, opacity)
    cover = cover[top : top + part.shape[0], left : left + part.shape[1]]
    mixed = np.array(colour, np.float32) - part
    mixed *= cover
    mixed += part
    part[:] = np.rint(mixed, out=mixed)


def draw_bar(picture: Picture, bar: Rectangle, openness: float, colour: Colour) -> None:
    """Draw a groove whose length stands for 1, filled up to the openness (0..1)."""
    fill(picture, bar, GROOVE, bar.height // 2)
    filled = round(bar.width * min(1.0, max(0.0, openness)))
    if filled:
        # The whole bar is drawn and clipped, so that its left end stays round and few masks are needed.
        cut = picture[:, : bar.left + filled]
        fill(cut, bar, colour, bar.height // 2)


def text_colour(colour: Colour) -> Colour:
    """Return black or white, whichever is more readable on this colour."""
    blue, green, red = colour
    return PLATE if 0.114 * blue + 0.587 * green + 0.299 * red > 110 else TEXT
