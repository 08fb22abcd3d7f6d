"""What travels through the pipeline: a frame, what was read in it, and what happened."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..models.face import Face
from ..models.picture import Picture, as_bgr


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        index: how many frames were decoded before it.
        time: seconds since the source's first frame.
        picture: (h, w, 3), as displayed (rotation applied): a camera's is a BGR array; that of a video file stays as it
            was decoded until :attr:`image` is asked for.
    """

    index: int
    time: float
    picture: Picture

    @property
    def image(self) -> NDArray[np.uint8]:
        """(h, w, 3) uint8, BGR; the same array each time."""
        return as_bgr(self.picture)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One face in one frame, read.

    Attributes:
        face_id: the track, from 0; stays with one face.
        face: box, key points and score, in pixels of the frame.
        raw: the network's openness for this frame, 0..1.
        openness: smoothed, 0..1.
        active: whether the lips are active, as in talking.
        reliability: how far to trust ``raw``, 0..1; NaN where the network does not tell.
    """

    face_id: int
    face: Face
    raw: float
    openness: float
    active: bool
    reliability: float


@dataclass(frozen=True, slots=True)
class LipEvent:
    """Something that a face's mouth began or ceased to do.

    Attributes:
        type: ``"start"`` or ``"stop"``.
        kind: ``"open"`` (held open) or ``"activity"`` (moving, as in talking).
        face_id: the track; None for anyone.
        time: when it began or ended to the eye, in seconds since the source's first frame.
        decided: when it was sure, on the same clock: the time of the frame that told. None: at ``time``.
    """

    type: Literal["start", "stop"]
    kind: Literal["open", "activity"]
    face_id: int | None
    time: float
    decided: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """One frame and all that was read in it.

    Attributes:
        frame: the frame.
        readings: one for each face, ordered by face id.
        events: what was decided at this frame to have begun or ended.
        silent: no new picture came: a camera gave none for half a second. ``frame`` is the last one again, there are no
            readings, and ``events`` are the stops of all that was on.
    """

    frame: Frame
    readings: tuple[Reading, ...]
    events: tuple[LipEvent, ...] = ()
    silent: bool = False
