"""Which lip events are on."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..records import LipEvent
from .limits import Kind


class OngoingEvents:
    """The starts that have no stop yet, in the order in which they began.

    Iterate over it for the starts. ``event in ongoing`` tells whether an event of the same kind and face is on.
    """

    def __init__(self, starts: Iterable[LipEvent] = ()) -> None:
        """Begin with these starts on."""
        self._starts = {(start.kind, start.face_id): start for start in starts}

    def __iter__(self) -> Iterator[LipEvent]:
        return iter(self._starts.values())

    def __len__(self) -> int:
        return len(self._starts)

    def __contains__(self, event: LipEvent) -> bool:
        return (event.kind, event.face_id) in self._starts

    def take(self, event: LipEvent) -> LipEvent | None:
        """Add a start, or remove the start that a stop ends.

        Returns:
            The start that a stop ends. None for a start, and for a stop of what is not on.
        """
        key = event.kind, event.face_id
        if event.type == "stop":
            return self._starts.pop(key, None)
        self._starts[key] = event
        return None

    def kinds(self, face_id: int | None) -> frozenset[Kind]:
        """Return the kinds of event that are on for a face; None is anyone."""
        return frozenset(start.kind for start in self if start.face_id == face_id)

    def stops(self, time: float) -> list[LipEvent]:
        """Return the stops of all that is on; it stays on until they are taken.

        Args:
            time: of the stops, in seconds of the source; a stop is never earlier than its start.
        """
        ends = [(start, max(time, start.time)) for start in self]
        return [replace(start, type="stop", time=end, decided=end) for start, end in ends]

    def clear(self) -> None:
        """Forget all starts."""
        self._starts.clear()
