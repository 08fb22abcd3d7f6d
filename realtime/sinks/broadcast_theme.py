"""The theme ``broadcast``: large values in a row at the lower edge, where they stand still, for a picture seen small.

Each face has only its corners and its id. While its lips are active it has a whole frame, and its value a dot.
"""

from ...models.rectangle import Rectangle
from ..records import Reading
from .drawing import PLATE, PLATE_OPACITY, draw_bar, draw_text, fill, text_width
from .scene import Scene, chip_width, draw_box, draw_chip, draw_dot, face_colour

SIZES = ((1.6, 5.0), (1.3, 3.5), (1.0, 2.5))
"""The text as a multiple of the usual one, and the bar in text heights: the first with which all fit into a row."""


def draw_broadcast(scene: Scene) -> None:
    """Draw the theme."""
    for reading, box in scene.faces:
        draw_box(scene.picture, box, face_colour(reading), scene.size, whole=reading.active)
        chip = Rectangle(box.left, box.top - round(scene.size * 1.5), chip_width(reading, scene.size), scene.size)
        chip = chip.moved_into(scene.width, scene.height)
        draw_chip(scene.picture, chip.left, chip.top, reading, scene.size)
    readings = scene.analysis.readings
    if not readings:
        return
    for enlarged, length in SIZES:
        size = round(scene.size * enlarged)
        gap, width = round(size * 0.5), max(_cell_width(reading, size, length) for reading in readings)
        columns = max(1, (scene.width - gap) // (width + gap))
        if columns >= len(readings):
            break
    rows = -(-len(readings) // columns)
    columns = -(-len(readings) // rows)  # as many in each row
    height = round(size * 1.9)
    for i, reading in enumerate(readings):
        row, column = divmod(i, columns)
        count = min(columns, len(readings) - row * columns)
        left = (scene.width - count * (width + gap) + gap) // 2 + column * (width + gap)
        top = scene.height - (rows - row) * (height + gap)
        _draw_cell(scene, Rectangle(left, top, width, height), reading, size, length)


def _cell_width(reading: Reading, size: int, length: float) -> int:
    """Return the width of a face's plate in pixels, for a bar of this length in text heights."""
    pads = 4 * round(size * 0.4)
    return pads + chip_width(reading, size) + round(size * length) + text_width("0.00", size) + size


def _draw_cell(scene: Scene, area: Rectangle, reading: Reading, size: int, length: float) -> None:
    """Draw the plate of one face: id, bar, value, and a dot while the lips are active."""
    pad, middle = round(size * 0.4), area.top + area.height // 2
    fill(scene.picture, area, PLATE, round(size * 0.5), PLATE_OPACITY)
    chip = draw_chip(scene.picture, area.left + pad, middle - round(size * 0.57), reading, size)
    bar = Rectangle(chip.right + pad, middle - round(size * 0.3), round(size * length), round(size * 0.6))
    draw_bar(scene.picture, bar, reading.openness, face_colour(reading))
    draw_text(scene.picture, f"{reading.openness:.2f}", bar.right + pad, middle + round(size * 0.36), size)
    if reading.active:
        draw_dot(scene.picture, area.right - pad - round(size * 0.3), middle, size)
