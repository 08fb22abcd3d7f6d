"""The theme ``broadcast``: large values in a row at the lower edge, where they stand still, for a picture seen small.

Each face has only its corners and its id. While its lips are active it has a whole frame, and its value a dot.
"""

from dataclasses import dataclass

from ....models.rectangle import Rectangle
from ...records import Reading
from .primitives import PLATE, PLATE_OPACITY, draw_bar, draw_text, fill, text_width
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
    if scene.boxes:
        _draw_cells(scene)


def _draw_cells(scene: Scene) -> None:
    """Draw the plates of all faces in rows at the lower edge."""
    readings = scene.analysis.readings
    grids = [_grid(scene, enlarged, length) for enlarged, length in SIZES]
    grid = next((grid for grid in grids if grid.columns >= len(readings)), grids[-1])
    rows = -(-len(readings) // grid.columns)
    columns = -(-len(readings) // rows)  # as many in each row
    height = round(grid.size * 1.9)
    for i, reading in enumerate(readings):
        row, column = divmod(i, columns)
        count, pitch = min(columns, len(readings) - row * columns), grid.width + grid.gap
        left = (scene.width - count * pitch + grid.gap) // 2 + column * pitch
        area = Rectangle(left, scene.height - (rows - row) * (height + grid.gap), grid.width, height)
        if area.top >= 0:  # a tiny picture has no room for many
            _draw_cell(scene, area, reading, grid.size, grid.bar)


@dataclass(frozen=True, slots=True)
class _Grid:
    """How large the plates are, in pixels: text, bar, plate and the gap between two; and how many fit into a row."""

    size: int
    bar: int
    width: int
    gap: int
    columns: int


def _grid(scene: Scene, enlarged: float, length: float) -> _Grid:
    """Return the plates with text ``enlarged`` times as high as usual, and bars of ``length`` text heights."""
    size = round(scene.size * enlarged)
    bar, gap = round(size * length), round(size * 0.5)
    chip = max(chip_width(reading, size) for reading in scene.analysis.readings)
    width = 4 * round(size * 0.4) + chip + bar + text_width("0.00", size) + size
    return _Grid(size, bar, width, gap, max(1, (scene.width - gap) // (width + gap)))


def _draw_cell(scene: Scene, area: Rectangle, reading: Reading, size: int, length: int) -> None:
    """Draw the plate of one face: id, bar, value, and a dot while the lips are active."""
    pad, middle = round(size * 0.4), area.top + area.height // 2
    fill(scene.picture, area, PLATE, round(size * 0.5), PLATE_OPACITY)
    chip = draw_chip(scene.picture, area.left + pad, middle - round(size * 0.57), reading, size)
    bar = Rectangle(chip.right + pad, middle - round(size * 0.3), length, round(size * 0.6))
    draw_bar(scene.picture, bar, reading.openness, face_colour(reading))
    draw_text(scene.picture, f"{reading.openness:.2f}", bar.right + pad, middle + round(size * 0.36), size)
    if reading.active:
        draw_dot(scene.picture, area.right - pad - round(size * 0.3), middle, size)
