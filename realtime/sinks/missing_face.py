"""The sink that says at the end that the face asked for never appeared."""

import logging
from types import TracebackType

from ..records import Analysis
from .sink import Sink

log = logging.getLogger("mouth_live")


class MissingFace(Sink):
    """Warn at the end where a face was chosen by its id and no frame had it."""

    def __init__(self, face: str | None) -> None:
        """Set the choice, as :class:`.FaceChoice` takes it; None for none. Only an id can be missing."""
        self._wanted = int(face) if face is not None and face.isdecimal() else None
        self._seen = set[int]()

    def write(self, analysis: Analysis) -> None:
        """Note the faces of one frame."""
        self._seen.update(reading.face_id for reading in analysis.readings)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Warn, unless an error has ended the session."""
        if kind is None and self._wanted is not None and self._wanted not in self._seen:
            log.warning("face %d never appeared; %s did", self._wanted, _named(sorted(self._seen)))


def _named(faces: list[int]) -> str:
    """Return the faces in words, with the first and the last of an unbroken row."""
    if len(faces) < 2:
        return f"only face {faces[0]}" if faces else "no face"
    *others, last = map(str, faces)
    is_row = faces == list(range(faces[0], faces[-1] + 1)) and others[1:]
    return f"faces {others[0]} to {last}" if is_row else f"faces {', '.join(others)} and {last}"
