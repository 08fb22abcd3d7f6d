"""The picture sizes that a camera offers: as Linux's driver reports them, or probed by opening the camera."""

import os
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2

from .capture import Capture

# Source: linux/videodev2.h. The numbers include the sizes of the structures, which all platforms of this program share.
_ENUM_FORMATS = 0xC0405602  # VIDIOC_ENUM_FMT, struct v4l2_fmtdesc
_ENUM_SIZES = 0xC02C564A  # VIDIOC_ENUM_FRAMESIZES, struct v4l2_frmsizeenum
_ENUM_INTERVALS = 0xC034564B  # VIDIOC_ENUM_FRAMEINTERVALS, struct v4l2_frmivalenum
_CAPTURE, _CAPTURE_MULTIPLANAR = 1, 9  # buffer types
_DISCRETE = 1  # the type of an entry that is one size; all other types are ranges
_MAX_ENTRIES = 256  # no camera reports more; the list of a faulty driver may never end

COMMON_SIZES = ((320, 240), (640, 480), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))

Ioctl = Callable[[int, int, bytes], bytes]


@dataclass(frozen=True, slots=True, order=True)
class CameraFormat:
    """A picture size that a camera offers.

    Attributes:
        width: pixels.
        height: pixels.
        fps: the highest frame rate at this size, in frames/s; 0 where not reported.
        encoding: four letters, such as MJPG or YUYV; empty where not reported.
    """

    width: int
    height: int
    fps: float = 0.0
    encoding: str = ""

    def __str__(self) -> str:
        """Return the format as text, such as 1280x720 MJPG 30/s."""
        rate = f"{self.fps:g}/s" if self.fps else ""
        return " ".join(part for part in (f"{self.width}x{self.height}", self.encoding, rate) if part)


def reported_formats(path: str) -> list[CameraFormat]:
    """Return the formats that Linux's driver reports, largest first.

    Args:
        path: a device such as /dev/video0.

    Returns:
        An empty list on other systems, or where the driver reports nothing.
    """
    if not sys.platform.startswith("linux") or not path:
        return []
    import fcntl

    try:
        device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return []
    try:
        return list_formats(device, fcntl.ioctl)
    finally:
        os.close(device)


def list_formats(device: int, ioctl: Ioctl) -> list[CameraFormat]:
    """Return the formats of an open V4L2 device, largest first.

    Args:
        device: its file descriptor.
        ioctl: as :func:`fcntl.ioctl`.
    """
    found: set[CameraFormat] = set()
    for buffers in (_CAPTURE, _CAPTURE_MULTIPLANAR):
        for entry in _entries(device, ioctl, _ENUM_FORMATS, lambda i, kind=buffers: struct.pack("=II56x", i, kind)):
            pixels = entry[44:48]
            for size in _entries(device, ioctl, _ENUM_SIZES, lambda i, p=pixels: struct.pack("=I4s36x", i, p)):
                kind, *numbers = struct.unpack("=8xI6I8x", size)
                width, height = numbers[:2] if kind == _DISCRETE else (numbers[1], numbers[4])
                fps = _max_fps(device, ioctl, pixels, width, height)
                found.add(CameraFormat(width, height, fps, pixels.decode("ascii", "replace").strip()))
                if kind != _DISCRETE:
                    break  # a range is a single entry; its largest size was taken
    return sorted(found, reverse=True)


def _max_fps(device: int, ioctl: Ioctl, pixels: bytes, width: int, height: int) -> float:
    """Return the highest frame rate at a size, in frames/s; 0 where not reported."""
    rates = [0.0]
    for entry in _entries(device, ioctl, _ENUM_INTERVALS, lambda i: struct.pack("=I4sII36x", i, pixels, width, height)):
        _, numerator, denominator = struct.unpack("=16xIII24x", entry)  # of the shortest interval
        rates.append(denominator / numerator if numerator else 0.0)
    return round(max(rates), 2)


def _entries(device: int, ioctl: Ioctl, number: int, request: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield the driver's entries for index 0, 1, ... until it has no more."""
    for index in range(_MAX_ENTRIES):
        try:
            entry = ioctl(device, number, request(index))
        except OSError:
            return
        yield entry


def probed_formats(index: int, backend: int) -> list[CameraFormat]:
    """Open a camera, request common sizes, and return those that it delivers, largest first; its light goes on.

    Args:
        index: OpenCV's index of the camera.
        backend: OpenCV's number of the capture backend.
    """
    capture = Capture(index, backend)
    found: set[CameraFormat] = set()
    try:
        for width, height in COMMON_SIZES if capture.opened else ():
            capture.request(cv2.CAP_PROP_FRAME_WIDTH, width)
            capture.request(cv2.CAP_PROP_FRAME_HEIGHT, height)
            picture = capture.read()
            if picture is not None:
                found.add(CameraFormat(picture.shape[1], picture.shape[0], round(capture.get(cv2.CAP_PROP_FPS), 2)))
    finally:
        capture.close()
    return sorted(found, reverse=True)
