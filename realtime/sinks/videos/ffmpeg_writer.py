"""A video writer through the ``ffmpeg`` program, which keeps each frame's presentation time and the source's sound."""

import logging
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
from numpy.typing import NDArray

from ....models.errors import SinkError
from ...system.programs import start_program
from ...video.ffmpeg import passthrough_option
from .matroska import picture_header, stream_header
from .sound import find_sound, sound_options

log = logging.getLogger("mouth_live")

CLOCK = 90_000  # ticks a second of the written video


class FfmpegWriter:
    """A pipe of pictures with their times into ffmpeg, which writes H.264, and at the end adds the source's sound."""

    def __init__(
        self, program: str, path: Path, size: tuple[int, int], rate: float, source: Path | None, origin: float
    ) -> None:
        """Start ffmpeg.

        Args:
            program: the ffmpeg program.
            path: the file to write; an existing one is overwritten.
            size: the (width, height) of the pictures in pixels, both even.
            rate: the nominal frame rate in frames/s.
            source: the recording whose sound is added; None for no sound.
            origin: the time on the source's clock that becomes 0 in the file, in seconds.

        Raises:
            SinkError: ffmpeg cannot be started.
        """
        self._program, self._path, self._origin = program, path, origin
        self._first: float | None = None
        self._last = -1.0
        self._sound = find_sound(program, source) if source is not None else None
        # The sound is added to complete pictures, so that it cannot fail them.
        self._pictures = path.with_name(f".{path.stem}.pictures{path.suffix}") if self._sound else path
        options = [*_picture_options(passthrough_option(program)), *_file_options(self._pictures)]
        self._run = _Ffmpeg(program, options, stdin=subprocess.PIPE)
        self._put(stream_header(*size, rate))

    def write(self, picture: NDArray[np.uint8], time: float) -> None:
        """Write the next (h, w, 3) uint8 BGR picture, shown from ``time`` (seconds) on.

        Raises:
            SinkError: ffmpeg failed; the message has its reason.
        """
        # Frames may share a time, but times in the file must increase: the second one gets the next tick, 11 us later.
        self._last = time = max(time, self._last + 1 / CLOCK) if self._last >= 0 else time
        if self._first is None:
            self._first = time
        self._put(picture_header(time, picture.nbytes), np.ascontiguousarray(picture).data)

    def finish(self) -> None:
        """Wait until ffmpeg has completed the file.

        Raises:
            SinkError: ffmpeg failed; the message has its reason.
        """
        self._expect(self._run.end())
        if self._sound is None:
            return
        options = sound_options(self._sound, self._pictures, self._first or 0.0, self._origin)
        self._run = _Ffmpeg(self._program, [*options, *_file_options(self._path)])
        reason = self._run.end()
        if reason is None:
            self._sound.report()
        else:
            log.warning("%s: its sound is not in the video, for ffmpeg failed on it: %s", self._sound.source, reason)
            options = ["-copyts", "-i", f"file:{self._pictures}", "-c", "copy"]
            self._run = _Ffmpeg(self._program, [*options, *_file_options(self._path)])
            self._expect(self._run.end())
        self._pictures.unlink()

    def abandon(self) -> None:
        """Kill ffmpeg."""
        self._run.kill()
        if self._pictures != self._path:
            self._pictures.unlink(missing_ok=True)

    def _put(self, *parts: bytes | memoryview) -> None:
        try:
            self._run.put(*parts)
        except OSError:  # ffmpeg has ended; Windows reports EINVAL where others report EPIPE
            reason = self._run.end() or "it ended too early"
            self.abandon()
            self._expect(reason)

    def _expect(self, reason: str | None) -> None:
        if reason is not None:
            raise SinkError(f"{self._path}: ffmpeg could not write the video: {reason}")


class _Ffmpeg:
    """A run of the ffmpeg program."""

    def __init__(self, program: str, options: Iterable[str], stdin: int = subprocess.DEVNULL) -> None:
        """Start it.

        Raises:
            SinkError: it cannot be started.
        """
        # A file, not a pipe: nothing reads stderr while ffmpeg works, and a full pipe would block it.
        self._stderr = TemporaryFile()  # noqa: SIM115
        command = [program, "-hide_banner", "-nostdin", "-v", "error", *options]
        try:
            self._process = start_program(command, stdin=stdin, stderr=self._stderr)
        except OSError as error:
            self._stderr.close()
            raise SinkError(f"{program}: cannot start ffmpeg ({error.strerror})") from None

    def put(self, *parts: bytes | memoryview) -> None:
        """Write to its standard input.

        Raises:
            OSError: it has ended.
        """
        pipe = self._process.stdin
        assert pipe is not None  # opened as a pipe
        for part in parts:
            pipe.write(part)

    def end(self) -> str | None:
        """Wait for its end; return why it failed, in its own words and one line, or None where it did not."""
        self._close_pipe()
        status = self._process.wait()
        if self._stderr.closed:
            return "ffmpeg has ended"
        with self._stderr as stderr:
            stderr.seek(0)
            lines = stderr.read().decode("utf-8", "replace").strip().splitlines()
        if status == 0:
            return None
        full = next((line.strip() for line in lines if "No space left" in line), None)
        return full or (lines[-1].strip() if lines else f"exit status {status}")

    def kill(self) -> None:
        """Stop it at once."""
        if self._process.poll() is None:
            self._process.kill()
        self._close_pipe()
        self._process.wait()
        self._stderr.close()

    def _close_pipe(self) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        try:
            pipe.close()
        except OSError:  # ffmpeg no longer reads the rest of the buffer; its exit status gives the reason
            return


def _picture_options(passthrough_option: Sequence[str]) -> list[str]:
    """Return ffmpeg's options to encode the pictures that come through its standard input."""
    # copyts: the times of the pictures, instead of the first one at 0.
    options = ["-copyts", "-probesize", "32", "-analyzeduration", "0", "-f", "matroska", "-i", "pipe:0"]
    # A fine encoder clock: by default it ticks once per frame of the guessed rate, and times are rounded to that.
    options += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"]
    return [*options, *passthrough_option, "-enc_time_base:v", f"1:{CLOCK}"]


def _file_options(path: Path) -> list[str]:
    options = ["-video_track_timescale", str(CLOCK), "-movflags", "+faststart"] if path.suffix.lower() != ".mkv" else []
    return [*options, "-y", f"file:{path}"]
