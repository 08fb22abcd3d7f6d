"""The picture for the labeller: the enlarged face, and bars that show the lip gap of each label at its scale."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ....models.scale import gap_ratio_from_openness
from ...sinks.drawing.primitives import PLATE, TEXT
from .candidates import MOUTH_HEIGHT, VIEW_SIZE, Candidate

LABEL_VALUES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The openness of each label; keys 0 to 4 stand for that many quarters."""

FACE_SIZE = 600  # pixels: the side of the face as shown
PANEL_WIDTH, FOOT_HEIGHT = 330, 84  # pixels: the panel with the bars, and the lines with the keys
BAR_WIDTH = 26  # pixels
LABEL_NAMES = ("closed", "1/4", "1/2", "3/4", "open")
MARK_COLOUR = (120, 200, 255)  # BGR, marks the existing label
BAR_COLOUR = (230, 200, 90)  # BGR
SMALL_TEXT, LARGE_TEXT = 17, 24  # pixels

_FONT = cv2.FontFace("sans")


def gap_ratio_of(openness: float) -> float:
    """Return the gap between the inner lips for an openness (0..1), in distances between the eye centres."""
    return gap_ratio_from_openness(openness) if openness > 0 else 0.0


def draw_candidate(candidate: Candidate, position: int, count: int, label: float | None) -> NDArray[np.uint8]:
    """Return the picture for the labelling window.

    Args:
        candidate: the face.
        position: its index, from 0.
        count: the number of candidates.
        label: the label that it has already, 0..1; None for none.

    Returns:
        (h, w, 3) uint8, BGR.
    """
    canvas = np.full((FACE_SIZE + FOOT_HEIGHT, FACE_SIZE + PANEL_WIDTH, 3), PLATE, np.uint8)
    view = cv2.imdecode(np.frombuffer(candidate.view, np.uint8), cv2.IMREAD_COLOR)
    if view is not None:  # always true: this program encoded the JPEG
        canvas[:FACE_SIZE, :FACE_SIZE] = cv2.resize(view, (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_CUBIC)
    _draw_bars(canvas, candidate.eyes * FACE_SIZE / VIEW_SIZE, label)
    progress = f"{position + 1} of {count}"
    _draw_text(canvas, progress, (FACE_SIZE + 24, 44), LARGE_TEXT)
    _draw_text(canvas, f"at {candidate.time:.1f} s", (FACE_SIZE + 24, 76), SMALL_TEXT)
    question = "How open is the mouth? The bars show the gap between the lips."
    _draw_text(canvas, question, (20, FACE_SIZE + 34), SMALL_TEXT)
    keys = "0-4: label    b: back    s: skip (cannot tell)    q: stop, continue later"
    _draw_text(canvas, keys, (20, FACE_SIZE + 64), SMALL_TEXT)
    return canvas


def _draw_bars(canvas: NDArray[np.uint8], eyes: float, label: float | None) -> None:
    """Draw a bar for each label, as long as its lip gap is on this face, at the height of the mouth."""
    middle = round(FACE_SIZE * MOUTH_HEIGHT)
    for i, (openness, name) in enumerate(zip(LABEL_VALUES, LABEL_NAMES, strict=True)):
        x = FACE_SIZE + 28 + i * 60
        half = max(1, round(gap_ratio_of(openness) * eyes / 2))
        cv2.rectangle(canvas, (x, middle - half), (x + BAR_WIDTH, middle + half), BAR_COLOUR, -1)
        colour = MARK_COLOUR if label == openness else TEXT
        _draw_text(canvas, str(i), (x + 6, FACE_SIZE - 60), LARGE_TEXT, colour)
        _draw_text(canvas, name, (x - 6, FACE_SIZE - 34), SMALL_TEXT, colour)


def _draw_text(
    canvas: NDArray[np.uint8], text: str, place: tuple[int, int], size: int, colour: tuple[int, int, int] = TEXT
) -> None:
    cv2.putText(canvas, text, place, colour, _FONT, size, 500)
