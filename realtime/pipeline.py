"""What happens to a frame: find the faces, crop them, read their openness, track and smooth it, detect lip events.

Live and recorded video share this pipeline. They differ only in the source before it and in the sinks after it, which
:mod:`.session` puts together.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ..models.checked import checked_image, checked_type
from ..models.crop import crop_faces
from ..models.face import Face
from ..models.faces import FaceFinder
from ..models.openness import OpennessModel, load_openness_model
from .faces.batches.batch_follower import BatchFollower
from .faces.batches.chunks import Chunk, Chunker
from .faces.batches.device import Device
from .faces.following import DETECT_INTERVAL, FaceFollower
from .faces.stretches import StretchFollower, StretchRecord, Values
from .faces.tracking import Tracker
from .lips.activity import LipActivity, LipSample
from .lips.gates import Gates
from .lips.limits import activity_score
from .lips.profiles import Profile
from .lips.smoothing import MIN_CUTOFF, OneEuroFilter
from .records import Analysis, Frame, Reading

MAX_WAITING_BYTES = 32 << 20  # of pictures that wait for a full batch, or for the network


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFaces:
    """A frame, the faces that were found in it, and whether it shows another scene than the frame before.

    Attributes:
        frame: the frame.
        faces: the faces in it.
        is_cut: whether it shows another scene than the frame before.
        values: the openness and the reliability of each face, where they were read elsewhere.
        crops: (n, 60, 60, 3) uint8 RGB, the crops of the faces, where they were cut out elsewhere.
        picture: (h, w, 3) uint8 BGR, a copy of the frame that is small where the frame itself has no pixels; None: the
            frame's own.
        scale: the size of the copy as a share of the frame's.
    """

    frame: Frame
    faces: list[Face]
    is_cut: bool
    values: Values | None = None
    crops: NDArray[np.uint8] | None = None
    picture: NDArray[np.uint8] | None = None
    scale: float = 1.0

    @property
    def nbytes(self) -> int:
        """The size of the picture in bytes."""
        return self.frame.image.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A frame's faces whose crops wait for their batch; the crops are (n, 60, 60, 3) uint8 RGB."""

    found: DetectedFaces
    crops: NDArray[np.uint8]

    @property
    def count(self) -> int:
        """The number of faces."""
        return len(self.found.faces)


def read_crops(model: OpennessModel, crops: NDArray[np.uint8]) -> Values:
    """Return the openness and the reliability of each of the crops, (n, 60, 60, 3) uint8 RGB."""
    estimates = model.read(crops)
    return list(zip(estimates.openness.tolist(), estimates.reliability.tolist(), strict=True))


@dataclass(slots=True)
class Pipeline:
    """The way from frames to readings and events. A pipeline serves one source, because it remembers the faces.

    Attributes:
        finder: the face detector.
        model: the openness network.
        profile: a person's own range, to which openness is rescaled; None keeps the network's scale.
        lips: the event engine.
        gates: the limits within which the event engine may use a reading.
        detect_interval: the most seconds until a new face is detected; 0 runs the detector on every frame.
        live: whether no frame may be late: the search for all faces at the start and after a cut is then spread over
            the next frames. Of recorded video it is done in the first.
        long: whether the faces are found in stretches (``faces/stretches.py``), as in every long recording.
        record_of: returns the record of a stretch that was analysed elsewhere, by its number.
        device: finds and reads the faces of many frames at once, in place of the finder and the model; None: those do.
        min_cutoff: the cut-off frequency in Hz of the smoothing while the value rests; lower is calmer and slower. It
            may be changed at any time.
    """

    finder: FaceFinder = field(default_factory=FaceFinder)
    model: OpennessModel = field(default_factory=load_openness_model)
    profile: Profile | None = None
    lips: LipActivity = field(default_factory=LipActivity)
    gates: Gates = field(default_factory=Gates)
    detect_interval: float = DETECT_INTERVAL
    live: bool = False
    long: bool = False
    record_of: Callable[[int], StretchRecord | None] | None = None
    device: Device | None = None
    min_cutoff: float = MIN_CUTOFF
    _follower: FaceFollower | StretchFollower = field(init=False)
    _tracker: Tracker = field(default_factory=Tracker, init=False)
    _last_time: float = field(default=0.0, init=False)
    _filters: dict[int, OneEuroFilter] = field(default_factory=dict[int, OneEuroFilter], init=False)

    def __post_init__(self) -> None:
        """Make the follower, which runs the finder.

        Raises:
            TypeError: the finder, the model or the event engine cannot do its work.
        """
        parts = {"finder": (self.finder, "detect"), "model": (self.model, "read"), "lips": (self.lips, "update")}
        for name, (part, method) in parts.items():
            if not callable(getattr(part, method, None)):
                raise TypeError(f"{name}: expected an object with the method {method}, got {type(part).__name__}")
        new = partial(FaceFollower, self.finder, self.detect_interval, self.live)
        self._follower = StretchFollower(new, self.record_of) if self.long else new()

    def use_profile(self, profile: Profile) -> None:
        """Rescale the openness of all further frames to a person's own range."""
        self.profile = profile

    def run(self, frames: Iterable[Frame | None], batch: int = 1) -> Generator[Analysis]:
        """Analyse frames in order: :meth:`find`, then :meth:`read`.

        Args:
            frames: the frames, times never decreasing. None means that a live source gives no picture.
            batch: the number of crops to collect, over several frames, before the network reads them. On a CPU more
                than 1 gains nothing, and with 1 each frame is analysed at once.

        Yields:
            One analysis for each frame, and a silent one for each None.
        """
        yield from self.read(self.find(frames), batch)

    def find(self, frames: Iterable[Frame | None]) -> Generator[DetectedFaces | None]:
        """Yield each frame with its faces: the first half of :meth:`run`, which may run in a thread of its own."""
        if self.device is not None:
            chunker = Chunker(self.device)
            yield from self.find_in(chunker.chunks(frame for frame in frames if frame is not None), chunker)
            return
        for frame in frames:
            if frame is None:
                yield None
                continue
            checked_type(frame, Frame, "frames", "; pass pictures to analyze(...)")
            image = checked_image(frame.image)
            frame = frame if image is frame.image else replace(frame, image=image)  # noqa: PLW2901
            faces = self._follower.find(image, frame.time)
            values = self._follower.values if isinstance(self._follower, StretchFollower) else None
            yield DetectedFaces(frame, faces, self._follower.is_cut, values)

    def find_in(self, chunks: Iterable[Chunk], chunker: Chunker) -> Generator[DetectedFaces]:
        """Yield the frames of chunks on the device, each with its faces, which are read there too.

        Args:
            chunks: the frames in order.
            chunker: decides how many frames a chunk has.
        """
        assert self.device is not None
        for one in BatchFollower(self.device, chunker).run(chunks):
            yield DetectedFaces(one.frame, one.faces, one.is_cut, one.values, one.crops, one.picture, one.scale)

    def read(self, found: Iterable[DetectedFaces | None], batch: int = 1) -> Generator[Analysis]:
        """Crop and read the faces in batches, and yield the analyses: the second half of :meth:`run`."""
        waiting: list[_Waiting] = []
        last: Frame | None = None
        for one in found:
            if one is None:
                if last is not None:
                    yield Analysis(last, (), tuple(self.lips.stop_all(last.time)), silent=True)
                continue
            last = one.frame
            waiting.append(_Waiting(one, crop_faces(last.image, one.faces) if one.crops is None else one.crops))
            enough = batch <= 1 or sum(w.count for w in waiting) >= batch
            if enough or sum(w.found.nbytes for w in waiting) > MAX_WAITING_BYTES:
                yield from self._read_batch(waiting)
                waiting = []
        yield from self._read_batch(waiting)

    def _read_batch(self, waiting: list[_Waiting]) -> Iterator[Analysis]:
        """Read the crops of the waiting frames in one batch, and yield the analyses."""
        if not waiting:
            return
        unread = [w.crops for w in waiting if w.found.values is None]
        values = iter(read_crops(self.model, np.concatenate(unread)) if unread else ())
        for w in waiting:
            yield self._analysis(w, w.found.values or list(islice(values, w.count)))

    def _analysis(self, waiting: _Waiting, values: Values) -> Analysis:
        found, frame, faces, time = waiting.found, waiting.found.frame, waiting.found.faces, waiting.found.frame.time
        # No event goes on over a cut: it stops with the last frame before.
        stops = self.lips.stop_all(self._last_time) if found.is_cut else []
        self._last_time = time
        picture = frame.image if found.picture is None else found.picture
        ids = self._tracker.update(picture, _scaled(faces, found.scale), waiting.crops, time, found.is_cut)
        self._filters = {i: f for i, f in self._filters.items() if i in self._tracker.known}
        readings = [
            self._reading(face_id, face, raw, reliability, time)
            for face_id, face, (raw, reliability) in zip(ids, faces, values, strict=True)
        ]
        events = stops + self.lips.update([self._sample(reading) for reading in readings], time)
        readings = sorted(map(self._with_activity, readings), key=lambda r: r.face_id)
        return Analysis(frame, tuple(readings), tuple(events))

    def _reading(self, face_id: int, face: Face, raw: float, reliability: float, time: float) -> Reading:
        smooth = self._filters.setdefault(face_id, OneEuroFilter())
        smooth.use_cutoff(self.min_cutoff)
        return Reading(face_id, face, raw, smooth(self._rescaled(raw), time), False, reliability)

    def _with_activity(self, reading: Reading) -> Reading:
        """Return the reading with what the event engine makes of it."""
        active, movement = self.lips.is_active(reading.face_id), self.lips.movement(reading.face_id)
        return replace(reading, active=active, movement=movement, activity=activity_score(movement))

    def _sample(self, reading: Reading) -> LipSample:
        trusted = self.gates.trust(reading.face, reading.reliability)
        return LipSample(reading.face_id, self._rescaled(reading.raw), reading.openness, trusted)

    def _rescaled(self, raw: float) -> float:
        return raw if self.profile is None else self.profile.fit(raw)


def _scaled(faces: Sequence[Face], scale: float) -> Sequence[Face]:
    """Return the faces in a copy of the picture of another size, a share of its own."""
    if scale == 1:
        return faces
    return [
        Face(tuple(scale * n for n in face.box), face.keypoints * np.float32(scale), face.score)  # type: ignore[arg-type]
        for face in faces
    ]
