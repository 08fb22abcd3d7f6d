"""What the live window shows and does at a key, with OpenCV's window replaced; tests/test_window.py has real ones."""

import logging
import re

import cv2
import numpy as np
import pytest

from mouth_live.models.face import Face
from mouth_live.realtime.records import Analysis, Frame, Reading
from mouth_live.realtime.sinks.drawing.overlay import draw
from mouth_live.realtime.sinks.window import window_sink as module
from mouth_live.realtime.sinks.window.window_sink import WindowSink, WindowStatus

NAME = r"mouth-live-\d{8}-\d{6}(-\d+)?\.png"


def analysis(index=0, size=(640, 480)):
    width, height = size
    box = (0.3 * width, 0.2 * height, 0.3 * width, 0.4 * height)
    reading = Reading(0, Face(box, np.zeros((6, 2), np.float32), 0.9), 0.4, 0.4, True, 0.9)
    return Analysis(Frame(index, index / 25, np.full((height, width, 3), 90, np.uint8)), (reading,))


class Screen:
    """OpenCV's window: it keeps what is shown, and presses the keys that it is given, one at each look."""

    def __init__(self):
        self.shown, self.keys, self.now, self.properties = [], [], 100.0, []

    def wait_key(self, milliseconds):
        self.now += milliseconds / 1000
        key = self.keys.pop(0) if self.keys else ""
        return ord(key) if key else -1


@pytest.fixture
def screen(monkeypatch, tmp_path):
    screen = Screen()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "monotonic", lambda: screen.now)
    monkeypatch.setattr(module, "display_problem", lambda: None)
    monkeypatch.setattr(cv2, "imshow", lambda _title, picture: screen.shown.append(picture.copy()))
    monkeypatch.setattr(cv2, "waitKey", screen.wait_key)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
    monkeypatch.setattr(cv2, "setWindowProperty", lambda *given: screen.properties.append(given[1:]))
    for name in ("namedWindow", "resizeWindow", "destroyWindow"):
        monkeypatch.setattr(cv2, name, lambda *_: None)
    return screen


def changed_rows(picture, reference):
    return np.flatnonzero((picture != reference).any(axis=(1, 2)))


def test_the_keys_are_shown_for_the_first_seconds_and_on_h(screen):
    seen, plain = analysis(), draw(analysis())

    def is_plain():
        sink.write(seen)
        return (screen.shown[-1] == plain).all()

    with WindowSink(on_calibrate=lambda: None) as sink:
        assert not is_plain()
        rows = changed_rows(screen.shown[-1], plain)
        assert rows.min() > 400 and rows.max() == 479  # at the lower edge
        screen.now += 3
        assert not is_plain()
        screen.now += 5
        assert is_plain()
        screen.keys = ["h"]
        is_plain()
        assert not is_plain()
        screen.now += 1000
        assert not is_plain()  # until h again
        screen.keys = ["H"]
        is_plain()
        assert is_plain()


def test_a_window_that_cannot_calibrate_does_not_name_the_key(screen):
    for on_calibrate in (None, lambda: None):
        with WindowSink(on_calibrate=on_calibrate) as sink:
            sink.write(analysis())
    assert (screen.shown[0] != screen.shown[1]).any()


def test_a_pause_is_seen_and_other_keys_work_in_it(screen, tmp_path):
    screen.now += 100
    with WindowSink() as sink:
        sink._keys_until = 0.0
        screen.keys = ["", " ", "", "s", "", "f", "c", " "]
        sink.write(analysis())
        sink.write(analysis(1))
        paused = next(picture for picture in screen.shown if changed_rows(picture, screen.shown[0]).size)
        assert (paused[:60, -150:] > 220).all(axis=2).mean() > 0.2  # a bright plate at the top right
        sink.write(analysis(2))
        assert not sink.is_finished
    assert len(list(tmp_path.glob("*.png"))) == 1
    assert len(screen.properties) == 1


def test_q_ends_a_pause_and_the_window(screen):
    with WindowSink() as sink:
        screen.keys = [" ", "", "q"]
        sink.write(analysis())
        assert sink.is_finished


def test_s_saves_the_picture_with_its_overlay_and_says_where(screen, tmp_path, caplog):
    status = WindowStatus(25.0, 0, "keep your mouth closed: 4 s")
    with WindowSink(status=lambda: status) as sink, caplog.at_level(logging.INFO, "mouth_live"):
        screen.keys = ["s", "s", "S"]  # three within one second
        for index in range(3):
            sink.write(analysis())
            assert index == 0 or (screen.shown[-1] != screen.shown[0]).any()  # a second notice
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    assert all(re.fullmatch(NAME, file.name) for file in files)
    assert (cv2.imread(str(files[0])) == draw(analysis(), rate=25.0, dropped=0)).all()  # without notice and keys
    assert sorted(message.removeprefix("picture saved: ") for message in caplog.messages) == sorted(map(str, files))


def test_where_nothing_can_be_saved_the_window_says_so_and_goes_on(screen, tmp_path, caplog, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with WindowSink() as sink:
        screen.keys = ["s"]
        sink.write(analysis())
        sink.write(analysis(1))
        assert not sink.is_finished
    assert "cannot write it" in caplog.text
    assert (screen.shown[0] != screen.shown[1]).any()


def test_f_switches_full_screen_and_back(screen):
    with WindowSink() as sink:
        screen.keys = ["f", "F"]
        sink.write(analysis())
        sink.write(analysis(1))
    modes = (float(cv2.WINDOW_FULLSCREEN), float(cv2.WINDOW_NORMAL))
    assert [(key, float(value)) for key, value in screen.properties] == [
        (cv2.WND_PROP_FULLSCREEN, mode) for mode in modes
    ]


@pytest.mark.parametrize(("size", "shown"), [((160, 120), (640, 480)), ((320, 240), (640, 480)), ((1920, 1080),) * 2])
def test_a_small_picture_is_enlarged_so_that_text_is_sharp(screen, size, shown):
    with WindowSink() as sink:
        sink.write(analysis(size=size))
    assert screen.shown[0].shape == (shown[1], shown[0], 3)


def test_an_unknown_theme_is_refused():
    with pytest.raises(ValueError, match="expected one of standard, minimal, broadcast, debug, got 'pink'"):
        WindowSink(theme="pink")
