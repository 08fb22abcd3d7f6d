"""Tests of live sources, with a fake capture instead of OpenCV's: the test machines have no camera."""

import subprocess
import sys
import threading
import time
from itertools import pairwise
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest

from mouth_live.models.errors import SourceError
from mouth_live.realtime.video import cameras
from mouth_live.realtime.video.cameras import Camera, list_cameras, open_camera
from mouth_live.realtime.video.reader import FrameReader


class FakeCameras:
    """The cameras that OpenCV opens. Each opening takes the next item of ``scripts``: the pictures that it gives."""

    def __init__(self) -> None:
        self.scripts = []
        self.opened = []
        self.requested = []

    def capture(self, target, backend):
        self.opened.append(target)
        world = self
        script = iter(self.scripts.pop(0)) if self.scripts else None

        class FakeCapture:
            def isOpened(self):
                return script is not None

            def read(self):
                image = next(script, None) if script is not None else None
                return image is not None, image

            def get(self, key):
                return 30.0 if key == cv2.CAP_PROP_FPS else 0.0

            def set(self, key, value):
                world.requested.append((key, value))

            def release(self):
                return

        return FakeCapture()


def pictures(count=10**9, frozen_from=10**9, seed=1, pause=0.01):
    random = np.random.default_rng(seed)
    image = None
    for i in range(count):
        time.sleep(pause)
        image = image if i >= frozen_from else random.integers(0, 255, (12, 16, 3), np.uint8)
        yield image.copy()


@pytest.fixture
def world(monkeypatch):
    world = FakeCameras()
    monkeypatch.setattr(cv2, "VideoCapture", world.capture)
    monkeypatch.setattr(cameras, "FROZEN_TIMEOUT", 0.2)
    monkeypatch.setattr(cameras, "REOPEN_TIMEOUT", 0.5)
    monkeypatch.setattr(cameras, "RETRY_INTERVAL", 0.05)
    return world


@pytest.fixture
def named(monkeypatch, tmp_path):
    """A Linux machine with three cameras; one of them has a second node without pictures."""
    for index, (name, part) in enumerate(
        [("Integrated Camera", 0), ("Integrated Camera", 1), ("USB Cam", 0), ("USB Hub Cam", 0)]
    ):
        node = tmp_path / f"video{index}"
        node.mkdir()
        (node / "name").write_text(name + "\n")
        (node / "index").write_text(f"{part}\n")
    monkeypatch.setattr(cameras, "_V4L_FOLDER", tmp_path)
    monkeypatch.setattr(cameras.sys, "platform", "linux")
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", None)  # not installed
    return [(0, "Integrated Camera"), (2, "USB Cam"), (3, "USB Hub Cam")]


def take(camera, count):
    frames = []
    for frame in camera:
        frames.append(frame)
        if len(frames) == count:
            break
    return frames


def error(source) -> str:
    with pytest.raises(SourceError) as caught:
        open_camera(source)
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestWhatIsMeant:
    def test_digits_are_an_index(self, world, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "1").touch()  # a file named 1 is ./1
        for source in (1, "1"):
            world.scripts = [pictures()]
            with open_camera(source) as camera:
                assert (camera.name, camera.size, camera.duration) == ("camera 1", (16, 12), None)
        assert world.opened == [1, 1]

    def test_an_address(self, world):
        world.scripts = [pictures()]
        with open_camera("rtsp://door/main"):
            assert world.opened == ["rtsp://door/main"]
        assert not world.requested
        assert "no readable stream" in error("rtsp://door/other")

    def test_a_video_file_at_its_own_pace(self, tmp_path):
        make = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=0.5", "-c:v", "mjpeg"]
        subprocess.run([*make, tmp_path / "a.mkv"], check=True)
        begin = time.monotonic()
        with open_camera(str(tmp_path / "a.mkv")) as camera:
            assert [f.time for f in camera] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
        assert 0.4 <= time.monotonic() - begin < 2

    @pytest.mark.parametrize("source", ["./none", "/dev/video77", "talk.mp4", "TALK.MKV"])
    def test_a_missing_file(self, world, named, source):
        assert error(source).startswith(f"{source}: no such file or device")
        assert not world.opened

    def test_a_folder(self, tmp_path):
        assert "a folder, not a camera" in error(str(tmp_path))

    def test_a_part_of_a_name(self, world, named):
        world.scripts = [pictures()]
        with open_camera("integ") as camera:
            assert camera.name == "Integrated Camera"
        assert world.opened == [0]
        world.scripts = [pictures()]
        with open_camera("hub CAM"):
            assert world.opened == [0, 3]

    def test_a_name_that_matches_two_or_none(self, world, named):
        assert error("usb") == "'usb' matches several cameras: 2 'USB Cam', 3 'USB Hub Cam'; give an index"
        message = error("phone")
        assert "'phone'" in message
        assert all(f"{index} {name!r}" in message for index, name in named)
        assert not world.opened

    def test_an_index_that_does_not_exist(self, world, named, monkeypatch, tmp_path):
        assert error(7) == "no camera 7; available: 0 'Integrated Camera', 2 'USB Cam', 3 'USB Hub Cam'"
        assert "in" in error(0)
        assert "is another program using it?" in error(0)
        monkeypatch.setattr(cameras, "_V4L_FOLDER", tmp_path / "none")
        assert error(0) == (
            "no camera 0; no camera was found on this machine; try mouth-live demo, or a file: "
            "mouth-live --camera talk.mp4"
        )


def test_the_system_names_the_cameras(named):
    assert [(c.index, c.name) for c in list_cameras()] == named
    assert list_cameras()[1].path == "/dev/video2"


def test_the_optional_package_names_the_cameras(monkeypatch):
    module = ModuleType("cv2_enumerate_cameras")
    found = [SimpleNamespace(index=1, name="B", path=None), SimpleNamespace(index=0, name="A", path="/dev/a")]
    module.enumerate_cameras = lambda backend: found if backend == cameras.CAPTURE_BACKEND else []
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", module)
    assert list_cameras() == [Camera(0, "A", "/dev/a"), Camera(1, "B", "")]


@pytest.mark.parametrize(("size", "uses_mjpg"), [(None, True), ((1920, 1080), True), ((640, 480), False)])
def test_size_rate_and_mjpg_are_requested(world, size, uses_mjpg):
    world.scripts = [pictures()]
    with open_camera(0, size=size, fps=60):
        width, height = size or (1280, 720)
    mjpg = (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    assert (mjpg in world.requested) == uses_mjpg
    assert (cv2.CAP_PROP_FRAME_WIDTH, width) in world.requested
    assert (cv2.CAP_PROP_FRAME_HEIGHT, height) in world.requested
    assert (cv2.CAP_PROP_FPS, 60) in world.requested


def test_times_come_from_the_clock(world):
    world.scripts = [pictures(pause=0.03)]
    with open_camera(0) as camera:
        frames = take(camera, 6)
    assert [f.index for f in frames] == list(range(6))
    assert frames[0].time == 0.0
    assert 0.15 <= frames[-1].time < 1
    assert all(a.time < b.time for a, b in pairwise(frames))


def test_a_camera_that_stops_is_opened_again_and_its_clock_runs_on(world, caplog):
    world.scripts = [pictures(5), [], pictures(seed=2)]  # the second try fails
    with open_camera(0) as camera:
        frames = take(camera, 10)
    assert world.opened == [0, 0, 0]
    assert [f.index for f in frames] == list(range(10))
    assert frames[5].time - frames[4].time > 0.2
    assert caplog.messages == ["camera 0: no new picture for 0.2 s; opening it again", "camera 0: is back"]


def test_a_camera_that_repeats_one_picture_is_opened_again(world, caplog):
    world.scripts = [pictures(frozen_from=3), pictures(seed=2)]
    with open_camera(0) as camera:
        for frame in camera:
            if len(world.opened) == 2 and frame.time > 0.5:
                break
    assert len(world.opened) == 2
    assert len(caplog.messages) == 2


def test_a_still_picture_is_opened_again_only_once(world):
    world.scripts = [pictures(frozen_from=1) for _ in range(9)]
    with open_camera(0) as camera:
        for frame in camera:
            if frame.time > 1:
                break
    assert len(world.opened) == 2


def test_a_camera_that_stays_away_is_an_error(world, caplog):
    world.scripts = [pictures(3)]
    seen = []
    with open_camera(0) as camera, pytest.raises(SourceError, match="camera 0: gone, and not back within"):
        for frame in camera:
            seen.append(frame)
    assert len(seen) == 3


def test_a_hanging_read_is_abandoned_and_the_camera_opened_again(world, caplog):
    end, released = threading.Event(), []

    def hanging():
        yield from pictures(3)
        end.wait(10)
        assert not released  # OpenCV must not be released under a running read
        yield from pictures(3)

    world.scripts = [hanging(), pictures(seed=2)]
    with open_camera(0) as camera, FrameReader(camera, stall=0.3) as reader:
        frames = take(reader, 8)
        assert [f.index for f in frames] == list(range(8))
        assert frames[3].time - frames[2].time > 0.3
        end.set()
    assert caplog.messages == ["camera 0: no picture for 0.3 s; opening it again", "camera 0: is back"]


def test_closing_does_not_wait_for_a_read_and_releases_after_it(monkeypatch):
    from mouth_live.realtime.video.capture import Capture

    begun, end, released = threading.Event(), threading.Event(), threading.Event()

    class Hangs:
        def isOpened(self):
            return True

        def read(self):
            begun.set()
            end.wait(5)
            assert not released.is_set()
            return False, None

        def release(self):
            released.set()

    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: Hangs())
    capture = Capture(0, cv2.CAP_ANY)
    thread = threading.Thread(target=capture.read)
    thread.start()
    assert begun.wait(5)
    capture.close()
    assert not released.is_set()
    end.set()
    thread.join(5)
    assert released.is_set()
