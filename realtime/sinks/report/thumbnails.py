"""A small picture of each face, from the frame in which it is seen best."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ....models.errors import MouthLiveError
from ...video.frames_at import frames_near
from .recording import Recording

log = logging.getLogger("mouth_live")

SIDE = 112  # pixels: twice what the page shows, for screens with small pixels
MARGIN = 0.15  # of the face's box, at each side
QUALITY = 80  # JPEG
MOST = 48  # faces; each may need a search in the file


def thumbnails(recording: Recording, video: Path) -> Mapping[int, bytes]:
    """Return a JPEG of each face, by its id. At most :data:`MOST` get one, those that were seen longest.

    A video that cannot be read gives none, and a line says why.
    """
    faces = [track.summary.face_id for track in recording.longest(MOST)]
    best = {face_id: _best_row(recording.rows, face_id) for face_id in faces}
    wanted = {int(row["frame"]): float(row["timestamp"] - recording.times[0]) for row in best.values()}
    pictures: dict[int, bytes] = {}
    try:
        for frame, image in frames_near(video, wanted):
            for face_id, row in best.items():
                if row["frame"] == frame:
                    pictures[face_id] = _jpeg(image, [float(row[name]) for name in ("x", "y", "width", "height")])
    except MouthLiveError as error:
        log.warning("%s; the report has no pictures of faces", error)
    return pictures


def _best_row(rows: NDArray[np.void], face_id: int) -> np.void:
    """Return the row in which a face is large, surely found and well read."""
    mine = rows[rows["success"] & (rows["face_id"] == face_id)]
    reliability = np.nan_to_num(mine["reliability"], nan=1.0)
    return mine[np.argmax(mine["width"] * mine["confidence"] * reliability)]


def _jpeg(image: NDArray[np.uint8], box: Sequence[float]) -> bytes:
    """Return a square around a box (x, y, width, height in pixels) as JPEG, moved into the picture."""
    x, y, width, height = box
    side = max(1, min(round(max(width, height) * (1 + 2 * MARGIN)), *image.shape[:2]))
    left = int(np.clip(round(x + (width - side) / 2), 0, image.shape[1] - side))
    top = int(np.clip(round(y + (height - side) / 2), 0, image.shape[0] - side))
    square = cv2.resize(image[top : top + side, left : left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", square, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
