"""The video tracks of an ISO media file (mp4, mov) and their display matrices. Source: ISO/IEC 14496-12."""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

Matrix = tuple[float, float, float, float]
"""(a, b, c, d): a pixel at (x, y) is shown at (a x + c y, b x + d y), up to a shift."""

FIRST_BOXES = (b"ftyp", b"mdat", b"moov", b"wide", b"free", b"skip")  # those that an mp4 or mov begins with
_MOVIE_MATRIX_AT = {0: 36, 1: 48}  # offset in mvhd, by its version
_TRACK_MATRIX_AT = {0: 40, 1: 52}  # offset in tkhd


def video_matrices(path: Path) -> list[Matrix]:
    """Return the display matrix of each video track, in the file's order; empty for other files."""
    with path.open("rb") as file:
        if file.read(8)[4:] not in FIRST_BOXES:
            return []
        size = path.stat().st_size
        matrices: list[Matrix] = []
        movie: Matrix = (1, 0, 0, 1)
        for kind, start, end in _boxes(file, 0, size):
            for inner, inside, until in _boxes(file, start, end) if kind == b"moov" else ():
                if inner == b"mvhd":
                    movie = _matrix(file, inside, _MOVIE_MATRIX_AT) or movie
                elif inner == b"trak" and (track := _video_matrix(file, inside, until)):
                    matrices.append(_product(track, movie))
    return matrices


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of the content, end) of the boxes in a stretch of the file, cut off where it ends."""
    for kind, place, length, size in boxes(file, start, end):
        yield kind, place + length, min(end, place + size)


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield (type, offset, length of the header, size) of the boxes in a stretch of the file, until one is no box.

    A box that reaches beyond the stretch has its full size. Source: ISO/IEC 14496-12, 4.2.
    """
    while start + 8 <= end:
        file.seek(start)
        head = file.read(16)
        size, kind, length = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, length = int.from_bytes(head[8:16], "big"), 16
        size = end - start if size == 0 else size
        if size < length or not re.fullmatch(rb"[\w \xa9-]{4}", kind):
            return
        yield kind, start, length, size
        start += size


def _video_matrix(file: BinaryIO, start: int, end: int) -> Matrix | None:
    """Return the display matrix of a track; None where it is no video track."""
    matrix: Matrix | None = None
    is_video = False
    for kind, inside, until in _boxes(file, start, end):
        if kind == b"tkhd":
            matrix = _matrix(file, inside, _TRACK_MATRIX_AT)
        for inner, content, _ in _boxes(file, inside, until) if kind == b"mdia" else ():
            if inner == b"hdlr":
                file.seek(content + 8)
                is_video = file.read(4) == b"vide"
    return (matrix or (1, 0, 0, 1)) if is_video else None


def _matrix(file: BinaryIO, start: int, offsets: dict[int, int]) -> Matrix | None:
    """Return the matrix in a movie's or a track's header."""
    file.seek(start)
    head = file.read(100)
    at = offsets.get(head[0] if head else -1)
    if at is None or len(head) < at + 20:
        return None
    a, b, _, c, d = struct.unpack_from(">5i", head, at)
    return (a / 65536, b / 65536, c / 65536, d / 65536)


def _product(first: Matrix, second: Matrix) -> Matrix:
    """Return what two matrices do, one after the other."""
    a, b, c, d = first
    e, f, g, h = second
    return (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)
