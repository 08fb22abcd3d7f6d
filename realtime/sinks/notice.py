"""A line of text for the person in front of the camera, drawn along the picture's lower edge."""

import cv2
import numpy as np
from numpy.typing import NDArray

from .drawing import PLATE, PLATE_OPACITY, TEXT, WEIGHT, text_size

_FONT = cv2.FontFace("sans")


def draw_notice(picture: NDArray[np.uint8], text: str) -> None:
    """Draw a line of text into a picture (h, w, 3) uint8 BGR, white on a dark band, as large as the width allows."""
    height, width = picture.shape[:2]
    size = round(1.5 * text_size(picture))
    _, _, wide, _ = cv2.getTextSize((0, 0), text, (0, 0), _FONT, size, WEIGHT)
    if wide > 0.94 * width:
        size = max(8, int(size * 0.94 * width / wide))
        _, _, wide, _ = cv2.getTextSize((0, 0), text, (0, 0), _FONT, size, WEIGHT)
    band = picture[max(0, height - 2 * size) :]
    band[:] = np.rint(band + (np.array(PLATE, np.float32) - band) * np.float32(PLATE_OPACITY)).astype(np.uint8)
    cv2.putText(picture, text, (max(0, (width - wide) // 2), height - round(0.65 * size)), TEXT, _FONT, size, WEIGHT)
