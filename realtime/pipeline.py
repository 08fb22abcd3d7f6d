"""What happens to a frame: find the faces, crop them, follow them, read them, smooth the values, watch for events.

One generator for live and recorded video; they differ in the source before it and in the sinks behind it.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..models.crop import crop_faces
from ..models.face import Face
from ..models.faces import FaceFinder
from ..models.openness import OpennessModel, load_openness_model
from .faces.following import LOOK_EVERY, FaceFollower
from .faces.tracking import Tracker
from .lips.activity import LipActivity, LipSample
from .lips.gates import Gates
from .lips.profiles import Profile
from .lips.smoothing import OneEuroFilter
from .records import Analysis, Frame, Reading
from .system.prefetch import Ahead

MOST_WAITING = 32 << 20  # bytes of pictures that may wait for a batch to fill, or to be read at all


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A frame and the faces found in it."""

    frame: Frame
    faces: list[Face]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A frame whose crops wait for their batch."""

    frame: Frame
    faces: list[Face]
    crops: NDArray[np.uint8]


@dataclass(slots=True)
class Pipeline:
    """Frames in, readings out. One pipeline serves one source: it remembers the faces.

    Attributes:
        finder: finds the faces.
        model: reads the openness.
        profile: a person's own range, to which the openness is fitted; None leaves the network's scale.
        lips: the event engine.
        gates: which readings it may trust.
        look_every: seconds that a new face waits for its first look, at most; 0 looks at every frame.
    """

    finder: FaceFinder = field(default_factory=FaceFinder)
    model: OpennessModel = field(default_factory=load_openness_model)
    profile: Profile | None = None
    lips: LipActivity = field(default_factory=LipActivity)
    gates: Gates = field(default_factory=Gates)
    look_every: float = LOOK_EVERY
    _follower: FaceFollower = field(init=False)
    _tracker: Tracker = field(default_factory=Tracker, init=False)
    _filters: dict[int, OneEuroFilter] = field(default_factory=dict[int, OneEuroFilter], init=False)

    def __post_init__(self) -> None:
        """Set the follower up with the finder."""
        self._follower = FaceFollower(self.finder, self.look_every)

    def run(self, frames: Iterable[Frame | None], batch: int = 1, overlap: bool = False) -> Generator[Analysis]:
        """Analyse frames in their order.

        Args:
            frames: the frames, times never decreasing; None tells that a live source gives no picture.
            batch: crops to collect, over several frames, before the network reads them. On a CPU nothing is gained
                by more than 1, and each frame is answered at once.
            overlap: find the faces of the next frames in a thread of its own while these are read: more frames a
                second on several cores, each of them answered a little later.

        Yields:
            One analysis for each frame, and a silent one where there is none.
        """
        found = (None if frame is None else self._find(frame) for frame in frames)
        if not overlap:
            yield from self._read_in_batches(found, batch)
            return
        with Ahead(found, size=_bytes, max_bytes=MOST_WAITING) as ahead:
            yield from self._read_in_batches(ahead, batch)

    def _find(self, frame: Frame) -> _Found:
        return _Found(frame, self._follower.find(frame.image, frame.time))

    def _read_in_batches(self, found: Iterable[_Found | None], batch: int) -> Iterator[Analysis]:
        waiting: list[_Waiting] = []
        last: Frame | None = None
        for one in found:
            if one is None:
                if last is not None:
                    yield Analysis(last, (), tuple(self.lips.silence(last.time)), silent=True)
                continue
            last = one.frame
            waiting.append(_Waiting(one.frame, one.faces, crop_faces(one.frame.image, one.faces)))
            enough = batch <= 1 or sum(len(w.faces) for w in waiting) >= batch
            if enough or sum(w.frame.image.nbytes for w in waiting) > MOST_WAITING:
                yield from self._read(waiting)
                waiting = []
        yield from self._read(waiting)

    def _read(self, waiting: list[_Waiting]) -> Iterator[Analysis]:
        """Read the crops of the waiting frames in one batch."""
        if not waiting:
            return
        estimates = self.model.read(np.concatenate([w.crops for w in waiting]))
        values = [(float(v), float(r)) for v, r in zip(estimates.openness, estimates.reliability, strict=True)]
        for w in waiting:
            yield self._analysis(w, values[: len(w.faces)])
            values = values[len(w.faces) :]

    def _analysis(self, waiting: _Waiting, values: list[tuple[float, float]]) -> Analysis:
        time, faces = waiting.frame.time, waiting.faces
        ids = self._tracker.update(faces, waiting.crops, time)
        self._filters = {i: f for i, f in self._filters.items() if i in self._tracker.known}
        readings = [
            self._reading(face_id, face, raw, reliability, time)
            for face_id, face, (raw, reliability) in zip(ids, faces, values, strict=True)
        ]
        events = self.lips.update([self._sample(reading) for reading in readings], time)
        readings = [replace(reading, active=self.lips.active(reading.face_id)) for reading in readings]
        return Analysis(waiting.frame, tuple(sorted(readings, key=lambda r: r.face_id)), tuple(events))

    def _reading(self, face_id: int, face: Face, raw: float, reliability: float, time: float) -> Reading:
        smooth = self._filters.setdefault(face_id, OneEuroFilter())
        return Reading(face_id, face, raw, smooth(self._fitted(raw), time), False, reliability)

    def _sample(self, reading: Reading) -> LipSample:
        trusted = self.gates.trust(reading.face, reading.reliability)
        return LipSample(reading.face_id, self._fitted(reading.raw), reading.openness, trusted)

    def _fitted(self, raw: float) -> float:
        return raw if self.profile is None else self.profile.fit(raw)


def _bytes(found: _Found | None) -> int:
    return found.frame.image.nbytes if found else 0


def analyze(source: int | str | PathLike[str], pipeline: Pipeline | None = None) -> Iterator[Analysis]:
    """Analyse a recorded video, or a camera for as long as the loop goes on.

    Args:
        source: a camera's index as an int; else the path of a video, a picture or a folder of frames.
        pipeline: one with settings of its own, not used before; None takes the defaults.

    Yields:
        One analysis for each frame; from a camera always of the newest one, and a silent one when it gives none.

    Raises:
        SourceError: it cannot be read.
    """
    # Imported here: a program that brings its own frames needs neither.
    from .video.cameras import open_camera
    from .video.reader import SILENCE, STALL, Relay
    from .video.sources import open_video

    live = isinstance(source, int)
    opened = open_camera(source) if isinstance(source, int) else open_video(Path(source))
    with (
        opened as video,
        Relay(
            video,
            depth=1 if live else 4,
            drop=live,
            stall=STALL if live else None,
            silence=SILENCE if live else None,
        ) as ahead,
        closing((pipeline or Pipeline()).run(ahead)) as run,
    ):
        yield from run
