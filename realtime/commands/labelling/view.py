"""What the labeller sees: the face, large, and beside it how long the gap between the lips is for each label."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ....models.scale import gap_ratio_from_openness
from ...sinks.overlay import PLATE, TEXT
from .candidates import MOUTH_AT, VIEW, Candidate

STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The labels; key 0 to 4 tells how many quarters."""

FACE = 600  # pixels a side of the face as shown
PANEL, FOOT = 330, 84  # pixels: width of the panel of bars, height of the line of keys
BAR = 26  # pixels, width of a bar
WORDS = ("closed", "1/4", "1/2", "3/4", "open")
MARK = (120, 200, 255)  # BGR, of what was said before
BARS = (230, 200, 90)
SMALL, LARGE = 17, 24  # pixels, text

_FONT = cv2.FontFace("sans")


def gap_ratio_of(openness: float) -> float:
    """The gap between the inner lips for an openness, in distances between the eye centres."""
    return gap_ratio_from_openness(openness) if openness > 0 else 0.0


def draw_candidate(candidate: Candidate, position: int, count: int, said: float | None) -> NDArray[np.uint8]:
    """The window's picture.

    Args:
        candidate: the face.
        position: which one it is, from 0.
        count: of how many.
        said: the label it has already; None: none.

    Returns:
        (h, w, 3) uint8, BGR.
    """
    canvas = np.full((FACE + FOOT, FACE + PANEL, 3), PLATE, np.uint8)
    view = cv2.imdecode(np.frombuffer(candidate.view, np.uint8), cv2.IMREAD_COLOR)
    if view is not None:  # it is a picture of our own making
        canvas[:FACE, :FACE] = cv2.resize(view, (FACE, FACE), interpolation=cv2.INTER_CUBIC)
    _bars(canvas, candidate.eyes * FACE / VIEW, said)
    done = f"{position + 1} of {count}"
    _text(canvas, done, (FACE + 24, 44), LARGE)
    _text(canvas, f"at {candidate.time:.1f} s", (FACE + 24, 76), SMALL)
    _text(canvas, "How open is the mouth? The bars show the gap between the lips.", (20, FACE + 34), SMALL)
    _text(canvas, "0-4: label    b: back    s: skip (cannot tell)    q: stop, go on later", (20, FACE + 64), SMALL)
    return canvas


def _bars(canvas: NDArray[np.uint8], eyes: float, said: float | None) -> None:
    """A bar for each label, as long as the gap on this very face, at the height of the mouth."""
    middle = round(FACE * MOUTH_AT)
    for i, (step, word) in enumerate(zip(STEPS, WORDS, strict=True)):
        x = FACE + 28 + i * 60
        half = max(1, round(gap_ratio_of(step) * eyes / 2))
        cv2.rectangle(canvas, (x, middle - half), (x + BAR, middle + half), BARS, -1)
        colour = MARK if said == step else TEXT
        _text(canvas, str(i), (x + 6, FACE - 60), LARGE, colour)
        _text(canvas, word, (x - 6, FACE - 34), SMALL, colour)


def _text(
    canvas: NDArray[np.uint8], text: str, place: tuple[int, int], size: int, colour: tuple[int, int, int] = TEXT
) -> None:
    cv2.putText(canvas, text, place, colour, _FONT, size, 500)
