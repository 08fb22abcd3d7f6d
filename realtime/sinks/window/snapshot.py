"""A picture of the live window, saved beside the user's other files."""

from datetime import datetime
from pathlib import Path

import cv2

from ....models.errors import SinkError
from ....models.whole_file import whole_file
from ..drawing.primitives import Picture

NAME = "mouth-live-%Y%m%d-%H%M%S"
FAST = 1  # PNG compression: a 1080p picture is written in a frame's time or two


def save_snapshot(picture: Picture) -> Path:
    """Save a picture (h, w, 3) uint8 BGR as PNG in the current folder, under a new name with the time.

    Returns:
        The file.

    Raises:
        SinkError: it cannot be written.
    """
    path = _free_name(datetime.now().strftime(NAME))
    done, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, FAST])
    if not done:
        raise SinkError(f"{path}: the picture cannot be encoded")
    with whole_file(path, "; start in another folder", error=SinkError) as part:
        part.write_bytes(data.tobytes())
    return path.absolute()


def _free_name(stem: str) -> Path:
    """Return the name of a PNG that does not exist yet: with a number from the second picture of a second on."""
    path, number = Path(f"{stem}.png"), 1
    while path.exists() or path.is_symlink():
        number += 1
        path = Path(f"{stem}-{number}.png")
    return path
