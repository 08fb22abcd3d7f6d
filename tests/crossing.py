"""A made clip of two real faces on crossing paths, the second one behind the first for half a second."""

from collections.abc import Iterator

import cv2
import matplotlib.cbook
import numpy as np
import skimage.data
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Place = tuple[float, float]

SECONDS = 3.0
HIDDEN = (1.25, 1.75)  # s


def crossing_faces(rate: float) -> Iterator[tuple[float, Picture, list[Place | None]]]:
    """Frames of the clip.

    Args:
        rate: frames/s.

    Yields:
        the time, the frame (360, 640, 3) uint8 BGR, and each face's (column, row), None while it is hidden. The first
        face is Eileen Collins's (NASA), which scikit-image brings, the second Grace Hopper's (U.S. Navy), which
        matplotlib brings; both photos are in the public domain.
    """
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
        hopper = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
    collins = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    first = cv2.resize(collins[35:185, 150:300], (130, 130), interpolation=cv2.INTER_AREA)
    second = cv2.resize(hopper[60:350, 115:405], (130, 130), interpolation=cv2.INTER_AREA)
    for n in range(round(SECONDS * rate)):
        time = n / rate
        way = time / SECONDS
        frame = np.full((360, 640, 3), (96, 104, 88), np.uint8)
        places: list[Place | None] = [(90 + 460 * way, 105 + 150 * way), (550 - 460 * way, 255 - 150 * way)]
        if HIDDEN[0] <= time < HIDDEN[1]:
            places[1] = None
        for picture, place in ((second, places[1]), (first, places[0])):
            if place is not None:
                matrix = np.array([[1, 0, place[0] - 65], [0, 1, place[1] - 65]], float)
                cv2.warpAffine(picture, matrix, (640, 360), dst=frame, borderMode=cv2.BORDER_TRANSPARENT)
        yield time, frame, places
