"""The video of a table: what was given, else what the table's manifest names, else what has its name."""

import logging
from pathlib import Path

from ...models.errors import MouthLiveError, SourceError
from ..sinks.report.page import Video, relative_address
from ..sinks.report.recording import Recording
from ..video.recording_files import is_video_name
from ..video.sources import open_video
from .recordings.manifest import Manifest, content_of, read_manifest

log = logging.getLogger("mouth_live")

MOST_DIFFERENCE = 1.0  # s between the lengths of the table and of its video


def find_video(table: Path, given: Path | None) -> tuple[Path | None, str]:
    """Return the recording of a table, and a sentence where it is missing or another one.

    Args:
        table: the table of readings.
        given: the recording that the user named; None to look for it.

    Raises:
        SourceError: the user named one that does not exist.
    """
    if given is not None:
        if not given.exists():
            raise SourceError(f"{given}: no such file; name the table's recording with --video")
        return given, ""
    manifest = read_manifest(table)
    named = manifest.input_path(table) if manifest else None
    if manifest and named and named.exists():
        return named, _difference(manifest, named)
    beside = sorted(path for path in table.parent.glob("*") if path.stem == table.stem and is_video_name(path))
    if beside:
        return beside[0], _difference(manifest, beside[0]) if manifest else ""
    if named is None:
        return None, ""
    return None, f"The video {named} was not found when this page was made; --video names another place."


def page_video(path: Path | None, problem: str, page: Path, recording: Recording) -> Video:
    """Return a video as a page refers to it, and warn where it does not seem to be the table's.

    Args:
        path: the recording; None where there is none.
        problem: what is wrong with it, in a sentence; else empty.
        page: the page's file.
        recording: the table.
    """
    start_time = 0.0
    is_video = path is not None and is_video_name(path)
    if path is not None and is_video:
        try:
            with open_video(path) as video:
                start_time = video.start_time - float(recording.times[0])
                problem = problem or _other_length(path, video.duration, recording)
        except MouthLiveError:
            pass  # the thumbnails report it
    if problem:
        log.warning("%s", problem[0].lower() + problem[1:].rstrip("."))
    if path is None or not is_video:
        return Video(problem=problem)
    return Video(path.name, relative_address(path, page.parent), start_time, problem)


def _other_length(path: Path, seconds: float | None, recording: Recording) -> str:
    """Return a sentence where a video is longer or shorter than the table, which was read to its end."""
    length = recording.summary.seconds
    if seconds is None or recording.summary.whole is False or abs(seconds - length) <= MOST_DIFFERENCE:
        return ""
    return f"The video {path} lasts {seconds:.1f} s and the table {length:.1f} s: times and pictures may not fit."


def _difference(manifest: Manifest, path: Path) -> str:
    try:
        if content_of(path).sample_sha256 == manifest.content.sample_sha256:
            return ""
    except OSError as error:
        return f"The video {path} cannot be read ({error.strerror})."
    return f"The video {path} has changed since the table was made from it: times and pictures may not fit."
