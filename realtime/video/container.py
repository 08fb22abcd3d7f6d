"""Checks of a video file's container: whether it is cut off, and why it cannot be read."""

import re
import shutil
from pathlib import Path

from .iso_tracks import FIRST_BOXES, boxes

_Y4M = b"YUV4MPEG2 "


def is_text(path: Path) -> bool:
    """Return whether the file begins with text."""
    with path.open("rb") as file:
        head = file.read(512)
    if head.startswith(_Y4M):  # a line of text, and pictures that may be all bright
        return False
    return not re.search(rb"[^\t\n\r -~\x80-\xff]", head)


def is_bare_jpegs(path: Path) -> bool:
    """Return whether the file is a row of JPEG pictures without a container, which states neither times nor a rate."""
    with path.open("rb") as file:
        return file.read(3) == b"\xff\xd8\xff"


def unreadable_reason(path: Path, opened: bool) -> str:
    """Return why no frame of a file can be decoded, and what to do.

    Args:
        path: the file.
        opened: whether the decoder found any streams in it.
    """
    with path.open("rb") as file:
        kind = file.read(8)[4:]
    if kind in FIRST_BOXES and b"moov" not in _top_boxes(path):
        return "its index is missing (moov); the recording was cut off before its end, try to repair it with untrunc"
    missing = missing_bytes(path)
    if missing:
        return f"cut off, {missing:,} bytes are missing at its end and the rest is not readable; copy it again"
    if opened and shutil.which("ffmpeg") is None:
        return "no picture in it could be decoded; install the ffmpeg program, which reads more kinds, such as AV1"
    if opened:
        return "no picture in it could be decoded; is it damaged, or sound alone?"
    return (
        "no video in it that can be read; is it sound alone, or not a video? Otherwise convert it: ffmpeg -i IN OUT.mp4"
    )


def _top_boxes(path: Path) -> dict[bytes, tuple[int, int]]:
    """Return the top-level boxes of an ISO media file (mp4, mov): type to (offset, size)."""
    with path.open("rb") as file:
        return {kind: (offset, size) for kind, offset, _, size in boxes(file, 0, path.stat().st_size)}


def missing_bytes(path: Path) -> int:
    """Return how many bytes of the container lie beyond the file's end; 0 for all but mp4, mov, avi, mkv and webm."""
    end = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
    if head[:4] == b"RIFF":
        return max(0, int.from_bytes(head[4:8], "little") + 8 - end)
    if head[:4] == b"\x1aE\xdf\xa3":
        return _segment_missing(head, end)
    if head[4:8] in FIRST_BOXES:
        return max([0, *(offset + size - end for offset, size in _top_boxes(path).values())])
    return 0


def _segment_missing(head: bytes, end: int) -> int:
    """Return how many bytes of a Matroska file's segment lie beyond its end. Source: RFC 8794."""
    at = head.find(b"\x18\x53\x80\x67")
    if at < 0 or len(head) < at + 12:
        return 0
    length = 9 - head[at + 4].bit_length()
    size = int.from_bytes(head[at + 4 : at + 4 + length], "big") & ((1 << 7 * length) - 1)
    unknown = size == (1 << 7 * length) - 1
    return 0 if unknown else max(0, at + 4 + length + size - end)
