"""What the outputs get of each frame: its values and events, small and frozen."""

from dataclasses import dataclass
from math import nan

from ..records import LipEvent


@dataclass(frozen=True, slots=True)
class FaceValue:
    """One face's openness in one frame.

    Attributes:
        face_id: the track.
        openness: smoothed, 0..1.
        raw: the network's value for this frame, 0..1.
        activity: how much the lips move, 0..1; NaN where no reading of the face may count.
    """

    face_id: int
    openness: float
    raw: float
    activity: float = nan


@dataclass(frozen=True, slots=True)
class Slot:
    """The state of the chosen face: what drives an output that has room for one.

    Attributes:
        openness: of the chosen face, 0..1; 0 when it is lost.
        ongoing: the kinds of event, ``"open"`` or ``"activity"``, that are on.
        face_id: the chosen face; None for anyone, and while there is none.
    """

    openness: float = 0.0
    ongoing: frozenset[str] = frozenset()
    face_id: int | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """One frame for the outputs.

    Attributes:
        time: seconds since the source's first frame.
        values: one for each face, ordered by face id.
        events: starts and stops of each face.
        slot: the state of the chosen face.
        has_changes: whether an event of a face or of the slot starts or stops. Such an update is never dropped.
        previous: the slot that was sent last on this connection; None for the first update after :meth:`.Output.open`.
            An output compares it with ``slot`` to send changes only.
    """

    time: float
    values: tuple[FaceValue, ...] = ()
    events: tuple[LipEvent, ...] = ()
    slot: Slot = Slot()
    has_changes: bool = False
    previous: Slot | None = None


def merge(older: Update, newer: Update) -> Update:
    """Return one update with the values of the newer and the events of both."""
    events = older.events + newer.events
    return Update(newer.time, newer.values, events, newer.slot, older.has_changes or newer.has_changes)
