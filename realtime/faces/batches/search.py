"""What is searched for in each frame of a chunk, and who is followed: the rules of ``following.py``, frame by frame.

There a face is followed by its motion and detected at times, for a pass of the detector is dear. Here each frame has
one, so a face is followed by its detections. All else is as there: when new faces are looked for and verified, when
small ones, lying ones and ones that fill the frame are.

A state is never changed. So a frame can be done again from the state before it, when more was found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log

from ....models.face import Face
from ....models.faces import Found, joined, surer
from ....models.gpu.passes import DetectorPass
from ....models.rectangle import Rectangle
from ....models.rolls import ROLLS, quarters_to_upright
from ....models.tiles import is_cut, is_part_of, tiles
from ..changes import Mosaic, changed
from ..followed import CHECK_EVERY, CHECKS, RESTLESS_EVERY, SURE, is_kept, matched
from ..following import JITTER, LARGE, ROLL_EVERY, SLOW, TILES_AGAIN, TILES_EVERY, WHOLE_EVERY
from .answers import Answers
from .chunks import Chunk

GAP = 0.2  # s that a face may not be detected and still counts as there in between


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A face that is followed.

    Attributes:
        number: stays with it.
        face: as it was last detected.
        seen: when that was, in seconds.
        evidence: that it is a face: log odds, averaged over the last face checks.
        checks: number of face checks.
        checked: time of the last face check.
    """

    number: int
    face: Face
    seen: float
    evidence: float
    checks: int
    checked: float

    def is_check_due(self, time: float, enough: float) -> bool:
        """Return whether to verify it again; ``enough`` is the evidence that makes it a face."""
        return self.checks < CHECKS or self.evidence < SURE * enough or time - self.checked >= CHECK_EVERY

    def with_evidence(self, evidence: float, time: float) -> "Known":
        """Average the result of a face check with those before."""
        checks = self.checks + 1
        average = self.evidence + (evidence - self.evidence) / min(checks, CHECKS)
        return replace(self, evidence=average, checks=checks, checked=time)


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What is known after a frame.

    Attributes:
        faces: those that are followed.
        count: how many were followed so far, to number them.
        time: the frame's, in seconds.
        searched: when new faces were last searched for.
        whole_searched: when the whole frame was last searched for them.
        as_searched: the picture as it was then, each part as it was when it was searched.
        doubtful: whether a detection was not verified.
        unexplained: whether something large moves that is no known face.
        tile: the tile that was searched last.
        tile_turned: when that was.
        tile_seen: when each tile was searched, and the picture then.
        roll: how many turned frames were searched.
        rolled: when the last one was.
    """

    faces: tuple[Known, ...] = ()
    count: int = 0
    time: float = 0.0
    searched: float | None = None
    whole_searched: float | None = None
    as_searched: Mosaic | None = None
    doubtful: bool = False
    unexplained: bool = False
    tile: int = 0
    tile_turned: float = 0.0
    tile_seen: Mapping[int, tuple[float, Mosaic]] = field(default_factory=dict[int, tuple[float, Mosaic]])
    roll: int = 0
    rolled: float = 0.0


class FrameSearch:
    """Searches one frame after the state that the frames before it left."""

    def __init__(self, chunk: Chunk, number: int, answers: Answers, min_evidence: float, min_face: int) -> None:
        """Take a frame.

        Args:
            chunk: its chunk.
            number: its place in it.
            answers: what the device finds in the chunk.
            min_evidence: log odds from which on a detection is verified as a face.
            min_face: the width in pixels of the smallest faces that must be found.
        """
        self._chunk, self._number, self._answers = chunk, number, answers
        self._time = chunk.frames[number].time
        self._min_evidence = min_evidence
        self._tiles = tiles(*chunk.size, min_face)

    def begin_scene(self, before: State) -> State:
        """Search the first frame of a scene for all faces."""
        found = self._verified(self._whole())
        for tile in self._tiles:
            found += self._verified(self._in_tile(tile), [one.face for one in found], passes=len(self._tiles))
        for quarters in ROLLS:
            found = self._with_rolled(quarters, found)
        found = found or self._verified(self._padded())
        time, now = self._time, self._chunk.mosaic(self._number)
        seen = dict.fromkeys(range(len(self._tiles)), (time, now))
        state = replace(before, faces=(), time=time, searched=time, whole_searched=time, rolled=time, tile_turned=time)
        return _with_new(replace(state, as_searched=now, doubtful=False, tile_seen=seen), found, time)

    def go_on(self, before: State) -> State:
        """Follow the known faces into the next frame, and search it for what is due."""
        detections = self._whole()
        faces, taken = self._followed(before.faces, detections)
        state = replace(before, faces=faces, time=self._time)
        is_due = _is_over(state.searched, self._time, RESTLESS_EVERY - JITTER)
        if is_due:
            state = self._searched(state, [d for j, d in enumerate(detections) if j not in taken], detections)
        if not is_due or self._time - before.time > SLOW:
            state = self._next_tile(state)
        return state

    def _followed(self, known: Sequence[Known], detections: Sequence[Face]) -> tuple[tuple[Known, ...], set[int]]:
        """Return the known faces in this frame, and which detections they are."""
        # Of a face that lies, the upright pass detects the points in wrong places, if any.
        upright = [one for one in known if not quarters_to_upright(one.face)]
        pairs = matched([one.face for one in upright], detections)
        seen = {upright[i].number: detections[j] for i, j in pairs.items()}
        for one in known:
            if one.number in seen:
                continue
            others = list(seen.values())
            near = [d for d in self._answers.near(self._number, one.face) if not _belongs(d, others)]
            if pair := matched([one.face], near):
                seen[one.number] = near[pair[0]]
        faces = [
            replace(one, face=seen[one.number], seen=self._time) if one.number in seen else one
            for one in known
            if one.number in seen or self._time - one.seen <= GAP
        ]
        return tuple(faces), set(pairs.values())

    def _searched(self, state: State, new: Sequence[Face], detections: Sequence[Face]) -> State:
        """Verify the known faces, and search for new ones."""
        time, now = self._time, self._chunk.mosaic(self._number)
        state = replace(state, searched=time)
        if not state.faces and not new and not self._is_whole_due(state, now):
            return state
        if state.faces:
            state = self._with_unexplained(state, now, detections)
        faces = [self._checked(one) for one in state.faces]
        faces = [one for one in faces if is_kept(one.evidence, self._min_evidence)]
        state = _with_new(replace(state, faces=tuple(faces)), self._verified(new, [one.face for one in faces]), time)
        if not state.faces:
            state = _with_new(state, self._verified(self._padded()), time)
        if not state.faces or (state.unexplained and _is_over(state.rolled, time, ROLL_EVERY)):
            state = self._rolled(state)
        known = [one.face for one in state.faces]
        doubtful = any(not _belongs(detection, known) for detection in detections)
        return replace(state, as_searched=now, whole_searched=time, doubtful=doubtful)

    def _is_whole_due(self, state: State, now: Mosaic) -> bool:
        """Return whether to search a frame in which no face is known or detected."""
        is_over = _is_over(state.whole_searched, self._time, WHOLE_EVERY - JITTER)
        if state.doubtful or state.as_searched is None or is_over:
            return True
        return changed(state.as_searched, now, self._chunk.size) is not None

    def _with_unexplained(self, state: State, now: Mosaic, detections: Sequence[Face]) -> State:
        if state.as_searched is None:
            return state
        area = changed(state.as_searched, now, self._chunk.size, [_area(one.face) for one in state.faces])
        if area is None:
            return state
        inside = any(area.overlap(_area(detection)) for detection in detections)
        return replace(state, unexplained=not inside and area.height > LARGE * self._chunk.size[1])

    def _checked(self, one: Known) -> Known:
        """Return a face after a face check, if it is due for one."""
        if one.seen != self._time or not one.is_check_due(self._time, self._min_evidence):
            return one
        return one.with_evidence(self._answers.evidence(self._number, one.face), self._time)

    def _rolled(self, state: State) -> State:
        """Search the frame turned by the next number of quarters."""
        before = [Found(one.face, one.evidence) for one in state.faces]
        found = self._with_rolled(ROLLS[state.roll % len(ROLLS)], before)
        kept = tuple(one for one, found_before in zip(state.faces, before, strict=True) if found_before in found)
        state = replace(state, faces=kept, roll=state.roll + 1, rolled=self._time)
        return _with_new(state, [one for one in found if one not in before], self._time)

    def _next_tile(self, state: State) -> State:
        """Search the next tile for new faces, where small ones are wanted and the tile's turn has come."""
        time, areas = self._time, self._tiles
        if not areas or 0 <= time - state.tile_turned < TILES_EVERY / len(areas):
            return state
        number = (state.tile + 1) % len(areas)
        state = replace(state, tile=number, tile_turned=time)
        then, before = state.tile_seen.get(number, (0.0, None))
        now, known = self._chunk.mosaic(self._number), [_area(one.face) for one in state.faces]
        size = self._chunk.size
        if (
            before is not None
            and 0 <= time - then < TILES_AGAIN
            and not changed(before, now, size, known, areas[number])
        ):
            return state
        detections = self._in_tile(areas[number])
        found = self._verified(detections, [one.face for one in state.faces], passes=len(areas))
        state = _with_new(state, found, time)
        if all(_belongs(detection, [one.face for one in state.faces]) for detection in detections):
            state = replace(state, tile_seen={**state.tile_seen, number: (time, now)})
        return state

    def _verified(self, detections: Sequence[Face], known: Sequence[Face] = (), passes: int = 1) -> list[Found]:
        """Return the detections that are new and verified; they come from one of so many passes over the frame."""
        enough = self._min_evidence + log(passes)
        new = [face for face in detections if not _belongs(face, known)]
        found = [Found(face, self._answers.evidence(self._number, face)) for face in new]
        return [one for one in found if one.evidence >= enough]

    def _with_rolled(self, quarters: int, known: Sequence[Found]) -> list[Found]:
        """Return the known faces and those that show in the frame turned by so many quarters."""
        turned = self._answers.detections(DetectorPass(self._number, self._answers.whole, quarters))
        return joined(known, self._verified(turned, passes=1 + len(ROLLS)))

    def _whole(self) -> list[Face]:
        return self._answers.detections(DetectorPass(self._number, self._answers.whole))

    def _padded(self) -> list[Face]:
        answers, number = self._answers, self._number
        return surer(answers.padded(number), lambda: answers.padded(number, grey=True))

    def _in_tile(self, area: Rectangle) -> list[Face]:
        detections = self._answers.detections(DetectorPass(self._number, area, exact=False))
        return [face for face in detections if not is_cut(face, area, *self._chunk.size)]


def _with_new(state: State, found: Sequence[Found], time: float) -> State:
    """Return the state with these faces followed from now on."""
    new = [Known(state.count + i, one.face, time, one.evidence, 1, time) for i, one in enumerate(found)]
    return replace(state, faces=(*state.faces, *new), count=state.count + len(new))


def _is_over(since: float | None, time: float, length: float) -> bool:
    return since is None or time < since or time - since > length + 1e-6


def _belongs(detection: Face, faces: Sequence[Face]) -> bool:
    return any(is_part_of(detection, face) for face in faces)


def _area(face: Face) -> Rectangle:
    left, top, width, height = (round(n) for n in face.box)
    return Rectangle(left, top, width, height)
