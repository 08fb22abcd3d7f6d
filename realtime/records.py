"""The records that travel through the pipeline: frames, readings, lip events and analyses."""

from dataclasses import dataclass
from math import nan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..models.face import Face


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        index: the number of frames that were decoded before it.
        time: its presentation time, in seconds since the source's first frame.
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
    """The reading of one face in one frame.

    Attributes:
        face_id: the track, from 0; it stays with one face.
        face: the box and key points in pixels of the frame, and the detection score.
        raw: the network's openness for this frame, 0..1.
        openness: the smoothed openness, 0..1.
        active: whether the lips are active, as in talking.
        reliability: how far to trust ``raw``, 0..1; NaN where the network does not report it.
        movement: how much the lips move, the level of ``activity``; NaN where no reading of the face may count.
        activity: the same from 0 (at rest) to 1, on a scale on which the default limit is 0.5.
    """

    face_id: int
    face: Face
    raw: float
    openness: float
    active: bool
    reliability: float
    movement: float = nan
    activity: float = nan

    def __repr__(self) -> str:
        """Show the values to three decimals."""
        values = f"raw={self.raw:.3f}, openness={self.openness:.3f}"
        trust = f"active={self.active}, reliability={self.reliability:.3f}"
        return f"Reading(face_id={self.face_id}, face={self.face!r}, {values}, {trust})"


@dataclass(frozen=True, slots=True)
class LipEvent:
    """The start or the stop of something that a face's mouth does.

    Attributes:
        type: ``"start"`` or ``"stop"``.
        kind: ``"open"`` (held open) or ``"activity"`` (moving, as in talking).
        face_id: the track; None for anyone.
        time: when it visibly began or ended, in seconds since the source's first frame.
        decided: the time of the frame at which that was certain, on the same clock. None: at ``time``.
    """

    type: Literal["start", "stop"]
    kind: Literal["open", "activity"]
    face_id: int | None
    time: float
    decided: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """One frame with its readings and events.

    Attributes:
        frame: the frame.
        readings: one for each face, ordered by face id.
        events: the starts and stops that were decided at this frame.
        silent: whether the source gave no new picture for half a second. Then ``frame`` is the last one again, there
            are no readings, and ``events`` are the stops of all events that were on.
    """

    frame: Frame
    readings: tuple[Reading, ...]
    events: tuple[LipEvent, ...] = ()
    silent: bool = False
