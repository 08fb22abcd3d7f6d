"""Which picture sizes a camera offers: asked of Linux without opening a stream, elsewhere tried."""

import os
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2

from .capture import Capture

# Source: linux/videodev2.h; the numbers hold the structures' sizes and are the same on all machines Linux runs on here.
_ENUM_FORMATS = 0xC0405602  # VIDIOC_ENUM_FMT, struct v4l2_fmtdesc
_ENUM_SIZES = 0xC02C564A  # VIDIOC_ENUM_FRAMESIZES, struct v4l2_frmsizeenum
_ENUM_INTERVALS = 0xC034564B  # VIDIOC_ENUM_FRAMEINTERVALS, struct v4l2_frmivalenum
_CAPTURE, _CAPTURE_MULTIPLANAR = 1, 9  # buffer types
_DISCRETE = 1  # sizes and intervals told one by one; others are ranges
_MOST = 256  # entries; no camera tells more, a faulty driver may never end

COMMON_SIZES = ((320, 240), (640, 480), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))

Ioctl = Callable[[int, int, bytes], bytes]


@dataclass(frozen=True, slots=True, order=True)
class CameraFormat:
    """A picture size that a camera offers.

    Attributes:
        width: pixels.
        height: pixels.
        fps: most frames a second at this size; 0 where not told.
        encoding: four letters, such as MJPG or YUYV; empty where not told.
    """

    width: int
    height: int
    fps: float = 0.0
    encoding: str = ""

    def __str__(self) -> str:
        """As 1280x720 MJPG 30/s."""
        rate = f"{self.fps:g}/s" if self.fps else ""
        return " ".join(part for part in (f"{self.width}x{self.height}", self.encoding, rate) if part)


def told_formats(path: str) -> list[CameraFormat]:
    """What Linux's driver tells of a device such as /dev/video0, largest first; empty where it tells nothing."""
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
    """The formats of an open V4L2 device, largest first.

    Args:
        device: its file descriptor.
        ioctl: as :func:`fcntl.ioctl`.
    """
    found: set[CameraFormat] = set()
    for buffers in (_CAPTURE, _CAPTURE_MULTIPLANAR):
        for answer in _told(device, ioctl, _ENUM_FORMATS, lambda i, kind=buffers: struct.pack("=II56x", i, kind)):
            pixels = answer[44:48]
            for size in _told(device, ioctl, _ENUM_SIZES, lambda i, p=pixels: struct.pack("=I4s36x", i, p)):
                kind, *numbers = struct.unpack("=8xI6I8x", size)
                width, height = numbers[:2] if kind == _DISCRETE else (numbers[1], numbers[4])
                fps = _most_fps(device, ioctl, pixels, width, height)
                found.add(CameraFormat(width, height, fps, pixels.decode("ascii", "replace").strip()))
                if kind != _DISCRETE:
                    break  # a range has one entry; its largest size is told
    return sorted(found, reverse=True)


def _most_fps(device: int, ioctl: Ioctl, pixels: bytes, width: int, height: int) -> float:
    """The highest rate at a size, 0 where not told."""
    rates = [0.0]
    for answer in _told(device, ioctl, _ENUM_INTERVALS, lambda i: struct.pack("=I4sII36x", i, pixels, width, height)):
        _, numerator, denominator = struct.unpack("=16xIII24x", answer)  # of the shortest interval
        rates.append(denominator / numerator if numerator else 0.0)
    return round(max(rates), 2)


def _told(device: int, ioctl: Ioctl, number: int, question: Callable[[int], bytes]) -> Iterator[bytes]:
    """The driver's answers for index 0, 1, ... until it has no more."""
    for index in range(_MOST):
        try:
            answer = ioctl(device, number, question(index))
        except OSError:
            return
        yield answer


def tried_formats(index: int, backend: int) -> list[CameraFormat]:
    """The sizes that a camera really gives when asked for common ones, largest first; its light goes on."""
    capture = Capture(index, backend)
    found: set[CameraFormat] = set()
    try:
        for width, height in COMMON_SIZES if capture.opened else ():
            capture.ask(cv2.CAP_PROP_FRAME_WIDTH, width)
            capture.ask(cv2.CAP_PROP_FRAME_HEIGHT, height)
            picture = capture.read()
            if picture is not None:
                found.add(CameraFormat(picture.shape[1], picture.shape[0], round(capture.get(cv2.CAP_PROP_FPS), 2)))
    finally:
        capture.close()
    return sorted(found, reverse=True)
