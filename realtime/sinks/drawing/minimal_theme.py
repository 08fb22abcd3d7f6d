"""The theme ``minimal``: below each face a bar as long as its openness, and nothing else.

While the lips are active a dot stands beside the bar.
"""

from math import ceil

from ....models.rectangle import Rectangle
from .primitives import PLATE, PLATE_OPACITY, draw_bar, fill
from .scene import Scene, draw_dot, face_colour


def draw_minimal(scene: Scene) -> None:
    """Draw the theme."""
    size = scene.size
    thick, rim = max(5, round(size * 0.5)), max(2, round(size * 0.2))
    for reading, box in scene.faces:
        length = max(round(box.width * 0.7), 3 * size)
        left, top = box.left + (box.width - length) // 2 - rim, box.bottom + round(size * 0.4)
        room = round(size * 0.9)  # for the dot
        plate = Rectangle(left, top, length + 2 * rim + room, thick + 2 * rim).moved_into(scene.width, scene.height)
        bar = Rectangle(plate.left + rim, plate.top + rim, length, thick)
        shown = plate if reading.active else Rectangle(plate.left, plate.top, plate.width - room, plate.height)
        fill(scene.picture, shown, PLATE, shown.height // 2, PLATE_OPACITY)
        draw_bar(scene.picture, bar, reading.openness, face_colour(reading))
        if reading.active:
            draw_dot(scene.picture, bar.right + ceil(room / 2), bar.top + bar.height // 2, size)
