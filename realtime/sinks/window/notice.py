"""Lines of text for the person in front of the camera, drawn along the picture's lower edge."""

from collections.abc import Iterable

import numpy as np

from ..drawing.primitives import MIN_TEXT_SIZE, PLATE, Picture, draw_text, text_size, text_width

ENLARGED = 1.5  # times the usual text: it is read from a distance
MOST_LINES = 3  # of one notice; a longer one gets smaller text
OPACITY = 0.95
FILLED = 0.94  # of the picture's width, at most


def draw_notice(picture: Picture, *notices: str, raised: int = 0) -> None:
    """Draw notices into a picture (h, w, 3) uint8 BGR, white on a dark band, each from a line of its own on.

    A long one takes several lines. Where that is not enough its text gets smaller, and at last its words are shortened.

    Args:
        picture: it is drawn into.
        notices: the texts.
        raised: pixels below the band that stay free.
    """
    height, width = picture.shape[:2]
    size, lines = _fit(notices, text_size(picture), int(FILLED * width))
    step = round(1.3 * size)
    bottom = max(0, height - raised)
    top = max(0, bottom - len(lines) * step - round(0.7 * size))
    band = picture[top:bottom]
    band[:] = np.rint(band + (np.array(PLATE, np.float32) - band) * np.float32(OPACITY)).astype(np.uint8)
    for i, line in enumerate(lines):
        left = (width - text_width(line, size)) // 2
        draw_text(picture, line, max(0, left), top + round(0.35 * size) + i * step + round(0.95 * size), size)


def _fit(notices: Iterable[str], usual: int, width: int) -> tuple[int, list[str]]:
    """Return the height of the text and the lines, the largest text with which each notice fits into its lines."""
    largest = round(ENLARGED * usual)
    for size in range(largest, min(largest, MIN_TEXT_SIZE) - 1, -1):
        wrapped = [_wrap(notice, size, width) for notice in notices]
        fits = all(text_width(line, size) <= width for lines in wrapped for line in lines)
        if fits and all(len(lines) <= MOST_LINES for lines in wrapped):
            return size, [line for lines in wrapped for line in lines]
    size = min(largest, MIN_TEXT_SIZE)
    return size, [_shorten(line, size, width) for notice in notices for line in _wrap(notice, size, width)]


def _wrap(text: str, size: int, width: int) -> list[str]:
    """Return the text in lines of at most this width in pixels; a single word may be wider."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _shorten(text: str, size: int, width: int) -> str:
    """Return the text with its middle left out where it is wider than this, in pixels."""
    kept = len(text)
    shown = text
    while text_width(shown, size) > width and kept > 2:
        kept -= 1
        shown = f"{text[: kept // 2]}...{text[len(text) - (kept - kept // 2) :]}"
    return shown
