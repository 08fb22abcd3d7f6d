"""Renderings of a photographed head turned to any side: its mouth stays as open as it is in the photo.

The photo of a face that looks at the camera is laid over a smooth surface (an ellipsoid for the head, with nose, lips,
chin and eye sockets), which is turned and seen from afar. What the photo does not show, the sides of the head, is
stretched skin and hair. So renderings are the coarser the further the head is turned; beyond 60 degrees they are a
caricature, but the mouth's opening is known.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mouth_live.models.face import LEFT_EYE, MOUTH, NOSE_TIP, RIGHT_EYE, Face

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]

# All lengths are in distances between the eye centres (63 mm); x to the picture's right, y down, z to the camera.
HALF_WIDTH, HALF_HEIGHT, HALF_DEPTH = 1.25, 1.9, 1.55  # of the head
MIDDLE = 0.45  # of the head, below the eyes
AXIS = -0.9  # z of the axis that the head turns about, seen from between the eyes
REACH = 3.2  # side of what is drawn
BEHIND = (104, 112, 100)  # grey, BGR


@dataclass(frozen=True)
class Head:
    """A photographed head as a surface.

    Attributes:
        points: (n, 3), its points.
        colours: (n, 3) uint8 BGR.
        keypoints: (6, 3), a detector's key points; the ears are where the head is widest.
    """

    points: Points
    colours: Picture
    keypoints: Points


def head_of(photo: Picture, face: Face, size: int = 256) -> Head:
    """The head of a face that looks at the camera.

    Args:
        photo: (h, w, 3) uint8 BGR.
        face: the face in it.
        size: side in pixels of the pictures that will be drawn of it.
    """
    eyes, nose, mouth = face.keypoints[[RIGHT_EYE, LEFT_EYE]].astype(float), *face.keypoints[[NOSE_TIP, MOUTH]]
    across = eyes[1] - eyes[0]
    down = np.array([-across[1], across[0]])
    middle = eyes.mean(axis=0)
    unit = np.column_stack([across, down])

    def measured(point: NDArray[np.float32]) -> Points:
        return np.linalg.solve(unit, point - middle)

    mouth_y, nose_y = float(measured(mouth)[1]), float(measured(nose)[1])
    fine = np.linspace(-0.5, 0.5, 2 * size) * REACH
    x, y = np.meshgrid(fine, fine + MIDDLE)
    z = _depth(x, y, nose_y, mouth_y)
    columns, rows = (np.tensordot(unit, [x, y], 1) + middle[:, None, None]).astype(np.float32)
    colours = cv2.remap(photo, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = np.isfinite(z)
    marks = np.array([[-0.5, 0], [0.5, 0], [0, nose_y], [0, mouth_y], [-HALF_WIDTH, 0.3], [HALF_WIDTH, 0.3]])
    depths = _depth(marks[:4, 0], marks[:4, 1], nose_y, mouth_y)
    keypoints = np.column_stack([marks, [*depths, -1.3, -1.3]])
    return Head(np.column_stack([x[inside], y[inside], z[inside]]), colours[inside], keypoints)


def _depth(x: Points, y: Points, nose: float, mouth: float) -> Points:
    """How far points of a face lie before the plane of the eyes; NaN outside the head.

    Args:
        x: (n,), from the middle of the face.
        y: (n,), from the line of the eyes.
        nose: y of its tip.
        mouth: y of its middle.
    """
    rest = 1 - (x / HALF_WIDTH) ** 2 - ((y - MIDDLE) / HALF_HEIGHT) ** 2
    with np.errstate(invalid="ignore"):
        head = HALF_DEPTH * (np.sqrt(rest) - 1) + 0.05
    along = np.clip(y / nose, 0, None)
    ridge = np.where(along <= 1, along, np.clip(1 - (along - 1) / 0.25, 0, None))
    bump = 0.32 * ridge * np.exp(-((x / (0.1 + 0.1 * ridge)) ** 2))
    lips = 0.13 * np.exp(-((x / 0.45) ** 2) - ((y - mouth) / 0.3) ** 2)
    chin = 0.1 * np.exp(-((x / 0.35) ** 2) - ((y - mouth - 0.6) / 0.2) ** 2)
    sockets = -0.1 * np.exp(-(((np.abs(x) - 0.5) / 0.25) ** 2) - (y / 0.18) ** 2)
    return head + bump + lips + chin + sockets


def turned(head: Head, yaw: float, pitch: float = 0.0, roll: float = 0.0, size: int = 256) -> tuple[Picture, Points]:
    """The head turned by angles in degrees.

    Args:
        head: the head.
        yaw: positive turns the face to the picture's right.
        pitch: positive turns it up.
        roll: positive leans it clockwise.
        size: side of the picture in pixels.

    Returns:
        the picture, (size, size, 3) uint8 BGR; the key points in it, (6, 2).
    """
    turn = _rotation(yaw, pitch, roll)
    centre = np.array([0.0, MIDDLE, AXIS])
    scale = size / REACH / 1.25  # room around the turned head
    points = ((head.points - centre) @ turn.T).astype(np.float32)
    order = np.argsort(points[:, 2])
    place = np.round(points[order, :2] * scale + (size - 1) / 2).astype(int)
    seen = ((place >= 0) & (place < size)).all(axis=1)
    picture, drawn = np.full((size, size, 3), BEHIND, np.uint8), np.zeros((size, size), np.uint8)
    columns, rows = place[seen].T
    picture[rows, columns] = head.colours[order[seen]]  # the nearest come last
    drawn[rows, columns] = 255
    closed = cv2.morphologyEx(drawn, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    median = cv2.medianBlur(picture, 5)
    holes = (closed > 0) & (drawn == 0)
    picture[holes] = median[holes]
    keypoints = (head.keypoints - centre) @ turn.T
    return cv2.GaussianBlur(picture, (0, 0), 0.6).astype(np.uint8), keypoints[:, :2] * scale + size / 2


def _rotation(yaw: float, pitch: float, roll: float) -> Points:
    a, b, c = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_z @ about_x @ about_y
