"""A video file's pictures, by PyAV's FFmpeg: quiet, closable from any thread, from local files alone."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from .picture import Picture, Yuv420

_PLANAR = "yuv420p"  # and of limited range: a full one is called yuvj420p
_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


def spare_cores() -> int:
    """Cores to decode on while another one analyses; at least 1."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable - 1)


class Decoder:
    """The first video stream of a file that is no cover picture, decoded frame by frame.

    Any thread may close it, even while another one is in :meth:`read`: then that one closes it, when it is back.

    Attributes:
        opened: whether there is such a stream.
        rate: frames/s that the file tells; 0 where it does not.
        duration: seconds that the file tells; None where it does not.
    """

    def __init__(self, path: Path) -> None:
        """Open a file; see :attr:`opened`."""
        self.opened, self.rate, self.duration = False, 0.0, None
        self._in_use = threading.Lock()
        self._closed = False
        self._bgr = VideoReformatter()
        try:
            # As an absolute address: in "talk:1.mp4" the decoder would take "talk" for a protocol. And no other one
            # is spoken, whatever the file says.
            self._container = av.open(f"file:{path.absolute()}", options={"protocol_whitelist": "file"})
        except (FFmpegError, UnicodeError):
            return
        pictured = [s for s in self._container.streams.video if not s.disposition & Disposition.attached_pic]
        if not pictured:
            self._container.close()
            return
        self.opened = True
        self._prepare(pictured[0])

    def read(self) -> tuple[float | None, Picture] | None:
        """The next picture as it is to be shown, and its time in seconds by the container's clock, if it has one.

        None where there is none, or what comes cannot be read.
        """
        with self._in_use:
            frame = None if self._closed else next(self._frames, None)
            found = None if frame is None else (_time(frame), _turned(self._picture(frame), frame.rotation))
        if self._closed:
            self.close()
        return found

    def close(self) -> None:
        """Close it, now or as soon as it is free."""
        self._closed = True
        if self.opened and self._in_use.acquire(blocking=False):
            self._frames = iter(())
            self._container.close()
            self._in_use.release()

    def _prepare(self, stream: VideoStream) -> None:
        stream.codec_context.thread_count, stream.codec_context.thread_type = spare_cores(), "AUTO"
        rate = stream.guessed_rate or stream.average_rate
        self.rate = float(rate) if rate else 0.0
        if stream.duration is not None and stream.time_base is not None:
            self.duration = float(stream.duration * stream.time_base)
        elif self._container.duration is not None:
            self.duration = self._container.duration / av.time_base
        self._frames = self._decoded(stream)

    def _decoded(self, stream: VideoStream) -> Iterator[VideoFrame]:
        """All that can be decoded: of a damaged file what is whole."""
        with suppress(FFmpegError):  # damaged so that nothing behind is found
            for packet in self._container.demux(stream):
                with suppress(FFmpegError):
                    yield from packet.decode()
        with suppress(FFmpegError):  # then these are still to come
            yield from stream.decode()  # pyright: ignore[reportUnknownMemberType]

    def _picture(self, frame: VideoFrame) -> Picture:
        if frame.format.name == _PLANAR and frame.width % 2 == 0 and frame.height % 2 == 0:
            return Yuv420(*(_plane(frame, index) for index in range(3)))
        return self._bgr.reformat(frame, format="bgr24").to_ndarray().astype(np.uint8, copy=False)


def _plane(frame: VideoFrame, index: int) -> NDArray[np.uint8]:
    """A view of a plane, which keeps the frame."""
    plane = frame.planes[index]
    return np.asarray(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _time(frame: VideoFrame) -> float | None:
    ticks = frame.dts if frame.pts is None else frame.pts
    return None if ticks is None or frame.time_base is None else float(ticks * frame.time_base)


def _turned(picture: Picture, degrees: float) -> Picture:
    """The picture turned by a multiple of 90 degrees counterclockwise; by others not."""
    turn = _TURNS.get(round(degrees) % 360)
    if turn is None:
        return picture
    if isinstance(picture, Yuv420):
        return Yuv420(*(cv2.rotate(plane, turn).astype(np.uint8, copy=False) for plane in picture.planes))
    return cv2.rotate(picture, turn).astype(np.uint8, copy=False)
