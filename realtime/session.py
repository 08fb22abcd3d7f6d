"""The one way through the program: open a source, read ahead, analyse, feed sinks and outputs, end well.

Every command and :func:`analyze` go this way::

    with open_session("talk.mp4", AnalysisSettings(min_face=20)) as session:
        session.run([CsvSink("talk.csv")])

Recorded video: each frame is analysed, and the faces of the next frames are found in a thread of their own meanwhile.
Live video: the newest frame wins, and a thread of its own analyses it, so that neither drawing nor a slow disk holds
the next one up.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from math import ceil
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import cv2

from ..models.errors import IncompleteVideoError, SourceError, UsageError
from ..models.faces import FaceFinder
from ..models.openness import OpennessModel, load_openness_model
from ..models.whole_file import is_stream, same_file
from .faces.following import DETECT_EVERY
from .lips.activity import LipActivity
from .lips.face_choice import LARGEST
from .lips.profiles import profile_for
from .outputs.fan_out import FanOut
from .outputs.output import Output
from .pipeline import MAX_WAITING_BYTES, Found, Pipeline
from .records import Analysis, Frame
from .settings import AnalysisSettings
from .sinks.sink import Sink
from .system.prefetch import Prefetch
from .system.signals import StopSignals, Terminated
from .video.arrays import ArraySource
from .video.cameras import open_camera
from .video.reader import SILENCE_TIMEOUT, STALL_TIMEOUT, FrameReader
from .video.sources import Pictures, VideoSource, open_video

GPU_BATCH = 64  # crops; a GPU is idle with less
MAX_QUEUED_ANALYSES = 32  # of live video, read and waiting to be written and drawn

Source = int | str | PathLike[str] | VideoSource | Iterable[object]
"""A camera's index, a path, a URL, an open source, or an iterable of pictures as :class:`.ArraySource` takes them."""


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks of an analysis, loaded once for any number of sources, one after the other."""

    finder: FaceFinder
    model: OpennessModel


def load_networks(settings: AnalysisSettings) -> Networks:
    """Load what the settings name.

    Raises:
        ModelError: no such weights, or they are damaged.
        DeviceError: a GPU was asked for and there is none.
        MissingExtraError: the detector's package is not installed.
    """
    model = load_openness_model(settings.model, settings.device)
    return Networks(FaceFinder(settings.min_score, settings.backend, min_face=settings.min_face), model)


def open_session(
    source: Source,
    settings: AnalysisSettings | None = None,
    *,
    live: bool | None = None,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    max_frames: int | None = None,
    networks: Networks | None = None,
) -> "Session":
    """Open a source and get its analysis ready.

    Args:
        source: what to analyse; see :data:`Source`.
        settings: how; None takes the defaults.
        live: whether only the newest frame counts. None: cameras and URLs are live, all else is recorded. True plays a
            file at its own pace, as if it were a camera.
        size: (width, height) in pixels to ask a camera for.
        fps: frames per second to ask a camera for.
        max_frames: analyse about so many frames of a recording, evenly spread, each searched for faces anew; None
            analyses all.
        networks: those of ``settings``, loaded before; None loads them.

    Raises:
        SourceError: the source cannot be read.
        ModelError, DeviceError, MissingExtraError: as :func:`load_networks`.
        ProfileError: there is no such profile.
        TypeError: ``source`` is nothing that can be analysed.
    """
    settings = settings or AnalysisSettings()
    networks = networks or load_networks(settings)
    profile = profile_for(settings.profile, networks.model.name)
    live = _is_live(source) if live is None else live
    opened = open_source(source, live, size, fps)
    step = _step(opened, max_frames)
    # Pictures of a folder need not follow on each other, nor do frames far apart: each is searched anew.
    detect_every = 0 if step > 1 or isinstance(opened, Pictures) else DETECT_EVERY
    lips = LipActivity(settings.limits)
    pipeline = Pipeline(networks.finder, networks.model, profile, lips, detect_every=detect_every)
    return Session(opened, pipeline, live, step)


def open_source(
    source: Source, live: bool, size: tuple[int, int] | None = None, fps: float | None = None
) -> VideoSource:
    """Open what :data:`Source` names; arguments and errors as for :func:`open_session`."""
    if isinstance(source, int) and not isinstance(source, bool):
        return open_camera(source, size, fps)
    if isinstance(source, str | PathLike):
        return open_camera(str(source), size, fps) if live else open_video(Path(source))
    if isinstance(source, VideoSource):
        return source
    if isinstance(source, Iterable) and not hasattr(source, "dtype"):
        return ArraySource(source)
    raise TypeError(
        "source: expected a camera's index, a path, a URL, or an iterable of (h, w, 3) uint8 arrays, "
        f"got {type(source).__name__}; put a single picture into a list"
    )


def _is_live(source: Source) -> bool:
    return isinstance(source, int) or (isinstance(source, str) and "://" in source)


def _step(source: VideoSource, max_frames: int | None) -> int:
    """Return of how many frames one is analysed."""
    return max(1, ceil((_frame_count(source) or 0) / max_frames)) if max_frames else 1


def _frame_count(source: VideoSource) -> int | None:
    """Return the number of frames, about; None where unknown."""
    return round(source.duration * source.nominal_rate) if source.duration else None


class Session:
    """An open source and the analysis of its frames; iterate it, or let it :meth:`run` into sinks. Used once.

    Attributes:
        source: where the frames come from, with its name, size and rate.
        pipeline: what happens to each frame.
        live: whether frames are dropped to keep up.
        interrupted: whether Ctrl-C ended :meth:`run`.
    """

    def __init__(self, source: VideoSource, pipeline: Pipeline, live: bool, step: int = 1) -> None:
        """Take over an open source; every ``step``-th frame is analysed."""
        self.source, self.pipeline, self.live = source, pipeline, live
        self.interrupted = False
        self._step = step
        self._reader: FrameReader | None = None
        self._queue: Prefetch[Analysis] | None = None

    @property
    def frame_count(self) -> int | None:
        """The number of frames to analyse, an estimate for progress; None where unknown."""
        total = _frame_count(self.source)
        return total if total is None else ceil(total / self._step)

    @property
    def dropped(self) -> int:
        """The number of frames that were thrown away to keep up."""
        return 0 if self._reader is None else self._reader.dropped

    @property
    def queued(self) -> int:
        """The number of live frames that are analysed and wait for the sinks."""
        return 0 if self._queue is None else self._queue.waiting

    def __enter__(self) -> Self:
        self.source.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the source."""
        self.source.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[Analysis]:
        """Yield one analysis for each frame; from a camera of the newest one, and a silent one when it gives none.

        Raises:
            SourceError: the source cannot be read on; what was read comes first.
        """
        return self._analyses(lambda: False)

    def run(self, sinks: Sequence[Sink] = (), outputs: Sequence[Output] = (), face: str = LARGEST) -> None:
        """Feed all analyses to sinks and outputs until the source, a sink, an error or a signal ends it.

        A recording that is cut off, and a camera that is lost, are written as far as they go. Ctrl-C and SIGTERM, once
        or many times, end live video with all files whole. The products of a recording that they break off keep their
        ``.part`` names.

        Args:
            sinks: entered before the first frame, in their order.
            outputs: the apps to send to.
            face: who drives an output that has room for one face, as :class:`.FaceChoice` takes it.

        Raises:
            SourceError: the source cannot be read on; IncompleteVideoError for a recording that is cut off.
            SinkError: an output cannot be written, or can never work here.
            UsageError: an output is the source itself, or the output of another sink.
            KeyboardInterrupt: in a recording; live video is ended by Ctrl-C, and nothing is raised.
            Terminated: SIGTERM, where the command line handles it.
        """
        self._refuse_clashes([sink.path for sink in sinks if sink.path is not None])
        cv2.setNumThreads(1)  # the stages run side by side; OpenCV's own threads for single warps only delay them
        with StopSignals() as stop:
            ended = self._feed(sinks, FanOut(outputs, face, self.live), stop)
        self.interrupted = isinstance(ended, KeyboardInterrupt)
        if ended is not None and not (self.live and self.interrupted):
            raise ended

    def _refuse_clashes(self, outputs: Sequence[Path]) -> None:
        """Refuse to write over the source, or two outputs into one file."""
        for index, path in enumerate(outputs):
            if any(same_file(path, file) for file in getattr(self.source, "files", ())):
                raise UsageError(f"{path}: the output would overwrite the input; give another name")
            if any(same_file(path, other) for other in outputs[:index]) and not is_stream(path):
                raise UsageError(f"{path}: two outputs cannot share one file; give them different names")

    def _feed(self, sinks: Sequence[Sink], outputs: FanOut, stop: StopSignals) -> BaseException | None:
        """Feed sinks and outputs; return what ended it before the source's end, with all that is written complete."""
        with ExitStack() as stack:
            for sink in sinks:
                stack.enter_context(sink)
            stack.enter_context(outputs)
            analyses = _sent(self._analyses(stop.is_requested), outputs)
            stack.enter_context(closing(analyses) if not self.live else self._queued(analyses, stop.is_requested))
            stack.callback(stop.loop_ended)
            try:
                for analysis in self._queue or analyses:
                    for sink in sinks:
                        sink.write(analysis)
                    if any(sink.is_finished for sink in sinks):
                        return None
            except SourceError as error:
                if self.live or isinstance(error, IncompleteVideoError):
                    return error  # what was read is kept, whole
                raise
            except (KeyboardInterrupt, Terminated) as error:
                if not self.live:
                    raise
                return error
            if stop.requested is not None and not self.live:
                raise stop.requested  # what is written stays a part
        return stop.requested

    def _queued(self, analyses: Generator[Analysis], stop: Callable[[], bool]) -> Prefetch[Analysis]:
        self._queue = Prefetch(analyses, _picture_bytes, depth=MAX_QUEUED_ANALYSES, name="analysis", stop=stop)
        return self._queue

    def _analyses(self, stop: Callable[[], bool]) -> Generator[Analysis]:
        """Yield the analyses, made until ``stop`` returns True."""
        batch = GPU_BATCH if self.pipeline.model.device == "gpu" and not self.live else 1
        if isinstance(self.source, ArraySource):  # in the caller's thread, where its loop expects to be
            yield from self.pipeline.run(self.source, batch=1)
            return
        with ExitStack() as stack:
            self._reader = stack.enter_context(
                FrameReader(
                    self.source,
                    depth=1 if self.live else 4,
                    drop=self.live,
                    stall=STALL_TIMEOUT if self.live else None,
                    silence=SILENCE_TIMEOUT if self.live else None,
                    stop=stop,
                )
            )
            found = self.pipeline.find(self._chosen(self._reader))
            if self.live:
                yield from self.pipeline.read(stack.enter_context(closing(found)), batch)
                return
            ahead = Prefetch(found, _found_bytes, max_bytes=MAX_WAITING_BYTES, name="finder", stop=stop)
            yield from self.pipeline.read(stack.enter_context(ahead), batch)

    def _chosen(self, frames: Iterable[Frame | None]) -> Iterator[Frame | None]:
        return (frame for frame in frames if frame is None or frame.index % self._step == 0)


def analyze(source: Source, pipeline: Pipeline | None = None) -> Iterator[Analysis]:
    """Analyse a recorded video, or a camera for as long as the loop goes on.

    Args:
        source: a camera's index as an int; the path of a video, a picture or a folder of frames; a URL; or an iterable
            of (h, w, 3) uint8 BGR arrays or of (time in seconds, array) pairs.
        pipeline: one with settings of its own, not used before; None takes the defaults.

    Yields:
        One analysis for each frame; from a camera always of the newest one, and a silent one when it gives none.

    Raises:
        SourceError: it cannot be read.
        TypeError, ValueError: it is nothing that can be analysed, or an array of another shape or dtype.
    """
    live = _is_live(source)
    if pipeline is None:
        session = open_session(source, live=live)
    else:
        session = Session(open_source(source, live), pipeline, live)
    with session, closing(cast("Generator[Analysis]", iter(session))) as analyses:
        yield from analyses


def _sent(analyses: Generator[Analysis], outputs: FanOut) -> Generator[Analysis]:
    """Yield the analyses, each handed to the outputs first: apps wait for it."""
    with closing(analyses):
        for analysis in analyses:
            outputs.take(analysis)
            yield analysis


def _picture_bytes(analysis: Analysis) -> int:
    return analysis.frame.image.nbytes


def _found_bytes(found: Found | None) -> int:
    return found.nbytes if found else 0
