"""``mouth-live devices`` and what a camera's driver tells of its picture sizes."""

import errno
import struct

import numpy as np
import pytest

from mouth_live.realtime.commands.devices import devices
from mouth_live.realtime.video import camera_formats, camera_list
from mouth_live.realtime.video.camera_formats import CameraFormat, list_formats, probed_formats
from mouth_live.realtime.video.camera_list import Camera

# What a webcam tells: for each encoding its sizes, for each size its intervals (s) as fractions.
WEBCAM = {
    b"MJPG": {(1920, 1080): [(1, 30), (1, 15)], (640, 480): [(1, 30)]},
    b"YUYV": {(640, 480): [(1, 30), (1, 5)], (1280, 720): [(1, 10)]},
}


def driver(told, stepwise=False):
    """An ioctl as Linux's Video4Linux answers it, by the structures of its documentation."""

    def pick(things, index):
        if index >= len(things):
            raise OSError(errno.EINVAL, "no more")
        return list(things)[index]

    def ioctl(device, request, question):
        assert device == 7
        assert (request >> 16) & 0x3FFF == len(question)  # the size that the request's number holds
        assert (request >> 8) & 0xFF == ord("V")
        number, index = request & 0xFF, struct.unpack_from("=I", question)[0]
        if number == 2:
            if struct.unpack_from("=I", question, 4)[0] != 1:
                raise OSError(errno.EINVAL, "no such buffers")
            return struct.pack("=III32s4sI12x", index, 1, 0, b"a description", pick(told, index), 0)
        pixels = struct.unpack_from("=4s", question, 4)[0]
        if number == 74:
            if stepwise:
                pick([0], index)
                return struct.pack("=I4sI6I8x", index, pixels, 3, 32, 4096, 2, 24, 2160, 2)
            return struct.pack("=I4sIII16x8x", index, pixels, 1, *pick(told[pixels], index))
        assert number == 75
        width, height = struct.unpack_from("=II", question, 8)
        fraction = pick(told[pixels].get((width, height), []), index)
        return struct.pack("=I4sIIIII16x8x", index, pixels, width, height, 1, *fraction)

    return ioctl


def test_what_the_driver_tells_largest_first():
    assert [str(f) for f in list_formats(7, driver(WEBCAM))] == [
        "1920x1080 MJPG 30/s",
        "1280x720 YUYV 10/s",
        "640x480 YUYV 30/s",
        "640x480 MJPG 30/s",
    ]


def test_a_range_is_told_by_its_largest_and_no_answer_is_none():
    assert list_formats(7, driver({b"NV12": {}}, stepwise=True)) == [CameraFormat(4096, 2160, 0.0, "NV12")]
    assert list_formats(7, driver({})) == []


def test_trying_finds_the_sizes_the_camera_really_gives(monkeypatch):
    class Fake:
        opened = True

        def __init__(self, index, backend):
            self.size, self.closed = {}, False
            fakes.append(self)

        def request(self, key, value):
            self.size[key] = value

        def read(self):
            width, height = self.size.values()
            return np.zeros((min(height, 720), min(width, 1280), 3), np.uint8)

        def get(self, key):
            return 30.0

        def close(self):
            self.closed = True

    fakes = []
    monkeypatch.setattr(camera_formats, "Capture", Fake)
    assert [str(f) for f in probed_formats(0, 0)] == ["1280x720 30/s", "640x480 30/s", "320x240 30/s"]
    assert fakes[0].closed


def test_devices_lists_each_camera_on_a_line(monkeypatch, capsys):
    found = [Camera(0, "Integrated Webcam", "/dev/video0"), Camera(2, "Capture", "/dev/video2")]
    monkeypatch.setattr(camera_list, "list_cameras", lambda: found)
    told = {"/dev/video0": [CameraFormat(1280, 720, 30.0, "MJPG")], "/dev/video2": []}
    monkeypatch.setattr(camera_formats, "reported_formats", told.get)
    devices.main([], standalone_mode=False)
    assert capsys.readouterr().out.splitlines() == [
        "0\tIntegrated Webcam\t/dev/video0\t1280x720 MJPG 30/s",
        "2\tCapture\t/dev/video2\tsizes unknown; try --probe",
    ]


def test_no_camera_is_one_line_and_1(mouth_live):
    if camera_list.list_cameras():
        pytest.skip("this machine has a camera")
    done = mouth_live("devices")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "no camera found" in done.stderr
