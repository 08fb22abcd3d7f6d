"""``mouth-live``: from a camera to the window, and on request to a CSV file and an annotated video."""

import logging
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType

from ..lips.face_choice import LARGEST
from ..outputs.output import Output
from ..records import Analysis
from ..session import Session, open_session
from ..settings import AnalysisSettings
from ..sinks.annotated_video import AnnotatedVideo
from ..sinks.csv_sink import CsvSink
from ..sinks.sink import Sink
from ..sinks.window import Status, WindowSink, display_problem
from .calibrator import DEFAULT_NAME, Calibrator

log = logging.getLogger("mouth_live")

STATUS_INTERVAL = 0.5  # s between two status lines on the terminal


@dataclass(frozen=True, slots=True)
class LiveView:
    """How live video is shown and kept.

    Attributes:
        camera: the source, as on the command line.
        no_window: run without a screen.
        csv_path: where the readings go, if anywhere.
        record: where the annotated video goes, if anywhere.
        mirror: show the picture as in a mirror.
        size: (width, height) in pixels to ask the camera for.
        fps: frames per second to ask the camera for.
        face: who drives outputs with room for one face, as :class:`.FaceChoice` takes it.
        outputs: the apps to send to.
    """

    camera: str = "0"
    no_window: bool = False
    csv_path: Path | None = None
    record: Path | None = None
    mirror: bool = False
    size: tuple[int, int] | None = None
    fps: float | None = None
    face: str | None = None
    outputs: Sequence[Output] = ()


def run_live(view: LiveView, settings: AnalysisSettings) -> None:
    """Analyse the newest frame again and again until the source, the user or an error ends it.

    Raises:
        SourceError: the camera cannot be opened, or stays away.
        SinkError: an output cannot be written, or there is no display for the window.
        Terminated: by SIGTERM, with all outputs complete.
    """
    problem = None if view.no_window else display_problem()
    if problem:  # before the camera's light goes on
        raise problem
    with open_session(view.camera, settings, live=True, size=view.size, fps=view.fps) as session:
        session.run(_sinks(view, settings, session), view.outputs, view.face or LARGEST)
    if session.interrupted:
        log.info("ended")


def _sinks(view: LiveView, settings: AnalysisSettings, session: Session) -> list[Sink]:
    sinks: list[Sink] = []
    if view.csv_path:
        sinks.append(CsvSink(view.csv_path))
    if view.record:
        source = session.source
        sinks.append(AnnotatedVideo(view.record, None, source.size, source.nominal_rate, 0.0))
    pipeline = session.pipeline
    calibrator = Calibrator(settings.profile or DEFAULT_NAME, pipeline.model.name, on_profile=pipeline.use_profile)
    meter = _RateMeter(session, show=view.no_window)
    sinks += [calibrator, meter]
    if not view.no_window:

        def status() -> Status:
            return Status(meter.rate, session.dropped, calibrator.notice, session.queued)

        sinks.append(WindowSink(mirror=view.mirror, on_calibrate=calibrator.begin, status=status))
    return sinks


class _RateMeter(Sink):
    """Measures the frames per second over the last second; without a window it shows them on the terminal.

    Attributes:
        rate: frames per second.
    """

    def __init__(self, session: Session, show: bool) -> None:
        self.rate = 0.0
        self._session = session
        self._show = show and sys.stderr.isatty()
        self._arrivals = deque[float]()
        self._shown = 0.0

    def write(self, analysis: Analysis) -> None:
        """Count a frame."""
        if analysis.silent:
            return
        now = monotonic()
        self._arrivals.append(now)
        while now - self._arrivals[0] > 1:
            self._arrivals.popleft()
        span = now - self._arrivals[0]
        self.rate = (len(self._arrivals) - 1) / span if span > 0 else 0.0
        if self._show and now - self._shown > STATUS_INTERVAL:
            self._shown = now
            faces = "  ".join(f"face {r.face_id}: {r.openness:.2f}" for r in analysis.readings) or "no face"
            sys.stderr.write(f"\r\x1b[K{faces}   {self.rate:.0f} frames/s, {self._session.dropped} dropped")
            sys.stderr.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the status line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
