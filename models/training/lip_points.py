"""Which points of a landmark model's mesh are used, and the lips' shapes that they draw.

Source: Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", and mediapipe's
drawing of the mesh.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409)
INNER_LIPS = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415)
"""Of each: the lower edge from the person's right corner of the mouth to the left one, then the upper edge between."""

FACE = (1, 2, 152, 172, 397, 164)  # nose, chin, jaw, under the nose
EYES = ((33, 133), (362, 263))  # corners of the person's right and left eye
MORE = (94, 148, 377, 10, 234, 454, 50, 280)  # for the teacher alone: head turn and size

MESH = (*OUTER_LIPS, *INNER_LIPS, *FACE, *EYES[0], *EYES[1], *MORE)
"""Mesh points that are kept of a reading."""

POINTS = 48
"""Points that the network learns to see: the lips, those of the face, the two eyes' centres."""

_RIGHT_TO_LEFT = {
    61: 291, 146: 375, 91: 321, 181: 405, 84: 314, 185: 409, 40: 270, 39: 269, 37: 267, 78: 308, 95: 324, 88: 318,
    178: 402, 87: 317, 191: 415, 80: 310, 81: 311, 82: 312, 172: 397, 33: 263, 133: 362, 148: 377, 234: 454, 50: 280,
}  # fmt: skip
_PARTNERS = _RIGHT_TO_LEFT | {left: right for right, left in _RIGHT_TO_LEFT.items()}

MESH_MIRRORED = np.array([MESH.index(_PARTNERS.get(point, point)) for point in MESH])
"""Where each kept point is found in a mirrored picture."""

_LIPS_AND_FACE = len(OUTER_LIPS) + len(INNER_LIPS) + len(FACE)
MIRRORED = np.array([*MESH_MIRRORED[:_LIPS_AND_FACE], _LIPS_AND_FACE + 1, _LIPS_AND_FACE])
"""The same for the network's points."""

INNER_GAPS = ((13, 14), (82, 87), (312, 317), (81, 178), (311, 402), (80, 88), (310, 318))
"""Upper and lower inner lip at the middle, then in pairs outwards."""

GAPS = len(INNER_GAPS)
"""Distances between the inner lips that the network learns."""

CELL_ROWS, CELL_COLUMNS, SUBCELL_ROWS, SUBCELL_COLUMNS = 10, 8, 4, 2
"""The lips' masks: cells of the network's view, down and across, and sub-cells of each."""

IN_CELL = 2 * SUBCELL_ROWS * SUBCELL_COLUMNS  # numbers in a cell: of the lips, of the mouth's opening
CELLS = CELL_ROWS * CELL_COLUMNS * IN_CELL

NETWORK_BOX = (7, 8, 53, 60)
"""The part of the crop that the network reads: left, top, right, bottom in pixels."""

_CANVAS = (
    4 * CELL_COLUMNS * SUBCELL_COLUMNS,
    2 * CELL_ROWS * SUBCELL_ROWS,
)  # pixels across and down: outlines are drawn on it, then averaged


def eye_centres(mesh: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the centres of the person's right and left eye, (..., 2, k), of mesh points (..., len(MESH), k)."""
    corners = [[MESH.index(corner) for corner in eye] for eye in EYES]
    return mesh[..., corners, :].mean(axis=-2)


def network_points(mesh: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the network's points (..., POINTS, 2) of kept mesh points (..., len(MESH), 2 or more)."""
    return np.concatenate([mesh[..., :_LIPS_AND_FACE, :2], eye_centres(mesh)[..., :2]], axis=-2)


def gaps(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distances between the inner lips, (n, GAPS), of points (n, POINTS, 2), in their unit."""
    upper, lower = ([MESH.index(pair[side]) for pair in INNER_GAPS] for side in (0, 1))
    return np.linalg.norm(points[:, upper] - points[:, lower], axis=2).astype(np.float32)


def gap_ratio(mesh: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the gap at the mouth's middle over the distance of the eyes, (n,), of points (n, len(MESH), 2 or 3)."""
    points = network_points(mesh)
    eyes = np.maximum(np.linalg.norm(points[:, -1] - points[:, -2], axis=1), 1e-6)
    return (gaps(points)[:, :3].mean(axis=1) / eyes).astype(np.float32)


def lip_cells(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much of each sub-cell of the network's box lies inside the outer and the inner lips' outline.

    Args:
        points: (n, POINTS, 2) in pixels of the crop, pixel centres at whole numbers.

    Returns:
        (n, CELLS) float32, 0..1: rows and columns of cells; of each cell lips, then mouth opening; of each rows and
        columns of sub-cells.
    """
    height, width = CELL_ROWS * SUBCELL_ROWS, CELL_COLUMNS * SUBCELL_COLUMNS
    left, top, right, bottom = NETWORK_BOX
    scale = np.array(_CANVAS) / (right - left, bottom - top)
    places = (points - np.array([left, top]) + 0.5) * scale - 0.5
    places = np.round(places * 16).astype(np.int32)  # sixteenths of a pixel
    inside = np.zeros((len(points), 2, height, width), np.float32)
    canvas = np.zeros(_CANVAS[::-1], np.uint8)
    for i, place in enumerate(places):
        for kind, outline in enumerate(OUTLINES):
            canvas[:] = 0
            cv2.fillPoly(canvas, [place[outline]], (255,), cv2.LINE_AA, 4)
            inside[i, kind] = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    cells = inside.reshape(-1, 2, CELL_ROWS, SUBCELL_ROWS, CELL_COLUMNS, SUBCELL_COLUMNS).transpose(0, 2, 4, 1, 3, 5)
    return cells.reshape(len(points), CELLS) / np.float32(255)


def _outline(first: int, size: int) -> NDArray[np.int64]:
    """Return the points around the lips: along the lower edge, back along the upper one."""
    corner = first + size // 2
    return np.array([*range(first, corner + 1), *range(first + size - 1, corner, -1)])


OUTLINES = (_outline(0, len(OUTER_LIPS)), _outline(len(OUTER_LIPS), len(INNER_LIPS)))
"""The points around the outer lips' edge and around the mouth's opening, in order."""
