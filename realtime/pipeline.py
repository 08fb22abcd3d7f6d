"""What happens to a frame: find the faces, crop them, read them, follow each, smooth its value, watch for events.

One pipeline for live and recorded video. They differ in the source before it and in the sinks behind it, which
:mod:`.session` puts together.
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..models.crop import crop_faces
from ..models.face import Face
from ..models.faces import FaceFinder
from ..models.openness import OpennessModel, load_openness_model
from .faces.following import DETECT_EVERY, FaceFollower
from .faces.tracking import Tracker
from .lips.activity import LipActivity, LipSample
from .lips.gates import Gates
from .lips.profiles import Profile
from .lips.smoothing import OneEuroFilter
from .records import Analysis, Frame, Reading

MAX_WAITING_BYTES = 32 << 20  # of pictures that wait for a batch to fill, or to be read at all


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A frame and the faces found in it."""

    frame: Frame
    faces: list[Face]

    @property
    def nbytes(self) -> int:
        """The size of the picture in bytes."""
        return self.frame.image.nbytes


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
        detect_every: seconds until a new face is detected, at most; 0 runs the detector on every frame.
    """

    finder: FaceFinder = field(default_factory=FaceFinder)
    model: OpennessModel = field(default_factory=load_openness_model)
    profile: Profile | None = None
    lips: LipActivity = field(default_factory=LipActivity)
    gates: Gates = field(default_factory=Gates)
    detect_every: float = DETECT_EVERY
    _follower: FaceFollower = field(init=False)
    _tracker: Tracker = field(default_factory=Tracker, init=False)
    _filters: dict[int, OneEuroFilter] = field(default_factory=dict[int, OneEuroFilter], init=False)

    def __post_init__(self) -> None:
        """Set the follower up with the finder."""
        self._follower = FaceFollower(self.finder, self.detect_every)

    def use_profile(self, profile: Profile) -> None:
        """Fit the openness of the frames to come to a person's own range."""
        self.profile = profile

    def run(self, frames: Iterable[Frame | None], batch: int = 1) -> Generator[Analysis]:
        """Analyse frames in their order: :meth:`find` and :meth:`read` one after the other.

        Args:
            frames: the frames, times never decreasing. None means that a live source gives no picture.
            batch: crops to collect, over several frames, before the network reads them. On a CPU nothing is gained
                by more than 1, and each frame is answered at once.

        Yields:
            One analysis for each frame, and a silent one where there is no picture.
        """
        yield from self.read(self.find(frames), batch)

    def find(self, frames: Iterable[Frame | None]) -> Generator[Found | None]:
        """Find the faces of each frame; the first half of :meth:`run`, which may have a thread of its own."""
        for frame in frames:
            yield None if frame is None else Found(frame, self._follower.find(frame.image, frame.time))

    def read(self, found: Iterable[Found | None], batch: int = 1) -> Generator[Analysis]:
        """Crop and read the faces that were found, in batches; the second half of :meth:`run`."""
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
            if enough or sum(w.frame.image.nbytes for w in waiting) > MAX_WAITING_BYTES:
                yield from self._read_batch(waiting)
                waiting = []
        yield from self._read_batch(waiting)

    def _read_batch(self, waiting: list[_Waiting]) -> Iterator[Analysis]:
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
