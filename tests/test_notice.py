"""The line of text for the person before the camera."""

import numpy as np
import pytest

from mouth_live.realtime.sinks.notice import draw_notice


@pytest.mark.parametrize("size", [(160, 120), (640, 480), (1920, 1080)])
@pytest.mark.parametrize("text", ["open your mouth wide: 4 s", "much longer than the picture is wide " * 4])
def test_it_stands_whole_on_a_dark_band_at_the_lower_edge(size, text):
    width, height = size
    picture = np.full((height, width, 3), 200, np.uint8)
    draw_notice(picture, text)
    changed = np.flatnonzero((picture != 200).any(axis=(1, 2)))
    assert changed[-1] == height - 1
    assert changed[0] > 0.7 * height
    bright = (picture[changed[0] :] > 220).all(axis=2)
    columns = np.flatnonzero(bright.any(axis=0))
    assert columns[0] > 0
    assert columns[-1] < width - 1
    assert columns[0] == pytest.approx(width - 1 - columns[-1], abs=0.06 * width)  # in the middle
