"""What travels through the pipeline: a frame, what was read in it, and what happened."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..models.face import Face


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        index: how many frames were decoded before it.
        time: seconds since the source's first frame.
        image: (h, w, 3) uint8, BGR, as displayed (rotation applied).
    """

    index: int
    time: float
    image: NDArray[np.uint8]

    def __repr__(self) -> str:
        """Show the image's width and height, not its pixels."""
        height, width = self.image.shape[:2]
        return f"Frame(index={self.index}, time={self.time:g}, image={width}x{height})"


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

    def __repr__(self) -> str:
        """Show the values to three decimals."""
        values = f"raw={self.raw:.3f}, openness={self.openness:.3f}"
        trust = f"active={self.active}, reliability={self.reliability:.3f}"
        return f"Reading(face_id={self.face_id}, face={self.face!r}, {values}, {trust})"


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
