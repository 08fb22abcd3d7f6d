"""Another camera for a running session: the reader goes on with it, and the live page chooses it."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import PROGRAM, browser
from held_clip import write_clip
from served import program
from talking import wait_for

from mouth_live.models.errors import SourceError
from mouth_live.realtime.commands.camera_choice import Choice, listed
from mouth_live.realtime.commands.recorder import Recorder
from mouth_live.realtime.records import Analysis, Frame
from mouth_live.realtime.video import camera_list
from mouth_live.realtime.video.live_reader import LiveReader

OPTIONS = "[...document.querySelectorAll('#camera option')].map(one => one.textContent)"


class Grey:
    """So many grey pictures at a time; it then fails, ends, or gives nothing more until it is closed."""

    size, nominal_rate, duration, start_time, pausing = (64, 48), 25.0, None, 0.0, True

    def __init__(self, name, count, then="hang"):
        self.name, self.count, self.then, self.closed = name, count, then, False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def __iter__(self):
        for index in range(self.count):
            yield Frame(index, index / 25, np.full((48, 64, 3), 128, np.uint8))
        wait_for(lambda: self.closed or self.then != "hang", 10)
        if self.then == "fail":
            raise SourceError(f"{self.name}: gone")


def drained(frames, count=1):
    """The next frames."""
    return [frame for frame, _ in zip((f for f in frames if f is not None), range(count), strict=False)]


def test_indexes_and_times_run_on_in_the_next_source(program_threads):
    first, second, third = Grey("first", 1), Grey("second", 1), Grey("third", 1, "end")
    now = []
    with LiveReader(first, on_switch=now.append) as reader:
        frames = iter(reader)
        shown = [next(frames)]
        reader.switch(second)
        assert next(frames) is None  # what is on stops
        shown.append(next(frames))
        assert (now, first.closed, second.closed) == ([second], True, False)
        reader.switch(third)
        shown += [frame for frame in frames if frame]
    assert (now, second.closed, third.closed) == ([second, third], True, False)  # the last is the session's to close
    assert [frame.index for frame in shown] == [0, 1, 2]
    times = [frame.time for frame in shown]
    assert times == sorted(times)
    assert times[0] == 0
    assert times[-1] < 5
    late = Grey("late", 1)
    reader.switch(late)
    assert late.closed  # nobody reads it any more


def test_a_source_that_fails_ends_the_reader_unless_another_is_to_come(program_threads):
    with LiveReader(Grey("alone", 1, "fail")) as reader, pytest.raises(SourceError, match="alone: gone"):
        list(reader)
    unused, second = Grey("unused", 1), Grey("second", 1, "end")
    with LiveReader(Grey("first", 1, "fail")) as reader:
        reader.switch(unused)
        reader.switch(second)  # the newest counts
        assert [frame.index for frame in reader if frame] in ([0, 1], [0])
    assert unused.closed


def test_the_menu_has_what_was_named_and_each_camera_once(monkeypatch):
    cameras = [camera_list.Camera(n, name, f"/dev/video{n}") for n, name in ((0, "Inside"), (2, "Desk"))]
    monkeypatch.setattr("mouth_live.realtime.commands.camera_choice.list_cameras", lambda: cameras)
    clip = Choice("named-1", "talk.mp4", "talk.mp4")
    assert listed([Choice("camera-2", "camera 2", 2), clip, Choice("camera-7", "camera 7", 7)]) == (
        Choice("camera-2", "2: Desk", 2), clip, Choice("camera-7", "camera 7", 7), Choice("camera-0", "0: Inside", 0),
    )  # fmt: skip


def test_a_take_ends_whole_before_the_pictures_of_another_camera(tmp_path):
    recorder = Recorder(tmp_path, lambda: Grey("camera 0", 1))
    recorder.request(True)
    with recorder:
        for number, size in enumerate([(48, 64), (48, 64), (96, 128), (96, 128)]):
            recorder.write(Analysis(Frame(number, number / 25, np.zeros((*size, 3), np.uint8)), (), ()))
            assert recorder.is_on == (number < 2)
    table, video = sorted(path for path in tmp_path.iterdir() if path.name.startswith("take-"))
    assert table.read_text().count("\n") == 3
    assert cv2.VideoCapture(str(video)).get(cv2.CAP_PROP_FRAME_COUNT) == 2
    assert recorder.notice.startswith(f"{table.name} and {video.name} saved in")


@pytest.mark.skipif(PROGRAM is None, reason="needs chromium")
@pytest.mark.slow
def test_the_page_chooses_another_camera(tmp_path, demo_clip):
    held = write_clip(tmp_path / "held.mp4", 0.6, seconds=90)
    named = ("--camera", held, "--camera", demo_clip, "--camera", "http://anna:secret@127.0.0.1:9/desk.mjpg?key=1")
    with program(tmp_path, *named) as served, browser() as page:
        page.go(served.address, "!!window.live && !!live.stage.shown?.image && live.faces.get(0)?.isOn('open')")
        assert page.value(OPTIONS) == ["held.mp4", "demo.mp4", "http://127.0.0.1:9/desk.mjpg"]
        page.value("window.loaded = 1; window.before = live.faces.get(0).times[0]")
        page.value("document.getElementById('camera').focus()")
        page.key("d", "d")  # the menu's own keys
        page.wait("document.getElementById('source').textContent === 'demo.mp4' && !!live.stage.shown?.image")
        assert page.value("[live.stage.size, document.title.split(' ')[0], document.activeElement.id]") == [
            [640, 480], "demo.mp4", "camera"]  # fmt: skip
        page.wait("!live.faces.get(0).isOn('open')")
        assert page.value("loaded === 1 && live.faces.get(0).times[0] === before")  # page and curve stay

        choose(page, "named-2")
        page.wait("!document.getElementById('cameraproblem').hidden")
        problem = page.value("document.getElementById('cameraproblem').textContent")
        assert re.fullmatch(r".*no readable stream at this address.*\. Still shown: demo\.mp4", problem)
        assert "secret" not in page.value("document.documentElement.outerHTML")
        page.value("window.newest = live.clock.newest")
        page.wait("live.clock.newest > newest && document.getElementById('camera').value === 'named-1'")

        page.value("live.link.send({type: 'camera', choice: '/etc/passwd'})")
        page.wait("document.getElementById('problem').textContent === 'camera: expected one of the list'")
        page.value("document.activeElement.blur()")
        page.key("r", "r")
        page.wait("live.controls.state.take !== '' && document.getElementById('camera').disabled")
        page.value("live.link.send({type: 'camera', choice: 'named-0'})")
        page.wait("/^end the recording/.test(document.getElementById('problem').textContent)")
        page.key("r", "r")
        page.wait("/mp4 saved in/.test(document.getElementById('recorded').textContent)")
        choose(page, "named-0")
        page.wait("document.getElementById('source').textContent === 'held.mp4' && !!live.stage.shown?.image")
        assert page.complaints == []
    assert len([path for path in Path(tmp_path).iterdir() if path.name.startswith("take-")]) == 2


def choose(page, key):
    """Choose as the mouse does."""
    page.value("(() => {const menu = document.getElementById('camera');"
               f"menu.value = '{key}'; menu.dispatchEvent(new Event('change'))}})()")  # fmt: skip
