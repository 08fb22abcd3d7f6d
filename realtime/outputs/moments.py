"""What the capture loop hands to the outputs: one frame's values and events, small and frozen."""

from dataclasses import dataclass

from ..records import LipEvent


@dataclass(frozen=True, slots=True)
class FaceValue:
    """One face's openness in one frame.

    Attributes:
        face_id: the track.
        openness: smoothed, 0..1.
        raw: the network's value for this frame, 0..1.
    """

    face_id: int
    openness: float
    raw: float


@dataclass(frozen=True, slots=True)
class Slot:
    """What drives an output that has room for one face.

    Attributes:
        openness: of the chosen face, 0..1; 0 when it is lost.
        running: the kinds of event, ``"open"`` or ``"activity"``, that are on.
        face_id: the chosen face; None for anyone, and while there is none.
    """

    openness: float = 0.0
    running: frozenset[str] = frozenset()
    face_id: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame as the outputs see it.

    Attributes:
        time: seconds since the source's first frame.
        values: one for each face, ordered by face id.
        events: what began or ended, for each face.
        slot: what drives outputs with one slot.
        turns: whether anything began or ended, for a face or for the slot; such a moment is never left out.
    """

    time: float
    values: tuple[FaceValue, ...] = ()
    events: tuple[LipEvent, ...] = ()
    slot: Slot = Slot()
    turns: bool = False


def merged(older: Moment, newer: Moment) -> Moment:
    """Both in one: the newer values, the events of both."""
    return Moment(newer.time, newer.values, older.events + newer.events, newer.slot, older.turns or newer.turns)
