"""One long recording, analysed by several processes: each takes a stretch at a time, and one joins them in order."""

import logging
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ....models.crop import crop_faces
from ...faces.following import FaceFollower
from ...faces.stretches import RecordBuilder, StretchRecord, start_of, stretch_count, stretches_at
from ...pipeline import read_crops
from ...settings import AnalysisSettings, Networks
from ...video.sources import VideoSource, open_video
from ...video.video_file import VideoFile
from .outcome import Outcome
from .pool import Pool
from .products import ProductOptions

log = logging.getLogger("mouth_live")


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of a recording.

    Attributes:
        source: the recording.
        track: the number of its video track; None: the file's default.
        number: the stretch, from 0.
        record: the file that gets its record.
    """

    source: Path
    track: int | None
    number: int
    record: Path

    def as_data(self) -> dict[str, Any]:
        """Return it as data that JSON can hold."""
        names = {"source": str(self.source), "record": str(self.record)}
        return {"track": self.track, "number": self.number, **names}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Make it from what :meth:`as_data` returned."""
        return cls(Path(data["source"]), data["track"], data["number"], Path(data["record"]))


def analyse_stretch(stretch: Stretch, networks: Networks) -> None:
    """Find and read the faces of a stretch, and write its record.

    Raises:
        SourceError: the recording cannot be read.
        OSError: the record cannot be written.
    """
    follower, builder = FaceFollower(networks.finder), RecordBuilder()
    with open_video(stretch.source, stretch.track) as video:
        pictures = video.pictures_since(start_of(stretch.number)) if isinstance(video, VideoFile) else ()
        for time, image in pictures:
            numbers = stretches_at(time)
            if numbers[0] > stretch.number:
                break
            if stretch.number not in numbers:
                continue
            faces = follower.find(image, time)
            warms_up = numbers[0] != stretch.number
            values = [(0.0, 0.0)] * len(faces) if warms_up else read_crops(networks.model, crop_faces(image, faces))
            builder.add(image, time, follower.is_cut, faces, values)
    builder.record().save(stretch.record)


class StretchRecords:
    """The records of a recording's stretches, as worker processes make them."""

    def __init__(self, pool: Pool[Stretch]) -> None:
        """Take over a pool that has started with all stretches."""
        self._pool = pool
        self._done: dict[int, StretchRecord | None] = {}

    def record_of(self, number: int) -> StretchRecord | None:
        """Wait for the record of a stretch, and return it; None where there is none."""
        while number not in self._done:
            done = self._pool.next_done()
            if done is None:  # the pool was closed, or has done all
                return None
            stretch, outcome = done
            self._done[stretch.number] = _loaded(stretch, outcome)
        return self._done[number]


def _loaded(stretch: Stretch, outcome: Outcome) -> StretchRecord | None:
    if outcome.error:
        log.debug("%s: stretch %d: %s", stretch.source, stretch.number, outcome.error)
        return None
    record = StretchRecord.load(stretch.record)
    stretch.record.unlink()
    return record


class Splitter:
    """Has the stretches of long recordings analysed by worker processes, one recording after the other."""

    def __init__(self, workers: int, options: ProductOptions, settings: AnalysisSettings) -> None:
        """Prepare it.

        Args:
            workers: the number of processes.
            options: how products are written.
            settings: the settings of the analysis, on the CPU.
        """
        self._workers, self._options, self._settings = workers, options, settings

    @contextmanager
    def records(self, source: Path, video: VideoSource) -> Generator[Callable[[int], StretchRecord | None]]:
        """Analyse the stretches of an open recording in the background; yield what waits for the record of one."""
        count = stretch_count(video.duration or 0)
        with tempfile.TemporaryDirectory(prefix="mouth-live-") as folder:
            pool = Pool[Stretch](min(self._workers, count), self._options, self._settings)
            stretches = [
                Stretch(source, self._options.track, number, Path(folder, f"{number}.npz")) for number in range(count)
            ]
            with closing(pool):
                pool.start(stretches)
                yield StretchRecords(pool).record_of
