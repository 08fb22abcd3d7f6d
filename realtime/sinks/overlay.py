"""The overlay on a frame: the box, id, openness bar and value of each face, and the frame rate.

Each text is white on its own dark plate, so that it is readable on any picture. Sizes follow the picture's shorter
side. Faces are distinguished by id and by colour. Source of the colours: Okabe and Ito 2008, "Color Universal Design";
people with any colour vision can distinguish them. Active lips are marked by shape: a whole frame instead of corners,
and a dot in the plate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.checked import checked_type
from ...models.rectangle import Rectangle
from ..records import Analysis, Reading

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


@dataclass(frozen=True, slots=True)
class _Layout:
    """The layout of a face's plate, in pixels: its size, its padding, the widths of the id's chip and of the value."""

    width: int
    height: int
    pad: int
    chip: int
    value: int
    dot: bool  # room for the dot of active lips


def draw(analysis: Analysis, *, rate: float | None = None, dropped: int | None = None, mirror: bool = False) -> Picture:
    """Draw the readings into a copy of the frame.

    Args:
        analysis: the frame and its readings.
        rate: the analysed frames per second, shown in a corner; None hides it (recorded video).
        dropped: the number of frames dropped so far to keep up; None hides it.
        mirror: flip the picture left to right, with its boxes, but not the text.

    Returns:
        (h, w, 3) uint8, BGR, a new picture of the frame's size.

    Raises:
        TypeError: ``analysis`` is none.
    """
    checked_type(analysis, Analysis, "analysis")
    image = analysis.frame.image
    picture = np.ascontiguousarray(image[:, ::-1] if mirror else image)
    if picture is image:
        picture = image.copy()
    size = text_size(picture)
    boxes = [_box(reading, picture.shape[1], mirror) for reading in analysis.readings]
    for reading, box in zip(analysis.readings, boxes, strict=True):
        _draw_box(picture, box, _colour(reading), size, whole=reading.active)
    taken = [] if rate is None and dropped is None else [_draw_status(picture, rate, dropped, size)]
    for i, (reading, box) in enumerate(zip(analysis.readings, boxes, strict=True)):
        label = _layout(reading, box, size)
        others = boxes[:i] + boxes[i + 1 :]
        area = _place(box, label, (picture.shape[1], picture.shape[0]), taken, others, size)
        _draw_label(picture, area, label, reading, size)
        taken.append(area)
    return picture


def text_size(picture: Picture) -> int:
    """Return the height of the text for a picture (h, w, 3), in pixels."""
    return max(MIN_TEXT_SIZE, round(min(picture.shape[:2]) * TEXT_SHARE))


def _colour(reading: Reading) -> Colour:
    return PALETTE[reading.face_id % len(PALETTE)]


def _box(reading: Reading, width: int, mirror: bool) -> Rectangle:
    x, y, w, h = reading.face.box
    return Rectangle(round(width - x - w if mirror else x), round(y), round(w), round(h))


def _draw_box(picture: Picture, box: Rectangle, colour: Colour, size: int, *, whole: bool) -> None:
    """Draw rounded corners, or a whole rounded frame, in the id's colour with a dark rim."""
    line = max(2, round(size / 9))
    corners = _corners(box, max(2, min(round(size * 0.6), box.width // 5, box.height // 5)), with_arms=not whole)
    strokes = [np.concatenate(corners)] if whole else corners
    cv2.polylines(picture, strokes, whole, HALO, line + max(2, line // 2 * 2), cv2.LINE_AA)
    cv2.polylines(picture, strokes, whole, colour, line, cv2.LINE_AA)


def _corners(box: Rectangle, radius: int, *, with_arms: bool) -> list[NDArray[np.int32]]:
    """Return the four round corners, clockwise from the top left, each (n, 2) int32; with or without straight arms."""
    arm = round(min(box.width, box.height) * 0.22)
    angles = np.linspace(np.pi, 1.5 * np.pi, 9)
    arc = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius + radius  # clockwise, from (0, r) to (r, 0)
    corner = np.concatenate([[[0, arm]], arc, [[arm, 0]]]) if with_arms and arm > radius else arc
    near, far = np.array([box.left, box.top]), np.array([box.left + box.width, box.top + box.height])
    corners: list[NDArray[np.int32]] = []
    for right, bottom in ((False, False), (True, False), (True, True), (False, True)):
        points = np.where(np.array([right, bottom]), far - corner, near + corner)
        # A corner that is mirrored once has the opposite direction.
        corners.append(np.rint(points[::-1] if right != bottom else points).astype(np.int32))
    return corners


@lru_cache(maxsize=512)
def _text_width(text: str, size: int, weight: int = WEIGHT) -> int:
    _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), _FONT, size, weight)
    return int(width)


def _draw_text(picture: Picture, text: str, x: int, baseline: int, size: int, colour: Colour = TEXT) -> None:
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


def _fill(picture: Picture, area: Rectangle, colour: Colour, radius: int, opacity: float = 1.0) -> None:
    """Draw a filled, rounded rectangle into the picture, clipped at its edges."""
    left, top = max(0, -area.left), max(0, -area.top)
    part = picture[area.top + top : area.top + area.height, area.left + left : area.left + area.width]
    if not part.size:
        return
    cover = _plate_mask(area.width, area.height, radius, opacity)
    cover = cover[top : top + part.shape[0], left : left + part.shape[1]]
    part[:] = np.rint(part + (np.array(colour, np.float32) - part) * cover)


def _draw_status(picture: Picture, rate: float | None, dropped: int | None, size: int) -> Rectangle:
    """Draw frames per second and dropped frames at the top left, and return the plate's rectangle."""
    parts = [] if rate is None else [f"{rate:.1f} frames/s"]
    parts += [] if dropped is None else [f"{dropped} dropped"]
    text = "   ".join(parts)
    pad = round(size * 0.55)
    area = Rectangle(pad, pad, _text_width(text, size) + 2 * pad, round(size * 1.7))
    _fill(picture, area, PLATE, round(size * 0.45), PLATE_OPACITY)
    _draw_text(picture, text, area.left + pad, area.top + round(size * 1.2), size)
    return area


def _layout(reading: Reading, box: Rectangle, size: int) -> _Layout:
    """Return the layout of a face's plate; a face much smaller than its plate gets a narrower one."""
    chip, value = _text_width(str(reading.face_id), size) + round(size * 0.6), _text_width("0.00", size)
    pad = round(size * 0.4)
    width = 2 * pad + chip + pad + value + round(size * 0.9)
    if width <= 1.2 * box.width:
        return _Layout(width, round(size * 2.45), pad, chip, value, dot=True)
    tight = round(size * 0.25)
    return _Layout(3 * tight + chip + value, round(size * 2.1), tight, chip, value, dot=False)


def _place(
    box: Rectangle,
    label: _Layout,
    picture: tuple[int, int],
    taken: Sequence[Rectangle],
    others: Sequence[Rectangle],
    size: int,
) -> Rectangle:
    """Return the place for a plate above, below or inside its box, where it covers least of other plates and faces."""
    width, height = label.width, label.height
    gap = max(3, round(size * 0.35))
    left, right = box.left, box.left + box.width - width
    if right < left:  # a plate wider than its box is centred on it
        left = right = (left + right) // 2
    above, below = box.top - gap - height, box.top + box.height + gap
    places = [(left, above), (right, above), (left, below), (right, below)]
    places += [(left + gap, box.top + gap), (right - gap, below - 2 * gap - height)]
    areas = [Rectangle(x, y, width, height).moved_into(*picture) for x, y in places]

    def cost(area: Rectangle) -> int:
        """Return the weighted number of pixels that a plate at this place covers."""
        covered = sum(area.overlap(other) for other in others)
        return 4 * sum(area.overlap(plate) for plate in taken) + 2 * covered + area.overlap(box)

    return min(areas, key=cost)  # the first of equal ones, so the order above is the order of preference


def _draw_label(picture: Picture, area: Rectangle, label: _Layout, reading: Reading, size: int) -> None:
    """Draw the plate of one face: id, value, a dot while the lips are active, and the bar below."""
    colour, pad = _colour(reading), label.pad
    _fill(picture, area, PLATE, round(size * 0.45), PLATE_OPACITY)
    chip = Rectangle(area.left + pad, area.top + pad, label.chip, round(size * 1.15))
    baseline = chip.top + round(size * 0.93)
    _fill(picture, chip, colour, round(size * 0.3))
    _draw_text(picture, str(reading.face_id), chip.left + round(size * 0.3), baseline, size, _text_colour(colour))
    _draw_text(picture, f"{reading.openness:.2f}", chip.left + chip.width + pad, baseline, size)
    if reading.active and label.dot:
        middle = (area.left + area.width - pad - ceil(size * 0.28), chip.top + round(size * 0.58))
        cv2.circle(picture, middle, ceil(size * 0.26), TEXT, -1, cv2.LINE_AA)
    thick = max(3, round(size * 0.3))
    bar = Rectangle(area.left + pad, area.top + area.height - pad - thick, area.width - 2 * pad, thick)
    _draw_bar(picture, bar, reading.openness, colour)


def _draw_bar(picture: Picture, bar: Rectangle, openness: float, colour: Colour) -> None:
    """Draw a groove whose length stands for 1, filled up to the openness (0..1)."""
    _fill(picture, bar, GROOVE, bar.height // 2)
    filled = round(bar.width * min(1.0, max(0.0, openness)))
    if filled:
        # The whole bar is drawn and clipped, so that its left end stays round and few masks are needed.
        cut = picture[:, : bar.left + filled]
        _fill(cut, bar, colour, bar.height // 2)


def _text_colour(colour: Colour) -> Colour:
    """Return black or white, whichever is more readable on this colour."""
    blue, green, red = colour
    return PLATE if 0.114 * blue + 0.587 * green + 0.299 * red > 110 else TEXT
