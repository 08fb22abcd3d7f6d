"""The video tracks of a file, and the choice of one of them."""

import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ...models.errors import SourceError
from .ffmpeg import probe
from .iso_tracks import video_matrices

log = logging.getLogger("mouth_live")

ASSUMED_RATE = 25.0  # frames/s: FFmpeg's own for a raw stream that states none
HEAD_BYTES = 1 << 16  # the headers of Matroska and AVI files lie in these
_MATROSKA_VIDEO = b"\x83\x81\x01"  # the track type video
_OFTEN_SEVERAL = (b"\x30\x26\xb2\x75", b"\x06\x0e\x2b\x34")  # ASF, MXF
_ENTRIES = "stream=codec_name,width,height,nb_frames,avg_frame_rate,duration:stream_disposition=default:stream_tags"


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """A video track of a file.

    Attributes:
        number: its number among the file's video tracks, from 0, cover pictures left out.
        name: its codec and size, for messages.
        default: whether the file marks it as the one to show.
        frames: its frames, about; None where unknown.
    """

    number: int
    name: str
    default: bool
    frames: float | None


def choose_track(path: Path, wanted: int | None) -> VideoTrack | None:
    """Choose the video track to read, and report the choice where there are several.

    Args:
        path: the file.
        wanted: the number of the track; None: the one marked as default, otherwise the one with the most frames. A
            still picture gives way to a film.

    Returns:
        The track; None for the first one of a file that seems to have no other.

    Raises:
        SourceError: there is no such track.
    """
    if not wanted and not _may_have_several(path):
        return None
    tracks = list_tracks(path)
    if len(tracks) < 2:
        return _only_track(path, wanted)
    numbers = f"{len(tracks)} video tracks, 0 to {len(tracks) - 1}"
    if wanted is not None:
        if wanted >= len(tracks):
            raise SourceError(f"{path}: has {numbers}; there is no track {wanted}")
        return tracks[wanted]
    chosen = _preferred(tracks)
    log.info("%s: has %s; track %d is read (%s), --track reads another", path, numbers, chosen.number, chosen.name)
    return chosen


def _only_track(path: Path, wanted: int | None) -> None:
    """Refuse a second track where none is known, and report what only ``ffprobe`` could tell."""
    if shutil.which("ffprobe") is not None:
        if wanted:
            raise SourceError(f"{path}: has one video track, 0; there is no track {wanted}")
    elif wanted:
        raise SourceError(f"{path}: track {wanted} cannot be read without the ffmpeg program; install it")
    elif wanted is None and _header_tracks(path) > 1:
        log.warning("%s: has several video tracks; the first is read, install ffmpeg to read the others", path)


def _preferred(tracks: list[VideoTrack]) -> VideoTrack:
    films = [track for track in tracks if track.frames is None or track.frames > 1] or tracks
    default = [track for track in films if track.default]
    return default[0] if default else max(films, key=lambda track: track.frames or 0)


def _may_have_several(path: Path) -> bool:
    """Return whether a file is worth a question to ``ffprobe``, which takes 0.1 s."""
    with path.open("rb") as file:
        head = file.read(200)
    is_stream = head[:1] == b"\x47" == head[188:189] or head[4:5] == b"\x47" == head[196:197]  # MPEG transport
    return is_stream or head.startswith(_OFTEN_SEVERAL) or _header_tracks(path) > 1


def _header_tracks(path: Path) -> int:
    """Return the number of video tracks in the headers of mp4, mov, Matroska and AVI files, about; 0 for others."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(b"\x1aE\xdf\xa3"):
        return head.count(_MATROSKA_VIDEO)
    return head.count(b"vids") if head.startswith(b"RIFF") else len(video_matrices(path))


def list_tracks(path: Path) -> list[VideoTrack]:
    """Return the video tracks, cover pictures left out; empty where the ``ffprobe`` program does not report them."""
    printed = probe(path, "-select_streams", "V", "-of", "json", "-show_entries", _ENTRIES)
    try:
        found = cast("dict[str, list[dict[str, Any]]]", json.loads(printed or b"{}"))
    except ValueError:
        return []
    streams = found.get("streams", [])
    return [_track(number, stream) for number, stream in enumerate(streams)]


def _track(number: int, stream: dict[str, Any]) -> VideoTrack:
    tags = {name.upper(): value for name, value in cast("dict[str, str]", stream.get("tags", {})).items()}
    frames = _number(stream.get("nb_frames")) or _number(tags.get("NUMBER_OF_FRAMES"))
    seconds = _number(stream.get("duration")) or _number(tags.get("DURATION"))
    rate = _number(stream.get("avg_frame_rate"))
    if frames is None and seconds and rate:
        frames = seconds * rate
    name = f"{stream.get('codec_name', 'unknown')} {stream.get('width', 0)}x{stream.get('height', 0)}"
    default = bool(stream.get("disposition", {}).get("default"))
    return VideoTrack(number, f"{name}, default" if default else name, default, frames)


def probed_rate(path: Path) -> float | None:
    """Return the frame rate in frames/s that ``ffprobe`` finds in a raw stream's headers; None where it finds none."""
    printed = probe(path, "-select_streams", "V:0", "-of", "csv=p=0", "-show_entries", "stream=r_frame_rate")
    rate = _number(printed.decode("ascii", "replace").strip().rstrip(",")) if printed else None
    return None if rate == ASSUMED_RATE else rate


def _number(text: object) -> float | None:
    """Return ffprobe's number: ``60``, ``2.5``, ``30/1`` or ``00:00:02.000``; None where there is none."""
    number = 0.0
    try:
        for part in str(text).split(":"):
            above, _, below = part.partition("/")
            number = 60 * number + float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return number or None
