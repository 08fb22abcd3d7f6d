"""The one way through the program: open a source, prefetch its frames, analyse them, feed sinks and outputs, and close.

Every command and :func:`~mouth_live.realtime.analyze` use it::

    with open_session("talk.mp4", AnalysisSettings(min_face=20)) as session:
        session.run([CsvSink("talk.csv")])

Recorded video: every frame is analysed. A thread finds the faces of the next frames in the meantime, except for
pictures from an iterable, which stay in the caller's thread.
Live video: the newest frame wins. A thread analyses it, so that neither drawing nor a slow disk delays the next one.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from math import ceil
from types import TracebackType
from typing import Self

import cv2

from ..models.checked import checked_type
from ..models.errors import IncompleteVideoError, SourceError
from .faces.batches.chunks import MOST_FRAMES, Chunker
from .faces.batches.decoded import DecodedVideo, decoded_video
from .faces.batches.device import MOST_BYTES
from .faces.following import DETECT_INTERVAL
from .faces.stretches import StretchRecord, is_long
from .lips.activity import LipActivity
from .lips.face_choice import LARGEST
from .lips.profiles import profile_for
from .outputs.fan_out import FanOut
from .outputs.output import Output
from .pipeline import MAX_WAITING_BYTES, DetectedFaces, Pipeline
from .records import Analysis
from .settings import AnalysisSettings, Networks, load_networks
from .sinks.sink import Sink, mark_cut_off, refuse_shared_files
from .system.prefetch import Prefetch
from .system.signals import StopSignals, Terminated
from .video.arrays import ArraySource
from .video.live_reader import LiveReader
from .video.opening import Source, checked_source, is_live, open_source
from .video.reader import FrameReader
from .video.sources import Pictures, VideoSource
from .video.video_file import VideoFile

GPU_BATCH = 64  # crops; smaller batches leave a GPU idle
MAX_QUEUED_ANALYSES = 32  # of live video, that wait for the sinks


def open_session(
    source: Source,
    settings: AnalysisSettings | None = None,
    *,
    live: bool | None = None,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    max_frames: int | None = None,
    networks: Networks | None = None,
    record_of: Callable[[int], StretchRecord | None] | None = None,
    pictures: bool = True,
) -> "Session":
    """Open a source and prepare its analysis.

    Args:
        source: what to analyse; see :data:`.Source`.
        settings: how to analyse it; None takes the defaults.
        live: analyse the newest frame only. None: cameras and URLs are live, all else is recorded. True plays a file
            at its own pace, as if it were a camera.
        size: the (width, height) in pixels to request from a camera.
        fps: the frames per second to request from a camera.
        max_frames: analyse about this many frames of a recording, evenly spread, and run the detector on each; None
            analyses all.
        networks: the networks of ``settings``, if they are loaded already; None loads them.
        record_of: returns the record of a stretch of a long recording that was analysed elsewhere, by its number; None
            where there is none.
        pictures: whether frames must have their pictures; if not, a GPU may decode them, and they have none.

    Raises:
        SourceError: the source cannot be read.
        ModelError, DeviceError, MissingExtraError: as :func:`load_networks`.
        ProfileError: there is no such profile.
        TypeError: ``source`` is nothing that can be analysed.
    """
    settings = AnalysisSettings() if settings is None else checked_type(settings, AnalysisSettings, "settings")
    source = checked_source(source)
    live = is_live(source) if live is None else live
    networks = networks or load_networks(settings, live=live)
    profile = profile_for(settings.profile, networks.model.name)
    opened = open_source(source, live, size, fps)
    step = _step(opened, max_frames)
    # The pictures of a folder, and frames far apart, may show different scenes: the detector runs on each.
    detect_interval = 0 if step > 1 or isinstance(opened, Pictures) else DETECT_INTERVAL
    in_batches = not live and step == 1 and isinstance(opened, VideoFile)
    lips = LipActivity(settings.limits)
    pipeline = Pipeline(
        networks.finder,
        networks.model,
        profile,
        lips,
        detect_interval=detect_interval,
        live=live,
        long=not live and step == 1 and is_long(opened),
        record_of=record_of,
        device=networks.device if in_batches else None,
    )
    if profile and profile.smooth:
        pipeline.min_cutoff = profile.smooth
    return Session(opened, pipeline, live, step, None if pictures else decoded_video(opened, pipeline.device))


def _step(source: VideoSource, max_frames: int | None) -> int:
    """Return the distance in frames from one analysed frame to the next."""
    return max(1, ceil((_frame_count(source) or 0) / max_frames)) if max_frames else 1


def _frame_count(source: VideoSource) -> int | None:
    """Return the approximate number of frames; None where unknown."""
    return round(source.duration * source.nominal_rate) if source.duration else None


class Session:
    """An open source and the analysis of its frames. Iterate it or call :meth:`run`, once.

    Attributes:
        source: the source of the frames, with its name, size and frame rate; of live video, the present one.
        pipeline: the pipeline that analyses each frame.
        live: whether frames are dropped to keep up.
        interrupted: whether Ctrl-C ended :meth:`run`.
        outputs: the outputs of :meth:`run`.
    """

    def __init__(
        self, source: VideoSource, pipeline: Pipeline, live: bool, step: int = 1, decoded: DecodedVideo | None = None
    ) -> None:
        """Take over an open source, of which every ``step``-th frame is analysed; ``decoded``: the same on the GPU."""
        self.source, self.pipeline, self.live = source, pipeline, live
        self.interrupted = False
        self._step, self._decoded = step, decoded
        self._reader: FrameReader | LiveReader | None = None
        self._queue: Prefetch[Analysis] | None = None
        self.outputs = FanOut(())

    @property
    def frame_count(self) -> int | None:
        """The number of frames to analyse, an estimate for progress; None where unknown."""
        total = _frame_count(self.source)
        return total if total is None else ceil(total / self._step)

    @property
    def dropped(self) -> int:
        """The number of frames that were dropped to keep up."""
        return 0 if self._reader is None else self._reader.dropped

    @property
    def queued(self) -> int:
        """The number of analysed live frames that wait for the sinks."""
        return 0 if self._queue is None else self._queue.waiting

    def switch(self, source: VideoSource) -> None:
        """Go on with another open source of live video, and close the present one; any thread may call this."""
        if isinstance(self._reader, LiveReader):
            self._reader.switch(source)

    def _use(self, source: VideoSource) -> None:
        self.source = source

    def __enter__(self) -> Self:
        self.source.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.source.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[Analysis]:
        """Yield one analysis for each frame of a recording, and for the newest frame of a camera.

        A camera that gives no picture yields a silent analysis (see :class:`.Analysis`).

        Raises:
            SourceError: the source fails. All frames before that are analysed first.
        """
        return self._analyses(lambda: False)

    def run(self, sinks: Sequence[Sink] = (), outputs: Sequence[Output] = (), face: str = LARGEST) -> None:
        """Feed all analyses to sinks and outputs until the source, a sink, an error or a signal ends it.

        The files of a recording that is cut off, and of a camera that is lost, are complete up to that point. Ctrl-C
        and SIGTERM, once or repeatedly, end live video with all files complete. In a recording they leave the files
        under ``.part`` names.

        Args:
            sinks: the sinks to write to, entered in order before the first frame.
            outputs: the apps to send to.
            face: who drives an output that has room for one face, as :class:`.FaceChoice` takes it.

        Raises:
            SourceError: the source fails; IncompleteVideoError for a recording that is cut off.
            SinkError: an output cannot be written, or cannot work on this machine.
            UsageError: a sink's file is the source itself, or the file of another sink.
            KeyboardInterrupt: Ctrl-C ended a recording; in live video it is the normal end and raises nothing.
            Terminated: SIGTERM, where the command line handles it.
        """
        refuse_shared_files(sinks, getattr(self.source, "files", ()))
        cv2.setNumThreads(1)  # the stages run in parallel; OpenCV's own threads for single warps only delay them
        self.outputs = FanOut(outputs, face, self.live)
        with StopSignals() as stop:
            reason = self._feed(sinks, self.outputs, stop)
        self.interrupted = isinstance(reason, KeyboardInterrupt)
        if reason is not None and not (self.live and self.interrupted):
            raise reason

    def _feed(self, sinks: Sequence[Sink], outputs: FanOut, stop: StopSignals) -> BaseException | None:
        """Feed sinks and outputs; return what ended the session early, where its files are complete nevertheless."""
        with ExitStack() as stack:
            for sink in sinks:
                stack.enter_context(sink)
            stack.enter_context(outputs)
            analyses = outputs.sent(self._analyses(stop.is_requested))
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
                    return mark_cut_off(sinks, error)  # the outputs are complete up to here
                raise
            except (KeyboardInterrupt, Terminated) as error:
                if not self.live:
                    raise
                return error
            if stop.requested is not None and not self.live:
                raise stop.requested  # the outputs keep their .part names
        return stop.requested

    def _queued(self, analyses: Generator[Analysis], stop: Callable[[], bool]) -> Prefetch[Analysis]:
        self._queue = Prefetch(
            analyses, lambda item: item.frame.image.nbytes, depth=MAX_QUEUED_ANALYSES, name="analysis", stop=stop
        )
        return self._queue

    def _analyses(self, stop: Callable[[], bool]) -> Generator[Analysis]:
        """Yield the analyses until ``stop`` returns True."""
        batch = GPU_BATCH if self.pipeline.model.device == "gpu" and not self.live else 1
        if isinstance(self.source, ArraySource):  # the caller's iterable must run in the caller's thread
            yield from self.pipeline.run(self.source, batch=1)
            return
        if self._decoded is not None:
            yield from self._decoded_analyses(self._decoded, stop)
            return
        with ExitStack() as stack:
            self._reader = stack.enter_context(
                LiveReader(self.source, stop, self._use) if self.live else FrameReader(self.source, stop=stop)
            )
            found = self.pipeline.find(f for f in self._reader if f is None or f.index % self._step == 0)
            if self.live:
                yield from self.pipeline.read(stack.enter_context(closing(found)), batch)
                return
            yield from self.pipeline.read(stack.enter_context(self._prefetched(found, stop)), batch)

    def _decoded_analyses(self, decoded: DecodedVideo, stop: Callable[[], bool]) -> Generator[Analysis]:
        """Yield the analyses of frames that the GPU decodes."""
        assert self.pipeline.device is not None
        chunker = Chunker(self.pipeline.device)
        chunks = Prefetch(decoded.chunks(chunker), lambda _: 0, depth=1, name="reader", stop=stop)
        with chunks, self._prefetched(self.pipeline.find_in(chunks, chunker), stop) as found:
            yield from self.pipeline.read(found)

    def _prefetched(
        self, found: Generator[DetectedFaces | None], stop: Callable[[], bool]
    ) -> Prefetch[DetectedFaces | None]:
        """Return found faces from a thread of its own. From a GPU they come a chunk at a time."""
        in_chunks = self.pipeline.device is not None
        return Prefetch(
            found,
            lambda item: item.nbytes if item else 0,
            depth=MOST_FRAMES if in_chunks else 4,
            max_bytes=MOST_BYTES if in_chunks else MAX_WAITING_BYTES,
            name="finder",
            stop=stop,
        )
