"""Decoding by the ``ffmpeg`` program, for video that OpenCV cannot decode.

The FFmpeg inside OpenCV stops at damage that the program skips. That of OpenCV 5.0 has no AV1 decoder. It also cannot
convert interlaced frames to BGR: it reports no error and returns the same garbage for every frame. (5.1 reads both.)
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import cv2

from ..system.programs import start_program
from .capture import Capture, spare_cores
from .ffmpeg import passthrough_option, probe

# A step back of 0.1 s is mended whatever the threshold; a step forward is a pause, and stays.
_MENDED_CLOCK = ("-dts_delta_threshold", "1000000000")


@dataclass(frozen=True, slots=True)
class FfmpegReading:
    """How ffmpeg reads a file.

    Attributes:
        track: the number of the video track, from 0, cover pictures left out.
        rotate: rotate pictures as the file says.
        keep_clock: give the container's own times. Otherwise times begin near 0, and go on where the clock of joined
            files starts again.
    """

    track: int = 0
    rotate: bool = True
    keep_clock: bool = True


class FfmpegCapture(Capture):
    """A video track of a file, decoded, rotated and deinterlaced by ffmpeg.

    Attributes:
        mends_clock: whether ffmpeg lets times go on where the file's clock starts again.
    """

    def __init__(self, program: str, path: Path, reading: FfmpegReading) -> None:
        """Start ffmpeg; see :attr:`opened`.

        Args:
            program: the ffmpeg program.
            path: the file.
            reading: how to read it.

        Raises:
            OSError: the program cannot be started.
        """
        self.mends_clock = not reading.keep_clock
        command = [program, "-nostdin", "-v", "quiet", "-protocol_whitelist", "file,pipe"]
        command += [
            *(["-copyts"] if reading.keep_clock else _MENDED_CLOCK),
            *([] if reading.rotate else ["-noautorotate"]),
        ]
        command += ["-i", f"file:{path.absolute()}", "-map", f"0:V:{reading.track}", *passthrough_option(program)]
        # One picture for each frame; progressive frames stay as they are.
        command += ["-vf", "bwdif=mode=send_frame:deint=interlaced"]
        command += ["-c:v", "rawvideo", "-pix_fmt", "yuv420p", "-f", "nut", "pipe:1"]
        self._process = start_program(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None  # opened as a pipe
        super().__init__(f"pipe:{self._process.stdout.fileno()}", cv2.CAP_FFMPEG, spare_cores())

    def close(self) -> None:
        """Kill ffmpeg, and close the capture now or as soon as the running read returns."""
        self._process.kill()
        self._process.wait()
        super().close()
        if self._process.stdout is not None and not self._native.isOpened():  # otherwise a read still uses it
            self._process.stdout.close()


def open_with_ffmpeg(path: Path, reading: FfmpegReading) -> FfmpegCapture | None:
    """Open a file with ffmpeg; return None where ffmpeg is not installed or finds no readable video in it."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    try:
        capture = FfmpegCapture(program, path, reading)
    except OSError:
        return None
    if capture.opened:
        return capture
    capture.close()
    return None


def is_interlaced(path: Path) -> bool | None:
    """Return whether the video's first frame is interlaced; None where the ``ffprobe`` program does not report it."""
    first_frame = ("-read_intervals", "%+#1", "-show_entries", "frame=interlaced_frame")
    printed = probe(path, "-select_streams", "V:0", "-of", "csv=p=0", *first_frame)
    return printed.startswith(b"1") if printed and printed.strip() else None
