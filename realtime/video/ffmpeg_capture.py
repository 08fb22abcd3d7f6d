"""Video that OpenCV cannot decode, through the ``ffmpeg`` program where it is installed.

OpenCV's own FFmpeg gives up at damage that ffmpeg reads over. That of OpenCV 5.0 has no decoder for AV1 either; of
interlaced frames it can make no BGR, does not say so, and hands out the same rubbish for each. (5.1 reads both.)
"""

import shutil
import subprocess
from pathlib import Path

import cv2

from ..system.programs import start_program
from .capture import Capture, spare_cores
from .ffmpeg import answer, keep_times


class FfmpegCapture(Capture):
    """A file's first video that is no cover picture, decoded by ffmpeg, turned, fields woven into whole pictures."""

    def __init__(self, program: str, path: Path) -> None:
        """Start ffmpeg; see :attr:`opened`.

        Args:
            program: the ffmpeg program.
            path: the file.

        Raises:
            OSError: the program cannot be started.
        """
        command = [program, "-nostdin", "-v", "quiet", "-protocol_whitelist", "file,pipe", "-copyts"]
        command += ["-i", f"file:{path.absolute()}", "-map", "0:V:0", *keep_times(program)]
        # One picture for each frame; those that are not interlaced stay as they are.
        command += ["-vf", "bwdif=mode=send_frame:deint=interlaced"]
        command += ["-c:v", "rawvideo", "-pix_fmt", "yuv420p", "-f", "nut", "pipe:1"]
        self._process = start_program(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None  # opened as a pipe
        super().__init__(f"pipe:{self._process.stdout.fileno()}", cv2.CAP_FFMPEG, spare_cores())

    def close(self) -> None:
        """End ffmpeg, and close the capture, now or as soon as it is free."""
        self._process.kill()
        self._process.wait()
        super().close()
        if self._process.stdout is not None and not self._native.isOpened():  # else a read is still at it
            self._process.stdout.close()


def ffmpeg_capture(path: Path) -> FfmpegCapture | None:
    """The file, opened by ffmpeg; None where that is not installed or can read no video in it."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    try:
        capture = FfmpegCapture(program, path)
    except OSError:
        return None
    if capture.opened:
        return capture
    capture.close()
    return None


def is_interlaced(path: Path) -> bool | None:
    """Whether the video's first frame is interlaced; None where the ``ffprobe`` program does not tell."""
    program = shutil.which("ffprobe")
    if program is None:
        return None
    command = [program, "-v", "quiet", "-select_streams", "V:0", "-read_intervals", "%+#1", "-of", "csv=p=0"]
    command += ["-show_entries", "frame=interlaced_frame", f"file:{path.absolute()}"]
    told = answer(command)
    return told.stdout.startswith(b"1") if told and told.stdout.strip() else None
