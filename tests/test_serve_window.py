"""``mouth-live serve --window``: the window and the page at once."""

import os
import subprocess

import pytest
from browser import PROGRAM, browser
from held_clip import write_clip
from served import program


def press(screen, key):
    """Press a key in the window, once it is there."""
    environment = os.environ | {"DISPLAY": screen}
    search = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "^mouth-live$"]
    found = subprocess.run(search, env=environment, check=True, capture_output=True, text=True, timeout=20)
    window = found.stdout.split()[0]
    focus = ["xdotool", "windowfocus", "--sync", window, "key", key]
    subprocess.run(focus, env=environment, check=True, capture_output=True, timeout=20)


@pytest.mark.skipif(PROGRAM is None, reason="needs chromium")
@pytest.mark.slow
def test_the_window_and_the_page_show_the_same(screen, tmp_path):
    clip = write_clip(tmp_path / "held.mp4", 0.6, seconds=90)
    with program(tmp_path, "--camera", clip, "--window", DISPLAY=screen) as served, browser() as page:
        page.go(served.address, "!!window.live && live.faces.get(0)?.isOn('open')")
        press(screen, "c")
        page.wait("/^keep your mouth closed/.test(document.getElementById('calibration').textContent)")
        press(screen, "space")
        page.wait("document.getElementById('connection').textContent === 'no new picture'")
        press(screen, "space")
        page.wait("document.getElementById('connection').textContent === 'live'")
        assert page.complaints == []
        press(screen, "q")
        assert served.process.wait(10) == 0
        page.wait("document.body.dataset.connection === 'lost'")


def test_without_a_display_the_window_is_refused_in_a_line(mouth_live, demo_clip):
    done = mouth_live("serve", "--camera", demo_clip, "--port", 0, "--window")
    assert done.returncode == 1
    assert done.stderr.startswith("mouth-live: error: ")
    assert "no display" in done.stderr
    assert done.stderr.count("\n") == 1
