"""What the live window draws over the picture besides the overlay: the strip of keys and the pause sign."""

import numpy as np

from ....models.rectangle import Rectangle
from ..drawing.primitives import PLATE, Picture, draw_text, fill, text_size, text_width

KEYS = (
    ("space", "pause"),
    ("c", "calibrate"),
    ("s", "save picture"),
    ("f", "full screen"),
    ("h", "keys"),
    ("q", "end"),
)
"""What each key is written as, and what it does."""

ALSO = {"q": "q or Esc"}  # the terminal has room for both
CALIBRATE = "c"
CAP: tuple[int, int, int] = (235, 235, 235)  # BGR, of a key's cap
OPACITY = 0.95


def keys_in_words(calibrates: bool = True) -> str:
    """Return what the keys do, as a line for the terminal."""
    return ", ".join(f"{ALSO.get(key, key)}: {action}" for key, action in shown_keys(calibrates))


def shown_keys(calibrates: bool) -> list[tuple[str, str]]:
    """Return the keys that the window has."""
    return [(key, action) for key, action in KEYS if calibrates or key != CALIBRATE]


def draw_keys(picture: Picture, calibrates: bool) -> int:
    """Draw the keys along the lower edge of a picture (h, w, 3) uint8 BGR, in as many rows as they need.

    Args:
        picture: it is drawn into.
        calibrates: whether the window has the key for it.

    Returns:
        The height in pixels of what is covered.
    """
    size = text_size(picture)
    space, gap, pad = round(size * 0.45), round(size * 1.3), round(size * 0.6)
    height, width = picture.shape[:2]
    rows: list[list[tuple[str, str, int]]] = [[]]
    used = 0
    for key, action in shown_keys(calibrates):
        length = _cap_width(key, size) + space + text_width(action, size)
        if rows[-1] and used + gap + length > width - 2 * pad:
            rows.append([])
            used = 0
        used += length + (gap if rows[-1] else 0)
        rows[-1].append((key, action, length))
    step = round(size * 1.75)
    band = step * len(rows) + pad
    top = max(0, height - band)
    part = picture[top:]
    part[:] = np.rint(part + (np.array(PLATE, np.float32) - part) * np.float32(OPACITY)).astype(np.uint8)
    for i, row in enumerate(rows):
        left = (width - sum(length for _, _, length in row) - gap * (len(row) - 1)) // 2
        for key, action, length in row:
            _draw_key(picture, key, action, left, top + pad // 2 + i * step + round(size * 0.2), size)
            left += length + gap
    return band


def _cap_width(key: str, size: int) -> int:
    """Return the width of a key's cap in pixels."""
    return max(round(size * 1.35), text_width(key, size) + round(size * 0.8))


def _draw_key(picture: Picture, key: str, action: str, left: int, top: int, size: int) -> None:
    """Draw a key's cap and what it does."""
    cap = Rectangle(left, top, _cap_width(key, size), round(size * 1.35))
    fill(picture, cap, CAP, round(size * 0.3))
    baseline = top + round(size * 1.02)
    draw_text(picture, key, left + (cap.width - text_width(key, size)) // 2, baseline, size, PLATE)
    draw_text(picture, action, cap.right + round(size * 0.45), baseline, size)


def draw_pause(picture: Picture) -> None:
    """Draw the pause sign, two bars and a word, at the top right of a picture (h, w, 3) uint8 BGR."""
    size = round(1.5 * text_size(picture))
    pad, bar, width = round(size * 0.5), max(3, round(size * 0.28)), text_width("paused", size)
    area = Rectangle(picture.shape[1] - width - 4 * pad - 3 * bar, pad, width + 3 * pad + 3 * bar, round(size * 1.8))
    fill(picture, area, CAP, round(size * 0.4))
    for left in (area.left + pad, area.left + pad + 2 * bar):
        fill(picture, Rectangle(left, area.top + round(size * 0.4), bar, size), PLATE, bar // 3)
    draw_text(picture, "paused", area.left + 2 * pad + 3 * bar, area.top + round(size * 1.26), size, PLATE)
