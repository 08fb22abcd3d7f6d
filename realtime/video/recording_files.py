"""Names of recordings: which files of a folder are videos, and which inputs are no files at all."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from ...models.errors import SourceError

_VIDEO = """
    .3g2 .3gp .amv .asf .avi .dav .divx .dv .f4v .flv .gif .h264 .h265 .hevc .ivf .m1v .m2t .m2ts .m2v .m4v .mjpeg
    .mjpg .mkv .mod .mov .mp4 .mpe .mpeg .mpg .mpv .mts .mxf .nut .ogm .ogv .qt .rm .rmvb .tod .ts .vob .webm .wmv .y4m
"""
VIDEO_SUFFIXES = frozenset(_VIDEO.split())
PICTURE_SUFFIXES = frozenset((".apng", ".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))
_SYSTEM_FOLDERS = {"__MACOSX", "$RECYCLE.BIN", "System Volume Information", "@eaDir"}
_SPECIAL_FILES: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISFIFO, "a pipe, not a file; save it to a file first"),
    (stat.S_ISSOCK, "a socket, not a file; save it to a file first"),
    (stat.S_ISCHR, "a device, not a file; a camera is read by: mouth-live --camera"),
    (stat.S_ISBLK, "a device, not a file; name a file on it"),
)


def visible_files(folder: Path) -> list[Path]:
    """Return the files in a folder and below it, sorted, and links to nothing; not hidden files and the system's."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not is_hidden(name)]
        found += [Path(place, name) for name in files if not is_hidden(name)]
    return sorted(path for path in found if path.is_file() or _leads_nowhere(path))


def _leads_nowhere(path: Path) -> bool:
    """Return whether a path is a link to nothing: its file may be on a disk that is missing, and must be reported."""
    return path.is_symlink() and not path.exists()


def is_hidden(name: str) -> bool:
    """Return whether a file or folder name is hidden (``._talk.mp4``, ``.Trash-1000``) or one of the system's own."""
    return name.startswith(".") or name in _SYSTEM_FOLDERS


def is_video_name(path: Path) -> bool:
    """Return whether a file's suffix is that of a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def is_picture_name(path: Path) -> bool:
    """Return whether a file's suffix is that of a picture."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def find_videos(folder: Path) -> list[Path]:
    """Return the video files in a folder and in its subfolders, sorted, without hidden files."""
    return [path for path in visible_files(folder) if is_video_name(path)]


def recording_path(text: str) -> Path:
    """Return the path that an input on the command line names.

    Args:
        text: a path, or a ``file://`` address.

    Raises:
        SourceError: it is another kind of address.
    """
    scheme, separator, _ = text.partition("://")
    if not separator or not scheme.isalnum() or Path(text).exists():
        return Path(text)
    if scheme.lower() != "file":
        raise SourceError(
            f"{text}: an address, and recordings are read from files; download it, or read it live with --camera {text}"
        )
    from urllib.parse import urlsplit
    from urllib.request import url2pathname  # takes 20 ms to import

    address = urlsplit(text)
    if address.netloc not in ("", "localhost"):
        raise SourceError(f"{text}: a file on another machine; write file:/// for one on this machine, or copy it here")
    return Path(url2pathname(address.path))


def refuse_special_file(path: Path) -> None:
    """Refuse what cannot be read twice or has no end: opening a pipe would wait for its writer for ever.

    Raises:
        SourceError: it is a pipe, a socket or a device.
        OSError: the path does not exist, or its folder cannot be read.
    """
    mode = path.stat().st_mode
    for is_kind, words in _SPECIAL_FILES:
        if is_kind(mode):
            raise SourceError(f"{path}: is {words}")
