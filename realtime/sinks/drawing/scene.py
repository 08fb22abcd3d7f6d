"""A frame that a theme draws into, and the marks that several themes share: box, id chip, dot, status plate."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from ....models.rectangle import Rectangle
from ...records import Analysis, Reading
from .primitives import (
    HALO,
    PALETTE,
    PLATE,
    PLATE_OPACITY,
    TEXT,
    Colour,
    Picture,
    draw_text,
    fill,
    text_colour,
    text_width,
)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The picture that is drawn into, and what there is to draw.

    Attributes:
        picture: (h, w, 3) uint8, BGR: a copy of the frame, mirrored and enlarged as asked for.
        analysis: the frame and its readings.
        boxes: the box of each reading in the picture.
        size: the height of the text in pixels.
        scale: pixels of the picture per pixel of the frame.
        mirror: whether the picture is flipped left to right.
        rate: the analysed frames per second; None hides it.
        dropped: the number of dropped frames; None hides it.
    """

    picture: Picture
    analysis: Analysis
    boxes: Sequence[Rectangle]
    size: int
    scale: float
    mirror: bool
    rate: float | None
    dropped: int | None

    @property
    def faces(self) -> list[tuple[Reading, Rectangle]]:
        """The readings, each with its box."""
        return list(zip(self.analysis.readings, self.boxes, strict=True))

    @property
    def width(self) -> int:
        """The picture's width in pixels."""
        return int(self.picture.shape[1])

    @property
    def height(self) -> int:
        """The picture's height in pixels."""
        return int(self.picture.shape[0])


def face_colour(reading: Reading) -> Colour:
    """Return the colour of a face's id."""
    return PALETTE[reading.face_id % len(PALETTE)]


def draw_box(picture: Picture, box: Rectangle, colour: Colour, size: int, *, whole: bool) -> None:
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


def draw_chip(picture: Picture, left: int, top: int, reading: Reading, size: int) -> Rectangle:
    """Draw a face's id on its colour, and return the chip's rectangle."""
    text, colour = str(reading.face_id), face_colour(reading)
    chip = Rectangle(left, top, chip_width(reading, size), round(size * 1.15))
    fill(picture, chip, colour, round(size * 0.3))
    draw_text(picture, text, left + round(size * 0.3), top + round(size * 0.93), size, text_colour(colour))
    return chip


def chip_width(reading: Reading, size: int) -> int:
    """Return the width of a face's chip in pixels."""
    return text_width(str(reading.face_id), size) + round(size * 0.6)


def draw_dot(picture: Picture, x: int, y: int, size: int) -> None:
    """Draw the dot that marks active lips, around a point."""
    cv2.circle(picture, (x, y), ceil(size * 0.26), TEXT, -1, cv2.LINE_AA)


def status_text(rate: float | None, dropped: int | None) -> str:
    """Return the frames per second and the dropped frames as words; empty for neither."""
    parts = [] if rate is None else [f"{rate:.1f} frames/s"]
    return "   ".join(parts if dropped is None else [*parts, f"{dropped} dropped"])


def draw_status(picture: Picture, text: str, size: int) -> Rectangle:
    """Draw a line of text on a plate at the top left, and return the plate's rectangle."""
    pad = round(size * 0.55)
    area = Rectangle(pad, pad, text_width(text, size) + 2 * pad, round(size * 1.7))
    fill(picture, area, PLATE, round(size * 0.45), PLATE_OPACITY)
    draw_text(picture, text, area.left + pad, area.top + round(size * 1.2), size)
    return area
