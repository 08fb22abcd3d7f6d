"""The sound of a recording, put beside pictures that are complete already, so that it never decides about them."""

import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...video.ffmpeg import probe, run_program

log = logging.getLogger("mouth_live")

TRIAL = "0.1"  # s of a track that are encoded to find out whether it can be
COPIED_CODECS = frozenset({"aac", "ac3", "alac", "eac3", "mp3"})  # that players expect in MP4, QuickTime and Matroska
# Containers that keep one description of a track for the whole file. In a stream of MPEG it may change on the way, as
# where files were joined, so that its packets cannot be copied into a file of the other kind.
COPIED_CONTAINERS = frozenset({"matroska", "mov"})
_AAC = ("-c:a:{to}", "aac", "-b:a:{to}", "160k")
# Where the places of the channels are unknown, as of a field recorder. Those that a track lacks count for nothing.
_ALL_CHANNELS = "+".join(f"c{channel}" for channel in range(64))
_ENCODINGS = (
    ("re-encoded as AAC", _AAC),
    ("mixed down to stereo, as AAC", (*_AAC, "-ac:a:{to}", "2")),
    ("mixed down to mono, as AAC", (*_AAC, "-filter:a:{to}", f"pan=mono|c0<{_ALL_CHANNELS}")),
)


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """How one sound track gets into a video.

    Attributes:
        number: its number among the source's sound tracks, from 0.
        treatment: what is done to it, in words.
        options: ffmpeg's options, with ``{to}`` for its number in the video; None where it is left out.
    """

    number: int
    treatment: str
    options: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound of a recording.

    Attributes:
        source: the recording.
        start: the time at which it starts on its own clock, in seconds.
        tracks: its tracks.
    """

    source: Path
    start: float
    tracks: Sequence[SoundTrack]

    @property
    def kept(self) -> Sequence[SoundTrack]:
        """The tracks that are not left out."""
        return [track for track in self.tracks if track.options is not None]

    def report(self) -> None:
        """Say what is done to each track."""
        left_out = len(self.kept) < len(self.tracks)
        words = ", ".join(f"track {track.number} {track.treatment}" for track in self.tracks)
        (log.warning if left_out else log.info)("%s: sound %s", self.source, words)


def find_sound(program: str, source: Path) -> Sound | None:
    """Find out how each sound track of a recording can be kept.

    Args:
        program: the ffmpeg program.
        source: the recording; it may be something without sound, such as a folder.

    Returns:
        None where it has none that can be kept.
    """
    if not source.is_file():
        return None
    if shutil.which("ffprobe") is None:
        log.warning("%s: no ffprobe program found, so the annotated video has no sound; it comes with ffmpeg", source)
        return None
    shown = "format=format_name,start_time:stream=codec_name"
    answer = json.loads(probe(source, "-select_streams", "a", "-show_entries", shown, "-of", "json") or b"{}")
    streams, container = answer.get("streams"), answer.get("format", {})
    if not streams:
        return None
    copied = not COPIED_CONTAINERS.isdisjoint(container.get("format_name", "").split(","))
    tracks = [_track(program, source, number, stream, copied) for number, stream in enumerate(streams)]
    sound = Sound(source, float(container.get("start_time", 0)), tracks)
    if not sound.kept:
        sound.report()
        return None
    return sound


def sound_options(sound: Sound, pictures: Path, start: float, origin: float) -> Iterator[str]:
    """Return ffmpeg's options for a video with the pictures of one file and the sound of a recording.

    Args:
        sound: the recording's sound.
        pictures: a video without sound.
        start: the time of its first picture, in seconds.
        origin: the time on the recording's clock that becomes 0 in the video, in seconds.
    """
    # Each input begins at 0 and is moved to its time. With -copyts, which keeps times as they are, ffmpeg would not
    # let them go on where the clock of a file starts again, as where recordings were joined byte by byte.
    yield from ("-itsoffset", f"{start:.6f}", "-i", f"file:{pictures}")
    yield from ("-itsoffset", f"{sound.start - origin:.6f}", "-vn", "-i", f"file:{sound.source}")
    yield from ("-map", "0:v:0", "-c:v", "copy")
    for to, track in enumerate(sound.kept):
        yield from ("-map", f"1:a:{track.number}", *_numbered(track.options or (), to))


def _track(program: str, source: Path, number: int, stream: dict[str, str], copied: bool) -> SoundTrack:
    """Return the first treatment of a track that works on its first moments."""
    if copied and stream.get("codec_name") in COPIED_CODECS:
        return SoundTrack(number, "copied", ("-c:a:{to}", "copy"))
    trial = [program, "-nostdin", "-v", "error", "-vn", "-i", f"file:{source}", "-map", f"0:a:{number}"]
    for treatment, options in _ENCODINGS:
        result = run_program([*trial, "-t", TRIAL, *_numbered(options, 0), "-f", "null", "-"])
        if result is not None and result.returncode == 0:
            return SoundTrack(number, treatment, options)
    return SoundTrack(number, "left out, for ffmpeg cannot decode it", None)


def _numbered(options: Sequence[str], to: int) -> Iterator[str]:
    return (option.replace("{to}", str(to)) for option in options)
