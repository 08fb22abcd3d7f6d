"""A video writer through the ``ffmpeg`` program, which keeps each frame's presentation time and the source's sound."""

import logging
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
from numpy.typing import NDArray

from ...models.errors import SinkError
from ..system.programs import start_program
from ..video.ffmpeg import passthrough_option, run_program
from .matroska import picture_header, stream_header

log = logging.getLogger("mouth_live")

MOST_TRACKS = 32  # of sound
CLOCK = 90_000  # ticks a second of the written video


class FfmpegWriter:
    """A pipe of pictures with their times into ffmpeg, which writes H.264 and AAC."""

    def __init__(
        self, program: str, path: Path, size: tuple[int, int], rate: float, source: Path | None, origin: float
    ) -> None:
        """Start ffmpeg.

        Args:
            program: the ffmpeg program.
            path: the file to write; an existing one is overwritten.
            size: the (width, height) of the pictures in pixels, both even.
            rate: the nominal frame rate in frames/s.
            source: the recording whose sound is copied; None for no sound.
            origin: the time on the source's clock that becomes 0 in the file, in seconds.

        Raises:
            SinkError: ffmpeg cannot be started.
        """
        self._path = path
        self._last = -1.0
        tracks = _sound_tracks(program, source) if source is not None else ()
        # A file, not a pipe: nothing reads stderr while ffmpeg works, and a full pipe would block it.
        self._stderr = TemporaryFile()  # noqa: SIM115
        command = [
            program,
            "-hide_banner",
            "-nostdin",
            "-v",
            "error",
            *_options(path, source, tracks, origin, passthrough_option(program)),
        ]
        try:
            self._process = start_program(command, stdin=subprocess.PIPE, stderr=self._stderr)
        except OSError as error:
            self._stderr.close()
            raise SinkError(f"{program}: cannot start ffmpeg ({error.strerror})") from None
        self._put(stream_header(*size, rate))

    def write(self, picture: NDArray[np.uint8], time: float) -> None:
        """Write the next (h, w, 3) uint8 BGR picture, shown from ``time`` (seconds) on.

        Raises:
            SinkError: ffmpeg failed; the message has its reason.
        """
        # Frames may share a time, but times in the file must increase: the second one gets the next tick, 11 us later.
        self._last = time = max(time, self._last + 1 / CLOCK) if self._last >= 0 else time
        self._put(picture_header(time, picture.nbytes), np.ascontiguousarray(picture).data)

    def finish(self) -> None:
        """Wait until ffmpeg has completed the file.

        Raises:
            SinkError: ffmpeg failed; the message has its reason.
        """
        self._close_pipe()
        if self._process.wait() != 0:
            raise self._failure()
        self._stderr.close()

    def abandon(self) -> None:
        """Kill ffmpeg."""
        if self._process.poll() is None:
            self._process.kill()
        self._close_pipe()
        self._process.wait()
        self._stderr.close()

    def _put(self, *parts: bytes | memoryview) -> None:
        pipe = self._process.stdin
        assert pipe is not None  # opened as a pipe
        try:
            for part in parts:
                pipe.write(part)
        except OSError:  # ffmpeg has ended; Windows reports EINVAL where others report EPIPE
            self._close_pipe()
            self._process.wait()
            raise self._failure() from None

    def _close_pipe(self) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        try:
            pipe.close()
        except OSError:  # ffmpeg no longer reads the rest of the buffer; its exit status gives the reason
            return

    def _failure(self) -> SinkError:
        """Return an error with the reason that ffmpeg gives, in one line."""
        if self._stderr.closed:
            return SinkError(f"{self._path}: ffmpeg has ended")
        with self._stderr as stderr:  # closed here too, because a writer that fails in __init__ is never abandoned
            stderr.seek(0)
            lines = stderr.read().decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1].strip() if lines else f"exit status {self._process.returncode}"
        full = next((line.strip() for line in lines if "No space left" in line), None)
        return SinkError(f"{self._path}: ffmpeg could not write the video: {full or reason}")


def _options(
    path: Path, source: Path | None, tracks: Sequence[int], origin: float, passthrough_option: Sequence[str]
) -> list[str]:
    """Return ffmpeg's options for the input and output, with these sound tracks of the source."""
    # copyts: pictures and sound keep their common clock, instead of both starting at 0.
    options = ["-copyts", "-probesize", "32", "-analyzeduration", "0", "-f", "matroska", "-i", "pipe:0"]
    if tracks:
        options += ["-itsoffset", f"{-origin:.6f}", "-vn", "-i", f"file:{source}"]
    options += ["-map", "0:v:0"]
    for track in tracks:
        options += ["-map", f"1:a:{track}"]
    if tracks:
        options += ["-c:a", "aac", "-b:a", "160k"]
    # A fine encoder clock: by default it ticks once per frame of the guessed rate, and times are rounded to that.
    options += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"]
    options += [*passthrough_option, "-enc_time_base:v", f"1:{CLOCK}", "-max_muxing_queue_size", "4096"]
    if path.suffix.lower() != ".mkv":
        options += ["-video_track_timescale", str(CLOCK), "-movflags", "+faststart"]
    return [*options, "-y", f"file:{path}"]


def _sound_tracks(program: str, source: Path) -> list[int]:
    """Return the numbers of the sound tracks that ffmpeg can decode, and report those that it cannot.

    The source may be something that ffmpeg cannot open: a folder.
    """
    if not source.is_file():
        return []
    usable, unusable = list[int](), list[int]()
    for track in range(MOST_TRACKS):
        command = [program, "-nostdin", "-v", "error", "-vn", "-i", f"file:{source}", "-map", f"0:a:{track}"]
        result = run_program([*command, "-t", "0.1", "-f", "null", "-"])
        if result is None or b"matches no streams" in result.stderr:
            break
        (unusable if result.returncode else usable).append(track)
    if unusable:
        names = ", ".join(str(track) for track in unusable)
        kept = f"{len(usable)} of {len(usable) + len(unusable)} tracks are in the video" if usable else "it has none"
        log.warning("%s: ffmpeg cannot decode its sound track %s, left out; of the sound, %s", source, names, kept)
    return usable
