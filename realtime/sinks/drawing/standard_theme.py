"""The theme ``standard``: at each face its box, and a plate with id, value and bar.

Active lips are marked by shape: a whole frame instead of corners, and a dot in the plate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from ....models.rectangle import Rectangle
from ...records import Reading
from .primitives import PLATE, PLATE_OPACITY, Picture, draw_bar, draw_text, fill, text_width
from .scene import Scene, chip_width, draw_box, draw_chip, draw_dot, draw_status, face_colour, status_text


@dataclass(frozen=True, slots=True)
class _Layout:
    """The layout of a face's plate, in pixels: its size, its padding, the widths of the id's chip and of the value."""

    width: int
    height: int
    pad: int
    chip: int
    value: int
    dot: bool  # room for the dot of active lips


def draw_standard(scene: Scene) -> None:
    """Draw the theme."""
    status = status_text(scene.rate, scene.dropped)
    draw_boxes(scene)
    draw_labels(scene, [draw_status(scene.picture, status, scene.size)] if status else [])


def draw_boxes(scene: Scene) -> None:
    """Draw the box of each face."""
    for reading, box in scene.faces:
        draw_box(scene.picture, box, face_colour(reading), scene.size, whole=reading.active)


def draw_labels(scene: Scene, taken: list[Rectangle]) -> None:
    """Draw the plate of each face where it covers least.

    Args:
        scene: the picture and its faces.
        taken: the rectangles that are in use already; those of the plates are added.
    """
    for i, (reading, box) in enumerate(scene.faces):
        label = _layout(reading, box, scene.size)
        others = [*scene.boxes[:i], *scene.boxes[i + 1 :]]
        area = _place(box, label, (scene.width, scene.height), taken, others, scene.size)
        _draw_label(scene.picture, area, label, reading, scene.size)
        taken.append(area)


def _layout(reading: Reading, box: Rectangle, size: int) -> _Layout:
    """Return the layout of a face's plate; a face much smaller than its plate gets a narrower one."""
    chip, value = chip_width(reading, size), text_width("0.00", size)
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
    pad = label.pad
    fill(picture, area, PLATE, round(size * 0.45), PLATE_OPACITY)
    chip = draw_chip(picture, area.left + pad, area.top + pad, reading, size)
    draw_text(picture, f"{reading.openness:.2f}", chip.right + pad, chip.top + round(size * 0.93), size)
    if reading.active and label.dot:
        draw_dot(picture, area.right - pad - ceil(size * 0.28), chip.top + round(size * 0.58), size)
    thick = max(3, round(size * 0.3))
    bar = Rectangle(area.left + pad, area.bottom - pad - thick, area.width - 2 * pad, thick)
    draw_bar(picture, bar, reading.openness, face_colour(reading))
