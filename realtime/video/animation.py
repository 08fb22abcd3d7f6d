"""Animated pictures (WebP, PNG), which the decoder of still pictures reads as one."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.errors import SourceError
from ..records import Frame
from .capture import as_bgr, quiet_decoder

MAX_BYTES = 256 << 20  # of decoded pictures at a time
NO_DURATION = 0.1  # s: how long browsers show a picture without a duration
_PIXEL_BYTES = 4


def is_animated(content: bytes) -> bool:
    """Return whether a picture file's content is an animated WebP or PNG."""
    if content[:4] == b"RIFF" and content[8:16] == b"WEBPVP8X":
        return bool(content[20:21]) and bool(content[20] & 2)
    return content[:4] == b"\x89PNG" and 0 <= content.find(b"acTL", 0, 1 << 16) < content.find(b"IDAT")


class AnimatedPicture:
    """The pictures of an animation; the attributes are those of :class:`~.sources.VideoSource`."""

    def __init__(self, path: Path, content: bytes) -> None:
        """Decode the first pictures.

        Raises:
            SourceError: they cannot be decoded.
        """
        quiet_decoder()
        self.name, self.files, self.start_time = path.name, (path,), 0.0
        self._content = np.frombuffer(content, np.uint8)
        self._head = self._decoded(0, 1)
        if not self._head:
            raise SourceError(f"{path}: not readable as a picture; is the file damaged?")
        height, width = self._head[0][1].shape[:2]
        self.size = (width, height)
        self._chunk = max(1, MAX_BYTES // (width * height * _PIXEL_BYTES))
        self._head = self._decoded(0, self._chunk)
        seconds = [duration for duration, _ in self._head]
        self.nominal_rate = len(seconds) / sum(seconds)
        self.duration = sum(seconds) if len(seconds) < self._chunk else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def __iter__(self) -> Iterator[Frame]:
        """Yield the pictures, each at the sum of the durations before it."""
        index, time = 0, 0.0
        chunk, self._head = self._head, []
        while chunk:
            complete = len(chunk) == self._chunk
            for duration, picture in chunk:
                yield Frame(index, time, picture)
                index, time = index + 1, time + duration
            chunk = self._decoded(index, self._chunk) if complete else []

    def _decoded(self, start: int, count: int) -> list[tuple[float, NDArray[np.uint8]]]:
        """Return (duration in seconds, (h, w, 3) uint8 BGR picture) of some pictures."""
        ok, animation = cv2.imdecodeanimation(self._content, start, count)
        if not ok:
            return []
        seconds = [float(duration) / 1000 or NO_DURATION for duration in animation.durations]
        pictures = [np.ascontiguousarray(as_bgr(frame)[..., :3]) for frame in animation.frames]
        return list(zip(seconds, pictures, strict=True))
