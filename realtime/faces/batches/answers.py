"""What the device found in the pictures of a chunk: asked for first, then found for all frames at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ....models.errors import OutOfDeviceMemoryError
from ....models.face import Face
from ....models.faces import PADDING, SURROUNDINGS
from ....models.gpu.passes import DetectorPass
from ....models.rectangle import Rectangle
from ....models.rolls import quarters_to_upright
from .chunks import Chunk
from .device import Finder

SURE = 100.0  # log odds of what surely is a face
SIMILAR = 0.7  # of a face's size: another search around it did for one of about its size
DRIFT = 0.5  # of a face's size that it may lie from the middle of a search around it

Part = TypeVar("Part")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Near:
    """A search around a face: its pass, the face's size, and its middle, all in pixels."""

    one: DetectorPass
    side: float
    across: float
    down: float


class Answers:
    """Answers questions about the frames of a chunk from what was found, and notes those that it cannot answer yet.

    Attributes:
        is_waiting: whether a question was asked that has no answer yet.
        is_final: whether what was not found yet counts as not there.
    """

    def __init__(self, chunk: Chunk, finder: Finder, when_full: Callable[[], None]) -> None:
        """Search the whole of each frame.

        Args:
            chunk: the frames.
            finder: searches them.
            when_full: called before work is tried again in halves, because the device's memory was full.
        """
        self._pictures, self._finder, self._when_full = chunk.pictures, finder, when_full
        self._found: dict[DetectorPass, list[Face]] = {}
        self._near: dict[int, list[_Near]] = {}
        self._evidence: dict[tuple[int, int], float] = {}
        self._passes: dict[DetectorPass, None] = {}  # that are asked for, in order
        self._checks: dict[tuple[int, int], Face] = {}
        self.is_waiting = self.is_final = False
        self.whole = Rectangle(0, 0, chunk.pictures.width, chunk.pictures.height)
        for number in range(chunk.pictures.count):
            self.detections(DetectorPass(number, self.whole))
        self.find()

    def detections(self, wanted: DetectorPass) -> list[Face]:
        """Return what a pass detects; nothing where it was not made yet."""
        found = self._found.get(wanted)
        if found is None and not self.is_final:
            self._passes[wanted] = None
            self.is_waiting = True
        return found or []

    def padded(self, frame: int, *, grey: bool = False) -> list[Face]:
        """Return what is detected in a frame shrunk and padded, so that a face which fills it has half its size."""
        right, down = round(self.whole.width * PADDING), round(self.whole.height * PADDING)
        area = Rectangle(-right, -down, self.whole.width + 2 * right, self.whole.height + 2 * down)
        return self.detections(DetectorPass(frame, area, grey=grey))

    def near(self, frame: int, face: Face) -> list[Face]:
        """Return what is detected in the surroundings of a face seen before; nothing where it was not searched yet."""
        (x, y, width, height), quarters = face.box, quarters_to_upright(face)
        side, across, down = max(width, height), x + width / 2, y + height / 2
        for made in self._near.get(frame, ()):
            apart = max(abs(made.across - across), abs(made.down - down))
            alike = SIMILAR * made.side <= side <= made.side / SIMILAR
            if made.one.quarters == quarters and apart <= DRIFT * side and alike:
                return self.detections(made.one)
        reach = SURROUNDINGS * side / 2
        left, top = max(0, round(across - reach)), max(0, round(down - reach))
        right, bottom = min(self.whole.width, round(across + reach)), min(self.whole.height, round(down + reach))
        if right <= left or bottom <= top:
            return []
        wanted = DetectorPass(frame, Rectangle(left, top, right - left, bottom - top), quarters)
        self._near.setdefault(frame, []).append(_Near(wanted, side, across, down))
        return self.detections(wanted)

    def evidence(self, frame: int, face: Face) -> float:
        """Return the evidence for a detection, log odds; as if it were sure where that was not found yet."""
        key = frame, id(face)
        if key in self._evidence:
            return self._evidence[key]
        if self.is_final:
            return -SURE
        self._checks[key] = face
        self.is_waiting = True
        return SURE

    def find(self) -> None:
        """Find all that was asked for."""
        passes, self._passes = list(self._passes), {}
        if passes:
            found = self._in_parts(lambda part: self._finder.detect(self._pictures, part), passes)
            self._found.update(zip(passes, found, strict=True))
        checks, self._checks = self._checks, {}
        if checks:
            placed = [(frame, face) for (frame, _), face in checks.items()]
            sure = self._in_parts(lambda part: self._finder.evidence(self._pictures, part).tolist(), placed)
            self._evidence.update(zip(checks, sure, strict=True))
        self.is_waiting = False

    def _in_parts(self, work: Callable[[Sequence[Part]], list[Result]], parts: Sequence[Part]) -> list[Result]:
        return in_parts(work, parts, self._when_full)


def in_parts(
    work: Callable[[Sequence[Part]], list[Result]], parts: Sequence[Part], when_full: Callable[[], None]
) -> list[Result]:
    """Do work for all parts at once, or by halves where the device's memory is too small for it.

    Raises:
        OutOfDeviceMemoryError: there is too little memory for one part.
    """
    try:
        return work(parts)
    except OutOfDeviceMemoryError:
        if len(parts) == 1:
            raise
    when_full()
    middle = len(parts) // 2
    return in_parts(work, parts[:middle], when_full) + in_parts(work, parts[middle:], when_full)
