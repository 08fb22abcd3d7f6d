"""Find recordings: which files and folders the inputs of a command name."""

import glob
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from ....models.errors import SourceError
from ...video.recording_files import (
    PICTURE_SUFFIXES,
    VIDEO_SUFFIXES,
    is_hidden,
    is_picture_name,
    is_video_name,
    recording_path,
    visible_files,
)
from .manifest import is_product

log = logging.getLogger("mouth_live")


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording and the folder below which its output keeps the structure.

    Attributes:
        root: the folder that was searched; the recording's own for a single file.
        path: a video, a picture, or a folder of pictures.
    """

    root: Path
    path: Path

    @property
    def output_stem(self) -> Path:
        """The output's path below the output folder, without its suffix."""
        below = self.path.relative_to(self.root)
        return (
            Path(self.path.absolute().name)
            if below == Path()
            else below
            if self.path.is_dir()
            else below.with_suffix("")
        )


def find_recordings(inputs: Sequence[str], exclude: Sequence[str] = ()) -> list[Recording]:
    """Find the recordings that inputs name.

    Args:
        inputs: videos, pictures, folders (searched recursively) and globs. In a folder, one of pictures without videos
            is one recording.
        exclude: patterns of recordings to leave out, each compared with the path below the input and with its parts.

    Raises:
        SourceError: a folder or a glob contains no recordings.
    """
    return [found for item in inputs for found in _expand(item, exclude)]


def names_several(inputs: Sequence[str]) -> bool:
    """Return whether inputs can name several recordings, so that the output must be a folder."""
    return len(inputs) > 1 or _is_glob(inputs[0]) or (_is_folder(inputs[0]) and not _is_picture_folder(inputs[0]))


def _expand(item: str, exclude: Sequence[str]) -> list[Recording]:
    path = recording_path(item)
    if path.is_dir():
        return _in_folder(item, path, exclude)
    if _is_glob(item):
        files = [match for match in _matches(item) if not any(is_hidden(part) for part in _found_parts(match, item))]
        files = [file for file in files if not is_product(file) and not _is_excluded(file, file.parent, exclude)]
        if not files:
            raise SourceError(f"{item}: no video or picture matches this pattern")
        return [Recording(file.parent, file) for file in files]
    return [Recording(path.parent, path)]


def _in_folder(item: str, folder: Path, exclude: Sequence[str]) -> list[Recording]:
    """Return the videos and the folders of pictures in a folder; report how many files are left out."""
    files = [file for file in visible_files(folder) if not _is_excluded(file, folder, exclude)]
    videos = [file for file in files if is_video_name(file) and not is_product(file)]
    with_videos = {video.parent for video in videos}
    pictures = {file.parent for file in files if is_picture_name(file)} - with_videos
    found = sorted([*videos, *pictures])
    if not found:
        raise SourceError(f"{item}: no videos in this folder (looked for {', '.join(sorted(VIDEO_SUFFIXES))})")
    left_out = [
        file for file in files if not (is_video_name(file) or (is_picture_name(file) and file.parent in pictures))
    ]
    _report_left_out(item, len(left_out))
    return [Recording(folder, path) for path in found]


def _matches(pattern: str) -> Iterator[Path]:
    for match in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207
        path = Path(match)
        if path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES | PICTURE_SUFFIXES:
            yield path


def _is_excluded(path: Path, root: Path, exclude: Sequence[str]) -> bool:
    below = path.relative_to(root)
    return any(
        fnmatch(str(below), pattern) or any(fnmatch(part, pattern) for part in below.parts) for pattern in exclude
    )


def _found_parts(match: Path, pattern: str) -> set[str]:
    """Return the parts of a match that its pattern does not spell out."""
    return set(match.parts) - set(Path(pattern).parts)


def _report_left_out(folder: str, count: int) -> None:
    if count:
        words = (
            "1 file is no video by its name and was"
            if count == 1
            else f"{count} files are no videos by their names and were"
        )
        log.info("%s: %s left out", folder, words)


def _is_folder(item: str) -> bool:
    return recording_path(item).is_dir()


def _is_picture_folder(item: str) -> bool:
    """Return whether a folder is one recording: it holds pictures, and neither videos nor pictures lie below it."""
    folder = recording_path(item)
    files = visible_files(folder)
    pictures = {file.parent for file in files if is_picture_name(file)}
    return pictures == {folder} and not any(is_video_name(file) for file in files)


def _is_glob(item: str) -> bool:
    return glob.has_magic(item) and not Path(item).exists()
