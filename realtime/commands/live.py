"""``mouth-live``: live video in a window, and on request in a CSV file and an annotated video."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..lips.face_choice import LARGEST
from ..outputs.output import Output
from ..session import Session
from ..settings import AnalysisSettings
from ..sinks.drawing.themes import DEFAULT_THEME, Theme
from ..sinks.missing_face import MissingFace
from ..sinks.sink import Sink
from ..sinks.tables.csv_sink import CsvSink
from ..sinks.videos.annotated_video import AnnotatedVideo
from ..sinks.window.keys import keys_in_words
from ..sinks.window.window_sink import WindowSink, WindowStatus
from .calibrator import DEFAULT_NAME, Calibrator
from .live_source import open_live
from .rate_meter import RateMeter

log = logging.getLogger("mouth_live")


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """The options of live video.

    Attributes:
        camera: the source, as on the command line.
        no_window: run without a window.
        csv_path: the file for the readings; None for none.
        record: the file for the annotated video; None for none.
        mirror: show the picture as in a mirror.
        theme: what is drawn into the picture.
        size: the (width, height) in pixels to request from the camera.
        fps: the frames per second to request from the camera.
        overwrite: replace a profile that key c measures again.
        face: who drives an output that has room for one face, as :class:`.FaceChoice` takes it.
        outputs: the apps to send to.
    """

    camera: str = "0"
    no_window: bool = False
    csv_path: Path | None = None
    record: Path | None = None
    mirror: bool = False
    theme: Theme = DEFAULT_THEME
    size: tuple[int, int] | None = None
    fps: float | None = None
    overwrite: bool = False
    face: str | None = None
    outputs: Sequence[Output] = ()


def run_live(options: LiveOptions, settings: AnalysisSettings) -> None:
    """Analyse live video until the source, the user or an error ends it.

    Raises:
        SourceError: the camera cannot be opened, or stopped and cannot be opened again.
        SinkError: an output cannot be written, or there is no display for the window.
        Terminated: by SIGTERM, with all outputs complete.
    """
    window = not options.no_window
    with open_live(options.camera, settings, window=window, size=options.size, fps=options.fps) as session:
        _announce(session, window)
        session.run(_sinks(options, settings, session), options.outputs, options.face or LARGEST)
    if session.interrupted:
        log.info("ended")


def _announce(session: Session, window: bool) -> None:
    """Say what was opened, and what the window's keys do."""
    source = session.source
    width, height = source.size
    log.info("%s: %dx%d at %.4g frames/s", source.name, width, height, source.nominal_rate)
    if window:
        log.info("keys in the window: %s", keys_in_words())


def _sinks(options: LiveOptions, settings: AnalysisSettings, session: Session) -> list[Sink]:
    sinks: list[Sink] = []
    if options.csv_path:
        sinks.append(CsvSink(options.csv_path))
    if options.record:
        source = session.source
        sinks.append(AnnotatedVideo(options.record, None, source.size, source.nominal_rate, 0.0, options.theme))
    pipeline = session.pipeline
    calibrator = Calibrator(
        settings.profile or DEFAULT_NAME,
        pipeline.model.name,
        on_profile=pipeline.use_profile,
        overwrite=options.overwrite,
    )
    meter = RateMeter(session, show=options.no_window)
    sinks += [calibrator, meter, MissingFace(options.face)]
    if not options.no_window:

        def status() -> WindowStatus:
            """Return the status to show with the next frame."""
            return WindowStatus(meter.rate, session.dropped, calibrator.notice, session.queued)

        window = WindowSink(mirror=options.mirror, on_calibrate=calibrator.begin, status=status, theme=options.theme)
        sinks.append(window)
    return sinks
