"""The lines of text for the person before the camera."""

import numpy as np
import pytest

from mouth_live.realtime.sinks.drawing.primitives import MIN_TEXT_SIZE
from mouth_live.realtime.sinks.window.notice import draw_notice

LONG = "much longer than the picture is wide " * 4
SAVED = "picture saved: mouth-live-20260101-120000.png"


def ink(picture):
    """Rows and columns of the white letters."""
    bright = (picture > 200).all(axis=2)
    return np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))


def drawn(size, *texts, **more):
    width, height = size
    picture = np.full((height, width, 3), 100, np.uint8)
    draw_notice(picture, *texts, **more)
    return picture


SHORT = ("open your mouth wide: 4 s",)
TWO = (SAVED, "in /home/anna/" + "folder/" * 20)


@pytest.mark.parametrize(
    ("size", "texts"),
    [((160, 120), SHORT)]  # the window enlarges a picture this small before it draws into it
    + [(size, texts) for size in [(405, 720), (640, 480), (1920, 1080)] for texts in (SHORT, (LONG,), TWO)],
)
def test_it_stands_whole_on_a_dark_band_at_the_lower_edge(size, texts):
    width, height = size
    picture = drawn(size, *texts)
    changed = np.flatnonzero((picture != 100).any(axis=(1, 2)))
    assert changed[-1] == height - 1
    assert changed[0] > (0.55 if height > 120 else 0.45) * height
    rows, columns = ink(picture)
    assert changed[0] < rows[0] and rows[-1] < height - 1
    assert columns[0] > 0
    assert columns[-1] < width - 1
    assert columns[0] == pytest.approx(width - 1 - columns[-1], abs=0.06 * width)  # in the middle


@pytest.mark.parametrize("size", [(160, 120), (405, 720), (640, 480), (1920, 1080)])
def test_its_letters_never_get_too_small_to_read(size):
    (rows, _), (long, _) = ink(drawn(size, "H")), ink(drawn(size, "H " * 400))
    gaps = np.flatnonzero(np.diff(long) > 1)
    line = gaps[1] - gaps[0] if len(gaps) > 1 else len(long)
    assert len(rows) >= 0.6 * MIN_TEXT_SIZE
    assert line >= 0.6 * MIN_TEXT_SIZE


def test_two_notices_stand_one_above_the_other():
    rows, _ = ink(drawn((640, 480), "HHH"))
    both, _ = ink(drawn((640, 480), "HHH", "HHH"))
    assert len(both) == 2 * len(rows)
    raised, _ = ink(drawn((640, 480), "HHH", raised=50))
    assert (raised == rows - 50).all()
