"""The theme ``debug``: what the networks see and say of each face.

Beside the usual boxes it shows the key points, and at the lower left a row for each face: the mouth as the network
gets it, the last seconds of the smoothed openness (thick) and the raw one (thin), and all numbers of the reading.
"""

from collections import deque
from math import isnan

import cv2
import numpy as np

from ....models.crop import crop_faces
from ....models.rectangle import Rectangle
from ...records import Reading
from .primitives import GROOVE, HALO, PLATE, PLATE_OPACITY, TEXT, Colour, draw_text, fill, text_width
from .scene import Scene, draw_box, draw_chip, draw_status, face_colour, status_text

SPAN = 5.0  # s of the curves
ROW_HEIGHT, CURVE_LENGTH = 4.8, 12.0  # text heights
FILLED = 0.85  # of the picture's height, at most; further faces have no row

_Curve = deque[tuple[float, float, float]]  # time, raw, smoothed


class DebugTheme:
    """Draws the theme; remembers the last seconds of each face."""

    def __init__(self) -> None:
        self._curves: dict[int, _Curve] = {}

    def __call__(self, scene: Scene) -> None:
        """Draw the theme."""
        self._remember(scene)
        for reading, box in scene.faces:
            draw_box(scene.picture, box, face_colour(reading), scene.size, whole=reading.active)
            _draw_points(scene, reading)
            top = max(0, box.top - round(scene.size * 1.5))
            draw_chip(scene.picture, max(0, box.left), top, reading, scene.size)
        frame = scene.analysis.frame
        parts = [status_text(scene.rate, scene.dropped), f"frame {frame.index}", f"{frame.time:.2f} s"]
        parts += [f"{len(scene.boxes) - _rows(scene)} more faces"] if len(scene.boxes) > _rows(scene) else []
        draw_status(scene.picture, "   ".join(filter(None, parts)), scene.size)
        self._draw_rows(scene)

    def _remember(self, scene: Scene) -> None:
        """Add the readings to the curves, and forget what is older than the span."""
        now = scene.analysis.frame.time
        for reading in scene.analysis.readings:
            curve = self._curves.setdefault(reading.face_id, _Curve())
            curve.append((now, reading.raw, reading.openness))
        for face_id, curve in list(self._curves.items()):
            while curve and not now - SPAN <= curve[0][0] <= now:
                curve.popleft()
            if not curve:
                del self._curves[face_id]

    def _draw_rows(self, scene: Scene) -> None:
        """Draw a row for each face, from the lower edge upwards."""
        size, gap = scene.size, round(scene.size * 0.55)
        height = round(size * ROW_HEIGHT)
        faces = scene.analysis.readings[: _rows(scene)]
        top = scene.height - len(faces) * (height + gap)
        for reading in faces:
            width = height + round(size * CURVE_LENGTH) + _numbers_width(size) + 2 * gap
            area = Rectangle(gap, top, width, height)
            fill(scene.picture, area, PLATE, round(size * 0.3), PLATE_OPACITY)
            _draw_crop(scene, reading, Rectangle(area.left, top, height, height))
            draw_chip(scene.picture, area.left, top, reading, size)
            curve = Rectangle(area.left + height + gap, top, round(size * CURVE_LENGTH), height)
            self._draw_curve(scene, reading, curve)
            _draw_numbers(scene, reading, curve.right + gap, top)
            top += height + gap

    def _draw_curve(self, scene: Scene, reading: Reading, area: Rectangle) -> None:
        """Draw the curves, the newest value at the right, 0 below and 1 above, with a line at each half."""
        pad = max(2, round(scene.size * 0.3))
        low, high = area.bottom - pad, area.top + pad
        for level in (low, (low + high) // 2, high):
            cv2.line(scene.picture, (area.left, level), (area.right, level), GROOVE, 1)
        values = np.array(self._curves[reading.face_id], np.float64)
        x = area.right - (scene.analysis.frame.time - values[:, 0]) / SPAN * area.width
        y = low - np.clip(values[:, 1:], 0, 1) * (low - high)
        thick, thin = max(5, round(scene.size / 2.6)), max(1, round(scene.size / 14))
        # The raw curve has a dark rim, so that it is seen on a smoothed one of any colour.
        for column, colour, line in ((1, face_colour(reading), thick), (0, HALO, thin + 1), (0, TEXT, thin)):
            points = np.rint(np.stack([x, y[:, column]], axis=1)).astype(np.int32)
            cv2.polylines(scene.picture, [points], False, colour, line, cv2.LINE_AA)


def _rows(scene: Scene) -> int:
    """Return the number of faces that have room for a row."""
    row = round(scene.size * ROW_HEIGHT) + round(scene.size * 0.55)
    return min(len(scene.boxes), max(1, int(FILLED * scene.height) // row))


def _draw_points(scene: Scene, reading: Reading) -> None:
    """Draw the six key points, each in the id's colour with a dark rim."""
    radius = max(2, round(scene.size / 6))
    for x, y in reading.face.keypoints * scene.scale:
        centre = (round(scene.width - 1 - x if scene.mirror else x), round(y))
        cv2.circle(scene.picture, centre, radius + 1, HALO, -1, cv2.LINE_AA)
        cv2.circle(scene.picture, centre, radius, face_colour(reading), -1, cv2.LINE_AA)


def _draw_crop(scene: Scene, reading: Reading, area: Rectangle) -> None:
    """Draw the mouth as the openness network gets it, in a square."""
    crop = crop_faces(scene.analysis.frame.image, [reading.face])[0, ..., ::-1]
    part = scene.picture[area.top : area.bottom, area.left : area.right]
    part[:] = cv2.resize(np.ascontiguousarray(crop), (area.width, area.height))[: part.shape[0], : part.shape[1]]


def _numbers(reading: Reading) -> list[tuple[str, str, Colour]]:
    """Return the lines beside the curves: name, value, and the name's colour, which is that of the curve."""
    trust = "-" if isnan(reading.reliability) else f"{reading.reliability:.2f}"
    return [
        ("smoothed", f"{reading.openness:.3f}", face_colour(reading)),
        ("raw", f"{reading.raw:.3f}", TEXT),
        ("reliability", trust, TEXT),
        ("detection", f"{reading.face.score:.2f}", TEXT),
    ]


def _numbers_width(size: int) -> int:
    """Return the width of the numbers in pixels."""
    small = _small(size)
    return text_width("smoothed ", small) + text_width("0.000", small) + small // 2


def _small(size: int) -> int:
    """Return the height of the numbers' text."""
    return max(11, round(size * 0.85))


def _draw_numbers(scene: Scene, reading: Reading, left: int, top: int) -> None:
    """Draw the numbers of a reading, one below the other."""
    small, step = _small(scene.size), scene.size * ROW_HEIGHT / 4.2
    for i, (name, value, colour) in enumerate(_numbers(reading)):
        baseline = round(top + step * (i + 0.88))
        draw_text(scene.picture, name, left, baseline, small, colour)
        draw_text(scene.picture, value, left + text_width("smoothed ", small), baseline, small)
