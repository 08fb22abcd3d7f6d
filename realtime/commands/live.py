"""``mouth-live``: from a camera to the window, and on request to a CSV file and an annotated video."""

import logging
import sys
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import cv2

from ...models.faces import MIN_FACE, Backend, FaceFinder
from ...models.openness import DEFAULT_WEIGHTS, Device, load_openness_model
from ..lips.face_choice import LARGEST
from ..lips.profiles import profile_for
from ..outputs.fan_out import FanOut
from ..outputs.output import Output
from ..pipeline import Pipeline
from ..records import Analysis
from ..sinks.annotated_video import AnnotatedVideo
from ..sinks.csv_sink import CsvSink
from ..sinks.window import WindowSink, display_problem
from ..system.prefetch import Ahead
from ..system.signals import Terminated
from ..video.cameras import open_camera
from ..video.reader import SILENCE, STALL, Relay
from .calibrator import DEFAULT_NAME, Calibrator

log = logging.getLogger("mouth_live")

STATUS_EVERY = 0.5  # s
MOST_UNDRAWN = 32  # frames that are read and wait to be written and drawn
DRAW_AT_LEAST_EVERY = 0.2  # s


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How live video is shown and kept.

    Attributes:
        camera: the source, as on the command line.
        no_window: run without a screen.
        csv_path: where the readings go, if anywhere.
        record: where the annotated video goes, if anywhere.
        mirror: show the picture as in a mirror.
        size: (width, height) to ask the camera for.
        fps: frames a second to ask the camera for.
        model: weights by name or path.
        device: where the network runs.
        backend: what finds the faces.
        min_score: faces scored lower (0..1) are left out.
        min_face: faces narrower than so many pixels need not be found.
        profile: the name of the person's own range; None leaves the network's scale.
        face: who drives outputs with room for one face, as :class:`FaceChoice` takes it.
        outputs: the apps to send to.
    """

    camera: str = "0"
    no_window: bool = False
    csv_path: Path | None = None
    record: Path | None = None
    mirror: bool = False
    size: tuple[int, int] | None = None
    fps: float | None = None
    model: str = DEFAULT_WEIGHTS
    device: Device = "cpu"
    backend: Backend = "litert"
    min_score: float = 0.5
    min_face: int = MIN_FACE
    profile: str | None = None
    face: str | None = None
    outputs: Sequence[Output] = ()


def run_live(settings: LiveSettings) -> None:
    """Analyse the newest frame again and again until the source, the user or an error ends it.

    Ctrl-C is how live ends: all outputs are completed and nothing is raised. SIGTERM completes them too.

    Raises:
        SourceError: the camera cannot be opened, or stays away.
        SinkError: an output cannot be written, or there is no display for the window.
        Terminated: by SIGTERM, with all outputs complete.
    """
    problem = None if settings.no_window else display_problem()
    if problem:  # before the camera's light goes on
        raise problem
    try:
        _run(settings)
    except KeyboardInterrupt:
        log.info("ended")


def _run(settings: LiveSettings) -> None:
    terminated: Terminated | None = None
    cv2.setNumThreads(1)  # for its small warps more threads cost more than they save
    with ExitStack() as stack:
        model = load_openness_model(settings.model, settings.device)
        profile = profile_for(settings.profile, model.name)
        pipeline = Pipeline(
            FaceFinder(settings.min_score, settings.backend, min_face=settings.min_face), model, profile
        )
        calibrator = Calibrator(settings.profile or DEFAULT_NAME, model.name)
        video = stack.enter_context(open_camera(settings.camera, settings.size, settings.fps))
        sinks: list[CsvSink | AnnotatedVideo] = []
        if settings.csv_path:
            target = "-" if str(settings.csv_path) == "-" else settings.csv_path
            sinks.append(stack.enter_context(CsvSink(target)))
        if settings.record:
            sinks.append(
                stack.enter_context(AnnotatedVideo(settings.record, None, video.size, video.nominal_rate, 0.0))
            )
        window = (
            None
            if settings.no_window
            else stack.enter_context(WindowSink(mirror=settings.mirror, on_calibrate=calibrator.begin))
        )
        ahead = stack.enter_context(Relay(video, depth=1, drop=True, stall=STALL, silence=SILENCE))
        apps = stack.enter_context(FanOut(settings.outputs, settings.face or LARGEST))
        status = _Status()
        try:
            # In a thread of its own: drawing, or a slow disk, never keeps the next frame from being read.
            analyses = stack.enter_context(Ahead(_told(pipeline.run(ahead), apps), _picture_bytes, depth=MOST_UNDRAWN))
            for analysis in analyses:
                if analysis.silent:
                    continue
                for sink in sinks:
                    sink.write(analysis)
                notice = calibrator.take(analysis)
                pipeline.profile = calibrator.profile or pipeline.profile
                rate = status.take(analysis, ahead.dropped, show=window is None)
                draw = window is not None and status.should_draw(analyses.waiting)
                if window and draw and not window.write(analysis, rate, ahead.dropped, notice):
                    break
        except KeyboardInterrupt:
            log.info("ended")
        except Terminated as signal:
            terminated = signal  # a live recording has no other end than to be stopped: what there is is whole
        finally:
            status.clear()
    if terminated:
        raise terminated


def _told(analyses: Generator[Analysis], apps: FanOut) -> Generator[Analysis]:
    """The analyses, each handed to the apps first: they wait for it."""
    with closing(analyses):
        for analysis in analyses:
            apps.take(analysis)
            yield analysis


def _picture_bytes(analysis: Analysis) -> int:
    return analysis.frame.image.nbytes


class _Status:
    """Frames a second over the last second; without a window, one line on the terminal."""

    def __init__(self) -> None:
        self._arrivals = deque[float]()
        self._shown = 0.0
        self._drawn = 0.0

    def should_draw(self, waiting: int) -> bool:
        """Whether to draw this frame: the newest one, or where there is never time for it, one now and then."""
        now = monotonic()
        if waiting and now - self._drawn < DRAW_AT_LEAST_EVERY:
            return False
        self._drawn = now
        return True

    def take(self, analysis: Analysis, dropped: int, show: bool) -> float:
        """Count a frame; frames a second."""
        now = monotonic()
        self._arrivals.append(now)
        while now - self._arrivals[0] > 1:
            self._arrivals.popleft()
        span = now - self._arrivals[0]
        rate = (len(self._arrivals) - 1) / span if span > 0 else 0.0
        if show and sys.stderr.isatty() and now - self._shown > STATUS_EVERY:
            self._shown = now
            faces = "  ".join(f"face {r.face_id}: {r.openness:.2f}" for r in analysis.readings) or "no face"
            sys.stderr.write(f"\r\x1b[K{faces}   {rate:.0f} frames/s, {dropped} dropped")
            sys.stderr.flush()
        return rate

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
